//! Truth, equality, hash and length of any value. Must not know ordering (`compare.rs`).

use crate::object::layout::BoundMethod;
use crate::object::num::{self, CmpOp};
use crate::object::{
    Exc, Kind, R, Value, bytearray, bytes, class, deque, dict, func, iter, list, range, set, str, tuple,
    types,
};
use crate::vm::compare_containers;
use crate::vm::thread::Thread;

/// `bool(v)`.
#[cold]
#[inline(never)]
pub fn is_true(th: &mut Thread, v: Value) -> R<bool> {
    if let Some(n) = plain_len(v) {
        return Ok(n != 0);
    }
    if let Some(f) = th.lookup_override(v, "__bool__") {
        let answer = th.call(f, &[v])?;
        if !answer.is_bool() {
            let name = th.type_name(answer);
            return Err(th.type_error(format!("__bool__ should return bool, returned {name}")));
        }
        return Ok(answer == Value::TRUE);
    }
    if th.lookup_override(v, "__len__").is_some() {
        return th.len(v).map(|n| n != 0);
    }
    Ok(match types::kind_of(v) {
        Kind::None_ => false,
        Kind::Bool => v == Value::TRUE,
        Kind::Int => crate::object::int::as_i64(v) != Some(0),
        Kind::Float => crate::object::float::as_f64(v) != Some(0.0),
        Kind::Str => str::as_str(v).is_some_and(|s| !s.is_empty()),
        Kind::Bytes => bytes::as_bytes(v).is_some_and(|s| !s.is_empty()),
        // It may be longer than any number of the machine.
        Kind::Range => match range::of(v) {
            Some(r) => range::len(&mut th.m, r)? != Value::int_unchecked(0),
            None => true,
        },
        Kind::List
        | Kind::Tuple
        | Kind::Dict
        | Kind::Set
        | Kind::FrozenSet
        | Kind::DictView
        | Kind::MappingProxy
        | Kind::ByteArray
        | Kind::MemoryView => th.len(v)? != 0,
        _ => true,
    })
}

/// The length of a list, tuple, str, dict, deque, bytes or bytearray whose class says nothing of lengths and truth.
#[inline(always)]
pub fn plain_len(v: Value) -> Option<usize> {
    use class::trait_bits::{BOOL, LEN};
    if !v.is_ref() || !class::is_untouched(v, BOOL | LEN) {
        return None;
    }
    match types::hdr(v).kind {
        Kind::Host => deque::plain(v).map(deque::len),
        Kind::List => list::of(v).map(list::len),
        Kind::Tuple => Some(tuple::items(v).len()),
        Kind::Str => str::view(v).map(|s| s.nchars as usize),
        Kind::Dict => dict::of(v).map(dict::len),
        Kind::Bytes => bytes::as_bytes(v).map(<[u8]>::len),
        Kind::ByteArray => bytearray::of(v).map(bytearray::len),
        _ => None,
    }
}

impl Thread {
    /// `bool(v)`.
    pub fn is_true(&mut self, v: Value) -> R<bool> {
        is_true(self, v)
    }

    /// `len(v)`.
    pub fn len(&mut self, v: Value) -> R<usize> {
        if let Some(n) = plain_len(v) {
            return Ok(n);
        }
        if let Some(f) = self.lookup_override(v, "__len__") {
            return self.len_by(f, v);
        }
        let n = match types::kind_of(v) {
            Kind::List => list::of(v).map(list::len),
            Kind::Tuple => Some(tuple::items(v).len()),
            Kind::Str => str::view(v).map(|s| s.nchars as usize),
            Kind::Bytes => bytes::as_bytes(v).map(<[u8]>::len),
            Kind::ByteArray => bytearray::of(v).map(bytearray::len),
            Kind::MemoryView => Some(super::memoryview::len(&mut self.m, v)?),
            Kind::Dict => dict::of(v).map(dict::len),
            Kind::Set | Kind::FrozenSet => set::of(v).map(set::len),
            Kind::Range => return self.range_len(v),
            Kind::DictView => iter::view_of(v).and_then(|w| dict::of(w.dict.value())).map(dict::len),
            Kind::MappingProxy => func::proxied(v).and_then(dict::of).map(dict::len),
            _ => None,
        };
        match n {
            Some(n) => Ok(n),
            None => match self.lookup_special(v, "__len__") {
                Some(f) => self.len_by(f, v),
                None => {
                    let name = self.type_name(v);
                    Err(self.type_error(format!("object of type '{name}' has no len()")))
                }
            },
        }
    }

    fn range_len(&mut self, v: Value) -> R<usize> {
        let Some(r) = range::of(v) else { return Ok(0) };
        let n = range::len(&mut self.m, r)?;
        let n = crate::object::int::as_i64(n).and_then(|n| usize::try_from(n).ok());
        n.ok_or_else(|| self.raise(Exc::OverflowError, "Python int too large to convert to C ssize_t"))
    }

