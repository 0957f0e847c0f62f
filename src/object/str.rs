//! Strings: immutable UTF-8 text, how it is made, shared, hashed and joined. Must not know how scripts spell it.
//!
//! A short string keeps its bytes in its own cell. A long result of `a + b` is EXTERNAL: its bytes are a prefix of a
//! `StrBuf` with room behind it, so that `s += t` in a loop copies only `t`: whoever moves `used` from the end of `s`
//! owns the bytes behind it. A prefix never changes once a string shows it, so readers need no lock.
//!
//! A string of more than 64 characters, not all ASCII, has a table of byte offsets (see `str_index`).

use super::header::{Kind, Slot, flag};
pub use super::intern::{intern_value, retain_interned};
use super::layout::{ExternalStr, Str, StrBuf};
use super::mutator::Mutator;
use super::str_index;
use super::types::{cast, root_shape};
use super::{R, Value, Word, heap};
use std::cmp::Ordering as Cmp;
use std::sync::atomic::{AtomicU64, Ordering};

/// `a + b` of fewer bytes than this is copied into one cell; longer results share a buffer.
const EXTERNAL_FROM: usize = 256;
const HEADER: usize = size_of::<Str>();
/// A text of no more bytes lies in its own cell, and zeros fill up its last word: it can be read word by word.
const PADDED: usize = 64;

static ASCII: [Slot; 128] = [const { Slot::empty() }; 128];
static EMPTY: Slot = Slot::empty();

/// The strings kept for ever: the empty one and those of one ASCII character. Roots of the collector.
pub fn visit_roots(visit: &mut dyn FnMut(Value)) {
    ASCII.iter().chain(std::iter::once(&EMPTY)).filter_map(Slot::get).for_each(visit);
}

impl Mutator {
    /// A string.
    #[inline]
    pub fn new_str(&mut self, text: &str) -> R {
        self.new_str_counted(text, count_chars(text))
    }

    /// As `new_str`, when the number of characters is known.
    #[inline]
    pub fn new_str_counted(&mut self, text: &str, nchars: usize) -> R {
        match *text.as_bytes() {
            [] => self.empty_str(),
            [b] if b < 128 => self.ascii_char(b),
            _ if is_plain(text.len(), nchars) => {
                let (v, bytes) = new_unwritten(self, text.len(), nchars)?;
                // SAFETY: the fresh string has room for these bytes, filled up to a word.
                unsafe { write_padded(text.as_bytes(), bytes) };
                Ok(v)
            }
            _ => build(self, None, text.len(), nchars, [text].iter()),
        }
    }

    /// The concatenation of `parts`, copied once, when the number of characters is known.
    pub fn new_str_parts_counted(&mut self, parts: &[&str], nbytes: usize, nchars: usize) -> R {
        if nbytes <= 1 {
            return self.new_str(parts.iter().find(|p| !p.is_empty()).unwrap_or(&""));
        }
        if !is_plain(nbytes, nchars) {
            return build(self, None, nbytes, nchars, parts.iter());
        }
        let (v, mut bytes) = new_plain(self, nbytes, nchars)?;
        for part in parts {
            // SAFETY: the fresh string has room for all parts together, whose length the caller has summed.
            unsafe {
                copy_bytes(part, bytes);
                bytes = bytes.add(part.len());
            }
        }
        Ok(v)
    }

    /// The concatenation of `parts`, copied once.
    pub fn new_str_parts(&mut self, parts: &[&str]) -> R {
        let nbytes = parts.iter().fold(0usize, |n, p| n.saturating_add(p.len()));
        self.new_str_parts_counted(parts, nbytes, parts.iter().map(|p| count_chars(p)).sum())
    }

    /// A string that is an instance of a class derived from `str`; `shape` is the class's root shape.
    pub fn new_str_subclass(&mut self, shape: u32, text: &str) -> R {
        build(self, Some(shape), text.len(), count_chars(text), [text].iter())
    }

    /// A string of one character.
    #[inline]
    pub fn new_char(&mut self, c: char) -> R {
        if c.is_ascii() { self.ascii_char(c as u8) } else { self.new_str(c.encode_utf8(&mut [0; 4])) }
    }

    /// The empty string; always the same object.
    pub fn empty_str(&mut self) -> R {
        match EMPTY.get() {
            Some(v) => Ok(v),
            None => publish(self, &EMPTY, ""),
        }
    }

