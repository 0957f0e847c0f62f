//! Dicts: a table behind one word. Finds keys without running Mini code, and says when it would have to.
//! Three flavours: plain; a namespace, whose values are Cells; a window, which shows the attributes of an object.
//! Must not know how arbitrary keys are hashed and compared (`vm::hashing` drives that), nor error texts.
//!
//! Readers take no lock. A writer finds its entry first, then acts under a guard on the table it has seen; when that is
//! no longer the dict's table, it is told so and looks again.

use super::error::R;
use super::header::{Kind, Slot, flag};
use super::intern;
use super::key;
use super::layout::{Cell, Dict, Str, Table};
use super::mutator::Mutator;
use super::shape;
use super::str as text;
use super::sync;
use super::table::{self, Probe, Scratch};
use super::types;
use super::value::{Value, Word};
use smallvec::SmallVec;
use std::sync::atomic::Ordering;

/// `v` as a dict.
#[inline(always)]
pub fn of(v: Value) -> Option<&'static Dict> {
    types::cast::<Dict>(v)
}

/// The value of a dict.
#[inline(always)]
pub fn value(d: &Dict) -> Value {
    Value::from_addr(std::ptr::from_ref(d) as usize)
}

/// The current table. A window on attributes has none, nor has a bare dict: they look empty here.
#[inline(always)]
pub fn table(d: &Dict) -> &'static Table {
    types::cast::<Table>(d.table.value()).unwrap_or_else(table::none)
}

/// Whether the values are Cells: a module's or a class's namespace.
#[inline(always)]
pub fn is_namespace(d: &Dict) -> bool {
    d.hdr.flags.load(Ordering::Relaxed) & flag::CELLS != 0
}

/// The object whose attributes this dict shows (`obj.__dict__`).
#[inline]
pub fn window(d: &Dict) -> Word {
    if d.hdr.flags.load(Ordering::Relaxed) & flag::ATTRS == 0 { None } else { d.table.get() }
}

/// An empty dict with room for `entries`.
pub fn new(m: &mut Mutator, entries: usize) -> R<&'static Dict> {
    let t = table::new(m, entries)?;
    with_table(m, t)
}

fn with_table(m: &mut Mutator, t: &'static Table) -> R<&'static Dict> {
    with_table_as(m, t, types::root_shape(Kind::Dict), 0)
}

/// An empty dict of a class derived from `dict`, with `extra` words behind the struct (see `subclass`).
pub fn new_empty_as(m: &mut Mutator, shape: u32, extra: usize) -> R<&'static Dict> {
    let t = table::new(m, 0)?;
    with_table_as(m, t, shape, extra)
}

fn with_table_as(m: &mut Mutator, t: &'static Table, shape: u32, extra: usize) -> R<&'static Dict> {
    let d = m.alloc_as::<Dict>(Kind::Dict, shape, extra * 8)?;
    // SAFETY: the cell is ours alone; this writes its only word behind the header.
    unsafe {
        (&raw mut (*d).table).write(Slot::new(table::value(t)));
        Ok(&*d)
    }
}

impl Mutator {
    /// An empty dict.
    pub fn new_dict(&mut self) -> R {
        new(self, 0).map(value)
    }

    /// An empty dict that is likely to stay so: it gets a table with its first entry.
    pub fn new_bare_dict(&mut self) -> R {
        let d = with_table(self, table::none())?;
        d.table.clear();
        Ok(value(d))
    }

    /// An empty dict with room for `entries`.
    pub fn new_dict_with_capacity(&mut self, entries: usize) -> R {
        new(self, entries).map(value)
    }
}

/// An empty namespace: a dict whose values are Cells.
pub fn new_namespace(m: &mut Mutator) -> R {
    let d = new(m, 0)?;
    d.hdr.flags.fetch_or(flag::CELLS, Ordering::Release);
    Ok(value(d))
}

/// Number of items.
#[inline]
pub fn len(d: &Dict) -> usize {
    if let Some(object) = window(d) {
        return shape::shown(object).len();
    }
    let t = table(d);
    if !is_namespace(d) {
        return table::live(t);
    }
    (0..table::used(t)).filter(|i| value_at(d, t, *i).is_some()).count()
}

/// Changes when an iterator must notice that items came or went.
#[inline]
pub fn stamp(d: &Dict) -> usize {
    if let Some(object) = window(d) {
        return shape::of(types::hdr(object)).count as usize;
    }
    let t = table(d);
    if is_namespace(d) { table::used(t) } else { table::live(t) }
}

/// The cell behind a namespace's value word.
#[inline]
fn cell(v: Value) -> Option<&'static Cell> {
    types::cast::<Cell>(v)
}

