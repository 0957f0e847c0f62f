//! `try`, `with`, and leaving them early: protected regions, handlers, and the copies of `finally` bodies.
//! Must not know how expressions are compiled.
//!
//! A handler receives the exception in a register, makes it "the exception being handled" (`PushExc`) and, on every way
//! out, restores what was being handled before (`PopExc`).

use super::Fallible;
use super::call::WINDOW;
use super::emit::Label;
use super::scope::Kind;
use super::suspend::By;
use super::unit::{Compiler, Reg};
use crate::bytecode::bound::Bound;
use crate::bytecode::code::{Const, Name};
use crate::bytecode::op::Op;
use mini_grammar::Span;
use mini_grammar::ast::*;

/// As in CPython; it bounds the copies of nested `finally` bodies.
const MAX_BLOCKS: usize = 20;

/// Code under the protection of one handler; it pauses where a jump out runs cleanup code.
pub struct Region {
    start: u32,
    done: Vec<(u32, u32)>,
    target: Label,
    reg: Reg,
    /// What was bound where it began.
    bound: Bound,
}

/// What a jump out of the current statement must leave, innermost last.
pub enum Block<'a> {
    Loop {
        exit: Label,
        next: Label,
    },
    /// The body of `try … except`.
    Try(Region),
    /// The body of `try … finally`.
    Finally(Region, &'a [Stmt]),
    /// The body of `with`; the window holds `__exit__`.
    With(Region, Reg, With),
    /// A handler, or a `finally` body run for an exception; the register holds what was being handled before.
    Handling(Region, Reg),
    /// The body of `except … as name`.
    Named(Region, Name),
    /// The body of `except*`, which cannot be left by a jump.
    GroupHandler(Region),
}

/// The clauses of a `try`.
#[derive(Clone, Copy)]
pub struct Handlers<'a> {
    pub all: &'a [ExceptHandler],
    /// They are `except*` clauses.
    pub of_groups: bool,
}

/// What a `with` statement is, beside its items and body.
#[derive(Clone, Copy)]
pub struct With {
    pub span: Span,
    pub is_async: bool,
}

impl Block<'_> {
    fn region(&mut self) -> Option<&mut Region> {
        match self {
            Block::Loop { .. } => None,
            Block::Try(region)
            | Block::Finally(region, _)
            | Block::With(region, ..)
            | Block::Handling(region, _)
            | Block::GroupHandler(region)
            | Block::Named(region, _) => Some(region),
        }
    }
}

impl<'a> Compiler<'a> {
    pub fn push_block(&mut self, block: Block<'a>, span: Span) -> Fallible<()> {
        if self.unit.blocks.len() >= MAX_BLOCKS {
            return self.error("too many statically nested blocks", span);
        }
        self.unit.blocks.push(block);
        Ok(())
    }

    /// A region from here on whose exceptions go to `target`.
    fn region(&self, target: Label, reg: Reg) -> Region {
        let mut bound = self.unit.asm.bound.clone();
        bound.subtract(&self.unit.unsure);
        Region { start: self.unit.asm.here(), done: Vec::new(), target, reg, bound }
    }

    /// Begins a block whose exceptions go to `target`.
    pub fn begin_try(&mut self, target: Label, reg: Reg, span: Span) -> Fallible<()> {
        let region = self.region(target, reg);
        self.push_block(Block::Try(region), span)
    }

    /// Ends the innermost block; returns what its handler may take as bound.
    pub fn pop_block(&mut self) -> Bound {
        let here = self.unit.asm.here();
        let Some(mut block) = self.unit.blocks.pop() else { return Bound::default() };
        let Some(region) = block.region() else { return Bound::default() };
        region.done.push((region.start, here));
        for &(start, end) in &region.done {
            self.unit.asm.protect(start, end, region.target, region.reg);
        }
        std::mem::take(&mut region.bound)
    }

