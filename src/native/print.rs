//! `print` and `input`, and messages of the interpreter itself. Must not know how files are buffered.

use super::io_file::File;
use super::io_std::{as_text_file, current};
use super::io_text;
use super::support;
use crate::object::{Exc, R, Value, Word, str};
use crate::rt::terminal;
use crate::vm::native::{Args, NativeDef};
use crate::vm::thread::Thread;
use std::sync::OnceLock;

pub const PRINT: NativeDef = NativeDef::full(
    "print",
    "*args, sep=, end=, file=, flush=",
    print,
    "Write values to sys.stdout, separated by sep and followed by end.",
);
pub const INPUT: NativeDef = NativeDef::full("input", "prompt=, /", input, "Read a line from sys.stdin.");

/// Reads a line behind a prompt for `input`; `None` inside: the end of the input.
pub type LineReader = fn(&mut Thread, &str) -> R<Option<String>>;

/// Who reads lines from the terminal, if somebody does: what was typed ahead is in his hands.
static LINE_READER: OnceLock<LineReader> = OnceLock::new();

/// From now on `input` in the main thread asks this reader if the standard streams are what they were.
pub fn set_line_reader(reader: LineReader) {
    // A second one cannot be: there is one prompt.
    let _ = LINE_READER.set(reader);
}

/// Keyword-only parameters come before the rest: see `Args`.
const SEP: usize = 0;
const END: usize = 1;
const FILE: usize = 2;
const FLUSH: usize = 3;
const VALUES: usize = 4;

