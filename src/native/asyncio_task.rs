//! `_asyncio.Task`: a future that drives a coroutine, step by step. Must not know when the next step is due.

use super::asyncio_future::{self as futures, FUTURE_TYPE};
use super::asyncio_loop as event_loop;
use super::asyncio_ready as ready;
use super::contextvars;
use crate::gil::record;
use crate::object::future::{
    self, BLOCKING, CANCELLED, CANCELS, CONTEXT, CORO, FAILED, MESSAGE, MUST_CANCEL, NAME, QUIET, TASK,
    WAITER,
};
use crate::object::layout::Wide;
use crate::object::{Exc, Kind, R, Raised, Value, Word, class, int, str, types, wide};
use crate::vm::coroutine::{self, Input, Outcome};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::ops::suspend;
use crate::vm::thread::Thread;
use crate::vm::type_tables;
use std::sync::atomic::{AtomicI64, Ordering};

static NEXT_NAME: AtomicI64 = AtomicI64::new(1);

fn this(th: &mut Thread, args: Args) -> R<&'static Wide> {
    match future::task_of(args.get(0)) {
        Some(task) => Ok(task),
        None => {
            let got = th.type_name(args.get(0));
            Err(th.type_error(format!("a Task is expected, not {got}")))
        }
    }
}

fn slot(task: &'static Wide, i: usize) -> &'static crate::object::Slot {
    wide::word(task, i)
}

/// What a new task is made of.
pub struct Parts {
    pub event_loop: Value,
    pub coro: Value,
    pub name: Word,
    pub context: Word,
}

/// A new task, whose first step is due at the loop's next turn.
pub fn new(th: &mut Thread, parts: &Parts) -> R {
    new_task(th, parts).map(wide::value)
}

/// As `new`.
pub fn new_task(th: &mut Thread, parts: &Parts) -> R<&'static Wide> {
    let traces = event_loop::of(parts.event_loop).is_some_and(event_loop::Loop::debugs);
    let words = if traces { WORDS } else { WORDS.split_last().map_or(WORDS, |(_, words)| words) };
    let task = blank(th, task_class(), words)?;
    if traces {
        futures::trace(th, task, parts.event_loop)?;
    }
    begin(th, task, parts)?;
    Ok(task)
}

/// With one for the calls that led to it.
const WORDS: &[Word] = &[None; future::TASK_WORDS + 1];

fn blank(th: &mut Thread, class: Value, words: &[Word]) -> R<&'static Wide> {
    let base = task_class();
    let plan = wide::Plan { class, base, bits: TASK, number: 0, extra: [None, None], words };
    wide::new(&mut th.m, &plan)
}

/// A task that is to run its coroutine.
fn begin(th: &mut Thread, task: &'static Wide, parts: &Parts) -> R<()> {
    if !is_coroutine(th, parts.coro)? {
        let shown = th.repr(parts.coro)?;
        let shown = str::as_str(shown).unwrap_or("");
        return Err(th.type_error(format!("a coroutine was expected, got {shown}")));
    }
    // Those that get a name from `create_task` use up a number, too.
    let number = NEXT_NAME.fetch_add(1, Ordering::Relaxed);
    let name = parts.name.map_or(Ok(Value::int_unchecked(number)), |name| th.str(name))?;
    let context = match parts.context {
        Some(context) => context,
        None => contextvars::copy(th)?,
    };
    task.host.extra[0].set(parts.event_loop);
    slot(task, CORO).set(parts.coro);
    slot(task, CONTEXT).set(context);
    slot(task, NAME).set(name);
    event_loop::register(th, task)?;
    if record::on() {
        write_down(th, task);
    }
    ready::wake(th, parts.event_loop, wide::value(task))
}

/// For `--trace`: a task begins.
#[cold]
fn write_down(th: &mut Thread, task: &'static Wide) {
    let name = slot(task, NAME).value();
    let name =
        int::as_i64(name).map_or_else(|| str::as_str(name).unwrap_or("").to_owned(), |n| format!("Task-{n}"));
    let coro = slot(task, CORO).value();
    let coro = th.repr(coro).ok().and_then(str::as_str).unwrap_or("");
    // Of `<coroutine object main at 0x…>`, what it runs.
    let runs = coro.split(' ').nth(2).unwrap_or("");
    record::task_made(th.m.member, wide::value(task).addr(), &format!("{name} {runs}"));
}

