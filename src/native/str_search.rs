//! Methods of `str` that look for a piece: find, count, startswith, replace, partition.

use super::text_args::{bounds, limit, plain_text, text, this, type_name};
use crate::object::layout::Str;
use crate::object::mutator::Mutator;
use crate::object::{R, Value, find, str, str_index, tuple};
use crate::vm::native::Args;
use memchr::memmem;

/// The part of the receiver between the bounds `start` and `end`.
struct Window {
    s: &'static Str,
    /// Number and byte offset of its first character.
    start: usize,
    from: usize,
    text: &'static str,
}

impl Window {
    fn of(m: &mut Mutator, args: Args) -> R<Option<Window>> {
        let Some(s) = str::view(args.get(0)) else { return Ok(None) };
        let whole = str::text(s);
        if args.len() <= 2 {
            return Ok(Some(Window { s, start: 0, from: 0, text: whole }));
        }
        let Some((start, end)) = bounds(m, args, 2, s.nchars as usize)? else { return Ok(None) };
        let from = str_index::byte_offset(m, s, start)?;
        let to = str_index::byte_offset(m, s, end)?;
        Ok(whole.get(from..to).map(|text| Window { s, start, from, text }))
    }

    /// The character number, in the whole string, of a byte offset in the window.
    fn number(&self, at: usize) -> i64 {
        let n = if str::is_ascii(self.s) {
            self.from + at
        } else {
            self.start + self.text.get(..at).map_or(0, str::count_chars)
        };
        n as i64
    }
}

fn position(m: &mut Mutator, args: Args, from_right: bool) -> R<Option<i64>> {
    let window = Window::of(m, args)?;
    let sub = plain_text(m, args.get(1))?;
    let Some(window) = window else { return Ok(None) };
    let (text, sub) = (window.text.as_bytes(), sub.as_bytes());
    let at = if from_right { memmem::rfind(text, sub) } else { find::find(text, sub) };
    Ok(at.map(|at| window.number(at)))
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
        None => Err(m.value_error("substring not found")),
    }
}

pub fn count(m: &mut Mutator, args: Args) -> R {
    let window = Window::of(m, args)?;
    let sub = plain_text(m, args.get(1))?;
    let n = match window {
        None => 0,
        Some(window) if sub.is_empty() => str::count_chars(window.text) + 1,
        Some(window) => find::count(window.text.as_bytes(), sub.as_bytes()),
    };
    Ok(Value::int_unchecked(n as i64))
}

pub fn startswith(m: &mut Mutator, args: Args) -> R {
    affix(m, args, "startswith", |text, affix| text.starts_with(affix))
}

pub fn endswith(m: &mut Mutator, args: Args) -> R {
    affix(m, args, "endswith", |text, affix| text.ends_with(affix))
}

fn affix(m: &mut Mutator, args: Args, name: &str, test: impl Fn(&str, &str) -> bool) -> R {
    let wanted = args.get(1);
    let window = Window::of(m, args)?;
    let holds = |affix: &str| window.as_ref().is_some_and(|w| test(w.text, affix));
    if let Some(affix) = str::as_str(wanted) {
        return Ok(Value::bool(holds(affix)));
    }
    if tuple::of(wanted).is_none() {
        let got = type_name(wanted);
        return Err(m.type_error(format!("{name} first arg must be str or a tuple of str, not {got}")));
    }
    for item in tuple::items(wanted) {
        match str::as_str(item.value()) {
            Some(affix) if holds(affix) => return Ok(Value::TRUE),
            Some(_) => {}
            None => {
                let got = type_name(item.value());
                return Err(m.type_error(format!("tuple for {name} must only contain str, not {got}")));
            }
        }
    }
    Ok(Value::FALSE)
}

pub fn removeprefix(m: &mut Mutator, args: Args) -> R {
    let affix = text(m, args.get(1), "removeprefix() argument")?;
    match this(args).strip_prefix(affix) {
        Some(rest) => m.new_str(rest),
        None => itself(m, args),
    }
}

pub fn removesuffix(m: &mut Mutator, args: Args) -> R {
    let affix = text(m, args.get(1), "removesuffix() argument")?;
    match this(args).strip_suffix(affix) {
        Some(rest) => m.new_str(rest),
        None => itself(m, args),
    }
}

/// The receiver as a plain `str`.
pub fn itself(m: &mut Mutator, args: Args) -> R {
    match str::view(args.get(0)) {
        Some(s) if !str::is_exact(s) => m.new_str(str::text(s)),
        _ => Ok(args.get(0)),
    }
}

pub fn replace(m: &mut Mutator, args: Args) -> R {
    let old = text(m, args.get(1), "replace() argument 1")?;
    let new = text(m, args.get(2), "replace() argument 2")?;
    let most = limit(m, args.opt(3))?;
    let text = this(args);
    let ascii = [0, 1, 2].iter().all(|i| str::view(args.get(*i)).is_some_and(str::is_ascii));
    if ascii && !old.is_empty() && most == usize::MAX {
        return replace_all(m, args, old, new);
    }
    let n = text.matches(old).take(most).count();
    if n == 0 || old == new {
        return itself(m, args);
    }
    let total = new.len().checked_mul(n).map(|grown| grown.saturating_add(text.len() - old.len() * n));
    m.room_for(total.unwrap_or(usize::MAX))?;
    let out = text.replacen(old, new, n);
    m.new_str(&out)
}

/// `replace` of ASCII text, however often `old` stands there.
fn replace_all(m: &mut Mutator, args: Args, old: &str, new: &str) -> R {
    let mut parts: smallvec::SmallVec<[&str; 16]> = smallvec::SmallVec::new();
    let (mut rest, mut nbytes) = (this(args), 0usize);
    while let Some(at) = find::find(rest.as_bytes(), old.as_bytes()) {
        let (before, from) = rest.split_at(at);
        parts.push(before);
        parts.push(new);
        nbytes = nbytes.saturating_add(before.len()).saturating_add(new.len());
        rest = from.get(old.len()..).unwrap_or("");
    }
    if parts.is_empty() || old == new {
        return itself(m, args);
    }
    parts.push(rest);
    nbytes = nbytes.saturating_add(rest.len());
    m.room_for(nbytes)?;
    m.new_str_parts_counted(&parts, nbytes, nbytes)
}

pub fn partition(m: &mut Mutator, args: Args) -> R {
    let sep = separator(m, args)?;
    let text = this(args);
    match find::find(text.as_bytes(), sep.as_bytes()) {
        Some(at) => {
            three(m, [text.get(..at), Some(sep), text.get(at + sep.len()..)].map(Option::unwrap_or_default))
        }
        None => three(m, [this(args), "", ""]),
    }
}

pub fn rpartition(m: &mut Mutator, args: Args) -> R {
    let sep = separator(m, args)?;
    match this(args).rsplit_once(sep) {
        Some((before, after)) => three(m, [before, sep, after]),
        None => three(m, ["", "", this(args)]),
    }
}

fn separator(m: &mut Mutator, args: Args) -> R<&'static str> {
    match plain_text(m, args.get(1))? {
        "" => Err(m.value_error("empty separator")),
        sep => Ok(sep),
    }
}

fn three(m: &mut Mutator, parts: [&str; 3]) -> R {
    let parts = [m.new_str(parts[0])?, m.new_str(parts[1])?, m.new_str(parts[2])?];
    m.new_tuple(&parts)
}
