//! Frames on the register stack: the link words below register 0, and walks over them.
//! Must not know instructions.
//!
//! ```text
//!   base[-4]  the Function that runs (afterwards: the result); EMPTY for a native's arguments
//!   base[-3]  the caller's data segment; CTOR: the instance; native's arguments: how many there are
//!   base[-2]  the caller's base, with the frame's flags in its low three bits
//!   base[-1]  the caller's pc
//! ```

use crate::bytecode::code::Code as Plain;
use crate::bytecode::op::Insn;
use crate::object::code::is_unlinked;
use crate::object::layout::{Code, Function};
use crate::object::types;
use crate::object::{Value, Word};
use std::sync::atomic::Ordering;

/// Words of a link.
pub const LINK: usize = 4;

/// Called from Rust: `Return` leaves the eval loop.
pub const ENTRY: u64 = 1;
/// Runs `__init__`: `Return` checks for None, and the result is the instance.
pub const CTOR: u64 = 2;
/// The result goes to the caller's register whose number is in base[-3].
pub const RESULT: u64 = 4;
/// In place of that number: the result says whether the instruction that entered the frame jumps.
pub const JUMP: u64 = u64::MAX;
/// Of a generator that a native resumed: what it yields is for `Thread::fold` first.
pub const FOLD: u64 = ENTRY | CTOR;
pub const FLAGS: u64 = 7;

/// Reads link word `n` (1 to 4) below a base.
#[inline(always)]
pub(crate) fn link(base: *mut u64, n: usize) -> u64 {
    // SAFETY: every base, the lowest included, has LINK words below it.
    unsafe { *base.sub(n) }
}

/// Writes the link of a new frame.
#[inline(always)]
pub(crate) fn set_link(
    base: *mut u64,
    func: Word,
    third: u64,
    caller: *mut u64,
    flags: u64,
    pc: *const Insn,
) {
    // SAFETY: the caller has checked that `base` is inside the stack with room for its registers.
    unsafe {
        *base.sub(4) = func.map_or(0, Value::bits);
        *base.sub(3) = third;
        *base.sub(2) = caller.addr() as u64 | flags;
        *base.sub(1) = pc.addr() as u64;
    }
}

/// Writes the third link word, whose meaning depends on the frame's flags.
#[inline(always)]
pub(crate) fn set_third(base: *mut u64, third: u64) {
    // SAFETY: as `link`.
    unsafe { *base.sub(3) = third };
}

/// The function that runs in the frame at `base`; `None` for a native's arguments and at the bottom.
#[inline]
pub fn function(base: *mut u64) -> Option<&'static Function> {
    Value::from_bits(link(base, 4)).and_then(types::cast::<Function>)
}

/// The code that runs in the frame at `base`.
#[inline]
pub fn code(base: *mut u64) -> Option<&'static Code> {
    function(base).and_then(code_of)
}

/// The code of a function.
#[inline(always)]
pub fn code_of(f: &Function) -> Option<&'static Code> {
    types::cast::<Code>(f.code.get()?)
}

/// The compiler's code object behind linked code.
#[inline]
pub fn plain(code: &Code) -> &'static Plain {
    // SAFETY: `plain` is an Arc turned into a pointer that lives as long as the Code; callers keep the Code alive.
    unsafe { &*code.plain }
}

/// The caller's base.
#[inline(always)]
pub fn caller(base: *mut u64) -> *mut u64 {
    (link(base, 2) & !FLAGS) as *mut u64
}

/// The frame's flags.
#[inline(always)]
pub fn flags(base: *mut u64) -> u64 {
    link(base, 2) & FLAGS
}

/// Where the caller goes on.
#[inline(always)]
pub fn return_pc(base: *mut u64) -> *const Insn {
    link(base, 1) as *const Insn
}

/// The first word behind the registers of the frame at `base`.
#[inline]
pub fn top(base: *mut u64) -> *mut u64 {
    let words = match function(base) {
        Some(function) => function.nregs as usize,
        None => link(base, 3) as usize,
    };
    base.wrapping_add(words)
}

/// Index of the instruction before `pc`: the one that is running. Of a call that has not begun: the first.
pub fn index_of(code: &Code, pc: *const Insn) -> usize {
    if code.linked().is_none() {
        return 0;
    }
    let insns = &plain(code).insns;
    let index = pc.addr().wrapping_sub(insns.as_ptr().addr()) / std::mem::size_of::<Insn>();
    if index > insns.len() { 0 } else { index.saturating_sub(1) }
}

/// The first instruction that a call of the function runs.
#[inline(always)]
pub fn first(f: &Function) -> *const Insn {
    // SAFETY: a data segment begins with this address, and is there as long as the function is.
    unsafe { std::ptr::with_exposed_provenance(*f.data.load(Ordering::Acquire) as usize) }
}

/// Whether calls of the function can be past their first instruction: not before its code is linked.
pub fn has_begun(f: &Function) -> bool {
    !is_unlinked(f.data.load(Ordering::Acquire))
}

/// A frame that runs Mini code, as tracebacks and `sys._getframe` see it.
pub struct Frame {
    pub base: *mut u64,
    pub function: &'static Function,
    pub code: &'static Code,
    /// Index of the running instruction.
    pub at: usize,
}

impl Frame {
    /// Register `i`; EMPTY if the frame has no such register, or the variable in it has no value.
    pub fn register(&self, i: usize) -> Word {
        if i >= self.code.nregs as usize {
            return None;
        }
        // SAFETY: a register of a live frame, by the check above.
        Value::from_bits(unsafe { *self.base.add(i) })
    }

    /// The source line.
    pub fn line(&self) -> u32 {
        plain(self.code).line_at(self.at)
    }
}

/// Frames from the innermost outwards. `pc` belongs to the innermost.
pub fn walk(mut base: *mut u64, mut pc: *const Insn) -> impl Iterator<Item = Frame> {
    std::iter::from_fn(move || {
        while !base.is_null() {
            let here = base;
            let at = pc;
            pc = return_pc(here);
            base = caller(here);
            if let Some(function) = function(here) {
                let code = code_of(function)?;
                return Some(Frame { base: here, function, code, at: index_of(code, at) });
            }
        }
        None
    })
}
