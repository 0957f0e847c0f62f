//! The format-spec mini-language (`format(x, '>10,.2f')`): parsing, checks, padding, grouping; strings.
//! Digits are made in `format_int` and `format_float`. Must not know `str.format` or `%`.

use super::error::Exc;
use super::format_float::format_float;
use super::format_int::format_int;
use super::format_quick;
use super::header::Kind;
use super::mutator::Mutator;
use super::types::kind_of;
use super::{R, Raised, Value, float, heap, int, str, unicode};

/// Why a value could not be formatted.
#[derive(Debug, PartialEq, Eq)]
pub struct Bad {
    pub exc: Exc,
    pub message: String,
}

impl Bad {
    pub fn value(message: impl Into<String>) -> Bad {
        Bad { exc: Exc::ValueError, message: message.into() }
    }

    /// A result too long to be made.
    pub fn too_long() -> Bad {
        Bad { exc: Exc::MemoryError, message: String::new() }
    }

    /// Makes the exception pending.
    pub fn raise(self, m: &mut Mutator) -> Raised {
        if self.exc == Exc::MemoryError { m.no_memory() } else { m.raise(self.exc, self.message) }
    }
}

/// Where the padding goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Align {
    Left,
    Right,
    Center,
    /// Between the sign and the digits.
    AfterSign,
}

/// A parsed format specification.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Spec {
    pub fill: char,
    pub align: Align,
    /// '+', ' ', '-', or nothing said.
    pub sign: Option<char>,
    /// `z`: no negative zero.
    pub no_neg_zero: bool,
    /// `#`.
    pub alternate: bool,
    pub width: usize,
    /// ',' or '_'.
    pub separator: Option<char>,
    pub precision: Option<usize>,
    /// The presentation type.
    pub ty: Option<char>,
}

/// A number cut in the parts that padding and grouping treat differently.
pub struct Parts<'a> {
    /// "", "-", "+" or " ".
    pub sign: &'a str,
    /// "0x" and the like.
    pub prefix: &'a str,
    /// What is grouped.
    pub digits: &'a str,
    /// The point and all behind it; or "inf", "nan"; or a character.
    pub rest: &'a str,
    /// Digits in a group.
    pub group: usize,
}

struct Reader<'a> {
    rest: std::str::Chars<'a>,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.clone().next()
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let c = self.peek().filter(|c| wanted(*c))?;
        self.rest.next();
        Some(c)
    }

    fn number(&mut self) -> Result<Option<usize>, Bad> {
        let mut n: Option<usize> = None;
        while let Some(digit) = self.peek().and_then(unicode::decimal) {
            self.rest.next();
            let next = n.unwrap_or(0).checked_mul(10).and_then(|n| n.checked_add(digit as usize));
            n = next.filter(|n| *n <= isize::MAX as usize);
            if n.is_none() {
                return Err(Bad::value("Too many decimal digits in format string"));
            }
        }
        Ok(n)
    }
}

fn align_of(c: char) -> Option<Align> {
    match c {
        '<' => Some(Align::Left),
        '>' => Some(Align::Right),
        '^' => Some(Align::Center),
        '=' => Some(Align::AfterSign),
        _ => None,
    }
}

impl Spec {
    /// Parses `text`. `type_name` is the class of the value, for messages; numbers are right-aligned unless said otherwise.
    pub fn parse(text: &str, number: bool, type_name: &str) -> Result<Spec, Bad> {
        let mut r = Reader { rest: text.chars() };
        let (fill, align) = alignment(&mut r);
        let sign = r.take(|c| matches!(c, '+' | '-' | ' '));
        let no_neg_zero = r.take(|c| c == 'z').is_some();
        let alternate = r.take(|c| c == '#').is_some();
        let zero = fill.is_none() && r.take(|c| c == '0').is_some();
        let default_align = match (number, zero) {
            (false, _) => Align::Left,
            (true, true) => Align::AfterSign,
            (true, false) => Align::Right,
        };
        let width = r.number()?.unwrap_or(0);
        let separator = separator(&mut r)?;
        let precision = match r.take(|c| c == '.') {
            None => None,
            Some(_) => Some(r.number()?.ok_or_else(|| Bad::value("Format specifier missing precision"))?),
        };
        let ty = r.rest.next();
        if r.peek().is_some() {
            return Err(Bad::value(format!(
                "Invalid format specifier '{text}' for object of type '{type_name}'"
            )));
        }
        let fill = fill.unwrap_or(if zero { '0' } else { ' ' });
        let align = align.unwrap_or(default_align);
        let spec = Spec { fill, align, sign, no_neg_zero, alternate, width, separator, precision, ty };
        spec.check_separator(if number { '\0' } else { 's' })?;
        Ok(spec)
    }

