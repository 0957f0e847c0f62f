//! `unicode_escape` and `raw_unicode_escape`: texts as they stand in source code, in bytes.
//! Must not know error handlers.

use crate::object::text_repr::{is_printable_ascii, push_code, push_escaped};
use mini_grammar::char_names;

/// What cannot be decoded: how many bytes of it, and why.
pub struct BadEscape {
    pub len: usize,
    pub why: &'static str,
}

const NO_SURROGATES: &str = "surrogates are not supported";

/// All that is not printable ASCII as escapes.
pub fn encode(text: &str) -> Vec<u8> {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        push_escaped(&mut out, c, is_printable_ascii);
    }
    out.into_bytes()
}

/// What has no byte in Latin-1 as escapes.
pub fn encode_raw(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for c in text.chars() {
        match u8::try_from(u32::from(c)) {
            Ok(byte) => out.push(byte),
            Err(_) => {
                let mut escape = String::new();
                push_code(&mut escape, c);
                out.extend(escape.bytes());
            }
        }
    }
    out
}

/// Decodes what stands at the beginning of `rest`: adds its character, if it is one, and returns its length.
pub fn decode_one(rest: &[u8], out: &mut String) -> Result<usize, BadEscape> {
    let letter = match rest {
        [b'\\', letter, ..] => *letter,
        [b'\\'] => return Err(BadEscape { len: 1, why: "\\ at end of string" }),
        [byte, ..] => {
            out.push(char::from(*byte));
            return Ok(1);
        }
        [] => return Ok(0),
    };
    let plain = match letter {
        b'\\' | b'\'' | b'"' => letter,
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\n' => return Ok(2),
        b'0'..=b'7' => return Ok(octal(rest, out)),
        b'x' => return hexadecimal(rest, 2, "truncated \\xXX escape", out),
        b'u' => return hexadecimal(rest, 4, "truncated \\uXXXX escape", out),
        b'U' => return hexadecimal(rest, 8, "truncated \\UXXXXXXXX escape", out),
        b'N' => return named(rest, out),
        _ => {
            out.extend(['\\', char::from(letter)]);
            return Ok(2);
        }
    };
    out.push(char::from(plain));
    Ok(2)
}

/// As `decode_one`; only `\u` and `\U` are escapes, behind an even number of backslashes.
pub fn decode_one_raw(rest: &[u8], out: &mut String) -> Result<usize, BadEscape> {
    match rest {
        [b'\\', b'u', ..] => hexadecimal(rest, 4, "truncated \\uXXXX escape", out),
        [b'\\', b'U', ..] => hexadecimal(rest, 8, "truncated \\UXXXXXXXX escape", out),
        [b'\\', next, ..] => {
            out.extend(['\\', char::from(*next)]);
            Ok(2)
        }
        [byte, ..] => {
            out.push(char::from(*byte));
            Ok(1)
        }
        [] => Ok(0),
    }
}

fn octal(rest: &[u8], out: &mut String) -> usize {
    let digits = rest.iter().skip(1).take(3).map_while(|b| char::from(*b).to_digit(8));
    let (value, length) = digits.fold((0, 1), |(value, length), digit| (value * 8 + digit, length + 1));
    out.extend(char::from_u32(value));
    length
}

fn hexadecimal(rest: &[u8], width: usize, why: &'static str, out: &mut String) -> Result<usize, BadEscape> {
    let digits = rest.iter().skip(2).take(width).map_while(|b| char::from(*b).to_digit(16));
    let (value, count) = digits.fold((0u32, 0), |(value, count), digit| (value << 4 | digit, count + 1));
    let len = 2 + count;
    if count < width {
        return Err(BadEscape { len, why });
    }
    match char::from_u32(value) {
        Some(c) => out.push(c),
        None if value < 0x11_0000 => return Err(BadEscape { len, why: NO_SURROGATES }),
        None => return Err(BadEscape { len, why: "illegal Unicode character" }),
    }
    Ok(len)
}

fn named(rest: &[u8], out: &mut String) -> Result<usize, BadEscape> {
    let end = rest.iter().position(|b| *b == b'}').filter(|end| *end > 3 && rest.get(2) == Some(&b'{'));
    let Some(end) = end else {
        let len = if rest.get(2) == Some(&b'{') { rest.len() } else { 2 };
        return Err(BadEscape { len, why: "malformed \\N character escape" });
    };
    let name = rest.get(3..end).and_then(|name| std::str::from_utf8(name).ok());
    match name.and_then(char_names::character) {
        Some(c) => out.push(c),
        None => return Err(BadEscape { len: end + 1, why: "unknown Unicode character name" }),
    }
    Ok(end + 1)
}
