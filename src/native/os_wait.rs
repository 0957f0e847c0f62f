//! Waiting for children, for `_os`: which of them, what became of it, what it used. Must not know how they were made.

use super::oserror::run;
use super::resource;
use super::struct_seq;
use super::support::{c_int, set};
use crate::object::{R, Slot, Value};
use crate::rt::{fork, syscall};
use crate::vm::native::{Args, NativeDef};
use crate::vm::thread::Thread;

pub const WAITPID: NativeDef =
    NativeDef::full("waitpid", "pid, options, /", waitpid, "Wait for a child; return its number and status.");
pub const WAIT4: NativeDef = NativeDef::full(
    "wait4",
    "pid, options",
    wait4,
    "Wait for a child; return its number, its status, and what it used.",
);
pub const WAITID: NativeDef = NativeDef::full(
    "waitid",
    "idtype, id, options, /",
    waitid,
    "Wait for a change of a child; None if there is none yet.",
);

static RESULT: Slot = Slot::empty();

/// The class of what `waitid` says.
pub fn init(th: &mut Thread, module: Value) -> R<()> {
    let fields = ["si_pid", "si_uid", "si_signo", "si_status", "si_code"];
    struct_seq::make_class(th, "posix", "waitid_result", &fields, &RESULT)?;
    set(&mut th.m, module, "waitid_result", RESULT.get().unwrap_or(Value::NONE))
}

fn small(n: i32) -> Value {
    Value::int_unchecked(i64::from(n))
}

fn waitpid(th: &mut Thread, args: Args) -> R {
    let (pid, options) = (c_int(th, args.get(0))?, c_int(th, args.get(1))?);
    let (pid, status) = run(th, None, || syscall::waitpid(pid, options))?;
    if pid > 0 {
        fork::waited_for(status);
    }
    th.new_tuple(&[small(pid), small(status)])
}

fn wait4(th: &mut Thread, args: Args) -> R {
    let (pid, options) = (c_int(th, args.get(0))?, c_int(th, args.get(1))?);
    let (pid, status, used) = run(th, None, || syscall::wait4(pid, options))?;
    if pid > 0 {
        fork::waited_for(status);
    }
    let used = resource::shown_usage(th, &used)?;
    th.new_tuple(&[small(pid), small(status), used])
}

fn waitid(th: &mut Thread, args: Args) -> R {
    let (which, id, options) = (c_int(th, args.get(0))?, c_int(th, args.get(1))?, c_int(th, args.get(2))?);
    let changed = run(th, None, || syscall::waitid(which, id, options))?;
    let Some(changed) = changed else { return Ok(Value::NONE) };
    struct_seq::new(&mut th.m, &RESULT, &changed.map(small))
}
