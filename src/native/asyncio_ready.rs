//! What a loop does at its next turn: `Handle`, `TimerHandle`, and the queue of what is ready. An entry of the queue is a
//! handle, a task that takes a step, a future whose time has come, or the counter of `gather`. Must not know when the turns are.

use super::asyncio_future as futures;
use super::asyncio_gather::{self as gathering, GATHERING};
use super::asyncio_loop::{self as event_loop, Loop};
use super::asyncio_task as tasks;
use super::asyncio_transport::{self as transports, TRANSPORT};
use super::contextvars;
use crate::object::deque::{self, End};
use crate::object::future::{self, FINISHED, FUTURE, TASK};
use crate::object::layout::Wide;
use crate::object::{Exc, Kind, R, Value, Word, class, float, tuple, types, wide};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::type_tables;
use smallvec::SmallVec;

pub const HANDLE: u32 = 3;
pub const TIMER: u32 = 4;

/// A handle that was cancelled.
pub const CANCELLED: u32 = 1 << 8;
/// A timer in its loop's heap.
pub const SCHEDULED: u32 = 1 << 9;

const LOOP: usize = 0;
const CONTEXT: usize = 1;
const WHEN: usize = 2;
/// In debug mode: the calls that led to it.
const SOURCE: usize = 3;
/// It has a source.
const TRACED: u32 = 1 << 10;

/// A new handle; with a time, a TimerHandle.
pub fn new_handle(
    th: &mut Thread,
    event_loop: Value,
    callback: Value,
    args: &[Value],
    context: Word,
    when: Option<f64>,
) -> R<&'static Wide> {
    let context = match context {
        Some(context) => context,
        None => contextvars::copy(th)?,
    };
    let args = th.new_tuple(args)?;
    let (role, def) = if when.is_some() { (TIMER, &TIMER_TYPE) } else { (HANDLE, &HANDLE_TYPE) };
    let class = type_tables::class_of(def).unwrap_or(Value::NONE);
    let when = when.map(|when| th.new_float(when)).transpose()?;
    let debug = event_loop::of(event_loop).is_some_and(Loop::debugs);
    let source = if debug { Some(source(th)?) } else { None };
    let words = [Some(event_loop), Some(context), when, source];
    let (bits, count) = match (debug, when) {
        (true, _) => (role | TRACED, 4),
        (false, Some(_)) => (role, 3),
        (false, None) => (role, 2),
    };
    let words = words.get(..count).unwrap_or(&words);
    let extra = [Some(callback), Some(args)];
    wide::new(&mut th.m, &wide::Plan { class, base: class, bits, number: 0, extra, words })
}

/// The calls that lead here.
#[cold]
pub fn source(th: &mut Thread) -> R {
    let helper = crate::vm::import::import_dotted(th, "asyncio.format_helpers")?;
    th.call_method(helper, "extract_stack", &[])
}

/// `loop.call_soon(callback, *args, context=context)`; the handle.
pub fn call_soon(th: &mut Thread, event_loop: Value, callback: Value, args: &[Value], context: Word) -> R {
    let Some(of) = event_loop::of(event_loop) else {
        let method = th.name("call_soon")?;
        let method = th.get_attr(event_loop, method)?;
        let mut all: SmallVec<[Value; 4]> = SmallVec::new();
        all.push(callback);
        all.extend_from_slice(args);
        let key = th.name("context")?;
        let keywords = [(key, context.unwrap_or(Value::NONE))];
        return th.call_kw(method, &all, if context.is_some() { &keywords } else { &[] });
    };
    of.check_open(th)?;
    let handle = wide::value(new_handle(th, event_loop, callback, args, context, None)?);
    push(th, of, handle)?;
    Ok(handle)
}

/// Puts an entry into the queue.
pub fn push(th: &mut Thread, of: Loop, entry: Value) -> R<()> {
    match of.ready() {
        Some(queue) => deque::push(&mut th.m, queue, End::Right, entry),
        None => Ok(()),
    }
}

/// A task takes a step at the loop's next turn.
pub fn wake(th: &mut Thread, event_loop: Value, task: Value) -> R<()> {
    match event_loop::of(event_loop) {
        Some(of) => {
            of.check_open(th)?;
            push(th, of, task)
        }
        None => {
            let step = th.name("_step")?;
            let step = th.get_attr(task, step)?;
            let context = future::task_of(task).and_then(|t| wide::word(t, future::CONTEXT).get());
            call_soon(th, event_loop, step, &[], context).map(drop)
        }
    }
}

