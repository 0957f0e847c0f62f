//! Module `builtins`: functions about any object, and the table that joins all built-in names.
//! Must not know numbers, text or iterators: their functions come from their own tables.

use super::support::{set, type_name};
use super::{awaitables, evaluate, exceptions, help, io, iterators, num, print, string_builtins};
use crate::object::error::EXCEPTIONS;
use crate::object::{Exc, Kind, R, Slot, Value, func, list, str, types};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;
use crate::vm::{boot, frame, frame_locals, import, module_names, type_tables};

fn id(th: &mut Thread, args: Args) -> R {
    th.new_uint(args.get(0).bits())
}

fn hash(th: &mut Thread, args: Args) -> R {
    let hash = th.hash(args.get(0))?;
    th.new_int(hash)
}

fn repr(th: &mut Thread, args: Args) -> R {
    th.repr(args.get(0))
}

fn isinstance(th: &mut Thread, args: Args) -> R {
    let (v, class) = (args.get(0), args.get(1));
    // Without asking the class, as CPython does.
    if types::class_of(v) == class {
        return Ok(Value::TRUE);
    }
    th.is_instance(v, class).map(Value::bool)
}

fn issubclass(th: &mut Thread, args: Args) -> R {
    th.is_subclass(args.get(0), args.get(1)).map(Value::bool)
}

fn callable(th: &mut Thread, args: Args) -> R {
    Ok(Value::bool(is_callable(th, args.get(0))))
}

/// Whether a value can be called.
pub fn is_callable(th: &mut Thread, v: Value) -> bool {
    let code = matches!(types::kind_of(v), Kind::Function | Kind::Native | Kind::BoundMethod | Kind::Class);
    code || th.lookup_special(v, "__call__").is_some()
}

/// The name argument of `getattr` and its like, interned.
fn name_arg(th: &mut Thread, v: Value) -> R {
    if str::as_str(v).is_none() {
        let class = type_name(v);
        return Err(th.type_error(format!("attribute name must be string, not '{class}'")));
    }
    th.lookup.made_name(&mut th.m, v)
}

fn getattr(th: &mut Thread, args: Args) -> R {
    let name = name_arg(th, args.get(1))?;
    let Some(default) = args.opt(2) else { return th.get_attr_again(args.get(0), name) };
    Ok(th.get_attr_opt(args.get(0), name)?.unwrap_or(default))
}

fn setattr(th: &mut Thread, args: Args) -> R {
    let name = name_arg(th, args.get(1))?;
    th.set_attr(args.get(0), name, args.get(2))?;
    Ok(Value::NONE)
}

fn hasattr(th: &mut Thread, args: Args) -> R {
    let name = name_arg(th, args.get(1))?;
    Ok(Value::bool(th.get_attr_opt(args.get(0), name)?.is_some()))
}

fn delattr(th: &mut Thread, args: Args) -> R {
    let name = name_arg(th, args.get(1))?;
    th.del_attr(args.get(0), name)?;
    Ok(Value::NONE)
}

/// The frame that called the running native.
fn caller(th: &Thread) -> Option<frame::Frame> {
    frame::walk(th.base, th.pc).next()
}

pub fn globals(th: &mut Thread, _: Args) -> R {
    let module = caller(th).map_or(Value::NONE, |f| f.code.module.value());
    Ok(func::module_dict(module).unwrap_or(Value::NONE))
}

pub fn locals(th: &mut Thread, _: Args) -> R {
    let Some(frame) = caller(th) else { return th.new_dict() };
    frame_locals::of_frame(th, &frame)
}

fn vars(th: &mut Thread, args: Args) -> R {
    let Some(v) = args.opt(0) else { return locals(th, args) };
    let key = th.name("__dict__")?;
    match th.get_attr_opt(v, key)? {
        Some(dict) => Ok(dict),
        None => Err(th.type_error("vars() argument must have __dict__ attribute")),
    }
}

fn dir(th: &mut Thread, args: Args) -> R {
    let names = match args.opt(0) {
        None => {
            let names = locals(th, args)?;
            th.collect(names)?
        }
        Some(v) => match (module_names::asked(th, v)?, th.lookup_override(v, "__dir__")) {
            (Some(names), _) => names,
            (None, Some(hook)) => {
                let names = th.call(hook, &[v])?;
                th.collect(names)?
            }
            (None, None) => super::dir::names(th, v)?,
        },
    };
    th.call_method(names, "sort", &[])?;
    Ok(names)
}

