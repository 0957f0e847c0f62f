//! Calls: every kind of callable, from the eval loop's windows and from Rust.
//! Must not know how arguments are matched to parameters (`bind.rs`) nor how classes are made (`classes.rs`).

mod forward;
mod short;

use super::frame::{self, CTOR, ENTRY, FLAGS, LINK, RESULT};
use super::native::{Args, NativeDef, NativeFn};
use super::thread::Thread;
use super::{attr, bind, classes, construct, run, type_names, unwind};
use crate::bytecode::op::Insn;
use crate::object::layout::{BoundMethod, Function, Native};
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Slot, Value, Word, class, func, intern, tuple, types};
use smallvec::SmallVec;
use std::sync::atomic::{AtomicU64, Ordering};

/// Keyword arguments on their way to a callee.
pub(super) type Keywords = SmallVec<[(Value, Value); 8]>;

/// During what the recursion limit was met: CPython's words for an object that is called through its class.
const CALLING: &str = " while calling a Python object";

/// What became of a call in a window.
pub enum Called {
    /// It is done.
    Value(Value),
    /// A frame has been pushed: run it.
    Frame,
}

/// `Call`: the callable in `window[0]`, `n` arguments from `window[4]` on.
#[inline(never)]
pub(crate) fn call_window(th: &mut Thread, window: *mut u64, n: usize) -> R<Called> {
    // SAFETY: a call window of verified code: callable, link, arguments.
    let callee = unsafe { word(*window) };
    // A function whose defaults are all that is missing: what is called most often among what the loop leaves to this.
    let base = window.wrapping_add(LINK);
    if let Some(f) = types::cast::<Function>(callee)
        && th.depth > 0
        && base.wrapping_add(f.nregs as usize) <= th.limit
        && bind::defaults_alone(f, base, n)
    {
        return Ok(push_bound(th, base, f, 0));
    }
    match types::kind_of(callee) {
        Kind::Native => {
            let args = window.wrapping_add(LINK);
            if enters(th, callee, window, n)? {
                return Ok(Called::Frame);
            }
            native_in_place(th, callee, args, n).map(Called::Value)
        }
        Kind::Function => call_function_in_window(th, callee, window, n, 0),
        Kind::BoundMethod => {
            let Some(bound) = types::cast::<BoundMethod>(callee) else {
                return Err(not_callable(th, callee));
            };
            let f = bound.func.value();
            shift_in(window, n, bound.receiver.value());
            set(window, f);
            match types::kind_of(f) {
                Kind::Function => call_function_in_window(th, f, window, n + 1, 0),
                Kind::BoundMethod => call_values(th, window, n + 1),
                _ => call_window(th, window, n + 1),
            }
        }
        Kind::Class => construct::call_in_window(th, callee, window, n),
        _ => {
            let Some(f) = th.lookup_special(callee, "__call__") else { return Err(not_callable(th, callee)) };
            if let Some(parts) = forward::parts(f, callee) {
                return forward::call(th, &parts, window, arguments(window, n), &[]);
            }
            if !attr::is_method(f) {
                set(window, attr::bind(th, f, callee, types::class_of(callee))?);
                return th.nested(CALLING, |th| call_values(th, window, n));
            }
            shift_in(window, n, callee);
            set(window, f);
            if types::kind_of(f) == Kind::Native {
                return native_in_place(th, f, window.wrapping_add(LINK), n + 1).map(Called::Value);
            }
            th.nested(CALLING, |th| call_values(th, window, n + 1))
        }
    }
}

/// Calls a function whose `n` arguments lie in the window, in a frame with these flags.
#[inline]
pub(super) fn call_function_in_window(
    th: &mut Thread,
    callee: Value,
    window: *mut u64,
    n: usize,
    flags: u64,
) -> R<Called> {
    let base = window.wrapping_add(LINK);
    if let Some(f) = types::cast::<Function>(callee)
        && th.depth > 0
        && base.wrapping_add(f.nregs as usize) <= th.limit
        && bind::defaults_alone(f, base, n)
    {
        return Ok(push_bound(th, base, f, flags));
    }
    bind::positional(th, callee, base, n)?;
    push(th, base, flags)
}

