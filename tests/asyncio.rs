//! The examples of event loops run to their end under every policy. What `asyncio` promises in detail is in tests/scripts/asyncio.

mod support;

use std::time::Duration;
use support::{POLICIES, mini_command, root, run};

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn examples_run() {
    for (name, last) in
        [("producer_consumer", "all four agree: True"), ("crawler", "all three found every page: True")]
    {
        for gil in POLICIES {
            let mut command = mini_command(Some(gil));
            command.arg(root().join(format!("examples/{name}.mini")));
            let done = run(command, b"", LIMIT);
            let printed = done.stdout.lines().last().unwrap_or("");
            assert_eq!((done.code(), printed, done.stderr.as_str()), (0, last, ""), "{name} --gil {gil}");
        }
    }
}

/// What a program prints, under a policy.
fn printed(gil: &str, args: &[&str]) -> String {
    let mut command = mini_command(Some(gil));
    command.args(args);
    let done = run(command, b"", LIMIT);
    assert_eq!((done.code(), done.stderr.as_str()), (0, ""), "--gil {gil} {args:?}: {}", done.stdout);
    done.stdout
}

/// CPython's loops know tasks weakly; here a task that nobody refers to goes on.
const ALONE: &str = "
import asyncio, gc, weakref

async def waits(known, done):
    future = asyncio.get_running_loop().create_future()
    known.append(weakref.ref(future))
    done.append(await future)

async def main():
    known, done = [], []
    for _ in range(100):
        asyncio.create_task(waits(known, done))
    await asyncio.sleep(0)
    for _ in range(3):
        gc.collect()
        garbage = [[i] for i in range(10000)]
    for i, each in enumerate(known):
        each().set_result(i)
    await asyncio.sleep(0)
    print(done == list(range(100)))

asyncio.run(main())
";

#[test]
fn a_task_that_nobody_refers_to_goes_on() {
    for gil in POLICIES {
        assert_eq!(printed(gil, &["-c", ALONE]), "True\n", "--gil {gil}");
    }
}

const MANY: &str = "
import asyncio

async def main(n):
    loop = asyncio.get_running_loop()
    begin, go, woken = loop.time(), loop.create_future(), []

    async def sleeper(place):
        await go
        await asyncio.sleep(begin + place * 1e-6 - loop.time())
        woken.append(place)

    # Neighbours are not made one after the other.
    tasks = [asyncio.create_task(sleeper(i * 7919 % n)) for i in range(n)]
    await asyncio.sleep(0)
    # All of them sleep before the first one wakes.
    begin += 1 + 4 * (loop.time() - begin)
    go.set_result(None)
    await asyncio.gather(*tasks)
    # Between its look at the clock and its sleep, a task may have been kept waiting.
    strays = sum([abs(at - place) > n // 100 for at, place in enumerate(woken)])
    print(len(woken), sorted(woken) == list(range(n)), strays < n // 100)

asyncio.run(main(200_000))
";

#[test]
fn two_hundred_thousand_sleepers_wake_in_order() {
    assert_eq!(printed("time:5ms", &["-c", MANY]), "200000 True True\n");
}

#[test]
fn what_waits_is_small() {
    let script = root().join("benches/scripts/waiting.mini");
    for (kind, most) in [("coroutines", 400.0), ("sleeping_tasks", 600.0)] {
        let said = printed("time:5ms", &[&script.to_string_lossy(), kind, "50000"]);
        let bytes = said.lines().find_map(|line| line.strip_prefix(&format!("row {kind} ")));
        let bytes: f64 = bytes.and_then(|text| text.parse().ok()).unwrap_or(f64::INFINITY);
        assert!(bytes <= most, "{kind}: {bytes} bytes each, at most {most} allowed");
    }
}
