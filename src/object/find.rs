//! Where a piece of text begins in another. Must not know strings as objects.

use memchr::{memchr, memmem};

/// Up to here a search tries every place where the first byte stands: preparing a better one would cost more.
const SHORT: usize = 256;

/// The offset of the first `needle` in `hay`.
#[inline]
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    match needle {
        [] => Some(0),
        [b] => find_byte(hay, *b),
        [first, rest @ ..] if hay.len() <= SHORT => find_short(hay, *first, rest),
        _ => memmem::find(hay, needle),
    }
}

/// Often the next separator is near: look there before a search that has to be set up.
#[inline]
fn find_byte(hay: &[u8], byte: u8) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let Some((near, far)) = hay.split_first_chunk::<8>() else { return hay.iter().position(|b| *b == byte) };
    // The lowest zero byte is where the lowest borrow begins.
    let other = u64::from_le_bytes(*near) ^ ONES * u64::from(byte);
    match other.wrapping_sub(ONES) & !other & ONES << 7 {
        0 => memchr(byte, far).map(|at| at + near.len()),
        found => Some(found.trailing_zeros() as usize / 8),
    }
}

fn find_short(hay: &[u8], first: u8, rest: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let tail = hay.get(from..)?;
        let at = memchr(first, tail)?;
        from += at + 1;
        if hay.get(from..)?.starts_with(rest) {
            return Some(from - 1);
        }
    }
}

/// How often `needle`, which is not empty, stands in `hay` without overlapping.
pub fn count(hay: &[u8], needle: &[u8]) -> usize {
    match needle {
        [b] if hay.len() <= SHORT => hay.iter().filter(|x| *x == b).count(),
        [b] => memchr::memchr_iter(*b, hay).count(),
        _ if hay.len() <= SHORT => {
            let (mut n, mut rest) = (0, hay);
            while let Some(at) = find(rest, needle) {
                n += 1;
                rest = rest.get(at + needle.len()..).unwrap_or(&[]);
            }
            n
        }
        _ => memmem::find_iter(hay, needle).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_str_finds() {
        let long = "ab".repeat(300) + "abc" + &"ab".repeat(300);
        for hay in ["", "a", "aaa", "banana", "a b  c", "xxabxab", &long] {
            for needle in ["a", "b", "aa", "ana", "abc", "ab", " ", "zz"] {
                let (h, n) = (hay.as_bytes(), needle.as_bytes());
                assert_eq!(find(h, n), hay.find(needle), "{hay} {needle}");
                assert_eq!(count(h, n), hay.matches(needle).count(), "{hay} {needle}");
            }
        }
    }
}
