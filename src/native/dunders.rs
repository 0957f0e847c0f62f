//! What `object`, `type`, `super` and exceptions have, and the special methods of built-in types that scripts call by
//! name (`super().__init__()`, `list.__len__(x)`): each does what the operator does, whatever a subclass overrides.
//! Must not know how the operators find them.

use crate::object::iter::{self, Tag};
use crate::object::num::{BinOp, CmpOp, UnOp};
use crate::object::types::Manner;
use crate::object::{Exc, Kind, R, Value, class, dict, str, types};
use crate::vm::native::{Args, NativeDef};
use crate::vm::ops::{arith, compare, item};
use crate::vm::thread::Thread;
use crate::vm::{attr, attr_delete, attr_store, boot, classes};

macro_rules! binary_methods {
    ($($name:ident $reflected:ident $op:ident),* $(,)?) => {
        $(
            fn $name(th: &mut Thread, args: Args) -> R {
                operator(th, BinOp::$op, args.get(0), args.get(1))
            }
            fn $reflected(th: &mut Thread, args: Args) -> R {
                reflected(th, BinOp::$op, args.get(1), args.get(0))
            }
        )*
        static BINARY: &[NativeDef] = &[$(
            NativeDef::full(stringify!($name), "self, value, /", $name, "Return self op value."),
            NativeDef::full(stringify!($reflected), "self, value, /", $reflected, "Return value op self."),
        )*];
    };
}

binary_methods! {
    __add__ __radd__ Add, __sub__ __rsub__ Sub, __mul__ __rmul__ Mul, __truediv__ __rtruediv__ Div,
    __floordiv__ __rfloordiv__ FloorDiv, __mod__ __rmod__ Mod, __lshift__ __rlshift__ Lshift,
    __rshift__ __rrshift__ Rshift, __and__ __rand__ BitAnd, __or__ __ror__ BitOr, __xor__ __rxor__ BitXor,
}

macro_rules! in_place_methods {
    ($($name:ident $op:ident),* $(,)?) => {
        $(fn $name(th: &mut Thread, args: Args) -> R {
            in_place(th, BinOp::$op, args.get(0), args.get(1))
        })*
        static IN_PLACE: &[NativeDef] = &[$(
            NativeDef::full(stringify!($name), "self, value, /", $name, "Implement self op= value."),
        )*];
    };
}

in_place_methods! { __iadd__ Add, __imul__ Mul, __ior__ BitOr, __iand__ BitAnd, __isub__ Sub, __ixor__ BitXor }

fn negative(th: &mut Thread, args: Args) -> R {
    unary(th, UnOp::Neg, args.get(0))
}

fn positive(th: &mut Thread, args: Args) -> R {
    unary(th, UnOp::Pos, args.get(0))
}

fn inverted(th: &mut Thread, args: Args) -> R {
    unary(th, UnOp::Invert, args.get(0))
}

fn unary(th: &mut Thread, op: UnOp, x: Value) -> R {
    let v = crate::object::num::unary(&mut th.m, op, x)?;
    Ok(v.unwrap_or(Value::NOT_IMPLEMENTED))
}

static SIGNS: &[NativeDef] = &[
    NativeDef::full("__neg__", "self, /", negative, "-self"),
    NativeDef::full("__pos__", "self, /", positive, "+self"),
    NativeDef::full("__abs__", "self, /", absolute, "abs(self)"),
    NativeDef::full("__divmod__", "self, value, /", divmod, "Return divmod(self, value)."),
    NativeDef::full("__rdivmod__", "self, value, /", divmod_reflected, "Return divmod(value, self)."),
];
static SUBCLASS_HOOK: NativeDef = NativeDef::full(
    "__subclasshook__",
    "cls, subclass, /",
    subclass_hook,
    "Whether it counts as a subclass.",
);
static GET_BOUND: &[NativeDef] =
    &[NativeDef::full("__get__", "self, instance, owner=, /", bind_to, "Return the bound method.")];
static INVERT: &[NativeDef] = &[NativeDef::full("__invert__", "self, /", inverted, "~self")];

