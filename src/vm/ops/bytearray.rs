//! Operators and items of bytearrays. Must not know their methods.

use super::arith;
use crate::object::layout::ByteArray;
use crate::object::mutator::Mutator;
use crate::object::num::BinOp;
use crate::object::slice::{self, Bounds};
use crate::object::{Exc, Kind, R, Value, Word, bytearray, bytes, int, memoryview, str, types};
use crate::vm::poll;
use crate::vm::slicing::position;
use crate::vm::thread::Thread;

/// What a bytearray holds now, or what a view looks at, as a bytes object; any other value as it is.
/// Errors: ValueError if it is a released view.
pub fn as_bytes_object(m: &mut Mutator, v: Value) -> R {
    if let Some(view) = memoryview::of(v) {
        let seen = super::memoryview::looking(m, view)?.bytes();
        return m.new_bytes(&seen);
    }
    match bytearray::of(v) {
        Some(b) => m.new_bytes(&bytearray::snapshot(b)),
        None => Ok(v),
    }
}

/// The bytes of a bytes or bytearray object, or of a view, as they are now.
pub fn contents(v: Value) -> Option<Vec<u8>> {
    if let Some(view) = memoryview::of(v) {
        return memoryview::parts(view).map(|p| p.bytes());
    }
    bytearray::of(v).map(bytearray::snapshot).or_else(|| bytes::as_bytes(v).map(<[u8]>::to_vec))
}

/// To be called before the size of a bytearray changes. A view that was dropped does not count, but only a collection tells
/// whether it was; nor does one that only a temporary may refer to: better no error than a wrong one.
/// Errors: BufferError if a view looks at it.
pub fn may_resize(th: &mut Thread, b: &'static ByteArray) -> R<()> {
    if bytearray::views(b) == 0 {
        return Ok(());
    }
    let views = memoryview::views_of(b);
    if poll::certainly_used(th, &views).is_empty() {
        return Ok(());
    }
    Err(th.raise(Exc::BufferError, "Existing exports of data: object cannot be re-sized"))
}

/// `x + y`, `x * y`, `x % y` where a bytearray takes part: as with bytes; the result is of the left operand's type.
pub fn operator(th: &mut Thread, op: BinOp, x: Value, y: Value) -> R<Word> {
    let array = types::kind_of(x) == Kind::ByteArray || op == BinOp::Mul;
    let (left, right) = (as_bytes_object(&mut th.m, x)?, as_bytes_object(&mut th.m, y)?);
    if op == BinOp::Add && bytes::as_bytes(right).is_none() {
        // A right operand written in Mini may still know what to do.
        if let Some(v) = arith::try_method(th, "__radd__", y, x)? {
            return Ok(Some(v));
        }
        let (a, b) = (th.type_name(x), th.type_name(y));
        return Err(th.type_error(format!("can't concat {b} to {a}")));
    }
    let made = match (op, bytes::as_bytes(left)) {
        (BinOp::Mul, Some(_)) => arith::repeat(th, left, y)?,
        (BinOp::Mul, None) => arith::repeat(th, right, x)?,
        _ => arith::builtin(th, op, left, right)?,
    };
    match made.and_then(bytes::as_bytes) {
        Some(bytes) if array => th.m.new_bytearray(bytes).map(Some),
        _ => Ok(made),
    }
}

/// `x += y`, `x *= y`.
pub fn in_place(th: &mut Thread, op: BinOp, x: Value, y: Value) -> R<Word> {
    let Some(b) = bytearray::of(x) else { return Ok(None) };
    if op == BinOp::Add {
        let Some(more) = contents(y) else {
            let (a, b) = (th.type_name(x), th.type_name(y));
            return Err(th.type_error(format!("can't concat {b} to {a}")));
        };
        if !more.is_empty() {
            may_resize(th, b)?;
        }
        bytearray::splice(&mut th.m, b, usize::MAX, usize::MAX, &more)?;
        return Ok(Some(x));
    }
    let now = as_bytes_object(&mut th.m, x)?;
    let Some(made) = arith::repeat(th, now, y)? else { return Ok(None) };
    if bytes::as_bytes(made).is_some_and(|made| made.len() != bytearray::len(b)) {
        may_resize(th, b)?;
    }
    bytearray::replace(&mut th.m, b, bytes::as_bytes(made).unwrap_or(&[]))?;
    Ok(Some(x))
}

/// A byte out of an int.
pub fn byte(th: &mut Thread, v: Value) -> R<u8> {
    let n = match int::as_i64(v) {
        Some(n) => n,
        None if types::kind_of(v) == Kind::Int => -1,
        None => th.index(v)?,
    };
    u8::try_from(n).map_err(|_| th.value_error("byte must be in range(0, 256)"))
}

fn picked(all: &[u8], at: Bounds) -> Vec<u8> {
    (0..at.count)
        .filter_map(|i| all.get((at.start as isize + i as isize * at.step) as usize).copied())
        .collect()
}

