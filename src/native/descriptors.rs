//! The types `property`, `staticmethod` and `classmethod`. Must not know how attributes are looked up.

use crate::object::layout::{BoundMethod, Property};
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Value, Word, dict, func, types};
use crate::vm::attr;
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

fn new_property(th: &mut Thread, args: Args) -> R {
    let parts = parts_of(th, args)?;
    let property = func::new_property_as(&mut th.m, args.get(0), parts)?;
    show_doc(th, property)
}

/// Lets a property of a derived class show its docstring: that of the class would be found first.
fn show_doc(th: &mut Thread, property: Value) -> R {
    let derived = types::class_of(property) != types::class_of_kind(Kind::Property);
    if let Some(p) = types::cast::<Property>(property).filter(|p| derived && p.get.get().is_some()) {
        let name = th.name("__doc__")?;
        crate::object::shape::set(&mut th.m, property, name, p.doc.value())?;
    }
    Ok(property)
}

/// The functions and the docstring in the arguments: the getter's, if none is given.
fn parts_of(th: &mut Thread, args: Args) -> R<[Word; 4]> {
    let (get, set, del) = (args.opt_not_none(1), args.opt_not_none(2), args.opt_not_none(3));
    let doc = match (args.opt_not_none(4), get) {
        (Some(doc), _) => Some(doc),
        (None, Some(get)) => doc_of(th, get)?,
        _ => None,
    };
    Ok([get, set, del, doc])
}

/// For classes that derive from `property`: they are made empty.
fn init_property(th: &mut Thread, args: Args) -> R {
    let [get, set, del, doc] = parts_of(th, args)?;
    let Some(p) = types::cast::<Property>(args.get(0)) else {
        return Err(th.type_error("a property expected"));
    };
    for (slot, part) in [(&p.get, get), (&p.set, set), (&p.del, del), (&p.doc, doc)] {
        slot.set_word(part);
    }
    show_doc(th, args.get(0))?;
    Ok(Value::NONE)
}

fn doc_of(th: &mut Thread, f: Value) -> R<Word> {
    let key = th.name("__doc__")?;
    th.get_attr_opt(f, key)
}

/// A copy of the property with one part exchanged.
fn with_part(th: &mut Thread, args: Args, change: impl FnOnce(&mut [Word; 3], Value)) -> R {
    let Some(p) = types::cast::<Property>(args.get(0)) else {
        return Err(th.type_error("a property expected"));
    };
    let mut parts = [p.get.get(), p.set.get(), p.del.get()];
    let before = parts[0];
    change(&mut parts, args.get(1));
    let doc = match parts[0].filter(|_| parts[0] != before) {
        Some(get) => doc_of(th, get)?,
        None => p.doc.get(),
    };
    let [get, set, del] = parts;
    let copy = func::new_property_as(&mut th.m, types::class_of(args.get(0)), [get, set, del, doc])?;
    show_doc(th, copy)
}

fn getter(th: &mut Thread, args: Args) -> R {
    with_part(th, args, |parts, f| parts[0] = Some(f))
}

fn setter(th: &mut Thread, args: Args) -> R {
    with_part(th, args, |parts, f| parts[1] = Some(f))
}

fn deleter(th: &mut Thread, args: Args) -> R {
    with_part(th, args, |parts, f| parts[2] = Some(f))
}

fn property_get(th: &mut Thread, args: Args) -> R {
    let (property, object) = (args.get(0), args.get(1));
    if object.is_none() {
        return Ok(property);
    }
    // Not through `bind`, which would ask a derived class for its own `__get__`.
    match types::cast::<Property>(property).and_then(|p| p.get.get()) {
        Some(f) => th.call(f, &[object]),
        None => Err(th.raise(Exc::AttributeError, "property has no getter")),
    }
}

fn property_set(th: &mut Thread, args: Args) -> R {
    match types::cast::<Property>(args.get(0)).and_then(|p| p.set.get()) {
        Some(f) => th.call(f, &[args.get(1), args.get(2)]).map(|_| Value::NONE),
        None => Err(th.raise(Exc::AttributeError, "property has no setter")),
    }
}

fn property_delete(th: &mut Thread, args: Args) -> R {
    match types::cast::<Property>(args.get(0)).and_then(|p| p.del.get()) {
        Some(f) => th.call(f, &[args.get(1)]).map(|_| Value::NONE),
        None => Err(th.raise(Exc::AttributeError, "property has no deleter")),
    }
}

fn wrapper_get(th: &mut Thread, args: Args) -> R {
    let (object, class) = (args.get(1), args.opt_not_none(2));
    attr::unwrap_bound(th, args.get(0), class.unwrap_or_else(|| types::class_of(object)))
}

fn doc(m: &mut Mutator, args: Args) -> R {
    match types::cast::<Property>(args.get(0)) {
        Some(p) => Ok(p.doc.value()),
        None => Err(m.type_error("a property expected")),
    }
}

fn fget(_: &mut Mutator, args: Args) -> R {
    Ok(types::cast::<Property>(args.get(0)).map_or(Value::NONE, |p| p.get.value()))
}

fn fset(_: &mut Mutator, args: Args) -> R {
    Ok(types::cast::<Property>(args.get(0)).map_or(Value::NONE, |p| p.set.value()))
}

fn fdel(_: &mut Mutator, args: Args) -> R {
    Ok(types::cast::<Property>(args.get(0)).map_or(Value::NONE, |p| p.del.value()))
}

fn new_static(m: &mut Mutator, args: Args) -> R {
    new_wrapper(m, args, Kind::StaticMethod)
}

fn new_class_method(m: &mut Mutator, args: Args) -> R {
    new_wrapper(m, args, Kind::ClassMethod)
}

