//! `mini lab`: what it prints and writes, what it says about bad wishes, and that its figures agree with the kernel's. Verdicts are
//! asked for where they are exact counts; those by time would test how busy the machine is.

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use support::{Finished, finish, loudly, mini_command, python_stands_in, root, run, scratch};

const LIMIT: Duration = Duration::from_secs(600);

/// `mini lab` with these words behind it.
fn lab(words: &[&str]) -> Finished {
    let mut command = mini_command(None);
    command
        .arg("lab")
        .args(words)
        .current_dir(scratch(&format!("lab-{}", words.join("-").replace('/', "_"))));
    run(command, b"", LIMIT)
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// What an expression of Mini says about the results in a folder, which are `r`.
fn ask(folder: &Path, expression: &str) -> String {
    let code = format!("import json; r = json.load(open('results.json')); print({expression})");
    let mut command = mini_command(None);
    command.args(["-c", &code]).current_dir(folder);
    let done = run(command, b"", LIMIT);
    assert_eq!(done.code(), 0, "{expression}: {}", done.stderr);
    done.stdout.trim().to_owned()
}

/// Tags that are open at the end, or closed too often: none in a file that is well-formed.
fn unbalanced(text: &str) -> Vec<String> {
    let mut open: Vec<String> = Vec::new();
    for piece in text.split('<').skip(1) {
        let Some((tag, _)) = piece.split_once('>') else { return vec![piece.to_owned()] };
        let name: String = tag.trim_start_matches('/').chars().take_while(|c| c.is_alphanumeric()).collect();
        if tag.starts_with('/') {
            if open.pop().as_deref() != Some(name.as_str()) {
                return vec![format!("</{name}>")];
            }
        } else if !tag.ends_with('/') && !tag.starts_with('!') && !["meta", "br"].contains(&name.as_str()) {
            open.push(name);
        }
    }
    open
}

#[test]
fn experiments_are_listed_and_shown() {
    if python_stands_in() {
        return;
    }
    let list = lab(&["list"]);
    assert_eq!(list.code(), 0, "{}", list.stderr);
    let names: Vec<&str> = list.stdout.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.len() >= 15, "{names:?}");
    for name in ["cpu", "waiting", "convoy", "battle", "lost", "crash"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
        let shown = lab(&["show", name]);
        assert_eq!(shown.stdout, read(&root().join(format!("lab/{name}.mini"))));
    }
}

#[test]
fn bad_wishes_are_refused() {
    if python_stands_in() {
        return;
    }
    let cases: [(&[&str], &str); 6] = [
        (&["run", "convoi"], "there is no experiment 'convoi'; did you mean 'convoy'?"),
        (&["run", "xyzzy"], "there is no experiment 'xyzzy'; `mini lab list` lists them"),
        (&["run", "crash", "--gil", "sometimes"], "sometimes"),
        (&["run", "crash", "--threads", "0"], "invalid count value: '0'"),
        (&["all"], "needs --out DIR"),
        (&["run", "crash", "--out", "/dev/null/there"], "cannot write to /dev/null/there: Not a directory"),
    ];
    for (words, message) in cases {
        let done = lab(words);
        assert_eq!(done.code(), 2, "{words:?}: {}{}", done.stdout, done.stderr);
        assert!(done.stderr.contains(message), "{words:?}: {}", done.stderr);
    }
}

/// The whole laboratory, shortened: nothing fails, what are exact counts is reproduced, and all files are as they should be.
#[test]
fn all_experiments_run_and_make_a_report() {
    if python_stands_in() {
        return;
    }
    let folder = scratch("lab-report");
    let mut command = mini_command(None);
    command.args(["lab", "all", "--quick", "--out", "report"]).current_dir(&folder);
    let done = run(command, b"", LIMIT);
    assert!(done.status.is_some(), "not at its end after {LIMIT:?}: {}", done.stdout);
    assert!(!done.stderr.contains("Traceback"), "{}", done.stderr);
    let report = folder.join("report");
    assert_eq!(ask(&report, "[e['name'] for e in r['experiments'] if e['reproduced'] == 'failed']"), "[]");
    assert_eq!(ask(&report, "len(r['experiments']) >= 15 and r['stamp']['cores'] > 0"), "True");
    for name in ["pages", "forking", "crash"] {
        let answer = format!("[e['reproduced'] for e in r['experiments'] if e['name'] == '{name}']");
        assert_eq!(ask(&report, &answer), "['yes']", "{name}: {}", done.stdout);
    }
    // Whatever else happens: none is lost where no switch can fall, and none ever with a lock.
    for (key, policy) in
        [("plain", "time:50us"), ("field", "time:5ms"), ("locked", "off"), ("locked", "ticks:7")]
    {
        let lost = format!(
            "[row['{key}'] for e in r['experiments'] if e['name'] == 'lost' for row in e['rows'] if row['policy'] == '{policy}']"
        );
        assert_eq!(ask(&report, &lost), "[0.0]", "{key} under {policy}");
    }
    files_are_well_formed(&report);
    a_browser_shows(&report);
}

