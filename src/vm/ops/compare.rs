//! Comparisons beyond small ints and inline floats. Must not know how containers compare (`compare_containers.rs`).

use crate::object::layout::is_subclass_instance;
use crate::object::num::{self, CmpOp};
use crate::object::{Kind, R, Raised, Slot, Value, Word, bytes, class, key, list, str, tuple, types};
use crate::vm::thread::Thread;
use crate::vm::{call, compare_containers, frame, run};
use std::cmp::Ordering;
use std::sync::atomic::Ordering::Acquire;

const METHODS: [&str; 6] = ["__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__"];

/// The special method's name of a comparison.
pub fn method_name(op: CmpOp) -> &'static str {
    METHODS[op as usize]
}

/// Whether `x op y` is true.
#[cold]
#[inline(never)]
pub fn holds(th: &mut Thread, op: CmpOp, x: Value, y: Value) -> R<bool> {
    let v = match of_instances(th, op, x, y) {
        Some(answer) => answer?,
        None => match quick(op, x, y) {
            Some(answer) => return Ok(answer),
            None => compare(th, op, x, y)?,
        },
    };
    if v.is_bool() { Ok(v == Value::TRUE) } else { th.is_true(v) }
}

/// Whether `x op y` is true of two strings of the class `str` itself.
#[inline(never)]
pub(crate) fn texts(op: CmpOp, x: Value, y: Value) -> bool {
    let (Some(a), Some(b)) = (str::view(x), str::view(y)) else { return false };
    match op {
        CmpOp::Eq => str::eq(a, b),
        CmpOp::Ne => !str::eq(a, b),
        CmpOp::Lt => str::compare(a, b).is_lt(),
        CmpOp::Le => str::compare(a, b).is_le(),
        CmpOp::Gt => str::compare(a, b).is_gt(),
        CmpOp::Ge => str::compare(a, b).is_ge(),
    }
}

/// Two instances of one class written in Mini, and of one shape: nobody but their method is to be asked first. `None`:
/// something else, or there is no such method.
#[inline]
fn of_instances(th: &mut Thread, op: CmpOp, x: Value, y: Value) -> Option<R> {
    let alike = x.is_ref()
        && y.is_ref()
        && types::hdr(x).kind == Kind::Instance
        && types::hdr(x).shape.load(Acquire) == types::hdr(y).shape.load(Acquire);
    let f = if alike { th.lookup_in_instance(x, METHODS[op as usize])? } else { return None };
    Some(match ask(th, f, x, y) {
        Ok(Value::NOT_IMPLEMENTED) => after_left(th, op, x, y),
        answer => answer,
    })
}

/// Calls the method; one written in Mini is entered at once.
#[inline(always)]
fn ask(th: &mut Thread, f: Value, x: Value, y: Value) -> R {
    if th.has_native_stack() && call::push_plain(th, f, &[x, y], frame::ENTRY, 0)? {
        return run::run_entered(th);
    }
    th.call(f, &[x, y])
}

/// Numbers and exact strings: no method can be asked.
#[inline(always)]
fn quick(op: CmpOp, x: Value, y: Value) -> Option<bool> {
    if key::exact_str(x).is_some() {
        key::exact_str(y)?;
        return Some(texts(op, x, y));
    }
    if let (Some(a), Some(b)) = (plain_sequence(x), plain_sequence(y))
        && types::hdr(x).kind == types::hdr(y).kind
    {
        return quick_sequences(op, a, b);
    }
    // Two objects that are no numbers: what instances of classes are.
    if x.is_ref() && !matches!(types::hdr(x).kind, Kind::Int | Kind::Float) {
        return None;
    }
    if is_subclass(x) || is_subclass(y) {
        return None;
    }
    num::compare(x, y).map(|order| op.holds(order))
}

