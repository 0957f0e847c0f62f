//! The types `set` and `frozenset`: constructors and methods.

use super::text_args::type_name;
use crate::object::error::Exc;
use crate::object::header::Kind;
use crate::object::layout::Set;
use crate::object::mutator::Mutator;
use crate::object::{R, Value, set, subclass, types};
use crate::vm::compare_containers::is_subset;
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::set_ops;
use crate::vm::thread::Thread;

/// The receiver.
fn this(m: &mut Mutator, args: Args) -> R<&'static Set> {
    let v = args.get(0);
    set::of(v).ok_or_else(|| {
        let got = type_name(v);
        m.type_error(format!("descriptor requires a 'set' object but received a '{got}'"))
    })
}

fn construct_set(th: &mut Thread, args: Args) -> R {
    construct(th, args, Kind::Set)
}

fn construct_frozenset(th: &mut Thread, args: Args) -> R {
    match args.opt(1) {
        Some(v)
            if types::class_of(v) == args.get(0) && args.get(0) == types::class_of_kind(Kind::FrozenSet) =>
        {
            Ok(v)
        }
        _ => construct(th, args, Kind::FrozenSet),
    }
}

fn construct(th: &mut Thread, args: Args, kind: Kind) -> R {
    let (shape, extra) = subclass::plan(&mut th.m, args.get(0), kind)?;
    let s = set::new_as(th, kind, shape, extra)?;
    let s = subclass::finish(set::value(s), extra);
    if let Some(v) = args.opt(1) {
        set_ops::update(th, s, v)?;
    }
    Ok(s)
}

fn init(th: &mut Thread, args: Args) -> R {
    let s = this(th, args)?;
    set::clear(th, s)?;
    if let Some(v) = args.opt(1) {
        set_ops::update(th, args.get(0), v)?;
    }
    Ok(Value::NONE)
}

fn add(th: &mut Thread, args: Args) -> R {
    th.set_add(args.get(0), args.get(1))?;
    Ok(Value::NONE)
}

fn clear(m: &mut Mutator, args: Args) -> R {
    let s = this(m, args)?;
    set::clear(m, s)?;
    Ok(Value::NONE)
}

fn copy(th: &mut Thread, args: Args) -> R {
    if types::class_of(args.get(0)) == types::class_of_kind(Kind::FrozenSet) {
        return Ok(args.get(0));
    }
    set_ops::copy_of(th, args.get(0))
}

fn discard(th: &mut Thread, args: Args) -> R {
    set_ops::discard(th, args.get(0), args.get(1))?;
    Ok(Value::NONE)
}

fn remove(th: &mut Thread, args: Args) -> R {
    if set_ops::discard(th, args.get(0), args.get(1))? {
        return Ok(Value::NONE);
    }
    Err(th.raise_with(Exc::KeyError, &[args.get(1)]))
}

fn pop(m: &mut Mutator, args: Args) -> R {
    let s = this(m, args)?;
    set::pop(m, s).ok_or_else(|| m.raise(Exc::KeyError, "pop from an empty set"))
}

/// Runs `step` with each of the other arguments.
fn each(th: &mut Thread, s: Value, args: Args, step: fn(&mut Thread, Value, Value) -> R<()>) -> R {
    for other in args.rest(1).iter().flatten() {
        step(th, s, *other)?;
    }
    Ok(Value::NONE)
}

fn update(th: &mut Thread, args: Args) -> R {
    each(th, args.get(0), args, set_ops::update)
}

fn union(th: &mut Thread, args: Args) -> R {
    let out = set_ops::copy_of(th, args.get(0))?;
    each(th, out, args, set_ops::update)?;
    Ok(out)
}

fn difference(th: &mut Thread, args: Args) -> R {
    let others = args.rest(1);
    let Some((Some(first), rest)) = others.split_first() else { return set_ops::copy_of(th, args.get(0)) };
    let out = set_ops::difference(th, args.get(0), *first)?;
    for other in rest.iter().flatten() {
        set_ops::difference_update(th, out, *other)?;
    }
    Ok(out)
}

fn difference_update(th: &mut Thread, args: Args) -> R {
    each(th, args.get(0), args, set_ops::difference_update)
}

fn intersection(th: &mut Thread, args: Args) -> R {
    let others = args.rest(1);
    if others.is_empty() {
        return set_ops::copy_of(th, args.get(0));
    }
    let mut out = args.get(0);
    for other in others.iter().flatten() {
        out = set_ops::intersection(th, out, *other)?;
    }
    Ok(out)
}

