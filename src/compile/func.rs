//! Code objects: modules, functions and lambdas; the prologue of a frame; `MakeFunc`.
//! Must not know how statements and expressions are compiled.

use super::scope::{Kind, ScopeId, Scopes, Suspends, node_key};
use super::symbols::parameters;
use super::unit::{Compiler, Place, Reg, Unit, Variable};
use super::{Fallible, Source, fold};
use crate::bytecode::code::{self, Code, Const, Flags, Name};
use crate::bytecode::escape;
use crate::bytecode::op::{Insn, Op};
use mini_grammar::Span;
use mini_grammar::ast::*;
use std::sync::Arc;

/// What distinguishes one code object from another, beside its body.
#[derive(Default)]
pub struct Signature {
    pub flags: Flags,
    pub nparams: usize,
    pub nposonly: usize,
    pub nkwonly: usize,
    pub doc: Option<Name>,
}

impl Signature {
    /// How many registers the parameters take.
    fn registers(&self) -> usize {
        let Flags { varargs, varkw, .. } = self.flags;
        self.nparams + self.nkwonly + usize::from(varargs) + usize::from(varkw)
    }
}

/// Compiles the module itself.
pub fn module<'a>(module: &'a Module, scopes: &'a Scopes, source: &'a Source<'a>) -> Fallible<Code> {
    let interactive = matches!(module, Module::Interactive { .. });
    let unit = Unit::new(Scopes::MODULE, "<module>".into(), 1);
    let mut compiler = Compiler { source, scopes, unit, outer: Vec::new(), interactive };
    let mut signature =
        Signature { flags: Flags { module: true, ..Flags::default() }, ..Signature::default() };
    match module {
        Module::Module { body } => {
            signature.doc = docstring(body);
            compiler.variable_annotations(body)?;
            compiler.block(body)?;
        }
        Module::Interactive { body } => {
            compiler.variable_annotations(body)?;
            compiler.block(body)?;
        }
        Module::Expression { body } => {
            let value = compiler.operand(body)?;
            compiler.emit(Op::Return, value, 0, 0);
        }
    }
    compiler.emit(Op::ReturnNone, 0, 0, 0);
    let unit = compiler.unit;
    finish(unit, scopes, source, signature, 1)
}

/// The docstring of a body, if it begins with one.
pub fn docstring(body: &[Stmt]) -> Option<Name> {
    match &body.first()?.kind {
        StmtKind::Expr { value } => match &value.kind {
            ExprKind::Constant { value: Constant::Str(text) } => Some((&**text).into()),
            _ => None,
        },
        _ => None,
    }
}

