//! The part of the scanner that reads f-strings: literal text between replacement fields, and where in a
//! field the expression ends and its format specification begins. The expressions themselves are ordinary
//! tokens.

use crate::layout::{LexicalError, Scan, Scanner};
use crate::source::Span;
use crate::strings;
use crate::syntax_error::SyntaxError;
use crate::tokens::{Lexeme, Token};

/// A field inside a format specification may not have a specification with fields of its own.
const MAX_NESTED_FIELDS: usize = 2;

/// An f-string being read.
pub struct FString {
    opening: Span,
    quote: &'static str,
    pub triple: bool,
    raw: bool,
    pub start: u32,
    /// How many brackets were open around the f-string.
    brackets: usize,
}

impl FString {
    pub fn quote(&self) -> &'static str {
        self.quote
    }
}

/// How a piece of literal text ended.
enum Stop {
    Quote,
    Open,
    /// The `}` that closes a field after its format specification.
    Close,
}

impl<'s> Scanner<'s> {
    pub(crate) fn fstring_start(&mut self, opening: &'s str, start: u32, end: u32) -> Scan {
        let quote = match strings::quote(opening) {
            "'" => "'",
            "\"" => "\"",
            "'''" => "'''",
            _ => "\"\"\"",
        };
        let triple = strings::is_triple(opening);
        let raw = strings::is_raw(opening);
        // Before anything inside is looked at: an f-string that never ends is that, whatever it holds.
        let closes = strings::body_length(self.rest(), opening).is_ok();
        if !closes {
            return Err(self.unterminated(opening, start));
        }
        self.push(Token::FStringStart(opening), start, end);
        let brackets = self.brackets.len();
        self.fstrings.push(FString { opening: Span::new(start, end), quote, triple, raw, start, brackets });
        Ok(())
    }

    /// Whether what comes next is literal text of an f-string, be it of the string itself or of a
    /// specification.
    pub(crate) fn in_fstring_text(&self) -> bool {
        let Some(string) = self.fstrings.last() else { return false };
        self.brackets.len() == string.brackets || self.brackets.last().is_some_and(|bracket| bracket.in_spec)
    }

    /// Whether what comes next is part of a field's expression.
    pub(crate) fn in_field(&self) -> bool {
        !self.fstrings.is_empty() && !self.in_fstring_text()
    }

    /// As `in_field`, and not inside a bracket of that expression.
    pub(crate) fn directly_in_field(&self) -> bool {
        self.in_field()
            && self.brackets.last().is_some_and(|bracket| bracket.lexeme.token == Token::FieldOpen)
    }

    /// At the `:` that starts a format specification (the lexer may have read it as part of `:=`).
    pub(crate) fn fstring_spec(&mut self, start: u32) {
        self.seek(start + 1);
        self.push(Token::FieldColon, start, start + 1);
        if let Some(field) = self.brackets.last_mut() {
            field.in_spec = true;
        }
    }

    /// Reads literal text up to and including what ends it.
    pub(crate) fn fstring_text(&mut self) -> Scan {
        let start = self.at();
        let (length, stop) = self.find_end_of_text()?;
        let end = start + length as u32;
        if length > 0 {
            self.push(Token::FStringText(Span::new(start, end).of(self.source)), start, end);
        }
        self.lexer.bump(length);
        match stop {
            Stop::Quote => self.fstring_end(end),
            Stop::Open => {
                self.lexer.bump(1);
                self.field_open(end)?;
            }
            Stop::Close => {
                self.lexer.bump(1);
                self.brackets.pop();
                self.push(Token::FieldClose, end, end + 1);
            }
        }
        Ok(())
    }

    fn fstring_end(&mut self, at: u32) {
        if let Some(string) = self.fstrings.pop() {
            self.lexer.bump(string.quote.len());
            self.push(Token::FStringEnd, at, at + string.quote.len() as u32);
        }
    }

    fn field_open(&mut self, at: u32) -> Scan {
        let open = self.fstrings.last().map_or(0, |string| self.brackets.len() - string.brackets);
        if open >= MAX_NESTED_FIELDS {
            return Err(self.deferred("f-string: expressions nested too deeply", at, at));
        }
        let inside = self.rest().trim_start_matches([' ', '\t', '\x0c', '\n', '\r']);
        let missing = match inside.as_bytes() {
            [b'}', ..] => Some("f-string: empty expression not allowed"),
            [b':', ..] => Some("f-string: expression required before ':'"),
            [b'!', next, ..] if *next != b'=' => Some("f-string: expression required before '!'"),
            [b'=', next, ..] if *next != b'=' => Some("f-string: expression required before '='"),
            _ => None,
        };
        if let Some(message) = missing {
            return Err(self.deferred(message, at, at));
        }
        self.open(Token::FieldOpen, at, at + 1)
    }

