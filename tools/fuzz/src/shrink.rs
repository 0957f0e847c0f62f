//! Makes a differing program small: leaves parts out while the difference stays. Must not know what programs mean.

use crate::batch::Pair;
use crate::tree::{Expr, Part, Stmt, render};

/// Candidates that are tried in one process: few at first, more while none of them differs.
const AT_ONCE: usize = 12;
const AT_MOST: usize = 200;
/// Rounds without progress end it; this ends it in any case.
const MOST_ROUNDS: usize = 400;

/// What a round leaves out. Expressions come when statements are few: each candidate is a copy of the program.
#[derive(Clone, Copy, PartialEq)]
enum Grain {
    Statements,
    Expressions,
}

/// The smallest program found that still differs. Errors: an interpreter cannot be started.
pub fn shrink(pair: &Pair, program: Vec<Stmt>) -> std::io::Result<Vec<Stmt>> {
    let mut best = program;
    let (mut first, mut grain) = (0, Grain::Statements);
    for _ in 0..MOST_ROUNDS {
        match round(pair, &best, first, grain)? {
            Some((smaller, at)) => {
                best = smaller;
                // What was tried before this place will most likely fail again.
                first = at;
            }
            None if first > 0 => first = 0,
            None if grain == Grain::Statements => grain = Grain::Expressions,
            None => break,
        }
    }
    Ok(best)
}

/// The first candidate, from this number on, that differs; and its number.
fn round(
    pair: &Pair,
    best: &[Stmt],
    first: usize,
    grain: Grain,
) -> std::io::Result<Option<(Vec<Stmt>, usize)>> {
    let (length, size) = (render(best).len(), steps(best));
    let mut all = candidates(best, grain);
    all.retain(|c| steps(c) < size || render(c).len() < length);
    let (mut at, mut at_once) = (first.min(all.len()), AT_ONCE);
    while at < all.len() {
        let chunk = &all[at..(at + at_once).min(all.len())];
        let texts: Vec<String> = chunk.iter().map(|c| render(c)).collect();
        let verdicts = pair.compare(&texts)?;
        if let Some(found) = verdicts.iter().position(|v| v.differs() && !v.is_refused()) {
            return Ok(Some((chunk[found].clone(), at + found)));
        }
        at += chunk.len();
        at_once = (at_once * 2).min(AT_MOST);
    }
    Ok(None)
}

/// Statements and expressions: what shrinking lessens, even where the text gets no shorter.
fn steps(body: &[Stmt]) -> usize {
    fn expr(e: &Expr) -> usize {
        1 + e.parts.iter().map(|p| if let Part::Expr(inner) = p { expr(inner) } else { 0 }).sum::<usize>()
    }
    body.iter()
        .map(|stmt| match stmt {
            Stmt::Line(line) => expr(line),
            Stmt::Compound(clauses) => clauses.iter().map(|c| expr(&c.header) + steps(&c.body)).sum(),
        })
        .sum()
}

/// Every program that is this one with one part left out or made simpler; big parts first.
fn candidates(body: &[Stmt], grain: Grain) -> Vec<Vec<Stmt>> {
    let mut found = Vec::new();
    let mut size = body.len().div_ceil(2);
    while size > 1 {
        for start in (0..body.len()).step_by(size) {
            let mut less = body.to_vec();
            less.drain(start..(start + size).min(body.len()));
            found.push(less);
        }
        size /= 2;
    }
    for (i, stmt) in body.iter().enumerate() {
        for instead in replacements(stmt, grain) {
            let mut changed = body.to_vec();
            changed.splice(i..=i, instead);
            found.push(changed);
        }
    }
    found
}

fn replacements(stmt: &Stmt, grain: Grain) -> Vec<Vec<Stmt>> {
    let mut found = vec![Vec::new()];
    match stmt {
        Stmt::Line(line) if grain == Grain::Expressions => {
            found.extend(simpler(line).into_iter().map(|e| vec![Stmt::Line(e)]));
        }
        Stmt::Line(_) => {}
        Stmt::Compound(clauses) => {
            // The block alone, without a clause, a smaller block, a simpler header.
            found.extend(clauses.iter().map(|clause| clause.body.clone()));
            for i in 0..clauses.len() {
                let mut fewer = clauses.clone();
                fewer.remove(i);
                if !fewer.is_empty() {
                    found.push(vec![Stmt::Compound(fewer)]);
                }
                for body in candidates(&clauses[i].body, grain) {
                    let mut changed = clauses.clone();
                    changed[i].body = body;
                    found.push(vec![Stmt::Compound(changed)]);
                }
                let headers =
                    if grain == Grain::Expressions { simpler(&clauses[i].header) } else { Vec::new() };
                for header in headers {
                    let mut changed = clauses.clone();
                    changed[i].header = header;
                    found.push(vec![Stmt::Compound(changed)]);
                }
            }
        }
    }
    found
}

/// The simplest expression of a type.
fn trivial(kind: char) -> &'static str {
    match kind {
        'f' => "0.5",
        'b' => "True",
        's' | 'q' => "'a'",
        'y' => "b'a'",
        'l' | 'x' | 'W' => "[1]",
        'm' => "['a']",
        't' => "(1,)",
        'd' => "{'a': 1}",
        'e' => "{1}",
        'c' => "abs",
        'u' | 'o' => "None",
        'g' => "iter([1])",
        'C' | 'P' | 'Q' | 'R' => "",
        _ => "1",
    }
}

/// This expression with one of its parts replaced: by a part of its own, or by the simplest of its type.
fn simpler(whole: &Expr) -> Vec<Expr> {
    let mut found = Vec::new();
    for (i, part) in whole.parts.iter().enumerate() {
        let Part::Expr(inner) = part else { continue };
        let mut put = |instead: Expr| {
            let mut changed = whole.clone();
            changed.parts[i] = Part::Expr(instead);
            found.push(changed);
        };
        let text = inner.to_text();
        if text != trivial(inner.kind) && text.len() > 2 {
            put(Expr::text(inner.kind, trivial(inner.kind)));
        }
        for part in &inner.parts {
            if let Part::Expr(deeper) = part {
                put(deeper.clone());
            }
        }
        for smaller in simpler(inner) {
            put(smaller);
        }
    }
    found
}
