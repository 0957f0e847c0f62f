//! Which registers have certainly been written when an instruction begins. The others hold what earlier calls left there:
//! code that runs never reads them, and nobody who looks into a frame may. Must not know what reads them.

use super::bound::Bound;
use super::code::Code;
use super::flow::{self, Ways};
use super::op::{Insn, Op, Operand};
use super::verify::run;

/// The registers that are written on every way to the instruction at `pc`. What a call or an iteration leaves in its
/// window is not counted: that is no variable.
pub fn before(code: &Code, pc: usize) -> Bound {
    let mut entry = Bound::default();
    (0..code.nargs_regs()).for_each(|parameter| entry.insert(parameter as u32));
    if code.varnames.len() == code.nargs_regs() {
        // All variables are parameters.
        return entry;
    }
    let mut states = flow::forward(code, entry, |at, state, ways| follow(code, at, state, ways));
    states.get_mut(pc).and_then(Option::take).unwrap_or_default()
}

/// The instructions that may come after the one at `at`, and what is written when they begin.
fn follow(code: &Code, at: usize, state: &Bound, ways: &mut Ways) {
    let insn = code.insns[at];
    if let Some(handler) = code.handler_at(at) {
        let mut caught = state.clone();
        caught.insert(handler.reg.into());
        ways.push((handler.target as usize, caught));
    }
    let mut next = state.clone();
    writes(code, insn).for_each(|reg| next.insert(reg));
    if let Some(target) = insn.jump_target(at) {
        let mut taken = next.clone();
        if insn.op == Op::ForLoop {
            taken.insert(insn.b.into());
        }
        ways.push((target, taken));
    }
    if !insn.op.ends_code() {
        ways.push((at + 1, next));
    }
}

/// The registers that an instruction has written whenever it does not raise.
pub(super) fn writes(code: &Code, insn: Insn) -> std::ops::Range<u32> {
    let first = u32::from(insn.a);
    let count = match (insn.op.info().a, insn.op) {
        (_, Op::Group) => 2,
        (Operand::W, _) => 1,
        (Operand::WRun, _) => run(code, insn) as u32,
        _ => 0,
    };
    first..first + count
}
