//! Module `select`: waiting for many descriptors at once, by select and poll; epoll is in `epoll.rs`. Must not know sockets.

use super::epoll;
use super::oserror::os_error;
use super::socket_wait::poll_until;
use super::support::{self, c_int, number, numbers, this};
use crate::object::{Exc, R, Raised, Value, int, list};
use crate::rt::poll::PollFd;
use crate::rt::wait;
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

const READABLE: i16 = libc::POLLIN | libc::POLLRDNORM | libc::POLLRDBAND | libc::POLLHUP | libc::POLLERR;
const WRITABLE: i16 = libc::POLLOUT | libc::POLLWRNORM | libc::POLLWRBAND | libc::POLLERR;

/// A descriptor: an int, or what `fileno()` gives.
pub fn descriptor(th: &mut Thread, v: Value) -> R<i32> {
    let fd = if int::is_int(v) {
        c_int(th, v)?
    } else {
        let name = th.name("fileno")?;
        let Some(fileno) = th.get_attr_opt(v, name)? else {
            return Err(th.type_error("argument must be an int, or have a fileno() method."));
        };
        let fd = th.call(fileno, &[])?;
        if !int::is_int(fd) {
            return Err(th.type_error("fileno() returned a non-integer"));
        }
        c_int(th, fd)?
    };
    if fd < 0 {
        return Err(th.value_error(format!("file descriptor cannot be a negative integer ({fd})")));
    }
    Ok(fd)
}

fn select(th: &mut Thread, args: Args) -> R {
    let until = match args.opt_not_none(3) {
        None => None,
        Some(v) => {
            let seconds = number(th, v, "timeout must be a float or None")?;
            if seconds < 0.0 {
                return Err(th.value_error("timeout must be non-negative"));
            }
            // What the clock cannot say is never over.
            wait::deadline(seconds)
        }
    };
    let scope = th.scope();
    let found = select_until(th, [args.get(0), args.get(1), args.get(2)], until);
    th.close(scope);
    found
}

fn select_until(th: &mut Thread, wanted: [Value; 3], until: Option<Instant>) -> R {
    let mut lists = [Value::NONE; 3];
    let mut fds = Vec::new();
    for ((place, v), events) in lists.iter_mut().zip(wanted).zip([libc::POLLIN, libc::POLLOUT, libc::POLLPRI])
    {
        let items = th.collect(v).map_err(|raised| not_sequence(th, raised))?;
        *place = th.root(items);
        let mut i = 0;
        while let Some(item) = list::of(items).and_then(|l| list::get(l, i)) {
            fds.push(PollFd { fd: small_descriptor(th, item)?, events, revents: 0 });
            i += 1;
        }
    }
    if let Err(errno) = poll_until(th, &mut fds, until)? {
        return Err(os_error(th, errno, None));
    }
    if fds.iter().any(|found| found.revents & libc::POLLNVAL != 0) {
        return Err(os_error(th, libc::EBADF, None));
    }
    let mut found = fds.iter();
    let mut ready = [Value::NONE; 3];
    for ((place, items), mask) in ready.iter_mut().zip(lists).zip([READABLE, WRITABLE, libc::POLLPRI]) {
        let made = th.m.new_list(&[])?;
        *place = made;
        let (Some(from), Some(to)) = (list::of(items), list::of(made)) else { continue };
        for i in 0..list::len(from) {
            let (Some(item), Some(fd)) = (list::get(from, i), found.next()) else { break };
            if fd.revents & mask != 0 {
                list::push(&mut th.m, to, item)?;
            }
        }
    }
    th.new_tuple(&ready)
}

/// `select` takes only descriptors that fit into the system's sets, whatever waits here.
fn small_descriptor(th: &mut Thread, v: Value) -> R<i32> {
    let fd = descriptor(th, v)?;
    if fd as usize >= libc::FD_SETSIZE {
        return Err(th.value_error("filedescriptor out of range in select()"));
    }
    Ok(fd)
}

fn not_sequence(th: &mut Thread, raised: Raised) -> Raised {
    if !th.pending_is(Exc::TypeError) {
        return raised;
    }
    th.take_exception();
    th.type_error("arguments 1-3 must be sequences")
}

/// What is waited for, in the order of registration.
struct Poll(Mutex<Vec<(i32, i16)>>);

