//! `--trace`, `--blame` and `mini trace check`: traces are sound however a program ends, and say what the ledger says.

mod support;

use mini::trace::json::{self, Json};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use support::{Finished, loudly, mini_command, python_stands_in, root, run, scratch};

const LIMIT: Duration = Duration::from_secs(120);

fn skipped(name: &str) -> bool {
    if python_stands_in() {
        loudly(&format!("SKIPPED {name}: CPython writes no traces"));
    }
    python_stands_in()
}

fn mixed() -> PathBuf {
    root().join("tests/traces/mixed.mini")
}

/// Runs the program that does a bit of everything, in a folder of its own; the trace is `t.json` there.
fn traced(folder: &Path, gil: &str, options: &[&str], end: &str) -> Finished {
    let mut command = mini_command(Some(gil));
    command.args(["--trace", "t.json"]).args(options).arg(mixed()).arg(end).current_dir(folder);
    run(command, b"", LIMIT)
}

fn check(folder: &Path) -> Finished {
    let mut command = mini_command(None);
    command.args(["trace", "check", "t.json"]).current_dir(folder);
    run(command, b"", LIMIT)
}

fn expect_sound(folder: &Path, what: &str) {
    let checked = check(folder);
    assert_eq!(checked.code(), 0, "{what}: {}", checked.stderr);
    let left: Vec<_> = std::fs::read_dir(folder).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, ["t.json"], "{what}");
}

fn read(folder: &Path) -> Json {
    json::parse(&std::fs::read_to_string(folder.join("t.json")).unwrap()).unwrap()
}

fn events(trace: &Json) -> &[Json] {
    trace.get("traceEvents").and_then(Json::list).unwrap()
}

fn processes(trace: &Json) -> &[Json] {
    trace.get("otherData").and_then(|o| o.get("processes")).and_then(Json::list).unwrap()
}

fn is(event: &Json, key: &str, value: &str) -> bool {
    event.get(key).and_then(Json::text) == Some(value)
}

fn number(of: &Json, path: &str) -> f64 {
    let found = path.split('.').try_fold(of, |at, key| at.get(key));
    found.and_then(Json::number).unwrap_or_else(|| panic!("no {path} in {of:?}"))
}

#[test]
fn traces_are_sound_under_every_policy() {
    if skipped("traces_are_sound_under_every_policy") {
        return;
    }
    for gil in support::POLICIES.into_iter().chain(["time:1ms,queue=fifo", "time:1ms,queue=io"]) {
        let folder = scratch("trace-policies");
        let finished = traced(&folder, gil, &[], "");
        assert_eq!((finished.code(), finished.stderr.as_str()), (0, ""), "{gil}");
        expect_sound(&folder, gil);
        let trace = read(&folder);
        let names: Vec<&str> = events(&trace)
            .iter()
            .filter(|e| is(e, "name", "thread_name"))
            .filter_map(|e| e.get("args")?.get("name")?.text())
            .collect();
        for name in ["MainThread", "burn0", "burn1", "sleepy0", "in the child", "first ping", "second ping"] {
            assert!(names.contains(&name), "{gil}: no track {name:?} in {names:?}");
        }
        // Each task is born, takes a step for every time it sleeps and one more, and ends.
        let steps = events(&trace).iter().filter(|e| is(e, "ph", "B") && is(e, "name", "step")).count();
        assert!(steps >= 4 + 6 + 2, "{gil}: {steps} steps");
        assert_eq!(processes(&trace).len(), 2, "{gil}");
        let forks: Vec<_> =
            events(&trace).iter().filter(|e| is(e, "name", "fork")).map(|e| is(e, "ph", "s")).collect();
        assert_eq!(forks.len(), 2, "{gil}: an arrow from parent to child has two ends");
    }
}

