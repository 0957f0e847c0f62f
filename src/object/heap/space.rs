//! The reserved address range and its side tables: what is where. Must not know who allocates or collects.
//!
//! Nothing is committed before it is touched, so the reservation costs address space only. All bookkeeping lives in the
//! side tables: a collection in a forked child must not dirty the pages it shares with its parent.

use super::bits::{self, Bits};
use super::limit::could_be_mapped;
use super::size::{BLOCK, GRANULE, WORDS, cells, size_of_class};
use std::ptr;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering::Relaxed};

/// What a block is used for: a size class, or one of these.
pub mod tag {
    /// Free, and its pages are zero.
    pub const FREE: u8 = 0;
    /// Free, but holds old bytes.
    pub const DIRTY: u8 = 253;
    /// First block of a large object.
    pub const HEAD: u8 = 254;
    /// Another block of a large object.
    pub const REST: u8 = 255;
}

/// Reservation wanted: as much as 32-bit compressed references reach.
pub const WANTED: usize = (1 << 32) * GRANULE;
/// With less address space than this there is no point in starting.
const LEAST: usize = 64 << 20;
/// Address space left for registers and what natives make.
const BESIDE: usize = 192 << 20;
/// The beginning of the heap stays in small pages: a small program takes no more of them than it needs.
const SMALL_PAGES: usize = 4 << 20;
const LARGE_PAGE: usize = 2 << 20;

/// One reservation. Lives for ever.
pub struct Space {
    base: usize,
    blocks: u32,
    tags: *const AtomicU8,
    /// Of a HEAD: number of blocks. Of a REST: distance to its head.
    runs: *const AtomicU32,
    /// Bits of the cells in use: those that survived the last collection, and those handed out since.
    used: *const Bits,
    /// Bits set by the collection under way.
    marks: *const Bits,
}

// SAFETY: the tables are mappings that are never unmapped, and are made of atomics.
unsafe impl Send for Space {}
// SAFETY: as above.
unsafe impl Sync for Space {}

