//! The class `TextIOWrapper`: decoding and encoding on top of a stream, and what counts as the end of a line.
//! Must not know how files are opened.

use super::codecs::{self, Codec};
use super::io_file::{
    self, CLOSE, CLOSED, ENTER, EXIT, FILENO, FLUSH, File, ISATTY, ITER, Layer, MODE, NAME, READABLE,
    READLINES, REPR, SEEKABLE, TRUNCATE, WRITABLE, WRITELINES, below, open_file, unsupported,
};
use super::io_stream::{Entered, LineEnd};
use super::support;
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Value, str};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// How a file's bytes are text.
pub struct Text {
    pub codec: Codec,
    /// As the caller spelled it.
    pub encoding: String,
    pub errors: String,
    pub newline: Newline,
    pub mode: String,
    pub line_buffering: AtomicBool,
    /// Whether nothing is kept back.
    pub write_through: AtomicBool,
    /// `tell` is refused between `next` calls, as in Python.
    iterating: AtomicBool,
    /// A byte order mark was looked for, or written.
    past_start: AtomicBool,
    /// Line ends seen: bit 0 `\r`, bit 1 `\n`, bit 2 `\r\n`.
    seen: AtomicU8,
}

/// The argument `newline` of `open`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Newline {
    /// None: every line end becomes `\n`.
    Translate,
    /// `""`: every line end ends a line, and stays.
    Keep,
    Lf,
    Cr,
    CrLf,
}

impl Newline {
    fn line_end(self) -> LineEnd {
        match self {
            Newline::Translate | Newline::Keep => LineEnd::Any,
            Newline::Lf => LineEnd::Lf,
            Newline::Cr => LineEnd::Cr,
            Newline::CrLf => LineEnd::CrLf,
        }
    }

    /// What is written for `\n`.
    fn written(self) -> &'static str {
        match self {
            Newline::Cr => "\r",
            Newline::CrLf => "\r\n",
            _ => "\n",
        }
    }
}

impl Text {
    pub fn new(codec: Codec, encoding: String, errors: String, newline: Newline, mode: String) -> Text {
        Text {
            codec,
            encoding,
            errors,
            newline,
            mode,
            line_buffering: AtomicBool::new(false),
            write_through: AtomicBool::new(false),
            iterating: AtomicBool::new(false),
            past_start: AtomicBool::new(false),
            seen: AtomicU8::new(0),
        }
    }

    /// The text of bytes from the file.
    fn decode(&self, m: &mut Mutator, bytes: &[u8]) -> R {
        let codec = if self.codec == Codec::Utf8Sig { Codec::Utf8 } else { self.codec };
        let text = match std::str::from_utf8(bytes) {
            Ok(text) if codec == Codec::Utf8 || codec.keeps_ascii() && bytes.is_ascii() => {
                Cow::Borrowed(text)
            }
            _ => Cow::Owned(codecs::decode(m, bytes, codec, &self.errors)?),
        };
        if matches!(self.newline, Newline::Translate | Newline::Keep) {
            self.note_line_ends(&text);
            if self.newline == Newline::Translate && text.contains('\r') {
                return m.new_str(&text.replace("\r\n", "\n").replace('\r', "\n"));
            }
        }
        m.new_str(&text)
    }

    fn note_line_ends(&self, text: &str) {
        let mut seen = 0;
        let bytes = text.as_bytes();
        for (i, b) in bytes.iter().enumerate() {
            match b {
                b'\r' if bytes.get(i + 1) == Some(&b'\n') => seen |= 4,
                b'\r' => seen |= 1,
                b'\n' if i == 0 || bytes.get(i - 1) != Some(&b'\r') => seen |= 2,
                _ => {}
            }
            if seen == 7 {
                break;
            }
        }
        if seen & !self.seen.load(Ordering::Relaxed) != 0 {
            self.seen.fetch_or(seen, Ordering::Relaxed);
        }
    }

