//! `match`: each pattern is a series of tests that jump to the next case; what a pattern captures is stored only when all
//! of it has matched. Must not know what makes an object a sequence or a mapping.

use super::Fallible;
use super::emit::Label;
use super::fold;
use super::unit::{Compiler, Reg};
use crate::bytecode::code::{Const, Name};
use crate::bytecode::op::{Op, step};
use mini_grammar::ast::*;

/// What a pattern captures: names, and the registers that hold the values until they are stored.
type Captures = Vec<(Name, Reg)>;

impl<'a> Compiler<'a> {
    pub fn match_stmt(&mut self, subject: &'a Expr, cases: &'a [MatchCase]) -> Fallible<()> {
        let mark = self.unit.top;
        let reg = self.alloc();
        self.expr_to(subject, reg)?;
        let end = self.label();
        for (index, case) in cases.iter().enumerate() {
            let inner = self.unit.top;
            let next = self.label();
            let may_match_all = case.guard.is_some() || index + 1 == cases.len();
            let mut captures = Captures::new();
            self.pattern(&case.pattern, (reg, next), may_match_all, &mut captures)?;
            for (name, captured) in captures {
                self.store_name(&name, captured);
            }
            if let Some(guard) = &case.guard {
                self.at_expr(guard);
                self.jump_if(guard, next, false)?;
            }
            self.unit.top = inner;
            self.block(&case.body)?;
            self.jump(end);
            self.bind(next);
        }
        self.bind(end);
        self.unit.top = mark;
        Ok(())
    }

