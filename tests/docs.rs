//! Every built-in name and every public name of the library has a docstring, and `help` shows it.

mod support;

use std::time::Duration;
use support::{files, mini_command, root, run};

const LIMIT: Duration = Duration::from_secs(60);

/// The modules whose names are walked: those in the library, and those that are Rust alone.
fn modules() -> Vec<String> {
    let library = files(&root().join("stdlib"), "mini");
    let mut names: Vec<String> = library
        .iter()
        .map(|path| {
            let relative = path.strip_prefix(root().join("stdlib")).unwrap().with_extension("");
            relative.to_string_lossy().replace('/', ".").trim_end_matches(".__init__").to_owned()
        })
        .collect();
    names.extend(mini::native::MODULES.iter().map(|module| module.name.to_owned()));
    names
}

#[test]
fn everything_has_a_docstring() {
    let mut command = mini_command(None);
    command.arg(root().join("tests/docs/walk.mini")).args(modules());
    let done = run(command, b"", LIMIT);
    assert_eq!((done.code(), done.last_error()), (0, ""));
    assert!(done.stdout.is_empty(), "no docstring:\n{}", done.stdout);
}

/// What `help` prints for this expression, after these statements.
fn help(before: &str, expression: &str) -> String {
    let mut command = mini_command(None);
    command.args(["-c", &format!("{before}\nhelp({expression})")]);
    let done = run(command, b"", LIMIT);
    assert_eq!((done.code(), done.last_error()), (0, ""), "{expression}");
    done.stdout
}

#[test]
fn help_on_functions() {
    let define = "def f(a, b=(1, 2), /, *c, d, e='x', **g):\n    \"\"\"First.\n\n        Deeper.\n    \"\"\"";
    assert_eq!(
        help(define, "f"),
        "Help on function f in module __main__:\n\nf(a, b=(1, 2), /, *c, d, e='x', **g)\n    First.\n\n    Deeper.\n"
    );
    assert_eq!(
        help("", "len"),
        "Help on built-in function len in module builtins:\n\nlen(obj, /)\n    The number of items.\n"
    );
    assert!(
        help("", "str.upper").starts_with("Help on built-in method upper of class str:\n\nupper(self, /)\n")
    );
    assert!(help("", "[].append").starts_with("Help on built-in method append of list object:\n\nappend("));
    assert!(help("import os", "os.getpid").contains("getpid()\n    "));
    assert!(help("import heapq", "heapq.heappush").contains("heappush(heap, item"));
    assert_eq!(help("", "'math.sqrt'"), help("import math", "math.sqrt"));
}

#[test]
fn help_on_classes_and_modules() {
    let define = "class A(dict):\n    'An A.'\n    def __init__(self, x, y=2): 'Makes it.'\n    def m(self): 'Does it.'\n    @property\n    def p(self): 'Has it.'\n    @staticmethod\n    def s(a): 'Alone.'\n    def _hidden(self): 'no'";
    let text = help(define, "A");
    for part in [
        "Help on class A in module __main__:\n\nclass A(dict)\n    A(x, y=2)\n\n    An A.\n",
        "    m(self)\n        Does it.\n",
        "    p (property)\n        Has it.\n",
        "    static s(a)\n        Alone.\n",
        "    From dict:\n",
    ] {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert!(!text.contains("_hidden"));
    assert!(help(define, "A(1)").starts_with("Help on A object:\n\nclass A(dict)\n"));
    assert!(help("", "ValueError").contains("class ValueError(Exception)\n"));
    assert!(help("import queue", "queue").contains("    class Queue\n        "));
    assert!(help("", "'math'").contains("\n    sqrt(x, /)\n        "));
    assert!(help("", "None").starts_with("Help on NoneType object:"));
}

#[test]
fn help_on_nothing() {
    let overview = help("", "");
    assert!(overview.contains(" enumerate ") && overview.contains(" math "), "{overview}");
    assert_eq!(help("", "'no such thing'"), "There is nothing of the name 'no such thing'.\n");
    assert_eq!(help("", "'nowhere.x'"), "There is nothing of the name 'nowhere.x'.\n");
}
