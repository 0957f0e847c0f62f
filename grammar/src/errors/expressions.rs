//! Failures of expressions: a missing comma, `else` or value, and `=` where it cannot stand.

use super::{Case, Finding};
use crate::ast::ExprKind;
use crate::check;
use crate::parser::{Mode, sub_expression};
use crate::source::Span;
use crate::tokens::Token;

impl Case<'_, '_> {
    pub(super) fn missing_print_parentheses(&self) -> Option<Finding> {
        let start = self.expression_start(self.failure.at);
        if matches!(self.at(self.line_start(start)).token, Token::Import | Token::From) {
            return None;
        }
        let name = match self.at(start).token {
            Token::Name(name @ ("print" | "exec")) if start < self.failure.at => name,
            _ => return None,
        };
        if self.at(start + 1).token == Token::LeftParen {
            return None;
        }
        let (span, reads_to) = self.expression_list(start + 1)?;
        let message = format!("Missing parentheses in call to '{name}'. Did you mean {name}(...)?");
        let span = self.span(start).to(span);
        Some(Finding { reads_to, ..self.finding(message, span) })
    }

    /// `a if b` without an `else`.
    pub(super) fn missing_else(&self) -> Option<Finding> {
        if !self.failure.expects("else") || matches!(self.token(), Token::Colon) {
            return None;
        }
        let at = self.failure.at;
        let condition = self.last_at_this_level(at, Token::If)?;
        let start = self.expression_start(condition);
        sub_expression(self.source, self.tokens(start, condition))?;
        sub_expression(self.source, self.tokens(condition + 1, at))?;
        let span = self.span(start).to(self.span(at - 1));
        Some(self.finding("expected 'else' after 'if' expression", span))
    }

    pub(super) fn missing_dict_value(&self) -> Option<Finding> {
        let at = self.failure.at;
        let (inside, Token::LeftBrace) = self.innermost_bracket(at)? else { return None };
        if self.at(at.checked_sub(1)?).token == Token::Colon {
            return match self.token() {
                Token::RightBrace | Token::Comma => {
                    let message = "expression expected after dictionary key and ':'";
                    Some(self.finding(message, self.span(at - 1)))
                }
                Token::Star => {
                    let (operand, reads_to) = self.expression_list(at + 1)?;
                    let message = "cannot use a starred expression in a dictionary value";
                    Some(Finding { reads_to, ..self.finding(message, self.span(at).to(operand)) })
                }
                _ => None,
            };
        }
        let start = self.expression_start(at);
        if start == inside || self.at(start - 1).token != Token::Comma || !self.failure.expects(":") {
            return None;
        }
        let key = sub_expression(self.source, self.tokens(start, at))?;
        let last = key.span.end.saturating_sub(1);
        let finding = self.finding("':' expected after dictionary key", Span::new(last, last));
        Some(Finding { endless: true, ..finding })
    }

    /// Two expressions next to each other in brackets.
    pub(super) fn missing_comma(&self) -> Option<Finding> {
        // `a not` could still have become `a not in`.
        let is_not = self.failure.at > 0 && self.at(self.failure.at - 1).token == Token::Not;
        let at = self.failure.at - usize::from(is_not);
        self.innermost_bracket(at)?;
        if self.is_pattern(at) {
            return None;
        }
        let start = self.expression_start(at);
        let last_for = self.last_at_this_level(start.saturating_sub(1), Token::For);
        let is_target = last_for.is_some() && last_for > self.last_at_this_level(start - 1, Token::In);
        if self.is_parameter(start) || (is_target && self.at(start - 1).token == Token::Comma) {
            return None;
        }
        let first = sub_expression(self.source, self.tokens(start, at))?;
        if matches!(first.kind, ExprKind::IfExp { .. } | ExprKind::Lambda { .. }) {
            return None;
        }
        // A name before a string is more likely a wrong string prefix.
        if at - start == 1 && matches!(self.at(start).token, Token::Name(_)) {
            let is_string = matches!(self.token(), Token::Str(_) | Token::FStringStart(_));
            if is_string || matches!(self.at(start).token, Token::Name("match" | "case" | "_")) {
                return None;
            }
        }
        let (second, reads_to) = self.one_expression(at)?;
        let span = self.span(start).to(second);
        Some(Finding { reads_to, ..self.finding("invalid syntax. Perhaps you forgot a comma?", span) })
    }

