//! Module `time`: clocks, sleeping, calendar times. Must not know how threads wait.

use super::oserror::os_error;
use super::support::{number, set_int};
use super::{struct_seq, support};
use crate::gil;
use crate::object::mutator::Mutator;
use crate::object::{Exc, Kind, R, Raised, Slot, Value, Word, float, int, str, tuple, types};
use crate::rt::machine;
use crate::rt::syscall::{self, Calendar, Sys};
use crate::rt::wait;
use crate::vm::native::{Args, ModuleDef, NativeDef};
use crate::vm::thread::Thread;

static STRUCT_TIME: Slot = Slot::empty();

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads a clock; those that Mini asks for always exist.
fn clock(id: libc::clockid_t) -> i64 {
    syscall::clock(id).unwrap_or(0)
}

fn as_seconds(m: &mut Mutator, nanoseconds: i64) -> R {
    m.new_float(nanoseconds as f64 / 1e9)
}

macro_rules! clocks {
    ($($seconds:ident $nanoseconds:ident $id:ident)*) => { $(
        fn $seconds(m: &mut Mutator, _: Args) -> R {
            as_seconds(m, clock(libc::$id))
        }

        fn $nanoseconds(m: &mut Mutator, _: Args) -> R {
            m.new_int(clock(libc::$id))
        }
    )* };
}

clocks! {
    time time_ns CLOCK_REALTIME
    monotonic monotonic_ns CLOCK_MONOTONIC
    process_time process_time_ns CLOCK_PROCESS_CPUTIME_ID
    thread_time thread_time_ns CLOCK_THREAD_CPUTIME_ID
}

fn sleep(th: &mut Thread, args: Args) -> R {
    let seconds = number(th, args.get(0), "'{}' object cannot be interpreted as an integer")?;
    if seconds.is_nan() {
        return Err(th.value_error("Invalid value NaN (not a number)"));
    }
    if seconds < 0.0 {
        return Err(th.value_error("sleep length must be non-negative"));
    }
    if seconds == 0.0 {
        th.waiting(gil::yield_now);
        return Ok(Value::NONE);
    }
    let Some(until) = wait::deadline(seconds).filter(|_| seconds < 9.2e9) else {
        return Err(th.raise(Exc::OverflowError, "timestamp too large to convert to C _PyTime_t"));
    };
    wait::sleep_until(th, until)?;
    Ok(Value::NONE)
}

/// The optional argument of `gmtime` and its like as whole seconds; now if it is not there.
fn moment(th: &mut Thread, v: Word) -> R<i64> {
    let Some(v) = v.filter(|v| !v.is_none()) else {
        return Ok(clock(libc::CLOCK_REALTIME).div_euclid(1_000_000_000));
    };
    if let Some(f) = float::as_f64(v) {
        if f.is_nan() {
            return Err(th.value_error("Invalid value NaN (not a number)"));
        }
        if f.abs() >= 9.2e18 {
            return Err(th.raise(Exc::OverflowError, "timestamp out of range for platform time_t"));
        }
        return Ok(f.floor() as i64);
    }
    match int::as_i64(v) {
        Some(n) => Ok(n),
        None if types::kind_of(v) == Kind::Int => {
            Err(th.raise(Exc::OverflowError, "timestamp out of range for platform time_t"))
        }
        None => th.index(v),
    }
}

fn struct_time(th: &mut Thread, at: &Calendar) -> R {
    let tm = &at.tm;
    let n = |n: i32| Value::int_unchecked(i64::from(n));
    let zone = th.new_str(&at.zone)?;
    let offset = th.new_int(tm.tm_gmtoff)?;
    let items = [
        n(tm.tm_year + 1900),
        n(tm.tm_mon + 1),
        n(tm.tm_mday),
        n(tm.tm_hour),
        n(tm.tm_min),
        n(tm.tm_sec),
        n((tm.tm_wday + 6) % 7),
        n(tm.tm_yday + 1),
        n(tm.tm_isdst),
        zone,
        offset,
    ];
    // Zone and offset have names, but no index.
    let made = struct_seq::new(th, &STRUCT_TIME, &items[..9])?;
    for (name, v) in [("tm_zone", zone), ("tm_gmtoff", offset)] {
        let name = th.m.intern(name)?;
        crate::object::shape::set(&mut th.m, made, name, v)?;
    }
    Ok(made)
}

