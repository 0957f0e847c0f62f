//! `functools.partial`: a function with some of its arguments given beforehand. Must not know what functions are.
//!
//! A Host of two values: the function, and a tuple of the positional arguments and the dict of the others.

use super::builtins::is_callable;
use crate::object::header::flag;
use crate::object::layout::Host;
use crate::object::{Kind, R, Raised, Slot, Value, Word, class, dict, func, intern, str, tuple, types};
use crate::vm::native::{Args, Forwarded as Parts, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::type_tables;
use smallvec::SmallVec;
use std::sync::atomic::Ordering::Relaxed;

type Positional = SmallVec<[Value; 8]>;

fn parts(v: Value) -> Option<Parts> {
    let [func, arguments] = func::pair(v);
    match tuple::items(arguments?) {
        [args, keywords] => Some(Parts { func: func?, args: args.value(), keywords: keywords.value() }),
        _ => None,
    }
}

fn this(th: &mut Thread, args: Args) -> R<Parts> {
    parts(args.get(0)).ok_or_else(|| th.type_error("invalid partial state"))
}

/// The entries of one dict, then those of another; what both have is the second's.
fn merged(first: Value, second: Word) -> dict::Entries {
    let mut all = dict::entries(first);
    for (key, v) in second.map(dict::entries).unwrap_or_default() {
        match all.iter_mut().find(|(k, _)| *k == key || str::as_str(*k) == str::as_str(key)) {
            Some(entry) => entry.1 = v,
            None => all.push((key, v)),
        }
    }
    all
}

fn construct(th: &mut Thread, args: Args) -> R {
    let Some((Some(f), given)) = args.rest(2).split_first() else {
        return Err(th.type_error("type 'partial' takes at least one argument"));
    };
    let (mut f, mut all) = (*f, Positional::new());
    if !is_callable(th, f) {
        return Err(th.type_error("the first argument must be callable"));
    }
    let mut first = Value::NONE;
    if let Some(inner) = flattened(f) {
        all.extend(tuple::items(inner.args).iter().filter_map(Slot::get));
        (f, first) = (inner.func, inner.keywords);
    }
    all.extend(given.iter().copied().flatten());
    let keywords = th.m.new_dict()?;
    for (key, v) in merged(first, args.opt(1)) {
        dict::insert_str(th, keywords, key, v)?;
    }
    let all = th.new_tuple(&all)?;
    let arguments = th.new_tuple(&[all, keywords])?;
    let base = type_tables::class_of(&PARTIAL).unwrap_or(args.get(0));
    func::new_pair(th, args.get(0), base, [Some(f), Some(arguments)])
}

/// A partial object without attributes of its own, which a new one can replace.
fn flattened(f: Value) -> Option<Parts> {
    let base = type_tables::class_of(&PARTIAL)?;
    let host = types::cast::<Host>(f).filter(|host| host.attrs.get().is_none())?;
    let plain = types::class_of(f) == base && host.hdr.flags.load(Relaxed) & flag::SUBCLASS == 0;
    if plain { parts(f) } else { None }
}

fn call(th: &mut Thread, args: Args) -> R {
    let p = this(th, args)?;
    let mut all: Positional = tuple::items(p.args).iter().filter_map(Slot::get).collect();
    all.extend(args.rest(2).iter().copied().flatten());
    let keywords = merged(p.keywords, args.opt(1));
    th.call_kw(p.func, &all, &keywords)
}

fn repr(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    if th.printing.contains(&v) {
        return th.new_str("...");
    }
    let class = types::class_of(v);
    let own = type_tables::class_of(&PARTIAL) == Some(class);
    let name = if own { "functools.partial".to_owned() } else { class::name(class) };
    let shown = th.nested(" while getting the repr of an object", |th| {
        th.printing.push(v);
        let shown = shown(th, args);
        th.printing.pop();
        shown
    })?;
    th.new_str(&format!("{name}({})", shown.join(", ")))
}

fn shown(th: &mut Thread, args: Args) -> R<Vec<String>> {
    let p = this(th, args)?;
    let mut text = |v: Value| th.repr(v).map(|shown| str::as_str(shown).unwrap_or("").to_owned());
    let mut all = vec![text(p.func)?];
    for v in tuple::items(p.args).iter().filter_map(Slot::get) {
        all.push(text(v)?);
    }
    for (key, v) in dict::entries(p.keywords) {
        all.push(format!("{}={}", str::as_str(key).unwrap_or(""), text(v)?));
    }
    Ok(all)
}

fn reduce(th: &mut Thread, args: Args) -> R {
    let p = this(th, args)?;
    let v = args.get(0);
    let attributes = crate::vm::fields::attributes(th, v)?;
    let attributes = match attributes.and_then(dict::of).filter(|d| dict::len(d) > 0) {
        Some(d) => dict::value(dict::copy(th, d)?),
        None => Value::NONE,
    };
    let state = th.new_tuple(&[p.func, p.args, p.keywords, attributes])?;
    let made_of = th.new_tuple(&[p.func])?;
    th.new_tuple(&[types::class_of(v), made_of, state])
}

fn bad_state(th: &mut Thread) -> Raised {
    th.type_error("invalid partial state")
}

/// `__setstate__((func, args, keywords, attributes))`.
fn set_state(th: &mut Thread, args: Args) -> R {
    let (v, state) = (args.get(0), args.get(1));
    let Some(host) = types::cast::<Host>(v) else { return Err(bad_state(th)) };
    let [f, positional, keywords, attributes] = tuple::items(state) else { return Err(bad_state(th)) };
    let (f, positional, keywords) = (f.value(), positional.value(), keywords.value());
    let fits = tuple::of(positional).is_some() && (keywords.is_none() || dict::of(keywords).is_some());
    if !fits || !is_callable(th, f) {
        return Err(bad_state(th));
    }
    let copied = th.m.new_dict()?;
    for (key, v) in dict::entries(keywords) {
        if str::as_str(key).is_none() {
            return Err(bad_state(th));
        }
        let key = intern::intern_value(&mut th.m, key)?;
        dict::insert_str(th, copied, key, v)?;
    }
    let all: Positional = tuple::items(positional).iter().filter_map(Slot::get).collect();
    let all = th.new_tuple(&all)?;
    let arguments = th.new_tuple(&[all, copied])?;
    for (key, attribute) in dict::entries(attributes.value()) {
        th.set_attr(v, key, attribute)?;
    }
    host.extra[0].set(f);
    host.extra[1].set(arguments);
    Ok(Value::NONE)
}

fn get_func(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|p| p.func)
}

