//! Lists: a growing buffer of slots behind one word. Readers take no lock; see `sync` for the writers.
//! Must not know equality, iteration protocols or error texts: indices come in already normalised.

use super::error::R;
use super::header::{Kind, Slot};
use super::heap;
use super::layout::{List, ListBuf};
use super::mutator::Mutator;
use super::sync;
use super::types;
use super::value::{Value, Word};
use std::sync::atomic::{AtomicU64, Ordering};

/// Capacity of the buffer of an empty list: with its header one 64-byte cell.
const SMALL: usize = 5;
/// More items than any address space holds: larger requests are out of memory.
const MAX_ITEMS: usize = 1 << 48;

/// `v` as a list.
#[inline(always)]
pub fn of(v: Value) -> Option<&'static List> {
    types::cast::<List>(v)
}

/// The value of a list.
#[inline(always)]
pub fn value(l: &List) -> Value {
    Value::from_addr(std::ptr::from_ref(l) as usize)
}

/// The current buffer. Its length and slots belong together; a writer may have replaced it meanwhile.
#[inline(always)]
pub fn buf(l: &List) -> &'static ListBuf {
    let buf = l.buf.value();
    // SAFETY: a list's buffer word is a ListBuf from before the list is published on, and the caller holds the list.
    unsafe { &*(buf.addr() as *const ListBuf) }
}

/// All slots of a buffer, those beyond its length included.
#[inline(always)]
pub fn slots(b: &ListBuf) -> &[Slot] {
    let first = std::ptr::from_ref(b).wrapping_add(1).cast::<Slot>();
    // SAFETY: `cap` slots lie behind the struct, all initialised before the buffer was published; they are atomics.
    unsafe { std::slice::from_raw_parts(first, b.cap.load(Ordering::Acquire) as usize) }
}

/// The slots in use: at least those that were when the length was read.
#[inline(always)]
pub fn items(l: &List) -> &'static [Slot] {
    buf_items(buf(l))
}

/// The slots in use of a buffer.
#[inline(always)]
pub fn buf_items(b: &'static ListBuf) -> &'static [Slot] {
    let all = slots(b);
    all.get(..buf_len(b)).unwrap_or(all)
}

#[inline(always)]
fn buf_len(b: &ListBuf) -> usize {
    b.len.load(Ordering::Acquire) as usize
}

#[inline(always)]
fn set_buf_len(b: &ListBuf, n: usize) {
    b.len.store(n as u64, Ordering::Release);
}

/// Number of items.
#[inline(always)]
pub fn len(l: &List) -> usize {
    buf_len(buf(l))
}

/// Item `i`; `None` beyond the end (or popped this moment).
#[inline(always)]
pub fn get(l: &List, i: usize) -> Word {
    items(l).get(i).and_then(Slot::get)
}

/// The items of a value that is a list, as they are now; of any other value, none.
pub fn snapshot(v: Value) -> Vec<Value> {
    of(v).map_or(Vec::new(), |l| items(l).iter().filter_map(Slot::get).collect())
}

/// Copies words between buffers (or within one, towards lower addresses or without overlap). With the GIL off word by
/// word, so that a reader of `to` never sees a torn one; words that another thread is just removing arrive EMPTY.
pub(crate) fn copy_words(free: bool, from: &[Slot], to: &[Slot]) {
    if free {
        from.iter().zip(to).for_each(|(f, t)| t.set_word(f.get()));
        return;
    }
    let n = from.len().min(to.len());
    // SAFETY: both are `n` words long; with a GIL no other thread reads or writes them now.
    unsafe { std::ptr::copy(from.as_ptr().cast::<u64>(), to.as_ptr().cast::<u64>().cast_mut(), n) }
}

/// Moves the tail of `all[..len]` from `from` to `to`; the gap or the end left behind keeps its old words.
fn shift(free: bool, all: &[Slot], from: usize, to: usize, len: usize) {
    let (Some(source), Some(target)) = (all.get(from..len), all.get(to..)) else { return };
    if free && to > from {
        // Upwards from the end, so that nothing is overwritten before it is read.
        source.iter().zip(target).rev().for_each(|(f, t)| t.set_word(f.get()));
    } else {
        copy_words(free, source, target.get(..source.len()).unwrap_or(target));
    }
}

fn clear_slots(all: &[Slot], from: usize, to: usize) {
    all.get(from..to).unwrap_or(&[]).iter().for_each(Slot::clear);
}

/// A private buffer: no items, every slot EMPTY.
pub fn new_buf(m: &mut Mutator, cap: usize) -> R<&'static ListBuf> {
    if cap > MAX_ITEMS {
        return Err(m.no_memory());
    }
    let b = m.alloc::<ListBuf>(cap * 8)?;
    // SAFETY: the cell is ours alone, and has room for the struct and `cap` words; 0 is an EMPTY slot.
    unsafe {
        (&raw mut (*b).len).write(AtomicU64::new(0));
        (&raw mut (*b).cap).write(AtomicU64::new(cap as u64));
        if !heap::comes_cleared(size_of::<ListBuf>() + cap * 8) {
            std::ptr::write_bytes(b.add(1).cast::<u64>(), 0, cap);
        }
        Ok(&*b)
    }
}