/// The value of an entry; `None` if it has been deleted.
#[inline(always)]
pub fn value_at(d: &Dict, t: &'static Table, entry: usize) -> Word {
    value_of(d, table::entry(t, entry)?)
}

/// What a step of a search has come to.
pub enum Look {
    /// The key is in this entry.
    Found(usize),
    Absent,
    /// This entry's key may be equal: only Mini code can tell.
    Ask(usize, Value),
}

/// Goes on with a search until it is decided or needs an answer; after a `no` to `Ask`, call it again.
#[inline]
pub fn look(probe: &mut Probe, wanted: Value) -> Look {
    for (entry, candidate) in probe {
        match key::eq(candidate, wanted) {
            Some(true) => return Look::Found(entry),
            Some(false) => {}
            None => return Look::Ask(entry, candidate),
        }
    }
    Look::Absent
}

/// The entry of a str key. Keys whose comparison would need Mini code are no str, and are passed over.
#[inline]
fn entry_of_str(t: &'static Table, name: Value) -> Option<usize> {
    let name_text = text::view(name)?;
    table::probe(t, text::hash(name_text))
        .find(|(_, candidate)| {
            *candidate == name || text::view(*candidate).is_some_and(|c| text::eq(c, name_text))
        })
        .map(|(entry, _)| entry)
}

/// The search for a key that is a plain string; `Unsure` where a key that is none may be equal.
#[inline(always)]
pub fn search_str(t: &'static Table, wanted: Value, wanted_text: &Str) -> table::Search {
    table::search(t, text::hash(wanted_text), |candidate| {
        if candidate == wanted {
            return Some(true);
        }
        key::exact_str(candidate).map(|c| text::eq(c, wanted_text))
    })
}

/// The search for a small int; `Unsure` where a key that is none may be equal.
#[inline(always)]
pub fn search_small(t: &'static Table, wanted: Value, n: i64) -> table::Search {
    table::search(t, key::small_hash(n), |candidate| {
        if candidate == wanted {
            return Some(true);
        }
        if candidate.is_small_int() { Some(false) } else { None }
    })
}

/// The search for a key with this hash; `Unsure` where only Mini code can tell.
#[inline(always)]
pub fn search(t: &'static Table, hash: i64, wanted: Value) -> table::Search {
    table::search(t, hash, |candidate| key::eq(candidate, wanted))
}

/// The value of an entry that a search has found; `None` if it has been deleted.
#[inline(always)]
pub fn value_of(d: &Dict, entry: &table::Entry) -> Word {
    let v = entry.value.get()?;
    if is_namespace(d) { cell(v)?.value.get() } else { Some(v) }
}

/// The entry of a small int key; `None` if it is absent or if a key of another type has its hash.
#[inline]
pub fn entry_of_small(t: &'static Table, key: Value) -> Option<usize> {
    let hash = key::small_hash(key.as_small()?);
    table::probe(t, hash).find(|(_, candidate)| *candidate == key).map(|(entry, _)| entry)
}

/// The value under a str key (an interned one, if the dict is a window).
#[inline]
pub fn find_str(dict: Value, name: Value) -> Word {
    let d = of(dict)?;
    if let Some(object) = window(d) {
        return shape::get(object, name);
    }
    let t = table(d);
    value_at(d, t, entry_of_str(t, name)?)
}

/// The cell of a name in a namespace; it may be EMPTY.
#[inline]
pub fn find_cell(dict: Value, name: Value) -> Option<&'static Cell> {
    let t = table(of(dict)?);
    cell(table::entry(t, entry_of_str(t, name)?)?.value.get()?)
}

