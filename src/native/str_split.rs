//! Methods of `str` that cut at separators or lines, trim, and join.

use super::str_search::itself;
use super::text_args::{index, limit, this, type_name};
use crate::object::mutator::Mutator;
use crate::object::unicode::{is_line_break, is_space};
use crate::object::{Exc, R, Value, Word, class, find, list, str, str_join, tuple};
use crate::vm::native::Args;
use crate::vm::thread::Thread;
use smallvec::SmallVec;

fn separator(m: &mut Mutator, arg: Word) -> R<Option<&'static str>> {
    let Some(v) = arg.filter(|v| !v.is_none()) else { return Ok(None) };
    match str::as_str(v) {
        Some("") => Err(m.value_error("empty separator")),
        Some(sep) => Ok(Some(sep)),
        None => Err(m.type_error(format!("must be str or None, not {}", type_name(v)))),
    }
}

pub fn split(m: &mut Mutator, args: Args) -> R {
    let most = limit(m, args.opt(2))?;
    let sep = separator(m, args.opt(1))?;
    match sep {
        Some(sep) => list_of(m, args, Pieces { rest: Some(this(args)), sep, most }),
        None if is_ascii(args) => list_of(m, args, AsciiWords { text: this(args), at: 0, most }),
        None => list_of(m, args, Words { rest: this(args), most }),
    }
}

fn is_ascii(args: Args) -> bool {
    str::view(args.get(0)).is_some_and(str::is_ascii)
}

pub fn rsplit(m: &mut Mutator, args: Args) -> R {
    let most = limit(m, args.opt(2))?;
    let sep = separator(m, args.opt(1))?;
    let mut pieces: Vec<&str> = match sep {
        Some(sep) => this(args).rsplitn(most.saturating_add(1), sep).collect(),
        None => words_from_right(this(args), most),
    };
    pieces.reverse();
    list_of(m, args, pieces.into_iter())
}

/// A list of pieces of the receiver.
fn list_of<'a>(m: &mut Mutator, args: Args, pieces: impl Iterator<Item = &'a str>) -> R {
    let ascii = is_ascii(args);
    // No collection can happen in a native that runs no Mini code, so the values need no roots.
    let mut values: SmallVec<[Value; 32]> = SmallVec::new();
    for piece in pieces {
        let nchars = if ascii { piece.len() } else { str::count_chars(piece) };
        values.push(m.new_str_counted(piece, nchars)?);
    }
    m.new_list(&values)
}

/// Pieces between separators; after `most` cuts, the rest as it is.
struct Pieces<'a> {
    rest: Option<&'a str>,
    sep: &'a str,
    most: usize,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let text = self.rest?;
        let at = if self.most == 0 { None } else { find::find(text.as_bytes(), self.sep.as_bytes()) };
        let Some(at) = at else { return self.rest.take() };
        self.most -= 1;
        self.rest = text.get(at + self.sep.len()..);
        text.get(..at)
    }
}

/// The ASCII characters that are white space, as bits by number.
const SPACES: u64 = 0x1_f000_3e00;

#[inline(always)]
fn among(set: u64, b: u8) -> bool {
    b < 64 && set >> b & 1 != 0
}

/// Words between white space; after `most` cuts, the rest as it is.
struct Words<'a> {
    rest: &'a str,
    most: usize,
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    #[inline]
    fn next(&mut self) -> Option<&'a str> {
        let start = space_at(self.rest, false)?;
        let text = self.rest.get(start..)?;
        let end = if self.most == 0 { None } else { space_at(text, true) };
        self.most = self.most.saturating_sub(1);
        let (word, rest) = text.split_at_checked(end.unwrap_or(text.len()))?;
        self.rest = rest;
        Some(word)
    }
}

/// As `Words`, of ASCII text.
struct AsciiWords<'a> {
    text: &'a str,
    at: usize,
    most: usize,
}

impl<'a> Iterator for AsciiWords<'a> {
    type Item = &'a str;

    #[inline(always)]
    fn next(&mut self) -> Option<&'a str> {
        let bytes = self.text.as_bytes();
        let mut start = self.at;
        while among(SPACES, *bytes.get(start)?) {
            start += 1;
        }
        let mut end = start + 1;
        match self.most.checked_sub(1) {
            None => end = bytes.len(),
            Some(left) => {
                self.most = left;
                while let Some(b) = bytes.get(end)
                    && !among(SPACES, *b)
                {
                    end += 1;
                }
            }
        }
        self.at = end;
        self.text.get(start..end)
    }
}

/// The place of the first character that is (or is not) white space.
#[inline(always)]
fn space_at(text: &str, wanted: bool) -> Option<usize> {
    for (at, b) in text.bytes().enumerate() {
        if !b.is_ascii() {
            let other = text.get(at..)?.char_indices().find(|(_, c)| is_space(*c) == wanted);
            return other.map(|(n, _)| at + n);
        }
        if among(SPACES, b) == wanted {
            return Some(at);
        }
    }
    None
}

fn words_from_right(text: &str, most: usize) -> Vec<&str> {
    let (mut rest, mut words) = (text.trim_end_matches(is_space), Vec::new());
    while !rest.is_empty() {
        let cut = if words.len() >= most { None } else { rest.rfind(is_space) };
        let start =
            cut.map_or(0, |at| at + rest.get(at..).and_then(|s| s.chars().next()).map_or(1, char::len_utf8));
        let (before, word) = rest.split_at(start);
        words.push(word);
        rest = before.trim_end_matches(is_space);
    }
    words
}

