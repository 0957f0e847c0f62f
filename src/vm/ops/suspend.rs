//! What `yield from` does with iterators that the eval loop does not resume itself. Must not know frames.

use crate::object::{Kind, R, Value, types};
use crate::vm::coroutine::{self, Input, Outcome};
use crate::vm::thread::Thread;

/// What `yield from v` delegates to.
pub fn delegate(th: &mut Thread, v: Value) -> R {
    if types::kind_of(v) == Kind::Generator {
        return Ok(v);
    }
    th.iter_object(v)
}

/// Sends `value` to an iterator. `Err(result)` inside: it has ended.
#[cold]
pub fn send(th: &mut Thread, iter: Value, value: Value) -> R<Result<Value, Value>> {
    match types::kind_of(iter) {
        Kind::Generator | Kind::Coroutine => match th.resume(iter, Input::Send(value))? {
            Outcome::Yielded(v) | Outcome::Item(v) => Ok(Ok(v)),
            Outcome::Returned(v) => Ok(Err(v)),
        },
        _ => {
            let sent =
                if value.is_none() { call_next(th, iter) } else { th.call_method(iter, "send", &[value]) };
            match sent {
                Ok(v) => Ok(Ok(v)),
                Err(raised) => coroutine::stop_value(th).map(Err).ok_or(raised),
            }
        }
    }
}

/// `iter.__next__()`, with the StopIteration and its value.
fn call_next(th: &mut Thread, iter: Value) -> R {
    if types::kind_of(iter) == Kind::Iter {
        let item = th.next_item(iter)?;
        return item.ok_or_else(|| th.raise_with(crate::object::Exc::StopIteration, &[]));
    }
    match th.lookup_special(iter, "__next__") {
        Some(method) => th.call(method, &[iter]),
        None => {
            let name = th.type_name(iter);
            Err(th.type_error(format!("'{name}' object is not an iterator")))
        }
    }
}
