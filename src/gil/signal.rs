//! Signals: the handler only marks and wakes; the main thread's next poll does the work. `unsafe` is allowed here.
//! Everything that the handler calls is async-signal-safe: atomics, futex, write.
//! Knows no policy and no Mini function.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering};

use super::cell::MemberCell;
use super::events::Events;
use super::member::Member;

/// Numbers above are the kernel's real-time signals; Linux has 64.
const LAST_SIGNAL: i32 = 64;

/// Bit n-1: signal n came and was not taken yet.
static PENDING: AtomicU64 = AtomicU64::new(0);
/// The thread that runs the handlers.
static MAIN: MemberCell = MemberCell::empty();
/// Bit n-1: signal n is caught.
static CAUGHT: AtomicU64 = AtomicU64::new(0);
/// An event loop sleeps in `poll`, not in a futex: it gives a descriptor to write to.
static WAKEUP: AtomicI32 = AtomicI32::new(-1);
/// The timer that makes sure of it, plus 1; 0: there is none, as no signal has come yet. See `poke_later`.
static POKE_TIMER: AtomicI32 = AtomicI32::new(0);
/// The signal of that timer. Not the last one: valgrind keeps that to itself, and Mini would not start under it.
const POKE: i32 = LAST_SIGNAL - 1;
/// How long a signal that came just before a system call may be overlooked.
const POKE_AFTER: libc::c_long = 5_000_000;
static WARN_FULL: AtomicBool = AtomicBool::new(true);
static WAKEUP_ERRNO: AtomicI32 = AtomicI32::new(0);

/// What Rust's runtime does about faults: it tells a stack overflow from others. SIGSEGV's and SIGBUS's.
static FAULT_HANDLERS: [AtomicUsize; 2] = [AtomicUsize::new(libc::SIG_DFL), AtomicUsize::new(libc::SIG_DFL)];
const FAULTS: [libc::c_int; 2] = [libc::SIGSEGV, libc::SIGBUS];

/// Sets up what every Mini process wants: SIGINT is caught for `main`; SIGPIPE, and SIGXFSZ for a file that is too large, are
/// ignored, so that they are errors; a fault's signal that somebody sends ends the process.
pub fn install(main: &'static Member) -> std::io::Result<()> {
    set_main(main);
    main.blocked_signals().store(blocked_here(), Ordering::SeqCst);
    set_disposition(POKE, on_signal as *const () as libc::sighandler_t)?;
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
    set_disposition(signum, on_signal as *const () as libc::sighandler_t)?;
    CAUGHT.fetch_or(bit(signum), Ordering::SeqCst);
    Ok(())
}

/// From now on the signal does nothing.
pub fn ignore(signum: i32) -> std::io::Result<()> {
    uncatch(signum, libc::SIG_IGN)
}

/// From now on the signal does what the system does by default.
pub fn restore_default(signum: i32) -> std::io::Result<()> {
    uncatch(signum, libc::SIG_DFL)
}

fn uncatch(signum: i32, handler: libc::sighandler_t) -> std::io::Result<()> {
    if signum != POKE {
        set_disposition(signum, handler)?;
    }
    if (1..=LAST_SIGNAL).contains(&signum) {
        CAUGHT.fetch_and(!bit(signum), Ordering::SeqCst);
    }
    Ok(())
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
    let left = PENDING.fetch_and(!bit(signum), Ordering::SeqCst) & !bit(signum);
    if left == 0 {
        if let timer @ 1.. = POKE_TIMER.load(Ordering::SeqCst) {
            set_timer(timer - 1, 0);
        }
        if any_pending() {
            // It came in between.
            poke_later();
        }
    }
    Some(signum)
}

/// Whether there is anything to take.
pub fn any_pending() -> bool {
    PENDING.load(Ordering::SeqCst) != 0
}

/// Marks a signal as pending without the system, as `_thread.interrupt_main` does.
pub fn simulate(signum: i32) {
    if (1..=LAST_SIGNAL).contains(&signum) {
        mark(signum);
    }
}

/// Where to write a byte (the signal's number) when a signal comes; -1 for nowhere. Returns the previous one.
/// `warn`: a full pipe is worth a word (see `wakeup_errno`).
pub fn set_wakeup_fd(fd: i32, warn: bool) -> i32 {
    WARN_FULL.store(warn, Ordering::SeqCst);
    WAKEUP.swap(fd, Ordering::SeqCst)
}

/// What went wrong with the last such byte, once; 0: nothing.
pub fn wakeup_errno() -> i32 {
    WAKEUP_ERRNO.swap(0, Ordering::SeqCst)
}

/// For every thread but the main one, before it does anything: signals go to the main thread.
pub fn block_signals_in_this_thread() {
    mask_all(libc::SIG_BLOCK);
}

