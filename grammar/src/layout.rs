//! From text to the token list the parser reads: finds lines and indentation, joins lines inside brackets,
//! matches brackets, and reports whatever is wrong below the level of grammar. Knows tokens, not syntax.

use logos::Logos;

use crate::fstring::FString;
use crate::source::{BOM, LineIndex, Span};
use crate::syntax_error::{ErrorKind, Finder, SyntaxError};
use crate::tokens::{Lexeme, Token};
use crate::warning::{Category, Warning};
use crate::{names, numbers, strings};

/// CPython's limits, in levels.
const MAX_INDENTS: usize = 100;
const MAX_BRACKETS: usize = 200;

/// How much one tab is worth in each of the two ways of measuring. Where the two disagree about an
/// indentation, its meaning depends on the reader's tab size, and that is a `TabError`.
const TAB: u32 = 8;
const ALT_TAB: u32 = 1;

/// The tokens of a text, and what was still open at its end.
pub struct Tokens<'s> {
    pub lexemes: Vec<Lexeme<'s>>,
    /// The innermost bracket never closed. Whether that is the error to report depends on what the parser
    /// finds first.
    pub unclosed: Option<Lexeme<'s>>,
    /// Why the tokens end before the text does.
    pub error: Option<LexicalError>,
    pub warnings: Vec<Warning>,
}

/// Something wrong below the level of grammar.
pub struct LexicalError {
    pub error: SyntaxError,
    /// CPython notices it only when its parser gets that far, so an earlier error of the grammar goes first.
    /// All others it looks for in the whole text before it reports anything.
    pub deferred: bool,
}

/// Splits `source` into tokens, the first of which is `start`.
pub fn tokenize<'s>(source: &'s str, start: Token<'s>) -> Tokens<'s> {
    let mut scanner = Scanner::new(source, start);
    let error = scanner.run().err();
    let open = scanner.brackets.last().map(|open| open.lexeme);
    let unclosed = open.filter(|open| open.token != Token::FieldOpen);
    Tokens { lexemes: scanner.out, unclosed, error, warnings: scanner.warnings }
}

/// The error for a bracket that is still open at the end.
pub fn never_closed(source: &str, open: Lexeme) -> SyntaxError {
    let bracket = Span::new(open.start, open.end);
    let message = format!("'{}' was never closed", bracket.of(source));
    let mut error = SyntaxError::new(ErrorKind::SyntaxError, message, source, bracket);
    error.end_col = 0;
    error.incomplete = true;
    error
}

/// An indentation, measured with wide and with narrow tabs.
#[derive(Clone, Copy, PartialEq)]
struct Indent {
    column: u32,
    alt: u32,
}

pub(crate) struct Bracket<'s> {
    pub lexeme: Lexeme<'s>,
    /// For the bracket of an f-string field: whether its format specification has begun.
    pub in_spec: bool,
}

/// `fstring.rs` holds the methods that read f-strings.
pub(crate) struct Scanner<'s> {
    pub source: &'s str,
    pub lexer: logos::Lexer<'s, Token<'s>>,
    pub out: Vec<Lexeme<'s>>,
    indents: Vec<Indent>,
    pub brackets: Vec<Bracket<'s>>,
    pub fstrings: Vec<FString>,
    warnings: Vec<Warning>,
}

pub(crate) type Scan = Result<(), LexicalError>;

