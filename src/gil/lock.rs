//! The GIL itself: one owner word, those who wait for it, and the numbers of the policy in force.
//! Knows who owns it, not who is Running: that is `world.rs`.
//!
//! The owner word also says that there is no GIL. It changes between "no GIL" and the rest only in a stopped world,
//! by the thread that stopped it, so for whoever is Running the answer stands.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard};

use crossbeam_utils::CachePadded;

use super::asked::Ready;
use super::cell::{MemberCell, Owner, OwnerCell};
use super::events::Events;
use super::futex::{self, now};
use super::ledger::{Cause, Phase};
use super::luck::Luck;
use super::member::Member;
use super::policy::{self, Handoff, Interval, Policy};
use super::queue::{Queue, Wakes};
use super::spec::{DEFAULT_INTERVAL, LoopKind, PolicySpec, PollKind};

/// How often the GIL became free at once for a thread that came back from blocking.
static LOOKS: Luck = Luck::new();
/// No waiter ever asks.
const NEVER: u64 = u64::MAX;

/// The policy in force, as numbers that a thread may read without the core's lock.
struct Mode {
    loop_kind: AtomicU8,
    /// There is one thread: with the GIL off it needs none of the protocols between threads.
    alone: AtomicBool,
    poll: AtomicU8,
    /// Nanoseconds after which a waiter asks.
    ask_after: AtomicU64,
    /// What a tick counter is loaded with.
    ticks: AtomicI64,
    hand_over: AtomicBool,
    in_turn: AtomicBool,
    one_at_a_time: AtomicBool,
}

pub(super) struct Core {
    spec: PolicySpec,
    policy: Box<dyn Policy>,
    queue: Box<dyn Queue>,
}

pub(super) struct Lock {
    owner: CachePadded<OwnerCell>,
    /// Threads that wait; changed under the core's lock, read by whoever lets go.
    waiters: AtomicU32,
    /// Those who race sleep on this word; it changes when the GIL is let go.
    room: AtomicU32,
    /// Changes when another thread than the last one takes the GIL; those who stand back sleep on it.
    taken: AtomicU32,
    standing_back: AtomicU32,
    /// From when on the interval of whoever holds it counts.
    taken_at: AtomicU64,
    /// When the GIL was let go last, and for how long nobody has held it; written by its owner.
    let_go_at: AtomicU64,
    unowned: AtomicU64,
    /// There was no GIL for a while.
    was_off: AtomicBool,
    last: MemberCell,
    last_cause: AtomicU8,
    /// Counts policies: those who wait under an old one start anew.
    epoch: AtomicU32,
    mode: Mode,
    core: LazyLock<Mutex<Core>>,
}

impl Core {
    fn new(spec: PolicySpec) -> Core {
        let policy = policy::make(spec);
        let queue = policy.queue();
        Core { spec, policy, queue }
    }
}

impl Lock {
    /// Starts under the default policy, which the numbers here repeat: a static cannot ask it.
    pub const fn new() -> Lock {
        Lock {
            owner: CachePadded::new(OwnerCell::free()),
            waiters: AtomicU32::new(0),
            room: AtomicU32::new(0),
            taken: AtomicU32::new(0),
            standing_back: AtomicU32::new(0),
            taken_at: AtomicU64::new(0),
            let_go_at: AtomicU64::new(0),
            unowned: AtomicU64::new(0),
            was_off: AtomicBool::new(false),
            last: MemberCell::empty(),
            last_cause: AtomicU8::new(0),
            epoch: AtomicU32::new(0),
            mode: Mode {
                loop_kind: AtomicU8::new(LoopKind::Locked as u8),
                alone: AtomicBool::new(ALONE_AT_FIRST),
                poll: AtomicU8::new(PollKind::Edge as u8),
                ask_after: AtomicU64::new(DEFAULT_INTERVAL.as_nanos() as u64),
                ticks: AtomicI64::new(i64::MAX),
                hand_over: AtomicBool::new(true),
                in_turn: AtomicBool::new(false),
                one_at_a_time: AtomicBool::new(true),
            },
            core: LazyLock::new(|| Mutex::new(Core::new(PolicySpec::default()))),
        }
    }

    #[inline]
    pub fn is_off(&self) -> bool {
        self.owner.is_off()
    }

    /// True if giving way would let somebody run: who stands back still is about to come.
    #[inline]
    pub fn is_wanted(&self) -> bool {
        self.has_waiters() || self.standing_back.load(Ordering::SeqCst) != 0
    }

