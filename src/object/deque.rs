//! Double-ended queues: a ring of slots in a private list, whose place and length are the queue's own Rust value.
//! Must not know equality, or how scripts see it.

use super::error::R;
use super::layout::{Host, List};
use super::mutator::Mutator;
use super::value::{Value, Word};
use super::{class, func, header::Slot, list, shape, sync, types};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// Where the items lie in the ring. Written under the object's lock.
#[derive(Default)]
struct Place {
    head: AtomicUsize,
    len: AtomicUsize,
    /// Counts changes, for iterators.
    stamp: AtomicUsize,
    /// Negative: no limit.
    limit: AtomicI64,
}

impl Place {
    fn len(&self) -> usize {
        self.len.load(Ordering::Acquire)
    }

    fn head(&self) -> usize {
        self.head.load(Ordering::Acquire)
    }

    fn put(&self, head: usize, len: usize) {
        self.head.store(head, Ordering::Release);
        self.len.store(len, Ordering::Release);
        self.stamp.store(self.stamp.load(Ordering::Relaxed).wrapping_add(1), Ordering::Release);
    }
}

/// A deque: the object and its ring's place.
#[derive(Clone, Copy)]
pub struct Deque {
    host: &'static Host,
    place: &'static Place,
}

/// Which end of a deque.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Left,
    Right,
}

const FIRST_ROOM: usize = 8;

/// A new, empty deque of this class (deque or derived from it).
pub fn new(m: &mut Mutator, class: Value, limit: Option<usize>) -> R {
    let place = Place::default();
    place.limit.store(limit.map_or(-1, |n| n as i64), Ordering::Release);
    let ring = new_ring(m, FIRST_ROOM)?;
    let v = func::new_host(m, class, Box::new(place))?;
    if let Some(host) = types::cast::<Host>(v) {
        host.extra[0].set(list::value(ring));
    }
    Ok(v)
}

fn new_ring(m: &mut Mutator, room: usize) -> R<&'static List> {
    list::from_fn(m, room, |_| Some(Value::NONE))
}

/// `v` as a deque.
pub fn of(v: Value) -> Option<Deque> {
    let host = types::cast::<Host>(v)?;
    func::host::<Place>(v).map(|place| Deque { host, place })
}

/// As `of`, only if the object's class is `deque` itself.
pub fn plain(v: Value) -> Option<Deque> {
    let host = types::cast::<Host>(v)?;
    let derived = class::traits(shape::of(&host.hdr).class.value()) & class::trait_bits::HEAP_TYPE != 0;
    if derived { None } else { of(v) }
}

/// The slots of the ring; some at least.
fn ring(d: Deque) -> &'static [Slot] {
    d.host.extra[0].get().and_then(list::of).map_or(&[], list::items)
}

/// Number of items.
pub fn len(d: Deque) -> usize {
    d.place.len()
}

/// Changes whenever the deque does.
pub fn stamp(d: Deque) -> usize {
    d.place.stamp.load(Ordering::Acquire)
}

/// How many items there may be.
pub fn limit(d: Deque) -> Option<usize> {
    usize::try_from(d.place.limit.load(Ordering::Acquire)).ok()
}

/// Changes how many items there may be; for `__init__` alone, when it is empty.
pub fn set_limit(d: Deque, limit: Option<usize>) {
    d.place.limit.store(limit.map_or(-1, |n| n as i64), Ordering::Release);
}

