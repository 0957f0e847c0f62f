//! The eval loop: one `match` over the opcode, instantiated for each way of polling.
//! Must not know how a slow path does its work: arms hold the fast path and name the slow one.
//!
//! State lives in locals (`pc`, `r`, `k`) whose addresses never escape; a slow path is told of them through the
//! thread (`save!`). `r` is register 0 of the frame, `k` the data segment. Registers are plain words, private to the
//! thread; words of the heap are read and written through atomics.
//!
//! The loop is one function, which LLVM has to see whole: the longest file of the project. What its arms are made of is
//! in `run/word.rs` and `run/raw.rs`.

mod enter;
mod mode;
mod raw;
mod resume;
mod word;

use super::frame::{self, LINK};
use super::ops::{arith, build, except, framed, group, item, iterate, matching, names, test};
use super::thread::Thread;
use super::{attr, awaitable, call, classes, coroutine, fold, import, ops::suspend, poll, site, unwind};
use crate::bytecode::op::{Insn, Op};
use crate::object::layout::{Cell, Function, Generator};
use crate::object::num::{BinOp, CmpOp, UnOp};
use crate::object::{Kind, R, Slot, Value};
pub use enter::run_entered;
pub use mode::{Free, Locked, Mode, Stepped};
use raw::*;
use resume::resumed;
use std::sync::atomic::Ordering;
use word::*;

/// Why the loop was left.
pub enum Exit {
    /// The frame that was entered from Rust returned this.
    Done(Value),
    /// An exception left the frame that was entered from Rust.
    Raised,
    /// The policy changed: go on in the instantiation that `Thread::loop_kind` names.
    Switch,
}

