//! Making classes (`class` statements, `type(name, bases, dict)`) and making instances of them.
//! Must not know how attributes are cached (`attr.rs`).

use super::bases::{self, Bases};
use super::call;
use super::frame::{self, LINK};
use super::thread::Thread;
use super::{abstract_classes, attr, class_change, qualname, slot_names, type_names};
use crate::object::class::{self, Blueprint, trait_bits};
use crate::object::header::flag;
use crate::object::layout::{Cell, Class, Function};
use crate::object::{Exc, Kind, R, Raised, Value, Word, dict, exc, func, intern, shape, str, tuple, types};
use std::sync::atomic::Ordering;

/// What a `class` statement or a call of `type` says.
struct Statement {
    name: Value,
    qualname: Value,
    module: Word,
    bases: Bases,
    namespace: Value,
    attr_hint: u32,
}

/// `BuildClass`: body function and name in the window, then `n` bases and keyword values.
pub(crate) fn build(th: &mut Thread, window: *mut u64, n: usize, names: Value, spread: bool) -> R {
    let at = |i: usize| {
        // SAFETY: registers of the window, filled by the compiler's code.
        Value::from_bits(unsafe { *window.add(LINK + i) }).unwrap_or(Value::NONE)
    };
    let (body, name) = (at(0), at(1));
    let (bases, keywords) = if spread {
        let keywords = dict::entries(at(3));
        (super::ops::iterate::values_of(at(2)).to_vec(), keywords)
    } else {
        let names: Vec<Value> = tuple::items(names).iter().map(|k| k.value()).collect();
        let positional = n - names.len().min(n);
        let keywords = names.into_iter().enumerate().map(|(i, k)| (k, at(2 + positional + i))).collect();
        ((0..positional).map(|i| at(2 + i)).collect(), keywords)
    };
    let (keywords, is_abc) = without_metaclass(th, keywords)?;
    let scope = th.scope();
    let namespace = th.m.new_dict()?;
    th.root(namespace);
    let result = statement(th, (body, namespace, is_abc), name, &bases, &keywords);
    th.close(scope);
    result
}

fn statement(
    th: &mut Thread,
    (body, namespace, is_abc): (Value, Value, bool),
    name: Value,
    bases: &[Value],
    keywords: &[(Value, Value)],
) -> R {
    let bases = bases::of_statement(th, name, bases)?;
    th.m.rooted.extend(bases.all.iter().chain(&bases.written));
    let Some(function) = types::cast::<Function>(body) else {
        return Err(th.type_error("class body expected"));
    };
    let Some(code) = frame::code_of(function) else { return Err(th.type_error("class body expected")) };
    let plain = frame::plain(code);
    let module = module_name(th, function)?;
    let qualname = qualname::of_function(&mut th.m, function)?;
    for (key, v) in [("__module__", module), ("__qualname__", Some(qualname))] {
        let key = th.m.intern(key)?;
        dict::insert_str(&mut th.m, namespace, key, v.unwrap_or(Value::NONE))?;
    }
    let asked = ask_in_body(th, namespace, &bases.all)?;
    let cell = th.run_class_body(body, namespace)?;
    if let Some(key) = asked {
        types::hdr(namespace).flags.fetch_and(!flag::ASKS, Ordering::Relaxed);
        dict::remove_str(&mut th.m, namespace, key);
    }
    if is_abc {
        let key = th.name(abstract_classes::MARK)?;
        dict::insert_str(&mut th.m, namespace, key, Value::NONE)?;
    }
    if let Some(written) = bases.written {
        let key = th.name("__orig_bases__")?;
        dict::insert_str(&mut th.m, namespace, key, written)?;
    }
    let qualname_key = th.name("__qualname__")?;
    let qualname = dict::remove_str(&mut th.m, namespace, qualname_key).unwrap_or(name);
    let statement = Statement { name, qualname, module, bases, namespace, attr_hint: plain.attr_hint as u32 };
    let class = make(th, &statement)?;
    if let Some(cell) = types::cast::<Cell>(cell) {
        cell.value.set(class);
    }
    th.root(class);
    announce(th, class, namespace, keywords)?;
    Ok(class)
}

