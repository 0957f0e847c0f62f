//! Module `_struct`: the common layouts of `struct`, packed and unpacked in Rust. What is rare or wrong goes to
//! `struct.mini`, which knows all formats and the words for errors. Must not know those.

use super::support;
use crate::object::mutator::Mutator;
use crate::object::{Kind, R, Value, Word, bytes, float, int, str, types};
use crate::vm::import;
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

/// How many formats are remembered; then all are forgotten.
const REMEMBERED: usize = 256;
/// Longer layouts are left to Mini.
const LONGEST: usize = 1 << 20;

/// What a code stands for.
#[derive(Clone, Copy)]
enum Item {
    Int {
        size: usize,
        signed: bool,
    },
    Bool,
    Char,
    Single,
    Double,
    /// As many bytes as the count says.
    Text,
    Padding,
}

impl Item {
    fn size(self) -> usize {
        match self {
            Item::Int { size, .. } => size,
            Item::Bool | Item::Char | Item::Text | Item::Padding => 1,
            Item::Single => 4,
            Item::Double => 8,
        }
    }
}

/// A format that has been read.
struct Plan {
    /// With how many bytes of padding stand before each, and how often it comes.
    items: Vec<(usize, Item, usize)>,
    big: bool,
    size: usize,
    values: usize,
}

static PLANS: LazyLock<RwLock<HashMap<String, Option<Arc<Plan>>>>> = LazyLock::new(RwLock::default);

/// The plan of a format, if it is one of the common ones.
fn plan(format: Value) -> Option<Arc<Plan>> {
    let format = str::as_str(format)?;
    if let Some(known) = PLANS.read().unwrap_or_else(PoisonError::into_inner).get(format) {
        return known.clone();
    }
    let made = read(format).map(Arc::new);
    let mut plans = PLANS.write().unwrap_or_else(PoisonError::into_inner);
    if plans.len() >= REMEMBERED {
        plans.clear();
    }
    plans.insert(format.to_owned(), made.clone());
    made
}

fn item(code: u8, native: bool) -> Option<Item> {
    let size = match code {
        b'b' | b'B' => 1,
        b'h' | b'H' => 2,
        b'i' | b'I' => 4,
        b'l' | b'L' => {
            if native {
                8
            } else {
                4
            }
        }
        b'q' | b'Q' => 8,
        b'n' | b'N' if native => 8,
        b'?' => return Some(Item::Bool),
        b'c' => return Some(Item::Char),
        b'f' => return Some(Item::Single),
        b'd' => return Some(Item::Double),
        b's' => return Some(Item::Text),
        b'x' => return Some(Item::Padding),
        _ => return None,
    };
    Some(Item::Int { size, signed: code.is_ascii_lowercase() })
}

fn read(format: &str) -> Option<Plan> {
    let (native, big, codes) = match format.as_bytes() {
        [b'@', rest @ ..] => (true, false, rest),
        [b'<' | b'=', rest @ ..] => (false, false, rest),
        [b'>' | b'!', rest @ ..] => (false, true, rest),
        rest => (true, false, rest),
    };
    let mut plan = Plan { items: Vec::new(), big, size: 0, values: 0 };
    let mut count: Option<usize> = None;
    for code in codes {
        if code.is_ascii_digit() {
            count = Some(count.unwrap_or(0).checked_mul(10)?.checked_add((code - b'0') as usize)?);
            continue;
        }
        if *code == b' ' && count.is_none() {
            continue;
        }
        let item = item(*code, native)?;
        let before = if native { plan.size.wrapping_neg() % item.size() } else { 0 };
        let number = count.take().unwrap_or(1);
        plan.size = plan.size.checked_add(before)?.checked_add(number.checked_mul(item.size())?)?;
        plan.values += match item {
            Item::Padding => 0,
            Item::Text => 1,
            _ => number,
        };
        plan.items.push((before, item, number));
        if plan.size > LONGEST {
            return None;
        }
    }
    count.is_none().then_some(plan)
}

/// An int as bytes, the small end first. `None`: it is none, or does not fit.
fn int_bytes(v: Value, size: usize, signed: bool) -> Option<[u8; 8]> {
    if types::kind_of(v) != Kind::Int {
        return None;
    }
    let n = int::as_i64(v)?;
    let bits = size as u32 * 8;
    let fits = match (signed, bits) {
        (true, 64) => true,
        (true, _) => (-(1i64 << (bits - 1))..1i64 << (bits - 1)).contains(&n),
        (false, 64) => n >= 0,
        (false, _) => (0..1i64 << bits).contains(&n),
    };
    fits.then(|| n.to_le_bytes())
}

/// A float or a short int as a float.
fn double(v: Value) -> Option<f64> {
    float::as_f64(v).or_else(|| Some(v.as_small()? as f64))
}

impl Plan {
    fn put(&self, out: &mut Vec<u8>, little: &[u8]) {
        if self.big { out.extend(little.iter().rev()) } else { out.extend_from_slice(little) }
    }

