//! `mini trace check`: whether a trace is what it should be: slices nest, arrows have two ends, and what it shows adds up to the
//! ledger in its head. Reads any trace in Chrome's format.

use super::json::{self, Json};
use super::write::FIRST_TASK;
use std::collections::{BTreeMap, HashMap};

/// So many problems are told.
const TOLD: usize = 20;
/// Seconds by which a trace may differ from the ledger: times are exact, but for their last digit.
const ALLOWED: f64 = 1e-5;

/// A track: process and thread.
type Track = (u64, u64);

#[derive(Default)]
struct Checker {
    problems: Vec<String>,
    /// The open slices of each track, with their beginnings.
    open: BTreeMap<Track, Vec<(String, f64)>>,
    last: BTreeMap<Track, f64>,
    /// Microseconds by track and name of its outermost slices.
    spent: BTreeMap<Track, HashMap<&'static str, (f64, u64)>>,
    arrows: BTreeMap<String, (u32, u32, f64, f64)>,
    slices: usize,
    counters: usize,
}

/// What is wrong with a trace, line by line; or, if nothing is, what it holds.
pub fn check(text: &str) -> Result<String, Vec<String>> {
    let document = json::parse(text).map_err(|problem| vec![problem])?;
    let events = document.get("traceEvents").and_then(Json::list).or_else(|| document.list());
    let Some(events) = events else { return Err(vec!["there is no list traceEvents".to_owned()]) };
    let mut checker = Checker::default();
    for (i, event) in events.iter().enumerate() {
        if let Err(problem) = checker.event(event) {
            checker.problems.push(format!("event {i}: {problem}"));
        }
    }
    let processes = document.get("otherData").and_then(|d| d.get("processes")).and_then(Json::list);
    let dropped = |process: &Json| process.get("dropped").and_then(Json::number).is_some_and(|n| n > 0.0);
    checker.end(!processes.is_some_and(|all| all.iter().any(dropped)));
    for process in processes.unwrap_or_default() {
        checker.against_ledger(process);
    }
    checker.verdict(events.len(), processes.map_or(0, <[Json]>::len))
}

/// What slices of a thread are called, for sums.
fn family(name: &str) -> Option<&'static str> {
    match name {
        "running" => Some("held"),
        "waiting for the GIL" => Some("waited"),
        "stopped" => Some("stopped"),
        name if name.starts_with("blocked") => Some("blocked"),
        _ => None,
    }
}

impl Checker {
    fn event(&mut self, event: &Json) -> Result<(), String> {
        let ph = event.get("ph").and_then(Json::text).ok_or("has no ph")?;
        let number = |key: &str| event.get(key).and_then(Json::number);
        let pid = number("pid").ok_or("has no pid")? as u64;
        if ph == "M" {
            return Ok(());
        }
        let ts = number("ts").filter(|ts| *ts >= 0.0).ok_or("has no ts, or one below 0")?;
        let track = (pid, number("tid").unwrap_or(0.0) as u64);
        match ph {
            "B" | "E" => {
                let last = self.last.insert(track, ts).unwrap_or(0.0);
                if ts < last {
                    return Err(format!(
                        "at {ts} on track {track:?}: earlier than the one before, at {last}"
                    ));
                }
                if ph == "B" { self.begin(event, track, ts) } else { self.finish(event, track, ts) }
            }
            "s" | "f" => self.arrow(event, ph, ts),
            "C" => self.counter(event),
            "X" | "t" | "i" | "I" => Ok(()),
            other => Err(format!("has the unknown ph {other:?}")),
        }
    }

    fn begin(&mut self, event: &Json, track: Track, ts: f64) -> Result<(), String> {
        let name = event.get("name").and_then(Json::text).ok_or("begins a slice without a name")?;
        self.open.entry(track).or_default().push((name.to_owned(), ts));
        self.slices += 1;
        Ok(())
    }

    fn finish(&mut self, event: &Json, track: Track, ts: f64) -> Result<(), String> {
        let open = self.open.entry(track).or_default();
        let Some((name, begun)) = open.pop() else {
            return Err(format!("at {ts} on track {track:?}: ends a slice that never began"));
        };
        if let (true, Some(family)) = (open.is_empty(), family(&name)) {
            let spent = self.spent.entry(track).or_default().entry(family).or_default();
            *spent = (spent.0 + (ts - begun), spent.1 + 1);
        }
        match event.get("name").and_then(Json::text) {
            Some(other) if other != name => Err(format!(
                "at {ts} on track {track:?}: ends {other:?} while {name:?} is open: slices overlap"
            )),
            _ => Ok(()),
        }
    }

    fn arrow(&mut self, event: &Json, ph: &str, ts: f64) -> Result<(), String> {
        let id = match event.get("id") {
            Some(Json::Number(n)) => n.to_string(),
            Some(Json::Text(text)) => text.clone(),
            _ => return Err("is an arrow without an id".to_owned()),
        };
        let arrow = self.arrows.entry(id).or_default();
        if ph == "s" {
            (arrow.0, arrow.2) = (arrow.0 + 1, ts);
        } else {
            (arrow.1, arrow.3) = (arrow.1 + 1, ts);
        }
        Ok(())
    }

