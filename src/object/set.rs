//! Sets and frozensets: CPython's table, so that sets of numbers are iterated in CPython's order.
//! Must not know how arbitrary elements are hashed and compared (`vm::hashing` drives that), nor error texts.
//!
//! Readers take no lock: an entry's hash and key are two words, and a reader who sees the hash of one key and the
//! key of another asks for equality before it believes. Writers hold the object lock.

use super::error::R;
use super::header::{Kind, Slot};
use super::heap;
use super::key;
use super::layout::{Set, SetEntry, SetTable};
use super::mutator::Mutator;
use super::sync;
use super::types;
use super::value::{Value, Word};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

const MIN_CAP: usize = 8;
const MAX_CAP: usize = 1 << 31;
/// Neighbours that a search looks at before it jumps.
const LINEAR_PROBES: usize = 9;
const PERTURB_SHIFT: u32 = 5;
/// Sets above this size grow by two, smaller ones by four.
const LARGE: usize = 50_000;

/// `v` as a set or frozenset.
#[inline(always)]
pub fn of(v: Value) -> Option<&'static Set> {
    if v.is_ref() && matches!(types::hdr(v).kind, Kind::Set | Kind::FrozenSet) {
        // SAFETY: both kinds have this struct.
        Some(unsafe { &*(v.addr() as *const Set) })
    } else {
        None
    }
}

/// The value of a set.
#[inline(always)]
pub fn value(s: &Set) -> Value {
    Value::from_addr(std::ptr::from_ref(s) as usize)
}

/// The current table.
#[inline(always)]
pub fn table(s: &Set) -> &'static SetTable {
    // SAFETY: a set's table word is a SetTable from before the set is published on, and the caller holds the set.
    unsafe { &*(s.table.value().addr() as *const SetTable) }
}

#[inline(always)]
fn entries(t: &'static SetTable) -> &'static [SetEntry] {
    let first = std::ptr::from_ref(t).wrapping_add(1).cast::<SetEntry>();
    // SAFETY: `cap` initialised entries lie behind the struct.
    unsafe { std::slice::from_raw_parts(first, t.cap as usize) }
}

fn table_value(t: &SetTable) -> Value {
    Value::from_addr(std::ptr::from_ref(t) as usize)
}

#[inline]
fn fill(t: &SetTable) -> usize {
    t.fill.load(Ordering::Acquire) as usize
}

#[inline]
fn live(t: &SetTable) -> usize {
    t.live.load(Ordering::Acquire) as usize
}

/// Number of elements.
#[inline]
pub fn len(s: &Set) -> usize {
    live(table(s))
}

/// See `SetTable::changes`.
#[inline]
pub fn changes(t: &SetTable) -> u32 {
    t.changes.load(Ordering::Acquire)
}

/// A private table of the smallest capacity above `min_used`.
fn new_table(m: &mut Mutator, min_used: usize) -> R<&'static SetTable> {
    let cap = min_used.saturating_add(1).max(MIN_CAP).checked_next_power_of_two();
    let Some(cap) = cap.filter(|n| *n <= MAX_CAP) else { return Err(m.no_memory()) };
    let t = m.alloc::<SetTable>(cap * size_of::<SetEntry>())?;
    // SAFETY: the cell is ours alone and as large as asked for; zeros are free entries.
    unsafe {
        (&raw mut (*t).cap).write(cap as u32);
        (&raw mut (*t).live).write(AtomicU32::new(0));
        (&raw mut (*t).fill).write(AtomicU32::new(0));
        (&raw mut (*t).changes).write(AtomicU32::new(0));
        if !heap::comes_cleared(size_of::<SetTable>() + cap * size_of::<SetEntry>()) {
            std::ptr::write_bytes(t.add(1).cast::<u64>(), 0, cap * 2);
        }
        Ok(&*t)
    }
}

/// An empty set or frozenset (`kind`).
pub fn new(m: &mut Mutator, kind: Kind) -> R<&'static Set> {
    new_as(m, kind, types::root_shape(kind), 0)
}

