//! Who may run. Policies, attach and detach, the breaker, stop-the-world, Mini's own waiting, signals, the ledger.
//! Knows no value, no heap and no VM; imports only std, libc and crossbeam-utils.
//!
//! How a thread lives, seen from the VM:
//!
//! ```text
//! let me = gil::register("Thread-1", false);        // the new thread, or its parent; Detached so far
//! me.bind_to_this_thread();
//! gil::attach(me);                                  // Running from here on
//!   … eval loop: breaker != 0 (or tick < 0) at a poll point → gil::poll(me) → what is left to do
//!   … blocking call: gil::detached(me, Cause::Blocking, || read(fd, buf))
//! gil::leave(me);                                   // gives up permission and is forgotten
//! ```
//!
//! After anything that may have detached (a native call, `poll`), the policy may be another one: the breaker has
//! MODE_CHANGE then, and a loop that was entered natively from another compares `loop_kind()` when it goes on.
//!
//! `unsafe` stands in `futex.rs`, `signal.rs` and `cell.rs`.

mod asked;
pub mod busy;
mod calls;
mod cell;
mod coop;
mod events;
pub mod futex;
mod ledger;
mod lock;
mod luck;
mod member;
mod off;
pub mod park;
mod parker;
mod policy;
mod primitive;
mod queue;
pub mod record;
mod registry;
pub mod signal;
mod spec;
mod state;
mod ticks;
mod time;
pub mod witness;
mod world;

use std::sync::atomic::AtomicU16;

pub use asked::Ready;
pub use calls::Call;
pub use events::Events;
pub use futex::now;
pub use ledger::{CAUSES, Cause, Figures, Phase};
pub use luck::Luck;
pub use member::Member;
pub use parker::Parker;
pub use registry::{Account, Snapshot};
pub use spec::{LoopKind, PolicyKind, PolicySpec, PollKind, QueueKind, SpecError};
pub use state::State;
pub use world::World;

use world::WORLD;

/// Makes (or reuses) a member for a new thread; it is Detached. `is_main`: signal handlers run in it.
pub fn register(name: &str, is_main: bool) -> &'static Member {
    WORLD.register(name, is_main)
}

/// How many threads run Mini code or are about to begin.
pub fn busy() -> usize {
    WORLD.busy()
}

/// The thread ends: gives up permission to run, and is no longer in the registry. Its figures are kept. It is
/// Running, or was never attached. The member must not be used afterwards: another thread may get it.
pub fn leave(member: &'static Member) {
    WORLD.leave(member);
}

/// Waits for permission to run. The member is Running afterwards.
#[inline]
pub fn attach(member: &'static Member) {
    WORLD.attach(member);
}

/// Gives up permission to run before a blocking call; promises not to touch the heap until `attach`.
#[inline]
pub fn detach(member: &'static Member, cause: Cause) {
    WORLD.detach(member, cause);
}

