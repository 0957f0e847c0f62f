//! Where modules come from: native tables, folders of `sys.path` (`.mini` before `.py`, packages included), the
//! embedded library. Must not know what `import` binds.

use super::importers;
use super::source;
use super::stdlib;
use crate::bytecode::code::Code;
use crate::compile::Mode;
use crate::gil::Cause;
use crate::native;
use crate::object::{R, Value, Word, func, str, types};
use crate::vm::native::ModuleDef;
use crate::vm::thread::Thread;
use crate::vm::{attr, boot, frame, import, link, poll};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A module's source.
struct Found {
    text: Vec<u8>,
    filename: String,
    /// The folder of a package.
    package: Option<PathBuf>,
}

/// The finder of `vm::import`.
pub fn find(th: &mut Thread, name: &str, search: Word) -> R<Word> {
    if search.is_none()
        && let Some(module) = load_native(th, name)?
    {
        return Ok(Some(module));
    }
    let folders = match search {
        Some(path) => strings(th, path)?,
        None => native::search_path(th)?,
    };
    let last = name.rsplit('.').next().unwrap_or(name);
    let found = th.detach(Cause::Blocking, || folders.iter().find_map(|f| look_in(Path::new(f), last)));
    if let Some(found) = found {
        let text = source::decode(th, &found.text, &found.filename)?;
        let code = source::compile(th, &text, &found.filename, Mode::Module)?;
        return run_module(th, name, &code, &found.filename, found.package).map(Some);
    }
    match stdlib::code(name) {
        Some(code) => {
            let filename = format!("<frozen {name}>");
            poll::import_library(th, |th| run_module(th, name, &code, &filename, None)).map(Some)
        }
        None => namespace_package(th, name, &folders),
    }
}

/// A package without code: all folders of that name in `folders`. EMPTY: there is none.
fn namespace_package(th: &mut Thread, name: &str, folders: &[String]) -> R<Word> {
    let last = name.rsplit('.').next().unwrap_or(name);
    if last.is_empty() || last.contains(['/', '.']) {
        return Ok(None);
    }
    let parts: Vec<String> = th.detach(Cause::Blocking, || {
        let parts = folders.iter().map(|f| Path::new(f).join(last)).filter(|f| f.is_dir());
        parts.map(|f| absolute(&f.to_string_lossy())).collect()
    });
    if parts.is_empty() {
        return Ok(None);
    }
    let module = new_module(th, name, "<namespace>")?;
    let parts = parts.iter().map(|part| th.m.new_str(part)).collect::<R<Vec<Value>>>()?;
    let path = th.m.new_list(&parts)?;
    boot::set_global(th, module, "__path__", path)?;
    boot::set_global(th, module, "__file__", Value::NONE)?;
    let package = th.m.intern(name)?;
    boot::set_global(th, module, "__package__", package)?;
    let registered = register(th, name, module, false)?;
    import::bind_in_parent(th, name, registered)?;
    Ok(Some(registered))
}

/// The texts of a list or tuple.
fn strings(th: &mut Thread, list: Value) -> R<Vec<String>> {
    let list = th.collect(list)?;
    let items = crate::vm::ops::iterate::values_of(list);
    Ok(items.into_iter().filter_map(str::as_str).map(ToOwned::to_owned).collect())
}

fn look_in(folder: &Path, name: &str) -> Option<Found> {
    let here = if folder.as_os_str().is_empty() { std::env::current_dir().ok() } else { None };
    let folder = here.as_deref().unwrap_or(folder);
    let package = folder.join(name);
    let inits = ["__init__.mini", "__init__.py"].map(|init| (package.join(init), true));
    let plain = ["mini", "py"].map(|ext| (folder.join(format!("{name}.{ext}")), false));
    inits.into_iter().chain(plain).find_map(|(path, is_package)| {
        let text = std::fs::read(&path).ok()?;
        let filename = path.to_string_lossy().into_owned();
        Some(Found { text, filename, package: is_package.then(|| package.clone()) })
    })
}

/// The names of the modules and packages in a folder.
pub fn modules_in(folder: &Path) -> Vec<String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let module = |path: PathBuf| {
        let name = path.file_stem()?.to_str()?.to_owned();
        let source = path.extension().is_some_and(|e| e == "mini" || e == "py");
        let package = || ["__init__.mini", "__init__.py"].iter().any(|init| path.join(init).is_file());
        let named = name.chars().all(|c| c == '_' || c.is_alphanumeric());
        (named && name != "__init__" && (source || package())).then_some(name)
    };
    entries.flatten().filter_map(|entry| module(entry.path())).collect()
}

/// A module made from a native table, registered in `sys.modules`.
pub fn load_native(th: &mut Thread, name: &str) -> R<Word> {
    let Some(def): Option<&'static ModuleDef> = native::MODULES.iter().find(|d| d.name == name).copied()
    else {
        return Ok(None);
    };
    let module = boot::make_module(th, def)?;
    let registered = register(th, name, module, false)?;
    Ok(Some(registered))
}

/// Puts a module under its name, unless another thread has been faster; returns the one that is there. `run`: it is
/// about to be run by this thread.
fn register(th: &mut Thread, name: &str, module: Value, run: bool) -> R {
    let key = th.m.intern(name)?;
    // Looking and registering are one step: nothing in between lets another thread import the name.
    let mut importers = importers::lock();
    if let Some(other) = import::loaded(th, key)? {
        return Ok(other);
    }
    th.dict_set(import::modules(), key, module)?;
    if run {
        importers.begin(module, th.m.member.id());
    }
    Ok(module)
}

