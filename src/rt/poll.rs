//! The door to the kernel for waiting for descriptors: poll and epoll. `unsafe` is allowed here.
//! Every function returns the error number on failure. Knows no value; blocks: call it detached.

use super::syscall::{Sys, checked};
use std::time::Duration;

pub type PollFd = libc::pollfd;
pub type Event = libc::epoll_event;

/// Waits until one of them is ready, or so long; how many are.
pub fn poll(fds: &mut [PollFd], timeout: Option<Duration>) -> Sys<usize> {
    let span = timeout.map(|span| libc::timespec {
        tv_sec: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(span.subsec_nanos()),
    });
    let span = span.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: a live array that the kernel writes to, and null or a live timespec; the signal mask stays.
    checked(unsafe { libc::ppoll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, span, std::ptr::null()) })
        .map(|n| n as usize)
}

/// A new epoll, which programs that are started do not inherit.
pub fn epoll() -> Sys<i32> {
    // SAFETY: plain numbers.
    checked(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }).map(|fd| fd as i32)
}

/// Adds, changes or removes what is waited for of a descriptor.
pub fn epoll_control(epoll: i32, operation: i32, fd: i32, events: u32) -> Sys {
    epoll_control_as(epoll, operation, fd, events, fd as u64)
}

/// As `epoll_control`, with the word that its events will bring.
pub fn epoll_control_as(epoll: i32, operation: i32, fd: i32, events: u32, word: u64) -> Sys {
    let mut event = Event { events, u64: word };
    // SAFETY: a live event, which the kernel reads.
    checked(unsafe { libc::epoll_ctl(epoll, operation, fd, &raw mut event) })
}

/// Waits until something is ready, or so many milliseconds (-1: for ever); how many events there are.
pub fn epoll_wait(epoll: i32, events: &mut [Event], milliseconds: i32) -> Sys<usize> {
    let room = i32::try_from(events.len()).unwrap_or(i32::MAX);
    // SAFETY: a live array of at least `room` events, which the kernel writes to.
    checked(unsafe { libc::epoll_wait(epoll, events.as_mut_ptr(), room, milliseconds) }).map(|n| n as usize)
}
