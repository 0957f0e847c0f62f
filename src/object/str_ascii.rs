//! ASCII text in the other case, eight characters at a time. Must not know text that is not ASCII.

use super::R;
use super::layout::Str;
use super::mutator::Mutator;
use super::str::{new_plain, new_unwritten, text, words};

/// What becomes of letters.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Case {
    Upper,
    Lower,
}

impl Case {
    /// The case bit of every character of `word` that changes.
    #[inline(always)]
    fn changes(self, word: u64) -> u64 {
        const ONES: u64 = 0x0101_0101_0101_0101;
        const TOPS: u64 = ONES << 7;
        let (first, last) = match self {
            Case::Upper => (b'a', b'z'),
            Case::Lower => (b'A', b'Z'),
        };
        // The top bit of a sum is set where the character is at least so great; ASCII cannot carry over.
        let reaches = |b: u8| (word & !TOPS) + ONES * u64::from(128 - b);
        (reaches(first) & !reaches(last + 1) & !word & TOPS) >> 2
    }
}

/// Up to eight bytes as a word, zeros behind them.
#[inline(always)]
fn load(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => super::str::little_endian(bytes),
    }
}

/// `s`, which is ASCII, in another case. `None`: it is so already.
#[inline]
pub fn converted(m: &mut Mutator, s: &Str, case: Case) -> Option<R> {
    if s.nbytes > 1
        && let Some(words) = words(s)
    {
        return converted_words(m, s.nbytes as usize, words, case);
    }
    let bytes = text(s).as_bytes();
    if bytes.chunks(8).all(|chunk| case.changes(load(chunk)) == 0) {
        return None;
    }
    if let [b] = *bytes {
        return Some(m.new_char(char::from((u64::from(b) ^ case.changes(u64::from(b))) as u8)));
    }
    Some(new_plain(m, bytes.len(), bytes.len()).map(|(v, to)| {
        convert(bytes, case, to);
        v
    }))
}

/// As `converted`, of a text in whole words: the zeros that fill up the last one stay zeros.
#[inline(always)]
fn converted_words(m: &mut Mutator, nbytes: usize, words: &[u64], case: Case) -> Option<R> {
    if let [word] = words {
        // Most words are so short: without the preparations of a loop.
        return match case.changes(*word) {
            0 => None,
            changes => Some(new_unwritten(m, nbytes, nbytes).map(|(v, to)| {
                // SAFETY: as below.
                unsafe { to.cast::<u64>().write(word ^ changes) };
                v
            })),
        };
    }
    if words.iter().all(|word| case.changes(*word) == 0) {
        return None;
    }
    Some(new_unwritten(m, nbytes, nbytes).map(|(v, to)| {
        for (i, word) in words.iter().enumerate() {
            // SAFETY: the fresh string has room for as many whole words; ASCII stays ASCII.
            unsafe { to.cast::<u64>().add(i).write(word ^ case.changes(*word)) };
        }
        v
    }))
}

/// Writes as many bytes as there are in `bytes` to `to`, the room of a fresh string.
#[inline(always)]
fn convert(bytes: &[u8], case: Case, to: *mut u8) {
    let (words, rest) = bytes.as_chunks::<8>();
    for (i, chunk) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        // SAFETY: the string has room for all of `bytes`; ASCII stays ASCII.
        unsafe { to.add(8 * i).cast::<u64>().write_unaligned((word ^ case.changes(word)).to_le()) };
    }
    let word = load(rest);
    let mut left = word ^ case.changes(word);
    for i in 8 * words.len()..bytes.len() {
        // SAFETY: as above.
        unsafe { to.add(i).write(left as u8) };
        left >>= 8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_letters_alone() {
        for b in 0..128u8 {
            for shift in [0, 24, 56] {
                let word = u64::from(b) << shift;
                let upper = (word ^ Case::Upper.changes(word)) >> shift;
                assert_eq!(upper as u8, b.to_ascii_uppercase());
                let lower = (word ^ Case::Lower.changes(word)) >> shift;
                assert_eq!(lower as u8, b.to_ascii_lowercase());
            }
        }
    }
}
