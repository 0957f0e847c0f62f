//! Bytes objects: immutable runs of bytes. Must not know encodings.

use super::layout::Bytes;
use super::mutator::Mutator;
use super::str::{QUICK_TO_HASH, hash_bytes};
use super::types::cast;
use super::{Kind, R, Value, heap, types};
use std::sync::atomic::{AtomicU64, Ordering};

impl Mutator {
    /// A bytes object.
    pub fn new_bytes(&mut self, bytes: &[u8]) -> R {
        self.new_bytes_parts(&[bytes])
    }

    /// The concatenation of `parts`, copied once.
    pub fn new_bytes_parts(&mut self, parts: &[&[u8]]) -> R {
        self.new_bytes_as(parts, types::root_shape(Kind::Bytes), 0)
    }

    /// As `new_bytes_parts`, with this shape and so many words more (see `subclass.rs`).
    pub fn new_bytes_as(&mut self, parts: &[&[u8]], shape: u32, extra: usize) -> R {
        let len = parts.iter().fold(0usize, |n, p| n.saturating_add(p.len()));
        // What belongs to nobody yet stands behind whole words.
        let room = if extra > 0 { (len.saturating_add(7) & !7).saturating_add(extra * 8) } else { len };
        let at = self.alloc_as::<Bytes>(Kind::Bytes, shape, room)?;
        // SAFETY: the cell has `len` bytes behind the struct, the parts' sum, and nobody else has it yet.
        unsafe {
            (&raw mut (*at).len).write(len as u64);
            (&raw mut (*at).hash).write(AtomicU64::new(0));
            let bytes = (&raw mut (*at).bytes).cast::<u8>();
            let mut end = 0;
            for part in parts {
                std::ptr::copy_nonoverlapping(part.as_ptr(), bytes.add(end), part.len());
                end += part.len();
            }
        }
        Ok(Value::from_addr(at as usize))
    }
}

/// The object behind a value.
#[inline]
pub fn view(v: Value) -> Option<&'static Bytes> {
    cast::<Bytes>(v)
}

/// The bytes of a bytes object; `None` for any other value. Valid as long as `str::as_str`'s text.
#[inline]
pub fn as_bytes(v: Value) -> Option<&'static [u8]> {
    view(v).map(contents)
}

/// The bytes of an object.
#[inline]
pub fn contents(b: &Bytes) -> &'static [u8] {
    // SAFETY: `len` bytes were written when the object was made and never change; the lifetime is `as_bytes`' promise.
    unsafe { std::slice::from_raw_parts((&raw const b.bytes).cast(), b.len as usize) }
}

/// The hash; computed once, or as seldom as that of a string.
pub fn hash(b: &Bytes) -> i64 {
    match b.hash.load(Ordering::Relaxed) {
        0 => {
            let h = hash_bytes(contents(b));
            if b.len as usize > QUICK_TO_HASH || !heap::is_inherited((&raw const *b).addr()) {
                b.hash.store(h as u64, Ordering::Relaxed);
            }
            h
        }
        h => h as i64,
    }
}

/// `b * n`; a negative count gives no bytes.
pub fn repeat(m: &mut Mutator, v: Value, n: i64) -> R {
    let bytes = as_bytes(v).unwrap_or(&[]);
    let n = usize::try_from(n).unwrap_or(0);
    m.room_for(bytes.len().saturating_mul(n))?;
    m.new_bytes(&bytes.repeat(n))
}
