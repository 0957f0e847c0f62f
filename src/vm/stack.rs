//! Memory for registers, and the native stack pointer with callee-saved registers spilled above it.
//! Must not know frames.

use super::main_stack;
use std::sync::{Mutex, PoisonError};

/// A reservation of words with a guard page behind it; pages are committed as they are touched.
pub struct Registers {
    start: *mut u64,
    bytes: usize,
}

// SAFETY: the memory belongs to whoever has the value; nothing in it is bound to a thread.
unsafe impl Send for Registers {}

const GUARD: usize = 4096;
/// Registers of ended threads, for the next ones: making a mapping takes longer than starting a thread does otherwise.
static SPARE: Mutex<Vec<Registers>> = Mutex::new(Vec::new());
const MOST_SPARE: usize = 16;
/// Of a spare mapping so much stays committed.
const KEPT: usize = 64 << 10;

/// Holds the list of spare registers across a fork: a thread that begins or ends takes it without permission.
pub fn lock_for_fork() -> impl Sized {
    SPARE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Registers {
    /// Reserves room for `words` registers. Errors: the system has no address space left.
    pub fn reserve(words: usize) -> Result<Registers, String> {
        let bytes = words * 8 + GUARD;
        match Registers::spare(bytes) {
            Some(registers) => Ok(registers),
            None => Registers::map(bytes),
        }
    }

    /// A mapping that an ended thread has left.
    fn spare(bytes: usize) -> Option<Registers> {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        let at = spare.iter().rposition(|r| r.bytes == bytes)?;
        let registers = spare.swap_remove(at);
        // A walk over frames ends at a link of zeros.
        // SAFETY: a mapping of more than 64 words that nobody else has.
        unsafe { registers.start.write_bytes(0, 64) };
        Some(registers)
    }

    fn map(bytes: usize) -> Result<Registers, String> {
        let prot = libc::PROT_READ | libc::PROT_WRITE;
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
        // SAFETY: a fresh anonymous mapping at an address the kernel chooses.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), bytes, prot, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(format!(
                "cannot reserve {bytes} bytes for registers: {}",
                std::io::Error::last_os_error()
            ));
        }
        // SAFETY: the last page of the mapping just made.
        unsafe { libc::mprotect(start.byte_add(bytes - GUARD), GUARD, libc::PROT_NONE) };
        Ok(Registers { start: start.cast(), bytes })
    }

    /// The first register.
    pub fn bottom(&self) -> *mut u64 {
        self.start
    }

    /// Behind the last register.
    pub fn top(&self) -> *mut u64 {
        self.start.wrapping_byte_add(self.bytes - GUARD)
    }
}

impl Drop for Registers {
    fn drop(&mut self) {
        let mut spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < MOST_SPARE && self.bytes > KEPT + GUARD {
            // SAFETY: the part of our mapping between what is kept and the guard page; the thread that used it has ended.
            unsafe {
                let rest = self.start.byte_add(KEPT).cast();
                libc::madvise(rest, self.bytes - KEPT - GUARD, libc::MADV_DONTNEED);
            }
            spare.push(Registers { start: self.start, bytes: self.bytes });
            return;
        }
        // SAFETY: the mapping of `map`; the thread that used it has ended.
        unsafe { libc::munmap(self.start.cast(), self.bytes) };
    }
}

/// The lowest and the highest address of the calling thread's native stack. Errors: the system does not say.
pub fn bounds() -> Result<(usize, usize), String> {
    if let Some(bounds) = main_stack::around(pointer()) {
        return Ok(bounds);
    }
    let mut attributes = std::mem::MaybeUninit::uninit();
    let (mut lowest, mut bytes) = (std::ptr::null_mut(), 0);
    // SAFETY: the first call fills the attributes or fails; then they are only read, and destroyed once.
    let status = unsafe {
        match libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) {
            0 => {
                let status = libc::pthread_attr_getstack(attributes.as_ptr(), &mut lowest, &mut bytes);
                libc::pthread_attr_destroy(attributes.as_mut_ptr());
                status
            }
            status => status,
        }
    };
    match status {
        0 => Ok((lowest.addr(), (lowest.addr() + bytes) & !7)),
        error => {
            let reason = std::io::Error::from_raw_os_error(error);
            Err(format!("cannot find the thread's stack: {reason}"))
        }
    }
}

/// Overwrites what calls that are over have left below the stack pointer: frames to come have holes that a collector
/// would take for values.
#[inline(never)]
pub fn wipe() {
    // A variable: a reference to the constant itself would be one to static memory.
    let mut zeros = [0u64; 8 << 10];
    std::hint::black_box(&mut zeros);
}

/// About where the native stack pointer is.
#[inline(always)]
pub fn pointer() -> usize {
    let here = 0u8;
    (&raw const here).addr()
}

/// Calls `f` with a stack pointer above which every callee-saved register has been written, so that a collector that
/// scans from there sees each value that the callers hold.
#[inline(never)]
pub fn with_spilled<T>(f: impl FnOnce(usize) -> T) -> T {
    let mut saved = [0u64; 12];
    spill(&mut saved);
    let result = f((&raw const saved).addr());
    std::hint::black_box(&saved);
    result
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn spill(saved: &mut [u64; 12]) {
    // SAFETY: writes six registers into an array of twelve words.
    unsafe {
        std::arch::asm!(
            "mov [{p}], rbx", "mov [{p} + 8], rbp", "mov [{p} + 16], r12",
            "mov [{p} + 24], r13", "mov [{p} + 32], r14", "mov [{p} + 40], r15",
            p = in(reg) saved.as_mut_ptr(), options(nostack, preserves_flags)
        );
    }
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn spill(saved: &mut [u64; 12]) {
    // SAFETY: writes eleven registers into an array of twelve words.
    unsafe {
        std::arch::asm!(
            "stp x19, x20, [{p}]", "stp x21, x22, [{p}, #16]", "stp x23, x24, [{p}, #32]",
            "stp x25, x26, [{p}, #48]", "stp x27, x28, [{p}, #64]", "str x29, [{p}, #80]",
            p = in(reg) saved.as_mut_ptr(), options(nostack, preserves_flags)
        );
    }
}
