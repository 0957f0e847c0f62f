//! One thread, as this layer sees it. Members are never freed but reused, so that a signal handler, a spinner and
//! a late waker may follow a pointer to one at any time. Knows no policy.

use std::sync::atomic::{
    AtomicBool, AtomicI64, AtomicPtr, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering,
};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crossbeam_utils::CachePadded;

use super::cell::MemberCell;
use super::events::Events;
use super::ledger::{Cause, Ledger, Phase};
use super::park;
use super::parker::Parker;
use super::record::{self, Event, What};
use super::state::{Slot, State};
use super::witness;

/// What the eval loop and its neighbours touch often, on cache lines of its own.
#[derive(Debug)]
struct Hot {
    slot: Slot,
    tick: AtomicI64,
    user: AtomicPtr<()>,
}

/// One Mini thread.
#[derive(Debug)]
pub struct Member {
    hot: CachePadded<Hot>,
    busy: CachePadded<AtomicU64>,
    parker: Parker,
    detached_sp: AtomicUsize,
    ledger: Ledger,
    id: AtomicU64,
    os_id: AtomicU32,
    is_main: AtomicBool,
    blocked_signals: AtomicU64,
    name: Mutex<String>,
    log: Mutex<Vec<Event>>,
    /// Who woke it last, and 1; 0: nobody since that was told. And where that was.
    waker: AtomicU64,
    waker_place: AtomicU32,
    woken_at: AtomicU64,
    /// The parking lot's note on this thread; see `park.rs`.
    pub(super) lot: AtomicU8,
    pub(super) waits_for: AtomicUsize,
    /// When a sleep without a deadline looks whether anybody is left to wake it; 0: it has a deadline. See `park.rs`.
    pub(super) looks_at: AtomicU64,
    /// Nanoseconds from falling asleep to that look.
    pub(super) looks_after: AtomicU64,
    /// Only does something when another thread wants it to, and will not wake anybody by itself.
    pub(super) helps: AtomicBool,
    /// True if it lost the GIL by force and has not blocked since; see `queue.rs`.
    pub(super) cpu_bound: AtomicBool,
    /// The next in the list of all members ever made.
    pub(super) next: MemberCell,
}

impl Member {
    pub(super) fn new(state: State) -> Member {
        let hot = Hot {
            slot: Slot::new(state),
            tick: AtomicI64::new(i64::MAX),
            user: AtomicPtr::new(std::ptr::null_mut()),
        };
        Member {
            hot: CachePadded::new(hot),
            busy: CachePadded::new(AtomicU64::new(0)),
            parker: Parker::new(),
            detached_sp: AtomicUsize::new(0),
            ledger: Ledger::new(),
            id: AtomicU64::new(0),
            os_id: AtomicU32::new(0),
            is_main: AtomicBool::new(false),
            blocked_signals: AtomicU64::new(0),
            name: Mutex::new(String::new()),
            log: Mutex::new(Vec::new()),
            waker: AtomicU64::new(0),
            waker_place: AtomicU32::new(0),
            woken_at: AtomicU64::new(0),
            lot: AtomicU8::new(0),
            waits_for: AtomicUsize::new(0),
            looks_at: AtomicU64::new(0),
            looks_after: AtomicU64::new(park::LOOK_AFTER),
            helps: AtomicBool::new(false),
            cpu_bound: AtomicBool::new(false),
            next: MemberCell::empty(),
        }
    }

    /// The one word that the eval loop polls (one relaxed load); if it is not 0, call `poll`.
    #[inline(always)]
    pub fn breaker(&self) -> &AtomicU32 {
        self.hot.slot.breaker()
    }

    /// The countdown of the Stepped loop, written by the thread itself: count down, call `poll` below 0. `poll`
    /// loads it anew.
    #[inline(always)]
    pub fn tick(&self) -> &AtomicI64 {
        &self.hot.tick
    }

    /// The address of the object that this thread is writing in place; 0 for none.
    #[inline(always)]
    pub fn busy(&self) -> &AtomicU64 {
        &self.busy
    }

    /// Where the VM hangs its own record of the thread.
    #[inline(always)]
    pub fn user(&self) -> &AtomicPtr<()> {
        &self.hot.user
    }

    /// Running, Detached, Parked or Gone.
    pub fn state(&self) -> State {
        self.hot.slot.state()
    }

    /// The native stack pointer as of the last time the thread stopped running: set by the caller before
    /// `detach`, `poll`, `stop_the_world` and `wait_on`, with the callee-saved registers spilled above it; read
    /// by the collector.
    pub fn detached_sp(&self) -> &AtomicUsize {
        &self.detached_sp
    }

    /// Whether it only waits to be asked who is next: it keeps nobody from being deadlocked.
    pub fn helps(&self) -> bool {
        self.helps.load(Ordering::SeqCst)
    }

    /// A number that no other member of this process has had.
    pub fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    /// The kernel's thread id; 0 until `bind_to_this_thread`.
    pub fn os_id(&self) -> u32 {
        self.os_id.load(Ordering::Relaxed)
    }

