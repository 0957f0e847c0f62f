//! Attributes that exceptions of some classes have by their arguments: `errno`, `code`, `value`, `lineno`...
//! One that was assigned is an attribute like any other, and is found first. Must not know how exceptions are raised.

use super::thread::Thread;
use crate::object::layout::Exception;
use crate::object::{Exc, R, Value, Word, class, exc, shape, tuple, types};

/// All names that `given` may know.
pub const NAMES: &[&str] = &[
    "code",
    "encoding",
    "end",
    "end_lineno",
    "end_offset",
    "errno",
    "filename",
    "filename2",
    "lineno",
    "msg",
    "name",
    "obj",
    "object",
    "offset",
    "path",
    "print_file_and_line",
    "reason",
    "start",
    "strerror",
    "text",
    "value",
];

/// The attribute `name` of an exception: assigned, or given by its arguments.
pub fn value(th: &mut Thread, exception: Value, name: &str) -> R<Word> {
    let key = th.m.intern(name)?;
    if let Some(v) = shape::get(exception, key) {
        return Ok(Some(v));
    }
    match exc::cast(exception) {
        Some(e) => Ok(given(exception, e, name)),
        None => Ok(None),
    }
}

/// The attribute `name` as the arguments say. EMPTY: exceptions of this class have no such attribute.
pub fn given(exception: Value, e: &Exception, name: &str) -> Word {
    let class = types::class_of(exception);
    let is = |exc| class::is_subclass(class, types::exc_class(exc));
    let args = tuple::items(e.args.value());
    let nth = |i: usize| Some(args.get(i).map_or(Value::NONE, |s| s.value()));
    match name {
        "value" if is(Exc::StopIteration) => nth(0),
        "code" if is(Exc::SystemExit) => match args {
            [_, _, ..] => Some(e.args.value()),
            _ => nth(0),
        },
        "errno" | "strerror" | "filename" | "filename2" if is(Exc::OSError) => {
            let at = ["errno", "strerror", "filename", "", "filename2"].iter().position(|n| *n == name);
            if args.len() >= 2 { at.and_then(nth) } else { Some(Value::NONE) }
        }
        "msg"
        | "filename"
        | "lineno"
        | "offset"
        | "text"
        | "end_lineno"
        | "end_offset"
        | "print_file_and_line"
            if is(Exc::SyntaxError) =>
        {
            Some(of_syntax_error(e, name))
        }
        "encoding" | "object" | "start" | "end" | "reason" if is(Exc::UnicodeError) => {
            let fields: &[&str] = match is(Exc::UnicodeTranslateError) {
                true => &["object", "start", "end", "reason"],
                false => &["encoding", "object", "start", "end", "reason"],
            };
            let at = fields.iter().position(|n| *n == name);
            at.filter(|i| *i < args.len()).and_then(nth)
        }
        "msg" if is(Exc::ImportError) => nth(0),
        "name" | "path" if is(Exc::ImportError) => Some(Value::NONE),
        "name" if is(Exc::NameError) => Some(Value::NONE),
        "name" | "obj" if is(Exc::AttributeError) => Some(Value::NONE),
        _ => None,
    }
}

/// `SyntaxError(msg, (filename, lineno, offset, text, end_lineno, end_offset))`.
fn of_syntax_error(e: &Exception, name: &str) -> Value {
    let args = tuple::items(e.args.value());
    if name == "msg" {
        return args.first().map_or(Value::NONE, |s| s.value());
    }
    let Some(place) = args.get(1).map(|s| tuple::items(s.value())) else { return Value::NONE };
    let fields = ["filename", "lineno", "offset", "text", "end_lineno", "end_offset"];
    let at = fields.iter().position(|n| *n == name);
    at.and_then(|i| place.get(i)).map_or(Value::NONE, |s| s.value())
}
