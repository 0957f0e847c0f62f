//! `seq[key]` for lists, tuples and ranges, with ints and slices, and the slices of any sequence.
//! Must not know other mappings and sequences.

use super::thread::Thread;
use crate::object::bigint::IBig;
use crate::object::layout::{List, is_subclass_instance};
use crate::object::slice::{self, Bounds};
use crate::object::{Exc, Kind, R, Raised, Slot, Value, Word};
use crate::object::{int, list, range, tuple, types};
use smallvec::SmallVec;

/// Whether a value can stand for an index.
fn has_index(th: &mut Thread, v: Value) -> bool {
    matches!(types::kind_of(v), Kind::Int | Kind::Bool) || th.lookup_special(v, "__index__").is_some()
}

impl Thread {
    /// One part of a slice: None means omitted; ints beyond `i64` are clamped.
    fn slice_part(&mut self, v: Value) -> R<Option<i64>> {
        if v.is_none() {
            return Ok(None);
        }
        if let Some(n) = v.as_small() {
            return Ok(Some(n));
        }
        if !has_index(self, v) {
            return Err(self.type_error("slice indices must be integers or None or have an __index__ method"));
        }
        self.clamped_index(v).map(Some)
    }

    /// `__index__`, with ints beyond `i64` clamped.
    pub fn clamped_index(&mut self, v: Value) -> R<i64> {
        let n = self.index_value(v)?;
        Ok(int::as_i64(n).unwrap_or(if int::is_negative(n) { i64::MIN } else { i64::MAX }))
    }

    /// What a slice object means for a sequence of `len` items. ValueError if its step is 0.
    pub fn slice_bounds(&mut self, v: Value, len: usize) -> R<Bounds> {
        if let Some(plain) = slice::of(v).and_then(|s| slice::plain_bounds(s, len)) {
            return Ok(plain);
        }
        let (start, stop, step) = self.slice_parts(v)?;
        Ok(slice::bounds(start, stop, step, len))
    }

    /// Start, stop and step of a slice object as ints. ValueError if the step is 0.
    pub fn slice_parts(&mut self, v: Value) -> R<(Option<i64>, Option<i64>, Option<i64>)> {
        let Some(s) = slice::of(v) else { return Ok((None, None, None)) };
        let step = self.slice_part(s.step.value())?;
        if step == Some(0) {
            return Err(self.value_error("slice step cannot be zero"));
        }
        let start = self.slice_part(s.start.value())?;
        let stop = self.slice_part(s.stop.value())?;
        Ok((start, stop, step))
    }

    /// `slice.indices(len)` with ints of any size. ValueError if the step is 0.
    pub fn slice_indices(&mut self, v: Value, len: &IBig) -> R<[IBig; 3]> {
        let [step, start, stop] =
            slice::of(v).map_or([Value::NONE; 3], |s| [&s.step, &s.start, &s.stop].map(Slot::value));
        let step = self.slice_int(step)?.unwrap_or(IBig::ONE);
        if step == IBig::ZERO {
            return Err(self.value_error("slice step cannot be zero"));
        }
        let (start, stop) = (self.slice_int(start)?, self.slice_int(stop)?);
        let backwards = step < IBig::ZERO;
        let (lowest, highest) =
            if backwards { (-IBig::ONE, len - IBig::ONE) } else { (IBig::ZERO, len.clone()) };
        let cut =
            |at: IBig| if at < IBig::ZERO { (at + len).max(lowest.clone()) } else { at.min(highest.clone()) };
        let (first, last) = if backwards { (&highest, &lowest) } else { (&lowest, &highest) };
        let start = start.map_or_else(|| first.clone(), cut);
        let stop = stop.map_or_else(|| last.clone(), cut);
        Ok([start, stop, step])
    }

    /// One part of a slice, an int of any size.
    fn slice_int(&mut self, v: Value) -> R<Option<IBig>> {
        if v.is_none() {
            return Ok(None);
        }
        if !has_index(self, v) {
            return Err(self.type_error("slice indices must be integers or None or have an __index__ method"));
        }
        let n = self.index_value(v)?;
        Ok(int::to_ibig(n))
    }

    /// The int that a key of a sequence stands for; `what` as in "list indices must be integers or slices, not str".
    pub fn sequence_index(&mut self, key: Value, what: &str) -> R<i64> {
        if let Some(n) = key.as_small() {
            return Ok(n);
        }
        if !has_index(self, key) {
            return Err(self.no_index(key, what));
        }
        if types::kind_of(key) == Kind::Int && int::as_i64(key).is_none() {
            return Err(self.raise(Exc::IndexError, "cannot fit 'int' into an index-sized integer"));
        }
        self.index(key)
    }

    fn no_index(&mut self, key: Value, what: &str) -> Raised {
        let name = self.type_name(key);
        self.type_error(match what {
            "array" => "array indices must be integers".to_string(),
            _ => format!("{what} indices must be integers or slices, not {name}"),
        })
    }
}

/// Position of index `i` in a sequence of `len` items; negative ones count from the end.
#[inline]
pub fn position(i: i64, len: usize) -> Option<usize> {
    let i = if i < 0 { i + len as i64 } else { i };
    usize::try_from(i).ok().filter(|i| *i < len)
}

#[cold]
fn out_of_range(th: &mut Thread, what: &str) -> Raised {
    th.raise(Exc::IndexError, format!("{what} out of range"))
}