    fn pack(&self, values: &[Word]) -> Option<Vec<u8>> {
        if values.len() != self.values {
            return None;
        }
        let mut values = values.iter().copied();
        let mut out = Vec::with_capacity(self.size);
        for (before, item, count) in &self.items {
            out.resize(out.len() + before, 0);
            match item {
                Item::Padding => out.resize(out.len() + count, 0),
                Item::Text => {
                    let data = bytes::as_bytes(values.next()??)?;
                    let data = data.get(..*count).unwrap_or(data);
                    let end = out.len() + count;
                    out.extend_from_slice(data);
                    out.resize(end, 0);
                }
                item => {
                    for _ in 0..*count {
                        self.pack_one(&mut out, *item, values.next()??)?;
                    }
                }
            }
        }
        Some(out)
    }

    fn pack_one(&self, out: &mut Vec<u8>, item: Item, v: Value) -> Option<()> {
        match item {
            Item::Int { size, signed } => self.put(out, int_bytes(v, size, signed)?.get(..size)?),
            Item::Bool if v == Value::TRUE || v == Value::FALSE => out.push((v == Value::TRUE) as u8),
            Item::Char => match bytes::as_bytes(v)? {
                [one] => out.push(*one),
                _ => return None,
            },
            Item::Single => {
                let wide = double(v)?;
                let single = wide as f32;
                if single.is_infinite() && wide.is_finite() {
                    return None;
                }
                self.put(out, &single.to_le_bytes());
            }
            Item::Double => self.put(out, &double(v)?.to_le_bytes()),
            _ => return None,
        }
        Some(())
    }

    /// The values of bytes; there are enough of them.
    fn unpack(&self, m: &mut Mutator, data: &[u8]) -> R<Option<Value>> {
        // Nothing here lets the collector run: the vector may hold what nobody else does.
        let mut values = Vec::with_capacity(self.values);
        let mut rest = data;
        for (before, item, count) in &self.items {
            let skipped = if matches!(item, Item::Padding) { before + count } else { *before };
            let Some((_, after)) = rest.split_at_checked(skipped) else { return Ok(None) };
            rest = after;
            let (step, times) = match item {
                Item::Padding => continue,
                Item::Text => (*count, 1),
                item => (item.size(), *count),
            };
            for _ in 0..times {
                let Some((part, after)) = rest.split_at_checked(step) else { return Ok(None) };
                rest = after;
                values.push(self.unpack_one(m, *item, part)?);
            }
        }
        m.new_tuple(&values).map(Some)
    }

    fn unpack_one(&self, m: &mut Mutator, item: Item, part: &[u8]) -> R {
        let mut word = [0; 8];
        for (i, place) in word.iter_mut().take(part.len()).enumerate() {
            let at = if self.big { part.len() - 1 - i } else { i };
            *place = part.get(at).copied().unwrap_or(0);
        }
        let bits = u64::from_le_bytes(word);
        match item {
            Item::Int { size, signed: true } => {
                let shift = 64 - size as u32 * 8;
                m.new_int((bits << shift) as i64 >> shift)
            }
            Item::Int { .. } => m.new_uint(bits),
            Item::Bool => Ok(Value::bool(bits != 0)),
            Item::Single => m.new_float(f64::from(f32::from_bits(bits as u32))),
            Item::Double => m.new_float(f64::from_bits(bits)),
            Item::Char | Item::Text | Item::Padding => m.new_bytes(part),
        }
    }
}

/// Calls the function of `struct.mini` that can do everything.
fn in_mini(th: &mut Thread, name: &str, args: &[Value]) -> R {
    let module = import::import_dotted(th, "struct")?;
    match support::get(&mut th.m, module, name) {
        Some(function) => th.call(function, args),
        None => Ok(Value::NONE),
    }
}

fn pack(th: &mut Thread, args: Args) -> R {
    let values = args.rest(1);
    if let Some(packed) = plan(args.get(0)).and_then(|plan| plan.pack(values)) {
        return th.new_bytes(&packed);
    }
    let all: Vec<Value> = std::iter::once(args.get(0)).chain(values.iter().copied().flatten()).collect();
    in_mini(th, "_pack_any", &all)
}

fn unpack(th: &mut Thread, args: Args) -> R {
    if let (Some(plan), Some(data)) = (plan(args.get(0)), bytes::as_bytes(args.get(1)))
        && data.len() == plan.size
        && let Some(values) = plan.unpack(th, data)?
    {
        return Ok(values);
    }
    in_mini(th, "_unpack_any", &[args.get(0), args.get(1)])
}

/// `_at(format, data, start)`: the values of bytes from a place on; None if the format is not a common one.
fn at(th: &mut Thread, args: Args) -> R {
    let start = th.index(args.get(2))?;
    let rest = usize::try_from(start).ok().and_then(|start| bytes::as_bytes(args.get(1))?.get(start..));
    let (Some(plan), Some(rest)) = (plan(args.get(0)), rest) else { return Ok(Value::NONE) };
    Ok(plan.unpack(th, rest)?.unwrap_or(Value::NONE))
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_struct",
    doc: "The native half of struct.",
    functions: &[
        NativeDef::full(
            "pack",
            "format, /, *values",
            pack,
            "Return values as bytes in the layout of a format.",
        ),
        NativeDef::full(
            "unpack",
            "format, buffer, /",
            unpack,
            "Return the values of bytes in the layout of a format.",
        ),
        NativeDef::full("_at", "format, data, start, /", at, "Return the values of bytes from a place on."),
    ],
    types: &[],
    init: None,
};
