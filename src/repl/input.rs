//! Whether what was typed so far is a whole input. Must not know terminals, nor run anything.

use mini_grammar::ast::{Module, Stmt, StmtKind};
use mini_grammar::{Mode, highlight, parse};

/// Whether more lines belong to this input. `text` is all lines so far, without the last line end: the parser says
/// whether something is open, and a block is open until an empty line comes.
pub fn needs_more(text: &str) -> bool {
    let ends_empty = text.is_empty() || text.ends_with('\n');
    match parse(&format!("{text}\n"), Mode::Module) {
        Ok(Module::Module { body }) => !ends_empty && body.last().is_some_and(is_block),
        Ok(_) => false,
        Err(error) if error.incomplete => !ends_empty || highlight::is_open(text),
        // A string goes on behind a backslash.
        Err(_) => text.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1,
    }
}

/// Whether a block may follow the statement's header, so that another line could belong to it.
fn is_block(statement: &Stmt) -> bool {
    use StmtKind as S;
    matches!(
        statement.kind,
        S::FunctionDef(_)
            | S::AsyncFunctionDef(_)
            | S::ClassDef(_)
            | S::For { .. }
            | S::AsyncFor { .. }
            | S::While { .. }
            | S::If { .. }
            | S::With { .. }
            | S::AsyncWith { .. }
            | S::Match { .. }
            | S::Try { .. }
            | S::TryStar { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::needs_more;

    #[test]
    fn whole_inputs() {
        for text in [
            "",
            "x = 1",
            "x = = 1",
            "f(1,\n2)",
            "'''a\n\nb'''",
            "# so",
            "if x:\n    y\n",
            "if x:\n",
            "try:\n    x\n",
        ] {
            assert!(!needs_more(text), "{text:?}");
        }
        for text in ["def f():\n    x = = 1", "  x", "def f():\n    '''a\n\n    b'''\n", "if x:\n    y\nz"] {
            assert!(!needs_more(text), "{text:?}");
        }
    }

    #[test]
    fn inputs_that_go_on() {
        for text in ["if x:", "if x: y", "if x:\n    y", "f(", "f(\n", "'''a\n\n", "x = 1 + \\", "@d", "'a\\"]
        {
            assert!(needs_more(text), "{text:?}");
        }
        for text in ["try:\n    x", "class A:", "def f():\n    '''a\n", "for i in (1,\n2):", "x = {\n\n"] {
            assert!(needs_more(text), "{text:?}");
        }
    }
}