/// Lets a base that has a say in what class bodies set (an enumeration) be asked: by a name in the body, which is returned.
fn ask_in_body(th: &mut Thread, namespace: Value, bases: &[Value]) -> R<Word> {
    let asks = |base: &&Value| class::traits(**base) & class::trait_bits::CLASS_PROTOCOL != 0;
    let Some(base) = bases.iter().find(asks) else { return Ok(None) };
    let key = th.name("__class_body_set__")?;
    let Some(hook) = th.lookup.find(*base, key).and_then(|cell| cell.value.get()) else { return Ok(None) };
    let hook = func::unwrap_wrapper(hook).unwrap_or(hook);
    dict::insert_str(&mut th.m, namespace, key, hook)?;
    types::hdr(namespace).flags.fetch_or(flag::ASKS, Ordering::Relaxed);
    Ok(Some(key))
}

/// `__name__` of the module a function was defined in.
pub fn module_name(th: &mut Thread, function: &Function) -> R<Word> {
    let Some(code) = frame::code_of(function) else { return Ok(None) };
    let name = th.name("__name__")?;
    let namespace = code.module.get().and_then(func::module_dict);
    Ok(namespace.and_then(|d| dict::find_cell(d, name)).and_then(|c| c.value.get()))
}

/// The keywords but `metaclass`, and whether that asks for an abstract base class.
fn without_metaclass(th: &mut Thread, mut keywords: dict::Entries) -> R<(dict::Entries, bool)> {
    let mut is_abc = false;
    let meta = keywords.iter().position(|(k, _)| str::as_str(*k) == Some("metaclass"));
    if let Some(i) = meta {
        let (_, class) = keywords.remove(i);
        is_abc = th.qualified_name(class).is_ok_and(|name| name == "abc.ABCMeta");
        if class != types::class_of_kind(Kind::Class) && !is_abc {
            return Err(th.type_error("metaclasses other than 'type' are not supported by Mini"));
        }
    }
    Ok((keywords, is_abc))
}

fn make(th: &mut Thread, s: &Statement) -> R {
    let finalizer = th.name("__del__")?;
    if dict::find_str(s.namespace, finalizer).is_some() {
        return Err(th.type_error("finalizers (__del__) are not supported by Mini"));
    }
    let best = class::cast(s.bases.best);
    let bases = || s.bases.all.iter().filter_map(|b| class::cast(*b));
    let traits = || bases().fold(0, |all, b| all | b.traits.load(Ordering::Relaxed) & trait_bits::INHERITED);
    let kind = best.map_or(Kind::Instance, kind_of_instances);
    let inline = if kind == Kind::Instance {
        let below = bases().filter_map(class::root).map(|root| root.inline_cap).max().unwrap_or(0);
        // The methods of a class name what it adds to its bases. An even number of slots fills the cell; two is what a
        // small object costs anyway.
        ((below + s.attr_hint).max(2) + 1) & !1
    } else {
        0
    };
    let plan = Blueprint {
        name: s.name,
        qualname: s.qualname,
        bases: s.bases.all.clone(),
        kind,
        inline_cap: inline,
        traits: traits() | trait_bits::HEAP_TYPE,
    };
    let class = class::new_class(&mut th.m, &plan)?;
    // Another thread may have given a base a trait before it could find this subclass.
    class_change::add_trait(class, traits());
    let Some(c) = class::cast(class) else { return Ok(class) };
    fill_namespace(th, class, c, s)?;
    slot_names::declare(th, class, c, &s.bases)?;
    abstract_classes::prepare(th, class)?;
    Ok(class)
}

pub(super) fn kind_of_instances(c: &Class) -> Kind {
    // SAFETY: the field was written from a Kind by `new_class` and never changes.
    unsafe { std::mem::transmute::<u8, Kind>(c.instance_kind as u8) }
}