fn separator(th: &mut Thread, v: Word, name: &str, default: &'static str) -> R<&'static str> {
    let Some(v) = v.filter(|v| !v.is_none()) else { return Ok(default) };
    match str::as_str(v) {
        Some(text) => Ok(text),
        None => {
            let class = support::type_name(v);
            Err(th.type_error(format!("{name} must be None or a string, not {class}")))
        }
    }
}

fn print(th: &mut Thread, args: Args) -> R {
    let file = match args.opt(FILE).filter(|v| !v.is_none()) {
        Some(file) => file,
        None => match current(th, "stdout") {
            Some(file) => file,
            None => return Ok(Value::NONE),
        },
    };
    let sep = separator(th, args.opt(SEP), "sep", " ")?;
    let end = separator(th, args.opt(END), "end", "\n")?;
    match as_text_file(file).filter(|f| f.stream.access.writable && !f.stream.is_closed()) {
        Some(text_file) => print_directly(th, text_file, args.rest(VALUES), sep, end)?,
        None => print_by_method(th, file, args.rest(VALUES), sep, end)?,
    }
    let flush = match args.opt(FLUSH) {
        Some(v) => th.is_true(v)?,
        None => false,
    };
    if flush {
        th.call_method(file, "flush", &[])?;
    }
    Ok(Value::NONE)
}

/// Into the buffer of one of our own files, in one piece.
fn print_directly(th: &mut Thread, file: &File, values: &[Word], sep: &str, end: &str) -> R<()> {
    let mut text = String::new();
    for (i, v) in values.iter().flatten().enumerate() {
        if i > 0 {
            text.push_str(sep);
        }
        if let Err(raised) = push_text(th, &mut text, *v) {
            // What came before is printed, as it is when values are written one by one.
            let pending = th.m.pending.take();
            let _ = io_text::write_text(th, file, &text);
            th.m.pending = pending;
            return Err(raised);
        }
    }
    text.push_str(end);
    io_text::write_text(th, file, &text)
}

fn push_text(th: &mut Thread, text: &mut String, v: Value) -> R<()> {
    if let Some(n) = v.as_small() {
        use std::fmt::Write;
        let _ = write!(text, "{n}");
        return Ok(());
    }
    let shown = th.str(v)?;
    text.push_str(str::as_str(shown).unwrap_or(""));
    Ok(())
}

/// To any object that has a method `write`.
fn print_by_method(th: &mut Thread, file: Value, values: &[Word], sep: &str, end: &str) -> R<()> {
    let name = th.name("write")?;
    let write = th.get_attr(file, name)?;
    for (i, v) in values.iter().flatten().enumerate() {
        if i > 0 {
            let sep = th.new_str(sep)?;
            th.call(write, &[sep])?;
        }
        let text = th.str(*v)?;
        th.call(write, &[text])?;
    }
    let end = th.new_str(end)?;
    th.call(write, &[end]).map(drop)
}

fn input(th: &mut Thread, args: Args) -> R {
    let Some(stdin) = current(th, "stdin") else {
        return Err(th.raise(Exc::RuntimeError, "input(): lost sys.stdin"));
    };
    let Some(stdout) = current(th, "stdout") else {
        return Err(th.raise(Exc::RuntimeError, "input(): lost sys.stdout"));
    };
    if let Some(stderr) = current(th, "stderr") {
        th.call_method(stderr, "flush", &[])?;
    }
    if let Some(reader) = LINE_READER.get()
        && th.m.member.is_main()
        && [(stdin, 0), (stdout, 1)]
            .iter()
            .all(|(v, fd)| as_text_file(*v).is_some_and(|f| f.stream.fd() == *fd))
    {
        return input_by(th, *reader, stdout, args.opt(0));
    }
    if let Some(prompt) = args.opt(0) {
        let text = th.str(prompt)?;
        th.call_method(stdout, "write", &[text])?;
    }
    th.call_method(stdout, "flush", &[])?;
    let line = th.call_method(stdin, "readline", &[])?;
    let Some(text) = str::as_str(line) else {
        return Err(th.type_error("object.readline() returned non-string"));
    };
    match text.strip_suffix('\n') {
        Some(rest) => th.new_str(rest),
        None if text.is_empty() => Err(th.raise(Exc::EOFError, "EOF when reading a line")),
        None => Ok(line),
    }
}

fn input_by(th: &mut Thread, reader: LineReader, stdout: Value, prompt: Word) -> R {
    th.call_method(stdout, "flush", &[])?;
    let prompt = match prompt {
        Some(prompt) => th.str(prompt)?,
        None => th.new_str("")?,
    };
    let text = str::as_str(prompt).unwrap_or("").to_owned();
    match reader(th, &text)? {
        Some(line) => th.new_str(&line),
        None => Err(th.raise(Exc::EOFError, "EOF when reading a line")),
    }
}

/// Writes to `sys.stdout`.
pub fn to_stdout(th: &mut Thread, text: &str) -> R<()> {
    match current(th, "stdout") {
        Some(file) => write_to(th, file, text),
        None => Ok(()),
    }
}

/// The words for the pending exception, which nobody is to handle: it left `function`, which was called as a `what`.
pub fn ignored(th: &mut Thread, what: &str, function: Value) -> String {
    let exc = th.take_exception();
    let shown = shown(th, function);
    format!("Exception ignored in {what}: {shown}\n{}", crate::vm::traceback::format_exception(th, exc))
}

/// `repr` of what a message is about; nothing if that fails. No exception may be pending.
pub fn shown(th: &mut Thread, v: Value) -> String {
    match th.repr(v) {
        Ok(text) => str::as_str(text).unwrap_or("").to_owned(),
        Err(_) => {
            th.take_exception();
            String::new()
        }
    }
}

/// Writes a message of the interpreter to `sys.stderr`, or to descriptor 2 if that fails.
pub fn to_stderr(th: &mut Thread, text: &str) {
    let pending = th.m.pending.take();
    let written = match current(th, "stderr") {
        Some(file) => {
            let done = write_to(th, file, text).is_ok();
            done && th.call_method(file, "flush", &[]).is_ok()
        }
        None => false,
    };
    if !written {
        th.m.pending = None;
        let mut rest = text.as_bytes();
        while let Ok(n @ 1..) = terminal::write(2, rest) {
            rest = rest.get(n..).unwrap_or(&[]);
        }
    }
    th.m.pending = pending;
}

fn write_to(th: &mut Thread, file: Value, text: &str) -> R<()> {
    match as_text_file(file).filter(|f| !f.stream.is_closed()) {
        Some(f) => io_text::write_text(th, f, text),
        None => {
            let text = th.new_str(text)?;
            th.call_method(file, "write", &[text]).map(drop)
        }
    }
}
