//! Where bytes for standard output and standard error go: to their descriptors, unless a prompt keeps the terminal.
//! Must not know how a prompt looks.

use super::syscall::{self, Sys};
use std::sync::OnceLock;

/// Somebody who shares the terminal with running threads: an editor of lines.
pub trait Screen: Sync {
    /// A thread writes to standard output or standard error (it is detached). As the system call `write`.
    fn write(&self, fd: i32, bytes: &[u8]) -> Sys<usize>;
    /// A thread has read a line from the terminal: the cursor stands at the left edge.
    fn line_was_read(&self);
}

static SCREEN: OnceLock<&'static dyn Screen> = OnceLock::new();

/// From now on the screen is asked. Only the first call counts.
pub fn share(screen: &'static dyn Screen) {
    // A second prompt in one process cannot be.
    let _ = SCREEN.set(screen);
}

/// The system call `write`, past the screen if it concerns the terminal.
pub fn write(fd: i32, bytes: &[u8]) -> Sys<usize> {
    match SCREEN.get() {
        Some(screen) if fd == 1 || fd == 2 => screen.write(fd, bytes),
        _ => syscall::write(fd, bytes),
    }
}

/// The system call `read`; the screen is told if it concerns the terminal.
pub fn read(fd: i32, buffer: &mut [u8]) -> Sys<usize> {
    let got = syscall::read(fd, buffer);
    if let (0, Some(screen)) = (fd, SCREEN.get()) {
        screen.line_was_read();
    }
    got
}
