//! Constant folding: the value of an expression that only has constants in it, if a program cannot tell it was computed
//! early. Nothing that raises is folded, and nothing that grows large. Must not know registers or instructions.

use crate::bytecode::code::Const;
use mini_grammar::ast::{self, CmpOperator, Expr, ExprKind, Operator, UnaryOperator};

/// Longest string, bytes or tuple that folding makes.
const MAX_LENGTH: usize = 4096;
/// Integers of larger magnitude are not divided to floats here: the quotient must come out exactly rounded.
const MAX_EXACT: i64 = 1 << 53;

/// The constant that the expression stands for.
pub fn constant(expr: &Expr) -> Option<Const> {
    match &expr.kind {
        ExprKind::Constant { value } => Some(literal(value)),
        ExprKind::Name { id, .. } if &**id == "__debug__" => Some(Const::True),
        ExprKind::UnaryOp { op, operand } => unary(*op, constant(operand)?),
        ExprKind::BinOp { left, op, right } => binary(constant(left)?, *op, constant(right)?),
        ExprKind::Tuple { elts, ctx: ast::ExprContext::Load } => tuple(elts),
        ExprKind::JoinedStr { values } => joined(values),
        _ => None,
    }
}

/// The constant as an immediate operand.
pub fn small_int(expr: &Expr) -> Option<i16> {
    match constant(expr)? {
        Const::Int(value) => i16::try_from(value).ok(),
        _ => None,
    }
}

/// Whether the constant counts as true.
pub fn truth(value: &Const) -> bool {
    match value {
        Const::None | Const::False => false,
        Const::True | Const::Ellipsis | Const::BigInt(_) | Const::Code(_) => true,
        Const::Int(value) => *value != 0,
        Const::Float(value) => *value != 0.0,
        Const::Str(text) => !text.is_empty(),
        Const::Bytes(bytes) => !bytes.is_empty(),
        Const::Tuple(items) | Const::FrozenSet(items) => !items.is_empty(),
    }
}

/// The constants of all of `elts`, as a tuple.
pub fn tuple(elts: &[Expr]) -> Option<Const> {
    let items: Option<Vec<Const>> = elts.iter().map(constant).collect();
    Some(Const::Tuple(items?.into()))
}

/// The right-hand side of `in`: a display of constants need not be made each time.
pub fn container(op: CmpOperator, expr: &Expr) -> Option<Const> {
    if !matches!(op, CmpOperator::In | CmpOperator::NotIn) {
        return None;
    }
    match &expr.kind {
        ExprKind::List { elts, .. } => tuple(elts),
        ExprKind::Set { elts } => match tuple(elts)? {
            Const::Tuple(items) => Some(Const::FrozenSet(items)),
            _ => None,
        },
        _ => None,
    }
}

/// A literal of the source as a constant.
pub fn literal(value: &ast::Constant) -> Const {
    match value {
        ast::Constant::None => Const::None,
        ast::Constant::True => Const::True,
        ast::Constant::False => Const::False,
        ast::Constant::Ellipsis => Const::Ellipsis,
        ast::Constant::Int(value) => Const::Int(*value),
        ast::Constant::BigInt { radix: 16, digits } => Const::BigInt(decimal(digits).into()),
        ast::Constant::BigInt { digits, .. } => Const::BigInt((&**digits).into()),
        ast::Constant::Float(value) => Const::Float(*value),
        ast::Constant::Str(text) => Const::Str((&**text).into()),
        ast::Constant::Bytes(bytes) => Const::Bytes((&**bytes).into()),
    }
}

/// Hexadecimal digits as decimal ones: schoolbook, in limbs of nine decimal digits.
fn decimal(hex: &str) -> String {
    const LIMB: u64 = 1_000_000_000;
    let mut limbs: Vec<u32> = vec![0];
    for chunk in hex.as_bytes().chunks(7) {
        let digits = chunk.iter().map(|&digit| u64::from((digit as char).to_digit(16).unwrap_or(0)));
        let mut carry = digits.fold(0, |sum, digit| sum * 16 + digit);
        for limb in &mut limbs {
            carry += u64::from(*limb) << (4 * chunk.len());
            *limb = (carry % LIMB) as u32;
            carry /= LIMB;
        }
        while carry > 0 {
            limbs.push((carry % LIMB) as u32);
            carry /= LIMB;
        }
    }
    let mut text = limbs.last().copied().unwrap_or(0).to_string();
    limbs.iter().rev().skip(1).for_each(|limb| text.push_str(&format!("{limb:09}")));
    text
}

