//! Text to bytes and back, by the name of an encoding. Must not know the methods that ask for it.
//!
//! Error handlers: strict, ignore, replace, backslashreplace, and for encoding xmlcharrefreplace and namereplace. The
//! surrogate handlers of Python are refused when they would be needed: Mini's strings hold no surrogates.

use super::codecs_escape as escape;
use super::codecs_table::Table;
use crate::object::mutator::Mutator;
use crate::object::text_repr::push_code;
use crate::object::{Exc, R, Raised};
use mini_grammar::char_names;
use std::ops::Range;

/// An encoding that `encode` and `decode` know.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Codec {
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8Sig,
    Ascii,
    Latin1,
    Utf16(Order),
    Utf32(Order),
    Table(&'static Table),
    Escape,
    RawEscape,
}

/// Which byte comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// Little-endian, with a byte order mark when writing and as the mark says when reading.
    Marked,
    Little,
    Big,
}

impl Codec {
    /// The codec of this name, spelled in any of the usual ways.
    pub fn find(m: &mut Mutator, name: &str) -> R<Codec> {
        let plain: String =
            name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        Ok(match plain.as_str() {
            "utf8" | "u8" | "utf" | "cp65001" => Codec::Utf8,
            "utf8sig" => Codec::Utf8Sig,
            "ascii" | "usascii" | "646" | "iso646us" | "ansix341968" => Codec::Ascii,
            "latin1" | "latin" | "l1" | "iso88591" | "88591" | "8859" | "cp819" => Codec::Latin1,
            "utf16" | "u16" => Codec::Utf16(Order::Marked),
            "utf16le" | "unicodelittleunmarked" => Codec::Utf16(Order::Little),
            "utf16be" | "unicodebigunmarked" => Codec::Utf16(Order::Big),
            "utf32" | "u32" => Codec::Utf32(Order::Marked),
            "utf32le" => Codec::Utf32(Order::Little),
            "utf32be" => Codec::Utf32(Order::Big),
            "unicodeescape" => Codec::Escape,
            "rawunicodeescape" => Codec::RawEscape,
            other => match Table::find(other) {
                Some(table) => Codec::Table(table),
                None => return Err(m.raise(Exc::LookupError, format!("unknown encoding: {name}"))),
            },
        })
    }

    /// The name that messages use.
    pub fn name(self) -> &'static str {
        match self {
            Codec::Utf8 | Codec::Utf8Sig => "utf-8",
            Codec::Ascii => "ascii",
            Codec::Latin1 => "latin-1",
            Codec::Utf16(Order::Big) => "utf-16-be",
            Codec::Utf16(_) => "utf-16-le",
            Codec::Utf32(Order::Big) => "utf-32-be",
            Codec::Utf32(_) => "utf-32-le",
            Codec::Table(_) => "charmap",
            Codec::Escape => "unicodeescape",
            Codec::RawEscape => "rawunicodeescape",
        }
    }

    /// Whether ASCII text is its own encoding.
    pub fn keeps_ascii(self) -> bool {
        matches!(self, Codec::Utf8 | Codec::Utf8Sig | Codec::Ascii | Codec::Latin1 | Codec::Table(_))
    }

    /// The byte of a character, in an encoding of one byte a character.
    fn byte(self, c: char) -> Option<u8> {
        match self {
            Codec::Table(table) => table.byte(c),
            Codec::Latin1 => u8::try_from(u32::from(c)).ok(),
            _ => c.is_ascii().then_some(c as u8),
        }
    }
}

/// Encodes `text`.
pub fn encode(m: &mut Mutator, text: &str, codec: Codec, errors: &str) -> R<Vec<u8>> {
    match codec {
        Codec::Utf8 => Ok(text.as_bytes().to_vec()),
        Codec::Utf8Sig => Ok([b"\xef\xbb\xbf", text.as_bytes()].concat()),
        Codec::Ascii | Codec::Latin1 | Codec::Table(_) => narrow(m, text, codec, errors),
        Codec::Escape => Ok(escape::encode(text)),
        Codec::RawEscape => Ok(escape::encode_raw(text)),
        Codec::Utf16(order) => {
            let mark = (order == Order::Marked).then_some(0xfeff);
            let units = mark.into_iter().chain(text.encode_utf16());
            Ok(match order {
                Order::Big => units.flat_map(u16::to_be_bytes).collect(),
                _ => units.flat_map(u16::to_le_bytes).collect(),
            })
        }
        Codec::Utf32(order) => {
            let mark = (order == Order::Marked).then_some(0xfeff);
            let units = mark.into_iter().chain(text.chars().map(u32::from));
            Ok(match order {
                Order::Big => units.flat_map(u32::to_be_bytes).collect(),
                _ => units.flat_map(u32::to_le_bytes).collect(),
            })
        }
    }
}

