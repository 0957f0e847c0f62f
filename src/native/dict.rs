//! The type `dict`: constructor and methods.

use super::text_args::type_name;
use crate::object::error::Exc;
use crate::object::header::Kind;
use crate::object::iter::{self, Tag};
use crate::object::layout::Dict;
use crate::object::mutator::Mutator;
use crate::object::{R, Value, Word, dict, subclass, types};
use crate::vm::container_ops::update_dict;
use crate::vm::hashing;
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

/// The receiver.
fn this(m: &mut Mutator, args: Args) -> R<&'static Dict> {
    let v = args.get(0);
    dict::of(v).ok_or_else(|| {
        let got = type_name(v);
        m.type_error(format!("descriptor requires a 'dict' object but received a '{got}'"))
    })
}

fn construct(th: &mut Thread, args: Args) -> R {
    let (shape, extra) = subclass::plan(&mut th.m, args.get(0), Kind::Dict)?;
    let own_way = args.opt(1).is_some_and(|v| th.lookup_override(v, "__iter__").is_some());
    let source = args.opt(1).and_then(dict::of).filter(|_| !own_way);
    let d = match source {
        // A copy of the table is faster than a walk.
        Some(from) if extra == 0 && dict::window(from).is_none() => dict::copy(th, from)?,
        _ => {
            let d = dict::new_empty_as(th, shape, extra)?;
            let v = subclass::finish(dict::value(d), extra);
            fill(th, v, args.opt(1))?;
            d
        }
    };
    fill(th, dict::value(d), args.opt(2))?;
    Ok(dict::value(d))
}

fn fill(th: &mut Thread, d: Value, from: Word) -> R<()> {
    from.map_or(Ok(()), |from| update_dict(th, d, from))
}

/// `__init__` and `update`: another mapping or pairs, then keywords.
fn update(th: &mut Thread, args: Args) -> R {
    this(th, args)?;
    fill(th, args.get(0), args.opt(1))?;
    fill(th, args.get(0), args.opt(2))?;
    Ok(Value::NONE)
}

fn clear(m: &mut Mutator, args: Args) -> R {
    let d = this(m, args)?;
    dict::clear(m, d)?;
    Ok(Value::NONE)
}

fn copy(m: &mut Mutator, args: Args) -> R {
    let d = this(m, args)?;
    dict::copy(m, d).map(dict::value)
}

fn fromkeys(th: &mut Thread, args: Args) -> R {
    let class = args.get(0);
    let value = args.get(2);
    let plain = class == types::class_of_kind(Kind::Dict);
    let d = if plain { th.new_dict()? } else { th.call(class, &[])? };
    let mut it = th.iter(args.get(1))?;
    while let Some(key) = it.next(th)? {
        if plain {
            th.dict_set(d, key, value)?;
        } else {
            th.set_item(d, key, value)?;
        }
    }
    Ok(d)
}

fn get(th: &mut Thread, args: Args) -> R {
    this(th, args)?;
    Ok(th.dict_get(args.get(0), args.get(1))?.unwrap_or_else(|| args.get(2)))
}

fn items(m: &mut Mutator, args: Args) -> R {
    this(m, args)?;
    iter::new_view(m, args.get(0), 2)
}

fn keys(m: &mut Mutator, args: Args) -> R {
    this(m, args)?;
    iter::new_view(m, args.get(0), 0)
}

fn values(m: &mut Mutator, args: Args) -> R {
    this(m, args)?;
    iter::new_view(m, args.get(0), 1)
}

fn pop(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    // An empty dict does not ask for the hash.
    let taken = if dict::len(d) == 0 { None } else { th.dict_del(args.get(0), args.get(1))? };
    taken.or_else(|| args.opt(2)).ok_or_else(|| th.raise_with(Exc::KeyError, &[args.get(1)]))
}

fn popitem(m: &mut Mutator, args: Args) -> R {
    let d = this(m, args)?;
    match dict::pop_last(m, d)? {
        Some((key, value)) => m.new_tuple(&[key, value]),
        None => Err(m.raise(Exc::KeyError, "popitem(): dictionary is empty")),
    }
}

fn setdefault(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    hashing::set_default(th, d, args.get(1), args.get(2))
}

/// Where a walk from the end begins: behind all entries.
pub const BEHIND: Value = Value::int_unchecked(1 << 40);

fn reversed(m: &mut Mutator, args: Args) -> R {
    let d = this(m, args)?;
    let stamp = Value::int_unchecked(dict::stamp(d) as i64);
    iter::new(m, Tag::DictKeysReverse, &[args.get(0), BEHIND, stamp])
}

/// `dict`.
pub static TYPE: TypeDef = TypeDef {
    name: "dict",
    kind: Kind::Dict,
    doc: "Values by key, in order of insertion.",
    construct: Some(NativeDef::full("dict", "cls, iterable=, /, **kwargs", construct, "A dict of pairs.")),
    methods: &[
        NativeDef::full("__init__", "self, iterable=, /, **kwargs", update, "Adds the items."),
        NativeDef::data("__reversed__", "self, /", reversed, "An iterator over the keys from the end."),
        NativeDef::data("clear", "self, /", clear, "Removes all items."),
        NativeDef::data("copy", "self, /", copy, "A new dict of the same items."),
        NativeDef::full("get", "self, key, default=, /", get, "The value under key, or default."),
        NativeDef::data("items", "self, /", items, "A view of the items."),
        NativeDef::data("keys", "self, /", keys, "A view of the keys."),
        NativeDef::full("pop", "self, key, default=, /", pop, "Removes key and returns its value."),
        NativeDef::data("popitem", "self, /", popitem, "Removes and returns the last item."),
        NativeDef::full(
            "setdefault",
            "self, key, default=, /",
            setdefault,
            "The value under key; added if absent.",
        ),
        NativeDef::full("update", "self, iterable=, /, **kwargs", update, "Adds the items of others."),
        NativeDef::data("values", "self, /", values, "A view of the values."),
    ],
    class_methods: &[NativeDef::full(
        "fromkeys",
        "cls, iterable, value=, /",
        fromkeys,
        "A dict of keys alone.",
    )],
    properties: &[],
    subclassable: true,
};
