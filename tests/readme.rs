//! What README.md and docs/gil.md promise: every command in a `sh` block is run, ends well, and prints what its kind prints (columns
//! and words, never times); every file and picture they name exists. Of cargo's commands those that run Mini are run with the binary
//! under test; the tests' own, and the benches, are steps of `.ci/run`, which is looked up.

mod support;

use std::process::Command;
use std::time::Duration;
use support::{Finished, loudly, mini, python_stands_in, root, run, scratch};

const LIMIT: Duration = Duration::from_secs(120);
const PAGES: [&str; 2] = ["README.md", "docs/gil.md"];

/// What a command prints, by the words in it: the first that fits counts. `!`: to standard error.
const PRINTS: &[(&str, &[&str])] = &[
    ("mini ps", &["process ", "GIL: ", "thread MainThread", "thread waits", "time:5ms,queue=io\n"]),
    ("--stats --gil coop", &["finished in time: True", "!gil: coop ", "!held ms", "!blocked in"]),
    ("--stats", &["late, median", "!gil: time:5ms ", "!computes ", "!longest ms", "!time.sleep "]),
    ("--blame", &["late, median", "!waited ms", "!to blame", "!in wait_often", "!in compute"]),
    ("trace view", &[".html\n"]),
    ("--trace", &["late, median"]),
    ("trace check", &["sound: "]),
    ("--gil off examples/why_threads", &["GIL policy: off", "CPU: computing", "speed-up"]),
    (
        "examples/why_threads",
        &["GIL policy: time:5ms", "CPU: computing", "I/O: reading a pipe", "2 processes"],
    ),
    ("examples/convoy", &["GIL policy: ", "woke up", "alone  ", "beside one that computes  "]),
    ("examples/change_policy", &["first thread", "time:5ms  ", "ticks:1000,queue=fifo  ", "off  "]),
    ("examples/who_is_next", &["heavy   light", "fifo ", "pick "]),
    (
        "lab run lost",
        &["x += one(), % lost", "ticks:100  ", "time:5ms  ", "published: ", "shape reproduced: "],
    ),
    ("lab run prices", &["start and end, us", "coroutine", "process  ", "shape reproduced: "]),
    ("lab run convoy", &["answers a second", "computing kept, %", "queue=io", "shape reproduced: "]),
    ("lab run slices", &["longest wait, ms", "queue=fifo", "fairness", "shape reproduced: "]),
    ("lab run battle", &["times as long", "queue=battle", "shape reproduced: "]),
    ("lab run forking", &["off ", "shape reproduced: "]),
    ("lab run crash", &["shape reproduced: "]),
    ("lab list", &["cpu  ", "convoy  ", "crash  "]),
    ("examples/hello", &["Hello"]),
    ("2 ** 100", &["1267650600228229401496703205376\n"]),
    ("from a pipe", &["from a pipe\n"]),
    ("mini dis", &["Return"]),
    ("mini --help", &["usage: mini ", "--gil POLICY"]),
];

