//! Module `_socket`: the class of sockets, and making them. Must not know `socket`, which is written in Mini on top.

use super::io_file::File;
use super::oserror::{making, os_error};
use super::socket_wait::{self, Patience, call, timeout_arg};
use super::support::{self, c_int, this, type_name};
use super::{socket_address, socket_constants, socket_io, socket_message};
use crate::gil::Cause;
use crate::object::mutator::Mutator;
use crate::object::{R, Value, bytes, func, int};
use crate::rt::socket::{self, Address};
use crate::rt::syscall::{self, Sys};
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::poll;
use crate::vm::thread::Thread;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

/// An open socket; the descriptor is -1 before it is opened and after it is closed.
#[derive(Debug)]
pub struct Sock {
    fd: AtomicI32,
    family: AtomicI32,
    kind: AtomicI32,
    proto: AtomicI32,
    pub patience: Arc<Patience>,
}

impl Sock {
    pub fn fd(&self) -> i32 {
        self.fd.load(Ordering::Acquire)
    }

    pub fn family(&self) -> i32 {
        self.family.load(Ordering::Relaxed)
    }

    fn open(&self, fd: i32, [family, kind, proto]: [i32; 3]) {
        self.family.store(family, Ordering::Relaxed);
        self.kind.store(kind, Ordering::Relaxed);
        self.proto.store(proto, Ordering::Relaxed);
        self.fd.store(fd, Ordering::Release);
    }
}

impl Drop for Sock {
    fn drop(&mut self) {
        if self.fd() >= 0 {
            let _ = syscall::close(self.fd());
        }
    }
}

/// `setdefaulttimeout`.
static DEFAULT_TIMEOUT: Patience = Patience::endless();

/// The socket of the receiver.
pub fn sock(m: &mut Mutator, args: Args) -> R<&'static Sock> {
    this::<Sock>(m, args, "_socket.socket")
}

fn new(m: &mut Mutator, args: Args) -> R {
    let closed = Sock {
        fd: AtomicI32::new(-1),
        family: AtomicI32::new(libc::AF_INET),
        kind: AtomicI32::new(libc::SOCK_STREAM),
        proto: AtomicI32::new(0),
        patience: Arc::new(Patience::endless()),
    };
    func::new_host(m, args.get(0), Box::new(closed))
}

/// `_open(family, type, proto, fileno)`: `-1` stands for what is usual, or what the descriptor is.
fn open(th: &mut Thread, args: Args) -> R {
    let sock = sock(th, args)?;
    let mut given = [0; 3];
    for (at, n) in given.iter_mut().enumerate() {
        *n = c_int(th, args.get(at + 1))?;
    }
    let [family, kind, proto] = given;
    let flags = if kind == -1 { 0 } else { kind & (libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC) };
    let or = |n: i32, usual: i32| if n == -1 { usual } else { n };
    match args.opt_not_none(4) {
        Some(fileno) => {
            let (fd, facts) = adopted(th, fileno, given)?;
            sock.open(fd, facts);
        }
        None => {
            let (family, kind) = (or(family, libc::AF_INET), or(kind, libc::SOCK_STREAM));
            let fd = making(th, || socket::socket(family, kind, or(proto, 0)))?;
            sock.open(fd, [family, kind & !flags, or(proto, 0)]);
        }
    }
    let nonblocking = flags & libc::SOCK_NONBLOCK != 0;
    let timeout = if nonblocking { Some(Duration::ZERO) } else { DEFAULT_TIMEOUT.get() };
    if timeout.is_some() {
        set_patience(th, sock, timeout)?;
    }
    Ok(Value::NONE)
}

/// A descriptor that is there already, and what it is.
fn adopted(th: &mut Thread, fileno: Value, [family, kind, proto]: [i32; 3]) -> R<(i32, [i32; 3])> {
    if !int::is_int(fileno) {
        let got = type_name(fileno);
        return Err(th.type_error(format!("'{got}' object cannot be interpreted as an integer")));
    }
    let fd = c_int(th, fileno)?;
    if fd < 0 {
        return Err(th.value_error("negative file descriptor"));
    }
    let mut or_ask = |given: i32, ask: &dyn Fn() -> Sys<i32>| match given {
        -1 => ask().map_err(|errno| os_error(th, errno, None)),
        given => Ok(given),
    };
    let option = |name: i32| socket::option_number(fd, libc::SOL_SOCKET, name);
    let family = or_ask(family, &|| socket::name(fd).map(|name| name.family()))?;
    let kind = or_ask(kind, &|| option(libc::SO_TYPE))?;
    let proto = or_ask(proto, &|| option(libc::SO_PROTOCOL))?;
    Ok((fd, [family, kind, proto]))
}

