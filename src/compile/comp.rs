//! Comprehensions. They run in the frame around them, with registers of their own for their variables; in a class body,
//! whose names they must not see, they are functions that take the state of the outermost loop. Must not know statements.

use super::Fallible;
use super::call::WINDOW;
use super::func::Signature;
use super::loops::ITER_REGS;
use super::scope::{Kind, ScopeId, Suspends, node_key};
use super::unit::{ActiveComp, Compiler, Reg, Variable};
use crate::bytecode::code::Flags;
use crate::bytecode::op::Op;
use mini_grammar::ast::*;
use rustc_hash::FxHashMap;

/// The first parameter of a comprehension that is a function.
pub const ITERABLE: &str = ".0";
/// The parameters of such a function, and of a generator expression: the state of its outermost loop, or its asynchronous iterator alone.
pub const STATE: [&str; ITER_REGS as usize] = [".0", ".1", ".2", ".3"];

/// What a comprehension makes.
#[derive(Clone, Copy)]
enum Product<'a> {
    List(&'a Expr),
    Set(&'a Expr),
    Dict(&'a Expr, &'a Expr),
    /// A generator expression.
    Lazy(&'a Expr),
}

/// A comprehension taken apart.
#[derive(Clone, Copy)]
struct Comp<'a> {
    expr: &'a Expr,
    result: Product<'a>,
    generators: &'a [Comprehension],
}

impl<'a> Compiler<'a> {
    /// A comprehension into `dst`, a temporary.
    pub fn comprehension(&mut self, expr: &'a Expr, dst: Reg) -> Fallible<()> {
        let (result, generators) = match &expr.kind {
            ExprKind::ListComp { elt, generators } => (Product::List(elt), generators),
            ExprKind::SetComp { elt, generators } => (Product::Set(elt), generators),
            ExprKind::DictComp { key, value, generators } => (Product::Dict(key, value), generators),
            _ => return self.error("internal error: not a comprehension", expr.span),
        };
        let comp = Comp { expr, result, generators };
        let (Some(first), Some(scope)) = (generators.first(), self.scopes.of_node(node_key(expr))) else {
            return self.error("internal error: a scope is missing", expr.span);
        };
        if self.scopes.get(scope).kind == Kind::Function {
            return self.comp_function(comp, first, scope, dst);
        }
        let state = self.comp_iteration(first, expr)?;
        let start = self.unit.asm.here();
        self.enter_comp(comp, scope);
        self.new_result(comp, dst);
        self.generator(comp, 0, state, dst)?;
        let own = self.unit.comps.pop().map_or(Vec::new(), |comp| comp.vars.into_keys().collect());
        let (name, origin) = (self.scopes.get(scope).name.clone(), self.source.origin(expr.span));
        self.unit.asm.inlined(start, name, origin, own);
        Ok(())
    }

    /// Registers and cells for the variables of an inlined comprehension.
    fn enter_comp(&mut self, comp: Comp<'a>, id: ScopeId) {
        let scope = self.scopes.get(id);
        let mut vars = FxHashMap::default();
        for name in &scope.names {
            let Some(symbol) = scope.get(name).filter(|symbol| symbol.is_bound()) else { continue };
            let (reg, var) = (self.alloc(), self.unit.new_var());
            if symbol.cell || comp.generators.len() > 1 {
                self.emit(Op::Clear, reg, 0, 0);
            }
            if symbol.cell {
                self.emit(Op::NewCell, reg, reg, 0);
            }
            vars.insert(name.clone(), Variable { reg, var, cell: symbol.cell });
        }
        self.unit.comps.push(ActiveComp { name: scope.name.clone(), vars });
    }

    fn new_result(&mut self, comp: Comp<'a>, dst: Reg) {
        let op = match comp.result {
            Product::List(_) => Op::NewList,
            Product::Set(_) => Op::NewSet,
            Product::Dict(..) => Op::NewDict,
            Product::Lazy(_) => return,
        };
        self.emit(op, dst, 0, 0);
    }

    /// The loop of one `for`, with the iteration's state in `state` already, and all that is inside it.
    fn generator(&mut self, comp: Comp<'a>, index: usize, state: Reg, dst: Reg) -> Fallible<()> {
        let mark = self.unit.top;
        let generator = &comp.generators[index];
        if generator.is_async {
            return self.async_generator(comp, index, state, dst);
        }
        let (body, next) = (self.label(), self.label());
        let entry = self.unit.asm.loop_entry();
        let item = self.loop_target(&generator.target);
        self.jump(next);
        self.loop_body(body, &entry);
        self.store_item(&generator.target, item)?;
        for condition in &generator.ifs {
            self.jump_if(condition, next, false)?;
        }
        match comp.generators.get(index + 1) {
            Some(inner) => {
                let state = self.comp_iteration(inner, comp.expr)?;
                self.generator(comp, index + 1, state, dst)?;
            }
            None => self.add_result(comp, dst)?,
        }
        self.bind(next);
        self.at_expr(comp.expr);
        self.next_item(&generator.target, (state, item), body);
        self.unit.top = mark;
        Ok(())
    }

    fn comp_iteration(&mut self, generator: &'a Comprehension, expr: &Expr) -> Fallible<Reg> {
        match generator.is_async {
            true => self.async_iteration(&generator.iter, expr.span),
            false => self.iteration(&generator.iter, expr.span),
        }
    }

    /// As `generator`, of an `async for`.
    fn async_generator(&mut self, comp: Comp<'a>, index: usize, state: Reg, dst: Reg) -> Fallible<()> {
        let mark = self.unit.top;
        let generator = &comp.generators[index];
        let round = self.async_round(state, &generator.target, comp.expr.span)?;
        for condition in &generator.ifs {
            self.jump_if(condition, round.next, false)?;
        }
        match comp.generators.get(index + 1) {
            Some(inner) => {
                let state = self.comp_iteration(inner, comp.expr)?;
                self.generator(comp, index + 1, state, dst)?;
            }
            None => self.add_result(comp, dst)?,
        }
        self.end_async_round(round, comp.expr.span);
        self.unit.top = mark;
        Ok(())
    }

    fn add_result(&mut self, comp: Comp<'a>, dst: Reg) -> Fallible<()> {
        let mark = self.unit.top;
        match comp.result {
            Product::List(elt) | Product::Set(elt) => {
                let item = self.operand(elt)?;
                self.at_expr(comp.expr);
                let op = if matches!(comp.result, Product::List(_)) { Op::ListAppend } else { Op::SetAdd };
                self.emit(op, dst, item, 0);
            }
            Product::Dict(key, value) => {
                let scratch = self.alloc();
                let k = self.held(key, value, scratch)?;
                let v = self.operand(value)?;
                self.at_expr(comp.expr);
                self.emit(Op::MapPut, dst, k, v);
            }
            Product::Lazy(elt) => {
                let item = self.alloc();
                self.expr_to(elt, item)?;
                self.at_expr(comp.expr);
                self.suspend(item, None);
            }
        }
        self.unit.top = mark;
        Ok(())
    }

    /// A generator expression into `dst`: a function of the state of the outermost loop, called at once.
    pub fn generator_expression(
        &mut self,
        expr: &'a Expr,
        elt: &'a Expr,
        generators: &'a [Comprehension],
        dst: Reg,
    ) -> Fallible<()> {
        let comp = Comp { expr, result: Product::Lazy(elt), generators };
        let (Some(first), Some(id)) = (generators.first(), self.scopes.of_node(node_key(expr))) else {
            return self.error("internal error: a scope is missing", expr.span);
        };
        let window = if self.is_newest(dst) { dst } else { self.alloc() };
        let line = self.source.line(expr.span.start);
        let name = self.scopes.get(id).name.clone();
        let nparams = if first.is_async { 1 } else { STATE.len() };
        self.enter(id, &name, line);
        self.begin_frame(nparams);
        self.generator(comp, 0, 0, 0)?;
        let Suspends { yields: generator, is_async: coroutine, .. } = self.scope().suspends;
        let nested = self.is_nested();
        let flags = Flags { generator, coroutine, nested, ..Flags::default() };
        let code =
            self.leave(Signature { flags, nparams, nposonly: nparams, ..Signature::default() }, line)?;
        self.at_expr(expr);
        let run = self.alloc_run(2);
        self.emit(Op::Clear, run, 0, 0);
        self.emit(Op::Clear, run + 1, 0, 0);
        self.close_over(code, run, window);
        self.unit.top = u32::from(window) + 1;
        self.alloc_run(WINDOW - 1);
        let state = self.comp_iteration(first, expr)?;
        debug_assert!(u32::from(state) == u32::from(window) + WINDOW || self.unit.too_large);
        self.at_expr(expr);
        self.emit(Op::Call, window, nparams as u16, 0);
        self.move_to(dst, window);
        Ok(())
    }

    /// In a class body: a function of the state of the outermost loop, called at once.
    fn comp_function(
        &mut self,
        comp: Comp<'a>,
        first: &'a Comprehension,
        id: ScopeId,
        dst: Reg,
    ) -> Fallible<()> {
        let window = if self.is_newest(dst) { dst } else { self.alloc() };
        let line = self.source.line(comp.expr.span.start);
        let name = self.scopes.get(id).name.clone();
        self.enter(id, &name, line);
        let nparams = STATE.len();
        self.begin_frame(nparams);
        let result = self.alloc();
        self.new_result(comp, result);
        self.generator(comp, 0, 0, result)?;
        self.emit(Op::Return, result, 0, 0);
        let code = self.leave(Signature { nparams, nposonly: nparams, ..Signature::default() }, line)?;
        self.at_expr(comp.expr);
        let run = self.alloc_run(2);
        self.emit(Op::Clear, run, 0, 0);
        self.emit(Op::Clear, run + 1, 0, 0);
        self.close_over(code, run, window);
        self.unit.top = u32::from(window) + 1;
        self.alloc_run(WINDOW - 1);
        let state = self.comp_iteration(first, comp.expr)?;
        debug_assert!(u32::from(state) == u32::from(window) + WINDOW || self.unit.too_large);
        self.at_expr(comp.expr);
        self.emit(Op::Call, window, nparams as u16, 0);
        self.move_to(dst, window);
        Ok(())
    }
}
