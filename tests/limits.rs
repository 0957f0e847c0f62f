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
fn garbage_of_an_iteration_inside_a_native_does_not_count() {
    if python_stands_in() {
        return;
    }
    for gil in ["time:5ms", "off"] {
        let mut command = mini_command(Some(gil));
        let script =
            "print(sum(map(len, map(str, range(10**6)))), all(zip(range(1, 10**6), map(str, range(10**6)))))";
        command.args(["--max-heap", "16M", "-c", script]);
        let finished = run(command, b"", LIMIT);
        assert_eq!(
            (finished.stdout.as_str(), finished.code()),
            ("5888890 True\n", 0),
            "{gil}: {}",
            finished.stderr
        );
    }
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

/// The crate of big integers panics where memory runs out: it must not be asked for what there is no room for.
#[test]
fn numbers_beyond_all_memory() {
    runs_out("return 10**30 ** 10**9");
    runs_out("return (1 << 10**8) * (1 << 10**8) << 10**8");
    runs_out("return int('f' * 10**7, 32) ** 100");
    runs_out("x = 1 << 10**8\nwhile True: x *= x");
    runs_out("import math\nreturn math.factorial(10**9)");
    runs_out("import math\nreturn math.comb(10**9, 5 * 10**8)");
    runs_out("import math\nreturn math.perm(10**9, 10**8)");
    runs_out("return (3).to_bytes(10**9, 'big')");
    runs_out("return int.from_bytes(bytes(3 * 10**7), 'big')");
    runs_out("return hex(1 << 10**8)");
    runs_out("import random\nreturn random.getrandbits(10**9)");
}

/// The same where it is the system that allows the process less than the heap may take.
#[test]
#[cfg(target_os = "linux")]
fn numbers_beyond_what_the_system_gives() {
    if python_stands_in() {
        return;
    }
    let script = "import math, random\nx = 1 << 8 * 10**8\n\
        for f in (lambda: x * x, lambda: int('1' * 10**9, 16), lambda: x ** 2, lambda: 3 ** 10**10, lambda: 1 << 10**10, lambda: hex(x),\n          \
        lambda: math.isqrt(x * 2), lambda: int.from_bytes(bytes(3 * 10**8), 'big'), lambda: random.getrandbits(10**10)):\n    \
        try:\n        f()\n    except MemoryError:\n        pass\n\
        print(hash(x) > 0, x > 1.5, x.bit_length())\n";
    let finished = with_little_address_space(script);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert_eq!(finished.stdout, "True True 800000001\n", "{}", finished.stderr);
}

#[cfg(target_os = "linux")]
fn with_little_address_space(script: &str) -> support::Finished {
    let mini = mini_command(None);
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", "ulimit -v 2000000; exec \"$0\" -c \"$1\""]);
    shell.arg(mini.get_program()).arg(script);
    run(shell, b"", LIMIT)
}

/// What natives put together before it is an object, and what messages quote, must be asked for as well.
#[test]
#[cfg(target_os = "linux")]
fn texts_beyond_what_the_system_gives() {
    if python_stands_in() {
        return;
    }
    let long = [
        "float('0.000e+00' * 0x16b8500)",
        "int(b'x' * 214_000_000)",
        "repr('\\0' * 200_000_000)",
        "repr(bytearray(200_000_000))",
        "ascii('\\U0001f600' * 50_000_000)",
        "b'x' * 1_500_000_000",
        "bytes(1_900_000_000)",
        "'x'.ljust(1_500_000_000)",
        "'%1500000000d' % 3",
        "'%.1500000000d' % 3",
        "format(3, '1500000000d')",
        "format(1.5, '.1500000000f')",
        "(b'x' * 1_000_000).replace(b'x', b'y' * 1000)",
        "('x' * 1_000_000).translate({120: 'y' * 1000})",
        "('\\t' * 1_000_000).expandtabs(1500)",
        "getattr(3, 'y' * 200_000_000)",
        "json.dumps(['\\0' * 100_000_000])",
        "json.dumps({'k': [1] * 1000}, indent='i' * 1_000_000)",
        "re.sub('x', 'y' * 1000, 'x' * 1_000_000)",
        "random.randbytes(1_500_000_000)",
        "zlib.decompress(zlib.compress(bytes(200_000_000)))",
    ];
    for code in long {
        let script = format!(
            "import json, random, re, zlib\ntry:\n    {code}\nexcept (MemoryError, ValueError, AttributeError):\n    pass\nprint('told')\n"
        );
        let finished = with_little_address_space(&script);
        assert_eq!((finished.code(), finished.stderr.as_str()), (0, ""), "{code}");
        assert_eq!(finished.stdout, "told\n", "{code}");
    }
}
