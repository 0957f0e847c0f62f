//! Memory suite: growth of the resident set per item, read by the script itself from /proc/self/statm.
//! A process of its own for each kind and size, so that no memory is counted that an earlier size had left free.

use crate::rows::{Report, compare_checks};
use crate::run::{Lab, bench_file};
use crate::table::{Row, Table, Target};

/// Kinds, and how many bytes per item they may take at the largest size.
const KINDS: [(&str, f64); 5] =
    [("ints", 10.0), ("floats", 10.0), ("dict_of_ints", 56.0), ("objects", 56.0), ("short_strs", 48.0)];
const SIZES: [usize; 3] = [100_000, 300_000, TARGET_SIZE];
const TARGET_SIZE: usize = 1_000_000;

pub fn tables(lab: &mut Lab) -> Vec<Table> {
    let rounds = lab.rounds(3);
    let kinds: Vec<_> = KINDS.iter().filter(|(kind, _)| lab.wants(kind)).copied().collect();
    let mut rows = Vec::new();
    for (kind, target) in kinds {
        for size in SIZES {
            // Smaller sizes are shown, but the fixed cost of a heap block or a doubled table is theirs, not an item's.
            let target = if size == TARGET_SIZE { Target::AtMost(target) } else { Target::None };
            rows.push(sized_row(lab, "memory.mini", kind, size, target, rounds));
        }
    }
    if rows.is_empty() {
        return Vec::new();
    }
    vec![Table {
        title: format!("Memory, median of {rounds} rounds"),
        unit: "bytes per item",
        columns: vec!["mini".into(), "python3.11".into()],
        ratio: "mini",
        rows,
    }]
}

/// What a script of `benches/scripts` says of so many items of a kind; the target is for Mini's bytes.
pub fn sized_row(lab: &mut Lab, file: &str, kind: &str, size: usize, target: Target, rounds: usize) -> Row {
    let args = vec![bench_file(&format!("scripts/{file}")), kind.to_string(), size.to_string()];
    let commands: Vec<_> = lab.pythons().into_iter().map(|i| (i, args.clone())).collect();
    let mut reports = Vec::new();
    for result in lab.interleave(&commands, rounds) {
        let report = result.map(|outcomes| Report::read(&outcomes)).transpose();
        reports.push(report.unwrap_or_else(|message| {
            lab.report(&format!("{file} {kind} {size}: {message}"));
            None
        }));
    }
    compare_checks(lab, file, &reports);
    let bytes = |position: usize| reports.get(position)?.as_ref()?.median(kind, 0);
    Row { name: format!("{kind} x {size}"), values: vec![bytes(0), bytes(1)], ratio: bytes(0), target }
}
