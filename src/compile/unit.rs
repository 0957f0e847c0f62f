//! One code object in the making: its registers, and what names refer to in its frame.
//! Must not know statements or expressions.

use super::emit::{Assembler, Label};
use super::pool::Pool;
use super::scope::{CLASSDICT, Kind, Scope, ScopeId, Scopes, mangle};
use super::try_::Block;
use super::{Fallible, Source};
use crate::bytecode::bound::Bound;
use crate::bytecode::code::{Const, Name};
use crate::bytecode::op::{Insn, Op};
use mini_grammar::Span;
use mini_grammar::ast::{Expr, ExprKind};
use rustc_hash::{FxHashMap, FxHashSet};

/// A register.
pub type Reg = u16;

/// The most registers a frame can have; beyond, "code is too large".
pub const MAX_REGS: u32 = 65_000;
/// The most instructions of one code object, counting what is emitted where it cannot be reached.
const MAX_INSNS: u32 = 1 << 22;

/// Where a name lives.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Place {
    /// A register of this frame; `var` numbers it for the analysis of what is bound.
    Local {
        reg: Reg,
        var: u32,
    },
    /// A cell that this frame made, held in a register.
    Cell(Reg),
    /// A captured cell of an outer frame.
    Free(u16),
    Global,
    /// A name of a class body: in the namespace, else in the captured cell, else global.
    Namespace {
        free: Option<u16>,
    },
}

/// A variable kept in a register, or its cell is.
#[derive(Clone, Copy)]
pub struct Variable {
    pub reg: Reg,
    pub var: u32,
    pub cell: bool,
}

/// The variables of a comprehension that is being compiled in this frame.
pub struct ActiveComp {
    pub name: Name,
    pub vars: FxHashMap<Name, Variable>,
}

/// The state of one code object in the making.
pub struct Unit<'a> {
    pub asm: Assembler,
    pub pool: Pool,
    pub scope: ScopeId,
    /// Parameters and locals.
    pub vars: FxHashMap<Name, Variable>,
    /// Registers of parameters and locals: those from here on are temporaries.
    pub nvars: Reg,
    pub comps: Vec<ActiveComp>,
    /// Of a class body: the cell `__class__` for its methods.
    pub class_cell: Option<Reg>,
    /// Of a class body: the cell of its namespace, for annotation scopes.
    pub namespace_cell: Option<Reg>,
    /// Annotations of this body in blocks that may not be executed: their syntax nodes, and numbers.
    pub conditional: FxHashMap<usize, usize>,
    /// Where the namespace of the class is: of a class body, and of an annotation scope in one.
    pub namespace: Option<Reg>,
    pub blocks: Vec<Block<'a>>,
    /// Next free temporary, and the most there ever were.
    pub top: u32,
    pub max: u32,
    /// Numbers given to variables so far.
    pub var_count: u32,
    /// Variables that `del` or the end of an `except … as` can unbind.
    pub unsure: Bound,
    /// Locals that are looked at while possibly unbound: cleared at entry.
    pub to_clear: FxHashSet<Reg>,
    pub too_large: bool,
    /// Of code that suspends: the most registers that are kept while it does.
    pub kept: u16,
    pub qualname: Name,
    /// The first positional parameter, for `super()`.
    pub first_param: Option<Name>,
    /// Of a class body: the attributes its methods assign through their first parameter.
    pub attrs: FxHashSet<Name>,
}

impl Unit<'_> {
    pub fn new(scope: ScopeId, qualname: Name, line: u32) -> Self {
        Unit {
            asm: Assembler::new(line),
            pool: Pool::default(),
            scope,
            vars: FxHashMap::default(),
            nvars: 0,
            comps: Vec::new(),
            class_cell: None,
            namespace_cell: None,
            conditional: FxHashMap::default(),
            namespace: None,
            blocks: Vec::new(),
            top: 0,
            max: 0,
            var_count: 0,
            unsure: Bound::default(),
            to_clear: FxHashSet::default(),
            too_large: false,
            kept: 0,
            qualname,
            first_param: None,
            attrs: FxHashSet::default(),
        }
    }

    /// A new number for a variable.
    pub fn new_var(&mut self) -> u32 {
        self.var_count += 1;
        self.var_count - 1
    }
}

/// The compiler: the code object in the making, and those around it.
pub struct Compiler<'a> {
    pub source: &'a Source<'a>,
    pub scopes: &'a Scopes,
    pub unit: Unit<'a>,
    pub outer: Vec<Unit<'a>>,
    /// Expression statements show their value.
    pub interactive: bool,
}

