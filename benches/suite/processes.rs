//! Processes suite: what a message, a queue item, a task of a pool and a process cost, against CPython in the same run.

use crate::pairs;
use crate::run::Lab;
use crate::table::Table;
use crate::threads::of_script;

/// The part of CPython's time that an operation may take.
const TARGETS: [(&str, f64); 5] = [
    ("pipe_round_trip", 0.6),
    ("queue_item", 0.333),
    ("pool_round_trip", 0.5),
    ("fork_wait", 0.6),
    ("process_start_join", 0.6),
];

/// How many times faster two processes have to be than the same work in turn.
const SPEED_UPS: [(&str, f64); 1] = [("two_processes", 1.9)];

pub fn tables(lab: &mut Lab) -> Vec<Table> {
    let mut tables = of_script(lab, "Processes", "processes.mini", &TARGETS);
    let pairs =
        pairs::Pairs { title: "Two processes", script: "pairs.mini", gil: "time:5ms", targets: &SPEED_UPS };
    tables.push(pairs::table(lab, &pairs));
    tables.retain(|table| !table.rows.is_empty());
    tables
}
