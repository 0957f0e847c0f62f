//! The heap: our own non-moving mark-sweep collector. Must not know what objects do, only their layout rules.
//!
//! * `space`: the reserved addresses and their side tables; `size`, `bits`, `runs`: the arithmetic of these.
//! * `local`: a thread's gaps, from which allocation bumps; `central`: what threads share, and the limit.
//! * `mark`, `collect`, `finalize`: a collection. `object::trace` knows where an object's values are.
//!
//! A block holds cells of one size. Bitmaps at the side say which cells are in use; allocation goes through the gaps
//! between them. Nothing is written into dead cells, so that a forked child collects without copying the heap.
//!
//! `unsafe` stands in `space`, `mark`, `collect`, `finalize` and `limit`.

mod bits;
mod central;
mod collect;
mod finalize;
mod limit;
mod local;
mod mark;
mod runs;
mod size;
mod space;
#[cfg(test)]
mod tests;

pub use collect::{CollectStats, Collected, Locals};
pub use finalize::{Garbage, new_code_data};
pub use limit::leaves_room;
pub use local::LocalHeap;
pub use mark::Marker;
pub use size::SMALL_MAX;

use super::value::Value;
use crate::gil::{Events, Member};
use central::{Central, Heap};
use size::GRANULE;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{MutexGuard, OnceLock};

static HEAP: OnceLock<Option<Heap>> = OnceLock::new();
/// The first address of the process's heap.
static BASE: AtomicUsize = AtomicUsize::new(0);

/// Called after marking with a test for liveness, while the world stands still: drops what a table holds weakly.
pub type WeakHook = fn(&dyn Fn(Value) -> bool);

/// Whether a new cell for so many bytes is all zeros, unless it is a leaf.
#[inline(always)]
pub const fn comes_cleared(bytes: usize) -> bool {
    bytes <= SMALL_MAX
}

fn reserve(max_bytes: usize) -> &'static Option<Heap> {
    HEAP.get_or_init(|| {
        let heap = Heap::new(space::WANTED, max_bytes)?;
        BASE.store(heap.space.base(), Relaxed);
        Some(heap)
    })
}

/// Reserves the heap; it may take `max_bytes` (0: three quarters of the memory there is). Later calls set the limit anew.
/// Errors: the system grants no address space to speak of.
pub fn init(max_bytes: usize) -> Result<(), String> {
    let heap = reserve(max_bytes).as_ref();
    let heap = heap.ok_or("not enough address space for the heap: see `ulimit -v`")?;
    heap.set_limit(max_bytes);
    Ok(())
}

/// The process's heap. Without address space for one there is no way to go on; `init` reports that more politely.
fn global() -> &'static Heap {
    match reserve(0) {
        Some(heap) => heap,
        None => {
            eprintln!("mini: not enough address space for the heap");
            std::process::exit(1);
        }
    }
}

/// Compresses the address of a cell to 32 bits: its offset in the reserved range, in units of 16 bytes.
#[inline(always)]
pub fn compress(v: Value) -> u32 {
    (v.addr().wrapping_sub(BASE.load(Relaxed)) / GRANULE) as u32
}

/// The inverse of `compress`.
#[inline(always)]
pub fn expand(id: u32) -> Value {
    Value::from_addr(BASE.load(Relaxed) + id as usize * GRANULE)
}

/// Asks for a collection at the next poll.
pub fn request_collection(member: &Member) {
    member.request(Events::COLLECT);
}

/// Grows the cell at `addr` in place, from `old_bytes` asked for to `new_bytes`; returns how many bytes it has now.
/// `None`: its neighbours are in use, or the limit is reached.
pub fn try_extend(addr: usize, old_bytes: usize, new_bytes: usize) -> Option<usize> {
    global().try_extend(addr, old_bytes, new_bytes)
}

/// The bytes that the cell of `v` really has: at least as many as were asked for.
#[inline]
pub fn cell_size(v: Value) -> usize {
    cell_end(v) - v.addr()
}

