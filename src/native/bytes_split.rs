//! Methods of `bytes` that cut, trim, join, and fill up.

use super::bytes_args::{is_space, like, this};
use super::str_split::not_iterable;
use super::text_args::{argument_name, index, index_or, limit, type_name};
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Word, bytes, list, tuple};
use crate::vm::native::Args;
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;
use memchr::memmem;

fn separator(m: &mut Mutator, arg: Word) -> R<Option<&'static [u8]>> {
    let Some(v) = arg.filter(|v| !v.is_none()) else { return Ok(None) };
    match like(m, v)? {
        [] => Err(m.value_error("empty separator")),
        sep => Ok(Some(sep)),
    }
}

fn list_of(m: &mut Mutator, pieces: &[&[u8]]) -> R {
    let mut values = Vec::with_capacity(pieces.len());
    for piece in pieces {
        values.push(m.new_bytes(piece)?);
    }
    m.new_list(&values)
}

pub fn split(m: &mut Mutator, args: Args) -> R {
    let most = limit(m, args.opt(2))?;
    let sep = separator(m, args.opt(1))?;
    let mut rest = this(args);
    let mut pieces = Vec::new();
    if let Some(sep) = sep {
        while pieces.len() < most
            && let Some(at) = memmem::find(rest, sep)
        {
            let (piece, tail) = rest.split_at(at);
            pieces.push(piece);
            rest = tail.get(sep.len()..).unwrap_or(&[]);
        }
        pieces.push(rest);
    } else {
        rest = trim_start(rest, is_space);
        while !rest.is_empty() {
            let end =
                rest.iter().position(|b| is_space(*b)).filter(|_| pieces.len() < most).unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            pieces.push(word);
            rest = trim_start(tail, is_space);
        }
    }
    list_of(m, &pieces)
}

pub fn rsplit(m: &mut Mutator, args: Args) -> R {
    let most = limit(m, args.opt(2))?;
    let sep = separator(m, args.opt(1))?;
    let mut rest = this(args);
    let mut pieces = Vec::new();
    if let Some(sep) = sep {
        while pieces.len() < most
            && let Some(at) = memmem::rfind(rest, sep)
        {
            let (before, piece) = rest.split_at(at);
            pieces.push(piece.get(sep.len()..).unwrap_or(&[]));
            rest = before;
        }
        pieces.push(rest);
    } else {
        rest = trim_end(rest, is_space);
        while !rest.is_empty() {
            let cut = rest.iter().rposition(|b| is_space(*b)).filter(|_| pieces.len() < most);
            let (before, word) = rest.split_at(cut.map_or(0, |at| at + 1));
            pieces.push(word);
            rest = trim_end(before, is_space);
        }
    }
    pieces.reverse();
    list_of(m, &pieces)
}

pub fn splitlines(m: &mut Mutator, args: Args) -> R {
    let keep = args.opt(1).map_or(Ok(false), |v| index(m, v).map(|n| n != 0))?;
    let mut rest = this(args);
    let mut lines = Vec::new();
    while !rest.is_empty() {
        let end = rest.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        let stop = if tail.starts_with(b"\r\n") { 2 } else { tail.len().min(1) };
        lines.push(if keep { rest.get(..end + stop).unwrap_or(line) } else { line });
        rest = tail.get(stop..).unwrap_or(&[]);
    }
    list_of(m, &lines)
}

fn trim_start(bytes: &[u8], drop: impl Fn(u8) -> bool) -> &[u8] {
    let start = bytes.iter().position(|b| !drop(*b)).unwrap_or(bytes.len());
    bytes.get(start..).unwrap_or(&[])
}

fn trim_end(bytes: &[u8], drop: impl Fn(u8) -> bool) -> &[u8] {
    let end = bytes.iter().rposition(|b| !drop(*b)).map_or(0, |at| at + 1);
    bytes.get(..end).unwrap_or(&[])
}

pub fn strip(m: &mut Mutator, args: Args) -> R {
    trim(m, args, true, true)
}

pub fn lstrip(m: &mut Mutator, args: Args) -> R {
    trim(m, args, true, false)
}

pub fn rstrip(m: &mut Mutator, args: Args) -> R {
    trim(m, args, false, true)
}