/// As `new`, for the shape of a subclass, with `extra` EMPTY words behind the struct.
pub fn new_as(m: &mut Mutator, kind: Kind, shape: u32, extra: usize) -> R<&'static Set> {
    let t = new_table(m, 0)?;
    let s = m.alloc_as::<Set>(kind, shape, extra * 8)?;
    // SAFETY: the cell is ours alone; this writes every word behind the header.
    unsafe {
        (&raw mut (*s).table).write(Slot::new(table_value(t)));
        (&raw mut (*s).hash).write(AtomicU64::new(0));
        std::ptr::write_bytes(s.add(1).cast::<u64>(), 0, extra);
        Ok(&*s)
    }
}

impl Mutator {
    /// An empty set.
    pub fn new_set(&mut self) -> R {
        new(self, Kind::Set).map(value)
    }
}

/// An empty frozenset, for its maker to fill before anybody else sees it.
pub fn new_frozen(m: &mut Mutator) -> R {
    new(m, Kind::FrozenSet).map(value)
}

/// The order in which a search for a hash visits a table's entries.
struct Walk {
    mask: usize,
    base: usize,
    offset: usize,
    perturb: u64,
}

impl Walk {
    fn new(t: &SetTable, hash: i64) -> Walk {
        let mask = t.cap as usize - 1;
        Walk { mask, base: hash as usize & mask, offset: 0, perturb: hash as u64 }
    }

    fn next(&mut self) -> usize {
        let here = self.base + self.offset;
        let near = self.base + LINEAR_PROBES <= self.mask;
        if near && self.offset < LINEAR_PROBES {
            self.offset += 1;
        } else {
            self.perturb >>= PERTURB_SHIFT;
            let next = self.base.wrapping_mul(5).wrapping_add(1).wrapping_add(self.perturb as usize);
            self.base = next & self.mask;
            self.offset = 0;
        }
        here
    }
}

/// A search for an element of a given hash.
pub struct Probe {
    table: &'static SetTable,
    hash: i64,
    walk: Walk,
}

/// Starts a search.
#[inline]
pub fn probe(t: &'static SetTable, hash: i64) -> Probe {
    Probe { table: t, hash, walk: Walk::new(t, hash) }
}

impl Iterator for Probe {
    /// Number and key of a candidate.
    type Item = (usize, Value);

    fn next(&mut self) -> Option<(usize, Value)> {
        // A table has free entries, so the search ends.
        loop {
            let at = self.walk.next();
            let e = entries(self.table).get(at)?;
            let key = e.key.get()?;
            if e.hash.load(Ordering::Acquire) == self.hash as u64 && key != Value::DELETED {
                return Some((at, key));
            }
        }
    }
}

/// What a step of a search has come to.
pub enum Look {
    /// The entry, and the key in it.
    Found(usize, Value),
    Absent,
    /// This entry's key may be equal: only Mini code can tell.
    Ask(usize, Value),
}

/// Goes on with a search until it is decided or needs an answer; after a `no` to `Ask`, call it again.
#[inline]
pub fn look(probe: &mut Probe, wanted: Value) -> Look {
    for (entry, candidate) in probe {
        match key::eq(candidate, wanted) {
            Some(true) => return Look::Found(entry, candidate),
            Some(false) => {}
            None => return Look::Ask(entry, candidate),
        }
    }
    Look::Absent
}

/// What the place where a search begins says, if that decides it.
#[inline(always)]
pub fn first_look(t: &'static SetTable, hash: i64, wanted: Value) -> Option<Look> {
    let at = hash as usize & (t.cap as usize - 1);
    let e = entries(t).get(at)?;
    let Some(key) = e.key.get() else { return Some(Look::Absent) };
    let same = e.hash.load(Ordering::Acquire) == hash as u64
        && key != Value::DELETED
        && key::eq(key, wanted) == Some(true);
    same.then_some(Look::Found(at, key))
}

