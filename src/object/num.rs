//! What every number can do: the operators of int, float and bool, dispatched on both operands.
//! Must not know how scripts call it, nor any type that is not a number.

use super::bigint::{self, IBig, NumError, TOO_LARGE};
use super::error::{Exc, R, Raised};
use super::header::Kind;
use super::mutator::Mutator;
use super::types::kind_of;
use super::value::{Value, Word};
use super::{float, int, limbs};
use std::cmp::Ordering;

/// A binary operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    Lshift,
    Rshift,
    BitAnd,
    BitOr,
    BitXor,
    MatMul,
}

impl BinOp {
    /// As it is spelled in a script.
    pub const fn symbol(self) -> &'static str {
        const SYMBOLS: [&str; 13] = ["+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "@"];
        SYMBOLS[self as usize]
    }
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum CmpOp {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
}

impl CmpOp {
    /// As it is spelled in a script.
    pub const fn symbol(self) -> &'static str {
        const SYMBOLS: [&str; 6] = ["<", "<=", ">", ">=", "==", "!="];
        SYMBOLS[self as usize]
    }

    /// The comparison that `b op a` makes of `a op b`.
    pub const fn reflected(self) -> CmpOp {
        match self {
            CmpOp::Lt => CmpOp::Gt,
            CmpOp::Le => CmpOp::Ge,
            CmpOp::Gt => CmpOp::Lt,
            CmpOp::Ge => CmpOp::Le,
            same => same,
        }
    }

    /// The answer, given how the operands compare (`None`: unordered, as NaN is).
    pub fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            CmpOp::Lt => order.is_some_and(|o| o.is_lt()),
            CmpOp::Le => order.is_some_and(|o| o.is_le()),
            CmpOp::Gt => order.is_some_and(|o| o.is_gt()),
            CmpOp::Ge => order.is_some_and(|o| o.is_ge()),
            CmpOp::Eq => order.is_some_and(|o| o.is_eq()),
            CmpOp::Ne => !order.is_some_and(|o| o.is_eq()),
        }
    }
}

/// A unary operator (`not` is none: it asks for the truth, not for a number).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum UnOp {
    Neg,
    Pos,
    Invert,
}

impl UnOp {
    /// As it is spelled in a script.
    pub const fn symbol(self) -> &'static str {
        match self {
            UnOp::Neg => "-",
            UnOp::Pos => "+",
            UnOp::Invert => "~",
        }
    }
}

/// A number, read out of its value.
enum Num {
    Small(i64),
    Big(IBig),
    Float(f64),
}

#[inline]
fn read(v: Value) -> Option<Num> {
    if v.is_small_int() {
        return Some(Num::Small(v.small_unchecked()));
    }
    if v.is_inline_float() {
        return Some(Num::Float(v.float_unchecked()));
    }
    read_unusual(v)
}

fn read_unusual(v: Value) -> Option<Num> {
    match kind_of(v) {
        Kind::Bool | Kind::Int => int::as_i64(v).map(Num::Small).or_else(|| int::to_ibig(v).map(Num::Big)),
        Kind::Float => float::as_f64(v).map(Num::Float),
        _ => None,
    }
}

/// Makes the exception of a failed operation pending.
#[cold]
pub fn raise(m: &mut Mutator, error: NumError) -> Raised {
    match error {
        NumError::ZeroDivision(message) => m.raise(Exc::ZeroDivisionError, message),
        NumError::Overflow(message) => m.raise(Exc::OverflowError, message),
        NumError::Value(message) => m.value_error(message),
        NumError::Memory => m.no_memory(),
        NumError::Range => match m.new_str("Numerical result out of range") {
            Ok(text) => m.raise_with(Exc::OverflowError, &[Value::int_unchecked(libc::ERANGE as i64), text]),
            Err(raised) => raised,
        },
    }
}

