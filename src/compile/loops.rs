//! `while` and `for`, `break` and `continue`. The test stands at the bottom, so that each round takes one jump.
//! Must not know how expressions are compiled.

use super::Fallible;
use super::emit::{Label, LoopEntry};
use super::fold;
use super::try_::Block;
use super::unit::{Compiler, Reg};
use crate::bytecode::op::{Insn, Op};
use mini_grammar::Span;
use mini_grammar::ast::*;

/// Registers of the state of a `for` loop.
pub const ITER_REGS: u32 = 4;

impl<'a> Compiler<'a> {
    /// The start of a loop's body, entered with what was bound at `entry`.
    pub fn loop_body(&mut self, label: Label, entry: &LoopEntry) {
        let unit = &mut self.unit;
        unit.asm.bind_loop_body(label, entry, &unit.unsure);
    }

    pub fn while_loop(
        &mut self,
        test: &'a Expr,
        body: &'a [Stmt],
        orelse: &'a [Stmt],
        span: Span,
    ) -> Fallible<()> {
        let (head, next, end) = (self.label(), self.label(), self.label());
        let known = fold::constant(test).map(|value| fold::truth(&value));
        let test_first = known == Some(false) || !self.scope().walrus.is_empty();
        let other = self.label();
        if known == Some(true) {
            self.unit.asm.bind_loop(head, &self.unit.unsure);
        } else if test_first {
            self.jump_if(test, other, false)?;
            self.unit.asm.bind_loop(head, &self.unit.unsure);
        } else {
            let entry = self.unit.asm.loop_entry();
            self.at(span);
            self.jump(next);
            self.loop_body(head, &entry);
        }
        self.push_block(Block::Loop { exit: end, next }, span)?;
        self.block(body)?;
        self.unit.blocks.pop();
        self.bind(next);
        if known == Some(true) {
            self.jump(head);
        } else {
            self.jump_if(test, head, true)?;
        }
        self.bind(other);
        self.block(orelse)?;
        self.bind(end);
        Ok(())
    }

    pub fn for_loop(
        &mut self,
        (target, iter): (&'a Expr, &'a Expr),
        body: &'a [Stmt],
        orelse: &'a [Stmt],
        span: Span,
    ) -> Fallible<()> {
        let mark = self.unit.top;
        let (head, next, end) = (self.label(), self.label(), self.label());
        let state = self.iteration(iter, span)?;
        let entry = self.unit.asm.loop_entry();
        let item = self.loop_target(target);
        self.jump(next);
        self.loop_body(head, &entry);
        self.store_item(target, item)?;
        self.push_block(Block::Loop { exit: end, next }, span)?;
        self.block(body)?;
        self.unit.blocks.pop();
        self.bind(next);
        self.at(span);
        self.next_item(target, (state, item), head);
        self.unit.top = mark;
        self.block(orelse)?;
        self.bind(end);
        Ok(())
    }

    /// Begins the iteration over `iter`; returns the first register of its state.
    pub fn iteration(&mut self, iter: &'a Expr, span: Span) -> Fallible<Reg> {
        let state = self.alloc();
        let iterable = self.operand_in(iter, state)?;
        self.unit.top = u32::from(state) + 1;
        self.alloc_run(ITER_REGS - 1);
        self.at(span);
        self.emit(Op::GetIter, state, iterable, 0);
        Ok(state)
    }

    /// The register that receives the items: the target's own if it is a plain local.
    pub fn loop_target(&mut self, target: &Expr) -> Reg {
        match self.local(target) {
            Some((reg, _)) => reg,
            None => self.alloc(),
        }
    }

    /// `ForLoop`. If all that is done with an item is to take it apart, the row that a `zip` or its like made for the one
    /// before can be used again.
    pub fn next_item(&mut self, target: &Expr, (state, item): (Reg, Reg), body: Label) {
        let unpacked = matches!(target.kind, ExprKind::Tuple { .. } | ExprKind::List { .. });
        let insn = Insn::abc(Op::ForLoop, state, item, 0).with_x(unpacked.into());
        self.unit.asm.jump(insn, body);
    }

    /// Hands the item on to the target.
    pub fn store_item(&mut self, target: &'a Expr, item: Reg) -> Fallible<()> {
        match self.local(target) {
            Some((_, var)) => {
                self.unit.asm.bound.insert(var);
                Ok(())
            }
            None => self.store(target, item),
        }
    }

    /// Where a `break` or `continue` goes, if nothing has to be cleaned up on the way.
    pub fn direct_exit(&self, body: &[Stmt]) -> Option<Label> {
        let Some(Block::Loop { exit, next }) = self.unit.blocks.last() else { return None };
        match body {
            [Stmt { kind: StmtKind::Break, .. }] => Some(*exit),
            [Stmt { kind: StmtKind::Continue, .. }] => Some(*next),
            _ => None,
        }
    }

    pub fn break_or_continue(&mut self, is_break: bool, span: Span) -> Fallible<()> {
        let Some(index) = self.unit.blocks.iter().rposition(|block| matches!(block, Block::Loop { .. }))
        else {
            let message = if is_break { "'break' outside loop" } else { "'continue' not properly in loop" };
            return self.error(message, span);
        };
        self.stay_in_group_handler(index, span)?;
        let Block::Loop { exit, next } = self.unit.blocks[index] else { return Ok(()) };
        let place = self.unit.asm.place;
        let popped = self.unwind(index + 1)?;
        self.unit.asm.place = place;
        self.jump(if is_break { exit } else { next });
        self.rewind(popped);
        Ok(())
    }
}
