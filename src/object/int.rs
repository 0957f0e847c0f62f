//! Ints as values: words, boxes with limbs, reading and writing them as text.
//! Must not know operators (`num`) nor how big integers calculate (`bigint`).

pub use super::bigint::{IBig, Sign, UBig};
use super::bigint::{NumError, check_bits};
use super::error::{Exc, R};
use super::layout::Int;
use super::limbs::Out;
use super::mutator::Mutator;
use super::types::cast;
use super::unicode;
use super::value::Value;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Most decimal digits that are read or written: work grows faster than the number of digits. 0: no limit.
static MAX_DIGITS: AtomicUsize = AtomicUsize::new(4300);

/// `sys.get_int_max_str_digits`.
pub fn max_str_digits() -> usize {
    MAX_DIGITS.load(Ordering::Relaxed)
}

/// `sys.set_int_max_str_digits`.
pub fn set_max_str_digits(n: usize) {
    MAX_DIGITS.store(n, Ordering::Relaxed);
}

impl Mutator {
    /// An int of any value of the machine's word.
    #[inline(always)]
    pub fn new_int(&mut self, n: i64) -> R {
        match Value::small(n) {
            Some(v) => Ok(v),
            None => self.box_int(n < 0, &[n.unsigned_abs()]),
        }
    }

    /// An int of any unsigned word.
    pub fn new_uint(&mut self, n: u64) -> R {
        match i64::try_from(n) {
            Ok(n) => self.new_int(n),
            Err(_) => self.box_int(false, &[n]),
        }
    }

    /// An int of any size.
    pub fn new_bigint(&mut self, n: &IBig) -> R {
        let (sign, words) = n.as_sign_words();
        match i64::try_from(n) {
            Ok(small) => self.new_int(small),
            Err(_) => self.box_int(sign == Sign::Negative, words),
        }
    }

    /// An int of a class derived from `int`: always a box, with room for the attribute word. `shape` is the class's root.
    pub fn new_int_subclass(&mut self, shape: u32, n: &IBig) -> R {
        let (sign, words) = n.as_sign_words();
        let p = self.alloc_as::<Int>(super::Kind::Int, shape, size_of_val(words) + 8)?;
        Ok(fill(p, sign == Sign::Negative, words, true))
    }

    /// An int whose limbs, `n` of them at most, `fill` writes in place, every one.
    ///
    /// # Safety
    /// `fill` must write all of the limbs it gets.
    pub unsafe fn new_int_in_place(&mut self, negative: bool, n: usize, fill: impl FnOnce(Out)) -> R {
        let p = self.alloc_leaf::<Int>(n * 8)?;
        // SAFETY: freshly allocated with room for the limbs, not shared yet; the caller promises that all are written.
        let words = unsafe {
            let words = (&raw mut (*p).limbs).cast::<u64>();
            fill(std::slice::from_raw_parts_mut(words.cast(), n));
            std::slice::from_raw_parts(words, n)
        };
        let len = words.iter().rposition(|w| *w != 0).map_or(0, |top| top + 1);
        let low = i64::try_from(words.first().copied().unwrap_or(0));
        if let (0 | 1, Ok(size)) = (len, low)
            && let Some(v) = Value::small(if negative { -size } else { size })
        {
            // SAFETY: as above; the box, which is garbage from now on, must look like one.
            unsafe { (&raw mut (*p).len).write(0) };
            return Ok(v);
        }
        // SAFETY: as above.
        unsafe { (&raw mut (*p).len).write(if negative { -(len as i64) } else { len as i64 }) };
        Ok(Value::from_addr(p.addr()))
    }

    /// An int of these limbs, which have no leading zeros.
    pub fn new_int_of(&mut self, negative: bool, words: &[u64]) -> R {
        match *words {
            [] => Ok(Value::int_unchecked(0)),
            [one] if let Ok(n) = i64::try_from(one) => self.new_int(if negative { -n } else { n }),
            _ => self.box_int(negative, words),
        }
    }

    #[cold]
    #[inline(never)]
    fn box_int(&mut self, negative: bool, words: &[u64]) -> R {
        let p = self.alloc_leaf::<Int>(size_of_val(words))?;
        Ok(fill(p, negative, words, false))
    }
}

