//! Statements. Must not know how expressions or the larger statements are compiled.

use super::Fallible;
use super::try_::{Handlers, With};
use super::unit::Compiler;
use crate::bytecode::op::Op;
use mini_grammar::ast::*;

impl<'a> Compiler<'a> {
    pub fn block(&mut self, body: &'a [Stmt]) -> Fallible<()> {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &'a Stmt) -> Fallible<()> {
        let mark = self.unit.top;
        if self.unit.too_large {
            return self.error("code is too large", stmt.span);
        }
        self.at(stmt.span);
        self.stmt_kind(stmt)?;
        self.unit.top = mark;
        Ok(())
    }

    fn stmt_kind(&mut self, stmt: &'a Stmt) -> Fallible<()> {
        match &stmt.kind {
            StmtKind::Expr { value } => self.expr_stmt(value),
            StmtKind::Assign { targets, value } => self.assign(targets, value),
            StmtKind::AugAssign { target, op, value } => self.aug_assign(stmt, target, *op, value),
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                self.ann_assign(target, value.as_deref())?;
                self.annotate(target, annotation, *simple)
            }
            StmtKind::Delete { targets } => targets.iter().try_for_each(|target| self.delete(target)),
            StmtKind::Return { value } => self.return_stmt(value.as_deref(), stmt.span),
            StmtKind::If { test, body, orelse } => self.if_stmt(test, body, orelse),
            StmtKind::While { test, body, orelse } => self.while_loop(test, body, orelse, stmt.span),
            StmtKind::For { target, iter, body, orelse } => {
                self.for_loop((target, iter), body, orelse, stmt.span)
            }
            StmtKind::Break => self.break_or_continue(true, stmt.span),
            StmtKind::Continue => self.break_or_continue(false, stmt.span),
            StmtKind::FunctionDef(def) | StmtKind::AsyncFunctionDef(def) => self.function_def(def, stmt.span),
            StmtKind::ClassDef(def) => self.class_def(def, stmt.span),
            StmtKind::Try { body, handlers, orelse, finalbody } => self
                .try_stmt((body, Handlers { all: handlers, of_groups: false }, orelse, finalbody), stmt.span),
            StmtKind::With { items, body } => {
                self.with_stmt(items, body, With { span: stmt.span, is_async: false })
            }
            StmtKind::AsyncWith { items, body } => {
                self.with_stmt(items, body, With { span: stmt.span, is_async: true })
            }
            StmtKind::AsyncFor { target, iter, body, orelse } => {
                self.async_for((target, iter), body, orelse, stmt.span)
            }
            StmtKind::Raise { exc, cause } => self.raise(stmt, exc.as_deref(), cause.as_deref()),
            StmtKind::Assert { test, msg } => self.assert(stmt, test, msg.as_deref()),
            StmtKind::Import { names } => self.import(names),
            StmtKind::ImportFrom { module, names, level } => {
                self.import_from(stmt, module.as_deref(), names, *level)
            }
            StmtKind::Match { subject, cases } => self.match_stmt(subject, cases),
            StmtKind::TryStar { body, handlers, orelse, finalbody } => self
                .try_stmt((body, Handlers { all: handlers, of_groups: true }, orelse, finalbody), stmt.span),
            StmtKind::Global { .. } | StmtKind::Nonlocal { .. } | StmtKind::Pass => Ok(()),
        }
    }

    fn expr_stmt(&mut self, value: &'a Expr) -> Fallible<()> {
        if !(self.interactive && self.outer.is_empty()) {
            return self.discard(value);
        }
        let reg = self.operand(value)?;
        self.emit(Op::PrintExpr, reg, 0, 0);
        Ok(())
    }

    fn if_stmt(&mut self, test: &'a Expr, body: &'a [Stmt], orelse: &'a [Stmt]) -> Fallible<()> {
        if let Some(exit) = self.direct_exit(body) {
            self.jump_if(test, exit, true)?;
            return self.block(orelse);
        }
        let (other, end) = (self.label(), self.label());
        self.jump_if(test, other, false)?;
        self.block(body)?;
        if !orelse.is_empty() {
            self.jump(end);
        }
        self.bind(other);
        self.block(orelse)?;
        self.bind(end);
        Ok(())
    }

    fn raise(&mut self, stmt: &Stmt, exc: Option<&'a Expr>, cause: Option<&'a Expr>) -> Fallible<()> {
        let Some(exc) = exc else {
            self.emit(Op::RaiseHere, 0, 0, 0);
            return Ok(());
        };
        let Some(cause) = cause else {
            let exc = self.operand(exc)?;
            self.at(stmt.span);
            self.emit(Op::Raise, exc, 0, 0);
            return Ok(());
        };
        let scratch = self.alloc();
        let exc = self.held(exc, cause, scratch)?;
        let cause = self.operand(cause)?;
        self.at(stmt.span);
        self.emit(Op::RaiseFrom, exc, cause, 0);
        Ok(())
    }

    fn assert(&mut self, stmt: &Stmt, test: &'a Expr, msg: Option<&'a Expr>) -> Fallible<()> {
        // CPython marks the comparison that failed, if it may have been one, else the statement.
        let span = last_comparison(test).map_or(stmt.span, |compare| compare.span);
        let fine = self.label();
        self.jump_if(test, fine, true)?;
        match msg {
            Some(msg) => {
                let msg = self.operand(msg)?;
                self.at(span);
                self.emit_x(Op::RaiseAssert, 1, msg, 0, 0);
            }
            None => {
                self.at(span);
                let unused = self.alloc();
                self.emit(Op::RaiseAssert, unused, 0, 0);
            }
        }
        self.bind(fine);
        Ok(())
    }

    /// `del target`.
    fn delete(&mut self, target: &'a Expr) -> Fallible<()> {
        let mark = self.unit.top;
        match &target.kind {
            ExprKind::Name { id, .. } => {
                self.at_expr(target);
                let name = self.mangle(id);
                self.delete_name(&name);
            }
            ExprKind::Attribute { value, attr, .. } => {
                let object = self.operand(value)?;
                self.at_attribute(target);
                let name = self.mangle(attr);
                let site = self.site(name);
                self.emit(Op::DelAttr, object, 0, site);
            }
            ExprKind::Subscript { value, slice, .. } => {
                let scratch = self.alloc();
                let object = self.held(value, slice, scratch)?;
                let index = self.operand(slice)?;
                self.at_expr(target);
                self.emit(Op::DelItem, object, index, 0);
            }
            ExprKind::Tuple { elts, .. } | ExprKind::List { elts, .. } => {
                elts.iter().try_for_each(|elt| self.delete(elt))?;
            }
            _ => return self.error("cannot delete this expression", target.span),
        }
        self.unit.top = mark;
        Ok(())
    }
}

/// The last comparison that a condition looks at to know where to go.
fn last_comparison(test: &Expr) -> Option<&Expr> {
    match &test.kind {
        ExprKind::Compare { .. } => Some(test),
        ExprKind::UnaryOp { op: UnaryOperator::Not, operand } => last_comparison(operand),
        ExprKind::BoolOp { values, .. } => values.iter().rev().find_map(last_comparison),
        ExprKind::IfExp { test, body, orelse } => {
            last_comparison(orelse).or_else(|| last_comparison(body)).or_else(|| last_comparison(test))
        }
        _ => None,
    }
}