/// Where CPython would put a new key of this hash: the last deleted entry that a search passes, else the free entry
/// that ends it.
fn place_for(t: &'static SetTable, hash: i64) -> Option<&'static SetEntry> {
    let mut walk = Walk::new(t, hash);
    let mut reusable = None;
    loop {
        let e = entries(t).get(walk.next())?;
        match e.key.get() {
            None => return Some(reusable.unwrap_or(e)),
            Some(Value::DELETED) => reusable = Some(e),
            Some(_) => {}
        }
    }
}

fn put(t: &'static SetTable, hash: i64, key: Value) {
    let Some(e) = place_for(t, hash) else { return };
    let was_free = e.key.get().is_none();
    e.hash.store(hash as u64, Ordering::Release);
    e.key.set(key);
    if was_free {
        bump(&t.fill, 1);
    }
    bump(&t.live, 1);
    bump(&t.changes, 1);
}

/// Adds to a counter that others only read: its writer holds the set's lock, or has a table of its own.
#[inline(always)]
fn bump(counter: &AtomicU32, by: u32) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(by), Ordering::Release);
}

/// Copies the elements of `from`, in table order, into the private table `to`.
fn copy_into(from: &'static SetTable, to: &'static SetTable) {
    for e in entries(from) {
        if let Some(key) = e.key.get().filter(|k| *k != Value::DELETED)
            && live(to) + 1 < to.cap as usize
        {
            put(to, e.hash.load(Ordering::Acquire) as i64, key);
        }
    }
}

fn grown(used: usize) -> usize {
    if used > LARGE { used.saturating_mul(2) } else { used.saturating_mul(4) }
}

/// Adds an element that a search of `t` has not found while its count of changes was `seen`; false: look again.
pub fn insert(
    m: &mut Mutator,
    s: &'static Set,
    t: &'static SetTable,
    seen: u32,
    hash: i64,
    key: Value,
) -> R<bool> {
    // Whether a deleted entry can be reused (then nothing fills up) is only known under the lock; a larger table that
    // turns out not to be needed is garbage.
    let may_grow = (fill(t) + 1) * 5 >= (t.cap as usize - 1) * 3;
    let larger = if may_grow { Some(new_table(m, grown(live(t) + 1))?) } else { None };
    let _guard = sync::locked(m, &s.hdr);
    if !std::ptr::eq(table(s), t) || changes(t) != seen {
        return Ok(false);
    }
    let before = fill(t);
    put(t, hash, key);
    if let Some(larger) = larger.filter(|_| fill(t) > before) {
        copy_into(t, larger);
        s.table.set(table_value(larger));
    }
    Ok(true)
}

/// Removes an entry that a search of `t` has found to hold `key`; false: look again.
pub fn remove(m: &mut Mutator, s: &'static Set, t: &'static SetTable, entry: usize, key: Value) -> bool {
    let _guard = sync::locked(m, &s.hdr);
    if !std::ptr::eq(table(s), t) {
        return false;
    }
    match entries(t).get(entry) {
        Some(e) if e.key.get() == Some(key) => {
            delete(t, e);
            true
        }
        _ => false,
    }
}

fn delete(t: &SetTable, e: &SetEntry) {
    e.key.set(Value::DELETED);
    bump(&t.live, u32::MAX);
}

/// The first element at or behind position `at`: the position behind it, its hash and key.
#[inline]
pub fn next_entry(s: &Set, at: usize) -> Option<(usize, i64, Value)> {
    let all = entries(table(s));
    let mut i = at;
    while let Some(e) = all.get(i) {
        if let Some(key) = e.key.get().filter(|k| *k != Value::DELETED) {
            return Some((i + 1, e.hash.load(Ordering::Acquire) as i64, key));
        }
        i += 1;
    }
    None
}

/// Removes and returns the element that CPython's `pop` would choose.
pub fn pop(m: &mut Mutator, s: &'static Set) -> Word {
    let _guard = sync::locked(m, &s.hdr);
    let t = table(s);
    let all = entries(t);
    let start = s.hash.load(Ordering::Relaxed) as usize & (t.cap as usize - 1);
    let (front, back) = all.split_at_checked(start)?;
    for (i, e) in back.iter().chain(front).enumerate() {
        if let Some(key) = e.key.get().filter(|k| *k != Value::DELETED) {
            delete(t, e);
            s.hash.store(((start + i) & (t.cap as usize - 1)) as u64 + 1, Ordering::Relaxed);
            return Some(key);
        }
    }
    None
}

/// Removes all elements.
pub fn clear(m: &mut Mutator, s: &'static Set) -> R<()> {
    let t = new_table(m, 0)?;
    let _guard = sync::locked(m, &s.hdr);
    s.table.set(table_value(t));
    Ok(())
}