#[test]
fn an_arrow_for_every_time_the_lock_changed_hands() {
    if skipped("an_arrow_for_every_time_the_lock_changed_hands") {
        return;
    }
    let folder = scratch("trace-arrows");
    traced(&folder, "time:1ms", &[], "");
    let trace = read(&folder);
    for process in processes(&trace) {
        let pid = number(process, "pid");
        let own = |e: &&Json| number(e, "pid") == pid && is(e, "name", "GIL") && is(e, "ph", "s");
        let arrows = events(&trace).iter().filter(own).count();
        // After a thread's end the lock comes from nobody.
        let causes = ["forced", "tick", "blocking", "yield", "stop"];
        let switches: f64 =
            causes.iter().map(|c| number(process, &format!("ledger.total.switches.{c}"))).sum();
        assert_eq!(arrows as f64, switches, "process {pid}");
    }
}

#[test]
fn a_trace_is_written_however_the_program_ends() {
    if skipped("a_trace_is_written_however_the_program_ends") {
        return;
    }
    for (end, code) in [("raise", 1), ("exit", 3), ("now", 4)] {
        let folder = scratch("trace-ends");
        assert_eq!(traced(&folder, "time:5ms", &[], end).code(), code, "{end}");
        expect_sound(&folder, end);
    }
    let folder = scratch("trace-interrupted");
    let mut command = mini_command(None);
    command.args(["--trace", "t.json"]).arg(mixed()).arg("wait").current_dir(&folder);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut ready = [0; 6];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(support::finish(child, LIMIT).code(), 130);
    expect_sound(&folder, "Ctrl-C");
}

#[test]
fn what_cannot_be_written_is_said() {
    if skipped("what_cannot_be_written_is_said") {
        return;
    }
    let run_with = |file: &str| {
        let mut command = mini_command(None);
        command.args(["--trace", file, "-c", "print('ran')"]);
        run(command, b"", LIMIT)
    };
    // Before the program runs, if that can be known.
    let finished = run_with("/nowhere/t.json");
    assert_eq!((finished.code(), finished.stdout.as_str()), (1, ""));
    assert!(
        finished.stderr.contains("cannot write the trace /nowhere/t.json: No such file"),
        "{}",
        finished.stderr
    );
    let finished = run_with("/dev/full");
    assert_eq!((finished.code(), finished.stdout.as_str()), (1, "ran\n"));
    assert!(finished.stderr.contains("No space left on device"), "{}", finished.stderr);
}

#[test]
fn what_has_no_room_is_counted() {
    if skipped("what_has_no_room_is_counted") {
        return;
    }
    let folder = scratch("trace-dropped");
    assert_eq!(traced(&folder, "time:5ms", &["--trace-events", "60", "--blame"], "").code(), 0);
    expect_sound(&folder, "60 events");
    let trace = read(&folder);
    let dropped = number(&processes(&trace)[0], "dropped");
    let acquisitions = number(&processes(&trace)[0], "ledger.total.acquisitions");
    assert!(dropped > 0.0 && dropped + 60.0 > acquisitions, "{dropped} dropped, {acquisitions} acquisitions");
}

#[test]
fn check_finds_what_is_wrong() {
    if skipped("check_finds_what_is_wrong") {
        return;
    }
    let folder = scratch("trace-wrong");
    traced(&folder, "time:5ms", &[], "");
    let file = folder.join("t.json");
    let sound = std::fs::read_to_string(&file).unwrap();
    let without = |wanted: &str| {
        let at = sound.lines().position(|line| line.contains(wanted)).unwrap();
        sound.lines().enumerate().filter(|(i, _)| *i != at).map(|(_, l)| format!("{l}\n")).collect::<String>()
    };
    let cases = [
        (without("\"ph\": \"E\""), "never ends"),
        (without("\"ph\": \"B\""), "never began"),
        (without("\"ph\": \"s\""), "0 beginnings"),
        (sound[..sound.len() / 2].to_owned(), "line "),
        (sound.replacen("\"held\": 0.", "\"held\": 7.", 1), "the ledger says held 7."),
    ];
    for (wrong, problem) in cases {
        std::fs::write(&file, wrong).unwrap();
        let checked = check(&folder);
        assert_eq!(checked.code(), 1, "{problem}");
        assert!(checked.stderr.contains(problem), "{problem}: {}", checked.stderr);
    }
    std::fs::remove_file(&file).unwrap();
    assert!(check(&folder).code() == 1 && check(&folder).stderr.contains("cannot be read"));
}

