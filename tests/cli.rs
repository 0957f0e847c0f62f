//! The command line as a user meets it: what runs, what is refused with which message, and the exit codes.
//! Where CPython has the same feature, its behaviour is the expectation (MINI=/usr/bin/python3.11 runs these tests on it).

mod support;

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use support::{Finished, finish, loudly, mini_command, python_stands_in, run, scratch};

const LIMIT: Duration = Duration::from_secs(20);

fn mini(args: &[&str]) -> Finished {
    mini_with(args, "")
}

fn mini_with(args: &[&str], stdin: &str) -> Finished {
    let mut command = mini_command(None);
    command.args(args);
    run(command, stdin.as_bytes(), LIMIT)
}

fn mini_in(folder: &Path, args: &[&str]) -> Finished {
    let mut command = mini_command(None);
    command.args(args).current_dir(folder);
    run(command, b"", LIMIT)
}

/// Asserts stdout and exit code, showing stderr when they are wrong.
#[track_caller]
fn expect(finished: &Finished, stdout: &str, code: i32) {
    assert_eq!(finished.stdout, stdout, "stderr: {}", finished.stderr);
    assert_eq!(finished.code(), code, "stderr: {}", finished.stderr);
}

/// Asserts a refusal: the exit code, a message that holds this text, and no sign of a panic.
#[track_caller]
fn expect_refusal(finished: &Finished, code: i32, message: &str) {
    assert!(finished.stderr.contains(message), "{message:?} is not in: {}", finished.stderr);
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
    assert_eq!(finished.code(), code, "stderr: {}", finished.stderr);
}

/// For tests of what CPython does not have.
fn on_mini_only(what: &str) -> bool {
    if python_stands_in() {
        loudly(&format!("SKIPPED {what}: CPython has no such thing"));
    }
    !python_stands_in()
}

fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

// ---- modules that are commands

#[test]
fn json_tool_checks_and_lays_out() {
    let tool = |args: &[&str], input| mini_with(&[&["-m", "json.tool"], args].concat(), input);
    let text = "{\"b\": [1, 2], \"a\": \"\u{e9}\"}";
    expect(
        &tool(&[], text),
        "{\n    \"b\": [\n        1,\n        2\n    ],\n    \"a\": \"\\u00e9\"\n}\n",
        0,
    );
    let compact = ["--compact", "--sort-keys", "--no-ensure-ascii"];
    expect(&tool(&compact, text), "{\"a\":\"\u{e9}\",\"b\":[1,2]}\n", 0);
    expect(&tool(&["--json-lines", "--no-indent"], "1\n[2, 3]\n"), "1\n[2, 3]\n", 0);
    expect_refusal(&tool(&[], "{\"b\":\n"), 1, "Expecting value: line 2 column 1");
    expect_refusal(&tool(&["nosuch.json"], ""), 2, "can't open 'nosuch.json'");
    let folder = scratch("json_tool");
    let path = write(&folder, "same.json", "[1]");
    expect(&tool(&[&path, &path], ""), "", 0);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "[\n    1\n]\n");
}

#[test]
fn timeit_measures_from_the_shell() {
    let timeit = |args: &[&str]| mini(&[&["-m", "timeit"], args].concat());
    let measured = timeit(&["-n", "10", "-r", "3", "-s", "a = 5", "-u", "usec", "a + 1", "a + 2"]);
    assert!(measured.stdout.starts_with("10 loops, best of 3: "), "{}", measured.stdout);
    assert!(measured.stdout.ends_with(" usec per loop\n"), "{}", measured.stdout);
    assert_eq!(measured.code(), 0);
    expect(&timeit(&["-z"]), "option -z not recognized\nuse -h/--help for command line help\n", 2);
    expect_refusal(&timeit(&["-u", "years", "pass"]), 2, "Unrecognized unit");
    expect_refusal(&timeit(&["-n", "1", "1 / 0"]), 1, "ZeroDivisionError: division by zero");
}

// ---- where the program comes from

