//! Failures of statements: what is missing from a header, a block, or the line itself.

use super::{Case, Finding};
use crate::ast::ExprKind;
use crate::parser::{Mode, sub_expression};
use crate::source::{LineIndex, Span};
use crate::syntax_error::ErrorKind;
use crate::tokens::{Lexeme, Token};

impl Case<'_, '_> {
    pub(super) fn missing_block(&self) -> Option<Finding> {
        let newline = self.failure.at.checked_sub(1)?;
        let is_block = self.at(newline).token == Token::Newline && self.failure.expects("indent");
        let colon = newline.checked_sub(1).filter(|&at| is_block && self.at(at).token == Token::Colon)?;
        let head = self.line_start(colon);
        let (what, keyword) = self.block_name(head)?;
        let line = LineIndex::new(self.source).line(self.at(keyword).start);
        let message = format!("expected an indented block after {what} on line {line}");
        Some(Finding { kind: ErrorKind::IndentationError, ..self.finding(message, self.place()) })
    }

    /// What CPython calls the block that the line at `head` opens, and its keyword.
    pub(super) fn block_name(&self, head: usize) -> Option<(&'static str, usize)> {
        let name = match self.at(head).token {
            Token::If => "'if' statement",
            Token::Elif => "'elif' statement",
            Token::Else => "'else' statement",
            Token::For => "'for' statement",
            Token::While => "'while' statement",
            Token::With | Token::WithParenthesised => "'with' statement",
            Token::Try => "'try' statement",
            Token::Except if self.at(head + 1).token == Token::Star => "'except*' statement",
            Token::Except => "'except' statement",
            Token::Finally => "'finally' statement",
            Token::Match => "'match' statement",
            Token::Case => "'case' statement",
            Token::Def => "function definition",
            Token::Class => "class definition",
            Token::Async if self.at(head + 1).token != Token::Async => {
                return self.block_name(head + 1).map(|(name, _)| (name, head));
            }
            _ => return None,
        };
        Some((name, head))
    }

    pub(super) fn several_statements(&self) -> Option<Finding> {
        let previous = self.at(self.failure.at.checked_sub(1)?).token;
        let ended = matches!(previous, Token::Newline | Token::Dedent) && self.failure.expects("end");
        let message = "multiple statements found while compiling a single statement";
        (ended && self.mode == Mode::Interactive).then(|| self.finding(message, self.place()))
    }

    pub(super) fn unexpected_indent(&self) -> Option<Finding> {
        let message = match self.token() {
            Token::Indent => "unexpected indent",
            Token::Dedent if !self.failure.expects("except") && !self.is_incomplete() => {
                "unexpected unindent"
            }
            _ => return None,
        };
        // The column is the width of the indentation, one less than that of the token after it.
        let start = self.at(self.failure.at).start.saturating_sub(1);
        let span = Span::new(start, start);
        Some(Finding { kind: ErrorKind::IndentationError, ..self.finding(message, span) })
    }

    /// `"key": value`, whatever is wrong behind it.
    pub(super) fn illegal_annotation(&self) -> Option<Finding> {
        let head = self.line_start(self.failure.at);
        let colon = self.last_at_this_level(self.failure.at, Token::Colon)?;
        let target = sub_expression(self.source, self.tokens(head, colon))?;
        let (_, reads_to) = self.one_expression(colon + 1)?;
        let is_place = matches!(
            target.kind,
            ExprKind::Name { .. } | ExprKind::Attribute { .. } | ExprKind::Subscript { .. }
        );
        let is_list = matches!(target.kind, ExprKind::Tuple { .. } | ExprKind::List { .. });
        let found = self.finding("illegal target for annotation", target.span);
        (!is_place && !is_list).then_some(Finding { reads_to, ..found })
    }

    pub(super) fn missing_except(&self) -> Option<Finding> {
        let expected = self.failure.expects("except") && self.failure.expects("finally");
        let only = expected && !self.failure.expects("else");
        only.then(|| self.finding("expected 'except' or 'finally' block", self.place()))
    }

