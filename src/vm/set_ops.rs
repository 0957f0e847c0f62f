//! What sets do with other sets and iterables, step for step in CPython's order, so that the results are laid out alike.
//! Must not know operators and methods.

use super::container_ops::as_element;
use super::hashing;
use super::thread::Thread;
use crate::object::layout::Set;
use crate::object::num::BinOp;
use crate::object::{Kind, R, Value, Word};
use crate::object::{dict, set, types};

/// `a op b` for two sets; the result is of `a`'s kind.
pub fn operator(th: &mut Thread, op: BinOp, a: Value, b: Value) -> R<Word> {
    match op {
        BinOp::BitOr => {
            let out = copy_of(th, a)?;
            update(th, out, b)?;
            Ok(Some(out))
        }
        BinOp::BitAnd => intersection(th, a, b).map(Some),
        BinOp::Sub => difference(th, a, b).map(Some),
        BinOp::BitXor => symmetric_difference(th, a, b).map(Some),
        _ => Ok(None),
    }
}

fn kind_of_result(v: Value) -> Kind {
    if types::kind_of(v) == Kind::FrozenSet { Kind::FrozenSet } else { Kind::Set }
}

/// The elements of a set. Walks entry numbers, so that the set may change on the way.
fn next(s: Value, at: usize) -> Option<(usize, i64, Value)> {
    set::next_entry(set::of(s)?, at)
}

/// A copy, of the same built-in type.
pub fn copy_of(th: &mut Thread, v: Value) -> R {
    match set::of(v) {
        Some(s) => set::copy(th, s, kind_of_result(v)).map(set::value),
        None => th.new_set(),
    }
}

fn empty_like(th: &mut Thread, v: Value) -> R {
    set::new(th, kind_of_result(v)).map(set::value)
}

/// A set of the elements of an iterable.
pub fn from_iterable(th: &mut Thread, iterable: Value, kind: Kind) -> R {
    let out = set::new(th, kind).map(set::value)?;
    update(th, out, iterable)?;
    Ok(out)
}

/// Adds all elements of an iterable.
pub fn update(th: &mut Thread, s: Value, other: Value) -> R<()> {
    let Some(target) = set::of(s) else { return Ok(()) };
    if let Some(from) = set::of(other) {
        return merge(th, s, target, from);
    }
    if let Some(d) = dict::of(other) {
        set::reserve(th, target, dict::len(d))?;
    }
    let mut it = th.iter(other)?;
    while let Some(element) = it.next(th)? {
        th.set_add(s, element)?;
    }
    Ok(())
}

fn merge(th: &mut Thread, s: Value, target: &'static Set, from: &'static Set) -> R<()> {
    if std::ptr::eq(target, from) || set::len(from) == 0 {
        return Ok(());
    }
    set::reserve(th, target, set::len(from))?;
    if set::fill_empty(th, target, from) {
        return Ok(());
    }
    let mut at = 0;
    while let Some((after, hash, key)) = set::next_entry(from, at) {
        if let Some(target) = set::of(s) {
            hashing::add_hashed(th, target, key, hash)?;
        }
        at = after;
    }
    Ok(())
}

/// Elements of `s` that are in `other` too.
pub fn intersection(th: &mut Thread, s: Value, other: Value) -> R {
    if s == other {
        return copy_of(th, s);
    }
    let out = empty_like(th, s)?;
    let (Some(a), Some(target)) = (set::of(s), set::of(out)) else { return Ok(out) };
    if let Some(b) = set::of(other) {
        let (searched, walked) = if set::len(b) > set::len(a) { (b, s) } else { (a, other) };
        let mut at = 0;
        while let Some((after, hash, key)) = next(walked, at) {
            if hashing::contains_hashed(th, searched, key, hash)? {
                hashing::add_hashed(th, target, key, hash)?;
            }
            at = after;
        }
        return Ok(out);
    }
    let mut it = th.iter(other)?;
    while let Some(element) = it.next(th)? {
        let hash = th.hash_key(element)?;
        if hashing::contains_hashed(th, a, element, hash)? {
            hashing::add_hashed(th, target, element, hash)?;
        }
    }
    Ok(out)
}

