//! The built-in function `help`: signature and docstring of whatever can have them. Must not know a prompt.

use super::print::to_stdout;
use super::signature::{self, NAMELESS};
use super::support;
use crate::object::layout::{BoundMethod, Native, Property};
use crate::object::{Kind, R, Slot, Value, Word, class, dict, func, str, types};
use crate::vm::native::{Args, NativeDef};
use crate::vm::thread::Thread;
use crate::vm::{import, link};

pub const HELP: NativeDef = NativeDef::full(
    "help",
    "object=, /",
    help,
    "Show the signature and the docstring of an object, or of what a string names.",
);

const OVERVIEW: &str = "\
help(x) shows what is known of x: a function, a class, a module, or any value (then of its class).
help('name') does so for a module that is not imported yet.
";

fn help(th: &mut Thread, args: Args) -> R {
    let scope = th.scope();
    let text = text(th, args.opt(0));
    th.close(scope);
    to_stdout(th, &text?)?;
    Ok(Value::NONE)
}

fn text(th: &mut Thread, wanted: Word) -> R<String> {
    let Some(v) = wanted else { return overview(th) };
    let Some(name) = str::as_str(v) else { return describe(th, v) };
    match find(th, name)? {
        Some(found) => {
            th.root(found);
            describe(th, found)
        }
        None => Ok(format!("There is nothing of the name '{name}'.\n")),
    }
}

fn overview(th: &mut Thread) -> R<String> {
    let mut text = format!("{OVERVIEW}\nBuilt-in functions and classes:\n");
    let builtins = func::module_dict(link::builtins()).map(dict::entries).unwrap_or_default();
    let shown = builtins.into_iter().filter(|(_, v)| is_described(*v) && !is_exception(*v));
    let mut names: Vec<&str> = shown.filter_map(|(k, _)| public(k)).collect();
    names.sort_unstable();
    push_wrapped(&mut text, &names);
    let modules = dict::entries(import::modules()).into_iter().filter_map(|(k, _)| public(k));
    let mut modules: Vec<&str> = modules.chain(super::MODULES.iter().map(|m| m.name)).collect();
    modules.retain(|name| !name.starts_with('_'));
    modules.sort_unstable();
    modules.dedup();
    text.push_str("\nModules written in Rust, and those that are loaded:\n");
    push_wrapped(&mut text, &modules);
    th.check_signals()?;
    Ok(text)
}

fn is_described(v: Value) -> bool {
    matches!(types::kind_of(v), Kind::Function | Kind::Native | Kind::Class)
}

fn is_exception(v: Value) -> bool {
    class::cast(v).is_some() && class::is_subclass(v, types::exc_class(crate::object::Exc::BaseException))
}

fn public(name: Value) -> Option<&'static str> {
    str::as_str(name).filter(|name| !name.starts_with('_'))
}

fn push_wrapped(text: &mut String, names: &[&str]) {
    let mut width = 0;
    for name in names {
        if width + name.len() > 76 {
            text.push('\n');
            width = 0;
        }
        text.push_str(if width == 0 { "    " } else { " " });
        text.push_str(name);
        width += name.len() + 1;
    }
    text.push('\n');
}

/// What a dotted name means: a module, or an attribute of one, or of the builtins.
fn find(th: &mut Thread, path: &str) -> R<Word> {
    let is_name = |part: &str| !part.is_empty() && part.chars().all(|c| c == '_' || c.is_alphanumeric());
    if !path.split('.').all(is_name) {
        return Ok(None);
    }
    let key = th.m.intern(path)?;
    if let Some(found) = th.get_attr_opt(link::builtins(), key)? {
        return Ok(Some(found));
    }
    if import::import_dotted(th, path).is_ok() {
        return import::loaded(th, key);
    }
    th.m.pending = None;
    let Some((head, last)) = path.rsplit_once('.') else { return Ok(None) };
    match find(th, head)? {
        Some(owner) => {
            let last = th.m.intern(last)?;
            th.get_attr_opt(owner, last)
        }
        None => Ok(None),
    }
}

