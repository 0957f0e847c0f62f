//! `format % values` for strings. Must not know `str.format` or the format-spec language; digits come from `object`.

use super::str_format::ascii;
use super::text_args::type_name;
use crate::object::format::Bad;
use crate::object::format_float::Style;
use crate::object::format_int::{digits, to_f64};
use crate::object::header::Kind;
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Value, float, int, str, tuple, types};
use crate::vm::thread::Thread;

/// Widths and precisions beyond this raise MemoryError before anything is allocated.
const LIMIT: usize = 1 << 30;

/// A conversion as it stands in the format: `%(key)-+ #0width.precisionX`.
#[derive(Default)]
struct Conversion {
    left: bool,
    plus: bool,
    space: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
    ty: char,
}

/// The values: a tuple's items in turn, or one value, which may be a mapping.
struct Values {
    all: Value,
    is_tuple: bool,
    used: usize,
    /// The value under the key of the conversion being made.
    keyed: Option<Value>,
    used_keys: bool,
}

/// The format being read, character by character.
struct Reader {
    chars: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }
}

/// `format % values`; `format` must be a string.
pub fn percent(th: &mut Thread, format: Value, all: Value) -> R {
    let text = str::as_str(format).unwrap_or("");
    let is_tuple = tuple::of(all).is_some();
    let mut values = Values { all, is_tuple, used: 0, keyed: None, used_keys: false };
    let mut reader = Reader { chars: text.chars().collect(), at: 0 };
    let mut out = String::with_capacity(text.len() + 16);
    while let Some(c) = reader.next() {
        if c != '%' {
            out.push(c);
        } else if reader.take('%') {
            out.push('%');
        } else {
            one(th, &mut reader, &mut values, &mut out)?;
        }
    }
    if !values.all_used(th) {
        return Err(th.type_error("not all arguments converted during string formatting"));
    }
    th.new_str(&out)
}

impl Values {
    fn next(&mut self, m: &mut Mutator) -> R {
        if let Some(v) = self.keyed.take() {
            return Ok(v);
        }
        let v = if self.is_tuple {
            tuple::items(self.all).get(self.used).map(|slot| slot.value())
        } else {
            (self.used == 0 && !self.used_keys).then_some(self.all)
        };
        self.used += 1;
        v.ok_or_else(|| m.type_error("not enough arguments for format string"))
    }

    /// A mapping need not be used up, and a value that could be one need not be used at all.
    fn all_used(&self, th: &mut Thread) -> bool {
        if self.is_tuple {
            return self.used_keys || self.used >= tuple::items(self.all).len();
        }
        self.used > 0 || self.used_keys || is_mapping(th, self.all)
    }

    fn by_key(&mut self, th: &mut Thread, key: &str) -> R<()> {
        if self.is_tuple || !is_mapping(th, self.all) {
            return Err(th.type_error("format requires a mapping"));
        }
        let key = th.new_str(key)?;
        self.keyed = Some(th.get_item(self.all, key)?);
        self.used_keys = true;
        Ok(())
    }
}

fn is_mapping(th: &mut Thread, v: Value) -> bool {
    match types::kind_of(v) {
        Kind::Str | Kind::Tuple => false,
        Kind::Dict | Kind::List | Kind::Bytes | Kind::Range => true,
        _ => th.lookup_special(v, "__getitem__").is_some(),
    }
}

/// Reads one conversion behind its '%' and appends the converted value.
fn one(th: &mut Thread, reader: &mut Reader, values: &mut Values, out: &mut String) -> R<()> {
    values.keyed = None;
    if reader.take('(') {
        let key = read_key(th, reader)?;
        values.by_key(th, &key)?;
    }
    let mut conversion = Conversion::default();
    read_flags(reader, &mut conversion);
    read_width(th, reader, values, &mut conversion)?;
    while reader.peek().is_some_and(|c| matches!(c, 'h' | 'l' | 'L')) {
        reader.at += 1;
    }
    let at = reader.at;
    let Some(ty) = reader.next() else { return Err(th.value_error("incomplete format")) };
    conversion.ty = ty;
    if ty == '%' {
        // Only "%%" itself is no conversion: "%5%" uses a value up.
        values.next(th)?;
        out.push('%');
        return Ok(());
    }
    let v = values.next(th)?;
    convert(th, &conversion, v, at, out)
}

fn read_key(m: &mut Mutator, reader: &mut Reader) -> R<String> {
    let (mut depth, mut key) = (1, String::new());
    while let Some(c) = reader.next() {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth == 0 {
            return Ok(key);
        }
        key.push(c);
    }
    Err(m.value_error("incomplete format key"))
}

