//! The living threads as a table: what each does, where it is, what its time went to. Must not know a prompt.

use crate::gil::{self, Phase, park};
use crate::vm::thread::Thread;
use crate::vm::{frame, poll};
use std::collections::HashMap;
use std::fmt::Write;

/// One line a thread, in the order in which they were started.
pub fn as_table(th: &mut Thread) -> String {
    let shot = gil::snapshot();
    let parked: Vec<u64> = park::sleepers().into_iter().map(|(member, _)| member.id()).collect();
    let lines = lines(th);
    let me = th.m.member.id();
    let mut out = format!(
        "{:<20} {:<10} {:>10} {:>10} {:>10}  line\n",
        "thread", "state", "held ms", "waited ms", "blocked ms"
    );
    for account in shot.accounts.iter().filter(|account| account.state != gil::State::Gone) {
        let state = match account.phase {
            Phase::Held => "running",
            Phase::Waiting => "wants gil",
            Phase::Stopped => "stopped",
            Phase::Blocked | Phase::Away if parked.contains(&account.id) => "parked",
            Phase::Blocked => "blocked",
            Phase::Away => "starting",
        };
        let line = match lines.get(&account.id) {
            Some(line) => line.as_str(),
            None if account.id == me => "(the prompt)",
            None => "",
        };
        let ms = |ns: u64| ns as f64 / 1e6;
        let figures = &account.figures;
        let (held, waited, blocked) = (ms(figures.held), ms(figures.waited), ms(figures.blocked));
        let _ = writeln!(
            out,
            "{:<20} {state:<10} {held:>10.3} {waited:>10.3} {blocked:>10.3}  {line}",
            account.name
        );
    }
    out
}

/// Where each thread is that runs Mini code, by the number of its member: in the innermost function that does not
/// belong to the library, if there is one.
fn lines(th: &mut Thread) -> HashMap<u64, String> {
    th.stop_the_world(|_| {
        let mut lines = HashMap::new();
        poll::for_each_thread(|t| {
            if let Some(line) = line_of(t) {
                lines.insert(t.m.member.id(), line);
            }
        });
        lines
    })
}

/// Where a thread is, while the world stands still.
pub(super) fn line_of(t: &Thread) -> Option<String> {
    let own = |f: &frame::Frame| !frame::plain(f.code).filename.starts_with("<frozen ");
    let frame = frame::walk(t.base, t.pc).find(own).or_else(|| frame::walk(t.base, t.pc).next())?;
    let plain = frame::plain(frame.code);
    Some(format!("{}:{} in {}", plain.filename, frame.line(), plain.name))
}
