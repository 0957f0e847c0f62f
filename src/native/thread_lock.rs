//! The classes `_thread.lock` and `_thread.RLock`: arguments and words around the locks of `rt`.
//! Must not know how a lock waits.

use super::support::{self, number, this};
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Slot, Value, func, tuple};
use crate::rt::lock::Lock;
use crate::rt::rlock::RLock;
use crate::rt::wait;
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use std::time::Instant;

static LOCK_CLASS: Slot = Slot::empty();

/// `allocate_lock()`.
pub fn allocate_lock(m: &mut Mutator, _: Args) -> R {
    func::new_host(m, LOCK_CLASS.value(), Box::new(Lock::new()))
}

/// `_waiter_lock()`.
pub fn waiter_lock(m: &mut Mutator, _: Args) -> R {
    func::new_host(m, LOCK_CLASS.value(), Box::new(Lock::new_held()))
}

fn new_lock(m: &mut Mutator, args: Args) -> R {
    func::new_host(m, args.get(0), Box::new(Lock::new()))
}

fn new_rlock(m: &mut Mutator, args: Args) -> R {
    func::new_host(m, args.get(0), Box::new(RLock::default()))
}

/// How an `acquire` waits.
enum Patience {
    /// Not at all.
    No,
    /// Until then; for ever.
    Until(Option<Instant>),
}

/// The arguments of `acquire(blocking=True, timeout=-1)`.
fn patience(th: &mut Thread, args: Args) -> R<Patience> {
    let blocking = match args.opt(1) {
        Some(v) => th.is_true(v)?,
        None => true,
    };
    let Some(timeout) = args.opt(2) else {
        return Ok(if blocking { Patience::Until(None) } else { Patience::No });
    };
    let seconds = number(th, timeout, "'{}' object cannot be interpreted as an integer")?;
    if seconds.is_nan() {
        return Err(th.value_error("Invalid value NaN (not a number)"));
    }
    if !blocking && seconds != -1.0 {
        return Err(th.value_error("can't specify a timeout for a non-blocking call"));
    }
    if !blocking {
        return Ok(Patience::No);
    }
    if seconds == -1.0 {
        return Ok(Patience::Until(None));
    }
    if seconds < 0.0 {
        return Err(th.value_error("timeout value must be positive"));
    }
    if seconds > wait::TIMEOUT_MAX {
        return Err(th.raise(Exc::OverflowError, "timeout value is too large"));
    }
    // Beyond what the clock can say, the time is never over.
    Ok(Patience::Until(wait::deadline(seconds)))
}

fn acquire(th: &mut Thread, args: Args) -> R {
    let lock = this::<Lock>(th, args, "_thread.lock")?;
    if args.len() == 1 {
        return lock.acquire(th, None).map(Value::bool);
    }
    match patience(th, args)? {
        Patience::No => Ok(Value::bool(lock.try_acquire(th))),
        Patience::Until(until) => lock.acquire(th, until).map(Value::bool),
    }
}

fn enter(th: &mut Thread, args: Args) -> R {
    let lock = this::<Lock>(th, args, "_thread.lock")?;
    lock.acquire(th, None).map(Value::bool)
}

fn release(m: &mut Mutator, args: Args) -> R {
    let lock = this::<Lock>(m, args, "_thread.lock")?;
    if lock.release() { Ok(Value::NONE) } else { Err(m.raise(Exc::RuntimeError, "release unlocked lock")) }
}

fn locked(m: &mut Mutator, args: Args) -> R {
    this::<Lock>(m, args, "_thread.lock").map(|lock| Value::bool(lock.is_held()))
}

fn reset(m: &mut Mutator, args: Args) -> R {
    this::<Lock>(m, args, "_thread.lock")?.reset();
    Ok(Value::NONE)
}

fn repr(m: &mut Mutator, args: Args) -> R {
    let held = this::<Lock>(m, args, "_thread.lock")?.is_held();
    let state = if held { "locked" } else { "unlocked" };
    m.new_str(&format!("<{state} _thread.lock object at {:#x}>", args.get(0).bits()))
}

fn racquire(th: &mut Thread, args: Args) -> R {
    let lock = this::<RLock>(th, args, "_thread.RLock")?;
    let patience = if args.len() == 1 { Patience::Until(None) } else { patience(th, args)? };
    match patience {
        Patience::No => lock.acquire(th, false, None).map(Value::bool),
        Patience::Until(until) => lock.acquire(th, true, until).map(Value::bool),
    }
}

fn renter(th: &mut Thread, args: Args) -> R {
    let lock = this::<RLock>(th, args, "_thread.RLock")?;
    lock.acquire(th, true, None).map(Value::bool)
}

fn not_owner(th: &mut Thread) -> crate::object::Raised {
    th.raise(Exc::RuntimeError, "cannot release un-acquired lock")
}