    fn find_end_of_text(&self) -> Result<(usize, Stop), LexicalError> {
        let Some(string) = self.fstrings.last() else { return Ok((0, Stop::Quote)) };
        let in_spec = self.brackets.len() > string.brackets;
        let start = self.at();
        let bytes = self.rest().as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            let doubled = !in_spec && bytes.get(at + 1) == Some(&byte);
            match byte {
                b'{' | b'}' if doubled => at += 2,
                b'{' => return Ok((at, Stop::Open)),
                b'}' if in_spec => return Ok((at, Stop::Close)),
                b'}' => {
                    let here = start + at as u32;
                    return Err(self.deferred("f-string: single '}' is not allowed", here, here));
                }
                b'\\' => at += self.escape_in_text(bytes, at, string.raw),
                b'\n' | b'\r' if !string.triple => break,
                _ if bytes.get(at..).is_some_and(|tail| tail.starts_with(string.quote.as_bytes())) => {
                    if in_spec {
                        return Err(self.deferred("f-string: expecting '}'", string.start, string.start));
                    }
                    return Ok((at, Stop::Quote));
                }
                _ => at += 1,
            }
        }
        Err(self.unterminated(string.opening.of(self.source), string.start))
    }

    /// The length of what follows a backslash that is to be skipped. A brace after one keeps its meaning.
    fn escape_in_text(&self, bytes: &[u8], at: usize, raw: bool) -> usize {
        match bytes.get(at + 1) {
            Some(b'{' | b'}') => 1,
            Some(b'N') if !raw && bytes.get(at + 2) == Some(&b'{') => {
                let name = bytes.get(at..).unwrap_or(&[]);
                name.iter().position(|&byte| byte == b'}').map_or(name.len(), |end| end + 1)
            }
            _ => strings::escape_length(bytes, at),
        }
    }
}

/// An error in an f-string as CPython shows it: it reads the whole string first, and points at the token behind.
pub fn shown_behind(source: &str, lexemes: &[Lexeme], error: SyntaxError) -> SyntaxError {
    let mut open: Vec<&Lexeme> = Vec::new();
    for lexeme in lexemes {
        match lexeme.token {
            Token::FStringStart(_) => open.push(lexeme),
            Token::FStringEnd => drop(open.pop()),
            _ => {}
        }
    }
    let Some(outermost) = open.first().filter(|_| error.message.starts_with("f-string")) else {
        return error;
    };
    let mut at = outermost.start as usize;
    while let Some(length) = source.get(at..).and_then(literal_length) {
        at += length;
        at += source.get(at..).map_or(0, |rest| rest.len() - rest.trim_start_matches([' ', '\t']).len());
    }
    let end = at + source.get(at..).map_or(0, token_length);
    let shown = SyntaxError::new(error.kind, "", source, Span::new(at as u32, end as u32));
    SyntaxError { kind: error.kind, message: error.message, span: error.span, ..shown }
}

/// The length of the string literal that a text begins with.
fn literal_length(text: &str) -> Option<usize> {
    let prefix = text.find(['"', '\'']).filter(|&at| at <= 2)?;
    let is_prefix = text.get(..prefix)?.chars().all(|c| "rRbBuUfF".contains(c));
    let quote = text.get(prefix..)?;
    let width = if quote.starts_with("\"\"\"") || quote.starts_with("'''") { 3 } else { 1 };
    let opening = text.get(..prefix + width).filter(|_| is_prefix)?;
    let body = text.get(prefix + width..)?;
    strings::body_length(body, opening).ok().map(|length| prefix + width + length)
}

/// The length of the token that a text begins with; 0 for a line end.
fn token_length(text: &str) -> usize {
    let word = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    let has_two = ["**", "//", "==", "!=", "<=", ">=", "<<", ">>", ":=", "->", "+=", "-=", "*=", "/="];
    match text.chars().next() {
        None | Some('\n' | '\r' | '#') => 0,
        _ if word > 0 => word,
        _ if has_two.iter().any(|operator| text.starts_with(operator)) => 2,
        Some(c) => c.len_utf8(),
    }
}
