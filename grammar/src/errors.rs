//! Words for what the grammar refuses. The generated parser says only which token it could not take; CPython
//! says more in many cases, and this is where those are recognised. The list of tokens that would have been
//! taken is never shown.

use crate::check;
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
    let message = with_place(lexemes, found.span.start, found.message);
    let mut error = SyntaxError::new(found.kind, message, source, found.span);
    error.incomplete = case.is_incomplete();
    if found.endless {
        error.end_col = 0;
    }
    if matches!(case.token(), Token::Dedent | Token::End) && found.span.start >= case.last_line_end() {
        (error.col, error.end_col) = (0, 0);
    }
    error
}

/// Whether `offset` stands on a later line than `other`.
pub fn is_after_line(source: &str, offset: u32, other: u32) -> bool {
    let lines = LineIndex::new(source);
    lines.line(offset) > lines.line(other)
}

/// The message for an error at `offset`: one in a field of an f-string says so.
pub fn with_place(lexemes: &[Lexeme], offset: u32, message: String) -> String {
    let mut open = 0;
    for lexeme in lexemes.iter().take_while(|lexeme| lexeme.start < offset) {
        match lexeme.token {
            Token::FieldOpen => open += 1,
            Token::FieldClose => open -= 1,
            _ => {}
        }
    }
    if open > 0 && !message.starts_with("f-string") { format!("f-string: {message}") } else { message }
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

    // Blocks and lines.

    fn missing_block(&self) -> Option<Finding> {
        let newline = self.failure.at.checked_sub(1)?;
        let is_block = self.at(newline).token == Token::Newline && self.failure.expects("indent");
        let colon = newline.checked_sub(1).filter(|&at| is_block && self.at(at).token == Token::Colon)?;
        let head = self.line_start(colon);
        let (what, keyword) = self.block_name(head)?;
        let line = LineIndex::new(self.source).line(self.at(keyword).start);
        let message = format!("expected an indented block after {what} on line {line}");
        Some(Finding { kind: ErrorKind::IndentationError, ..self.finding(message, self.place()) })
    }

    /// The index of the first token of the logical line that `at` is on.
    fn line_start(&self, at: usize) -> usize {
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

    /// What CPython calls the block that the line at `head` opens, and its keyword.
    fn block_name(&self, head: usize) -> Option<(&'static str, usize)> {
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

    fn several_statements(&self) -> Option<Finding> {
        let previous = self.at(self.failure.at.checked_sub(1)?).token;
        let ended = matches!(previous, Token::Newline | Token::Dedent) && self.failure.expects("end");
        let message = "multiple statements found while compiling a single statement";
        (ended && self.mode == Mode::Interactive).then(|| self.finding(message, self.place()))
    }

    fn unexpected_indent(&self) -> Option<Finding> {
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

    // Expressions.

    /// The index of the token after the innermost bracket that is open before `at`, and that bracket.
    fn innermost_bracket(&self, at: usize) -> Option<(usize, Token<'s>)> {
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
    fn expression_start(&self, at: usize) -> usize {
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
    fn unpacks(&self, at: usize) -> bool {
        let before = self.at(at.saturating_sub(1)).token;
        let is_call = before != Token::LeftBrace || self.at(at).token == Token::Star;
        (before == Token::Comma || before.opens()) && is_call
    }

    fn missing_print_parentheses(&self) -> Option<Finding> {
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

    /// The span of the expressions, separated by commas, that start at `from`.
    fn expression_list(&self, from: usize) -> Option<(Span, usize)> {
        let rest = self.lexemes.get(from..)?;
        let length = sub_expression_length(self.source, rest)?;
        let length =
            if self.at(from + length).token == Token::Star { length.saturating_sub(1) } else { length };
        sub_expression(self.source, rest.get(..length)?)?;
        let last = from + length.checked_sub(1)?;
        Some((self.span(from).to(self.span(last)), from + length))
    }

    /// `a if b` without an `else`.
    fn missing_else(&self) -> Option<Finding> {
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

    /// The last such token before `at` that is in no further bracket.
    fn last_at_this_level(&self, at: usize, wanted: Token) -> Option<usize> {
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

    fn missing_dict_value(&self) -> Option<Finding> {
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
    fn missing_comma(&self) -> Option<Finding> {
        // `a not` could still have become `a not in`.
        let is_not = self.failure.at > 0 && self.at(self.failure.at - 1).token == Token::Not;
        let at = self.failure.at - usize::from(is_not);
        self.innermost_bracket(at)?;
        let start = self.expression_start(at);
        let last_for = self.last_at_this_level(start.saturating_sub(1), Token::For);
        let is_target = last_for.is_some() && last_for > self.last_at_this_level(start - 1, Token::In);
        if self.is_parameter(start) || (is_target && self.at(start - 1).token == Token::Comma) {
            return None;
        }
        let first = sub_expression(self.source, self.tokens(start, at))?;
        if matches!(first.kind, crate::ast::ExprKind::IfExp { .. } | crate::ast::ExprKind::Lambda { .. }) {
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

    /// Whether `at` is where the name of a parameter of a `def` stands.
    fn is_parameter(&self, at: usize) -> bool {
        let is_name = at > 0 && !matches!(self.at(at - 1).token, Token::Colon | Token::Equal);
        let bracket = self.innermost_bracket(at).and_then(|(inside, _)| inside.checked_sub(3));
        is_name && bracket.is_some_and(|keyword| self.at(keyword).token == Token::Def)
    }

    /// `[x, y for …]`
    fn missing_target_parentheses(&self) -> Option<Finding> {
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

    /// The span of the expression that starts at `from`, without what follows a comma.
    fn one_expression(&self, from: usize) -> Option<(Span, usize)> {
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

    fn first_comma(&self, from: usize, to: usize) -> Option<usize> {
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

    /// `=` where only `==` or `:=` makes sense.
    fn mistaken_equal(&self) -> Option<Finding> {
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
        let is_named = matches!(target.kind, crate::ast::ExprKind::Name { .. });
        if is_named && start + 1 == at {
            let message = "invalid syntax. Maybe you meant '==' or ':=' instead of '='?";
            return Some(Finding { reads_to, ..self.finding(message, target.span.to(value)) });
        }
        use crate::ast::ExprKind as E;
        let excluded = matches!(target.kind, E::List { .. } | E::Tuple { .. });
        let is_target = matches!(target.kind, E::Name { .. } | E::Attribute { .. } | E::Subscript { .. });
        if excluded || !(is_target || check::suggests_comparison(&target)) {
            return None;
        }
        let what = check::describe(&target);
        let message = format!("cannot assign to {what} here. Maybe you meant '==' instead of '='?");
        Some(Finding { reads_to, ..self.finding(message, target.span) })
    }

    /// Something after the `=` or the conversion of an f-string's field.
    fn unclosed_field(&self) -> Option<Finding> {
        let previous = self.failure.at.checked_sub(1)?;
        let is_equal = self.at(previous).token == Token::Equal && self.failure.expects("field close");
        let is_conversion = previous > 0 && self.at(previous - 1).token == Token::Bang;
        let (_, bracket) = self.innermost_bracket(self.failure.at)?;
        let in_field = bracket == Token::FieldOpen && (is_equal || is_conversion);
        in_field.then(|| self.finding("f-string: expecting '}'", self.place()))
    }

    /// Whether an expression that starts at `at` may be one with `:=`.
    fn starts_named(&self, at: usize) -> bool {
        let before = self.at(at.saturating_sub(1)).token;
        let opens_line = matches!(before, Token::If | Token::Elif | Token::While | Token::Semicolon)
            || self.line_start(at) == at;
        let in_brackets = self.innermost_bracket(at).is_some() && !self.is_parameter(at);
        opens_line || (in_brackets && (before.opens() || before == Token::Comma))
    }

    /// `f() := 1`
    fn mistaken_walrus(&self) -> Option<Finding> {
        let at = self.failure.at;
        let start = self.expression_start(at);
        if self.token() != Token::Walrus || !self.starts_named(start) {
            return None;
        }
        let target = sub_expression(self.source, self.tokens(start, at))?;
        let (_, reads_to) = self.one_expression(at + 1)?;
        let is_name = matches!(target.kind, crate::ast::ExprKind::Name { .. });
        let message = format!("cannot use assignment expressions with {}", check::describe(&target));
        (!is_name).then(|| Finding { reads_to, ..self.finding(message, target.span) })
    }

    // Statements.

    fn missing_except(&self) -> Option<Finding> {
        let expected = self.failure.expects("except") && self.failure.expects("finally");
        let only = expected && !self.failure.expects("else");
        only.then(|| self.finding("expected 'except' or 'finally' block", self.place()))
    }

    /// `def f(a=)`
    fn missing_default(&self) -> Option<Finding> {
        let equal = self.failure.at.checked_sub(1).filter(|&at| self.at(at).token == Token::Equal)?;
        if !matches!(self.token(), Token::Comma | Token::RightParen) {
            return None;
        }
        let (inside, _) = self.innermost_bracket(self.failure.at)?;
        let is_definition = self.at(inside.checked_sub(3)?).token == Token::Def;
        is_definition.then(|| self.finding("expected default value expression", self.span(equal)))
    }

    /// `def f((a))`
    fn parenthesised_parameter(&self) -> Option<Finding> {
        let at = self.failure.at;
        let (inside, _) = self.innermost_bracket(at)?;
        if self.token() != Token::LeftParen || self.at(inside.checked_sub(3)?).token != Token::Def {
            return None;
        }
        let names = self.lexemes.get(at + 1..)?;
        let length =
            names.iter().take_while(|lexeme| matches!(lexeme.token, Token::Name(_) | Token::Comma)).count();
        let close = at + 1 + length;
        let closed = length > 0 && self.at(close).token == Token::RightParen;
        let span = self.span(at).to(self.span(close));
        closed.then(|| self.finding("Function parameters cannot be parenthesized", span))
    }

    /// `def f:`
    fn missing_parenthesis(&self) -> Option<Finding> {
        let keyword = self.failure.at.checked_sub(2)?;
        let only = self.at(keyword).token == Token::Def && self.failure.expects("(");
        only.then(|| self.finding("expected '('", self.place()))
    }

    /// `except *:`
    fn missing_exception_types(&self) -> Option<Finding> {
        let keyword = self.failure.at.checked_sub(2)?;
        let is_bare = self.at(keyword).token == Token::Except && self.at(keyword + 1).token == Token::Star;
        let message = "expected one or more exception types";
        (is_bare && self.token() == Token::Colon).then(|| self.finding(message, self.place()))
    }

    fn missing_colon(&self) -> Option<Finding> {
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
