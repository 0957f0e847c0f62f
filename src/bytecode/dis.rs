//! The disassembler: code objects as text for people. Must not know values, the AST or the eval loop.

use super::code::{Code, Const, SITE_WORDS};
use super::op::{Insn, Op, Operand};
use super::text::Text;
use std::collections::BTreeSet;
use std::fmt::Write;

/// The code object and all those among its constants, as text.
pub fn disassemble(code: &Code) -> String {
    let mut out = String::new();
    let mut todo = vec![code];
    while let Some(code) = todo.pop() {
        if !out.is_empty() {
            out.push('\n');
        }
        header(code, &mut out);
        let targets = jump_targets(code);
        let mut last_line = None;
        for (pc, insn) in code.insns.iter().enumerate() {
            let line = code.line_at(pc);
            let shown = if last_line == Some(line) { String::new() } else { line.to_string() };
            last_line = Some(line);
            let mark = if targets.contains(&pc) { ">>" } else { "  " };
            let text = format!("{shown:>5} {mark} {pc:>4}  {}", instruction(code, pc, *insn));
            out.push_str(text.trim_end());
            out.push('\n');
        }
        handlers(code, &mut out);
        let inner = code.consts.iter().rev().filter_map(|value| match value {
            Const::Code(inner) => Some(&**inner),
            _ => None,
        });
        todo.extend(inner);
    }
    out
}

fn header(code: &Code, out: &mut String) {
    let kind = match code.flags {
        flags if flags.module => "module",
        flags if flags.class_body => "class body",
        flags if flags.generator && flags.coroutine => "asynchronous generator",
        flags if flags.generator => "generator",
        flags if flags.coroutine => "coroutine",
        _ => "function",
    };
    // Writing to a string cannot fail.
    let _ = write!(out, "{kind} {}({})", code.qualname, parameters(code));
    let _ = write!(out, "  line {}, {} registers", code.first_line, code.nregs);
    if !code.freevars.is_empty() {
        let _ = write!(
            out,
            ", captures {}",
            code.freevars.iter().map(|name| &**name).collect::<Vec<_>>().join(" ")
        );
    }
    out.push('\n');
    if !code.varnames.is_empty() {
        let names = code.varnames.iter().enumerate().map(|(reg, name)| variable(code, reg, name));
        let _ = writeln!(out, "      {}", names.collect::<Vec<_>>().join("  "));
    }
}

fn variable(code: &Code, reg: usize, name: &Text) -> String {
    let cell = if code.cell_regs.iter().any(|&cell| cell as usize == reg) { " (cell)" } else { "" };
    format!("R{reg} = {name}{cell}")
}

fn parameters(code: &Code) -> String {
    let (positional, keyword_only) = (code.nparams as usize, code.nkwonly as usize);
    let name = |at: usize| code.varnames.get(at).map_or("?", |name| &**name);
    let mut parts = Vec::new();
    for at in 0..positional {
        parts.push(name(at).to_string());
        if at + 1 == code.nposonly as usize {
            parts.push("/".into());
        }
    }
    let after = positional + keyword_only;
    match code.flags.varargs {
        true => parts.push(format!("*{}", name(after))),
        false if keyword_only > 0 => parts.push("*".into()),
        false => {}
    }
    parts.extend((positional..after).map(|at| name(at).to_string()));
    if code.flags.varkw {
        parts.push(format!("**{}", name(after + code.flags.varargs as usize)));
    }
    parts.join(", ")
}

fn jump_targets(code: &Code) -> BTreeSet<usize> {
    let jumps = code.insns.iter().enumerate().filter_map(|(pc, insn)| insn.jump_target(pc));
    jumps.chain(code.handlers.iter().map(|handler| handler.target as usize)).collect()
}

