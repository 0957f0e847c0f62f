//! `--stats`: the ledger of the GIL layer as a table or as JSON. Must not know how the figures are kept.

use crate::gil::{self, CAUSES, Figures};
use std::fmt::Write;

fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}

/// A table for people: one line a thread, times in milliseconds.
pub fn as_table() -> String {
    let shot = gil::snapshot();
    let mut out = format!("gil: {}   wall: {:.3} ms\n", gil::policy(), ms(shot.wall));
    let _ = writeln!(
        out,
        "{:<20} {:>10} {:>10} {:>10} {:>10} {:>9} {:>8} {:>8} {:>8} {:>8}",
        "thread",
        "held ms",
        "waited ms",
        "longest ms",
        "blocked ms",
        "acquired",
        "forced",
        "tick",
        "blocking",
        "yield"
    );
    for account in &shot.accounts {
        line(&mut out, &account.name, &account.figures);
    }
    line(&mut out, "total", &shot.total());
    out
}

fn line(out: &mut String, name: &str, f: &Figures) {
    let _ = write!(
        out,
        "{name:<20} {:>10.3} {:>10.3} {:>10.3} {:>10.3} {:>9}",
        ms(f.held),
        ms(f.waited),
        ms(f.longest_wait),
        ms(f.blocked),
        f.acquisitions
    );
    for count in &f.switches[..4] {
        let _ = write!(out, " {count:>8}");
    }
    out.push('\n');
}

/// One JSON object; times in seconds.
pub fn as_json() -> String {
    let shot = gil::snapshot();
    let threads: Vec<String> = shot.accounts.iter().map(|a| object(&a.name, &a.figures)).collect();
    format!(
        "{{\"policy\": \"{}\", \"wall\": {:.9}, \"threads\": [{}], \"total\": {}}}",
        gil::policy(),
        shot.wall as f64 / 1e9,
        threads.join(", "),
        object("total", &shot.total())
    )
}

fn object(name: &str, f: &Figures) -> String {
    let name: String = name.chars().flat_map(char::escape_default).collect();
    let causes: Vec<String> =
        CAUSES.iter().map(|c| format!("\"{}\": {}", c.name(), f.switches_by(*c))).collect();
    format!(
        "{{\"name\": \"{name}\", \"held\": {:.9}, \"waited\": {:.9}, \"longest_wait\": {:.9}, \"blocked\": {:.9}, \"acquisitions\": {}, \"switches\": {{{}}}}}",
        f.held as f64 / 1e9,
        f.waited as f64 / 1e9,
        f.longest_wait as f64 / 1e9,
        f.blocked as f64 / 1e9,
        f.acquisitions,
        causes.join(", ")
    )
}
