//! Signals at poll points: what arrives between two instructions of the main thread.
//! Must not know how they are caught (`gil::signal`).

use super::thread::Thread;
use super::{frame_object, hooks, poll};
use crate::gil::{Events, signal};
use crate::object::{R, Slot, Value, Word};

/// What a script wants to be called, by the signal's number. Empty: it has said nothing.
static HANDLERS: [Slot; 65] = [const { Slot::empty() }; 65];

/// See `HANDLERS`.
pub fn handler(signum: usize) -> Word {
    HANDLERS.get(signum).and_then(Slot::get)
}

/// See `HANDLERS`.
pub fn set_handler(signum: usize, handler: Value) {
    if let Some(slot) = HANDLERS.get(signum) {
        slot.set(handler);
    }
}

/// The collector's roots of this file.
pub fn visit_roots(visit: &mut dyn FnMut(Value)) {
    HANDLERS.iter().filter_map(Slot::get).for_each(visit);
}

/// Runs what is pending. SIGINT raises KeyboardInterrupt unless a script has a better idea.
pub fn run_pending(th: &mut Thread) -> R<()> {
    let done = run_handlers(th);
    if done.is_err() && signal::any_pending() {
        // The others have their turn at the next poll.
        th.m.member.request(Events::SIGNAL);
    }
    done
}

fn run_handlers(th: &mut Thread) -> R<()> {
    signal::take_question().into_iter().for_each(hooks::answer);
    while let Some(number) = signal::take_pending() {
        match handler(number as usize) {
            Some(function) => call(th, function, number)?,
            None if number == libc::SIGINT => return Err(poll::keyboard_interrupt(th)),
            None => {}
        }
    }
    Ok(())
}

fn call(th: &mut Thread, function: Value, number: i32) -> R<()> {
    if function.is_none() || function.is_small_int() {
        // It came before the script said that it does not want it any more.
        return Ok(());
    }
    let scope = th.scope();
    th.root(function);
    let frame = frame_object::of_running(th, 0);
    let called = frame.and_then(|frame| {
        let frame = th.root(frame.unwrap_or(Value::NONE));
        th.call(function, &[Value::int_unchecked(i64::from(number)), frame])
    });
    th.close(scope);
    called.map(drop)
}

impl Thread {
    /// After a system call was interrupted: runs pending handlers, which may raise.
    pub fn check_signals(&mut self) -> R<()> {
        let pending = self.m.member.withdraw(Events::SIGNAL | Events::ASYNC);
        if pending.has(Events::ASYNC) {
            return Err(poll::keyboard_interrupt(self));
        }
        if pending.has(Events::SIGNAL) { run_pending(self) } else { Ok(()) }
    }
}
