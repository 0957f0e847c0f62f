//! Processes for `_os`: making one, becoming another program, where it may run. Must not know how the child is mended.

use super::os_path::plain;
use super::oserror::{making, os_error};
use super::support::c_int;
use super::{gil_pick, io_stream, print, registry};
use crate::gil::signal;
use crate::object::{Exc, R, Value, dict, heap, int, list, str, tuple, types};
use crate::rt::fork::{self, Forked, Refused};
use crate::rt::processor::Processors;
use crate::rt::{control, pipes, syscall};
use crate::vm::link;
use crate::vm::native::{Args, NativeDef};
use crate::vm::ops::iterate;
use crate::vm::thread::Thread;
use std::ffi::{CStr, CString};

pub const FORK: NativeDef =
    NativeDef::full("fork", "raw=", fork, "Make a child process: 0 in it, its number here.");
pub const PREPARE: NativeDef = NativeDef::full(
    "prepare",
    "function, /",
    prepare,
    "Have a function's code read before its first call: once here, and not in every child.",
);
pub const EXECV: NativeDef = NativeDef::full("execv", "path, argv, /", execv, "Become another program.");
pub const EXECVE: NativeDef =
    NativeDef::full("execve", "path, argv, env", execve, "Become another program, with this environment.");
pub const GETPGID: NativeDef = NativeDef::full("getpgid", "pid, /", getpgid, "The group of a process.");
pub const GETPGRP: NativeDef = NativeDef::full("getpgrp", "", getpgid, "The group of this process.");
pub const SETPGID: NativeDef =
    NativeDef::full("setpgid", "pid, pgrp, /", setpgid, "Put a process into a group.");
pub const GETSID: NativeDef = NativeDef::full("getsid", "pid, /", getsid, "The session of a process.");
pub const SETSID: NativeDef = NativeDef::full("setsid", "", setsid, "Begin a session.");
pub const KILLPG: NativeDef =
    NativeDef::full("killpg", "pgid, signal, /", killpg, "Send a signal to a group of processes.");
pub const PIDFD_OPEN: NativeDef = NativeDef::full(
    "pidfd_open",
    "pid, flags=",
    pidfd_open,
    "A descriptor that can be read once a process has ended.",
);
pub const SCHED_GETAFFINITY: NativeDef =
    NativeDef::full("sched_getaffinity", "pid, /", sched_getaffinity, "The processors it may use.");
pub const SCHED_SETAFFINITY: NativeDef = NativeDef::full(
    "sched_setaffinity",
    "pid, mask, /",
    sched_setaffinity,
    "Choose the processors it may use.",
);
pub const NICE: NativeDef =
    NativeDef::full("nice", "increment, /", nice, "Let others go first more, or less.");
pub const GETLOADAVG: NativeDef =
    NativeDef::full("getloadavg", "", getloadavg, "How busy the machine has been.");

/// `fork(raw=False)`: with `raw`, whatever locks other threads hold.
fn fork(th: &mut Thread, args: Args) -> R {
    let raw = args.opt(0).is_some_and(|v| v == Value::TRUE);
    let mode = if raw { fork::Mode::Raw } else { fork::mode().1 };
    io_stream::flush_before_fork(th);
    if heap::is_worth_collecting_before_fork() {
        super::gc::collect_all(th)?;
    }
    match fork::fork(th, mode) {
        Ok(Forked::Child) => {
            io_stream::after_fork_child();
            gil_pick::after_fork_child(th);
            Ok(Value::int_unchecked(0))
        }
        Ok(Forked::Parent(child)) => Ok(Value::int_unchecked(i64::from(child))),
        Err(Refused::System(errno)) => Err(os_error(th, errno, None)),
        Err(Refused::Held(locks)) => {
            let locks = locks.join("; ");
            let message = format!("cannot fork: in the child nobody would ever release {locks}");
            Err(th.raise(Exc::RuntimeError, message))
        }
        Err(Refused::Raised(raised)) => Err(raised),
    }
}

/// `prepare(function)`: anything but a function of Mini code needs no preparation.
fn prepare(th: &mut Thread, args: Args) -> R {
    link::prepare(th, args.get(0))?;
    Ok(Value::NONE)
}

/// What a thread does that was the only one of a forked child and has come to its end: the process ends with it.
pub fn end_of_child(th: &mut Thread) -> ! {
    let ended = registry::finish(th).is_ok();
    if !ended {
        let exception = th.take_exception();
        registry::report_uncaught(th, exception);
    }
    let code = registry::flush_standard_streams(th, i32::from(!ended));
    crate::rt::exit::end_now(code)
}

fn execv(th: &mut Thread, args: Args) -> R {
    let program = plain(th, args.get(0), "execv")?.path;
    let argv = arguments(th, args.get(1), "execv() arg 2")?;
    exec(th, &program, &argv, None)
}

fn execve(th: &mut Thread, args: Args) -> R {
    let program = plain(th, args.get(0), "execve")?.path;
    let argv = arguments(th, args.get(1), "execve: argv")?;
    let env = environment(th, args.get(2))?;
    exec(th, &program, &argv, Some(&env))
}