fn new_with_buf(m: &mut Mutator, b: &'static ListBuf) -> R<&'static List> {
    new_as(m, b, types::root_shape(Kind::List), 0)
}

/// An empty list of a class derived from `list`, with `extra` words behind the struct (see `subclass`).
pub fn new_empty_as(m: &mut Mutator, shape: u32, extra: usize) -> R<&'static List> {
    let b = new_buf(m, SMALL)?;
    new_as(m, b, shape, extra)
}

fn new_as(m: &mut Mutator, b: &'static ListBuf, shape: u32, extra: usize) -> R<&'static List> {
    let l = m.alloc_as::<List>(Kind::List, shape, extra * 8)?;
    // SAFETY: the cell is ours alone; this writes its only word behind the header.
    unsafe {
        (&raw mut (*l).buf).write(Slot::new(buf_value(b)));
        Ok(&*l)
    }
}

/// The value of a buffer.
pub fn buf_value(b: &ListBuf) -> Value {
    Value::from_addr(std::ptr::from_ref(b) as usize)
}

/// A list of `n` items that `item` produces; ends early at the first EMPTY one.
pub fn from_fn(m: &mut Mutator, n: usize, mut item: impl FnMut(usize) -> Word) -> R<&'static List> {
    let b = new_buf(m, if n == 0 { SMALL } else { n })?;
    let mut len = 0;
    for slot in slots(b).iter().take(n) {
        let Some(v) = item(len) else { break };
        slot.set(v);
        len += 1;
    }
    set_buf_len(b, len);
    new_with_buf(m, b)
}

/// A list of the words of `from` that are not EMPTY.
pub fn from_slots(m: &mut Mutator, from: &[Slot]) -> R<&'static List> {
    if m.free {
        let mut rest = from.iter().filter_map(Slot::get);
        return from_fn(m, from.len(), |_| rest.next());
    }
    let b = new_buf(m, from.len().max(SMALL))?;
    copy_words(false, from, slots(b));
    set_buf_len(b, from.len());
    new_with_buf(m, b)
}

impl Mutator {
    /// A list of these items.
    pub fn new_list(&mut self, items: &[Value]) -> R {
        let b = new_buf(self, items.len().max(SMALL))?;
        slots(b).iter().zip(items).for_each(|(slot, v)| slot.set(*v));
        set_buf_len(b, items.len());
        new_with_buf(self, b).map(value)
    }

    /// An empty list that takes `cap` items before it grows.
    pub fn new_list_with_capacity(&mut self, cap: usize) -> R {
        let b = new_buf(self, cap.max(SMALL))?;
        new_with_buf(self, b).map(value)
    }
}

