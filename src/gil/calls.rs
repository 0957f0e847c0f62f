//! Which calls a thread was blocked in: how often, and how long. Part of the ledger; knows numbers alone, whose names
//! `witness.rs` keeps.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// What one thread, or several, did in one call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// `call_name` tells its name.
    pub number: usize,
    /// How often it was called.
    pub count: u64,
    /// Nanoseconds in it.
    pub blocked: u64,
}

/// So many different calls are told apart; the rest shares the last place.
const PLACES: usize = 32;

/// Written by the thread itself.
#[derive(Debug)]
pub(super) struct Calls {
    /// The number of each place's call, and one more, so that 0 is a free place.
    keys: [AtomicUsize; PLACES],
    counts: [AtomicU64; PLACES],
    blocked: [AtomicU64; PLACES],
    /// The place of the call that the thread is in or was in last.
    current: AtomicUsize,
}

impl Calls {
    pub const fn new() -> Calls {
        Calls {
            keys: [const { AtomicUsize::new(0) }; PLACES],
            counts: [const { AtomicU64::new(0) }; PLACES],
            blocked: [const { AtomicU64::new(0) }; PLACES],
            current: AtomicUsize::new(0),
        }
    }

    #[inline(always)]
    pub fn reset(&self) {
        self.keys.iter().for_each(|key| key.store(0, Ordering::Relaxed));
        self.counts.iter().chain(&self.blocked).for_each(|counter| counter.store(0, Ordering::Relaxed));
        self.current.store(0, Ordering::Relaxed);
    }

    /// The thread goes into this call. True: for the first time.
    #[inline]
    pub fn enter(&self, number: usize) -> bool {
        let (place, new) = self.place(number);
        self.current.store(place, Ordering::Relaxed);
        add(&self.counts[place], 1);
        new
    }

    /// It was blocked for so long.
    pub fn leave(&self, span: u64) {
        let place = self.current.load(Ordering::Relaxed);
        add(&self.blocked[place.min(PLACES - 1)], span);
    }

    #[inline]
    fn place(&self, number: usize) -> (usize, bool) {
        for (place, key) in self.keys.iter().enumerate().take(PLACES - 1) {
            match key.load(Ordering::Relaxed) {
                0 => {
                    key.store(number + 1, Ordering::Relaxed);
                    return (place, true);
                }
                known if known == number + 1 => return (place, false),
                _ => {}
            }
        }
        (PLACES - 1, false)
    }

    /// All calls so far.
    pub fn all(&self) -> Vec<Call> {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let all = (0..PLACES).map(|i| Call {
            number: self.keys[i].load(Ordering::Relaxed).saturating_sub(1),
            count: get(&self.counts[i]),
            blocked: get(&self.blocked[i]),
        });
        all.filter(|call| call.count != 0 || call.blocked != 0).collect()
    }

    /// The call that is going on has taken so much more.
    pub fn add_open(&self, calls: &mut [Call], span: u64) {
        let place = self.current.load(Ordering::Relaxed).min(PLACES - 1);
        let number = self.keys[place].load(Ordering::Relaxed).saturating_sub(1);
        if let Some(call) = calls.iter_mut().find(|call| call.number == number) {
            call.blocked += span;
        }
    }
}

/// Adds calls to a sum.
pub(super) fn add_up(sum: &mut Vec<Call>, more: &[Call]) {
    for call in more {
        match sum.iter_mut().find(|known| known.number == call.number) {
            Some(known) => {
                known.count += call.count;
                known.blocked += call.blocked;
            }
            None => sum.push(*call),
        }
    }
}

/// Adds to a counter that only the caller writes.
fn add(counter: &AtomicU64, more: u64) {
    counter.store(counter.load(Ordering::Relaxed) + more, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_place_of_its_own_shares_the_last() {
        let calls = Calls::new();
        for number in 1..=PLACES + 10 {
            calls.enter(number);
            calls.leave(number as u64);
        }
        let all = calls.all();
        assert_eq!(all.len(), PLACES);
        assert_eq!(all.iter().map(|c| c.count).sum::<u64>(), PLACES as u64 + 10);
        assert_eq!(
            all[PLACES - 1],
            Call { number: 0, count: 11, blocked: (PLACES..=PLACES + 10).sum::<usize>() as u64 }
        );
    }

    #[test]
    fn sums_are_by_call() {
        let mut sum = vec![Call { number: 1, count: 2, blocked: 3 }];
        add_up(
            &mut sum,
            &[Call { number: 1, count: 1, blocked: 1 }, Call { number: 2, count: 1, blocked: 5 }],
        );
        assert_eq!(
            sum.iter().map(|c| (c.number, c.count, c.blocked)).collect::<Vec<_>>(),
            [(1, 3, 4), (2, 1, 5)]
        );
    }
}
