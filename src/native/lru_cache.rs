//! The class behind `functools.lru_cache`: a function with a dict of its results. Must not know what functions are.
//!
//! With a limit, the entries also form a ring in the order of their last use: tuples of the previous one, the next one,
//! the key with its hash, and the result, which no script ever sees. With the GIL off the ring changes under the object's lock; the
//! dict guards itself. A race may keep an entry too long or too short, and never gives one call another's result.

use super::support::this;
use crate::object::layout::{Host, is_subclass_instance};
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Slot, Value, Word, dict, func, int, key, sync, tuple, types};
use crate::vm::hashing;
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use smallvec::SmallVec;
use std::sync::atomic::{AtomicI64, Ordering};

/// What the cache of a function is like, and how it did.
struct Cache {
    hits: AtomicI64,
    misses: AtomicI64,
    /// `None`: no limit.
    limit: Option<usize>,
    typed: bool,
}

/// Adds 1 to a count.
fn count(m: &Mutator, counter: &AtomicI64) {
    match m.free {
        true => {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        // With a GIL nobody else writes meanwhile.
        false => counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed),
    }
}

const CLASS: &str = "functools._lru_cache_wrapper";

/// Places in the tuple of what never changes: the first of the object's two values.
const FUNCTION: usize = 0;
const INFO: usize = 1;
const MARK: usize = 2;

/// Places in an entry of the ring.
const BEFORE: usize = 0;
const AFTER: usize = 1;
const KEY: usize = 2;
const HASH: usize = 3;
const RESULT: usize = 4;

type Short = SmallVec<[Value; 8]>;

fn fixed(v: Value, place: usize) -> Value {
    let [fixed, _] = func::pair(v);
    fixed.and_then(tuple::of).and_then(|t| tuple::get(t, place)).unwrap_or(Value::NONE)
}

/// The dict of results (of entries, with a limit), and the ring's fixed point.
fn store(v: Value) -> (Value, Value) {
    let [_, store] = func::pair(v);
    match tuple::items(store.unwrap_or(Value::NONE)) {
        [results, ring] => (results.value(), ring.value()),
        _ => (Value::NONE, Value::NONE),
    }
}

fn new_entry(m: &mut Mutator, key: Value, hash: i64, result: Value) -> R {
    let hash = m.new_int(hash)?;
    m.new_tuple(&[Value::NONE, Value::NONE, key, hash, result])
}

/// An empty dict and a ring of nothing but its fixed point.
fn new_store(m: &mut Mutator) -> R {
    let results = m.new_dict()?;
    let ring = new_entry(m, Value::NONE, 0, Value::NONE)?;
    link(ring, ring);
    m.new_tuple(&[results, ring])
}

fn slot(entry: Value, place: usize) -> Option<&'static Slot> {
    tuple::items(entry).get(place)
}

fn part(entry: Value, place: usize) -> Value {
    slot(entry, place).map_or(Value::NONE, Slot::value)
}

/// Makes `b` the next entry after `a`.
fn link(a: Value, b: Value) {
    if let (Some(after), Some(before)) = (slot(a, AFTER), slot(b, BEFORE)) {
        after.set(b);
        before.set(a);
    }
}

/// Takes an entry out of the ring; false if it is in none.
fn unlink(entry: Value) -> bool {
    let (before, after) = (part(entry, BEFORE), part(entry, AFTER));
    let linked = !before.is_none();
    if linked {
        link(before, after);
        if let (Some(before), Some(after)) = (slot(entry, BEFORE), slot(entry, AFTER)) {
            before.set(Value::NONE);
            after.set(Value::NONE);
        }
    }
    linked
}

/// Puts an entry before the fixed point: it is the last one used.
fn link_last(ring: Value, entry: Value) {
    link(part(ring, BEFORE), entry);
    link(entry, ring);
}

