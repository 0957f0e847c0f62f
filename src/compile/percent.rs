//! `"%s: %r" % (a, b)` as an f-string, which is what CPython's compiler makes of it: each value is formatted before the
//! next one is computed. Must not know what `%` does with other formats, which is decided when the program runs.

use super::unit::{Compiler, Reg};
use super::{Fallible, display, fold};
use crate::bytecode::code::Const;
use crate::bytecode::op::Op;
use mini_grammar::ast::*;

/// A width or precision of more digits is left to the running program, as CPython's compiler does.
const MAX_DIGITS: usize = 2;

/// What stands in the format, in order.
enum Piece {
    Text(String),
    /// `conversion` is that of `Op::Format`.
    Value {
        conversion: u8,
        spec: String,
    },
}

impl<'a> Compiler<'a> {
    /// `left % right`, if the compiler knows what is to be formatted: whether it did it.
    pub fn percent(&mut self, expr: &Expr, left: &Expr, right: &'a Expr, dst: Reg) -> Fallible<bool> {
        let ExprKind::Tuple { elts, .. } = &right.kind else { return Ok(false) };
        let Some(Const::Str(format)) = fold::constant(left) else { return Ok(false) };
        if fold::tuple(elts).is_some() || elts.iter().any(display::is_starred) {
            return Ok(false);
        }
        let Some(pieces) = pieces(&format, elts.len()) else { return Ok(false) };
        let count = pieces.len();
        let first = if count == 1 { dst } else { self.alloc_run(count as u32) };
        let mut values = elts.iter();
        for (piece, reg) in pieces.into_iter().zip(first..) {
            match piece {
                Piece::Text(text) => self.load_const(reg, Const::Str(text.into())),
                Piece::Value { conversion, spec } => {
                    let Some(value) = values.next() else { break };
                    self.percent_value(value, conversion, spec, reg)?;
                }
            }
        }
        self.at_expr(expr);
        if count > 1 {
            self.emit(Op::BuildStr, dst, first, count as u16);
        }
        Ok(true)
    }

    fn percent_value(&mut self, value: &'a Expr, conversion: u8, spec: String, dst: Reg) -> Fallible<()> {
        let mark = self.unit.top;
        let object = self.operand_in(value, dst)?;
        if spec.is_empty() {
            self.at_expr(value);
            self.emit_x(Op::Format, conversion, dst, object, 0);
        } else {
            let reg = self.alloc();
            self.load_const(reg, Const::Str(spec.into()));
            self.at_expr(value);
            self.emit_x(Op::Format, conversion | 4, dst, object, reg);
        }
        self.unit.top = mark;
        Ok(())
    }
}

/// The pieces of a format that is for so many values and has nothing but `%s`, `%r` and `%a` in it.
fn pieces(format: &str, values: usize) -> Option<Vec<Piece>> {
    let (mut pieces, mut text, mut rest) = (Vec::new(), String::new(), format);
    while let Some((before, behind)) = rest.split_once('%') {
        text.push_str(before);
        if let Some(behind) = behind.strip_prefix('%') {
            text.push('%');
            rest = behind;
            continue;
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
        }
        let (piece, behind) = value(behind)?;
        pieces.push(piece);
        rest = behind;
    }
    text.push_str(rest);
    if !text.is_empty() {
        pieces.push(Piece::Text(text));
    }
    let found = pieces.iter().filter(|piece| matches!(piece, Piece::Value { .. })).count();
    (found == values).then_some(pieces)
}

/// What stands behind a `%`, and what is behind that.
fn value(text: &str) -> Option<(Piece, &str)> {
    let behind = text.trim_start_matches(['-', '+', ' ', '#', '0']);
    let is_left = text[..text.len() - behind.len()].contains('-');
    let (width, mut behind) = digits(behind)?;
    let mut spec = if width.is_empty() || is_left { width.to_string() } else { format!(">{width}") };
    if let Some(precision) = behind.strip_prefix('.') {
        let (precision, rest) = digits(precision)?;
        spec.push('.');
        spec.push_str(if precision.is_empty() { "0" } else { precision });
        behind = rest;
    }
    let conversion = match behind.chars().next()? {
        's' => 1,
        'r' => 2,
        'a' => 3,
        _ => return None,
    };
    Some((Piece::Value { conversion, spec }, &behind[1..]))
}

fn digits(text: &str) -> Option<(&str, &str)> {
    let behind = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let count = text.len() - behind.len();
    (count <= MAX_DIGITS).then(|| text.split_at(count))
}
