//! What `await` and `async for` deal with: the awaitable protocol, and the steps of an asynchronous generator
//! (`asend`, `athrow`, `aclose`) as objects that are driven like a coroutine. Must not know frames or instructions.
//!
//! State words of the objects: `AsyncSend` and `AsyncThrow` have the generator, a value (what is sent; what is thrown, EMPTY
//! for `aclose`) and a stage; `CoroutineWrapper` the coroutine; `AnextDefault` an awaitable and the default; `FutureIter` a
//! future. `await` of a future drives the future itself.

use super::coroutine::{self, Input, Outcome};
use super::thread::Thread;
use crate::object::generator::{self, bits};
use crate::object::iter::{self, Tag};
use crate::object::layout::{Generator, Iter};
use crate::object::{Exc, Kind, R, Raised, Value, Word, class, future, types};
use std::sync::atomic::Ordering::{AcqRel, Relaxed, Release};

/// Stages of a step, in state word 2.
const NEW: i64 = 0;
const BEGUN: i64 = 1;
const OVER: i64 = 2;

/// Who asks for an awaitable, as `Awaitable` says it in its spare byte: for the words of the error.
const BY_AENTER: u8 = 1;
const BY_AEXIT: u8 = 2;
const BY_ANEXT: u8 = 3;

fn word(it: &Iter, i: usize) -> Word {
    it.state.get(i)?.get()
}

fn stage(it: &Iter) -> i64 {
    word(it, 2).and_then(Value::as_small).unwrap_or(NEW)
}

fn set_stage(it: &Iter, stage: i64) {
    it.state[2].set(Value::int_unchecked(stage));
}

/// `v` as one of the objects of this file.
pub fn of(v: Value) -> Option<&'static Iter> {
    iter::of(v).filter(|it| Tag::of(it).is_awaitable())
}

/// The first step of an asynchronous generator: tells who wants to know (`sys.set_asyncgen_hooks`).
#[inline]
fn announce(th: &mut Thread, agen: Value) -> R<()> {
    let Some(hook) = th.asyncgen_hooks[0] else { return Ok(()) };
    let Some(g) = generator::of(agen) else { return Ok(()) };
    if g.bits.fetch_or(bits::ANNOUNCED, AcqRel) & bits::ANNOUNCED != 0 {
        return Ok(());
    }
    th.call(hook, &[agen]).map(drop)
}

/// `agen.asend(value)`, `agen.__anext__()`.
pub fn asend(th: &mut Thread, agen: Value, value: Value) -> R {
    announce(th, agen)?;
    iter::new(&mut th.m, Tag::AsyncSend, &[agen, value, Value::int_unchecked(NEW)])
}

/// `agen.athrow(exception)`; without an exception `agen.aclose()`.
pub fn athrow(th: &mut Thread, agen: Value, exception: Word) -> R {
    announce(th, agen)?;
    let step = iter::new(&mut th.m, Tag::AsyncThrow, &[agen])?;
    if let Some(it) = iter::of(step) {
        it.state[1].set_word(exception);
        set_stage(it, NEW);
    }
    Ok(step)
}

/// `await v`: what is to be driven.
pub fn awaitable(th: &mut Thread, v: Value, by: u8) -> R {
    match types::kind_of(v) {
        Kind::Coroutine => {
            if generator::of(v).and_then(coroutine::delegate_of).is_some() {
                return Err(th.raise(Exc::RuntimeError, "coroutine is being awaited already"));
            }
            return Ok(v);
        }
        Kind::Generator if is_awaitable_generator(v) => return Ok(v),
        Kind::Iter if of(v).is_some() => return Ok(v),
        _ => {}
    }
    let Some(method) = th.lookup_special(v, "__await__") else { return Err(not_awaitable(th, v, by)) };
    if types::kind_of(method) == Kind::Native && future::of(v).is_some() {
        return Ok(v);
    }
    let it = th.call(method, &[v])?;
    if types::kind_of(it) == Kind::Coroutine || is_awaitable_generator(it) {
        return Err(th.type_error("__await__() returned a coroutine"));
    }
    let kind = types::kind_of(it);
    if !matches!(kind, Kind::Iter | Kind::Generator) && th.lookup_special(it, "__next__").is_none() {
        let name = th.type_name(it);
        return Err(th.type_error(format!("__await__() returned non-iterator of type '{name}'")));
    }
    Ok(it)
}

fn is_awaitable_generator(v: Value) -> bool {
    generator::of(v).is_some_and(|g| g.bits.load(Relaxed) & bits::AWAITABLE != 0)
}

#[cold]
fn not_awaitable(th: &mut Thread, v: Value, by: u8) -> Raised {
    let name = th.type_name(v);
    let from = |method| {
        format!("'async with' received an object from {method} that does not implement __await__: {name}")
    };
    let message = match by {
        BY_AENTER => from("__aenter__"),
        BY_AEXIT => from("__aexit__"),
        BY_ANEXT => format!("'async for' received an invalid object from __anext__: {name}"),
        _ => format!("object {name} can't be used in 'await' expression"),
    };
    th.type_error(message)
}