fn fill_namespace(th: &mut Thread, class: Value, c: &Class, s: &Statement) -> R<()> {
    let Some(namespace) = dict::of(s.namespace) else { return Ok(()) };
    let mut at = 0;
    let (mut eq, mut hash, mut traits) = (false, false, 0);
    while let Some((next, key, value)) = dict::next_entry(namespace, at) {
        at = next;
        let key = attribute_name(th, key)?;
        let name = str::as_str(key).unwrap_or("");
        eq |= name == "__eq__";
        hash |= name == "__hash__";
        let value = implicit_wrapper(th, name, value)?;
        attr::set_in_namespace(&mut th.m, c.dict.get(), key, value)?;
        traits |= trait_bits::of_name(name) | class_change::adopts(name, value);
    }
    for (name, value) in [("__module__", s.module), ("__doc__", Some(Value::NONE))] {
        let name = th.m.intern(name)?;
        if class::find_own(class, name).is_none() {
            attr::set_in_namespace(&mut th.m, c.dict.get(), name, value.unwrap_or(Value::NONE))?;
        }
    }
    if eq && !hash {
        let name = th.name("__hash__")?;
        attr::set_in_namespace(&mut th.m, c.dict.get(), name, Value::NONE)?;
        traits |= trait_bits::HASH;
    }
    class_change::add_trait(class, traits);
    Ok(())
}

/// A key of a class's namespace as the name of an attribute: names are interned, and only text can be.
fn attribute_name(th: &mut Thread, key: Value) -> R {
    if str::as_str(key).is_none() {
        return Err(th.type_error("names in a class other than strings are not supported by Mini"));
    }
    intern::intern_value(&mut th.m, key)
}

/// `__new__` is a static method, `__init_subclass__` and `__class_getitem__` are class methods, without saying so.
fn implicit_wrapper(th: &mut Thread, name: &str, value: Value) -> R {
    if types::kind_of(value) != Kind::Function {
        return Ok(value);
    }
    match name {
        "__new__" => func::new_wrapper(&mut th.m, Kind::StaticMethod, value),
        "__init_subclass__" | "__class_getitem__" => func::new_wrapper(&mut th.m, Kind::ClassMethod, value),
        _ => Ok(value),
    }
}

/// `__set_name__` of the namespace's values, then the next class's `__init_subclass__`.
fn announce(th: &mut Thread, class: Value, namespace: Value, keywords: &[(Value, Value)]) -> R<()> {
    for (key, value) in dict::entries(namespace) {
        let Some(hook) = th.lookup_override(value, "__set_name__") else { continue };
        if let Err(raised) = th.call(hook, &[value, class, key]) {
            return Err(name_not_set(th, raised, class, key, value));
        }
    }
    let name = th.name("__init_subclass__")?;
    match class::find_after(class, class, name).and_then(|c| c.value.get()) {
        Some(hook) => {
            let bound = attr::bind(th, hook, class, class)?;
            th.call_kw(bound, &[], keywords).map(drop)
        }
        None => Ok(()),
    }
}

/// RuntimeError in place of what a `__set_name__` raised, which is its cause.
#[cold]
fn name_not_set(th: &mut Thread, raised: Raised, class: Value, key: Value, value: Value) -> Raised {
    let Some(cause) = th.m.pending.take() else { return raised };
    let (owner, kind, key) = (class::name(class), th.type_name(value), str::as_str(key).unwrap_or("?"));
    let message = format!("Error calling __set_name__ on '{kind}' instance '{key}' in '{owner}'");
    let raised = th.raise(Exc::RuntimeError, message);
    if let Some(e) = th.m.pending.and_then(exc::cast) {
        e.cause.set(cause);
        e.context.set(cause);
        e.suppress.set(Value::TRUE);
    }
    raised
}

/// `type(name, bases, namespace, **keywords)`.
pub fn make_dynamic(th: &mut Thread, args: [Value; 3], keywords: &[(Value, Value)]) -> R {
    let [name, bases, namespace] = args;
    for (n, v, kind, what) in
        [(1, name, Kind::Str, "str"), (2, bases, Kind::Tuple, "tuple"), (3, namespace, Kind::Dict, "dict")]
    {
        if types::kind_of(v) != kind {
            let got = if v.is_none() { "None".to_owned() } else { th.type_name(v) };
            return Err(th.type_error(format!("type.__new__() argument {n} must be {what}, not {got}")));
        }
    }
    let bases = bases::of_tuple(th, bases)?;
    // The caller's module, as a `class` statement there would have it.
    let caller = frame::walk(th.base, th.pc).next();
    let module = caller.map_or(Ok(None), |f| module_name(th, f.function))?;
    let own = th.m.new_dict()?;
    th.root(own);
    for (key, v) in dict::entries(namespace) {
        let key = attribute_name(th, key)?;
        dict::insert_str(&mut th.m, own, key, v)?;
    }
    let qualname_key = th.name("__qualname__")?;
    let qualname = dict::remove_str(&mut th.m, own, qualname_key).unwrap_or(name);
    let s = Statement { name, qualname, module, bases, namespace: own, attr_hint: 2 };
    let class = make(th, &s)?;
    th.root(class);
    announce(th, class, own, keywords)?;
    Ok(class)
}

