//! What suspends a frame and ends one that can be suspended: `yield`, `yield from`, `await`, `async for`, and `return` there.
//! Must not know statements.

use super::Fallible;
use super::emit::Label;
use super::fold;
use super::try_::Block;
use super::unit::{Compiler, Reg};
use crate::bytecode::bound::Bound;
use crate::bytecode::code::Const;
use crate::bytecode::op::{Op, bit};
use mini_grammar::Span;
use mini_grammar::ast::*;

/// Where something awaited comes from: the spare byte of `Awaitable`.
#[derive(Clone, Copy)]
pub enum By {
    Await = 0,
    Enter = 1,
    Exit = 2,
    Next = 3,
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
        self.suspend_as(x, value, delegate);
    }

    fn suspend_as(&mut self, x: u8, value: Reg, delegate: Option<Reg>) {
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
        self.at_expr(expr);
        self.suspend(item, None);
        self.move_to(dst, item);
        Ok(())
    }

    pub fn yield_from(&mut self, expr: &Expr, value: &'a Expr, dst: Reg) -> Fallible<()> {
        let iter = self.alloc();
        let source = self.operand_in(value, iter)?;
        self.at_expr(expr);
        self.emit(Op::Delegate, iter, source, 0);
        self.delegate(iter, dst);
        Ok(())
    }

    /// Suspends as often as the iterator in `iter`, a temporary, has values; its result goes into `dst`.
    pub fn delegate(&mut self, iter: Reg, dst: Reg) {
        let passed = if self.is_temp(dst) && dst != iter { dst } else { self.alloc() };
        let (again, done) = (self.label(), self.label());
        self.load_const(passed, Const::None);
        self.bind(again);
        self.jump_on(Op::Send, passed, iter, done);
        self.suspend(passed, Some(iter));
        self.jump(again);
        self.bind(done);
        self.move_to(dst, passed);
    }

    /// Awaits what is in `value`, a temporary; the result goes into `dst`.
    pub fn await_value(&mut self, value: Reg, by: By, dst: Reg) {
        let mark = self.unit.top;
        self.emit_x(Op::Awaitable, by as u8, value, value, 0);
        self.delegate(value, dst);
        self.unit.top = mark;
    }

    /// Whether what is awaited stands for a turn of everybody else: `await ...`, in the library alone.
    pub fn is_turn(&self, value: &Expr) -> bool {
        let is_ellipsis = matches!(value.kind, ExprKind::Constant { value: Constant::Ellipsis });
        is_ellipsis && self.source.is_library()
    }

    /// Hands up None, as a bare `yield` of a generator would; the coroutine awaits nothing meanwhile.
    pub fn turn(&mut self, expr: &Expr, dst: Reg) -> Fallible<()> {
        let value = self.alloc();
        self.load_const(value, Const::None);
        self.at_expr(expr);
        let x = if self.handles() { bit::HANDLING } else { 0 };
        self.suspend_as(x, value, None);
        self.move_to(dst, value);
        Ok(())
    }

    pub fn async_for(
        &mut self,
        (target, iter): (&'a Expr, &'a Expr),
        body: &'a [Stmt],
        orelse: &'a [Stmt],
        span: Span,
    ) -> Fallible<()> {
        let mark = self.unit.top;
        let end = self.label();
        let state = self.async_iteration(iter, span)?;
        let round = self.async_round(state, target, span)?;
        self.push_block(Block::Loop { exit: end, next: round.next }, span)?;
        self.block(body)?;
        self.unit.blocks.pop();
        self.end_async_round(round, span);
        self.unit.top = mark;
        self.block(orelse)?;
        self.bind(end);
        Ok(())
    }

    /// Begins an asynchronous iteration; returns the register of the iterator.
    pub fn async_iteration(&mut self, iter: &'a Expr, span: Span) -> Fallible<Reg> {
        let state = self.alloc();
        let iterable = self.operand_in(iter, state)?;
        self.at(span);
        if matches!(&iter.kind, ExprKind::List { elts, .. } if fold::tuple(elts).is_some()) {
            // CPython makes a tuple of a list of constants that only a loop sees: the error that comes names it.
            self.emit(Op::ListToTuple, state, iterable, 0);
            self.emit(Op::AsyncIter, state, state, 0);
            return Ok(state);
        }
        self.emit(Op::AsyncIter, state, iterable, 0);
        Ok(state)
    }

    /// The head of an asynchronous loop: awaits the next item and hands it to the target.
    pub fn async_round(&mut self, state: Reg, target: &'a Expr, span: Span) -> Fallible<AsyncRound> {
        let (next, done) = (self.label(), self.label());
        let (exc, item) = (self.alloc(), self.alloc());
        self.at(span);
        self.unit.asm.bind_loop(next, &self.unit.unsure);
        self.begin_try(done, exc, span)?;
        self.emit(Op::AsyncNext, item, state, 0);
        self.await_value(item, By::Next, item);
        let bound = self.pop_block();
        self.store(target, item)?;
        Ok(AsyncRound { next, done, exc, bound })
    }

    /// The end of an asynchronous loop's body: on to the next item; the loop ends with StopAsyncIteration.
    pub fn end_async_round(&mut self, round: AsyncRound, span: Span) {
        self.jump(round.next);
        self.unit.asm.bind_handler(round.done, round.bound);
        self.at(span);
        self.emit(Op::EndAsync, round.exc, 0, 0);
    }
}

/// An asynchronous loop that is being compiled.
pub struct AsyncRound {
    /// Where `continue` goes.
    pub next: Label,
    done: Label,
    exc: Reg,
    bound: Bound,
}
