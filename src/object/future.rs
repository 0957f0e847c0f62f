//! Futures and tasks as data: their state, and where their values lie. Must not know loops, nor how a task goes on.
//!
//! Both are `Wide` objects. `extra` has the loop, and the result: the exception of one that FAILED; of a cancelled one the
//! exception that it was cancelled with, if that is known.

use super::error::{R, Raised};
use super::header::Slot;
use super::layout::Wide;
use super::mutator::Mutator;
use super::value::{Value, Word};
use super::{Exc, exc, types, wide};
use std::sync::atomic::Ordering;

pub const FUTURE: u32 = 1;
pub const TASK: u32 = 2;

/// The record of a failure that nobody has asked for.
pub const RECORD: u32 = 8;
/// Of a record: somebody has asked.
pub const SEEN: u32 = 1 << 8;

/// States: neither bit is set while it is pending.
pub const FINISHED: u32 = 1 << 8;
pub const CANCELLED: u32 = 1 << 9;
pub const DONE: u32 = FINISHED | CANCELLED;
/// Finished, and the result is an exception.
pub const FAILED: u32 = 1 << 10;
/// `_asyncio_future_blocking`: it was handed up to the task that awaits it.
pub const BLOCKING: u32 = 1 << 11;
/// Its exception was not asked for yet.
pub const UNSEEN: u32 = 1 << 12;
/// Of a task: it is to be cancelled at its next step.
pub const MUST_CANCEL: u32 = 1 << 13;
/// Of a task: it is in its loop's list of tasks.
pub const LISTED: u32 = 1 << 14;
/// It is in the heap of timers itself: it gets its result when the time has come.
pub const TIMED: u32 = 1 << 15;
/// In debug mode: it has a word more, the calls that led to it.
pub const TRACED: u32 = 1 << 16;
/// Of a task: nobody need be told if its loop ends before it does.
pub const QUIET: u32 = 1 << 17;
/// Requests to cancel a task are counted above: what two threads do wrong to the count goes to no other bit.
pub const CANCELS: u32 = 18;
pub const MOST_CANCELS: u32 = u32::MAX >> CANCELS;

/// Words of both. What is to be done when it is done: EMPTY, one entry, or a list of them. An entry is a task that waits
/// for it, a gathering that counts it, or a tuple of a function and a context. Of one that failed: its record.
pub const CALLBACKS: usize = 0;
/// The message that it was cancelled with; of one that failed, the traceback of its exception.
pub const MESSAGE: usize = 1;
/// Words of a future.
pub const FUTURE_WORDS: usize = 2;
/// Words of a task alone.
pub const CORO: usize = 2;
pub const WAITER: usize = 3;
pub const CONTEXT: usize = 4;
/// A str, or the number that the name is made of.
pub const NAME: usize = 5;
pub const TASK_WORDS: usize = 6;

/// In debug mode: the calls that led to it.
pub fn source(f: &'static Wide) -> Word {
    if wide::has(f, TRACED) { wide::word(f, source_at(f)).get() } else { None }
}

/// Sets the source of one that was made with a word more; others have none.
pub fn set_source(f: &'static Wide, calls: Value) {
    if wide::has_word(f, source_at(f)) {
        wide::word(f, source_at(f)).set(calls);
        wide::set(f, TRACED);
    }
}

fn source_at(f: &Wide) -> usize {
    if bits(f) & wide::ROLE == TASK { TASK_WORDS } else { FUTURE_WORDS }
}

static CANCELLED_ERROR: Slot = Slot::empty();
static INVALID_STATE: Slot = Slot::empty();

/// Once, when the classes are made.
pub fn set_errors(cancelled: Value, invalid: Value) {
    CANCELLED_ERROR.set(cancelled);
    INVALID_STATE.set(invalid);
}

/// `asyncio.CancelledError`.
pub fn cancelled_class() -> Value {
    CANCELLED_ERROR.value()
}

/// `v` as a future or task.
#[inline(always)]
pub fn of(v: Value) -> Option<&'static Wide> {
    wide::of(v).filter(|(_, role)| matches!(*role, FUTURE | TASK)).map(|(f, _)| f)
}

