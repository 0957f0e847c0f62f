//! Suspending and resuming: from a frame on the stack to a `Generator` in the heap and back; `send`, `throw` and `close`.
//! Must not know what scripts call the objects, nor what an `await` awaits.
//!
//! A suspended call keeps its registers in its object. Resuming copies them to the stack above the frame that resumes,
//! so that a running generator is a frame like any other; suspending copies back what is live. Two words below its link
//! the frame has the object itself (`base[-5]`) and what its resumer was handling (`base[-6]`).

use super::fold::Fold;
use super::frame::{self, ENTRY, FOLD, LINK};
use super::thread::Thread;
use super::{awaitable, run, unwind};
use crate::bytecode::op::{Insn, Op, bit};
use crate::object::generator::{self, FINISHED, RUNNING, SUSPENDED};
use crate::object::layout::{Code, Function, Generator};
use crate::object::{Exc, Kind, R, Raised, Value, Word, exc, types};
use std::sync::atomic::Ordering;

/// Words below register 0 of a frame that can be suspended.
pub(super) const GEN_LINK: usize = LINK + 2;

/// What a suspended call is given when it goes on.
#[derive(Clone, Copy)]
pub enum Input {
    Send(Value),
    Throw(Value),
    /// The iterator it delegates to has ended with this result.
    Delegated(Value),
}

/// How it came to stand still again.
#[derive(Clone, Copy)]
pub enum Outcome {
    Yielded(Value),
    /// An item of an asynchronous generator: `Yielded` there is what its `await` hands up.
    Item(Value),
    Returned(Value),
}

/// How the frame that was resumed from Rust was left.
#[derive(Clone, Copy)]
pub(super) enum Left {
    Yielded,
    Item,
    Returned,
}

/// `MakeGen`: the running frame as a suspended call; it keeps the first `live` registers.
pub(super) fn make(th: &mut Thread, live: usize) -> R {
    let parts = frame::function(th.base).and_then(|f| Some((f, frame::code_of(f)?)));
    let Some((function, code)) = parts else { return Err(th.type_error("not a function's frame")) };
    let plain = frame::plain(code);
    let kind = match (plain.flags.generator, plain.flags.coroutine) {
        (true, true) => Kind::AsyncGenerator,
        (false, true) => Kind::Coroutine,
        _ => Kind::Generator,
    };
    let func = Value::from_addr(std::ptr::from_ref(function).addr());
    let pc = th.pc;
    let g = generator::new(&mut th.m, kind, func, plain.kept as u32, pc)?;
    if types::hdr(func).flags.load(Ordering::Relaxed) & crate::object::header::flag::AWAITABLE != 0 {
        g.bits.store(generator::bits::AWAITABLE, Ordering::Relaxed);
    }
    // SAFETY: verified: the frame has `live` registers, and `live <= kept`, which is the room.
    unsafe { generator::copy_in(g, th.base, live) };
    generator::release(g, SUSPENDED);
    Ok(generator::value(g))
}

/// The instruction that suspended it: `Yield`, or `MakeGen` before it has begun.
///
/// # Safety
/// The generator is claimed.
#[inline(always)]
unsafe fn suspended_by(g: &Generator) -> Insn {
    // SAFETY: `pc` stands behind an instruction of the function's code, which the generator keeps alive.
    unsafe { *g.pc.load(Ordering::Relaxed).sub(1) }
}

/// Puts a claimed call's registers at `base`, and hands over what it is resumed with. The link is the caller's business.
///
/// # Safety
/// `base` has room for the function's registers above, and for GEN_LINK words below.
#[inline(always)]
pub(super) unsafe fn unpack(th: *mut Thread, g: &Generator, base: *mut u64, sent: u64) {
    // SAFETY: by the caller; a claimed generator is ours alone.
    unsafe {
        generator::copy_out(g, base);
        *base.add(suspended_by(g).a as usize) = sent;
        *base.sub(6) = (*th).handled.map_or(0, Value::bits);
        *base.sub(5) = generator::value(g).bits();
        *base.sub(4) = g.func.bits();
        if let Some(own) = g.handled.get() {
            (*th).handled = Some(own);
        }
    }
}

