//! How the iterators of `itertools` (and of deques) advance. Must not know how they were made; the combinatoric ones are
//! in `iter_combine`.

use super::iter_combine;
use super::thread::Thread;
use crate::object::iter::Tag;
use crate::object::layout::Iter;
use crate::object::num::BinOp;
use crate::object::{Exc, Kind, R, Slot, Value, Word, deque, list, tuple, types};
use smallvec::SmallVec;

/// Bits of what a group-by knows: its current key, its current item, the key of the group it is in.
const KEY: i64 = 1;
const ITEM: i64 = 2;
const WANTED: i64 = 4;

/// The next item; `None` at the end. `row`: see `iter_object::next`.
pub fn next(th: &mut Thread, it: &'static Iter, first: Value, row: Word) -> R<Word> {
    match Tag::of(it) {
        Tag::Count => next_of_count(th, it, first),
        Tag::Cycle => next_of_cycle(th, it, first),
        Tag::Repeat => Ok(next_of_repeat(it, first)),
        Tag::Chain => next_of_chain(th, it, first),
        Tag::ISlice => next_of_islice(th, it, first),
        Tag::TakeWhile => next_of_takewhile(th, it, first),
        Tag::DropWhile => next_of_dropwhile(th, it, first),
        Tag::FilterFalse => next_of_filterfalse(th, it, first),
        Tag::StarMap => next_of_starmap(th, it, first),
        Tag::Compress => next_of_compress(th, it, first),
        Tag::Accumulate => next_of_accumulate(th, it, first),
        Tag::Pairwise => next_of_pairwise(th, it, first),
        Tag::ZipLongest => next_of_zip_longest(th, it, first),
        Tag::Product => iter_combine::product(th, it, first),
        Tag::Permutations => iter_combine::permutations(th, it, first, row),
        Tag::Combinations => iter_combine::combinations(th, it, (first, false), row),
        Tag::CombinationsRepeat => iter_combine::combinations(th, it, (first, true), row),
        Tag::Tee => next_of_tee(th, it, first),
        Tag::GroupBy => next_of_groupby(th, it, first),
        Tag::Grouper => next_of_grouper(th, it, first),
        Tag::Deque | Tag::DequeReverse => next_of_deque(th, it, first),
        _ => Ok(None),
    }
}

fn small(n: i64) -> Value {
    Value::int_unchecked(n)
}

/// State word `i` as a small int.
pub(super) fn number(it: &Iter, i: usize) -> i64 {
    it.state.get(i).and_then(|s| s.value().as_small()).unwrap_or(0)
}

pub(super) fn set(it: &Iter, i: usize, v: Value) {
    if let Some(slot) = it.state.get(i) {
        slot.set(v);
    }
}

pub(super) fn state(it: &Iter, i: usize) -> Value {
    it.state.get(i).map_or(Value::NONE, Slot::value)
}

fn next_of_count(th: &mut Thread, it: &Iter, at: Value) -> R<Word> {
    let after = th.binary(BinOp::Add, at, state(it, 1))?;
    set(it, 0, after);
    Ok(Some(at))
}

fn next_of_cycle(th: &mut Thread, it: &Iter, source: Value) -> R<Word> {
    let Some(seen) = list::of(state(it, 1)) else { return Ok(None) };
    if !source.is_none() {
        if let Some(item) = th.next_item(source)? {
            list::push(th, seen, item)?;
            return Ok(Some(item));
        }
        set(it, 0, Value::NONE);
    }
    let n = list::len(seen) as i64;
    if n == 0 {
        return Ok(None);
    }
    let at = number(it, 2);
    set(it, 2, small((at + 1) % n));
    Ok(list::get(seen, at as usize))
}

fn next_of_repeat(it: &Iter, object: Value) -> Word {
    if let Some(left) = state(it, 1).as_small() {
        if left <= 0 {
            return None;
        }
        set(it, 1, small(left - 1));
    }
    Some(object)
}

fn next_of_chain(th: &mut Thread, it: &Iter, outer: Value) -> R<Word> {
    loop {
        let current = state(it, 1);
        if !current.is_none() {
            if let Some(item) = th.next_item(current)? {
                return Ok(Some(item));
            }
            set(it, 1, Value::NONE);
        }
        let Some(iterable) = th.next_item(outer)? else { return Ok(None) };
        let inner = th.iter_object(iterable)?;
        set(it, 1, inner);
    }
}