#[test]
fn a_file_gets_its_arguments() {
    let folder = scratch("file_arguments");
    let script = write(&folder, "s.py", "import sys\nprint(sys.argv[1:], __name__)\n");
    expect(&mini(&[&script, "a", "-c", "--gil"]), "['a', '-c', '--gil'] __main__\n", 0);
    let script = write(&folder, "argv0.py", "import sys\nprint(sys.argv)\n");
    expect(&mini(&[&script]), &format!("['{script}']\n"), 0);
}

#[test]
fn a_command_gets_its_arguments() {
    expect(&mini(&["-c", "import sys; print(sys.argv)", "a", "-b"]), "['-c', 'a', '-b']\n", 0);
    expect(&mini(&["-c", "print(1)\nprint(2)"]), "1\n2\n", 0);
    expect(&mini(&["-cprint(3)"]), "3\n", 0);
    expect(&mini(&["-c", "pass"]), "", 0);
    expect(&mini(&["-c", ""]), "", 0);
}

#[test]
fn stdin_is_a_script() {
    expect(&mini_with(&["-", "a", "b"], "import sys\nprint(sys.argv)\n"), "['-', 'a', 'b']\n", 0);
    expect(&mini_with(&[], "print('from stdin')\n"), "from stdin\n", 0);
    let failed = mini_with(&["-"], "x = 1\nraise KeyError('a')\n");
    expect_refusal(&failed, 1, "File \"<stdin>\", line 2, in <module>");
    assert_eq!(failed.last_error(), "KeyError: 'a'");
}

#[test]
fn a_module_runs_as_main() {
    let folder = scratch("modules");
    write(&folder, "tool.py", "import sys\nprint(__name__, sys.argv[1:])\n");
    write(&folder, "pkg/__init__.py", "print('init', __name__)\n");
    write(&folder, "pkg/__main__.py", "print('main', __name__)\n");
    write(&folder, "pkg/sub.py", "print('sub', __name__)\n");
    expect(&mini_in(&folder, &["-m", "tool", "x"]), "__main__ ['x']\n", 0);
    expect(&mini_in(&folder, &["-m", "pkg"]), "init pkg\nmain __main__\n", 0);
    expect(&mini_in(&folder, &["-m", "pkg.sub"]), "init pkg\nsub __main__\n", 0);
    expect_refusal(&mini_in(&folder, &["-m", "nosuch"]), 1, "No module named nosuch");
}

#[test]
fn a_folder_runs_its_main() {
    let folder = scratch("folder");
    write(&folder, "app/__main__.py", "import helper\nprint('main', helper.x)\n");
    write(&folder, "app/helper.py", "x = 7\n");
    expect(&mini_in(&folder, &["app"]), "main 7\n", 0);
    std::fs::create_dir(folder.join("empty")).unwrap();
    expect_refusal(&mini_in(&folder, &["empty"]), 1, "can't find '__main__' module in");
}

// ---- what cannot run

#[test]
fn files_that_cannot_be_opened() {
    let missing = mini(&["/no/such/file.mini"]);
    expect_refusal(&missing, 2, "can't open file '/no/such/file.mini': [Errno 2] No such file or directory");
    let folder = scratch("unreadable");
    let file = write(&folder, "plain", "print(1)\n");
    expect_refusal(&mini(&[&format!("{file}/x.mini")]), 2, "[Errno 20] Not a directory");
}

#[test]
fn a_binary_file_is_refused() {
    let folder = scratch("binary");
    let path = folder.join("binary.mini");
    std::fs::write(&path, b"\x7fELF\x02\x01\x01\x00\x00\xff\xfe\x00").unwrap();
    expect_refusal(&mini(&[&path.display().to_string()]), 1, "SyntaxError: ");
    std::fs::write(&path, b"x = '\xff\xfe'\n").unwrap();
    expect_refusal(&mini(&[&path.display().to_string()]), 1, "SyntaxError: ");
    std::fs::write(&path, b"x = 1\0\n").unwrap();
    let null = mini(&[&path.display().to_string()]);
    // CPython 3.11 reads such a file up to the NUL; later versions refuse it.
    assert!([0, 1].contains(&null.code()) && !null.stderr.contains("panicked"), "{}", null.stderr);
}