    #[inline]
    fn has_waiters(&self) -> bool {
        self.waiters.load(Ordering::SeqCst) != 0
    }

    pub fn spec(&self) -> PolicySpec {
        self.core().spec
    }

    #[inline]
    pub fn loop_kind(&self) -> LoopKind {
        match self.mode.loop_kind.load(Ordering::Relaxed) {
            0 if !self.mode.alone.load(Ordering::Relaxed) => LoopKind::Free,
            0 | 1 => LoopKind::Locked,
            _ => LoopKind::Stepped,
        }
    }

    /// Declares whether there is one thread only. The caller is Running, and either about to start the second thread
    /// or has stopped the world. True: that was news.
    pub fn set_alone(&self, alone: bool) -> bool {
        ALONE_AT_FIRST && self.mode.alone.swap(alone, Ordering::SeqCst) != alone
    }

    #[inline]
    pub fn poll_kind(&self) -> PollKind {
        match self.mode.poll.load(Ordering::Relaxed) {
            0 => PollKind::Op,
            1 => PollKind::Line,
            2 => PollKind::Edge,
            _ => PollKind::Call,
        }
    }

    /// What to load a tick counter with; `i64::MAX` if the policy does not count.
    #[inline]
    pub fn ticks(&self) -> i64 {
        self.mode.ticks.load(Ordering::Relaxed)
    }

    /// A slice of ticks ended while others wait: asks the policy how long the next one is.
    pub fn next_slice(&self) {
        let mut core = self.core();
        let interval = core.policy.interval();
        self.mode.ticks.store(ticks_of(interval), Ordering::Relaxed);
    }

    pub fn core(&self) -> MutexGuard<'_, Core> {
        // A policy that panics leaves at worst a slice or a turn undecided; nothing is half-written.
        self.core.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// Takes the GIL, waiting as the policy says. False: there is no GIL (any more). `at` is the time now.
    #[inline]
    pub fn acquire(&self, member: &'static Member, from_blocking: bool, at: u64) -> bool {
        // An old request must go before we own the GIL: one that comes after is meant for us.
        member.withdraw(Events::GIL_REQUEST);
        if self.owner.take(member) {
            self.now_ours(member, at);
            return true;
        }
        self.acquire_slow(member, from_blocking, at)
    }

    #[cold]
    fn acquire_slow(&self, member: &'static Member, from_blocking: bool, at: u64) -> bool {
        if self.is_off() {
            return false;
        }
        member.turn(Phase::Waiting, at);
        let got = (from_blocking && self.take_soon(member)) || self.queue_up(member, from_blocking, at);
        if got {
            self.now_ours(member, now());
        }
        got
    }

    /// Whoever woke us is often about to block itself: then we need not sleep.
    fn take_soon(&self, member: &'static Member) -> bool {
        self.mode.one_at_a_time.load(Ordering::Relaxed)
            && !self.has_waiters()
            && LOOKS
                .soon(|| (matches!(self.owner.get(), Owner::Free) && self.owner.take(member)).then_some(()))
                .is_some()
    }

    /// Waits under one policy after the other until the GIL is ours, or there is none.
    fn queue_up(&self, member: &'static Member, from_blocking: bool, at: u64) -> bool {
        loop {
            let mut core = self.core();
            if self.is_off() {
                return false;
            }
            let epoch = self.epoch.load(Ordering::SeqCst);
            // Counted first, tried then: whoever lets go in between sees that somebody waits.
            self.waiters.fetch_add(1, Ordering::SeqCst);
            if self.owner.take(member) {
                self.waiters.fetch_sub(1, Ordering::SeqCst);
                return true;
            }
            let in_turn = core.queue.wakes() == Wakes::InTurn;
            if in_turn {
                core.queue.enter(member, from_blocking);
            }
            let early = self.asks_early(&mut core, from_blocking);
            drop(core);
            let got =
                if in_turn { self.wait_turn(member, epoch, at, early) } else { self.race(member, epoch, at) };
            if got {
                return true;
            }
        }
    }

    /// Asks the holder at once, if the queue says so; or tells when to ask.
    fn asks_early(&self, core: &mut Core, from_blocking: bool) -> Option<u64> {
        let Owner::Held(holder) = self.owner.get() else { return None };
        let at = now();
        let early = core.queue.asks_at(holder, from_blocking, at)?;
        if early > at {
            return Some(early);
        }
        holder.request(Events::GIL_REQUEST);
        None
    }

