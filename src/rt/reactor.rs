//! What an event loop sleeps in: one mio `Poll`, and its `Waker`. Must not know what the descriptors are for, nor values.
//!
//! Descriptors are registered level-triggered, by `epoll_ctl` on mio's own epoll: one that is still ready is reported
//! again, as scripts expect. The waker is mio's. A forked child shares the epoll with its parent: it never changes it,
//! but makes a reactor of its own (`is_inherited`).

use super::poll;
use super::syscall::{self, Sys};
use mio::{Events, Poll, Token, Waker};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How many events are taken at a time.
const AT_ONCE: usize = 1024;
const WAKER: Token = Token(usize::MAX);

pub const READABLE: u32 = libc::EPOLLIN as u32;
pub const WRITABLE: u32 = libc::EPOLLOUT as u32;

/// Something that is ready.
#[derive(Clone, Copy, Debug)]
pub struct Ready {
    pub token: u32,
    pub readable: bool,
    pub writable: bool,
}

struct Sleeper {
    poll: Poll,
    events: Events,
}

pub struct Reactor {
    /// Taken out while somebody waits: no lock is held meanwhile.
    sleeper: Mutex<Option<Sleeper>>,
    epoll: RawFd,
    waker: Waker,
    process: u32,
}

fn number(error: &std::io::Error) -> i32 {
    error.raw_os_error().unwrap_or(libc::EIO)
}

impl Reactor {
    pub fn new() -> Sys<Reactor> {
        let made = || -> std::io::Result<Reactor> {
            let poll = Poll::new()?;
            let waker = Waker::new(poll.registry(), WAKER)?;
            let epoll = poll.as_raw_fd();
            let sleeper = Mutex::new(Some(Sleeper { poll, events: Events::with_capacity(AT_ONCE) }));
            Ok(Reactor { sleeper, epoll, waker, process: std::process::id() })
        };
        made().map_err(|error| number(&error))
    }

    /// Whether it belongs to the process that this one was forked from.
    pub fn is_inherited(&self) -> bool {
        self.process != std::process::id()
    }

    fn control(&self, operation: i32, fd: RawFd, token: u32, interest: u32) -> Sys {
        if self.is_inherited() {
            return Err(libc::EBADF);
        }
        poll::epoll_control_as(self.epoll, operation, fd, interest, u64::from(token))
    }

    /// Begins to watch a descriptor.
    pub fn add(&self, fd: RawFd, token: u32, interest: u32) -> Sys {
        self.control(libc::EPOLL_CTL_ADD, fd, token, interest)
    }

    /// Watches for something else.
    pub fn modify(&self, fd: RawFd, token: u32, interest: u32) -> Sys {
        self.control(libc::EPOLL_CTL_MOD, fd, token, interest)
    }

    /// Watches it no more.
    pub fn remove(&self, fd: RawFd) -> Sys {
        self.control(libc::EPOLL_CTL_DEL, fd, 0, 0)
    }

    /// Ends a wait, now or the next one. Any thread may.
    pub fn wake(&self) {
        // In a child this would wake the parent.
        if !self.is_inherited() {
            let _ = self.waker.wake();
        }
    }

    /// Waits until something is ready, or so long; adds what is ready to `out`. Blocks unless `timeout` is zero.
    ///
    /// # Errors
    /// EINTR after a signal; EBUSY if another thread waits already.
    pub fn wait(&self, timeout: Option<Duration>, out: &mut Vec<Ready>) -> Sys<()> {
        let taken = self.sleeper.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut sleeper) = taken else { return Err(libc::EBUSY) };
        let waited = sleeper.poll.poll(&mut sleeper.events, timeout);
        if waited.is_ok() {
            out.extend(sleeper.events.iter().filter(|event| event.token() != WAKER).map(|event| Ready {
                token: event.token().0 as u32,
                readable: event.is_readable() || event.is_error() || event.is_read_closed(),
                writable: event.is_writable() || event.is_error() || event.is_write_closed(),
            }));
        }
        *self.sleeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(sleeper);
        waited.map_err(|error| number(&error))
    }
}

/// Seconds of the clock that event loops go by.
pub fn now() -> f64 {
    syscall::clock(libc::CLOCK_MONOTONIC).unwrap_or(0) as f64 / 1e9
}
