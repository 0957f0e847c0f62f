//! How deep a node is, from the depths its direct children remember. One level only: it never recurses.

use crate::ast::*;

/// The largest depth among some nodes, 0 for none.
#[derive(Default)]
struct Deepest(u16);

impl Deepest {
    fn expr(mut self, expr: &Expr) -> Deepest {
        self.0 = self.0.max(expr.depth);
        self
    }

    fn exprs<'e>(self, exprs: impl IntoIterator<Item = &'e Expr>) -> Deepest {
        exprs.into_iter().fold(self, Deepest::expr)
    }

    fn option(self, expr: &Option<Box<Expr>>) -> Deepest {
        self.exprs(expr.as_deref())
    }

    fn block(mut self, block: &[Stmt]) -> Deepest {
        for stmt in block {
            self.0 = self.0.max(stmt.depth);
        }
        self
    }

    fn clauses(self, clauses: &[Comprehension]) -> Deepest {
        clauses
            .iter()
            .fold(self, |deepest, clause| deepest.expr(&clause.target).expr(&clause.iter).exprs(&clause.ifs))
    }

    fn keywords(self, keywords: &[Keyword]) -> Deepest {
        self.exprs(keywords.iter().map(|keyword| &keyword.value))
    }

    fn arguments(self, arguments: &Arguments) -> Deepest {
        let Arguments { posonlyargs, args, vararg, kwonlyargs, kw_defaults, kwarg, defaults } = arguments;
        let named =
            posonlyargs.iter().chain(args).chain(kwonlyargs).chain(vararg.as_deref()).chain(kwarg.as_deref());
        let annotations = named.filter_map(|arg| arg.annotation.as_deref());
        self.exprs(annotations).exprs(kw_defaults.iter().flatten()).exprs(defaults)
    }

    fn patterns<'p>(mut self, patterns: impl IntoIterator<Item = &'p Pattern>) -> Deepest {
        for pattern in patterns {
            self.0 = self.0.max(pattern.depth);
        }
        self
    }

    fn items(self, items: &[WithItem]) -> Deepest {
        items.iter().fold(self, |deepest, item| deepest.expr(&item.context_expr).option(&item.optional_vars))
    }

    fn handlers(self, handlers: &[ExceptHandler]) -> Deepest {
        handlers.iter().fold(self, |deepest, handler| deepest.option(&handler.type_).block(&handler.body))
    }
}

/// The largest depth among the children of an expression.
pub fn of_expr(kind: &ExprKind) -> u16 {
    use ExprKind as E;
    let none = Deepest::default();
    let deepest = match kind {
        E::Constant { .. } | E::Name { .. } => none,
        E::BoolOp { values, .. } | E::JoinedStr { values } => none.exprs(values),
        E::NamedExpr { target, value } => none.expr(target).expr(value),
        E::BinOp { left, right, .. } => none.expr(left).expr(right),
        E::UnaryOp { operand, .. } => none.expr(operand),
        E::Lambda { args, body } => none.arguments(args).expr(body),
        E::IfExp { test, body, orelse } => none.expr(test).expr(body).expr(orelse),
        E::Dict { keys, values } => none.exprs(keys.iter().flatten()).exprs(values),
        E::Set { elts } | E::List { elts, .. } | E::Tuple { elts, .. } => none.exprs(elts),
        E::ListComp { elt, generators }
        | E::SetComp { elt, generators }
        | E::GeneratorExp { elt, generators } => none.expr(elt).clauses(generators),
        E::DictComp { key, value, generators } => none.expr(key).expr(value).clauses(generators),
        E::Await { value } | E::YieldFrom { value } => none.expr(value),
        E::Yield { value } => none.option(value),
        E::Compare { left, comparators, .. } => none.expr(left).exprs(comparators),
        E::Call { func, args, keywords } => none.expr(func).exprs(args).keywords(keywords),
        E::FormattedValue { value, format_spec, .. } => none.expr(value).option(format_spec),
        E::Attribute { value, .. } | E::Starred { value, .. } => none.expr(value),
        E::Subscript { value, slice, .. } => none.expr(value).expr(slice),
        E::Slice { lower, upper, step } => none.option(lower).option(upper).option(step),
    };
    deepest.0
}

/// The largest depth among the children of a statement.
pub fn of_stmt(kind: &StmtKind) -> u16 {
    use StmtKind as S;
    let none = Deepest::default();
    let deepest = match kind {
        S::Pass | S::Break | S::Continue => none,
        S::Import { .. } | S::ImportFrom { .. } | S::Global { .. } | S::Nonlocal { .. } => none,
        S::FunctionDef(function) | S::AsyncFunctionDef(function) => {
            let FunctionDef { args, body, decorator_list, returns, .. } = &**function;
            none.arguments(args).block(body).exprs(decorator_list).option(returns)
        }
        S::ClassDef(class) => {
            none.exprs(&class.bases).keywords(&class.keywords).block(&class.body).exprs(&class.decorator_list)
        }
        S::Return { value } => none.option(value),
        S::Delete { targets } => none.exprs(targets),
        S::Assign { targets, value } => none.exprs(targets).expr(value),
        S::AugAssign { target, value, .. } => none.expr(target).expr(value),
        S::AnnAssign { target, annotation, value, .. } => none.expr(target).expr(annotation).option(value),
        S::For { target, iter, body, orelse } | S::AsyncFor { target, iter, body, orelse } => {
            none.expr(target).expr(iter).block(body).block(orelse)
        }
        S::While { test, body, orelse } | S::If { test, body, orelse } => {
            none.expr(test).block(body).block(orelse)
        }
        S::With { items, body } | S::AsyncWith { items, body } => none.items(items).block(body),
        S::Match { subject, cases } => cases.iter().fold(none.expr(subject), |deepest, case| {
            deepest.patterns([&case.pattern]).option(&case.guard).block(&case.body)
        }),
        S::Raise { exc, cause } => none.option(exc).option(cause),
        S::Try { body, handlers, orelse, finalbody } | S::TryStar { body, handlers, orelse, finalbody } => {
            none.block(body).handlers(handlers).block(orelse).block(finalbody)
        }
        S::Assert { test, msg } => none.expr(test).option(msg),
        S::Expr { value } => none.expr(value),
    };
    deepest.0
}

/// The largest depth among the children of a pattern.
pub fn of_pattern(kind: &PatternKind) -> u16 {
    use PatternKind as P;
    let none = Deepest::default();
    let deepest = match kind {
        P::MatchSingleton { .. } | P::MatchStar { .. } => none,
        P::MatchValue { value } => none.expr(value),
        P::MatchSequence { patterns } | P::MatchOr { patterns } => none.patterns(patterns),
        P::MatchMapping { keys, patterns, .. } => none.exprs(keys).patterns(patterns),
        P::MatchClass { cls, patterns, kwd_patterns, .. } => {
            none.expr(cls).patterns(patterns).patterns(kwd_patterns)
        }
        P::MatchAs { pattern, .. } => none.patterns(pattern.as_deref()),
    };
    deepest.0
}
