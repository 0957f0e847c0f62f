//! Module `_operator`: the classes `itemgetter`, `attrgetter` and `methodcaller`; the operators themselves are next door.
//! Must not know what the objects are that they are called with.
//!
//! Each is a Host of two values: what it was made from, and (of the last two) that in the form that calling needs.

use super::operators;
use super::support::put_type;
use crate::object::{R, Slot, Value, Word, dict, func, str, tuple, types};
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::{boot, import, type_tables};
use smallvec::SmallVec;

/// Values that the caller keeps alive, so that the collector need not see them here.
type Short = SmallVec<[Value; 8]>;

fn words(words: &[Word]) -> Short {
    words.iter().flatten().copied().collect()
}

fn items(v: Value) -> Short {
    tuple::items(v).iter().filter_map(Slot::get).collect()
}

/// The one argument that all three are called with.
fn subject(th: &mut Thread, args: Args, name: &str) -> R {
    match args.rest(1) {
        [Some(object)] => Ok(*object),
        given => {
            let n = given.len();
            Err(th.type_error(format!("{name} expected 1 argument, got {n}")))
        }
    }
}

fn make(th: &mut Thread, class: Value, table: &'static TypeDef, parts: [Word; 2]) -> R {
    func::new_pair(th, class, type_tables::class_of(table).unwrap_or(class), parts)
}

/// `name(a, b, …)`, with each of the values as `repr` shows it.
fn shown(th: &mut Thread, name: &str, values: &[Value], keywords: Word) -> R {
    let mut parts = Vec::with_capacity(values.len());
    for v in values {
        let text = th.repr(*v)?;
        parts.push(str::as_str(text).unwrap_or("").to_owned());
    }
    for (key, v) in keywords.map(dict::entries).unwrap_or_default() {
        let text = th.repr(v)?;
        parts.push(format!("{}={}", str::as_str(key).unwrap_or(""), str::as_str(text).unwrap_or("")));
    }
    th.new_str(&format!("{name}({})", parts.join(", ")))
}

fn new_itemgetter(th: &mut Thread, args: Args) -> R {
    let keys = words(args.rest(1));
    if keys.is_empty() {
        return Err(th.type_error("itemgetter expected at least 1 argument, got 0"));
    }
    let keys = th.new_tuple(&keys)?;
    make(th, args.get(0), &ITEM_GETTER, [Some(keys), None])
}

fn get_items(th: &mut Thread, args: Args) -> R {
    let object = subject(th, args, "itemgetter")?;
    let [keys, _] = func::pair(args.get(0));
    match tuple::items(keys.unwrap_or(Value::NONE)) {
        [key] => th.get_item(object, key.value()),
        keys => {
            let scope = th.scope();
            let found = keys.iter().map(|key| th.get_item(object, key.value()).map(|v| th.root(v)));
            let found = found.collect::<R<Short>>().and_then(|found| th.new_tuple(&found));
            th.close(scope);
            found
        }
    }
}

fn itemgetter_repr(th: &mut Thread, args: Args) -> R {
    let [keys, _] = func::pair(args.get(0));
    let keys = items(keys.unwrap_or(Value::NONE));
    shown(th, "operator.itemgetter", &keys, None)
}

/// How to make an itemgetter or attrgetter again.
fn reduce(th: &mut Thread, args: Args) -> R {
    let [given, _] = func::pair(args.get(0));
    let class = types::class_of(args.get(0));
    th.new_tuple(&[class, given.unwrap_or(Value::NONE)])
}

fn new_attrgetter(th: &mut Thread, args: Args) -> R {
    let names = words(args.rest(1));
    if names.is_empty() {
        return Err(th.type_error("attrgetter expected at least 1 argument, got 0"));
    }
    let scope = th.scope();
    let steps = names.iter().map(|name| attribute_steps(th, *name).map(|v| th.root(v)));
    let steps = steps.collect::<R<Short>>().and_then(|steps| th.new_tuple(&steps));
    th.close(scope);
    let steps = steps?;
    let names = th.new_tuple(&names)?;
    make(th, args.get(0), &ATTR_GETTER, [Some(names), Some(steps)])
}

/// The interned name of an attribute, or a tuple of several for a name with dots.
fn attribute_steps(th: &mut Thread, name: Value) -> R {
    let Some(text) = str::as_str(name) else { return Err(th.type_error("attribute name must be a string")) };
    if !text.contains('.') {
        return th.m.intern(text);
    }
    let names: Vec<Value> = text.split('.').map(|part| th.m.intern(part)).collect::<R<_>>()?;
    th.new_tuple(&names)
}

fn follow(th: &mut Thread, object: Value, steps: Value) -> R {
    if tuple::of(steps).is_none() {
        return th.get_attr(object, steps);
    }
    tuple::items(steps).iter().try_fold(object, |object, name| th.get_attr(object, name.value()))
}

fn get_attributes(th: &mut Thread, args: Args) -> R {
    let object = subject(th, args, "attrgetter")?;
    let [_, steps] = func::pair(args.get(0));
    match tuple::items(steps.unwrap_or(Value::NONE)) {
        [steps] => follow(th, object, steps.value()),
        all => {
            let scope = th.scope();
            let found = all.iter().map(|steps| follow(th, object, steps.value()).map(|v| th.root(v)));
            let found = found.collect::<R<Short>>().and_then(|found| th.new_tuple(&found));
            th.close(scope);
            found
        }
    }
}

