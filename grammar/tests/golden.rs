//! The tokens and the tree of small programs, as files to read. `UPDATE_EXPECT=1 cargo test` writes them
//! anew.

use std::path::Path;

use expect_test::expect_file;
use mini_grammar::{Mode, ast, dump_tokens, parse};

/// Each `NAME.mini` in `golden/` stands next to its tokens and its tree.
fn check(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let source = std::fs::read_to_string(folder.join(format!("{name}.mini"))).expect("the program");
    let tokens = dump_tokens(&source).unwrap_or_else(|error| error.render(name));
    expect_file![folder.join(format!("{name}.tokens"))].assert_eq(&tokens);
    let tree = match parse(&source, Mode::Module) {
        Ok(module) => ast::dump_with_spans(&module) + "\n",
        Err(error) => error.render(name) + "\n",
    };
    expect_file![folder.join(format!("{name}.ast"))].assert_eq(&tree);
    // Where lines end differently, the spans move, but the tree is the same.
    let plain = parse(&source, Mode::Module).map(|module| ast::dump(&module)).map_err(|error| error.message);
    for line_end in ["\r\n", "\r"] {
        let other = parse(&source.replace('\n', line_end), Mode::Module);
        assert_eq!(other.map(|module| ast::dump(&module)).map_err(|error| error.message), plain);
    }
}

#[test]
fn layout() {
    check("layout");
}

#[test]
fn literals() {
    check("literals");
}

#[test]
fn fstrings() {
    check("fstrings");
}

#[test]
fn expressions() {
    check("expressions");
}

#[test]
fn statements() {
    check("statements");
}

#[test]
fn definitions() {
    check("definitions");
}

#[test]
fn soft_keywords() {
    check("soft_keywords");
}
