//! Fills templates: Python text with holes. Must not know the tables of templates, nor interpreters.
//!
//!     $i     an expression of type i (the letters are below)
//!     $^i    the same, which does not see the names that this template binds
//!     @i1    a name that the template binds, seen in its holes and its block
//!     @!i1   one that stays bound after the statement
//!     ?i1    a variable of this type that exists; `i1 (with a back-tick) one that may be assigned to
//!     $B     on a line of its own: a block
//!
//! Types: i int, n small int, j smaller natural, f float, b bool, s str, q literal of str, y bytes, l list of int,
//! m list of str, t tuple of int, d dict of str to int, e set of int, c function of an int, o object, a any of them,
//! x iterable of int, W short iterable that the loop's body cannot lengthen, r the result of the function.
//! Capitals are clamped (I, S, L, M, T) or are text: z slice, h base, P Q R format specifications, V of %, X exception (a tuple too),
//! E one exception, N method of text, K of containers, O operator. Names of the kinds k and p are the template's own: no hole reads them.

use crate::rng::Rng;
use crate::scope::{Frame, Scope};
use crate::tables;
use crate::tree::{Clause, Expr, Part, Stmt};
use crate::{call, leaf};

/// How often one place of a program may run: loops multiply.
const MOST_OFTEN: usize = 150;
/// What a call may cost, in expressions, times how often it runs.
const MOST_COST: usize = 4_000;
const MULTIPLE_OF_LOOP: usize = 4;

/// What a generated program has so far.
pub struct Maker {
    pub rng: Rng,
    /// Whether the tables of the library and of whole features are used too.
    pub wide: bool,
    pub scope: Scope,
    /// How often the present place runs in one run of the function.
    pub often: usize,
    pub cost: usize,
    pub in_loop: bool,
    /// The type that the present function returns.
    pub result: Option<char>,
    /// Blocks around this place.
    pub depth: usize,
    /// Inside lambdas and nested functions, which must not call each other: that might never end.
    pub no_calls: usize,
    pub no_walrus: usize,
    pub in_generator: bool,
    /// Class bodies make no objects: their methods might call each other for ever.
    pub in_class: bool,
}

/// The names that one template has bound or found, by type letter and digit.
#[derive(Default)]
struct Names(Vec<((char, char), String)>);

impl Names {
    fn get(&self, key: (char, char)) -> Option<&str> {
        self.0.iter().find(|(k, _)| *k == key).map(|(_, name)| name.as_str())
    }
}

/// One thing in a line of a template.
enum Mark {
    Text(String),
    Hole { kind: char, outer: bool },
    Bind { key: (char, char), stays: bool },
    Found { key: (char, char), assignable: bool },
}

fn marks(text: &str) -> Vec<Mark> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or(' ');
    let (mut found, mut plain, mut i) = (Vec::new(), String::new(), 0);
    while i < chars.len() {
        let bang = usize::from(at(i) == '@' && at(i + 1) == '!' || at(i) == '$' && at(i + 1) == '^');
        let (kind, digit) = (at(i + 1 + bang), at(i + 2 + bang));
        let (mark, length) = match chars[i] {
            '$' => (Mark::Hole { kind, outer: bang == 1 }, 2 + bang),
            '@' if digit.is_ascii_digit() => (Mark::Bind { key: (kind, digit), stays: bang == 1 }, 3 + bang),
            '?' if digit.is_ascii_digit() => (Mark::Found { key: (kind, digit), assignable: false }, 3),
            '`' => (Mark::Found { key: (kind, digit), assignable: true }, 3),
            c => {
                plain.push(c);
                i += 1;
                continue;
            }
        };
        found.push(Mark::Text(std::mem::take(&mut plain)));
        found.push(mark);
        i += length;
    }
    found.push(Mark::Text(plain));
    found
}

impl Maker {
    pub fn new(rng: Rng, wide: bool) -> Maker {
        Maker {
            rng,
            wide,
            scope: Scope::new(),
            often: 1,
            cost: 0,
            in_loop: false,
            result: None,
            depth: 0,
            no_calls: 0,
            no_walrus: 0,
            in_generator: false,
            in_class: false,
        }
    }

    pub fn may_loop(&self) -> bool {
        self.often * MULTIPLE_OF_LOOP <= MOST_OFTEN
    }

    pub fn may_call(&self, cost: usize) -> bool {
        self.no_calls == 0 && self.often * cost <= MOST_COST
    }

