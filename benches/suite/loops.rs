//! Suite of event loops: echo servers under the same load, what a switch and a task cost, and what waits costs in memory.
//! Against CPython's asyncio, uvloop, and a server that is written directly on mio.

use crate::memory::sized_row;
use crate::run::{Lab, median};
use crate::servers::{Kind, Loop, Programs, Sample};
use crate::table::{Row, Table, Target};
use crate::threads::of_script;

const CONNECTIONS: [usize; 2] = [50, 500];
const SERVERS: [Kind; 7] = [
    Kind { of: Loop::Mini, level: STREAMS },
    Kind { of: Loop::Asyncio, level: STREAMS },
    Kind { of: Loop::Uvloop, level: STREAMS },
    Kind { of: Loop::Mini, level: PROTOCOL },
    Kind { of: Loop::Asyncio, level: PROTOCOL },
    Kind { of: Loop::Uvloop, level: PROTOCOL },
    MIO,
];
const STREAMS: &str = "streams";
const PROTOCOL: &str = "protocol";
const MIO: Kind = Kind { of: Loop::Mio, level: PROTOCOL };

/// What Mini's servers are held against, and how many times as many requests they have to answer.
const ECHO: [(&str, Loop, Target); 5] = [
    (STREAMS, Loop::Asyncio, Target::AtLeast(2.5)),
    (STREAMS, Loop::Uvloop, Target::AtLeast(1.0)),
    (PROTOCOL, Loop::Asyncio, Target::None),
    (PROTOCOL, Loop::Uvloop, Target::AtLeast(1.0)),
    (PROTOCOL, Loop::Mio, Target::AtLeast(1.0 / 1.5)),
];

/// The part of asyncio's time that an operation may take.
const COSTS: [(&str, f64); 4] = [
    ("switch", 1.0 / 4.0),
    ("switch_100_tasks", 1.0 / 4.0),
    ("create_and_finish", 1.0 / 3.0),
    ("create_and_finish_1000", 1.0 / 3.0),
];

/// Bytes that something that waits may take, and how many of them are made.
const WAITING: [(&str, f64); 2] = [("coroutines", 400.0), ("sleeping_tasks", 600.0)];
const MANY: usize = 200_000;

pub fn tables(lab: &mut Lab) -> Vec<Table> {
    let mut tables = Vec::new();
    if lab.wants("echo") {
        tables.extend(echo(lab));
    }
    tables.extend(of_script(lab, "Event loops", "loops.mini", &COSTS));
    tables.push(waiting(lab));
    tables.retain(|table| !table.rows.is_empty());
    tables
}

fn waiting(lab: &mut Lab) -> Table {
    let rounds = lab.rounds(3);
    let kinds: Vec<_> = WAITING.iter().filter(|(kind, _)| lab.wants(kind)).collect();
    let rows = kinds
        .into_iter()
        .map(|(kind, most)| sized_row(lab, "waiting.mini", kind, MANY, Target::AtMost(*most), rounds))
        .collect();
    Table {
        title: format!("What waits, median of {rounds} rounds"),
        unit: "bytes per item",
        columns: vec!["mini".into(), "python3.11".into()],
        ratio: "mini",
        rows,
    }
}

/// The median of what was measured of a server; `None`: it is not installed, or failed.
fn middle(samples: &[(Kind, Sample)], kind: Kind, number: impl Fn(&Sample) -> f64) -> Option<f64> {
    let found: Vec<f64> =
        samples.iter().filter(|(of, _)| *of == kind).map(|(_, sample)| number(sample)).collect();
    (!found.is_empty()).then(|| median(found))
}

/// Every server once per round, in turn.
fn samples(lab: &mut Lab, programs: &Programs, connections: usize, rounds: usize) -> Vec<(Kind, Sample)> {
    let mut samples = Vec::new();
    for _ in 0..rounds {
        for kind in SERVERS {
            match programs.measure(kind, connections) {
                Some(Ok(sample)) => samples.push((kind, sample)),
                Some(Err(message)) => lab.report(&message),
                None => {}
            }
        }
    }
    samples
}

fn echo(lab: &mut Lab) -> [Table; 2] {
    let rounds = lab.rounds(5);
    let programs = Programs::find(lab);
    let (mut answered, mut costs) = (Vec::new(), Vec::new());
    for connections in CONNECTIONS {
        let samples = samples(lab, &programs, connections, rounds);
        for (level, of, target) in ECHO {
            let other = if of == Loop::Mio { MIO } else { Kind { of, level } };
            let mini = Kind { of: Loop::Mini, level };
            let name = format!("{level}, {connections} connections, {of:?}");
            let row = |number: fn(&Sample) -> f64, target| {
                let values = vec![middle(&samples, mini, number), middle(&samples, other, number)];
                let ratio = values[0].zip(values[1]).map(|(mini, other)| mini / other);
                Row { name: name.clone(), values, ratio, target }
            };
            answered.push(row(|sample| sample.requests_per_second / 1000.0, target));
            costs.push(row(|sample| sample.cpu_us, Target::None));
        }
    }
    let table = |title: &str, unit, rows| Table {
        title: format!("Echo of 64 bytes: {title}, median of {rounds} rounds"),
        unit,
        columns: vec!["mini".into(), "other".into()],
        ratio: "mini/other",
        rows,
    };
    [
        table("answers", "thousand requests per second", answered),
        table("what a request costs the server", "microseconds of processor time", costs),
    ]
}
