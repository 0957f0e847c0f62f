//! Text to tree: runs the scanner, the soft keywords and the generated parser one after the other, and
//! settles which of the errors they found is the one to report.

use lalrpop_util::ParseError;

use crate::ast::{Expr, MAX_DEPTH, Module};
use crate::errors;
use crate::fstring;
use crate::layout::{self, LexicalError, Tokens};
use crate::nodes::{Nodes, Problem};
use crate::soft;
use crate::source::Span;
use crate::syntax_error::{ErrorKind, Finder, SyntaxError};
use crate::tokens::{Lexeme, Token};
use crate::warning::Warning;

#[allow(clippy::all, unused_imports, unused_parens, dead_code)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/mini.rs"));
}

/// What kind of program a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// A file.
    Module,
    /// One statement, as typed at a prompt.
    Interactive,
    /// One expression, as `eval` takes it.
    Expression,
}

/// Parses a whole program.
pub fn parse(source: &str, mode: Mode) -> Result<Module, SyntaxError> {
    parse_warned(source, mode).map(|(module, _)| module)
}

/// Parses a whole program; with what is to be said about it although it is right.
pub fn parse_warned(source: &str, mode: Mode) -> Result<(Module, Vec<Warning>), SyntaxError> {
    refuse_unreadable(source)?;
    let start = match mode {
        Mode::Module => Token::StartModule,
        Mode::Interactive => Token::StartInteractive,
        Mode::Expression => Token::StartExpression,
    };
    let Tokens { mut lexemes, unclosed, error, mut warnings } = layout::tokenize(source, start);
    soft::resolve(&mut lexemes);
    let (result, (problem, of_parser)) = run(source, &lexemes);
    warnings.extend(of_parser);
    if let Some(LexicalError { error, deferred }) = error {
        let found_first = match (&result, &problem) {
            (Err(failure), _) if failure.is_indentation => true,
            (_, Some(problem)) if !problem.late => deferred,
            (Err(failure), _) => {
                deferred && lexemes.get(failure.at).is_some_and(|lexeme| lexeme.start < error.span.start)
            }
            (Ok(_), _) => false,
        };
        if !found_first {
            return Err(by_scanner(fstring::shown_behind(source, &lexemes, error)));
        }
    }
    match (result, problem) {
        (_, Some(problem)) if !problem.late => Err(reported(source, &lexemes, problem, unclosed)),
        (Err(failure), _) => Err(errors::explain(source, &lexemes, unclosed, failure, mode)),
        (Ok(_), Some(problem)) => Err(reported(source, &lexemes, problem, unclosed)),
        (Ok(module), None) => Ok((module, warnings)),
    }
}

fn refuse_unreadable(source: &str) -> Result<(), SyntaxError> {
    let refuse = |message: &str, at: usize| {
        let span = Span::new(at as u32, at as u32);
        Err(SyntaxError::new(ErrorKind::SyntaxError, message, source, span))
    };
    if u32::try_from(source.len()).is_err() {
        return refuse("source code is too long", 0);
    }
    match source.find('\0') {
        Some(at) => refuse("source code cannot contain null bytes", at),
        None => Ok(()),
    }
}

/// Where the generated parser could not go on.
pub struct Failure {
    /// The index of the token it could not take.
    pub at: usize,
    /// The tokens it could have taken instead, as the grammar spells them.
    pub expected: Vec<String>,
    /// The token only begins or ends a block.
    pub is_indentation: bool,
}

impl Failure {
    pub fn expects(&self, token: &str) -> bool {
        self.expected.iter().any(|expected| expected.trim_matches('"') == token)
    }
}

type Findings = (Option<Problem>, Vec<Warning>);

