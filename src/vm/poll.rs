//! What a thread does when it is asked to stop at a poll point: signals, collection, a change of policy.
//! Must not know how the policy decides (`gil`), nor how marking works (`heap`).

use super::frame;
use super::hashing::{LastFound, LastHashed};
use super::thread::{self, Thread};
use super::{import, link, roots, signals, type_tables, weak};
use crate::bytecode::op::Insn;
use crate::gil::{self, Events, PollKind};
use crate::object::{Exc, R, Raised, Value, heap, iter, str, types};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The torture build collects at every poll, but while a module of the library is imported only at one of this many:
/// `import asyncio` took half a minute.
const IMPORT_STRIDE: usize = 32;
/// How many of them are being imported. Only the torture build looks at it.
static LIBRARY_IMPORTS: AtomicUsize = AtomicUsize::new(0);

/// The Stepped loop counts one instruction. True: time to poll.
#[inline(always)]
pub fn step(th: &Thread) -> bool {
    let tick = th.m.member.tick();
    let left = tick.load(Ordering::Relaxed) - 1;
    tick.store(left, Ordering::Relaxed);
    gil::poll_kind() <= PollKind::Line && (left < 0 || th.m.member.breaker().load(Ordering::Relaxed) != 0)
}

/// Makes the next poll point look again: the loop that runs is not the one the policy wants.
#[cold]
pub fn remind(th: &Thread) {
    th.m.member.request(Events::MODE_CHANGE);
}

fn is_tortured() -> bool {
    static POLLS: AtomicUsize = AtomicUsize::new(0);
    LIBRARY_IMPORTS.load(Ordering::Relaxed) == 0
        || POLLS.fetch_add(1, Ordering::Relaxed).is_multiple_of(IMPORT_STRIDE)
}

/// Runs the text of a module of the library.
pub fn import_library<T>(th: &mut Thread, import: impl FnOnce(&mut Thread) -> T) -> T {
    LIBRARY_IMPORTS.fetch_add(1, Ordering::Relaxed);
    let imported = import(th);
    LIBRARY_IMPORTS.fetch_sub(1, Ordering::Relaxed);
    imported
}

/// The slow path of every poll point.
#[cold]
#[inline(never)]
pub fn poll(th: &mut Thread) -> R<()> {
    let events = th.waiting(gil::poll);
    attend(th, events)
}

/// The slow path of a poll point of the eval loop, whose instantiation is known.
#[inline(always)]
pub fn poll_at(th: &mut Thread, stepped: bool, at: At) -> R<()> {
    if stepped { poll_stepped(th, at) } else { poll(th) }
}

/// What kind of point the Stepped loop polls at.
#[derive(Clone, Copy, PartialEq)]
pub enum At {
    /// Between two instructions.
    Step,
    /// A jump that may go backwards.
    Edge,
    /// The frame may be another one.
    Enter,
    /// An instruction that may have called.
    Call,
}

/// The slow path of a poll point in the Stepped loop, where the policy says at which of them a switch can happen.
#[cold]
#[inline(never)]
pub fn poll_stepped(th: &mut Thread, at: At) -> R<()> {
    let may_switch = match gil::poll_kind() {
        PollKind::Op => true,
        PollKind::Line => line_begins(th, at),
        PollKind::Edge => at != At::Step,
        PollKind::Call => has_called(th, at),
    };
    let events = th.waiting(if may_switch { gil::poll } else { gil::poll_in_place });
    attend(th, events)
}

/// Whether the next instruction is the first of a line, or of another round of a loop.
fn line_begins(th: &Thread, at: At) -> bool {
    frame::walk(th.base, th.pc).next().is_some_and(|frame| {
        let code = frame::plain(frame.code);
        code.begins_line(frame.at) || (at != At::Step && code.loops_to(frame.at))
    })
}

/// Whether a function has just been entered, or a native called.
fn has_called(th: &Thread, at: At) -> bool {
    frame::walk(th.base, th.pc).next().is_some_and(|frame| {
        let before = || frame::plain(frame.code).insns.get(frame.at - 1);
        match at {
            At::Enter => frame.at == 0,
            At::Call => frame.at > 0 && before().is_some_and(|insn| insn.op.calls()),
            At::Step | At::Edge => false,
        }
    })
}

