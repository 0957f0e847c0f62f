//! How strings and bytes are written in source: `repr` and `ascii`. Must not know objects.

use super::unicode::is_printable;
use std::fmt::Write;

/// Shorter texts are not measured before they are written.
const LONG: usize = 1 << 20;

/// Single quotes, unless the text has some and no double ones.
fn quote(has: impl Fn(u8) -> bool) -> char {
    if has(b'\'') && !has(b'"') { '"' } else { '\'' }
}

/// `repr` of a string.
pub fn repr_str(text: &str) -> String {
    escaped(text, is_printable)
}

/// `ascii` of a string.
pub fn ascii_str(text: &str) -> String {
    escaped(text, is_printable_ascii)
}

/// `ascii` of any object, given its `repr`: what is not ASCII is escaped.
pub fn ascii_of_repr(repr: &str) -> String {
    let mut out = String::with_capacity(repr.len());
    for c in repr.chars() {
        if c.is_ascii() { out.push(c) } else { push_code(&mut out, c) }
    }
    out
}

/// What needs no escape in ASCII.
pub fn is_printable_ascii(c: char) -> bool {
    matches!(c, ' '..='~')
}

fn escaped(text: &str, shown: impl Fn(char) -> bool) -> String {
    let quote = quote(|b| text.as_bytes().contains(&b));
    let mut out = String::with_capacity(escaped_len(text.chars(), text.len(), &shown));
    out.push(quote);
    for c in text.chars() {
        push_quoted(&mut out, c, quote, &shown);
    }
    out.push(quote);
    out
}

/// The bytes that `repr_str` makes of a text; at least those, if it is short.
pub fn str_room(text: &str) -> usize {
    escaped_len(text.chars(), text.len(), is_printable)
}

/// As `str_room`, of what `repr_bytes` makes.
pub fn bytes_room(bytes: &[u8]) -> usize {
    escaped_len(bytes.iter().map(|b| char::from(*b)), bytes.len(), is_printable_ascii)
}

fn escaped_len(chars: impl Iterator<Item = char>, nbytes: usize, shown: impl Fn(char) -> bool) -> usize {
    let each = |c: char| match c {
        '\\' | '\n' | '\r' | '\t' | '\'' => 2,
        c if shown(c) => c.len_utf8(),
        ..='\u{ff}' => 4,
        ..='\u{ffff}' => 6,
        _ => 10,
    };
    2 + if nbytes < LONG { nbytes } else { chars.map(each).sum() }
}

fn push_quoted(out: &mut String, c: char, quote: char, shown: impl Fn(char) -> bool) {
    if c == quote {
        out.extend(['\\', c]);
    } else {
        push_escaped(out, c, shown);
    }
}

/// A character as it stands between quotes that it is not one of: as it is if it may be `shown`.
pub fn push_escaped(out: &mut String, c: char, shown: impl Fn(char) -> bool) {
    match c {
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if shown(c) => out.push(c),
        c => push_code(out, c),
    }
}

/// `\xhh`, `\uhhhh` or `\Uhhhhhhhh`.
pub fn push_code(out: &mut String, c: char) {
    // Writing to a String cannot fail.
    let _ = match u32::from(c) {
        n @ ..=0xff => write!(out, "\\x{n:02x}"),
        n @ ..=0xffff => write!(out, "\\u{n:04x}"),
        n => write!(out, "\\U{n:08x}"),
    };
}

/// `repr` of bytes.
pub fn repr_bytes(bytes: &[u8]) -> String {
    let quote = quote(|b| bytes.contains(&b));
    let mut out = String::with_capacity(bytes_room(bytes) + 1);
    out.push('b');
    out.push(quote);
    for b in bytes {
        push_quoted(&mut out, char::from(*b), quote, is_printable_ascii);
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_as_python_shows_them() {
        for (text, repr, ascii) in [
            ("", "''", "''"),
            ("it's", "\"it's\"", "\"it's\""),
            ("'\"", "'\\'\"'", "'\\'\"'"),
            ("a\\b\n\r\t\x00\x7f", "'a\\\\b\\n\\r\\t\\x00\\x7f'", "'a\\\\b\\n\\r\\t\\x00\\x7f'"),
            ("é中😀", "'é中😀'", "'\\xe9\\u4e2d\\U0001f600'"),
            ("\u{a0}\u{200b}\u{e000}", "'\\xa0\\u200b\\ue000'", "'\\xa0\\u200b\\ue000'"),
        ] {
            assert_eq!((repr_str(text).as_str(), ascii_str(text).as_str()), (repr, ascii));
        }
        assert_eq!(ascii_of_repr("['é']"), "['\\xe9']");
    }

    #[test]
    fn bytes_as_python_shows_them() {
        assert_eq!(repr_bytes(b"a'b\x00\xff\\\n"), r#"b"a'b\x00\xff\\\n""#);
        assert_eq!(repr_bytes(b"\"'"), r#"b'"\''"#);
    }
}
