//! Start-up suite: `-c pass`, what importing a module adds to it, and how fast source becomes code.

use crate::run::{Lab, median, median_ms};
use crate::table::{Row, Table, Target};
use mini::compile::{Mode, compile_text};
use mini::interp::stdlib::SOURCES;
use std::time::Instant;

/// Part of CPython's time that Mini may take.
const TARGET: Target = Target::AtMost(1.0 / 3.0);
/// Milliseconds that importing a module may add.
const IMPORT_TARGET: Target = Target::AtMost(10.0);
/// Megabytes of source that are parsed and compiled in a second.
const COMPILE_TARGET: Target = Target::AtLeast(1.0);

pub fn tables(lab: &mut Lab) -> Vec<Table> {
    vec![nothing(lab), imports(lab), front_end(lab)]
}

fn nothing(lab: &mut Lab) -> Table {
    let pythons = lab.pythons();
    let mut commands: Vec<_> =
        pythons.iter().map(|i| (i.clone(), vec!["-c".to_string(), "pass".into()])).collect();
    commands.extend(lab.lua.clone().map(|lua| (lua, vec!["-e".to_string(), "".into()])));
    let rounds = lab.rounds(20);
    let results = lab.interleave(&commands, rounds);
    let values: Vec<Option<f64>> = results.iter().map(|r| r.as_deref().map(median_ms)).collect();
    let python = if lab.python.is_some() { values[1] } else { None };
    let ratio = values[0].zip(python).map(|(mini, python)| mini / python);
    Table {
        title: format!("Start-up, median of {rounds} rounds"),
        unit: "ms",
        columns: commands.iter().map(|(i, _)| i.label.clone()).collect(),
        ratio: "mini/python",
        rows: vec![Row { name: "-c pass".into(), values, ratio, target: TARGET }],
    }
}

/// Every module that is written in Mini, against a program that imports nothing.
fn imports(lab: &mut Lab) -> Table {
    let public = SOURCES.iter().map(|(name, _)| *name).filter(|name| !name.starts_with('_'));
    let names: Vec<&str> = public.filter(|name| lab.wants(name)).collect();
    let programs =
        std::iter::once("pass".to_string()).chain(names.iter().map(|name| format!("import {name}")));
    let commands: Vec<_> =
        programs.map(|program| (lab.mini.clone(), vec!["-c".to_string(), program])).collect();
    let rounds = lab.rounds(10);
    let results = lab.interleave(&commands, rounds);
    let mut times = results.iter().map(|r| r.as_deref().map(median_ms));
    let pass = times.next().flatten();
    let added = times.map(|time| time.zip(pass).map(|(time, pass)| time - pass));
    let mut rows: Vec<Row> = names
        .iter()
        .zip(added)
        .map(|(name, added)| Row {
            name: (*name).to_string(),
            values: vec![added],
            ratio: added,
            target: IMPORT_TARGET,
        })
        .collect();
    rows.sort_by(|a, b| b.ratio.partial_cmp(&a.ratio).unwrap_or(std::cmp::Ordering::Equal));
    Table {
        title: format!("What an import adds to start-up, median of {rounds} rounds"),
        unit: "ms",
        columns: vec![lab.mini.label.clone()],
        ratio: "added",
        rows,
    }
}

/// Parses and compiles the whole library, in this process.
fn front_end(lab: &mut Lab) -> Table {
    let bytes: usize = SOURCES.iter().map(|(_, text)| text.len()).sum();
    let mut speeds = Vec::new();
    for _ in 0..lab.rounds(5) {
        let start = Instant::now();
        for (name, text) in SOURCES {
            if compile_text(text, name, Mode::Module).is_err() {
                lab.report(&format!("the library's module {name} does not compile"));
            }
        }
        speeds.push(bytes as f64 / 1e6 / start.elapsed().as_secs_f64());
    }
    let speed = Some(median(speeds));
    Table {
        title: "Source parsed and compiled".into(),
        unit: "MB/s",
        columns: vec![lab.mini.label.clone()],
        ratio: "speed",
        rows: vec![Row {
            name: format!("library, {} kB", bytes / 1000),
            values: vec![speed],
            ratio: speed,
            target: COMPILE_TARGET,
        }],
    }
}
