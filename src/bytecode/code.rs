//! A compiled function, class body or module, as plain data: what `compile` hands to the VM.
//! Must not know values or the heap: constants are `Const`, names are text.

use super::body::Lazy;
use super::op::{Insn, Operand};
use super::text::Text;
use std::sync::Arc;

/// A name or other piece of text, as the compiler shares it between code objects.
pub type Name = Arc<str>;

/// A constant, before it becomes a value on the heap.
#[derive(Clone, Debug, PartialEq)]
pub enum Const {
    None,
    True,
    False,
    Ellipsis,
    Int(i64),
    /// Decimal digits of an integer that does not fit `i64` (a leading `-` is allowed).
    BigInt(Text),
    Float(f64),
    Str(Text),
    Bytes(Arc<[u8]>),
    Tuple(Arc<[Const]>),
    /// The right-hand side of `x in {1, 2}`.
    FrozenSet(Arc<[Const]>),
    Code(Arc<Code>),
}

/// What kind of code this is, and how it takes arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// Takes `*args` (register after the keyword-only parameters).
    pub varargs: bool,
    /// Takes `**kwargs` (register after `*args`).
    pub varkw: bool,
    /// A module: globals are its names; takes no arguments.
    pub module: bool,
    /// A class body: register 0 is the namespace; returns the `__class__` cell or None.
    pub class_body: bool,
    /// Defined inside another function (its `__qualname__` has `<locals>`).
    pub nested: bool,
    /// Has `yield`, or is a generator expression: calling it makes a generator.
    pub generator: bool,
    /// `async def`, or a generator expression with `await`; with `generator`: an asynchronous generator.
    pub coroutine: bool,
}

impl Flags {
    /// Whether its frames can be suspended.
    pub fn suspends(&self) -> bool {
        self.generator || self.coroutine
    }
}

/// While pc is in `start..end`, an exception goes to `target`, with the exception in register `reg`.
/// Inner entries come first: the first that matches is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handler {
    pub start: u32,
    pub end: u32,
    pub target: u32,
    pub reg: u16,
}

/// From instruction `pc` on (up to the next entry) the source line is `line`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineEntry {
    pub pc: u32,
    pub line: u32,
}

/// The part of a source line that a traceback marks: columns in characters, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Mark {
    pub start: u16,
    /// 0: nothing is marked. `Mark::OPEN`: the marked part goes on in later lines.
    pub end: u16,
    /// Of an operator or index inside, which is marked differently; both 0: there is none.
    pub inner: (u16, u16),
}

impl Mark {
    /// The end of a mark that goes on in later lines.
    pub const OPEN: u16 = u16::MAX;
}

/// From instruction `pc` on (up to the next entry) that part of the line is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkEntry {
    pub pc: u32,
    pub mark: Mark,
}

/// Instructions `start..end` are a comprehension that runs in the frame around it. Tracebacks show it as a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inlined {
    pub start: u32,
    pub end: u32,
    /// `<listcomp>` or its like.
    pub name: Text,
    /// Where it stands.
    pub line: u32,
    pub mark: Mark,
    /// Its own variables.
    pub own: Vec<Text>,
}

/// Compiled code: what making a function takes, and the body.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Code {
    pub name: Text,
    pub qualname: Text,
    pub filename: Text,
    pub first_line: u32,
    pub flags: Flags,
    /// Positional parameters, the positional-only ones included.
    pub nparams: u16,
    pub nposonly: u16,
    pub nkwonly: u16,
    /// Registers of a frame, windows included.
    pub nregs: u16,
    /// Names of the cells that `MakeFunc` captures, in the order of `func.cells`.
    pub freevars: Vec<Text>,
    /// Of code that suspends: the most registers that are kept while it does.
    pub kept: u16,
    /// Of a class body: how many attributes its methods assign through their first parameter (`self.x = ...`).
    pub attr_hint: u16,
    pub body: Lazy<Body>,
}

/// What running code takes. Never changes after `relocate`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Body {
    /// Names of the first registers: parameters (positional, keyword-only, `*args`, `**kwargs`), then locals.
    /// A parameter or local that is captured lives in a cell: then the register holds the cell (see `cell_regs`).
    pub varnames: Vec<Text>,
    /// For `locals()`: registers whose variable is kept in a cell.
    pub cell_regs: Vec<u16>,
    pub insns: Vec<Insn>,
    pub consts: Vec<Const>,
    pub globals: Vec<Text>,
    pub sites: Vec<Text>,
    /// How many words of `D` remember what was called (see `relocate`).
    pub calls: u16,
    pub handlers: Vec<Handler>,
    /// Sorted by pc.
    pub lines: Vec<LineEntry>,
    /// Sorted by pc.
    pub marks: Lazy<Vec<MarkEntry>>,
    /// Sorted by start, an outer one before those inside it.
    pub inlined: Vec<Inlined>,
    /// Docstring, if there is one.
    pub doc: Option<Text>,
}

