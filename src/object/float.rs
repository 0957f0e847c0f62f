//! Floats: their boxes, their text, and arithmetic as Python defines it. Must not know how scripts call it.

use super::bigint::{self, COMPLEX, NumError};
use super::error::R;
use super::layout::Float;
use super::mutator::Mutator;
use super::types::cast;
use super::unicode;
use super::value::Value;
pub use zmij::Buffer;

impl Mutator {
    /// A float.
    #[inline(always)]
    pub fn new_float(&mut self, f: f64) -> R {
        match Value::inline_float(f) {
            Some(v) => Ok(v),
            None => self.box_float(f),
        }
    }

    /// A float of a class derived from `float`: always a box, with room for the attribute word. `shape` is the class's
    /// root.
    pub fn new_float_subclass(&mut self, shape: u32, f: f64) -> R {
        let p = self.alloc_as::<Float>(super::Kind::Float, shape, 8)?;
        // SAFETY: freshly allocated, of this size, and not shared yet.
        unsafe {
            (&raw mut (*p).value).write(f);
            (*p).hdr.flags.fetch_or(super::header::flag::SUBCLASS, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(Value::from_addr(p.addr()))
    }

    #[cold]
    #[inline(never)]
    fn box_float(&mut self, f: f64) -> R {
        let p = self.alloc::<Float>(0)?;
        // SAFETY: freshly allocated, of this size, and not shared yet.
        unsafe { (&raw mut (*p).value).write(f) };
        Ok(Value::from_addr(p.addr()))
    }
}

/// The float, if `v` is one.
#[inline(always)]
pub fn as_f64(v: Value) -> Option<f64> {
    if v.is_inline_float() { Some(v.float_unchecked()) } else { boxed(v) }
}

fn boxed(v: Value) -> Option<f64> {
    cast::<Float>(v).map(|f| f.value)
}

/// `a % b`; `b` is not 0.
pub fn modulo(a: f64, b: f64) -> f64 {
    let r = a % b;
    if r == 0.0 {
        0f64.copysign(b)
    } else if (r < 0.0) != (b < 0.0) {
        r + b
    } else {
        r
    }
}

/// `a // b`; `b` is not 0.
pub fn floor_div(a: f64, b: f64) -> f64 {
    let r = a % b;
    let mut q = (a - r) / b;
    if r != 0.0 && (r < 0.0) != (b < 0.0) {
        q -= 1.0;
    }
    if q == 0.0 {
        return 0f64.copysign(a / b);
    }
    let whole = q.floor();
    if q - whole > 0.5 { whole + 1.0 } else { whole }
}

/// `a ** b`.
pub fn pow(a: f64, b: f64) -> Result<f64, NumError> {
    if a == 1.0 || b == 0.0 {
        return Ok(1.0);
    }
    if a.is_nan() || b.is_nan() {
        return Ok(f64::NAN);
    }
    if a == 0.0 && b < 0.0 && b.is_finite() {
        return Err(NumError::ZeroDivision("0.0 cannot be raised to a negative power"));
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b.floor() != b {
        return Err(COMPLEX);
    }
    let f = a.powf(b);
    if f.is_infinite() && a.is_finite() && b.is_finite() { Err(NumError::Range) } else { Ok(f) }
}

/// Python's hash of a float; NaN has none of its own.
pub fn hash(f: f64) -> Option<i64> {
    const INFINITY: i64 = 314_159;
    if f.is_nan() {
        return None;
    }
    if f.is_infinite() {
        return Some(if f > 0.0 { INFINITY } else { -INFINITY });
    }
    let (m, e) = bigint::decode(f);
    Some(bigint::hash_scaled(m, e))
}

/// The shortest digits that read back as this finite, positive float, and how many of them stand before the point.
pub fn shortest(f: f64) -> (String, i32) {
    let mut buffer = Buffer::new();
    let text = buffer.format_finite(f.abs());
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let leading = digits.len() - digits.trim_start_matches('0').len();
    let point = whole.len() as i32 - leading as i32 + exponent.parse::<i32>().unwrap_or(0);
    let digits = digits.trim_matches('0');
    if digits.is_empty() { ("0".to_string(), 1) } else { (digits.to_string(), point) }
}

/// As `repr` and `str` show a float whose digits need no exponent and no rearranging: most.
pub fn plain_repr(f: f64, buffer: &mut Buffer) -> Option<&str> {
    if !(1e-4..1e16).contains(&f.abs()) {
        return None;
    }
    let text = buffer.format_finite(f);
    text.bytes().all(|b| b != b'e').then_some(text)
}

/// As `repr` and `str` show a float.
pub fn repr(f: f64) -> String {
    if let Some(text) = plain_repr(f, &mut Buffer::new()) {
        return text.to_owned();
    }
    if f.is_nan() {
        return "nan".to_string();
    }
    let sign = if f.is_sign_negative() { "-" } else { "" };
    if f.is_infinite() {
        return format!("{sign}inf");
    }
    let (digits, point) = shortest(f);
    let n = digits.len() as i32;
    if !(-3..=16).contains(&point) {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let exponent = point - 1;
        let sign_e = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{dot}{rest}e{sign_e}{:02}", exponent.abs());
    }
    if point <= 0 {
        format!("{sign}0.{}{digits}", "0".repeat(-point as usize))
    } else if point >= n {
        format!("{sign}{digits}{}.0", "0".repeat((point - n) as usize))
    } else {
        let (whole, fraction) = digits.split_at(point as usize);
        format!("{sign}{whole}.{fraction}")
    }
}

/// Reads a float as the constructor does: spaces around it, underscores between digits, `inf` and `nan`.
pub fn parse(text: &str) -> Option<f64> {
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return text.parse().ok();
    }
    let text = text.trim_matches(unicode::is_space);
    let mut plain = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let c = unicode::decimal(c).and_then(|d| char::from_digit(d, 10)).unwrap_or(c);
        if c == '_' {
            let after = chars.peek().copied().and_then(unicode::decimal);
            if !before.is_ascii_digit() || after.is_none() {
                return None;
            }
        } else {
            plain.push(c);
        }
        before = c;
    }
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(&plain);
    let number = unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    let name = ["inf", "infinity", "nan"].iter().any(|name| unsigned.eq_ignore_ascii_case(name));
    if !number && !name {
        return None;
    }
    let f = plain.parse::<f64>().ok()?;
    // The sign of a NaN is not read.
    Some(if f.is_nan() { f64::NAN } else { f })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_floats() {
        let cases = [
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (9999999999999998.0, "9999999999999998.0"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (1e-5, "1e-05"),
            (0.0001, "0.0001"),
            (1.5e-7, "1.5e-07"),
            (0.1, "0.1"),
            (100.0, "100.0"),
            (-0.0, "-0.0"),
            (5e-324, "5e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NEG_INFINITY, "-inf"),
            (12.5, "12.5"),
        ];
        for (f, text) in cases {
            assert_eq!(repr(f), text);
        }
    }

    #[test]
    fn reading_floats() {
        assert_eq!(parse(" 1_0.5\n"), Some(10.5));
        assert_eq!(parse("-.5e-1"), Some(-0.05));
        assert_eq!(parse("1."), Some(1.0));
        assert_eq!(parse("+INF"), Some(f64::INFINITY));
        assert!(parse("-nan").is_some_and(f64::is_nan));
        for bad in ["", "x", "1__0", "_1", "1_", "1_.5", "1 2", ".", "e5", "infin", "1e", "--1", "0x10"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn division() {
        assert_eq!((floor_div(-7.5, 2.0), modulo(-7.5, 2.0)), (-4.0, 0.5));
        assert_eq!((floor_div(7.0, -2.0), modulo(7.0, -2.0)), (-4.0, -1.0));
        assert_eq!(modulo(3.0, -0.5).to_bits(), (-0.0f64).to_bits());
        assert_eq!(floor_div(0.7, 0.1), 6.0);
    }
}
