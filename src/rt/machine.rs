//! The door to the kernel for what a program asks of the machine and seldom needs: what it is, its limits, its file
//! systems, priorities; reading and writing at a place. `unsafe` is allowed here.
//! As `syscall.rs`: error numbers, no value, may block.

use super::syscall::{Sys, checked, last};
use std::ffi::CStr;
use std::os::raw::{c_char, c_int};

/// Of a call whose result may be -1 as well: only the error number tells.
fn told_by_errno(call: impl FnOnce() -> i64) -> Sys {
    // SAFETY: this thread's own error number.
    unsafe { *libc::__errno_location() = 0 };
    match call() {
        -1 if last() != 0 => Err(last()),
        result => Ok(result),
    }
}

/// System, name of the machine, release, version, hardware.
pub fn uname() -> Sys<[String; 5]> {
    // SAFETY: zeros are valid, and the kernel fills every field with text that ends in NUL.
    let found = unsafe {
        let mut found: libc::utsname = std::mem::zeroed();
        checked(libc::uname(&raw mut found))?;
        found
    };
    let text = |field: &[c_char]| {
        // SAFETY: the field is alive, and has its NUL (see above).
        unsafe { CStr::from_ptr(field.as_ptr()) }.to_string_lossy().into_owned()
    };
    Ok([
        text(&found.sysname),
        text(&found.nodename),
        text(&found.release),
        text(&found.version),
        text(&found.machine),
    ])
}

/// A limit or property of the system; -1: there is no such limit.
pub fn sysconf(name: c_int) -> Sys {
    // SAFETY: a plain number; an unknown one is an error.
    told_by_errno(|| unsafe { libc::sysconf(name) })
}

/// How much a process, group or user gives way; `which`: PRIO_PROCESS, PRIO_PGRP or PRIO_USER.
pub fn priority(which: c_int, who: u32) -> Sys {
    // SAFETY: plain numbers.
    told_by_errno(|| unsafe { libc::getpriority(which as libc::__priority_which_t, who) }.into())
}

/// Sets it.
pub fn set_priority(which: c_int, who: u32, priority: c_int) -> Sys {
    // SAFETY: plain numbers.
    checked(unsafe { libc::setpriority(which as libc::__priority_which_t, who, priority) })
}

/// What is known of the file system that a path is on.
pub fn file_system(path: &CStr) -> Sys<libc::statvfs> {
    // SAFETY: a NUL-terminated path; zeros are valid, and the kernel writes one.
    unsafe {
        let mut found: libc::statvfs = std::mem::zeroed();
        checked(libc::statvfs(path.as_ptr(), &raw mut found)).map(|_| found)
    }
}

/// The same of an open file.
pub fn file_system_of(fd: i32) -> Sys<libc::statvfs> {
    // SAFETY: as above.
    unsafe {
        let mut found: libc::statvfs = std::mem::zeroed();
        checked(libc::fstatvfs(fd, &raw mut found)).map(|_| found)
    }
}

/// Makes a named pipe.
pub fn named_pipe(path: &CStr, mode: u32) -> Sys {
    // SAFETY: a NUL-terminated path.
    checked(unsafe { libc::mkfifo(path.as_ptr(), mode) })
}

/// Reads from a place; the descriptor's own stays. Returns how many bytes.
pub fn read_at(fd: i32, buffer: &mut [u8], at: i64) -> Sys<usize> {
    // SAFETY: the kernel writes at most `len` bytes into a live buffer; a bad descriptor is an error.
    checked(unsafe { libc::pread(fd, buffer.as_mut_ptr().cast(), buffer.len(), at) } as i64)
        .map(|n| n as usize)
}

/// Writes to a place; the descriptor's own stays. Returns how many bytes were taken.
pub fn write_at(fd: i32, bytes: &[u8], at: i64) -> Sys<usize> {
    // SAFETY: the kernel reads at most `len` bytes of a live buffer; a bad descriptor is an error.
    checked(unsafe { libc::pwrite(fd, bytes.as_ptr().cast(), bytes.len(), at) } as i64).map(|n| n as usize)
}

/// The further groups of this process.
pub fn groups() -> Sys<Vec<libc::gid_t>> {
    // SAFETY: with no room at all, the call says how much it wants.
    let count = checked(unsafe { libc::getgroups(0, std::ptr::null_mut()) })?;
    let mut found = vec![0; count as usize];
    // SAFETY: room for `count`.
    let count = checked(unsafe { libc::getgroups(found.len() as c_int, found.as_mut_ptr()) })?;
    found.truncate(count as usize);
    Ok(found)
}

/// How fine a clock is, in nanoseconds.
pub fn clock_resolution(clock: libc::clockid_t) -> Sys {
    let mut found = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: room for a time; an unknown clock is an error.
    checked(unsafe { libc::clock_getres(clock, &raw mut found) })?;
    Ok(found.tv_sec * 1_000_000_000 + found.tv_nsec)
}
