//! Module `_signal`: handlers, masks, timers, waiting for signals. Must not know `signal`, which is written in Mini on top.

use super::builtins::is_callable;
use super::oserror::{blocking, os_error};
use super::struct_seq;
use super::support::{c_int, number, numbers, set_int};
use crate::gil::signal::{self, Disposition, Set};
use crate::gil::{self, Cause};
use crate::object::{R, Slot, Value, int, list};
use crate::rt::signals::{self, Info};
use crate::rt::{syscall, wait};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;
use crate::vm::{poll, signals as handlers};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const NSIG: i32 = 65;
/// What a script may give instead of a function.
const SIG_DFL: i64 = 0;
const SIG_IGN: i64 = 1;

/// `default_int_handler` of this module.
static DEFAULT_HANDLER: Slot = Slot::empty();
static SIGINFO: Slot = Slot::empty();

fn signum_arg(th: &mut Thread, v: Value) -> R<i32> {
    let n = c_int(th, v)?;
    if (1..NSIG).contains(&n) { Ok(n) } else { Err(th.value_error("signal number out of range")) }
}

fn main_only(th: &mut Thread, what: &str) -> R<()> {
    if th.m.member.is_main() {
        return Ok(());
    }
    Err(th.value_error(format!("{what} only works in main thread of the main interpreter")))
}

fn failed(th: &mut Thread, error: &std::io::Error) -> crate::object::Raised {
    os_error(th, error.raw_os_error().unwrap_or(libc::EINVAL), None)
}

/// What is done about a signal now: a function, a number, or None for something that is not the script's.
fn current(signum: i32) -> Value {
    if let Some(handler) = handlers::handler(signum as usize) {
        return handler;
    }
    let faults = [libc::SIGSEGV, libc::SIGBUS];
    match signal::disposition(signum) {
        Some(Disposition::Default) => Value::int_unchecked(SIG_DFL),
        // Those report that a stack is full.
        Some(Disposition::Other) if faults.contains(&signum) => Value::int_unchecked(SIG_DFL),
        Some(Disposition::Ignored) => Value::int_unchecked(SIG_IGN),
        Some(Disposition::Caught) if signum == libc::SIGINT => DEFAULT_HANDLER.get().unwrap_or(Value::NONE),
        _ => Value::NONE,
    }
}

fn set_signal(th: &mut Thread, args: Args) -> R {
    main_only(th, "signal")?;
    let (signum, handler) = (c_int(th, args.get(0))?, args.get(1));
    let number = if int::is_int(handler) { int::as_i64(handler) } else { None };
    if !matches!(number, Some(SIG_DFL | SIG_IGN)) && !is_callable(th, handler) {
        return Err(
            th.type_error("signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object")
        );
    }
    let signum = signum_arg(th, Value::int_unchecked(i64::from(signum)))?;
    let before = current(signum);
    let scope = th.scope();
    th.root(before);
    // What came before is for the handler of before.
    let checked = th.check_signals();
    th.close(scope);
    checked?;
    let (kept, done) = match number {
        Some(SIG_DFL) => (Value::int_unchecked(SIG_DFL), signal::restore_default(signum)),
        Some(_) => (Value::int_unchecked(SIG_IGN), signal::ignore(signum)),
        None => (handler, signal::catch(signum)),
    };
    done.map_err(|error| failed(th, &error))?;
    handlers::set_handler(signum as usize, kept);
    Ok(before)
}

fn getsignal(th: &mut Thread, args: Args) -> R {
    signum_arg(th, args.get(0)).map(current)
}

fn default_int_handler(th: &mut Thread, _: Args) -> R {
    Err(poll::keyboard_interrupt(th))
}

fn alarm(th: &mut Thread, args: Args) -> R {
    let seconds = c_int(th, args.get(0))?;
    th.new_int(i64::from(signals::alarm(seconds as u32)))
}

fn pair(th: &mut Thread, (first, then): signals::Timer) -> R {
    let (first, then) = (th.new_float(first)?, th.new_float(then)?);
    th.new_tuple(&[first, then])
}

fn setitimer(th: &mut Thread, args: Args) -> R {
    let which = c_int(th, args.get(0))?;
    let first = number(th, args.get(1), "must be real number, not {}")?;
    let then = args.opt(2).map_or(Ok(0.0), |v| number(th, v, "must be real number, not {}"))?;
    let before = signals::set_timer(which, (first, then)).map_err(|errno| os_error(th, errno, None))?;
    pair(th, before)
}

fn getitimer(th: &mut Thread, args: Args) -> R {
    let which = c_int(th, args.get(0))?;
    let now = signals::get_timer(which).map_err(|errno| os_error(th, errno, None))?;
    pair(th, now)
}

