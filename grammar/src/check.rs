//! What the grammar admits and the language does not: targets that cannot be assigned to, arguments out of
//! order. The words are CPython's. Knows the tree, not the tokens it came from.

use std::collections::HashSet;

use crate::ast::*;
use crate::items::{Argument, ArgumentKind};
use crate::nodes::Nodes;

/// What CPython calls an expression in messages.
pub fn describe(expr: &Expr) -> &'static str {
    use ExprKind as E;
    match &expr.kind {
        E::Attribute { .. } => "attribute",
        E::Subscript { .. } => "subscript",
        E::Starred { .. } => "starred",
        E::Name { .. } => "name",
        E::List { .. } => "list",
        E::Tuple { .. } => "tuple",
        E::Lambda { .. } => "lambda",
        E::Call { .. } => "function call",
        E::BoolOp { .. } | E::BinOp { .. } | E::UnaryOp { .. } | E::Slice { .. } => "expression",
        E::GeneratorExp { .. } => "generator expression",
        E::Yield { .. } | E::YieldFrom { .. } => "yield expression",
        E::Await { .. } => "await expression",
        E::ListComp { .. } => "list comprehension",
        E::SetComp { .. } => "set comprehension",
        E::DictComp { .. } => "dict comprehension",
        E::Dict { .. } => "dict literal",
        E::Set { .. } => "set display",
        E::JoinedStr { .. } | E::FormattedValue { .. } => "f-string expression",
        E::Constant { value: Constant::None } => "None",
        E::Constant { value: Constant::True } => "True",
        E::Constant { value: Constant::False } => "False",
        E::Constant { value: Constant::Ellipsis } => "ellipsis",
        E::Constant { .. } => "literal",
        E::Compare { .. } => "comparison",
        E::IfExp { .. } => "conditional expression",
        E::NamedExpr { .. } => "named expression",
    }
}

/// Sets the context of a target and of the targets in it. What is no target is left alone.
pub fn set_context(expr: &mut Expr, context: ExprContext) {
    match &mut expr.kind {
        ExprKind::Name { ctx, .. } | ExprKind::Attribute { ctx, .. } | ExprKind::Subscript { ctx, .. } => {
            *ctx = context;
        }
        ExprKind::Starred { value, ctx } => {
            *ctx = context;
            set_context(value, context);
        }
        ExprKind::List { elts, ctx } | ExprKind::Tuple { elts, ctx } => {
            *ctx = context;
            elts.iter_mut().for_each(|elt| set_context(elt, context));
        }
        _ => {}
    }
}

/// The first part of a target list that is no target; `starred` says whether `*x` may stand in it.
fn invalid_target(expr: &Expr, starred: bool) -> Option<&Expr> {
    match &expr.kind {
        ExprKind::Name { .. } | ExprKind::Attribute { .. } | ExprKind::Subscript { .. } => None,
        ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } => {
            elts.iter().find_map(|elt| invalid_target(elt, starred))
        }
        ExprKind::Starred { value, .. } if starred => invalid_target(value, starred),
        _ => Some(expr),
    }
}

/// Makes `target` the target of an assignment, a `for` or a `with`.
pub fn assigned(nodes: &Nodes, target: &mut Expr) {
    if let Some(bad) = invalid_target(target, true) {
        nodes.problem(bad.span, format!("cannot assign to {}", describe(bad)));
        return;
    }
    match &target.kind {
        ExprKind::Starred { .. } => {
            nodes.late_problem(target.span, "starred assignment target must be in a list or tuple");
        }
        _ => one_star(nodes, target),
    }
    set_context(target, ExprContext::Store);
}

/// At most one element of each list may take "the rest".
fn one_star(nodes: &Nodes, target: &Expr) {
    if let ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } = &target.kind {
        if elts.iter().filter(|elt| matches!(elt.kind, ExprKind::Starred { .. })).count() > 1 {
            nodes.late_problem(target.span, "multiple starred expressions in assignment");
        }
        elts.iter().for_each(|elt| one_star(nodes, elt));
    }
}

