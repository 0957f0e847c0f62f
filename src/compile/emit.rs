//! The assembler: instructions with labels in, a linear code with jump offsets, line table and handler table out.
//! Drops code that cannot be reached, and follows which variables are definitely bound at each point.
//! Must not know the AST or scopes.

use crate::bytecode::bound::Bound;
use crate::bytecode::code::{Handler, Inlined, LineEntry, Mark, MarkEntry, Name};
use crate::bytecode::op::{Insn, Op};

/// A place in the code that jumps can name before it is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Label(u32);

const NOWHERE: u32 = u32::MAX;

struct LabelState {
    /// Index of the instruction it stands before.
    at: u32,
    /// What is bound on every way that leads here; `None` until something does.
    bound: Option<Bound>,
}

/// Where in the source an instruction comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    pub line: u32,
    /// The part of the line that a traceback marks.
    pub mark: Mark,
}

struct Item {
    insn: Insn,
    origin: Origin,
    /// The label a jump goes to, or `NOWHERE`.
    target: u32,
}

/// A range of instructions protected by a handler, before layout.
struct Region {
    start: u32,
    end: u32,
    target: Label,
    reg: u16,
}

/// The linear result of `Assembler::finish`.
pub struct Assembled {
    pub insns: Vec<Insn>,
    pub lines: Vec<LineEntry>,
    pub marks: Vec<MarkEntry>,
    pub inlined: Vec<Inlined>,
    pub handlers: Vec<Handler>,
}

/// Collects the instructions of one code object.
pub struct Assembler {
    items: Vec<Item>,
    labels: Vec<LabelState>,
    regions: Vec<Region>,
    /// Comprehensions in this frame, as ranges of items.
    inlined: Vec<Inlined>,
    /// Where what is emitted next comes from.
    pub place: Origin,
    /// Whether the next instruction can be reached at all; if not, it is dropped.
    pub reachable: bool,
    /// What is bound here.
    pub bound: Bound,
    /// Instructions asked for, the dropped ones included: bounds the work on nested `finally` copies.
    pub asked: u32,
}

impl Assembler {
    pub fn new(line: u32) -> Assembler {
        Assembler {
            items: Vec::new(),
            labels: Vec::new(),
            regions: Vec::new(),
            inlined: Vec::new(),
            place: Origin { line, mark: Mark::default() },
            reachable: true,
            bound: Bound::default(),
            asked: 0,
        }
    }

    /// Index of the next instruction.
    pub fn here(&self) -> u32 {
        self.items.len() as u32
    }

    pub fn emit(&mut self, insn: Insn) {
        self.push(insn, NOWHERE);
        if matches!(
            insn.op,
            Op::Return
                | Op::ReturnNone
                | Op::GenReturn
                | Op::Raise
                | Op::RaiseFrom
                | Op::RaiseHere
                | Op::ReRaise
                | Op::RaiseAssert
        ) {
            self.reachable = false;
        }
    }

    fn push(&mut self, insn: Insn, target: u32) {
        self.asked = self.asked.saturating_add(1);
        if self.reachable {
            self.items.push(Item { insn, origin: self.place, target });
        }
    }

    /// The product just put into the temporary `product` is to be added to, or taken from, `R[addend]`: for numbers
    /// one instruction does both, and passes over those two.
    pub fn fuse_product(&mut self, op: Op, product: u16, dst: u16, addend: u16) {
        let (Some(Item { insn, origin, .. }), Ok(addend)) = (self.items.last_mut(), u8::try_from(addend))
        else {
            return;
        };
        if self.reachable && insn.op == Op::Mul && insn.a == product {
            let (plain, place) = (*insn, *origin);
            *insn = Insn::abc(op, dst, plain.b, plain.c).with_x(addend);
            self.items.push(Item { insn: plain, origin: place, target: NOWHERE });
        }
    }

    pub fn label(&mut self) -> Label {
        self.labels.push(LabelState { at: NOWHERE, bound: None });
        Label(self.labels.len() as u32 - 1)
    }

    /// A jump to `label`; its offset operand is filled in by `finish`. `Op::Jump` may end up as `Op::Loop`.
    pub fn jump(&mut self, insn: Insn, label: Label) {
        self.push(insn, label.0);
        self.note_way(label);
        if insn.op == Op::Jump {
            self.reachable = false;
        }
    }

    fn note_way(&mut self, label: Label) {
        if !self.reachable {
            return;
        }
        let here = &self.bound;
        match &mut self.labels[label.0 as usize].bound {
            Some(known) => known.intersect(here),
            unknown => *unknown = Some(here.clone()),
        }
    }

    /// Puts `label` here: a target of jumps already emitted.
    pub fn bind(&mut self, label: Label) {
        self.note_way(label);
        self.place(label);
        if let Some(bound) = self.labels[label.0 as usize].bound.clone() {
            self.bound = bound;
            self.reachable = true;
        }
    }

