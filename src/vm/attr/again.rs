//! Attributes whose names scripts make while they run (`getattr`): remembered by shape, as sites do it.
//! Must not know how attributes are found.

use super::{Found, find, mark_cached, missing};
use crate::object::{Kind, R, Value, Word, func, shape, types};
use crate::vm::shape_cache::{Access, Seen};
use crate::vm::site::{cached_method, id_of, read_as_seen, shape_id};
use crate::vm::thread::Thread;

/// Where a method lies that was found for objects of this shape before.
#[inline]
fn seen_method(th: &mut Thread, id: u32, name: Value) -> Word {
    match th.lookup.shapes().find(Access::Method, id, name)? {
        Seen::Cell(c) => Value::from_bits(cached_method(c)),
        _ => None,
    }
}

impl Thread {
    /// As `call_method`, for a method that is likely to be called again on objects of this shape.
    pub fn call_method_again(&mut self, object: Value, name: &'static str, args: &[Value]) -> R {
        let name = self.name(name)?;
        if object.is_ref()
            && let Some(f) = seen_method(self, shape_id(object), name)
            && let Some(called) = self.call_found_short(f, object, args)
        {
            return called;
        }
        let method = self.get_attr_again(object, name)?;
        self.call(method, args)
    }

    /// As `get_attr`, for a name that is likely to come again: what is found is remembered as sites do it.
    pub fn get_attr_again(&mut self, object: Value, name: Value) -> R {
        if !object.is_ref() || matches!(types::hdr(object).kind, Kind::Class | Kind::Module | Kind::Super) {
            return self.get_attr(object, name);
        }
        let id = shape_id(object);
        if let Some(f) = seen_method(self, id, name) {
            return func::new_bound(self, f, object);
        }
        if let Some(seen) = self.lookup.shapes().find(Access::Get, id, name)
            && let Some(v) = read_as_seen(object, id, seen)
        {
            return Ok(v);
        }
        mark_cached(object);
        match find(self, object, name)? {
            Found::Slot(n, v) => {
                let inline = n < shape::from_id(id).inline_cap;
                let seen = if inline { Seen::Slot(n + 2) } else { Seen::Outside(n) };
                self.lookup.shapes().note(Access::Get, id, name, seen);
                Ok(v)
            }
            Found::Cell(_, v) | Found::Computed(v) => Ok(v),
            Found::Method(c, f) => {
                self.lookup.shapes().note(Access::Method, id, name, Seen::Cell(id_of(c)));
                func::new_bound(self, f, object)
            }
            Found::Nothing => missing(self, object, name),
        }
    }
}
