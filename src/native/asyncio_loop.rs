//! `_asyncio.Loop`: what is ready, what is due, and the turns. Must not know sockets, nor what callbacks do.
//!
//! A loop's values: the queue of what is ready and the current task; then, by the numbers below, lists and settings.

use super::asyncio_io::Watched;
use super::asyncio_ready::{self as ready, SCHEDULED, TIMER};
use super::asyncio_task as tasks;
use super::asyncio_timers::Timers;
use super::asyncio_transport::ROOM;
use super::deque::DEQUE;
use super::support::number;
use crate::gil::Cause;
use crate::object::deque::{self, Deque, End};
use crate::object::future::{self, LISTED, TIMED};
use crate::object::layout::{List, Wide};
use crate::object::mutator::Mutator;
use crate::object::{Exc, R, Slot, Value, Word, func, list, wide};
use crate::rt::reactor::{self, Reactor};
use crate::vm::native::Args;
use crate::vm::thread::Thread;
use crate::vm::{import, poll, type_tables};
use smallvec::SmallVec;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Role of loops among wide objects.
const LOOP: u32 = 5;

/// Values of timers.
const TIMERS: usize = 0;
/// Tasks that are not done.
const TASKS: usize = 1;
const TASK_FACTORY: usize = 2;
/// What is watched: two values for each descriptor (`asyncio_io`).
pub const WATCHED: usize = 3;
/// Records of exceptions that nobody has asked for (`asyncio_unseen`).
pub const RECORDS: usize = 4;
const WORDS: usize = 5;

/// A loop never sleeps longer than this.
const LONGEST: f64 = 24.0 * 3600.0;
/// What is due within this is due: the clock counts nanoseconds.
const RESOLUTION: f64 = 1e-9;

/// The Rust half of a loop.
#[derive(Default)]
pub struct Data {
    pub timers: Timers,
    pub watched: Watched,
    closed: AtomicBool,
    stopping: AtomicBool,
    debug: AtomicBool,
    /// The thread that runs it, by its number and one; 0: none.
    runner: AtomicU64,
    /// Seconds, as bits: callbacks that take longer are reported in debug mode.
    slow: AtomicU64,
    reactor: Mutex<Option<Arc<Reactor>>>,
    /// What connections read into, without waiting.
    buffer: Mutex<Vec<u8>>,
    records_limit: AtomicUsize,
}

/// A loop: the object and its Rust half.
#[derive(Clone, Copy)]
pub struct Loop {
    pub object: &'static Wide,
    pub data: &'static Data,
}

impl Data {
    /// How many records there may be before they are looked through.
    pub fn records_limit(&self) -> usize {
        self.records_limit.load(Relaxed)
    }

    pub fn set_records_limit(&self, limit: usize) {
        self.records_limit.store(limit, Relaxed);
    }

    /// Does something that does not block with the buffer that all connections share.
    pub fn with_buffer<T>(&self, work: impl FnOnce(&mut [u8]) -> T) -> T {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        if buffer.len() < ROOM {
            buffer.resize(ROOM, 0);
        }
        work(&mut buffer)
    }
}

/// `v` as a loop of ours.
#[inline]
pub fn of(v: Value) -> Option<Loop> {
    let object = wide::of_role(v, LOOP)?;
    func::host::<Data>(v).map(|data| Loop { object, data })
}

/// The receiver.
pub fn this(th: &mut Thread, args: Args) -> R<Loop> {
    of(args.get(0)).ok_or_else(|| th.type_error("an event loop is expected"))
}

impl Loop {
    pub fn value(self) -> Value {
        wide::value(self.object)
    }

    /// The queue of what is ready.
    pub fn ready(self) -> Option<Deque> {
        self.object.host.extra[0].get().and_then(deque::of)
    }

    /// One of its lists.
    pub fn list(self, which: usize) -> Option<&'static List> {
        wide::word(self.object, which).get().and_then(list::of)
    }

    /// Its tasks that are not done.
    pub fn tasks(self) -> Option<&'static List> {
        self.list(TASKS)
    }

    /// Whether somebody else makes its tasks.
    pub fn has_task_factory(self) -> bool {
        wide::word(self.object, TASK_FACTORY).get().is_some()
    }

    /// Whether debug mode is on.
    pub fn debugs(self) -> bool {
        self.data.debug.load(Relaxed)
    }

    #[inline]
    pub fn check_open(self, th: &mut Thread) -> R<()> {
        if self.data.closed.load(Acquire) {
            return Err(th.raise(Exc::RuntimeError, "Event loop is closed"));
        }
        Ok(())
    }

    /// What it sleeps in. After a fork it is another, which watches the same descriptors.
    pub fn reactor(self, th: &mut Thread) -> R<Arc<Reactor>> {
        let mut found = self.data.reactor.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(reactor) = found.as_ref().filter(|r| !r.is_inherited()) {
            return Ok(reactor.clone());
        }
        let made = Reactor::new().and_then(|made| self.data.watched.move_to(&made).map(|()| made));
        match made {
            Ok(made) => {
                let made = Arc::new(made);
                *found = Some(made.clone());
                Ok(made)
            }
            Err(errno) => {
                drop(found);
                Err(super::oserror::os_error(th, errno, None))
            }
        }
    }

    /// Ends its sleep, if it sleeps.
    pub fn wake(self) {
        let found = self.data.reactor.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(reactor) = found {
            reactor.wake();
        }
    }
}

