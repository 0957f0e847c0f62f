//! Code objects from the bytes that `build/encode.rs` has written of the standard library: reading them takes a tenth of the
//! time that compiling takes, and a body is read when it is first asked for (`body.rs`). Must not know whose code it is.
//!
//! Bytes that are no such code give `None`.

use super::body::Lazy;
use super::code::{Body, Code, Const, Flags, Handler, Inlined, LineEntry, Mark, MarkEntry};
use super::op::{ALL, Insn};
use super::text::Text;
use std::sync::Arc;

/// A module's texts.
#[derive(Clone, Copy, Debug, Default)]
struct Texts {
    /// Where each ends: four bytes.
    ends: &'static [u8],
    all: &'static str,
}

impl Texts {
    fn get(&self, at: usize) -> Option<&'static str> {
        let begin = at.checked_sub(1).map_or(Some(0), |before| self.end(before))?;
        self.all.get(begin..self.end(at)?)
    }

    fn end(&self, at: usize) -> Option<usize> {
        let (ends, _) = self.ends.as_chunks::<4>();
        Some(u32::from_le_bytes(*ends.get(at)?) as usize)
    }
}

/// A part of a code object that was not read yet.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unread {
    texts: Texts,
    bytes: &'static [u8],
}

impl Unread {
    /// Reads it.
    pub fn read<T: Readable>(&self) -> Option<T> {
        let mut r = Reader { rest: self.bytes, texts: self.texts };
        let part = T::read(&mut r)?;
        r.rest.is_empty().then_some(part)
    }
}

/// What can be read later than what it belongs to.
pub trait Readable: Default {
    /// Reads it.
    fn read(r: &mut Reader) -> Option<Self>;
}

impl Readable for Body {
    fn read(r: &mut Reader) -> Option<Body> {
        r.body()
    }
}

impl Readable for Vec<MarkEntry> {
    fn read(r: &mut Reader) -> Option<Vec<MarkEntry>> {
        r.many(|r| Some(MarkEntry { pc: r.long()?, mark: r.mark()? }))
    }
}

/// Goes through the bytes.
pub struct Reader {
    rest: &'static [u8],
    texts: Texts,
}

/// A module's code.
pub fn module(bytes: &'static [u8]) -> Option<Arc<Code>> {
    let (count, rest) = bytes.split_first_chunk::<4>()?;
    let (ends, rest) = rest.split_at_checked(4 * u32::from_le_bytes(*count) as usize)?;
    let length = ends.last_chunk::<4>().map_or(0, |end| u32::from_le_bytes(*end) as usize);
    let (texts, rest) = rest.split_at_checked(length)?;
    let texts = Texts { ends, all: std::str::from_utf8(texts).ok()? };
    let mut r = Reader { rest, texts };
    let code = r.code()?;
    r.rest.is_empty().then(|| Arc::new(code))
}

