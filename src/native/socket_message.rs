//! Methods of sockets for messages that carry more than bytes. Must not know how sockets are made.

use super::socket::{Sock, sock};
use super::socket_address;
use super::socket_wait::call;
use super::support::{c_int, type_name, zeroed};
use crate::object::memoryview::Parts;
use crate::object::{Exc, R, Value, bytes, list};
use crate::rt::message::{self, Extra, Received};
use crate::vm::native::{Args, NativeDef};
use crate::vm::ops::iterate;
use crate::vm::ops::memoryview::{bytes_object, writable_buffer};
use crate::vm::thread::Thread;
use std::hint::black_box;

fn optional(th: &mut Thread, args: Args, at: usize) -> R<i32> {
    args.opt(at).map_or(Ok(0), |v| c_int(th, v))
}

/// What an iterable gives, as a list that stays rooted until the caller's scope is closed.
fn items(th: &mut Thread, v: Value, what: &str) -> R {
    match th.collect(v) {
        Ok(found) => Ok(th.root(found)),
        Err(raised) if !th.pending_is(Exc::TypeError) => Err(raised),
        Err(_) => {
            th.take_exception();
            Err(th.type_error(format!("{what} must be an iterable")))
        }
    }
}

fn bytes_of(th: &mut Thread, v: Value) -> R<&'static [u8]> {
    let object = bytes_object(th, v)?;
    let object = th.root(object);
    match bytes::as_bytes(object) {
        Some(data) => Ok(data),
        None => {
            let got = type_name(v);
            Err(th.type_error(format!("a bytes-like object is required, not '{got}'")))
        }
    }
}

fn sendmsg(th: &mut Thread, args: Args) -> R {
    let scope = th.scope();
    let sent = send(th, args);
    th.close(scope);
    sent
}

fn send(th: &mut Thread, args: Args) -> R {
    let sock = sock(th, args)?;
    let buffers = items(th, args.get(1), "sendmsg() argument 1")?;
    let mut pieces = Vec::new();
    for v in iterate::values_of(buffers) {
        pieces.push(bytes_of(th, v)?);
    }
    let extras = match args.opt_not_none(2) {
        Some(v) => extras(th, v)?,
        None => Vec::new(),
    };
    let flags = optional(th, args, 3)?;
    let to = match args.opt_not_none(4) {
        Some(to) => Some(socket_address::read(th, to, sock.family(), "sendmsg")?),
        None => None,
    };
    let fd = sock.fd();
    let sent = call(th, fd, libc::POLLOUT, &sock.patience, || {
        message::send(fd, &pieces, &extras, flags, to.as_ref())
    })?;
    black_box(buffers);
    th.new_int(sent as i64)
}

fn extras(th: &mut Thread, v: Value) -> R<Vec<Extra>> {
    let rows = items(th, v, "sendmsg() argument 2")?;
    let mut all = Vec::new();
    for row in iterate::values_of(rows) {
        let [level, kind, data] = three(th, row)?;
        let (level, kind) = (c_int(th, level)?, c_int(th, kind)?);
        all.push((level, kind, bytes_of(th, data)?.to_vec()));
    }
    Ok(all)
}

/// The parts of one extra.
fn three(th: &mut Thread, row: Value) -> R<[Value; 3]> {
    const WHAT: &str = "[sendmsg() ancillary data items]() argument must be";
    let Ok(parts) = th.collect(row) else {
        th.take_exception();
        let got = type_name(row);
        return Err(th.type_error(format!("{WHAT} 3-item sequence, not {got}")));
    };
    th.root(parts);
    let found = iterate::values_of(parts);
    <[Value; 3]>::try_from(found.as_slice())
        .map_err(|_| th.type_error(format!("{WHAT} sequence of length 3, not {}", found.len())))
}

/// Room for extras.
fn room(th: &mut Thread, args: Args) -> R<usize> {
    let room = optional(th, args, 2)?;
    usize::try_from(room).map_err(|_| th.value_error("invalid ancillary data buffer length"))
}

fn receive(th: &mut Thread, sock: &Sock, buffers: &mut [Vec<u8>], room: usize, flags: i32) -> R<Received> {
    let fd = sock.fd();
    call(th, fd, libc::POLLIN, &sock.patience, || message::receive(fd, buffers, room, flags))
}