/// The items of a list or tuple that is no instance of a subclass.
#[inline(always)]
fn plain_sequence(v: Value) -> Option<&'static [Slot]> {
    if !v.is_ref() || is_subclass_instance(types::hdr(v)) {
        return None;
    }
    match types::hdr(v).kind {
        Kind::Tuple => Some(tuple::items(v)),
        Kind::List => list::of(v).map(list::items),
        _ => None,
    }
}

/// Lists or tuples up to the first items that differ, as long as no item needs Mini code.
#[inline(never)]
fn quick_sequences(op: CmpOp, a: &[Slot], b: &[Slot]) -> Option<bool> {
    if matches!(op, CmpOp::Eq | CmpOp::Ne) && a.len() != b.len() {
        return Some(op == CmpOp::Ne);
    }
    for (i, x) in a.iter().enumerate() {
        let Some(y) = b.get(i) else { break };
        let (x, y) = (x.get()?, y.get()?);
        if x.is_small_int() && y.is_small_int() {
            match x.small_unchecked().cmp(&y.small_unchecked()) {
                Ordering::Equal => continue,
                order => return Some(op.holds(Some(order))),
            }
        }
        if !key::eq(x, y)? {
            return match op {
                CmpOp::Eq => Some(false),
                CmpOp::Ne => Some(true),
                _ => quick_items(op, x, y),
            };
        }
    }
    Some(op.holds(Some(a.len().cmp(&b.len()))))
}

/// The order of two items that are not equal: numbers and exact strings.
fn quick_items(op: CmpOp, x: Value, y: Value) -> Option<bool> {
    match (key::exact_str(x), key::exact_str(y)) {
        (Some(a), Some(b)) => Some(op.holds(Some(str::compare(a, b)))),
        (None, None) if !is_subclass(x) && !is_subclass(y) => num::compare(x, y).map(|o| op.holds(o)),
        _ => None,
    }
}

/// Of a built-in kind, but of a class written in Mini: it may compare in a way of its own.
#[inline]
fn is_subclass(v: Value) -> bool {
    v.is_ref() && is_subclass_instance(types::hdr(v))
}

/// `x op y`.
#[cold]
#[inline(never)]
pub fn compare(th: &mut Thread, op: CmpOp, x: Value, y: Value) -> R {
    if let Some(answer) = quick(op, x, y) {
        return Ok(Value::bool(answer));
    }
    th.check_native_stack()?;
    if y.is_none() && op == CmpOp::Eq {
        // None has nothing to say.
        return Ok(try_method(th, op, x, y)?.unwrap_or(Value::bool(x == y)));
    }
    let (cx, cy) = (types::class_of(x), types::class_of(y));
    let right_first = cx != cy && class::is_subclass(cy, cx);
    if right_first && let Some(v) = try_method(th, op.reflected(), y, x)? {
        return Ok(v);
    }
    if let Some(v) = try_method(th, op, x, y)? {
        return Ok(v);
    }
    ask_others(th, op, x, y, right_first)
}

/// What the left operand's method, the first that was asked, has not answered.
pub fn after_left(th: &mut Thread, op: CmpOp, x: Value, y: Value) -> R {
    ask_others(th, op, x, y, false)
}

fn ask_others(th: &mut Thread, op: CmpOp, x: Value, y: Value, right_asked: bool) -> R {
    // An int has nothing to say of floats; `builtin` compares them for both.
    let right_next = !right_asked
        && is_subclass(y)
        && matches!((types::kind_of(x), types::kind_of(y)), (Kind::Int | Kind::Bool, Kind::Float));
    if right_next && let Some(v) = try_method(th, op.reflected(), y, x)? {
        return Ok(v);
    }
    let right_asked = right_asked || right_next;
    if let Some(answer) = builtin(th, op, x, y)? {
        return Ok(Value::bool(answer));
    }
    if !right_asked && let Some(v) = try_method(th, op.reflected(), y, x)? {
        return Ok(v);
    }
    match op {
        CmpOp::Eq => Ok(Value::bool(x == y)),
        CmpOp::Ne => Ok(Value::bool(x != y)),
        _ => Err(unordered(th, op, x, y)),
    }
}

