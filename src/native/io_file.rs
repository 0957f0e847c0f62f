//! What all file objects share, be they text, buffered or raw: state checks, closing, places, properties.
//! Must not know how pieces are read and written.

use super::io_stream::Stream;
use super::io_text::Text;
use super::support::{self, this};
use crate::object::layout::Host;
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Raised, Slot, Value, Word, class, exc, func, str, types};
use crate::rt::syscall;
use crate::vm::native::{Args, NativeDef};
use crate::vm::thread::Thread;
use std::sync::Arc;

/// `io.UnsupportedOperation`.
pub static UNSUPPORTED: Slot = Slot::empty();
/// The classes of file objects.
pub static TEXT: Slot = Slot::empty();
pub static READER: Slot = Slot::empty();
pub static WRITER: Slot = Slot::empty();
pub static RANDOM: Slot = Slot::empty();
pub static RAW: Slot = Slot::empty();

/// What a file object owns. Its first value slot holds the name, the second one the object of the layer below, once
/// somebody has asked for it.
pub struct File {
    pub stream: Arc<Stream>,
    pub layer: Layer,
}

/// Which view of the stream an object is.
pub enum Layer {
    Text(Text),
    Buffered,
    Raw,
}

/// The file behind the receiver.
pub fn file(m: &mut Mutator, args: Args) -> R<&'static File> {
    this::<File>(m, args, "_io._IOBase")
}

/// Makes a file object.
pub fn new_file(m: &mut Mutator, class: &Slot, file: File, name: Value) -> R {
    let v = func::new_host(m, class.value(), Box::new(file))?;
    if let Some(host) = types::cast::<Host>(v) {
        host.extra[0].set(name);
    }
    Ok(v)
}

/// Raises `io.UnsupportedOperation`.
pub fn unsupported(m: &mut Mutator, message: &str) -> Raised {
    let made = m.new_str(message).and_then(|text| exc::new_exception(m, UNSUPPORTED.value(), &[text]));
    if let Ok(exc) = made {
        m.pending = Some(exc);
    }
    Raised
}

/// The file, if it is open; `doing` is for the message about a buffered file: "{doing} closed file".
pub fn open_file(m: &mut Mutator, args: Args, doing: &str) -> R<&'static File> {
    let file = file(m, args)?;
    check_open(m, file, doing)?;
    Ok(file)
}

/// The file, if it is open, for questions about it: the words are the same for all files, and have no full stop.
fn asked_file(m: &mut Mutator, args: Args) -> R<&'static File> {
    let file = file(m, args)?;
    match file.stream.is_closed() {
        true => Err(m.value_error("I/O operation on closed file")),
        false => Ok(file),
    }
}

/// The file, if it is open, for what all files share.
fn any_open_file(m: &mut Mutator, args: Args) -> R<&'static File> {
    let file = file(m, args)?;
    match file.stream.is_closed() {
        true => Err(m.value_error("I/O operation on closed file.")),
        false => Ok(file),
    }
}

/// Raises ValueError if the file is closed.
pub fn check_open(m: &mut Mutator, file: &File, doing: &str) -> R<()> {
    if !file.stream.is_closed() {
        return Ok(());
    }
    Err(match file.layer {
        Layer::Raw => m.value_error("I/O operation on closed file"),
        Layer::Buffered if !doing.is_empty() => m.value_error(format!("{doing} closed file")),
        _ => m.value_error("I/O operation on closed file."),
    })
}

fn close(th: &mut Thread, args: Args) -> R {
    let file = file(th, args)?;
    if !file.stream.is_closed() {
        file.stream.enter(th)?.close(th)?;
    }
    Ok(Value::NONE)
}

fn closed(m: &mut Mutator, args: Args) -> R {
    file(m, args).map(|f| Value::bool(f.stream.is_closed()))
}

fn flush(th: &mut Thread, args: Args) -> R {
    let file = file(th, args)?;
    match (&file.layer, file.stream.access.writable) {
        (Layer::Raw, _) | (Layer::Buffered, false) => any_open_file(th, args)?,
        _ => open_file(th, args, "flush of")?,
    };
    if file.stream.access.writable && file.stream.is_unsettled() {
        file.stream.enter(th)?.flush(th)?;
    }
    Ok(Value::NONE)
}

