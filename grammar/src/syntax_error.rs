//! The one error a parse can end in, and its layout as CPython prints it. Knows nothing of the grammar.

use crate::source::{LineIndex, Span};

/// Which exception class the error is raised as; each is a subclass of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    SyntaxError,
    IndentationError,
    TabError,
}

impl ErrorKind {
    /// The name of the exception class.
    pub fn name(self) -> &'static str {
        match self {
            ErrorKind::SyntaxError => "SyntaxError",
            ErrorKind::IndentationError => "IndentationError",
            ErrorKind::TabError => "TabError",
        }
    }
}

/// Who found the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finder {
    /// Cutting the text into tokens.
    Scanner,
    /// Reading the tokens.
    Parser,
    /// Looking at a program that can be read.
    Compiler,
}

/// Why a source text is not a program, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct SyntaxError {
    pub kind: ErrorKind,
    pub message: String,
    pub span: Span,
    /// Line and column of the start and the end, counted from 1, columns in characters. CPython's attributes
    /// `lineno`, `offset`, `end_lineno`, `end_offset`. `col` is 0 for an error that the text ended too early,
    /// which has no place in its line; `end_col` is 0 where CPython does not say where the error ends.
    pub line: u32,
    pub col: u32,
    pub end_line: u32,
    pub end_col: u32,
    /// The source line, without its line end.
    pub text: String,
    /// CPython's attribute `text` differs by this: it has a line end only from the parser, and none is known to
    /// the compiler of a string.
    pub finder: Finder,
    /// More input could make the program valid: a bracket, triple quote or block is still open at the end.
    pub incomplete: bool,
    /// The program is nested beyond `MAX_DEPTH`; CPython raises `RecursionError` for this.
    pub too_deep: bool,
}

impl SyntaxError {
    /// An error over `span` of `source`, with its position computed.
    pub fn new(kind: ErrorKind, message: impl Into<String>, source: &str, span: Span) -> SyntaxError {
        let index = LineIndex::new(source);
        let (line, col) = index.position(source, span.start);
        let (end_line, end_col) = index.position(source, span.end.max(span.start));
        SyntaxError {
            kind,
            message: message.into(),
            span,
            line,
            col,
            end_line,
            end_col,
            text: index.line_text(source, line).to_string(),
            finder: Finder::Parser,
            incomplete: false,
            too_deep: false,
        }
    }

    /// Shows the line as part of `(expression)` instead, where the expression is what `span` of the source holds.
    pub fn show_in_parentheses(&mut self, source: &str, span: Span) {
        let index = LineIndex::new(source);
        let (first, column) = index.position(source, span.start);
        let shown = format!("({})", span.of(source));
        let lines = shown.split('\n');
        let Some(text) = lines.clone().nth((self.line - first.min(self.line)) as usize) else { return };
        self.text = text.to_string();
        let begins = |line: u32| if line == first { column.saturating_sub(2) } else { 0 };
        self.col = self.col.saturating_sub(begins(self.line));
        self.end_col = self.end_col.saturating_sub(begins(self.end_line));
    }

    /// The tail of the traceback that CPython prints for this error; ends without a newline.
    pub fn render(&self, filename: &str) -> String {
        let head = format!("  File \"{filename}\", line {}\n", self.line);
        let text = self.text.trim_start_matches([' ', '\t', '\x0c']);
        let stripped = self.text.chars().count() - text.chars().count();
        let mut out = format!("{head}    {text}\n");
        if let Some(caret_at) = (self.col as usize).checked_sub(stripped + 1) {
            let at = caret_at.min(text.chars().count());
            out.push_str(&format!("    {}{}\n", " ".repeat(at), "^".repeat(self.caret_count())));
        }
        out.push_str(&format!("{}: {}", self.kind.name(), self.message));
        out
    }

    fn caret_count(&self) -> usize {
        let end = if self.end_line > self.line { self.text.chars().count() as u32 + 1 } else { self.end_col };
        end.saturating_sub(self.col).max(1) as usize
    }
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} (line {})", self.message, self.line)
    }
}

impl std::error::Error for SyntaxError {}
