//! Shapes and attribute slots: where an object keeps attribute `name`, and how it gets a new one.
//! Must not know descriptors, classes' namespaces, or inline caches.
//!
//! A shape never changes once published; an object moves from shape to shape as it gains attributes. Slots never move
//! (they live in the object or in chunks that are never reallocated), so that with the GIL off an in-place store needs
//! no announcement. Deleting an attribute takes the object back to the shape of those that are left, which moves up in
//! their slots: that needs all other threads to stand still (`plan_delete`). `delete` does without, and leaves a hole.
//! Shapes are chains; long ones have an index at every 64th link.

use super::error::R;
use super::header::{Hdr, Slot};
use super::layout::{Chunk, Instance, Shape};
use super::mutator::Mutator;
use super::value::{Value, Word};
use super::{heap, sync, trace, tuple, types};
use std::sync::atomic::Ordering;

/// Attributes in the first overflow chunk; each further chunk holds twice as many.
const FIRST_CHUNK: u64 = 8;
/// Every so many attributes, a shape has an index of the last ones: a search takes so many steps less.
const INDEXED: u32 = 64;
/// Places of an index.
const PLACES: usize = 2 * INDEXED as usize;
/// A class offers at most this many slots inside its instances.
pub const MAX_INLINE: u32 = 24;

/// The shape of a heap object.
#[inline]
pub fn of(hdr: &Hdr) -> &'static Shape {
    from_id(hdr.shape.load(Ordering::Acquire))
}

/// The shape with this compressed reference.
#[inline]
pub fn from_id(id: u32) -> &'static Shape {
    // SAFETY: shape words only ever hold compressed references to Shapes.
    unsafe { &*(heap::expand(id).addr() as *const Shape) }
}

/// A fresh root shape for instances of `class`.
pub fn new_root(m: &mut Mutator, class: Value, inline_cap: u32) -> R {
    new_shape(m, Some(class), None, None, 0, inline_cap.min(MAX_INLINE))
}

fn new_shape(m: &mut Mutator, class: Word, parent: Word, key: Word, count: u32, inline_cap: u32) -> R {
    let p = m.alloc::<Shape>(0)?;
    // SAFETY: freshly allocated, of this size, and not shared yet.
    let shape = unsafe {
        (&raw mut (*p).class).cast::<[u64; 6]>().write([0; 6]);
        (&raw mut (*p).count).write(count);
        (&raw mut (*p).inline_cap).write(inline_cap);
        &*p
    };
    shape.class.set_word(class);
    shape.parent.set_word(parent);
    shape.key.set_word(key);
    Ok(Value::from_addr(p.addr()))
}

/// The slot number of attribute `name` (interned).
pub fn find(shape: &Shape, name: Value) -> Option<u32> {
    let mut at = shape;
    while at.count > 0 {
        if at.key.get() == Some(name) {
            return Some(at.count - 1);
        }
        if at.count.is_multiple_of(INDEXED) {
            return find_indexed(at, name);
        }
        at = types::cast::<Shape>(at.parent.get()?)?;
    }
    None
}

/// As `find`, from a shape on that has an index.
#[cold]
fn find_indexed(shape: &Shape, name: Value) -> Option<u32> {
    let mut at = shape;
    loop {
        let index = tuple::items(at.extra.get()?);
        for place in places(name) {
            let key = index.get(1 + 2 * place)?.value();
            if key == name {
                return u32::try_from(index.get(2 + 2 * place)?.value().as_small()?).ok();
            }
            if key.is_none() {
                break;
            }
        }
        at = types::cast::<Shape>(index.first()?.get()?)?;
    }
}

/// Where a name may be in an index, the likeliest place first.
fn places(name: Value) -> impl Iterator<Item = usize> {
    let hash = (name.bits() >> 4).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 48;
    (0..PLACES).map(move |i| (hash as usize + i) % PLACES)
}