/// Of a class that derives from the type, `__init__` may take other arguments: the function is the first until then.
fn new_wrapper(m: &mut Mutator, args: Args, kind: Kind) -> R {
    let function = match args.get(0) == types::class_of_kind(kind) {
        true => one_function(m, args, kind)?,
        false => args.opt(2).unwrap_or(Value::NONE),
    };
    func::new_wrapper_as(m, args.get(0), kind, function)
}

fn one_function(m: &mut Mutator, args: Args, kind: Kind) -> R {
    let name = crate::object::class::name(types::class_of_kind(kind));
    let named = args.opt(1).and_then(dict::of).is_some_and(|d| dict::len(d) > 0);
    match args.rest(2) {
        _ if named => Err(m.type_error(format!("{name}() takes no keyword arguments"))),
        [Some(function)] => Ok(*function),
        given => {
            let n = given.len();
            Err(m.type_error(format!("{name} expected 1 argument, got {n}")))
        }
    }
}

const INIT_WRAPPER: NativeDef =
    NativeDef::data("__init__", "self, function, /", init_wrapper, "Take the function.");

/// For classes that derive from one of the types: they are made empty.
fn init_wrapper(_: &mut Mutator, args: Args) -> R {
    func::set_wrapped(args.get(0), args.get(1));
    Ok(Value::NONE)
}

fn call_static(th: &mut Thread, args: Args) -> R {
    let f = func::unwrap_wrapper(args.get(0)).unwrap_or(Value::NONE);
    let keywords = dict::entries(args.get(1));
    let values: Vec<Value> = args.rest(2).iter().copied().flatten().collect();
    th.call_kw(f, &values, &keywords)
}

pub static PROPERTY: TypeDef = TypeDef {
    name: "property",
    kind: Kind::Property,
    doc: "An attribute that functions read, set and delete.",
    construct: Some(NativeDef::full("property", "cls, fget=, fset=, fdel=, doc=", new_property, "")),
    methods: &[
        NativeDef::full("__init__", "self, fget=, fset=, fdel=, doc=", init_property, "Take the functions."),
        NativeDef::full("getter", "self, f, /", getter, "The property with another function that reads."),
        NativeDef::full("setter", "self, f, /", setter, "The property with another function that sets."),
        NativeDef::full(
            "__get__",
            "self, instance, owner=, /",
            property_get,
            "Call the function that reads.",
        ),
        NativeDef::full("__set__", "self, instance, value, /", property_set, "Call the function that sets."),
        NativeDef::full(
            "__delete__",
            "self, instance, /",
            property_delete,
            "Call the function that deletes.",
        ),
        NativeDef::full("deleter", "self, f, /", deleter, "The property with another function that deletes."),
    ],
    class_methods: &[],
    properties: &[
        NativeDef::data("__doc__", "self, /", doc, "What is said about the attribute."),
        NativeDef::data("fget", "self, /", fget, "The function that reads."),
        NativeDef::data("fset", "self, /", fset, "The function that sets."),
        NativeDef::data("fdel", "self, /", fdel, "The function that deletes."),
    ],
    subclassable: true,
};

fn new_method(th: &mut Thread, args: Args) -> R {
    let (function, receiver) = (args.get(1), args.get(2));
    if !super::builtins::is_callable(th, function) {
        return Err(th.type_error("first argument must be callable"));
    }
    if receiver.is_none() {
        return Err(th.type_error("instance must not be None"));
    }
    func::new_method(th, function, receiver)
}

fn method_doc(th: &mut Thread, args: Args) -> R {
    let function = types::cast::<BoundMethod>(args.get(0)).and_then(|b| b.func.get());
    Ok(function.map_or(Ok(None), |f| doc_of(th, f))?.unwrap_or(Value::NONE))
}

pub static METHOD: TypeDef = TypeDef {
    name: "method",
    kind: Kind::BoundMethod,
    doc: "A function together with the object that it gets first.",
    construct: Some(NativeDef::full("__new__", "cls, function, instance, /", new_method, "")),
    methods: &[],
    class_methods: &[],
    properties: &[NativeDef::full("__doc__", "self, /", method_doc, "What the function says about itself.")],
    subclassable: false,
};

fn wrapped_doc(th: &mut Thread, args: Args) -> R {
    match func::unwrap_wrapper(args.get(0)) {
        Some(f) => Ok(doc_of(th, f)?.unwrap_or(Value::NONE)),
        None => Ok(Value::NONE),
    }
}

const WRAPPED_DOC: NativeDef =
    NativeDef::full("__doc__", "self, /", wrapped_doc, "What the function says about itself.");

pub static STATIC_METHOD: TypeDef = TypeDef {
    name: "staticmethod",
    kind: Kind::StaticMethod,
    doc: "A function in a class that gets no instance.",
    construct: Some(NativeDef::data("staticmethod", "cls, *args, **kwargs", new_static, "")),
    methods: &[
        INIT_WRAPPER,
        NativeDef::full("__call__", "self, /, *args, **kwargs", call_static, "Call the function."),
        NativeDef::full("__get__", "self, instance, owner=, /", wrapper_get, "Return the function."),
    ],
    class_methods: &[],
    properties: &[WRAPPED_DOC],
    subclassable: true,
};

pub static CLASS_METHOD: TypeDef = TypeDef {
    name: "classmethod",
    kind: Kind::ClassMethod,
    doc: "A function in a class that gets the class instead of an instance.",
    construct: Some(NativeDef::data("classmethod", "cls, *args, **kwargs", new_class_method, "")),
    methods: &[
        INIT_WRAPPER,
        NativeDef::full("__get__", "self, instance, owner=, /", wrapper_get, "Return the bound function."),
    ],
    class_methods: &[],
    properties: &[WRAPPED_DOC],
    subclassable: true,
};