pub fn deleted(nodes: &Nodes, target: &mut Expr) {
    match invalid_target(target, false) {
        Some(bad) => nodes.problem(bad.span, format!("cannot delete {}", describe(bad))),
        None => set_context(target, ExprContext::Del),
    }
}

/// The messages that CPython keeps for `target = value` with a first target that is none.
pub fn assignment(nodes: &Nodes, targets: &[Expr], value: &Expr) {
    for target in targets {
        if matches!(target.kind, ExprKind::Yield { .. } | ExprKind::YieldFrom { .. })
            && !targets.first().is_some_and(|first| first.span == target.span && is_enclosed(nodes, target))
        {
            nodes.problem(target.span, "assignment to yield expression not possible");
        }
    }
    let [target] = targets else { return };
    if invalid_target(target, true).is_none() {
        return;
    }
    // What stands before the `=`: of a list without parentheses, its last element.
    let target = match &target.kind {
        ExprKind::Tuple { elts, .. } => match elts.last() {
            Some(last) if last.span.end == target.span.end => last,
            _ => return,
        },
        _ => target,
    };
    let value_start = nodes.source.get(value.span.start as usize..).unwrap_or("");
    let value_is_plain = match value.kind {
        ExprKind::Lambda { .. } | ExprKind::Starred { .. } | ExprKind::Yield { .. } => false,
        ExprKind::UnaryOp { op: UnaryOperator::Not, .. } => false,
        _ => !value_start.starts_with("not "),
    };
    if value_is_plain && matches!(target.kind, ExprKind::Name { .. }) {
        let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
        nodes.problem(target.span.to(value.span), message);
    }
    let is_place = matches!(target.kind, ExprKind::Attribute { .. } | ExprKind::Subscript { .. });
    if value_is_plain && (is_place || suggests_comparison(target)) {
        let what = describe(target);
        let message = format!("cannot assign to {what} here. Maybe you meant '==' instead of '='?");
        nodes.problem(target.span, message);
    }
}

/// Whether a closing parenthesis follows.
fn is_enclosed(nodes: &Nodes, expr: &Expr) -> bool {
    nodes.next_token(expr.span.end).of(nodes.source) == ")"
}

/// Whether an assignment to this may have been meant as a comparison: an operand that is no target, but no
/// literal whose own message says more either.
pub fn suggests_comparison(target: &Expr) -> bool {
    use ExprKind as E;
    let is_target = matches!(
        target.kind,
        E::Name { .. } | E::Attribute { .. } | E::Subscript { .. } | E::List { .. } | E::Tuple { .. }
    );
    let binds_looser = matches!(
        target.kind,
        E::Starred { .. } | E::Lambda { .. } | E::IfExp { .. } | E::Compare { .. } | E::BoolOp { .. }
    ) || matches!(target.kind, E::UnaryOp { op: UnaryOperator::Not, .. });
    let has_own_message = matches!(
        target.kind,
        E::GeneratorExp { .. } | E::Constant { value: Constant::None | Constant::True | Constant::False }
    );
    !(is_target || binds_looser || has_own_message || begins_as_what_cannot_be_compared(target))
}

/// Whether a list, a tuple, a generator expression or one of the three constants is the leftmost part: CPython suggests
/// no comparison then.
fn begins_as_what_cannot_be_compared(target: &Expr) -> bool {
    let mut first = target;
    loop {
        first = match &first.kind {
            ExprKind::BinOp { left, .. } | ExprKind::Compare { left, .. } => left,
            ExprKind::Attribute { value, .. } | ExprKind::Subscript { value, .. } => value,
            ExprKind::Call { func, .. } => func,
            ExprKind::Constant { value: Constant::True | Constant::False | Constant::None }
            | ExprKind::List { .. }
            | ExprKind::Tuple { .. }
            | ExprKind::GeneratorExp { .. } => return first.span.start == target.span.start,
            _ => return false,
        }
    }
}