    fn check_separator(&self, default_type: char) -> Result<(), Bad> {
        let Some(separator) = self.separator else { return Ok(()) };
        match self.ty.unwrap_or(default_type) {
            'd' | 'e' | 'f' | 'g' | 'E' | 'G' | '%' | 'F' | '\0' => Ok(()),
            'b' | 'o' | 'x' | 'X' if separator == '_' => Ok(()),
            ty => Err(Bad::value(format!("Cannot specify '{separator}' with '{}'.", shown(ty)))),
        }
    }

    /// The error for a presentation type that the value's class does not have.
    pub fn unknown_type(&self, type_name: &str) -> Bad {
        let ty = shown(self.ty.unwrap_or('s'));
        Bad::value(format!("Unknown format code '{ty}' for object of type '{type_name}'"))
    }

    /// The sign to show before a number.
    pub fn sign_of(&self, negative: bool) -> &'static str {
        match self.sign {
            _ if negative => "-",
            Some('+') => "+",
            Some(' ') => " ",
            _ => "",
        }
    }

    /// Puts a number together: grouping, then padding.
    pub fn assemble(&self, parts: &Parts) -> Result<String, Bad> {
        let fixed = parts.sign.len() + parts.prefix.len() + parts.rest.chars().count();
        let zeros = self.fill == '0' && self.align == Align::AfterSign;
        let least = if zeros { self.width.saturating_sub(fixed) } else { 0 };
        if u32::try_from(self.width).is_err() || !heap::leaves_room(self.width) {
            return Err(Bad::too_long());
        }
        let digits = match (parts.digits, self.separator) {
            ("", _) => String::new(),
            (digits, Some(separator)) => grouped(digits, separator, parts.group, least),
            (digits, None) => {
                let mut out = "0".repeat(least.saturating_sub(digits.len()));
                out.push_str(digits);
                out
            }
        };
        let padding = self.width.saturating_sub(fixed + digits.len());
        let (left, inside, right) = match self.align {
            Align::Left => (0, 0, padding),
            Align::Right => (padding, 0, 0),
            Align::Center => (padding / 2, 0, padding - padding / 2),
            Align::AfterSign => (0, padding, 0),
        };
        let mut out = String::with_capacity(fixed + digits.len() + padding * self.fill.len_utf8());
        pad(&mut out, self.fill, left);
        out.push_str(parts.sign);
        out.push_str(parts.prefix);
        pad(&mut out, self.fill, inside);
        out.push_str(&digits);
        out.push_str(parts.rest);
        pad(&mut out, self.fill, right);
        Ok(out)
    }
}

fn alignment(r: &mut Reader) -> (Option<char>, Option<Align>) {
    let mut ahead = r.rest.clone();
    let first = ahead.next();
    if let (Some(fill), Some(align)) = (first, ahead.next().and_then(align_of)) {
        r.rest = ahead;
        return (Some(fill), Some(align));
    }
    let align = first.and_then(align_of);
    if align.is_some() {
        r.rest.next();
    }
    (None, align)
}

fn separator(r: &mut Reader) -> Result<Option<char>, Bad> {
    let comma = r.take(|c| c == ',');
    let underscore = r.take(|c| c == '_');
    if underscore.is_some() && (comma.is_some() || r.peek() == Some(',')) {
        return Err(Bad::value("Cannot specify both ',' and '_'."));
    }
    Ok(comma.or(underscore))
}

/// A type character as messages show it.
fn shown(ty: char) -> String {
    if matches!(ty, '!'..='\x7f') { ty.to_string() } else { format!("\\x{:x}", u32::from(ty)) }
}

fn pad(out: &mut String, fill: char, n: usize) {
    out.extend(std::iter::repeat_n(fill, n));
}

