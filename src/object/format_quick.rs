//! The commonest format specs ('>8', '<6', '02d', '.2f', 'd', 'x') of plain text and numbers, without memory but the result's.
//! Must not know the rest of the language, nor its errors: whatever is unusual is left to `format`.

use super::mutator::Mutator;
use super::{R, Value, format_float, int, key, str};
use std::io::Write;

/// Results are at most this long.
const MOST: usize = 256;

/// A spec of an alignment, a width, a precision and a type, all of them optional.
struct Quick {
    align: u8,
    /// Zeros behind the sign, up to the width.
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    /// 0: none.
    ty: u8,
}

/// Takes a number below 100 that does not begin with a zero.
fn number(rest: &mut &[u8]) -> Option<usize> {
    let n = rest.iter().take(2).take_while(|b| b.is_ascii_digit()).count();
    let (digits, tail) = rest.split_at_checked(n)?;
    *rest = tail;
    (n > 0).then(|| digits.iter().fold(0, |n, d| n * 10 + usize::from(d - b'0')))
}

fn parse(spec: &str) -> Option<Quick> {
    let mut rest = spec.as_bytes();
    let align = rest.first().copied().filter(|b| matches!(b, b'<' | b'>' | b'^')).unwrap_or(0);
    if align != 0 {
        rest = rest.get(1..)?;
    }
    let zeros = rest.first() == Some(&b'0');
    if zeros && align != 0 {
        return None;
    }
    rest = rest.get(usize::from(zeros)..)?;
    let width = number(&mut rest).unwrap_or(0);
    let precision = match rest {
        [b'.', tail @ ..] => {
            rest = tail;
            Some(number(&mut rest)?)
        }
        _ => None,
    };
    match *rest {
        [] => Some(Quick { align, zeros, width, precision, ty: 0 }),
        [ty] if ty != 0 => Some(Quick { align, zeros, width, precision, ty }),
        _ => None,
    }
}

/// `format(v, spec)`; `None`: the general way.
pub fn format(m: &mut Mutator, v: Value, spec: &str) -> Option<R> {
    let quick = parse(spec)?;
    let mut digits = [0; MOST];
    let mut small = [0; 24];
    let (text, right) = match (v.as_small(), quick.ty, quick.precision) {
        (Some(n), 0 | b'd', None) => (int::small_decimal(n, &mut small), true),
        (Some(n), b'x', None) if n >= 0 => (written(&mut digits, format_args!("{n:x}"))?, true),
        (None, b'f', Some(p)) if v.is_inline_float() => {
            match format_float::fixed_short(v.float_unchecked(), p, &mut small) {
                Some(text) => (text, true),
                None => (written(&mut digits, format_args!("{:.p$}", v.float_unchecked()))?, true),
            }
        }
        (None, 0 | b's', None) if !quick.zeros => {
            let s = key::exact_str(v).filter(|s| str::is_ascii(s))?;
            (str::text(s), false)
        }
        _ => return None,
    };
    let padding = quick.width.saturating_sub(text.len());
    if padding == 0 {
        return Some(m.new_str_counted(text, text.len()));
    }
    let left = match quick.align {
        b'<' => 0,
        b'>' => padding,
        b'^' => padding / 2,
        _ if right => padding,
        _ => 0,
    };
    // A width is below 100, and wider than the text.
    let mut line = [b' '; 100];
    if quick.zeros {
        let sign = usize::from(text.starts_with('-'));
        line.get_mut(..quick.width)?.fill(b'0');
        line.get_mut(..sign)?.fill(b'-');
        line.get_mut(sign + padding..quick.width)?.copy_from_slice(text.as_bytes().get(sign..)?);
        return Some(m.new_str_counted(std::str::from_utf8(line.get(..quick.width)?).ok()?, quick.width));
    }
    line.get_mut(left..left + text.len())?.copy_from_slice(text.as_bytes());
    let line = std::str::from_utf8(line.get(..quick.width)?).ok()?;
    Some(m.new_str_counted(line, line.len()))
}

/// What `args` show, if it fits.
fn written<'a>(buffer: &'a mut [u8; MOST], args: std::fmt::Arguments) -> Option<&'a str> {
    let mut rest = buffer.as_mut_slice();
    rest.write_fmt(args).ok()?;
    let left = rest.len();
    std::str::from_utf8(buffer.get(..MOST - left)?).ok()
}
