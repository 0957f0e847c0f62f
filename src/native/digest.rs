//! Module `_digest`: the hash functions of `hashlib`. The state of an unfinished hash is an immutable `bytes` value,
//! so threads cannot tear it. Must not know `hashlib.mini`.

use crate::object::{R, Raised, Value, bytes, str};
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;
use md5::Md5;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::digest::common::hazmat::SerializableState;
use sha2::{Sha224, Sha256, Sha384, Sha512};

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

fn run_named(th: &mut Thread, name: Value, state: &[u8], step: Step) -> R {
    let run = match str::as_str(name) {
        Some("md5") => run::<Md5>,
        Some("sha1") => run::<Sha1>,
        Some("sha224") => run::<Sha224>,
        Some("sha256") => run::<Sha256>,
        Some("sha384") => run::<Sha384>,
        Some("sha512") => run::<Sha512>,
        _ => return Err(th.value_error("unknown hash function")),
    };
    match run(state, step) {
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

fn update(th: &mut Thread, args: Args) -> R {
    let data = bytes_object(th, args.get(2))?;
    let Some(data) = bytes::as_bytes(data) else { return Err(wrong_data(th, args.get(2))) };
    run_named(th, args.get(0), bytes::as_bytes(args.get(1)).unwrap_or_default(), Step::Update(data))
}

fn finish(th: &mut Thread, args: Args) -> R {
    run_named(th, args.get(0), bytes::as_bytes(args.get(1)).unwrap_or_default(), Step::Finish)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_digest",
    doc: "The hash functions of hashlib.",
    functions: &[
        NativeDef::full("start", "name, /", start, "The state of a hash function before any data."),
        NativeDef::full("update", "name, state, data, /", update, "The state after more data."),
        NativeDef::full("finish", "name, state, /", finish, "The digest of the data so far."),
    ],
    types: &[],
    init: None,
};
