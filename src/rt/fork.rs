//! fork(): what is done before, and the one ordered list of what the child makes new. Must not know files, nor `os`:
//! whoever keeps state of threads above this layer mends it when it is told that it is the child.
//!
//! The other threads stand still, outside of everything that belongs to the heap. What a thread may hold even so, because
//! it needs no permission for it, is held here while the process is copied: the child finds it free.
//!
//! Locks of scripts are another matter: what one of them protects may be half changed. `Mode` says what is done then.

use super::held_locks::{self, Taken};
use super::processor::{self, Processors};
use super::{pipes, spawn, syscall, wait};
use crate::gil::{self, Member, record, signal};
use crate::object::{Raised, Value, heap};
use crate::rt::syscall::Sys;
use crate::vm::thread::Thread;
use crate::vm::{poll, stack};
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Which of the two processes it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The number of the child.
    Parent(i32),
    Child,
}

/// Why there is no child.
pub enum Refused {
    /// The system has no process to give: its error number.
    System(i32),
    /// Other threads hold locks: which.
    Held(Vec<String>),
    /// A signal's handler raised meanwhile.
    Raised(Raised),
}

/// What becomes of locks that other threads hold (`gil.fork_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    /// They stay locked in the child for ever, as in CPython.
    Raw,
    /// There is no child.
    Checked,
    /// The fork waits until they are free, up to `patience`.
    Safe,
}

/// All modes, with their names.
pub const MODES: [(&str, Mode); 3] = [("raw", Mode::Raw), ("checked", Mode::Checked), ("safe", Mode::Safe)];

static MODE: AtomicU8 = AtomicU8::new(Mode::Safe as u8);
/// Nanoseconds that a safe fork waits for locks.
static PATIENCE: AtomicU64 = AtomicU64::new(10_000_000_000);
/// A safe fork waits this long for a lock, then lets go of those that it has taken and looks anew: the holder may itself
/// wait for one of them, or sleep now on the lock that it held.
const STEP: Duration = Duration::from_millis(20);
/// This process and its children, as far as nobody has waited for them.
static PROCESSES: AtomicUsize = AtomicUsize::new(1);

/// The mode in force, by its place in `MODES`.
pub fn mode() -> (&'static str, Mode) {
    MODES[usize::from(MODE.load(Ordering::Relaxed))]
}

/// Sets the mode.
pub fn set_mode(mode: Mode) {
    MODE.store(mode as u8, Ordering::Relaxed);
}

/// How long a safe fork waits.
pub fn patience() -> Duration {
    Duration::from_nanos(PATIENCE.load(Ordering::Relaxed))
}

/// Sets how long a safe fork waits; 584 years at most.
pub fn set_patience(limit: Duration) {
    PATIENCE.store(u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// Makes a second process out of this one; only the calling thread goes on in it, as its main thread.
///
/// # Errors
/// See `Refused`.
pub fn fork(th: &mut Thread, mode: Mode) -> Result<Forked, Refused> {
    // Once here, and not in every child.
    th.lookup.renew();
    let mut taken = Taken::default();
    let scope = th.scope();
    let forked = fork_between_locks(th, mode, &mut taken);
    if !taken.is_empty() {
        taken.release_all(th);
    }
    th.close(scope);
    if matches!(forked, Ok(Forked::Child)) {
        th.lookup.be_shy();
        // The loop that ran goes on in the parent.
        th.running_loop = None;
    }
    forked
}

fn fork_between_locks(th: &mut Thread, mode: Mode, taken: &mut Taken) -> Result<Forked, Refused> {
    let until = wait::deadline(patience().as_secs_f64())
        .unwrap_or_else(|| Instant::now() + Duration::from_secs(1 << 32));
    loop {
        let (held, descriptions) = match attempt(th, mode) {
            Attempt::Done(forked) => return forked.map_err(Refused::System),
            Attempt::Held(held, descriptions) => (held, descriptions),
        };
        let now = Instant::now();
        if mode == Mode::Checked || now >= until {
            return Err(Refused::Held(descriptions));
        }
        let lock = th.root(held[0]);
        taken.take(th, lock, until.min(now + STEP)).map_err(Refused::Raised)?;
    }
}

enum Attempt {
    Done(Sys<Forked>),
    /// Never empty.
    Held(Vec<Value>, Vec<String>),
}

/// Forks, unless the mode minds that other threads hold locks.
fn attempt(th: &mut Thread, mode: Mode) -> Attempt {
    let member = th.m.member;
    let was_main = member.is_main();
    let at_once = th.stop_the_world(|_| {
        let free = mode == Mode::Raw || held_locks::held_by_others(member.id()).is_empty();
        free.then(|| copy_stopped(member))
    });
    // Some of those locks may be garbage that was never unlocked, or known to threads alone that will not be in the
    // child: only a collection can tell.
    let done = at_once.map_or_else(
        || {
            let held = || held_locks::held_by_others(member.id());
            let own = |t: &Thread| t.m.member.id() == member.id();
            poll::while_stopped(th, own, held, |held| {
                let descriptions: Vec<String> = held.iter().map(|v| held_locks::description(*v)).collect();
                if held.is_empty() {
                    Attempt::Done(copy_stopped(member))
                } else {
                    Attempt::Held(held, descriptions)
                }
            })
        },
        Attempt::Done,
    );
    if matches!(done, Attempt::Done(Ok(Forked::Child))) && !was_main {
        // It is the main thread now, which signals come to.
        signal::block(member, member.blocked_signals().load(Ordering::Relaxed));
    }
    done
}

/// Somebody has waited for a child, whose status this is.
pub fn waited_for(status: i32) {
    let one_less = |n: usize| (n > 1).then(|| n - 1);
    if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
        // There are none left, if it was another program.
        let _ = PROCESSES.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
    }
}

/// The world stands still: copies the process, and mends the child.
#[inline(always)]
fn copy_stopped(member: &'static Member) -> Sys<Forked> {
    // A cell that was handed to a thread and not used is nobody's once the thread is gone. This one goes on, in both.
    poll::for_each_thread(|t| {
        if t.m.member.id() != member.id() {
            heap::retire(&mut t.m.heap);
        }
    });
    signal::with_signals_blocked(|| {
        // Not later than whatever the child does first.
        let at = gil::now();
        let free = processor::stay_if_full(PROCESSES.load(Ordering::Relaxed));
        let forked = copy_process();
        free.iter().for_each(Processors::apply);
        if let (Ok(Forked::Parent(pid)), true) = (forked, record::on()) {
            record::forked(member, pid.unsigned_abs(), at);
        }
        if matches!(forked, Ok(Forked::Parent(_))) {
            PROCESSES.fetch_add(1, Ordering::Relaxed);
            heap::after_fork_parent(member);
        }
        if forked == Ok(Forked::Child) {
            PROCESSES.store(1, Ordering::Relaxed);
            gil::after_fork_child(member, at);
            heap::after_fork_child();
            spawn::after_fork_child();
            pipes::after_fork_child();
        }
        forked
    })
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
