//! What is known of a started thread from outside: its number, whether it has ended, and waiting for that.
//! Must not know how threads are started.

use super::wait::wait_on;
use crate::gil::park::{self, Wait};
use crate::object::R;
use crate::vm::thread::Thread;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

/// A thread that was started, from the outside. Shared between it and those who may join it.
#[derive(Debug, Default)]
pub struct Handle {
    ident: AtomicU64,
    done: AtomicBool,
}

impl Handle {
    /// `threading.get_ident()` in the thread.
    pub fn ident(&self) -> u64 {
        self.ident.load(Ordering::Acquire)
    }

    pub(super) fn set_ident(&self, ident: u64) {
        self.ident.store(ident, Ordering::Release);
    }

    /// Whether the thread has ended.
    pub fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// The thread ends: wakes those who wait for it.
    pub fn finish(&self) {
        self.done.store(true, Ordering::Release);
        park::wake(self.key(), usize::MAX);
    }

    /// Waits for the end of the thread. False: the time was over first.
    pub fn join(&self, th: &mut Thread, until: Option<Instant>) -> R<bool> {
        th.joins = self.ident();
        let mut ended = Ok(true);
        while !self.is_done() {
            match wait_on(th, self.key(), || !self.is_done(), until) {
                Ok(Wait::TimedOut) => ended = Ok(self.is_done()),
                Ok(_) => continue,
                Err(raised) => ended = Err(raised),
            }
            break;
        }
        th.joins = 0;
        ended
    }

    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}