/// Runs bytecode from `th.pc` in the frame at `th.base`.
///
/// # Safety
/// The frame is complete and its code is verified: registers, data indices and jump targets are in bounds.
#[allow(clippy::too_many_lines)]
#[inline(never)]
pub unsafe fn run<M: Mode>(th: *mut Thread) -> Exit {
    // SAFETY: for the whole function: `th` is this thread's own state; `pc`, `r` and `k` stay within the running frame's code,
    // registers and data, as the verifier has shown for every operand; references in registers are live, since the
    // collector scans the registers and runs only in slow paths.
    unsafe {
        let mut pc: *const Insn = (*th).pc.wrapping_sub(1);
        let mut r: *mut u64 = (*th).base;
        let mut k: *const u64 = data(r);

        macro_rules! a {
            () => {
                (*pc).a as usize
            };
        }
        macro_rules! b {
            () => {
                (*pc).b as usize
            };
        }
        macro_rules! c {
            () => {
                (*pc).c as usize
            };
        }
        macro_rules! bc {
            () => {
                (*pc).bc() as isize
            };
        }
        macro_rules! reg {
            ($n:expr) => {
                *r.add($n)
            };
        }
        macro_rules! save {
            () => {
                (*th).pc = pc.wrapping_add(1);
                (*th).base = r
            };
        }
        macro_rules! reload {
            () => {{
                pc = (*th).pc.wrapping_sub(1);
                r = (*th).base;
                k = data(r)
            }};
        }
        // An exception is pending: go to its handler, or leave.
        macro_rules! raised {
            () => {{
                if !unwind::unwind(&mut *th) {
                    return Exit::Raised;
                }
                reload!();
                check_mode!();
                if (*th).scarce {
                    return Exit::Switch;
                }
                continue;
            }};
        }
        macro_rules! raise {
            ($call:expr) => {{
                save!();
                $call;
                raised!()
            }};
        }
        // After anything that may have detached: is this still the right loop?
        macro_rules! check_mode {
            () => {
                if (*th).loop_kind != M::KIND {
                    save!();
                    return Exit::Switch;
                }
                taken();
            };
        }
        // A slow path that yields a value for R[a].
        macro_rules! slow {
            ($call:expr) => {{
                std::hint::cold_path();
                save!();
                let result: R = $call;
                match result {
                    Ok(value) => {
                        reg!(a!()) = value.bits();
                        check_mode!();
                        continue;
                    }
                    Err(_) => raised!(),
                }
            }};
        }
        // A slow path that yields something else.
        macro_rules! try_slow {
            ($call:expr) => {{
                save!();
                let result: R<_> = $call;
                match result {
                    Ok(value) => {
                        if (*th).loop_kind != M::KIND {
                            poll::remind(&*th);
                        }
                        value
                    }
                    Err(_) => raised!(),
                }
            }};
        }
        // A slow path that yields nothing.
        macro_rules! effect {
            ($call:expr) => {{
                std::hint::cold_path();
                let () = try_slow!($call);
                check_mode!();
                continue;
            }};
        }
        macro_rules! poll {
            ($at:ident) => {
                if cfg!(feature = "torture")
                    || (*th).m.member.breaker().load(Ordering::Relaxed) != 0
                    || (M::STEP && (*th).m.member.tick().load(Ordering::Relaxed) < 0)
                {
                    poll_now!($at);
                } else {
                    taken();
                }
            };
        }
        macro_rules! poll_now {
            ($at:ident) => {{
                // What happens here belongs to the instruction about to run, not to the one that jumped here.
                (*th).pc = pc.wrapping_add(2);
                (*th).base = r;
                if poll::poll_at(&mut *th, M::STEP, poll::At::$at).is_err() {
                    raised!();
                }
                check_mode!();
            }};
        }
        // The running frame may be another one, or elsewhere.
        macro_rules! entered {
            () => {{
                reload!();
                check_mode!();
                poll!(Enter);
                continue;
            }};
        }
        macro_rules! jump {
            ($offset:expr) => {{
                taken();
                let offset = $offset;
                pc = pc.offset(offset);
            }};
        }
        macro_rules! forward_if {
            ($condition:expr) => {
                if $condition {
                    jump!(bc!());
                } else {
                    taken();
                }
            };
        }
        // A float that is zero or very small, or a float and an int: without a call of `save!`.
        macro_rules! mixed {
            ($op:expr, $x:expr, $y:expr) => {
                if is_float($x) || is_float($y) {
                    std::hint::cold_path();
                    if let Some(z) = arith::mixed($op, v($x), v($y)) {
                        reg!(a!()) = z.bits();
                        continue;
                    }
                }
            };
        }
        macro_rules! arith {
            ($small:path, $scaled:path, $op:expr, $y:expr) => {{
                let (x, y) = (reg!(b!()), $y);
                if both_int(x, y) {
                    let z = $small(x, y);
                    if z != 0 {
                        reg!(a!()) = z;
                        continue;
                    }
                } else if both_scaled(x, y) {
                    let z = $scaled(x, y);
                    if is_scaled(z) {
                        reg!(a!()) = z;
                        continue;
                    }
                }
                mixed!($op, x, y);
                call!(framed::binary(&mut *th, $op, *pc, v(x), v(y)))
            }};
        }
        macro_rules! true_div {
            ($x:expr, $y:expr) => {
                let (x, y) = ($x, $y);
                if both_int(x, y) && int(y) != 0 && exact_in_float(x) && exact_in_float(y) {
                    let z = float_word(int(x) as f64 / int(y) as f64);
                    if fits_word(z) {
                        reg!(a!()) = z;
                        continue;
                    }
                }
                if both_scaled(x, y) {
                    let z = scaled::div(x, y);
                    if is_scaled(z) {
                        reg!(a!()) = z;
                        continue;
                    }
                }
                mixed!(BinOp::Div, x, y);
            };
        }
        macro_rules! multiply_add {
            ($small:path, $scaled:path) => {{
                let (x, y, addend) = (reg!(b!()), reg!(c!()), reg!((*pc).x as usize));
                if both_scaled(x, y) && is_scaled(addend) {
                    let product = scaled::mul(x, y);
                    let z = $scaled(addend, product);
                    if is_scaled(product) && is_scaled(z) {
                        reg!(a!()) = z;
                        pc = pc.add(2);
                        continue;
                    }
                } else if both_int(x, y) && is_int(addend) {
                    let product = small::mul(x, y);
                    let z = if product != 0 { $small(addend, product) } else { 0 };
                    if z != 0 {
                        reg!(a!()) = z;
                        pc = pc.add(2);
                        continue;
                    }
                }
                continue;
            }};
        }
        macro_rules! divide {
            ($small:path, $op:expr, $y:expr) => {{
                let (x, y) = (reg!(b!()), $y);
                if both_int(x, y) && int(y) > 0 {
                    reg!(a!()) = $small(x, y);
                    continue;
                }
                call!(framed::binary(&mut *th, $op, *pc, v(x), v(y)))
            }};
        }
        macro_rules! bits {
            ($combine:expr, $op:expr, $y:expr) => {{
                let (x, y) = (reg!(b!()), $y);
                if both_int(x, y) {
                    reg!(a!()) = $combine(x, y);
                    continue;
                }
                call!(framed::binary(&mut *th, $op, *pc, v(x), v(y)))
            }};
        }
        macro_rules! binary {
            ($op:expr) => {
                call!(framed::binary(&mut *th, $op, *pc, v(reg!(b!())), v(reg!(c!()))))
            };
        }
        macro_rules! compare {
            ($op:tt, $slow:expr) => {{
                let (x, y) = (reg!(b!()), reg!(c!()));
                if both_int(x, y) {
                    reg!(a!()) = Value::bool((x as i64) $op (y as i64)).bits();
                    continue;
                }
                if both_scaled(x, y) {
                    reg!(a!()) = Value::bool(scaled::scaled(x) $op scaled::scaled(y)).bits();
                    continue;
                }
                if both_float(x, y) {
                    std::hint::cold_path();
                    reg!(a!()) = Value::bool(float(x) $op float(y)).bits();
                    continue;
                }
                call!(framed::compare(&mut *th, $slow, v(x), v(y), a!()))
            }};
        }
        // Jumps if the outcome of the comparison is `$when`. True may go backwards, so it polls.
        macro_rules! compare_jump {
            ($when:expr, $op:tt, $slow:expr, $y:expr) => {{
                let (x, y) = (reg!(a!()), $y);
                let holds = if both_int(x, y) {
                    (x as i64) $op (y as i64)
                } else if both_scaled(x, y) {
                    scaled::scaled(x) $op scaled::scaled(y)
                } else if let Some(holds) = texts($slow, x, y) {
                    holds
                } else if both_float(x, y) {
                    std::hint::cold_path();
                    float(x) $op float(y)
                } else {
                    save!();
                    if framed::compare_jump(&mut *th, $slow, $when, v(x), v(y)).is_err() {
                        raised!();
                    }
                    entered!();
                };
                if holds == $when {
                    jump!((*pc).c as i16 as isize);
                    if $when {
                        poll!(Edge);
                    }
                }
                continue;
            }};
        }
        macro_rules! imm_b {
            () => {
                int_word((*pc).b as i16 as i64)
            };
        }
        macro_rules! imm_c {
            () => {
                int_word((*pc).c as i16 as i64)
            };
        }
        macro_rules! get_item {
            ($index:expr) => {{
                let (list, index) = (reg!(b!()), $index);
                let word = list_item(list, index);
                if word != 0 {
                    reg!(a!()) = word;
                    continue;
                }
                call!(framed::get_item(&mut *th, v(list), v(index), a!()))
            }};
        }
        macro_rules! truth {
            ($x:expr) => {{
                let x = $x;
                if x == Value::TRUE.bits() {
                    true
                } else if x == Value::FALSE.bits() || x == Value::NONE.bits() {
                    false
                } else if is_int(x) {
                    x != int_word(0)
                } else {
                    try_slow!(test::is_true(&mut *th, v(x)))
                }
            }};
        }
        // Transfers control to a Mini function whose arguments lie in place.
        macro_rules! enter {
            ($function:expr, $base:expr) => {{
                let base: *mut u64 = $base;
                *base.sub(3) = k as u64;
                *base.sub(2) = r as u64;
                *base.sub(1) = pc.add(1) as u64;
                k = call_word(k.add(c!()), (*$function).data.load(Ordering::Acquire));
                r = base;
                pc = (*k as *const Insn).wrapping_sub(1);
                poll!(Enter);
                continue;
            }};
        }
        // Back to the frame below, if that is one of this loop.
        macro_rules! pop {
            ($caller:expr) => {
                pc = (*r.sub(1) as *const Insn).wrapping_sub(1);
                k = *r.sub(3) as *const u64;
                r = $caller as *mut u64;
                (*th).depth += 1;
            };
        }
        // Leaves a frame that cannot be suspended.
        macro_rules! leave {
            ($value:expr) => {{
                let (value, caller) = ($value, *r.sub(2));
                if caller & frame::FLAGS == 0 {
                    *r.sub(LINK) = value;
                    pop!(caller);
                    continue;
                }
                save!();
                match call::return_special(&mut *th, v(value)) {
                    Ok(Some(done)) => return Exit::Done(done),
                    Ok(None) => reload!(),
                    Err(_) => raised!(),
                }
            }};
        }
        // Goes on in the suspended call `g`, if it can be had.
        macro_rules! resume {
            ($g:expr, $sent:expr) => {{
                let base = resumed::<M>(th, r, $g as *const Generator, $sent);
                if !base.is_null() {
                    *base.sub(3) = k as u64;
                    *base.sub(2) = r as u64;
                    *base.sub(1) = pc.add(1) as u64;
                    r = base;
                    pc = (*(*r.sub(5) as *const Generator)).pc.load(Ordering::Relaxed).wrapping_sub(1);
                    k = (*(*r.sub(LINK) as *const Function)).data.load(Ordering::Acquire);
                    continue;
                }
            }};
        }
        // Leaves a frame that was resumed for whoever did that.
        macro_rules! resumer {
            ($value:expr) => {
                if *r.sub(2) & frame::FLAGS != 0 {
                    save!();
                    coroutine::leave(&mut *th, *pc);
                    return Exit::Done(v($value));
                }
                pop!(*r.sub(2));
            };
        }
        // A call that is not the simplest kind.
        macro_rules! call {
            ($outcome:expr) => {{
                save!();
                match $outcome {
                    Ok(call::Called::Value(value)) => {
                        reg!(a!()) = value.bits();
                        check_mode!();
                        poll!(Call);
                        continue;
                    }
                    Ok(call::Called::Frame) => entered!(),
                    Err(_) => raised!(),
                }
            }};
        }

        // Calls a native function whose arguments need no binding; goes on below if it is none.
        macro_rules! call_native {
            ($callee:expr, $args:expr, $count:expr) => {
                if is_ref($callee) && hdr($callee).kind == Kind::Native {
                    save!();
                    if let Some(result) = call::native_direct(&mut *th, $callee, $args, $count) {
                        match result {
                            Ok(value) => {
                                reg!(a!()) = value.bits();
                                check_mode!();
                                poll!(Call);
                                continue;
                            }
                            Err(_) => raised!(),
                        }
                    }
                }
            };
        }

        loop {
            if M::STEP && poll::step(&*th) {
                poll_now!(Step);
            }
            pc = next(pc);
            r = same(r);
            match (*pc).op {
                // Not empty: a jump straight back would make the dispatch block a loop of its own, which LLVM does not
                // duplicate (and then no instruction gets a dispatch jump of its own).
                Op::Nop => taken(),
                Op::Move => reg!(a!()) = reg!(b!()),
                Op::LoadK => reg!(a!()) = *k.offset(bc!()),
                Op::LoadInt => reg!(a!()) = int_word(bc!() as i64),
                Op::Clear => reg!(a!()) = 0,
                Op::CheckLocal => {
                    if reg!(a!()) == 0 {
                        effect!(names::unbound_local(&mut *th, v(*k.offset(bc!()))))
                    }
                }
                Op::NewCell => slow!(names::new_cell(&mut *th, Value::from_bits(reg!(b!())))),
                Op::GetCell => {
                    let word = cell_value(reg!(b!()));
                    if word == 0 {
                        effect!(names::unbound_local(&mut *th, v(*k.add(c!()))))
                    }
                    reg!(a!()) = word;
                }
                Op::SetCell => (*(reg!(a!()) as *const Cell)).value.set_bits(reg!(b!())),
                Op::DelCell => effect!(names::delete_cell(&mut *th, v(reg!(a!())), v(*k.add(c!())))),
                Op::GetFree => {
                    let word = cell_value(free_cell(r, b!()));
                    if word == 0 {
                        effect!(names::unbound_free(&mut *th, v(*k.add(c!()))))
                    }
                    reg!(a!()) = word;
                }
                Op::SetFree => (*(free_cell(r, a!()) as *const Cell)).value.set_bits(reg!(b!())),
                Op::DelFree => {
                    effect!(names::delete_cell(&mut *th, v(free_cell(r, a!())), v(*k.add(c!()))))
                }
                Op::FreeCell => reg!(a!()) = free_cell(r, b!()),
                Op::GetGlobal => {
                    let cell = *k.offset(bc!());
                    let word = global_value(cell);
                    if word == 0 {
                        effect!(names::unbound_global(&mut *th, v(cell)))
                    }
                    reg!(a!()) = word;
                }
                Op::SetGlobal => (*(*k.offset(bc!()) as *const Cell)).value.set_bits(reg!(a!())),
                Op::DelGlobal => effect!(names::delete_global(&mut *th, v(*k.offset(bc!())))),
                Op::NsGet => {
                    let word = try_slow!(names::ns_get(&mut *th, v(reg!(b!())), v(*k.add(c!()))));
                    reg!(a!()) = word.map_or(0, Value::bits);
                    check_mode!();
                }
                Op::NsSet => {
                    effect!(names::ns_set(&mut *th, v(reg!(a!())), v(*k.add(c!())), v(reg!(b!()))))
                }
                Op::NsDel => effect!(names::ns_delete(&mut *th, v(reg!(a!())), v(*k.add(c!())))),

                Op::Add => arith!(small::add, scaled::add, BinOp::Add, reg!(c!())),
                Op::Sub => arith!(small::sub, scaled::sub, BinOp::Sub, reg!(c!())),
                Op::Mul => arith!(small::mul, scaled::mul, BinOp::Mul, reg!(c!())),
                Op::Div => {
                    let (x, y) = (reg!(b!()), reg!(c!()));
                    true_div!(x, y);
                    binary!(BinOp::Div)
                }
                Op::FloorDiv => divide!(small::floor_div, BinOp::FloorDiv, reg!(c!())),
                Op::Mod => divide!(small::modulo, BinOp::Mod, reg!(c!())),
                Op::Pow => {
                    let z = word::float_pow(reg!(b!()), reg!(c!()));
                    if z != 0 {
                        reg!(a!()) = z;
                        continue;
                    }
                    binary!(BinOp::Pow)
                }
                Op::Lshift => {
                    let (x, y) = (reg!(b!()), reg!(c!()));
                    if both_int(x, y) && (0..60).contains(&int(y)) {
                        let z = small::shl(x, int(y));
                        if z != 0 {
                            reg!(a!()) = z;
                            continue;
                        }
                    }
                    binary!(BinOp::Lshift)
                }
                Op::Rshift => {
                    let (x, y) = (reg!(b!()), reg!(c!()));
                    if both_int(x, y) && (0..60).contains(&int(y)) {
                        reg!(a!()) = (x as i64 >> int(y)) as u64 | 3;
                        continue;
                    }
                    binary!(BinOp::Rshift)
                }
                Op::BitAnd => bits!(|x, y| x & y, BinOp::BitAnd, reg!(c!())),
                Op::BitOr => bits!(|x, y| x | y, BinOp::BitOr, reg!(c!())),
                Op::BitXor => bits!(|x, y| (x ^ y) | 3, BinOp::BitXor, reg!(c!())),
                Op::MatMul => binary!(BinOp::MatMul),
                Op::MulAdd => multiply_add!(small::add, scaled::add),
                Op::MulSub => multiply_add!(small::sub, scaled::sub),
                Op::AddI => arith!(small::add, scaled::add, BinOp::Add, imm_c!()),
                Op::SubI => arith!(small::sub, scaled::sub, BinOp::Sub, imm_c!()),
                Op::MulI => arith!(small::mul, scaled::mul, BinOp::Mul, imm_c!()),
                Op::FloorDivI => divide!(small::floor_div, BinOp::FloorDiv, imm_c!()),
                Op::ModI => divide!(small::modulo, BinOp::Mod, imm_c!()),
                Op::LshiftI => {
                    let x = reg!(b!());
                    let z = if is_int(x) { small::shl(x, c!() as i64) } else { 0 };
                    if z != 0 {
                        reg!(a!()) = z;
                        continue;
                    }
                    call!(framed::binary(&mut *th, BinOp::Lshift, *pc, v(x), v(imm_c!())))
                }
                Op::RshiftI => {
                    let x = reg!(b!());
                    if is_int(x) {
                        reg!(a!()) = (x as i64 >> c!()) as u64 | 3;
                        continue;
                    }
                    call!(framed::binary(&mut *th, BinOp::Rshift, *pc, v(x), v(imm_c!())))
                }
                Op::BitAndI => bits!(|x, y| x & y, BinOp::BitAnd, imm_c!()),
                Op::AddK => arith!(small::add, scaled::add, BinOp::Add, *k.add(c!())),
                Op::SubK => arith!(small::sub, scaled::sub, BinOp::Sub, *k.add(c!())),
                Op::MulK => arith!(small::mul, scaled::mul, BinOp::Mul, *k.add(c!())),
                Op::DivK => {
                    let (x, y) = (reg!(b!()), *k.add(c!()));
                    true_div!(x, y);
                    call!(framed::binary(&mut *th, BinOp::Div, *pc, v(x), v(y)))
                }
                Op::Neg => {
                    let z = negated(reg!(b!()));
                    if z != 0 {
                        reg!(a!()) = z;
                        continue;
                    }
                    slow!(arith::unary(&mut *th, UnOp::Neg, v(reg!(b!()))))
                }
                Op::Pos => slow!(arith::unary(&mut *th, UnOp::Pos, v(reg!(b!())))),
                Op::Invert => slow!(arith::unary(&mut *th, UnOp::Invert, v(reg!(b!())))),
                Op::Not => {
                    let truth = truth!(reg!(b!()));
                    reg!(a!()) = Value::bool(!truth).bits();
                    check_mode!();
                }

                Op::Lt => compare!(<, CmpOp::Lt),
                Op::Le => compare!(<=, CmpOp::Le),
                Op::Gt => compare!(>, CmpOp::Gt),
                Op::Ge => compare!(>=, CmpOp::Ge),
                Op::Eq => compare!(==, CmpOp::Eq),
                Op::Ne => compare!(!=, CmpOp::Ne),
                Op::Is => {
                    let same = reg!(b!()) == reg!(c!());
                    reg!(a!()) = Value::bool(same != ((*pc).x != 0)).bits();
                }
                Op::In => {
                    save!();
                    let Ok(found) = item::contains(&mut *th, v(reg!(c!())), v(reg!(b!()))) else { raised!() };
                    reg!(a!()) = Value::bool(found != ((*pc).x != 0)).bits();
                    check_mode!();
                }

                Op::Jump => pc = pc.offset(bc!()),
                Op::Loop => {
                    pc = pc.offset(bc!());
                    poll!(Edge);
                }
                Op::JTrue => {
                    let x = reg!(a!());
                    if x == Value::TRUE.bits() || (x != Value::FALSE.bits() && truth!(x)) {
                        jump!(bc!());
                        poll!(Edge);
                    } else {
                        taken();
                    }
                }
                Op::JFalse => {
                    let x = reg!(a!());
                    forward_if!(x == Value::FALSE.bits() || (x != Value::TRUE.bits() && !truth!(x)));
                }
                Op::JNone => forward_if!(reg!(a!()) == Value::NONE.bits()),
                Op::JNotNone => forward_if!(reg!(a!()) != Value::NONE.bits()),
                Op::JSet => forward_if!(reg!(a!()) != 0),
                Op::JLt => compare_jump!(true, <, CmpOp::Lt, reg!(b!())),
                Op::JLe => compare_jump!(true, <=, CmpOp::Le, reg!(b!())),
                Op::JGt => compare_jump!(true, >, CmpOp::Gt, reg!(b!())),
                Op::JGe => compare_jump!(true, >=, CmpOp::Ge, reg!(b!())),
                Op::JEq => compare_jump!(true, ==, CmpOp::Eq, reg!(b!())),
                Op::JNe => compare_jump!(true, !=, CmpOp::Ne, reg!(b!())),
                Op::JNLt => compare_jump!(false, <, CmpOp::Lt, reg!(b!())),
                Op::JNLe => compare_jump!(false, <=, CmpOp::Le, reg!(b!())),
                Op::JNGt => compare_jump!(false, >, CmpOp::Gt, reg!(b!())),
                Op::JNGe => compare_jump!(false, >=, CmpOp::Ge, reg!(b!())),
                Op::JNEq => compare_jump!(false, ==, CmpOp::Eq, reg!(b!())),
                Op::JNNe => compare_jump!(false, !=, CmpOp::Ne, reg!(b!())),
                Op::JLtI => compare_jump!(true, <, CmpOp::Lt, imm_b!()),
                Op::JLeI => compare_jump!(true, <=, CmpOp::Le, imm_b!()),
                Op::JGtI => compare_jump!(true, >, CmpOp::Gt, imm_b!()),
                Op::JGeI => compare_jump!(true, >=, CmpOp::Ge, imm_b!()),
                Op::JEqI => compare_jump!(true, ==, CmpOp::Eq, imm_b!()),
                Op::JNeI => compare_jump!(true, !=, CmpOp::Ne, imm_b!()),
                Op::JNLtI => compare_jump!(false, <, CmpOp::Lt, imm_b!()),
                Op::JNLeI => compare_jump!(false, <=, CmpOp::Le, imm_b!()),
                Op::JNGtI => compare_jump!(false, >, CmpOp::Gt, imm_b!()),
                Op::JNGeI => compare_jump!(false, >=, CmpOp::Ge, imm_b!()),
                Op::JNEqI => compare_jump!(false, ==, CmpOp::Eq, imm_b!()),
                Op::JNNeI => compare_jump!(false, !=, CmpOp::Ne, imm_b!()),

                Op::GetAttr => {
                    let object = reg!(b!());
                    if is_ref(object) {
                        let shape = hdr(object).shape.load(Ordering::Acquire);
                        if let Some(slot) = cached(k, c!(), shape) {
                            let word = slot_word(object, slot);
                            if word != 0 {
                                reg!(a!()) = word;
                                continue;
                            }
                        }
                    }
                    call!(framed::get_attr(&mut *th, v(object), k.add(c!()), a!()))
                }
                Op::InitAttr if init_attr(r, site_word(k, c!() + 2), v(reg!(b!()))) => taken(),
                Op::InitAttr | Op::SetAttr => {
                    let object = reg!(a!());
                    if is_ref(object) {
                        let shape = hdr(object).shape.load(Ordering::Acquire);
                        if let Some(slot) = cached(k, c!(), shape) {
                            (*(object as *const Slot).add(slot as usize)).set_bits(reg!(b!()));
                            continue;
                        }
                        let grow = site_word(k, c!() + 2);
                        if attr_grows::<M>(&(*th).m, object, grow, v(reg!(b!()))) {
                            continue;
                        }
                    }
                    effect!(attr::set_at_site(&mut *th, v(object), v(reg!(b!())), k.add(c!())))
                }
                Op::DelAttr => effect!(attr::delete(&mut *th, v(reg!(a!())), v(*k.add(c!())))),
                Op::GetMethod => {
                    let object = reg!(b!());
                    if is_ref(object) {
                        let shape = hdr(object).shape.load(Ordering::Acquire);
                        if let Some(cell) = cached(k, c!(), shape) {
                            let word = site::cached_method(cell);
                            if word != 0 {
                                reg!(a!() + LINK) = object;
                                reg!(a!()) = word;
                                continue;
                            }
                        }
                    }
                    effect!(attr::method_at_site(&mut *th, v(object), k.add(c!()), r.add(a!())))
                }
                Op::GetSpecial => {
                    let which = (*pc).x;
                    effect!(attr::special(&mut *th, v(reg!(b!())), v(*k.add(c!())), which, r.add(a!())))
                }
                Op::GetItem => get_item!(reg!(c!())),
                Op::GetItemI => get_item!(imm_c!()),
                Op::SetItem => {
                    let (list, index, value) = (reg!(a!()), reg!(b!()), reg!(c!()));
                    if set_list_item::<M>(th, list, index, value) {
                        continue;
                    }
                    effect!(item::set(&mut *th, v(list), v(index), v(value)))
                }
                Op::DelItem => effect!(item::delete(&mut *th, v(reg!(a!())), v(reg!(b!())))),
                Op::NewSlice => slow!(item::new_slice(&mut *th, values(r.add(b!()), 3))),

                Op::Call => {
                    let callee = reg!(a!());
                    if is_ref(callee) && hdr(callee).kind == Kind::Function {
                        let f = callee as *const Function;
                        let base = r.add(a!() + LINK);
                        if (*f).simple_args == b!() as u32 && enters(th, f, base) {
                            enter!(f, base);
                        }
                    }
                    call_native!(callee, r.add(a!() + LINK), b!());
                    call!(call::call_window(&mut *th, r.add(a!()), b!()))
                }
                Op::CallM => {
                    let callee = reg!(a!());
                    if reg!(a!() + LINK) != 0 && is_ref(callee) && hdr(callee).kind == Kind::Function {
                        let f = callee as *const Function;
                        let base = r.add(a!() + LINK);
                        if (*f).simple_args == b!() as u32 + 1 && enters(th, f, base) {
                            enter!(f, base);
                        }
                    }
                    if reg!(a!() + LINK) != 0 {
                        call_native!(callee, r.add(a!() + LINK), b!() + 1);
                    }
                    call!(call::call_method_window(&mut *th, r.add(a!()), b!()))
                }
                Op::CallKw => call!(call::call_keywords(&mut *th, r.add(a!()), *pc, v(*k.add(c!())))),
                Op::CallEx => call!(call::call_spread(&mut *th, r.add(a!()))),
                Op::Return => leave!(reg!(a!())),
                Op::ReturnNone => leave!(Value::NONE.bits()),
                Op::MakeFunc => slow!(build::function(&mut *th, v(*k.add(c!())), r.add(b!()))),
                Op::BuildClass => {
                    let spread = (*pc).x != 0;
                    slow!(classes::build(&mut *th, r.add(a!()), b!(), v(*k.add(c!())), spread))
                }
                Op::NewList => slow!(build::list(&mut *th, values(r.add(b!()), c!()))),
                Op::NewTuple => slow!(build::tuple(&mut *th, values(r.add(b!()), c!()))),
                Op::NewSet => slow!(build::set(&mut *th, values(r.add(b!()), c!()))),
                Op::NewDict => slow!(build::dict(&mut *th, values(r.add(b!()), 2 * c!()))),
                Op::ListAppend => {
                    if !append_in_place(reg!(a!()), reg!(b!())) {
                        effect!(build::list_append(&mut *th, v(reg!(a!())), v(reg!(b!()))))
                    }
                }
                Op::ListExtend => {
                    effect!(build::list_extend(&mut *th, v(reg!(a!())), v(reg!(b!())), true))
                }
                Op::ListToTuple => slow!(build::list_to_tuple(&mut *th, v(reg!(b!())))),
                Op::SetAdd => effect!(build::set_add(&mut *th, v(reg!(a!())), v(reg!(b!())))),
                Op::SetUpdate => effect!(build::set_update(&mut *th, v(reg!(a!())), v(reg!(b!())))),
                Op::MapPut => effect!(build::map_put(&mut *th, v(reg!(a!())), v(reg!(b!())), v(reg!(c!())))),
                Op::MapUpdate => {
                    let callee = ((*pc).x != 0).then(|| v(reg!(c!())));
                    effect!(build::map_update(&mut *th, v(reg!(a!())), v(reg!(b!())), callee))
                }
                Op::Unpack => {
                    if !unpack_tuple(reg!(b!()), r.add(a!()), c!()) {
                        effect!(iterate::unpack(&mut *th, v(reg!(b!())), r.add(a!()), c!()))
                    }
                }
                Op::UnpackEx => {
                    let after = (*pc).x as usize;
                    effect!(iterate::unpack_starred(&mut *th, v(reg!(b!())), r.add(a!()), c!(), after))
                }

                Op::GetIter => effect!(iterate::start(&mut *th, v(reg!(b!())), r.add(a!()))),
                Op::ForLoop => {
                    let state = r.add(a!());
                    if *state == Value::RANGE_STATE.bits() {
                        let left = *state.add(2);
                        if left == int_word(0) {
                            continue;
                        }
                        let next = *state.add(1);
                        reg!(b!()) = next;
                        *state.add(1) = next.wrapping_add(*state.add(3)).wrapping_sub(3);
                        *state.add(2) = left - 4;
                        jump!((*pc).c as i16 as isize);
                        poll!(Edge);
                        continue;
                    }
                    let word = sequence_next(state);
                    if word != 0 {
                        reg!(b!()) = word;
                        jump!((*pc).c as i16 as isize);
                        poll!(Edge);
                        continue;
                    }
                    if is_ref(*state) && hdr(*state).kind == Kind::Generator {
                        resume!(*state, Value::NONE.bits());
                    }
                    if is_ref(*state) && hdr(*state).kind == Kind::Instance {
                        save!();
                        if framed::next_item(&mut *th, v(*state), b!()) {
                            entered!();
                        }
                    }
                    if let Some(item) = try_slow!(iterate::next(&mut *th, state)) {
                        reg!(b!()) = item.bits();
                        jump!((*pc).c as i16 as isize);
                        poll!(Edge);
                    }
                    check_mode!();
                }

                Op::Format => {
                    let x = (*pc).x;
                    let spec = (x & 4 != 0).then(|| v(reg!(c!())));
                    slow!(build::format(&mut *th, v(reg!(b!())), x & 3, spec))
                }
                Op::BuildStr => slow!(build::string(&mut *th, values(r.add(b!()), c!()))),

                Op::Raise => raise!(except::raise(&mut *th, v(reg!(a!())), None)),
                Op::RaiseFrom => {
                    raise!(except::raise(&mut *th, v(reg!(a!())), Some(v(reg!(b!())))))
                }
                Op::RaiseHere => raise!(except::raise_again(&mut *th)),
                Op::ReRaise => raise!(except::re_raise(&mut *th, v(reg!(a!())))),
                Op::RaiseAssert => {
                    let message = ((*pc).x != 0).then(|| v(reg!(a!())));
                    raise!(except::raise_assertion(&mut *th, message))
                }
                Op::PushExc => {
                    let outermost = (*pc).x != 0;
                    reg!(a!()) = if outermost { 0 } else { (*th).handled.unwrap_or(Value::NONE).bits() };
                    (*th).handled = Value::from_bits(reg!(b!()));
                }
                Op::PopExc => {
                    let word = if reg!(a!()) != 0 { reg!(a!()) } else { *r.sub(6) };
                    (*th).handled = Value::from_bits(word).filter(|e| !e.is_none());
                }
                Op::JNoMatch => {
                    if !try_slow!(except::matches(&mut *th, v(reg!(a!())), v(reg!(b!())))) {
                        jump!((*pc).c as i16 as isize);
                    }
                    check_mode!();
                }
                Op::Group => {
                    let (exception, with) = (v(reg!(b!())), v(reg!(c!())));
                    effect!(group::step(&mut *th, (*pc).x, exception, with, r.add(a!())))
                }
                Op::ExcTriple => except::triple(v(reg!(b!())), r.add(a!())),

                Op::Match => {
                    let with = matching::operands((*pc).x);
                    let with = values(r.add(c!()), with);
                    slow!(matching::run(&mut *th, (*pc).x, v(reg!(b!())), with))
                }

                Op::Link => call!(super::link::begin(&mut *th)),
                Op::MakeGen => {
                    let made = try_slow!(coroutine::make(&mut *th, c!()));
                    leave!(made.bits())
                }
                Op::Yield => {
                    let value = reg!(a!());
                    if *r.sub(2) & frame::FLAGS == frame::FOLD && fold::takes(&mut *th, v(value)) {
                        reg!(a!()) = Value::NONE.bits();
                        continue;
                    }
                    coroutine::suspend(th, r, pc.add(1));
                    resumer!(value);
                    if (*pc).op == Op::ForLoop {
                        reg!(b!()) = value;
                        jump!((*pc).c as i16 as isize);
                        poll!(Edge);
                    } else {
                        reg!(a!()) = value;
                    }
                }
                Op::GenReturn => {
                    let value = reg!(a!());
                    coroutine::finish(r);
                    resumer!(value);
                    match (*pc).op {
                        Op::ForLoop => {}
                        Op::Send => {
                            reg!(a!()) = value;
                            jump!((*pc).c as i16 as isize);
                        }
                        _ => {
                            save!();
                            coroutine::stop(&mut *th, v(value));
                            raised!()
                        }
                    }
                }
                Op::Send => {
                    let (sent, iter) = (reg!(a!()), reg!(b!()));
                    if is_ref(iter) && matches!(hdr(iter).kind, Kind::Generator | Kind::Coroutine) {
                        resume!(iter, sent);
                    }
                    match try_slow!(suspend::send(&mut *th, v(iter), v(sent))) {
                        Ok(value) => reg!(a!()) = value.bits(),
                        Err(result) => {
                            reg!(a!()) = result.bits();
                            jump!((*pc).c as i16 as isize);
                        }
                    }
                    check_mode!();
                }
                Op::Delegate => slow!(suspend::delegate(&mut *th, v(reg!(b!())))),
                Op::Awaitable => slow!(awaitable::awaitable(&mut *th, v(reg!(b!())), (*pc).x)),
                Op::AsyncIter => slow!(awaitable::async_iter(&mut *th, v(reg!(b!())))),
                Op::AsyncNext => slow!(awaitable::async_next(&mut *th, v(reg!(b!())))),
                Op::EndAsync => effect!(suspend::end_loop(&mut *th, v(reg!(a!())))),

                Op::Import => {
                    slow!(import::statement(&mut *th, v(*k.add(b!())), v(*k.add(c!())), (*pc).x))
                }
                Op::ImportFrom => slow!(import::import_from(&mut *th, v(reg!(b!())), v(*k.add(c!())))),
                Op::ImportStar => effect!(import::import_star(&mut *th, v(reg!(a!())))),
                Op::PrintExpr => effect!(names::print_expression(&mut *th, v(reg!(a!())))),
            }
        }
    }
}
