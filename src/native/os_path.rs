//! How natives about files read paths: str, bytes, objects with `__fspath__`, descriptors where those will do.
//! Must not know what is done with the path.

use super::support::{self, type_name};
use crate::object::{Kind, R, Value, bytes, int, str, types};
use crate::vm::thread::Thread;
use std::ffi::CString;

/// What a path argument says.
pub enum Place {
    Path(CString),
    Fd(i32),
}

/// A path argument, with the value that error messages show.
pub struct PathArg {
    pub path: CString,
    pub shown: Value,
    /// The caller gave bytes: names that come back are bytes too.
    pub is_bytes: bool,
}

/// Reads a path. `function` and `accepted` are for the message of a TypeError.
pub fn path(th: &mut Thread, v: Value, function: &str, accepted: &str) -> R<PathArg> {
    let shown = fspath(th, v, function, accepted)?;
    let is_bytes = bytes::as_bytes(shown).is_some();
    let raw = match str::as_str(shown) {
        Some(text) => text.as_bytes(),
        None => bytes::as_bytes(shown).unwrap_or(&[]),
    };
    match CString::new(raw) {
        Ok(path) => Ok(PathArg { path, shown, is_bytes }),
        Err(_) => Err(th.value_error("embedded null byte")),
    }
}

/// Reads the path of a function that takes nothing else.
pub fn plain(th: &mut Thread, v: Value, function: &str) -> R<PathArg> {
    path(th, v, function, "string, bytes or os.PathLike")
}

/// Reads a path or a descriptor.
pub fn place(th: &mut Thread, v: Value, function: &str) -> R<(Place, Option<Value>)> {
    if int::is_int(v) {
        return Ok((Place::Fd(support::c_int(th, v)?), Some(v)));
    }
    let arg = path(th, v, function, "string, bytes, os.PathLike or integer")?;
    Ok((Place::Path(arg.path), Some(arg.shown)))
}

/// The str or bytes of a path-like object.
fn fspath(th: &mut Thread, v: Value, function: &str, accepted: &str) -> R {
    if matches!(types::kind_of(v), Kind::Str | Kind::Bytes) {
        return Ok(v);
    }
    let Some(hook) = th.lookup_special(v, "__fspath__") else {
        let class = type_name(v);
        return Err(th.type_error(format!("{function}: path should be {accepted}, not {class}")));
    };
    let found = th.call(hook, &[v])?;
    if matches!(types::kind_of(found), Kind::Str | Kind::Bytes) {
        return Ok(found);
    }
    let (class, got) = (type_name(v), type_name(found));
    Err(th.type_error(format!("expected {class}.__fspath__() to return str or bytes, not {got}")))
}

/// A name of the file system as str, or as bytes if the caller asked with bytes. Bytes that are no text are replaced.
pub fn name(th: &mut Thread, raw: &[u8], is_bytes: bool) -> R {
    if is_bytes { th.new_bytes(raw) } else { th.new_str(&String::from_utf8_lossy(raw)) }
}
