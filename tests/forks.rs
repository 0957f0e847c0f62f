//! Forks while other threads compute, allocate, collect, print, hold locks, wait, block, change classes, start threads or sit
//! in an event loop: every child works, and nothing hangs. Thirty of each kind; MINI_FORKS makes it another number, and CI
//! has a thousand of each on the optimised binary.

mod support;

use std::time::Duration;
use support::{mini_command, root, run};

/// Far more than any run needs: only a hang gets here.
const LIMIT: Duration = Duration::from_secs(300);

fn forks_beside(kind: &str) {
    let count = std::env::var("MINI_FORKS").unwrap_or_else(|_| "30".into());
    for gil in ["off", "time:5ms"] {
        let mut command = mini_command(Some(gil));
        command.arg(root().join("tests/forks.mini")).args([kind, &count]);
        let finished = run(command, b"", LIMIT);
        let end = if finished.status.is_none() { "hung" } else { "ended" };
        let errors = &finished.stderr;
        assert_eq!(finished.stdout, "ok\n", "{kind} --gil {gil} {end} with {}: {errors}", finished.code());
        assert_eq!(finished.code(), 0, "{kind} --gil {gil}: {errors}");
    }
}

macro_rules! kinds {
    ($($name:ident: $kind:literal),* $(,)?) => {
        $(#[test] fn $name() { forks_beside($kind); })*
    };
}

kinds! {
    threads_that_compute: "compute",
    threads_that_allocate: "allocate",
    threads_that_collect: "collect",
    threads_that_print: "write",
    threads_that_hold_locks: "locks",
    threads_that_wait_for_news: "conditions",
    threads_that_block_in_a_call: "block",
    threads_that_change_classes: "classes",
    threads_that_start_threads: "threads",
    threads_that_select: "selectors",
    threads_that_poll: "epoll",
    threads_that_run_an_event_loop: "asyncio",
}
