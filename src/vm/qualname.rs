//! The qualified names of functions and suspended calls. Most are never asked for, and no two are the same: what a script did
//! not set is made into a string when somebody asks. Must not know who asks.

use super::frame;
use crate::object::layout::Function;
use crate::object::mutator::Mutator;
use crate::object::{R, Value, generator, str};

/// `__qualname__` of a function.
pub fn of_function(m: &mut Mutator, f: &Function) -> R {
    if let Some(given) = f.qualname.get() {
        return Ok(given);
    }
    let Some(code) = frame::code_of(f) else { return Ok(Value::NONE) };
    if let Some(known) = code.qualname.get() {
        return Ok(known);
    }
    let name = m.intern(&frame::plain(code).qualname)?;
    // Two threads may do this at once: it is the same string.
    code.qualname.set(name);
    Ok(name)
}

/// The text of it.
pub fn text(f: &Function) -> &str {
    let written = || frame::code_of(f).map(|code| &*frame::plain(code).qualname);
    f.qualname.get().and_then(str::as_str).or_else(written).unwrap_or("?")
}

/// `__name__` and `__qualname__` of a generator or its like: the function's, unless others were given.
pub fn of_generator(m: &mut Mutator, v: Value) -> R<[Value; 2]> {
    if let Some(given) = generator::given_names(v) {
        return Ok(given);
    }
    match generator::function(v) {
        Some(f) => Ok([f.name.value(), of_function(m, f)?]),
        None => Ok([Value::NONE; 2]),
    }
}

/// The text of its `__qualname__`.
pub fn text_of_generator(v: Value) -> &'static str {
    let given = generator::given_names(v).and_then(|[_, name]| str::as_str(name));
    given.or_else(|| generator::function(v).map(text)).unwrap_or("?")
}
