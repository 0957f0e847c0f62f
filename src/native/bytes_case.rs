//! Methods of `bytes` about ASCII letters and digits, hexadecimal, and translation.

use super::bytes_args::{is_space, like, this};
use super::text_args::{index_or, text, type_name};
use crate::object::mutator::Mutator;
use crate::object::{R, Value, bytes, str};
use crate::vm::native::Args;

pub fn upper(m: &mut Mutator, args: Args) -> R {
    m.new_bytes(&this(args).to_ascii_uppercase())
}

pub fn lower(m: &mut Mutator, args: Args) -> R {
    m.new_bytes(&this(args).to_ascii_lowercase())
}

pub fn swapcase(m: &mut Mutator, args: Args) -> R {
    let swap = |b: &u8| if b.is_ascii_alphabetic() { b ^ 0x20 } else { *b };
    m.new_bytes(&this(args).iter().map(swap).collect::<Vec<u8>>())
}

pub fn capitalize(m: &mut Mutator, args: Args) -> R {
    let mut out = this(args).to_ascii_lowercase();
    if let Some(first) = out.first_mut() {
        first.make_ascii_uppercase();
    }
    m.new_bytes(&out)
}

pub fn title(m: &mut Mutator, args: Args) -> R {
    let mut inside = false;
    let step = |b: &u8| {
        let b = if inside { b.to_ascii_lowercase() } else { b.to_ascii_uppercase() };
        inside = b.is_ascii_alphabetic();
        b
    };
    m.new_bytes(&this(args).iter().map(step).collect::<Vec<u8>>())
}

/// True if there are bytes and all pass.
fn all(args: Args, test: impl Fn(u8) -> bool) -> R {
    Ok(Value::bool(!this(args).is_empty() && this(args).iter().all(|b| test(*b))))
}

pub fn isalnum(_: &mut Mutator, args: Args) -> R {
    all(args, |b| b.is_ascii_alphanumeric())
}

pub fn isalpha(_: &mut Mutator, args: Args) -> R {
    all(args, |b| b.is_ascii_alphabetic())
}

pub fn isdigit(_: &mut Mutator, args: Args) -> R {
    all(args, |b| b.is_ascii_digit())
}

pub fn isspace(_: &mut Mutator, args: Args) -> R {
    all(args, is_space)
}

pub fn isascii(_: &mut Mutator, args: Args) -> R {
    Ok(Value::bool(this(args).is_ascii()))
}

pub fn islower(_: &mut Mutator, args: Args) -> R {
    let b = this(args);
    Ok(Value::bool(b.iter().any(u8::is_ascii_lowercase) && !b.iter().any(u8::is_ascii_uppercase)))
}

pub fn isupper(_: &mut Mutator, args: Args) -> R {
    let b = this(args);
    Ok(Value::bool(b.iter().any(u8::is_ascii_uppercase) && !b.iter().any(u8::is_ascii_lowercase)))
}

pub fn istitle(_: &mut Mutator, args: Args) -> R {
    let (mut inside, mut seen) = (false, false);
    for b in this(args) {
        if (b.is_ascii_uppercase() && inside) || (b.is_ascii_lowercase() && !inside) {
            return Ok(Value::FALSE);
        }
        inside = b.is_ascii_alphabetic();
        seen |= inside;
    }
    Ok(Value::bool(seen))
}

pub fn translate(m: &mut Mutator, args: Args) -> R {
    let table = args.opt_not_none(1).map(|v| like(m, v)).transpose()?;
    if table.is_some_and(|table| table.len() != 256) {
        return Err(m.value_error("translation table must be 256 characters long"));
    }
    let dropped = args.opt(2).map_or(Ok(&[][..]), |v| like(m, v))?;
    let kept = this(args).iter().filter(|b| !dropped.contains(b));
    let mapped = kept.map(|b| table.and_then(|table| table.get(usize::from(*b))).unwrap_or(b));
    m.new_bytes(&mapped.copied().collect::<Vec<u8>>())
}

/// A class method: the class, then the arguments.
pub fn maketrans(m: &mut Mutator, args: Args) -> R {
    let (from, to) = (like(m, args.get(1))?, like(m, args.get(2))?);
    if from.len() != to.len() {
        return Err(m.value_error("maketrans arguments must have same length"));
    }
    let mut table: Vec<u8> = (0..=255).collect();
    for (a, b) in from.iter().zip(to) {
        if let Some(entry) = table.get_mut(usize::from(*a)) {
            *entry = *b;
        }
    }
    m.new_bytes(&table)
}

pub fn hex(m: &mut Mutator, args: Args) -> R {
    let group = index_or(m, args.opt(2), 1)?;
    let separator = args.opt(1).map(|v| hex_separator(m, v)).transpose()?;
    let size = usize::try_from(group.unsigned_abs()).unwrap_or(usize::MAX);
    let bytes = this(args);
    let mut out = String::with_capacity(bytes.len() * 3);
    for (i, b) in bytes.iter().enumerate() {
        // Groups are counted from the right, or from the left if the size is negative.
        let position = if group < 0 { i } else { bytes.len() - i };
        if let Some(c) = separator
            && i > 0
            && size > 0
            && position % size == 0
        {
            out.push(c);
        }
        out.extend([b >> 4, b & 15].map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or('0')));
    }
    m.new_str(&out)
}

fn hex_separator(m: &mut Mutator, v: Value) -> R<char> {
    let c = match (str::as_str(v), bytes::as_bytes(v)) {
        (Some(text), _) => {
            let mut chars = text.chars();
            chars.next().filter(|_| chars.next().is_none())
        }
        (_, Some([b])) => Some(char::from(*b)),
        (_, Some(_)) => None,
        _ => return Err(m.type_error(format!("object of type '{}' has no len()", type_name(v)))),
    };
    match c {
        Some(c) if c.is_ascii() => Ok(c),
        Some(_) => Err(m.value_error("sep must be ASCII.")),
        None => Err(m.value_error("sep must be length 1.")),
    }
}

/// A class method: the class, then the text.
pub fn fromhex(m: &mut Mutator, args: Args) -> R {
    let text = text(m, args.get(1), "fromhex() argument")?;
    let digit = |c: Option<&char>| c.and_then(|c| c.to_digit(16)).map(|d| d as u8);
    let chars: Vec<char> = text.chars().collect();
    let mut out = Vec::with_capacity(chars.len() / 2);
    let mut at = 0;
    // A text that is not ASCII is refused before its digits are looked at.
    let foreign = chars.iter().position(|c| !c.is_ascii());
    let wrong_at = |m: &mut Mutator, place: usize| {
        m.value_error(format!("non-hexadecimal number found in fromhex() arg at position {place}"))
    };
    if let Some(place) = foreign {
        return Err(wrong_at(m, place));
    }
    while let Some(c) = chars.get(at) {
        if u8::try_from(*c).is_ok_and(is_space) {
            at += 1;
            continue;
        }
        match (digit(chars.get(at)), digit(chars.get(at + 1))) {
            (Some(high), Some(low)) => out.push(high << 4 | low),
            (high, _) => {
                return Err(wrong_at(m, at + usize::from(high.is_some())));
            }
        }
        at += 2;
    }
    m.new_bytes(&out)
}
