//! Module `_thread`: starting threads, handles to join them, locks, and who is running.
//! Must not know `threading`, which is written in Mini on top.

use super::os_process;
use super::support::{self, number, set, this};
use super::thread_local;
use super::thread_lock::{LOCK, RLOCK, allocate_lock, waiter_lock};
use crate::gil::signal;
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Slot, Value, dict, func, str, tuple, types};
use crate::rt::handle::Handle;
use crate::rt::spawn::{self, Hooks};
use crate::rt::wait;
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use std::sync::Arc;
use std::time::Instant;

static HANDLE_CLASS: Slot = Slot::empty();

/// What a handle object owns.
struct Joinable(Arc<Handle>);

/// Threads whose stack would be smaller cannot run anything.
const SMALLEST_STACK: i64 = 32 << 10;

fn is_callable(th: &mut Thread, v: Value) -> bool {
    matches!(types::kind_of(v), Kind::Function | Kind::Native | Kind::BoundMethod | Kind::Class)
        || th.lookup_special(v, "__call__").is_some()
}

fn start_new_thread(th: &mut Thread, args: Args) -> R {
    let (function, tuple) = (args.get(0), args.get(1));
    if !is_callable(th, function) {
        return Err(th.type_error("first arg must be callable"));
    }
    if tuple::of(tuple).is_none() {
        return Err(th.type_error("2nd arg must be a tuple"));
    }
    let kwargs = args.opt(2).unwrap_or(Value::NONE);
    if args.opt(2).is_some() && dict::of(kwargs).is_none() {
        return Err(th.type_error("optional 3rd arg must be a dictionary"));
    }
    let call = spawn::Call { function, args: tuple, kwargs };
    let handle = spawn::start(th, "", call, HOOKS)?;
    th.new_int(handle.ident() as i64)
}

fn start_joinable_thread(th: &mut Thread, args: Args) -> R {
    let function = args.get(0);
    if !is_callable(th, function) {
        return Err(th.type_error("thread function must be callable"));
    }
    let name = args.opt(3).and_then(str::as_str).unwrap_or("").to_owned();
    let nothing = th.new_tuple(&[])?;
    let call = spawn::Call { function, args: nothing, kwargs: Value::NONE };
    let handle = spawn::start(th, &name, call, HOOKS)?;
    func::new_host(th, HANDLE_CLASS.value(), Box::new(Joinable(handle)))
}

/// An exception left a thread that was started here (`threading` catches its own). SystemExit is silent.
const HOOKS: Hooks = Hooks { uncaught, end_of_process: os_process::end_of_child };

fn uncaught(th: &mut Thread, function: Value) {
    if th.pending_is(Exc::SystemExit) {
        th.take_exception();
        return;
    }
    let said = super::print::ignored(th, "thread started by", function);
    super::print::to_stderr(th, &said);
}

fn join(th: &mut Thread, args: Args) -> R {
    let handle = this::<Joinable>(th, args, "_ThreadHandle")?;
    let until = match args.opt_not_none(1) {
        None => None,
        Some(timeout) => timeout_arg(th, timeout)?,
    };
    if handle.0.ident() == th.m.member.id() {
        return Err(th.raise(Exc::RuntimeError, "Cannot join current thread"));
    }
    handle.0.join(th, until).map(Value::bool)
}

/// A timeout in seconds as a moment; negative: for ever.
fn timeout_arg(th: &mut Thread, v: Value) -> R<Option<Instant>> {
    let seconds = number(th, v, "'{}' object cannot be interpreted as an integer or float")?;
    if seconds > wait::TIMEOUT_MAX {
        return Err(th.raise(Exc::OverflowError, "timeout value is too large"));
    }
    Ok(if seconds < 0.0 { None } else { wait::deadline(seconds) })
}

/// In a forked child: the thread behind the handle is not there.
fn forget(m: &mut Mutator, args: Args) -> R {
    this::<Joinable>(m, args, "_ThreadHandle")?.0.finish();
    Ok(Value::NONE)
}

fn is_done(m: &mut Mutator, args: Args) -> R {
    this::<Joinable>(m, args, "_ThreadHandle").map(|h| Value::bool(h.0.is_done()))
}

fn handle_ident(m: &mut Mutator, args: Args) -> R {
    let handle = this::<Joinable>(m, args, "_ThreadHandle")?;
    m.new_int(handle.0.ident() as i64)
}

