//! The classes of files of bytes: `BufferedReader`, `BufferedWriter`, `BufferedRandom`, and `FileIO` without a buffer.
//! Must not know how files are opened.

use super::io_file::{
    CLOSE, CLOSED, ENTER, EXIT, FILENO, FLUSH, File, ISATTY, ITER, Layer, MODE, NAME, READABLE, READLINES,
    REPR, SEEKABLE, TRUNCATE, WRITABLE, WRITELINES, below, check_open, file, open_file, unsupported,
};
use super::io_stream::LineEnd;
use super::support;
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Value, bytes};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::ops::memoryview::{bytes_object, writable_buffer};
use crate::vm::thread::Thread;

fn reading(th: &mut Thread, args: Args, doing: &str, method: &str) -> R<&'static File> {
    let file = file(th, args)?;
    let raw = matches!(file.layer, Layer::Raw);
    if file.stream.access.readable || raw {
        check_open(th, file, doing)?;
    }
    match file.stream.access.readable {
        true => Ok(file),
        false => Err(unsupported(th, if raw { "File not open for reading" } else { method })),
    }
}

/// An optional size: None and negative numbers mean everything.
fn size(th: &mut Thread, args: Args) -> R<Option<usize>> {
    match args.opt_not_none(1) {
        None => Ok(None),
        Some(v) => {
            if !crate::object::int::is_int(v) && th.lookup_special(v, "__index__").is_none() {
                let class = support::type_name(v);
                return Err(th.type_error(format!("argument should be integer or None, not '{class}'")));
            }
            let n = support::int_arg(th, v)?;
            if n < -1 {
                return Err(th.value_error("read length must be non-negative or -1"));
            }
            Ok(usize::try_from(n).ok())
        }
    }
}

fn read(th: &mut Thread, args: Args) -> R {
    let file = reading(th, args, "read of", "read")?;
    let size = size(th, args)?;
    let mut entered = file.stream.enter(th)?;
    let bytes = match (size, &file.layer) {
        (None, _) => entered.read_all(th)?,
        // A raw read asks the system once, unless something is buffered already.
        (Some(n), Layer::Raw) if entered.unread().is_empty() => {
            drop(entered);
            return raw_read(th, file, n);
        }
        (Some(n), Layer::Raw) => {
            let n = n.min(entered.unread().len());
            entered.read(th, n)?
        }
        (Some(n), _) => entered.read(th, n)?,
    };
    drop(entered);
    th.new_bytes(&bytes)
}

fn raw_read(th: &mut Thread, file: &File, n: usize) -> R {
    let mut buffer = support::zeroed(th, n)?;
    let got = file.stream.read_raw(th, &mut buffer)?;
    th.new_bytes(buffer.get(..got).unwrap_or(&[]))
}

fn read1(th: &mut Thread, args: Args) -> R {
    let file = reading(th, args, "read of", "read1")?;
    let most = size(th, args)?.unwrap_or(super::io_stream::BUFFER);
    let mut entered = file.stream.enter(th)?;
    if entered.unread().is_empty() && most > 0 {
        entered.fill(th, 0)?;
    }
    let n = most.min(entered.unread().len());
    let bytes = entered.read(th, n)?;
    drop(entered);
    th.new_bytes(&bytes)
}

fn peek(th: &mut Thread, args: Args) -> R {
    let file = reading(th, args, "peek of", "peek")?;
    let mut entered = file.stream.enter(th)?;
    if entered.unread().is_empty() {
        entered.fill(th, 0)?;
    }
    let bytes = entered.unread().to_vec();
    drop(entered);
    th.new_bytes(&bytes)
}

/// `readinto(buffer)`: as `read` of as many bytes as the buffer has.
fn readinto(th: &mut Thread, args: Args) -> R {
    let to = writable_buffer(th, args.get(1), "readinto() argument")?;
    reading(th, args, "readinto of", "read")?;
    let size = Value::int_unchecked(to.nbytes() as i64);
    let got = read(th, Args(&[args.opt(0), Some(size)]))?;
    let Some(data) = bytes::as_bytes(got) else { return Ok(got) };
    to.fill(&mut th.m, data);
    th.new_int(data.len() as i64)
}

fn readline(th: &mut Thread, args: Args) -> R {
    let file = reading(th, args, "readline of", "read")?;
    let limit = size(th, args)?.unwrap_or(usize::MAX);
    let line = file.stream.enter(th)?.read_line(th, LineEnd::Lf, limit)?;
    th.new_bytes(&line)
}

fn next(th: &mut Thread, args: Args) -> R {
    let file = reading(th, args, "readline of", "read")?;
    let line = file.stream.enter(th)?.read_line(th, LineEnd::Lf, usize::MAX)?;
    if line.is_empty() {
        return Err(th.raise_with(Exc::StopIteration, &[]));
    }
    th.new_bytes(&line)
}

