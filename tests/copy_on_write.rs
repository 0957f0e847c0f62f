//! A child shares its parent's memory until one of them writes: reading objects and collecting write next to nothing to where
//! the objects lie. Measured in bytes that the kernel has copied, never in time.

mod support;

use std::process::Command;
use std::time::Duration;
use support::{loudly, mini_command, python_stands_in, root, run};

const LIMIT: Duration = Duration::from_secs(120);
/// Makes a heap of 150 MiB and more.
const OBJECTS: &str = "380000";
const LEAST: u64 = 150 << 20;
/// A hundredth of the heap, of which a child may copy three.
const PER_CENT: u64 = 100;

/// The heap's bytes, and what the child has copied by reading and by collecting.
fn measure(mut command: Command) -> [u64; 3] {
    command.arg(root().join("tests/copy_on_write.mini")).arg(OBJECTS);
    let done = run(command, b"", LIMIT);
    assert_eq!(done.code(), 0, "{}", done.stderr);
    let mut numbers = done.stdout.split_whitespace().map(|n| n.parse().unwrap());
    [(); 3].map(|()| numbers.next().unwrap())
}

#[test]
fn a_child_that_reads_and_collects_copies_next_to_nothing() {
    if python_stands_in() {
        loudly("SKIPPED copy_on_write: CPython copies nearly everything");
        return;
    }
    for gil in ["off", "time:5ms"] {
        let [heap, reading, collecting] = measure(mini_command(Some(gil)));
        assert!(heap >= LEAST, "--gil {gil}: the heap has only {heap} bytes");
        let copied = reading + collecting;
        assert!(
            copied * PER_CENT <= heap * 3,
            "--gil {gil}: of {heap} bytes, reading copied {reading} and collecting {collecting}"
        );
    }
    let mut python = Command::new("/usr/bin/python3.11");
    if python.arg("--version").output().is_ok_and(|out| out.status.success()) {
        let [heap, reading, collecting] = measure(Command::new("/usr/bin/python3.11"));
        loudly(&format!("CPython copies {} % of its heap", (reading + collecting) * PER_CENT / heap.max(1)));
    }
}
