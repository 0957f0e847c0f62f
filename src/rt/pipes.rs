//! The door to the kernel for what processes tell each other: pipes, whole writes of two pieces, memory files,
//! children by descriptor. `unsafe` is allowed here. As `syscall.rs`: error numbers, no value, may block.

use super::syscall::{Sys, checked};
use crate::gil;
use std::sync::atomic::{AtomicU32, Ordering};

/// Writes the rest of some pieces from byte `done` on; returns how many bytes were taken.
pub fn write_pieces<const N: usize>(fd: i32, pieces: [&[u8]; N], mut done: usize) -> Sys<usize> {
    let parts = pieces.map(|piece| {
        let left = piece.get(done..).unwrap_or(&[]);
        done = done.saturating_sub(piece.len());
        libc::iovec { iov_base: left.as_ptr().cast_mut().cast(), iov_len: left.len() }
    });
    // SAFETY: live pieces, which the kernel only reads.
    checked(unsafe { libc::writev(fd, parts.as_ptr(), N as i32) } as i64).map(|n| n as usize)
}

/// Reads what is there already; `None`: nothing is.
pub fn read_now(fd: i32, buffer: &mut [u8]) -> Sys<Option<usize>> {
    read_parts(fd, &[part(buffer)], libc::RWF_NOWAIT)
}

/// Reads into a buffer, and then into a word of memory that processes share, so many `times`, each over the last: one system
/// call, so that whoever is killed has read all of what was there or nothing. With `now` only what is there already; `None`:
/// nothing is.
pub fn read_and_word(
    fd: i32,
    buffer: &mut [u8],
    (word, times): (&AtomicU32, usize),
    now: bool,
) -> Sys<Option<usize>> {
    let into_word = libc::iovec { iov_base: word.as_ptr().cast(), iov_len: size_of::<u32>() };
    let parts = [part(buffer), into_word, into_word];
    let parts = parts.get(..=times).unwrap_or(&parts);
    read_parts(fd, parts, if now { libc::RWF_NOWAIT } else { 0 })
}

fn part(buffer: &mut [u8]) -> libc::iovec {
    libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() }
}

fn read_parts(fd: i32, parts: &[libc::iovec], flags: i32) -> Sys<Option<usize>> {
    // SAFETY: the kernel writes into the parts at most: a live buffer that only the caller has, and a word that is atomic.
    match checked(unsafe { libc::preadv2(fd, parts.as_ptr(), parts.len() as i32, -1, flags) } as i64) {
        Ok(n) => Ok(Some(n as usize)),
        // Nothing there, interrupted, or a file that cannot be asked so.
        Err(libc::EAGAIN | libc::EINTR | libc::EOPNOTSUPP | libc::ESPIPE) if flags != 0 => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// What a process answers on another processor comes before this one would have gone to sleep: `None`, better go to sleep.
pub fn soon<T>(ask: impl FnMut() -> Option<T>) -> Option<T> {
    static LUCK: gil::Luck = gil::Luck::new();
    LUCK.soon(ask)
}

/// A descriptor that can be read once the process has ended.
pub fn process(pid: i32) -> Sys<i32> {
    // SAFETY: plain numbers.
    checked(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) }).map(|fd| fd as i32)
}

/// Waits until a child has ended, and leaves it to be asked for its status.
pub fn wait_for_end(pid: i32) -> Sys<()> {
    // SAFETY: a zeroed siginfo is valid, and the kernel writes one.
    let done = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        libc::waitid(libc::P_PID, pid as libc::id_t, &mut info, libc::WEXITED | libc::WNOWAIT)
    };
    checked(i64::from(done)).map(drop)
}

/// A file without a name, in memory, of so many zeros.
pub fn memory_file(len: usize) -> Sys<i32> {
    // SAFETY: a NUL-terminated name, which is for people only.
    let fd = checked(i64::from(unsafe { libc::memfd_create(c"mini".as_ptr(), libc::MFD_CLOEXEC) }))? as i32;
    super::syscall::ftruncate(fd, len as i64).map(|_| fd).inspect_err(|_| {
        let _ = super::syscall::close(fd);
    })
}

/// What a descriptor's pipe holds, in bytes, before writers have to wait; best effort.
pub fn widen(fd: i32, bytes: i32) {
    // SAFETY: plain numbers; the system may refuse, and then it stays as it was.
    unsafe { libc::fcntl(fd, libc::F_SETPIPE_SZ, bytes) };
}

/// Whether a process runs: no if it is gone, or only its status is left.
pub fn runs(pid: i32) -> bool {
    // SAFETY: signal 0 only asks.
    if unsafe { libc::kill(pid, 0) } == -1 {
        return std::io::Error::last_os_error().raw_os_error() == Some(libc::EPERM);
    }
    let Ok(text) = std::fs::read_to_string(format!("/proc/{pid}/stat")) else { return true };
    // Behind the name, which may hold anything, and its bracket.
    let state = text.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    !matches!(state, Some('Z' | 'X'))
}

/// This process's number, once somebody has asked.
static OWN: AtomicU32 = AtomicU32::new(0);

/// The number of this process, without asking the kernel each time.
pub fn own_number() -> u32 {
    match OWN.load(Ordering::Relaxed) {
        0 => {
            let number = std::process::id();
            OWN.store(number, Ordering::Relaxed);
            number
        }
        known => known,
    }
}

/// In a forked child: it has a number of its own.
pub(super) fn after_fork_child() {
    if OWN.load(Ordering::Relaxed) != 0 {
        OWN.store(0, Ordering::Relaxed);
    }
}
