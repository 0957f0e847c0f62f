//! Builds statements: which node a rule makes, and which of its expressions are targets. Methods of `Nodes`.

use crate::ast::*;
use crate::check;
use crate::items::*;
use crate::nodes::Nodes;

impl<'s> Nodes<'s> {
    // Assignments.

    pub fn assign(&self, mut targets: Vec<Expr>, value: Expr) -> StmtKind {
        check::assignment(self, &targets, &value);
        for target in &mut targets {
            check::assigned(self, target);
        }
        StmtKind::Assign { targets, value: Box::new(value) }
    }

    pub fn aug_assign(&self, mut target: Expr, op: Operator, value: Expr) -> StmtKind {
        let is_target = matches!(
            target.kind,
            ExprKind::Name { .. } | ExprKind::Attribute { .. } | ExprKind::Subscript { .. }
        );
        if is_target {
            check::set_context(&mut target, ExprContext::Store);
        } else {
            let what = check::describe(&target);
            self.problem(target.span, format!("'{what}' is an illegal expression for augmented assignment"));
        }
        StmtKind::AugAssign { target: Box::new(target), op, value: Box::new(value) }
    }

    pub fn ann_assign(&self, l: u32, mut target: Expr, annotation: Expr, value: Option<Expr>) -> StmtKind {
        let is_bare = !self.is_parenthesised(l, target.span);
        match &target.kind {
            ExprKind::Tuple { elts, .. } => {
                let first = elts.first().filter(|first| is_bare && first.span.start == l);
                let span = first.map_or(target.span, |first| first.span);
                self.problem(span, "only single target (not tuple) can be annotated");
            }
            ExprKind::List { .. } => {
                self.problem(target.span, "only single target (not list) can be annotated")
            }
            ExprKind::Name { .. } | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => {
                check::set_context(&mut target, ExprContext::Store);
            }
            _ => self.problem(target.span, "illegal target for annotation"),
        }
        let simple = is_bare && matches!(target.kind, ExprKind::Name { .. });
        StmtKind::AnnAssign {
            target: Box::new(target),
            annotation: Box::new(annotation),
            value: value.map(Box::new),
            simple,
        }
    }

    pub fn delete(&self, mut targets: Items<Expr>) -> StmtKind {
        for target in &mut targets.elts {
            check::deleted(self, target);
        }
        StmtKind::Delete { targets: targets.elts }
    }

    /// The target list of a `for`.
    pub fn target_list(&self, list: Items<Expr>, l: u32, r: u32) -> Expr {
        let mut target = self.tuple_or_one(list, l, r);
        check::assigned(self, &mut target);
        target
    }

    // Imports.

    /// `from . import x`; without a dot there is nothing to import from.
    pub fn import_from_package(&self, l: u32, r: u32, level: u32, names: Vec<Alias>) -> StmtKind {
        if level == 0 {
            self.problem(Span::new(l, r), "invalid syntax");
        }
        StmtKind::ImportFrom { module: None, names, level }
    }

    /// Imported names without parentheses.
    pub fn imported_names(&self, names: Items<Alias>, r: u32) -> Vec<Alias> {
        if names.comma {
            let message = "trailing comma not allowed without surrounding parentheses";
            self.problem(self.next_token(r), message);
        }
        names.elts
    }

    // Compound statements.

    /// `elif` clauses become nested `If`s, folded from the last so that no recursion is needed.
    pub fn if_chain(
        &self,
        test: Expr,
        body: Vec<Stmt>,
        elifs: Vec<ElifClause>,
        orelse: Option<Vec<Stmt>>,
        end: u32,
    ) -> StmtKind {
        let orelse = elifs.into_iter().rev().fold(orelse.unwrap_or_default(), |orelse, clause| {
            let kind = StmtKind::If { test: Box::new(clause.test), body: clause.body, orelse };
            vec![self.stmt(kind, clause.start, end)]
        });
        StmtKind::If { test: Box::new(test), body, orelse }
    }

    pub fn for_loop(
        &self,
        is_async: bool,
        target: Expr,
        iter: Expr,
        body: Vec<Stmt>,
        orelse: Option<Vec<Stmt>>,
    ) -> StmtKind {
        let (target, iter, orelse) = (Box::new(target), Box::new(iter), orelse.unwrap_or_default());
        match is_async {
            true => StmtKind::AsyncFor { target, iter, body, orelse },
            false => StmtKind::For { target, iter, body, orelse },
        }
    }