fn write(th: &mut Thread, args: Args) -> R {
    let file = file(th, args)?;
    let raw = matches!(file.layer, Layer::Raw);
    if !file.stream.access.writable && !raw {
        return Err(unsupported(th, "write"));
    }
    let object = bytes_object(th, args.get(1))?;
    let Some(data) = bytes::as_bytes(object) else {
        let class = support::type_name(args.get(1));
        return Err(th.type_error(format!("a bytes-like object is required, not '{class}'")));
    };
    check_open(th, file, "write to")?;
    if !file.stream.access.writable {
        return Err(unsupported(th, "File not open for writing"));
    }
    if let Layer::Raw = file.layer {
        file.stream.enter(th)?.flush(th)?;
        let n = file.stream.write_raw(th, data)?;
        return th.new_int(n as i64);
    }
    file.stream.enter(th)?.write(th, data)?;
    // Kept alive while other threads run.
    std::hint::black_box(object);
    th.new_int(data.len() as i64)
}

fn seek(th: &mut Thread, args: Args) -> R {
    let file = open_file(th, args, "seek of")?;
    let offset = support::int_arg(th, args.get(1))?;
    let whence = args.opt(2).map_or(Ok(0), |v| support::c_int(th, v))?;
    if !(0..=2).contains(&whence) {
        return Err(th.value_error(format!("whence value {whence} unsupported")));
    }
    if !file.stream.is_seekable() && !matches!(file.layer, Layer::Raw) {
        return Err(unsupported(th, "File or stream is not seekable."));
    }
    let at = file.stream.enter(th)?.seek(th, offset, whence)?;
    th.new_int(at)
}

fn tell(th: &mut Thread, args: Args) -> R {
    let file = open_file(th, args, "I/O operation on")?;
    let at = file.stream.enter(th)?.tell(th)?;
    th.new_int(at)
}

fn closefd(m: &mut Mutator, args: Args) -> R {
    super::io_file::file(m, args).map(|f| Value::bool(f.stream.access.closefd))
}

const READ: NativeDef =
    NativeDef::full("read", "self, size=, /", read, "At most so many bytes; all by default.");
const READ1: NativeDef = NativeDef::full("read1", "self, size=, /", read1, "What one system call can give.");
const READALL: NativeDef = NativeDef::full("readall", "self, /", read, "Everything.");
const READINTO: NativeDef =
    NativeDef::full("readinto", "self, buffer, /", readinto, "Read into a buffer; return how many bytes.");
const PEEK: NativeDef =
    NativeDef::full("peek", "self, size=, /", peek, "Bytes that come next; the place stays.");
const READLINE: NativeDef = NativeDef::full("readline", "self, size=, /", readline, "The rest of the line.");
const NEXT: NativeDef = NativeDef::full("__next__", "self, /", next, "The next line.");
const WRITE: NativeDef = NativeDef::full("write", "self, data, /", write, "Write bytes; return how many.");
const SEEK: NativeDef = NativeDef::full("seek", "self, offset, whence=, /", seek, "Go to a place.");
const TELL: NativeDef = NativeDef::full("tell", "self, /", tell, "The place.");
const RAW_BELOW: NativeDef =
    NativeDef::data("raw", "self, /", below, "The file without a buffer underneath.");

macro_rules! file_type {
    ($name:ident, $text:literal, $doc:literal, [$($method:expr),*], [$($property:expr),*]) => {
        pub static $name: TypeDef = TypeDef {
            name: $text,
            kind: Kind::Host,
            doc: $doc,
            construct: None,
            methods: &[
                READ, READLINE, READLINES, NEXT, WRITE, WRITELINES, SEEK, TELL, TRUNCATE, CLOSE, FLUSH, ENTER, EXIT, ITER,
                FILENO, ISATTY, READABLE, WRITABLE, SEEKABLE, REPR $(, $method)*
            ],
            class_methods: &[],
            properties: &[CLOSED, NAME, MODE $(, $property)*],
            subclassable: false,
        };
    };
}

file_type!(
    READER,
    "BufferedReader",
    "A file of bytes that can be read.",
    [READ1, READINTO, PEEK],
    [RAW_BELOW]
);
file_type!(WRITER, "BufferedWriter", "A file of bytes that can be written.", [READ1, READINTO], [RAW_BELOW]);
file_type!(
    RANDOM,
    "BufferedRandom",
    "A file of bytes that can be read and written.",
    [READ1, READINTO, PEEK],
    [RAW_BELOW]
);
file_type!(
    RAW,
    "FileIO",
    "A file of bytes without a buffer.",
    [READALL, READINTO],
    [NativeDef::data("closefd", "self, /", closefd, "Whether closing it closes the descriptor.")]
);
