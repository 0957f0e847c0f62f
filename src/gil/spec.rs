//! The policy as a string: `--gil`, `MINI_GIL`, `gil.set()`. Parses, prints, and tells which eval loop is needed.
//! Knows nothing of how a policy works.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A policy, as the user spells it. `FromStr` and `Display` are each other's inverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicySpec {
    /// When a thread may be asked to stop.
    pub kind: PolicyKind,
    /// Who is next.
    pub queue: QueueKind,
    /// Where a switch can happen.
    pub poll: PollKind,
}

/// When a thread may be asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// There is no GIL.
    Off,
    /// After so many instructions (at least 1).
    Ticks(u32),
    /// When a waiter has waited so long (more than 0).
    Time(Duration),
    /// Never.
    Coop,
}

/// Who is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueKind {
    /// Whom the operating system wakes.
    Os,
    /// In order of arrival.
    Fifo,
    /// Threads back from a blocking call first.
    Io,
    /// All wake and race.
    Battle,
    /// Whom a function of the script names.
    User,
    /// Drawn by lot, by a generator with this seed.
    Lottery(u64),
}

/// What `lottery` without a seed means.
pub const DEFAULT_SEED: u64 = 1;

/// Where a switch can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum PollKind {
    /// After any instruction.
    Op = 0,
    /// Where a line begins, and at back-edges.
    Line = 1,
    /// At back-edges and calls.
    Edge = 2,
    /// At calls.
    Call = 3,
}

/// The instantiation of the eval loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LoopKind {
    /// GIL off.
    Free = 0,
    /// Polls at back-edges and calls.
    Locked = 1,
    /// Counts at every instruction, and may poll there.
    Stepped = 2,
}

/// What is wrong with a spelling, in words for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError(pub String);

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SpecError {}

/// What `time` without a duration means, and Mini's default.
pub const DEFAULT_INTERVAL: Duration = Duration::from_millis(5);
/// What `ticks` without a number means.
pub const DEFAULT_TICKS: u32 = 100;

const POLICIES: &str = "off, ticks:N, time:DURATION or coop";

impl Default for PolicySpec {
    fn default() -> PolicySpec {
        PolicySpec::of(PolicyKind::Time(DEFAULT_INTERVAL))
    }
}

impl PolicySpec {
    /// The policy with the options it has if none are given.
    pub const fn of(kind: PolicyKind) -> PolicySpec {
        let poll = match kind {
            PolicyKind::Ticks(_) => PollKind::Op,
            _ => PollKind::Edge,
        };
        PolicySpec { kind, queue: QueueKind::Os, poll }
    }

    /// True unless threads run in parallel.
    pub const fn has_gil(&self) -> bool {
        !matches!(self.kind, PolicyKind::Off)
    }

    /// The eval loop that this policy needs.
    pub const fn loop_kind(&self) -> LoopKind {
        match (self.kind, self.poll) {
            (PolicyKind::Off, _) => LoopKind::Free,
            (PolicyKind::Ticks(_), _) => LoopKind::Stepped,
            (_, PollKind::Edge) => LoopKind::Locked,
            (_, PollKind::Op | PollKind::Line | PollKind::Call) => LoopKind::Stepped,
        }
    }
}

impl FromStr for PolicySpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<PolicySpec, SpecError> {
        let mut parts = text.split(',').map(str::trim);
        let mut spec = PolicySpec::of(parse_kind(parts.next().unwrap_or(""))?);
        let mut seen: Vec<&str> = Vec::new();
        for option in parts {
            let Some((key, value)) = option.split_once('=') else {
                return fail(format!(
                    "bad GIL option '{option}': use queue=os|fifo|io|battle|lottery or poll=op|line|edge|call"
                ));
            };
            let (key, value) = (key.trim(), value.trim());
            match key {
                "queue" => spec.queue = parse_queue(value)?,
                "poll" => spec.poll = parse_poll(value)?,
                _ => return fail(format!("unknown GIL option '{key}': use queue=… or poll=…")),
            }
            if seen.contains(&key) {
                return fail(format!("GIL option '{key}' is given twice"));
            }
            seen.push(key);
        }
        if !spec.has_gil() && !seen.is_empty() {
            return fail("GIL policy 'off' takes no options: without a GIL nobody waits for it".into());
        }
        Ok(spec)
    }
}

fn fail<T>(message: String) -> Result<T, SpecError> {
    Err(SpecError(message))
}