/// `Yield`, at `pc - 1`: keeps the registers of the frame at `base` and lets others resume it.
///
/// # Safety
/// The frame at `base` runs a generator's code, and `pc` is behind its `Yield`.
#[inline(always)]
pub(super) unsafe fn suspend(th: *mut Thread, base: *mut u64, pc: *const Insn) {
    // SAFETY: base[-5] is the generator, which the running frame has claimed.
    unsafe {
        let g = &*(*base.sub(5) as *const Generator);
        let insn = *pc.sub(1);
        generator::copy_in(g, base, insn.c as usize);
        g.pc.store(pc.cast_mut(), Ordering::Relaxed);
        if insn.x & bit::HANDLING != 0 {
            g.handled.set_word((*th).handled);
            (*th).handled = Value::from_bits(*base.sub(6));
        } else if g.handled.bits() != 0 {
            g.handled.clear();
        }
        generator::release(g, SUSPENDED);
    }
}

/// `GenReturn`: the frame at `base` is over.
///
/// # Safety
/// It runs a generator's code.
#[inline(always)]
pub(super) unsafe fn finish(base: *mut u64) {
    // SAFETY: base[-5] is the generator, which the running frame has claimed.
    unsafe { generator::release(&*(*base.sub(5) as *const Generator), FINISHED) };
}

/// `Yield` and `GenReturn` of a frame that was resumed from Rust: notes which it was, and leaves the frame.
#[inline(never)]
pub(super) fn leave(th: &mut Thread, insn: Insn) {
    th.left = match insn.op {
        Op::Yield if insn.x & bit::ITEM != 0 => Left::Item,
        Op::Yield => Left::Yielded,
        _ => Left::Returned,
    };
    unwind::pop(th);
}

/// What an exception that leaves a generator's frame becomes for its resumer. The frame at `base` has been left.
#[cold]
pub(super) fn raised(th: &mut Thread, base: *mut u64, exception: Value) -> Value {
    // SAFETY: as `finish`.
    let g = unsafe {
        finish(base);
        &*(*base.sub(5) as *const Generator)
    };
    let is = |exc: Exc| crate::object::class::is_subclass(types::class_of(exception), types::exc_class(exc));
    let kind = types::kind_of(generator::value(g));
    let what = match kind {
        Kind::Generator => "generator",
        Kind::Coroutine => "coroutine",
        _ => "async generator",
    };
    let raised = match () {
        () if is(Exc::StopIteration) => "StopIteration",
        () if kind == Kind::AsyncGenerator && is(Exc::StopAsyncIteration) => "StopAsyncIteration",
        () => return exception,
    };
    th.m.pending = None;
    th.raise(Exc::RuntimeError, format!("{what} raised {raised}"));
    let error = th.take_exception();
    if let Some(e) = exc::cast(error) {
        e.cause.set(exception);
        e.context.set(exception);
        e.suppress.set(Value::TRUE);
    }
    error
}

/// What it delegates to: `gi_yieldfrom`. The generator is claimed.
fn delegate(g: &Generator) -> Word {
    // SAFETY: claimed.
    let insn = unsafe { suspended_by(g) };
    match insn.op {
        Op::Yield if insn.x & bit::DELEGATING != 0 => generator::register(g, insn.b as usize),
        _ => None,
    }
}

/// What a call that stands still delegates to.
pub fn delegate_of(g: &Generator) -> Word {
    generator::claim(g).ok()?;
    let found = delegate(g);
    generator::release(g, SUSPENDED);
    found
}

/// Whether it has not begun yet; `false` while it runs, and afterwards.
pub fn is_fresh(g: &Generator) -> bool {
    if generator::claim(g).is_err() {
        return false;
    }
    // SAFETY: claimed.
    let fresh = unsafe { suspended_by(g) }.op == Op::MakeGen;
    generator::release(g, SUSPENDED);
    fresh
}

/// The line at which a call stands still.
pub fn line_of(g: &Generator, code: &Code) -> Option<u32> {
    generator::claim(g).ok()?;
    let at = frame::index_of(code, g.pc.load(Ordering::Relaxed));
    generator::release(g, SUSPENDED);
    Some(frame::plain(code).line_at(at))
}

#[cold]
fn already_running(th: &mut Thread, g: &Generator) -> Raised {
    let what = match types::kind_of(generator::value(g)) {
        Kind::Generator => "generator",
        Kind::Coroutine => "coroutine",
        _ => "async generator",
    };
    th.value_error(format!("{what} already executing"))
}

