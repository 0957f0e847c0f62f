//! Expressions: values into registers. A local variable is used in place; everything else goes into a temporary or into
//! the register that the caller names. Must not know statements.

use super::emit::Origin;
use super::fold;
use super::func::Body;
use super::scope::node_key;
use super::suspend::By;
use super::unit::{Compiler, Reg};
use super::{Fallible, display};
use crate::bytecode::code::Const;
use crate::bytecode::op::Op;
use mini_grammar::ast::*;

impl<'a> Compiler<'a> {
    /// The register that holds the value: the variable's own, or a new temporary.
    pub fn operand(&mut self, expr: &'a Expr) -> Fallible<Reg> {
        if let Some(reg) = self.in_place(expr) {
            return Ok(reg);
        }
        let reg = self.alloc();
        self.expr_to(expr, reg)?;
        Ok(reg)
    }

    /// As `operand`, in `scratch` instead of a new temporary, if `scratch` is a temporary.
    pub fn operand_in(&mut self, expr: &'a Expr, scratch: Reg) -> Fallible<Reg> {
        if let Some(reg) = self.in_place(expr) {
            return Ok(reg);
        }
        let reg = if self.is_temp(scratch) { scratch } else { self.alloc() };
        self.expr_to(expr, reg)?;
        Ok(reg)
    }

    /// As `operand_in`, for a value that must survive the evaluation of `next`: a `:=` there may rebind the variable.
    pub fn held(&mut self, expr: &'a Expr, next: &Expr, scratch: Reg) -> Fallible<Reg> {
        let reg = self.operand_in(expr, scratch)?;
        Ok(self.keep(reg, expr, next))
    }

    /// The value of `expr`, which is in `reg`, in a register that the evaluation of `next` leaves alone.
    pub fn keep(&mut self, reg: Reg, expr: &Expr, next: &Expr) -> Reg {
        let in_place = self.local(expr).is_some_and(|(local, _)| local == reg);
        if !in_place || !self.may_be_rebound(expr, next) {
            return reg;
        }
        let copy = self.alloc();
        self.move_to(copy, reg);
        copy
    }

    /// Whether evaluating `next` may assign the variable that `expr` is.
    fn may_be_rebound(&self, expr: &Expr, next: &Expr) -> bool {
        let ExprKind::Name { id, .. } = &expr.kind else { return false };
        let simple = matches!(next.kind, ExprKind::Name { .. } | ExprKind::Constant { .. });
        !simple && self.scope().walrus.contains(&self.mangle(id))
    }

    /// The register of a local variable, checked to be bound.
    fn in_place(&mut self, expr: &Expr) -> Option<Reg> {
        let ExprKind::Name { id, .. } = &expr.kind else { return None };
        let (reg, var) = self.local(expr)?;
        self.at_expr(expr);
        let name = self.mangle(id);
        self.check_local(&name, reg, var);
        Some(reg)
    }

    /// Evaluates for effect only.
    pub fn discard(&mut self, expr: &'a Expr) -> Fallible<()> {
        let mark = self.unit.top;
        if fold::constant(expr).is_none() {
            self.operand(expr)?;
        }
        self.unit.top = mark;
        Ok(())
    }

    /// Evaluates into a local variable's register, which changes only when the whole value is there.
    pub fn expr_to_local(&mut self, expr: &'a Expr, reg: Reg) -> Fallible<()> {
        if writes_once(expr) {
            return self.expr_to(expr, reg);
        }
        let mark = self.unit.top;
        let value = self.operand(expr)?;
        self.move_to(reg, value);
        self.unit.top = mark;
        Ok(())
    }

    /// Evaluates into `dst`: a temporary, or (if `writes_once`) a local variable.
    pub fn expr_to(&mut self, expr: &'a Expr, dst: Reg) -> Fallible<()> {
        let mark = self.unit.top;
        if let Some(value) = fold::constant(expr) {
            self.at_expr(expr);
            self.load_const(dst, value);
            return Ok(());
        }
        self.computed(expr, dst)?;
        self.unit.top = mark;
        Ok(())
    }