pub fn construct(th: &mut Thread, args: Args) -> R {
    import::import_dotted(th, "_collections")?;
    let class = type_tables::class_of(&DEQUE).unwrap_or(Value::NONE);
    let queue = deque::new(&mut th.m, class, None)?;
    let (timers, all) = (th.m.new_list(&[])?, th.m.new_list(&[])?);
    let (watched, records) = (th.m.new_list(&[])?, th.m.new_list(&[])?);
    let base = type_tables::class_of(&super::asyncio::LOOP_TYPE).unwrap_or(Value::NONE);
    let words: [Word; WORDS] = [Some(timers), Some(all), None, Some(watched), Some(records)];
    let extra = [Some(queue), None];
    let plan = wide::Plan { class: args.get(0), base, bits: LOOP, number: 0, extra, words: &words };
    let data = Data { slow: AtomicU64::new(0.1f64.to_bits()), ..Data::default() };
    let made = wide::new_owner(&mut th.m, &plan, Box::new(data))?;
    if let Some(made) = of(wide::value(made)) {
        made.reactor(th)?;
    }
    Ok(wide::value(made))
}

/// The running loop, or the one of the policy.
pub fn get_event_loop(th: &mut Thread) -> R {
    if let Some(running) = th.running_loop {
        return Ok(running);
    }
    let events = import::import_dotted(th, "asyncio.events")?;
    th.call_method(events, "get_event_loop", &[])
}

// --- Tasks of a loop. ---

/// A pending task is kept alive by its loop.
pub fn register(th: &mut Thread, task: &'static Wide) -> R<()> {
    let Some(of) = future::event_loop(task).and_then(of) else { return Ok(()) };
    let Some(all) = of.list(TASKS) else { return Ok(()) };
    // Nobody else adds one in between, unless the loop is used by two threads; then a place may be wrong, and is not used.
    task.number.store(list::len(all) as u32, Release);
    wide::set(task, LISTED);
    list::push(&mut th.m, all, wide::value(task))
}

/// The last one takes the place of one that is done.
pub fn unregister(th: &mut Thread, task: &'static Wide) {
    if wide::clear(task, LISTED) & LISTED == 0 {
        return;
    }
    let Some(all) = future::event_loop(task).and_then(of).and_then(|of| of.list(TASKS)) else { return };
    let at = task.number.load(Acquire) as usize;
    if list::get(all, at) != Some(wide::value(task)) {
        let found = list::items(all).iter().position(|slot| slot.get() == Some(wide::value(task)));
        if let Some(found) = found {
            list::remove_at(&mut th.m, all, found);
        }
        return;
    }
    if let Some(last) = list::pop(&mut th.m, all)
        && last != wide::value(task)
    {
        list::set(&mut th.m, all, at, last);
        if let Some(moved) = future::task_of(last) {
            moved.number.store(at as u32, Release);
        }
    }
}

/// Where a loop has its current task.
#[inline(always)]
fn current(event_loop: Value) -> Option<&'static Slot> {
    wide::of_role(event_loop, LOOP).map(|object| &object.host.extra[1])
}

/// `task` runs from now on.
pub fn enter_task(th: &mut Thread, event_loop: Value, task: Value) -> R<()> {
    let Some(current) = current(event_loop) else { return Ok(()) };
    if let Some(other) = current.get() {
        return Err(cannot_enter(th, task, other));
    }
    current.set(task);
    Ok(())
}

#[cold]
fn cannot_enter(th: &mut Thread, task: Value, other: Value) -> crate::object::Raised {
    let shown = |th: &mut Thread, v| th.repr(v).map(|v| crate::object::str::as_str(v).unwrap_or(""));
    let (Ok(own), Ok(other)) = (shown(th, task), shown(th, other)) else { return crate::object::Raised };
    let message = format!("Cannot enter into task {own} while another task {other} is being executed.");
    th.raise(Exc::RuntimeError, message)
}