/// Natives that the loop does the work of: `next(g)` and `g.send(x)` go on in the generator's frame, `len(x)` in that of a
/// method written in Mini. False: the native is to be called.
#[inline]
fn enters(th: &mut Thread, callee: Value, window: *mut u64, n: usize) -> R<bool> {
    let Some(def) = super::fields::def(callee) else { return Ok(false) };
    let args = window.wrapping_add(LINK);
    match def.run {
        NativeFn::Resume { takes, .. } if takes == n => {
            // SAFETY: `n` arguments of the window, at least one.
            let (first, sent) =
                unsafe { (word(*args), if n > 1 { word(*args.add(1)) } else { Value::NONE }) };
            Ok(super::coroutine::resume_in_loop(th, first, sent))
        }
        NativeFn::Ask { method, .. } if n == 1 => {
            // SAFETY: as above.
            let object = unsafe { word(*args) };
            let found = match types::kind_of(object) {
                Kind::Instance => th.lookup_in_instance(object, method),
                _ => th.lookup_override(object, method),
            };
            let Some(f) = found else { return Ok(false) };
            let register = (window.addr() - th.base.addr()) / size_of::<u64>();
            push_plain(th, f, &[object], RESULT, register as u64)
        }
        _ => Ok(false),
    }
}

/// Calls through Rust: for callables that nest (a bound method of a bound method), where the window may run out.
fn call_values(th: &mut Thread, window: *mut u64, n: usize) -> R<Called> {
    th.check_native_stack()?;
    // SAFETY: the arguments of the window; one more register than the compiler counted is always there.
    let args = unsafe { std::slice::from_raw_parts(window.add(LINK).cast::<Value>(), n) };
    let callee = word(unsafe_read(window));
    th.call(callee, args).map(Called::Value)
}

fn unsafe_read(p: *mut u64) -> u64 {
    // SAFETY: a register of the running frame.
    unsafe { *p }
}

fn word(bits: u64) -> Value {
    Value::from_bits(bits).unwrap_or(Value::NONE)
}

pub(super) fn set(window: *mut u64, v: Value) {
    // SAFETY: a register of the running frame.
    unsafe { *window = v.bits() };
}

/// Makes room for a first argument. Linked code has one register more than the compiler asked for.
pub(super) fn shift_in(window: *mut u64, n: usize, first: Value) {
    // SAFETY: n + 1 argument registers exist (see `link.rs`: `nregs + 1`).
    unsafe {
        let args = window.add(LINK);
        for i in (0..n).rev() {
            // Atomic, so that the compiler does not call `memmove`, which takes longer for so few.
            *args.add(i + 1) = (*args.add(i).cast::<AtomicU64>()).load(Ordering::Relaxed);
        }
        *args = first.bits();
    }
}

/// Takes the first of `n + 1` arguments away again.
pub(super) fn shift_out(window: *mut u64, n: usize) {
    // SAFETY: the arguments of the window.
    unsafe {
        let args = window.add(LINK);
        std::ptr::copy(args.add(1), args, n);
    }
}

/// Calls a native in a window with one more argument, put first.
pub fn native_with_first(th: &mut Thread, f: Value, window: *mut u64, n: usize, first: Value) -> R {
    shift_in(window, n, first);
    native_in_place(th, f, window.wrapping_add(LINK), n + 1)
}

/// `CallM`: `window[4]` is the receiver, or EMPTY; `n` arguments behind it.
#[inline(never)]
pub fn call_method_window(th: &mut Thread, window: *mut u64, n: usize) -> R<Called> {
    let n = settle_receiver(window, n);
    call_window(th, window, n)
}

/// Closes the gap where there is no receiver. Returns the number of arguments, receiver included.
fn settle_receiver(window: *mut u64, n: usize) -> usize {
    // SAFETY: a method window of verified code.
    unsafe {
        let args = window.add(LINK);
        if *args != 0 {
            return n + 1;
        }
        std::ptr::copy(args.add(1), args, n);
        n
    }
}

