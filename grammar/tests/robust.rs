//! No text whatever makes the parser panic, and what it returns is well formed.

use mini_grammar::ast::{Expr, ExprKind, Module, Stmt};
use mini_grammar::{Mode, ast, parse};
use proptest::prelude::*;

const MODES: [Mode; 3] = [Mode::Module, Mode::Interactive, Mode::Expression];

/// Real programs to spoil.
const PROGRAMS: [&str; 6] = [
    include_str!("golden/layout.mini"),
    include_str!("golden/literals.mini"),
    include_str!("golden/fstrings.mini"),
    include_str!("golden/expressions.mini"),
    include_str!("golden/statements.mini"),
    include_str!("golden/definitions.mini"),
];

const WORDS: [&str; 77] = [
    "a", "print", "match", "case", "_", "é", "1", "0x1f", "1.5", "09", "1e", "'s'", "b'b'", "f'{",
    "f\"{a!r:", "}'", "'", "'''", "\\", "False", "None", "and", "as", "assert", "async", "await", "break",
    "class", "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if",
    "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield", "(", ")", "[", "]", "{", "}", ",", ":", ":=", ";", ".", "...", "->", "@", "=", "==",
    "!", "<", "+", "*", "**", "/", "\n", "\n  ",
];

/// Parses in every mode, and checks what comes out.
fn survives(text: &str) {
    for mode in MODES {
        match parse(text, mode) {
            Ok(module) => {
                let length = text.len() as u32;
                match &module {
                    Module::Module { body } | Module::Interactive { body } => statements(body, length),
                    Module::Expression { body } => expression(body, length),
                }
                ast::dump(&module);
            }
            Err(error) => {
                assert!(!error.message.is_empty());
                // An expression that is not there is in line 0, as in CPython.
                let nothing = mode == Mode::Expression && text.trim().is_empty();
                assert!(error.line >= u32::from(!nothing), "{text:?}: {error:?}");
                assert!(error.span.start <= error.span.end, "{error:?}");
                assert!(error.span.end as usize <= text.len(), "{error:?}");
                error.render("file");
            }
        }
    }
}

/// Statements follow each other.
fn statements(body: &[Stmt], end: u32) {
    let mut last = 0;
    for stmt in body {
        assert!(
            last <= stmt.span.start && stmt.span.start < stmt.span.end && stmt.span.end <= end,
            "{stmt:?}"
        );
        last = stmt.span.end;
    }
}

/// Operands stand inside their operation, in order.
fn expression(expr: &Expr, end: u32) {
    assert!(expr.span.start < expr.span.end && expr.span.end <= end, "{expr:?}");
    if let ExprKind::BinOp { left, right, .. } = &expr.kind {
        assert!(left.depth < expr.depth && right.depth < expr.depth);
        assert!(expr.span.start <= left.span.start && left.span.end <= right.span.start, "{expr:?}");
        expression(left, end);
        expression(right, end);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in any::<String>()) {
        survives(&text);
    }

    #[test]
    fn any_ascii(text in "[ -~\t\n\r\x0c]{0,80}") {
        survives(&text);
    }

    #[test]
    fn any_words(words in prop::collection::vec((0..WORDS.len(), any::<bool>()), 0..40)) {
        let text: String = words.iter().map(|&(at, space)| format!("{}{}", WORDS[at], if space { " " } else { "" })).collect();
        survives(&text);
    }

    /// A program with a few pieces cut out, doubled or replaced.
    #[test]
    fn spoilt_programs(
        program in 0..PROGRAMS.len(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..8usize, 0..WORDS.len()), 1..4),
    ) {
        let mut letters: Vec<char> = PROGRAMS[program].chars().collect();
        for (place, cut, word) in edits {
            let at = place.index(letters.len());
            let end = (at + cut).min(letters.len());
            letters.splice(at..end, WORDS[word].chars());
        }
        survives(&letters.into_iter().collect::<String>());
    }

    /// Every beginning of a program: what a prompt sees.
    #[test]
    fn beginnings(program in 0..PROGRAMS.len(), place in any::<prop::sample::Index>()) {
        let program = PROGRAMS[program];
        let mut at = place.index(program.len());
        while !program.is_char_boundary(at) {
            at -= 1;
        }
        survives(&program[..at]);
    }
}
