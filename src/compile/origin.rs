//! Where instructions come from: the line, and the part of it that a traceback marks. Must not know instructions.

use super::Source;
use super::emit::Origin;
use crate::bytecode::code::Mark;
use mini_grammar::Span;
use mini_grammar::ast::{Expr, ExprKind};

/// Beyond so many bytes of a line nothing is marked: counting characters in it would take too long.
const LONGEST_MARKED: u32 = 4000;

impl Source<'_> {
    /// Where a part of the text is, as tracebacks show it.
    pub fn origin(&self, span: Span) -> Origin {
        let line = self.index.line(span.start);
        let end_line = self.index.line(span.end.max(span.start));
        let start = self.column(line, span.start);
        let end = if end_line > line { Some(Mark::OPEN) } else { self.column(line, span.end) };
        let mark = match (start, end) {
            (Some(start), Some(end)) if start < end => Mark { start, end, inner: (0, 0) },
            _ => Mark::default(),
        };
        Origin { line, mark }
    }

    /// Where an expression is; of an operation and an index also where the operator or the brackets are.
    pub fn origin_of(&self, expr: &Expr) -> Origin {
        let mut origin = self.origin(expr.span);
        if origin.mark.end == 0 || origin.mark.end == Mark::OPEN {
            return origin;
        }
        let inner = match &expr.kind {
            ExprKind::BinOp { left, right, .. } => self.operator(left.span.end, right.span.start),
            ExprKind::Subscript { value, slice, .. } => Some((value.span.end, slice.span.end + 1)),
            _ => None,
        };
        let column = |offset| self.column(origin.line, offset);
        if let Some((Some(from), Some(to))) = inner.map(|(from, to)| (column(from), column(to))) {
            origin.mark.inner = (from, to);
        }
        origin
    }

    /// Where an attribute is: in a value that spans lines, at its name. It ends with the name, or later at `end`.
    pub fn origin_of_attribute(&self, expr: &Expr, end: u32) -> Origin {
        let last = expr.span.end.saturating_sub(1).max(expr.span.start);
        if self.line(expr.span.start) == self.line(last) {
            return self.origin(Span::new(expr.span.start, end));
        }
        let width = match &expr.kind {
            ExprKind::Attribute { attr, .. } => attr.len() as u32,
            _ => 1,
        };
        self.origin(Span::new(expr.span.end.saturating_sub(width), end))
    }

    /// The one or two characters of an operator between its operands. As in CPython a parenthesis that the left
    /// operand is in counts as one, if it comes first.
    fn operator(&self, from: u32, to: u32) -> Option<(u32, u32)> {
        let between = self.text.get(from as usize..to as usize)?;
        let at = between.find(|c: char| !c.is_whitespace())?;
        let width = if between[at + 1..].starts_with(|c: char| !c.is_whitespace()) { 2 } else { 1 };
        let from = from + at as u32;
        Some((from, from + width))
    }

    /// The column of an offset in its line, in characters. None in a line so long that nobody would see the mark.
    fn column(&self, line: u32, offset: u32) -> Option<u16> {
        let start = self.index.line_start(line);
        let width = offset.checked_sub(start).filter(|width| *width <= LONGEST_MARKED)?;
        match self.ascii {
            true => Some(width as u16),
            false => Some(self.text.get(start as usize..offset as usize)?.chars().count() as u16),
        }
    }
}
