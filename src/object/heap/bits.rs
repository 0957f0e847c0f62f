//! One block's bitmap: a bit per granule, set where a cell begins. Must not know what the bits mean.
//!
//! The words are atomics because all threads share the side tables; a bitmap has one writer at a time (the thread that
//! owns the block, or the collector), so that relaxed loads and stores do.

use super::size::{GRANULE, WORDS};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The bitmap of one block.
pub type Bits = [AtomicU64; WORDS];

/// The bits of word `w` that lie in `from..to`.
fn mask(w: usize, from: usize, to: usize) -> u64 {
    let low = from.saturating_sub(w * 64).min(64);
    let high = to.saturating_sub(w * 64).min(64);
    let below = |n: usize| if n >= 64 { !0 } else { (1u64 << n) - 1 };
    below(high) & !below(low)
}

/// Sets those bits of `pattern` that lie in `from..to`.
pub fn set_range(bits: &Bits, pattern: &[u64; WORDS], from: usize, to: usize) {
    let words = bits.iter().zip(pattern).enumerate();
    for (w, (bits, pattern)) in words.take(to.div_ceil(64)).skip(from / 64) {
        let inside = w > from / 64 && w < to / 64;
        let wanted = if inside { *pattern } else { pattern & mask(w, from, to) };
        bits.store(bits.load(Relaxed) | wanted, Relaxed);
    }
}

/// Clears the bits in `from..to`.
pub fn clear_range(bits: &Bits, from: usize, to: usize) {
    for (w, bits) in bits.iter().enumerate().take(to.div_ceil(64)).skip(from / 64) {
        bits.store(bits.load(Relaxed) & !mask(w, from, to), Relaxed);
    }
}

/// Whether bit `i` is set.
#[inline]
pub fn get(bits: &Bits, i: usize) -> bool {
    bits.get(i / 64).is_some_and(|w| w.load(Relaxed) >> (i % 64) & 1 != 0)
}

/// The first set bit in `from..to`, or `to`.
pub fn next_set(bits: &Bits, from: usize, to: usize) -> usize {
    for (w, bits) in bits.iter().enumerate().take(to.div_ceil(64)).skip(from / 64) {
        let word = bits.load(Relaxed) & mask(w, from, to);
        if word != 0 {
            return w * 64 + word.trailing_zeros() as usize;
        }
    }
    to
}

/// The first run of free cells at or after byte `from` of a block with `cells` cells of `size` bytes: its byte range.
pub fn next_gap(bits: &Bits, size: usize, cells: usize, from: usize) -> Option<(usize, usize)> {
    let (step, end) = (size / GRANULE, size / GRANULE * cells);
    let mut at = from / GRANULE;
    while at < end && get(bits, at) {
        at += step;
    }
    if at >= end {
        return None;
    }
    Some((at * GRANULE, next_set(bits, at, end) * GRANULE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(bits: &Bits) -> Vec<usize> {
        (0..WORDS * 64).filter(|i| get(bits, *i)).collect()
    }

    #[test]
    fn ranges_and_gaps() {
        let bits: Bits = [const { AtomicU64::new(0) }; WORDS];
        set_range(&bits, &[!0; WORDS], 60, 200);
        assert_eq!(model(&bits), (60..200).collect::<Vec<_>>());
        clear_range(&bits, 64, 128);
        assert_eq!(model(&bits), (60..64).chain(128..200).collect::<Vec<_>>());
        assert_eq!(next_set(&bits, 64, 2048), 128);
        assert_eq!(next_set(&bits, 200, 2048), 2048);
        assert_eq!(next_gap(&bits, 16, 2048, 0), Some((0, 60 * 16)));
        assert_eq!(next_gap(&bits, 16, 2048, 60 * 16), Some((64 * 16, 128 * 16)));
        assert_eq!(next_gap(&bits, 16, 2048, 128 * 16), Some((200 * 16, 2048 * 16)));
        set_range(&bits, &[!0; WORDS], 0, 2048);
        assert_eq!(next_gap(&bits, 16, 2048, 0), None);
    }
}
