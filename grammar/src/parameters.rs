//! Sorts the parameters of a function into the fields of `Arguments`, and refuses what is out of order.

use std::collections::HashSet;

use crate::ast::*;
use crate::items::{Parameter, ParameterKind};
use crate::nodes::Nodes;

/// The parameters of one `def` or `lambda`, given in the order of the text.
pub fn arguments(nodes: &Nodes, is_lambda: bool, parameters: Vec<Parameter>) -> Arguments {
    let mut sorter =
        Sorter { nodes, out: Arguments::default(), is_lambda, slash: false, bare_slash: false, star: None };
    for parameter in parameters {
        sorter.add(parameter);
    }
    sorter.finish()
}

struct Sorter<'n, 's> {
    nodes: &'n Nodes<'s>,
    out: Arguments,
    is_lambda: bool,
    slash: bool,
    /// There is a `/`, and no default before it.
    bare_slash: bool,
    /// The last `*`, bare or not.
    star: Option<Span>,
}

impl Sorter<'_, '_> {
    fn add(&mut self, Parameter { kind, span }: Parameter) {
        if self.out.kwarg.is_some() {
            let width = match &kind {
                ParameterKind::Plain(..) => span.end - span.start,
                ParameterKind::VarKeyword(_) => 2,
                _ => 1,
            };
            let span = Span::new(span.start, span.start + width);
            self.nodes.problem(span, "arguments cannot follow var-keyword argument");
        }
        match kind {
            ParameterKind::Plain(arg, default) if self.star.is_some() => {
                let default = default.map(|value| *value);
                self.out.kwonlyargs.push(arg);
                self.out.kw_defaults.push(default);
            }
            ParameterKind::Plain(arg, default) => self.positional(arg, default.map(|value| *value)),
            ParameterKind::Slash => self.slash(span),
            ParameterKind::Star => self.star(span),
            ParameterKind::VarPositional(arg) => {
                self.star(Span::new(span.start, span.start + 1));
                self.out.vararg = Some(Box::new(arg));
            }
            ParameterKind::VarKeyword(arg) => {
                self.bare_star();
                self.out.kwarg = Some(Box::new(arg));
            }
        }
    }

    fn positional(&mut self, arg: Arg, default: Option<Expr>) {
        match default {
            Some(default) => self.out.defaults.push(default),
            None if self.out.defaults.is_empty() => {}
            // CPython has no words for this one when there is a `/` before the first default.
            None if self.bare_slash => {
                self.nodes.problem(self.nodes.next_token(arg.span.end), "invalid syntax");
            }
            None => self.nodes.problem(arg.span, "non-default argument follows default argument"),
        }
        self.out.args.push(arg);
    }

    fn slash(&mut self, span: Span) {
        if self.slash {
            self.nodes.problem(span, "/ may appear only once");
        } else if self.star.is_some() {
            self.nodes.problem(span, "/ must be ahead of *");
        } else if self.out.args.is_empty() {
            // CPython has words for this one only where more parameters follow.
            let more = self.nodes.next_token(span.end).of(self.nodes.source) == ",";
            let words = if more { "at least one argument must precede /" } else { "invalid syntax" };
            self.nodes.problem(span, words);
        }
        self.slash = true;
        self.bare_slash = self.out.defaults.is_empty();
        self.out.posonlyargs.append(&mut self.out.args);
    }

    fn star(&mut self, span: Span) {
        if self.star.is_some() {
            self.nodes.problem(span, "* argument may appear only once");
        }
        self.star = Some(span);
    }

    /// A `*` without a name needs a parameter after it.
    fn bare_star(&self) {
        if let (Some(span), None, []) = (self.star, &self.out.vararg, self.out.kwonlyargs.as_slice()) {
            // In a lambda, CPython points at what it read last.
            let next = self.nodes.next_token(span.end);
            let place = match next.of(self.nodes.source) {
                _ if !self.is_lambda => span,
                "," => self.nodes.next_token(next.end),
                _ => next,
            };
            self.nodes.problem(place, "named arguments must follow bare *");
        }
    }

    fn finish(self) -> Arguments {
        if self.out.kwarg.is_none() {
            self.bare_star();
        }
        let out = &self.out;
        let vararg = out.vararg.as_deref();
        let names = out.posonlyargs.iter().chain(&out.args).chain(&out.kwonlyargs).chain(vararg);
        let mut seen = HashSet::new();
        for arg in names.chain(out.kwarg.as_deref()) {
            if !seen.insert(&arg.arg) {
                let message = format!("duplicate argument '{}' in function definition", arg.arg);
                self.nodes.late_problem(arg.span, message);
            }
        }
        self.out
    }
}

impl Nodes<'_> {
    pub fn var_positional(&self, arg: Arg, default: Option<Expr>) -> ParameterKind {
        if default.is_some() {
            self.problem(self.next_token(arg.span.end), "var-positional argument cannot have default value");
        }
        ParameterKind::VarPositional(arg)
    }

    pub fn var_keyword(&self, arg: Arg, default: Option<Expr>) -> ParameterKind {
        if default.is_some() {
            self.problem(self.next_token(arg.span.end), "var-keyword argument cannot have default value");
        }
        ParameterKind::VarKeyword(arg)
    }
}