fn import_builtin(th: &mut Thread, args: Args) -> R {
    let name = args.get(0);
    if str::as_str(name).is_none() {
        let class = type_name(name);
        return Err(th.type_error(format!("__import__() argument 1 must be str, not {class}")));
    }
    let level = args.opt(4).map_or(Ok(0), |v| super::support::c_int(th, v))?;
    let Ok(level) = u8::try_from(level) else { return Err(th.value_error("level must be >= 0")) };
    let fromlist = match args.opt_not_none(3) {
        None => Value::NONE,
        Some(v) => {
            let items = th.collect(v)?;
            let items: Vec<Value> =
                list::of(items).map_or(Vec::new(), |l| list::items(l).iter().filter_map(Slot::get).collect());
            if items.is_empty() { Value::NONE } else { th.new_tuple(&items)? }
        }
    };
    import::import(th, name, fromlist, level)
}

fn exit(th: &mut Thread, args: Args) -> R {
    let status: Vec<Value> = args.opt_not_none(0).into_iter().collect();
    Err(th.raise_with(Exc::SystemExit, &status))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "builtins",
    doc: "Names that every module sees.",
    functions: &[
        NativeDef::full("id", "obj, /", id, "A number that no other living object has."),
        NativeDef::full("hash", "obj, /", hash, "The hash of an object."),
        NativeDef::full("repr", "obj, /", repr, "An object as text for programmers."),
        NativeDef::full(
            "isinstance",
            "obj, class_or_tuple, /",
            isinstance,
            "Whether an object is of a class.",
        ),
        NativeDef::full(
            "issubclass",
            "cls, class_or_tuple, /",
            issubclass,
            "Whether a class derives from another.",
        ),
        NativeDef::full("callable", "obj, /", callable, "Whether an object can be called."),
        NativeDef::full("getattr", "object, name, default=, /", getattr, "An attribute, or the default."),
        NativeDef::full("setattr", "obj, name, value, /", setattr, "Set an attribute."),
        NativeDef::full("hasattr", "obj, name, /", hasattr, "Whether an object has an attribute."),
        NativeDef::full("delattr", "obj, name, /", delattr, "Delete an attribute."),
        NativeDef::full("vars", "object=, /", vars, "The attributes of an object, or locals()."),
        NativeDef::full("dir", "object=, /", dir, "The names of an object's attributes, or of locals()."),
        NativeDef::full("globals", "", globals, "The names of the module."),
        NativeDef::full("locals", "", locals, "The names of the running function."),
        NativeDef::full(
            "__import__",
            "name, globals=, locals=, fromlist=, level=",
            import_builtin,
            "Import a module.",
        ),
        NativeDef::full("exit", "code=, /", exit, "End the program."),
        NativeDef::full("quit", "code=, /", exit, "End the program."),
        help::HELP,
        print::PRINT,
        print::INPUT,
        io::OPEN,
    ],
    types: &[],
    init: Some(init),
};

fn init(th: &mut Thread, module: Value) -> R<()> {
    let tables = [
        num::NUMBER_BUILTINS,
        string_builtins::STRING_BUILTINS,
        iterators::ITER_BUILTINS,
        awaitables::ASYNC_BUILTINS,
        evaluate::BUILTINS,
    ];
    for table in tables {
        for def in table {
            let f = boot::native(th, def, Some(module))?;
            set(th, module, def.name, f)?;
        }
    }
    for def in super::TYPES.iter().filter(|def| is_public(def.name)) {
        if let Some(class) = type_tables::class_of(def) {
            set(th, module, def.name, class)?;
        }
    }
    for (name, kind) in [("object", Kind::Instance), ("type", Kind::Class), ("super", Kind::Super)] {
        set(th, module, name, types::class_of_kind(kind))?;
    }
    for (exc, name, _) in EXCEPTIONS {
        set(th, module, name, types::exc_class(*exc))?;
    }
    for name in ["IOError", "EnvironmentError"] {
        set(th, module, name, types::exc_class(Exc::OSError))?;
    }
    let constants = [
        ("None", Value::NONE),
        ("True", Value::TRUE),
        ("False", Value::FALSE),
        ("Ellipsis", Value::ELLIPSIS),
        ("NotImplemented", Value::NOT_IMPLEMENTED),
        ("__debug__", Value::TRUE),
    ];
    for (name, v) in constants {
        set(th, module, name, v)?;
    }
    super::registry::add_iterator_names(th, module)?;
    exceptions::install(th)
}

/// Classes that scripts reach only by `type(...)` have names that `builtins` does not.
fn is_public(name: &str) -> bool {
    const HIDDEN: [&str; 8] = [
        "method",
        "dict_keys",
        "dict_values",
        "dict_items",
        "generator",
        "coroutine",
        "async_generator",
        "mappingproxy",
    ];
    !HIDDEN.contains(&name) && !name.ends_with("iterator")
}