    fn computed(&mut self, expr: &'a Expr, dst: Reg) -> Fallible<()> {
        match &expr.kind {
            ExprKind::Name { id, .. } => {
                self.at_expr(expr);
                let name = self.mangle(id);
                self.load_name(&name, dst);
                Ok(())
            }
            ExprKind::BinOp { left, op, right } => self.binary(expr, (left, *op, right), dst),
            ExprKind::UnaryOp { op, operand } => self.unary(expr, *op, operand, dst),
            ExprKind::BoolOp { op, values } => self.bool_op(*op, values, dst),
            ExprKind::Compare { left, ops, comparators } => self.compare(expr, (left, ops, comparators), dst),
            ExprKind::IfExp { test, body, orelse } => self.if_expr((test, body, orelse), dst),
            ExprKind::NamedExpr { target, value } => self.named(target, value, dst),
            ExprKind::Lambda { args, body } => {
                let line = self.source.line(expr.span.start);
                self.make_function(args, node_key(expr), Body::Value(body), line, expr.span, dst)
            }
            ExprKind::Call { func, args, keywords } => self.call(expr, (func, args, keywords), dst),
            ExprKind::Attribute { value, attr, .. } => self.attribute(expr, value, attr, dst),
            ExprKind::Subscript { value, slice, .. } => self.subscript(expr, value, slice, dst),
            ExprKind::ListComp { .. } | ExprKind::SetComp { .. } | ExprKind::DictComp { .. } => {
                self.comprehension(expr, dst)
            }
            ExprKind::GeneratorExp { elt, generators } => {
                self.generator_expression(expr, elt, generators, dst)
            }
            ExprKind::Yield { value } => self.yield_value(expr, value.as_deref(), dst),
            ExprKind::Await { value } if self.is_turn(value) => self.turn(expr, dst),
            ExprKind::Await { value } => {
                let awaited = self.alloc();
                let value = self.operand_in(value, awaited)?;
                self.at_expr(expr);
                self.move_to(awaited, value);
                self.await_value(awaited, By::Await, dst);
                Ok(())
            }
            ExprKind::YieldFrom { value } => self.yield_from(expr, value, dst),
            ExprKind::Slice { lower, upper, step } => {
                self.slice(expr, [lower.as_deref(), upper.as_deref(), step.as_deref()], dst)
            }
            _ => self.display(expr, dst),
        }
    }

    fn binary(
        &mut self,
        expr: &Expr,
        (left, op, right): (&'a Expr, Operator, &'a Expr),
        dst: Reg,
    ) -> Fallible<()> {
        if op == Operator::Mod && self.percent(expr, left, right, dst)? {
            return Ok(());
        }
        let l = self.held(left, right, dst)?;
        let at = self.source.origin_of(expr);
        self.arithmetic(op, l, right, dst, 0, at)
    }

    /// `dst = l op right`, in immediate form where there is one. `x` is 1 for an augmented assignment.
    pub fn arithmetic(
        &mut self,
        op: Operator,
        l: Reg,
        right: &'a Expr,
        dst: Reg,
        x: u8,
        at: Origin,
    ) -> Fallible<()> {
        if let Some((op, c)) = self.immediate(op, right) {
            self.unit.asm.place = at;
            self.emit_x(op, x, dst, l, c);
            return Ok(());
        }
        let scratch = if l == dst { self.alloc() } else { dst };
        let r = self.operand_in(right, scratch)?;
        if matches!(right.kind, ExprKind::BinOp { op: Operator::Mult, .. }) {
            match op {
                Operator::Add => self.unit.asm.fuse_product(Op::MulAdd, r, dst, l),
                Operator::Sub => self.unit.asm.fuse_product(Op::MulSub, r, dst, l),
                _ => {}
            }
        }
        self.unit.asm.place = at;
        self.emit_x(register_form(op), x, dst, l, r);
        Ok(())
    }

    fn immediate(&mut self, op: Operator, right: &Expr) -> Option<(Op, u16)> {
        let value = fold::constant(right)?;
        if let Const::Int(number) = value {
            let small = i16::try_from(number).ok();
            let form = match op {
                Operator::Add => Op::AddI,
                Operator::Sub => Op::SubI,
                Operator::Mult => Op::MulI,
                Operator::FloorDiv if number > 0 => Op::FloorDivI,
                Operator::Mod if number > 0 => Op::ModI,
                Operator::LShift if (0..60).contains(&number) => Op::LshiftI,
                Operator::RShift if (0..60).contains(&number) => Op::RshiftI,
                Operator::BitAnd => Op::BitAndI,
                Operator::Div if number != 0 => return Some((Op::DivK, self.constant(value))),
                _ => return None,
            };
            return small.map(|small| (form, small as u16));
        }
        let Const::Float(number) = value else { return None };
        let form = match op {
            Operator::Add => Op::AddK,
            Operator::Sub => Op::SubK,
            Operator::Mult => Op::MulK,
            Operator::Div if number != 0.0 => Op::DivK,
            _ => return None,
        };
        Some((form, self.constant(value)))
    }

