//! What `str` shows of UnicodeDecodeError and UnicodeEncodeError: made from their five arguments, as in CPython.
//! Must not know codecs.

use super::text_repr::push_code;
use super::{Value, bytes, int, str};

/// The message of an error with these arguments (encoding, object, start, end, reason); `None` if they are not such.
pub fn message(encoding: Value, object: Value, start: Value, end: Value, reason: Value) -> Option<String> {
    let (encoding, reason) = (str::as_str(encoding)?, str::as_str(reason)?);
    let (start, end) = (int::as_i64(start)?, int::as_i64(end)?);
    let one = end == start.saturating_add(1);
    let last = end.saturating_sub(1);
    let at = usize::try_from(start).unwrap_or(usize::MAX);
    let (verb, what) = if let Some(object) = bytes::as_bytes(object) {
        match object.get(at).filter(|_| one) {
            Some(b) => ("decode", format!("byte 0x{b:02x} in position {start}")),
            None => ("decode", format!("bytes in position {start}-{last}")),
        }
    } else {
        match str::as_str(object)?.chars().nth(at).filter(|_| one) {
            Some(c) => {
                let mut code = String::new();
                push_code(&mut code, c);
                ("encode", format!("character '{code}' in position {start}"))
            }
            None => ("encode", format!("characters in position {start}-{last}")),
        }
    };
    Some(format!("'{encoding}' codec can't {verb} {what}: {reason}"))
}
