//! Free-threading suite: what `--gil off` gives to two threads, and what it costs one.

use crate::cpu::{PROGRAMS, check_outputs, geometric_mean};
use crate::pairs;
use crate::run::{Lab, bench_file, median_ms, median_ratio};
use crate::table::{Row, Table, Target};

/// How many times faster two threads have to be than the same work in turn.
const SPEED_UPS: [(&str, f64); 5] = [
    ("independent", 1.85),
    ("independent_alloc", 1.85),
    ("shared_dict", 1.8),
    ("shared_list", 1.8),
    ("shared_object", 1.8),
];

/// How many times slower one thread may be with the GIL off.
const ONE_THREAD: Target = Target::AtMost(1.10);

pub fn tables(lab: &mut Lab) -> Vec<Table> {
    let mut tables = vec![two_threads(lab), one_thread(lab)];
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn two_threads(lab: &mut Lab) -> Table {
    pairs::table(
        lab,
        &pairs::Pairs { title: "Two threads", script: "free.mini", gil: "off", targets: &SPEED_UPS },
    )
}

/// The CPU programs with the GIL off against the default policy, whole process.
fn one_thread(lab: &mut Lab) -> Table {
    let rounds = lab.rounds(5);
    let columns = ["off", "time:5ms"].map(str::to_string).to_vec();
    let names: Vec<&str> = PROGRAMS.iter().map(|(name, _)| *name).filter(|name| lab.wants(name)).collect();
    let mut rows = Vec::new();
    for name in names {
        let script = vec![bench_file(&format!("programs/{name}.mini"))];
        let commands =
            [(lab.mini.with_gil("off"), script.clone()), (lab.mini.with_gil("time:5ms"), script.clone())];
        let results = lab.interleave(&commands, rounds);
        check_outputs(lab, name, &commands, &results);
        let values: Vec<Option<f64>> = results.iter().map(|r| r.as_deref().map(median_ms)).collect();
        let ratio =
            results[0].as_deref().zip(results[1].as_deref()).map(|(off, time)| median_ratio(off, time));
        rows.push(Row { name: name.to_string(), values, ratio, target: Target::None });
    }
    let mean = geometric_mean(rows.iter().filter_map(|row| row.ratio));
    let worst = rows.iter().filter_map(|row| row.ratio).max_by(f64::total_cmp);
    if rows.len() > 1 {
        for (name, ratio) in [("geometric mean", mean), ("worst", worst)] {
            rows.push(Row { name: name.into(), values: vec![None, None], ratio, target: ONE_THREAD });
        }
    }
    Table {
        title: format!("One thread, GIL off against time:5ms, median of {rounds} rounds"),
        unit: "ms",
        columns,
        ratio: "off/time",
        rows,
    }
}
