//! docs/language.md keeps its word: its examples are run, and its lists are compared with the binary. Where CPython 3.11 is
//! installed, what the page says of it is checked as well. `UPDATE_EXPECT=1 cargo test --test language` writes the lists anew.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;
use support::{Finished, files, mini_command, root, run};

const LIMIT: Duration = Duration::from_secs(60);
/// Modules that CPython has not: their rows say what they are.
const OWN: [&str; 2] = ["distributed", "gil"];
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
    command.env_remove("PYTHONHASHSEED").env_remove("PYTHONUNBUFFERED").args(["-W", "ignore", "-c", code]);
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

/// Whether the lists are to be written anew.
fn updating() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some()
}

/// Puts `new` in the place of `old` into the page.
fn rewrite(old: &str, new: &str) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap();
    std::fs::write(root().join("docs/language.md"), page().replacen(old, new, 1)).unwrap();
}

/// Words in lines of at most 120 characters.
fn wrapped(words: &BTreeSet<String>) -> String {
    let mut lines = vec![String::new()];
    for word in words {
        if lines.last().unwrap().len() + 1 + word.len() > 120 {
            lines.push(String::new());
        }
        let line = lines.last_mut().unwrap();
        *line += if line.is_empty() { "" } else { " " };
        *line += word;
    }
    lines.join("\n") + "\n"
}

#[test]
fn the_built_in_names_are_those() {
    let page = page();
    let section = section(&page, "Built-in names");
    let (_, text) = section.split_once("```names\n").unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let listed: BTreeSet<String> = text.split_whitespace().map(str::to_owned).collect();
    let there = words(&mini("import builtins\nprint(*dir(builtins))"));
    if updating() {
        return rewrite(text, &wrapped(&there));
    }
    assert_eq!(there, listed, "built-in names that are there, and those listed");
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
        modules.iter().filter(|name| !OWN.contains(&name.as_str())).map(|name| format!("{name:?}")).collect();
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

/// What CPython's modules have more than ours; `None` where it is not installed.
fn absent(modules: &BTreeSet<String>) -> Option<BTreeMap<String, BTreeSet<String>>> {
    let oracle = cpython(&public_names(modules))?;
    let mut absent = by_module(&mini(&absent_names(&oracle.stdout)));
    absent.values_mut().for_each(|names| names.retain(|name| !name.starts_with("__")));
    Some(absent)
}

fn is_constant(name: &str) -> bool {
    name.to_uppercase() == name
}

/// The rows of the table of modules as they should be.
fn library_table(absent: &BTreeMap<String, BTreeSet<String>>, own: Vec<String>) -> String {
    let mut lines = own;
    for (module, names) in absent {
        let mut cell: Vec<String> =
            names.iter().filter(|name| !is_constant(name)).map(|name| format!("`{name}`")).collect();
        if names.iter().any(|name| is_constant(name)) {
            cell.push("some constants".to_owned());
        }
        lines.push(format!("| `{module}` | {} |", cell.join(" ")).replace("|  |", "| |"));
    }
    lines.sort();
    lines.join("\n")
}

#[test]
fn the_library_is_that() {
    let page = page();
    let section = section(&page, "The library");
    let there = modules();
    let absent = absent(&there);
    if let Some(absent) = absent.as_ref().filter(|_| updating()) {
        let is_row = |line: &&str| line.starts_with("| `");
        let old: Vec<&str> = section.lines().filter(is_row).collect();
        let is_own = |line: &&&str| OWN.iter().any(|name| line.starts_with(&format!("| `{name}`")));
        let own = old.iter().filter(is_own).map(|line| (*line).to_owned()).collect();
        return rewrite(&old.join("\n"), &library_table(absent, own));
    }
    let listed: BTreeMap<String, BTreeSet<String>> = rows(section)
        .iter()
        .map(|row| {
            let name = marked(row[0]).pop_first().unwrap();
            let without = if OWN.contains(&name.as_str()) {
                BTreeSet::new()
            } else {
                marked(row.get(1).unwrap_or(&""))
            };
            (name, without)
        })
        .collect();
    assert_eq!(listed.keys().cloned().collect::<BTreeSet<_>>(), there, "modules listed, and those there");
    for (module, names) in absent.unwrap_or_default() {
        let names: BTreeSet<String> = names.into_iter().filter(|name| !is_constant(name)).collect();
        assert_eq!(names, listed[&module], "{module} is without these");
    }
}