fn read_flags(reader: &mut Reader, conversion: &mut Conversion) {
    while let Some(c) = reader.peek() {
        match c {
            '-' => conversion.left = true,
            '+' => conversion.plus = true,
            ' ' => conversion.space = true,
            '#' => conversion.alternate = true,
            '0' => conversion.zero = true,
            _ => return,
        }
        reader.at += 1;
    }
}

fn read_width(
    th: &mut Thread,
    reader: &mut Reader,
    values: &mut Values,
    conversion: &mut Conversion,
) -> R<()> {
    if reader.take('*') {
        let n = star(th, values)?;
        conversion.left |= n < 0;
        conversion.width = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
    } else {
        conversion.width = number(th, reader, isize::MAX as usize, "width too big")?;
    }
    if reader.take('.') {
        conversion.precision = Some(if reader.take('*') {
            usize::try_from(star(th, values)?).unwrap_or(0)
        } else {
            number(th, reader, i32::MAX as usize, "precision too big")?
        });
    }
    if conversion.width.max(conversion.precision.unwrap_or(0)) > LIMIT {
        return Err(th.no_memory());
    }
    Ok(())
}

/// The value of a '*'.
fn star(m: &mut Mutator, values: &mut Values) -> R<i64> {
    let v = values.next(m)?;
    match int::as_i64(v) {
        Some(n) => Ok(n),
        None => Err(m.type_error("* wants int")),
    }
}

fn number(m: &mut Mutator, reader: &mut Reader, most: usize, too_big: &str) -> R<usize> {
    let mut n: usize = 0;
    while let Some(digit) = reader.peek().and_then(|c| c.to_digit(10)) {
        reader.at += 1;
        n = n.saturating_mul(10).saturating_add(digit as usize);
        if n > most {
            return Err(m.value_error(too_big));
        }
    }
    Ok(n)
}

fn convert(th: &mut Thread, c: &Conversion, v: Value, at: usize, out: &mut String) -> R<()> {
    let shown = match c.ty {
        's' => th.str(v)?,
        'r' => th.repr(v)?,
        'a' => ascii(th, v)?,
        'c' => {
            let text = character(th, v)?;
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
    let end = c.precision.and_then(|n| text.char_indices().nth(n)).map_or(text.len(), |(at, _)| at);
    pad(out, c, "", "", text.get(..end).unwrap_or(text), false);
    Ok(())
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
    let v = to_int(th, c.ty, v)?;
    let radix = match c.ty {
        'o' => 8,
        'x' | 'X' => 16,
        _ => 10,
    };
    let (negative, mut digits) = digits(v, radix);
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
fn to_int(th: &mut Thread, ty: char, v: Value) -> R {
    if matches!(types::kind_of(v), Kind::Int | Kind::Bool) {
        return Ok(v);
    }
    if matches!(ty, 'o' | 'x' | 'X') {
        if th.lookup_special(v, "__index__").is_some() {
            return th.call_method(v, "__index__", &[]);
        }
        let got = type_name(v);
        return Err(th.type_error(format!("%{ty} format: an integer is required, not {got}")));
    }
    if let Some(f) = float::as_f64(v) {
        return cut(th, f);
    }
    for name in ["__index__", "__int__"] {
        if th.lookup_special(v, name).is_some() {
            let n = th.call_method(v, name, &[])?;
            if int::to_ibig(n).is_some() {
                return Ok(n);
            }
        }
    }
    Err(th.type_error(format!("%{ty} format: a real number is required, not {}", type_name(v))))
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
    let f = to_float(th, v)?;
    let style = Style { ty: c.ty, precision: c.precision.or(Some(6)), alternate: c.alternate };
    let digits = style.digits(f.abs()).map_err(|bad| bad.raise(th))?;
    pad(out, c, sign(c, f.is_sign_negative() && !f.is_nan()), "", &digits, true);
    Ok(())
}

fn to_float(th: &mut Thread, v: Value) -> R<f64> {
    if let Some(f) = float::as_f64(v) {
        return Ok(f);
    }
    let mut v = v;
    if int::to_ibig(v).is_none() {
        let Some(name) = ["__float__", "__index__"].into_iter().find(|n| th.lookup_special(v, n).is_some())
        else {
            return Err(th.type_error(format!("must be real number, not {}", type_name(v))));
        };
        v = th.call_method(v, name, &[])?;
        if let Some(f) = float::as_f64(v) {
            return Ok(f);
        }
    }
    to_f64(v).map_err(|bad: Bad| bad.raise(th))
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
