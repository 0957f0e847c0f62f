//! What `multiprocessing` promises when things go wrong: workers that are killed or run out of memory, Ctrl-C, a parent that
//! dies. Nothing hangs, nobody is left behind, no descriptor leaks.

mod support;

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{POLICIES, finish, mini_command, root, run, scratch};

const LIMIT: Duration = Duration::from_secs(60);

/// Runs a program from a file of its own under every policy; it must print this and end well.
#[track_caller]
fn prints(name: &str, code: &str, expected: &str) {
    let folder = scratch(&format!("processes-{name}"));
    let file = folder.join("program.mini");
    std::fs::write(&file, code).unwrap();
    for gil in POLICIES {
        let mut command = mini_command(Some(gil));
        command.arg(&file).current_dir(&folder);
        let done = run(command, b"", LIMIT);
        assert_eq!((done.code(), done.stdout.as_str()), (0, expected), "--gil {gil}: {}", done.stderr);
    }
}

#[test]
fn a_killed_worker_fails_its_own_task() {
    let code = "
import multiprocessing as mp, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
def square(x): return x * x
def end(how): os.kill(os.getpid(), how) if how < 100 else os._exit(how - 100)
with mp.Pool(2) as pool:
    slow = pool.apply_async(time.sleep, (0.3,))
    for how in (9, 6, 15, 100, 107):
        try: pool.apply(end, (how,))
        except mp.ProcessError as e: print(type(e).__name__, e)
        print(pool.map(square, range(4)))
    print(slow.get(20))
    try: list(pool.imap(end, [9, 9]))
    except mp.ProcessError as e: print(type(e).__name__)
with ProcessPoolExecutor(2) as executor:
    for how in (9, 101):
        futures = [executor.submit(end, how)] + [executor.submit(square, i) for i in range(6)]
        print(isinstance(futures[0].exception(30), BrokenProcessPool), [f.result(30) for f in futures[1:]])
print(mp.active_children())
";
    prints(
        "killed",
        code,
        "WorkerLostError a worker process was ended by SIGKILL while it carried out the task\n[0, 1, 4, 9]\n\
         WorkerLostError a worker process was ended by SIGABRT while it carried out the task\n[0, 1, 4, 9]\n\
         WorkerLostError a worker process was ended by SIGTERM while it carried out the task\n[0, 1, 4, 9]\n\
         WorkerLostError a worker process exited with code 0 while it carried out the task\n[0, 1, 4, 9]\n\
         WorkerLostError a worker process exited with code 7 while it carried out the task\n[0, 1, 4, 9]\n\
         None\nWorkerLostError\n\
         True [0, 1, 4, 9, 16, 25]\nTrue [0, 1, 4, 9, 16, 25]\n[]\n",
    );
}

#[test]
fn a_worker_out_of_memory_says_so() {
    let code = "
import multiprocessing as mp
def much(): return len(bytearray(1 << 44))
def square(x): return x * x
with mp.Pool(1) as pool:
    try: pool.apply(much)
    except MemoryError as e: print('MemoryError', type(e.__cause__).__name__)
    print(pool.apply(square, (3,)))
";
    prints("memory", code, "MemoryError RemoteTraceback\n9\n");
}

#[test]
fn what_cannot_be_pickled_arrives_as_text() {
    let code = "
import multiprocessing as mp
class Two(Exception):
    def __init__(self, a, b): super().__init__(a)
class Holds(Exception):
    def __init__(self): self.held = lambda: 1
def two(): raise Two('first', 'second')
def holds(): raise Holds()
def function(): return lambda: 1
with mp.Pool(1) as pool:
    for what in (two, holds, function):
        try: pool.apply(what)
        except mp.pool.MaybeEncodingError as e: print(what.__name__, 'Reason' in str(e), what.__name__ in str(e.__cause__))
    print(pool.apply(len, ('abc',)))
";
    prints("unpicklable", code, "two True True\nholds True True\nfunction True True\n3\n");
}

#[test]
fn a_worker_that_cannot_begin_hangs_nobody() {
    let code = "
import multiprocessing as mp, os, sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
sys.stderr = open(os.devnull, 'w')
def begin(): raise ValueError('no')
with mp.Pool(2, begin) as pool:
    try: pool.apply(len, ('a',))
    except mp.ProcessError as e: print('ValueError: no' in str(e))
with ProcessPoolExecutor(2, initializer=begin) as executor:
    try: executor.submit(len, 'a').result(30)
    except BrokenProcessPool as e: print('ValueError: no' in str(e))
";
    prints("begin", code, "True\nTrue\n");
}

#[test]
fn a_lock_of_a_dead_process_is_the_next_ones() {
    let code = "
import multiprocessing as mp, os
def hold(lock, n):
    for _ in range(n): lock.acquire()
    os.kill(os.getpid(), 9)
for make, n in ((mp.Lock, 1), (mp.RLock, 3)):
    lock = make()
    p = mp.Process(target=hold, args=(lock, n))
    p.start()
    p.join()
    print(lock.acquire(timeout=20))
    lock.release()
    print(lock.acquire(False))
queue = mp.Queue()
def die_in_queue(queue):
    queue._rlock.acquire()
    queue._wlock.acquire()
    os._exit(1)
p = mp.Process(target=die_in_queue, args=(queue,))
p.start()
p.join()
queue.put('through')
print(queue.get(timeout=20))
";
    prints("locks", code, "True\nTrue\nTrue\nTrue\nthrough\n");
}