fn socketpair(th: &mut Thread, args: Args) -> R {
    let mut number = |at: usize, usual: i32| args.opt(at).map_or(Ok(usual), |v| c_int(th, v));
    let (family, kind, proto) = (number(0, libc::AF_UNIX)?, number(1, libc::SOCK_STREAM)?, number(2, 0)?);
    let (a, b) = making(th, || socket::socketpair(family, kind, proto))?;
    th.new_tuple(&[Value::int_unchecked(i64::from(a)), Value::int_unchecked(i64::from(b))])
}

fn address_arg(th: &mut Thread, args: Args, caller: &str) -> R<(&'static Sock, Address)> {
    let sock = sock(th, args)?;
    Ok((sock, socket_address::read(th, args.get(1), sock.family(), caller)?))
}

fn bind(th: &mut Thread, args: Args) -> R {
    let (sock, to) = address_arg(th, args, "bind")?;
    let fd = sock.fd();
    th.detach(Cause::Blocking, || socket::bind(fd, &to)).map_err(|errno| os_error(th, errno, None))?;
    Ok(Value::NONE)
}

fn listen(th: &mut Thread, args: Args) -> R {
    // What CPython takes for a good length of the queue.
    let backlog = args.opt(1).map_or(Ok(libc::SOMAXCONN.min(128)), |v| c_int(th, v))?;
    let fd = sock(th, args)?.fd();
    socket::listen(fd, backlog.max(0)).map_err(|errno| os_error(th, errno, None))?;
    Ok(Value::NONE)
}

/// Connects; 0, or the error number.
fn connected(th: &mut Thread, sock: &Sock, to: &Address) -> R<i32> {
    let (fd, patience) = (sock.fd(), sock.patience.get());
    match th.detach(Cause::Blocking, || socket::connect(fd, to)) {
        Ok(_) => return Ok(0),
        // It goes on in the background; how it ended is asked when the socket can be written.
        Err(libc::EINTR) => th.check_signals()?,
        Err(libc::EINPROGRESS) => {}
        Err(errno) => return Ok(errno),
    }
    if patience.is_some_and(|span| span.is_zero()) {
        return Ok(libc::EINPROGRESS);
    }
    if !socket_wait::ready(th, fd, libc::POLLOUT, sock.patience.until())? {
        return Err(socket_wait::timed_out(th));
    }
    Ok(socket::option_number(fd, libc::SOL_SOCKET, libc::SO_ERROR).unwrap_or_else(|errno| errno))
}

fn connect(th: &mut Thread, args: Args) -> R {
    let (sock, to) = address_arg(th, args, "connect")?;
    match connected(th, sock, &to)? {
        0 => Ok(Value::NONE),
        errno => Err(os_error(th, errno, None)),
    }
}

fn connect_ex(th: &mut Thread, args: Args) -> R {
    let (sock, to) = address_arg(th, args, "connect_ex")?;
    let done = connected(th, sock, &to);
    let errno = match done {
        Err(_) if th.pending_is(crate::object::Exc::TimeoutError) => {
            th.take_exception();
            libc::EAGAIN
        }
        done => done?,
    };
    th.new_int(i64::from(errno))
}

fn accept(th: &mut Thread, args: Args) -> R {
    let sock = sock(th, args)?;
    let fd = sock.fd();
    let mut again = true;
    let (made, from) = loop {
        let mut full = None;
        let accepted = call(th, fd, libc::POLLIN, &sock.patience, || match socket::accept(fd) {
            Err(errno @ (libc::EMFILE | libc::ENFILE)) => {
                full = Some(errno);
                Ok((-1, Address::v4(std::net::Ipv4Addr::UNSPECIFIED, 0)))
            }
            done => done,
        })?;
        match full {
            None => break accepted,
            Some(errno) if !std::mem::take(&mut again) => return Err(os_error(th, errno, None)),
            Some(_) => {
                poll::collect(th);
            }
        }
    };
    let from = socket_address::shown(th, &from)?;
    th.new_tuple(&[Value::int_unchecked(made), from])
}

fn close(th: &mut Thread, args: Args) -> R {
    let fd = sock(th, args)?.fd.swap(-1, Ordering::AcqRel);
    if fd < 0 {
        return Ok(Value::NONE);
    }
    match th.detach(Cause::Blocking, || syscall::close(fd)) {
        // A peer that is gone is no reason to complain; nor is the descriptor there after an interruption.
        Ok(_) | Err(libc::EINTR | libc::ECONNRESET) => Ok(Value::NONE),
        Err(errno) => Err(os_error(th, errno, None)),
    }
}