    /// `len(v)` through this `__len__`.
    pub fn len_by(&mut self, f: Value, v: Value) -> R<usize> {
        let n = self.call(f, &[v])?;
        self.checked_len(n)
    }

    /// The answer of a `__len__` as a length.
    pub fn checked_len(&mut self, answer: Value) -> R<usize> {
        if let Some(n) = answer.as_small().and_then(|n| usize::try_from(n).ok()) {
            return Ok(n);
        }
        let n = self.index_value(answer)?;
        if crate::object::int::is_negative(n) {
            return Err(self.value_error("__len__() should return >= 0"));
        }
        let Some(n) = crate::object::int::as_i64(n) else {
            return Err(self.raise(Exc::OverflowError, "cannot fit 'int' into an index-sized integer"));
        };
        usize::try_from(n).map_err(|_| self.value_error("__len__() should return >= 0"))
    }

    /// `v` as an integer through `__index__`, for indices and counts.
    pub fn index(&mut self, v: Value) -> R<i64> {
        let n = self.index_value(v)?;
        match crate::object::int::as_i64(n) {
            Some(n) => Ok(n),
            None => Err(self.raise(Exc::OverflowError, "Python int too large to convert to C ssize_t")),
        }
    }

    /// `operator.index(v)`.
    pub fn index_value(&mut self, v: Value) -> R {
        if matches!(types::kind_of(v), Kind::Int) {
            return Ok(v);
        }
        if v.is_bool() {
            return Ok(Value::int_unchecked((v == Value::TRUE) as i64));
        }
        if let Some(f) = self.lookup_override(v, "__index__") {
            let n = self.call(f, &[v])?;
            if types::kind_of(n) == Kind::Int {
                return Ok(n);
            }
            if n.is_bool() {
                return Ok(Value::int_unchecked((n == Value::TRUE) as i64));
            }
            let name = self.type_name(n);
            return Err(self.type_error(format!("__index__ returned non-int (type {name})")));
        }
        let name = self.type_name(v);
        Err(self.type_error(format!("'{name}' object cannot be interpreted as an integer")))
    }

    /// `hash(v)`.
    pub fn hash(&mut self, v: Value) -> R<i64> {
        if v.is_ref() && class::traits(types::class_of(v)) & class::trait_bits::HASH != 0 {
            return self.custom_hash(v);
        }
        self.hash_builtin(v)
    }

    /// `hash(v)` as the built-in type has it, whatever a subclass overrides.
    pub fn hash_builtin(&mut self, v: Value) -> R<i64> {
        if let Some(h) = crate::object::key::hash(v) {
            return Ok(h);
        }
        if let Some(h) = num::hash(v) {
            return Ok(h);
        }
        match types::kind_of(v) {
            Kind::Str => Ok(str::view(v).map_or(0, str::hash)),
            Kind::Bytes => Ok(bytes::view(v).map_or(0, bytes::hash)),
            Kind::MemoryView => super::memoryview::hash(&mut self.m, v),
            Kind::DictView if crate::object::iter::view_of(v).is_some_and(|view| view.what != 1) => {
                let name = self.type_name(v);
                Err(self.type_error(format!("unhashable type: '{name}'")))
            }
            Kind::List | Kind::Dict | Kind::Set | Kind::Slice | Kind::ByteArray | Kind::MappingProxy => {
                let name = self.type_name(v);
                Err(self.type_error(format!("unhashable type: '{name}'")))
            }
            Kind::Tuple | Kind::FrozenSet | Kind::Range => compare_containers::hash(self, v),
            Kind::BoundMethod => Ok(types::cast::<BoundMethod>(v).map_or(0, |b| {
                let (f, receiver) = (b.func.value().bits(), b.receiver.value().bits());
                (f >> 4 ^ receiver.rotate_right(4)) as i64
            })),
            _ => Ok((v.bits() >> 4) as i64),
        }
    }

    #[cold]
    fn custom_hash(&mut self, v: Value) -> R<i64> {
        let Some(f) = self.lookup_special(v, "__hash__") else { return Ok((v.bits() >> 4) as i64) };
        if f.is_none() {
            let name = self.type_name(v);
            return Err(self.type_error(format!("unhashable type: '{name}'")));
        }
        let h = self.call(f, &[v])?;
        match types::kind_of(h) {
            // Whatever fits a word is the hash as it is; only -1 has a meaning of its own.
            Kind::Int | Kind::Bool => match crate::object::int::as_i64(h) {
                Some(-1) => Ok(-2),
                Some(n) => Ok(n),
                None => num::hash(h).map_or_else(|| self.index(h), Ok),
            },
            _ => Err(self.type_error("__hash__ method should return an integer")),
        }
    }

    /// `a == b` as containers ask it: identity counts as equality.
    pub fn eq(&mut self, a: Value, b: Value) -> R<bool> {
        if a == b {
            return Ok(true);
        }
        if a.is_small_int() && b.is_small_int() {
            return Ok(false);
        }
        super::compare::holds(self, CmpOp::Eq, a, b)
    }
}