/// `x.__op__(y)`: what the type of `x` knows; NotImplemented where it does not.
fn operator(th: &mut Thread, op: BinOp, x: Value, y: Value) -> R {
    if is_number(x) {
        return number_operator(th, op, x, y, x);
    }
    if op == BinOp::Mul {
        return repeated(th, x, y);
    }
    Ok(arith::builtin(th, op, x, y)?.unwrap_or(Value::NOT_IMPLEMENTED))
}

/// `y.__rop__(x)`.
fn reflected(th: &mut Thread, op: BinOp, x: Value, y: Value) -> R {
    if is_number(y) {
        return number_operator(th, op, x, y, y);
    }
    match op {
        BinOp::Mul => repeated(th, y, x),
        BinOp::Mod if types::kind_of(x) != types::kind_of(y) => Ok(Value::NOT_IMPLEMENTED),
        _ => Ok(arith::builtin(th, op, x, y)?.unwrap_or(Value::NOT_IMPLEMENTED)),
    }
}

/// `x.__iop__(y)`.
fn in_place(th: &mut Thread, op: BinOp, x: Value, y: Value) -> R {
    if op != BinOp::Mul {
        return Ok(arith::in_place_builtin(th, op, x, y)?.unwrap_or(Value::NOT_IMPLEMENTED));
    }
    let times = th.index_value(y)?;
    match arith::in_place_builtin(th, op, x, times)? {
        Some(done) => Ok(done),
        // Nothing is repeated so often: the plain operator knows what to say.
        None => repeated(th, x, times),
    }
}

fn is_number(v: Value) -> bool {
    matches!(types::kind_of(v), Kind::Int | Kind::Bool | Kind::Float)
}

/// Whether the methods of the number `own` take `other`: floats know ints, but not the other way round.
fn takes(own: Value, other: Value) -> bool {
    match types::kind_of(other) {
        Kind::Int | Kind::Bool => true,
        Kind::Float => types::kind_of(own) == Kind::Float,
        _ => false,
    }
}

fn number_operator(th: &mut Thread, op: BinOp, x: Value, y: Value, own: Value) -> R {
    let other = if own == x { y } else { x };
    if !takes(own, other) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    Ok(crate::object::num::binary(&mut th.m, op, x, y)?.unwrap_or(Value::NOT_IMPLEMENTED))
}

/// A sequence several times.
fn repeated(th: &mut Thread, sequence: Value, times: Value) -> R {
    let times = th.index_value(times)?;
    Ok(arith::builtin(th, BinOp::Mul, sequence, times)?.unwrap_or(Value::NOT_IMPLEMENTED))
}

/// `pow(x, y, modulus)` as a method of `x`.
fn pow(th: &mut Thread, args: Args) -> R {
    match args.opt_not_none(2) {
        Some(modulus) => modular(th, args.get(0), args.get(1), modulus),
        None => operator(th, BinOp::Pow, args.get(0), args.get(1)),
    }
}

fn pow_reflected(th: &mut Thread, args: Args) -> R {
    match args.opt_not_none(2) {
        Some(modulus) => modular(th, args.get(1), args.get(0), modulus),
        None => reflected(th, BinOp::Pow, args.get(1), args.get(0)),
    }
}

fn modular(th: &mut Thread, x: Value, y: Value, modulus: Value) -> R {
    let is_int = |v| matches!(types::kind_of(v), Kind::Int | Kind::Bool);
    if ![x, y, modulus].into_iter().any(is_int) || types::kind_of(x) == Kind::Float {
        return Err(th.type_error("pow() 3rd argument not allowed unless all arguments are integers"));
    }
    if ![x, y, modulus].into_iter().all(is_int) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    super::num::pow(th, Args(&[Some(x), Some(y), Some(modulus)]))
}

static POWERS: &[NativeDef] = &[
    NativeDef::full("__pow__", "self, value, mod=, /", pow, "Return pow(self, value, mod)."),
    NativeDef::full("__rpow__", "self, value, mod=, /", pow_reflected, "Return pow(value, self, mod)."),
];

macro_rules! comparisons {
    ($($name:ident $op:ident),* $(,)?) => {
        $(fn $name(th: &mut Thread, args: Args) -> R {
            comparison(th, CmpOp::$op, args.get(0), args.get(1))
        })*
        static COMPARISONS: &[NativeDef] = &[$(
            NativeDef::full(stringify!($name), "self, value, /", $name, "Return self op value."),
        )*];
    };
}