    /// Puts `label` here as the head of a loop, which later code jumps back to. `unsure` can become unbound in the loop.
    pub fn bind_loop(&mut self, label: Label, unsure: &Bound) {
        self.bound.subtract(unsure);
        self.place(label);
    }

    fn place(&mut self, label: Label) {
        self.labels[label.0 as usize].at = self.here();
    }

    /// Puts `label` here as the body of a loop whose test comes after it; it is entered with what `state` says.
    pub fn bind_loop_body(&mut self, label: Label, state: &LoopEntry, unsure: &Bound) {
        self.reachable = state.reachable;
        self.bound = state.bound.clone();
        self.bind_loop(label, unsure);
    }

    /// What is bound here, for `bind_loop_body`.
    pub fn loop_entry(&self) -> LoopEntry {
        LoopEntry { reachable: self.reachable, bound: self.bound.clone() }
    }

    /// Exceptions in `start..end` go to `target`. Regions are added innermost first.
    pub fn protect(&mut self, start: u32, end: u32, target: Label, reg: u16) {
        if start < end {
            self.regions.push(Region { start, end, target, reg });
        }
    }

    /// Puts the label of a handler here. `bound` is what was bound where its region began.
    pub fn bind_handler(&mut self, label: Label, bound: Bound) {
        self.place(label);
        self.reachable = self.regions.iter().rev().any(|region| region.target == label);
        self.bound = bound;
    }

    /// Puts the label of a handler here, where code also falls into it or jumps to it. Nothing after it reads variables.
    pub fn bind_tail(&mut self, label: Label) {
        let handles = self.regions.iter().rev().any(|region| region.target == label);
        self.bind(label);
        self.reachable |= handles;
    }

    /// Everything emitted since item `start` is the body of a comprehension that stands at `origin`.
    pub fn inlined(&mut self, start: u32, name: Name, origin: Origin, own: Vec<Name>) {
        let end = self.here();
        if start < end {
            let own = own.into_iter().map(Into::into).collect();
            let Origin { line, mark, .. } = origin;
            self.inlined.push(Inlined { start, end, name: name.into(), line, mark, own });
        }
    }

    /// Fixes all offsets. `prologue` goes before everything.
    pub fn finish(self, prologue: &[Insn], first_line: u32) -> Assembled {
        let layout = Layout::new(&self, prologue.len());
        let pc = |item: u32| layout.pcs[item as usize];
        let inlined = self.inlined.iter();
        let mut inlined: Vec<Inlined> =
            inlined.map(|i| Inlined { start: pc(i.start), end: pc(i.end), ..i.clone() }).collect();
        inlined.sort_by_key(|i| (i.start, u32::MAX - i.end));
        let mut out =
            Assembled { insns: prologue.to_vec(), lines: vec![], marks: vec![], inlined, handlers: vec![] };
        if !prologue.is_empty() {
            out.lines.push(LineEntry { pc: 0, line: first_line });
        }
        for (index, item) in self.items.iter().enumerate() {
            if layout.sizes[index] > 0 {
                out.note_origin(item.origin);
            }
            layout.write(&self, index, &mut out.insns);
        }
        for region in &self.regions {
            let (start, end) = (layout.pcs[region.start as usize], layout.pcs[region.end as usize]);
            if start < end {
                let target = layout.pcs[self.labels[region.target.0 as usize].at as usize];
                out.handlers.push(Handler { start, end, target, reg: region.reg });
            }
        }
        out
    }

    /// Where a jump at `index` really goes: jumps to plain jumps go on to their target.
    fn target_index(&self, index: usize) -> usize {
        let mut at = self.labels[self.items[index].target as usize].at as usize;
        for _ in 0..8 {
            match self.items.get(at) {
                Some(next) if next.insn.op == Op::Jump && next.target != NOWHERE => {
                    let further = self.labels[next.target as usize].at as usize;
                    if further <= index || at <= index {
                        break;
                    }
                    at = further;
                }
                _ => break,
            }
        }
        at
    }
}

impl Assembled {
    /// Says where the next instruction comes from.
    fn note_origin(&mut self, origin: Origin) {
        let (pc, Origin { line, mark }) = (self.insns.len() as u32, origin);
        if self.lines.last().is_none_or(|last| last.line != line) {
            self.lines.push(LineEntry { pc, line });
        }
        if self.marks.last().map_or(Mark::default(), |last| last.mark) != mark {
            self.marks.push(MarkEntry { pc, mark });
        }
    }
}

/// The state at the entry of a loop.
pub struct LoopEntry {
    reachable: bool,
    bound: Bound,
}

/// Where each item lands, and in how many instructions.
struct Layout {
    sizes: Vec<u8>,
    pcs: Vec<u32>,
    targets: Vec<u32>,
}