/// `v` as a task.
#[inline(always)]
pub fn task_of(v: Value) -> Option<&'static Wide> {
    wide::of_role(v, TASK)
}

/// Bits of its state.
#[inline(always)]
pub fn bits(f: &Wide) -> u32 {
    f.bits.load(Ordering::Acquire)
}

/// Whether it has a result, an exception, or was cancelled.
#[inline(always)]
pub fn is_done(f: &Wide) -> bool {
    bits(f) & DONE != 0
}

/// Its loop.
#[inline(always)]
pub fn event_loop(f: &Wide) -> Word {
    f.host.extra[0].get()
}

/// Its result slot.
#[inline(always)]
pub fn result_slot(f: &'static Wide) -> &'static Slot {
    &f.host.extra[1]
}

/// Goes from pending to done. False: it was done already, and nothing changed.
#[inline]
pub fn finish(f: &'static Wide, state: u32, result: Word) -> bool {
    if is_done(f) {
        return false;
    }
    result_slot(f).set_word(result);
    wide::set(f, state);
    true
}

/// InvalidStateError.
#[cold]
pub fn invalid_state(m: &mut Mutator, message: &str) -> Raised {
    let made = m.new_str(message).and_then(|text| exc::new_exception(m, INVALID_STATE.value(), &[text]));
    if let Ok(error) = made {
        m.pending = Some(error);
    }
    Raised
}

/// The CancelledError that whoever waits for a cancelled future or task gets.
pub fn cancelled_error(m: &mut Mutator, f: &'static Wide) -> R {
    if let Some(known) = result_slot(f).swap(None).filter(|_| bits(f) & CANCELLED != 0) {
        return Ok(known);
    }
    new_cancelled(m, wide::word(f, MESSAGE).get())
}

/// A CancelledError with a message, if there is one.
pub fn new_cancelled(m: &mut Mutator, message: Word) -> R {
    let message = message.filter(|v| !v.is_none());
    let args = message.as_slice();
    exc::new_exception(m, cancelled_class(), args)
}

/// The result of a future that is done, or its exception.
#[inline]
pub fn result(m: &mut Mutator, f: &'static Wide) -> R {
    let bits = bits(f);
    if bits & CANCELLED != 0 {
        let error = cancelled_error(m, f)?;
        m.pending = Some(error);
        return Err(Raised);
    }
    if bits & FINISHED == 0 {
        return Err(invalid_state(m, "Result is not set."));
    }
    if bits & FAILED == 0 {
        return Ok(result_slot(f).value());
    }
    mark_seen(f);
    let error = result_slot(f).value();
    if let Some(e) = exc::cast(error) {
        // It may have been raised before: each time the traceback begins where it first did.
        e.traceback.set_word(wide::word(f, MESSAGE).get());
    }
    m.pending = Some(error);
    Err(Raised)
}

/// Its exception has been asked for.
#[inline]
pub fn mark_seen(f: &'static Wide) {
    if wide::clear(f, UNSEEN) & UNSEEN != 0
        && let Some(record) = wide::word(f, CALLBACKS).get().and_then(|v| wide::of_role(v, RECORD))
    {
        wide::word(f, CALLBACKS).clear();
        wide::set(record, SEEN);
    }
}

/// What `await` does with it when it goes on. `Ok`: it is handed up to whoever drives the coroutine; `Err`: the result.
pub fn send(m: &mut Mutator, f: &'static Wide) -> R<Result<Value, Value>> {
    if is_done(f) {
        return result(m, f).map(Err);
    }
    if wide::set(f, BLOCKING) & BLOCKING != 0 {
        return Err(m.raise(Exc::RuntimeError, "await wasn't used with future"));
    }
    Ok(Ok(wide::value(f)))
}

/// The number of requests to cancel a task that were not taken back.
pub fn cancels(f: &Wide) -> u32 {
    bits(f) >> CANCELS
}

/// Whether an exception means that something was cancelled.
pub fn is_cancellation(error: Value) -> bool {
    super::class::is_subclass(types::class_of(error), cancelled_class())
}
