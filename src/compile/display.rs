//! Displays: lists, tuples, sets, dicts and f-strings. Must not know statements.

use super::Fallible;
use super::fold;
use super::unit::{Compiler, Reg};
use crate::bytecode::code::Const;
use crate::bytecode::op::Op;
use mini_grammar::Span;
use mini_grammar::ast::*;

/// Displays with more items are built bit by bit, to keep the frame small.
const MAX_RUN: usize = 64;
/// From this many constants on, a list is made from one constant tuple.
const MIN_CONSTANT_LIST: usize = 4;

/// How a display is built: the opcode that makes it from a run, that adds one item, that adds all items of an iterable.
struct Recipe {
    new: Op,
    add: Op,
    extend: Op,
}

const LIST: Recipe = Recipe { new: Op::NewList, add: Op::ListAppend, extend: Op::ListExtend };
const SET: Recipe = Recipe { new: Op::NewSet, add: Op::SetAdd, extend: Op::SetUpdate };

/// Whether the display's code writes its destination once, at the end.
pub fn writes_once(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::List { elts, .. } | ExprKind::Set { elts } => {
            fits_run(elts) && (elts.len() < MIN_CONSTANT_LIST || fold::tuple(elts).is_none())
        }
        ExprKind::Tuple { elts, .. } => elts.len() <= MAX_RUN || elts.iter().any(is_starred),
        ExprKind::Dict { keys, .. } => keys.len() <= MAX_RUN && keys.iter().all(Option::is_some),
        _ => true,
    }
}

fn fits_run(elts: &[Expr]) -> bool {
    elts.len() <= MAX_RUN && !elts.iter().any(is_starred)
}

pub fn is_starred(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Starred { .. })
}

impl<'a> Compiler<'a> {
    /// A display into `dst`.
    pub fn display(&mut self, expr: &'a Expr, dst: Reg) -> Fallible<()> {
        match &expr.kind {
            ExprKind::List { elts, .. } => self.sequence(expr, elts, &LIST, dst),
            ExprKind::Set { elts } => self.sequence(expr, elts, &SET, dst),
            ExprKind::Tuple { elts, .. } => self.tuple(expr, elts, dst),
            ExprKind::Dict { keys, values } => self.dict(expr, keys, values, dst),
            ExprKind::JoinedStr { values } => self.joined(expr, values, dst),
            ExprKind::FormattedValue { value, conversion, format_spec } => {
                self.formatted(expr, value, *conversion, format_spec.as_deref(), dst)
            }
            ExprKind::Starred { .. } => self.error("can't use starred expression here", expr.span),
            _ => self.error("internal error: no code for this expression", expr.span),
        }
    }

    fn sequence(&mut self, expr: &Expr, elts: &'a [Expr], recipe: &Recipe, dst: Reg) -> Fallible<()> {
        if elts.len() >= MIN_CONSTANT_LIST
            && let Some(items) = fold::tuple(elts)
        {
            let source = self.alloc();
            self.at_expr(expr);
            self.emit(recipe.new, dst, source, 0);
            self.load_const(source, items);
            self.emit(recipe.extend, dst, source, 0);
            return Ok(());
        }
        if fits_run(elts) {
            let (first, count) = self.run_of(elts)?;
            self.at_expr(expr);
            self.emit(recipe.new, dst, first, count);
            return Ok(());
        }
        self.grow(expr, elts, recipe, dst)
    }

    /// Builds a display item by item, starting with the plain items before the first starred one.
    fn grow(&mut self, expr: &Expr, elts: &'a [Expr], recipe: &Recipe, dst: Reg) -> Fallible<()> {
        let mark = self.unit.top;
        let plain = elts.iter().take(MAX_RUN).take_while(|elt| !is_starred(elt)).count();
        let (first, count) = self.run_of(&elts[..plain])?;
        self.at_expr(expr);
        self.emit(recipe.new, dst, first, count);
        self.unit.top = mark;
        for elt in &elts[plain..] {
            let (value, op) = match &elt.kind {
                ExprKind::Starred { value, .. } => (&**value, recipe.extend),
                _ => (elt, recipe.add),
            };
            let item = self.operand(value)?;
            self.at_expr(expr);
            self.emit(op, dst, item, 0);
            self.unit.top = mark;
        }
        Ok(())
    }

