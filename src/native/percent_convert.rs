//! The conversions of `format % values`: one value as `%s`, `%d`, `%g` and the others show it.
//! Must not know how the format is read; digits come from `object`.

use super::num_args::real_opt;
use super::percent::Conversion;
use super::str_format::ascii;
use super::text_args::type_name;
use crate::object::format::Bad;
use crate::object::format_float::Style;
use crate::object::format_int::{digits, to_f64};
use crate::object::header::Kind;
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Value, bytearray, bytes, float, int, memoryview, str, types};
use crate::vm::thread::Thread;

/// Appends `v` converted; the conversion's type stands at character `at` of the format.
pub fn convert(th: &mut Thread, c: &Conversion, v: Value, at: usize, out: &mut String) -> R<()> {
    let shown = match c.ty {
        's' | 'b' if c.bytes => {
            let text = latin1(&raw(th, v)?);
            pad(out, c, "", "", cut_text(&text, c.precision), false);
            return Ok(());
        }
        'r' if c.bytes => ascii(th, v)?,
        's' => th.str(v)?,
        'r' => th.repr(v)?,
        'a' => ascii(th, v)?,
        'c' => {
            let v = if int::is_int(v) { v } else { asked(th, v, "__index__")?.unwrap_or(v) };
            let text = if c.bytes { byte(th, v)? } else { character(th, v)? };
            pad(out, c, "", "", &text, false);
            return Ok(());
        }
        'd' | 'i' | 'u' | 'o' | 'x' | 'X' => return integer(th, c, v, out),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' => return real(th, c, v, out),
        ty => {
            let name = if matches!(ty, ' '..='~') { ty } else { '?' };
            let code = u32::from(ty);
            return Err(
                th.value_error(format!("unsupported format character '{name}' (0x{code:x}) at index {at}"))
            );
        }
    };
    let text = str::as_str(shown).unwrap_or("");
    pad(out, c, "", "", cut_text(text, c.precision), false);
    Ok(())
}

/// The first characters of a text.
fn cut_text(text: &str, most: Option<usize>) -> &str {
    let end = most.and_then(|n| text.char_indices().nth(n)).map_or(text.len(), |(at, _)| at);
    text.get(..end).unwrap_or(text)
}

/// Bytes as characters of the same numbers: a bytes format is made as text and turned back at the end.
pub fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(*b)).collect()
}

/// `%b` of a bytes format.
fn raw(th: &mut Thread, v: Value) -> R<Vec<u8>> {
    if let Some(bytes) = bytes::as_bytes(v) {
        return Ok(bytes.to_vec());
    }
    if let Some(buffer) = bytearray::of(v) {
        return Ok(bytearray::snapshot(buffer));
    }
    if let Some(parts) = memoryview::of(v).and_then(memoryview::parts) {
        return Ok(parts.bytes());
    }
    if th.lookup_special(v, "__bytes__").is_some() {
        let made = th.call_method(v, "__bytes__", &[])?;
        if let Some(bytes) = bytes::as_bytes(made) {
            return Ok(bytes.to_vec());
        }
    }
    let got = type_name(v);
    Err(th.type_error(format!(
        "%b requires a bytes-like object, or an object that implements __bytes__, not '{got}'"
    )))
}

/// `%c` of a bytes format.
fn byte(m: &mut Mutator, v: Value) -> R<String> {
    let v = bytearray::of(v).map_or(Ok(v), |buffer| m.new_bytes(&bytearray::snapshot(buffer)))?;
    if let Some([b]) = bytes::as_bytes(v) {
        return Ok(char::from(*b).to_string());
    }
    if !matches!(types::kind_of(v), Kind::Int | Kind::Bool) {
        return Err(m.type_error("%c requires an integer in range(256) or a single byte"));
    }
    match int::as_i64(v).and_then(|n| u8::try_from(n).ok()) {
        Some(b) => Ok(char::from(b).to_string()),
        None => Err(m.raise(Exc::OverflowError, "%c arg not in range(256)")),
    }
}

fn character(m: &mut Mutator, v: Value) -> R<String> {
    if let Some(text) = str::as_str(v) {
        let mut chars = text.chars();
        if let (Some(c), None) = (chars.next(), chars.next()) {
            return Ok(c.to_string());
        }
    } else if matches!(types::kind_of(v), Kind::Int | Kind::Bool) {
        return match int::as_i64(v).and_then(|n| u32::try_from(n).ok()).and_then(char::from_u32) {
            Some(c) => Ok(c.to_string()),
            None => Err(m.raise(Exc::OverflowError, "%c arg not in range(0x110000)")),
        };
    }
    Err(m.type_error("%c requires int or char"))
}

