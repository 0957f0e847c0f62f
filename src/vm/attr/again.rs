//! Attributes whose names scripts make while they run (`getattr`): remembered by shape, as sites do it.
//! Must not know how attributes are found.

use super::{Found, find, mark_cached, missing};
use crate::object::{Kind, R, Value, func, shape, types};
use crate::vm::shape_cache::{Access, Seen};
use crate::vm::site::{cached_method, id_of, read_as_seen, shape_id};
use crate::vm::thread::Thread;

impl Thread {
    /// As `get_attr`, for a name that is likely to come again: what is found is remembered as sites do it.
    pub fn get_attr_again(&mut self, object: Value, name: Value) -> R {
        if !object.is_ref() || matches!(types::hdr(object).kind, Kind::Class | Kind::Module | Kind::Super) {
            return self.get_attr(object, name);
        }
        let id = shape_id(object);
        if let Some(Seen::Cell(c)) = self.lookup.shapes().find(Access::Method, id, name)
            && let Some(f) = Value::from_bits(cached_method(c))
        {
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