fn enter(th: &mut Thread, args: Args) -> R {
    any_open_file(th, args)?;
    Ok(args.get(0))
}

fn iter(th: &mut Thread, args: Args) -> R {
    any_open_file(th, args)?;
    Ok(args.get(0))
}

fn fileno(m: &mut Mutator, args: Args) -> R {
    let file = asked_file(m, args)?;
    m.new_int(i64::from(file.stream.fd()))
}

fn isatty(m: &mut Mutator, args: Args) -> R {
    let file = asked_file(m, args)?;
    Ok(Value::bool(syscall::isatty(file.stream.fd()) == Ok(1)))
}

fn readable(m: &mut Mutator, args: Args) -> R {
    // Of what it never was, nobody asks whether it is open.
    let file = file(m, args)?;
    match file.stream.access.readable || matches!(file.layer, Layer::Raw) && file.stream.is_closed() {
        true => asked_file(m, args).map(|_| Value::TRUE),
        false => Ok(Value::FALSE),
    }
}

fn writable(m: &mut Mutator, args: Args) -> R {
    // Of what it never was, nobody asks whether it is open.
    let file = file(m, args)?;
    match file.stream.access.writable || matches!(file.layer, Layer::Raw) && file.stream.is_closed() {
        true => asked_file(m, args).map(|_| Value::TRUE),
        false => Ok(Value::FALSE),
    }
}

fn seekable(m: &mut Mutator, args: Args) -> R {
    asked_file(m, args).map(|f| Value::bool(f.stream.is_seekable()))
}

fn truncate(th: &mut Thread, args: Args) -> R {
    let file = open_file(th, args, "truncate of")?;
    if !file.stream.access.writable {
        let raw = matches!(file.layer, Layer::Raw);
        return Err(unsupported(th, if raw { "File not open for writing" } else { "truncate" }));
    }
    let size = match args.opt_not_none(1) {
        Some(v) => Some(support::int_arg(th, v)?),
        None => None,
    };
    let mut entered = file.stream.enter(th)?;
    let size = match size {
        Some(size) => size,
        None => entered.tell(th)?,
    };
    entered.truncate(th, size)?;
    drop(entered);
    th.new_int(size)
}

fn name(m: &mut Mutator, args: Args) -> R {
    file(m, args)?;
    match types::cast::<Host>(args.get(0)).and_then(|h| h.extra[0].get()) {
        Some(name) => Ok(name),
        None => Err(m.raise(Exc::AttributeError, "name")),
    }
}

/// The mode of the raw file, as `FileIO.mode` shows it.
pub fn raw_mode(file: &File) -> &'static str {
    let a = file.stream.access;
    match (a.creating, a.appending, a.readable, a.writable) {
        (true, _, true, _) => "xb+",
        (true, ..) => "xb",
        (_, true, true, _) => "ab+",
        (_, true, ..) => "ab",
        (_, _, true, true) => "rb+",
        (_, _, true, _) => "rb",
        _ => "wb",
    }
}

fn mode(m: &mut Mutator, args: Args) -> R {
    let file = file(m, args)?;
    match &file.layer {
        Layer::Text(text) => m.new_str(&text.mode),
        _ => m.new_str(raw_mode(file)),
    }
}

/// The object of the layer below, made when it is first asked for.
pub fn below(m: &mut Mutator, args: Args) -> R {
    let this = args.get(0);
    let file = file(m, args)?;
    let Some(host) = types::cast::<Host>(this) else { return Ok(Value::NONE) };
    if let Some(known) = host.extra[1].get() {
        return Ok(known);
    }
    let access = file.stream.access;
    let (class, layer) = match file.layer {
        Layer::Text(_) => match (access.readable, access.writable) {
            (true, true) => (&RANDOM, Layer::Buffered),
            (false, _) => (&WRITER, Layer::Buffered),
            _ => (&READER, Layer::Buffered),
        },
        _ => (&RAW, Layer::Raw),
    };
    let made = new_file(m, class, File { stream: file.stream.clone(), layer }, host.extra[0].value())?;
    Ok(host.extra[1].set_if_empty(made).err().unwrap_or(made))
}