/// Turns a unit into a code object.
fn finish(
    unit: Unit<'_>,
    scopes: &Scopes,
    source: &Source<'_>,
    signature: Signature,
    first_line: u32,
) -> Fallible<Code> {
    let scope = scopes.get(unit.scope);
    let too_large = || {
        let at = source.index.line_start(first_line);
        source.error("code is too large", Span::new(at, at))
    };
    if unit.too_large {
        return Err(too_large());
    }
    let mut variables: Vec<(&Name, &Variable)> = unit.vars.iter().collect();
    variables.sort_by_key(|(_, variable)| variable.reg);
    let cell_regs = variables.iter().filter(|(_, variable)| variable.cell).map(|(_, variable)| variable.reg);
    // Parameters have values at entry.
    let is_local = |reg: &Reg| usize::from(*reg) >= signature.registers();
    let mut clears: Vec<Reg> = unit.to_clear.iter().copied().filter(is_local).collect();
    clears.sort_unstable();
    let mut prologue: Vec<Insn> = clears.iter().map(|&reg| Insn::abc(Op::Clear, reg, 0, 0)).collect();
    let (mut registers, mut kept) = (unit.max, unit.kept);
    if signature.flags.suspends() {
        // What is sent first goes to the first temporary.
        let parameters = narrow(signature.registers()).ok_or_else(too_large)?;
        prologue.insert(0, Insn::abc(Op::MakeGen, unit.nvars, 0, parameters));
        (registers, kept) = (registers.max(u32::from(unit.nvars) + 1), kept.max(parameters));
    }
    let assembled = unit.asm.finish(&prologue, first_line);
    let mut body = code::Body {
        cell_regs: cell_regs.collect(),
        varnames: variables.into_iter().map(|(name, _)| name.clone().into()).collect(),
        insns: assembled.insns,
        consts: unit.pool.consts,
        globals: unit.pool.globals,
        sites: unit.pool.sites,
        calls: 0,
        handlers: assembled.handlers,
        lines: assembled.lines,
        marks: assembled.marks.into(),
        inlined: assembled.inlined,
        doc: signature.doc.map(Into::into),
    };
    if signature.nparams > 0 && !signature.flags.suspends() && &*scope.name == "__init__" {
        escape::mark(&mut body);
    }
    body.relocate().ok_or_else(too_large)?;
    Ok(Code {
        name: scope.name.clone().into(),
        qualname: unit.qualname.into(),
        filename: source.filename.clone().into(),
        first_line,
        flags: signature.flags,
        nparams: narrow(signature.nparams).ok_or_else(too_large)?,
        nposonly: narrow(signature.nposonly).ok_or_else(too_large)?,
        nkwonly: narrow(signature.nkwonly).ok_or_else(too_large)?,
        nregs: narrow(registers as usize).ok_or_else(too_large)?,
        freevars: scope.freevars.iter().cloned().map(Into::into).collect(),
        kept,
        attr_hint: narrow(unit.attrs.len()).unwrap_or(u16::MAX),
        body: body.into(),
    })
}

fn narrow(count: usize) -> Option<u16> {
    u16::try_from(count).ok()
}

/// Whether a scope is called what comprehensions are called: in a qualified name they stand without `<locals>`.
fn is_comprehension(name: &str) -> bool {
    matches!(name, "<listcomp>" | "<setcomp>" | "<dictcomp>" | "<genexpr>")
}

impl<'a> Compiler<'a> {
    /// Begins the code object of an inner scope.
    pub fn enter(&mut self, scope: ScopeId, name: &str, line: u32) {
        let qualname = self.inner_qualname(name);
        let unit = Unit::new(scope, qualname, line);
        self.outer.push(std::mem::replace(&mut self.unit, unit));
    }

    /// Ends the code object begun by `enter`.
    pub fn leave(&mut self, signature: Signature, first_line: u32) -> Fallible<Arc<Code>> {
        self.emit_return(None);
        let Some(outer) = self.outer.pop() else {
            return self.error("code is too large", Span::default());
        };
        let unit = std::mem::replace(&mut self.unit, outer);
        finish(unit, self.scopes, self.source, signature, first_line).map(Arc::new)
    }

    /// The `__qualname__` of something called `name` that is defined here.
    fn inner_qualname(&self, name: &str) -> Name {
        let scope = self.scope();
        let mut path = match scope.kind {
            Kind::Module => String::new(),
            _ if self.place(&self.mangle(name)) == Place::Global && scope.symbols.contains_key(name) => {
                return name.into();
            }
            Kind::Class => format!("{}.", self.unit.qualname),
            _ if is_comprehension(&scope.name) => format!("{}.", self.unit.qualname),
            _ => format!("{}.<locals>.", self.unit.qualname),
        };
        for comp in &self.unit.comps {
            path.push_str(&comp.name);
            path.push('.');
        }
        (path + name).into()
    }

    /// Whether the present code object is inside a function's, or a comprehension's.
    pub fn is_nested(&self) -> bool {
        self.unit.qualname.rsplit('.').skip(1).any(|part| part == "<locals>" || is_comprehension(part))
    }

