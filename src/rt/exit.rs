//! The end of the program: threads that are no daemons are waited for, the others are told to stand still.
//! Must not know what else is torn down.

use super::syscall;
use crate::gil::{self, Events, record};
use crate::object::{R, Value};
use crate::vm::thread::Thread;

/// Waits for every thread that is not a daemon. `threading` is the module of that name, if it was imported.
/// Errors: what its exit functions raised, or KeyboardInterrupt.
pub fn wait_for_threads(th: &mut Thread, threading: Option<Value>) -> R<()> {
    match threading {
        Some(module) => th.call_method(module, "_shutdown", &[]).map(drop),
        None => Ok(()),
    }
}

/// Ends the process at once, but for what was asked to be written down about it.
#[inline(always)]
pub fn end_now(code: i32) -> ! {
    let written = record::finish();
    syscall::exit_now(if code == 0 && !written { 1 } else { code })
}

/// Keeps every other thread from running Mini code again: the process is about to end.
pub fn stop_other_threads(th: &Thread) {
    let me = th.m.member;
    gil::for_each_member(|member| {
        if !std::ptr::eq(member, me) {
            member.request(Events::EXIT);
        }
    });
}