    #[inline]
    fn ascii_char(&mut self, b: u8) -> R {
        let slot = &ASCII[(b & 127) as usize];
        match slot.get() {
            Some(v) => Ok(v),
            None => publish(self, slot, std::str::from_utf8(&[b & 127]).unwrap_or("")),
        }
    }
}

/// The string of one ASCII character, if it has been made.
#[inline(always)]
pub(super) fn kept_char(b: u8) -> Word {
    ASCII.get(usize::from(b)).and_then(Slot::get)
}

/// Fills a preallocated string's slot; the loser of a race takes the winner's.
#[cold]
fn publish(m: &mut Mutator, slot: &'static Slot, text: &str) -> R {
    let fresh = build(m, None, text.len(), text.len(), [text].iter())?;
    let fresh = super::intern::intern_value(m, fresh)?;
    Ok(slot.set_if_empty(fresh).map_or_else(|winner| winner, |()| fresh))
}

/// Number of characters.
#[inline]
pub fn count_chars(text: &str) -> usize {
    if is_ascii_text(text) { text.len() } else { text.chars().count() }
}

/// Whether all bytes are ASCII; a short text without a call.
#[inline(always)]
fn is_ascii_text(text: &str) -> bool {
    const TOP: u64 = 0x8080_8080_8080_8080;
    let bytes = text.as_bytes();
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(head), Some(tail)) if bytes.len() <= 16 => {
            (u64::from_ne_bytes(*head) | u64::from_ne_bytes(*tail)) & TOP == 0
        }
        (None, _) => little_endian(bytes) & TOP == 0,
        _ => text.is_ascii(),
    }
}

/// Whether a string of these sizes needs no offset table (and is not too long).
#[inline(always)]
pub(super) fn is_plain(nbytes: usize, nchars: usize) -> bool {
    nbytes <= u32::MAX as usize && str_index::table_len(nbytes, nchars) == 0
}

/// A string of the class `str` without an offset table, and where its bytes begin. They are not written yet, but for
/// the zeros that fill up the last word.
#[inline(always)]
pub(super) fn new_plain(m: &mut Mutator, nbytes: usize, nchars: usize) -> R<(Value, *mut u8)> {
    let (v, bytes) = new_unwritten(m, nbytes, nchars)?;
    // SAFETY: the cell is as large as a multiple of 8, and nobody else has it yet.
    unsafe { clear_last_word(bytes, nbytes) };
    Ok((v, bytes))
}

/// Writes zeros to the word that holds the last of `nbytes` bytes.
///
/// # Safety
/// `bytes` must be those of a fresh string, which has room for `nbytes` filled up to a word (for one at least).
#[inline(always)]
unsafe fn clear_last_word(bytes: *mut u8, nbytes: usize) {
    // SAFETY: by the caller; the bytes begin at a multiple of 8.
    unsafe { bytes.add(nbytes.saturating_sub(1) & !7).cast::<u64>().write(0) };
}

/// As `new_plain`, without the zeros.
#[inline(always)]
pub(super) fn new_unwritten(m: &mut Mutator, nbytes: usize, nchars: usize) -> R<(Value, *mut u8)> {
    let at = m.alloc_leaf::<Str>(nbytes)?;
    // SAFETY: the cell is not visible to anybody yet; this writes the fields behind its header.
    unsafe {
        (&raw mut (*at).hash).write(AtomicU64::new(0));
        (&raw mut (*at).nbytes).write(nbytes as u32);
        (&raw mut (*at).nchars).write(nchars as u32);
        Ok((Value::from_addr(at as usize), (&raw mut (*at).bytes).cast()))
    }
}

/// Writes a text and the zeros that fill up its last word; a short one in whole words.
///
/// # Safety
/// `to` must be the bytes of a fresh string with room for `from` filled up to a word.
#[inline(always)]
unsafe fn write_padded(from: &[u8], to: *mut u8) {
    let (first, last) = (from.first_chunk::<8>(), from.last_chunk::<8>());
    // SAFETY: by the caller; the bytes begin at a multiple of 8.
    unsafe {
        match (first, last) {
            (Some(first), Some(last)) if from.len() <= 16 => {
                let rest = u64::from_le_bytes(*last).unbounded_shr(128 - 8 * from.len() as u32);
                to.cast::<[u8; 8]>().write(*first);
                if from.len() > 8 {
                    to.add(8).cast::<[u8; 8]>().write(rest.to_le_bytes());
                }
            }
            (None, _) => to.cast::<[u8; 8]>().write(little_endian(from).to_le_bytes()),
            _ => {
                clear_last_word(to, from.len());
                std::ptr::copy_nonoverlapping(from.as_ptr(), to, from.len());
            }
        }
    }
}

