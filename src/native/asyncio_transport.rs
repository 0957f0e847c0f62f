//! `_asyncio.StreamTransport`: the short ways of a connection. What has come goes to the protocol, what is written goes to
//! the socket at once. Whatever else there is to do is Mini code's (`asyncio._socket_transports`), which also says when the
//! short ways are open. Must not know buffers, limits, or how a connection ends.

use super::asyncio_io as io;
use super::asyncio_loop as event_loop;
use super::contextvars;
use super::oserror::os_error;
use crate::object::layout::Wide;
use crate::object::{Exc, Kind, R, Value, bytes, types, wide};
use crate::rt::reactor::READABLE;
use crate::rt::socket;
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;
use crate::vm::type_tables;
use std::sync::atomic::Ordering::{Acquire, Release};

/// Role among wide objects.
pub const TRANSPORT: u32 = 7;

/// What is written goes to the socket: nothing waits before it, and the connection is whole.
const DIRECT: u32 = 1 << 8;
/// The loop watches for something to read.
const READS: u32 = 1 << 9;
/// The protocol has a buffer of its own.
const BUFFERED: u32 = 1 << 10;

const PROTOCOL: usize = 0;
const CONTEXT: usize = 1;

/// Much is read at a time: a buffer that all connections of a loop share costs nothing.
pub const ROOM: usize = 256 * 1024;

fn this(th: &mut Thread, args: Args) -> R<&'static Wide> {
    wide::of_role(args.get(0), TRANSPORT).ok_or_else(|| th.type_error("a StreamTransport is expected"))
}

fn descriptor(transport: &Wide) -> i32 {
    transport.number.load(Acquire) as i32
}

fn construct(th: &mut Thread, args: Args) -> R {
    let base = type_tables::class_of(&TRANSPORT_TYPE).unwrap_or(Value::NONE);
    let plan = wide::Plan {
        class: args.get(0),
        base,
        bits: TRANSPORT,
        number: u32::MAX,
        extra: [None, None],
        words: &[None, None],
    };
    wide::new(&mut th.m, &plan).map(wide::value)
}

/// `_begin(loop, fd)`.
fn begin(th: &mut Thread, args: Args) -> R {
    let transport = this(th, args)?;
    let fd = super::support::c_int(th, args.get(2))?;
    transport.host.extra[0].set(args.get(1));
    transport.number.store(fd as u32, Release);
    wide::set(transport, DIRECT);
    Ok(Value::NONE)
}

/// `_end()`: the descriptor is no more.
fn end(th: &mut Thread, args: Args) -> R {
    let transport = this(th, args)?;
    wide::clear(transport, DIRECT | READS);
    transport.number.store(u32::MAX, Release);
    transport.host.extra[0].clear();
    wide::word(transport, PROTOCOL).clear();
    Ok(Value::NONE)
}

/// `_use(protocol, buffered)`.
fn use_protocol(th: &mut Thread, args: Args) -> R {
    let transport = this(th, args)?;
    wide::word(transport, PROTOCOL).set(args.get(1));
    if th.is_true(args.get(2))? {
        wide::set(transport, BUFFERED)
    } else {
        wide::clear(transport, BUFFERED)
    };
    Ok(Value::NONE)
}

/// `_direct(on)`.
fn direct(th: &mut Thread, args: Args) -> R {
    let transport = this(th, args)?;
    if th.is_true(args.get(1))? {
        wide::set(transport, DIRECT)
    } else {
        wide::clear(transport, DIRECT)
    };
    Ok(Value::NONE)
}

/// `_watch()`: what comes is read from now on.
fn watch(th: &mut Thread, args: Args) -> R {
    let transport = this(th, args)?;
    let Some(of) = transport.host.extra[0].get().and_then(event_loop::of) else { return Ok(Value::NONE) };
    let context = contextvars::copy(th)?;
    wide::word(transport, CONTEXT).set(context);
    wide::set(transport, READS);
    io::watch(th, of, descriptor(transport), READABLE, args.get(0))?;
    Ok(Value::NONE)
}

/// `_unwatch()`.
fn unwatch(th: &mut Thread, args: Args) -> R {
    let transport = this(th, args)?;
    if wide::clear(transport, READS) & READS != 0
        && let Some(of) = transport.host.extra[0].get().and_then(event_loop::of)
    {
        io::unwatch(th, of, descriptor(transport), READABLE)?;
    }
    Ok(Value::NONE)
}

