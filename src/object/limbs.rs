//! Sums, differences and short products of big integers, limb by limb, straight into the memory of the result.
//! Quotients are `limbs_div`'s, longer products and the rest `bigint`'s. Must not know signs, values or the heap.
//!
//! The loops take four limbs at a time: only then does the carry stay in the processor's flag.

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

/// Writes `limbs` to the beginning of `out`.
fn copy(limbs: &[u64], out: Out) {
    for (x, z) in limbs.iter().zip(out) {
        z.write(*x);
    }
}

#[inline(always)]
fn write4(out: &mut [MaybeUninit<u64>; 4], limbs: [u64; 4]) {
    out[0].write(limbs[0]);
    out[1].write(limbs[1]);
    out[2].write(limbs[2]);
    out[3].write(limbs[3]);
}

/// Limb by limb with a carry (or borrow): first four at a time, then one by one. `b` is not longer than `a`.
#[inline(always)]
fn chain(a: &[u64], b: &[u64], out: Out, step: impl Fn(u64, u64, bool) -> (u64, bool)) {
    let (low, high) = a.split_at(b.len().min(a.len()));
    let (out_low, out_high) = out.split_at_mut(low.len().min(out.len()));
    let ((a4, a1), (b4, b1)) = (low.as_chunks::<4>(), b.as_chunks::<4>());
    let (z4, z1) = out_low.as_chunks_mut::<4>();
    let mut carry = false;
    for ((x, y), z) in a4.iter().zip(b4).zip(z4) {
        let (s0, c) = step(x[0], y[0], carry);
        let (s1, c) = step(x[1], y[1], c);
        let (s2, c) = step(x[2], y[2], c);
        let (s3, c) = step(x[3], y[3], c);
        write4(z, [s0, s1, s2, s3]);
        carry = c;
    }
    for ((x, y), z) in a1.iter().zip(b1).zip(z1) {
        let (s, c) = step(*x, *y, carry);
        z.write(s);
        carry = c;
    }
    let mut at = 0;
    for (x, z) in high.iter().zip(out_high.iter_mut()) {
        if !carry {
            break;
        }
        let (s, c) = step(*x, 0, true);
        z.write(s);
        carry = c;
        at += 1;
    }
    let (Some(rest), Some(out)) = (high.get(at..), out_high.get_mut(at..)) else { return };
    copy(rest, out);
    if let Some(top) = out.get_mut(rest.len()) {
        top.write(carry as u64);
    }
}

/// `a + b`, where `a` is not the shorter one; `out` is one limb longer than `a`.
pub fn add(a: &[u64], b: &[u64], out: Out) {
    chain(a, b, out, u64::carrying_add);
}

/// `a - b`, where `a` is not less; `out` is as long as `a`.
pub fn subtract(a: &[u64], b: &[u64], out: Out) {
    chain(a, b, out, u64::borrowing_sub);
}

/// Four limbs times a factor, without the carry of the four before: the products' low halves with the high halves of
/// their lower neighbours, which go into one chain of carries.
#[inline(always)]
fn times4(x: &[u64; 4], factor: u64, carry: u64) -> ([u64; 4], u64) {
    let (l0, h0) = x[0].carrying_mul(factor, 0);
    let (l1, h1) = x[1].carrying_mul(factor, 0);
    let (l2, h2) = x[2].carrying_mul(factor, 0);
    let (l3, h3) = x[3].carrying_mul(factor, 0);
    let (z0, c) = l0.overflowing_add(carry);
    let (z1, c) = l1.carrying_add(h0, c);
    let (z2, c) = l2.carrying_add(h1, c);
    let (z3, c) = l3.carrying_add(h2, c);
    // The high half of a product is never the greatest number.
    ([z0, z1, z2, z3], h3 + u64::from(c))
}

/// `a * factor`, and returns the limb beyond.
fn multiply_row(a: &[u64], factor: u64, out: Out) -> u64 {
    let (a4, a1) = a.as_chunks::<4>();
    let (z4, z1) = out.as_chunks_mut::<4>();
    let mut carry = 0;
    for (x, z) in a4.iter().zip(z4) {
        let (row, c) = times4(x, factor, carry);
        write4(z, row);
        carry = c;
    }
    for (x, z) in a1.iter().zip(z1) {
        let (low, high) = x.carrying_mul(factor, carry);
        z.write(low);
        carry = high;
    }
    carry
}

