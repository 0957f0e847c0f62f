//! Arithmetic on the words of registers: what the loop's arms do without a call. Must not know the heap.

use crate::bytecode::op::Insn;
use crate::object::Value;

#[inline(always)]
pub(super) fn is_int(x: u64) -> bool {
    x & 3 == 3
}

#[inline(always)]
pub(super) fn both_int(x: u64, y: u64) -> bool {
    x & y & 3 == 3
}

#[inline(always)]
pub(super) fn is_float(x: u64) -> bool {
    x & 6 == 4 || x & 7 == 1
}

#[inline(always)]
pub(super) fn both_float(x: u64, y: u64) -> bool {
    is_float(x) && is_float(y)
}

/// Both are floats other than zero and the very small: of these a word is the bits of 2**256 times the number, rotated.
/// So arithmetic can do without the tag's addition in most places, and rounds as it would on the numbers themselves.
#[inline(always)]
pub(super) fn both_scaled(x: u64, y: u64) -> bool {
    ((x ^ 4) | (y ^ 4)) & 6 == 0
}

/// Whether the result of an operation of `scaled` is the word of a float: else it is zero, too small or too large.
#[inline(always)]
pub(super) fn is_scaled(z: u64) -> bool {
    z & 6 == 4
}

/// Operations on words that are `both_scaled`; `is_scaled` tells whether the result is a word.
pub(super) mod scaled {
    use super::float;

    /// The number times 2**256.
    #[inline(always)]
    pub fn scaled(x: u64) -> f64 {
        f64::from_bits(x.rotate_right(4))
    }
    #[inline(always)]
    fn word(z: f64) -> u64 {
        z.to_bits().rotate_left(4)
    }
    #[inline(always)]
    pub fn add(x: u64, y: u64) -> u64 {
        word(scaled(x) + scaled(y))
    }
    #[inline(always)]
    pub fn sub(x: u64, y: u64) -> u64 {
        word(scaled(x) - scaled(y))
    }
    #[inline(always)]
    pub fn mul(x: u64, y: u64) -> u64 {
        word(scaled(x) * float(y))
    }
    #[inline(always)]
    pub fn div(x: u64, y: u64) -> u64 {
        word(scaled(x) / float(y))
    }
}

#[inline(always)]
pub(super) fn float(x: u64) -> f64 {
    f64::from_bits(x.wrapping_sub(1).rotate_right(4))
}

/// A positive float to the power of a float, if all is finite and fits a word; else 0.
pub(super) fn float_pow(x: u64, y: u64) -> u64 {
    if !both_float(x, y) || float(x) <= 0.0 {
        return 0;
    }
    let z = float(x).powf(float(y));
    let word = float_word(z);
    if z.is_finite() && fits_word(word) { word } else { 0 }
}

/// `-x` of a small int or inline float; 0: it is neither, or the result is not.
#[inline(always)]
pub(super) fn negated(x: u64) -> u64 {
    if is_int(x) {
        small::sub(int_word(0), x)
    } else if is_float(x) {
        Value::inline_float(-float(x)).map_or(0, Value::bits)
    } else {
        0
    }
}

/// A float's word, if it is one (`fits_word`).
#[inline(always)]
pub(super) fn float_word(f: f64) -> u64 {
    f.to_bits().rotate_left(4).wrapping_add(1)
}

/// Whether what `float_word` made is the word of an inline float: else it needs a box.
#[inline(always)]
pub(super) fn fits_word(e: u64) -> bool {
    if e & 6 == 4 {
        return true;
    }
    std::hint::cold_path();
    e & 7 == 1
}

#[inline(always)]
pub(super) fn int_word(n: i64) -> u64 {
    (n as u64) << 2 | 3
}

#[inline(always)]
pub(super) fn int(x: u64) -> i64 {
    x as i64 >> 2
}

/// Whether a float holds this small int exactly: then a quotient of two is rounded once, as it must be.
#[inline(always)]
pub(super) fn exact_in_float(x: u64) -> bool {
    int(x).unsigned_abs() <= 1 << 53
}

#[inline(always)]
pub(super) fn is_ref(x: u64) -> bool {
    x & 7 == 0
}

/// Keeps the compiler from turning a conditional jump of the script into a conditional move, whose one indirect jump
/// the processor predicts badly.
#[inline(always)]
pub(super) fn taken() {
    // SAFETY: no instruction at all.
    unsafe { std::arch::asm!("", options(nomem, nostack, preserves_flags)) }
}

/// The same address. The compiler must not know that it is: it would keep both.
#[inline(always)]
#[allow(clippy::pointers_in_nomem_asm_block)] // The address alone is passed; nothing is read there.
pub(super) fn same<T>(mut p: *mut T) -> *mut T {
    // SAFETY: no instruction at all.
    unsafe { std::arch::asm!("/* {0} */", inout(reg) p, options(pure, nomem, nostack, preserves_flags)) }
    p
}

/// The instruction after this one. The compiler must not know how the two are related: it would keep both addresses.
#[inline(always)]
pub(super) fn next(pc: *const Insn) -> *const Insn {
    same(pc.wrapping_add(1).cast_mut())
}

/// Hides from the compiler what is known of `x`, so that it cannot take an equal value from elsewhere.
#[inline(always)]
pub(super) fn own_chain(mut x: u64) -> u64 {
    // SAFETY: no instruction at all.
    unsafe { std::arch::asm!("/* {0} */", inout(reg) x, options(pure, nomem, nostack, preserves_flags)) }
    x
}

/// An integer operation on two small ints, on their words; 0 if the result does not fit.
pub(super) mod small {
    use super::{int, int_word};

    #[inline(always)]
    pub fn add(x: u64, y: u64) -> u64 {
        (x as i64 - 3).checked_add(y as i64).map_or(0, |n| n as u64)
    }
    #[inline(always)]
    pub fn sub(x: u64, y: u64) -> u64 {
        (x as i64).checked_sub(y as i64 - 3).map_or(0, |n| n as u64)
    }
    #[inline(always)]
    pub fn mul(x: u64, y: u64) -> u64 {
        (x as i64 - 3).checked_mul(y as i64 >> 2).map_or(0, |n| n as u64 | 3)
    }
    /// `y` is positive.
    #[inline(always)]
    pub fn modulo(x: u64, y: u64) -> u64 {
        let (m, n) = (int(x), int(y));
        if (m | n) as u64 >> 32 == 0 {
            return int_word((m as u32 % n as u32) as i64);
        }
        int_word(m.rem_euclid(n))
    }
    /// `y` is positive.
    #[inline(always)]
    pub fn floor_div(x: u64, y: u64) -> u64 {
        let (m, n) = (int(x), int(y));
        if (m | n) as u64 >> 32 == 0 {
            return int_word((m as u32 / n as u32) as i64);
        }
        int_word(m.div_euclid(n))
    }
    /// `0 <= n < 60`.
    #[inline(always)]
    pub fn shl(x: u64, n: i64) -> u64 {
        let m = int(x);
        let r = m << n;
        if r >> n == m && r == r << 2 >> 2 { int_word(r) } else { 0 }
    }
}