fn repr(th: &mut Thread, args: Args) -> R {
    let this = args.get(0);
    let file = file(th, args)?;
    let class = class::name(types::class_of(this));
    let name: Word = types::cast::<Host>(this).and_then(|h| h.extra[0].get());
    let shown = match name {
        Some(name) => {
            let text = th.repr(name)?;
            format!(" name={}", str::as_str(text).unwrap_or(""))
        }
        None => String::new(),
    };
    let text = match &file.layer {
        Layer::Text(t) => format!("<_io.{class}{shown} mode='{}' encoding='{}'>", t.mode, t.encoding),
        Layer::Buffered => format!("<_io.{class}{shown}>"),
        Layer::Raw if file.stream.is_closed() => format!("<_io.{class} [closed]>"),
        Layer::Raw => {
            let close = if file.stream.access.closefd { "True" } else { "False" };
            format!("<_io.{class}{shown} mode='{}' closefd={close}>", raw_mode(file))
        }
    };
    th.new_str(&text)
}

/// Writes every piece of an iterable.
fn writelines(th: &mut Thread, args: Args) -> R {
    any_open_file(th, args)?;
    let name = th.name("write")?;
    let write = th.get_attr(args.get(0), name)?;
    let mut lines = th.iter(args.get(1))?;
    while let Some(line) = lines.next(th)? {
        th.call(write, &[line])?;
    }
    Ok(Value::NONE)
}

/// The lines from the place on, stopping when there are more than `hint` items.
fn readlines(th: &mut Thread, args: Args) -> R {
    any_open_file(th, args)?;
    let hint = match args.opt_not_none(1) {
        Some(v) => support::int_arg(th, v)?,
        None => -1,
    };
    let lines = th.new_list(&[])?;
    let mut total = 0;
    let name = th.name("readline")?;
    let read = th.get_attr(args.get(0), name)?;
    loop {
        let line = th.call(read, &[])?;
        let n = th.len(line)?;
        if n == 0 {
            return Ok(lines);
        }
        if let Some(l) = crate::object::list::of(lines) {
            crate::object::list::push(th, l, line)?;
        }
        total += n as i64;
        if hint > 0 && total > hint {
            return Ok(lines);
        }
    }
}

pub const CLOSE: NativeDef = NativeDef::full("close", "self, /", close, "Write out and close.");
pub const FLUSH: NativeDef = NativeDef::full("flush", "self, /", flush, "Write out what is held back.");
pub const ENTER: NativeDef = NativeDef::full("__enter__", "self, /", enter, "Use it in a with statement.");
pub const EXIT: NativeDef = NativeDef::full("__exit__", "self, *args", close, "Close it.");
pub const ITER: NativeDef =
    NativeDef::full("__iter__", "self, /", iter, "A file is the iterator of its lines.");
pub const FILENO: NativeDef = NativeDef::data("fileno", "self, /", fileno, "The descriptor.");
pub const ISATTY: NativeDef = NativeDef::data("isatty", "self, /", isatty, "Whether it is a terminal.");
pub const READABLE: NativeDef = NativeDef::data("readable", "self, /", readable, "Whether it can be read.");
pub const WRITABLE: NativeDef =
    NativeDef::data("writable", "self, /", writable, "Whether it can be written.");
pub const SEEKABLE: NativeDef = NativeDef::data("seekable", "self, /", seekable, "Whether it has places.");
pub const TRUNCATE: NativeDef = NativeDef::full("truncate", "self, size=, /", truncate, "Set the length.");
pub const WRITELINES: NativeDef =
    NativeDef::full("writelines", "self, lines, /", writelines, "Write every piece of an iterable.");
pub const READLINES: NativeDef =
    NativeDef::full("readlines", "self, hint=, /", readlines, "The lines from the place on.");
pub const REPR: NativeDef = NativeDef::full("__repr__", "self, /", repr, "Show the name and the mode.");
pub const CLOSED: NativeDef = NativeDef::data("closed", "self, /", closed, "Whether it is closed.");
pub const NAME: NativeDef = NativeDef::data("name", "self, /", name, "What it was opened by.");
pub const MODE: NativeDef = NativeDef::data("mode", "self, /", mode, "How it was opened.");
