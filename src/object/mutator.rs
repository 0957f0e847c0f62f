//! One thread's handle on the heap: it allocates, holds the pending exception and the rooted scope.
//! Every operation on data takes `&mut Mutator`; the VM's `Thread` begins with one.
//! Must not know frames, the eval loop, or who may run.

use super::error::{Exc, R, Raised};
use super::header::{Hdr, Kind, Slot};
use super::heap::{self, LocalHeap};
use super::layout::HeapObject;
use super::types;
use super::value::{Value, Word};
use crate::gil::Member;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32};

/// Writes the header of a fresh object.
#[inline(always)]
fn with_header<T: HeapObject>(cell: NonNull<u8>, kind: Kind, shape: u32) -> *mut T {
    let hdr = Hdr { shape: AtomicU32::new(shape), kind, flags: AtomicU8::new(0), lock: AtomicU16::new(0) };
    // SAFETY: the cell is at least as large as T, aligned to 16, and not yet visible to anybody else.
    unsafe { cell.as_ptr().cast::<Hdr>().write(hdr) };
    cell.as_ptr().cast()
}

/// Per-thread allocation and error state.
#[repr(C)]
pub struct Mutator {
    /// The thread's record in the GIL layer: its breaker, its busy word.
    pub member: &'static Member,
    /// The exception that has been raised and not caught yet. Set whenever an operation returns `Raised`.
    pub pending: Word,
    /// With the GIL off: containers must take object locks and announce in-place writes.
    pub free: bool,
    pub heap: LocalHeap,
    /// Values that natives keep alive while Mini code may run (see `Thread::scope`).
    pub rooted: Vec<Value>,
}

impl Mutator {
    pub fn new(member: &'static Member) -> Mutator {
        Mutator { member, pending: None, free: false, heap: LocalHeap::new(), rooted: Vec::new() }
    }

    /// Allocates a `T` of the built-in class of its kind, with `extra` bytes behind the struct. The header is
    /// initialised; the rest is NOT (and is not zero): write every word before the next allocation's caller can poll.
    /// Never collects. Raises MemoryError at the heap limit.
    #[inline]
    pub fn alloc<T: HeapObject>(&mut self, extra: usize) -> R<*mut T> {
        self.alloc_as::<T>(T::KIND, types::root_shape(T::KIND), extra)
    }

    /// As `alloc`, with kind and shape given: for instances of classes written in Mini, and kinds that share a struct.
    #[inline(always)]
    pub fn alloc_as<T: HeapObject>(&mut self, kind: Kind, shape: u32, extra: usize) -> R<*mut T> {
        let bytes = std::mem::size_of::<T>().checked_add(extra);
        match bytes.and_then(|n| self.heap.alloc(n, self.member)) {
            Some(cell) => Ok(with_header(cell, kind, shape)),
            None => Err(self.no_memory()),
        }
    }

    /// As `alloc`, for an object of a built-in class that refers to no other: text, digits. Its memory is not even
    /// cleared: write all of it before anything can fail.
    #[inline]
    pub fn alloc_leaf<T: HeapObject>(&mut self, extra: usize) -> R<*mut T> {
        let bytes = std::mem::size_of::<T>().checked_add(extra);
        match bytes.and_then(|n| self.heap.alloc_leaf(n, self.member)) {
            Some(cell) => Ok(with_header(cell, T::KIND, types::root_shape(T::KIND))),
            None => Err(self.no_memory()),
        }
    }

    /// Raises MemoryError unless a text of so many bytes may be made: asked before natives put one together.
    pub fn room_for(&mut self, bytes: usize) -> R<()> {
        if u32::try_from(bytes).is_ok() && heap::leaves_room(bytes) { Ok(()) } else { Err(self.no_memory()) }
    }

    /// Appends to what becomes a text. Raises MemoryError.
    pub fn push_bytes(&mut self, out: &mut Vec<u8>, more: &[u8]) -> R<()> {
        out.try_reserve(more.len()).map_err(|_| self.no_memory())?;
        out.extend_from_slice(more);
        Ok(())
    }

    /// As `push_bytes`.
    pub fn push_text(&mut self, out: &mut String, more: &str) -> R<()> {
        out.try_reserve(more.len()).map_err(|_| self.no_memory())?;
        out.push_str(more);
        Ok(())
    }

    /// Raises MemoryError. Uses the instance made at start-up: there is no memory for another.
    #[cold]
    #[inline(never)]
    pub fn no_memory(&mut self) -> Raised {
        self.pending = types::memory_error();
        if let Some(e) = self.pending.and_then(super::exc::cast) {
            // What it went through the last time is another story.
            [&e.traceback, &e.context, &e.cause].into_iter().for_each(Slot::clear);
        }
        heap::request_collection(self.member);
        Raised
    }

    /// Makes an exception of class `exc` with one string argument pending.
    #[cold]
    #[inline(never)]
    pub fn raise(&mut self, exc: Exc, message: impl AsRef<str>) -> Raised {
        match self.new_str(message.as_ref()) {
            Ok(text) => self.raise_with(exc, &[text]),
            Err(raised) => raised,
        }
    }

    /// Makes an exception of class `exc` with these arguments pending.
    #[cold]
    #[inline(never)]
    pub fn raise_with(&mut self, exc: Exc, args: &[Value]) -> Raised {
        if let Ok(value) = super::exc::new_exception(self, types::exc_class(exc), args) {
            self.pending = Some(value);
        }
        Raised
    }

    /// TypeError.
    #[cold]
    #[inline(never)]
    pub fn type_error(&mut self, message: impl AsRef<str>) -> Raised {
        self.raise(Exc::TypeError, message)
    }

    /// ValueError.
    #[cold]
    #[inline(never)]
    pub fn value_error(&mut self, message: impl AsRef<str>) -> Raised {
        self.raise(Exc::ValueError, message)
    }
}
