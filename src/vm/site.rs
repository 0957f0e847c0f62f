//! The words of an attribute site: its name and its caches (see the table in `attr.rs`), and what they name.
//! Must not know how attributes are found.

use super::thread::Thread;
use crate::object::class::{self, trait_bits};
use crate::object::layout::{Cell, Property, is_subclass_instance};
use crate::object::{Kind, Value, Word, heap, shape, types};
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

pub(super) fn remember(words: *const u64, n: usize, shape: u32, low: u32) {
    if n == 1 {
        let before = site(words, 1).load(Ordering::Relaxed);
        site(words, 3).store(before, Ordering::Relaxed);
    }
    site(words, n).store((low as u64) << 32 | shape as u64, Ordering::Relaxed);
}

pub(super) fn id_of<T>(object: &T) -> u32 {
    heap::compress(Value::from_addr(std::ptr::from_ref(object).addr()))
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

/// The getter of the property that the site has seen for objects of this shape.
#[inline]
pub(super) fn cached_getter(object: Value, words: *const u64) -> Word {
    let cached = site(words, 2).load(Ordering::Relaxed);
    if !object.is_ref() || shape_id(object) != cached as u32 {
        return None;
    }
    plain_getter(cell((cached >> 32) as u32))
        .filter(|_| !matches!(types::hdr(object).kind, Kind::Module | Kind::Class))
}