fn next_of_islice(th: &mut Thread, it: &Iter, source: Value) -> R<Word> {
    let (mut taken, wanted) = (number(it, 1), number(it, 2));
    let (stop, step) = match tuple::items(state(it, 3)) {
        [stop, step] => (stop.value().as_small(), step.value().as_small().unwrap_or(1)),
        _ => (None, 1),
    };
    let end = stop.map_or(wanted, |stop| wanted.min(stop));
    while taken < end {
        if th.next_item(source)?.is_none() {
            return Ok(None);
        }
        taken += 1;
        set(it, 1, small(taken));
    }
    if stop.is_some_and(|stop| taken >= stop) {
        return Ok(None);
    }
    let Some(item) = th.next_item(source)? else { return Ok(None) };
    set(it, 1, small(taken + 1));
    let after = Value::small(wanted.saturating_add(step)).unwrap_or(small(i64::MAX >> 2));
    set(it, 2, stop.filter(|stop| after.as_small().is_some_and(|a| a > *stop)).map_or(after, small));
    Ok(Some(item))
}

/// Whether an item passes; a test of None means the item's own truth.
fn passes(th: &mut Thread, test: Value, item: Value) -> R<bool> {
    if test.is_none() {
        return th.is_true(item);
    }
    let verdict = th.call(test, &[item])?;
    th.is_true(verdict)
}

fn next_of_takewhile(th: &mut Thread, it: &Iter, test: Value) -> R<Word> {
    let Some(item) = th.next_item(state(it, 1))? else { return Ok(None) };
    Ok(if passes(th, test, item)? { Some(item) } else { None })
}

fn next_of_dropwhile(th: &mut Thread, it: &Iter, test: Value) -> R<Word> {
    loop {
        let Some(item) = th.next_item(state(it, 1))? else { return Ok(None) };
        if state(it, 2) == Value::TRUE {
            return Ok(Some(item));
        }
        if !passes(th, test, item)? {
            set(it, 2, Value::TRUE);
            return Ok(Some(item));
        }
    }
}

fn next_of_filterfalse(th: &mut Thread, it: &Iter, test: Value) -> R<Word> {
    loop {
        let Some(item) = th.next_item(state(it, 1))? else { return Ok(None) };
        if !passes(th, test, item)? {
            return Ok(Some(item));
        }
    }
}

fn next_of_starmap(th: &mut Thread, it: &Iter, function: Value) -> R<Word> {
    let Some(row) = th.next_item(state(it, 1))? else { return Ok(None) };
    let row = if types::kind_of(row) == Kind::Tuple { row } else { th.collect(row)? };
    let args: SmallVec<[Value; 8]> = crate::vm::ops::iterate::values_of(row).into_iter().collect();
    // `row` stays on the native stack: the collector sees the arguments through it.
    let result = th.call(function, &args);
    std::hint::black_box(row);
    result.map(Some)
}

fn next_of_compress(th: &mut Thread, it: &Iter, data: Value) -> R<Word> {
    loop {
        let Some(item) = th.next_item(data)? else { return Ok(None) };
        let Some(chosen) = th.next_item(state(it, 1))? else { return Ok(None) };
        if th.is_true(chosen)? {
            return Ok(Some(item));
        }
    }
}

/// Stages: 0, an initial value is to be given first; 1, the first item is; 2, the running total is.
fn next_of_accumulate(th: &mut Thread, it: &Iter, source: Value) -> R<Word> {
    let stage = number(it, 3);
    if stage == 0 {
        set(it, 3, small(2));
        return Ok(it.state.get(2).and_then(Slot::get));
    }
    let Some(item) = th.next_item(source)? else { return Ok(None) };
    let total = match (stage, state(it, 1)) {
        (1, _) => item,
        (_, function) if function.is_none() => th.binary(BinOp::Add, state(it, 2), item)?,
        (_, function) => th.call(function, &[state(it, 2), item])?,
    };
    set(it, 3, small(2));
    set(it, 2, total);
    Ok(Some(total))
}

fn next_of_pairwise(th: &mut Thread, it: &Iter, source: Value) -> R<Word> {
    let previous = match it.state.get(1).and_then(Slot::get) {
        Some(previous) => previous,
        None => match th.next_item(source)? {
            Some(item) => {
                set(it, 1, item);
                item
            }
            None => return Ok(None),
        },
    };
    let Some(item) = th.next_item(source)? else { return Ok(None) };
    set(it, 1, item);
    th.new_tuple(&[previous, item]).map(Some)
}

fn next_of_zip_longest(th: &mut Thread, it: &Iter, sources: Value) -> R<Word> {
    let scope = th.scope();
    let row = longest_row(th, it, sources);
    th.close(scope);
    row
}

fn longest_row(th: &mut Thread, it: &Iter, sources: Value) -> R<Word> {
    let Some(sources) = list::of(sources) else { return Ok(None) };
    let mut row: SmallVec<[Value; 6]> = SmallVec::new();
    let (mut i, mut alive) = (0, false);
    while let Some(source) = list::get(sources, i) {
        let item = if source.is_none() { None } else { th.next_item(source)? };
        if item.is_none() && !source.is_none() {
            list::set(th, sources, i, Value::NONE);
        }
        alive |= item.is_some();
        let item = item.unwrap_or(state(it, 1));
        th.root(item);
        row.push(item);
        i += 1;
    }
    if alive { th.new_tuple(&row).map(Some) } else { Ok(None) }
}

