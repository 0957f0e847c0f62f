//! Module `_posixsubprocess`: plans of programs to be started, and waiting for their end. Must not know `subprocess`,
//! which is written in Mini on top.

use super::io_stream;
use super::os_path::plain;
use super::oserror::os_error;
use super::socket_wait::poll_until;
use super::support::{c_int, number, this, type_name};
use crate::gil::Cause;
use crate::object::{Kind, R, Value, func, types};
use crate::rt::poll::PollFd;
use crate::rt::program::{self, Failure, Plan};
use crate::rt::{pipes, syscall, wait};
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::ops::iterate;
use crate::vm::thread::Thread;
use std::ffi::CString;

/// The strings of a list or tuple.
fn texts(th: &mut Thread, v: Value) -> R<Vec<CString>> {
    iterate::values_of(v).into_iter().map(|item| text(th, item)).collect()
}

fn text(th: &mut Thread, v: Value) -> R<CString> {
    let known = matches!(types::kind_of(v), Kind::Str | Kind::Bytes);
    if !known && th.lookup_special(v, "__fspath__").is_none() {
        let class = type_name(v);
        return Err(th.type_error(format!("expected str, bytes or os.PathLike object, not {class}")));
    }
    plain(th, v, "fork_exec").map(|arg| arg.path)
}

/// Numbers of a tuple.
fn numbers(th: &mut Thread, v: Value) -> R<Vec<i32>> {
    iterate::values_of(v).into_iter().map(|item| c_int(th, item)).collect()
}

/// The number of a user or a group, or none.
fn id(th: &mut Thread, v: Value) -> R<Option<u32>> {
    if v.is_none() {
        return Ok(None);
    }
    let n = th.index(v)?;
    match u32::try_from(n) {
        Ok(id) => Ok(Some(id)),
        Err(_) => Err(th.value_error("invalid user or group id")),
    }
}

/// `Plan(argv, programs, env, cwd, streams, close_fds, pass_fds, restore_signals, start_new_session, process_group,
/// umask, groups, gid, uid)`: None for what stays as it is.
fn new(th: &mut Thread, args: Args) -> R {
    let streams = numbers(th, args.get(5))?;
    let umask = c_int(th, args.get(11))?;
    let groups = match args.opt_not_none(12) {
        Some(v) => Some(numbers(th, v)?.into_iter().map(i32::cast_unsigned).collect()),
        None => None,
    };
    let plan = Plan {
        argv: texts(th, args.get(1))?,
        programs: texts(th, args.get(2))?,
        env: match args.opt_not_none(3) {
            Some(v) => texts(th, v)?,
            None => program::environment(),
        },
        cwd: args.opt_not_none(4).map(|v| text(th, v)).transpose()?,
        streams: std::array::from_fn(|at| streams.get(at).copied().unwrap_or(-1)),
        close: th.is_true(args.get(6))?,
        keep: numbers(th, args.get(7))?,
        restore_signals: th.is_true(args.get(8))?,
        session: th.is_true(args.get(9))?,
        process_group: c_int(th, args.get(10))?,
        umask: u32::try_from(umask).ok(),
        groups,
        gid: id(th, args.get(13))?,
        uid: id(th, args.get(14))?,
    };
    if plan.keep.iter().any(|fd| *fd < 0) {
        return Err(th.value_error("bad value(s) in fds_to_keep"));
    }
    func::new_host(&mut th.m, args.get(0), Box::new(plan))
}

fn plan(th: &mut Thread, args: Args) -> R<&'static Plan> {
    this::<Plan>(&mut th.m, args, "_posixsubprocess.Plan")
}

/// What a start came to: the process, the error, and whether the program was not even tried.
fn outcome(th: &mut Thread, pid: i32, failure: Failure) -> R {
    let number = |n: i32| Value::int_unchecked(i64::from(n));
    th.new_tuple(&[number(pid), number(failure.errno), Value::bool(failure.before)])
}

fn start(th: &mut Thread, args: Args) -> R {
    let plan = plan(th, args)?;
    io_stream::settle(th, args, None);
    let member = th.m.member;
    let started = th.detach(Cause::Blocking, || program::start(plan, member));
    match started {
        Ok(pid) => outcome(th, pid, Failure { errno: 0, before: false }),
        Err(failure) => outcome(th, -1, failure),
    }
}

fn prepare(th: &mut Thread, args: Args) -> R {
    let plan = plan(th, args)?;
    let errno = program::prepare(plan).err().unwrap_or(0);
    th.new_int(i64::from(errno))
}

fn become_program(th: &mut Thread, args: Args) -> R {
    let (plan, also) = (plan(th, args)?, c_int(th, args.get(1))?);
    let failure = program::become_program(plan, also, th.m.member);
    th.new_int(i64::from(failure.errno))
}

/// `ended(pid, timeout)`: waits until a child has ended or the time is over; whether it has. None: it cannot be told so.
fn ended(th: &mut Thread, args: Args) -> R {
    let pid = c_int(th, args.get(0))?;
    let seconds = number(th, args.get(1), "timeout must be a float, not '{}'")?;
    let until = wait::deadline(seconds);
    let fd = match pipes::process(pid) {
        Ok(fd) => fd,
        Err(libc::ESRCH) => return Ok(Value::TRUE),
        Err(_) => return Ok(Value::NONE),
    };
    let waited = poll_until(th, &mut [PollFd { fd, events: libc::POLLIN, revents: 0 }], until);
    let _ = syscall::close(fd);
    match waited? {
        Ok(ready) => Ok(Value::bool(ready > 0)),
        Err(errno) => Err(os_error(th, errno, None)),
    }
}

static PLAN: TypeDef = TypeDef {
    name: "Plan",
    doc: "A program to be started, and its surroundings.",
    construct: Some(NativeDef::full(
        "__new__",
        "cls, argv, programs, env, cwd, streams, close_fds, pass_fds, restore_signals, start_new_session, \
         process_group, umask, groups, gid, uid, /",
        new,
        "",
    )),
    methods: &[
        NativeDef::full("start", "self, /", start, "Start it: process, error, whether that came before it."),
        NativeDef::full(
            "prepare",
            "self, /",
            prepare,
            "In a forked child: make the surroundings; the error.",
        ),
        NativeDef::full("become", "self, also, /", become_program, "Become the program; the error."),
    ],
    ..TypeDef::BARE
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_posixsubprocess",
    doc: "Starting programs.",
    functions: &[NativeDef::full(
        "ended",
        "pid, timeout, /",
        ended,
        "Wait for a child's end; whether it came.",
    )],
    types: &[&PLAN],
    init: None,
};
