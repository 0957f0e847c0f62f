//! Module `itertools`: how its iterators are made. How they advance is in `vm::iter_tools` and `vm::iter_combine`.

use super::dunders;
use crate::object::iter::{self, Tag};
use crate::object::num::BinOp;
use crate::object::{Kind, R, Value, Word, class, heap, list, str, tuple, types};
use crate::vm::boot;
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::thread::Thread;

const ZERO: Value = Value::int_unchecked(0);
const ONE: Value = Value::int_unchecked(1);

fn new_count(th: &mut Thread, args: Args) -> R {
    let (start, step) = (args.opt(1).unwrap_or(ZERO), args.opt(2).unwrap_or(ONE));
    for v in [start, step] {
        if !matches!(types::kind_of(v), Kind::Int | Kind::Float | Kind::Bool)
            && th.lookup_special(v, "__index__").is_none()
            && th.lookup_special(v, "__float__").is_none()
        {
            return Err(th.type_error("a number is required"));
        }
    }
    iter::new_as(th, args.get(0), Tag::Count, &[start, step])
}

fn count_repr(th: &mut Thread, args: Args) -> R {
    let Some(it) = iter::of(args.get(0)) else { return th.new_str("count()") };
    let [at, step, ..] = &it.state;
    let (at, step) = (at.value(), step.value());
    let shown = th.repr(at)?;
    let shown = str::as_str(shown).unwrap_or("").to_owned();
    if step == ONE {
        return th.new_str(&format!("count({shown})"));
    }
    let step = th.repr(step)?;
    th.new_str(&format!("count({shown}, {})", str::as_str(step).unwrap_or("")))
}

fn new_cycle(th: &mut Thread, args: Args) -> R {
    let it = th.iter_object(args.get(1))?;
    let seen = th.new_list(&[])?;
    iter::new_as(th, args.get(0), Tag::Cycle, &[it, seen, ZERO])
}

fn new_repeat(th: &mut Thread, args: Args) -> R {
    let times = match args.opt(2) {
        Some(n) => Value::small(th.index(n)?.max(0)).unwrap_or(ZERO),
        None => Value::NONE,
    };
    iter::new_as(th, args.get(0), Tag::Repeat, &[args.get(1), times])
}

fn repeat_repr(th: &mut Thread, args: Args) -> R {
    let Some(it) = iter::of(args.get(0)) else { return th.new_str("repeat()") };
    let [object, times, ..] = &it.state;
    let (object, times) = (object.value(), times.value());
    let shown = th.repr(object)?;
    let shown = str::as_str(shown).unwrap_or("");
    match times.as_small() {
        Some(n) => th.new_str(&format!("repeat({shown}, {n})")),
        None => th.new_str(&format!("repeat({shown})")),
    }
}

fn repeat_left(th: &mut Thread, args: Args) -> R {
    let left = iter::of(args.get(0)).and_then(|it| it.state[1].get()).filter(|n| n.is_small_int());
    left.ok_or_else(|| th.type_error("len() of unsized object"))
}

fn new_chain(th: &mut Thread, args: Args) -> R {
    let all: Vec<Value> = args.rest(1).iter().flatten().copied().collect();
    let all = th.new_tuple(&all)?;
    let outer = th.iter_object(all)?;
    iter::new_as(th, args.get(0), Tag::Chain, &[outer, Value::NONE])
}

fn chain_from_iterable(th: &mut Thread, args: Args) -> R {
    let outer = th.iter_object(args.get(1))?;
    iter::new_as(th, args.get(0), Tag::Chain, &[outer, Value::NONE])
}

/// A bound of `islice`: -1 stands for what is no index, as it does in CPython's messages. `None` for None.
fn bound(th: &mut Thread, v: Word) -> R<Option<i64>> {
    let Some(v) = v.filter(|v| !v.is_none()) else { return Ok(None) };
    if !matches!(types::kind_of(v), Kind::Int | Kind::Bool) && th.lookup_special(v, "__index__").is_none() {
        return Ok(Some(-1));
    }
    let n = th.index_value(v)?;
    let n = n.as_small().or_else(|| crate::object::int::as_i64(n)).unwrap_or(-1);
    Ok(Some(n.min(i64::MAX >> 3)))
}

