//! Which threads run modules that are being imported, and which threads wait for them: a second importer must not see a module
//! half-made. Must not know how a module is found or run.

use crate::gil::{self, park};
use crate::object::{R, Value};
use crate::vm::thread::Thread;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Members and modules that are being run.
pub struct Importers {
    /// Module, and the member that runs it.
    running: Vec<(u64, u64)>,
    /// Member, and the module it waits for.
    waiting: Vec<(u64, u64)>,
}

static ALL: Mutex<Importers> = Mutex::new(Importers { running: Vec::new(), waiting: Vec::new() });

/// All of them, for a moment.
pub fn lock() -> MutexGuard<'static, Importers> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Importers {
    /// From now on a member runs a module.
    pub fn begin(&mut self, module: Value, member: u64) {
        self.running.push((module.bits(), member));
    }

    /// Who runs a module. In a forked child that may be a thread that is gone: then nobody does.
    fn owner(&self, module: u64) -> Option<u64> {
        let (_, owner) = self.running.iter().find(|(m, _)| *m == module)?;
        let mut lives = false;
        gil::for_each_member(|member| lives |= member.id() == *owner);
        lives.then_some(*owner)
    }

    /// Whether a member is to wait for a module: another runs it, and does not itself wait, over others or not, for what
    /// this one runs.
    fn must_wait(&self, module: u64, member: u64) -> bool {
        let Some(mut at) = self.owner(module) else { return false };
        for _ in 0..=self.waiting.len() {
            if at == member {
                return false;
            }
            let awaited = self.waiting.iter().find(|(who, _)| *who == at);
            match awaited.and_then(|(_, module)| self.owner(*module)) {
                Some(next) => at = next,
                None => break,
            }
        }
        true
    }
}

/// A module has been run, or failed: whoever waits for it goes on.
pub fn end(module: Value) {
    lock().running.retain(|(m, _)| *m != module.bits());
    park::wake(module.addr(), usize::MAX);
}

/// Whether the module's text has not been run to its end.
pub fn is_running(module: Value) -> bool {
    lock().running.iter().any(|(m, _)| *m == module.bits())
}

/// Waits until a module that another thread is running is complete. Threads that import each other's modules do not wait, as
/// in CPython.
pub fn wait_until_complete(th: &mut Thread, module: Value) -> R<()> {
    let me = th.m.member.id();
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        {
            let mut all = lock();
            if !all.must_wait(module.bits(), me) || Instant::now() > deadline {
                return Ok(());
            }
            all.waiting.push((me, module.bits()));
        }
        let until = Instant::now() + Duration::from_millis(50);
        th.waiting(|member| park::wait_on(member, module.addr(), || is_running(module), Some(until)));
        lock().waiting.retain(|(who, _)| *who != me);
        th.check_signals()?;
    }
}