    fn unary(&mut self, expr: &'a Expr, op: UnaryOperator, operand: &'a Expr, dst: Reg) -> Fallible<()> {
        if op == UnaryOperator::Not
            && let ExprKind::Compare { left, ops, comparators } = &operand.kind
            && let (
                [op @ (CmpOperator::Is | CmpOperator::IsNot | CmpOperator::In | CmpOperator::NotIn)],
                [right],
            ) = (&ops[..], &comparators[..])
        {
            let l = self.held(left, right, dst)?;
            return self.compare_once(operand, (l, negated(*op), right), dst);
        }
        let value = self.operand_in(operand, dst)?;
        self.at_expr(expr);
        let op = match op {
            UnaryOperator::Not => Op::Not,
            UnaryOperator::USub => Op::Neg,
            UnaryOperator::UAdd => Op::Pos,
            UnaryOperator::Invert => Op::Invert,
        };
        self.emit(op, dst, value, 0);
        Ok(())
    }

    fn bool_op(&mut self, op: BoolOperator, values: &'a [Expr], dst: Reg) -> Fallible<()> {
        let end = self.label();
        let jump = if op == BoolOperator::And { Op::JFalse } else { Op::JTrue };
        for (index, value) in values.iter().enumerate() {
            self.expr_to(value, dst)?;
            if index + 1 < values.len() {
                self.at_expr(value);
                self.jump_on(jump, dst, 0, end);
            }
        }
        self.bind(end);
        Ok(())
    }

    fn compare(
        &mut self,
        expr: &'a Expr,
        (left, ops, comparators): (&'a Expr, &[CmpOperator], &'a [Expr]),
        dst: Reg,
    ) -> Fallible<()> {
        let Some((last, firsts)) = comparators.split_last() else { return self.expr_to(left, dst) };
        if firsts.is_empty() {
            let l = self.held(left, last, dst)?;
            return self.compare_once(expr, (l, ops[0], last), dst);
        }
        let end = self.label();
        let scratch = self.alloc();
        let mut l = self.held(left, &comparators[0], scratch)?;
        for (index, right) in firsts.iter().enumerate() {
            let scratch = self.alloc();
            let r = self.held(right, &comparators[index + 1], scratch)?;
            self.at_expr(expr);
            self.emit_compare(ops[index], dst, l, r);
            self.jump_on(Op::JFalse, dst, 0, end);
            l = r;
        }
        let op = ops.last().copied().unwrap_or(CmpOperator::Eq);
        let r = self.operand(last)?;
        self.at_expr(expr);
        self.emit_compare(op, dst, l, r);
        self.bind(end);
        Ok(())
    }

