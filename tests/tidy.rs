//! Rules of the house that neither rustc nor clippy knows: file headers, file sizes, words that may panic, and where
//! `unsafe` may stand.
//!
//! A line that may panic only in theory carries `// unreachable: why` on it or just above it.

mod support;

use std::path::PathBuf;
use support::source::{code_only, is_name, shipped_code};
use support::{files, loudly, root};

const MAX_LINES: usize = 800;
/// The eval loop is one function: docs/architecture.md says why.
const EVAL_LOOP: (&str, usize) = ("src/vm/run.rs", 1000);
const PANICS: [&str; 8] = [
    ".unwrap()",
    ".expect(",
    "panic!(",
    "todo!(",
    "unimplemented!(",
    "unreachable!(",
    "dbg!(",
    ".unwrap_err()",
];
const ALLOWED: &str = "// unreachable: ";
/// How far above an `unsafe` its reason may stand: a statement of some lines may lie between.
const REASON_LINES: usize = 8;

/// What the project's folder holds: a script's output that was committed by mistake stands out.
const TOP_LEVEL: [&str; 20] = [
    ".cargo",
    ".ci",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "benches",
    "build",
    "docs",
    "examples",
    "grammar",
    "lab",
    "models",
    "rustfmt.toml",
    "src",
    "stdlib",
    "tests",
    "tools",
];

struct Source {
    name: String,
    text: String,
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let root = root();
    let paths: Vec<PathBuf> = folders.iter().flat_map(|folder| files(&root.join(folder), "rs")).collect();
    assert!(!paths.is_empty(), "no sources under {folders:?}");
    paths
        .into_iter()
        .map(|path| Source {
            name: path.strip_prefix(&root).unwrap().display().to_string(),
            text: std::fs::read_to_string(&path).unwrap(),
        })
        .collect()
}

fn report(broken: Vec<String>) {
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_file_opens_with_what_it_is() {
    let all = sources(&["src", "grammar", "tests", "benches", "tools"]);
    let without = all.iter().filter(|s| !s.text.starts_with("//!"));
    report(without.map(|s| format!("{}: the first line has to be a //! comment", s.name)).collect());
}

#[test]
fn nothing_strays_at_the_top_level() {
    let listed = std::process::Command::new("git").arg("ls-files").current_dir(root()).output();
    let Some(listed) = listed.ok().filter(|listed| listed.status.success()) else {
        return loudly("SKIPPED the look at the top level: this is no checkout of git");
    };
    let listed = String::from_utf8(listed.stdout).unwrap();
    let names = listed.lines().filter_map(|path| path.split('/').next());
    let strays = names.filter(|name| !TOP_LEVEL.contains(name));
    report(strays.map(|name| format!("{name}: not a part of the project")).collect());
}

#[test]
fn files_stay_short() {
    let all = sources(&["src", "grammar", "tests", "benches", "tools"]);
    let limit = |name: &str| if name == EVAL_LOOP.0 { EVAL_LOOP.1 } else { MAX_LINES };
    let lengths = all.iter().map(|s| (s, s.text.lines().count()));
    let long = lengths.filter(|(s, lines)| *lines > limit(&s.name));
    report(long.map(|(s, lines)| format!("{}: {lines} lines, at most {}", s.name, limit(&s.name))).collect());
}

#[test]
fn nothing_that_ships_panics() {
    let mut broken = Vec::new();
    for source in sources(&["src", "grammar/src"]) {
        if source.name.ends_with("/tests.rs") || source.name.contains("/tests/") {
            continue;
        }
        let code = shipped_code(&source.text);
        let lines: Vec<&str> = source.text.lines().collect();
        for (i, line) in code.lines().enumerate() {
            let Some(word) = PANICS.iter().find(|word| says(line, word, lines[i])) else { continue };
            let excused = lines[i].contains(ALLOWED) || (i > 0 && lines[i - 1].contains(ALLOWED));
            if !excused {
                broken.push(format!("{}:{}: {word} without `{ALLOWED}reason`", source.name, i + 1));
            }
        }
    }
    report(broken);
}

/// Whether the code holds the word. A parser may well have a method `expect(token)`: only one with a message panics.
fn says(code: &str, word: &str, original: &str) -> bool {
    if word == ".expect(" {
        return code.contains(word) && original.contains(".expect(\"");
    }
    code.match_indices(word)
        .any(|(i, _)| word.starts_with('.') || !code[..i].chars().next_back().is_some_and(is_name))
}

/// The files and folders (ending in `/`) that docs/architecture.md lists between its `unsafe-files` comments.
fn unsafe_files() -> Vec<String> {
    let path = root().join("docs/architecture.md");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("docs/architecture.md: {e}"));
    let start = "<!-- unsafe-files -->";
    let list = text.split(start).nth(1).unwrap_or_else(|| panic!("docs/architecture.md has no line {start}"));
    let list = list.split("<!--").next().unwrap_or("");
    list.split('`').skip(1).step_by(2).map(str::to_string).collect()
}

