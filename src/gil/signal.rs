//! Signals: the handler only marks and wakes; the main thread's next poll does the work. `unsafe` is allowed here.
//! Everything that the handler calls is async-signal-safe: atomics, futex, write.
//! Knows no policy and no Mini function.

use std::sync::atomic::{AtomicI32, AtomicU64, AtomicUsize, Ordering};

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

/// What Rust's runtime does about faults: it tells a stack overflow from others. SIGSEGV's and SIGBUS's.
static FAULT_HANDLERS: [AtomicUsize; 2] = [AtomicUsize::new(libc::SIG_DFL), AtomicUsize::new(libc::SIG_DFL)];
const FAULTS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// Sets up what every Mini process wants: SIGINT is caught for `main`; SIGPIPE, and SIGXFSZ for a file that is too large, are
/// ignored, so that they are errors; a fault's signal that somebody sends ends the process.
pub fn install(main: &'static Member) -> std::io::Result<()> {
    set_main(main);
    ignore(libc::SIGPIPE)?;
    ignore(libc::SIGXFSZ)?;
    FAULTS.into_iter().try_for_each(take_sent_faults)?;
    catch(libc::SIGINT)
}

/// Makes `main` the thread that is told of signals.
pub fn set_main(main: &'static Member) {
    MAIN.set(Some(main));
}

/// From now on the signal is marked as pending when it comes. System calls are interrupted by it.
pub fn catch(signum: i32) -> std::io::Result<()> {
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

/// Rust's handler takes the first signal of a fault for the fault itself, which would come again: one that was sent does not,
/// and would do nothing.
fn take_sent_faults(signum: libc::c_int) -> std::io::Result<()> {
    // SAFETY: zeroed sigactions are valid, and are filled in before use; the handler has the signature for SA_SIGINFO.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(signum, std::ptr::null(), &mut action) != 0 {
            return Err(std::io::Error::last_os_error());
        }
        let index = FAULTS.iter().position(|fault| *fault == signum);
        if action.sa_flags & libc::SA_SIGINFO == 0 || action.sa_sigaction == fault_handler() {
            // Nobody minds faults, or it is done already.
            return Ok(());
        }
        index
            .and_then(|i| FAULT_HANDLERS.get(i))
            .into_iter()
            .for_each(|h| h.store(action.sa_sigaction, Ordering::SeqCst));
        action.sa_sigaction = fault_handler();
        let rc = libc::sigaction(signum, &action, std::ptr::null_mut());
        if rc == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
    }
}

fn raise_here(signum: libc::c_int) {
    // SAFETY: no memory is touched.
    unsafe { libc::raise(signum) };
}

fn fault_handler() -> libc::sighandler_t {
    on_fault as *const () as libc::sighandler_t
}

type FaultHandler = extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void);

extern "C" fn on_fault(signum: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    let index = FAULTS.iter().position(|fault| *fault == signum);
    let before =
        index.and_then(|i| FAULT_HANDLERS.get(i)).map_or(libc::SIG_DFL, |h| h.load(Ordering::SeqCst));
    // SAFETY: the kernel hands over a siginfo; no positive code: a process sent it.
    let sent = unsafe { (*info).si_code } <= 0;
    if sent || before == libc::SIG_DFL {
        let _ = restore_default(signum);
        // It comes when this handler has returned, as a fault does by itself.
        raise_here(signum);
    } else {
        // SAFETY: Rust's own handler, which was set with SA_SIGINFO and so has this signature.
        let rusts = unsafe { std::mem::transmute::<usize, FaultHandler>(before) };
        rusts(signum, info, context);
    }
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
