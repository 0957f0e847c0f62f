//! Whether it is cheaper to look again and again than to sleep and be woken: decided by how it went lately.
//! Knows neither what is waited for nor who waits.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::parker::one_processor;

/// How long an answer may take for looking to be cheaper: waking a thread on another processor takes a part of it.
const SOON: Duration = Duration::from_micros(40);
const MOST_LUCK: i32 = 8;
/// Without any luck it is tried now and then.
const NOW_AND_THEN: u32 = 64;

/// How often looking again has been worth it lately, for one kind of waiting.
#[derive(Debug, Default)]
pub struct Luck {
    lately: AtomicI32,
    turn: AtomicU32,
}

impl Luck {
    /// No luck yet.
    pub const fn new() -> Luck {
        Luck { lately: AtomicI32::new(0), turn: AtomicU32::new(0) }
    }

    /// Asks again and again, as long as an answer is likely to come soon: whoever answers on another processor does so
    /// before this one would have gone to sleep. `None`: better go to sleep.
    pub fn soon<T>(&self, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
        let now_and_then = self.turn.fetch_add(1, Ordering::Relaxed).is_multiple_of(NOW_AND_THEN);
        if one_processor() || (self.lately.load(Ordering::Relaxed) <= 0 && !now_and_then) {
            return None;
        }
        let start = Instant::now();
        let found = loop {
            let found = ask();
            if found.is_some() || start.elapsed() > SOON {
                break found;
            }
            std::hint::spin_loop();
        };
        let change = |luck: i32| Some((luck + if found.is_some() { 1 } else { -2 }).clamp(-1, MOST_LUCK));
        let _ = self.lately.fetch_update(Ordering::Relaxed, Ordering::Relaxed, change);
        found
    }
}
