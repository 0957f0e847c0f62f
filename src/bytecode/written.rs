//! Which registers have certainly been written when an instruction begins. The others hold what earlier calls left there:
//! code that runs never reads them, and nobody who looks into a frame may. Must not know what reads them.

use super::bound::Bound;
use super::code::Code;
use super::op::{Insn, Op, Operand};

/// The registers that are written on every way to the instruction at `pc`: a forward analysis, repeated until nothing
/// changes. What a call or an iteration leaves in its window is not counted: that is no variable.
pub fn before(code: &Code, pc: usize) -> Bound {
    let mut entry = Bound::default();
    (0..code.nargs_regs()).for_each(|parameter| entry.insert(parameter as u32));
    if code.varnames.len() == code.nargs_regs() {
        // All variables are parameters.
        return entry;
    }
    let mut states: Vec<Option<Bound>> = vec![None; code.insns.len()];
    let mut todo = vec![(0, entry)];
    while let Some((at, state)) = todo.pop() {
        if let Some(state) = states.get_mut(at).and_then(|known| merged(known, state)) {
            follow(code, at, &state, &mut todo);
        }
    }
    states.get_mut(pc).and_then(Option::take).unwrap_or_default()
}

/// What is known now, if that is less than it was.
fn merged(known: &mut Option<Bound>, state: Bound) -> Option<Bound> {
    let before = known.clone();
    match known {
        Some(known) => known.intersect(&state),
        None => *known = Some(state),
    }
    if *known == before { None } else { known.clone() }
}

/// The instructions that may come after the one at `at`, and what is written when they begin.
fn follow(code: &Code, at: usize, state: &Bound, todo: &mut Vec<(usize, Bound)>) {
    let insn = code.insns[at];
    if let Some(handler) = code.handler_at(at) {
        let mut caught = state.clone();
        caught.insert(handler.reg.into());
        todo.push((handler.target as usize, caught));
    }
    let mut next = state.clone();
    writes(insn).for_each(|reg| next.insert(reg));
    if let Some(target) = insn.jump_target(at) {
        let mut taken = next.clone();
        if insn.op == Op::ForLoop {
            taken.insert(insn.b.into());
        }
        todo.push((target, taken));
    }
    if !insn.op.ends_code() {
        todo.push((at + 1, next));
    }
}

/// The registers that an instruction has written whenever it does not raise.
fn writes(insn: Insn) -> std::ops::Range<u32> {
    let (first, c) = (u32::from(insn.a), u32::from(insn.c));
    let count = match (insn.op.info().a, insn.op) {
        (Operand::W, _) => 1,
        (Operand::WRun, Op::Unpack) => c,
        (Operand::WRun, Op::UnpackEx) => c + 1 + u32::from(insn.x),
        _ => 0,
    };
    first..first + count
}
