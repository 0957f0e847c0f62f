//! The prompt, driven through a pseudo-terminal as a person would drive it.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use support::pty::Pty;
use support::{mini_command, run, scratch};

const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";
const UP: &str = "\x1b[A";
const PASTE: (&str, &str) = ("\x1b[200~", "\x1b[201~");

/// A command that opens a prompt, with a home of its own.
fn command(home: &Path, gil: Option<&str>) -> Command {
    let mut command = mini_command(gil);
    for variable in ["NO_COLOR", "XDG_STATE_HOME", "MINI_HISTORY"] {
        command.env_remove(variable);
    }
    command.env("TERM", "xterm-256color").env("HOME", home).current_dir(home);
    command
}

/// A prompt that is ready.
#[track_caller]
fn ready(command: Command) -> Pty {
    let mut pty = Pty::start(command);
    pty.wait(">>> ");
    pty
}

#[track_caller]
fn prompt(name: &str) -> Pty {
    ready(command(&scratch(name), None))
}

fn history_file(home: &Path) -> PathBuf {
    home.join(".local/state/mini/history")
}

#[track_caller]
fn leaves(pty: &mut Pty, code: i32) -> String {
    let (rest, status) = pty.rest();
    assert_eq!(status.code(), Some(code), "{rest:?}");
    rest
}

#[test]
fn results_and_errors() {
    let mut pty = prompt("repl_results");
    assert_eq!(pty.answer("6 * 7"), "42\n");
    assert_eq!(pty.answer("_ + 1"), "43\n");
    assert_eq!(pty.answer("None"), "");
    assert_eq!(pty.answer("_"), "43\n");
    assert_eq!(pty.answer("x = 'a'; x"), "'a'\n");
    assert_eq!(
        pty.answer("1/0"),
        "Traceback (most recent call last):\n  File \"<stdin>\", line 1, in <module>\nZeroDivisionError: division by zero\n"
    );
    assert_eq!(pty.answer("import sys; sys.last_value"), "ZeroDivisionError('division by zero')\n");
    assert_eq!(
        pty.answer("1 +"),
        "  File \"<stdin>\", line 1\n    1 +\n       ^\nSyntaxError: invalid syntax\n"
    );
    pty.shows("print('no end', end='')", "no end");
    assert_eq!(pty.answer("__name__"), "'__main__'\n");
    pty.send(CTRL_D);
    leaves(&mut pty, 0);
}

#[test]
fn inputs_of_several_lines() {
    let mut pty = prompt("repl_lines");
    for line in ["def f(x):", "    if x:", "        return 'yes'"] {
        pty.more(line);
    }
    pty.line("");
    pty.wait(">>> ");
    pty.shows("f(1)", "'yes'\n");
    pty.more("sum([1,");
    pty.more("");
    pty.shows("2])", "3\n");
    pty.more("'''a");
    pty.shows("b'''", "'a\\nb'\n");
    pty.more("try:");
    pty.shows("", "expected an indented block");
    pty.more("def g():");
    pty.shows("  x = = 1", "SyntaxError: invalid syntax");
}

#[test]
fn pasted_blocks() {
    let mut pty = prompt("repl_paste");
    let block = "class A:\n    def f(self):\n        x = 1\n\n        return x\n\n    def g(self):\n        return 'g'\n\nA().f()\nA().g()";
    pty.send(&format!("{}{block}{}", PASTE.0, PASTE.1));
    pty.wait("A().g()");
    pty.send("\r");
    pty.wait("\r\n1\r\n'g'\r\n");
    pty.wait(">>> ");
    // A terminal that does not mark a paste: as if it were typed, faster than anybody can.
    pty.send("def h(x):\r    return x * 2\r\rh(4)\rh('ab')\r");
    pty.wait("8\r\n");
    pty.wait("'abab'\r\n");
}

