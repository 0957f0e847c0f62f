//! The reading half of `_json`: one recursive descent over the text. Must not know how errors become exceptions: a
//! problem is a message and a place, and `json.mini` raises it.

use crate::object::{R, Value, dict, float, int, list, str};
use crate::vm::native::Args;
use crate::vm::thread::Thread;

/// Why a text cannot be read.
enum Trouble {
    /// What is wrong, and where (a byte offset).
    Text(&'static str, usize),
    /// An exception is pending.
    Raised(crate::object::Raised),
}

impl From<crate::object::Raised> for Trouble {
    fn from(raised: crate::object::Raised) -> Trouble {
        Trouble::Raised(raised)
    }
}

type Read<T> = Result<T, Trouble>;

/// The functions that a script wants to be asked.
#[derive(Default, Clone, Copy)]
struct Hooks {
    object: Option<Value>,
    pairs: Option<Value>,
    float: Option<Value>,
    int: Option<Value>,
    constant: Option<Value>,
}

struct Reader {
    text: &'static str,
    at: usize,
    strict: bool,
    hooks: Hooks,
}

/// `_json.scan(text, at, strict, object_hook, object_pairs_hook, parse_float, parse_int, parse_constant)`:
/// `(value, end)`, or `(None, message, place)`.
pub fn scan(th: &mut Thread, args: Args) -> R {
    let Some(text) = str::as_str(args.get(0)) else {
        return Err(th.type_error("first argument must be a string"));
    };
    let chars = args.get(1).as_small().unwrap_or(0).max(0) as usize;
    let at = text.char_indices().nth(chars).map_or(text.len(), |(i, _)| i);
    let hooks = Hooks {
        object: args.opt_not_none(3),
        pairs: args.opt_not_none(4),
        float: args.opt_not_none(5),
        int: args.opt_not_none(6),
        constant: args.opt_not_none(7),
    };
    let mut reader = Reader { text, at, strict: args.get(2) == Value::TRUE, hooks };
    let place = |at: usize| text.get(..at).map_or(at, |t| t.chars().count()) as i64;
    match reader.value(th) {
        Ok(v) => {
            let end = Value::int_unchecked(place(reader.at));
            th.new_tuple(&[v, end])
        }
        Err(Trouble::Text(message, at)) => {
            let message = th.new_str(message)?;
            th.new_tuple(&[Value::NONE, message, Value::int_unchecked(place(at))])
        }
        Err(Trouble::Raised(raised)) => Err(raised),
    }
}

impl Reader {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, th: &mut Thread) -> Read<Value> {
        let start = self.at;
        match self.byte() {
            Some(b'"') => {
                self.at += 1;
                self.string(th, false)
            }
            Some(b'{') => {
                self.nested(th, " while decoding a JSON object from a unicode string", Reader::object)
            }
            Some(b'[') => {
                self.nested(th, " while decoding a JSON array from a unicode string", Reader::array)
            }
            Some(b'-' | b'0'..=b'9') => self.number(th),
            _ => {
                for (word, v) in [("null", Value::NONE), ("true", Value::TRUE), ("false", Value::FALSE)] {
                    if self.take(word) {
                        return Ok(v);
                    }
                }
                for (word, f) in [("NaN", f64::NAN), ("Infinity", f64::INFINITY)] {
                    if self.take(word) {
                        return self.constant(th, word, f);
                    }
                }
                Err(Trouble::Text("Expecting value", start))
            }
        }
    }

    fn nested(
        &mut self,
        th: &mut Thread,
        during: &str,
        read: fn(&mut Reader, &mut Thread) -> Read<Value>,
    ) -> Read<Value> {
        let mut trouble = None;
        let result = th.nested(during, |th| match read(self, th) {
            Ok(v) => Ok(v),
            Err(Trouble::Raised(raised)) => Err(raised),
            Err(text) => {
                trouble = Some(text);
                Ok(Value::NONE)
            }
        });
        match trouble {
            Some(text) => Err(text),
            None => Ok(result?),
        }
    }

    fn take(&mut self, word: &str) -> bool {
        let found = self.text.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        if found {
            self.at += word.len();
        }
        found
    }

    fn constant(&mut self, th: &mut Thread, word: &str, f: f64) -> Read<Value> {
        match self.hooks.constant {
            Some(hook) => {
                let word = th.new_str(word)?;
                Ok(th.call(hook, &[word])?)
            }
            None => Ok(th.new_float(f)?),
        }
    }

    fn array(&mut self, th: &mut Thread) -> Read<Value> {
        self.at += 1;
        let out = th.new_list(&[])?;
        let Some(items) = list::of(out) else { return Ok(out) };
        self.skip_space();
        if self.byte() == Some(b']') {
            self.at += 1;
            return Ok(out);
        }
        loop {
            let item = self.value(th)?;
            list::push(th, items, item)?;
            self.skip_space();
            match self.byte() {
                Some(b']') => break,
                Some(b',') => self.at += 1,
                _ => return Err(Trouble::Text("Expecting ',' delimiter", self.at)),
            }
            self.skip_space();
        }
        self.at += 1;
        Ok(out)
    }

    fn object(&mut self, th: &mut Thread) -> Read<Value> {
        self.at += 1;
        let out = if self.hooks.pairs.is_some() { th.new_list(&[])? } else { th.new_dict()? };
        self.skip_space();
        if self.byte() != Some(b'}') {
            self.entries(th, out)?;
        }
        self.at += 1;
        match self.hooks.pairs.or(self.hooks.object) {
            Some(hook) => Ok(th.call(hook, &[out])?),
            None => Ok(out),
        }
    }

