//! Whole messages over descriptors, framed as CPython frames them, and waiting for several descriptors: functions of
//! `_multiprocessing`. Must not know what messages mean.

use super::oserror::{blocking, os_error, run};
use super::socket_wait::ready;
use super::support::{c_int, int_arg, number, this, zeroed};
use crate::gil::Cause;
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Raised, Value, bytes, func, list};
use crate::rt::poll::{self, PollFd};
use crate::rt::syscall::Sys;
use crate::rt::{pipes, socket, syscall, wait};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::ops::iterate::values_of;
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

/// Messages that are longer have a longer header.
const SHORT: usize = 0x7fff_ffff;
/// What is read at once, of connections with one message on its way.
const AHEAD: usize = 4096;

fn header(len: usize) -> ([u8; 12], usize) {
    let mut header = [0; 12];
    if len <= SHORT {
        header[..4].copy_from_slice(&(len as u32).to_be_bytes());
        return (header, 4);
    }
    header[..4].copy_from_slice(&u32::MAX.to_be_bytes());
    header[4..].copy_from_slice(&(len as u64).to_be_bytes());
    (header, 12)
}

/// Waits until the descriptor takes bytes: it is one that does not block.
pub(super) fn wait_writable(th: &mut Thread, fd: i32) -> R<()> {
    ready(th, fd, libc::POLLOUT, None).map(drop)
}

fn send(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    let object = bytes_object(th, args.get(1))?;
    let Some(data) = bytes::as_bytes(object) else {
        return Err(th.type_error("a bytes-like object is required"));
    };
    let (header, n) = header(data.len());
    let header = header.get(..n).unwrap_or(&header);
    let mut done = 0;
    while done < n + data.len() {
        // The bytes lie in the heap, but never move, and the object is kept alive here.
        match blocking(th, || pipes::write_pieces(fd, [header, data], done))? {
            Ok(taken) => done += taken,
            Err(libc::EAGAIN) => wait_writable(th, fd)?,
            Err(errno) => return Err(os_error(th, errno, None)),
        }
    }
    std::hint::black_box(object);
    Ok(Value::NONE)
}

/// Reads what comes next; 0 at the end. What is there already is read without detaching.
fn read(th: &mut Thread, fd: i32, buffer: &mut [u8]) -> R<usize> {
    if let Ok(Some(got)) = pipes::read_now(fd, buffer) {
        return Ok(got);
    }
    run(th, None, || {
        let soon = pipes::soon(|| pipes::read_now(fd, buffer).transpose());
        soon.unwrap_or_else(|| syscall::read(fd, buffer))
    })
}

/// Fills the buffer from `done` on. Errors: EOFError at the end of the file, OSError in the midst of a message.
pub(super) fn fill(th: &mut Thread, fd: i32, buffer: &mut [u8], mut done: usize, begun: bool) -> R<()> {
    while done < buffer.len() {
        let rest = buffer.get_mut(done..).unwrap_or_default();
        match read(th, fd, rest)? {
            0 => return Err(ended(th, begun || done > 0)),
            got => done += got,
        }
    }
    Ok(())
}

fn ended(th: &mut Thread, midst: bool) -> Raised {
    if midst {
        th.raise(Exc::OSError, "got end of file during message")
    } else {
        th.raise_with(Exc::EOFError, &[])
    }
}

/// The length that a header says; `None`: the longer one follows.
fn length(th: &mut Thread, header: [u8; 4]) -> R<Option<usize>> {
    match i32::from_be_bytes(header) {
        -1 => Ok(None),
        n => usize::try_from(n).map(Some).map_err(|_| too_long(th)),
    }
}

fn too_long(th: &mut Thread) -> Raised {
    th.raise(Exc::OSError, "bad message length")
}

/// The length of the next message. Errors: as `fill`.
fn next_length(th: &mut Thread, fd: i32) -> R<usize> {
    let mut short = [0; 4];
    fill(th, fd, &mut short, 0, false)?;
    match length(th, short)? {
        Some(n) => Ok(n),
        None => {
            let mut long = [0; 8];
            fill(th, fd, &mut long, 0, true)?;
            usize::try_from(u64::from_be_bytes(long)).map_err(|_| too_long(th))
        }
    }
}