fn page(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
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

/// The command as one of Mini's, if it is one.
fn ours(line: &str) -> Option<String> {
    let line = line.replace("cargo run --release -- ", "mini ");
    (!line.starts_with("cargo ")).then_some(line)
}

/// A folder with what commands are run beside: the examples, `mini` on the path, a place for traces.
fn workplace(name: &str) -> std::path::PathBuf {
    let folder = scratch(name);
    for shared in ["examples", "lab"] {
        std::os::unix::fs::symlink(root().join(shared), folder.join(shared)).unwrap();
    }
    for made in ["target", "bin"] {
        std::fs::create_dir(folder.join(made)).unwrap();
    }
    std::os::unix::fs::symlink(mini(), folder.join("bin/mini")).unwrap();
    folder
}

fn commands_run(name: &str) {
    if python_stands_in() {
        loudly(&format!("SKIPPED the commands of {name}: CPython knows none of them"));
        return;
    }
    let text = page(name);
    let folder = workplace(&format!("readme-{}", name.replace(['/', '.'], "-")));
    let path = format!("{}:{}", folder.join("bin").display(), std::env::var("PATH").unwrap_or_default());
    let mut count = 0;
    for line in commands(&text).into_iter().filter_map(ours) {
        let mut shell = Command::new("sh");
        shell.args(["-c", &line]).env("PATH", &path).env_remove("MINI_GIL").current_dir(&folder);
        is_as_promised(&line, &run(shell, b"", LIMIT));
        count += 1;
    }
    assert!(count >= 8, "{name} has {count} commands");
}

fn is_as_promised(line: &str, finished: &Finished) {
    assert_eq!(finished.code(), 0, "{line}: {}", finished.stderr);
    let (_, wanted) = PRINTS
        .iter()
        .find(|(words, _)| line.contains(words))
        .unwrap_or_else(|| panic!("{line}: a line in PRINTS has to say what it prints"));
    for words in *wanted {
        let (words, printed) = match words.strip_prefix('!') {
            Some(words) => (words, &finished.stderr),
            None => (*words, &finished.stdout),
        };
        assert!(printed.contains(words), "{line}: no {words:?} in\n{printed}");
    }
}

#[test]
fn commands_of_the_readme_run() {
    commands_run("README.md");
}

#[test]
fn commands_of_the_page_on_policies_run() {
    commands_run("docs/gil.md");
}

#[test]
fn commands_of_cargo_are_steps_of_ci() {
    let readme = page("README.md");
    let cargo: Vec<&str> = commands(&readme).into_iter().filter(|line| ours(line).is_none()).collect();
    assert!(cargo.contains(&"cargo test --workspace"), "the test command is missing: {cargo:?}");
    assert!(commands(&readme).contains(&"cargo run --release -- examples/why_threads.mini"));
    let ci = page(".ci/run");
    for line in cargo {
        assert!(ci.contains(&format!("\n{line}")), ".ci/run does not call `{line}`");
    }
}

/// The targets of links and pictures, as paths below the root; those of other places are left out.
fn links<'a>(name: &str, text: &'a str) -> Vec<(std::path::PathBuf, &'a str)> {
    let folder = root().join(name).parent().unwrap().to_owned();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.starts_with("http"))
        .map(|target| target.split_once('#').unwrap_or((target, "")))
        .map(|(file, section)| (if file.is_empty() { root().join(name) } else { folder.join(file) }, section))
        .collect()
}

#[test]
fn what_is_linked_and_named_exists() {
    for name in PAGES {
        let text = page(name);
        for (file, section) in links(name, &text) {
            assert!(file.exists(), "{name}: there is no {}", file.display());
            let anchor = |line: &str| line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
            let is_there = |text: String| {
                text.lines().any(|line| line.starts_with('#') && anchor(line).replace('?', "") == section)
            };
            assert!(
                section.is_empty() || is_there(std::fs::read_to_string(&file).unwrap()),
                "{name}: no #{section}"
            );
        }
        let spans = text.split('`').skip(1).step_by(2);
        let looks_ours = |name: &&str| {
            ["examples/", "docs/", ".ci/", "src/", "tests/", "LICENSE"].iter().any(|p| name.starts_with(p))
        };
        let missing: Vec<&str> =
            spans.filter(looks_ours).filter(|name| !root().join(name).exists()).collect();
        assert!(missing.is_empty(), "{name}: {missing:?}");
    }
}

#[test]
fn the_pictures_are_pictures() {
    let readme = page("README.md");
    let pictures: Vec<&str> = readme
        .lines()
        .filter(|line| line.starts_with("!["))
        .filter_map(|line| line.split(['(', ')']).nth(1))
        .collect();
    assert_eq!(pictures, ["docs/pictures/report.png", "docs/pictures/timeline.png"]);
    for picture in pictures {
        let bytes = std::fs::read(root().join(picture)).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"), "{picture}");
        assert!(bytes.len() < 160_000, "{picture} has {} bytes", bytes.len());
    }
}

#[test]
fn the_outputs_shown_are_of_the_example_as_it_is() {
    let example = page("examples/why_threads.mini");
    let readme = page("README.md");
    for words in ["CPU: computing", "I/O: sleeping", "I/O: reading a pipe", "GIL switches"] {
        assert!(readme.contains(words) && example.contains(words), "{words:?} is not in both");
    }
    assert!(
        readme.contains("2 processes  speed-up    2 coroutines"),
        "the columns of processes and coroutines"
    );
}

#[test]
fn the_readme_stays_short() {
    let lines = page("README.md").lines().count();
    assert!(lines <= 280, "{lines} lines");
}
