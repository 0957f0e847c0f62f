//! Policies suite: what no interval reaches. An echo server beside a thread that computes, the longest wait of four threads
//! that compute, and Python 2's battle for the lock.

use crate::rows::{Report, compare_checks};
use crate::run::{Lab, bench_file};
use crate::table::{Row, Table, Target};

const POLICIES: [&str; 5] =
    ["time:5ms", "time:5ms,queue=fifo", "time:5ms,queue=io", "time:100us", "ticks:100,queue=battle"];

/// What is measured: name, row and column of the script's report, the policy that is held to the target.
const ROWS: [(&str, &str, usize, usize, Target); 4] = [
    ("echo requests/s beside a computing thread", "echo", 0, 2, Target::AtLeast(8000.0)),
    ("its work that is kept, in percent", "echo", 1, 2, Target::AtLeast(85.0)),
    ("longest wait of 4 threads, ms", "turns", 0, 1, Target::AtMost(16.5)),
    ("2 threads against in turn", "battle", 0, 4, Target::AtLeast(1.3)),
];

pub fn tables(lab: &mut Lab) -> Vec<Table> {
    let rounds = lab.rounds(3);
    let script = vec![bench_file("scripts/policies.mini")];
    let mut commands: Vec<_> =
        POLICIES.into_iter().map(|gil| (lab.mini.with_gil(gil), script.clone())).collect();
    commands.extend(lab.python.clone().map(|python| (python, script)));
    let mut reports = Vec::new();
    for result in lab.interleave(&commands, rounds) {
        let report = result.map(|outcomes| Report::read(&outcomes)).transpose();
        reports.push(report.unwrap_or_else(|message| {
            lab.report(&format!("policies.mini: {message}"));
            None
        }));
    }
    compare_checks(lab, "policies.mini", &reports);
    let rows = ROWS.iter().filter(|(name, ..)| lab.wants(name));
    let rows = rows.map(|(name, row, column, held, target)| {
        let value = |report: &Option<Report>| report.as_ref()?.median(row, *column);
        let mut values: Vec<_> = reports.iter().map(value).collect();
        values.resize(POLICIES.len() + 1, None);
        Row { name: name.to_string(), ratio: values[*held], values, target: *target }
    });
    let mut columns: Vec<String> =
        POLICIES.map(|gil| gil.trim_start_matches("time:5ms,").to_string()).to_vec();
    columns.push("python3.11".into());
    vec![Table {
        title: format!("Policies, median of {rounds} rounds"),
        unit: "see the rows; the machine must be idle, and have two processors",
        columns,
        ratio: "held to",
        rows: rows.collect(),
    }]
}