/// It does not run any more.
pub fn leave_task(event_loop: Value, task: Value) {
    if let Some(current) = current(event_loop)
        && current.get() == Some(task)
    {
        current.clear();
    }
}

/// The task that a loop runs now.
pub fn current_task(event_loop: Value) -> Word {
    current(event_loop).and_then(Slot::get)
}

/// The tasks of a loop that are not done, as a list.
pub fn all_tasks(th: &mut Thread, event_loop: Value) -> R {
    let found = of(event_loop).and_then(|of| of.list(TASKS));
    let tasks: Vec<Value> = found.map(|all| list::snapshot(list::value(all))).unwrap_or_default();
    let tasks: Vec<Value> =
        tasks.into_iter().filter(|v| future::task_of(*v).is_some_and(|t| !future::is_done(t))).collect();
    th.m.new_list(&tasks)
}

/// A future in the heap of timers was cancelled.
pub fn timer_cancelled(f: &Wide) {
    if let Some(of) = future::event_loop(f).and_then(of) {
        of.data.timers.note_cancelled();
    }
}

// --- Methods. ---

/// `*args` of a native whose keyword-only parameter is `context`: it comes first.
fn rest(args: Args, at: usize) -> SmallVec<[Value; 6]> {
    args.rest(at).iter().copied().flatten().collect()
}

/// In debug mode: a loop is used by its own thread alone.
fn check_thread(th: &mut Thread, of: Loop) -> R<()> {
    let runner = of.data.runner.load(Acquire);
    if of.data.debug.load(Relaxed) && runner != 0 && runner != th.m.member.id() + 1 {
        let message = "Non-thread-safe operation invoked on an event loop other than the current one";
        return Err(th.raise(Exc::RuntimeError, message));
    }
    Ok(())
}

/// In debug mode: what is given to a loop must be callable, and no coroutine.
fn check_callback(th: &mut Thread, of: Loop, callback: Value, method: &'static str) -> R<()> {
    if !of.data.debug.load(Relaxed) {
        return Ok(());
    }
    let method = th.m.intern(method)?;
    th.call_method(of.value(), "_check_callback", &[callback, method]).map(drop)
}

pub fn call_soon(th: &mut Thread, args: Args) -> R {
    let of = this(th, args)?;
    of.check_open(th)?;
    check_thread(th, of)?;
    check_callback(th, of, args.get(1), "call_soon")?;
    ready::call_soon(th, args.get(0), args.get(1), &rest(args, 3), args.opt_not_none(2))
}

pub fn call_soon_threadsafe(th: &mut Thread, args: Args) -> R {
    let of = this(th, args)?;
    of.check_open(th)?;
    check_callback(th, of, args.get(1), "call_soon_threadsafe")?;
    let handle = ready::call_soon(th, args.get(0), args.get(1), &rest(args, 3), args.opt_not_none(2))?;
    of.wake();
    Ok(handle)
}

pub fn call_later(th: &mut Thread, args: Args) -> R {
    if args.get(1).is_none() {
        return Err(th.type_error("delay must not be None"));
    }
    let of = this(th, args)?;
    let delay = number(th, args.get(1), "unsupported operand type(s) for +: 'float' and '{}'")?;
    call_at_time(th, of, reactor::now() + delay, args, "call_later")
}

pub fn call_at(th: &mut Thread, args: Args) -> R {
    if args.get(1).is_none() {
        return Err(th.type_error("when cannot be None"));
    }
    let of = this(th, args)?;
    let when = number(th, args.get(1), "must be real number, not {}")?;
    call_at_time(th, of, when, args, "call_at")
}

fn call_at_time(th: &mut Thread, of: Loop, when: f64, args: Args, method: &'static str) -> R {
    of.check_open(th)?;
    check_thread(th, of)?;
    check_callback(th, of, args.get(2), method)?;
    let handle =
        ready::new_handle(th, args.get(0), args.get(2), &rest(args, 4), args.opt_not_none(3), Some(when))?;
    wide::set(handle, SCHEDULED);
    add_timer(&mut th.m, of, when, wide::value(handle))?;
    Ok(wide::value(handle))
}

fn add_timer(m: &mut Mutator, of: Loop, when: f64, v: Value) -> R<()> {
    match of.list(TIMERS) {
        Some(values) => of.data.timers.add(m, values, when, v),
        None => Ok(()),
    }
}