/// `CallKw` in a window: so many arguments in all as the instruction says, the last of them named by a tuple.
pub(crate) fn call_keywords(th: &mut Thread, window: *mut u64, insn: Insn, names_value: Value) -> R<Called> {
    let mut n = insn.b as usize;
    if insn.x != 0 {
        n = settle_receiver(window, n);
    }
    // SAFETY: a call window of verified code.
    let mut callee = unsafe { word(*window) };
    if let Some(bound) = types::cast::<BoundMethod>(callee) {
        shift_in(window, n, bound.receiver.value());
        callee = bound.func.value();
        set(window, callee);
        n += 1;
    }
    let (names, base) = (tuple::items(names_value), window.wrapping_add(LINK));
    let positional = n - names.len().min(n);
    match types::kind_of(callee) {
        Kind::Function => {
            if !bind::named_alone(th, callee, base, positional, names_value) {
                let keywords = named(&arguments(window, n)[positional..], names);
                bind::keywords(th, callee, base, positional, &keywords)?;
            }
            return push(th, base, 0);
        }
        Kind::Class => {
            if let Some(called) = construct::call_with_names(th, callee, window, positional, names_value)? {
                return Ok(called);
            }
        }
        Kind::Host => {
            if let Some(f) = th.lookup_special(callee, "__call__")
                && let Some(parts) = forward::parts(f, callee)
            {
                return forward::call(th, &parts, window, arguments(window, n), names);
            }
        }
        _ => {}
    }
    let keywords = named(&arguments(window, n)[positional..], names);
    th.call_kw(callee, arguments(window, positional), &keywords).map(Called::Value)
}

/// The arguments of a window.
fn arguments<'a>(window: *mut u64, n: usize) -> &'a [Value] {
    // SAFETY: a call window of verified code, which lies in the running frame.
    unsafe { std::slice::from_raw_parts(window.add(LINK).cast::<Value>(), n) }
}

/// Arguments with their names.
fn named(values: &[Value], names: &[Slot]) -> Keywords {
    names.iter().zip(values).map(|(name, value)| (name.value(), *value)).collect()
}

/// `CallEx`: a list or tuple in `window[4]`, a dict or EMPTY in `window[5]`.
pub(crate) fn call_spread(th: &mut Thread, window: *mut u64) -> R<Called> {
    // SAFETY: a call window of verified code.
    let (callee, list, dict) =
        unsafe { (word(*window), word(*window.add(LINK)), Value::from_bits(*window.add(LINK + 1))) };
    let dict = dict.map(|mapping| keyword_dict(th, callee, mapping)).transpose()?;
    if let Some(dict) = dict {
        // SAFETY: as above; it stays alive in its register.
        unsafe { *window.add(LINK + 1) = dict.bits() };
    }
    let list = spread_list(th, callee, list)?;
    // SAFETY: as above; the list stays alive in its register, whatever becomes of the object it was made from.
    unsafe { *window.add(LINK) = list.bits() };
    let mut keywords = Keywords::new();
    if let Some(d) = dict.and_then(crate::object::dict::of) {
        let (mut at, step) = (0, crate::object::dict::steps(d));
        while let Some((next, key, value)) = step(at) {
            if crate::object::str::as_str(key).is_none() {
                return Err(th.type_error("keywords must be strings"));
            }
            let key = intern::intern_value(&mut th.m, key)?;
            keywords.push((key, value));
            at = next;
        }
    }
    if let Some(called) = spread_in_frame(th, callee, list, &keywords, window)? {
        return Ok(called);
    }
    let args = super::ops::iterate::values_of(list);
    // The list and the dict keep the values alive: both are in registers.
    th.call_kw(callee, &args, &keywords).map(Called::Value)
}

