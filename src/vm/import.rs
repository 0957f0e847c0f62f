//! `import`: `sys.modules`, packages, and names of modules. Where code comes from is told by a finder that `interp`
//! hands in. Must not know files, nor the compiler.

use super::attr;
use super::link::Builtins;
use super::thread::Thread;
use crate::object::{Exc, Kind, R, Raised, Slot, Value, Word, dict, func, intern, str, tuple, types};
use std::sync::OnceLock;

/// Finds and runs the module `name` (dotted), whose parent package (if any) is loaded; puts it into `sys.modules`
/// before running it. EMPTY: there is none. `search` is the parent's `__path__`.
pub type Finder = fn(&mut Thread, name: &str, search: Word) -> R<Word>;

static FINDER: OnceLock<Finder> = OnceLock::new();
/// `sys.modules`, a Dict.
static MODULES: Slot = Slot::empty();

/// Start-up only.
pub fn install(finder: Finder, modules: Value) {
    let _ = FINDER.set(finder);
    MODULES.set(modules);
}

/// `sys.modules`.
pub fn modules() -> Value {
    MODULES.value()
}

/// The collector's roots of this file.
pub fn visit_roots(visit: &mut dyn FnMut(Value)) {
    MODULES.get().into_iter().for_each(visit);
}

/// A module that has been imported already.
pub fn loaded(th: &mut Thread, name: Value) -> R<Word> {
    th.dict_get(modules(), name)
}

/// An import statement: by the `__import__` that the running module's builtins have, if that is another one.
pub fn statement(th: &mut Thread, name: Value, fromlist: Value, level: u8) -> R {
    let module = super::frame::code(th.base).map_or(Value::NONE, |c| c.module.value());
    let hook = match Builtins::of(&mut th.m, module)? {
        Builtins::Common => func::module_dict(super::link::builtins()),
        Builtins::Own(names) => Some(names),
        Builtins::Nothing => None,
    };
    let key = th.name("__import__")?;
    let Some(hook) = hook.and_then(|names| dict::find_str(names, key)) else {
        return Err(th.raise(Exc::ImportError, "__import__ not found"));
    };
    if types::kind_of(hook) == Kind::Native {
        return import(th, name, fromlist, level);
    }
    let globals = func::module_dict(module).unwrap_or(Value::NONE);
    let named = if tuple::items(fromlist).is_empty() { Value::NONE } else { fromlist };
    let level = th.new_int(i64::from(level))?;
    let imported = th.call(hook, &[name, globals, Value::NONE, named, level])?;
    if fromlist.is_none() || !named.is_none() {
        return Ok(imported);
    }
    // `import a.b as c`: the hook has returned `a`.
    let mut path = str::as_str(name).unwrap_or("").split('.').skip(1);
    path.try_fold(imported, |module, part| {
        let part = th.m.intern(part)?;
        th.get_attr(module, part)
    })
}

/// `import name` / `from name import fromlist`: the package at the top of a dotted name, or with a `fromlist` the
/// module itself. `level` counts leading dots.
pub fn import(th: &mut Thread, name: Value, fromlist: Value, level: u8) -> R {
    let text = str::as_str(name).unwrap_or("");
    let full = if level > 0 { absolute(th, text, level)? } else { text.to_owned() };
    let module = import_dotted(th, &full)?;
    if fromlist.is_none() {
        let top = full.split('.').next().unwrap_or(&full);
        // `import a.b as c` asks for the leaf with an empty fromlist; a plain import binds the top.
        return if top == full { Ok(module) } else { import_one(th, top) };
    }
    import_submodules(th, module, &full, fromlist)?;
    Ok(module)
}

/// `from package import name` also finds modules inside the package.
fn import_submodules(th: &mut Thread, module: Value, full: &str, fromlist: Value) -> R<()> {
    let path = th.name("__path__")?;
    let Some(namespace) = func::module_dict(module) else { return Ok(()) };
    if dict::find_str(namespace, path).is_none() {
        return Ok(());
    }
    let mut wanted: Vec<Value> = tuple::items(fromlist).iter().map(Slot::value).collect();
    if wanted.iter().any(|name| str::as_str(*name) == Some("*")) {
        let all = th.name("__all__")?;
        let all = dict::find_str(namespace, all).map(super::ops::iterate::values_of);
        wanted = all.map_or(Vec::new(), |names| names.to_vec());
    }
    for name in wanted {
        let Some(text) = str::as_str(name) else { continue };
        if dict::find_str(namespace, name).is_none() {
            let sub = format!("{full}.{text}");
            match import_dotted(th, &sub) {
                Ok(_) => {}
                // Not this module: one that it imports.
                Err(raised) if !is_missing(th, &sub) => return Err(raised),
                Err(_) => th.m.pending = None,
            }
        }
    }
    Ok(())
}

