//! The ledger: its sums are exact, and it agrees with what others count: the kernel, strace, the clock.

mod support;

use mini::trace::json::{self, Json};
use std::process::Command;
use std::time::Duration;
use support::{loudly, mini, mini_command, python_stands_in, run, scratch};

const LIMIT: Duration = Duration::from_secs(120);

const CONTENDED: &str = "
import threading, time
def burn():
    x = 0
    for i in range(1500000):
        x += i
def sleepy():
    for i in range(30):
        time.sleep(0.002)
threads = [threading.Thread(target=f) for f in (burn, burn, sleepy)]
for t in threads: t.start()
for t in threads: t.join()
";

/// `--stats=json` of a program.
fn ledger(gil: &str, program: &str) -> Json {
    let mut command = mini_command(Some(gil));
    command.args(["--stats=json", "-c", program]);
    let finished = run(command, b"", LIMIT);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    json::parse(finished.stderr.trim()).unwrap_or_else(|e| panic!("{e}: {}", finished.stderr))
}

fn number(of: &Json, path: &str) -> f64 {
    let found = path.split('.').try_fold(of, |at, key| at.get(key));
    found.and_then(Json::number).unwrap_or_else(|| panic!("no {path} in {of:?}"))
}

fn entries<'a>(of: &'a Json, key: &str) -> Vec<(&'a str, &'a Json)> {
    let Some(Json::Object(entries)) = of.get(key) else { panic!("no {key} in {of:?}") };
    entries.iter().map(|(name, value)| (name.as_str(), value)).collect()
}

fn sum(of: &Json, key: &str) -> f64 {
    entries(of, key).iter().filter_map(|(_, v)| v.number()).sum()
}

fn threads(ledger: &Json) -> &[Json] {
    ledger.get("threads").and_then(Json::list).unwrap()
}

fn skipped(name: &str) -> bool {
    if python_stands_in() {
        loudly(&format!("SKIPPED {name}: CPython has no ledger"));
    }
    python_stands_in()
}

#[test]
fn held_and_unowned_make_up_the_wall() {
    if skipped("held_and_unowned_make_up_the_wall") {
        return;
    }
    for gil in [
        "time:5ms",
        "time:1ms,queue=fifo",
        "time:1ms,queue=io",
        "ticks:100",
        "ticks:1000,queue=battle",
        "coop",
    ] {
        let ledger = ledger(gil, CONTENDED);
        let (wall, unowned) = (number(&ledger, "wall"), number(&ledger, "unowned"));
        let both = number(&ledger, "total.held") + unowned;
        assert!((both / wall - 1.0).abs() < 0.001, "{gil}: held and unowned are {both} s of {wall} s");
    }
}

#[test]
fn without_a_lock_nothing_is_unowned() {
    if skipped("without_a_lock_nothing_is_unowned") {
        return;
    }
    let ledger = ledger("off", CONTENDED);
    assert_eq!(ledger.get("unowned"), Some(&Json::Null));
    assert_eq!(number(&ledger, "total.waited"), 0.0);
}

#[test]
fn whoever_got_permission_gave_it_up_again() {
    if skipped("whoever_got_permission_gave_it_up_again") {
        return;
    }
    for gil in support::POLICIES {
        let ledger = ledger(gil, CONTENDED);
        for thread in threads(&ledger) {
            // The main thread runs while the figures are taken.
            let runs = f64::from(thread.get("name").and_then(Json::text) == Some("MainThread"));
            assert_eq!(number(thread, "acquisitions"), sum(thread, "releases") + runs, "{gil}: {thread:?}");
            assert!(sum(thread, "switches") <= sum(thread, "releases") + 1.0, "{gil}: {thread:?}");
        }
    }
}

#[test]
fn blocked_time_is_what_the_calls_took() {
    if skipped("blocked_time_is_what_the_calls_took") {
        return;
    }
    let ledger = ledger("time:5ms", CONTENDED);
    for thread in threads(&ledger) {
        let calls: f64 = entries(thread, "calls").iter().map(|(_, call)| number(call, "blocked")).sum();
        // Both are whole nanoseconds.
        assert!((calls - number(thread, "blocked")).abs() < 1e-9, "{thread:?}");
    }
    let total = ledger.get("total").unwrap();
    let calls = entries(total, "calls");
    let sleep = calls.iter().find(|(name, _)| *name == "time.sleep").unwrap().1;
    assert_eq!(number(sleep, "count"), 30.0);
    let slept = number(sleep, "blocked");
    assert!(slept >= 0.06 && slept <= number(&ledger, "wall"), "{slept}");
}

