//! The same work in turn and on both processors, timed next to each other inside one process.
//!
//! A virtual machine shares its cores with others, who take up to half of one away for some milliseconds at a time, each
//! core at moments of its own. So what is timed is short and timed often: a round's speed-up is its least time in turn
//! over its least time together, and the median of the rounds counts. The median of every single try is printed beside
//! it, and what two threads of machine code get.

use crate::rows::{Report, compare_checks};
use crate::run::{Implementation, Lab, Outcome, bench_file, median};
use crate::session::Session;
use crate::table::{Row, Table, Target};
use std::hint::black_box;
use std::thread;
use std::time::Instant;

/// How often a row is measured in a round.
const TRIES: usize = 40;

/// A script of `benches/scripts` that answers the name of a row with `row NAME SECONDS_IN_TURN SECONDS_TOGETHER`.
pub struct Pairs {
    pub title: &'static str,
    pub script: &'static str,
    /// The policy that is held to the targets.
    pub gil: &'static str,
    /// How many times faster than in turn the rows have to be.
    pub targets: &'static [(&'static str, f64)],
}

/// One line of rows for each target, and one for machine code.
pub fn table(lab: &mut Lab, what: &Pairs) -> Table {
    let rounds = lab.rounds(5);
    let other = if what.gil == "off" { "time:5ms" } else { "off" };
    let columns = ["in turn", "together", "every try", &format!("with {other}"), "python3.11"];
    let mut table = Table {
        title: format!(
            "{} against in turn, --gil {}, median of {rounds} rounds, each the least of {TRIES} tries",
            what.title, what.gil
        ),
        unit: "ms; then speed-ups",
        columns: columns.map(str::to_string).to_vec(),
        ratio: "speed-up",
        rows: Vec::new(),
    };
    let targets: Vec<_> = what.targets.iter().filter(|(name, _)| lab.wants(name)).copied().collect();
    if targets.is_empty() {
        return table;
    }
    let names: Vec<&str> = targets.iter().map(|(name, _)| *name).collect();
    let pairs = [
        (Some(lab.mini.with_gil(what.gil)), TRIES),
        (Some(lab.mini.with_gil(other)), 1),
        (lab.python.clone(), 1),
    ]
    .map(|(one, tries)| lab.unless_failed(ask(&one?, what.script, &names, (rounds, tries))));
    for (name, target) in targets {
        let all = |which: usize| Some(median(pairs[which].as_ref()?.1.speed_ups(name)));
        let reports = pairs[0].as_ref().map(|(reports, _)| reports.as_slice()).unwrap_or_default();
        let least = reports.iter().filter_map(|round| round.least(name)).collect();
        table.rows.push(row(name, least, Target::AtLeast(target), [all(0), all(1), all(2)]));
    }
    table.rows.push(machine(rounds));
    let reports = pairs.map(|one| one.map(|(_, all)| all));
    compare_checks(lab, what.script, &reports);
    table
}

/// From each round's least times, in seconds.
fn row(name: &str, rounds: Vec<[f64; 2]>, target: Target, others: [Option<f64>; 3]) -> Row {
    let of = |value: fn(&[f64; 2]) -> f64| {
        if rounds.is_empty() { None } else { Some(median(rounds.iter().map(value).collect())) }
    };
    let mut values = vec![of(|[turn, _]| turn * 1000.0), of(|[_, both]| both * 1000.0)];
    values.extend(others);
    Row { name: name.to_string(), values, ratio: of(|[turn, both]| turn / both), target }
}

/// Each round's measurements, row by row, and all of them with the checksums.
type Answers = (Vec<Report>, Report);

/// Errors: the script fails.
fn ask(
    implementation: &Implementation,
    script: &str,
    names: &[&str],
    (rounds, tries): (usize, usize),
) -> Result<Answers, String> {
    let mut session = Session::start(implementation, &[bench_file(&format!("scripts/{script}"))])?;
    let (mut reports, mut all) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut lines = Vec::new();
        for name in names {
            for _ in 0..tries {
                lines.push(session.ask(name)?);
            }
        }
        all.extend_from_slice(&lines);
        reports.push(report(lines)?);
    }
    all.extend(session.finish()?);
    Ok((reports, report(all)?))
}

fn report(lines: Vec<String>) -> Result<Report, String> {
    Report::read(&[Outcome { stdout: lines.join("\n"), seconds: 0.0 }])
}

/// What two threads of machine code get of the two processors.
fn machine(rounds: usize) -> Row {
    let tries: Vec<[f64; 2]> = (0..rounds * TRIES).map(|_| [in_turn(), together()]).collect();
    let least =
        |tries: &[[f64; 2]], which: usize| tries.iter().map(|t| t[which]).fold(f64::INFINITY, f64::min);
    let rounds = tries.chunks(TRIES).map(|round| [least(round, 0), least(round, 1)]).collect();
    let every_try = median(tries.iter().map(|[turn, both]| turn / both).collect());
    row("machine code", rounds, Target::None, [Some(every_try), None, None])
}

/// Seconds.
fn in_turn() -> f64 {
    let start = Instant::now();
    machine_code();
    machine_code();
    start.elapsed().as_secs_f64()
}

/// Seconds.
fn together() -> f64 {
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(machine_code);
        scope.spawn(machine_code);
    });
    start.elapsed().as_secs_f64()
}

/// Steps that do not wait for each other fill a core, as interpreters do: what shares it takes from them.
#[inline(never)]
fn machine_code() {
    let mut lanes = black_box([1_u64, 2, 3, 4, 5, 6]);
    for i in 0..10_000_000 {
        for lane in &mut lanes {
            *lane = (*lane ^ i).rotate_left(5);
        }
    }
    black_box(lanes);
}
