//! Sorting: stable, in place of the list's buffer. Must not know `list.sort` and `sorted` as scripts see them.
//!
//! While it runs the list is empty, so that code called on the way cannot see a half-sorted one. The items stay in
//! their old buffer, which the collector sees; what is permuted are copies.

use super::thread::Thread;
use crate::object::layout::{List, is_subclass_instance};
use crate::object::{Kind, R, Slot, Value, Word};
use crate::object::{key, list, str as text, tuple, types};
use smallvec::SmallVec;
use std::cmp::Ordering;

/// A key, and the item it stands for.
type Pair = (Value, Value);

/// Items of the first runs, which are sorted by insertion.
const RUN: usize = 24;

/// `l.sort(key=key, reverse=reverse)`.
pub fn sort_list(th: &mut Thread, l: &'static List, key: Word, reverse: bool) -> R<()> {
    if list::len(l) < 2 && (key.is_none() || list::len(l) == 0) {
        return Ok(());
    }
    // With a GIL nobody looks while no Mini code runs: no other buffer is needed.
    if key.is_none() && !th.m.free && sort_items(list::items(l), reverse) {
        return Ok(());
    }
    let empty = list::new_buf(th, 0)?;
    let taken = list::swap_buf(th, l, empty);
    let scope = th.scope();
    th.root(list::value(l));
    th.root(list::buf_value(taken));
    let sorted = sorted_pairs(th, list::buf_items(taken), key, reverse);
    th.close(scope);
    if let Ok(pairs) = &sorted {
        list::buf_items(taken).iter().zip(pairs).for_each(|(slot, (_, item))| slot.set(*item));
    }
    let meanwhile = list::swap_buf(th, l, taken);
    sorted?;
    if !std::ptr::eq(meanwhile, empty) {
        return Err(th.value_error("list modified during sort"));
    }
    Ok(())
}

/// Sorts items that are all small ints or all plain strings where they lie; false (and no change) for others.
fn sort_items(items: &[Slot], reverse: bool) -> bool {
    let all: SmallVec<[Value; 32]> = items.iter().filter_map(Slot::get).collect();
    if all.len() != items.len() {
        return false;
    }
    if all.iter().all(|v| v.is_small_int()) {
        // Equal ones are the same.
        let mut all: SmallVec<[i64; 32]> = all.iter().map(|v| v.small_unchecked()).collect();
        all.sort();
        let order = all.iter().map(|n| Value::int_unchecked(*n));
        return write_back(items, order, reverse);
    }
    let mut texts: SmallVec<[(u64, Value); 32]> = SmallVec::new();
    for v in &all {
        let Some(s) = key::exact_str(*v) else { return false };
        texts.push((first_bytes(text::text(s)), *v));
    }
    let order = |a: &(u64, Value), b: &(u64, Value)| a.0.cmp(&b.0).then_with(|| cmp_text(a.1, b.1));
    match reverse {
        true => texts.sort_by(|a, b| order(b, a)),
        false => texts.sort_by(order),
    }
    write_back(items, texts.iter().map(|(_, v)| *v), false)
}

fn write_back(items: &[Slot], order: impl DoubleEndedIterator<Item = Value>, reverse: bool) -> bool {
    match reverse {
        true => items.iter().zip(order.rev()).for_each(|(slot, v)| slot.set(v)),
        false => items.iter().zip(order).for_each(|(slot, v)| slot.set(v)),
    }
    true
}

/// The beginning of a text as a number: texts whose numbers differ are in the order of these.
fn first_bytes(text: &str) -> u64 {
    let mut word = [0; 8];
    word.iter_mut().zip(text.bytes()).for_each(|(to, b)| *to = b);
    u64::from_be_bytes(word)
}

fn cmp_text(a: Value, b: Value) -> Ordering {
    text::as_str(a).cmp(&text::as_str(b))
}

/// The items in order, as pairs with their keys. The items are rooted by the caller, the keys here.
fn sorted_pairs(th: &mut Thread, items: &[Slot], key: Word, reverse: bool) -> R<Vec<Pair>> {
    let mut pairs: Vec<Pair> = Vec::with_capacity(items.len());
    for item in items.iter().filter_map(Slot::get) {
        let k = match key {
            Some(f) => {
                let k = th.call(f, &[item])?;
                th.root(k)
            }
            None => item,
        };
        pairs.push((k, item));
    }
    if !sort_plain(&mut pairs, reverse) {
        merge_sort(th, &mut pairs, reverse)?;
    }
    Ok(pairs)
}

/// Sorts keys that are all small ints, all inline floats, or all plain strings; false (and no change) for others.
fn sort_plain(pairs: &mut [Pair], reverse: bool) -> bool {
    let all = |test: fn(Value) -> bool| pairs.iter().all(|(k, _)| test(*k));
    if all(Value::is_small_int) {
        sort_by(pairs, reverse, |k| k.small_unchecked());
    } else if all(Value::is_inline_float) {
        // NaN is never inline, so this is an order; the two zeros must compare equal.
        sort_by(pairs, reverse, |k| k.float_unchecked());
    } else if all(|k| text::view(k).is_some_and(text::is_exact)) {
        sort_by(pairs, reverse, |k| text::as_str(k).unwrap_or(""));
    } else if let Some(Some(first)) = pairs.first().map(|(k, _)| signature(*k))
        && pairs.iter().all(|(k, _)| signature(*k) == Some(first))
    {
        match reverse {
            true => pairs.sort_by(|a, b| compare_rows(b.0, a.0)),
            false => pairs.sort_by(|a, b| compare_rows(a.0, b.0)),
        }
    } else {
        return false;
    }
    true
}

/// Columns of a row that are looked at.
const COLUMNS: usize = 8;

