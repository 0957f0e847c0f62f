//! `mini ps` and `mini gil`: what a running process says of itself to another, and a change of its policy from there.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;
use support::{Finished, mini_command, python_stands_in, run};

/// For one command on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

fn mini(args: &[&str]) -> Finished {
    let mut command = mini_command(None);
    command.args(args);
    run(command, b"", LIMIT)
}

/// A program that runs until the test is over.
struct Running {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Running {
    fn start(gil: &str, script: &str) -> Running {
        let mut command = mini_command(None);
        command.args(["--gil", gil, "-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("mini starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Running { child, lines }
    }

    /// The next line that it prints.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn pid(&self) -> String {
        self.child.id().to_string()
    }

    /// What `mini ps` says of it.
    fn tree(&self) -> String {
        let finished = mini(&["ps", &self.pid()]);
        assert_eq!(finished.code(), 0, "{}", finished.stderr);
        finished.stdout
    }

    /// As `tree`, once there is this in it: what a program says it may say a moment before it gets there.
    fn tree_with(&self, part: &str) -> String {
        for _ in 0..500 {
            let tree = self.tree();
            if tree.contains(part) {
                return tree;
            }
        }
        panic!("no {part:?} in {}", self.tree());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const THREADS: &str = "
import threading, time
lock = threading.Lock()
lock.acquire()
def spin():
    while True:
        pass
def wait():
    lock.acquire()
threading.Thread(target=spin, name='spinner', daemon=True).start()
threading.Thread(target=wait, name='waiter', daemon=True).start()
time.sleep(0.1)
print('ready', flush=True)
time.sleep(100)
";

#[test]
fn threads_are_shown_under_every_policy() {
    if python_stands_in() {
        return;
    }
    for policy in ["off", "ticks:100", "time:5ms", "coop"] {
        // Under `coop` the one that computes would never let the main thread get so far.
        let script = if policy == "coop" {
            THREADS.replace("        pass", "        time.sleep(0)")
        } else {
            THREADS.into()
        };
        let mut program = Running::start(policy, &script);
        assert_eq!(program.line(), "ready");
        let tree = program.tree_with("<string>:14 in <module>");
        let first = tree.lines().next().unwrap_or("");
        assert!(
            first.starts_with(&format!("process {}  ", program.pid())) && first.contains(policy),
            "{tree}"
        );
        assert_eq!(tree.contains("GIL: held by"), policy != "off", "{tree}");
        for (name, part) in [
            ("MainThread", "<string>:14 in <module>"),
            ("spinner", "<string>:6"),
            ("waiter", "<string>:9 in wait"),
        ] {
            let line = tree.lines().find(|l| l.contains(&format!("thread {name} "))).unwrap_or("");
            let known = line.contains(part) || name == "spinner" && line.contains("in spin");
            assert!(known, "{policy} {name}: {tree}");
        }
        assert!(tree.contains("└─ "), "{tree}");
    }
}

#[test]
fn one_thread_that_never_lets_go_is_seen_as_well() {
    if python_stands_in() {
        return;
    }
    for policy in ["coop", "off", "time:5ms"] {
        let mut program = Running::start(policy, "print('ready', flush=True)\nwhile 1 < 2:\n    n = 1");
        assert_eq!(program.line(), "ready");
        let tree = program.tree_with("<string>:3 in <module>");
        assert!(tree.contains("thread MainThread"), "{tree}");
    }
}

#[test]
fn tasks_are_shown_with_where_they_wait() {
    if python_stands_in() {
        return;
    }
    let script = "
import asyncio
async def inner():
    await asyncio.sleep(100)
async def outer():
    await inner()
async def main():
    task = asyncio.create_task(outer(), name='fetcher')
    await asyncio.sleep(0.05)
    print('ready', flush=True)
    await task
asyncio.run(main())
";
    let mut program = Running::start("time:5ms", script);
    assert_eq!(program.line(), "ready");
    let tree = program.tree();
    let line = tree.lines().find(|l| l.contains("task fetcher")).unwrap_or("");
    assert!(line.contains("<string>:6 in outer > <string>:4 in inner"), "{tree}");
    assert!(tree.contains("task Task-1"), "{tree}");
}

#[test]
fn children_are_in_the_same_tree() {
    if python_stands_in() {
        return;
    }
    let script = "
import os, time
child = os.fork()
if child == 0:
    grandchild = os.fork()
    if grandchild == 0:
        time.sleep(100)
        os._exit(0)
    print(os.getpid(), grandchild, flush=True)
    time.sleep(100)
    os._exit(0)
time.sleep(100)
";
    let mut program = Running::start("time:5ms", script);
    let line = program.line();
    let (child, grandchild) = line.split_once(' ').expect("two numbers");
    let tree = program.tree();
    let depth =
        |pid: &str| tree.lines().find_map(|l| l.find(&format!("process {pid} "))).unwrap_or(usize::MAX);
    let own = depth(&program.pid());
    assert!(own == 0 && own < depth(child) && depth(child) < depth(grandchild), "{tree}");
    assert_ne!(depth(grandchild), usize::MAX, "{tree}");
    for pid in [child, grandchild] {
        let finished = mini(&["gil", pid, "time:1ms"]);
        assert_eq!((finished.code(), finished.stdout.as_str()), (0, "time:1ms\n"), "{}", finished.stderr);
        support::run(
            {
                let mut c = std::process::Command::new("kill");
                c.args(["-9", pid]);
                c
            },
            b"",
            LIMIT,
        );
    }
}

#[test]
fn the_policy_is_changed_from_outside() {
    if python_stands_in() {
        return;
    }
    let script = "
import gil, threading, time
before = gil.policy()
print(before, flush=True)
def spin():
    while True:
        pass
threading.Thread(target=spin, daemon=True).start()
while True:
    now = gil.policy()
    if now != before:
        before = now
        print(before, flush=True)
";
    let mut program = Running::start("time:5ms", script);
    assert_eq!(program.line(), "time:5ms");
    for policy in
        ["off", "time:1ms,queue=fifo", "ticks:50", "off", "time:100us,queue=lottery:3,poll=line", "time:5ms"]
    {
        let finished = mini(&["gil", &program.pid(), policy]);
        assert_eq!((finished.code(), finished.stdout), (0, format!("{policy}\n")), "{}", finished.stderr);
        assert_eq!(program.line(), policy);
    }
}

#[test]
fn what_cannot_be_asked_is_named() {
    if python_stands_in() {
        return;
    }
    let mut other = std::process::Command::new("sleep").arg("100").spawn().expect("sleep starts");
    let sleeper = other.id().to_string();
    for (args, code, said) in [
        (&["ps", &sleeper][..], 1, "is not a Mini process"),
        (&["gil", &sleeper, "off"], 1, "is not a Mini process"),
        (&["ps", "2147483647"], 1, "no process 2147483647"),
        (&["ps"], 2, "which process?"),
        (&["ps", "x"], 2, "the number of a process is expected"),
        (&["ps", "1", "2"], 2, "an argument too many"),
        (&["gil", "1"], 2, "which policy?"),
        (&["gil", "1", "on"], 2, "unknown GIL policy 'on': use off, ticks:N, time:DURATION or coop"),
        (&["gil", "1", "time:5ms,queue=user"], 2, "queue=user needs a function"),
    ] {
        let finished = mini(args);
        assert_eq!(finished.code(), code, "{args:?}: {}", finished.stderr);
        assert!(
            finished.stderr.contains(said) && finished.stdout.is_empty(),
            "{args:?}: {}",
            finished.stderr
        );
    }
    assert!(matches!(other.try_wait(), Ok(None)), "it was ended by being asked");
    // Both may fail only if it is gone.
    let _ = other.kill();
    let _ = other.wait();
}

/// Asking leaves no trace in the process: not among its threads, not in its figures, and a deadlock is still found.
#[test]
fn a_process_that_was_asked_goes_on_as_before() {
    if python_stands_in() {
        return;
    }
    let script = "
import gil, sys, threading
print('ready', flush=True)
sys.stdin.readline()
print(len(gil.stats()['threads']), [t.name for t in threading.enumerate()], flush=True)
lock = threading.Lock()
lock.acquire()
t = threading.Thread(target=lock.acquire)
t.start()
lock.acquire()
";
    let mut command = mini_command(None);
    command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("mini starts");
    let lines = BufReader::new(child.stdout.take().expect("a pipe"));
    let mut program = Running { child, lines };
    assert_eq!(program.line(), "ready");
    for _ in 0..3 {
        program.tree();
    }
    drop(program.child.stdin.take());
    assert_eq!(program.line(), "1 ['MainThread']");
    let ended = program.child.wait().expect("it ends");
    assert_eq!(ended.code(), Some(1));
}