    /// Waits until the GIL is given to us. False: the policy changed. `early`: when the queue lets us ask.
    fn wait_turn(&self, member: &'static Member, epoch: u32, mut since: u64, mut early: Option<u64>) -> bool {
        loop {
            if self.owner.is(member) {
                return true;
            }
            if self.epoch.load(Ordering::SeqCst) != epoch {
                return false;
            }
            let due = self.deadline(since);
            member.parker().park(early.map_or(due, |early| Some(due.map_or(early, |due| due.min(early)))));
            if early.is_some_and(|early| now() >= early) {
                early = None;
                self.ask(self.owner.get(), member);
            }
            since = self.ask_if_due(member, since);
        }
    }

    /// Sleeps until there is room, and tries. False: the policy changed.
    fn race(&self, member: &'static Member, epoch: u32, mut since: u64) -> bool {
        let mut woken = false;
        loop {
            let room = self.room.load(Ordering::SeqCst);
            if self.owner.take(member) {
                // Whoever changed the policy forgot all waiters, us included.
                if self.epoch.load(Ordering::SeqCst) == epoch {
                    self.waiters.fetch_sub(1, Ordering::SeqCst);
                }
                return true;
            }
            if woken {
                member.ledger().count_futile();
            }
            if self.epoch.load(Ordering::SeqCst) != epoch {
                return false;
            }
            futex::wait(&self.room, room, self.deadline(since));
            woken = self.room.load(Ordering::SeqCst) != room;
            since = self.ask_if_due(member, since);
        }
    }

    /// When a waiter may ask: an interval after it came, or after the holder got the GIL, whichever is later.
    fn deadline(&self, since: u64) -> Option<u64> {
        match self.mode.ask_after.load(Ordering::Relaxed) {
            NEVER => None,
            interval => Some(since.max(self.taken_at.load(Ordering::Relaxed)).saturating_add(interval)),
        }
    }

    /// Asks the holder to hand over if it is time to; returns since when we wait for the next time.
    fn ask_if_due(&self, member: &'static Member, since: u64) -> u64 {
        let at = now();
        // In this order: whoever is the holder by now was not given the GIL after the moment that counts.
        let holder = self.owner.get();
        if self.deadline(since).is_none_or(|due| at < due) {
            return since;
        }
        self.ask(holder, member);
        at
    }

    /// Asks the holder to hand over.
    fn ask(&self, owner: Owner, member: &'static Member) {
        if let Owner::Held(holder) = owner
            && !std::ptr::eq(holder, member)
        {
            holder.request(Events::GIL_REQUEST);
        }
    }

    /// Book-keeping of a thread that has just become the owner.
    #[inline]
    fn now_ours(&self, member: &'static Member, at: u64) {
        let let_go_at = self.let_go_at.load(Ordering::Relaxed);
        // Another may have had it since we looked at the clock.
        let at = at.max(let_go_at);
        self.unowned.store(self.unowned.load(Ordering::Relaxed) + (at - let_go_at), Ordering::Relaxed);
        self.let_go_at.store(at, Ordering::Relaxed);
        let from = if self.last.is(member) { 0 } else { self.changed_hands(member, at) };
        member.acquired(from, at);
    }

    /// Another had it before us: returns its number, 0 if it has ended.
    fn changed_hands(&self, member: &'static Member, at: u64) -> u64 {
        let previous = self.last.get();
        if let Some(previous) = previous {
            previous.ledger().count_switch(Cause::from_index(self.last_cause.load(Ordering::Relaxed)));
        }
        self.last.set(Some(member));
        self.taken_at.store(at, Ordering::Relaxed);
        self.taken.fetch_add(1, Ordering::SeqCst);
        // Whoever stands back counted itself before it let go, so we, who took after, see it.
        if self.standing_back.load(Ordering::SeqCst) != 0 {
            futex::wake(&self.taken, u32::MAX);
        }
        previous.map_or(0, Member::id)
    }

    /// Lets go of the GIL, which the caller owns and whose time ended at `at`.
    #[inline]
    pub fn release(&self, cause: Cause, at: u64) {
        self.last_cause.store(cause as u8, Ordering::Relaxed);
        self.let_go_at.store(at, Ordering::Relaxed);
        if self.mode.in_turn.load(Ordering::Relaxed) && self.has_waiters() {
            self.pass_on();
            return;
        }
        self.owner.set(Owner::Free);
        if self.has_waiters() {
            self.make_room();
        }
    }

