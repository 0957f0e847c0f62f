//! The lists of everything native: types, modules, built-in functions; and what is set up at start.
//! Must not know what any of them does.

use super::string_builtins;
use super::{
    bytes, dict, dict_view, dunders, float, int, iterators, list, num, percent, range, set, slice, str, tuple,
};
use crate::object::{Exc, Kind, R, Value, heap, iter, types};
use crate::vm::native::{ModuleDef, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::{boot, hooks, import};

/// Built-in types with tables. `int` comes before `bool`, which derives from it.
pub fn types() -> Vec<&'static TypeDef> {
    vec![
        &int::TYPE,
        &num::BOOL,
        &float::TYPE,
        &str::TYPE,
        &bytes::TYPE,
        &tuple::TYPE,
        &list::TYPE,
        &dict::TYPE,
        &set::TYPE,
        &set::FROZEN_TYPE,
        &range::TYPE,
        &slice::TYPE,
    ]
}

/// Modules with a native half.
pub fn modules() -> &'static [&'static ModuleDef] {
    static MODULES: [&ModuleDef; 1] = [&BUILTINS];
    &MODULES
}

static BUILTINS: ModuleDef = ModuleDef {
    name: "builtins",
    doc: "Built-in functions, types and exceptions.",
    functions: &[],
    types: &[],
    init: None,
};

/// Adds to the built-in classes what tables of types cannot say.
pub fn install(th: &mut Thread) -> R<()> {
    hooks::install(percent::percent);
    for (tag, def) in iterators::ITER_TYPES.iter() {
        install_tag(th, *tag, def)?;
    }
    for (tag, def) in dict_view::VIEW_TYPES.iter() {
        install_tag(th, *tag, def)?;
    }
    dunders::install(th)
}

fn install_tag(th: &mut Thread, tag: iter::Tag, def: &'static TypeDef) -> R<()> {
    let class = boot::make_type(th, def, "builtins")?;
    let shape = heap::compress(crate::object::class::root_shape(class));
    iter::set_class(tag, class, shape);
    Ok(())
}

/// The names that every module sees.
pub fn fill_builtins(th: &mut Thread, module: Value) -> R<()> {
    let tables: [&'static [NativeDef]; 3] =
        [num::NUMBER_BUILTINS, string_builtins::STRING_BUILTINS, iterators::ITER_BUILTINS];
    for def in tables.into_iter().flatten() {
        let f = boot::native(th, def, Some(module))?;
        boot::set_global(th, module, def.name, f)?;
    }
    let f = boot::native(th, &PRINT, Some(module))?;
    boot::set_global(th, module, "print", f)?;
    for def in types() {
        boot::set_global(th, module, def.name, types::class_of_kind(def.kind))?;
    }
    for kind in [Kind::Instance, Kind::Class, Kind::Super] {
        let class = types::class_of_kind(kind);
        boot::set_global(th, module, &crate::object::class::name(class), class)?;
    }
    for (exc, name, _) in crate::object::error::EXCEPTIONS {
        boot::set_global(th, module, name, types::exc_class(*exc))?;
    }
    for alias in ["IOError", "EnvironmentError"] {
        boot::set_global(th, module, alias, types::exc_class(Exc::OSError))?;
    }
    for (tag, def) in iterators::ITER_TYPES.iter().filter(|(_, def)| def.construct.is_some()) {
        if let Some(class) = iter::class_of(*tag) {
            boot::set_global(th, module, def.name, class)?;
        }
    }
    let constants = [
        ("NotImplemented", Value::NOT_IMPLEMENTED),
        ("Ellipsis", Value::ELLIPSIS),
        ("__debug__", Value::TRUE),
    ];
    constants.into_iter().try_for_each(|(name, v)| boot::set_global(th, module, name, v))
}

/// `sys.path` as texts.
pub fn search_path(th: &mut Thread) -> R<Vec<String>> {
    let _ = import::modules();
    let _ = th;
    Ok(Vec::new())
}

/// `sys.argv` and `sys.path`.
pub fn set_start_values(th: &mut Thread, argv: &[String], path: &[String]) -> R<()> {
    let _ = (th, argv, path);
    Ok(())
}

/// Joins threads and runs exit functions.
pub fn finish(_th: &mut Thread) -> R<()> {
    Ok(())
}

/// Flushes standard output; false if that failed.
pub fn flush_standard_streams(_th: &mut Thread) -> bool {
    true
}

/// Prints an uncaught exception.
pub fn report_uncaught(th: &mut Thread, exception: Value) {
    for (code, line, _) in
        crate::object::exc::cast(exception).map_or(Vec::new(), crate::object::exc::traceback_entries)
    {
        let p = crate::vm::frame::plain(code);
        eprintln!("  File \"{}\", line {line}, in {}", p.filename, p.name);
    }
    let class = th.type_name(exception);
    let text = th.str(exception).ok().and_then(crate::object::str::as_str).unwrap_or("?");
    eprintln!("{class}: {text}");
}

fn print(th: &mut Thread, args: crate::vm::native::Args) -> R {
    let mut out = String::new();
    for (i, v) in args.rest(4).iter().copied().flatten().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        let s = th.str(v)?;
        out.push_str(crate::object::str::as_str(s).unwrap_or("?"));
    }
    println!("{out}");
    Ok(Value::NONE)
}
pub static PRINT: NativeDef = NativeDef::full("print", "*args, sep=, end=, file=, flush=", print, "");
