//! Waiting as scripts see it: until woken, until a time, or until an exception comes in between.
//! Must not know what is waited for.

use super::waits;
use crate::gil::park::{self, Wait};
use crate::object::R;
use crate::vm::poll;
use crate::vm::thread::Thread;
use std::time::{Duration, Instant};

/// The longest time that a lock or a join accepts, in seconds.
pub const TIMEOUT_MAX: f64 = 9_223_372_036.0;

/// Sleeps on `key` unless `validate` says no; returns what ended the sleep. Pending signals are handled: they may
/// raise, and then `Interrupted` never comes out.
pub fn wait_on(
    th: &mut Thread,
    key: usize,
    validate: impl FnOnce() -> bool,
    until: Option<Instant>,
) -> R<Wait> {
    let outcome = th.waiting(|member| park::wait_on(member, key, validate, until));
    match outcome {
        // KeyboardInterrupt comes out of here; at the end of the process a daemon thread stays in it.
        Wait::Interrupted => poll::poll(th)?,
        Wait::Stuck => waits::end_if_deadlocked(th, key),
        _ => {}
    }
    Ok(outcome)
}

/// Sleeps until `until`; pending signals may raise.
pub fn sleep_until(th: &mut Thread, until: Instant) -> R<()> {
    loop {
        match th.waiting(|member| park::sleep(member, Some(until))) {
            Wait::Interrupted => poll::poll(th)?,
            Wait::TimedOut => return Ok(()),
            Wait::Woken | Wait::Changed | Wait::Stuck => {}
        }
        if Instant::now() >= until {
            return Ok(());
        }
    }
}

/// The moment `seconds` from now; `None` if that is beyond what the clock can say.
pub fn deadline(seconds: f64) -> Option<Instant> {
    let span = Duration::try_from_secs_f64(seconds.max(0.0)).ok()?;
    Instant::now().checked_add(span)
}