/// `l[key]`.
#[inline]
pub fn list_get(th: &mut Thread, l: &'static List, key: Value) -> R {
    if let Some(s) = slice::of(key) {
        let items = list::items(l);
        if let Some(b) = slice::plain_bounds(s, items.len()) {
            return list::stepped(th, items, b.start, b.step, b.count).map(list::value);
        }
        let (start, stop, step) = th.slice_parts(key)?;
        let items = list::items(l);
        let b = slice::bounds(start, stop, step, items.len());
        return list::stepped(th, items, b.start, b.step, b.count).map(list::value);
    }
    let i = th.sequence_index(key, "list")?;
    let item = position(i, list::len(l)).and_then(|i| list::get(l, i));
    item.ok_or_else(|| out_of_range(th, "list index"))
}

/// `t[key]`.
#[inline]
pub fn tuple_get(th: &mut Thread, t: Value, key: Value) -> R {
    let items = tuple::items(t);
    if slice::of(key).is_some() {
        let b = th.slice_bounds(key, items.len())?;
        let plain = types::class_of(t) == types::class_of_kind(Kind::Tuple);
        if plain && b.step == 1 && b.count == items.len() {
            return Ok(t);
        }
        return tuple::stepped(th, items, b.start, b.step, b.count).map(tuple::value);
    }
    let i = th.sequence_index(key, "tuple")?;
    let item = position(i, items.len()).and_then(|i| items.get(i)).and_then(Slot::get);
    item.ok_or_else(|| out_of_range(th, "tuple index"))
}

/// `r[key]`.
pub fn range_get(th: &mut Thread, r: Value, key: Value) -> R {
    let Some(r) = range::of(r) else { return Ok(Value::NONE) };
    if slice::of(key).is_some() {
        let len = range::len(th, r)?;
        let parts = th.slice_indices(key, &int::to_ibig(len).unwrap_or_default())?;
        let [start, stop, step] = parts.map(|n| th.new_bigint(&n));
        return range::sliced(th, r, [start?, stop?, step?]);
    }
    let key = range_index(th, key)?;
    let item = range::get(th, r, key)?;
    item.ok_or_else(|| out_of_range(th, "range object index"))
}

fn range_index(th: &mut Thread, key: Value) -> R {
    if types::kind_of(key) == Kind::Int {
        return Ok(key);
    }
    let i = th.sequence_index(key, "range")?;
    th.new_int(i)
}

/// `l[key] = v`.
#[inline]
pub fn list_set(th: &mut Thread, l: &'static List, key: Value, v: Value) -> R<()> {
    if slice::of(key).is_some() {
        return list_set_slice(th, l, key, v);
    }
    let i = th.sequence_index(key, "list")?;
    match position(i, list::len(l)) {
        Some(i) if list::set(th, l, i, v) => Ok(()),
        _ => Err(out_of_range(th, "list assignment index")),
    }
}

fn list_set_slice(th: &mut Thread, l: &'static List, key: Value, v: Value) -> R<()> {
    let (start, stop, step) = th.slice_parts(key)?;
    let plain = step.is_none_or(|s| s == 1);
    let items: SmallVec<[Value; 16]> = if is_plain_sequence(v) {
        crate::vm::ops::iterate::values_of(v)
    } else {
        let with = collect_for_slice(th, v, plain)?;
        crate::vm::ops::iterate::values_of(with)
    };
    // The list may have changed while the right side was run through: cut to the length of now.
    let b = slice::bounds(start, stop, step, list::len(l));
    if plain {
        return list::splice(th, l, b.start, b.start + b.count, &items);
    }
    if items.len() != b.count || !list::set_stepped(th, l, b.start, b.step, &items) {
        let (n, wanted) = (items.len(), b.count);
        let message = format!("attempt to assign sequence of size {n} to extended slice of size {wanted}");
        return Err(th.value_error(message));
    }
    Ok(())
}

/// A list or tuple that is no instance of a subclass.
fn is_plain_sequence(v: Value) -> bool {
    matches!(types::kind_of(v), Kind::List | Kind::Tuple) && !is_subclass_instance(types::hdr(v))
}

/// The right side of a slice assignment as a list of its own.
fn collect_for_slice(th: &mut Thread, v: Value, plain: bool) -> R {
    let iterable = list::of(v).is_some()
        || tuple::of(v).is_some()
        || th.lookup_special(v, "__iter__").is_some()
        || th.lookup_special(v, "__getitem__").is_some();
    match iterable {
        true => th.collect(v),
        false if plain => Err(th.type_error("can only assign an iterable")),
        false => Err(th.type_error("must assign iterable to extended slice")),
    }
}

/// `del l[key]`.
pub fn list_del(th: &mut Thread, l: &'static List, key: Value) -> R<()> {
    if slice::of(key).is_some() {
        let b = th.slice_bounds(key, list::len(l))?.ascending();
        if b.step == 1 {
            return list::splice(th, l, b.start, b.start + b.count, &[]);
        }
        list::remove_stepped(th, l, b.start, b.step.unsigned_abs(), b.count);
        return Ok(());
    }
    let i = th.sequence_index(key, "list")?;
    let removed: Word = position(i, list::len(l)).and_then(|i| list::remove_at(th, l, i));
    removed.map(drop).ok_or_else(|| out_of_range(th, "list assignment index"))
}
