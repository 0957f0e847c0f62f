//! The reentrant lock: a lock with an owner and a depth. Must not know how the lock waits.

use super::lock::Lock;
use crate::object::R;
use crate::vm::thread::Thread;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// A lock that its owner may take again, and only its owner may release.
#[derive(Debug, Default)]
pub struct RLock {
    lock: Lock,
    /// The owner's member id; 0 for none.
    owner: AtomicU64,
    /// Written by the owner alone.
    depth: AtomicU64,
}

impl RLock {
    /// Takes the lock, waiting until `until` at the longest; with `wait` false, only if that needs no waiting.
    pub fn acquire(&self, th: &mut Thread, wait: bool, until: Option<Instant>) -> R<bool> {
        let me = th.m.member.id();
        if self.owner.load(Ordering::Relaxed) == me {
            self.depth.fetch_add(1, Ordering::Relaxed);
            return Ok(true);
        }
        let taken = if wait { self.lock.acquire(th, until)? } else { self.lock.try_acquire(th) };
        if taken {
            self.owner.store(me, Ordering::Relaxed);
            self.depth.store(1, Ordering::Relaxed);
        }
        Ok(taken)
    }

    /// Undoes one `acquire`. False: the caller is not the owner.
    pub fn release(&self, th: &Thread) -> bool {
        if !self.is_owned(th) {
            return false;
        }
        if self.depth.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.owner.store(0, Ordering::Relaxed);
            self.lock.release();
        }
        true
    }

    /// Gives the lock up whatever its depth is; returns the depth, 0 if the caller is not the owner.
    pub fn release_all(&self, th: &Thread) -> u64 {
        if !self.is_owned(th) {
            return 0;
        }
        let depth = self.depth.swap(0, Ordering::Relaxed);
        self.owner.store(0, Ordering::Relaxed);
        self.lock.release();
        depth
    }

    /// Takes the lock back with the depth that `release_all` returned.
    pub fn restore(&self, th: &mut Thread, depth: u64) -> R<()> {
        while !self.lock.acquire(th, None)? {}
        self.owner.store(th.m.member.id(), Ordering::Relaxed);
        self.depth.store(depth, Ordering::Relaxed);
        Ok(())
    }

    /// Whether the calling thread holds it.
    pub fn is_owned(&self, th: &Thread) -> bool {
        self.owner.load(Ordering::Relaxed) == th.m.member.id()
    }

    /// Owner (0 for none) and depth, for listings.
    pub fn holder(&self) -> (u64, u64) {
        (self.owner.load(Ordering::Relaxed), self.depth.load(Ordering::Relaxed))
    }

    /// The lock below.
    pub fn inner(&self) -> &Lock {
        &self.lock
    }

    /// In a forked child: nobody holds it, nobody waits.
    pub fn reset(&self) {
        self.lock.reset();
        self.owner.store(0, Ordering::Relaxed);
        self.depth.store(0, Ordering::Relaxed);
    }
}
