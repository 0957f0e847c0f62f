//! The hash table under a dict: entries in order of insertion behind an index of (hash, entry) words.
//! Must not know equality of arbitrary keys (it yields candidates), nor flavours of dict.
//!
//! An entry belongs to one key for the life of its table: a reader who found the key in it may read the value at any
//! later time. Deletion leaves a tombstone (key DELETED, value EMPTY); growth and compaction make a new table.

use super::error::R;
use super::header::{Hdr, Kind, Slot};
use super::heap;
use super::layout::Table;
use super::mutator::Mutator;
use super::value::{Value, Word};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

/// Smallest index.
const MIN_INDEX: usize = 8;
/// Largest index: entry numbers and hashes are 32 bits.
const MAX_INDEX: usize = 1 << 31;

/// Key and value of an entry.
#[repr(C)]
pub struct Entry {
    pub key: Slot,
    pub value: Slot,
}

/// What a dict without a table of its own shows. Aligned as objects of the heap are: its address has to look like theirs.
#[repr(C, align(16))]
struct NoTable {
    table: Table,
    index: [AtomicU64; 1],
}

static NO_TABLE: NoTable = NoTable {
    table: Table {
        hdr: Hdr {
            shape: AtomicU32::new(0),
            kind: Kind::Table,
            flags: AtomicU8::new(0),
            lock: AtomicU16::new(0),
        },
        index_cap: 1,
        entry_cap: 0,
        used: AtomicU32::new(0),
        live: AtomicU32::new(0),
        first: AtomicU32::new(0),
        index: [],
    },
    index: [AtomicU64::new(0)],
};

/// A table without entries, and without room for any.
pub fn none() -> &'static Table {
    &NO_TABLE.table
}

/// The value of a table, for the dict's word.
#[inline]
pub fn value(t: &Table) -> Value {
    Value::from_addr(std::ptr::from_ref(t) as usize)
}

#[inline(always)]
fn index(t: &Table) -> &[AtomicU64] {
    let first = std::ptr::from_ref(t).wrapping_add(1).cast::<AtomicU64>();
    // SAFETY: `index_cap` initialised words lie behind the struct.
    unsafe { std::slice::from_raw_parts(first, t.index_cap as usize) }
}

/// Entry `i`, if it has been handed out. Compared with the capacity alone: whoever has `i` got it from the index or
/// from `used`, so it is initialised.
#[inline(always)]
pub fn entry(t: &'static Table, i: usize) -> Option<&'static Entry> {
    if i >= t.used.load(Ordering::Acquire) as usize {
        return None;
    }
    entry_at(t, i)
}

#[inline(always)]
fn entry_at(t: &'static Table, i: usize) -> Option<&'static Entry> {
    if i >= t.entry_cap as usize {
        return None;
    }
    let words = std::ptr::from_ref(t).wrapping_add(1).cast::<Slot>().wrapping_add(t.index_cap as usize);
    // SAFETY: `entry_cap` entries lie behind the index; this one has been written before its number was published.
    Some(unsafe { &*words.wrapping_add(2 * i).cast::<Entry>() })
}

/// Entries alive.
#[inline]
pub fn live(t: &Table) -> usize {
    t.live.load(Ordering::Acquire) as usize
}

/// Entries handed out.
#[inline]
pub fn used(t: &Table) -> usize {
    t.used.load(Ordering::Acquire) as usize
}

/// Where the entries alive begin at the earliest.
#[inline]
pub fn first(t: &Table) -> usize {
    t.first.load(Ordering::Acquire) as usize
}

/// Whether the next insertion needs a new table.
#[inline]
pub fn is_full(t: &Table) -> bool {
    t.used.load(Ordering::Acquire) >= t.entry_cap
}

/// Entries that fit an index of this size.
fn room(index_cap: usize) -> usize {
    index_cap * 2 / 3
}

/// An empty, private table with room for at least `entries`.
pub fn new(m: &mut Mutator, entries: usize) -> R<&'static Table> {
    let index_cap = (entries.saturating_mul(3) / 2 + 1).max(MIN_INDEX).checked_next_power_of_two();
    let Some(index_cap) = index_cap.filter(|n| *n <= MAX_INDEX) else { return Err(m.no_memory()) };
    let entry_cap = room(index_cap);
    let t = m.alloc::<Table>(index_cap * 8 + entry_cap * 16)?;
    // SAFETY: the cell is ours alone and as large as asked for. Entries stay unwritten until they are handed out.
    unsafe {
        (&raw mut (*t).index_cap).write(index_cap as u32);
        (&raw mut (*t).entry_cap).write(entry_cap as u32);
        (&raw mut (*t).used).write(AtomicU32::new(0));
        (&raw mut (*t).live).write(AtomicU32::new(0));
        (&raw mut (*t).first).write(AtomicU32::new(0));
        if !heap::comes_cleared(size_of::<Table>() + index_cap * 8 + entry_cap * 16) {
            std::ptr::write_bytes(t.add(1).cast::<u64>(), 0, index_cap);
        }
        Ok(&*t)
    }
}

/// The 32 bits of a hash that the index keeps. Small ints keep their order, so that they lie side by side.
#[inline(always)]
fn fold(hash: i64) -> u32 {
    let high = (hash as u64 >> 32) as u32;
    (hash as u32) ^ high.wrapping_mul(0x9E37_79B9)
}

/// A walk over the entries whose key may have a given hash.
pub struct Probe {
    table: &'static Table,
    hash: u32,
    at: u32,
    perturb: u32,
}

/// Starts a walk.
#[inline(always)]
pub fn probe(table: &'static Table, hash: i64) -> Probe {
    let hash = fold(hash);
    Probe { table, hash, at: hash & (table.index_cap - 1), perturb: hash }
}

impl Probe {
    #[inline(always)]
    fn step(&mut self) {
        self.perturb >>= 5;
        let next = self.at.wrapping_mul(5).wrapping_add(self.perturb).wrapping_add(1);
        self.at = next & (self.table.index_cap - 1);
    }

    /// The table that is walked.
    #[inline(always)]
    pub fn table(&self) -> &'static Table {
        self.table
    }
}

