//! The instruction set: ONE table, from which the enum, the disassembler, the verifier and the documentation follow.
//! Must not know what a value is or how an instruction is executed.
//!
//! # The word
//!
//! ```text
//!   byte   0     1     2..3    4..5    6..7
//!         +-----+-----+-------+-------+-------+
//!         | op  |  x  |   a   |   b   |   c   |     b and c may be read as one signed 32-bit operand
//!         +-----+-----+-------+-------+-------+
//! ```
//!
//! # The frame
//!
//! `R[n]` is register n of the running frame; parameters come first (positional, keyword-only, `*args`, `**kwargs`), then
//! locals, then temporaries. A register may be EMPTY (an unbound local). A call uses a *window* of the caller's
//! registers: `R[a]` is the callable and, afterwards, the result; `R[a+1..a+3]` belong to the VM (the link to the caller);
//! arguments start at `R[a+4]`, which becomes register 0 of the callee: no argument is copied. A frame therefore needs
//! `nregs` registers that include its largest window.
//!
//! # The data segment
//!
//! Operands K, G and S index one array of words, `D`, made when the code is linked to its module: the address of the
//! first instruction, a word a call (the `D` of the function that was called there first: see `call_word`), the sites
//! (four words each: name, and three words of inline cache), the globals' cells, the constants.
//! The emitter numbers the three spaces separately; `Code::relocate` turns the numbers into indices of `D`.
//!
//! # Jumps
//!
//! Offsets count instructions from the instruction after the jump. `Loop`, `ForLoop`, `JTrue` and the compare-and-jump
//! family without N poll the breaker when taken; only they may jump backwards.

/// How an operand field is used. The verifier checks each kind; the disassembler prints it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operand {
    /// Not used; must be 0.
    None,
    /// Register, read.
    R,
    /// Register, written.
    W,
    /// First of a call window (see above): `R[a]` .. `R[a+4+nargs]`.
    Win,
    /// First of the four registers of a `for` loop's state.
    Iter,
    /// First of a run of registers, read; the count is in another operand.
    Run,
    /// First of a run of registers, written; the count is in another operand.
    WRun,
    /// Plain number: a count or an index.
    N,
    /// Signed 16-bit immediate integer.
    I,
    /// Index of a constant.
    K,
    /// Index of a site: a name with its inline cache.
    S,
    /// Index of a call's word; the emitter leaves it 0.
    C,
    /// Signed 16-bit jump offset.
    J,
    /// In b and c together: signed 32-bit immediate, constant index, global index, jump offset.
    I32,
    K32,
    G32,
    J32,
}

/// What the tools need to know of an opcode.
pub struct OpInfo {
    pub name: &'static str,
    pub a: Operand,
    pub b: Operand,
    pub c: Operand,
    /// One line in register-transfer notation.
    pub formula: &'static str,
}

macro_rules! ops {
    ($( $name:ident [$a:ident $b:ident $c:ident] $formula:literal )*) => {
        /// Opcodes; see `INFO` for operands and meaning.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        pub enum Op { $( #[doc = $formula] $name ),* }
        /// Indexed by opcode.
        pub static INFO: &[OpInfo] = &[ $( OpInfo {
            name: stringify!($name), a: Operand::$a, b: Operand::$b, c: Operand::$c, formula: $formula } ),* ];
        /// All opcodes, in order.
        pub static ALL: &[Op] = &[ $( Op::$name ),* ];
    };
}

