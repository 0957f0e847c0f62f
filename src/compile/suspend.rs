//! What suspends a frame and ends one that can be suspended: `yield`, `yield from`, and `return` there.
//! Must not know statements.

use super::Fallible;
use super::unit::{Compiler, Reg};
use crate::bytecode::code::Const;
use crate::bytecode::op::Op;
use mini_grammar::ast::*;

/// Bits of the spare byte of `Yield`.
mod bit {
    /// In a handler of its own: the exception being handled is kept.
    pub const HANDLING: u8 = 1;
    /// The value comes from another iterator, which gets what is sent and thrown.
    pub const DELEGATING: u8 = 2;
    /// An item of an asynchronous generator, not something its `await` hands up.
    pub const ITEM: u8 = 4;
}

impl<'a> Compiler<'a> {
    /// Leaves the frame with a result: None, if there is no register.
    pub fn emit_return(&mut self, value: Option<Reg>) {
        match (value, self.scope().suspends.any()) {
            (Some(reg), false) => self.emit(Op::Return, reg, 0, 0),
            (None, false) => self.emit(Op::ReturnNone, 0, 0, 0),
            (Some(reg), true) => self.emit(Op::GenReturn, reg, 0, 0),
            (None, true) => {
                let none = self.alloc();
                self.load_const(none, Const::None);
                self.emit(Op::GenReturn, none, 0, 0);
                self.unit.top -= 1;
            }
        }
    }

    /// Suspends with the value in `value`, a temporary that afterwards holds what was sent. The value comes from the
    /// iterator in `delegate`, if there is one.
    pub fn suspend(&mut self, value: Reg, delegate: Option<Reg>) {
        let is_item = delegate.is_none() && self.scope().suspends.is_async;
        let mut x = if self.handles() { bit::HANDLING } else { 0 };
        x |= if delegate.is_some() { bit::DELEGATING } else { 0 };
        x |= if is_item { bit::ITEM } else { 0 };
        let kept = u16::try_from(self.unit.top).unwrap_or(u16::MAX);
        self.unit.kept = self.unit.kept.max(kept);
        self.emit_x(Op::Yield, x, value, delegate.unwrap_or(0), kept);
    }

    pub fn yield_value(&mut self, expr: &Expr, value: Option<&'a Expr>, dst: Reg) -> Fallible<()> {
        let item = if self.is_temp(dst) { dst } else { self.alloc() };
        match value {
            Some(value) => self.expr_to(value, item)?,
            None => self.load_const(item, Const::None),
        }
        self.at(expr.span.start);
        self.suspend(item, None);
        self.move_to(dst, item);
        Ok(())
    }

    pub fn yield_from(&mut self, expr: &Expr, value: &'a Expr, dst: Reg) -> Fallible<()> {
        let iter = self.alloc();
        let source = self.operand_in(value, iter)?;
        self.at(expr.span.start);
        self.emit(Op::Delegate, iter, source, 0);
        self.delegate(iter, dst);
        Ok(())
    }

    /// Suspends as often as the iterator in `iter`, a temporary, has values; its result goes into `dst`.
    pub fn delegate(&mut self, iter: Reg, dst: Reg) {
        let passed = if self.is_temp(dst) { dst } else { self.alloc() };
        let (again, done) = (self.label(), self.label());
        self.load_const(passed, Const::None);
        self.bind(again);
        self.jump_on(Op::Send, passed, iter, done);
        self.suspend(passed, Some(iter));
        self.jump(again);
        self.bind(done);
        self.move_to(dst, passed);
    }
}