impl Iterator for Probe {
    /// Number and key of a candidate.
    type Item = (usize, Value);

    #[inline(always)]
    fn next(&mut self) -> Option<(usize, Value)> {
        loop {
            // The index is never full, so the walk meets a free word.
            let word = index(self.table).get(self.at as usize)?.load(Ordering::Acquire);
            if word == 0 {
                return None;
            }
            self.step();
            if (word >> 32) as u32 != self.hash {
                continue;
            }
            let number = (word as u32).wrapping_sub(1) as usize;
            match entry_at(self.table, number)?.key.get() {
                Some(key) if key != Value::DELETED => return Some((number, key)),
                _ => {}
            }
        }
    }
}

/// Where a search has ended.
pub enum Search {
    /// In this entry.
    At(usize, &'static Entry),
    Absent,
    /// At a key of which it could not be said whether it is the one.
    Unsure(usize, Value),
}

/// Searches for the key that `same` says is the wanted one: a walk in one go.
#[inline(always)]
pub fn search(t: &'static Table, hash: i64, same: impl Fn(Value) -> Option<bool>) -> Search {
    let (index, hash, mask) = (index(t), fold(hash), t.index_cap - 1);
    let (mut at, mut perturb) = (hash & mask, hash);
    while let Some(word) = index.get(at as usize) {
        let word = word.load(Ordering::Acquire);
        if word == 0 {
            break;
        }
        let number = (word as u32).wrapping_sub(1) as usize;
        if (word >> 32) as u32 == hash
            && let Some(entry) = entry_at(t, number)
            && let Some(key) = entry.key.get().filter(|key| *key != Value::DELETED)
        {
            match same(key) {
                Some(true) => return Search::At(number, entry),
                Some(false) => {}
                None => return Search::Unsure(number, key),
            }
        }
        perturb >>= 5;
        at = at.wrapping_mul(5).wrapping_add(perturb).wrapping_add(1) & mask;
    }
    Search::Absent
}

/// Adds an entry for a key that is not in the table; false if there is no room. The caller holds the dict's lock,
/// or the table is private.
#[inline]
pub fn add(t: &'static Table, hash: i64, key: Value, value: Value) -> bool {
    add_folded(t, fold(hash), key, Some(value))
}

fn add_folded(t: &'static Table, hash: u32, key: Value, value: Word) -> bool {
    let number = t.used.load(Ordering::Relaxed);
    let Some(e) = entry_at(t, number as usize) else { return false };
    e.value.set_word(value);
    e.key.set(key);
    t.used.store(number + 1, Ordering::Release);
    t.live.store(t.live.load(Ordering::Relaxed) + 1, Ordering::Release);
    link(t, hash, number);
    true
}

/// Writes an entry into the index.
fn link(t: &'static Table, hash: u32, number: u32) {
    let mut place = Probe { table: t, hash, at: hash & (t.index_cap - 1), perturb: hash };
    while let Some(word) = index(t).get(place.at as usize) {
        if word.load(Ordering::Relaxed) == 0 {
            return word.store((hash as u64) << 32 | (number as u64 + 1), Ordering::Release);
        }
        place.step();
    }
}

/// Deletes an entry, and returns its value; `None` if it is deleted already. The caller holds the dict's lock.
pub fn remove(t: &'static Table, number: usize) -> Word {
    let e = entry(t, number)?;
    let old = e.value.get()?;
    e.value.clear();
    e.key.set(Value::DELETED);
    t.live.store(t.live.load(Ordering::Relaxed).saturating_sub(1), Ordering::Release);
    if number == first(t) {
        skip_deleted(t, number + 1);
    }
    Some(old)
}

/// Moves `first` on to the next entry alive: without it, taking the first item again and again would walk over all
/// tombstones each time.
fn skip_deleted(t: &'static Table, from: usize) {
    let deleted = |i: &usize| entry(t, *i).is_some_and(|e| e.key.get() == Some(Value::DELETED));
    let first = from + (from..used(t)).take_while(deleted).count();
    t.first.store(first as u32, Ordering::Release);
}

/// Hashes by entry number, gathered from the index of a table that has tombstones: the new numbers differ.
pub struct Scratch(Vec<u32>);

impl Scratch {
    /// Room for the entries of `t`; made before the lock is taken.
    pub fn new(t: &Table) -> Scratch {
        let n = if live(t) == used(t) { 0 } else { used(t) };
        Scratch(vec![0; n])
    }
}

/// Copies the live entries of `from` to the private, empty table `to`. False if the scratch or `to` turns out to be too
/// small, because another thread changed `from` after they were made. The caller holds the dict's lock.
pub fn copy_live(from: &'static Table, to: &'static Table, scratch: &mut Scratch) -> bool {
    let n = used(from);
    if live(from) > to.entry_cap as usize {
        return false;
    }
    if live(from) == n {
        return copy_whole(from, to, n);
    }
    if scratch.0.len() < n {
        return false;
    }
    for word in index(from).iter().map(|w| w.load(Ordering::Acquire)).filter(|w| *w != 0) {
        if let Some(hash) = scratch.0.get_mut((word as u32).wrapping_sub(1) as usize) {
            *hash = (word >> 32) as u32;
        }
    }
    for (number, hash) in scratch.0.iter().enumerate().take(n) {
        let Some(e) = entry(from, number) else { break };
        if let (Some(key), value @ Some(_)) = (e.key.get(), e.value.get())
            && !add_folded(to, *hash, key, value)
        {
            return false;
        }
    }
    true
}

/// As `copy_live`, for a table without tombstones: entry numbers stay.
fn copy_whole(from: &'static Table, to: &'static Table, n: usize) -> bool {
    for number in 0..n {
        let (Some(e), Some(copy)) = (entry(from, number), entry_at(to, number)) else { return false };
        copy.value.set_word(e.value.get());
        copy.key.set_word(e.key.get());
    }
    to.used.store(n as u32, Ordering::Release);
    to.live.store(n as u32, Ordering::Release);
    if from.index_cap == to.index_cap {
        for (word, copy) in index(from).iter().zip(index(to)) {
            copy.store(word.load(Ordering::Acquire), Ordering::Relaxed);
        }
        return true;
    }
    for word in index(from).iter().map(|w| w.load(Ordering::Acquire)).filter(|w| *w != 0) {
        link(to, (word >> 32) as u32, (word as u32).wrapping_sub(1));
    }
    true
}