/// A result: `first`, the extras, the flags, who sent it.
fn shown(th: &mut Thread, first: Value, received: &Received) -> R {
    let rows = th.m.new_list(&[])?;
    th.root(rows);
    for (level, kind, data) in &received.extras {
        let data = th.new_bytes(data)?;
        let number = |n: i32| Value::int_unchecked(i64::from(n));
        let row = th.new_tuple(&[number(*level), number(*kind), data])?;
        if let Some(l) = list::of(rows) {
            list::push(&mut th.m, l, row)?;
        }
    }
    let from = socket_address::shown(th, &received.from)?;
    th.new_tuple(&[first, rows, Value::int_unchecked(i64::from(received.flags)), from])
}

fn recvmsg(th: &mut Thread, args: Args) -> R {
    let sock = sock(th, args)?;
    let size = c_int(th, args.get(1))?;
    let Ok(size) = usize::try_from(size) else {
        return Err(th.value_error("negative buffer size in recvmsg()"));
    };
    let (room, flags) = (room(th, args)?, optional(th, args, 3)?);
    let mut buffers = [zeroed(th, size)?];
    let received = receive(th, sock, &mut buffers, room, flags)?;
    let scope = th.scope();
    let data = th.new_bytes(buffers[0].get(..received.len).unwrap_or(&[]))?;
    let data = th.root(data);
    let made = shown(th, data, &received);
    th.close(scope);
    made
}

fn recvmsg_into(th: &mut Thread, args: Args) -> R {
    let scope = th.scope();
    let received = receive_into(th, args);
    th.close(scope);
    received
}

fn writable(th: &mut Thread, v: Value) -> R<Parts> {
    match writable_buffer(th, v, "recvmsg_into() argument 1") {
        Err(_) if th.pending_is(Exc::TypeError) => {
            th.take_exception();
            let what = "recvmsg_into() argument 1 must be an iterable of single-segment read-write buffers";
            Err(th.type_error(what))
        }
        found => found,
    }
}

fn receive_into(th: &mut Thread, args: Args) -> R {
    let sock = sock(th, args)?;
    let places = items(th, args.get(1), "recvmsg_into() argument 1")?;
    let mut parts: Vec<Parts> = Vec::new();
    let mut buffers = Vec::new();
    for v in iterate::values_of(places) {
        let to = writable(th, v)?;
        buffers.push(zeroed(th, to.nbytes())?);
        parts.push(to);
    }
    let (room, flags) = (room(th, args)?, optional(th, args, 3)?);
    let received = receive(th, sock, &mut buffers, room, flags)?;
    let mut left = received.len;
    for (to, buffer) in parts.iter().zip(&buffers) {
        let came = buffer.get(..left.min(buffer.len())).unwrap_or(&[]);
        to.fill(&mut th.m, came);
        left -= came.len();
    }
    black_box(places);
    shown(th, Value::int_unchecked(received.len as i64), &received)
}

fn cmsg(th: &mut Thread, args: Args, name: &str, size: fn(usize) -> Option<usize>) -> R {
    let n = th.index(args.get(0))?;
    match usize::try_from(n).ok().and_then(size) {
        Some(size) => th.new_int(size as i64),
        None => Err(th.raise(Exc::OverflowError, format!("{name}() argument out of range"))),
    }
}

fn cmsg_len(th: &mut Thread, args: Args) -> R {
    cmsg(th, args, "CMSG_LEN", message::extra_len)
}

fn cmsg_space(th: &mut Thread, args: Args) -> R {
    cmsg(th, args, "CMSG_SPACE", message::extra_space)
}

pub const SENDMSG: NativeDef = NativeDef::full(
    "sendmsg",
    "self, buffers, ancdata=, flags=, address=, /",
    sendmsg,
    "Send pieces as one message, with extras.",
);
pub const RECVMSG: NativeDef = NativeDef::full(
    "recvmsg",
    "self, bufsize, ancbufsize=, flags=, /",
    recvmsg,
    "Receive a message and its extras.",
);
pub const RECVMSG_INTO: NativeDef = NativeDef::full(
    "recvmsg_into",
    "self, buffers, ancbufsize=, flags=, /",
    recvmsg_into,
    "As recvmsg(), into buffers.",
);
pub const CMSG_LEN: NativeDef =
    NativeDef::full("CMSG_LEN", "length, /", cmsg_len, "The length of an extra with so many bytes.");
pub const CMSG_SPACE: NativeDef = NativeDef::full(
    "CMSG_SPACE",
    "length, /",
    cmsg_space,
    "The room that an extra with so many bytes takes.",
);