#[test]
fn history_across_sessions() {
    let home = scratch("repl_history");
    let mut pty = ready(command(&home, None));
    pty.shows("'first' + '!'", "first!");
    pty.more("def f():");
    pty.more("    return 'sec' + 'ond'");
    pty.answer("");
    pty.send(CTRL_D);
    leaves(&mut pty, 0);
    let mut pty = ready(command(&home, None));
    pty.send(UP);
    pty.wait("return 'sec' + 'ond'");
    pty.send("\r");
    pty.wait("... ");
    pty.answer("");
    pty.shows("f()", "'second'\n");
    pty.send(UP);
    pty.wait("f()");
    // The history search.
    pty.send(CTRL_C);
    pty.wait(">>> ");
    pty.send("\x12first");
    pty.wait("first' + '!'");
    pty.send("\r");
    pty.wait("'first!'\r\n");
}

#[test]
fn a_kill_in_mid_line_leaves_the_history_whole() {
    let home = scratch("repl_kill");
    let mut pty = ready(command(&home, None));
    pty.answer("a = 1");
    pty.answer("b = '\\n'");
    pty.send("half a li");
    pty.wait("half a li");
    pty.child.kill().unwrap();
    pty.rest();
    assert_eq!(fs::read_to_string(history_file(&home)).unwrap(), "a = 1\nb = '\\\\n'\n");
    // A torn last line of whatever origin harms nobody else.
    fs::write(history_file(&home), "a = 1\ntorn").unwrap();
    let mut pty = ready(command(&home, None));
    pty.answer("c = 2");
    pty.send(CTRL_D);
    leaves(&mut pty, 0);
    assert_eq!(fs::read_to_string(history_file(&home)).unwrap(), "a = 1\ntorn\nc = 2\n");
}

#[test]
fn a_history_that_cannot_be_kept_is_said_once() {
    let home = scratch("repl_no_home");
    let mut file = command(&home, None);
    file.env("MINI_HISTORY", "/proc/nowhere/history");
    let mut pty = Pty::start(file);
    pty.wait("history is not kept");
    pty.wait(">>> ");
    pty.shows("1 + 1", "2\n");
    pty.shows("2 + 2", "4\n");
    assert_eq!(pty.raw.matches("history is not kept").count(), 1);
    let mut none = command(&home, None);
    none.env_remove("HOME");
    let mut pty = ready(none);
    pty.shows("1 + 1", "2\n");
    assert!(!pty.raw.contains("history"));
    let mut mine = command(&home, None);
    mine.env("MINI_HISTORY", home.join("mine"));
    let mut pty = ready(mine);
    pty.shows("1 + 1", "2\n");
    assert_eq!(fs::read_to_string(home.join("mine")).unwrap(), "1 + 1\n");
}

#[test]
fn completion() {
    let home = scratch("repl_complete");
    fs::write(home.join("my_module.mini"), "raise SystemExit('imported')\n").unwrap();
    let mut pty = ready(command(&home, None));
    pty.more("class Thing:");
    // Tab indents where nothing can be completed.
    pty.more("\t@property");
    pty.more("\tdef trap(self): raise SystemExit('ran')");
    pty.more("\tdef other(self): return 'other'");
    pty.answer("");
    pty.answer("some_thing = Thing()");
    pty.shows("print(some_t\t.o\t())", "other\n");
    pty.shows("some_thing.trap.\t1", "SyntaxError");
    pty.shows("'ab'.upp\t()", "'AB'\n");
    pty.answer("import thread\t");
    pty.shows("threading.main_th\t().name", "'MainThread'\n");
    pty.answer("from math import fac\t");
    pty.shows("factorial(4)", "24\n");
    pty.send("import my_m\t");
    pty.wait("import my_module");
    pty.send(CTRL_C);
    pty.wait("KeyboardInterrupt");
    pty.wait(">>> ");
    pty.shows("nonl\t", "nonlocal");
    pty.send("%th\t\r");
    pty.wait("MainThread");
    pty.wait(">>> ");
    // Several: a list.
    pty.send("'a'.is\t");
    pty.wait("isalnum");
    pty.wait("isupper");
    pty.wait(">>> 'a'.is");
    // In a string nothing is completed.
    pty.send(CTRL_C);
    pty.wait(">>> ");
    pty.shows("len('some_t\t')", "6\n");
}

/// The colours that were used.
fn colors(raw: &str) -> usize {
    raw.match_indices("\x1b[")
        .filter(|(at, _)| {
            raw[*at..].find(|c: char| c.is_alphabetic()).is_some_and(|n| raw[*at + n..].starts_with('m'))
        })
        .count()
}

