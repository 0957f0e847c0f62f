//! The mutual exclusion lock: one word, and the parking lot for those who wait. Must not know reentrancy.
//!
//! A released lock is up for grabs: the thread that runs may take it again at once, which spares two switches of
//! threads for every short critical section. So that nobody starves, about every half millisecond a contended lock is
//! handed to the thread that waited longest instead.

use super::wait::wait_on;
use crate::gil::futex;
use crate::gil::park::{self, Wait};
use crate::object::R;
use crate::vm::thread::Thread;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

const HELD: u32 = 1;
/// Somebody sleeps on the lock.
const WAITED_FOR: u32 = 2;
/// With HELD: it is held by the thread that was just woken.
const HANDED: u32 = 4;
/// Nanoseconds between two hand-overs of a contended lock.
const FAIR_EVERY: u64 = 500_000;

/// A lock that any thread may release.
#[derive(Debug, Default)]
pub struct Lock {
    state: AtomicU32,
    fair_at: AtomicU64,
}

impl Lock {
    pub const fn new() -> Lock {
        Lock { state: AtomicU32::new(0), fair_at: AtomicU64::new(0) }
    }

    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_acquire(&self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        state & HELD == 0
            && self.state.compare_exchange(state, state | HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Takes the lock, waiting until `until` at the longest (for ever without it). False: the time is over.
    /// Errors: whatever a signal raised meanwhile; the lock is not taken then.
    #[inline]
    pub fn acquire(&self, th: &mut Thread, until: Option<Instant>) -> R<bool> {
        if self.try_acquire() { Ok(true) } else { self.acquire_slowly(th, until) }
    }

    #[cold]
    fn acquire_slowly(&self, th: &mut Thread, until: Option<Instant>) -> R<bool> {
        loop {
            if self.try_acquire() {
                return Ok(true);
            }
            let outcome = wait_on(th, self.key(), || self.announce(), until)?;
            if outcome == Wait::Woken && self.take_over() {
                return Ok(true);
            }
            if outcome == Wait::TimedOut {
                return Ok(self.try_acquire());
            }
        }
    }

    /// Under the lot's lock: says that somebody will sleep. False: the lock has become free.
    fn announce(&self) -> bool {
        let mark = |s| (s & HELD != 0).then_some(s | WAITED_FOR);
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, mark).is_ok()
    }

    /// After a wake-up: true if the lock was handed to us.
    fn take_over(&self) -> bool {
        let take = |s| (s & HANDED != 0).then_some(s & !HANDED);
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, take).is_ok()
    }

    /// Releases the lock. False: it was not held.
    #[inline]
    pub fn release(&self) -> bool {
        match self.state.compare_exchange(HELD, 0, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => true,
            Err(state) if state & HELD == 0 => false,
            Err(_) => self.release_contended(),
        }
    }

    #[cold]
    fn release_contended(&self) -> bool {
        let now = futex::now();
        let fair = now >= self.fair_at.load(Ordering::Relaxed);
        if fair {
            self.fair_at.store(now + FAIR_EVERY, Ordering::Relaxed);
        }
        park::wake_one(self.key(), |next| {
            let waiting = if next.more { WAITED_FOR } else { 0 };
            let handed = if fair && next.member.is_some() { HELD | HANDED } else { 0 };
            self.state.swap(waiting | handed, Ordering::AcqRel) & HELD != 0
        })
    }

    /// Whether somebody holds the lock.
    pub fn is_held(&self) -> bool {
        self.state.load(Ordering::Acquire) & HELD != 0
    }

    /// In a forked child: nobody holds it, nobody waits.
    pub fn reset(&self) {
        self.state.store(0, Ordering::Release);
    }
}
