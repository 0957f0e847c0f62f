//! `str.format` and `str.format_map`: replacement fields, their names, conversions and nested specs.
//! Must not know the format-spec language (`object::format`).

use crate::object::mutator::Mutator;
use crate::object::{R, Raised, Value, Word, dict, int, key, str, text_repr, unicode};
use crate::vm::native::Args;
use crate::vm::thread::Thread;

/// Where field values come from.
enum Source<'a> {
    /// Positional arguments, and a dict of the keyword ones.
    Call(&'a [Word], Word),
    /// `format_map`'s mapping.
    Map(Value),
}

/// How fields without a number have been named so far.
#[derive(PartialEq)]
enum Numbering {
    Unknown,
    Automatic(usize),
    Manual,
}

struct Formatter<'a> {
    source: Source<'a>,
    numbering: Numbering,
}

/// `str.format(*args, **kwargs)`: the receiver, the keyword dict, the rest.
pub fn format(th: &mut Thread, args: Args) -> R {
    run(th, args.get(0), Source::Call(args.rest(2), args.opt(1)))
}

/// `str.format_map(mapping)`.
pub fn format_map(th: &mut Thread, args: Args) -> R {
    run(th, args.get(0), Source::Map(args.get(1)))
}

fn run(th: &mut Thread, format: Value, source: Source) -> R {
    let mut out = String::new();
    let mut formatter = Formatter { source, numbering: Numbering::Unknown };
    formatter.expand(th, str::as_str(format).unwrap_or(""), &mut out, 2)?;
    th.new_str(&out)
}

/// A replacement field, cut but not evaluated.
struct Field<'a> {
    name: &'a str,
    conversion: Option<char>,
    spec: &'a str,
}

impl Formatter<'_> {
    /// Appends the expansion of `format`; `depth` counts the levels of nesting left.
    fn expand(&mut self, th: &mut Thread, format: &str, out: &mut String, depth: u32) -> R<()> {
        if depth == 0 {
            return Err(th.value_error("Max string recursion exceeded"));
        }
        let mut rest = format;
        while let Some(at) = rest.find(['{', '}']) {
            let (literal, tail) = rest.split_at(at);
            out.push_str(literal);
            let doubled = tail.starts_with("{{") || tail.starts_with("}}");
            let inside = tail.get(1..).unwrap_or("");
            if doubled {
                out.push_str(tail.get(..1).unwrap_or(""));
                rest = inside.get(1..).unwrap_or("");
            } else if tail.starts_with('}') {
                return Err(th.value_error("Single '}' encountered in format string"));
            } else if inside.is_empty() {
                return Err(th.value_error("Single '{' encountered in format string"));
            } else {
                let (field, after) = cut(th, inside)?;
                self.field(th, &field, out, depth)?;
                rest = after;
            }
        }
        out.push_str(rest);
        Ok(())
    }

    fn field(&mut self, th: &mut Thread, field: &Field, out: &mut String, depth: u32) -> R<()> {
        let value = self.lookup(th, field.name)?;
        let value = match field.conversion {
            None => value,
            Some('s') => th.str(value)?,
            Some('r') => th.repr(value)?,
            Some('a') => ascii(th, value)?,
            Some(c) => return Err(unknown_conversion(th, c)),
        };
        if field.spec.is_empty() {
            if let Some(n) = value.as_small() {
                out.push_str(int::small_decimal(n, &mut [0; 24]));
                return Ok(());
            }
            if let Some(s) = key::exact_str(value) {
                out.push_str(str::text(s));
                return Ok(());
            }
        }
        let mut spec = String::new();
        if field.spec.contains(['{', '}']) {
            self.expand(th, field.spec, &mut spec, depth - 1)?;
        } else {
            spec.push_str(field.spec);
        }
        let shown = th.format(value, &spec)?;
        out.push_str(str::as_str(shown).unwrap_or(""));
        Ok(())
    }

    /// The value of `name.attr[key]…`.
    fn lookup(&mut self, th: &mut Thread, name: &str) -> R {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut rest) = name.split_at(end);
        let mut value = self.first(th, first)?;
        while !rest.is_empty() {
            if let Some(tail) = rest.strip_prefix('.') {
                let end = tail.find(['.', '[']).unwrap_or(tail.len());
                let (attr, after) = tail.split_at(end);
                if attr.is_empty() {
                    return Err(th.value_error("Empty attribute in format string"));
                }
                let attr = th.intern(attr)?;
                value = th.get_attr(value, attr)?;
                rest = after;
            } else if let Some(tail) = rest.strip_prefix('[') {
                let Some((key, after)) = tail.split_once(']') else {
                    return Err(th.value_error("Missing ']' in format string"));
                };
                if key.is_empty() {
                    return Err(th.value_error("Empty attribute in format string"));
                }
                let key = match number(th, key)? {
                    Some(n) => Value::int_unchecked(n as i64),
                    None => th.new_str(key)?,
                };
                value = th.get_item(value, key)?;
                rest = after;
            } else {
                return Err(th.value_error("Only '.' or '[' may follow ']' in format field specifier"));
            }
        }
        Ok(value)
    }

    fn first(&mut self, th: &mut Thread, name: &str) -> R {
        let n = match number(th, name)? {
            Some(n) => {
                if matches!(self.numbering, Numbering::Automatic(_)) {
                    return Err(th.value_error(
                        "cannot switch from automatic field numbering to manual field specification",
                    ));
                }
                self.numbering = Numbering::Manual;
                n
            }
            None if name.is_empty() => self.next_number(th)?,
            None => return self.named(th, name),
        };
        match self.source {
            Source::Map(_) => Err(th.value_error("Format string contains positional fields")),
            Source::Call(positional, _) => match positional.get(n).copied().flatten() {
                Some(v) => Ok(v),
                None => Err(th.raise(
                    crate::object::Exc::IndexError,
                    format!("Replacement index {n} out of range for positional args tuple"),
                )),
            },
        }
    }

    fn next_number(&mut self, th: &mut Thread) -> R<usize> {
        let n = match self.numbering {
            Numbering::Unknown => 0,
            Numbering::Automatic(n) => n,
            Numbering::Manual => {
                return Err(th.value_error(
                    "cannot switch from manual field specification to automatic field numbering",
                ));
            }
        };
        self.numbering = Numbering::Automatic(n + 1);
        Ok(n)
    }

    fn named(&self, th: &mut Thread, name: &str) -> R {
        let key = th.new_str(name)?;
        match self.source {
            Source::Map(map) => th.get_item(map, key),
            Source::Call(_, kwargs) => match kwargs.and_then(|d| dict::find_str(d, key)) {
                Some(v) => Ok(v),
                None => Err(th.raise_with(crate::object::Exc::KeyError, &[key])),
            },
        }
    }
}