/// The index of a new shape: a tuple of the shape with the index before, or None, and of pairs (name, slot number) or
/// (None, None), placed by the names' hashes.
fn new_index(m: &mut Mutator, shape: &Shape) -> R {
    let mut words = vec![Value::NONE; 1 + 2 * PLACES];
    let mut at = shape;
    for _ in 0..INDEXED {
        let Some(key) = at.key.get() else { break };
        let free = places(key).find(|p| words.get(1 + 2 * p).is_some_and(|w| w.is_none()));
        if let Some(pair) = free.and_then(|p| words.get_mut(1 + 2 * p..3 + 2 * p)) {
            pair.copy_from_slice(&[key, Value::int_unchecked(i64::from(at.count) - 1)]);
        }
        match at.parent.get().and_then(types::cast::<Shape>) {
            Some(parent) => at = parent,
            None => break,
        }
    }
    if at.count > 0 {
        words[0] = Value::from_addr(std::ptr::from_ref(at).addr());
    }
    m.new_tuple(&words)
}

/// Attribute names in order of slot number.
pub fn keys(shape: &Shape) -> Vec<Value> {
    let mut names = Vec::with_capacity(shape.count as usize);
    let mut at = shape;
    while at.count > 0 {
        names.extend(at.key.get());
        match at.parent.get().and_then(types::cast::<Shape>) {
            Some(parent) => at = parent,
            None => break,
        }
    }
    names.reverse();
    names
}

/// The shape that extends `shape` by `name`; made if there is none yet. Two threads may make two: harmless.
fn extend(m: &mut Mutator, shape: &'static Shape, name: Value) -> R<&'static Shape> {
    let mut at = shape.children.get();
    while let Some(child) = at.and_then(types::cast::<Shape>) {
        if child.key.get() == Some(name) {
            return Ok(child);
        }
        at = child.sibling.get();
    }
    let parent = Value::from_addr(std::ptr::from_ref(shape).addr());
    let fresh = new_shape(m, shape.class.get(), Some(parent), Some(name), shape.count + 1, shape.inline_cap)?;
    // SAFETY: new_shape returns a Shape.
    let child = unsafe { &*(fresh.addr() as *const Shape) };
    if child.count.is_multiple_of(INDEXED) {
        child.extra.set(new_index(m, child)?);
    }
    loop {
        let first = shape.children.get();
        child.sibling.set_word(first);
        if shape.children.replace(first, Some(fresh)) {
            return Ok(child);
        }
    }
}

/// The attribute chunk word of an object that can have attributes.
pub fn attrs_word(v: Value) -> Option<&'static Slot> {
    trace::attrs_word(v)
}

/// The slot `n` of an object, if it exists already.
#[inline]
pub fn slot(v: Value, shape: &Shape, n: u32) -> Option<&'static Slot> {
    if n < shape.inline_cap {
        // SAFETY: an object whose shape has `inline_cap` has that many words behind its first two.
        return Some(unsafe { &*(v.addr() as *const Slot).add(2 + n as usize) });
    }
    overflow_slot(attrs_word(v)?, n - shape.inline_cap)
}

fn overflow_slot(attrs: &Slot, n: u32) -> Option<&'static Slot> {
    let mut n = n as u64;
    let mut at = attrs.get();
    while let Some(chunk) = at.and_then(types::cast::<Chunk>) {
        if n < chunk.cap {
            // SAFETY: a chunk has `cap` slots behind its fixed part.
            return Some(unsafe { &*(chunk.slots.as_ptr().add(n as usize)) });
        }
        n -= chunk.cap;
        at = chunk.next.get();
    }
    None
}

/// The value of attribute `name` (interned), if the object has it.
pub fn get(v: Value, name: Value) -> Word {
    let shape = of(types::hdr(v));
    slot(v, shape, find(shape, name)?)?.get()
}

