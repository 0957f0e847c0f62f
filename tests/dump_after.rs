//! `--dump-after`: once, after a while, every thread's stack, who holds the GIL and who waits for what; and the program goes on.

mod support;

use std::time::Duration;
use support::{Finished, POLICIES, mini_command, run};

fn dumped(gil: &str, script: &str) -> Finished {
    let mut command = mini_command(Some(gil));
    command.args(["--dump-after", "1", "-c", script]);
    run(command, b"", Duration::from_secs(60))
}

#[test]
fn it_says_who_waits_for_what_and_goes_on() {
    let script = "\
import os, threading, time
lock = threading.Lock()
taken = threading.Event()
def holder():
    with lock:
        taken.set()
        time.sleep(4)
def waiter():
    lock.acquire()
one = threading.Thread(target=holder, name='holder')
two = threading.Thread(target=waiter, name='waiter')
one.start()
taken.wait()
two.start()
two.join()
print('done')
";
    for gil in POLICIES {
        let finished = dumped(gil, script);
        assert_eq!((finished.code(), &*finished.stdout), (0, "done\n"), "--gil {gil}: {}", finished.stderr);
        let mut lines = finished.stderr.lines().map(str::trim);
        assert!(lines.next().unwrap().starts_with("mini: after 1 s, GIL policy "), "{}", finished.stderr);
        for wanted in [
            "thread \"MainThread\" waits for the end of thread \"waiter\"",
            "File \"<string>\", line 15, in <module>",
            "thread \"holder\" is blocked in a call, or sleeps",
            "File \"<string>\", line 7, in holder",
            "thread \"waiter\" waits for lock, held by thread \"holder\", which took it at line 5 of <string>",
            "File \"<string>\", line 9, in waiter",
        ] {
            // In this order; frames of the library may stand between.
            assert!(lines.any(|line| line == wanted), "--gil {gil}: {wanted} in\n{}", finished.stderr);
        }
    }
}

#[test]
fn it_says_who_holds_the_gil() {
    let script = "\
import threading, time
def work():
    end = time.monotonic() + 3
    while time.monotonic() < end:
        pass
threads = [threading.Thread(target=work, name=f'worker {i}') for i in range(2)]
for t in threads:
    t.start()
for t in threads:
    t.join()
";
    let finished = dumped("time:5ms", script);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    for wanted in
        ["holds the GIL", "waits for the GIL", "in work", "waits for the end of thread \"worker 0\""]
    {
        assert_eq!(
            finished.stderr.matches(wanted).count(),
            if wanted == "in work" { 2 } else { 1 },
            "{}",
            finished.stderr
        );
    }
    let finished = dumped("off", script);
    assert_eq!(finished.stderr.matches("\" runs\n").count(), 2, "{}", finished.stderr);
}

/// A program that ends before is not held up, and one that only computes is looked at as well.
#[test]
fn a_program_with_one_thread() {
    for gil in ["off", "time:5ms"] {
        let finished = dumped(gil, "print(1)");
        assert_eq!((finished.code(), &*finished.stdout, &*finished.stderr), (0, "1\n", ""));
        let finished = dumped(
            gil,
            "import time\nend = time.monotonic() + 2.5\nwhile time.monotonic() < end: pass\nprint(2)",
        );
        assert_eq!((finished.code(), &*finished.stdout), (0, "2\n"), "{}", finished.stderr);
        assert!(finished.stderr.contains("line 3, in <module>"), "{}", finished.stderr);
    }
}

#[test]
fn wrong_times_are_refused() {
    for wrong in ["", "x", "-1", "nan", "inf", "1e300"] {
        let mut command = mini_command(None);
        command.args(["--dump-after", wrong, "-c", "pass"]);
        let refused = run(command, b"", Duration::from_secs(20));
        assert_eq!(refused.code(), 2, "{wrong:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("--dump-after"), "{}", refused.stderr);
    }
}