fn parse_kind(text: &str) -> Result<PolicyKind, SpecError> {
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => (name.trim(), Some(value.trim())),
        None => (text, None),
    };
    match (name, value) {
        ("off", None) => Ok(PolicyKind::Off),
        ("coop", None) => Ok(PolicyKind::Coop),
        ("off" | "coop", Some(_)) => fail(format!("GIL policy '{name}' takes no value: write just {name}")),
        ("ticks", None) => Ok(PolicyKind::Ticks(DEFAULT_TICKS)),
        ("ticks", Some(n)) => parse_ticks(n).map(PolicyKind::Ticks),
        ("time", None) => Ok(PolicyKind::Time(DEFAULT_INTERVAL)),
        ("time", Some(d)) => parse_duration(d).map(PolicyKind::Time),
        ("det", _) => fail(format!("GIL policy 'det' is not available yet: use {POLICIES}")),
        ("", None) => fail(format!("empty GIL policy: use {POLICIES}")),
        _ => fail(format!("unknown GIL policy '{name}': use {POLICIES}")),
    }
}

fn parse_queue(text: &str) -> Result<QueueKind, SpecError> {
    match text {
        "os" => Ok(QueueKind::Os),
        "fifo" => Ok(QueueKind::Fifo),
        "io" => Ok(QueueKind::Io),
        "battle" => Ok(QueueKind::Battle),
        "lottery" => Ok(QueueKind::Lottery(DEFAULT_SEED)),
        "user" => Ok(QueueKind::User),
        _ => match text.split_once(':') {
            Some(("lottery", seed)) => parse_seed(seed.trim()).map(QueueKind::Lottery),
            _ => {
                fail(format!("unknown GIL queue '{text}': use queue=os, fifo, io, battle or lottery[:SEED]"))
            }
        },
    }
}

fn parse_seed(text: &str) -> Result<u64, SpecError> {
    let digits_only = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(seed) if digits_only => Ok(seed),
        _ => fail(format!("bad seed '{text}': use a whole number from 0 to {}", u64::MAX)),
    }
}

fn parse_poll(text: &str) -> Result<PollKind, SpecError> {
    match text {
        "op" => Ok(PollKind::Op),
        "line" => Ok(PollKind::Line),
        "edge" => Ok(PollKind::Edge),
        "call" => Ok(PollKind::Call),
        _ => fail(format!("unknown GIL poll point '{text}': use poll=op, line, edge or call")),
    }
}

fn parse_ticks(text: &str) -> Result<u32, SpecError> {
    let digits_only = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse::<u32>() {
        Ok(n) if digits_only && n >= 1 && n <= i32::MAX as u32 => Ok(n),
        _ => fail(format!("bad number of ticks '{text}': use a whole number from 1 to {}", i32::MAX)),
    }
}