fn run(source: &str, lexemes: &[Lexeme]) -> (Result<Module, Failure>, Findings) {
    let nodes = Nodes::new(source, lexemes);
    let mut taken = 0;
    let mut end = 0;
    let triples = lexemes.iter().map(|lexeme| {
        taken += 1;
        // Layout takes no room: it stands where the last real token ended.
        let start = if lexeme.token.is_layout() { end } else { lexeme.start };
        end = if lexeme.token.is_layout() { end } else { lexeme.end };
        Ok::<_, std::convert::Infallible>((start, lexeme.token, end))
    });
    let result = generated::ProgramParser::new().parse(&nodes, triples);
    let result = result.map_err(|error| match error {
        ParseError::UnrecognizedToken { expected, token: (_, token, _) } => {
            let is_indentation = token == Token::Indent;
            Failure { at: taken.max(1) - 1, expected, is_indentation }
        }
        ParseError::UnrecognizedEof { expected, .. } => {
            Failure { at: taken, expected, is_indentation: false }
        }
        ParseError::InvalidToken { .. } | ParseError::ExtraToken { .. } => {
            Failure { at: taken.max(1) - 1, expected: vec![], is_indentation: false }
        }
        ParseError::User { error } => match error {},
    });
    (result, nodes.into_findings())
}

/// Marks an error as the scanner's. In CPython, some of those that it finds are the parser's.
fn by_scanner(mut error: SyntaxError) -> SyntaxError {
    let by_parser = error.kind != ErrorKind::SyntaxError
        || error.message.starts_with("unexpected ")
        || error.message.starts_with("f-string")
        || error.message.ends_with("was never closed");
    error.finder = if by_parser { Finder::Parser } else { Finder::Scanner };
    error
}

fn reported(source: &str, lexemes: &[Lexeme], problem: Problem, unclosed: Option<Lexeme>) -> SyntaxError {
    if let Some(open) = unclosed
        && errors::is_after_line(source, problem.span.end, open.start)
    {
        return layout::never_closed(source, open);
    }
    let Problem { span, message, too_deep, late } = problem;
    if too_deep {
        let mut error = SyntaxError::new(ErrorKind::SyntaxError, message, source, span);
        error.too_deep = true;
        return error;
    }
    let mut error = errors::placed(source, lexemes, ErrorKind::SyntaxError, span, message);
    if late {
        error.finder = Finder::Compiler;
    }
    error
}

/// Parses some tokens of a program as one expression; for explaining errors.
pub fn sub_expression(source: &str, lexemes: &[Lexeme]) -> Option<Expr> {
    // An error is explained from a few words around it; a long expression would only take long.
    if lexemes.is_empty() || lexemes.len() > usize::from(MAX_DEPTH) {
        return None;
    }
    let end = lexemes.last().map_or(0, |last| last.end);
    let layout = |token| Lexeme { token, start: end, end };
    let mut tokens = vec![layout(Token::StartExpression)];
    tokens.extend_from_slice(lexemes);
    tokens.extend([layout(Token::Newline), layout(Token::End)]);
    match run(source, &tokens) {
        (Ok(Module::Expression { body }), (None, _)) => Some(*body),
        _ => None,
    }
}

/// How many of the tokens make the longest expression they could start with.
pub fn sub_expression_length(source: &str, lexemes: &[Lexeme]) -> Option<usize> {
    let length =
        lexemes.iter().take(usize::from(MAX_DEPTH)).take_while(|lexeme| !lexeme.token.is_layout()).count();
    let lexemes = lexemes.get(..length)?;
    let end = lexemes.last().map_or(0, |last| last.end);
    let layout = |token| Lexeme { token, start: end, end };
    let mut tokens = vec![layout(Token::StartExpression)];
    tokens.extend_from_slice(lexemes);
    tokens.extend([layout(Token::Newline), layout(Token::End)]);
    match run(source, &tokens).0 {
        Ok(_) => Some(lexemes.len()),
        // The first token of the run is the start.
        Err(failure) => failure.at.checked_sub(1).map(|length| length.min(lexemes.len())),
    }
}

/// The tokens of a text, one a line: span, kind, text. For tests, and for people who wonder what a line is
/// made of.
pub fn dump_tokens(source: &str) -> Result<String, SyntaxError> {
    refuse_unreadable(source)?;
    let Tokens { mut lexemes, error, .. } = layout::tokenize(source, Token::StartModule);
    if let Some(LexicalError { error, .. }) = error {
        return Err(error);
    }
    soft::resolve(&mut lexemes);
    let lines = lexemes.iter().map(|Lexeme { token, start, end }| format!("{start}..{end} {token:?}\n"));
    Ok(lines.collect())
}