fn detach(m: &mut Mutator, args: Args) -> R {
    let fd = sock(m, args)?.fd.swap(-1, Ordering::AcqRel);
    Ok(Value::int_unchecked(i64::from(fd)))
}

fn fileno(m: &mut Mutator, args: Args) -> R {
    sock(m, args).map(|sock| Value::int_unchecked(i64::from(sock.fd())))
}

fn getsockname(th: &mut Thread, args: Args) -> R {
    let name = socket::name(sock(th, args)?.fd()).map_err(|errno| os_error(th, errno, None))?;
    socket_address::shown(th, &name)
}

fn getpeername(th: &mut Thread, args: Args) -> R {
    let name = socket::peer(sock(th, args)?.fd()).map_err(|errno| os_error(th, errno, None))?;
    socket_address::shown(th, &name)
}

fn shutdown(th: &mut Thread, args: Args) -> R {
    let (fd, how) = (sock(th, args)?.fd(), c_int(th, args.get(1))?);
    socket::shutdown(fd, how).map_err(|errno| os_error(th, errno, None))?;
    Ok(Value::NONE)
}

fn getsockopt(th: &mut Thread, args: Args) -> R {
    let fd = sock(th, args)?.fd();
    let (level, name) = (c_int(th, args.get(1))?, c_int(th, args.get(2))?);
    let room = args.opt(3).map_or(Ok(0), |v| c_int(th, v))?;
    if room == 0 {
        let number = socket::option_number(fd, level, name).map_err(|errno| os_error(th, errno, None))?;
        return th.new_int(i64::from(number));
    }
    let Some(room) = usize::try_from(room).ok().filter(|room| *room <= 1024) else {
        return Err(th.raise(crate::object::Exc::OSError, "getsockopt buflen out of range"));
    };
    let mut buffer = vec![0; room];
    let len = socket::option(fd, level, name, &mut buffer).map_err(|errno| os_error(th, errno, None))?;
    th.new_bytes(buffer.get(..len).unwrap_or(&[]))
}

fn setsockopt(th: &mut Thread, args: Args) -> R {
    let fd = sock(th, args)?.fd();
    let (level, name, value) = (c_int(th, args.get(1))?, c_int(th, args.get(2))?, args.get(3));
    let done = if value.is_none() {
        let len = args.opt(4).map_or(Ok(0), |v| c_int(th, v))?;
        socket::clear_option(fd, level, name, len.unsigned_abs())
    } else if int::is_int(value) {
        let number = c_int(th, value)?;
        socket::set_option(fd, level, name, &number.to_ne_bytes())
    } else {
        let object = bytes_object(th, value)?;
        let Some(data) = bytes::as_bytes(object) else {
            let got = type_name(value);
            return Err(th.type_error(format!("a bytes-like object is required, not '{got}'")));
        };
        socket::set_option(fd, level, name, data)
    };
    done.map_err(|errno| os_error(th, errno, None))?;
    Ok(Value::NONE)
}

/// A socket with a time-out never blocks in the kernel: it is waited for before.
fn set_patience(th: &mut Thread, sock: &Sock, timeout: Option<Duration>) -> R<()> {
    syscall::set_blocking(sock.fd(), timeout.is_none()).map_err(|errno| os_error(th, errno, None))?;
    sock.patience.set(timeout);
    Ok(())
}

fn settimeout(th: &mut Thread, args: Args) -> R {
    let (sock, timeout) = (sock(th, args)?, timeout_arg(th, args.get(1))?);
    set_patience(th, sock, timeout).map(|()| Value::NONE)
}

fn setblocking(th: &mut Thread, args: Args) -> R {
    let (sock, block) = (sock(th, args)?, th.is_true(args.get(1))?);
    set_patience(th, sock, if block { None } else { Some(Duration::ZERO) }).map(|()| Value::NONE)
}

fn getblocking(m: &mut Mutator, args: Args) -> R {
    let timeout = sock(m, args)?.patience.get();
    Ok(Value::bool(timeout.is_none_or(|span| !span.is_zero())))
}

fn gettimeout(m: &mut Mutator, args: Args) -> R {
    let patience = &sock(m, args)?.patience;
    seconds(m, patience)
}

/// A time-out as scripts see it: seconds or None.
fn seconds(m: &mut Mutator, patience: &Patience) -> R {
    match patience.get() {
        Some(span) => m.new_float(span.as_secs_f64()),
        None => Ok(Value::NONE),
    }
}