    /// `def f(a=)`
    pub(super) fn missing_default(&self) -> Option<Finding> {
        let equal = self.failure.at.checked_sub(1).filter(|&at| self.at(at).token == Token::Equal)?;
        if !matches!(self.token(), Token::Comma | Token::RightParen) {
            return None;
        }
        let (inside, _) = self.innermost_bracket(self.failure.at)?;
        let is_definition = self.at(inside.checked_sub(3)?).token == Token::Def;
        is_definition.then(|| self.finding("expected default value expression", self.span(equal)))
    }

    /// `def f((a))`
    pub(super) fn parenthesised_parameter(&self) -> Option<Finding> {
        let at = self.failure.at;
        let of_def = || self.innermost_bracket(at).and_then(|(inside, _)| inside.checked_sub(3));
        let what = if of_def().is_some_and(|keyword| self.at(keyword).token == Token::Def) {
            "Function"
        } else if self.is_lambda_parameter(at) {
            "Lambda expression"
        } else {
            return None;
        };
        if self.token() != Token::LeftParen {
            return None;
        }
        let names = self.lexemes.get(at + 1..)?;
        let length =
            names.iter().take_while(|lexeme| matches!(lexeme.token, Token::Name(_) | Token::Comma)).count();
        let close = at + 1 + length;
        let closed = length > 0 && self.at(close).token == Token::RightParen;
        let span = self.span(at).to(self.span(close));
        closed.then(|| self.finding(format!("{what} parameters cannot be parenthesized"), span))
    }

    /// Whether only names stand between a `lambda` and `at`.
    fn is_lambda_parameter(&self, at: usize) -> bool {
        let is_other = |lexeme: &Lexeme| !matches!(lexeme.token, Token::Name(_) | Token::Comma);
        let last = self.tokens(0, at).iter().rev().find(|lexeme| is_other(lexeme));
        last.is_some_and(|lexeme| lexeme.token == Token::Lambda)
    }

    /// `def f:`
    pub(super) fn missing_parenthesis(&self) -> Option<Finding> {
        let keyword = self.failure.at.checked_sub(2)?;
        let only = self.at(keyword).token == Token::Def && self.failure.expects("(");
        only.then(|| self.finding("expected '('", self.place()))
    }

    /// `except *:`
    pub(super) fn missing_exception_types(&self) -> Option<Finding> {
        let keyword = self.failure.at.checked_sub(2)?;
        let is_bare = self.at(keyword).token == Token::Except && self.at(keyword + 1).token == Token::Star;
        let message = "expected one or more exception types";
        (is_bare && self.token() == Token::Colon).then(|| self.finding(message, self.place()))
    }

    pub(super) fn missing_colon(&self) -> Option<Finding> {
        let line = self.line_start(self.failure.at);
        let head = self.at(line).token;
        if head == Token::Name("match") && line + 1 == self.failure.at {
            let length =
                self.lexemes.iter().skip(line).take_while(|lexeme| !lexeme.token.is_layout()).count();
            sub_expression(self.source, self.tokens(line + 1, line + length))?;
            return Some(self.finding("expected ':'", self.span(line + length)));
        }
        let in_lambda = self
            .last_at_this_level(self.failure.at, Token::Lambda)
            .is_some_and(|lambda| self.last_at_this_level(self.failure.at, Token::Colon) < Some(lambda));
        let is_header = self.last_at_this_level(self.failure.at, Token::Colon).is_none()
            || self.token() == Token::Newline;
        let outside = self.innermost_bracket(self.failure.at).is_none() && is_header && !in_lambda;
        let expected = self.failure.expects(":") && outside;
        let only_colon = match self.token() {
            Token::Newline => true,
            _ if head == Token::Def || (head == Token::Async && self.at(line + 1).token == Token::Def) => {
                true
            }
            _ => {
                matches!(head, Token::Else | Token::Try | Token::Finally) && self.failure.expected.len() == 1
            }
        };
        (expected && only_colon).then(|| self.finding("expected ':'", self.place()))
    }
}
