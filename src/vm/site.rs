//! The words of an attribute site: its name and its caches (see the table in `attr.rs`), and what they name.
//! Must not know how attributes are found.

use super::shape_cache::{Access, Seen};
use super::thread::Thread;
use crate::object::class::{self, trait_bits};
use crate::object::layout::{Cell, Property, Shape, is_subclass_instance};
use crate::object::mutator::Mutator;
use crate::object::{Kind, Slot, Value, Word, heap, shape, sync, types};
use std::sync::atomic::{AtomicU64, Ordering};

/// A cell by its compressed reference.
#[inline(always)]
pub(super) fn cell(id: u32) -> &'static Cell {
    // SAFETY: the upper half of such a cache word refers to a Cell that a live namespace holds.
    unsafe { &*(heap::expand(id).addr() as *const Cell) }
}

pub(super) fn site(words: *const u64, n: usize) -> &'static AtomicU64 {
    // SAFETY: `words` is a site of the running code, `SITE_WORDS` long; its caches are only accessed atomically.
    unsafe { &*words.add(n).cast::<AtomicU64>() }
}

pub(super) fn site_name(words: *const u64) -> Value {
    // SAFETY: word 0 of a site is its name; it never changes.
    Value::from_bits(unsafe { *words }).unwrap_or(Value::NONE)
}

pub(super) fn shape_id(v: Value) -> u32 {
    types::hdr(v).shape.load(Ordering::Acquire)
}

pub(super) fn remember(th: &mut Thread, words: *const u64, n: usize, shape: u32, low: u32) {
    if !th.lookup.is_to_be_noted() {
        return;
    }
    if n == 1 {
        let before = site(words, 1).load(Ordering::Relaxed);
        site(words, 3).store(before, Ordering::Relaxed);
    }
    site(words, n).store((low as u64) << 32 | shape as u64, Ordering::Relaxed);
}

pub(super) fn id_of<T>(object: &T) -> u32 {
    heap::compress(Value::from_addr(std::ptr::from_ref(object).addr()))
}

/// What the second cache word of a `GetAttr` refers to where the attribute is the object's class; no cell has this reference.
pub(super) const ITS_CLASS: u32 = 0;

/// The function in a method cell, if it is still one; else 0.
#[inline(always)]
pub fn cached_method(id: u32) -> u64 {
    match cell(id).value.get() {
        Some(f) if f.is_ref() && matches!(types::hdr(f).kind, Kind::Function | Kind::Native) => f.bits(),
        _ => 0,
    }
}

/// Adds the attribute that `SetAttr`'s second cache word describes: the object is of the shape before.
///
/// # Safety
/// `object` has the shape that the cache word names, no other thread adds attributes to it now, and the slot is inside the object.
#[inline(always)]
pub unsafe fn grow_at_site(object: u64, new_shape: u32, value: Value) {
    let wider = shape::from_id(new_shape);
    // SAFETY: by the caller: slot `count - 1` is an inline one.
    unsafe { (*(object as *const Slot).add(1 + wider.count as usize)).set(value) };
    // SAFETY: by the caller.
    unsafe { (*(object as *const crate::object::Hdr)).shape.store(new_shape, Ordering::Release) };
}

/// The same while other threads run. False: the object has another shape by now, and nothing was done.
///
/// # Safety
/// `object` is a reference; the slot that the shape adds to `before` is inside every object of shape `before`.
#[inline]
pub unsafe fn grow_shared_at_site(
    m: &Mutator,
    object: u64,
    before: u32,
    new_shape: u32,
    value: Value,
) -> bool {
    // SAFETY: by the caller.
    let hdr = unsafe { &*(object as *const crate::object::Hdr) };
    // The slot is new: who writes other attributes in place is not in the way, so the lock alone is enough.
    let _guard = sync::locked(m, hdr);
    if hdr.shape.load(Ordering::Acquire) != before {
        return false;
    }
    // SAFETY: by the caller; who holds the lock alone adds attributes.
    unsafe { grow_at_site(object, new_shape, value) };
    true
}

/// The slot at word offset `n` of an object whose shape has it there.
#[inline(always)]
fn slot_at(object: Value, n: u32) -> &'static Slot {
    // SAFETY: an offset that was remembered for the object's shape lies inside the object.
    unsafe { &*(object.bits() as *const Slot).add(n as usize) }
}