fn files_are_well_formed(report: &Path) {
    let pictures = support::files(report, "svg");
    assert!(pictures.len() >= 20, "{pictures:?}");
    for picture in &pictures {
        let text = read(picture);
        assert_eq!(unbalanced(&text), Vec::<String>::new(), "{}", picture.display());
        assert!(!text.contains("nan") && !text.contains("inf\""), "{}", picture.display());
    }
    for table in support::files(report, "csv") {
        let text = read(&table);
        let mut lines = text.lines();
        assert!(lines.next().unwrap().starts_with("label,policy,"), "{}", table.display());
        assert!(lines.next().is_some(), "{} has no row", table.display());
    }
    let page = read(&report.join("report.html"));
    assert_eq!(page.matches("<section ").count(), 15);
    assert_eq!(page.matches("<svg ").count(), pictures.len());
    assert_eq!(page.matches("Published:").count(), 15);
    // Nothing is fetched: the names of namespaces and what the programs say are no addresses of anything to load.
    assert!(!page.contains("src=") && !page.contains("@import") && !page.contains("<link"));
}

fn a_browser_shows(report: &Path) {
    let Some(browser) = ["chromium", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|out| out.status.success()))
    else {
        return loudly("SKIPPED a_browser_shows: there is no chromium");
    };
    let mut command = Command::new(browser);
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom"]);
    command.arg(format!("--user-data-dir={}", scratch("lab-browser").display()));
    command.arg(format!("file://{}", report.join("report.html").display()));
    let done = run(command, b"", Duration::from_secs(180));
    assert_eq!(done.code(), 0, "{}", done.stderr);
    assert_eq!(done.stdout.matches("</section>").count(), 15);
    assert!(!done.stderr.contains("Uncaught"), "{}", done.stderr);
}

/// A run that hangs is killed with everything it has started, and said to have failed.
#[test]
fn what_hangs_is_killed() {
    if python_stands_in() {
        return;
    }
    // Under coop nobody ever takes the GIL from a thread that computes.
    let done = lab(&["run", "convoy", "--gil", "coop", "--limit", "4", "--seconds", "0.1"]);
    assert_eq!(done.code(), 1, "{}{}", done.stdout, done.stderr);
    assert!(done.stdout.contains("error: coop: did not end within 4 s, and was killed"), "{}", done.stdout);
    assert!(done.stdout.contains("shape reproduced: failed"), "{}", done.stdout);
}

/// Whether some process was started with this text on its command line.
fn running(text: &str) -> bool {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries
        .filter_map(|e| std::fs::read_to_string(e.path().join("cmdline")).ok())
        .any(|line| line.contains(text))
}