/// Exception groups check their arguments, whoever initialises them.
pub(super) fn is_group_class(class: Value) -> bool {
    class::is_subclass(class, types::exc_class(Exc::BaseExceptionGroup))
}

/// What `object`'s constructor says of arguments.
#[cold]
pub fn takes_no_arguments(th: &mut Thread, class: Value) -> Raised {
    let name = class::name(class);
    th.type_error(format!("{name}() takes no arguments"))
}

/// Calls a class: `__new__`, then `__init__`.
pub fn call(th: &mut Thread, class: Value, args: &[Value], keywords: &[(Value, Value)]) -> R {
    // A built-in class has its native alone, whose arguments lie in registers.
    if keywords.is_empty()
        && class::traits(class) & (trait_bits::HEAP_TYPE | trait_bits::NEW | trait_bits::INIT) == 0
        && class != types::class_of_kind(Kind::Class)
    {
        let new = th.lookup.find_special(&mut th.m, class, "__new__").and_then(|c| c.value.get());
        if let Some(new) = new.filter(|f| types::kind_of(*f) == Kind::Native) {
            if keeps_arguments(th, class, new) {
                return exc::new_exception(&mut th.m, class, args);
            }
            return th.call(new, &call::with_first(class, args));
        }
    }
    // `__init__` gets the arguments after `__new__` may have dropped the last reference to them.
    let scope = th.scope();
    th.m.rooted.extend(args.iter().chain(keywords.iter().flat_map(|(key, value)| [key, value])));
    let result = make_instance(th, class, args, keywords);
    th.close(scope);
    result
}

/// Whether a built-in class makes exceptions that just keep their arguments; `new` is its `__new__`.
pub(super) fn keeps_arguments(th: &mut Thread, class: Value, new: Value) -> bool {
    let base = types::exc_class(Exc::BaseException);
    class::cast(class).is_some_and(|c| kind_of_instances(c) == Kind::Exception)
        && th.lookup.find_special(&mut th.m, base, "__new__").and_then(|c| c.value.get()) == Some(new)
        && !class::is_subclass(class, types::exc_class(Exc::UnicodeError))
}

fn make_instance(th: &mut Thread, class: Value, args: &[Value], keywords: &[(Value, Value)]) -> R {
    if class == types::class_of_kind(Kind::Class) {
        return call_type(th, args, keywords);
    }
    let traits = class::traits(class);
    let Some(c) = class::cast(class) else { return Err(takes_no_arguments(th, class)) };
    let kind = kind_of_instances(c);
    let user_init = traits & trait_bits::INIT != 0;
    let instance = if traits & trait_bits::NEW != 0 {
        let new = th.name("__new__")?;
        let hook = th.lookup.find(class, new).and_then(|c| c.value.get()).unwrap_or(Value::NONE);
        let hook = func::unwrap_wrapper(hook).unwrap_or(hook);
        th.call_kw(hook, &call::with_first(class, args), keywords)?
    } else {
        new_builtin(th, class, kind, args, keywords, user_init)?
    };
    let made = types::class_of(instance);
    // `BaseException.__init__` keeps the arguments, whatever a `__new__` written in Mini was content with.
    let keeps = traits & trait_bits::NEW != 0 && kind == Kind::Exception;
    if (class::traits(made) & trait_bits::INIT != 0 || keeps) && class::is_subclass(made, class) {
        th.root(instance);
        run_init(th, made, instance, args, keywords)?;
    }
    Ok(instance)
}

fn run_init(th: &mut Thread, class: Value, instance: Value, args: &[Value], kw: &[(Value, Value)]) -> R<()> {
    let name = th.name("__init__")?;
    let Some(init) = th.lookup.find(class, name).and_then(|c| c.value.get()) else { return Ok(()) };
    let result = th.call_kw(init, &call::with_first(instance, args), kw)?;
    if !result.is_none() {
        let class = th.type_name(result);
        return Err(th.type_error(format!("__init__() should return None, not '{class}'")));
    }
    Ok(())
}