fn new_islice(th: &mut Thread, args: Args) -> R {
    let one = args.opt(3).is_none() && args.opt(4).is_none();
    let (start, stop) = if one { (None, args.opt(2)) } else { (args.opt(2), args.opt(3)) };
    let start = bound(th, start)?.unwrap_or(0);
    let stop = bound(th, stop)?;
    if stop == Some(-1) {
        return Err(
            th.value_error("Stop argument for islice() must be None or an integer: 0 <= x <= sys.maxsize.")
        );
    }
    if start < 0 || stop.is_some_and(|stop| stop < 0) {
        return Err(th.value_error("Indices for islice() must be None or an integer: 0 <= x <= sys.maxsize."));
    }
    let step = bound(th, args.opt(4))?.unwrap_or(1);
    if step < 1 {
        return Err(th.value_error("Step for islice() must be a positive integer or None."));
    }
    let it = th.iter_object(args.get(1))?;
    let limits = [stop.map_or(Value::NONE, Value::int_unchecked), Value::int_unchecked(step)];
    let limits = th.new_tuple(&limits)?;
    iter::new_as(th, args.get(0), Tag::ISlice, &[it, ZERO, Value::int_unchecked(start), limits])
}

fn test_and_iterator(th: &mut Thread, args: Args, tag: Tag) -> R {
    let it = th.iter_object(args.get(2))?;
    iter::new_as(th, args.get(0), tag, &[args.get(1), it, Value::FALSE])
}

fn new_takewhile(th: &mut Thread, args: Args) -> R {
    test_and_iterator(th, args, Tag::TakeWhile)
}

fn new_dropwhile(th: &mut Thread, args: Args) -> R {
    test_and_iterator(th, args, Tag::DropWhile)
}

fn new_filterfalse(th: &mut Thread, args: Args) -> R {
    test_and_iterator(th, args, Tag::FilterFalse)
}

fn new_starmap(th: &mut Thread, args: Args) -> R {
    test_and_iterator(th, args, Tag::StarMap)
}

fn new_compress(th: &mut Thread, args: Args) -> R {
    let data = th.iter_object(args.get(1))?;
    let selectors = th.iter_object(args.get(2))?;
    iter::new_as(th, args.get(0), Tag::Compress, &[data, selectors])
}

fn new_accumulate(th: &mut Thread, args: Args) -> R {
    let it = th.iter_object(args.get(1))?;
    let function = args.opt(2).unwrap_or(Value::NONE);
    let initial = args.opt_not_none(3);
    let stage = if initial.is_some() { ZERO } else { ONE };
    iter::new_as(th, args.get(0), Tag::Accumulate, &[it, function, initial.unwrap_or(Value::NONE), stage])
}

fn new_pairwise(th: &mut Thread, args: Args) -> R {
    let it = th.iter_object(args.get(1))?;
    iter::new_as(th, args.get(0), Tag::Pairwise, &[it])
}

fn new_zip_longest(th: &mut Thread, args: Args) -> R {
    let fill = args.opt(1).unwrap_or(Value::NONE);
    let sources = th.new_list(&[])?;
    for iterable in args.rest(2).iter().flatten() {
        let it = th.iter_object(*iterable)?;
        if let Some(l) = list::of(sources) {
            list::push(th, l, it)?;
        }
    }
    iter::new_as(th, args.get(0), Tag::ZipLongest, &[sources, fill])
}

/// The items of an iterable as a tuple.
fn pool(th: &mut Thread, iterable: Value) -> R {
    let all = th.collect(iterable)?;
    tuple::from_slots(th, list::of(all).map_or(&[][..], list::items)).map(tuple::value)
}

