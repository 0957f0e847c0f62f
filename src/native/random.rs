//! The module `_random`: the generator under `random`, which is written in Mini. Must not know distributions.

use super::mersenne::Twister;
use super::num_args::{big, index_value};
use super::text_args::type_name;
use crate::object::bigint::{self, IBig, UBig};
use crate::object::error::{Exc, R};
use crate::object::header::{Kind, Slot};
use crate::object::mutator::Mutator;
use crate::object::value::Value;
use crate::object::{bytes, func, heap, int, num, tuple, types};
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use dashu_int::ops::UnsignedAbs;
use sha2::{Digest, Sha512};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// A generator that threads may share. Nothing that blocks happens under the lock.
struct Generator(Mutex<Twister>);

fn construct(th: &mut Thread, args: Args) -> R {
    let twister = seeded(th, args.opt_not_none(1))?;
    func::new_host(th, args.get(0), Box::new(Generator(Mutex::new(twister))))
}

fn twister(m: &mut Mutator, v: Value) -> R<MutexGuard<'static, Twister>> {
    match func::host::<Generator>(v) {
        Some(generator) => Ok(generator.0.lock().unwrap_or_else(PoisonError::into_inner)),
        None => Err(m.type_error("a Random object is needed")),
    }
}

/// A generator for this seed; without one, for the system's entropy.
fn seeded(th: &mut Thread, seed: Option<Value>) -> R<Twister> {
    let Some(seed) = seed else { return Ok(Twister::new(&entropy())) };
    let n = big(th, seed)?.unsigned_abs();
    let halves = n.as_words().iter().flat_map(|w| [*w as u32, (*w >> 32) as u32]);
    let mut key: Vec<u32> = halves.collect();
    while key.last() == Some(&0) {
        key.pop();
    }
    if key.is_empty() {
        key.push(0);
    }
    Ok(Twister::new(&key))
}

/// As many random words as the state has; the clock's, if the system has none.
fn entropy() -> Vec<u32> {
    let mut key = vec![0u32; 624];
    // SAFETY: the buffer is as long as it says. 2496 bytes: beyond 256 the call may give less, which is enough too.
    let got = unsafe { libc::getrandom(key.as_mut_ptr().cast(), size_of_val(key.as_slice()), 0) };
    if got <= 0 {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos());
        key = vec![now as u32, (now >> 32) as u32, std::process::id()];
    }
    key
}

fn seed(th: &mut Thread, args: Args) -> R {
    let fresh = seeded(th, args.opt_not_none(1))?;
    *twister(th, args.get(0))? = fresh;
    Ok(Value::NONE)
}

fn random(m: &mut Mutator, args: Args) -> R {
    let f = twister(m, args.get(0))?.float();
    m.new_float(f)
}

fn getrandbits(th: &mut Thread, args: Args) -> R {
    let k = index_value(th, args.get(1))?;
    if int::is_negative(k) {
        return Err(th.value_error("number of bits must be non-negative"));
    }
    let k = int::as_i64(k).and_then(|k| usize::try_from(k).ok());
    let Some(k) = k.filter(|k| k / 8 <= heap::limit()) else { return Err(th.no_memory()) };
    bigint::check_bits(k as u128).map_err(|error| num::raise(th, error))?;
    let mut twister = twister(th, args.get(0))?;
    if k <= 32 {
        let n = if k == 0 { 0 } else { twister.word() >> (32 - k) };
        return Ok(Value::int_unchecked(n as i64));
    }
    // Words from the least significant on; of the last one, its upper bits.
    let mut data = Vec::with_capacity(k.div_ceil(32) * 4);
    for left in (1..=k).rev().step_by(32) {
        let word = twister.word() >> (32 - left.min(32));
        data.extend(word.to_le_bytes());
    }
    drop(twister);
    th.new_bigint(&IBig::from(UBig::from_le_bytes(&data)))
}

fn getstate(m: &mut Mutator, args: Args) -> R {
    let state = twister(m, args.get(0))?.clone();
    let (words, next) = state.state();
    let numbers = words.iter().map(|w| *w as i64).chain([next as i64]);
    let values: Vec<Value> = numbers.map(Value::int_unchecked).collect();
    m.new_tuple(&values)
}

fn setstate(m: &mut Mutator, args: Args) -> R {
    let state = args.get(1);
    if types::kind_of(state) != Kind::Tuple {
        return Err(m.type_error("state vector must be a tuple"));
    }
    let mut numbers = Vec::with_capacity(625);
    for v in tuple::items(state).iter().filter_map(Slot::get) {
        let Some(n) = int::as_i64(v) else {
            let name = type_name(v);
            return Err(m.type_error(format!("'{name}' object cannot be interpreted as an integer")));
        };
        let Ok(n) = u32::try_from(n) else {
            return Err(m.raise(Exc::OverflowError, "state words must be unsigned and of 32 bits"));
        };
        numbers.push(n);
    }
    let Some((next, words)) = numbers.split_last().filter(|(_, words)| words.len() == 624) else {
        return Err(m.value_error("state vector is the wrong size"));
    };
    match Twister::from_state(words, *next as usize) {
        Some(restored) => *twister(m, args.get(0))? = restored,
        None => return Err(m.value_error("invalid state")),
    }
    Ok(Value::NONE)
}

fn sha512_int(m: &mut Mutator, args: Args) -> R {
    let Some(data) = bytes::as_bytes(args.get(0)) else {
        let name = type_name(args.get(0));
        return Err(m.type_error(format!("a bytes-like object is required, not '{name}'")));
    };
    m.new_bigint(&IBig::from(UBig::from_be_bytes(&Sha512::digest(data))))
}

pub static RANDOM: TypeDef = TypeDef {
    name: "Random",
    kind: Kind::Host,
    doc: "A Mersenne Twister, the same as CPython's.",
    construct: Some(NativeDef::full("Random", "cls, seed=, /", construct, "A generator with this seed.")),
    methods: &[
        NativeDef::full(
            "seed",
            "self, n=, /",
            seed,
            "Begin the sequence of an int, or of the system's entropy.",
        ),
        NativeDef::data("random", "self, /", random, "A float in 0.0 <= x < 1.0."),
        NativeDef::full("getrandbits", "self, k, /", getrandbits, "An int of k random bits."),
        NativeDef::data("getstate", "self, /", getstate, "A tuple from which setstate goes on."),
        NativeDef::data("setstate", "self, state, /", setstate, "Go on from where getstate was called."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_random",
    doc: "The generator under the module random.",
    functions: &[NativeDef::data(
        "sha512_int",
        "data, /",
        sha512_int,
        "The SHA-512 digest of bytes, as an int.",
    )],
    types: &[&RANDOM],
    init: None,
};