/// `object.__new__` and the constructors of the built-in types.
fn new_builtin(
    th: &mut Thread,
    class: Value,
    kind: Kind,
    args: &[Value],
    keywords: &[(Value, Value)],
    user_init: bool,
) -> R {
    match kind {
        Kind::Instance => {
            if !user_init && (!args.is_empty() || !keywords.is_empty()) {
                return Err(takes_no_arguments(th, class));
            }
            new_instance(th, class)
        }
        Kind::Exception if user_init && !is_group_class(class) => exc::new_exception(&mut th.m, class, args),
        _ => {
            let new = th.name("__new__")?;
            let Some(hook) = th.lookup.find(class, new).and_then(|c| c.value.get()) else {
                let name = class::name(class);
                return Err(th.type_error(format!("cannot create '{name}' instances")));
            };
            // A mutable container whose `__init__` is written in Mini fills itself there.
            let mutable = matches!(kind, Kind::List | Kind::Dict | Kind::Set | Kind::ByteArray);
            // A group of exceptions is whole from the beginning.
            let later = mutable || !is_group_class(class) && fills_itself(th, class)?;
            if user_init && later {
                return th.call(hook, &[class]);
            }
            // A constructor that knows no keywords leaves them to an `__init__` written in Mini.
            let taken = super::fields::def(hook).is_none_or(|def| def.params.takes_keywords());
            let keywords = if user_init && !taken { &[] } else { keywords };
            th.call_kw(hook, &call::with_first(class, args), keywords)
        }
    }
}

/// Whether a built-in class of Host objects among the bases has an `__init__` of its own, which the derived one is to call.
fn fills_itself(th: &mut Thread, class: Value) -> R<bool> {
    let (name, object) = (th.name("__init__")?, types::class_of_kind(Kind::Instance));
    let mut bases = class::mro(class).iter().filter_map(crate::object::Slot::get);
    Ok(bases.any(|c| {
        c != object && class::traits(c) & trait_bits::HEAP_TYPE == 0 && class::find_own(c, name).is_some()
    }))
}

/// A bare instance of a class written in Mini.
pub fn new_instance(th: &mut Thread, class: Value) -> R {
    if class::traits(class) & trait_bits::ABSTRACT != 0 {
        return Err(abstract_classes::refuse(th, class));
    }
    match class::cast(class).and_then(class::root) {
        Some(root) => shape::new_instance(&mut th.m, root),
        None => Err(th.type_error("object.__new__(X): X is not a type object")),
    }
}

fn call_type(th: &mut Thread, args: &[Value], keywords: &[(Value, Value)]) -> R {
    match args {
        [v] if keywords.is_empty() => Ok(types::class_of(*v)),
        [name, bases, namespace] => {
            let scope = th.scope();
            let made = make_dynamic(th, [*name, *bases, *namespace], keywords);
            th.close(scope);
            made
        }
        _ => Err(th.type_error("type() takes 1 or 3 arguments")),
    }
}

/// `super(class, receiver)`.
pub fn new_super(th: &mut Thread, class: Value, receiver: Value) -> R {
    if class::cast(class).is_none() {
        let name = class::name(types::class_of(class));
        return Err(th.type_error(format!("super() argument 1 must be a type, not {name}")));
    }
    let own = types::class_of(receiver);
    let start = if class::is_subclass(own, class) {
        own
    } else if class::cast(receiver).is_some() && class::is_subclass(receiver, class) {
        receiver
    } else {
        return Err(th.type_error("super(type, obj): obj must be an instance or subtype of type"));
    };
    func::new_super(&mut th.m, class, receiver, start)
}

/// Whether a class is one of these built-in classes, or derives from it: nobody is to be asked. `None`: it takes more to say.
#[inline]
fn of_built_in(own: Value, classes: Value) -> Option<bool> {
    if types::kind_of(classes) == Kind::Tuple {
        for class in tuple::items(classes).iter().filter_map(|s| s.get()) {
            if class::cast(class).is_none() || of_built_in(own, class)? {
                return class::cast(class).map(|_| true);
            }
        }
        return Some(false);
    }
    let c = class::cast(classes)?;
    let plain = c.traits.load(Ordering::Relaxed) & class::trait_bits::HEAP_TYPE == 0;
    plain.then(|| class::is_subclass(own, classes))
}

