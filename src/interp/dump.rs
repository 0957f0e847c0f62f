//! `--dump-after`: once, after a while, every thread's stack, what it does and what it waits for, to standard error.
//! Must not know the command line.

use crate::gil::{self, Cause, Member, Phase, Snapshot, park, signal};
use crate::rt::waits;
use crate::vm::poll;
use crate::vm::thread::{OTHER_REGISTERS, Thread};
use crate::vm::traceback::{self, Line, Sources};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

/// Starts the thread that looks. It is a thread like others, so that it can stop the world; as long as it sleeps with its
/// time-out, nobody is found to be deadlocked. Errors: what to tell the user.
pub fn after(th: &mut Thread, span: Duration) -> Result<(), String> {
    let member = gil::register("dump", false);
    th.expect_company();
    let looks = move || {
        signal::block_signals_in_this_thread();
        look(member, span);
    };
    match std::thread::Builder::new().name("mini-dump".to_owned()).spawn(looks) {
        Ok(_) => Ok(()),
        Err(error) => {
            gil::leave(member);
            Err(format!("cannot start the thread of --dump-after: {error}"))
        }
    }
}

fn look(member: &'static Member, span: Duration) {
    member.bind_to_this_thread();
    let text = match Thread::new(member, OTHER_REGISTERS) {
        Ok(mut th) => {
            th.attach();
            let shot = th.detach(Cause::Blocking, || {
                std::thread::sleep(span);
                gil::snapshot()
            });
            picture(&mut th, span, &shot)
        }
        Err(problem) => format!("mini: --dump-after: {problem}\n"),
    };
    let _ = std::io::stderr().write_all(text.as_bytes());
    park::begin_farewell();
    gil::leave(member);
    park::end_farewell();
}

/// What one thread is found at.
struct Found {
    stack: Vec<Line>,
    awaited: Option<String>,
}

/// The words for everyone. `shot` says who ran before this thread looked.
fn picture(th: &mut Thread, span: Duration, shot: &Snapshot) -> String {
    let me = th.m.member.id();
    let found = th.stop_the_world(|_| {
        let mut awaited = waits::all_said();
        let mut found = HashMap::new();
        poll::for_each_thread(|t| {
            let id = t.m.member.id();
            let stack = traceback::lines_of_stack(t);
            found.insert(id, Found { stack, awaited: awaited.remove(&id) });
        });
        found
    });
    let mut sources = Sources::default();
    let mut out = format!("mini: after {} s, GIL policy {}:\n", span.as_secs_f64(), gil::policy());
    let alive = shot.accounts.iter().filter(|a| a.state != gil::State::Gone && a.id != me);
    for account in alive {
        let there = found.get(&account.id);
        let awaited = there.and_then(|f| f.awaited.as_deref());
        let _ = writeln!(out, "thread {:?} {}", account.name, doing(account.phase, awaited));
        for line in there.map_or(&[][..], |f| &f.stack) {
            let _ = write!(
                out,
                "  File \"{}\", line {}, in {}\n{}",
                line.file,
                line.line,
                line.function,
                sources.shown(line)
            );
        }
    }
    out
}

pub(super) fn doing(phase: Phase, awaited: Option<&str>) -> String {
    match (phase, awaited) {
        (Phase::Held, _) if gil::loop_kind() == gil::LoopKind::Free => "runs".to_owned(),
        (Phase::Held, _) => "holds the GIL".to_owned(),
        (Phase::Waiting, _) => "waits for the GIL".to_owned(),
        (_, Some(awaited)) => format!("waits for {awaited}"),
        (Phase::Stopped, None) => "stands still".to_owned(),
        (Phase::Blocked, None) => "is blocked in a call, or sleeps".to_owned(),
        (Phase::Away, None) => "begins or ends".to_owned(),
    }
}