fn instruction(code: &Code, pc: usize, insn: Insn) -> String {
    let info = insn.op.info();
    let wide = matches!(info.b, Operand::I32 | Operand::K32 | Operand::G32 | Operand::J32);
    let mut parts = Vec::new();
    operand(code, pc, insn, info.a, insn.a, &mut parts);
    operand(code, pc, insn, info.b, insn.b, &mut parts);
    if !wide {
        operand(code, pc, insn, info.c, insn.c, &mut parts);
    }
    if insn.x != 0 {
        parts.push(format!("x={}", insn.x));
    }
    format!("{:<11} {}", info.name, parts.join(", "))
}

fn operand(code: &Code, pc: usize, insn: Insn, kind: Operand, value: u16, parts: &mut Vec<String>) {
    let text = match kind {
        Operand::None | Operand::C => return,
        Operand::R | Operand::W | Operand::Win | Operand::Iter => format!("R{value}"),
        Operand::Run | Operand::WRun => run(insn, value),
        Operand::N => value.to_string(),
        Operand::I => (value as i16).to_string(),
        Operand::I32 => insn.bc().to_string(),
        Operand::K => constant_at(code, i64::from(value)),
        Operand::K32 => constant_at(code, i64::from(insn.bc())),
        Operand::S => {
            let name = code.sites.get((value as usize).wrapping_sub(code.sites_at()) / SITE_WORDS);
            format!("'{}'", name.map_or("?", |name| &**name))
        }
        Operand::G32 => {
            let index =
                usize::try_from(insn.bc()).ok().and_then(|index| index.checked_sub(code.globals_at()));
            let name = index.and_then(|index| code.globals.get(index));
            format!("'{}'", name.map_or("?", |name| &**name))
        }
        Operand::J | Operand::J32 => {
            format!("to {}", insn.jump_target(pc).map_or("?".to_string(), |target| target.to_string()))
        }
    };
    parts.push(text);
}

/// A run as `R3..R5`, both ends included; `R3..` if the instruction alone does not say how long it is.
fn run(insn: Insn, first: u16) -> String {
    let count = match insn.op {
        Op::NewDict => insn.c.saturating_mul(2),
        Op::NewSlice | Op::ExcTriple => 3,
        Op::MakeFunc => return format!("R{first}.."),
        Op::UnpackEx => insn.c.saturating_add(1 + u16::from(insn.x)),
        _ => insn.c,
    };
    match count {
        0 => "-".into(),
        1 => format!("R{first}"),
        _ => format!("R{first}..R{}", u32::from(first) + u32::from(count) - 1),
    }
}

fn constant_at(code: &Code, index: i64) -> String {
    let index = usize::try_from(index).ok().and_then(|index| index.checked_sub(code.consts_at()));
    index.and_then(|index| code.consts.get(index)).map_or("?".into(), constant)
}

fn constant(value: &Const) -> String {
    let list = |items: &[Const]| items.iter().map(constant).collect::<Vec<_>>().join(", ");
    match value {
        Const::None => "None".into(),
        Const::True => "True".into(),
        Const::False => "False".into(),
        Const::Ellipsis => "...".into(),
        Const::Int(value) => value.to_string(),
        Const::BigInt(digits) => digits.to_string(),
        Const::Float(value) => format!("{value:?}"),
        Const::Str(text) => format!("{text:?}"),
        Const::Bytes(bytes) => format!("b\"{}\"", bytes.escape_ascii()),
        Const::Tuple(items) if items.len() == 1 => format!("({},)", list(items)),
        Const::Tuple(items) => format!("({})", list(items)),
        Const::FrozenSet(items) => format!("frozenset({})", list(items)),
        Const::Code(inner) => format!("<code {}>", inner.qualname),
    }
}

fn handlers(code: &Code, out: &mut String) {
    for handler in &code.handlers {
        let last = handler.end.saturating_sub(1);
        let _ = writeln!(
            out,
            "      exceptions in {}..{last} go to {}, the exception to R{}",
            handler.start, handler.target, handler.reg
        );
    }
}
