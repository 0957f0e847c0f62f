//! Words for what the grammar refuses. The generated parser says only which token it could not take; CPython
//! says more in many cases, and this is where those are recognised. The list of tokens that would have been
//! taken is never shown.

mod context;
mod expressions;
mod statements;

use crate::layout::never_closed;
use crate::parser::{Failure, Mode, sub_expression, sub_expression_length};
use crate::source::{LineIndex, Span};
use crate::syntax_error::{ErrorKind, SyntaxError};
use crate::tokens::{Lexeme, Token};

/// The error to report for a parse that failed.
pub fn explain(
    source: &str,
    lexemes: &[Lexeme],
    unclosed: Option<Lexeme>,
    failure: Failure,
    mode: Mode,
) -> SyntaxError {
    let case = Case { source, lexemes, failure, mode };
    let found = case.explain();
    if let Some(open) = unclosed {
        let layout = lexemes.iter().rev().take_while(|lexeme| lexeme.token.is_layout()).count();
        let last = lexemes.len() - layout;
        let ran_out = found.reads_to.max(case.failure.at) >= last || case.looks_ahead_to() >= last;
        if ran_out || is_after_line(source, case.at(found.reads_to).start, open.start) {
            return never_closed(source, open);
        }
    }
    let mut error = placed(source, lexemes, found.kind, found.span, found.message);
    error.incomplete = case.is_incomplete();
    if found.endless {
        error.end_col = 0;
    }
    if matches!(case.token(), Token::Dedent | Token::End) && found.span.start >= case.last_line_end() {
        (error.col, error.end_col) = (0, 0);
    }
    // Only a program gets a line end where it has none; without one, there is no token to point at.
    let cut_off = mode != Mode::Module && !source.ends_with('\n') && case.failure.at + 1 >= lexemes.len() - 1;
    if cut_off && error.message == "invalid syntax" {
        (error.col, error.end_col) = (0, 0);
        if source.is_empty() {
            // Nothing was read: not even a first line.
            (error.line, error.end_line) = (0, 0);
        }
    }
    error
}

/// Whether `offset` stands on a later line than `other`.
pub fn is_after_line(source: &str, offset: u32, other: u32) -> bool {
    let lines = LineIndex::new(source);
    lines.line(offset) > lines.line(other)
}

/// The error, if it is in a field of an f-string in CPython's way: it parses the expression of a field as a text of its
/// own, in parentheses, and shows that.
pub fn placed(source: &str, lexemes: &[Lexeme], kind: ErrorKind, span: Span, message: String) -> SyntaxError {
    let field = field_around(lexemes, span.start);
    let by_scanner = message.starts_with("f-string") && !message.ends_with("starred expression here");
    let Some(field) = field.filter(|_| !by_scanner) else {
        return SyntaxError::new(kind, message, source, span);
    };
    let message = if message.starts_with("f-string") { message } else { format!("f-string: {message}") };
    let mut error = SyntaxError::new(kind, message, source, span);
    error.show_in_parentheses(source, field);
    error
}

/// The expression of the innermost f-string field that `offset` is in.
fn field_around(lexemes: &[Lexeme], offset: u32) -> Option<Span> {
    let mut open: Vec<usize> = Vec::new();
    for (index, lexeme) in lexemes.iter().enumerate().take_while(|(_, lexeme)| lexeme.start < offset) {
        match lexeme.token {
            Token::FieldOpen => open.push(index),
            Token::FieldClose => drop(open.pop()),
            _ => {}
        }
    }
    let first = open.pop()?;
    let mut depth = 0;
    for (index, lexeme) in lexemes.iter().enumerate().skip(first + 1) {
        let ends = match lexeme.token {
            Token::FieldColon | Token::Bang | Token::FieldClose => true,
            // The `=` of `{x=}`: nothing but the end of the expression comes behind it.
            Token::Equal => lexemes.get(index + 1).is_some_and(|next| {
                matches!(next.token, Token::FieldColon | Token::Bang | Token::FieldClose)
            }),
            _ => false,
        };
        match lexeme.token {
            Token::FieldOpen => depth += 1,
            Token::FieldClose if depth > 0 => depth -= 1,
            _ if ends && depth == 0 => return Some(Span::new(lexemes[first].end, lexeme.start)),
            _ => {}
        }
    }
    None
}

