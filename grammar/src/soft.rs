//! Decides, on the finished token list, what a grammar with one token of lookahead cannot: whether `match`
//! and `case` are keywords, and whether a parenthesis after `with` encloses the items or belongs to the first
//! of them.

use crate::tokens::{Lexeme, Token};

/// Rewrites the tokens in place.
pub fn resolve(lexemes: &mut [Lexeme]) {
    // For each open block, whether it is the body of a match statement, in which lines start with `case`.
    let mut blocks: Vec<bool> = Vec::new();
    let mut last_line_is_match = false;
    let mut line_starts = true;
    for at in 0..lexemes.len() {
        let Some(token) = lexemes.get(at).map(|lexeme| lexeme.token) else { return };
        match token {
            Token::Indent => blocks.push(last_line_is_match),
            Token::Dedent => {
                blocks.pop();
            }
            Token::Name("match") if line_starts && opens_block(lexemes, at) => {
                replace(lexemes, at, Token::Match);
                last_line_is_match = true;
            }
            Token::Name("case") if line_starts && blocks.last() == Some(&true) => {
                replace(lexemes, at, Token::Case);
                last_line_is_match = false;
            }
            Token::With if encloses_items(lexemes, at) => {
                replace(lexemes, at, Token::WithParenthesised);
                last_line_is_match = false;
            }
            _ if line_starts => last_line_is_match = false,
            _ => {}
        }
        line_starts = matches!(
            token,
            Token::Newline | Token::Indent | Token::Dedent | Token::StartModule | Token::StartInteractive
        );
    }
}

fn replace<'s>(lexemes: &mut [Lexeme<'s>], at: usize, token: Token<'s>) {
    if let Some(lexeme) = lexemes.get_mut(at) {
        lexeme.token = token;
    }
}

/// Whether the line that starts at `at` has something between its first word and a `:` at its end. No line
/// that starts with a name does, so it must be a match statement.
fn opens_block(lexemes: &[Lexeme], at: usize) -> bool {
    let line = lexemes.get(at + 1..).unwrap_or(&[]);
    let length = line.iter().take_while(|lexeme| !lexeme.token.is_layout()).count();
    let starts_subject = line.first().is_some_and(|first| {
        !matches!(first.token, Token::Equal | Token::Dot | Token::Colon | Token::Comma | Token::RightParen)
    });
    length >= 2 && starts_subject && line.get(length - 1).is_some_and(|last| last.token == Token::Colon)
}

/// Whether the `with` at `at` is followed by a parenthesised list of items and then its `:`. Anything in the
/// parentheses that an item cannot be makes them an expression.
fn encloses_items(lexemes: &[Lexeme], at: usize) -> bool {
    let rest = lexemes.get(at + 1..).unwrap_or(&[]);
    if rest.first().is_none_or(|first| first.token != Token::LeftParen) {
        return false;
    }
    let mut depth = 0;
    let mut previous = Token::LeftParen;
    for (place, lexeme) in rest.iter().enumerate() {
        let token = lexeme.token;
        if token.opens() {
            depth += 1;
        } else if token.closes() {
            depth -= 1;
        }
        if depth == 0 {
            let next = rest.get(place + 1).map(|next| next.token);
            return next == Some(Token::Colon) && place > 1;
        }
        // Nothing but an item has an `as`.
        if depth == 1 && token == Token::As {
            return true;
        }
        let item_starts = depth == 1 && matches!(previous, Token::LeftParen | Token::Comma);
        let never_in_item = depth == 1 && matches!(token, Token::Walrus | Token::For | Token::Async);
        if never_in_item || token.is_layout() || (item_starts && matches!(token, Token::Star | Token::Yield))
        {
            return false;
        }
        previous = token;
    }
    false
}
