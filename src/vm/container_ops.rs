//! `len`, `in`, and the operators of sets, dicts and dict views. Must not know methods.

use super::set_ops;
use super::thread::Thread;
use crate::object::num::BinOp;
use crate::object::{Kind, R, Slot, Value, Word};
use crate::object::{dict, iter, key, list, range, set, tuple, types};

/// The length of a built-in container (an int beyond 62 bits for some ranges); `None` for anything else.
pub fn len(th: &mut Thread, v: Value) -> R<Word> {
    let n = match types::kind_of(v) {
        Kind::List => list::of(v).map_or(0, list::len),
        Kind::Tuple => tuple::items(v).len(),
        Kind::Dict => dict::of(v).map_or(0, dict::len),
        Kind::Set | Kind::FrozenSet => set::of(v).map_or(0, set::len),
        Kind::DictView => iter::view_of(v).and_then(|view| dict::of(view.dict.value())).map_or(0, dict::len),
        Kind::Range => match range::of(v) {
            Some(r) => return range::len(th, r).map(Some),
            None => 0,
        },
        _ => return Ok(None),
    };
    Ok(Some(Value::int_unchecked(n as i64)))
}

fn is_set(v: Value) -> bool {
    set::of(v).is_some()
}

/// A view of keys or items, which has the operators of a set.
fn is_set_view(v: Value) -> bool {
    iter::view_of(v).is_some_and(|view| view.what != 1)
}

/// `a op b` for sets, dicts and views; `None` where they do not know how.
pub fn set_operator(th: &mut Thread, op: BinOp, a: Value, b: Value) -> R<Word> {
    if is_set(a) && is_set(b) {
        return set_ops::operator(th, op, a, b);
    }
    if is_set_view(a) || is_set_view(b) {
        return view_operator(th, op, a, b);
    }
    match (op, dict::of(a), dict::of(b)) {
        (BinOp::BitOr, Some(left), Some(_)) => {
            let merged = dict::copy(th, left).map(dict::value)?;
            update_dict(th, merged, b)?;
            Ok(Some(merged))
        }
        _ => Ok(None),
    }
}

/// Views first become sets; the other operand may be any iterable.
fn view_operator(th: &mut Thread, op: BinOp, a: Value, b: Value) -> R<Word> {
    if !matches!(op, BinOp::BitOr | BinOp::BitAnd | BinOp::BitXor | BinOp::Sub) {
        return Ok(None);
    }
    let left = set_ops::from_iterable(th, a, Kind::Set)?;
    match op {
        BinOp::BitAnd => set_ops::intersection(th, left, b).map(Some),
        BinOp::BitOr => set_ops::update(th, left, b).map(|()| Some(left)),
        BinOp::Sub => set_ops::difference_update(th, left, b).map(|()| Some(left)),
        _ => set_ops::symmetric_difference_update(th, left, b).map(|()| Some(left)),
    }
}

/// `a op= b` for sets and dicts; `None` where they do not know how.
pub fn set_in_place(th: &mut Thread, op: BinOp, a: Value, b: Value) -> R<Word> {
    if types::kind_of(a) == Kind::Set && is_set(b) {
        match op {
            BinOp::BitOr => set_ops::update(th, a, b)?,
            BinOp::BitAnd => set_ops::intersection_update(th, a, b)?,
            BinOp::Sub => set_ops::difference_update(th, a, b)?,
            BinOp::BitXor => set_ops::symmetric_difference_update(th, a, b)?,
            _ => return Ok(None),
        }
        return Ok(Some(a));
    }
    if op == BinOp::BitOr && dict::of(a).is_some() {
        update_dict(th, a, b)?;
        return Ok(Some(a));
    }
    set_operator(th, op, a, b)
}