fn joined(values: &[Expr]) -> Option<Const> {
    let mut text = String::new();
    for value in values {
        match &value.kind {
            ExprKind::Constant { value: ast::Constant::Str(part) } => text.push_str(part),
            _ => return None,
        }
    }
    Some(Const::Str(text.into()))
}

fn unary(op: UnaryOperator, value: Const) -> Option<Const> {
    match (op, value) {
        (UnaryOperator::Not, value) => Some(if truth(&value) { Const::False } else { Const::True }),
        (UnaryOperator::USub, Const::Int(value)) => Some(Const::Int(value.checked_neg()?)),
        (UnaryOperator::USub, Const::Float(value)) => Some(Const::Float(-value)),
        (UnaryOperator::USub, Const::BigInt(digits)) => negate_digits(&digits),
        (UnaryOperator::UAdd, value @ (Const::Int(_) | Const::Float(_) | Const::BigInt(_))) => Some(value),
        (UnaryOperator::Invert, Const::Int(value)) => Some(Const::Int(!value)),
        _ => None,
    }
}

fn negate_digits(digits: &str) -> Option<Const> {
    if digits.starts_with('-') {
        return None;
    }
    let negative = format!("-{digits}");
    Some(negative.parse().map_or_else(|_| Const::BigInt(negative.into()), Const::Int))
}

fn binary(left: Const, op: Operator, right: Const) -> Option<Const> {
    match (left, right) {
        (Const::Int(left), Const::Int(right)) => integers(left, op, right),
        (Const::Float(left), Const::Float(right)) => floats(left, op, right),
        (Const::Int(left), Const::Float(right)) => floats(exact(left)?, op, right),
        (Const::Float(left), Const::Int(right)) => floats(left, op, exact(right)?),
        (Const::Str(left), Const::Str(right)) if op == Operator::Add => {
            (left.len() + right.len() <= MAX_LENGTH).then(|| Const::Str(format!("{left}{right}").into()))
        }
        (Const::Str(text), Const::Int(count)) | (Const::Int(count), Const::Str(text))
            if op == Operator::Mult =>
        {
            let count = bounded(text.len(), count)?;
            Some(Const::Str(text.repeat(count).into()))
        }
        _ => None,
    }
}

/// How often something of `length` is repeated, if the result stays short.
fn bounded(length: usize, count: i64) -> Option<usize> {
    let count = usize::try_from(count.max(0)).ok()?;
    (length.checked_mul(count)? <= MAX_LENGTH && count <= MAX_LENGTH).then_some(count)
}

fn exact(value: i64) -> Option<f64> {
    (-MAX_EXACT..=MAX_EXACT).contains(&value).then_some(value as f64)
}

fn integers(left: i64, op: Operator, right: i64) -> Option<Const> {
    let value = match op {
        Operator::Add => left.checked_add(right)?,
        Operator::Sub => left.checked_sub(right)?,
        Operator::Mult => left.checked_mul(right)?,
        Operator::FloorDiv if right > 0 => left.div_euclid(right),
        Operator::Mod if right > 0 => left.rem_euclid(right),
        Operator::Pow => left.checked_pow(u32::try_from(right).ok()?)?,
        Operator::LShift if (0..62).contains(&right) => left.checked_mul(1 << right)?,
        Operator::RShift if (0..64).contains(&right) => left >> right,
        Operator::BitAnd => left & right,
        Operator::BitOr => left | right,
        Operator::BitXor => left ^ right,
        Operator::Div if right != 0 => return Some(Const::Float(exact(left)? / exact(right)?)),
        _ => return None,
    };
    Some(Const::Int(value))
}

fn floats(left: f64, op: Operator, right: f64) -> Option<Const> {
    let value = match op {
        Operator::Add => left + right,
        Operator::Sub => left - right,
        Operator::Mult => left * right,
        Operator::Div if right != 0.0 => left / right,
        _ => return None,
    };
    Some(Const::Float(value))
}
