//! Methods of `str` about the kinds of characters: case conversions and the `is…` tests.

use super::str_search::itself;
use super::text_args::this;
use crate::object::mutator::Mutator;
use crate::object::str_ascii::{self, Case};
use crate::object::unicode::{self, is_cased};
use crate::object::{R, Value, str};
use crate::vm::native::Args;

pub fn upper(m: &mut Mutator, args: Args) -> R {
    ascii_or(m, args, Case::Upper, |s| s.to_uppercase())
}

pub fn lower(m: &mut Mutator, args: Args) -> R {
    ascii_or(m, args, Case::Lower, |s| s.to_lowercase())
}

pub fn casefold(m: &mut Mutator, args: Args) -> R {
    ascii_or(m, args, Case::Lower, |text| {
        let mut out = String::with_capacity(text.len());
        text.chars().for_each(|c| unicode::push_folded(&mut out, c));
        out
    })
}

/// ASCII text in another case; other text as a whole. Text that stays the same is the receiver itself.
#[inline(always)]
fn ascii_or(m: &mut Mutator, args: Args, case: Case, full: fn(&str) -> String) -> R {
    if let Some(s) = str::view(args.get(0)).filter(|s| str::is_ascii(s)) {
        return str_ascii::converted(m, s, case).unwrap_or_else(|| itself(m, args));
    }
    converted_whole(m, args, full)
}

#[cold]
#[inline(never)]
fn converted_whole(m: &mut Mutator, args: Args, full: fn(&str) -> String) -> R {
    let out = full(this(args));
    if out == this(args) { itself(m, args) } else { m.new_str(&out) }
}

pub fn capitalize(m: &mut Mutator, args: Args) -> R {
    let text = this(args);
    let Some(first) = text.chars().next() else { return m.empty_str() };
    let mut out = String::with_capacity(text.len());
    unicode::push_title(&mut out, first);
    // Lower the whole: whether a sigma is final depends on what stands before it.
    let lowered = text.to_lowercase();
    let head: usize = first.to_lowercase().map(char::len_utf8).sum();
    out.push_str(lowered.get(head..).unwrap_or(""));
    m.new_str(&out)
}

pub fn title(m: &mut Mutator, args: Args) -> R {
    let text = this(args);
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for (at, c) in text.char_indices() {
        if inside {
            push_lower(&mut out, text, at, c)
        } else {
            unicode::push_title(&mut out, c)
        }
        inside = is_cased(c);
    }
    m.new_str(&out)
}

pub fn swapcase(m: &mut Mutator, args: Args) -> R {
    let text = this(args);
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if c.is_uppercase() {
            push_lower(&mut out, text, at, c);
        } else if c.is_lowercase() {
            out.extend(c.to_uppercase());
        } else {
            out.push(c);
        }
    }
    m.new_str(&out)
}

/// Adds the lower case of the character at `at`. A capital sigma that ends a word becomes a final one.
fn push_lower(out: &mut String, text: &str, at: usize, c: char) {
    if c != 'Σ' {
        out.extend(c.to_lowercase());
        return;
    }
    let before = text.get(..at).and_then(|head| head.chars().next_back());
    let after = text.get(at + c.len_utf8()..).and_then(|tail| tail.chars().next());
    let ends = before.is_some_and(is_cased) && !after.is_some_and(is_cased);
    out.push(if ends { 'ς' } else { 'σ' });
}

/// True if there are characters and all pass.
fn all(args: Args, test: impl Fn(char) -> bool) -> R {
    let text = this(args);
    Ok(Value::bool(!text.is_empty() && text.chars().all(test)))
}

pub fn isalpha(_: &mut Mutator, args: Args) -> R {
    all(args, unicode::is_alpha)
}

pub fn isalnum(_: &mut Mutator, args: Args) -> R {
    all(args, |c| unicode::is_alpha(c) || unicode::is_numeric(c) || unicode::is_digit(c))
}

pub fn isdecimal(_: &mut Mutator, args: Args) -> R {
    all(args, |c| unicode::decimal(c).is_some())
}

pub fn isdigit(_: &mut Mutator, args: Args) -> R {
    all(args, unicode::is_digit)
}

pub fn isnumeric(_: &mut Mutator, args: Args) -> R {
    all(args, unicode::is_numeric)
}

pub fn isspace(_: &mut Mutator, args: Args) -> R {
    all(args, unicode::is_space)
}

pub fn isascii(_: &mut Mutator, args: Args) -> R {
    Ok(Value::bool(str::view(args.get(0)).is_some_and(str::is_ascii)))
}

pub fn isprintable(_: &mut Mutator, args: Args) -> R {
    Ok(Value::bool(this(args).chars().all(unicode::is_printable)))
}

pub fn islower(_: &mut Mutator, args: Args) -> R {
    Ok(Value::bool(uniform_case(this(args), char::is_lowercase)))
}

pub fn isupper(_: &mut Mutator, args: Args) -> R {
    Ok(Value::bool(uniform_case(this(args), char::is_uppercase)))
}

/// True if some characters have the case and none has another.
fn uniform_case(text: &str, wanted: fn(char) -> bool) -> bool {
    text.chars().any(wanted) && text.chars().all(|c| wanted(c) || !is_cased(c))
}

pub fn istitle(_: &mut Mutator, args: Args) -> R {
    let (mut inside, mut seen) = (false, false);
    for c in this(args).chars() {
        let starts = c.is_uppercase() || unicode::is_title(c);
        let goes_on = c.is_lowercase();
        if (starts && inside) || (goes_on && !inside) {
            return Ok(Value::FALSE);
        }
        inside = starts || goes_on;
        seen |= inside;
    }
    Ok(Value::bool(seen))
}

pub fn isidentifier(_: &mut Mutator, args: Args) -> R {
    let mut chars = this(args).chars();
    let first = chars.next().is_some_and(|c| c == '_' || unicode_ident::is_xid_start(c));
    Ok(Value::bool(first && chars.all(unicode_ident::is_xid_continue)))
}
