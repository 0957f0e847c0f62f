//! Builds the patterns of `case`. Methods of `Nodes`.

use crate::ast::*;
use crate::items::*;
use crate::nodes::Nodes;

/// `_` captures nothing.
pub fn unless_wildcard(name: Identifier) -> Option<Identifier> {
    Some(name).filter(|name| &**name != "_")
}

fn is_star(pattern: &Pattern) -> bool {
    matches!(pattern.kind, PatternKind::MatchStar { .. })
}

impl Nodes<'_> {
    /// The patterns after `case`: a sequence if there is a comma.
    pub fn open_sequence(&self, mut patterns: Items<Pattern>, l: u32, r: u32) -> Pattern {
        if let ([only], false) = (patterns.elts.as_slice(), patterns.comma) {
            if is_star(only) {
                self.problem(self.next_token(r), "invalid syntax");
            }
            if let Some(only) = patterns.elts.pop() {
                return only;
            }
        }
        self.sequence(patterns.elts, l, r)
    }

    /// The patterns between parentheses: a sequence, or just a pattern.
    pub fn group_pattern(&self, mut patterns: Items<Pattern>, l: u32, r: u32) -> Pattern {
        let is_group = !patterns.comma && patterns.elts.len() == 1 && !patterns.elts.iter().any(is_star);
        match patterns.elts.pop() {
            Some(only) if is_group => only,
            last => {
                patterns.elts.extend(last);
                self.sequence(patterns.elts, l, r)
            }
        }
    }

    fn sequence(&self, patterns: Vec<Pattern>, l: u32, r: u32) -> Pattern {
        if patterns.iter().filter(|pattern| is_star(pattern)).count() > 1 {
            self.late_problem(Span::new(l, r), "multiple starred names in sequence pattern");
        }
        self.pattern(PatternKind::MatchSequence { patterns }, l, r)
    }

    pub fn list_pattern(&self, patterns: Items<Pattern>, l: u32, r: u32) -> Pattern {
        self.sequence(patterns.elts, l, r)
    }

    pub fn as_pattern(&self, pattern: Pattern, (name, span): (Identifier, Span), l: u32, r: u32) -> Pattern {
        if &*name == "_" {
            self.problem(span, "cannot use '_' as a target");
        }
        self.pattern(PatternKind::MatchAs { pattern: Some(Box::new(pattern)), name: Some(name) }, l, r)
    }

    pub fn or_pattern(&self, first: Pattern, rest: Vec<Pattern>, l: u32, r: u32) -> Pattern {
        let patterns = std::iter::once(first).chain(rest).collect();
        self.pattern(PatternKind::MatchOr { patterns }, l, r)
    }

    /// A literal as a pattern.
    pub fn value_pattern(&self, value: Expr, l: u32, r: u32) -> Pattern {
        if let ExprKind::JoinedStr { .. } = value.kind {
            self.late_problem(value.span, "patterns may only match literals and attribute lookups");
        }
        self.pattern(PatternKind::MatchValue { value: Box::new(value) }, l, r)
    }

    /// A bare name captures; a dotted one is compared with.
    pub fn name_pattern(&self, name: Expr, l: u32, r: u32) -> Pattern {
        match name.kind {
            ExprKind::Name { id, .. } => {
                self.pattern(PatternKind::MatchAs { pattern: None, name: unless_wildcard(id) }, l, r)
            }
            _ => self.value_pattern(name, l, r),
        }
    }

    pub fn class_pattern(&self, cls: Expr, arguments: Vec<PatternArgument>, l: u32, r: u32) -> Pattern {
        let (mut patterns, mut kwd_attrs, mut kwd_patterns) = (vec![], vec![], vec![]);
        for PatternArgument { name, pattern } in arguments {
            match name {
                Some(name) => {
                    kwd_attrs.push(name);
                    kwd_patterns.push(pattern);
                }
                None => {
                    if !kwd_attrs.is_empty() {
                        self.problem(pattern.span, "positional patterns follow keyword patterns");
                    }
                    patterns.push(pattern);
                }
            }
        }
        let kind = PatternKind::MatchClass { cls: Box::new(cls), patterns, kwd_attrs, kwd_patterns };
        self.pattern(kind, l, r)
    }

    /// A dotted name as the key of a mapping pattern; a bare one would capture, which a key cannot.
    pub fn mapping_key(&self, name: Expr) -> Expr {
        if matches!(name.kind, ExprKind::Name { .. }) {
            self.problem(self.next_token(name.span.end), "invalid syntax");
        }
        name
    }

    pub fn mapping_pattern(&self, items: Option<Items<MappingItem>>, l: u32, r: u32) -> Pattern {
        let (mut keys, mut patterns, mut rest) = (vec![], vec![], None);
        for item in items.map_or(vec![], |items| items.elts) {
            if rest.is_some() {
                self.problem(Span::new(r - 1, r), "invalid syntax");
            }
            match item {
                MappingItem::Pair(key, pattern) => {
                    keys.push(key);
                    patterns.push(pattern);
                }
                MappingItem::Rest(name, span) => {
                    if &*name == "_" {
                        self.problem(span, "invalid syntax");
                    }
                    rest = Some(name);
                }
            }
        }
        self.pattern(PatternKind::MatchMapping { keys, patterns, rest }, l, r)
    }

    /// `-1` as a pattern.
    pub fn negated(&self, value: Constant, ol: u32, l: u32, r: u32) -> Expr {
        let operand = self.constant(value, ol, r);
        self.unary(UnaryOperator::USub, operand, l, r)
    }
}