/// Whether the pending exception says that there is no module of that name.
fn is_missing(th: &mut Thread, name: &str) -> bool {
    let Some(e) = th.m.pending.filter(|_| th.pending_is(Exc::ModuleNotFoundError)) else { return false };
    let missing = th.name("name").ok().and_then(|key| crate::object::shape::get(e, key));
    missing.and_then(str::as_str) == Some(name)
}

/// The absolute name of a relative import.
fn absolute(th: &mut Thread, name: &str, level: u8) -> R<String> {
    let package = current_package(th)?;
    let mut base: Vec<&str> = package.split('.').filter(|p| !p.is_empty()).collect();
    if base.is_empty() {
        return Err(th.raise(Exc::ImportError, "attempted relative import with no known parent package"));
    }
    if level as usize > base.len() {
        return Err(th.raise(Exc::ImportError, "attempted relative import beyond top-level package"));
    }
    base.truncate(base.len() + 1 - level as usize);
    let base = base.join(".");
    Ok(if name.is_empty() { base } else { format!("{base}.{name}") })
}

/// `__package__` of the running module.
fn current_package(th: &mut Thread) -> R<String> {
    let module = super::frame::code(th.base).map_or(Value::NONE, |c| c.module.value());
    let key = th.name("__package__")?;
    let package = func::module_dict(module).and_then(|d| dict::find_str(d, key));
    Ok(package.and_then(str::as_str).unwrap_or("").to_owned())
}

/// Imports every package along a dotted name; returns the last.
pub fn import_dotted(th: &mut Thread, full: &str) -> R {
    if full.is_empty() {
        return Err(th.value_error("Empty module name"));
    }
    let mut module = Value::NONE;
    let mut end = 0;
    while end < full.len() {
        end = full.match_indices('.').map(|(at, _)| at).find(|at| *at > end).unwrap_or(full.len());
        let parent = module;
        module = import_one_in(th, &full[..end], parent)?;
    }
    Ok(module)
}

fn import_one(th: &mut Thread, name: &str) -> R {
    import_one_in(th, name, Value::NONE)
}

fn import_one_in(th: &mut Thread, name: &str, parent: Value) -> R {
    let key = th.m.intern(name)?;
    if let Some(module) = loaded(th, key)? {
        return if module.is_none() { Err(not_found(th, name, true)) } else { wait_until_ready(th, module) };
    }
    let search = match parent.is_none() {
        true => None,
        false => {
            let path = th.name("__path__")?;
            match func::module_dict(parent).and_then(|d| dict::find_str(d, path)) {
                Some(path) => Some(path),
                None => return Err(not_a_package(th, name)),
            }
        }
    };
    let found = match FINDER.get() {
        Some(find) => find(th, name, search)?,
        None => None,
    };
    found.ok_or_else(|| not_found(th, name, false))
}

/// A module that has been run becomes an attribute of its package, before another thread that waits for it goes on.
pub fn bind_in_parent(th: &mut Thread, name: &str, module: Value) -> R<()> {
    let Some((parent, last)) = name.rsplit_once('.') else { return Ok(()) };
    let parent = th.m.intern(parent)?;
    let Some(parent) = loaded(th, parent)? else { return Ok(()) };
    let last = th.m.intern(last)?;
    attr::set_in_namespace(&mut th.m, func::module_dict(parent), last, module)
}

/// Another thread may still be running the module: the finder knows.
fn wait_until_ready(th: &mut Thread, module: Value) -> R {
    match READY.get() {
        Some(wait) => wait(th, module).map(|()| module),
        None => Ok(module),
    }
}

static READY: OnceLock<fn(&mut Thread, Value) -> R<()>> = OnceLock::new();
static PARTIAL: OnceLock<fn(Value) -> bool> = OnceLock::new();

/// Start-up only: waits until a module that another thread is importing is complete; tells whether one is not.
pub fn install_ready(wait: fn(&mut Thread, Value) -> R<()>, is_partial: fn(Value) -> bool) {
    let _ = READY.set(wait);
    let _ = PARTIAL.set(is_partial);
}

