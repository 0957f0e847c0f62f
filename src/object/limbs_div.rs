//! Quotients of big integers by long division, which is the best way as long as one of quotient and divisor is short.
//! Must not know signs, values or the heap.
//!
//! A limb of the quotient comes from the top three limbs of what is left and the top two of the divisor: with the inverse
//! of those two at hand that takes three multiplications and no division (N. Möller and T. Granlund, "Improved division
//! by invariant integers"), and the guess is rarely one too large.

use super::limbs::{self, subtract_row};
use smallvec::SmallVec;

/// Limbs of an intermediate result, those of moderate numbers on the native stack.
pub type Limbs = SmallVec<[u64; 24]>;

/// Where this way ends: both quotient and divisor have more limbs than the first, or the dividend more than the second.
const LONG: usize = 40;
const HUGE: usize = 4096;

/// Whether long division is the way for numbers of so many limbs.
pub fn suits(a: usize, b: usize) -> bool {
    a <= HUGE && (b <= LONG || a.saturating_sub(b) <= LONG)
}

/// What a division gives, without leading zeros. Its owner hands it down: it is too large to be returned without a copy.
#[derive(Default)]
pub struct Division {
    pub quotient: Limbs,
    pub rest: Limbs,
}

/// Divides; `out` is empty. `b` is not empty and has no leading zeros; nor has `a`.
pub fn div_rem(a: &[u64], b: &[u64], out: &mut Division) {
    match b {
        _ if limbs::compare(a, b).is_lt() => out.rest.extend_from_slice(a),
        [one] => by_one(a, *one, out),
        _ => by_many(a, b, out),
    }
}

/// `a % b`, where `b` is not 0.
pub fn rest_by_limb(a: &[u64], b: u64) -> u64 {
    Inverse::new(b).walk(a, |_, _| {})
}

/// Removes leading zeros.
pub fn trim(limbs: &mut Limbs) {
    let len = limbs.iter().rposition(|w| *w != 0).map_or(0, |top| top + 1);
    limbs.truncate(len);
}

/// Adds 1.
pub fn increment(limbs: &mut Limbs) {
    for x in limbs.iter_mut() {
        *x = x.wrapping_add(1);
        if *x != 0 {
            return;
        }
    }
    limbs.push(1);
}

/// Turns `a` into `b - a`, for `a < b`.
pub fn complement(a: &mut Limbs, b: &[u64]) {
    a.resize(b.len(), 0);
    let mut under = false;
    for (x, y) in a.iter_mut().zip(b) {
        (*x, under) = y.borrowing_sub(*x, under);
    }
    trim(a);
}

fn by_one(a: &[u64], b: u64, out: &mut Division) {
    out.quotient.resize(a.len(), 0);
    let rest = Inverse::new(b).walk(a, |i, digit| {
        if let Some(place) = out.quotient.get_mut(i) {
            *place = digit;
        }
    });
    trim(&mut out.quotient);
    if rest != 0 {
        out.rest.push(rest);
    }
}

/// The divisor has `n >= 2` limbs, the dividend no fewer.
fn by_many(a: &[u64], b: &[u64], out: &mut Division) {
    let n = b.len();
    let shift = b.last().map_or(0, |top| top.leading_zeros());
    let mut divisor = Limbs::new();
    shifted(b, shift, &mut divisor);
    divisor.truncate(n);
    let left = &mut out.rest;
    shifted(a, shift, left);
    let [.., d0, d1] = *divisor else { return };
    let inverse = reciprocal_of_two(d1, d0);
    out.quotient.resize(left.len() - n, 0);
    for (at, digit) in out.quotient.iter_mut().enumerate().rev() {
        let Some((top, low)) = left.get_mut(at..=at + n).and_then(|window| window.split_last_mut()) else {
            continue;
        };
        let [.., u0, u1] = *low else { continue };
        let guess = match (*top, u1) < (d1, d0) {
            true => three_by_two((*top, u1, u0), (d1, d0), inverse),
            false => u64::MAX,
        };
        let (rest, under) = top.overflowing_sub(subtract_row(&divisor, guess, low));
        *top = rest;
        *digit = guess;
        if under {
            *digit = guess - 1;
            limbs::add_row(&divisor, 1, low);
        }
    }
    left.truncate(n);
    unshift(left, shift);
    trim(&mut out.quotient);
}

/// `a << shift`, with one limb more, into `out`, which is empty; `shift` is less than a limb has bits.
fn shifted(a: &[u64], shift: u32, out: &mut Limbs) {
    out.resize(a.len() + 1, 0);
    let (Some((first, inner)), Some((low, high))) = (out.split_first_mut(), a.split_first()) else {
        return;
    };
    *first = low << shift;
    for ((z, x), below) in inner.iter_mut().zip(high).zip(a) {
        *z = x << shift | below >> 1 >> (63 - shift);
    }
    if let (Some(z), Some(top)) = (out.last_mut(), a.last()) {
        *z = top >> 1 >> (63 - shift);
    }
}

/// `a >>= shift`, without leading zeros.
fn unshift(a: &mut Limbs, shift: u32) {
    let mut above = 0;
    for x in a.iter_mut().rev() {
        (*x, above) = (*x >> shift | above << 1 << (63 - shift), *x);
    }
    trim(a);
}

/// A divisor of one limb, its top bit set, with its inverse.
struct Inverse {
    divisor: u64,
    inverse: u64,
    /// By how many bits the divisor has been shifted.
    shift: u32,
}