/// Runs `f` while no signal but those of faults reaches this thread.
pub fn with_signals_blocked<T>(f: impl FnOnce() -> T) -> T {
    with_mask(block_signals_in_this_thread, f)
}

/// A set of signals as the system has it.
#[derive(Clone, Copy)]
pub struct Set(libc::sigset_t);

impl Set {
    /// Of bits: n-1 for signal n.
    pub fn of(bits: u64) -> Set {
        // SAFETY: a zeroed set is valid, and what an empty one is; numbers that the system keeps for itself are refused.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            (1..=LAST_SIGNAL).filter(|n| bits & bit(*n) != 0).for_each(|n| {
                libc::sigaddset(&mut set, n);
            });
            Set(set)
        }
    }

    /// See `of`.
    pub fn bits(&self) -> u64 {
        // SAFETY: a valid set.
        let has = |n: i32| unsafe { libc::sigismember(&self.0, n) } == 1;
        (1..=LAST_SIGNAL).filter(|n| has(*n)).map(bit).fold(0, |all, one| all | one)
    }

    /// What has come and is blocked by this thread.
    pub fn pending() -> Set {
        // SAFETY: a zeroed set is valid, and is filled in by the call.
        unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigpending(&mut set);
            Set(set)
        }
    }

    pub fn raw(&self) -> &libc::sigset_t {
        &self.0
    }
}

/// What this thread of the system blocks.
fn blocked_here() -> u64 {
    // SAFETY: a zeroed set is valid, and is filled in by the call.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), &mut set);
        Set(set).bits()
    }
}

/// Puts a mask in force for this thread of the system.
pub fn set_mask(mask: &Set) {
    // SAFETY: a valid set.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &mask.0, std::ptr::null_mut()) };
}

/// The calling thread does not want these signals from now on, and wants all others. Of the threads only the main one lets
/// signals through in truth; what was sent to another one alone, and comes to be wanted by it, is passed on.
pub fn block(member: &'static Member, blocked: u64) {
    let before = member.blocked_signals().swap(blocked, Ordering::SeqCst);
    if member.is_main() {
        return set_mask(&Set::of(blocked));
    }
    let now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        let wanted = before & !blocked & Set::pending().bits();
        // SAFETY: a valid set, no room for details, a live time.
        let signum = unsafe { libc::sigtimedwait(&Set::of(wanted).0, std::ptr::null_mut(), &now) };
        if wanted == 0 || signum <= 0 {
            return;
        }
        pass_on(signum);
    }
}

/// A signal that a thread wants which must not take it: the main thread runs the handlers of all.
fn pass_on(signum: i32) {
    if CAUGHT.load(Ordering::SeqCst) & bit(signum) != 0 { mark(signum) } else { raise(signum) }
}

/// Sends a signal to one thread. Errors: the system's.
pub fn send(target: &'static Member, signum: i32) -> std::io::Result<()> {
    let valid = (1..=LAST_SIGNAL).contains(&signum);
    if valid && !target.is_main() && target.blocked_signals().load(Ordering::SeqCst) & bit(signum) == 0 {
        pass_on(signum);
        return Ok(());
    }
    // SAFETY: plain numbers.
    let rc = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), target.os_id(), signum) };
    if rc == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// What the system does when the signal comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    Default,
    Ignored,
    /// By `catch`.
    Caught,
    /// By somebody else in this process.
    Other,
}

/// See `Disposition`. `None`: there is no such signal.
pub fn disposition(signum: i32) -> Option<Disposition> {
    // SAFETY: a zeroed sigaction is valid, and is filled in by the call.
    let (rc, handler) = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let rc = libc::sigaction(signum, std::ptr::null(), &mut action);
        (rc, action.sa_sigaction)
    };
    match handler {
        _ if rc != 0 => None,
        libc::SIG_DFL => Some(Disposition::Default),
        libc::SIG_IGN => Some(Disposition::Ignored),
        _ if signum == POKE && CAUGHT.load(Ordering::SeqCst) & bit(POKE) == 0 => Some(Disposition::Default),
        fault if fault == fault_handler() => Some(Disposition::Default),
        own if own == on_signal as *const () as libc::sighandler_t => Some(Disposition::Caught),
        _ => Some(Disposition::Other),
    }
}

/// Whether system calls that the signal interrupts end with an error. Errors: the system's.
pub fn set_interrupts(signum: i32, interrupts: bool) -> std::io::Result<()> {
    // SAFETY: a zeroed sigaction is valid; the first call fills it in, the second changes its flags alone.
    let rc = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        let asked = libc::sigaction(signum, std::ptr::null(), &mut action);
        action.sa_flags =
            if interrupts { action.sa_flags & !libc::SA_RESTART } else { action.sa_flags | libc::SA_RESTART };
        if asked == 0 { libc::sigaction(signum, &action, std::ptr::null_mut()) } else { asked }
    };
    if rc == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// In a child that shares this process's memory: what is caught here does there what the system does by default.