fn trim(m: &mut Mutator, args: Args, left: bool, right: bool) -> R {
    let chosen = args.opt_not_none(1).map(|v| like(m, v)).transpose()?;
    let drop = |b: u8| chosen.map_or_else(|| is_space(b), |chosen| chosen.contains(&b));
    let rest = if left { trim_start(this(args), drop) } else { this(args) };
    let rest = if right { trim_end(rest, drop) } else { rest };
    m.new_bytes(rest)
}

pub fn join(th: &mut Thread, args: Args) -> R {
    let given = args.get(1);
    let items = if list::of(given).is_some() || tuple::of(given).is_some() {
        given
    } else {
        match th.collect(given) {
            Ok(items) => items,
            Err(raised) => return Err(not_iterable(th, given).unwrap_or(raised)),
        }
    };
    let slots = list::of(items).map_or_else(|| tuple::items(items), list::items);
    let mut parts: Vec<&[u8]> = Vec::with_capacity(slots.len() * 2);
    // A slot is EMPTY if another thread has just removed its item.
    for (i, v) in slots.iter().filter_map(|slot| slot.get()).enumerate() {
        let Some(part) = bytes::as_bytes(bytes_object(th, v)?) else {
            let got = type_name(v);
            return Err(
                th.type_error(format!("sequence item {i}: expected a bytes-like object, {got} found"))
            );
        };
        if i > 0 {
            parts.push(this(args));
        }
        parts.push(part);
    }
    th.new_bytes_parts(&parts)
}

/// The bytes missing up to the width of argument 1, and the fill byte of argument 2.
fn missing(m: &mut Mutator, args: Args, name: &str) -> R<(usize, u8)> {
    let width = index(m, args.get(1))?;
    let fill = match args.opt(2) {
        None => b' ',
        Some(v) => match crate::vm::ops::bytearray::contents(v).as_deref() {
            Some([b]) => *b,
            _ => {
                let got = argument_name(v);
                let message = format!("{name}() argument 2 must be a byte string of length 1, not {got}");
                return Err(m.type_error(message));
            }
        },
    };
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(this(args).len());
    m.room_for(missing)?;
    Ok((missing, fill))
}

pub fn ljust(m: &mut Mutator, args: Args) -> R {
    let (n, fill) = missing(m, args, "ljust")?;
    m.new_bytes_parts(&[this(args), &vec![fill; n]])
}

pub fn rjust(m: &mut Mutator, args: Args) -> R {
    let (n, fill) = missing(m, args, "rjust")?;
    m.new_bytes_parts(&[&vec![fill; n], this(args)])
}

pub fn center(m: &mut Mutator, args: Args) -> R {
    let (n, fill) = missing(m, args, "center")?;
    let width = index(m, args.get(1))?;
    let left = n / 2 + (n & width as usize & 1);
    m.new_bytes_parts(&[&vec![fill; left], this(args), &vec![fill; n - left]])
}

pub fn zfill(m: &mut Mutator, args: Args) -> R {
    let (n, _) = missing(m, args, "zfill")?;
    let bytes = this(args);
    let (sign, digits) = bytes.split_at(usize::from(matches!(bytes.first(), Some(b'+' | b'-'))));
    m.new_bytes_parts(&[sign, &vec![b'0'; n], digits])
}

pub fn expandtabs(m: &mut Mutator, args: Args) -> R {
    let size = index_or(m, args.opt(1), 8)?;
    if i32::try_from(size).is_err() {
        return Err(m.raise(Exc::OverflowError, "Python int too large to convert to C int"));
    }
    let size = usize::try_from(size).unwrap_or(0);
    let tabs = this(args).iter().filter(|b| **b == b'\t').count();
    m.room_for(tabs.saturating_mul(size))?;
    let mut out = Vec::with_capacity(this(args).len());
    let mut column = 0;
    for b in this(args) {
        if *b == b'\t' {
            let n = if size == 0 { 0 } else { size - column % size };
            out.resize(out.len() + n, b' ');
            column += n;
        } else {
            out.push(*b);
            column = if matches!(b, b'\n' | b'\r') { 0 } else { column + 1 };
        }
    }
    m.new_bytes(&out)
}
