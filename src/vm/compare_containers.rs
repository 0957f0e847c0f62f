//! Equality, order and hashes of containers, through those of their items. Must not know other types' comparison.

use super::container_ops::contains;
use super::hashing;
use super::thread::Thread;
use crate::object::num::CmpOp;
use crate::object::{Exc, Kind, R, Slot, Value, Word};
use crate::object::{dict, func, iter, list, range, set, slice, tuple, types};
use std::cmp::Ordering;

const IN_COMPARISON: &str = " in comparison";

/// `a op b` for two containers; `None` where they do not know how (NotImplemented).
pub fn compare(th: &mut Thread, op: CmpOp, a: Value, b: Value) -> R<Option<bool>> {
    let equality = matches!(op, CmpOp::Eq | CmpOp::Ne);
    match (types::kind_of(a), types::kind_of(b)) {
        (Kind::List, Kind::List) | (Kind::Tuple, Kind::Tuple) => {
            th.nested(IN_COMPARISON, |th| compare_sequences(th, op, a, b)).map(Some)
        }
        (Kind::Dict, Kind::Dict) if equality => {
            answer(op, th.nested(IN_COMPARISON, |th| dicts_equal(th, a, b))?)
        }
        (Kind::MappingProxy, _) | (_, Kind::MappingProxy) if equality => {
            let inner = |v| func::proxied(v).unwrap_or(v);
            compare(th, op, inner(a), inner(b))
        }
        (ka, kb) if set_like(ka, a) && set_like(kb, b) => compare_sets(th, op, a, b),
        (Kind::Range, Kind::Range) if equality => {
            let (Some(x), Some(y)) = (range::of(a), range::of(b)) else { return Ok(None) };
            let equal = range::eq(th, x, y)?;
            answer(op, equal)
        }
        (Kind::Slice, Kind::Slice) => {
            let (a, b) = (slice_tuple(th, a)?, slice_tuple(th, b)?);
            compare_sequences(th, op, a, b).map(Some)
        }
        _ => Ok(None),
    }
}

fn answer(op: CmpOp, equal: bool) -> R<Option<bool>> {
    Ok(Some(equal == (op == CmpOp::Eq)))
}

fn slice_tuple(th: &mut Thread, v: Value) -> R {
    let parts = slice::of(v).map_or([Value::NONE; 3], |s| [s.start.value(), s.stop.value(), s.step.value()]);
    th.new_tuple(&parts)
}

/// The items of a list or tuple as they are now.
fn items(v: Value) -> &'static [Slot] {
    list::of(v).map_or_else(|| tuple::items(v), list::items)
}

/// Lists and tuples: the first items that differ decide, then the lengths.
fn compare_sequences(th: &mut Thread, op: CmpOp, a: Value, b: Value) -> R<bool> {
    let equality = matches!(op, CmpOp::Eq | CmpOp::Ne);
    if equality && items(a).len() != items(b).len() {
        return Ok(op == CmpOp::Ne);
    }
    let mut i = 0;
    // Comparing may run code that changes the lists: they are looked up anew each time.
    while let (Some(x), Some(y)) = (item(a, i), item(b, i)) {
        if !th.eq(x, y)? {
            if equality {
                return Ok(op == CmpOp::Ne);
            }
            let verdict = th.compare(op, x, y)?;
            return th.is_true(verdict);
        }
        i += 1;
    }
    let order = items(a).len().cmp(&items(b).len());
    Ok(op.holds(Some(order)))
}

fn item(v: Value, i: usize) -> Word {
    items(v).get(i).and_then(Slot::get)
}

fn dicts_equal(th: &mut Thread, a: Value, b: Value) -> R<bool> {
    let (Some(x), Some(y)) = (dict::of(a), dict::of(b)) else { return Ok(false) };
    if dict::len(x) != dict::len(y) {
        return Ok(false);
    }
    let mut at = 0;
    while let Some((next, key, value)) = dict::next_entry(x, at) {
        at = next;
        match th.dict_get(b, key)? {
            Some(other) if th.eq(value, other)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// Whether a value compares as a set: sets, and views of a dict's keys or items.
fn set_like(kind: Kind, v: Value) -> bool {
    match kind {
        Kind::Set | Kind::FrozenSet => true,
        Kind::DictView => iter::view_of(v).is_some_and(|view| view.what != 1),
        _ => false,
    }
}

fn size(v: Value) -> usize {
    match (set::of(v), iter::view_of(v)) {
        (Some(s), _) => set::len(s),
        (_, Some(view)) => dict::of(view.dict.value()).map_or(0, dict::len),
        _ => 0,
    }
}

fn compare_sets(th: &mut Thread, op: CmpOp, a: Value, b: Value) -> R<Option<bool>> {
    let order = size(a).cmp(&size(b));
    let holds = match op {
        CmpOp::Eq | CmpOp::Ne => {
            let equal = order == Ordering::Equal && is_subset(th, a, b)?;
            return answer(op, equal);
        }
        CmpOp::Le => order != Ordering::Greater && is_subset(th, a, b)?,
        CmpOp::Lt => order == Ordering::Less && is_subset(th, a, b)?,
        CmpOp::Ge => order != Ordering::Less && is_subset(th, b, a)?,
        CmpOp::Gt => order == Ordering::Greater && is_subset(th, b, a)?,
    };
    Ok(Some(holds))
}

/// Whether all elements of `a` (a set, or a view of keys or items) are in `b`, a container.
pub fn is_subset(th: &mut Thread, a: Value, b: Value) -> R<bool> {
    if let (Some(x), Some(y)) = (set::of(a), set::of(b)) {
        let mut at = 0;
        while let Some((next, hash, key)) = set::next_entry(x, at) {
            at = next;
            if !hashing::contains_hashed(th, y, key, hash)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    let mut it = th.iter(a)?;
    while let Some(element) = it.next(th)? {
        if !contains(th, b, element)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The hash of a container; TypeError for those that can change.
pub fn hash(th: &mut Thread, v: Value) -> R<i64> {
    match types::kind_of(v) {
        Kind::Tuple => hash_tuple(th, v),
        Kind::FrozenSet => Ok(set::of(v).map_or(0, set::hash)),
        Kind::Range => {
            let Some(r) = range::of(v) else { return Ok(0) };
            let parts = range::identity(th, r)?;
            let parts = th.new_tuple(&parts)?;
            hash_tuple(th, parts)
        }
        _ => {
            let name = th.type_name(v);
            Err(th.raise(Exc::TypeError, format!("unhashable type: '{name}'")))
        }
    }
}

fn hash_tuple(th: &mut Thread, v: Value) -> R<i64> {
    th.check_native_stack()?;
    let mut hasher = tuple::Hasher::new();
    for item in tuple::items(v) {
        hasher.add(th.hash_key(item.value())?);
    }
    Ok(hasher.finish())
}
