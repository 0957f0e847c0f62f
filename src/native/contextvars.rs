//! Contexts: what `contextvars` and event loops need to be quick. A context has a dict that is never changed, only
//! replaced, so a copy shares it. Must not know variables: they are written in Mini.

use crate::object::layout::Wide;
use crate::object::{Exc, Kind, R, Slot, Value, Word, class, str, wide};
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::{roots, type_tables};

/// Role of contexts among wide objects.
const CONTEXT: u32 = 6;
/// It is the current context of some thread, or one below that.
const ENTERED: u32 = 1 << 8;

/// The class in Mini that adds how a context looks as a mapping.
static CLASS: Slot = Slot::empty();

fn new(th: &mut Thread, class: Value, values: Word, bits: u32) -> R {
    let base = type_tables::class_of(&TYPE).unwrap_or(class);
    let plan = wide::Plan { class, base, bits: CONTEXT | bits, number: 0, extra: [values, None], words: &[] };
    wide::new(&mut th.m, &plan).map(wide::value)
}

fn default_class() -> Value {
    CLASS.get().or_else(|| type_tables::class_of(&TYPE)).unwrap_or(Value::NONE)
}

fn of(v: Value) -> Option<&'static Wide> {
    wide::of_role(v, CONTEXT)
}

fn this(th: &mut Thread, args: Args) -> R<&'static Wide> {
    of(args.get(0)).ok_or_else(|| th.type_error("a contextvars.Context is expected"))
}

/// The context of this thread.
pub fn current(th: &mut Thread) -> R {
    if let Some(context) = th.context {
        return Ok(context);
    }
    let made = new(th, default_class(), None, ENTERED)?;
    th.context = Some(made);
    Ok(made)
}

/// A copy of the context of this thread.
pub fn copy(th: &mut Thread) -> R {
    let context = current(th)?;
    copy_of(th, context)
}

fn copy_of(th: &mut Thread, context: Value) -> R {
    let values = of(context).and_then(|c| c.host.extra[0].get());
    new(th, default_class(), values, 0)
}

/// Whether `v` is a context.
pub fn is_context(v: Value) -> bool {
    of(v).is_some()
}

/// Makes `context` the current one; what was it before.
pub fn enter(th: &mut Thread, context: Value) -> R<Word> {
    let Some(c) = of(context) else { return Err(th.type_error("a contextvars.Context is expected")) };
    if wide::change(&th.m, c, ENTERED, 0) & ENTERED != 0 {
        return Err(entered_already(th, context));
    }
    Ok(th.context.replace(context))
}

#[cold]
fn entered_already(th: &mut Thread, context: Value) -> crate::object::Raised {
    match th.repr(context) {
        Ok(shown) => {
            let shown = str::as_str(shown).unwrap_or("");
            th.raise(Exc::RuntimeError, format!("cannot enter context: {shown} is already entered"))
        }
        Err(raised) => raised,
    }
}

/// Undoes `enter`.
pub fn leave(th: &mut Thread, context: Value, before: Word) {
    th.context = before;
    if let Some(c) = of(context) {
        wide::change(&th.m, c, 0, ENTERED);
    }
}

fn construct(th: &mut Thread, args: Args) -> R {
    new(th, args.get(0), None, 0)
}

fn run(th: &mut Thread, args: Args) -> R {
    let context = args.get(0);
    let before = enter(th, context)?;
    // The `**kwargs` dict is argument 2, what is left of the others comes after it.
    let positional: smallvec::SmallVec<[Value; 8]> = args.rest(3).iter().copied().flatten().collect();
    let keywords = args.opt(2).map(crate::object::dict::entries).unwrap_or_default();
    let result = th.call_kw(args.get(1), &positional, &keywords);
    leave(th, context, before);
    result
}

fn copy_method(th: &mut Thread, args: Args) -> R {
    this(th, args)?;
    copy_of(th, args.get(0))
}

fn values(th: &mut Thread, args: Args) -> R {
    let context = this(th, args)?;
    match context.host.extra[0].get() {
        Some(values) => Ok(values),
        None => th.m.new_dict(),
    }
}

fn set_values(th: &mut Thread, args: Args) -> R {
    this(th, args)?.host.extra[0].set(args.get(1));
    Ok(Value::NONE)
}

fn current_function(th: &mut Thread, _: Args) -> R {
    current(th)
}

fn copy_function(th: &mut Thread, _: Args) -> R {
    copy(th)
}

/// Contexts are made of this class from now on.
fn set_class(th: &mut Thread, args: Args) -> R {
    let base = type_tables::class_of(&TYPE).unwrap_or(Value::NONE);
    if class::cast(args.get(0)).is_none() || !class::is_subclass(args.get(0), base) {
        return Err(th.type_error("a class that derives from Context is expected"));
    }
    roots::keep(args.get(0));
    CLASS.set(args.get(0));
    Ok(Value::NONE)
}

pub static TYPE: TypeDef = TypeDef {
    name: "Context",
    kind: Kind::Host,
    doc: "The values of variables.",
    construct: Some(NativeDef::full("Context", "cls, /", construct, "")),
    methods: &[
        NativeDef::full(
            "run",
            "self, callable, /, *args, **kwargs",
            run,
            "Call something with this context as the current one.",
        ),
        NativeDef::full("copy", "self, /", copy_method, "Return another context with the same values."),
        NativeDef::full("_set_values", "self, values, /", set_values, "Replace the values."),
    ],
    properties: &[NativeDef::full("_values", "self", values, "A dict of the values.")],
    subclassable: true,
    ..TypeDef::BARE
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_contextvars",
    doc: "The Rust half of contextvars.",
    functions: &[
        NativeDef::full("current", "", current_function, "The context of this thread."),
        NativeDef::full("copy_context", "", copy_function, "A copy of the context of this thread."),
        NativeDef::full("_set_class", "cls, /", set_class, "Say which class contexts are of."),
    ],
    types: &[&TYPE],
    init: None,
};
