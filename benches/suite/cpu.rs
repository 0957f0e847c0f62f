//! CPU suite: whole-process time of `benches/programs`, Mini under its default policy against CPython and Lua.
//! A time counts only if all implementations print the same.

use crate::run::{Implementation, Lab, Outcome, bench_file, median_ms, median_ratio};
use crate::table::{Row, Table, Target};
use std::path::Path;

/// Programs, and how many times faster than CPython each has to be.
pub const PROGRAMS: [(&str, f64); 39] = [
    ("fib", 3.0),
    ("int_loops", 4.0),
    ("while_mod", 4.0),
    ("mandelbrot", 2.5),
    ("nbody", 2.5),
    ("spectral_norm", 2.5),
    ("sieve", 3.0),
    ("fannkuch", 3.0),
    ("methods", 2.0),
    ("attributes", 2.0),
    ("lists", 1.0),
    ("dicts", 1.0),
    ("strings", 1.0),
    ("binary_trees", 1.0),
    ("sorting", 1.0),
    ("str_methods", 1.0),
    ("exceptions", 1.0),
    ("closures", 1.0),
    ("word_count", 1.0),
    ("json_print", 1.0),
    ("simulation", 1.0),
    ("bigint", 1.0),
    ("generators", 1.0),
    ("task_queue", 1.0),
    ("constraints", 1.0),
    ("ray_tracer", 1.0),
    ("coroutines", 1.0),
    ("json_module", 1.0),
    ("comprehensions", 1.0),
    ("records", 1.0),
    ("text_scan", 1.0),
    ("text_lines", 1.0),
    ("sort_records", 1.0),
    ("big_numbers", 1.0),
    ("error_paths", 1.0),
    ("higher_order", 1.0),
    ("containers", 1.0),
    ("interpreter", 1.0),
    ("search", 1.0),
];

pub fn tables(lab: &mut Lab) -> Vec<Table> {
    let rounds = lab.rounds(5);
    let mut columns = vec!["mini".to_string(), "python3.11".into(), "lua5.4".into(), "lua/mini".into()];
    columns[0].clone_from(&lab.mini.label);
    let rows: Vec<Row> = PROGRAMS
        .iter()
        .filter(|(name, _)| lab.wants(name))
        .copied()
        .collect::<Vec<_>>()
        .into_iter()
        .map(|(name, target)| row(lab, name, target, rounds))
        .collect();
    let mean = geometric_mean(rows.iter().filter_map(|row| row.ratio));
    let mut table = Table {
        title: format!("CPU, median of {rounds} rounds"),
        unit: "ms",
        columns,
        ratio: "python/mini",
        rows,
    };
    if table.rows.len() > 1 {
        let values = vec![None; 4];
        table.rows.push(Row { name: "geometric mean".into(), values, ratio: mean, target: Target::None });
    }
    vec![table]
}

fn row(lab: &mut Lab, name: &str, target: f64, rounds: usize) -> Row {
    let script = bench_file(&format!("programs/{name}.mini"));
    let twin = bench_file(&format!("programs/{name}.lua"));
    let mut commands: Vec<(Implementation, Vec<String>)> = vec![(lab.mini.clone(), vec![script.clone()])];
    commands.extend(lab.python.clone().map(|python| (python, vec![script])));
    commands.extend(lab.lua.clone().filter(|_| Path::new(&twin).is_file()).map(|lua| (lua, vec![twin])));
    let results = lab.interleave(&commands, rounds);
    check_outputs(lab, name, &commands, &results);
    let of = |label: &str| {
        let position = commands.iter().position(|(i, _)| i.label == label)?;
        results[position].as_deref()
    };
    let (mini, python, lua) = (of("mini"), of("python3.11"), of("lua5.4"));
    let over_mini = |other: Option<&[Outcome]>| Some(median_ratio(other?, mini?));
    Row {
        name: name.to_string(),
        values: vec![mini.map(median_ms), python.map(median_ms), lua.map(median_ms), over_mini(lua)],
        ratio: over_mini(python),
        target: Target::AtLeast(target),
    }
}

/// Reports every implementation whose output is not that of the last one: Lua's or CPython's, never Mini's own.
pub fn check_outputs(
    lab: &mut Lab,
    name: &str,
    commands: &[(Implementation, Vec<String>)],
    results: &[Option<Vec<Outcome>>],
) {
    let ran: Vec<_> =
        commands.iter().zip(results).filter_map(|((i, _), r)| r.as_ref().map(|r| (i, r))).collect();
    let Some(expected) = ran.last().and_then(|(_, outcomes)| outcomes.first()) else { return };
    for (implementation, outcomes) in &ran {
        if let Some(wrong) = outcomes.iter().find(|outcome| outcome.stdout != expected.stdout) {
            lab.report(&format!(
                "{name}: {} printed\n{}\ninstead of\n{}",
                implementation.label,
                wrong.stdout.trim_end(),
                expected.stdout.trim_end()
            ));
        }
    }
}

/// `None` for no values.
pub fn geometric_mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let logs: Vec<f64> = values.map(f64::ln).collect();
    if logs.is_empty() { None } else { Some((logs.iter().sum::<f64>() / logs.len() as f64).exp()) }
}