#[test]
fn time_on_a_processor_is_held() {
    if skipped("time_on_a_processor_is_held") {
        return;
    }
    let program = "
import gil, time
x = 0
for i in range(3000000):
    x += i
print(time.thread_time(), gil.stats()['threads'][-1]['held'], time.perf_counter())
";
    let mut command = mini_command(Some("time:5ms"));
    command.args(["-c", program]);
    let finished = run(command, b"", LIMIT);
    let figures: Vec<f64> = finished.stdout.split_whitespace().filter_map(|w| w.parse().ok()).collect();
    let [cpu, held, _] = figures[..] else { panic!("{} {}", finished.stdout, finished.stderr) };
    // The kernel counts from the thread's birth, the ledger from its first permission.
    assert!(held > cpu * 0.9 - 0.02, "the kernel says {cpu} s, the ledger {held} s");
}

#[test]
fn strace_counts_the_same_calls() {
    let there = Command::new("strace").arg("-V").output().is_ok_and(|o| o.status.success());
    if skipped("strace_counts_the_same_calls") {
        return;
    }
    if !there {
        loudly("SKIPPED strace_counts_the_same_calls: there is no strace");
        return;
    }
    let folder = scratch("ledger-strace");
    let program = "
import os, threading
def work(name):
    fd = os.open(name, os.O_RDWR | os.O_CREAT)
    for i in range(40):
        os.fsync(fd)
    os.close(fd)
threads = [threading.Thread(target=work, args=(f'f{i}',)) for i in range(2)]
for t in threads: t.start()
for t in threads: t.join()
";
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-U", "calls,name", "-e", "trace=fsync", "-o", "counts"]);
    command.arg(mini()).args(["--stats=json", "-c", program]).current_dir(&folder).env_remove("MINI_GIL");
    let finished = run(command, b"", LIMIT);
    if finished.code() != 0 {
        loudly(&format!(
            "SKIPPED strace_counts_the_same_calls: strace may not trace here: {}",
            finished.stderr
        ));
        return;
    }
    let counts = std::fs::read_to_string(folder.join("counts")).unwrap();
    let counted =
        counts.lines().find(|l| l.contains("fsync")).and_then(|l| l.split_whitespace().next()?.parse().ok());
    let ledger = json::parse(finished.stderr.lines().last().unwrap()).unwrap();
    let calls = entries(ledger.get("total").unwrap(), "calls");
    let own = calls.iter().find(|(name, _)| name.ends_with(".fsync")).map(|(_, call)| number(call, "count"));
    assert_eq!((counted, own), (Some(80.0), Some(80.0)), "{counts}");
}

#[test]
fn a_child_begins_an_account_of_its_own() {
    if skipped("a_child_begins_an_account_of_its_own") {
        return;
    }
    let program = "
import gil, os, time
time.sleep(0.3)
if os.fork() == 0:
    stats = gil.stats()
    [only] = stats['threads']
    both = only['held'] + stats['unowned']
    print(stats['wall'] < 0.3, abs(both - stats['wall']) < 1e-8, only['acquisitions'], only['calls'], flush=True)
    os._exit(0)
os.wait()
";
    let mut command = mini_command(Some("time:5ms"));
    command.args(["-c", program]);
    let finished = run(command, b"", LIMIT);
    assert_eq!(finished.stdout, "True True 1 {}\n", "{}", finished.stderr);
}

#[test]
fn hashing_and_packing_of_much_data_let_others_run() {
    if skipped("hashing_and_packing_of_much_data_let_others_run") {
        return;
    }
    let program = "
import hashlib, zlib
data = bytes(1 << 20)
hashlib.sha256(data).hexdigest()
hashlib.sha256(bytearray(data)).hexdigest()
hashlib.blake2b(memoryview(data)).hexdigest()
hashlib.md5(b'little').hexdigest()
zlib.compress(data)
";
    let ledger = ledger("time:5ms", program);
    let count =
        |name: &str| ledger.get("total").and_then(|t| t.get("calls")?.get(name)?.get("count")?.number());
    assert_eq!(count("digest.update"), Some(3.0), "{ledger:?}");
    assert_eq!(count("Deflate.pack"), Some(2.0), "{ledger:?}");
}
