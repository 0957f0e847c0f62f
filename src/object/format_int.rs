//! Format types of ints: b c d n o x X, and the float ones by conversion. Must not know how the spec was parsed.

use super::error::Exc;
use super::format::{Bad, Parts, Spec};
use super::format_float::format_float;
use super::{Value, int};

/// Formats an int or bool; `type_name` for messages.
pub fn format_int(v: Value, spec: &Spec, type_name: &str) -> Result<String, Bad> {
    match spec.ty.unwrap_or('d') {
        'd' | 'n' => integer(v, spec, 10),
        'b' => integer(v, spec, 2),
        'o' => integer(v, spec, 8),
        'x' | 'X' => integer(v, spec, 16),
        'c' => character(v, spec),
        'e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%' => format_float(to_f64(v)?, spec, type_name),
        _ => Err(spec.unknown_type(type_name)),
    }
}

fn check(spec: &Spec) -> Result<(), Bad> {
    if spec.precision.is_some() {
        return Err(Bad::value("Precision not allowed in integer format specifier"));
    }
    if spec.no_neg_zero {
        return Err(Bad::value("Negative zero coercion (z) not allowed in integer format specifier"));
    }
    Ok(())
}

fn integer(v: Value, spec: &Spec, radix: u8) -> Result<String, Bad> {
    check(spec)?;
    let (negative, mut digits) = digits(v, radix)?;
    let upper = spec.ty == Some('X');
    if upper {
        digits.make_ascii_uppercase();
    }
    let prefix = match radix {
        _ if !spec.alternate => "",
        2 => "0b",
        8 => "0o",
        16 if upper => "0X",
        16 => "0x",
        _ => "",
    };
    let group = if radix == 10 { 3 } else { 4 };
    spec.assemble(&Parts { sign: spec.sign_of(negative), prefix, digits: &digits, rest: "", group })
}

fn character(v: Value, spec: &Spec) -> Result<String, Bad> {
    check(spec)?;
    if spec.sign.is_some() {
        return Err(Bad::value("Sign not allowed with integer format specifier 'c'"));
    }
    if spec.alternate {
        return Err(Bad::value("Alternate form (#) not allowed with integer format specifier 'c'"));
    }
    if int::as_i64(v).is_none() {
        return Err(Bad {
            exc: Exc::OverflowError,
            message: "Python int too large to convert to C long".into(),
        });
    }
    let code = int::as_i64(v).and_then(|n| u32::try_from(n).ok()).filter(|n| *n < 0x11_0000);
    let overflow = || Bad { exc: Exc::OverflowError, message: "%c arg not in range(0x110000)".into() };
    let Some(c) = char::from_u32(code.ok_or_else(overflow)?) else {
        return Err(Bad::value("surrogates are not characters in Mini"));
    };
    spec.assemble(&Parts { sign: "", prefix: "", digits: "", rest: c.encode_utf8(&mut [0; 4]), group: 3 })
}

/// Sign and digits of an int or bool in base 2, 8, 10 or 16, lower case; an error for too many decimal ones.
pub fn digits(v: Value, radix: u8) -> Result<(bool, String), Bad> {
    let Some(n) = int::as_i64(v) else {
        let text = match radix {
            10 => int::decimal_within_limit(v).map_err(Bad::value)?,
            _ => int::to_ibig(v).unwrap_or_default().in_radix(radix).to_string(),
        };
        return Ok(match text.strip_prefix('-') {
            Some(digits) => (true, digits.to_string()),
            None => (false, text),
        });
    };
    let size = n.unsigned_abs();
    let text = match radix {
        2 => format!("{size:b}"),
        8 => format!("{size:o}"),
        16 => format!("{size:x}"),
        _ => size.to_string(),
    };
    Ok((n < 0, text))
}

/// An int as a float, correctly rounded.
pub fn to_f64(v: Value) -> Result<f64, Bad> {
    let f = match int::as_i64(v) {
        Some(n) => n as f64,
        None => int::to_ibig(v).unwrap_or_default().to_f64().value(),
    };
    if f.is_finite() {
        Ok(f)
    } else {
        Err(Bad { exc: Exc::OverflowError, message: "int too large to convert to float".into() })
    }
}