fn pause(th: &mut Thread, _: Args) -> R {
    th.detach(Cause::Blocking, signals::pause);
    th.check_signals()?;
    Ok(Value::NONE)
}

fn set_wakeup_fd(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    let warn = args.opt(1).map_or(Ok(true), |v| th.is_true(v))?;
    main_only(th, "set_wakeup_fd")?;
    if fd != -1 {
        syscall::fstat(fd).map_err(|errno| os_error(th, errno, None))?;
        if syscall::blocking(fd).map_err(|errno| os_error(th, errno, None))? {
            return Err(th.value_error(format!("the fd {fd} must be in non-blocking mode")));
        }
    }
    th.new_int(i64::from(signal::set_wakeup_fd(fd, warn)))
}

fn siginterrupt(th: &mut Thread, args: Args) -> R {
    let (signum, flag) = (signum_arg(th, args.get(0))?, th.is_true(args.get(1))?);
    signal::set_interrupts(signum, flag).map_err(|error| failed(th, &error))?;
    Ok(Value::NONE)
}

/// An iterable of numbers, as bits.
fn set_arg(th: &mut Thread, v: Value) -> R<u64> {
    let items = th.collect(v)?;
    let scope = th.scope();
    th.root(items);
    let mut bits = 0;
    let mut at = 0;
    let done = loop {
        let Some(item) = list::of(items).and_then(|l| list::get(l, at)) else { break Ok(bits) };
        match c_int(th, item) {
            Ok(n) if (1..NSIG).contains(&n) => bits |= 1u64 << (n - 1),
            Ok(n) => break Err(th.value_error(format!("signal number {n} out of range [1; {}]", NSIG - 1))),
            Err(raised) => break Err(raised),
        }
        at += 1;
    };
    th.close(scope);
    done
}

/// Bits as a list of numbers.
fn shown(th: &mut Thread, bits: u64) -> R {
    let numbers: Vec<Value> =
        (0..64).filter(|n| bits >> n & 1 == 1).map(|n| Value::int_unchecked(n + 1)).collect();
    th.m.new_list(&numbers)
}

fn pthread_sigmask(th: &mut Thread, args: Args) -> R {
    let (how, given) = (c_int(th, args.get(0))?, set_arg(th, args.get(1))?);
    let member = th.m.member;
    let before = member.blocked_signals().load(Ordering::SeqCst);
    let after = match how {
        libc::SIG_BLOCK => before | given,
        libc::SIG_UNBLOCK => before & !given,
        libc::SIG_SETMASK => given,
        _ => return Err(os_error(th, libc::EINVAL, None)),
    };
    // These two cannot be blocked.
    let never = 1 << (libc::SIGKILL - 1) | 1 << (libc::SIGSTOP - 1);
    signal::block(member, after & !never);
    th.check_signals()?;
    shown(th, before)
}

fn sigpending(th: &mut Thread, _: Args) -> R {
    let blocked = th.m.member.blocked_signals().load(Ordering::SeqCst);
    shown(th, Set::pending().bits() & blocked)
}

/// Waits for a signal. `None`: the time is over.
fn waited(th: &mut Thread, bits: u64, until: Option<Instant>) -> R<Option<Info>> {
    let set = Set::of(bits);
    let left = || until.map(|until| until.saturating_duration_since(Instant::now()));
    match blocking(th, || signals::wait_for(&set, left()))? {
        Ok(info) => Ok(Some(info)),
        Err(libc::EAGAIN) => Ok(None),
        Err(errno) => Err(os_error(th, errno, None)),
    }
}

fn sigwait(th: &mut Thread, args: Args) -> R {
    let bits = set_arg(th, args.get(0))?;
    let info = waited(th, bits, None)?;
    th.new_int(info.map_or(0, |info| i64::from(info.signo)))
}

fn info_shown(th: &mut Thread, info: Option<Info>) -> R {
    let Some(info) = info else { return Ok(Value::NONE) };
    let numbers = [info.signo, info.code, info.errno, info.pid, info.uid as i32, info.status, 0];
    let items: Vec<Value> = numbers.iter().map(|n| Value::int_unchecked(i64::from(*n))).collect();
    struct_seq::new(&mut th.m, &SIGINFO, &items)
}

fn sigwaitinfo(th: &mut Thread, args: Args) -> R {
    let bits = set_arg(th, args.get(0))?;
    let info = waited(th, bits, None)?;
    info_shown(th, info)
}

