//! Module `_os`: descriptors, processes, the environment; the functions about paths are in `os_files.rs`.
//! Must not know `os`, which is written in Mini on top.

use super::os_files;
use super::os_process;
use super::os_wait;
use super::oserror::{making, os_error, run};
use super::support::{c_int, int_arg, set_int, type_name, zeroed};
use crate::object::mutator::Mutator;
use crate::object::{R, Value, bytes, list, str};
use crate::rt::control;
use crate::rt::syscall::{self, Sys};
use crate::rt::terminal;
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;

/// A count that a call may ask for.
fn size_arg(th: &mut Thread, v: Value) -> R<usize> {
    let n = int_arg(th, v)?;
    usize::try_from(n).map_err(|_| os_error(th, libc::EINVAL, None))
}

fn number(th: &mut Thread, n: i64) -> R {
    th.new_int(n)
}

fn read(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    let size = size_arg(th, args.get(1))?;
    let mut buffer = zeroed(th, size)?;
    let n = run(th, None, || terminal::read(fd, &mut buffer))?;
    th.new_bytes(buffer.get(..n).unwrap_or(&[]))
}

fn write(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    let object = bytes_object(th, args.get(1))?;
    let Some(data) = bytes::as_bytes(object) else {
        let class = type_name(args.get(1));
        return Err(th.type_error(format!("a bytes-like object is required, not '{class}'")));
    };
    // The bytes lie in the heap, but never move, and the object is kept alive here.
    let n = run(th, None, || terminal::write(fd, data))?;
    std::hint::black_box(object);
    number(th, n as i64)
}

fn close(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    // Never again after an interruption: the descriptor may be another's by then.
    match th.detach(crate::gil::Cause::Blocking, || syscall::close(fd)) {
        Ok(_) | Err(libc::EINTR) => Ok(Value::NONE),
        Err(errno) => Err(os_error(th, errno, None)),
    }
}

fn closerange(th: &mut Thread, args: Args) -> R {
    let (low, high) = (c_int(th, args.get(0))?, c_int(th, args.get(1))?);
    th.detach(crate::gil::Cause::Blocking, || {
        for fd in low.max(0)..high {
            // Those that are not open do not matter.
            let _ = syscall::close(fd);
        }
    });
    Ok(Value::NONE)
}

fn pipe(th: &mut Thread, _: Args) -> R {
    pipe_with(th, libc::O_CLOEXEC)
}

fn pipe2(th: &mut Thread, args: Args) -> R {
    let flags = c_int(th, args.get(0))?;
    pipe_with(th, flags)
}

fn pipe_with(th: &mut Thread, flags: i32) -> R {
    let (from, to) = making(th, || syscall::pipe_with(flags))?;
    th.new_tuple(&[Value::int_unchecked(i64::from(from)), Value::int_unchecked(i64::from(to))])
}

fn lseek(th: &mut Thread, args: Args) -> R {
    let (fd, offset, whence) = (c_int(th, args.get(0))?, int_arg(th, args.get(1))?, c_int(th, args.get(2))?);
    let at = run(th, None, || syscall::lseek(fd, offset, whence))?;
    number(th, at)
}

fn dup(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    let copy = run(th, None, || syscall::dup(fd))?;
    let _ = syscall::set_inheritable(copy as i32, false);
    number(th, copy)
}

fn dup2(th: &mut Thread, args: Args) -> R {
    let (from, to) = (c_int(th, args.get(0))?, c_int(th, args.get(1))?);
    let inheritable = args.opt(2).map_or(Ok(true), |v| th.is_true(v))?;
    let flags = if inheritable { 0 } else { libc::O_CLOEXEC };
    if from != to {
        run(th, None, || syscall::dup3(from, to, flags))?;
    }
    number(th, i64::from(to))
}

fn fsync(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    run(th, None, || syscall::fsync(fd))?;
    Ok(Value::NONE)
}

fn isatty(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    Ok(Value::bool(syscall::isatty(fd) == Ok(1)))
}

fn ftruncate(th: &mut Thread, args: Args) -> R {
    let (fd, length) = (c_int(th, args.get(0))?, int_arg(th, args.get(1))?);
    run(th, None, || syscall::ftruncate(fd, length))?;
    Ok(Value::NONE)
}

fn get_inheritable(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    syscall::inheritable(fd).map(Value::bool).map_err(|errno| os_error(th, errno, None))
}

fn set_inheritable(th: &mut Thread, args: Args) -> R {
    let (fd, inherit) = (c_int(th, args.get(0))?, th.is_true(args.get(1))?);
    syscall::set_inheritable(fd, inherit).map_err(|errno| os_error(th, errno, None))?;
    Ok(Value::NONE)
}

