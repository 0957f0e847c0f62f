//! "Did you mean": the known name that is closest to the one that was not found, by CPython's measure.
//! Must not know how exceptions are printed.

use super::thread::Thread;
use super::{frame, link, module_names};
use crate::object::layout::{Code, Exception};
use crate::object::{Exc, Slot, Value, class, dict, exc, func, list, shape, str, types};

/// Costs of changing a character, and of changing only its case.
const MOVE: usize = 2;
const CASE: usize = 1;
const MOST_NAMES: usize = 750;
const LONGEST: usize = 40;

/// The name to suggest for an AttributeError or NameError, if one is close enough.
pub fn for_exception(th: &mut Thread, exception: Value) -> Option<String> {
    let of = |e| class::is_subclass(types::class_of(exception), types::exc_class(e));
    let (name, names) = if of(Exc::AttributeError) {
        let name = attribute(th, exception, "name")?;
        let object = attribute(th, exception, "obj")?;
        (str::as_str(name)?, names_of_object(th, object))
    } else if of(Exc::NameError) {
        let name = attribute(th, exception, "name")?;
        (str::as_str(name)?, names_in_scope(exc::cast(exception)?))
    } else {
        return None;
    };
    closest(name, &names).map(|found| found.to_owned())
}

fn attribute(th: &mut Thread, exception: Value, name: &str) -> Option<Value> {
    let name = th.m.intern(name).ok()?;
    shape::get(exception, name)
}

fn keys(namespace: Value, into: &mut Vec<&'static str>) {
    let Some(d) = dict::of(namespace) else { return };
    let mut at = 0;
    while let Some((next, key, _)) = dict::next_entry(d, at) {
        into.extend(str::as_str(key));
        at = next;
    }
}

/// What `dir(object)` lists.
fn names_of_object(th: &mut Thread, object: Value) -> Vec<&'static str> {
    let mut names = Vec::new();
    match module_names::asked(th, object) {
        Ok(asked) => {
            if let Some(l) = asked.and_then(list::of) {
                names.extend(list::items(l).iter().filter_map(|name| str::as_str(name.get()?)));
                return sorted(names);
            }
        }
        // Whoever wants the hint has an exception already.
        Err(_) => th.m.pending = None,
    }
    if let Some(namespace) = func::module_dict(object) {
        keys(namespace, &mut names);
        return sorted(names);
    }
    if object.is_ref() {
        names.extend(shape::attributes(object).into_iter().filter_map(|(key, _)| str::as_str(key)));
    }
    let class = if class::cast(object).is_some() { object } else { types::class_of(object) };
    for c in class::mro(class).iter().filter_map(Slot::get).filter_map(class::cast) {
        keys(c.dict.value(), &mut names);
    }
    sorted(names)
}

fn sorted(mut names: Vec<&'static str>) -> Vec<&'static str> {
    names.sort_unstable();
    names.dedup();
    names
}

/// Locals, globals and built-ins where the exception was raised.
fn names_in_scope(e: &Exception) -> Vec<&'static str> {
    let mut names = Vec::new();
    if let Some((code, ..)) = exc::traceback_entries(e).last() {
        let code: &'static Code = code;
        names.extend(frame::plain(code).varnames.iter().map(|n| &**n).filter(|n| !n.starts_with('.')));
        if let Some(namespace) = func::module_dict(code.module.value()) {
            keys(namespace, &mut names);
        }
    }
    if let Some(namespace) = func::module_dict(link::builtins()) {
        keys(namespace, &mut names);
    }
    names
}

fn closest<'a>(wanted: &str, names: &[&'a str]) -> Option<&'a str> {
    if names.len() >= MOST_NAMES {
        return None;
    }
    let mut best: Option<(&str, usize)> = None;
    for name in names.iter().filter(|n| **n != wanted) {
        // No more than a third of the characters may be changed.
        let most = (name.len() + wanted.len() + 3) * MOVE / 6;
        let most = best.map_or(most, |(_, d)| most.min(d - 1));
        match distance(wanted, name, most) {
            Some(d) if best.is_none_or(|(_, b)| d < b) => best = Some((name, d)),
            _ => {}
        }
    }
    best.map(|(name, _)| name)
}

/// Levenshtein distance with the costs above; `None` if it is more than `most`.
fn distance(a: &str, b: &str, most: usize) -> Option<usize> {
    let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
    while let ([x, ra @ ..], [y, rb @ ..]) = (a, b) {
        if x != y {
            break;
        }
        (a, b) = (ra, rb);
    }
    while let ([ra @ .., x], [rb @ .., y]) = (a, b) {
        if x != y {
            break;
        }
        (a, b) = (ra, rb);
    }
    if a.is_empty() || b.is_empty() {
        let d = (a.len() + b.len()) * MOVE;
        return (d <= most).then_some(d);
    }
    if a.len() > LONGEST || b.len() > LONGEST {
        return None;
    }
    let mut row: Vec<usize> = (1..=a.len()).map(|i| i * MOVE).collect();
    let mut result = 0;
    for (j, cb) in b.iter().enumerate() {
        let (mut diagonal, mut left, mut least) = (j * MOVE, j * MOVE + MOVE, usize::MAX);
        for (cell, ca) in row.iter_mut().zip(a) {
            let change = diagonal + substitution(*ca, *cb);
            diagonal = *cell;
            result = change.min(left.min(*cell) + MOVE);
            left = result;
            *cell = result;
            least = least.min(result);
        }
        if least > most {
            return None;
        }
    }
    (result <= most).then_some(result)
}

fn substitution(a: u8, b: u8) -> usize {
    match (a == b, a.eq_ignore_ascii_case(&b)) {
        (true, _) => 0,
        (_, true) => CASE,
        _ => MOVE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_cpython() {
        assert_eq!(distance("batery", "battery", 10), Some(2));
        assert_eq!(distance("Name", "name", 10), Some(1));
        assert_eq!(distance("coutner", "counter", 10), Some(4));
        assert_eq!(distance("abc", "xyz", 3), None);
        assert_eq!(closest("prnt", &["print", "property"]), Some("print"));
        assert_eq!(closest("completely_different", &["zzz_quite_long_name"]), None);
    }
}
