//! What the grammar's rules hand to `nodes` before it is an AST: lists that remember their last comma, and
//! the parts of calls, parameter lists, f-strings and patterns in the order of the text. The parser copies whatever it
//! reduces, and a slot of its stack is as large as the largest: what is large is boxed.

use crate::ast::*;

/// A list, and whether a comma follows its last element.
pub struct Items<X> {
    pub elts: Vec<X>,
    pub comma: bool,
}

/// A binary operator and what stands right of it; the offsets count parentheses.
pub struct Operation {
    pub op: Operator,
    pub operand: Expr,
    pub start: u32,
    pub end: u32,
}

pub struct Argument {
    pub kind: ArgumentKind,
    pub span: Span,
}

pub enum ArgumentKind {
    Positional(Expr),
    /// A generator without parentheses of its own.
    Generator(Expr, Vec<Comprehension>),
    /// The name is any expression, yet to be checked.
    Keyword(Box<(Expr, Expr)>),
    Star(Expr),
    DoubleStar(Expr),
}

pub struct Parameter {
    pub kind: ParameterKind,
    pub span: Span,
}

pub enum ParameterKind {
    Plain(Arg, Option<Box<Expr>>),
    Slash,
    Star,
    VarPositional(Arg),
    VarKeyword(Arg),
}

pub struct ElifClause {
    pub start: u32,
    pub test: Expr,
    pub body: Vec<Stmt>,
}

pub struct Handler {
    pub star: bool,
    pub handler: ExceptHandler,
}

/// A function or class, before its decorators are known.
pub enum Definition {
    Function { is_async: bool, function: Box<FunctionDef> },
    Class(Box<ClassDef>),
}

pub enum DictItem {
    Pair(Box<(Expr, Expr)>),
    /// `**mapping`, with the span of the stars.
    Unpacked(Span, Expr),
}

pub enum StringPart<'s> {
    Plain(&'s str, Span),
    Formatted { opening: &'s str, parts: Vec<FStringPart<'s>>, span: Span },
}

pub enum FStringPart<'s> {
    Text(&'s str, Span),
    Field(Box<Field<'s>>),
}

/// A replacement field of an f-string.
pub struct Field<'s> {
    pub value: Expr,
    /// For `{x=}`: where the `=` ends.
    pub shown: Option<u32>,
    pub conversion: Option<(&'s str, Span)>,
    pub spec: Option<Vec<FStringPart<'s>>>,
    pub span: Span,
}

pub struct PatternArgument {
    pub name: Option<Identifier>,
    pub pattern: Pattern,
}

pub enum MappingItem {
    Pair(Expr, Pattern),
    Rest(Identifier, Span),
}
