//! Module `_heapq`: a list kept as a heap. Must not know what its items are: it asks them only for `<`.
//!
//! Comparing may run Mini code, and other threads may change the list meanwhile: places are looked at anew every time,
//! and one that is gone ends the work.

use crate::object::layout::List;
use crate::object::{Exc, R, Raised, Value, list};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;

fn heap(th: &mut Thread, args: Args) -> R<&'static List> {
    match list::of(args.get(0)) {
        Some(found) => Ok(found),
        None => Err(th.type_error("heap argument must be a list")),
    }
}

fn changed(th: &mut Thread) -> Raised {
    th.raise(Exc::RuntimeError, "list changed size during iteration")
}

fn at(th: &mut Thread, l: &'static List, i: usize) -> R {
    list::get(l, i).ok_or_else(|| changed(th))
}

/// Whether one item is smaller. Raises RuntimeError if asking has changed the length of the list.
fn less(th: &mut Thread, l: &'static List, a: Value, b: Value) -> R<bool> {
    let before = list::len(l);
    let smaller = th.less(a, b)?;
    if list::len(l) == before { Ok(smaller) } else { Err(changed(th)) }
}

fn put(th: &mut Thread, l: &'static List, i: usize, v: Value) -> R<()> {
    if list::set(&mut th.m, l, i, v) { Ok(()) } else { Err(changed(th)) }
}

/// Moves the item at `place` up until its parent, not above `start`, is no larger. The list holds every item at any
/// time, so the collector finds them.
fn rise(th: &mut Thread, l: &'static List, start: usize, mut place: usize) -> R<()> {
    let item = at(th, l, place)?;
    while place > start {
        let above = (place - 1) / 2;
        let parent = at(th, l, above)?;
        if !less(th, l, item, parent)? {
            break;
        }
        put(th, l, place, parent)?;
        put(th, l, above, item)?;
        place = above;
    }
    Ok(())
}

/// Moves the item at `place` down to a leaf, past the smaller child each time, and then up to where it belongs: an item
/// from the end of a heap nearly always belongs near the leaves, and that way a level costs one comparison.
fn sink(th: &mut Thread, l: &'static List, start: usize) -> R<()> {
    let item = at(th, l, start)?;
    let end = list::len(l);
    let mut place = start;
    loop {
        let mut child = 2 * place + 1;
        if child >= end {
            break;
        }
        let mut smaller = at(th, l, child)?;
        if child + 1 < end {
            let right = at(th, l, child + 1)?;
            if !less(th, l, smaller, right)? {
                (child, smaller) = (child + 1, right);
            }
        }
        put(th, l, place, smaller)?;
        put(th, l, child, item)?;
        place = child;
    }
    rise(th, l, start, place)
}

fn push(th: &mut Thread, args: Args) -> R {
    let l = heap(th, args)?;
    list::push(&mut th.m, l, args.get(1))?;
    rise(th, l, 0, list::len(l).saturating_sub(1))?;
    Ok(Value::NONE)
}

fn pop(th: &mut Thread, args: Args) -> R {
    let l = heap(th, args)?;
    let Some(last) = list::pop(&mut th.m, l) else {
        return Err(th.raise(Exc::IndexError, "index out of range"));
    };
    let Some(smallest) = list::get(l, 0) else { return Ok(last) };
    put(th, l, 0, last)?;
    sink(th, l, 0)?;
    Ok(smallest)
}

fn replace(th: &mut Thread, args: Args) -> R {
    let l = heap(th, args)?;
    let Some(smallest) = list::get(l, 0) else {
        return Err(th.raise(Exc::IndexError, "index out of range"));
    };
    put(th, l, 0, args.get(1))?;
    sink(th, l, 0)?;
    Ok(smallest)
}

fn push_pop(th: &mut Thread, args: Args) -> R {
    let (l, item) = (heap(th, args)?, args.get(1));
    match list::get(l, 0) {
        Some(smallest) if th.less(smallest, item)? => {
            if !list::set(&mut th.m, l, 0, item) {
                return Err(th.raise(Exc::IndexError, "index out of range"));
            }
            sink(th, l, 0)?;
            Ok(smallest)
        }
        _ => Ok(item),
    }
}

fn heapify(th: &mut Thread, args: Args) -> R {
    let l = heap(th, args)?;
    for place in (0..list::len(l) / 2).rev() {
        sink(th, l, place)?;
    }
    Ok(Value::NONE)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_heapq",
    doc: "The native half of heapq.",
    functions: &[
        NativeDef::full("heappush", "heap, item, /", push, "Add an item."),
        NativeDef::full("heappop", "heap, /", pop, "Remove and return the smallest item."),
        NativeDef::full(
            "heapreplace",
            "heap, item, /",
            replace,
            "Remove and return the smallest item, then add one.",
        ),
        NativeDef::full(
            "heappushpop",
            "heap, item, /",
            push_pop,
            "Add an item, then remove and return the smallest.",
        ),
        NativeDef::full("heapify", "heap, /", heapify, "Turn a list into a heap, in place."),
    ],
    types: &[],
    init: None,
};