    /// Gives registers to parameters and locals, and makes their cells.
    pub fn begin_frame(&mut self, nparams: usize) {
        let scope = self.scope();
        let bound = scope.names.iter().filter(|name| scope.get(name).is_some_and(|symbol| symbol.is_bound()));
        let names: Vec<Name> = bound.cloned().collect();
        for (index, name) in names.iter().enumerate() {
            let cell = scope.get(name).is_some_and(|symbol| symbol.cell);
            let deleted = scope.get(name).is_some_and(|symbol| symbol.deleted);
            let (reg, var) = (self.alloc(), self.unit.new_var());
            self.unit.vars.insert(name.clone(), Variable { reg, var, cell });
            if deleted {
                self.unit.unsure.insert(var);
            }
            match (index < nparams, cell) {
                (true, true) => self.emit(Op::NewCell, reg, reg, 0),
                (true, false) => self.unit.asm.bound.insert(var),
                (false, true) => {
                    self.emit(Op::Clear, reg, 0, 0);
                    self.emit(Op::NewCell, reg, reg, 0);
                }
                (false, false) if scope.inspects_locals => {
                    self.unit.to_clear.insert(reg);
                }
                (false, false) => {}
            }
        }
        self.unit.nvars = self.unit.top.min(u32::from(Reg::MAX)) as Reg;
    }

    /// Compiles `def`: the code, the function object, the decorators, the assignment.
    pub fn function_def(&mut self, def: &'a FunctionDef, span: Span) -> Fallible<()> {
        let mark = self.unit.top;
        let name = self.mangle(&def.name);
        let undecorated = def.decorator_list.is_empty();
        let local = match self.place(&name) {
            Place::Local { reg, .. } if undecorated => Some(reg),
            _ => None,
        };
        let dst = local.unwrap_or_else(|| self.alloc());
        let holder = self.decorators(&def.decorator_list, dst)?;
        let first = def.decorator_list.first().map_or(span.start, |decorator| decorator.span.start);
        let first_line = self.source.line(first);
        self.make_function(&def.args, node_key(def), Body::Block(def), first_line, span, holder)?;
        self.function_annotations(def, holder)?;
        self.apply_decorators(&def.decorator_list, dst, holder);
        self.at(span);
        self.store_name(&name, dst);
        self.unit.top = mark;
        Ok(())
    }

    /// Evaluates decorators, each into its own call window that ends in the next one's; the decorated thing goes into the
    /// register returned.
    pub fn decorators(&mut self, decorators: &'a [Expr], dst: Reg) -> Fallible<Reg> {
        let mut holder = dst;
        for decorator in decorators {
            self.expr_to(decorator, holder)?;
            holder = self.alloc_run(4) + 3;
        }
        Ok(holder)
    }

    /// Calls the decorators, the last one first.
    pub fn apply_decorators(&mut self, decorators: &'a [Expr], dst: Reg, mut holder: Reg) {
        for decorator in decorators.iter().rev() {
            holder = holder.saturating_sub(4).max(dst);
            self.at_expr(decorator);
            self.emit(Op::Call, holder, 1, 0);
        }
    }

    /// Compiles a function or lambda and puts the function object into `dst`.
    pub fn make_function(
        &mut self,
        args: &'a Arguments,
        key: usize,
        body: Body<'a>,
        first_line: u32,
        span: Span,
        dst: Reg,
    ) -> Fallible<()> {
        let mark = self.unit.top;
        let run = self.alloc_run(2);
        self.default_values(args, run, span)?;
        let Some(scope) = self.scopes.of_node(key) else {
            return self.error("internal error: a scope is missing", span);
        };
        let code = self.function_code(args, scope, body, first_line)?;
        self.at(span);
        self.close_over(code, run, dst);
        self.unit.top = mark;
        Ok(())
    }

    /// `MakeFunc` of a code object; the defaults are in `run` already, and `run` is the newest run of two.
    pub fn close_over(&mut self, code: Arc<Code>, run: Reg, dst: Reg) {
        for name in &code.freevars {
            let cell = self.alloc();
            self.capture(&Name::from(&**name), cell);
        }
        let number = self.constant(Const::Code(code));
        self.emit(Op::MakeFunc, dst, run, number);
    }

