//! Who runs next. An ordered queue names the next thread and the GIL is given to it; with the others the GIL is
//! free for a moment and whoever is fastest takes it. Knows no policy and does no waiting.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use super::asked::{Asked, Ready};
use super::futex::now;
use super::member::Member;
use super::spec::QueueKind;

/// How waiters are woken when the GIL is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wakes {
    /// The GIL is given to `next()`.
    InTurn,
    /// The GIL becomes free, the system wakes one of those who wait.
    One,
    /// The GIL becomes free, all who wait are woken.
    All,
}

/// The order of those who wait for the GIL.
pub trait Queue: Send {
    /// How waiters are woken.
    fn wakes(&self) -> Wakes;

    /// A thread begins to wait; `from_blocking`: it comes back from a blocking call. `InTurn` queues only.
    fn enter(&mut self, member: &'static Member, from_blocking: bool);

    /// Takes out the thread that is to run next. `InTurn` queues only.
    fn next(&mut self) -> Option<&'static Member>;

    /// As `next`, without asking anybody.
    fn next_at_once(&mut self) -> Option<&'static Member> {
        self.next()
    }

    /// Whether whom `next` named last will most likely block again very soon.
    fn is_brief(&self) -> bool {
        false
    }

    /// From when on a waiter may ask this holder to hand over, if it need not wait for its interval.
    fn asks_at(&mut self, _holder: &Member, _from_blocking: bool, _now: u64) -> Option<u64> {
        None
    }

    /// Whether `next`, just named, is to decide who is next: it is none of those who were counted as waiting.
    fn has_asked(&self, _next: &Member) -> bool {
        false
    }

    /// This thread would like to decide who is next. True: it will be asked.
    fn adopt(&mut self, _decider: &'static Member) -> bool {
        false
    }

    /// For the thread that decides: who waits.
    fn question(&mut self) -> Vec<Ready> {
        Vec::new()
    }

    /// From the thread that decides: who is next; `None`: as they came.
    fn answer(&mut self, _id: Option<u64>) {}
}

/// The queue of a spelling.
pub(super) fn make(kind: QueueKind) -> Box<dyn Queue> {
    match kind {
        QueueKind::Os => Box::new(Race(Wakes::One)),
        QueueKind::Battle => Box::new(Race(Wakes::All)),
        QueueKind::Fifo => Box::new(Fifo(VecDeque::new())),
        QueueKind::Io => Box::new(IoFirst::default()),
        QueueKind::User => Box::new(Asked::new()),
        QueueKind::Lottery(seed) => Box::new(Lottery { waiting: Vec::new(), state: seed }),
    }
}

/// `os` and `battle`: no order of ours.
struct Race(Wakes);

impl Queue for Race {
    fn wakes(&self) -> Wakes {
        self.0
    }

    fn enter(&mut self, _member: &'static Member, _from_blocking: bool) {}

    fn next(&mut self) -> Option<&'static Member> {
        None
    }
}

/// `fifo`: in order of arrival.
struct Fifo(VecDeque<&'static Member>);

impl Queue for Fifo {
    fn wakes(&self) -> Wakes {
        Wakes::InTurn
    }

    fn enter(&mut self, member: &'static Member, _from_blocking: bool) {
        self.0.push_back(member);
    }

    fn next(&mut self) -> Option<&'static Member> {
        self.0.pop_front()
    }
}

/// `io`: threads back from a blocking call first, and they need not wait for a thread that only computes.
#[derive(Default)]
struct IoFirst {
    back_from_io: VecDeque<&'static Member>,
    computing: VecDeque<&'static Member>,
    /// How many of the first kind went before the oldest of the second.
    passed: u32,
    allowance: Allowance,
}

/// So often may a computing thread be passed over: threads that keep blocking must not starve it.
const PATIENCE: u32 = 64;

impl Queue for IoFirst {
    fn wakes(&self) -> Wakes {
        Wakes::InTurn
    }

