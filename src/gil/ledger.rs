//! What each thread did with its time: exact figures, always on, clock read only at transitions.
//!
//! One thread writes its own ledger (a sequence number tells readers when they caught it in the middle); the
//! switch counters are written by whoever takes the GIL next. Knows no policy.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use super::calls::{Call, Calls};
use super::futex::now;

/// Why a thread let go of the GIL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cause {
    /// A waiter asked for it.
    Forced = 0,
    /// Its ticks ran out.
    Tick = 1,
    /// It went into a blocking call.
    Blocking = 2,
    /// It offered (`time.sleep(0)`).
    Yield = 3,
    /// The thread ended.
    Exit = 4,
    /// Another thread stopped the world: to collect, to fork, to change the policy.
    Stop = 5,
}

/// How many causes there are.
const COUNT: usize = 6;

/// All causes, in the order of `Figures::switches`.
pub const CAUSES: [Cause; COUNT] =
    [Cause::Forced, Cause::Tick, Cause::Blocking, Cause::Yield, Cause::Exit, Cause::Stop];

impl Cause {
    /// The word for tables.
    pub const fn name(self) -> &'static str {
        ["forced", "tick", "blocking", "yield", "exit", "stop"][self as usize]
    }

    pub(super) const fn from_index(i: u8) -> Cause {
        CAUSES[if (i as usize) < CAUSES.len() { i as usize } else { 0 }]
    }
}

/// What a thread's time goes to right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Phase {
    /// Runs, holding the GIL if there is one.
    Held = 0,
    /// Waits for the GIL.
    Waiting = 1,
    /// In a blocking call.
    Blocked = 2,
    /// Barred by a stopped world.
    Stopped = 3,
    /// Not running yet, or ended: counts for nothing.
    Away = 4,
}

impl Figures {
    /// Nothing happened.
    pub const ZERO: Figures = Figures {
        held: 0,
        waited: 0,
        longest_wait: 0,
        blocked: 0,
        stopped: 0,
        acquisitions: 0,
        futile: 0,
        releases: [0; COUNT],
        switches: [0; COUNT],
    };
}

/// The figures of one thread, or of several summed. Times in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Ran, holding the GIL; with the GIL off: ran.
    pub held: u64,
    /// Waited for the GIL.
    pub waited: u64,
    /// The longest of those waits.
    pub longest_wait: u64,
    /// Was in blocking calls.
    pub blocked: u64,
    /// Was barred while another thread had stopped the world.
    pub stopped: u64,
    /// How often it was given permission to run.
    pub acquisitions: u64,
    /// How often it was woken because the GIL was free, and found it gone again.
    pub futile: u64,
    /// How often it gave up permission to run, by cause; see `CAUSES`. As many as acquisitions, but for one that runs.
    pub releases: [u64; COUNT],
    /// How often another thread ran after it, by the cause why it let go.
    pub switches: [u64; COUNT],
}

impl Figures {
    /// Switches of one cause.
    pub fn switches_by(&self, cause: Cause) -> u64 {
        self.switches[cause as usize]
    }

    /// Releases for one cause.
    pub fn releases_by(&self, cause: Cause) -> u64 {
        self.releases[cause as usize]
    }

    /// Switches of any cause.
    pub fn all_switches(&self) -> u64 {
        self.switches.iter().sum()
    }

    /// Adds another thread's figures.
    pub fn add(&mut self, other: &Figures) {
        self.held += other.held;
        self.waited += other.waited;
        self.longest_wait = self.longest_wait.max(other.longest_wait);
        self.blocked += other.blocked;
        self.stopped += other.stopped;
        self.acquisitions += other.acquisitions;
        self.futile += other.futile;
        let mine = self.switches.iter_mut().chain(&mut self.releases);
        for (mine, theirs) in mine.zip(other.switches.into_iter().chain(other.releases)) {
            *mine += theirs;
        }
    }
}

/// The running account of one thread.
#[derive(Debug)]
pub struct Ledger {
    sequence: AtomicU32,
    phase: AtomicU32,
    since: AtomicU64,
    /// Nanoseconds by `Phase`, `Away` included (and ignored).
    spent: [AtomicU64; 5],
    longest_wait: AtomicU64,
    acquisitions: AtomicU64,
    futile: AtomicU64,
    releases: [AtomicU64; COUNT],
    switches: [AtomicU64; COUNT],
    calls: Calls,
}

impl Ledger {
    pub(super) fn new() -> Ledger {
        Ledger {
            sequence: AtomicU32::new(0),
            phase: AtomicU32::new(Phase::Away as u32),
            since: AtomicU64::new(now()),
            spent: [const { AtomicU64::new(0) }; 5],
            longest_wait: AtomicU64::new(0),
            acquisitions: AtomicU64::new(0),
            futile: AtomicU64::new(0),
            releases: [const { AtomicU64::new(0) }; COUNT],
            switches: [const { AtomicU64::new(0) }; COUNT],
            calls: Calls::new(),
        }
    }

    /// Starts at zero again: for a reused member, or a forked child.
    #[inline(always)]
    pub(super) fn reset(&self, phase: Phase, at: u64) {
        // Whoever had it before may have been in the middle of writing when the process was copied without its thread.
        self.sequence.fetch_and(!1, Ordering::Relaxed);
        self.write(|| {
            let counters = self.spent.iter().chain(&self.switches).chain(&self.releases);
            for counter in counters.chain([&self.longest_wait, &self.acquisitions, &self.futile]) {
                counter.store(0, Ordering::Relaxed);
            }
            self.calls.reset();
            self.acquisitions.store(u64::from(phase == Phase::Held), Ordering::Relaxed);
            self.phase.store(phase as u32, Ordering::Relaxed);
            self.since.store(at, Ordering::Relaxed);
        });
    }

