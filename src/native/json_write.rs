//! The writing half of `_json`. Must not know classes of encoders: it gets a function for what it cannot write.

use crate::object::mutator::Mutator;
use crate::object::{Kind, R, Value, dict, float, int, list, str, tuple, types};
use crate::vm::native::Args;
use crate::vm::thread::Thread;

/// What a byte of text may become: `\u0000`.
const LONGEST_ESCAPE: usize = 6;
/// Room for a number, brackets and a line break.
const SHORT: usize = 64;

struct Writer {
    out: String,
    default: Option<Value>,
    indent: Option<String>,
    item_separator: &'static str,
    key_separator: &'static str,
    sort_keys: bool,
    skip_keys: bool,
    ascii: bool,
    allow_nan: bool,
    check_circular: bool,
    /// The containers that are being written, outermost first; each is alive in the one around it.
    open: Vec<u64>,
    /// How many containers an item is in.
    depth: usize,
}

/// `_json.write(value, default, indent, item_separator, key_separator, sort_keys, skipkeys, ensure_ascii, allow_nan,
/// check_circular)`.
pub fn write(th: &mut Thread, args: Args) -> R {
    let flag = |i: usize| args.get(i) == Value::TRUE;
    let mut writer = Writer {
        out: String::new(),
        default: args.opt_not_none(1),
        indent: args.opt_not_none(2).and_then(str::as_str).map(ToOwned::to_owned),
        item_separator: str::as_str(args.get(3)).unwrap_or(", "),
        key_separator: str::as_str(args.get(4)).unwrap_or(": "),
        sort_keys: flag(5),
        skip_keys: flag(6),
        ascii: flag(7),
        allow_nan: flag(8),
        check_circular: flag(9),
        open: Vec::new(),
        depth: 0,
    };
    writer.value(th, args.get(0))?;
    th.new_str(&writer.out)
}

/// `_json.quote(text, ensure_ascii)`.
pub fn quote(th: &mut Thread, args: Args) -> R {
    let Some(text) = str::as_str(args.get(0)) else {
        let got = th.type_name(args.get(0));
        return Err(th.type_error(format!("first argument must be a string, not {got}")));
    };
    let mut out = String::new();
    quoted(th, &mut out, text, args.get(1) == Value::TRUE)?;
    th.new_str(&out)
}

