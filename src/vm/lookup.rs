//! A per-thread cache of class lookups, for the slow paths: (class, name) → cell.
//! Must not know inline caches (`attr.rs`) or what the cells hold.

use super::keyword_cache::KeywordCache;
use super::shape_cache::ShapeCache;
use super::touched::Touched;
use super::windows;
use crate::object::layout::Cell;
use crate::object::mutator::Mutator;
use crate::object::{R, Value, Word, class, intern, str};

const ENTRIES: usize = 1024;

#[derive(Clone, Copy)]
struct Entry {
    class: u64,
    name: u64,
    /// 0: the class has no such attribute.
    cell: usize,
}

const NO_ENTRY: Entry = Entry { class: 0, name: 0, cell: 0 };

/// Names that Rust code looks up, by where their text lies.
const NAMES: usize = 128;

/// Special methods that Rust code looks up, by class and by where their name's text lies.
const SPECIALS: usize = 256;

#[derive(Clone, Copy)]
struct Special {
    class: u64,
    /// Address and length of the name's text.
    text: (usize, usize),
    /// 0: the class has no such attribute.
    cell: usize,
}

const FREE: Special = Special { class: 0, text: (0, 0), cell: 0 };

/// What comes behind a class in the order of another one.
const SUPERS: usize = 64;

#[derive(Clone, Copy)]
struct Behind {
    order: u64,
    class: u64,
    name: u64,
    /// 0: no class behind has such an attribute.
    cell: usize,
}

const NOTHING_BEHIND: Behind = Behind { order: 0, class: 0, name: 0, cell: 0 };

/// Names that scripts make while they run (`getattr(x, "visit_" + kind)`), by their hash.
const MADE: usize = 128;