    /// Skips a byte order mark at the start of a file.
    fn skip_mark(&self, th: &mut Thread, entered: &mut Entered) -> R<()> {
        if self.codec != Codec::Utf8Sig || self.past_start.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        while entered.unread().len() < 3 && entered.fill(th, 0)? > 0 {}
        if entered.unread().starts_with(b"\xef\xbb\xbf") {
            entered.consume(3);
        }
        Ok(())
    }
}

/// The text half of an open file that can be read.
fn reading(m: &mut Mutator, args: Args) -> R<(&'static File, &'static Text)> {
    let file = open_file(m, args, "")?;
    let Layer::Text(text) = &file.layer else { return Err(m.type_error("a text file expected")) };
    if !file.stream.access.readable {
        return Err(unsupported(m, "not readable"));
    }
    Ok((file, text))
}

/// The text half of any file.
fn text_of(m: &mut Mutator, args: Args) -> R<&'static Text> {
    match &io_file::file(m, args)?.layer {
        Layer::Text(text) => Ok(text),
        _ => Err(m.type_error("a text file expected")),
    }
}

/// An optional size; None and negative numbers mean no limit.
fn limit(th: &mut Thread, args: Args) -> R<Option<usize>> {
    match args.opt_not_none(1) {
        None => Ok(None),
        Some(v) => {
            if !crate::object::int::is_int(v) && th.lookup_special(v, "__index__").is_none() {
                let class = support::type_name(v);
                return Err(th.type_error(format!("argument should be integer or None, not '{class}'")));
            }
            Ok(usize::try_from(support::int_arg(th, v)?).ok())
        }
    }
}

fn read(th: &mut Thread, args: Args) -> R {
    let (file, text) = reading(th, args)?;
    let limit = limit(th, args)?;
    let mut entered = file.stream.enter(th)?;
    text.skip_mark(th, &mut entered)?;
    let bytes = match limit {
        None => entered.read_all(th)?,
        Some(n) => read_chars(th, &mut entered, text, n)?,
    };
    drop(entered);
    text.decode(th, &bytes)
}

/// Bytes of the next `n` characters.
fn read_chars(th: &mut Thread, entered: &mut Entered, text: &Text, n: usize) -> R<Vec<u8>> {
    let wide = matches!(text.codec, Codec::Utf8 | Codec::Utf8Sig);
    let (mut at, mut count) = (0, 0);
    while count < n {
        let Some(&first) = entered.unread().get(at) else {
            if entered.fill(th, n - count)? == 0 {
                break;
            }
            continue;
        };
        let mut length = if wide { char_length(first) } else { 1 };
        if first == b'\r' && text.newline == Newline::Translate {
            if entered.unread().len() < at + 2 {
                entered.fill(th, 0)?;
            }
            if entered.unread().get(at + 1) == Some(&b'\n') {
                length = 2;
            }
        }
        while entered.unread().len() < at + length {
            if entered.fill(th, 0)? == 0 {
                length = entered.unread().len() - at;
            }
        }
        at += length;
        count += 1;
    }
    entered.read(th, at)
}

