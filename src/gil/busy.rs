//! The busy word: how an in-place write and a structural change to one object keep out of each other's way when
//! the GIL is off, without a shared cache line between writers of different objects.
//!
//! The writer announces the object in its own busy word, then looks at the object's lock. The structural side
//! takes the lock, then looks at all busy words. Both with sequential consistency, so one of the two sees the
//! other. Rule for callers: between enter and leave, and between lock and unlock, nobody allocates, polls, blocks
//! or calls Mini code. So every spin here is short.
//!
//! This file knows no member: it is compiled a second time against loom (see `models/`).

use super::primitive::{AtomicU16, AtomicU64, Ordering, Spin, write_before_read};

/// The object's lock word when nobody holds it.
pub const UNLOCKED: u16 = 0;
/// The object's lock word while a structural change is on.
pub const LOCKED: u16 = 1;

/// Announces an in-place write to the object at `addr`. True: go ahead, then call `leave`. False: a structural
/// change is on (and the announcement is withdrawn); take the object's lock instead.
#[inline(always)]
pub fn enter(busy: &AtomicU64, addr: u64, lock: &AtomicU16) -> bool {
    busy.swap(addr, Ordering::SeqCst);
    write_before_read();
    if lock.load(Ordering::SeqCst) == UNLOCKED {
        return true;
    }
    leave(busy);
    false
}

/// Ends the in-place write.
#[inline(always)]
pub fn leave(busy: &AtomicU64) {
    busy.store(0, Ordering::Release);
}

/// Takes the object's lock if it is free.
#[inline]
pub fn try_lock(lock: &AtomicU16) -> bool {
    lock.compare_exchange(UNLOCKED, LOCKED, Ordering::SeqCst, Ordering::Relaxed).is_ok()
}

/// Takes the object's lock; spins, then gives the processor away, for as long as another holds it.
#[inline(always)]
pub fn lock(lock: &AtomicU16) {
    if !try_lock(lock) {
        lock_later(lock);
    }
}

/// Apart, so that those who find the lock free save no registers for it.
#[cold]
#[inline(never)]
fn lock_later(lock: &AtomicU16) {
    let spin = Spin::new();
    while !try_lock(lock) {
        spin.turn();
    }
}

/// Releases the object's lock.
#[inline]
pub fn unlock(lock: &AtomicU16) {
    lock.store(UNLOCKED, Ordering::Release);
}

/// Waits until this busy word does not name the object. The caller holds the object's lock, so no new
/// announcement of it can succeed.
pub fn wait_until_not(busy: &AtomicU64, addr: u64) {
    let spin = Spin::new();
    write_before_read();
    while busy.load(Ordering::SeqCst) == addr {
        spin.turn();
    }
}