fn slot(ring: &'static [Slot], i: usize) -> Option<&'static Slot> {
    // Rings have a power of two of slots.
    ring.get(i & ring.len().wrapping_sub(1))
}

/// Item `i`.
pub fn get(m: &Mutator, d: Deque, i: usize) -> Word {
    let _guard = sync::locked(m, &d.host.hdr);
    if i >= d.place.len() {
        return None;
    }
    slot(ring(d), d.place.head().wrapping_add(i))?.get()
}

/// Replaces item `i`; false if there is none.
pub fn set(m: &Mutator, d: Deque, i: usize, v: Value) -> bool {
    let _guard = sync::locked(m, &d.host.hdr);
    if i >= d.place.len() {
        return false;
    }
    slot(ring(d), d.place.head().wrapping_add(i)).map(|s| s.set(v)).is_some()
}

/// Adds an item at one end; at the limit, one falls off at the other.
pub fn push(m: &mut Mutator, d: Deque, end: End, v: Value) -> R<()> {
    let limit = limit(d);
    loop {
        let room = {
            let _guard = sync::locked(m, &d.host.hdr);
            if limit == Some(0) {
                return Ok(());
            }
            if limit.is_some_and(|limit| d.place.len() >= limit) {
                take(d, if end == End::Left { End::Right } else { End::Left });
            }
            let (slots, head, n) = (ring(d), d.place.head(), d.place.len());
            if n < slots.len() {
                let (at, head) = match end {
                    End::Right => (head.wrapping_add(n), head),
                    End::Left => (head.wrapping_sub(1), head.wrapping_sub(1)),
                };
                if let Some(s) = slot(slots, at) {
                    s.set(v);
                }
                d.place.put(head, n + 1);
                return Ok(());
            }
            slots.len()
        };
        grow(m, d, room)?;
    }
}

/// Doubles a ring of `room` slots.
#[cold]
fn grow(m: &mut Mutator, d: Deque, room: usize) -> R<()> {
    let bigger = new_ring(m, room.max(FIRST_ROOM) * 2)?;
    let _guard = sync::locked(m, &d.host.hdr);
    let (slots, head, n) = (ring(d), d.place.head(), d.place.len());
    // Another thread may have been faster.
    if slots.len() == room {
        let old = (0..n).filter_map(|i| slot(slots, head.wrapping_add(i)));
        list::items(bigger).iter().zip(old).for_each(|(to, from)| to.set_word(from.get()));
        d.host.extra[0].set(list::value(bigger));
        d.place.head.store(0, Ordering::Release);
    }
    Ok(())
}

/// Removes the item at one end, under the lock.
fn take(d: Deque, end: End) -> Word {
    let (slots, head, n) = (ring(d), d.place.head(), d.place.len());
    let last = n.checked_sub(1)?;
    let (at, head) = match end {
        End::Left => (head, head.wrapping_add(1)),
        End::Right => (head.wrapping_add(last), head),
    };
    let s = slot(slots, at)?;
    let v = s.get();
    s.set(Value::NONE);
    d.place.put(head, last);
    v
}

/// Removes the item at one end, and returns it.
pub fn pop(m: &Mutator, d: Deque, end: End) -> Word {
    let _guard = sync::locked(m, &d.host.hdr);
    take(d, end)
}

/// Turns the ring: `n` items (of more than `n`) go from the right end to the left one, or the others the other way.
pub fn rotate(m: &Mutator, d: Deque, n: usize) {
    let _guard = sync::locked(m, &d.host.hdr);
    let (slots, head, len) = (ring(d), d.place.head(), d.place.len());
    let Some(others) = len.checked_sub(n) else { return };
    let shift = |from: usize, to: usize| {
        if let (Some(from), Some(to)) = (slot(slots, from), slot(slots, to)) {
            to.set_word(from.get());
            from.set(Value::NONE);
        }
    };
    let head = if len == slots.len() {
        // Nothing to move: the ring is closed.
        head.wrapping_sub(n)
    } else if n <= others {
        (1..=n).for_each(|i| shift(head.wrapping_add(len - i), head.wrapping_sub(i)));
        head.wrapping_sub(n)
    } else {
        (0..others).for_each(|i| shift(head.wrapping_add(i), head.wrapping_add(len + i)));
        head.wrapping_add(others)
    };
    d.place.put(head, len);
}

/// Removes all items.
pub fn clear(m: &mut Mutator, d: Deque) -> R<()> {
    let empty = new_ring(m, FIRST_ROOM)?;
    let _guard = sync::locked(m, &d.host.hdr);
    d.host.extra[0].set(list::value(empty));
    d.place.put(0, 0);
    Ok(())
}

/// Puts `items` in the place of what is there.
pub fn replace(m: &mut Mutator, d: Deque, items: &[Value]) -> R<()> {
    let filled = new_ring(m, items.len().max(FIRST_ROOM).next_power_of_two())?;
    list::items(filled).iter().zip(items).for_each(|(slot, v)| slot.set(*v));
    let _guard = sync::locked(m, &d.host.hdr);
    d.host.extra[0].set(list::value(filled));
    d.place.put(0, items.len());
    Ok(())
}

/// The items as they are now, as a list.
pub fn to_list(m: &mut Mutator, d: Deque) -> R {
    let out = list::from_fn(m, len(d), |_| Some(Value::NONE))?;
    let _guard = sync::locked(m, &d.host.hdr);
    let (slots, head) = (ring(d), d.place.head());
    let now = (0..d.place.len()).filter_map(|i| slot(slots, head.wrapping_add(i)));
    list::items(out).iter().zip(now).for_each(|(to, from)| to.set_word(from.get()));
    Ok(list::value(out))
}
