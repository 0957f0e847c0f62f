//! The constants, globals and attribute sites of one code object, each numbered in its own space.
//! Constants that are equal and of the same type share a number. Must not know the AST.

use crate::bytecode::code::{Const, Name};
use crate::bytecode::text::Text;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A constant as a key: floats by their bits, so that `0.0`, `-0.0`, `0` and `False` stay apart.
#[derive(PartialEq, Eq, Hash)]
enum Key {
    Word(u8),
    Int(i64),
    BigInt(Text),
    Float(u64),
    Str(Text),
    Bytes(Arc<[u8]>),
    Tuple(Vec<Key>),
    FrozenSet(Vec<Key>),
}

#[derive(Default)]
pub struct Pool {
    pub consts: Vec<Const>,
    pub globals: Vec<Text>,
    pub sites: Vec<Text>,
    by_key: FxHashMap<Key, u32>,
    by_global: FxHashMap<Name, u32>,
}

impl Pool {
    /// The number of the constant.
    pub fn constant(&mut self, value: Const) -> u32 {
        let next = self.consts.len() as u32;
        if let Some(key) = key(&value) {
            let number = *self.by_key.entry(key).or_insert(next);
            if number != next {
                return number;
            }
        }
        self.consts.push(value);
        next
    }

    /// The number of the global's cell.
    pub fn global(&mut self, name: &Name) -> u32 {
        let next = self.globals.len() as u32;
        let number = *self.by_global.entry(name.clone()).or_insert(next);
        if number == next {
            self.globals.push(name.clone().into());
        }
        number
    }

    /// A new site: every instruction has an inline cache of its own.
    pub fn site(&mut self, name: Name) -> u32 {
        self.sites.push(name.into());
        self.sites.len() as u32 - 1
    }
}

/// Code objects have no key: each is its own.
fn key(value: &Const) -> Option<Key> {
    Some(match value {
        Const::None => Key::Word(0),
        Const::True => Key::Word(1),
        Const::False => Key::Word(2),
        Const::Ellipsis => Key::Word(3),
        Const::Int(value) => Key::Int(*value),
        Const::BigInt(digits) => Key::BigInt(digits.clone()),
        Const::Float(value) => Key::Float(value.to_bits()),
        Const::Str(text) => Key::Str(text.clone()),
        Const::Bytes(bytes) => Key::Bytes(bytes.clone()),
        Const::Tuple(items) => Key::Tuple(items.iter().map(key).collect::<Option<_>>()?),
        Const::FrozenSet(items) => Key::FrozenSet(items.iter().map(key).collect::<Option<_>>()?),
        Const::Code(_) => return None,
    })
}
