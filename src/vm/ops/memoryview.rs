//! Items, slices, comparison and hash of views of bytes. Must not know their methods, nor how a view is kept.

use super::bytearray::as_bytes_object;
use crate::object::layout::MemoryView;
use crate::object::memoryview::{self, Format, Parts};
use crate::object::mutator::Mutator;
use crate::object::num::CmpOp;
use crate::object::slice;
use crate::object::{Exc, Kind, R, Raised, Value, Word, bytes, float, int, tuple, types};
use crate::vm::slicing::position;
use crate::vm::thread::Thread;
use std::sync::atomic::Ordering;

/// What a view is made of. Errors: ValueError if it has been released.
pub fn looking(m: &mut Mutator, view: &MemoryView) -> R<Parts> {
    memoryview::parts(view).ok_or_else(|| m.value_error("operation forbidden on released memoryview object"))
}

/// As `looking`, of a value that must be a view.
pub fn of(m: &mut Mutator, v: Value) -> R<Parts> {
    match memoryview::of(v) {
        Some(view) => looking(m, view),
        None => {
            let got = crate::object::class::name(types::class_of(v));
            Err(m.type_error(format!("descriptor requires a 'memoryview' object but received a '{got}'")))
        }
    }
}

/// `len(v)`.
pub fn len(m: &mut Mutator, v: Value) -> R<usize> {
    Ok(of(m, v)?.count)
}

/// Item `i`; `None`: there is none.
pub fn item(m: &mut Mutator, p: &Parts, i: usize) -> R<Word> {
    match p.read(i).filter(|_| i < p.count) {
        Some(item) => decoded(m, p.format, item).map(Some),
        None => Ok(None),
    }
}

/// The value that the bytes of an item stand for.
pub fn decoded(m: &mut Mutator, format: Format, item: [u8; 8]) -> R {
    let word = u64::from_le_bytes(item);
    let n = match format.code {
        b'c' => return m.new_bytes(&[word as u8]),
        b'?' => return Ok(Value::bool(word != 0)),
        b'f' => return m.new_float(f64::from(f32::from_bits(word as u32))),
        b'd' => return m.new_float(f64::from_bits(word)),
        b'Q' | b'L' | b'N' | b'P' => return m.new_uint(word),
        b'b' => i64::from(word as i8),
        b'h' => i64::from(word as i16),
        b'i' => i64::from(word as i32),
        b'l' | b'q' | b'n' => word as i64,
        // The unsigned ones of up to four bytes: the bytes behind are zeros.
        _ => word as i64,
    };
    m.new_int(n)
}

/// The bytes of an item that stands for a value; only the first are meant, by the size of the format.
/// Errors: TypeError, ValueError as the format tells.
pub fn encoded(th: &mut Thread, format: Format, v: Value) -> R<[u8; 8]> {
    let word = match format.code {
        b'c' => match bytes::as_bytes(v) {
            Some([byte]) => u64::from(*byte),
            Some(_) => return Err(invalid(th, format, "value")),
            None => return Err(invalid(th, format, "type")),
        },
        b'?' => u64::from(th.is_true(v)?),
        b'f' => u64::from((real(th, format, v)? as f32).to_bits()),
        b'd' => real(th, format, v)?.to_bits(),
        _ => whole_number(th, format, v)?,
    };
    Ok(word.to_le_bytes())
}

fn invalid(th: &mut Thread, format: Format, what: &str) -> Raised {
    let message = format!("memoryview: invalid {what} for format '{}'", char::from(format.code));
    if what == "type" { th.type_error(message) } else { th.value_error(message) }
}

/// The two errors that mean that a value does not suit the format; others stay what they are.
fn unsuited(th: &mut Thread, format: Format, raised: Raised) -> Raised {
    if th.pending_is(Exc::TypeError) {
        return invalid(th, format, "type");
    }
    if th.pending_is(Exc::OverflowError) || th.pending_is(Exc::ValueError) {
        return invalid(th, format, "value");
    }
    raised
}

fn real(th: &mut Thread, format: Format, v: Value) -> R<f64> {
    let made = match th.lookup_special(v, "__float__") {
        Some(f) if types::kind_of(v) != Kind::Int => {
            th.call(f, &[v]).map_err(|raised| unsuited(th, format, raised))?
        }
        _ => v,
    };
    if let Some(f) = float::as_f64(made) {
        return Ok(f);
    }
    let n = th.index_value(made).map_err(|raised| unsuited(th, format, raised))?;
    int::to_f64(&mut th.m, n).map_err(|raised| unsuited(th, format, raised))
}

