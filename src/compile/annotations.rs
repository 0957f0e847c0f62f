//! Annotations. They are not evaluated where they stand: those of a function, and those of the variables of a module or class,
//! become a function `__annotate__`, which is called when somebody asks for `__annotations__`.
//! Under `from __future__ import annotations` their texts are kept instead. Must not know how names are looked up.

use super::Fallible;
use super::func::Signature;
use super::scope::{CLASSDICT, Kind, ScopeId, node_key};
use super::unit::{Compiler, Reg};
use crate::bytecode::code::{Code, Const, Flags, Name};
use crate::bytecode::op::Op;
use mini_grammar::ast::*;
use std::sync::Arc;

const NAMESPACE: &str = "__annotations__";
/// The function that gives the annotations.
pub const ANNOTATE: &str = "__annotate__";
/// Its parameter, which no expression can name.
pub const FORMAT: &str = ".format";
/// The set of the annotations in blocks that have been executed, by number.
const EXECUTED: &str = "__conditional_annotations__";
/// The only format that Mini's annotation functions give: values.
const VALUE: u16 = 1;

/// One annotation that is to be evaluated later.
struct Later<'a> {
    name: Name,
    annotation: &'a Expr,
    /// It counts only if this number is among the executed ones.
    number: Option<usize>,
}