/// The items of `**mapping` as a dict of the class `dict` itself.
fn keyword_dict(th: &mut Thread, callee: Value, mapping: Value) -> R {
    let plain = crate::object::dict::of(mapping)
        .is_some_and(|d| !crate::object::layout::is_subclass_instance(&d.hdr));
    if plain {
        return Ok(mapping);
    }
    let dict = th.m.new_dict()?;
    let scope = th.scope();
    th.root(dict);
    let result = super::ops::build::map_update(th, dict, mapping, Some(callee));
    th.close(scope);
    result.map(|()| dict)
}

/// Pushes the frame of a function, or of a bound method's, above the running one; its result is for the register where
/// `window` begins. `None`: something else is called.
fn spread_in_frame(
    th: &mut Thread,
    callee: Value,
    list: Value,
    keywords: &[(Value, Value)],
    window: *mut u64,
) -> R<Option<Called>> {
    let (f, receiver) = match types::cast::<BoundMethod>(callee) {
        Some(bound) => (bound.func.value(), bound.receiver.get()),
        None => (callee, None),
    };
    if types::kind_of(f) != Kind::Function {
        return Ok(None);
    }
    let items = crate::object::list::of(list).map_or_else(|| tuple::items(list), crate::object::list::items);
    let positional = receiver.into_iter().chain(items.iter().filter_map(Slot::get));
    enter_above(th, f, (positional, items.len() + 1), keywords, window).map(Some)
}

/// Pushes the frame of a function above the running one, with arguments from anywhere (and at most how many); its result
/// is for the register where `window` begins.
fn enter_above(
    th: &mut Thread,
    f: Value,
    (positional, most): (impl Iterator<Item = Value>, usize),
    keywords: &[(Value, Value)],
    window: *mut u64,
) -> R<Called> {
    let base = th.new_base(most + keywords.len())?;
    let mut n = 0;
    for v in positional {
        copy_in(base.wrapping_add(n), &[v]);
        n += 1;
    }
    frame::set_link(base, Some(f), 0, th.base, 0, th.pc);
    if keywords.is_empty() {
        bind::positional(th, f, base, n)?;
    } else {
        bind::keywords(th, f, base, n, keywords)?;
    }
    let register = (window.addr() - th.base.addr()) / size_of::<u64>();
    let called = push(th, base, RESULT)?;
    frame::set_third(base, register as u64);
    Ok(called)
}

/// The items of `*v` as a list or tuple of the very type: they are copied before anything else runs.
fn spread_list(th: &mut Thread, callee: Value, v: Value) -> R {
    if matches!(types::kind_of(v), Kind::Tuple | Kind::List)
        && !crate::object::layout::is_subclass_instance(types::hdr(v))
    {
        return Ok(v);
    }
    match th.collect(v) {
        Err(raised) => {
            let unknown = th.pending_is(Exc::TypeError)
                && th.lookup_special(v, "__iter__").is_none()
                && !th.has_items(v);
            if !unknown {
                return Err(raised);
            }
            th.m.pending = None;
            let (f, class) = (super::ops::build::callee_name(th, callee), th.type_name(v));
            Err(th.type_error(format!("{f} argument after * must be an iterable, not {class}")))
        }
        list => list,
    }
}

/// Pushes the frame of the function below `base`, whose arguments are bound, with the running frame as its caller.
pub fn push(th: &mut Thread, base: *mut u64, flags: u64) -> R<Called> {
    let Some(f) = frame::function(base) else { return Err(th.type_error("object is not callable")) };
    if th.depth <= 0 || base.wrapping_add(f.nregs as usize) > th.limit {
        return Err(th.recursion_error(if th.depth <= 0 { "" } else { " (register stack is full)" }));
    }
    Ok(push_bound(th, base, f, flags))
}

/// As `push`, where there is room.
#[inline]
fn push_bound(th: &mut Thread, base: *mut u64, f: &Function, flags: u64) -> Called {
    let third =
        frame::function(th.base).map_or(0, |caller| caller.data.load(Ordering::Acquire).addr() as u64);
    let function = Value::from_addr(std::ptr::from_ref(f).addr());
    frame::set_link(base, Some(function), third, th.base, flags, th.pc);
    th.depth -= 1;
    th.base = base;
    th.pc = frame::first(f);
    Called::Frame
}

