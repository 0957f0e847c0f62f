//! A set of variables or registers, as bits: those that are certainly bound, or written, at some point of the code.
//! Must not know what a variable is.

use smallvec::SmallVec;

/// A set of small numbers; words that are not there count as empty.
#[derive(Clone, Default, Debug, PartialEq)]
pub struct Bound {
    words: SmallVec<[u64; 2]>,
}

impl Bound {
    pub fn insert(&mut self, var: u32) {
        let word = var as usize / 64;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (var % 64);
    }

    pub fn remove(&mut self, var: u32) {
        if let Some(word) = self.words.get_mut(var as usize / 64) {
            *word &= !(1 << (var % 64));
        }
    }

    /// Keeps the numbers below `end`.
    pub fn truncate(&mut self, end: u32) {
        self.words.truncate(end as usize / 64 + 1);
        if let Some(word) = self.words.get_mut(end as usize / 64) {
            *word &= (1 << (end % 64)) - 1;
        }
    }

    pub fn contains(&self, var: u32) -> bool {
        self.words.get(var as usize / 64).is_some_and(|word| word & (1 << (var % 64)) != 0)
    }

    /// Keeps what is in both.
    pub fn intersect(&mut self, other: &Bound) {
        self.words.truncate(other.words.len());
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine &= theirs;
        }
    }

    /// Takes out what is in `other`.
    pub fn subtract(&mut self, other: &Bound) {
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine &= !theirs;
        }
    }
}
