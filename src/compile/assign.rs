//! Assignments: targets, unpacking, augmented and annotated forms. Must not know other statements.

use super::Fallible;
use super::display::is_starred;
use super::fold;
use super::unit::{Compiler, Place, Reg};
use crate::bytecode::op::Op;
use mini_grammar::ast::*;
use rustc_hash::FxHashSet;

/// Most items in an unpacking target, by the width of its operands.
const MAX_BEFORE_STAR: usize = 255;

impl<'a> Compiler<'a> {
    pub fn assign(&mut self, targets: &'a [Expr], value: &'a Expr) -> Fallible<()> {
        if let [target] = targets {
            return self.assign_one(target, value);
        }
        if fold::constant(value).is_some() && targets.iter().all(|target| self.local(target).is_some()) {
            return targets.iter().try_for_each(|target| self.assign_one(target, value));
        }
        let reg = self.alloc();
        self.expr_to(value, reg)?;
        targets.iter().try_for_each(|target| self.store(target, reg))
    }

    fn assign_one(&mut self, target: &'a Expr, value: &'a Expr) -> Fallible<()> {
        if let Some((reg, var)) = self.local(target) {
            self.expr_to_local(value, reg)?;
            self.unit.asm.bound.insert(var);
            return Ok(());
        }
        if let (ExprKind::Tuple { elts: targets, .. }, ExprKind::Tuple { elts: values, .. }) =
            (&target.kind, &value.kind)
            && targets.len() == values.len()
            && self.assign_parallel(targets, values)?
        {
            return Ok(());
        }
        let scratch = self.alloc();
        let reg = self.held(value, target, scratch)?;
        self.store(target, reg)
    }