comparisons! { __lt__ Lt, __le__ Le, __gt__ Gt, __ge__ Ge, __eq__ Eq, __ne__ Ne }

fn comparison(th: &mut Thread, op: CmpOp, x: Value, y: Value) -> R {
    if is_number(x) && !takes(x, y) {
        return Ok(Value::NOT_IMPLEMENTED);
    }
    if let Some(order) = crate::object::num::compare(x, y) {
        return Ok(Value::bool(op.holds(order)));
    }
    if let Some(answer) = compare::builtin(th, op, x, y)? {
        return Ok(Value::bool(answer));
    }
    Ok(match op {
        CmpOp::Eq if x == y => Value::TRUE,
        CmpOp::Ne => {
            let equal = match th.lookup_override(x, "__eq__") {
                Some(f) => th.call(f, &[x, y])?,
                None if x == y => Value::TRUE,
                None => Value::NOT_IMPLEMENTED,
            };
            if equal == Value::NOT_IMPLEMENTED { equal } else { Value::bool(!th.is_true(equal)?) }
        }
        _ => Value::NOT_IMPLEMENTED,
    })
}

fn repr(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    if types::kind_of(v) == Kind::Instance {
        let text = th.object_text(v)?;
        return th.m.new_str(&text);
    }
    th.repr_builtin(v)
}

fn str_of(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    match types::kind_of(v) {
        Kind::Exception => th.exception_text(v),
        Kind::Str => th.m.new_str(str::as_str(v).unwrap_or("")),
        _ => th.repr(v),
    }
}

fn hash(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    let h = th.hash_builtin(v)?;
    th.m.new_int(h)
}

fn format(th: &mut Thread, args: Args) -> R {
    let spec = str::as_str(args.get(1)).unwrap_or("").to_owned();
    if spec.is_empty() {
        return th.str(args.get(0));
    }
    if let Some(v) = crate::object::format::format_value(&mut th.m, args.get(0), &spec)? {
        return Ok(v);
    }
    let class = th.type_name(args.get(0));
    Err(th.type_error(format!("unsupported format string passed to {class}.__format__")))
}

fn attribute_name(th: &mut Thread, v: Value) -> R {
    if str::as_str(v).is_none() {
        let class = th.type_name(v);
        return Err(th.type_error(format!("attribute name must be string, not '{class}'")));
    }
    crate::object::intern::intern_value(&mut th.m, v)
}

fn getattribute(th: &mut Thread, args: Args) -> R {
    let name = attribute_name(th, args.get(1))?;
    th.get_attr_plainly(args.get(0), name)
}

fn setattr(th: &mut Thread, args: Args) -> R {
    let name = attribute_name(th, args.get(1))?;
    attr_store::set_by_object(th, args.get(0), name, args.get(2)).map(|()| Value::NONE)
}

fn delattr(th: &mut Thread, args: Args) -> R {
    let name = attribute_name(th, args.get(1))?;
    attr_delete::delete_plainly(th, args.get(0), name).map(|()| Value::NONE)
}

fn object_init(th: &mut Thread, args: Args) -> R {
    let class = types::class_of(args.get(0));
    let traits = class::traits(class);
    let extra = args.len() > 1;
    if extra && traits & class::trait_bits::NEW == 0 && traits & class::trait_bits::INIT != 0 {
        let m = "object.__init__() takes exactly one argument (the instance to initialize)";
        return Err(th.type_error(m));
    }
    Ok(Value::NONE)
}

fn object_new(th: &mut Thread, args: Args) -> R {
    let class = args.get(0);
    let Some(c) = class::cast(class) else {
        let got = th.type_name(class);
        return Err(th.type_error(format!("object.__new__(X): X is not a type object ({got})")));
    };
    if c.instance_kind != Kind::Instance as u64 {
        let name = class::name(class);
        let new = th.name("__new__")?;
        let own = |class| class::find_own(class, new).and_then(|c| c.value.get());
        let of_object = own(types::class_of_kind(Kind::Instance));
        if th.lookup.find(class, new).and_then(|c| c.value.get()) == of_object {
            return Err(th.type_error(format!("cannot create '{name}' instances")));
        }
        return Err(th.type_error(format!("object.__new__({name}) is not safe, use {name}.__new__()")));
    }
    if args.len() > 1 {
        let traits = class::traits(class);
        if traits & class::trait_bits::NEW != 0 {
            let m = "object.__new__() takes exactly one argument (the type to instantiate)";
            return Err(th.type_error(m));
        }
        if traits & class::trait_bits::INIT == 0 {
            return Err(classes::takes_no_arguments(th, class));
        }
    }
    classes::new_instance(th, class)
}

