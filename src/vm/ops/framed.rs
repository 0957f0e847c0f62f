//! Getters and special methods written in Mini, run by the eval loop in a frame of their own: no native recursion, no
//! second loop. The frame's result goes to a register of the instruction that asked (`frame::RESULT`).
//! Must not know what the operators do when no method answers.

use super::{arith, compare, item};
use crate::bytecode::op::{Insn, Op};
use crate::object::class::trait_bits;
use crate::object::layout::is_subclass_instance;
use crate::object::num::{self, BinOp, CmpOp};
use crate::object::{Exc, Kind, R, Value, Word, class, key, slice, str, str_index, tuple, types};
use crate::vm::call::{self, Called};
use crate::vm::frame;
use crate::vm::native::NativeFn;
use crate::vm::thread::Thread;
use crate::vm::{attr, fields, site};
use std::sync::atomic::Ordering;

/// Calls `f`; the result is for register `a`.
fn enter(th: &mut Thread, f: Value, args: &[Value], a: usize) -> R<Called> {
    if call::push_plain(th, f, args, frame::RESULT, a as u64)? {
        return Ok(Called::Frame);
    }
    th.call(f, args).map(Called::Value)
}

/// The slow half of `GetAttr`: a property's getter is entered.
#[cold]
#[inline(never)]
pub(crate) fn get_attr(th: &mut Thread, object: Value, words: *const u64, a: usize) -> R<Called> {
    let getter = match site::known(th, object, words) {
        Some(site::Known::Value(v)) => return Ok(Called::Value(v)),
        Some(site::Known::Getter(getter)) => getter,
        None => return attr::get_at_site(th, object, words).map(Called::Value),
    };
    let item = getter.as_small().and_then(|i| tuple::items(object).get(usize::try_from(i).ok()?)?.get());
    match item {
        // A field of a named tuple.
        Some(v) => Ok(Called::Value(v)),
        None => enter(th, getter, &[object], a),
    }
}

/// The slow half of `GetItem`: `__getitem__` of an instance is entered.
#[cold]
#[inline(never)]
pub(crate) fn get_item(th: &mut Thread, container: Value, index: Value, a: usize) -> R<Called> {
    if item::is_dict_without(container, trait_bits::GETITEM) {
        return item::from_dict(th, container, index).map(Called::Value);
    }
    if let Some(c) = str_index::ascii_item(container, index) {
        return Ok(Called::Value(c));
    }
    if let (Some(s), Some(cut)) = (key::exact_str(container), slice::of(index))
        && let Some(b) = slice::plain_bounds(cut, s.nchars as usize)
    {
        return str_index::slice(&mut th.m, container, b.start, b.start + b.count).map(Called::Value);
    }
    if is_instance(container)
        && let Some(f) = th.lookup_in_instance(container, "__getitem__")
    {
        return enter(th, f, &[container, index], a);
    }
    item::get(th, container, index).map(Called::Value)
}

/// Enters `__next__` of the instance that a loop runs over; its answer is for register `item`. False: nothing was done.
#[cold]
#[inline(never)]
pub(crate) fn next_item(th: &mut Thread, iterator: Value, item: usize) -> bool {
    let Some(f) = th.lookup_in_instance(iterator, "__next__") else { return false };
    call::push_plain(th, f, &[iterator], frame::RESULT, item as u64).unwrap_or(false)
}

/// Whether an exception that has left a frame entered for `next_item` means the end of that loop: it goes on behind.
pub(crate) fn ends_loop(th: &mut Thread, exception: Value) -> bool {
    // SAFETY: the instruction that entered the frame is the one before the caller's pc.
    let of_loop = unsafe { (*th.pc.sub(1)).op == Op::ForLoop };
    of_loop && class::is_subclass(types::class_of(exception), types::exc_class(Exc::StopIteration))
}

/// An object of a class written in Mini that derives from no built-in type.
#[inline(always)]
fn is_instance(v: Value) -> bool {
    v.is_ref() && types::hdr(v).kind == Kind::Instance
}

/// Two strings of the class `str` itself.
#[inline(always)]
fn both_text(x: Value, y: Value) -> bool {
    key::exact_str(x).is_some() && key::exact_str(y).is_some()
}

/// Whether the left operand's method is the first to be asked.
fn left_first(x: Value, y: Value) -> bool {
    if !y.is_ref() || !(is_instance(y) || is_subclass_instance(types::hdr(y))) {
        return true;
    }
    if x.is_ref()
        && types::hdr(x).shape.load(Ordering::Acquire) == types::hdr(y).shape.load(Ordering::Acquire)
    {
        return true;
    }
    let (cx, cy) = (types::class_of(x), types::class_of(y));
    cx == cy || !class::is_subclass(cy, cx)
}

/// The slow half of the binary operators.
#[cold]
#[inline(never)]
pub(crate) fn binary(th: &mut Thread, op: BinOp, insn: Insn, x: Value, y: Value) -> R<Called> {
    if op == BinOp::Add && both_text(x, y) {
        return str::concat(&mut th.m, x, y).map(Called::Value);
    }
    binary_of_others(th, op, insn, x, y)
}

