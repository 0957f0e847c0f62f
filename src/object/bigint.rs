//! Arithmetic of big integers as Python defines it, on top of dashu: floor division, shifts, powers, exact conversions.
//! Must not know values or the heap.

use super::num::BinOp;
use dashu_int::fast_div::ConstDivisor;
use dashu_int::ops::{BitTest, DivRem, UnsignedAbs};
pub use dashu_int::{IBig, Sign, UBig};
use std::cmp::Ordering;

/// Why an operation on numbers fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NumError {
    ZeroDivision(&'static str),
    Overflow(&'static str),
    Value(&'static str),
    /// The C library's ERANGE: an OverflowError with the error's number.
    Range,
    /// The result would not fit the memory there is.
    Memory,
}

pub const TOO_LARGE: NumError = NumError::Overflow("int too large to convert to float");
pub const COMPLEX: NumError =
    NumError::Value("a negative number to a fractional power is complex, and Mini has no complex numbers");
const MODULUS: u64 = (1 << 61) - 1;

/// Quotient rounded down, and the remainder, which has the divisor's sign. `b` is not 0.
pub fn floor_div_rem(a: &IBig, b: &IBig) -> (IBig, IBig) {
    let (q, r) = a.div_rem(b);
    if !r.is_zero() && r.sign() != b.sign() { (q - IBig::ONE, r + b) } else { (q, r) }
}

/// The operators that give an int, but for shifts and powers.
pub fn binary(op: BinOp, a: &IBig, b: &IBig) -> Result<IBig, NumError> {
    let divide = |message| {
        if b.is_zero() { Err(NumError::ZeroDivision(message)) } else { Ok(floor_div_rem(a, b)) }
    };
    // Shifts and powers, whose results may be far longer than their operands, ask once more.
    let steep = matches!(op, BinOp::Mul | BinOp::FloorDiv | BinOp::Mod);
    check_scratch((a.bit_len() + b.bit_len()) as u128, if steep { PRODUCTS } else { SCRATCH })?;
    Ok(match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::FloorDiv => divide("integer division or modulo by zero")?.0,
        BinOp::Mod => divide("integer modulo by zero")?.1,
        BinOp::BitAnd => a & b,
        BinOp::BitOr => a | b,
        BinOp::BitXor => a ^ b,
        BinOp::Lshift => shift_left(a, b)?,
        BinOp::Rshift => shift_right(a, b)?,
        BinOp::Pow => pow(a, b)?,
        BinOp::Div | BinOp::MatMul => return Err(NumError::Value("not an operator of ints")),
    })
}

/// Intermediate results are several times as large as the final one.
const SCRATCH: u128 = 4;
/// Those of products, quotients and powers: measured at 8 to 12 times.
const PRODUCTS: u128 = 12;

/// Whether there is room to calculate a number of so many bits. The crate below panics where memory runs out, so the
/// question comes first.
pub fn check_bits(bits: u128) -> Result<(), NumError> {
    check_scratch(bits, SCRATCH)
}

fn check_scratch(bits: u128, scratch: u128) -> Result<(), NumError> {
    if bits < 1 << 20 {
        return Ok(());
    }
    let bytes = bits / 8 * scratch;
    if bytes > super::heap::limit() as u128 { Err(NumError::Memory) } else { check_bytes(bytes as usize) }
}

/// Whether the system would give so many bytes: it may allow the process less than the heap may take.
fn check_bytes(n: usize) -> Result<(), NumError> {
    Vec::<u8>::new().try_reserve_exact(n).map_err(|_| NumError::Memory)
}

fn shift_left(a: &IBig, b: &IBig) -> Result<IBig, NumError> {
    if b.sign() == Sign::Negative {
        return Err(NumError::Value("negative shift count"));
    }
    if a.is_zero() {
        return Ok(IBig::ZERO);
    }
    let Ok(n) = u64::try_from(b) else { return Err(NumError::Overflow("too many digits in integer")) };
    check_bits(n as u128 + a.bit_len() as u128)?;
    Ok(a << n as usize)
}

fn shift_right(a: &IBig, b: &IBig) -> Result<IBig, NumError> {
    if b.sign() == Sign::Negative {
        return Err(NumError::Value("negative shift count"));
    }
    match usize::try_from(b) {
        Ok(n) if n <= a.bit_len() => Ok(a >> n),
        _ => Ok(if a.sign() == Sign::Negative { IBig::NEG_ONE } else { IBig::ZERO }),
    }
}

/// `a ** b` for `b >= 0`.
fn pow(a: &IBig, b: &IBig) -> Result<IBig, NumError> {
    let odd = b.bit(0);
    if b.is_zero() || a.is_one() {
        return Ok(IBig::ONE);
    }
    if a.is_zero() {
        return Ok(IBig::ZERO);
    }
    if *a == IBig::NEG_ONE {
        return Ok(if odd { IBig::NEG_ONE } else { IBig::ONE });
    }
    let Ok(n) = u64::try_from(b) else { return Err(NumError::Memory) };
    let power_of_two = a.trailing_zeros() == Some(a.bit_len() - 1);
    check_scratch((a.bit_len() - usize::from(power_of_two)) as u128 * n as u128, PRODUCTS)?;
    Ok(a.pow(n as usize))
}

/// `pow(base, exponent, modulus)`.
pub fn pow_mod(base: &IBig, exponent: &IBig, modulus: &IBig) -> Result<IBig, NumError> {
    if modulus.is_zero() {
        return Err(NumError::Value("pow() 3rd argument cannot be 0"));
    }
    let size = modulus.unsigned_abs();
    let ring = ConstDivisor::new(size.clone());
    let mut base = ring.reduce(floor_div_rem(base, &IBig::from(size.clone())).1.unsigned_abs());
    if exponent.sign() == Sign::Negative {
        let not_invertible = NumError::Value("base is not invertible for the given modulus");
        base = base.inv().ok_or(not_invertible)?;
    }
    check_bits(4 * size.bit_len() as u128)?;
    let residue = if size.is_one() { UBig::ZERO } else { base.pow(&exponent.unsigned_abs()).residue() };
    Ok(floor_div_rem(&IBig::from(residue), modulus).1)
}

/// `m * 2**e` as the nearest float, ties to even; `None` if it is too large. A set lowest bit of a mantissa of more than
/// 55 bits may stand for any bits beyond.
pub fn scale(m: u64, e: i64) -> Option<f64> {
    if m == 0 {
        return Some(0.0);
    }
    let top = 64 - m.leading_zeros() as i64 + e;
    // The last bit that the result can have.
    let last = (top - 53).max(-1074);
    let drop = last - e;
    let mut kept = m;
    let mut exponent = e;
    if drop > 0 {
        let whole = if drop > 63 { 0 } else { m >> drop };
        let half = if drop > 64 {
            Ordering::Less
        } else {
            (m as u128 - ((whole as u128) << drop)).cmp(&(1 << (drop - 1)))
        };
        kept = whole + (half.is_gt() || half.is_eq() && whole & 1 == 1) as u64;
        exponent = last;
    }
    let f = times_power_of_two(kept as f64, exponent);
    f.is_finite().then_some(f)
}

/// `f * 2**e`, for results that need no rounding.
fn times_power_of_two(mut f: f64, mut e: i64) -> f64 {
    let power = |e: i64| f64::from_bits(((e + 1023) as u64) << 52);
    while e > 1023 && f.is_finite() {
        f *= power(1023);
        e -= 1023;
    }
    while e < -1022 && f != 0.0 {
        // The last step may leave the normal range, but the product is exact.
        let step = e.max(-1022);
        f *= power(step);
        e -= step;
    }
    if (-1022..=1023).contains(&e) { f * power(e) } else { f }
}

/// The topmost 64 bits, the lowest of them also standing for all that follow, and how many follow.
pub fn top_bits(n: &UBig) -> (u64, i64) {
    let below = n.bit_len().saturating_sub(64);
    let top = u64::try_from(n >> below).unwrap_or(u64::MAX);
    let sticky = n.trailing_zeros().is_some_and(|zeros| zeros < below);
    (top | sticky as u64, below as i64)
}

/// The nearest float; `None` if there is none.
pub fn to_f64(n: &IBig) -> Option<f64> {
    let (m, e) = top_bits(&n.unsigned_abs());
    let f = scale(m, e)?;
    Some(if n.sign() == Sign::Negative { -f } else { f })
}

/// `a / b`, correctly rounded.
pub fn true_div(a: &IBig, b: &IBig) -> Result<f64, NumError> {
    if b.is_zero() {
        return Err(NumError::ZeroDivision("division by zero"));
    }
    let negative = a.sign() != b.sign();
    let (a, b) = (a.unsigned_abs(), b.unsigned_abs());
    // A quotient of 62 or 63 bits.
    let e = a.bit_len() as i64 - b.bit_len() as i64 - 62;
    if e > 1100 {
        return Err(NumError::Overflow("integer division result too large for a float"));
    }
    if e < -1300 || a.is_zero() {
        return Ok(if negative { -0.0 } else { 0.0 });
    }
    let shift = e.unsigned_abs() as usize;
    let (q, r) = if e < 0 { (a << shift).div_rem(b) } else { a.div_rem(b << shift) };
    let q = u64::try_from(q).unwrap_or(u64::MAX) | !r.is_zero() as u64;
    let f = scale(q, e).ok_or(NumError::Overflow("integer division result too large for a float"))?;
    Ok(if negative { -f } else { f })
}

/// Mantissa and exponent of a finite float: `f == m * 2**e`.
pub fn decode(f: f64) -> (i64, i32) {
    let bits = f.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = (bits & ((1 << 52) - 1)) as i64;
    let m = if exponent == 0 { fraction } else { fraction | 1 << 52 };
    (if f.is_sign_negative() { -m } else { m }, exponent.max(1) - 1075)
}

/// A finite float without its fraction.
pub fn trunc(f: f64) -> IBig {
    let (m, e) = decode(f.trunc());
    if e < 0 { IBig::from(m >> (-e).min(63)) } else { IBig::from(m) << e as usize }
}

/// How an int compares with a float, exactly; `None` for NaN.
pub fn compare_float(n: &IBig, f: f64) -> Option<Ordering> {
    if f.is_nan() {
        return None;
    }
    if f.is_infinite() {
        return Some(if f > 0.0 { Ordering::Less } else { Ordering::Greater });
    }
    let fraction = || f.trunc().partial_cmp(&f).unwrap_or(Ordering::Equal);
    Some(n.cmp(&trunc(f)).then_with(fraction))
}

/// Python's hash of an int: its residue modulo 2**61 - 1, with its sign.
pub fn hash(negative: bool, words: &[u64]) -> i64 {
    // 2**64 is 8 modulo 2**61 - 1.
    let fold = |h: u64, w: &u64| ((h as u128 * 8 + *w as u128) % MODULUS as u128) as u64;
    let h = words.iter().rev().fold(0, fold) as i64;
    finish_hash(if negative { -h } else { h })
}

/// Python's hash of `m * 2**e`.
pub fn hash_scaled(m: i64, e: i32) -> i64 {
    let h = m.unsigned_abs() % MODULUS;
    let e = e.rem_euclid(61);
    let h = ((h as u128) << e) % MODULUS as u128;
    finish_hash(if m < 0 { -(h as i64) } else { h as i64 })
}

/// -1 is no hash.
fn finish_hash(h: i64) -> i64 {
    if h == -1 { -2 } else { h }
}
