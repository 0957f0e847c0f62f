//! The door to the kernel for files, processes and the like: thin safe functions over libc. `unsafe` is allowed here.
//! Every function returns the error number on failure. Knows no value; may block: call it detached.

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::OsStrExt;

/// What a call returns: its result, or `errno`.
pub type Sys<T = i64> = Result<T, i32>;

pub(super) fn last() -> i32 {
    std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO)
}

/// -1 means failure.
pub(super) fn checked(result: impl Into<i64>) -> Sys {
    let result = result.into();
    if result == -1 { Err(last()) } else { Ok(result) }
}

/// Reads into `buffer`; returns how many bytes.
pub fn read(fd: i32, buffer: &mut [u8]) -> Sys<usize> {
    // SAFETY: the kernel writes at most `len` bytes into a live buffer; a bad descriptor is an error.
    checked(unsafe { libc::read(fd, buffer.as_mut_ptr().cast(), buffer.len()) } as i64).map(|n| n as usize)
}

/// Writes; returns how many bytes were taken.
pub fn write(fd: i32, bytes: &[u8]) -> Sys<usize> {
    // SAFETY: the kernel reads at most `len` bytes of a live buffer; a bad descriptor is an error.
    checked(unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) } as i64).map(|n| n as usize)
}

/// Waits until there is something to read, for at most so many milliseconds. Tells whether there is.
pub fn wait_readable(fd: i32, milliseconds: i32) -> Sys<bool> {
    let mut wanted = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one live element, which the kernel writes to.
    checked(i64::from(unsafe { libc::poll(&raw mut wanted, 1, milliseconds) })).map(|n| n > 0)
}

/// Opens a path; the descriptor is not inherited by programs that are started.
pub fn open(path: &CStr, flags: i32, mode: u32) -> Sys<i32> {
    // SAFETY: a NUL-terminated path; the third argument is the one that O_CREAT reads.
    checked(unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, mode) }).map(|fd| fd as i32)
}