fn whole_number(th: &mut Thread, format: Format, v: Value) -> R<u64> {
    let n = th.index_value(v).map_err(|raised| unsuited(th, format, raised))?;
    let bits = 8 * format.size() as u32;
    let fits = if format.code == b'P' {
        int::as_i64(n).map(|n| n as u64).or_else(|| as_u64(n))
    } else if format.code.is_ascii_lowercase() {
        let low = i64::MIN >> (64 - bits);
        int::as_i64(n).filter(|n| (low..=!low).contains(n)).map(|n| n as u64)
    } else {
        as_u64(n).filter(|n| *n <= u64::MAX >> (64 - bits))
    };
    fits.ok_or_else(|| invalid(th, format, "value"))
}

fn as_u64(n: Value) -> Option<u64> {
    int::to_ibig(n).and_then(|n| u64::try_from(&n).ok())
}

/// An index of a view: a tuple of one int will do as well.
fn plain_key(th: &mut Thread, key: Value) -> R {
    if tuple::of(key).is_none() {
        return Ok(key);
    }
    match tuple::items(key) {
        [] => Err(th.raise(Exc::NotImplementedError, "sub-views are not implemented")),
        [only] if types::kind_of(only.value()) != Kind::Slice => Ok(only.value()),
        all if all.iter().all(|k| slice::of(k.value()).is_some()) => {
            Err(th.raise(Exc::NotImplementedError, "multi-dimensional slicing is not implemented"))
        }
        all if all.iter().any(|k| !is_index(th, k.value())) => {
            Err(th.type_error("memoryview: invalid slice key"))
        }
        all => {
            let n = all.len();
            Err(th.type_error(format!("cannot index 1-dimension view with {n}-element tuple")))
        }
    }
}

fn is_index(th: &mut Thread, key: Value) -> bool {
    matches!(types::kind_of(key), Kind::Int | Kind::Bool) || th.lookup_special(key, "__index__").is_some()
}

/// The place that an index means.
fn place(th: &mut Thread, p: &Parts, key: Value) -> R<usize> {
    if !is_index(th, key) {
        return Err(th.type_error("memoryview: invalid slice key"));
    }
    let i = th.sequence_index(key, "memoryview")?;
    position(i, p.count).ok_or_else(|| th.raise(Exc::IndexError, "index out of bounds on dimension 1"))
}

/// The part that a slice means.
fn cut(th: &mut Thread, p: Parts, key: Value) -> R<Parts> {
    let b = th.slice_bounds(key, p.count)?;
    // The distance may be any number where there is but one item.
    let start = (p.start as isize).wrapping_add(p.stride.wrapping_mul(b.start as isize));
    Ok(Parts { start: start as usize, count: b.count, stride: p.stride.saturating_mul(b.step), ..p })
}

/// `view[key]`.
pub fn get(th: &mut Thread, v: Value, key: Value) -> R {
    let p = of(&mut th.m, v)?;
    if slice::of(key).is_some() {
        let part = cut(th, p, key)?;
        return memoryview::new(&mut th.m, part);
    }
    if key == Value::ELLIPSIS {
        return Err(th.type_error("memoryview: invalid slice key"));
    }
    let key = plain_key(th, key)?;
    let i = place(th, &p, key)?;
    // Finding the index may have run anything.
    of(&mut th.m, v)?;
    let found = item(&mut th.m, &p, i)?;
    found.ok_or_else(|| th.raise(Exc::IndexError, "index out of bounds on dimension 1"))
}

/// `view[key] = value`.
pub fn set(th: &mut Thread, v: Value, key: Value, value: Value) -> R<()> {
    let p = of(&mut th.m, v)?;
    if p.readonly {
        return Err(th.type_error("cannot modify read-only memory"));
    }
    if slice::of(key).is_some() {
        let to = cut(th, p, key)?;
        return set_slice(th, &to, value);
    }
    let key = plain_key(th, key)?;
    let i = place(th, &p, key)?;
    let item = encoded(th, p.format, value)?;
    of(&mut th.m, v)?;
    p.write(&mut th.m, i, item.get(..p.format.size()).unwrap_or(&item));
    Ok(())
}

