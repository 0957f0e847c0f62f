//! Well-known objects: the class and root shape of each built-in kind and exception, the preallocated MemoryError.
//! Filled once at start-up, before any second thread, by `vm::boot`. Must not know how classes behave.

use super::error::Exc;
use super::header::{Hdr, KINDS, Kind, Slot};
use super::heap;
use super::layout;
use super::value::{Value, Word};
use std::sync::atomic::{AtomicU32, Ordering};

const EXCS: usize = 256;
static KIND_CLASS: [Slot; KINDS] = [const { Slot::empty() }; KINDS];
static KIND_SHAPE: [AtomicU32; KINDS] = [const { AtomicU32::new(0) }; KINDS];
static EXC_CLASS: [Slot; EXCS] = [const { Slot::empty() }; EXCS];
static MEMORY_ERROR: Slot = Slot::empty();
static MANNER_SHAPE: [AtomicU32; MANNERS.len()] = [const { AtomicU32::new(0) }; MANNERS.len()];

/// What CPython has classes of its own for, although natives are one kind here, and bound methods another.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// A method of a built-in class.
    Method,
    /// One that CPython keeps in a slot of the class.
    Slot,
    /// A native with its receiver.
    Bound,
    /// One of a slot, with its receiver.
    BoundSlot,
}

pub const MANNERS: [Manner; 4] = [Manner::Method, Manner::Slot, Manner::Bound, Manner::BoundSlot];

/// The class of a built-in kind (`Kind::Int` and small ints: `int`).
#[inline]
pub fn class_of_kind(kind: Kind) -> Value {
    KIND_CLASS[kind as usize].value()
}

/// Whether `v` is of the built-in class itself, not of one that derives from it.
pub fn is_exactly(v: Value, kind: Kind) -> bool {
    class_of_kind(kind) == class_of(v)
}

/// The shape of a fresh object of a built-in kind.
#[inline(always)]
pub fn root_shape(kind: Kind) -> u32 {
    KIND_SHAPE[kind as usize].load(Ordering::Relaxed)
}

/// The shape of a native, or of a bound one.
#[inline]
pub fn manner_shape(manner: Manner) -> u32 {
    MANNER_SHAPE[manner as usize].load(Ordering::Relaxed)
}

/// The class of such natives.
pub fn class_of_manner(manner: Manner) -> Value {
    match cast::<layout::Shape>(heap::expand(manner_shape(manner))) {
        Some(shape) => shape.class.value(),
        None => class_of_kind(Kind::Native),
    }
}

/// The shape of a bound method of `func`.
#[inline]
pub fn bound_shape(func: Value) -> u32 {
    if kind_of(func) != Kind::Native {
        return root_shape(Kind::BoundMethod);
    }
    let of_slot = hdr(func).shape.load(Ordering::Relaxed) == manner_shape(Manner::Slot);
    manner_shape(if of_slot { Manner::BoundSlot } else { Manner::Bound })
}

/// The class of a built-in exception.
pub fn exc_class(exc: Exc) -> Value {
    EXC_CLASS[exc as usize].value()
}

/// The MemoryError that is raised when there is no memory to make one.
pub fn memory_error() -> Word {
    MEMORY_ERROR.get()
}

/// Start-up only: registers the class and root shape of a kind.
pub fn set_kind(kind: Kind, class: Value, shape: u32) {
    KIND_CLASS[kind as usize].set(class);
    KIND_SHAPE[kind as usize].store(shape, Ordering::Relaxed);
}

/// Start-up only.
pub fn set_manner(manner: Manner, shape: u32) {
    MANNER_SHAPE[manner as usize].store(shape, Ordering::Relaxed);
}

/// Start-up only.
pub fn set_exc(exc: Exc, class: Value) {
    EXC_CLASS[exc as usize].set(class);
}

/// Start-up only.
pub fn set_memory_error(value: Value) {
    MEMORY_ERROR.set(value);
}

/// Every registered object, for the collector's roots.
pub fn visit_roots(visit: &mut dyn FnMut(Value)) {
    let slots = KIND_CLASS.iter().chain(EXC_CLASS.iter()).chain(std::iter::once(&MEMORY_ERROR));
    slots.filter_map(Slot::get).for_each(&mut *visit);
    KIND_SHAPE
        .iter()
        .chain(MANNER_SHAPE.iter())
        .map(|s| s.load(Ordering::Relaxed))
        .filter(|s| *s != 0)
        .for_each(|s| visit(heap::expand(s)));
}

/// The kind of any value.
#[inline]
pub fn kind_of(v: Value) -> Kind {
    if v.is_ref() {
        hdr(v).kind
    } else if v.is_small_int() {
        Kind::Int
    } else if v.is_inline_float() {
        Kind::Float
    } else if v.is_bool() {
        Kind::Bool
    } else if v == Value::ELLIPSIS {
        Kind::Ellipsis
    } else if v == Value::NOT_IMPLEMENTED {
        Kind::NotImplemented
    } else {
        Kind::None_
    }
}

/// The header of a reference.
#[inline(always)]
pub fn hdr(v: Value) -> &'static Hdr {
    debug_assert!(v.is_ref());
    // SAFETY: a reference is the address of a live object, which begins with Hdr; objects do not move, and the caller
    // holds the value where the collector sees it.
    unsafe { &*(v.addr() as *const Hdr) }
}

/// The class of any value.
#[inline]
pub fn class_of(v: Value) -> Value {
    if v.is_ref() {
        let shape = heap::expand(hdr(v).shape.load(Ordering::Acquire));
        // SAFETY: the shape word of a header always refers to a Shape.
        unsafe { (*(shape.addr() as *const layout::Shape)).class.value() }
    } else {
        class_of_kind(kind_of(v))
    }
}

/// A view of `v` as `T`, if it is of that kind.
#[inline(always)]
pub fn cast<T: layout::HeapObject>(v: Value) -> Option<&'static T> {
    if v.is_ref() && hdr(v).kind == T::KIND {
        // SAFETY: the kind says which struct this is (contract of HeapObject); all its mutable words are atomics.
        Some(unsafe { &*(v.addr() as *const T) })
    } else {
        None
    }
}