ops! {
    // ---- moves and constants
    Nop       [None None None] "nothing"
    Move      [W R None]  "R[a] = R[b]"
    LoadK     [W K32 None] "R[a] = D[bc]"
    LoadInt   [W I32 None] "R[a] = int bc"
    Clear     [W None None] "R[a] = EMPTY"
    CheckLocal [R K32 None] "UnboundLocalError(D[bc]) if R[a] is EMPTY"
    // ---- cells of closures
    NewCell   [W R None]  "R[a] = Cell(R[b]); R[b] may be EMPTY"
    GetCell   [W R K]     "R[a] = R[b].value; error names D[c] if EMPTY"
    SetCell   [R R None]  "R[a].value = R[b]"
    DelCell   [R None K]  "R[a].value = EMPTY; error names D[c] if it was"
    GetFree   [W N K]     "R[a] = func.cells[b].value; NameError names D[c] if EMPTY"
    SetFree   [N R None]  "func.cells[a].value = R[b]"
    DelFree   [N None K]  "func.cells[a].value = EMPTY; error names D[c] if it was"
    FreeCell  [W N None]  "R[a] = func.cells[b] (the cell itself, to be captured)"
    // ---- names
    GetGlobal [W G32 None] "R[a] = D[bc].value, or the builtin's; NameError if neither"
    SetGlobal [R G32 None] "D[bc].value = R[a]"
    DelGlobal [None G32 None] "D[bc].value = EMPTY; NameError if it was"
    NsGet     [W R K]     "R[a] = R[b][D[c]] or EMPTY: a name in a class body"
    NsSet     [R R K]     "R[a][D[c]] = R[b]"
    NsDel     [R None K]  "del R[a][D[c]]; NameError if missing"
    // ---- arithmetic; x = 1: in-place form (x += y)
    Add       [W R R]     "R[a] = R[b] + R[c]"
    Sub       [W R R]     "R[a] = R[b] - R[c]"
    Mul       [W R R]     "R[a] = R[b] * R[c]"
    Div       [W R R]     "R[a] = R[b] / R[c]"
    FloorDiv  [W R R]     "R[a] = R[b] // R[c]"
    Mod       [W R R]     "R[a] = R[b] % R[c]"
    Pow       [W R R]     "R[a] = R[b] ** R[c]"
    Lshift    [W R R]     "R[a] = R[b] << R[c]"
    Rshift    [W R R]     "R[a] = R[b] >> R[c]"
    BitAnd    [W R R]     "R[a] = R[b] & R[c]"
    BitOr     [W R R]     "R[a] = R[b] | R[c]"
    BitXor    [W R R]     "R[a] = R[b] ^ R[c]"
    MatMul    [W R R]     "R[a] = R[b] @ R[c]"
    MulAdd    [W R R]     "R[a] = R[x] + R[b] * R[c] and skip the Mul and Add that follow, if these are simple numbers"
    MulSub    [W R R]     "R[a] = R[x] - R[b] * R[c] and skip the Mul and Sub that follow, if these are simple numbers"
    AddI      [W R I]     "R[a] = R[b] + c"
    SubI      [W R I]     "R[a] = R[b] - c"
    MulI      [W R I]     "R[a] = R[b] * c"
    FloorDivI [W R I]     "R[a] = R[b] // c, c > 0"
    ModI      [W R I]     "R[a] = R[b] % c, c > 0"
    LshiftI   [W R I]     "R[a] = R[b] << c, 0 <= c < 60"
    RshiftI   [W R I]     "R[a] = R[b] >> c, 0 <= c < 60"
    BitAndI   [W R I]     "R[a] = R[b] & c"
    AddK      [W R K]     "R[a] = R[b] + D[c], D[c] a float"
    SubK      [W R K]     "R[a] = R[b] - D[c], D[c] a float"
    MulK      [W R K]     "R[a] = R[b] * D[c], D[c] a float"
    DivK      [W R K]     "R[a] = R[b] / D[c], D[c] a float or int"
    Neg       [W R None]  "R[a] = -R[b]"
    Pos       [W R None]  "R[a] = +R[b]"
    Invert    [W R None]  "R[a] = ~R[b]"
    Not       [W R None]  "R[a] = not R[b]"
    // ---- comparison to a value
    Lt        [W R R]     "R[a] = R[b] < R[c]"
    Le        [W R R]     "R[a] = R[b] <= R[c]"
    Gt        [W R R]     "R[a] = R[b] > R[c]"
    Ge        [W R R]     "R[a] = R[b] >= R[c]"
    Eq        [W R R]     "R[a] = R[b] == R[c]"
    Ne        [W R R]     "R[a] = R[b] != R[c]"
    Is        [W R R]     "R[a] = R[b] is R[c]; x = 1: is not"
    In        [W R R]     "R[a] = R[b] in R[c]; x = 1: not in"
    // ---- jumps
    Jump      [None J32 None] "forward jump"
    Loop      [None J32 None] "backward jump; polls"
    JTrue     [R J32 None] "jump if R[a] is true; polls when taken"
    JFalse    [R J32 None] "jump if R[a] is false; forward only"
    JNone     [R J32 None] "jump if R[a] is None; forward only"
    JNotNone  [R J32 None] "jump if R[a] is not None; forward only"
    JSet      [R J32 None] "jump if R[a] is not EMPTY; forward only"
    JLt       [R R J]     "jump if R[a] < R[b]; polls when taken"
    JLe       [R R J]     "jump if R[a] <= R[b]; polls when taken"
    JGt       [R R J]     "jump if R[a] > R[b]; polls when taken"
    JGe       [R R J]     "jump if R[a] >= R[b]; polls when taken"
    JEq       [R R J]     "jump if R[a] == R[b]; polls when taken"
    JNe       [R R J]     "jump if R[a] != R[b]; polls when taken"
    JNLt      [R R J]     "jump if not R[a] < R[b]; forward only"
    JNLe      [R R J]     "jump if not R[a] <= R[b]; forward only"
    JNGt      [R R J]     "jump if not R[a] > R[b]; forward only"
    JNGe      [R R J]     "jump if not R[a] >= R[b]; forward only"
    JNEq      [R R J]     "jump if not R[a] == R[b]; forward only"
    JNNe      [R R J]     "jump if not R[a] != R[b]; forward only"
    JLtI      [R I J]     "jump if R[a] < b; polls when taken"
    JLeI      [R I J]     "jump if R[a] <= b; polls when taken"
    JGtI      [R I J]     "jump if R[a] > b; polls when taken"
    JGeI      [R I J]     "jump if R[a] >= b; polls when taken"
    JEqI      [R I J]     "jump if R[a] == b; polls when taken"
    JNeI      [R I J]     "jump if R[a] != b; polls when taken"
    JNLtI     [R I J]     "jump if not R[a] < b; forward only"
    JNLeI     [R I J]     "jump if not R[a] <= b; forward only"
    JNGtI     [R I J]     "jump if not R[a] > b; forward only"
    JNGeI     [R I J]     "jump if not R[a] >= b; forward only"
    JNEqI     [R I J]     "jump if not R[a] == b; forward only"
    JNNeI     [R I J]     "jump if not R[a] != b; forward only"
    // ---- attributes and items
    GetAttr   [W R S]     "R[a] = R[b].name"
    SetAttr   [R R S]     "R[a].name = R[b]"
    InitAttr  [R R S]     "as SetAttr; a = 0, and the code of `__init__` has done nothing else with R[0] so far, see `escape`"
    DelAttr   [R None S]  "del R[a].name"
    // a and b of the next two may be the same register.
    GetMethod [Win R S]   "R[a] = R[b].name, R[a+4] = EMPTY; or if it is a method: R[a] = its function, R[a+4] = R[b]"
    GetSpecial [Win R S]  "as GetMethod, looked up on the type of R[b]; x = 0: __enter__, 1: __exit__, 2: __aenter__, 3: __aexit__ (for the error's words)"
    GetItem   [W R R]     "R[a] = R[b][R[c]]"
    GetItemI  [W R I]     "R[a] = R[b][c]"
    SetItem   [R R R]     "R[a][R[b]] = R[c]"
    DelItem   [R R None]  "del R[a][R[b]]"
    NewSlice  [W Run None] "R[a] = slice(R[b], R[b+1], R[b+2])"
    // ---- calls
    Call      [Win N C]   "R[a] = R[a](R[a+4] .. R[a+3+b])"
    CallM     [Win N C]   "R[a] = R[a](R[a+4] unless EMPTY, R[a+5] .. R[a+4+b]): after GetMethod"
    CallKw    [Win N K]   "as Call with b arguments in all, the last of them named by the tuple D[c]; x = 1: after GetMethod, as CallM"
    CallEx    [Win None None] "R[a] = R[a](*R[a+4], **R[a+5]); R[a+4] an iterable, R[a+5] a mapping or EMPTY"
    Return    [R None None] "return R[a]"
    ReturnNone [None None None] "return None"
    MakeFunc  [W Run K]   "R[a] = function of code D[c]; R[b] = defaults tuple or EMPTY, R[b+1] = keyword-only defaults dict or EMPTY, R[b+2..] = its cells"
    BuildClass [Win N K]  "R[a] = class: R[a+4] = body function, R[a+5] = name, R[a+6..] = b bases and keyword values, names in the tuple D[c]; x = 1: R[a+6] = list of bases, R[a+7] = dict of keywords"
    // ---- containers
    NewList   [W Run N]   "R[a] = [R[b] .. R[b+c-1]]"
    NewTuple  [W Run N]   "R[a] = (R[b] .. R[b+c-1])"
    NewSet    [W Run N]   "R[a] = {R[b] .. R[b+c-1]}"
    NewDict   [W Run N]   "R[a] = {R[b]: R[b+1], ...}, c pairs"
    ListAppend [R R None] "R[a].append(R[b]), R[a] a list made here"
    ListExtend [R R None] "R[a].extend(R[b]) of a [*b]"
    ListToTuple [W R None] "R[a] = tuple(R[b])"
    SetAdd    [R R None]  "R[a].add(R[b])"
    SetUpdate [R R None]  "R[a].update(R[b])"
    MapPut    [R R R]     "R[a][R[b]] = R[c], R[a] a dict made here"
    MapUpdate [R R R]     "R[a].update(R[b]) of a {**b}; x = 1: keywords of a call, a repeated key is an error that names the callable R[c]"
    Unpack    [WRun R N]  "R[a] .. R[a+c-1] = R[b], exactly c items; on an error none is written (they may be locals)"
    UnpackEx  [WRun R N]  "R[a] .. = R[b] with c items before the starred one and x after it: c + 1 + x registers"
    // ---- loops
    GetIter   [Iter R None] "R[a] .. R[a+3] = state of an iteration over R[b]"
    ForLoop   [Iter W J]  "R[b] = next item of the state at R[a], jump back and poll; falls through when there is none; x: R[b] is unpacked at once"
    // ---- strings
    Format    [W R R]     "R[a] = format(R[b]); x & 3: 1 = str, 2 = repr, 3 = ascii first; x & 4: with spec R[c], else c is unused"
    BuildStr  [W Run N]   "R[a] = concatenation of the strings R[b] .. R[b+c-1]"
    // ---- exceptions
    Raise     [R None None] "raise R[a]"
    RaiseFrom [R R None]  "raise R[a] from R[b]"
    RaiseHere [None None None] "raise (the exception being handled)"
    ReRaise   [R None None] "go on raising R[a], its traceback as it is"
    RaiseAssert [R None None] "raise AssertionError; x = 1: with argument R[a]"
    PushExc   [W R None]  "R[a] = exception being handled; now R[b] is being handled; x = 1: R[a] = EMPTY, outermost handler of a generator"
    PopExc    [R None None] "the exception being handled is R[a] again; EMPTY: that of whoever resumed the generator"
    JNoMatch  [R R J]     "jump if exception R[a] is no instance of R[b] (a class or a tuple of them)"
    Group     [W R R]     "except*: R[a], R[a+1] = parts of exception R[b] that are of the class R[c] and that are not, None where empty; x = 1: R[a] = what is left to raise of R[b], R[c] = list of what its handlers left, or None"
    ExcTriple [WRun R None] "R[a], R[a+1], R[a+2] = type, value, traceback of exception R[b]"
    // ---- match
    Match     [W R R]     "R[a] = step x of matching R[b], see `step`; R[c] = length, keys, or class, number of positional patterns and names"
    // ---- generators and coroutines: of their frames only, except Send and what it needs
    MakeGen   [W None N]  "return a suspended object that goes on here, with R[0] .. R[c-1]; what is sent first goes to R[a]"
    Yield     [R R N]     "suspend with the value R[a], keeping R[0] .. R[c-1]; R[a] = what is sent; x & 1: in a handler of its own; x & 2: R[b] is delegated to; x & 4: an item of an asynchronous generator"
    GenReturn [R None None] "end with the result R[a]"
    Send      [R R J]     "R[a] = what R[b] yields after R[a] was sent to it; when it ends, R[a] = its result and jump; forward only"
    Delegate  [W R None]  "R[a] = what `yield from R[b]` delegates to"
    Awaitable [W R None]  "R[a] = what `await R[b]` delegates to; x = 1, 2, 3: what __aenter__, __aexit__, __anext__ gave (for the error's words)"
    AsyncIter [W R None]  "R[a] = the asynchronous iterator of R[b]"
    AsyncNext [W R None]  "R[a] = what to await for the next item of R[b]"
    EndAsync  [R None None] "go on raising R[a], unless it is the StopAsyncIteration that ends a loop"
    // ---- modules
    Import    [W K K]     "R[a] = import D[b], fromlist D[c] (None or a tuple); x = level"
    ImportFrom [W R K]    "R[a] = D[c] of module R[b]"
    ImportStar [R None None] "all public names of module R[a] into the globals"
    PrintExpr [R None None] "show R[a] as the prompt does"
    // ---- never compiled: all that code has until it is linked, see `object::code`
    Link      [None None None] "link the running code, and begin it"
}

