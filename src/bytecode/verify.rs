//! The verifier: every operand of every instruction within bounds, and what is read filled (`filled.rs`), so that the eval
//! loop need not look.
//! Must not know values, the AST or the eval loop.

use super::code::{Code, Const, SITE_WORDS};
use super::filled;
use super::op::{Insn, Op, Operand};

/// Checks a relocated code object and all those among its constants. Errors: what is wrong, and where.
pub fn verify(code: &Code) -> Result<(), String> {
    let mut todo = vec![code];
    while let Some(code) = todo.pop() {
        verify_one(code)
            .map_err(|problem| format!("{} (line {}): {problem}", code.qualname, code.first_line))?;
        todo.extend(code.consts.iter().filter_map(|value| match value {
            Const::Code(inner) => Some(&**inner),
            _ => None,
        }));
    }
    Ok(())
}

fn verify_one(code: &Code) -> Result<(), String> {
    verify_frame(code)?;
    verify_suspension(code)?;
    for (pc, insn) in code.insns.iter().enumerate() {
        verify_insn(code, pc, *insn)
            .map_err(|problem| format!("pc {pc}, {}: {problem}", insn.op.info().name))?;
    }
    match code.insns.last() {
        Some(last) if last.op.ends_code() => filled::check(code),
        _ => Err("runs off its end".into()),
    }
}

fn verify_frame(code: &Code) -> Result<(), String> {
    let (nregs, count) = (code.nregs as usize, code.insns.len());
    ensure(code.nargs_regs() <= code.varnames.len(), || "parameters without names".into())?;
    ensure(code.varnames.len() <= nregs, || "more variables than registers".into())?;
    ensure(code.nposonly <= code.nparams, || "more positional-only parameters than parameters".into())?;
    ensure(!code.flags.class_body || nregs > 0, || "no register for the namespace".into())?;
    let is_variable = |&reg: &u16| (reg as usize) < code.varnames.len();
    ensure(code.cell_regs.iter().all(is_variable), || "a cell register is no variable".into())?;
    for handler in &code.handlers {
        let fits =
            handler.start < handler.end && handler.end as usize <= count && (handler.target as usize) < count;
        ensure(fits && (handler.reg as usize) < nregs, || format!("bad handler {handler:?}"))?;
    }
    let sorted = code.lines.windows(2).all(|pair| pair[0].pc < pair[1].pc);
    ensure(sorted && code.lines.iter().all(|entry| (entry.pc as usize) < count), || "bad line table".into())
}

/// Code that suspends begins with `MakeGen`, and no other code has the instructions of such frames.
fn verify_suspension(code: &Code) -> Result<(), String> {
    let begins = code.insns.first().is_some_and(|insn| insn.op == Op::MakeGen);
    ensure(begins == code.flags.suspends(), || "MakeGen and the flags disagree".into())?;
    let is_own = |insn: &Insn| matches!(insn.op, Op::MakeGen | Op::Yield | Op::GenReturn);
    let is_foreign = |insn: &Insn| match code.flags.suspends() {
        true => matches!(insn.op, Op::Return | Op::ReturnNone),
        false => is_own(insn) || (insn.op == Op::PushExc && insn.x != 0),
    };
    let foreign = code.insns.iter().find(|insn| insn.op == Op::Link || is_foreign(insn));
    ensure(foreign.is_none(), || "an instruction of the other kind of frame".into())
}

fn verify_insn(code: &Code, pc: usize, insn: Insn) -> Result<(), String> {
    let info = insn.op.info();
    let wide = matches!(info.b, Operand::I32 | Operand::K32 | Operand::G32 | Operand::J32);
    operand(code, pc, insn, info.a, i64::from(insn.a), 'a')?;
    let b = if wide { i64::from(insn.bc()) } else { i64::from(insn.b) };
    operand(code, pc, insn, info.b, b, 'b')?;
    if !wide {
        operand(code, pc, insn, info.c, i64::from(insn.c), 'c')?;
    }
    if matches!(insn.op, Op::MulAdd | Op::MulSub) {
        let ops = code.insns.get(pc + 1..pc + 3).map(|next| [next[0].op, next[1].op]);
        let plain = if insn.op == Op::MulAdd { Op::Add } else { Op::Sub };
        ensure(ops == Some([Op::Mul, plain]), || "not followed by the plain instructions".into())?;
        ensure(u16::from(insn.x) < code.nregs, || "no such addend".into())?;
    }
    // The eval loop asks register 0 at once, whatever `a` says.
    ensure(insn.op != Op::InitAttr || insn.a == 0, || "a store to another object than `self`".into())?;
    constant_type(code, insn)
}

