//! A syntax error is laid out as CPython lays it out. The expectations are what `python3.11 FILE` printed.

use expect_test::{Expect, expect};
use mini_grammar::{Mode, parse};

fn check(program: &str, expected: Expect) {
    let error = parse(program, Mode::Module).expect_err(program);
    expected.assert_eq(&error.render("e.py"));
}

#[test]
fn carets_skip_the_indentation() {
    check(
        "if x:\n\tfoo(e, a b\n c)\n",
        expect![[r#"
              File "e.py", line 2
                foo(e, a b
                       ^^^
            SyntaxError: invalid syntax. Perhaps you forgot a comma?"#]],
    );
}

#[test]
fn one_caret() {
    check(
        "x = (1 +\n",
        expect![[r#"
              File "e.py", line 1
                x = (1 +
                    ^
            SyntaxError: '(' was never closed"#]],
    );
}

#[test]
fn nothing_left_of_the_text() {
    check(
        "  x = 1\n",
        expect![[r#"
              File "e.py", line 1
                x = 1
            IndentationError: unexpected indent"#]],
    );
}

#[test]
fn unindent() {
    check(
        "if x:\n  a\n b\n",
        expect![[r#"
              File "e.py", line 3
                b
                 ^
            IndentationError: unindent does not match any outer indentation level"#]],
    );
}

#[test]
fn only_the_first_line() {
    check(
        "x = (a +\n b) + 1 = 2\n",
        expect![[r#"
              File "e.py", line 1
                x = (a +
                    ^^^^
            SyntaxError: cannot assign to expression"#]],
    );
}

#[test]
fn tab_error() {
    check(
        "if x:\n        a\n\tb\n",
        expect![[r#"
              File "e.py", line 3
                b
            TabError: inconsistent use of tabs and spaces in indentation"#]],
    );
}

#[test]
fn checked_after_parsing() {
    check(
        "def f(a,a):pass\n",
        expect![[r#"
              File "e.py", line 1
                def f(a,a):pass
                        ^
            SyntaxError: duplicate argument 'a' in function definition"#]],
    );
}

#[test]
fn string() {
    check(
        "x = \"\"\"a\nb\n",
        expect![[r#"
              File "e.py", line 1
                x = """a
                    ^
            SyntaxError: unterminated triple-quoted string literal (detected at line 2)"#]],
    );
}

#[test]
fn block_at_the_end() {
    check(
        "while 1:\n",
        expect![[r#"
              File "e.py", line 1
                while 1:
            IndentationError: expected an indented block after 'while' statement on line 1"#]],
    );
}

#[test]
fn block() {
    check(
        "while 1:\nx\n",
        expect![[r#"
              File "e.py", line 2
                x
                ^
            IndentationError: expected an indented block after 'while' statement on line 1"#]],
    );
}

#[test]
fn end_of_line() {
    check(
        "if x\n  pass\n",
        expect![[r#"
              File "e.py", line 1
                if x
                    ^
            SyntaxError: expected ':'"#]],
    );
}

#[test]
fn no_line_end() {
    check(
        "x = [1, 2",
        expect![[r#"
              File "e.py", line 1
                x = [1, 2
                    ^
            SyntaxError: '[' was never closed"#]],
    );
}

#[test]
fn backslash() {
    check(
        "x = 1 \\ 2\n",
        expect![[r#"
              File "e.py", line 1
                x = 1 \ 2
                       ^
            SyntaxError: unexpected character after line continuation character"#]],
    );
}

#[test]
fn character() {
    check(
        "x = “a”\n",
        expect![[r#"
              File "e.py", line 1
                x = “a”
                    ^
            SyntaxError: invalid character '“' (U+201C)"#]],
    );
}

#[test]
fn block_at_the_end_after_comment() {
    check(
        "while 1:\n    # nothing\n\n",
        expect![[r#"
              File "e.py", line 3
                
            IndentationError: expected an indented block after 'while' statement on line 1"#]],
    );
}

#[test]
fn number() {
    check(
        "    \nx = 12ab\n",
        expect![[r#"
              File "e.py", line 2
                x = 12ab
                     ^
            SyntaxError: invalid decimal literal"#]],
    );
}

#[test]
fn colon_dict() {
    check(
        "x = {1: 2, 3}\n",
        expect![[r#"
              File "e.py", line 1
                x = {1: 2, 3}
                           ^
            SyntaxError: ':' expected after dictionary key"#]],
    );
}

#[test]
fn windows_line_end() {
    check(
        "x = 5 5\r\ny\r\n",
        expect![[r#"
              File "e.py", line 1
                x = 5 5
                      ^
            SyntaxError: invalid syntax"#]],
    );
}

#[test]
fn decorator_at_the_end() {
    check(
        "@a\n",
        expect![[r#"
              File "e.py", line 1
                @a
            SyntaxError: invalid syntax"#]],
    );
}

#[test]
fn operator_at_the_end() {
    check(
        "x = 1 +\n",
        expect![[r#"
              File "e.py", line 1
                x = 1 +
                       ^
            SyntaxError: invalid syntax"#]],
    );
}

/// CPython counts bytes here, and puts its carets one too far to the right.
#[test]
fn columns_are_characters() {
    check(
        "x = é é\n",
        expect![[r#"
  File "e.py", line 1
    x = é é
          ^
SyntaxError: invalid syntax"#]],
    );
}

/// A byte order mark is no part of the first line.
#[test]
fn byte_order_mark() {
    check(
        "\u{feff}x = 5 5\n",
        expect![[r#"
  File "e.py", line 1
    x = 5 5
          ^
SyntaxError: invalid syntax"#]],
    );
}