#[test]
fn an_interruption_keeps_what_there_is() {
    if python_stands_in() {
        return;
    }
    let folder = scratch("lab-interrupted");
    let temporary = folder.join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = mini_command(None);
    command.args([
        "lab",
        "run",
        "crash",
        "convoy",
        "--gil",
        "time:5ms",
        "--seconds",
        "30",
        "--out",
        "report",
    ]);
    command.current_dir(&folder).env("TMPDIR", &temporary);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(120);
    let second = format!("{}/mini-lab-", temporary.display());
    while !(folder.join("report/crash.csv").exists() && running(&second)) {
        assert!(Instant::now() < end, "the second experiment does not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let done = finish(child, Duration::from_secs(60));
    assert_eq!(done.code(), 130, "{}", done.stderr);
    assert!(done.stderr.contains("what was measured until now is in report"), "{}", done.stderr);
    assert!(read(&folder.join("report/report.html")).contains("id=\"crash\""));
    assert!(!running(&second), "something still runs");
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "the temporary folder is still there");
}

/// The same file on CPython, side by side.
#[test]
fn peers_run_the_same_file() {
    if python_stands_in() {
        return;
    }
    if !Path::new("/usr/bin/python3.11").exists() {
        return loudly("SKIPPED peers_run_the_same_file: there is no /usr/bin/python3.11");
    }
    let done = lab(&["run", "crash", "--gil", "time:5ms", "--peers"]);
    assert_eq!(done.code(), 0, "{}{}", done.stdout, done.stderr);
    let lines = done.stdout.lines().filter(|line| line.starts_with("CPython 3.11")).count();
    assert_eq!(lines, 4, "{}", done.stdout);
}

/// One row of an experiment that is run alone, and what the kernel's tools say beside it.
fn cells(stdout: &str, key: &str) -> Vec<f64> {
    let mark = format!("\"{key}\": ");
    stdout
        .lines()
        .filter_map(|line| line.split(&mark).nth(1))
        .map(|rest| rest.split([',', '}']).next().unwrap().parse().unwrap())
        .collect()
}

#[test]
fn the_ledger_agrees_with_the_clock_and_the_kernel() {
    if python_stands_in() {
        return;
    }
    let mut command = mini_command(Some("time:5ms"));
    command.arg(root().join("lab/cpu.mini")).args(["--seconds", "0.4", "--threads", "2"]);
    command.current_dir(scratch("lab-ledger"));
    let done = run(command, b"", LIMIT);
    assert_eq!(done.code(), 0, "{}", done.stderr);
    let [wall, held, waited] = ["seconds", "held", "waited"].map(|key| cells(&done.stdout, key)[1]);
    let [switches, voluntary] = ["switches", "voluntary"].map(|key| cells(&done.stdout, key)[1]);
    let [user, system] = ["user", "system"].map(|key| cells(&done.stdout, key)[1]);
    // One holds the GIL at a time: never longer than the clock says, and hardly ever nobody.
    assert!(held <= wall * 1.02 && held >= wall * 0.7, "held {held} of {wall}");
    // Two threads: while one runs the other waits.
    assert!(waited <= wall * 1.05, "waited {waited} of {wall}");
    // The kernel has counted no more CPU than that, but for what hands the GIL over.
    assert!(user + system <= held * 1.1 + 0.05, "{user} + {system} of CPU, held {held}");
    // Whoever hands over sleeps: the kernel has seen each of these switches, and at most a few others.
    assert!(voluntary >= switches * 0.5, "{switches} switches, {voluntary} seen by the kernel");
}

/// Every hand-over is a system call at least: `strace` counts no fewer than the ledger.
#[test]
fn the_ledger_agrees_with_strace() {
    if python_stands_in() {
        return;
    }
    let traced = Command::new("strace").args(["-qq", "-e", "trace=none", "true"]).output();
    if !traced.is_ok_and(|out| out.status.success()) {
        return loudly("SKIPPED the_ledger_agrees_with_strace: strace is missing, or may not trace");
    }
    let folder = scratch("lab-strace");
    let mut command = Command::new("strace");
    command.args(["-f", "-c", "-o", "calls", "-e", "trace=futex"]).arg(support::mini());
    command.args(["--gil", "time:5ms"]).arg(root().join("lab/cpu.mini"));
    command.args(["--seconds", "0.4", "--threads", "2"]).current_dir(&folder);
    let done = run(command, b"", LIMIT);
    assert_eq!(done.code(), 0, "{}", done.stderr);
    let switches: f64 = cells(&done.stdout, "switches").iter().sum();
    let calls = read(&folder.join("calls"));
    let line = calls.lines().find(|line| line.ends_with("futex")).unwrap_or("0 0 0 0 futex");
    let futexes: f64 = line.split_whitespace().nth(3).unwrap().parse().unwrap();
    assert!(switches > 2.0 && futexes >= switches, "{switches} switches, {futexes} calls of futex:\n{calls}");
}
