//! Attach, detach, poll, and stopping the world: the state of each thread and the GIL brought together.
//! Knows no policy by name.
//!
//! With a GIL, Running implies owning it: a thread takes the GIL first and becomes Running then, and the other way
//! round when it leaves. So under a GIL a stopper, being Running, is already alone but for threads that must be
//! kept from coming back; with the GIL off it waits for the others to leave.

use smallvec::SmallVec;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::asked::Ready;
use super::cell::MemberCell;
use super::events::Events;
use super::futex::{self, now};
use super::ledger::{Cause, Phase};
use super::lock::Lock;
use super::member::Member;
use super::park;
use super::parker::processors;
use super::primitive::Spin;
use super::record;
use super::registry::{Registry, Snapshot};
use super::signal;
use super::spec::{DEFAULT_INTERVAL, DEFAULT_TICKS, LoopKind, PolicyKind, PolicySpec, PollKind};
use super::state::State;
use super::witness;

/// There is one per process.
pub(super) static WORLD: Gil = Gil::new();

/// Everything that decides who may run.
pub(super) struct Gil {
    lock: Lock,
    registry: Registry,
    /// Who stops the world, if anybody does.
    stopper: MemberCell,
    /// Counts stops that ended: those who wait to become the stopper sleep on it.
    stops: AtomicU32,
    /// Changes when a thread that was asked to stop has left Running: the stopper sleeps on it.
    progress: AtomicU32,
    /// How many sit out a stop. They get to run before the next one: else a thread that stops the world again and
    /// again (a collector under pressure) would starve the rest, who need some time to wake up.
    returning: AtomicU32,
    /// What `sys.getswitchinterval` and `getcheckinterval` say: the last values asked for.
    switch_interval: AtomicU64,
    check_interval: AtomicU64,
    /// Here and not beside its functions: what a fork writes to lies together.
    pub(super) names: witness::Names,
}

/// The stopped world, as the thread that stopped it sees it.
pub struct World {
    members: Members,
}

