//! Who waits for what: the report of a deadlock, and a line for each thread that looks on from outside. Knows locks and
//! the ends of threads; must not know how anybody waits.

use super::{exit, held_locks};
use crate::gil::{self, Member, park};
use crate::object::{Kind, R, Value, heap, int, types};
use crate::vm::thread::Thread;
use crate::vm::{frame, import, poll, signals};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;

/// What a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// A lock that this member holds.
    Lock(Value, u64),
    /// The end of this member.
    End(u64),
    /// To be told something: nobody owes it.
    News,
}

/// A thread that sleeps.
struct Waiting {
    id: u64,
    name: String,
    place: String,
    awaited: Awaited,
}

/// Called by a thread that was the last to fall asleep: if that is a deadlock, says so and ends the process.
///
/// It is none if the program has asked for signals, which may wake somebody, or if the main thread alone waits for
/// news, as programs do that only Ctrl-C is to end.
pub(super) fn end_if_deadlocked(th: &mut Thread, key: usize) {
    let me = th.m.member;
    let report = if may_be_told() { None } else { th.stop_the_world(|_| report(me, key)) };
    let Some(report) = report else { return park::look_later(me) };
    // What was printed before comes first.
    let _ = flush_stdout(th);
    let _ = std::io::stderr().write_all(report.as_bytes());
    exit::end_now(1)
}

/// Whether the program has handlers of signals, which may wake somebody. The native one raises KeyboardInterrupt.
fn may_be_told() -> bool {
    (1..=64)
        .filter_map(signals::handler)
        .any(|handler| !int::is_int(handler) && types::kind_of(handler) != Kind::Native)
}

fn flush_stdout(th: &mut Thread) -> R<()> {
    let sys = import::import_dotted(th, "sys")?;
    let name = th.name("stdout")?;
    let stdout = th.get_attr(sys, name)?;
    th.call_method(stdout, "flush", &[]).map(drop)
}

/// The words for a deadlock that `me` has found while it waited for `key`; `None`: it is none. The world stands still.
fn report(me: &Member, key: usize) -> Option<String> {
    let mut keys: HashMap<u64, usize> = park::sleepers().iter().map(|(m, key)| (m.id(), *key)).collect();
    keys.insert(me.id(), key);
    let all = waiting(&keys);
    let mut living = 0;
    gil::for_each_member(|m| living += usize::from(!m.helps()));
    let idles = matches!(&all[..], [only] if only.awaited == Awaited::News);
    if all.len() != living || idles {
        return None;
    }
    let who = match all.len() {
        1 => "the only thread waits".to_owned(),
        n => format!("all {n} threads wait"),
    };
    let names = names();
    let mut text = format!("mini: deadlock: {who}, and nobody is left to end that\n");
    for one in &all {
        let _ = writeln!(text, "  thread {:?}{} waits for {}", one.name, one.place, said(one, &names));
    }
    if let Some(circle) = circle(&all) {
        let _ = writeln!(text, "  in a circle: {circle}");
    }
    Some(text)
}

/// The threads that sleep on these keys.
fn waiting(keys: &HashMap<u64, usize>) -> Vec<Waiting> {
    let mut locks = HashMap::new();
    heap::for_each_finalizable(|v| {
        if let Some(lock) = held_locks::lock_of(v) {
            locks.insert(lock.key(), v);
        }
    });
    let mut all = Vec::new();
    poll::for_each_thread(|t| {
        let id = t.m.member.id();
        let Some(key) = keys.get(&id) else { return };
        let awaited = match locks.get(key) {
            _ if t.joins != 0 => Awaited::End(t.joins),
            Some(lock) => of_lock(*lock),
            None => Awaited::News,
        };
        all.push(Waiting { id, name: t.m.member.name(), place: place(t), awaited });
    });
    all.sort_by_key(|one| one.id);
    all
}

/// A lock that nobody has taken is there to be slept on.
fn of_lock(lock: Value) -> Awaited {
    let holder = held_locks::lock_of(lock).and_then(|lock| lock.holder()).and_then(|holder| holder.member);
    match holder {
        None | Some(0) => Awaited::News,
        Some(holder) => Awaited::Lock(lock, holder),
    }
}

/// The line where a thread is, in code that is not the library's.
fn place(th: &Thread) -> String {
    let own = |f: &frame::Frame| !held_locks::is_library(&frame::plain(f.code).filename);
    match frame::walk(th.base, th.pc).find(own) {
        Some(frame) => {
            let code = frame::plain(frame.code);
            format!(" at line {} of {}", frame.line(), code.filename)
        }
        None => String::new(),
    }
}

/// The names of all threads, by the numbers of their members.
fn names() -> HashMap<u64, String> {
    let mut names = HashMap::new();
    poll::for_each_thread(|t| {
        names.insert(t.m.member.id(), t.m.member.name());
    });
    names
}

fn said(one: &Waiting, names: &HashMap<u64, String>) -> String {
    match one.awaited {
        Awaited::News => "news from another thread".to_owned(),
        Awaited::End(id) => match names.get(&id) {
            Some(name) => format!("the end of thread {name:?}"),
            None => "the end of a thread that is not there".to_owned(),
        },
        Awaited::Lock(lock, holder) if names.contains_key(&holder) => held_locks::description(lock),
        Awaited::Lock(lock, _) => format!("{}, whose holder has ended", held_locks::shown(lock)),
    }
}

/// The threads that wait for one another, from one back to itself.
fn circle(all: &[Waiting]) -> Option<String> {
    let next = |one: &Waiting| match one.awaited {
        Awaited::Lock(_, id) | Awaited::End(id) => all.iter().find(|other| other.id == id),
        Awaited::News => None,
    };
    for first in all {
        let mut names = format!("{:?}", first.name);
        let mut at = next(first);
        for _ in all {
            let Some(one) = at else { break };
            let _ = write!(names, " -> {:?}", one.name);
            if one.id == first.id {
                return Some(names);
            }
            at = next(one);
        }
    }
    None
}

/// What each thread waits for that sleeps until another does something, by the number of its member. The world stands still.
pub fn all_said() -> HashMap<u64, String> {
    let keys = park::sleepers().iter().map(|(member, key)| (member.id(), *key)).collect();
    let (all, names) = (waiting(&keys), names());
    all.iter().filter(|one| one.awaited != Awaited::News).map(|one| (one.id, said(one, &names))).collect()
}