fn quoted(m: &mut Mutator, out: &mut String, text: &str, ascii: bool) -> R<()> {
    make_room(m, out, text.len().saturating_mul(LONGEST_ESCAPE) + SHORT)?;
    out.push('"');
    let mut plain_from = 0;
    for (i, b) in text.bytes().enumerate() {
        let special = b < 0x20 || b == b'"' || b == b'\\' || (ascii && b >= 0x7f);
        if !special {
            continue;
        }
        out.push_str(text.get(plain_from..i).unwrap_or(""));
        plain_from = i + 1;
        match b {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            8 => out.push_str("\\b"),
            12 => out.push_str("\\f"),
            0..0x20 | 0x7f => out.push_str(&format!("\\u{b:04x}")),
            // The first byte of a longer character writes it whole; the others write nothing.
            _ => {
                for unit in text.get(i..).and_then(|t| t.chars().next()).map_or(Vec::new(), utf16) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push_str(text.get(plain_from..).unwrap_or(""));
    out.push('"');
    Ok(())
}

fn make_room(m: &mut Mutator, out: &mut String, nbytes: usize) -> R<()> {
    out.try_reserve(nbytes).map_err(|_| m.no_memory())
}

fn utf16(c: char) -> Vec<u16> {
    c.encode_utf16(&mut [0; 2]).to_vec()
}

impl Writer {
    fn value(&mut self, th: &mut Thread, v: Value) -> R<()> {
        match types::kind_of(v) {
            Kind::None_ => self.out.push_str("null"),
            Kind::Bool => self.out.push_str(if v == Value::TRUE { "true" } else { "false" }),
            Kind::Str => quoted(&mut th.m, &mut self.out, str::as_str(v).unwrap_or(""), self.ascii)?,
            Kind::Int => match v.as_small() {
                Some(n) => self.out.push_str(int::small_decimal(n, &mut [0; 24])),
                None => {
                    let text = int::decimal(th, v)?;
                    th.m.push_text(&mut self.out, &text)?;
                }
            },
            Kind::Float => self.float(th, v)?,
            Kind::List | Kind::Tuple => self.inside(th, v, " while encoding a JSON object", Writer::items)?,
            Kind::Dict => self.inside(th, v, " while encoding a JSON object", Writer::entries)?,
            _ => self.inside(th, v, " while encoding a JSON object", Writer::other)?,
        }
        Ok(())
    }

    fn float(&mut self, th: &mut Thread, v: Value) -> R<()> {
        let text = self.float_text(th, v)?;
        self.out.push_str(&text);
        Ok(())
    }

    fn float_text(&mut self, th: &mut Thread, v: Value) -> R<String> {
        let f = float::as_f64(v).unwrap_or(0.0);
        if !f.is_finite() && !self.allow_nan {
            return Err(th.value_error("Out of range float values are not JSON compliant"));
        }
        Ok(match f {
            _ if f.is_nan() => "NaN".to_owned(),
            f64::INFINITY => "Infinity".to_owned(),
            f64::NEG_INFINITY => "-Infinity".to_owned(),
            _ => float::repr(f),
        })
    }

    /// Writes a container, unless it is in itself.
    fn inside(
        &mut self,
        th: &mut Thread,
        v: Value,
        during: &str,
        write: fn(&mut Writer, &mut Thread, Value) -> R<()>,
    ) -> R<()> {
        if self.check_circular {
            if self.open.contains(&v.bits()) {
                return Err(th.value_error("Circular reference detected"));
            }
            self.open.push(v.bits());
        }
        th.nested(during, |th| write(self, th, v))?;
        if self.check_circular {
            self.open.pop();
        }
        Ok(())
    }

    fn other(&mut self, th: &mut Thread, v: Value) -> R<()> {
        match self.default {
            Some(f) => {
                let replaced = th.call(f, &[v])?;
                self.value(th, replaced)
            }
            None => {
                let name = th.type_name(v);
                Err(th.type_error(format!("Object of type {name} is not JSON serializable")))
            }
        }
    }

    /// The line break before an item, or before a closing bracket.
    fn line(&mut self, closing: bool) {
        let depth = self.depth.saturating_sub(closing as usize);
        if let Some(indent) = &self.indent {
            self.out.push('\n');
            (0..depth).for_each(|_| self.out.push_str(indent));
        }
    }

    /// What stands before an item: the opening bracket's line, or a separator. Makes room for these, and for an item that
    /// is short.
    fn before(&mut self, th: &mut Thread, first: bool) -> R<()> {
        let indent = self.indent.as_ref().map_or(0, |indent| indent.len().saturating_mul(self.depth));
        let separators = self.item_separator.len() + self.key_separator.len();
        make_room(&mut th.m, &mut self.out, indent.saturating_mul(2) + separators + SHORT)?;
        if !first {
            self.out.push_str(self.item_separator);
        }
        self.line(false);
        Ok(())
    }

    fn items(&mut self, th: &mut Thread, v: Value) -> R<()> {
        // Encoding may run code that changes the list: it is looked at anew each time.
        let item = |i: usize| match list::of(v) {
            Some(l) => list::get(l, i),
            None => tuple::items(v).get(i).and_then(|s| s.get()),
        };
        if item(0).is_none() {
            self.out.push_str("[]");
            return Ok(());
        }
        self.out.push('[');
        self.depth += 1;
        let mut i = 0;
        while let Some(x) = item(i) {
            self.before(th, i == 0)?;
            self.value(th, x)?;
            i += 1;
        }
        self.line(true);
        self.depth -= 1;
        self.out.push(']');
        Ok(())
    }

    fn entries(&mut self, th: &mut Thread, v: Value) -> R<()> {
        if dict::of(v).is_none_or(|d| dict::len(d) == 0) {
            self.out.push_str("{}");
            return Ok(());
        }
        self.out.push('{');
        self.depth += 1;
        let mut first = true;
        if self.sort_keys {
            let items = th.call_method(v, "items", &[])?;
            let sorted = crate::vm::sort::sorted(th, items, None, false)?;
            let mut i = 0;
            while let Some(pair) = list::of(sorted).and_then(|l| list::get(l, i)) {
                if let [key, value] = tuple::items(pair) {
                    self.entry(th, key.value(), value.value(), &mut first)?;
                }
                i += 1;
            }
        } else {
            let mut at = 0;
            while let Some((after, key, value)) = dict::of(v).and_then(|d| dict::next_entry(d, at)) {
                self.entry(th, key, value, &mut first)?;
                at = after;
            }
        }
        if !first {
            self.line(true);
        }
        self.depth -= 1;
        self.out.push('}');
        Ok(())
    }

    fn entry(&mut self, th: &mut Thread, key: Value, value: Value, first: &mut bool) -> R<()> {
        let text = match types::kind_of(key) {
            Kind::Str => None,
            Kind::Int => Some(int::decimal(th, key)?),
            Kind::Float => Some(self.float_text(th, key)?),
            Kind::Bool => Some(if key == Value::TRUE { "true" } else { "false" }.to_owned()),
            Kind::None_ => Some("null".to_owned()),
            _ if self.skip_keys => return Ok(()),
            _ => {
                let name = th.type_name(key);
                return Err(th.type_error(format!("keys must be str, int, float, bool or None, not {name}")));
            }
        };
        self.before(th, std::mem::take(first))?;
        let name = text.as_deref().or(str::as_str(key)).unwrap_or("");
        quoted(&mut th.m, &mut self.out, name, self.ascii)?;
        self.out.push_str(self.key_separator);
        self.value(th, value)
    }
}