fn map(bytes: usize) -> Option<usize> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh anonymous mapping at an address of the kernel's choice touches no existing memory.
    let at = unsafe { libc::mmap(ptr::null_mut(), bytes, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    (at != libc::MAP_FAILED).then_some(at.addr())
}

/// Lets the kernel hand out these addresses in large pages: a program that allocates is interrupted for each page that it
/// touches for the first time, and 512 small ones take ten times as long as a large one.
fn prefer_large_pages(from: usize, to: usize) {
    let from = from.next_multiple_of(LARGE_PAGE);
    if let Some(bytes) = to.checked_sub(from) {
        // SAFETY: part of the reservation; this is advice, and changes no contents. A kernel without large pages refuses it.
        unsafe { libc::madvise(ptr::with_exposed_provenance_mut(from), bytes, libc::MADV_HUGEPAGE) };
    }
}

impl Space {
    /// Reserves `wanted` bytes, or as much of it as the system grants.
    pub fn reserve(wanted: usize) -> Option<Space> {
        let mut bytes = wanted;
        loop {
            if could_be_mapped(bytes + BESIDE)
                && let Some(space) = Space::of_size(bytes)
            {
                return Some(space);
            }
            bytes /= 2;
            if bytes < LEAST {
                return None;
            }
        }
    }

    /// One mapping for everything, so that a refusal leaves nothing behind.
    fn of_size(bytes: usize) -> Option<Space> {
        let blocks = bytes / BLOCK;
        let bitmap = blocks * size_of::<Bits>();
        let total = (blocks + 1) * BLOCK + 2 * bitmap + blocks * (size_of::<AtomicU32>() + 1);
        let start = map(total)?;
        let base = start.next_multiple_of(BLOCK);
        let used = base + blocks * BLOCK;
        let marks = used + bitmap;
        let runs = marks + bitmap;
        let tags = runs + blocks * size_of::<AtomicU32>();
        prefer_large_pages(base + SMALL_PAGES, used);
        Some(Space {
            base,
            blocks: blocks as u32,
            tags: ptr::with_exposed_provenance(tags),
            runs: ptr::with_exposed_provenance(runs),
            used: ptr::with_exposed_provenance(used),
            marks: ptr::with_exposed_provenance(marks),
        })
    }

    #[inline(always)]
    pub fn base(&self) -> usize {
        self.base
    }

    /// Number of blocks. Block 0 is never used, so that no cell has the compressed reference 0.
    pub fn blocks(&self) -> u32 {
        self.blocks
    }

    #[inline(always)]
    pub fn address(&self, block: u32) -> usize {
        self.base + block as usize * BLOCK
    }

    /// The block that holds `addr`; addresses outside the heap are said to be in block 0.
    #[inline(always)]
    pub fn block_of(&self, addr: usize) -> u32 {
        let block = addr.wrapping_sub(self.base) / BLOCK;
        if block < self.blocks as usize { block as u32 } else { 0 }
    }

    #[inline(always)]
    fn tag_word(&self, block: u32) -> &AtomicU8 {
        debug_assert!(block < self.blocks);
        // SAFETY: the table has one entry per block, and block numbers come from `block_of`, the free runs or this table.
        unsafe { &*self.tags.add(block as usize) }
    }

    #[inline(always)]
    pub fn tag(&self, block: u32) -> u8 {
        self.tag_word(block).load(Relaxed)
    }

    pub fn set_tag(&self, block: u32, tag: u8) {
        self.tag_word(block).store(tag, Relaxed);
    }

    fn run_word(&self, block: u32) -> &AtomicU32 {
        debug_assert!(block < self.blocks);
        // SAFETY: as in `tag_word`.
        unsafe { &*self.runs.add(block as usize) }
    }

    /// Blocks of the large object that begins here.
    pub fn run_len(&self, head: u32) -> u32 {
        self.run_word(head).load(Relaxed)
    }

    /// Records a large object of `len` blocks, of which the first `old` are recorded already.
    pub fn set_run(&self, head: u32, old: u32, len: u32) {
        self.set_tag(head, tag::HEAD);
        self.run_word(head).store(len, Relaxed);
        for i in old.max(1)..len {
            self.set_tag(head + i, tag::REST);
            self.run_word(head + i).store(i, Relaxed);
        }
    }

    #[inline(always)]
    pub fn used(&self, block: u32) -> &Bits {
        debug_assert!(block < self.blocks);
        // SAFETY: as in `tag_word`.
        unsafe { &*self.used.add(block as usize) }
    }

    #[inline(always)]
    pub fn marks(&self, block: u32) -> &Bits {
        debug_assert!(block < self.blocks);
        // SAFETY: as in `tag_word`.
        unsafe { &*self.marks.add(block as usize) }
    }

    /// Where the cell that begins at `addr` ends.
    #[inline]
    pub fn cell_end(&self, addr: usize) -> usize {
        let block = self.block_of(addr);
        match self.tag(block) {
            tag::HEAD => addr + self.run_len(block) as usize * BLOCK,
            class => addr + size_of_class(class as usize),
        }
    }

    /// The beginning of the cell in use that holds `addr`, if there is one.
    pub fn find_cell(&self, addr: usize) -> Option<usize> {
        let block = self.block_of(addr);
        let (head, offset) = match self.tag(block) {
            tag::FREE | tag::DIRTY => return None,
            tag::HEAD => (block, 0),
            tag::REST => (block - self.run_word(block).load(Relaxed), 0),
            class => {
                let cell = (addr - self.address(block)) / size_of_class(class as usize);
                if cell >= cells(class as usize) {
                    return None;
                }
                (block, cell * size_of_class(class as usize))
            }
        };
        bits::get(self.used(head), offset / GRANULE).then(|| self.address(head) + offset)
    }

    /// Fills bytes of the heap that belong to no cell in use.
    pub fn fill(&self, from: usize, bytes: usize, byte: u8) {
        debug_assert!(self.block_of(from) != 0 && from + bytes <= self.base + self.blocks as usize * BLOCK);
        // SAFETY: the range is in the reservation, and the caller owns it: a gap just handed out, or dead cells.
        unsafe { ptr::with_exposed_provenance_mut::<u8>(from).write_bytes(byte, bytes) };
    }

    /// Gives the pages of these free blocks back to the system; they read as zero from now on.
    pub fn release(&self, block: u32, len: u32) {
        let at = ptr::with_exposed_provenance_mut(self.address(block));
        // SAFETY: the blocks are free, so nobody misses their contents.
        unsafe { libc::madvise(at, len as usize * BLOCK, libc::MADV_DONTNEED) };
        (block..block + len).for_each(|b| self.set_tag(b, tag::FREE));
    }
}

const _: () = assert!(size_of::<Bits>() == WORDS * 8);
