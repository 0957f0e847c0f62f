//! `_asyncio.Future`: its methods, and what becomes of its callbacks. Must not know how tasks are stepped.

use super::asyncio_gather::{self as gathering, GATHERING};
use super::asyncio_loop::{self as event_loop, Loop};
use super::asyncio_ready as ready;
use super::asyncio_unseen as unseen;
use super::contextvars;
use crate::object::class::trait_bits;
use crate::object::future::{self, CALLBACKS, CANCELLED, FAILED, FINISHED, FUTURE, MESSAGE, TIMED, UNSEEN};
use crate::object::iter::{self, Tag};
use crate::object::layout::Wide;
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Raised, Value, Word, class, dict, exc, list, tuple, types, wide};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::type_tables;

/// The receiver.
pub fn this(th: &mut Thread, args: Args) -> R<&'static Wide> {
    match future::of(args.get(0)) {
        Some(f) => Ok(f),
        None => {
            let got = th.type_name(args.get(0));
            Err(th.type_error(format!("a Future is expected, not {got}")))
        }
    }
}

/// A new pending future of this loop.
pub fn new(m: &mut Mutator, event_loop: Value) -> R<&'static Wide> {
    let class = type_tables::class_of(&FUTURE_TYPE).unwrap_or(Value::NONE);
    new_as(m, class, event_loop, &[None; future::FUTURE_WORDS])
}

/// As `new`; in debug mode it knows who made it.
pub fn create(th: &mut Thread, event_loop: Value) -> R<&'static Wide> {
    if !event_loop::of(event_loop).is_some_and(Loop::debugs) {
        return new(&mut th.m, event_loop);
    }
    let class = type_tables::class_of(&FUTURE_TYPE).unwrap_or(Value::NONE);
    let made = new_as(&mut th.m, class, event_loop, &WITH_SOURCE)?;
    trace(th, made, event_loop)?;
    Ok(made)
}

/// One more, for `trace`.
const WITH_SOURCE: [Word; future::FUTURE_WORDS + 1] = [None; future::FUTURE_WORDS + 1];

fn new_as(m: &mut Mutator, class: Value, event_loop: Value, words: &[Word]) -> R<&'static Wide> {
    let base = type_tables::class_of(&FUTURE_TYPE).unwrap_or(Value::NONE);
    let extra = [Some(event_loop), None];
    wide::new(m, &wide::Plan { class, base, bits: FUTURE, number: 0, extra, words })
}

/// In debug mode, a future or task that has a word more keeps the calls that led to it.
pub fn trace(th: &mut Thread, f: &'static Wide, event_loop: Value) -> R<()> {
    if event_loop::of(event_loop).is_some_and(Loop::debugs) {
        let calls = ready::source(th)?;
        future::set_source(f, calls);
    }
    Ok(())
}

fn construct(th: &mut Thread, args: Args) -> R {
    let made = new_as(&mut th.m, args.get(0), th.running_loop.unwrap_or(Value::NONE), &WITH_SOURCE)?;
    initialise(th, wide::value(made), args)
}

/// Calls `__init__` of a new future or task, unless its class has one in Mini, which is called anyway.
pub fn initialise(th: &mut Thread, made: Value, args: Args) -> R {
    if class::traits(args.get(0)) & trait_bits::INIT == 0 {
        let positional: smallvec::SmallVec<[Value; 4]> = args.rest(2).iter().copied().flatten().collect();
        let keywords = args.opt(1).map(dict::entries).unwrap_or_default();
        let init = th.name("__init__")?;
        let init = th.get_attr(made, init)?;
        th.call_kw(init, &positional, &keywords)?;
    }
    Ok(made)
}

fn init(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    let event_loop = match args.opt_not_none(1) {
        Some(given) => given,
        None => event_loop::get_event_loop(th)?,
    };
    f.host.extra[0].set(event_loop);
    trace(th, f, event_loop)?;
    Ok(Value::NONE)
}

fn entries(word: Value) -> smallvec::SmallVec<[Value; 4]> {
    match list::of(word) {
        Some(l) => list::items(l).iter().filter_map(|slot| slot.get()).collect(),
        None => std::iter::once(word).collect(),
    }
}

/// Adds an entry: see `object::future::CALLBACKS`.
pub fn add_entry(m: &mut Mutator, f: &'static Wide, entry: Value) -> R<()> {
    let word = wide::word(f, CALLBACKS);
    match word.get() {
        None => word.set(entry),
        Some(all) => match list::of(all) {
            Some(l) => list::push(m, l, entry)?,
            None => word.set(m.new_list(&[all, entry])?),
        },
    }
    Ok(())
}

