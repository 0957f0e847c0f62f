//! The atomics and the wait that `state.rs` and `busy.rs` are built from. `models/` has a loom version of this file.

pub use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering};

use super::futex;

/// Sleeps while `word` holds `seen`; may return early.
pub fn wait(word: &AtomicU32, seen: u32) {
    futex::wait(word, seen, None);
}

/// Wakes everyone who waits on `word`.
pub fn wake_all(word: &AtomicU32) {
    futex::wake(word, u32::MAX);
}

/// Stands between a thread's SeqCst write of its own word and its SeqCst read of the other's, each of two threads
/// thus seeing the other or being seen. Those accesses are enough, so this is nothing; but loom takes them for
/// Acquire and Release, so its version is a fence.
#[inline(always)]
pub fn write_before_read() {}

/// One turn of a short spin.
pub fn pause() {
    std::hint::spin_loop();
}

/// A spin that begins short and ends by giving the processor away.
pub struct Spin(crossbeam_utils::Backoff);

impl Spin {
    /// A spin that has not begun.
    pub fn new() -> Spin {
        Spin(crossbeam_utils::Backoff::new())
    }

    /// Waits a moment, longer each time.
    pub fn turn(&self) {
        // `snooze` ends in sched_yield: whoever we wait for may be off the processor.
        self.0.snooze();
    }

    /// True once it has waited so long that sleeping is better.
    pub fn is_long(&self) -> bool {
        self.0.is_completed()
    }
}
