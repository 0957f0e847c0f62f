//! A per-thread cache of class lookups, for the slow paths: (class, name) → cell.
//! Must not know inline caches (`attr.rs`) or what the cells hold.

use crate::object::layout::Cell;
use crate::object::{Value, class};

const ENTRIES: usize = 1024;

#[derive(Clone, Copy)]
struct Entry {
    class: u64,
    name: u64,
    /// 0: the class has no such attribute.
    cell: usize,
}

/// Direct-mapped; emptied when a class changes (`class::epoch`) and at every collection (a dead class's address may
/// be used again).
pub struct LookupCache {
    entries: Box<[Entry; ENTRIES]>,
    epoch: u32,
}

impl LookupCache {
    pub fn new() -> LookupCache {
        LookupCache { entries: Box::new([Entry { class: 0, name: 0, cell: 0 }; ENTRIES]), epoch: 0 }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.fill(Entry { class: 0, name: 0, cell: 0 });
    }

    /// The cell of `name` (interned) along the class's method resolution order, if its value is not EMPTY.
    pub fn find(&mut self, class: Value, name: Value) -> Option<&'static Cell> {
        let epoch = class::epoch();
        if self.epoch != epoch {
            self.clear();
            self.epoch = epoch;
        }
        let hash = (class.bits() >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (name.bits() >> 4);
        let entry = &mut self.entries[(hash ^ hash >> 20) as usize % ENTRIES];
        if entry.class != class.bits() || entry.name != name.bits() {
            let cell = class::find(class, name).map_or(0, |c| std::ptr::from_ref(c).addr());
            *entry = Entry { class: class.bits(), name: name.bits(), cell };
        }
        // SAFETY: the cell is held by its class's namespace; deleting a name from it starts a new epoch.
        unsafe { (entry.cell as *const Cell).as_ref() }
    }
}

impl Default for LookupCache {
    fn default() -> Self {
        Self::new()
    }
}
