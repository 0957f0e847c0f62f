//! From a compiled code object to code that can run: constants become values, globals become cells, sites get caches.
//! Must not know what the instructions do with them.

use super::call::Called;
use super::frame;
use super::thread::Thread;
use crate::bytecode::code::{self, Const, SITE_WORDS};
use crate::object::code::unlinked;
use crate::object::layout::{BoundMethod, Code, Function};
use crate::object::mutator::Mutator;
use crate::object::{R, Slot, Value, dict, func, heap, int, set, types};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// All linked code, weakly: whose caches must be emptied when a class changes or a shape dies.
static LINKED: Mutex<Vec<u64>> = Mutex::new(Vec::new());
/// The module whose names every other module sees.
static BUILTINS: Slot = Slot::empty();

/// Start-up only: the `builtins` module.
pub fn set_builtins(module: Value) {
    BUILTINS.set(module);
}

/// The `builtins` module.
pub fn builtins() -> Value {
    BUILTINS.value()
}

/// The collector's roots of this file.
pub fn visit_roots(visit: &mut dyn FnMut(Value)) {
    BUILTINS.get().into_iter().for_each(visit);
}

/// One thread at a time links: nobody may see half of it.
static LINKING: Mutex<()> = Mutex::new(());

/// A code object of a module. It is linked, and what is in it read, when it is first called: most of the functions that
/// a program imports never are.
pub fn link(th: &mut Thread, plain: &Arc<code::Code>, module: Value) -> R {
    let m = &mut th.m;
    let name = m.intern(&plain.name)?;
    let p = m.alloc::<Code>(0)?;
    let simple = !plain.flags.varargs && !plain.flags.varkw && plain.nkwonly == 0;
    let made = Code {
        // SAFETY: `alloc` has written the header; it is read back unchanged.
        hdr: unsafe { std::ptr::read(&raw const (*p).hdr) },
        data: unlinked().into(),
        // One more than the compiler asks for: calling a class moves the arguments up by one.
        nregs: plain.nregs as u32 + 1,
        simple_args: if simple { plain.nparams as u32 } else { u32::MAX },
        module: Slot::new(module),
        name: Slot::new(name),
        qualname: Slot::empty(),
        plain: Arc::into_raw(plain.clone()),
    };
    // SAFETY: freshly allocated, of this size, and not shared yet.
    unsafe { p.write(made) };
    let value = Value::from_addr(p.addr());
    heap::add_finalizable(value);
    Ok(value)
}

/// `Link`: the running function's code is linked, and begun.
#[cold]
pub(crate) fn begin(th: &mut Thread) -> R<Called> {
    let parts = frame::function(th.base).and_then(|f| Some((f, frame::code_of(f)?)));
    let Some((function, code)) = parts else { return Err(th.type_error("not a function's frame")) };
    function.data.store(linked(th, code)?, Ordering::Release);
    th.pc = frame::first(function);
    Ok(Called::Frame)
}

/// Links the code of a function, or method, before its first call: in a process that is about to fork, which does for all its children what
/// each of them would do. Anything else is left as it is.
pub fn prepare(th: &mut Thread, v: Value) -> R<()> {
    let v = types::cast::<BoundMethod>(v).and_then(|method| method.func.get()).unwrap_or(v);
    if let Some((function, code)) = types::cast::<Function>(v).and_then(|f| Some((f, frame::code_of(f)?))) {
        function.data.store(linked(th, code)?, Ordering::Release);
    }
    Ok(())
}

/// The data segment of a code object, which is linked now.
fn linked(th: &mut Thread, code: &Code) -> R<*mut u64> {
    if let Some(data) = code.linked() {
        return Ok(data);
    }
    // What is done here neither collects nor runs Mini code.
    let _one = LINKING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(data) = code.linked() {
        return Ok(data);
    }
    let words = segment(th, frame::plain(code), code.module.value())?;
    let data = Box::leak(words).as_mut_ptr();
    code.data.store(data, Ordering::Release);
    let value = Value::from_addr(std::ptr::from_ref(code).addr());
    LINKED.lock().unwrap_or_else(PoisonError::into_inner).push(value.bits());
    Ok(data)
}

/// The words of a data segment.
fn segment(th: &mut Thread, plain: &code::Code, module: Value) -> R<Box<[u64]>> {
    let m = &mut th.m;
    let mut data: Vec<u64> = Vec::with_capacity(plain.data_len());
    data.push(plain.insns.as_ptr().expose_provenance() as u64);
    data.resize(plain.sites_at(), 0);
    for site in &plain.sites {
        data.extend([m.intern(site)?.bits(), 0, 0, 0]);
    }
    let seen = Builtins::of(m, module)?;
    for name in &plain.globals {
        data.push(global_cell_beside(m, module, seen, name)?.bits());
    }
    for constant in &plain.consts {
        data.push(constant_value(th, constant, module)?.bits());
    }
    Ok(data.into_boxed_slice())
}

/// The same code for another module.
pub fn relink(th: &mut Thread, code: &Code, module: Value) -> R {
    // SAFETY: `plain` came from `Arc::into_raw` and is alive with the Code; the count is for the Arc made here.
    let plain = unsafe {
        Arc::increment_strong_count(code.plain);
        Arc::from_raw(code.plain)
    };
    link(th, &plain, module)
}

/// Whose names a module sees besides its own.
#[derive(Clone, Copy, PartialEq)]
pub enum Builtins {
    /// Those that every module sees; it may be that module itself.
    Common,
    /// This namespace's: the value of the module's `__builtins__`.
    Own(Value),
    /// Nobody's: `__builtins__` is None.
    Nothing,
}