/// `_sleep(delay, result)`: a future that gets its result after so many seconds.
pub fn sleep(th: &mut Thread, args: Args) -> R {
    let Some(running) = th.running_loop else {
        return Err(th.raise(Exc::RuntimeError, "no running event loop"));
    };
    let delay = number(th, args.get(0), "unsupported operand type(s) for +: 'float' and '{}'")?;
    let Some(of) = of(running) else { return Ok(Value::NONE) };
    of.check_open(th)?;
    let f = super::asyncio_future::new(&mut th.m, running)?;
    future::result_slot(f).set(args.get(1));
    wide::set(f, TIMED);
    add_timer(&mut th.m, of, reactor::now() + delay, wide::value(f))?;
    Ok(wide::value(f))
}

pub fn time(th: &mut Thread, _: Args) -> R {
    th.new_float(reactor::now())
}

pub fn create_future(th: &mut Thread, args: Args) -> R {
    this(th, args)?;
    super::asyncio_future::create(th, args.get(0)).map(wide::value)
}

pub fn create_task(th: &mut Thread, args: Args) -> R {
    let of = this(th, args)?;
    of.check_open(th)?;
    let (event_loop, coro) = (args.get(0), args.get(1));
    let (name, context) = (args.opt_not_none(2), args.opt_not_none(3));
    let Some(factory) = wide::word(of.object, TASK_FACTORY).get() else {
        return tasks::new(th, &tasks::Parts { event_loop, coro, name, context });
    };
    let key = th.name("context")?;
    let keywords = context.map(|context| (key, context));
    let made = th.call_kw(factory, &[event_loop, coro], keywords.as_slice())?;
    if let Some(name) = name {
        let setter = th.name("set_name")?;
        if let Some(setter) = th.get_attr_opt(made, setter)? {
            th.call(setter, &[name])?;
        }
    }
    Ok(made)
}

pub fn set_task_factory(th: &mut Thread, args: Args) -> R {
    let of = this(th, args)?;
    let factory = args.opt_not_none(1);
    if let Some(factory) = factory
        && !super::builtins::is_callable(th, factory)
    {
        return Err(th.type_error("task factory must be a callable or None"));
    }
    wide::word(of.object, TASK_FACTORY).set_word(factory);
    Ok(Value::NONE)
}

pub fn get_task_factory(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|of| wide::word(of.object, TASK_FACTORY).value())
}

pub fn stop(th: &mut Thread, args: Args) -> R {
    this(th, args)?.data.stopping.store(true, Release);
    Ok(Value::NONE)
}

pub fn is_running(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|of| Value::bool(of.data.runner.load(Acquire) != 0))
}

pub fn is_closed(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|of| Value::bool(of.data.closed.load(Acquire)))
}

pub fn check_closed(th: &mut Thread, args: Args) -> R {
    let of = this(th, args)?;
    of.check_open(th)?;
    Ok(Value::NONE)
}

pub fn get_debug(th: &mut Thread, args: Args) -> R {
    this(th, args).map(|of| Value::bool(of.data.debug.load(Acquire)))
}

pub fn set_debug(th: &mut Thread, args: Args) -> R {
    let of = this(th, args)?;
    let on = th.is_true(args.get(1))?;
    of.data.debug.store(on, Release);
    Ok(Value::NONE)
}

pub fn slow_duration(th: &mut Thread, args: Args) -> R {
    let of = this(th, args)?;
    th.new_float(f64::from_bits(of.data.slow.load(Acquire)))
}

pub fn set_slow_duration(th: &mut Thread, args: Args) -> R {
    let of = this(th, args)?;
    let seconds = number(th, args.get(1), "a number is required, not '{}'")?;
    of.data.slow.store(seconds.to_bits(), Release);
    Ok(Value::NONE)
}

/// `_close()`: forgets everything.
pub fn close(th: &mut Thread, args: Args) -> R {
    let of = this(th, args)?;
    if of.data.closed.swap(true, AcqRel) {
        return Ok(Value::NONE);
    }
    if let Some(queue) = of.ready() {
        deque::clear(&mut th.m, queue)?;
    }
    super::asyncio_unseen::tell(th, of)?;
    of.data.timers.clear();
    for which in [TIMERS, TASKS, WATCHED] {
        if let Some(values) = of.list(which) {
            list::clear(&mut th.m, values)?;
        }
    }
    of.data.watched.clear();
    let reactor = of.data.reactor.lock().unwrap_or_else(PoisonError::into_inner).take();
    drop(reactor);
    Ok(Value::NONE)
}

// --- Turns. ---

