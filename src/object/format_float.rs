//! Format types of floats: e f g n % and none. Must not know how the spec was parsed.

use super::float;
use super::format::{Bad, Parts, Spec};
use super::heap;

/// No double has more significant or fractional digits than this; what a precision asks beyond it are zeros.
const MAX_DIGITS: usize = 1100;

/// Formats a float; `type_name` for messages.
pub fn format_float(value: f64, spec: &Spec, type_name: &str) -> Result<String, Bad> {
    let ty = spec.ty.unwrap_or('\0');
    if !matches!(ty, '\0' | 'e' | 'E' | 'f' | 'F' | 'g' | 'G' | 'n' | '%') {
        return Err(spec.unknown_type(type_name));
    }
    if spec.precision.is_some_and(|p| p > i32::MAX as usize) {
        return Err(Bad::value("precision too big"));
    }
    let style = Style { ty, precision: spec.precision, alternate: spec.alternate };
    let value = if ty == '%' { value * 100.0 } else { value };
    let mut text = style.digits(value.abs())?;
    if ty == '%' {
        text.push('%');
    }
    let negative = value.is_sign_negative() && !value.is_nan();
    let zero = || {
        !text
            .bytes()
            .take_while(|b| !matches!(b, b'e' | b'E'))
            .any(|b| matches!(b, b'1'..=b'9' | b'i' | b'I'))
    };
    let negative = negative && !(spec.no_neg_zero && zero());
    let split = text.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(split);
    spec.assemble(&Parts { sign: spec.sign_of(negative), prefix: "", digits, rest, group: 3 })
}

/// How the digits of a float are written.
pub struct Style {
    /// 'e', 'f', 'g' (either case), 'n', '%', or '\0' for `str`'s digits.
    pub ty: char,
    pub precision: Option<usize>,
    /// `#`: keep the point and the trailing zeros.
    pub alternate: bool,
}

impl Style {
    /// The digits of a float that is not negative.
    pub fn digits(&self, value: f64) -> Result<String, Bad> {
        let precision = self.precision.unwrap_or(6);
        if !heap::leaves_room(precision) {
            return Err(Bad::too_long());
        }
        let mut text = match (self.ty, self.precision) {
            _ if value.is_nan() => "nan".to_string(),
            _ if value.is_infinite() => "inf".to_string(),
            ('\0', None) => self.shortest(value),
            ('\0', Some(p)) => self.general(value, p, true),
            ('e' | 'E', _) => self.exponent(value, precision),
            ('g' | 'G' | 'n', _) => self.general(value, precision, false),
            _ => self.fixed(value, precision),
        };
        if self.ty.is_ascii_uppercase() {
            text.make_ascii_uppercase();
        }
        Ok(text)
    }

    fn shortest(&self, value: f64) -> String {
        let text = float::repr(value);
        match text.split_once('e') {
            Some((mantissa, exponent)) if self.alternate && !mantissa.contains('.') => {
                format!("{mantissa}.e{exponent}")
            }
            _ => text,
        }
    }

    fn fixed(&self, value: f64, precision: usize) -> String {
        if !self.alternate
            && let Some(text) = fixed_short(value, precision, &mut [0; 24])
        {
            return text.to_owned();
        }
        let exact = precision.min(MAX_DIGITS);
        let mut text = format!("{value:.exact$}");
        text.extend(std::iter::repeat_n('0', precision - exact));
        if precision == 0 && self.alternate {
            text.push('.');
        }
        text
    }

    fn exponent(&self, value: f64, precision: usize) -> String {
        let (mut digits, exponent) = significant(value, precision + 1);
        if precision > 0 || self.alternate {
            digits.insert(1, '.');
        }
        push_exponent(&mut digits, exponent);
        digits
    }

    /// `g`: `precision` significant digits, in the form that suits the size. `point`: of a float that has no fraction
    /// show ".0".
    fn general(&self, value: f64, precision: usize, point: bool) -> String {
        let precision = precision.max(1);
        let (mut digits, exponent) = significant(value, precision);
        if !self.alternate {
            digits.truncate(digits.trim_end_matches('0').len().max(1));
        }
        let most = precision as i64 - i64::from(point);
        if exponent < -4 || exponent >= most {
            if digits.len() > 1 || self.alternate {
                digits.insert(1, '.');
            }
            push_exponent(&mut digits, exponent);
            return digits;
        }
        if exponent < 0 {
            return format!("0.{}{digits}", "0".repeat((-exponent - 1) as usize));
        }
        let whole = exponent as usize + 1;
        if digits.len() > whole {
            digits.insert(whole, '.');
            return digits;
        }
        digits.extend(std::iter::repeat_n('0', whole - digits.len()));
        if self.alternate || point {
            digits.push('.');
        }
        if point && !self.alternate {
            digits.push('0');
        }
        digits
    }
}

