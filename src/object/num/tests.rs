//! The operators against CPython, where it is installed: the same results to the last bit, the same messages.

use super::*;
use std::io::Write;
use std::process::{Command, Stdio};

/// What Python prints for each of these lines of code; `None` without Python.
fn python(lines: &[String]) -> Option<Vec<String>> {
    let mut script = String::from(
        "import sys\nsys.set_int_max_str_digits(0)\ndef show(f):\n    try: v = f()\n    except Exception as e: \
         v = e.args[-1]\n    print(v if not isinstance(v, complex) and v != 'complex exponentiation' else 'complex')\n",
    );
    lines.iter().for_each(|line| script.push_str(&format!("show(lambda: {line})\n")));
    let mut child =
        Command::new("python3.11").arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
    let mut stdin = child.stdin.take()?;
    let writer = std::thread::spawn(move || stdin.write_all(script.as_bytes()));
    let output = child.wait_with_output().ok()?;
    writer.join().ok()?.ok()?;
    Some(String::from_utf8(output.stdout).ok()?.lines().map(str::to_string).collect())
}

/// A reproducible source of interesting numbers.
struct Source(u64);

impl Source {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0 >> 20 ^ self.0 << 30
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 7) % n
    }

    fn int(&mut self) -> IBig {
        let bits = [3, 10, 30, 61, 62, 63, 64, 65, 128, 200, 1100][self.below(11) as usize];
        let mut n = IBig::ZERO;
        for _ in 0..bits / 32 + 1 {
            n = (n << 32usize) + IBig::from(self.next() as u32);
        }
        n >>= (bits / 32 + 1) * 32 - bits;
        if self.below(3) == 0 {
            n = (IBig::ONE << bits) + IBig::from(self.below(5) as i64 - 2);
        }
        if self.below(2) == 0 { -n } else { n }
    }

    fn float(&mut self) -> f64 {
        match self.below(4) {
            0 => self.below(20) as f64 / 4.0 - 2.5,
            1 => bigint::to_f64(&self.int()).unwrap_or(0.5),
            2 => f64::from_bits(self.next() << 40 ^ self.next()),
            _ => (self.next() as i64 as f64).sqrt() / 1e3,
        }
    }
}

fn show(n: Result<Option<Num>, NumError>) -> String {
    match n {
        Ok(Some(Num::Small(n))) => n.to_string(),
        Ok(Some(Num::Big(n))) => n.to_string(),
        Ok(Some(Num::Float(f))) => float::repr(f),
        Ok(None) => "none".into(),
        Err(bigint::COMPLEX) => "complex".into(),
        Err(NumError::Memory) => "".into(),
        Err(NumError::Range) => "Numerical result out of range".into(),
        Err(NumError::ZeroDivision(m) | NumError::Overflow(m) | NumError::Value(m)) => m.into(),
    }
}

fn code(n: &Num) -> String {
    match n {
        Num::Small(n) => format!("({n})"),
        Num::Big(n) => format!("({n})"),
        Num::Float(f) if f.is_finite() => format!("({})", float::repr(*f)),
        Num::Float(f) => format!("float('{}')", float::repr(*f)),
    }
}

fn hash_of(n: &IBig) -> i64 {
    let (sign, words) = n.as_sign_words();
    bigint::hash(sign == bigint::Sign::Negative, words)
}

fn from_big(n: IBig) -> Num {
    i64::try_from(&n).map_or(Num::Big(n), Num::Small)
}

const INT_OPS: [BinOp; 11] = [
    BinOp::Add,
    BinOp::Sub,
    BinOp::Mul,
    BinOp::Div,
    BinOp::FloorDiv,
    BinOp::Mod,
    BinOp::BitAnd,
    BinOp::BitOr,
    BinOp::BitXor,
    BinOp::Rshift,
    BinOp::Lshift,
];

