//! `str.translate` and `str.maketrans`.

use super::text_args::{text, this};
use crate::object::layout::is_subclass_instance;
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Value, Word, dict, int, str, types};
use crate::vm::native::Args;
use crate::vm::thread::Thread;

pub fn translate(th: &mut Thread, args: Args) -> R {
    let table = args.get(1);
    let mut out = String::with_capacity(this(args).len());
    for c in this(args).chars() {
        match entry(th, table, c)? {
            None => out.push(c),
            Some(v) if v.is_none() => {}
            Some(v) => push_mapped(th, v, &mut out)?,
        }
    }
    th.new_str(&out)
}

/// What the table has for a character; `None` if it has nothing (LookupError).
fn entry(th: &mut Thread, table: Value, c: char) -> R<Word> {
    let key = Value::int_unchecked(i64::from(u32::from(c)));
    if let Some(d) = dict::of(table)
        && !is_subclass_instance(&d.hdr)
    {
        let t = dict::table(d);
        if let Some(at) = dict::entry_of_small(t, key) {
            return Ok(dict::value_at(d, t, at));
        }
    }
    match th.get_item(table, key) {
        Ok(v) => Ok(Some(v)),
        Err(raised) => {
            let lookup = types::exc_class(Exc::LookupError);
            match th.pending {
                Some(e) if crate::object::class::is_subclass(types::class_of(e), lookup) => {
                    th.pending = None;
                    Ok(None)
                }
                _ => Err(raised),
            }
        }
    }
}

fn push_mapped(m: &mut Mutator, v: Value, out: &mut String) -> R<()> {
    if let Some(text) = str::as_str(v) {
        return m.push_text(out, text);
    }
    if types::kind_of(v) != crate::object::Kind::Int && !v.is_bool() {
        return Err(m.type_error("character mapping must return integer, None or str"));
    }
    match int::as_i64(v).and_then(|n| u32::try_from(n).ok()).and_then(char::from_u32) {
        Some(c) => {
            out.push(c);
            Ok(())
        }
        None => Err(m.value_error("character mapping must be in range(0x110000)")),
    }
}

/// A class method: the class, then the arguments.
pub fn maketrans(th: &mut Thread, args: Args) -> R {
    let table = th.new_dict()?;
    match (args.opt(2), args.opt(3)) {
        (None, _) => from_dict(th, args.get(1), table)?,
        (Some(to), deleted) => {
            let to = text(th, to, "maketrans() argument 2")?;
            let Some(from) = str::as_str(args.get(1)) else {
                return Err(
                    th.type_error("first maketrans argument must be a string if there is a second argument")
                );
            };
            let deleted = deleted.map_or(Ok(""), |v| text(th, v, "maketrans() argument 3"))?;
            if str::count_chars(from) != str::count_chars(to) {
                return Err(th.value_error("the first two maketrans arguments must have equal length"));
            }
            for (a, b) in from.chars().zip(to.chars()) {
                th.set_item(table, code(a), code(b))?;
            }
            for c in deleted.chars() {
                th.set_item(table, code(c), Value::NONE)?;
            }
        }
    }
    Ok(table)
}

fn code(c: char) -> Value {
    Value::int_unchecked(i64::from(u32::from(c)))
}

fn from_dict(th: &mut Thread, given: Value, table: Value) -> R<()> {
    let Some(d) = dict::of(given) else {
        return Err(th.type_error("if you give only one argument to maketrans it must be a dict"));
    };
    let mut at = 0;
    while let Some((next, key, value)) = dict::next_entry(d, at) {
        at = next;
        let key = match str::as_str(key) {
            Some(text) => {
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (Some(c), None) => code(c),
                    _ => return Err(th.value_error("string keys in translate table must be of length 1")),
                }
            }
            None if int::as_i64(key).is_some() => key,
            None => return Err(th.type_error("keys in translate table must be strings or integers")),
        };
        th.set_item(table, key, value)?;
    }
    Ok(())
}
