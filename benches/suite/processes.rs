//! Processes suite: what a message, a queue item, a task of a pool and a process cost, against CPython in the same run.

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

pub fn tables(lab: &mut Lab) -> Vec<Table> {
    of_script(lab, "Processes", "processes.mini", &TARGETS)
}
