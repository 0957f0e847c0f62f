//! fork(): what is done before, and the one ordered list of what the child makes new. Must not know files, nor `os`:
//! whoever keeps state of threads above this layer mends it when it is told that it is the child.
//!
//! The other threads stand still, outside of everything that belongs to the heap. What a thread may hold even so, because
//! it needs no permission for it, is held here while the process is copied: the child finds it free.

use super::{spawn, syscall};
use crate::gil::{self, signal};
use crate::object::heap;
use crate::rt::syscall::Sys;
use crate::vm::thread::Thread;
use crate::vm::{poll, stack};

/// Which of the two processes it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The number of the child.
    Parent(i32),
    Child,
}

/// Makes a second process out of this one; only the calling thread goes on in it, as its main thread.
/// Errors: the system has no process to give.
pub fn fork(th: &mut Thread) -> Sys<Forked> {
    let member = th.m.member;
    let was_main = member.is_main();
    let forked = th.stop_the_world(|_| {
        // A cell that was handed to a thread and not used is nobody's once the thread is gone.
        poll::for_each_thread(|t| heap::retire(&mut t.m.heap));
        signal::with_signals_blocked(|| {
            let forked = copy_process();
            if forked == Ok(Forked::Child) {
                gil::after_fork_child(member);
                spawn::after_fork_child();
            }
            forked
        })
    });
    if forked == Ok(Forked::Child) && !was_main {
        signal::unblock_signals_in_this_thread();
    }
    forked
}

/// The system call, every lock held that a thread may hold while the world stands still. Always in this order.
fn copy_process() -> Sys<Forked> {
    let _heap = heap::lock_for_fork();
    let _registers = stack::lock_for_fork();
    let _idle = spawn::lock_for_fork();
    gil::with_locks_held(|| match syscall::fork()? {
        0 => Ok(Forked::Child),
        pid => Ok(Forked::Parent(pid as i32)),
    })
}
