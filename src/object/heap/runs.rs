//! Which blocks are free: runs of neighbours, found by length (best fit) or by where they start. Plain data.

use std::collections::{BTreeMap, BTreeSet};

/// The free blocks of the heap. Runs never touch each other, because `rebuild` is given whole runs.
#[derive(Default)]
pub struct FreeRuns {
    by_start: BTreeMap<u32, u32>,
    by_len: BTreeSet<(u32, u32)>,
}

impl FreeRuns {
    /// Forgets everything and takes over these runs (start, length).
    pub fn rebuild(&mut self, runs: impl Iterator<Item = (u32, u32)>) {
        self.by_start = runs.collect();
        self.by_len = self.by_start.iter().map(|(start, len)| (*len, *start)).collect();
    }

    /// Takes `n` neighbouring blocks out of the run that fits best; returns the first.
    pub fn take(&mut self, n: u32) -> Option<u32> {
        let (_, start) = *self.by_len.range((n, 0)..).next()?;
        self.take_at(start, n).then_some(start)
    }

    /// Takes the `n` blocks from `start` on, if a free run of at least that length starts there.
    pub fn take_at(&mut self, start: u32, n: u32) -> bool {
        let Some(len) = self.by_start.get(&start).copied().filter(|len| *len >= n) else { return false };
        self.by_start.remove(&start);
        self.by_len.remove(&(len, start));
        if len > n {
            self.by_start.insert(start + n, len - n);
            self.by_len.insert((len - n, start + n));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_smallest_run_that_fits() {
        let mut runs = FreeRuns::default();
        runs.rebuild([(1, 2), (5, 1), (10, 100)].into_iter());
        assert_eq!(runs.take(1), Some(5));
        assert_eq!(runs.take(2), Some(1));
        assert_eq!(runs.take(60), Some(10));
        assert!(!runs.take_at(69, 1) && runs.take_at(70, 40));
        assert_eq!(runs.take(1), None);
    }
}
