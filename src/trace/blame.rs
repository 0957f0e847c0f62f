//! `--blame`: which line waited for which. A wait for the GIL is charged to the lines at which those let go who held it
//! meanwhile, each its share, to the nanosecond; a wait for a lock or a thread to the line that ended it.

use super::names::Names;
use super::timeline::{self, Span};
use crate::gil::record::Recording;
use crate::gil::{Phase, witness};
use std::collections::HashMap;
use std::fmt::Write;

/// What was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum For {
    Gil,
    /// What this call waits for.
    Call(usize),
}

/// A cell of the matrix: who waited where, for what, and the line that is to blame (0: nobody held it).
type Key = (u32, For, u32);

/// Nanoseconds and number of waits.
type Sum = (u64, u64);

/// So many lines are printed.
const ROWS: usize = 25;

/// The matrix as a table, the longest waits first.
pub fn table(recording: &Recording) -> String {
    let cells = cells(recording);
    let names = Names::new(recording);
    let total = |wanted: bool| {
        let wanted = cells.iter().filter(|((_, what, _), _)| (*what == For::Gil) == wanted);
        wanted.fold((0, 0), |sum: Sum, (_, cell)| (sum.0 + cell.0, sum.1 + cell.1))
    };
    let ((gil, gil_waits), (locks, lock_waits)) = (total(true), total(false));
    let mut out = format!(
        "blame: {} ms waited for the GIL ({gil_waits} times a holder), {} ms for other threads ({lock_waits} waits)\n",
        ms(gil),
        ms(locks)
    );
    if recording.dropped != 0 {
        let _ = writeln!(out, "{} events dropped: the end of the program is not in here", recording.dropped);
    }
    if cells.is_empty() {
        return out;
    }
    let mut rows: Vec<(Key, Sum)> = cells.into_iter().collect();
    rows.sort_by_key(|(key, sum)| (std::cmp::Reverse(sum.0), *key));
    let shown: Vec<[String; 3]> = rows.iter().take(ROWS).map(|(key, _)| words(&names, *key)).collect();
    let wide = |column: usize| shown.iter().map(|words| words[column].len()).max().unwrap_or(0).max(12);
    let (at, what) = (wide(0), wide(1));
    let _ = writeln!(
        out,
        "{:>14} {:>8}  {:<at$}  {:<what$}  to blame",
        "waited ms", "times", "waiting at", "for"
    );
    for ((_, (ns, times)), [waiting, cause, holding]) in rows.iter().zip(&shown) {
        let _ = writeln!(out, "{:>14} {times:>8}  {waiting:<at$}  {cause:<what$}  {holding}", ms(*ns));
    }
    let rest = rows.iter().skip(ROWS).fold((0, 0), |sum: Sum, (_, cell)| (sum.0 + cell.0, sum.1 + cell.1));
    if rest.1 != 0 {
        let _ = writeln!(out, "{:>14} {:>8}  in {} more lines", ms(rest.0), rest.1, rows.len() - ROWS);
    }
    out
}

/// Who waited where, for what, and who is to blame.
fn words(names: &Names, (waiting, what, holding): Key) -> [String; 3] {
    let (what, nobody) = match what {
        For::Gil => ("the GIL".to_owned(), "(nobody: it was on its way)"),
        For::Call(call) => (witness::call_name(call), "(a thread that ended)"),
    };
    [or(names, waiting, "(a thread that begins)"), what, or(names, holding, nobody)]
}

fn or(names: &Names, place: u32, none: &str) -> String {
    if place == 0 { none.to_owned() } else { names.place(place) }
}

/// Milliseconds, exact.
fn ms(ns: u64) -> String {
    format!("{}.{:06}", ns / 1_000_000, ns % 1_000_000)
}

fn cells(recording: &Recording) -> HashMap<Key, Sum> {
    let end = timeline::end_of(recording);
    let all: Vec<Vec<Span>> = recording.tracks.iter().map(|t| timeline::spans(t, end)).collect();
    let mut held: Vec<Span> = all.iter().flatten().filter(|s| s.phase == Phase::Held).copied().collect();
    held.sort_by_key(|s| (s.from, s.to));
    let mut cells = HashMap::new();
    for span in all.iter().flatten() {
        match (span.phase, span.woken) {
            (Phase::Waiting, _) => charge(&mut cells, span, &held),
            (Phase::Blocked, Some((_, place, _))) => {
                add(&mut cells, (span.place, For::Call(span.call), place), span.to - span.from);
            }
            _ => {}
        }
    }
    cells
}

/// Charges a wait for the GIL to those who held it meanwhile.
fn charge(cells: &mut HashMap<Key, Sum>, wait: &Span, held: &[Span]) {
    let mut left = wait.to - wait.from;
    let until = held.partition_point(|s| s.from < wait.to);
    for span in held[..until].iter().rev().take_while(|s| s.to > wait.from) {
        let shared = span.to.min(wait.to) - span.from.max(wait.from);
        let share = shared.min(left);
        left -= share;
        add(cells, (wait.place, For::Gil, span.place), share);
    }
    if left != 0 {
        add(cells, (wait.place, For::Gil, 0), left);
    }
}

fn add(cells: &mut HashMap<Key, Sum>, key: Key, ns: u64) {
    let cell = cells.entry(key).or_default();
    cell.0 += ns;
    cell.1 += 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(from: u64, to: u64, phase: Phase, place: u32) -> Span {
        Span { from, to, phase, place, cause: None, call: 0, after: 0, woken: None }
    }

    #[test]
    fn a_wait_is_shared_out_to_the_nanosecond() {
        let held = [span(0, 40, Phase::Held, 1), span(50, 80, Phase::Held, 2), span(80, 99, Phase::Held, 1)];
        let mut cells = HashMap::new();
        charge(&mut cells, &span(10, 90, Phase::Waiting, 5), &held);
        assert_eq!(cells[&(5, For::Gil, 1)], (30 + 10, 2));
        assert_eq!(cells[&(5, For::Gil, 2)], (30, 1));
        assert_eq!(cells[&(5, For::Gil, 0)], (10, 1));
    }
}