fn calendar(th: &mut Thread, v: Word, local: bool) -> R<Calendar> {
    let seconds = moment(th, v)?;
    syscall::calendar(seconds, local)
        .map_err(|_| th.raise(Exc::OverflowError, "timestamp out of range for platform time_t"))
}

fn gmtime(th: &mut Thread, args: Args) -> R {
    let mut at = calendar(th, args.opt(0), false)?;
    at.zone = "UTC".to_owned();
    struct_time(th, &at)
}

fn localtime(th: &mut Thread, args: Args) -> R {
    let at = calendar(th, args.opt(0), true)?;
    struct_time(th, &at)
}

/// A struct_time, or a tuple of nine ints, as the system has it.
fn calendar_arg(th: &mut Thread, v: Value) -> R<Calendar> {
    let Some(items) = tuple::of(v).map(tuple::slots) else {
        return Err(th.type_error("Tuple or struct_time argument required"));
    };
    if items.len() != 9 {
        return Err(th.type_error("time tuple must have exactly 9 elements"));
    }
    let mut n = [0i32; 9];
    for (to, from) in n.iter_mut().zip(items) {
        *to = support::c_int(th, from.value())?;
    }
    let mut at = syscall::calendar(0, false).map_err(|_| out_of_range(th, "argument"))?;
    at.tm.tm_year = n[0].saturating_sub(1900);
    at.tm.tm_mon = n[1].saturating_sub(1);
    at.tm.tm_mday = n[2];
    at.tm.tm_hour = n[3];
    at.tm.tm_min = n[4];
    at.tm.tm_sec = n[5];
    at.tm.tm_wday = n[6].wrapping_add(1).rem_euclid(7);
    at.tm.tm_yday = n[7].saturating_sub(1);
    at.tm.tm_isdst = n[8];
    let now = syscall::calendar(clock(libc::CLOCK_REALTIME) / 1_000_000_000, true);
    if let Ok(local) = now {
        at.tm.tm_gmtoff = local.tm.tm_gmtoff;
        at.zone = local.zone;
    }
    if let Some(found) = types::kind_of(v).eq(&Kind::Tuple).then(|| zone_of(th, v)).flatten() {
        at.zone = found;
    }
    Ok(at)
}

/// The zone that a struct_time knows.
fn zone_of(th: &mut Thread, v: Value) -> Option<String> {
    if types::class_of(v) != STRUCT_TIME.value() {
        return None;
    }
    let name = th.name("tm_zone").ok()?;
    crate::object::shape::get(v, name).and_then(str::as_str).map(str::to_owned)
}

fn out_of_range(th: &mut Thread, what: &str) -> Raised {
    th.value_error(format!("{what} out of range"))
}

/// A calendar time to be shown must be one; days and months may also be 0, as in a tuple of zeros.
fn checked(th: &mut Thread, mut at: Calendar) -> R<Calendar> {
    let tm = &mut at.tm;
    if tm.tm_mon == -1 {
        tm.tm_mon = 0;
    }
    if tm.tm_mday == 0 {
        tm.tm_mday = 1;
    }
    if tm.tm_yday == -1 {
        tm.tm_yday = 0;
    }
    let ranges = [
        ("month", tm.tm_mon, 11),
        ("day of month", tm.tm_mday, 31),
        ("hour", tm.tm_hour, 23),
        ("minute", tm.tm_min, 59),
        ("seconds", tm.tm_sec, 61),
        ("day of year", tm.tm_yday, 365),
    ];
    match ranges.into_iter().find(|(_, n, most)| !(0..=*most).contains(n)) {
        Some((what, ..)) => Err(out_of_range(th, what)),
        None => Ok(at),
    }
}

