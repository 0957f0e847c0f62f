//! The way into the eval loop from Rust. Must not know instructions.

use super::{Exit, Free, Locked, Stepped, run};
use crate::gil::LoopKind;
use crate::object::R;
use crate::vm::thread::Thread;
use crate::vm::{poll, stack};

/// Runs the frame at `th.base` until the frame that was entered from Rust ends, under whatever policy is in force.
pub fn run_entered(th: &mut Thread) -> R {
    loop {
        // SAFETY: the caller has pushed a complete frame of verified code.
        let exit = unsafe {
            match th.loop_kind {
                LoopKind::Free => run::<Free>(th),
                LoopKind::Locked => run::<Locked>(th),
                LoopKind::Stepped => run::<Stepped>(th),
            }
        };
        match exit {
            Exit::Done(v) => return Ok(v),
            Exit::Raised => return Err(crate::object::Raised),
            Exit::Switch => {
                // Not in the loop: its registers and frame still hold what the abandoned instruction worked on.
                if std::mem::take(&mut th.scarce) {
                    stack::wipe();
                    poll::collect(th);
                }
            }
        }
    }
}
