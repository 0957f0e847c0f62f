//! What a module says that its names are, by a function `__dir__`: names that it knows how to make are among them. And what
//! the library's modules say when they are asked for others. Must not know who asks.

use super::frame;
use super::thread::Thread;
use crate::object::layout::Function;
use crate::object::{R, Value, Word, dict, func, types};

/// The list of the names; EMPTY for what is no module, or says nothing.
pub fn asked(th: &mut Thread, v: Value) -> R<Word> {
    let Some(namespace) = func::module_dict(v) else { return Ok(None) };
    let name = th.name("__dir__")?;
    let Some(own) = dict::find_cell(namespace, name).and_then(|cell| cell.value.get()) else {
        return Ok(None);
    };
    let names = th.call(own, &[])?;
    th.collect(names).map(Some)
}

/// Whether `__getattr__` of a module of the library has no such name: it says so by NotImplemented, and the AttributeError is
/// that of any other module, without a line of the library in its traceback.
pub fn is_refusal(hook: Value, answer: Value) -> bool {
    let library =
        |f| frame::code_of(f).is_some_and(|code| frame::plain(code).filename.starts_with("<frozen "));
    answer == Value::NOT_IMPLEMENTED && types::cast::<Function>(hook).is_some_and(library)
}