#[test]
fn colors_only_where_they_are_wanted() {
    let home = scratch("repl_colors");
    let mut pty = ready(command(&home, None));
    pty.send("def f(): return 'text' # note");
    pty.wait("# note");
    assert!(
        pty.raw.contains("\x1b[1;34mdef\x1b[0m") && pty.raw.contains("\x1b[32m'text'\x1b[0m"),
        "{:?}",
        pty.raw
    );
    let mut without = command(&home, None);
    without.env("NO_COLOR", "1");
    let mut pty = ready(without);
    pty.shows("[1, 'x']", "[1, 'x']\n");
    assert_eq!(colors(&pty.raw), 0, "{:?}", pty.raw);
    let mut dumb = command(&home, None);
    dumb.env("TERM", "dumb");
    let mut pty = ready(dumb);
    pty.shows("[1, 'x']", "[1, 'x']\n");
    assert!(!pty.raw.contains('\x1b'), "{:?}", pty.raw);
    pty.send(CTRL_C);
    pty.wait("KeyboardInterrupt\r\n>>> ");
    pty.send(CTRL_D);
    leaves(&mut pty, 0);
}

#[test]
fn matching_brackets() {
    let mut pty = prompt("repl_brackets");
    pty.send("f([1], 2)");
    pty.wait(", 2)");
    let mark = |bracket: &str| format!("\x1b[1;7m{bracket}\x1b[0m");
    pty.send("\x1b[D\x1b[C");
    pty.send("#");
    pty.wait("#");
    assert!(pty.raw.contains(&format!("f{}[", mark("("))) && pty.raw.contains(&mark(")")), "{:?}", pty.raw);
}

#[test]
fn ctrl_c_cancels_the_line() {
    let mut pty = prompt("repl_cancel");
    pty.send("x = 'never");
    pty.wait("x = 'never");
    pty.send(CTRL_C);
    pty.wait("KeyboardInterrupt\r\n");
    pty.wait(">>> ");
    pty.more("if True:");
    pty.send(CTRL_C);
    pty.wait("KeyboardInterrupt\r\n");
    pty.wait(">>> ");
    pty.shows("'x' in globals()", "False\n");
}

#[test]
fn ctrl_c_interrupts_what_runs() {
    for gil in ["off", "time:5ms", "ticks:10", "coop"] {
        let mut pty = ready(command(&scratch(&format!("repl_interrupt_{}", &gil[..3])), Some(gil)));
        pty.shows("import threading, time; lock = threading.Lock(); lock.acquire()", "True");
        pty.answer("t = threading.Thread(target=time.sleep, args=(100,), daemon=True); t.start()");
        for code in ["time.sleep(100)", "lock.acquire()", "t.join()", "sum(i for i in range(10**15))"] {
            pty.line(&format!("print('be' + 'gun', flush=True); {code}"));
            pty.wait("\nbegun");
            pty.send(CTRL_C);
            pty.wait("Traceback (most recent call last):");
            pty.wait("\nKeyboardInterrupt\r\n");
            pty.wait(">>> ");
        }
        pty.more("while True: print('be' + 'gun') or time.sleep(0)");
        pty.line("");
        pty.wait("\nbegun");
        pty.send(CTRL_C);
        pty.wait("\nKeyboardInterrupt\r\n");
        pty.wait(">>> ");
        pty.shows("'still ' + 'there'", "'still there'\n");
    }
}

#[test]
fn leaving() {
    let home = scratch("repl_leave");
    let mut pty = ready(command(&home, None));
    pty.answer("import atexit, threading, time; atexit.register(print, 'at' + 'exit') and None");
    pty.answer("t = threading.Thread(target=lambda: (time.sleep(0.3), print('thr' + 'ead'))); t.start()");
    pty.send(CTRL_D);
    let rest = leaves(&mut pty, 0);
    assert!(rest.contains("thread\r\natexit\r\n"), "{rest:?}");
    for (line, code) in [
        ("exit()", 0),
        ("quit(3)", 3),
        ("exit", 0),
        ("import sys; sys.exit(4)", 4),
        ("raise SystemExit('so')", 1),
    ] {
        let mut pty = ready(command(&home, None));
        pty.line(line);
        leaves(&mut pty, code);
    }
    // Ctrl-D in a block ends the block; in a line it deletes.
    let mut pty = ready(command(&home, None));
    pty.more("if True:");
    pty.more("    'bl' + 'ock'");
    pty.send(CTRL_D);
    pty.wait("\r\n'block'\r\n");
    pty.wait(">>> ");
    pty.more("(1,");
    pty.send(CTRL_D);
    pty.wait("SyntaxError: '(' was never closed");
    let mut pty = ready(command(&home, None));
    pty.send("1 + 1x\x1b[D");
    pty.wait("1 + 1x");
    pty.send(CTRL_D);
    pty.shows("", "2\n");
}