fn new_product(th: &mut Thread, args: Args) -> R {
    let repeat = args.opt(1).map_or(Ok(1), |n| th.index(n))?;
    if repeat < 0 {
        return Err(th.value_error("repeat argument cannot be negative"));
    }
    let pools = th.new_list(&[])?;
    let given = args.rest(2);
    for iterable in given.iter().flatten() {
        let items = pool(th, *iterable)?;
        if let Some(l) = list::of(pools) {
            list::push(th, l, items)?;
        }
    }
    let pools = th.binary(BinOp::Mul, pools, Value::int_unchecked(repeat))?;
    let pools = pool(th, pools)?;
    iter::new_as(th, args.get(0), Tag::Product, &[pools])
}

/// The length argument of the combinatoric iterators.
fn length(th: &mut Thread, v: Value) -> R {
    let r = th.index(v)?;
    if r < 0 {
        return Err(th.value_error("r must be non-negative"));
    }
    Ok(Value::small(r).unwrap_or(ZERO))
}

fn new_permutations(th: &mut Thread, args: Args) -> R {
    let items = pool(th, args.get(1))?;
    let r = match args.opt_not_none(2) {
        Some(r) if !matches!(types::kind_of(r), Kind::Int | Kind::Bool) => {
            return Err(th.type_error("Expected int as r"));
        }
        Some(r) => length(th, r)?,
        None => Value::int_unchecked(tuple::items(items).len() as i64),
    };
    iter::new_as(th, args.get(0), Tag::Permutations, &[items, Value::NONE, Value::NONE, r])
}

fn new_combinations(th: &mut Thread, args: Args) -> R {
    let (items, r) = (pool(th, args.get(1))?, length(th, args.get(2))?);
    iter::new_as(th, args.get(0), Tag::Combinations, &[items, Value::NONE, r])
}

fn new_combinations_repeat(th: &mut Thread, args: Args) -> R {
    let (items, r) = (pool(th, args.get(1))?, length(th, args.get(2))?);
    iter::new_as(th, args.get(0), Tag::CombinationsRepeat, &[items, Value::NONE, r])
}

fn new_groupby(th: &mut Thread, args: Args) -> R {
    let it = th.iter_object(args.get(1))?;
    let known = th.new_list(&[Value::NONE, Value::NONE, Value::NONE, ZERO, ZERO])?;
    iter::new_as(th, args.get(0), Tag::GroupBy, &[it, args.opt(2).unwrap_or(Value::NONE), known])
}

/// `tee(iterable, n=2)`.
fn tee(th: &mut Thread, args: Args) -> R {
    let n = args.opt(1).map_or(Ok(2), |n| th.index(n))?;
    if n < 0 {
        return Err(th.value_error("n must be >= 0"));
    }
    let mut it = th.iter_object(args.get(0))?;
    let mut node = th.new_list(&[])?;
    // The copies of a copy walk along the same chain.
    if let Some(other) = iter::of(it).filter(|other| Tag::of(other) == Tag::Tee) {
        let [source, at, ..] = &other.state;
        (it, node) = (source.value(), at.value());
    }
    let out = th.new_list(&[])?;
    for _ in 0..n {
        let copy = iter::new(th, Tag::Tee, &[it, node])?;
        if let Some(l) = list::of(out) {
            list::push(th, l, copy)?;
        }
    }
    pool(th, out)
}

fn tee_copy(th: &mut Thread, args: Args) -> R {
    let state =
        iter::of(args.get(0)).map_or([Value::NONE; 2], |it| [it.state[0].value(), it.state[1].value()]);
    iter::new(th, Tag::Tee, &state)
}

macro_rules! tool {
    ($tag:ident, $params:literal, $new:ident, $doc:literal) => {
        tool!($tag, $params, $new, $doc, &[], &[])
    };
    ($tag:ident, $params:literal, $new:ident, $doc:literal, $methods:expr, $class_methods:expr) => {
        (
            Tag::$tag,
            TypeDef {
                name: Tag::$tag.class_name(),
                kind: Kind::Iter,
                doc: $doc,
                construct: Some(NativeDef::full(Tag::$tag.class_name(), $params, $new, $doc)),
                methods: $methods,
                class_methods: $class_methods,
                properties: &[],
                subclassable: true,
            },
        )
    };
}