pub fn splitlines(m: &mut Mutator, args: Args) -> R {
    let keep = args.opt(1).map_or(Ok(false), |v| index(m, v).map(|n| n != 0))?;
    list_of(m, args, Lines { rest: this(args), keep })
}

struct Lines<'a> {
    rest: &'a str,
    keep: bool,
}

/// The place of the first character that ends a line.
fn break_at(text: &str) -> Option<usize> {
    // A line's end is a control character, or begins with one of these two bytes.
    let suspect = |b: &u8| *b < b' ' || matches!(*b, 0xc2 | 0xe2);
    let mut at = 0;
    while let Some(chunk) = text.as_bytes().get(at..) {
        match chunk.first_chunk::<16>() {
            Some(chunk) if !chunk.iter().fold(false, |found, b| found | suspect(b)) => at += 16,
            _ => {
                let n = chunk.iter().position(suspect)?;
                at += n;
                let found = text.get(at..)?.chars().next()?;
                if is_line_break(found) {
                    return Some(at);
                }
                at += found.len_utf8();
            }
        }
    }
    None
}

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let end = break_at(self.rest).unwrap_or(self.rest.len());
        let (line, tail) = self.rest.split_at(end);
        let stop = match tail.chars().next() {
            Some('\r') if tail.starts_with("\r\n") => 2,
            c => c.map_or(0, char::len_utf8),
        };
        let whole = self.rest.get(..end + stop).unwrap_or(line);
        self.rest = tail.get(stop..).unwrap_or("");
        Some(if self.keep { whole } else { line })
    }
}

pub fn strip(m: &mut Mutator, args: Args) -> R {
    trim(m, args, "strip", true, true)
}

pub fn lstrip(m: &mut Mutator, args: Args) -> R {
    trim(m, args, "lstrip", true, false)
}

pub fn rstrip(m: &mut Mutator, args: Args) -> R {
    trim(m, args, "rstrip", false, true)
}

fn trim(m: &mut Mutator, args: Args, name: &str, left: bool, right: bool) -> R {
    let text = this(args);
    let cut = match args.opt_not_none(1) {
        None if is_ascii(args) => trimmed(text, |c| among(SPACES, c as u8), left, right),
        None => trimmed(text, is_space, left, right),
        Some(v) => match str::as_str(v) {
            Some(chars) => trimmed(text, |c| chars.contains(c), left, right),
            None => return Err(m.type_error(format!("{name} arg must be None or str"))),
        },
    };
    if cut.len() == text.len() { itself(m, args) } else { m.new_str(cut) }
}

fn trimmed(text: &str, drop: impl Fn(char) -> bool, left: bool, right: bool) -> &str {
    let text = if left { text.trim_start_matches(&drop) } else { text };
    if right { text.trim_end_matches(&drop) } else { text }
}

pub fn join(th: &mut Thread, args: Args) -> R {
    let items = args.get(1);
    let of_items = list::of(items).is_some() || tuple::of(items).is_some();
    if of_items && class::is_untouched(items, class::trait_bits::ITER) {
        return join_sequence(th, args, items);
    }
    match th.collect(items) {
        Ok(items) => join_sequence(th, args, items),
        Err(raised) => Err(not_iterable(th, items).unwrap_or(raised)),
    }
}

/// Replaces "object is not iterable" by what `join` says; other errors of `__iter__` stay.
pub fn not_iterable(th: &mut Thread, v: Value) -> Option<crate::object::Raised> {
    if th.lookup_special(v, "__iter__").is_some() || th.lookup_special(v, "__getitem__").is_some() {
        return None;
    }
    th.pending.take();
    Some(th.type_error("can only join an iterable"))
}

fn join_sequence(m: &mut Mutator, args: Args, items: Value) -> R {
    let sep = this(args);
    let slots = match list::of(items) {
        Some(l) => list::items(l),
        None => tuple::items(items),
    };
    if let [only] = slots
        && let Some(v) = only.get()
        && str::view(v).is_some_and(str::is_exact)
    {
        return Ok(v);
    }
    if let Some(joined) = str::view(args.get(0)).and_then(|sep| str_join::join(m, sep, slots)) {
        return joined;
    }
    let mut parts: SmallVec<[&str; 32]> = SmallVec::with_capacity(slots.len() * 2);
    let sep_chars = str::view(args.get(0)).map_or(0, |s| s.nchars as usize);
    let (mut nbytes, mut nchars) = (0usize, 0usize);
    // A slot is EMPTY if another thread has just removed its item.
    for (i, v) in slots.iter().filter_map(|slot| slot.get()).enumerate() {
        let Some(item) = str::view(v) else {
            let got = type_name(v);
            return Err(
                m.raise(Exc::TypeError, format!("sequence item {i}: expected str instance, {got} found"))
            );
        };
        if i > 0 && !sep.is_empty() {
            parts.push(sep);
            nbytes = nbytes.saturating_add(sep.len());
            nchars = nchars.saturating_add(sep_chars);
        }
        parts.push(str::text(item));
        nbytes = nbytes.saturating_add(item.nbytes as usize);
        nchars = nchars.saturating_add(item.nchars as usize);
    }
    m.new_str_parts_counted(&parts, nbytes, nchars)
}