/// What resuming a finished one gives.
#[cold]
fn exhausted(th: &mut Thread, g: &Generator, input: Input) -> R<Outcome> {
    if types::kind_of(generator::value(g)) == Kind::Coroutine {
        return Err(th.raise(Exc::RuntimeError, "cannot reuse already awaited coroutine"));
    }
    match input {
        Input::Throw(exception) => Err(th.raise_value(exception)),
        _ => Ok(Outcome::Returned(Value::NONE)),
    }
}

impl Thread {
    /// Resumes a generator or coroutine. Errors: what it raises, or that it cannot be resumed.
    pub fn resume(&mut self, coroutine: Value, input: Input) -> R<Outcome> {
        let Some(g) = generator::of(coroutine) else { return Err(self.type_error("not a coroutine")) };
        match claim(self, g) {
            Ok(()) => resume_claimed(self, g, input),
            Err(RUNNING) => Err(already_running(self, g)),
            Err(_) => exhausted(self, g, input),
        }
    }

    /// The next item of a generator; `None` when it has ended.
    #[inline]
    pub(super) fn next_of_generator(&mut self, g: &'static Generator) -> R<Word> {
        self.next_with(g, ENTRY)
    }

    /// The next item of a generator that cannot be added to `fold`; those before it have been.
    #[inline]
    pub(super) fn next_after_fold(&mut self, g: &'static Generator, fold: &mut Fold) -> R<Word> {
        std::mem::swap(&mut self.fold, fold);
        let item = self.next_with(g, FOLD);
        std::mem::swap(&mut self.fold, fold);
        item
    }

    #[inline(always)]
    fn next_with(&mut self, g: &'static Generator, flags: u64) -> R<Word> {
        let base = match claim(self, g) {
            Ok(()) if self.has_native_stack() => room(self, g),
            Ok(()) => None,
            Err(FINISHED) => return Ok(None),
            Err(_) => return Err(already_running(self, g)),
        };
        let Some(base) = base else {
            // The long way says what is missing.
            generator::release(g, SUSPENDED);
            return match self.resume(generator::value(g), Input::Send(Value::NONE))? {
                Outcome::Yielded(item) | Outcome::Item(item) => Ok(Some(item)),
                Outcome::Returned(_) => Ok(None),
            };
        };
        enter(self, g, base, Value::NONE, flags);
        let value = run::run_entered(self)?;
        Ok(Some(value).filter(|_| !matches!(self.left, Left::Returned)))
    }
}

/// Pushes the frame of a generator or coroutine for the eval loop to go on in, as the call that is being made. False:
/// nothing was done, and the function that is called says why.
#[inline(never)]
pub(super) fn resume_in_loop(th: &mut Thread, v: Value, sent: Value) -> bool {
    if !matches!(types::kind_of(v), Kind::Generator | Kind::Coroutine) {
        return false;
    }
    let Some(g) = generator::of(v).filter(|g| claim(th, g).is_ok()) else { return false };
    // SAFETY: claimed.
    let by = unsafe { suspended_by(g) };
    let base = match room(th, g) {
        Some(base) if sent.is_none() || by.op != Op::MakeGen => base,
        _ => {
            generator::release(g, SUSPENDED);
            return false;
        }
    };
    enter(th, g, base, sent, 0);
    true
}

/// Claims, the cheap way if no other thread can come in between.
#[inline(always)]
fn claim(th: &Thread, g: &Generator) -> Result<(), u32> {
    if th.m.free { generator::claim(g) } else { generator::claim_alone(g) }
}

/// Register 0 of the next frame, if there is room for one of this call.
#[inline(always)]
fn room(th: &Thread, g: &Generator) -> Option<*mut u64> {
    let function = g.func.get().and_then(types::cast::<Function>)?;
    let base = frame::top(th.base).wrapping_add(GEN_LINK);
    let fits = th.depth > 0 && base.wrapping_add(function.nregs as usize + 64) <= th.limit;
    fits.then_some(base)
}

