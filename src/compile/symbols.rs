//! Walks the syntax tree and fills the symbol tables; refuses what is wrong in the use of names. Must not know registers or instructions.

use super::annotations::{annotated_parameters, annotations_key, is_annotated};
use super::scope::{CLASSDICT, Kind, ScopeId, Scopes, Suspends, Symbol, mangle, node_key};
use super::{Fallible, Source, doubts};
use crate::bytecode::code::Name;
use mini_grammar::Span;
use mini_grammar::ast::*;

/// Builds the symbol tables of a module.
pub fn build(module: &Module, source: &Source<'_>) -> Fallible<Scopes> {
    let mut scopes = Scopes::default();
    let top = scopes.add(Kind::Module, None, "<module>".into(), None);
    let mut walker = Walker {
        scopes,
        at: top,
        source,
        comp_iterable: 0,
        at_start: false,
        in_function: 0,
        comps: Vec::new(),
    };
    match module {
        Module::Module { body } | Module::Interactive { body } => walker.module(body)?,
        Module::Expression { body } => walker.expr(body)?,
    }
    let mut scopes = walker.scopes;
    scopes
        .resolve()
        .map_err(|(name, span)| source.error(format!("no binding for nonlocal '{name}' found"), span))?;
    Ok(scopes)
}

/// The name of the scope of a generator expression.
const GENEXPR: &str = "<genexpr>";

struct Walker<'s> {
    scopes: Scopes,
    at: ScopeId,
    source: &'s Source<'s>,
    /// How many iterables of comprehensions we are in: `:=` is not allowed there.
    comp_iterable: u32,
    /// Nothing came yet but the docstring and future statements.
    at_start: bool,
    /// How many functions we are in.
    in_function: u32,
    /// The comprehensions we are in that are no generator expressions.
    comps: Vec<Span>,
}

