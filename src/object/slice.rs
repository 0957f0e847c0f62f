//! Slices: three values, and the arithmetic that cuts them to a length. Must not know what is being sliced.

use super::error::R;
use super::layout::Slice;
use super::mutator::Mutator;
use super::types;
use super::value::Value;

/// `v` as a slice.
#[inline]
pub fn of(v: Value) -> Option<&'static Slice> {
    types::cast::<Slice>(v)
}

/// `slice(start, stop, step)`; None where the script gave nothing.
pub fn new(m: &mut Mutator, start: Value, stop: Value, step: Value) -> R {
    let p = m.alloc::<Slice>(0)?;
    super::range::write_three(p.cast(), [start, stop, step]);
    Ok(Value::from_addr(p as usize))
}

/// Which items of a sequence a slice means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bounds {
    pub start: usize,
    /// Where the walk ends; before the first item, when going backwards: -1.
    pub stop: isize,
    pub step: isize,
    pub count: usize,
}

impl Bounds {
    /// For `step == 1`: where the slice ends, never before its start.
    pub fn end(&self) -> usize {
        self.start + if self.step == 1 { self.count } else { 0 }
    }

    /// The same items in ascending order.
    pub fn ascending(self) -> Bounds {
        if self.step > 0 || self.count == 0 {
            return Bounds { step: self.step.saturating_abs(), ..self };
        }
        let start = self.start as isize + (self.count as isize - 1) * self.step;
        Bounds {
            start: start.max(0) as usize,
            stop: self.start as isize + 1,
            step: -self.step,
            count: self.count,
        }
    }
}

/// Cuts a slice to `len` items: start, stop and step as `slice.indices` gives them. `None` stands for an omitted part;
/// ints beyond `i64` come in clamped; `step` is not 0.
pub fn indices(start: Option<i64>, stop: Option<i64>, step: Option<i64>, len: usize) -> (i64, i64, i64) {
    let step = step.unwrap_or(1).max(-i64::MAX);
    let len = len as i64;
    let (lowest, highest) = if step < 0 { (-1, len - 1) } else { (0, len) };
    let cut = |at: i64| if at < 0 { at.saturating_add(len).max(lowest) } else { at.min(highest) };
    let start = start.map_or(if step < 0 { highest } else { lowest }, cut);
    let stop = stop.map_or(if step < 0 { lowest } else { highest }, cut);
    (start, stop, step)
}

/// As `bounds`, of a slice without a step whose ends are small ints or not given. `None`: it is another one.
#[inline]
pub fn plain_bounds(s: &Slice, len: usize) -> Option<Bounds> {
    if s.step.value().is_none() { bounds_of_ends(s.start.value(), s.stop.value(), len) } else { None }
}

#[inline(always)]
fn bounds_of_ends(start: Value, stop: Value, len: usize) -> Option<Bounds> {
    let cut = |at: Value, omitted: usize| {
        if at.is_none() {
            return Some(omitted);
        }
        let at = at.as_small()?;
        Some(if at < 0 { at + len as i64 } else { at.min(len as i64) }.max(0) as usize)
    };
    let (start, stop) = (cut(start, 0)?, cut(stop, len)?);
    Some(Bounds { start, stop: stop as isize, step: 1, count: stop.saturating_sub(start) })
}

/// As `indices`, with the number of items.
pub fn bounds(start: Option<i64>, stop: Option<i64>, step: Option<i64>, len: usize) -> Bounds {
    let (start, stop, step) = indices(start, stop, step, len);
    let count = if step > 0 && start < stop {
        (stop - start - 1) / step + 1
    } else if step < 0 && stop < start {
        (start - stop - 1) / -step + 1
    } else {
        0
    };
    Bounds { start: start.max(0) as usize, stop: stop as isize, step: step as isize, count: count as usize }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(b: Bounds) -> Vec<i64> {
        (0..b.count as i64).map(|k| b.start as i64 + k * b.step as i64).collect()
    }

    #[test]
    fn bounds_as_cpython() {
        assert_eq!(items(bounds(None, None, None, 3)), [0, 1, 2]);
        assert_eq!(items(bounds(None, None, Some(-1), 3)), [2, 1, 0]);
        assert_eq!(items(bounds(Some(-2), None, None, 3)), [1, 2]);
        assert_eq!(items(bounds(Some(5), Some(-9), Some(-2), 6)), [5, 3, 1]);
        assert_eq!(items(bounds(Some(i64::MIN), Some(i64::MAX), Some(i64::MAX), 4)), [0]);
        assert_eq!(items(bounds(Some(i64::MAX), Some(i64::MIN), Some(i64::MIN), 4)), [3]);
        assert_eq!(items(bounds(None, None, Some(-1), 0)), [0i64; 0]);
        assert_eq!(items(bounds(Some(4), Some(0), Some(-2), 9).ascending()), [2, 4]);
    }

    #[test]
    fn bounds_of_ends_as_bounds() {
        let ends = [None, Some(-9), Some(-4), Some(-1), Some(0), Some(2), Some(4), Some(9)];
        for (start, stop) in ends.iter().flat_map(|a| ends.iter().map(move |b| (*a, *b))) {
            let [x, y] = [start, stop].map(|n| n.map_or(Value::NONE, Value::int_unchecked));
            assert_eq!(bounds_of_ends(x, y, 4), Some(bounds(start, stop, None, 4)));
        }
    }
}