/// The cell of a name in a namespace; an EMPTY one is added if there is none.
pub fn cell_for(m: &mut Mutator, dict: Value, name: Value) -> R {
    let Some(d) = of(dict) else { return new_cell(m, name, None) };
    let hash = text::view(name).map_or(0, text::hash);
    loop {
        let t = table(d);
        let seen = table::used(t);
        if let Some(found) = find_cell(dict, name) {
            return Ok(Value::from_addr(std::ptr::from_ref(found) as usize));
        }
        let fresh = new_cell(m, name, None)?;
        insert_word(m, d, t, seen, hash, name, fresh)?;
    }
}

fn new_cell(m: &mut Mutator, name: Value, value: Word) -> R {
    let c = m.alloc::<Cell>(0)?;
    // SAFETY: the cell is ours alone; this writes its three words behind the header.
    unsafe {
        (&raw mut (*c).value).write(Slot::empty());
        (&raw mut (*c).fallback).write(Slot::empty());
        (&raw mut (*c).name).write(Slot::new(name));
        (*c).value.set_word(value);
    }
    Ok(Value::from_addr(c as usize))
}

/// Sets the value under a str key.
pub fn insert_str(m: &mut Mutator, dict: Value, name: Value, v: Value) -> R<()> {
    let Some(d) = of(dict) else { return Ok(()) };
    if let Some(object) = window(d) {
        let name = intern::intern_value(m, name)?;
        return shape::set(m, object, name, v).map(drop);
    }
    let hash = text::view(name).map_or(0, text::hash);
    loop {
        let t = table(d);
        let seen = table::used(t);
        let done = match entry_of_str(t, name) {
            Some(entry) => replace(m, d, t, entry, v),
            None => insert(m, d, t, seen, hash, name, v)?,
        };
        if done {
            return Ok(());
        }
    }
}

/// Adds a str key that a dict which nobody else knows does not have.
pub fn add_str(m: &mut Mutator, dict: Value, name: Value, v: Value) -> R<()> {
    let hash = text::view(name).map_or(0, text::hash);
    match of(dict) {
        Some(d) if table::add(table(d), hash, name, v) => Ok(()),
        _ => insert_str(m, dict, name, v),
    }
}

/// Removes a str key, and returns its value.
pub fn remove_str(m: &mut Mutator, dict: Value, name: Value) -> Word {
    let d = of(dict)?;
    if let Some(object) = window(d) {
        let old = shape::get(object, name)?;
        return shape::delete(m, object, name).ok()?.then_some(old);
    }
    loop {
        let t = table(d);
        let entry = entry_of_str(t, name)?;
        if let Some(old) = remove(m, d, t, entry) {
            return old;
        }
    }
}

/// Whether `t` still is the dict's table and `entry` still alive. The caller holds a guard.
#[inline]
fn is_current(d: &Dict, t: &'static Table, entry: usize) -> bool {
    std::ptr::eq(table(d), t) && table::entry(t, entry).is_some_and(|e| e.key.get() != Some(Value::DELETED))
}

/// Sets the value of an entry that has just been found in `t`; false: look again.
#[inline(always)]
pub fn replace(m: &mut Mutator, d: &'static Dict, t: &'static Table, entry: usize, v: Value) -> bool {
    // With nobody to guard against, what has been found is still so.
    if !m.free
        && is_plain(d)
        && let Some(e) = table::entry(t, entry)
    {
        e.value.set(v);
        return true;
    }
    replace_guarded(m, d, t, entry, v)
}

#[inline(never)]
fn replace_guarded(m: &mut Mutator, d: &'static Dict, t: &'static Table, entry: usize, v: Value) -> bool {
    if is_namespace(d) {
        // Cells never leave a namespace, so their words need no guard.
        let found = table::entry(t, entry).and_then(|e| cell(e.value.get()?));
        return found.map(|c| c.value.set(v)).is_some();
    }
    let store = || is_current(d, t, entry) && table::entry(t, entry).map(|e| e.value.set(v)).is_some();
    if let Some(_guard) = sync::in_place(m, &d.hdr) {
        return store();
    }
    let _guard = sync::locked(m, &d.hdr);
    store()
}

/// Adds a key that a search of `t` has not found while `t` had `seen` entries; false: look again.
pub fn insert(
    m: &mut Mutator,
    d: &'static Dict,
    t: &'static Table,
    seen: usize,
    hash: i64,
    key: Value,
    v: Value,
) -> R<bool> {
    let word = if is_namespace(d) { new_cell(m, key, Some(v))? } else { v };
    insert_word(m, d, t, seen, hash, key, word)
}

