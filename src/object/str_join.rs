//! The strings of a list or tuple with another between them, measured first and then copied straight into the result.
//! Must not know what the items are called in messages.

use super::header::Slot;
use super::layout::Str;
use super::mutator::Mutator;
use super::str::{copy_bytes, copy_text, is_plain, new_plain, text, view};
use super::{R, Value};

/// What is to be copied.
#[derive(Default, PartialEq)]
struct Size {
    nbytes: usize,
    nchars: usize,
}

impl Size {
    fn add(&mut self, s: &Str) {
        // Fewer than 2**32 strings of fewer than 2**32 bytes.
        self.nbytes += s.nbytes as usize;
        self.nchars += s.nchars as usize;
    }
}

/// The strings in `slots` with `separator` between them. `None`: not all of them are strings, another thread has changed
/// one meanwhile, or the result needs more than its bytes.
pub fn join(m: &mut Mutator, separator: &Str, slots: &[Slot]) -> Option<R> {
    let size = measure(separator, slots)?;
    if size.nbytes < 2 || !is_plain(size.nbytes, size.nchars) {
        return None;
    }
    let (joined, bytes) = match new_plain(m, size.nbytes, size.nchars) {
        Ok(fresh) => fresh,
        Err(raised) => return Some(Err(raised)),
    };
    copy(separator, slots, &size, bytes).map(|()| Ok(joined))
}

fn measure(separator: &Str, slots: &[Slot]) -> Option<Size> {
    let mut size = Size::default();
    for slot in slots {
        size.add(view(slot.get()?)?);
    }
    let between = slots.len().checked_sub(1)?;
    size.nbytes = size.nbytes.checked_add(between.checked_mul(separator.nbytes as usize)?)?;
    size.nchars = size.nchars.checked_add(between.checked_mul(separator.nchars as usize)?)?;
    Some(size)
}

/// Copies to `bytes`, which has room for `size`. The slots may have changed since they were measured.
fn copy(separator: &Str, slots: &[Slot], size: &Size, bytes: *mut u8) -> Option<()> {
    let room = size.nbytes.next_multiple_of(8);
    let separator_text = text(separator);
    let mut between = "";
    let mut done = Size::default();
    for slot in slots {
        let s = view(slot.get()?)?;
        let from = done.nbytes + between.len();
        done.nbytes = from + s.nbytes as usize;
        done.nchars += s.nchars as usize;
        if done.nbytes > size.nbytes {
            return None;
        }
        // SAFETY: the text ends at `done.nbytes`, which is within the fresh string; that is filled up to a word.
        unsafe {
            match *between.as_bytes() {
                [] => {}
                [b] => bytes.add(from - 1).write(b),
                _ => copy_bytes(between, bytes.add(from - between.len())),
            }
            copy_text(s, bytes.add(from), room - from);
        }
        between = separator_text;
    }
    done.nchars = done.nchars.wrapping_add((slots.len() - 1).wrapping_mul(separator.nchars as usize));
    (done == *size).then_some(())
}

/// As `join` without anything between them, for values that no other thread can change.
pub fn concatenated(m: &mut Mutator, parts: &[Value]) -> Option<R> {
    let mut size = Size::default();
    for part in parts {
        size.add(view(*part)?);
    }
    if size.nbytes < 2 || !is_plain(size.nbytes, size.nchars) {
        return None;
    }
    let (joined, bytes) = match new_plain(m, size.nbytes, size.nchars) {
        Ok(fresh) => fresh,
        Err(raised) => return Some(Err(raised)),
    };
    let room = size.nbytes.next_multiple_of(8);
    let mut at = 0;
    for part in parts {
        let s = view(*part)?;
        // SAFETY: the fresh string has room for all parts, which are what was measured, filled up to a word.
        unsafe { copy_text(s, bytes.add(at), room - at) };
        at += s.nbytes as usize;
    }
    Some(Ok(joined))
}
