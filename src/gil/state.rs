//! The two words by which a thread and whoever stops the world agree: the state and the breaker.
//!
//! Only the thread itself moves between Running and Detached; only the stopper moves a Detached thread to Parked
//! and back. A thread that is asked to stop therefore *detaches* and comes back: it cannot, while the stop bit is
//! in its breaker or its state is Parked. Parked implies that the stop bit is set.
//!
//! This file knows no policy and no member: it is compiled a second time against loom (see `models/`).

use super::primitive::{AtomicU32, Ordering, pause, wait, wake_all, write_before_read};

/// What a thread is doing, as far as the others may rely on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum State {
    /// May touch the heap.
    Running = 0,
    /// In a blocking call or waiting for permission: promises not to touch the heap.
    Detached = 1,
    /// Detached, and barred from coming back until the world goes on.
    Parked = 2,
    /// Not in the registry (any more).
    Gone = 3,
}

/// The bit of the breaker that asks a thread to stop for the world.
pub const STOP_WORLD: u32 = 1 << 1;

/// State and breaker of one thread.
#[derive(Debug)]
pub struct Slot {
    state: AtomicU32,
    breaker: AtomicU32,
}

impl Slot {
    /// A slot in the given state with an empty breaker.
    pub fn new(state: State) -> Slot {
        Slot { state: AtomicU32::new(state as u32), breaker: AtomicU32::new(0) }
    }

    /// The state right now; it is stable only if the caller is the thread itself, or has stopped the world.
    pub fn state(&self) -> State {
        match self.state.load(Ordering::SeqCst) {
            0 => State::Running,
            1 => State::Detached,
            2 => State::Parked,
            _ => State::Gone,
        }
    }

    /// Puts the state without asking: for a slot that no other thread can be looking at.
    pub fn reset(&self, state: State) {
        self.breaker.store(0, Ordering::SeqCst);
        self.state.store(state as u32, Ordering::SeqCst);
    }

    /// The one word that the eval loop polls.
    #[inline(always)]
    pub fn breaker(&self) -> &AtomicU32 {
        &self.breaker
    }

    /// Sets bits in the breaker.
    pub fn raise(&self, bits: u32) {
        self.breaker.fetch_or(bits, Ordering::SeqCst);
    }

    /// Clears bits and tells which of them were set.
    pub fn take(&self, bits: u32) -> u32 {
        if self.breaker.load(Ordering::SeqCst) & bits == 0 {
            return 0;
        }
        self.breaker.fetch_and(!bits, Ordering::SeqCst) & bits
    }

    /// The thread leaves Running. True: a stopper may be waiting for exactly this, tell it.
    #[inline]
    pub fn leave(&self) -> bool {
        self.state.swap(State::Detached as u32, Ordering::SeqCst);
        // Either we see the bit here, or the stopper sees us Detached.
        write_before_read();
        self.is_stopped()
    }

    /// The thread comes back to Running; waits while the world is stopped.
    #[inline]
    pub fn enter(&self) {
        while !self.try_enter() {
            self.wait_while_stopped();
            pause();
        }
    }

    /// One attempt to come back; false while somebody stops the world.
    #[inline]
    pub fn try_enter(&self) -> bool {
        !self.is_stopped() && self.change(State::Detached, State::Running)
    }

    /// Whether somebody wants it to stand still, or has it do so.
    pub fn is_stopped(&self) -> bool {
        self.breaker.load(Ordering::SeqCst) & STOP_WORLD != 0
    }

    /// Sleeps until the stop bit is gone. Other bits may come meanwhile; they do not wake us.
    pub fn wait_while_stopped(&self) {
        loop {
            let seen = self.breaker.load(Ordering::SeqCst);
            if seen & STOP_WORLD == 0 {
                return;
            }
            wait(&self.breaker, seen);
        }
    }

    /// The thread takes itself out for good, from Detached. False while it is Parked.
    pub fn try_retire(&self) -> bool {
        self.change(State::Detached, State::Gone)
    }

    /// Stopper, first step: ask.
    pub fn stop(&self) {
        self.raise(STOP_WORLD);
        write_before_read();
    }

    /// Stopper, second step, repeated: true once the thread is Parked (or gone) and will stay so.
    pub fn try_park(&self) -> bool {
        self.change(State::Detached, State::Parked) || matches!(self.state(), State::Parked | State::Gone)
    }

    /// Stopper, last step: let it go on. The state first, so that Parked implies the bit.
    pub fn resume(&self) {
        self.change(State::Parked, State::Detached);
        self.breaker.fetch_and(!STOP_WORLD, Ordering::SeqCst);
        wake_all(&self.breaker);
    }

    fn change(&self, from: State, to: State) -> bool {
        self.state.compare_exchange(from as u32, to as u32, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}
