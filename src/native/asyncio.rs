//! Module `_asyncio`: the tables, which loop runs in this thread, which task runs in a loop. Must not know how.

use super::asyncio_future::{self as futures, FUTURE_TYPE, SETTABLE};
use super::asyncio_gather::{self as gathering, GATHERING_TYPE};
use super::asyncio_io as io;
use super::asyncio_loop as event_loop;
use super::asyncio_ready::{HANDLE_TYPE, TIMER_TYPE};
use super::asyncio_task::{self as tasks, TASK_TYPE};
use super::asyncio_transport::TRANSPORT_TYPE;
use super::asyncio_unseen::RECORD_TYPE;
use super::support;
use crate::object::{Exc, Kind, R, Value, class, func, future, types};
use crate::vm::attr::set_in_namespace;
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::{boot, type_tables};

fn running(th: &mut Thread, _: Args) -> R {
    Ok(th.running_loop.unwrap_or(Value::NONE))
}

fn get_running(th: &mut Thread, _: Args) -> R {
    match th.running_loop {
        Some(running) => Ok(running),
        None => Err(th.raise(Exc::RuntimeError, "no running event loop")),
    }
}

fn set_running(th: &mut Thread, args: Args) -> R {
    th.running_loop = args.opt_not_none(0);
    Ok(Value::NONE)
}

fn current_task(th: &mut Thread, args: Args) -> R {
    let of = match args.opt_not_none(0) {
        Some(given) => given,
        None => get_running(th, args)?,
    };
    Ok(event_loop::current_task(of).unwrap_or(Value::NONE))
}

fn all_tasks(th: &mut Thread, args: Args) -> R {
    event_loop::all_tasks(th, args.get(0))
}

fn enter_task(th: &mut Thread, args: Args) -> R {
    event_loop::enter_task(th, args.get(0), args.get(1)).map(|()| Value::NONE)
}

fn leave_task(th: &mut Thread, args: Args) -> R {
    let current = event_loop::current_task(args.get(0));
    if current != Some(args.get(1)) {
        let own = th.repr(args.get(1))?;
        let other = th.repr(current.unwrap_or(Value::NONE))?;
        let text = |v| crate::object::str::as_str(v).unwrap_or("");
        let message = format!("Leaving task {} does not match the current task {}.", text(own), text(other));
        return Err(th.raise(Exc::RuntimeError, message));
    }
    event_loop::leave_task(args.get(0), args.get(1));
    Ok(Value::NONE)
}

fn register_task(th: &mut Thread, args: Args) -> R {
    if let Some(task) = future::task_of(args.get(0)) {
        event_loop::register(th, task)?;
    }
    Ok(Value::NONE)
}

fn unregister_task(th: &mut Thread, args: Args) -> R {
    if let Some(task) = future::task_of(args.get(0)) {
        event_loop::unregister(th, task);
    }
    Ok(Value::NONE)
}

const CALL: &str = "self, callback, /, *args, context=";

pub static LOOP_TYPE: TypeDef = TypeDef {
    name: "Loop",
    kind: Kind::Host,
    doc: "The part of an event loop that is Rust.",
    construct: Some(NativeDef::full("Loop", "cls, /, *args, **kwargs", event_loop::construct, "")),
    methods: &[
        NativeDef::full("call_soon", CALL, event_loop::call_soon, "Call it at the next turn."),
        NativeDef::full(
            "call_soon_threadsafe",
            CALL,
            event_loop::call_soon_threadsafe,
            "As call_soon(), from any thread.",
        ),
        NativeDef::full(
            "call_later",
            "self, delay, callback, /, *args, context=",
            event_loop::call_later,
            "Call it after so many seconds.",
        ),
        NativeDef::full(
            "call_at",
            "self, when, callback, /, *args, context=",
            event_loop::call_at,
            "Call it at a time of the loop's clock.",
        ),
        NativeDef::full("time", "self, /", event_loop::time, "The loop's clock."),
        NativeDef::full("create_future", "self, /", event_loop::create_future, "A new future."),
        NativeDef::full(
            "create_task",
            "self, coro, *, name=, context=",
            event_loop::create_task,
            "Run a coroutine.",
        ),
        NativeDef::full(
            "set_task_factory",
            "self, factory, /",
            event_loop::set_task_factory,
            "Who makes tasks.",
        ),
        NativeDef::full("get_task_factory", "self, /", event_loop::get_task_factory, "Who makes tasks."),
        NativeDef::full("stop", "self, /", event_loop::stop, "End run_forever() after this turn."),
        NativeDef::full("is_running", "self, /", event_loop::is_running, "Whether it runs."),
        NativeDef::full("is_closed", "self, /", event_loop::is_closed, "Whether it is closed."),
        NativeDef::full("_check_closed", "self, /", event_loop::check_closed, "Raise if it is closed."),
        NativeDef::full("get_debug", "self, /", event_loop::get_debug, "Whether debug mode is on."),
        NativeDef::full("set_debug", "self, enabled, /", event_loop::set_debug, "Turn debug mode on or off."),
        NativeDef::full("_close", "self, /", event_loop::close, "Forget everything."),
        NativeDef::full("_run", "self, /", event_loop::run, "Turns until somebody says stop."),
        NativeDef::full("_run_once", "self, /", event_loop::run_once, "One turn."),
        NativeDef::full(
            "add_reader",
            "self, fd, callback, /, *args",
            io::add_reader,
            "Call it when readable.",
        ),
        NativeDef::full(
            "add_writer",
            "self, fd, callback, /, *args",
            io::add_writer,
            "Call it when writable.",
        ),
        NativeDef::full("remove_reader", "self, fd, /", io::remove_reader, "Undo add_reader()."),
        NativeDef::full("remove_writer", "self, fd, /", io::remove_writer, "Undo add_writer()."),
    ],
    subclassable: true,
    ..TypeDef::BARE
};

