//! Locks of scripts that other threads hold while a process is to be copied: in the child nobody would ever release them.
//! Finds them, says whose they are, and takes them over. Must not know how a process is copied.

use super::lock::{Holder, Lock};
use super::rlock::RLock;
use crate::gil::park;
use crate::object::{Kind, R, Value, dict, func, heap, shape, str, types};
use crate::vm::thread::Thread;
use crate::vm::{frame, import, poll};
use std::time::Instant;

/// The lock behind a `_thread.lock` or `_thread.RLock`.
pub(super) fn lock_of(v: Value) -> Option<&'static Lock> {
    func::host::<Lock>(v).or_else(|| func::host::<RLock>(v).map(RLock::inner))
}

/// Locks that other threads than `me` hold. The world stands still. A lock that its holder itself waits for is no such
/// lock: it is how `Condition.wait` sleeps.
pub(super) fn held_by_others(me: u64) -> Vec<Value> {
    let mut held = Vec::new();
    heap::for_each_finalizable(|v| {
        let holder = lock_of(v).and_then(Lock::holder);
        held.extend(holder.filter(|h| is_alive_and_not(h, me)).map(|_| v));
    });
    if !held.is_empty() {
        let sleepers = park::sleepers();
        held.retain(|v| {
            let lock = lock_of(*v).map(|lock| (lock.key(), lock.holder().and_then(|h| h.member)));
            !sleepers.iter().any(|(member, key)| lock == Some((*key, Some(member.id()))))
        });
    }
    held
}

/// A holder that has ended left its lock locked for good: that is the same in parent and child.
fn is_alive_and_not(holder: &Holder, me: u64) -> bool {
    let Some(id) = holder.member else { return true };
    let mut alive = false;
    poll::for_each_thread(|t| alive |= t.m.member.id() == id);
    alive && id != me
}

/// What an error says of a held lock: its name, its holder, and the line that took it. The world stands still.
pub(super) fn description(lock: Value) -> String {
    let name = shown(lock);
    let holder = lock_of(lock).and_then(Lock::holder);
    let mut of_thread = None;
    poll::for_each_thread(|t| {
        if holder.is_some_and(|h| h.member == Some(t.m.member.id())) {
            let line = place(t, holder.map_or(0, |h| h.pc));
            of_thread = Some(format!("{name}, held by thread {:?}{line}", t.m.member.name()));
        }
    });
    of_thread.unwrap_or_else(|| format!("{name}, which was just handed to another thread"))
}

/// What an error calls a lock.
pub(super) fn shown(lock: Value) -> String {
    name_of(lock).unwrap_or_else(|| format!("a {}", class_name(lock)))
}

fn class_name(lock: Value) -> &'static str {
    if func::host::<RLock>(lock).is_some() { "threading.RLock" } else { "threading.Lock" }
}

/// The line with this instruction, if it belongs to a call that still runs; else the line where the thread is.
fn place(th: &Thread, pc: usize) -> String {
    let said = |frame: &frame::Frame, what: &str, index: usize| {
        let code = frame::plain(frame.code);
        format!(", {what} at line {} of {}", code.line_at(index), code.filename)
    };
    let mut now = String::new();
    for frame in frame::walk(th.base, th.pc) {
        let code = frame::plain(frame.code);
        if is_library(&code.filename) {
            continue;
        }
        let index = frame::index_of(frame.code, std::ptr::without_provenance(pc));
        let begins = code.insns.as_ptr().addr();
        if (begins + 1..=begins + size_of_val(&code.insns[..])).contains(&pc) {
            return said(&frame, "which took it", index);
        }
        if now.is_empty() {
            now = said(&frame, "which is", frame.at);
        }
    }
    now
}

/// Code of the library has no file of the user's.
pub(super) fn is_library(filename: &str) -> bool {
    filename.starts_with("<frozen ")
}

/// How a script names the lock: a variable of a module, or an attribute of an object that is one.
fn name_of(lock: Value) -> Option<String> {
    for (module_name, module) in dict::entries(import::modules()).into_iter().rev() {
        let module_name = str::as_str(module_name).unwrap_or("");
        let Some(namespace) = func::module_dict(module) else { continue };
        for (name, v) in dict::entries(namespace) {
            let dotted = || match module_name {
                "__main__" => str::as_str(name).unwrap_or("").to_owned(),
                module_name => format!("{module_name}.{}", str::as_str(name).unwrap_or("")),
            };
            if v == lock {
                return Some(dotted());
            }
            let inner = attributes(v).into_iter().find(|(_, v)| *v == lock);
            if let Some((attribute, _)) = inner {
                return Some(format!("{}.{}", dotted(), str::as_str(attribute).unwrap_or("")));
            }
        }
    }
    None
}

fn attributes(v: Value) -> Vec<(Value, Value)> {
    if types::kind_of(v) == Kind::Instance { shape::shown(v) } else { Vec::new() }
}

/// Locks that the forking thread took so that nobody else holds them.
#[derive(Default)]
pub(super) struct Taken(Vec<Value>);

impl Taken {
    #[inline(always)]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits for this lock and takes it. False: that took too long; then none is kept, for its holder may wait for one.
    /// The caller keeps the lock alive.
    pub fn take(&mut self, th: &mut Thread, lock: Value, until: Instant) -> R<bool> {
        let taken = match (func::host::<Lock>(lock), func::host::<RLock>(lock)) {
            (Some(lock), _) => lock.acquire(th, Some(until))?,
            (_, Some(lock)) => lock.acquire(th, true, Some(until))?,
            _ => false,
        };
        if taken {
            self.0.push(lock);
        } else {
            self.release_all(th);
        }
        Ok(taken)
    }

    /// Gives all back that nobody has released in our place.
    pub fn release_all(&mut self, th: &Thread) {
        let me = th.m.member.id();
        for lock in self.0.drain(..) {
            match (func::host::<Lock>(lock), func::host::<RLock>(lock)) {
                (Some(lock), _) if lock.holder().is_some_and(|h| h.member == Some(me)) => lock.release(),
                (_, Some(lock)) => lock.release(th),
                _ => false,
            };
        }
    }
}
