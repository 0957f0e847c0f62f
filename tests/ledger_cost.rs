//! What the ledger costs: the instructions of the whole of `src/gil`, and of the clock it reads, while threads compute.
//! Counted by valgrind, so that a busy machine changes nothing; under it a thread's slice of 5 ms holds far fewer
//! instructions than on a bare processor, and hand-overs weigh more than they do there.

mod support;

use std::collections::HashMap;
use std::process::Command;
use std::time::Duration;
use support::{loudly, mini, python_stands_in, run, scratch};

const PROGRAM: &str = "
import threading
def burn(rounds):
    total = 0
    for i in range(rounds):
        total += i * i % 7
    return total
threads = [threading.Thread(target=burn, args=(400_000,)) for _ in range(2)]
for t in threads: t.start()
for t in threads: t.join()
";

#[test]
fn the_ledger_costs_at_most_one_percent_of_computing() {
    let test = "the_ledger_costs_at_most_one_percent_of_computing";
    if python_stands_in() {
        loudly(&format!("SKIPPED {test}: CPython has no ledger"));
        return;
    }
    if !Command::new("valgrind").arg("--version").output().is_ok_and(|o| o.status.success()) {
        loudly(&format!("SKIPPED {test}: there is no valgrind"));
        return;
    }
    let out = scratch("ledger-cost").join("callgrind.out");
    let mut command = Command::new("valgrind");
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(mini()).args(["--gil", "time:5ms", "-c", PROGRAM]);
    let finished = run(command, b"", Duration::from_secs(300));
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let counted = std::fs::read_to_string(out).unwrap();
    let (ledger, all) = shares(&counted);
    let share = ledger as f64 / all as f64;
    println!("{ledger} of {all} instructions, {:.3} %", share * 100.0);
    assert!(all > 10_000_000, "{all} instructions are not the program's");
    assert!(ledger > 0, "no function of src/gil was seen");
    assert!(share <= 0.01, "{ledger} of {all} instructions are the ledger's");
}

/// The instructions of `src/gil` and of reading the clock, and those of everything, out of callgrind's file.
/// Its format: <https://valgrind.org/docs/manual/cl-format.html>.
fn shares(counted: &str) -> (u64, u64) {
    let (mut files, mut functions) = (HashMap::new(), HashMap::new());
    let (mut file, mut function) = (String::new(), String::new());
    let (mut ledger, mut all) = (0, 0);
    let mut callee = false;
    for line in counted.lines() {
        if let Some((key, name)) = line.split_once('=') {
            match key {
                "fl" | "fi" | "fe" => file = spelled(&mut files, name),
                "fn" => function = spelled(&mut functions, name),
                "cfi" | "cfl" => drop(spelled(&mut files, name)),
                "cfn" => drop(spelled(&mut functions, name)),
                // The line after it has the cost of what was called, which counts where it was spent.
                "calls" => callee = true,
                _ => {}
            }
        } else if line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
            let cost = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0);
            if !std::mem::take(&mut callee) {
                all += cost;
                if file.contains("src/gil/") || function.contains("clock_gettime") {
                    ledger += cost;
                }
            }
        }
    }
    (ledger, all)
}

/// A name stands in full where it comes first, `(7) name`, and is `(7)` from then on.
fn spelled(known: &mut HashMap<String, String>, text: &str) -> String {
    match text.split_once(") ") {
        Some((number, name)) => {
            known.insert(number.to_owned(), name.to_owned());
            name.to_owned()
        }
        None => known.get(text.trim_end_matches(')')).cloned().unwrap_or_else(|| text.to_owned()),
    }
}