/// Does what is asked of this thread.
fn attend(th: &mut Thread, mut events: Events) -> R<()> {
    if cfg!(feature = "torture") && is_tortured() {
        events |= Events::COLLECT;
    }
    if events.has(Events::COLLECT) {
        collect(th);
        weak::run_pending(th)?;
    }
    if events.has(Events::EXIT) {
        // The process is ending around a daemon thread: it must not run Mini code any more.
        th.detach(gil::Cause::Exit, || {
            loop {
                std::thread::park();
            }
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

/// Between two items of an iteration that runs inside a native: what cannot wait until the loop polls again. The GIL is not
/// given away here: `list(d)` is one step under a GIL.
#[inline(always)]
pub fn poll_in_native(th: &mut Thread) -> R<()> {
    if th.m.member.breaker().load(Ordering::Relaxed) == 0 { Ok(()) } else { within_native(th) }
}

#[cold]
#[inline(never)]
fn within_native(th: &mut Thread) -> R<()> {
    let member = th.m.member;
    if !gil::policy().has_gil() {
        // Others may wait for this thread to stand still. What it is told besides is for the loop.
        let events = th.waiting(gil::poll);
        member.request(events);
    }
    if !member.withdraw(Events::COLLECT).is_empty() {
        collect(th);
        weak::run_pending(th)?;
    }
    th.check_signals()
}

/// Collects garbage now. Returns the number of bytes that survived.
pub fn collect(th: &mut Thread) -> u64 {
    let heap::Collected { live, garbage } = th.stop_the_world(|world| collect_stopped(world, &mut |_| ()));
    // The destructors of the garbage may take locks or close files: not while the world stands still.
    drop(garbage);
    join_freed();
    live
}

/// Has the C library join the small pieces that were freed, as it does when somebody asks for a large one: every child forked
/// from now on that asks would do so, and copy all the pages in which they lie.
fn join_freed() {
    drop(std::hint::black_box(Vec::<u8>::with_capacity(4 << 10)));
}

/// Collects, and asks of these objects which are in use for certain: reached from modules, classes and variables. What only
/// an old temporary may still refer to is kept as well, but is not among them.
pub fn certainly_used(th: &mut Thread, objects: &[Value]) -> Vec<Value> {
    while_stopped(th, |_| true, || objects.to_vec(), |used| used)
}

/// As `certainly_used`, of what `objects` finds while the world stands still, and with the variables of some threads
/// only; `then` goes on before the world runs again.
pub fn while_stopped<T>(
    th: &mut Thread,
    whose: impl Fn(&Thread) -> bool,
    objects: impl FnOnce() -> Vec<Value>,
    then: impl FnOnce(Vec<Value>) -> T,
) -> T {
    let (_collected, result) = th.stop_the_world(|world| {
        let mut used = objects();
        let collected = collect_stopped(world, &mut |marker| {
            visit_statics(&mut |v| marker.visit(v));
            for_each_thread(|t| {
                if whose(t) {
                    t.visit_variables(marker);
                }
            });
            marker.drain();
            used.retain(|v| v.is_ref() && marker.is_marked(v.addr()));
        });
        (collected, then(used))
    });
    result
}

/// Collects; `first` is called before anything is marked. The garbage is to be dropped when the world runs again.
fn collect_stopped(world: &gil::World, first: &mut dyn FnMut(&mut heap::Marker)) -> heap::Collected {
    gil::note_solitude(world);
    let mut locals = |each: &mut dyn FnMut(&mut heap::LocalHeap)| {
        for_each_thread(|t| each(&mut t.m.heap));
    };
    let mut roots = |marker: &mut heap::Marker| {
        first(marker);
        visit_statics(&mut |v| marker.visit(v));
        for_each_thread(|t| t.visit_roots(marker));
    };
    // Lookup caches hold addresses weakly: a dead class's may be used again.
    for_each_thread(|t| {
        t.last_found = LastFound::default();
        t.last_hashed = LastHashed::default();
    });
    crate::object::class::bump_epoch();
    heap::collect(&mut locals, &mut roots)
}

/// What no thread owns.
fn visit_statics(visit: &mut dyn FnMut(Value)) {
    types::visit_roots(visit);
    str::visit_roots(visit);
    iter::visit_roots(visit);
    link::visit_roots(visit);
    import::visit_roots(visit);
    type_tables::visit_roots(visit);
    roots::visit_roots(visit);
    signals::visit_roots(visit);
    weak::visit_roots(visit);
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

/// Where a thread stands: the base of its frame, and the instruction after the one that it executes. Only for the calling
/// thread's own member.
pub fn standing(member: &gil::Member) -> Option<(*mut u64, *const Insn)> {
    // SAFETY: the calling thread's own.
    unsafe { thread::of_member(member) }.map(|th| (th.base, th.pc))
}

/// KeyboardInterrupt, as Ctrl-C raises it.
pub fn keyboard_interrupt(th: &mut Thread) -> Raised {
    th.raise_with(Exc::KeyboardInterrupt, &[])
}
