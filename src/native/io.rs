//! Module `_io`: `open`, and the classes of open files. Must not know `io`, which is written in Mini on top.

use super::codecs::Codec;
use super::io_file::{self, File, Layer};
use super::io_stream::{self, Access, BUFFER, Stream};
use super::io_text::{Newline, Text};
use super::oserror::{blocking, os_error};
use super::support::{self, c_int, type_name};
use super::{io_buffer, io_text};
use crate::object::class;
use crate::object::{Exc, Kind, R, Raised, Value, Word, bytes, func, int, str, types};
use crate::rt::syscall;
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;
use crate::vm::{import, poll, type_tables};
use std::ffi::CString;

/// The argument `mode`, taken apart.
#[derive(Clone, Copy)]
struct Mode {
    access: Access,
    binary: bool,
}

/// `open` itself, for the built-in function and the module.
pub const OPEN: NativeDef = NativeDef::full(
    "open",
    "file, mode=, buffering=, encoding=, errors=, newline=, closefd=, opener=",
    open,
    "Open a file and return a file object.",
);

fn parse_mode(th: &mut Thread, mode: &str) -> R<Mode> {
    let count = |c: char| mode.matches(c).count();
    let known = mode.chars().all(|c| "rwaxtb+".contains(c)) && "rwaxtb+".chars().all(|c| count(c) <= 1);
    if !known {
        return Err(th.value_error(format!("invalid mode: '{mode}'")));
    }
    let has = |c| count(c) > 0;
    if has('t') && has('b') {
        return Err(th.value_error("can't have text and binary mode at once"));
    }
    match "rwax".chars().filter(|c| has(*c)).count() {
        1 => {}
        0 => {
            let message = "Must have exactly one of create/read/write/append mode and at most one plus";
            return Err(th.value_error(message));
        }
        _ => return Err(th.value_error("must have exactly one of create/read/write/append mode")),
    }
    let access = Access {
        readable: has('r') || has('+'),
        writable: !has('r') || has('+'),
        appending: has('a'),
        creating: has('x'),
        closefd: true,
        buffer: BUFFER,
    };
    Ok(Mode { access, binary: has('b') })
}

fn flags(mode: &str, access: Access) -> i32 {
    let both = match (access.readable, access.writable) {
        (true, true) => libc::O_RDWR,
        (true, false) => libc::O_RDONLY,
        _ => libc::O_WRONLY,
    };
    both | match mode.chars().find(|c| "wax".contains(*c)) {
        Some('w') => libc::O_CREAT | libc::O_TRUNC,
        Some('a') => libc::O_CREAT | libc::O_APPEND,
        Some('x') => libc::O_CREAT | libc::O_EXCL,
        _ => 0,
    }
}

/// A str argument that may be None or absent.
fn text_option(th: &mut Thread, v: Word, name: &str) -> R<Option<&'static str>> {
    let Some(v) = v.filter(|v| !v.is_none()) else { return Ok(None) };
    match str::as_str(v) {
        Some(text) => Ok(Some(text)),
        None => {
            let class = type_name(v);
            Err(th.type_error(format!("open() argument '{name}' must be str or None, not {class}")))
        }
    }
}

/// Everything that turns bytes into text.
struct TextOptions {
    codec: Codec,
    encoding: String,
    errors: String,
    newline: Newline,
}

/// The arguments `encoding`, `errors` and `newline`, of which the first is number `at`.
fn text_options(th: &mut Thread, args: Args, at: usize, binary: bool) -> R<Option<TextOptions>> {
    let encoding = text_option(th, args.opt(at), "encoding")?;
    let errors = text_option(th, args.opt(at + 1), "errors")?;
    let newline = text_option(th, args.opt(at + 2), "newline")?;
    if binary {
        let given = [(encoding, "an encoding"), (errors, "an errors"), (newline, "a newline")];
        return match given.into_iter().find(|(v, _)| v.is_some()) {
            Some((_, what)) => Err(th.value_error(format!("binary mode doesn't take {what} argument"))),
            None => Ok(None),
        };
    }
    let newline = match newline {
        None => Newline::Translate,
        Some("") => Newline::Keep,
        Some("\n") => Newline::Lf,
        Some("\r") => Newline::Cr,
        Some("\r\n") => Newline::CrLf,
        Some(other) => return Err(th.value_error(format!("illegal newline value: {other}"))),
    };
    let name = encoding.filter(|e| *e != "locale").unwrap_or("UTF-8");
    let codec = Codec::find(th, name)?;
    if matches!(codec, Codec::Utf16(_) | Codec::Utf32(_)) {
        return Err(th.value_error(format!("files with encoding '{name}' are not supported by Mini")));
    }
    let errors = errors.unwrap_or("strict").to_owned();
    Ok(Some(TextOptions { codec, encoding: name.to_owned(), errors, newline }))
}

