//! How natives about bytes read their arguments. Must not know any method.

use super::text_args::type_name;
use crate::object::header::Kind;
use crate::object::mutator::Mutator;
use crate::object::types::kind_of;
use crate::object::{R, Value, bytes, int};
use crate::vm::native::Args;
use crate::vm::ops::bytearray::as_bytes_object;

/// The bytes of the receiver.
pub fn this(args: Args) -> &'static [u8] {
    bytes::as_bytes(args.get(0)).unwrap_or(&[])
}

/// A bytes argument.
pub fn like(m: &mut Mutator, v: Value) -> R<&'static [u8]> {
    let v = as_bytes_object(m, v)?;
    match bytes::as_bytes(v) {
        Some(bytes) => Ok(bytes),
        None => Err(m.type_error(format!("a bytes-like object is required, not '{}'", type_name(v)))),
    }
}

/// What is looked for: bytes, or an int that stands for one.
pub enum Needle {
    Bytes(&'static [u8]),
    Byte([u8; 1]),
}

impl Needle {
    pub fn of(m: &mut Mutator, v: Value) -> R<Needle> {
        let v = as_bytes_object(m, v)?;
        if let Some(bytes) = bytes::as_bytes(v) {
            return Ok(Needle::Bytes(bytes));
        }
        if !matches!(kind_of(v), Kind::Int | Kind::Bool) {
            let got = type_name(v);
            return Err(m.type_error(format!("argument should be integer or bytes-like object, not '{got}'")));
        }
        match int::as_i64(v).and_then(|n| u8::try_from(n).ok()) {
            Some(b) => Ok(Needle::Byte([b])),
            None => Err(m.value_error("byte must be in range(0, 256)")),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        match self {
            Needle::Bytes(bytes) => bytes,
            Needle::Byte(byte) => byte,
        }
    }
}

/// White space as `bytes.split` and `bytes.strip` see it.
pub fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}
