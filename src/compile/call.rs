//! Calls: windows, methods, keywords, stars, and `super()`. Must not know statements.

use super::Fallible;
use super::display::is_starred;
use super::emit::Origin;
use super::unit::{Compiler, Place, Reg};
use crate::bytecode::code::{Const, Name};
use crate::bytecode::op::Op;
use mini_grammar::Span;
use mini_grammar::ast::*;

/// Registers of a window before the first argument: the callable, and three that belong to the VM.
pub const WINDOW: u32 = 4;

/// Where a call puts its callable.
struct Callee {
    window: Reg,
    method: bool,
    /// The offset whose line the call is on: of its start, or of its method's name.
    at: Origin,
}

impl<'a> Compiler<'a> {
    /// A call whose result goes into `dst`.
    pub fn call(
        &mut self,
        expr: &'a Expr,
        (func, args, keywords): (&'a Expr, &'a [Expr], &'a [Keyword]),
        dst: Reg,
    ) -> Fallible<()> {
        let window = if self.is_newest(dst) { dst } else { self.alloc() };
        let spread = args.iter().any(is_starred) || keywords.iter().any(|keyword| keyword.arg.is_none());
        if let ([], []) = (args, keywords)
            && self.super_call(expr, func, window)?
        {
            self.move_to(dst, window);
            return Ok(());
        }
        let callee = self.callee(expr, func, window, spread)?;
        if spread {
            self.spread_call(expr, &callee, args, keywords)?;
        } else {
            self.plain_call(&callee, args, keywords)?;
        }
        self.move_to(dst, window);
        Ok(())
    }

    fn callee(&mut self, expr: &Expr, func: &'a Expr, window: Reg, spread: bool) -> Fallible<Callee> {
        let ExprKind::Attribute { value, attr, .. } = &func.kind else {
            self.expr_to(func, window)?;
            self.alloc_run(WINDOW - 1);
            return Ok(Callee { window, method: false, at: self.source.origin(expr.span) });
        };
        let at = match spread {
            true => self.source.origin(expr.span),
            false => self.source.origin_of_attribute(func, expr.span.end),
        };
        let object = self.operand_in(value, window)?;
        let name = self.mangle(attr);
        self.at_attribute(func);
        let site = self.site(name);
        self.emit(if spread { Op::GetAttr } else { Op::GetMethod }, window, object, site);
        self.alloc_run(if spread { WINDOW - 1 } else { WINDOW });
        Ok(Callee { window, method: !spread, at })
    }

    fn plain_call(&mut self, callee: &Callee, args: &'a [Expr], keywords: &'a [Keyword]) -> Fallible<()> {
        let (_, positional) = self.run_of(args)?;
        let mut names = Vec::with_capacity(keywords.len());
        for keyword in keywords {
            let reg = self.alloc();
            self.expr_to(&keyword.value, reg)?;
            names.extend(keyword.arg.as_deref().map(|name| Const::Str(self.mangle(name).into())));
        }
        self.unit.asm.place = callee.at;
        if names.is_empty() {
            let op = if callee.method { Op::CallM } else { Op::Call };
            self.emit(op, callee.window, positional, 0);
            return Ok(());
        }
        let count = positional.saturating_add(names.len().min(usize::from(u16::MAX)) as u16);
        let names = self.constant(Const::Tuple(names.into()));
        self.emit_x(Op::CallKw, u8::from(callee.method), callee.window, count, names);
        Ok(())
    }

    fn spread_call(
        &mut self,
        expr: &Expr,
        callee: &Callee,
        args: &'a [Expr],
        keywords: &'a [Keyword],
    ) -> Fallible<()> {
        let positional = self.alloc();
        match args {
            // `CallEx` makes its own tuple of it.
            [Expr { kind: ExprKind::Starred { value, .. }, .. }] => self.expr_to(value, positional)?,
            _ => self.argument_list(expr.span, args, positional)?,
        }
        let named = self.alloc();
        match keywords {
            [] => {
                self.emit(Op::Clear, named, 0, 0);
            }
            // `CallEx` copies what it needs of it.
            [Keyword { arg: None, value, .. }] => self.expr_to(value, named)?,
            _ => self.keyword_dict(expr.span, keywords, named, callee.window)?,
        }
        self.unit.asm.place = callee.at;
        self.emit(Op::CallEx, callee.window, 0, 0);
        Ok(())
    }

    /// The keyword arguments of a call with stars, as a dict in `dst`; errors name the callable in `callee`.
    pub fn keyword_dict(
        &mut self,
        span: Span,
        keywords: &'a [Keyword],
        dst: Reg,
        callee: Reg,
    ) -> Fallible<()> {
        let mut rest = keywords;
        let mut is_new = true;
        while !rest.is_empty() {
            let mark = self.unit.top;
            let named = rest.iter().take_while(|keyword| keyword.arg.is_some()).count();
            let (group, after) = rest.split_at(named);
            if is_new || !group.is_empty() {
                let target = if is_new { dst } else { self.alloc() };
                self.keyword_group(span, group, target)?;
                if !is_new {
                    self.emit_x(Op::MapUpdate, 1, dst, target, callee);
                }
                is_new = false;
            }
            rest = after;
            if let Some((mapping, after)) = rest.split_first() {
                let value = self.operand(&mapping.value)?;
                self.at(span);
                self.emit_x(Op::MapUpdate, 1, dst, value, callee);
                rest = after;
            }
            self.unit.top = mark;
        }
        Ok(())
    }

    fn keyword_group(&mut self, span: Span, group: &'a [Keyword], dst: Reg) -> Fallible<()> {
        let mark = self.unit.top;
        let first = mark.min(u32::from(Reg::MAX)) as Reg;
        for keyword in group {
            let name: Name = self.mangle(keyword.arg.as_deref().unwrap_or_default());
            let key = self.alloc();
            self.load_const(key, Const::Str(name.into()));
            let value = self.alloc();
            self.expr_to(&keyword.value, value)?;
        }
        self.at(span);
        self.emit(Op::NewDict, dst, first, group.len().min(usize::from(u16::MAX)) as u16);
        self.unit.top = mark;
        Ok(())
    }

    /// `super()` in a method gets the class and the first parameter; says whether it was that.
    fn super_call(&mut self, expr: &Expr, func: &Expr, window: Reg) -> Fallible<bool> {
        let name: Name = "super".into();
        let is_super = matches!(&func.kind, ExprKind::Name { id, .. } if **id == *name);
        if !is_super || self.place(&name) != Place::Global {
            return Ok(false);
        }
        let class: Name = "__class__".into();
        let Some(first) = self.unit.first_param.clone() else { return Ok(false) };
        if !matches!(self.place(&class), Place::Free(_)) {
            return Ok(false);
        }
        self.at_expr(func);
        self.load_global(&name, window);
        self.alloc_run(WINDOW - 1);
        let (class_arg, object) = (self.alloc(), self.alloc());
        self.load_name(&class, class_arg);
        self.load_param(&first, object);
        self.at_expr(expr);
        self.emit(Op::Call, window, 2, 0);
        Ok(true)
    }

    /// The current value of a parameter of this frame, whatever comprehension we are in.
    fn load_param(&mut self, name: &Name, dst: Reg) {
        let comps = std::mem::take(&mut self.unit.comps);
        self.load_name(name, dst);
        self.unit.comps = comps;
    }
}