/// It is done: whoever waits for it is told, at the next turn of the loop.
pub fn schedule(th: &mut Thread, f: &'static Wide) -> R<()> {
    if wide::word(f, CALLBACKS).bits() == 0 {
        return Ok(());
    }
    let Some(event_loop) = future::event_loop(f) else { return Ok(()) };
    let Some(word) = wide::word(f, CALLBACKS).swap(None) else { return Ok(()) };
    if list::of(word).is_none() {
        return schedule_one(th, event_loop, f, word);
    }
    let entries = entries(word);
    // They are not in the heap any more, and calls follow.
    let scope = th.scope();
    for entry in &entries {
        th.root(*entry);
    }
    let done = entries.iter().try_for_each(|entry| schedule_one(th, event_loop, f, *entry));
    th.close(scope);
    done
}

fn schedule_one(th: &mut Thread, event_loop: Value, f: &'static Wide, entry: Value) -> R<()> {
    match wide::of(entry) {
        Some((_, future::TASK)) => return ready::wake(th, event_loop, entry),
        Some((g, GATHERING)) => return gathering::note_done(th, event_loop, g, f),
        _ => {}
    }
    let f = wide::value(f);
    match tuple::items(entry) {
        [callback, context] => {
            let (callback, context) = (callback.value(), context.value());
            ready::call_soon(th, event_loop, callback, &[f], Some(context)).map(drop)
        }
        _ => Ok(()),
    }
}

/// Gives it a result. False: it was done already.
pub fn set_result(th: &mut Thread, f: &'static Wide, value: Value) -> R<bool> {
    if !future::finish(f, FINISHED, Some(value)) {
        return Ok(false);
    }
    schedule(th, f)?;
    Ok(true)
}

/// Gives it an exception. False: it was done already.
pub fn set_exception(th: &mut Thread, f: &'static Wide, error: Value) -> R<bool> {
    if future::is_done(f) {
        return Ok(false);
    }
    wide::word(f, MESSAGE).set_word(exc::cast(error).and_then(|e| e.traceback.get()));
    let awaited = wide::word(f, CALLBACKS).get().is_some_and(is_awaited);
    future::finish(f, FINISHED | FAILED | UNSEEN, Some(error));
    schedule(th, f)?;
    if !awaited {
        unseen::note(th, f)?;
    }
    Ok(true)
}

/// Whether a task waits for it, and so will see its exception.
fn is_awaited(callbacks: Value) -> bool {
    entries(callbacks).iter().any(|entry| future::task_of(*entry).is_some())
}

/// Cancels a future (not a task). False: it was done already.
pub fn cancel_plainly(th: &mut Thread, f: &'static Wide, message: Word, error: Word) -> R<bool> {
    if future::is_done(f) {
        return Ok(false);
    }
    if let Some(message) = message {
        wide::word(f, MESSAGE).set(message);
    }
    if wide::has(f, TIMED) {
        event_loop::timer_cancelled(f);
    }
    future::finish(f, CANCELLED, error);
    schedule(th, f)?;
    Ok(true)
}

fn cancel(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    future::mark_seen(f);
    cancel_plainly(th, f, args.opt_not_none(1), None).map(Value::bool)
}

fn cancelled(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|f| Value::bool(wide::has(f, CANCELLED)))
}

fn done(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|f| Value::bool(future::is_done(f)))
}

fn result(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    future::result(&mut th.m, f)
}

fn exception(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    let bits = future::bits(f);
    if bits & CANCELLED != 0 {
        return future::result(&mut th.m, f);
    }
    if bits & FINISHED == 0 {
        return Err(future::invalid_state(&mut th.m, "Exception is not set."));
    }
    future::mark_seen(f);
    Ok(if bits & FAILED != 0 { future::result_slot(f).value() } else { Value::NONE })
}

fn refuse(th: &mut Thread) -> Raised {
    future::invalid_state(&mut th.m, "invalid state")
}

fn set_result_method(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    if set_result(th, f, args.get(1))? { Ok(Value::NONE) } else { Err(refuse(th)) }
}

/// `_set_result_unless_cancelled(future, result)`.
pub fn set_result_unless_cancelled(th: &mut Thread, args: Args) -> R {
    let (v, value) = (args.get(0), args.get(1));
    let own_methods = class::traits(types::class_of(v)) & trait_bits::HEAP_TYPE == 0;
    let Some(f) = future::of(v).filter(|_| own_methods && future::task_of(v).is_none()) else {
        let cancelled = th.call_method(v, "cancelled", &[])?;
        return if th.is_true(cancelled)? {
            Ok(Value::NONE)
        } else {
            th.call_method(v, "set_result", &[value])
        };
    };
    if wide::has(f, CANCELLED) || set_result(th, f, value)? { Ok(Value::NONE) } else { Err(refuse(th)) }
}