    fn entries(&mut self, th: &mut Thread, out: Value) -> Read<()> {
        loop {
            if self.byte() != Some(b'"') {
                return Err(Trouble::Text("Expecting property name enclosed in double quotes", self.at));
            }
            self.at += 1;
            let key = self.string(th, true)?;
            self.skip_space();
            if self.byte() != Some(b':') {
                return Err(Trouble::Text("Expecting ':' delimiter", self.at));
            }
            self.at += 1;
            self.skip_space();
            let value = self.value(th)?;
            match list::of(out) {
                Some(pairs) => {
                    let pair = th.new_tuple(&[key, value])?;
                    list::push(th, pairs, pair)?;
                }
                None => dict::insert_str(th, out, key, value)?,
            }
            self.skip_space();
            match self.byte() {
                Some(b'}') => return Ok(()),
                Some(b',') => self.at += 1,
                _ => return Err(Trouble::Text("Expecting ',' delimiter", self.at)),
            }
            self.skip_space();
        }
    }

    fn number(&mut self, th: &mut Thread) -> Read<Value> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let digits = |mut at: usize| {
            while bytes.get(at).is_some_and(u8::is_ascii_digit) {
                at += 1;
            }
            at
        };
        let first = start + (bytes.get(start) == Some(&b'-')) as usize;
        let mut end = if bytes.get(first) == Some(&b'0') { first + 1 } else { digits(first) };
        if end == first {
            if self.take("-Infinity") {
                return self.constant(th, "-Infinity", f64::NEG_INFINITY);
            }
            return Err(Trouble::Text("Expecting value", start));
        }
        let whole = end;
        if bytes.get(end) == Some(&b'.') && digits(end + 1) > end + 1 {
            end = digits(end + 1);
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = matches!(bytes.get(end + 1), Some(b'+' | b'-')) as usize;
            let after = digits(end + 1 + sign);
            if after > end + 1 + sign {
                end = after;
            }
        }
        self.at = end;
        let text = self.text.get(start..end).unwrap_or("");
        let hook = if end == whole { self.hooks.int } else { self.hooks.float };
        if let Some(hook) = hook {
            let text = th.new_str(text)?;
            return Ok(th.call(hook, &[text])?);
        }
        if end > whole {
            return Ok(th.new_float(float::parse(text).unwrap_or(0.0))?);
        }
        match text.parse::<i64>() {
            Ok(n) => Ok(th.new_int(n)?),
            Err(_) => Ok(int::parse(th, text, 10)?),
        }
    }

    /// What follows an opening quote, to the closing one.
    fn string(&mut self, th: &mut Thread, key: bool) -> Read<Value> {
        let begin = self.at - 1;
        let mut text = String::new();
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or(&[]);
            let plain = rest.iter().position(|b| matches!(b, b'"' | b'\\') || *b < 0x20);
            let Some(plain) = plain else {
                return Err(Trouble::Text("Unterminated string starting at", begin));
            };
            let piece = self.text.get(self.at..self.at + plain).unwrap_or("");
            let stop = rest.get(plain).copied();
            self.at += plain + 1;
            match stop {
                Some(b'"') if text.is_empty() && key => return Ok(th.m.intern(piece)?),
                Some(b'"') if text.is_empty() => return Ok(th.new_str(piece)?),
                Some(b'"') => {
                    text.push_str(piece);
                    return Ok(if key { th.m.intern(&text)? } else { th.new_str(&text)? });
                }
                Some(b'\\') => {
                    text.push_str(piece);
                    self.escape(&mut text, begin)?;
                }
                Some(_) if self.strict => {
                    return Err(Trouble::Text("Invalid control character at", self.at - 1));
                }
                other => {
                    text.push_str(piece);
                    text.extend(other.map(char::from));
                }
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self, text: &mut String, begin: usize) -> Read<()> {
        let Some(c) = self.byte() else {
            return Err(Trouble::Text("Unterminated string starting at", begin));
        };
        let plain = match c {
            b'"' | b'\\' | b'/' => c as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(text),
            _ => return Err(Trouble::Text("Invalid \\escape", self.at - 1)),
        };
        self.at += 1;
        text.push(plain);
        Ok(())
    }

    /// The four digits behind `\u`, at whose `u` the reader stands.
    fn unit(&mut self) -> Read<u32> {
        let first = self.at + 1;
        if first + 4 >= self.text.len() {
            return Err(Trouble::Text("Invalid \\uXXXX escape", self.at));
        }
        let digits = self.text.get(first..first + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let Some(unit) = digits.and_then(|d| u32::from_str_radix(d, 16).ok()) else {
            return Err(Trouble::Text("Invalid \\uXXXX escape", self.at));
        };
        self.at = first + 4;
        Ok(unit)
    }

    fn unicode(&mut self, text: &mut String) -> Read<()> {
        let unit = self.unit()?;
        let mut c = unit;
        if (0xd800..0xdc00).contains(&unit) && self.text.get(self.at..self.at + 2) == Some("\\u") {
            let before = self.at;
            self.at += 1;
            let low = self.unit()?;
            if (0xdc00..0xe000).contains(&low) {
                c = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
            } else {
                self.at = before;
            }
        }
        // Half a pair is no character: strings hold whole ones only.
        text.push(char::from_u32(c).unwrap_or(char::REPLACEMENT_CHARACTER));
        Ok(())
    }
}