/// The steps of `Op::Match`, its x.
pub mod step {
    /// Is it a sequence of `R[c]` items?
    pub const SEQUENCE_OF: u8 = 0;
    /// Is it a sequence of at least `R[c]` items?
    pub const SEQUENCE_FROM: u8 = 1;
    /// Is it a mapping of at least `R[c]` items?
    pub const MAPPING: u8 = 2;
    /// A tuple of what it has under the keys `R[c]`; None if one is missing.
    pub const VALUES: u8 = 3;
    /// A dict of what it has under other keys than `R[c]`.
    pub const REST: u8 = 4;
    /// A tuple of the attributes that `R[c+1]` positional patterns and the names `R[c+2]` mean; None if it is no instance
    /// of `R[c]`.
    pub const CLASS: u8 = 5;
    /// The item `R[c]` places before its end.
    pub const FROM_END: u8 = 6;
}

/// Bits of the spare byte of `Op::Yield`.
pub mod bit {
    /// In a handler of its own: the exception being handled is kept.
    pub const HANDLING: u8 = 1;
    /// The value comes from another iterator, which gets what is sent and thrown.
    pub const DELEGATING: u8 = 2;
    /// An item of an asynchronous generator, not something its `await` hands up.
    pub const ITEM: u8 = 4;
}