/// The first `n` significant digits, rounded, and the exponent of the first.
fn significant(value: f64, n: usize) -> (String, i64) {
    let exact = (n - 1).min(MAX_DIGITS);
    let text = format!("{value:.exact$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mut digits = mantissa.replace('.', "");
    digits.extend(std::iter::repeat_n('0', n - 1 - exact));
    (digits, exponent.parse().unwrap_or(0))
}

fn push_exponent(out: &mut String, exponent: i64) {
    let sign = if exponent < 0 { '-' } else { '+' };
    out.push_str(&format!("e{sign}{:02}", exponent.unsigned_abs()));
}

/// A float below a billion with up to nine digits behind the point: its exact value times a power of ten is an integer
/// of fewer than 128 bits and a fraction, which is rounded half to even. `None`: another float.
pub fn fixed_short(f: f64, precision: usize, buffer: &mut [u8; 24]) -> Option<&str> {
    const TEN: [u64; 10] =
        [1, 10, 100, 1000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000];
    let scale = *TEN.get(precision)?;
    let bits = f.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1075;
    // Between 2^-74 and 2^30: the point lies inside the product or right before it.
    if !(-126..=-23).contains(&exponent) {
        return None;
    }
    let product = u128::from(bits & ((1 << 52) - 1) | 1 << 52) * u128::from(scale);
    let shift = exponent.unsigned_abs();
    let (whole, rest, half) = (product >> shift, product & ((1 << shift) - 1), 1_u128 << (shift - 1));
    let up = rest > half || rest == half && whole & 1 == 1;
    let rounded = u64::try_from(whole).ok()? + u64::from(up);
    let mut at = buffer.len();
    let mut put = |b: u8| {
        at -= 1;
        if let Some(place) = buffer.get_mut(at) {
            *place = b;
        }
    };
    let (mut n, mut left) = (rounded, precision);
    loop {
        put(b'0' + (n % 10) as u8);
        n /= 10;
        if left == 1 {
            put(b'.');
            put(b'0' + (n % 10) as u8);
            n /= 10;
        }
        left = left.saturating_sub(1);
        if n == 0 && left == 0 {
            break;
        }
    }
    if f.is_sign_negative() {
        put(b'-');
    }
    std::str::from_utf8(buffer.get(at..)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What python3.11 gives for `format(value, spec)`; errors begin with '!'.
    #[test]
    #[allow(clippy::approx_constant)] // the digits are the point, not the number
    fn as_python_formats() {
        for (value, text, expected) in [
            (3.14159, "+", "+3.14159"),
            (3.14159, ".2", "3.1"),
            (3.14159, ".0", "3e+00"),
            (3.14159, "^12.1", "   3e+00    "),
            (3.14159, "x^12", "xx3.14159xxx"),
            (3.14159, ",%", "314.159000%"),
            (3.14159, "é>10", "ééé3.14159"),
            (3.14159, ".40g", "3.14158999999999988261834005243144929409"),
            (3.14159, "d", "! Unknown format code 'd' for object of type 'float'"),
            (3.14159, "1.1.1", "! Invalid format specifier '1.1.1' for object of type 'float'"),
            (1234.5, "010,", "0,001,234.5"),
            (1234.5, "012,.2f", "0,001,234.50"),
            (1234.5, "_.1f", "1_234.5"),
            (1234.5, "=+12", "+     1234.5"),
            (1234.5, "^010", "001234.500"),
            (-0.04, "z.1f", "0.0"),
            (-0.04, ".1f", "-0.0"),
            (1e+16, ",", "1e+16"),
            (1e+16, "#", "1.e+16"),
            (1e+16, "f", "10000000000000000.000000"),
            (0.1, ".30f", "0.100000000000000005551115123126"),
            (0.1, ".3e", "1.000e-01"),
            (123.0, ".3", "1.23e+02"),
            (123.0, ".4", "123.0"),
            (123.0, "#.0f", "123."),
            (123.0, "#g", "123.000"),
            (123.0, "G", "123"),
            (123.0, "n", "123"),
            (f64::INFINITY, "010", "0000000inf"),
            (f64::INFINITY, "F", "INF"),
            (f64::INFINITY, "%", "inf%"),
            (f64::NAN, "+010.2f", "+000000nan"),
            (f64::NAN, "E", "NAN"),
            (5e-324, ".3g", "4.94e-324"),
            (1e-05, "g", "1e-05"),
            (1e-05, "G", "1E-05"),
            (1e-05, ".3%", "0.001%"),
            (2.5, ".0f", "2"),
            (2.5, "#.0e", "2.e+00"),
            (2.5, ".2147483648f", "! precision too big"),
        ] {
            let made = Spec::parse(text, true, "float").and_then(|spec| format_float(value, &spec, "float"));
            assert_eq!(made.unwrap_or_else(|bad| format!("! {}", bad.message)), expected, "{value} {text:?}");
        }
    }
}