fn is_coroutine(th: &mut Thread, v: Value) -> R<bool> {
    if matches!(types::kind_of(v), Kind::Coroutine | Kind::Generator) {
        return Ok(true);
    }
    let coroutines = crate::vm::import::import_dotted(th, "asyncio.coroutines")?;
    let answer = th.call_method(coroutines, "iscoroutine", &[v])?;
    th.is_true(answer)
}

/// The class of tasks.
pub fn task_class() -> Value {
    type_tables::class_of(&TASK_TYPE).unwrap_or(Value::NONE)
}

fn construct(th: &mut Thread, args: Args) -> R {
    let made = blank(th, args.get(0), WORDS)?;
    futures::initialise(th, wide::value(made), args)
}

fn init(th: &mut Thread, args: Args) -> R {
    let task = this(th, args)?;
    let event_loop = match args.opt_not_none(2) {
        Some(given) => given,
        None => event_loop::get_event_loop(th)?,
    };
    let (name, context) = (args.opt_not_none(3), args.opt_not_none(4));
    futures::trace(th, task, event_loop)?;
    begin(th, task, &Parts { event_loop, coro: args.get(1), name, context })?;
    Ok(Value::NONE)
}

/// The exception that the next step raises in the coroutine, if it is to raise one.
fn to_be_thrown(th: &mut Thread, task: &'static Wide, waiter: Word) -> R<Word> {
    let mut error = None;
    if let Some(waited) = waiter.and_then(future::of) {
        let bits = future::bits(waited);
        if bits & CANCELLED != 0 {
            error = Some(future::cancelled_error(&mut th.m, waited)?);
        } else if bits & FAILED != 0 {
            // With its traceback as it was.
            if future::result(&mut th.m, waited).is_err() {
                error = Some(th.take_exception());
            }
        }
    } else if let Some(foreign) = waiter {
        // Something that only looks like a future.
        if th.call_method(foreign, "result", &[]).is_err() {
            error = Some(th.take_exception());
        }
    }
    if take_must_cancel(task) && !error.is_some_and(future::is_cancellation) {
        error = Some(future::new_cancelled(&mut th.m, slot(task, MESSAGE).get())?);
    }
    Ok(error)
}

/// Whether it is to be cancelled; from now on it is not. Asks first: changing bits costs as much as a call.
fn take_must_cancel(task: &Wide) -> bool {
    wide::has(task, MUST_CANCEL) && wide::clear(task, MUST_CANCEL) & MUST_CANCEL != 0
}

/// One step. Errors: KeyboardInterrupt and SystemExit alone, which are for the loop.
pub fn step(th: &mut Thread, task: &'static Wide) -> R<()> {
    if record::on() {
        let key = wide::value(task).addr();
        record::step_begins(th.m.member, key);
        let stepped = take_step(th, task);
        record::step_ends(th.m.member, key, future::is_done(task));
        return stepped;
    }
    take_step(th, task)
}

fn take_step(th: &mut Thread, task: &'static Wide) -> R<()> {
    if future::is_done(task) {
        let shown = th.repr(wide::value(task))?;
        let shown = str::as_str(shown).unwrap_or("");
        return Err(future::invalid_state(&mut th.m, &format!("__step(): already done: {shown}")));
    }
    let waiter = slot(task, WAITER).get();
    if waiter.is_some() {
        slot(task, WAITER).clear();
    }
    let error = to_be_thrown(th, task, waiter)?;
    let (event_loop, coro) = (future::event_loop(task).unwrap_or(Value::NONE), slot(task, CORO).value());
    event_loop::enter_task(th, event_loop, wide::value(task))?;
    let context = slot(task, CONTEXT).value();
    let outcome = match contextvars::enter(th, context) {
        Ok(before) => {
            let outcome = drive(th, coro, error);
            contextvars::leave(th, context, before);
            outcome
        }
        Err(raised) => Err(raised),
    };
    let settled = match outcome {
        Ok(Outcome::Yielded(what) | Outcome::Item(what)) => wait_for(th, task, what),
        Ok(Outcome::Returned(value)) => finish(th, task, value),
        Err(_) => fail(th, task),
    };
    event_loop::leave_task(event_loop, wide::value(task));
    settled
}