/// Writes a fresh box, which has room for these limbs.
fn fill(p: *mut Int, negative: bool, words: &[u64], subclass: bool) -> Value {
    let len = words.len() as i64;
    // SAFETY: freshly allocated by the callers with room for the limbs, and not shared yet.
    unsafe {
        (&raw mut (*p).len).write(if negative { -len } else { len });
        (&raw mut (*p).limbs).cast::<u64>().copy_from_nonoverlapping(words.as_ptr(), words.len());
        if subclass {
            (*p).hdr.flags.fetch_or(super::header::flag::SUBCLASS, Ordering::Relaxed);
        }
    }
    Value::from_addr(p.addr())
}

/// Limbs of a box, least first.
pub fn limbs(n: &Int) -> &[u64] {
    // SAFETY: a box has as many limbs behind its fixed part as its length says.
    unsafe { std::slice::from_raw_parts(n.limbs.as_ptr(), n.len.unsigned_abs() as usize) }
}

/// A bool as the int it stands for; anything else as it is.
#[inline]
pub fn without_bool(v: Value) -> Value {
    if v.is_bool() { Value::int_unchecked((v == Value::TRUE) as i64) } else { v }
}

/// Sign and limbs of an int; those of a word are put in `word`.
#[inline]
pub fn sign_and_limbs(v: Value, word: &mut [u64; 1]) -> Option<(bool, &[u64])> {
    if let Some(n) = v.as_small() {
        *word = [n.unsigned_abs()];
        return Some((n < 0, if n == 0 { &[] } else { word }));
    }
    cast::<Int>(v).map(|n| (n.len < 0, limbs(n)))
}

/// Whether `v` is an int or a bool.
#[inline]
pub fn is_int(v: Value) -> bool {
    v.is_small_int() || v.is_bool() || cast::<Int>(v).is_some()
}

/// Any int or bool that fits.
#[inline]
pub fn as_i64(v: Value) -> Option<i64> {
    if v.is_small_int() { Some(v.small_unchecked()) } else { unusual_i64(v) }
}

fn unusual_i64(v: Value) -> Option<i64> {
    if v.is_bool() {
        return Some((v == Value::TRUE) as i64);
    }
    let n = cast::<Int>(v)?;
    let size = match limbs(n) {
        [] => 0,
        [one] => *one as i128,
        _ => return None,
    };
    i64::try_from(if n.len < 0 { -size } else { size }).ok()
}

/// Any int or bool, as a big integer.
pub fn to_ibig(v: Value) -> Option<IBig> {
    if let Some(n) = as_i64(v) {
        return Some(IBig::from(n));
    }
    let n = cast::<Int>(v)?;
    let sign = if n.len < 0 { Sign::Negative } else { Sign::Positive };
    Some(IBig::from_sign_words(sign, limbs(n)))
}

/// As `to_ibig`, for ints and bools; MemoryError if there is no room to calculate with it.
pub fn big(m: &mut Mutator, v: Value) -> R<IBig> {
    check_room(v).map_err(|error| super::num::raise(m, error))?;
    Ok(to_ibig(v).unwrap_or_default())
}

/// Whether there is room to calculate with `v`, if it is an int.
pub fn check_room(v: Value) -> Result<(), NumError> {
    match cast::<Int>(v) {
        Some(n) => check_bits(limbs(n).len() as u128 * 64),
        None => Ok(()),
    }
}

/// Whether there is room for the digits of `v`, if it is an int, in such a base.
pub fn check_room_for_text(v: Value, radix: u8) -> Result<(), NumError> {
    // A digit is one byte, and stands for this many bits at least.
    let bits = u128::from(radix.max(2).ilog2());
    cast::<Int>(v).map_or(Ok(()), |n| check_bits(limbs(n).len() as u128 * 64 * 8 / bits))
}

/// Whether an int has more limbs than any float has digits: it is beyond all floats.
pub fn is_beyond_floats(v: Value) -> bool {
    cast::<Int>(v).is_some_and(|n| limbs(n).len() > 17)
}

/// Whether an int is negative; false for anything else.
pub fn is_negative(v: Value) -> bool {
    as_i64(v).map_or_else(|| cast::<Int>(v).is_some_and(|n| n.len < 0), |n| n < 0)
}

