//! A thread's own part of the heap: the gaps it fills. Must not know how objects die.

use super::central::Heap;
use super::size::{BLOCK, CLASSES, GRANULE, SIZES, SMALL_MAX, STARTS, cells, class_for};
use super::{bits, global};
use crate::gil::Member;
use std::ptr::{self, NonNull};

/// Free bytes between two cells in use.
#[derive(Clone, Copy)]
struct Gap {
    cursor: usize,
    end: usize,
}

const NO_GAP: Gap = Gap { cursor: 0, end: 0 };

/// One gap per size class, and one more for its leaves: cells that the collector never looks into.
const GAPS: usize = 2 * CLASSES;

/// Where the gaps for leaves begin.
const LEAVES: usize = CLASSES;

/// As the kernel copies them.
const PAGE: usize = 4096;

/// A thread's free gaps, and the blocks they lie in (0: none).
///
/// Must be dropped while its thread counts as running, so that no collection is under way.
pub struct LocalHeap {
    gaps: [Gap; GAPS],
    blocks: [u32; GAPS],
    /// Whether the block's free cells are known to be zero.
    zero: [bool; GAPS],
    heap: &'static Heap,
    /// Allocated, but not counted by the heap yet.
    uncounted: usize,
}

impl Default for LocalHeap {
    fn default() -> LocalHeap {
        LocalHeap::new()
    }
}

impl LocalHeap {
    /// For a thread of the process's heap.
    pub fn new() -> LocalHeap {
        LocalHeap::of(global())
    }

    pub(super) fn of(heap: &'static Heap) -> LocalHeap {
        LocalHeap { gaps: [NO_GAP; GAPS], blocks: [0; GAPS], zero: [false; GAPS], heap, uncounted: 0 }
    }

    /// At least `bytes` bytes, aligned to 16; all zeros if `comes_cleared` says so. `None` at the heap limit.
    #[inline(always)]
    pub fn alloc(&mut self, bytes: usize, member: &Member) -> Option<NonNull<u8>> {
        self.alloc_in(0, bytes, member)
    }

    /// As `alloc`, for an object that refers to none, and all of whose words are written at once.
    #[inline(always)]
    pub fn alloc_leaf(&mut self, bytes: usize, member: &Member) -> Option<NonNull<u8>> {
        self.alloc_in(LEAVES, bytes, member)
    }

    #[inline(always)]
    fn alloc_in(&mut self, set: usize, bytes: usize, member: &Member) -> Option<NonNull<u8>> {
        if bytes <= SMALL_MAX {
            let class = class_for(bytes);
            let gap = &mut self.gaps[set + class];
            if gap.cursor != gap.end {
                let at = gap.cursor;
                gap.cursor = at + SIZES[class];
                return NonNull::new(ptr::with_exposed_provenance_mut(at));
            }
        }
        self.alloc_slow(set, bytes, member)
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, set: usize, bytes: usize, member: &Member) -> Option<NonNull<u8>> {
        let at = if bytes > SMALL_MAX {
            self.heap.alloc_large(bytes, Some(member))?
        } else {
            let class = class_for(bytes);
            while !self.next_gap(set, class) {
                self.claim(set, class, member)?;
            }
            let gap = &mut self.gaps[set + class];
            let at = gap.cursor;
            gap.cursor += SIZES[class];
            at
        };
        NonNull::new(ptr::with_exposed_provenance_mut(at))
    }

    /// Takes over a block for this class; the old one is full.
    fn claim(&mut self, set: usize, class: usize, member: &Member) -> Option<()> {
        self.heap.count(std::mem::take(&mut self.uncounted), Some(member));
        let (block, zero) = self.heap.claim(class)?;
        self.blocks[set + class] = block;
        self.zero[set + class] = zero;
        self.gaps[set + class] =
            Gap { cursor: self.heap.space.address(block), end: self.heap.space.address(block) };
        Some(())
    }

    /// Goes to the next gap of the block at hand. Its cells count as used from now on, because a pointer to one may be
    /// found on a stack; they are zeroed, because what is found there may not have been written yet. (A leaf has no
    /// references that could be wrong; that spares zeroing the memory of strings and big integers.)
    fn next_gap(&mut self, set: usize, class: usize) -> bool {
        let block = self.blocks[set + class];
        if block == 0 {
            return false;
        }
        let (space, size) = (&self.heap.space, SIZES[class]);
        let base = space.address(block);
        let used = space.used(block);
        // Zeroed a part at a time, which is still in the cache when its cells are handed out; and a page at a time, because
        // in a forked child, and in its parent, the first byte that is written copies the page.
        let clean = set == LEAVES || self.zero[set + class];
        let most = if clean { cells(class) } else { PAGE.div_ceil(size) };
        let from = self.gaps[set + class].end - base;
        let Some((from, to)) = bits::next_gap(used, size, cells(class), from, most) else {
            self.blocks[set + class] = 0;
            return false;
        };
        let to = if clean { to } else { to.min(from + (PAGE - from % PAGE).next_multiple_of(size)) };
        bits::set_range(used, &STARTS[class], from / GRANULE, to / GRANULE);
        if !clean {
            space.fill(base + from, to - from, 0);
        }
        self.uncounted += to - from;
        self.gaps[set + class] = Gap { cursor: base + from, end: base + to };
        true
    }

    /// Gives up what is left of the gaps: the cells not handed out are no cells. Before every collection and fork, and
    /// in the thread's end.
    pub fn retire(&mut self) {
        self.release(|heap, class, block| heap.disown(class, block));
    }

    /// As `retire`, when the collector is about to find all free cells anew.
    pub(super) fn forget(&mut self) {
        self.release(|_, _, _| ());
    }

    fn release(&mut self, disown: impl Fn(&Heap, usize, u32)) {
        for at in 0..GAPS {
            let (gap, block) = (self.gaps[at], self.blocks[at]);
            if block != 0 {
                let base = self.heap.space.address(block);
                let used = self.heap.space.used(block);
                bits::clear_range(used, (gap.cursor - base) / GRANULE, (gap.end - base) / GRANULE);
                self.uncounted = self.uncounted.saturating_sub(gap.end - gap.cursor);
                disown(self.heap, at % CLASSES, block);
            }
            self.gaps[at] = NO_GAP;
            self.blocks[at] = 0;
        }
        self.heap.count(std::mem::take(&mut self.uncounted), None);
    }
}

impl Drop for LocalHeap {
    fn drop(&mut self) {
        self.retire();
    }
}

const _: () = assert!(SMALL_MAX <= BLOCK);
