//! The GIL layer under load: plain OS threads play Mini threads, under every policy, with the policy changing under
//! their feet. Checked: nobody runs beside the holder of a GIL, counts are exact, no wake-up is lost, nothing hangs.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use mini::gil::{self, Cause, Events, LoopKind, Member, PolicySpec, park, park::Wait};

const ALL: &[&str] = &[
    "off",
    "ticks:1",
    "ticks:100",
    "ticks:50,queue=fifo",
    "ticks:10,queue=battle",
    "ticks:10,poll=edge",
    "time:5ms",
    "time:100us",
    "time:50us,queue=fifo",
    "time:1ms,queue=io",
    "time:100us,queue=battle",
    "time:20us,poll=op",
    "coop",
    "coop,queue=fifo",
    "coop,queue=io",
    "coop,queue=battle",
];

/// The world is the process's, so one test at a time; the guard also kills the process if its test hangs.
struct Alone {
    _turn: MutexGuard<'static, ()>,
    done: std::sync::Arc<AtomicBool>,
}

fn alone(name: &'static str) -> Alone {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    let done = std::sync::Arc::new(AtomicBool::new(false));
    let seen = done.clone();
    thread::spawn(move || {
        let limit = Instant::now() + Duration::from_secs(60);
        while !seen.load(Ordering::SeqCst) {
            if Instant::now() > limit {
                eprintln!("{name} hangs under {}; threads:", gil::policy());
                gil::for_each_member(|m| eprintln!("  {} {:?} {:?}", m.name(), m.state(), m.pending()));
                std::process::abort();
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    Alone { _turn: turn, done }
}

impl Drop for Alone {
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
    }
}

fn spec(text: &str) -> PolicySpec {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Runs `body` as a Mini thread.
fn as_member<T>(name: &str, body: impl FnOnce(&'static Member) -> T) -> T {
    let me = gil::register(name, false);
    me.bind_to_this_thread();
    gil::attach(me);
    let result = body(me);
    gil::leave(me);
    result
}

/// Under the policy: runs `n` threads of `body`, and `main` beside them, all as Mini threads.
fn with_threads(
    policy: &str,
    n: usize,
    body: impl Fn(&'static Member, usize) + Sync,
    main: impl FnOnce(&'static Member),
) {
    // First: under `coop`, left by another test, threads that only compute would keep `main` out for ever.
    as_member("setup", |me| gil::set_policy(me, spec(policy)));
    thread::scope(|scope| {
        for i in 0..n {
            let body = &body;
            scope.spawn(move || as_member(&format!("t{i}"), |me| body(me, i)));
        }
        as_member("main", main);
    });
}

/// A millisecond in a blocking call.
fn nap(me: &'static Member) {
    gil::detached(me, Cause::Blocking, || thread::sleep(Duration::from_millis(1)));
}

/// A poll point of a pretended eval loop, one instruction after the last.
fn poll_point(me: &'static Member) -> Events {
    let left = me.tick().load(Ordering::Relaxed) - 1;
    me.tick().store(left, Ordering::Relaxed);
    if me.breaker().load(Ordering::Relaxed) != 0 || left < 0 { gil::poll(me) } else { Events::NONE }
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// What the threads share: a counter that only mutual exclusion keeps exact, and who is in it.
#[derive(Default)]
struct Shared {
    inside: AtomicI64,
    plain: AtomicU64,
    exact: AtomicU64,
}

impl Shared {
    /// One "instruction": whoever is Running does it.
    fn step(&self) {
        let free = gil::loop_kind() == LoopKind::Free;
        let others = self.inside.fetch_add(1, Ordering::SeqCst);
        assert!(free || others == 0, "{others} threads run beside the holder under {}", gil::policy());
        if free {
            self.plain.fetch_add(1, Ordering::SeqCst);
        } else {
            self.plain.store(self.plain.load(Ordering::SeqCst) + 1, Ordering::SeqCst);
        }
        self.exact.fetch_add(1, Ordering::SeqCst);
        self.inside.fetch_sub(1, Ordering::SeqCst);
    }

    fn check(&self) {
        assert_eq!(self.plain.load(Ordering::SeqCst), self.exact.load(Ordering::SeqCst), "updates were lost");
    }
}

fn mixed_work(me: &'static Member, seed: usize, shared: &Shared, stop: &AtomicBool) {
    let mut random = Random(seed as u64 * 7919 + 1);
    while !stop.load(Ordering::Relaxed) {
        shared.step();
        poll_point(me);
        match random.below(400) {
            0..4 => gil::detached(me, Cause::Blocking, || ()),
            4 => gil::detached(me, Cause::Blocking, || thread::sleep(Duration::from_micros(50))),
            5 => gil::yield_now(me),
            6 => gil::stop_the_world(me, |world| {
                let inside = shared.inside.load(Ordering::SeqCst);
                assert_eq!(inside, 0, "somebody runs in a stopped world");
                assert!(world.members().any(|m| std::ptr::eq(m, me)));
            }),
            _ => {}
        }
    }
}

#[test]
fn every_policy_keeps_its_promise() {
    let _alone = alone("every_policy_keeps_its_promise");
    for policy in ALL {
        let (shared, stop) = (Shared::default(), AtomicBool::new(false));
        with_threads(
            policy,
            4,
            |me, i| mixed_work(me, i, &shared, &stop),
            |me| {
                assert_eq!(gil::policy(), spec(policy));
                let end = Instant::now() + Duration::from_millis(60);
                while Instant::now() < end || shared.exact.load(Ordering::SeqCst) < 2000 {
                    nap(me);
                }
                stop.store(true, Ordering::Relaxed);
            },
        );
        shared.check();
    }
}

#[test]
fn a_thousand_live_switches_lose_nothing() {
    let _alone = alone("a_thousand_live_switches_lose_nothing");
    let (shared, stop, switched) = (Shared::default(), AtomicBool::new(false), AtomicUsize::new(0));
    let switching = |me: &'static Member, seed: u64, times: usize| {
        let mut random = Random(seed);
        for _ in 0..times {
            gil::set_policy(me, spec(ALL[random.below(ALL.len() as u64) as usize]));
            assert!(me.pending().has(Events::MODE_CHANGE));
            switched.fetch_add(1, Ordering::SeqCst);
            for _ in 0..random.below(50) {
                shared.step();
                poll_point(me);
            }
            if random.below(3) == 0 {
                gil::detached(me, Cause::Blocking, || thread::sleep(Duration::from_micros(20)));
            }
        }
    };
    with_threads(
        "time:5ms",
        5,
        |me, i| match i {
            0 => switching(me, 99, 500),
            _ => mixed_work(me, i, &shared, &stop),
        },
        |me| {
            switching(me, 17, 500);
            while switched.load(Ordering::SeqCst) < 1000 {
                nap(me);
            }
            stop.store(true, Ordering::Relaxed);
        },
    );
    shared.check();
}

#[test]
fn threads_come_and_go_while_the_world_stops() {
    let _alone = alone("threads_come_and_go_while_the_world_stops");
    for policy in ["off", "time:100us", "ticks:10,queue=fifo"] {
        let (shared, stop) = (Shared::default(), AtomicBool::new(false));
        let born = AtomicU64::new(0);
        with_threads(
            policy,
            3,
            |me, i| {
                while !stop.load(Ordering::Relaxed) {
                    if i == 0 {
                        gil::stop_the_world(me, |_| assert_eq!(shared.inside.load(Ordering::SeqCst), 0));
                    } else {
                        let child = thread::spawn(|| as_member("child", poll_point));
                        born.fetch_add(1, Ordering::SeqCst);
                        gil::detached(me, Cause::Blocking, || child.join().is_ok());
                    }
                    shared.step();
                    poll_point(me);
                }
            },
            |me| {
                while born.load(Ordering::SeqCst) < 50 {
                    nap(me);
                }
                stop.store(true, Ordering::Relaxed);
            },
        );
        shared.check();
    }
    let mut left = 0;
    gil::for_each_member(|_| left += 1);
    assert_eq!(left, 0, "ended threads are still registered");
}

/// A lock on the parking lot, as the runtime builds it: the word says free, held, or held and wanted.
struct ParkedLock(AtomicU16);

impl ParkedLock {
    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    fn acquire(&self, me: &'static Member) {
        loop {
            match self.0.compare_exchange(0, 1, Ordering::SeqCst, Ordering::SeqCst) {
                Ok(_) => return,
                Err(1) if self.0.compare_exchange(1, 2, Ordering::SeqCst, Ordering::SeqCst).is_err() => {
                    continue;
                }
                Err(_) => {}
            }
            match park::wait_on(me, self.key(), || self.0.load(Ordering::SeqCst) == 2, None) {
                Wait::Woken => return,
                Wait::Interrupted => {
                    poll_point(me);
                }
                // Whoever wakes it may be no member of the layer.
                Wait::Changed | Wait::TimedOut | Wait::Stuck => {}
            }
        }
    }

    fn release(&self) {
        if self.0.compare_exchange(1, 0, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return;
        }
        park::wake_one(self.key(), |next| {
            let word = match (next.member, next.more) {
                (None, _) => 0,
                (Some(_), false) => 1,
                (Some(_), true) => 2,
            };
            self.0.store(word, Ordering::SeqCst);
        });
    }
}

#[test]
fn a_lock_that_is_handed_over_excludes_and_never_sleeps_through() {
    let _alone = alone("a_lock_that_is_handed_over_excludes_and_never_sleeps_through");
    for policy in ["off", "time:5ms", "time:20us,queue=fifo", "time:5ms,queue=io", "ticks:3", "coop"] {
        let lock = ParkedLock(AtomicU16::new(0));
        let (inside, entered) = (AtomicI64::new(0), AtomicU64::new(0));
        with_threads(
            policy,
            4,
            |me, _| {
                for _ in 0..300 {
                    lock.acquire(me);
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    poll_point(me);
                    gil::detached(me, Cause::Blocking, || ());
                    entered.fetch_add(1, Ordering::SeqCst);
                    inside.fetch_sub(1, Ordering::SeqCst);
                    lock.release();
                    poll_point(me);
                }
            },
            |_| {},
        );
        assert_eq!(entered.load(Ordering::SeqCst), 1200, "{policy}");
        assert_eq!(lock.0.load(Ordering::SeqCst), 0);
    }
}

/// Sleeps although no member is left who could wake it: here those who do are none.
fn however_long(sleep: impl Fn() -> Wait) -> Wait {
    loop {
        match sleep() {
            Wait::Stuck => {}
            outcome => return outcome,
        }
    }
}

#[test]
fn waits_end_in_order_in_time_and_on_request() {
    let _alone = alone("waits_end_in_order_in_time_and_on_request");
    let order = Mutex::new(Vec::new());
    with_threads(
        "time:5ms",
        3,
        |me, i| {
            while park::sleepers().iter().filter(|(_, key)| *key == 0x1000).count() != i {
                nap(me);
            }
            assert_eq!(however_long(|| park::wait_on(me, 0x1000, || true, None)), Wait::Woken);
            order.lock().unwrap_or_else(|e| e.into_inner()).push(i);
        },
        |me| {
            let short = || Some(Instant::now() + Duration::from_millis(10));
            assert_eq!(park::wait_on(me, 0x2000, || false, None), Wait::Changed);
            let before = Instant::now();
            assert_eq!(park::wait_on(me, 0x2000, || true, short()), Wait::TimedOut);
            assert!(before.elapsed() >= Duration::from_millis(10));
            me.request(Events::ASYNC);
            assert_eq!(park::sleep(me, None), Wait::Interrupted);
            assert!(gil::poll(me).has(Events::ASYNC));
            while park::sleepers().len() < 3 {
                park::sleep(me, short());
            }
            assert_eq!(park::wake(0x3000, 9), 0);
            for woken in 1..=3 {
                assert_eq!(park::wake(0x1000, 1), 1);
                while order.lock().unwrap_or_else(|e| e.into_inner()).len() < woken {
                    park::sleep(me, short());
                }
            }
        },
    );
    assert_eq!(*order.lock().unwrap_or_else(|e| e.into_inner()), [0, 1, 2]);
}

#[test]
fn the_ledger_adds_up_under_a_gil() {
    let _alone = alone("the_ledger_adds_up_under_a_gil");
    let stop = AtomicBool::new(false);
    let start = gil::snapshot();
    let forced =
        || gil::snapshot().total().switches_by(Cause::Forced) - start.total().switches_by(Cause::Forced);
    let mut slept = Duration::ZERO;
    with_threads(
        "time:1ms",
        3,
        |me, _| {
            while !stop.load(Ordering::Relaxed) {
                poll_point(me);
            }
        },
        |me| {
            // Three threads compute, so a waiter asks every millisecond.
            while forced() < 20 {
                gil::detached(me, Cause::Blocking, || {
                    let before = Instant::now();
                    thread::sleep(Duration::from_millis(20));
                    slept += before.elapsed();
                });
            }
            stop.store(true, Ordering::Relaxed);
        },
    );
    let end = gil::snapshot();
    let (wall, held) = (end.wall - start.wall, end.total().held - start.total().held);
    assert!(held <= wall, "the GIL was held for {held} ns in {wall} ns");
    assert!(held * 10 >= wall * 3, "the GIL was held for {held} ns only in {wall} ns");
    let blocked = Duration::from_nanos(end.total().blocked - start.total().blocked);
    assert!(blocked >= slept, "blocked for {blocked:?}, though one thread slept for {slept:?}");
    assert!(end.accounts.iter().any(|a| a.name == "t0" && a.figures.waited > 0));
}

#[test]
fn a_tick_switch_is_counted_as_one() {
    let _alone = alone("a_tick_switch_is_counted_as_one");
    let before = gil::snapshot().total().switches_by(Cause::Tick);
    let switches = || gil::snapshot().total().switches_by(Cause::Tick) - before;
    with_threads(
        "ticks:10,queue=fifo",
        2,
        |me, _| {
            // In turn, ticks force a switch as long as the other one waits.
            while switches() < 100 {
                poll_point(me);
            }
        },
        |_| {},
    );
}
