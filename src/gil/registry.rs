//! Who there is: the members that live, those that may be reused, and the figures of those that ended.
//! Does no waiting; its lock is only ever held for a moment.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use super::calls::{self, Call};
use super::cell::MemberCell;
use super::futex::now;
use super::ledger::{Figures, Phase};
use super::member::Member;
use super::record;
use super::state::State;

/// What one thread did.
#[derive(Clone, Debug)]
pub struct Account {
    /// The member's number.
    pub id: u64,
    /// The kernel's thread id.
    pub os_id: u32,
    /// The thread's name.
    pub name: String,
    /// True for the main thread.
    pub is_main: bool,
    /// `Gone` for a thread that ended.
    pub state: State,
    /// What its time goes to right now.
    pub phase: Phase,
    /// Its figures.
    pub figures: Figures,
    /// What its blocked time went to.
    pub calls: Vec<Call>,
}

/// Everyone's figures at one moment.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// Nanoseconds since the first thread was registered (in a forked child: since the fork).
    pub wall: u64,
    /// That moment, on the monotonic clock.
    pub at: u64,
    /// Living threads in the order of their registration, after those that ended last, oldest first.
    pub accounts: Vec<Account>,
    /// How many threads ended so long ago that only their sum was kept.
    pub forgotten: u64,
    /// Their sum.
    pub forgotten_figures: Figures,
    pub forgotten_calls: Vec<Call>,
    /// Nanoseconds in which nobody held the GIL, a hand-over on its way included; with what all held it makes up the wall.
    /// `None`: the program has run without a GIL, where there is no such thing.
    pub unowned: Option<u64>,
}

impl Snapshot {
    /// The sum over all threads, ended ones included.
    pub fn total(&self) -> Figures {
        let mut total = self.forgotten_figures;
        self.accounts.iter().for_each(|a| total.add(&a.figures));
        total
    }

    /// What the blocked time of all threads went to, the longest first.
    pub fn calls(&self) -> Vec<Call> {
        let mut sum = self.forgotten_calls.clone();
        self.accounts.iter().for_each(|a| calls::add_up(&mut sum, &a.calls));
        sum.sort_by_key(|call| std::cmp::Reverse(call.blocked));
        sum
    }
}

/// So many ended threads are remembered one by one.
const REMEMBERED: usize = 1000;

pub(super) struct Registry {
    /// All members ever made, for those who must look at them without a lock; it only grows.
    ever: MemberCell,
    people: Mutex<People>,
}

pub(super) struct People {
    living: Vec<&'static Member>,
    idle: Vec<&'static Member>,
    ended: VecDeque<Account>,
    forgotten: u64,
    forgotten_figures: Figures,
    forgotten_calls: Vec<Call>,
    last_id: u64,
    started: u64,
    /// A stopped world: whoever registers now is born Parked.
    pub stopping: bool,
}

impl People {
    pub fn living(&self) -> impl Iterator<Item = &'static Member> + '_ {
        self.living.iter().copied()
    }

    #[cold]
    fn bury_all_but(&mut self, member: &'static Member) {
        let dead = self.living.drain(..).filter(|m| !std::ptr::eq(*m, member)).collect::<Vec<_>>();
        for other in &dead {
            other.slot().reset(State::Gone);
            other.forget_waits();
        }
        self.idle.extend(dead);
        self.living.push(member);
    }
}

impl Registry {
    pub const fn new() -> Registry {
        let forgotten_figures = Figures::ZERO;
        Registry {
            ever: MemberCell::empty(),
            people: Mutex::new(People {
                living: Vec::new(),
                idle: Vec::new(),
                ended: VecDeque::new(),
                forgotten: 0,
                forgotten_figures,
                forgotten_calls: Vec::new(),
                last_id: 0,
                started: 0,
                stopping: false,
            }),
        }
    }

    pub fn people(&self) -> MutexGuard<'_, People> {
        // Nothing in here runs foreign code while the lists are half-changed.
        self.people.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// All members ever made, without a lock; idle ones included.
    pub fn for_each_ever(&self, mut visit: impl FnMut(&'static Member)) {
        let mut at = self.ever.get();
        while let Some(member) = at {
            visit(member);
            at = member.next.get();
        }
    }

    /// A member for a new thread; `prepare` sees it before anyone else does.
    pub fn add(&self, name: &str, is_main: bool, prepare: impl FnOnce(&'static Member)) -> &'static Member {
        let mut people = self.people();
        let member = people.idle.pop().unwrap_or_else(|| self.make());
        people.last_id += 1;
        if people.started == 0 {
            people.started = now();
        }
        member.renew(people.last_id, name, is_main);
        member.slot().reset(if people.stopping { State::Parked } else { State::Detached });
        if people.stopping {
            member.slot().stop();
        }
        member.ledger().reset(Phase::Away, now());
        prepare(member);
        people.living.push(member);
        member
    }

    /// Forgets a member that is Gone, but not its figures.
    pub fn remove(&self, member: &'static Member) {
        let mut people = self.people();
        people.living.retain(|m| !std::ptr::eq(*m, member));
        let account = account(member, now());
        people.ended.push_back(account);
        if record::on() {
            record::close(member);
        }
        if people.ended.len() > REMEMBERED
            && let Some(oldest) = people.ended.pop_front()
        {
            people.forgotten += 1;
            people.forgotten_figures.add(&oldest.figures);
            calls::add_up(&mut people.forgotten_calls, &oldest.calls);
        }
        people.idle.push(member);
    }

    pub fn living(&self) -> Vec<&'static Member> {
        self.people().living.clone()
    }

    /// When the first thread was registered.
    pub fn started(&self) -> u64 {
        self.people().started
    }

    /// `unowned` is asked for the time up to which nobody held the GIL.
    pub fn snapshot(&self, unowned: impl FnOnce(u64) -> Option<u64>) -> Snapshot {
        let people = self.people();
        let at = now();
        let living = people.living.iter().map(|m| account(m, at));
        Snapshot {
            at,
            wall: if people.started == 0 { 0 } else { at - people.started },
            accounts: people.ended.iter().cloned().chain(living).collect(),
            forgotten: people.forgotten,
            forgotten_figures: people.forgotten_figures,
            forgotten_calls: people.forgotten_calls.clone(),
            unowned: unowned(at),
        }
    }

    /// In a forked child: only this member is left, and the account starts anew. Whether there were others.
    #[inline(always)]
    pub fn after_fork_child(&self, member: &'static Member, at: u64) -> bool {
        let mut people = self.people();
        let had_others = people.living.len() > 1;
        if had_others {
            people.bury_all_but(member);
        }
        if !people.ended.is_empty() {
            people.ended.clear();
        }
        people.forgotten = 0;
        people.forgotten_figures = Figures::default();
        if !people.forgotten_calls.is_empty() {
            people.forgotten_calls.clear();
        }
        people.started = at;
        had_others
    }

    fn make(&self) -> &'static Member {
        let member: &'static Member = Box::leak(Box::new(Member::new(State::Gone)));
        loop {
            let first = self.ever.get();
            member.next.set(first);
            if self.ever.swap_if(first, member) {
                return member;
            }
        }
    }
}

fn account(member: &Member, at: u64) -> Account {
    Account {
        id: member.id(),
        os_id: member.os_id(),
        name: member.name(),
        is_main: member.is_main(),
        state: member.state(),
        phase: member.ledger().phase(),
        figures: member.ledger().figures(at),
        calls: member.ledger().calls(at),
    }
}
