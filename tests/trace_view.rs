//! `mini trace view`, in a real browser: the page draws every lane of the trace, and its sums are the ledger's.

mod support;

use mini::trace::json::{self, Json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use support::{loudly, mini_command, python_stands_in, root, run, scratch};

const LIMIT: Duration = Duration::from_secs(180);

fn browser() -> Option<&'static str> {
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find(|name| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success()))
}

/// What the page says about itself: the attributes of its body, after its script has run without a network.
fn attributes(browser: &str, page: &Path) -> String {
    let mut command = Command::new(browser);
    let profile = page.with_extension("profile");
    command.args([
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1400,900",
    ]);
    command.args(["--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=5000", "--dump-dom"]);
    command
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("file://{}#probe", page.display()));
    let finished = run(command, b"", LIMIT);
    let start = finished.stdout.find("<body").unwrap_or_else(|| panic!("no page: {}", finished.stderr));
    finished.stdout[start..].split('>').next().unwrap().to_owned()
}

fn attribute<'a>(body: &'a str, name: &str) -> &'a str {
    let start = body.find(&format!("data-{name}=\"")).unwrap_or_else(|| panic!("no data-{name} in {body}"));
    body[start..].split('"').nth(1).unwrap()
}

fn number(of: &Json, path: &str) -> f64 {
    path.split('.').try_fold(of, |at, key| at.get(key)).and_then(Json::number).unwrap()
}

#[test]
fn the_page_shows_the_whole_trace() {
    if python_stands_in() {
        loudly("SKIPPED the_page_shows_the_whole_trace: CPython writes no traces");
        return;
    }
    let folder = scratch("trace-view");
    let mut command = mini_command(Some("time:5ms"));
    command.args(["--trace", "t.json"]).arg(root().join("tests/traces/mixed.mini")).current_dir(&folder);
    assert_eq!(run(command, b"", LIMIT).code(), 0);
    let mut command = mini_command(None);
    command.args(["trace", "view", "t.json", "-o", "page.html"]).current_dir(&folder);
    let finished = run(command, b"", LIMIT);
    assert_eq!((finished.code(), finished.stdout.as_str()), (0, "page.html\n"), "{}", finished.stderr);
    let page = std::fs::read_to_string(folder.join("page.html")).unwrap();
    for outside in ["src=", "href=", "@import", "url(", "fetch("] {
        assert!(!page.contains(outside), "the page is to need nothing else, but says {outside}");
    }
    let Some(browser) = browser() else {
        loudly("SKIPPED the_page_shows_the_whole_trace: there is no chromium");
        return;
    };
    let body = attributes(browser, &folder.join("page.html"));
    let trace = json::parse(&std::fs::read_to_string(folder.join("t.json")).unwrap()).unwrap();
    let events = trace.get("traceEvents").and_then(Json::list).unwrap();
    let count = |ph: &str, name: Option<&str>| {
        let wanted = |e: &&Json| {
            let text = |key| e.get(key).and_then(Json::text);
            text("ph") == Some(ph) && name.is_none_or(|name| text("name") == Some(name))
        };
        events.iter().filter(wanted).count()
    };
    assert_eq!(attribute(&body, "spans"), count("B", None).to_string());
    assert_eq!(attribute(&body, "arrows"), count("f", None).to_string());
    assert_eq!(attribute(&body, "tasks"), count("B", Some("task")).to_string());
    assert_eq!(attribute(&body, "lanes"), count("M", Some("thread_name")).to_string());
    let processes = trace.get("otherData").and_then(|o| o.get("processes")).and_then(Json::list).unwrap();
    for what in ["held", "waited", "blocked"] {
        let shown: f64 = attribute(&body, what).parse().unwrap();
        let said: f64 = processes.iter().map(|p| number(p, &format!("ledger.total.{what}")) * 1e6).sum();
        assert!(
            (shown - said).abs() <= 1.0 + said * 1e-3,
            "{what}: the page shows {shown} us, the ledger says {said} us"
        );
    }
    assert_eq!(attribute(&body, "colours"), "held waited blocked task step");
    assert!(attribute(&body, "tip").starts_with("running: "), "{body}");
    assert!(
        attribute(&body, "tip").contains("until ") && attribute(&body, "tip").contains("mixed.mini:"),
        "{body}"
    );
    assert!(attribute(&body, "zoomed").parse::<f64>().unwrap() > 1.5, "{body}");
}

#[test]
fn what_is_no_trace_has_no_page() {
    if python_stands_in() {
        loudly("SKIPPED what_is_no_trace_has_no_page: CPython writes no traces");
        return;
    }
    let folder = scratch("trace-view-wrong");
    std::fs::write(folder.join("t.json"), "{\"a\": 1").unwrap();
    let mut command = mini_command(None);
    command.args(["trace", "view", "t.json"]).current_dir(&folder);
    let finished = run(command, b"", LIMIT);
    assert!(finished.code() == 1 && finished.stderr.contains("line 1, column 8"), "{}", finished.stderr);
}