fn integer(th: &mut Thread, c: &Conversion, v: Value, out: &mut String) -> R<()> {
    let v = to_int(th, c.ty, c.bytes, v)?;
    let radix = match c.ty {
        'o' => 8,
        'x' | 'X' => 16,
        _ => 10,
    };
    let (negative, mut digits) = digits(v, radix).map_err(|bad| bad.raise(th))?;
    let least = c.precision.unwrap_or(0);
    if digits.len() < least {
        digits.insert_str(0, &"0".repeat(least - digits.len()));
    }
    let prefix = match c.ty {
        'o' if c.alternate => "0o",
        'x' if c.alternate => "0x",
        'X' if c.alternate => "0X",
        _ => "",
    };
    if c.ty == 'X' {
        digits.make_ascii_uppercase();
    }
    pad(out, c, sign(c, negative), prefix, &digits, true);
    Ok(())
}

/// The int that an integer conversion shows: `%d` cuts floats, the others take ints only.
fn to_int(th: &mut Thread, ty: char, bytes: bool, v: Value) -> R {
    if matches!(types::kind_of(v), Kind::Int | Kind::Bool) {
        return Ok(v);
    }
    if matches!(ty, 'o' | 'x' | 'X') {
        return match asked(th, v, "__index__")? {
            Some(n) => Ok(n),
            None => {
                let got = type_name(v);
                Err(th.type_error(format!("%{ty} format: an integer is required, not {got}")))
            }
        };
    }
    if let Some(f) = float::as_f64(v) {
        return cut(th, f);
    }
    // Only what has no `__int__` is asked for `__index__`, as `int` does.
    let name = if th.lookup_special(v, "__int__").is_some() { "__int__" } else { "__index__" };
    if let Some(n) = asked(th, v, name)? {
        return Ok(n);
    }
    let ty = if bytes && ty == 'i' { 'd' } else { ty };
    Err(th.type_error(format!("%{ty} format: a real number is required, not {}", type_name(v))))
}

/// What a special method says, if the object has it and it is an int. CPython puts its own words in place of a TypeError's.
fn asked(th: &mut Thread, v: Value, method: &'static str) -> R<Option<Value>> {
    let Some(method) = th.lookup_special(v, method) else { return Ok(None) };
    match th.call(method, &[v]) {
        Ok(n) => Ok(Some(n).filter(|n| int::is_int(*n))),
        Err(_) if th.pending_is(Exc::TypeError) => {
            th.pending = None;
            Ok(None)
        }
        Err(raised) => Err(raised),
    }
}

/// `int(f)`.
fn cut(m: &mut Mutator, f: f64) -> R {
    if f.is_nan() {
        return Err(m.value_error("cannot convert float NaN to integer"));
    }
    match dashu_int::IBig::try_from(f.trunc()) {
        Ok(big) => m.new_bigint(&big),
        Err(_) => Err(m.raise(Exc::OverflowError, "cannot convert float infinity to integer")),
    }
}

fn real(th: &mut Thread, c: &Conversion, v: Value, out: &mut String) -> R<()> {
    let f = to_float(th, c.bytes, v)?;
    let style = Style { ty: c.ty, precision: c.precision.or(Some(6)), alternate: c.alternate };
    let digits = style.digits(f.abs()).map_err(|bad| bad.raise(th))?;
    pad(out, c, sign(c, f.is_sign_negative() && !f.is_nan()), "", &digits, true);
    Ok(())
}

fn to_float(th: &mut Thread, bytes: bool, v: Value) -> R<f64> {
    if let Some(f) = float::as_f64(v) {
        return Ok(f);
    }
    let made =
        if int::is_int(v) { to_f64(v).map(Some).map_err(|bad: Bad| bad.raise(th)) } else { real_opt(th, v) };
    match made {
        Ok(Some(f)) => Ok(f),
        Ok(None) if !bytes => Err(th.type_error(format!("must be real number, not {}", type_name(v)))),
        Err(raised) if !bytes => Err(raised),
        // A bytes format has one answer to whatever went wrong.
        _ => {
            th.pending = None;
            Err(th.type_error(format!("float argument required, not {}", type_name(v))))
        }
    }
}

fn sign(c: &Conversion, negative: bool) -> &'static str {
    match (negative, c.plus, c.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    }
}

/// Appends a converted value, filled up to the width: with zeros between sign and digits if asked, and on the left
/// unless the flag '-' says otherwise.
fn pad(out: &mut String, c: &Conversion, sign: &str, prefix: &str, body: &str, number: bool) {
    let missing = c.width.saturating_sub(sign.len() + prefix.len() + body.chars().count());
    let zeros = number && c.zero && !c.left;
    if !zeros && !c.left {
        out.extend(std::iter::repeat_n(' ', missing));
    }
    out.push_str(sign);
    out.push_str(prefix);
    if zeros {
        out.extend(std::iter::repeat_n('0', missing));
    }
    out.push_str(body);
    if c.left {
        out.extend(std::iter::repeat_n(' ', missing));
    }
}