    fn enter(&mut self, member: &'static Member, from_blocking: bool) {
        if from_blocking {
            self.back_from_io.push_back(member);
        } else {
            self.computing.push_back(member);
        }
    }

    fn next(&mut self) -> Option<&'static Member> {
        self.allowance.charge();
        let out_of_patience = self.passed >= PATIENCE && !self.computing.is_empty();
        if !out_of_patience && let Some(member) = self.back_from_io.pop_front() {
            self.passed += 1;
            if !self.computing.is_empty() {
                self.allowance.lent_at = now();
            }
            return Some(member);
        }
        self.passed = 0;
        self.computing.pop_front()
    }

    fn is_brief(&self) -> bool {
        self.allowance.lent_at != 0
    }

    /// A holder counts as computing once it had to be asked and has not blocked since.
    fn asks_at(&mut self, holder: &Member, from_blocking: bool, now: u64) -> Option<u64> {
        let may = from_blocking && holder.cpu_bound.load(Ordering::Relaxed);
        may.then(|| self.allowance.opens_at(now, holder.ledger().holding_since().unwrap_or(now)))
    }
}

/// What threads back from a blocking call may take from those that compute: a twelfth of the time, and what they have not
/// used for a while in one go. A thread that blocks thousands of times a second would otherwise take half of it.
struct Allowance {
    /// Nanoseconds; below 0 after a turn that was longer.
    left: i64,
    /// As of this moment.
    at: u64,
    /// When a thread that computes had to let one go first; 0: none does.
    lent_at: u64,
    /// When its turn came again; 0: what it took to wake up has been charged.
    given_back_at: u64,
    /// It was used up: nobody asks until there is enough for several turns.
    used_up: bool,
}

/// One in so many nanoseconds, hand-overs and waking up included.
const SHARE: u64 = 12;
/// As much can be saved up.
const SAVED: i64 = 1_000_000;
/// As much there must be again after all was used.
const ENOUGH: i64 = 100_000;

impl Default for Allowance {
    fn default() -> Allowance {
        Allowance { left: SAVED, at: 0, lent_at: 0, given_back_at: 0, used_up: false }
    }
}

impl Allowance {
    /// From when on the next one may be let go first. `running_since`: when the thread that computes went on.
    fn opens_at(&mut self, now: u64, running_since: u64) -> u64 {
        if self.given_back_at != 0 {
            self.take(running_since.saturating_sub(self.given_back_at).min(SAVED as u64));
            self.given_back_at = 0;
        }
        let earned = (now.saturating_sub(self.at) / SHARE).min(SAVED as u64) as i64;
        self.left = self.left.saturating_add(earned).min(SAVED);
        self.at = now;
        self.used_up = self.left < if self.used_up { ENOUGH } else { 0 };
        if self.used_up { now + (ENOUGH - self.left) as u64 * SHARE } else { now }
    }

    /// The turn of the one that was let go first is over.
    fn charge(&mut self) {
        if self.lent_at != 0 {
            let at = now();
            self.take(at.saturating_sub(self.lent_at));
            (self.lent_at, self.given_back_at) = (0, at);
        }
    }

    fn take(&mut self, nanoseconds: u64) {
        self.left = self.left.saturating_sub(nanoseconds.min(i64::MAX as u64) as i64);
    }
}

/// `lottery`: each waiter has a ticket, and so has a thread that was asked to hand over. One is drawn.
struct Lottery {
    waiting: Vec<&'static Member>,
    state: u64,
}

impl Lottery {
    /// The next number of the sequence: a counter with large strides, whose bits are then mixed.
    fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        for (shift, factor) in [(30, 0xBF58_476D_1CE4_E5B9), (27, 0x94D0_49BB_1331_11EB)] {
            mixed = (mixed ^ (mixed >> shift)).wrapping_mul(factor);
        }
        mixed ^ (mixed >> 31)
    }
}

impl Queue for Lottery {
    fn wakes(&self) -> Wakes {
        Wakes::InTurn
    }

