//! The operators of ints of which at least one, or the result, is beyond a word: signs, and which routine calculates
//! without copies of the operands. Must not know bools, floats, nor how limbs are calculated.

use super::super::bigint::NumError;
use super::super::error::R;
use super::super::int;
use super::super::layout::{Int, is_subclass_instance};
use super::super::limbs::{self, LONG};
use super::super::limbs_div::{self, Division};
use super::super::mutator::Mutator;
use super::super::types::cast;
use super::super::value::Value;
use super::{BinOp, raise};
use std::cmp::Ordering;

/// Sign and size of an int that is neither a bool nor a subclass's.
#[inline(always)]
fn operand(v: Value, word: &mut [u64; 1]) -> Option<(bool, &[u64])> {
    if let Some(n) = v.as_small() {
        *word = [n.unsigned_abs()];
        return Some((n < 0, if n == 0 { &[] } else { word }));
    }
    cast::<Int>(v).filter(|n| !is_subclass_instance(&n.hdr)).map(|n| (n.len < 0, int::limbs(n)))
}

/// `a op b`; `None`: another way.
pub fn binary(m: &mut Mutator, op: BinOp, a: Value, b: Value) -> Option<R> {
    let (mut x, mut y) = ([0], [0]);
    let (a, b) = (operand(a, &mut x)?, operand(b, &mut y)?);
    match op {
        BinOp::Add => Some(sum(m, a, b)),
        BinOp::Sub => Some(sum(m, a, (!b.0, b.1))),
        BinOp::Mul => product(m, a, b),
        BinOp::FloorDiv | BinOp::Mod => quotient(m, op, a, b),
        BinOp::BitAnd | BinOp::BitOr | BinOp::BitXor if !a.0 && !b.0 => Some(bits(m, op, a.1, b.1)),
        BinOp::Lshift | BinOp::Rshift if !a.0 && !b.0 => match *b.1 {
            [n] => shift(m, op, a.1, usize::try_from(n).ok()?),
            _ => None,
        },
        _ => None,
    }
}

/// `divmod(a, b)`; `None`: another way.
pub fn divmod(m: &mut Mutator, a: Value, b: Value) -> Option<R<(Value, Value)>> {
    let (mut x, mut y) = ([0], [0]);
    let (a, b) = (operand(a, &mut x)?, operand(b, &mut y)?);
    let mut both = Division::default();
    floor_div_rem(a, b, &mut both)?;
    Some(m.new_int_of(a.0 != b.0, &both.quotient).and_then(|q| Ok((q, m.new_int_of(b.0, &both.rest)?))))
}

type Signed<'a> = (bool, &'a [u64]);

fn sum(m: &mut Mutator, a: Signed, b: Signed) -> R {
    let ((negative, long), (other, short)) = match limbs::compare(a.1, b.1) {
        Ordering::Less => (b, a),
        _ => (a, b),
    };
    // SAFETY: both operations write all of a result of the length asked for.
    unsafe {
        match negative == other {
            true => m.new_int_in_place(negative, long.len() + 1, |out| limbs::add(long, short, out)),
            false => m.new_int_in_place(negative, long.len(), |out| limbs::subtract(long, short, out)),
        }
    }
}

fn product(m: &mut Mutator, a: Signed, b: Signed) -> Option<R> {
    let (long, short) = if a.1.len() < b.1.len() { (b.1, a.1) } else { (a.1, b.1) };
    if short.is_empty() {
        return Some(Ok(Value::int_unchecked(0)));
    }
    if short.len() > LONG {
        return None;
    }
    // SAFETY: all of a result of this length is written.
    Some(unsafe {
        m.new_int_in_place(a.0 != b.0, long.len() + short.len(), |out| limbs::multiply(long, short, out))
    })
}

/// `//` and `%`.
fn quotient(m: &mut Mutator, op: BinOp, a: Signed, b: Signed) -> Option<R> {
    if let (BinOp::Mod, false, (false, &[one])) = (op, a.0, b) {
        return Some(m.new_uint(limbs_div::rest_by_limb(a.1, one)));
    }
    if b.1.is_empty() {
        let message = match op {
            BinOp::Mod => "integer modulo by zero",
            _ => "integer division or modulo by zero",
        };
        return Some(Err(raise(m, NumError::ZeroDivision(message))));
    }
    let mut both = Division::default();
    floor_div_rem(a, b, &mut both)?;
    Some(match op {
        BinOp::Mod => m.new_int_of(b.0, &both.rest),
        _ => m.new_int_of(a.0 != b.0, &both.quotient),
    })
}

/// The sizes of a quotient rounded down and of the remainder, which has the divisor's sign; `None`: another way.
fn floor_div_rem(a: Signed, b: Signed, out: &mut Division) -> Option<()> {
    if b.1.is_empty() || !limbs_div::suits(a.1.len(), b.1.len()) {
        return None;
    }
    limbs_div::div_rem(a.1, b.1, out);
    if a.0 != b.0 && !out.rest.is_empty() {
        limbs_div::increment(&mut out.quotient);
        limbs_div::complement(&mut out.rest, b.1);
    }
    Some(())
}

/// `&`, `|` and `^` of two numbers that are not negative.
fn bits(m: &mut Mutator, op: BinOp, a: &[u64], b: &[u64]) -> R {
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    // SAFETY: each operation writes as many limbs as it asks for.
    unsafe {
        match op {
            BinOp::BitAnd => {
                m.new_int_in_place(false, short.len(), |out| limbs::bitwise(long, short, out, |x, y| x & y))
            }
            BinOp::BitOr => {
                m.new_int_in_place(false, long.len(), |out| limbs::bitwise(long, short, out, |x, y| x | y))
            }
            _ => m.new_int_in_place(false, long.len(), |out| limbs::bitwise(long, short, out, |x, y| x ^ y)),
        }
    }
}

/// Shifts of a number that is not negative; `None`: the result is too long for this way.
fn shift(m: &mut Mutator, op: BinOp, a: &[u64], n: usize) -> Option<R> {
    const MOST: usize = 1 << 20;
    // SAFETY: each operation writes as many limbs as it asks for.
    unsafe {
        match op {
            BinOp::Lshift if n < MOST => {
                Some(m.new_int_in_place(false, a.len() + n / 64 + 1, |out| limbs::shift_left(a, n, out)))
            }
            BinOp::Rshift if n / 64 < a.len() => {
                Some(m.new_int_in_place(false, a.len() - n / 64, |out| limbs::shift_right(a, n, out)))
            }
            _ => None,
        }
    }
}