    /// Records that the calling OS thread is this member's.
    pub fn bind_to_this_thread(&'static self) {
        self.os_id.store(super::futex::thread_id(), Ordering::Relaxed);
        record::bind(self);
    }

    /// True for the thread that runs signal handlers.
    pub fn is_main(&self) -> bool {
        self.is_main.load(Ordering::Relaxed)
    }

    /// The signals that the script does not want in this thread; bit n-1 for signal n.
    pub fn blocked_signals(&self) -> &AtomicU64 {
        &self.blocked_signals
    }

    /// The thread's name.
    pub fn name(&self) -> String {
        self.name.lock().map_or_else(|e| e.into_inner().clone(), |n| n.clone())
    }

    /// Names the thread.
    pub fn set_name(&self, name: &str) {
        *self.name.lock().unwrap_or_else(|e| e.into_inner()) = name.to_owned();
    }

    /// Asks something of this thread, from any thread: it ends its wait early if the request interrupts waits.
    pub fn request(&self, events: Events) {
        self.hot.slot.raise(events.0);
        if events.has(Events::INTERRUPTS) {
            self.parker.unpark();
        }
    }

    /// Takes back requests; tells which were there.
    pub fn withdraw(&self, events: Events) -> Events {
        Events(self.hot.slot.take(events.0))
    }

    /// What is asked of this thread now.
    pub fn pending(&self) -> Events {
        Events(self.breaker().load(Ordering::SeqCst))
    }

    pub(super) fn slot(&self) -> &Slot {
        &self.hot.slot
    }

    pub(super) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The thread itself, while it is Running: it gives up permission at `at`, for this cause, to spend its time so.
    #[inline]
    pub(super) fn let_go(&self, cause: Cause, phase: Phase, at: u64) {
        let call = if phase == Phase::Blocked { witness::call_of(self) } else { 0 };
        if self.ledger.let_go(phase, cause, call, at) {
            witness::learn(self, call);
        }
        if record::on() {
            record::write(self, at, What::LetGo { cause, phase, place: witness::place_of(self), call });
        }
    }

    /// The thread itself, not Running: its time goes to `phase` from `at` on.
    #[inline]
    pub(super) fn turn(&self, phase: Phase, at: u64) {
        self.ledger.turn(phase, at);
        if record::on() {
            self.tell_waker();
            record::write(self, at, What::Turn(phase));
        }
    }

    /// The thread itself: it was given permission at `at`; `from`: by way of the thread with this number, or 0.
    #[inline]
    pub(super) fn acquired(&self, from: u64, at: u64) {
        self.ledger.acquired(at);
        if record::on() {
            self.tell_waker();
            record::write(self, at, What::Acquired { from });
        }
    }

    /// Another thread, before it wakes this one: which, and where.
    pub(super) fn note_waker(&self, by: u64, place: u32, at: u64) {
        self.waker_place.store(place, Ordering::Relaxed);
        self.woken_at.store(at, Ordering::Relaxed);
        self.waker.store(by + 1, Ordering::Release);
    }

    #[cold]
    fn tell_waker(&self) {
        let by = self.waker.swap(0, Ordering::Acquire);
        if by != 0 {
            let place = self.waker_place.load(Ordering::Relaxed);
            let at = self.woken_at.load(Ordering::Relaxed);
            record::write(self, at, What::Woken { by: by - 1, place });
        }
    }

    /// What was written down of this thread.
    pub(super) fn log(&self) -> MutexGuard<'_, Vec<Event>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn parker(&self) -> &Parker {
        &self.parker
    }

    pub(super) fn set_main(&self, is_main: bool) {
        self.is_main.store(is_main, Ordering::Relaxed);
    }

    /// Makes a new or reused member fit for a new thread; it is in no list that a stopper reads.
    pub(super) fn renew(&self, id: u64, name: &str, is_main: bool) {
        self.id.store(id, Ordering::Relaxed);
        self.os_id.store(0, Ordering::Relaxed);
        self.set_main(is_main);
        self.set_name(name);
        self.tick().store(i64::MAX, Ordering::Relaxed);
        self.user().store(std::ptr::null_mut(), Ordering::Relaxed);
        self.detached_sp.store(0, Ordering::Relaxed);
        self.forget_waits();
        self.cpu_bound.store(false, Ordering::Relaxed);
        self.helps.store(false, Ordering::Relaxed);
    }

    /// Nobody waits for anything any more: new member, or forked child.
    pub(super) fn forget_waits(&self) {
        self.busy.store(0, Ordering::Relaxed);
        self.lot.store(0, Ordering::Relaxed);
        self.waits_for.store(0, Ordering::Relaxed);
        self.looks_at.store(0, Ordering::Relaxed);
        self.looks_after.store(park::LOOK_AFTER, Ordering::Relaxed);
        self.waker.store(0, Ordering::Relaxed);
        self.parker.reset();
    }
}