    fn tuple(&mut self, expr: &Expr, elts: &'a [Expr], dst: Reg) -> Fallible<()> {
        if fits_run(elts) {
            let (first, count) = self.run_of(elts)?;
            self.at_expr(expr);
            self.emit(Op::NewTuple, dst, first, count);
            return Ok(());
        }
        let list = self.alloc();
        self.grow(expr, elts, &LIST, list)?;
        self.emit(Op::ListToTuple, dst, list, 0);
        Ok(())
    }

    /// The positional arguments of a call with stars, as a list in `dst`.
    pub fn argument_list(&mut self, span: Span, args: &'a [Expr], dst: Reg) -> Fallible<()> {
        let mark = self.unit.top;
        let plain = args.iter().take(MAX_RUN).take_while(|arg| !is_starred(arg)).count();
        let (first, count) = self.run_of(&args[..plain])?;
        self.at(span);
        self.emit(Op::NewList, dst, first, count);
        self.unit.top = mark;
        for arg in &args[plain..] {
            let (value, op) = match &arg.kind {
                ExprKind::Starred { value, .. } => (&**value, Op::ListExtend),
                _ => (arg, Op::ListAppend),
            };
            let item = self.operand(value)?;
            self.at(span);
            self.emit(op, dst, item, 0);
            self.unit.top = mark;
        }
        Ok(())
    }

    fn dict(&mut self, expr: &Expr, keys: &'a [Option<Expr>], values: &'a [Expr], dst: Reg) -> Fallible<()> {
        let mark = self.unit.top;
        let plain = keys.iter().take(MAX_RUN).take_while(|key| key.is_some()).count();
        let first = self.unit.top.min(u32::from(Reg::MAX)) as Reg;
        for (key, value) in keys[..plain].iter().flatten().zip(values) {
            let reg = self.alloc();
            self.expr_to(key, reg)?;
            let reg = self.alloc();
            self.expr_to(value, reg)?;
        }
        self.at_expr(expr);
        self.emit(Op::NewDict, dst, first, plain as u16);
        self.unit.top = mark;
        for (key, value) in keys.iter().zip(values).skip(plain) {
            match key {
                Some(key) => {
                    let scratch = self.alloc();
                    let k = self.held(key, value, scratch)?;
                    let v = self.operand(value)?;
                    self.at_expr(expr);
                    self.emit(Op::MapPut, dst, k, v);
                }
                None => {
                    let mapping = self.operand(value)?;
                    self.at_expr(expr);
                    self.emit(Op::MapUpdate, dst, mapping, 0);
                }
            }
            self.unit.top = mark;
        }
        Ok(())
    }

    fn joined(&mut self, expr: &Expr, values: &'a [Expr], dst: Reg) -> Fallible<()> {
        match values {
            [] => {
                self.load_const(dst, Const::Str("".into()));
                Ok(())
            }
            [only] => self.expr_to(only, dst),
            _ => {
                let (first, count) = self.run_of(values)?;
                self.at_expr(expr);
                self.emit(Op::BuildStr, dst, first, count);
                Ok(())
            }
        }
    }

    fn formatted(
        &mut self,
        expr: &Expr,
        value: &'a Expr,
        conversion: Option<char>,
        spec: Option<&'a Expr>,
        dst: Reg,
    ) -> Fallible<()> {
        let conversion = match conversion {
            Some('s') => 1,
            Some('r') => 2,
            Some('a') => 3,
            _ => 0,
        };
        let Some(spec) = spec else {
            let value = self.operand_in(value, dst)?;
            self.at_expr(expr);
            self.emit_x(Op::Format, conversion, dst, value, 0);
            return Ok(());
        };
        let value = self.held(value, spec, dst)?;
        let spec = self.operand(spec)?;
        self.at_expr(expr);
        self.emit_x(Op::Format, conversion | 4, dst, value, spec);
        Ok(())
    }
}
