//! `math`: sums, products and distances that lose no precision on the way. Must not know the other functions.

use super::num_args::real;
use crate::object::bigint::{self, IBig};
use crate::object::error::{Exc, R};
use crate::object::num::BinOp;
use crate::object::value::Value;
use crate::vm::native::Args;
use crate::vm::thread::Thread;
use dashu_int::ops::{BitTest, UnsignedAbs};

/// The exponent of the lowest bit a float can have.
const LOWEST: i32 = -1074;

/// The sum of finite floats, exactly: an int that counts the smallest float there is.
#[derive(Default)]
struct ExactSum(IBig);

impl ExactSum {
    /// False: the sum so far is beyond all floats.
    fn add(&mut self, f: f64) -> bool {
        let (mantissa, exponent) = bigint::decode(f);
        self.0 += IBig::from(mantissa) << (exponent - LOWEST).max(0) as usize;
        self.0.bit_len() as i32 <= 1024 - LOWEST
    }

    /// The nearest float.
    fn round(&self) -> Option<f64> {
        let (top, below) = bigint::top_bits(&(&self.0).unsigned_abs());
        let f = bigint::scale(top, below + LOWEST as i64)?;
        Some(if self.0 < IBig::ZERO { -f } else { f })
    }
}

/// `fsum(iterable)`.
pub fn fsum(th: &mut Thread, args: Args) -> R {
    let mut items = th.iter(args.get(0))?;
    let mut sum = ExactSum::default();
    let (mut special, mut infinities) = (0.0, 0.0);
    while let Some(item) = items.next(th)? {
        let f = real(th, item)?;
        if !f.is_finite() {
            special += f;
            infinities += if f.is_infinite() { f } else { 0.0 };
            // What was summed before counts no more, and cannot overflow either.
            sum = ExactSum::default();
        } else if !sum.add(f) {
            return Err(th.raise(Exc::OverflowError, "intermediate overflow in fsum"));
        }
    }
    if infinities.is_nan() {
        return Err(th.value_error("-inf + inf in fsum"));
    }
    if special != 0.0 {
        return th.new_float(special);
    }
    match sum.round() {
        Some(f) => th.new_float(f),
        None => Err(th.raise(Exc::OverflowError, "intermediate overflow in fsum")),
    }
}

/// `prod(iterable, /, *, start=1)`.
pub fn prod(th: &mut Thread, args: Args) -> R {
    let mut product = args.opt(1).unwrap_or(Value::int_unchecked(1));
    let mut items = th.iter(args.get(0))?;
    while let Some(item) = items.next(th)? {
        product = th.binary(BinOp::Mul, product, item)?;
    }
    Ok(product)
}

fn reals(th: &mut Thread, iterable: Value) -> R<Vec<f64>> {
    let mut items = th.iter(iterable)?;
    let mut all = Vec::new();
    while let Some(item) = items.next(th)? {
        all.push(real(th, item)?);
    }
    Ok(all)
}

/// `dist(p, q)`.
pub fn dist(th: &mut Thread, args: Args) -> R {
    let (p, q) = (reals(th, args.get(0))?, reals(th, args.get(1))?);
    if p.len() != q.len() {
        return Err(th.value_error("both points must have the same number of dimensions"));
    }
    th.new_float(norm(p.iter().zip(&q).map(|(p, q)| p - q).collect()))
}

/// `hypot(*coordinates)`.
pub fn hypot(th: &mut Thread, args: Args) -> R {
    let mut all = Vec::with_capacity(args.len());
    for v in args.rest(0).iter().flatten() {
        all.push(real(th, *v)?);
    }
    th.new_float(norm(all))
}

/// `a + b` and what rounding took from it, for `|a| >= |b|`.
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// `a * b` and what rounding took from it.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}

/// Euclidean length. Scaled against overflow; squares are summed with their rounding errors, and the root is improved
/// once by what its square misses: that is nearly always the correctly rounded result.
fn norm(mut v: Vec<f64>) -> f64 {
    v.iter_mut().for_each(|x| *x = x.abs());
    if v.iter().any(|x| x.is_infinite()) {
        return f64::INFINITY;
    }
    let max = v.iter().copied().fold(0.0, |a: f64, b| if a.is_nan() || a > b { a } else { b });
    if max == 0.0 || max.is_nan() || v.len() == 1 {
        return max;
    }
    if max < f64::MIN_POSITIVE {
        return norm(v.iter().map(|x| x / f64::MIN_POSITIVE).collect()) * f64::MIN_POSITIVE;
    }
    // 2**-e, where max is in 2**(e-1)..2**e: in two factors, because it may be out of range by itself.
    let e = (max.to_bits() >> 52) as i32 - 1022;
    let power = |e: i32| f64::from_bits(((e + 1023) as u64) << 52);
    let (first, second) = (power(-e / 2), power(-e - -e / 2));
    // Beginning with 1.0 keeps the sum above every summand.
    let (mut sum, mut low) = (1.0, (0.0, 0.0));
    let mut add = |a: f64, b: f64| {
        let (high, rest) = two_product(a, b);
        let (total, carry) = two_sum(sum, high);
        sum = total;
        low = (low.0 + rest, low.1 + carry);
        sum - 1.0 + (low.0 + low.1)
    };
    let mut square = 0.0;
    for x in v {
        let x = x * first * second;
        square = add(x, x);
    }
    let root = square.sqrt();
    let missing = add(-root, root);
    (root + missing / (2.0 * root)) / first / second
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        assert_eq!(norm(vec![3.0, 4.0]), 5.0);
        assert_eq!(norm(vec![1.0, 2.0, 3.0]), 3.7416573867739413);
        assert_eq!(norm(vec![1e200, 1e200]), 1.414213562373095e200);
        assert_eq!(norm(vec![3e-320, 4e-320]), 5e-320);
        assert_eq!(norm(vec![f64::NAN, f64::INFINITY]), f64::INFINITY);
        assert!(norm(vec![f64::NAN, 1.0]).is_nan() && norm(vec![1.0, f64::NAN]).is_nan());
        assert_eq!(norm(vec![]), 0.0);
        assert_eq!(norm(vec![f64::MAX, f64::MAX]), f64::INFINITY);
    }

    #[test]
    fn sums_are_exact() {
        let mut sum = ExactSum::default();
        assert!((0..10).all(|_| sum.add(0.1)));
        assert_eq!(sum.round(), Some(1.0));
        assert!(sum.add(1e308) && sum.add(5e-324) && sum.add(-1e308) && sum.add(-1.0));
        assert_eq!(sum.round(), Some(5.551115123125783e-17));
        assert!(sum.add(1e308) && !sum.add(1e308));
    }
}
