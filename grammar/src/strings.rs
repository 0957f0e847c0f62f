//! String and bytes literals: where one ends, and what it means. Knows nothing of the tokens around it.

use crate::ast::Constant;
use crate::char_names;

/// Whether the opening (prefix and quote) is of a triple-quoted literal.
pub fn is_triple(opening: &str) -> bool {
    opening.ends_with("\"\"\"") || opening.ends_with("'''")
}

/// The quote that ends a literal with this opening.
pub fn quote(opening: &str) -> &str {
    let length = if is_triple(opening) { 3 } else { 1 };
    opening.get(opening.len().saturating_sub(length)..).unwrap_or("")
}

/// Whether a prefix (or opening) is of a raw literal, in which a backslash is a backslash.
pub fn is_raw(opening: &str) -> bool {
    opening.contains(['r', 'R'])
}

/// How many bytes of `text` the current line has left, without its end.
pub fn line_length(text: &str) -> usize {
    text.find(['\n', '\r']).unwrap_or(text.len())
}

/// The length of the literal that goes on with `rest` after `opening`, closing quote included; or where the
/// search for the closing quote had to stop.
pub fn body_length(rest: &str, opening: &str) -> Result<usize, usize> {
    let triple = is_triple(opening);
    let quote = quote(opening).as_bytes();
    let bytes = rest.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += escape_length(bytes, at),
            b'\n' | b'\r' if !triple => return Err(at),
            _ if bytes.get(at..).is_some_and(|tail| tail.starts_with(quote)) => return Ok(at + quote.len()),
            _ => at += 1,
        }
    }
    Err(bytes.len())
}

/// The length of the backslash at `at` with what it protects from ending the literal.
pub fn escape_length(bytes: &[u8], at: usize) -> usize {
    match (bytes.get(at + 1), bytes.get(at + 2)) {
        (Some(b'\r'), Some(b'\n')) => 3,
        _ => 2,
    }
}

/// The value of a whole literal, prefix and quotes included.
pub fn value(literal: &str) -> Result<Constant, String> {
    let prefix_length = literal.find(['"', '\'']).unwrap_or(0);
    let (prefix, quoted) = literal.split_at(prefix_length);
    let width = if is_triple(quoted.get(..3).unwrap_or("")) && quoted.len() >= 6 { 3 } else { 1 };
    let body = quoted.get(width..quoted.len().saturating_sub(width)).unwrap_or("");
    if prefix.contains(['b', 'B']) {
        bytes_value(body, is_raw(prefix)).map(|value| Constant::Bytes(value.into()))
    } else {
        text_value(body, is_raw(prefix)).map(|value| Constant::Str(value.into()))
    }
}

/// The value of the body of a text literal.
pub fn text_value(body: &str, raw: bool) -> Result<String, String> {
    if !body.contains(['\\', '\r']) {
        return Ok(body.to_string());
    }
    let body = body.replace("\r\n", "\n").replace('\r', "\n");
    if raw {
        return Ok(body);
    }
    let mut out = String::with_capacity(body.len());
    let mut rest = body.as_str();
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        out.push_str(plain);
        let position = body.len() - escape.len();
        let (letter, length) = text_escape(escape).map_err(|bad| bad.describe(&body, position))?;
        match letter {
            Decoded::Char(letter) => out.push(letter),
            Decoded::Nothing => {}
            Decoded::AsWritten => out.push_str(escape.get(..length).unwrap_or("")),
        }
        rest = escape.get(length..).unwrap_or("");
    }
    out.push_str(rest);
    Ok(out)
}

/// The character behind the first backslash of a whole literal that is no escape there.
pub fn invalid_escape(literal: &str) -> Option<char> {
    literal.find('\\')?;
    let (prefix, body) = literal.split_at(literal.find(['"', '\''])?);
    let escapes = if prefix.contains(['b', 'B']) { BYTES_ESCAPES } else { TEXT_ESCAPES };
    if is_raw(prefix) { None } else { first_other(body, escapes) }
}

/// As `invalid_escape`, of a piece of an f-string.
pub fn invalid_escape_in_text(text: &str, raw: bool) -> Option<char> {
    if raw { None } else { first_other(text, TEXT_ESCAPES) }
}

const TEXT_ESCAPES: &str = "\n\r\\'\"abfnrtv01234567xuUN";
const BYTES_ESCAPES: &str = "\n\r\\'\"abfnrtv01234567x";

fn first_other(body: &str, escapes: &str) -> Option<char> {
    let mut letters = body.chars();
    while let Some(letter) = letters.next() {
        // What a piece of an f-string ends in stands before a brace.
        let escaped = if letter == '\\' { letters.next().or(Some('{')) } else { None };
        if let Some(escaped) = escaped.filter(|&escaped| !escapes.contains(escaped)) {
            return Some(escaped);
        }
    }
    None
}

enum Decoded {
    Char(char),
    /// A backslash at the end of a line.
    Nothing,
    /// Not an escape.
    AsWritten,
}

/// A malformed escape of `length` bytes.
struct BadEscape {
    reason: String,
    length: usize,
    /// CPython itself accepts it, so its wording for decoding errors would mislead.
    unsupported: bool,
}

