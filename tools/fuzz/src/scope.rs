//! Which names a generated program has at a place, and of what types. Must not know templates.

use crate::rng::Rng;

/// A name and its type letter.
#[derive(Clone)]
pub struct Var {
    pub name: String,
    pub kind: char,
}

/// The names of one function, class body or the module.
#[derive(Default)]
pub struct Frame {
    pub vars: Vec<Var>,
    /// Class bodies: functions inside do not see these names.
    pub hidden: bool,
}

/// A function of the program that expressions may call.
#[derive(Clone)]
pub struct Func {
    pub name: String,
    pub params: Vec<Param>,
    pub result: char,
    /// About how many expressions one call evaluates.
    pub cost: usize,
}

#[derive(Clone)]
pub struct Param {
    pub name: String,
    pub kind: char,
    pub style: Style,
}

#[derive(Clone, Copy, PartialEq)]
pub enum Style {
    Plain,
    Optional,
    /// Behind a `*`.
    Keyword,
    /// `*args`: a tuple of int.
    Star,
}

/// All names that can be seen.
pub struct Scope {
    pub frames: Vec<Frame>,
    pub funcs: Vec<Func>,
    pub classes: Vec<String>,
    fresh: usize,
}

impl Scope {
    pub fn new() -> Scope {
        Scope { frames: vec![Frame::default()], funcs: Vec::new(), classes: Vec::new(), fresh: 0 }
    }

    /// A name that the program does not have yet.
    pub fn fresh(&mut self, kind: char) -> String {
        self.fresh += 1;
        format!("{kind}{}", self.fresh)
    }

    pub fn declare(&mut self, name: &str, kind: char) {
        if let Some(frame) = self.frames.last_mut()
            && !frame.vars.iter().any(|v| v.name == name)
        {
            frame.vars.push(Var { name: name.to_string(), kind });
        }
    }

    /// How many names the innermost frame has: what `forget` goes back to.
    pub fn mark(&self) -> usize {
        self.frames.last().map_or(0, |frame| frame.vars.len())
    }

    /// Drops the names declared since the mark, and returns them.
    pub fn forget(&mut self, mark: usize) -> Vec<Var> {
        match self.frames.last_mut() {
            Some(frame) if frame.vars.len() > mark => frame.vars.split_off(mark),
            _ => Vec::new(),
        }
    }

    pub fn restore(&mut self, vars: Vec<Var>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.vars.extend(vars);
        }
    }

    /// Any visible name of this type; the last names are preferred.
    pub fn readable(&self, rng: &mut Rng, kind: char) -> Option<String> {
        let innermost = self.frames.len() - 1;
        let visible = self.frames.iter().enumerate().filter(|(i, f)| !f.hidden || *i == innermost);
        let names: Vec<&Var> = visible.flat_map(|(_, f)| f.vars.iter()).filter(|v| v.kind == kind).collect();
        choose(rng, &names)
    }

    /// A name of the innermost frame.
    pub fn assignable(&self, rng: &mut Rng, kind: char) -> Option<String> {
        let vars = &self.frames.last()?.vars;
        let names: Vec<&Var> = vars.iter().filter(|v| v.kind == kind).collect();
        choose(rng, &names)
    }

    /// A name of the frame around the innermost one, for `nonlocal` and `global`; and which of them it needs.
    pub fn outer(&self, rng: &mut Rng) -> Option<(Var, &'static str)> {
        let depth = self.frames.len().checked_sub(2)?;
        let frame = &self.frames[depth];
        let usable = |v: &&Var| "ifsld".contains(v.kind) && !v.name.contains('.');
        let vars: Vec<&Var> = frame.vars.iter().filter(usable).collect();
        if vars.is_empty() || frame.hidden {
            return None;
        }
        Some((vars[rng.below(vars.len())].clone(), if depth == 0 { "global" } else { "nonlocal" }))
    }
}

fn choose(rng: &mut Rng, names: &[&Var]) -> Option<String> {
    if names.is_empty() {
        return None;
    }
    let at = rng.below(names.len()).max(rng.below(names.len()));
    Some(names[at].name.clone())
}