fn drive(th: &mut Thread, coro: Value, error: Word) -> R<Outcome> {
    match (types::kind_of(coro), error) {
        (Kind::Coroutine | Kind::Generator, None) => th.resume(coro, Input::Send(Value::NONE)),
        (Kind::Coroutine | Kind::Generator, Some(error)) => coroutine::throw(th, coro, error, true),
        (_, None) => {
            let sent = th.call_method(coro, "send", &[Value::NONE]);
            yielded(th, sent)
        }
        (_, Some(error)) => {
            let sent = th.call_method(coro, "throw", &[error]);
            yielded(th, sent)
        }
    }
}

/// What an object that is no coroutine of ours did.
fn yielded(th: &mut Thread, sent: R) -> R<Outcome> {
    match sent {
        Ok(v) => Ok(Outcome::Yielded(v)),
        Err(raised) => match coroutine::stop_value(th) {
            Some(result) => Ok(suspend::outcome(Err(result))),
            None => Err(raised),
        },
    }
}

/// The coroutine has returned.
fn finish(th: &mut Thread, task: &'static Wide, value: Value) -> R<()> {
    if take_must_cancel(task) {
        futures::cancel_plainly(th, task, None, None)?;
    } else {
        futures::set_result(th, task, value)?;
    }
    event_loop::unregister(th, task);
    Ok(())
}

/// The coroutine has raised what is pending.
fn fail(th: &mut Thread, task: &'static Wide) -> R<()> {
    let error = th.take_exception();
    event_loop::unregister(th, task);
    if future::is_cancellation(error) {
        return futures::cancel_plainly(th, task, None, Some(error)).map(drop);
    }
    futures::set_exception(th, task, error)?;
    let is = |exc: Exc| class::is_subclass(types::class_of(error), types::exc_class(exc));
    if is(Exc::KeyboardInterrupt) || is(Exc::SystemExit) {
        return Err(th.raise_value(error));
    }
    Ok(())
}

/// The coroutine waits for what it handed up.
fn wait_for(th: &mut Thread, task: &'static Wide, what: Value) -> R<()> {
    if what.is_none() {
        let event_loop = future::event_loop(task).unwrap_or(Value::NONE);
        return ready::wake(th, event_loop, wide::value(task));
    }
    let Some(waited) = future::of(what) else { return wait_for_other(th, task, what) };
    if future::event_loop(waited) != future::event_loop(task) {
        let (own, other) = (shown(th, wide::value(task))?, shown(th, what)?);
        return go_on_with(th, task, format!("Task {own} got Future {other} attached to a different loop"));
    }
    if wide::clear(waited, BLOCKING) & BLOCKING == 0 {
        let (own, other) = (shown(th, wide::value(task))?, shown(th, what)?);
        return go_on_with(
            th,
            task,
            format!("yield was used instead of yield from in task {own} with {other}"),
        );
    }
    if what == wide::value(task) {
        let own = shown(th, what)?;
        return go_on_with(th, task, format!("Task cannot await on itself: {own}"));
    }
    slot(task, WAITER).set(what);
    if future::is_done(waited) {
        let event_loop = future::event_loop(task).unwrap_or(Value::NONE);
        ready::wake(th, event_loop, wide::value(task))?;
    } else {
        futures::add_entry(&mut th.m, waited, wide::value(task))?;
    }
    if wide::has(task, MUST_CANCEL) && cancel_waiter(th, what, slot(task, MESSAGE).get())? {
        wide::clear(task, MUST_CANCEL);
    }
    Ok(())
}

fn shown(th: &mut Thread, v: Value) -> R<&'static str> {
    th.repr(v).map(|text| str::as_str(text).unwrap_or(""))
}

