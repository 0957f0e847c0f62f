//! Dicts and sets with arbitrary keys: runs `__hash__` and `__eq__` between the steps of a search.
//! Must not know the tables' layout, nor methods and their error texts.
//!
//! Mini code may change the container while it is being searched: after each call the search checks that the table
//! is still the container's, and starts again if not.

use super::thread::Thread;
use crate::object::layout::{Dict, Set, SetTable, Table};
use crate::object::{R, Value, Word};
use crate::object::{dict, intern, key, set, shape, str as text, table};

/// Where a search of a dict has ended.
enum Spot {
    At(&'static Table, usize),
    /// Not there, while the table had so many entries.
    Absent(&'static Table, usize),
}

/// The key that this thread has last found in a plain dict: `if k in d: d[k] = d[k] + 1` looks for one key three times. Strings
/// and other keys that need no Mini code. An entry belongs to its key for as long as there is its table. Whoever collects
/// makes it forgotten, for addresses are used again then.
#[derive(Default)]
pub struct LastFound {
    /// Addresses; 0: none.
    table: usize,
    key: u64,
    entry: Option<(usize, &'static table::Entry)>,
}

impl LastFound {
    /// Number and value of the key's entry, if it is the one that was found last and is still there.
    #[inline(always)]
    fn get(&self, t: &'static Table, key: Value) -> Option<(usize, Value)> {
        if self.key != key.bits() || self.table != std::ptr::from_ref(t).addr() {
            return None;
        }
        let (number, entry) = self.entry?;
        Some((number, entry.value.get()?))
    }

    #[inline(always)]
    fn set(&mut self, t: &'static Table, key: Value, number: usize, entry: &'static table::Entry) {
        *self =
            LastFound { table: std::ptr::from_ref(t).addr(), key: key.bits(), entry: Some((number, entry)) };
    }
}

/// The key other than a string or a small int that this thread has last hashed without Mini code, and its hash: `if k not in s`
/// is followed by `s.add(k)`, and a tuple does not remember its hash. Forgotten as `LastFound` is.
#[derive(Default)]
pub struct LastHashed {
    key: u64,
    hash: i64,
}

impl LastHashed {
    #[inline(always)]
    fn is(&self, key: Value) -> bool {
        self.key == key.bits()
    }
}

#[inline(always)]
fn find(th: &mut Thread, d: &'static Dict, key: Value, hash: i64) -> R<Spot> {
    let t = dict::table(d);
    let seen = table::used(t);
    if let Some((entry, _)) = th.last_found.get(t, key) {
        return Ok(Spot::At(t, entry));
    }
    match dict::search(t, hash, key) {
        table::Search::At(number, entry) => {
            if (key::exact_str(key).is_some() || th.last_hashed.is(key)) && dict::is_plain(d) {
                th.last_found.set(t, key, number, entry);
            }
            Ok(Spot::At(t, number))
        }
        table::Search::Absent => Ok(Spot::Absent(t, seen)),
        table::Search::Unsure(..) => find_by_asking(th, d, key, hash),
    }
}

/// As `find`, where Mini code may have to say whether two keys are equal.
#[cold]
#[inline(never)]
fn find_by_asking(th: &mut Thread, d: &'static Dict, key: Value, hash: i64) -> R<Spot> {
    'again: loop {
        let t = dict::table(d);
        let seen = table::used(t);
        let mut probe = table::probe(t, hash);
        loop {
            match dict::look(&mut probe, key) {
                dict::Look::Found(entry) => return Ok(Spot::At(t, entry)),
                dict::Look::Absent => return Ok(Spot::Absent(t, seen)),
                dict::Look::Ask(entry, candidate) => {
                    let equal = th.eq(candidate, key)?;
                    if !std::ptr::eq(dict::table(d), t) {
                        continue 'again;
                    }
                    if equal && table::entry(t, entry).is_some_and(|e| e.key.get() == Some(candidate)) {
                        return Ok(Spot::At(t, entry));
                    }
                }
            }
        }
    }
}

/// The attribute name that a key of a window stands for.
fn attribute(th: &mut Thread, key: Value) -> R<Word> {
    if text::view(key).is_none() { Ok(None) } else { intern::intern_value(th, key).map(Some) }
}

/// The value under a key whose hash is known.
#[inline]
pub fn get_hashed(th: &mut Thread, d: &'static Dict, key: Value, hash: i64) -> R<Word> {
    if let Some(object) = dict::window(d) {
        return Ok(attribute(th, key)?.and_then(|name| shape::get(object, name)));
    }
    match find(th, d, key, hash)? {
        Spot::At(t, entry) => Ok(dict::value_at(d, t, entry)),
        Spot::Absent(..) => Ok(None),
    }
}

/// As `get_hashed`, of a key whose hash is not known.
#[inline(never)]
fn get_other(th: &mut Thread, d: &'static Dict, key: Value) -> R<Word> {
    let hash = th.hash_key(key)?;
    if dict::window(d).is_none() {
        let t = dict::table(d);
        match dict::search(t, hash, key) {
            table::Search::At(number, entry) => {
                if th.last_hashed.is(key) && dict::is_plain(d) {
                    th.last_found.set(t, key, number, entry);
                }
                return Ok(dict::value_of(d, entry));
            }
            table::Search::Absent => return Ok(None),
            table::Search::Unsure(..) => {}
        }
    }
    get_hashed(th, d, key, hash)
}

/// Sets the value under a key whose hash is known.
pub fn set_hashed(th: &mut Thread, d: &'static Dict, key: Value, hash: i64, v: Value) -> R<()> {
    if dict::window(d).is_some() && text::view(key).is_some() {
        return dict::insert_str(th, dict::value(d), key, v);
    }
    loop {
        let done = match find(th, d, key, hash)? {
            Spot::At(t, entry) => dict::replace(th, d, t, entry, v),
            Spot::Absent(t, seen) => dict::insert(th, d, t, seen, hash, key, v)?,
        };
        if done {
            return Ok(());
        }
    }
}

/// The value under a key, which is `v` from now on if it was absent.
pub fn set_default(th: &mut Thread, d: &'static Dict, key: Value, v: Value) -> R {
    let hash = th.hash_key(key)?;
    if dict::window(d).is_some() {
        if let Some(now) = get_hashed(th, d, key, hash)? {
            return Ok(now);
        }
        return set_hashed(th, d, key, hash, v).map(|()| v);
    }
    loop {
        match find(th, d, key, hash)? {
            Spot::At(t, entry) => match dict::value_at(d, t, entry) {
                Some(now) => return Ok(now),
                // A namespace keeps the cells of deleted names.
                None if dict::replace(th, d, t, entry, v) => return Ok(v),
                None => {}
            },
            Spot::Absent(t, seen) => {
                if dict::insert(th, d, t, seen, hash, key, v)? {
                    return Ok(v);
                }
            }
        }
    }
}

/// Removes a key, and returns its value; `None` if it was absent.
pub fn remove(th: &mut Thread, d: &'static Dict, key: Value) -> R<Word> {
    let hash = th.hash_key(key)?;
    Ok(take_hashed(th, d, key, hash)?.map(|(_, v)| v))
}

/// Removes a key whose hash is known, and returns the equal one that was in the dict, with its value.
pub fn take_hashed(th: &mut Thread, d: &'static Dict, key: Value, hash: i64) -> R<Option<(Value, Value)>> {
    if dict::window(d).is_some() {
        let name = attribute(th, key)?;
        return Ok(name.and_then(|name| Some((name, dict::remove_str(th, dict::value(d), name)?))));
    }
    loop {
        match find(th, d, key, hash)? {
            Spot::At(t, entry) => {
                let kept = table::entry(t, entry).and_then(|e| e.key.get()).unwrap_or(key);
                if let Some(old) = dict::remove(th, d, t, entry) {
                    return Ok(old.map(|v| (kept, v)));
                }
            }
            Spot::Absent(..) => return Ok(None),
        }
    }
}

/// Where a search of a set has ended.
enum Place {
    /// Entry, and the key in it.
    At(&'static SetTable, usize, Value),
    /// Not there, while the table's count of changes was this.
    Absent(&'static SetTable, u32),
}

#[inline(always)]
fn find_element(th: &mut Thread, s: &'static Set, key: Value, hash: i64) -> R<Place> {
    let t = set::table(s);
    let seen = set::changes(t);
    match set::first_look(t, hash, key) {
        Some(set::Look::Found(entry, now)) => Ok(Place::At(t, entry, now)),
        Some(set::Look::Absent) => Ok(Place::Absent(t, seen)),
        _ => find_further(th, s, key, hash),
    }
}

#[inline(never)]
fn find_further(th: &mut Thread, s: &'static Set, key: Value, hash: i64) -> R<Place> {
    'again: loop {
        let t = set::table(s);
        let seen = set::changes(t);
        let mut probe = set::probe(t, hash);
        loop {
            match set::look(&mut probe, key) {
                set::Look::Found(entry, now) => return Ok(Place::At(t, entry, now)),
                set::Look::Absent => return Ok(Place::Absent(t, seen)),
                set::Look::Ask(entry, candidate) => {
                    let equal = th.eq(candidate, key)?;
                    if !std::ptr::eq(set::table(s), t) {
                        continue 'again;
                    }
                    if equal {
                        return Ok(Place::At(t, entry, candidate));
                    }
                }
            }
        }
    }
}

/// Whether an element whose hash is known is in the set.
#[inline]
pub fn contains_hashed(th: &mut Thread, s: &'static Set, key: Value, hash: i64) -> R<bool> {
    Ok(matches!(find_element(th, s, key, hash)?, Place::At(..)))
}

/// Adds an element whose hash is known; false if it was there.
#[inline]
pub fn add_hashed(th: &mut Thread, s: &'static Set, key: Value, hash: i64) -> R<bool> {
    loop {
        match find_element(th, s, key, hash)? {
            Place::At(..) => return Ok(false),
            Place::Absent(t, seen) => {
                if set::insert(th, s, t, seen, hash, key)? {
                    return Ok(true);
                }
            }
        }
    }
}

/// Removes an element whose hash is known; false if it was not there.
pub fn discard_hashed(th: &mut Thread, s: &'static Set, key: Value, hash: i64) -> R<bool> {
    loop {
        match find_element(th, s, key, hash)? {
            Place::At(t, entry, now) => {
                if set::remove(th, s, t, entry, now) {
                    return Ok(true);
                }
            }
            Place::Absent(..) => return Ok(false),
        }
    }
}

impl Thread {
    /// The hash of a dict key or set element.
    #[inline]
    pub fn hash_key(&mut self, key: Value) -> R<i64> {
        match self.plain_hash(key) {
            Some(hash) => Ok(hash),
            None => self.hash(key),
        }
    }

    /// As `hash_key`, of a key that needs no Mini code; `None` of others.
    #[inline]
    pub fn plain_hash(&mut self, key: Value) -> Option<i64> {
        if let Some(n) = key.as_small() {
            return Some(key::small_hash(n));
        }
        if let Some(s) = key::exact_str(key) {
            return Some(text::hash(s));
        }
        if self.last_hashed.is(key) {
            return Some(self.last_hashed.hash);
        }
        let hash = key::hash(key)?;
        self.last_hashed = LastHashed { key: key.bits(), hash };
        Some(hash)
    }

    /// The value under `key` of a dict; EMPTY if it is absent.
    #[inline]
    pub fn dict_get(&mut self, dict: Value, key: Value) -> R<Word> {
        let Some(d) = dict::of(dict) else { return Ok(None) };
        let t = dict::table(d);
        if let Some((_, v)) = self.last_found.get(t, key) {
            return Ok(Some(v));
        }
        let found = if let Some(n) = key.as_small() {
            dict::search_small(t, key, n)
        } else if let Some(s) = key::exact_str(key)
            && dict::window(d).is_none()
        {
            match dict::search_str(t, key, s) {
                table::Search::At(number, entry) if !dict::is_namespace(d) => {
                    self.last_found.set(t, key, number, entry);
                    return Ok(entry.value.get());
                }
                found => found,
            }
        } else {
            return get_other(self, d, key);
        };
        match found {
            table::Search::At(_, entry) => Ok(dict::value_of(d, entry)),
            table::Search::Absent => Ok(None),
            table::Search::Unsure(..) => get_other(self, d, key),
        }
    }

    /// `dict[key] = v`.
    #[inline]
    pub fn dict_set(&mut self, dict: Value, key: Value, v: Value) -> R<()> {
        let Some(d) = dict::of(dict) else { return Ok(()) };
        let t = dict::table(d);
        if let Some((entry, _)) = self.last_found.get(t, key)
            && dict::replace(&mut self.m, d, t, entry, v)
        {
            return Ok(());
        }
        let hash = match key.as_small() {
            Some(n) => key::small_hash(n),
            None => self.hash_key(key)?,
        };
        set_hashed(self, d, key, hash, v)
    }

    /// Removes `key`, and returns its value; EMPTY if it was absent.
    pub fn dict_del(&mut self, dict: Value, key: Value) -> R<Word> {
        match dict::of(dict) {
            Some(d) => remove(self, d, key),
            None => Ok(None),
        }
    }

    /// Adds to a set (or to a frozenset in the making).
    #[inline]
    pub fn set_add(&mut self, set: Value, key: Value) -> R<bool> {
        let Some(s) = set::of(set) else { return Ok(false) };
        let hash = self.hash_key(key)?;
        add_hashed(self, s, key, hash)
    }

    /// Whether `key` is in a set.
    #[inline]
    pub fn set_contains(&mut self, set: Value, key: Value) -> R<bool> {
        let Some(s) = set::of(set) else { return Ok(false) };
        let hash = self.hash_key(key)?;
        contains_hashed(self, s, key, hash)
    }

    /// Removes from a set; false if it was not there.
    pub fn set_discard(&mut self, set: Value, key: Value) -> R<bool> {
        let Some(s) = set::of(set) else { return Ok(false) };
        let hash = self.hash_key(key)?;
        discard_hashed(self, s, key, hash)
    }
}