pub fn forget_handlers() {
    let caught = CAUGHT.load(Ordering::SeqCst);
    for signum in (1..=LAST_SIGNAL).filter(|signum| caught & bit(*signum) != 0) {
        let _ = set_disposition(signum, libc::SIG_DFL);
    }
}

/// Runs `f` while this thread's mask is the one that the script sees: what programs begin with.
pub fn with_mask_of<T>(member: &'static Member, f: impl FnOnce() -> T) -> T {
    with_mask(|| set_mask(&Set::of(member.blocked_signals().load(Ordering::SeqCst))), f)
}

fn with_mask<T>(put: impl FnOnce(), f: impl FnOnce() -> T) -> T {
    // SAFETY: a zeroed set is valid, and is filled in by the call before it is used again.
    let before = unsafe {
        let mut before: libc::sigset_t = std::mem::zeroed();
        libc::pthread_sigmask(libc::SIG_SETMASK, std::ptr::null(), &mut before);
        before
    };
    put();
    let result = f();
    // SAFETY: the set that was in force.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut()) };
    result
}

/// For a process that is about to end by a signal.
pub fn unblock_signals_in_this_thread() {
    mask_all(libc::SIG_UNBLOCK);
}

/// In a forked child: what was pending was pending for the parent, and timers are not inherited. Mostly nothing has to be
/// written, so no page is copied.
#[inline(always)]
pub(super) fn after_fork_child(main: &'static Member) {
    if any_pending() {
        PENDING.store(0, Ordering::SeqCst);
    }
    for (word, initial) in [(&ASKER, 0), (&ANSWERER, 0), (&POKE_TIMER, 0), (&WAKEUP, -1)] {
        if word.load(Ordering::SeqCst) != initial {
            word.store(initial, Ordering::SeqCst);
        }
    }
    if MAIN.get().is_none_or(|before| !std::ptr::eq(before, main)) {
        set_main(main);
    }
}

fn bit(signum: i32) -> u64 {
    1 << (signum - 1)
}

fn mark(signum: i32) {
    PENDING.fetch_or(bit(signum), Ordering::SeqCst);
    if let Some(main) = MAIN.get() {
        main.request(Events::SIGNAL);
    }
    poke_later();
    let fd = WAKEUP.load(Ordering::SeqCst);
    if fd >= 0 {
        let byte = signum as u8;
        // SAFETY: one byte from a live local; a bad descriptor is an error. (The reader of a full pipe is awake already.)
        let written = unsafe { libc::write(fd, std::ptr::from_ref(&byte).cast(), 1) };
        // SAFETY: the address of errno is this thread's own.
        let errno = if written < 0 { unsafe { *libc::__errno_location() } } else { 0 };
        if errno != 0 && (errno != libc::EAGAIN || WARN_FULL.load(Ordering::SeqCst)) {
            WAKEUP_ERRNO.store(errno, Ordering::SeqCst);
        }
    }
}