fn set_slice(th: &mut Thread, to: &Parts, value: Value) -> R<()> {
    let Some(from) = seen(th, value)? else {
        let got = th.type_name(value);
        return Err(th.type_error(format!("a bytes-like object is required, not '{got}'")));
    };
    if from.count != to.count || from.format.code != to.format.code {
        let message = "memoryview assignment: lvalue and rvalue have different structures";
        return Err(th.value_error(message));
    }
    let bytes = from.bytes();
    to.fill(&mut th.m, &bytes);
    Ok(())
}

/// `del view[key]`.
pub fn not_deletable(th: &mut Thread, v: Value) -> Raised {
    match of(&mut th.m, v) {
        Ok(p) if p.readonly => th.type_error("cannot modify read-only memory"),
        Ok(_) => th.type_error("cannot delete memory"),
        Err(raised) => raised,
    }
}

/// What a view of `v` would look at; `None`: it has no bytes to show. A class of scripts shows some by `__buffer__`.
pub fn seen(th: &mut Thread, v: Value) -> R<Option<Parts>> {
    if let Some(view) = memoryview::of(v) {
        return looking(&mut th.m, view).map(Some);
    }
    if let Some(p) = memoryview::whole(v, v) {
        return Ok(Some(p));
    }
    if types::kind_of(v) != Kind::Instance {
        return Ok(None);
    }
    let Some(show) = th.lookup_special(v, "__buffer__") else { return Ok(None) };
    let shown = th.call(show, &[v, Value::int_unchecked(0)])?;
    match memoryview::of(shown) {
        Some(view) => {
            let p = looking(&mut th.m, view)?;
            memoryview::release(view);
            Ok(Some(Parts { obj: v, ..p }))
        }
        None => Err(th.type_error("__buffer__ returned non-memoryview object")),
    }
}

/// What can be written into: a bytearray, a view of one, an array. `what`: the argument, for the message.
pub fn writable_buffer(th: &mut Thread, v: Value, what: &str) -> R<Parts> {
    match seen(th, v)? {
        Some(p) if !p.readonly && p.is_contiguous() => Ok(p),
        _ => {
            let got = th.type_name(v);
            Err(th.type_error(format!("{what} must be read-write bytes-like object, not {got}")))
        }
    }
}

/// Whatever shows bytes as a bytes object; any other value as it is.
pub fn bytes_object(th: &mut Thread, v: Value) -> R {
    if types::kind_of(v) == Kind::Instance
        && let Some(p) = seen(th, v)?
    {
        let bytes = p.bytes();
        return th.m.new_bytes(&bytes);
    }
    as_bytes_object(&mut th.m, v)
}

/// `x == y` where one of them is a view; `None`: they do not compare.
pub fn equal(th: &mut Thread, x: Value, y: Value) -> R<Option<bool>> {
    if x == y {
        return Ok(Some(true));
    }
    let released = |v| memoryview::of(v).is_some_and(|view| memoryview::parts(view).is_none());
    if released(x) || released(y) {
        return Ok(Some(false));
    }
    let (Some(a), Some(b)) = (seen(th, x)?, seen(th, y)?) else { return Ok(None) };
    if a.count != b.count {
        return Ok(Some(false));
    }
    if a.format.code == b.format.code && !matches!(a.format.code, b'f' | b'd' | b'?') {
        return Ok(Some(a.bytes() == b.bytes()));
    }
    for i in 0..a.count {
        let (Some(one), Some(other)) = (item(&mut th.m, &a, i)?, item(&mut th.m, &b, i)?) else {
            return Ok(Some(false));
        };
        // Not by identity: a NaN is not equal to itself.
        if super::compare::builtin(th, CmpOp::Eq, one, other)? != Some(true) {
            return Ok(Some(false));
        }
    }
    Ok(Some(true))
}

/// `hash(view)`: that of the same bytes.
pub fn hash(m: &mut Mutator, v: Value) -> R<i64> {
    let known = memoryview::of(v).map_or(0, |view| view.hash.load(Ordering::Relaxed));
    if known != 0 {
        return Ok(known as i64);
    }
    let p = of(m, v)?;
    if !p.readonly {
        return Err(m.value_error("cannot hash writable memoryview object"));
    }
    if !p.format.is_bytes() {
        return Err(m.value_error("memoryview: hashing is restricted to formats 'B', 'b' or 'c'"));
    }
    let same = m.new_bytes(&p.bytes())?;
    let hash = bytes::view(same).map_or(0, bytes::hash);
    if let Some(view) = memoryview::of(v) {
        view.hash.store(hash as u64, Ordering::Relaxed);
    }
    Ok(hash)
}