/// Copies the text of a string into one that is being made, and may write zeros behind it where there is room.
///
/// # Safety
/// `to` must be valid for writes of `room` bytes, as many as the text has at least, outside `s`.
#[inline(always)]
pub(super) unsafe fn copy_text(s: &Str, to: *mut u8, room: usize) {
    if s.nbytes <= 8 && s.nbytes > 0 && room >= 8 {
        // SAFETY: a string of so few bytes has them in a word of its own; there is room for it.
        return unsafe { to.cast::<u64>().write_unaligned(*(&raw const s.bytes).cast()) };
    }
    match words(s) {
        // SAFETY: `room` is enough for all words.
        Some(words) if size_of_val(words) <= room => unsafe {
            for (i, word) in words.iter().enumerate() {
                to.add(8 * i).cast::<u64>().write_unaligned(*word);
            }
        },
        // SAFETY: by the caller.
        _ => unsafe { copy_bytes(text(s), to) },
    }
}

/// Copies a text; a short one without a call.
///
/// # Safety
/// `to` must be valid for writes of as many bytes, outside `from`.
#[inline(always)]
pub(super) unsafe fn copy_bytes(from: &str, to: *mut u8) {
    let (from, n) = (from.as_ptr(), from.len());
    // SAFETY: all reads and writes lie within the first `n` bytes; the two halves of a step may overlap.
    unsafe {
        match n {
            0 => {}
            1..=3 => {
                let (first, middle, last) = (*from, *from.add(n / 2), *from.add(n - 1));
                *to = first;
                *to.add(n / 2) = middle;
                *to.add(n - 1) = last;
            }
            4..=7 => copy_ends::<u32>(from, to, n),
            8..=16 => copy_ends::<u64>(from, to, n),
            17..=32 => copy_ends::<u128>(from, to, n),
            _ => std::ptr::copy_nonoverlapping(from, to, n),
        }
    }
}

/// Copies the first and the last word of `n` bytes.
///
/// # Safety
/// `from` and `to` must be valid for `n` bytes, at least one word.
#[inline(always)]
unsafe fn copy_ends<W>(from: *const u8, to: *mut u8, n: usize) {
    let last = n - size_of::<W>();
    // SAFETY: promised by the caller; the accesses need no alignment.
    unsafe {
        let (head, tail) = (from.cast::<W>().read_unaligned(), from.add(last).cast::<W>().read_unaligned());
        to.cast::<W>().write_unaligned(head);
        to.add(last).cast::<W>().write_unaligned(tail);
    }
}

/// Makes a string with its bytes inside. `nbytes` and `nchars` are those of all `parts` together; with a shape, the
/// string gets a class of its own and an (empty) attribute word.
fn build<P: AsRef<str>>(
    m: &mut Mutator,
    shape: Option<u32>,
    nbytes: usize,
    nchars: usize,
    parts: impl Iterator<Item = P>,
) -> R {
    let Ok(nbytes32) = u32::try_from(nbytes) else { return Err(m.no_memory()) };
    let table = str_index::table_len(nbytes, nchars);
    let extra = table_end(nbytes, table) + if shape.is_some() { size_of::<Slot>() } else { 0 };
    let at = m.alloc_as::<Str>(Kind::Str, shape.unwrap_or_else(|| root_shape(Kind::Str)), extra)?;
    // SAFETY: the cell is not visible to anybody yet, and has room for all that is written: the parts, which have `nbytes`
    // bytes together (summed by the callers), the table behind them, and the attribute word at the end of the cell.
    unsafe {
        (&raw mut (*at).hash).write(AtomicU64::new(0));
        (&raw mut (*at).nbytes).write(nbytes32);
        (&raw mut (*at).nchars).write(nchars as u32);
        let bytes = (&raw mut (*at).bytes).cast::<u8>();
        clear_last_word(bytes, nbytes);
        let mut end = 0;
        for part in parts {
            let part = part.as_ref();
            std::ptr::copy_nonoverlapping(part.as_ptr(), bytes.add(end), part.len());
            end += part.len();
        }
        if table > 0 {
            let text = std::str::from_utf8_unchecked(std::slice::from_raw_parts(bytes, nbytes));
            let entries = bytes.add(nbytes.next_multiple_of(4)).cast::<u32>();
            str_index::fill(text, std::slice::from_raw_parts_mut(entries.cast(), table));
        }
        if shape.is_some() {
            let cell = heap::cell_size(Value::from_addr(at as usize));
            at.cast::<u8>().add(cell - size_of::<Slot>()).cast::<Slot>().write(Slot::empty());
            (*at).hdr.flags.fetch_or(flag::SUBCLASS, Ordering::Relaxed);
        }
    }
    Ok(Value::from_addr(at as usize))
}

