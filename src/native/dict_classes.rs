//! Methods of the dicts of `collections` that are too often called to be written in Mini: `add_methods(cls)` puts them into
//! the classes that `stdlib/collections.mini` makes. Must not know the rest of those classes.

use super::support::type_name;
use crate::object::layout::Dict;
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Value, class, dict};
use crate::vm::boot;
use crate::vm::hashing;
use crate::vm::native::{Args, NativeDef};
use crate::vm::slot_names;
use crate::vm::thread::Thread;

fn this(m: &mut Mutator, args: Args) -> R<&'static Dict> {
    dict::of(args.get(0)).ok_or_else(|| {
        let got = type_name(args.get(0));
        m.type_error(format!("descriptor requires a 'dict' object but received a '{got}'"))
    })
}

/// `defaultdict.__missing__`: makes, stores and returns a value.
fn make_missing(th: &mut Thread, args: Args) -> R {
    let (d, key) = (args.get(0), args.get(1));
    let name = th.name("default_factory")?;
    let factory = th.get_attr(d, name)?;
    if factory.is_none() {
        return Err(th.raise_with(Exc::KeyError, &[key]));
    }
    let v = th.call(factory, &[])?;
    th.set_item(d, key, v)?;
    Ok(v)
}

/// `Counter.__missing__`: what was not counted occurs 0 times.
fn zero(_: &mut Mutator, _: Args) -> R {
    Ok(Value::int_unchecked(0))
}

/// The optional argument `last`.
fn last(th: &mut Thread, args: Args, i: usize) -> R<bool> {
    args.opt(i).map_or(Ok(true), |v| th.is_true(v))
}

fn pop_item(th: &mut Thread, args: Args) -> R {
    let d = this(th, args)?;
    let found = if last(th, args, 1)? { dict::pop_last(th, d)? } else { pop_first(th, d)? };
    match found {
        Some((key, v)) => th.new_tuple(&[key, v]),
        None => {
            let text = th.new_str("dictionary is empty")?;
            Err(th.raise_with(Exc::KeyError, &[text]))
        }
    }
}

fn pop_first(th: &mut Thread, d: &'static Dict) -> R<Option<(Value, Value)>> {
    // Another thread may take the entry first: then the next one.
    while let Some((_, key, _)) = dict::next_entry(d, 0) {
        if let Some(v) = th.dict_del(dict::value(d), key)? {
            return Ok(Some((key, v)));
        }
    }
    Ok(None)
}

fn move_to_end(th: &mut Thread, args: Args) -> R {
    let (d, key) = (this(th, args)?, args.get(1));
    let at_the_right = last(th, args, 2)?;
    let own = dict::value(d);
    let hash = th.hash_key(key)?;
    let Some((key, v)) = hashing::take_hashed(th, d, key, hash)? else {
        return Err(th.raise_with(Exc::KeyError, &[key]));
    };
    if at_the_right {
        hashing::set_hashed(th, d, key, hash, v)?;
        return Ok(Value::NONE);
    }
    let others = dict::copy(th, d)?;
    dict::clear(th, d)?;
    hashing::set_hashed(th, d, key, hash, v)?;
    let mut at = 0;
    while let Some((after, k, v)) = dict::next_entry(others, at) {
        th.dict_set(own, k, v)?;
        at = after;
    }
    Ok(Value::NONE)
}

static OF_DEFAULTDICT: [NativeDef; 1] =
    [NativeDef::full("__missing__", "self, key, /", make_missing, "Make, store and return a value.")];
static OF_COUNTER: [NativeDef; 1] =
    [NativeDef::data("__missing__", "self, key, /", zero, "What was not counted occurs 0 times.")];
/// As dict's, with a name of its own in errors.
fn clear(m: &mut Mutator, args: Args) -> R {
    let d = this(m, args)?;
    dict::clear(m, d)?;
    Ok(Value::NONE)
}

static OF_ORDERED: [NativeDef; 3] = [
    NativeDef::data("clear", "self, /", clear, "Remove all entries."),
    NativeDef::full(
        "popitem",
        "self, last=",
        pop_item,
        "Remove and return the last entry, or the first one.",
    ),
    NativeDef::full("move_to_end", "self, key, last=", move_to_end, "Move an entry to one end."),
];

/// `_close(cls)`: see `slot_names::close`.
pub fn close(_: &mut Mutator, args: Args) -> R {
    slot_names::close(args.get(0));
    Ok(Value::NONE)
}

/// `_add_methods(cls)`: by the name of the class.
pub fn add_methods(th: &mut Thread, args: Args) -> R {
    let of = args.get(0);
    let methods: &'static [NativeDef] = match class::name(of).as_str() {
        "defaultdict" => &OF_DEFAULTDICT,
        "Counter" => &OF_COUNTER,
        "OrderedDict" => &OF_ORDERED,
        _ => &[],
    };
    for def in methods {
        let f = boot::native(th, def, Some(of))?;
        let name = th.m.intern(def.name)?;
        th.set_attr(of, name, f)?;
    }
    Ok(of)
}
