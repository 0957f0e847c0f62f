//! Concurrency suite: what a lock hand-over, a queue item and a thread cost, against CPython in the same run.

use crate::rows::{Report, compare_checks};
use crate::run::{Lab, bench_file};
use crate::table::{Row, Table, Target};

/// The part of CPython's time that an operation may take; 1 unless named here.
const TARGETS: [(&str, f64); 1] = [("start_join", 0.5)];

pub fn tables(lab: &mut Lab) -> Vec<Table> {
    of_script(lab, "Threads", "threads.mini", &TARGETS)
}

/// What a script of `benches/scripts` measures, in microseconds per operation, against CPython.
pub fn of_script(lab: &mut Lab, title: &str, file: &str, targets: &[(&str, f64)]) -> Vec<Table> {
    let rounds = lab.rounds(5);
    let script = vec![bench_file(&format!("scripts/{file}"))];
    // The default policy is held to the targets; the other column only informs.
    let mut commands =
        vec![(lab.mini.with_gil("time:5ms"), script.clone()), (lab.mini.with_gil("off"), script.clone())];
    commands.extend(lab.python.clone().map(|python| (python, script)));
    let mut reports = Vec::new();
    for result in lab.interleave(&commands, rounds) {
        let report = result.map(|outcomes| Report::read(&outcomes)).transpose();
        reports.push(report.unwrap_or_else(|message| {
            lab.report(&format!("{file}: {message}"));
            None
        }));
    }
    compare_checks(lab, file, &reports);
    let Some(named) = reports.iter().flatten().last() else { return Vec::new() };
    let names: Vec<String> = named.names().filter(|name| lab.wants(name)).map(str::to_string).collect();
    let mut rows = Vec::new();
    for name in names {
        let us = |position: usize| reports.get(position)?.as_ref()?.median(&name, 0);
        let bound = targets.iter().find(|(known, _)| *known == name).map_or(1.0, |(_, bound)| *bound);
        rows.push(Row {
            values: vec![us(0), us(1), us(2)],
            ratio: us(0).zip(us(2)).map(|(mini, python)| mini / python),
            target: Target::AtMost(bound),
            name,
        });
    }
    vec![Table {
        title: format!("{title}, median of {rounds} rounds"),
        unit: "microseconds per operation",
        columns: vec!["mini time:5ms".into(), "mini off".into(), "python3.11".into()],
        ratio: "mini/python",
        rows,
    }]
}