fn get_args(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|p| p.args)
}

fn get_keywords(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|p| p.keywords)
}

fn with_parameter(th: &mut Thread, args: Args) -> R {
    let types = crate::vm::import::import_dotted(th, "types")?;
    th.call_method(types, "GenericAlias", &[args.get(0), args.get(1)])
}

pub static PARTIAL: TypeDef = TypeDef {
    name: "partial",
    kind: Kind::Host,
    doc: "A function with some of its arguments given beforehand.",
    construct: Some(NativeDef::full("partial", "cls, /, *args, **keywords", construct, "")),
    methods: &[
        NativeDef::forwards(
            "self, /, *args, **keywords",
            parts,
            call,
            "Call the function with all arguments.",
        ),
        NativeDef::full("__repr__", "self, /", repr, "Show the function and the arguments."),
        NativeDef::full("__reduce__", "self, /", reduce, "How to make it again."),
        NativeDef::full("__setstate__", "self, state, /", set_state, "Replace function and arguments."),
    ],
    class_methods: &[NativeDef::full(
        "__class_getitem__",
        "cls, item, /",
        with_parameter,
        "The type of its result.",
    )],
    properties: &[
        NativeDef::full("func", "self", get_func, "The function."),
        NativeDef::full("args", "self", get_args, "The positional arguments."),
        NativeDef::full("keywords", "self", get_keywords, "The arguments given by name."),
    ],
    subclassable: true,
};