/// Capacity for `n` items with room to grow: twice for small lists, an eighth for large ones.
fn roomy(n: usize) -> usize {
    match n {
        0..=64 => n + n / 2 + 7,
        65..=4096 => n + n / 2,
        4097..=65_536 => n + n / 4,
        _ => n + n / 8,
    }
}

/// Buffers of at least so many items are worth an attempt to grow them where they lie.
const LARGE: usize = 4096;

/// Makes a large buffer's cell larger if the memory behind it is free.
fn grow_in_place(m: &mut Mutator, l: &'static List, cap: usize) -> bool {
    let _guard = sync::structural(m, &l.hdr);
    let b = buf(l);
    let old = slots(b).len();
    if old < LARGE || old >= cap {
        return false;
    }
    let bytes = |n: usize| size_of::<ListBuf>() + n * 8;
    let Some(now) = heap::try_extend(buf_value(b).addr(), bytes(old), bytes(cap)) else { return false };
    let added = (now - bytes(0)) / 8 - old;
    // SAFETY: the cell has become large enough, and nobody looks beyond the capacity, which is still the old one.
    unsafe { std::ptr::from_ref(b).add(1).cast_mut().cast::<u64>().add(old).write_bytes(0, added) };
    b.cap.store((old + added) as u64, Ordering::Release);
    true
}

/// Makes room for `extra` more items than there are now: in place, or in a new buffer.
#[inline(never)]
fn grow(m: &mut Mutator, l: &'static List, extra: usize) -> R<()> {
    let want = len(l).saturating_add(extra);
    if want > MAX_ITEMS {
        return Err(m.no_memory());
    }
    if grow_in_place(m, l, roomy(want)) {
        return Ok(());
    }
    let bigger = new_buf(m, roomy(want))?;
    let _guard = sync::structural(m, &l.hdr);
    let now = items(l);
    // Another thread may have replaced the buffer, by a larger one too: then ours is garbage, and the caller retries.
    if now.len() <= slots(bigger).len() {
        copy_words(m.free, now, slots(bigger));
        set_buf_len(bigger, now.len());
        l.buf.set(buf_value(bigger));
    }
    Ok(())
}