/// The iterators of one `tee` walk along a chain of lists `[item, next list]`; the one that comes to the end, an empty
/// list, asks the source and fills it.
fn next_of_tee(th: &mut Thread, it: &Iter, source: Value) -> R<Word> {
    let Some(node) = list::of(state(it, 1)) else { return Ok(None) };
    if list::len(node) == 0 {
        let Some(item) = th.next_item(source)? else { return Ok(None) };
        let rest = th.new_list(&[])?;
        list::extend(th, node, &[item, rest])?;
    }
    let (Some(item), Some(rest)) = (list::get(node, 0), list::get(node, 1)) else { return Ok(None) };
    set(it, 1, rest);
    Ok(Some(item))
}

/// What a group-by knows, as `(list, bits)`.
fn known(it: &Iter) -> Option<(&'static crate::object::layout::List, i64)> {
    let l = list::of(state(it, 2))?;
    Some((l, list::get(l, 3)?.as_small()?))
}

/// Reads one item and its key. False: there is none.
fn step_groups(th: &mut Thread, it: &Iter, source: Value) -> R<bool> {
    let Some(item) = th.next_item(source)? else { return Ok(false) };
    let function = state(it, 1);
    let key = if function.is_none() { item } else { th.call(function, &[item])? };
    let Some((l, bits)) = known(it) else { return Ok(false) };
    for (i, v) in [(0, key), (1, item), (3, small(bits | KEY | ITEM))] {
        list::set(th, l, i, v);
    }
    Ok(true)
}

fn next_of_groupby(th: &mut Thread, it: &Iter, source: Value) -> R<Word> {
    let Some((l, _)) = known(it) else { return Ok(None) };
    // Whoever still has the group before gets no more of it, also at the end.
    let group = small(list::get(l, 4).and_then(Value::as_small).unwrap_or(0) + 1);
    list::set(th, l, 4, group);
    loop {
        let bits = known(it).map_or(0, |(_, bits)| bits);
        if bits & KEY != 0 {
            let (Some(wanted), Some(key)) = (list::get(l, 2), list::get(l, 0)) else { return Ok(None) };
            if bits & WANTED == 0 || !th.eq(wanted, key)? {
                break;
            }
        }
        if !step_groups(th, it, source)? {
            return Ok(None);
        }
    }
    let (Some((_, bits)), Some(key)) = (known(it), list::get(l, 0)) else { return Ok(None) };
    for (i, v) in [(2, key), (3, small(bits | WANTED))] {
        list::set(th, l, i, v);
    }
    let this = Value::from_addr(std::ptr::from_ref(it) as usize);
    let grouper = crate::object::iter::new(th, Tag::Grouper, &[this, key, group])?;
    th.new_tuple(&[key, grouper]).map(Some)
}

fn next_of_grouper(th: &mut Thread, it: &Iter, parent: Value) -> R<Word> {
    let Some(parent) = crate::object::iter::of(parent) else { return Ok(None) };
    let Some((l, mut bits)) = known(parent) else { return Ok(None) };
    if list::get(l, 4) != Some(state(it, 2)) {
        return Ok(None);
    }
    if bits & ITEM == 0 {
        let Some(source) = parent.state.first().and_then(Slot::get) else { return Ok(None) };
        if !step_groups(th, parent, source)? {
            return Ok(None);
        }
        bits = known(parent).map_or(0, |(_, bits)| bits);
    }
    let (Some(key), Some(item)) = (list::get(l, 0), list::get(l, 1)) else { return Ok(None) };
    if !th.eq(state(it, 1), key)? {
        return Ok(None);
    }
    list::set(th, l, 3, small(bits & !ITEM));
    Ok(Some(item))
}

fn next_of_deque(th: &mut Thread, it: &Iter, source: Value) -> R<Word> {
    let Some(d) = deque::of(source) else { return Ok(None) };
    if deque::stamp(d) as i64 != number(it, 2) {
        set(it, 2, small(-1));
        return Err(th.raise(Exc::RuntimeError, "deque mutated during iteration"));
    }
    let at = number(it, 1);
    if Tag::of(it) == Tag::Deque {
        set(it, 1, small(at + 1));
        return Ok(deque::get(&th.m, d, at as usize));
    }
    set(it, 1, small(at - 1));
    Ok(usize::try_from(at - 1).ok().and_then(|i| deque::get(&th.m, d, i)))
}