impl<'a> Compiler<'a> {
    pub fn scope(&self) -> &'a Scope {
        self.scopes.get(self.unit.scope)
    }

    pub fn error<T>(&self, message: impl Into<String>, span: Span) -> Fallible<T> {
        Err(self.source.error(message, span))
    }

    pub fn mangle(&self, name: &str) -> Name {
        mangle(self.scope().private.as_ref(), name)
    }

    // ---- registers

    /// The next temporary.
    pub fn alloc(&mut self) -> Reg {
        self.alloc_run(1)
    }

    /// The first of `count` temporaries in a row.
    pub fn alloc_run(&mut self, count: u32) -> Reg {
        let first = self.unit.top;
        self.unit.top = first.saturating_add(count);
        self.unit.max = self.unit.max.max(self.unit.top);
        if self.unit.top > MAX_REGS {
            self.unit.too_large = true;
            return 0;
        }
        first as Reg
    }

    /// Whether `reg` is the newest temporary: a call window may begin there.
    pub fn is_newest(&self, reg: Reg) -> bool {
        reg >= self.unit.nvars && u32::from(reg) + 1 == self.unit.top
    }

    /// Whether nobody but the expression being compiled can see `reg`.
    pub fn is_temp(&self, reg: Reg) -> bool {
        reg >= self.unit.nvars
    }

    // ---- instructions

    /// What is emitted next comes from `span`.
    pub fn at(&mut self, span: Span) {
        self.unit.asm.place = self.source.origin(span);
    }

    /// What is emitted next computes `expr`.
    pub fn at_expr(&mut self, expr: &Expr) {
        self.unit.asm.place = self.source.origin_of(expr);
    }

    pub fn emit(&mut self, op: Op, a: u16, b: u16, c: u16) {
        self.emit_insn(Insn::abc(op, a, b, c));
    }

    pub fn emit_x(&mut self, op: Op, x: u8, a: u16, b: u16, c: u16) {
        self.emit_insn(Insn::abc(op, a, b, c).with_x(x));
    }

    pub fn emit_wide(&mut self, op: Op, a: u16, bc: i32) {
        self.emit_insn(Insn::ai(op, a, bc));
    }

    fn emit_insn(&mut self, insn: Insn) {
        self.unit.asm.emit(insn);
        if self.unit.asm.asked > MAX_INSNS {
            self.unit.too_large = true;
        }
    }

    pub fn label(&mut self) -> Label {
        self.unit.asm.label()
    }

    pub fn jump(&mut self, label: Label) {
        self.unit.asm.jump(Insn::ai(Op::Jump, 0, 0), label);
    }

    /// A jump that looks at `R[a]` (and, of the compare-and-jump family, at `b`).
    pub fn jump_on(&mut self, op: Op, a: u16, b: u16, label: Label) {
        self.unit.asm.jump(Insn::abc(op, a, b, 0), label);
    }

    pub fn bind(&mut self, label: Label) {
        self.unit.asm.bind(label);
    }

    pub fn move_to(&mut self, dst: Reg, src: Reg) {
        if dst != src {
            self.emit(Op::Move, dst, src, 0);
        }
    }

    // ---- constants

    /// The number of a constant for a 16-bit operand.
    pub fn constant(&mut self, value: Const) -> u16 {
        let number = self.unit.pool.constant(value);
        self.narrow(number)
    }

    pub fn name_constant(&mut self, name: &Name) -> u16 {
        self.constant(Const::Str(name.clone().into()))
    }

    pub fn site(&mut self, name: Name) -> u16 {
        let number = self.unit.pool.site(name);
        self.narrow(number)
    }

    fn narrow(&mut self, number: u32) -> u16 {
        u16::try_from(number).unwrap_or_else(|_| {
            self.unit.too_large = true;
            0
        })
    }

    pub fn load_const(&mut self, dst: Reg, value: Const) {
        if let Const::Int(number) = value
            && let Ok(number) = i32::try_from(number)
        {
            return self.emit_wide(Op::LoadInt, dst, number);
        }
        let number = self.unit.pool.constant(value);
        self.emit_wide(Op::LoadK, dst, number as i32);
    }

    // ---- names

    /// Where `name` (already mangled) lives.
    pub fn place(&self, name: &Name) -> Place {
        let unit = &self.unit;
        let variable =
            unit.comps.iter().rev().find_map(|comp| comp.vars.get(name)).or_else(|| unit.vars.get(name));
        if let Some(variable) = variable {
            return match variable.cell {
                true => Place::Cell(variable.reg),
                false => Place::Local { reg: variable.reg, var: variable.var },
            };
        }
        let scope = self.scope();
        let symbol = scope.get(name);
        let free = scope.free_index(name);
        let bound = symbol.is_some_and(|symbol| symbol.is_bound());
        match scope.kind {
            _ if symbol.is_some_and(|symbol| symbol.global) => Place::Global,
            Kind::Class => Place::Namespace { free: free.filter(|_| !bound) },
            _ if unit.namespace.is_some() => Place::Namespace { free },
            _ => free.map_or(Place::Global, Place::Free),
        }
    }

    /// The register of a name that is a plain local variable.
    pub fn local(&self, expr: &Expr) -> Option<(Reg, u32)> {
        let ExprKind::Name { id, .. } = &expr.kind else { return None };
        match self.place(&self.mangle(id)) {
            Place::Local { reg, var } => Some((reg, var)),
            _ => None,
        }
    }

    /// Makes sure that the local is bound where the code may be reached without it.
    pub fn check_local(&mut self, name: &Name, reg: Reg, var: u32) {
        if self.unit.asm.bound.contains(var) || !self.unit.asm.reachable {
            return;
        }
        let number = self.unit.pool.constant(Const::Str(name.clone().into()));
        self.emit_wide(Op::CheckLocal, reg, number as i32);
        if reg < self.unit.nvars {
            self.unit.to_clear.insert(reg);
        }
        self.unit.asm.bound.insert(var);
    }

    pub fn load_name(&mut self, name: &Name, dst: Reg) {
        match self.place(name) {
            Place::Local { reg, var } => {
                self.check_local(name, reg, var);
                self.move_to(dst, reg);
            }
            Place::Cell(reg) => {
                let number = self.name_constant(name);
                self.emit(Op::GetCell, dst, reg, number);
            }
            Place::Free(index) => self.load_free(name, index, dst),
            Place::Global => self.load_global(name, dst),
            Place::Namespace { free } => {
                let (number, found) = (self.name_constant(name), self.label());
                self.emit(Op::NsGet, dst, self.unit.namespace.unwrap_or(0), number);
                self.jump_on(Op::JSet, dst, 0, found);
                match free {
                    Some(index) => self.load_free(name, index, dst),
                    None => self.load_global(name, dst),
                }
                self.bind(found);
            }
        }
    }

    fn load_free(&mut self, name: &Name, index: u16, dst: Reg) {
        let number = self.name_constant(name);
        self.emit(Op::GetFree, dst, index, number);
    }

    pub fn load_global(&mut self, name: &Name, dst: Reg) {
        let number = self.unit.pool.global(name);
        self.emit_wide(Op::GetGlobal, dst, number as i32);
    }

    pub fn store_name(&mut self, name: &Name, src: Reg) {
        match self.place(name) {
            Place::Local { reg, var } => {
                self.move_to(reg, src);
                self.unit.asm.bound.insert(var);
            }
            Place::Cell(reg) => self.emit(Op::SetCell, reg, src, 0),
            Place::Free(index) => self.emit(Op::SetFree, index, src, 0),
            Place::Global => {
                let number = self.unit.pool.global(name);
                self.emit_wide(Op::SetGlobal, src, number as i32);
            }
            Place::Namespace { .. } => match self.nonlocal_of_class(name) {
                Some(index) => self.emit(Op::SetFree, index, src, 0),
                None => {
                    let number = self.name_constant(name);
                    self.emit(Op::NsSet, 0, src, number);
                }
            },
        }
    }

    pub fn delete_name(&mut self, name: &Name) {
        let number = self.name_constant(name);
        match self.place(name) {
            Place::Local { reg, var } => {
                self.check_local(name, reg, var);
                self.clear_local(reg, var);
            }
            Place::Cell(reg) => self.emit(Op::DelCell, reg, 0, number),
            Place::Free(index) => self.emit(Op::DelFree, index, 0, number),
            Place::Global => {
                let number = self.unit.pool.global(name);
                self.emit_wide(Op::DelGlobal, 0, number as i32);
            }
            Place::Namespace { .. } => match self.nonlocal_of_class(name) {
                Some(index) => self.emit(Op::DelFree, index, 0, number),
                None => self.emit(Op::NsDel, 0, 0, number),
            },
        }
    }

    pub fn clear_local(&mut self, reg: Reg, var: u32) {
        self.emit(Op::Clear, reg, 0, 0);
        self.unit.asm.bound.remove(var);
    }

    /// Unbinds the name of an `except … as`, which the program may have unbound already.
    pub fn forget_name(&mut self, name: &Name) {
        if let Place::Local { reg, var } = self.place(name) {
            return self.clear_local(reg, var);
        }
        let none = self.alloc();
        self.load_const(none, Const::None);
        self.store_name(name, none);
        self.unit.top -= 1;
        self.delete_name(name);
    }

    fn nonlocal_of_class(&self, name: &Name) -> Option<u16> {
        let scope = self.scope();
        scope.get(name).filter(|symbol| symbol.nonlocal.is_some()).and_then(|_| scope.free_index(name))
    }

    /// Puts the cell behind `name` into `dst`, to be captured by an inner function.
    pub fn capture(&mut self, name: &Name, dst: Reg) {
        let unit = &self.unit;
        let variable =
            unit.comps.iter().rev().find_map(|comp| comp.vars.get(name)).or_else(|| unit.vars.get(name));
        let own_cell = match &**name {
            "__class__" => unit.class_cell,
            CLASSDICT => unit.namespace_cell,
            _ => None,
        };
        match variable.map(|variable| variable.reg).or(own_cell) {
            Some(reg) => self.move_to(dst, reg),
            None => {
                let index = self.scope().free_index(name).unwrap_or(0);
                self.emit(Op::FreeCell, dst, index, 0);
            }
        }
    }
}
