//! Module `resource`: what this process may use of the machine, and what it has used. Must not know the system calls.

use super::oserror::os_error;
use super::struct_seq;
use super::support::{c_int, numbers, set, set_int};
use crate::object::{Exc, R, Slot, Value, types};
use crate::rt::control;
use crate::vm::import;
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::ops::iterate;
use crate::vm::thread::Thread;

static USAGE: Slot = Slot::empty();

fn resource_arg(th: &mut Thread, v: Value) -> R<i32> {
    let resource = c_int(th, v)?;
    if (0..16).contains(&resource) { Ok(resource) } else { Err(th.value_error("invalid resource specified")) }
}

/// A limit as scripts see it: no limit at all is -1.
fn shown(th: &mut Thread, (now, most): (u64, u64)) -> R {
    let (now, most) = (th.new_int(now.cast_signed())?, th.new_int(most.cast_signed())?);
    th.new_tuple(&[now, most])
}

fn getrlimit(th: &mut Thread, args: Args) -> R {
    let resource = resource_arg(th, args.get(0))?;
    let limit = control::limit(resource).map_err(|errno| os_error(th, errno, None))?;
    shown(th, limit)
}

fn setrlimit(th: &mut Thread, args: Args) -> R {
    let resource = resource_arg(th, args.get(0))?;
    let &[now, most] = iterate::values_of(args.get(1)).as_slice() else {
        return Err(th.value_error("expected a tuple of 2 integers"));
    };
    let (now, most) = (th.index(now)?.cast_unsigned(), th.index(most)?.cast_unsigned());
    match control::set_limit(resource, (now, most)) {
        Ok(_) => Ok(Value::NONE),
        Err(libc::EINVAL) => Err(th.value_error("current limit exceeds maximum limit")),
        Err(libc::EPERM) => Err(th.value_error("not allowed to raise maximum limit")),
        Err(errno) => Err(os_error(th, errno, None)),
    }
}

fn getrusage(th: &mut Thread, args: Args) -> R {
    let who = c_int(th, args.get(0))?;
    let used = match control::usage(who) {
        Ok(used) => used,
        Err(libc::EINVAL) => return Err(th.value_error("invalid who parameter")),
        Err(errno) => return Err(os_error(th, errno, None)),
    };
    shown_usage(th, &used)
}

/// What was used, for scripts.
pub fn shown_usage(th: &mut Thread, used: &libc::rusage) -> R {
    // The class is this module's.
    import::import_dotted(th, "resource")?;
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    let mut items = vec![th.new_float(seconds(used.ru_utime))?, th.new_float(seconds(used.ru_stime))?];
    let counts = [
        used.ru_maxrss,
        used.ru_ixrss,
        used.ru_idrss,
        used.ru_isrss,
        used.ru_minflt,
        used.ru_majflt,
        used.ru_nswap,
        used.ru_inblock,
        used.ru_oublock,
        used.ru_msgsnd,
        used.ru_msgrcv,
        used.ru_nsignals,
        used.ru_nvcsw,
        used.ru_nivcsw,
    ];
    items.extend(counts.iter().filter_map(|n| Value::small(*n)));
    struct_seq::new(&mut th.m, &USAGE, &items)
}

const NUMBERS: &[(&str, i64)] = &numbers! {
    RLIMIT_CPU RLIMIT_FSIZE RLIMIT_DATA RLIMIT_STACK RLIMIT_CORE RLIMIT_RSS RLIMIT_NPROC RLIMIT_NOFILE RLIMIT_MEMLOCK
    RLIMIT_AS RLIMIT_MSGQUEUE RLIMIT_NICE RLIMIT_RTPRIO RLIMIT_RTTIME RLIMIT_SIGPENDING
    RUSAGE_SELF RUSAGE_CHILDREN RUSAGE_THREAD
};

const FIELDS: &[&str] = &[
    "ru_utime",
    "ru_stime",
    "ru_maxrss",
    "ru_ixrss",
    "ru_idrss",
    "ru_isrss",
    "ru_minflt",
    "ru_majflt",
    "ru_nswap",
    "ru_inblock",
    "ru_oublock",
    "ru_msgsnd",
    "ru_msgrcv",
    "ru_nsignals",
    "ru_nvcsw",
    "ru_nivcsw",
];

fn init(th: &mut Thread, module: Value) -> R<()> {
    for (name, number) in NUMBERS {
        set_int(&mut th.m, module, name, *number)?;
    }
    set_int(&mut th.m, module, "RLIMIT_OFILE", libc::RLIMIT_NOFILE as i64)?;
    set_int(&mut th.m, module, "RLIM_INFINITY", -1)?;
    set(&mut th.m, module, "error", types::exc_class(Exc::OSError))?;
    struct_seq::make_class(th, "resource", "struct_rusage", FIELDS, &USAGE)?;
    set(&mut th.m, module, "struct_rusage", USAGE.get().unwrap_or(Value::NONE))
}

fn getpagesize(th: &mut Thread, _: Args) -> R {
    th.new_int(4096)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "resource",
    doc: "What this process may use of the machine, and what it has used.",
    functions: &[
        NativeDef::full("getrlimit", "resource, /", getrlimit, "The limit now, and what it may be set to."),
        NativeDef::full("setrlimit", "resource, limits, /", setrlimit, "Set both."),
        NativeDef::full("getrusage", "who, /", getrusage, "What was used."),
        NativeDef::full("getpagesize", "", getpagesize, "Bytes of a page of memory."),
    ],
    types: &[],
    init: Some(init),
};