/// Bytes of text and offset table together.
fn table_end(nbytes: usize, table: usize) -> usize {
    if table == 0 { nbytes } else { nbytes.next_multiple_of(4) + table * 4 }
}

/// The text of a short string in words, the last filled up with zeros.
#[inline(always)]
pub(super) fn words(s: &Str) -> Option<&[u64]> {
    let n = s.nbytes as usize;
    // SAFETY: a string of so few bytes is not EXTERNAL and has no offset table; whoever made it has written its last word.
    (n <= PADDED).then(|| unsafe { std::slice::from_raw_parts((&raw const s.bytes).cast(), n.div_ceil(8)) })
}

/// The string object behind a value.
#[inline(always)]
pub fn view(v: Value) -> Option<&'static Str> {
    cast::<Str>(v)
}

/// The text of a string; `None` for any other value. Valid until the next point where Mini code can run or the thread
/// detaches, unless `v` is kept where the collector sees it (an argument, the native stack, a rooted scope): objects
/// never move and their bytes never change.
#[inline(always)]
pub fn as_str(v: Value) -> Option<&'static str> {
    view(v).map(text)
}

/// The text of a string object; as long valid as `as_str`'s.
#[inline(always)]
pub fn text(s: &Str) -> &'static str {
    let start = match external(s) {
        None => (&raw const s.bytes).cast::<u8>(),
        Some((buf, _)) => buf_bytes(buf),
    };
    // SAFETY: `nbytes` bytes from `start` are initialised valid UTF-8 and never change: copied from `&str`s when the string
    // was made (in its cell, or below `used` in its buffer). The lifetime is the promise documented at `as_str`.
    unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(start, s.nbytes as usize)) }
}

/// Of a string whose bytes live elsewhere: the buffer and the slot of its offset table.
#[inline(always)]
fn external(s: &Str) -> Option<(&StrBuf, &Slot)> {
    if s.hdr.flags.load(Ordering::Relaxed) & flag::EXTERNAL == 0 {
        return None;
    }
    // SAFETY: an EXTERNAL string was allocated as an ExternalStr, of which Str is the first field.
    let whole = unsafe { &*(s as *const Str).cast::<ExternalStr>() };
    cast::<StrBuf>(whole.buf.value()).map(|buf| (buf, &whole.index))
}

fn buf_bytes(buf: &StrBuf) -> *const u8 {
    (&raw const buf.bytes).cast()
}

/// The offset table of a non-ASCII string of more than 64 characters; empty for any other, and for an EXTERNAL one
/// whose table has not been needed yet.
pub(super) fn offsets(s: &Str) -> &[u32] {
    let len = str_index::table_len(s.nbytes as usize, s.nchars as usize);
    if len == 0 {
        return &[];
    }
    let start = match external(s) {
        // SAFETY: `build` placed the table there, 4-aligned because the header is a multiple of 4.
        None => unsafe { (&raw const s.bytes).cast::<u8>().add((s.nbytes as usize).next_multiple_of(4)) },
        Some((_, index)) => match index.get().and_then(cast::<StrBuf>) {
            Some(buf) => buf_bytes(buf),
            None => return &[],
        },
    };
    // SAFETY: `len` entries were written by `fill` before the string (or the index slot) was published.
    unsafe { std::slice::from_raw_parts(start.cast(), len) }
}

/// Makes the offset table of an EXTERNAL string that needs one and has none yet.
pub(super) fn ensure_offsets(m: &mut Mutator, s: &Str) -> R<()> {
    let len = str_index::table_len(s.nbytes as usize, s.nchars as usize);
    let Some((_, index)) = external(s) else { return Ok(()) };
    if len == 0 || index.get().is_some() {
        return Ok(());
    }
    let (buf, at) = new_buf(m, len * 4)?;
    // SAFETY: the buffer has `len * 4` bytes, 4-aligned, and nobody else has it yet.
    str_index::fill(text(s), unsafe { std::slice::from_raw_parts_mut(at.cast(), len) });
    // A loser of the race leaves its table to the collector: both tables are equal.
    let _ = index.set_if_empty(buf);
    Ok(())
}

