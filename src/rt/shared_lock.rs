//! Locks, semaphores, events and the places of waiters in memory that processes share. Whoever waits sleeps on a word of that
//! memory, detached. Must not know arguments, nor error texts.
//!
//! A process can be killed at any moment. So a lock's word is its holder's number, and whoever waits too long for a lock looks
//! whether the holder still runs: if not, the lock is its own. And nobody sleeps longer than `SLICE` without looking again, so
//! that a waker that died between two steps holds nobody up.

use super::pipes;
use crate::gil::futex::{self, Reach, Wake};
use crate::gil::{Cause, Member};
use crate::object::R;
use crate::object::shared::Shared;
use crate::vm::thread::Thread;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// How long to sleep before looking again, in nanoseconds.
const SLICE: u64 = 100_000_000;

/// Sleeps while the word holds `expected`, for a while. False: the deadline is over.
/// Errors: what a signal's handler raised.
fn doze(th: &mut Thread, word: &AtomicU32, expected: u32, deadline: Option<u64>) -> R<bool> {
    let now = futex::now();
    if deadline.is_some_and(|at| at <= now) {
        return Ok(false);
    }
    let until = deadline.map_or(now + SLICE, |at| at.min(now + SLICE));
    let wake = th.detach(Cause::Blocking, || futex::wait_within(Reach::Machine, word, expected, Some(until)));
    if wake == Wake::Interrupted || th.m.member.pending().has(crate::gil::Events::SIGNAL) {
        th.check_signals()?;
    }
    Ok(true)
}

fn wake(word: &AtomicU32, count: u32) {
    futex::wake_within(Reach::Machine, word, count);
}

/// The words of a semaphore or lock: see `WORDS`.
#[derive(Debug)]
pub struct Semaphore {
    memory: Shared,
    /// At most this; 1: a lock, whose word is the number of the holder, or 0.
    pub most: u32,
    /// Whether its holder, a thread, can take it again.
    pub recursive: bool,
}

/// Bytes of memory that a semaphore needs.
pub const BYTES: usize = 64;
const STATE: usize = 0;
const WAITERS: usize = 4;
const OWNER: usize = 8;
const DEPTH: usize = 16;
/// Two words for what its holder does under it: see `of_holder`.
const HOLDERS: [usize; 2] = [32, 36];

/// Nobody reaches these: memory of a semaphore is never shorter than `BYTES`.
static NO_WORD: AtomicU32 = AtomicU32::new(0);
static NO_OWNER: AtomicU64 = AtomicU64::new(0);

impl Semaphore {
    /// A semaphore in this memory, whose words are as another process left them, unless there is a first value.
    pub fn new(memory: Shared, most: u32, recursive: bool, first: Option<u32>) -> Semaphore {
        let made = Semaphore { memory, most, recursive };
        if let Some(value) = first {
            let held = u32::from(value == 0 && most == 1);
            made.word(STATE).store(if most == 1 { held } else { value }, Ordering::SeqCst);
        }
        made
    }

    fn word(&self, at: usize) -> &AtomicU32 {
        self.memory.word32(at).unwrap_or(&NO_WORD)
    }

    fn owner(&self) -> &AtomicU64 {
        self.memory.word64(OWNER).unwrap_or(&NO_OWNER)
    }

    /// Words that belong to whoever holds it, and are left as they are for the next one.
    pub fn of_holder(&self) -> [&AtomicU32; 2] {
        HOLDERS.map(|at| self.word(at))
    }

    fn me(member: &Member) -> u64 {
        u64::from(pipes::own_number()) << 32 | (member.id() & 0xffff_ffff)
    }

    /// How often it can be taken right now.
    pub fn value(&self) -> u32 {
        let state = self.word(STATE).load(Ordering::SeqCst);
        if self.most == 1 { u32::from(state == 0) } else { state }
    }

    /// Whether the running thread took it last.
    pub fn is_mine(&self, member: &Member) -> bool {
        self.depth() > 0 && self.owner().load(Ordering::SeqCst) == Semaphore::me(member)
    }

