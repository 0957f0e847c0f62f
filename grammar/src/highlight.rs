//! A text in pieces, for who paints it while it is being typed: so the text may be wrong, and may end anywhere.
//! Must not know colours.

use crate::layout::{self, Tokens};
use crate::soft;
use crate::source::Span;
use crate::tokens::Token;

/// What a piece of source text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Keyword,
    Name,
    Number,
    /// A string, the text of an f-string, or a string that is not finished.
    String,
    Comment,
    /// `(`, `[`, `{`.
    Open,
    /// Their counterparts.
    Close,
    Operator,
}

/// A piece of source text. White space, and what is no token at all, belongs to no piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub span: Span,
    pub class: Class,
}

/// Splits a text, as far as it can be understood.
pub fn pieces(source: &str) -> Vec<Piece> {
    if u32::try_from(source.len()).is_err() {
        return Vec::new();
    }
    let Tokens { mut lexemes, error, .. } = layout::tokenize(source, Token::StartModule);
    soft::resolve(&mut lexemes);
    let mut found = Vec::with_capacity(lexemes.len());
    let mut end = 0;
    for lexeme in lexemes.iter().filter(|lexeme| lexeme.end > lexeme.start) {
        push_comments(source, end, lexeme.start, &mut found);
        end = end.max(lexeme.end);
        if let Some(class) = class(lexeme.token) {
            found.push(Piece { span: Span::new(lexeme.start, lexeme.end), class });
        }
    }
    let rest = Span::new(end, source.len() as u32);
    match error.and(unfinished_string(source, rest)) {
        Some(start) => {
            push_comments(source, end, start, &mut found);
            found.push(Piece { span: Span::new(start, rest.end), class: Class::String });
        }
        None => push_comments(source, rest.start, rest.end, &mut found),
    }
    found
}

/// Whether a bracket or a triple-quoted string is open at the end of the text, so that an empty line ends nothing.
pub fn is_open(source: &str) -> bool {
    let Tokens { unclosed, error, .. } = layout::tokenize(source, Token::StartModule);
    match error {
        Some(lexical) => lexical.error.incomplete,
        None => unclosed.is_some(),
    }
}

/// Where in the rest that is no token a string begins: before it there is nothing but white space and a prefix.
fn unfinished_string(source: &str, rest: Span) -> Option<u32> {
    let text = rest.of(source);
    let lead = text.len() - text.trim_start_matches([' ', '\t', '\x0c', '\n', '\r']).len();
    let prefix = text.get(lead..)?.bytes().take_while(|b| b"rRbBuUfF".contains(b)).count();
    let quoted = matches!(text.as_bytes().get(lead + prefix), Some(b'"' | b'\'')) && prefix <= 2;
    quoted.then_some(rest.start + lead as u32)
}

/// Comments are no tokens: they lie between them.
fn push_comments(source: &str, start: u32, end: u32, found: &mut Vec<Piece>) {
    let mut at = start;
    while let Some(hash) = Span::new(at, end).of(source).find('#') {
        let from = at + hash as u32;
        let line = Span::new(from, end).of(source);
        let length = line.find(['\n', '\r']).unwrap_or(line.len()) as u32;
        found.push(Piece { span: Span::new(from, from + length), class: Class::Comment });
        at = from + length;
    }
}

fn class(token: Token<'_>) -> Option<Class> {
    use Token as T;
    Some(match token {
        T::Match | T::Case => Class::Keyword,
        token if token.is_keyword() => Class::Keyword,
        token if token.opens() => Class::Open,
        token if token.closes() => Class::Close,
        T::Name(_) => Class::Name,
        T::Int(_) | T::Float(_) | T::Imaginary(_) => Class::Number,
        T::Str(_) | T::FStringStart(_) | T::FStringText(_) | T::FStringEnd => Class::String,
        token if token.is_layout() => return None,
        _ => Class::Operator,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(source: &str) -> Vec<(&str, Class)> {
        pieces(source).into_iter().map(|piece| (piece.span.of(source), piece.class)).collect()
    }

    #[test]
    fn a_line_in_pieces() {
        let found = shown("def f(x): return 'a' + 1 # so");
        assert_eq!(found.first(), Some(&("def", Class::Keyword)));
        assert!(found.contains(&("'a'", Class::String)) && found.contains(&("1", Class::Number)));
        assert!(found.contains(&("(", Class::Open)) && found.contains(&(")", Class::Close)));
        assert_eq!(found.last(), Some(&("# so", Class::Comment)));
    }

    #[test]
    fn unfinished_text() {
        assert_eq!(shown("x = 'abc").last(), Some(&("'abc", Class::String)));
        assert_eq!(shown("x = rb\"\"\"a\nb").last(), Some(&("rb\"\"\"a\nb", Class::String)));
        assert_eq!(shown("a ) b")[0], ("a", Class::Name));
        assert!(shown("\u{0} §").is_empty());
    }

    #[test]
    fn what_an_empty_line_does_not_end() {
        for open in ["f(\n", "x = [1,\n\n", "'''a\n\n", "f'''a\n", "{'a': (1,\n"] {
            assert!(is_open(open), "{open:?}");
        }
        for closed in ["", "if x:\n", "x = 1\n", "'a\n", ")\n", "try:\n    pass\n"] {
            assert!(!is_open(closed), "{closed:?}");
        }
    }
}
