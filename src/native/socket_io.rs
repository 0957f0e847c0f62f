//! Methods of sockets that move data. Must not know how sockets are made.

use super::oserror::os_error;
use super::socket::{Sock, sock};
use super::socket_address;
use super::socket_wait::{call, call_until};
use super::support::{c_int, type_name, zeroed};
use crate::object::memoryview::Parts;
use crate::object::{R, Value, bytes, str};
use crate::rt::socket;
use crate::vm::native::{Args, NativeDef};
use crate::vm::ops::memoryview::{bytes_object, writable_buffer};
use crate::vm::thread::Thread;
use std::hint::black_box;

fn flags(th: &mut Thread, args: Args, at: usize) -> R<i32> {
    args.opt(at).map_or(Ok(0), |v| c_int(th, v))
}

fn size(th: &mut Thread, v: Value, caller: &str) -> R<usize> {
    let n = th.index(v)?;
    usize::try_from(n).map_err(|_| th.value_error(format!("negative buffersize in {caller}")))
}

/// The bytes to be sent, in an object that keeps them where they are.
fn data(th: &mut Thread, v: Value) -> R<(Value, &'static [u8])> {
    let object = bytes_object(th, v)?;
    match bytes::as_bytes(object) {
        Some(data) => Ok((object, data)),
        None => {
            let got = if str::as_str(v).is_some() { "str".to_owned() } else { type_name(v) };
            Err(th.type_error(format!("a bytes-like object is required, not '{got}'")))
        }
    }
}

fn recv(th: &mut Thread, args: Args) -> R {
    let (sock, size, flags) = (sock(th, args)?, size(th, args.get(1), "recv")?, flags(th, args, 2)?);
    let mut buffer = zeroed(th, size)?;
    let got = receive(th, sock, &mut buffer, flags)?;
    th.new_bytes(buffer.get(..got).unwrap_or(&[]))
}

fn receive(th: &mut Thread, sock: &Sock, buffer: &mut [u8], flags: i32) -> R<usize> {
    let fd = sock.fd();
    call(th, fd, libc::POLLIN, &sock.patience, || socket::receive(fd, buffer, flags))
}

fn recvfrom(th: &mut Thread, args: Args) -> R {
    let (sock, size, flags) = (sock(th, args)?, size(th, args.get(1), "recvfrom")?, flags(th, args, 2)?);
    let mut buffer = zeroed(th, size)?;
    let (got, from) = receive_from(th, sock, &mut buffer, flags)?;
    let data = th.new_bytes(buffer.get(..got).unwrap_or(&[]))?;
    th.new_tuple(&[data, from])
}

/// How much came, and from where.
fn receive_from(th: &mut Thread, sock: &Sock, buffer: &mut [u8], flags: i32) -> R<(usize, Value)> {
    let fd = sock.fd();
    let (got, from) = call(th, fd, libc::POLLIN, &sock.patience, || socket::receive_from(fd, buffer, flags))?;
    Ok((got, socket_address::shown(th, &from)?))
}

/// Where `recv_into` and `recvfrom_into` write, and as many bytes as may come.
fn place(th: &mut Thread, args: Args, caller: &str) -> R<(Parts, Vec<u8>)> {
    let to = writable_buffer(th, args.get(1), &format!("{caller}() argument 1"))?;
    let wanted = args.opt(2).map_or(Ok(0), |v| size(th, v, caller))?;
    let room = to.nbytes();
    if wanted > room {
        return Err(th.value_error(if caller == "recv_into" {
            "buffer too small for requested bytes"
        } else {
            "nbytes is greater than the length of the buffer"
        }));
    }
    let buffer = zeroed(th, if wanted == 0 { room } else { wanted })?;
    Ok((to, buffer))
}

fn recv_into(th: &mut Thread, args: Args) -> R {
    let sock = sock(th, args)?;
    let (to, mut buffer) = place(th, args, "recv_into")?;
    let flags = flags(th, args, 3)?;
    let got = receive(th, sock, &mut buffer, flags)?;
    to.fill(&mut th.m, buffer.get(..got).unwrap_or(&[]));
    th.new_int(got as i64)
}

