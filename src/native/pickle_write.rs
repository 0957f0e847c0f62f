//! The writing half of `_pickle`: what CPython's pickler writes, byte for byte, from protocol 2 on. Must not know how an
//! object of a class comes apart: `copyreg.mini` says it, and `pickle.mini` names what is found by its name.
//!
//! The format: CPython's Lib/pickletools.py describes the opcodes, PEP 3154 the frames.

use super::pickle_ops as op;
use crate::object::layout::Native;
use crate::object::{Kind, R, Value, bytearray, bytes, dict, float, int, list, set, str, tuple, types};
use crate::vm::native::Args;
use crate::vm::thread::Thread;
use rustc_hash::FxHashMap;

/// Items that are written behind one mark.
const BATCH: usize = 1000;
/// A frame ends behind the opcode that makes it this long; longer texts and bytes have none.
const FRAME_TARGET: usize = 64 * 1024;
/// Shorter pickles have no frame.
const FRAME_MIN: usize = 4;
/// Room for most pickles.
const USUAL: usize = 128;
/// FRAME and its length.
const FRAME_HEADER: usize = 9;

struct Writer {
    out: Vec<u8>,
    protocol: u8,
    /// Where the open frame's header is.
    frame: Option<usize>,
    framing: bool,
    /// The number of each object that was written, by its address.
    memo: FxHashMap<u64, usize>,
    /// A list: what is in the memo stays alive, or its address could be another's.
    kept: Value,
    /// `(object, protocol)` to what `__reduce_ex__` returns.
    reduce: Value,
    /// `(object, name or None)` to its module and its qualified name.
    locate: Value,
    /// The functions that scripts have registered, by class: a dict.
    table: Value,
    persistent_id: Option<Value>,
    reducer_override: Option<Value>,
    /// Objects written.
    saved: usize,
}

/// `_pickle.dump(value, protocol, reduce, locate, table, persistent_id, reducer_override)`: the pickle as bytes.
pub fn dump(th: &mut Thread, args: Args) -> R {
    let protocol = th.index(args.get(1))?.clamp(2, 5) as u8;
    let mut out = Vec::with_capacity(USUAL);
    out.extend([op::PROTO, protocol]);
    let mut writer = Writer {
        out,
        protocol,
        frame: None,
        framing: protocol >= 4,
        memo: FxHashMap::default(),
        kept: th.m.new_list(&[])?,
        reduce: args.get(2),
        locate: args.get(3),
        table: args.get(4),
        persistent_id: args.opt_not_none(5),
        reducer_override: args.opt_not_none(6),
        saved: 0,
    };
    writer.save(th, args.get(0))?;
    writer.put(&[op::STOP]);
    writer.close_frame();
    th.m.new_bytes(&writer.out)
}

impl Writer {
    fn put(&mut self, data: &[u8]) {
        if self.framing && self.frame.is_none() {
            self.frame = Some(self.out.len());
            self.out.extend_from_slice(&[op::FRAME, 0, 0, 0, 0, 0, 0, 0, 0]);
        }
        self.out.extend_from_slice(data);
    }

    fn close_frame(&mut self) {
        let Some(at) = self.frame.take() else { return };
        let len = self.out.len() - at - FRAME_HEADER;
        if len >= FRAME_MIN {
            self.out[at + 1..at + FRAME_HEADER].copy_from_slice(&(len as u64).to_le_bytes());
        } else {
            self.out.drain(at..at + FRAME_HEADER);
        }
    }

    /// Behind a whole object.
    fn boundary(&mut self) {
        if self.frame.is_some_and(|at| self.out.len() - at - FRAME_HEADER >= FRAME_TARGET) {
            self.close_frame();
        }
    }

    /// Bytes that nobody should have to copy out of a frame stand outside of it.
    fn put_long(&mut self, header: &[u8], data: &[u8]) {
        if data.len() < FRAME_TARGET {
            self.put(header);
            self.put(data);
            return;
        }
        self.close_frame();
        self.out.extend_from_slice(header);
        self.out.extend_from_slice(data);
    }