    /// The thread itself: time goes to `phase` from `at` on.
    #[inline]
    pub(super) fn turn(&self, phase: Phase, at: u64) {
        self.write(|| self.close(phase, at));
    }

    /// The thread itself: it gives up permission at `at`. `call` is what it goes into if it blocks. True: for the first time.
    #[inline]
    pub(super) fn let_go(&self, phase: Phase, cause: Cause, call: usize, at: u64) -> bool {
        let mut new = false;
        self.write(|| {
            self.close(phase, at);
            bump(&self.releases[cause as usize]);
            if phase == Phase::Blocked {
                new = self.calls.enter(call);
            }
        });
        new
    }

    /// The thread itself: it was given permission at `at`.
    #[inline]
    pub(super) fn acquired(&self, at: u64) {
        self.write(|| {
            self.close(Phase::Held, at);
            bump(&self.acquisitions);
        });
    }

    /// The thread itself: it woke in vain.
    pub(super) fn count_futile(&self) {
        bump(&self.futile);
    }

    /// Whoever runs next: the GIL left this thread for another.
    pub(super) fn count_switch(&self, cause: Cause) {
        self.switches[cause as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Since when this thread has held the GIL, if it does.
    pub(super) fn holding_since(&self) -> Option<u64> {
        (self.phase() == Phase::Held).then(|| self.since.load(Ordering::Relaxed))
    }

    /// What the thread's time goes to right now.
    pub(super) fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Held,
            1 => Phase::Waiting,
            2 => Phase::Blocked,
            3 => Phase::Stopped,
            _ => Phase::Away,
        }
    }

    /// The figures up to `at`, the open stretch included.
    pub(super) fn figures(&self, at: u64) -> Figures {
        loop {
            let before = self.sequence.load(Ordering::Acquire);
            let figures = self.read(at);
            fence(Ordering::Acquire);
            if before & 1 == 0 && self.sequence.load(Ordering::Relaxed) == before {
                return figures;
            }
            std::hint::spin_loop();
        }
    }

    fn read(&self, at: u64) -> Figures {
        let get = |c: &AtomicU64| c.load(Ordering::Relaxed);
        let mut spent = [0; 5];
        for (to, from) in spent.iter_mut().zip(&self.spent) {
            *to = get(from);
        }
        let (open, so_far) = (self.phase.load(Ordering::Relaxed), at.saturating_sub(get(&self.since)));
        if let Some(open) = spent.get_mut(open as usize) {
            *open += so_far;
        }
        let waits = if open == Phase::Waiting as u32 { so_far } else { 0 };
        let longest_wait = get(&self.longest_wait).max(waits);
        let [held, waited, blocked, stopped, _] = spent;
        let switches = std::array::from_fn(|i| get(&self.switches[i]));
        let releases = std::array::from_fn(|i| get(&self.releases[i]));
        let (acquisitions, futile) = (get(&self.acquisitions), get(&self.futile));
        Figures { held, waited, longest_wait, blocked, stopped, acquisitions, futile, releases, switches }
    }

    /// What the blocked time went to, up to `at`.
    pub(super) fn calls(&self, at: u64) -> Vec<Call> {
        let mut calls = self.calls.all();
        if self.phase() == Phase::Blocked {
            let open = at.saturating_sub(self.since.load(Ordering::Relaxed));
            self.calls.add_open(&mut calls, open);
        }
        calls
    }

    #[inline]
    fn close(&self, phase: Phase, at: u64) {
        let open = self.phase.load(Ordering::Relaxed) as usize;
        let since = self.since.load(Ordering::Relaxed);
        let span = at.saturating_sub(since);
        if open == Phase::Waiting as usize && phase == Phase::Waiting {
            return; // it stood back first, and queues up now: one wait
        }
        if let Some(spent) = self.spent.get(open) {
            spent.store(spent.load(Ordering::Relaxed) + span, Ordering::Relaxed);
        }
        if open == Phase::Blocked as usize {
            self.calls.leave(span);
        }
        if open == Phase::Waiting as usize {
            self.note_wait(at.saturating_sub(since));
        }
        self.phase.store(phase as u32, Ordering::Relaxed);
        self.since.store(at, Ordering::Relaxed);
    }

    fn note_wait(&self, nanoseconds: u64) {
        if nanoseconds > self.longest_wait.load(Ordering::Relaxed) {
            self.longest_wait.store(nanoseconds, Ordering::Relaxed);
        }
    }

    /// One writer only, so the sequence number needs no read-modify-write.
    #[inline]
    fn write(&self, change: impl FnOnce()) {
        let sequence = self.sequence.load(Ordering::Relaxed);
        self.sequence.store(sequence.wrapping_add(1), Ordering::Relaxed);
        fence(Ordering::Release);
        change();
        self.sequence.store(sequence.wrapping_add(2), Ordering::Release);
    }
}

/// Adds one to a counter that only the caller writes.
fn bump(counter: &AtomicU64) {
    counter.store(counter.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_that_a_fork_found_half_written_can_be_read_again() {
        let ledger = Ledger::new();
        ledger.sequence.store(7, Ordering::Relaxed);
        ledger.reset(Phase::Held, 7);
        assert_eq!(ledger.figures(12).held, 5);
    }
}