fn recvfrom_into(th: &mut Thread, args: Args) -> R {
    let sock = sock(th, args)?;
    let (to, mut buffer) = place(th, args, "recvfrom_into")?;
    let flags = flags(th, args, 3)?;
    let (got, from) = receive_from(th, sock, &mut buffer, flags)?;
    to.fill(&mut th.m, buffer.get(..got).unwrap_or(&[]));
    th.new_tuple(&[Value::int_unchecked(got as i64), from])
}

fn send(th: &mut Thread, args: Args) -> R {
    let (sock, (object, data), flags) = (sock(th, args)?, data(th, args.get(1))?, flags(th, args, 2)?);
    let fd = sock.fd();
    // The bytes lie in the heap, but never move, and the object is kept alive here.
    let sent = call(th, fd, libc::POLLOUT, &sock.patience, || socket::send(fd, data, flags))?;
    black_box(object);
    th.new_int(sent as i64)
}

fn sendall(th: &mut Thread, args: Args) -> R {
    let (sock, (object, data), flags) = (sock(th, args)?, data(th, args.get(1))?, flags(th, args, 2)?);
    let (fd, until) = (sock.fd(), sock.patience.until());
    let mut rest = data;
    while !rest.is_empty() {
        let sent = call_until(th, fd, libc::POLLOUT, until, || socket::send(fd, rest, flags))?;
        rest = rest.get(sent..).unwrap_or(&[]);
        // A long transfer must not keep Ctrl-C waiting.
        th.check_signals()?;
    }
    black_box(object);
    Ok(Value::NONE)
}

fn sendto(th: &mut Thread, args: Args) -> R {
    let (sock, (object, data)) = (sock(th, args)?, data(th, args.get(1))?);
    let (flags, to) = match args.opt(3) {
        Some(to) => (c_int(th, args.get(2))?, to),
        None => (0, args.get(2)),
    };
    let to = socket_address::read(th, to, sock.family(), "sendto")?;
    let fd = sock.fd();
    let sent = call(th, fd, libc::POLLOUT, &sock.patience, || socket::send_to(fd, data, flags, &to))?;
    black_box(object);
    th.new_int(sent as i64)
}

fn sendfile(th: &mut Thread, args: Args) -> R {
    let (sock, from) = (sock(th, args)?, c_int(th, args.get(1))?);
    let offset = args.opt_not_none(2).map(|v| th.index(v)).transpose()?;
    let Ok(count) = usize::try_from(th.index(args.get(3))?) else {
        return Err(os_error(th, libc::EINVAL, None));
    };
    let fd = sock.fd();
    let sent = call(th, fd, libc::POLLOUT, &sock.patience, || socket::send_file(fd, from, offset, count))?;
    th.new_int(sent as i64)
}

pub const RECV: NativeDef =
    NativeDef::full("recv", "self, bufsize, flags=, /", recv, "Receive at most so many bytes.");
pub const RECVFROM: NativeDef =
    NativeDef::full("recvfrom", "self, bufsize, flags=, /", recvfrom, "As recv(), and who sent it.");
pub const RECV_INTO: NativeDef =
    NativeDef::full("recv_into", "self, buffer, nbytes=, flags=", recv_into, "Receive into a buffer.");
pub const RECVFROM_INTO: NativeDef = NativeDef::full(
    "recvfrom_into",
    "self, buffer, nbytes=, flags=",
    recvfrom_into,
    "As recv_into(), and who sent it.",
);
pub const SEND: NativeDef =
    NativeDef::full("send", "self, data, flags=, /", send, "Send some of the data; how much it was.");
pub const SENDALL: NativeDef =
    NativeDef::full("sendall", "self, data, flags=, /", sendall, "Send all of the data.");
pub const SENDTO: NativeDef =
    NativeDef::full("sendto", "self, data, flags_or_address, address=, /", sendto, "Send to an address.");
pub const SENDFILE: NativeDef =
    NativeDef::full("_sendfile", "self, file, offset, count, /", sendfile, "Send a part of a file.");