/// Something has come, or the other end is closed. Errors: what is for the loop.
pub fn read_ready(th: &mut Thread, transport: &'static Wide) -> R<()> {
    if !wide::has(transport, READS) {
        return Ok(());
    }
    let context = wide::word(transport, CONTEXT).value();
    let before = contextvars::enter(th, context)?;
    let done = read(th, transport);
    contextvars::leave(th, context, before);
    done
}

fn read(th: &mut Thread, transport: &'static Wide) -> R<()> {
    let v = wide::value(transport);
    if wide::has(transport, BUFFERED) {
        return th.call_method(v, "_read_into_buffer", &[]).map(drop);
    }
    let Some(of) = transport.host.extra[0].get().and_then(event_loop::of) else { return Ok(()) };
    let fd = descriptor(transport);
    let data = of.data.with_buffer(|buffer| match socket::receive(fd, buffer, libc::MSG_DONTWAIT)? {
        0 => Ok(None),
        n => Ok(Some(th.new_bytes(buffer.get(..n).unwrap_or(&[])))),
    });
    match data {
        Ok(Some(data)) => received(th, transport, data?),
        Ok(None) => th.call_method(v, "_read_eof", &[]).map(drop),
        Err(libc::EAGAIN | libc::EINTR) => Ok(()),
        Err(errno) => {
            os_error(th, errno, None);
            let error = th.take_exception();
            th.call_method(v, "_read_failed", &[error]).map(drop)
        }
    }
}

fn received(th: &mut Thread, transport: &'static Wide, data: Value) -> R<()> {
    let protocol = wide::word(transport, PROTOCOL).value();
    match th.call_method_again(protocol, "data_received", &[data]) {
        Ok(_) => Ok(()),
        Err(raised) if th.pending_is(Exc::KeyboardInterrupt) || th.pending_is(Exc::SystemExit) => Err(raised),
        Err(_) => {
            let error = th.take_exception();
            th.call_method(wide::value(transport), "_receiver_failed", &[error]).map(drop)
        }
    }
}

fn write(th: &mut Thread, args: Args) -> R {
    let transport = this(th, args)?;
    let (v, data) = (args.get(0), args.get(1));
    let is_bytes = matches!(types::kind_of(data), Kind::Bytes | Kind::ByteArray | Kind::MemoryView);
    if !is_bytes || !wide::has(transport, DIRECT) {
        return th.call_method(v, "_write_slowly", &[data]);
    }
    let object = if types::kind_of(data) == Kind::Bytes { data } else { bytes_object(th, data)? };
    let Some(given) = bytes::as_bytes(object).filter(|given| !given.is_empty()) else {
        return Ok(Value::NONE);
    };
    match socket::send(descriptor(transport), given, libc::MSG_DONTWAIT) {
        Ok(sent) if sent == given.len() => Ok(Value::NONE),
        Ok(sent) => {
            let sent = th.m.new_int(sent as i64)?;
            th.call_method(v, "_write_rest", &[object, sent])
        }
        Err(libc::EAGAIN | libc::EINTR) => {
            th.call_method(v, "_write_rest", &[object, Value::int_unchecked(0)])
        }
        Err(errno) => {
            os_error(th, errno, None);
            let error = th.take_exception();
            th.call_method(v, "_write_failed", &[error])
        }
    }
}

pub static TRANSPORT_TYPE: TypeDef = TypeDef {
    name: "StreamTransport",
    kind: Kind::Host,
    doc: "The short ways of a connection.",
    construct: Some(NativeDef::full("StreamTransport", "cls, /, *args, **kwargs", construct, "")),
    methods: &[
        NativeDef::full("write", "self, data, /", write, "Send what the socket takes, and the rest later."),
        NativeDef::full("_begin", "self, loop, fd, /", begin, "Take the descriptor of a loop."),
        NativeDef::full("_end", "self, /", end, "Forget everything."),
        NativeDef::full("_use", "self, protocol, buffered, /", use_protocol, "Who is told what comes."),
        NativeDef::full("_direct", "self, on, /", direct, "Whether write() may send at once."),
        NativeDef::full("_watch", "self, /", watch, "Read what comes."),
        NativeDef::full("_unwatch", "self, /", unwatch, "Leave it."),
    ],
    subclassable: true,
    ..TypeDef::BARE
};
