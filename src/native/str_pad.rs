//! Methods of `str` that fill up to a width: center, ljust, rjust, zfill, expandtabs.

use super::str_search::itself;
use super::text_args::{index, index_or, this, type_name};
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, str};
use crate::vm::native::Args;

/// The characters missing up to the width of argument 1, and the fill character of argument 2.
fn missing(m: &mut Mutator, args: Args) -> R<(usize, char)> {
    let width = index(m, args.get(1))?;
    let fill = match args.opt(2) {
        None => ' ',
        Some(v) => {
            let Some(text) = str::as_str(v) else {
                let got = type_name(v);
                return Err(
                    m.type_error(format!("The fill character must be a unicode character, not {got}"))
                );
            };
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => c,
                _ => return Err(m.type_error("The fill character must be exactly one character long")),
            }
        }
    };
    let len = str::view(args.get(0)).map_or(0, |s| s.nchars as usize);
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(len);
    m.room_for(missing)?;
    Ok((missing, fill))
}

fn padded(m: &mut Mutator, args: Args, left: usize, right: usize, fill: char) -> R {
    if left + right == 0 {
        return itself(m, args);
    }
    let fills = |n| std::iter::repeat_n(fill, n).collect::<String>();
    m.new_str_parts(&[&fills(left), this(args), &fills(right)])
}

pub fn ljust(m: &mut Mutator, args: Args) -> R {
    let (n, fill) = missing(m, args)?;
    padded(m, args, 0, n, fill)
}

pub fn rjust(m: &mut Mutator, args: Args) -> R {
    let (n, fill) = missing(m, args)?;
    padded(m, args, n, 0, fill)
}

pub fn center(m: &mut Mutator, args: Args) -> R {
    let (n, fill) = missing(m, args)?;
    let width = index(m, args.get(1))?;
    // An odd rest goes to the left in odd widths, else to the right.
    let left = n / 2 + (n & width as usize & 1);
    padded(m, args, left, n - left, fill)
}

pub fn zfill(m: &mut Mutator, args: Args) -> R {
    let (n, _) = missing(m, Args(args.0.get(..2).unwrap_or(args.0)))?;
    if n == 0 {
        return itself(m, args);
    }
    let text = this(args);
    let signed = usize::from(text.starts_with(['+', '-']));
    let (sign, digits) = text.split_at(signed);
    m.new_str_parts(&[sign, &"0".repeat(n), digits])
}

pub fn expandtabs(m: &mut Mutator, args: Args) -> R {
    let size = index_or(m, args.opt(1), 8)?;
    if i32::try_from(size).is_err() {
        return Err(m.raise(Exc::OverflowError, "Python int too large to convert to C int"));
    }
    let size = usize::try_from(size).unwrap_or(0);
    let text = this(args);
    let tabs = text.bytes().filter(|b| *b == b'\t').count();
    m.room_for(tabs.saturating_mul(size))?;
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for c in text.chars() {
        if c == '\t' {
            let n = if size == 0 { 0 } else { size - column % size };
            out.extend(std::iter::repeat_n(' ', n));
            column += n;
        } else {
            out.push(c);
            column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
        }
    }
    m.new_str(&out)
}
