//! The door to the kernel's futex and its monotonic clock. `unsafe` is allowed here. Knows no member.

use std::sync::atomic::AtomicU32;

/// Why a futex wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// Woken, or the word had already changed, or for no reason at all.
    Woken,
    /// The deadline passed.
    TimedOut,
    /// A signal handler ran in this thread.
    Interrupted,
}

/// Nanoseconds on the monotonic clock.
#[inline]
pub fn now() -> u64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is a valid timespec for the call to fill in; CLOCK_MONOTONIC always exists on Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut t) };
    t.tv_sec as u64 * 1_000_000_000 + t.tv_nsec as u64
}

/// Who can wake a sleeper: threads of this process, or of any that has mapped the word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Process,
    Machine,
}

impl Reach {
    fn flag(self) -> i32 {
        if self == Reach::Process { libc::FUTEX_PRIVATE_FLAG } else { 0 }
    }
}

/// Sleeps while `word` holds `expected`, until `deadline` (in `now()` nanoseconds) if there is one.
pub fn wait(word: &AtomicU32, expected: u32, deadline: Option<u64>) -> Wake {
    wait_within(Reach::Process, word, expected, deadline)
}

/// As `wait`, for words that may lie in memory that processes share.
pub fn wait_within(reach: Reach, word: &AtomicU32, expected: u32, deadline: Option<u64>) -> Wake {
    let limit = deadline.map(|ns| libc::timespec {
        tv_sec: (ns / 1_000_000_000) as libc::time_t,
        tv_nsec: (ns % 1_000_000_000) as libc::c_long,
    });
    let limit = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the word outlives the call, `limit` is null or points to a local; WAIT_BITSET takes an absolute
    // monotonic time and ignores the fifth argument.
    let rc = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT_BITSET | reach.flag(),
            expected,
            limit,
            std::ptr::null::<u32>(),
            libc::FUTEX_BITSET_MATCH_ANY,
        )
    };
    if rc == 0 {
        return Wake::Woken;
    }
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::ETIMEDOUT) => Wake::TimedOut,
        Some(libc::EINTR) => Wake::Interrupted,
        _ => Wake::Woken,
    }
}

/// Wakes up to `count` threads that sleep on `word`. Safe in a signal handler (it may change `errno`).
pub fn wake(word: &AtomicU32, count: u32) {
    wake_within(Reach::Process, word, count);
}

/// As `wake`, for words that may lie in memory that processes share.
pub fn wake_within(reach: Reach, word: &AtomicU32, count: u32) {
    let count = count.min(i32::MAX as u32);
    // SAFETY: the kernel only uses the address as a key; the word is alive.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE | reach.flag(), count);
    }
}

/// Lets another thread of this processor run.
pub fn yield_processor() {
    // SAFETY: no arguments, cannot fail on Linux.
    unsafe { libc::sched_yield() };
}

/// The kernel's id of the calling thread.
pub fn thread_id() -> u32 {
    // By the function that other calls go through: in a new process, each new page of code has to be found first.
    // SAFETY: no arguments, cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as u32 }
}