/// Any int or bool as the nearest float; OverflowError if there is none.
pub fn to_f64(m: &mut Mutator, v: Value) -> R<f64> {
    let f = match as_i64(v) {
        Some(n) => Some(n as f64),
        None if is_beyond_floats(v) => None,
        None => to_ibig(v).as_ref().and_then(super::bigint::to_f64),
    };
    f.ok_or_else(|| super::num::raise(m, super::bigint::TOO_LARGE))
}

/// The decimal digits of a word, written at the end of `buffer`.
pub fn small_decimal(n: i64, buffer: &mut [u8; 24]) -> &str {
    const PAIRS: &[u8; 200] = b"0001020304050607080910111213141516171819\
        2021222324252627282930313233343536373839\
        4041424344454647484950515253545556575859\
        6061626364656667686970717273747576777879\
        8081828384858687888990919293949596979899";
    let mut at = buffer.len();
    let mut left = n.unsigned_abs();
    while left >= 10 {
        let pair = (left % 100) as usize * 2;
        left /= 100;
        at -= 2;
        buffer[at] = PAIRS[pair];
        buffer[at + 1] = PAIRS[pair + 1];
    }
    if left > 0 || n == 0 {
        at -= 1;
        buffer[at] = b'0' + left as u8;
    }
    if n < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    // SAFETY: digits and a sign: ASCII.
    unsafe { std::str::from_utf8_unchecked(&buffer[at..]) }
}

/// Decimal digits of an int or bool, however many; empty for anything else.
pub fn to_decimal(v: Value) -> String {
    match as_i64(v) {
        Some(n) => n.to_string(),
        None => to_ibig(v).map(|n| n.to_string()).unwrap_or_default(),
    }
}

/// Decimal digits, as `str` and `repr` show an int; ValueError if they are too many.
pub fn decimal(m: &mut Mutator, v: Value) -> R<String> {
    if max_str_digits() == 0 {
        check_room_for_text(v, 10).map_err(|error| super::num::raise(m, error))?;
    }
    decimal_within_limit(v).map_err(|message| m.value_error(message))
}

/// Decimal digits, or what the ValueError says if they are too many.
pub fn decimal_within_limit(v: Value) -> Result<String, String> {
    let limit = max_str_digits();
    let limbs = cast::<Int>(v).map_or(0, |n| limbs(n).len());
    let too_many = "integer string conversion; use sys.set_int_max_str_digits() to increase the limit";
    // A limb has at least 19 digits: do not even begin with what is hopeless.
    if limit == 0 || limbs.saturating_sub(1) * 19 <= limit {
        let text = to_decimal(v);
        if limit == 0 || text.trim_start_matches('-').len() <= limit {
            return Ok(text);
        }
    }
    Err(format!("Exceeds the limit ({limit} digits) for {too_many}"))
}

/// Why a text is no int.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParseError {
    Invalid,
    /// So many decimal digits.
    TooLong(usize),
    /// There is no room for the number.
    Memory,
}

/// Reads an int as the constructor does: spaces around it, underscores between digits. Base 0 asks the prefix.
pub fn parse_text(text: &str, base: u32) -> Result<IBig, ParseError> {
    // A digit is one byte, of which the number takes up to six bits.
    check_bits(text.len() as u128 * 8).map_err(|_| ParseError::Memory)?;
    let text = text.trim_matches(unicode::is_space);
    let (negative, text) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let (prefixed, rest) = match text.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &text[2..]),
        Some("0o") => (8, &text[2..]),
        Some("0b") => (2, &text[2..]),
        _ => (0, text),
    };
    let (radix, digits) = match base {
        0 if prefixed != 0 => (prefixed, rest.strip_prefix('_').unwrap_or(rest)),
        0 => (10, text),
        _ if prefixed == base => (base, rest.strip_prefix('_').unwrap_or(rest)),
        _ => (base, text),
    };
    let digits = plain_digits(digits, radix)?;
    if base == 0 && prefixed == 0 && digits.starts_with('0') && digits.bytes().any(|d| d != b'0') {
        return Err(ParseError::Invalid);
    }
    let size = UBig::from_str_radix(&digits, radix).map_err(|_| ParseError::Invalid)?;
    Ok(IBig::from_parts(if negative { Sign::Negative } else { Sign::Positive }, size))
}