impl Op {
    /// Operands and meaning.
    pub fn info(self) -> &'static OpInfo {
        &INFO[self as usize]
    }

    /// The opcode with this number, if there is one.
    pub fn from_u8(n: u8) -> Option<Op> {
        ALL.get(n as usize).copied()
    }

    /// Whether what follows is reached by jumps only.
    pub fn ends_code(self) -> bool {
        use Op::*;
        matches!(
            self,
            Jump | Loop
                | Return
                | ReturnNone
                | GenReturn
                | Raise
                | RaiseFrom
                | RaiseHere
                | ReRaise
                | RaiseAssert
        )
    }

    /// Whether it calls what a script calls.
    pub fn calls(self) -> bool {
        matches!(self, Op::Call | Op::CallM | Op::CallKw | Op::CallEx)
    }
}

/// One instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C, align(8))]
pub struct Insn {
    pub op: Op,
    pub x: u8,
    pub a: u16,
    pub b: u16,
    pub c: u16,
}

impl Insn {
    /// An instruction with three 16-bit operands.
    pub const fn abc(op: Op, a: u16, b: u16, c: u16) -> Insn {
        Insn { op, x: 0, a, b, c }
    }

    /// An instruction whose b and c are one 32-bit operand.
    pub const fn ai(op: Op, a: u16, bc: i32) -> Insn {
        let bits = bc as u32;
        Insn { op, x: 0, a, b: bits as u16, c: (bits >> 16) as u16 }
    }

    /// The same instruction with its spare byte set.
    pub const fn with_x(mut self, x: u8) -> Insn {
        self.x = x;
        self
    }

    /// Where the instruction may jump to, if it stands at `pc` and is a jump.
    pub fn jump_target(self, pc: usize) -> Option<usize> {
        let info = self.op.info();
        let offset = match (info.b, info.c) {
            (Operand::J32, _) => i64::from(self.bc()),
            (_, Operand::J) => i64::from(self.c as i16),
            _ => return None,
        };
        usize::try_from(pc as i64 + 1 + offset).ok()
    }

    /// b and c as one signed operand (little-endian halves: b is the low one).
    pub const fn bc(self) -> i32 {
        (self.b as u32 | (self.c as u32) << 16) as i32
    }
}

const _: () = assert!(std::mem::size_of::<Insn>() == 8);
const _: () = assert!(INFO.len() == ALL.len() && ALL.len() < 256);
