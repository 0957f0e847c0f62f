//! `BaseExceptionGroup` and `ExceptionGroup`. Must not know `except*`.

use crate::object::{Exc, Kind, R, Value, class, exc, tuple, types};
use crate::vm::boot;
use crate::vm::groups::{self, Wanted};
use crate::vm::native::{Args, NativeDef};
use crate::vm::thread::Thread;

static NEW: NativeDef = NativeDef::full("__new__", "cls, /, *args", construct, "Make a group of exceptions.");
static METHODS: [NativeDef; 5] = [
    NativeDef::full("__init__", "self, /, *args", init, "Take the arguments."),
    NativeDef::full("__str__", "self, /", text, "Return str(self)."),
    NativeDef::full("derive", "self, excs, /", derive, "Make a group with the same message."),
    NativeDef::full("split", "self, condition, /", split, "Split into what matches and what does not."),
    NativeDef::full("subgroup", "self, condition, /", subgroup, "Keep what matches."),
];
static ALIAS: NativeDef = NativeDef::full("__class_getitem__", "cls, item, /", alias, "A generic alias.");

/// Start-up: gives the two classes their methods.
pub fn install(th: &mut Thread) -> R<()> {
    let base = types::exc_class(Exc::BaseExceptionGroup);
    // As slots they are attributes that `__dict__` does not show.
    let fields = [th.name("message")?, th.name("exceptions")?];
    let fields = th.new_tuple(&fields)?;
    for class in [base, types::exc_class(Exc::ExceptionGroup)] {
        if let Some(c) = class::cast(class) {
            c.slot_names.set(fields);
        }
    }
    boot::add_methods(th, base, &METHODS)?;
    boot::add_function(th, base, &NEW)?;
    boot::add_class_method(th, base, &ALIAS)
}

fn construct(th: &mut Thread, args: Args) -> R {
    let class = args.get(0);
    match args.rest(1) {
        [Some(message), Some(exceptions)] => groups::make(th, class, *message, *exceptions),
        other => {
            let n = other.len();
            let message = format!("BaseExceptionGroup.__new__() takes exactly 2 arguments ({n} given)");
            Err(th.type_error(message))
        }
    }
}

fn init(th: &mut Thread, args: Args) -> R {
    let values: Vec<Value> = args.rest(1).iter().copied().flatten().collect();
    let values = th.new_tuple(&values)?;
    if let Some(e) = exc::cast(args.get(0)) {
        e.args.set(values);
    }
    Ok(Value::NONE)
}

fn text(th: &mut Thread, args: Args) -> R {
    groups::text(th, args.get(0))
}

fn derive(th: &mut Thread, args: Args) -> R {
    let message = groups::message(th, args.get(0))?;
    groups::make(th, types::exc_class(Exc::BaseExceptionGroup), message, args.get(1))
}

fn wanted(th: &mut Thread, condition: Value) -> R<Wanted<'static>> {
    let is_exception =
        |v: Value| class::cast(v).is_some() && class::is_subclass(v, types::exc_class(Exc::BaseException));
    let classes = match types::kind_of(condition) {
        Kind::Tuple => tuple::items(condition).iter().all(|c| is_exception(c.value())),
        _ => is_exception(condition),
    };
    match types::kind_of(condition) {
        _ if classes => Ok(Wanted::Class(condition)),
        Kind::Function | Kind::Native | Kind::BoundMethod => Ok(Wanted::Function(condition)),
        _ => Err(th.type_error("expected a function, exception type or tuple of exception types")),
    }
}

fn split(th: &mut Thread, args: Args) -> R {
    let wanted = wanted(th, args.get(1))?;
    let scope = th.scope();
    let parts = groups::split(th, args.get(0), wanted);
    th.close(scope);
    let (matching, rest) = parts?;
    th.new_tuple(&[matching.unwrap_or(Value::NONE), rest.unwrap_or(Value::NONE)])
}

fn subgroup(th: &mut Thread, args: Args) -> R {
    let wanted = wanted(th, args.get(1))?;
    let scope = th.scope();
    let parts = groups::split(th, args.get(0), wanted);
    th.close(scope);
    Ok(parts?.0.unwrap_or(Value::NONE))
}

fn alias(th: &mut Thread, args: Args) -> R {
    crate::vm::generic::parameterized(th, args.get(0), args.get(1))
}