/// Pushes a frame above everything in use for a function that takes just these arguments as they are; `third` is its
/// third link word. False: its arguments need binding, and nothing was done.
#[inline]
pub(crate) fn push_plain(th: &mut Thread, f: Value, args: &[Value], flags: u64, third: u64) -> R<bool> {
    let Some(function) = types::cast::<Function>(f).filter(|f| f.simple_args as usize == args.len()) else {
        return Ok(false);
    };
    let base = frame::top(th.base).wrapping_add(LINK);
    if th.depth <= 0 || base.wrapping_add((function.nregs as usize).max(64)) > th.limit {
        return Ok(false);
    }
    frame::set_link(base, Some(f), third, th.base, flags, th.pc);
    copy_in(base, args);
    th.depth -= 1;
    th.base = base;
    th.pc = frame::first(function);
    Ok(true)
}

/// Calls a native whose arguments lie in registers.
#[inline]
pub fn native_in_place(th: &mut Thread, callee: Value, args: *mut u64, n: usize) -> R {
    let Some(native) = types::cast::<Native>(callee) else { return Err(not_callable(th, callee)) };
    // SAFETY: `def` is a `&'static NativeDef` (`func::new_native`); the arguments lie in `n` registers.
    let (def, args) =
        unsafe { (&*native.def.cast::<NativeDef>(), std::slice::from_raw_parts(args.cast::<Word>(), n)) };
    if let Some(owner) = native.owner.get().filter(|o| class::cast(*o).is_some()) {
        check_receiver(th, def, owner, args)?;
    }
    if def.params.takes(n) {
        return run_native(th, def, Args(args));
    }
    bind::native(th, def, native.owner.get(), args, &[])
}

/// Calls a native whose `n` arguments may be passed as they lie, and whose receiver is plainly of its class. `None`: not
/// so, and nothing was done.
///
/// # Safety
/// `callee` is a Native; its arguments lie in `n` registers, the first of them not EMPTY.
#[inline(always)]
pub unsafe fn native_direct(th: &mut Thread, callee: u64, args: *mut u64, n: usize) -> Option<R> {
    // SAFETY: by the caller; `def` is a `&'static NativeDef` (`func::new_native`).
    let (native, args) =
        unsafe { (&*(callee as *const Native), std::slice::from_raw_parts(args.cast::<Word>(), n)) };
    // SAFETY: `def` is a `&'static NativeDef`, as above.
    let def = unsafe { &*native.def.cast::<NativeDef>() };
    if native.receiver != 0 && !is_plain_receiver(native, args.first().copied().flatten()?) {
        return None;
    }
    if !def.params.takes(n) {
        return bind::without_keywords(th, def, args);
    }
    match def.run {
        NativeFn::Data(f) => Some(f(&mut th.m, Args(args))),
        NativeFn::Full(f) => Some(f(th, Args(args))),
        _ => native_of_other_form(th, def, Args(args)),
    }
}

/// Whether an object is of the class whose method this is, or of one that derives from it.
#[inline(always)]
fn is_plain_receiver(native: &Native, v: Value) -> bool {
    let alike = v.is_ref() && u64::from(types::hdr(v).shape.load(Ordering::Acquire)) == native.receiver;
    alike || is_own_receiver(native, v)
}

/// As `is_plain_receiver`, of numbers without a header and of objects with attributes or of a derived class.
#[cold]
#[inline(never)]
fn is_own_receiver(native: &Native, v: Value) -> bool {
    let own = types::class_of(v);
    native.owner.get().is_some_and(|owner| own == owner || class::is_subclass(own, owner))
}

/// As `native_direct`, of a native that is neither `Data` nor `Full`.
#[inline(never)]
fn native_of_other_form(th: &mut Thread, def: &NativeDef, args: Args) -> Option<R> {
    Some(match def.run {
        // The loop resumes a generator itself, and calls the methods of instances.
        NativeFn::Resume { takes, .. } if takes == args.0.len() => return None,
        NativeFn::Ask { run, .. } => match args.0.first().copied().flatten() {
            Some(v) if types::kind_of(v) == Kind::Instance => return None,
            _ => run(th, args),
        },
        _ => run_native(th, def, args),
    })
}

