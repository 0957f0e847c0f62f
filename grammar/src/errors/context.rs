//! Where in a line a token stands: the bracket around it, and where the expression it belongs to starts and
//! ends.

use super::Case;
use crate::parser::{sub_expression, sub_expression_length};
use crate::source::Span;
use crate::tokens::{Lexeme, Token};

impl<'s> Case<'_, 's> {
    /// The index of the first token of the logical line that `at` is on.
    pub(super) fn line_start(&self, at: usize) -> usize {
        let before = self.tokens(0, at);
        let is_edge = |lexeme: &Lexeme| {
            lexeme.token.is_layout()
                || matches!(
                    lexeme.token,
                    Token::StartModule | Token::StartInteractive | Token::StartExpression
                )
        };
        before.iter().rposition(is_edge).map_or(0, |edge| edge + 1)
    }

    /// The index of the token after the innermost bracket that is open before `at`, and that bracket.
    pub(super) fn innermost_bracket(&self, at: usize) -> Option<(usize, Token<'s>)> {
        let mut closed = 0;
        for (index, lexeme) in self.tokens(0, at).iter().enumerate().rev() {
            if lexeme.token.closes() {
                closed += 1;
            } else if lexeme.token.opens() && closed == 0 {
                return Some((index + 1, lexeme.token));
            } else if lexeme.token.opens() {
                closed -= 1;
            } else if lexeme.token.is_layout() {
                return None;
            }
        }
        None
    }

    /// The last place before `at`, in the same bracket, after which a new expression starts.
    pub(super) fn expression_start(&self, at: usize) -> usize {
        let (mut closed, mut seen_in) = (0, false);
        for (index, lexeme) in self.tokens(0, at).iter().enumerate().rev() {
            seen_in |= closed == 0 && lexeme.token == Token::In;
            let starts = match lexeme.token {
                token if token.closes() => {
                    closed += 1;
                    false
                }
                token if token.opens() => {
                    closed -= 1;
                    closed < 0
                }
                token if token.is_layout() => true,
                Token::StartModule | Token::StartInteractive | Token::StartExpression => true,
                Token::Comma | Token::Equal | Token::Colon | Token::Semicolon | Token::Walrus => closed == 0,
                Token::Return | Token::Assert | Token::Del | Token::Raise => closed == 0,
                Token::While | Token::Elif | Token::Yield | Token::From => closed == 0,
                Token::If => closed == 0 && self.line_start(index) == index,
                Token::For => closed == 0 && !seen_in,
                Token::Star | Token::DoubleStar => closed == 0 && self.unpacks(index),
                _ => false,
            };
            if starts {
                return index + 1;
            }
        }
        0
    }

    /// Whether the star at `at` unpacks, rather than multiplies.
    pub(super) fn unpacks(&self, at: usize) -> bool {
        let before = self.at(at.saturating_sub(1)).token;
        let is_call = before != Token::LeftBrace || self.at(at).token == Token::Star;
        (before == Token::Comma || before.opens()) && is_call
    }

    /// The last such token before `at` that is in no further bracket.
    pub(super) fn last_at_this_level(&self, at: usize, wanted: Token) -> Option<usize> {
        let mut closed = 0;
        for (index, lexeme) in self.tokens(0, at).iter().enumerate().rev() {
            if closed == 0 && lexeme.token == wanted {
                return Some(index);
            }
            if lexeme.token.closes() {
                closed += 1;
            } else if lexeme.token.opens() {
                closed -= 1;
            }
            if closed < 0 || lexeme.token.is_layout() {
                return None;
            }
        }
        None
    }

    /// The span of the expressions, separated by commas, that start at `from`.
    pub(super) fn expression_list(&self, from: usize) -> Option<(Span, usize)> {
        let rest = self.lexemes.get(from..)?;
        let length = sub_expression_length(self.source, rest)?;
        let length =
            if self.at(from + length).token == Token::Star { length.saturating_sub(1) } else { length };
        sub_expression(self.source, rest.get(..length)?)?;
        let last = from + length.checked_sub(1)?;
        Some((self.span(from).to(self.span(last)), from + length))
    }

    /// Whether `at` is where the name of a parameter of a `def` stands.
    pub(super) fn is_parameter(&self, at: usize) -> bool {
        let is_name = at > 0 && !matches!(self.at(at - 1).token, Token::Colon | Token::Equal);
        let bracket = self.innermost_bracket(at).and_then(|(inside, _)| inside.checked_sub(3));
        is_name && bracket.is_some_and(|keyword| self.at(keyword).token == Token::Def)
    }

    /// The span of the expression that starts at `from`, without what follows a comma.
    pub(super) fn one_expression(&self, from: usize) -> Option<(Span, usize)> {
        let rest = self.lexemes.get(from..)?;
        let longest = sub_expression_length(self.source, rest)?;
        let comma = self.first_comma(from, from + longest);
        let length = comma.map_or(longest, |comma| comma - from);
        // An unfinished operator at the end is no part of it.
        let length = (length.saturating_sub(3)..=length).rev().find(|&length| {
            rest.get(..length).is_some_and(|tokens| sub_expression(self.source, tokens).is_some())
        })?;
        let last = from + length.checked_sub(1)?;
        Some((self.span(from).to(self.span(last)), from + length))
    }

    pub(super) fn first_comma(&self, from: usize, to: usize) -> Option<usize> {
        let mut depth = 0;
        for (index, lexeme) in self.tokens(from, to).iter().enumerate() {
            if lexeme.token.opens() {
                depth += 1;
            } else if lexeme.token.closes() {
                depth -= 1;
            } else if lexeme.token == Token::Comma && depth == 0 {
                return Some(from + index);
            }
        }
        None
    }

    /// Whether an expression that starts at `at` may be one with `:=`.
    pub(super) fn starts_named(&self, at: usize) -> bool {
        let before = self.at(at.saturating_sub(1)).token;
        let opens_line = matches!(before, Token::If | Token::Elif | Token::While | Token::Semicolon)
            || self.line_start(at) == at;
        let in_brackets = self.innermost_bracket(at).is_some() && !self.is_parameter(at);
        opens_line || (in_brackets && (before.opens() || before == Token::Comma))
    }
}