/// `_lru_cache_wrapper(function, maxsize, typed, cache_info_type)`.
fn construct(th: &mut Thread, args: Args) -> R {
    let function = args.get(1);
    if !super::builtins::is_callable(th, function) {
        return Err(th.type_error("the first argument must be callable"));
    }
    let limit = match args.opt_not_none(2) {
        None => None,
        Some(n) => Some(th.index(n)?.max(0) as usize),
    };
    let typed = th.is_true(args.get(3))?;
    let mark = th.call(types::class_of_kind(Kind::Instance), &[])?;
    let fixed = th.new_tuple(&[function, args.get(4), mark])?;
    let store = new_store(th)?;
    let cache = Cache { hits: AtomicI64::new(0), misses: AtomicI64::new(0), limit, typed };
    let v = func::new_host(th, args.get(0), Box::new(cache))?;
    if let Some(host) = types::cast::<Host>(v) {
        host.extra[0].set(fixed);
        host.extra[1].set(store);
    }
    Ok(v)
}

/// Whether a value of a single argument can be its own key: only such equal it as are the same argument.
fn is_own_key(v: Value) -> bool {
    let int = || types::kind_of(v) == Kind::Int && !is_subclass_instance(types::hdr(v));
    v.is_small_int() || key::exact_str(v).is_some() || v.is_ref() && int()
}

/// What calls with equal arguments have in common.
fn key_of(th: &mut Thread, v: Value, typed: bool, given: &[Word], keywords: &dict::Entries) -> R {
    if !typed && keywords.is_empty() {
        if let [Some(one)] = given
            && is_own_key(*one)
        {
            return Ok(*one);
        }
        let all: Short = given.iter().flatten().copied().collect();
        return th.new_tuple(&all);
    }
    let mut all: Short = given.iter().flatten().copied().collect();
    if !keywords.is_empty() {
        all.push(fixed(v, MARK));
        all.extend(keywords.iter().flat_map(|(name, value)| [*name, *value]));
    }
    if typed {
        all.extend(given.iter().flatten().map(|v| types::class_of(*v)));
        all.extend(keywords.iter().map(|(_, v)| types::class_of(*v)));
    }
    th.new_tuple(&all)
}

fn call(th: &mut Thread, args: Args) -> R {
    let v = args.get(0);
    let cache = this::<Cache>(th, args, CLASS)?;
    let given = args.rest(2);
    let keywords = args.opt(1).map(dict::entries).unwrap_or_default();
    if cache.limit == Some(0) {
        count(th, &cache.misses);
        return run(th, v, given, &keywords);
    }
    let key = key_of(th, v, cache.typed, given, &keywords)?;
    let hash = th.hash_key(key)?;
    let found = look(th, v, key, hash, cache.limit.is_some())?;
    if let Some(result) = found {
        count(th, &cache.hits);
        return Ok(result);
    }
    count(th, &cache.misses);
    let result = run(th, v, given, &keywords)?;
    match cache.limit {
        None => {
            // Another call may have emptied the cache meanwhile.
            if let Some(results) = dict::of(store(v).0) {
                hashing::set_hashed(th, results, key, hash, result)?;
            }
            Ok(result)
        }
        Some(limit) => keep(th, v, (key, hash), result, limit),
    }
}

fn run(th: &mut Thread, v: Value, given: &[Word], keywords: &dict::Entries) -> R {
    let all: Short = given.iter().flatten().copied().collect();
    th.call_kw(fixed(v, FUNCTION), &all, keywords)
}

/// The result under a key, whose entry is the last one used from now on.
fn look(th: &mut Thread, v: Value, key: Value, hash: i64, limited: bool) -> R<Word> {
    let (results, ring) = store(v);
    let Some(results) = dict::of(results) else { return Ok(None) };
    let found = hashing::get_hashed(th, results, key, hash)?;
    let Some(entry) = found.filter(|_| limited) else { return Ok(found) };
    {
        let _guard = sync::locked(th, types::hdr(v));
        if unlink(entry) {
            link_last(ring, entry);
        }
    }
    Ok(Some(part(entry, RESULT)))
}

