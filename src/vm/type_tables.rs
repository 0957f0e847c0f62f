//! Which class was made from which table, so that Rust code can make instances of it.
//! Must not know what the tables hold.

use super::native::TypeDef;
use crate::object::{Value, Word};
use std::sync::{PoisonError, RwLock};

static CLASSES: RwLock<Vec<(&'static TypeDef, u64)>> = RwLock::new(Vec::new());

/// Start-up (and first import of a module): the class of a table.
pub fn remember(def: &'static TypeDef, class: Value) {
    let mut classes = CLASSES.write().unwrap_or_else(PoisonError::into_inner);
    classes.push((def, class.bits()));
}

/// The class made from this table, once its module exists.
pub fn class_of(def: &'static TypeDef) -> Word {
    let classes = CLASSES.read().unwrap_or_else(PoisonError::into_inner);
    classes.iter().rev().find(|(d, _)| std::ptr::eq(*d, def)).and_then(|(_, class)| Value::from_bits(*class))
}

/// The table that a class was made from.
pub fn table_of(class: Value) -> Option<&'static TypeDef> {
    let classes = CLASSES.read().unwrap_or_else(PoisonError::into_inner);
    classes.iter().find(|(_, made)| *made == class.bits()).map(|(def, _)| *def)
}

/// The collector's roots of this file.
pub fn visit_roots(visit: &mut dyn FnMut(Value)) {
    let classes = CLASSES.read().unwrap_or_else(PoisonError::into_inner);
    classes.iter().filter_map(|(_, class)| Value::from_bits(*class)).for_each(visit);
}
