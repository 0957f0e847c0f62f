//! Whole programs: classes, functions, and statements that use them. Must not know interpreters.

use crate::rng::Rng;
use crate::scope::{Frame, Func, Param, Style};
use crate::tables;
use crate::template::Maker;
use crate::tree::{Clause, Expr, Part, Stmt};

/// The program of this number in the stream of this seed; wide ones use the library and more of the language.
pub fn program(seed: u64, number: u64, wide: bool) -> Vec<Stmt> {
    let mut maker = Maker::new(Rng::new(seed, number), wide);
    let mut body = Vec::new();
    for _ in 0..maker.rng.below(3) {
        body.push(class(&mut maker));
    }
    for _ in 0..maker.rng.below(3) {
        let made = maker.statement();
        body.extend(guarded(&mut maker, made));
    }
    for _ in 0..maker.rng.below(4) {
        body.push(function(&mut maker));
    }
    let inside = maker.rng.percent(35);
    let mut main = Vec::new();
    if inside {
        maker.scope.frames.push(Frame::default());
    }
    for _ in 0..maker.rng.below(9) + 3 {
        let made = maker.statement();
        main.extend(guarded(&mut maker, made));
    }
    if inside {
        maker.scope.frames.pop();
        body.push(Stmt::Compound(vec![Clause { header: Expr::text(' ', "def main():"), body: main }]));
        main = vec![Stmt::Line(Expr::text(' ', "main()"))];
    }
    body.extend(main);
    body
}

/// Mostly inside a `try`, or the first error would end the program.
fn guarded(maker: &mut Maker, made: Vec<Stmt>) -> Vec<Stmt> {
    if maker.rng.percent(8) {
        return made;
    }
    let handler = vec![Stmt::Line(Expr::text(' ', "print(type(err).__name__, err)"))];
    vec![Stmt::Compound(vec![
        Clause { header: Expr::text(' ', "try:"), body: made },
        Clause { header: Expr::text(' ', "except Exception as err:"), body: handler },
    ])]
}

/// A function of the module.
fn function(maker: &mut Maker) -> Stmt {
    let generator = maker.rng.percent(20);
    let result = if generator { 'x' } else { maker.rng.pick(&['i', 'i', 's', 'l', 'b', 'f', 't', 'd', 'y']) };
    let name = maker.scope.fresh('F');
    let params = params(maker);
    let mut parts = vec![Part::Text(format!("def {name}("))];
    for (i, param) in params.iter().enumerate() {
        let keyword = param.style == Style::Keyword;
        let star = params[..i].iter().any(|p| matches!(p.style, Style::Keyword | Style::Star));
        let before = match param.style {
            Style::Star => "*",
            Style::Keyword if !star => "*, ",
            _ => "",
        };
        parts.push(Part::Text(format!("{before}{}", param.name)));
        if param.style == Style::Optional || keyword {
            parts.push(Part::Text("=".to_string()));
            parts.push(Part::Expr(maker.expr(param.kind, 1)));
        }
        parts.push(Part::Text(", ".to_string()));
    }
    parts.push(Part::Text("):".to_string()));
    if maker.rng.percent(12) && !generator {
        let decorator = maker.rng.pick(&["@shout\n", "@twice(2)\n"]);
        parts.insert(0, Part::Text(decorator.to_string()));
    }
    let (body, cost) = function_body(maker, &params, result, generator);
    maker.scope.funcs.push(Func { name, params, result, cost });
    Stmt::Compound(vec![Clause { header: Expr { kind: ' ', parts }, body }])
}

fn params(maker: &mut Maker) -> Vec<Param> {
    let mut params = Vec::new();
    let (plain, optional, keyword) = (maker.rng.below(3), maker.rng.below(2), maker.rng.below(4) / 3);
    let star = usize::from(maker.rng.percent(15));
    for (style, count) in
        [(Style::Plain, plain), (Style::Optional, optional), (Style::Star, star), (Style::Keyword, keyword)]
    {
        for _ in 0..count {
            let kind =
                if style == Style::Star { 't' } else { maker.rng.pick(&['i', 'i', 's', 'l', 'd', 'f', 't']) };
            let name = maker.scope.fresh(kind);
            params.push(Param { name, kind, style });
        }
    }
    params
}

fn function_body(maker: &mut Maker, params: &[Param], result: char, generator: bool) -> (Vec<Stmt>, usize) {
    let cost = std::mem::take(&mut maker.cost);
    maker.scope.frames.push(Frame::default());
    for param in params {
        maker.scope.declare(&param.name, param.kind);
    }
    (maker.result, maker.in_generator) = (Some(result), generator);
    let mut body = Vec::new();
    if maker.rng.percent(30)
        && let Some((var, word)) = maker.scope.outer(&mut maker.rng)
    {
        body.push(Stmt::Line(Expr::text(' ', format!("{word} {}", var.name))));
        maker.scope.declare(&var.name, var.kind);
    }
    maker.depth += 1;
    for _ in 0..maker.rng.below(4) {
        body.extend(maker.statement());
    }
    let last = if generator { tables::generator_end(&mut maker.rng) } else { result_statement(result) };
    body.extend(maker.stmt(last).unwrap_or_default());
    maker.depth -= 1;
    (maker.result, maker.in_generator) = (None, false);
    maker.scope.frames.pop();
    let own = std::mem::replace(&mut maker.cost, cost);
    (body, own.max(1))
}

/// What a function returns is short, or callers could double it again and again.
fn result_statement(result: char) -> &'static str {
    match result {
        'i' => "return $I",
        's' => "return $S",
        'y' => "return $Y",
        'l' => "return $L",
        't' => "return $T",
        _ => "return $r",
    }
}

/// A class whose objects hold an int `x`; some of them inherit from an earlier one.
fn class(maker: &mut Maker) -> Stmt {
    let name = maker.scope.fresh('C');
    let base = (!maker.scope.classes.is_empty() && maker.rng.percent(60))
        .then(|| maker.scope.classes[maker.rng.below(maker.scope.classes.len())].clone());
    let header = match &base {
        Some(base) => format!("class {name}({base}):"),
        None => format!("class {name}:"),
    };
    maker.scope.frames.push(Frame { hidden: true, ..Frame::default() });
    maker.no_calls += 1;
    maker.in_class = true;
    maker.no_walrus += 1;
    maker.depth += 2;
    let mut body = Vec::new();
    if base.is_none() {
        body.extend(member(maker, tables::CONSTRUCTOR, &name));
    }
    for _ in 0..maker.rng.below(7) + 1 {
        let text = tables::member(&mut maker.rng, base.is_some());
        body.extend(member(maker, text, &name));
    }
    maker.depth -= 2;
    maker.no_walrus -= 1;
    maker.no_calls -= 1;
    maker.in_class = false;
    maker.scope.frames.pop();
    maker.scope.classes.push(name);
    Stmt::Compound(vec![Clause { header: Expr::text(' ', header), body }])
}

/// A member of a class: the word CLS in its template stands for the class.
fn member(maker: &mut Maker, text: &str, class: &str) -> Vec<Stmt> {
    maker.scope.frames.push(Frame::default());
    let names = text.contains("self");
    if names {
        maker.scope.declare("self.x", 'i');
    }
    let made = maker.stmt(&text.replace("CLS", class)).unwrap_or_default();
    maker.scope.frames.pop();
    made
}
