//! Starting another program: a child that shares this process's memory until it becomes the program, so that nothing is
//! copied and no lock of another thread matters. `unsafe` is allowed here. Must not know `subprocess`.
//!
//! Between its start and `execve` the child makes system calls and nothing else: it allocates nothing and takes no lock.

use super::syscall::{Sys, checked, last};
use crate::gil::{Member, signal};
use std::ffi::{CString, c_char, c_int, c_long, c_void};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::atomic::Ordering;

/// Native stack of a child. Its deepest call is a wrapper of a system call.
const STACK_WORDS: usize = 8192;
/// Descriptors of input, output and errors.
const STANDARD: i32 = 3;

/// What is to be started, and in what surroundings.
#[derive(Debug, Default)]
pub struct Plan {
    /// Where the program may be; the first that can be run is.
    pub programs: Vec<CString>,
    pub argv: Vec<CString>,
    pub env: Vec<CString>,
    pub cwd: Option<CString>,
    /// What becomes its input, output and errors; -1: what this process has.
    pub streams: [i32; 3],
    /// Close everything else but these.
    pub close: bool,
    pub keep: Vec<i32>,
    pub restore_signals: bool,
    pub session: bool,
    /// A process group; -1: this process's.
    pub process_group: i32,
    pub umask: Option<u32>,
    pub groups: Option<Vec<libc::gid_t>>,
    pub gid: Option<libc::gid_t>,
    pub uid: Option<libc::uid_t>,
}

/// Why the program does not run.
#[derive(Clone, Copy, Debug)]
pub struct Failure {
    pub errno: i32,
    /// It was not even tried: something about its surroundings could not be had.
    pub before: bool,
}

/// This process's environment. For a thread that runs Mini code: it is changed only while none does.
pub fn environment() -> Vec<CString> {
    let joined = std::env::vars_os().map(|(name, value)| [name.as_bytes(), b"=", value.as_bytes()].concat());
    joined.filter_map(|text| CString::new(text).ok()).collect()
}

/// Arrays of pointers as `execve` wants them, made before there is a child.
struct Pointers {
    programs: Vec<*const c_char>,
    argv: Vec<*const c_char>,
    env: Vec<*const c_char>,
}

impl Pointers {
    /// They lead into `plan`, which must outlive them.
    fn of(plan: &Plan) -> Pointers {
        let all = |texts: &[CString]| -> Vec<*const c_char> {
            texts.iter().map(|text| text.as_ptr()).chain([ptr::null()]).collect()
        };
        Pointers { programs: all(&plan.programs), argv: all(&plan.argv), env: all(&plan.env) }
    }
}

/// What the child is given, and where it leaves what went wrong.
struct Job<'a> {
    plan: &'a Plan,
    pointers: Pointers,
    mask: signal::Set,
    failure: Failure,
}

/// Starts the program; its process's number. Returns when it runs, or when it is certain that it will not.
pub fn start(plan: &Plan, member: &Member) -> Result<i32, Failure> {
    let mut stack = vec![0u128; STACK_WORDS];
    let mut job = Job {
        plan,
        pointers: Pointers::of(plan),
        mask: signal::Set::of(member.blocked_signals().load(Ordering::Relaxed)),
        failure: Failure { errno: 0, before: true },
    };
    let at = (&raw mut job).cast::<c_void>();
    let top = stack.as_mut_ptr_range().end.cast::<c_void>();
    // No handler may run in the child: it would write to this process's memory.
    let started = signal::with_signals_blocked(|| {
        // SAFETY: CLONE_VFORK: this thread stands still until the child has ended or become the program, so that stack
        // and job outlive what the child does with them; its stack grows down from `top`, which is aligned.
        checked(unsafe { libc::clone(child, top, libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD, at) })
    });
    let pid = started.map_err(|errno| Failure { errno, before: false })? as i32;
    // SAFETY: the child, which wrote to it, is gone or another program.
    let failure = unsafe { ptr::read_volatile(&raw const job.failure) };
    if failure.errno == 0 {
        return Ok(pid);
    }
    while super::syscall::waitpid(pid, 0) == Err(libc::EINTR) {}
    Err(failure)
}

extern "C" fn child(job: *mut c_void) -> c_int {
    // SAFETY: the job of `start`, which waits for us.
    let job = unsafe { &mut *job.cast::<Job>() };
    signal::forget_handlers();
    job.failure = match prepare(job.plan) {
        Ok(()) => {
            close_others(job.plan, -1);
            signal::set_mask(&job.mask);
            become_one(&job.pointers)
        }
        Err(errno) => Failure { errno, before: true },
    };
    super::syscall::exit_now(127)
}