/// `a op b`; EMPTY if they are not both numbers, or have no such operator.
#[inline]
pub fn binary(m: &mut Mutator, op: BinOp, a: Value, b: Value) -> R<Word> {
    if a.is_small_int()
        && b.is_small_int()
        && let Some(v) = small(op, a.small_unchecked(), b.small_unchecked())
    {
        return Ok(Some(v));
    }
    match is_number(a) && is_number(b) {
        true => general(m, op, a, b),
        false => Ok(None),
    }
}

/// Whether there is arithmetic for `v`, a subclass's instance included.
#[inline(always)]
fn is_number(v: Value) -> bool {
    v.is_small_int() || v.is_inline_float() || matches!(kind_of(v), Kind::Bool | Kind::Int | Kind::Float)
}

/// The frequent case: both ints fit a word, and so does the result.
fn small(op: BinOp, a: i64, b: i64) -> Word {
    let n = match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a.checked_mul(b)?,
        BinOp::FloorDiv if b != 0 => a.div_euclid(b) - (b < 0 && a.rem_euclid(b) != 0) as i64,
        BinOp::Mod if b != 0 => {
            let r = a % b;
            if r != 0 && (r ^ b) < 0 { r + b } else { r }
        }
        BinOp::Lshift if (0..62).contains(&b) && (a << b) >> b == a => a << b,
        BinOp::Rshift if b >= 0 => a >> b.min(63),
        BinOp::BitAnd => a & b,
        BinOp::BitOr => a | b,
        BinOp::BitXor => a ^ b,
        BinOp::Pow => a.checked_pow(u32::try_from(b).ok()?)?,
        _ => return None,
    };
    Value::small(n)
}

/// As `binary`, for a bool and an int that fits a word, where the result is an int that does.
#[inline]
pub fn with_bool(op: BinOp, a: Value, b: Value) -> Word {
    if a.is_bool() != b.is_bool() { small(op, small_or_bool(a)?, small_or_bool(b)?) } else { None }
}

#[inline(never)]
fn general(m: &mut Mutator, op: BinOp, a: Value, b: Value) -> R<Word> {
    if let (BinOp::BitAnd | BinOp::BitOr | BinOp::BitXor, true, true) = (op, a.is_bool(), b.is_bool()) {
        let (a, b) = (a == Value::TRUE, b == Value::TRUE);
        let both = match op {
            BinOp::BitAnd => a & b,
            BinOp::BitOr => a | b,
            _ => a ^ b,
        };
        return Ok(Some(Value::bool(both)));
    }
    if let (Some(x), Some(y)) = (small_or_bool(a), small_or_bool(b))
        && let Some(v) = small(op, x, y)
    {
        return Ok(Some(v));
    }
    if let Some(done) = boxed::binary(m, op, int::without_bool(a), int::without_bool(b)) {
        return done.map(Some);
    }
    by_reading(m, op, a, b)
}

/// What needs the numbers themselves, as the library for big ones has them.
#[inline(never)]
fn by_reading(m: &mut Mutator, op: BinOp, a: Value, b: Value) -> R<Word> {
    int::check_room(a).and_then(|()| int::check_room(b)).map_err(|error| raise(m, error))?;
    let (Some(a), Some(b)) = (read(a), read(b)) else { return Ok(None) };
    match calculate(op, a, b) {
        Ok(None) => Ok(None),
        Ok(Some(Num::Small(n))) => m.new_int(n).map(Some),
        Ok(Some(Num::Float(f))) => m.new_float(f).map(Some),
        Ok(Some(Num::Big(n))) => m.new_bigint(&n).map(Some),
        Err(error) => Err(raise(m, error)),
    }
}

#[inline]
fn small_or_bool(v: Value) -> Option<i64> {
    if v.is_bool() { Some((v == Value::TRUE) as i64) } else { v.as_small() }
}