impl Walker<'_> {
    fn error<T>(&self, message: impl Into<String>, span: Span) -> Fallible<T> {
        Err(self.source.error(message, span))
    }

    fn mangle(&self, name: &str) -> Name {
        mangle(self.scopes.get(self.at).private.as_ref(), name)
    }

    fn symbol(&mut self, name: &str) -> &mut Symbol {
        let name = self.mangle(name);
        self.scopes.get_mut(self.at).symbol(&name)
    }

    fn assign(&mut self, name: &str) {
        self.symbol(name).assigned = true;
    }

    fn use_name(&mut self, name: &str) {
        self.symbol(name).used = true;
        match name {
            "super" if self.in_function > 0 => self.symbol("__class__").used = true,
            "locals" | "vars" | "dir" | "eval" | "exec" => {
                let frame = self.frame();
                self.scopes.get_mut(frame).inspects_locals = true;
            }
            _ => {}
        }
    }

    /// The scope whose frame the current one runs in.
    fn frame(&self) -> ScopeId {
        let mut at = self.at;
        while let (Kind::Comprehension, Some(parent)) = (self.scopes.get(at).kind, self.scopes.get(at).parent)
        {
            at = parent;
        }
        at
    }

    fn enter(&mut self, key: usize, kind: Kind, name: &str, private: Option<Name>) -> ScopeId {
        let private = private.or_else(|| self.scopes.get(self.at).private.clone());
        let outer = self.at;
        self.at = self.scopes.add(kind, Some(outer), name.into(), private);
        self.scopes.set_node(key, self.at);
        outer
    }

    fn module(&mut self, body: &[Stmt]) -> Fallible<()> {
        self.at_start = true;
        for (index, stmt) in body.iter().enumerate() {
            let keeps_start = match &stmt.kind {
                StmtKind::Expr { value } => {
                    index == 0 && matches!(value.kind, ExprKind::Constant { value: Constant::Str(_) })
                }
                StmtKind::ImportFrom { module, .. } => module.as_deref() == Some("__future__"),
                _ => false,
            };
            self.at_start &= keeps_start;
            if let StmtKind::ImportFrom { module: Some(module), names, .. } = &stmt.kind {
                let asked = &**module == "__future__" && names.iter().any(|a| &*a.name == "annotations");
                self.scopes.future_annotations |= asked;
            }
            self.stmt(stmt)?;
        }
        Ok(())
    }

    fn block(&mut self, body: &[Stmt]) -> Fallible<()> {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &Stmt) -> Fallible<()> {
        match &stmt.kind {
            StmtKind::FunctionDef(def) => {
                self.refuse_debug(&def.name, ExprContext::Store, stmt.span)?;
                if &*def.name == "__del__" && self.scopes.get(self.at).kind == Kind::Class {
                    return self.error("finalizers (__del__) are not supported", stmt.span);
                }
                self.function_def(def, false)
            }
            StmtKind::AsyncFunctionDef(def) => {
                self.refuse_debug(&def.name, ExprContext::Store, stmt.span)?;
                self.function_def(def, true)
            }
            StmtKind::ClassDef(def) => {
                self.refuse_debug(&def.name, ExprContext::Store, stmt.span)?;
                self.class_def(def)
            }
            StmtKind::Return { value } => self.optional(value.as_deref()),
            StmtKind::Delete { targets } => self.exprs(targets),
            StmtKind::Assign { targets, value } => {
                self.expr(value)?;
                self.exprs(targets)
            }
            StmtKind::AugAssign { target, value, .. } => {
                if let ExprKind::Name { id, .. } = &target.kind {
                    self.use_name(id);
                }
                self.expr(target)?;
                self.expr(value)
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                self.annotated(target, *simple, value.is_some(), stmt.span)?;
                if *simple && self.scopes.get(self.at).kind != Kind::Function {
                    self.variable_annotation(annotation)?;
                }
                self.optional(value.as_deref())
            }
            StmtKind::For { target, iter, body, orelse }
            | StmtKind::AsyncFor { target, iter, body, orelse } => {
                if matches!(stmt.kind, StmtKind::AsyncFor { .. }) {
                    self.awaits(stmt.span, "'async for'")?;
                }
                self.expr(target)?;
                self.expr(iter)?;
                self.block(body)?;
                self.block(orelse)
            }
            StmtKind::While { test, body, orelse } | StmtKind::If { test, body, orelse } => {
                self.expr(test)?;
                self.block(body)?;
                self.block(orelse)
            }
            StmtKind::With { items, body } | StmtKind::AsyncWith { items, body } => {
                if matches!(stmt.kind, StmtKind::AsyncWith { .. }) {
                    self.awaits(stmt.span, "'async with'")?;
                }
                for item in items {
                    self.expr(&item.context_expr)?;
                    self.optional(item.optional_vars.as_deref())?;
                }
                self.block(body)
            }
            StmtKind::Raise { exc, cause } => {
                self.optional(exc.as_deref())?;
                self.optional(cause.as_deref())
            }
            StmtKind::Try { body, handlers, orelse, finalbody }
            | StmtKind::TryStar { body, handlers, orelse, finalbody } => {
                self.try_stmt(body, handlers, orelse, finalbody)
            }
            StmtKind::Assert { test, msg } => {
                doubts::assertion(self.source, test, stmt.span);
                self.expr(test)?;
                self.optional(msg.as_deref())
            }
            StmtKind::Import { names } => names.iter().try_for_each(|alias| self.import_name(alias, true)),
            StmtKind::ImportFrom { module, names, .. } => {
                if module.as_deref() == Some("__future__") && !self.at_start {
                    return self
                        .error("from __future__ imports must occur at the beginning of the file", stmt.span);
                }
                self.import_from(names)
            }
            StmtKind::Global { names } => {
                names.iter().try_for_each(|name| self.declare(name, stmt.span, "global"))
            }
            StmtKind::Nonlocal { names } => {
                if self.scopes.get(self.at).kind == Kind::Module {
                    return self.error("nonlocal declaration not allowed at module level", stmt.span);
                }
                names.iter().try_for_each(|name| self.declare(name, stmt.span, "nonlocal"))
            }
            StmtKind::Expr { value } => self.expr(value),
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => Ok(()),
            StmtKind::Match { subject, cases } => {
                self.expr(subject)?;
                cases.iter().try_for_each(|case| {
                    self.pattern(&case.pattern)?;
                    self.optional(case.guard.as_deref())?;
                    self.block(&case.body)
                })
            }
        }
    }

    fn pattern(&mut self, pattern: &Pattern) -> Fallible<()> {
        let captured = |walker: &mut Self, name: &Option<Identifier>| match name {
            Some(name) => {
                walker.refuse_debug(name, ExprContext::Store, pattern.span)?;
                walker.assign(name);
                Ok(())
            }
            None => Ok(()),
        };
        match &pattern.kind {
            PatternKind::MatchValue { value } => self.expr(value),
            PatternKind::MatchSingleton { .. } => Ok(()),
            PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => {
                patterns.iter().try_for_each(|p| self.pattern(p))
            }
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.exprs(keys)?;
                patterns.iter().try_for_each(|p| self.pattern(p))?;
                captured(self, rest)
            }
            PatternKind::MatchClass { cls, patterns, kwd_patterns, .. } => {
                self.expr(cls)?;
                patterns.iter().chain(kwd_patterns).try_for_each(|p| self.pattern(p))
            }
            PatternKind::MatchStar { name } => captured(self, name),
            PatternKind::MatchAs { pattern: inner, name } => {
                inner.iter().try_for_each(|p| self.pattern(p))?;
                captured(self, name)
            }
        }
    }

    /// An annotation of a variable of the module or class that we are in. They have one scope together.
    fn variable_annotation(&mut self, annotation: &Expr) -> Fallible<()> {
        if self.scopes.future_annotations {
            return Ok(());
        }
        let outer = self.at;
        match self.scopes.get(outer).annotations {
            Some(known) => self.at = known,
            None => {
                self.enter_annotations(node_key(annotation));
                self.scopes.get_mut(outer).annotations = Some(self.at);
            }
        }
        self.in_annotations(outer, [annotation])
    }

    /// Begins an annotation scope: a function with one parameter.
    fn enter_annotations(&mut self, key: usize) {
        let in_class = self.scopes.get(self.at).kind == Kind::Class;
        self.enter(key, Kind::Function, super::annotations::ANNOTATE, None);
        self.scopes.get_mut(self.at).is_annotation = true;
        self.symbol(super::annotations::FORMAT).param = true;
        if in_class {
            self.symbol(CLASSDICT).used = true;
        }
    }

    /// Walks annotations in the scope just entered, and goes back to `outer`.
    fn in_annotations<'e>(
        &mut self,
        outer: ScopeId,
        all: impl IntoIterator<Item = &'e Expr>,
    ) -> Fallible<()> {
        let iterables = std::mem::take(&mut self.comp_iterable);
        let comps = std::mem::take(&mut self.comps);
        all.into_iter().try_for_each(|annotation| self.expr(annotation))?;
        self.comp_iterable = iterables;
        self.comps = comps;
        self.at = outer;
        Ok(())
    }

    /// What an annotation must not contain.
    fn refuse_in_annotation(&self, what: &str, span: Span) -> Fallible<()> {
        match self.scopes.get(self.frame()).is_annotation {
            true => self.error(format!("{what} cannot be used within an annotation"), span),
            false => Ok(()),
        }
    }

    fn annotated(&mut self, target: &Expr, simple: bool, has_value: bool, span: Span) -> Fallible<()> {
        let ExprKind::Name { id, .. } = &target.kind else { return self.expr(target) };
        let known = self.symbol(id);
        let declared = (known.global, known.nonlocal.is_some());
        let at_module = self.scopes.get(self.at).kind == Kind::Module;
        match declared {
            (true, _) if simple && !at_module => {
                return self.error(format!("annotated name '{id}' can't be global"), span);
            }
            (_, true) if simple => {
                return self.error(format!("annotated name '{id}' can't be nonlocal"), span);
            }
            _ => {}
        }
        if simple {
            self.symbol(id).annotated = true;
        }
        if has_value {
            self.assign(id);
        }
        Ok(())
    }

    fn try_stmt(
        &mut self,
        body: &[Stmt],
        handlers: &[ExceptHandler],
        orelse: &[Stmt],
        finalbody: &[Stmt],
    ) -> Fallible<()> {
        self.block(body)?;
        for (index, handler) in handlers.iter().enumerate() {
            if handler.type_.is_none() && index + 1 < handlers.len() {
                return self.error("default 'except:' must be last", handler.span);
            }
            self.optional(handler.type_.as_deref())?;
            if let Some(name) = &handler.name {
                let symbol = self.symbol(name);
                symbol.assigned = true;
                symbol.deleted = true;
            }
            self.block(&handler.body)?;
        }
        self.block(orelse)?;
        self.block(finalbody)
    }

    fn import_name(&mut self, alias: &Alias, dotted: bool) -> Fallible<()> {
        let name = match &alias.asname {
            Some(name) => name,
            None if dotted => alias.name.split('.').next().unwrap_or(&alias.name),
            None => &*alias.name,
        };
        self.refuse_debug(name, ExprContext::Store, alias.span)?;
        self.assign(name);
        Ok(())
    }

    fn import_from(&mut self, names: &[Alias]) -> Fallible<()> {
        for alias in names {
            if &*alias.name == "*" {
                if self.scopes.get(self.at).kind != Kind::Module {
                    return self.error("import * only allowed at module level", alias.span);
                }
            } else {
                self.import_name(alias, false)?;
            }
        }
        Ok(())
    }

    fn declare(&mut self, name: &str, span: Span, what: &str) -> Fallible<()> {
        let at_module = self.scopes.get(self.at).kind == Kind::Module;
        let symbol = self.symbol(name);
        let problem = if symbol.param {
            Some(format!("name '{name}' is parameter and {what}"))
        } else if symbol.used {
            Some(format!("name '{name}' is used prior to {what} declaration"))
        } else if symbol.annotated {
            Some(format!("annotated name '{name}' can't be {what}"))
        } else if symbol.assigned {
            Some(format!("name '{name}' is assigned to before {what} declaration"))
        } else if (what == "global" && symbol.nonlocal.is_some()) || (what == "nonlocal" && symbol.global) {
            // CPython points at the first of the two.
            let first = symbol.declared.unwrap_or(span);
            return self.error(format!("name '{name}' is nonlocal and global"), first);
        } else {
            None
        };
        symbol.declared.get_or_insert(span);
        if what == "global" {
            symbol.global = !at_module;
        } else {
            symbol.nonlocal = Some(span);
        }
        problem.map_or(Ok(()), |message| self.error(message, span))
    }

    fn function_def(&mut self, def: &FunctionDef, is_async: bool) -> Fallible<()> {
        self.assign(&def.name);
        self.defaults(&def.args)?;
        self.exprs(&def.decorator_list)?;
        if is_annotated(def) && !self.scopes.future_annotations {
            let outer = self.at;
            self.enter_annotations(annotations_key(def));
            let annotations = annotated_parameters(&def.args).filter_map(|arg| arg.annotation.as_deref());
            self.in_annotations(outer, annotations.chain(def.returns.as_deref()))?;
        }
        let outer = self.enter(node_key(def), Kind::Function, &def.name, None);
        self.scopes.get_mut(self.at).suspends.is_async = is_async;
        self.in_function += 1;
        self.params(&def.args)?;
        self.block(&def.body)?;
        self.in_function -= 1;
        self.at = outer;
        Ok(())
    }

    fn lambda(&mut self, key: usize, args: &Arguments, body: &Expr) -> Fallible<()> {
        self.defaults(args)?;
        let outer = self.enter(key, Kind::Function, "<lambda>", None);
        let comps = std::mem::take(&mut self.comps);
        self.in_function += 1;
        self.params(args)?;
        self.expr(body)?;
        self.in_function -= 1;
        self.comps = comps;
        self.at = outer;
        Ok(())
    }

    fn class_def(&mut self, def: &ClassDef) -> Fallible<()> {
        self.assign(&def.name);
        self.exprs(&def.bases)?;
        def.keywords.iter().try_for_each(|keyword| self.keyword(keyword))?;
        self.exprs(&def.decorator_list)?;
        let outer = self.enter(node_key(def), Kind::Class, &def.name, Some((&*def.name).into()));
        let functions = std::mem::take(&mut self.in_function);
        self.block(&def.body)?;
        self.in_function = functions;
        self.at = outer;
        Ok(())
    }

    fn defaults(&mut self, args: &Arguments) -> Fallible<()> {
        self.exprs(&args.defaults)?;
        args.kw_defaults.iter().flatten().try_for_each(|value| self.expr(value))
    }

    fn params(&mut self, args: &Arguments) -> Fallible<()> {
        for arg in parameters(args) {
            self.refuse_debug(&arg.arg, ExprContext::Store, arg.span)?;
            let symbol = self.symbol(&arg.arg);
            let repeated = std::mem::replace(&mut symbol.param, true);
            if repeated {
                let message = format!("duplicate argument '{}' in function definition", arg.arg);
                return self.error(message, arg.span);
            }
        }
        Ok(())
    }

    fn exprs(&mut self, exprs: &[Expr]) -> Fallible<()> {
        exprs.iter().try_for_each(|expr| self.expr(expr))
    }

    fn optional(&mut self, expr: Option<&Expr>) -> Fallible<()> {
        expr.map_or(Ok(()), |expr| self.expr(expr))
    }

    fn expr(&mut self, expr: &Expr) -> Fallible<()> {
        doubts::expression(self.source, expr);
        match &expr.kind {
            ExprKind::Constant { .. } => Ok(()),
            ExprKind::Name { id, ctx } => {
                self.refuse_debug(id, *ctx, expr.span)?;
                self.name(id, *ctx);
                Ok(())
            }
            ExprKind::Attribute { value, attr, ctx } => {
                self.refuse_debug(attr, *ctx, expr.span)?;
                self.expr(value)
            }
            ExprKind::BoolOp { values, .. } | ExprKind::JoinedStr { values } => self.exprs(values),
            ExprKind::NamedExpr { target, value } => self.walrus(target, value, expr.span),
            ExprKind::BinOp { left, right, .. } => {
                self.expr(left)?;
                self.expr(right)
            }
            ExprKind::UnaryOp { operand: value, .. } | ExprKind::Starred { value, .. } => self.expr(value),
            ExprKind::Lambda { args, body } => self.lambda(node_key(expr), args, body),
            ExprKind::IfExp { test, body, orelse } => {
                self.expr(test)?;
                self.expr(body)?;
                self.expr(orelse)
            }
            ExprKind::Dict { keys, values } => {
                keys.iter().flatten().try_for_each(|key| self.expr(key))?;
                self.exprs(values)
            }
            ExprKind::Set { elts } | ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } => {
                self.exprs(elts)
            }
            ExprKind::ListComp { elt, generators } => self.comp(expr, "<listcomp>", generators, &[elt]),
            ExprKind::SetComp { elt, generators } => self.comp(expr, "<setcomp>", generators, &[elt]),
            ExprKind::DictComp { key, value, generators } => {
                self.comp(expr, "<dictcomp>", generators, &[key, value])
            }
            ExprKind::Compare { left, comparators, .. } => {
                self.expr(left)?;
                self.exprs(comparators)
            }
            ExprKind::Call { func, args, keywords } => {
                self.expr(func)?;
                self.exprs(args)?;
                keywords.iter().try_for_each(|keyword| self.keyword(keyword))
            }
            ExprKind::FormattedValue { value, format_spec, .. } => {
                self.expr(value)?;
                self.optional(format_spec.as_deref())
            }
            ExprKind::Subscript { value, slice, .. } => {
                self.expr(value)?;
                self.expr(slice)
            }
            ExprKind::Slice { lower, upper, step } => {
                [lower, upper, step].into_iter().try_for_each(|part| self.optional(part.as_deref()))
            }
            ExprKind::GeneratorExp { elt, generators } => self.comp(expr, GENEXPR, generators, &[elt]),
            ExprKind::Await { value } => {
                self.awaits(expr.span, "'await'")?;
                self.expr(value)
            }
            ExprKind::Yield { value } => {
                self.yields(expr.span)?;
                self.optional(value.as_deref())
            }
            ExprKind::YieldFrom { value } => {
                self.yields(expr.span)?;
                if self.scopes.get(self.at).suspends.is_async {
                    return self.error("'yield from' inside async function", expr.span);
                }
                self.expr(value)
            }
        }
    }

    fn keyword(&mut self, keyword: &Keyword) -> Fallible<()> {
        if let Some(name) = &keyword.arg {
            self.refuse_debug(name, ExprContext::Store, keyword.span)?;
        }
        self.expr(&keyword.value)
    }

    /// `__debug__` is a constant.
    fn refuse_debug(&self, name: &str, ctx: ExprContext, span: Span) -> Fallible<()> {
        match ctx {
            ExprContext::Store if name == "__debug__" => self.error("cannot assign to __debug__", span),
            ExprContext::Del if name == "__debug__" => self.error("cannot delete __debug__", span),
            _ => Ok(()),
        }
    }

    fn name(&mut self, id: &str, ctx: ExprContext) {
        match ctx {
            ExprContext::Load => self.use_name(id),
            ExprContext::Store => self.assign(id),
            ExprContext::Del => {
                let symbol = self.symbol(id);
                symbol.assigned = true;
                symbol.deleted = true;
            }
        }
    }

    fn walrus(&mut self, target: &Expr, value: &Expr, span: Span) -> Fallible<()> {
        let ExprKind::Name { id, .. } = &target.kind else { return self.expr(value) };
        self.refuse_in_annotation("named expression", span)?;
        self.refuse_debug(id, ExprContext::Store, target.span)?;
        if self.comp_iterable > 0 {
            return self
                .error("assignment expression cannot be used in a comprehension iterable expression", span);
        }
        let name = self.mangle(id);
        let inner = self.at;
        while self.scopes.get(self.at).kind == Kind::Comprehension || self.is_class_comprehension() {
            if self.scopes.get(self.at).get(&name).is_some_and(|symbol| symbol.iteration) {
                let message =
                    format!("assignment expression cannot rebind comprehension iteration variable '{id}'");
                return self.error(message, target.span);
            }
            match self.scopes.get(self.at).parent {
                Some(parent) => self.at = parent,
                None => break,
            }
        }
        if inner != self.at && self.scopes.get(self.at).kind == Kind::Class {
            return self
                .error("assignment expression within a comprehension cannot be used in a class body", span);
        }
        self.scopes.get_mut(self.at).symbol(&name).assigned = true;
        self.scopes.get_mut(self.at).walrus.insert(name.clone());
        // The comprehension itself remembers it too: its later loops must not take the name.
        self.scopes.get_mut(inner).walrus.insert(name);
        self.at = inner;
        self.symbol(id).used = true;
        self.expr(value)
    }

    fn is_class_comprehension(&self) -> bool {
        let scope = self.scopes.get(self.at);
        scope.kind == Kind::Function && scope.symbols.contains_key(super::comp::ITERABLE)
    }

    fn comp(
        &mut self,
        expr: &Expr,
        name: &str,
        generators: &[Comprehension],
        results: &[&Expr],
    ) -> Fallible<()> {
        let Some(first) = generators.first() else { return Ok(()) };
        self.iterable(&first.iter)?;
        let (in_class, lazy) = (self.scopes.get(self.at).kind == Kind::Class, name == GENEXPR);
        let kind = if in_class || lazy { Kind::Function } else { Kind::Comprehension };
        let outer = self.enter(node_key(expr), kind, name, None);
        let comps = lazy.then(|| std::mem::take(&mut self.comps));
        if lazy {
            self.generator_expression(first);
        } else {
            self.comps.push(expr.span);
        }
        if in_class && !lazy {
            super::comp::STATE.iter().for_each(|name| self.symbol(name).param = true);
        }
        for (index, generator) in generators.iter().enumerate() {
            self.targets(&generator.target)?;
            if index > 0 {
                self.iterable(&generator.iter)?;
            }
            self.exprs(&generator.ifs)?;
            if generator.is_async {
                self.awaits(expr.span, "'async for'")?;
            }
        }
        results.iter().try_for_each(|result| self.expr(result))?;
        match comps {
            Some(comps) => self.comps = comps,
            None => drop(self.comps.pop()),
        }
        self.at = outer;
        Ok(())
    }

    /// The scope just entered is a generator expression's: its parameters are the state of the outermost loop.
    fn generator_expression(&mut self, first: &Comprehension) {
        let parameters = if first.is_async { 1 } else { super::comp::STATE.len() };
        for name in super::comp::STATE.iter().take(parameters) {
            self.symbol(name).param = true;
        }
        self.scopes.get_mut(self.at).suspends = Suspends { yields: true, is_async: false, expression: true };
    }

    /// A `yield` here: the function around it makes generators.
    fn yields(&mut self, span: Span) -> Fallible<()> {
        self.refuse_in_annotation("yield expression", span)?;
        let scope = self.scopes.get_mut(self.at);
        let is_comp = scope.suspends.expression || scope.symbols.contains_key(super::comp::ITERABLE);
        if is_comp || scope.kind == Kind::Comprehension {
            let what = match &*scope.name {
                GENEXPR => "generator expression",
                "<listcomp>" => "list comprehension",
                "<setcomp>" => "set comprehension",
                _ => "dict comprehension",
            };
            return self.error(format!("'yield' inside {what}"), span);
        }
        if scope.kind != Kind::Function {
            return self.error("'yield' outside function", span);
        }
        scope.suspends.yields = true;
        Ok(())
    }

    /// Something here awaits: the function around it has to be asynchronous.
    fn awaits(&mut self, span: Span, what: &str) -> Fallible<()> {
        self.refuse_in_annotation("await expression", span)?;
        let frame = self.frame();
        let scope = self.scopes.get_mut(frame);
        if scope.suspends.expression {
            scope.suspends.is_async = true;
        }
        if scope.suspends.is_async {
            return Ok(());
        }
        if let Some(comp) = self.comps.first() {
            return self.error("asynchronous comprehension outside of an asynchronous function", *comp);
        }
        match what {
            "'await'" if scope.kind != Kind::Function => self.error("'await' outside function", span),
            _ => self.error(format!("{what} outside async function"), span),
        }
    }

    fn iterable(&mut self, iter: &Expr) -> Fallible<()> {
        self.comp_iterable += 1;
        let result = self.expr(iter);
        self.comp_iterable -= 1;
        result
    }

    /// The target of a `for` of a comprehension: its names are marked as iteration variables.
    fn targets(&mut self, target: &Expr) -> Fallible<()> {
        match &target.kind {
            ExprKind::Name { id, .. } => {
                let name = self.mangle(id);
                if self.scopes.get(self.at).walrus.contains(&name) {
                    let message =
                        format!("comprehension inner loop cannot rebind assignment expression target '{id}'");
                    return self.error(message, target.span);
                }
                let symbol = self.symbol(id);
                symbol.assigned = true;
                symbol.iteration = true;
                Ok(())
            }
            ExprKind::Tuple { elts, .. } | ExprKind::List { elts, .. } => {
                elts.iter().try_for_each(|elt| self.targets(elt))
            }
            ExprKind::Starred { value, .. } => self.targets(value),
            _ => self.expr(target),
        }
    }
}

/// All parameters in the order of their registers.
pub fn parameters(args: &Arguments) -> impl Iterator<Item = &Arg> {
    let positional = args.posonlyargs.iter().chain(&args.args).chain(&args.kwonlyargs);
    positional.chain(args.vararg.as_deref()).chain(args.kwarg.as_deref())
}
