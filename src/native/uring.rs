//! Module `_io_uring`: requests to the kernel that are done while the script does something else. Must not know files.

use super::oserror::{os_error, run};
use super::select::descriptor;
use super::support::{c_int, this, type_name, zeroed};
use crate::object::{R, Value, bytes, func, list};
use crate::rt::uring::{Operation, Ring};
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;

fn ring(th: &mut Thread, args: Args) -> R<&'static Ring> {
    this::<Ring>(&mut th.m, args, "_io_uring.Ring")
}

fn new(th: &mut Thread, args: Args) -> R {
    let entries = c_int(th, args.get(1))?;
    let made = Ring::new(entries.max(0).cast_unsigned()).map_err(|errno| os_error(th, errno, None))?;
    func::new_host(&mut th.m, args.get(0), Box::new(made))
}

/// Adds a request; false: the ring is full.
fn add(th: &mut Thread, args: Args, operation: Operation, fd: i32, offset: i64, buffer: Vec<u8>) -> R {
    let token = th.index(args.get(1))?.cast_unsigned();
    Ok(Value::bool(ring(th, args)?.add(operation, fd, offset, token, buffer)))
}

fn nop(th: &mut Thread, args: Args) -> R {
    add(th, args, Operation::Nothing, -1, 0, Vec::new())
}

fn read(th: &mut Thread, args: Args) -> R {
    let (fd, size) = (descriptor(th, args.get(2))?, c_int(th, args.get(3))?);
    let offset = args.opt(4).map_or(Ok(-1), |v| th.index(v))?;
    let buffer = zeroed(th, size.max(0) as usize)?;
    add(th, args, Operation::Read, fd, offset, buffer)
}

fn write(th: &mut Thread, args: Args) -> R {
    let fd = descriptor(th, args.get(2))?;
    let object = bytes_object(th, args.get(3))?;
    let Some(data) = bytes::as_bytes(object).map(<[u8]>::to_vec) else {
        let got = type_name(args.get(3));
        return Err(th.type_error(format!("a bytes-like object is required, not '{got}'")));
    };
    let offset = args.opt(4).map_or(Ok(-1), |v| th.index(v))?;
    add(th, args, Operation::Write, fd, offset, data)
}

fn enter(th: &mut Thread, args: Args) -> R {
    let ring = ring(th, args)?;
    let results = args.opt(1).map_or(Ok(0), |v| c_int(th, v))?.max(0).cast_unsigned();
    let taken = run(th, None, || ring.enter(results))?;
    th.new_int(i64::from(taken))
}

/// A list of (token, result, data): what was read, or None.
fn results(th: &mut Thread, args: Args) -> R {
    let done = ring(th, args)?.results();
    let made = th.m.new_list(&[])?;
    for each in done {
        let came = usize::try_from(each.result).ok().and_then(|n| each.buffer.get(..n));
        let data = th.new_bytes(came.unwrap_or(&[]))?;
        let token = th.new_int(each.token.cast_signed())?;
        let row = th.new_tuple(&[token, Value::int_unchecked(i64::from(each.result)), data])?;
        if let Some(l) = list::of(made) {
            list::push(&mut th.m, l, row)?;
        }
    }
    Ok(made)
}

static RING: TypeDef = TypeDef {
    name: "Ring",
    doc: "Requests that the kernel works on by itself.",
    construct: Some(NativeDef::full("__new__", "cls, entries, /", new, "")),
    methods: &[
        NativeDef::full("nop", "self, token, /", nop, "Request nothing; false: the ring is full."),
        NativeDef::full("read", "self, token, fd, size, offset=, /", read, "Request a read."),
        NativeDef::full("write", "self, token, fd, data, offset=, /", write, "Request a write."),
        NativeDef::full("enter", "self, results=, /", enter, "Hand requests over; wait for so many results."),
        NativeDef::full("results", "self, /", results, "What is done: (token, result, data) of each."),
    ],
    ..TypeDef::BARE
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_io_uring",
    doc: "Requests to the kernel that are done while the script does something else.",
    functions: &[],
    types: &[&RING],
    init: None,
};
