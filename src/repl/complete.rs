//! What could complete the text before the cursor: names, attributes, modules, keywords, commands.
//! Runs no code of the user's: no property, no `__getattr__`, no import of his modules. Must not know the editor.

use super::commands::COMMANDS;
use crate::interp::{importing, stdlib};
use crate::native::{self, dir};
use crate::object::{Kind, Value, Word, class, dict, func, list, shape, str, types};
use crate::vm::thread::Thread;
use crate::vm::{import, link, module_names};
use mini_grammar::highlight::{Class, pieces};
use std::path::Path;

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];
/// More are not listed; rustyline can only count to 65535.
const MOST: usize = 1000;
/// What Tab types at the beginning of a line.
const INDENT: &str = "    ";

/// Where the text to be replaced begins, and what could stand there, sorted. `before` are the lines above `text`
/// that belong to the same input.
pub fn candidates(th: &mut Thread, module: Value, before: &str, text: &str) -> (usize, Vec<String>) {
    let pending = th.m.pending.take();
    let (start, mut found) = find(th, module, before, text);
    th.m.pending = pending;
    found.sort();
    found.dedup();
    if found.len() > MOST {
        // The last one stays: what all have in common can be told from the first and the last.
        let last = found.len() - 1;
        found.swap(MOST - 1, last);
        found.truncate(MOST);
    }
    (start, found)
}

fn find(th: &mut Thread, module: Value, before: &str, text: &str) -> (usize, Vec<String>) {
    if before.is_empty() && text.starts_with('%') {
        return command(th, module, text);
    }
    if text.chars().all(char::is_whitespace) {
        return (text.len(), vec![INDENT.to_owned()]);
    }
    if in_string_or_comment(&format!("{before}{text}")) {
        return (text.len(), Vec::new());
    }
    if let Some(found) = imported(th, text) {
        return found;
    }
    expression(th, module, text)
}

fn in_string_or_comment(text: &str) -> bool {
    let last = pieces(text).last().copied();
    last.is_some_and(|p| {
        p.span.end as usize == text.len() && matches!(p.class, Class::String | Class::Comment)
    })
}

fn command(th: &mut Thread, module: Value, text: &str) -> (usize, Vec<String>) {
    match text.split_once(' ') {
        None => (1, starting(COMMANDS.iter().map(|c| c.name.to_owned()), text.get(1..).unwrap_or(""))),
        Some(("%gil", policy)) if !policy.contains(' ') => {
            let policies = ["off", "time:5ms", "ticks:100", "coop"].map(str::to_owned).into_iter();
            (5, starting(policies, policy))
        }
        Some(("%dis" | "%time", _)) => expression(th, module, text),
        Some(_) => (text.len(), Vec::new()),
    }
}

/// Those that begin with the prefix; names with an underscore only if it is asked for.
fn starting(names: impl Iterator<Item = String>, prefix: &str) -> Vec<String> {
    let fits =
        |name: &String| name.starts_with(prefix) && (prefix.starts_with('_') || !name.starts_with('_'));
    names.filter(fits).collect()
}

/// The last part of `text` made of names and dots: where it begins.
fn chain_start(text: &str) -> usize {
    let rest = text.trim_end_matches(|c: char| c == '.' || c == '_' || c.is_alphanumeric());
    rest.len()
}

fn expression(th: &mut Thread, module: Value, text: &str) -> (usize, Vec<String>) {
    let chain = text.get(chain_start(text)..).unwrap_or("");
    let (head, word) = chain.rsplit_once('.').map_or((None, chain), |(head, word)| (Some(head), word));
    let start = text.len() - word.len();
    let found = match head {
        Some("") => match literal(text.get(..chain_start(text)).unwrap_or("")) {
            Some(class) => attributes(th, class, word),
            None => Vec::new(),
        },
        Some(head) => match resolve(th, module, head) {
            Some(value) => attributes(th, value, word),
            None => Vec::new(),
        },
        None if word.is_empty() => Vec::new(),
        None => {
            let mut names = namespace(func::module_dict(module));
            names.extend(namespace(func::module_dict(link::builtins())));
            names.extend(KEYWORDS.map(str::to_owned));
            starting(names.into_iter(), word)
        }
    };
    (start, found)
}

/// The class of a literal that ends the text, if that can be told from its last character.
fn literal(text: &str) -> Option<Value> {
    text.ends_with(['"', '\'']).then(|| types::class_of_kind(Kind::Str))
}

