//! The ledger of the GIL layer as JSON, for `--stats=json` and for the head of a trace. Must not know how the figures are kept.

use super::json::quote;
use crate::gil::{self, CAUSES, Call, Figures, Snapshot};

/// One object, in one line; times in seconds.
pub fn as_json(shot: &Snapshot) -> String {
    let threads: Vec<String> =
        shot.accounts.iter().map(|a| object(a.id, &a.name, &a.figures, &a.calls)).collect();
    format!(
        "{{\"policy\": {}, \"wall\": {}, \"unowned\": {}, \"threads\": [{}], \"earlier\": {}, \"total\": {}}}",
        quote(&gil::policy().to_string()),
        seconds(shot.wall),
        shot.unowned.map_or("null".to_owned(), seconds),
        threads.join(", "),
        shot.forgotten,
        object(0, "total", &shot.total(), &shot.calls())
    )
}

fn seconds(ns: u64) -> String {
    format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000)
}

fn object(id: u64, name: &str, f: &Figures, calls: &[Call]) -> String {
    let by_cause = |of: &dyn Fn(gil::Cause) -> u64| {
        CAUSES.iter().map(|c| format!("\"{}\": {}", c.name(), of(*c))).collect::<Vec<_>>().join(", ")
    };
    let calls: Vec<String> = calls
        .iter()
        .map(|c| {
            let name = quote(&gil::witness::call_name(c.number));
            format!("{name}: {{\"count\": {}, \"blocked\": {}}}", c.count, seconds(c.blocked))
        })
        .collect();
    format!(
        "{{\"id\": {id}, \"name\": {}, \"held\": {}, \"waited\": {}, \"longest_wait\": {}, \"blocked\": {}, \"stopped\": {}, \
         \"acquisitions\": {}, \"futile\": {}, \"releases\": {{{}}}, \"switches\": {{{}}}, \"calls\": {{{}}}}}",
        quote(name),
        seconds(f.held),
        seconds(f.waited),
        seconds(f.longest_wait),
        seconds(f.blocked),
        seconds(f.stopped),
        f.acquisitions,
        f.futile,
        by_cause(&|c| f.releases_by(c)),
        by_cause(&|c| f.switches_by(c)),
        calls.join(", ")
    )
}