fn attrgetter_repr(th: &mut Thread, args: Args) -> R {
    let [names, _] = func::pair(args.get(0));
    let names = items(names.unwrap_or(Value::NONE));
    shown(th, "operator.attrgetter", &names, None)
}

/// `methodcaller(name, /, *args, **kwargs)`.
fn new_methodcaller(th: &mut Thread, args: Args) -> R {
    let given = words(args.rest(2));
    let Some((name, rest)) = given.split_first() else {
        return Err(th.type_error("methodcaller needs at least one argument, the method name"));
    };
    let Some(name) = str::as_str(*name) else { return Err(th.type_error("method name must be a string")) };
    let name = th.m.intern(name)?;
    let rest = th.new_tuple(rest)?;
    let keywords = args.opt(1).unwrap_or(Value::NONE);
    let arguments = th.new_tuple(&[rest, keywords])?;
    make(th, args.get(0), &METHOD_CALLER, [Some(name), Some(arguments)])
}

/// Positional arguments and keywords of a methodcaller.
fn arguments(v: Value) -> (Value, Word) {
    let [_, arguments] = func::pair(v);
    match tuple::items(arguments.unwrap_or(Value::NONE)) {
        [positional, keywords] => (positional.value(), keywords.get().filter(|v| !v.is_none())),
        _ => (Value::NONE, None),
    }
}

fn call_method(th: &mut Thread, args: Args) -> R {
    let object = subject(th, args, "methodcaller")?;
    let [name, _] = func::pair(args.get(0));
    let (positional, keywords) = arguments(args.get(0));
    let method = th.get_attr(object, name.unwrap_or(Value::NONE))?;
    th.call_kw(method, &items(positional), &keywords.map(dict::entries).unwrap_or_default())
}

fn methodcaller_repr(th: &mut Thread, args: Args) -> R {
    let [name, _] = func::pair(args.get(0));
    let (positional, keywords) = arguments(args.get(0));
    let mut all: Short = name.into_iter().collect();
    all.extend(items(positional));
    shown(th, "operator.methodcaller", &all, keywords)
}

fn methodcaller_reduce(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    let class = types::class_of(v);
    let [name, _] = func::pair(v);
    let name = name.unwrap_or(Value::NONE);
    let (positional, keywords) = arguments(v);
    if keywords.is_none() {
        let mut all: Short = SmallVec::from_slice(&[name]);
        all.extend(items(positional));
        let all = th.new_tuple(&all)?;
        return th.new_tuple(&[class, all]);
    }
    let functools = import::import_dotted(th, "functools")?;
    let partial = th.name("partial")?;
    let partial = th.get_attr(functools, partial)?;
    let maker = th.call_kw(partial, &[class, name], &keywords.map(dict::entries).unwrap_or_default())?;
    th.new_tuple(&[maker, positional])
}

static ITEM_GETTER: TypeDef = TypeDef {
    name: "itemgetter",
    kind: crate::object::Kind::Host,
    doc: "A function that gets one item, or a tuple of several.",
    construct: Some(NativeDef::full("itemgetter", "cls, /, *items", new_itemgetter, "")),
    methods: &[
        NativeDef::full("__call__", "self, /, *args", get_items, "Get them from an object."),
        NativeDef::full("__repr__", "self, /", itemgetter_repr, "Show the items."),
        NativeDef::full("__reduce__", "self, /", reduce, "How to make it again."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};

static ATTR_GETTER: TypeDef = TypeDef {
    name: "attrgetter",
    kind: crate::object::Kind::Host,
    doc: "A function that gets one attribute, or a tuple of several; dots go deeper.",
    construct: Some(NativeDef::full("attrgetter", "cls, /, *attrs", new_attrgetter, "")),
    methods: &[
        NativeDef::full("__call__", "self, /, *args", get_attributes, "Get them from an object."),
        NativeDef::full("__repr__", "self, /", attrgetter_repr, "Show the names."),
        NativeDef::full("__reduce__", "self, /", reduce, "How to make it again."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};

static METHOD_CALLER: TypeDef = TypeDef {
    name: "methodcaller",
    kind: crate::object::Kind::Host,
    doc: "A function that calls one method, always with the same arguments.",
    construct: Some(NativeDef::full("methodcaller", "cls, /, *args, **kwargs", new_methodcaller, "")),
    methods: &[
        NativeDef::full("__call__", "self, /, *args", call_method, "Call the method of an object."),
        NativeDef::full("__repr__", "self, /", methodcaller_repr, "Show the method and the arguments."),
        NativeDef::full("__reduce__", "self, /", methodcaller_reduce, "How to make it again."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};

fn fill(th: &mut Thread, module: Value) -> R<()> {
    for def in operators::FUNCTIONS.into_iter().flatten() {
        let f = boot::native(th, def, Some(module))?;
        boot::set_global(th, module, def.name, f)?;
    }
    for table in [&ITEM_GETTER, &ATTR_GETTER, &METHOD_CALLER] {
        put_type(th, module, table, "operator")?;
    }
    Ok(())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_operator",
    doc: "The native half of operator.",
    functions: &[],
    types: &[],
    init: Some(fill),
};
