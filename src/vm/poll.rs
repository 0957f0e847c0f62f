//! What a thread does when it is asked to stop at a poll point: signals, collection, a change of policy.
//! Must not know how the policy decides (`gil`), nor how marking works (`heap`).

use super::thread::{self, Thread};
use super::{link, signals};
use crate::gil::{self, Events, LoopKind};
use crate::object::{Exc, R, Raised, heap, str, types};
use std::sync::atomic::Ordering;

/// The Stepped loop counts one instruction. True: time to poll.
#[inline(always)]
pub fn step(th: &Thread) -> bool {
    let tick = th.m.member.tick();
    let left = tick.load(Ordering::Relaxed) - 1;
    tick.store(left, Ordering::Relaxed);
    gil::poll_at_op() && (left < 0 || th.m.member.breaker().load(Ordering::Relaxed) != 0)
}

/// Makes the next poll point look again: the loop that runs is not the one the policy wants.
#[cold]
pub fn remind(th: &Thread) {
    th.m.member.request(Events::MODE_CHANGE);
}

/// The slow path of every poll point.
#[cold]
#[inline(never)]
pub fn poll(th: &mut Thread) -> R<()> {
    let mut events = th.waiting(gil::poll);
    if cfg!(feature = "torture") {
        events |= Events::COLLECT;
    }
    if events.has(Events::COLLECT) {
        collect(th);
    }
    if events.has(Events::EXIT) {
        // The process is ending around a daemon thread: it must not run Mini code any more.
        th.detach(gil::Cause::Exit, || loop {
            std::thread::park();
        });
    }
    if events.has(Events::SIGNAL) && th.m.member.is_main() {
        signals::run_pending(th)?;
    }
    if events.has(Events::ASYNC) {
        return Err(th.raise(Exc::KeyboardInterrupt, ""));
    }
    Ok(())
}

/// Collects garbage now. Returns the number of bytes that survived.
pub fn collect(th: &mut Thread) -> u64 {
    // What the dead owned is dropped here, when the world runs again.
    let collected = th.waiting(|member| {
        gil::stop_the_world(member, |_| {
            let mut locals = |each: &mut dyn FnMut(&mut heap::LocalHeap)| {
                for_each_thread(|t| each(&mut t.m.heap));
            };
            let mut roots = |marker: &mut heap::Marker| {
                types::visit_roots(&mut |v| marker.visit(v));
                str::visit_roots(&mut |v| marker.visit(v));
                link::visit_roots(&mut |v| marker.visit(v));
                for_each_thread(|t| t.visit_roots(marker));
            };
            heap::collect(&mut locals, &mut roots)
        })
    });
    stop_caches(th);
    collected.live
}

/// Lookup caches hold addresses weakly: a dead class's may be used again.
fn stop_caches(th: &mut Thread) {
    crate::object::class::bump_epoch();
    th.lookup.clear();
}

/// Calls `visit` for every VM thread. Only while the world is stopped.
pub fn for_each_thread(mut visit: impl FnMut(&mut Thread)) {
    gil::for_each_member(|member| {
        // SAFETY: the world is stopped: no thread touches its own state.
        if let Some(t) = unsafe { thread::of_member(member) } {
            visit(t);
        }
    });
}

/// Which loop a policy needs, in words.
pub fn loop_name(kind: LoopKind) -> &'static str {
    match kind {
        LoopKind::Free => "free",
        LoopKind::Locked => "locked",
        LoopKind::Stepped => "stepped",
    }
}

/// KeyboardInterrupt, as Ctrl-C raises it.
pub fn keyboard_interrupt(th: &mut Thread) -> Raised {
    th.raise_with(Exc::KeyboardInterrupt, &[])
}