const UNITS: [(&str, u64); 4] = [("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000)];

/// The longest interval, in seconds: a year, which is as good as never.
const LONGEST: u64 = 365 * 24 * 3600;

fn parse_duration(text: &str) -> Result<Duration, SpecError> {
    let bad =
        || SpecError(format!("bad duration '{text}': use a number and a unit, like 5ms, 100us, 0.5ms or 1s"));
    let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(bad)?;
    let (number, unit) = text.split_at(split);
    let (_, scale) = UNITS.into_iter().find(|(name, _)| *name == unit).ok_or_else(bad)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits_only = [whole, fraction].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if !digits_only || whole.len() + fraction.len() == 0 {
        return Err(bad());
    }
    let nanos = scaled(whole, fraction, scale).ok_or_else(bad)?;
    match nanos {
        0 => fail(format!("bad duration '{text}': it must be at least 1ns")),
        n if n > LONGEST * 1_000_000_000 => {
            fail(format!("bad duration '{text}': it must be at most {LONGEST}s"))
        }
        n => Ok(Duration::from_nanos(n)),
    }
}

/// `whole.fraction` times `scale`, in integers; digits below a nanosecond are dropped.
fn scaled(whole: &str, fraction: &str, scale: u64) -> Option<u64> {
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let mut nanos = whole.checked_mul(scale)?;
    let mut place = scale;
    for digit in fraction.bytes() {
        place /= 10;
        nanos = nanos.checked_add(u64::from(digit - b'0') * place)?;
    }
    Some(nanos)
}

impl fmt::Display for PolicySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            PolicyKind::Off => f.write_str("off")?,
            PolicyKind::Coop => f.write_str("coop")?,
            PolicyKind::Ticks(n) => write!(f, "ticks:{n}")?,
            PolicyKind::Time(d) => {
                let nanos = d.as_nanos() as u64;
                let largest = UNITS.into_iter().rev().find(|(_, scale)| nanos.is_multiple_of(*scale));
                let (unit, scale) = largest.unwrap_or(("ns", 1));
                write!(f, "time:{}{unit}", nanos / scale)?;
            }
        }
        match self.queue {
            QueueKind::Os => {}
            QueueKind::Fifo => f.write_str(",queue=fifo")?,
            QueueKind::Io => f.write_str(",queue=io")?,
            QueueKind::Battle => f.write_str(",queue=battle")?,
            QueueKind::User => f.write_str(",queue=user")?,
            QueueKind::Lottery(DEFAULT_SEED) => f.write_str(",queue=lottery")?,
            QueueKind::Lottery(seed) => write!(f, ",queue=lottery:{seed}")?,
        }
        match self.poll {
            poll if poll == PolicySpec::of(self.kind).poll => Ok(()),
            PollKind::Op => f.write_str(",poll=op"),
            PollKind::Line => f.write_str(",poll=line"),
            PollKind::Edge => f.write_str(",poll=edge"),
            PollKind::Call => f.write_str(",poll=call"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> String {
        match text.parse::<PolicySpec>() {
            Ok(spec) => {
                let printed = spec.to_string();
                assert_eq!(printed.parse::<PolicySpec>(), Ok(spec), "{text} does not round-trip");
                printed
            }
            Err(e) => format!("error: {e}"),
        }
    }

    #[test]
    fn spellings_round_trip() {
        for (text, expected) in [
            ("off", "off"),
            ("coop", "coop"),
            ("ticks", "ticks:100"),
            ("ticks:1", "ticks:1"),
            ("ticks:7,poll=edge", "ticks:7,poll=edge"),
            ("ticks:7,poll=op", "ticks:7"),
            ("time", "time:5ms"),
            ("time:0.5ms", "time:500us"),
            ("time:.5us", "time:500ns"),
            ("time:1s, queue=fifo , poll=op", "time:1s,queue=fifo,poll=op"),
            ("time:5ms,queue=os,poll=edge", "time:5ms"),
            ("coop,queue=battle", "coop,queue=battle"),
            ("time:1ms,queue=user", "time:1ms,queue=user"),
            ("time,queue=lottery:1,poll=line", "time:5ms,queue=lottery,poll=line"),
            ("coop,queue=lottery: 7,poll=call", "coop,queue=lottery:7,poll=call"),
        ] {
            assert_eq!(canonical(text), expected);
        }
    }

    #[test]
    fn bad_spellings_say_what_is_allowed() {
        for (text, part) in [
            ("", "empty GIL policy: use off"),
            ("on", "unknown GIL policy 'on': use off, ticks:N, time:DURATION or coop"),
            ("off,poll=op", "takes no options"),
            ("off:3", "takes no value"),
            ("det:7", "not available yet"),
            ("time:5ms,queue=lottery:", "bad seed ''"),
            ("time:5ms,queue=lottery:-1", "whole number from 0"),
            ("time:5ms,queue=fifo:1", "unknown GIL queue 'fifo:1'"),
            ("time:5ms,poll=word", "use poll=op, line, edge or call"),
            ("time:5", "use a number and a unit"),
            ("time:5m", "use a number and a unit"),
            ("time:-5ms", "use a number and a unit"),
            ("time:1e3ms", "use a number and a unit"),
            ("time:99999999999999999999s", "use a number and a unit"),
            ("time:999999999s", "at most"),
            ("time:0s", "at least 1ns"),
            ("time:.ms", "use a number and a unit"),
            ("ticks:0", "whole number from 1"),
            ("ticks:+5", "whole number from 1"),
            ("ticks:99999999999", "whole number from 1"),
            ("time:5ms,", "bad GIL option ''"),
            ("time:5ms,hue=red", "unknown GIL option 'hue'"),
            ("time:5ms,poll=op,poll=op", "given twice"),
            ("time:5ms,queue=lifo", "use queue=os, fifo, io, battle or lottery"),
        ] {
            let said = canonical(text);
            assert!(said.starts_with("error: ") && said.contains(part), "{text:?} says {said:?}");
        }
    }

    #[test]
    fn the_loop_follows_from_the_policy() {
        for (text, kind) in [
            ("off", LoopKind::Free),
            ("coop", LoopKind::Locked),
            ("time:5ms", LoopKind::Locked),
            ("time:5ms,poll=op", LoopKind::Stepped),
            ("ticks:5", LoopKind::Stepped),
            ("ticks:5,poll=edge", LoopKind::Stepped),
            ("coop,poll=line", LoopKind::Stepped),
            ("time:5ms,poll=call", LoopKind::Stepped),
        ] {
            assert_eq!(text.parse::<PolicySpec>().map(|s| s.loop_kind()), Ok(kind));
        }
    }
}