/// As `binary`, of what are not two strings: apart, so that those need not save so many registers.
#[inline(never)]
fn binary_of_others(th: &mut Thread, op: BinOp, insn: Insn, x: Value, y: Value) -> R<Called> {
    let in_place = insn.x != 0;
    if let Some(v) = num::with_bool(op, x, y) {
        return Ok(Called::Value(v));
    }
    if let Some(done) = num::boxed::binary(&mut th.m, op, x, y) {
        return done.map(Called::Value);
    }
    if is_instance(x)
        && left_first(x, y)
        && !(in_place && arith::has_in_place(th, op, x))
        && let Some(f) = th.lookup_in_instance(x, arith::method_name(op, false))
    {
        let called = enter(th, f, &[x, y], insn.a as usize)?;
        return match refusable(called) {
            None => arith::after_left(th, op, in_place, x, y).map(Called::Value),
            Some(called) => Ok(called),
        };
    }
    arith::binary(th, op, in_place, x, y).map(Called::Value)
}

/// The slow half of the comparisons.
#[cold]
#[inline(never)]
pub(crate) fn compare(th: &mut Thread, op: CmpOp, x: Value, y: Value, a: usize) -> R<Called> {
    if both_text(x, y) {
        return Ok(Called::Value(Value::bool(compare::texts(op, x, y))));
    }
    if is_instance(x)
        && left_first(x, y)
        && let Some(f) = th.lookup_in_instance(x, compare::method_name(op))
    {
        let called = enter(th, f, &[x, y], a)?;
        return match refusable(called) {
            None => compare::after_left(th, op, x, y).map(Called::Value),
            Some(called) => Ok(called),
        };
    }
    compare::compare(th, op, x, y).map(Called::Value)
}

/// The slow half of the comparisons that jump: to where the answer `when` goes. A method is entered; then what it
/// returns decides (`answer_jump`).
#[cold]
#[inline(never)]
pub(crate) fn compare_jump(th: &mut Thread, op: CmpOp, when: bool, x: Value, y: Value) -> R<()> {
    if is_instance(x)
        && left_first(x, y)
        && let Some(f) = th.lookup_in_instance(x, compare::method_name(op))
        && call::push_plain(th, f, &[x, y], frame::RESULT, frame::JUMP)?
    {
        return Ok(());
    }
    if compare::holds(th, op, x, y)? == when {
        jump(th);
    }
    Ok(())
}

/// Goes where the instruction before the running frame's pc jumps to.
fn jump(th: &mut Thread) {
    // SAFETY: it is a comparison of verified code, whose last operand is the way to go.
    th.pc = unsafe { th.pc.offset(isize::from((*th.pc.sub(1)).c as i16)) };
}

/// A method that was entered for a jump has answered.
pub(crate) fn answer_jump(th: &mut Thread, answer: Value) -> R<()> {
    // SAFETY: the instruction that entered the method is the one before the caller's pc.
    let insn = unsafe { *th.pc.sub(1) };
    let Some((op, when, right)) = jumping(insn.op) else { return Ok(()) };
    let answer = match answer {
        Value::NOT_IMPLEMENTED => {
            let (x, y) = (register(th, insn.a), right_operand(th, right, insn.b));
            compare::after_left(th, op, x, y)?
        }
        answer => answer,
    };
    let holds = if answer.is_bool() { answer == Value::TRUE } else { th.is_true(answer)? };
    if holds == when {
        jump(th);
    }
    Ok(())
}

/// `None` for the answer NotImplemented.
fn refusable(called: Called) -> Option<Called> {
    match called {
        Called::Value(v) if v == Value::NOT_IMPLEMENTED => None,
        called => Some(called),
    }
}

/// What becomes of the value that an entered frame has returned to the running one: an operator whose method answers
/// NotImplemented goes on asking, a native that asked may want something else.
pub(crate) fn settle(th: &mut Thread, value: Value) -> R {
    // SAFETY: the instruction that entered the frame is the one before the caller's pc.
    let insn = unsafe { *th.pc.sub(1) };
    if matches!(insn.op, Op::Call | Op::CallM) {
        // The window still has what was called.
        let def = fields::def(register(th, insn.a));
        return match def.map(|def| def.run) {
            Some(NativeFn::Ask { settle, .. }) => settle(th, value),
            _ => Ok(value),
        };
    }
    if insn.op == Op::ForLoop {
        jump(th);
        return Ok(value);
    }
    if value != Value::NOT_IMPLEMENTED {
        return Ok(value);
    }
    if let Some(op) = comparison(insn.op) {
        let (x, y) = (register(th, insn.b), register(th, insn.c));
        return compare::after_left(th, op, x, y);
    }
    match operator(insn.op) {
        Some((op, right)) => {
            let (x, y) = (register(th, insn.b), right_operand(th, right, insn.c));
            arith::after_left(th, op, insn.x != 0, x, y)
        }
        None => Ok(value),
    }
}

