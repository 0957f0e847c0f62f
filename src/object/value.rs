//! The word: one 64-bit value, and how ints, floats, specials and references share it.
//! Must not know the heap or any type's layout.
//!
//! ```text
//!   ...xx11   int, 62 bits                      n << 2 | 3
//!   ....10x   float (exponents -255..256)       rotl(bits, 4) + 1; tags 100 and 101
//!   ....001   float (zeros and tiny)            rotl(bits, 4) + 1
//!   ....000   reference to a heap object (16-byte aligned, never 0)
//!   ....010   special: None, False, True, ...
//! ```
//!
//! A float whose encoding would have another tag (huge, inf, nan) lives in a box on the heap. The word 0 is EMPTY:
//! no value at all; `Option<Value>` is one word, `None` being EMPTY, and so is `Result<Value, Raised>`.
//! One word, because with the GIL off two threads may race on it and it must never tear.

use std::num::NonZeroU64;

/// A Mini value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Value(NonZeroU64);

/// A word that may be EMPTY.
pub type Word = Option<Value>;

const fn special(n: u64) -> Value {
    match NonZeroU64::new(n << 3 | 2) {
        Some(bits) => Value(bits),
        None => unreachable!(), // unreachable: the low bits are not 0
    }
}

/// Smallest and largest int that fit a word; others are big integers on the heap.
pub const INT_MIN: i64 = -(1 << 61);
pub const INT_MAX: i64 = (1 << 61) - 1;

impl Value {
    pub const NONE: Value = special(0);
    pub const FALSE: Value = special(1);
    pub const TRUE: Value = special(2);
    pub const ELLIPSIS: Value = special(3);
    pub const NOT_IMPLEMENTED: Value = special(4);
    /// In a loop's state: the other registers hold a range. Never seen by a script.
    pub const RANGE_STATE: Value = special(5);
    /// In a hash table: a deleted key. Never seen by a script.
    pub const DELETED: Value = special(6);

    /// The raw word.
    #[inline(always)]
    pub const fn bits(self) -> u64 {
        self.0.get()
    }

    /// The value with these bits; `None` for 0.
    #[inline(always)]
    pub const fn from_bits(bits: u64) -> Word {
        match NonZeroU64::new(bits) {
            Some(bits) => Some(Value(bits)),
            None => None,
        }
    }

    /// A reference. `addr` must be the non-zero, 16-byte-aligned address of a heap object.
    #[inline(always)]
    pub fn from_addr(addr: usize) -> Value {
        debug_assert!(addr != 0 && addr & 15 == 0);
        // A zero address cannot come out of the allocator; NONE keeps this total without a branch that can panic.
        Value::from_bits(addr as u64).unwrap_or(Value::NONE)
    }

    /// True and False as values.
    #[inline(always)]
    pub const fn bool(b: bool) -> Value {
        if b { Value::TRUE } else { Value::FALSE }
    }

    /// An int that fits a word; `None` if `n` does not (then it must become a big integer).
    #[inline(always)]
    pub fn small(n: i64) -> Option<Value> {
        if (INT_MIN..=INT_MAX).contains(&n) { Some(Value::int_unchecked(n)) } else { None }
    }

    /// An int that is known to fit (a length, a count, an `i32`). Bits beyond 62 are lost.
    #[inline(always)]
    pub const fn int_unchecked(n: i64) -> Value {
        match Value::from_bits((n as u64) << 2 | 3) {
            Some(v) => v,
            None => Value::NONE,
        }
    }

    #[inline(always)]
    pub const fn is_small_int(self) -> bool {
        self.bits() & 3 == 3
    }

    /// The int, if this is a small one.
    #[inline(always)]
    pub const fn as_small(self) -> Option<i64> {
        if self.is_small_int() { Some(self.small_unchecked()) } else { None }
    }

    /// The int of a word already known to be a small int.
    #[inline(always)]
    pub const fn small_unchecked(self) -> i64 {
        self.bits() as i64 >> 2
    }

    /// A float that fits a word; `None` if it needs a box.
    #[inline(always)]
    pub const fn inline_float(f: f64) -> Option<Value> {
        let e = f.to_bits().rotate_left(4).wrapping_add(1);
        if e & 6 == 4 || e & 7 == 1 { Value::from_bits(e) } else { None }
    }

    #[inline(always)]
    pub const fn is_inline_float(self) -> bool {
        self.bits() & 6 == 4 || self.bits() & 7 == 1
    }

    /// The float of a word already known to be an inline float.
    #[inline(always)]
    pub const fn float_unchecked(self) -> f64 {
        f64::from_bits(self.bits().wrapping_sub(1).rotate_right(4))
    }

    #[inline(always)]
    pub const fn is_ref(self) -> bool {
        self.bits() & 7 == 0
    }

    /// The address of a word already known to be a reference.
    #[inline(always)]
    pub const fn addr(self) -> usize {
        self.bits() as usize
    }

    #[inline(always)]
    pub fn is_none(self) -> bool {
        self == Value::NONE
    }

    #[inline(always)]
    pub fn is_bool(self) -> bool {
        self == Value::TRUE || self == Value::FALSE
    }
}

impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(n) = self.as_small() {
            write!(f, "{n}")
        } else if self.is_inline_float() {
            write!(f, "{:?}", self.float_unchecked())
        } else {
            write!(f, "Value({:#x})", self.bits())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ints_round_trip() {
        for n in [0, 1, -1, 42, INT_MIN, INT_MAX] {
            let v = Value::small(n).expect("fits");
            assert!(v.is_small_int() && !v.is_inline_float() && !v.is_ref());
            assert_eq!(v.as_small(), Some(n));
        }
        assert_eq!(Value::small(INT_MAX + 1), None);
        assert_eq!(Value::small(INT_MIN - 1), None);
    }

    #[test]
    fn floats_round_trip_or_ask_for_a_box() {
        for f in [0.0, -0.0, 1.0, -1.5, 1e-300, 3.25e70, std::f64::consts::PI, f64::MIN_POSITIVE] {
            if let Some(v) = Value::inline_float(f) {
                assert!(v.is_inline_float() && !v.is_small_int() && !v.is_ref(), "{f}");
                assert_eq!(v.float_unchecked().to_bits(), f.to_bits());
            }
        }
        assert!(Value::inline_float(0.1).is_some() && Value::inline_float(0.0).is_some());
        assert!(Value::inline_float(f64::INFINITY).is_none() && Value::inline_float(f64::NAN).is_none());
    }

    #[test]
    fn specials_are_no_numbers_and_no_references() {
        for v in [Value::NONE, Value::TRUE, Value::FALSE, Value::ELLIPSIS, Value::DELETED] {
            assert!(!v.is_small_int() && !v.is_inline_float() && !v.is_ref());
        }
    }
}