/// A method called through its class must get a receiver of that class.
#[inline]
fn check_receiver(th: &mut Thread, def: &NativeDef, owner: Value, args: &[Word]) -> R<()> {
    let Some(receiver) = args.first().copied().flatten() else {
        let class = class::name(owner);
        if is_slot(def.name, owner) {
            let name = def.name;
            return Err(th.type_error(format!("descriptor '{name}' of '{class}' object needs an argument")));
        }
        return Err(th.type_error(format!("unbound method {class}.{}() needs an argument", def.name)));
    };
    let own = types::class_of(receiver);
    if own == owner || class::is_subclass(own, owner) {
        return Ok(());
    }
    let (class, got) = (type_names::of_class(owner), th.type_name(receiver));
    let name = def.name;
    if is_slot(name, owner) {
        return Err(
            th.type_error(format!("descriptor '{name}' requires a '{class}' object but received a '{got}'"))
        );
    }
    Err(th.type_error(format!("descriptor '{name}' for '{class}' objects doesn't apply to a '{got}' object")))
}

/// Whether CPython keeps this method of a built-in class in a slot: its messages have other words then, and its class
/// another name.
pub fn is_slot(name: &str, class: Value) -> bool {
    // Ordinary methods with names of operators, and of which classes; of any, if none is named.
    let plain: &[&str] = match name {
        "__getitem__" => &["dict", "list"],
        "__contains__" => &["dict", "set", "frozenset"],
        "__format__" | "__round__" | "__trunc__" | "__floor__" | "__ceil__" | "__sizeof__"
        | "__reversed__" => &[],
        "__reduce__" | "__reduce_ex__" | "__getstate__" | "__setstate__" | "__getnewargs__" | "__dir__" => {
            &[]
        }
        "__bytes__" | "__length_hint__" | "__enter__" | "__exit__" | "__copy__" | "__deepcopy__" => &[],
        "__instancecheck__" | "__subclasscheck__" | "__subclasses__" | "__prepare__" | "__complex__" => &[],
        "__missing__" | "__class_getitem__" | "__fspath__" => &[],
        _ => return name.starts_with("__"),
    };
    !(plain.is_empty() || plain.contains(&class::name(class).as_str()))
}

/// Runs a native with bound arguments.
#[inline]
pub fn run_native(th: &mut Thread, def: &NativeDef, args: Args) -> R {
    match def.run {
        NativeFn::Data(f) => f(&mut th.m, args),
        NativeFn::Full(f)
        | NativeFn::Resume { run: f, .. }
        | NativeFn::Ask { run: f, .. }
        | NativeFn::Forward { run: f, .. } => f(th, args),
        NativeFn::Indexed { from, run } => {
            let asks = |v: &Value| types::kind_of(*v) == Kind::Instance;
            match args.0.iter().skip(from).flatten().any(asks) {
                true => run_indexed(th, from, run, args),
                false => run(&mut th.m, args),
            }
        }
    }
}

/// Asks the objects among the arguments for their ints. What has none is left for the native to refuse.
#[cold]
fn run_indexed(th: &mut Thread, from: usize, run: fn(&mut Mutator, Args) -> R, args: Args) -> R {
    let mut words: SmallVec<[Word; 4]> = SmallVec::from_slice(args.0);
    for word in words.iter_mut().skip(from) {
        if let Some(v) = word.filter(|v| types::kind_of(*v) == Kind::Instance)
            && th.lookup_special(v, "__index__").is_some()
        {
            *word = Some(th.index_value(v)?);
        }
    }
    run(&mut th.m, Args(&words))
}

