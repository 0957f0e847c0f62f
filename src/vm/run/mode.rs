//! The instantiations of the eval loop. Must not know instructions.

use crate::gil::LoopKind;

/// How an instantiation of the loop differs from the others.
pub trait Mode {
    const KIND: LoopKind;
    /// GIL off: in-place writes announce themselves.
    const FREE: bool;
    /// Counts, and may poll, at every instruction.
    const STEP: bool;
}

/// GIL off.
pub struct Free;
/// A GIL that changes hands at back-edges and calls.
pub struct Locked;
/// A GIL that may change hands at every instruction.
pub struct Stepped;

impl Mode for Free {
    const KIND: LoopKind = LoopKind::Free;
    const FREE: bool = true;
    const STEP: bool = false;
}
impl Mode for Locked {
    const KIND: LoopKind = LoopKind::Locked;
    const FREE: bool = false;
    const STEP: bool = false;
}
impl Mode for Stepped {
    const KIND: LoopKind = LoopKind::Stepped;
    const FREE: bool = false;
    const STEP: bool = true;
}