/// Separates groups from the right; fills with zeros on the left up to `least` characters, never starting with a
/// separator.
fn grouped(digits: &str, separator: char, group: usize, least: usize) -> String {
    let mut reversed = Vec::with_capacity(digits.len() * 4 / 3 + 1);
    let mut from_right = digits.bytes().rev();
    let mut in_group = 0;
    let mut left = digits.len();
    while left > 0 || reversed.len() < least {
        if in_group == group {
            reversed.push(separator as u8);
            in_group = 0;
        }
        reversed.push(from_right.next().unwrap_or(b'0'));
        left = left.saturating_sub(1);
        in_group += 1;
    }
    reversed.iter().rev().map(|b| char::from(*b)).collect()
}

/// Formats text as `spec` says.
pub fn format_str(text: &str, spec: &Spec) -> Result<String, Bad> {
    let deny = |what: &str| Err(Bad::value(format!("{what} not allowed in string format specifier")));
    if spec.ty.is_some_and(|ty| ty != 's') {
        return Err(spec.unknown_type("str"));
    }
    match spec.sign {
        Some(' ') => return deny("Space"),
        Some(_) => return deny("Sign"),
        None => {}
    }
    if spec.no_neg_zero {
        return deny("Negative zero coercion (z)");
    }
    if spec.alternate {
        return deny("Alternate form (#)");
    }
    if spec.align == Align::AfterSign {
        return deny("'=' alignment");
    }
    let text = match spec.precision {
        Some(n) => text.char_indices().nth(n).and_then(|(at, _)| text.get(..at)).unwrap_or(text),
        None => text,
    };
    spec.assemble(&Parts { sign: "", prefix: "", digits: "", rest: text, group: 3 })
}

/// `format(v, spec)` for the built-in str, int, bool and float; `None` for any other value.
pub fn format_value(m: &mut Mutator, v: Value, text: &str) -> R<Option<Value>> {
    if let Some(done) = format_quick::format(m, v, text) {
        return done.map(Some);
    }
    let kind = kind_of(v);
    let made = match kind {
        Kind::Str => {
            let own = str::as_str(v).unwrap_or("");
            if text.is_empty() {
                return if str::view(v).is_some_and(str::is_exact) {
                    Ok(Some(v))
                } else {
                    m.new_str(own).map(Some)
                };
            }
            Spec::parse(text, false, "str").and_then(|spec| format_str(own, &spec))
        }
        Kind::Bool if text.is_empty() => Ok(if v == Value::TRUE { "True" } else { "False" }.to_string()),
        Kind::Int if text.is_empty() => Ok(int::decimal(m, v)?),
        Kind::Int | Kind::Bool => {
            let name = if kind == Kind::Bool { "bool" } else { "int" };
            Spec::parse(text, true, name).and_then(|spec| format_int(v, &spec, name))
        }
        Kind::Float => {
            let f = float::as_f64(v).unwrap_or(0.0);
            match text.is_empty() {
                true => Ok(float::repr(f)),
                false => Spec::parse(text, true, "float").and_then(|spec| format_float(f, &spec, "float")),
            }
        }
        _ => return Ok(None),
    };
    match made {
        Ok(text) => m.new_str(&text).map(Some),
        Err(bad) => Err(bad.raise(m)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What python3.11 gives for `format("héllo", spec)`; errors begin with '!'.
    #[test]
    fn strings_as_python_formats_them() {
        for (text, expected) in [
            ("x^9.4", "xxhéllxxx"),
            ("010", "héllo00000"),
            ("１０s", "héllo     "),
            (" ", "! Space not allowed in string format specifier"),
            ("=9", "! '=' alignment not allowed in string format specifier"),
            ("d", "! Unknown format code 'd' for object of type 'str'"),
            ("é", "! Unknown format code '\\xe9' for object of type 'str'"),
            (",", "! Cannot specify ',' with 's'."),
            ("_,", "! Cannot specify both ',' and '_'."),
            (".", "! Format specifier missing precision"),
            ("5dd", "! Invalid format specifier '5dd' for object of type 'str'"),
            ("99999999999999999999", "! Too many decimal digits in format string"),
        ] {
            let made = Spec::parse(text, false, "str").and_then(|spec| format_str("héllo", &spec));
            assert_eq!(made.unwrap_or_else(|bad| format!("! {}", bad.message)), expected, "{text:?}");
        }
    }
}