#[test]
fn a_syntax_error_is_shown_with_its_place() {
    let folder = scratch("syntax");
    let path = write(&folder, "bad.py", "x = 1\nprint(x\n");
    let failed = mini(&[&path]);
    expect_refusal(&failed, 1, &format!("  File \"{path}\", line 2\n    print(x\n         ^\n"));
    assert_eq!(failed.last_error(), "SyntaxError: '(' was never closed");
    expect_refusal(&mini(&["-c", "1 +"]), 1, "SyntaxError: invalid syntax");
    expect_refusal(&mini(&["-c", "if 1:\npass"]), 1, "IndentationError: expected an indented block");
}

#[test]
fn unknown_flags_are_refused() {
    for flag in ["--bogus", "-Z", "--gill=off"] {
        let refused = mini(&[flag]);
        expect_refusal(&refused, 2, flag.trim_start_matches('-').split('=').next().unwrap());
        assert_eq!(refused.stdout, "");
    }
    expect_refusal(&mini(&["-c"]), 2, "-c");
    expect_refusal(&mini(&["-m"]), 2, "-m");
}

// ---- exit codes

#[test]
fn sys_exit_chooses_the_code() {
    for (argument, code) in
        [("", 0), ("None", 0), ("0", 0), ("3", 3), ("256", 0), ("300", 44), ("-1", 255), ("True", 1)]
    {
        let finished = mini(&["-c", &format!("import sys; sys.exit({argument})")]);
        expect(&finished, "", code);
        assert_eq!(finished.stderr, "", "sys.exit({argument})");
    }
    let finished = mini(&["-c", "raise SystemExit('bye')"]);
    expect(&finished, "", 1);
    assert_eq!(finished.stderr, "bye\n");
    let finished = mini(&["-c", "import sys; sys.exit((1, 'a'))"]);
    assert_eq!((finished.stderr.as_str(), finished.code()), ("(1, 'a')\n", 1));
}

#[test]
fn output_is_flushed_whatever_the_end() {
    expect(&mini(&["-c", "import sys; print('a', end=''); sys.exit(4)"]), "a", 4);
    expect(&mini(&["-c", "print('a', end=''); 1/0"]), "a", 1);
    expect(&mini(&["-c", "import os; print('a', flush=True); os._exit(5)"]), "a\n", 5);
}

#[test]
fn an_uncaught_exception_ends_with_1() {
    let finished = mini(&["-c", "def f():\n    return 1 / 0\n\n\nf()"]);
    expect(&finished, "", 1);
    let expected = "Traceback (most recent call last):\n  File \"<string>\", line 5, in <module>\n  \
        File \"<string>\", line 2, in f\nZeroDivisionError: division by zero\n";
    let carets = |line: &&str| line.is_empty() || !line.trim().chars().all(|c| "~^".contains(c));
    let shown: Vec<&str> = finished.stderr.lines().filter(carets).collect();
    assert_eq!(shown.join("\n") + "\n", expected);
}

#[test]
fn an_exception_in_a_thread_ends_that_thread_alone() {
    let code = "import threading\ndef f():\n    1 / 0\nt = threading.Thread(target=f)\nt.start()\nt.join()\nprint('on')";
    let finished = mini(&["-c", code]);
    expect(&finished, "on\n", 0);
    assert!(finished.stderr.contains("Exception in thread Thread-1 (f):"), "{}", finished.stderr);
    assert_eq!(finished.last_error(), "ZeroDivisionError: division by zero");
}

// ---- signals and broken outputs