fn exec(th: &mut Thread, program: &CStr, argv: &[CString], env: Option<&[CString]>) -> R {
    // The other program begins with this thread's mask; it comes back only with an error.
    let errno = signal::with_mask_of(th.m.member, || syscall::exec(program, argv, env));
    Err(os_error(th, errno, None))
}

fn arguments(th: &mut Thread, v: Value, what: &str) -> R<Vec<CString>> {
    if list::of(v).is_none() && tuple::of(v).is_none() {
        return Err(th.type_error(format!("{what} must be a tuple or list")));
    }
    let items = iterate::values_of(v);
    if items.is_empty() {
        return Err(th.value_error(format!("{what} must not be empty")));
    }
    let texts =
        items.into_iter().map(|item| plain(th, item, "exec").map(|p| p.path)).collect::<R<Vec<_>>>()?;
    if texts.first().is_some_and(|first| first.is_empty()) {
        return Err(th.value_error(format!("{what} first element cannot be empty")));
    }
    Ok(texts)
}

fn environment(th: &mut Thread, v: Value) -> R<Vec<CString>> {
    if dict::of(v).is_none() {
        return Err(th.type_error("execve: environment must be a mapping object"));
    }
    let mut all = Vec::new();
    for (key, value) in dict::entries(v) {
        let (Some(key), Some(value)) = (str::as_str(key), str::as_str(value)) else {
            return Err(th.type_error("env key and value must be str"));
        };
        match CString::new(format!("{key}={value}")) {
            Ok(text) if !key.is_empty() && !key.contains('=') => all.push(text),
            Ok(_) => return Err(th.value_error("illegal environment variable name")),
            Err(_) => return Err(th.value_error("embedded null byte")),
        }
    }
    Ok(all)
}

fn getpgid(th: &mut Thread, args: Args) -> R {
    let pid = args.opt(0).map_or(Ok(0), |v| c_int(th, v))?;
    let group = syscall::getpgid(pid).map_err(|errno| os_error(th, errno, None))?;
    th.new_int(group)
}

fn setpgid(th: &mut Thread, args: Args) -> R {
    let (pid, group) = (c_int(th, args.get(0))?, c_int(th, args.get(1))?);
    syscall::setpgid(pid, group).map_err(|errno| os_error(th, errno, None))?;
    Ok(Value::NONE)
}

fn getsid(th: &mut Thread, args: Args) -> R {
    let pid = c_int(th, args.get(0))?;
    let session = syscall::getsid(pid).map_err(|errno| os_error(th, errno, None))?;
    th.new_int(session)
}

fn setsid(th: &mut Thread, _: Args) -> R {
    syscall::setsid().map_err(|errno| os_error(th, errno, None))?;
    Ok(Value::NONE)
}

fn killpg(th: &mut Thread, args: Args) -> R {
    let (group, signal) = (c_int(th, args.get(0))?, c_int(th, args.get(1))?);
    syscall::killpg(group, signal).map_err(|errno| os_error(th, errno, None))?;
    th.check_signals()?;
    Ok(Value::NONE)
}

fn pidfd_open(th: &mut Thread, args: Args) -> R {
    let pid = c_int(th, args.get(0))?;
    let fd = making(th, || pipes::process(pid))?;
    th.new_int(i64::from(fd))
}

fn sched_getaffinity(th: &mut Thread, args: Args) -> R {
    let pid = c_int(th, args.get(0))?;
    let processors = Processors::of(pid).map_err(|errno| os_error(th, errno, None))?;
    let set = th.m.new_set()?;
    th.root(set);
    for number in processors.numbers() {
        th.set_add(set, Value::int_unchecked(number))?;
    }
    Ok(set)
}

fn sched_setaffinity(th: &mut Thread, args: Args) -> R {
    let pid = c_int(th, args.get(0))?;
    let mut numbers = Vec::new();
    let mut mask = th.iter(args.get(1))?;
    while let Some(v) = mask.next(th)? {
        if !int::is_int(v) {
            let class = print::shown(th, types::class_of(v));
            return Err(th.type_error(format!("expected an iterator of ints, but iterator yielded {class}")));
        }
        let number = c_int(th, v)?;
        if number < 0 {
            return Err(th.value_error("negative CPU number"));
        }
        numbers.push(i64::from(number));
    }
    let assigned = Processors::from_numbers(&numbers).ok_or(libc::EINVAL).and_then(|set| set.assign(pid));
    assigned.map_err(|errno| os_error(th, errno, None))?;
    Ok(Value::NONE)
}

fn nice(th: &mut Thread, args: Args) -> R {
    let by = c_int(th, args.get(0))?;
    let now = control::nice(by).map_err(|errno| os_error(th, errno, None))?;
    th.new_int(now)
}

fn getloadavg(th: &mut Thread, _: Args) -> R {
    let Some(loads) = control::load_average() else {
        return Err(th.raise(Exc::OSError, "Load averages are unobtainable"));
    };
    let items: R<Vec<Value>> = loads.into_iter().map(|load| th.new_float(load)).collect();
    th.new_tuple(&items?)
}