    /// Whether this place is in the pattern of a `case`: what stands there is no expression.
    fn is_pattern(&self, at: usize) -> bool {
        let head = self.line_start(at);
        let mut depth = 0;
        let has_ended = self.tokens(head, at).iter().any(|lexeme| {
            depth += i32::from(lexeme.token.opens()) - i32::from(lexeme.token.closes());
            lexeme.token == Token::If || depth == 0 && lexeme.token == Token::Colon
        });
        self.at(head).token == Token::Case && !has_ended
    }

    /// `[x, y for …]`
    pub(super) fn missing_target_parentheses(&self) -> Option<Finding> {
        let at = self.failure.at;
        let (inside, bracket) = self.innermost_bracket(at)?;
        let is_display = matches!(bracket, Token::LeftSquare | Token::LeftBrace);
        if !is_display || !matches!(self.token(), Token::For | Token::Async) {
            return None;
        }
        self.first_comma(inside, at)?;
        sub_expression(self.source, self.tokens(inside, at))?;
        let span = self.span(inside).to(self.span(at - 1));
        Some(self.finding("did you forget parentheses around the comprehension target?", span))
    }

    /// `=` where only `==` or `:=` makes sense.
    pub(super) fn mistaken_equal(&self) -> Option<Finding> {
        let at = self.failure.at;
        let is_statement = self.mode != Mode::Expression || self.innermost_bracket(at).is_some();
        if self.token() != Token::Equal || !is_statement {
            return None;
        }
        let start = self.expression_start(at);
        if !self.starts_named(start) {
            return None;
        }
        let target = sub_expression(self.source, self.tokens(start, at))?;
        let (value, reads_to) = self.one_expression(at + 1)?;
        if matches!(self.at(reads_to).token, Token::Equal | Token::Walrus) {
            return None;
        }
        let is_named = matches!(target.kind, ExprKind::Name { .. });
        if is_named && start + 1 == at {
            let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
            return Some(Finding { reads_to, ..self.finding(message, target.span.to(value)) });
        }
        let is_target = matches!(
            target.kind,
            ExprKind::Name { .. } | ExprKind::Attribute { .. } | ExprKind::Subscript { .. }
        );
        if !(is_target || check::suggests_comparison(&target)) {
            return None;
        }
        let what = check::describe(&target);
        let message = format!("cannot assign to {what} here. Maybe you meant '==' instead of '='?");
        Some(Finding { reads_to, ..self.finding(message, target.span) })
    }

    /// Something after the `=` or the conversion of an f-string's field.
    pub(super) fn unclosed_field(&self) -> Option<Finding> {
        let previous = self.failure.at.checked_sub(1)?;
        let is_equal = self.at(previous).token == Token::Equal && self.failure.expects("field close");
        let is_conversion = previous > 0 && self.at(previous - 1).token == Token::Bang;
        let (_, bracket) = self.innermost_bracket(self.failure.at)?;
        let in_field = bracket == Token::FieldOpen && (is_equal || is_conversion);
        in_field.then(|| self.finding("f-string: expecting '}'", self.place()))
    }

    /// `f() := 1`
    pub(super) fn mistaken_walrus(&self) -> Option<Finding> {
        let at = self.failure.at;
        let start = self.expression_start(at);
        if self.token() != Token::Walrus || !self.starts_named(start) {
            return None;
        }
        let target = sub_expression(self.source, self.tokens(start, at))?;
        let (_, reads_to) = self.one_expression(at + 1)?;
        let is_name = matches!(target.kind, ExprKind::Name { .. });
        let message = format!("cannot use assignment expressions with {}", check::describe(&target));
        (!is_name).then(|| Finding { reads_to, ..self.finding(message, target.span) })
    }
}