fn unknown_conversion(th: &mut Thread, c: char) -> Raised {
    match c {
        '!'..='~' => th.value_error(format!("Unknown conversion specifier {c}")),
        c => th.value_error(format!("Unknown conversion specifier \\x{:x}", u32::from(c))),
    }
}

/// `ascii(v)`.
pub fn ascii(th: &mut Thread, v: Value) -> R {
    let shown = th.repr(v)?;
    match str::as_str(shown) {
        Some(text) if !text.is_ascii() => th.new_str(&text_repr::ascii_of_repr(text)),
        _ => Ok(shown),
    }
}

/// The number that a field or key is, if it is made of decimal digits alone.
fn number(m: &mut Mutator, text: &str) -> R<Option<usize>> {
    let mut n: usize = 0;
    for c in text.chars() {
        let Some(digit) = unicode::decimal(c) else { return Ok(None) };
        match n
            .checked_mul(10)
            .and_then(|n| n.checked_add(digit as usize))
            .filter(|n| *n <= isize::MAX as usize)
        {
            Some(next) => n = next,
            None => return Err(m.value_error("Too many decimal digits in format string")),
        }
    }
    Ok((!text.is_empty()).then_some(n))
}

/// Cuts a field whose '{' has been read; returns it and what follows its '}'.
fn cut<'a>(m: &mut Mutator, text: &'a str) -> R<(Field<'a>, &'a str)> {
    let mut bracket = false;
    let name_end = text.char_indices().find(|(_, c)| {
        match c {
            '[' => bracket = true,
            ']' => bracket = false,
            _ => {}
        }
        !bracket && matches!(c, '{' | '}' | ':' | '!')
    });
    let Some((end, stop)) = name_end else { return Err(m.value_error("expected '}' before end of string")) };
    let (name, tail) = text.split_at(end);
    let tail = tail.get(1..).unwrap_or("");
    match stop {
        '{' => Err(m.value_error("unexpected '{' in field name")),
        '}' => Ok((Field { name, conversion: None, spec: "" }, tail)),
        ':' => {
            let (spec, after) = cut_spec(m, tail)?;
            Ok((Field { name, conversion: None, spec }, after))
        }
        _ => conversion(m, name, tail),
    }
}

/// Cuts from behind the '!'.
fn conversion<'a>(m: &mut Mutator, name: &'a str, text: &'a str) -> R<(Field<'a>, &'a str)> {
    let mut chars = text.chars();
    let Some(c) = chars.next() else {
        return Err(m.value_error("end of string while looking for conversion specifier"));
    };
    let conversion = Some(c);
    match chars.next() {
        Some('}') => Ok((Field { name, conversion, spec: "" }, chars.as_str())),
        Some(':') => {
            let (spec, after) = cut_spec(m, chars.as_str())?;
            Ok((Field { name, conversion, spec }, after))
        }
        None => Err(m.value_error("unmatched '{' in format spec")),
        Some(_) => Err(m.value_error("expected ':' after conversion specifier")),
    }
}

/// A format spec up to its '}', nested fields included.
fn cut_spec<'a>(m: &mut Mutator, text: &'a str) -> R<(&'a str, &'a str)> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Ok((text.get(..at).unwrap_or(""), text.get(at + 1..).unwrap_or(""))),
            '}' => depth -= 1,
            _ => {}
        }
    }
    Err(m.value_error("unmatched '{' in format spec"))
}
