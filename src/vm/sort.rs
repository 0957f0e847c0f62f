//! Sorting: stable, in place of the list's buffer. Must not know `list.sort` and `sorted` as scripts see them.
//!
//! While it runs the list is empty, so that code called on the way cannot see a half-sorted one. The items stay in
//! their old buffer, which the collector sees; what is permuted are copies.

use super::thread::Thread;
use crate::object::layout::List;
use crate::object::{Kind, R, Slot, Value, Word};
use crate::object::{list, str as text, types};
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
    } else {
        return false;
    }
    true
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