/// A `Return` from a frame with flags. `Some`: leave the loop with this value; `None`: go on in the caller.
#[inline(never)]
pub fn return_special(th: &mut Thread, value: Value) -> R<Option<Value>> {
    let base = th.base;
    let (flags, third) = (frame::flags(base), frame::link(base, 3));
    let mut value = value;
    if flags & CTOR != 0 {
        if !value.is_none() {
            return Err(init_returned(th, value));
        }
        value = word(third);
    }
    unwind::pop(th);
    if flags & ENTRY != 0 {
        return Ok(Some(value));
    }
    if flags & RESULT != 0 {
        return answer(th, third, value).map(|()| None);
    }
    debug_assert!(flags & FLAGS != 0);
    // SAFETY: the caller's window.
    unsafe { *base.sub(LINK) = value.bits() };
    Ok(None)
}

/// What a frame that an instruction entered has returned: for a register, or to decide a jump.
#[inline(never)]
fn answer(th: &mut Thread, third: u64, value: Value) -> R<()> {
    if third == frame::JUMP {
        return super::ops::framed::answer_jump(th, value);
    }
    let value = super::ops::framed::settle(th, value)?;
    // SAFETY: the register that the third link word names.
    unsafe { *th.base.add(third as usize) = value.bits() };
    Ok(())
}

#[cold]
#[inline(never)]
fn init_returned(th: &mut Thread, value: Value) -> crate::object::Raised {
    let class = th.type_name(value);
    th.type_error(format!("__init__() should return None, not '{class}'"))
}

#[cold]
fn not_callable(th: &mut Thread, callee: Value) -> crate::object::Raised {
    let class = th.type_name(callee);
    th.type_error(format!("'{class}' object is not callable"))
}

impl Thread {
    /// Calls `f` with these arguments. They need not be rooted by the caller.
    pub fn call(&mut self, f: Value, args: &[Value]) -> R {
        if self.has_native_stack() {
            if let Some(bound) = types::cast::<BoundMethod>(f) {
                if let Some(result) = self.call_bound_short(bound, args) {
                    return result;
                }
            } else if push_plain(self, f, args, ENTRY, 0)? {
                return run::run_entered(self);
            }
        }
        self.call_kw(f, args, &[])
    }

    /// Calls `f` with positional and keyword arguments (names interned).
    pub fn call_kw(&mut self, f: Value, args: &[Value], keywords: &[(Value, Value)]) -> R {
        self.check_native_stack()?;
        match types::kind_of(f) {
            Kind::Function => self.call_function(f, args, keywords, 0),
            Kind::Native => {
                if let Some(result) = self.call_native_short(f, args, keywords) {
                    return result;
                }
                self.call_native(f, args, keywords)
            }
            Kind::BoundMethod => match types::cast::<BoundMethod>(f) {
                Some(b) => {
                    let args = with_first(b.receiver.value(), args);
                    self.call_kw(b.func.value(), &args, keywords)
                }
                None => Err(not_callable(self, f)),
            },
            Kind::Class => classes::call(self, f, args, keywords),
            _ => match self.lookup_special(f, "__call__") {
                Some(g) if !attr::is_method(g) => {
                    let g = attr::bind(self, g, f, types::class_of(f))?;
                    self.nested(CALLING, |th| th.call_kw(g, args, keywords))
                }
                Some(g) if types::kind_of(g) == Kind::Native => {
                    self.call_kw(g, &with_first(f, args), keywords)
                }
                Some(g) => self.nested(CALLING, |th| th.call_kw(g, &with_first(f, args), keywords)),
                None => Err(not_callable(self, f)),
            },
        }
    }

    /// Runs a Mini function in a frame of its own on top of the stack, to its end.
    fn call_function(&mut self, f: Value, args: &[Value], keywords: &[(Value, Value)], flags: u64) -> R {
        if keywords.is_empty() && push_plain(self, f, args, ENTRY | flags, 0)? {
            return run::run_entered(self);
        }
        let base = self.new_base(args.len() + keywords.len())?;
        frame::set_link(base, Some(f), 0, self.base, 0, self.pc);
        copy_in(base, args);
        if keywords.is_empty() {
            bind::positional(self, f, base, args.len())?;
        } else {
            bind::keywords(self, f, base, args.len(), keywords)?;
        }
        push(self, base, ENTRY | flags)?;
        run::run_entered(self)
    }