fn sigtimedwait(th: &mut Thread, args: Args) -> R {
    let bits = set_arg(th, args.get(0))?;
    let seconds = number(th, args.get(1), "'{}' object cannot be interpreted as an integer")?;
    if seconds < 0.0 {
        return Err(th.value_error("timeout must be non-negative"));
    }
    let until = wait::deadline(seconds).or_else(|| Instant::now().checked_add(Duration::from_secs(1 << 32)));
    let info = waited(th, bits, until)?;
    info_shown(th, info)
}

fn pthread_kill(th: &mut Thread, args: Args) -> R {
    let (ident, signum) = (th.index(args.get(0))?, c_int(th, args.get(1))?);
    let mut found = None;
    gil::for_each_member(|member| {
        if i64::try_from(member.id()) == Ok(ident) {
            found = Some(member);
        }
    });
    let Some(target) = found else { return Err(os_error(th, libc::ESRCH, None)) };
    signal::send(target, signum).map_err(|error| failed(th, &error))?;
    th.check_signals()?;
    Ok(Value::NONE)
}

fn raise_signal(th: &mut Thread, args: Args) -> R {
    let signum = c_int(th, args.get(0))?;
    let member = th.m.member;
    signal::send(member, signum).map_err(|error| failed(th, &error))?;
    th.check_signals()?;
    Ok(Value::NONE)
}

fn strsignal(th: &mut Thread, args: Args) -> R {
    let signum = signum_arg(th, args.get(0))?;
    match signals::description(signum) {
        Some(text) => th.new_str(&text),
        None => Ok(Value::NONE),
    }
}

const NUMBERS: &[(&str, i64)] = &numbers! {
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM SIGTERM
    SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF SIGWINCH
    SIGIO SIGPWR SIGSYS ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF
};

fn init(th: &mut Thread, module: Value) -> R<()> {
    for (name, number) in NUMBERS {
        set_int(&mut th.m, module, name, *number)?;
    }
    let realtime = [("SIGRTMIN", libc::SIGRTMIN()), ("SIGRTMAX", libc::SIGRTMAX()), ("NSIG", NSIG)];
    for (name, number) in realtime {
        set_int(&mut th.m, module, name, i64::from(number))?;
    }
    if let Some(function) = super::support::get(&mut th.m, module, "default_int_handler") {
        crate::vm::roots::keep(function);
        DEFAULT_HANDLER.set(function);
    }
    let fields = ["si_signo", "si_code", "si_errno", "si_pid", "si_uid", "si_status", "si_band"];
    struct_seq::make_class(th, "signal", "struct_siginfo", &fields, &SIGINFO)?;
    super::support::set(&mut th.m, module, "struct_siginfo", SIGINFO.get().unwrap_or(Value::NONE))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_signal",
    doc: "Signals: handlers, masks, timers.",
    functions: &[
        NativeDef::full("signal", "signalnum, handler, /", set_signal, "Set what is done about a signal."),
        NativeDef::full("getsignal", "signalnum, /", getsignal, "What is done about a signal."),
        NativeDef::full(
            "default_int_handler",
            "signalnum, frame, /",
            default_int_handler,
            "Raise KeyboardInterrupt.",
        ),
        NativeDef::full("alarm", "seconds, /", alarm, "Have SIGALRM come; the seconds left of the last one."),
        NativeDef::full("setitimer", "which, seconds, interval=, /", setitimer, "Set a timer; what it was."),
        NativeDef::full("getitimer", "which, /", getitimer, "What a timer is set to."),
        NativeDef::full("pause", "", pause, "Wait until a signal has come."),
        NativeDef::full(
            "set_wakeup_fd",
            "fd, /, *, warn_on_full_buffer=",
            set_wakeup_fd,
            "Where the number of a signal is written when it comes.",
        ),
        NativeDef::full("siginterrupt", "signalnum, flag, /", siginterrupt, "Whether it ends system calls."),
        NativeDef::full("pthread_sigmask", "how, mask, /", pthread_sigmask, "Change what is blocked here."),
        NativeDef::full("sigpending", "", sigpending, "What has come and is blocked."),
        NativeDef::full("sigwait", "sigset, /", sigwait, "Wait for one of these; which it was."),
        NativeDef::full("sigwaitinfo", "sigset, /", sigwaitinfo, "As sigwait(), with details."),
        NativeDef::full(
            "sigtimedwait",
            "sigset, timeout, /",
            sigtimedwait,
            "As sigwaitinfo(), for some time.",
        ),
        NativeDef::full(
            "pthread_kill",
            "thread_id, signalnum, /",
            pthread_kill,
            "Send a signal to a thread.",
        ),
        NativeDef::full("raise_signal", "signalnum, /", raise_signal, "Send a signal to this thread."),
        NativeDef::full("strsignal", "signalnum, /", strsignal, "What a signal means."),
    ],
    types: &[],
    init: Some(init),
};
