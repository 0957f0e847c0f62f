//! Enforces the arrows of the architecture: which layer may import which. The table below is the whole rule.

mod support;

use std::path::Path;
use support::files;
use support::source::{code_only, is_name};

/// A layer is a file or folder directly under `src/`; it may import itself, and the layers to its right.
const ARROWS: [(&str, &[&str]); 10] = [
    ("main", &["cli", "repl", "interp"]),
    ("cli", &["repl", "interp", "bytecode", "gil"]),
    ("repl", &["interp", "native", "rt", "vm", "object", "bytecode", "gil"]),
    ("interp", &["compile", "native", "rt", "vm", "object", "bytecode", "gil"]),
    ("compile", &["bytecode"]),
    ("native", &["rt", "vm", "object", "bytecode", "gil"]),
    ("rt", &["vm", "object", "gil"]),
    ("vm", &["object", "bytecode", "gil"]),
    ("object", &["bytecode", "gil"]),
    ("gil", &[]),
];
/// Layers that import nothing of ours.
const LEAVES: [&str; 1] = ["bytecode"];

/// Crates that belong to some layers only.
const CRATES: [(&str, &[&str]); 5] = [
    ("mini_grammar", &["compile", "repl", "native"]), // native: names of characters alone
    ("logos", &[]),
    ("lalrpop_util", &[]),
    ("rustyline", &["repl"]),
    ("mio", &["rt"]),
];

fn allowed(layer: &str) -> Option<&'static [&'static str]> {
    if LEAVES.contains(&layer) {
        return Some(&[]);
    }
    ARROWS.iter().find(|(name, _)| *name == layer).map(|(_, below)| *below)
}

#[test]
fn layers_import_only_what_lies_below_them() {
    let src = support::root().join("src");
    let mut broken = Vec::new();
    for path in files(&src, "rs") {
        let parts = module_path(&src, &path);
        let layer = parts[0].as_str();
        if layer == "lib" {
            continue; // the list of modules
        }
        let shown = path.strip_prefix(&src).unwrap().display().to_string();
        let Some(below) = allowed(layer) else {
            broken
                .push(format!("src/{shown}: '{layer}' is no layer; add it to the table in tests/layers.rs"));
            continue;
        };
        let code = code_only(&std::fs::read_to_string(&path).unwrap());
        for (line, name) in imports(&code, parts.len()) {
            let is_layer = allowed(&name).is_some();
            if is_layer && name != layer && !below.contains(&name.as_str()) {
                broken.push(format!("src/{shown}:{line}: {layer} may not import {name}"));
            }
        }
        for (krate, layers) in CRATES {
            if !layers.contains(&layer)
                && let Some(line) = code.lines().position(|line| names(line, krate))
            {
                broken.push(format!("src/{shown}:{}: {layer} may not use the crate {krate}", line + 1));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

/// `src/object/int.rs` → `["object", "int"]`; `src/object/mod.rs` → `["object"]`.
fn module_path(src: &Path, path: &Path) -> Vec<String> {
    let relative = path.strip_prefix(src).unwrap().with_extension("");
    let mut parts: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.len() > 1 && parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

/// Every top-level module of this crate that the code names, with the line: by `crate::`, by `mini::` (the program's
/// name for the library), or by as many `super::` as lead to the root.
fn imports(code: &str, depth: usize) -> Vec<(usize, String)> {
    let to_root = "super::".repeat(depth);
    let mut found = Vec::new();
    for prefix in ["crate::", "mini::", to_root.as_str()] {
        for (position, _) in code.match_indices(prefix) {
            if code[..position].chars().next_back().is_some_and(|c| is_name(c) || c == ':') {
                continue;
            }
            let line = code[..position].matches('\n').count() + 1;
            let rest = &code[position + prefix.len()..];
            found.extend(heads(rest).into_iter().map(|name| (line, name)));
        }
    }
    found
}

/// First names of a path: one for `a::b`, several for `{a::b, c}`.
fn heads(rest: &str) -> Vec<String> {
    let first = |text: &str| text.trim().chars().take_while(|c| is_name(*c)).collect::<String>();
    let Some(group) = rest.strip_prefix('{') else { return vec![first(rest)] };
    let mut heads = Vec::new();
    let mut depth = 0;
    let mut start = 0;
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.push(first(&group[start..i]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(first(&group[start..i]));
                start = i + 1;
            }
            _ => {}
        }
    }
    heads
}

/// Whether the line uses a crate: `name::` at the start of a path.
fn names(line: &str, krate: &str) -> bool {
    let path = format!("{krate}::");
    line.match_indices(&path)
        .any(|(i, _)| !line[..i].chars().next_back().is_some_and(|c| is_name(c) || c == ':'))
}

#[test]
fn the_arrows_have_no_cycle() {
    // The table is in order: every arrow points further down.
    let order: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).chain(LEAVES).collect();
    let place = |name: &str| order.iter().position(|n| *n == name).unwrap();
    for (layer, below) in ARROWS {
        for other in below {
            assert!(place(other) > place(layer), "{layer} -> {other} points up");
        }
    }
}

#[test]
fn imports_are_found() {
    let code =
        "use crate::vm::Thread;\nuse crate::{gil, object::{self, int}};\nlet x = crate::rt::f(); mycrate::y";
    let names: Vec<String> = imports(code, 2).into_iter().map(|(_, name)| name).collect();
    assert_eq!(names, ["vm", "gil", "object", "rt"]);
    assert_eq!(imports("use super::super::vm;", 2), [(1, "vm".to_string())]);
}