/// `TextIOWrapper(buffer, …)`: another text file above the stream of an open file.
pub fn new_text(th: &mut Thread, args: Args) -> R {
    let buffer = args.get(1);
    let Some(file) = func::host::<File>(buffer) else {
        let got = th.type_name(buffer);
        return Err(th.type_error(format!("a text file above an object of type '{got}' is not supported")));
    };
    let Some(o) = text_options(th, args, 2, false)? else { return Ok(Value::NONE) };
    let stream = file.stream.clone();
    let mode = if stream.access.readable { "r" } else { "w" };
    let text = Text::new(o.codec, o.encoding, o.errors, o.newline, mode.to_owned());
    let line_buffering = args.opt(5).map_or(Ok(false), |v| th.is_true(v))?;
    text.line_buffering.store(line_buffering, std::sync::atomic::Ordering::Relaxed);
    let name = func::pair(buffer)[0].unwrap_or(Value::NONE);
    io_file::new_file(th, &io_file::TEXT, File { stream, layer: Layer::Text(text) }, name)
}

/// Files whose characters are wider than bytes are written in Mini, above files of bytes.
#[cold]
fn open_wide(th: &mut Thread, args: Args, mode: &str, buffering: i32) -> R {
    let mode = th.new_str(mode)?;
    let rest = |i: usize| args.opt(i).unwrap_or(Value::NONE);
    let closefd = args.opt(6).unwrap_or(Value::TRUE);
    let all = [
        args.get(0),
        mode,
        Value::int_unchecked(buffering.into()),
        rest(3),
        rest(4),
        rest(5),
        closefd,
        rest(7),
    ];
    let module = import::import_dotted(th, "_io_wrapper")?;
    th.call_method(module, "open_wide", &all)
}

fn is_wide(th: &mut Thread, encoding: Word) -> R<bool> {
    match encoding.and_then(str::as_str).filter(|name| *name != "locale") {
        Some(name) => Ok(matches!(Codec::find(th, name)?, Codec::Utf16(_) | Codec::Utf32(_))),
        None => Ok(false),
    }
}

fn open(th: &mut Thread, args: Args) -> R {
    let file = args.get(0);
    let mode_text = match args.opt(1) {
        None => "r",
        Some(v) => support::text_arg(th, v, "open", "argument 'mode'")?,
    };
    let buffering = args.opt(2).map_or(Ok(-1), |v| c_int(th, v))?;
    let mut mode = parse_mode(th, mode_text)?;
    if !mode.binary && is_wide(th, args.opt(3))? {
        return open_wide(th, args, mode_text, buffering);
    }
    let options = text_options(th, args, 3, mode.binary)?;
    if buffering == 0 && !mode.binary {
        return Err(th.value_error("can't have unbuffered text I/O"));
    }
    if buffering < -1 {
        return Err(th.value_error("invalid buffering size"));
    }
    mode.access.closefd = args.opt(6).map_or(Ok(true), |v| th.is_true(v))?;
    if buffering > 1 {
        mode.access.buffer = buffering as usize;
    }
    let (fd, name) = open_descriptor(th, file, mode_text, mode.access, args.opt_not_none(7))?;
    check_kind(th, fd, name, mode.access)?;
    if mode.access.readable {
        io_stream::flush_same_file(th, || syscall::fstat(fd))?;
    }
    let stream = Stream::new(fd, mode.access);
    match options {
        Some(o) => {
            let text = Text::new(o.codec, o.encoding, o.errors, o.newline, mode_text.to_owned());
            let line_buffering = buffering == 1 || buffering < 0 && syscall::isatty(fd) == Ok(1);
            text.line_buffering.store(line_buffering, std::sync::atomic::Ordering::Relaxed);
            if mode.access.appending {
                // As Python does: `tell()` before the first write says where that will go.
                let _ = syscall::lseek(fd, 0, libc::SEEK_END);
            }
            io_file::new_file(th, &io_file::TEXT, File { stream, layer: Layer::Text(text) }, name)
        }
        None => {
            if mode.access.appending {
                let _ = syscall::lseek(fd, 0, libc::SEEK_END);
            }
            let (class, layer) = match (buffering, mode.access.readable, mode.access.writable) {
                (0, ..) => (&io_file::RAW, Layer::Raw),
                (_, true, true) => (&io_file::RANDOM, Layer::Buffered),
                (_, true, false) => (&io_file::READER, Layer::Buffered),
                _ => (&io_file::WRITER, Layer::Buffered),
            };
            io_file::new_file(th, class, File { stream, layer }, name)
        }
    }
}