/// Mostly without allocation, which a fork would have copied in both processes.
type Members = SmallVec<[&'static Member; 8]>;

impl World {
    /// Everyone, the thread that stopped the world included. Apart from it, nobody is Running.
    pub fn members(&self) -> impl Iterator<Item = &'static Member> + '_ {
        self.members.iter().copied().filter(|m| m.state() != State::Gone)
    }
}

impl Gil {
    const fn new() -> Gil {
        Gil {
            lock: Lock::new(),
            registry: Registry::new(),
            stopper: MemberCell::empty(),
            stops: AtomicU32::new(0),
            progress: AtomicU32::new(0),
            returning: AtomicU32::new(0),
            switch_interval: AtomicU64::new(DEFAULT_INTERVAL.as_nanos() as u64),
            check_interval: AtomicU64::new(DEFAULT_TICKS as u64),
            names: witness::no_names(),
        }
    }

    pub fn register(&self, name: &str, is_main: bool) -> &'static Member {
        let load = |m: &'static Member| m.tick().store(self.lock.ticks(), Ordering::Relaxed);
        let member = self.registry.add(name, is_main, load);
        self.lock.open_account(self.registry.started());
        member
    }

    pub fn busy(&self) -> usize {
        let is_busy = |m: &&'static Member| m.os_id() == 0 || m.state() == State::Running;
        self.registry.people().living().filter(is_busy).count()
    }

    pub fn leave(&self, member: &'static Member) {
        if member.state() == State::Running {
            let at = now();
            member.let_go(Cause::Exit, Phase::Away, at);
            let off = self.lock.is_off();
            self.leave_running(member);
            if !off {
                self.lock.release_for_good(member, at);
            }
        }
        while !member.slot().try_retire() {
            member.slot().wait_while_stopped();
        }
        member.ledger().turn(Phase::Away, now());
        self.lock.forget(member);
        self.registry.remove(member);
    }

    #[inline]
    pub fn attach(&self, member: &'static Member) {
        self.come_back(member, true, now());
    }

    #[inline]
    pub fn detach(&self, member: &'static Member, cause: Cause) {
        debug_assert_eq!(member.state(), State::Running, "detach of a thread that is not Running");
        member.cpu_bound.store(false, Ordering::Relaxed);
        self.go(member, cause, Phase::Blocked);
    }

    /// Leaves Running, and lets go of the GIL.
    #[inline]
    fn go(&self, member: &'static Member, cause: Cause, phase: Phase) {
        let at = now();
        member.let_go(cause, phase, at);
        // Asked while still Running: the answer may change as soon as we are not.
        let off = self.lock.is_off();
        self.leave_running(member);
        if !off {
            self.lock.release(cause, at);
        }
    }

    #[inline]
    fn leave_running(&self, member: &'static Member) {
        if member.slot().leave() {
            self.progress.fetch_add(1, Ordering::SeqCst);
            futex::wake(&self.progress, u32::MAX);
        }
    }

    /// Becomes Running, by whatever policy is in force by then.
    #[inline]
    fn come_back(&self, member: &'static Member, from_blocking: bool, at: u64) {
        if !self.lock.is_off() && self.lock.acquire(member, from_blocking, at) {
            // As its owner we know that nobody else is Running, so nobody has stopped the world.
            member.slot().enter();
        } else if !self.enter_free(member, at) {
            self.come_back_slow(member, from_blocking);
        }
    }

    #[cold]
    fn come_back_slow(&self, member: &'static Member, from_blocking: bool) {
        loop {
            if self.lock.is_off() {
                self.sit_out(member);
                if self.confirm_free(member, now()) {
                    return;
                }
            } else if self.lock.acquire(member, from_blocking, now()) {
                member.slot().enter();
                return;
            }
        }
    }

    /// Becomes Running without a GIL as soon as nobody stops the world.
    fn sit_out(&self, member: &'static Member) {
        let others = self.returning.fetch_add(1, Ordering::SeqCst);
        while !member.slot().try_enter() {
            member.turn(Phase::Stopped, now());
            self.look(others, || !member.slot().is_stopped());
            member.slot().wait_while_stopped();
            std::hint::spin_loop();
        }
        self.returning.fetch_sub(1, Ordering::SeqCst);
    }

    /// Looks for a moment whether the stop is over, beside `others` who do so too: most stops are shorter than falling
    /// asleep and being woken, but whoever stops the world needs a processor as well.
    fn look(&self, others: u32, over: impl Fn() -> bool) {
        if others + 1 >= processors() {
            return;
        }
        let until = now() + SHORT_STOP;
        while !over() && now() < until {
            std::hint::spin_loop();
        }
    }

    /// One attempt to become Running without a GIL.
    #[inline]
    fn enter_free(&self, member: &'static Member, at: u64) -> bool {
        self.lock.is_off() && member.slot().try_enter() && self.confirm_free(member, at)
    }

    /// Running without having asked for the GIL: if there is one by now, it was in vain.
    #[inline]
    fn confirm_free(&self, member: &'static Member, at: u64) -> bool {
        if self.lock.is_off() {
            member.acquired(0, at);
            return true;
        }
        self.leave_running(member);
        false
    }

    /// As `poll`, where the policy allows no switch: what asks for one stays.
    pub fn poll_in_place(&self, member: &'static Member) -> Events {
        self.stand_still(member);
        member.withdraw(Events::FOR_CALLER)
    }

    fn stand_still(&self, member: &'static Member) {
        if member.pending().has(Events::STOP_WORLD) {
            self.go(member, Cause::Stop, Phase::Stopped);
            self.come_back(member, false, now());
        }
    }

    pub fn poll(&self, member: &'static Member) -> Events {
        self.stand_still(member);
        if !member.withdraw(Events::GIL_REQUEST).is_empty() {
            self.give_way(member, Cause::Forced);
        }
        if member.tick().load(Ordering::Relaxed) < 0 {
            self.end_slice(member);
        }
        member.withdraw(Events::FOR_CALLER)
    }

    fn end_slice(&self, member: &'static Member) {
        let counts = self.lock.ticks() != i64::MAX;
        if counts && self.lock.is_wanted() {
            self.lock.next_slice();
            self.give_way(member, Cause::Tick);
        }
        member.tick().store(self.lock.ticks(), Ordering::Relaxed);
    }

    pub fn yield_now(&self, member: &'static Member) {
        if self.lock.is_off() {
            self.go(member, Cause::Yield, Phase::Blocked);
            futex::yield_processor();
            self.come_back(member, false, now());
        } else {
            self.give_way(member, Cause::Yield);
        }
    }

    /// The thread that decides who is next, Detached, waits to be asked. True: it is, and is Running.
    pub fn await_question(&self, member: &'static Member, epoch: u32) -> bool {
        member.helps.store(true, Ordering::SeqCst);
        let asked = self.lock.await_question(member, epoch);
        member.helps.store(false, Ordering::SeqCst);
        if asked {
            member.slot().enter();
            // Its instructions are not the ones that the policy counts.
            member.tick().store(LONG_DECISION, Ordering::Relaxed);
        }
        asked
    }

    /// Its answer: the GIL goes to that thread. The caller is Detached then.
    pub fn answer(&self, member: &'static Member, id: Option<u64>) {
        self.lock.answer(id);
        self.go(member, Cause::Yield, Phase::Blocked);
    }

    pub fn become_decider(&self, member: &'static Member) -> Option<u32> {
        self.lock.become_decider(member)
    }

    pub fn question(&self) -> Vec<Ready> {
        self.lock.question()
    }

    /// Lets others run who wait for the GIL, if any do, and takes it again.
    fn give_way(&self, member: &'static Member, cause: Cause) {
        if self.lock.is_off() || !self.lock.is_wanted() {
            return;
        }
        if cause == Cause::Forced {
            member.cpu_bound.store(true, Ordering::Relaxed);
        }
        let at = now();
        member.let_go(cause, Phase::Waiting, at);
        self.leave_running(member);
        if self.lock.give_way(member, cause, at) {
            member.slot().enter();
        } else {
            self.come_back(member, false, now());
        }
    }

    pub fn stop<T>(&self, member: &'static Member, f: impl FnOnce(&World) -> T) -> T {
        if self.stopper.is(member) {
            return f(&World { members: self.registry.living().into() });
        }
        self.become_stopper(member);
        self.while_stopped(member, f)
    }

    /// Stops everyone but `member`, who is the stopper, for as long as `f` takes.
    fn while_stopped<T>(&self, member: &'static Member, f: impl FnOnce(&World) -> T) -> T {
        let members = {
            let mut people = self.registry.people();
            people.stopping = true;
            people.living().filter(|m| !std::ptr::eq(*m, member)).for_each(|m| m.slot().stop());
            people.living().collect::<Members>()
        };
        let resume = Resume(self);
        self.wait_until_alone(member, &members);
        let result = f(&World { members });
        // Here and not by the guard: in a new process, each function of its own is a page of code to be found.
        std::mem::forget(resume);
        self.resume();
        result
    }

    /// One stops at a time; the others stand still like everyone, then try again.
    fn become_stopper(&self, member: &'static Member) {
        loop {
            let seen = self.stops.load(Ordering::SeqCst);
            if self.stopper.swap_if(None, member) {
                self.let_return();
                return;
            }
            self.go(member, Cause::Stop, Phase::Stopped);
            // Detached, so the one who stops does not wait for us.
            while self.stopper.get().is_some() && self.stops.load(Ordering::SeqCst) == seen {
                futex::wait(&self.stops, seen, None);
            }
            self.come_back(member, false, now());
        }
    }

    /// Gives those who sat out the last stop a moment to return.
    fn let_return(&self) {
        let mut deadline = None;
        while self.returning.load(Ordering::SeqCst) != 0 {
            let at = now();
            if at > *deadline.get_or_insert(at + PATIENCE) {
                return;
            }
            futex::yield_processor();
        }
    }

    fn wait_until_alone(&self, member: &'static Member, members: &[&'static Member]) {
        let spin = Spin::new();
        loop {
            let seen = self.progress.load(Ordering::SeqCst);
            if members.iter().all(|m| std::ptr::eq(*m, member) || m.slot().try_park()) {
                return;
            }
            if spin.is_long() {
                futex::wait(&self.progress, seen, None);
            } else {
                spin.turn();
            }
        }
    }

    #[inline(always)]
    fn resume(&self) {
        {
            let mut people = self.registry.people();
            people.stopping = false;
            people.living().filter(|m| !self.stopper.is(m)).for_each(|m| m.slot().resume());
        }
        self.stopper.set(None);
        self.stops.fetch_add(1, Ordering::SeqCst);
        futex::wake(&self.stops, u32::MAX);
    }

    pub fn set_policy(&self, member: &'static Member, spec: PolicySpec) {
        self.remember_interval(spec);
        self.stop(member, |_| self.install(member, spec));
    }

    fn remember_interval(&self, spec: PolicySpec) {
        match spec.kind {
            PolicyKind::Time(d) => self.switch_interval.store(nanos(d), Ordering::Relaxed),
            PolicyKind::Ticks(n) => self.check_interval.store(u64::from(n), Ordering::Relaxed),
            // Of no interval that Python has a function for.
            _ => {}
        }
    }

    /// The world stands still.
    fn install(&self, member: &'static Member, spec: PolicySpec) {
        self.lock.install(member, spec);
        let ticks = self.lock.ticks();
        for m in self.registry.living() {
            m.tick().store(ticks, Ordering::Relaxed);
            m.request(Events::MODE_CHANGE);
            m.parker().unpark();
        }
    }

    /// As `set_policy`, by a thread that is no member.
    pub fn set_policy_from_outside(&self, spec: PolicySpec) {
        self.remember_interval(spec);
        self.stop_from_outside(|_| {
            let had_gil = !self.lock.is_off();
            self.install(outsider(), spec);
            if !had_gil && spec.has_gil() {
                // It was ours with the change: for whoever comes back first.
                self.lock.release(Cause::Yield, futex::now());
            }
        });
    }

    /// Runs `f` while no thread is Running, under any policy: for a thread that is no member, and so has not waited for the GIL.
    pub fn stop_from_outside<T>(&self, f: impl FnOnce(&World) -> T) -> T {
        /// The process whose turn it is to have an outsider here. A fork may leave the parent's number: it is nobody's turn then.
        static TURN: AtomicU32 = AtomicU32::new(0);
        let process = std::process::id();
        while TURN
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |of| (of != process).then_some(process))
            .is_err()
        {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        loop {
            let seen = self.stops.load(Ordering::SeqCst);
            if self.stopper.swap_if(None, outsider()) {
                let result = self.while_stopped(outsider(), f);
                TURN.store(0, Ordering::SeqCst);
                return result;
            }
            while self.stopper.get().is_some() && self.stops.load(Ordering::SeqCst) == seen {
                futex::wait(&self.stops, seen, None);
            }
        }
    }

    pub fn spec(&self) -> PolicySpec {
        self.lock.spec()
    }

    pub fn set_switch_interval(&self, member: &'static Member, seconds: f64) -> bool {
        let interval = match std::time::Duration::try_from_secs_f64(seconds) {
            Ok(d) if !d.is_zero() => d.min(LONGEST),
            _ => return false,
        };
        self.switch_interval.store(nanos(interval), Ordering::Relaxed);
        let spec = self.spec();
        if matches!(spec.kind, PolicyKind::Time(_)) {
            self.set_policy(member, PolicySpec { kind: PolicyKind::Time(interval), ..spec });
        }
        true
    }

    pub fn switch_interval(&self) -> f64 {
        self.switch_interval.load(Ordering::Relaxed) as f64 / 1e9
    }

    pub fn set_check_interval(&self, member: &'static Member, ticks: i64) {
        let ticks = ticks.clamp(1, i64::from(i32::MAX)) as u32;
        self.check_interval.store(u64::from(ticks), Ordering::Relaxed);
        let spec = self.spec();
        if matches!(spec.kind, PolicyKind::Ticks(_)) {
            self.set_policy(member, PolicySpec { kind: PolicyKind::Ticks(ticks), ..spec });
        }
    }

    pub fn check_interval(&self) -> i64 {
        self.check_interval.load(Ordering::Relaxed) as i64
    }

    /// A second thread is about to run Mini code. `member`, who starts it, is Running.
    pub fn expect_company(&self, member: &'static Member) {
        if self.lock.set_alone(false) {
            member.request(Events::MODE_CHANGE);
        }
    }

    /// With the world stopped: if nobody else is left, the protocols between threads are.
    pub fn note_solitude(&self, world: &World) {
        if world.members().nth(1).is_none() {
            self.lock.set_alone(true);
        }
    }

    #[inline]
    pub fn loop_kind(&self) -> LoopKind {
        self.lock.loop_kind()
    }

    #[inline]
    pub fn poll_kind(&self) -> PollKind {
        self.lock.poll_kind()
    }

    pub fn snapshot(&self) -> Snapshot {
        self.registry.snapshot(|at| self.lock.unowned(at))
    }

    pub fn for_each_member(&self, visit: impl FnMut(&'static Member)) {
        self.registry.living().into_iter().for_each(visit);
    }

    pub fn for_each_member_ever(&self, visit: impl FnMut(&'static Member)) {
        self.registry.for_each_ever(visit);
    }

    pub fn nobody_is_left(&self) -> bool {
        park::all_asleep(self.registry.people().living().filter(|m| !m.helps()))
    }

    #[inline(always)]
    pub fn with_locks_held<T>(&self, f: impl FnOnce() -> T) -> T {
        let people = self.registry.people();
        let _names = witness::lock_for_fork();
        let _core = self.lock.core();
        let _lot = park::lock_all();
        let _log = record::lock_for_fork(people.living());
        f()
    }

    #[inline(always)]
    pub fn after_fork_child(&self, member: &'static Member, at: u64) {
        park::forget_all();
        self.returning.store(0, Ordering::SeqCst);
        // One moment for all: the sums are to come out even.
        let had_others = self.registry.after_fork_child(member, at);
        self.lock.after_fork_child(member, at, had_others);
        member.set_main(true);
        member.bind_to_this_thread();
        member.forget_waits();
        member.withdraw(Events::GIL_REQUEST | Events::SIGNAL);
        member.ledger().reset(Phase::Held, at);
        if record::on() {
            self.registry.for_each_ever(|m| m.log().clear());
            record::after_fork_child(member, at);
        }
        signal::after_fork_child(member);
    }
}

/// Stands for a thread that is no member where a member is named; in no list.
fn outsider() -> &'static Member {
    static OUTSIDER: OnceLock<&'static Member> = OnceLock::new();
    OUTSIDER.get_or_init(|| Box::leak(Box::new(Member::new(State::Gone))))
}

/// Lets the world go on, also if the stopper's work unwinds.
struct Resume<'a>(&'a Gil);

impl Drop for Resume<'_> {
    fn drop(&mut self) {
        self.0.resume();
    }
}

/// A stop of so many nanoseconds is looked out; a collection with few live objects takes less.
const SHORT_STOP: u64 = 300_000;

/// For so many nanoseconds a stopper waits for those who sat out the last stop.
const PATIENCE: u64 = 1_000_000;

/// After so many instructions, a thread that decides who is next counts like others.
const LONG_DECISION: i64 = 1_000_000;

/// As long as a spelling may say.
const LONGEST: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3600);

fn nanos(d: std::time::Duration) -> u64 {
    u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)
}
