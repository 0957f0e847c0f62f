//! Asynchronous generators' steps and other things that are driven like coroutines, as scripts see them; `aiter`, `anext`.
//! Must not know how they advance.

use super::generator::{settle, thrown};
use super::text_args::type_name;
use crate::object::generator::{self, bits};
use crate::object::header::{Kind, flag};
use crate::object::iter::{self, Tag};
use crate::object::mutator::Mutator;
use crate::object::{R, Value, types};
use crate::vm::awaitable;
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use std::sync::atomic::Ordering;

fn itself(_: &mut Mutator, args: Args) -> R {
    Ok(args.get(0))
}

fn send_value(th: &mut Thread, object: Value, value: Value) -> R {
    let Some(it) = awaitable::of(object) else { return Err(th.type_error("not an awaitable")) };
    let outcome = awaitable::send(th, it, value)?;
    settle(th, outcome)
}

fn send(th: &mut Thread, args: Args) -> R {
    send_value(th, args.get(0), args.get(1))
}

fn next(th: &mut Thread, args: Args) -> R {
    send_value(th, args.get(0), Value::NONE)
}

fn throw(th: &mut Thread, args: Args) -> R {
    let exception = thrown(th, args)?;
    let Some(it) = awaitable::of(args.get(0)) else { return Err(th.type_error("not an awaitable")) };
    let outcome = awaitable::throw(th, it, exception)?;
    settle(th, outcome)
}

fn close(th: &mut Thread, args: Args) -> R {
    match awaitable::of(args.get(0)) {
        Some(it) => awaitable::close(th, it).map(|()| Value::NONE),
        None => Ok(Value::NONE),
    }
}

const METHODS: &[NativeDef] = &[
    NativeDef::data("__await__", "self, /", itself, "The object itself."),
    NativeDef::data("__iter__", "self, /", itself, "The object itself."),
    NativeDef::full("__next__", "self, /", next, "Go on."),
    NativeDef::full("send", "self, value, /", send, "Go on, with this as the value of the yield."),
    NativeDef::full("throw", "self, type, value=, traceback=, /", throw, "Go on by raising an exception."),
    NativeDef::full("close", "self, /", close, "End it."),
];

const fn class(tag: Tag) -> TypeDef {
    TypeDef {
        name: tag.class_name(),
        kind: Kind::Iter,
        doc: "Something that can be awaited.",
        construct: None,
        methods: METHODS,
        class_methods: &[],
        properties: &[],
        subclassable: false,
    }
}

/// The classes of these objects, by tag.
pub static AWAITABLE_TYPES: [(Tag, TypeDef); 5] = [
    (Tag::AsyncSend, class(Tag::AsyncSend)),
    (Tag::AsyncThrow, class(Tag::AsyncThrow)),
    (Tag::CoroutineWrapper, class(Tag::CoroutineWrapper)),
    (Tag::AnextDefault, class(Tag::AnextDefault)),
    (Tag::FutureIter, class(Tag::FutureIter)),
];

/// `coroutine.__await__`.
fn wrap(m: &mut Mutator, args: Args) -> R {
    iter::new(m, Tag::CoroutineWrapper, &[args.get(0)])
}

pub(super) const AWAIT: NativeDef =
    NativeDef::data("__await__", "self, /", wrap, "An iterator that drives the coroutine.");

fn agen_next(th: &mut Thread, args: Args) -> R {
    awaitable::asend(th, args.get(0), Value::NONE)
}

fn agen_send(th: &mut Thread, args: Args) -> R {
    awaitable::asend(th, args.get(0), args.get(1))
}

fn agen_throw(th: &mut Thread, args: Args) -> R {
    let exception = thrown(th, args)?;
    awaitable::athrow(th, args.get(0), Some(exception))
}

fn agen_close(th: &mut Thread, args: Args) -> R {
    awaitable::athrow(th, args.get(0), None)
}

/// The methods of asynchronous generators.
pub(super) const ASYNC_METHODS: &[NativeDef] = &[
    NativeDef::data("__aiter__", "self, /", itself, "The generator itself."),
    NativeDef::full("__anext__", "self, /", agen_next, "An awaitable for the next item."),
    NativeDef::full("asend", "self, value, /", agen_send, "An awaitable that sends a value."),
    NativeDef::full(
        "athrow",
        "self, type, value=, traceback=, /",
        agen_throw,
        "An awaitable that raises an exception where it stands.",
    ),
    NativeDef::full("aclose", "self, /", agen_close, "An awaitable that ends it."),
];

fn agen_running(_: &mut Mutator, args: Args) -> R {
    let g = generator::of(args.get(0));
    Ok(Value::bool(g.is_some_and(|g| g.bits.load(Ordering::Acquire) & bits::ASYNC_RUNNING != 0)))
}

pub(super) const AG_RUNNING: NativeDef =
    NativeDef::data("ag_running", "self", agen_running, "Whether a step of it is under way.");

fn aiter_builtin(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    let Some(method) = th.lookup_special(v, "__aiter__") else {
        let name = type_name(v);
        return Err(th.type_error(format!("'{name}' object is not an async iterable")));
    };
    let it = th.call(method, &[v])?;
    if th.lookup_special(it, "__anext__").is_none() {
        let name = type_name(it);
        return Err(th.type_error(format!("aiter() returned not an async iterator of type '{name}'")));
    }
    Ok(it)
}

fn anext_builtin(th: &mut Thread, args: Args) -> R {
    let it = args.get(0);
    let Some(method) = th.lookup_special(it, "__anext__") else {
        let name = type_name(it);
        return Err(th.type_error(format!("'{name}' object is not an async iterator")));
    };
    let step = th.call(method, &[it])?;
    match args.opt(1) {
        Some(default) => iter::new(&mut th.m, Tag::AnextDefault, &[step, default]),
        None => Ok(step),
    }
}

/// Built-in functions about asynchronous iteration.
pub static ASYNC_BUILTINS: &[NativeDef] = &[
    NativeDef::full("aiter", "async_iterable, /", aiter_builtin, "The asynchronous iterator of an object."),
    NativeDef::full("anext", "iterator, default=, /", anext_builtin, "An awaitable for the next item."),
];

/// What a generator function makes can be awaited from now on.
fn mark_awaitable(_: &mut Mutator, args: Args) -> R {
    let function = args.get(0);
    if types::kind_of(function) == Kind::Function {
        types::hdr(function).flags.fetch_or(flag::AWAITABLE, Ordering::Release);
    }
    Ok(function)
}

/// In which state a suspended call is, as `inspect` calls them.
fn state(m: &mut Mutator, args: Args) -> R {
    let name = match generator::of(args.get(0)) {
        Some(g) => match generator::state(g) {
            generator::RUNNING => "RUNNING",
            generator::FINISHED => "CLOSED",
            _ if crate::vm::coroutine::is_fresh(g) => "CREATED",
            _ => "SUSPENDED",
        },
        None => return Err(m.type_error("a generator or coroutine is expected")),
    };
    m.new_str(name)
}

/// `_coroutines`: the Rust half of `types.coroutine`, and of what `inspect` says of coroutines.
pub static MODULE: ModuleDef = ModuleDef {
    name: "_coroutines",
    doc: "What types.coroutine and inspect need.",
    functions: &[
        NativeDef::data(
            "mark_awaitable",
            "function, /",
            mark_awaitable,
            "Make the generators of a function awaitable.",
        ),
        NativeDef::data("state", "object, /", state, "In which state a generator or coroutine is."),
    ],
    types: &[],
    init: None,
};