fn get_blocking(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    syscall::blocking(fd).map(Value::bool).map_err(|errno| os_error(th, errno, None))
}

fn set_blocking(th: &mut Thread, args: Args) -> R {
    let (fd, block) = (c_int(th, args.get(0))?, th.is_true(args.get(1))?);
    syscall::set_blocking(fd, block).map_err(|errno| os_error(th, errno, None))?;
    Ok(Value::NONE)
}

macro_rules! process_numbers {
    ($($name:ident)*) => { $(
        fn $name(m: &mut Mutator, _: Args) -> R {
            m.new_int(syscall::$name().unwrap_or(-1))
        }
    )* };
}

process_numbers! { getpid getppid getuid geteuid getgid getegid }

fn umask(th: &mut Thread, args: Args) -> R {
    let mask = c_int(th, args.get(0))?;
    number(th, syscall::umask(mask as u32).unwrap_or(0))
}

fn kill(th: &mut Thread, args: Args) -> R {
    let (pid, signal) = (c_int(th, args.get(0))?, c_int(th, args.get(1))?);
    syscall::kill(pid, signal).map_err(|errno| os_error(th, errno, None))?;
    // A signal to ourselves has come by now.
    th.check_signals()?;
    Ok(Value::NONE)
}

fn sched_yield(th: &mut Thread, _: Args) -> R {
    run(th, None, syscall::sched_yield)?;
    Ok(Value::NONE)
}

fn system(th: &mut Thread, args: Args) -> R {
    let command = super::os_path::plain(th, args.get(0), "system")?.path;
    let status = th.detach(crate::gil::Cause::Blocking, || syscall::system(&command)).unwrap_or(-1);
    th.check_signals()?;
    number(th, status)
}

fn cpu_count(m: &mut Mutator, _: Args) -> R {
    match std::thread::available_parallelism() {
        Ok(n) => m.new_int(n.get() as i64),
        Err(_) => Ok(Value::NONE),
    }
}

fn urandom(th: &mut Thread, args: Args) -> R {
    let size = int_arg(th, args.get(0))?;
    let Ok(size) = usize::try_from(size) else {
        return Err(th.value_error("negative argument not allowed"));
    };
    let mut buffer = zeroed(th, size)?;
    run(th, None, || syscall::random(&mut buffer))?;
    th.new_bytes(&buffer)
}

fn strerror(th: &mut Thread, args: Args) -> R {
    let errno = c_int(th, args.get(0))?;
    th.new_str(&syscall::error_text(errno))
}

fn exit_now(th: &mut Thread, args: Args) -> R {
    let code = c_int(th, args.get(0))?;
    crate::rt::exit::end_now(code)
}

fn abort(_: &mut Mutator, _: Args) -> R {
    std::process::abort()
}

fn times(th: &mut Thread, _: Args) -> R {
    let seconds = |t: libc::timeval| t.tv_sec as f64 + t.tv_usec as f64 / 1e6;
    let mut parts = Vec::with_capacity(5);
    for who in [libc::RUSAGE_SELF, libc::RUSAGE_CHILDREN] {
        let used = control::usage(who).map_err(|errno| os_error(th, errno, None))?;
        parts.extend([seconds(used.ru_utime), seconds(used.ru_stime)]);
    }
    parts.push(syscall::clock(libc::CLOCK_MONOTONIC).unwrap_or(0) as f64 / 1e9);
    let items: R<Vec<Value>> = parts.into_iter().map(|f| th.new_float(f)).collect();
    th.new_tuple(&items?)
}

fn get_terminal_size(th: &mut Thread, args: Args) -> R {
    let fd = args.opt(0).map_or(Ok(1), |v| c_int(th, v))?;
    let (columns, lines) = syscall::terminal_size(fd).map_err(|errno| os_error(th, errno, None))?;
    th.new_tuple(&[Value::int_unchecked(i64::from(columns)), Value::int_unchecked(i64::from(lines))])
}

fn environ_items(th: &mut Thread, _: Args) -> R {
    let items = th.new_list(&[])?;
    for (name, value) in std::env::vars_os() {
        let name = th.new_str(&String::from_utf8_lossy(name.as_bytes()))?;
        let value = th.new_str(&String::from_utf8_lossy(value.as_bytes()))?;
        let pair = th.new_tuple(&[name, value])?;
        if let Some(l) = list::of(items) {
            list::push(th, l, pair)?;
        }
    }
    Ok(items)
}

fn variable(th: &mut Thread, v: Value) -> R<CString> {
    CString::new(str::as_str(v).unwrap_or("")).map_err(|_| th.value_error("embedded null byte"))
}