/// Direct-mapped; emptied when a class changes (`class::epoch`) and at every collection (a dead class's address may
/// be used again).
pub struct LookupCache {
    entries: Box<[Entry; ENTRIES]>,
    in_entries: Touched,
    names: Box<[(&'static str, Word); NAMES]>,
    in_names: Touched,
    specials: Box<[Special; SPECIALS]>,
    in_specials: Touched,
    made: Box<[Word; MADE]>,
    in_made: Touched,
    supers: Box<[Behind; SUPERS]>,
    in_supers: Touched,
    shapes: ShapeCache,
    /// Where keyword arguments go.
    keywords: KeywordCache,
    /// The object whose `__dict__` was asked for last, and that dict.
    window: Option<(Value, Value)>,
    epoch: u32,
    shy: u32,
}

/// A new process may end after its first hundred lookups, most of which are at sites that only such processes come to. To
/// note one copies a page, which takes as long as twenty lookups.
const SHY: u32 = 200;

impl LookupCache {
    pub fn new() -> LookupCache {
        LookupCache {
            entries: Box::new([NO_ENTRY; ENTRIES]),
            in_entries: Touched::new(),
            names: Box::new([("", None); NAMES]),
            in_names: Touched::new(),
            specials: Box::new([FREE; SPECIALS]),
            in_specials: Touched::new(),
            made: Box::new([None; MADE]),
            in_made: Touched::new(),
            supers: Box::new([NOTHING_BEHIND; SUPERS]),
            in_supers: Touched::new(),
            shapes: ShapeCache::new(),
            keywords: KeywordCache::new(),
            window: None,
            epoch: 0,
            shy: 0,
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.in_entries.clear(&mut *self.entries, NO_ENTRY);
        self.in_names.clear(&mut *self.names, ("", None));
        self.in_specials.clear(&mut *self.specials, FREE);
        self.in_made.clear(&mut *self.made, None);
        self.in_supers.clear(&mut *self.supers, NOTHING_BEHIND);
        self.shapes.clear();
        self.keywords.clear();
        self.window = None;
    }

    /// In a forked child: what is found is not noted at first, neither here nor at sites, so that pages stay shared.
    pub fn be_shy(&mut self) {
        self.shy = SHY;
        self.shapes.shy = SHY;
    }

    /// Whether to note what was just found.
    #[inline]
    pub(super) fn is_to_be_noted(&mut self) -> bool {
        let shy = self.shy > 0;
        self.shy -= u32::from(shy);
        !shy
    }

    /// The interned string of a name that is written in Rust code: mostly a comparison with the last one from there.
    #[inline]
    pub fn name(&mut self, m: &mut Mutator, text: &'static str) -> R {
        self.renew();
        let key = text.as_ptr().addr();
        let at = (key ^ key >> 7 ^ text.len()) % NAMES;
        if let (known, Some(name)) = self.names[at]
            && std::ptr::eq(known, text)
        {
            return Ok(name);
        }
        let name = m.intern(text)?;
        if self.shy == 0 {
            self.names[at] = (text, Some(name));
            self.in_names.note(at);
        }
        Ok(name)
    }

    /// The interned string equal to a string that a script made; other values stay as they are.
    pub fn made_name(&mut self, m: &mut Mutator, v: Value) -> R {
        let Some(s) = str::view(v).filter(|_| !intern::is_interned(v)) else { return Ok(v) };
        self.renew();
        let at = str::hash(s) as usize % MADE;
        if let Some(name) = self.made[at]
            && str::view(name).is_some_and(|known| str::eq(known, s))
        {
            return Ok(name);
        }
        let name = intern::intern_value(m, v)?;
        self.made[at] = Some(name);
        self.in_made.note(at);
        Ok(name)
    }

    /// `object.__dict__`.
    pub fn window(&mut self, m: &mut Mutator, object: Value) -> R {
        self.renew();
        if let Some((of, window)) = self.window
            && of == object
        {
            return Ok(window);
        }
        let window = windows::of(m, object)?;
        self.window = Some((object, window));
        Ok(window)
    }

    /// Forgets what is out of date by now, as the next lookup would.
    #[inline]
    pub fn renew(&mut self) {
        let epoch = class::epoch();
        if self.epoch != epoch {
            self.begin(epoch);
        }
    }

    #[cold]
    #[inline(never)]
    fn begin(&mut self, epoch: u32) {
        self.clear();
        self.epoch = epoch;
    }

    /// What attribute sites have found, as long as no class has changed.
    #[inline]
    pub fn shapes(&mut self) -> &mut ShapeCache {
        self.renew();
        &mut self.shapes
    }

    /// Where keyword arguments go, as long as no code has died.
    #[inline]
    pub fn keywords(&mut self) -> &mut KeywordCache {
        self.renew();
        &mut self.keywords
    }

    /// As `find`, for a name that is written in Rust code.
    #[inline(always)]
    pub fn find_special(
        &mut self,
        m: &mut Mutator,
        class: Value,
        text: &'static str,
    ) -> Option<&'static Cell> {
        self.renew();
        let key = (text.as_ptr().addr(), text.len());
        let at = (class.bits() as usize >> 4 ^ class.bits() as usize >> 12 ^ key.0 ^ key.0 >> 7) % SPECIALS;
        let entry = &self.specials[at];
        if entry.class == class.bits() && entry.text == key {
            // SAFETY: as in `find`.
            return unsafe { (entry.cell as *const Cell).as_ref() };
        }
        self.find_special_anew(m, class, text, at)
    }

    #[cold]
    #[inline(never)]
    fn find_special_anew(
        &mut self,
        m: &mut Mutator,
        class: Value,
        text: &'static str,
        at: usize,
    ) -> Option<&'static Cell> {
        let name = self.name(m, text).ok()?;
        let cell = self.find(class, name);
        let address = cell.map_or(0, |c| std::ptr::from_ref(c).addr());
        if self.is_to_be_noted() {
            self.specials[at] =
                Special { class: class.bits(), text: (text.as_ptr().addr(), text.len()), cell: address };
            self.in_specials.note(at);
        }
        cell
    }

    /// The cell of `name` (interned) in the classes behind `class` in the order of `order`, for `super`.
    pub fn find_behind(&mut self, order: Value, class: Value, name: Value) -> Option<&'static Cell> {
        self.renew();
        let hash = order.bits() >> 4 ^ class.bits() >> 5 ^ name.bits() >> 6;
        let at = (hash ^ hash >> 8) as usize % SUPERS;
        let entry = &mut self.supers[at];
        let key = (order.bits(), class.bits(), name.bits());
        if (entry.order, entry.class, entry.name) != key {
            let cell = class::find_after(order, class, name).map_or(0, |c| std::ptr::from_ref(c).addr());
            *entry = Behind { order: key.0, class: key.1, name: key.2, cell };
            self.in_supers.note(at);
        }
        // SAFETY: as in `find`.
        unsafe { (entry.cell as *const Cell).as_ref() }
    }

    /// The cell of `name` (interned) along the class's method resolution order, if its value is not EMPTY.
    pub fn find(&mut self, class: Value, name: Value) -> Option<&'static Cell> {
        self.renew();
        let hash = (class.bits() >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (name.bits() >> 4);
        let at = (hash ^ hash >> 20) as usize % ENTRIES;
        let entry = &self.entries[at];
        if entry.class != class.bits() || entry.name != name.bits() {
            let found = class::find(class, name);
            if !self.is_to_be_noted() {
                return found;
            }
            let cell = found.map_or(0, |c| std::ptr::from_ref(c).addr());
            self.entries[at] = Entry { class: class.bits(), name: name.bits(), cell };
            self.in_entries.note(at);
        }
        let entry = &self.entries[at];
        // SAFETY: the cell is held by its class's namespace; deleting a name from it starts a new epoch.
        unsafe { (entry.cell as *const Cell).as_ref() }
    }
}

impl Default for LookupCache {
    fn default() -> Self {
        Self::new()
    }
}