/// Looks at what comes next in a socket, and leaves it there; 0 at the end. `None`: it is no socket.
fn peek(th: &mut Thread, fd: i32, buffer: &mut [u8]) -> R<Option<usize>> {
    let mut look = |flags| match socket::receive(fd, buffer, libc::MSG_PEEK | flags) {
        Err(libc::EAGAIN | libc::EINTR) if flags != 0 => Ok(None),
        seen => seen.map(Some),
    };
    match look(libc::MSG_DONTWAIT) {
        Ok(Some(seen)) => return Ok(Some(seen)),
        Err(libc::ENOTSOCK) => return Ok(None),
        _ => {}
    }
    run(th, None, || {
        let soon = pipes::soon(|| look(libc::MSG_DONTWAIT).transpose());
        soon.map_or_else(|| look(0), |seen| seen.map(Some))
    })
}

/// A short message that has arrived in a socket: looked at, and then taken whole, so that whoever is killed has taken all of it or
/// nothing. `None`: it is longer than the limit or than what is looked at, or not all there, or this is no socket.
fn recv_whole(th: &mut Thread, fd: i32, limit: u64) -> R<Option<Value>> {
    let mut buffer = [0; AHEAD];
    let Some(seen) = peek(th, fd, &mut buffer)? else { return Ok(None) };
    if seen == 0 {
        return Err(ended(th, false));
    }
    let n = buffer.first_chunk::<4>().map_or(-1, |head| i32::from_be_bytes(*head));
    let Ok(n) = usize::try_from(n) else { return Ok(None) };
    if n + 4 > seen || n as u64 > limit {
        return Ok(None);
    }
    let whole = buffer.get_mut(..n + 4).unwrap_or_default();
    fill(th, fd, whole, 0, true)?;
    th.new_bytes(buffer.get(4..n + 4).unwrap_or_default()).map(Some)
}

/// One message; None: it is longer than the limit.
fn recv(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    let limit = args.opt_not_none(1).map_or(Ok(i64::MAX), |v| int_arg(th, v))?.max(0) as u64;
    if let Some(message) = recv_whole(th, fd, limit)? {
        return Ok(message);
    }
    let n = next_length(th, fd)?;
    if n as u64 > limit {
        return Ok(Value::NONE);
    }
    if n <= AHEAD {
        let mut buffer = [0; AHEAD];
        let part = buffer.get_mut(..n).unwrap_or_default();
        fill(th, fd, part, 0, true)?;
        return th.new_bytes(part);
    }
    let mut buffer = zeroed(th, n)?;
    fill(th, fd, &mut buffer, 0, true)?;
    th.new_bytes(&buffer)
}

/// As `recv`, of a descriptor on which no second message can follow before an answer: header and body at once.
fn recv_only(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(0))?;
    let mut buffer = [0; AHEAD];
    let mut done = 0;
    while done < 4 {
        let rest = buffer.get_mut(done..).unwrap_or_default();
        match read(th, fd, rest)? {
            0 => return Err(ended(th, done > 0)),
            got => done += got,
        }
    }
    let head = buffer.first_chunk::<4>().copied().unwrap_or_default();
    let Some(n) = length(th, head)? else { return Err(too_long(th)) };
    if n + 4 <= done {
        return th.new_bytes(buffer.get(4..4 + n).unwrap_or(&[]));
    }
    let mut whole = zeroed(th, n)?;
    let had = buffer.get(4..done).unwrap_or(&[]);
    whole.iter_mut().zip(had).for_each(|(to, from)| *to = *from);
    fill(th, fd, &mut whole, done - 4, true)?;
    th.new_bytes(&whole)
}

/// Which of some descriptors can be read. Waits for the first, at most so many seconds.
fn wait_readable(th: &mut Thread, args: Args) -> R {
    let mut asked = Vec::new();
    for fd in values_of(args.get(0)) {
        asked.push(PollFd { fd: c_int(th, fd)?, events: libc::POLLIN, revents: 0 });
    }
    let deadline = match args.opt_not_none(1) {
        Some(v) => wait::deadline(number(th, v, "must be real number, not {}")?),
        None => None,
    };
    poll_soon_until(th, &mut asked, deadline)?;
    if asked.iter().any(|a| a.revents & libc::POLLNVAL != 0) {
        return Err(os_error(th, libc::EBADF, None));
    }
    let ready = th.new_list(&[])?;
    let Some(l) = list::of(ready) else { return Ok(ready) };
    for one in asked.iter().filter(|a| a.revents != 0) {
        list::push(th, l, Value::int_unchecked(i64::from(one.fd)))?;
    }
    Ok(ready)
}