fn mktime(th: &mut Thread, args: Args) -> R {
    let at = calendar_arg(th, args.get(0))?;
    match syscall::moment(&at.tm) {
        Ok(seconds) => th.new_float(seconds as f64),
        Err(_) => Err(th.raise(Exc::OverflowError, "mktime argument out of range")),
    }
}

fn shown(th: &mut Thread, v: Word) -> R<Calendar> {
    match v {
        Some(v) => {
            let at = calendar_arg(th, v)?;
            checked(th, at)
        }
        None => calendar(th, None, true),
    }
}

fn in_words(th: &mut Thread, at: &Calendar) -> R {
    let tm = &at.tm;
    let day = DAYS.get((tm.tm_wday as usize + 6) % 7).unwrap_or(&"");
    let month = MONTHS.get(tm.tm_mon as usize).unwrap_or(&"");
    let (mday, hour, min, sec, year) = (tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, tm.tm_year + 1900);
    th.new_str(&format!("{day} {month} {mday:2} {hour:02}:{min:02}:{sec:02} {year}"))
}

fn asctime(th: &mut Thread, args: Args) -> R {
    let at = shown(th, args.opt(0))?;
    in_words(th, &at)
}

fn ctime(th: &mut Thread, args: Args) -> R {
    let at = calendar(th, args.opt(0), true)?;
    in_words(th, &at)
}

fn strftime(th: &mut Thread, args: Args) -> R {
    let Some(format) = str::as_str(args.get(0)) else {
        let class = support::type_name(args.get(0));
        return Err(th.type_error(format!("strftime() argument 1 must be str, not {class}")));
    };
    let at = shown(th, args.opt(1))?;
    match syscall::format_time(format, &at) {
        Some(text) => th.new_str(&text),
        None => Err(th.value_error("embedded null character")),
    }
}

fn tzset(_: &mut Mutator, _: Args) -> R {
    // localtime reads the zone anew by itself.
    Ok(Value::NONE)
}

fn clock_arg(th: &mut Thread, args: Args, of: fn(libc::clockid_t) -> Sys) -> R<i64> {
    let id = support::c_int(th, args.get(0))?;
    of(id).map_err(|errno| os_error(th, errno, None))
}

fn clock_gettime(th: &mut Thread, args: Args) -> R {
    let now = clock_arg(th, args, syscall::clock)?;
    as_seconds(&mut th.m, now)
}

fn clock_gettime_ns(th: &mut Thread, args: Args) -> R {
    let now = clock_arg(th, args, syscall::clock)?;
    th.new_int(now)
}

fn clock_getres(th: &mut Thread, args: Args) -> R {
    let fine = clock_arg(th, args, machine::clock_resolution)?;
    as_seconds(&mut th.m, fine)
}

/// `strptime`: what `datetime` reads, as the fields of a time.
fn strptime(th: &mut Thread, args: Args) -> R {
    let module = crate::vm::import::import_dotted(th, "datetime")?;
    let class = support::get(&mut th.m, module, "datetime").unwrap_or(Value::NONE);
    let format = match args.opt(1) {
        Some(format) => format,
        None => th.m.new_str("%a %b %d %H:%M:%S %Y")?,
    };
    let read = th.call_method(class, "strptime", &[args.get(0), format])?;
    th.call_method(read, "timetuple", &[])
}

