//! Warnings about what is right as syntax and hardly meant: `x is 1`, `assert (x, "why")`, `[(1, 2) (3, 4)]`.
//! Must not know registers or instructions.

use super::{Source, fold};
use crate::bytecode::code::Const;
use mini_grammar::Span;
use mini_grammar::ast::*;

/// Warns of the expression itself, not of what is inside it.
pub fn expression(source: &Source<'_>, expr: &Expr) {
    match &expr.kind {
        ExprKind::Compare { left, ops, comparators } => {
            identity(source, expr.span, left, ops, comparators);
        }
        ExprKind::Call { func, .. } => {
            if let Some(kind) = type_of(func).filter(|kind| *kind != "function") {
                complain(source, expr.span, format!("'{kind}' object is not callable"));
            }
        }
        ExprKind::Subscript { value, slice, ctx: ExprContext::Load } => {
            subscript(source, expr.span, value, slice);
        }
        _ => {}
    }
}

/// Warns of `assert (x, "why")`, which never fails.
pub fn assertion(source: &Source<'_>, test: &Expr, span: Span) {
    if matches!(&test.kind, ExprKind::Tuple { elts, .. } if !elts.is_empty()) {
        source.warn("assertion is always true, perhaps remove parentheses?", span);
    }
}

fn complain(source: &Source<'_>, span: Span, what: String) {
    source.warn(format!("{what}; perhaps you missed a comma?"), span);
}

/// Warns once of a chain in which a literal is compared by `is`.
fn identity(source: &Source<'_>, span: Span, left: &Expr, ops: &[CmpOperator], comparators: &[Expr]) {
    let mut before = left;
    for (op, right) in ops.iter().zip(comparators) {
        let message = match op {
            CmpOperator::Is => "\"is\" with a literal. Did you mean \"==\"?",
            CmpOperator::IsNot => "\"is not\" with a literal. Did you mean \"!=\"?",
            _ => "",
        };
        if !message.is_empty() && (is_literal(before) || is_literal(right)) {
            return source.warn(message, span);
        }
        before = right;
    }
}

/// Whether the expression is a constant of which there may be more than one object.
fn is_literal(expr: &Expr) -> bool {
    let joined = matches!(expr.kind, ExprKind::JoinedStr { .. });
    let single = |value| matches!(value, Const::None | Const::True | Const::False | Const::Ellipsis);
    !joined && fold::constant(expr).is_some_and(|value| !single(value))
}

fn subscript(source: &Source<'_>, span: Span, value: &Expr, index: &Expr) {
    let Some(kind) = type_of(value) else { return };
    match kind {
        "str" | "bytes" | "tuple" | "list" => {
            let wrong = type_of(index).filter(|index| !matches!(*index, "int" | "bool" | "slice"));
            if let Some(index) = wrong {
                complain(source, span, format!("{kind} indices must be integers or slices, not {index}"));
            }
        }
        "NoneType" | "ellipsis" | "int" | "float" | "set" | "generator" | "function" | "bool" => {
            complain(source, span, format!("'{kind}' object is not subscriptable"));
        }
        _ => {}
    }
}

/// The name of the type that the expression surely has.
fn type_of(expr: &Expr) -> Option<&'static str> {
    Some(match &expr.kind {
        ExprKind::Tuple { .. } => "tuple",
        ExprKind::List { .. } | ExprKind::ListComp { .. } => "list",
        ExprKind::Dict { .. } | ExprKind::DictComp { .. } => "dict",
        ExprKind::Set { .. } | ExprKind::SetComp { .. } => "set",
        ExprKind::GeneratorExp { .. } => "generator",
        ExprKind::Lambda { .. } => "function",
        ExprKind::JoinedStr { .. } | ExprKind::FormattedValue { .. } => "str",
        _ => match fold::constant(expr)? {
            Const::None => "NoneType",
            Const::True | Const::False => "bool",
            Const::Ellipsis => "ellipsis",
            Const::Int(_) | Const::BigInt(_) => "int",
            Const::Float(_) => "float",
            Const::Str(_) => "str",
            Const::Bytes(_) => "bytes",
            _ => return None,
        },
    })
}