/// `async for` over `v`: its asynchronous iterator.
pub fn async_iter(th: &mut Thread, v: Value) -> R {
    if types::kind_of(v) == Kind::AsyncGenerator {
        return Ok(v);
    }
    let Some(method) = th.lookup_special(v, "__aiter__") else {
        let name = th.type_name(v);
        return Err(
            th.type_error(format!("'async for' requires an object with __aiter__ method, got {name}"))
        );
    };
    let it = th.call(method, &[v])?;
    if types::kind_of(it) != Kind::AsyncGenerator && th.lookup_special(it, "__anext__").is_none() {
        let name = th.type_name(it);
        return Err(th.type_error(format!(
            "'async for' received an object from __aiter__ that does not implement __anext__: {name}"
        )));
    }
    Ok(it)
}

/// `async for`: what is to be awaited for the next item.
pub fn async_next(th: &mut Thread, it: Value) -> R {
    if types::kind_of(it) == Kind::AsyncGenerator {
        return asend(th, it, Value::NONE);
    }
    match th.lookup_special(it, "__anext__") {
        Some(method) => th.call(method, &[it]),
        None => {
            let name = th.type_name(it);
            Err(th.type_error(format!("'async for' requires an iterator with __anext__ method, got {name}")))
        }
    }
}

/// Sends `value` to an object of this file.
pub fn send(th: &mut Thread, it: &'static Iter, value: Value) -> R<Outcome> {
    match Tag::of(it) {
        Tag::AsyncSend => send_step(th, it, value),
        Tag::AsyncThrow => throw_step(th, it, value),
        Tag::CoroutineWrapper => th.resume(it.state[0].value(), Input::Send(value)),
        Tag::FutureIter => match future::of(it.state[0].value()) {
            Some(f) => future::send(th, f).map(super::ops::suspend::outcome),
            None => Ok(Outcome::Returned(Value::NONE)),
        },
        _ => with_default(th, it, |th, inner| super::ops::suspend::send(th, inner, value)),
    }
}

/// Throws into an object of this file.
pub fn throw(th: &mut Thread, it: &'static Iter, exception: Value) -> R<Outcome> {
    let agen = it.state[0].value();
    match Tag::of(it) {
        Tag::AsyncSend => {
            if stage(it) == OVER {
                return Err(reused(th, it));
            }
            let outcome = coroutine::throw(th, agen, exception, false);
            settle_send(th, it, agen, outcome)
        }
        Tag::AsyncThrow => {
            if stage(it) == OVER {
                return Err(reused(th, it));
            }
            let outcome = coroutine::throw(th, agen, exception, false);
            settle_throw(th, it, agen, outcome)
        }
        Tag::CoroutineWrapper => coroutine::throw(th, agen, exception, true),
        Tag::FutureIter => Err(th.raise_value(exception)),
        _ => with_default(th, it, |th, inner| super::ops::suspend::throw(th, inner, exception)),
    }
}

/// Closes an object of this file.
pub fn close(th: &mut Thread, it: &'static Iter) -> R<()> {
    match Tag::of(it) {
        Tag::CoroutineWrapper => coroutine::close(th, it.state[0].value()),
        Tag::AsyncSend | Tag::AsyncThrow => {
            set_stage(it, OVER);
            Ok(())
        }
        Tag::FutureIter => Ok(()),
        _ => {
            let inner = awaitable(th, it.state[0].value(), 0)?;
            coroutine::close_delegate(th, inner)
        }
    }
}

#[cold]
fn reused(th: &mut Thread, it: &Iter) -> Raised {
    let what = if Tag::of(it) == Tag::AsyncSend { "__anext__()/asend()" } else { "aclose()/athrow()" };
    th.raise(Exc::RuntimeError, format!("cannot reuse already awaited {what}"))
}

/// Marks the generator as busy with a step. False: it was already.
fn begin(agen: Value) -> bool {
    generator::of(agen)
        .is_some_and(|g| g.bits.fetch_or(bits::ASYNC_RUNNING, AcqRel) & bits::ASYNC_RUNNING == 0)
}

fn end(agen: Value, also: u32) {
    if let Some(g) = generator::of(agen) {
        g.bits.fetch_or(also, Relaxed);
        g.bits.fetch_and(!bits::ASYNC_RUNNING, Release);
    }
}

fn send_step(th: &mut Thread, it: &'static Iter, value: Value) -> R<Outcome> {
    let agen = it.state[0].value();
    let mut value = value;
    match stage(it) {
        OVER => return Err(reused(th, it)),
        NEW => {
            if !begin(agen) {
                set_stage(it, OVER);
                let message = "anext(): asynchronous generator is already running";
                return Err(th.raise(Exc::RuntimeError, message));
            }
            if value.is_none() {
                value = it.state[1].value();
            }
            set_stage(it, BEGUN);
        }
        _ => {}
    }
    let outcome = th.resume(agen, Input::Send(value));
    settle_send(th, it, agen, outcome)
}