/// What was found out about a failure.
struct Finding {
    kind: ErrorKind,
    message: String,
    span: Span,
    /// The index of the last token looked at to find it out.
    reads_to: usize,
    /// CPython does not say where the error ends.
    endless: bool,
}

/// A failed parse, to be explained.
struct Case<'a, 's> {
    source: &'a str,
    lexemes: &'a [Lexeme<'s>],
    failure: Failure,
    mode: Mode,
}

impl<'a, 's> Case<'a, 's> {
    fn at(&self, index: usize) -> Lexeme<'s> {
        let end = self.source.len() as u32;
        let last = Lexeme { token: Token::End, start: end, end };
        self.lexemes.get(index).or(self.lexemes.last()).copied().unwrap_or(last)
    }

    /// The token that could not be taken.
    fn token(&self) -> Token<'s> {
        self.at(self.failure.at).token
    }

    fn tokens(&self, from: usize, to: usize) -> &'a [Lexeme<'s>] {
        self.lexemes.get(from..to).unwrap_or(&[])
    }

    /// The span of a token for messages: layout is a point.
    fn span(&self, index: usize) -> Span {
        let lexeme = self.at(index);
        if lexeme.token.is_layout() {
            Span::new(lexeme.start, lexeme.start)
        } else {
            Span::new(lexeme.start, lexeme.end)
        }
    }

    fn finding(&self, message: impl Into<String>, span: Span) -> Finding {
        Finding {
            kind: ErrorKind::SyntaxError,
            message: message.into(),
            span,
            reads_to: self.failure.at,
            endless: false,
        }
    }

    fn explain(&self) -> Finding {
        self.missing_block()
            .or_else(|| self.several_statements())
            .or_else(|| self.unexpected_indent())
            .or_else(|| self.illegal_annotation())
            .or_else(|| self.missing_print_parentheses())
            .or_else(|| self.missing_else())
            .or_else(|| self.missing_dict_value())
            .or_else(|| self.missing_target_parentheses())
            .or_else(|| self.missing_comma())
            .or_else(|| self.mistaken_equal())
            .or_else(|| self.mistaken_walrus())
            .or_else(|| self.missing_except())
            .or_else(|| self.unclosed_field())
            .or_else(|| self.missing_default())
            .or_else(|| self.parenthesised_parameter())
            .or_else(|| self.missing_parenthesis())
            .or_else(|| self.missing_exception_types())
            .or_else(|| self.missing_colon())
            .unwrap_or_else(|| self.finding("invalid syntax", self.place()))
    }

    /// Where the token stands that could not be taken. At the end of the text there is none, only the last
    /// line.
    fn place(&self) -> Span {
        let end = self.last_line_end();
        let span = self.span(self.failure.at);
        if span.start >= end { Span::new(end, end) } else { span }
    }

    /// Where the text of the last line ends.
    fn last_line_end(&self) -> u32 {
        let text = self.source.strip_suffix('\n').unwrap_or(self.source);
        text.strip_suffix('\r').unwrap_or(text).len() as u32
    }

    /// CPython tries whether an expression follows another without a comma; this is how far it reads for
    /// that.
    fn looks_ahead_to(&self) -> usize {
        let at = self.failure.at;
        let follows = sub_expression(self.source, self.tokens(self.expression_start(at), at)).is_some();
        let mut reach = at;
        while follows && let Some(rest) = self.lexemes.get(reach..) {
            let length = sub_expression_length(self.source, rest).unwrap_or(0);
            let end = self.first_comma(reach, reach + length).unwrap_or(reach + length);
            if end == reach {
                break;
            }
            reach = end;
        }
        reach
    }

    /// More input could help only where the input ran out.
    fn is_incomplete(&self) -> bool {
        let rest = self.lexemes.get(self.failure.at..).unwrap_or(&[]);
        let at_end = rest.iter().all(|lexeme| matches!(lexeme.token, Token::Dedent | Token::End));
        at_end && self.mode != Mode::Expression
    }
}
