//! Host objects with more values than two, and a word of bits that is changed in one step: futures, tasks, handles and
//! loops. Which values they are is known to whoever makes them. Must not know what they are for.

use super::error::R;
use super::header::{Kind, Slot, flag};
use super::layout::{HeapObject, Host, Wide};
use super::mutator::Mutator;
use super::value::{Value, Word};
use super::{heap, subclass, types};
use std::any::Any;
use std::sync::atomic::{AtomicU32, Ordering};

// SAFETY: repr(C), a Host first, which has Hdr first; allocated as a Host with the flag WIDE.
unsafe impl HeapObject for Wide {
    const KIND: Kind = Kind::Host;
}

/// The bits of `Wide::bits` that say what an object is; they never change.
pub const ROLE: u32 = 0xff;

/// What makes one.
pub struct Plan<'a> {
    /// The class, which must be `base` or derive from it.
    pub class: Value,
    pub base: Value,
    /// Role, and first bits.
    pub bits: u32,
    pub number: u32,
    /// The two values of every Host.
    pub extra: [Word; 2],
    pub words: &'a [Word],
}

/// A new object. Role 0 is nobody's.
pub fn new(m: &mut Mutator, plan: &Plan) -> R<&'static Wide> {
    let shape = subclass::shape_under(m, plan.class, plan.base)?;
    let p = m.alloc_as::<Wide>(Kind::Host, shape, plan.words.len() * 8)?;
    let v = Value::from_addr(p.addr());
    // SAFETY: freshly allocated, of this size up to the end of its cell, and not shared yet.
    unsafe {
        (&raw mut (*p).host.attrs).write(Slot::empty());
        (&raw mut (*p).host.extra).write(plan.extra.map(slot));
        (&raw mut (*p).host.data).write(std::ptr::null_mut());
        (&raw mut (*p).bits).write(AtomicU32::new(plan.bits));
        (&raw mut (*p).number).write(AtomicU32::new(plan.number));
        let words = (&raw mut (*p).words).cast::<Slot>();
        let room = (heap::cell_end(v) - words.addr()) / size_of::<Slot>();
        for i in 0..room {
            words.add(i).write(slot(plan.words.get(i).copied().flatten()));
        }
        (*p).host.hdr.flags.fetch_or(flag::WIDE, Ordering::Release);
        Ok(&*p)
    }
}

fn slot(word: Word) -> Slot {
    word.map_or(Slot::empty(), Slot::new)
}

/// As `new`, of an object that owns `data` besides.
pub fn new_owner(m: &mut Mutator, plan: &Plan, data: Box<dyn Any + Send + Sync>) -> R<&'static Wide> {
    let made = new(m, plan)?;
    let data = Box::into_raw(Box::new(data)).cast::<()>();
    let host = std::ptr::from_ref(&made.host).cast_mut();
    // SAFETY: the object was just made, and nobody else knows it.
    unsafe { (&raw mut (*host).data).write(data) };
    heap::add_finalizable(value(made));
    Ok(made)
}

/// `v` as an object of this file, with its role.
#[inline(always)]
pub fn of(v: Value) -> Option<(&'static Wide, u32)> {
    let host = types::cast::<Host>(v)?;
    if host.hdr.flags.load(Ordering::Relaxed) & flag::WIDE == 0 {
        return None;
    }
    // SAFETY: the flag says that it is this struct.
    let wide = unsafe { &*std::ptr::from_ref(host).cast::<Wide>() };
    Some((wide, wide.bits.load(Ordering::Acquire) & ROLE))
}

/// `v` as an object of this role.
#[inline(always)]
pub fn of_role(v: Value, role: u32) -> Option<&'static Wide> {
    of(v).filter(|(_, found)| *found == role).map(|(wide, _)| wide)
}

/// The value of an object.
#[inline(always)]
pub fn value(w: &Wide) -> Value {
    Value::from_addr(std::ptr::from_ref(w).addr())
}

/// Word `i` behind the struct; the maker has seen to it that there is one.
#[inline(always)]
pub fn word(w: &'static Wide, i: usize) -> &'static Slot {
    debug_assert!(has_word(w, i));
    // SAFETY: every role has a number of words of its own, and whoever asks knows the role.
    unsafe { &*(&raw const w.words).cast::<Slot>().add(i) }
}

/// Whether there is a word `i`.
pub fn has_word(w: &Wide, i: usize) -> bool {
    heap::cell_end(value(w)) >= (&raw const w.words).addr() + (i + 1) * size_of::<Slot>()
}

/// Whether all of `bits` are set.
#[inline(always)]
pub fn has(w: &Wide, bits: u32) -> bool {
    w.bits.load(Ordering::Acquire) & bits == bits
}

/// Sets bits; those that were set before.
#[inline(always)]
pub fn set(w: &Wide, bits: u32) -> u32 {
    w.bits.fetch_or(bits, Ordering::AcqRel)
}

/// Sets bits, and clears others; those that were set before. In one step only if other threads may run meanwhile.
#[inline(always)]
pub fn change(m: &Mutator, w: &Wide, set: u32, clear: u32) -> u32 {
    let changed = |bits: u32| (bits | set) & !clear;
    if m.free {
        return w
            .bits
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |bits| Some(changed(bits)))
            .unwrap_or(0);
    }
    let bits = w.bits.load(Ordering::Acquire);
    w.bits.store(changed(bits), Ordering::Release);
    bits
}

/// Clears bits; those that were set before.
#[inline(always)]
pub fn clear(w: &Wide, bits: u32) -> u32 {
    w.bits.fetch_and(!bits, Ordering::AcqRel)
}