/// `d.update(other)`: a dict, an object with `keys`, or an iterable of pairs.
pub fn update_dict(th: &mut Thread, d: Value, other: Value) -> R<()> {
    // A dict that goes through its keys in a way of its own is asked for them.
    let own_way = th.lookup_override(other, "__iter__").is_some();
    if let Some(from) = dict::of(other).filter(|_| !own_way) {
        let mut at = 0;
        while let Some((next, key, value)) = dict::next_entry(from, at) {
            th.dict_set(d, key, value)?;
            at = next;
        }
        return Ok(());
    }
    let name = th.intern("keys")?;
    match th.get_attr_opt(other, name)? {
        Some(keys) => {
            let keys = th.call(keys, &[])?;
            let mut it = th.iter(keys)?;
            while let Some(key) = it.next(th)? {
                let value = th.get_item(other, key)?;
                th.dict_set(d, key, value)?;
            }
            Ok(())
        }
        None => update_from_pairs(th, d, other),
    }
}

fn update_from_pairs(th: &mut Thread, d: Value, pairs: Value) -> R<()> {
    let mut it = th.iter(pairs)?;
    let mut n = 0;
    while let Some(pair) = it.next(th)? {
        let plain = types::kind_of(pair) == Kind::Tuple || th.lookup_special(pair, "__iter__").is_some();
        if !plain && th.lookup_special(pair, "__getitem__").is_none() {
            let message = format!("cannot convert dictionary update sequence element #{n} to a sequence");
            return Err(th.type_error(message));
        }
        let items = th.collect(pair)?;
        let items = list::of(items).map_or(&[][..], list::items);
        let [key, value] = items else {
            let len = items.len();
            let message = format!("dictionary update sequence element #{n} has length {len}; 2 is required");
            return Err(th.value_error(message));
        };
        th.dict_set(d, key.value(), value.value())?;
        n += 1;
    }
    Ok(())
}

/// `element in container`, for built-in containers; anything else has no elements.
pub fn contains(th: &mut Thread, container: Value, element: Value) -> R<bool> {
    match types::kind_of(container) {
        Kind::List | Kind::Tuple => {
            let item = |i: usize| match list::of(container) {
                Some(l) => list::get(l, i),
                None => tuple::items(container).get(i).and_then(Slot::get),
            };
            let mut i = 0;
            while let Some(v) = item(i) {
                let equal = match key::eq(v, element) {
                    Some(answer) => answer,
                    None => th.eq(v, element)?,
                };
                if equal {
                    return Ok(true);
                }
                i += 1;
            }
            Ok(false)
        }
        Kind::Set | Kind::FrozenSet => set_contains(th, container, element),
        Kind::Dict => th.dict_get(container, element).map(|v| v.is_some()),
        Kind::Range => range_contains(th, container, element),
        Kind::DictView => view_contains(th, container, element),
        _ => Ok(false),
    }
}

/// `element in a_set`: an unhashable set is looked for as the frozenset of its elements.
pub fn set_contains(th: &mut Thread, container: Value, element: Value) -> R<bool> {
    match as_element(th, element)? {
        Some(frozen) => th.set_contains(container, frozen),
        None => th.set_contains(container, element),
    }
}

/// The frozenset that stands for a set when it is looked for (not when it is added).
pub fn as_element(th: &mut Thread, element: Value) -> R<Word> {
    let own_hash = th.lookup_override(element, "__hash__").is_some_and(|f| !f.is_none());
    match set::of(element) {
        Some(s) if types::kind_of(element) == Kind::Set && !own_hash => {
            set::copy(th, s, Kind::FrozenSet).map(|f| Some(set::value(f)))
        }
        _ => Ok(None),
    }
}

fn range_contains(th: &mut Thread, container: Value, element: Value) -> R<bool> {
    let Some(r) = range::of(container) else { return Ok(false) };
    if range::is_int(element) {
        return range::index_of(th, r, element).map(|i| i.is_some());
    }
    let mut it = th.iter(container)?;
    while let Some(n) = it.next(th)? {
        if th.eq(n, element)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn view_contains(th: &mut Thread, container: Value, element: Value) -> R<bool> {
    let Some(view) = iter::view_of(container) else { return Ok(false) };
    let d = view.dict.value();
    match view.what {
        0 => th.dict_get(d, element).map(|v| v.is_some()),
        1 => {
            let mut it = th.iter(container)?;
            while let Some(v) = it.next(th)? {
                if th.eq(v, element)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        _ => match tuple::items(element) {
            [key, value] => match th.dict_get(d, key.value())? {
                Some(v) => th.eq(v, value.value()),
                None => Ok(false),
            },
            _ => Ok(false),
        },
    }
}
