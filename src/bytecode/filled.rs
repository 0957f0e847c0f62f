//! The part of the verifier that the eval loop's reads rest on: no instruction reads a register that may be EMPTY, but for
//! those that are made for that. Must not know values, nor how the compiler follows which variables are bound.

use super::bound::Bound;
use super::code::Code;
use super::flow::{self, Ways};
use super::op::{Insn, Op, Operand, bit, step};
use super::verify::run;
use super::written;
use std::ops::Range;

/// Where arguments begin in a call's window.
const ARGUMENTS: u32 = 4;

/// Errors: the first instruction that may read an empty register.
pub fn check(code: &Code) -> Result<(), String> {
    let mut entry = Bound::default();
    let given = code.nargs_regs() + usize::from(code.flags.class_body);
    (0..given).for_each(|register| entry.insert(register as u32));
    let states = flow::forward(code, entry, |at, state, ways| follow(code, at, state, ways));
    for (pc, (insn, state)) in code.insns.iter().zip(&states).enumerate() {
        let Some(state) = state else { continue };
        let mut reads = reads(code, *insn).into_iter().flatten();
        if let Some(register) = reads.find(|register| !state.contains(*register)) {
            return Err(format!("pc {pc}, {}: R{register} may be empty", insn.op.info().name));
        }
    }
    Ok(())
}

/// The registers that have to be filled when an instruction begins.
fn reads(code: &Code, insn: Insn) -> [Range<u32>; 3] {
    let (a, b, c) = (u32::from(insn.a), u32::from(insn.b), u32::from(insn.c));
    let (one, none) = (|register: u32| register..register + 1, || 0..0);
    let arguments = a + ARGUMENTS;
    match insn.op {
        // They ask, or copy the word as it is.
        Op::CheckLocal | Op::JSet | Op::PopExc | Op::NewCell | Op::Move => [none(), none(), none()],
        // Nothing but numbers is multiplied at once; the instructions behind read the rest.
        Op::MulAdd | Op::MulSub => [none(), none(), none()],
        Op::GetMethod | Op::GetSpecial => [one(b), none(), none()],
        Op::Call => [one(a), arguments..arguments + b, none()],
        // Its first argument, the receiver, may be missing.
        Op::CallM => [one(a), arguments + 1..arguments + 1 + b, none()],
        Op::CallKw if insn.x == 0 => [one(a), arguments..arguments + b, none()],
        Op::CallKw => [one(a), arguments + 1..arguments + 1 + b, none()],
        Op::CallEx => [one(a), one(arguments), none()],
        Op::BuildClass => [arguments..arguments + 2 + if insn.x == 0 { b } else { 2 }, none(), none()],
        // The defaults may be missing.
        Op::MakeFunc => [b + 2..b + run(code, insn) as u32, none(), none()],
        Op::ForLoop => [one(a), none(), none()],
        Op::Format => [one(b), if insn.x & 4 != 0 { one(c) } else { none() }, none()],
        Op::RaiseAssert => [if insn.x != 0 { one(a) } else { none() }, none(), none()],
        Op::MapUpdate => [one(a), one(b), if insn.x != 0 { one(c) } else { none() }],
        Op::Yield => [one(a), if insn.x & bit::DELEGATING != 0 { one(b) } else { none() }, none()],
        Op::Match => [one(b), c..c + if insn.x == step::CLASS { 3 } else { 1 }, none()],
        _ => by_operands(code, insn),
    }
}

fn by_operands(code: &Code, insn: Insn) -> [Range<u32>; 3] {
    let info = insn.op.info();
    [(info.a, insn.a), (info.b, insn.b), (info.c, insn.c)].map(|(kind, register)| {
        let register = u32::from(register);
        match kind {
            Operand::R => register..register + 1,
            Operand::Run => register..register + run(code, insn) as u32,
            _ => 0..0,
        }
    })
}

/// The ways on from an instruction, each with the registers that are filled there.
fn follow(code: &Code, at: usize, state: &Bound, ways: &mut Ways) {
    let insn = code.insns[at];
    let (a, b) = (u32::from(insn.a), u32::from(insn.b));
    if let Some(handler) = code.handler_at(at) {
        let mut caught = state.clone();
        if is_call(insn.op) {
            caught.truncate(a);
        }
        caught.insert(handler.reg.into());
        ways.push((handler.target as usize, caught));
    }
    let next = after(code, insn, state);
    if let Some(target) = insn.jump_target(at) {
        let mut taken = next.clone();
        match insn.op {
            Op::ForLoop => taken.insert(b),
            Op::JSet => taken.insert(a),
            _ => {}
        }
        ways.push((target, taken));
    }
    if matches!(insn.op, Op::MulAdd | Op::MulSub) {
        let mut skipped = state.clone();
        skipped.insert(a);
        ways.push((at + 3, skipped));
    }
    if !insn.op.ends_code() {
        ways.push((at + 1, next));
    }
}

/// Those whose callee has its registers in the window.
fn is_call(op: Op) -> bool {
    op.calls() || op == Op::BuildClass
}