    /// `a, b = x, y` without making a tuple, for targets that are different local variables. Says whether it was that.
    fn assign_parallel(&mut self, targets: &'a [Expr], values: &'a [Expr]) -> Fallible<bool> {
        let locals: Option<Vec<(Reg, u32)>> = targets.iter().map(|target| self.local(target)).collect();
        let Some(locals) = locals.filter(|_| !values.iter().any(is_starred)) else { return Ok(false) };
        let distinct: FxHashSet<Reg> = locals.iter().map(|&(reg, _)| reg).collect();
        if distinct.len() != locals.len() || !self.scope().walrus.is_empty() {
            return Ok(false);
        }
        let waits: Vec<bool> = values.iter().map(|value| self.may_wait(value, &distinct)).collect();
        let last = waits.iter().rposition(|&waits| !waits);
        let mut kept = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            kept.push(match waits[index] {
                true => None,
                false if Some(index) == last => {
                    self.expr_to_local(value, locals[index].0)?;
                    Some(locals[index].0)
                }
                false => {
                    let reg = self.alloc();
                    self.expr_to(value, reg)?;
                    Some(reg)
                }
            });
        }
        for ((value, kept), (reg, var)) in values.iter().zip(kept).zip(locals) {
            match kept {
                Some(kept) => self.move_to(reg, kept),
                None => self.expr_to(value, reg)?,
            }
            self.unit.asm.bound.insert(var);
        }
        Ok(true)
    }

    /// Whether the value can be had later just as well: a constant, or a bound local that is none of `targets`.
    fn may_wait(&self, value: &Expr, targets: &FxHashSet<Reg>) -> bool {
        let is_other = |(reg, var): (Reg, u32)| !targets.contains(&reg) && self.unit.asm.bound.contains(var);
        fold::constant(value).is_some() || self.local(value).is_some_and(is_other)
    }

    /// Assigns what is in `src` to the target.
    pub fn store(&mut self, target: &'a Expr, src: Reg) -> Fallible<()> {
        let mark = self.unit.top;
        match &target.kind {
            ExprKind::Name { id, .. } => {
                self.at_expr(target);
                let name = self.mangle(id);
                self.store_name(&name, src);
            }
            ExprKind::Attribute { value, attr, .. } => {
                let object = self.operand(value)?;
                self.set_attribute(target, value, object, attr, src);
            }
            ExprKind::Subscript { value, slice, .. } => {
                let scratch = self.alloc();
                let object = self.held(value, slice, scratch)?;
                let index = self.operand(slice)?;
                self.at_expr(target);
                self.emit(Op::SetItem, object, index, src);
            }
            ExprKind::Tuple { elts, .. } | ExprKind::List { elts, .. } => self.unpack(target, elts, src)?,
            ExprKind::Starred { value, .. } => self.store(value, src)?,
            _ => return self.error("cannot assign to this expression", target.span),
        }
        self.unit.top = mark;
        Ok(())
    }

    fn set_attribute(&mut self, target: &Expr, value: &Expr, object: Reg, attr: &str, src: Reg) {
        self.at_attribute(target);
        let name = self.mangle(attr);
        self.note_attribute(value, &name);
        let site = self.site(name);
        self.emit(Op::SetAttr, object, src, site);
    }

    fn unpack(&mut self, target: &Expr, elts: &'a [Expr], src: Reg) -> Fallible<()> {
        let star = elts.iter().position(|elt| matches!(elt.kind, ExprKind::Starred { .. }));
        let count = elts.len().min(usize::from(u16::MAX)) as u16;
        self.at_expr(target);
        if let (None, Some(first)) = (star, self.local_run(elts)) {
            self.emit(Op::Unpack, first, src, count);
            for elt in elts {
                if let Some((_, var)) = self.local(elt) {
                    self.unit.asm.bound.insert(var);
                }
            }
            return Ok(());
        }
        let first = self.alloc_run(elts.len() as u32);
        match star {
            None => self.emit(Op::Unpack, first, src, count),
            Some(before) => {
                let after = elts.len() - before - 1;
                if after > MAX_BEFORE_STAR || before > usize::from(u16::MAX) {
                    return self.error("too many expressions in star-unpacking assignment", target.span);
                }
                self.emit_x(Op::UnpackEx, after as u8, first, src, before as u16);
            }
        }
        elts.iter().zip(first..).try_for_each(|(elt, reg)| self.store(elt, reg))
    }

    /// The first register, if the targets are local variables in a row: they can be unpacked into directly.
    fn local_run(&self, elts: &[Expr]) -> Option<Reg> {
        let (first, _) = self.local(elts.first()?)?;
        let in_row = |(elt, reg): (&Expr, Reg)| self.local(elt).is_some_and(|(own, _)| own == reg);
        elts.iter().zip(first..).all(in_row).then_some(first)
    }

    pub fn aug_assign(
        &mut self,
        stmt: &'a Stmt,
        target: &'a Expr,
        op: Operator,
        value: &'a Expr,
    ) -> Fallible<()> {
        let at = self.source.origin(stmt.span);
        match &target.kind {
            ExprKind::Name { id, .. } => {
                let name = self.mangle(id);
                let scratch = self.alloc();
                let old = self.held(target, value, scratch)?;
                let new = match self.place(&name) {
                    Place::Local { reg, .. } => reg,
                    _ => scratch,
                };
                self.arithmetic(op, old, value, new, 1, at)?;
                self.at_expr(target);
                if new == scratch {
                    self.store_name(&name, new);
                }
            }
            ExprKind::Attribute { value: object, attr, .. } => {
                let (scratch, new) = (self.alloc(), self.alloc());
                let owner = self.held(object, value, scratch)?;
                self.at_attribute(target);
                let mangled = self.mangle(attr);
                let site = self.site(mangled);
                self.emit(Op::GetAttr, new, owner, site);
                self.arithmetic(op, new, value, new, 1, at)?;
                self.set_attribute(target, object, owner, attr, new);
            }
            ExprKind::Subscript { value: object, slice, .. } => {
                let (scratch, index, new) = (self.alloc(), self.alloc(), self.alloc());
                let owner = self.held(object, slice, scratch)?;
                let owner = self.keep(owner, object, value);
                let index = self.held(slice, value, index)?;
                self.at_expr(target);
                self.emit(Op::GetItem, new, owner, index);
                self.arithmetic(op, new, value, new, 1, at)?;
                self.at_expr(target);
                self.emit(Op::SetItem, owner, index, new);
            }
            _ => return self.error("illegal expression for augmented assignment", target.span),
        }
        Ok(())
    }

    pub fn ann_assign(&mut self, target: &'a Expr, value: Option<&'a Expr>) -> Fallible<()> {
        if let Some(value) = value {
            return self.assign_one(target, value);
        }
        match &target.kind {
            ExprKind::Attribute { value, .. } => self.discard(value),
            ExprKind::Subscript { value, slice, .. } => {
                self.discard(value)?;
                self.discard(slice)
            }
            _ => Ok(()),
        }
    }
}