/// Keeps only the elements that are in `other` too.
pub fn intersection_update(th: &mut Thread, s: Value, other: Value) -> R<()> {
    let kept = intersection(th, s, other)?;
    if let (Some(target), Some(kept)) = (set::of(s), set::of(kept)) {
        set::take_over(th, target, kept);
    }
    Ok(())
}

/// Elements of `s` that are not in `other`.
pub fn difference(th: &mut Thread, s: Value, other: Value) -> R {
    let Some(a) = set::of(s) else { return Ok(s) };
    let size = match (set::of(other), dict::of(other)) {
        (Some(b), _) => set::len(b),
        (_, Some(d)) => dict::len(d),
        _ => usize::MAX,
    };
    if size == usize::MAX || set::len(a) >> 2 > size {
        let out = copy_of(th, s)?;
        difference_update(th, out, other)?;
        return Ok(out);
    }
    let out = empty_like(th, s)?;
    let Some(target) = set::of(out) else { return Ok(out) };
    let mut at = 0;
    while let Some((after, hash, key)) = next(s, at) {
        let found = match (set::of(other), dict::of(other)) {
            (Some(b), _) => hashing::contains_hashed(th, b, key, hash)?,
            (_, Some(d)) => hashing::get_hashed(th, d, key, hash)?.is_some(),
            _ => false,
        };
        if !found {
            hashing::add_hashed(th, target, key, hash)?;
        }
        at = after;
    }
    Ok(out)
}

/// Removes the elements of `other`.
pub fn difference_update(th: &mut Thread, s: Value, other: Value) -> R<()> {
    let Some(target) = set::of(s) else { return Ok(()) };
    if s == other {
        return set::clear(th, target);
    }
    if let Some(b) = set::of(other) {
        // A much larger other set is searched instead of walked.
        let walked = if set::len(b) >> 3 > set::len(target) { intersection(th, s, other)? } else { other };
        let mut at = 0;
        while let Some((after, hash, key)) = next(walked, at) {
            hashing::discard_hashed(th, target, key, hash)?;
            at = after;
        }
    } else {
        let mut it = th.iter(other)?;
        while let Some(element) = it.next(th)? {
            let hash = th.hash_key(element)?;
            hashing::discard_hashed(th, target, element, hash)?;
        }
    }
    set::tidy(th, target)
}

/// Elements of exactly one of the two.
pub fn symmetric_difference(th: &mut Thread, s: Value, other: Value) -> R {
    let out = from_iterable(th, other, kind_of_result(s))?;
    symmetric_difference_update(th, out, s)?;
    Ok(out)
}

/// Removes the elements that are in `other`, and adds those that only `other` has.
pub fn symmetric_difference_update(th: &mut Thread, s: Value, other: Value) -> R<()> {
    let Some(target) = set::of(s) else { return Ok(()) };
    if s == other {
        return set::clear(th, target);
    }
    let other = match (set::of(other), dict::of(other)) {
        (None, None) => from_iterable(th, other, Kind::Set)?,
        (None, Some(_)) => th.collect(other)?,
        _ => other,
    };
    if set::of(other).is_none() {
        let mut it = th.iter(other)?;
        while let Some(key) = it.next(th)? {
            let hash = th.hash_key(key)?;
            toggle(th, target, key, hash)?;
        }
        return Ok(());
    }
    let mut at = 0;
    while let Some((after, hash, key)) = next(other, at) {
        toggle(th, target, key, hash)?;
        at = after;
    }
    Ok(())
}

fn toggle(th: &mut Thread, s: &'static Set, key: Value, hash: i64) -> R<()> {
    if !hashing::discard_hashed(th, s, key, hash)? {
        hashing::add_hashed(th, s, key, hash)?;
    }
    Ok(())
}

/// Whether a set and an iterable have no element in common.
pub fn is_disjoint(th: &mut Thread, s: Value, other: Value) -> R<bool> {
    let mut it = th.iter(other)?;
    while let Some(element) = it.next(th)? {
        if th.set_contains(s, element)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Removes an element; false if it is not there. A set is looked for as a frozenset.
pub fn discard(th: &mut Thread, s: Value, element: Value) -> R<bool> {
    match as_element(th, element)? {
        Some(frozen) => th.set_discard(s, frozen),
        None => th.set_discard(s, element),
    }
}