/// A buffer with at least `cap` bytes, none used, and where they begin.
fn new_buf(m: &mut Mutator, cap: usize) -> R<(Value, *mut u8)> {
    let at = m.alloc_leaf::<StrBuf>(cap)?;
    // SAFETY: fresh cell of `cap` bytes behind the struct.
    unsafe {
        (&raw mut (*at).used).write(AtomicU64::new(0));
        // All of the cell, which may be larger than asked for.
        let buf = Value::from_addr(at as usize);
        (&raw mut (*at).cap).write((heap::cell_size(buf) - size_of::<StrBuf>()) as u64);
        Ok((buf, (&raw mut (*at).bytes).cast()))
    }
}

fn new_external(m: &mut Mutator, nbytes: usize, nchars: usize, buf: Value) -> R {
    let extra = size_of::<ExternalStr>() - HEADER;
    let at = m.alloc::<Str>(extra)?.cast::<ExternalStr>();
    // SAFETY: fresh cell of the size of an ExternalStr; every field behind the header is written.
    unsafe {
        (&raw mut (*at).base.hash).write(AtomicU64::new(0));
        (&raw mut (*at).base.nbytes).write(nbytes as u32);
        (&raw mut (*at).base.nchars).write(nchars as u32);
        (&raw mut (*at).buf).write(Slot::new(buf));
        (&raw mut (*at).index).write(Slot::empty());
        (*at).base.hdr.flags.fetch_or(flag::EXTERNAL, Ordering::Relaxed);
    }
    Ok(Value::from_addr(at as usize))
}

/// `a + b`. Both must be strings.
pub fn concat(m: &mut Mutator, a: Value, b: Value) -> R {
    let (Some(s), Some(t)) = (view(a), view(b)) else {
        return Err(m.type_error("can only concatenate str to str"));
    };
    if t.nbytes == 0 && is_exact(s) {
        return Ok(a);
    }
    if s.nbytes == 0 && is_exact(t) {
        return Ok(b);
    }
    let nbytes = s.nbytes as usize + t.nbytes as usize;
    let nchars = s.nchars as usize + t.nchars as usize;
    if nbytes < EXTERNAL_FROM {
        if is_plain(nbytes, nchars) {
            if nbytes <= 16 {
                return concat_short(m, s, t, nchars);
            }
            let (v, bytes) = new_plain(m, nbytes, nchars)?;
            let room = nbytes.next_multiple_of(8);
            // SAFETY: the fresh string has room for both, filled up to a word.
            unsafe {
                copy_text(s, bytes, room);
                copy_text(t, bytes.add(s.nbytes as usize), room - s.nbytes as usize);
            }
            return Ok(v);
        }
        return build(m, None, nbytes, nchars, [text(s), text(t)].iter());
    }
    if nbytes > u32::MAX as usize {
        return Err(m.no_memory());
    }
    append(m, s, text(t), nbytes, nchars)
}

/// As `concat`, of two texts that are not empty and have 16 bytes at most together.
#[inline(always)]
fn concat_short(m: &mut Mutator, s: &Str, t: &Str, nchars: usize) -> R {
    let nbytes = (s.nbytes + t.nbytes) as usize;
    let (v, bytes) = new_unwritten(m, nbytes, nchars)?;
    let both = short_text(s) | short_text(t) << (8 * s.nbytes);
    // SAFETY: the fresh string has room for its bytes, filled up to a word.
    unsafe {
        bytes.cast::<u64>().write((both as u64).to_le());
        if nbytes > 8 {
            bytes.add(8).cast::<u64>().write(((both >> 64) as u64).to_le());
        }
    }
    Ok(v)
}

/// A text of 1 to 16 bytes, zeros behind it.
#[inline(always)]
fn short_text(s: &Str) -> u128 {
    let bytes = (&raw const s.bytes).cast::<u64>();
    // SAFETY: a text of so few bytes lies in its own cell, and zeros fill up its last word.
    let [first, second] = unsafe { [*bytes, if s.nbytes > 8 { *bytes.add(1) } else { 0 }] };
    u128::from(u64::from_le(first)) | u128::from(u64::from_le(second)) << 64
}