fn set_exception_method(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    if future::is_done(f) {
        return Err(refuse(th));
    }
    let given = args.get(1);
    let base = types::exc_class(Exc::BaseException);
    let error = match class::cast(given) {
        Some(_) if class::is_subclass(given, base) => th.call(given, &[])?,
        _ => given,
    };
    if exc::cast(error).is_none() {
        return Err(th.type_error("invalid exception object"));
    }
    if class::is_subclass(types::class_of(error), types::exc_class(Exc::StopIteration)) {
        let message = "StopIteration interacts badly with generators and cannot be raised into a Future";
        return Err(th.type_error(message));
    }
    if set_exception(th, f, error)? { Ok(Value::NONE) } else { Err(refuse(th)) }
}

fn add_done_callback(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    let callback = args.get(1);
    let context = match args.opt_not_none(2) {
        Some(given) => given,
        None => contextvars::copy(th)?,
    };
    if future::is_done(f) {
        let event_loop = future::event_loop(f).unwrap_or(Value::NONE);
        ready::call_soon(th, event_loop, callback, &[args.get(0)], Some(context))?;
        return Ok(Value::NONE);
    }
    let entry = th.new_tuple(&[callback, context])?;
    add_entry(&mut th.m, f, entry)?;
    Ok(Value::NONE)
}

fn remove_done_callback(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    let word = wide::word(f, CALLBACKS).get().filter(|_| !future::is_done(f));
    let Some(word) = word else { return Ok(Value::int_unchecked(0)) };
    // Comparing may call anything.
    let scope = th.scope();
    let removed = remove_equal(th, f, word, args.get(1));
    th.close(scope);
    removed
}

fn remove_equal(th: &mut Thread, f: &'static Wide, word: Value, callback: Value) -> R {
    let all = entries(word);
    for entry in &all {
        th.root(*entry);
    }
    let kept = th.m.new_list(&[])?;
    let Some(kept_list) = list::of(kept) else { return Ok(Value::int_unchecked(0)) };
    let mut removed = 0;
    for entry in &all {
        let same = match tuple::items(*entry) {
            [own, _] if future::task_of(*entry).is_none() => th.eq(own.value(), callback)?,
            _ => false,
        };
        if same {
            removed += 1;
        } else {
            list::push(&mut th.m, kept_list, *entry)?;
        }
    }
    if removed > 0 {
        wide::word(f, CALLBACKS).set_word(Some(kept).filter(|_| list::len(kept_list) > 0));
    }
    Ok(Value::int_unchecked(removed))
}

fn get_loop(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|f| future::event_loop(f).unwrap_or(Value::NONE))
}

fn iterate(th: &mut Thread, args: Args) -> R {
    this(th, args)?;
    iter::new(&mut th.m, Tag::FutureIter, &[args.get(0)])
}

fn repr(th: &mut Thread, args: Args) -> R {
    this(th, args)?;
    let helper = crate::vm::import::import_dotted(th, "asyncio.base_futures")?;
    th.call_method(helper, "_future_repr", &[args.get(0)])
}

fn make_cancelled_error(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    future::cancelled_error(&mut th.m, f)
}

fn with_parameter(th: &mut Thread, args: Args) -> R {
    let types = crate::vm::import::import_dotted(th, "types")?;
    th.call_method(types, "GenericAlias", &[args.get(0), args.get(1)])
}

fn state(th: &mut Thread, args: Args) -> R {
    let bits = future::bits(this(th, args)?);
    th.m.intern(match bits {
        _ if bits & CANCELLED != 0 => "CANCELLED",
        _ if bits & FINISHED != 0 => "FINISHED",
        _ => "PENDING",
    })
}

fn stored_result(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    let has = future::bits(f) & (FINISHED | FAILED) == FINISHED;
    Ok(if has { future::result_slot(f).value() } else { Value::NONE })
}

fn stored_exception(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    Ok(if wide::has(f, FAILED) { future::result_slot(f).value() } else { Value::NONE })
}

/// `_callbacks`: pairs of function and context. A task that waits shows its bound method, as CPython does.
fn callbacks(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    let word = wide::word(f, CALLBACKS).get().filter(|_| !future::is_done(f));
    let Some(word) = word else { return Ok(Value::NONE) };
    let shown = th.m.new_list(&[])?;
    for entry in entries(word) {
        let pair = if future::task_of(entry).is_some() {
            let name = th.name("task_wakeup")?;
            let bound = th.get_attr(entry, name)?;
            th.new_tuple(&[bound, Value::NONE])?
        } else if wide::of_role(entry, GATHERING).is_some() {
            th.new_tuple(&[entry, Value::NONE])?
        } else {
            entry
        };
        if let Some(l) = list::of(shown) {
            list::push(&mut th.m, l, pair)?;
        }
    }
    Ok(shown)
}