/// `_run()`: turns until somebody says stop.
pub fn run(th: &mut Thread, args: Args) -> R {
    let of = this(th, args)?;
    of.check_open(th)?;
    let own = th.m.member.id() + 1;
    if of.data.runner.compare_exchange(0, own, AcqRel, Acquire).is_err() {
        return Err(th.raise(Exc::RuntimeError, "This event loop is already running"));
    }
    if th.running_loop.is_some() {
        of.data.runner.store(0, Release);
        let message = "Cannot run the event loop while another loop is running";
        return Err(th.raise(Exc::RuntimeError, message));
    }
    th.running_loop = Some(args.get(0));
    let done = turns(th, of);
    th.running_loop = None;
    of.data.stopping.store(false, Release);
    of.data.runner.store(0, Release);
    done.map(|()| Value::NONE)
}

fn turns(th: &mut Thread, of: Loop) -> R<()> {
    let reactor = of.reactor(th)?;
    loop {
        turn(th, of, &reactor)?;
        if of.data.stopping.load(Acquire) {
            return Ok(());
        }
    }
}

/// `_run_once()`.
pub fn run_once(th: &mut Thread, args: Args) -> R {
    let of = this(th, args)?;
    let reactor = of.reactor(th)?;
    turn(th, of, &reactor).map(|()| Value::NONE)
}

fn turn(th: &mut Thread, of: Loop, reactor: &Reactor) -> R<()> {
    let (Some(queue), Some(timers)) = (of.ready(), of.list(TIMERS)) else { return Ok(()) };
    of.data.timers.tidy(timers, is_cancelled);
    let waits = deque::len(queue) == 0 && !of.data.stopping.load(Acquire);
    if waits {
        sleep_until_something(th, of, reactor)?;
    } else if of.data.watched.any() {
        look(th, of, reactor)?;
    }
    let end = reactor::now() + RESOLUTION;
    while let Some(due) = of.data.timers.take_due(timers, end) {
        deque::push(&mut th.m, queue, End::Right, due)?;
    }
    run_ready(th, of, queue)
}

/// What is ready now; what becomes ready meanwhile is for the next turn.
fn run_ready(th: &mut Thread, of: Loop, queue: Deque) -> R<()> {
    let debug = of.data.debug.load(Relaxed);
    for _ in 0..deque::len(queue) {
        let Some(entry) = deque::pop(&th.m, queue, End::Left) else { break };
        let began = if debug { reactor::now() } else { 0.0 };
        ready::run(th, of.value(), entry)?;
        if debug {
            report_slow(th, of, entry, reactor::now() - began)?;
        }
        // Coroutines and natives that are short never get to a poll of their own.
        if th.m.member.breaker().load(Relaxed) != 0 {
            poll::poll(th)?;
        }
    }
    Ok(())
}

#[cold]
fn report_slow(th: &mut Thread, of: Loop, entry: Value, took: f64) -> R<()> {
    if took < f64::from_bits(of.data.slow.load(Acquire)) {
        return Ok(());
    }
    let took = th.new_float(took)?;
    th.call_method(of.value(), "_callback_was_slow", &[entry, took]).map(drop)
}

/// Whether a timer need not be waited for.
fn is_cancelled(v: Value) -> bool {
    match wide::of(v) {
        Some((handle, TIMER)) => wide::has(handle, ready::CANCELLED),
        Some((f, _)) => future::of(v).is_some() && future::is_done(f),
        None => true,
    }
}

/// How long it may sleep; for ever at most.
fn patience(of: Loop) -> Option<Duration> {
    let left = of.data.timers.next()? - reactor::now();
    // What is no number is due at once, too.
    Some(if left > 0.0 { Duration::from_secs_f64(left.min(LONGEST)) } else { Duration::ZERO })
}

fn sleep_until_something(th: &mut Thread, of: Loop, reactor: &Reactor) -> R<()> {
    let mut found = Vec::new();
    let timeout = patience(of);
    if timeout == Some(Duration::ZERO) && !of.data.watched.any() {
        return Ok(());
    }
    let waited = th.detach(Cause::Blocking, || reactor.wait(timeout, &mut found));
    settle(th, of, waited, &found)
}

/// As `sleep_until_something`, without sleeping.
fn look(th: &mut Thread, of: Loop, reactor: &Reactor) -> R<()> {
    let mut found = Vec::new();
    let looked = reactor.wait(Some(Duration::ZERO), &mut found);
    settle(th, of, looked, &found)
}

fn settle(th: &mut Thread, of: Loop, waited: Result<(), i32>, found: &[reactor::Ready]) -> R<()> {
    match waited {
        Ok(()) => super::asyncio_io::push_ready(th, of, found),
        Err(libc::EINTR) => th.check_signals(),
        Err(errno) => Err(super::oserror::os_error(th, errno, None)),
    }
}