#[test]
fn unsafe_stands_only_in_the_listed_files() {
    let all = sources(&["src", "grammar/src"]);
    let holders: Vec<&Source> = all.iter().filter(|s| code_only(&s.text).lines().any(is_unsafe)).collect();
    if holders.is_empty() {
        return;
    }
    let listed = unsafe_files();
    let covers = |entry: &str, name: &str| entry == name || (entry.ends_with('/') && name.starts_with(entry));
    let mut broken = Vec::new();
    for holder in &holders {
        if !listed.iter().any(|entry| covers(entry, &holder.name)) {
            broken
                .push(format!("{}: has unsafe code, but docs/architecture.md does not list it", holder.name));
        }
    }
    for entry in &listed {
        if !holders.iter().any(|holder| covers(entry, &holder.name)) {
            broken.push(format!("{entry}: listed in docs/architecture.md, but without unsafe code"));
        }
    }
    report(broken);
}

#[test]
fn every_unsafe_block_has_its_reason() {
    let mut broken = Vec::new();
    for source in sources(&["src", "grammar/src"]) {
        let lines: Vec<&str> = source.text.lines().collect();
        for (i, line) in code_only(&source.text).lines().enumerate() {
            let needs_reason = line.contains("unsafe {") || line.contains("unsafe impl");
            if needs_reason && !lines[i.saturating_sub(REASON_LINES)..=i].iter().any(|l| l.contains("SAFETY"))
            {
                broken.push(format!("{}:{}: unsafe without a SAFETY comment", source.name, i + 1));
            }
        }
    }
    report(broken);
}

/// Whether the line uses `unsafe`, other than in the name of a lint.
fn is_unsafe(line: &str) -> bool {
    line.match_indices("unsafe").any(|(i, word)| {
        let before = line[..i].chars().next_back();
        let after = line[i + word.len()..].chars().next();
        !before.is_some_and(is_name) && !after.is_some_and(is_name)
    })
}

#[test]
fn the_search_sees_code_alone() {
    let text = "let a = \"panic!(\"; // x.unwrap()\n/* todo!( */ b.unwrap();\n#[cfg(test)]\nmod t {\n  c.unwrap();\n}\nlet d = '\"';\nlet e = r#\"dbg!(\"#;";
    let code = shipped_code(text);
    let lines: Vec<&str> = code.lines().collect();
    assert!(!lines[0].contains("panic") && !lines[0].contains("unwrap"));
    assert!(lines[1].contains("b.unwrap()") && !lines[1].contains("todo"));
    assert!(lines[4].is_empty());
    assert!(lines[6].contains("let d") && lines[7].contains("let e") && !lines[7].contains("dbg"));
    assert!(is_unsafe("unsafe { }") && !is_unsafe("unsafe_op_in_unsafe_fn"));
}
