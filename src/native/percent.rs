//! `format % values` for strings and bytes: reading the format, handing out the values.
//! Must not know `str.format` or the format-spec language; the conversions are in `percent_convert`.

use super::percent_convert::{convert, latin1};
use crate::object::header::Kind;
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Slot, Value, bytes, deque, int, key, str, tuple, types};
use crate::vm::thread::Thread;

/// A conversion as it stands in the format: `%(key)-+ #0width.precisionX`.
#[derive(Default)]
pub struct Conversion {
    /// Of a bytes format.
    pub bytes: bool,
    pub left: bool,
    pub plus: bool,
    pub space: bool,
    pub alternate: bool,
    pub zero: bool,
    pub width: usize,
    pub precision: Option<usize>,
    pub ty: char,
}

/// The values: a tuple's items in turn, or one value, which may be a mapping.
struct Values {
    all: Value,
    /// The format is bytes.
    bytes: bool,
    is_tuple: bool,
    used: usize,
    /// The value under the key of the conversion being made.
    keyed: Option<Value>,
    used_keys: bool,
}

/// The format being read.
struct Reader<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn take(&mut self, wanted: char) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += if there { wanted.len_utf8() } else { 0 };
        there
    }

    /// What stands before the next '%', which is passed over.
    fn literal(&mut self) -> (&'a str, bool) {
        let rest = self.rest();
        match rest.split_once('%') {
            Some((literal, _)) => {
                self.at += literal.len() + 1;
                (literal, true)
            }
            None => (rest, false),
        }
    }
}

/// `format % values`; `format` must be a string or bytes.
pub fn percent(th: &mut Thread, format: Value, values: Value) -> R {
    match bytes::as_bytes(format) {
        None => {
            let out = expand(th, str::as_str(format).unwrap_or(""), values, false)?;
            th.new_str(&out)
        }
        Some(format) => {
            let out = expand(th, &latin1(format), values, true)?;
            // Only characters below 256 were put in.
            th.new_bytes(&out.chars().map(|c| c as u8).collect::<Vec<u8>>())
        }
    }
}

fn expand(th: &mut Thread, text: &str, all: Value, bytes: bool) -> R<String> {
    let is_tuple = tuple::of(all).is_some();
    let mut values = Values { all, bytes, is_tuple, used: 0, keyed: None, used_keys: false };
    let mut reader = Reader { text, at: 0 };
    let mut out = String::with_capacity(text.len() + 16);
    loop {
        let (literal, more) = reader.literal();
        out.push_str(literal);
        if !more {
            break;
        }
        if !simple(&mut reader, &mut values, &mut out) {
            if reader.take('%') { out.push('%') } else { one(th, &mut reader, &mut values, &mut out)? }
        }
    }
    if !values.all_used(th) {
        let what = if bytes { "bytes" } else { "string" };
        return Err(th.type_error(format!("not all arguments converted during {what} formatting")));
    }
    Ok(out)
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
        self.used > 0 || self.used_keys || self.is_mapping(th)
    }

    /// Whether `%(key)s` can look the value up. Text is no mapping to its own kind of format.
    fn is_mapping(&self, th: &mut Thread) -> bool {
        match types::kind_of(self.all) {
            Kind::Str | Kind::Tuple => false,
            Kind::Bytes => !self.bytes,
            Kind::Dict | Kind::List | Kind::Range | Kind::MappingProxy => true,
            Kind::ByteArray => !self.bytes,
            // It has items by number alone, as C has it.
            Kind::Host if deque::plain(self.all).is_some() => false,
            _ => th.lookup_special(self.all, "__getitem__").is_some(),
        }
    }

    fn by_key(&mut self, th: &mut Thread, key: &str) -> R<()> {
        let key = if self.bytes {
            th.new_bytes(&key.chars().map(|c| c as u8).collect::<Vec<u8>>())?
        } else {
            th.new_str(key)?
        };
        self.keyed = Some(th.get_item(self.all, key)?);
        self.used_keys = true;
        Ok(())
    }
}

/// `%d` and `%s` of a small int, `%s` of a plain string; false, and nothing was done, for anything else.
fn simple(reader: &mut Reader, values: &mut Values, out: &mut String) -> bool {
    let Some(ty) = reader.text.as_bytes().get(reader.at).filter(|ty| matches!(ty, b'd' | b's')) else {
        return false;
    };
    if values.bytes || !values.is_tuple {
        return false;
    }
    let Some(v) = tuple::items(values.all).get(values.used).and_then(Slot::get) else { return false };
    match (v.as_small(), key::exact_str(v)) {
        (Some(n), _) => out.push_str(int::small_decimal(n, &mut [0; 24])),
        (_, Some(s)) if *ty == b's' => out.push_str(str::text(s)),
        _ => return false,
    }
    reader.at += 1;
    values.used += 1;
    true
}

/// Reads one conversion behind its '%' and appends the converted value.
fn one(th: &mut Thread, reader: &mut Reader, values: &mut Values, out: &mut String) -> R<()> {
    values.keyed = None;
    if reader.take('(') {
        if values.is_tuple || !values.is_mapping(th) {
            return Err(th.type_error("format requires a mapping"));
        }
        let key = read_key(th, reader)?;
        values.by_key(th, &key)?;
    }
    let mut conversion = Conversion { bytes: values.bytes, ..Conversion::default() };
    read_flags(reader, &mut conversion);
    read_width(th, reader, values, &mut conversion)?;
    // A size as C has it says nothing, and there may be one.
    if reader.peek().is_some_and(|c| matches!(c, 'h' | 'l' | 'L')) {
        reader.at += 1;
    }
    let at = reader.text.get(..reader.at).map_or(0, str::count_chars);
    let Some(ty) = reader.next() else { return Err(th.value_error("incomplete format")) };
    conversion.ty = ty;
    let v = values.next(th)?;
    th.m.room_for(conversion.width.max(conversion.precision.unwrap_or(0)))?;
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
        let n = star(th, values, "ssize_t")?;
        conversion.left |= n < 0;
        conversion.width = usize::try_from(n.unsigned_abs()).unwrap_or(usize::MAX);
    } else {
        conversion.width = number(th, reader, isize::MAX as usize, "width too big")?;
    }
    if reader.take('.') {
        conversion.precision = Some(if reader.take('*') {
            match star(th, values, "int")? {
                n if n > i64::from(i32::MAX) => {
                    return Err(th.raise(Exc::OverflowError, "Python int too large to convert to C int"));
                }
                n => usize::try_from(n).unwrap_or(0),
            }
        } else {
            number(th, reader, i32::MAX as usize, "precision too big")?
        });
    }
    Ok(())
}

/// The value of a '*', which is to fit the C type `c_type`.
fn star(m: &mut Mutator, values: &mut Values, c_type: &str) -> R<i64> {
    let v = values.next(m)?;
    match int::as_i64(v) {
        Some(n) => Ok(n),
        None if int::is_int(v) => {
            Err(m.raise(Exc::OverflowError, format!("Python int too large to convert to C {c_type}")))
        }
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
