//! What processes wait for, as classes of `_multiprocessing`: SemLock, Flag, Places. Must not know how they wait.

use super::mp_memory::memory;
use super::support::{c_int, int_arg, number, this};
use crate::gil::futex;
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Value, func};
use crate::rt::shared_lock::{BYTES, Flag, PLACES_BYTES, Places, Semaphore};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;

/// `RECURSIVE_MUTEX`; anything else is a semaphore.
const RECURSIVE: i64 = 0;

/// The moment that a number of seconds or None means: never, if it is beyond the clock.
fn deadline(th: &mut Thread, timeout: Option<Value>) -> R<Option<u64>> {
    let Some(timeout) = timeout else { return Ok(None) };
    let seconds = number(th, timeout, "must be real number, not {}")?;
    let nanoseconds = (seconds.max(0.0) * 1e9).min(9e18) as u64;
    Ok(Some(futex::now().saturating_add(nanoseconds)))
}

fn new_semaphore(th: &mut Thread, args: Args) -> R {
    let kind = int_arg(th, args.get(1))?;
    let value = int_arg(th, args.get(2))?;
    let most = int_arg(th, args.get(3))?;
    let fd = args.opt(4).map_or(Ok(-1), |fd| c_int(th, fd))?;
    // What another process has made already goes on as it is.
    let first = args.opt(5).is_none();
    let (Ok(value), Ok(most)) = (u32::try_from(value), u32::try_from(most)) else {
        return Err(th.value_error("semaphore value out of range"));
    };
    let memory = memory(th, BYTES, fd)?;
    let made = Semaphore::new(memory, most, kind == RECURSIVE, first.then_some(value));
    func::new_host(th, args.get(0), Box::new(made))
}

fn semaphore(m: &mut Mutator, args: Args) -> R<&'static Semaphore> {
    this::<Semaphore>(m, args, "SemLock")
}

fn acquire(th: &mut Thread, args: Args) -> R {
    let lock = semaphore(th, args)?;
    let wait = args.opt(1).map_or(Ok(true), |v| th.is_true(v))?;
    let until = deadline(th, args.opt_not_none(2))?;
    lock.acquire(th, wait, until).map(Value::bool)
}

fn enter(th: &mut Thread, args: Args) -> R {
    semaphore(th, args)?.acquire(th, true, None).map(Value::bool)
}

fn release(m: &mut Mutator, args: Args) -> R {
    let lock = semaphore(m, args)?;
    if lock.recursive && !lock.is_mine(m.member) {
        let message = "attempt to release recursive lock not owned by thread";
        return Err(m.raise(Exc::AssertionError, message));
    }
    match lock.release() {
        true => Ok(Value::NONE),
        false => Err(m.value_error("semaphore or lock released too many times")),
    }
}

fn count(m: &mut Mutator, args: Args) -> R {
    let lock = semaphore(m, args)?;
    let depth = if lock.is_mine(m.member) { lock.depth() } else { 0 };
    m.new_int(i64::from(depth))
}

fn is_mine(m: &mut Mutator, args: Args) -> R {
    Ok(Value::bool(semaphore(m, args)?.is_mine(m.member)))
}

fn value(m: &mut Mutator, args: Args) -> R {
    let value = semaphore(m, args)?.value();
    m.new_int(i64::from(value))
}

fn is_zero(m: &mut Mutator, args: Args) -> R {
    Ok(Value::bool(semaphore(m, args)?.value() == 0))
}

fn most(m: &mut Mutator, args: Args) -> R {
    let most = semaphore(m, args)?.most;
    m.new_int(i64::from(most))
}

pub static SEMAPHORE: TypeDef = TypeDef {
    name: "SemLock",
    kind: Kind::Host,
    doc: "A semaphore or lock that processes share.",
    construct: Some(NativeDef::full(
        "__new__",
        "cls, kind, value, maxvalue, fd=, known=, /",
        new_semaphore,
        "",
    )),
    methods: &[
        NativeDef::full(
            "acquire",
            "self, block=, timeout=",
            acquire,
            "Take it; False if that was not possible.",
        ),
        NativeDef::data("release", "self, /", release, "Give it back."),
        NativeDef::full("__enter__", "self, /", enter, "Take it."),
        NativeDef::data("__exit__", "self, *args", release, "Give it back."),
        NativeDef::data("_count", "self, /", count, "How often the running thread has it."),
        NativeDef::data("_is_mine", "self, /", is_mine, "Whether the running thread has it."),
        NativeDef::data("_get_value", "self, /", value, "How often it can be taken."),
        NativeDef::data("_is_zero", "self, /", is_zero, "Whether nobody can take it."),
    ],
    class_methods: &[],
    properties: &[NativeDef::data("maxvalue", "self", most, "The largest value.")],
    subclassable: false,
};

