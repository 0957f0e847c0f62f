//! Finds what is alive: marks roots and everything they lead to, with a stack of its own.
//! Must not know the layout of any kind (`object::trace` does) nor what happens to the dead.

use super::bits;
use super::size::GRANULE;
use super::space::Space;
use crate::object::generator;
use crate::object::header::Hdr;
use crate::object::trace::{self, Span};
use crate::object::value::Value;
use std::ptr;
use std::sync::atomic::Ordering::Relaxed;

/// Slots of one object that are visited before what they lead to.
const SPAN_AT_ONCE: usize = 1024;
/// How many objects are fetched ahead. Marking a heap that is larger than the caches takes a third of the time with them.
const AHEAD: usize = 16;

/// The next objects to look into: their first bytes are on the way into the cache while those before them are looked into.
#[derive(Default)]
struct Ahead {
    /// Addresses; 0: none.
    ring: [usize; AHEAD],
    at: usize,
}

impl Ahead {
    /// Has one more object of the stack fetched, and returns the one for which that was asked longest ago. `None`: there is none
    /// left, here or on the stack.
    #[inline(always)]
    fn next(&mut self, stack: &mut Vec<usize>) -> Option<usize> {
        // Once more than there are places: an object has to come round.
        for _ in 0..=AHEAD {
            let more = stack.pop().unwrap_or(0);
            fetch(more);
            self.at = (self.at + 1) % AHEAD;
            let place = self.ring.get_mut(self.at)?;
            let addr = std::mem::replace(place, more);
            if addr != 0 {
                return Some(addr);
            }
        }
        None
    }
}

/// Has the processor fetch what lies at this address.
#[inline(always)]
fn fetch(addr: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, whatever the address is.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(ptr::with_exposed_provenance(addr));
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = addr;
}

/// Marks the living during one collection.
pub struct Marker<'a> {
    space: &'a Space,
    /// Marked, but not looked into yet.
    stack: Vec<usize>,
    /// What is left of long objects: put off, so that the stack stays short however long they are.
    rests: Vec<Span>,
    /// The shape of the last object: most neighbours share it.
    last_shape: u32,
}

impl<'a> Marker<'a> {
    pub(super) fn new(space: &'a Space) -> Marker<'a> {
        Marker { space, stack: Vec::new(), rests: Vec::new(), last_shape: 0 }
    }

    /// Keeps `v` and what it leads to.
    #[inline]
    pub fn visit(&mut self, v: Value) {
        if v.is_ref() {
            self.visit_addr(v.addr());
        }
    }

    #[inline]
    fn visit_addr(&mut self, addr: usize) {
        debug_assert!(self.space.find_cell(addr) == Some(addr), "{addr:#x} is no cell in use");
        let block = self.space.block_of(addr);
        let bit = (addr - self.space.address(block)) / GRANULE;
        if let Some(word) = self.space.marks(block).get(bit / 64) {
            let old = word.load(Relaxed);
            let new = old | 1 << (bit % 64);
            if new != old {
                word.store(new, Relaxed);
                self.stack.push(addr);
            }
        }
    }

    /// Keeps the cell that `word` points to or into, if there is one: for words that may be anything.
    #[inline]
    pub fn visit_ambiguous(&mut self, word: u64) {
        if let Some(cell) = self.space.find_cell(word as usize) {
            self.visit_addr(cell);
        }
    }

    /// Keeps whatever these words may point to.
    ///
    /// # Safety
    /// The range must be readable, aligned to 8, and not change meanwhile.
    pub unsafe fn visit_range(&mut self, words: *const u64, count: usize) {
        for i in 0..count {
            // SAFETY: promised by the caller. Volatile, because a stack has no types: the words may be uninitialised.
            self.visit_ambiguous(unsafe { words.add(i).read_volatile() });
        }
    }

    /// Follows everything marked so far.
    pub fn drain(&mut self) {
        let mut ahead = Ahead::default();
        loop {
            while let Some(addr) = ahead.next(&mut self.stack) {
                self.look_into(addr);
            }
            let Some(rest) = self.rests.pop() else { return };
            // SAFETY: a part of a live object, and the world stands still.
            unsafe { self.visit_span(rest) };
        }
    }

    /// Visits what a marked object leads to.
    #[inline]
    fn look_into(&mut self, addr: usize) {
        // SAFETY: only cells in use are pushed; they begin with Hdr.
        let hdr = unsafe { &*ptr::with_exposed_provenance::<Hdr>(addr) };
        let shape = hdr.shape.load(Relaxed);
        if let Some((words, count)) = generator::registers(hdr) {
            // SAFETY: the registers of a suspended call, behind its header.
            unsafe { self.visit_range(words, count) };
        }
        if shape != self.last_shape && shape != 0 {
            self.last_shape = shape;
            self.visit_addr(self.space.base() + shape as usize * GRANULE);
        }
        // SAFETY: as above, and the world stands still.
        unsafe { trace::children(addr, self.space.cell_end(addr), &mut |span| self.visit_span(span)) };
    }

    /// Visits the first slots of a span, and puts the others off.
    ///
    /// # Safety
    /// It must be a span of a live object that nobody writes to.
    #[inline]
    unsafe fn visit_span(&mut self, span: Span) {
        let (now, rest) = span.split(SPAN_AT_ONCE);
        if rest.count != 0 {
            self.rests.push(rest);
        }
        // SAFETY: promised by the caller.
        unsafe { now.values() }.for_each(|v| self.visit(v));
    }

    /// Whether a cell in use is known to be alive.
    pub fn is_marked(&self, addr: usize) -> bool {
        let block = self.space.block_of(addr);
        block != 0 && bits::get(self.space.marks(block), (addr - self.space.address(block)) / GRANULE)
    }
}
