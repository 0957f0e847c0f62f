//! Orders of classes: the method resolution order (C3), and which base decides how instances are laid out.
//! Must not know namespaces or how classes are made.

use super::class::{self, is_subclass, trait_bits};
use super::error::{Exc, R};
use super::header::{Kind, Slot};
use super::mutator::Mutator;
use super::value::Value;
use super::{tuple, types};
use std::sync::atomic::Ordering;

/// Exceptions with fields of their own: a class cannot derive from two of them that are not related.
const OWN_LAYOUT: &[Exc] = &[
    Exc::BaseException,
    Exc::BaseExceptionGroup,
    Exc::OSError,
    Exc::SyntaxError,
    Exc::StopIteration,
    Exc::SystemExit,
    Exc::ImportError,
    Exc::AttributeError,
    Exc::NameError,
    Exc::UnicodeDecodeError,
    Exc::UnicodeEncodeError,
    Exc::UnicodeTranslateError,
];

/// The order of a class with these bases, `class` itself first.
/// Errors: TypeError if there is none.
pub fn linearize(m: &mut Mutator, class: Value, bases: &[Value]) -> R<Vec<Value>> {
    let mut order = vec![class];
    if let [one] = bases {
        order.extend(class::mro(*one).iter().filter_map(Slot::get));
        return Ok(order);
    }
    if let Some(twice) = bases.iter().enumerate().find(|(i, b)| bases.iter().skip(i + 1).any(|o| o == *b)) {
        let name = class::name(*twice.1);
        return Err(m.type_error(format!("duplicate base class {name}")));
    }
    let mut rows: Vec<Vec<Value>> =
        bases.iter().map(|b| class::mro(*b).iter().rev().filter_map(Slot::get).collect()).collect();
    rows.push(bases.iter().rev().copied().collect());
    // Each row is backwards: its first class is the last item.
    loop {
        rows.retain(|row| !row.is_empty());
        if rows.is_empty() {
            return Ok(order);
        }
        let in_tail = |c: &Value| rows.iter().any(|row| row.iter().rev().skip(1).any(|o| o == c));
        let next = rows.iter().filter_map(|row| row.last().copied()).find(|c| !in_tail(c));
        let Some(next) = next else { return Err(inconsistent(m, &rows)) };
        order.push(next);
        for row in rows.iter_mut().filter(|row| row.last() == Some(&next)) {
            row.pop();
        }
    }
}

#[cold]
fn inconsistent(m: &mut Mutator, rows: &[Vec<Value>]) -> super::error::Raised {
    let mut names: Vec<String> = Vec::new();
    for class in rows.iter().filter_map(|row| row.last()) {
        let name = class::name(*class);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let names = names.join(", ");
    m.type_error(format!("Cannot create a consistent method resolution\norder (MRO) for bases {names}"))
}

/// The nearest class, the class itself or one it derives from, that adds fields to its instances.
fn solid(class: Value) -> Value {
    let mut at = class;
    loop {
        let Some(c) = class::cast(at) else { return at };
        let traits = c.traits.load(Ordering::Relaxed);
        if traits & trait_bits::HEAP_TYPE == 0 {
            let exception = traits & trait_bits::EXCEPTION != 0;
            if !exception || OWN_LAYOUT.iter().any(|e| types::exc_class(*e) == at) {
                return at;
            }
        } else if class::adds_slots(c) {
            return at;
        }
        match base_of(at) {
            Some(base) => at = base,
            None => return at,
        }
    }
}

/// The base that decides how instances are laid out: `__base__`. EMPTY: the class is `object`.
pub fn base_of(class: Value) -> Option<Value> {
    let c = class::cast(class)?;
    let bases: Vec<Value> = tuple::items(c.bases.get()?).iter().filter_map(Slot::get).collect();
    match bases.as_slice() {
        [one] => Some(*one),
        several => best(several),
    }
}

/// As `base_of`, for a class that is to have these bases. `None`: two of them want different layouts.
pub fn best(bases: &[Value]) -> Option<Value> {
    let mut winner = None;
    for base in bases {
        let candidate = solid(*base);
        winner = match winner {
            None => Some((candidate, *base)),
            Some((solid, _)) if is_subclass(solid, candidate) => winner,
            Some((solid, _)) if is_subclass(candidate, solid) => Some((candidate, *base)),
            Some(_) => return None,
        };
    }
    Some(winner.map_or_else(|| types::class_of_kind(Kind::Instance), |(_, base)| base))
}