/// As that of sockets, but looks again for a moment before it sleeps, and does not detach to look only once.
fn poll_soon_until(th: &mut Thread, asked: &mut [PollFd], deadline: Option<Instant>) -> R<()> {
    const NOW: Option<Duration> = Some(Duration::ZERO);
    loop {
        let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
        let done = if left == NOW {
            poll::poll(asked, NOW)
        } else {
            th.detach(Cause::Blocking, || {
                let soon = pipes::soon(|| poll::poll(asked, NOW).map(|n| (n > 0).then_some(n)).transpose());
                soon.unwrap_or_else(|| poll::poll(asked, left))
            })
        };
        match done {
            Err(libc::EINTR) => th.check_signals()?,
            Err(errno) => return Err(os_error(th, errno, None)),
            Ok(_) => return Ok(()),
        }
    }
}

fn descriptor(th: &mut Thread, made: Sys<i32>) -> R {
    match made {
        Ok(fd) => th.new_int(i64::from(fd)),
        Err(errno) => Err(os_error(th, errno, None)),
    }
}

fn pair(th: &mut Thread, _: Args) -> R {
    let (one, other) =
        socket::socketpair(libc::AF_UNIX, libc::SOCK_STREAM, 0).map_err(|errno| os_error(th, errno, None))?;
    th.new_tuple(&[Value::int_unchecked(i64::from(one)), Value::int_unchecked(i64::from(other))])
}

/// Closes a descriptor when nobody refers to it any more.
struct Descriptor(AtomicI32);

impl Descriptor {
    fn close(&self) {
        let fd = self.0.swap(-1, Ordering::AcqRel);
        if fd >= 0 {
            let _ = syscall::close(fd);
        }
    }
}

impl Drop for Descriptor {
    fn drop(&mut self) {
        self.close();
    }
}

fn own(th: &mut Thread, args: Args) -> R {
    let fd = c_int(th, args.get(1))?;
    func::new_host(th, args.get(0), Box::new(Descriptor(AtomicI32::new(fd))))
}

fn close_owned(m: &mut Mutator, args: Args) -> R {
    this::<Descriptor>(m, args, "Descriptor")?.close();
    Ok(Value::NONE)
}

fn let_go(m: &mut Mutator, args: Args) -> R {
    let fd = this::<Descriptor>(m, args, "Descriptor")?.0.swap(-1, Ordering::AcqRel);
    m.new_int(i64::from(fd))
}

pub static DESCRIPTOR: TypeDef = TypeDef {
    name: "Descriptor",
    kind: Kind::Host,
    doc: "Owns a descriptor: it is closed when nobody refers to this object any more.",
    construct: Some(NativeDef::full("__new__", "cls, fd, /", own, "")),
    methods: &[
        NativeDef::data("close", "self, /", close_owned, "Close it now."),
        NativeDef::data("detach", "self, /", let_go, "Leave it open, and return it."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};

fn process(th: &mut Thread, args: Args) -> R {
    let pid = c_int(th, args.get(0))?;
    descriptor(th, pipes::process(pid))
}

fn wait_for_end(th: &mut Thread, args: Args) -> R {
    let pid = c_int(th, args.get(0))?;
    run(th, None, || pipes::wait_for_end(pid))?;
    Ok(Value::NONE)
}

fn widen(th: &mut Thread, args: Args) -> R {
    let (fd, size) = (c_int(th, args.get(0))?, c_int(th, args.get(1))?);
    pipes::widen(fd, size);
    Ok(Value::NONE)
}

fn runs(th: &mut Thread, args: Args) -> R {
    let pid = c_int(th, args.get(0))?;
    Ok(Value::bool(pipes::runs(pid)))
}

pub const SEND: NativeDef = NativeDef::full("send", "fd, data, /", send, "Send a message.");
pub const RECV: NativeDef =
    NativeDef::full("recv", "fd, limit=, /", recv, "Receive a message; None if it is longer than the limit.");
pub const RECV_ONLY: NativeDef =
    NativeDef::full("recv_only", "fd, /", recv_only, "Receive a message that no other can follow yet.");
pub const WAIT: NativeDef = NativeDef::full(
    "wait",
    "fds, timeout=, /",
    wait_readable,
    "Wait for descriptors; return those that can be read.",
);
pub const PAIR: NativeDef =
    NativeDef::full("pair", "", pair, "Two ends of a connection that goes both ways.");
pub const PROCESS: NativeDef = NativeDef::full(
    "process",
    "pid, /",
    process,
    "A descriptor that can be read when the process has ended.",
);
pub const WAIT_FOR_END: NativeDef = NativeDef::full(
    "wait_for_end",
    "pid, /",
    wait_for_end,
    "Wait until a child has ended, without asking for its status.",
);
pub const WIDEN: NativeDef = NativeDef::full("widen", "fd, size, /", widen, "Let a pipe hold more.");
pub const RUNS: NativeDef = NativeDef::full("runs", "pid, /", runs, "Whether a process runs.");