/// Starts a program that says `ready`, interrupts it, and returns how it ended.
fn interrupt(code: &str) -> Finished {
    use std::io::{BufRead, BufReader};
    let mut command = mini_command(None);
    command.args(["-c", code]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    std::thread::sleep(Duration::from_millis(50));
    let id = i32::try_from(child.id()).unwrap();
    // SAFETY: kill() touches no memory; the child has not been waited for, so its id is its own.
    assert_eq!(unsafe { libc::kill(id, libc::SIGINT) }, 0);
    finish(child, LIMIT)
}

#[test]
fn ctrl_c_kills_as_the_signal_does() {
    use std::os::unix::process::ExitStatusExt;
    let ways = [
        ("sleeping", "import time\nprint('ready', flush=True)\ntime.sleep(30)"),
        ("computing", "print('ready', flush=True)\nwhile True:\n    pass"),
        (
            "waiting for a lock",
            "import threading\nl = threading.Lock()\nl.acquire()\nprint('ready', flush=True)\nl.acquire()",
        ),
        ("waiting for a queue", "import queue\nprint('ready', flush=True)\nqueue.Queue().get()"),
        ("reading a pipe", "import os\nr, w = os.pipe()\nprint('ready', flush=True)\nos.read(r, 1)"),
        (
            "joining a thread",
            "import threading, time\nt = threading.Thread(target=lambda: time.sleep(30), daemon=True)\nt.start()\nprint('ready', flush=True)\nt.join()",
        ),
    ];
    for (what, code) in ways {
        let finished = interrupt(code);
        assert_eq!(finished.last_error(), "KeyboardInterrupt", "{what}: {}", finished.stderr);
        let signal = finished.status.and_then(|status| status.signal());
        assert_eq!(signal, Some(libc::SIGINT), "{what}: the shell has to see 130");
    }
}

#[test]
fn ctrl_c_can_be_caught() {
    let code = "import time, sys\nprint('ready', flush=True)\ntry:\n    time.sleep(30)\nexcept KeyboardInterrupt:\n    sys.exit(3)";
    let finished = interrupt(code);
    assert_eq!((finished.code(), finished.stderr.as_str()), (3, ""));
}

#[test]
fn a_reader_that_leaves_is_reported() {
    let mut command = mini_command(None);
    let code = "for i in range(100000):\n    print('line', i)";
    command.args(["-c", code]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let finished = finish(child, LIMIT);
    expect_refusal(&finished, 1, "BrokenPipeError: [Errno 32] Broken pipe");
}

#[test]
fn a_full_disk_is_reported() {
    for code in ["print('x')", "import sys; sys.stdout.write('x'); sys.stdout.flush()"] {
        let mut command = mini_command(None);
        let full = File::options().write(true).open("/dev/full").unwrap();
        command.args(["-c", code]).stdin(Stdio::null()).stdout(full).stderr(Stdio::piped());
        let finished = finish(command.spawn().unwrap(), LIMIT);
        assert!(finished.stderr.contains("[Errno 28] No space left on device"), "{}", finished.stderr);
        // 120 when only the flush at exit fails, 1 when the program itself meets the error.
        assert!([1, 120].contains(&finished.code()), "exit code {}", finished.code());
    }
}

#[test]
fn a_closed_stdout_is_no_crash() {
    use std::os::unix::process::CommandExt;
    let mut command = mini_command(None);
    command.args(["-c", "print(1)"]).stdin(Stdio::null()).stderr(Stdio::piped());
    // SAFETY: close() is async-signal-safe, and nothing in the child uses descriptor 1 before exec.
    unsafe {
        command.pre_exec(|| {
            libc::close(1);
            Ok(())
        });
    }
    let finished = finish(command.spawn().unwrap(), LIMIT);
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
}

// ---- imports

#[test]
fn imports_look_beside_the_script_then_along_the_path() {
    let folder = scratch("search");
    let script = write(&folder, "app/main.py", "import a, b\nprint(a.x, b.x)\n");
    write(&folder, "app/a.py", "x = 'beside'\n");
    write(&folder, "path/a.py", "x = 'path'\n");
    write(&folder, "path/b.py", "x = 'path'\n");
    let mut command = mini_command(None);
    let variable = if python_stands_in() { "PYTHONPATH" } else { "MINIPATH" };
    command.arg(&script).env(variable, folder.join("path"));
    expect(&run(command, b"", LIMIT), "beside path\n", 0);
    expect_refusal(&mini(&[&script]), 1, "ModuleNotFoundError: No module named 'b'");
}

#[test]
fn the_path_may_have_several_folders_and_shadows_the_stdlib() {
    let folder = scratch("several");
    write(&folder, "one/a.py", "x = 1\n");
    write(&folder, "two/b.py", "x = 2\n");
    write(&folder, "two/queue.py", "x = 'mine'\n");
    let mut command = mini_command(None);
    let variable = if python_stands_in() { "PYTHONPATH" } else { "MINIPATH" };
    command.args(["-c", "import a, b, queue; print(a.x, b.x, queue.x)"]);
    command.env(variable, format!("{}:{}", folder.join("one").display(), folder.join("two").display()));
    expect(&run(command, b"", LIMIT), "1 2 mine\n", 0);
}

#[test]
fn mini_files_come_before_py_files() {
    if !on_mini_only("mini_files_come_before_py_files") {
        return;
    }
    let folder = scratch("mini_before_py");
    let script = write(&folder, "main.mini", "import a\nimport b\nprint(a.x, b.x)\n");
    write(&folder, "a.mini", "x = 'mini'\n");
    write(&folder, "a.py", "x = 'py'\n");
    write(&folder, "b.py", "x = 'py'\n");
    expect(&mini(&[&script]), "mini py\n", 0);
}

#[test]
fn packages() {
    let folder = scratch("packages");
    let main = "import pkg.deep.leaf\nfrom pkg import y, sub\nfrom pkg.deep import leaf as l\nprint(pkg.x, y, sub.z, l.w, pkg.deep.leaf.w)\n";
    let script = write(&folder, "main.py", main);
    write(&folder, "pkg/__init__.py", "x = 1\ny = 2\n");
    write(&folder, "pkg/sub.py", "from . import x\nfrom .deep.leaf import w\nz = x + w\n");
    write(&folder, "pkg/deep/__init__.py", "");
    write(&folder, "pkg/deep/leaf.py", "from .. import y\nw = y + 40\n");
    expect(&mini(&[&script]), "1 2 43 42 42\n", 0);
    let script = write(&folder, "wrong.py", "from pkg import nothing\n");
    expect_refusal(&mini(&[&script]), 1, "ImportError: cannot import name 'nothing' from 'pkg'");
}

#[test]
fn a_module_runs_once_and_errors_in_it_are_shown() {
    let folder = scratch("once");
    let script = write(&folder, "main.py", "import a\nimport a\nfrom a import x\nimport b\n");
    write(&folder, "a.py", "print('once')\nx = 1\n");
    write(&folder, "b.py", "def f():\n    raise ValueError('in b')\n\n\nf()\n");
    let finished = mini(&[&script]);
    expect(&finished, "once\n", 1);
    let place =
        format!("  File \"{}\", line 2, in f\n    raise ValueError('in b')\n", folder.join("b.py").display());
    assert!(finished.stderr.contains(&place), "{}", finished.stderr);
    assert_eq!(finished.last_error(), "ValueError: in b");
    let script = write(&folder, "main2.py", "import c\n");
    write(&folder, "c.py", "x = = 1\n");
    expect_refusal(
        &mini(&[&script]),
        1,
        "c.py\", line 1\n    x = = 1\n        ^\nSyntaxError: invalid syntax",
    );
}

// ---- Mini's own options

#[test]
fn help_and_version() {
    if !on_mini_only("help_and_version") {
        return;
    }
    for flag in ["--help", "-h"] {
        let finished = mini(&[flag]);
        assert_eq!((finished.code(), finished.stderr.as_str()), (0, ""));
        for word in [
            "--gil",
            "--stats",
            "--blame",
            "--trace",
            "--max-heap",
            "-c",
            "-m",
            "dis",
            "off",
            "ticks:",
            "time:",
            "coop",
        ] {
            assert!(finished.stdout.contains(word), "{flag} does not mention {word}");
        }
    }
    for flag in ["--version", "-V"] {
        let finished = mini(&[flag]);
        assert!(finished.stdout.contains(env!("CARGO_PKG_VERSION")), "{}", finished.stdout);
        assert_eq!(finished.code(), 0);
    }
}

#[test]
fn gil_policies() {
    if !on_mini_only("gil_policies") {
        return;
    }
    let show = "import gil; print(gil.policy())";
    let policies = [
        "off",
        "ticks:7",
        "time:5ms",
        "time:250us",
        "coop",
        "time:5ms,queue=fifo",
        "ticks:3,queue=battle",
        "coop,queue=io",
        "time:5ms,queue=lottery",
        "coop,queue=lottery:7,poll=line",
        "ticks:3,poll=call",
    ];
    for policy in policies {
        expect(&mini(&["--gil", policy, "-c", show]), &format!("{policy}\n"), 0);
        expect(&mini(&[&format!("--gil={policy}"), "-c", show]), &format!("{policy}\n"), 0);
    }
    expect(&mini(&["-c", show]), "time:5ms\n", 0);
}

#[test]
fn wrong_gil_policies_are_refused() {
    if !on_mini_only("wrong_gil_policies_are_refused") {
        return;
    }
    let wrong = [
        "",
        "on",
        "ticks:",
        "ticks:0",
        "ticks:-1",
        "ticks:x",
        "ticks:99999999999999999999",
        "time:",
        "time:5",
        "time:0ms",
        "time:-1ms",
        "time:5parsecs",
        "coop:1",
        "off:1",
        "off,",
        "coop,queue=",
        "coop,queue=random",
        "coop,queue=user",
        "coop,queue=lottery:x",
        "coop,poll=never",
        "coop,colour=red",
        ",",
        "\u{1F600}",
    ];
    for policy in wrong {
        let flag = mini(&["--gil", policy, "-c", "print('ran')"]);
        assert_eq!((flag.code(), flag.stdout.as_str()), (2, ""), "--gil {policy:?}: {}", flag.stderr);
        assert!(!flag.stderr.trim().is_empty() && !flag.stderr.contains("panicked"), "{}", flag.stderr);
        let mut command = mini_command(None);
        command.args(["-c", "print('ran')"]).env("MINI_GIL", policy);
        let variable = run(command, b"", LIMIT);
        // An empty variable is as good as none.
        let expected = if policy.is_empty() { (0, "ran\n") } else { (2, "") };
        assert_eq!(
            (variable.code(), variable.stdout.as_str()),
            expected,
            "MINI_GIL={policy:?}: {}",
            variable.stderr
        );
    }
    expect_refusal(&mini(&["--gil"]), 2, "--gil");
}

#[test]
fn the_flag_wins_over_the_variable() {
    if !on_mini_only("the_flag_wins_over_the_variable") {
        return;
    }
    let show = ["-c", "import gil; print(gil.policy())"];
    let mut command = mini_command(None);
    command.args(show).env("MINI_GIL", "ticks:9");
    expect(&run(command, b"", LIMIT), "ticks:9\n", 0);
    let mut command = mini_command(Some("coop"));
    command.args(show).env("MINI_GIL", "ticks:9");
    expect(&run(command, b"", LIMIT), "coop\n", 0);
}

#[test]
fn a_wrong_policy_at_run_time_is_an_exception() {
    if !on_mini_only("a_wrong_policy_at_run_time_is_an_exception") {
        return;
    }
    let finished = mini(&["-c", "import gil\ngil.set('sometimes')"]);
    expect_refusal(&finished, 1, "ValueError: ");
    assert!(finished.last_error().contains("sometimes"), "{}", finished.stderr);
}

#[test]
fn a_heap_limit_raises_memory_error() {
    if !on_mini_only("a_heap_limit_raises_memory_error") {
        return;
    }
    let grow = "xs = []\ntry:\n    while True:\n        xs.append([1, 2, 3])\nexcept MemoryError:\n    xs = None\n    print('caught')";
    expect(&mini(&["--max-heap", "32M", "-c", grow]), "caught\n", 0);
    let uncaught = mini(&["--max-heap=32M", "-c", "x = 'a' * 10 ** 9"]);
    expect_refusal(&uncaught, 1, "MemoryError");
    for wrong in ["", "0", "-1", "many", "1X", "99999999999999999999G"] {
        let refused = mini(&["--max-heap", wrong, "-c", "pass"]);
        assert_eq!(refused.code(), 2, "--max-heap {wrong:?}: {}", refused.stderr);
        assert!(!refused.stderr.contains("panicked") && !refused.stderr.is_empty(), "{}", refused.stderr);
    }
}

#[test]
fn deep_recursion_is_an_exception() {
    let finished = mini(&["-c", "def f(n):\n    return f(n + 1)\n\n\nf(0)"]);
    expect_refusal(&finished, 1, "RecursionError: maximum recursion depth exceeded");
    let nested = "x = []\nfor i in range(100000):\n    x = [x]\ntry:\n    repr(x)\nexcept RecursionError:\n    print('caught')";
    expect(&mini(&["-c", nested]), "caught\n", 0);
}

#[test]
fn stats_go_to_stderr() {
    if !on_mini_only("stats_go_to_stderr") {
        return;
    }
    let finished = mini(&["--stats", "-c", "print('out')"]);
    expect(&finished, "out\n", 0);
    assert!(finished.stderr.contains("MainThread"), "{}", finished.stderr);
    let finished = mini(&["--stats=json", "-c", "print('out')"]);
    expect(&finished, "out\n", 0);
    assert!(is_json(finished.stderr.trim()), "{}", finished.stderr);
    assert_eq!(mini(&["--stats=xml", "-c", "pass"]).code(), 2);
}

#[test]
fn dis_prints_bytecode() {
    if !on_mini_only("dis_prints_bytecode") {
        return;
    }
    let folder = scratch("dis");
    let script = write(&folder, "s.mini", "def add(a, b):\n    return a + b\n\n\nprint(add(1, 2))\n");
    let finished = mini(&["dis", &script]);
    assert_eq!(finished.code(), 0, "{}", finished.stderr);
    assert!(finished.stdout.contains("add") && finished.stdout.lines().count() > 5, "{}", finished.stdout);
    assert!(!finished.stdout.contains("\n3\n"), "dis ran the program");
    expect_refusal(&mini(&["dis", "/no/such/file.mini"]), 2, "can't open file '/no/such/file.mini'");
    assert_eq!(mini(&["dis"]).code(), 2);
    let bad = write(&folder, "bad.mini", "x = = 1\n");
    expect_refusal(&mini(&["dis", &bad]), 1, "SyntaxError: invalid syntax");
}

/// Whether the text is one JSON value. Enough of a parser to catch a missing comma or quote.
fn is_json(text: &str) -> bool {
    fn value(text: &str) -> Option<&str> {
        let text = text.trim_start();
        match text.chars().next()? {
            '{' => items(&text[1..], '}', true),
            '[' => items(&text[1..], ']', false),
            '"' => string(text),
            _ => {
                let end = text.find(|c: char| ",]} \n\t".contains(c)).unwrap_or(text.len());
                let word = &text[..end];
                let known = ["true", "false", "null"].contains(&word) || word.parse::<f64>().is_ok();
                known.then_some(&text[end..])
            }
        }
    }
    fn string(text: &str) -> Option<&str> {
        let mut escaped = false;
        for (i, c) in text.strip_prefix('"')?.char_indices() {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => return Some(&text[i + 2..]),
                _ => {}
            }
        }
        None
    }
    fn items(text: &str, close: char, keyed: bool) -> Option<&str> {
        let mut rest = text.trim_start();
        if let Some(rest) = rest.strip_prefix(close) {
            return Some(rest);
        }
        loop {
            if keyed {
                rest = string(rest.trim_start())?.trim_start().strip_prefix(':')?;
            }
            rest = value(rest)?.trim_start();
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => return rest.strip_prefix(close),
            }
        }
    }
    value(text).is_some_and(|rest| rest.trim().is_empty())
}

#[test]
fn json_is_recognised() {
    assert!(is_json(r#"{"a": [1, 2.5e3, "x\"y"], "b": {}, "c": null}"#));
    assert!(!is_json(r#"{"a": [1, 2}"#) && !is_json("{'a': 1}") && !is_json("") && !is_json("{} {}"));
}