    fn enter(&mut self, member: &'static Member, _from_blocking: bool) {
        self.waiting.push(member);
    }

    fn next(&mut self) -> Option<&'static Member> {
        if self.waiting.is_empty() {
            return None;
        }
        let drawn = self.draw() % self.waiting.len() as u64;
        Some(self.waiting.remove(drawn as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::State;
    use super::*;

    fn members(n: usize) -> Vec<&'static Member> {
        (0..n).map(|_| &*Box::leak(Box::new(Member::new(State::Detached)))).collect()
    }

    fn next_is(queue: &mut dyn Queue, member: &Member) -> bool {
        queue.next().is_some_and(|m| std::ptr::eq(m, member))
    }

    #[test]
    fn fifo_keeps_the_order_of_arrival() {
        let m = members(3);
        let mut queue = make(QueueKind::Fifo);
        m.iter().for_each(|m| queue.enter(m, false));
        assert!(m.iter().all(|m| next_is(&mut *queue, m)));
        assert!(queue.next().is_none());
    }

    #[test]
    fn io_puts_threads_back_from_a_blocking_call_first() {
        let m = members(3);
        let mut queue = make(QueueKind::Io);
        queue.enter(m[0], false);
        queue.enter(m[1], true);
        queue.enter(m[2], true);
        assert!(next_is(&mut *queue, m[1]) && next_is(&mut *queue, m[2]) && next_is(&mut *queue, m[0]));
    }

    #[test]
    fn io_does_not_starve_a_computing_thread() {
        let m = members(2);
        let mut queue = make(QueueKind::Io);
        queue.enter(m[0], false);
        let turns = (0..10 * PATIENCE).take_while(|_| {
            queue.enter(m[1], true);
            next_is(&mut *queue, m[1])
        });
        assert_eq!(turns.count() as u32, PATIENCE);
    }

    /// Who was drawn in turn, by position, when whoever was drawn queues up again.
    fn drawn(seed: u64, m: &[&'static Member], times: usize) -> Vec<usize> {
        let mut queue = make(QueueKind::Lottery(seed));
        m.iter().for_each(|m| queue.enter(m, false));
        let mut draw = || {
            let next = queue.next()?;
            queue.enter(next, false);
            m.iter().position(|m| std::ptr::eq(*m, next))
        };
        (0..times).filter_map(|_| draw()).collect()
    }

    #[test]
    fn a_lottery_is_fair_and_repeats_with_its_seed() {
        let m = members(3);
        let draws = drawn(7, &m, 3000);
        assert_eq!(draws, drawn(7, &m, 3000));
        assert_ne!(draws, drawn(8, &m, 3000));
        for who in 0..3 {
            let times = draws.iter().filter(|d| **d == who).count();
            assert!((850..1150).contains(&times), "{who} was drawn {times} times of 3000");
        }
        assert!(make(QueueKind::Lottery(7)).next().is_none());
    }

    #[test]
    fn io_asks_only_a_computing_holder_at_once() {
        let m = members(1);
        let mut queue = make(QueueKind::Io);
        assert_eq!(queue.asks_at(m[0], true, 5), None);
        m[0].cpu_bound.store(true, Ordering::Relaxed);
        assert_eq!(queue.asks_at(m[0], true, 5), Some(5));
        assert_eq!(queue.asks_at(m[0], false, 5), None);
    }

    #[test]
    fn io_takes_a_twelfth_of_the_time_at_most() {
        let mut allowance = Allowance::default();
        assert_eq!(allowance.opens_at(1_000_000_000, 0), 1_000_000_000);
        allowance.left = 0;
        allowance.given_back_at = 900_000_000;
        let opens = allowance.opens_at(1_000_000_000, 900_050_000);
        assert_eq!(opens, 1_000_000_000 + 12 * 150_000);
        assert!(allowance.opens_at(opens - 1200, 0) > opens - 1200);
        assert_eq!(allowance.opens_at(opens, 0), opens);
        assert_eq!(allowance.left, ENOUGH);
    }
}