    /// How often its holder has taken it.
    pub fn depth(&self) -> u32 {
        self.word(DEPTH).load(Ordering::SeqCst)
    }

    /// Takes it, if that is possible at once. Else: what the word was.
    fn try_take(&self) -> Result<(), u32> {
        let state = self.word(STATE);
        let mut now = state.load(Ordering::SeqCst);
        loop {
            let next = match (self.most, now) {
                (1, 0) => pipes::own_number(),
                (1, _) | (_, 0) => return Err(now),
                _ => now - 1,
            };
            match state.compare_exchange(now, next, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return Ok(()),
                Err(other) => now = other,
            }
        }
    }

    /// Takes the lock of a process that is gone.
    fn inherit(&self, seen: u32) -> bool {
        let gone = self.most == 1 && seen != 0 && !pipes::runs(seen as i32);
        let mine = pipes::own_number();
        gone && self.word(STATE).compare_exchange(seen, mine, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Of what only one can have, it is known who has it.
    fn taken(&self, member: &Member) -> bool {
        if self.most == 1 {
            self.owner().store(Semaphore::me(member), Ordering::SeqCst);
            self.word(DEPTH).store(1, Ordering::SeqCst);
        }
        true
    }

    /// Takes it, waiting until a moment (`gil::futex::now`), for ever without one. False: the time was over first.
    /// Errors: what a signal's handler raised.
    pub fn acquire(&self, th: &mut Thread, wait: bool, deadline: Option<u64>) -> R<bool> {
        if self.recursive && self.is_mine(th.m.member) {
            self.word(DEPTH).fetch_add(1, Ordering::SeqCst);
            return Ok(true);
        }
        match self.try_take() {
            Ok(()) => return Ok(self.taken(th.m.member)),
            Err(_) if !wait => return Ok(false),
            Err(_) => {}
        }
        self.word(WAITERS).fetch_add(1, Ordering::SeqCst);
        let got = self.wait(th, deadline);
        self.word(WAITERS).fetch_sub(1, Ordering::SeqCst);
        Ok(got? && self.taken(th.m.member))
    }

    fn wait(&self, th: &mut Thread, deadline: Option<u64>) -> R<bool> {
        loop {
            let seen = match self.try_take() {
                Ok(()) => return Ok(true),
                Err(seen) => seen,
            };
            let before = futex::now();
            if !doze(th, self.word(STATE), seen, deadline)? {
                return Ok(self.try_take().is_ok());
            }
            if futex::now() - before >= SLICE / 2 && self.inherit(seen) {
                return Ok(true);
            }
        }
    }

    /// Gives it back once. False: it is full.
    pub fn release(&self) -> bool {
        let depth = self.word(DEPTH);
        if self.recursive && depth.load(Ordering::SeqCst) > 1 {
            depth.fetch_sub(1, Ordering::SeqCst);
            return true;
        }
        if self.most == 1 {
            depth.store(0, Ordering::SeqCst);
        }
        let state = self.word(STATE);
        let given = match self.most {
            1 => state.swap(0, Ordering::SeqCst) != 0,
            most => {
                let more = |n: u32| (n < most).then(|| n + 1);
                state.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok()
            }
        };
        if self.word(WAITERS).load(Ordering::SeqCst) > 0 {
            wake(state, 1);
        }
        given
    }
}

/// A flag that many may wait for. Its word counts: odd, it is set.
#[derive(Debug)]
pub struct Flag(pub Shared);

impl Flag {
    fn word(&self) -> &AtomicU32 {
        self.0.word32(0).unwrap_or(&NO_WORD)
    }

    pub fn is_set(&self) -> bool {
        self.word().load(Ordering::SeqCst) & 1 == 1
    }

    fn turn(&self, on: u32) {
        let change = |n: u32| (n & 1 != on).then(|| n.wrapping_add(1));
        let _ = self.word().fetch_update(Ordering::SeqCst, Ordering::SeqCst, change);
        if on == 1 {
            wake(self.word(), u32::MAX);
        }
    }

    pub fn set(&self) {
        self.turn(1);
    }

    pub fn clear(&self) {
        self.turn(0);
    }

    /// Waits until it is set, even if it is cleared again at once. False: the time was over first.
    /// Errors: what a signal's handler raised.
    pub fn wait(&self, th: &mut Thread, deadline: Option<u64>) -> R<bool> {
        let before = self.word().load(Ordering::SeqCst);
        if before & 1 == 1 {
            return Ok(true);
        }
        while self.word().load(Ordering::SeqCst) == before {
            if !doze(th, self.word(), before, deadline)? {
                return Ok(self.word().load(Ordering::SeqCst) != before);
            }
        }
        Ok(true)
    }
}

/// The places of those who wait for a condition. All but `sleep` is called with the condition's lock held.
#[derive(Debug)]
pub struct Places(pub Shared);

/// Bytes of memory for the places.
pub const PLACES_BYTES: usize = 16 << 10;
const PLACE: usize = 16;
/// What a place says: nobody has it; its owner waits; its owner was woken.
const EMPTY: u32 = 0;
const WAITING: u32 = 1;
const WOKEN: u32 = 2;

impl Places {
    fn word(&self, place: usize, offset: usize) -> &AtomicU32 {
        self.0.word32(place * PLACE + offset).unwrap_or(&NO_WORD)
    }

    /// The places; the first is the counter of arrivals.
    fn all(&self) -> std::ops::Range<usize> {
        1..self.0.len() / PLACE
    }

    fn owner_runs(&self, place: usize) -> bool {
        let owner = self.word(place, 4).load(Ordering::SeqCst);
        owner == pipes::own_number() || pipes::runs(owner as i32)
    }

    /// Takes a place. `None`: all are taken.
    pub fn enter(&self) -> Option<usize> {
        let process = pipes::own_number();
        let free = self.all().find(|&i| self.word(i, 0).load(Ordering::SeqCst) == EMPTY);
        let deserted = || self.all().find(|&i| !self.owner_runs(i));
        let found = free.or_else(deserted)?;
        self.word(found, 4).store(process, Ordering::SeqCst);
        self.word(found, 8).store(self.word(0, 0).fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
        self.word(found, 0).store(WAITING, Ordering::SeqCst);
        Some(found)
    }

    /// Sleeps in a place until woken, or until a moment.
    /// Errors: what a signal's handler raised.
    pub fn sleep(&self, th: &mut Thread, place: usize, deadline: Option<u64>) -> R<()> {
        while self.word(place, 0).load(Ordering::SeqCst) == WAITING {
            if !doze(th, self.word(place, 0), WAITING, deadline)? {
                break;
            }
        }
        Ok(())
    }

    /// Gives a place back; whether its owner was woken.
    pub fn leave(&self, place: usize) -> bool {
        self.all().contains(&place) && self.word(place, 0).swap(EMPTY, Ordering::SeqCst) == WOKEN
    }

    /// Wakes up to `count` of those who wait, those who came first; returns how many.
    pub fn notify(&self, count: usize) -> usize {
        let now = self.word(0, 0).load(Ordering::SeqCst);
        let state = |i: usize| self.word(i, 0).load(Ordering::SeqCst);
        let mut waiting: Vec<usize> = self.all().filter(|&i| state(i) == WAITING).collect();
        // The counter may have gone round: what counts is how long ago.
        let age = |i: usize| now.wrapping_sub(self.word(i, 8).load(Ordering::SeqCst));
        waiting.sort_by_key(|&i| std::cmp::Reverse(age(i)));
        let mut woken = 0;
        for i in waiting {
            if woken == count {
                break;
            }
            if !self.owner_runs(i) {
                self.word(i, 0).store(EMPTY, Ordering::SeqCst);
                continue;
            }
            self.word(i, 0).store(WOKEN, Ordering::SeqCst);
            wake(self.word(i, 0), 1);
            woken += 1;
        }
        woken
    }
}