impl Reader {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn take(&mut self, n: usize) -> Option<&'static [u8]> {
        let (taken, rest) = self.rest.split_at_checked(n)?;
        self.rest = rest;
        Some(taken)
    }

    fn word(&mut self) -> Option<[u8; 8]> {
        self.take(8)?.try_into().ok()
    }

    #[inline]
    fn number(&mut self) -> Option<u64> {
        match self.rest {
            [small @ ..0x80, rest @ ..] => {
                self.rest = rest;
                Some((*small).into())
            }
            _ => self.long_number(),
        }
    }

    #[inline(never)]
    fn long_number(&mut self) -> Option<u64> {
        let (mut n, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            n |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(n);
            }
            shift += 7;
        }
    }

    fn long(&mut self) -> Option<u32> {
        self.number()?.try_into().ok()
    }

    fn short(&mut self) -> Option<u16> {
        self.number()?.try_into().ok()
    }

    /// A count of things that take a byte at least.
    fn size(&mut self) -> Option<usize> {
        let n = usize::try_from(self.number()?).ok()?;
        (n <= self.rest.len()).then_some(n)
    }

    fn raw(&mut self) -> Option<&'static [u8]> {
        let n = self.size()?;
        self.take(n)
    }

    fn text(&mut self) -> Option<Text> {
        let at = usize::try_from(self.number()?).ok()?;
        self.texts.get(at).map(Text::Embedded)
    }

    fn many<T>(&mut self, mut read: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let n = self.size()?;
        let mut items = Vec::with_capacity(n);
        for _ in 0..n {
            items.push(read(self)?);
        }
        Some(items)
    }

    fn later<T>(&mut self) -> Option<Lazy<T>> {
        Some(Lazy::later(Unread { texts: self.texts, bytes: self.raw()? }))
    }

    /// The fields are read in the order in which they stand here.
    fn code(&mut self) -> Option<Code> {
        Some(Code {
            name: self.text()?,
            qualname: self.text()?,
            filename: self.text()?,
            first_line: self.long()?,
            flags: self.flags()?,
            nparams: self.short()?,
            nposonly: self.short()?,
            nkwonly: self.short()?,
            nregs: self.short()?,
            kept: self.short()?,
            attr_hint: self.short()?,
            freevars: self.many(Self::text)?,
            body: self.later()?,
        })
    }

    /// As `code`.
    fn body(&mut self) -> Option<Body> {
        Some(Body {
            calls: self.short()?,
            varnames: self.many(Self::text)?,
            cell_regs: self.many(Self::short)?,
            globals: self.many(Self::text)?,
            sites: self.many(Self::text)?,
            insns: self.many(Self::insn)?,
            handlers: self.many(Self::handler)?,
            lines: self.many(|r| Some(LineEntry { pc: r.long()?, line: r.long()? }))?,
            marks: self.later()?,
            inlined: self.many(Self::inlined)?,
            doc: self.many(Self::text)?.pop(),
            consts: self.many(Self::constant)?,
        })
    }

    fn flags(&mut self) -> Option<Flags> {
        let bits = self.number()?;
        let set = |bit: u32| bits >> bit & 1 != 0;
        Some(Flags {
            varargs: set(0),
            varkw: set(1),
            module: set(2),
            class_body: set(3),
            nested: set(4),
            generator: set(5),
            coroutine: set(6),
        })
    }

    fn insn(&mut self) -> Option<Insn> {
        let [op, x, a0, a1, b0, b1, c0, c1] = self.word()?;
        let half = |low, high| u16::from_le_bytes([low, high]);
        Some(Insn { op: *ALL.get(op as usize)?, x, a: half(a0, a1), b: half(b0, b1), c: half(c0, c1) })
    }

    fn handler(&mut self) -> Option<Handler> {
        Some(Handler { start: self.long()?, end: self.long()?, target: self.long()?, reg: self.short()? })
    }

    fn mark(&mut self) -> Option<Mark> {
        Some(Mark { start: self.short()?, end: self.short()?, inner: (self.short()?, self.short()?) })
    }

    fn inlined(&mut self) -> Option<Inlined> {
        let (start, end, line) = (self.long()?, self.long()?, self.long()?);
        Some(Inlined {
            start,
            end,
            line,
            name: self.text()?,
            mark: self.mark()?,
            own: self.many(Self::text)?,
        })
    }

    fn constant(&mut self) -> Option<Const> {
        Some(match self.byte()? {
            0 => Const::None,
            1 => Const::True,
            2 => Const::False,
            3 => Const::Ellipsis,
            4 => Const::Int(i64::from_le_bytes(self.word()?)),
            5 => Const::BigInt(self.text()?),
            6 => Const::Float(f64::from_bits(u64::from_le_bytes(self.word()?))),
            7 => Const::Str(self.text()?),
            8 => Const::Bytes(self.raw()?.into()),
            9 => Const::Tuple(self.many(Self::constant)?.into()),
            10 => Const::FrozenSet(self.many(Self::constant)?.into()),
            11 => Const::Code(Arc::new(self.code()?)),
            _ => return None,
        })
    }
}