/// Pushes the frame of a claimed call.
#[inline(always)]
fn enter(th: &mut Thread, g: &Generator, base: *mut u64, sent: Value, flags: u64) {
    // The loop that is entered from Rust does not go back to the caller's data.
    let third = if flags == 0 {
        frame::function(th.base).map_or(0, |f| f.data.load(Ordering::Acquire).addr() as u64)
    } else {
        0
    };
    // SAFETY: `base` comes from `room`; the generator is claimed.
    unsafe { unpack(th, g, base, sent.bits()) };
    frame::set_link(base, g.func.get(), third, th.base, flags, th.pc);
    th.depth -= 1;
    th.base = base;
    th.pc = g.pc.load(Ordering::Relaxed);
}

/// `GenReturn` to a call of `next` or `send`: StopIteration with the result.
#[cold]
pub fn stop(th: &mut Thread, value: Value) -> Raised {
    let given = [value];
    let args = if value.is_none() { &[][..] } else { &given[..] };
    // Not by calling the class: a tuple is one argument.
    match exc::new_exception(&mut th.m, types::exc_class(Exc::StopIteration), args) {
        Ok(stop) => th.raise_value(stop),
        Err(raised) => raised,
    }
}

/// Resumes a call that the caller has claimed.
fn resume_claimed(th: &mut Thread, g: &'static Generator, input: Input) -> R<Outcome> {
    // SAFETY: claimed.
    let by = unsafe { suspended_by(g) };
    let base = match check(th, g, by, input) {
        Ok(base) => base,
        Err(raised) => {
            generator::release(g, SUSPENDED);
            return Err(raised);
        }
    };
    let sent = match input {
        Input::Send(value) => value,
        _ => Value::NONE,
    };
    enter(th, g, base, sent, ENTRY);
    match input {
        Input::Send(_) => {}
        Input::Throw(exception) => {
            th.m.pending = Some(exception);
            // Its context is what the generator itself is handling, not what its resumer is.
            let outer = if g.handled.get().is_none() { th.handled.take() } else { None };
            unwind::set_context(th, exception);
            let handled = unwind::unwind(th);
            th.handled = outer.or(th.handled);
            if !handled {
                if by.op == Op::MakeGen {
                    let exception = th.take_exception();
                    th.m.pending = Some(raised(th, base, exception));
                }
                return Err(Raised);
            }
        }
        // SAFETY: a `Yield` that delegates is followed by the jump back to its `Send`, which says where to go at the end.
        Input::Delegated(result) => unsafe {
            let back = th.pc.offset(1 + (*th.pc).bc() as isize);
            *base.add((*back).a as usize) = result.bits();
            th.pc = back.offset(1 + (*back).c as i16 as isize);
        },
    }
    let value = run::run_entered(th)?;
    Ok(match th.left {
        Left::Yielded => Outcome::Yielded(value),
        Left::Item => Outcome::Item(value),
        Left::Returned => Outcome::Returned(value),
    })
}

/// Whether a claimed call can go on with `input`; register 0 of its frame.
fn check(th: &mut Thread, g: &Generator, by: Insn, input: Input) -> R<*mut u64> {
    if let (Op::MakeGen, Input::Send(value)) = (by.op, input)
        && !value.is_none()
    {
        let what = match types::kind_of(generator::value(g)) {
            Kind::Generator => "generator",
            Kind::Coroutine => "coroutine",
            _ => "async generator",
        };
        return Err(th.type_error(format!("can't send non-None value to a just-started {what}")));
    }
    th.check_native_stack()?;
    match room(th, g) {
        Some(base) => Ok(base),
        None if th.depth <= 0 => Err(th.recursion_error("")),
        None => Err(th.recursion_error(" (register stack is full)")),
    }
}

/// `throw`: raises `exception` where it stands, or in what it delegates to; `closes`: a GeneratorExit closes that first.
pub fn throw(th: &mut Thread, coroutine: Value, exception: Value, closes: bool) -> R<Outcome> {
    let Some(g) = generator::of(coroutine) else { return Err(th.type_error("not a coroutine")) };
    match generator::claim(g) {
        Ok(()) => {}
        Err(RUNNING) => return Err(already_running(th, g)),
        Err(_) => return exhausted(th, g, Input::Throw(exception)),
    }
    let Some(inner) = delegate(g) else { return resume_claimed(th, g, Input::Throw(exception)) };
    let scope = th.scope();
    th.root(coroutine);
    th.root(exception);
    let is_exit = closes && exception_is(exception, Exc::GeneratorExit);
    let outcome = th.nested("", |th| throw_into(th, inner, exception, is_exit));
    th.close(scope);
    match outcome {
        Ok(Some(Outcome::Yielded(value) | Outcome::Item(value))) => {
            generator::release(g, SUSPENDED);
            Ok(Outcome::Yielded(value))
        }
        Ok(Some(Outcome::Returned(value))) => resume_claimed(th, g, Input::Delegated(value)),
        Ok(None) => resume_claimed(th, g, Input::Throw(exception)),
        Err(_) => {
            let raised = th.take_exception();
            resume_claimed(th, g, Input::Throw(raised))
        }
    }
}