/// Expressions that a statement may not hold bare.
pub fn statement(nodes: &Nodes, kind: &StmtKind) {
    match kind {
        StmtKind::Expr { value } | StmtKind::Assign { value, .. } | StmtKind::AugAssign { value, .. } => {
            nodes.refuse_starred(value);
        }
        StmtKind::Return { value: Some(value) } | StmtKind::AnnAssign { value: Some(value), .. } => {
            nodes.refuse_starred(value);
        }
        StmtKind::For { iter: value, .. } | StmtKind::AsyncFor { iter: value, .. } => {
            nodes.refuse_starred(value)
        }
        StmtKind::Match { subject, .. } => nodes.refuse_starred(subject),
        _ => {}
    }
}

pub fn handlers(nodes: &Nodes, handlers: &[ExceptHandler]) {
    let not_last = handlers.split_last().map_or(&[][..], |(_, others)| others);
    if let Some(bare) = not_last.iter().find(|handler| handler.type_.is_none()) {
        nodes.late_problem(bare.span, "default 'except:' must be last");
    }
}

/// Splits the arguments of a call or class into positional ones and keywords; `end` is where their list ends.
pub fn arguments(nodes: &Nodes, arguments: Vec<Argument>, end: u32) -> (Vec<Expr>, Vec<Keyword>) {
    let mut args = Vec::with_capacity(arguments.len());
    let mut keywords: Vec<Keyword> = Vec::new();
    let mut names = HashSet::new();
    let mut all = arguments.first().map_or(Span::new(end, end), |first| first.span);
    for Argument { kind, span } in arguments {
        let before = all;
        all = all.to(span);
        let keyword = match kind {
            ArgumentKind::Positional(value) => {
                positional(nodes, &keywords, end);
                args.push(value);
                continue;
            }
            ArgumentKind::Generator(elt, generators) => {
                nodes.problem(span, "Generator expression must be parenthesized");
                args.push(nodes.generator(elt, generators, span.start, span.end));
                continue;
            }
            ArgumentKind::Star(value) => {
                if keywords.iter().any(|keyword| keyword.arg.is_none()) {
                    nodes.problem(before, "iterable argument unpacking follows keyword argument unpacking");
                }
                args.push(nodes.starred(value, span.start, span.end));
                continue;
            }
            ArgumentKind::Keyword(pair) => {
                let (name, value) = *pair;
                Keyword { arg: keyword_name(nodes, name, span), value, span }
            }
            ArgumentKind::DoubleStar(value) => Keyword { arg: None, value, span },
        };
        if let Some(name) = &keyword.arg
            && !names.insert(name.clone())
        {
            nodes.late_problem(span, format!("keyword argument repeated: {name}"));
        }
        keywords.push(keyword);
    }
    (args, keywords)
}

fn positional(nodes: &Nodes, keywords: &[Keyword], end: u32) {
    if keywords.is_empty() {
        return;
    }
    let unpacked = keywords.iter().any(|keyword| keyword.arg.is_none());
    let what = if unpacked { "keyword argument unpacking" } else { "keyword argument" };
    let closing = Span::new(end.saturating_sub(1), end);
    nodes.problem(closing, format!("positional argument follows {what}"));
}

fn keyword_name(nodes: &Nodes, name: Expr, argument: Span) -> Option<Identifier> {
    let equal = nodes.next_token(name.span.end);
    let span = Span::new(name.span.start, equal.end);
    match name.kind {
        ExprKind::Name { id, .. } if !nodes.is_parenthesised(argument.start, name.span) => return Some(id),
        ExprKind::Constant { value: Constant::True | Constant::False | Constant::None } => {
            nodes.problem(span, format!("cannot assign to {}", name.span.of(nodes.source)));
        }
        _ => nodes.problem(span, "expression cannot contain assignment, perhaps you meant \"==\"?"),
    }
    Some("".into())
}