/// Takes the bytes from `end`, where the buffer's use was seen to end, to `new_end`. False: another thread was faster.
#[inline]
fn claim(m: &Mutator, buf: &StrBuf, end: u64, new_end: u64) -> bool {
    if !m.free {
        buf.used.store(new_end, Ordering::Release);
        return true;
    }
    buf.used.compare_exchange(end, new_end, Ordering::AcqRel, Ordering::Relaxed).is_ok()
}

/// The long form of `concat`: behind `s` in its buffer if that is free, else in a new buffer with room to grow.
fn append(m: &mut Mutator, s: &Str, tail: &str, nbytes: usize, nchars: usize) -> R {
    let grown = external(s).is_some();
    if let Some((buf, _)) = external(s)
        && nbytes as u64 <= buf.cap
        && buf.used.load(Ordering::Relaxed) == u64::from(s.nbytes)
    {
        let fresh = new_external(m, nbytes, nchars, Value::from_addr(buf as *const StrBuf as usize))?;
        if claim(m, buf, u64::from(s.nbytes), nbytes as u64) {
            let end = s.nbytes;
            // SAFETY: the claim gave the bytes from `end` to `new_end <= cap` to this thread alone; no string shows
            // them until `fresh` is published. `tail` may lie in the same buffer, but below `end`.
            unsafe { copy_bytes(tail, buf_bytes(buf).cast_mut().add(end as usize)) };
            return Ok(fresh);
        }
    }
    // A string that has been appended to before will be again: double. Otherwise leave a little room.
    let cap = if grown { nbytes * 2 } else { nbytes + nbytes / 4 };
    let (buf, at) = new_buf(m, cap.next_multiple_of(16))?;
    let head = text(s);
    // SAFETY: the buffer is fresh and holds at least `nbytes` = head + tail.
    unsafe {
        std::ptr::copy_nonoverlapping(head.as_ptr(), at, head.len());
        std::ptr::copy_nonoverlapping(tail.as_ptr(), at.add(head.len()), tail.len());
    }
    if let Some(buf) = cast::<StrBuf>(buf) {
        buf.used.store(nbytes as u64, Ordering::Release);
    }
    new_external(m, nbytes, nchars, buf)
}

/// So many parts are copied one by one.
const FEW: i64 = 4;

/// `s * n`. `v` must be a string; a negative count gives the empty string.
pub fn repeat(m: &mut Mutator, v: Value, n: i64) -> R {
    let Some(s) = view(v) else { return Err(m.type_error("can't multiply sequence by non-int")) };
    if n <= 0 || s.nbytes == 0 {
        return m.empty_str();
    }
    if n == 1 && is_exact(s) {
        return Ok(v);
    }
    let Some(nbytes) = (s.nbytes as usize).checked_mul(n as usize).filter(|n| *n <= u32::MAX as usize) else {
        return Err(m.no_memory());
    };
    let nchars = s.nchars as usize * n as usize;
    if n <= FEW {
        return build(m, None, nbytes, nchars, std::iter::repeat_n(text(s), n as usize));
    }
    // Short strings are laid out in larger units first: one copy of a unit is cheaper than many of its parts.
    let each = n.min(1024 / i64::from(s.nbytes) + 1);
    let unit = text(s).repeat(each as usize);
    let rest = unit.get(..(n % each) as usize * s.nbytes as usize).unwrap_or("");
    let parts = std::iter::repeat_n(unit.as_str(), (n / each) as usize).chain([rest]);
    build(m, None, nbytes, nchars, parts)
}

/// Whether the class is `str` itself.
#[inline]
pub fn is_exact(s: &Str) -> bool {
    s.hdr.flags.load(Ordering::Relaxed) & flag::SUBCLASS == 0
}

/// Whether every character is ASCII.
#[inline(always)]
pub fn is_ascii(s: &Str) -> bool {
    s.nbytes == s.nchars
}

/// A hash of more bytes is noted wherever the object lies.
pub(super) const QUICK_TO_HASH: usize = 1024;

