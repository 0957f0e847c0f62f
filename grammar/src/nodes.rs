//! What the grammar's actions call to build expressions: spans, depths, contexts, and the checks that need
//! nothing but the node itself. Statements, patterns and strings are built in their own files, as further
//! methods of `Nodes`.

use std::cell::RefCell;

use crate::ast::*;
use crate::check;
use crate::depth;
use crate::items::*;
use crate::parameters;
use crate::syntax_error::Finder;
use crate::tokens::Lexeme;
use crate::warning::{Category, Warning};

/// Something wrong that the grammar itself admits.
pub struct Problem {
    pub span: Span,
    pub message: String,
    /// CPython notices it only after parsing, so any error of the grammar goes first.
    pub late: bool,
    pub too_deep: bool,
}

/// Builds the nodes of one program, and remembers the first thing wrong with it.
pub struct Nodes<'s> {
    pub source: &'s str,
    lexemes: &'s [Lexeme<'s>],
    early: RefCell<Option<Problem>>,
    late: RefCell<Option<Problem>>,
    warnings: RefCell<Vec<Warning>>,
}

impl<'s> Nodes<'s> {
    pub fn new(source: &'s str, lexemes: &'s [Lexeme<'s>]) -> Nodes<'s> {
        let (early, late, warnings) = Default::default();
        Nodes { source, lexemes, early, late, warnings }
    }

    /// The first problem to report, if any; and the warnings.
    pub fn into_findings(self) -> (Option<Problem>, Vec<Warning>) {
        (self.early.into_inner().or(self.late.into_inner()), self.warnings.into_inner())
    }

    /// Notes a backslash before a character that makes no escape of it; of one literal the first.
    pub fn invalid_escape(&self, character: Option<char>, span: Span) {
        if let Some(character) = character {
            let message = format!("invalid escape sequence '\\{character}'");
            self.warnings.borrow_mut().push(Warning {
                category: Category::DeprecationWarning,
                message,
                finder: Finder::Parser,
                span,
            });
        }
    }

    /// Notes an error; parsing goes on, but its result will not be used.
    pub fn problem(&self, span: Span, message: impl Into<String>) {
        let problem = || Problem { span, message: message.into(), late: false, too_deep: false };
        self.early.borrow_mut().get_or_insert_with(problem);
    }

    /// Notes an error that CPython finds only after parsing.
    pub fn late_problem(&self, span: Span, message: impl Into<String>) {
        let problem = || Problem { span, message: message.into(), late: true, too_deep: false };
        self.late.borrow_mut().get_or_insert_with(problem);
    }

    /// Whether a node over `children` may be made. If not, the caller makes a leaf instead, so that no tree,
    /// not even one about to be thrown away, is deeper than `MAX_DEPTH`.
    fn deeper(&self, children: u16, span: Span) -> Option<u16> {
        if children < MAX_DEPTH {
            return Some(children + 1);
        }
        let message = "expression nested too deeply".to_string();
        let problem = || Problem { span, message, late: true, too_deep: true };
        self.late.borrow_mut().get_or_insert_with(problem);
        None
    }

    /// The token that starts at or after `offset`; CPython places some errors at the token it has read last.
    pub fn next_token(&self, offset: u32) -> Span {
        let at = self.lexemes.partition_point(|lexeme| lexeme.start < offset);
        match self.lexemes.get(at) {
            Some(lexeme) if lexeme.token.is_layout() => Span::new(lexeme.start, lexeme.start),
            Some(lexeme) => Span::new(lexeme.start, lexeme.end),
            None => Span::new(offset, offset),
        }
    }

    /// Whether an expression whose text starts at `start` stands in parentheses; its own span leaves them
    /// out.
    pub fn is_parenthesised(&self, start: u32, span: Span) -> bool {
        span.start != start
    }

    // Nodes.

    pub fn expr(&self, kind: ExprKind, l: u32, r: u32) -> Expr {
        let span = Span::new(l, r);
        if let ExprKind::Yield { value: Some(value) } = &kind {
            self.refuse_starred(value);
        }
        match self.deeper(depth::of_expr(&kind), span) {
            Some(depth) => Expr { kind, span, depth },
            None => Expr { kind: ExprKind::Constant { value: Constant::None }, span, depth: 1 },
        }
    }

    pub fn stmt(&self, kind: StmtKind, l: u32, r: u32) -> Stmt {
        let span = Span::new(l, r);
        check::statement(self, &kind);
        match self.deeper(depth::of_stmt(&kind), span) {
            Some(depth) => Stmt { kind, span, depth },
            None => Stmt { kind: StmtKind::Pass, span, depth: 1 },
        }
    }

    pub fn pattern(&self, kind: PatternKind, l: u32, r: u32) -> Pattern {
        let span = Span::new(l, r);
        match self.deeper(depth::of_pattern(&kind), span) {
            Some(depth) => Pattern { kind, span, depth },
            None => Pattern { kind: PatternKind::MatchStar { name: None }, span, depth: 1 },
        }
    }

    /// A starred expression where only a single value makes sense.
    pub fn refuse_starred(&self, value: &Expr) {
        if matches!(value.kind, ExprKind::Starred { .. }) {
            self.late_problem(value.span, "can't use starred expression here");
        }
    }

    // Leaves.

    pub fn constant(&self, value: Constant, l: u32, r: u32) -> Expr {
        self.expr(ExprKind::Constant { value }, l, r)
    }

    pub fn integer(&self, text: &str, l: u32, r: u32) -> Constant {
        crate::numbers::integer(text).unwrap_or_else(|message| {
            self.problem(Span::new(l, r), message);
            Constant::None
        })
    }

    pub fn complex(&self, l: u32, r: u32) -> Constant {
        self.problem(Span::new(l, r), "complex numbers are not supported");
        Constant::None
    }

    pub fn name(&self, id: Identifier, l: u32, r: u32) -> Expr {
        self.expr(ExprKind::Name { id, ctx: ExprContext::Load }, l, r)
    }

    // Lists and displays.

    pub fn tuple(&self, elts: Vec<Expr>, l: u32, r: u32) -> Expr {
        self.expr(ExprKind::Tuple { elts, ctx: ExprContext::Load }, l, r)
    }

    pub fn list(&self, elts: Vec<Expr>, l: u32, r: u32) -> Expr {
        self.expr(ExprKind::List { elts, ctx: ExprContext::Load }, l, r)
    }

    pub fn starred(&self, value: Expr, l: u32, r: u32) -> Expr {
        self.expr(ExprKind::Starred { value: Box::new(value), ctx: ExprContext::Load }, l, r)
    }

    /// A list without parentheses: a tuple if there is a comma.
    pub fn tuple_or_one(&self, mut list: Items<Expr>, l: u32, r: u32) -> Expr {
        if list.comma || list.elts.len() != 1 {
            return self.tuple(list.elts, l, r);
        }
        match list.elts.pop() {
            Some(one) => one,
            None => self.tuple(vec![], l, r),
        }
    }

    /// What stands between parentheses: a tuple, or just an expression.
    pub fn parenthesised(&self, list: Items<Expr>, l: u32, r: u32) -> Expr {
        if let ([Expr { kind: ExprKind::Starred { .. }, span, .. }], false) =
            (list.elts.as_slice(), list.comma)
        {
            self.problem(*span, "cannot use starred expression here");
        }
        self.tuple_or_one(list, l, r)
    }

    pub fn dict(&self, items: Option<Items<DictItem>>, l: u32, r: u32) -> Expr {
        let items = items.map_or(vec![], |items| items.elts);
        let mut keys = Vec::with_capacity(items.len());
        let mut values = Vec::with_capacity(items.len());
        for item in items {
            let (key, value) = match item {
                DictItem::Pair(pair) => (Some(pair.0), pair.1),
                DictItem::Unpacked(_, value) => (None, value),
            };
            keys.push(key);
            values.push(value);
        }
        self.expr(ExprKind::Dict { keys, values }, l, r)
    }

    // Comprehensions.

    fn comprehended(&self, elt: Expr) -> Box<Expr> {
        if let ExprKind::Starred { .. } = elt.kind {
            self.problem(elt.span, "iterable unpacking cannot be used in comprehension");
        }
        Box::new(elt)
    }

    pub fn generator(&self, elt: Expr, generators: Vec<Comprehension>, l: u32, r: u32) -> Expr {
        self.expr(ExprKind::GeneratorExp { elt: self.comprehended(elt), generators }, l, r)
    }

    pub fn list_comp(&self, elt: Expr, generators: Vec<Comprehension>, l: u32, r: u32) -> Expr {
        self.expr(ExprKind::ListComp { elt: self.comprehended(elt), generators }, l, r)
    }

    pub fn set_comp(&self, elt: Expr, generators: Vec<Comprehension>, l: u32, r: u32) -> Expr {
        self.expr(ExprKind::SetComp { elt: self.comprehended(elt), generators }, l, r)
    }

    pub fn dict_comp(&self, item: DictItem, generators: Vec<Comprehension>, l: u32, r: u32) -> Expr {
        let (key, value) = match item {
            DictItem::Pair(pair) => (Box::new(pair.0), Box::new(pair.1)),
            DictItem::Unpacked(stars, value) => {
                self.problem(stars, "dict unpacking cannot be used in dict comprehension");
                (Box::new(self.constant(Constant::None, l, r)), Box::new(value))
            }
        };
        self.expr(ExprKind::DictComp { key, value, generators }, l, r)
    }

    // Operators.

    pub fn named(&self, mut target: Expr, value: Expr, l: u32, r: u32) -> Expr {
        if !matches!(target.kind, ExprKind::Name { .. }) || self.is_parenthesised(l, target.span) {
            let what = check::describe(&target);
            self.problem(target.span, format!("cannot use assignment expressions with {what}"));
        }
        check::set_context(&mut target, ExprContext::Store);
        self.expr(ExprKind::NamedExpr { target: Box::new(target), value: Box::new(value) }, l, r)
    }

    pub fn lambda(&self, parameters: Vec<Parameter>, body: Expr, l: u32, r: u32) -> Expr {
        let args = Box::new(parameters::arguments(self, true, parameters));
        self.expr(ExprKind::Lambda { args, body: Box::new(body) }, l, r)
    }

    pub fn bool_op(&self, op: BoolOperator, first: Expr, rest: Vec<Expr>, l: u32, r: u32) -> Expr {
        let values = std::iter::once(first).chain(rest).collect();
        self.expr(ExprKind::BoolOp { op, values }, l, r)
    }

    pub fn unary(&self, op: UnaryOperator, operand: Expr, l: u32, r: u32) -> Expr {
        self.expr(ExprKind::UnaryOp { op, operand: Box::new(operand) }, l, r)
    }

    pub fn binary(&self, left: Expr, op: Operator, right: Expr, l: u32, r: u32) -> Expr {
        self.expr(ExprKind::BinOp { left: Box::new(left), op, right: Box::new(right) }, l, r)
    }

    /// A run of binary operators that associate to the left: those that bind tighter go first.
    pub fn operations(&self, first: Expr, start: u32, end: u32, rest: Vec<Operation>) -> Expr {
        let mut waiting: Vec<(Expr, u32, Operator)> = Vec::new();
        let (mut right, mut right_start, mut right_end) = (first, start, end);
        for Operation { op, operand, start, end } in rest {
            while let Some((left, l, earlier)) =
                waiting.pop_if(|(_, _, earlier)| level(*earlier) >= level(op))
            {
                right = self.binary(left, earlier, right, l, right_end);
                right_start = l;
            }
            waiting.push((right, right_start, op));
            (right, right_start, right_end) = (operand, start, end);
        }
        while let Some((left, l, op)) = waiting.pop() {
            right = self.binary(left, op, right, l, right_end);
        }
        right
    }

    pub fn compare(&self, left: Expr, rest: Vec<(CmpOperator, Expr)>, l: u32, r: u32) -> Expr {
        let (ops, comparators) = rest.into_iter().unzip();
        self.expr(ExprKind::Compare { left: Box::new(left), ops, comparators }, l, r)
    }

    // Primaries.

    pub fn attribute(&self, value: Expr, attr: Identifier, l: u32, r: u32) -> Expr {
        self.expr(ExprKind::Attribute { value: Box::new(value), attr, ctx: ExprContext::Load }, l, r)
    }

    pub fn subscript(&self, value: Expr, slice: Expr, l: u32, r: u32) -> Expr {
        let slice = match slice.kind {
            // `a[*b]` has a tuple for its index, though there is no comma.
            ExprKind::Starred { .. } => {
                let Span { start, end } = slice.span;
                self.tuple(vec![slice], start, end)
            }
            _ => slice,
        };
        let kind =
            ExprKind::Subscript { value: Box::new(value), slice: Box::new(slice), ctx: ExprContext::Load };
        self.expr(kind, l, r)
    }

    pub fn slice(
        &self,
        lower: Option<Expr>,
        upper: Option<Expr>,
        step: Option<Expr>,
        l: u32,
        r: u32,
    ) -> Expr {
        let (lower, upper, step) = (lower.map(Box::new), upper.map(Box::new), step.map(Box::new));
        self.expr(ExprKind::Slice { lower, upper, step }, l, r)
    }

    /// A call; `parenthesis` is where its arguments open.
    pub fn call(&self, func: Expr, mut arguments: Items<Argument>, parenthesis: u32, l: u32, r: u32) -> Expr {
        if let ([Argument { kind: ArgumentKind::Generator(..), .. }], false) =
            (arguments.elts.as_mut_slice(), arguments.comma)
            && let Some(Argument { kind: ArgumentKind::Generator(elt, generators), .. }) =
                arguments.elts.pop()
        {
            // The parentheses of the call are those of the generator.
            let generator = self.generator(elt, generators, parenthesis, r);
            arguments.elts.push(Argument { span: generator.span, kind: ArgumentKind::Positional(generator) });
        }
        let (args, keywords) = check::arguments(self, arguments.elts, r);
        self.expr(ExprKind::Call { func: Box::new(func), args, keywords }, l, r)
    }
}

/// How tight a binary operator binds.
fn level(op: Operator) -> u8 {
    match op {
        Operator::BitOr => 0,
        Operator::BitXor => 1,
        Operator::BitAnd => 2,
        Operator::LShift | Operator::RShift => 3,
        Operator::Add | Operator::Sub => 4,
        Operator::Mult | Operator::Div | Operator::FloorDiv | Operator::Mod | Operator::MatMult => 5,
        Operator::Pow => 6,
    }
}
