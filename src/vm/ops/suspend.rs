//! What `yield from` does with iterators that the eval loop does not resume itself. Must not know frames.

use super::except;
use crate::object::header::flag;
use crate::object::{Kind, R, Value, future, types};
use crate::vm::coroutine::{self, Input, Outcome};
use crate::vm::thread::Thread;
use crate::vm::{awaitable, frame};
use std::sync::atomic::Ordering;

/// What `yield from v` delegates to.
pub fn delegate(th: &mut Thread, v: Value) -> R {
    match types::kind_of(v) {
        Kind::Generator => Ok(v),
        Kind::Coroutine => {
            let function = frame::function(th.base);
            let may = function.is_some_and(|f| f.hdr.flags.load(Ordering::Relaxed) & flag::AWAITABLE != 0);
            match may {
                true => Ok(v),
                false => {
                    Err(th.type_error("cannot 'yield from' a coroutine object in a non-coroutine generator"))
                }
            }
        }
        _ => th.iter_object(v),
    }
}

/// The end of an `async for`'s iteration: any other exception goes on.
pub fn end_loop(th: &mut Thread, exception: Value) -> R<()> {
    match awaitable::ends_loop(exception) {
        true => Ok(()),
        false => Err(except::re_raise(th, exception)),
    }
}

/// Throws into an iterator; as `send`.
pub fn throw(th: &mut Thread, iter: Value, exception: Value) -> R<Result<Value, Value>> {
    match coroutine::throw_into(th, iter, exception, false)? {
        Some(outcome) => Ok(settled(outcome)),
        None => Err(th.raise_value(exception)),
    }
}

fn settled(outcome: Outcome) -> Result<Value, Value> {
    match outcome {
        Outcome::Yielded(v) | Outcome::Item(v) => Ok(v),
        Outcome::Returned(v) => Err(v),
    }
}

/// The other way round.
pub fn outcome(settled: Result<Value, Value>) -> Outcome {
    match settled {
        Ok(v) => Outcome::Yielded(v),
        Err(v) => Outcome::Returned(v),
    }
}

/// Sends `value` to an iterator. `Err(result)` inside: it has ended.
#[cold]
pub fn send(th: &mut Thread, iter: Value, value: Value) -> R<Result<Value, Value>> {
    match types::kind_of(iter) {
        Kind::Generator | Kind::Coroutine => th.resume(iter, Input::Send(value)).map(settled),
        _ => {
            if let Some(f) = future::of(iter) {
                return future::send(th, f);
            }
            if let Some(it) = awaitable::of(iter) {
                return awaitable::send(th, it, value).map(settled);
            }
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
    if crate::object::iter::plain(iter).is_some() {
        let item = th.next_or_stop(iter)?;
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
