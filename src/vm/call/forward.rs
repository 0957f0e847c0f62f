//! Calls of objects that call another one with more arguments (`functools.partial`), without a native frame between.
//! Must not know such objects: their native `__call__` says what is called (`NativeFn::Forward`).

use super::{Called, Keywords, enter_above};
use crate::object::{Kind, R, Slot, Value, dict, str, tuple, types};
use crate::vm::fields;
use crate::vm::native::{Forwarded, NativeFn};
use crate::vm::thread::Thread;
use smallvec::SmallVec;

/// What a call of `callee`, whose `__call__` is `f`, is handed on to.
#[inline]
pub(super) fn parts(f: Value, callee: Value) -> Option<Forwarded> {
    match fields::def(f)?.run {
        NativeFn::Forward { parts, .. } => parts(callee),
        _ => None,
    }
}

/// Hands on a call in a window with these arguments, the last of them named.
pub(super) fn call(
    th: &mut Thread,
    to: &Forwarded,
    window: *mut u64,
    given: &[Value],
    names: &[Slot],
) -> R<Called> {
    let (positional, values) = given.split_at(given.len() - names.len().min(given.len()));
    let keywords = merged(to.keywords, names, values);
    let first = tuple::items(to.args);
    let all = first.iter().filter_map(Slot::get).chain(positional.iter().copied());
    if types::kind_of(to.func) == Kind::Function {
        return enter_above(th, to.func, (all, first.len() + given.len()), &keywords, window);
    }
    let all: SmallVec<[Value; 8]> = all.collect();
    th.call_kw(to.func, &all, &keywords).map(Called::Value)
}

/// The entries of a dict, then the arguments of these names, which replace entries of the same name.
fn merged(first: Value, names: &[Slot], values: &[Value]) -> Keywords {
    let mut all = Keywords::new();
    if let Some(d) = dict::of(first) {
        let (mut at, step) = (0, dict::steps(d));
        while let Some((next, key, value)) = step(at) {
            all.push((key, value));
            at = next;
        }
    }
    for (name, value) in names.iter().zip(values) {
        let name = name.value();
        match all.iter_mut().find(|(key, _)| *key == name || str::as_str(*key) == str::as_str(name)) {
            Some(entry) => entry.1 = *value,
            None => all.push((name, *value)),
        }
    }
    all
}
