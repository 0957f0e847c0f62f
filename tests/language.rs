//! docs/language.md keeps its word: its examples are run, and its lists are compared with the binary. Where CPython 3.11 is
//! installed, what the page says of it is checked as well.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::{Finished, files, mini_command, root, run};

const LIMIT: Duration = Duration::from_secs(60);
const ORACLE: &str = "/usr/bin/python3.11";

fn page() -> String {
    std::fs::read_to_string(root().join("docs/language.md")).unwrap()
}

/// The part of the page under a heading of the second level.
fn section<'p>(page: &'p str, title: &str) -> &'p str {
    let heading = format!("\n## {title}\n");
    let from = page.find(&heading).unwrap_or_else(|| panic!("no section {title}")) + heading.len();
    let rest = &page[from..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

/// The examples of a section by their titles: each a block of code, and what stands behind it.
fn examples(section: &str) -> Vec<(&str, &str, &str)> {
    let parts = section.split("\n### ").skip(1);
    parts
        .map(|part| {
            let (title, rest) = part.split_once('\n').unwrap();
            let (_, code) = rest.split_once("```mini").unwrap_or_else(|| panic!("{title}: no code"));
            let (_, code) = code.split_once('\n').unwrap();
            let (code, behind) = code.split_once("```").unwrap();
            (title, code, behind.trim())
        })
        .collect()
}

/// The rows of the table in a section, cell by cell, without the two of its head.
fn rows(section: &str) -> Vec<Vec<&str>> {
    let lines = section.lines().filter(|line| line.starts_with('|')).skip(2);
    lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// The words of a cell that are marked as code.
fn marked(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn mini(code: &str) -> Finished {
    let mut command = mini_command(None);
    command.args(["-c", code]);
    run(command, b"", LIMIT)
}

/// What CPython does; `None` where it is not installed.
fn cpython(code: &str) -> Option<Finished> {
    if !Path::new(ORACLE).exists() {
        return None;
    }
    let mut command = Command::new(ORACLE);
    command.env_remove("PYTHONHASHSEED").args(["-W", "ignore", "-c", code]);
    Some(run(command, b"", LIMIT))
}

fn words(done: &Finished) -> BTreeSet<String> {
    assert_eq!((done.code(), done.last_error()), (0, ""));
    done.stdout.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn what_is_in_the_language_runs() {
    let page = page();
    let examples = examples(section(&page, "Syntax"));
    assert!(examples.len() > 10);
    for (title, code, _) in examples {
        let done = mini(code);
        assert_eq!((done.code(), done.last_error()), (0, ""), "{title}");
        if let Some(oracle) = cpython(code) {
            assert_eq!(done.stdout, oracle.stdout, "{title}");
        }
    }
}

#[test]
fn what_is_outside_is_refused_by_name() {
    let page = page();
    let examples = examples(section(&page, "Outside"));
    assert!(examples.len() > 10);
    for (title, code, behind) in examples {
        let said = behind.strip_prefix("> line ").unwrap_or_else(|| panic!("{title}: no error"));
        let (line, error) = said.split_once(": ").unwrap();
        let done = mini(code);
        assert_eq!(done.code(), 1, "{title}");
        assert_eq!(format!("`{}`", done.last_error()), error, "{title}");
        assert!(done.stderr.contains(&format!(", line {line}")), "{title}: {}", done.stderr);
        assert!(!error.contains("SyntaxError") || done.stdout.is_empty(), "{title}: part of it was run");
    }
}

#[test]
fn every_difference_is_as_the_page_says() {
    let page = page();
    let section = section(&page, "What differs");
    let examples = examples(section);
    let titles: Vec<&str> = examples.iter().map(|(title, ..)| *title).collect();
    let named: Vec<&str> = rows(section).iter().map(|row| row[0]).collect();
    assert_eq!(named, titles, "rows of the table, and examples");
    for (title, code, behind) in examples {
        let output = behind.strip_prefix("```output\n").and_then(|rest| rest.strip_suffix("```"));
        let done = mini(code);
        assert_eq!((done.code(), done.last_error()), (0, ""), "{title}");
        assert_eq!(Some(done.stdout.as_str()), output, "{title}");
        if let Some(oracle) = cpython(code) {
            let same = oracle.code() == 0 && oracle.stdout == done.stdout;
            assert!(!same, "{title}: CPython 3.11 prints the same");
        }
    }
}

#[test]
fn the_built_in_names_are_those() {
    let page = page();
    let section = section(&page, "Built-in names");
    let (_, listed) = section.split_once("```names\n").unwrap();
    let (listed, _) = listed.split_once("```").unwrap();
    let listed: BTreeSet<String> = listed.split_whitespace().map(str::to_owned).collect();
    assert_eq!(words(&mini("import builtins\nprint(*dir(builtins))")), listed);
}

/// The modules that scripts can import by a name without underscore.
fn modules() -> BTreeSet<String> {
    let library = root().join("stdlib");
    let sources = files(&library, "mini").into_iter().map(|path| {
        let relative = path.strip_prefix(&library).unwrap().with_extension("");
        relative.to_string_lossy().replace('/', ".").trim_end_matches(".__init__").to_owned()
    });
    let native = mini::native::MODULES.iter().map(|module| module.name.to_owned());
    let public = |name: &String| name == "__future__" || !name.split('.').any(|part| part.starts_with('_'));
    sources.chain(native).filter(public).collect()
}

/// A script that prints, for each module, its name and its public names.
fn public_names(modules: &BTreeSet<String>) -> String {
    let list: Vec<String> =
        modules.iter().filter(|name| *name != "gil").map(|name| format!("{name:?}")).collect();
    format!(
        "import importlib, types\n\
         for name in [{}]:\n\
         \x20   module = importlib.import_module(name)\n\
         \x20   whole = name in ('os', 'sys')\n\
         \x20   names = None if whole else getattr(module, '__all__', None)\n\
         \x20   names = names or [n for n in dir(module) if not n.startswith('_')]\n\
         \x20   print(name, *[n for n in names if not isinstance(getattr(module, n, None), types.ModuleType)])\n",
        list.join(", ")
    )
}

/// A script that prints, for each line of what `public_names` printed, the module and what it is without.
fn absent_names(printed: &str) -> String {
    format!(
        "import importlib\n\
         for line in {printed:?}.splitlines():\n\
         \x20   name, *names = line.split()\n\
         \x20   module = importlib.import_module(name)\n\
         \x20   print(name, *[n for n in names if not hasattr(module, n)])\n"
    )
}

fn by_module(done: &Finished) -> BTreeMap<String, BTreeSet<String>> {
    assert_eq!((done.code(), done.last_error()), (0, ""));
    let line = |line: &str| {
        let mut words = line.split_whitespace().map(str::to_owned);
        (words.next().unwrap(), words.collect())
    };
    done.stdout.lines().map(line).collect()
}

#[test]
fn the_library_is_that() {
    let page = page();
    let rows = rows(section(&page, "The library"));
    let listed: BTreeMap<String, BTreeSet<String>> = rows
        .iter()
        .map(|row| {
            let name = marked(row[0]).pop_first().unwrap();
            let without = if name == "gil" { BTreeSet::new() } else { marked(row.get(1).unwrap_or(&"")) };
            (name, without)
        })
        .collect();
    let there = modules();
    assert_eq!(listed.keys().cloned().collect::<BTreeSet<_>>(), there);
    for (module, without) in &listed {
        let names: Vec<String> = without.iter().map(|name| format!("{name:?}")).collect();
        let code = format!(
            "import importlib\nm = importlib.import_module({module:?})\nprint(*[n for n in [{}] if hasattr(m, n)])",
            names.join(", ")
        );
        assert_eq!(words(&mini(&code)), BTreeSet::new(), "{module} has them after all");
    }
    let Some(oracle) = cpython(&public_names(&there)) else { return };
    for (module, absent) in by_module(&mini(&absent_names(&oracle.stdout))) {
        // Names in capitals are constants.
        let is_listed = |name: &String| !name.starts_with("__") && name.to_uppercase() != *name;
        let absent: BTreeSet<String> = absent.into_iter().filter(is_listed).collect();
        assert_eq!(absent, listed[&module], "{module} is without these");
    }
}