/// Everything that is printed for an object.
fn describe(th: &mut Thread, v: Value) -> R<String> {
    match types::kind_of(v) {
        Kind::Module => module(th, v),
        Kind::Class => {
            let head = format!("class {}", class::name(v));
            let from = module_of(th, v)?;
            Ok(format!("Help on {head}{from}:\n\n{}", class_text(th, v)?))
        }
        Kind::Function | Kind::Native | Kind::BoundMethod => {
            let name = name_of(th, v)?;
            let (what, place) = place_of(th, v)?;
            Ok(format!("Help on {what} {name}{place}:\n\n{}", entry(th, &name, v, "")?))
        }
        Kind::Property => Ok(format!("Help on property:\n\n{}", indented(&doc(th, v)?, "    "))),
        _ => {
            let class = types::class_of(v);
            Ok(format!("Help on {} object:\n\n{}", class::name(class), class_text(th, class)?))
        }
    }
}

/// What kind of function it is, and where it belongs.
fn place_of(th: &mut Thread, v: Value) -> R<(&'static str, String)> {
    if let Some(bound) = types::cast::<BoundMethod>(v)
        && types::kind_of(bound.func.value()) == Kind::Native
    {
        let class = class::name(types::class_of(bound.receiver.value()));
        return Ok(("built-in method", format!(" of {class} object")));
    }
    match types::cast::<Native>(v).and_then(|n| n.owner.get()) {
        Some(owner) if class::cast(owner).is_some() => {
            Ok(("built-in method", format!(" of class {}", class::name(owner))))
        }
        Some(owner) if types::kind_of(owner) == Kind::Module => {
            let name = name_of(th, owner)?;
            Ok(("built-in function", format!(" in module {name}")))
        }
        _ if types::kind_of(v) == Kind::Native => Ok(("built-in function", String::new())),
        _ if types::kind_of(v) == Kind::BoundMethod => Ok(("method", module_of(th, v)?)),
        _ => Ok(("function", module_of(th, v)?)),
    }
}

