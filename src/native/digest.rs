//! Module `_digest`: the hash functions of `hashlib`. The state of an unfinished hash is an immutable `bytes` value,
//! so threads cannot tear it. Must not know `hashlib.mini`.

use super::blake2::{Blake2, Blake2b, Blake2s};
use crate::gil::Cause;
use crate::object::{R, Raised, Value, bytes, str};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;
use md5::Md5;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

/// So many bytes are hashed without the GIL, as in CPython: it takes microseconds, more than a hand-over.
const WORTH_LETTING_GO: usize = 2048;

/// What is done with an unfinished hash.
enum Step<'a> {
    Start,
    Update(&'a [u8]),
    Finish,
}

/// One step of one hash function: the next state, or the digest at the end. None: `state` is none of its states.
fn run<D: Digest + SerializableState>(state: &[u8], step: Step) -> Option<Vec<u8>> {
    let mut hash = match step {
        Step::Start => D::new(),
        _ => D::deserialize(state.try_into().ok()?).ok()?,
    };
    match step {
        Step::Start => {}
        Step::Update(data) => Digest::update(&mut hash, data),
        Step::Finish => return Some(hash.finalize().to_vec()),
    }
    Some(hash.serialize().to_vec())
}

/// As `run`, for functions whose start has parameters (`start_blake2`).
fn run_blake2<D: Blake2>(state: &[u8], step: Step) -> Option<Vec<u8>> {
    let mut hash = D::load(state)?;
    match step {
        Step::Start => return None,
        Step::Update(data) => hash.update(data),
        Step::Finish => return Some(hash.finish()),
    }
    Some(hash.save())
}

fn run_named(th: &mut Thread, name: Value, state: &[u8], step: Step) -> R {
    let run: fn(&[u8], Step) -> Option<Vec<u8>> = match str::as_str(name) {
        Some("md5") => run::<Md5>,
        Some("sha1") => run::<Sha1>,
        Some("sha224") => run::<Sha224>,
        Some("sha256") => run::<Sha256>,
        Some("sha384") => run::<Sha384>,
        Some("sha512") => run::<Sha512>,
        Some("sha3_224") => run::<Sha3_224>,
        Some("sha3_256") => run::<Sha3_256>,
        Some("sha3_384") => run::<Sha3_384>,
        Some("sha3_512") => run::<Sha3_512>,
        Some("blake2b") => run_blake2::<Blake2b>,
        Some("blake2s") => run_blake2::<Blake2s>,
        _ => return Err(th.value_error("unknown hash function")),
    };
    let done = match step {
        // The bytes are an argument of the caller, or its own: they are alive, and never change.
        Step::Update(data) if data.len() >= WORTH_LETTING_GO => {
            th.detach(Cause::Blocking, || run(state, step))
        }
        _ => run(state, step),
    };
    match done {
        Some(out) => th.new_bytes(&out),
        None => Err(th.value_error("not a state of this hash function")),
    }
}

fn wrong_data(th: &mut Thread, v: Value) -> Raised {
    if str::as_str(v).is_some() {
        return th.type_error("Strings must be encoded before hashing");
    }
    th.type_error("object supporting the buffer API required")
}

fn start(th: &mut Thread, args: Args) -> R {
    run_named(th, args.get(0), &[], Step::Start)
}

fn start_blake2(th: &mut Thread, args: Args) -> R {
    let of = |v: Value| bytes::as_bytes(v).unwrap_or_default();
    let (parameters, key) = (of(args.get(1)), of(args.get(2)));
    let state = match str::as_str(args.get(0)) {
        Some("blake2b") => Blake2b::start(parameters, key).map(|hash| hash.save()),
        _ => Blake2s::start(parameters, key).map(|hash| hash.save()),
    };
    th.new_bytes(&state.unwrap_or_default())
}

fn update(th: &mut Thread, args: Args) -> R {
    let object = bytes_object(th, args.get(2))?;
    let Some(data) = bytes::as_bytes(object) else { return Err(wrong_data(th, args.get(2))) };
    let state = bytes::as_bytes(args.get(1)).unwrap_or_default();
    let made = run_named(th, args.get(0), state, Step::Update(data));
    // As in `_os.write`: bytes never move, and the object is kept alive here.
    std::hint::black_box(object);
    made
}

fn finish(th: &mut Thread, args: Args) -> R {
    run_named(th, args.get(0), bytes::as_bytes(args.get(1)).unwrap_or_default(), Step::Finish)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_digest",
    doc: "The hash functions of hashlib.",
    functions: &[
        NativeDef::full("start", "name, /", start, "The state of a hash function before any data."),
        NativeDef::full(
            "start_blake2",
            "name, parameters, key, /",
            start_blake2,
            "The same of a hash function with parameters.",
        ),
        NativeDef::full("update", "name, state, data, /", update, "The state after more data."),
        NativeDef::full("finish", "name, state, /", finish, "The digest of the data so far."),
    ],
    types: &[],
    init: None,
};