    fn counter(&mut self, event: &Json) -> Result<(), String> {
        self.counters += 1;
        match event.get("args") {
            Some(Json::Object(args)) if args.iter().all(|(_, v)| v.number().is_some_and(|n| n >= 0.0)) => {
                Ok(())
            }
            _ => Err("is a counter whose values are no numbers from 0 on".to_owned()),
        }
    }

    /// `complete`: no event was dropped, so every arrow has a beginning.
    fn end(&mut self, complete: bool) {
        for (track, open) in &self.open {
            for (name, ts) in open {
                self.problems.push(format!("track {track:?}: {name:?} begins at {ts} and never ends"));
            }
        }
        for (id, (from, to, start, end)) in &self.arrows {
            // A child that was killed has no part: the arrow to it has no end.
            if *from > 1 || *to > 1 || *from == 0 && complete {
                self.problems.push(format!("arrow {id}: {from} beginnings and {to} ends"));
            } else if *from == 1 && *to == 1 && end < start {
                self.problems.push(format!("arrow {id}: ends at {end}, before it begins at {start}"));
            }
        }
    }

    /// The sums of a process's tracks against its ledger.
    fn against_ledger(&mut self, process: &Json) {
        let pid = process.get("pid").and_then(Json::number).unwrap_or(0.0) as u64;
        if process.get("dropped").and_then(Json::number) != Some(0.0) {
            return;
        }
        let Some(ledger) = process.get("ledger") else { return };
        for thread in ledger.get("threads").and_then(Json::list).unwrap_or_default() {
            let tid = thread.get("id").and_then(Json::number).unwrap_or(0.0) as u64;
            let name = thread.get("name").and_then(Json::text).unwrap_or("?");
            let spent = self.spent.get(&(pid, tid)).cloned().unwrap_or_default();
            for what in ["held", "waited", "blocked", "stopped"] {
                let said = thread.get(what).and_then(Json::number).unwrap_or(0.0);
                let shown = spent.get(what).map_or(0.0, |s| s.0) / 1e6;
                if (said - shown).abs() > ALLOWED.max(said * 1e-3) {
                    self.problems.push(format!(
                        "process {pid}, thread {name:?}: the ledger says {what} {said} s, the slices add up to {shown:.9} s"
                    ));
                }
            }
            let said = thread.get("acquisitions").and_then(Json::number).unwrap_or(0.0);
            let shown = spent.get("held").map_or(0, |s| s.1) as f64;
            if said != shown {
                self.problems.push(format!(
                    "process {pid}, thread {name:?}: the ledger counts {said} acquisitions, the trace shows {shown}"
                ));
            }
        }
    }

    fn verdict(mut self, events: usize, processes: usize) -> Result<String, Vec<String>> {
        let more = self.problems.len().saturating_sub(TOLD);
        if !self.problems.is_empty() {
            self.problems.truncate(TOLD);
            if more != 0 {
                self.problems.push(format!("and {more} more"));
            }
            return Err(self.problems);
        }
        let tasks = self.last.keys().filter(|(_, tid)| *tid > FIRST_TASK).count();
        Ok(format!(
            "{events} events, {processes} processes, {} threads, {tasks} tasks, {} slices, {} arrows, {} counter values",
            self.last.len() - tasks,
            self.slices,
            self.arrows.len(),
            self.counters
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(events: &str) -> String {
        check(&format!("{{\"traceEvents\": [{events}]}}")).err().unwrap_or_default().join("; ")
    }

    #[test]
    fn wrong_traces_are_found_out() {
        let b = r#"{"ph": "B", "pid": 1, "tid": 2, "ts": 5, "name": "running"}"#;
        let e = r#"{"ph": "E", "pid": 1, "tid": 2, "ts": 7}"#;
        assert_eq!(problems(&format!("{b}, {e}")), "");
        assert!(problems(b).contains("never ends"));
        assert!(problems(e).contains("never began"));
        assert!(problems(&format!("{b}, {}", e.replace('7', "4"))).contains("earlier"));
        assert!(problems(&format!("{b}, {}", e.replace("7", "7, \"name\": \"x\""))).contains("overlap"));
        let f = r#"{"ph": "f", "pid": 1, "tid": 2, "ts": 5, "id": 1}"#;
        assert!(problems(f).contains("0 beginnings"));
        assert!(
            problems(&format!("{f}, {}", f.replace("\"f\"", "\"s\"").replace(": 5", ": 6")))
                .contains("before")
        );
        assert!(problems(r#"{"pid": 1}"#).contains("has no ph"));
        assert!(check("{}").is_err() && check("[").is_err() && check("[]").is_ok());
    }
}
