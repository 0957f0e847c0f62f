//! Suspended calls as data: generators, coroutines and asynchronous generators. While one is suspended its registers lie
//! in the object; whoever wants to run or read it claims it first. Must not know frames or how it is resumed.

use super::error::R;
use super::header::{Hdr, Kind, Slot};
use super::layout::{Function, Generator};
use super::mutator::Mutator;
use super::value::{Value, Word};
use super::{tuple, types};
use crate::bytecode::op::Insn;
use std::mem::offset_of;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

/// Can be claimed.
pub const SUSPENDED: u32 = 0;
/// Claimed: runs, or is being looked at.
pub const RUNNING: u32 = 1;
/// Will never run again.
pub const FINISHED: u32 = 2;

/// Bits of `Generator::bits`.
pub mod bits {
    /// A generator that can be awaited (`types.coroutine`).
    pub const AWAITABLE: u32 = 1;
    /// Of an asynchronous generator: an `asend`, `athrow` or `aclose` is under way.
    pub const ASYNC_RUNNING: u32 = 2;
    /// Of an asynchronous generator: closed, or at its end.
    pub const CLOSED: u32 = 4;
    /// Of an asynchronous generator: who wants to know of it was told.
    pub const ANNOUNCED: u32 = 8;
}

/// Whether objects of this kind are suspended calls.
#[inline(always)]
pub fn is_kind(kind: Kind) -> bool {
    matches!(kind, Kind::Generator | Kind::Coroutine | Kind::AsyncGenerator)
}

/// `v` as a suspended call of any of the three kinds.
#[inline(always)]
pub fn of(v: Value) -> Option<&'static Generator> {
    if v.is_ref() && is_kind(types::hdr(v).kind) {
        // SAFETY: the three kinds share the struct; its mutable words are atomics.
        Some(unsafe { &*(v.addr() as *const Generator) })
    } else {
        None
    }
}

/// The value of a suspended call.
#[inline(always)]
pub fn value(g: &Generator) -> Value {
    Value::from_addr(std::ptr::from_ref(g).addr())
}

/// A suspended call with room for `room` registers, claimed by the caller; `pc` is where it will go on.
pub fn new(m: &mut Mutator, kind: Kind, func: Value, room: u32, pc: *const Insn) -> R<&'static Generator> {
    let p = m.alloc_as::<Generator>(kind, types::root_shape(kind), room as usize * 8)?;
    // SAFETY: the cell is ours alone; this writes every word of the struct behind the header. Its registers are not read
    // before `live` says that they are written.
    unsafe {
        (&raw mut (*p).func).write(Slot::new(func));
        (&raw mut (*p).handled).write(Slot::empty());
        (&raw mut (*p).names).write(Slot::empty());
        (&raw mut (*p).pc).write(AtomicPtr::new(pc.cast_mut()));
        (&raw mut (*p).state).write(AtomicU32::new(RUNNING));
        (&raw mut (*p).live).write(AtomicU32::new(0));
        (&raw mut (*p).bits).write(AtomicU32::new(0));
        (&raw mut (*p).room).write(room);
        Ok(&*p)
    }
}

/// Takes it for the calling thread alone. Errors: the state it is in instead.
#[inline]
pub fn claim(g: &Generator) -> Result<(), u32> {
    let claimed = g.state.compare_exchange(SUSPENDED, RUNNING, Ordering::Acquire, Ordering::Relaxed);
    claimed.map(drop)
}

/// As `claim`, where no other thread can come in between.
#[inline(always)]
pub fn claim_alone(g: &Generator) -> Result<(), u32> {
    match g.state.load(Ordering::Relaxed) {
        SUSPENDED => {
            g.state.store(RUNNING, Ordering::Relaxed);
            Ok(())
        }
        state => Err(state),
    }
}

/// Gives it back as it was, or ends it: `state` is SUSPENDED or FINISHED.
#[inline(always)]
pub fn release(g: &Generator, state: u32) {
    g.state.store(state, Ordering::Release);
}

/// The state it is in now.
pub fn state(g: &Generator) -> u32 {
    g.state.load(Ordering::Acquire)
}

/// Its registers.
#[inline(always)]
pub fn regs(g: *const Generator) -> *mut u64 {
    g.cast::<u64>().wrapping_byte_add(offset_of!(Generator, regs)).cast_mut()
}

/// Copies the registers to `to`. The generator is claimed, and `to` has room for them.
///
/// # Safety
/// As said.
#[inline(always)]
pub unsafe fn copy_out(g: &Generator, to: *mut u64) {
    let live = g.live.load(Ordering::Relaxed) as usize;
    // SAFETY: `live` registers are written; the claim keeps others away.
    unsafe { copy(regs(g), to, live) };
}

/// A few words, two at a time.
///
/// # Safety
/// `count` words can be read at `from` and written at `to`; nobody else writes them.
#[inline(always)]
unsafe fn copy(from: *const u64, to: *mut u64, count: usize) {
    let mut i = 0;
    while i + 1 < count {
        // SAFETY: by the caller. The empty line of assembler keeps the compiler from calling `memcpy`, and from unrolling:
        // both take longer for so few.
        unsafe {
            to.add(i).cast::<[u64; 2]>().write(from.add(i).cast::<[u64; 2]>().read());
            std::arch::asm!("", options(nomem, nostack, preserves_flags));
        }
        i += 2;
    }
    if i < count {
        // SAFETY: by the caller.
        unsafe { to.add(i).write(from.add(i).read()) };
    }
}

/// Keeps `live` registers that lie at `from`. The generator is claimed, and has room for them.
///
/// # Safety
/// As said.
#[inline(always)]
pub unsafe fn copy_in(g: &Generator, from: *const u64, live: usize) {
    // SAFETY: inside the object; the claim keeps others away.
    unsafe { copy(from, regs(g), live) };
    g.live.store(live as u32, Ordering::Relaxed);
}

/// A register of a claimed, suspended call.
pub fn register(g: &Generator, i: usize) -> Word {
    if i >= g.live.load(Ordering::Relaxed) as usize {
        return None;
    }
    // SAFETY: a register in use, which nobody writes while it is claimed.
    Value::from_bits(unsafe { (*regs(g).cast::<AtomicU64>().add(i)).load(Ordering::Relaxed) })
}

/// For the collector: the words of an object that may be values, if it is a suspended call. They are not only values: a
/// window that is being filled has words of earlier calls in it.
#[inline(always)]
pub fn registers(hdr: &Hdr) -> Option<(*const u64, usize)> {
    if !is_kind(hdr.kind) {
        return None;
    }
    let g = std::ptr::from_ref(hdr).cast::<Generator>();
    // SAFETY: the kind says that it is this struct.
    let g = unsafe { &*g };
    let suspended = g.state.load(Ordering::Relaxed) == SUSPENDED;
    suspended.then(|| (regs(g).cast_const(), g.live.load(Ordering::Relaxed) as usize))
}

/// `__name__` and `__qualname__`, if others than the function's were given.
pub fn given_names(v: Value) -> Option<[Value; 2]> {
    match of(v)?.names.get().map(tuple::items)? {
        [name, qualname] => Some([name.value(), qualname.value()]),
        _ => None,
    }
}

/// The function that was called.
pub fn function(v: Value) -> Option<&'static Function> {
    types::cast::<Function>(of(v)?.func.value())
}