/// Whether the module is still being run.
pub fn is_partial(module: Value) -> bool {
    PARTIAL.get().is_some_and(|is_partial| is_partial(module))
}

#[cold]
fn not_found(th: &mut Thread, name: &str, halted: bool) -> Raised {
    let message = match halted {
        true => format!("import of {name} halted; None in sys.modules"),
        false => format!("No module named '{name}'"),
    };
    module_not_found(th, message, name)
}

#[cold]
fn not_a_package(th: &mut Thread, name: &str) -> Raised {
    let parent = name.rsplit_once('.').map_or(name, |(p, _)| p);
    let message = format!("No module named '{name}'; '{parent}' is not a package");
    module_not_found(th, message, name)
}

fn module_not_found(th: &mut Thread, message: String, name: &str) -> Raised {
    let raised = th.raise(Exc::ModuleNotFoundError, message);
    if let (Some(e), Ok(key), Ok(v)) = (th.m.pending, th.name("name"), th.m.new_str(name)) {
        let _ = crate::object::shape::set(&mut th.m, e, key, v);
    }
    raised
}

/// `from module import name`.
pub fn import_from(th: &mut Thread, module: Value, name: Value) -> R {
    if let Some(v) = th.get_attr_opt(module, name)? {
        return Ok(v);
    }
    let text = str::as_str(name).unwrap_or("?");
    let module_name =
        types::cast::<crate::object::layout::Module>(module).and_then(|m| str::as_str(m.name.value()));
    let module_name = module_name.unwrap_or("<unknown module name>");
    let full = format!("{module_name}.{text}");
    let key = th.m.intern(&full)?;
    if let Some(sub) = loaded(th, key)? {
        return Ok(sub);
    }
    let file = th.name("__file__")?;
    let path = th.get_attr_opt(module, file)?;
    let place = path.and_then(str::as_str).unwrap_or("unknown location");
    let from = match is_partial(module) {
        true => format!(
            "partially initialized module '{module_name}' (most likely due to a circular import) ({place})"
        ),
        false => format!("'{module_name}' ({place})"),
    };
    let raised = th.raise(Exc::ImportError, format!("cannot import name '{text}' from {from}"));
    if let (Some(e), Ok(key), Ok(v)) = (th.m.pending, th.name("name"), th.m.new_str(module_name)) {
        let _ = crate::object::shape::set(&mut th.m, e, key, v);
    }
    if let (Some(e), Ok(key), Some(path)) = (th.m.pending, th.name("path"), path) {
        let _ = crate::object::shape::set(&mut th.m, e, key, path);
    }
    Err(raised)
}

/// `from module import *`: `__all__`, or every name without a leading underscore.
pub fn import_star(th: &mut Thread, module: Value) -> R<()> {
    let target = super::frame::code(th.base).map_or(Value::NONE, |c| c.module.value());
    let all = th.name("__all__")?;
    let names = match th.get_attr_opt(module, all)? {
        Some(all) => th.collect(all)?,
        None => public_names(th, module)?,
    };
    for name in super::ops::iterate::values_of(names) {
        if str::as_str(name).is_none() {
            let (module, got) = (module_text(th, module)?, th.type_name(name));
            return Err(th.type_error(format!("Item in {module}.__all__ must be str, not {got}")));
        }
        let name = intern::intern_value(&mut th.m, name)?;
        let v = th.get_attr(module, name)?;
        super::link::global_cell(&mut th.m, target, str::as_str(name).unwrap_or(""))?;
        attr::set_in_namespace(&mut th.m, func::module_dict(target), name, v)?;
    }
    Ok(())
}

/// `__name__` of a module.
fn module_text(th: &mut Thread, module: Value) -> R<String> {
    let key = th.name("__name__")?;
    Ok(th.get_attr_opt(module, key)?.and_then(str::as_str).unwrap_or("?").to_owned())
}

fn public_names(th: &mut Thread, module: Value) -> R {
    let namespace = func::module_dict(module).unwrap_or(Value::NONE);
    let items = dict::entries(namespace).into_iter();
    let names: Vec<Value> =
        items.map(|(k, _)| k).filter(|k| str::as_str(*k).is_some_and(|s| !s.starts_with('_'))).collect();
    th.m.new_list(&names)
}