/// Runs a blocking call without permission to run: detach, call, attach (also if the call unwinds).
#[inline]
pub fn detached<T>(member: &'static Member, cause: Cause, call: impl FnOnce() -> T) -> T {
    struct Return(&'static Member);
    impl Drop for Return {
        fn drop(&mut self) {
            attach(self.0);
        }
    }
    detach(member, cause);
    let _return = Return(member);
    call()
}

/// The slow path of every poll point: call it when the breaker is not 0 or the tick is below 0. Gives the GIL away
/// if asked, stands still for a stopped world, and returns what is left for the VM to do (and clears it).
#[cold]
pub fn poll(member: &'static Member) -> Events {
    WORLD.poll(member)
}

/// As `poll`, at a point at which the policy allows no switch: only what must not wait is done.
#[cold]
pub fn poll_in_place(member: &'static Member) -> Events {
    WORLD.poll_in_place(member)
}

/// Offers the GIL to whoever waits for it, as `time.sleep(0)` does.
pub fn yield_now(member: &'static Member) {
    WORLD.yield_now(member);
}

/// Makes `member`, which is Detached, the thread that decides who is next under `queue=user`. `None`: that is not the
/// policy, or another thread does.
pub fn become_decider(member: &'static Member) -> Option<u32> {
    WORLD.become_decider(member)
}

/// Waits until there is something to decide; the member is Running then. False: the policy changed since
/// `become_decider`, which returned `turn`.
pub fn await_question(member: &'static Member, turn: u32) -> bool {
    WORLD.await_question(member, turn)
}

/// Who waits for the GIL, to the thread that decides.
pub fn question() -> Vec<Ready> {
    WORLD.question()
}

/// Gives the GIL to whom the deciding thread has chosen, by number; `None`: to who came first. It is Detached then.
pub fn answer(member: &'static Member, id: Option<u64>) {
    WORLD.answer(member, id);
}

/// Runs `f` while no other thread is Running, under any policy. The caller is Running before, in and after it; it
/// may have stood still for another's stop first. `f` must not poll, detach, or stop the world again.
pub fn stop_the_world<T>(member: &'static Member, f: impl FnOnce(&World) -> T) -> T {
    WORLD.stop(member, f)
}

/// Changes the policy under living threads.
pub fn set_policy(member: &'static Member, spec: PolicySpec) {
    WORLD.set_policy(member, spec);
}

/// As `set_policy`, by a thread that is no member.
pub fn set_policy_from_outside(spec: PolicySpec) {
    WORLD.set_policy_from_outside(spec);
}

/// As `stop_the_world`, for a thread that is no member and waits for no permission. `f` must not touch what a policy protects
/// other than by reading.
pub fn stop_from_outside<T>(f: impl FnOnce(&World) -> T) -> T {
    WORLD.stop_from_outside(f)
}

/// The policy in force.
pub fn policy() -> PolicySpec {
    WORLD.spec()
}

/// `sys.setswitchinterval`: the time after which a waiter asks; all else stays. A policy without a
/// time (off, coop, ticks) stays too, and the value is only remembered. False: not above 0 and finite.
pub fn set_switch_interval(member: &'static Member, seconds: f64) -> bool {
    WORLD.set_switch_interval(member, seconds)
}

/// `sys.getswitchinterval`, in seconds.
pub fn switch_interval() -> f64 {
    WORLD.switch_interval()
}

/// `sys.setcheckinterval`: the number of ticks; all else stays. Values below 1 count as 1. A policy without ticks
/// stays too, and the value is only remembered.
pub fn set_check_interval(member: &'static Member, ticks: i64) {
    WORLD.set_check_interval(member, ticks);
}

/// `sys.getcheckinterval`.
pub fn check_interval() -> i64 {
    WORLD.check_interval()
}

/// A second thread is about to run Mini code; `member`, who starts it, is Running, and looks at `loop_kind` again
/// before the other can run. Until then, with the GIL off, the only thread runs as under a GIL that it never loses.
pub fn expect_company(member: &'static Member) {
    WORLD.expect_company(member);
}

/// Looks whether the thread that stopped the world is the only one left; it looks at `loop_kind` again afterwards.
pub fn note_solitude(world: &World) {
    WORLD.note_solitude(world);
}

/// Which instantiation of the eval loop the policy in force needs. One relaxed load.
#[inline]
pub fn loop_kind() -> LoopKind {
    WORLD.loop_kind()
}

/// For the Stepped loop, which counts at every instruction: where a switch may happen. One relaxed load.
#[inline]
pub fn poll_kind() -> PollKind {
    WORLD.poll_kind()
}

/// Everyone's figures now, those of ended threads included.
pub fn snapshot() -> Snapshot {
    WORLD.snapshot()
}

/// Calls `visit` for every registered member; members may come and go meanwhile unless the world is stopped.
pub fn for_each_member(visit: impl FnMut(&'static Member)) {
    WORLD.for_each_member(visit);
}

/// Whether every thread sleeps in the parking lot without a deadline: nothing but a signal could wake one.
pub fn nobody_is_left() -> bool {
    WORLD.nobody_is_left()
}

/// Runs `f` (which forks) holding every lock of this layer, so that the child finds them free. Call it inside
/// `stop_the_world`.
#[inline(always)]
pub fn with_locks_held<T>(f: impl FnOnce() -> T) -> T {
    WORLD.with_locks_held(f)
}

/// In the forked child, right after `with_locks_held` returned there: this thread is the only one, is main and
/// holds the GIL. `at` is when.
#[inline(always)]
pub fn after_fork_child(member: &'static Member, at: u64) {
    WORLD.after_fork_child(member, at);
}

/// Announces an in-place write to the object at `addr` (GIL off only). True: write, then `busy_leave`. False: a
/// structural change is on; take the object's lock instead.
#[inline(always)]
pub fn busy_enter(member: &Member, addr: u64, lock: &AtomicU16) -> bool {
    busy::enter(member.busy(), addr, lock)
}

/// Ends the in-place write.
#[inline(always)]
pub fn busy_leave(member: &Member) {
    busy::leave(member.busy());
}

/// Takes an object's lock for a structural change (GIL off only). Nothing may allocate, poll, block or call Mini
/// code until `unlock_object`.
#[inline]
pub fn lock_object(lock: &AtomicU16) {
    busy::lock(lock);
}

/// Takes an object's lock if it is free.
#[inline]
pub fn try_lock_object(lock: &AtomicU16) -> bool {
    busy::try_lock(lock)
}

/// After `lock_object`: waits until nobody is writing the object in place.
#[inline(never)]
pub fn wait_until_not_busy(addr: u64) {
    WORLD.for_each_member_ever(|m| busy::wait_until_not(m.busy(), addr));
}

/// Releases an object's lock.
#[inline]
pub fn unlock_object(lock: &AtomicU16) {
    busy::unlock(lock);
}