fn try_method(th: &mut Thread, op: CmpOp, x: Value, y: Value) -> R<Word> {
    let Some(f) = th.lookup_override(x, METHODS[op as usize]) else {
        return if op == CmpOp::Ne { not_equal_by_eq(th, x, y) } else { Ok(None) };
    };
    let v = th.call(f, &[x, y])?;
    Ok(Some(v).filter(|v| *v != Value::NOT_IMPLEMENTED))
}

/// `!=` is the opposite of a `__eq__` written in Mini, but where the built-in type has a `__ne__` of its own.
fn not_equal_by_eq(th: &mut Thread, x: Value, y: Value) -> R<Word> {
    use Kind::*;
    let has_own = matches!(
        types::kind_of(x),
        Int | Float | Str | Bytes | ByteArray | List | Tuple | Dict | Set | FrozenSet
    );
    if has_own {
        return Ok(None);
    }
    match try_method(th, CmpOp::Eq, x, y)? {
        Some(v) => Ok(Some(Value::bool(!th.is_true(v)?))),
        None => Ok(None),
    }
}

/// `x op y` for built-in types; `None`: they do not compare that way.
pub fn builtin(th: &mut Thread, op: CmpOp, x: Value, y: Value) -> R<Option<bool>> {
    let (kx, ky) = (types::kind_of(x), types::kind_of(y));
    match (kx, ky) {
        (Kind::Str, Kind::Str) => {
            let (Some(a), Some(b)) = (str::view(x), str::view(y)) else { return Ok(None) };
            Ok(Some(op.holds(Some(str::compare(a, b)))))
        }
        (Kind::Bytes, Kind::Bytes) => Ok(Some(op.holds(Some(bytes::as_bytes(x).cmp(&bytes::as_bytes(y)))))),
        (Kind::ByteArray, Kind::Bytes | Kind::ByteArray) | (Kind::Bytes, Kind::ByteArray) => {
            let x = super::bytearray::as_bytes_object(&mut th.m, x)?;
            let y = super::bytearray::as_bytes_object(&mut th.m, y)?;
            Ok(Some(op.holds(Some(bytes::as_bytes(x).cmp(&bytes::as_bytes(y))))))
        }
        (Kind::MemoryView, _) | (_, Kind::MemoryView) if matches!(op, CmpOp::Eq | CmpOp::Ne) => {
            Ok(super::memoryview::equal(th, x, y)?.map(|equal| equal == (op == CmpOp::Eq)))
        }
        (Kind::BoundMethod, Kind::BoundMethod) if matches!(op, CmpOp::Eq | CmpOp::Ne) => {
            Ok(Some(same_method(x, y) == (op == CmpOp::Eq)))
        }
        _ => match num::compare(x, y) {
            Some(order) => Ok(Some(op.holds(order))),
            None => compare_containers::compare(th, op, x, y),
        },
    }
}

fn same_method(x: Value, y: Value) -> bool {
    use crate::object::layout::BoundMethod;
    match (types::cast::<BoundMethod>(x), types::cast::<BoundMethod>(y)) {
        (Some(a), Some(b)) => a.func.get() == b.func.get() && a.receiver.get() == b.receiver.get(),
        _ => false,
    }
}

#[cold]
fn unordered(th: &mut Thread, op: CmpOp, x: Value, y: Value) -> Raised {
    let (a, b) = (th.type_name(x), th.type_name(y));
    th.type_error(format!("'{}' not supported between instances of '{a}' and '{b}'", op.symbol()))
}

impl Thread {
    /// `x op y`.
    pub fn compare(&mut self, op: CmpOp, x: Value, y: Value) -> R {
        compare(self, op, x, y)
    }

    /// `x < y` as a truth value: what sorting asks.
    pub fn less(&mut self, x: Value, y: Value) -> R<bool> {
        holds(self, CmpOp::Lt, x, y)
    }
}
