//! Memory that runs out: MemoryError, which can be caught, in a process that lives on and has the memory back.

mod support;

use std::time::Duration;
use support::{mini_command, python_stands_in, run};

const LIMIT: Duration = Duration::from_secs(60);

/// Runs `body` (the lines of a function that must raise MemoryError) under a heap of 64 MiB, twice, then allocates.
#[track_caller]
fn runs_out(body: &str) {
    if python_stands_in() {
        return;
    }
    let body = body.replace('\n', "\n    ");
    let script = format!(
        "def f():\n    {body}\n\
         for i in range(2):\n    try:\n        f()\n        print('no error')\n    except MemoryError:\n        \
         x = [0] * 200000\n        print(len(x))\n        x = None\n"
    );
    for gil in ["time:5ms", "off"] {
        let mut command = mini_command(Some(gil));
        command.args(["--max-heap", "64M", "-c", &script]);
        let finished = run(command, b"", LIMIT);
        assert_eq!(finished.stdout, "200000\n200000\n", "{gil}: {body}\n{}", finished.stderr);
        assert_eq!(finished.code(), 0, "{gil}: {body}\n{}", finished.stderr);
    }
}

#[test]
fn containers_that_grow_for_ever() {
    runs_out("a = []\nwhile True: a.append(1.5)");
    runs_out("a = []\nwhile True: a = [a]");
    runs_out("a = [1]\nwhile True: a.extend(a)");
    runs_out("d = {}\ni = 0\nwhile True:\n    d[i] = i; i += 1");
}

#[test]
fn strings_and_numbers_that_grow_for_ever() {
    runs_out("s = 'ab'\nwhile True: s += s");
    runs_out("x = 3\nwhile True: x = x * x");
}

#[test]
fn generators_that_pile_up_for_ever() {
    runs_out(
        "def g():\n    big = [0] * 1000\n    yield 1\n    yield big\na = []\nwhile True:\n    a.append(g())\n    next(a[-1])",
    );
    runs_out("m = iter([])\nwhile True: m = (x for x in m)");
}

/// CPython 3.11 itself overflows its stack here.
#[test]
fn chains_of_generators_are_as_deep_as_the_recursion_limit() {
    if python_stands_in() {
        return;
    }
    let script = "m = iter([1])\nfor i in range(100000): m = (x for x in m)\nfor f in (next, list, sum, lambda m: m.send(None)):\n    \
                  try:\n        f(m)\n    except RecursionError:\n        print('deep')\n    m = (x for x in m)\n    \
                  for i in range(5000): m = (x for x in m)\n";
    let finished = {
        let mut command = mini_command(None);
        command.args(["-c", script]);
        run(command, b"", LIMIT)
    };
    assert_eq!(
        (finished.code(), finished.stdout.as_str()),
        (0, "deep\ndeep\ndeep\ndeep\n"),
        "{}",
        finished.stderr
    );
}

#[test]
fn absurd_requests() {
    for request in ["[0] * 10**12", "'x' * 10**12", "bytes(10**12)", "list(range(10**12))", "10**(10**10)"] {
        runs_out(&format!("return {request}"));
    }
}

#[test]
fn files_without_an_end() {
    runs_out("return open('/dev/zero', 'rb').read()");
    runs_out("import os\nreturn os.read(os.open('/dev/zero', 0), 10**12)");
}
