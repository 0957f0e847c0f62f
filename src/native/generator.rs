//! Generators and coroutines as scripts see them: `send`, `throw`, `close`, and what can be asked of them.
//! Must not know how a frame is suspended.

use super::text_args::type_name;
use crate::object::generator::{self, RUNNING};
use crate::object::header::Kind;
use crate::object::layout::Function;
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Value, class, exc, tuple, types};
use crate::vm::coroutine::{self, Input, Outcome};
use crate::vm::frame_object;
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

/// What a `send` or `throw` gives a script: the value, or StopIteration with the result.
pub(super) fn settle(th: &mut Thread, outcome: Outcome) -> R {
    match outcome {
        Outcome::Yielded(value) | Outcome::Item(value) => Ok(value),
        Outcome::Returned(value) => Err(coroutine::stop(th, value)),
    }
}

fn next(th: &mut Thread, args: Args) -> R {
    let outcome = th.resume(args.get(0), Input::Send(Value::NONE))?;
    settle(th, outcome)
}

fn iter(_: &mut Mutator, args: Args) -> R {
    Ok(args.get(0))
}

fn send(th: &mut Thread, args: Args) -> R {
    let outcome = th.resume(args.get(0), Input::Send(args.get(1)))?;
    settle(th, outcome)
}

fn throw(th: &mut Thread, args: Args) -> R {
    let exception = thrown(th, args)?;
    let outcome = coroutine::throw(th, args.get(0), exception, true)?;
    settle(th, outcome)
}

/// The exception that `throw(type, value, traceback)` means.
pub(super) fn thrown(th: &mut Thread, args: Args) -> R {
    let (what, value, traceback) = (args.get(1), args.opt_not_none(2), args.opt_not_none(3));
    if let Some(tb) = traceback
        && types::kind_of(tb) != Kind::Traceback
    {
        return Err(th.type_error("throw() third argument must be a traceback object"));
    }
    let exception = if exc::cast(what).is_some() {
        if value.is_some() {
            return Err(th.type_error("instance exception may not have a separate value"));
        }
        what
    } else if class::cast(what).is_some() && class::is_subclass(what, types::exc_class(Exc::BaseException)) {
        instance(th, what, value)?
    } else {
        let name = type_name(what);
        return Err(th.type_error(format!(
            "exceptions must be classes or instances deriving from BaseException, not {name}"
        )));
    };
    if let (Some(e), Some(tb)) = (exc::cast(exception), traceback) {
        e.traceback.set(tb);
    }
    Ok(exception)
}

/// An exception of this class: `value` itself, if it is one, else made from it.
fn instance(th: &mut Thread, class: Value, value: Option<Value>) -> R {
    match value {
        None => th.call(class, &[]),
        Some(v) if exc::cast(v).is_some() && class::is_subclass(types::class_of(v), class) => Ok(v),
        Some(v) if types::kind_of(v) == Kind::Tuple => {
            let items: smallvec::SmallVec<[Value; 8]> = tuple::items(v).iter().map(|i| i.value()).collect();
            th.call(class, &items)
        }
        Some(v) => th.call(class, &[v]),
    }
}

fn close(th: &mut Thread, args: Args) -> R {
    coroutine::close(th, args.get(0)).map(|()| Value::NONE)
}

fn code(_: &mut Mutator, args: Args) -> R {
    let func = generator::of(args.get(0)).and_then(|g| types::cast::<Function>(g.func.value()));
    Ok(func.map_or(Value::NONE, |f| f.code.value()))
}

/// A picture of its frame, as it is now.
fn frame(th: &mut Thread, args: Args) -> R {
    let Some(g) = generator::of(args.get(0)) else { return Ok(Value::NONE) };
    Ok(frame_object::of_call(th, g)?.unwrap_or(Value::NONE))
}

fn running(_: &mut Mutator, args: Args) -> R {
    let running = generator::of(args.get(0)).is_some_and(|g| generator::state(g) == RUNNING);
    Ok(Value::bool(running))
}

fn suspended(_: &mut Mutator, args: Args) -> R {
    let g = generator::of(args.get(0));
    let suspended = g.is_some_and(|g| generator::state(g) == generator::SUSPENDED && !coroutine::is_fresh(g));
    Ok(Value::bool(suspended))
}

fn awaited(_: &mut Mutator, args: Args) -> R {
    Ok(generator::of(args.get(0)).and_then(coroutine::delegate_of).unwrap_or(Value::NONE))
}

fn origin(_: &mut Mutator, _: Args) -> R {
    Ok(Value::NONE)
}

const SEND: NativeDef =
    NativeDef::resumes("send", "self, value, /", 2, send, "Go on, with this as the value of the yield.");
const THROW: NativeDef =
    NativeDef::full("throw", "self, type, value=, traceback=, /", throw, "Go on by raising an exception.");
const CLOSE: NativeDef =
    NativeDef::full("close", "self, /", close, "End it: raise GeneratorExit where it stands.");

/// `generator`.
pub static GENERATOR: TypeDef = TypeDef {
    name: "generator",
    kind: Kind::Generator,
    doc: "What calling a function with yield gives.",
    construct: None,
    methods: &[
        NativeDef::data("__iter__", "self, /", iter, "The generator itself."),
        NativeDef::resumes("__next__", "self, /", 1, next, "The next item."),
        SEND,
        THROW,
        CLOSE,
    ],
    class_methods: &[],
    properties: &[
        NativeDef::data("gi_code", "self", code, "The code."),
        NativeDef::full("gi_frame", "self", frame, "Where it stands, or None at its end."),
        NativeDef::data("gi_running", "self", running, "Whether it runs now."),
        NativeDef::data("gi_suspended", "self", suspended, "Whether it stands at a yield."),
        NativeDef::data("gi_yieldfrom", "self", awaited, "What it delegates to, or None."),
    ],
    subclassable: false,
};

/// `coroutine`.
pub static COROUTINE: TypeDef = TypeDef {
    name: "coroutine",
    kind: Kind::Coroutine,
    doc: "What calling an asynchronous function gives.",
    construct: None,
    methods: &[super::awaitables::AWAIT, SEND, THROW, CLOSE],
    class_methods: &[],
    properties: &[
        NativeDef::data("cr_code", "self", code, "The code."),
        NativeDef::full("cr_frame", "self", frame, "Where it stands, or None at its end."),
        NativeDef::data("cr_running", "self", running, "Whether it runs now."),
        NativeDef::data("cr_suspended", "self", suspended, "Whether it stands at an await."),
        NativeDef::data("cr_await", "self", awaited, "What it waits for, or None."),
        NativeDef::data("cr_origin", "self", origin, "Not kept: None."),
    ],
    subclassable: false,
};

/// `async_generator`.
pub static ASYNC_GENERATOR: TypeDef = TypeDef {
    name: "async_generator",
    kind: Kind::AsyncGenerator,
    doc: "What calling an asynchronous function with yield gives.",
    construct: None,
    methods: super::awaitables::ASYNC_METHODS,
    class_methods: &[],
    properties: &[
        super::awaitables::AG_RUNNING,
        NativeDef::data("ag_code", "self", code, "The code."),
        NativeDef::full("ag_frame", "self", frame, "Where it stands, or None at its end."),
        NativeDef::data("ag_suspended", "self", suspended, "Whether it stands at a yield."),
        NativeDef::data("ag_await", "self", awaited, "What it waits for, or None."),
    ],
    subclassable: false,
};
