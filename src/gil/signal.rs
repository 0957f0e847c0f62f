//! Signals: the handler only marks and wakes; the main thread's next poll does the work. `unsafe` is allowed here.
//! Everything that the handler calls is async-signal-safe: atomics, futex, write.
//! Knows no policy and no Mini function.

use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};

use super::cell::MemberCell;
use super::events::Events;
use super::member::Member;

/// Numbers above are the kernel's real-time signals; Linux has 64.
const LAST_SIGNAL: i32 = 64;

/// Bit n-1: signal n came and was not taken yet.
static PENDING: AtomicU64 = AtomicU64::new(0);
/// The thread that runs the handlers.
static MAIN: MemberCell = MemberCell::empty();
/// An event loop sleeps in `poll`, not in a futex: it gives a descriptor to write to.
static WAKEUP: AtomicI32 = AtomicI32::new(-1);

/// Sets up what every Mini process wants: SIGINT is caught for `main`, SIGPIPE is ignored.
pub fn install(main: &'static Member) -> std::io::Result<()> {
    set_main(main);
    ignore(libc::SIGPIPE)?;
    caught(libc::SIGINT)
}

/// Makes `main` the thread that is told of signals.
pub fn set_main(main: &'static Member) {
    MAIN.set(Some(main));
}

/// Bit n-1: signal n has been caught since `install`.
static CAUGHT: AtomicU64 = AtomicU64::new(0);

/// Whether the program has asked for signals, one of which may wake it.
pub fn any_caught() -> bool {
    CAUGHT.load(Ordering::Relaxed) != 0
}

/// From now on the signal is marked as pending when it comes. System calls are interrupted by it.
pub fn catch(signum: i32) -> std::io::Result<()> {
    CAUGHT.fetch_or(bit(signum), Ordering::Relaxed);
    caught(signum)
}

fn caught(signum: i32) -> std::io::Result<()> {
    set_disposition(signum, on_signal as *const () as libc::sighandler_t)
}

/// From now on the signal does nothing.
pub fn ignore(signum: i32) -> std::io::Result<()> {
    set_disposition(signum, libc::SIG_IGN)
}

/// From now on the signal does what the system does by default.
pub fn restore_default(signum: i32) -> std::io::Result<()> {
    set_disposition(signum, libc::SIG_DFL)
}

/// Sends a signal to this very process.
pub fn raise(signum: i32) {
    // SAFETY: no memory is touched.
    unsafe { libc::kill(libc::getpid(), signum) };
}

/// Takes one pending signal, the lowest number first; `None` when there is none.
pub fn take_pending() -> Option<i32> {
    let pending = PENDING.load(Ordering::SeqCst);
    if pending == 0 {
        return None;
    }
    let signum = pending.trailing_zeros() as i32 + 1;
    PENDING.fetch_and(!bit(signum), Ordering::SeqCst);
    Some(signum)
}

/// Marks a signal as pending without the system, as `_thread.interrupt_main` does.
pub fn simulate(signum: i32) {
    if (1..=LAST_SIGNAL).contains(&signum) {
        mark(signum);
    }
}

/// Where to write a byte (the signal's number) when a signal comes; -1 for nowhere. Returns the previous one.
pub fn set_wakeup_fd(fd: i32) -> i32 {
    WAKEUP.swap(fd, Ordering::SeqCst)
}

/// For every thread but the main one, before it does anything: signals go to the main thread.
pub fn block_signals_in_this_thread() {
    mask_all(libc::SIG_BLOCK);
}

/// Runs `f` while no signal but those of faults reaches this thread.
pub fn with_signals_blocked<T>(f: impl FnOnce() -> T) -> T {
    with_mask(libc::SIG_BLOCK, f)
}

/// Runs `f` while every signal reaches this thread.
pub fn with_signals_open<T>(f: impl FnOnce() -> T) -> T {
    with_mask(libc::SIG_UNBLOCK, f)
}

fn with_mask<T>(how: libc::c_int, f: impl FnOnce() -> T) -> T {
    // SAFETY: a zeroed set is valid, and is filled in by the call before it is used again.
    let before = unsafe {
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), &mut before);
        before
    };
    mask_all(how);
    let result = f();
    // SAFETY: the set that was in force.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut()) };
    result
}

/// For a forked child whose only thread was not the main one.
pub fn unblock_signals_in_this_thread() {
    mask_all(libc::SIG_UNBLOCK);
}

/// In a forked child: what was pending was pending for the parent.
pub(super) fn after_fork_child(main: &'static Member) {
    PENDING.store(0, Ordering::SeqCst);
    WAKEUP.store(-1, Ordering::SeqCst);
    set_main(main);
}

fn bit(signum: i32) -> u64 {
    1 << (signum - 1)
}

fn mark(signum: i32) {
    PENDING.fetch_or(bit(signum), Ordering::SeqCst);
    if let Some(main) = MAIN.get() {
        main.request(Events::SIGNAL);
    }
    let fd = WAKEUP.load(Ordering::SeqCst);
    if fd >= 0 {
        let byte = signum as u8;
        // SAFETY: one byte from a live local; a bad descriptor is an error that we may ignore (a full pipe too:
        // its reader is awake already).
        unsafe { libc::write(fd, std::ptr::from_ref(&byte).cast(), 1) };
    }
}

extern "C" fn on_signal(signum: libc::c_int) {
    // SAFETY: the address of errno is this thread's own; the code we interrupted must find it unchanged.
    let errno = unsafe { *libc::__errno_location() };
    if (1..=LAST_SIGNAL).contains(&signum) {
        mark(signum);
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

fn set_disposition(signum: i32, handler: libc::sighandler_t) -> std::io::Result<()> {
    // SAFETY: a zeroed sigaction is valid (no flags: so no SA_RESTART, a wait must end on Ctrl-C); the handler is
    // SIG_DFL, SIG_IGN or `on_signal`, which has the signature for no SA_SIGINFO and is async-signal-safe.
    let rc = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(signum, &action, std::ptr::null_mut())
    };
    if rc == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

fn mask_all(how: libc::c_int) {
    // SAFETY: the set is filled in before use. Signals that report a fault of this very thread stay open, or the
    // process would die of them without a word.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut set);
        for fault in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT] {
            libc::sigdelset(&mut set, fault);
        }
        libc::pthread_sigmask(how, &set, std::ptr::null_mut());
    }
}
