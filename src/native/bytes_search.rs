//! Methods of `bytes` that look for a piece: find, count, startswith, replace, partition.

use super::bytes_args::{Needle, like, this};
use super::text_args::{bounds, limit, type_name};
use crate::object::mutator::Mutator;
use crate::object::{R, Value, bytes, tuple};
use crate::vm::native::Args;
use crate::vm::ops::bytearray::as_bytes_object;
use memchr::memmem;

/// The part of the receiver between the bounds `start` and `end`, and where it starts.
fn window(m: &mut Mutator, args: Args) -> R<Option<(usize, &'static [u8])>> {
    let whole = this(args);
    let Some((start, end)) = bounds(m, args, 2, whole.len())? else { return Ok(None) };
    Ok(whole.get(start..end).map(|part| (start, part)))
}

fn position(m: &mut Mutator, args: Args, from_right: bool) -> R<Option<i64>> {
    let window = window(m, args)?;
    let needle = Needle::of(m, args.get(1))?;
    let Some((start, part)) = window else { return Ok(None) };
    let at =
        if from_right { memmem::rfind(part, needle.bytes()) } else { memmem::find(part, needle.bytes()) };
    Ok(at.map(|at| (start + at) as i64))
}

pub fn find(m: &mut Mutator, args: Args) -> R {
    Ok(Value::int_unchecked(position(m, args, false)?.unwrap_or(-1)))
}

pub fn rfind(m: &mut Mutator, args: Args) -> R {
    Ok(Value::int_unchecked(position(m, args, true)?.unwrap_or(-1)))
}

pub fn index(m: &mut Mutator, args: Args) -> R {
    found(m, args, false)
}

pub fn rindex(m: &mut Mutator, args: Args) -> R {
    found(m, args, true)
}

fn found(m: &mut Mutator, args: Args, from_right: bool) -> R {
    match position(m, args, from_right)? {
        Some(n) => Ok(Value::int_unchecked(n)),
        None => Err(m.value_error("subsection not found")),
    }
}

pub fn count(m: &mut Mutator, args: Args) -> R {
    let window = window(m, args)?;
    let needle = Needle::of(m, args.get(1))?;
    let n = match window {
        None => 0,
        Some((_, part)) if needle.bytes().is_empty() => part.len() + 1,
        Some((_, part)) => memmem::find_iter(part, needle.bytes()).count(),
    };
    Ok(Value::int_unchecked(n as i64))
}

pub fn startswith(m: &mut Mutator, args: Args) -> R {
    affix(m, args, "startswith", |part, affix| part.starts_with(affix))
}

pub fn endswith(m: &mut Mutator, args: Args) -> R {
    affix(m, args, "endswith", |part, affix| part.ends_with(affix))
}

fn affix(m: &mut Mutator, args: Args, name: &str, test: impl Fn(&[u8], &[u8]) -> bool) -> R {
    let wanted = as_bytes_object(m, args.get(1))?;
    let part = window(m, args)?;
    let holds = |affix: &[u8]| part.is_some_and(|(_, part)| test(part, affix));
    if let Some(affix) = bytes::as_bytes(wanted) {
        return Ok(Value::bool(holds(affix)));
    }
    if tuple::of(wanted).is_none() {
        let got = type_name(wanted);
        return Err(m.type_error(format!("{name} first arg must be bytes or a tuple of bytes, not {got}")));
    }
    for item in tuple::items(wanted) {
        if holds(like(m, item.value())?) {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

pub fn removeprefix(m: &mut Mutator, args: Args) -> R {
    let affix = like(m, args.get(1))?;
    this(args).strip_prefix(affix).map_or(Ok(args.get(0)), |rest| m.new_bytes(rest))
}

pub fn removesuffix(m: &mut Mutator, args: Args) -> R {
    let affix = like(m, args.get(1))?;
    this(args).strip_suffix(affix).map_or(Ok(args.get(0)), |rest| m.new_bytes(rest))
}

pub fn replace(m: &mut Mutator, args: Args) -> R {
    let (old, new) = (like(m, args.get(1))?, like(m, args.get(2))?);
    let most = limit(m, args.opt(3))?;
    let whole = this(args);
    let places: Vec<usize> = memmem::find_iter(whole, old).take(most).collect();
    let grown = places.len().saturating_mul(new.len());
    m.room_for(grown.saturating_add(whole.len()))?;
    let mut out = Vec::with_capacity(whole.len() + grown);
    let mut done = 0;
    for at in places {
        out.extend_from_slice(whole.get(done..at).unwrap_or(&[]));
        out.extend_from_slice(new);
        done = at + old.len();
    }
    out.extend_from_slice(whole.get(done..).unwrap_or(&[]));
    m.new_bytes(&out)
}

pub fn partition(m: &mut Mutator, args: Args) -> R {
    let sep = separator(m, args)?;
    let parts = cut(this(args), memmem::find(this(args), sep), sep.len()).unwrap_or([this(args), &[], &[]]);
    three(m, parts)
}

pub fn rpartition(m: &mut Mutator, args: Args) -> R {
    let sep = separator(m, args)?;
    let parts = cut(this(args), memmem::rfind(this(args), sep), sep.len()).unwrap_or([&[], &[], this(args)]);
    three(m, parts)
}

fn separator(m: &mut Mutator, args: Args) -> R<&'static [u8]> {
    match like(m, args.get(1))? {
        [] => Err(m.value_error("empty separator")),
        sep => Ok(sep),
    }
}

fn cut(whole: &[u8], at: Option<usize>, len: usize) -> Option<[&[u8]; 3]> {
    let (before, rest) = whole.split_at(at?);
    Some([before, rest.get(..len)?, rest.get(len..)?])
}

fn three(m: &mut Mutator, parts: [&[u8]; 3]) -> R {
    let parts = [m.new_bytes(parts[0])?, m.new_bytes(parts[1])?, m.new_bytes(parts[2])?];
    m.new_tuple(&parts)
}