#[inline]
fn insert_word(
    m: &mut Mutator,
    d: &'static Dict,
    t: &'static Table,
    seen: usize,
    hash: i64,
    key: Value,
    word: Value,
) -> R<bool> {
    if std::ptr::eq(t, table::none()) && window(d).is_some() {
        return Err(m.type_error("the keys of an object's attributes must be strings"));
    }
    if table::is_full(t) {
        rebuild(m, d, t, table::live(t).saturating_mul(2))?;
        return Ok(false);
    }
    // Writers in place touch entries that are there already, so the lock alone is enough.
    let _guard = sync::locked(m, &d.hdr);
    Ok(std::ptr::eq(table(d), t) && table::used(t) == seen && table::add(t, hash, key, word))
}

/// Gives the dict a new table with room for `entries`, without tombstones, unless `t` is no longer its table.
#[cold]
#[inline(never)]
fn rebuild(m: &mut Mutator, d: &'static Dict, t: &'static Table, entries: usize) -> R<()> {
    let fresh = table::new(m, entries)?;
    let mut scratch = Scratch::new(t);
    let _guard = sync::structural(m, &d.hdr);
    if std::ptr::eq(table(d), t) && table::copy_live(t, fresh, &mut scratch) {
        d.table.set(table::value(fresh));
    }
    Ok(())
}

/// Removes an entry that has been found in `t`. `None`: look again. `Some(None)`: it was gone already.
pub fn remove(m: &mut Mutator, d: &'static Dict, t: &'static Table, entry: usize) -> Option<Word> {
    if is_namespace(d) {
        return Some(table::entry(t, entry).and_then(|e| cell(e.value.get()?)?.value.swap(None)));
    }
    let _guard = sync::structural(m, &d.hdr);
    std::ptr::eq(table(d), t).then(|| table::remove(t, entry))
}

/// Whether this is no namespace and no window: its entries are its items.
#[inline(always)]
pub fn is_plain(d: &Dict) -> bool {
    d.hdr.flags.load(Ordering::Relaxed) & (flag::CELLS | flag::ATTRS) == 0
}

/// As `next_entry`, of the table of a plain dict.
#[inline(always)]
pub fn next_in_table(t: &'static Table, at: usize) -> Option<(usize, Value, Value)> {
    let mut i = if at == 0 { table::first(t) } else { at };
    while let Some(e) = table::entry(t, i) {
        i += 1;
        if let (Some(key), Some(v)) = (e.key.get(), e.value.get())
            && key != Value::DELETED
        {
            return Some((i, key, v));
        }
    }
    None
}

/// The first item at or behind position `at`: the position behind it, its key and value.
#[inline]
pub fn next_entry(d: &Dict, at: usize) -> Option<(usize, Value, Value)> {
    if let Some(object) = window(d) {
        return shape::shown_from(object, at);
    }
    let t = table(d);
    if !is_namespace(d) {
        return next_in_table(t, at);
    }
    let mut i = at;
    while let Some(e) = table::entry(t, i) {
        let key = e.key.get().filter(|k| *k != Value::DELETED);
        if let (Some(key), Some(v)) = (key, value_at(d, t, i)) {
            return Some((i + 1, key, v));
        }
        i += 1;
    }
    None
}

/// As `next_entry`, for a walk over all entries of one dict.
#[inline(always)]
pub fn steps(d: &'static Dict) -> impl Fn(usize) -> Option<(usize, Value, Value)> {
    let (table, plain) = (table(d), is_plain(d));
    move |at| if plain { next_in_table(table, at) } else { next_entry(d, at) }
}

/// Keys and values, as calls take their keyword arguments. The dict keeps them alive: the collector does not see many.
pub type Entries = SmallVec<[(Value, Value); 8]>;

/// The items of a dict; of anything else none.
pub fn entries(v: Value) -> Entries {
    let Some(d) = of(v) else { return Entries::new() };
    let mut found = Entries::with_capacity(len(d));
    let mut at = 0;
    while let Some((next, key, value)) = next_entry(d, at) {
        found.push((key, value));
        at = next;
    }
    found
}