/// Makes the surroundings, in the process that is to become the program.
/// Errors: the system's number.
pub fn prepare(plan: &Plan) -> Sys<()> {
    plan.keep.iter().try_for_each(|fd| inherit(*fd))?;
    connect(plan.streams)?;
    if let Some(cwd) = &plan.cwd {
        super::syscall::chdir(cwd)?;
    }
    if let Some(mask) = plan.umask {
        super::syscall::umask(mask)?;
    }
    if plan.restore_signals {
        // Those that this process ignores of its own accord.
        for number in [libc::SIGPIPE, libc::SIGXFSZ] {
            // SAFETY: no handler, plain numbers.
            unsafe { libc::signal(number, libc::SIG_DFL) };
        }
    }
    if plan.session {
        // SAFETY: plain numbers; it fails for who leads a group already, which does not matter.
        unsafe { libc::setsid() };
    }
    if plan.process_group >= 0 {
        // SAFETY: plain numbers.
        checked(unsafe { libc::setpgid(0, plan.process_group) })?;
    }
    become_user(plan)
}

/// The system calls themselves: the C library's functions change all threads that share the memory.
fn become_user(plan: &Plan) -> Sys<()> {
    if let Some(groups) = &plan.groups {
        // SAFETY: a live array of this length.
        checked(unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) })?;
    }
    for (call, id) in [(libc::SYS_setregid, plan.gid), (libc::SYS_setreuid, plan.uid)] {
        if let Some(id) = id {
            // SAFETY: plain numbers.
            checked(unsafe { libc::syscall(call, c_long::from(id), c_long::from(id)) })?;
        }
    }
    Ok(())
}

fn inherit(fd: i32) -> Sys<()> {
    // SAFETY: plain numbers.
    checked(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) }).map(drop)
}

/// Puts the streams where a program looks for them.
fn connect(mut streams: [i32; 3]) -> Sys<()> {
    for (to, from) in (0..STANDARD).zip(&mut streams) {
        if (0..STANDARD).contains(from) && *from != to {
            // It lies where another one belongs.
            // SAFETY: plain numbers.
            *from = checked(unsafe { libc::fcntl(*from, libc::F_DUPFD_CLOEXEC, STANDARD) })? as i32;
        }
    }
    for (to, from) in (0..STANDARD).zip(streams) {
        if from == to {
            inherit(to)?;
        } else if from >= 0 {
            super::syscall::dup3(from, to, 0)?;
        }
    }
    Ok(())
}

/// Closes what the program is not to have; `also` is kept besides.
fn close_others(plan: &Plan, also: i32) {
    if !plan.close {
        return;
    }
    let mut from = STANDARD;
    while let Some(kept) = plan.keep.iter().copied().chain([also]).filter(|fd| *fd >= from).min() {
        close_range(from, kept - 1);
        from = kept + 1;
    }
    close_range(from, i32::MAX);
}

fn close_range(first: i32, last: i32) {
    if first > last {
        return;
    }
    // SAFETY: plain numbers.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
        return;
    }
    // An older kernel.
    // SAFETY: plain numbers.
    let most = unsafe { libc::sysconf(libc::_SC_OPEN_MAX) }.clamp(256, 1 << 20) as i32;
    for fd in first..=last.min(most) {
        let _ = super::syscall::close(fd);
    }
}

/// Becomes the program, in a process of its own that was prepared; comes back only with what went wrong.
/// `also`: a descriptor that stays open until then.
pub fn become_program(plan: &Plan, also: i32, member: &'static Member) -> Failure {
    let pointers = Pointers::of(plan);
    close_others(plan, also);
    signal::with_mask_of(member, || become_one(&pointers))
}

fn become_one(pointers: &Pointers) -> Failure {
    let mut refused = None;
    let mut errno = libc::ENOENT;
    for program in pointers.programs.iter().take_while(|program| !program.is_null()) {
        // SAFETY: NUL-terminated texts in arrays that end with a null pointer.
        unsafe { libc::execve(*program, pointers.argv.as_ptr(), pointers.env.as_ptr()) };
        errno = last();
        if !matches!(errno, libc::ENOENT | libc::ENOTDIR) {
            refused = refused.or(Some(errno));
        }
    }
    Failure { errno: refused.unwrap_or(errno), before: false }
}