impl Inverse {
    fn new(divisor: u64) -> Inverse {
        let shift = divisor.leading_zeros();
        let divisor = divisor << shift;
        Inverse { divisor, inverse: reciprocal(divisor), shift }
    }

    /// Shows every limb of the quotient of `a`, from the top, with its place, and returns the remainder.
    fn walk(&self, a: &[u64], mut show: impl FnMut(usize, u64)) -> u64 {
        let mut rest = a.last().map_or(0, |top| top >> 1 >> (63 - self.shift));
        let below = a.iter().rev().skip(1).chain(&[0]);
        for ((i, x), below) in a.iter().enumerate().rev().zip(below) {
            let digit;
            (digit, rest) = self.two_by_one(rest, x << self.shift | below >> 1 >> (63 - self.shift));
            show(i, digit);
        }
        rest >> self.shift
    }

    /// Quotient and remainder of two limbs, the upper one less than the divisor.
    #[inline(always)]
    fn two_by_one(&self, high: u64, low: u64) -> (u64, u64) {
        let guess = u128::from(self.inverse) * u128::from(high) + (u128::from(high) << 64 | u128::from(low));
        let mut digit = ((guess >> 64) as u64).wrapping_add(1);
        let mut rest = low.wrapping_sub(digit.wrapping_mul(self.divisor));
        if rest > guess as u64 {
            digit = digit.wrapping_sub(1);
            rest = rest.wrapping_add(self.divisor);
        }
        if rest >= self.divisor {
            digit = digit.wrapping_add(1);
            rest -= self.divisor;
        }
        (digit, rest)
    }
}

/// The greatest number that fits two limbs, divided by `d`, without its top bit. The top bit of `d` is set.
fn reciprocal(d: u64) -> u64 {
    (u128::MAX / u128::from(d)) as u64
}

/// As `reciprocal`, of the greatest number that fits three limbs, divided by two.
fn reciprocal_of_two(d1: u64, d0: u64) -> u64 {
    let mut v = reciprocal(d1);
    let mut p = d1.wrapping_mul(v).wrapping_add(d0);
    if p < d0 {
        v = v.wrapping_sub(1);
        if p >= d1 {
            v = v.wrapping_sub(1);
            p = p.wrapping_sub(d1);
        }
        p = p.wrapping_sub(d1);
    }
    let product = u128::from(v) * u128::from(d0);
    let (sum, over) = p.overflowing_add((product >> 64) as u64);
    if over {
        v = v.wrapping_sub(1);
        if (sum, product as u64) >= (d1, d0) {
            v = v.wrapping_sub(1);
        }
    }
    v
}

/// The quotient of three limbs by two, the upper two of the three less than the divisor.
#[inline(always)]
fn three_by_two((u2, u1, u0): (u64, u64, u64), (d1, d0): (u64, u64), inverse: u64) -> u64 {
    let guess = u128::from(inverse) * u128::from(u2) + (u128::from(u2) << 64 | u128::from(u1));
    let mut digit = (guess >> 64) as u64;
    let high = u1.wrapping_sub(digit.wrapping_mul(d1));
    let divisor = u128::from(d1) << 64 | u128::from(d0);
    let mut rest = (u128::from(high) << 64 | u128::from(u0))
        .wrapping_sub(u128::from(d0) * u128::from(digit))
        .wrapping_sub(divisor);
    digit = digit.wrapping_add(1);
    if (rest >> 64) as u64 >= guess as u64 {
        digit = digit.wrapping_sub(1);
        rest = rest.wrapping_add(divisor);
    }
    if rest >= divisor {
        digit = digit.wrapping_add(1);
    }
    digit
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashu_int::UBig;
    use dashu_int::ops::DivRem;

    /// Limbs that make carries and wrong guesses likely.
    fn sample(seed: &mut u64, n: usize) -> Limbs {
        let mut limbs = Limbs::new();
        for _ in 0..n {
            *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            limbs.push(match *seed >> 60 {
                0..=3 => u64::MAX,
                4..=6 => 0,
                7 => 1,
                8 => 1 << 63,
                9 => u64::MAX >> (*seed >> 50 & 63),
                _ => seed.rotate_left(32),
            });
        }
        trim(&mut limbs);
        limbs
    }

    #[test]
    fn as_dashu_divides() {
        let mut seed = 1;
        for round in 0..40_000 {
            let (a, b) = (sample(&mut seed, round % 13), sample(&mut seed, round / 13 % 7));
            if b.is_empty() {
                continue;
            }
            let mut both = Division::default();
            div_rem(&a, &b, &mut both);
            let Division { quotient, mut rest } = both;
            let (x, y) = (UBig::from_words(&a), UBig::from_words(&b));
            let (q, r) = (&x).div_rem(&y);
            let got = (UBig::from_words(&quotient), UBig::from_words(&rest));
            assert_eq!(got, (q, r.clone()), "{a:x?} {b:x?}");
            assert!(quotient.last() != Some(&0) && rest.last() != Some(&0));
            if let [one] = b[..] {
                assert_eq!(rest_by_limb(&a, one), rest.first().copied().unwrap_or(0));
            }
            complement(&mut rest, &b);
            assert_eq!(UBig::from_words(&rest), y - r, "{a:x?} {b:x?}");
            assert!(rest.last() != Some(&0));
        }
    }
}
