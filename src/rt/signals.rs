//! The door to the kernel for signals: timers, and waiting for one. `unsafe` is allowed here. How they are caught is in
//! `gil::signal`. As `syscall.rs`: error numbers, no value, may block.

use super::syscall::{Sys, checked};
use crate::gil::signal::Set;
use std::time::Duration;

/// Who sent a signal, and why.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    pub signo: i32,
    pub code: i32,
    pub errno: i32,
    pub pid: i32,
    pub uid: u32,
    pub status: i32,
}

/// Waits until one of these comes, which must be blocked; for so long at most.
pub fn wait_for(set: &Set, timeout: Option<Duration>) -> Sys<Info> {
    let span = timeout.map(|span| libc::timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(span.subsec_nanos()),
    });
    let span = span.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: a valid set, room for the details, null or a live time; what is read of the details is plain numbers.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        checked(libc::sigtimedwait(set.raw(), &mut info, span))?;
        Ok(Info {
            signo: info.si_signo,
            code: info.si_code,
            errno: info.si_errno,
            pid: info.si_pid(),
            uid: info.si_uid(),
            status: info.si_status(),
        })
    }
}

/// Waits until a signal has come that is caught.
pub fn pause() {
    // SAFETY: no arguments.
    unsafe { libc::pause() };
}

/// Seconds until a timer goes off, and from then on again and again; 0: it does not.
pub type Timer = (f64, f64);

fn timeval(seconds: f64) -> libc::timeval {
    let whole = seconds.trunc();
    let mut micro = ((seconds - whole) * 1e6) as i64;
    if seconds > 0.0 && whole == 0.0 {
        // Nothing but 0 means never.
        micro = micro.max(1);
    }
    libc::timeval { tv_sec: whole as i64, tv_usec: micro }
}

fn timer(value: &libc::itimerval) -> Timer {
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    (seconds(value.it_value), seconds(value.it_interval))
}

/// Sets a timer; what it was before.
pub fn set_timer(which: i32, (first, then): Timer) -> Sys<Timer> {
    let new = libc::itimerval { it_value: timeval(first), it_interval: timeval(then) };
    // SAFETY: a live timer, and room for another one. (The type of the first argument differs between C libraries.)
    unsafe {
        let mut old: libc::itimerval = std::mem::zeroed();
        checked(libc::syscall(libc::SYS_setitimer, which, &raw const new, &raw mut old))?;
        Ok(timer(&old))
    }
}

/// What a timer is set to.
pub fn get_timer(which: i32) -> Sys<Timer> {
    // SAFETY: room for a timer.
    unsafe {
        let mut now: libc::itimerval = std::mem::zeroed();
        checked(libc::syscall(libc::SYS_getitimer, which, &raw mut now))?;
        Ok(timer(&now))
    }
}

/// Has SIGALRM come after so many seconds; 0: not at all. How many were left of the time before.
pub fn alarm(seconds: u32) -> u32 {
    // SAFETY: plain numbers.
    unsafe { libc::alarm(seconds) }
}

/// What a signal means, in the system's words. `None`: nothing.
pub fn description(signum: i32) -> Option<String> {
    // SAFETY: the C library's own text, which stays until the next call of this thread.
    let text = unsafe {
        let text = libc::strsignal(signum);
        if text.is_null() {
            return None;
        }
        std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned()
    };
    (!text.starts_with("Unknown signal")).then_some(text)
}