    /// An opcode with a length in one, four or eight bytes, as it needs.
    fn sized(&mut self, [short, plain, long]: [Option<u8>; 3], data: &[u8]) {
        let n = data.len();
        let mut header = Vec::with_capacity(FRAME_HEADER);
        match (short, plain, long) {
            (Some(code), ..) if n <= 0xff => header.extend_from_slice(&[code, n as u8]),
            (_, Some(code), _) if n as u64 <= 0xffff_ffff => {
                header.push(code);
                header.extend_from_slice(&(n as u32).to_le_bytes());
            }
            (.., long) => {
                header.push(long.unwrap_or(op::BINBYTES8));
                header.extend_from_slice(&(n as u64).to_le_bytes());
            }
        }
        self.put_long(&header, data);
    }

    fn remember(&mut self, th: &mut Thread, v: Value) -> R<()> {
        let n = self.memo.len();
        self.memo.insert(v.bits(), n);
        if let Some(kept) = list::of(self.kept) {
            list::push(&mut th.m, kept, v)?;
        }
        match u8::try_from(n) {
            _ if self.protocol >= 4 => self.put(&[op::MEMOIZE]),
            Ok(n) => self.put(&[op::BINPUT, n]),
            Err(_) => self.numbered(op::LONG_BINPUT, n),
        }
        Ok(())
    }

    fn numbered(&mut self, code: u8, n: usize) {
        let [a, b, c, d] = (n as u32).to_le_bytes();
        self.put(&[code, a, b, c, d]);
    }

    fn recall(&mut self, n: usize) {
        match u8::try_from(n) {
            Ok(n) => self.put(&[op::BINGET, n]),
            Err(_) => self.numbered(op::LONG_BINGET, n),
        }
    }

    /// Writes one object.
    fn save(&mut self, th: &mut Thread, v: Value) -> R<()> {
        if let Some(name) = self.persistent_id {
            let id = th.call(name, &[v])?;
            if id != Value::NONE {
                let hook = self.persistent_id.take();
                let saved = self.save(th, id);
                self.persistent_id = hook;
                saved?;
                self.put(&[op::BINPERSID]);
                return Ok(());
            }
        }
        if !self.atom(th, v)? {
            match self.memo.get(&v.bits()) {
                Some(n) => self.recall(*n),
                None => self.compound(th, v)?,
            }
        }
        self.boundary();
        self.saved += 1;
        if self.saved.is_multiple_of(1024) {
            crate::vm::poll::poll_in_native(th)?;
        }
        Ok(())
    }

