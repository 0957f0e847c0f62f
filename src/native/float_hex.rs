//! Floats in hexadecimal, as `float.hex` writes and `float.fromhex` reads them. Must not know values.

use crate::object::bigint::{self, NumError};
use crate::object::unicode;

/// `-0x1.8000000000000p+1`.
pub fn show(f: f64) -> String {
    let sign = if f.is_sign_negative() { "-" } else { "" };
    if !f.is_finite() {
        return crate::object::float::repr(f);
    }
    if f == 0.0 {
        return format!("{sign}0x0.0p+0");
    }
    let (mantissa, exponent) = bigint::decode(f);
    let mantissa = mantissa.unsigned_abs();
    format!("{sign}0x{}.{:013x}p{:+}", mantissa >> 52, mantissa & ((1 << 52) - 1), exponent + 52)
}

const INVALID: NumError = NumError::Value("invalid hexadecimal floating-point string");
const TOO_LARGE: NumError = NumError::Overflow("hexadecimal value too large to represent as a float");

/// Reads what `show` writes, and whatever else has hexadecimal digits, a point and a binary exponent.
pub fn read(text: &str) -> Result<f64, NumError> {
    let text = text.trim_matches(unicode::is_space).to_ascii_lowercase();
    let (negative, text) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text.as_str()),
    };
    let f = match text {
        "inf" | "infinity" => f64::INFINITY,
        "nan" => f64::NAN,
        _ => read_digits(text.strip_prefix("0x").unwrap_or(text))?,
    };
    Ok(if negative { -f } else { f })
}

fn read_digits(text: &str) -> Result<f64, NumError> {
    let (digits, exponent) = match text.split_once('p') {
        Some((digits, exponent)) => (digits, read_exponent(exponent)?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.len() + fraction.len() == 0 {
        return Err(INVALID);
    }
    // Sixteen digits and a trace of those that follow decide how the float is rounded.
    let (mut mantissa, mut dropped) = (0u64, 0i64);
    for c in whole.chars().chain(fraction.chars()) {
        let digit = c.to_digit(16).ok_or(INVALID)? as u64;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
        } else {
            mantissa |= (digit != 0) as u64;
            dropped += 1;
        }
    }
    let exponent = exponent.saturating_add((dropped - fraction.len() as i64) * 4);
    bigint::scale(mantissa, exponent).ok_or(TOO_LARGE)
}

/// The binary exponent; one that is out of all bounds counts as very large or small.
fn read_exponent(text: &str) -> Result<i64, NumError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(INVALID);
    }
    const FAR: i64 = 1 << 40;
    let size = digits.parse::<i64>().unwrap_or(FAR).min(FAR);
    Ok(if text.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_and_read() {
        assert_eq!(show(0.1), "0x1.999999999999ap-4");
        assert_eq!(show(5e-324), "0x0.0000000000001p-1022");
        assert_eq!(show(-0.0), "-0x0.0p+0");
        for f in [0.1, -3.5, 5e-324, f64::MAX, 1e-310, 0.0, f64::INFINITY] {
            assert_eq!(read(&show(f)), Ok(f));
        }
        assert_eq!(read(" 0x1.8p3 "), Ok(12.0));
        assert_eq!(read("a.8"), Ok(10.5));
        assert_eq!(read("0x1.00000000000008p0"), Ok(1.0), "half way: to even");
        assert_eq!(read("0x1.000000000000080000001p0"), Ok(1.0 + f64::EPSILON));
        assert_eq!(read("0x1p-999999999999999999999"), Ok(0.0));
        assert_eq!(read("0x1p5000"), Err(TOO_LARGE));
        for bad in ["", "zz", "0x", "0x1p", "0x1p+", "1.2.3", "0x1 p3", "p5"] {
            assert_eq!(read(bad), Err(INVALID), "{bad}");
        }
    }
}