extern "C" fn on_signal(signum: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the address of errno is this thread's own; the code we interrupted must find it unchanged. The details are
    // the kernel's (SA_SIGINFO).
    let (errno, code) = unsafe { (*libc::__errno_location(), (*info).si_code) };
    let caught = signum != POKE || CAUGHT.load(Ordering::SeqCst) & bit(POKE) != 0;
    if signum == POKE && code == libc::SI_TIMER {
        if any_pending() {
            poke_later();
        }
    } else if signum == POKE && code == libc::SI_QUEUE {
        put_question(info);
    } else if (1..=LAST_SIGNAL).contains(&signum) && caught {
        mark(signum);
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// The signal that asks a Mini process what it does, as the kernel shows sets of signals.
pub const QUESTION_BIT: u64 = 1 << (POKE - 1);
/// Who asked and has no answer yet; 0: nobody.
static ASKER: AtomicI32 = AtomicI32::new(0);
/// The system's number of the thread that waits for questions; 0: there is none.
static ANSWERER: AtomicI32 = AtomicI32::new(0);
/// It is being started. Whoever asks now asks again.
const ABOUT_TO_START: i32 = -1;

/// The handler, which mostly runs in the main thread: that one is to answer, if there is no thread for it.
fn put_question(info: *mut libc::siginfo_t) {
    match ANSWERER.load(Ordering::SeqCst) {
        0 => {
            // SAFETY: the kernel's details; a queued signal says who sent it.
            ASKER.store(unsafe { (*info).si_pid() }, Ordering::SeqCst);
            if let Some(main) = MAIN.get() {
                main.request(Events::SIGNAL);
            }
        }
        ABOUT_TO_START => {}
        // SAFETY: the details as they came; plain numbers. This call is allowed in handlers.
        thread => unsafe {
            libc::syscall(libc::SYS_rt_tgsigqueueinfo, libc::getpid(), thread, POKE, info);
        },
    }
}

/// For the main thread: who asks.
pub fn take_question() -> Option<u32> {
    match ASKER.load(Ordering::Relaxed) {
        0 => None,
        _ => u32::try_from(ASKER.swap(0, Ordering::SeqCst)).ok(),
    }
}

/// True: the caller is to start a thread that waits for questions.
pub fn expect_questions() -> bool {
    ANSWERER.compare_exchange(0, ABOUT_TO_START, Ordering::SeqCst, Ordering::SeqCst).is_ok()
}

/// That thread could not be started.
pub fn expect_no_questions() {
    ANSWERER.store(0, Ordering::SeqCst);
}

/// Waits until another process asks (see `ask`); returns its number. All signals are blocked in the calling thread.
pub fn wait_for_question() -> u32 {
    ANSWERER.store(super::futex::thread_id() as i32, Ordering::SeqCst);
    let only = Set::of(QUESTION_BIT);
    loop {
        // SAFETY: a valid set, and room for the details, of which the sender of a queued signal is one.
        let (signum, code, sender) = unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let signum = libc::sigwaitinfo(only.raw(), &mut info);
            (signum, info.si_code, info.si_pid())
        };
        if signum == POKE && code == libc::SI_QUEUE {
            return sender.unsigned_abs();
        }
        if signum == POKE && CAUGHT.load(Ordering::SeqCst) & QUESTION_BIT != 0 {
            mark(POKE); // a script's own signal
        }
    }
}

/// Asks a Mini process what it does.
pub fn ask(pid: u32) -> std::io::Result<()> {
    let value = libc::sigval { sival_ptr: std::ptr::null_mut() };
    // SAFETY: plain numbers.
    let rc = unsafe { libc::sigqueue(pid as libc::pid_t, POKE, value) };
    if rc == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }
}

/// A timer whose signal interrupts the main thread, made when it is first needed. By system calls alone: this may be a handler.
fn poke_timer() -> Option<libc::c_int> {
    if let timer @ 1.. = POKE_TIMER.load(Ordering::SeqCst) {
        return Some(timer - 1);
    }
    let mut timer: libc::c_int = 0;
    // SAFETY: a zeroed event is valid; the kernel reads it and writes the timer's number.
    let made = unsafe {
        let mut event: libc::sigevent = std::mem::zeroed();
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = POKE;
        event.sigev_notify_thread_id = MAIN.get()?.os_id() as libc::c_int;
        libc::syscall(libc::SYS_timer_create, libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) == 0
    };
    if !made {
        return None;
    }
    match POKE_TIMER.compare_exchange(0, timer + 1, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => Some(timer),
        Err(other) => {
            // A signal came meanwhile.
            // SAFETY: our own timer, which nobody else knows.
            unsafe { libc::syscall(libc::SYS_timer_delete, timer) };
            Some(other - 1)
        }
    }
}

/// A signal may come when the main thread has looked for the last time before a system call, but is not yet in it: then the
/// call knows nothing of it, and may block for ever. So a timer interrupts it, again and again until the signal is taken.
fn poke_later() {
    poke_timer().into_iter().for_each(|timer| set_timer(timer, POKE_AFTER));
}

/// After so many nanoseconds; 0: not at all.
fn set_timer(timer: libc::c_int, nanoseconds: libc::c_long) {
    let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let once =
        libc::itimerspec { it_interval: never, it_value: libc::timespec { tv_sec: 0, tv_nsec: nanoseconds } };
    let old = std::ptr::null_mut::<libc::itimerspec>();
    // SAFETY: our own timer, and a live time; this call is allowed in handlers.
    unsafe { libc::syscall(libc::SYS_timer_settime, timer, 0, &raw const once, old) };
}

fn set_disposition(signum: i32, handler: libc::sighandler_t) -> std::io::Result<()> {
    // SAFETY: a zeroed sigaction is valid (no SA_RESTART: a wait must end on Ctrl-C); the handler is SIG_DFL, SIG_IGN or
    // `on_signal`, which has the signature for SA_SIGINFO and is async-signal-safe.
    let rc = unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = libc::SA_SIGINFO;
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
    // SAFETY: a valid set.
    unsafe { libc::pthread_sigmask(how, &every_signal(), std::ptr::null_mut()) };
}

/// All but those that report a fault of this very thread: blocked, the process would die of them without a word.
fn every_signal() -> libc::sigset_t {
    // SAFETY: a zeroed set is valid, and is filled in before use.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigfillset(&mut set);
        for fault in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGTRAP, libc::SIGABRT] {
            libc::sigdelset(&mut set, fault);
        }
        set
    }
}