/// The cell of a plain property that reading this attribute of an instance always asks.
pub(super) fn property_cell(th: &mut Thread, object: Value, name: Value) -> Option<&'static Cell> {
    let class = types::class_of(object);
    let hooks = trait_bits::GETATTR | trait_bits::GETATTRIBUTE;
    if matches!(types::hdr(object).kind, Kind::Class | Kind::Module | Kind::Super)
        || class::traits(class) & hooks != 0
        || shape::find(shape::of(types::hdr(object)), name).is_some()
    {
        return None;
    }
    th.lookup.find(class, name).filter(|c| plain_getter(c).is_some())
}

/// The getter of a property that is no instance of a subclass.
fn plain_getter(cell: &Cell) -> Word {
    let property = types::cast::<Property>(cell.value.get()?)?;
    (!is_subclass_instance(&property.hdr)).then(|| property.get.get())?
}

/// Whether an attribute of this kind may become something else when it is read through an instance.
#[inline(always)]
fn may_bind(v: Value) -> bool {
    use Kind::{ClassMethod, Function, Host, Instance, Native, Property, StaticMethod, Super};
    v.is_ref()
        && matches!(
            types::hdr(v).kind,
            Function | Native | Property | StaticMethod | ClassMethod | Super | Instance | Host
        )
}

/// What reading an attribute comes to.
pub(super) enum Known {
    Value(Value),
    /// A property's getter is to be asked.
    Getter(Value),
}

/// What was seen for objects of this shape, here or elsewhere.
#[inline(always)]
pub(super) fn known(th: &mut Thread, object: Value, words: *const u64) -> Option<Known> {
    if !object.is_ref() {
        return None;
    }
    let (id, cached) = (shape_id(object), site(words, 2).load(Ordering::Relaxed));
    let own = matches!(types::hdr(object).kind, Kind::Module | Kind::Class);
    if id == cached as u32 {
        return match (cached >> 32) as u32 {
            ITS_CLASS => Some(Known::Value(types::class_of(object))),
            cell_id => known_by_cell(cell(cell_id), own),
        };
    }
    if own {
        return None;
    }
    match th.lookup.shapes().find(Access::Get, id, site_name(words))? {
        Seen::Cell(c) => {
            remember(th, words, 2, id, c);
            known_by_cell(cell(c), false)
        }
        Seen::Class => {
            remember(th, words, 2, id, ITS_CLASS);
            Some(Known::Value(types::class_of(object)))
        }
        seen => {
            let v = read_as_seen(object, id, seen)?;
            if let Seen::Slot(n) = seen {
                remember(th, words, 1, id, n);
            }
            Some(Known::Value(v))
        }
    }
}

/// Of a module's or a class's own name, of a plain attribute of the object's class, or of a plain property.
#[inline(always)]
fn known_by_cell(cell: &Cell, own: bool) -> Option<Known> {
    let v = cell.value.get()?;
    if own || !may_bind(v) {
        return Some(Known::Value(v));
    }
    plain_getter(cell).map(Known::Getter)
}

/// Stores an attribute the way that was seen for this shape; false: nothing was done.
pub(super) fn store_as_seen(m: &Mutator, object: Value, before: u32, seen: Seen, value: Value) -> bool {
    match seen {
        Seen::Slot(n) => {
            slot_at(object, n).set(value);
            true
        }
        // SAFETY: what was seen is what `SetAttr`'s second cache word says: every object of shape `before` has room.
        Seen::Grow(after) if m.free => unsafe { grow_shared_at_site(m, object.bits(), before, after, value) },
        Seen::Grow(after) => {
            // SAFETY: as above; no other thread runs now.
            unsafe { grow_at_site(object.bits(), after, value) };
            true
        }
        Seen::Outside(n) => {
            shape::slot(object, shape::from_id(before), n).map(|slot| slot.set(value)).is_some()
        }
        Seen::Cell(_) | Seen::Class => false,
    }
}

/// The object's own attribute where it was seen for this shape.
pub(super) fn read_as_seen(object: Value, id: u32, seen: Seen) -> Word {
    match seen {
        Seen::Slot(n) => slot_at(object, n).get(),
        Seen::Outside(n) => shape::slot(object, shape::from_id(id), n)?.get(),
        Seen::Class => Some(types::class_of(object)),
        Seen::Cell(_) | Seen::Grow(_) => None,
    }
}

/// Whether a shape was made by adding an attribute to the other one.
pub(super) fn parent_is(shape: &Shape, id: u32) -> bool {
    shape.parent.get().is_some_and(|p| heap::compress(p) == id)
}