fn flag(th: &mut Thread, args: Args, bit: u32) -> R {
    this(th, args).map(|f| Value::bool(wide::has(f, bit)))
}

fn blocking(th: &mut Thread, args: Args) -> R {
    flag(th, args, future::BLOCKING)
}

fn set_blocking(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    let on = th.is_true(args.get(1))?;
    if on {
        wide::set(f, future::BLOCKING)
    } else {
        wide::clear(f, future::BLOCKING)
    };
    Ok(Value::NONE)
}

fn log_traceback(th: &mut Thread, args: Args) -> R {
    flag(th, args, UNSEEN)
}

fn set_log_traceback(th: &mut Thread, args: Args) -> R {
    if th.is_true(args.get(1))? {
        return Err(th.value_error("_log_traceback can only be set to False"));
    }
    let f = this(th, args)?;
    future::mark_seen(f);
    Ok(Value::NONE)
}

fn cancel_message(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    Ok(if wide::has(f, FAILED) { Value::NONE } else { wide::word(f, MESSAGE).value() })
}

fn set_cancel_message(th: &mut Thread, args: Args) -> R {
    let f = this(th, args)?;
    if !wide::has(f, FAILED) {
        wide::word(f, MESSAGE).set(args.get(1));
    }
    Ok(Value::NONE)
}

fn source_traceback(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|f| future::source(f).unwrap_or(Value::NONE))
}

pub static FUTURE_TYPE: TypeDef = TypeDef {
    name: "Future",
    kind: Kind::Host,
    doc: "A result that is not there yet.",
    construct: Some(NativeDef::full("Future", "cls, /, *args, **kwargs", construct, "")),
    methods: &[
        NativeDef::full("__init__", "self, /, *, loop=", init, "Say whose it is."),
        NativeDef::full("cancel", "self, /, msg=", cancel, "Cancel it; False if it is done."),
        NativeDef::full("cancelled", "self, /", cancelled, "Whether it was cancelled."),
        NativeDef::full("done", "self, /", done, "Whether it is done."),
        NativeDef::full("result", "self, /", result, "The result, or raise the exception."),
        NativeDef::full("exception", "self, /", exception, "The exception, or None."),
        NativeDef::full("set_result", "self, result, /", set_result_method, "Give it a result."),
        NativeDef::full("set_exception", "self, exception, /", set_exception_method, "Give it an exception."),
        NativeDef::full(
            "add_done_callback",
            "self, fn, /, *, context=",
            add_done_callback,
            "Call this when it is done.",
        ),
        NativeDef::full(
            "remove_done_callback",
            "self, fn, /",
            remove_done_callback,
            "Do not; how often it was to be called.",
        ),
        NativeDef::full("get_loop", "self, /", get_loop, "The loop."),
        NativeDef::full("_make_cancelled_error", "self, /", make_cancelled_error, "A CancelledError."),
        NativeDef::full("__iter__", "self, /", iterate, "What await drives."),
        NativeDef::full("__await__", "self, /", iterate, "What await drives."),
        NativeDef::full("__repr__", "self, /", repr, "Show its state."),
    ],
    class_methods: &[NativeDef::full(
        "__class_getitem__",
        "cls, item, /",
        with_parameter,
        "The type of its result.",
    )],
    properties: &[
        NativeDef::full("_state", "self", state, "PENDING, FINISHED or CANCELLED."),
        NativeDef::full("_loop", "self", get_loop, "The loop."),
        NativeDef::full("_result", "self", stored_result, "The result."),
        NativeDef::full("_exception", "self", stored_exception, "The exception."),
        NativeDef::full("_callbacks", "self", callbacks, "What is called when it is done."),
        NativeDef::full("_source_traceback", "self", source_traceback, "In debug mode: who made it."),
    ],
    subclassable: true,
};

/// Properties that can be set: name, reader, writer.
pub static SETTABLE: [(NativeDef, NativeDef); 3] = [
    (
        NativeDef::full("_asyncio_future_blocking", "self", blocking, "It was handed up by an await."),
        NativeDef::full("_asyncio_future_blocking", "self, value", set_blocking, ""),
    ),
    (
        NativeDef::full("_log_traceback", "self", log_traceback, "Its exception was not seen yet."),
        NativeDef::full("_log_traceback", "self, value", set_log_traceback, ""),
    ),
    (
        NativeDef::full("_cancel_message", "self", cancel_message, "What it was cancelled with."),
        NativeDef::full("_cancel_message", "self, value", set_cancel_message, ""),
    ),
];