/// The classes of the module, by tag.
static TOOLS: [(Tag, TypeDef); 18] = [
    tool!(
        Count,
        "cls, start=, step=",
        new_count,
        "Numbers without an end.",
        &[NativeDef::full("__repr__", "self, /", count_repr, "Show where it is.")],
        &[]
    ),
    tool!(Cycle, "cls, iterable, /", new_cycle, "Items again and again."),
    tool!(
        Repeat,
        "cls, object, times=",
        new_repeat,
        "One object again and again.",
        &[
            NativeDef::full("__repr__", "self, /", repeat_repr, "Show what is repeated."),
            NativeDef::full("__length_hint__", "self, /", repeat_left, "How many times are left."),
        ],
        &[]
    ),
    tool!(
        Chain,
        "cls, *iterables",
        new_chain,
        "Items of one iterable after the other.",
        &[],
        &[NativeDef::full(
            "from_iterable",
            "cls, iterable, /",
            chain_from_iterable,
            "Chain an iterable's items."
        )]
    ),
    tool!(ISlice, "cls, iterable, start, stop=, step=, /", new_islice, "Some of the items, by number."),
    tool!(TakeWhile, "cls, predicate, iterable, /", new_takewhile, "Items until a test fails."),
    tool!(DropWhile, "cls, predicate, iterable, /", new_dropwhile, "Items from where a test fails."),
    tool!(FilterFalse, "cls, function, iterable, /", new_filterfalse, "Items that fail a test."),
    tool!(
        StarMap,
        "cls, function, iterable, /",
        new_starmap,
        "Results of a function, for rows of arguments."
    ),
    tool!(Compress, "cls, data, selectors", new_compress, "Items whose selector is true."),
    tool!(Accumulate, "cls, iterable, func=, *, initial=", new_accumulate, "Running totals."),
    tool!(Pairwise, "cls, iterable, /", new_pairwise, "Neighbours."),
    tool!(ZipLongest, "cls, *iterables, fillvalue=", new_zip_longest, "Items side by side, with fillers."),
    tool!(Product, "cls, *iterables, repeat=", new_product, "Every choice of one item from each."),
    tool!(Permutations, "cls, iterable, r=", new_permutations, "Arrangements of r items."),
    tool!(Combinations, "cls, iterable, r", new_combinations, "Choices of r items, in order."),
    tool!(
        CombinationsRepeat,
        "cls, iterable, r",
        new_combinations_repeat,
        "Choices in which items may come again."
    ),
    tool!(GroupBy, "cls, iterable, key=", new_groupby, "Runs of items with equal keys."),
];

static GROUPER: TypeDef = super::iterators::unnamed(Tag::Grouper);
static TEE: TypeDef = TypeDef {
    methods: &[NativeDef::full("__copy__", "self, /", tee_copy, "Another iterator at the same place.")],
    ..super::iterators::unnamed(Tag::Tee)
};

fn init(th: &mut Thread, module: Value) -> R<()> {
    let unnamed = [(Tag::Grouper, &GROUPER), (Tag::Tee, &TEE)];
    for (tag, def) in TOOLS.iter().map(|(tag, def)| (*tag, def)).chain(unnamed) {
        let class = boot::make_type(th, def, "itertools")?;
        iter::set_class(tag, class, heap::compress(class::root_shape(class)));
        boot::add_methods(th, class, dunders::ITERATOR)?;
        boot::set_global(th, module, def.name, class)?;
    }
    Ok(())
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "itertools",
    doc: "Iterators made of iterators.",
    functions: &[NativeDef::full("tee", "iterable, n=, /", tee, "Several iterators over one iterable.")],
    types: &[],
    init: Some(init),
};