fn calculate(op: BinOp, a: Num, b: Num) -> Result<Option<Num>, NumError> {
    if matches!((&a, &b), (Num::Float(_), _) | (_, Num::Float(_))) {
        return floats(op, to_f64(&a)?, to_f64(&b)?).map(|f| f.map(Num::Float));
    }
    if op == BinOp::MatMul {
        return Ok(None);
    }
    if op == BinOp::Div {
        return divide(a, b).map(|f| Some(Num::Float(f)));
    }
    let (a, b) = (to_big(a), to_big(b));
    if op == BinOp::Pow && b < IBig::ZERO {
        let (a, b) = (bigint::to_f64(&a).ok_or(TOO_LARGE)?, bigint::to_f64(&b).ok_or(TOO_LARGE)?);
        return float::pow(a, b).map(|f| Some(Num::Float(f)));
    }
    bigint::binary(op, &a, &b).map(|n| Some(Num::Big(n)))
}

fn divide(a: Num, b: Num) -> Result<f64, NumError> {
    const EXACT: u64 = 1 << 53;
    match (&a, &b) {
        (Num::Small(a), Num::Small(b))
            if *b != 0 && a.unsigned_abs() <= EXACT && b.unsigned_abs() <= EXACT =>
        {
            Ok(*a as f64 / *b as f64)
        }
        _ => bigint::true_div(&to_big(a), &to_big(b)),
    }
}

fn floats(op: BinOp, a: f64, b: f64) -> Result<Option<f64>, NumError> {
    let divisor = |message| if b == 0.0 { Err(NumError::ZeroDivision(message)) } else { Ok(b) };
    Ok(Some(match op {
        BinOp::Add => a + b,
        BinOp::Sub => a - b,
        BinOp::Mul => a * b,
        BinOp::Div => a / divisor("float division by zero")?,
        BinOp::FloorDiv => float::floor_div(a, divisor("float floor division by zero")?),
        BinOp::Mod => float::modulo(a, divisor("float modulo")?),
        BinOp::Pow => float::pow(a, b)?,
        _ => return Ok(None),
    }))
}

fn to_big(n: Num) -> IBig {
    match n {
        Num::Small(n) => IBig::from(n),
        Num::Big(n) => n,
        Num::Float(f) => bigint::trunc(f),
    }
}

fn to_f64(n: &Num) -> Result<f64, NumError> {
    match n {
        Num::Small(n) => Ok(*n as f64),
        Num::Big(n) => bigint::to_f64(n).ok_or(TOO_LARGE),
        Num::Float(f) => Ok(*f),
    }
}

/// `op a`; EMPTY if it is no number, or has no such operator.
pub fn unary(m: &mut Mutator, op: UnOp, a: Value) -> R<Word> {
    int::check_room(a).map_err(|error| raise(m, error))?;
    let Some(n) = read(a) else { return Ok(None) };
    match (op, n) {
        (UnOp::Invert, Num::Float(_)) => Ok(None),
        (UnOp::Neg, Num::Float(f)) => m.new_float(-f).map(Some),
        (UnOp::Pos, Num::Float(f)) => m.new_float(f).map(Some),
        (UnOp::Neg, Num::Small(n)) if n != i64::MIN => m.new_int(-n).map(Some),
        (UnOp::Invert, Num::Small(n)) => m.new_int(!n).map(Some),
        (UnOp::Neg, n) => m.new_bigint(&-to_big(n)).map(Some),
        (UnOp::Invert, n) => m.new_bigint(&!to_big(n)).map(Some),
        (UnOp::Pos, n) => m.new_bigint(&to_big(n)).map(Some),
    }
}

/// How two numbers compare (`Some(None)`: a NaN is among them); `None` if they are not both numbers.
#[inline]
pub fn compare(a: Value, b: Value) -> Option<Option<Ordering>> {
    if a.is_small_int() && b.is_small_int() {
        return Some(Some(a.small_unchecked().cmp(&b.small_unchecked())));
    }
    compare_general(a, b)
}