/// What was handed up is no future of ours.
#[cold]
fn wait_for_other(th: &mut Thread, task: &'static Wide, what: Value) -> R<()> {
    let name = th.name("_asyncio_future_blocking")?;
    let blocking = th.get_attr_opt(what, name)?.filter(|v| !v.is_none());
    if let Some(blocking) = blocking {
        if !th.is_true(blocking)? {
            let (own, other) = (shown(th, wide::value(task))?, shown(th, what)?);
            let message = format!("yield was used instead of yield from in task {own} with {other}");
            return go_on_with(th, task, message);
        }
        th.set_attr(what, name, Value::FALSE)?;
        let wakeup = th.name("task_wakeup")?;
        let wakeup = th.get_attr(wide::value(task), wakeup)?;
        let context = th.name("context")?;
        let add = th.name("add_done_callback")?;
        let add = th.get_attr(what, add)?;
        th.call_kw(add, &[wakeup], &[(context, slot(task, CONTEXT).value())])?;
        slot(task, WAITER).set(what);
        if wide::has(task, MUST_CANCEL) && cancel_waiter(th, what, slot(task, MESSAGE).get())? {
            wide::clear(task, MUST_CANCEL);
        }
        return Ok(());
    }
    let (own, other) = (shown(th, wide::value(task))?, shown(th, what)?);
    let message = match types::kind_of(what) {
        Kind::Generator => {
            format!("yield was used instead of yield from for generator in task {own} with {other}")
        }
        _ => format!("Task got bad yield: {other}"),
    };
    go_on_with(th, task, message)
}

/// The next step raises a RuntimeError in the coroutine.
#[cold]
fn go_on_with(th: &mut Thread, task: &'static Wide, message: String) -> R<()> {
    th.raise(Exc::RuntimeError, message);
    let error = th.take_exception();
    let event_loop = future::event_loop(task).unwrap_or(Value::NONE);
    let failed = futures::new(&mut th.m, event_loop)?;
    future::finish(failed, future::FINISHED | FAILED, Some(error));
    slot(task, WAITER).set(wide::value(failed));
    ready::wake(th, event_loop, wide::value(task))
}

/// Cancels what a task waits for. False: it is done.
fn cancel_waiter(th: &mut Thread, waiter: Value, message: Word) -> R<bool> {
    match wide::of(waiter) {
        Some((f, future::FUTURE)) if types::class_of(waiter) == plain_future_class() => {
            future::mark_seen(f);
            return futures::cancel_plainly(th, f, message, None);
        }
        Some((inner, TASK)) if types::class_of(waiter) == task_class() => {
            return th.nested("", |th| cancel(th, inner, message));
        }
        _ => {}
    }
    let method = th.name("cancel")?;
    let method = th.get_attr(waiter, method)?;
    let msg = th.name("msg")?;
    let answer = th.call_kw(method, &[], &[(msg, message.unwrap_or(Value::NONE))])?;
    th.is_true(answer)
}

fn plain_future_class() -> Value {
    type_tables::class_of(&FUTURE_TYPE).unwrap_or(Value::NONE)
}

/// Asks a task to end. False: it has.
pub fn cancel(th: &mut Thread, task: &'static Wide, message: Word) -> R<bool> {
    future::mark_seen(task);
    if future::is_done(task) {
        return Ok(false);
    }
    if future::cancels(task) < future::MOST_CANCELS {
        task.bits.fetch_add(1 << CANCELS, Ordering::AcqRel);
    }
    if let Some(waiter) = slot(task, WAITER).get()
        && cancel_waiter(th, waiter, message)?
    {
        return Ok(true);
    }
    wide::set(task, MUST_CANCEL);
    slot(task, MESSAGE).set(message.unwrap_or(Value::NONE));
    Ok(true)
}

fn cancel_method(th: &mut Thread, args: Args) -> R {
    let task = this(th, args)?;
    cancel(th, task, args.opt_not_none(1)).map(Value::bool)
}

fn cancelling(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|task| Value::int_unchecked(i64::from(future::cancels(task))))
}

fn uncancel(th: &mut Thread, args: Args) -> R {
    let task = this(th, args)?;
    if future::cancels(task) > 0 {
        task.bits.fetch_sub(1 << CANCELS, Ordering::AcqRel);
    }
    Ok(Value::int_unchecked(i64::from(future::cancels(task))))
}

fn get_coro(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|task| slot(task, CORO).value())
}

fn get_name(th: &mut Thread, args: Args) -> R {
    let task = this(th, args)?;
    let name = slot(task, NAME).value();
    match int::as_i64(name) {
        Some(n) => {
            let text = th.new_str(&format!("Task-{n}"))?;
            slot(task, NAME).set(text);
            Ok(text)
        }
        None => Ok(name),
    }
}