/// What a tuple of small ints, inline floats and plain strings consists of, two bits an item; `None` for any other
/// value. Tuples of one signature are in an order that needs no Mini code.
fn signature(v: Value) -> Option<u32> {
    let items = tuple::of(v).filter(|t| !is_subclass_instance(&t.hdr)).map(tuple::slots)?;
    if items.len() > COLUMNS {
        return None;
    }
    items.iter().try_fold(1, |all, item| {
        let item = item.value();
        let kind = match () {
            () if item.is_small_int() => 0,
            () if item.is_inline_float() => 1,
            () if key::exact_str(item).is_some() => 2,
            () => return None,
        };
        Some(all << 2 | kind)
    })
}

/// Two tuples of one signature.
fn compare_rows(a: Value, b: Value) -> Ordering {
    let (row, other) = (tuple::items(a), tuple::items(b));
    for (i, a) in row.iter().enumerate() {
        let Some(b) = other.get(i) else { break };
        let (a, b) = (a.value(), b.value());
        let order = match () {
            () if a == b => Ordering::Equal,
            () if a.is_small_int() => a.small_unchecked().cmp(&b.small_unchecked()),
            () if a.is_inline_float() => {
                a.float_unchecked().partial_cmp(&b.float_unchecked()).unwrap_or(Ordering::Equal)
            }
            () => cmp_text(a, b),
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

fn sort_by<K: PartialOrd>(pairs: &mut [Pair], reverse: bool, key: impl Fn(Value) -> K) {
    let order = |a: Value, b: Value| key(a).partial_cmp(&key(b)).unwrap_or(Ordering::Equal);
    match reverse {
        true => pairs.sort_by(|a, b| order(b.0, a.0)),
        false => pairs.sort_by(|a, b| order(a.0, b.0)),
    }
}

/// Whether `b` must come before `a`, which stands to its left.
fn inverted(th: &mut Thread, a: &Pair, b: &Pair) -> R<bool> {
    th.less(b.0, a.0)
}

/// Merge sort that asks Mini code for the order. Whatever it answers, the result is a permutation.
/// Up to `RUN` items it asks the questions that CPython asks, in the same order.
fn merge_sort(th: &mut Thread, pairs: &mut [Pair], reverse: bool) -> R<()> {
    // Sorted backwards, so that equal items keep their order.
    if reverse {
        pairs.reverse();
    }
    let result = merge_runs(th, pairs);
    if reverse {
        pairs.reverse();
    }
    result
}

fn merge_runs(th: &mut Thread, pairs: &mut [Pair]) -> R<()> {
    let ordered = ordered_part(th, pairs)?;
    if ordered == pairs.len() {
        return Ok(());
    }
    for (i, run) in pairs.chunks_mut(RUN).enumerate() {
        insertion_sort(th, run, ordered.saturating_sub(i * RUN).clamp(1, run.len()))?;
    }
    let mut spare: Vec<Pair> = Vec::with_capacity(pairs.len());
    let mut width = RUN;
    while width < pairs.len() {
        for two in pairs.chunks_mut(width * 2) {
            merge(th, two, width, &mut spare)?;
        }
        width *= 2;
    }
    Ok(())
}

/// How many items at the beginning are in order, after those of a strictly falling run have been turned round.
fn ordered_part(th: &mut Thread, pairs: &mut [Pair]) -> R<usize> {
    let mut falling = None;
    let mut n = pairs.len().min(1);
    while let Some([a, b]) = n.checked_sub(1).and_then(|i| pairs.get(i..n + 1)) {
        let down = inverted(th, a, b)?;
        if *falling.get_or_insert(down) != down {
            break;
        }
        n += 1;
    }
    if falling == Some(true)
        && let Some(run) = pairs.get_mut(..n)
    {
        run.reverse();
    }
    Ok(n)
}

/// Each item from `from` on is put behind the last one that need not follow it, found by halving.
fn insertion_sort(th: &mut Thread, run: &mut [Pair], from: usize) -> R<()> {
    for i in from..run.len() {
        let (sorted, rest) = run.split_at(i);
        let Some(new) = rest.first() else { break };
        let (mut low, mut high) = (0, i);
        while low < high {
            let middle = (low + high) / 2;
            match sorted.get(middle) {
                Some(at) if inverted(th, at, new)? => high = middle,
                _ => low = middle + 1,
            }
        }
        if let Some(part) = run.get_mut(low..=i) {
            part.rotate_right(1);
        }
    }
    Ok(())
}

/// Merges the sorted `two[..width]` and `two[width..]`.
fn merge(th: &mut Thread, two: &mut [Pair], width: usize, spare: &mut Vec<Pair>) -> R<()> {
    let Some((left, right)) = two.split_at_checked(width) else { return Ok(()) };
    let (Some(last), Some(first)) = (left.last(), right.first()) else { return Ok(()) };
    if !inverted(th, last, first)? {
        return Ok(());
    }
    spare.clear();
    let (mut left, mut right) = (left, right);
    while let (Some((a, after_a)), Some((b, after_b))) = (left.split_first(), right.split_first()) {
        if inverted(th, a, b)? {
            spare.push(*b);
            right = after_b;
        } else {
            spare.push(*a);
            left = after_a;
        }
    }
    spare.extend_from_slice(left);
    spare.extend_from_slice(right);
    two.copy_from_slice(spare);
    Ok(())
}

/// `sorted(iterable, key=key, reverse=reverse)`: a new list.
pub fn sorted(th: &mut Thread, iterable: Value, key: Word, reverse: bool) -> R {
    let out = th.collect(iterable)?;
    debug_assert!(types::kind_of(out) == Kind::List);
    if let Some(l) = list::of(out) {
        sort_list(th, l, key, reverse)?;
    }
    Ok(out)
}
