//! Threads that change shared data at random, under every policy: no crash, no hang, no broken invariant.
//!
//! Each script in tests/racing/ takes a seed and a number of seconds, checks the invariants of its data when its threads
//! have ended, and prints `ok`. MINI_RACING_SECONDS and MINI_RACING_SEED make a longer or another run of it.

mod support;

use std::time::Duration;
use support::{files, mini_command, root, run};

/// Far more than any run needs: only a hang gets here.
const SLACK: Duration = Duration::from_secs(90);

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn race(gil: &str, seconds: u64) {
    let seconds = setting("MINI_RACING_SECONDS", seconds);
    let seed = setting("MINI_RACING_SEED", 1);
    let scripts = files(&root().join("tests/racing"), "mini");
    assert!(!scripts.is_empty(), "no scripts in tests/racing");
    let mut broken = Vec::new();
    for script in scripts {
        let mut command = mini_command(Some(gil));
        command.arg(&script).arg(seed.to_string()).arg(seconds.to_string());
        let finished = run(command, b"", Duration::from_secs(seconds) + SLACK);
        if finished.code() != 0 || finished.stdout != "ok\n" || !finished.stderr.is_empty() {
            let name = script.file_name().unwrap_or_default().to_string_lossy();
            let end = if finished.status.is_none() { "hung" } else { "ended" };
            let (code, out, err) = (finished.code(), &finished.stdout, &finished.stderr);
            broken.push(format!("{name} --gil {gil} {end} with {code}\nstdout: {out}\nstderr: {err}"));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn without_a_gil() {
    race("off", 2);
}

#[test]
fn switching_at_every_instruction() {
    race("ticks:1", 2);
}

#[test]
fn switching_often() {
    race("ticks:37", 1);
}

#[test]
fn with_a_short_interval() {
    race("time:100us", 1);
}

#[test]
fn with_the_default_interval() {
    race("time:5ms", 1);
}

#[test]
fn with_a_short_interval_at_every_instruction() {
    race("time:100us,queue=fifo,poll=op", 1);
}

#[test]
fn taking_turns() {
    race("coop", 1);
}
