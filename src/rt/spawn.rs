//! Starting threads: an OS thread per Mini thread, kept for the next one for a moment when it is done.
//! Must not know `threading`: who is told of an exception that nobody caught is a function given by the caller.

use super::handle::Handle;
use super::processor::{self, Processors};
use crate::gil::{self, Member, park, signal};
use crate::object::{R, Value, dict};
use crate::vm::roots;
use crate::vm::thread::{OTHER_REGISTERS, Thread};
use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Native stack of a thread: address space, committed as it is used.
const STACK: usize = 64 << 20;
/// How long an OS thread waits for another Mini thread to run, and how many may wait.
const LINGER: Duration = Duration::from_millis(200);
const MOST_IDLE: usize = 16;

/// `threading.stack_size`: 0 for the default.
static STACK_SIZE: AtomicUsize = AtomicUsize::new(0);
/// OS threads that have nothing to do. An OS thread takes itself out when it gives up waiting.
static IDLE: Mutex<Vec<Arc<Worker>>> = Mutex::new(Vec::new());
/// Threads started and not ended.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// What the layers above do at the end of a thread.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// What an uncaught exception is handed to, with the function that raised it.
    pub uncaught: fn(&mut Thread, function: Value),
    /// For a thread that forked and is the child's main one by now: the process ends with it.
    pub end_of_process: fn(&mut Thread) -> !,
}

/// Everything a new thread needs.
struct Job {
    member: &'static Member,
    handle: Arc<Handle>,
    function: Value,
    /// Tuple.
    args: Value,
    /// Dict or None.
    kwargs: Value,
    hooks: Hooks,
}

/// An OS thread, to those who have work for it.
struct Worker {
    jobs: Sender<Job>,
}

/// The call that a new thread makes.
pub struct Call {
    pub function: Value,
    /// Tuple.
    pub args: Value,
    /// Dict or None.
    pub kwargs: Value,
}

/// Starts a thread. Errors: RuntimeError, if the system has no thread to give.
pub fn start(th: &mut Thread, name: &str, call: Call, hooks: Hooks) -> R<Arc<Handle>> {
    let handle = Arc::new(Handle::default());
    let member = gil::register(name, false);
    member.blocked_signals().store(th.m.member.blocked_signals().load(Ordering::Relaxed), Ordering::Relaxed);
    th.expect_company();
    handle.set_ident(member.id());
    let Call { function, args, kwargs } = call;
    [function, args, kwargs].into_iter().for_each(roots::keep);
    let job = Job { member, handle: handle.clone(), function, args, kwargs, hooks };
    RUNNING.fetch_add(1, Ordering::Relaxed);
    let Some(job) = give_to_idle(job).and_then(|job| give_to_new(job).err()) else { return Ok(handle) };
    RUNNING.fetch_sub(1, Ordering::Relaxed);
    drop_call(&job);
    gil::leave(job.member);
    Err(th.raise(crate::object::Exc::RuntimeError, "can't start new thread"))
}

/// Number of threads that were started and have not ended.
pub fn running() -> usize {
    RUNNING.load(Ordering::Relaxed)
}

/// The stack size for threads to come, in bytes; 0 for the default. Returns the one before.
pub fn set_stack_size(bytes: usize) -> usize {
    STACK_SIZE.swap(bytes, Ordering::Relaxed)
}

/// See `set_stack_size`.
pub fn stack_size() -> usize {
    STACK_SIZE.load(Ordering::Relaxed)
}

fn stack_bytes() -> usize {
    // A script that asks for less saves nothing but address space; the interpreter needs its share.
    stack_size().max(STACK)
}

/// `None`: some OS thread has taken the job.
fn give_to_idle(job: Job) -> Option<Job> {
    match idle().pop() {
        Some(worker) => worker.jobs.send(job).err().map(|refused| refused.0),
        None => Some(job),
    }
}

