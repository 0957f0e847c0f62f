//! `math`: functions of integers. Must not know floats.

use super::num_args::{big, index_value};
use crate::object::bigint::{self, IBig, UBig};
use crate::object::error::{Exc, R};
use crate::object::value::Value;
use crate::object::{int, num};
use crate::vm::native::Args;
use crate::vm::thread::Thread;
use dashu_int::ops::{BitTest, Gcd, SquareRoot, UnsignedAbs};

fn natural(th: &mut Thread, v: Value, message: &str) -> R<UBig> {
    let n = big(th, v)?;
    if n < IBig::ZERO { Err(th.value_error(message)) } else { Ok(n.unsigned_abs()) }
}

fn finish(th: &mut Thread, n: UBig) -> R {
    th.new_bigint(&IBig::from(n))
}

/// `isqrt(n)`.
pub fn isqrt(th: &mut Thread, args: Args) -> R {
    let n = natural(th, args.get(0), "isqrt() argument must be nonnegative")?;
    check(th, 2, n.bit_len())?;
    finish(th, n.sqrt())
}

/// `gcd(*integers)`.
pub fn gcd(th: &mut Thread, args: Args) -> R {
    let mut all = UBig::ZERO;
    for v in args.rest(0).iter().flatten() {
        let n = big(th, *v)?.unsigned_abs();
        check(th, 2, all.bit_len().max(n.bit_len()))?;
        all = if all.is_zero() {
            n
        } else if n.is_zero() {
            all
        } else {
            all.gcd(n)
        };
    }
    finish(th, all)
}

/// `lcm(*integers)`.
pub fn lcm(th: &mut Thread, args: Args) -> R {
    let mut all = UBig::ONE;
    for v in args.rest(0).iter().flatten() {
        let n = big(th, *v)?.unsigned_abs();
        check(th, 2, all.bit_len() + n.bit_len())?;
        all = if all.is_zero() || n.is_zero() { UBig::ZERO } else { &all / (&all).gcd(&n) * n };
    }
    finish(th, all)
}

/// The product of `from..=to`, halved again and again: balanced factors multiply fastest.
fn product(from: &UBig, count: u64) -> UBig {
    match count {
        0 => UBig::ONE,
        1..=8 => (0..count).fold(UBig::ONE, |p, i| p * (from + UBig::from(i))),
        _ => product(from, count / 2) * product(&(from + UBig::from(count / 2)), count - count / 2),
    }
}

/// Refuses a product of so many factors of so many bits that could never be held.
fn check(th: &mut Thread, count: u64, bits: usize) -> R<()> {
    bigint::check_bits(count as u128 * bits as u128).map_err(|error| num::raise(th, error))
}

/// `factorial(n)`.
pub fn factorial(th: &mut Thread, args: Args) -> R {
    let v = index_value(th, args.get(0))?;
    factorial_of(th, v)
}

fn factorial_of(th: &mut Thread, v: Value) -> R {
    if int::is_negative(v) {
        return Err(th.value_error("factorial() not defined for negative values"));
    }
    let Some(n) = int::as_i64(v) else {
        let message = "factorial() argument should not exceed 9223372036854775807";
        return Err(th.raise(Exc::OverflowError, message));
    };
    let n = n as u64;
    check(th, n, n.bit_len().saturating_sub(1))?;
    finish(th, product(&UBig::ONE, n))
}

/// `n` and `k` of `perm` and `comb`.
fn pair(th: &mut Thread, n: Value, k: Value) -> R<(UBig, UBig)> {
    let (n, k) = (index_value(th, n)?, index_value(th, k)?);
    let n = natural(th, n, "n must be a non-negative integer")?;
    Ok((n, natural(th, k, "k must be a non-negative integer")?))
}

/// `perm(n, k=None)`: n * (n - 1) * ... * (n - k + 1).
pub fn perm(th: &mut Thread, args: Args) -> R {
    let Some(k) = args.opt_not_none(1) else { return factorial(th, args) };
    let (n, k) = pair(th, args.get(0), k)?;
    if k > n {
        return Ok(Value::int_unchecked(0));
    }
    let Ok(count) = i64::try_from(&k) else {
        return Err(th.raise(Exc::OverflowError, "k must not exceed 9223372036854775807"));
    };
    check(th, count as u64, n.bit_len().saturating_sub(2))?;
    finish(th, product(&(n - k + UBig::ONE), count as u64))
}

/// `comb(n, k)`: perm(n, k) / k!.
pub fn comb(th: &mut Thread, args: Args) -> R {
    let (n, k) = pair(th, args.get(0), args.get(1))?;
    if k > n {
        return Ok(Value::int_unchecked(0));
    }
    let k = (&n - &k).min(k);
    let Ok(count) = i64::try_from(&k) else {
        return Err(th.raise(Exc::OverflowError, "min(n - k, k) must not exceed 9223372036854775807"));
    };
    check(th, count as u64, n.bit_len())?;
    finish(th, product(&(n - k + UBig::ONE), count as u64) / product(&UBig::ONE, count as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products() {
        assert_eq!(product(&UBig::ONE, 0), UBig::ONE);
        assert_eq!(product(&UBig::ONE, 20), UBig::from(2432902008176640000u64));
        let slow = (5..105u64).fold(UBig::ONE, |p, n| p * UBig::from(n));
        assert_eq!(product(&UBig::from(5u8), 100), slow);
    }
}
