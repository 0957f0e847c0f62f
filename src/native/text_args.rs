//! How natives about text read their arguments, and complain about them. Must not know any method.

use crate::object::error::Exc;
use crate::object::header::Kind;
use crate::object::mutator::Mutator;
use crate::object::types::kind_of;
use crate::object::{R, Value, Word, int, str};
use crate::vm::native::Args;
use crate::vm::type_names;

/// The name of a value's class, for messages.
pub fn type_name(v: Value) -> String {
    type_names::of(v)
}

/// The text of the receiver.
#[inline]
pub fn this(args: Args) -> &'static str {
    str::as_str(args.get(0)).unwrap_or("")
}

/// As `type_name`; None is called by its own name where arguments are refused.
pub fn argument_name(v: Value) -> String {
    if v.is_none() { "None".to_owned() } else { type_name(v) }
}

/// A string argument; `what` begins the message: "{what} must be str, not int".
pub fn text(m: &mut Mutator, v: Value, what: &str) -> R<&'static str> {
    match str::as_str(v) {
        Some(text) => Ok(text),
        None => Err(m.type_error(format!("{what} must be str, not {}", argument_name(v)))),
    }
}

/// A string argument of a function that says only "must be str".
pub fn plain_text(m: &mut Mutator, v: Value) -> R<&'static str> {
    match str::as_str(v) {
        Some(text) => Ok(text),
        None => Err(m.type_error(format!("must be str, not {}", type_name(v)))),
    }
}

/// An int argument that must fit a machine word.
pub fn index(m: &mut Mutator, v: Value) -> R<i64> {
    match int::as_i64(v) {
        Some(n) => Ok(n),
        None if kind_of(v) == Kind::Int => {
            Err(m.raise(Exc::OverflowError, "Python int too large to convert to C ssize_t"))
        }
        None => {
            let name = type_name(v);
            Err(m.type_error(format!("'{name}' object cannot be interpreted as an integer")))
        }
    }
}

/// An optional int argument.
pub fn index_or(m: &mut Mutator, v: Word, default: i64) -> R<i64> {
    v.map_or(Ok(default), |v| index(m, v))
}

/// An optional count where a negative number means no limit.
pub fn limit(m: &mut Mutator, v: Word) -> R<usize> {
    Ok(usize::try_from(index_or(m, v, -1)?).unwrap_or(usize::MAX))
}

/// A slice bound: an int of any size, or None.
fn bound(m: &mut Mutator, v: Word, default: i64) -> R<i64> {
    let Some(v) = v.filter(|v| !v.is_none()) else { return Ok(default) };
    if let Some(n) = int::as_i64(v) {
        return Ok(n);
    }
    if int::is_int(v) {
        return Ok(if int::is_negative(v) { i64::MIN } else { i64::MAX });
    }
    Err(m.type_error("slice indices must be integers or None or have an __index__ method"))
}

/// Optional bounds `start` and `end`, arguments `at` and `at + 1`, of a sequence of `len` items; `None` if they cross or
/// `start` is beyond the end: then not even an empty piece is there.
pub fn bounds(m: &mut Mutator, args: Args, at: usize, len: usize) -> R<Option<(usize, usize)>> {
    let len = len as i64;
    let adjust = |n: i64| if n < 0 { n.saturating_add(len).max(0) } else { n };
    let start = adjust(bound(m, args.opt(at), 0)?);
    let end = adjust(bound(m, args.opt(at + 1), i64::MAX)?).min(len);
    Ok((start <= end).then_some((start as usize, end as usize)))
}
