//! A program that only makes garbage stays small, however long it runs and however many threads do it.

mod support;

use std::time::Duration;
use support::{mini_command, root, run};

/// A multiple of what is alive at any moment (less than one MiB a thread), and a fraction of what is allocated.
const MAX_GROWTH_MIB: i64 = 64;
const SECONDS: &str = "3";

#[track_caller]
fn stays_small(gil: &str, threads: usize) {
    let mut command = mini_command(Some(gil));
    command.arg(root().join("tests/bounded_memory.mini")).arg(threads.to_string()).arg(SECONDS);
    let finished = run(command, b"", Duration::from_secs(60));
    let (out, err) = (&finished.stdout, &finished.stderr);
    let numbers: Vec<i64> = out.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let &[workers, grown] = numbers.as_slice() else {
        panic!("exit code {}\nstdout: {out}\nstderr: {err}", finished.code())
    };
    assert_eq!((finished.code(), workers), (0, threads as i64 + 1), "{err}");
    assert!(grown <= MAX_GROWTH_MIB, "--gil {gil}, {threads} threads: grew by {grown} MiB");
}

#[test]
fn one_thread() {
    stays_small("time:5ms", 1);
}

#[test]
fn one_thread_without_a_gil() {
    stays_small("off", 1);
}

#[test]
fn three_threads() {
    stays_small("time:5ms", 3);
}

#[test]
fn three_threads_without_a_gil() {
    stays_small("off", 3);
}