pub static MODULE: ModuleDef = ModuleDef {
    name: "time",
    doc: "Clocks, sleeping, calendar times.",
    functions: &[
        NativeDef::data("time", "", time, "Seconds since 1970."),
        NativeDef::data("time_ns", "", time_ns, "Nanoseconds since 1970."),
        NativeDef::data("monotonic", "", monotonic, "Seconds on a clock that never goes back."),
        NativeDef::data("monotonic_ns", "", monotonic_ns, "Nanoseconds on a clock that never goes back."),
        NativeDef::data("perf_counter", "", monotonic, "Seconds on the clock for measuring."),
        NativeDef::data("perf_counter_ns", "", monotonic_ns, "Nanoseconds on the clock for measuring."),
        NativeDef::data("process_time", "", process_time, "Seconds of processor time of the process."),
        NativeDef::data(
            "process_time_ns",
            "",
            process_time_ns,
            "Nanoseconds of processor time of the process.",
        ),
        NativeDef::data("thread_time", "", thread_time, "Seconds of processor time of the thread."),
        NativeDef::data("thread_time_ns", "", thread_time_ns, "Nanoseconds of processor time of the thread."),
        NativeDef::full(
            "clock_gettime",
            "clk_id, /",
            clock_gettime,
            "Seconds on one of the kernel's clocks.",
        ),
        NativeDef::full("clock_gettime_ns", "clk_id, /", clock_gettime_ns, "Nanoseconds on one of them."),
        NativeDef::full("clock_getres", "clk_id, /", clock_getres, "How fine one of them is, in seconds."),
        NativeDef::full("sleep", "seconds, /", sleep, "Wait; other threads run. 0 offers them the GIL."),
        NativeDef::full("gmtime", "seconds=, /", gmtime, "Calendar time in UTC."),
        NativeDef::full("localtime", "seconds=, /", localtime, "Calendar time in the local zone."),
        NativeDef::full("mktime", "tuple, /", mktime, "Seconds since 1970 of a local calendar time."),
        NativeDef::full("asctime", "tuple=, /", asctime, "A calendar time in words."),
        NativeDef::full("ctime", "seconds=, /", ctime, "A moment as local time in words."),
        NativeDef::full("strftime", "format, tuple=, /", strftime, "A calendar time in a format."),
        NativeDef::full("strptime", "string, format=, /", strptime, "The calendar time that a text says."),
        NativeDef::data("tzset", "", tzset, "Take over a change of the time zone."),
    ],
    types: &[],
    init: Some(init),
};

const CLOCKS: [(&str, libc::clockid_t); 7] = [
    ("CLOCK_REALTIME", libc::CLOCK_REALTIME),
    ("CLOCK_MONOTONIC", libc::CLOCK_MONOTONIC),
    ("CLOCK_PROCESS_CPUTIME_ID", libc::CLOCK_PROCESS_CPUTIME_ID),
    ("CLOCK_THREAD_CPUTIME_ID", libc::CLOCK_THREAD_CPUTIME_ID),
    ("CLOCK_MONOTONIC_RAW", libc::CLOCK_MONOTONIC_RAW),
    ("CLOCK_BOOTTIME", libc::CLOCK_BOOTTIME),
    ("CLOCK_TAI", libc::CLOCK_TAI),
];

fn init(th: &mut Thread, module: Value) -> R<()> {
    let fields =
        ["tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst"];
    struct_seq::make_class(th, "time", "struct_time", &fields, &STRUCT_TIME)?;
    support::set(th, module, "struct_time", STRUCT_TIME.value())?;
    // The standard zone is the one of whichever half of the year has no summer time.
    let zones = [1_704_067_200, 1_719_792_000].map(|at| syscall::calendar(at, true).ok());
    let standard = zones.iter().flatten().find(|c| c.tm.tm_isdst == 0).or(zones[0].as_ref());
    let summer = zones.iter().flatten().find(|c| c.tm.tm_isdst > 0);
    let (offset, name) = standard.map_or((0, "UTC"), |c| (c.tm.tm_gmtoff, c.zone.as_str()));
    let (summer_offset, summer_name) = summer.map_or((offset, name), |c| (c.tm.tm_gmtoff, c.zone.as_str()));
    set_int(th, module, "timezone", -offset)?;
    set_int(th, module, "altzone", -summer_offset)?;
    set_int(th, module, "daylight", i64::from(summer.is_some()))?;
    for (name, id) in CLOCKS {
        set_int(th, module, name, i64::from(id))?;
    }
    let names = [th.new_str(name)?, th.new_str(summer_name)?];
    let names = th.new_tuple(&names)?;
    support::set(th, module, "tzname", names)
}
