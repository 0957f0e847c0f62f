//! Module `_zlib`: packing and unpacking by DEFLATE, piece by piece. Must not know formats around it (`zlib.mini`, `gzip.mini`).

use super::support::{self, put_type, this};
use crate::gil::Cause;
use crate::object::{R, Value, bytes, func};
use crate::vm::native::{Args, ModuleDef, NativeDef, TypeDef};
use crate::vm::ops::memoryview::bytes_object;
use crate::vm::thread::Thread;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use std::sync::{Mutex, PoisonError};

/// How much comes out at a time.
const PIECE: usize = 1 << 16;

/// The states are locked only while a thread is detached: nobody waits for Mini code.
struct Deflate(Mutex<Compress>);
struct Inflate(Mutex<Decompress>);

/// What came out, how much of the data was used, and whether the stream has ended; `None`: it is no such stream.
type Inflated = Option<(Vec<u8>, usize, bool)>;

fn data(th: &mut Thread, v: Value) -> R<Vec<u8>> {
    let whole = bytes_object(th, v)?;
    match bytes::as_bytes(whole) {
        Some(data) => Ok(data.to_vec()),
        None => {
            let got = th.type_name(v);
            Err(th.type_error(format!("a bytes-like object is required, not '{got}'")))
        }
    }
}

fn new_deflate(th: &mut Thread, args: Args) -> R {
    let level = u32::try_from(support::c_int(th, args.get(1))?)
        .map_or(Compression::default(), |level| Compression::new(level.min(9)));
    let header = th.is_true(args.get(2))?;
    func::new_host(&mut th.m, args.get(0), Box::new(Deflate(Mutex::new(Compress::new(level, header)))))
}

fn new_inflate(th: &mut Thread, args: Args) -> R {
    let header = th.is_true(args.get(1))?;
    func::new_host(&mut th.m, args.get(0), Box::new(Inflate(Mutex::new(Decompress::new(header)))))
}

/// `pack(data, how)`: what comes out at once. `how` is 0 (go on), 2 (all of it must come out) or 4 (end).
fn pack(th: &mut Thread, args: Args) -> R {
    let (state, input) = (this::<Deflate>(&mut th.m, args, "_zlib.Deflate")?, data(th, args.get(1))?);
    let flush = match support::c_int(th, args.get(2))? {
        0 => FlushCompress::None,
        4 => FlushCompress::Finish,
        _ => FlushCompress::Sync,
    };
    let out = th.detach(Cause::Blocking, || {
        deflate(&mut state.0.lock().unwrap_or_else(PoisonError::into_inner), &input, flush)
    });
    th.new_bytes(&out)
}

fn deflate(state: &mut Compress, input: &[u8], flush: FlushCompress) -> Vec<u8> {
    let (start, mut out, mut piece) = (state.total_in(), Vec::new(), vec![0; PIECE]);
    loop {
        let used = (state.total_in() - start) as usize;
        let before = state.total_out();
        let status = state.compress(input.get(used..).unwrap_or(&[]), &mut piece, flush);
        let made = (state.total_out() - before) as usize;
        out.extend_from_slice(piece.get(..made).unwrap_or(&[]));
        let all_used = (state.total_in() - start) as usize >= input.len();
        let ended = !matches!(status, Ok(Status::Ok));
        if ended || all_used && made < PIECE && !matches!(flush, FlushCompress::Finish) {
            return out;
        }
    }
}

/// `unpack(data, limit)`: what comes out (no more than `limit`, if it is not 0), how much was used, whether it has ended.
fn unpack(th: &mut Thread, args: Args) -> R {
    let (state, input) = (this::<Inflate>(&mut th.m, args, "_zlib.Inflate")?, data(th, args.get(1))?);
    let limit = match support::c_int(th, args.get(2))? {
        0 => usize::MAX,
        limit => limit.unsigned_abs() as usize,
    };
    let done = th.detach(Cause::Blocking, || {
        inflate(&mut state.0.lock().unwrap_or_else(PoisonError::into_inner), &input, limit)
    });
    match done {
        Some((out, used, ended)) => {
            let out = th.new_bytes(&out)?;
            let used = th.new_int(used as i64)?;
            th.new_tuple(&[out, used, Value::bool(ended)])
        }
        None => Ok(Value::NONE),
    }
}

fn inflate(state: &mut Decompress, input: &[u8], limit: usize) -> Inflated {
    let (start, mut out, mut piece) = (state.total_in(), Vec::new(), vec![0; PIECE]);
    loop {
        let used = (state.total_in() - start) as usize;
        let room = PIECE.min(limit - out.len());
        let before = (state.total_in(), state.total_out());
        let rest = input.get(used..).unwrap_or(&[]);
        let status = state.decompress(rest, piece.get_mut(..room)?, FlushDecompress::None).ok()?;
        out.extend_from_slice(piece.get(..(state.total_out() - before.1) as usize)?);
        let used = (state.total_in() - start) as usize;
        let stuck = (state.total_in(), state.total_out()) == before;
        if status == Status::StreamEnd || stuck || out.len() >= limit {
            return Some((out, used, status == Status::StreamEnd));
        }
    }
}

static DEFLATE: TypeDef = TypeDef {
    name: "Deflate",
    doc: "Packs data.",
    construct: Some(NativeDef::full("__new__", "cls, level, header, /", new_deflate, "")),
    methods: &[NativeDef::full("pack", "self, data, how, /", pack, "What comes out at once.")],
    ..TypeDef::BARE
};

static INFLATE: TypeDef = TypeDef {
    name: "Inflate",
    doc: "Unpacks data.",
    construct: Some(NativeDef::full("__new__", "cls, header, /", new_inflate, "")),
    methods: &[NativeDef::full("unpack", "self, data, limit, /", unpack, "What comes out at once.")],
    ..TypeDef::BARE
};

fn init(th: &mut Thread, module: Value) -> R<()> {
    put_type(th, module, &DEFLATE, "_zlib")?;
    put_type(th, module, &INFLATE, "_zlib").map(drop)
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "_zlib",
    doc: "The packing behind zlib and gzip.",
    functions: &[],
    types: &[],
    init: Some(init),
};
