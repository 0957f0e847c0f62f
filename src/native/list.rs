//! The type `list`: constructor and methods.

use super::support;
use super::text_args::type_name;
use crate::object::error::Exc;
use crate::object::header::Kind;
use crate::object::iter::{self, Tag};
use crate::object::layout::{List, is_subclass_instance};
use crate::object::mutator::Mutator;
use crate::object::{R, Raised, Value, int, list, subclass, tuple, types};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::slicing::position;
use crate::vm::sort;
use crate::vm::thread::Thread;

/// The receiver.
#[inline(always)]
fn this(m: &mut Mutator, args: Args) -> R<&'static List> {
    let v = args.get(0);
    list::of(v).ok_or_else(|| no_list(m, v))
}

#[cold]
#[inline(never)]
fn no_list(m: &mut Mutator, v: Value) -> Raised {
    let got = type_name(v);
    m.type_error(format!("descriptor requires a 'list' object but received a '{got}'"))
}

fn construct(th: &mut Thread, args: Args) -> R {
    let (shape, extra) = subclass::plan(&mut th.m, args.get(0), Kind::List)?;
    if extra == 0 {
        return match args.opt(1) {
            Some(v) => th.collect(v),
            None => th.new_list(&[]),
        };
    }
    let l = list::new_empty_as(th, shape, extra)?;
    let v = subclass::finish(list::value(l), extra);
    if let Some(items) = args.opt(1) {
        extend_with(th, l, items)?;
    }
    Ok(v)
}

fn init(th: &mut Thread, args: Args) -> R {
    let l = this(th, args)?;
    list::clear(th, l)?;
    if let Some(items) = args.opt(1) {
        extend_with(th, l, items)?;
    }
    Ok(Value::NONE)
}

/// Appends all items of an iterable.
pub fn extend_with(th: &mut Thread, l: &'static List, items: Value) -> R<()> {
    let plain = items.is_ref() && !is_subclass_instance(types::hdr(items));
    if let Some(from) = list::of(items).filter(|_| plain) {
        return list::extend_slots(th, l, list::items(from));
    }
    if plain && tuple::of(items).is_some() {
        return list::extend_slots(th, l, tuple::items(items));
    }
    let mut it = th.iter(items)?;
    th.ask_length(items)?;
    th.extend_list(list::value(l), &mut it)
}

fn append(m: &mut Mutator, args: Args) -> R {
    let l = this(m, args)?;
    list::push(m, l, args.get(1))?;
    Ok(Value::NONE)
}

fn clear(m: &mut Mutator, args: Args) -> R {
    let l = this(m, args)?;
    list::clear(m, l)?;
    Ok(Value::NONE)
}

fn copy(m: &mut Mutator, args: Args) -> R {
    let l = this(m, args)?;
    list::from_slots(m, list::items(l)).map(list::value)
}

fn count(th: &mut Thread, args: Args) -> R {
    let l = this(th, args)?;
    let (mut n, mut i) = (0, 0);
    while let Some(v) = list::get(l, i) {
        n += th.eq(v, args.get(1))? as i64;
        i += 1;
    }
    Ok(Value::int_unchecked(n))
}

fn extend(th: &mut Thread, args: Args) -> R {
    let l = this(th, args)?;
    extend_with(th, l, args.get(1))?;
    Ok(Value::NONE)
}

/// Optional bounds of `index`, cut to the length.
pub fn search_bounds(th: &mut Thread, args: Args, len: usize) -> R<(usize, usize)> {
    let mut at = |i: usize, default: i64| -> R<usize> {
        let n = match args.opt(i) {
            // `index` takes no None for a bound, and says so.
            Some(v) if !int::is_int(v) && th.lookup_special(v, "__index__").is_none() => {
                return Err(th.type_error("slice indices must be integers or have an __index__ method"));
            }
            Some(v) => th.clamped_index(v)?,
            None => default,
        };
        Ok(if n < 0 { n.saturating_add(len as i64).max(0) as usize } else { n as usize })
    };
    Ok((at(2, 0)?, at(3, i64::MAX)?))
}

