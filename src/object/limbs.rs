//! Sums, differences and short products of big integers, limb by limb, straight into the memory of the result.
//! Longer products, quotients and the rest are `bigint`'s. Must not know signs, values or the heap.

use std::cmp::Ordering;
use std::mem::MaybeUninit;

/// Where a result goes: as many limbs as the operation says.
pub type Out<'a> = &'a mut [MaybeUninit<u64>];

/// Beyond so many limbs of the shorter factor, long multiplication is not the best way.
pub const LONG: usize = 24;

/// How two numbers without leading zeros compare.
pub fn compare(a: &[u64], b: &[u64]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.iter().rev().cmp(b.iter().rev()))
}

/// `a + b`, where `a` is not the shorter one; `out` is one limb longer than `a`.
pub fn add(a: &[u64], b: &[u64], out: Out) {
    let (low, high) = a.split_at(b.len().min(a.len()));
    let (mut carry, mut at) = (false, out.iter_mut());
    for ((x, y), z) in low.iter().zip(b).zip(&mut at) {
        let (sum, over) = x.overflowing_add(*y);
        let (sum, over_again) = sum.overflowing_add(carry as u64);
        carry = over | over_again;
        z.write(sum);
    }
    for (x, z) in high.iter().zip(&mut at) {
        let (sum, over) = x.overflowing_add(carry as u64);
        carry = over;
        z.write(sum);
    }
    at.for_each(|z| {
        z.write(std::mem::take(&mut carry) as u64);
    });
}

/// `a - b`, where `a` is not less; `out` is as long as `a`.
pub fn subtract(a: &[u64], b: &[u64], out: Out) {
    let (low, high) = a.split_at(b.len().min(a.len()));
    let (mut borrow, mut at) = (false, out.iter_mut());
    for ((x, y), z) in low.iter().zip(b).zip(&mut at) {
        let (rest, under) = x.overflowing_sub(*y);
        let (rest, under_again) = rest.overflowing_sub(borrow as u64);
        borrow = under | under_again;
        z.write(rest);
    }
    for (x, z) in high.iter().zip(&mut at) {
        let (rest, under) = x.overflowing_sub(borrow as u64);
        borrow = under;
        z.write(rest);
    }
}

/// `a * b`; `out` is as long as both together, and `b` is not empty.
pub fn multiply(a: &[u64], b: &[u64], out: Out) {
    let n = a.len();
    let Some((first, b)) = b.split_first() else { return };
    let mut carry = 0;
    for (x, z) in a.iter().zip(out.iter_mut()) {
        let wide = u128::from(*x) * u128::from(*first) + u128::from(carry);
        z.write(wide as u64);
        carry = (wide >> 64) as u64;
    }
    if let Some(top) = out.get_mut(n) {
        top.write(carry);
    }
    for (i, factor) in (1..).zip(b) {
        let Some(row) = out.get_mut(i..=i + n) else { return };
        let Some((top, row)) = row.split_last_mut() else { return };
        let mut carry = 0;
        for (x, z) in a.iter().zip(row) {
            // SAFETY: the row before has written all limbs but the top one.
            let before = unsafe { z.assume_init() };
            let wide = u128::from(*x) * u128::from(*factor) + u128::from(before) + u128::from(carry);
            z.write(wide as u64);
            carry = (wide >> 64) as u64;
        }
        top.write(carry);
    }
}

/// Limb by limb: of `a`, which is not the shorter one, and `b`, with zeros in front; `out` is as long as `a`, or, where
/// those zeros decide, as `b`.
pub fn bitwise(a: &[u64], b: &[u64], out: Out, combine: impl Fn(u64, u64) -> u64) {
    let zeros = std::iter::repeat(&0);
    for ((x, y), z) in a.iter().zip(b.iter().chain(zeros)).zip(out) {
        z.write(combine(*x, *y));
    }
}

/// `a >> n`; `out` is `n / 64` limbs shorter than `a`.
pub fn shift_right(a: &[u64], n: usize, out: Out) {
    let (skip, bits) = (n / 64, n % 64);
    let from = a.get(skip..).unwrap_or(&[]);
    let above = from.iter().skip(1).chain(std::iter::once(&0));
    for ((low, high), z) in from.iter().zip(above).zip(out) {
        z.write(if bits == 0 { *low } else { low >> bits | high << (64 - bits) });
    }
}

/// `a << n`; `out` is `n / 64 + 1` limbs longer than `a`.
pub fn shift_left(a: &[u64], n: usize, out: Out) {
    let (zeros, bits) = (n / 64, n % 64);
    let (low, rest) = out.split_at_mut(zeros.min(out.len()));
    low.iter_mut().for_each(|z| {
        z.write(0);
    });
    let mut carry = 0;
    for (x, z) in a.iter().chain(std::iter::once(&0)).zip(rest) {
        z.write(x << bits | carry);
        carry = if bits == 0 { 0 } else { x >> (64 - bits) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dashu_int::UBig;

    fn run(n: usize, f: impl FnOnce(Out)) -> UBig {
        let mut out = vec![MaybeUninit::new(u64::MAX); n];
        f(&mut out);
        // SAFETY: initialised above.
        let words: Vec<u64> = out.iter().map(|w| unsafe { w.assume_init() }).collect();
        UBig::from_words(&words)
    }

    #[test]
    fn as_dashu_calculates() {
        let pool: [&[u64]; 8] = [
            &[1],
            &[u64::MAX],
            &[0, 1],
            &[u64::MAX, u64::MAX],
            &[5, 0, 7],
            &[u64::MAX, u64::MAX, u64::MAX, 1],
            &[0, 0, 0, 0, 9],
            &[1, u64::MAX, 0, u64::MAX, u64::MAX],
        ];
        for a in pool {
            for b in pool {
                let (x, y) = (UBig::from_words(a), UBig::from_words(b));
                assert_eq!(compare(a, b), x.cmp(&y));
                assert_eq!(run(a.len() + b.len(), |out| multiply(a, b, out)), &x * &y);
                let (long, short) = if a.len() >= b.len() { (a, b) } else { (b, a) };
                assert_eq!(run(long.len() + 1, |out| add(long, short, out)), &x + &y);
                assert_eq!(run(short.len(), |out| bitwise(long, short, out, |x, y| x & y)), &x & &y);
                assert_eq!(run(long.len(), |out| bitwise(long, short, out, |x, y| x | y)), &x | &y);
                for n in [0, 1, 63, 64, 65, 130] {
                    let left = run(a.len() + n / 64 + 1, |out| shift_left(a, n, out));
                    assert_eq!(left, &x << n);
                    if n / 64 < a.len() {
                        assert_eq!(run(a.len() - n / 64, |out| shift_right(a, n, out)), &x >> n);
                    }
                }
                if x >= y {
                    assert_eq!(run(a.len(), |out| subtract(a, b, out)), x - y);
                }
            }
        }
    }
}
