//! One collection: mark, see to the dead that own something, sweep. The world stands still meanwhile.
//! Must not know where roots are.

use super::bits::Bits;
use super::central::{Central, Heap};
use super::finalize::{self, Garbage};
use super::local::LocalHeap;
use super::mark::Marker;
use super::size::{BLOCK, GRANULE, cells, size_of_class};
use super::space::{Space, tag};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

/// Bytes of free blocks that keep their pages, if the living are no more than that.
const KEEP_DIRTY: usize = 32 << 20;

/// The next collection gives all free pages back.
pub(super) static RELEASE_ALL: AtomicBool = AtomicBool::new(false);

/// What collections have done so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CollectStats {
    pub collections: u64,
    /// Bytes in cells that survived the last one.
    pub live_bytes: usize,
    pub pause_ns_total: u64,
    pub pause_ns_max: u64,
}

/// What one collection has done.
pub struct Collected {
    /// Bytes in cells that survived.
    pub live: u64,
    /// What the dead owned: drop it when the world runs again.
    pub garbage: Garbage,
}

/// Visits every thread's local heap.
pub type Locals<'a> = &'a mut dyn FnMut(VisitLocal);
/// What is done with each of them.
pub type VisitLocal<'a> = &'a mut dyn FnMut(&mut LocalHeap);

impl Heap {
    /// Collects. `locals` visits every thread's LocalHeap, `roots` everything that is alive by itself.
    pub fn collect(&self, locals: Locals, roots: &mut dyn FnMut(&mut Marker)) -> Collected {
        let start = Instant::now();
        let mut threads = 0;
        locals(&mut |local| {
            local.forget();
            threads += 1;
        });
        let mut central = self.lock();
        let mut marker = Marker::new(&self.space);
        roots(&mut marker);
        marker.drain();
        let garbage = self.bury(&mut central, &marker);
        let live = sweep(&self.space, &mut central);
        self.restart_count(&mut central, live, threads);
        let pause = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let stats = &mut central.stats;
        stats.collections += 1;
        stats.live_bytes = live;
        stats.pause_ns_total += pause;
        stats.pause_ns_max = stats.pause_ns_max.max(pause);
        Collected { live: live as u64, garbage }
    }

    /// Takes from the dead what they own, and from the living what they hold weakly.
    fn bury(&self, central: &mut Central, marker: &Marker) -> Garbage {
        let mut garbage = Garbage::default();
        let is_live = |addr: usize| marker.is_marked(addr);
        let is_dead = |addr: usize| self.space.find_cell(addr) == Some(addr) && !marker.is_marked(addr);
        for addr in &central.finalizable {
            // SAFETY: the list holds cells in use, of the kinds that `finalize` knows; the world stands still.
            unsafe {
                if is_live(*addr) {
                    finalize::forget_dead_caches(*addr, self.space.base(), &is_dead);
                }
            }
        }
        central.finalizable.retain(|addr| {
            if !is_live(*addr) {
                // SAFETY: as above, and nobody will look at the object again.
                unsafe { finalize::bury(*addr, &mut garbage) };
            }
            is_live(*addr)
        });
        for hook in &central.weak {
            hook(&|v| !v.is_ref() || is_live(v.addr()));
        }
        garbage
    }
}

/// Turns marks into used cells and finds the free blocks; returns the bytes of the living.
fn sweep(space: &Space, central: &mut Central) -> usize {
    central.partial.iter_mut().for_each(Vec::clear);
    let (mut live_bytes, mut in_use) = (0, 0);
    let mut free: Vec<(u32, u32)> = Vec::new();
    let mut block = 1;
    while block < central.top {
        let (len, live) = sweep_block(space, central, block);
        if live == 0 {
            add_run(&mut free, block, len);
        } else {
            live_bytes += live;
            in_use += len;
        }
        block += len;
    }
    // Lowest addresses are filled first: that leaves whole blocks free at the top.
    central.partial.iter_mut().for_each(|blocks| blocks.reverse());
    central.in_use = in_use;
    let keep = if RELEASE_ALL.swap(false, Relaxed) { 0 } else { live_bytes.max(KEEP_DIRTY) };
    release_pages(space, &free, keep / BLOCK);
    add_run(&mut free, central.top, space.blocks() - central.top);
    central.runs.rebuild(free.into_iter());
    live_bytes
}

fn add_run(free: &mut Vec<(u32, u32)>, block: u32, len: u32) {
    match free.last_mut() {
        Some((start, n)) if *start + *n == block => *n += len,
        _ => free.push((block, len)),
    }
}

/// Sweeps what begins at `block`; returns its length in blocks, and the bytes alive in it.
fn sweep_block(space: &Space, central: &mut Central, block: u32) -> (u32, usize) {
    let (used, marks) = (space.used(block), space.marks(block));
    match space.tag(block) {
        tag::FREE | tag::DIRTY => (1, 0),
        tag::HEAD | tag::REST => {
            let len = space.run_len(block);
            poison(space, block, len as usize * BLOCK);
            let alive = keep_marked(used, marks) != 0;
            if !alive {
                (block..block + len).for_each(|b| space.set_tag(b, tag::DIRTY));
            }
            (len, if alive { len as usize * BLOCK } else { 0 })
        }
        class => {
            let size = size_of_class(class as usize);
            poison(space, block, size);
            let alive = keep_marked(used, marks);
            if alive == 0 {
                space.set_tag(block, tag::DIRTY);
            } else if alive < cells(class as usize) {
                central.partial.get_mut(class as usize).into_iter().for_each(|blocks| blocks.push(block));
            }
            (1, alive * size)
        }
    }
}

/// The marked cells are the used ones; returns their number.
fn keep_marked(used: &Bits, marks: &Bits) -> usize {
    let mut alive = 0;
    for (used, marks) in used.iter().zip(marks) {
        let live = marks.load(Relaxed);
        if used.load(Relaxed) != live {
            used.store(live, Relaxed);
        }
        if live != 0 {
            marks.store(0, Relaxed);
            alive += live.count_ones() as usize;
        }
    }
    alive
}

/// In the torture build: overwrites the dead cells of a block, so that a forgotten root shows at once.
fn poison(space: &Space, block: u32, size: usize) {
    if cfg!(feature = "torture") {
        let words = space.used(block).iter().zip(space.marks(block)).enumerate();
        for (w, (used, marks)) in words {
            let dead = used.load(Relaxed) & !marks.load(Relaxed);
            for bit in (0..64).filter(|bit| dead >> bit & 1 != 0) {
                space.fill(space.address(block) + (w * 64 + bit) * GRANULE, size, 0xdb);
            }
        }
    }
}

/// Gives back the pages of free blocks, but for the first `keep` ones: those are about to be used again.
fn release_pages(space: &Space, free: &[(u32, u32)], mut keep: usize) {
    for (start, len) in free {
        let mut block = *start;
        while block < start + len {
            let same = |b: &u32| space.tag(*b) == space.tag(block);
            let n = (block..start + len).take_while(same).count() as u32;
            if space.tag(block) == tag::DIRTY {
                let kept = keep.min(n as usize) as u32;
                keep -= kept as usize;
                if kept < n {
                    space.release(block + kept, n - kept);
                }
            }
            block += n;
        }
    }
}