#[test]
fn threads_go_on_while_a_line_is_edited() {
    for gil in ["off", "time:5ms", "coop"] {
        let mut pty = ready(command(&scratch(&format!("repl_threads_{}", &gil[..3])), Some(gil)));
        pty.answer("import threading; go = threading.Event(); more = threading.Event()");
        pty.more("def work():");
        pty.more("    print('ti' + 'ck', sum(range(10000))); go.set(); more.wait(0.2)");
        pty.more("    for i in range(300): print('to' + 'ck', i)");
        pty.more("    print('par', end='', flush=True); print('tial')");
        pty.answer("");
        pty.send("threading.Thread(target=work).start()\rx = 'half");
        // The line stands below what the thread printed, and goes on.
        pty.wait("tick 49995000\r\n");
        pty.wait("tock 299\r\n");
        pty.wait("partial\r\n");
        pty.wait(">>> x = 'half");
        pty.send(" whole'");
        pty.wait(">>> x = 'half whole'");
        pty.answer("");
        pty.shows("x", "'half whole'\n");
        pty.shows("go.is_set()", "True\n");
    }
}

#[test]
fn commands() {
    let mut pty = prompt("repl_commands");
    pty.line("%help");
    for name in ["%help", "%gil", "%stats", "%threads", "%dis NAME", "%time EXPR", "%reset"] {
        pty.wait(name);
    }
    pty.wait(">>> ");
    pty.answer("import threading, gil; stop = threading.Event(); done = []");
    pty.more("def spin():");
    pty.more("    while not stop.is_set(): done[:] = [1]");
    pty.answer("");
    pty.answer("t = threading.Thread(target=spin, name='spinner'); t.start()");
    // `start` does not wait for the thread to run.
    pty.more("while not done: pass");
    pty.answer("");
    pty.shows("%gil", "time:5ms\n");
    pty.shows("%gil off", "off\n");
    pty.shows("gil.policy()", "'off'\n");
    pty.shows("%gil nonsense", "%gil: ");
    pty.shows("%gil ticks:50", "ticks:50");
    pty.line("%threads");
    pty.wait("held ms");
    pty.wait("waited ms");
    pty.wait("MainThread");
    pty.wait("(the prompt)");
    pty.wait("spinner");
    pty.wait("<stdin>:2 in spin");
    pty.wait(">>> ");
    pty.line("%stats");
    pty.wait("acquired");
    pty.wait("spinner");
    pty.wait("total");
    pty.wait(">>> ");
    pty.shows("stop.set(); t.join(); len(done) > 0", "True\n");
    pty.line("%dis spin");
    pty.wait("is_set");
    pty.wait(">>> ");
    pty.shows("%dis len", "not written in Mini");
    pty.shows("%dis nothing", "NameError");
    pty.shows("%dis", "usage: %dis NAME");
    pty.line("%time sum(range(1000))");
    pty.wait("499500\r\nwall ");
    pty.wait("held ");
    pty.wait(">>> ");
    pty.shows(
        "%nothing",
        "There is no command %nothing. There are: %help %gil %stats %threads %dis %time %reset",
    );
    pty.answer("%reset");
    pty.shows("spin", "NameError: name 'spin' is not defined");
    pty.shows("_", "NameError: name '_' is not defined");
}

#[test]
fn the_prompts_are_those_of_sys() {
    let mut pty = prompt("repl_ps");
    pty.line("import sys; sys.ps1 = 'mini> '; sys.ps2 = '    | '");
    pty.wait("mini> ");
    pty.line("if True:");
    pty.wait("    | ");
    pty.line("    'yes'");
    pty.wait("    | ");
    pty.line("");
    pty.wait("'yes'\r\n");
    pty.wait("mini> ");
    pty.line("sys.ps1 = 7");
    pty.wait("\r7");
    let script = run(with(&["-c", "import sys; print(hasattr(sys, 'ps1'))"]), b"", Duration::from_secs(30));
    assert_eq!(script.stdout, "False\n");
}

