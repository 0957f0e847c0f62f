//! A deadlock is never a silent hang: under every policy the threads, what they wait for and the lines are named, and the
//! process ends with an error. What only looks like one goes on.

mod support;

use std::time::Duration;
use support::{Finished, POLICIES, mini_command, run};

const LIMIT: Duration = Duration::from_secs(60);

/// Runs a script under every policy at once.
fn everywhere(script: &str) -> Vec<(&'static str, Finished)> {
    let one = |gil: &str| {
        let mut command = mini_command(Some(gil));
        command.args(["-c", script]);
        run(command, b"", LIMIT)
    };
    std::thread::scope(|scope| {
        let all: Vec<_> = POLICIES.iter().map(|gil| (*gil, scope.spawn(move || one(gil)))).collect();
        all.into_iter().map(|(gil, started)| (gil, started.join().unwrap())).collect()
    })
}

/// The script ends with code 1, having printed `said`, and its report is these lines, in this order.
#[track_caller]
fn deadlocks(script: &str, said: &str, report: &[&str]) {
    for (gil, finished) in everywhere(script) {
        assert_eq!(finished.code(), 1, "--gil {gil}: {}", finished.stderr);
        assert_eq!(finished.stdout, said, "--gil {gil}");
        assert_eq!(finished.stderr.lines().map(str::trim).collect::<Vec<_>>(), report, "--gil {gil}");
    }
}

/// The script ends well, and prints this.
#[track_caller]
fn goes_on(script: &str, said: &str) {
    for (gil, finished) in everywhere(script) {
        assert_eq!((finished.code(), &*finished.stdout, &*finished.stderr), (0, said, ""), "--gil {gil}");
    }
}

#[test]
fn two_threads_that_took_two_locks_in_another_order() {
    let script = "\
import threading
a = threading.Lock()
b = threading.RLock()
both = threading.Barrier(2)
def work():
    with b:
        both.wait()
        with a:
            print('never')
threading.Thread(target=work, name='other').start()
print('said before', end='')
with a:
    both.wait()
    with b:
        print('never')
";
    let report = [
        "mini: deadlock: all 2 threads wait, and nobody is left to end that",
        "thread \"MainThread\" at line 14 of <string> waits for b, held by thread \"other\", which took it at line 6 of <string>",
        "thread \"other\" at line 8 of <string> waits for a, held by thread \"MainThread\", which took it at line 12 of <string>",
        "in a circle: \"MainThread\" -> \"other\" -> \"MainThread\"",
    ];
    deadlocks(script, "said before", &report);
}

#[test]
fn a_lock_that_its_holder_wants_again() {
    let report = [
        "mini: deadlock: the only thread waits, and nobody is left to end that",
        "thread \"MainThread\" at line 4 of <string> waits for a, held by thread \"MainThread\", which took it at line 3 of <string>",
        "in a circle: \"MainThread\" -> \"MainThread\"",
    ];
    deadlocks("import threading\na = threading.Lock()\na.acquire()\na.acquire()\n", "", &report);
}

#[test]
fn threads_that_wait_for_the_end_of_one_another() {
    let script = "\
import threading
ready = threading.Event()
def first():
    ready.wait()
    two.join()
def second():
    ready.wait()
    one.join()
one = threading.Thread(target=first, name='one')
two = threading.Thread(target=second, name='two')
one.start()
two.start()
ready.set()
";
    let report = [
        "mini: deadlock: all 3 threads wait, and nobody is left to end that",
        "thread \"MainThread\" waits for the end of thread \"one\"",
        "thread \"one\" at line 5 of <string> waits for the end of thread \"two\"",
        "thread \"two\" at line 8 of <string> waits for the end of thread \"one\"",
        "in a circle: \"one\" -> \"two\" -> \"one\"",
    ];
    deadlocks(script, "", &report);
}

#[test]
fn workers_whom_nobody_gives_work() {
    let script = "\
import queue, threading
jobs = queue.Queue()
def work():
    jobs.get()
worker = threading.Thread(target=work, name='worker')
worker.start()
worker.join()
";
    let report = [
        "mini: deadlock: all 2 threads wait, and nobody is left to end that",
        "thread \"MainThread\" at line 7 of <string> waits for the end of thread \"worker\"",
        "thread \"worker\" at line 4 of <string> waits for news from another thread",
    ];
    deadlocks(script, "", &report);
}

/// The last event is the end of a thread here, not the sleep of one.
#[test]
fn a_lock_whose_holder_has_ended() {
    let script = "\
import threading, time
a = threading.Lock()
taken = threading.Event()
def work():
    a.acquire()
    taken.set()
    time.sleep(2.5)
threading.Thread(target=work).start()
taken.wait()
a.acquire()
";
    let report = [
        "mini: deadlock: the only thread waits, and nobody is left to end that",
        "thread \"MainThread\" at line 10 of <string> waits for a, whose holder has ended",
    ];
    deadlocks(script, "", &report);
}

/// In the child the thread that held the lock is not there; the parent is told.
#[test]
fn a_lock_that_a_raw_fork_left_locked() {
    let script = "\
import gil, os, threading, time
gil.fork_mode('raw')
a = threading.Lock()
taken = threading.Event()
over = threading.Event()
def work():
    with a:
        taken.set()
        over.wait()
threading.Thread(target=work).start()
taken.wait()
child = os.fork()
if child == 0:
    a.acquire()
status = os.waitpid(child, 0)[1]
over.set()
print(os.waitstatus_to_exitcode(status))
";
    for (gil, finished) in everywhere(script) {
        assert_eq!((finished.code(), &*finished.stdout), (0, "1\n"), "--gil {gil}: {}", finished.stderr);
        assert!(finished.stderr.contains("waits for a, whose holder has ended"), "{}", finished.stderr);
    }
}

#[test]
fn what_ends_by_itself_goes_on() {
    // Somebody sleeps with a time-out, and will wake the others.
    let timer = "\
import threading
news = threading.Event()
threading.Timer(4, news.set).start()
waiter = threading.Thread(target=news.wait)
waiter.start()
waiter.join()
print('fine')
";
    goes_on(timer, "fine\n");
    // The news come through a pipe.
    let pipe = "\
import os, threading, time
r, w = os.pipe()
lock = threading.Lock()
lock.acquire()
def work():
    os.read(r, 1)
    lock.release()
threading.Thread(target=work).start()
if os.fork() == 0:
    time.sleep(3.5)
    os.write(w, b'x')
    os._exit(0)
lock.acquire()
print('fine')
";
    goes_on(pipe, "fine\n");
    // A signal is to wake it.
    let signal = "\
import os, signal, threading, time
news = threading.Event()
signal.signal(signal.SIGUSR1, lambda *_: news.set())
waiter = threading.Thread(target=news.wait)
waiter.start()
if os.fork() == 0:
    time.sleep(3.5)
    os.kill(os.getppid(), signal.SIGUSR1)
    os._exit(0)
waiter.join()
print('fine')
";
    goes_on(signal, "fine\n");
}

#[test]
fn many_threads_that_end_while_others_wait_for_them() {
    let script = "\
import threading
def work(n):
    if n:
        inner = threading.Thread(target=work, args=(n - 1,))
        inner.start()
        inner.join()
for _ in range(300):
    t = threading.Thread(target=work, args=(3,))
    t.start()
    t.join()
print('fine')
";
    goes_on(script, "fine\n");
}