/// The first address behind the cell of `v`.
#[inline]
pub fn cell_end(v: Value) -> usize {
    global().space.cell_end(v.addr())
}

/// Gives up what is left of a thread's gaps: before a fork, and when the thread ends.
pub fn retire(local: &mut LocalHeap) {
    local.retire();
}

/// Whether a cell in use begins at `addr`.
pub fn is_cell(addr: usize) -> bool {
    find_cell(addr).is_some_and(|v| v.addr() == addr)
}

/// The object whose cell holds `addr`, if it is in use: for pointers into objects.
pub fn find_cell(addr: usize) -> Option<Value> {
    global().space.find_cell(addr).map(Value::from_addr)
}

/// The death of this object, a Host or a Code, frees what it owns. It must be wholly written.
pub fn add_finalizable(v: Value) {
    global().lock().finalizable.push(v.addr());
}

/// Visits the objects that own something, dead ones included. The world stands still; `visit` must not allocate.
pub fn for_each_finalizable(mut visit: impl FnMut(Value)) {
    global().lock().finalizable.iter().for_each(|addr| visit(Value::from_addr(*addr)));
}

/// Has a weak table cleared of the dead after each marking.
pub fn register_weak(hook: WeakHook) {
    global().lock().weak.push(hook);
}

/// Collects; the world stands still. `locals` visits every thread's LocalHeap, `roots` everything that is alive by
/// itself. The garbage is to be dropped after the world runs again.
pub fn collect(locals: Locals, roots: &mut dyn FnMut(&mut Marker)) -> Collected {
    global().collect(locals, roots)
}

/// A fork is about to happen: whether what it would copy is worth a collection.
pub fn is_worth_collecting_before_fork() -> bool {
    global().is_worth_collecting_before_fork()
}

/// Has the next collection give every free page back to the system.
pub fn release_at_next_collection() {
    collect::RELEASE_ALL.store(true, Relaxed);
}

/// Collections so far, and what they cost.
pub fn stats() -> CollectStats {
    global().lock().stats
}

/// Bytes allocated since the last collection, as far as threads have reported them.
pub fn allocated_since() -> usize {
    global().since()
}

/// Bytes of the blocks in use.
pub fn used() -> usize {
    global().lock().in_use as usize * size::BLOCK
}

/// The most that the blocks in use may be: what is sure to be larger need not be tried.
pub fn limit() -> usize {
    global().limit()
}

/// A fork has copied the entries of all pages, those of garbage as well: counts as an allocation of this part of what was
/// allocated since the last collection. So a process that forks again and again stays small.
const FORK_SHARE: usize = 64;

/// In the parent, after a fork.
pub fn after_fork_parent(member: &Member) {
    let heap = global();
    heap.count(heap.since() / FORK_SHARE, Some(member));
}

/// Where the heap ended when this process was forked off, if that was a large one.
static INHERITED: AtomicUsize = AtomicUsize::new(0);
/// Less than this is not worth sharing, in blocks.
const WORTH_SHARING: u32 = (8 << 20) / size::BLOCK as u32;

/// In a forked child: what there is of the heap is shared with the parent, page by page until it is written to.
#[inline(always)]
pub fn after_fork_child() {
    let heap = global();
    let central = heap.lock();
    let end = if central.in_use < WORTH_SHARING { 0 } else { heap.space.address(central.top) };
    if INHERITED.load(Relaxed) != end {
        INHERITED.store(end, Relaxed);
    }
}

/// Whether writing to an object is likely to copy a page that is shared with the parent. What can be found again is better not
/// noted there.
#[inline]
pub fn is_inherited(addr: usize) -> bool {
    addr < INHERITED.load(Relaxed)
}

/// Holds the heap's lock across a fork, so that the child finds it free. With the world stopped, after every
/// LocalHeap's `retire`: the child has no threads that could finish what is begun.
pub struct ForkGuard {
    _lock: MutexGuard<'static, Central>,
}

/// See `ForkGuard`.
pub fn lock_for_fork() -> ForkGuard {
    ForkGuard { _lock: global().lock() }
}
