//! Calls of the program's own functions, with arguments in every style. Must not know statements.

use crate::scope::{Func, Style};
use crate::template::Maker;
use crate::tree::{Expr, Part};

/// A call that gives a value of this type, if the program has such a function.
pub fn call(maker: &mut Maker, kind: char, depth: usize) -> Option<Expr> {
    let able: Vec<usize> = (0..maker.scope.funcs.len())
        .filter(|&i| maker.scope.funcs[i].result == kind && maker.may_call(maker.scope.funcs[i].cost))
        .collect();
    if able.is_empty() {
        return None;
    }
    let func = maker.scope.funcs[able[maker.rng.below(able.len())]].clone();
    maker.cost += maker.often * func.cost;
    let mut parts = vec![Part::Text(format!("{}(", func.name))];
    arguments(maker, &func, depth.saturating_sub(1), &mut parts);
    parts.push(Part::Text(")".to_string()));
    Some(Expr { kind, parts })
}

fn arguments(maker: &mut Maker, func: &Func, depth: usize, parts: &mut Vec<Part>) {
    let mut named = false;
    for param in &func.params {
        let before = match param.style {
            Style::Optional if maker.rng.percent(40) => {
                named = true;
                continue;
            }
            Style::Star if named || maker.rng.percent(50) => continue,
            Style::Star => "*".to_string(),
            Style::Keyword => {
                named = true;
                if maker.rng.percent(30) {
                    continue;
                }
                format!("{}=", param.name)
            }
            _ if named || maker.rng.percent(15) => {
                named = true;
                format!("{}=", param.name)
            }
            _ => String::new(),
        };
        let kind = if param.style == Style::Star { 'l' } else { param.kind };
        parts.push(Part::Text(before));
        parts.push(Part::Expr(maker.expr(kind, depth)));
        parts.push(Part::Text(", ".to_string()));
    }
    // Too many, unknown or doubled arguments: one call in thirty.
    if maker.rng.percent(3) {
        let extra =
            maker.rng.pick(&["**{'zz': 1}", "zz=2", "*[1, 2, 3]", "**{}", "*()", "*'ab'", "**{1: 2}", "*3"]);
        parts.push(Part::Text(extra.to_string()));
    }
}