fn intersection_update(th: &mut Thread, args: Args) -> R {
    let s = this(th, args)?;
    let kept = intersection(th, args)?;
    if let Some(kept) = set::of(kept) {
        set::take_over(th, s, kept);
    }
    Ok(Value::NONE)
}

fn symmetric_difference(th: &mut Thread, args: Args) -> R {
    set_ops::symmetric_difference(th, args.get(0), args.get(1))
}

fn symmetric_difference_update(th: &mut Thread, args: Args) -> R {
    set_ops::symmetric_difference_update(th, args.get(0), args.get(1))?;
    Ok(Value::NONE)
}

fn isdisjoint(th: &mut Thread, args: Args) -> R {
    set_ops::is_disjoint(th, args.get(0), args.get(1)).map(Value::bool)
}

fn as_set(th: &mut Thread, v: Value) -> R {
    if set::of(v).is_some() { Ok(v) } else { set_ops::from_iterable(th, v, Kind::Set) }
}

fn issubset(th: &mut Thread, args: Args) -> R {
    let other = as_set(th, args.get(1))?;
    is_subset(th, args.get(0), other).map(Value::bool)
}

fn issuperset(th: &mut Thread, args: Args) -> R {
    let other = as_set(th, args.get(1))?;
    is_subset(th, other, args.get(0)).map(Value::bool)
}

const COPY: NativeDef = NativeDef::full("copy", "self, /", copy, "A set of the same elements.");
const DIFFERENCE: NativeDef =
    NativeDef::full("difference", "self, *others", difference, "Elements that the others do not have.");
const INTERSECTION: NativeDef =
    NativeDef::full("intersection", "self, *others", intersection, "Elements that all others have too.");
const ISDISJOINT: NativeDef =
    NativeDef::full("isdisjoint", "self, other, /", isdisjoint, "Whether there is no common element.");
const ISSUBSET: NativeDef =
    NativeDef::full("issubset", "self, other, /", issubset, "Whether other has all elements of this.");
const ISSUPERSET: NativeDef =
    NativeDef::full("issuperset", "self, other, /", issuperset, "Whether this has all elements of other.");
const SYMMETRIC_DIFFERENCE: NativeDef = NativeDef::full(
    "symmetric_difference",
    "self, other, /",
    symmetric_difference,
    "Elements that only one of the two has.",
);
const UNION: NativeDef = NativeDef::full("union", "self, *others", union, "Elements of all.");

/// `set`.
pub static TYPE: TypeDef = TypeDef {
    name: "set",
    kind: Kind::Set,
    doc: "Different elements.",
    construct: Some(NativeDef::full(
        "set",
        "cls, iterable=, /",
        construct_set,
        "A set of an iterable's items.",
    )),
    methods: &[
        NativeDef::full("__init__", "self, iterable=, /", init, "Fills the set anew."),
        NativeDef::full("add", "self, object, /", add, "Adds an element."),
        NativeDef::data("clear", "self, /", clear, "Removes all elements."),
        COPY,
        DIFFERENCE,
        NativeDef::full(
            "difference_update",
            "self, *others",
            difference_update,
            "Removes the others' elements.",
        ),
        NativeDef::full("discard", "self, object, /", discard, "Removes an element if it is there."),
        INTERSECTION,
        NativeDef::full("intersection_update", "self, *others", intersection_update, "Keeps what all have."),
        ISDISJOINT,
        ISSUBSET,
        ISSUPERSET,
        NativeDef::data("pop", "self, /", pop, "Removes and returns some element."),
        NativeDef::full("remove", "self, object, /", remove, "Removes an element that must be there."),
        SYMMETRIC_DIFFERENCE,
        NativeDef::full(
            "symmetric_difference_update",
            "self, other, /",
            symmetric_difference_update,
            "Keeps what only one of the two has.",
        ),
        UNION,
        NativeDef::full("update", "self, *others", update, "Adds the others' elements."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: true,
};

/// `frozenset`.
pub static FROZEN_TYPE: TypeDef = TypeDef {
    name: "frozenset",
    kind: Kind::FrozenSet,
    doc: "Different elements that never change.",
    construct: Some(NativeDef::full(
        "frozenset",
        "cls, iterable=, /",
        construct_frozenset,
        "A frozenset of an iterable's items.",
    )),
    methods: &[COPY, DIFFERENCE, INTERSECTION, ISDISJOINT, ISSUBSET, ISSUPERSET, SYMMETRIC_DIFFERENCE, UNION],
    class_methods: &[],
    properties: &[],
    subclassable: true,
};
