//! The contract between compiler and VM: opcodes, code objects, disassembler, verifier.
//! Must not know values, the heap, the AST or the eval loop.

pub mod body;
pub mod bound;
pub mod code;
pub mod dis;
pub mod escape;
pub mod filled;
pub mod flow;
pub mod frozen;
pub mod op;
pub mod text;
pub mod verify;
pub mod written;
