//! Annotations: evaluated where CPython evaluates them, kept in `__annotations__` of modules, classes and functions.
//! Under `from __future__ import annotations` their texts are kept instead. Must not know how names are looked up.

use super::Fallible;
use super::scope::Kind;
use super::unit::{Compiler, Reg};
use crate::bytecode::code::{Const, Name};
use crate::bytecode::op::Op;
use mini_grammar::ast::*;

const NAMESPACE: &str = "__annotations__";

impl<'a> Compiler<'a> {
    /// `x: annotation` where such a thing is evaluated: not in functions.
    pub fn annotate(&mut self, target: &'a Expr, annotation: &'a Expr, simple: bool) -> Fallible<()> {
        if self.scope().kind == Kind::Function {
            return Ok(());
        }
        let mark = self.unit.top;
        match &target.kind {
            ExprKind::Name { id, .. } if simple => {
                let (dict, key) = (self.alloc(), self.alloc());
                let name = self.mangle(id);
                self.load_name(&NAMESPACE.into(), dict);
                self.load_const(key, Const::Str(name));
                let value = self.annotation(annotation)?;
                self.emit(Op::SetItem, dict, key, value);
            }
            _ if !self.scopes.future_annotations => self.discard(annotation)?,
            _ => {}
        }
        self.unit.top = mark;
        Ok(())
    }

    fn annotation(&mut self, annotation: &'a Expr) -> Fallible<Reg> {
        if self.scopes.future_annotations {
            let reg = self.alloc();
            let text = self.text_of(annotation);
            self.load_const(reg, Const::Str(text.into()));
            return Ok(reg);
        }
        self.operand(annotation)
    }

    /// An annotation as CPython would write it, at least for what annotations commonly are.
    fn text_of(&self, expr: &Expr) -> String {
        let all = |exprs: &[Expr]| exprs.iter().map(|e| self.text_of(e)).collect::<Vec<_>>().join(", ");
        match &expr.kind {
            ExprKind::Constant { value: Constant::Str(text) } if !text.contains(['\'', '\\', '\n']) => {
                format!("'{text}'")
            }
            ExprKind::Attribute { value, attr, .. } => format!("{}.{attr}", self.text_of(value)),
            ExprKind::Subscript { value, slice, .. } => {
                let inside = match &slice.kind {
                    ExprKind::Tuple { elts, .. } if elts.len() > 1 => all(elts),
                    _ => self.text_of(slice),
                };
                format!("{}[{inside}]", self.text_of(value))
            }
            ExprKind::List { elts, .. } => format!("[{}]", all(elts)),
            ExprKind::BinOp { left, op: Operator::BitOr, right } => {
                format!("{} | {}", self.text_of(left), self.text_of(right))
            }
            _ => expr.span.of(self.source.text).to_owned(),
        }
    }

    /// Begins a module or class body that has annotations.
    pub fn annotations_namespace(&mut self, body: &[Stmt]) {
        if !has_annotations(body) {
            return;
        }
        let dict = self.alloc();
        self.emit(Op::NewDict, dict, 0, 0);
        self.store_name(&NAMESPACE.into(), dict);
        self.unit.top -= 1;
    }

    /// Gives the new function in `function` its annotations.
    pub fn function_annotations(&mut self, def: &'a FunctionDef, function: Reg) -> Fallible<()> {
        let annotated = annotated_parameters(&def.args).filter_map(|arg| {
            let annotation = arg.annotation.as_deref()?;
            Some((self.mangle(&arg.arg), annotation))
        });
        let mut all: Vec<(Name, &'a Expr)> = annotated.collect();
        all.extend(def.returns.as_deref().map(|returns| ("return".into(), returns)));
        if all.is_empty() {
            return Ok(());
        }
        let mark = self.unit.top;
        let dict = self.alloc();
        self.emit(Op::NewDict, dict, 0, 0);
        for (name, annotation) in all {
            let mark = self.unit.top;
            let key = self.alloc();
            self.load_const(key, Const::Str(name));
            let value = self.annotation(annotation)?;
            self.emit(Op::MapPut, dict, key, value);
            self.unit.top = mark;
        }
        let site = self.site(NAMESPACE.into());
        self.emit(Op::SetAttr, function, dict, site);
        self.unit.top = mark;
        Ok(())
    }
}

/// The parameters in the order of `__annotations__`.
pub fn annotated_parameters(args: &Arguments) -> impl Iterator<Item = &Arg> {
    let plain = args.args.iter().chain(&args.posonlyargs).chain(args.vararg.as_deref());
    plain.chain(&args.kwonlyargs).chain(args.kwarg.as_deref())
}

/// Whether a statement of this body, inner bodies of functions and classes left out, is an annotation.
fn has_annotations(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| match &stmt.kind {
        StmtKind::AnnAssign { .. } => true,
        StmtKind::If { body, orelse, .. }
        | StmtKind::While { body, orelse, .. }
        | StmtKind::For { body, orelse, .. }
        | StmtKind::AsyncFor { body, orelse, .. } => has_annotations(body) || has_annotations(orelse),
        StmtKind::With { body, .. } | StmtKind::AsyncWith { body, .. } => has_annotations(body),
        StmtKind::Match { cases, .. } => cases.iter().any(|case| has_annotations(&case.body)),
        StmtKind::Try { body, handlers, orelse, finalbody }
        | StmtKind::TryStar { body, handlers, orelse, finalbody } => {
            [body, orelse, finalbody].into_iter().any(|b| has_annotations(b))
                || handlers.iter().any(|h| has_annotations(&h.body))
        }
        _ => false,
    })
}
