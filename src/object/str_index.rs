//! Characters by number: indexing and slicing of strings. Must not know what a script's negative index means.
//!
//! ASCII: character i is byte i. Otherwise strings of more than 64 characters have a table with the byte offset of every
//! 64th character (entry k: of character 64 * (k + 1)), so that finding one scans at most 63.

use super::layout::Str;
use super::mutator::Mutator;
use super::str::{ensure_offsets, is_ascii, is_exact, kept_char, offsets, text, view};
use super::{R, Value, Word};
use std::mem::MaybeUninit;

const STEP: usize = 64;

/// Number of entries in the offset table of such a string.
#[inline]
pub(super) fn table_len(nbytes: usize, nchars: usize) -> usize {
    if nbytes == nchars { 0 } else { nchars.saturating_sub(1) / STEP }
}

/// Writes the offset table of `text`.
pub(super) fn fill(text: &str, table: &mut [MaybeUninit<u32>]) {
    let mut at = 0;
    for entry in table {
        at += scan(text.get(at..).unwrap_or(""), STEP);
        entry.write(at as u32);
    }
}

/// The byte offset of character `i` (of the end, if there are no more than `i`).
pub fn byte_offset(m: &mut Mutator, s: &Str, i: usize) -> R<usize> {
    if is_ascii(s) {
        return Ok(i.min(s.nbytes as usize));
    }
    if i >= s.nchars as usize {
        return Ok(s.nbytes as usize);
    }
    ensure_offsets(m, s)?;
    let start = match (i / STEP).checked_sub(1).and_then(|k| offsets(s).get(k)) {
        Some(at) => *at as usize,
        None => 0,
    };
    Ok(start + scan(text(s).get(start..).unwrap_or(""), i % STEP))
}

/// The byte offset of character `n` of `text`.
fn scan(text: &str, n: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut left) = (0, n);
    // Eight bytes at once, as long as they begin no more characters than are to be passed.
    while left >= 8
        && let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>)
    {
        left -= chunk.iter().map(|b| usize::from(begins_char(*b))).sum::<usize>();
        at += 8;
    }
    for b in bytes.get(at..).unwrap_or(&[]) {
        if begins_char(*b) {
            if left == 0 {
                break;
            }
            left -= 1;
        }
        at += 1;
    }
    at
}

/// Whether a byte is the first of a character.
fn begins_char(b: u8) -> bool {
    b as i8 >= -0x40
}

/// The number of the character at byte offset `at`.
pub fn char_number(s: &Str, at: usize) -> usize {
    if is_ascii(s) { at } else { text(s).get(..at).map_or(s.nchars as usize, |head| head.chars().count()) }
}

/// Character `i` as a string; the caller has checked that `i < nchars`.
pub fn char_at(m: &mut Mutator, s: &Str, i: usize) -> R {
    let at = byte_offset(m, s, i)?;
    match char_from(s, at) {
        Some((c, _)) => m.new_char(c),
        None => m.empty_str(),
    }
}

/// `v[i]` of a string of the class `str` itself and ASCII characters alone, if the index is a small one from the
/// beginning and the character's string has been made before. Otherwise nothing.
#[inline]
pub fn ascii_item(v: Value, i: Value) -> Word {
    let s = view(v).filter(|s| is_exact(s) && is_ascii(s))?;
    kept_char(*text(s).as_bytes().get(usize::try_from(i.as_small()?).ok()?)?)
}

/// The character at byte offset `at` of a string, if it is ASCII and its string has been made before.
#[inline]
pub fn ascii_byte(v: Value, at: Value) -> Word {
    kept_char(*text(view(v)?).as_bytes().get(usize::try_from(at.as_small()?).ok()?)?)
}

/// The character at byte offset `at` and the offset behind it: the step of an iterator.
#[inline]
pub fn char_from(s: &Str, at: usize) -> Option<(char, usize)> {
    let c = text(s).get(at..)?.chars().next()?;
    Some((c, at + c.len_utf8()))
}

/// Characters `start..stop` (clamped). `v` must be a string; a slice of all of it is the string itself.
pub fn slice(m: &mut Mutator, v: Value, start: usize, stop: usize) -> R {
    let Some(s) = view(v) else { return m.empty_str() };
    if start == 0 && stop >= s.nchars as usize && is_exact(s) {
        return Ok(v);
    }
    if start >= stop {
        return m.empty_str();
    }
    if is_ascii(s) {
        let part = text(s).get(start..stop.min(s.nbytes as usize)).unwrap_or("");
        return m.new_str_counted(part, part.len());
    }
    let from = byte_offset(m, s, start)?;
    let to = byte_offset(m, s, stop)?;
    m.new_str(text(s).get(from..to).unwrap_or(""))
}

/// `count` characters from `start` on in steps of `step` (which may be negative): the extended slice, indices already
/// adjusted to the length.
pub fn slice_step(m: &mut Mutator, v: Value, start: i64, step: i64, count: usize) -> R {
    let Some(s) = view(v) else { return m.empty_str() };
    if step == 1 {
        return slice(m, v, start.max(0) as usize, (start.max(0) as usize).saturating_add(count));
    }
    let picks = |i: usize| (start + step.wrapping_mul(i as i64)) as usize;
    let all = text(s);
    let out: String = if is_ascii(s) {
        (0..count).filter_map(|i| all.as_bytes().get(picks(i))).map(|b| char::from(*b)).collect()
    } else {
        let chars: Vec<char> = all.chars().collect();
        (0..count).filter_map(|i| chars.get(picks(i)).copied()).collect()
    };
    m.new_str(&out)
}
