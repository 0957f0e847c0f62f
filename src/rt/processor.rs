//! Where a new thread or process begins. A kernel puts it on the processor that has been least loaded lately, which may be
//! one where another has only just begun; it then takes several milliseconds to notice that the maker, who went to sleep in
//! `join`, left a processor free. So with every processor taken the new one begins on its maker's, and is free to go from its
//! first instruction on. Must not know what it will do.

use std::mem::{size_of, zeroed};

/// The processors that a thread may use.
#[derive(Clone, Copy)]
pub struct Processors(libc::cpu_set_t);

impl Processors {
    /// This thread's own.
    fn allowed() -> Option<Processors> {
        Processors::of(0).ok()
    }

    /// Those of a process or thread; of this thread for 0. Errors: the error number.
    pub fn of(id: i32) -> Result<Processors, i32> {
        // SAFETY: all zeroes is a set without processors; the kernel fills what it is given the size of.
        unsafe {
            let mut set: libc::cpu_set_t = zeroed();
            match libc::sched_getaffinity(id, size_of::<libc::cpu_set_t>(), &raw mut set) {
                0 => Ok(Processors(set)),
                _ => Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)),
            }
        }
    }

    /// Processors by their numbers. `None`: there can be no such processor.
    pub fn from_numbers(numbers: &[i64]) -> Option<Processors> {
        // SAFETY: all zeroes is a set without processors; CPU_SET wants a number below the set's size.
        unsafe {
            let mut set: libc::cpu_set_t = zeroed();
            for number in numbers {
                let number =
                    usize::try_from(*number).ok().filter(|n| *n < 8 * size_of::<libc::cpu_set_t>())?;
                libc::CPU_SET(number, &mut set);
            }
            Some(Processors(set))
        }
    }

    /// Lets a process or thread use these; this thread for 0. Errors: the error number.
    pub fn assign(&self, id: i32) -> Result<(), i32> {
        // SAFETY: reads the set.
        match unsafe { libc::sched_setaffinity(id, size_of::<libc::cpu_set_t>(), &raw const self.0) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)),
        }
    }

    /// Their numbers, in order.
    pub fn numbers(&self) -> Vec<i64> {
        // SAFETY: reads the set; CPU_ISSET wants a number below the set's size.
        let has = |cpu: &usize| unsafe { libc::CPU_ISSET(*cpu, &self.0) };
        (0..8 * size_of::<libc::cpu_set_t>()).filter(has).map(|cpu| cpu as i64).collect()
    }

    fn count(&self) -> usize {
        // SAFETY: reads the set.
        usize::try_from(unsafe { libc::CPU_COUNT(&self.0) }).unwrap_or(0)
    }

    /// Lets this thread use these. Failure changes nothing, and matters little.
    pub fn apply(&self) {
        let _ = self.assign(0);
    }

    /// The one that this thread is on.
    fn current() -> Option<Processors> {
        // SAFETY: all zeroes is a set without processors; CPU_SET wants a number below the set's size.
        unsafe {
            let here = usize::try_from(libc::sched_getcpu()).ok()?;
            let mut set: libc::cpu_set_t = zeroed();
            (here < 8 * size_of::<libc::cpu_set_t>()).then(|| libc::CPU_SET(here, &mut set))?;
            Some(Processors(set))
        }
    }
}

/// Makes threads and processes begin here until `apply` of what this returns, if `busy` of them take every processor; the new
/// one has to apply it too.
pub fn stay_if_full(busy: usize) -> Option<Processors> {
    if busy < 2 {
        return None;
    }
    let allowed = Processors::allowed().filter(|set| set.count() == busy)?;
    Processors::current()?.apply();
    Some(allowed)
}
