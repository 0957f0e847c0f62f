//! A short run of the fuzzer, always over the same programs: what they print is CPython's. Long runs are started by hand.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

fn fuzz(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mini-fuzz")).args(args).output().expect("the fuzzer starts")
}

fn both(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn agrees(args: &[&str]) {
    if !Path::new("/usr/bin/python3.11").exists() {
        // Nothing is lost but the message if there is no stderr.
        let _ = writeln!(std::io::stderr(), "\n*** SKIPPED: no /usr/bin/python3.11 to compare with");
        return;
    }
    let output = fuzz(args);
    assert_eq!(output.status.code(), Some(0), "{}", both(&output));
}

#[test]
fn two_thousand_programs_print_what_cpython_prints() {
    agrees(&["--seed", "2026", "--programs", "2000"]);
}

#[test]
fn so_they_do_with_the_lock_off_and_with_a_switch_at_every_instruction() {
    agrees(&["--seed", "7", "--programs", "300", "--gil", "off"]);
    agrees(&["--seed", "8", "--programs", "300", "--gil", "ticks:1"]);
}

#[test]
fn wrong_options_are_refused() {
    for args in
        [&["--programs", "x"][..], &["--batch", "0"], &["--seeds", "1"], &["--python", "/nowhere"], &["more"]]
    {
        let output = fuzz(args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", both(&output));
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
}
