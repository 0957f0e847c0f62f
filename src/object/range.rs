//! Ranges: arithmetic on three ints of any size, without making the numbers in between.
//! Must not know iteration protocols or error texts of callers.

use super::error::R;
use super::header::{Kind, Slot};
use super::layout::Range;
use super::mutator::Mutator;
use super::num::{self, BinOp};
use super::types;
use super::value::{Value, Word};
use std::cmp::Ordering;

/// `v` as a range.
#[inline]
pub fn of(v: Value) -> Option<&'static Range> {
    types::cast::<Range>(v)
}

/// Initialises the three words behind the header of a fresh Range or Slice (they have one layout).
pub(super) fn write_three(p: *mut Range, words: [Value; 3]) {
    let [start, stop, step] = words;
    // SAFETY: called with a fresh cell of one of the two structs, which nobody else sees yet.
    unsafe {
        (&raw mut (*p).start).write(Slot::new(start));
        (&raw mut (*p).stop).write(Slot::new(stop));
        (&raw mut (*p).step).write(Slot::new(step));
    }
}

impl Mutator {
    /// `range(start, stop, step)`; all are ints, and step is not 0.
    pub fn new_range(&mut self, start: Value, stop: Value, step: Value) -> R {
        let p = self.alloc::<Range>(0)?;
        write_three(p, [start, stop, step]);
        Ok(Value::from_addr(p as usize))
    }
}

/// Start, stop and step.
#[inline]
pub fn parts(r: &Range) -> [Value; 3] {
    [r.start.value(), r.stop.value(), r.step.value()]
}

/// Start, stop and step, if all are small.
#[inline]
pub fn small_parts(r: &Range) -> Option<(i64, i64, i64)> {
    let [start, stop, step] = parts(r);
    Some((start.as_small()?, stop.as_small()?, step.as_small()?))
}

/// Number of items of a range of small ints.
#[inline]
pub fn small_len(start: i64, stop: i64, step: i64) -> i64 {
    // Small ints have 62 bits, so no difference overflows. Nearly every range has step 1, and a division takes its time.
    if step == 1 {
        (stop - start).max(0)
    } else if step > 0 && start < stop {
        (stop - start - 1) / step + 1
    } else if step < 0 && stop < start {
        (start - stop - 1) / -step + 1
    } else {
        0
    }
}

/// Arithmetic on ints of any size.
fn int(m: &mut Mutator, op: BinOp, a: Value, b: Value) -> R {
    Ok(num::binary(m, op, a, b)?.unwrap_or(a))
}

fn order(a: Value, b: Value) -> Ordering {
    num::compare(a, b).flatten().unwrap_or(Ordering::Equal)
}

fn zero() -> Value {
    Value::int_unchecked(0)
}

fn one() -> Value {
    Value::int_unchecked(1)
}

/// Number of items, an int of any size.
pub fn len(m: &mut Mutator, r: &Range) -> R {
    if let Some((start, stop, step)) = small_parts(r) {
        return m.new_int(small_len(start, stop, step));
    }
    let [start, stop, step] = parts(r);
    let up = order(step, zero()) == Ordering::Greater;
    let (low, high) = if up { (start, stop) } else { (stop, start) };
    if order(low, high) != Ordering::Less {
        return Ok(zero());
    }
    let distance = int(m, BinOp::Sub, high, low)?;
    let last = int(m, BinOp::Sub, distance, one())?;
    let stride = if up { step } else { int(m, BinOp::Sub, zero(), step)? };
    let steps = int(m, BinOp::FloorDiv, last, stride)?;
    int(m, BinOp::Add, steps, one())
}

/// Item `i` (an int of any size, 0 or more), whether or not the range is that long.
pub fn item(m: &mut Mutator, r: &Range, i: Value) -> R {
    let [start, _, step] = parts(r);
    let offset = int(m, BinOp::Mul, i, step)?;
    int(m, BinOp::Add, start, offset)
}

/// `r[i]`, with negative indices counted from the end; `None` out of range.
pub fn get(m: &mut Mutator, r: &Range, i: Value) -> R<Word> {
    if let (Some((start, stop, step)), Some(i)) = (small_parts(r), i.as_small()) {
        let n = small_len(start, stop, step);
        let i = if i < 0 { i + n } else { i };
        return Ok(if (0..n).contains(&i) { Value::small(start + i * step) } else { None });
    }
    let n = len(m, r)?;
    let i = if order(i, zero()) == Ordering::Less { int(m, BinOp::Add, i, n)? } else { i };
    if order(i, zero()) == Ordering::Less || order(i, n) != Ordering::Less {
        return Ok(None);
    }
    item(m, r, i).map(Some)
}

/// The position of an int (or bool) in the range; `None` if it is not in it.
pub fn index_of(m: &mut Mutator, r: &Range, v: Value) -> R<Word> {
    let [start, stop, step] = parts(r);
    let up = order(step, zero()) == Ordering::Greater;
    let (first, last) =
        if up { (Ordering::Less, Ordering::Less) } else { (Ordering::Greater, Ordering::Greater) };
    if order(v, start) == first || order(v, stop) != last {
        return Ok(None);
    }
    let distance = int(m, BinOp::Sub, v, start)?;
    if order(int(m, BinOp::Mod, distance, step)?, zero()) != Ordering::Equal {
        return Ok(None);
    }
    int(m, BinOp::FloorDiv, distance, step).map(Some)
}

/// The range of the same numbers, backwards.
pub fn reversed(m: &mut Mutator, r: &Range) -> R {
    let [start, _, step] = parts(r);
    let n = len(m, r)?;
    let last = int(m, BinOp::Sub, n, one())?;
    let new_start = item(m, r, last)?;
    let new_stop = int(m, BinOp::Sub, start, step)?;
    let new_step = int(m, BinOp::Sub, zero(), step)?;
    m.new_range(new_start, new_stop, new_step)
}

/// `r[start:stop:by]`, cut to the range's length already.
pub fn sliced(m: &mut Mutator, r: &Range, [start, stop, by]: [Value; 3]) -> R {
    let [_, _, step] = parts(r);
    let (start, stop) = (item(m, r, start)?, item(m, r, stop)?);
    let step = int(m, BinOp::Mul, step, by)?;
    m.new_range(start, stop, step)
}

/// What decides whether two ranges are equal, and their hash: length, first item, step, each None where it does not
/// matter.
pub fn identity(m: &mut Mutator, r: &Range) -> R<[Value; 3]> {
    let n = len(m, r)?;
    let [start, _, step] = parts(r);
    Ok(match n.as_small() {
        Some(0) => [n, Value::NONE, Value::NONE],
        Some(1) => [n, start, Value::NONE],
        _ => [n, start, step],
    })
}

/// Whether two ranges have the same items.
pub fn eq(m: &mut Mutator, a: &Range, b: &Range) -> R<bool> {
    let (a, b) = (identity(m, a)?, identity(m, b)?);
    let same =
        |(a, b): (&Value, &Value)| a == b || num::compare(*a, *b).is_some_and(|o| o == Some(Ordering::Equal));
    Ok(a.iter().zip(&b).all(same))
}

/// Whether a value is an int or bool, whose position in a range is a matter of arithmetic.
pub fn is_int(v: Value) -> bool {
    matches!(types::kind_of(v), Kind::Int | Kind::Bool)
}
