//! The GIL layer and the process: signals that end waits, and fork with other threads alive.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mini::gil::{self, Cause, Events, Member, park, park::Wait, signal};

/// One test at a time: the world and the signals are the process's.
static TURN: Mutex<()> = Mutex::new(());

fn as_member<T>(name: &str, is_main: bool, body: impl FnOnce(&'static Member) -> T) -> T {
    let me = gil::register(name, is_main);
    me.bind_to_this_thread();
    gil::attach(me);
    let result = body(me);
    gil::leave(me);
    result
}

fn send(signum: i32, to: &'static Member) {
    // SAFETY: plain system call on our own process.
    unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), to.os_id(), signum) };
}

#[test]
fn a_signal_ends_any_wait_of_the_main_thread() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    for policy in ["off", "time:5ms", "coop"] {
        as_member("main", true, |me| {
            gil::set_policy(me, policy.parse().unwrap());
            gil::poll(me);
            signal::install(me).unwrap();
            let later = || {
                thread::spawn(move || {
                    signal::block_signals_in_this_thread();
                    thread::sleep(Duration::from_millis(30));
                    send(libc::SIGINT, me);
                })
            };
            let sender = later();
            let before = Instant::now();
            assert_eq!(park::sleep(me, Some(before + Duration::from_secs(20))), Wait::Interrupted);
            assert!(before.elapsed() < Duration::from_secs(10));
            assert!(gil::poll(me).has(Events::SIGNAL));
            assert_eq!((signal::take_pending(), signal::take_pending()), (Some(libc::SIGINT), None));
            sender.join().unwrap();

            let sender = later();
            let nap = libc::timespec { tv_sec: 20, tv_nsec: 0 };
            // SAFETY: a valid time and no place for the rest.
            let rc =
                gil::detached(me, Cause::Blocking, || unsafe { libc::nanosleep(&nap, std::ptr::null_mut()) });
            assert_eq!(rc, -1, "the system call is interrupted, not restarted");
            assert!(gil::poll(me).has(Events::SIGNAL));
            assert_eq!(signal::take_pending(), Some(libc::SIGINT));
            sender.join().unwrap();

            signal::simulate(libc::SIGINT);
            assert_eq!(park::sleep(me, None), Wait::Interrupted);
            assert!(gil::poll(me).has(Events::SIGNAL));
            assert_eq!(signal::take_pending(), Some(libc::SIGINT));
            signal::restore_default(libc::SIGINT).unwrap();
        });
    }
}

/// What the child tries; a bit is left in the exit code for each thing that is wrong.
fn life_in_the_child(me: &'static Member) -> i32 {
    let mut members = 0;
    gil::for_each_member(|_| members += 1);
    let mut wrong = i32::from(members != 1 || !me.is_main());
    let flag = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            as_member("child of the child", false, |me| {
                flag.store(true, Ordering::SeqCst);
                gil::stop_the_world(me, |_| ());
                while park::wake(0x77, 1) == 0 {
                    gil::detached(me, Cause::Blocking, thread::yield_now);
                }
            });
        });
        let limit = Instant::now() + Duration::from_secs(10);
        wrong |= 2 * i32::from(park::wait_on(me, 0x77, || true, Some(limit)) != Wait::Woken);
        gil::detach(me, Cause::Blocking);
    });
    gil::attach(me);
    wrong |= 4 * i32::from(!flag.load(Ordering::SeqCst));
    for policy in ["off", "ticks:10", "time:1ms,queue=fifo"] {
        gil::set_policy(me, policy.parse().unwrap_or_default());
        gil::poll(me);
        gil::yield_now(me);
    }
    wrong
}

fn fork_and_wait(me: &'static Member) -> i32 {
    let pid = gil::stop_the_world(me, |_| {
        // SAFETY: no other thread is Running and this layer's locks are ours; the child leaves by `_exit`.
        let pid = gil::with_locks_held(|| unsafe { libc::fork() });
        if pid == 0 {
            gil::after_fork_child(me, gil::now());
        }
        pid
    });
    if pid == 0 {
        let wrong = life_in_the_child(me);
        // SAFETY: ends the child at once.
        unsafe { libc::_exit(wrong) };
    }
    let mut status = 0;
    // SAFETY: our own child, and a local for its status.
    gil::detached(me, Cause::Blocking, || unsafe { libc::waitpid(pid, &mut status, 0) });
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { -status }
}

#[test]
fn a_forked_child_has_a_world_of_its_own() {
    let _turn = TURN.lock().unwrap_or_else(|e| e.into_inner());
    for policy in ["off", "time:5ms", "time:1ms,queue=fifo", "ticks:10,queue=battle"] {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let busy = |me: &'static Member| {
                while !stop.load(Ordering::Relaxed) {
                    if me.breaker().load(Ordering::Relaxed) != 0 {
                        gil::poll(me);
                    }
                    gil::detached(me, Cause::Blocking, || ());
                    park::wait_on(me, 0x99, || true, Some(Instant::now() + Duration::from_micros(50)));
                }
            };
            scope.spawn(move || as_member("busy 1", false, busy));
            scope.spawn(move || as_member("busy 2", false, busy));
            as_member("main", true, |me| {
                gil::set_policy(me, policy.parse().unwrap());
                let wrong = (0..10).map(|_| fork_and_wait(me)).find(|code| *code != 0);
                stop.store(true, Ordering::Relaxed);
                assert_eq!(wrong, None, "a child under {policy}");
            });
        });
    }
}