impl<'a> Compiler<'a> {
    /// `x: annotation` where such a thing is kept: not in functions.
    pub fn annotate(&mut self, target: &'a Expr, annotation: &'a Expr, simple: bool) -> Fallible<()> {
        let ExprKind::Name { id, .. } = &target.kind else { return Ok(()) };
        if !simple || self.scope().kind == Kind::Function {
            return Ok(());
        }
        let mark = self.unit.top;
        if self.scopes.future_annotations {
            let (dict, key, value) = (self.alloc(), self.alloc(), self.alloc());
            let (name, text) = (self.mangle(id), self.text_of(annotation));
            self.load_name(&NAMESPACE.into(), dict);
            self.load_const(key, Const::Str(name.into()));
            self.load_const(value, Const::Str(text.into()));
            self.emit(Op::SetItem, dict, key, value);
        } else if let Some(number) = self.unit.conditional.get(&node_key(annotation)).copied() {
            let (set, item) = (self.alloc(), self.alloc());
            self.load_name(&EXECUTED.into(), set);
            self.load_const(item, Const::Int(number as i64));
            self.emit(Op::SetAdd, set, item, 0);
        }
        self.unit.top = mark;
        Ok(())
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

    /// Begins a module or class body: what is to become of the annotations of its variables.
    pub fn variable_annotations(&mut self, body: &'a [Stmt]) -> Fallible<()> {
        let mut found = Vec::new();
        collect(body, false, &mut found);
        if found.is_empty() {
            return Ok(());
        }
        let mark = self.unit.top;
        let dst = self.alloc();
        if self.scopes.future_annotations {
            self.emit(Op::NewDict, dst, 0, 0);
            self.store_name(&NAMESPACE.into(), dst);
        } else {
            self.deferred_annotations(found, dst)?;
        }
        self.unit.top = mark;
        Ok(())
    }

    fn deferred_annotations(&mut self, found: Vec<Found<'a>>, dst: Reg) -> Fallible<()> {
        let in_class = self.scope().kind == Kind::Class;
        let Some(scope) = self.scope().annotations else { return Ok(()) };
        let mut all = Vec::with_capacity(found.len());
        for (number, Found { name, annotation, conditional }) in found.into_iter().enumerate() {
            if conditional {
                self.unit.conditional.insert(node_key(annotation), number);
            }
            let number = conditional.then_some(number);
            all.push(Later { name: self.mangle(name), annotation, number });
        }
        if !self.unit.conditional.is_empty() {
            self.emit(Op::NewSet, dst, 0, 0);
            self.store_name(&EXECUTED.into(), dst);
        }
        self.annotate_function(scope, all, dst)?;
        // Not by the name that scripts read: a class must not inherit its bases'.
        let name = if in_class { "__annotate_func__" } else { ANNOTATE };
        self.store_name(&name.into(), dst);
        Ok(())
    }

    /// Gives the new function in `function` its annotations.
    pub fn function_annotations(&mut self, def: &'a FunctionDef, function: Reg) -> Fallible<()> {
        if !is_annotated(def) {
            return Ok(());
        }
        let parameters = annotated_parameters(&def.args).filter_map(|arg| {
            let annotation = arg.annotation.as_deref()?;
            Some(Later { name: self.mangle(&arg.arg), annotation, number: None })
        });
        let mut all: Vec<Later<'a>> = parameters.collect();
        let returned = def.returns.as_deref();
        all.extend(returned.map(|annotation| Later { name: "return".into(), annotation, number: None }));
        let mark = self.unit.top;
        let value = self.alloc();
        let name = if self.scopes.future_annotations {
            self.texts(&all, value);
            NAMESPACE
        } else {
            let Some(scope) = self.scopes.of_node(annotations_key(def)) else { return Ok(()) };
            self.annotate_function(scope, all, value)?;
            ANNOTATE
        };
        let site = self.site(name.into());
        self.emit(Op::SetAttr, function, value, site);
        self.unit.top = mark;
        Ok(())
    }

    /// A dict of the texts of annotations.
    fn texts(&mut self, all: &[Later<'a>], dict: Reg) {
        self.emit(Op::NewDict, dict, 0, 0);
        for Later { name, annotation, .. } in all {
            let mark = self.unit.top;
            let (key, value) = (self.alloc(), self.alloc());
            let text = self.text_of(annotation);
            self.load_const(key, Const::Str(name.clone().into()));
            self.load_const(value, Const::Str(text.into()));
            self.emit(Op::MapPut, dict, key, value);
            self.unit.top = mark;
        }
    }

    /// A function that gives a dict of annotations, into `dst`.
    fn annotate_function(&mut self, scope: ScopeId, all: Vec<Later<'a>>, dst: Reg) -> Fallible<()> {
        let mark = self.unit.top;
        let start = all.first().map_or(0, |first| first.annotation.span.start);
        let code = self.annotate_code(scope, all, self.source.line(start))?;
        let run = self.alloc_run(2);
        self.emit(Op::Clear, run, 0, 0);
        self.emit(Op::Clear, run.saturating_add(1), 0, 0);
        self.close_over(code, run, dst);
        self.unit.top = mark;
        Ok(())
    }

    fn annotate_code(&mut self, scope: ScopeId, all: Vec<Later<'a>>, line: u32) -> Fallible<Arc<Code>> {
        self.enter(scope, ANNOTATE, line);
        self.begin_frame(1);
        if let Some(index) = self.scope().free_index(CLASSDICT) {
            let (namespace, name) = (self.alloc(), self.name_constant(&CLASSDICT.into()));
            self.emit(Op::GetFree, namespace, index, name);
            self.unit.namespace = Some(namespace);
        }
        self.refuse_other_formats();
        let dict = self.alloc();
        self.emit(Op::NewDict, dict, 0, 0);
        for later in all {
            self.evaluated(later, dict)?;
        }
        self.emit(Op::Return, dict, 0, 0);
        let nested = self.is_nested();
        let flags = Flags { nested, ..Flags::default() };
        self.leave(Signature { flags, nparams: 1, nposonly: 1, ..Signature::default() }, line)
    }

    fn refuse_other_formats(&mut self) {
        let (wrong, right) = (self.label(), self.label());
        let mark = self.unit.top;
        self.jump_on(Op::JNEqI, 0, VALUE, wrong);
        self.jump(right);
        self.bind(wrong);
        let error = self.alloc();
        self.load_global(&"NotImplementedError".into(), error);
        self.emit(Op::Raise, error, 0, 0);
        self.bind(right);
        self.unit.top = mark;
    }

    /// `dict[name] = annotation`, if that counts.
    fn evaluated(&mut self, later: Later<'a>, dict: Reg) -> Fallible<()> {
        let mark = self.unit.top;
        let skip = self.label();
        if let Some(number) = later.number {
            let (set, item) = (self.alloc(), self.alloc());
            self.load_name(&EXECUTED.into(), set);
            self.load_const(item, Const::Int(number as i64));
            self.emit(Op::In, item, item, set);
            self.jump_on(Op::JFalse, item, 0, skip);
            self.unit.top = mark;
        }
        let key = self.alloc();
        self.load_const(key, Const::Str(later.name.into()));
        let value = self.operand(later.annotation)?;
        self.at(later.annotation.span);
        self.emit(Op::MapPut, dict, key, value);
        self.bind(skip);
        self.unit.top = mark;
        Ok(())
    }
}

/// The parameters in the order of `__annotations__`.
pub fn annotated_parameters(args: &Arguments) -> impl Iterator<Item = &Arg> {
    let plain = args.args.iter().chain(&args.posonlyargs).chain(args.vararg.as_deref());
    plain.chain(&args.kwonlyargs).chain(args.kwarg.as_deref())
}

/// The key of the scope of a function's annotations: beside that of the function, whose address is even.
pub fn annotations_key(def: &FunctionDef) -> usize {
    node_key(def) + 1
}

/// Whether a function has annotations.
pub fn is_annotated(def: &FunctionDef) -> bool {
    def.returns.is_some() || annotated_parameters(&def.args).any(|arg| arg.annotation.is_some())
}

/// The annotation of a variable.
struct Found<'a> {
    name: &'a str,
    annotation: &'a Expr,
    /// It stands in a block that may not be executed.
    conditional: bool,
}

/// The annotations of a body, those in inner functions and classes left out.
fn collect<'a>(body: &'a [Stmt], conditional: bool, found: &mut Vec<Found<'a>>) {
    for stmt in body {
        match &stmt.kind {
            StmtKind::AnnAssign { target, annotation, simple: true, .. } => {
                if let ExprKind::Name { id, .. } = &target.kind {
                    found.push(Found { name: id, annotation, conditional });
                }
            }
            StmtKind::If { body, orelse, .. }
            | StmtKind::While { body, orelse, .. }
            | StmtKind::For { body, orelse, .. }
            | StmtKind::AsyncFor { body, orelse, .. } => {
                [body, orelse].into_iter().for_each(|block| collect(block, true, found));
            }
            StmtKind::With { body, .. } | StmtKind::AsyncWith { body, .. } => collect(body, true, found),
            StmtKind::Match { cases, .. } => cases.iter().for_each(|case| collect(&case.body, true, found)),
            StmtKind::Try { body, handlers, orelse, finalbody }
            | StmtKind::TryStar { body, handlers, orelse, finalbody } => {
                collect(body, true, found);
                handlers.iter().for_each(|handler| collect(&handler.body, true, found));
                [orelse, finalbody].into_iter().for_each(|block| collect(block, true, found));
            }
            _ => {}
        }
    }
}
