//! Start-up suite: `-c pass`, from spawning the process to its exit.

use crate::run::{Lab, median_ms};
use crate::table::{Row, Table, Target};

/// Part of CPython's time that Mini may take.
const TARGET: Target = Target::AtMost(1.0 / 3.0);

pub fn tables(lab: &mut Lab) -> Vec<Table> {
    let pythons = lab.pythons();
    let mut commands: Vec<_> =
        pythons.iter().map(|i| (i.clone(), vec!["-c".to_string(), "pass".into()])).collect();
    commands.extend(lab.lua.clone().map(|lua| (lua, vec!["-e".to_string(), "".into()])));
    let rounds = lab.rounds(20);
    let results = lab.interleave(&commands, rounds);
    let values: Vec<Option<f64>> = results.iter().map(|r| r.as_deref().map(median_ms)).collect();
    let python = if lab.python.is_some() { values[1] } else { None };
    let ratio = values[0].zip(python).map(|(mini, python)| mini / python);
    vec![Table {
        title: format!("Start-up, median of {rounds} rounds"),
        unit: "ms",
        columns: commands.iter().map(|(i, _)| i.label.clone()).collect(),
        ratio: "mini/python",
        rows: vec![Row { name: "-c pass".into(), values, ratio, target: TARGET }],
    }]
}
