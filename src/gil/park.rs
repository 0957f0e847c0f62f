//! All waiting of Mini threads: a parking lot keyed by address. A lock's state word lives in its heap object; who
//! waits for it is known here. So Ctrl-C, fork, the ledger and a deadlock detector see every wait.
//! Knows no lock, no queue, no value: those are built on top.
//!
//! A lock that is handed over, as the layer above would build it on its state word:
//!
//! ```text
//! acquire:  FREE → HELD by compare-exchange, else set CONTENDED and
//!           wait_on(me, key, || state is still CONTENDED, deadline): Woken means the lock is ours
//! release:  HELD → FREE by compare-exchange, else
//!           wake_one(key, |next| state = match next { Some → if more wait { CONTENDED } else { HELD }, None → FREE })
//! ```

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::events::Events;
use super::futex;
use super::ledger::Cause;
use super::luck::Luck;
use super::member::Member;
use super::{attach, detach, nobody_is_left, record};

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Somebody woke it: for a lock that is handed over, the lock is ours.
    Woken,
    /// The deadline passed first.
    TimedOut,
    /// A signal, an asynchronous exception or the end of the process: see `Member::pending`.
    Interrupted,
    /// It did not sleep: `validate` said no.
    Changed,
    /// Nobody is left who could wake it: every thread sleeps without a deadline.
    Stuck,
}

/// Whom `wake_one` is about to wake.
#[derive(Clone, Copy, Debug)]
pub struct Next {
    /// The thread that waited longest, if any waited.
    pub member: Option<&'static Member>,
    /// True if others wait for the same key behind it.
    pub more: bool,
}

pub(super) struct Sleeper {
    key: usize,
    member: &'static Member,
}

type Bucket = Mutex<VecDeque<Sleeper>>;

const BUCKETS: usize = 64;
static LOT: LazyLock<[Bucket; BUCKETS]> = LazyLock::new(|| [const { Mutex::new(VecDeque::new()) }; BUCKETS]);

/// `Member::lot`: not in a bucket, in one, taken out by a waker.
const NOWHERE: u8 = 0;
const QUEUED: u8 = 1;
const WOKEN: u8 = 2;

/// Nanoseconds after which a sleeper without a deadline looks, once, whether anybody is left to wake it: whoever falls
/// asleep last finds that nobody is.
pub(super) const LOOK_AFTER: u64 = 1_500_000_000;
/// Two threads that hand something back and forth need no system call, if there is a processor for each.
static LOOKS: Luck = Luck::new();
/// Threads that are no members any more, and have yet to wake those who wait for their end.
static LEAVING: AtomicUsize = AtomicUsize::new(0);

/// Sleeps until `wake*` for `key`, the deadline, or an interrupt. `validate` is asked under the lot's lock, before
/// anything else: a waker who changes the state first and wakes afterwards cannot be missed. The member is Running
/// before and after, detached while it sleeps.
pub fn wait_on(
    member: &'static Member,
    key: usize,
    validate: impl FnOnce() -> bool,
    deadline: Option<Instant>,
) -> Wait {
    let deadline = deadline.map(as_monotonic);
    {
        let mut bucket = bucket(key);
        if !validate() {
            return Wait::Changed;
        }
        member.lot.store(QUEUED, Ordering::SeqCst);
        member.waits_for.store(key, Ordering::Relaxed);
        let look = || futex::now() + member.looks_after.load(Ordering::Relaxed);
        member.looks_at.store(if deadline.is_none() { look() } else { 0 }, Ordering::Relaxed);
        bucket.push_back(Sleeper { key, member });
    }
    detach(member, Cause::Blocking);
    if key != own_key(member) {
        LOOKS.soon(|| member.parker().is_woken().then_some(()));
    }
    let outcome = sleep_queued(member, key, deadline);
    member.waits_for.store(0, Ordering::Relaxed);
    attach(member);
    outcome
}

/// Sleeps until the deadline (for ever without one) or an interrupt.
pub fn sleep(member: &'static Member, deadline: Option<Instant>) -> Wait {
    wait_on(member, own_key(member), || true, deadline)
}

/// Nobody wakes a thread that waits for this.
fn own_key(member: &Member) -> usize {
    std::ptr::from_ref(member).addr()
}

/// Wakes up to `count` threads that wait for `key`, those who came first; tells how many it woke.
pub fn wake(key: usize, count: usize) -> usize {
    let mut woken = Vec::new();
    {
        let mut bucket = bucket(key);
        while woken.len() < count {
            let Some(member) = remove_first(&mut bucket, key) else { break };
            mark_woken(member);
            woken.push(member);
        }
    }
    woken.iter().for_each(|m| m.parker().unpark());
    woken.len()
}

/// Wakes the thread that waited longest for `key`. `decide` is called under the lot's lock, before it wakes, also
/// if nobody waits: it sets the state word to fit, so that a lock can be handed over directly.
pub fn wake_one<T>(key: usize, decide: impl FnOnce(Next) -> T) -> T {
    let mut bucket = bucket(key);
    let member = remove_first(&mut bucket, key);
    let more = bucket.iter().any(|s| s.key == key);
    // Only then may it see that it is awake: it looks without the lot's lock, and would miss what is handed to it.
    let decided = decide(Next { member, more });
    member.inspect(|member| mark_woken(member));
    drop(bucket);
    member.inspect(|member| member.parker().unpark());
    decided
}

