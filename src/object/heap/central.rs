//! The part of the heap that threads share: who owns which block, the limit, and when a collection is due.
//! Must not know how live objects are found.

use super::limit::{default_limit, leaves_room};
use super::runs::FreeRuns;
use super::size::{BLOCK, CLASSES, GRANULE};
use super::space::{Space, tag};
use super::{CollectStats, bits};
use crate::gil::{Events, Member};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard};

/// A collection is not worth its pause before each thread has allocated this much. More would be worth less: memory
/// that is used again soon is in the processor's caches, and needs no page from the kernel.
const MIN_BETWEEN: usize = 12 << 20;
/// What `WORTH` and the number of threads ask for ends here; the live objects themselves may ask for more.
const MOST_BETWEEN: usize = 32 << 20;
/// Where so many bytes are allocated for one that is marked, marking costs next to nothing.
const WORTH: usize = 8;
/// How much longer it takes to mark a page of objects than to copy its entry for a child and take it back.
const MARKING: usize = 8;
/// Blocks beyond the limit that small objects may use after a MemoryError, so that its handler can run.
const RESERVE: u32 = 32;

/// One heap. The process has one; tests make their own.
pub struct Heap {
    pub space: Space,
    /// Bytes handed out since the last collection.
    since: AtomicUsize,
    /// The same, summed over the forks since then.
    copied: AtomicUsize,
    /// How many bytes may be handed out before a collection is asked for.
    threshold: AtomicUsize,
    central: Mutex<Central>,
}

/// What the heap's lock protects.
pub struct Central {
    pub runs: FreeRuns,
    /// Of each size class, blocks with free cells that no thread owns; the last is taken first.
    pub partial: [Vec<u32>; CLASSES],
    /// Cells in use whose kind owns memory outside the heap.
    pub finalizable: Vec<usize>,
    pub weak: Vec<super::WeakHook>,
    /// Most blocks that may be in use.
    limit: u32,
    /// Blocks in use now, and after the last collection.
    pub in_use: u32,
    kept: u32,
    /// Blocks from here on have never been used.
    pub top: u32,
    /// Blocks left for the handler of a MemoryError; `Some` since one was raised.
    reserve: Option<u32>,
    pub stats: CollectStats,
}

fn limit_blocks(bytes: usize) -> u32 {
    let bytes = if bytes == 0 { default_limit() } else { bytes };
    u32::try_from(bytes.div_ceil(BLOCK)).unwrap_or(u32::MAX)
}

impl Heap {
    /// Reserves address space; `None` if there is not enough of it.
    pub fn new(reserve: usize, max_bytes: usize) -> Option<Heap> {
        let space = Space::reserve(reserve)?;
        let mut runs = FreeRuns::default();
        runs.rebuild(std::iter::once((1, space.blocks() - 1)));
        let central = Central {
            runs,
            partial: [const { Vec::new() }; CLASSES],
            finalizable: Vec::new(),
            weak: Vec::new(),
            limit: limit_blocks(max_bytes),
            in_use: 0,
            kept: 0,
            top: 1,
            reserve: None,
            stats: CollectStats::default(),
        };
        let threshold = AtomicUsize::new(central.threshold(0, 1));
        Some(Heap {
            space,
            since: AtomicUsize::new(0),
            copied: AtomicUsize::new(0),
            threshold,
            central: Mutex::new(central),
        })
    }

    /// The heap's lock. Nothing that can panic or block happens under it.
    pub fn lock(&self) -> MutexGuard<'_, Central> {
        self.central.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Changes the limit; 0: three quarters of the memory there is.
    pub fn set_limit(&self, bytes: usize) {
        let mut central = self.lock();
        central.limit = limit_blocks(bytes);
        self.threshold.store(central.threshold(central.stats.live_bytes, 1), Relaxed);
    }

    /// The limit in bytes.
    pub fn limit(&self) -> usize {
        self.lock().limit as usize * BLOCK
    }

    pub fn since(&self) -> usize {
        self.since.load(Relaxed)
    }

    /// Counts allocation, and asks `member` for a collection when it is time. Asks again and again until there is one:
    /// a thread may end before it looks.
    pub fn count(&self, bytes: usize, member: Option<&Member>) {
        let since = self.since.fetch_add(bytes, Relaxed) + bytes;
        let due = since >= self.threshold.load(Relaxed);
        if let Some(member) = member.filter(|m| due && !m.pending().has(Events::COLLECT)) {
            member.request(Events::COLLECT);
        }
    }

    /// A fork is about to happen. Whether a collection should come first: each fork copies the entries of all pages that
    /// garbage lies in, and by now that has cost as much as a collection does.
    pub fn is_worth_collecting_before_fork(&self) -> bool {
        let since = self.since();
        let copied = self.copied.fetch_add(since, Relaxed) + since;
        // Half of what is new may be alive.
        let live = self.lock().kept as usize * BLOCK + since / 2;
        copied > MARKING * live
    }