/// One byte a character, for characters that have one.
fn narrow(m: &mut Mutator, text: &str, codec: Codec, errors: &str) -> R<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.char_indices().enumerate().peekable();
    while let Some((number, (at, c))) = rest.next() {
        if let Some(byte) = codec.byte(c) {
            out.push(byte);
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((_, (at, c))) = rest.next_if(|(_, (_, c))| codec.byte(*c).is_none()) {
            end = at + c.len_utf8();
        }
        let bad = text.get(at..end).unwrap_or("");
        match errors {
            "strict" => return Err(cannot_encode(m, text, number, bad.chars().count(), codec)),
            "ignore" => {}
            "replace" => out.extend(bad.chars().map(|_| b'?')),
            "xmlcharrefreplace" => {
                bad.chars().for_each(|c| out.extend(format!("&#{};", u32::from(c)).bytes()))
            }
            "backslashreplace" => {
                let mut escaped = String::new();
                bad.chars().for_each(|c| push_code(&mut escaped, c));
                out.extend(escaped.bytes());
            }
            "namereplace" => bad.chars().for_each(|c| match char_names::name(c) {
                Some(name) => out.extend(format!("\\N{{{name}}}").bytes()),
                None => {
                    let mut escaped = String::new();
                    push_code(&mut escaped, c);
                    out.extend(escaped.bytes());
                }
            }),
            other => return Err(unknown_handler(m, other)),
        }
    }
    Ok(out)
}

/// UnicodeEncodeError for `count` characters of `text` from number `start` on.
fn cannot_encode(m: &mut Mutator, text: &str, start: usize, count: usize, codec: Codec) -> Raised {
    let object = m.new_str(text);
    let reason = match codec {
        Codec::Ascii => "ordinal not in range(128)",
        Codec::Latin1 => "ordinal not in range(256)",
        _ => "character maps to <undefined>",
    };
    unicode_error(m, Exc::UnicodeEncodeError, codec, object, start..start + count, reason)
}

fn unicode_error(
    m: &mut Mutator,
    exc: Exc,
    codec: Codec,
    object: R,
    at: Range<usize>,
    reason: &str,
) -> Raised {
    let args = [
        m.new_str(codec.name()),
        object,
        m.new_int(at.start as i64),
        m.new_int(at.end as i64),
        m.new_str(reason),
    ];
    match args {
        [Ok(a), Ok(b), Ok(c), Ok(d), Ok(e)] => m.raise_with(exc, &[a, b, c, d, e]),
        _ => Raised,
    }
}

fn unknown_handler(m: &mut Mutator, name: &str) -> Raised {
    let message = match name {
        "surrogateescape" | "surrogatepass" => {
            format!("error handler '{name}' is not supported: Mini's strings hold no surrogates")
        }
        _ => format!("unknown error handler name '{name}'"),
    };
    m.raise(Exc::LookupError, message)
}

/// Bytes that are no text: where, how many, and why.
struct Fault {
    at: usize,
    len: usize,
    why: &'static str,
}

/// Decodes `bytes`.
pub fn decode(m: &mut Mutator, bytes: &[u8], codec: Codec, errors: &str) -> R<String> {
    match codec {
        Codec::Utf8 => with_handler(m, bytes, codec, errors, 0, decode_utf8),
        Codec::Utf8Sig => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            with_handler(m, bytes, codec, errors, 0, decode_utf8)
        }
        Codec::Ascii => with_handler(m, bytes, codec, errors, 0, decode_ascii),
        Codec::Latin1 => Ok(bytes.iter().map(|b| char::from(*b)).collect()),
        Codec::Table(table) => {
            with_handler(m, bytes, codec, errors, 0, |b, at, out| decode_table(b, at, out, table))
        }
        Codec::Escape => {
            with_handler(m, bytes, codec, errors, 0, |b, at, out| unescape(b, at, out, escape::decode_one))
        }
        Codec::RawEscape => with_handler(m, bytes, codec, errors, 0, |b, at, out| {
            unescape(b, at, out, escape::decode_one_raw)
        }),
        Codec::Utf16(order) => {
            let (order, skip) = match (order, bytes) {
                (Order::Marked, [0xff, 0xfe, ..]) => (Order::Little, 2),
                (Order::Marked, [0xfe, 0xff, ..]) => (Order::Big, 2),
                _ => (order, 0),
            };
            let big = order == Order::Big;
            with_handler(m, bytes, Codec::Utf16(order), errors, skip, move |b, at, out| {
                decode_utf16(b, at, out, big)
            })
        }
        Codec::Utf32(order) => {
            let (order, skip) = match (order, bytes) {
                (Order::Marked, [0xff, 0xfe, 0, 0, ..]) => (Order::Little, 4),
                (Order::Marked, [0, 0, 0xfe, 0xff, ..]) => (Order::Big, 4),
                _ => (order, 0),
            };
            let big = order == Order::Big;
            with_handler(m, bytes, Codec::Utf32(order), errors, skip, move |b, at, out| {
                decode_utf32(b, at, out, big)
            })
        }
    }
}

