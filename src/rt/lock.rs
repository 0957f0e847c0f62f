//! The mutual exclusion lock: one word, and the parking lot for those who wait. Must not know reentrancy.
//!
//! A released lock is up for grabs: the thread that runs may take it again at once, which spares two switches of
//! threads for every short critical section. So that nobody starves, about every half millisecond a contended lock is
//! handed to the thread that waited longest instead.
//!
//! Who took it, and where, is written down for those who have to report a lock (`held_locks.rs`).

use super::wait::wait_on;
use crate::gil::futex;
use crate::gil::park::{self, Wait};
use crate::object::R;
use crate::vm::thread::Thread;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
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
    /// The member that took it last (0: none did), and the address of the instruction after the one that did.
    taken_by: AtomicU64,
    taken_at: AtomicUsize,
}

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The id of the member that took it; `None`: it was handed to one that does not run yet.
    pub member: Option<u64>,
    /// The address of the instruction after the one that took it.
    pub pc: usize,
}

impl Lock {
    pub const fn new() -> Lock {
        Lock {
            state: AtomicU32::new(0),
            fair_at: AtomicU64::new(0),
            taken_by: AtomicU64::new(0),
            taken_at: AtomicUsize::new(0),
        }
    }

    /// A lock that is held by nobody, for somebody to sleep on until another releases it.
    pub fn new_held() -> Lock {
        Lock { state: AtomicU32::new(HELD), ..Lock::new() }
    }

    /// What its waiters are parked under.
    pub fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_acquire(&self, th: &Thread) -> bool {
        let taken = self.grab();
        if taken {
            self.note(th);
        }
        taken
    }

    #[inline]
    fn grab(&self) -> bool {
        let state = self.state.load(Ordering::Relaxed);
        state & HELD == 0
            && self.state.compare_exchange(state, state | HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// Takes the lock, waiting until `until` at the longest (for ever without it). False: the time is over.
    /// Errors: whatever a signal raised meanwhile; the lock is not taken then.
    #[inline]
    pub fn acquire(&self, th: &mut Thread, until: Option<Instant>) -> R<bool> {
        let taken = self.grab() || self.acquire_slowly(th, until)?;
        if taken {
            self.note(th);
        }
        Ok(taken)
    }

    #[cold]
    fn acquire_slowly(&self, th: &mut Thread, until: Option<Instant>) -> R<bool> {
        loop {
            if self.grab() {
                return Ok(true);
            }
            let outcome = wait_on(th, self.key(), || self.announce(), until)?;
            if outcome == Wait::Woken && self.take_over() {
                return Ok(true);
            }
            if outcome == Wait::TimedOut {
                return Ok(self.grab());
            }
        }
    }

    #[inline]
    fn note(&self, th: &Thread) {
        self.taken_by.store(th.m.member.id(), Ordering::Relaxed);
        self.taken_at.store(th.pc.addr(), Ordering::Relaxed);
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

    /// Whether nobody holds it, nor sleeps on it.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.state.load(Ordering::Acquire) == 0
    }

    /// Who holds it. Exact while the world stands still.
    pub fn holder(&self) -> Option<Holder> {
        let state = self.state.load(Ordering::Acquire);
        let noted = Holder {
            member: (state & HANDED == 0).then(|| self.taken_by.load(Ordering::Relaxed)),
            pc: self.taken_at.load(Ordering::Relaxed),
        };
        (state & HELD != 0).then_some(noted)
    }

    /// In a forked child: nobody holds it, nobody waits.
    pub fn reset(&self) {
        // What is as it should be is not written: the page stays shared.
        if self.state.load(Ordering::Relaxed) != 0 {
            self.state.store(0, Ordering::Release);
        }
    }
}