    fn default_values(&mut self, args: &'a Arguments, run: Reg, span: Span) -> Fallible<()> {
        let keyword_only: Vec<(&Arg, &Expr)> = args
            .kwonlyargs
            .iter()
            .zip(&args.kw_defaults)
            .filter_map(|(arg, value)| Some((arg, value.as_ref()?)))
            .collect();
        match (args.defaults.is_empty(), fold::tuple(&args.defaults)) {
            (true, _) => self.emit(Op::Clear, run, 0, 0),
            (_, Some(values)) => self.load_const(run, values),
            _ => {
                let mark = self.unit.top;
                let (first, count) = self.run_of(&args.defaults)?;
                self.at(span);
                self.emit(Op::NewTuple, run, first, count);
                // Cells follow `run` without a gap.
                self.unit.top = mark;
            }
        }
        if keyword_only.is_empty() {
            self.emit(Op::Clear, run + 1, 0, 0);
            return Ok(());
        }
        let mark = self.unit.top;
        let first = self.unit.top as Reg;
        for (arg, value) in &keyword_only {
            let name = self.mangle(&arg.arg);
            let key = self.alloc();
            self.load_const(key, Const::Str(name.into()));
            let reg = self.alloc();
            self.expr_to(value, reg)?;
        }
        self.emit(Op::NewDict, run + 1, first, keyword_only.len() as u16);
        self.unit.top = mark;
        Ok(())
    }

    fn function_code(
        &mut self,
        args: &'a Arguments,
        scope: ScopeId,
        body: Body<'a>,
        first_line: u32,
    ) -> Fallible<Arc<Code>> {
        let name = self.scopes.get(scope).name.clone();
        self.enter(scope, &name, first_line);
        self.begin_frame(parameters(args).count());
        self.unit.first_param =
            args.posonlyargs.iter().chain(&args.args).next().map(|first| self.mangle(&first.arg));
        let nested = self.is_nested();
        let Suspends { yields, is_async, .. } = self.scope().suspends;
        let flags = Flags {
            varargs: args.vararg.is_some(),
            varkw: args.kwarg.is_some(),
            nested,
            generator: yields,
            coroutine: is_async,
            ..Flags::default()
        };
        let mut signature = Signature {
            flags,
            nparams: args.posonlyargs.len() + args.args.len(),
            nposonly: args.posonlyargs.len(),
            nkwonly: args.kwonlyargs.len(),
            doc: None,
        };
        match body {
            Body::Block(def) => {
                signature.doc = docstring(&def.body);
                self.block(&def.body)?;
            }
            Body::Value(value) => self.return_value(value)?,
        }
        self.leave(signature, first_line)
    }

    /// Evaluates `exprs` into a fresh run of registers.
    pub fn run_of(&mut self, exprs: &'a [Expr]) -> Fallible<(Reg, u16)> {
        let first = self.unit.top.min(u32::from(Reg::MAX)) as Reg;
        for expr in exprs {
            let reg = self.alloc();
            self.expr_to(expr, reg)?;
        }
        Ok((first, exprs.len().min(usize::from(u16::MAX)) as u16))
    }

    /// `return value`, where no block is open.
    pub fn return_value(&mut self, value: &'a Expr) -> Fallible<()> {
        let mark = self.unit.top;
        let reg = self.operand(value)?;
        self.emit_return(Some(reg));
        self.unit.top = mark;
        Ok(())
    }

    /// Notes `self.name = …` in a method, for the class's `attr_hint`.
    pub fn note_attribute(&mut self, object: &Expr, name: &Name) {
        let ExprKind::Name { id, .. } = &object.kind else { return };
        let scope = self.scope();
        let is_first = scope.names.first().is_some_and(|first| **first == **id)
            && scope.get(id).is_some_and(|symbol| symbol.param);
        let in_class = scope.parent.is_some_and(|parent| self.scopes.get(parent).kind == Kind::Class);
        if let (true, Some(class)) = (is_first && in_class, self.outer.last_mut()) {
            class.attrs.insert(name.clone());
        }
    }
}

/// What a function runs.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    Block(&'a FunctionDef),
    Value(&'a Expr),
}
