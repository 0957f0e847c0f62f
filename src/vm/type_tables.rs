//! Which class was made from which table, so that Rust code can make instances of it.
//! Must not know what the tables hold.

use super::native::TypeDef;
use crate::object::{Value, Word};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

static CLASSES: RwLock<Vec<(&'static TypeDef, u64)>> = RwLock::new(Vec::new());

/// A table's address, and the class that was made from it last. Address 0: free.
struct Place {
    def: AtomicUsize,
    class: AtomicU64,
}

/// More than there are tables: the last of them are found in `CLASSES` alone.
const PLACES: usize = 1024;
/// As `CLASSES`, for `class_of`, which is asked for every future: by the table's address, without a lock.
static BY_TABLE: [Place; PLACES] =
    [const { Place { def: AtomicUsize::new(0), class: AtomicU64::new(0) } }; PLACES];

/// The place of a table, or the free one where it would be.
fn place(def: &'static TypeDef) -> Option<&'static Place> {
    let address = std::ptr::from_ref(def).addr();
    let first = (address >> 3).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54;
    let mut places = (first..first + PLACES).filter_map(|i| BY_TABLE.get(i % PLACES));
    places.find(|place| matches!(place.def.load(Ordering::Acquire), of if of == 0 || of == address))
}

/// Start-up (and first import of a module): the class of a table.
pub fn remember(def: &'static TypeDef, class: Value) {
    let mut classes = CLASSES.write().unwrap_or_else(PoisonError::into_inner);
    classes.push((def, class.bits()));
    if let Some(place) = place(def) {
        place.class.store(class.bits(), Ordering::Release);
        place.def.store(std::ptr::from_ref(def).addr(), Ordering::Release);
    }
}

/// The class made from this table, once its module exists.
pub fn class_of(def: &'static TypeDef) -> Word {
    let Some(found) = place(def) else { return listed(def) };
    // Not the class of another table that took the free place just now.
    let taken = found.def.load(Ordering::Acquire) == std::ptr::from_ref(def).addr();
    Value::from_bits(found.class.load(Ordering::Acquire)).filter(|_| taken)
}

#[cold]
fn listed(def: &'static TypeDef) -> Word {
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
