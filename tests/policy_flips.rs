//! A thousand random changes of the GIL policy while threads count, pass items and sleep: nothing is lost, nobody hangs.

mod support;

use std::time::Duration;
use support::{loudly, mini_command, python_stands_in, root, run};

#[test]
fn a_thousand_live_switches_lose_nothing() {
    if python_stands_in() {
        loudly("policy_flips: CPython has no module gil; the script runs, but switches nothing");
    }
    for seed in [1, 2] {
        let mut command = mini_command(None);
        command.arg(root().join("tests/policy_flips.mini")).arg(seed.to_string());
        let finished = run(command, b"", Duration::from_secs(60));
        assert!(finished.status.is_some(), "seed {seed}: hung\n{}", finished.stderr);
        assert_eq!(
            finished.stdout,
            "ok\n",
            "seed {seed}: exit code {}\n{}",
            finished.code(),
            finished.stderr
        );
        assert_eq!(finished.code(), 0, "seed {seed}\n{}", finished.stderr);
    }
}
