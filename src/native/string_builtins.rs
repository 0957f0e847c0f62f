//! The built-in functions about text: chr, ord, ascii, format.

use super::str_format;
use super::text_args::{index, text, type_name};
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Value, int, str, types};
use crate::vm::native::{Args, NativeDef};
use crate::vm::ops::bytearray::contents;
use crate::vm::thread::Thread;

fn chr(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    let n = match int::as_i64(v) {
        Some(n) => n,
        None if int::is_int(v) => {
            return Err(th.raise(Exc::OverflowError, "Python int too large to convert to C int"));
        }
        None if th.lookup_special(v, "__index__").is_some() => th.index(v)?,
        None => index(th, v)?,
    };
    if i32::try_from(n).is_err() {
        return Err(th.raise(Exc::OverflowError, "Python int too large to convert to C int"));
    }
    match u32::try_from(n).ok().filter(|n| *n < 0x11_0000) {
        None => Err(th.value_error("chr() arg not in range(0x110000)")),
        Some(n) => match char::from_u32(n) {
            Some(c) => th.new_char(c),
            None => Err(th.value_error("chr() arg is a surrogate, which Mini's strings cannot hold")),
        },
    }
}

fn ord(m: &mut Mutator, args: Args) -> R {
    let v = args.get(0);
    let (len, code) = if let Some(s) = str::view(v) {
        (s.nchars as usize, str::text(s).chars().next().map_or(0, u32::from))
    } else if let Some(bytes) = contents(v).filter(|_| types::kind_of(v) != Kind::MemoryView) {
        (bytes.len(), bytes.first().map_or(0, |b| u32::from(*b)))
    } else {
        let got = type_name(v);
        return Err(m.type_error(format!("ord() expected string of length 1, but {got} found")));
    };
    if len != 1 {
        return Err(m.type_error(format!("ord() expected a character, but string of length {len} found")));
    }
    Ok(Value::int_unchecked(i64::from(code)))
}

fn ascii(th: &mut Thread, args: Args) -> R {
    str_format::ascii(th, args.get(0))
}

fn format(th: &mut Thread, args: Args) -> R {
    let spec = args.opt(1).map_or(Ok(""), |v| text(th, v, "format() argument 2"))?;
    th.format(args.get(0), spec)
}

pub static STRING_BUILTINS: &[NativeDef] = &[
    NativeDef::full("ascii", "obj, /", ascii, "As repr, what is not ASCII escaped."),
    NativeDef::full("chr", "i, /", chr, "The character with a code point."),
    NativeDef::full("format", "value, format_spec=, /", format, "The value as a format specification says."),
    NativeDef::data("ord", "c, /", ord, "The code point of a character."),
];