/// Stores a result, dropping the longest unused ones if there is no room.
fn keep(th: &mut Thread, v: Value, (key, hash): (Value, i64), result: Value, limit: usize) -> R {
    let (results, ring) = store(v);
    let Some(results) = dict::of(results) else { return Ok(result) };
    if hashing::get_hashed(th, results, key, hash)?.is_some() {
        // The function has called itself with these arguments, or another thread has.
        return Ok(result);
    }
    while dict::len(results) >= limit {
        let oldest = {
            let _guard = sync::locked(th, types::hdr(v));
            let oldest = part(ring, AFTER);
            if oldest == ring || !unlink(oldest) {
                break;
            }
            oldest
        };
        let hash = int::as_i64(part(oldest, HASH)).unwrap_or(0);
        hashing::take_hashed(th, results, part(oldest, KEY), hash)?;
    }
    let entry = new_entry(th, key, hash, result)?;
    hashing::set_hashed(th, results, key, hash, entry)?;
    let _guard = sync::locked(th, types::hdr(v));
    link_last(ring, entry);
    Ok(result)
}

fn info(th: &mut Thread, args: Args) -> R {
    let cache = this::<Cache>(th, args, CLASS)?;
    let v = args.get(0);
    let size = dict::of(store(v).0).map_or(0, dict::len) as i64;
    let hits = th.m.new_int(cache.hits.load(Ordering::Relaxed))?;
    let misses = th.m.new_int(cache.misses.load(Ordering::Relaxed))?;
    let limit = match cache.limit {
        Some(limit) => th.m.new_int(limit as i64)?,
        None => Value::NONE,
    };
    th.call(fixed(v, INFO), &[hits, misses, limit, Value::int_unchecked(size)])
}

fn clear(th: &mut Thread, args: Args) -> R {
    let cache = this::<Cache>(th, args, CLASS)?;
    let store = new_store(th)?;
    if let Some(host) = types::cast::<Host>(args.get(0)) {
        host.extra[1].set(store);
    }
    cache.hits.store(0, Ordering::Relaxed);
    cache.misses.store(0, Ordering::Relaxed);
    Ok(Value::NONE)
}

fn bind(th: &mut Thread, args: Args) -> R {
    match args.opt_not_none(1) {
        Some(instance) => func::new_bound(th, args.get(0), instance),
        None => Ok(args.get(0)),
    }
}

/// Pickled by name, as functions are.
fn reduce(th: &mut Thread, args: Args) -> R {
    let name = th.name("__qualname__")?;
    match th.get_attr_opt(args.get(0), name)? {
        Some(name) => Ok(name),
        None => Err(th.raise(Exc::AttributeError, "__qualname__")),
    }
}

fn same(_: &mut Thread, args: Args) -> R {
    Ok(args.get(0))
}

pub static WRAPPER: TypeDef = TypeDef {
    name: "_lru_cache_wrapper",
    kind: Kind::Host,
    doc: "A function that remembers its results.",
    construct: Some(NativeDef::full(
        "_lru_cache_wrapper",
        "cls, function, maxsize, typed, cache_info_type, /",
        construct,
        "",
    )),
    methods: &[
        NativeDef::full(
            "__call__",
            "self, /, *args, **kwargs",
            call,
            "Return the result, from the cache if it is there.",
        ),
        NativeDef::full("cache_info", "self, /", info, "Report hits, misses and sizes."),
        NativeDef::full("cache_clear", "self, /", clear, "Forget all results and counts."),
        NativeDef::full("__get__", "self, instance, owner=, /", bind, "Return the bound method."),
        NativeDef::full("__reduce__", "self, /", reduce, "Its qualified name."),
        NativeDef::full("__copy__", "self, /", same, "Itself."),
        NativeDef::full("__deepcopy__", "self, memo, /", same, "Itself."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};