impl Builtins {
    /// What the module's `__builtins__` says. A dict that is no namespace counts for nothing.
    pub fn of(m: &mut Mutator, module: Value) -> R<Builtins> {
        let key = m.intern("__builtins__")?;
        let Some(said) = func::module_dict(module).and_then(|names| dict::find_str(names, key)) else {
            return Ok(Builtins::Common);
        };
        let names = func::module_dict(said).unwrap_or(said);
        Ok(match dict::of(names) {
            _ if said.is_none() => Builtins::Nothing,
            Some(d) if dict::is_namespace(d) && Some(names) != func::module_dict(builtins()) => {
                Builtins::Own(names)
            }
            _ => Builtins::Common,
        })
    }
}

/// The cell of a module's global, connected to the builtin of the same name.
pub fn global_cell(m: &mut Mutator, module: Value, name: &str) -> R {
    let seen = Builtins::of(m, module)?;
    global_cell_beside(m, module, seen, name)
}

fn global_cell_beside(m: &mut Mutator, module: Value, seen: Builtins, name: &str) -> R {
    let name = m.intern(name)?;
    let own = func::module_dict(module).unwrap_or(Value::NONE);
    let cell = dict::cell_for(m, own, name)?;
    let Some(c) = types::cast::<crate::object::layout::Cell>(cell) else { return Ok(cell) };
    match seen {
        Builtins::Common if c.fallback.get().is_some() => {}
        Builtins::Common if module != builtins() => {
            let shared = func::module_dict(builtins()).unwrap_or(Value::NONE);
            let fallback = dict::cell_for(m, shared, name)?;
            c.fallback.set(fallback);
        }
        Builtins::Own(names) if names != own => {
            let fallback = dict::cell_for(m, names, name)?;
            c.fallback.set(fallback);
        }
        // Cells that fall back on themselves: reading is then the same two loads everywhere.
        _ => c.fallback.set(cell),
    }
    Ok(cell)
}

fn constant_value(th: &mut Thread, constant: &Const, module: Value) -> R {
    let m = &mut th.m;
    Ok(match constant {
        Const::None => Value::NONE,
        Const::True => Value::TRUE,
        Const::False => Value::FALSE,
        Const::Ellipsis => Value::ELLIPSIS,
        Const::Int(n) => m.new_int(*n)?,
        Const::BigInt(digits) => int::literal(m, digits)?,
        Const::Float(f) => m.new_float(*f)?,
        Const::Str(s) => {
            if looks_like_name(s) {
                m.intern(s)?
            } else {
                m.new_str(s)?
            }
        }
        Const::Bytes(b) => m.new_bytes(b)?,
        Const::Tuple(items) => {
            let values = constant_values(th, items, module)?;
            th.m.new_tuple(&values)?
        }
        Const::FrozenSet(items) => {
            let values = constant_values(th, items, module)?;
            let frozen = set::new_frozen(&mut th.m)?;
            for v in values {
                th.set_add(frozen, v)?;
            }
            frozen
        }
        Const::Code(code) => link(th, code, module)?,
    })
}

fn constant_values(th: &mut Thread, items: &[Const], module: Value) -> R<Vec<Value>> {
    items.iter().map(|c| constant_value(th, c, module)).collect()
}

fn looks_like_name(s: &str) -> bool {
    s.len() <= 40 && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The constants in the data segment of a code object.
pub fn constants(th: &mut Thread, code: &Code) -> R<Vec<Value>> {
    let data = linked(th, code)?;
    let plain = frame::plain(code);
    // SAFETY: as in `site_words`; the constants stand at `consts_at`, and nobody writes them.
    let words =
        unsafe { std::slice::from_raw_parts(data.add(plain.consts_at()).cast::<u64>(), plain.consts.len()) };
    Ok(words.iter().filter_map(|word| Value::from_bits(*word)).collect())
}

/// The words of a code object's sites, names included.
fn site_words(code: &Code) -> &[AtomicU64] {
    let Some(data) = code.linked() else { return &[] };
    let plain = frame::plain(code);
    // SAFETY: the data segment has `sites * SITE_WORDS` words of sites at `sites_at`, and their cache words are only
    // ever accessed atomically.
    unsafe {
        std::slice::from_raw_parts(
            data.add(plain.sites_at()).cast::<AtomicU64>(),
            plain.sites.len() * SITE_WORDS,
        )
    }
}

/// Empties every inline cache. Only while the world is stopped.
pub fn flush_caches() {
    for_each_cache(|word| word.store(0, Ordering::Relaxed));
}

fn for_each_cache(mut visit: impl FnMut(&AtomicU64)) {
    let linked = LINKED.lock().unwrap_or_else(PoisonError::into_inner);
    for code in linked.iter().filter_map(|bits| types::cast::<Code>(Value::from_bits(*bits)?)) {
        site_words(code).chunks_exact(SITE_WORDS).for_each(|site| site[1..].iter().for_each(&mut visit));
    }
}

/// The collector has marked: forgets dead code, and cache words that name dead shapes or cells.
pub fn drop_dead(alive: &dyn Fn(Value) -> bool) {
    {
        let mut linked = LINKED.lock().unwrap_or_else(PoisonError::into_inner);
        linked.retain(|bits| Value::from_bits(*bits).is_some_and(alive));
    }
    for_each_cache(|word| {
        let bits = word.load(Ordering::Relaxed);
        if bits != 0 {
            let (low, shape) = ((bits >> 32) as u32, bits as u32);
            // `low` is a slot number, a shape or a cell; small numbers are slots.
            let low_dead = low >= MIN_REFERENCE && !alive(heap::expand(low));
            if !alive(heap::expand(shape)) || low_dead {
                word.store(0, Ordering::Relaxed);
            }
        }
    });
}

/// Compressed references are larger than any slot number: the heap begins with a block that holds no cells.
pub const MIN_REFERENCE: u32 = 1024;
