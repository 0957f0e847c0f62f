//! The same work in turn and on both processors, timed next to each other inside one process; and what the machine itself
//! makes of two processors at this moment, without which such a figure says little.

use crate::rows::{Report, compare_checks};
use crate::run::{Lab, bench_file, median};
use crate::table::{Row, Table, Target};
use std::hint::black_box;
use std::thread;
use std::time::Instant;

/// How often each kind of machine code is measured; takes some two seconds.
const MACHINE_ROUNDS: usize = 15;

/// A script of `benches/scripts` that prints `row NAME SECONDS_IN_TURN SECONDS_TOGETHER`.
pub struct Pairs {
    pub title: &'static str,
    pub script: &'static str,
    /// The policy that is held to the targets.
    pub gil: &'static str,
    /// How many times faster than in turn the rows have to be.
    pub targets: &'static [(&'static str, f64)],
}

/// The median of each row's speed-ups, and those of machine code.
pub fn table(lab: &mut Lab, what: &Pairs) -> Table {
    let rounds = lab.rounds(5);
    let other = if what.gil == "off" { "time:5ms" } else { "off" };
    let mut table = Table {
        title: format!("{} against in turn, --gil {}, median of {rounds} rounds", what.title, what.gil),
        unit: "ms; then speed-ups",
        columns: vec!["in turn".into(), "together".into(), format!("with {other}"), "python3.11".into()],
        ratio: "speed-up",
        rows: Vec::new(),
    };
    if !what.targets.iter().any(|(name, _)| lab.wants(name)) {
        return table;
    }
    let reports = reports(lab, what, other, rounds);
    for (name, target) in what.targets.iter().filter(|(name, _)| lab.wants(name)) {
        let ms = |column| reports[0].as_ref()?.median(name, column).map(|s: f64| s * 1000.0);
        let speed_up = |report: &Option<Report>| report.as_ref()?.median_ratio(name, 0, 1);
        table.rows.push(Row {
            name: name.to_string(),
            values: vec![ms(0), ms(1), speed_up(&reports[1]), reports.get(2).and_then(speed_up)],
            ratio: speed_up(&reports[0]),
            target: Target::AtLeast(*target),
        });
    }
    table.rows.push(machine("machine, one chain", &one_chain));
    table.rows.push(machine("machine, all units", &all_units));
    table
}

fn reports(lab: &mut Lab, what: &Pairs, other: &'static str, rounds: usize) -> Vec<Option<Report>> {
    let script = vec![bench_file(&format!("scripts/{}", what.script))];
    let mut commands =
        vec![(lab.mini.with_gil(what.gil), script.clone()), (lab.mini.with_gil(other), script.clone())];
    commands.extend(lab.python.clone().map(|python| (python, script)));
    let mut reports = Vec::new();
    for ((implementation, _), result) in commands.iter().zip(lab.interleave(&commands, rounds)) {
        let report = result.map(|outcomes| Report::read(&outcomes)).transpose();
        reports.push(report.unwrap_or_else(|message| {
            lab.report(&format!("{} on {}: {message}", what.script, implementation.label));
            None
        }));
    }
    compare_checks(lab, what.script, &reports);
    reports
}

/// Each step waits for the one before (the mixing step of MurmurHash3): what shares the core with us has room beside it.
#[inline(never)]
fn one_chain(seed: u64) -> u64 {
    (0..15_000_000).fold(seed, |x, i| ((x ^ (x >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd)) ^ i)
}

/// Steps that do not wait for each other fill the core, as interpreters do: what shares it with us takes from us.
#[inline(never)]
fn all_units(seed: u64) -> u64 {
    let mut lanes = [seed, seed + 1, seed + 2, seed + 3, seed + 4, seed + 5];
    for i in 0..30_000_000 {
        for lane in &mut lanes {
            *lane = (*lane ^ i).rotate_left(5);
        }
    }
    lanes.iter().fold(0, |a, b| a ^ b)
}

/// What two threads of machine code get: processors that are shared with others give less than two.
fn machine(name: &str, job: &(dyn Fn(u64) -> u64 + Sync)) -> Row {
    let timed = |run: &dyn Fn()| {
        let start = Instant::now();
        run();
        start.elapsed().as_secs_f64() * 1000.0
    };
    let in_turn = || {
        black_box((job(black_box(1)), job(black_box(2))));
    };
    let together = || {
        thread::scope(|scope| {
            scope.spawn(|| black_box(job(black_box(1))));
            scope.spawn(|| black_box(job(black_box(2))));
        });
    };
    let pairs: Vec<(f64, f64)> = (0..MACHINE_ROUNDS).map(|_| (timed(&in_turn), timed(&together))).collect();
    let of = |value: fn(&(f64, f64)) -> f64| Some(median(pairs.iter().map(value).collect()));
    Row {
        name: name.to_string(),
        values: vec![of(|pair| pair.0), of(|pair| pair.1), None, None],
        ratio: of(|pair| pair.0 / pair.1),
        target: Target::None,
    }
}
