//! Calls of classes whose arguments lie in a window of the eval loop: the instance is made, and `__init__` entered.
//! Must not know how classes are made (`classes.rs`).

use super::bind;
use super::call::{self, Called};
use super::classes;
use super::classes::{is_group_class, kind_of_instances, takes_no_arguments};
use super::frame::{self, CTOR, LINK};
use super::thread::Thread;
use crate::object::class::{self, trait_bits};
use crate::object::layout::{Cell, Class, Function};
use crate::object::{Kind, R, Value, Word, exc, heap, shape, tuple, types};
use std::sync::atomic::Ordering;

/// A call of a class whose arguments lie in a window.
pub(crate) fn call_in_window(th: &mut Thread, class: Value, window: *mut u64, n: usize) -> R<Called> {
    if let Some(entered) = enter_init(th, class, window, n)? {
        return Ok(entered);
    }
    if class == types::class_of_kind(Kind::Range)
        && let Some(range) = small_range(th, window, n)?
    {
        return Ok(Called::Value(range));
    }
    let traits = class::traits(class);
    if traits & (trait_bits::NEW | trait_bits::HEAP_TYPE) == trait_bits::HEAP_TYPE
        && let Some(done) = construct_in_window(th, class, traits, window, n)?
    {
        return Ok(done);
    }
    if n == 1 {
        // SAFETY: the argument of the window.
        let v = unsafe { *window.add(LINK).cast::<Value>() };
        if class == types::class_of_kind(Kind::Class) {
            return Ok(Called::Value(types::class_of(v)));
        }
        if class == types::class_of_kind(Kind::Str) {
            return th.str(v).map(Called::Value);
        }
    }
    if traits & trait_bits::HEAP_TYPE == 0 && class != types::class_of_kind(Kind::Class) {
        let new = th.lookup.find_special(&mut th.m, class, "__new__").and_then(|c| c.value.get());
        if let Some(new) = new.filter(|f| types::kind_of(*f) == Kind::Native) {
            if classes::keeps_arguments(th, class, new) {
                // SAFETY: the arguments of the window.
                let args = unsafe { std::slice::from_raw_parts(window.add(LINK).cast::<Value>(), n) };
                return exc::new_exception(&mut th.m, class, args).map(Called::Value);
            }
            return call::native_with_first(th, new, window, n, class).map(Called::Value);
        }
    }
    // SAFETY: the arguments of the window.
    let args = unsafe { std::slice::from_raw_parts(window.add(LINK).cast::<Value>(), n) };
    classes::call(th, class, args, &[]).map(Called::Value)
}

/// `range` of one to three small ints, as most loops have it. `None`: anything else, and nothing was done.
#[inline]
fn small_range(th: &mut Thread, window: *mut u64, n: usize) -> R<Option<Value>> {
    // SAFETY: the `n` arguments of the window.
    let args = unsafe { std::slice::from_raw_parts(window.add(LINK).cast::<Value>(), n) };
    let (zero, one) = (Value::int_unchecked(0), Value::int_unchecked(1));
    let [start, stop, step] = match *args {
        [stop] => [zero, stop, one],
        [start, stop] => [start, stop, one],
        [start, stop, step] => [start, stop, step],
        _ => return Ok(None),
    };
    let small = start.is_small_int() && stop.is_small_int() && step.is_small_int();
    if small && step != zero { th.new_range(start, stop, step).map(Some) } else { Ok(None) }
}

/// The most usual class: written in Mini, without `__new__`, whose `__init__` takes just the arguments there are. `None`:
/// another one, and nothing was done.
#[inline]
fn enter_init(th: &mut Thread, class: Value, window: *mut u64, n: usize) -> R<Option<Called>> {
    let Some(c) = class::cast(class).filter(|c| is_plain(c)) else { return Ok(None) };
    let Some(init) = init_of(th, c, class) else { return Ok(None) };
    let Some(f) = types::cast::<Function>(init).filter(|f| f.simple_args as usize == n + 1) else {
        return Ok(None);
    };
    let base = window.wrapping_add(LINK);
    if th.depth <= 0 || base.wrapping_add(f.nregs as usize) > th.limit {
        return Ok(None);
    }
    let Some(root) = class::root(c) else { return Ok(None) };
    let instance = shape::new_instance(&mut th.m, root)?;
    call::shift_in(window, n, instance);
    // The third link word holds the instance while `__init__` runs.
    frame::set_link(base, Some(init), instance.bits(), th.base, CTOR, th.pc);
    th.depth -= 1;
    th.base = base;
    th.pc = frame::first(f);
    Ok(Some(Called::Frame))
}

