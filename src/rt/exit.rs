//! The end of the program: threads that are no daemons are waited for, the others are told to stand still.
//! Must not know what else is torn down.

use crate::gil::{self, Events};
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

/// Keeps every other thread from running Mini code again: the process is about to end.
pub fn stop_other_threads(th: &Thread) {
    let me = th.m.member;
    gil::for_each_member(|member| {
        if !std::ptr::eq(member, me) {
            member.request(Events::EXIT);
        }
    });
}