/// `b[key]`.
pub fn get(th: &mut Thread, v: Value, key: Value) -> R {
    let Some(b) = bytearray::of(v) else { return Ok(Value::NONE) };
    if slice::of(key).is_some() {
        let (start, stop, step) = th.slice_parts(key)?;
        let all = bytearray::snapshot(b);
        let cut = picked(&all, slice::bounds(start, stop, step, all.len()));
        return th.m.new_bytearray(&cut);
    }
    let i = th.sequence_index(key, "bytearray")?;
    match position(i, bytearray::len(b)).and_then(|i| bytearray::get(b, i)) {
        Some(byte) => Ok(Value::int_unchecked(byte as i64)),
        None => Err(th.raise(Exc::IndexError, "bytearray index out of range")),
    }
}

/// `b[key] = v`.
pub fn set(th: &mut Thread, container: Value, key: Value, v: Value) -> R<()> {
    let Some(b) = bytearray::of(container) else { return Ok(()) };
    if slice::of(key).is_some() {
        let (start, stop, step) = th.slice_parts(key)?;
        let with = assigned(th, v)?;
        return set_slice(th, b, slice::bounds(start, stop, step, bytearray::len(b)), &with);
    }
    let i = th.sequence_index(key, "bytearray")?;
    // Before the length is looked at: what `__index__` does may change it.
    let byte = byte(th, v)?;
    match position(i, bytearray::len(b)).is_some_and(|i| bytearray::set(&mut th.m, b, i, byte)) {
        true => Ok(()),
        false => Err(th.raise(Exc::IndexError, "bytearray index out of range")),
    }
}

/// The right side of a slice assignment.
fn assigned(th: &mut Thread, v: Value) -> R<Vec<u8>> {
    if let Some(bytes) = contents(v) {
        return Ok(bytes);
    }
    let is_number = matches!(types::kind_of(v), Kind::Int | Kind::Bool | Kind::Float)
        || ["__index__", "__int__", "__float__"]
            .into_iter()
            .any(|name| th.lookup_override(v, name).is_some());
    if is_number || str::as_str(v).is_some() {
        return Err(th.type_error("can assign only bytes, buffers, or iterables of ints in range(0, 256)"));
    }
    if ["__iter__", "__getitem__"].into_iter().all(|name| th.lookup_special(v, name).is_none()) {
        let name = th.type_name(v);
        return Err(th.type_error(format!("cannot convert '{name}' object to bytearray")));
    }
    bytes_of_iterable(th, v)
}

/// The ints of an iterable as bytes.
pub fn bytes_of_iterable(th: &mut Thread, v: Value) -> R<Vec<u8>> {
    let mut it = th.iter(v)?;
    let mut out = Vec::new();
    while let Some(item) = it.next(th)? {
        out.push(byte(th, item)?);
    }
    Ok(out)
}

fn set_slice(th: &mut Thread, b: &'static ByteArray, at: Bounds, with: &[u8]) -> R<()> {
    if at.step == 1 {
        if with.len() != at.count {
            may_resize(th, b)?;
        }
        return bytearray::splice(&mut th.m, b, at.start, at.start + at.count, with);
    }
    if with.is_empty() {
        return delete_slice(th, b, at);
    }
    if with.len() != at.count {
        let (n, wanted) = (with.len(), at.count);
        let message = format!("attempt to assign bytes of size {n} to extended slice of size {wanted}");
        return Err(th.value_error(message));
    }
    for (i, byte) in with.iter().enumerate() {
        bytearray::set(&mut th.m, b, (at.start as isize + i as isize * at.step) as usize, *byte);
    }
    Ok(())
}

fn delete_slice(th: &mut Thread, b: &'static ByteArray, at: Bounds) -> R<()> {
    if at.count > 0 {
        may_resize(th, b)?;
    }
    let at = at.ascending();
    if at.step == 1 {
        return bytearray::splice(&mut th.m, b, at.start, at.start + at.count, &[]);
    }
    let step = at.step.unsigned_abs();
    let doomed =
        |i: usize| i >= at.start && (i - at.start).is_multiple_of(step) && (i - at.start) / step < at.count;
    let all = bytearray::snapshot(b);
    let kept: Vec<u8> = all.iter().enumerate().filter(|(i, _)| !doomed(*i)).map(|(_, byte)| *byte).collect();
    bytearray::replace(&mut th.m, b, &kept)
}

/// `del b[key]`.
pub fn delete(th: &mut Thread, v: Value, key: Value) -> R<()> {
    let Some(b) = bytearray::of(v) else { return Ok(()) };
    if slice::of(key).is_some() {
        let at = th.slice_bounds(key, bytearray::len(b))?;
        return delete_slice(th, b, at);
    }
    let i = th.sequence_index(key, "bytearray")?;
    if position(i, bytearray::len(b)).is_some() {
        may_resize(th, b)?;
    }
    match position(i, bytearray::len(b)).and_then(|i| bytearray::remove_at(&mut th.m, b, i)) {
        Some(_) => Ok(()),
        None => Err(th.raise(Exc::IndexError, "bytearray index out of range")),
    }
}