/// Changes the environment while nobody runs Mini code, which may be reading it.
fn change_environment(th: &mut Thread, change: impl FnOnce() -> Sys<()>) -> R {
    match th.stop_the_world(|_| change()) {
        Ok(()) => Ok(Value::NONE),
        Err(errno) => Err(os_error(th, errno, None)),
    }
}

fn putenv(th: &mut Thread, args: Args) -> R {
    let (name, value) = (variable(th, args.get(0))?, variable(th, args.get(1))?);
    if name.as_bytes().contains(&b'=') {
        return Err(th.value_error("illegal environment variable name"));
    }
    change_environment(th, || syscall::setenv(&name, &value))
}

fn unsetenv(th: &mut Thread, args: Args) -> R {
    let name = variable(th, args.get(0))?;
    change_environment(th, || syscall::unsetenv(&name))
}

macro_rules! status_tests {
    ($($name:ident = $call:ident;)*) => { $(
        fn $name(th: &mut Thread, args: Args) -> R {
            let status = c_int(th, args.get(0))?;
            Ok(Value::bool(libc::$call(status)))
        }
    )* };
}

status_tests! {
    wifexited = WIFEXITED;
    wifsignaled = WIFSIGNALED;
    wifstopped = WIFSTOPPED;
    wifcontinued = WIFCONTINUED;
    wcoredump = WCOREDUMP;
}

macro_rules! status_parts {
    ($($name:ident = $call:ident;)*) => { $(
        fn $name(th: &mut Thread, args: Args) -> R {
            let status = c_int(th, args.get(0))?;
            Ok(Value::int_unchecked(i64::from(libc::$call(status))))
        }
    )* };
}

status_parts! { wexitstatus = WEXITSTATUS; wtermsig = WTERMSIG; wstopsig = WSTOPSIG; }

fn waitstatus_to_exitcode(th: &mut Thread, args: Args) -> R {
    let status = c_int(th, args.get(0))?;
    if libc::WIFEXITED(status) {
        number(th, i64::from(libc::WEXITSTATUS(status)))
    } else if libc::WIFSIGNALED(status) {
        number(th, -i64::from(libc::WTERMSIG(status)))
    } else {
        Err(th.value_error(format!("invalid wait status: {status}")))
    }
}

macro_rules! constants {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name as i64)),*] };
}

const CONSTANTS: &[(&str, i64)] = constants! {
    O_RDONLY O_WRONLY O_RDWR O_APPEND O_CREAT O_EXCL O_TRUNC O_NONBLOCK O_NDELAY O_ASYNC O_SYNC O_DSYNC O_NOCTTY O_CLOEXEC O_NOFOLLOW
    O_DIRECTORY F_OK R_OK W_OK X_OK WNOHANG WUNTRACED WCONTINUED P_PID P_PGID P_ALL P_PIDFD
    WEXITED WSTOPPED WNOWAIT CLD_EXITED CLD_KILLED CLD_DUMPED CLD_TRAPPED CLD_STOPPED CLD_CONTINUED
};

const EXIT_CODES: &[(&str, i64)] = &[
    ("EX_OK", 0),
    ("EX_USAGE", 64),
    ("EX_DATAERR", 65),
    ("EX_NOINPUT", 66),
    ("EX_UNAVAILABLE", 69),
    ("EX_SOFTWARE", 70),
    ("EX_OSERR", 71),
    ("EX_IOERR", 74),
    ("EX_NOPERM", 77),
    ("EX_CONFIG", 78),
];

