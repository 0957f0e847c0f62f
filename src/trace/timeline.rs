//! What each thread's time went to, as spans, from what the GIL layer wrote down. Knows no format.

use crate::gil::record::{Event, Recording, Track, What};
use crate::gil::{Cause, Phase};

/// A stretch of one thread's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: u64,
    pub to: u64,
    pub phase: Phase,
    /// The line: of a stretch that it ran, where it let go; of others, where it had let go.
    pub place: u32,
    /// Why it let go at the end of a stretch that it ran.
    pub cause: Option<Cause>,
    /// The call that it was blocked in.
    pub call: usize,
    /// The thread that had the GIL before, if it came from another.
    pub after: u64,
    /// Which thread ended a wait, at which line and when.
    pub woken: Option<(u64, u32, u64)>,
}

/// When nothing is known any more.
pub fn end_of(recording: &Recording) -> u64 {
    if recording.dropped == 0 { recording.end } else { recording.dropped_from.min(recording.end) }
}

/// A thread's time from its first turn to its end, or to `end`.
pub fn spans(track: &Track, end: u64) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut open: Option<Span> = None;
    for event in &track.events {
        let Some(next) = after(event, open.as_ref()) else {
            if let (What::Woken { by, place }, Some(open)) = (event.what, &mut open) {
                open.woken = Some((by, place, event.at));
            }
            continue;
        };
        if event.at > end {
            break;
        }
        if let Some(mut span) = open {
            if let What::LetGo { cause, place, .. } = event.what {
                (span.cause, span.place) = (Some(cause), place);
            }
            close(&mut spans, span, event.at);
        }
        open = (next.phase != Phase::Away).then_some(next);
    }
    if let Some(span) = open {
        close(&mut spans, span, end);
    }
    spans
}

/// The span that an event begins.
fn after(event: &Event, open: Option<&Span>) -> Option<Span> {
    let place = open.map_or(0, |span| span.place);
    let begins = |phase| Span {
        from: event.at,
        to: event.at,
        phase,
        place,
        cause: None,
        call: 0,
        after: 0,
        woken: None,
    };
    match event.what {
        What::LetGo { phase, place, call, .. } => Some(Span { place, call, ..begins(phase) }),
        What::Turn(phase) => Some(begins(phase)),
        What::Acquired { from } => Some(Span { after: from, place: 0, ..begins(Phase::Held) }),
        _ => None,
    }
}

fn close(spans: &mut Vec<Span>, span: Span, at: u64) {
    let to = at.max(span.from);
    match spans.last_mut() {
        // The world was stopped twice in a row.
        Some(last) if last.phase == span.phase && span.phase == Phase::Stopped => last.to = to,
        _ => spans.push(Span { to, ..span }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn track(events: &[(u64, What)]) -> Track {
        let events = events.iter().map(|(at, what)| Event { at: *at, what: *what }).collect();
        Track { id: 1, os_id: 1, name: "t".to_owned(), events }
    }

    #[test]
    fn spans_follow_one_another_and_say_where_they_ended() {
        let let_go = What::LetGo { cause: Cause::Blocking, phase: Phase::Blocked, place: 7, call: 3 };
        let exit = What::LetGo { cause: Cause::Exit, phase: Phase::Away, place: 9, call: 0 };
        let spans = spans(
            &track(&[
                (10, What::Acquired { from: 0 }),
                (20, let_go),
                (25, What::Woken { by: 2, place: 4 }),
                (30, What::Turn(Phase::Waiting)),
                (45, What::Acquired { from: 2 }),
                (50, exit),
                (51, What::Turn(Phase::Away)),
            ]),
            100,
        );
        let short: Vec<_> = spans.iter().map(|s| (s.from, s.to, s.phase, s.place)).collect();
        let expected = [
            (10, 20, Phase::Held, 7),
            (20, 30, Phase::Blocked, 7),
            (30, 45, Phase::Waiting, 7),
            (45, 50, Phase::Held, 9),
        ];
        assert_eq!(short, expected);
        assert_eq!(spans[1].woken, Some((2, 4, 25)));
        assert_eq!((spans[3].after, spans[3].cause), (2, Some(Cause::Exit)));
    }

    #[test]
    fn what_is_open_ends_with_the_recording() {
        let spans = spans(&track(&[(10, What::Acquired { from: 0 })]), 40);
        assert_eq!(spans.iter().map(|s| (s.from, s.to)).collect::<Vec<_>>(), [(10, 40)]);
    }
}