fn text_attribute(th: &mut Thread, v: Value, name: &'static str) -> R<Option<&'static str>> {
    let name = th.name(name)?;
    Ok(th.get_attr_opt(v, name)?.and_then(str::as_str))
}

fn name_of(th: &mut Thread, v: Value) -> R<String> {
    Ok(text_attribute(th, v, "__name__")?.unwrap_or(NAMELESS).to_owned())
}

fn module_of(th: &mut Thread, v: Value) -> R<String> {
    Ok(text_attribute(th, v, "__module__")?.map_or(String::new(), |m| format!(" in module {m}")))
}

/// The docstring, its lines without what all of them are indented by.
fn doc(th: &mut Thread, v: Value) -> R<String> {
    let text = match text_attribute(th, v, "__doc__") {
        Ok(text) => text.unwrap_or(""),
        Err(raised) => return Err(raised),
    };
    let mut lines = text.trim_end().lines();
    let first = lines.next().unwrap_or("").trim_start();
    let rest: Vec<&str> = lines.collect();
    let filled = rest.iter().filter(|l| !l.trim().is_empty());
    let margin = filled.map(|l| l.len() - l.trim_start().len()).min().unwrap_or(0);
    let rest = rest.iter().map(|l| l.get(margin..).unwrap_or("").trim_end());
    Ok(std::iter::once(first).chain(rest).collect::<Vec<_>>().join("\n"))
}

/// Text, each line behind `margin`.
fn indented(text: &str, margin: &str) -> String {
    let line = |l: &str| if l.is_empty() { "\n".to_owned() } else { format!("{margin}{l}\n") };
    text.lines().map(line).collect()
}

/// A function's signature, and below it the docstring.
fn entry(th: &mut Thread, name: &str, v: Value, margin: &str) -> R<String> {
    let signature = signature::of(th, v)?;
    let text = doc(th, v)?;
    Ok(format!("{margin}{name}{signature}\n{}", indented(&text, &format!("{margin}    "))))
}

/// A class: how it is called, its docstring, its methods, those of its bases by name.
fn class_text(th: &mut Thread, class: Value) -> R<String> {
    let bases = class::cast(class).map_or(Vec::new(), |c| {
        crate::object::tuple::items(c.bases.value()).iter().filter_map(Slot::get).collect()
    });
    let bases: Vec<String> = bases.into_iter().map(class::name).filter(|n| n != "object").collect();
    let name = class::name(class);
    let mut out = format!("class {name}");
    if !bases.is_empty() {
        out.push_str(&format!("({})", bases.join(", ")));
    }
    out.push('\n');
    if let Some(signature) = signature::of_constructor(th, class)? {
        out.push_str(&format!("    {name}{signature}\n\n"));
    }
    out.push_str(&indented(&doc(th, class)?, "    "));
    out.push_str(&members(th, class)?);
    let mro = class::mro(class).iter().filter_map(Slot::get).skip(1);
    for base in mro.filter(|c| *c != types::class_of_kind(Kind::Instance)) {
        let names: Vec<&str> = own(base).into_iter().map(|(name, _)| name).collect();
        if !names.is_empty() {
            out.push_str(&format!("\n    From {}:\n", class::name(base)));
            let mut list = String::new();
            push_wrapped(&mut list, &names);
            out.push_str(&indented(&list, "    "));
        }
    }
    Ok(out)
}

/// The public names that a class defines itself, and `__init__`.
fn own(class: Value) -> Vec<(&'static str, Value)> {
    let items = class::cast(class).and_then(|c| c.dict.get()).map(dict::entries).unwrap_or_default();
    let shown = |name: Value| public(name).or_else(|| str::as_str(name).filter(|n| *n == "__init__"));
    let mut found: Vec<_> = items.into_iter().filter_map(|(k, v)| Some((shown(k)?, v))).collect();
    found.sort_unstable_by_key(|(name, _)| *name);
    found
}

fn members(th: &mut Thread, class: Value) -> R<String> {
    let mut out = String::new();
    let own = own(class);
    // The repr of a default may run anything, and a list of Rust's keeps nothing alive.
    own.iter().for_each(|(_, v)| {
        th.root(*v);
    });
    for (name, v) in own {
        let (v, mark) = match types::kind_of(v) {
            Kind::StaticMethod => (func::unwrap_wrapper(v).unwrap_or(v), "static "),
            Kind::ClassMethod => (func::unwrap_wrapper(v).unwrap_or(v), "class "),
            _ => (v, ""),
        };
        match types::kind_of(v) {
            Kind::Function | Kind::Native => {
                out.push('\n');
                out.push_str(&entry(th, &format!("{mark}{name}"), v, "    ")?);
            }
            Kind::Property => {
                let getter = types::cast::<Property>(v).and_then(|p| p.get.get());
                let text = match (doc(th, v)?, getter) {
                    (text, Some(getter)) if text.is_empty() => doc(th, getter)?,
                    (text, _) => text,
                };
                out.push_str(&format!("\n    {name} (property)\n{}", indented(&text, "        ")));
            }
            _ => {}
        }
    }
    Ok(out)
}

/// A module: its docstring, and all that it defines for others.
fn module(th: &mut Thread, module: Value) -> R<String> {
    let name = name_of(th, module)?;
    let mut out = format!("Help on module {name}:\n\n{}", indented(&doc(th, module)?, "    "));
    let names = public_names(th, module)?;
    names.iter().for_each(|(_, v)| {
        th.root(*v);
    });
    for (name, v) in names {
        match types::kind_of(v) {
            Kind::Function | Kind::Native => {
                out.push('\n');
                out.push_str(&entry(th, &name, v, "    ")?);
            }
            Kind::Class => {
                let first = doc(th, v)?;
                let first = first.lines().next().unwrap_or("");
                out.push_str(&format!("\n    class {name}\n{}", indented(first, "        ")));
            }
            _ => {}
        }
    }
    Ok(out)
}

/// The names in `__all__`, or else all that do not begin with an underscore; sorted.
fn public_names(th: &mut Thread, module: Value) -> R<Vec<(String, Value)>> {
    let listed = support::get(th, module, "__all__");
    let listed = match listed {
        Some(all) => {
            let all = th.collect(all)?;
            Some(
                crate::vm::ops::iterate::values_of(all)
                    .into_iter()
                    .filter_map(str::as_str)
                    .collect::<Vec<_>>(),
            )
        }
        None => None,
    };
    let items = func::module_dict(module).map(dict::entries).unwrap_or_default().into_iter();
    let named = items.filter_map(|(k, v)| Some((str::as_str(k)?, v)));
    let shown = named.filter(|(name, _)| match &listed {
        Some(all) => all.contains(name),
        None => !name.starts_with('_'),
    });
    let mut found: Vec<(String, Value)> = shown.map(|(name, v)| (name.to_owned(), v)).collect();
    found.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    Ok(found)
}