    fn compare_once(
        &mut self,
        expr: &Expr,
        (l, op, right): (Reg, CmpOperator, &'a Expr),
        dst: Reg,
    ) -> Fallible<()> {
        let r = self.compared(op, right, if l == dst { None } else { Some(dst) })?;
        self.at_expr(expr);
        self.emit_compare(op, dst, l, r);
        Ok(())
    }

    /// The right operand of a comparison.
    pub fn compared(&mut self, op: CmpOperator, right: &'a Expr, scratch: Option<Reg>) -> Fallible<Reg> {
        if let Some(container) = fold::container(op, right) {
            let reg = self.alloc();
            self.load_const(reg, container);
            return Ok(reg);
        }
        match scratch {
            Some(scratch) => self.operand_in(right, scratch),
            None => self.operand(right),
        }
    }

    /// A comparison to a value.
    pub fn emit_compare(&mut self, op: CmpOperator, dst: Reg, l: Reg, r: Reg) {
        let (op, x) = match op {
            CmpOperator::Eq => (Op::Eq, 0),
            CmpOperator::NotEq => (Op::Ne, 0),
            CmpOperator::Lt => (Op::Lt, 0),
            CmpOperator::LtE => (Op::Le, 0),
            CmpOperator::Gt => (Op::Gt, 0),
            CmpOperator::GtE => (Op::Ge, 0),
            CmpOperator::Is => (Op::Is, 0),
            CmpOperator::IsNot => (Op::Is, 1),
            CmpOperator::In => (Op::In, 0),
            CmpOperator::NotIn => (Op::In, 1),
        };
        self.emit_x(op, x, dst, l, r);
    }

    fn if_expr(&mut self, (test, body, orelse): (&'a Expr, &'a Expr, &'a Expr), dst: Reg) -> Fallible<()> {
        let (other, end) = (self.label(), self.label());
        self.jump_if(test, other, false)?;
        self.expr_to(body, dst)?;
        self.jump(end);
        self.bind(other);
        self.expr_to(orelse, dst)?;
        self.bind(end);
        Ok(())
    }

    fn named(&mut self, target: &'a Expr, value: &'a Expr, dst: Reg) -> Fallible<()> {
        let ExprKind::Name { id, .. } = &target.kind else { return self.expr_to(value, dst) };
        let name = self.mangle(id);
        let src = self.operand_in(value, dst)?;
        self.at_expr(target);
        self.store_name(&name, src);
        self.move_to(dst, src);
        Ok(())
    }

    fn attribute(&mut self, expr: &'a Expr, value: &'a Expr, attr: &str, dst: Reg) -> Fallible<()> {
        let object = self.operand_in(value, dst)?;
        let name = self.mangle(attr);
        self.at_attribute(expr);
        let site = self.site(name);
        self.emit(Op::GetAttr, dst, object, site);
        Ok(())
    }

    /// An attribute of a value that spans lines is on the line of its name.
    pub fn at_attribute(&mut self, expr: &Expr) {
        self.unit.asm.place = self.source.origin_of_attribute(expr, expr.span.end);
    }

    fn subscript(&mut self, expr: &'a Expr, value: &'a Expr, slice: &'a Expr, dst: Reg) -> Fallible<()> {
        let object = self.held(value, slice, dst)?;
        if let Some(index) = fold::small_int(slice) {
            self.at_expr(expr);
            self.emit(Op::GetItemI, dst, object, index as u16);
            return Ok(());
        }
        let index = if object == dst { self.operand(slice)? } else { self.operand_in(slice, dst)? };
        self.at_expr(expr);
        self.emit(Op::GetItem, dst, object, index);
        Ok(())
    }

    fn slice(&mut self, expr: &Expr, parts: [Option<&'a Expr>; 3], dst: Reg) -> Fallible<()> {
        let run = self.alloc_run(3);
        for (part, reg) in parts.into_iter().zip(run..) {
            match part {
                Some(part) => self.expr_to(part, reg)?,
                None => self.load_const(reg, Const::None),
            }
        }
        self.at_expr(expr);
        self.emit(Op::NewSlice, dst, run, 0);
        Ok(())
    }
}

/// Whether the code for `expr` writes its destination once, as the last thing that can fail.
fn writes_once(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::IfExp { body, orelse, .. } => writes_once(body) && writes_once(orelse),
        ExprKind::BoolOp { .. } | ExprKind::NamedExpr { .. } => false,
        ExprKind::Compare { ops, .. } => ops.len() == 1,
        ExprKind::ListComp { .. } | ExprKind::SetComp { .. } | ExprKind::DictComp { .. } => false,
        ExprKind::Call { .. } | ExprKind::Starred { .. } => false,
        _ => display::writes_once(expr),
    }
}

/// The opcode for two registers.
fn register_form(op: Operator) -> Op {
    match op {
        Operator::Add => Op::Add,
        Operator::Sub => Op::Sub,
        Operator::Mult => Op::Mul,
        Operator::MatMult => Op::MatMul,
        Operator::Div => Op::Div,
        Operator::Mod => Op::Mod,
        Operator::Pow => Op::Pow,
        Operator::LShift => Op::Lshift,
        Operator::RShift => Op::Rshift,
        Operator::BitOr => Op::BitOr,
        Operator::BitXor => Op::BitXor,
        Operator::BitAnd => Op::BitAnd,
        Operator::FloorDiv => Op::FloorDiv,
    }
}

/// `not a is b` is `a is not b`; only `is` and `in` have an exact opposite.
pub fn negated(op: CmpOperator) -> CmpOperator {
    match op {
        CmpOperator::Is => CmpOperator::IsNot,
        CmpOperator::IsNot => CmpOperator::Is,
        CmpOperator::In => CmpOperator::NotIn,
        CmpOperator::NotIn => CmpOperator::In,
        other => other,
    }
}
