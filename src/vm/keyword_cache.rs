//! Which parameters the names of a call with keywords are for, by the names and the callee's code.
//! Must not know how arguments are moved (`bind.rs`).

use super::touched::Touched;
use crate::object::Value;

/// Keyword arguments of a call that is remembered.
pub const FEW: usize = 6;

const ENTRIES: usize = 64;

/// The numbers of the parameters, in the order of the names.
pub type Places = [u8; FEW];

#[derive(Clone, Copy)]
struct Entry {
    /// The tuple of the names, and the code; 0: nothing yet.
    names: u64,
    code: u64,
    /// Positional arguments before them.
    positional: u32,
    places: Places,
}

const FREE: Entry = Entry { names: 0, code: 0, positional: 0, places: [0; FEW] };

/// Direct-mapped; emptied at every collection, when addresses may come to mean something else.
pub struct KeywordCache {
    entries: Box<[Entry; ENTRIES]>,
    touched: Touched,
}

impl KeywordCache {
    pub fn new() -> KeywordCache {
        KeywordCache { entries: Box::new([FREE; ENTRIES]), touched: Touched::new() }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.touched.clear(&mut *self.entries, FREE);
    }

    /// Where the arguments of these names go in a call of this code with so many positional arguments.
    #[inline(always)]
    pub fn find(&self, names: Value, code: Value, positional: usize) -> Option<&Places> {
        let entry = &self.entries[slot(names, code)];
        let same = entry.names == names.bits()
            && entry.code == code.bits()
            && entry.positional as usize == positional;
        same.then_some(&entry.places)
    }

    /// Remembers that.
    pub fn note(&mut self, names: Value, code: Value, positional: usize, places: Places) {
        let entry = Entry { names: names.bits(), code: code.bits(), positional: positional as u32, places };
        let at = slot(names, code);
        self.entries[at] = entry;
        self.touched.note(at);
    }
}

#[inline(always)]
fn slot(names: Value, code: Value) -> usize {
    (names.bits() >> 4 ^ names.bits() >> 10 ^ code.bits() >> 5) as usize % ENTRIES
}

impl Default for KeywordCache {
    fn default() -> Self {
        Self::new()
    }
}