/// How long a callback may take in debug mode.
static SLOW: (NativeDef, NativeDef) = (
    NativeDef::full("slow_callback_duration", "self", event_loop::slow_duration, "What is too slow."),
    NativeDef::full("slow_callback_duration", "self, value", event_loop::set_slow_duration, ""),
);

/// Whether a task that its loop leaves behind is worth a message.
static LOGS_DESTRUCTION: (NativeDef, NativeDef) = (
    NativeDef::full("_log_destroy_pending", "self", tasks::logs_destruction, "Told if it never ends."),
    NativeDef::full("_log_destroy_pending", "self, value", tasks::set_logs_destruction, ""),
);

fn add_settable(th: &mut Thread, class: Value, defs: &'static (NativeDef, NativeDef)) -> R<()> {
    let (get, set) = (boot::native(th, &defs.0, None)?, boot::native(th, &defs.1, None)?);
    let doc = th.new_str(defs.0.doc)?;
    let property = func::new_property(&mut th.m, Some(get), Some(set), None, Some(doc))?;
    let name = th.m.intern(defs.0.name)?;
    let namespace = class::cast(class).and_then(|c| c.dict.get());
    set_in_namespace(&mut th.m, namespace, name, property)
}

fn init(th: &mut Thread, module: Value) -> R<()> {
    let error = |th: &mut Thread, name, base: Exc| {
        support::derive_class(th, "asyncio.exceptions", name, &[types::exc_class(base)], Kind::Exception)
    };
    let cancelled = error(th, "CancelledError", Exc::BaseException)?;
    let invalid = error(th, "InvalidStateError", Exc::Exception)?;
    support::set(th, module, "CancelledError", cancelled)?;
    support::set(th, module, "InvalidStateError", invalid)?;
    future::set_errors(cancelled, invalid);
    let base = type_tables::class_of(&FUTURE_TYPE).unwrap_or(Value::NONE);
    for defs in &SETTABLE {
        add_settable(th, base, defs)?;
    }
    let task = boot::make_type_under(th, &TASK_TYPE, "_asyncio", base)?;
    boot::set_global(th, module, "Task", task)?;
    add_settable(th, task, &LOGS_DESTRUCTION)?;
    let handle = boot::make_type(th, &HANDLE_TYPE, "asyncio.events")?;
    boot::set_global(th, module, "Handle", handle)?;
    let timer = boot::make_type_under(th, &TIMER_TYPE, "asyncio.events", handle)?;
    boot::set_global(th, module, "TimerHandle", timer)?;
    let class = type_tables::class_of(&LOOP_TYPE).unwrap_or(Value::NONE);
    add_settable(th, class, &SLOW)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_asyncio",
    doc: "The Rust half of asyncio.",
    functions: &[
        NativeDef::full("_get_running_loop", "", running, "The loop that runs in this thread, or None."),
        NativeDef::full("get_running_loop", "", get_running, "The loop that runs in this thread."),
        NativeDef::full("_set_running_loop", "loop, /", set_running, "Say which loop runs in this thread."),
        NativeDef::full("current_task", "loop=", current_task, "The task that a loop runs now."),
        NativeDef::full("_all_tasks", "loop, /", all_tasks, "The tasks that are not done."),
        NativeDef::full("_enter_task", "loop, task", enter_task, "A task runs from now on."),
        NativeDef::full("_leave_task", "loop, task", leave_task, "It does not any more."),
        NativeDef::full("_register_task", "task", register_task, "A loop has one more task."),
        NativeDef::full("_unregister_task", "task", unregister_task, "It is done."),
        NativeDef::full("_sleep", "delay, result, /", event_loop::sleep, "A future with a time."),
        NativeDef::full("_gather", "futures, return_exceptions, /", gathering::gather, "Wait for all."),
        NativeDef::full(
            "_set_result_unless_cancelled",
            "future, result, /",
            futures::set_result_unless_cancelled,
            "Give a future its result, unless it was cancelled meanwhile.",
        ),
    ],
    types: &[&FUTURE_TYPE, &LOOP_TYPE, &TRANSPORT_TYPE, &RECORD_TYPE, &GATHERING_TYPE],
    init: Some(init),
};