/// Words of `D` that a site takes: name, and three words of cache.
pub const SITE_WORDS: usize = 4;
/// Calls of one code object with a word of their own; the rest share the last, which is slower and as right.
const MAX_CALLS: u16 = 1024;

impl Body {
    /// First index of the sites in `D`: `D[0]` is the address of the first instruction, the call words follow it.
    pub fn sites_at(&self) -> usize {
        1 + self.calls as usize
    }

    /// First index of the globals' cells in `D`.
    pub fn globals_at(&self) -> usize {
        self.sites_at() + self.sites.len() * SITE_WORDS
    }

    /// First index of the constants in `D`.
    pub fn consts_at(&self) -> usize {
        self.globals_at() + self.globals.len()
    }

    /// Length of `D`.
    pub fn data_len(&self) -> usize {
        self.consts_at() + self.consts.len()
    }

    /// Turns the operands K, G and S, numbered each in its own space, into indices of `D`, and gives each call a word
    /// of its own, as long as there are not very many. Called once, by the emitter.
    /// Errors: `None` if an index does not fit its operand.
    pub fn relocate(&mut self) -> Option<()> {
        for insn in self.insns.iter_mut().filter(|insn| insn.op.info().c == Operand::C) {
            self.calls = (self.calls + 1).min(MAX_CALLS);
            insn.c = self.calls;
        }
        let (sites, globals, consts) = (self.sites_at(), self.globals_at(), self.consts_at());
        for insn in &mut self.insns {
            let info = insn.op.info();
            match info.b {
                Operand::K32 => *insn = wide(*insn, consts)?,
                Operand::G32 => *insn = wide(*insn, globals)?,
                kind => insn.b = narrow(kind, insn.b, sites, consts)?,
            }
            insn.c = narrow(info.c, insn.c, sites, consts)?;
        }
        Some(())
    }
}

impl Code {
    /// The source line of the instruction at `pc`.
    pub fn line_at(&self, pc: usize) -> u32 {
        let after = self.lines.partition_point(|e| e.pc as usize <= pc);
        after.checked_sub(1).map_or(self.first_line, |i| self.lines[i].line)
    }

    /// Whether the instruction at `pc` is the first of a line.
    pub fn begins_line(&self, pc: usize) -> bool {
        self.lines.binary_search_by_key(&pc, |e| e.pc as usize).is_ok()
    }

    /// Whether some jump leads back to the instruction at `pc`.
    pub fn loops_to(&self, pc: usize) -> bool {
        self.insns.iter().enumerate().skip(pc).any(|(at, insn)| insn.jump_target(at) == Some(pc))
    }

    fn mark_at(&self, pc: usize) -> Mark {
        let after = self.marks.partition_point(|e| e.pc as usize <= pc);
        after.checked_sub(1).map_or(Mark::default(), |i| self.marks[i].mark)
    }

    fn inlined_at(&self, pc: usize) -> impl Iterator<Item = &Inlined> {
        self.inlined.iter().filter(move |i| (i.start as usize..i.end as usize).contains(&pc))
    }

    /// How many inlined comprehensions the instruction at `pc` is in.
    pub fn depth_at(&self, pc: usize) -> usize {
        self.inlined_at(pc).count()
    }

    /// Whether the instruction at `pc` is in an inlined comprehension that this variable does not belong to.
    pub fn is_free_at(&self, pc: usize, name: &str) -> bool {
        self.inlined_at(pc).last().is_some_and(|i| !i.own.iter().any(|own| &**own == name))
    }

    /// What a traceback says of the instruction at `pc`: the function, the line and its marked part at that depth of
    /// inlining.
    pub fn place_at(&self, pc: usize, depth: usize) -> (&Text, u32, Mark) {
        let name = depth.checked_sub(1).and_then(|outer| self.inlined_at(pc).nth(outer));
        let inner = self.inlined_at(pc).nth(depth);
        let (line, mark) = inner.map_or_else(|| (self.line_at(pc), self.mark_at(pc)), |i| (i.line, i.mark));
        (name.map_or(&self.name, |i| &i.name), line, mark)
    }

    /// Where an exception raised at `pc` is handled, if here.
    pub fn handler_at(&self, pc: usize) -> Option<&Handler> {
        self.handlers.iter().find(|h| (h.start as usize..h.end as usize).contains(&pc))
    }

    /// Total number of parameter registers, `*args` and `**kwargs` included.
    pub fn nargs_regs(&self) -> usize {
        self.nparams as usize
            + self.nkwonly as usize
            + self.flags.varargs as usize
            + self.flags.varkw as usize
    }
}

fn wide(insn: Insn, base: usize) -> Option<Insn> {
    let index = i32::try_from(insn.bc() as usize + base).ok()?;
    Some(Insn::ai(insn.op, insn.a, index).with_x(insn.x))
}

fn narrow(kind: Operand, value: u16, sites: usize, consts: usize) -> Option<u16> {
    match kind {
        Operand::K => u16::try_from(value as usize + consts).ok(),
        Operand::S => u16::try_from(value as usize * SITE_WORDS + sites).ok(),
        _ => Some(value),
    }
}