    /// An expression of this type, with at most so many levels of parts.
    pub fn expr(&mut self, kind: char, depth: usize) -> Expr {
        self.cost += self.often;
        let kind = self.concrete(kind);
        if depth == 0 || self.rng.percent(25) {
            return self.leaf(kind, depth);
        }
        // Now and then a value of another type: errors have rules too.
        if "ifslmtdx".contains(kind) && self.rng.percent(1) {
            return self.expr('a', depth - 1);
        }
        if self.rng.percent(10)
            && let Some(made) = call::call(self, kind, depth)
        {
            return made;
        }
        for _ in 0..4 {
            let Some(text) = tables::pick(&mut self.rng, kind, self.wide) else { break };
            if let Some(made) = self.expand(text, kind, depth - 1) {
                return made;
            }
        }
        self.leaf(kind, depth)
    }

    fn concrete(&mut self, kind: char) -> char {
        match kind {
            'a' => self.rng.pick(&['i', 'i', 'f', 'b', 's', 's', 'y', 'l', 'm', 't', 'd', 'u', 'o']),
            'r' => self.result.unwrap_or('i'),
            _ => kind,
        }
    }

    fn leaf(&mut self, kind: char, depth: usize) -> Expr {
        if self.rng.percent(65)
            && (kind != 'c' || self.no_calls == 0)
            && let Some(name) = self.scope.readable(&mut self.rng, kind)
        {
            return Expr::text(kind, name);
        }
        if let Some(text) = leaf::literal(&mut self.rng, kind) {
            return Expr::text(kind, text);
        }
        if kind == 'o' {
            return self.object(depth);
        }
        let text = tables::simplest(&mut self.rng, kind);
        match self.expand(text, kind, depth.saturating_sub(1)) {
            Some(made) => made,
            None => Expr::text(kind, "None"),
        }
    }

    fn object(&mut self, depth: usize) -> Expr {
        if self.in_class || self.scope.classes.is_empty() {
            return Expr::text('o', "None");
        }
        let class = self.scope.classes[self.rng.below(self.scope.classes.len())].clone();
        let argument = self.expr('i', depth.saturating_sub(1));
        let parts = vec![Part::Text(class + "("), Part::Expr(argument), Part::Text(")".to_string())];
        Expr { kind: 'o', parts }
    }

    /// Fills a template of an expression. `None`: it needs a variable that is not there.
    fn expand(&mut self, text: &str, kind: char, depth: usize) -> Option<Expr> {
        let repeats = text.contains(" for ") || text.contains("map(") || text.contains("key=");
        if text.contains(":=") && self.no_walrus > 0 || repeats && !self.may_loop() {
            return None;
        }
        let mut names = Names::default();
        let shadow = !text.contains(":=");
        let marks = self.name(text, &mut names, shadow)?;
        let (often, no_calls) = (self.often, self.no_calls);
        if repeats {
            self.often *= MULTIPLE_OF_LOOP;
        }
        self.no_calls += usize::from(text.contains("lambda"));
        let mark = self.scope.mark();
        self.bind(&marks, &names, false);
        let made = self.fill(&marks, &names, kind, depth, mark);
        self.scope.forget(mark);
        (self.often, self.no_calls) = (often, no_calls);
        Some(made)
    }

    /// Chooses the names of a template.
    fn name(&mut self, text: &str, names: &mut Names, shadow: bool) -> Option<Vec<Mark>> {
        let marks = marks(text);
        for mark in &marks {
            let (key, name) = match *mark {
                Mark::Found { key, .. } | Mark::Bind { key, .. } if names.get(key).is_some() => continue,
                Mark::Found { key, assignable: true } => (key, self.scope.assignable(&mut self.rng, key.0)?),
                Mark::Found { key, .. } => (key, self.scope.readable(&mut self.rng, key.0)?),
                Mark::Bind { key, stays } => {
                    let same = (shadow && !stays && self.rng.percent(20))
                        .then(|| self.scope.readable(&mut self.rng, key.0))
                        .flatten()
                        .filter(|name| !name.contains('.') && !names.0.iter().any(|(_, n)| n == name));
                    (key, same.unwrap_or_else(|| self.scope.fresh(key.0)))
                }
                _ => continue,
            };
            // `a, a = 1, a` is the one thing that CPython 3.11.2 gets wrong itself.
            if matches!(mark, Mark::Found { assignable: true, .. }) && names.0.iter().any(|(_, n)| *n == name)
            {
                return None;
            }
            names.0.push((key, name));
        }
        Some(marks)
    }