/// Adds `a * factor` to `sum`, and returns the limb beyond.
pub(super) fn add_row(a: &[u64], factor: u64, sum: &mut [u64]) -> u64 {
    let (a4, a1) = a.as_chunks::<4>();
    let (z4, z1) = sum.as_chunks_mut::<4>();
    let mut carry = 0;
    for (x, z) in a4.iter().zip(z4) {
        let (row, high) = times4(x, factor, carry);
        let (z0, c) = z[0].overflowing_add(row[0]);
        let (z1, c) = z[1].carrying_add(row[1], c);
        let (z2, c) = z[2].carrying_add(row[2], c);
        let (z3, c) = z[3].carrying_add(row[3], c);
        *z = [z0, z1, z2, z3];
        // All of it together fits five limbs.
        carry = high.wrapping_add(u64::from(c));
    }
    for (x, z) in a1.iter().zip(z1) {
        let (low, high) = x.carrying_mul_add(factor, *z, carry);
        *z = low;
        carry = high;
    }
    carry
}

/// Subtracts `a * factor` from `rest`, and returns what has to be taken from the limb beyond.
pub(super) fn subtract_row(a: &[u64], factor: u64, rest: &mut [u64]) -> u64 {
    let (a4, a1) = a.as_chunks::<4>();
    let (z4, z1) = rest.as_chunks_mut::<4>();
    let mut carry = 0;
    for (x, z) in a4.iter().zip(z4) {
        let (row, high) = times4(x, factor, carry);
        let (z0, c) = z[0].overflowing_sub(row[0]);
        let (z1, c) = z[1].borrowing_sub(row[1], c);
        let (z2, c) = z[2].borrowing_sub(row[2], c);
        let (z3, c) = z[3].borrowing_sub(row[3], c);
        *z = [z0, z1, z2, z3];
        // Where the high half is the greatest number, the low halves are 0, and nothing is borrowed.
        carry = high.wrapping_add(u64::from(c));
    }
    for (x, z) in a1.iter().zip(z1) {
        let (low, high) = x.carrying_mul(factor, carry);
        let (left, under) = z.overflowing_sub(low);
        *z = left;
        carry = high.wrapping_add(u64::from(under));
    }
    carry
}

/// `a * b`; `out` is as long as both together, and `b` is not empty.
pub fn multiply(a: &[u64], b: &[u64], out: Out) {
    let n = a.len();
    let Some((first, b)) = b.split_first() else { return };
    if n > out.len() {
        return;
    }
    let (row, above) = out.split_at_mut(n);
    let mut top = multiply_row(a, *first, row);
    if let Some(z) = above.first_mut() {
        z.write(top);
    }
    for (i, factor) in (1..).zip(b) {
        let Some((row, above)) = out.get_mut(i..).and_then(|out| out.split_at_mut_checked(n)) else { return };
        // SAFETY: the row before has written all of these limbs.
        let sum = unsafe { std::slice::from_raw_parts_mut(row.as_mut_ptr().cast::<u64>(), n) };
        top = add_row(a, *factor, sum);
        if let Some(z) = above.first_mut() {
            z.write(top);
        }
    }
}

/// Limb by limb: of `a`, which is not the shorter one, and `b`, with zeros in front; `out` is as long as `a`, or, where
/// those zeros decide, as `b`.
#[inline]
pub fn bitwise(a: &[u64], b: &[u64], out: Out, combine: impl Fn(u64, u64) -> u64) {
    let (low, high) = a.split_at(b.len().min(a.len()));
    let (out_low, out_high) = out.split_at_mut(low.len().min(out.len()));
    for ((x, y), z) in low.iter().zip(b).zip(out_low) {
        z.write(combine(*x, *y));
    }
    for (x, z) in high.iter().zip(out_high) {
        z.write(combine(*x, 0));
    }
}

/// `a >> n`; `out` is `n / 64` limbs shorter than `a`.
pub fn shift_right(a: &[u64], n: usize, out: Out) {
    let (skip, bits) = (n / 64, n % 64);
    let from = a.get(skip..).unwrap_or(&[]);
    let (Some(top), Some((last, low))) = (from.last(), out.split_last_mut()) else { return };
    for ((low, high), z) in from.iter().zip(from.iter().skip(1)).zip(low) {
        z.write(low >> bits | high << 1 << (63 - bits));
    }
    last.write(top >> bits);
}

/// `a << n`; `out` is `n / 64 + 1` limbs longer than `a`.
pub fn shift_left(a: &[u64], n: usize, out: Out) {
    let (zeros, bits) = (n / 64, n % 64);
    let (low, rest) = out.split_at_mut(zeros.min(out.len()));
    low.iter_mut().for_each(|z| {
        z.write(0);
    });
    let mut below = 0;
    for (x, z) in a.iter().chain(std::iter::once(&0)).zip(rest) {
        z.write(x << bits | below >> 1 >> (63 - bits));
        below = *x;
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
