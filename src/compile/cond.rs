//! Conditions: an expression that only decides where to go next becomes compare-and-jump instructions.
//! Must not know statements.

use super::Fallible;
use super::emit::Label;
use super::expr::negated;
use super::fold;
use super::unit::{Compiler, Reg};
use crate::bytecode::code::{Const, Mark};
use crate::bytecode::op::Op;
use mini_grammar::ast::*;

impl<'a> Compiler<'a> {
    /// Jumps to `label` if `expr` is true (`sense`), or if it is false (`!sense`); else goes on.
    pub fn jump_if(&mut self, expr: &'a Expr, label: Label, sense: bool) -> Fallible<()> {
        let mark = self.unit.top;
        self.jump_if_unmarked(expr, label, sense)?;
        self.unit.top = mark;
        Ok(())
    }

    fn jump_if_unmarked(&mut self, expr: &'a Expr, label: Label, sense: bool) -> Fallible<()> {
        if let Some(value) = fold::constant(expr) {
            if fold::truth(&value) == sense {
                self.jump(label);
            }
            return Ok(());
        }
        match &expr.kind {
            ExprKind::UnaryOp { op: UnaryOperator::Not, operand } => self.jump_if(operand, label, !sense),
            ExprKind::BoolOp { op, values } => self.jump_if_values(*op, values, label, sense),
            ExprKind::IfExp { test, body, orelse } => {
                let (other, end) = (self.label(), self.label());
                self.jump_if(test, other, false)?;
                self.jump_if(body, label, sense)?;
                self.jump(end);
                self.bind(other);
                self.jump_if(orelse, label, sense)?;
                self.bind(end);
                Ok(())
            }
            ExprKind::Compare { left, ops, comparators } => {
                self.jump_if_compare(expr, (left, ops, comparators), label, sense)
            }
            _ => {
                let value = self.operand(expr)?;
                self.at_expr(expr);
                // That the truth cannot be told is no fault of the expression.
                self.unit.asm.place.mark = Mark::default();
                self.jump_on(if sense { Op::JTrue } else { Op::JFalse }, value, 0, label);
                Ok(())
            }
        }
    }

    fn jump_if_values(
        &mut self,
        op: BoolOperator,
        values: &'a [Expr],
        label: Label,
        sense: bool,
    ) -> Fallible<()> {
        let deciding = op == BoolOperator::Or;
        if deciding == sense {
            return values.iter().try_for_each(|value| self.jump_if(value, label, sense));
        }
        let skip = self.label();
        let Some((last, firsts)) = values.split_last() else { return Ok(()) };
        firsts.iter().try_for_each(|value| self.jump_if(value, skip, deciding))?;
        self.jump_if(last, label, sense)?;
        self.bind(skip);
        Ok(())
    }

    fn jump_if_compare(
        &mut self,
        expr: &'a Expr,
        (left, ops, comparators): (&'a Expr, &[CmpOperator], &'a [Expr]),
        label: Label,
        sense: bool,
    ) -> Fallible<()> {
        let Some((last, firsts)) = comparators.split_last() else { return Ok(()) };
        let skip = self.label();
        let scratch = self.alloc();
        let mut l = self.held(left, &comparators[0], scratch)?;
        for (index, right) in firsts.iter().enumerate() {
            let scratch = self.alloc();
            let r = self.held(right, &comparators[index + 1], scratch)?;
            self.at_expr(expr);
            self.jump_on_compare((l, ops[index], r), if sense { skip } else { label }, false);
            l = r;
        }
        let op = ops.last().copied().unwrap_or(CmpOperator::Eq);
        self.jump_if_last(expr, (l, op, last), label, sense)?;
        self.bind(skip);
        Ok(())
    }

    fn jump_if_last(
        &mut self,
        expr: &Expr,
        (l, op, right): (Reg, CmpOperator, &'a Expr),
        label: Label,
        sense: bool,
    ) -> Fallible<()> {
        if matches!(op, CmpOperator::Is | CmpOperator::IsNot) && fold::constant(right) == Some(Const::None) {
            self.at_expr(expr);
            let none = (op == CmpOperator::Is) == sense;
            self.jump_on(if none { Op::JNone } else { Op::JNotNone }, l, 0, label);
            return Ok(());
        }
        if let (Some(small), Some((_, form, inverse))) = (fold::small_int(right), ordering(op)) {
            self.at_expr(expr);
            self.jump_on(if sense { form } else { inverse }, l, small as u16, label);
            return Ok(());
        }
        let r = self.compared(op, right, None)?;
        self.at_expr(expr);
        self.jump_on_compare((l, op, r), label, sense);
        Ok(())
    }

    fn jump_on_compare(&mut self, (l, op, r): (Reg, CmpOperator, Reg), label: Label, sense: bool) {
        if let Some(((form, inverse), ..)) = ordering(op) {
            return self.jump_on(if sense { form } else { inverse }, l, r, label);
        }
        let result = self.alloc();
        let positive = matches!(op, CmpOperator::Is | CmpOperator::In);
        self.emit_compare(if positive { op } else { negated(op) }, result, l, r);
        self.jump_on(if sense == positive { Op::JTrue } else { Op::JFalse }, result, 0, label);
    }
}

/// The jumps for a comparison: of registers (taken if so, taken if not), then the two for an immediate.
fn ordering(op: CmpOperator) -> Option<((Op, Op), Op, Op)> {
    Some(match op {
        CmpOperator::Lt => ((Op::JLt, Op::JNLt), Op::JLtI, Op::JNLtI),
        CmpOperator::LtE => ((Op::JLe, Op::JNLe), Op::JLeI, Op::JNLeI),
        CmpOperator::Gt => ((Op::JGt, Op::JNGt), Op::JGtI, Op::JNGtI),
        CmpOperator::GtE => ((Op::JGe, Op::JNGe), Op::JGeI, Op::JNGeI),
        CmpOperator::Eq => ((Op::JEq, Op::JNEq), Op::JEqI, Op::JNEqI),
        CmpOperator::NotEq => ((Op::JNe, Op::JNNe), Op::JNeI, Op::JNNeI),
        _ => return None,
    })
}