    fn bind(&mut self, marks: &[Mark], names: &Names, stays: bool) {
        for mark in marks {
            if let Mark::Bind { key, stays: s } = *mark
                && s == stays
                && let Some(name) = names.get(key)
            {
                self.scope.declare(name, key.0);
            }
        }
    }

    fn fill(&mut self, marks: &[Mark], names: &Names, kind: char, depth: usize, mark: usize) -> Expr {
        let f_string = marks.iter().any(|m| matches!(m, Mark::Text(text) if text.contains("f'")));
        let mut parts = Vec::new();
        for item in marks {
            parts.push(match item {
                Mark::Text(text) if text.is_empty() => continue,
                Mark::Text(text) => Part::Text(text.clone()),
                Mark::Bind { key, .. } | Mark::Found { key, .. } => {
                    Part::Text(names.get(*key).unwrap_or("None").to_string())
                }
                Mark::Hole { kind, outer: false } => Part::Expr(self.hole(*kind, depth)),
                Mark::Hole { kind, outer: true } => {
                    let inner = self.scope.forget(mark);
                    self.no_walrus += 1;
                    let made = self.hole(*kind, depth);
                    self.no_walrus -= 1;
                    self.scope.restore(inner);
                    Part::Expr(made)
                }
            });
        }
        if f_string {
            parts.iter_mut().for_each(fit_f_string);
        }
        Expr { kind, parts }
    }

    fn hole(&mut self, kind: char, depth: usize) -> Expr {
        let clamp = |maker: &mut Maker, kind: char, before: &str, after: &str| {
            // Plain assignments are worth testing too, where nothing can grow without end.
            if maker.often == 1 && maker.result.is_none() && maker.rng.percent(50) {
                return maker.expr(kind, depth);
            }
            let parts = vec![
                Part::Text(before.to_string()),
                Part::Expr(maker.expr(kind, depth)),
                Part::Text(after.to_string()),
            ];
            Expr { kind, parts }
        };
        match kind {
            'I' => clamp(self, 'i', "I(", ")"),
            'S' => clamp(self, 's', "S(", ")"),
            'Y' => clamp(self, 'y', "S(", ")"),
            'L' => clamp(self, 'l', "S(", ")"),
            'M' => clamp(self, 'm', "S(", ")"),
            'T' => clamp(self, 't', "S(", ")"),
            _ => self.expr(kind, depth),
        }
    }

    /// Fills a template of a statement. `None`: it does not fit here.
    pub fn stmt(&mut self, text: &str) -> Option<Vec<Stmt>> {
        let mut names = Names::default();
        let marks = self.name(text, &mut names, false)?;
        let lines: Vec<&str> = text.lines().collect();
        let made = self.lines(&lines, 0, &names);
        self.bind(&marks, &names, true);
        Some(made)
    }

    fn lines(&mut self, lines: &[&str], indent: usize, names: &Names) -> Vec<Stmt> {
        let (mut made, mut clauses, mut above, mut i) = (Vec::new(), Vec::new(), None, 0);
        while i < lines.len() {
            let line = lines[i].get(indent..).unwrap_or("");
            let end = (i + 1..lines.len())
                .find(|&k| !lines[k].get(indent..).is_some_and(|l| l.starts_with(' ')))
                .unwrap_or(lines.len());
            let body = &lines[i + 1..end];
            i = end;
            if !body.is_empty() {
                if starts_statement(line) && !clauses.is_empty() {
                    made.push(Stmt::Compound(std::mem::take(&mut clauses)));
                }
                clauses.push(self.clause(line, body, indent + 4, names, above.take()));
                continue;
            }
            if !clauses.is_empty() {
                made.push(Stmt::Compound(std::mem::take(&mut clauses)));
            }
            if line == "$B" {
                made.extend(self.block());
            } else if is_decorator(line) {
                above = Some(self.line(line, names));
            } else {
                let mut made_line = self.line(line, names);
                if let Some(decorator) = above.take() {
                    made_line = below(decorator, made_line);
                }
                made.push(Stmt::Line(made_line));
            }
        }
        if !clauses.is_empty() {
            made.push(Stmt::Compound(clauses));
        }
        made
    }