/// Bytes of the UTF-8 character that begins with `first`; 1 if none does.
fn char_length(first: u8) -> usize {
    match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

fn line(th: &mut Thread, file: &File, text: &Text, limit: Option<usize>) -> R<Vec<u8>> {
    let mut entered = file.stream.enter(th)?;
    text.skip_mark(th, &mut entered)?;
    match limit {
        None => entered.read_line(th, text.newline.line_end(), usize::MAX),
        Some(n) => {
            // A limit counts characters: look at the whole line, then hand back what is too much.
            let line = entered.read_line(th, text.newline.line_end(), n.saturating_mul(4))?;
            let wide = matches!(text.codec, Codec::Utf8 | Codec::Utf8Sig);
            let (mut at, mut count) = (0, 0);
            while count < n && at < line.len() {
                at += if wide { char_length(line[at]) } else { 1 };
                count += 1;
            }
            let at = at.min(line.len());
            entered.give_back(line.len() - at);
            Ok(line[..at].to_vec())
        }
    }
}

fn readline(th: &mut Thread, args: Args) -> R {
    let (file, text) = reading(th, args)?;
    let limit = limit(th, args)?;
    let bytes = line(th, file, text, limit)?;
    text.decode(th, &bytes)
}

fn next(th: &mut Thread, args: Args) -> R {
    let (file, text) = reading(th, args)?;
    text.iterating.store(true, Ordering::Relaxed);
    let bytes = line(th, file, text, None)?;
    if bytes.is_empty() {
        text.iterating.store(false, Ordering::Relaxed);
        return Err(th.raise_with(Exc::StopIteration, &[]));
    }
    text.decode(th, &bytes)
}

fn write(th: &mut Thread, args: Args) -> R {
    let Some(s) = str::as_str(args.get(1)) else {
        let class = support::type_name(args.get(1));
        return Err(th.type_error(format!("write() argument must be str, not {class}")));
    };
    let file = open_file(th, args, "")?;
    write_text(th, file, s)?;
    th.new_int(str::count_chars(s) as i64)
}

/// Writes text to a text file that is open.
pub fn write_text(th: &mut Thread, file: &File, s: &str) -> R<()> {
    let Layer::Text(text) = &file.layer else { return Err(th.type_error("a text file expected")) };
    if !file.stream.access.writable {
        return Err(unsupported(th, "not writable"));
    }
    let has_end = s.contains('\n');
    let ended = match text.newline.written() {
        "\n" => Cow::Borrowed(s),
        _ if !has_end => Cow::Borrowed(s),
        end => Cow::Owned(s.replace('\n', end)),
    };
    let codec = if text.codec == Codec::Utf8Sig { Codec::Utf8 } else { text.codec };
    let bytes = match codec {
        Codec::Utf8 => Cow::Borrowed(ended.as_bytes()),
        _ => Cow::Owned(codecs::encode(th, &ended, codec, &text.errors)?),
    };
    let mut entered = file.stream.enter(th)?;
    if text.codec == Codec::Utf8Sig
        && !text.past_start.swap(true, Ordering::Relaxed)
        && entered.tell(th) == Ok(0)
    {
        entered.write(th, b"\xef\xbb\xbf")?;
    }
    entered.write(th, &bytes)?;
    let ends_line = || text.line_buffering.load(Ordering::Relaxed) && (has_end || s.contains('\r'));
    if text.write_through.load(Ordering::Relaxed) || ends_line() {
        entered.flush(th)?;
    }
    Ok(())
}

fn seek(th: &mut Thread, args: Args) -> R {
    let file = open_file(th, args, "")?;
    let text = text_of(th, args)?;
    let offset = support::int_arg(th, args.get(1))?;
    let whence = args.opt(2).map_or(Ok(0), |v| support::c_int(th, v))?;
    if !file.stream.is_seekable() {
        return Err(unsupported(th, "underlying stream is not seekable"));
    }
    match whence {
        0 if offset < 0 => return Err(th.value_error(format!("negative seek position {offset}"))),
        1 if offset != 0 => return Err(unsupported(th, "can't do nonzero cur-relative seeks")),
        2 if offset != 0 => return Err(unsupported(th, "can't do nonzero end-relative seeks")),
        0..=2 => {}
        _ => return Err(th.value_error(format!("invalid whence ({whence}, should be 0, 1 or 2)"))),
    }
    text.iterating.store(false, Ordering::Relaxed);
    let at = file.stream.enter(th)?.seek(th, offset, whence)?;
    text.past_start.store(at != 0, Ordering::Relaxed);
    th.new_int(at)
}

fn tell(th: &mut Thread, args: Args) -> R {
    let file = open_file(th, args, "")?;
    let text = text_of(th, args)?;
    if !file.stream.is_seekable() {
        return Err(unsupported(th, "underlying stream is not seekable"));
    }
    if text.iterating.load(Ordering::Relaxed) {
        return Err(th.raise(Exc::OSError, "telling position disabled by next() call"));
    }
    let at = file.stream.enter(th)?.tell(th)?;
    th.new_int(at)
}

fn reconfigure(th: &mut Thread, args: Args) -> R {
    open_file(th, args, "")?;
    let text = text_of(th, args)?;
    if let Some(v) = args.opt_not_none(1) {
        let on = th.is_true(v)?;
        text.line_buffering.store(on, Ordering::Relaxed);
    }
    if let Some(v) = args.opt_not_none(5) {
        let on = th.is_true(v)?;
        text.write_through.store(on, Ordering::Relaxed);
    }
    if let Some(name) = args.opt_not_none(2).and_then(str::as_str)
        && Codec::find(th, name)? != text.codec
    {
        return Err(th.value_error("another encoding for an open file is not supported by Mini"));
    }
    let file = io_file::file(th, args)?;
    file.stream.enter(th)?.flush(th)?;
    Ok(Value::NONE)
}

fn detach(th: &mut Thread, args: Args) -> R {
    open_file(th, args, "")?;
    Err(unsupported(th, "detach"))
}

fn encoding(m: &mut Mutator, args: Args) -> R {
    let text = text_of(m, args)?;
    m.new_str(&text.encoding)
}

fn errors(m: &mut Mutator, args: Args) -> R {
    let text = text_of(m, args)?;
    m.new_str(&text.errors)
}

fn line_buffering(m: &mut Mutator, args: Args) -> R {
    text_of(m, args).map(|text| Value::bool(text.line_buffering.load(Ordering::Relaxed)))
}

fn newlines(m: &mut Mutator, args: Args) -> R {
    let seen = text_of(m, args)?.seen.load(Ordering::Relaxed);
    let mut found = Vec::new();
    for (bit, end) in [(1, "\r"), (2, "\n"), (4, "\r\n")] {
        if seen & bit != 0 {
            found.push(m.new_str(end)?);
        }
    }
    match found.as_slice() {
        [] => Ok(Value::NONE),
        [one] => Ok(*one),
        several => m.new_tuple(several),
    }
}

pub static TYPE: TypeDef = TypeDef {
    name: "TextIOWrapper",
    kind: Kind::Host,
    doc: "A file of text.",
    construct: Some(NativeDef::full(
        "__new__",
        "cls, buffer, encoding=, errors=, newline=, line_buffering=, write_through=",
        super::io::new_text,
        "",
    )),
    methods: &[
        NativeDef::full("read", "self, size=, /", read, "At most so many characters; all by default."),
        NativeDef::full("readline", "self, size=, /", readline, "The rest of the line, with its end."),
        READLINES,
        NativeDef::full("write", "self, text, /", write, "Write a text; return its length."),
        WRITELINES,
        NativeDef::full("seek", "self, cookie, whence=, /", seek, "Go to a place that tell() has told."),
        NativeDef::full("tell", "self, /", tell, "The place."),
        NativeDef::full(
            "reconfigure",
            "self, *, line_buffering=, encoding=, errors=, newline=, write_through=",
            reconfigure,
            "Change how it writes.",
        ),
        NativeDef::full("detach", "self, /", detach, "Refuse: the layers of a file stay together."),
        NativeDef::full("__next__", "self, /", next, "The next line."),
        TRUNCATE,
        CLOSE,
        FLUSH,
        ENTER,
        EXIT,
        ITER,
        FILENO,
        ISATTY,
        READABLE,
        WRITABLE,
        SEEKABLE,
        REPR,
    ],
    class_methods: &[],
    properties: &[
        CLOSED,
        NAME,
        MODE,
        NativeDef::data("buffer", "self, /", below, "The file of bytes underneath."),
        NativeDef::data("encoding", "self, /", encoding, "How text becomes bytes."),
        NativeDef::data("errors", "self, /", errors, "What happens to what has no encoding."),
        NativeDef::data("line_buffering", "self, /", line_buffering, "Whether each line is written at once."),
        NativeDef::data("newlines", "self, /", newlines, "The line ends seen so far."),
    ],
    subclassable: false,
};
