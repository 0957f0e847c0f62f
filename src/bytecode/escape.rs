//! Escape analysis of `__init__`: which stores to the new object come before its code has handed it on, while no other
//! thread can know it. Must not know how objects are locked, nor what a class makes of a store.

use super::code::Body;
use super::op::{Insn, Op, Operand};

/// Turns the stores into `InitAttr`, in code whose register 0 is its first parameter.
pub fn mark(body: &mut Body) {
    let end = private_until(body);
    let stores = |insn: &&mut Insn| insn.op == Op::SetAttr && insn.a == 0;
    body.insns.iter_mut().take(end).filter(stores).for_each(|insn| insn.op = Op::InitAttr);
}

/// The first instruction that uses the object in another way, or that may run after one that stands behind it.
fn private_until(body: &Body) -> usize {
    let jumps = body.insns.iter().enumerate().filter_map(|(at, insn)| Some((at, insn.jump_target(at)?)));
    let handlers = body.handlers.iter().map(|handler| (handler.end as usize, handler.target as usize));
    let back = jumps.chain(handlers).filter(|(at, target)| target <= at).map(|(_, target)| target);
    back.chain(body.insns.iter().position(hands_on)).min().unwrap_or(body.insns.len())
}

fn hands_on(insn: &Insn) -> bool {
    let info = insn.op.info();
    if insn.op == Op::SetAttr {
        return insn.b == 0;
    }
    let register = |kind| {
        matches!(kind, Operand::R | Operand::W | Operand::Win | Operand::Iter | Operand::Run | Operand::WRun)
    };
    [(info.a, insn.a), (info.b, insn.b), (info.c, insn.c)]
        .into_iter()
        .any(|(kind, field)| register(kind) && field == 0)
}

#[cfg(test)]
mod tests {
    use super::mark;
    use crate::bytecode::code::{Body, Handler};
    use crate::bytecode::op::{Insn, Op};

    fn store(value: u16) -> Insn {
        Insn::abc(Op::SetAttr, 0, value, 1)
    }

    /// Which of the instructions are marked.
    fn marked(insns: &[Insn], handlers: Vec<Handler>) -> Vec<usize> {
        let mut body = Body { insns: insns.to_vec(), handlers, ..Body::default() };
        mark(&mut body);
        (0..insns.len()).filter(|at| body.insns[*at].op == Op::InitAttr).collect()
    }

    #[test]
    fn stores_before_the_object_is_used() {
        let call = Insn::abc(Op::Call, 4, 0, 1);
        assert_eq!(marked(&[store(1), call, store(4), Insn::abc(Op::ReturnNone, 0, 0, 0)], vec![]), [0, 2]);
        for hands_on in [Insn::abc(Op::Move, 8, 0, 0), store(0), Insn::abc(Op::GetAttr, 3, 0, 1)] {
            assert_eq!(marked(&[store(1), hands_on, store(2)], vec![]), [0], "{hands_on:?}");
        }
        // `self = x`
        assert_eq!(marked(&[store(1), Insn::abc(Op::Move, 0, 1, 0), store(2)], vec![]), [0]);
        // Another object.
        assert_eq!(marked(&[Insn::abc(Op::SetAttr, 1, 2, 1), store(2)], vec![]), [1]);
    }

    #[test]
    fn nothing_that_runs_again() {
        let back = Insn::ai(Op::Loop, 0, -3);
        assert_eq!(marked(&[store(1), Insn::abc(Op::Nop, 0, 0, 0), store(1), back], vec![]), [0]);
        let handler = Handler { start: 2, end: 3, target: 1, reg: 5 };
        assert_eq!(marked(&[store(1), store(2), store(3)], vec![handler]), [0]);
    }
}
