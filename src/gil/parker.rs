//! A thread's own bed: it sleeps on one futex word, anyone may wake it, a signal handler included. A wake-up that
//! comes before the sleep is kept. Knows no member.

use std::sync::atomic::{AtomicU32, Ordering};

use super::futex::{self, Wake};

const EMPTY: u32 = 0;
const TOKEN: u32 = 1;
const ASLEEP: u32 = 2;

/// Looks before sleeping: about the time that falling asleep and being woken takes.
const SPINS: u32 = 100;
/// Looks while another thread does a system call or two: some twenty microseconds.
const BRIEF_SPINS: u32 = 400;

/// How many processors this process may use; UNKNOWN until somebody asks.
static PROCESSORS: AtomicU32 = AtomicU32::new(UNKNOWN);
const UNKNOWN: u32 = 0;

/// How many processors this process may use: so many threads can look for something at once without being in each
/// other's way.
///
/// Several threads may find out at once. None waits for another: were that one just finding out when the process is forked,
/// the child would wait for it for ever.
pub fn processors() -> u32 {
    match PROCESSORS.load(Ordering::Relaxed) {
        UNKNOWN => count_processors(),
        known => known,
    }
}

#[cold]
fn count_processors() -> u32 {
    let count =
        std::thread::available_parallelism().map_or(2, |n| u32::try_from(n.get()).unwrap_or(u32::MAX));
    PROCESSORS.store(count, Ordering::Relaxed);
    count
}

/// Whether this process has one processor: while a thread looks again and again, nobody else can do anything there.
pub fn one_processor() -> bool {
    processors() == 1
}

/// One thread sleeps here, any thread wakes it.
#[derive(Debug)]
pub struct Parker(AtomicU32);

impl Parker {
    pub(super) const fn new() -> Parker {
        Parker(AtomicU32::new(EMPTY))
    }

    /// Sleeps until woken, or the deadline (monotonic nanoseconds), or a signal; may also return for no reason.
    pub fn park(&self, deadline: Option<u64>) -> Wake {
        self.spin(SPINS);
        if self.0.compare_exchange(EMPTY, ASLEEP, Ordering::SeqCst, Ordering::SeqCst).is_err() {
            self.0.swap(EMPTY, Ordering::SeqCst);
            return Wake::Woken;
        }
        let why = futex::wait(&self.0, ASLEEP, deadline);
        // Whoever woke us did so after its own change, which the caller is about to look at.
        self.0.swap(EMPTY, Ordering::SeqCst);
        why
    }

    /// Whether the next sleep will end at once.
    pub fn is_woken(&self) -> bool {
        self.0.load(Ordering::Acquire) == TOKEN
    }

    /// Waits for a waker that will come after a system call or two.
    pub fn await_brief(&self) {
        self.spin(BRIEF_SPINS);
    }

    /// Waits a moment for a waker that is just about to come: two threads that hand something back and forth then need
    /// no system call.
    fn spin(&self, turns: u32) {
        for _ in 0..if one_processor() { 0 } else { turns } {
            if self.0.load(Ordering::Acquire) != EMPTY {
                return;
            }
            std::hint::spin_loop();
        }
    }

    /// Wakes the sleeper, or spares it its next sleep. Safe in a signal handler.
    pub fn unpark(&self) {
        if self.0.swap(TOKEN, Ordering::SeqCst) == ASLEEP {
            futex::wake(&self.0, 1);
        }
    }

    pub(super) fn reset(&self) {
        self.0.store(EMPTY, Ordering::SeqCst);
    }
}