#[test]
fn no_descriptor_leaks() {
    let code = "
import multiprocessing as mp, os
def open_ones(): return len(os.listdir('/proc/self/fd'))
def nothing(): pass
def start(n, ask):
    for i in range(n):
        p = mp.Process(target=nothing)
        p.start()
        if ask: p.sentinel
        p.join()
        p.close()
start(5, True)
before = open_ones()
start(1000, False)
start(50, True)
for _ in range(3):
    with mp.Pool(2) as pool:
        pool.map(abs, range(4))
        try: pool.apply(os._exit, (1,))
        except mp.ProcessError: pass
    a, b = mp.Pipe()
    a.close(); b.close()
print(open_ones() - before)
for _ in range(3000): mp.Pipe()
print('pipes')
";
    let folder = scratch("processes-leaks");
    let file = folder.join("program.mini");
    std::fs::write(&file, code).unwrap();
    let mut command = mini_command(None);
    command.arg(&file).current_dir(&folder);
    let done = run(command, b"", LIMIT * 2);
    assert_eq!((done.code(), done.stdout.as_str()), (0, "0\npipes\n"), "{}", done.stderr);
}

/// A running program that has said that it is ready, with the numbers of its children.
fn ready(gil: &str, name: &str, code: &str) -> (Child, Vec<u32>) {
    let folder = scratch(&format!("processes-{name}-{}", gil.replace(':', "-")));
    let file = folder.join("program.mini");
    std::fs::write(&file, code).unwrap();
    let mut command = mini_command(Some(gil));
    command.arg(&file).current_dir(&folder);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut line = Vec::new();
    let mut byte = [0];
    while child.stdout.as_mut().unwrap().read(&mut byte).unwrap() == 1 && byte != *b"\n" {
        line.push(byte[0]);
    }
    let numbers = String::from_utf8(line).unwrap();
    let numbers = numbers.split_whitespace().map(|n| n.parse().unwrap()).collect();
    (child, numbers)
}

fn signal(name: &str, numbers: &[u32]) {
    let numbers = numbers.iter().map(u32::to_string);
    // One may be gone already: that is what it says then.
    Command::new("kill").arg(format!("-{name}")).args(numbers).stderr(Stdio::null()).status().unwrap();
}

/// Waits until none of these processes runs.
#[track_caller]
fn all_gone(numbers: &[u32], gil: &str) {
    let start = Instant::now();
    let runs = |n: &&u32| {
        let stat = std::fs::read_to_string(format!("/proc/{n}/stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
    };
    while let Some(left) = numbers.iter().find(runs) {
        assert!(start.elapsed() < Duration::from_secs(20), "--gil {gil}: process {left} is left behind");
        std::thread::sleep(Duration::from_millis(10));
    }
}

const BUSY_POOL: &str = "
import multiprocessing as mp, time
pool = mp.Pool(3)
results = [pool.apply_async(time.sleep, (60,)) for _ in range(2)]
results.append(pool.apply_async(sum, (range(10**12),)))
print(*[p.pid for p in mp.active_children()], flush=True)
for result in results: result.get()
";

#[test]
fn ctrl_c_ends_a_pool_and_leaves_no_child() {
    for gil in POLICIES {
        // Once to the parent alone, once to all, as a terminal does.
        for everybody in [false, true] {
            let (child, workers) = ready(gil, "interrupt", BUSY_POOL);
            assert_eq!(workers.len(), 3);
            std::thread::sleep(Duration::from_millis(100));
            let mut targets = vec![child.id()];
            targets.extend(workers.iter().filter(|_| everybody));
            signal("INT", &targets);
            let done = finish(child, LIMIT);
            assert_eq!(
                (done.code(), done.last_error()),
                (130, "KeyboardInterrupt"),
                "--gil {gil}: {}",
                done.stderr
            );
            all_gone(&workers, gil);
        }
    }
}

#[test]
fn workers_leave_when_their_parent_is_killed() {
    let idle = "
import multiprocessing as mp, time
from concurrent.futures import ProcessPoolExecutor
pool = mp.Pool(2)
executor = ProcessPoolExecutor(2)
list(executor.map(abs, range(10)))
print(*[p.pid for p in mp.active_children()], flush=True)
time.sleep(60)
";
    for gil in POLICIES {
        let (child, workers) = ready(gil, "orphans", idle);
        assert!(workers.len() >= 3, "{workers:?}");
        signal("KILL", &[child.id()]);
        assert_eq!(finish(child, LIMIT).code(), 137);
        all_gone(&workers, gil);
    }
}

#[test]
fn daemons_end_with_their_parent_and_others_are_waited_for() {
    let code = "
import multiprocessing as mp, os, time
def late():
    time.sleep(0.3)
    print('waited for', flush=True)
daemon = mp.Process(target=time.sleep, args=(60,), daemon=True)
daemon.start()
mp.Process(target=late).start()
print(daemon.pid, flush=True)
";
    for gil in POLICIES {
        let (child, daemons) = ready(gil, "daemons", code);
        let done = finish(child, LIMIT);
        assert_eq!((done.code(), done.stdout.as_str()), (0, "waited for\n"), "--gil {gil}: {}", done.stderr);
        all_gone(&daemons, gil);
    }
}

/// The examples about processes end well and print what they promise.
#[test]
fn examples_run() {
    for (name, last) in [
        ("process_hello", "greeter ended with exit code 0"),
        ("process_pool", "all agree"),
        ("process_queue", "exit codes: 0 and 0"),
        ("process_balance", "two processes, shared memory:    2100"),
        ("process_crash", "the main thread goes on"),
        ("master_worker", "threads, processes and network agree: True"),
    ] {
        for gil in POLICIES {
            let mut command = mini_command(Some(gil));
            command.arg(root().join(format!("examples/{name}.mini")));
            let done = run(command, b"", LIMIT);
            let printed = done.stdout.lines().last().unwrap_or("");
            assert_eq!((done.code(), printed, done.stderr.as_str()), (0, last, ""), "{name} --gil {gil}");
        }
    }
}