/// Everyone who waits, with the key it waits for: for a deadlock detector and for listings.
pub fn sleepers() -> Vec<(&'static Member, usize)> {
    LOT.iter().flat_map(|b| open(b).iter().map(|s| (s.member, s.key)).collect::<Vec<_>>()).collect()
}

/// All buckets, locked in order: nobody can be half-way in or out. For fork, which must not allocate: what is freed in both
/// processes is copied by both.
#[inline(always)]
pub(super) fn lock_all() -> [MutexGuard<'static, VecDeque<Sleeper>>; BUCKETS] {
    LOT.each_ref().map(open)
}

/// In a forked child: those who waited are gone.
#[inline(always)]
pub(super) fn forget_all() {
    LOT.iter().map(open).filter(|bucket| !bucket.is_empty()).for_each(|mut bucket| bucket.clear());
    if LEAVING.load(Ordering::SeqCst) != 0 {
        LEAVING.store(0, Ordering::SeqCst);
    }
}

fn sleep_queued(member: &'static Member, key: usize, deadline: Option<u64>) -> Wait {
    loop {
        if member.lot.load(Ordering::SeqCst) == WOKEN {
            member.lot.store(NOWHERE, Ordering::SeqCst);
            return Wait::Woken;
        }
        if member.pending().has(Events::INTERRUPTS) {
            return withdraw(member, key, Wait::Interrupted);
        }
        if deadline.is_some_and(|at| futex::now() >= at) {
            return withdraw(member, key, Wait::TimedOut);
        }
        if deadline.is_none() && is_stuck(member) {
            return withdraw(member, key, Wait::Stuck);
        }
        member.parker().park(deadline.or_else(|| Some(member.looks_at.load(Ordering::Relaxed))));
    }
}

/// The look of a sleeper without a deadline, if it is time.
fn is_stuck(member: &Member) -> bool {
    let due = futex::now() >= member.looks_at.load(Ordering::Relaxed);
    if due {
        member.looks_at.store(FAR, Ordering::Relaxed);
    }
    due && nobody_is_left()
}

/// Whether all these threads, which are all there are, sleep until another wakes them. No thread comes or goes meanwhile.
pub(super) fn all_asleep(mut all: impl Iterator<Item = &'static Member>) -> bool {
    let _lot = lock_all();
    let asleep = |member: &Member| {
        member.lot.load(Ordering::SeqCst) == QUEUED
            && member.looks_at.load(Ordering::Relaxed) != 0
            && !member.pending().has(Events::INTERRUPTS)
    };
    LEAVING.load(Ordering::SeqCst) == 0 && all.all(asleep)
}

/// A sleeper that was stuck sleeps on, for only a signal can help it: it looks less and less often.
pub fn look_later(member: &Member) {
    let after = member.looks_after.load(Ordering::Relaxed);
    member.looks_after.store(after.saturating_mul(4).min(FAR), Ordering::Relaxed);
}

/// A thread is about to `leave`, and will wake those who wait for its end afterwards.
pub fn begin_farewell() {
    LEAVING.fetch_add(1, Ordering::SeqCst);
}

/// It has woken them. If nobody but sleepers is left now, one of them has to find out.
pub fn end_farewell() {
    LEAVING.fetch_sub(1, Ordering::SeqCst);
    let mut found = false;
    super::for_each_member(|member| {
        if !found && member.looks_at.load(Ordering::Relaxed) == FAR {
            found = true;
            member.looks_at.store(futex::now() + LOOK_AFTER, Ordering::Relaxed);
            member.parker().unpark();
        }
    });
}

/// Leaves the bucket, unless a waker was faster: its wake-up must not be lost.
fn withdraw(member: &'static Member, key: usize, otherwise: Wait) -> Wait {
    let mut bucket = bucket(key);
    let woken = member.lot.swap(NOWHERE, Ordering::SeqCst) == WOKEN;
    if woken {
        return Wait::Woken;
    }
    bucket.retain(|s| !std::ptr::eq(s.member, member));
    otherwise
}

/// The thread that waited longest, out of its bucket. It has to be marked before the lot's lock is let go.
fn remove_first(bucket: &mut VecDeque<Sleeper>, key: usize) -> Option<&'static Member> {
    let at = bucket.iter().position(|s| s.key == key)?;
    bucket.remove(at).map(|sleeper| sleeper.member)
}

fn mark_woken(member: &Member) {
    if record::on() {
        record::woken(member);
    }
    member.lot.store(WOKEN, Ordering::SeqCst);
}

fn bucket(key: usize) -> MutexGuard<'static, VecDeque<Sleeper>> {
    // Fibonacci hashing: objects lie 16 bytes apart, so the low bits alone would crowd a few buckets.
    let hash = (key as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 58;
    open(&LOT[hash as usize % BUCKETS])
}

fn open(bucket: &Bucket) -> MutexGuard<'_, VecDeque<Sleeper>> {
    // Only `validate` and `decide` could panic in here, and the queue is whole whenever they run.
    bucket.lock().unwrap_or_else(|e| e.into_inner())
}

fn as_monotonic(deadline: Instant) -> u64 {
    let rest = deadline.saturating_duration_since(Instant::now());
    futex::now().saturating_add(u64::try_from(rest.as_nanos()).unwrap_or(u64::MAX)).min(FAR)
}

/// As far as the kernel's clock reaches, with room to spare.
const FAR: u64 = Duration::from_secs(1 << 33).as_nanos() as u64;
