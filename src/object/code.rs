//! Code before it is linked: until its first call it has the data segment of all such code, whose only instruction has it
//! linked. Must not know how that is done.

use super::layout::Code;
use crate::bytecode::op::{Insn, Op};
use std::sync::atomic::{AtomicU64, Ordering};

/// What runs in place of code that is not linked.
static FIRST: [Insn; 1] = [Insn::abc(Op::Link, 0, 0, 0)];
/// `D` of such code: the address of its first instruction.
static UNLINKED: AtomicU64 = AtomicU64::new(0);

/// The data segment of code that is not linked.
pub fn unlinked() -> *mut u64 {
    if UNLINKED.load(Ordering::Relaxed) == 0 {
        UNLINKED.store(FIRST.as_ptr().expose_provenance() as u64, Ordering::Relaxed);
    }
    UNLINKED.as_ptr()
}

/// Whether this is the data segment of code that is not linked.
#[inline]
pub fn is_unlinked(data: *mut u64) -> bool {
    data == UNLINKED.as_ptr()
}

impl Code {
    /// The data segment, if the code is linked.
    #[inline]
    pub fn linked(&self) -> Option<*mut u64> {
        let data = self.data.load(Ordering::Acquire);
        (!data.is_null() && !is_unlinked(data)).then_some(data)
    }
}