fn compare_with_python(cases: Vec<(String, String)>) {
    let lines: Vec<String> = cases.iter().map(|(line, _)| line.clone()).collect();
    let Some(expected) = python(&lines) else { return };
    assert_eq!(expected.len(), cases.len());
    let wrong: Vec<_> = cases.iter().zip(&expected).filter(|((_, ours), theirs)| ours != *theirs).collect();
    assert!(wrong.is_empty(), "{} differ, e.g. {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
}

#[test]
fn ints_as_in_python() {
    let mut source = Source(1);
    let mut cases = Vec::new();
    for i in 0..6000 {
        let op = INT_OPS[i % INT_OPS.len()];
        let shift = matches!(op, BinOp::Lshift | BinOp::Rshift);
        let b = if shift { IBig::from(source.below(300) as i64 - 3) } else { source.int() };
        let (a, b) = (from_big(source.int()), from_big(b));
        let line = format!("{} {} {}", code(&a), op.symbol(), code(&b));
        let fast = match (&a, &b) {
            (Num::Small(a), Num::Small(b)) if Value::small(*a).is_some() && Value::small(*b).is_some() => {
                small(op, *a, *b).and_then(Value::as_small)
            }
            _ => None,
        };
        let ours = show(calculate(op, a, b));
        if let Some(fast) = fast {
            assert_eq!(fast.to_string(), ours, "{line}");
        }
        cases.push((line, ours));
    }
    for (a, b) in
        [(0, -1), (2, -2), (-2, -1), (7, 100), (-3, 33), (0, 0), (1, 1 << 60), (-1, (1 << 60) + 1), (2, 2000)]
    {
        let line = format!("({a}) ** ({b})");
        cases.push((line, show(calculate(BinOp::Pow, Num::Small(a), Num::Small(b)))));
    }
    compare_with_python(cases);
}

#[test]
fn floats_as_in_python() {
    let ops = [BinOp::Add, BinOp::Div, BinOp::FloorDiv, BinOp::Mod, BinOp::Pow, BinOp::Mul];
    let mut source = Source(2);
    let mut cases = Vec::new();
    for i in 0..6000 {
        let op = ops[i % ops.len()];
        let a = if i % 5 == 0 { from_big(source.int()) } else { Num::Float(source.float()) };
        let b = if i % 7 == 0 && i % 5 != 0 { from_big(source.int()) } else { Num::Float(source.float()) };
        cases.push((format!("{} {} {}", code(&a), op.symbol(), code(&b)), show(calculate(op, a, b))));
    }
    for f in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.0, -0.0, 1.0, -1.0, 2.5, 5e-324] {
        for g in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 0.0, -0.0, -1.0, 3.0, 0.5, 1e308] {
            for op in ops {
                let (a, b) = (Num::Float(f), Num::Float(g));
                cases.push((format!("{} {} {}", code(&a), op.symbol(), code(&b)), show(calculate(op, a, b))));
            }
        }
    }
    compare_with_python(cases);
}

#[test]
fn hashes_comparisons_and_conversions_as_in_python() {
    let mut source = Source(3);
    let mut cases = Vec::new();
    for _ in 0..2000 {
        let (n, f) = (source.int(), source.float());
        cases.push((format!("hash({n})"), hash_of(&n).to_string()));
        if let Ok(small) = i64::try_from(&n) {
            assert_eq!(bigint::hash_scaled(small, 0), hash_of(&n));
        }
        let float = code(&Num::Float(f));
        if let Some(hash) = float::hash(f) {
            cases.push((format!("hash({float})"), hash.to_string()));
        }
        let message = "int too large to convert to float".to_string();
        cases.push((format!("float({n})"), bigint::to_f64(&n).map_or(message, float::repr)));
        let near = if f.is_finite() { bigint::trunc(f) } else { n.clone() };
        let order = bigint::compare_float(&near, f);
        let line = format!("(({near} > {float}) - ({near} < {float})) if {float} == {float} else 'none'");
        cases.push((line, order.map_or("none".into(), |o| (o as i8).to_string())));
        let m = IBig::from(source.below(1000) as i64 - 500);
        let e = IBig::from(source.below(60) as i64 - 5);
        let ours = bigint::pow_mod(&n, &e, &m).map(|n| Some(Num::Big(n)));
        cases.push((format!("pow({n}, {e}, {m})"), show(ours)));
    }
    compare_with_python(cases);
}

#[test]
fn what_cannot_be_held_is_refused() {
    let huge = || Num::Small(1 << 60);
    assert_eq!(show(calculate(BinOp::Lshift, Num::Small(1), huge())), "");
    assert_eq!(show(calculate(BinOp::Pow, Num::Small(3), huge())), "");
    assert_eq!(show(calculate(BinOp::Lshift, Num::Small(0), huge())), "0");
    assert_eq!(show(calculate(BinOp::Rshift, Num::Small(-9), huge())), "-1");
}
