//! The three kinds of program, and what a prompt needs to know: whether to ask for another line.

use mini_grammar::ast::{ExprKind, Module};
use mini_grammar::{Mode, parse};

fn message(program: &str, mode: Mode) -> String {
    parse(program, mode).map_or_else(|error| error.message, |_| "accepted".to_string())
}

#[test]
fn expression() {
    for program in ["1 + 1", "  a\n\n", "a, b", "(yield)", "[\n1]", "lambda: 1 # comment", "\ta"] {
        assert_eq!(message(program, Mode::Expression), "accepted", "{program}");
    }
    let Ok(Module::Expression { body }) = parse(" a ", Mode::Expression) else { panic!("an expression") };
    assert!(matches!(body.kind, ExprKind::Name { .. }));
    assert_eq!((body.span.start, body.span.end), (1, 2));
    for program in ["a = 1", "", "pass", "a; b", "a\nb", "*a", "yield", "a := 1"] {
        assert_eq!(message(program, Mode::Expression), "invalid syntax", "{program}");
    }
}

#[test]
fn interactive() {
    for program in [
        "a = 1\n",
        "a; b\n",
        "if a:\n  b\n",
        "if a: b",
        "",
        "\n",
        "# comment\n",
        "a = 1\n\n# more\n",
        "@a\ndef f(): pass",
    ] {
        assert_eq!(message(program, Mode::Interactive), "accepted", "{program}");
    }
    let several = "multiple statements found while compiling a single statement";
    for program in ["a\nb\n", "if a:\n  b\nc\n"] {
        assert_eq!(message(program, Mode::Interactive), several, "{program}");
    }
}

#[test]
fn a_prompt_asks_for_more() {
    let incomplete = |program: &str| parse(program, Mode::Interactive).is_err_and(|error| error.incomplete);
    for program in [
        "f(",
        "x = [1,\n",
        "{",
        "'''a\n",
        "x = \"\"\"",
        "if a:\n",
        "if a:",
        "def f():\n",
        "@a\n",
        "class A:\n  # comment\n",
        "try:\n  a\n",
        "if a:\n  if b:\n",
        "a \\\n",
        "f'''{a}\n",
        "f'''{a",
        "for x in (\n",
        "match x:\n",
        "match x:\n  case 1:\n",
        "try:\n  a\nexcept b:\n",
    ] {
        assert!(incomplete(program), "{program:?}");
    }
    for program in [
        "a b",
        "f(]",
        "'a",
        "x =\n",
        "if a\n",
        "1a",
        ")",
        "if a:\nb\n",
        "x = [1 2\n3]",
        "f(a b, ",
        "else:\n",
        "f'{'",
        "for x",
    ] {
        assert!(!incomplete(program), "{program:?}");
    }
}

#[test]
fn whole_programs() {
    for program in [
        "",
        "\n\n",
        "# only a comment",
        "\u{feff}a = 1",
        "a",
        "a\r\nb\rc",
        "\x0c\na",
        "   \n",
        "if a:\n\tb\n\n\n",
    ] {
        assert_eq!(message(program, Mode::Module), "accepted", "{program:?}");
    }
    assert_eq!(message("a\0b", Mode::Module), "source code cannot contain null bytes");
    assert_eq!(message("1 + 2j", Mode::Module), "complex numbers are not supported");
    let lone = "lone surrogate U+D800 in a string literal is not supported";
    assert_eq!(message("'\\ud800'", Mode::Module), lone);
    assert_eq!(message("'\\N{DIGIT ONE}'", Mode::Module), "accepted");
    let unknown = "(unicode error) 'unicodeescape' codec can't decode bytes in position 0-12: unknown Unicode character name";
    assert_eq!(message("'\\N{DIGIT TON}'", Mode::Module), unknown);
}
