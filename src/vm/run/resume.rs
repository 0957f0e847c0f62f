//! How the eval loop resumes a generator without leaving the loop. Must not know instructions.

use super::Mode;
use crate::object::generator;
use crate::object::layout::{Function, Generator};
use crate::vm::coroutine::{self, GEN_LINK};
use crate::vm::frame::LINK;
use crate::vm::thread::Thread;

/// Register 0 of a frame above the one at `r` in which `g` can go on, its link not yet written; null if it is not
/// suspended, or if there is no room: the slow path says what is wrong.
///
/// # Safety
/// `th`, the frame at `r` and `g` are live.
#[inline(always)]
pub(super) unsafe fn resumed<M: Mode>(
    th: *mut Thread,
    r: *mut u64,
    g: *const Generator,
    sent: u64,
) -> *mut u64 {
    // SAFETY: by the caller; the link of a frame names its function.
    unsafe {
        let g = &*g;
        let base = r.add((*(*r.sub(LINK) as *const Function)).nregs as usize + GEN_LINK);
        let function = g.func.bits() as *const Function;
        let room = base.wrapping_add((*function).nregs as usize) <= (*th).limit;
        let claim = if M::FREE { generator::claim } else { generator::claim_alone };
        if !room || (*th).depth <= 0 || claim(g).is_err() {
            return std::ptr::null_mut();
        }
        (*th).depth -= 1;
        coroutine::unpack(th, g, base, sent);
        base
    }
}