fn operand(code: &Code, pc: usize, insn: Insn, kind: Operand, value: i64, which: char) -> Result<(), String> {
    let fits = match kind {
        Operand::None => value == 0,
        Operand::R | Operand::W => value < i64::from(code.nregs),
        Operand::Win => value + window(insn) < i64::from(code.nregs),
        Operand::Iter => value + 3 < i64::from(code.nregs),
        Operand::Run | Operand::WRun => value + run(code, insn) <= i64::from(code.nregs),
        Operand::N => number_fits(code, insn, value, which),
        Operand::I | Operand::I32 => true,
        Operand::K | Operand::K32 => (code.consts_at() as i64..code.data_len() as i64).contains(&value),
        Operand::G32 => (code.globals_at() as i64..code.consts_at() as i64).contains(&value),
        Operand::S => {
            let at = value - code.sites_at() as i64;
            (0..(code.sites.len() * SITE_WORDS) as i64).contains(&at) && at % SITE_WORDS as i64 == 0
        }
        Operand::C => (1..code.sites_at() as i64).contains(&value),
        Operand::J => return jump(code, pc, insn.op, i64::from(value as u16 as i16)),
        Operand::J32 => return jump(code, pc, insn.op, value),
    };
    ensure(fits, || format!("operand {which} = {value} is out of range"))
}

/// How far beyond `R[a]` a window reaches.
fn window(insn: Insn) -> i64 {
    let (b, x) = (i64::from(insn.b), i64::from(insn.x));
    match insn.op {
        Op::Call => 3 + b,
        Op::CallM => 4 + b,
        Op::CallKw => 3 + b + x,
        Op::CallEx => 5,
        Op::BuildClass if x == 0 => 5 + b,
        Op::BuildClass => 7,
        _ => 4,
    }
}

/// How many registers a run has.
pub(super) fn run(code: &Code, insn: Insn) -> i64 {
    let c = i64::from(insn.c);
    match insn.op {
        Op::NewDict => 2 * c,
        Op::NewSlice | Op::ExcTriple => 3,
        Op::MakeFunc => 2 + captured(code, insn).unwrap_or(0) as i64,
        Op::UnpackEx => c + 1 + i64::from(insn.x),
        _ => c,
    }
}

fn captured(code: &Code, insn: Insn) -> Option<usize> {
    match constant(code, i64::from(insn.c))? {
        Const::Code(inner) => Some(inner.freevars.len()),
        _ => None,
    }
}

fn number_fits(code: &Code, insn: Insn, value: i64, which: char) -> bool {
    match (insn.op, which) {
        (Op::GetFree | Op::FreeCell, 'b') | (Op::SetFree | Op::DelFree, 'a') => {
            value < code.freevars.len() as i64
        }
        (Op::MakeGen | Op::Yield, 'c') => value <= i64::from(code.kept.min(code.nregs)),
        _ => true,
    }
}

fn jump(code: &Code, pc: usize, op: Op, offset: i64) -> Result<(), String> {
    let target = pc as i64 + 1 + offset;
    ensure((0..code.insns.len() as i64).contains(&target), || format!("jumps to {target}"))?;
    ensure(offset >= 0 || may_jump_back(op), || "jumps backwards".into())?;
    ensure(offset < 0 || op != Op::Loop, || "jumps forwards".into())
}

/// The jumps that poll.
fn may_jump_back(op: Op) -> bool {
    use Op::*;
    matches!(
        op,
        Loop | ForLoop | JTrue | JLt | JLe | JGt | JGe | JEq | JNe | JLtI | JLeI | JGtI | JGeI | JEqI | JNeI
    )
}

fn constant(code: &Code, index: i64) -> Option<&Const> {
    let index = usize::try_from(index).ok()?.checked_sub(code.consts_at())?;
    code.consts.get(index)
}

/// Whether the constant is of the type that the instruction takes for granted.
fn constant_type(code: &Code, insn: Insn) -> Result<(), String> {
    let at = |index: u16| constant(code, i64::from(index));
    let is_str = |value: Option<&Const>| matches!(value, Some(Const::Str(_)));
    let fits = match insn.op {
        Op::CheckLocal => is_str(constant(code, i64::from(insn.bc()))),
        Op::GetCell
        | Op::DelCell
        | Op::GetFree
        | Op::DelFree
        | Op::NsGet
        | Op::NsSet
        | Op::NsDel
        | Op::ImportFrom => is_str(at(insn.c)),
        Op::Import => is_str(at(insn.b)) && matches!(at(insn.c), Some(Const::None | Const::Tuple(_))),
        Op::AddK | Op::SubK | Op::MulK => matches!(at(insn.c), Some(Const::Float(_))),
        Op::DivK => matches!(at(insn.c), Some(Const::Float(_) | Const::Int(_))),
        Op::MakeFunc => matches!(at(insn.c), Some(Const::Code(_))),
        Op::CallKw | Op::BuildClass => names_fit(at(insn.c), insn),
        Op::FloorDivI | Op::ModI => insn.c as i16 > 0,
        Op::LshiftI | Op::RshiftI => insn.c < 60,
        Op::LoadK => !matches!(constant(code, i64::from(insn.bc())), Some(Const::Code(_))),
        _ => true,
    };
    ensure(fits, || "a constant of the wrong type".into())
}

fn names_fit(names: Option<&Const>, insn: Insn) -> bool {
    match names {
        Some(Const::Tuple(names)) => {
            names.len() <= insn.b as usize && names.iter().all(|name| matches!(name, Const::Str(_)))
        }
        _ => false,
    }
}

fn ensure(holds: bool, problem: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(problem()) }
}