/// What became of the generator, as the step's own outcome: an item is the step's result.
fn settle_send(th: &mut Thread, it: &Iter, agen: Value, outcome: R<Outcome>) -> R<Outcome> {
    let settled = settle(th, agen, outcome);
    if !matches!(settled, Ok(Outcome::Yielded(_))) {
        set_stage(it, OVER);
    }
    settled
}

fn settle(th: &mut Thread, agen: Value, outcome: R<Outcome>) -> R<Outcome> {
    match outcome {
        Ok(Outcome::Yielded(value)) => Ok(Outcome::Yielded(value)),
        Ok(Outcome::Item(item)) => {
            end(agen, 0);
            Ok(Outcome::Returned(item))
        }
        Ok(Outcome::Returned(_)) => {
            end(agen, bits::CLOSED);
            Err(th.raise_with(Exc::StopAsyncIteration, &[]))
        }
        Err(raised) => {
            end(agen, if is_end(th) { bits::CLOSED } else { 0 });
            Err(raised)
        }
    }
}

fn is_end(th: &Thread) -> bool {
    th.pending_is(Exc::StopAsyncIteration) || th.pending_is(Exc::GeneratorExit)
}

fn throw_step(th: &mut Thread, it: &'static Iter, value: Value) -> R<Outcome> {
    let agen = it.state[0].value();
    let Some(g) = generator::of(agen) else { return Err(th.type_error("not an asynchronous generator")) };
    match stage(it) {
        OVER => Err(reused(th, it)),
        NEW => first_throw(th, it, g, value),
        _ => {
            let outcome = th.resume(agen, Input::Send(value));
            settle_throw(th, it, agen, outcome)
        }
    }
}

fn first_throw(th: &mut Thread, it: &'static Iter, g: &'static Generator, value: Value) -> R<Outcome> {
    let (agen, given) = (it.state[0].value(), word(it, 1));
    if generator::state(g) == generator::FINISHED {
        set_stage(it, OVER);
        return Ok(Outcome::Returned(Value::NONE));
    }
    if !begin(agen) {
        set_stage(it, OVER);
        let what = if given.is_some() { "athrow" } else { "aclose" };
        let message = format!("{what}(): asynchronous generator is already running");
        return Err(th.raise(Exc::RuntimeError, message));
    }
    if g.bits.load(Relaxed) & bits::CLOSED != 0 {
        end(agen, 0);
        set_stage(it, OVER);
        return Err(th.raise_with(Exc::StopAsyncIteration, &[]));
    }
    if !value.is_none() {
        end(agen, 0);
        let message = "can't send non-None value to a just-started coroutine";
        return Err(th.raise(Exc::RuntimeError, message));
    }
    set_stage(it, BEGUN);
    let exception = match given {
        Some(exception) => exception,
        None => {
            g.bits.fetch_or(bits::CLOSED, Relaxed);
            th.raise_with(Exc::GeneratorExit, &[]);
            th.take_exception()
        }
    };
    let outcome = coroutine::throw(th, agen, exception, false);
    settle_throw(th, it, agen, outcome)
}

/// As `settle_send`, for `athrow`, and for `aclose`, which the generator's end is the success of.
fn settle_throw(th: &mut Thread, it: &Iter, agen: Value, outcome: R<Outcome>) -> R<Outcome> {
    let closes = word(it, 1).is_none();
    let settled = match outcome {
        Ok(Outcome::Item(_)) if closes => {
            end(agen, 0);
            Err(th.raise(Exc::RuntimeError, "async generator ignored GeneratorExit"))
        }
        outcome => settle(th, agen, outcome),
    };
    if matches!(settled, Ok(Outcome::Yielded(_))) {
        return settled;
    }
    set_stage(it, OVER);
    if closes && settled.is_err() && is_end(th) {
        th.m.pending = None;
        return Ok(Outcome::Returned(Value::NONE));
    }
    settled
}

/// A step of `anext(it, default)`: the end of the iteration gives the default.
fn with_default(
    th: &mut Thread,
    it: &'static Iter,
    step: impl FnOnce(&mut Thread, Value) -> R<Result<Value, Value>>,
) -> R<Outcome> {
    let inner = awaitable(th, it.state[0].value(), 0)?;
    // What `__await__` made is what is driven from now on.
    it.state[0].set(inner);
    match step(th, inner) {
        Ok(Ok(value)) => Ok(Outcome::Yielded(value)),
        Ok(Err(result)) => Ok(Outcome::Returned(result)),
        Err(_) if th.pending_is(Exc::StopAsyncIteration) => {
            th.m.pending = None;
            Ok(Outcome::Returned(it.state[1].value()))
        }
        Err(raised) => Err(raised),
    }
}

/// The next value of an object of this file, for plain iteration; `None` at its end.
pub fn next(th: &mut Thread, it: &'static Iter) -> R<Word> {
    match send(th, it, Value::NONE)? {
        Outcome::Yielded(value) | Outcome::Item(value) => Ok(Some(value)),
        Outcome::Returned(_) => Ok(None),
    }
}

/// Whether an exception ends an `async for`.
pub fn ends_loop(exception: Value) -> bool {
    class::is_subclass(types::class_of(exception), types::exc_class(Exc::StopAsyncIteration))
}
