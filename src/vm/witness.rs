//! What the GIL layer asks about a thread that lets go: the call that it goes into, and the line it is at.
//! Must not know what becomes of the answers. Costs nothing until a thread lets go: the call is read off the instruction.

use super::frame::{self, Frame};
use super::{fields, poll};
use crate::bytecode::op::Op;
use crate::gil::{Member, witness};
use crate::object::layout::{BoundMethod, Native};
use crate::object::{Kind, Value, class, dict, func, str, types};

/// Lets the GIL layer ask.
pub fn install() {
    witness::install(witness::Witness { call, name, place });
}

/// What a thread is about to do that blocks.
enum Doing {
    /// Calls this, which is neither a function nor a method written in Mini.
    Call(Value),
    /// Executes an instruction that is no call.
    Instruction(Op),
}

fn doing(member: &Member) -> Option<Doing> {
    let (base, pc) = poll::standing(member)?;
    let frame = frame::walk(base, pc).next()?;
    let insn = frame::plain(frame.code).insns.get(frame.at)?;
    match insn.op {
        Op::Call | Op::CallM | Op::CallKw | Op::CallEx => {
            let callee = frame.register(usize::from(insn.a))?;
            Some(Doing::Call(types::cast::<BoundMethod>(callee).map_or(callee, |b| b.func.value())))
        }
        op => Some(Doing::Instruction(op)),
    }
}

fn call(member: &Member) -> usize {
    match doing(member) {
        // One definition, one name; classes and the rest are known by their own addresses.
        Some(Doing::Call(callee)) => match types::cast::<Native>(callee) {
            Some(native) => native.def.addr(),
            None if types::kind_of(callee) == Kind::Class => callee.addr(),
            None => Op::Call as usize + 1,
        },
        Some(Doing::Instruction(op)) => op as usize + 1,
        None => 0,
    }
}

fn name(member: &Member) -> String {
    match doing(member) {
        Some(Doing::Call(callee)) => name_of(callee),
        Some(Doing::Instruction(op)) => name_of_instruction(op).to_owned(),
        None => String::new(),
    }
}

fn name_of(callee: Value) -> String {
    match (types::cast::<Native>(callee), fields::def(callee)) {
        (Some(native), Some(def)) => match native.owner.get().and_then(owner_name) {
            Some(owner) => format!("{owner}.{}", def.name),
            None => def.name.to_owned(),
        },
        _ if types::kind_of(callee) == Kind::Class => class::name(callee),
        _ => "call".to_owned(),
    }
}

/// The name of the module or class that a native belongs to; built-in functions need none.
fn owner_name(owner: Value) -> Option<String> {
    if types::kind_of(owner) == Kind::Class {
        return Some(class::name(owner));
    }
    let names = dict::entries(func::module_dict(owner)?);
    let name = names.iter().find(|(key, _)| str::as_str(*key) == Some("__name__"))?.1;
    str::as_str(name).filter(|name| *name != "builtins").map(|name| name.trim_start_matches('_').to_owned())
}

/// As a reader of the script would say it.
fn name_of_instruction(op: Op) -> &'static str {
    match op {
        Op::Import | Op::ImportFrom | Op::ImportStar => "import",
        Op::ForLoop | Op::GetIter => "for",
        op => op.info().name,
    }
}

/// The line of the innermost frame that is not the library's, or else of the innermost.
fn place(member: &Member) -> u32 {
    let Some((base, pc)) = poll::standing(member) else { return 0 };
    let own = |f: &Frame| !frame::plain(f.code).filename.starts_with("<frozen ");
    let found = frame::walk(base, pc).find(own).or_else(|| frame::walk(base, pc).next());
    found.map_or(0, |frame| {
        let plain = frame::plain(frame.code);
        crate::gil::record::place(&plain.filename, &plain.name, frame.line())
    })
}
