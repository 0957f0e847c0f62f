//! Free-threading suite: what `--gil off` gives to two threads, and what it costs one.

use crate::cpu::{PROGRAMS, check_outputs, geometric_mean};
use crate::rows::Report;
use crate::run::{Lab, bench_file, median, median_ms};
use crate::table::{Row, Table, Target};
use std::hint::black_box;
use std::thread;
use std::time::Instant;

/// How many times faster two threads have to be than the same work in turn.
const SPEED_UPS: [(&str, f64); 5] = [
    ("independent", 1.85),
    ("independent_alloc", 1.85),
    ("shared_dict", 1.8),
    ("shared_list", 1.8),
    ("shared_object", 1.8),
];

/// How often the machine itself is measured; takes some four seconds.
const MACHINE_ROUNDS: usize = 15;

/// How many times slower one thread may be with the GIL off.
const ONE_THREAD: Target = Target::AtMost(1.10);

pub fn tables(lab: &mut Lab) -> Vec<Table> {
    let mut tables = vec![two_threads(lab), one_thread(lab)];
    tables.retain(|table| !table.rows.is_empty());
    tables
}

/// The script times both ways inside one process, next to each other; here the two times of a line are only divided.
fn two_threads(lab: &mut Lab) -> Table {
    let rounds = lab.rounds(5);
    let columns = ["in turn", "2 threads", "with time:5ms", "python3.11"].map(str::to_string).to_vec();
    let mut table = Table {
        title: format!("--gil off, two threads against in turn, median of {rounds} rounds"),
        unit: "ms; then speed-ups",
        columns,
        ratio: "speed-up",
        rows: Vec::new(),
    };
    if !SPEED_UPS.iter().any(|(name, _)| lab.wants(name)) {
        return table;
    }
    let script = vec![bench_file("scripts/free.mini")];
    let mut commands =
        vec![(lab.mini.with_gil("off"), script.clone()), (lab.mini.with_gil("time:5ms"), script.clone())];
    commands.extend(lab.python.clone().map(|python| (python, script)));
    let results = lab.interleave(&commands, rounds);
    let mut reports = Vec::new();
    for ((implementation, _), result) in commands.iter().zip(results) {
        let report = result.map(|outcomes| Report::read(&outcomes)).transpose();
        reports.push(report.unwrap_or_else(|message| {
            lab.report(&format!("free.mini on {}: {message}", implementation.label));
            None
        }));
    }
    compare_checks(lab, "free.mini", &reports);
    for (name, target) in SPEED_UPS.iter().filter(|(name, _)| lab.wants(name)) {
        let ms = |column| reports[0].as_ref()?.median(name, column).map(|s: f64| s * 1000.0);
        let speed_up = |report: &Option<Report>| report.as_ref()?.median_ratio(name, 0, 1);
        table.rows.push(Row {
            name: name.to_string(),
            values: vec![ms(0), ms(1), speed_up(&reports[1]), reports.get(2).and_then(speed_up)],
            ratio: speed_up(&reports[0]),
            target: Target::AtLeast(*target),
        });
    }
    table.rows.push(machine_code());
    table
}

/// What two threads of machine code get on this machine at this moment: processors that are shared with others give less
/// than two.
fn machine_code() -> Row {
    let timed = |run: &dyn Fn()| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1000.0
    };
    let job = || (0..20_000_000u64).fold(0u64, |sum, i| black_box(sum.wrapping_add(i.wrapping_mul(i) % 7)));
    let in_turn = || {
        black_box((job(), job()));
    };
    let together = || {
        thread::scope(|scope| {
            scope.spawn(|| black_box(job()));
            scope.spawn(|| black_box(job()));
        });
    };
    let pairs: Vec<(f64, f64)> = (0..MACHINE_ROUNDS).map(|_| (timed(&in_turn), timed(&together))).collect();
    let of = |value: fn(&(f64, f64)) -> f64| Some(median(pairs.iter().map(value).collect()));
    Row {
        name: "machine code".to_string(),
        values: vec![of(|pair| pair.0), of(|pair| pair.1), None, None],
        ratio: of(|pair| pair.0 / pair.1),
        target: Target::None,
    }
}

/// Reports every script run whose checksums are not those of the last implementation that ran.
pub fn compare_checks(lab: &mut Lab, what: &str, reports: &[Option<Report>]) {
    let Some(expected) = reports.iter().flatten().last() else { return };
    for report in reports.iter().flatten() {
        if let Err(message) = report.agree(expected) {
            lab.report(&format!("{what}: {message}"));
        }
    }
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
        let ratio = values[0].zip(values[1]).map(|(off, time)| off / time);
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
