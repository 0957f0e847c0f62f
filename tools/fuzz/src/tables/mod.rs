//! The grammar of the generated programs, as tables of templates (`template.rs` says how to read them).

mod containers;
mod features;
mod library;
mod numbers;
mod objects;
mod statements;
mod text;

use crate::rng::Rng;

/// Of wide programs, so many of a hundred expressions use the library.
const LIBRARY: usize = 15;
/// Of wide programs, so many of a hundred statements with blocks show one part of the language.
const FEATURES: usize = 35;

/// A template for an expression of this type.
pub fn pick(rng: &mut Rng, kind: char, wide: bool) -> Option<&'static str> {
    let from_library = library::of(kind);
    if wide && !from_library.is_empty() && rng.percent(LIBRARY) {
        return Some(rng.pick(from_library));
    }
    let table: &[&'static str] = match kind {
        'i' => numbers::INT,
        'f' => numbers::FLOAT,
        'b' => numbers::BOOL,
        'c' => numbers::FUNCTION,
        's' => text::STR,
        'y' => text::BYTES,
        'l' => containers::LIST,
        'm' => containers::LIST_OF_STR,
        't' => containers::TUPLE,
        'd' => containers::DICT,
        'e' => containers::SET,
        'x' => containers::ITERABLE,
        'W' => containers::SHORT_ITERABLE,
        'g' => containers::ITERATOR,
        'o' => objects::OBJECT,
        'u' => objects::ODD,
        _ => return None,
    };
    Some(rng.pick(table))
}

/// A template for types that have neither variables nor literals.
pub fn simplest(rng: &mut Rng, kind: char) -> &'static str {
    match kind {
        'x' => rng.pick(&["$l", "$t", "range($j)"]),
        'W' => rng.pick(&["range($j)", "$l[:4]", "(3, 1, 2)"]),
        'g' => "iter($l)",
        'u' => rng.pick(objects::ODD),
        _ => "None",
    }
}

/// A template of a statement.
pub fn statement(rng: &mut Rng, compound: bool, wide: bool) -> &'static str {
    if compound {
        let table = if wide && rng.percent(FEATURES) { features::FEATURE } else { statements::COMPOUND };
        return rng.pick(table);
    }
    match rng.below(10) {
        0..3 => rng.pick(statements::PRINT),
        3..6 => rng.pick(statements::ASSIGN),
        _ => rng.pick(statements::SIMPLE),
    }
}

pub use objects::CONSTRUCTOR;

/// A template of a class's member; some need a base class that has the member too.
pub fn member(rng: &mut Rng, derived: bool) -> &'static str {
    if derived && rng.percent(35) { rng.pick(objects::OVERRIDE) } else { rng.pick(objects::MEMBER) }
}

/// The end of a generator: its yields.
pub fn generator_end(rng: &mut Rng) -> &'static str {
    rng.pick(statements::GENERATOR)
}
