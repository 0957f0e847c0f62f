//! The door to the kernel for what is asked of open descriptors (fcntl, ioctl, locks), and for what a process may use and has
//! used of the machine. `unsafe` is allowed here.
//! As `syscall.rs`: error numbers, no value, may block.

use super::syscall::{Sys, checked};

/// fcntl with a number.
pub fn fcntl(fd: i32, command: i32, argument: i32) -> Sys {
    // SAFETY: a number; commands that take a pointer instead refuse those that lead nowhere.
    checked(unsafe { libc::fcntl(fd, command, libc::c_long::from(argument)) })
}

/// fcntl with a struct, which the kernel may write to. The buffer must be as large as that of any command.
pub fn fcntl_struct(fd: i32, command: i32, argument: &mut [u8; 1024]) -> Sys {
    // SAFETY: no command's struct is as large as the buffer.
    checked(unsafe { libc::fcntl(fd, command, argument.as_mut_ptr()) })
}

/// ioctl with a number.
pub fn ioctl(fd: i32, request: u64, argument: i32) -> Sys {
    // SAFETY: as `fcntl`.
    checked(unsafe { libc::ioctl(fd, request, libc::c_long::from(argument)) })
}

/// ioctl with a struct, which the kernel may write to. The buffer must be as large as the request's struct can be; the
/// number of a request says how large that is, in 14 bits, or it is an old and small one.
pub fn ioctl_struct(fd: i32, request: u64, argument: &mut [u8]) -> Sys {
    if argument.len() < 1 << 14 {
        return Err(libc::EINVAL);
    }
    // SAFETY: see above.
    checked(unsafe { libc::ioctl(fd, request, argument.as_mut_ptr()) })
}

/// Locks a file, as a whole and for the open file.
pub fn flock(fd: i32, operation: i32) -> Sys {
    // SAFETY: plain numbers.
    checked(unsafe { libc::flock(fd, operation) })
}

/// Locks a part of a file for this process; `kind`: F_RDLCK, F_WRLCK or F_UNLCK.
pub fn lock_part(fd: i32, wait: bool, kind: i32, start: i64, len: i64, whence: i32) -> Sys {
    let part = libc::flock {
        l_type: kind as libc::c_short,
        l_whence: whence as libc::c_short,
        l_start: start,
        l_len: len,
        l_pid: 0,
    };
    // SAFETY: a live struct, which the kernel reads.
    checked(unsafe { libc::fcntl(fd, if wait { libc::F_SETLKW } else { libc::F_SETLK }, &raw const part) })
}

/// What a resource may be used up to: now, and at most.
pub fn limit(resource: i32) -> Sys<(u64, u64)> {
    let mut found = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: room for a limit; the call is one that takes the resource as a plain number.
    checked(unsafe { libc::syscall(libc::SYS_getrlimit, resource, &raw mut found) })?;
    Ok((found.rlim_cur, found.rlim_max))
}

/// Sets a limit.
pub fn set_limit(resource: i32, (now, most): (u64, u64)) -> Sys {
    let wanted = libc::rlimit { rlim_cur: now, rlim_max: most };
    // SAFETY: as above; the kernel reads it.
    checked(unsafe { libc::syscall(libc::SYS_setrlimit, resource, &raw const wanted) })
}

/// What was used of the machine, by this process, its children, or this thread.
pub fn usage(who: i32) -> Sys<libc::rusage> {
    // SAFETY: zeros are valid, and the kernel writes one.
    unsafe {
        let mut found: libc::rusage = std::mem::zeroed();
        checked(libc::getrusage(who, &mut found))?;
        Ok(found)
    }
}

/// How many threads were ready to run, on average over the last 1, 5 and 15 minutes.
pub fn load_average() -> Option<[f64; 3]> {
    let mut loads = [0.0; 3];
    // SAFETY: room for three numbers.
    (unsafe { libc::getloadavg(loads.as_mut_ptr(), 3) } == 3).then_some(loads)
}

/// Makes this process give way more (or less) by `by`; what its niceness is now.
pub fn nice(by: i32) -> Sys {
    // SAFETY: plain numbers. The old niceness may be -1, too: only the error number tells.
    unsafe {
        *libc::__errno_location() = 0;
        let now = libc::nice(by);
        match *libc::__errno_location() {
            errno if now == -1 && errno != 0 => Err(errno),
            _ => Ok(now.into()),
        }
    }
}