/// Registers a module that is to be run. Another one: a thread that was faster has run it to its end.
fn claim(th: &mut Thread, name: &str, module: Value) -> R {
    let key = th.m.intern(name)?;
    loop {
        let registered = register(th, name, module, true)?;
        if registered == module {
            return Ok(module);
        }
        importers::wait_until_complete(th, registered)?;
        // If it failed it is gone, and this thread tries.
        if import::loaded(th, key)? == Some(registered) {
            return Ok(registered);
        }
    }
}

/// Makes a module and runs its code. If that fails the module is forgotten again.
fn run_module(th: &mut Thread, name: &str, code: &Arc<Code>, filename: &str, package: Option<PathBuf>) -> R {
    let module = new_module(th, name, filename)?;
    let parent = match &package {
        Some(folder) => {
            let folder = th.m.new_str(&folder.to_string_lossy())?;
            let path = th.m.new_list(&[folder])?;
            boot::set_global(th, module, "__path__", path)?;
            name
        }
        None => name.rsplit_once('.').map_or("", |(parent, _)| parent),
    };
    let parent = th.m.new_str(parent)?;
    boot::set_global(th, module, "__package__", parent)?;
    let registered = claim(th, name, module)?;
    if registered != module {
        return Ok(registered);
    }
    let key = th.m.intern(name)?;
    let result = run_in(th, code, module).and_then(|_| {
        // A module may put something else in its place.
        let made = import::loaded(th, key)?.unwrap_or(module);
        import::bind_in_parent(th, name, made).map(|()| made)
    });
    importers::end(module);
    result.or_else(|raised| {
        let pending = th.m.pending.take();
        th.dict_del(import::modules(), key)?;
        th.m.pending = pending;
        Err(raised)
    })
}

/// A module with the names every module has.
pub fn new_module(th: &mut Thread, name: &str, filename: &str) -> R {
    let text = th.m.intern(name)?;
    let module = func::new_module(&mut th.m, text)?;
    boot::set_global(th, module, "__name__", text)?;
    boot::set_global(th, module, "__doc__", Value::NONE)?;
    boot::set_global(th, module, "__builtins__", link::builtins())?;
    if !filename.starts_with('<') {
        let file = th.m.new_str(filename)?;
        boot::set_global(th, module, "__file__", file)?;
    }
    Ok(module)
}

/// Runs compiled text in a module.
pub fn run_in(th: &mut Thread, code: &Arc<Code>, module: Value) -> R {
    let linked = link::link(th, code, module)?;
    if let Some(doc) =
        types::cast::<crate::object::layout::Code>(linked).and_then(|c| frame::plain(c).doc.clone())
    {
        let doc = th.m.new_str(&doc)?;
        let key = th.m.intern("__doc__")?;
        attr::set_in_namespace(&mut th.m, func::module_dict(module), key, doc)?;
    }
    th.run_code(linked, &[], None)
}

/// Why there is no program to run: the message in CPython's words, and the exit code.
pub struct NoProgram {
    pub message: String,
    pub code: i32,
}

/// The program in a file, or in a folder with a `__main__`: its bytes and its name.
pub fn read_program(path: &str) -> Result<(Vec<u8>, String), NoProgram> {
    let asked = Path::new(path);
    let filename = if asked.is_dir() {
        let mains = ["__main__.mini", "__main__.py"].map(|m| asked.join(m));
        match mains.into_iter().find(|p| p.is_file()) {
            Some(main) => main.to_string_lossy().into_owned(),
            None => {
                let message = format!("can't find '__main__' module in '{}'", absolute(path));
                return Err(NoProgram { message, code: 1 });
            }
        }
    } else {
        path.to_owned()
    };
    match std::fs::read(&filename) {
        Ok(bytes) => Ok((bytes, filename)),
        Err(error) => {
            let number = error.raw_os_error().unwrap_or(0);
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or("cannot be read");
            let message = format!("can't open file '{}': [Errno {number}] {text}", absolute(&filename));
            Err(NoProgram { message, code: 2 })
        }
    }
}

/// A path that still holds when the program goes to another folder.
pub fn absolute(path: &str) -> String {
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |p| p.to_string_lossy().into_owned())
}

/// A module to be run as the program (`-m`).
pub struct Located {
    pub text: String,
    pub filename: String,
    /// The value of `__package__`.
    pub package: String,
}

/// Finds a module to be run as the program. The packages around it are imported first; of a package, its `__main__`
/// is meant.
pub fn locate(th: &mut Thread, name: &str) -> R<Option<Located>> {
    let (parent, last) = name.rsplit_once('.').unwrap_or(("", name));
    let folders = if parent.is_empty() { native::search_path(th)? } else { package_path(th, parent)? };
    let found = folders.iter().find_map(|f| look_in(Path::new(f), last));
    let (found, package) = match found {
        Some(Found { package: Some(folder), .. }) => {
            import::import_dotted(th, name)?;
            (look_in(&folder, "__main__"), name)
        }
        found => (found, parent),
    };
    let package = package.to_owned();
    match found {
        Some(found) => {
            let text = source::decode(th, &found.text, &found.filename)?;
            Ok(Some(Located { text, filename: found.filename, package }))
        }
        None => Ok(stdlib::find(name).map(|text| Located {
            text: text.to_owned(),
            filename: format!("<frozen {name}>"),
            package,
        })),
    }
}

/// Imports a package: the folders its modules are in.
fn package_path(th: &mut Thread, name: &str) -> R<Vec<String>> {
    let package = import::import_dotted(th, name)?;
    let key = th.m.intern("__path__")?;
    match th.get_attr_opt(package, key)? {
        Some(path) => strings(th, path),
        None => Ok(Vec::new()),
    }
}
