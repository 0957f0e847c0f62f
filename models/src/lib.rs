//! The protocol files of `src/gil` once more, on loom's atomics: `tests/` runs them through every interleaving.
//! A crate of its own, because the statics of the real one cannot be made of loom's types.

pub mod primitive;

#[path = "../../src/gil/busy.rs"]
pub mod busy;
#[path = "../../src/gil/state.rs"]
pub mod state;