/// `_share(file)`: a file that was opened on a copy of the descriptor waits as long as the socket does.
fn share(th: &mut Thread, args: Args) -> R {
    let sock = sock(th, args)?;
    let file = support::of_host::<File>(&mut th.m, args.get(1), "_io._IOBase")?;
    file.stream.wait_as(sock.patience.clone());
    Ok(Value::NONE)
}

macro_rules! facts {
    ($($name:ident)*) => { $(
        fn $name(m: &mut Mutator, args: Args) -> R {
            sock(m, args).map(|sock| Value::int_unchecked(i64::from(sock.$name.load(Ordering::Relaxed))))
        }
    )* };
}

facts! { family kind proto }

fn getdefaulttimeout(m: &mut Mutator, _: Args) -> R {
    seconds(m, &DEFAULT_TIMEOUT)
}

fn setdefaulttimeout(th: &mut Thread, args: Args) -> R {
    let timeout = timeout_arg(th, args.get(0))?;
    DEFAULT_TIMEOUT.set(timeout);
    Ok(Value::NONE)
}

static SOCKET: TypeDef = TypeDef {
    name: "socket",
    doc: "The system's half of a socket.",
    construct: Some(NativeDef::data("__new__", "cls, /, *args, **kwargs", new, "")),
    methods: &[
        NativeDef::full("_open", "self, family, type, proto, fileno, /", open, "Ask the system for it."),
        NativeDef::full(
            "_accept",
            "self, /",
            accept,
            "The next connection: its descriptor, and who made it.",
        ),
        NativeDef::full("_close", "self, /", close, "Give the descriptor back."),
        NativeDef::full("_share", "self, file, /", share, "Let a file wait as long as the socket does."),
        NativeDef::full("bind", "self, address, /", bind, "Take an address."),
        NativeDef::full("listen", "self, backlog=, /", listen, "Let others connect."),
        NativeDef::full("connect", "self, address, /", connect, "Connect to an address."),
        NativeDef::full(
            "connect_ex",
            "self, address, /",
            connect_ex,
            "As connect(), but return the error's number.",
        ),
        NativeDef::data("_detach", "self, /", detach, "Forget the descriptor, and return it."),
        NativeDef::data("fileno", "self, /", fileno, "The descriptor; -1 if it is closed."),
        NativeDef::full("getsockname", "self, /", getsockname, "Its own address."),
        NativeDef::full("getpeername", "self, /", getpeername, "The address of the other end."),
        NativeDef::full("shutdown", "self, how, /", shutdown, "End one direction or both."),
        NativeDef::full("getsockopt", "self, level, option, buflen=, /", getsockopt, "Read an option."),
        NativeDef::full("setsockopt", "self, level, option, value, optlen=, /", setsockopt, "Set an option."),
        NativeDef::full(
            "settimeout",
            "self, timeout, /",
            settimeout,
            "Set how long calls may take, in seconds.",
        ),
        NativeDef::full("setblocking", "self, flag, /", setblocking, "Whether calls wait at all."),
        NativeDef::data("getblocking", "self, /", getblocking, "Whether calls wait at all."),
        NativeDef::data("gettimeout", "self, /", gettimeout, "The time-out in seconds, or None."),
        socket_io::RECV,
        socket_io::RECVFROM,
        socket_io::RECV_INTO,
        socket_io::RECVFROM_INTO,
        socket_io::SEND,
        socket_io::SENDALL,
        socket_io::SENDTO,
        socket_io::SENDFILE,
        socket_message::SENDMSG,
        socket_message::RECVMSG,
        socket_message::RECVMSG_INTO,
    ],
    properties: &[
        NativeDef::data("_family", "self, /", family, "The number of its family."),
        NativeDef::data("_type", "self, /", kind, "The number of its kind."),
        NativeDef::data("proto", "self, /", proto, "The number of its protocol."),
        NativeDef::data("timeout", "self, /", gettimeout, "The time-out in seconds, or None."),
    ],
    subclassable: true,
    ..TypeDef::BARE
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_socket",
    doc: "The system's half of sockets.",
    functions: &[
        NativeDef::full("socketpair", "family=, type=, proto=, /", socketpair, "Two connected descriptors."),
        NativeDef::data("getdefaulttimeout", "", getdefaulttimeout, "The time-out of new sockets."),
        NativeDef::full("setdefaulttimeout", "timeout, /", setdefaulttimeout, "Set it."),
        socket_message::CMSG_LEN,
        socket_message::CMSG_SPACE,
    ],
    types: &[&SOCKET],
    init: Some(socket_constants::init),
};