/// Makes `s` have the elements and the table of `from`, a private set.
pub fn take_over(m: &mut Mutator, s: &'static Set, from: &Set) {
    let _guard = sync::locked(m, &s.hdr);
    s.table.set_word(from.table.get());
}

/// A new table for `s`, of the smallest capacity above `min_used`: growth ahead of many insertions, or the removal of
/// deleted entries.
fn resize(m: &mut Mutator, s: &'static Set, min_used: usize) -> R<()> {
    let t = new_table(m, min_used.max(len(s)))?;
    let _guard = sync::locked(m, &s.hdr);
    let now = table(s);
    if live(now) < t.cap as usize {
        copy_into(now, t);
        s.table.set(table_value(t));
    }
    Ok(())
}

/// Before `more` insertions: grows once, as CPython does.
pub fn reserve(m: &mut Mutator, s: &'static Set, more: usize) -> R<()> {
    let t = table(s);
    if (fill(t) + more) * 5 >= (t.cap as usize - 1) * 3 {
        resize(m, s, (live(t) + more) * 2)?;
    }
    Ok(())
}

/// After many removals: gives up deleted entries when they are more than a quarter of the table.
pub fn tidy(m: &mut Mutator, s: &'static Set) -> R<()> {
    let t = table(s);
    // Both may change meanwhile.
    let deleted = fill(t).saturating_sub(live(t));
    if deleted > (t.cap as usize - 1) / 4 {
        resize(m, s, grown(live(t)))?;
    }
    Ok(())
}

/// Copies all of `other` into `s` if `s` is still empty and has no deleted entries; false: insert one by one.
pub fn fill_empty(m: &mut Mutator, s: &'static Set, other: &'static Set) -> bool {
    let _guard = sync::locked(m, &s.hdr);
    let (t, from) = (table(s), table(other));
    if fill(t) != 0 || live(from) >= t.cap as usize {
        return false;
    }
    if t.cap == from.cap && fill(from) == live(from) {
        copy_places(from, t);
    } else {
        copy_into(from, t);
    }
    true
}

/// Copies entries to the same places of a table of the same size.
fn copy_places(from: &'static SetTable, to: &'static SetTable) {
    let mut n = 0;
    for (e, copy) in entries(from).iter().zip(entries(to)) {
        if let Some(key) = e.key.get().filter(|k| *k != Value::DELETED) {
            copy.hash.store(e.hash.load(Ordering::Acquire), Ordering::Release);
            copy.key.set(key);
            n += 1;
        }
    }
    to.fill.store(n, Ordering::Release);
    to.live.store(n, Ordering::Release);
    bump(&to.changes, 1);
}

/// A copy of `s`, of the given kind.
pub fn copy(m: &mut Mutator, s: &'static Set, kind: Kind) -> R<&'static Set> {
    loop {
        let fresh = new(m, kind)?;
        if len(s) == 0 {
            return Ok(fresh);
        }
        reserve(m, fresh, len(s))?;
        if fill_empty(m, fresh, s) {
            return Ok(fresh);
        }
    }
}

/// The hash of a frozenset, from those of its elements in any order; computed as CPython does, so that sets of
/// frozensets are laid out alike.
pub fn hash(s: &Set) -> i64 {
    let known = s.hash.load(Ordering::Relaxed);
    if known != 0 {
        return known as i64;
    }
    let shuffle = |h: u64| ((h ^ 89_869_747) ^ (h << 16)).wrapping_mul(3_644_798_167);
    let (mut mixed, mut at, mut n) = (0, 0, 0_u64);
    while let Some((next, hash, _)) = next_entry(s, at) {
        mixed ^= shuffle(hash as u64);
        at = next;
        n += 1;
    }
    mixed ^= (n + 1).wrapping_mul(1_927_868_237);
    mixed ^= (mixed >> 11) ^ (mixed >> 25);
    mixed = mixed.wrapping_mul(69_069).wrapping_add(907_133_923);
    let hash = if mixed == u64::MAX { 590_923_713 } else { mixed };
    s.hash.store(hash, Ordering::Relaxed);
    hash as i64
}