impl Layout {
    fn new(asm: &Assembler, base: usize) -> Layout {
        let targets: Vec<u32> = (0..asm.items.len())
            .map(|index| match asm.items[index].target {
                NOWHERE => NOWHERE,
                _ => asm.target_index(index) as u32,
            })
            .collect();
        let sizes = (0..asm.items.len()).map(|index| initial_size(asm, &targets, index)).collect();
        let mut layout = Layout { sizes, pcs: Vec::new(), targets };
        loop {
            layout.place(base);
            if !layout.widen(asm) {
                return layout;
            }
        }
    }

    fn place(&mut self, base: usize) {
        self.pcs.clear();
        let mut pc = base as u32;
        for &size in &self.sizes {
            self.pcs.push(pc);
            pc += size as u32;
        }
        self.pcs.push(pc);
    }

    /// Grows the short jumps that do not reach; says whether there were any.
    fn widen(&mut self, asm: &Assembler) -> bool {
        let mut grew = false;
        for (index, item) in asm.items.iter().enumerate() {
            if self.sizes[index] == 1
                && is_short(item.insn.op)
                && i16::try_from(self.offset(index, 1)).is_err()
            {
                self.sizes[index] = if inverse(item.insn.op).is_some() { 2 } else { 3 };
                grew = true;
            }
        }
        grew
    }

    /// The offset for a jump that is instruction number `nth` (from 1) of the item.
    fn offset(&self, index: usize, nth: u32) -> i32 {
        self.pcs[self.targets[index] as usize] as i32 - (self.pcs[index] + nth) as i32
    }

    fn write(&self, asm: &Assembler, index: usize, out: &mut Vec<Insn>) {
        let item = &asm.items[index];
        if item.target == NOWHERE {
            out.push(item.insn);
            return;
        }
        let insn = item.insn;
        match self.sizes[index] {
            0 => {}
            1 => out.push(with_offset(long_form(insn, self.offset(index, 1)), self.offset(index, 1))),
            2 => {
                let op = inverse(insn.op).unwrap_or(insn.op);
                out.push(with_offset(Insn { op, ..insn }, 1));
                out.push(long_jump(self.offset(index, 2)));
            }
            _ => {
                out.push(with_offset(insn, 1));
                out.push(Insn::ai(Op::Jump, 0, 1));
                out.push(long_jump(self.offset(index, 3)));
            }
        }
    }
}

fn initial_size(asm: &Assembler, targets: &[u32], index: usize) -> u8 {
    let item = &asm.items[index];
    if item.target == NOWHERE {
        return 1;
    }
    let target = targets[index] as usize;
    if item.insn.op == Op::Jump && target == index + 1 {
        return 0;
    }
    if target <= index && forward_only(item.insn.op) { 2 } else { 1 }
}

fn long_jump(offset: i32) -> Insn {
    long_form(Insn::ai(Op::Jump, 0, offset), offset)
}

fn long_form(insn: Insn, offset: i32) -> Insn {
    if insn.op == Op::Jump && offset < 0 { Insn::ai(Op::Loop, 0, offset) } else { insn }
}

fn with_offset(insn: Insn, offset: i32) -> Insn {
    if is_short(insn.op) {
        Insn { c: offset as i16 as u16, ..insn }
    } else {
        Insn::ai(insn.op, insn.a, offset).with_x(insn.x)
    }
}

/// Whether the jump's offset has 16 bits only.
fn is_short(op: Op) -> bool {
    op.info().c == crate::bytecode::op::Operand::J
}

/// Whether the jump may not go back (see `op.rs`); all of them have an inverse.
fn forward_only(op: Op) -> bool {
    use Op::*;
    matches!(
        op,
        JFalse
            | JNone
            | JNotNone
            | JNLt
            | JNLe
            | JNGt
            | JNGe
            | JNEq
            | JNNe
            | JNLtI
            | JNLeI
            | JNGtI
            | JNGeI
            | JNEqI
            | JNNeI
    )
}

/// The jump that is taken exactly when `op` is not.
fn inverse(op: Op) -> Option<Op> {
    use Op::*;
    const PAIRS: &[(Op, Op)] = &[
        (JTrue, JFalse),
        (JNone, JNotNone),
        (JLt, JNLt),
        (JLe, JNLe),
        (JGt, JNGt),
        (JGe, JNGe),
        (JEq, JNEq),
        (JNe, JNNe),
        (JLtI, JNLtI),
        (JLeI, JNLeI),
        (JGtI, JNGtI),
        (JGeI, JNGeI),
        (JEqI, JNEqI),
        (JNeI, JNNeI),
    ];
    PAIRS.iter().find_map(|&(yes, no)| match op {
        _ if op == yes => Some(no),
        _ if op == no => Some(yes),
        _ => None,
    })
}
