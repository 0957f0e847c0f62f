//! Class definitions: the body's code, bases and keywords, decorators. Must not know what a class is at run time.

use super::Fallible;
use super::call::WINDOW;
use super::display::is_starred;
use super::func::{Signature, docstring};
use super::scope::{ScopeId, node_key};
use super::unit::{Compiler, Reg};
use crate::bytecode::code::{Code, Const, Flags, Name};
use crate::bytecode::op::Op;
use mini_grammar::Span;
use mini_grammar::ast::*;
use std::sync::Arc;

impl<'a> Compiler<'a> {
    pub fn class_def(&mut self, def: &'a ClassDef, span: Span) -> Fallible<()> {
        let mark = self.unit.top;
        let dst = self.alloc();
        let window = self.decorators(&def.decorator_list, dst)?;
        self.alloc_run(WINDOW - 1);
        let (function, name_reg) = (self.alloc(), self.alloc());
        let code = self.class_body(def, span)?;
        self.at(span);
        let run = self.alloc_run(2);
        self.emit(Op::Clear, run, 0, 0);
        self.emit(Op::Clear, run.saturating_add(1), 0, 0);
        self.close_over(code, run, function);
        self.unit.top = u32::from(name_reg) + 1;
        self.load_const(name_reg, Const::Str((&*def.name).into()));
        self.bases(def, window, span)?;
        self.apply_decorators(&def.decorator_list, dst, window);
        self.at(span);
        let name = self.mangle(&def.name);
        self.store_name(&name, dst);
        self.unit.top = mark;
        Ok(())
    }

    fn bases(&mut self, def: &'a ClassDef, window: Reg, span: Span) -> Fallible<()> {
        let spread =
            def.bases.iter().any(is_starred) || def.keywords.iter().any(|keyword| keyword.arg.is_none());
        if spread {
            let (bases, keywords) = (self.alloc(), self.alloc());
            self.argument_list(span, &def.bases, bases)?;
            self.keyword_dict(span, &def.keywords, keywords, window)?;
            if def.keywords.is_empty() {
                self.emit(Op::NewDict, keywords, 0, 0);
            }
            self.at(span);
            let names = self.constant(Const::Tuple([].into()));
            self.emit_x(Op::BuildClass, 1, window, 0, names);
            return Ok(());
        }
        let (_, mut count) = self.run_of(&def.bases)?;
        let mut names = Vec::with_capacity(def.keywords.len());
        for keyword in &def.keywords {
            let reg = self.alloc();
            self.expr_to(&keyword.value, reg)?;
            names.extend(keyword.arg.as_deref().map(|name| Const::Str(self.mangle(name).into())));
            count = count.saturating_add(1);
        }
        self.at(span);
        let names = self.constant(Const::Tuple(names.into()));
        self.emit(Op::BuildClass, window, count, names);
        Ok(())
    }

    /// The body as a code object whose register 0 is the namespace.
    fn class_body(&mut self, def: &'a ClassDef, span: Span) -> Fallible<Arc<Code>> {
        let Some(scope) = self.scopes.of_node(node_key(def)) else {
            return self.error("internal error: a scope is missing", span);
        };
        let first = def.decorator_list.first().map_or(span.start, |decorator| decorator.span.start);
        let first_line = self.source.line(first);
        self.enter(scope, &def.name, first_line);
        self.alloc();
        self.unit.nvars = 1;
        let doc = docstring(&def.body);
        self.unit.namespace = Some(0);
        self.class_prologue(scope, doc.clone());
        self.variable_annotations(&def.body)?;
        self.block(&def.body)?;
        if let Some(cell) = self.unit.class_cell {
            self.emit(Op::Return, cell, 0, 0);
        }
        let nested = self.is_nested();
        let flags = Flags { class_body: true, nested, ..Flags::default() };
        self.leave(Signature { flags, doc, ..Signature::default() }, first_line)
    }

    fn class_prologue(&mut self, scope: ScopeId, doc: Option<Name>) {
        if self.scopes.get(scope).needs_class_cell {
            let cell = self.alloc();
            self.emit(Op::Clear, cell, 0, 0);
            self.emit(Op::NewCell, cell, cell, 0);
            self.unit.class_cell = Some(cell);
        }
        if self.scopes.get(scope).needs_namespace_cell {
            let cell = self.alloc();
            self.emit(Op::NewCell, cell, 0, 0);
            self.unit.namespace_cell = Some(cell);
        }
        if let Some(doc) = doc {
            let mark = self.unit.top;
            let text = self.alloc();
            self.load_const(text, Const::Str(doc.into()));
            let name = self.name_constant(&"__doc__".into());
            self.emit(Op::NsSet, 0, text, name);
            self.unit.top = mark;
        }
    }
}