impl Poll {
    /// The lock is held for moments only, and never across a call of Mini code.
    fn with<T>(&self, work: impl FnOnce(&mut Vec<(i32, i16)>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn new_poll(th: &mut Thread, _: Args) -> R {
    let class = crate::vm::type_tables::class_of(&POLL).unwrap_or(Value::NONE);
    crate::object::func::new_host(&mut th.m, class, Box::new(Poll(Mutex::default())))
}

fn mask(th: &mut Thread, args: Args, at: usize) -> R<i16> {
    let Some(v) = args.opt(at) else { return Ok(libc::POLLIN | libc::POLLPRI | libc::POLLOUT) };
    let n = th.index(v)?;
    match u16::try_from(n) {
        Ok(mask) => Ok(mask as i16),
        Err(_) if n < 0 => Err(th.value_error("value must be positive")),
        Err(_) => Err(th.raise(Exc::OverflowError, "Python int too large for C unsigned short")),
    }
}

fn register(th: &mut Thread, args: Args) -> R {
    let poll = this::<Poll>(&mut th.m, args, "select.poll")?;
    let (fd, mask) = (descriptor(th, args.get(1))?, mask(th, args, 2)?);
    poll.with(|all| match all.iter_mut().find(|(known, _)| *known == fd) {
        Some(row) => row.1 = mask,
        None => all.push((fd, mask)),
    });
    Ok(Value::NONE)
}

fn modify(th: &mut Thread, args: Args) -> R {
    let poll = this::<Poll>(&mut th.m, args, "select.poll")?;
    let (fd, mask) = (descriptor(th, args.get(1))?, mask(th, args, 2)?);
    let known = poll.with(|all| match all.iter_mut().find(|(known, _)| *known == fd) {
        Some(row) => {
            row.1 = mask;
            true
        }
        None => false,
    });
    if known { Ok(Value::NONE) } else { Err(os_error(th, libc::ENOENT, None)) }
}

fn unregister(th: &mut Thread, args: Args) -> R {
    let poll = this::<Poll>(&mut th.m, args, "select.poll")?;
    let fd = descriptor(th, args.get(1))?;
    let known = poll.with(|all| {
        let before = all.len();
        all.retain(|(known, _)| *known != fd);
        all.len() < before
    });
    if known {
        return Ok(Value::NONE);
    }
    Err(th.raise_with(Exc::KeyError, &[Value::int_unchecked(i64::from(fd))]))
}

fn poll(th: &mut Thread, args: Args) -> R {
    let poll = this::<Poll>(&mut th.m, args, "select.poll")?;
    let milliseconds = match args.opt_not_none(1) {
        Some(v) => number(th, v, "timeout must be an integer or None")?,
        None => -1.0,
    };
    let until = if milliseconds < 0.0 { None } else { wait::deadline(milliseconds.ceil() / 1e3) };
    let mut fds: Vec<PollFd> = poll
        .with(|all| all.iter().map(|(fd, events)| PollFd { fd: *fd, events: *events, revents: 0 }).collect());
    if let Err(errno) = poll_until(th, &mut fds, until)? {
        return Err(os_error(th, errno, None));
    }
    let ready = fds.iter().filter(|found| found.revents != 0);
    pairs(th, ready.map(|found| (i64::from(found.fd), i64::from(found.revents as u16))))
}

/// A list of descriptors and what is the matter with them.
pub fn pairs(th: &mut Thread, ready: impl Iterator<Item = (i64, i64)>) -> R {
    let made = th.m.new_list(&[])?;
    let Some(l) = list::of(made) else { return Ok(made) };
    for (fd, events) in ready {
        let row = th.new_tuple(&[Value::int_unchecked(fd), Value::int_unchecked(events)])?;
        list::push(&mut th.m, l, row)?;
    }
    Ok(made)
}

static POLL: TypeDef = TypeDef {
    name: "poll",
    doc: "Waits for descriptors that are registered.",
    methods: &[
        NativeDef::full("register", "self, fd, eventmask=, /", register, "Wait for a descriptor too."),
        NativeDef::full("modify", "self, fd, eventmask, /", modify, "Wait for something else of it."),
        NativeDef::full("unregister", "self, fd, /", unregister, "Do not wait for it any more."),
        NativeDef::full("poll", "self, timeout=, /", poll, "What is ready, in so many milliseconds."),
    ],
    ..TypeDef::BARE
};

const NUMBERS: &[(&str, i64)] = &numbers! {
    POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL POLLRDNORM POLLRDBAND POLLWRNORM POLLWRBAND POLLRDHUP
    EPOLLIN EPOLLOUT EPOLLPRI EPOLLERR EPOLLHUP EPOLLRDHUP EPOLLRDNORM EPOLLRDBAND EPOLLWRNORM EPOLLWRBAND EPOLLMSG
    EPOLLONESHOT EPOLLEXCLUSIVE EPOLL_CLOEXEC
};

fn init(th: &mut Thread, module: Value) -> R<()> {
    crate::vm::boot::make_type(th, &POLL, "select")?;
    epoll::init(th, module)?;
    for (name, number) in NUMBERS {
        support::set_int(&mut th.m, module, name, *number)?;
    }
    support::set_int(&mut th.m, module, "EPOLLET", 1 << 31)?;
    support::set_int(&mut th.m, module, "PIPE_BUF", 4096)?;
    let error = crate::object::types::exc_class(Exc::OSError);
    support::set(&mut th.m, module, "error", error)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "select",
    doc: "Waiting for many descriptors at once.",
    functions: &[
        NativeDef::full(
            "select",
            "rlist, wlist, xlist, timeout=, /",
            select,
            "Wait until some of them can be read, written, or have something urgent.",
        ),
        NativeDef::full("poll", "", new_poll, "An object that waits for descriptors."),
    ],
    types: &[],
    init: Some(init),
};
