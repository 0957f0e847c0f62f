//! `queue=user`: a function of the script decides who is next. It runs in a thread of its own, the decider, to which
//! the GIL is given whenever there is a choice; the decider gives it on to whom the function names. While the function
//! has not answered (it may wait for something itself), and where nobody decides, the order is that of arrival.
//! Knows no function.

use std::collections::VecDeque;

use super::futex::now;
use super::member::Member;
use super::queue::{Queue, Wakes};

/// A thread that waits for the GIL, as it is shown to whoever decides.
#[derive(Clone, Debug)]
pub struct Ready {
    /// The member's number.
    pub id: u64,
    /// The thread's name.
    pub name: String,
    /// Nanoseconds since it began to wait.
    pub waited: u64,
    /// It comes back from a blocking call.
    pub from_blocking: bool,
}

struct Waiter {
    member: &'static Member,
    since: u64,
    from_blocking: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// The decider waits for a question.
    Idle,
    /// The GIL was given to it.
    Asked,
    /// It has taken up the question.
    Deciding,
    /// The first in the line is the one that was chosen.
    Decided,
}

pub(super) struct Asked {
    line: VecDeque<Waiter>,
    decider: Option<&'static Member>,
    stage: Stage,
}

impl Asked {
    pub fn new() -> Asked {
        Asked { line: VecDeque::new(), decider: None, stage: Stage::Idle }
    }

    fn is_decider(&self, member: &Member) -> bool {
        self.decider.is_some_and(|d| std::ptr::eq(d, member))
    }
}

impl Queue for Asked {
    fn wakes(&self) -> Wakes {
        Wakes::InTurn
    }

    fn enter(&mut self, member: &'static Member, from_blocking: bool) {
        let waiter = Waiter { member, since: now(), from_blocking };
        // In the midst of a decision that all others wait for; not if it takes so long that it was asked to stop.
        if self.is_decider(member) && from_blocking {
            self.line.push_front(waiter)
        } else {
            self.line.push_back(waiter)
        }
    }

    fn next(&mut self) -> Option<&'static Member> {
        if self.stage == Stage::Idle && self.line.len() > 1 && self.decider.is_some() {
            self.stage = Stage::Asked;
            return self.decider;
        }
        self.next_at_once()
    }

    fn next_at_once(&mut self) -> Option<&'static Member> {
        if self.stage == Stage::Decided {
            self.stage = Stage::Idle;
        }
        self.line.pop_front().map(|waiter| waiter.member)
    }

    fn has_asked(&self, next: &Member) -> bool {
        self.stage == Stage::Asked && self.is_decider(next)
    }

    fn adopt(&mut self, decider: &'static Member) -> bool {
        let free = self.decider.is_none();
        if free {
            self.decider = Some(decider);
        }
        free
    }

    fn question(&mut self) -> Vec<Ready> {
        self.stage = Stage::Deciding;
        let at = now();
        let ready = |w: &Waiter| Ready {
            id: w.member.id(),
            name: w.member.name(),
            waited: at.saturating_sub(w.since),
            from_blocking: w.from_blocking,
        };
        self.line.iter().map(ready).collect()
    }

    fn answer(&mut self, id: Option<u64>) {
        if self.stage != Stage::Deciding {
            return;
        }
        // Whoever was chosen may have had its turn while the decider waited for something.
        let chosen = id.and_then(|id| self.line.iter().position(|w| w.member.id() == id));
        if let Some(waiter) = chosen.and_then(|at| self.line.remove(at)) {
            self.line.push_front(waiter);
        }
        self.stage = if self.line.is_empty() { Stage::Idle } else { Stage::Decided };
    }
}

#[cfg(test)]
mod tests {
    use super::super::state::State;
    use super::*;

    fn member() -> &'static Member {
        Box::leak(Box::new(Member::new(State::Detached)))
    }

    fn is(next: Option<&'static Member>, member: &Member) -> bool {
        next.is_some_and(|m| std::ptr::eq(m, member))
    }

    fn numbered<const N: usize>() -> [&'static Member; N] {
        std::array::from_fn(|i| {
            let m = member();
            m.renew(i as u64 + 1, &format!("T{}", i + 1), false);
            m
        })
    }

    #[test]
    fn the_decider_is_asked_when_there_is_a_choice() {
        let [decider, a, b] = numbered();
        let mut queue = Asked::new();
        assert!(queue.adopt(decider) && !queue.adopt(a));
        queue.enter(a, false);
        assert!(is(queue.next(), a));
        queue.enter(a, false);
        queue.enter(b, true);
        let next = queue.next();
        assert!(is(next, decider) && queue.has_asked(decider));
        let ready = queue.question();
        assert_eq!(
            ready.iter().map(|r| (r.id, r.from_blocking)).collect::<Vec<_>>(),
            [(2, false), (3, true)]
        );
        queue.answer(Some(3));
        assert!(!queue.has_asked(decider) && is(queue.next(), b) && is(queue.next(), a));
        assert!(queue.next().is_none());
    }

    #[test]
    fn while_nobody_decides_the_order_is_that_of_arrival() {
        let [decider, a, b, c] = numbered();
        let mut queue = Asked::new();
        [a, b].into_iter().for_each(|m| queue.enter(m, false));
        assert!(is(queue.next(), a));
        assert!(queue.adopt(decider));
        queue.enter(a, false);
        assert!(is(queue.next(), decider));
        queue.question();
        queue.enter(c, false);
        assert!(is(queue.next(), b));
        queue.answer(Some(3));
        assert!(is(queue.next(), a) && is(queue.next(), c));
    }
}
