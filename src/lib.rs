//! Mini: a small scripting language whose virtual machine is a laboratory for the global interpreter lock.
//! The layers, and who may import whom, are in docs/architecture.md.

pub mod bytecode;
pub mod cli;
pub mod compile;
pub mod gil;
pub mod interp;
pub mod native;
pub mod object;
pub mod repl;
pub mod rt;
pub mod trace;
pub mod vm;