    /// What has no identity to keep.
    fn atom(&mut self, th: &mut Thread, v: Value) -> R<bool> {
        match v {
            Value::NONE => self.put(&[op::NONE]),
            Value::TRUE => self.put(&[op::NEWTRUE]),
            Value::FALSE => self.put(&[op::NEWFALSE]),
            _ if types::is_exactly(v, Kind::Int) => self.int(th, v)?,
            _ if types::is_exactly(v, Kind::Float) => {
                self.put(&[op::BINFLOAT]);
                self.put(&float::as_f64(v).unwrap_or(0.0).to_be_bytes());
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn int(&mut self, th: &mut Thread, v: Value) -> R<()> {
        if let Some(n) = int::as_i64(v).and_then(|n| i32::try_from(n).ok()) {
            let [a, b, c, d] = n.to_le_bytes();
            match n {
                0..=0xff => self.put(&[op::BININT1, a]),
                0x100..=0xffff => self.put(&[op::BININT2, a, b]),
                _ => self.put(&[op::BININT, a, b, c, d]),
            }
            return Ok(());
        }
        // The fewest bytes that hold the number and its sign.
        let digits = int::big(&mut th.m, v)?.to_le_bytes();
        match u8::try_from(digits.len()) {
            Ok(n) => self.put(&[op::LONG1, n]),
            Err(_) => self.numbered(op::LONG4, digits.len()),
        }
        self.put(&digits);
        Ok(())
    }

    fn compound(&mut self, th: &mut Thread, v: Value) -> R<()> {
        let kind = types::kind_of(v);
        if matches!(kind, Kind::Str | Kind::Bytes | Kind::ByteArray) && types::is_exactly(v, kind) {
            return self.text(th, v, kind);
        }
        th.nested(" while pickling an object", |th| {
            if let Some(hook) = self.reducer_override {
                let reduced = th.call(hook, &[v])?;
                if reduced != Value::NOT_IMPLEMENTED {
                    return self.reduced(th, v, reduced);
                }
            }
            match kind {
                Kind::List if types::is_exactly(v, kind) => self.list(th, v),
                Kind::Tuple if types::is_exactly(v, kind) => self.tuple(th, v),
                Kind::Dict if types::is_exactly(v, kind) => self.dict(th, v),
                Kind::Set | Kind::FrozenSet if types::is_exactly(v, kind) && self.protocol >= 4 => {
                    self.set(th, v, kind)
                }
                Kind::Function | Kind::Class => self.global(th, v, Value::NONE),
                Kind::Instance if self.is_plain(th, v)? => self.instance(th, v),
                _ => {
                    let reduced = th.call(self.reduce, &[v, Value::int_unchecked(self.protocol.into())])?;
                    self.reduced(th, v, reduced)
                }
            }
        })
    }

    fn text(&mut self, th: &mut Thread, v: Value, kind: Kind) -> R<()> {
        let four = |code| (self.protocol >= 4).then_some(code);
        match kind {
            Kind::Str => {
                let data = str::as_str(v).unwrap_or("").as_bytes();
                self.sized([four(op::SHORT_BINUNICODE), Some(op::BINUNICODE), four(op::BINUNICODE8)], data);
            }
            Kind::Bytes if self.protocol >= 3 => {
                let data = bytes::as_bytes(v).unwrap_or(&[]);
                self.sized([Some(op::SHORT_BINBYTES), Some(op::BINBYTES), four(op::BINBYTES8)], data);
            }
            Kind::ByteArray if self.protocol >= 5 => {
                let contents = bytearray::of(v).map(bytearray::snapshot).unwrap_or_default();
                self.sized([None, None, Some(op::BYTEARRAY8)], &contents);
            }
            _ => {
                let reduced = th.call(self.reduce, &[v, Value::int_unchecked(self.protocol.into())])?;
                return self.reduced(th, v, reduced);
            }
        }
        self.remember(th, v)
    }

    fn list(&mut self, th: &mut Thread, v: Value) -> R<()> {
        self.put(&[op::EMPTY_LIST]);
        self.remember(th, v)?;
        let Some(l) = list::of(v) else { return Ok(()) };
        let len = list::len(l);
        if len == 1 {
            return self.only(th, list::get(l, 0), op::APPEND);
        }
        let mut i = 0;
        while i < list::len(l) {
            self.put(&[op::MARK]);
            // Writing may run code that changes the list: it is looked at anew each time.
            let end = i + BATCH;
            while let Some(item) = list::get(l, i).filter(|_| i < end) {
                self.save(th, item)?;
                i += 1;
            }
            self.put(&[op::APPENDS]);
        }
        Ok(())
    }

    fn only(&mut self, th: &mut Thread, item: Option<Value>, code: u8) -> R<()> {
        if let Some(item) = item {
            self.save(th, item)?;
            self.put(&[code]);
        }
        Ok(())
    }

    fn tuple(&mut self, th: &mut Thread, v: Value) -> R<()> {
        let items = tuple::items(v);
        if items.is_empty() {
            self.put(&[op::EMPTY_TUPLE]);
            return Ok(());
        }
        let short = [op::TUPLE1, op::TUPLE2, op::TUPLE3].get(items.len() - 1).copied();
        if short.is_none() {
            self.put(&[op::MARK]);
        }
        for item in items {
            self.save(th, item.value())?;
        }
        // A tuple that is in itself was written while its items were: they are not needed.
        if let Some(n) = self.memo.get(&v.bits()).copied() {
            match short {
                Some(_) => items.iter().for_each(|_| self.put(&[op::POP])),
                None => self.put(&[op::POP_MARK]),
            }
            self.recall(n);
            return Ok(());
        }
        self.put(&[short.unwrap_or(op::TUPLE)]);
        self.remember(th, v)
    }

    fn dict(&mut self, th: &mut Thread, v: Value) -> R<()> {
        self.put(&[op::EMPTY_DICT]);
        self.remember(th, v)?;
        let Some(d) = dict::of(v) else { return Ok(()) };
        let only = dict::len(d) == 1;
        let (mut at, mut written) = (0, 0);
        while let Some((next, key, value)) = dict::next_entry(d, at) {
            at = next;
            if !only && written == 0 {
                self.put(&[op::MARK]);
            }
            self.save(th, key)?;
            self.save(th, value)?;
            written += 1;
            if written % BATCH == 0 {
                self.put(&[op::SETITEMS, op::MARK]);
            }
        }
        match written {
            0 => {}
            _ if only => self.put(&[op::SETITEM]),
            _ => self.put(&[op::SETITEMS]),
        }
        Ok(())
    }

    fn set(&mut self, th: &mut Thread, v: Value, kind: Kind) -> R<()> {
        let frozen = kind == Kind::FrozenSet;
        if !frozen {
            self.put(&[op::EMPTY_SET]);
            self.remember(th, v)?;
        }
        let Some(s) = set::of(v) else { return Ok(()) };
        let (mut at, mut written) = (0, 0);
        if frozen {
            self.put(&[op::MARK]);
        }
        while let Some((next, _, item)) = set::next_entry(s, at) {
            at = next;
            if !frozen && written == 0 {
                self.put(&[op::MARK]);
            }
            self.save(th, item)?;
            written += 1;
            if !frozen && written % BATCH == 0 {
                self.put(&[op::ADDITEMS, op::MARK]);
            }
        }
        if !frozen {
            if written > 0 {
                self.put(&[op::ADDITEMS]);
            }
            return Ok(());
        }
        if let Some(n) = self.memo.get(&v.bits()).copied() {
            self.put(&[op::POP_MARK]);
            self.recall(n);
            return Ok(());
        }
        self.put(&[op::FROZENSET]);
        self.remember(th, v)
    }

    /// Whether an object is a class and attributes, and nobody has a say in how it comes apart.
    fn is_plain(&self, th: &mut Thread, v: Value) -> R<bool> {
        const SAYS: [&str; 6] = [
            "__reduce_ex__",
            "__reduce__",
            "__getstate__",
            "__getnewargs_ex__",
            "__getnewargs__",
            "__slots__",
        ];
        let class = types::class_of(v);
        if class == types::class_of_kind(Kind::Instance)
            || dict::of(self.table).is_none_or(|d| dict::len(d) > 0)
        {
            return Ok(false);
        }
        // What every object has says nothing.
        let by_object = |f: Value| {
            let owner = types::cast::<Native>(f).and_then(|n| n.owner.get());
            owner == Some(types::class_of_kind(Kind::Instance))
        };
        Ok(SAYS.iter().all(|name| {
            let found = th.lookup.find_special(&mut th.m, class, name).and_then(|cell| cell.value.get());
            found.is_none_or(by_object)
        }))
    }

    fn instance(&mut self, th: &mut Thread, v: Value) -> R<()> {
        self.save(th, types::class_of(v))?;
        self.put(&[op::EMPTY_TUPLE, op::NEWOBJ]);
        self.remember(th, v)?;
        let name = th.name("__dict__")?;
        let attributes = th.get_attr(v, name)?;
        if dict::of(attributes).is_some_and(|d| dict::len(d) > 0) {
            self.dict(th, attributes)?;
            self.put(&[op::BUILD]);
        }
        Ok(())
    }

    /// What is found by its name.
    fn global(&mut self, th: &mut Thread, v: Value, name: Value) -> R<()> {
        let place = th.call(self.locate, &[v, name])?;
        let [module, name] = tuple::items(place) else {
            // `type(None)` and its like: they are made by a call.
            let reduced = th.call(self.reduce, &[v, Value::int_unchecked(self.protocol.into())])?;
            return self.reduced(th, v, reduced);
        };
        if self.protocol >= 4 {
            self.save(th, module.value())?;
            self.save(th, name.value())?;
            self.put(&[op::STACK_GLOBAL]);
        } else {
            let line = |v: Value| str::as_str(v).unwrap_or("");
            let text = format!("{}\n{}\n", line(module.value()), line(name.value()));
            self.put(&[op::GLOBAL]);
            self.put(text.as_bytes());
        }
        self.remember(th, v)
    }

    /// What `__reduce_ex__` returned: the name of a global, or how to make the object again.
    fn reduced(&mut self, th: &mut Thread, v: Value, reduced: Value) -> R<()> {
        if types::kind_of(reduced) == Kind::Str {
            return self.global(th, v, reduced);
        }
        let parts = tuple::items(reduced);
        if types::kind_of(reduced) != Kind::Tuple || !(2..=6).contains(&parts.len()) {
            return Err(fail(th, "PicklingError", "__reduce__ must return a string or tuple"));
        }
        let part = |i: usize| parts.get(i).map(|slot| slot.value()).filter(|v| *v != Value::NONE);
        let Some(make) = part(0).filter(|make| super::builtins::is_callable(th, *make)) else {
            return Err(fail(
                th,
                "PicklingError",
                "first item of the tuple returned by __reduce__ must be callable",
            ));
        };
        let Some(args) = part(1).filter(|args| types::kind_of(*args) == Kind::Tuple) else {
            return Err(fail(
                th,
                "PicklingError",
                "second item of the tuple returned by __reduce__ must be a tuple",
            ));
        };
        self.make(th, make, args)?;
        match self.memo.get(&v.bits()).copied() {
            // It is in its own arguments, and they made it.
            Some(n) => {
                self.put(&[op::POP]);
                self.recall(n);
            }
            None => self.remember(th, v)?,
        }
        if let Some(items) = part(3) {
            self.batches(th, items, [op::APPEND, op::APPENDS], false)?;
        }
        if let Some(entries) = part(4) {
            self.batches(th, entries, [op::SETITEM, op::SETITEMS], true)?;
        }
        let Some(state) = part(2) else { return Ok(()) };
        match part(5) {
            None => {
                self.save(th, state)?;
                self.put(&[op::BUILD]);
            }
            Some(setter) => {
                self.save(th, setter)?;
                self.save(th, v)?;
                self.save(th, state)?;
                self.put(&[op::TUPLE2, op::REDUCE, op::POP]);
            }
        }
        Ok(())
    }

    /// The call that makes an object; that of a class's `__new__` has an opcode of its own.
    fn make(&mut self, th: &mut Thread, make: Value, args: Value) -> R<()> {
        let name = th.name("__name__")?;
        let name = th.get_attr_opt(make, name)?.and_then(str::as_str).unwrap_or("");
        let items = tuple::items(args);
        match (name, items) {
            ("__newobj__", [class, rest @ ..]) => {
                let rest = tuple::value(tuple::from_slots(&mut th.m, rest)?);
                self.save(th, class.value())?;
                self.save(th, rest)?;
                self.put(&[op::NEWOBJ]);
            }
            ("__newobj_ex__", [class, positional, keywords]) if self.protocol >= 4 => {
                self.save(th, class.value())?;
                self.save(th, positional.value())?;
                self.save(th, keywords.value())?;
                self.put(&[op::NEWOBJ_EX]);
            }
            _ => {
                self.save(th, make)?;
                self.save(th, args)?;
                self.put(&[op::REDUCE]);
            }
        }
        Ok(())
    }

    /// The items of an iterable behind marks; one that is left alone, without.
    fn batches(&mut self, th: &mut Thread, items: Value, [one, many]: [u8; 2], pairs: bool) -> R<()> {
        let items = th.collect(items)?;
        let Some(l) = list::of(items) else { return Ok(()) };
        let n = list::len(l);
        for i in 0..n {
            let (first, last) = (i % BATCH == 0, i + 1 == n);
            if first && !last {
                self.put(&[op::MARK]);
            }
            let Some(item) = list::get(l, i) else { break };
            match tuple::items(item) {
                [key, value] if pairs => {
                    self.save(th, key.value())?;
                    self.save(th, value.value())?;
                }
                _ if pairs => {
                    return Err(fail(th, "PicklingError", "dict items iterator must return 2-tuples"));
                }
                _ => self.save(th, item)?,
            }
            match (first, last) {
                (true, true) => self.put(&[one]),
                _ if last || (i + 1) % BATCH == 0 => self.put(&[many]),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Raises an exception that `pickle.mini` defines.
#[cold]
pub fn fail(th: &mut Thread, class: &'static str, message: &str) -> crate::object::Raised {
    let raise = |th: &mut Thread| -> R {
        let module = crate::vm::import::import_dotted(th, "pickle")?;
        let name = th.name(class)?;
        let class = th.get_attr(module, name)?;
        let text = th.new_str(message)?;
        th.call(class, &[text])
    };
    match raise(th) {
        Ok(exception) => th.raise_value(exception),
        Err(raised) => raised,
    }
}
