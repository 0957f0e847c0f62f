//! The native stack of the main thread: larger than the one the system gives it, and yet no second thread. A process that is
//! one thread of the system is copied and ended in less time, and the C library has nothing to lock and to mend when it forks.
//! `unsafe` is allowed here. Must not know what runs on it.

use std::ffi::c_void;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The lowest address and the one behind the highest; 0: there is none.
static BOUNDS: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];
/// The lowest page: who comes as far has overlooked the limit.
const GUARD: usize = 4096;

/// The stack's bounds, if `address` lies in it.
pub(super) fn around(address: usize) -> Option<(usize, usize)> {
    let [low, high] = BOUNDS.each_ref().map(|bound| bound.load(Ordering::Relaxed));
    (low..high).contains(&address).then_some((low + GUARD, high))
}

/// Calls `work` on a stack of `bytes`, committed as they are used. Errors: no address space is left, or the work panicked.
pub fn call_on<T, F: FnOnce() -> T>(bytes: usize, work: F) -> Result<T, String> {
    let prot = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE | libc::MAP_STACK;
    // SAFETY: a fresh anonymous mapping at an address the kernel chooses.
    let low = unsafe { libc::mmap(std::ptr::null_mut(), bytes, prot, flags, -1, 0) };
    if low == libc::MAP_FAILED {
        return Err(std::io::Error::last_os_error().to_string());
    }
    // SAFETY: the first page of the mapping just made.
    unsafe { libc::mprotect(low, GUARD, libc::PROT_NONE) };
    BOUNDS[0].store(low.addr(), Ordering::Relaxed);
    BOUNDS[1].store(low.addr() + bytes, Ordering::Relaxed);
    let mut job = Job { work: Some(work), result: None };
    // SAFETY: the end of the mapping, which is aligned to a page; `run` gets the job that it was made for, alive until it
    // returns.
    unsafe { switch(low.byte_add(bytes), run::<T, F>, (&raw mut job).cast()) };
    BOUNDS[1].store(0, Ordering::Relaxed);
    // SAFETY: our mapping, which nobody stands on any more.
    unsafe { libc::munmap(low, bytes) };
    job.result.ok_or_else(|| "it panicked".to_owned())
}

struct Job<T, F> {
    work: Option<F>,
    result: Option<T>,
}

/// `job` is a `Job<T, F>`.
extern "C" fn run<T, F: FnOnce() -> T>(job: *mut c_void) {
    // SAFETY: see `call_on`, which waits for us to return before it looks at it.
    let job = unsafe { &mut *job.cast::<Job<T, F>>() };
    // Nobody could unwind any further than to the beginning of this stack.
    job.result = job.work.take().and_then(|work| panic::catch_unwind(AssertUnwindSafe(work)).ok());
}

/// Calls `f(job)` on the stack that ends at `top`. Whoever lists the frames finds no caller there: the last stands on
/// another stack.
///
/// # Safety
/// `top` is aligned to 16 bytes and ends memory that nobody else uses; `f` may be called with `job`.
#[cfg(target_arch = "x86_64")]
unsafe fn switch(top: *mut c_void, f: extern "C" fn(*mut c_void), job: *mut c_void) {
    // SAFETY: the caller's; the callee leaves r12 as it is, which so brings the old stack back.
    unsafe {
        std::arch::asm!(
            ".cfi_remember_state", ".cfi_undefined rip",
            "mov r12, rsp", "mov rsp, {top}", "call {f}", "mov rsp, r12",
            ".cfi_restore_state",
            top = in(reg) top, f = in(reg) f, in("rdi") job, out("r12") _, clobber_abi("C")
        );
    }
}

/// See above.
///
/// # Safety
/// See above.
#[cfg(target_arch = "aarch64")]
unsafe fn switch(top: *mut c_void, f: extern "C" fn(*mut c_void), job: *mut c_void) {
    // SAFETY: the caller's; the callee leaves x20 as it is, which so brings the old stack back.
    unsafe {
        std::arch::asm!(
            ".cfi_remember_state", ".cfi_undefined x30",
            "mov x20, sp", "mov sp, {top}", "blr {f}", "mov sp, x20",
            ".cfi_restore_state",
            top = in(reg) top, f = in(reg) f, in("x0") job, out("x20") _, clobber_abi("C")
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vm::stack;

    #[test]
    fn work_runs_within_the_bounds_and_its_result_comes_back() {
        let outside = stack::pointer();
        let seen = call_on(1 << 20, || (stack::pointer(), stack::bounds(), "done".to_owned()));
        let Ok((inside, Ok((low, high)), text)) = seen else { panic!("no stack") };
        assert!((low..high).contains(&inside) && !(low..high).contains(&outside));
        assert_eq!((high - low, text.as_str()), ((1 << 20) - GUARD, "done"));
        assert_eq!(around(inside), None);
    }
}