/// Sets attribute `name` (interned), adding it if need be. False: this object cannot have attributes.
pub fn set(m: &mut Mutator, v: Value, name: Value, value: Value) -> R<bool> {
    let hdr = types::hdr(v);
    let Some(attrs) = attrs_word(v) else { return Ok(false) };
    loop {
        let shape = of(hdr);
        if let Some(n) = find(shape, name)
            && let Some(slot) = slot(v, shape, n)
        {
            slot.set(value);
            return Ok(true);
        }
        let wider = extend(m, shape, name)?;
        make_room(m, hdr, attrs, wider)?;
        let _guard = sync::structural(m, hdr);
        if std::ptr::eq(of(hdr), shape) {
            if let Some(slot) = slot(v, wider, shape.count) {
                slot.set(value);
            }
            let id = heap::compress(Value::from_addr(std::ptr::from_ref(wider).addr()));
            hdr.shape.store(id, Ordering::Release);
            return Ok(true);
        }
    }
}

/// Sees to it that the last slot of `shape` exists in the object.
fn make_room(m: &mut Mutator, hdr: &Hdr, attrs: &Slot, shape: &Shape) -> R<()> {
    let n = shape.count - 1;
    while n >= shape.inline_cap && overflow_slot(attrs, n - shape.inline_cap).is_none() {
        let mut last = attrs;
        let mut cap = FIRST_CHUNK;
        while let Some(chunk) = last.get().and_then(types::cast::<Chunk>) {
            cap = chunk.cap * 2;
            last = &chunk.next;
        }
        let fresh = new_chunk(m, cap)?;
        let _guard = sync::structural(m, hdr);
        // Lost to another thread: then its chunk is there, and ours is garbage.
        let _ = last.set_if_empty(fresh);
    }
    Ok(())
}

fn new_chunk(m: &mut Mutator, cap: u64) -> R {
    let p = m.alloc::<Chunk>(cap as usize * 8)?;
    // SAFETY: freshly allocated with room for `cap` slots, and not shared yet.
    unsafe {
        (&raw mut (*p).next).cast::<u64>().write(0);
        (&raw mut (*p).cap).write(cap);
        (&raw mut (*p).slots).cast::<u64>().write_bytes(0, cap as usize);
    }
    Ok(Value::from_addr(p.addr()))
}

/// Deletes attribute `name`, leaving its slot EMPTY where other threads may be running. False: there was none.
pub fn delete(m: &mut Mutator, v: Value, name: Value) -> R<bool> {
    if !m.free {
        return Ok(plan_delete(m, v, name)?.is_some_and(|plan| plan.carry_out()));
    }
    let shape = of(types::hdr(v));
    let slot = find(shape, name).and_then(|n| slot(v, shape, n));
    Ok(slot.is_some_and(|s| s.swap(None).is_some()))
}

/// How an object loses an attribute.
pub struct Deletion {
    object: Value,
    before: &'static Shape,
    after: &'static Shape,
    /// The slots of the attributes that are left.
    kept: Vec<u32>,
}

/// Prepares the deletion of attribute `name`. `None`: there is none.
pub fn plan_delete(m: &mut Mutator, object: Value, name: Value) -> R<Option<Deletion>> {
    if get(object, name).is_none() {
        return Ok(None);
    }
    let before = of(types::hdr(object));
    let mut after = root_of(before);
    let mut kept = Vec::new();
    for (n, key) in keys(before).into_iter().enumerate() {
        if key != name && slot(object, before, n as u32).is_some_and(|s| s.get().is_some()) {
            after = extend(m, after, key)?;
            kept.push(n as u32);
        }
    }
    Ok(Some(Deletion { object, before, after, kept }))
}

impl Deletion {
    /// Moves the attributes up. False: the object has changed since. No other thread may be running.
    pub fn carry_out(&self) -> bool {
        let hdr = types::hdr(self.object);
        if !std::ptr::eq(of(hdr), self.before) || self.before.inline_cap != self.after.inline_cap {
            return false;
        }
        let at = |n: u32| slot(self.object, self.before, n);
        for (to, from) in self.kept.iter().enumerate() {
            if let (Some(to), Some(from)) = (at(to as u32), at(*from)) {
                to.set_word(from.get());
            }
        }
        (self.kept.len() as u32..self.before.count).filter_map(at).for_each(Slot::clear);
        let id = heap::compress(Value::from_addr(std::ptr::from_ref(self.after).addr()));
        hdr.shape.store(id, Ordering::Release);
        true
    }
}