impl BadEscape {
    /// CPython replaces each non-ASCII character by a ten-byte escape before decoding, and counts positions
    /// in that.
    fn describe(self, body: &str, position: usize) -> String {
        if self.unsupported {
            return self.reason;
        }
        let before = body.get(..position).unwrap_or("");
        let start: usize = before.chars().map(|letter| if letter.is_ascii() { 1 } else { 10 }).sum();
        let place = match self.length {
            1 => format!("byte 0x5c in position {start}"),
            length => format!("bytes in position {start}-{}", start + length - 1),
        };
        format!("(unicode error) 'unicodeescape' codec can't decode {place}: {}", self.reason)
    }
}

/// What the escape that `text` starts with means, and its length.
fn text_escape(text: &str) -> Result<(Decoded, usize), BadEscape> {
    let Some(letter) = text.chars().nth(1) else {
        return Err(BadEscape { reason: "\\ at end of string".to_string(), length: 1, unsupported: false });
    };
    if let Some(plain) = simple_escape(letter) {
        return Ok((Decoded::Char(plain), 2));
    }
    match letter {
        '\n' => Ok((Decoded::Nothing, 2)),
        '0'..='7' => {
            let (value, length) = octal(text);
            Ok((Decoded::Char(char::from_u32(value).unwrap_or('\0')), length))
        }
        'x' => hexadecimal(text, 2, "\\xXX"),
        'u' => hexadecimal(text, 4, "\\uXXXX"),
        'U' => hexadecimal(text, 8, "\\UXXXXXXXX"),
        'N' => named(text),
        _ => Ok((Decoded::AsWritten, 1 + letter.len_utf8())),
    }
}

fn simple_escape(letter: char) -> Option<char> {
    Some(match letter {
        '\\' | '\'' | '"' => letter,
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        _ => return None,
    })
}

fn octal(text: &str) -> (u32, usize) {
    let digits = text.chars().skip(1).take(3).map_while(|digit| digit.to_digit(8));
    digits.fold((0, 1), |(value, length), digit| (value * 8 + digit, length + 1))
}

fn hexadecimal(text: &str, width: usize, name: &str) -> Result<(Decoded, usize), BadEscape> {
    let digits = text.chars().skip(2).take(width).map_while(|digit| digit.to_digit(16));
    let (value, count) = digits.fold((0u32, 0), |(value, count), digit| (value << 4 | digit, count + 1));
    let length = 2 + count;
    let bad = |reason: String, unsupported| BadEscape { reason, length, unsupported };
    if count < width {
        return Err(bad(format!("truncated {name} escape"), false));
    }
    match char::from_u32(value) {
        Some(letter) => Ok((Decoded::Char(letter), length)),
        None if value <= 0x10FFFF => {
            Err(bad(format!("lone surrogate U+{value:04X} in a string literal is not supported"), true))
        }
        None => Err(bad("illegal Unicode character".to_string(), false)),
    }
}

/// `\N{NAME}`: a character by its name or one of its aliases.
fn named(text: &str) -> Result<(Decoded, usize), BadEscape> {
    let bad =
        |reason: &str, length| Err(BadEscape { reason: reason.to_string(), length, unsupported: false });
    match (text.get(2..3), text.find('}')) {
        (Some("{"), Some(end)) if end > 3 => match text.get(3..end).and_then(char_names::character) {
            Some(letter) => Ok((Decoded::Char(letter), end + 1)),
            None => bad("unknown Unicode character name", end + 1),
        },
        (Some("{"), end) => bad("malformed \\N character escape", end.unwrap_or(text.len())),
        _ => bad("malformed \\N character escape", 2),
    }
}

fn bytes_value(body: &str, raw: bool) -> Result<Vec<u8>, String> {
    if !body.is_ascii() {
        return Err("bytes can only contain ASCII literal characters".to_string());
    }
    let body = body.replace("\r\n", "\n").replace('\r', "\n");
    if raw {
        return Ok(body.into_bytes());
    }
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body.as_str();
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let length = bytes_escape(escape, &mut out).ok_or_else(|| {
            format!("(value error) invalid \\x escape at position {}", body.len() - escape.len())
        })?;
        rest = escape.get(length..).unwrap_or("");
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(out)
}

/// Adds what the escape that `text` starts with means, and returns its length.
fn bytes_escape(text: &str, out: &mut Vec<u8>) -> Option<usize> {
    let letter = text.chars().nth(1).unwrap_or('\\');
    if let Some(plain) = simple_escape(letter) {
        out.push(plain as u8);
        return Some(2);
    }
    match letter {
        '\n' => {}
        '0'..='7' => {
            let (value, length) = octal(text);
            out.push(value as u8);
            return Some(length);
        }
        'x' => {
            let byte = u8::from_str_radix(text.get(2..4)?, 16).ok()?;
            // `from_str_radix` also takes a sign.
            text.get(2..3).filter(|first| *first != "+")?;
            out.push(byte);
            return Some(4);
        }
        _ => out.extend_from_slice(text.get(..2)?.as_bytes()),
    }
    Some(2)
}
