//! What every number can do: the operators of int, float and bool, dispatched on both operands.
//! Must not know how scripts call it, nor any type that is not a number.

/// A binary operator.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum BinOp {
    Add,
    Sub,
    Mul,
    Div,
    FloorDiv,
    Mod,
    Pow,
    Lshift,
    Rshift,
    BitAnd,
    BitOr,
    BitXor,
    MatMul,
}

impl BinOp {
    /// As it is spelled in a script.
    pub const fn symbol(self) -> &'static str {
        const SYMBOLS: [&str; 13] = ["+", "-", "*", "/", "//", "%", "**", "<<", ">>", "&", "|", "^", "@"];
        SYMBOLS[self as usize]
    }
}

/// A comparison.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum CmpOp {
    Lt,
    Le,
    Gt,
    Ge,
    Eq,
    Ne,
}

impl CmpOp {
    /// As it is spelled in a script.
    pub const fn symbol(self) -> &'static str {
        const SYMBOLS: [&str; 6] = ["<", "<=", ">", ">=", "==", "!="];
        SYMBOLS[self as usize]
    }

    /// The comparison that `b op a` makes of `a op b`.
    pub const fn reflected(self) -> CmpOp {
        match self {
            CmpOp::Lt => CmpOp::Gt,
            CmpOp::Le => CmpOp::Ge,
            CmpOp::Gt => CmpOp::Lt,
            CmpOp::Ge => CmpOp::Le,
            same => same,
        }
    }

    /// The answer, given how the operands compare (`None`: unordered, as NaN is).
    pub fn holds(self, order: Option<std::cmp::Ordering>) -> bool {
        match self {
            CmpOp::Lt => order.is_some_and(|o| o.is_lt()),
            CmpOp::Le => order.is_some_and(|o| o.is_le()),
            CmpOp::Gt => order.is_some_and(|o| o.is_gt()),
            CmpOp::Ge => order.is_some_and(|o| o.is_ge()),
            CmpOp::Eq => order.is_some_and(|o| o.is_eq()),
            CmpOp::Ne => !order.is_some_and(|o| o.is_eq()),
        }
    }
}

/// A unary operator (`not` is none: it asks for the truth, not for a number).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[repr(u8)]
pub enum UnOp {
    Neg,
    Pos,
    Invert,
}

impl UnOp {
    /// As it is spelled in a script.
    pub const fn symbol(self) -> &'static str {
        match self {
            UnOp::Neg => "-",
            UnOp::Pos => "+",
            UnOp::Invert => "~",
        }
    }
}