/// Makes an object one of `class`, its attributes staying in their slots. The class must have the object's layout.
pub fn change_class(m: &mut Mutator, object: Value, class: Value) -> R<()> {
    let hdr = types::hdr(object);
    loop {
        let before = of(hdr);
        let mut after = root_of_width(m, class, before.inline_cap)?;
        for key in keys(before) {
            after = extend(m, after, key)?;
        }
        let _guard = sync::structural(m, hdr);
        if std::ptr::eq(of(hdr), before) {
            let id = heap::compress(Value::from_addr(std::ptr::from_ref(after).addr()));
            hdr.shape.store(id, Ordering::Release);
            return Ok(());
        }
    }
}

/// The class's root shape for objects with this many slots inside: an object keeps its slots when its class changes.
fn root_of_width(m: &mut Mutator, class: Value, inline_cap: u32) -> R<&'static Shape> {
    let Some(mut at) = super::class::cast(class).and_then(super::class::root) else {
        return Err(m.type_error("__class__ must be set to a class"));
    };
    while at.inline_cap != inline_cap {
        if let Some(next) = at.extra.get().and_then(types::cast::<Shape>) {
            at = next;
            continue;
        }
        let fresh = new_root(m, class, inline_cap)?;
        // Lost to another thread: then its shape is there, and may be the one.
        let _ = at.extra.set_if_empty(fresh);
    }
    Ok(at)
}

/// The shape without attributes that this one grew from.
fn root_of(shape: &'static Shape) -> &'static Shape {
    let mut at = shape;
    while at.count > 0
        && let Some(parent) = at.parent.get().and_then(types::cast::<Shape>)
    {
        at = parent;
    }
    at
}

/// The attributes an object has now: names and values.
pub fn attributes(v: Value) -> Vec<(Value, Value)> {
    let shape = of(types::hdr(v));
    let keys = keys(shape).into_iter().enumerate();
    keys.filter_map(|(n, key)| Some((key, slot(v, shape, n as u32)?.get()?))).collect()
}

/// The attributes that `__dict__` shows: all but those of `__slots__`.
pub fn shown(v: Value) -> Vec<(Value, Value)> {
    let mut all = attributes(v);
    let class = types::class_of(v);
    if super::class::cast(class).is_some_and(|c| c.slot_names.get().is_some()) {
        all.retain(|(name, _)| !super::class::has_slot(class, *name));
    }
    all
}

/// The first attribute that `__dict__` shows in slot `at` or behind: the number behind its slot, name and value.
pub fn shown_from(v: Value, at: usize) -> Option<(usize, Value, Value)> {
    let shape = of(types::hdr(v));
    let class = types::class_of(v);
    for n in u32::try_from(at).ok()?..shape.count {
        let (Some(key), Some(value)) = (key_at(shape, n), slot(v, shape, n).and_then(Slot::get)) else {
            continue;
        };
        if !super::class::has_slot(class, key) {
            return Some((n as usize + 1, key, value));
        }
    }
    None
}

/// The name of the attribute in slot `n`.
fn key_at(shape: &Shape, n: u32) -> Word {
    let mut at = shape;
    while at.count > n + 1 {
        let far = at.count.is_multiple_of(INDEXED) && at.count - INDEXED > n;
        let next = if far { tuple::items(at.extra.get()?).first()?.get()? } else { at.parent.get()? };
        at = types::cast::<Shape>(next)?;
    }
    at.key.get()
}

/// Makes a bare instance of the class whose root shape this is.
#[inline]
pub fn new_instance(m: &mut Mutator, root: &Shape) -> R {
    let cap = root.inline_cap as usize;
    let id = heap::compress(Value::from_addr(std::ptr::from_ref(root).addr()));
    let p = m.alloc_as::<Instance>(super::Kind::Instance, id, cap * 8)?;
    // Its slots are EMPTY: small cells are zero when they are handed out.
    const { assert!(size_of::<Instance>() + MAX_INLINE as usize * 8 <= heap::SMALL_MAX) };
    Ok(Value::from_addr(p.addr()))
}