    /// The owner gives the GIL to the next in turn.
    #[cold]
    fn pass_on(&self) {
        let mut core = self.core();
        let Some(next) = core.queue.next() else {
            drop(core);
            self.owner.set(Owner::Free);
            self.make_room();
            return;
        };
        if !core.queue.has_asked(next) {
            self.waiters.fetch_sub(1, Ordering::SeqCst);
        }
        self.give(next);
        drop(core);
        next.parker().unpark();
    }

    /// The GIL became free while somebody waits: wakes as the queue wants it.
    #[cold]
    fn make_room(&self) {
        let mut core = self.core();
        let count = match core.queue.wakes() {
            Wakes::One => 1,
            Wakes::All => u32::MAX,
            Wakes::InTurn => {
                // A waiter came between our look and our letting go. If another took the GIL, it will see the waiter.
                if matches!(self.owner.get(), Owner::Free)
                    && let Some(next) = core.queue.next_at_once()
                {
                    self.give_free(&mut core, next);
                }
                return;
            }
        };
        drop(core);
        self.room.fetch_add(1, Ordering::SeqCst);
        futex::wake(&self.room, count);
    }

    /// Gives a GIL that nobody owns to `next`, or lets it wait on if another thread is faster.
    fn give_free(&self, core: &mut Core, next: &'static Member) {
        next.withdraw(Events::GIL_REQUEST);
        if self.owner.take(next) {
            self.waiters.fetch_sub(1, Ordering::SeqCst);
            next.parker().unpark();
        } else {
            core.queue.enter(next, true);
        }
    }

    /// Lets go for others who want it. True: it is ours again. False: to be acquired like any other time.
    pub fn give_way(&self, member: &'static Member, cause: Cause, at: u64) -> bool {
        self.last_cause.store(cause as u8, Ordering::Relaxed);
        self.let_go_at.store(at, Ordering::Relaxed);
        if self.mode.in_turn.load(Ordering::Relaxed) {
            return self.queue_behind(member, at);
        }
        if self.mode.hand_over.load(Ordering::Relaxed) {
            self.stand_back(cause, at);
        } else {
            self.release(cause, at);
        }
        false
    }

    /// `next` has the GIL from now on, and its interval: it takes a while to wake up, and those who wait must not ask it
    /// in the name of the interval that has just ended.
    fn give(&self, next: &'static Member) {
        next.withdraw(Events::GIL_REQUEST);
        self.taken_at.store(now(), Ordering::Relaxed);
        self.owner.set(Owner::Held(next));
    }

    /// Gives the GIL to the next in turn and queues up again in one step: the next one finds us waiting.
    fn queue_behind(&self, member: &'static Member, at: u64) -> bool {
        let mut core = self.core();
        core.queue.enter(member, false);
        member.withdraw(Events::GIL_REQUEST);
        // One comes, one goes: the number of waiters stays, unless the one is no waiter.
        if let Some(next) = core.queue.next() {
            if core.queue.has_asked(next) {
                self.waiters.fetch_add(1, Ordering::SeqCst);
            }
            self.give(next);
            next.parker().unpark();
        }
        let epoch = self.epoch.load(Ordering::SeqCst);
        let is_brief = core.queue.is_brief();
        drop(core);
        if is_brief {
            member.parker().await_brief();
        }
        let ours = self.wait_turn(member, epoch, at, None);
        if ours {
            self.now_ours(member, now());
        }
        ours
    }

    /// Makes this thread the one that is asked who is next. `None`: the policy asks nobody, or another.
    pub fn become_decider(&self, member: &'static Member) -> Option<u32> {
        let mut core = self.core();
        core.queue.adopt(member).then(|| self.epoch.load(Ordering::SeqCst))
    }

    /// Waits, as a thread that is no waiter, until the GIL comes with a question. False: the policy changed.
    pub fn await_question(&self, member: &'static Member, epoch: u32) -> bool {
        while !self.owner.is(member) {
            if self.epoch.load(Ordering::SeqCst) != epoch {
                return false;
            }
            member.parker().park(None);
        }
        self.now_ours(member, now());
        true
    }

    pub fn question(&self) -> Vec<Ready> {
        self.core().queue.question()
    }

    pub fn answer(&self, id: Option<u64>) {
        self.core().queue.answer(id);
    }

    /// Lets go, and keeps out of the way until another has it.
    fn stand_back(&self, cause: Cause, at: u64) {
        let seen = self.taken.load(Ordering::SeqCst);
        self.standing_back.fetch_add(1, Ordering::SeqCst);
        self.release(cause, at);
        while self.taken.load(Ordering::SeqCst) == seen {
            futex::wait(&self.taken, seen, None);
        }
        self.standing_back.fetch_sub(1, Ordering::SeqCst);
    }

