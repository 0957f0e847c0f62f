//! The class `select.epoll`. Must not know what the descriptors are of.

use super::oserror::os_error;
use super::select::{descriptor, pairs};
use super::support::{c_int, number, put_type, this};
use crate::gil::Cause;
use crate::object::mutator::Mutator;
use crate::object::{R, Value, func};
use crate::rt::poll;
use crate::rt::syscall;
use crate::rt::wait::deadline;
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Instant;

/// The descriptor; -1 once it is closed.
struct Epoll(AtomicI32);

impl Drop for Epoll {
    fn drop(&mut self) {
        let fd = self.0.load(Ordering::Acquire);
        if fd >= 0 {
            let _ = syscall::close(fd);
        }
    }
}

/// How many events are asked for at a time, unless a script says it.
const AT_ONCE: usize = 128;
/// More are never asked for at a time.
const MOST: i32 = 1 << 16;

fn epoll(m: &mut Mutator, args: Args) -> R<&'static Epoll> {
    this::<Epoll>(m, args, "select.epoll")
}

fn open(m: &mut Mutator, args: Args) -> R<i32> {
    match epoll(m, args)?.0.load(Ordering::Acquire) {
        fd if fd < 0 => Err(m.value_error("I/O operation on closed epoll object")),
        fd => Ok(fd),
    }
}

fn new(th: &mut Thread, args: Args) -> R {
    let size = args.opt(1).map_or(Ok(-1), |v| c_int(th, v))?;
    if size == 0 || size < -1 {
        return Err(th.value_error("negative sizehint"));
    }
    let fd = poll::epoll().map_err(|errno| os_error(th, errno, None))?;
    func::new_host(&mut th.m, args.get(0), Box::new(Epoll(AtomicI32::new(fd))))
}

fn from_fd(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(1))?;
    func::new_host(&mut th.m, args.get(0), Box::new(Epoll(AtomicI32::new(fd))))
}

fn close(th: &mut Thread, args: Args) -> R {
    let fd = epoll(th, args)?.0.swap(-1, Ordering::AcqRel);
    if fd < 0 {
        return Ok(Value::NONE);
    }
    match th.detach(Cause::Blocking, || syscall::close(fd)) {
        Ok(_) | Err(libc::EINTR) => Ok(Value::NONE),
        Err(errno) => Err(os_error(th, errno, None)),
    }
}

fn enter(m: &mut Mutator, args: Args) -> R {
    open(m, args).map(|_| args.get(0))
}

fn closed(m: &mut Mutator, args: Args) -> R {
    Ok(Value::bool(epoll(m, args)?.0.load(Ordering::Acquire) < 0))
}

fn fileno(m: &mut Mutator, args: Args) -> R {
    open(m, args).map(|fd| Value::int_unchecked(i64::from(fd)))
}

fn control(th: &mut Thread, args: Args, operation: i32) -> R {
    let epoll = open(th, args)?;
    let fd = descriptor(th, args.get(1))?;
    let events = match args.opt(2) {
        Some(v) => th.index(v)? as u32,
        None => (libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLOUT) as u32,
    };
    poll::epoll_control(epoll, operation, fd, events).map_err(|errno| os_error(th, errno, None))?;
    Ok(Value::NONE)
}

fn register(th: &mut Thread, args: Args) -> R {
    control(th, args, libc::EPOLL_CTL_ADD)
}

fn modify(th: &mut Thread, args: Args) -> R {
    control(th, args, libc::EPOLL_CTL_MOD)
}

fn unregister(th: &mut Thread, args: Args) -> R {
    control(th, args, libc::EPOLL_CTL_DEL)
}

fn wait(th: &mut Thread, args: Args) -> R {
    let epoll = open(th, args)?;
    let until = match args.opt_not_none(1) {
        Some(v) => Some(number(th, v, "timeout must be an integer or None")?)
            .filter(|s| *s >= 0.0)
            .and_then(deadline),
        None => None,
    };
    let most = match args.opt(2).map_or(Ok(-1), |v| c_int(th, v))? {
        -1 => AT_ONCE,
        n if n > 0 => n.min(MOST) as usize,
        n => return Err(th.value_error(format!("maxevents must be greater than 0, got {n}"))),
    };
    let mut events = vec![poll::Event { events: 0, u64: 0 }; most];
    let n = loop {
        let left = milliseconds_left(until);
        match th.detach(Cause::Blocking, || poll::epoll_wait(epoll, &mut events, left)) {
            Err(libc::EINTR) => th.check_signals()?,
            Err(errno) => return Err(os_error(th, errno, None)),
            Ok(n) => break n,
        }
    };
    pairs(th, events.iter().take(n).map(|event| (event.u64 as i64, i64::from(event.events))))
}

/// Rounded up, so that nobody wakes before the time.
fn milliseconds_left(until: Option<Instant>) -> i32 {
    let Some(until) = until else { return -1 };
    let left = until.saturating_duration_since(Instant::now());
    i32::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX)
}

static EPOLL: TypeDef = TypeDef {
    name: "epoll",
    doc: "Waits for descriptors that are registered; the kernel keeps the list.",
    construct: Some(NativeDef::full("__new__", "cls, sizehint=, flags=", new, "")),
    methods: &[
        NativeDef::full("close", "self, /", close, "Give the descriptor back."),
        NativeDef::data("__enter__", "self, /", enter, "Use it."),
        NativeDef::full("__exit__", "self, *args", close, "Close it."),
        NativeDef::data("fileno", "self, /", fileno, "Its own descriptor."),
        NativeDef::full("register", "self, fd, eventmask=", register, "Wait for a descriptor too."),
        NativeDef::full("modify", "self, fd, eventmask", modify, "Wait for something else of it."),
        NativeDef::full("unregister", "self, fd", unregister, "Do not wait for it any more."),
        NativeDef::full("poll", "self, timeout=, maxevents=", wait, "What is ready, in so many seconds."),
    ],
    class_methods: &[NativeDef::full("fromfd", "cls, fd, /", from_fd, "An epoll that is open already.")],
    properties: &[NativeDef::data("closed", "self, /", closed, "Whether it is closed.")],
    ..TypeDef::BARE
};

pub fn init(th: &mut Thread, module: Value) -> R<()> {
    put_type(th, module, &EPOLL, "select").map(drop)
}