fn index(th: &mut Thread, args: Args) -> R {
    let l = this(th, args)?;
    let (start, stop) = search_bounds(th, args, list::len(l))?;
    let mut i = list::first_candidate(l, start, args.get(1));
    while let Some(v) = list::get(l, i).filter(|_| i < stop) {
        if th.eq(v, args.get(1))? {
            return Ok(Value::int_unchecked(i as i64));
        }
        i = list::first_candidate(l, i + 1, args.get(1));
    }
    Err(support::absent(th, args.get(1), "list"))
}

fn insert(th: &mut Thread, args: Args) -> R {
    let l = this(th, args)?;
    let i = th.index(args.get(1))?;
    let len = list::len(l) as i64;
    let i = if i < 0 { i.saturating_add(len).max(0) } else { i.min(len) };
    list::insert(th, l, i as usize, args.get(2))?;
    Ok(Value::NONE)
}

fn pop(th: &mut Thread, args: Args) -> R {
    let l = this(th, args)?;
    let taken = match args.opt(1) {
        None => list::pop(th, l),
        Some(v) => {
            let i = th.index(v)?;
            position(i, list::len(l)).and_then(|i| list::remove_at(th, l, i))
        }
    };
    taken.ok_or_else(|| {
        let empty = list::len(l) == 0;
        th.raise(Exc::IndexError, if empty { "pop from empty list" } else { "pop index out of range" })
    })
}

fn remove(th: &mut Thread, args: Args) -> R {
    let l = this(th, args)?;
    let mut i = 0;
    while let Some(v) = list::get(l, i) {
        if th.eq(v, args.get(1))? {
            // Another thread may have moved the item on: then the search goes on from here.
            if list::remove_if_same(th, l, i, v) {
                return Ok(Value::NONE);
            }
            continue;
        }
        i += 1;
    }
    Err(th.value_error("list.remove(x): x not in list"))
}

fn reverse(m: &mut Mutator, args: Args) -> R {
    let l = this(m, args)?;
    list::reverse(m, l);
    Ok(Value::NONE)
}

fn reversed(m: &mut Mutator, args: Args) -> R {
    let l = this(m, args)?;
    iter::new(m, Tag::ListReverse, &[args.get(0), Value::int_unchecked(list::len(l) as i64)])
}

fn sort(th: &mut Thread, args: Args) -> R {
    let l = this(th, args)?;
    let reverse = args.opt(2).map_or(Ok(false), |v| support::flag(th, v))?;
    sort::sort_list(th, l, args.opt_not_none(1), reverse)?;
    Ok(Value::NONE)
}

/// `list`.
pub static TYPE: TypeDef = TypeDef {
    name: "list",
    kind: Kind::List,
    doc: "Items in a row.",
    construct: Some(NativeDef::full(
        "list",
        "cls, iterable=, /",
        construct,
        "A list of an iterable's items.",
    )),
    methods: &[
        NativeDef::full("__init__", "self, iterable=, /", init, "Fills the list anew."),
        NativeDef::data("__reversed__", "self, /", reversed, "An iterator from the end."),
        NativeDef::data("append", "self, object, /", append, "Adds an item at the end."),
        NativeDef::data("clear", "self, /", clear, "Removes all items."),
        NativeDef::data("copy", "self, /", copy, "A new list of the same items."),
        NativeDef::full("count", "self, value, /", count, "How many items are equal to value."),
        NativeDef::full("extend", "self, iterable, /", extend, "Adds an iterable's items at the end."),
        NativeDef::full("index", "self, value, start=, stop=, /", index, "Where value is first."),
        NativeDef::full("insert", "self, index, object, /", insert, "Adds an item before index."),
        NativeDef::full("pop", "self, index=, /", pop, "Removes and returns an item, the last by default."),
        NativeDef::full("remove", "self, value, /", remove, "Removes the first item equal to value."),
        NativeDef::data("reverse", "self, /", reverse, "Turns the items round."),
        NativeDef::full("sort", "self, *, key=, reverse=", sort, "Puts the items in order; stable."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: true,
};
