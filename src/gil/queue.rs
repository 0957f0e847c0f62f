//! Who runs next. An ordered queue names the next thread and the GIL is given to it; with the others the GIL is
//! free for a moment and whoever is fastest takes it. Knows no policy and does no waiting.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

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

    /// True if a waiter need not wait for its interval before it asks this holder to hand over.
    fn asks_at_once(&self, _waiter: &Member, _holder: &Member, _from_blocking: bool) -> bool {
        false
    }
}

/// The queue of a spelling.
pub(super) fn make(kind: QueueKind) -> Box<dyn Queue> {
    match kind {
        QueueKind::Os => Box::new(Race(Wakes::One)),
        QueueKind::Battle => Box::new(Race(Wakes::All)),
        QueueKind::Fifo => Box::new(Fifo(VecDeque::new())),
        QueueKind::Io => Box::new(IoFirst::default()),
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
        let out_of_patience = self.passed >= PATIENCE && !self.computing.is_empty();
        if !out_of_patience && let Some(member) = self.back_from_io.pop_front() {
            self.passed += 1;
            return Some(member);
        }
        self.passed = 0;
        self.computing.pop_front()
    }

    /// A holder counts as computing once it had to be asked and has not blocked since.
    fn asks_at_once(&self, _waiter: &Member, holder: &Member, from_blocking: bool) -> bool {
        from_blocking && holder.cpu_bound.load(Ordering::Relaxed)
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

    #[test]
    fn io_asks_only_a_computing_holder_at_once() {
        let m = members(2);
        let queue = make(QueueKind::Io);
        assert!(!queue.asks_at_once(m[0], m[1], true));
        m[1].cpu_bound.store(true, Ordering::Relaxed);
        assert!(queue.asks_at_once(m[0], m[1], true));
        assert!(!queue.asks_at_once(m[0], m[1], false));
    }
}
