//! What the classes of None, Ellipsis and NotImplemented do when they are called: give their only instance; and the class of
//! modules: make an empty one.
//! Must not know operators.

use crate::object::mutator::Mutator;
use crate::object::{Kind, R, Value, dict, func, intern, str, types};
use crate::vm::boot;
use crate::vm::native::{Args, NativeDef};
use crate::vm::thread::Thread;

fn only(m: &mut Mutator, args: Args, instance: Value, name: &str) -> R {
    if args.len() > 2 || dict::of(args.get(1)).is_some_and(|d| dict::len(d) > 0) {
        return Err(m.type_error(format!("{name} takes no arguments")));
    }
    Ok(instance)
}

fn none(m: &mut Mutator, args: Args) -> R {
    only(m, args, Value::NONE, "NoneType")
}

fn ellipsis(m: &mut Mutator, args: Args) -> R {
    only(m, args, Value::ELLIPSIS, "EllipsisType")
}

fn not_implemented(m: &mut Mutator, args: Args) -> R {
    only(m, args, Value::NOT_IMPLEMENTED, "NotImplementedType")
}

static NONE: NativeDef = NativeDef::data("__new__", "cls, *args, **kwargs", none, "None.");
static ELLIPSIS: NativeDef = NativeDef::data("__new__", "cls, *args, **kwargs", ellipsis, "Ellipsis.");
static NOT_IMPLEMENTED: NativeDef =
    NativeDef::data("__new__", "cls, *args, **kwargs", not_implemented, "NotImplemented.");

/// `types.ModuleType(name, doc=None)`.
fn module(th: &mut Thread, args: Args) -> R {
    let name = args.get(1);
    if str::as_str(name).is_none() {
        let got = th.type_name(name);
        return Err(th.type_error(format!("module() argument 'name' must be str, not {got}")));
    }
    let name = intern::intern_value(&mut th.m, name)?;
    let made = func::new_module(&mut th.m, name)?;
    boot::set_global(th, made, "__name__", name)?;
    boot::set_global(th, made, "__doc__", args.opt(2).unwrap_or(Value::NONE))?;
    for absent in ["__package__", "__loader__", "__spec__"] {
        boot::set_global(th, made, absent, Value::NONE)?;
    }
    Ok(made)
}

static MODULE: NativeDef = NativeDef::full("module", "cls, name, doc=", module, "An empty module.");

/// Makes the classes callable.
pub fn install(th: &mut Thread) -> R<()> {
    let news = [(Kind::None_, &NONE), (Kind::Ellipsis, &ELLIPSIS), (Kind::NotImplemented, &NOT_IMPLEMENTED)];
    for (kind, new) in news {
        boot::add_function(th, types::class_of_kind(kind), new)?;
    }
    boot::add_constructor(th, types::class_of_kind(Kind::Module), &MODULE)
}