/// A class written in Mini, without `__new__`, whose `__init__` is written in Mini as well.
#[inline]
fn is_plain(c: &Class) -> bool {
    const ASKED: u64 = trait_bits::NEW | trait_bits::INIT | trait_bits::HEAP_TYPE | trait_bits::ABSTRACT;
    c.traits.load(Ordering::Relaxed) & ASKED == trait_bits::INIT | trait_bits::HEAP_TYPE
        && kind_of_instances(c) == Kind::Instance
}

/// What `__init__` is to this class. The class remembers the cell for as long as no class changes.
#[inline]
fn init_of(th: &mut Thread, c: &Class, class: Value) -> Word {
    let known = c.init.load(Ordering::Acquire);
    if known as u32 == class::epoch() {
        let cell = heap::expand((known >> 32) as u32);
        return types::cast::<Cell>(cell).and_then(|cell| cell.value.get());
    }
    find_init(th, c, class)
}

#[cold]
#[inline(never)]
fn find_init(th: &mut Thread, c: &Class, class: Value) -> Word {
    let epoch = class::epoch();
    let cell = th.lookup.find_special(&mut th.m, class, "__init__")?;
    let id = heap::compress(Value::from_addr(std::ptr::from_ref(cell).addr()));
    c.init.store(u64::from(id) << 32 | u64::from(epoch), Ordering::Release);
    cell.value.get()
}

/// Classes written in Mini without `__new__`: the instance is made here, `__init__` runs in a frame of its own.
fn construct_in_window(
    th: &mut Thread,
    class: Value,
    traits: u64,
    window: *mut u64,
    n: usize,
) -> R<Option<Called>> {
    let Some(c) = class::cast(class) else { return Ok(None) };
    let kind = kind_of_instances(c);
    if !matches!(kind, Kind::Instance | Kind::Exception) || kind == Kind::Exception && is_group_class(class) {
        return Ok(None);
    }
    let instance = if kind == Kind::Instance {
        if traits & trait_bits::INIT == 0 && n > 0 {
            return Err(takes_no_arguments(th, class));
        }
        let Some(root) = class::root(c).filter(|_| traits & trait_bits::ABSTRACT == 0) else {
            return Ok(None);
        };
        shape::new_instance(&mut th.m, root)?
    } else {
        // SAFETY: the arguments of the window.
        let args = unsafe { std::slice::from_raw_parts(window.add(LINK).cast::<Value>(), n) };
        exc::new_exception(&mut th.m, class, args)?
    };
    if traits & trait_bits::INIT == 0 {
        return Ok(Some(Called::Value(instance)));
    }
    let init = init_of(th, c, class).unwrap_or(Value::NONE);
    let base = window.wrapping_add(LINK);
    if types::kind_of(init) != Kind::Function {
        return Ok(None);
    }
    call::shift_in(window, n, instance);
    call::set(window, init);
    call::call_function_in_window(th, init, window, n + 1, CTOR)?;
    frame::set_third(base, instance.bits());
    Ok(Some(Called::Frame))
}

/// A call with `n` positional arguments and one for each of `names` behind them, of a class written in Mini whose
/// `__init__` has a parameter for each. `None`: another one, and nothing was done.
pub(crate) fn call_with_names(
    th: &mut Thread,
    class: Value,
    window: *mut u64,
    n: usize,
    names: Value,
) -> R<Option<Called>> {
    let Some(c) = class::cast(class).filter(|c| is_plain(c)) else { return Ok(None) };
    let (Some(init), Some(root)) = (init_of(th, c, class), class::root(c)) else { return Ok(None) };
    let base = window.wrapping_add(LINK);
    let given = tuple::items(names).len();
    if th.depth <= 0 || types::kind_of(init) != Kind::Function {
        return Ok(None);
    }
    let instance = shape::new_instance(&mut th.m, root)?;
    call::shift_in(window, n + given, instance);
    if !bind::named_alone(th, init, base, n + 1, names) {
        call::shift_out(window, n + given);
        return Ok(None);
    }
    call::set(window, init);
    let called = call::push(th, base, CTOR)?;
    frame::set_third(base, instance.bits());
    Ok(Some(called))
}