/// Does what an entry of the queue says. Errors: KeyboardInterrupt and SystemExit alone.
pub fn run(th: &mut Thread, event_loop: Value, entry: Value) -> R<()> {
    let Some((object, role)) = wide::of(entry) else { return Ok(()) };
    match role {
        TASK => match tasks::step(th, object) {
            Ok(()) => Ok(()),
            Err(_) => report(th, event_loop, entry),
        },
        HANDLE | TIMER => run_handle(th, event_loop, object),
        GATHERING => match gathering::one_more(th, object) {
            Ok(()) => Ok(()),
            Err(_) => report(th, event_loop, entry),
        },
        TRANSPORT => match transports::read_ready(th, object) {
            Ok(()) => Ok(()),
            Err(_) => report(th, event_loop, entry),
        },
        FUTURE => {
            let value = future::result_slot(object).get();
            if future::finish(object, FINISHED, value) {
                return futures::schedule(th, object);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

fn run_handle(th: &mut Thread, event_loop: Value, handle: &'static Wide) -> R<()> {
    wide::clear(handle, SCHEDULED);
    if wide::has(handle, CANCELLED) {
        return Ok(());
    }
    let callback = handle.host.extra[0].value();
    let args: SmallVec<[Value; 6]> =
        tuple::items(handle.host.extra[1].value()).iter().map(|slot| slot.value()).collect();
    let context = wide::word(handle, CONTEXT).value();
    let done = call_in(th, context, callback, &args);
    match done {
        Ok(_) => Ok(()),
        Err(_) => report(th, event_loop, wide::value(handle)),
    }
}

fn call_in(th: &mut Thread, context: Value, callback: Value, args: &[Value]) -> R {
    if !contextvars::is_context(context) {
        // Whatever it is, it says itself how things run in it.
        let mut all: SmallVec<[Value; 6]> = SmallVec::new();
        all.push(callback);
        all.extend_from_slice(args);
        return th.call_method(context, "run", &all);
    }
    let before = contextvars::enter(th, context)?;
    let done = th.call(callback, args);
    contextvars::leave(th, context, before);
    done
}

/// What a callback raised goes to the loop's handler of exceptions; what ends a program goes on.
#[cold]
fn report(th: &mut Thread, event_loop: Value, entry: Value) -> R<()> {
    let ends = th.pending_is(Exc::KeyboardInterrupt) || th.pending_is(Exc::SystemExit);
    if ends {
        return Err(crate::object::Raised);
    }
    let error = th.take_exception();
    if class::is_subclass(types::class_of(error), types::exc_class(Exc::BaseException)) {
        th.call_method(event_loop, "_callback_failed", &[entry, error])?;
    }
    Ok(())
}

fn this(th: &mut Thread, args: Args) -> R<&'static Wide> {
    match wide::of(args.get(0)) {
        Some((handle, HANDLE | TIMER)) => Ok(handle),
        _ => Err(th.type_error("a Handle is expected")),
    }
}

fn construct(th: &mut Thread, args: Args) -> R {
    let given: SmallVec<[Value; 6]> = tuple::items(args.get(2)).iter().map(|slot| slot.value()).collect();
    new_handle(th, args.get(3), args.get(1), &given, args.opt_not_none(4), None).map(wide::value)
}

fn construct_timer(th: &mut Thread, args: Args) -> R {
    let when = super::support::number(th, args.get(1), "a float is required")?;
    let given: SmallVec<[Value; 6]> = tuple::items(args.get(3)).iter().map(|slot| slot.value()).collect();
    new_handle(th, args.get(4), args.get(2), &given, args.opt_not_none(5), Some(when)).map(wide::value)
}

fn cancel(th: &mut Thread, args: Args) -> R {
    let handle = this(th, args)?;
    if wide::set(handle, CANCELLED) & CANCELLED != 0 {
        return Ok(Value::NONE);
    }
    if wide::has(handle, SCHEDULED)
        && let Some(of) = wide::word(handle, LOOP).get().and_then(event_loop::of)
    {
        of.data.timers.note_cancelled();
    }
    handle.host.extra[0].clear();
    handle.host.extra[1].clear();
    Ok(Value::NONE)
}

fn cancelled(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|handle| Value::bool(wide::has(handle, CANCELLED)))
}

fn when(th: &mut Thread, args: Args) -> R {
    let handle = this(th, args)?;
    if wide::of_role(args.get(0), TIMER).is_none() {
        return Err(th.type_error("a TimerHandle is expected"));
    }
    Ok(wide::word(handle, WHEN).value())
}

/// When a timer is due.
pub fn time_of(handle: &'static Wide) -> f64 {
    float::as_f64(wide::word(handle, WHEN).value()).unwrap_or(0.0)
}

fn callback(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|handle| handle.host.extra[0].value())
}

fn arguments(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|handle| handle.host.extra[1].value())
}

