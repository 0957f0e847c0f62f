//! Number literals: their values, and what is wrong with those that are none. Knows nothing of other tokens.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::ast::Constant;

/// CPython refuses decimal integers of more digits, because converting them takes quadratic time.
static MAX_DECIMAL_DIGITS: AtomicUsize = AtomicUsize::new(4300);

/// Sets how many decimal digits an integer literal may have; 0: any number.
pub fn set_max_decimal_digits(most: usize) {
    MAX_DECIMAL_DIGITS.store(most, Ordering::Relaxed);
}

/// Why a number is malformed, and where in its text.
#[derive(Debug, PartialEq)]
pub struct BadNumber {
    pub message: String,
    pub span: Range<usize>,
}

/// Checks what follows the number that `text` starts with; `length` is how far it is well formed. A number
/// glued to a keyword (`1if x else y`) is allowed, glued to anything else it is an error.
pub fn malformed(text: &str, length: usize) -> Option<BadNumber> {
    let rest = text.get(length..)?;
    let next = rest.chars().next()?;
    let glued = next.is_ascii_alphanumeric() || next == '_' || !next.is_ascii();
    // The letter of `0or` is taken for that of an octal number.
    if !glued || starts_with_keyword(rest) && !text.starts_with("0or") {
        return None;
    }
    let explained = match radix(text) {
        Some((name, radix)) => in_radix(text, name, radix),
        None => in_decimal(text, length),
    };
    Some(explained)
}

/// What is to be said about a number that is well formed as far as `length`, and glued to a keyword.
pub fn doubtful(text: &str, length: usize) -> Option<String> {
    if !starts_with_keyword(text.get(length..)?) {
        return None;
    }
    let kind = match radix(text) {
        Some((name, _)) => name,
        None => without_radix(text.get(..length)?),
    };
    Some(format!("invalid {kind} literal"))
}

/// The name and the base of the kind of number that the second letter of `text` announces.
fn radix(text: &str) -> Option<(&'static str, u32)> {
    let mut letters = text.chars();
    match (letters.next()?, letters.next()?.to_ascii_lowercase()) {
        ('0', 'x') => Some(("hexadecimal", 16)),
        ('0', 'o') => Some(("octal", 8)),
        ('0', 'b') => Some(("binary", 2)),
        _ => None,
    }
}

fn without_radix(number: &str) -> &'static str {
    if number.ends_with(['j', 'J']) { "imaginary" } else { "decimal" }
}

fn starts_with_keyword(rest: &str) -> bool {
    let is_word = |word: &str| {
        let after = rest.strip_prefix(word).and_then(|after| after.chars().next());
        after.is_none_or(|next| !(next.is_ascii_alphanumeric() || next == '_' || !next.is_ascii()))
            && rest.starts_with(word)
    };
    // CPython does not look beyond the second letter of these.
    let is_short = ["if", "in", "is"].iter().any(|word| rest.starts_with(word));
    is_short || ["and", "else", "for", "or", "not"].iter().any(|word| is_word(word))
}

/// An error whose place is the last character before byte `end`.
fn ending_at(message: String, end: usize) -> BadNumber {
    let at = end.saturating_sub(1);
    BadNumber { message, span: at..at }
}

fn in_radix(text: &str, name: &str, radix: u32) -> BadNumber {
    let mut end = 2;
    loop {
        let underscore = text.get(end..end + 1) == Some("_");
        let digit_at = end + usize::from(underscore);
        match text.get(digit_at..).and_then(|rest| rest.chars().next()) {
            Some(digit) if digit.is_digit(radix) => end = digit_at + 1,
            Some(digit) if digit.is_ascii_digit() => {
                return ending_at(format!("invalid digit '{digit}' in {name} literal"), digit_at + 1);
            }
            _ => return ending_at(format!("invalid {name} literal"), digit_at),
        }
    }
}

