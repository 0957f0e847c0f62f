//! From a raised exception to its handler: along the handler tables, frame by frame, writing the traceback.
//! Must not know what a handler does.

use super::frame::{self, CTOR, ENTRY, FLAGS, LINK};
use super::ops::framed;
use super::stack;
use super::thread::Thread;
use crate::object::{Exc, Value, exc, types};

/// Moves the thread to the innermost handler of the pending exception. False: it leaves the frame that was entered
/// from Rust (which is popped); the exception stays pending.
pub fn unwind(th: &mut Thread) -> bool {
    let exception = match th.m.pending {
        Some(e) => e,
        None => {
            // Every `Raised` leaves an exception behind; a bug that does not must not crash.
            th.m.raise(Exc::SystemError, "error return without exception set");
            th.m.pending.unwrap_or(Value::NONE)
        }
    };
    // What has come through a frame before has its context already (`raise` sees to what is raised anew).
    if !th.traced && exc::cast(exception).is_some_and(|e| e.traceback.get().is_none()) {
        set_context(th, exception);
    }
    let scarce = Some(exception) == types::memory_error();
    if scarce {
        stack::wipe();
    }
    let handled = leave_frames(th, exception, scarce);
    // The handler may need memory at once, and no poll point need come before that: `run_entered` collects.
    th.scarce = scarce && handled;
    handled
}

/// Empties the registers of frames that are left: what they held, perhaps a lot, must not seem to be in use to a
/// collection that finds these registers in a frame that has not written them yet.
#[cold]
fn forget_registers(from: *mut u64, to: *mut u64) {
    let words = to.addr().saturating_sub(from.addr()) / 8;
    // SAFETY: registers of this thread that no running frame will read: those of frames left, and of their calls.
    unsafe { from.write_bytes(0, words) };
}

/// Leaves frames until there is a handler. False: there is none up to the frame that was entered from Rust.
fn leave_frames(th: &mut Thread, mut exception: Value, scarce: bool) -> bool {
    let mut top = frame::top(th.base);
    loop {
        let base = th.base;
        let (Some(function), Some(code)) = (frame::function(base), frame::code(base)) else { return false };
        let at = frame::index_of(code, th.pc);
        let plain = frame::plain(code);
        let traced = std::mem::take(&mut th.traced);
        if let Some(code_value) = function.code.get().filter(|_| !traced) {
            for depth in (0..=plain.depth_at(at)).rev() {
                let place = exc::Place { pc: at as u32, depth: depth as u32 };
                exc::add_traceback(&mut th.m, exception, code_value, place);
            }
        }
        // Code that is not linked has not begun.
        if let Some(handler) = plain.handler_at(at).filter(|_| frame::has_begun(function)) {
            // SAFETY: the verifier has checked the handler's register and target against this code.
            unsafe {
                *base.add(handler.reg as usize) = exception.bits();
                th.pc = plain.insns.as_ptr().add(handler.target as usize);
            }
            th.m.pending = None;
            return true;
        }
        let flags = frame::flags(base);
        pop(th);
        // At `MakeGen` there is no generator yet, or it has not begun: `resume` knows.
        if plain.flags.suspends() && at > 0 {
            exception = super::coroutine::raised(th, base, exception);
            th.m.pending = Some(exception);
        }
        if scarce {
            // The frame begins inside its caller's, in the window of the call.
            let window = base.wrapping_sub(LINK);
            forget_registers(window, top);
            top = window;
        }
        if flags & ENTRY != 0 {
            return false;
        }
        if flags & frame::RESULT != 0 && framed::ends_loop(th, exception) {
            th.m.pending = None;
            return true;
        }
        debug_assert!(flags & FLAGS == 0 || flags & CTOR != 0 || flags & frame::RESULT != 0);
    }
}

/// Leaves the running frame for its caller.
pub fn pop(th: &mut Thread) {
    let base = th.base;
    th.pc = frame::return_pc(base);
    th.base = frame::caller(base);
    th.depth += 1;
}

/// `__context__`: what was being handled when this was raised, unless that would make a cycle.
pub fn set_context(th: &mut Thread, exception: Value) {
    let Some(handled) = th.handled.filter(|h| *h != exception) else { return };
    let Some(e) = exc::cast(exception) else { return };
    if e.context.get().is_some() {
        return;
    }
    let mut at = Some(handled);
    let mut steps = 0;
    while let Some(link) = at.and_then(exc::cast) {
        if link.context.get() == Some(exception) {
            link.context.clear();
        }
        at = link.context.get();
        steps += 1;
        if steps > 10_000 {
            return;
        }
    }
    debug_assert!(types::hdr(handled).kind == crate::object::Kind::Exception);
    e.context.set(handled);
}