    pub fn with(&self, is_async: bool, items: Vec<WithItem>, body: Vec<Stmt>) -> StmtKind {
        match is_async {
            true => StmtKind::AsyncWith { items, body },
            false => StmtKind::With { items, body },
        }
    }

    pub fn with_item(&self, context_expr: Expr, mut target: Expr) -> WithItem {
        check::assigned(self, &mut target);
        WithItem { context_expr, optional_vars: Some(Box::new(target)) }
    }

    pub fn exception_type(&self, types: Items<Expr>, l: u32, r: u32) -> Expr {
        if types.comma || types.elts.len() > 1 {
            let mut end = types.elts.last().map_or(r, |last| last.span.end);
            let next = self.next_token(end);
            if next.of(self.source) == "as" {
                end = self.next_token(next.end).end;
            }
            self.problem(Span::new(l, end), "multiple exception types must be parenthesized");
        }
        self.tuple_or_one(types, l, r)
    }

    pub fn handler(
        &self,
        l: u32,
        r: u32,
        star: bool,
        what: Option<(Expr, Option<Identifier>)>,
        body: Vec<Stmt>,
    ) -> Handler {
        let (type_, name) = match what {
            None => (None, None),
            Some((type_, name)) => (Some(Box::new(type_)), name),
        };
        Handler { star, handler: ExceptHandler { type_, name, body, span: Span::new(l, r) } }
    }

    pub fn try_except(
        &self,
        body: Vec<Stmt>,
        handlers: Vec<Handler>,
        orelse: Option<Vec<Stmt>>,
        finalbody: Option<Vec<Stmt>>,
    ) -> StmtKind {
        let star = handlers.first().is_some_and(|first| first.star);
        if let Some(other) = handlers.iter().find(|handler| handler.star != star) {
            let span = Span::new(other.handler.span.start, other.handler.span.start + "except".len() as u32);
            self.problem(span, "cannot have both 'except' and 'except*' on the same 'try'");
        }
        let handlers: Vec<_> = handlers.into_iter().map(|handler| handler.handler).collect();
        check::handlers(self, &handlers);
        let (orelse, finalbody) = (orelse.unwrap_or_default(), finalbody.unwrap_or_default());
        match star {
            true => StmtKind::TryStar { body, handlers, orelse, finalbody },
            false => StmtKind::Try { body, handlers, orelse, finalbody },
        }
    }

    // Definitions.

    pub fn function(
        &self,
        is_async: bool,
        (name, name_span): (Identifier, Span),
        args: Arguments,
        returns: Option<Expr>,
        body: Vec<Stmt>,
    ) -> Definition {
        let returns = returns.map(Box::new);
        let function = FunctionDef { name, name_span, args, body, decorator_list: vec![], returns };
        Definition::Function { is_async, function: Box::new(function) }
    }

    /// The bases and keywords of a class; `end` is where their parentheses end.
    pub fn class_arguments(&self, arguments: Items<Argument>, end: u32) -> (Vec<Expr>, Vec<Keyword>) {
        for argument in &arguments.elts {
            if let ArgumentKind::Generator(elt, _) = &argument.kind {
                self.problem(self.next_token(elt.span.end), "invalid syntax");
            }
        }
        check::arguments(self, arguments.elts, end)
    }

    pub fn class(
        &self,
        (name, name_span): (Identifier, Span),
        arguments: Option<(Vec<Expr>, Vec<Keyword>)>,
        body: Vec<Stmt>,
    ) -> Definition {
        let (bases, keywords) = arguments.unwrap_or_default();
        Definition::Class(Box::new(ClassDef {
            name,
            name_span,
            bases,
            keywords,
            body,
            decorator_list: vec![],
        }))
    }

    /// The span of a definition leaves its decorators out.
    pub fn decorate(&self, decorators: Vec<Expr>, definition: Definition, l: u32, r: u32) -> Stmt {
        let kind = match definition {
            Definition::Function { is_async, mut function } => {
                function.decorator_list = decorators;
                match is_async {
                    true => StmtKind::AsyncFunctionDef(function),
                    false => StmtKind::FunctionDef(function),
                }
            }
            Definition::Class(mut class) => {
                class.decorator_list = decorators;
                StmtKind::ClassDef(class)
            }
        };
        self.stmt(kind, l, r)
    }
}