    fn line(&mut self, line: &str, names: &Names) -> Expr {
        let marks = marks(line);
        let mark = self.scope.mark();
        self.bind(&marks, names, false);
        let depth = self.rng.below(3) + 1;
        let made = self.fill(&marks, names, ' ', depth, mark);
        self.scope.forget(mark);
        // Later lines of the template see them.
        self.bind(&marks, names, true);
        made
    }

    fn clause(
        &mut self,
        line: &str,
        body: &[&str],
        indent: usize,
        names: &Names,
        above: Option<Expr>,
    ) -> Clause {
        let marks = marks(line);
        let function = line.starts_with("def ");
        let class = line.starts_with("class ");
        let mark = self.scope.mark();
        let mut header = self.fill(&marks, names, ' ', 2, mark);
        if let Some(decorator) = above {
            header = below(decorator, header);
        }
        let kept = (self.often, self.in_loop, self.result, self.no_calls, self.in_generator);
        if function {
            self.scope.frames.push(Frame::default());
            (self.in_loop, self.result, self.in_generator) =
                (false, Some('i'), body.iter().any(|l| l.contains("yield")));
            self.no_calls += 1;
        }
        // What `:=` binds in a comprehension would be a name of the class, which is refused.
        self.no_walrus += usize::from(class);
        if line.starts_with("for ") || line.starts_with("while ") {
            self.often *= MULTIPLE_OF_LOOP;
            self.in_loop = true;
        }
        if line.starts_with("except*") {
            (self.in_loop, self.result) = (false, None);
        }
        self.bind(&marks, names, false);
        let inner = self.lines_in(body, indent, names);
        if function {
            self.scope.frames.pop();
        } else {
            self.scope.forget(mark);
        }
        self.no_walrus -= usize::from(class);
        (self.often, self.in_loop, self.result, self.no_calls, self.in_generator) = kept;
        Clause { header, body: inner }
    }

    fn lines_in(&mut self, body: &[&str], indent: usize, names: &Names) -> Vec<Stmt> {
        self.depth += 1;
        let made = self.lines(body, indent, names);
        self.depth -= 1;
        made
    }

    /// A block of some statements.
    pub fn block(&mut self) -> Vec<Stmt> {
        let most = if self.depth > 2 { 2 } else { 3 };
        let mark = self.scope.mark();
        let mut made = Vec::new();
        for _ in 0..self.rng.below(most) + 1 {
            made.extend(self.statement());
        }
        self.scope.forget(mark);
        made
    }

    /// Any statement that fits here.
    pub fn statement(&mut self) -> Vec<Stmt> {
        for _ in 0..20 {
            let compound = self.depth < 4 && self.rng.percent(if self.depth == 0 { 40 } else { 25 });
            let text = tables::statement(&mut self.rng, compound, self.wide);
            if self.fits(text)
                && let Some(made) = self.stmt(text)
            {
                return made;
            }
        }
        vec![Stmt::Line(Expr::text(' ', "pass"))]
    }

    fn fits(&self, text: &str) -> bool {
        let loops = text.contains("for @") || text.contains("while ");
        let leaves = text == "break" || text.contains("    break") || text.contains("continue");
        (!loops || self.may_loop())
            && (!leaves || self.in_loop || loops)
            && (!text.contains("return $r") || self.result.is_some() && !self.in_generator)
            && (!text.contains("finally") || !self.in_generator)
    }
}

/// A line with its decorator above it.
fn below(mut decorator: Expr, line: Expr) -> Expr {
    decorator.parts.push(Part::Text("\n".to_string()));
    decorator.parts.extend(line.parts);
    decorator
}

/// Not a name that the template binds, which begins in the same way.
fn is_decorator(line: &str) -> bool {
    let mut chars = line.chars();
    chars.next() == Some('@')
        && chars.next() != Some('!')
        && !chars.next().is_some_and(|c| c.is_ascii_digit())
}

fn starts_statement(line: &str) -> bool {
    !["except", "else:", "elif ", "finally:", "case "].iter().any(|word| line.starts_with(word))
}

/// Before Python 3.12 the expressions in f'''…''' must not hold backslashes, comments or the quotes themselves.
fn fit_f_string(part: &mut Part) {
    if let Part::Expr(inner) = part {
        let text = inner.to_text();
        if text.contains(['\\', '#']) || text.contains("'''") {
            let instead = if inner.kind == 's' { "'s'" } else { "7" };
            *inner = Expr::text(inner.kind, instead);
        }
    }
}