fn exception_is(exception: Value, exc: Exc) -> bool {
    crate::object::class::is_subclass(types::class_of(exception), types::exc_class(exc))
}

/// Hands an exception on to what is delegated to. `None`: it is to be raised in the one that delegates.
pub(super) fn throw_into(
    th: &mut Thread,
    inner: Value,
    exception: Value,
    is_exit: bool,
) -> R<Option<Outcome>> {
    if is_exit {
        return close_delegate(th, inner).map(|()| None);
    }
    if matches!(types::kind_of(inner), Kind::Generator | Kind::Coroutine) {
        return throw(th, inner, exception, true).map(Some);
    }
    if let Some(it) = awaitable::of(inner) {
        return awaitable::throw(th, it, exception).map(Some);
    }
    if crate::object::future::of(inner).is_some() {
        return Ok(None);
    }
    let name = th.name("throw")?;
    let Some(method) = th.get_attr_opt(inner, name)? else { return Ok(None) };
    match th.call(method, &[exception]) {
        Ok(value) => Ok(Some(Outcome::Yielded(value))),
        Err(raised) => match stop_value(th) {
            Some(value) => Ok(Some(Outcome::Returned(value))),
            None => Err(raised),
        },
    }
}

/// If a StopIteration is pending: takes it, and returns its value.
pub fn stop_value(th: &mut Thread) -> Word {
    if !th.pending_is(Exc::StopIteration) {
        return None;
    }
    let stop = th.take_exception();
    let value = exc::cast(stop).and_then(|e| crate::object::tuple::items(e.args.value()).first()?.get());
    Some(value.unwrap_or(Value::NONE))
}

/// Closes what is delegated to, if it can be closed.
pub(super) fn close_delegate(th: &mut Thread, inner: Value) -> R<()> {
    if matches!(types::kind_of(inner), Kind::Generator | Kind::Coroutine) {
        return close(th, inner).map(drop);
    }
    let name = th.name("close")?;
    match th.get_attr_opt(inner, name)? {
        Some(method) => th.call(method, &[]).map(drop),
        None => Ok(()),
    }
}

/// `close`: raises GeneratorExit where it stands.
pub fn close(th: &mut Thread, coroutine: Value) -> R<()> {
    let Some(g) = generator::of(coroutine) else { return Err(th.type_error("not a coroutine")) };
    match generator::claim(g) {
        Ok(()) => {}
        Err(RUNNING) => return Err(already_running(th, g)),
        Err(_) => return Ok(()),
    }
    // SAFETY: claimed.
    if unsafe { suspended_by(g) }.op == Op::MakeGen {
        generator::release(g, FINISHED);
        return Ok(());
    }
    let scope = th.scope();
    th.root(coroutine);
    let closed = match delegate(g) {
        Some(inner) => th.nested("", |th| close_delegate(th, inner)),
        None => Ok(()),
    };
    if closed.is_ok() {
        th.raise_with(Exc::GeneratorExit, &[]);
    }
    let exception = th.take_exception();
    let outcome = resume_claimed(th, g, Input::Throw(exception));
    th.close(scope);
    match outcome {
        Ok(Outcome::Yielded(_) | Outcome::Item(_)) => {
            let what = match types::kind_of(coroutine) {
                Kind::Generator => "generator",
                Kind::Coroutine => "coroutine",
                _ => "async generator",
            };
            Err(th.raise(Exc::RuntimeError, format!("{what} ignored GeneratorExit")))
        }
        Ok(Outcome::Returned(_)) => Ok(()),
        Err(_) if th.pending_is(Exc::GeneratorExit) || th.pending_is(Exc::StopIteration) => {
            th.m.pending = None;
            Ok(())
        }
        Err(raised) => Err(raised),
    }
}