fn init(th: &mut Thread, module: Value) -> R<()> {
    for (name, n) in CONSTANTS.iter().chain(EXIT_CODES) {
        set_int(th, module, name, *n)?;
    }
    os_wait::init(th, module)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_os",
    doc: "System calls about files, processes and the environment.",
    functions: &[
        NativeDef::full("read", "fd, length, /", read, "Read at most so many bytes."),
        NativeDef::full("write", "fd, data, /", write, "Write bytes; return how many were taken."),
        NativeDef::full("close", "fd", close, "Close a descriptor."),
        NativeDef::full("closerange", "fd_low, fd_high, /", closerange, "Close a range of descriptors."),
        NativeDef::full("pipe", "", pipe, "Make a pipe; return its two ends."),
        NativeDef::full("pipe2", "flags, /", pipe2, "As pipe(), with flags such as O_NONBLOCK."),
        NativeDef::full("lseek", "fd, position, whence, /", lseek, "Move the place of a descriptor."),
        NativeDef::full("dup", "fd, /", dup, "A second descriptor for the same file."),
        NativeDef::full("dup2", "fd, fd2, inheritable=", dup2, "The same under a given number."),
        NativeDef::full("fsync", "fd", fsync, "Wait until a file is on the disk."),
        NativeDef::full("isatty", "fd, /", isatty, "Whether a descriptor is a terminal."),
        NativeDef::full("ftruncate", "fd, length, /", ftruncate, "Set the length of an open file."),
        NativeDef::full(
            "get_inheritable",
            "fd, /",
            get_inheritable,
            "Whether started programs get the descriptor.",
        ),
        NativeDef::full("set_inheritable", "fd, inheritable, /", set_inheritable, "Set whether they get it."),
        NativeDef::full("get_blocking", "fd, /", get_blocking, "Whether reads and writes wait."),
        NativeDef::full("set_blocking", "fd, blocking, /", set_blocking, "Set whether they wait."),
        NativeDef::data("getpid", "", getpid, "Number of the process."),
        NativeDef::data("getppid", "", getppid, "Number of the parent process."),
        NativeDef::data("getuid", "", getuid, "The user."),
        NativeDef::data("geteuid", "", geteuid, "The user whose rights count."),
        NativeDef::data("getgid", "", getgid, "The group."),
        NativeDef::data("getegid", "", getegid, "The group whose rights count."),
        NativeDef::full("umask", "mask, /", umask, "Permissions that new files do not get."),
        NativeDef::full("kill", "pid, signal, /", kill, "Send a signal."),
        os_wait::WAITPID,
        os_wait::WAIT4,
        os_wait::WAITID,
        NativeDef::full("sched_yield", "", sched_yield, "Offer the processor."),
        NativeDef::full("system", "command", system, "Run a command line with the shell."),
        NativeDef::data("cpu_count", "", cpu_count, "How many processors there are."),
        NativeDef::full("urandom", "size, /", urandom, "Random bytes of the system."),
        NativeDef::full("strerror", "code, /", strerror, "What an error number means."),
        NativeDef::full("_exit", "status", exit_now, "End the process at once."),
        NativeDef::data("abort", "", abort, "End the process as a crash would."),
        NativeDef::full("times", "", times, "Processor times and elapsed time."),
        NativeDef::full("get_terminal_size", "fd=, /", get_terminal_size, "Columns and lines."),
        NativeDef::full("environ_items", "", environ_items, "The environment as pairs."),
        NativeDef::full("putenv", "name, value, /", putenv, "Set an environment variable."),
        NativeDef::full("unsetenv", "name, /", unsetenv, "Remove an environment variable."),
        NativeDef::full("WIFEXITED", "status", wifexited, "Whether a child ended by itself."),
        NativeDef::full("WIFSIGNALED", "status", wifsignaled, "Whether a signal ended it."),
        NativeDef::full("WIFSTOPPED", "status", wifstopped, "Whether it stands still."),
        NativeDef::full("WIFCONTINUED", "status", wifcontinued, "Whether it goes on."),
        NativeDef::full("WCOREDUMP", "status", wcoredump, "Whether it left a core file."),
        NativeDef::full("WEXITSTATUS", "status", wexitstatus, "Its exit code."),
        NativeDef::full("WTERMSIG", "status", wtermsig, "The signal that ended it."),
        NativeDef::full("WSTOPSIG", "status", wstopsig, "The signal that stopped it."),
        NativeDef::full(
            "waitstatus_to_exitcode",
            "status",
            waitstatus_to_exitcode,
            "Exit code, or minus the signal.",
        ),
        os_process::FORK,
        os_process::PREPARE,
        os_process::EXECV,
        os_process::EXECVE,
        os_process::SCHED_GETAFFINITY,
        os_process::SCHED_SETAFFINITY,
        os_process::NICE,
        os_process::GETLOADAVG,
        os_process::GETPGID,
        os_process::GETPGRP,
        os_process::SETPGID,
        os_process::GETSID,
        os_process::SETSID,
        os_process::KILLPG,
        os_process::PIDFD_OPEN,
        os_files::OPEN,
        os_files::STAT,
        os_files::LSTAT,
        os_files::FSTAT,
        os_files::MKDIR,
        os_files::RMDIR,
        os_files::LISTDIR,
        os_files::UNLINK,
        os_files::REMOVE,
        os_files::RENAME,
        os_files::REPLACE,
        os_files::LINK,
        os_files::SYMLINK,
        os_files::READLINK,
        os_files::CHMOD,
        os_files::CHDIR,
        os_files::GETCWD,
        os_files::GETCWDB,
        os_files::ACCESS,
        os_files::TRUNCATE,
        os_files::UTIME,
    ],
    types: &[],
    init: Some(init),
};