fn rrelease(th: &mut Thread, args: Args) -> R {
    let lock = this::<RLock>(th, args, "_thread.RLock")?;
    if lock.release(th) { Ok(Value::NONE) } else { Err(not_owner(th)) }
}

fn is_owned(th: &mut Thread, args: Args) -> R {
    let lock = this::<RLock>(th, args, "_thread.RLock")?;
    Ok(Value::bool(lock.is_owned(th)))
}

fn release_save(th: &mut Thread, args: Args) -> R {
    let lock = this::<RLock>(th, args, "_thread.RLock")?;
    let depth = lock.release_all(th);
    if depth == 0 {
        return Err(not_owner(th));
    }
    let state = [Value::int_unchecked(depth as i64), Value::int_unchecked(th.m.member.id() as i64)];
    th.new_tuple(&state)
}

fn acquire_restore(th: &mut Thread, args: Args) -> R {
    let lock = this::<RLock>(th, args, "_thread.RLock")?;
    let depth = tuple::of(args.get(1)).and_then(|t| tuple::get(t, 0)).and_then(Value::as_small);
    let Some(depth) = depth.filter(|d| *d > 0) else {
        return Err(th.type_error("_acquire_restore() argument 1 must be what _release_save() returned"));
    };
    lock.restore(th, depth as u64)?;
    Ok(Value::NONE)
}

fn rreset(m: &mut Mutator, args: Args) -> R {
    this::<RLock>(m, args, "_thread.RLock")?.reset();
    Ok(Value::NONE)
}

fn rrepr(m: &mut Mutator, args: Args) -> R {
    let (owner, depth) = this::<RLock>(m, args, "_thread.RLock")?.holder();
    let state = if depth > 0 { "locked" } else { "unlocked" };
    let at = args.get(0).bits();
    m.new_str(&format!("<{state} _thread.RLock object owner={owner} count={depth} at {at:#x}>"))
}

const ACQUIRE: &str = "self, blocking=, timeout=";

pub static LOCK: TypeDef = TypeDef {
    name: "lock",
    kind: Kind::Host,
    doc: "A lock that one thread at a time can hold, and any thread can release.",
    construct: Some(NativeDef::data("__new__", "cls, /", new_lock, "")),
    methods: &[
        NativeDef::full("acquire", ACQUIRE, acquire, "Take the lock; False if the time was over first."),
        NativeDef::full("acquire_lock", ACQUIRE, acquire, "As acquire()."),
        NativeDef::data("release", "self, /", release, "Let somebody else take the lock."),
        NativeDef::data("release_lock", "self, /", release, "As release()."),
        NativeDef::data("locked", "self, /", locked, "Whether the lock is held."),
        NativeDef::data("locked_lock", "self, /", locked, "As locked()."),
        NativeDef::full("__enter__", "self, /", enter, "Take the lock."),
        NativeDef::data("__exit__", "self, *args", release, "Release the lock."),
        NativeDef::data("__repr__", "self, /", repr, "Show whether it is held."),
        NativeDef::data("_at_fork_reinit", "self, /", reset, "Free the lock in a forked child."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: false,
};

pub static RLOCK: TypeDef = TypeDef {
    name: "RLock",
    kind: Kind::Host,
    doc: "A lock that its owner can take again, and only its owner can release.",
    construct: Some(NativeDef::data("__new__", "cls, /, *args, **kwargs", new_rlock, "")),
    methods: &[
        NativeDef::full("acquire", ACQUIRE, racquire, "Take the lock; False if the time was over first."),
        NativeDef::full("release", "self, /", rrelease, "Undo one acquire()."),
        NativeDef::full("__enter__", "self, /", renter, "Take the lock."),
        NativeDef::full("__exit__", "self, *args", rrelease, "Undo one acquire()."),
        NativeDef::full("_is_owned", "self, /", is_owned, "Whether the running thread holds it."),
        NativeDef::full(
            "_release_save",
            "self, /",
            release_save,
            "Give it up whole; return how to restore it.",
        ),
        NativeDef::full("_acquire_restore", "self, state, /", acquire_restore, "Take it back as it was."),
        NativeDef::data("__repr__", "self, /", rrepr, "Show owner and depth."),
        NativeDef::data("_at_fork_reinit", "self, /", rreset, "Free the lock in a forked child."),
    ],
    class_methods: &[],
    properties: &[],
    subclassable: true,
};

/// Start-up: the class behind `allocate_lock()`, also called `LockType`.
pub fn init(th: &mut Thread, module: Value) -> R<()> {
    support::remember_class(th, module, "lock", &LOCK_CLASS)?;
    support::set(th, module, "LockType", LOCK_CLASS.value())
}
