//! `--stats`: the ledger of the GIL layer as a table. Must not know how the figures are kept.

use crate::gil::{self, CAUSES, Figures, Snapshot};
use std::fmt::Write;

fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// A table for people: one line a thread, then one for each blocking call. Times in milliseconds.
pub fn as_table() -> String {
    let shot = gil::snapshot();
    let mut out = format!("gil: {}   wall: {:.3} ms   {}\n", gil::policy(), ms(shot.wall), unowned(&shot));
    let _ = write!(
        out,
        "{:<20} {:>10} {:>10} {:>10} {:>10} {:>9} {:>8} {:>8}",
        "thread", "held ms", "waited ms", "longest ms", "blocked ms", "acquired", "futile", "switches"
    );
    for cause in CAUSES {
        let _ = write!(out, " {:>8}", cause.name());
    }
    out.push('\n');
    for account in &shot.accounts {
        line(&mut out, &account.name, &account.figures);
    }
    if shot.forgotten != 0 {
        line(&mut out, &format!("({} earlier ones)", shot.forgotten), &shot.forgotten_figures);
    }
    line(&mut out, "total", &shot.total());
    calls(&mut out, &shot);
    out
}

fn unowned(shot: &Snapshot) -> String {
    match shot.unowned {
        Some(unowned) => format!("held by nobody: {:.3} ms", ms(unowned)),
        None => "held by nobody: no such time, there was no lock".to_owned(),
    }
}

/// How often it let go for each cause comes last.
fn line(out: &mut String, name: &str, f: &Figures) {
    let _ = write!(
        out,
        "{name:<20} {:>10.3} {:>10.3} {:>10.3} {:>10.3} {:>9} {:>8} {:>8}",
        ms(f.held),
        ms(f.waited),
        ms(f.longest_wait),
        ms(f.blocked),
        f.acquisitions,
        f.futile,
        f.all_switches()
    );
    for cause in CAUSES {
        let _ = write!(out, " {:>8}", f.releases_by(cause));
    }
    out.push('\n');
}

fn calls(out: &mut String, shot: &Snapshot) {
    let calls = shot.calls();
    if calls.is_empty() {
        return;
    }
    let _ = writeln!(out, "{:<31} {:>10} {:>10} {:>9}", "blocked in", "", "blocked ms", "calls");
    for call in calls {
        let name = gil::witness::call_name(call.number);
        let _ = writeln!(out, "{name:<42} {:>10.3} {:>9}", ms(call.blocked), call.count);
    }
}
