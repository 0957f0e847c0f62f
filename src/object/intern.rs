//! The intern table: one string object for each name, so that names are compared by identity.
//! Its entries are weak: the collector asks to drop those that nothing else refers to. Must not know who interns what.

use super::header::flag;
use super::mutator::Mutator;
use super::str::{self, hash, hash_bytes, text, view};
use super::{R, Value, Word, heap};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

/// Open addressing with linear probing; at most half full; entries leave only in `retain_interned`, which rebuilds.
struct Shard {
    entries: Vec<Entry>,
    len: usize,
}

/// The bits of a string with some of its hash above them, where no address has any: strings that are not the wanted one
/// are mostly passed by without reading them. 0: free.
type Entry = u64;

const ADDRESS: u64 = (1 << 48) - 1;

/// What stands above the address.
fn mark(hash: u64) -> u64 {
    (hash << 8) & !ADDRESS
}

fn entry(v: Value, hash: u64) -> Entry {
    v.bits() & ADDRESS | mark(hash)
}

fn value(entry: Entry) -> Word {
    Value::from_bits(entry & ADDRESS)
}

const SHARDS: usize = 16;
/// The collector has been told of this table.
static WEAK: Once = Once::new();
static TABLE: [Mutex<Shard>; SHARDS] = [const { Mutex::new(Shard { entries: Vec::new(), len: 0 }) }; SHARDS];

impl Shard {
    fn find(&self, wanted: &str, hash: u64) -> Word {
        let mark = mark(hash);
        let marked = self.probe(hash).take_while(|e| *e != 0).filter(|e| e & !ADDRESS == mark);
        marked.filter_map(value).find(|v| str::as_str(*v) == Some(wanted))
    }

    /// The words from the home place of `hash` on, once round.
    fn probe(&self, hash: u64) -> impl Iterator<Item = Entry> {
        let start = (hash as usize) & self.entries.len().wrapping_sub(1);
        let (before, from) = self.entries.split_at(start.min(self.entries.len()));
        from.iter().chain(before).copied()
    }

    fn insert(&mut self, v: Value, hash: u64) {
        if self.entries.len() <= self.len * 2 {
            let bigger = (self.entries.len() * 2).max(64);
            let old = std::mem::replace(&mut self.entries, vec![0; bigger]);
            old.into_iter()
                .filter_map(value)
                .for_each(|v| self.place(v, view(v).map_or(0, str::hash) as u64));
        }
        self.place(v, hash);
        self.len += 1;
    }

    fn place(&mut self, v: Value, hash: u64) {
        let mask = self.entries.len().wrapping_sub(1);
        let mut at = hash as usize & mask;
        while let Some(slot) = self.entries.get_mut(at) {
            if *slot == 0 {
                *slot = entry(v, hash);
                return;
            }
            at = (at + 1) & mask;
        }
    }

    fn retain(&mut self, alive: &dyn Fn(Value) -> bool) {
        let kept: Vec<Value> = self.entries.iter().copied().filter_map(value).filter(|v| alive(*v)).collect();
        if kept.len() == self.len {
            return;
        }
        self.entries.fill(0);
        self.len = kept.len();
        kept.into_iter().for_each(|v| self.place(v, view(v).map_or(0, str::hash) as u64));
    }
}

/// Held for a look-up only: nothing inside allocates from the heap, runs Mini code or blocks, so no thread can be stopped
/// (for a collection or a fork) while it holds one.
fn shard(hash: u64) -> MutexGuard<'static, Shard> {
    TABLE[(hash >> 60) as usize & (SHARDS - 1)].lock().unwrap_or_else(PoisonError::into_inner)
}

/// The interned string with this text, if there is one: without one, no object and no class has such a name.
pub fn known(text: &str) -> Option<Value> {
    let hash = hash_bytes(text.as_bytes()) as u64;
    shard(hash).find(text, hash)
}

impl Mutator {
    /// The one interned string with this text.
    pub fn intern(&mut self, text: &str) -> R {
        let hash = hash_bytes(text.as_bytes()) as u64;
        let known = shard(hash).find(text, hash);
        match known {
            Some(v) => Ok(v),
            None => {
                let fresh = self.new_str(text)?;
                intern_value(self, fresh)
            }
        }
    }
}

/// Whether a value is an interned string.
#[inline]
pub fn is_interned(v: Value) -> bool {
    view(v).is_some_and(|s| s.hdr.flags.load(Ordering::Relaxed) & flag::INTERNED != 0)
}

/// The interned string equal to the string `v`; `v` itself if it is the first of its text. Other values stay as they are.
pub fn intern_value(m: &mut Mutator, v: Value) -> R {
    let Some(s) = view(v) else { return Ok(v) };
    let flags = s.hdr.flags.load(Ordering::Relaxed);
    if flags & flag::INTERNED != 0 {
        return Ok(v);
    }
    let key = hash(s) as u64;
    // A name lives long: it must not keep a buffer with room to grow, nor be of a class of its own.
    let own = flags & (flag::EXTERNAL | flag::SUBCLASS) != 0;
    let v = if own { m.new_str_parts(&[text(s)])? } else { v };
    let Some(s) = view(v) else { return Ok(v) };
    WEAK.call_once(|| heap::register_weak(retain_interned));
    let mut shard = shard(key);
    if let Some(known) = shard.find(text(s), key) {
        return Ok(known);
    }
    hash(s);
    s.hdr.flags.fetch_or(flag::INTERNED, Ordering::Relaxed);
    shard.insert(v, key);
    Ok(v)
}

/// Collector only, with the world stopped: forgets the entries that are not alive.
pub fn retain_interned(alive: &dyn Fn(Value) -> bool) {
    for shard in &TABLE {
        shard.lock().unwrap_or_else(PoisonError::into_inner).retain(alive);
    }
}

/// Number of interned strings.
pub fn interned() -> usize {
    TABLE.iter().map(|s| s.lock().unwrap_or_else(PoisonError::into_inner).len).sum()
}