    /// Emits what leaving all blocks from number `depth` on takes; they are back in place after `rewind`.
    pub fn unwind(&mut self, depth: usize) -> Fallible<Vec<Block<'a>>> {
        let mut popped = Vec::new();
        while self.unit.blocks.len() > depth {
            let Some(mut block) = self.unit.blocks.pop() else { break };
            let here = self.unit.asm.here();
            if let Some(region) = block.region() {
                region.done.push((region.start, here));
            }
            match &block {
                Block::Loop { .. } | Block::Try(_) | Block::GroupHandler(_) => {}
                Block::Finally(_, body) => self.block(body)?,
                Block::With(_, window, with) => self.exit_normally(*window, *with),
                Block::Handling(_, saved) => self.emit(Op::PopExc, *saved, 0, 0),
                Block::Named(_, name) => self.forget_name(name),
            }
            popped.push(block);
        }
        Ok(popped)
    }

    /// Puts back the blocks that `unwind` took away.
    pub fn rewind(&mut self, popped: Vec<Block<'a>>) {
        let here = self.unit.asm.here();
        for mut block in popped.into_iter().rev() {
            if let Some(region) = block.region() {
                region.start = here;
            }
            self.unit.blocks.push(block);
        }
    }

    pub fn return_stmt(&mut self, value: Option<&'a Expr>, span: Span) -> Fallible<()> {
        if self.scope().kind != Kind::Function {
            return self.error("'return' outside function", span);
        }
        let suspends = self.scope().suspends;
        if suspends.yields && suspends.is_async && value.is_some() {
            return self.error("'return' with value in async generator", span);
        }
        self.stay_in_group_handler(0, span)?;
        let mark = self.unit.top;
        let cleans =
            self.unit.blocks.iter().any(|block| !matches!(block, Block::Loop { .. } | Block::Try(_)));
        let kept = match value {
            Some(Expr { kind: ExprKind::Constant { value: Constant::None }, .. }) | None => None,
            Some(value) if cleans => {
                let reg = self.alloc();
                self.expr_to(value, reg)?;
                Some(reg)
            }
            Some(value) => Some(self.operand(value)?),
        };
        let place = self.unit.asm.place;
        let popped = self.unwind(0)?;
        self.unit.asm.place = place;
        self.emit_return(kept);
        self.rewind(popped);
        self.unit.top = mark;
        Ok(())
    }

    pub fn try_stmt(
        &mut self,
        (body, handlers, orelse, finalbody): (&'a [Stmt], Handlers<'a>, &'a [Stmt], &'a [Stmt]),
        span: Span,
    ) -> Fallible<()> {
        if finalbody.is_empty() {
            return self.try_except(body, handlers, orelse, span);
        }
        let mark = self.unit.top;
        let (exc, saved) = (self.alloc(), self.alloc());
        let (handler, tail, end) = (self.label(), self.label(), self.label());
        let region = self.region(handler, exc);
        self.push_block(Block::Finally(region, finalbody), span)?;
        if handlers.all.is_empty() {
            self.block(body)?;
            self.block(orelse)?;
        } else {
            self.try_except(body, handlers, orelse, span)?;
        }
        let bound = self.pop_block();
        self.block(finalbody)?;
        self.jump(end);
        self.unit.asm.bind_handler(handler, bound);
        self.begin_handling(saved, exc);
        let region = self.region(tail, exc);
        self.push_block(Block::Handling(region, saved), span)?;
        self.block(finalbody)?;
        self.pop_block();
        self.reraise(tail, saved, exc);
        self.bind(end);
        self.unit.top = mark;
        Ok(())
    }

    /// The start of a handler: the exception in `exc` is being handled.
    fn begin_handling(&mut self, saved: Reg, exc: Reg) {
        let outermost = self.scope().suspends.any() && !self.handles();
        self.emit_x(Op::PushExc, u8::from(outermost), saved, exc, 0);
    }

    /// Whether the code here runs in a handler of this frame.
    pub fn handles(&self) -> bool {
        self.unit.blocks.iter().any(|block| matches!(block, Block::Handling(..)))
    }

    /// The end of a handler: what was handled before is again, and the exception in `exc` goes on.
    fn reraise(&mut self, tail: Label, saved: Reg, exc: Reg) {
        self.unit.asm.bind_tail(tail);
        self.emit(Op::PopExc, saved, 0, 0);
        self.emit(Op::ReRaise, exc, 0, 0);
    }

    fn try_except(
        &mut self,
        body: &'a [Stmt],
        handlers: Handlers<'a>,
        orelse: &'a [Stmt],
        span: Span,
    ) -> Fallible<()> {
        let mark = self.unit.top;
        let (exc, saved) = (self.alloc(), self.alloc());
        let (handler, tail, end) = (self.label(), self.label(), self.label());
        let region = self.region(handler, exc);
        self.push_block(Block::Try(region), span)?;
        self.block(body)?;
        let bound = self.pop_block();
        self.block(orelse)?;
        self.jump(end);
        self.unit.asm.bind_handler(handler, bound);
        self.begin_handling(saved, exc);
        let region = self.region(tail, exc);
        self.push_block(Block::Handling(region, saved), span)?;
        if handlers.of_groups {
            let left = self.group_handlers(handlers.all, exc, span)?;
            self.pop_block();
            self.emit(Op::PopExc, saved, 0, 0);
            self.jump_on(Op::JNone, left, 0, end);
            self.emit(Op::ReRaise, left, 0, 0);
            self.reraise(tail, saved, exc);
            self.bind(end);
            self.unit.top = mark;
            return Ok(());
        }
        for handler in handlers.all {
            let next = self.label();
            self.handler(handler, exc, next)?;
            self.emit(Op::PopExc, saved, 0, 0);
            self.jump(end);
            if handler.type_.is_some() {
                self.bind(next);
            }
        }
        self.pop_block();
        self.reraise(tail, saved, exc);
        self.bind(end);
        self.unit.top = mark;
        Ok(())
    }

    /// One `except` clause: goes to `next` if it does not match.
    fn handler(&mut self, handler: &'a ExceptHandler, exc: Reg, next: Label) -> Fallible<()> {
        if let Some(type_) = &handler.type_ {
            let mark = self.unit.top;
            let class = self.operand(type_)?;
            self.at(handler.span);
            self.jump_on(Op::JNoMatch, exc, class, next);
            self.unit.top = mark;
        }
        self.handler_body(handler, exc)
    }

    /// The body of an `except` clause, with the exception in `exc` under its name.
    fn handler_body(&mut self, handler: &'a ExceptHandler, exc: Reg) -> Fallible<()> {
        let Some(name) = &handler.name else { return self.block(&handler.body) };
        let name = self.mangle(name);
        let (failed, done) = (self.label(), self.label());
        self.at(handler.span);
        self.store_name(&name, exc);
        let region = self.region(failed, exc);
        self.push_block(Block::Named(region, name.clone()), handler.span)?;
        self.block(&handler.body)?;
        let bound = self.pop_block();
        self.forget_name(&name);
        self.jump(done);
        self.unit.asm.bind_handler(failed, bound);
        self.forget_name(&name);
        self.emit(Op::ReRaise, exc, 0, 0);
        self.bind(done);
        Ok(())
    }

    /// The `except*` clauses: each takes its part of the exception in `exc`. Returns where the exception is that is to be
    /// raised behind the last, or None: what they raised, and what none of them took.
    fn group_handlers(&mut self, handlers: &'a [ExceptHandler], exc: Reg, span: Span) -> Fallible<Reg> {
        let (left, rest) = (self.alloc(), self.alloc());
        let (part, outer) = (self.alloc_run(2), self.alloc());
        self.emit(Op::NewList, left, 0, 0);
        self.move_to(rest, exc);
        for handler in handlers {
            let (next, failed) = (self.label(), self.label());
            let mark = self.unit.top;
            if let Some(type_) = &handler.type_ {
                let class = self.operand(type_)?;
                self.at(handler.span);
                self.emit(Op::Group, part, rest, class);
            }
            self.unit.top = mark;
            self.move_to(rest, part.saturating_add(1));
            self.jump_on(Op::JNone, part, 0, next);
            self.emit(Op::PushExc, outer, part, 0);
            let region = self.region(failed, part);
            self.push_block(Block::GroupHandler(region), handler.span)?;
            self.handler_body(handler, part)?;
            let bound = self.pop_block();
            self.emit(Op::PopExc, outer, 0, 0);
            self.jump(next);
            self.unit.asm.bind_handler(failed, bound);
            self.emit(Op::PopExc, outer, 0, 0);
            self.emit(Op::ListAppend, left, part, 0);
            self.bind(next);
        }
        self.at(span);
        self.emit(Op::ListAppend, left, rest, 0);
        self.emit_x(Op::Group, 1, part, exc, left);
        Ok(part)
    }

    /// Refuses to leave an `except*` clause, where blocks from number `depth` on would be left.
    pub fn stay_in_group_handler(&self, depth: usize, span: Span) -> Fallible<()> {
        let blocks = self.unit.blocks.get(depth..).unwrap_or(&[]);
        if blocks.iter().any(|block| matches!(block, Block::GroupHandler(_))) {
            let message = "'break', 'continue' and 'return' cannot appear in an except* block";
            return self.error(message, span);
        }
        Ok(())
    }

    /// `with` items from the first on; the body is inside the last.
    pub fn with_stmt(&mut self, items: &'a [WithItem], body: &'a [Stmt], with: With) -> Fallible<()> {
        let span = with.span;
        let Some((item, inner)) = items.split_first() else { return self.block(body) };
        let mark = self.unit.top;
        let (exc, saved) = (self.alloc(), self.alloc());
        let exit = self.alloc_run(WINDOW + 1);
        let manager = self.enter_manager(item, exit, with)?;
        let (handler, tail, end) = (self.label(), self.label(), self.label());
        let region = self.region(handler, exc);
        self.push_block(Block::With(region, exit, with), span)?;
        if let Some(target) = &item.optional_vars {
            self.store(target, manager)?;
        }
        self.unit.top = u32::from(exit) + WINDOW + 1;
        self.with_stmt(inner, body, with)?;
        let bound = self.pop_block();
        self.exit_normally(exit, with);
        self.jump(end);
        self.unit.asm.bind_handler(handler, bound);
        self.at(span);
        self.begin_handling(saved, exc);
        let region = self.region(tail, exc);
        self.push_block(Block::Handling(region, saved), span)?;
        let triple = self.alloc_run(3);
        self.emit(Op::ExcTriple, triple, exc, 0);
        self.emit(Op::CallM, exit, 3, 0);
        self.await_result(exit, with, By::Exit);
        self.jump_on(Op::JFalse, exit, 0, tail);
        self.pop_block();
        self.emit(Op::PopExc, saved, 0, 0);
        self.jump(end);
        self.reraise(tail, saved, exc);
        self.bind(end);
        self.unit.top = mark;
        Ok(())
    }

    /// Evaluates the manager, keeps its `__exit__` in the window `exit`, calls `__enter__`; returns where the result is.
    fn enter_manager(&mut self, item: &'a WithItem, exit: Reg, with: With) -> Fallible<Reg> {
        let enter = self.alloc();
        let manager = self.operand_in(&item.context_expr, enter)?;
        self.unit.top = u32::from(enter) + 1;
        let kept = if manager == enter { exit } else { manager };
        self.move_to(kept, manager);
        self.alloc_run(WINDOW);
        self.at(with.span);
        let names = match with.is_async {
            false => [(0, "__enter__", enter), (1, "__exit__", exit)],
            true => [(2, "__aenter__", enter), (3, "__aexit__", exit)],
        };
        for (x, name, window) in names {
            let site = self.site(name.into());
            self.emit_x(Op::GetSpecial, x, window, kept, site);
        }
        self.emit(Op::CallM, enter, 0, 0);
        self.await_result(enter, with, By::Enter);
        Ok(enter)
    }

    /// `__exit__(None, None, None)`. If a value is being returned, it lies where the arguments would go: then the window
    /// is copied to free registers first.
    fn exit_normally(&mut self, window: Reg, with: With) {
        let mark = self.unit.top;
        let mut at = window;
        if mark != u32::from(window) + WINDOW + 1 {
            at = self.alloc_run(WINDOW + 1);
            self.move_to(at, window);
            self.move_to(at.saturating_add(4), window.saturating_add(4));
        }
        let place = self.unit.asm.place;
        self.at(with.span);
        let nones = self.alloc_run(3);
        for reg in nones..nones.saturating_add(3) {
            self.load_const(reg, Const::None);
        }
        self.emit(Op::CallM, at, 3, 0);
        self.await_result(at, with, By::Exit);
        self.unit.asm.place = place;
        self.unit.top = mark;
    }

    /// `async with`: awaits what a method of the manager has put into `result`.
    fn await_result(&mut self, result: Reg, with: With, by: By) {
        if with.is_async {
            self.await_value(result, by, result);
        }
    }
}