    /// The owner will never come back: whoever has the GIL next has it from a thread that ended.
    pub fn release_for_good(&self, member: &'static Member, at: u64) {
        member.ledger().count_switch(Cause::Exit);
        self.last.set(None);
        self.release(Cause::Exit, at);
    }

    /// The account of time begins, if it has not yet: nobody holds the GIL.
    pub fn open_account(&self, at: u64) {
        let _ = self.let_go_at.compare_exchange(0, at, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// For how long nobody has held the GIL by now; `None` if there was none for a while.
    pub fn unowned(&self, at: u64) -> Option<u64> {
        let open = match self.owner.get() {
            Owner::Free => at.saturating_sub(self.let_go_at.load(Ordering::Relaxed)),
            Owner::Held(_) | Owner::Off => 0,
        };
        let counted = self.unowned.load(Ordering::Relaxed) + open;
        (!self.was_off.load(Ordering::Relaxed)).then_some(counted)
    }

    /// The member is about to be reused: nothing may be put to its account any more.
    pub fn forget(&self, member: &'static Member) {
        self.last.clear_if(member);
    }

    /// Puts a policy in force. In a stopped world, by the thread that stopped it; it owns the GIL afterwards, if
    /// there is one. The caller then wakes everyone's parker.
    pub fn install(&self, member: &'static Member, spec: PolicySpec) {
        let mut core = self.core();
        *core = Core::new(spec);
        self.mode.follow(&mut core);
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.forget_waiters();
        if !spec.has_gil() {
            self.was_off.store(true, Ordering::Relaxed);
            self.owner.set(Owner::Off);
        } else if self.is_off() {
            self.own(member, now());
        }
        drop(core);
        self.wake_everyone();
    }

    /// In a forked child: nobody waits, and this thread is the owner, if there is a GIL. A queue that others could have been in
    /// is made anew.
    #[inline(always)]
    pub fn after_fork_child(&self, member: &'static Member, at: u64, had_others: bool) {
        let mut core = self.core();
        if had_others {
            core.queue = core.policy.queue();
        }
        self.epoch.fetch_add(1, Ordering::SeqCst);
        self.standing_back.store(0, Ordering::SeqCst);
        self.forget_waiters();
        self.unowned.store(0, Ordering::Relaxed);
        self.was_off.store(self.is_off(), Ordering::Relaxed);
        if !self.is_off() {
            self.own(member, at);
        }
    }

    fn own(&self, member: &'static Member, at: u64) {
        self.last.set(Some(member));
        self.let_go_at.store(at, Ordering::Relaxed);
        self.taken_at.store(at, Ordering::Relaxed);
        self.owner.set(Owner::Held(member));
    }

    fn forget_waiters(&self) {
        self.waiters.store(0, Ordering::SeqCst);
    }

    /// Those who race or stand back look again.
    fn wake_everyone(&self) {
        for word in [&self.room, &self.taken] {
            word.fetch_add(1, Ordering::SeqCst);
            futex::wake(word, u32::MAX);
        }
    }
}

impl Mode {
    /// Repeats the policy's answers.
    fn follow(&self, core: &mut Core) {
        let interval = core.policy.interval();
        let ask_after = match interval {
            Interval::After(d) => u64::try_from(d.as_nanos()).unwrap_or(NEVER),
            Interval::Never | Interval::Ticks(_) => NEVER,
        };
        self.ask_after.store(ask_after, Ordering::Relaxed);
        self.ticks.store(ticks_of(interval), Ordering::Relaxed);
        self.loop_kind.store(core.spec.loop_kind() as u8, Ordering::Relaxed);
        self.poll.store(core.policy.poll() as u8, Ordering::Relaxed);
        self.hand_over.store(core.policy.handoff() == Handoff::HandOver, Ordering::Relaxed);
        self.in_turn.store(core.queue.wakes() == Wakes::InTurn, Ordering::Relaxed);
        self.one_at_a_time.store(core.queue.wakes() == Wakes::One, Ordering::Relaxed);
    }
}

/// Unoptimised and torture builds treat every thread as one of several: the tests are to meet the hard case.
const ALONE_AT_FIRST: bool = !cfg!(any(debug_assertions, feature = "torture"));

fn ticks_of(interval: Interval) -> i64 {
    match interval {
        Interval::Ticks(n) => n,
        Interval::Never | Interval::After(_) => i64::MAX,
    }
}