/// The last item before position `before`: its position, key and value.
pub fn previous_entry(d: &Dict, before: usize) -> Option<(usize, Value, Value)> {
    if let Some(object) = window(d) {
        let all = shape::shown(object);
        let (i, (name, v)) = all.iter().enumerate().take(before).next_back()?;
        return Some((i, *name, *v));
    }
    let t = table(d);
    (0..before.min(table::used(t))).rev().find_map(|i| {
        let key = table::entry(t, i)?.key.get().filter(|k| *k != Value::DELETED)?;
        Some((i, key, value_at(d, t, i)?))
    })
}

/// Removes the last item, and returns it.
pub fn pop_last(m: &mut Mutator, d: &'static Dict) -> R<Option<(Value, Value)>> {
    if let Some(object) = window(d) {
        let Some((name, v)) = shape::shown(object).pop() else { return Ok(None) };
        return Ok(shape::delete(m, object, name)?.then_some((name, v)));
    }
    loop {
        let t = table(d);
        let (used, live) = (table::used(t), table::live(t));
        if used > 2 * live + 16 && !is_namespace(d) {
            // Without this, popping from behind many tombstones would search them again and again.
            rebuild(m, d, t, live)?;
            continue;
        }
        let Some((entry, key, _)) = previous_entry(d, used) else { return Ok(None) };
        if let Some(Some(v)) = remove(m, d, t, entry) {
            return Ok(Some((key, v)));
        }
    }
}

/// Removes all items.
pub fn clear(m: &mut Mutator, d: &'static Dict) -> R<()> {
    if let Some(object) = window(d) {
        return shape::shown(object)
            .iter()
            .try_for_each(|(name, _)| shape::delete(m, object, *name).map(drop));
    }
    if is_namespace(d) {
        let t = table(d);
        (0..table::used(t)).for_each(|i| {
            remove(m, d, t, i);
        });
        return Ok(());
    }
    let fresh = table::new(m, 0)?;
    let _guard = sync::structural(m, &d.hdr);
    d.table.set(table::value(fresh));
    Ok(())
}

/// A plain dict with the same items.
pub fn copy(m: &mut Mutator, d: &'static Dict) -> R<&'static Dict> {
    if let Some(object) = window(d) {
        let all = shape::shown(object);
        let plain = new(m, all.len())?;
        all.iter().try_for_each(|(name, v)| insert_str(m, value(plain), *name, *v))?;
        return Ok(plain);
    }
    loop {
        let t = table(d);
        let fresh = table::new(m, table::live(t))?;
        let mut scratch = Scratch::new(t);
        let copied = {
            let _guard = sync::structural(m, &d.hdr);
            std::ptr::eq(table(d), t) && table::copy_live(t, fresh, &mut scratch)
        };
        if copied {
            if is_namespace(d) {
                open_cells(fresh);
            }
            return with_table(m, fresh);
        }
    }
}

/// Gives an empty plain dict a copy of another's table; false, and nothing was done, if it is not empty or not plain.
pub fn fill_empty(m: &mut Mutator, d: &'static Dict, from: &'static Dict) -> R<bool> {
    if !is_plain(d) || table::used(table(d)) > 0 || std::ptr::eq(d, from) || window(from).is_some() {
        return Ok(false);
    }
    let copy = copy(m, from)?;
    let _guard = sync::structural(m, &d.hdr);
    let still_empty = table::used(table(d)) == 0;
    if still_empty {
        d.table.set_word(copy.table.get());
    }
    Ok(still_empty)
}

/// Turns the cells of a private copy of a namespace's table into their values.
fn open_cells(t: &'static Table) {
    for i in 0..table::used(t) {
        let Some(e) = table::entry(t, i) else { break };
        match e.value.get().and_then(cell).and_then(|c| c.value.get()) {
            Some(v) => e.value.set(v),
            None => {
                table::remove(t, i);
            }
        }
    }
}

/// Gives a plain dict the entries of a namespace, and makes it one. Only with the world stopped.
pub fn become_namespace(d: &Dict, namespace: &Dict) {
    d.table.set_word(namespace.table.get());
    d.hdr.flags.fetch_or(flag::CELLS, Ordering::Release);
}