#[test]
fn what_is_no_text_is_refused() {
    let mut pty = prompt("repl_garbled");
    pty.send_bytes(b"'a\xff");
    pty.wait("that was not UTF-8");
    pty.wait(">>> ");
    pty.shows("'\u{e9}\u{1F600}'", "'\u{e9}\u{1F600}'\n");
}

fn with(args: &[&str]) -> Command {
    let mut command = mini_command(None);
    command.args(args);
    command
}

#[test]
fn input_reads_a_line_of_its_own() {
    let mut pty = prompt("repl_input");
    pty.line("name = input('who? ')");
    pty.wait("\n\rwho? ");
    pty.line("me");
    pty.wait(">>> ");
    pty.shows("name", "'me'\n");
    // Typed ahead.
    pty.send("both = input() + input('and ')\rone\rtwo\rboth\r");
    pty.wait("\r\n'onetwo'\r\n");
    pty.wait(">>> ");
    pty.line("input('now ')");
    pty.wait("\n\rnow ");
    pty.send(CTRL_D);
    pty.wait("EOFError: EOF when reading a line\r\n");
    pty.wait(">>> ");
    pty.line("input('now ')");
    pty.wait("\n\rnow ");
    pty.send(CTRL_C);
    pty.wait("\nKeyboardInterrupt\r\n");
    pty.wait(">>> ");
}

#[test]
fn after_a_program() {
    let home = scratch("repl_after");
    fs::write(home.join("script.mini"), "import sys\nvalue = sys.argv\nprint('ran')\n1 / 0\n").unwrap();
    let mut after = command(&home, None);
    after.args(["-i", "script.mini", "arg"]);
    let mut pty = Pty::start(after);
    pty.wait("ran\r\n");
    pty.wait("ZeroDivisionError: division by zero\r\n");
    pty.wait(">>> ");
    assert!(!pty.raw.contains("%help"));
    pty.shows("value", "['script.mini', 'arg']\n");
    let mut code = command(&home, None);
    code.args(["-i", "-c", "import sys; x = 5; sys.exit(9)"]);
    let mut pty = Pty::start(code);
    pty.wait("SystemExit: 9\r\n");
    pty.wait(">>> ");
    pty.shows("x", "5\n");
    pty.send(CTRL_D);
    leaves(&mut pty, 0);
}

#[test]
fn a_pipe_is_a_script_and_says_nothing_extra() {
    let piped = run(with(&[]), b"x = 3\nx\nprint(x)\n", Duration::from_secs(30));
    assert_eq!((piped.code(), piped.stdout.as_str(), piped.stderr.as_str()), (0, "3\n", ""));
    let asked = run(with(&["-i"]), b"x = 3\nx\nif x:\n  x + 1\n\n", Duration::from_secs(30));
    assert_eq!((asked.code(), asked.stdout.as_str()), (0, "3\n4\n"));
    assert!(asked.stderr.contains(">>> >>> >>> ... ... >>> "), "{}", asked.stderr);
}

#[test]
fn thousands_of_inputs_do_not_grow() {
    let size = "print(int(open('/proc/self/statm').read().split()[1]) * 4096)\n";
    let input = "def f(x):\n    '''some text of a docstring'''\n    return [x, 'text', lambda: x]\n\n_ = f(1)\nclass C:\n    def m(self): return self\n\n";
    let mut text = input.repeat(500) + size;
    text.push_str(&input.repeat(2000));
    text.push_str(size);
    let done = run(with(&["-i"]), text.as_bytes(), Duration::from_secs(300));
    let sizes: Vec<i64> = done.stdout.lines().map(|line| line.parse().unwrap()).collect();
    assert_eq!((done.code(), sizes.len()), (0, 2), "{}", done.last_error());
    let grown = sizes[1] - sizes[0];
    assert!(grown < 4 << 20, "6000 inputs more, {grown} bytes more: {sizes:?}");
}
