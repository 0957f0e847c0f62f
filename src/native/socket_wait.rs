//! How long calls about a socket wait: time-outs, interruptions, and what "not now" means. Must not know addresses.

use super::oserror::os_error;
use super::support::number;
use crate::gil::Cause;
use crate::object::{Exc, R, Raised, Value};
use crate::rt::poll::{self, PollFd};
use crate::rt::syscall::Sys;
use crate::vm::thread::Thread;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// The time-out of a socket, which the files made of it share.
#[derive(Debug)]
pub struct Patience(AtomicI64);

impl Patience {
    /// For ever, until it is told otherwise.
    pub const fn endless() -> Patience {
        Patience(AtomicI64::new(-1))
    }

    /// `None`: for ever; zero: not at all.
    pub fn get(&self) -> Option<Duration> {
        u64::try_from(self.0.load(Ordering::Relaxed)).ok().map(Duration::from_nanos)
    }

    pub fn set(&self, timeout: Option<Duration>) {
        let nanoseconds = timeout.map_or(-1, |t| i64::try_from(t.as_nanos()).unwrap_or(i64::MAX));
        self.0.store(nanoseconds, Ordering::Relaxed);
    }

    /// When a call that begins now gives up. `None`: never, or it does not wait in the first place.
    pub fn until(&self) -> Option<Instant> {
        self.get().filter(|span| !span.is_zero()).and_then(|span| Instant::now().checked_add(span))
    }
}

/// A time-out argument: None, or seconds.
pub fn timeout_arg(th: &mut Thread, v: Value) -> R<Option<Duration>> {
    if v.is_none() {
        return Ok(None);
    }
    let seconds = number(th, v, "'{}' object cannot be interpreted as an integer")?;
    if seconds.is_nan() {
        return Err(th.value_error("Invalid value NaN (not a number)"));
    }
    if seconds < 0.0 {
        return Err(th.value_error("Timeout value out of range"));
    }
    // Nothing but 0 means not to wait at all.
    let least = if seconds > 0.0 { Duration::from_nanos(1) } else { Duration::ZERO };
    match Duration::try_from_secs_f64(seconds) {
        Ok(span) if span.as_secs() < 9_223_372_036 => Ok(Some(span.max(least))),
        _ => Err(th.raise(Exc::OverflowError, "timestamp too large to convert to C _PyTime_t")),
    }
}

#[cold]
pub fn timed_out(th: &mut Thread) -> Raised {
    th.raise(Exc::TimeoutError, "timed out")
}

/// Waits until the descriptor is ready for `events`; false: the time was over first. Signal handlers run meanwhile.
pub fn ready(th: &mut Thread, fd: i32, events: i16, until: Option<Instant>) -> R<bool> {
    let mut fds = [PollFd { fd, events, revents: 0 }];
    match poll_until(th, &mut fds, until)? {
        Ok(n) => Ok(n > 0),
        Err(errno) => Err(os_error(th, errno, None)),
    }
}

/// `poll`, again with the rest of the time after an interruption.
pub fn poll_until(th: &mut Thread, fds: &mut [PollFd], until: Option<Instant>) -> R<Sys<usize>> {
    loop {
        let left = until.map(|until| until.saturating_duration_since(Instant::now()));
        match th.detach(Cause::Blocking, || poll::poll(fds, left)) {
            Err(libc::EINTR) => th.check_signals()?,
            done => return Ok(done),
        }
    }
}

/// Runs a call about a socket, waiting for its `events` first if there is a time-out.
pub fn call<T>(
    th: &mut Thread,
    fd: i32,
    events: i16,
    patience: &Patience,
    call: impl FnMut() -> Sys<T>,
) -> R<T> {
    let until = patience.until();
    call_until(th, fd, events, until, call)
}

/// As `call`, for one of several calls that share their time.
pub fn call_until<T>(
    th: &mut Thread,
    fd: i32,
    events: i16,
    until: Option<Instant>,
    mut call: impl FnMut() -> Sys<T>,
) -> R<T> {
    loop {
        // There is nothing to wait for on a closed socket: the call itself says so.
        if until.is_some() && fd >= 0 && !ready(th, fd, events, until)? {
            return Err(timed_out(th));
        }
        match th.detach(Cause::Blocking, &mut call) {
            Ok(done) => return Ok(done),
            Err(libc::EINTR) => th.check_signals()?,
            // Somebody else took what was there.
            Err(libc::EAGAIN) if until.is_some() => {}
            Err(errno) => return Err(os_error(th, errno, None)),
        }
    }
}
