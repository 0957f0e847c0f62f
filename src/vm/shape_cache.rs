//! What attribute sites have found, by shape and name: for sites that meet more shapes than their own words remember.
//! Must not know what is done with it; the owner forgets everything whenever a class changes or objects may have died.

use super::touched::Touched;
use crate::object::Value;

/// Each of two entries: with one, two attributes of a hot loop that share it would drive each other out for ever.
const SETS: usize = 512;

/// What a site does with the attribute.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Get,
    Method,
    Set,
    /// As `Set`, by `object.__setattr__`: whatever the class's own says.
    SetPlainly,
}

/// What is known of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Seen {
    /// The word offset of the object's own slot.
    Slot(u32),
    /// The number of a slot outside the object.
    Outside(u32),
    /// The cell of a method, or of a property when it is read.
    Cell(u32),
    /// The shape after the attribute is added.
    Grow(u32),
    /// `__class__`, of which the class says nothing.
    Class,
}

#[derive(Clone, Copy)]
struct Entry {
    /// Shape and access; 0: free, as no shape is 0.
    key: u64,
    name: u64,
    seen: Seen,
}

const FREE: Entry = Entry { key: 0, name: 0, seen: Seen::Slot(0) };

/// Two-way: the newer entry of a set comes first.
pub struct ShapeCache {
    sets: Box<[[Entry; 2]; SETS]>,
    touched: Touched,
    /// So many finds are not noted; see `LookupCache::be_shy`.
    pub shy: u32,
}

impl ShapeCache {
    /// An empty one.
    pub fn new() -> ShapeCache {
        ShapeCache { sets: Box::new([[FREE; 2]; SETS]), touched: Touched::new(), shy: 0 }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.touched.clear(&mut *self.sets, [FREE; 2]);
    }

    #[inline(always)]
    fn place(access: Access, shape: u32, name: Value) -> (u64, usize) {
        let key = (shape as u64) << 2 | access as u64;
        let hash = (key ^ name.bits() >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (key, (hash >> 55) as usize % SETS)
    }

    /// What was found for objects of this shape the last time.
    #[inline(always)]
    pub fn find(&self, access: Access, shape: u32, name: Value) -> Option<Seen> {
        let (key, at) = ShapeCache::place(access, shape, name);
        let is_it = |entry: &&Entry| entry.key == key && entry.name == name.bits();
        let [newer, older] = &self.sets[at];
        Some(newer).filter(is_it).or(Some(older).filter(is_it)).map(|entry| entry.seen)
    }

    /// Remembers it.
    pub fn note(&mut self, access: Access, shape: u32, name: Value, seen: Seen) {
        if self.shy > 0 {
            self.shy -= 1;
            return;
        }
        let (key, at) = ShapeCache::place(access, shape, name);
        let set = &mut self.sets[at];
        if set[0].key != key || set[0].name != name.bits() {
            set[1] = set[0];
        }
        set[0] = Entry { key, name: name.bits(), seen };
        self.touched.note(at);
    }
}

impl Default for ShapeCache {
    fn default() -> ShapeCache {
        ShapeCache::new()
    }
}