/// The descriptor, and what the file object calls itself.
fn open_descriptor(
    th: &mut Thread,
    file: Value,
    mode: &str,
    access: Access,
    opener: Word,
) -> R<(i32, Value)> {
    if int::is_int(file) {
        let fd = c_int(th, file)?;
        if fd < 0 {
            return Err(th.value_error("negative file descriptor"));
        }
        return Ok((fd, file));
    }
    let file = fspath(th, file)?;
    if !access.closefd {
        return Err(th.value_error("Cannot use closefd=False with file name"));
    }
    let flags = flags(mode, access);
    if let Some(opener) = opener {
        let flags = th.new_int(i64::from(flags | libc::O_CLOEXEC))?;
        let fd = th.call(opener, &[file, flags])?;
        if !int::is_int(fd) {
            return Err(th.type_error("expected integer from opener"));
        }
        let fd = c_int(th, fd)?;
        return if fd < 0 { Err(th.value_error(format!("opener returned {fd}"))) } else { Ok((fd, file)) };
    }
    let raw = str::as_str(file).map(str_bytes).or(bytes::as_bytes(file)).unwrap_or(&[]);
    let Ok(c_path) = CString::new(raw) else { return Err(th.value_error("embedded null byte")) };
    if access.writable {
        io_stream::flush_same_file(th, || syscall::stat(&c_path))?;
    }
    let mut opened = blocking(th, || syscall::open(&c_path, flags, 0o666))?;
    if opened == Err(libc::EMFILE) {
        // Files that nobody refers to any more still hold descriptors.
        poll::collect(th);
        opened = blocking(th, || syscall::open(&c_path, flags, 0o666))?;
    }
    match opened {
        Ok(fd) => Ok((fd, file)),
        Err(errno) => Err(os_error(th, errno, Some(file))),
    }
}

fn str_bytes(text: &'static str) -> &'static [u8] {
    text.as_bytes()
}

/// The path as str or bytes.
fn fspath(th: &mut Thread, v: Value) -> R {
    if matches!(types::kind_of(v), Kind::Str | Kind::Bytes) {
        return Ok(v);
    }
    if let Some(hook) = th.lookup_special(v, "__fspath__") {
        let found = th.call(hook, &[v])?;
        if matches!(types::kind_of(found), Kind::Str | Kind::Bytes) {
            return Ok(found);
        }
        let (class, got) = (type_name(v), type_name(found));
        let message = format!("expected {class}.__fspath__() to return str or bytes, not {got}");
        return Err(th.type_error(message));
    }
    let class = class::name(types::class_of(v));
    Err(th.type_error(format!("expected str, bytes or os.PathLike object, not {class}")))
}

/// A folder is no file, and a descriptor must be one.
fn check_kind(th: &mut Thread, fd: i32, name: Value, access: Access) -> R<()> {
    let refuse = |th: &mut Thread, errno| -> R<()> {
        if access.closefd && !int::is_int(name) {
            let _ = syscall::close(fd);
        }
        let raised: Raised = os_error(th, errno, Some(name).filter(|n| !int::is_int(*n)));
        Err(raised)
    };
    match syscall::fstat(fd) {
        Ok(s) if s.st_mode & libc::S_IFMT == libc::S_IFDIR => refuse(th, libc::EISDIR),
        Ok(_) => Ok(()),
        Err(errno) => refuse(th, errno),
    }
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_io",
    doc: "Open files.",
    functions: &[OPEN],
    types: &[&io_text::TYPE, &io_buffer::READER, &io_buffer::WRITER, &io_buffer::RANDOM, &io_buffer::RAW],
    init: Some(init),
};

fn init(th: &mut Thread, module: Value) -> R<()> {
    let classes = [
        (&io_text::TYPE, &io_file::TEXT),
        (&io_buffer::READER, &io_file::READER),
        (&io_buffer::WRITER, &io_file::WRITER),
        (&io_buffer::RANDOM, &io_file::RANDOM),
        (&io_buffer::RAW, &io_file::RAW),
    ];
    for (def, slot) in classes {
        slot.set(type_tables::class_of(def).unwrap_or(Value::NONE));
    }
    support::set_int(th, module, "DEFAULT_BUFFER_SIZE", BUFFER as i64)?;
    support::set(th, module, "BlockingIOError", types::exc_class(Exc::BlockingIOError))?;
    make_unsupported(th, module)
}

/// `UnsupportedOperation` is an OSError and a ValueError.
fn make_unsupported(th: &mut Thread, module: Value) -> R<()> {
    let bases = [types::exc_class(Exc::OSError), types::exc_class(Exc::ValueError)];
    let class = support::derive_class(th, "io", "UnsupportedOperation", &bases, Kind::Exception)?;
    io_file::UNSUPPORTED.set(class);
    support::set(th, module, "UnsupportedOperation", class)
}
