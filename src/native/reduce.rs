//! The built-in functions that make one value of an iterable: `sum`, `min`, `max`, `any`, `all`, `sorted`.

use super::support;
use crate::object::header::Kind;
use crate::object::num::{BinOp, CmpOp};
use crate::object::{R, Value, Word, types};
use crate::vm::fold::{self, Fold};
use crate::vm::iter::VmIter;
use crate::vm::native::Args;
use crate::vm::ops::compare;
use crate::vm::sort;
use crate::vm::thread::Thread;

/// `sorted(iterable, /, *, key=None, reverse=False)`.
pub fn sorted(th: &mut Thread, args: Args) -> R {
    let (items, key) = (args.get(0), args.opt_not_none(1));
    match args.opt(2) {
        None | Some(Value::FALSE) => sort::sorted(th, items, key, false),
        Some(Value::TRUE) => sort::sorted(th, items, key, true),
        Some(other) => {
            // The items are there before anybody asks what is to be done with them.
            let items = th.collect(items)?;
            let reverse = support::flag(th, other)?;
            sort::sorted(th, items, key, reverse)
        }
    }
}

/// `any(iterable)`.
pub fn any(th: &mut Thread, args: Args) -> R {
    let (mut it, mut fold) = (th.iter(args.get(0))?, Fold::Any);
    while let Some(v) = it.next_after_fold(th, &mut fold)? {
        if th.is_true(v)? {
            return Ok(Value::TRUE);
        }
    }
    Ok(Value::FALSE)
}

/// `all(iterable)`.
pub fn all(th: &mut Thread, args: Args) -> R {
    let (mut it, mut fold) = (th.iter(args.get(0))?, Fold::All);
    while let Some(v) = it.next_after_fold(th, &mut fold)? {
        if !th.is_true(v)? {
            return Ok(Value::FALSE);
        }
    }
    Ok(Value::TRUE)
}

/// `sum(iterable, /, start=0)`.
pub fn sum(th: &mut Thread, args: Args) -> R {
    let start = args.opt(1).unwrap_or(Value::int_unchecked(0));
    let mut it = th.iter(args.get(0))?;
    let refused = match types::kind_of(start) {
        Kind::Str => Some("sum() can't sum strings [use ''.join(seq) instead]"),
        Kind::Bytes => Some("sum() can't sum bytes [use b''.join(seq) instead]"),
        Kind::ByteArray => Some("sum() can't sum bytearray [use b''.join(seq) instead]"),
        _ => None,
    };
    if let Some(message) = refused {
        return Err(th.type_error(message));
    }
    let mut fold = Fold::Sum(start);
    while let Some(v) = it.next_after_fold(th, &mut fold)? {
        let total = fold.value().unwrap_or(start);
        fold = Fold::Sum(match fold::plain_sum(total, v) {
            Some(sum) => sum,
            None => th.binary(BinOp::Add, total, v)?,
        });
    }
    Ok(fold.value().unwrap_or(start))
}

/// `min(iterable, *, key=, default=)`, `min(a, b, ..., key=)`.
pub fn min(th: &mut Thread, args: Args) -> R {
    best(th, args, "min", CmpOp::Lt)
}

/// `max(iterable, *, key=, default=)`, `max(a, b, ..., key=)`.
pub fn max(th: &mut Thread, args: Args) -> R {
    best(th, args, "max", CmpOp::Gt)
}

fn best(th: &mut Thread, args: Args, name: &str, better: CmpOp) -> R {
    let key = args.opt_not_none(0);
    let default = args.opt(1);
    let source = match args.rest(2) {
        [] => return Err(th.type_error(format!("{name} expected at least 1 argument, got 0"))),
        [one] => one.unwrap_or(Value::NONE),
        [Some(a), Some(b)]
            if key.is_none()
                && default.is_none()
                && let Some(wins) = fold::plain_order(better, *b, *a) =>
        {
            return Ok(if wins { *b } else { *a });
        }
        several => {
            if default.is_some() {
                let message =
                    format!("Cannot specify a default for {name}() with multiple positional arguments");
                return Err(th.type_error(message));
            }
            if key.is_none()
                && let Some(v) = best_of_small(several, better)
            {
                return Ok(v);
            }
            // The arguments are in the caller's registers.
            let mut items = several.iter().flatten().copied();
            return best_of(th, |_| Ok(items.next()), key, better).map(|v| v.unwrap_or(Value::NONE));
        }
    };
    let mut it = th.iter(source)?;
    let found = match key {
        Some(_) => best_of(th, |th| it.next(th), key, better)?,
        None => best_item(th, &mut it, better)?,
    };
    match found.or(default) {
        Some(v) => Ok(v),
        None => Err(th.value_error(format!("{name}() arg is an empty sequence"))),
    }
}

/// The best of small ints; `None`: there are others.
fn best_of_small(items: &[Word], better: CmpOp) -> Word {
    let mut best = items.first()?.as_ref()?.as_small()?;
    for item in items {
        let n = item.as_ref()?.as_small()?;
        best = if better == CmpOp::Lt { best.min(n) } else { best.max(n) };
    }
    Value::small(best)
}

/// The item that none before it equals and none after it beats; `None` if there are no items.
fn best_of(
    th: &mut Thread,
    mut next: impl FnMut(&mut Thread) -> R<Option<Value>>,
    key: Option<Value>,
    better: CmpOp,
) -> R<Option<Value>> {
    let mut best: Option<(Value, Value)> = None;
    while let Some(item) = next(th)? {
        let k = match key {
            Some(f) => th.call(f, &[item])?,
            None => item,
        };
        let wins = match best {
            None => true,
            Some((at, _)) => beats(th, better, k, at)?,
        };
        if wins {
            best = Some((k, item));
        }
    }
    Ok(best.map(|(_, item)| item))
}

/// As `best_of`, the items themselves being compared.
fn best_item(th: &mut Thread, it: &mut VmIter, better: CmpOp) -> R<Option<Value>> {
    let mut fold = Fold::Nothing;
    while let Some(item) = it.next_after_fold(th, &mut fold)? {
        let wins = match fold.value() {
            None => true,
            Some(best) => beats(th, better, item, best)?,
        };
        if wins {
            fold = Fold::Best(better, item);
        }
    }
    Ok(fold.value())
}

fn beats(th: &mut Thread, better: CmpOp, a: Value, b: Value) -> R<bool> {
    if let (Some(x), Some(y)) = (a.as_small(), b.as_small()) {
        return Ok(better.holds(Some(x.cmp(&y))));
    }
    compare::holds(th, better, a, b)
}
