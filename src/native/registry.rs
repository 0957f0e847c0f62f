//! Start-up and end of everything native: what tables cannot say, `sys.argv` and `sys.path`, uncaught exceptions.
//! Must not know what the functions do.

use super::{awaitables, dict_view, docs, dunders, io_std, iterators, member, percent, print, singletons};
use crate::object::{R, Value, Word, class, heap, iter, list, str, types};
use crate::rt::exit;
use crate::vm::native::TypeDef;
use crate::vm::thread::Thread;
use crate::vm::{boot, hooks, import, traceback};

/// Adds to the built-in classes what tables of types cannot say.
pub fn install(th: &mut Thread) -> R<()> {
    hooks::install(percent::percent);
    hooks::install_members(member::of);
    for (tag, def) in iterators::ITER_TYPES.iter() {
        let class = install_tag(th, *tag, def)?;
        boot::add_methods(th, class, dunders::ITERATOR)?;
    }
    for (tag, def) in awaitables::AWAITABLE_TYPES.iter() {
        install_tag(th, *tag, def)?;
    }
    for (tag, def) in dict_view::VIEW_TYPES.iter() {
        let class = install_tag(th, *tag, def)?;
        boot::add_methods(th, class, dunders::CONTAINER)?;
    }
    singletons::install(th)?;
    docs::install(th)?;
    dunders::install(th)?;
    super::reduction::install(th)
}

fn install_tag(th: &mut Thread, tag: iter::Tag, def: &'static TypeDef) -> R {
    let class = boot::make_type(th, def, "builtins")?;
    let shape = heap::compress(class::root_shape(class));
    iter::set_class(tag, class, shape);
    Ok(class)
}

/// The iterator classes that have a name in every module: `enumerate`, `zip`...
pub fn add_iterator_names(th: &mut Thread, module: Value) -> R<()> {
    for (tag, def) in iterators::ITER_TYPES.iter().filter(|(_, def)| def.construct.is_some()) {
        if let Some(class) = iter::class_of(*tag) {
            boot::set_global(th, module, def.name, class)?;
        }
    }
    Ok(())
}

/// A module that has been imported.
fn loaded(th: &mut Thread, name: &str) -> Word {
    let name = th.m.intern(name).ok()?;
    import::loaded(th, name).ok().flatten()
}

fn attribute(th: &mut Thread, module: &str, name: &str) -> Word {
    let module = loaded(th, module)?;
    let name = th.m.intern(name).ok()?;
    th.get_attr_opt(module, name).ok().flatten()
}

/// `sys.path` as texts.
pub fn search_path(th: &mut Thread) -> R<Vec<String>> {
    let Some(path) = attribute(th, "sys", "path") else { return Ok(Vec::new()) };
    let items = crate::vm::ops::iterate::values_of(path);
    Ok(items.into_iter().filter_map(str::as_str).map(ToOwned::to_owned).collect())
}

/// `sys.argv` and `sys.path`.
pub fn set_start_values(th: &mut Thread, argv: &[String], path: &[String]) -> R<()> {
    for (name, texts) in [("argv", argv), ("path", path)] {
        let Some(l) = attribute(th, "sys", name).and_then(list::of) else { continue };
        for text in texts {
            let v = th.m.new_str(text)?;
            list::push(&mut th.m, l, v)?;
        }
    }
    Ok(())
}

/// Waits for threads and runs exit functions; then keeps daemon threads from running on.
/// Errors: what they raised.
pub fn finish(th: &mut Thread) -> R<()> {
    let threading = loaded(th, "threading");
    let mut result = exit::wait_for_threads(th, threading);
    if let Some(atexit) = loaded(th, "atexit") {
        if result.is_err() {
            let exception = th.take_exception();
            report_uncaught(th, exception);
        }
        result = th.call_method(atexit, "_run_exitfuncs", &[]).map(drop);
    }
    exit::stop_other_threads(th);
    result
}

/// Flushes the standard streams; the exit code, changed if that failed.
pub fn flush_standard_streams(th: &mut Thread, code: i32) -> i32 {
    io_std::finish(th, code)
}

/// Prints an uncaught exception: through `sys.excepthook` if a script replaced it.
pub fn report_uncaught(th: &mut Thread, exception: Value) {
    if let Some(hook) =
        attribute(th, "sys", "excepthook").filter(|h| types::kind_of(*h) != crate::object::Kind::Native)
    {
        let class = types::class_of(exception);
        let tb = crate::object::exc::cast(exception).map_or(Value::NONE, |e| e.traceback.value());
        if th.call(hook, &[class, exception, tb]).is_ok() {
            return;
        }
        let failed = th.take_exception();
        print::to_stderr(th, "Error in sys.excepthook:\n");
        let text = traceback::format_exception(th, failed);
        print::to_stderr(th, &text);
        print::to_stderr(th, "\nOriginal exception was:\n");
    }
    let text = traceback::format_uncaught(th, exception);
    print::to_stderr(th, &text);
    // Whatever printing raised must not be taken for the program's.
    th.m.pending = None;
}