fn register(th: &Thread, n: u16) -> Value {
    // SAFETY: an operand of verified code, which its compiler has filled.
    or_none(Value::from_bits(unsafe { *th.base.add(n as usize) }))
}

fn constant(th: &Thread, n: u16) -> Value {
    let data = frame::code(th.base).and_then(|code| code.linked());
    // SAFETY: as `register`: an index into the running code's data.
    or_none(data.and_then(|data| Value::from_bits(unsafe { *data.add(n as usize) })))
}

fn right_operand(th: &Thread, right: Right, n: u16) -> Value {
    match right {
        Right::Register => register(th, n),
        Right::Immediate => Value::int_unchecked(n as i16 as i64),
        Right::Constant => constant(th, n),
    }
}

/// Where the right operand is.
enum Right {
    Register,
    Immediate,
    Constant,
}

fn comparison(op: Op) -> Option<CmpOp> {
    Some(match op {
        Op::Lt => CmpOp::Lt,
        Op::Le => CmpOp::Le,
        Op::Gt => CmpOp::Gt,
        Op::Ge => CmpOp::Ge,
        Op::Eq => CmpOp::Eq,
        Op::Ne => CmpOp::Ne,
        _ => return None,
    })
}

/// What a comparison that jumps compares, which answer jumps, and where the right operand is.
fn jumping(op: Op) -> Option<(CmpOp, bool, Right)> {
    use Right::*;
    Some(match op {
        Op::JLt => (CmpOp::Lt, true, Register),
        Op::JLe => (CmpOp::Le, true, Register),
        Op::JGt => (CmpOp::Gt, true, Register),
        Op::JGe => (CmpOp::Ge, true, Register),
        Op::JEq => (CmpOp::Eq, true, Register),
        Op::JNe => (CmpOp::Ne, true, Register),
        Op::JNLt => (CmpOp::Lt, false, Register),
        Op::JNLe => (CmpOp::Le, false, Register),
        Op::JNGt => (CmpOp::Gt, false, Register),
        Op::JNGe => (CmpOp::Ge, false, Register),
        Op::JNEq => (CmpOp::Eq, false, Register),
        Op::JNNe => (CmpOp::Ne, false, Register),
        Op::JLtI => (CmpOp::Lt, true, Immediate),
        Op::JLeI => (CmpOp::Le, true, Immediate),
        Op::JGtI => (CmpOp::Gt, true, Immediate),
        Op::JGeI => (CmpOp::Ge, true, Immediate),
        Op::JEqI => (CmpOp::Eq, true, Immediate),
        Op::JNeI => (CmpOp::Ne, true, Immediate),
        Op::JNLtI => (CmpOp::Lt, false, Immediate),
        Op::JNLeI => (CmpOp::Le, false, Immediate),
        Op::JNGtI => (CmpOp::Gt, false, Immediate),
        Op::JNGeI => (CmpOp::Ge, false, Immediate),
        Op::JNEqI => (CmpOp::Eq, false, Immediate),
        Op::JNNeI => (CmpOp::Ne, false, Immediate),
        _ => return None,
    })
}

fn operator(op: Op) -> Option<(BinOp, Right)> {
    use Right::*;
    Some(match op {
        Op::Add => (BinOp::Add, Register),
        Op::Sub => (BinOp::Sub, Register),
        Op::Mul => (BinOp::Mul, Register),
        Op::Div => (BinOp::Div, Register),
        Op::FloorDiv => (BinOp::FloorDiv, Register),
        Op::Mod => (BinOp::Mod, Register),
        Op::Pow => (BinOp::Pow, Register),
        Op::Lshift => (BinOp::Lshift, Register),
        Op::Rshift => (BinOp::Rshift, Register),
        Op::BitAnd => (BinOp::BitAnd, Register),
        Op::BitOr => (BinOp::BitOr, Register),
        Op::BitXor => (BinOp::BitXor, Register),
        Op::MatMul => (BinOp::MatMul, Register),
        Op::AddI => (BinOp::Add, Immediate),
        Op::SubI => (BinOp::Sub, Immediate),
        Op::MulI => (BinOp::Mul, Immediate),
        Op::FloorDivI => (BinOp::FloorDiv, Immediate),
        Op::ModI => (BinOp::Mod, Immediate),
        Op::LshiftI => (BinOp::Lshift, Immediate),
        Op::RshiftI => (BinOp::Rshift, Immediate),
        Op::BitAndI => (BinOp::BitAnd, Immediate),
        Op::AddK => (BinOp::Add, Constant),
        Op::SubK => (BinOp::Sub, Constant),
        Op::MulK => (BinOp::Mul, Constant),
        Op::DivK => (BinOp::Div, Constant),
        _ => return None,
    })
}

/// The value of a word; None for one that is EMPTY.
fn or_none(word: Word) -> Value {
    word.unwrap_or(Value::NONE)
}