impl Thread {
    /// `isinstance(v, class)`; `class` may be a tuple or a union.
    pub fn is_instance(&mut self, v: Value, class: Value) -> R<bool> {
        let own = types::class_of(v);
        if types::kind_of(v) != Kind::Instance
            && let Some(answer) = of_built_in(own, class)
        {
            return Ok(answer);
        }
        if let Some(check) = self.own_check(class, "__instancecheck__") {
            let answer = self.call(check, &[class, v])?;
            return self.is_true(answer);
        }
        if let Some(answer) = self.class_check(class, v)? {
            return Ok(answer);
        }
        if class::cast(class).is_some()
            && (class::is_subclass(own, class) || abstract_classes::is_virtual_subclass(self, own, class)?)
        {
            return Ok(true);
        }
        let words = "isinstance() arg 2 must be a type, a tuple of types, or a union";
        if let Some(claimed) = self.claimed_class(v, own)? {
            return Ok(self.any_class(class, words, own)? || self.any_class(class, words, claimed)?);
        }
        match class::cast(class) {
            Some(_) => Ok(false),
            None => self.any_class(class, words, own),
        }
    }

    /// What a class that decides itself what its instances are (a protocol) says.
    fn class_check(&mut self, class: Value, v: Value) -> R<Option<bool>> {
        if class::cast(class).is_none() || class::traits(class) & trait_bits::INSTANCE_CHECK == 0 {
            return Ok(None);
        }
        let key = self.name("__class_instancecheck__")?;
        let Some(check) = self.lookup.find(class, key).and_then(|cell| cell.value.get()) else {
            return Ok(None);
        };
        let answer = self.call(check, &[class, v])?;
        if answer == Value::NOT_IMPLEMENTED { Ok(None) } else { self.is_true(answer).map(Some) }
    }

    /// How an object that stands for classes decides what belongs to them.
    fn own_check(&mut self, class: Value, name: &'static str) -> Word {
        if types::kind_of(class) != Kind::Instance {
            return None;
        }
        self.lookup_special(class, name)
    }

    /// The class that an object says it is of, where its class has a `__class__` of its own: a property.
    fn claimed_class(&mut self, v: Value, own: Value) -> R<Word> {
        if types::kind_of(v) != Kind::Instance || own == types::class_of_kind(Kind::Instance) {
            return Ok(None);
        }
        let name = self.name("__class__")?;
        let found = self.lookup.find(own, name).and_then(|cell| cell.value.get());
        if found.is_none_or(|f| types::kind_of(f) != Kind::Property) {
            return Ok(None);
        }
        let claimed = self.get_attr(v, name)?;
        Ok(Some(claimed).filter(|c| *c != own && class::cast(*c).is_some()))
    }

    /// `issubclass(c, class)`; `class` may be a tuple or a union.
    pub fn is_subclass(&mut self, c: Value, class: Value) -> R<bool> {
        if class::cast(c).is_none() {
            return Err(self.type_error("issubclass() arg 1 must be a class"));
        }
        self.any_class(class, "issubclass() arg 2 must be a class, a tuple of classes, or a union", c)
    }

    fn any_class(&mut self, class: Value, error: &str, own: Value) -> R<bool> {
        if class::cast(class).is_some() {
            return Ok(
                class::is_subclass(own, class) || abstract_classes::is_virtual_subclass(self, own, class)?
            );
        }
        if let Some(check) = self.own_check(class, "__subclasscheck__") {
            let answer = self.call(check, &[class, own])?;
            return self.is_true(answer);
        }
        let union = super::generic::members(self, class)?;
        let class = union.unwrap_or(class);
        if types::kind_of(class) != Kind::Tuple {
            let generic = types::kind_of(class) == Kind::Instance
                && class::name(types::class_of(class)) == "GenericAlias";
            let function = error.split('(').next().unwrap_or("");
            let error = if generic {
                format!("{function}() argument 2 cannot be a parameterized generic")
            } else {
                error.to_owned()
            };
            return Err(self.type_error(error));
        }
        for item in tuple::items(class).iter().filter_map(|s| s.get()) {
            let found = self.nested(" in __instancecheck__", |th| th.any_class(item, error, own))?;
            if found {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The class of a value, as messages name it.
    pub fn type_name(&self, v: Value) -> String {
        type_names::of(v)
    }
}