    /// A collection has left `live` bytes in cells, of this many threads.
    pub fn restart_count(&self, central: &mut Central, live: usize, threads: usize) {
        central.kept = central.in_use;
        if central.kept <= central.limit {
            central.reserve = None;
        }
        self.since.store(0, Relaxed);
        self.copied.store(0, Relaxed);
        self.threshold.store(central.threshold(live, threads), Relaxed);
    }

    /// A block of this class with free cells, now owned by the caller; and whether its bytes are all zero.
    pub fn claim(&self, class: usize) -> Option<(u32, bool)> {
        let mut central = self.lock();
        if let Some(block) = central.partial.get_mut(class)?.pop() {
            return Some((block, false));
        }
        if !central.permit(1, true) {
            return None;
        }
        let block = central.runs.take(1)?;
        central.occupy(block, 1);
        let zero = self.space.tag(block) == tag::FREE;
        self.space.set_tag(block, class as u8);
        Some((block, zero))
    }

    /// Takes back a block that may have free cells.
    pub fn disown(&self, class: usize, block: u32) {
        if let Some(blocks) = self.lock().partial.get_mut(class) {
            blocks.push(block);
        }
    }

    /// Address of a new object of whole blocks.
    pub fn alloc_large(&self, bytes: usize, member: Option<&Member>) -> Option<usize> {
        let n = u32::try_from(bytes.div_ceil(BLOCK)).ok()?;
        if !leaves_room(bytes) {
            return None;
        }
        let mut central = self.lock();
        if !central.permit(n, false) {
            return None;
        }
        let head = central.runs.take(n)?;
        central.occupy(head, n);
        let zero = self.space.tag(head) == tag::FREE;
        self.space.set_run(head, 0, n);
        bits::set_range(self.space.used(head), &[1; super::size::WORDS], 0, 1);
        drop(central);
        self.count(n as usize * BLOCK, member);
        let at = self.space.address(head);
        if !zero {
            // The head of the object, and the word at its end that may lead to attributes.
            self.space.fill(at, 4 * GRANULE, 0);
            self.space.fill(at + n as usize * BLOCK - GRANULE, GRANULE, 0);
        }
        Some(at)
    }

    /// Grows the cell at `addr` in place; returns its new size.
    pub fn try_extend(&self, addr: usize, old_bytes: usize, new_bytes: usize) -> Option<usize> {
        let size = self.space.cell_end(addr) - addr;
        debug_assert!(size >= old_bytes);
        if new_bytes <= size {
            return Some(size);
        }
        let head = self.space.block_of(addr);
        if self.space.tag(head) != tag::HEAD {
            return None;
        }
        let old = self.space.run_len(head);
        let new = u32::try_from(new_bytes.div_ceil(BLOCK)).ok().filter(|_| leaves_room(new_bytes))?;
        let mut central = self.lock();
        if !central.permit(new - old, false) || !central.runs.take_at(head + old, new - old) {
            return None;
        }
        central.occupy(head + old, new - old);
        self.space.set_run(head, old, new);
        drop(central);
        self.count((new - old) as usize * BLOCK, None);
        Some(new as usize * BLOCK)
    }
}

impl Central {
    fn occupy(&mut self, start: u32, n: u32) {
        self.in_use += n;
        self.top = self.top.max(start + n);
    }

    /// When the next collection is due: when as much garbage may have piled up as there are live objects (or more, if
    /// they are few), but well before the limit, so that what is garbage is never the reason for a MemoryError.
    fn threshold(&self, live: usize, threads: usize) -> usize {
        let room = self.limit.saturating_sub(self.kept) as usize * BLOCK;
        let least = (self.limit as usize / 64 * BLOCK).clamp(BLOCK, MIN_BETWEEN);
        let few = live.saturating_mul(WORTH).max(threads * MIN_BETWEEN).min(MOST_BETWEEN);
        live.max(few).min(room / 2).max(least)
    }

    /// Whether `n` more blocks may be used. The limit may be overdrawn by a quarter where garbage is to blame: what was
    /// alive after the last collection, and these blocks, keep within it.
    fn permit(&mut self, n: u32, small: bool) -> bool {
        let limit = self.limit as u64;
        let wanted = self.in_use as u64 + n as u64;
        let overdraft = limit + limit / 4 + RESERVE as u64;
        if wanted <= limit || (self.kept as u64 + n as u64 <= limit && wanted <= overdraft) {
            return true;
        }
        match &mut self.reserve {
            None => self.reserve = Some(RESERVE),
            Some(left) if small && *left >= n && wanted <= overdraft => {
                *left -= n;
                return true;
            }
            Some(_) => {}
        }
        false
    }
}
