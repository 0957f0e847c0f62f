//! What the machine needs of the layers above: `%` of text, whose code lives with the methods of strings, descriptors of
//! slots, and the compiler.
//! Must not know who provides it.

use super::thread::Thread;
use crate::bytecode::code::Code;
use crate::object::{R, Value};
use std::sync::{Arc, OnceLock};

/// `str % args` and `bytes % args`.
pub type Percent = fn(&mut Thread, Value, Value) -> R;

static PERCENT: OnceLock<Percent> = OnceLock::new();

/// Start-up only.
pub fn install(percent: Percent) {
    // A second start-up in one process (tests) installs the same function again.
    let _ = PERCENT.set(percent);
}

/// Answers a process that asks what this one does.
pub type Answer = fn(asker: u32);

static ANSWER: OnceLock<Answer> = OnceLock::new();

/// Start-up only.
pub fn install_answer(answer: Answer) {
    let _ = ANSWER.set(answer);
}

/// Answers such a process.
pub fn answer(asker: u32) {
    if let Some(f) = ANSWER.get() {
        f(asker);
    }
}

static COMPANY: OnceLock<fn()> = OnceLock::new();

/// Start-up only.
pub fn install_company(expects: fn()) {
    let _ = COMPANY.set(expects);
}

/// The process is about to have a second thread.
pub fn expect_company() {
    if let Some(f) = COMPANY.get() {
        f();
    }
}

/// `x % y` for text.
pub fn percent(th: &mut Thread, x: Value, y: Value) -> R {
    match PERCENT.get() {
        Some(f) => f(th, x, y),
        None => Err(th.type_error("text formatting is not available")),
    }
}

/// What a class shows for a name in its `__slots__`.
pub type Member = fn(&mut Thread, class: Value, name: Value) -> R;

static MEMBER: OnceLock<Member> = OnceLock::new();

/// Start-up only.
pub fn install_members(member: Member) {
    let _ = MEMBER.set(member);
}

/// The descriptor of a name in the slots of `class`.
pub fn member(th: &mut Thread, class: Value, name: Value) -> R {
    match MEMBER.get() {
        Some(f) => f(th, class, name),
        None => Err(th.type_error("member descriptors are not available")),
    }
}

/// What a text is compiled as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// Statements: the code returns None.
    Statements,
    /// One statement, as at a prompt.
    Single,
    /// One expression: the code returns its value.
    Expression,
}

/// Compiles a text for `eval`, `exec` and `compile`.
pub type Compiler = fn(&mut Thread, text: &str, filename: &str, kind: TextKind) -> R<Arc<Code>>;

static COMPILER: OnceLock<Compiler> = OnceLock::new();

/// Start-up only.
pub fn install_compiler(compiler: Compiler) {
    let _ = COMPILER.set(compiler);
}

/// Compiles a text.
pub fn compile(th: &mut Thread, text: &str, filename: &str, kind: TextKind) -> R<Arc<Code>> {
    match COMPILER.get() {
        Some(f) => f(th, text, filename, kind),
        None => Err(th.type_error("there is no compiler")),
    }
}