/// Runs `change` on the buffer, alone, once it has room for `extra` more items.
#[inline]
fn edit<T>(
    m: &mut Mutator,
    l: &'static List,
    extra: usize,
    change: impl FnOnce(bool, &'static ListBuf) -> T,
) -> R<T> {
    loop {
        {
            let _guard = sync::structural(m, &l.hdr);
            let b = buf(l);
            if slots(b).len() - buf_items(b).len() >= extra {
                return Ok(change(m.free, b));
            }
        }
        grow(m, l, extra)?;
    }
}

/// Replaces item `i`; false if there is none.
#[inline(always)]
pub fn set(m: &mut Mutator, l: &'static List, i: usize, v: Value) -> bool {
    let store = || items(l).get(i).map(|slot| slot.set(v)).is_some();
    if let Some(_guard) = sync::in_place(m, &l.hdr) {
        return store();
    }
    let _guard = sync::locked(m, &l.hdr);
    store()
}

/// Appends.
#[inline]
pub fn push(m: &mut Mutator, l: &'static List, v: Value) -> R<()> {
    if push_in_room(m, l, v) { Ok(()) } else { push_growing(m, l, v) }
}

/// Appends where the buffer has room.
#[inline(always)]
fn push_in_room(m: &Mutator, l: &'static List, v: Value) -> bool {
    // Nobody writes in place beyond the length, so the lock alone is enough.
    let _guard = sync::locked(m, &l.hdr);
    let b = buf(l);
    let n = buf_len(b);
    let Some(slot) = slots(b).get(n) else { return false };
    slot.set(v);
    set_buf_len(b, n + 1);
    true
}

#[cold]
#[inline(never)]
fn push_growing(m: &mut Mutator, l: &'static List, v: Value) -> R<()> {
    loop {
        grow(m, l, 1)?;
        if push_in_room(m, l, v) {
            return Ok(());
        }
    }
}

/// Appends all of `more`.
pub fn extend(m: &mut Mutator, l: &'static List, more: &[Value]) -> R<()> {
    splice(m, l, usize::MAX, usize::MAX, more)
}

/// Appends the words of `more` that are not EMPTY. `more` may be the list's own.
pub fn extend_slots(m: &mut Mutator, l: &'static List, more: &[Slot]) -> R<()> {
    edit(m, l, more.len(), |_, b| {
        let mut n = buf_len(b);
        let free_slots = slots(b).get(n..).unwrap_or(&[]);
        for (slot, v) in free_slots.iter().zip(more.iter().filter_map(Slot::get)) {
            slot.set(v);
            n += 1;
        }
        set_buf_len(b, n);
    })
}

/// Inserts before item `i`, or at the end if there is no such item.
pub fn insert(m: &mut Mutator, l: &'static List, i: usize, v: Value) -> R<()> {
    splice(m, l, i, i, &[v])
}

/// Removes item `i`, and returns it.
pub fn remove_at(m: &mut Mutator, l: &'static List, i: usize) -> Word {
    let _guard = sync::structural(m, &l.hdr);
    take(m.free, buf(l), i)
}

/// Removes the last item, and returns it.
#[inline]
pub fn pop(m: &mut Mutator, l: &'static List) -> Word {
    let _guard = sync::structural(m, &l.hdr);
    let b = buf(l);
    take(m.free, b, buf_len(b).wrapping_sub(1))
}

#[inline]
fn take(free: bool, b: &'static ListBuf, i: usize) -> Word {
    let all = buf_items(b);
    let v = all.get(i)?.get()?;
    let last = all.len() - 1;
    if i < last {
        shift(free, all, i + 1, i, all.len());
    }
    set_buf_len(b, last);
    clear_slots(all, last, all.len());
    Some(v)
}

/// Removes item `i` if it still is `v`.
pub fn remove_if_same(m: &mut Mutator, l: &'static List, i: usize, v: Value) -> bool {
    let _guard = sync::structural(m, &l.hdr);
    get(l, i) == Some(v) && take(m.free, buf(l), i).is_some()
}

/// Removes all items.
pub fn clear(m: &mut Mutator, l: &'static List) -> R<()> {
    if len(l) == 0 {
        return Ok(());
    }
    let b = new_buf(m, SMALL)?;
    swap_buf(m, l, b);
    Ok(())
}

/// Puts `b` in the place of the list's buffer, which is returned. A thread that is just reading the old one goes on.
pub fn swap_buf(m: &mut Mutator, l: &'static List, b: &'static ListBuf) -> &'static ListBuf {
    let _guard = sync::structural(m, &l.hdr);
    let old = buf(l);
    l.buf.set(buf_value(b));
    old
}

/// `l[start:stop] = with`, for `start <= stop`; both are cut to the length.
pub fn splice(m: &mut Mutator, l: &'static List, start: usize, stop: usize, with: &[Value]) -> R<()> {
    edit(m, l, with.len(), |free, b| {
        let (all, n) = (slots(b), buf_len(b));
        let (start, stop) = (start.min(n), stop.min(n).max(start.min(n)));
        let new_len = n - (stop - start) + with.len();
        if stop != start + with.len() {
            shift(free, all, stop, start + with.len(), n);
        }
        all.iter().skip(start).zip(with).for_each(|(slot, v)| slot.set(*v));
        set_buf_len(b, new_len);
        clear_slots(all, new_len, n);
    })
}

/// `l[start:stop:step] = with`, for `count` items from `start`; false (and no change) unless all of them exist.
pub fn set_stepped(m: &mut Mutator, l: &'static List, start: usize, step: isize, with: &[Value]) -> bool {
    let _guard = sync::structural(m, &l.hdr);
    let all = items(l);
    let at = |k: usize| start.checked_add_signed(step.checked_mul(k as isize)?).and_then(|i| all.get(i));
    if !with.is_empty() && at(with.len() - 1).is_none() {
        return false;
    }
    with.iter().enumerate().filter_map(|(k, v)| Some((at(k)?, v))).for_each(|(slot, v)| slot.set(*v));
    true
}