/// `object.__init_subclass__`: the end of the chain.
fn init_subclass(th: &mut Thread, args: Args) -> R {
    let unwanted = args.opt(1).and_then(dict::of).is_some_and(|d| dict::len(d) > 0);
    if unwanted || !args.rest(2).is_empty() {
        let name = class::cast(args.get(0)).and_then(|c| str::as_str(c.qualname.value())).unwrap_or("?");
        let what = if unwanted { "keyword " } else { "" };
        return Err(th.type_error(format!("{name}.__init_subclass__() takes no {what}arguments")));
    }
    Ok(Value::NONE)
}

fn len(th: &mut Thread, args: Args) -> R {
    let n = crate::vm::container_ops::len(th, args.get(0))?;
    match n {
        Some(n) => Ok(n),
        None => {
            let n = th.len(args.get(0))?;
            th.m.new_int(n as i64)
        }
    }
}

fn getitem(th: &mut Thread, args: Args) -> R {
    item::get_builtin(th, args.get(0), args.get(1))
}

fn setitem(th: &mut Thread, args: Args) -> R {
    item::set_builtin(th, args.get(0), args.get(1), args.get(2)).map(|()| Value::NONE)
}

fn delitem(th: &mut Thread, args: Args) -> R {
    item::delete_builtin(th, args.get(0), args.get(1)).map(|()| Value::NONE)
}

fn contains(th: &mut Thread, args: Args) -> R {
    item::contains_builtin(th, args.get(0), args.get(1)).map(Value::bool)
}

fn iterate(th: &mut Thread, args: Args) -> R {
    th.iter_builtin(args.get(0))
}

fn next(th: &mut Thread, args: Args) -> R {
    // Of a built-in iterator, whatever a class derived from it says.
    let item = match crate::object::iter::of(args.get(0)) {
        Some(it) => crate::vm::iter_object::next(th, it, None),
        None => th.next_or_stop(args.get(0)),
    };
    match item? {
        Some(v) => Ok(v),
        None => Err(th.raise_with(Exc::StopIteration, &[])),
    }
}

fn absolute(th: &mut Thread, args: Args) -> R {
    super::num::absolute(th, args.get(0))
}

fn divmod(th: &mut Thread, args: Args) -> R {
    quotient_and_rest(th, args.get(0), args.get(1))
}

fn divmod_reflected(th: &mut Thread, args: Args) -> R {
    quotient_and_rest(th, args.get(1), args.get(0))
}