fn give_to_new(job: Job) -> Result<(), Job> {
    let (jobs, receiver) = mpsc::channel();
    let worker = Arc::new(Worker { jobs });
    let own = worker.clone();
    let free = processor::stay_if_full(gil::busy().saturating_sub(1));
    let begin = move || {
        free.iter().for_each(Processors::apply);
        work(&own, &receiver);
    };
    let started = std::thread::Builder::new().stack_size(stack_bytes()).spawn(begin);
    free.iter().for_each(Processors::apply);
    match started {
        Ok(_) => worker.jobs.send(job).map_err(|refused| refused.0),
        Err(_) => Err(job),
    }
}

/// The life of an OS thread: one Mini thread after the other.
fn work(own: &Arc<Worker>, jobs: &Receiver<Job>) {
    signal::block_signals_in_this_thread();
    let mut next = jobs.recv().ok();
    while let Some(job) = next {
        let handle = job.handle.clone();
        let offered = run(job, own);
        handle.finish();
        park::end_farewell();
        next = if offered { wait_for_job(own, jobs) } else { None };
    }
}

/// Declares an OS thread idle. False: there are enough.
fn offer(own: &Arc<Worker>) -> bool {
    let mut idle = idle();
    let wanted = idle.len() < MOST_IDLE;
    if wanted {
        idle.push(own.clone());
    }
    wanted
}

fn wait_for_job(own: &Arc<Worker>, jobs: &Receiver<Job>) -> Option<Job> {
    if let Ok(job) = jobs.recv_timeout(LINGER) {
        return Some(job);
    }
    let mut idle = idle();
    let at = idle.iter().position(|w| Arc::ptr_eq(w, own));
    match at {
        Some(at) => {
            idle.swap_remove(at);
            None
        }
        // Somebody has taken us out this very moment: the job is on its way.
        None => {
            drop(idle);
            jobs.recv().ok()
        }
    }
}

fn idle() -> MutexGuard<'static, Vec<Arc<Worker>>> {
    IDLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds the list of idle OS threads across a fork: they are members of nothing that stops.
pub(super) fn lock_for_fork() -> impl Sized {
    idle()
}

/// In a forked child: no thread is idle, none was started. What led to them is left as it is: it may be half-changed.
#[inline(always)]
pub(super) fn after_fork_child() {
    let mut idle = idle();
    if !idle.is_empty() {
        std::mem::take(&mut *idle).into_iter().for_each(std::mem::forget);
    }
    if RUNNING.load(Ordering::Relaxed) != 0 {
        RUNNING.store(0, Ordering::Relaxed);
    }
}

/// Runs a Mini thread from its first to its last moment; tells whether the OS thread may wait for another.
fn run(job: Job, own: &Arc<Worker>) -> bool {
    let Job { member, .. } = job;
    member.bind_to_this_thread();
    match Thread::new(member, OTHER_REGISTERS) {
        Ok(mut th) => {
            th.attach();
            run_call(&mut th, &job);
            drop(th);
        }
        // Nobody can be told in the new thread's name: it has no registers to run anything.
        Err(problem) => {
            drop_call(&job);
            let _ = writeln!(std::io::stderr(), "Exception in thread {}: {problem}", member.name());
        }
    }
    park::begin_farewell();
    gil::leave(member);
    RUNNING.fetch_sub(1, Ordering::Relaxed);
    offer(own)
}

fn run_call(th: &mut Thread, job: &Job) {
    let scope = th.scope();
    for v in [job.function, job.args, job.kwargs] {
        th.root(v);
    }
    drop_call(job);
    let args: Vec<Value> = crate::object::tuple::items(job.args).iter().filter_map(|s| s.get()).collect();
    if th.call_kw(job.function, &args, &dict::entries(job.kwargs)).is_err() {
        (job.hooks.uncaught)(th, job.function);
    }
    if th.m.member.is_main() {
        (job.hooks.end_of_process)(th);
    }
    th.close(scope);
}

fn drop_call(job: &Job) {
    [job.kwargs, job.args, job.function].into_iter().for_each(roots::forget);
}
