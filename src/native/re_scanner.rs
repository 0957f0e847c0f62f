//! The class `_re.SRE_Scanner`: a search that goes on where it was. Must not know how matches are found.

use super::re::{Scan, Turn};
use super::support::of_host;
use crate::object::layout::Host;
use crate::object::mutator::Mutator;
use crate::object::{R, Value, func, types};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::type_tables;
use std::sync::{Mutex, PoisonError};

/// What a scanner owns. Its object's two words keep the text and the pattern alive.
struct Scanner {
    scan: Scan,
    turn: Mutex<Turn>,
}

/// A scanner that stands where `scan` begins.
pub fn new(m: &mut Mutator, scan: Scan) -> R {
    let class = type_tables::class_of(&SCANNER).unwrap_or(Value::NONE);
    let [subject, pattern] = scan.values();
    let turn = Mutex::new(scan.turn());
    let v = func::new_host(m, class, Box::new(Scanner { scan, turn }))?;
    if let Some(host) = types::cast::<Host>(v) {
        host.extra[0].set(subject);
        host.extra[1].set(pattern);
    }
    Ok(v)
}

/// Two threads may find the same match; the lock is not held meanwhile, because the search may let others run.
fn search(th: &mut Thread, args: Args) -> R {
    let scanner = of_host::<Scanner>(&mut th.m, args.get(0), "_re.SRE_Scanner")?;
    let mut turn = *scanner.turn.lock().unwrap_or_else(PoisonError::into_inner);
    let found = scanner.scan.next_match(th, &mut turn);
    *scanner.turn.lock().unwrap_or_else(PoisonError::into_inner) = turn;
    found
}

pub static SCANNER: TypeDef = TypeDef {
    name: "SRE_Scanner",
    doc: "A search that goes on where it was.",
    methods: &[NativeDef::full("search", "self, /", search, "The next match, or None.")],
    ..TypeDef::BARE
};