fn in_decimal(text: &str, length: usize) -> BadNumber {
    let rest = text.get(length..).unwrap_or("");
    let number = text.get(..length).unwrap_or("");
    let kind = without_radix(number);
    let invalid = |end| ending_at(format!("invalid {kind} literal"), end);
    let is_integer = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let mut after = rest.bytes();
    match after.next() {
        Some(b'_') if is_integer && number.starts_with('0') && starts_with_digit(rest, 1) => {
            leading_zeros(text)
        }
        Some(b'_') if number.ends_with(|last: char| last.is_ascii_digit()) => invalid(length + 1),
        Some(b'e' | b'E') if matches!(after.next(), Some(b'+' | b'-')) => invalid(length + 2),
        Some(digit) if digit.is_ascii_digit() => leading_zeros(text),
        _ => invalid(length),
    }
}

fn starts_with_digit(text: &str, at: usize) -> bool {
    text.as_bytes().get(at).is_some_and(u8::is_ascii_digit)
}

/// `text` starts with a zero and goes on with digits that are not all zeros.
fn leading_zeros(text: &str) -> BadNumber {
    let bytes = text.as_bytes();
    let is_part = |at: usize| match bytes.get(at) {
        Some(b'_') => starts_with_digit(text, at + 1),
        Some(byte) => byte.is_ascii_digit(),
        None => false,
    };
    let length = (0..).take_while(|&at| is_part(at)).count();
    let invalid = |end| ending_at("invalid decimal literal".to_string(), end);
    match bytes.get(length) {
        Some(b'_') => return invalid(length + 1),
        Some(b'e' | b'E') if matches!(bytes.get(length + 1), Some(b'+' | b'-')) => {
            return invalid(length + 2);
        }
        Some(b'e' | b'E') => return invalid(length),
        _ => {}
    }
    let zeros = bytes.iter().take_while(|&&byte| byte == b'0' || byte == b'_').count();
    BadNumber {
        message: "leading zeros in decimal integer literals are not permitted; \
                  use an 0o prefix for octal integers"
            .to_string(),
        span: 0..zeros,
    }
}

/// The value of a well-formed integer literal.
pub fn integer(text: &str) -> Result<Constant, String> {
    let digits: String = text.chars().filter(|&digit| digit != '_').collect::<String>().to_ascii_lowercase();
    let (radix, digits) = match digits.get(..2) {
        Some("0x") => (16, digits.get(2..).unwrap_or("")),
        Some("0o") => (8, digits.get(2..).unwrap_or("")),
        Some("0b") => (2, digits.get(2..).unwrap_or("")),
        _ => (10, digits.as_str()),
    };
    let digits = digits.trim_start_matches('0');
    let digits = if digits.is_empty() { "0" } else { digits };
    if let Ok(small) = i64::from_str_radix(digits, radix) {
        return Ok(Constant::Int(small));
    }
    match radix {
        10 => {
            let most = MAX_DECIMAL_DIGITS.load(Ordering::Relaxed);
            if most != 0 && digits.len() > most {
                return Err(too_many_digits(digits.len(), most));
            }
            Ok(Constant::BigInt { radix, digits: digits.into() })
        }
        16 => Ok(Constant::BigInt { radix, digits: digits.into() }),
        _ => Ok(Constant::BigInt { radix: 16, digits: to_hexadecimal(digits, radix).into() }),
    }
}

fn too_many_digits(count: usize, most: usize) -> String {
    format!(
        "Exceeds the limit ({most} digits) for integer string conversion: value has {count} digits; \
         use sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer literals \
         to avoid decimal conversion limits."
    )
}

/// Octal or binary digits without leading zeros, regrouped in fours of bits.
fn to_hexadecimal(digits: &str, radix: u32) -> String {
    let width = radix.trailing_zeros();
    let bits: Vec<u8> = digits
        .chars()
        .flat_map(|digit| {
            let value = digit.to_digit(radix).unwrap_or(0);
            (0..width).rev().map(move |bit| (value >> bit & 1) as u8)
        })
        .collect();
    let hexadecimal: String = bits
        .rchunks(4)
        .rev()
        .map(|nibble| nibble.iter().fold(0, |value, &bit| value << 1 | u32::from(bit)))
        .filter_map(|value| char::from_digit(value, 16))
        .collect();
    hexadecimal.trim_start_matches('0').to_string()
}

/// The value of a well-formed float literal.
pub fn float(text: &str) -> f64 {
    let digits: String = text.chars().filter(|&digit| digit != '_').collect();
    // Rust's float syntax is a superset of what the token's regular expression admits, so this cannot fail.
    digits.parse().unwrap_or(f64::NAN)
}
