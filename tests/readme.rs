//! The README's promises: every command in a `sh` block works, every file it names exists. The cheap commands are run with the
//! binary under test; of cargo's, which would build and test everything again, only the names are checked.

mod support;

use std::process::Command;
use std::time::Duration;
use support::{loudly, mini, python_stands_in, root, run};

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

/// The lines of all blocks that begin with "```sh".
fn commands(text: &str) -> Vec<&str> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = line == "```sh";
        } else if inside && !line.trim().is_empty() {
            found.push(line);
        }
    }
    found
}

#[test]
fn commands_of_mini_run() {
    if python_stands_in() {
        loudly("SKIPPED commands_of_mini_run: CPython knows none of them");
        return;
    }
    let readme = readme();
    let ours: Vec<&str> = commands(&readme).into_iter().filter(|c| !c.starts_with("cargo ")).collect();
    assert!(ours.len() >= 5, "{ours:?}");
    for line in ours {
        let mut shell = Command::new("sh");
        let script = format!("mini() {{ \"$MINI_BINARY\" \"$@\"; }}\n{line}");
        shell.args(["-c", &script]).env("MINI_BINARY", mini()).env_remove("MINI_GIL").current_dir(root());
        let finished = run(shell, b"", Duration::from_secs(30));
        assert_eq!(finished.code(), 0, "{line}: {}", finished.stderr);
        assert!(!finished.stdout.is_empty(), "{line} prints nothing");
    }
}

#[test]
fn commands_of_cargo_name_what_exists() {
    let readme = readme();
    let cargo: Vec<&str> = commands(&readme).into_iter().filter(|c| c.starts_with("cargo ")).collect();
    assert!(cargo.contains(&"cargo test --workspace"), "the test command is missing: {cargo:?}");
    assert!(cargo.contains(&"cargo run --release -- examples/why_threads.mini"), "{cargo:?}");
    let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(ci.contains("\ncargo test --workspace"), ".ci/run does not call the README's test command");
    for line in cargo {
        let known = ["run", "test", "bench", "build"];
        assert!(line.split(' ').nth(1).is_some_and(|verb| known.contains(&verb)), "{line}");
        for word in line.split(' ').filter(|word| word.contains('/')) {
            assert!(root().join(word).exists(), "{line}: there is no {word}");
        }
    }
}

#[test]
fn named_files_exist() {
    let readme = readme();
    let spans = readme.split('`').skip(1).step_by(2);
    let looks_ours =
        |name: &&str| ["examples/", "docs/", ".ci/", "LICENSE"].iter().any(|p| name.starts_with(p));
    let missing: Vec<&str> = spans.filter(looks_ours).filter(|name| !root().join(name).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_outputs_shown_are_of_the_example_as_it_is() {
    let example = std::fs::read_to_string(root().join("examples/why_threads.mini")).unwrap();
    let readme = readme();
    for words in ["CPU: computing", "I/O: sleeping", "I/O: reading a pipe", "GIL switches"] {
        assert!(readme.contains(words) && example.contains(words), "{words:?} is not in both");
    }
}