    /// Runs a class body: its first register is the namespace, which is no parameter.
    pub fn run_class_body(&mut self, f: Value, namespace: Value) -> R {
        self.check_native_stack()?;
        let base = self.new_base(1)?;
        frame::set_link(base, Some(f), 0, self.base, 0, self.pc);
        copy_in(base, &[namespace]);
        push(self, base, ENTRY)?;
        run::run_entered(self)
    }

    /// Runs a native with its arguments in registers on top of the stack, where the collector sees them.
    fn call_native(&mut self, f: Value, args: &[Value], keywords: &[(Value, Value)]) -> R {
        let base = self.new_base(args.len() + 2 * keywords.len())?;
        copy_in(base, args);
        let behind = base.wrapping_add(args.len());
        for (i, (key, value)) in keywords.iter().enumerate() {
            copy_in(behind.wrapping_add(2 * i), &[*key, *value]);
        }
        let words = (args.len() + 2 * keywords.len()) as u64;
        let (saved_base, saved_pc) = (self.base, self.pc);
        frame::set_link(base, None, words, saved_base, 0, saved_pc);
        self.base = base;
        let result = if keywords.is_empty() {
            native_in_place(self, f, base, args.len())
        } else {
            self.native_with_keywords(f, base, args.len(), keywords)
        };
        self.base = saved_base;
        self.pc = saved_pc;
        result
    }

    fn native_with_keywords(&mut self, f: Value, base: *mut u64, n: usize, keywords: &[(Value, Value)]) -> R {
        let Some(native) = types::cast::<Native>(f) else { return Err(not_callable(self, f)) };
        // SAFETY: `def` is a `&'static NativeDef`; `call_native` has put `n` arguments at `base`.
        let (def, args) =
            unsafe { (&*native.def.cast::<NativeDef>(), std::slice::from_raw_parts(base.cast::<Word>(), n)) };
        if let Some(owner) = native.owner.get().filter(|o| class::cast(*o).is_some()) {
            check_receiver(self, def, owner, args)?;
        }
        bind::native(self, def, native.owner.get(), args, keywords)
    }

    /// Register 0 of a frame above everything in use, with room for `words`.
    pub fn new_base(&mut self, words: usize) -> R<*mut u64> {
        let base = frame::top(self.base).wrapping_add(LINK);
        if base.wrapping_add(words + 64) > self.limit {
            return Err(self.recursion_error(" (register stack is full)"));
        }
        Ok(base)
    }

    /// `obj.name(*args)`.
    pub fn call_method(&mut self, object: Value, name: &'static str, args: &[Value]) -> R {
        let name = self.name(name)?;
        let method = self.get_attr(object, name)?;
        self.call(method, args)
    }

    /// Runs linked code as a module or class body: a function without a name of its own, called with `args`.
    pub fn run_code(&mut self, code: Value, args: &[Value], cells: Word) -> R {
        let Some(linked) = types::cast::<crate::object::layout::Code>(code) else {
            return Err(self.type_error("code object expected"));
        };
        let plain = frame::plain(linked);
        let name = self.m.new_str(&plain.name)?;
        let parts = func::FunctionParts {
            code,
            cells,
            defaults: None,
            kwdefaults: None,
            name,
            qualname: None,
            doc: None,
            module_name: None,
        };
        let f = func::new_function(&mut self.m, parts)?;
        self.call_function(f, args, &[], 0)
    }
}

/// `first`, then the rest.
pub(crate) fn with_first(first: Value, rest: &[Value]) -> smallvec::SmallVec<[Value; 8]> {
    let mut all = smallvec::SmallVec::with_capacity(rest.len() + 1);
    all.push(first);
    all.extend_from_slice(rest);
    all
}

fn copy_in(base: *mut u64, args: &[Value]) {
    for (i, v) in args.iter().enumerate() {
        // SAFETY: `new_base` has made room for the arguments. Atomic, against a call of `memcpy` for so few.
        unsafe { (*base.add(i).cast::<AtomicU64>()).store(v.bits(), Ordering::Relaxed) };
    }
}