/// The hash of a string; computed once, unless it is short and noting it would copy a page in a forked child.
#[inline]
pub fn hash(s: &Str) -> i64 {
    match s.hash.load(Ordering::Relaxed) {
        0 => {
            let h = match words(s) {
                Some(words) => hash_words(words, s.nbytes as usize),
                None => hash_bytes(text(s).as_bytes()),
            };
            if s.nbytes as usize > QUICK_TO_HASH || !heap::is_inherited((&raw const *s).addr()) {
                s.hash.store(h as u64, Ordering::Relaxed);
            }
            h
        }
        h => h as i64,
    }
}

/// The hash of a string or bytes object with these bytes: 128-bit products folded, with a fixed seed, so that a run can
/// be repeated. (Mini does not defend against keys chosen to collide.) 0 (not computed) only of no bytes, as in CPython, whose
/// order of sets shows it; never -1 (CPython's error).
#[inline]
pub fn hash_bytes(bytes: &[u8]) -> i64 {
    let (words, tail) = bytes.as_chunks::<8>();
    hash_of(bytes.len(), words.iter().map(|word| u64::from_le_bytes(*word)), little_endian(tail))
}

/// As `hash_bytes`, of the words of a text with so many bytes.
#[inline(always)]
fn hash_words(words: &[u64], nbytes: usize) -> i64 {
    let (whole, tail) = words.split_at_checked(nbytes / 8).unwrap_or((words, &[]));
    hash_of(
        nbytes,
        whole.iter().map(|word| u64::from_le(*word)),
        tail.first().map_or(0, |w| u64::from_le(*w)),
    )
}

#[inline(always)]
fn hash_of(nbytes: usize, words: impl Iterator<Item = u64>, tail: u64) -> i64 {
    if nbytes == 0 {
        return 0;
    }
    const K0: u64 = 0x9e37_79b9_7f4a_7c15;
    const K1: u64 = 0xd6e8_feb8_6659_fd93;
    let fold = |a: u64, b: u64| {
        let wide = u128::from(a) * u128::from(b);
        wide as u64 ^ (wide >> 64) as u64
    };
    let h = words.fold(K0 ^ nbytes as u64, |h, word| fold(h ^ word, K1));
    match fold(h ^ tail, K1) ^ (h >> 32) {
        0 => 1,
        u64::MAX => -2,
        h => h as i64,
    }
}

/// Fewer than eight bytes as a number; read in overlapping pieces rather than one by one.
#[inline(always)]
pub(super) fn little_endian(bytes: &[u8]) -> u64 {
    let n = bytes.len();
    if let (Some(head), Some(tail)) = (bytes.first_chunk::<4>(), bytes.last_chunk::<4>()) {
        return u64::from(u32::from_le_bytes(*head)) | u64::from(u32::from_le_bytes(*tail)) << (8 * (n - 4));
    }
    let at = |i: usize| bytes.get(i).map_or(0, |b| u64::from(*b) << (8 * i));
    if n == 0 { 0 } else { at(0) | at(n / 2) | at(n - 1) }
}

/// Whether two strings have the same characters.
#[inline]
pub fn eq(a: &Str, b: &Str) -> bool {
    if std::ptr::eq(a, b) {
        return true;
    }
    if a.nbytes != b.nbytes {
        return false;
    }
    if a.hdr.flags.load(Ordering::Relaxed) & b.hdr.flags.load(Ordering::Relaxed) & flag::INTERNED != 0 {
        return false;
    }
    let (x, y) = (a.hash.load(Ordering::Relaxed), b.hash.load(Ordering::Relaxed));
    if x != y && x != 0 && y != 0 {
        return false;
    }
    match (words(a), words(b)) {
        (Some(a), Some(b)) => same_words(a, b),
        _ => text(a) == text(b),
    }
}

/// Whether two texts of one length are the same, word by word.
#[inline(always)]
fn same_words(a: &[u64], b: &[u64]) -> bool {
    let mut i = 0;
    while let (Some(x), Some(y)) = (a.get(i), b.get(i)) {
        if x != y {
            return false;
        }
        i += 1;
    }
    true
}

/// Order by code point, which is the order of the UTF-8 bytes.
#[inline]
pub fn compare(a: &Str, b: &Str) -> Cmp {
    match (words(a), words(b)) {
        // The first byte is the highest digit; the zeros behind a text are less than any byte but zero.
        (Some([x, ..]), Some([y, ..])) if x != y => u64::from_be(*x).cmp(&u64::from_be(*y)),
        _ => text(a).as_bytes().cmp(text(b).as_bytes()),
    }
}

#[cfg(test)]
mod tests;
