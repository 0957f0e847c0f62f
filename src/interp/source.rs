//! From source text to a SyntaxError object or a code object. Must not know where text comes from.

use super::warned;
use crate::bytecode::code::Code;
use crate::compile::{self, ErrorKind, Finder, Mode};
use crate::object::{Exc, R, Raised, Value, int, shape};
use crate::vm::hooks::TextKind;
use crate::vm::thread::Thread;
use std::sync::Arc;

/// Compiles text. Raises SyntaxError, IndentationError, TabError, or RecursionError for absurd nesting.
pub fn compile(th: &mut Thread, text: &str, filename: &str, mode: Mode) -> R<Arc<Code>> {
    compile::set_max_decimal_digits(int::max_str_digits());
    match compile::compile_warned(text, filename, mode) {
        Ok(compiled) => told(th, compiled, text, filename),
        Err(error) => Err(raise(th, &error, filename, has_line_end(text, mode, &error))),
    }
}

/// Compiles an expression: running the code gives its value.
pub fn compile_expression(th: &mut Thread, text: &str, filename: &str) -> R<Arc<Code>> {
    compile(th, text, filename, Mode::Expression)
}

/// Compiles what was typed at a prompt, one statement or several: each expression statement shows its value.
pub fn compile_typed(th: &mut Thread, text: &str, filename: &str) -> R<Arc<Code>> {
    match compile::compile_typed(text, filename) {
        Ok(compiled) => told(th, compiled, text, filename),
        Err(error) => Err(raise(th, &error, filename, true)),
    }
}

/// The code, its warnings told.
fn told(th: &mut Thread, compiled: compile::Compiled, text: &str, filename: &str) -> R<Arc<Code>> {
    warned::tell(th, &compiled.warnings, text, filename)?;
    Ok(compiled.code)
}

/// The compiler of `vm::hooks`.
pub fn compile_kind(th: &mut Thread, text: &str, filename: &str, kind: TextKind) -> R<Arc<Code>> {
    let mode = match kind {
        TextKind::Statements => Mode::Module,
        TextKind::Single => Mode::Interactive,
        TextKind::Expression => Mode::Expression,
    };
    compile(th, text, filename, mode)
}

/// The bytes of a source file as text: UTF-8, with or without a byte order mark.
pub fn decode(th: &mut Thread, bytes: &[u8], filename: &str) -> R<String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => {
            let at = error.valid_up_to();
            let line = bytes[..at].iter().filter(|b| **b == b'\n').count() + 1;
            let byte = bytes.get(at).copied().unwrap_or(0);
            let message = format!(
                "Non-UTF-8 code starting with '\\x{byte:02x}' in file {filename} on line {line}, but no encoding \
                 declared; see https://peps.python.org/pep-0263/ for details"
            );
            Err(raise_plain(th, &message, filename, line))
        }
    }
}

fn raise_plain(th: &mut Thread, message: &str, filename: &str, line: usize) -> Raised {
    let raised = th.raise(Exc::SyntaxError, message);
    let fields = [("filename", filename), ("msg", message)];
    if let Some(e) = th.m.pending {
        let _ = set_text_fields(th, e, &fields);
        let _ = set_field(th, e, "lineno", Value::int_unchecked(line as i64));
    }
    raised
}

fn set_field(th: &mut Thread, e: Value, name: &str, v: Value) -> R<()> {
    let name = th.m.intern(name)?;
    shape::set(&mut th.m, e, name, v).map(drop)
}

fn set_text_fields(th: &mut Thread, e: Value, fields: &[(&str, &str)]) -> R<()> {
    for (name, text) in fields {
        let v = th.m.new_str(text)?;
        set_field(th, e, name, v)?;
    }
    Ok(())
}

/// Whether the line that an error shows has a line end: a program's last line gets one, an expression's does not.
fn has_line_end(text: &str, mode: Mode, error: &compile::Error) -> bool {
    let ended = || text.split_inclusive('\n').nth(error.line as usize - 1).is_some_and(|l| l.ends_with('\n'));
    let of_field = error.message.starts_with("f-string: ") && error.text.starts_with('(');
    error.finder != Finder::Scanner && error.line > 0 && (mode == Mode::Module || of_field || ended())
}

pub fn raise(th: &mut Thread, error: &compile::Error, filename: &str, line_end: bool) -> Raised {
    if error.too_deep {
        return th.raise(Exc::RecursionError, "maximum recursion depth exceeded during compilation");
    }
    let class = match error.kind {
        ErrorKind::SyntaxError => Exc::SyntaxError,
        ErrorKind::IndentationError => Exc::IndentationError,
        ErrorKind::TabError => Exc::TabError,
    };
    match build(th, error, filename, class, line_end) {
        Ok(raised) => raised,
        Err(raised) => raised,
    }
}

/// The line that an error shows. The compiler knows the lines of files only.
fn shown_text(th: &mut Thread, error: &compile::Error, filename: &str, line_end: bool) -> R {
    if error.finder == Finder::Compiler && !std::path::Path::new(filename).is_file() {
        return Ok(Value::NONE);
    }
    th.m.new_str(&format!("{}{}", error.text, if line_end { "\n" } else { "" }))
}

/// `SyntaxError(msg, (filename, lineno, offset, text, end_lineno, end_offset))` with the same attributes.
fn build(th: &mut Thread, error: &compile::Error, filename: &str, class: Exc, line_end: bool) -> R<Raised> {
    let number = |n: u32| Value::int_unchecked(n as i64);
    let message = th.m.new_str(&error.message)?;
    let file = th.m.new_str(filename)?;
    let text = shown_text(th, error, filename, line_end)?;
    let place =
        [file, number(error.line), number(error.col), text, number(error.end_line), number(error.end_col)];
    let details = th.m.new_tuple(&place)?;
    let raised = th.raise_with(class, &[message, details]);
    if let Some(e) = th.m.pending {
        set_field(th, e, "msg", message)?;
        let names = ["filename", "lineno", "offset", "text", "end_lineno", "end_offset"];
        for (name, v) in names.into_iter().zip(place) {
            set_field(th, e, name, v)?;
        }
    }
    Ok(raised)
}