fn namespace(names: Word) -> Vec<String> {
    let items = names.map(dict::entries).unwrap_or_default();
    items.into_iter().filter_map(|(k, _)| str::as_str(k)).map(str::to_owned).collect()
}

fn attributes(th: &mut Thread, value: Value, prefix: &str) -> Vec<String> {
    let asked =
        module_names::asked(th, value).and_then(|asked| asked.map_or_else(|| dir::names(th, value), Ok));
    let names = asked.ok().and_then(list::of);
    let names = names.map_or(Vec::new(), |l| list::items(l).iter().filter_map(|s| s.get()).collect());
    starting(names.into_iter().filter_map(str::as_str).map(str::to_owned), prefix)
}

/// The value of `a.b.c`, as far as it can be found without running anything.
fn resolve(th: &mut Thread, module: Value, path: &str) -> Word {
    let mut names = path.split('.');
    let first = th.m.intern(names.next()?).ok()?;
    let lookup = |module: Value| func::module_dict(module).and_then(|d| dict::find_str(d, first));
    let mut value = lookup(module).or_else(|| lookup(link::builtins()))?;
    for name in names {
        let name = th.m.intern(name).ok()?;
        value = attribute(value, name)?;
    }
    Some(value)
}

fn attribute(value: Value, name: Value) -> Word {
    let in_class = |class: Value| class::find(class, name).and_then(|cell| cell.value.get());
    match types::kind_of(value) {
        Kind::Module => dict::find_str(func::module_dict(value)?, name),
        Kind::Class => in_class(value),
        _ => {
            let own = (value.is_ref() && shape::attrs_word(value).is_some()).then(|| shape::get(value, name));
            own.flatten().or_else(|| in_class(types::class_of(value)))
        }
    }
    .filter(|found| types::kind_of(*found) != Kind::Property)
}

/// In an import statement: modules, or the names of one.
fn imported(th: &mut Thread, text: &str) -> Option<(usize, Vec<String>)> {
    let statement = text.rsplit([';', ':']).next().unwrap_or(text).trim_start();
    let word = text.get(chain_start(text)..).unwrap_or("");
    if let Some(rest) = statement.strip_prefix("from ") {
        return match rest.split_once(" import ") {
            Some((module, _)) => {
                let module = loaded(th, module.trim())?;
                Some((text.len() - word.len(), attributes(th, module, word)))
            }
            // The keyword `import` comes after the module.
            None if rest.trim_start().contains(' ') => None,
            None => Some(modules(th, text, word)),
        };
    }
    let rest = statement.strip_prefix("import ")?;
    let last = rest.rsplit(',').next().unwrap_or(rest).trim_start();
    (!last.contains(' ')).then(|| modules(th, text, word))
}

/// A module that is there, or that can be imported without running the user's code.
fn loaded(th: &mut Thread, name: &str) -> Word {
    let key = th.m.intern(name).ok()?;
    if let Some(module) = import::loaded(th, key).ok()? {
        return Some(module);
    }
    let own = is_native(name) || stdlib::find(name).is_some();
    if !own || import::import_dotted(th, name).is_err() {
        return None;
    }
    import::loaded(th, key).ok()?
}

fn is_native(name: &str) -> bool {
    native::MODULES.iter().any(|def| def.name == name)
}

/// Modules by the last part of a dotted name.
fn modules(th: &mut Thread, text: &str, word: &str) -> (usize, Vec<String>) {
    let (package, prefix) = word.rsplit_once('.').unwrap_or(("", word));
    let start = text.len() - prefix.len();
    let folders = native::search_path(th).unwrap_or_default();
    let inside = package.replace('.', "/");
    let mut names: Vec<String> =
        folders.iter().flat_map(|folder| importing::modules_in(&Path::new(folder).join(&inside))).collect();
    if package.is_empty() {
        names.extend(native::MODULES.iter().map(|def| def.name.to_owned()));
        names.extend(stdlib::SOURCES.iter().map(|(name, _)| (*name).to_owned()));
    } else if let Some(module) = loaded(th, package) {
        names.extend(submodules(module));
    }
    (start, starting(names.into_iter(), prefix))
}

/// Modules that are attributes of a module (`os.path`).
fn submodules(module: Value) -> Vec<String> {
    let items = func::module_dict(module).map(dict::entries).unwrap_or_default();
    let modules = items.into_iter().filter(|(_, v)| types::kind_of(*v) == Kind::Module);
    modules.filter_map(|(k, _)| str::as_str(k)).map(str::to_owned).collect()
}
