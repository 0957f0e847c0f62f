//! Module `fcntl`: what can be asked of open descriptors. Must not know what they are of.

use super::oserror::run;
use super::select::descriptor;
use super::support::{c_int, int_arg, numbers, set_int};
use crate::object::{R, Value, bytes, int, str};
use crate::rt::control;
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::ops::memoryview::{bytes_object, writable_buffer};
use crate::vm::thread::Thread;

/// What a call that is given bytes may hold, as in CPython.
const ROOM: usize = 1024;
/// As large as the struct of any request.
const LARGEST: usize = 1 << 14;

/// A number as C takes it: what does not fit is cut off.
fn cut(th: &mut Thread, v: Value) -> R<i32> {
    let n = th.index_value(v)?;
    Ok(int::as_i64(n).unwrap_or(0) as i32)
}

/// The bytes of an argument that is a struct.
fn data(th: &mut Thread, v: Value, caller: &str) -> R<Vec<u8>> {
    let object = bytes_object(th, v)?;
    let Some(found) = str::as_str(object).map(str::as_bytes).or(bytes::as_bytes(object)) else {
        // It is not a number either; this says so.
        return Err(match th.index_value(v) {
            Ok(_) => {
                th.type_error(format!("{caller}() argument 3 must be an integer or a bytes-like object"))
            }
            Err(raised) => raised,
        });
    };
    if found.len() > ROOM {
        return Err(th.value_error(format!("{caller} string arg too long")));
    }
    Ok(found.to_vec())
}

fn fcntl(th: &mut Thread, args: Args) -> R {
    let (fd, command) = (descriptor(th, args.get(0))?, c_int(th, args.get(1))?);
    let given = args.opt(2).unwrap_or(Value::int_unchecked(0));
    if int::is_int(given) || th.lookup_special(given, "__index__").is_some() {
        let argument = cut(th, given)?;
        let result = run(th, None, || control::fcntl(fd, command, argument))?;
        return th.new_int(result);
    }
    let given = data(th, given, "fcntl")?;
    let mut buffer = [0; ROOM];
    buffer.iter_mut().zip(&given).for_each(|(to, byte)| *to = *byte);
    run(th, None, || control::fcntl_struct(fd, command, &mut buffer))?;
    th.new_bytes(buffer.get(..given.len()).unwrap_or(&[]))
}

fn ioctl(th: &mut Thread, args: Args) -> R {
    let fd = descriptor(th, args.get(0))?;
    // Requests are 32 bits, which scripts may write as negative numbers.
    let request = u64::from(cut(th, args.get(1))?.cast_unsigned());
    let given = args.opt(2).unwrap_or(Value::int_unchecked(0));
    if int::is_int(given) {
        let argument = cut(th, given)?;
        let result = run(th, None, || control::ioctl(fd, request, argument))?;
        return th.new_int(result);
    }
    let mutate = args.opt(3).map_or(Ok(true), |v| th.is_true(v))?;
    let mut buffer = vec![0; LARGEST];
    let fits = bytes::as_bytes(given).is_none() && str::as_str(given).is_none();
    if mutate && fits {
        let to = writable_buffer(th, given, "ioctl() argument 3")?;
        let before = to.bytes();
        if before.len() > LARGEST {
            return Err(th.value_error("ioctl buffer too long"));
        }
        buffer.iter_mut().zip(&before).for_each(|(to, byte)| *to = *byte);
        let result = run(th, None, || control::ioctl_struct(fd, request, &mut buffer))?;
        to.fill(&mut th.m, buffer.get(..before.len()).unwrap_or(&[]));
        return th.new_int(result);
    }
    let before = data(th, given, "ioctl")?;
    buffer.iter_mut().zip(&before).for_each(|(to, byte)| *to = *byte);
    run(th, None, || control::ioctl_struct(fd, request, &mut buffer))?;
    th.new_bytes(buffer.get(..before.len()).unwrap_or(&[]))
}

fn flock(th: &mut Thread, args: Args) -> R {
    let (fd, operation) = (descriptor(th, args.get(0))?, c_int(th, args.get(1))?);
    run(th, None, || control::flock(fd, operation))?;
    Ok(Value::NONE)
}

fn lockf(th: &mut Thread, args: Args) -> R {
    let (fd, command) = (descriptor(th, args.get(0))?, c_int(th, args.get(1))?);
    let mut number = |at: usize| args.opt(at).map_or(Ok(0), |v| int_arg(th, v));
    let (len, start) = (number(2)?, number(3)?);
    let whence = args.opt(4).map_or(Ok(0), |v| c_int(th, v))?;
    let kind = match command {
        libc::LOCK_UN => libc::F_UNLCK,
        _ if command & libc::LOCK_SH != 0 => libc::F_RDLCK,
        _ if command & libc::LOCK_EX != 0 => libc::F_WRLCK,
        _ => return Err(th.value_error("unrecognized lockf argument")),
    };
    let wait = command & libc::LOCK_NB == 0;
    run(th, None, || control::lock_part(fd, wait, kind, start, len, whence))?;
    Ok(Value::NONE)
}

const NUMBERS: &[(&str, i64)] = &numbers! {
    F_DUPFD F_DUPFD_CLOEXEC F_GETFD F_SETFD F_GETFL F_SETFL F_GETLK F_SETLK F_SETLKW F_RDLCK F_WRLCK F_UNLCK
    F_OFD_GETLK F_OFD_SETLK F_OFD_SETLKW F_GETOWN F_SETOWN F_NOTIFY F_GETLEASE F_SETLEASE F_GETPIPE_SZ F_SETPIPE_SZ
    F_ADD_SEALS F_GET_SEALS F_SEAL_SEAL F_SEAL_SHRINK F_SEAL_GROW F_SEAL_WRITE
    FD_CLOEXEC LOCK_SH LOCK_EX LOCK_NB LOCK_UN
};

/// Those that the C library's headers define and the crate does not.
const OTHERS: &[(&str, i64)] = &[
    ("F_SETSIG", 10),
    ("F_GETSIG", 11),
    ("F_EXLCK", 4),
    ("F_SHLCK", 8),
    ("FASYNC", libc::O_ASYNC as i64),
    ("F_GETLK64", libc::F_GETLK as i64),
    ("F_SETLK64", libc::F_SETLK as i64),
    ("F_SETLKW64", libc::F_SETLKW as i64),
    ("LOCK_MAND", 32),
    ("LOCK_READ", 64),
    ("LOCK_WRITE", 128),
    ("LOCK_RW", 192),
    ("DN_ACCESS", 1),
    ("DN_MODIFY", 2),
    ("DN_CREATE", 4),
    ("DN_DELETE", 8),
    ("DN_RENAME", 16),
    ("DN_ATTRIB", 32),
    ("DN_MULTISHOT", 1 << 31),
];

fn init(th: &mut Thread, module: Value) -> R<()> {
    for (name, number) in NUMBERS.iter().chain(OTHERS) {
        set_int(&mut th.m, module, name, *number)?;
    }
    Ok(())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "fcntl",
    doc: "What can be asked of open files.",
    functions: &[
        NativeDef::full("fcntl", "fd, cmd, arg=, /", fcntl, "Ask something of a descriptor."),
        NativeDef::full("ioctl", "fd, request, arg=, mutate_flag=, /", ioctl, "Ask something of a device."),
        NativeDef::full("flock", "fd, operation, /", flock, "Lock a whole file."),
        NativeDef::full("lockf", "fd, cmd, len=, start=, whence=, /", lockf, "Lock a part of a file."),
    ],
    types: &[],
    init: Some(init),
};
