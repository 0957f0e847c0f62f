//! What storing an attribute comes to for objects of one shape, so that the next store need not ask the class again.
//! Must not know what descriptors do.

use super::attr::{mark_cached, set_plainly};
use super::shape_cache::{Access, Seen};
use super::site::{parent_is, shape_id, store_as_seen};
use super::thread::Thread;
use crate::object::class::{self, trait_bits};
use crate::object::header::flag;
use crate::object::{Kind, R, Value, shape, types};
use std::sync::atomic::Ordering;

/// Code that may hand the object on is about to see it: from now on other threads may know it (`InitAttr`).
pub(super) fn note_escape(object: Value) {
    if !matches!(types::kind_of(object), Kind::Instance | Kind::Exception) {
        return;
    }
    let flags = &types::hdr(object).flags;
    if flags.load(Ordering::Relaxed) & flag::ESCAPED == 0 {
        flags.fetch_or(flag::ESCAPED, Ordering::Relaxed);
    }
}

/// Storing this attribute always means the object's own slot.
pub(super) fn cacheable(th: &mut Thread, object: Value, name: Value) -> bool {
    if !matches!(types::kind_of(object), Kind::Instance | Kind::Exception) {
        return false;
    }
    let class = types::class_of(object);
    class::traits(class) & trait_bits::SETATTR == 0 && stores_plainly(th, object, name)
}

/// Storing this attribute by `object.__setattr__` always means the object's own slot. A class attribute of the name is only what
/// is read before: one that becomes a descriptor empties the caches.
fn stores_plainly(th: &mut Thread, object: Value, name: Value) -> bool {
    mark_cached(object);
    match th.lookup.find(types::class_of(object), name).and_then(|c| c.value.get()) {
        Some(v) => !matches!(types::kind_of(v), Kind::Property | Kind::Instance | Kind::Host),
        None => true,
    }
}

/// `object.__setattr__(object, name, value)`, which knows what the last one did.
pub fn set_by_object(th: &mut Thread, object: Value, name: Value, value: Value) -> R<()> {
    if types::kind_of(object) != Kind::Instance {
        return set_plainly(th, object, name, value);
    }
    let before = shape_id(object);
    if let Some(seen) = th.lookup.shapes().find(Access::SetPlainly, before, name)
        && store_as_seen(&th.m, object, before, seen, value)
    {
        return Ok(());
    }
    set_plainly(th, object, name, value)?;
    if stores_plainly(th, object, name)
        && let Some(seen) = stored(object, before, name)
    {
        th.lookup.shapes().note(Access::SetPlainly, before, name, seen);
    }
    Ok(())
}

/// What a store has done to an object that was of the shape `before`.
pub(super) fn stored(object: Value, before: u32, name: Value) -> Option<Seen> {
    let after = shape_id(object);
    let shape = shape::from_id(after);
    let n = shape::find(shape, name)?;
    let inside = n < shape.inline_cap;
    if after == before {
        return Some(if inside { Seen::Slot(n + 2) } else { Seen::Outside(n) });
    }
    (inside && shape.count == n + 1 && parent_is(shape, before)).then_some(Seen::Grow(after))
}