/// Deletes the `count` items `start`, `start + step`, ... (`step > 0`).
pub fn remove_stepped(m: &mut Mutator, l: &'static List, start: usize, step: usize, count: usize) {
    let _guard = sync::structural(m, &l.hdr);
    let b = buf(l);
    let all = buf_items(b);
    let doomed =
        |i: usize| i >= start && (i - start).is_multiple_of(step.max(1)) && (i - start) / step.max(1) < count;
    let mut kept = 0;
    for (i, slot) in all.iter().enumerate() {
        if doomed(i) {
            continue;
        }
        if let Some(target) = all.get(kept).filter(|_| kept < i) {
            target.set_word(slot.get());
        }
        kept += 1;
    }
    set_buf_len(b, kept);
    clear_slots(all, kept, all.len());
}

/// Reverses in place.
pub fn reverse(m: &mut Mutator, l: &'static List) {
    let _guard = sync::structural(m, &l.hdr);
    let all = items(l);
    let half = all.len() / 2;
    for (low, high) in all.iter().take(half).zip(all.iter().rev()) {
        let v = low.get();
        low.set_word(high.get());
        high.set_word(v);
    }
}

/// The `count` items `start`, `start + step`, ... as a new list.
pub fn stepped(m: &mut Mutator, from: &[Slot], start: usize, step: isize, count: usize) -> R<&'static List> {
    if step == 1 {
        let end = start.saturating_add(count).min(from.len());
        return from_slots(m, from.get(start..end).unwrap_or(&[]));
    }
    from_fn(m, count, |k| {
        let i = start.checked_add_signed(step.checked_mul(k as isize)?)?;
        from.get(i)?.get()
    })
}

/// The first place from `from` on whose item may equal `wanted`, or the end: small ints equal no other small ints.
pub fn first_candidate(l: &List, from: usize, wanted: Value) -> usize {
    if !wanted.is_small_int() {
        return from;
    }
    let may_equal = |slot: &Slot| slot.get().is_none_or(|v| v == wanted || !v.is_small_int());
    let rest = items(l).get(from..).unwrap_or(&[]);
    from + rest.iter().position(may_equal).unwrap_or(rest.len())
}

/// `a + b` as a new list.
pub fn concat(m: &mut Mutator, a: &[Slot], b: &[Slot]) -> R<&'static List> {
    let all = new_buf(m, (a.len() + b.len()).max(SMALL))?;
    if !m.free {
        let room = slots(all);
        copy_words(false, a, room);
        copy_words(false, b, room.get(a.len()..).unwrap_or(&[]));
        set_buf_len(all, a.len() + b.len());
        return new_with_buf(m, all);
    }
    let mut n = 0;
    for (slot, v) in slots(all).iter().zip(a.iter().chain(b).filter_map(Slot::get)) {
        slot.set(v);
        n += 1;
    }
    set_buf_len(all, n);
    new_with_buf(m, all)
}

/// `from * times` as a new list.
pub fn repeat(m: &mut Mutator, from: &[Slot], times: usize) -> R<&'static List> {
    let Some(n) = from.len().checked_mul(times).filter(|n| *n <= MAX_ITEMS) else {
        return Err(m.no_memory());
    };
    if let [one] = from {
        let v = one.get();
        return from_fn(m, n, |_| v);
    }
    from_fn(m, n, |i| from.get(i % from.len())?.get())
}

/// `l *= times`.
pub fn repeat_in_place(m: &mut Mutator, l: &'static List, times: usize) -> R<()> {
    let all = repeat(m, items(l), times)?;
    swap_buf(m, l, buf(all));
    Ok(())
}