/// Decodes from `at` on with `run`, which stops at faults; treats each as `errors` says and goes on behind it.
fn with_handler(
    m: &mut Mutator,
    bytes: &[u8],
    codec: Codec,
    errors: &str,
    mut at: usize,
    run: impl Fn(&[u8], usize, &mut String) -> Result<(), Fault>,
) -> R<String> {
    let mut out = String::with_capacity(bytes.len());
    while let Err(fault) = run(bytes, at, &mut out) {
        let bad = bytes.get(fault.at..fault.at + fault.len).unwrap_or(&[]);
        match errors {
            "strict" => return Err(cannot_decode(m, bytes, &fault, codec)),
            "ignore" => {}
            "replace" => out.push('\u{fffd}'),
            "backslashreplace" => bad.iter().for_each(|b| push_code(&mut out, char::from(*b))),
            "xmlcharrefreplace" | "namereplace" => {
                return Err(m.type_error("don't know how to handle UnicodeDecodeError in error callback"));
            }
            other => return Err(unknown_handler(m, other)),
        }
        at = fault.at + fault.len.max(1);
    }
    Ok(out)
}

fn cannot_decode(m: &mut Mutator, bytes: &[u8], fault: &Fault, codec: Codec) -> Raised {
    let object = m.new_bytes(bytes);
    unicode_error(m, Exc::UnicodeDecodeError, codec, object, fault.at..fault.at + fault.len, fault.why)
}

fn decode_utf8(bytes: &[u8], at: usize, out: &mut String) -> Result<(), Fault> {
    let rest = bytes.get(at..).unwrap_or(&[]);
    let error = match std::str::from_utf8(rest) {
        Ok(text) => {
            out.push_str(text);
            return Ok(());
        }
        Err(error) => error,
    };
    let (good, bad) = rest.split_at(error.valid_up_to());
    out.push_str(std::str::from_utf8(good).unwrap_or(""));
    let (len, why) = match (error.error_len(), bad.first()) {
        (None, _) => (bad.len(), "unexpected end of data"),
        (Some(len), Some(0x80..=0xc1 | 0xf5..)) => (len, "invalid start byte"),
        (Some(len), _) => (len, "invalid continuation byte"),
    };
    Err(Fault { at: at + good.len(), len, why })
}

fn decode_ascii(bytes: &[u8], at: usize, out: &mut String) -> Result<(), Fault> {
    for (i, b) in bytes.iter().enumerate().skip(at) {
        if !b.is_ascii() {
            return Err(Fault { at: i, len: 1, why: "ordinal not in range(128)" });
        }
        out.push(char::from(*b));
    }
    Ok(())
}

fn decode_table(bytes: &[u8], at: usize, out: &mut String, table: &Table) -> Result<(), Fault> {
    for (i, b) in bytes.iter().enumerate().skip(at) {
        match table.character(*b) {
            Some(c) => out.push(c),
            None => return Err(Fault { at: i, len: 1, why: "character maps to <undefined>" }),
        }
    }
    Ok(())
}

fn unescape(
    bytes: &[u8],
    mut at: usize,
    out: &mut String,
    one: fn(&[u8], &mut String) -> Result<usize, escape::BadEscape>,
) -> Result<(), Fault> {
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        at += one(rest, out).map_err(|bad| Fault { at, len: bad.len, why: bad.why })?;
    }
    Ok(())
}

fn decode_utf16(bytes: &[u8], mut at: usize, out: &mut String, big: bool) -> Result<(), Fault> {
    let unit = |at: usize| {
        let pair = bytes.get(at..at + 2)?.try_into().ok()?;
        Some(if big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) })
    };
    while at < bytes.len() {
        let Some(first) = unit(at) else {
            return Err(Fault { at, len: bytes.len() - at, why: "truncated data" });
        };
        if let Some(c) = char::from_u32(u32::from(first)) {
            out.push(c);
            at += 2;
            continue;
        }
        if first >= 0xdc00 {
            return Err(Fault { at, len: 2, why: "illegal encoding" });
        }
        let Some(second) = unit(at + 2) else {
            return Err(Fault { at, len: bytes.len() - at, why: "unexpected end of data" });
        };
        match char::decode_utf16([first, second]).next() {
            Some(Ok(c)) => out.push(c),
            _ => return Err(Fault { at, len: 2, why: "illegal UTF-16 surrogate" }),
        }
        at += 4;
    }
    Ok(())
}

fn decode_utf32(bytes: &[u8], mut at: usize, out: &mut String, big: bool) -> Result<(), Fault> {
    while at < bytes.len() {
        let Some(quad) = bytes.get(at..at + 4).and_then(|b| <[u8; 4]>::try_from(b).ok()) else {
            return Err(Fault { at, len: bytes.len() - at, why: "truncated data" });
        };
        let code = if big { u32::from_be_bytes(quad) } else { u32::from_le_bytes(quad) };
        match char::from_u32(code) {
            Some(c) => out.push(c),
            None if code < 0x11_0000 => {
                return Err(Fault {
                    at,
                    len: 4,
                    why: "code point in surrogate code point range(0xd800, 0xe000)",
                });
            }
            None => return Err(Fault { at, len: 4, why: "code point not in range(0x110000)" }),
        }
        at += 4;
    }
    Ok(())
}