/// What is filled when an instruction has not raised and does not jump.
fn after(code: &Code, insn: Insn, state: &Bound) -> Bound {
    let (a, b, c) = (u32::from(insn.a), u32::from(insn.b), u32::from(insn.c));
    let mut next = state.clone();
    match insn.op {
        Op::Move if !state.contains(b) => next.remove(a),
        Op::Clear | Op::NsGet => next.remove(a),
        Op::PushExc if insn.x != 0 => next.remove(a),
        Op::CheckLocal => next.insert(a),
        // It is tried at once, and falls to what stands behind it.
        Op::MulAdd | Op::MulSub => {}
        Op::MakeGen | Op::Yield => {
            next.truncate(c);
            next.insert(a);
        }
        // The receiver may be missing.
        Op::GetMethod | Op::GetSpecial => {
            next.remove(a + ARGUMENTS);
            next.insert(a);
        }
        op if is_call(op) => {
            next.truncate(a);
            next.insert(a);
        }
        _ => filled(code, insn).for_each(|register| next.insert(register)),
    }
    next
}

/// The registers that an instruction fills: a loop's state and what is sent too, which `written.rs` leaves out because
/// they are no variables.
fn filled(code: &Code, insn: Insn) -> Range<u32> {
    let a = u32::from(insn.a);
    match insn.op {
        Op::GetIter => a..a + 4,
        Op::Send => a..a + 1,
        _ => written::writes(code, insn),
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::bytecode::code::{Body, Code, Handler};
    use crate::bytecode::op::{Insn, Op};

    /// A function of one parameter and this body.
    fn checked(insns: &[Insn], handlers: Vec<Handler>) -> Result<(), String> {
        let body = Body { insns: insns.to_vec(), handlers, ..Body::default() };
        check(&Code { nparams: 1, nregs: 20, body: body.into(), ..Code::default() })
    }

    fn refused(insns: &[Insn]) -> String {
        checked(insns, Vec::new()).unwrap_err()
    }

    const RETURN: Insn = Insn::abc(Op::ReturnNone, 0, 0, 0);

    fn add(to: u16, left: u16, right: u16) -> Insn {
        Insn::abc(Op::Add, to, left, right)
    }

    #[test]
    fn what_is_read_is_filled_on_all_ways() {
        let one = Insn::ai(Op::LoadInt, 1, 1);
        let unless = Insn::ai(Op::JFalse, 0, 1);
        assert_eq!(checked(&[one, add(2, 0, 1), RETURN], vec![]), Ok(()));
        assert_eq!(refused(&[add(2, 0, 1), RETURN]), "pc 0, Add: R1 may be empty");
        assert_eq!(refused(&[unless, one, add(2, 0, 1), RETURN]), "pc 2, Add: R1 may be empty");
        let cleared = [one, Insn::abc(Op::Clear, 1, 0, 0), add(2, 1, 1), RETURN];
        assert_eq!(refused(&cleared), "pc 2, Add: R1 may be empty");
        let asked = Insn::ai(Op::CheckLocal, 1, 9);
        assert_eq!(checked(&[unless, one, asked, add(2, 0, 1), RETURN], vec![]), Ok(()));
        // A loop whose first turn comes before the one that fills.
        let turns = [add(2, 0, 1), one, Insn::ai(Op::JTrue, 0, -3), RETURN];
        assert_eq!(refused(&turns), "pc 0, Add: R1 may be empty");
    }

    #[test]
    fn jumps_that_tell() {
        let set = Insn::ai(Op::JSet, 1, 1);
        assert_eq!(checked(&[set, RETURN, add(2, 0, 1), RETURN], vec![]), Ok(()));
        assert_eq!(refused(&[set, add(2, 0, 1), RETURN]), "pc 1, Add: R1 may be empty");
        let back = Insn::abc(Op::ForLoop, 4, 1, -2_i16 as u16);
        let body = [Insn::abc(Op::GetIter, 4, 0, 0), Insn::ai(Op::Jump, 0, 1), add(2, 0, 1), back];
        assert_eq!(checked(&[body[0], body[1], body[2], back, RETURN], vec![]), Ok(()));
        let behind = [body[0], body[1], body[2], back, add(2, 0, 1), RETURN];
        assert_eq!(refused(&behind), "pc 4, Add: R1 may be empty");
    }

    #[test]
    fn calls_use_up_their_windows() {
        let (callee, argument) = (Insn::abc(Op::Move, 2, 0, 0), Insn::abc(Op::Move, 6, 0, 0));
        let call = Insn::abc(Op::Call, 2, 1, 1);
        assert_eq!(checked(&[callee, argument, call, add(1, 0, 2), RETURN], vec![]), Ok(()));
        assert_eq!(refused(&[callee, call, RETURN]), "pc 1, Call: R6 may be empty");
        assert_eq!(refused(&[callee, argument, call, add(1, 0, 6), RETURN]), "pc 3, Add: R6 may be empty");
        let handler = Handler { start: 2, end: 3, target: 4, reg: 3 };
        assert_eq!(checked(&[callee, argument, call, RETURN, add(1, 0, 3), RETURN], vec![handler]), Ok(()));
        let error = checked(&[callee, argument, call, RETURN, add(1, 0, 2), RETURN], vec![handler]);
        assert_eq!(error, Err("pc 4, Add: R2 may be empty".into()));
    }
}