impl<'s> Scanner<'s> {
    fn new(source: &'s str, start: Token<'s>) -> Scanner<'s> {
        let out = vec![Lexeme { token: start, start: 0, end: 0 }];
        let indents = vec![Indent { column: 0, alt: 0 }];
        let mut lexer = Token::lexer(source);
        if source.starts_with(BOM) {
            lexer.bump(BOM.len());
        }
        if start == Token::StartExpression {
            // `eval` does not mind an indented expression.
            let text = lexer.remainder();
            lexer.bump(text.len() - text.trim_start_matches([' ', '\t']).len());
        }
        let (brackets, fstrings, warnings) = Default::default();
        Scanner { source, lexer, out, indents, brackets, fstrings, warnings }
    }

    fn run(&mut self) -> Scan {
        self.indentation()?;
        loop {
            if self.in_fstring_text() {
                self.fstring_text()?;
                continue;
            }
            match self.lexer.next() {
                None => return self.end_of_text(),
                Some(Ok(token)) => self.token(token)?,
                Some(Err(())) => self.other_character()?,
            }
        }
    }

    fn token(&mut self, token: Token<'s>) -> Scan {
        let span = self.lexer.span();
        let (start, end) = (span.start as u32, span.end as u32);
        if token.is_word()
            && !self.rest().starts_with(|next: char| next.is_ascii())
            && !self.rest().is_empty()
        {
            return self.name(start);
        }
        match token {
            Token::Comment if self.in_field() => {
                return Err(self.deferred("f-string expression part cannot include '#'", start, start));
            }
            Token::Backslash if self.in_field() => {
                return Err(self.deferred(
                    "f-string expression part cannot include a backslash",
                    start,
                    start,
                ));
            }
            Token::Comment => {}
            Token::Backslash => self.continuation()?,
            Token::Newline => self.newline(start, end)?,
            Token::Int(_) | Token::Float(_) | Token::Imaginary(_) => self.number(token, start, end)?,
            Token::Str(opening) => self.string(opening, start)?,
            Token::FStringStart(opening) => self.fstring_start(opening, start, end)?,
            Token::LeftParen | Token::LeftSquare | Token::LeftBrace => self.open(token, start, end)?,
            Token::RightParen | Token::RightSquare | Token::RightBrace => self.close(token, start, end)?,
            Token::Colon | Token::Walrus if self.directly_in_field() => self.fstring_spec(start),
            _ => self.push(token, start, end),
        }
        Ok(())
    }

    pub fn push(&mut self, token: Token<'s>, start: u32, end: u32) {
        self.out.push(Lexeme { token, start, end });
    }

    /// The text not yet read.
    pub fn rest(&self) -> &'s str {
        self.lexer.remainder()
    }

    /// The offset of `rest`.
    pub fn at(&self) -> u32 {
        self.lexer.span().end as u32
    }

    pub fn error(&self, message: impl Into<String>, start: u32, end: u32) -> LexicalError {
        let error = SyntaxError::new(ErrorKind::SyntaxError, message, self.source, Span::new(start, end));
        LexicalError { error, deferred: false }
    }

    pub fn deferred(&self, message: impl Into<String>, start: u32, end: u32) -> LexicalError {
        LexicalError { deferred: true, ..self.error(message, start, end) }
    }

    // Names and numbers.

    /// A name that holds a non-ASCII character and starts at `start`; logos found at most its ASCII
    /// beginning.
    fn name(&mut self, start: u32) -> Scan {
        let text = self.source.get(start as usize..).unwrap_or("");
        let length = names::scan(text)
            .map_err(|bad| self.error(bad.message, start + bad.offset as u32, start + bad.offset as u32))?;
        let end = start + length as u32;
        self.lexer.bump((end - self.at()) as usize);
        self.push(Token::Name(text.get(..length).unwrap_or("")), start, end);
        Ok(())
    }

    /// What logos knows nothing of: a non-ASCII character, or a control character.
    fn other_character(&mut self) -> Scan {
        let start = self.lexer.span().start as u32;
        let first = self.source.get(start as usize..).and_then(|text| text.chars().next()).unwrap_or('\0');
        if first.is_ascii() {
            let message = format!("invalid non-printable character U+{:04X}", first as u32);
            return Err(self.error(message, start, start));
        }
        // logos may have stopped anywhere in the run of characters it could not match.
        self.seek(start);
        self.name(start)
    }

    /// Continues reading at `offset`.
    pub fn seek(&mut self, offset: u32) {
        self.lexer = Token::lexer(self.source);
        self.lexer.bump(offset as usize);
    }

    fn number(&mut self, token: Token<'s>, start: u32, end: u32) -> Scan {
        let text = self.source.get(start as usize..).unwrap_or("");
        let length = (end - start) as usize;
        if let Some(bad) = numbers::malformed(text, length) {
            let span = (start + bad.span.start as u32, start + bad.span.end as u32);
            return Err(self.error(bad.message, span.0, span.1));
        }
        if let Some(message) = numbers::doubtful(text, length) {
            let (category, span) = (Category::SyntaxWarning, Span::new(end - 1, end - 1));
            self.warnings.push(Warning { category, message, finder: Finder::Scanner, span });
        }
        self.push(token, start, end);
        Ok(())
    }

    // Strings.

    fn string(&mut self, opening: &'s str, start: u32) -> Scan {
        let Ok(length) = strings::body_length(self.rest(), opening) else {
            return Err(self.unterminated(opening, start));
        };
        self.lexer.bump(length);
        let end = self.at();
        self.push(Token::Str(Span::new(start, end).of(self.source)), start, end);
        Ok(())
    }

    /// A string literal opened at `start` that never ends.
    pub fn unterminated(&self, opening: &str, start: u32) -> LexicalError {
        if let Some(outer) = self.fstrings.last().filter(|outer| opening.ends_with(outer.quote())) {
            return self.deferred("f-string: expecting '}'", outer.start, outer.start);
        }
        if self.in_field() {
            return self.deferred("f-string: unterminated string", start, start);
        }
        let lines = LineIndex::new(self.source);
        let triple = strings::is_triple(opening);
        let body = self.source.get(start as usize + opening.len()..).unwrap_or("");
        let line = match triple {
            true if self.source.ends_with(['\n', '\r']) => lines.lines() - 1,
            true => lines.lines(),
            false => {
                let stop = strings::body_length(body, opening).err().unwrap_or(0);
                lines.line(start + (opening.len() + stop) as u32)
            }
        };
        let kind = if triple { "triple-quoted string" } else { "string" };
        let message = format!("unterminated {kind} literal (detected at line {line})");
        let mut error = self.error(message, start, start);
        error.error.incomplete = triple;
        error
    }

    // Brackets.

    pub fn open(&mut self, token: Token<'s>, start: u32, end: u32) -> Scan {
        if self.brackets.len() >= MAX_BRACKETS {
            return Err(self.error("too many nested parentheses", start, start));
        }
        self.push(token, start, end);
        self.brackets.push(Bracket { lexeme: Lexeme { token, start, end }, in_spec: false });
        Ok(())
    }

    fn close(&mut self, token: Token<'s>, start: u32, end: u32) -> Scan {
        let Some(open) = self.brackets.pop() else {
            let message = format!("unmatched '{}'", Span::new(start, end).of(self.source));
            return Err(self.error(message, start, start));
        };
        let lexeme = open.lexeme;
        let matches = match lexeme.token {
            Token::LeftParen => token == Token::RightParen,
            Token::LeftSquare => token == Token::RightSquare,
            _ => token == Token::RightBrace,
        };
        if !matches {
            return Err(self.mismatch(lexeme, start, end));
        }
        let is_field = lexeme.token == Token::FieldOpen;
        self.push(if is_field { Token::FieldClose } else { token }, start, end);
        Ok(())
    }

    fn mismatch(&self, open: Lexeme<'s>, start: u32, end: u32) -> LexicalError {
        let lines = LineIndex::new(self.source);
        let line = lines.line(open.start);
        let closing = Span::new(start, end).of(self.source);
        if open.token == Token::FieldOpen {
            return self.deferred(format!("f-string: unmatched '{closing}'"), start, start);
        }
        let opening = Span::new(open.start, open.end).of(self.source);
        let place = if line == lines.line(start) { String::new() } else { format!(" on line {line}") };
        let prefix = if self.in_field() { "f-string: " } else { "" };
        let message = format!(
            "{prefix}closing parenthesis '{closing}' does not match opening parenthesis '{opening}'{place}"
        );
        self.error(message, start, start)
    }

    // Lines.

    /// After a `\`: the line end, and then the next line continues this one.
    fn continuation(&mut self) -> Scan {
        let at = self.at();
        let length = line_end_length(self.rest());
        self.lexer.bump(length.unwrap_or(0));
        if let (true, Some(open)) = (self.rest().is_empty(), self.brackets.last()) {
            return Err(LexicalError { error: never_closed(self.source, open.lexeme), deferred: true });
        }
        if self.rest().is_empty() {
            let mut error = self.deferred("unexpected EOF while parsing", at, at);
            error.error.incomplete = true;
            return Err(error);
        }
        if length.is_none() {
            let mut error = self.deferred("unexpected character after line continuation character", at, at);
            error.error.end_col = 0;
            return Err(error);
        }
        Ok(())
    }

    fn newline(&mut self, start: u32, end: u32) -> Scan {
        let open_quote = self.fstrings.iter().find(|string| !string.triple).map(|string| string.start);
        if let (Some(quote), true) = (open_quote, self.in_field()) {
            let line = LineIndex::new(self.source).line(start);
            let message = format!("unterminated string literal (detected at line {line})");
            return Err(self.error(message, quote, quote));
        }
        if self.brackets.is_empty() {
            self.push(Token::Newline, start, end);
            self.indentation()?;
        }
        Ok(())
    }

    /// At the start of a line: skips blank lines, then compares the indentation with the ones that are open.
    fn indentation(&mut self) -> Scan {
        loop {
            let line_start = self.at();
            let indent = self.measure()?;
            let blank = match self.rest().as_bytes().first() {
                None => return Ok(()),
                Some(b'#') => strings::line_length(self.rest()),
                Some(b'\n' | b'\r') => 0,
                Some(_) => return self.indent_to(indent, line_start),
            };
            self.lexer.bump(blank);
            self.lexer.bump(line_end_length(self.rest()).unwrap_or(0));
        }
    }

    fn measure(&mut self) -> Result<Indent, LexicalError> {
        let mut indent = Indent { column: 0, alt: 0 };
        let mut first_line = None;
        loop {
            match self.rest().as_bytes().first() {
                Some(b' ') => indent = Indent { column: indent.column + 1, alt: indent.alt + 1 },
                Some(b'\t') => {
                    indent.column = (indent.column / TAB + 1) * TAB;
                    indent.alt = (indent.alt / ALT_TAB + 1) * ALT_TAB;
                }
                Some(b'\x0c') => indent = Indent { column: 0, alt: 0 },
                Some(b'\\') => {
                    // Of an indentation that is continued on the next line, only the first line counts.
                    first_line = first_line.or((indent.column > 0).then_some(indent.column));
                    self.lexer.bump(1);
                    self.continuation()?;
                    continue;
                }
                _ => return Ok(first_line.map_or(indent, |column| Indent { column, alt: column })),
            }
            self.lexer.bump(1);
        }
    }

    fn indent_to(&mut self, indent: Indent, line_start: u32) -> Scan {
        let at = self.at();
        let current = self.current_indent();
        if indent.column > current.column {
            if self.indents.len() >= MAX_INDENTS {
                return Err(self.indentation_error("too many levels of indentation", line_start));
            }
            if indent.alt <= current.alt {
                return Err(self.tab_error(line_start));
            }
            self.indents.push(indent);
            self.push(Token::Indent, at, at);
            return Ok(());
        }
        if !self.indents.iter().any(|open| open.column == indent.column) {
            let message = "unindent does not match any outer indentation level";
            return Err(self.indentation_error(message, line_start));
        }
        while indent.column < self.current_indent().column {
            self.indents.pop();
            self.push(Token::Dedent, at, at);
        }
        if indent.alt != self.current_indent().alt {
            return Err(self.tab_error(line_start));
        }
        Ok(())
    }

    fn current_indent(&self) -> Indent {
        self.indents.last().copied().unwrap_or(Indent { column: 0, alt: 0 })
    }

    fn indentation_error(&self, message: &str, line_start: u32) -> LexicalError {
        let line = self.source.get(line_start as usize..).unwrap_or("");
        let end = line_start + strings::line_length(line) as u32;
        let span = Span::new(end, end);
        let error = SyntaxError::new(ErrorKind::IndentationError, message, self.source, span);
        LexicalError { error, deferred: true }
    }

    fn tab_error(&self, line_start: u32) -> LexicalError {
        let message = "inconsistent use of tabs and spaces in indentation";
        let span = Span::new(line_start, line_start);
        let mut error = SyntaxError::new(ErrorKind::TabError, message, self.source, span);
        error.end_col = 0;
        LexicalError { error, deferred: true }
    }

    /// Ends the last line, then every block.
    fn end_of_text(&mut self) -> Scan {
        let at = self.source.len() as u32;
        if self.in_field() {
            let start = self.fstrings.last().map_or(at, |string| string.start);
            return Err(self.deferred("f-string: expecting '}'", start, start));
        }
        let ended = matches!(
            self.out.last().map(|last| last.token),
            None | Some(Token::Newline | Token::Dedent | Token::StartModule | Token::StartInteractive)
        );
        if !ended && self.brackets.is_empty() {
            self.push(Token::Newline, at, at);
        }
        for _ in 1..self.indents.len() {
            self.push(Token::Dedent, at, at);
        }
        self.push(Token::End, at, at);
        Ok(())
    }
}

/// The length of the line end that `text` starts with.
fn line_end_length(text: &str) -> Option<usize> {
    match text.as_bytes() {
        [b'\r', b'\n', ..] => Some(2),
        [b'\n' | b'\r', ..] => Some(1),
        _ => None,
    }
}