fn quotient_and_rest(th: &mut Thread, a: Value, b: Value) -> R {
    match crate::object::num::divmod(&mut th.m, a, b)? {
        Some((quotient, rest)) => th.m.new_tuple(&[quotient, rest]),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// `object.__subclasshook__`: nobody but those who derive.
fn subclass_hook(_: &mut Thread, _: Args) -> R {
    Ok(Value::NOT_IMPLEMENTED)
}

fn bind_to(th: &mut Thread, args: Args) -> R {
    let (f, object, class) = (args.get(0), args.get(1), args.opt_not_none(2));
    match class {
        Some(_) if object.is_none() => Ok(f),
        None if object.is_none() => Err(th.type_error("__get__(None, None) is invalid")),
        _ => attr::bind(th, f, object, types::class_of(object)),
    }
}

fn dir(th: &mut Thread, args: Args) -> R {
    super::dir::names(th, args.get(0))
}

fn call(th: &mut Thread, args: Args) -> R {
    let values: Vec<Value> = args.rest(2).iter().copied().flatten().collect();
    let keywords = args.opt(1).map(dict::entries).unwrap_or_default();
    th.call_kw(args.get(0), &values, &keywords)
}

fn subclasses(th: &mut Thread, args: Args) -> R {
    let found = class::subclasses(args.get(0));
    th.m.new_list(&found)
}

fn mro(th: &mut Thread, args: Args) -> R {
    let classes: Vec<Value> = class::mro(args.get(0)).iter().filter_map(|s| s.get()).collect();
    th.m.new_list(&classes)
}

fn type_new(th: &mut Thread, args: Args) -> R {
    classes::call(th, args.get(0), &args.rest(1).iter().copied().flatten().collect::<Vec<_>>(), &[])
}

fn super_new(th: &mut Thread, args: Args) -> R {
    match (args.opt(1), args.opt(2)) {
        (Some(class), _) if class::cast(class).is_none() => {
            let got = th.type_name(class);
            Err(th.type_error(format!("super() argument 1 must be a type, not {got}")))
        }
        (Some(class), Some(receiver)) => classes::new_super(th, class, receiver),
        // Without an object it is a descriptor: read through an instance, it is `super` of that.
        (Some(class), None) => crate::object::func::new_super(&mut th.m, class, Value::NONE, Value::NONE),
        _ => Err(th.raise(Exc::RuntimeError, "super(): no arguments")),
    }
}

static OBJECT: &[NativeDef] = &[
    NativeDef::full("__init__", "self, *args", object_init, "Initialize self."),
    NativeDef::full("__repr__", "self, /", repr, "Return repr(self)."),
    NativeDef::full("__str__", "self, /", str_of, "Return str(self)."),
    NativeDef::full("__hash__", "self, /", hash, "Return hash(self)."),
    NativeDef::full("__format__", "self, format_spec, /", format, "Default object formatter."),
    NativeDef::full("__getattribute__", "self, name, /", getattribute, "Return getattr(self, name)."),
    NativeDef::full("__setattr__", "self, name, value, /", setattr, "Implement setattr(self, name, value)."),
    NativeDef::full("__delattr__", "self, name, /", delattr, "Implement delattr(self, name)."),
    NativeDef::full("__dir__", "self, /", dir, "Default dir() implementation."),
];
static OBJECT_NEW: NativeDef =
    NativeDef::full("__new__", "cls, *args", object_new, "Create and return a new object.");
static INIT_SUBCLASS: NativeDef = NativeDef::full(
    "__init_subclass__",
    "cls, /, *args, **kwargs",
    init_subclass,
    "This method is called when a class is subclassed.",
);
static TYPE_NEW: NativeDef =
    NativeDef::full("__new__", "cls, *args", type_new, "Create and return a new class.");
static SUPER_NEW: NativeDef = NativeDef::full(
    "__new__",
    "cls, class=, object=, /",
    super_new,
    "super(type, obj) -> bound super object",
);
static CLASS: &[NativeDef] = &[
    NativeDef::full("__call__", "self, *args, **kwargs", call, "Call self as a function."),
    NativeDef::full("__subclasses__", "self, /", subclasses, "Return a list of immediate subclasses."),
    NativeDef::full("mro", "self, /", mro, "Return a type's method resolution order."),
];
static CALLABLE: &[NativeDef] =
    &[NativeDef::full("__call__", "self, *args, **kwargs", call, "Call self as a function.")];
/// Of whatever has a length.
pub static CONTAINER: &[NativeDef] = &[
    NativeDef::full("__len__", "self, /", len, "Return len(self)."),
    NativeDef::full("__contains__", "self, key, /", contains, "Return key in self."),
    NativeDef::full("__iter__", "self, /", iterate, "Implement iter(self)."),
];
static GET: &[NativeDef] = &[NativeDef::full("__getitem__", "self, key, /", getitem, "Return self[key].")];
static SET: &[NativeDef] = &[
    NativeDef::full("__setitem__", "self, key, value, /", setitem, "Set self[key] to value."),
    NativeDef::full("__delitem__", "self, key, /", delitem, "Delete self[key]."),
];
/// Of every iterator.
pub static ITERATOR: &[NativeDef] = &[
    NativeDef::full("__iter__", "self, /", iterate, "Implement iter(self)."),
    NativeDef::full("__next__", "self, /", next, "Implement next(self)."),
];

const SET_OPERATORS: &[&str] =
    &["__and__", "__rand__", "__or__", "__ror__", "__xor__", "__rxor__", "__sub__", "__rsub__"];

/// The binary operators that a type has as methods.
fn operators_of(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Float => &[
            "__add__",
            "__radd__",
            "__sub__",
            "__rsub__",
            "__mul__",
            "__rmul__",
            "__truediv__",
            "__rtruediv__",
            "__floordiv__",
            "__rfloordiv__",
            "__mod__",
            "__rmod__",
        ],
        Kind::Str | Kind::Bytes | Kind::ByteArray => {
            &["__add__", "__mul__", "__rmul__", "__mod__", "__rmod__"]
        }
        Kind::List | Kind::Tuple => &["__add__", "__mul__", "__rmul__"],
        Kind::Dict | Kind::MappingProxy | Kind::Class => &["__or__", "__ror__"],
        Kind::Set | Kind::FrozenSet => SET_OPERATORS,
        // An int has them all.
        _ => &[],
    }
}

fn add_operators(th: &mut Thread, class: Value, names: &[&str]) -> R<()> {
    for def in BINARY.iter().filter(|def| names.is_empty() || names.contains(&def.name)) {
        boot::add_methods(th, class, std::slice::from_ref(def))?;
    }
    Ok(())
}

/// Adds the special methods to the built-in classes.
pub fn install(th: &mut Thread) -> R<()> {
    use Kind::*;
    let of = types::class_of_kind;
    for table in [OBJECT, COMPARISONS] {
        boot::add_methods(th, of(Instance), table)?;
    }
    for (class, new) in [(Instance, &OBJECT_NEW), (Class, &TYPE_NEW), (Super, &SUPER_NEW)] {
        boot::add_function(th, of(class), new)?;
    }
    boot::add_class_method(th, of(Instance), &INIT_SUBCLASS)?;
    boot::add_class_method(th, of(Instance), &SUBCLASS_HOOK)?;
    boot::add_methods(th, of(Function), GET_BOUND)?;
    boot::add_methods(th, of(Class), CLASS)?;
    for kind in [Function, Native, BoundMethod] {
        boot::add_methods(th, of(kind), CALLABLE)?;
    }
    for manner in [Manner::Method, Manner::Slot, Manner::BoundSlot] {
        boot::add_methods(th, types::class_of_manner(manner), CALLABLE)?;
    }
    for manner in [Manner::Method, Manner::Slot] {
        boot::add_methods(th, types::class_of_manner(manner), GET_BOUND)?;
    }
    for kind in [Int, Float, Str, Bytes, ByteArray, Tuple, List, Dict, Set, FrozenSet, MappingProxy, Class] {
        add_operators(th, of(kind), operators_of(kind))?;
    }
    for kind in [Int, Float, Str, Bytes, ByteArray, Tuple, List, Dict, Set, FrozenSet, Range] {
        boot::add_methods(th, of(kind), COMPARISONS)?;
    }
    for class in [Tag::KeysView, Tag::ItemsView].into_iter().filter_map(iter::class_of) {
        add_operators(th, class, SET_OPERATORS)?;
    }
    for kind in [Int, Float] {
        boot::add_methods(th, of(kind), POWERS)?;
    }
    boot::add_methods(th, of(Int), INVERT)?;
    for (kind, names) in [
        (List, &["__iadd__", "__imul__"][..]),
        (ByteArray, &["__iadd__", "__imul__"]),
        (Set, &["__ior__", "__iand__", "__isub__", "__ixor__"]),
        (Dict, &["__ior__"]),
    ] {
        for def in IN_PLACE.iter().filter(|def| names.contains(&def.name)) {
            boot::add_methods(th, of(kind), std::slice::from_ref(def))?;
        }
    }
    for kind in [Int, Float] {
        boot::add_methods(th, of(kind), SIGNS)?;
    }
    for kind in [Str, Bytes, ByteArray, Tuple, List, Dict, Set, FrozenSet, Range, MappingProxy] {
        boot::add_methods(th, of(kind), CONTAINER)?;
    }
    for kind in [Str, Bytes, ByteArray, Tuple, List, Dict, Range, MappingProxy] {
        boot::add_methods(th, of(kind), GET)?;
    }
    for kind in [List, Dict, ByteArray] {
        boot::add_methods(th, of(kind), SET)?;
    }
    for table in [&CONTAINER[..1], &CONTAINER[2..], GET, SET] {
        boot::add_methods(th, of(MemoryView), table)?;
    }
    boot::add_methods(th, of(Iter), ITERATOR)
}
