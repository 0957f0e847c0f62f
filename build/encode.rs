//! Code objects as bytes, in the order in which `src/bytecode/frozen.rs` reads them: first where each
//! text ends, four bytes each, and the texts; then the module's code with the code inside it, each body behind its length.
//! There numbers are seven bits a byte, the low ones first.

use crate::bytecode::code::{Body, Code, Const, Mark};
use crate::bytecode::text::Text;
use std::collections::HashMap;

#[derive(Default)]
struct Writer {
    texts: HashMap<Text, usize>,
    order: Vec<Text>,
    bytes: Vec<u8>,
}

/// A module's code.
pub fn module(code: &Code) -> Vec<u8> {
    let mut body = Writer::default();
    body.code(code);
    let mut all = (body.order.len() as u32).to_le_bytes().to_vec();
    let mut end = 0;
    for text in &body.order {
        end += text.len() as u32;
        all.extend(end.to_le_bytes());
    }
    body.order.iter().for_each(|text| all.extend(text.as_bytes()));
    all.extend(body.bytes);
    all
}

impl Writer {
    fn number(&mut self, mut n: u64) {
        while n >= 0x80 {
            self.bytes.push(n as u8 | 0x80);
            n >>= 7;
        }
        self.bytes.push(n as u8);
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.bytes.extend(bytes);
    }

    fn text(&mut self, text: &Text) {
        let next = self.order.len();
        let at = *self.texts.entry(text.clone()).or_insert(next);
        if at == next {
            self.order.push(text.clone());
        }
        self.number(at as u64);
    }

    fn many<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Writer, &T)) {
        self.number(items.len() as u64);
        items.iter().for_each(|item| write(self, item));
    }

    fn code(&mut self, code: &Code) {
        self.text(&code.name);
        self.text(&code.qualname);
        self.text(&code.filename);
        self.number(code.first_line.into());
        let f = &code.flags;
        let flags = [f.varargs, f.varkw, f.module, f.class_body, f.nested, f.generator, f.coroutine];
        self.number(flags.iter().enumerate().map(|(bit, set)| u64::from(*set) << bit).sum());
        for n in [code.nparams, code.nposonly, code.nkwonly, code.nregs, code.kept, code.attr_hint] {
            self.number(n.into());
        }
        self.many(&code.freevars, Writer::text);
        self.later(|w| w.body(code));
    }

    /// What is read later than what is around it, behind its length.
    fn later(&mut self, write: impl FnOnce(&mut Writer)) {
        let outer = std::mem::take(&mut self.bytes);
        write(self);
        let part = std::mem::replace(&mut self.bytes, outer);
        self.raw(&part);
    }

    fn body(&mut self, code: &Body) {
        self.number(code.calls.into());
        self.many(&code.varnames, Writer::text);
        self.many(&code.cell_regs, |w, n| w.number((*n).into()));
        self.many(&code.globals, Writer::text);
        self.many(&code.sites, Writer::text);
        self.many(&code.insns, |w, insn| {
            w.bytes.extend([insn.op as u8, insn.x]);
            [insn.a, insn.b, insn.c].iter().for_each(|n| w.bytes.extend(n.to_le_bytes()));
        });
        self.many(&code.handlers, |w, h| {
            [h.start, h.end, h.target, h.reg.into()].iter().for_each(|n| w.number((*n).into()));
        });
        self.many(&code.lines, |w, e| {
            w.number(e.pc.into());
            w.number(e.line.into());
        });
        self.later(|w| {
            w.many(&code.marks, |w, e| {
                w.number(e.pc.into());
                w.mark(e.mark);
            });
        });
        self.many(&code.inlined, |w, i| {
            [i.start, i.end, i.line].iter().for_each(|n| w.number((*n).into()));
            w.text(&i.name);
            w.mark(i.mark);
            w.many(&i.own, Writer::text);
        });
        self.many(code.doc.as_slice(), Writer::text);
        self.many(&code.consts, Writer::constant);
    }

    fn mark(&mut self, mark: Mark) {
        [mark.start, mark.end, mark.inner.0, mark.inner.1].iter().for_each(|n| self.number((*n).into()));
    }

    fn constant(&mut self, c: &Const) {
        let mut tag = |n: u8| self.bytes.push(n);
        match c {
            Const::None => tag(0),
            Const::True => tag(1),
            Const::False => tag(2),
            Const::Ellipsis => tag(3),
            Const::Int(n) => {
                tag(4);
                self.bytes.extend(n.to_le_bytes());
            }
            Const::BigInt(digits) => {
                tag(5);
                self.text(digits);
            }
            Const::Float(x) => {
                tag(6);
                self.bytes.extend(x.to_bits().to_le_bytes());
            }
            Const::Str(text) => {
                tag(7);
                self.text(text);
            }
            Const::Bytes(bytes) => {
                tag(8);
                self.raw(bytes);
            }
            Const::Tuple(items) => {
                tag(9);
                self.many(items, Writer::constant);
            }
            Const::FrozenSet(items) => {
                tag(10);
                self.many(items, Writer::constant);
            }
            Const::Code(code) => {
                tag(11);
                self.code(code);
            }
        }
    }
}