fn get_ident(m: &mut Mutator, _: Args) -> R {
    m.new_int(m.member.id() as i64)
}

fn get_native_id(m: &mut Mutator, _: Args) -> R {
    m.new_int(m.member.os_id() as i64)
}

fn stack_size(th: &mut Thread, args: Args) -> R {
    let Some(size) = args.opt(0) else { return th.new_int(spawn::stack_size() as i64) };
    let size = support::int_arg(th, size)?;
    if size < 0 {
        return Err(th.value_error("size must be 0 or a positive value"));
    }
    if size != 0 && size < SMALLEST_STACK {
        return Err(th.value_error(format!("size not valid: {size} bytes")));
    }
    let before = spawn::set_stack_size(size as usize);
    th.new_int(before as i64)
}

fn interrupt_main(th: &mut Thread, args: Args) -> R {
    let signum = match args.opt(0) {
        Some(v) => support::c_int(th, v)?,
        None => libc::SIGINT,
    };
    if !(1..=64).contains(&signum) {
        return Err(th.value_error("signal number out of range"));
    }
    signal::simulate(signum);
    Ok(Value::NONE)
}

fn count(m: &mut Mutator, _: Args) -> R {
    m.new_int(spawn::running() as i64)
}

fn exit(m: &mut Mutator, _: Args) -> R {
    Err(m.raise_with(Exc::SystemExit, &[]))
}

static HANDLE: TypeDef = TypeDef {
    name: "_ThreadHandle",
    kind: Kind::Host,
    doc: "A thread that was started, for those who wait for it.",
    construct: None,
    methods: &[
        NativeDef::full(
            "join",
            "self, timeout=, /",
            join,
            "Wait for the end; False if the time was over first.",
        ),
        NativeDef::data("is_done", "self, /", is_done, "Whether the thread has ended."),
        NativeDef::data("_forget", "self, /", forget, "Say that the thread is gone, in a forked child."),
    ],
    class_methods: &[],
    properties: &[NativeDef::data("ident", "self", handle_ident, "What get_ident() returns in the thread.")],
    subclassable: false,
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_thread",
    doc: "Threads and locks, as the interpreter has them.",
    functions: &[
        NativeDef::full(
            "start_new_thread",
            "function, args, kwargs=, /",
            start_new_thread,
            "Start a thread that calls a function; return its ident.",
        ),
        NativeDef::full(
            "start_new",
            "function, args, kwargs=, /",
            start_new_thread,
            "As start_new_thread().",
        ),
        NativeDef::full(
            "start_joinable_thread",
            "function, handle=, daemon=, name=",
            start_joinable_thread,
            "Start a thread that calls a function without arguments; return a handle.",
        ),
        NativeDef::data("allocate_lock", "", allocate_lock, "Return a new lock."),
        NativeDef::data("allocate", "", allocate_lock, "As allocate_lock()."),
        NativeDef::data("_waiter_lock", "", waiter_lock, "A locked lock that nobody holds, to sleep on."),
        NativeDef::data("get_ident", "", get_ident, "The number of the running thread."),
        NativeDef::data("get_native_id", "", get_native_id, "The system's number of the running thread."),
        NativeDef::full("stack_size", "size=, /", stack_size, "The stack size of threads to come; set it."),
        NativeDef::full(
            "interrupt_main",
            "signum=, /",
            interrupt_main,
            "Make a signal (Ctrl-C by default) arrive in the main thread.",
        ),
        NativeDef::data("_count", "", count, "How many threads were started and have not ended."),
        NativeDef::data("exit", "", exit, "Raise SystemExit: ends the thread silently."),
        NativeDef::data("exit_thread", "", exit, "As exit()."),
    ],
    types: &[&HANDLE, &LOCK, &RLOCK, &thread_local::LOCAL],
    init: Some(init),
};

fn init(th: &mut Thread, module: Value) -> R<()> {
    support::remember_class(th, module, "_ThreadHandle", &HANDLE_CLASS)?;
    super::thread_lock::init(th, module)?;
    thread_local::init(th, module)?;
    let longest = th.new_float(wait::TIMEOUT_MAX)?;
    set(th, module, "TIMEOUT_MAX", longest)?;
    set(th, module, "error", types::exc_class(Exc::RuntimeError))
}