fn set_name(th: &mut Thread, args: Args) -> R {
    let task = this(th, args)?;
    let name = th.str(args.get(1))?;
    slot(task, NAME).set(name);
    Ok(Value::NONE)
}

fn refuse(th: &mut Thread, what: &str) -> Raised {
    th.raise(Exc::RuntimeError, format!("Task does not support {what} operation"))
}

fn set_result(th: &mut Thread, _: Args) -> R {
    Err(refuse(th, "set_result"))
}

fn set_exception(th: &mut Thread, _: Args) -> R {
    Err(refuse(th, "set_exception"))
}

pub fn logs_destruction(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|task| Value::bool(!wide::has(task, QUIET)))
}

pub fn set_logs_destruction(th: &mut Thread, args: Args) -> R {
    let task = this(th, args)?;
    let on = th.is_true(args.get(1))?;
    if on {
        wide::clear(task, QUIET)
    } else {
        wide::set(task, QUIET)
    };
    Ok(Value::NONE)
}

fn waiter(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|task| slot(task, WAITER).value())
}

fn must_cancel(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|task| Value::bool(wide::has(task, MUST_CANCEL)))
}

/// For loops and futures that are not ours.
fn step_method(th: &mut Thread, args: Args) -> R {
    let task = this(th, args)?;
    step(th, task).map(|()| Value::NONE)
}

fn repr(th: &mut Thread, args: Args) -> R {
    this(th, args)?;
    let helper = crate::vm::import::import_dotted(th, "asyncio.base_tasks")?;
    th.call_method(helper, "_task_repr", &[args.get(0)])
}

fn get_stack(th: &mut Thread, args: Args) -> R {
    this(th, args)?;
    let helper = crate::vm::import::import_dotted(th, "asyncio.base_tasks")?;
    th.call_method(helper, "_task_get_stack", &[args.get(0), args.opt(1).unwrap_or(Value::NONE)])
}

fn print_stack(th: &mut Thread, args: Args) -> R {
    this(th, args)?;
    let helper = crate::vm::import::import_dotted(th, "asyncio.base_tasks")?;
    let file = args.opt(2).unwrap_or(Value::NONE);
    th.call_method(helper, "_task_print_stack", &[args.get(0), args.opt(1).unwrap_or(Value::NONE), file])
}

pub static TASK_TYPE: TypeDef = TypeDef {
    name: "Task",
    kind: Kind::Host,
    doc: "A coroutine that a loop runs.",
    construct: Some(NativeDef::full("Task", "cls, /, *args, **kwargs", construct, "")),
    methods: &[
        NativeDef::full("__init__", "self, coro, *, loop=, name=, context=", init, "Say what it runs."),
        NativeDef::full("cancel", "self, /, msg=", cancel_method, "Raise CancelledError in the coroutine."),
        NativeDef::full("cancelling", "self, /", cancelling, "How many requests to cancel it there are."),
        NativeDef::full("uncancel", "self, /", uncancel, "Take one of them back."),
        NativeDef::full("get_coro", "self, /", get_coro, "The coroutine."),
        NativeDef::full("get_name", "self, /", get_name, "The name."),
        NativeDef::full("set_name", "self, value, /", set_name, "Give it another name."),
        NativeDef::full("set_result", "self, result, /", set_result, "Refused."),
        NativeDef::full("set_exception", "self, exception, /", set_exception, "Refused."),
        NativeDef::full("get_stack", "self, /, *, limit=", get_stack, "The frames where it stands."),
        NativeDef::full("print_stack", "self, /, *, limit=, file=", print_stack, "Show where it waits."),
        NativeDef::full("_step", "self, /", step_method, "Go on."),
        NativeDef::full("task_wakeup", "self, future, /", step_method, "Go on: what it waited for is done."),
        NativeDef::full("__repr__", "self, /", repr, "Show its state."),
    ],
    properties: &[
        NativeDef::full("_coro", "self", get_coro, "The coroutine."),
        NativeDef::full("_fut_waiter", "self", waiter, "What it waits for."),
        NativeDef::full("_must_cancel", "self", must_cancel, "Whether its next step is to be cancelled."),
    ],
    subclassable: true,
    ..TypeDef::BARE
};