macro_rules! plain_calls {
    ($($(#[$doc:meta])* $name:ident($($arg:ident: $t:ty),*);)*) => { $(
        $(#[$doc])*
        pub fn $name($($arg: $t),*) -> Sys {
            // SAFETY: the arguments are plain numbers; whatever is wrong with them is an error number.
            #[allow(clippy::useless_conversion)]
            checked(unsafe { libc::$name($($arg),*) })
        }
    )* };
}

plain_calls! {
    /// Makes a second process: 0 in the child, its number in the parent. Only with the world stopped: see `fork.rs`.
    fork();
    /// Closes a descriptor.
    close(fd: i32);
    /// A second descriptor for the same file.
    dup(fd: i32);
    /// As `dup`, under a number of the caller's choice.
    dup3(from: i32, to: i32, flags: i32);
    /// Moves the place of a file.
    lseek(fd: i32, offset: i64, whence: i32);
    /// Sets the length of a file.
    ftruncate(fd: i32, length: i64);
    /// Waits until a file is on the disk.
    fsync(fd: i32);
    /// Changes the permissions of an open file.
    fchmod(fd: i32, mode: u32);
    /// Sends a signal.
    kill(pid: i32, signal: i32);
    /// Whether the descriptor is a terminal: 1, or an error.
    isatty(fd: i32);
    /// Number of the process.
    getpid();
    /// Number of the parent.
    getppid();
    /// The user the process runs for.
    getuid();
    /// The user whose rights the process has.
    geteuid();
    /// The group the process runs for.
    getgid();
    /// The group whose rights the process has.
    getegid();
    /// The process group of a process.
    getpgid(pid: i32);
    /// Puts a process into a group.
    setpgid(pid: i32, group: i32);
    /// The session of a process.
    getsid(pid: i32);
    /// Begins a session.
    setsid();
    /// Sends a signal to a process group.
    killpg(group: i32, signal: i32);
    /// Permissions that new files do not get; returns the mask before.
    umask(mask: u32);
    /// Offers the processor.
    sched_yield();
}

macro_rules! path_calls {
    ($($(#[$doc:meta])* $name:ident(path $(, $arg:ident: $t:ty)*);)*) => { $(
        $(#[$doc])*
        pub fn $name(path: &CStr $(, $arg: $t)*) -> Sys {
            // SAFETY: a NUL-terminated path and plain numbers.
            checked(unsafe { libc::$name(path.as_ptr() $(, $arg)*) })
        }
    )* };
}

path_calls! {
    /// Makes a folder.
    mkdir(path, mode: u32);
    /// Removes an empty folder.
    rmdir(path);
    /// Removes a file.
    unlink(path);
    /// Goes to a folder.
    chdir(path);
    /// Changes permissions.
    chmod(path, mode: u32);
    /// Whether the path may be used so.
    access(path, mode: i32);
    /// Sets the length of a file.
    truncate(path, length: i64);
}

macro_rules! two_path_calls {
    ($($(#[$doc:meta])* $name:ident;)*) => { $(
        $(#[$doc])*
        pub fn $name(from: &CStr, to: &CStr) -> Sys {
            // SAFETY: two NUL-terminated paths.
            checked(unsafe { libc::$name(from.as_ptr(), to.as_ptr()) })
        }
    )* };
}

two_path_calls! {
    /// Gives a file another name.
    rename;
    /// Gives a file a further name.
    link;
    /// Makes a symbolic link.
    symlink;
}

/// The two ends of a new pipe; neither is inherited by programs that are started.
pub fn pipe() -> Sys<(i32, i32)> {
    pipe_with(libc::O_CLOEXEC)
}

/// The two ends of a new pipe, with these flags.
pub fn pipe_with(flags: i32) -> Sys<(i32, i32)> {
    let mut ends = [0; 2];
    // SAFETY: the kernel writes two numbers into the array.
    checked(unsafe { libc::pipe2(ends.as_mut_ptr(), flags) })?;
    Ok((ends[0], ends[1]))
}

/// Whether programs that are started inherit the descriptor.
pub fn inheritable(fd: i32) -> Sys<bool> {
    // SAFETY: plain numbers.
    checked(unsafe { libc::fcntl(fd, libc::F_GETFD) }).map(|flags| flags & i64::from(libc::FD_CLOEXEC) == 0)
}

/// See `inheritable`.
pub fn set_inheritable(fd: i32, inherit: bool) -> Sys<()> {
    // SAFETY: plain numbers.
    let flags = checked(unsafe { libc::fcntl(fd, libc::F_GETFD) })? as i32;
    let flags = if inherit { flags & !libc::FD_CLOEXEC } else { flags | libc::FD_CLOEXEC };
    // SAFETY: plain numbers.
    checked(unsafe { libc::fcntl(fd, libc::F_SETFD, flags) }).map(drop)
}

/// Whether reads and writes of the descriptor block.
pub fn blocking(fd: i32) -> Sys<bool> {
    // SAFETY: plain numbers.
    checked(unsafe { libc::fcntl(fd, libc::F_GETFL) }).map(|flags| flags & i64::from(libc::O_NONBLOCK) == 0)
}

/// See `blocking`.
pub fn set_blocking(fd: i32, block: bool) -> Sys<()> {
    // SAFETY: plain numbers.
    let flags = checked(unsafe { libc::fcntl(fd, libc::F_GETFL) })? as i32;
    let flags = if block { flags & !libc::O_NONBLOCK } else { flags | libc::O_NONBLOCK };
    // SAFETY: plain numbers.
    checked(unsafe { libc::fcntl(fd, libc::F_SETFL, flags) }).map(drop)
}

/// What the kernel knows of a file.
pub type Stat = libc::stat;

fn stat_with(call: impl FnOnce(*mut Stat) -> i32) -> Sys<Stat> {
    // SAFETY: a zeroed stat is a valid one.
    let mut found: Stat = unsafe { std::mem::zeroed() };
    checked(call(&mut found))?;
    Ok(found)
}

/// Of a path; of what a symbolic link leads to.
pub fn stat(path: &CStr) -> Sys<Stat> {
    // SAFETY: a NUL-terminated path, and room for a stat.
    stat_with(|found| unsafe { libc::stat(path.as_ptr(), found) })
}

/// Of a path; of a symbolic link itself.
pub fn lstat(path: &CStr) -> Sys<Stat> {
    // SAFETY: as above.
    stat_with(|found| unsafe { libc::lstat(path.as_ptr(), found) })
}

/// Of an open file.
pub fn fstat(fd: i32) -> Sys<Stat> {
    // SAFETY: room for a stat.
    stat_with(|found| unsafe { libc::fstat(fd, found) })
}

/// Sets the times of reading and change, in seconds and nanoseconds; `None`: now.
pub fn utimens(path: &CStr, times: Option<[(i64, i64); 2]>) -> Sys<()> {
    let times = times.map(|t| t.map(|(tv_sec, tv_nsec)| libc::timespec { tv_sec, tv_nsec }));
    let at = times.as_ref().map_or(std::ptr::null(), |t| t.as_ptr());
    // SAFETY: a NUL-terminated path, and null or two timespecs.
    checked(unsafe { libc::utimensat(libc::AT_FDCWD, path.as_ptr(), at, 0) }).map(drop)
}

/// Waits for a child; returns its number and status.
pub fn waitpid(pid: i32, options: i32) -> Sys<(i32, i32)> {
    let mut status = 0;
    // SAFETY: room for the status.
    let pid = checked(unsafe { libc::waitpid(pid, &mut status, options) })?;
    Ok((pid as i32, status))
}

/// As `waitpid`, and what the child has used.
pub fn wait4(pid: i32, options: i32) -> Sys<(i32, i32, libc::rusage)> {
    let mut status = 0;
    // SAFETY: zeros are valid; room for the status and for what was used.
    unsafe {
        let mut used: libc::rusage = std::mem::zeroed();
        let pid = checked(libc::wait4(pid, &mut status, options, &mut used))?;
        Ok((pid as i32, status, used))
    }
}

/// What has changed with a child: its number, its user, the signal for it, its status, and what happened. `None`: nothing.
pub fn waitid(which: i32, id: i32, options: i32) -> Sys<Option<[i32; 5]>> {
    // SAFETY: zeros are valid; the kernel fills in one that is about a child, or leaves it at zero.
    unsafe {
        let mut found: libc::siginfo_t = std::mem::zeroed();
        checked(libc::waitid(which as libc::idtype_t, id as libc::id_t, &mut found, options))?;
        let (pid, user) = (found.si_pid(), found.si_uid() as i32);
        Ok((pid != 0).then(|| [pid, user, found.si_signo, found.si_status(), found.si_code]))
    }
}

/// Where a symbolic link leads.
pub fn readlink(path: &CStr) -> Sys<Vec<u8>> {
    let path = std::path::Path::new(OsStr::from_bytes(path.to_bytes()));
    let found = std::fs::read_link(path).map_err(|e| e.raw_os_error().unwrap_or(libc::EIO))?;
    Ok(found.as_os_str().as_bytes().to_vec())
}

/// Names in a folder, without `.` and `..`.
pub fn listdir(path: &CStr) -> Sys<Vec<Vec<u8>>> {
    let errno = |e: std::io::Error| e.raw_os_error().unwrap_or(libc::EIO);
    let folder = std::path::Path::new(OsStr::from_bytes(path.to_bytes()));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(errno)? {
        names.push(entry.map_err(errno)?.file_name().as_bytes().to_vec());
    }
    Ok(names)
}

/// Random bytes of the system.
pub fn random(buffer: &mut [u8]) -> Sys<()> {
    let mut done = 0;
    while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
        // SAFETY: the kernel writes at most `len` bytes into a live buffer.
        let got = checked(unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) } as i64);
        match got {
            Ok(n) => done += n as usize,
            Err(libc::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Columns and lines of a terminal.
pub fn terminal_size(fd: i32) -> Sys<(u16, u16)> {
    // SAFETY: a zeroed winsize is valid, and the kernel writes one.
    let size = unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        checked(libc::ioctl(fd, libc::TIOCGWINSZ, &mut size))?;
        size
    };
    Ok((size.ws_col, size.ws_row))
}

/// Sets an environment variable. The caller makes sure that no other thread reads the environment meanwhile.
pub fn setenv(name: &CStr, value: &CStr) -> Sys<()> {
    // SAFETY: two NUL-terminated strings, which the C library copies. Mini reads the environment at start-up only, and
    // `setenv` is called with the world stopped.
    checked(unsafe { libc::setenv(name.as_ptr(), value.as_ptr(), 1) }).map(drop)
}

/// Removes an environment variable; see `setenv`.
pub fn unsetenv(name: &CStr) -> Sys<()> {
    // SAFETY: as `setenv`.
    checked(unsafe { libc::unsetenv(name.as_ptr()) }).map(drop)
}

/// What an error number means, in the system's words.
pub fn error_text(errno: i32) -> String {
    let mut buffer = [0 as libc::c_char; 256];
    // SAFETY: the C library writes at most `len` bytes, NUL included, into the buffer.
    let text = unsafe {
        libc::strerror_r(errno, buffer.as_mut_ptr(), buffer.len());
        CStr::from_ptr(buffer.as_ptr())
    };
    text.to_string_lossy().into_owned()
}

/// Runs a command line with the shell; returns its status.
pub fn system(command: &CStr) -> Sys {
    // SAFETY: a NUL-terminated string.
    checked(unsafe { libc::system(command.as_ptr()) })
}

/// Becomes another program; comes back only with an error number. `env`: instead of this process's environment.
pub fn exec(program: &CStr, argv: &[CString], env: Option<&[CString]>) -> i32 {
    let pointers = |texts: &[CString]| -> Vec<*const libc::c_char> {
        texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
    };
    let (argv, env) = (pointers(argv), env.map(pointers));
    // SAFETY: NUL-terminated texts in arrays that end with a null pointer; all live until the call returns.
    unsafe {
        match env {
            Some(env) => libc::execve(program.as_ptr(), argv.as_ptr(), env.as_ptr()),
            None => libc::execv(program.as_ptr(), argv.as_ptr()),
        }
    };
    last()
}

/// Ends the process at once.
#[inline(always)]
pub fn exit_now(code: i32) -> ! {
    // SAFETY: does not return, runs no handlers.
    unsafe { libc::_exit(code) }
}

/// One of the kernel's clocks, in nanoseconds.
pub fn clock(id: libc::clockid_t) -> Sys {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: room for a timespec.
    checked(unsafe { libc::clock_gettime(id, &mut t) })?;
    Ok(t.tv_sec * 1_000_000_000 + t.tv_nsec)
}

/// A calendar time and the name of its zone.
pub struct Calendar {
    pub tm: libc::tm,
    pub zone: String,
}

/// The calendar time of a moment, in the local zone or in UTC.
pub fn calendar(seconds: i64, local: bool) -> Sys<Calendar> {
    // SAFETY: a zeroed tm is valid; the functions fill it in; the zone is null or a string that the C library keeps.
    unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        let done =
            if local { libc::localtime_r(&seconds, &mut tm) } else { libc::gmtime_r(&seconds, &mut tm) };
        if done.is_null() {
            return Err(libc::EOVERFLOW);
        }
        let zone = if tm.tm_zone.is_null() { "" } else { CStr::from_ptr(tm.tm_zone).to_str().unwrap_or("") };
        Ok(Calendar { tm, zone: zone.to_owned() })
    }
}

/// The moment of a local calendar time.
pub fn moment(tm: &libc::tm) -> Sys {
    let mut tm = *tm;
    // What the C library leaves alone when it fails.
    tm.tm_wday = -1;
    // SAFETY: a valid tm; the zone pointer is not read.
    let seconds = unsafe { libc::mktime(&mut tm) };
    if seconds == -1 && tm.tm_wday == -1 { Err(libc::EOVERFLOW) } else { Ok(seconds) }
}

/// Formats a calendar time.
pub fn format_time(format: &str, at: &Calendar) -> Option<String> {
    let mut tm = at.tm;
    let zone = CString::new(at.zone.as_str()).ok()?;
    tm.tm_zone = zone.as_ptr();
    let format = CString::new(format).ok()?;
    if format.is_empty() {
        return Some(String::new());
    }
    let mut size = 256;
    while size <= 1 << 20 {
        let mut buffer = vec![0u8; size];
        // SAFETY: NUL-terminated format, live tm and zone, and a buffer of `size` bytes.
        let n = unsafe { libc::strftime(buffer.as_mut_ptr().cast(), size, format.as_ptr(), &tm) };
        if n > 0 {
            buffer.truncate(n);
            return Some(String::from_utf8_lossy(&buffer).into_owned());
        }
        size *= 4;
    }
    // A format like "%p" may rightly give nothing.
    Some(String::new())
}