fn context(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|handle| wide::word(handle, CONTEXT).value())
}

fn its_loop(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|handle| wide::word(handle, LOOP).value())
}

fn source_traceback(th: &mut Thread, args: Args) -> R {
    let handle = this(th, args)?;
    Ok(if wide::has(handle, TRACED) { wide::word(handle, SOURCE).value() } else { Value::NONE })
}

fn is_scheduled(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|handle| Value::bool(wide::has(handle, SCHEDULED)))
}

/// `handle._run()`.
fn run_method(th: &mut Thread, args: Args) -> R {
    let handle = this(th, args)?;
    let event_loop = wide::word(handle, LOOP).value();
    run_handle(th, event_loop, handle).map(|()| Value::NONE)
}

fn repr(th: &mut Thread, args: Args) -> R {
    this(th, args)?;
    let helper = crate::vm::import::import_dotted(th, "asyncio.format_helpers")?;
    th.call_method(helper, "_handle_repr", &[args.get(0)])
}

fn compare(th: &mut Thread, args: Args, wanted: &[std::cmp::Ordering]) -> R {
    let (own, other) = (wide::of_role(args.get(0), TIMER), wide::of_role(args.get(1), TIMER));
    let (Some(own), Some(other)) = (own, other) else { return Ok(Value::NOT_IMPLEMENTED) };
    let _ = th;
    Ok(Value::bool(wanted.contains(&time_of(own).total_cmp(&time_of(other)))))
}

fn less(th: &mut Thread, args: Args) -> R {
    compare(th, args, &[std::cmp::Ordering::Less])
}

fn less_equal(th: &mut Thread, args: Args) -> R {
    compare(th, args, &[std::cmp::Ordering::Less, std::cmp::Ordering::Equal])
}

fn greater(th: &mut Thread, args: Args) -> R {
    compare(th, args, &[std::cmp::Ordering::Greater])
}

fn greater_equal(th: &mut Thread, args: Args) -> R {
    compare(th, args, &[std::cmp::Ordering::Greater, std::cmp::Ordering::Equal])
}

const PROPERTIES: &[NativeDef] = &[
    NativeDef::full("_callback", "self", callback, "What is called."),
    NativeDef::full("_args", "self", arguments, "With what it is called."),
    NativeDef::full("_context", "self", context, "In which context it is called."),
    NativeDef::full("_loop", "self", its_loop, "The loop that calls it."),
    NativeDef::full("_source_traceback", "self", source_traceback, "In debug mode: who made it."),
    NativeDef::full("_cancelled", "self", cancelled, "Whether it was cancelled."),
    NativeDef::full("_scheduled", "self", is_scheduled, "Whether it waits for its time."),
];

pub static HANDLE_TYPE: TypeDef = TypeDef {
    name: "Handle",
    kind: Kind::Host,
    doc: "A call that a loop will make.",
    construct: Some(NativeDef::full("Handle", "cls, callback, args, loop, context=", construct, "")),
    methods: &[
        NativeDef::full("cancel", "self, /", cancel, "Do not make the call."),
        NativeDef::full("cancelled", "self, /", cancelled, "Whether it was cancelled."),
        NativeDef::full("_run", "self, /", run_method, "Make the call."),
        NativeDef::full("__repr__", "self, /", repr, "Show the call."),
    ],
    properties: PROPERTIES,
    ..TypeDef::BARE
};

pub static TIMER_TYPE: TypeDef = TypeDef {
    name: "TimerHandle",
    kind: Kind::Host,
    doc: "A call that a loop will make at its time.",
    construct: Some(NativeDef::full(
        "TimerHandle",
        "cls, when, callback, args, loop, context=",
        construct_timer,
        "",
    )),
    methods: &[
        NativeDef::full("when", "self, /", when, "When it is due."),
        NativeDef::full("__lt__", "self, other, /", less, "Which is due first."),
        NativeDef::full("__le__", "self, other, /", less_equal, "Which is due first."),
        NativeDef::full("__gt__", "self, other, /", greater, "Which is due first."),
        NativeDef::full("__ge__", "self, other, /", greater_equal, "Which is due first."),
    ],
    properties: &[],
    ..TypeDef::BARE
};