fn new_flag(th: &mut Thread, args: Args) -> R {
    let fd = args.opt(1).map_or(Ok(-1), |fd| c_int(th, fd))?;
    let memory = memory(th, BYTES, fd)?;
    func::new_host(th, args.get(0), Box::new(Flag(memory)))
}

fn flag(m: &mut Mutator, args: Args) -> R<&'static Flag> {
    this::<Flag>(m, args, "Flag")
}

fn is_set(m: &mut Mutator, args: Args) -> R {
    Ok(Value::bool(flag(m, args)?.is_set()))
}

fn set(m: &mut Mutator, args: Args) -> R {
    flag(m, args)?.set();
    Ok(Value::NONE)
}

fn clear(m: &mut Mutator, args: Args) -> R {
    flag(m, args)?.clear();
    Ok(Value::NONE)
}

fn wait(th: &mut Thread, args: Args) -> R {
    let flag = flag(th, args)?;
    let until = deadline(th, args.opt_not_none(1))?;
    flag.wait(th, until).map(Value::bool)
}

pub static FLAG: TypeDef = TypeDef {
    name: "Flag",
    kind: Kind::Host,
    doc: "A flag that processes can wait for.",
    construct: Some(NativeDef::full("__new__", "cls, fd=, /", new_flag, "")),
    methods: &[
        NativeDef::data("is_set", "self, /", is_set, "Whether it is set."),
        NativeDef::data("set", "self, /", set, "Set it, and wake those who wait."),
        NativeDef::data("clear", "self, /", clear, "Clear it."),
        NativeDef::full("wait", "self, timeout=", wait, "Wait until it is set; False if the time is over."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};

fn new_places(th: &mut Thread, args: Args) -> R {
    let fd = args.opt(1).map_or(Ok(-1), |fd| c_int(th, fd))?;
    let memory = memory(th, PLACES_BYTES, fd)?;
    func::new_host(th, args.get(0), Box::new(Places(memory)))
}

fn places(m: &mut Mutator, args: Args) -> R<&'static Places> {
    this::<Places>(m, args, "Places")
}

fn enter_place(m: &mut Mutator, args: Args) -> R {
    match places(m, args)?.enter() {
        Some(place) => m.new_int(place as i64),
        None => Err(m.raise(Exc::RuntimeError, "too many processes wait for the condition")),
    }
}

fn sleep(th: &mut Thread, args: Args) -> R {
    let places = places(th, args)?;
    let place = int_arg(th, args.get(1))?;
    let until = deadline(th, args.opt_not_none(2))?;
    places.sleep(th, place.max(0) as usize, until)?;
    Ok(Value::NONE)
}

fn leave(th: &mut Thread, args: Args) -> R {
    let place = int_arg(th, args.get(1))?;
    Ok(Value::bool(places(th, args)?.leave(place.max(0) as usize)))
}

fn notify(th: &mut Thread, args: Args) -> R {
    let count = int_arg(th, args.get(1))?;
    let woken = places(th, args)?.notify(count.max(0) as usize);
    th.new_int(woken as i64)
}

pub static PLACES: TypeDef = TypeDef {
    name: "Places",
    kind: Kind::Host,
    doc: "Where those sleep who wait for a condition; everything but sleep() needs its lock.",
    construct: Some(NativeDef::full("__new__", "cls, fd=, /", new_places, "")),
    methods: &[
        NativeDef::data("enter", "self, /", enter_place, "Take a place."),
        NativeDef::full("sleep", "self, place, timeout, /", sleep, "Sleep there until woken."),
        NativeDef::full("leave", "self, place, /", leave, "Give it back; whether it was woken."),
        NativeDef::full("notify", "self, count, /", notify, "Wake those who came first."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};