fn compare_general(a: Value, b: Value) -> Option<Option<Ordering>> {
    if int::is_int(a) && int::is_int(b) {
        return Some(compare_limbs(a, b));
    }
    if int::is_beyond_floats(a)
        && let Some(f) = float::as_f64(b)
    {
        return Some(compare_beyond(a, f));
    }
    if int::is_beyond_floats(b)
        && let Some(f) = float::as_f64(a)
    {
        return Some(compare_beyond(b, f).map(Ordering::reverse));
    }
    Some(match (read(a)?, read(b)?) {
        (Num::Float(a), Num::Float(b)) => a.partial_cmp(&b),
        (Num::Small(a), Num::Small(b)) => Some(a.cmp(&b)),
        (Num::Float(a), b) => compare_int_float(b, a).map(Ordering::reverse),
        (a, Num::Float(b)) => compare_int_float(a, b),
        (a, b) => Some(to_big(a).cmp(&to_big(b))),
    })
}

/// How an int beyond all floats compares with a float.
fn compare_beyond(n: Value, f: f64) -> Option<Ordering> {
    let infinite = if int::is_negative(n) { f64::NEG_INFINITY } else { f64::INFINITY };
    if f == infinite { 0.0.partial_cmp(&infinite) } else { infinite.partial_cmp(&f) }
}

/// How two ints compare.
fn compare_limbs(a: Value, b: Value) -> Option<Ordering> {
    let (a, b) = (int::without_bool(a), int::without_bool(b));
    let (mut x, mut y) = ([0], [0]);
    let (a_negative, a) = int::sign_and_limbs(a, &mut x)?;
    let (b_negative, b) = int::sign_and_limbs(b, &mut y)?;
    Some(match (a_negative, b_negative) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => limbs::compare(a, b),
        (true, true) => limbs::compare(b, a),
    })
}

fn compare_int_float(n: Num, f: f64) -> Option<Ordering> {
    match n {
        Num::Small(n) if n.unsigned_abs() <= 1 << 53 => (n as f64).partial_cmp(&f),
        n => bigint::compare_float(&to_big(n), f),
    }
}

/// Python's hash of an int, bool or float; `None` for anything else. Every NaN has its own.
pub fn hash(v: Value) -> Option<i64> {
    if let (None, Some((negative, limbs))) = (int::as_i64(v), int::sign_and_limbs(v, &mut [0])) {
        return Some(bigint::hash(negative, limbs));
    }
    match read(v)? {
        Num::Small(n) => Some(bigint::hash_scaled(n, 0)),
        // It has limbs, see above.
        Num::Big(_) => None,
        Num::Float(f) => Some(float::hash(f).unwrap_or(v.addr().rotate_right(4) as i64)),
    }
}

/// Whether a number is not zero; `None` for anything else.
pub fn is_true(v: Value) -> Option<bool> {
    Some(match read(v)? {
        Num::Small(n) => n != 0,
        Num::Float(f) => f != 0.0,
        Num::Big(_) => true,
    })
}

/// `divmod(a, b)`; EMPTY if they are not both numbers.
pub fn divmod(m: &mut Mutator, a: Value, b: Value) -> R<Option<(Value, Value)>> {
    if let (Some(x), Some(y)) = (a.as_small(), b.as_small())
        && let (Some(quotient), Some(rest)) = (small(BinOp::FloorDiv, x, y), small(BinOp::Mod, x, y))
    {
        return Ok(Some((quotient, rest)));
    }
    let (Some(x), Some(y)) = (read(a), read(b)) else { return Ok(None) };
    if matches!((&x, &y), (Num::Float(_), _) | (_, Num::Float(_))) && matches!(to_f64(&y), Ok(0.0)) {
        // A dividend that is no float is the greater trouble.
        let error = to_f64(&x).err().unwrap_or(NumError::ZeroDivision("float divmod()"));
        return Err(raise(m, error));
    }
    if let Some(both) = boxed::divmod(m, int::without_bool(a), int::without_bool(b)) {
        return both.map(Some);
    }
    let Some(quotient) = binary(m, BinOp::FloorDiv, a, b)? else { return Ok(None) };
    let Some(remainder) = binary(m, BinOp::Mod, a, b)? else { return Ok(None) };
    Ok(Some((quotient, remainder)))
}

pub mod boxed;
#[cfg(test)]
mod tests;
