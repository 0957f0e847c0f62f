//! Bytearrays: a growing buffer of bytes behind one word. Readers take no lock, as with lists; see `sync` for the writers.
//! Must not know the methods of bytes, nor error texts: indices come in already normalised.

use super::error::R;
use super::header::{Kind, Slot};
use super::heap;
use super::layout::{ByteArray, StrBuf};
use super::mutator::Mutator;
use super::sync;
use super::types;
use super::value::Value;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// More bytes than any address space holds: larger requests are out of memory.
const MAX_BYTES: usize = 1 << 47;

/// `v` as a bytearray.
#[inline(always)]
pub fn of(v: Value) -> Option<&'static ByteArray> {
    types::cast::<ByteArray>(v)
}

/// The value of a bytearray.
pub fn value(b: &ByteArray) -> Value {
    Value::from_addr(std::ptr::from_ref(b) as usize)
}

/// The current buffer; a writer may have replaced it meanwhile.
#[inline(always)]
fn buf(b: &ByteArray) -> &'static StrBuf {
    // SAFETY: the buffer word is a StrBuf from before the bytearray is published on, and the caller holds the bytearray.
    unsafe { &*(b.buf.value().addr() as *const StrBuf) }
}

/// All bytes of a buffer, those beyond its length included.
#[inline(always)]
fn cells(b: &StrBuf) -> &[AtomicU8] {
    // SAFETY: `cap` bytes lie behind the struct, all written before the buffer was published.
    unsafe { std::slice::from_raw_parts((&raw const b.bytes).cast(), b.cap as usize) }
}

#[inline(always)]
fn used(b: &StrBuf) -> usize {
    (b.used.load(Ordering::Acquire) as usize).min(b.cap as usize)
}

fn set_used(b: &StrBuf, n: usize) {
    b.used.store(n as u64, Ordering::Release);
}

/// The bytes in use: at least those that were when the length was read.
#[inline(always)]
fn items(b: &ByteArray) -> &'static [AtomicU8] {
    let buf = buf(b);
    cells(buf).get(..used(buf)).unwrap_or(&[])
}

/// Number of bytes.
#[inline]
pub fn len(b: &ByteArray) -> usize {
    used(buf(b))
}

/// Byte `i`; `None` beyond the end.
#[inline]
pub fn get(b: &ByteArray, i: usize) -> Option<u8> {
    items(b).get(i).map(|cell| cell.load(Ordering::Relaxed))
}

/// The bytes as they are now.
pub fn snapshot(b: &ByteArray) -> Vec<u8> {
    items(b).iter().map(|cell| cell.load(Ordering::Relaxed)).collect()
}

/// Some of the bytes as they are now; none if there are no such places.
pub fn part(b: &ByteArray, range: std::ops::Range<usize>) -> Vec<u8> {
    items(b).get(range).unwrap_or(&[]).iter().map(|cell| cell.load(Ordering::Relaxed)).collect()
}

/// How many views look at it.
pub fn views(b: &ByteArray) -> u64 {
    b.views.load(Ordering::Acquire)
}

/// A private buffer without bytes in use.
fn new_buf(m: &mut Mutator, cap: usize) -> R<&'static StrBuf> {
    if cap > MAX_BYTES {
        return Err(m.no_memory());
    }
    let at = m.alloc::<StrBuf>(cap)?;
    let whole = heap::cell_size(Value::from_addr(at as usize)) - size_of::<StrBuf>();
    // SAFETY: a fresh cell with `whole` bytes behind the struct, ours alone.
    unsafe {
        (&raw mut (*at).used).write(AtomicU64::new(0));
        (&raw mut (*at).cap).write(whole as u64);
        (&raw mut (*at).bytes).cast::<u8>().write_bytes(0, whole);
        Ok(&*at)
    }
}

/// A private buffer with these bytes.
fn filled(m: &mut Mutator, bytes: &[u8]) -> R<&'static StrBuf> {
    let b = new_buf(m, bytes.len())?;
    write(cells(b), bytes);
    set_used(b, bytes.len());
    Ok(b)
}

fn write(to: &[AtomicU8], bytes: &[u8]) {
    to.iter().zip(bytes).for_each(|(cell, byte)| cell.store(*byte, Ordering::Relaxed));
}

fn buf_value(b: &StrBuf) -> Value {
    Value::from_addr(std::ptr::from_ref(b) as usize)
}

/// A bytearray with these bytes, of a class with this shape and `extra` words behind the struct (see `subclass`).
pub fn new_as(m: &mut Mutator, bytes: &[u8], shape: u32, extra: usize) -> R {
    let buf = filled(m, bytes)?;
    let b = m.alloc_as::<ByteArray>(Kind::ByteArray, shape, extra * 8)?;
    // SAFETY: the cell is ours alone; this writes its two words behind the header.
    unsafe {
        (&raw mut (*b).buf).write(Slot::new(buf_value(buf)));
        (&raw mut (*b).views).write(AtomicU64::new(0));
    }
    Ok(Value::from_addr(b as usize))
}