/// ASCII digits without underscores; refuses too many, before it looks whether what follows them is right.
fn plain_digits(text: &str, radix: u32) -> Result<String, ParseError> {
    let mut digits = String::with_capacity(text.len());
    let (mut valid, mut before) = (true, '_');
    for c in text.chars() {
        let c = unicode::decimal(c).and_then(|d| char::from_digit(d, 10)).unwrap_or(c);
        if c == '_' && before != '_' {
            before = c;
            continue;
        }
        if !c.is_digit(radix) {
            valid = false;
            break;
        }
        digits.push(c.to_ascii_lowercase());
        before = c;
    }
    let limit = max_str_digits();
    if limit != 0 && digits.len() > limit && !radix.is_power_of_two() {
        return Err(ParseError::TooLong(digits.len()));
    }
    if valid && before != '_' { Ok(digits) } else { Err(ParseError::Invalid) }
}

/// What a message quotes of a text that is no int.
const SHOWN: usize = 200;

/// Reads an int; ValueError if `text` is none. `shown` makes the text as the message shows it.
pub fn parse_shown(m: &mut Mutator, text: &str, base: u32, shown: impl FnOnce() -> String) -> R {
    match parse_text(text, base) {
        Ok(n) => m.new_bigint(&n),
        Err(ParseError::Memory) => Err(m.no_memory()),
        Err(ParseError::Invalid) => {
            let shown: String = shown().chars().take(SHOWN).collect();
            Err(m.value_error(format!("invalid literal for int() with base {base}: {shown}")))
        }
        Err(ParseError::TooLong(n)) => {
            let limit = max_str_digits();
            Err(m.value_error(format!(
                "Exceeds the limit ({limit} digits) for integer string conversion: value has {n} digits; \
                 use sys.set_int_max_str_digits() to increase the limit"
            )))
        }
    }
}

/// The int of a literal: plain digits, which the parser has counted already.
pub fn literal(m: &mut Mutator, digits: &str) -> R {
    m.new_bigint(&digits.parse::<IBig>().unwrap_or_default())
}

/// Reads an int; ValueError if `text` is none. The base is 0 or 2 to 36.
pub fn parse(m: &mut Mutator, text: &str, base: u32) -> R {
    if base == 1 || base > 36 {
        return Err(m.raise(Exc::ValueError, "int() base must be >= 2 and <= 36, or 0"));
    }
    match short_decimal(text) {
        Some(n) if base == 10 => Ok(Value::int_unchecked(n)),
        _ => parse_shown(m, text, base, || super::text_repr::repr_str(text)),
    }
}

/// A number of a few ASCII digits, with nothing around them but a sign.
fn short_decimal(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        all => (false, all),
    };
    if digits.is_empty() || digits.len() > 17 {
        return None;
    }
    let mut n = 0;
    for d in digits {
        n = n * 10 + i64::from(char::from(*d).to_digit(10)?);
    }
    Some(if negative { -n } else { n })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_ints() {
        let good = [
            (" 12\n", 10, 12),
            ("-1_000", 10, -1000),
            ("0x_fF", 0, 255),
            ("0xff", 16, 255),
            ("0b11", 2, 3),
            ("0b1", 16, 0xb1),
            ("00", 0, 0),
            ("z", 36, 35),
            ("٣", 10, 3),
            ("+7", 8, 7),
        ];
        for (text, base, n) in good {
            assert_eq!(parse_text(text, base), Ok(IBig::from(n)), "{text} {base}");
        }
        for (text, base) in
            [("", 10), ("1__0", 10), ("_1", 10), ("1_", 10), ("010", 0), ("8", 8), ("- 1", 10), ("0x", 16)]
        {
            assert_eq!(parse_text(text, base), Err(ParseError::Invalid), "{text} {base}");
        }
        assert_eq!(parse_text(&("9".repeat(4301) + "x"), 10), Err(ParseError::TooLong(4301)));
        assert!(parse_text(&"1".repeat(4301), 16).is_ok());
    }
}
