//! One block's bitmap: a bit per granule, set where a cell begins. Must not know what the bits mean.
//!
//! The words are atomics because all threads share the side tables; a bitmap has one writer at a time (the thread that
//! owns the block, or the collector), so that relaxed loads and stores do.

use super::size::{GRANULE, WORDS};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The bitmap of one block.
pub type Bits = [AtomicU64; WORDS];

/// The words that `from..to` lies in, each with a mask of its bits that do.
#[inline(always)]
fn each_word(from: usize, to: usize, mut act: impl FnMut(usize, u64)) {
    if from >= to {
        return;
    }
    let (first, last) = (from / 64, (to - 1) / 64);
    let (head, tail) = (!0 << (from % 64), !0 >> (63 - (to - 1) % 64));
    if first == last {
        return act(first, head & tail);
    }
    act(first, head);
    (first + 1..last).for_each(|w| act(w, !0));
    act(last, tail);
}

/// Sets those bits of `pattern` that lie in `from..to`.
pub fn set_range(bits: &Bits, pattern: &[u64; WORDS], from: usize, to: usize) {
    each_word(from, to, |w, mask| {
        if let (Some(bits), Some(pattern)) = (bits.get(w), pattern.get(w)) {
            bits.store(bits.load(Relaxed) | pattern & mask, Relaxed);
        }
    });
}

/// Clears the bits in `from..to`.
pub fn clear_range(bits: &Bits, from: usize, to: usize) {
    each_word(from, to, |w, mask| {
        if let Some(bits) = bits.get(w) {
            bits.store(bits.load(Relaxed) & !mask, Relaxed);
        }
    });
}

/// Whether bit `i` is set.
#[inline]
pub fn get(bits: &Bits, i: usize) -> bool {
    bits.get(i / 64).is_some_and(|w| w.load(Relaxed) >> (i % 64) & 1 != 0)
}

/// The first set bit in `from..to`, or `to`.
pub fn next_set(bits: &Bits, from: usize, to: usize) -> usize {
    let mut mask = !0 << (from % 64);
    for (w, bits) in (from / 64..to.div_ceil(64)).zip(bits.get(from / 64..).unwrap_or(&[])) {
        let word = bits.load(Relaxed) & mask;
        if word != 0 {
            return (w * 64 + word.trailing_zeros() as usize).min(to);
        }
        mask = !0;
    }
    to
}

/// The first run of free cells at or after byte `from` of a block with `cells` cells of `size` bytes, but no more than `most`
/// of them: its byte range.
pub fn next_gap(bits: &Bits, size: usize, cells: usize, from: usize, most: usize) -> Option<(usize, usize)> {
    let (step, end) = (size / GRANULE, size / GRANULE * cells);
    let mut at = from / GRANULE;
    while at < end && get(bits, at) {
        at += step;
    }
    if at >= end {
        return None;
    }
    Some((at * GRANULE, next_set(bits, at, end.min(at + step * most)) * GRANULE))
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
        assert_eq!(next_gap(&bits, 16, 2048, 0, 2048), Some((0, 60 * 16)));
        assert_eq!(next_gap(&bits, 16, 2048, 60 * 16, 2048), Some((64 * 16, 128 * 16)));
        assert_eq!(next_gap(&bits, 16, 2048, 128 * 16, 2048), Some((200 * 16, 2048 * 16)));
        assert_eq!(next_gap(&bits, 16, 2048, 128 * 16, 100), Some((200 * 16, 300 * 16)));
        set_range(&bits, &[!0; WORDS], 0, 2048);
        assert_eq!(next_gap(&bits, 16, 2048, 0, 2048), None);
    }
}