impl Mutator {
    /// A bytearray with these bytes.
    pub fn new_bytearray(&mut self, bytes: &[u8]) -> R {
        new_as(self, bytes, types::root_shape(Kind::ByteArray), 0)
    }
}

/// Replaces byte `i`; false if there is none.
pub fn set(m: &mut Mutator, b: &'static ByteArray, i: usize, byte: u8) -> bool {
    let store = || items(b).get(i).map(|cell| cell.store(byte, Ordering::Relaxed)).is_some();
    if let Some(_guard) = sync::in_place(m, &b.hdr) {
        return store();
    }
    let _guard = sync::locked(m, &b.hdr);
    store()
}

/// Replaces the bytes from `at` on, as far as there are any.
pub fn overwrite(m: &mut Mutator, b: &'static ByteArray, at: usize, with: &[u8]) {
    let store = || write(items(b).get(at..).unwrap_or(&[]), with);
    if let Some(_guard) = sync::in_place(m, &b.hdr) {
        return store();
    }
    let _guard = sync::locked(m, &b.hdr);
    store();
}

/// Runs `change` on the buffer, alone, once it has room for `extra` more bytes.
fn edit<T>(
    m: &mut Mutator,
    b: &'static ByteArray,
    extra: usize,
    change: impl FnOnce(&'static StrBuf) -> T,
) -> R<T> {
    loop {
        {
            let _guard = sync::structural(m, &b.hdr);
            let now = buf(b);
            if now.cap as usize - used(now) >= extra {
                return Ok(change(now));
            }
        }
        grow(m, b, extra)?;
    }
}

#[cold]
fn grow(m: &mut Mutator, b: &'static ByteArray, extra: usize) -> R<()> {
    let want = len(b).saturating_add(extra);
    let bigger = new_buf(m, want.saturating_add(want / 8 + 16))?;
    let _guard = sync::structural(m, &b.hdr);
    let now = items(b);
    // Another thread may have replaced the buffer, by a larger one too: then ours is garbage, and the caller retries.
    if now.len() <= bigger.cap as usize {
        let old = now.iter().map(|cell| cell.load(Ordering::Relaxed));
        cells(bigger).iter().zip(old).for_each(|(cell, byte)| cell.store(byte, Ordering::Relaxed));
        set_used(bigger, now.len());
        b.buf.set(buf_value(bigger));
    }
    Ok(())
}

/// Appends.
pub fn push(m: &mut Mutator, b: &'static ByteArray, byte: u8) -> R<()> {
    edit(m, b, 1, |buf| {
        let n = used(buf);
        write(cells(buf).get(n..).unwrap_or(&[]), &[byte]);
        set_used(buf, n + 1);
    })
}

/// `b[start:stop] = with`, for `start <= stop`; both are cut to the length.
pub fn splice(m: &mut Mutator, b: &'static ByteArray, start: usize, stop: usize, with: &[u8]) -> R<()> {
    edit(m, b, with.len(), |buf| {
        let n = used(buf);
        let (start, stop) = (start.min(n), stop.min(n).max(start.min(n)));
        let all = cells(buf);
        if stop != start + with.len() {
            let tail: Vec<u8> =
                all.get(stop..n).unwrap_or(&[]).iter().map(|c| c.load(Ordering::Relaxed)).collect();
            write(all.get(start + with.len()..).unwrap_or(&[]), &tail);
        }
        write(all.get(start..).unwrap_or(&[]), with);
        set_used(buf, n - (stop - start) + with.len());
    })
}

/// Removes byte `i` (the last: `usize::MAX`), and returns it.
pub fn remove_at(m: &mut Mutator, b: &'static ByteArray, i: usize) -> Option<u8> {
    let _guard = sync::structural(m, &b.hdr);
    let buf = buf(b);
    let n = used(buf);
    let i = if i == usize::MAX { n.checked_sub(1)? } else { i };
    let all = cells(buf).get(..n)?;
    let byte = all.get(i)?.load(Ordering::Relaxed);
    for (to, from) in all.get(i..)?.iter().zip(all.get(i + 1..)?) {
        to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
    }
    set_used(buf, n - 1);
    Some(byte)
}

/// Replaces all bytes.
pub fn replace(m: &mut Mutator, b: &'static ByteArray, bytes: &[u8]) -> R<()> {
    let fresh = filled(m, bytes)?;
    let _guard = sync::structural(m, &b.hdr);
    b.buf.set(buf_value(fresh));
    Ok(())
}