/// Nanoseconds of a number in milliseconds with six decimals.
fn nanoseconds(ms: &str) -> u64 {
    ms.replace('.', "").parse().unwrap_or_else(|_| panic!("{ms:?} is no time"))
}

#[test]
fn blame_is_shared_out_to_the_nanosecond() {
    if skipped("blame_is_shared_out_to_the_nanosecond") {
        return;
    }
    let folder = scratch("blame");
    let program = "import threading, time
def burn():
    x = 0
    while not done:
        x += 1
def polite():
    for i in range(20):
        time.sleep(0.001)
done = False
burner, other = threading.Thread(target=burn), threading.Thread(target=polite)
burner.start()
other.start()
other.join()
done = True
burner.join()
";
    std::fs::write(folder.join("p.mini"), program).unwrap();
    let mut command = mini_command(Some("time:5ms"));
    command.args(["--blame", "--stats=json", "p.mini"]).current_dir(&folder);
    let finished = run(command, b"", LIMIT);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    let mut lines = finished.stderr.lines();
    let ledger = json::parse(lines.next().unwrap()).unwrap();
    let summary = lines.next().unwrap();
    let total = nanoseconds(summary.split_whitespace().nth(1).unwrap());
    let waited = (number(&ledger, "total.waited") * 1e9).round() as u64;
    assert_eq!(total, waited, "{summary}");
    let rows: Vec<(u64, &str)> = lines
        .skip(1)
        .filter(|line| line.contains("the GIL"))
        .map(|line| (nanoseconds(line.split_whitespace().next().unwrap()), line))
        .collect();
    assert_eq!(rows.iter().map(|(ns, _)| ns).sum::<u64>(), waited, "{}", finished.stderr);
    // Who slept waited for the loop that computes; on a busy machine also for the lock to arrive, which is nobody's fault.
    let sum = |from: &dyn Fn(&str) -> bool| {
        let of = |line: &str| {
            line.split_once("the GIL").is_some_and(|(w, b)| w.contains("p.mini:8 in polite") && from(b))
        };
        rows.iter().filter(|(_, line)| of(line)).map(|(ns, _)| *ns).sum::<u64>()
    };
    let (all, burning) = (sum(&|line| !line.contains("(nobody")), sum(&|line| line.contains("in burn")));
    assert!(all > 0 && burning as f64 >= 0.95 * all as f64, "{burning} of {all}: {}", finished.stderr);
}

#[test]
fn a_lock_is_waited_for_because_of_the_line_that_frees_it() {
    if skipped("a_lock_is_waited_for_because_of_the_line_that_frees_it") {
        return;
    }
    let folder = scratch("blame-lock");
    let program = "import threading, time
lock = threading.Lock()
def hold():
    lock.acquire()
    ready.set()
    time.sleep(0.2)
    lock.release()
ready = threading.Event()
holder = threading.Thread(target=hold)
holder.start()
ready.wait()
lock.acquire()
";
    std::fs::write(folder.join("p.mini"), program).unwrap();
    let mut command = mini_command(None);
    command.args(["--blame", "p.mini"]).current_dir(&folder);
    let finished = run(command, b"", LIMIT);
    let row =
        finished.stderr.lines().find(|l| l.contains("p.mini:12 in <module>") && l.contains("lock.acquire"));
    let row = row.unwrap_or_else(|| panic!("{}", finished.stderr));
    assert!(
        row.contains("p.mini:7 in hold") && nanoseconds(row.split_whitespace().next().unwrap()) > 100_000_000,
        "{row}"
    );
}