    /// Goes to `fail` if the value in `subject` does not match. Registers stay taken until the case is over.
    fn pattern(
        &mut self,
        pattern: &'a Pattern,
        (subject, fail): (Reg, Label),
        may_match_all: bool,
        captures: &mut Captures,
    ) -> Fallible<()> {
        self.at(pattern.span);
        match &pattern.kind {
            PatternKind::MatchValue { value } => self.value_pattern(value, subject, fail),
            PatternKind::MatchSingleton { value } => {
                self.singleton_pattern(value, subject, fail);
                Ok(())
            }
            PatternKind::MatchSequence { patterns } => {
                self.sequence_pattern(patterns, subject, fail, captures)
            }
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.mapping_pattern((pattern, keys), (patterns, rest.as_deref()), (subject, fail), captures)
            }
            PatternKind::MatchClass { .. } => self.class_pattern(pattern, subject, fail, captures),
            PatternKind::MatchStar { name } => match name {
                Some(name) => self.captured(pattern, name, subject, captures),
                None => Ok(()),
            },
            PatternKind::MatchAs { pattern: None, name } if !may_match_all => {
                let what = match name {
                    Some(name) => format!("name capture '{name}'"),
                    None => "wildcard".to_owned(),
                };
                self.error(format!("{what} makes remaining patterns unreachable"), pattern.span)
            }
            PatternKind::MatchAs { pattern: inner, name } => {
                if let Some(inner) = inner {
                    self.pattern(inner, (subject, fail), may_match_all, captures)?;
                }
                match name {
                    Some(name) => self.captured(pattern, name, subject, captures),
                    None => Ok(()),
                }
            }
            PatternKind::MatchOr { patterns } => {
                self.or_pattern((pattern, patterns), (subject, fail), may_match_all, captures)
            }
        }
    }

    fn captured(
        &mut self,
        pattern: &Pattern,
        name: &str,
        value: Reg,
        captures: &mut Captures,
    ) -> Fallible<()> {
        let name = self.mangle(name);
        if captures.iter().any(|(known, _)| *known == name) {
            let message = format!("multiple assignments to name '{name}' in pattern");
            return self.error(message, pattern.span);
        }
        captures.push((name, value));
        Ok(())
    }

    fn value_pattern(&mut self, value: &'a Expr, subject: Reg, fail: Label) -> Fallible<()> {
        if let Some(number) = fold::small_int(value) {
            self.jump_on(Op::JNEqI, subject, number as u16, fail);
            return Ok(());
        }
        let value = self.operand(value)?;
        self.jump_on(Op::JNEq, subject, value, fail);
        Ok(())
    }

    fn singleton_pattern(&mut self, value: &Constant, subject: Reg, fail: Label) {
        if matches!(value, Constant::None) {
            return self.jump_on(Op::JNotNone, subject, 0, fail);
        }
        let same = self.alloc();
        self.load_const(same, fold::literal(value));
        self.emit(Op::Is, same, subject, same);
        self.jump_on(Op::JFalse, same, 0, fail);
    }

    /// One step of `Op::Match` whose result is true or false.
    fn test(&mut self, step: u8, subject: Reg, with: Reg, fail: Label) {
        let answer = self.alloc();
        self.emit_x(Op::Match, step, answer, subject, with);
        self.jump_on(Op::JFalse, answer, 0, fail);
    }

    fn sequence_pattern(
        &mut self,
        patterns: &'a [Pattern],
        subject: Reg,
        fail: Label,
        captures: &mut Captures,
    ) -> Fallible<()> {
        let star = patterns.iter().position(|p| matches!(p.kind, PatternKind::MatchStar { .. }));
        let length = self.alloc();
        let least = patterns.len() - usize::from(star.is_some());
        self.load_const(length, Const::Int(least as i64));
        let step = if star.is_some() { step::SEQUENCE_FROM } else { step::SEQUENCE_OF };
        self.test(step, subject, length, fail);
        if patterns.iter().all(is_wildcard) {
            return Ok(());
        }
        let first = self.alloc_run(patterns.len() as u32);
        match star {
            None => self.emit(Op::Unpack, first, subject, patterns.len() as u16),
            Some(at) if is_wildcard(&patterns[at]) => self.items_around(patterns, at, subject, first),
            Some(at) => {
                let Ok(after) = u8::try_from(patterns.len() - at - 1) else {
                    let message = "too many expressions in star-unpacking sequence pattern";
                    return self.error(message, patterns[at].span);
                };
                self.emit_x(Op::UnpackEx, after, first, subject, at as u16);
            }
        }
        for (i, inner) in patterns.iter().enumerate() {
            self.pattern(inner, (first.saturating_add(i as u16), fail), true, captures)?;
        }
        Ok(())
    }

    /// `[a, b, *_, z]` looks at no more than it needs, each by its number; `star` is the place of `*_`.
    fn items_around(&mut self, patterns: &[Pattern], star: usize, subject: Reg, first: Reg) {
        let back = self.alloc();
        let wanted = patterns.iter().enumerate().filter(|(_, pattern)| !is_wildcard(pattern));
        for (i, _) in wanted {
            let item = first.saturating_add(i as u16);
            if i < star {
                self.emit(Op::GetItemI, item, subject, i as u16);
            } else {
                self.load_const(back, Const::Int((patterns.len() - i) as i64));
                self.emit_x(Op::Match, step::FROM_END, item, subject, back);
            }
        }
    }

    fn mapping_pattern(
        &mut self,
        (pattern, keys): (&'a Pattern, &'a [Expr]),
        (patterns, rest): (&'a [Pattern], Option<&str>),
        (subject, fail): (Reg, Label),
        captures: &mut Captures,
    ) -> Fallible<()> {
        let constants: Vec<Option<Const>> = keys.iter().map(fold::constant).collect();
        for (i, constant) in constants.iter().enumerate() {
            if constant.is_some() && constants.iter().take(i).any(|other| other == constant) {
                let key = keys[i].span.of(self.source.text).replace('"', "'");
                return self.error(format!("mapping pattern checks duplicate key ({key})"), pattern.span);
            }
        }
        let length = self.alloc();
        self.load_const(length, Const::Int(keys.len() as i64));
        self.test(step::MAPPING, subject, length, fail);
        let tuple = self.alloc();
        let (first, count) = self.run_of(keys)?;
        self.emit(Op::NewTuple, tuple, first, count);
        let values = self.alloc();
        if !keys.is_empty() {
            self.emit_x(Op::Match, step::VALUES, values, subject, tuple);
            self.jump_on(Op::JNone, values, 0, fail);
            self.parts(patterns.iter(), values, fail, captures)?;
        }
        if let Some(rest) = rest {
            let others = self.alloc();
            self.emit_x(Op::Match, step::REST, others, subject, tuple);
            self.captured(pattern, rest, others, captures)?;
        }
        Ok(())
    }

    fn class_pattern(
        &mut self,
        pattern: &'a Pattern,
        subject: Reg,
        fail: Label,
        captures: &mut Captures,
    ) -> Fallible<()> {
        let PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } = &pattern.kind else {
            return Ok(());
        };
        for (i, name) in kwd_attrs.iter().enumerate() {
            if kwd_attrs.iter().take(i).any(|other| other == name) {
                let span = kwd_patterns.get(i).map_or(pattern.span, |p| p.span);
                return self.error(format!("attribute name repeated in class pattern: {name}"), span);
            }
        }
        let run = self.alloc_run(3);
        self.expr_to(cls, run)?;
        self.load_const(run.saturating_add(1), Const::Int(patterns.len() as i64));
        let names = kwd_attrs.iter().map(|name| Const::Str(self.mangle(name).into())).collect();
        self.load_const(run.saturating_add(2), Const::Tuple(names));
        let values = self.alloc();
        self.at(pattern.span);
        self.emit_x(Op::Match, step::CLASS, values, subject, run);
        self.jump_on(Op::JNone, values, 0, fail);
        self.parts(patterns.iter().chain(kwd_patterns), values, fail, captures)
    }

    /// Patterns for the items of the tuple in `values`.
    fn parts(
        &mut self,
        patterns: impl Iterator<Item = &'a Pattern> + Clone,
        values: Reg,
        fail: Label,
        captures: &mut Captures,
    ) -> Fallible<()> {
        let count = patterns.clone().count();
        if count == 0 {
            return Ok(());
        }
        let first = self.alloc_run(count as u32);
        self.emit(Op::Unpack, first, values, count as u16);
        for (i, inner) in patterns.enumerate() {
            self.pattern(inner, (first.saturating_add(i as u16), fail), true, captures)?;
        }
        Ok(())
    }

    /// The first alternative decides which registers hold what all of them capture.
    fn or_pattern(
        &mut self,
        (pattern, alternatives): (&'a Pattern, &'a [Pattern]),
        (subject, fail): (Reg, Label),
        may_match_all: bool,
        captures: &mut Captures,
    ) -> Fallible<()> {
        let matched = self.label();
        let mut common: Option<Captures> = None;
        for (i, alternative) in alternatives.iter().enumerate() {
            let last = i + 1 == alternatives.len();
            let other = if last { fail } else { self.label() };
            let mut own = Captures::new();
            self.pattern(alternative, (subject, other), last && may_match_all, &mut own)?;
            match &common {
                // The values move: the subject itself is needed by the other alternatives.
                None => {
                    let mut kept = Captures::new();
                    for (name, reg) in own {
                        let to = self.alloc();
                        self.move_to(to, reg);
                        kept.push((name, to));
                    }
                    common = Some(kept);
                }
                Some(common) => {
                    let same = common.len() == own.len()
                        && own.iter().all(|(name, _)| common.iter().any(|(known, _)| known == name));
                    if !same {
                        return self.error("alternative patterns bind different names", pattern.span);
                    }
                    for (name, to) in common.clone() {
                        if let Some((_, from)) = own.iter().find(|(own, _)| *own == name) {
                            self.move_to(to, *from);
                        }
                    }
                }
            }
            if !last {
                self.jump(matched);
                self.bind(other);
            }
        }
        self.bind(matched);
        for (name, reg) in common.unwrap_or_default() {
            self.captured(pattern, &name, reg, captures)?;
        }
        Ok(())
    }
}

fn is_wildcard(pattern: &Pattern) -> bool {
    matches!(
        pattern.kind,
        PatternKind::MatchAs { pattern: None, name: None } | PatternKind::MatchStar { name: None }
    )
}
