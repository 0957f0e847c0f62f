//! The compiler: golden disassemblies, the verifier over every source at hand, refusals, and mutated programs.
//!
//! Goldens: `tests/golden/*.mini`, each with its disassembly beside it; `UPDATE_EXPECT=1` writes them anew.

mod support;

use mini::bytecode::code::{Code, Const};
use mini::bytecode::dis::disassemble;
use mini::bytecode::verify::verify;
use mini::compile::compile_module;
use mini_grammar::{Mode, SyntaxError, parse};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The compiler recurses over the tree: it needs the stack that the command gives it.
const STACK: usize = 64 << 20;

fn with_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(work).unwrap();
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn compile(text: &str, filename: &str, mode: Mode) -> Result<Arc<Code>, SyntaxError> {
    let module = parse(text, mode)?;
    compile_module(&module, text, filename)
}

fn compile_text(text: &str) -> Result<Arc<Code>, SyntaxError> {
    compile(text, "test.mini", Mode::Module)
}

#[track_caller]
fn refused(text: &str, line: u32, message: &str) {
    let error = compile_text(text).expect_err(text);
    assert_eq!((error.line, error.message.as_str()), (line, message), "{text}");
}

fn sources(folder: &Path, extension: &str) -> Vec<PathBuf> {
    if folder.exists() { support::files(folder, extension) } else { Vec::new() }
}

#[test]
fn goldens() {
    let found = sources(&support::root().join("tests/golden"), "mini");
    assert!(!found.is_empty());
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let mode = if text.starts_with("# interactive") { Mode::Interactive } else { Mode::Module };
        let code = compile(&text, &name, mode).unwrap_or_else(|error| panic!("{}", error.render(&name)));
        expect_test::expect_file![path.with_extension("dis")].assert_eq(&disassemble(&code));
    }
}

/// What we have in sources: each compiles, or is refused with a message; the verifier looks at all that compile.
#[test]
fn every_source_verifies() {
    with_stack(|| {
        let root = support::root();
        let mut found = Vec::new();
        for folder in ["tests", "examples", "stdlib", "benches"] {
            found.extend(sources(&root.join(folder), "mini"));
        }
        assert!(found.len() > 20);
        for path in found {
            check_source(&path);
        }
    });
}

/// The same over CPython's library, where it is installed: large real programs, most within the language.
#[test]
fn python_library_verifies() {
    let library = Path::new("/usr/lib/python3.11");
    if !library.exists() {
        return;
    }
    let entries = std::fs::read_dir(library).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|ext| ext == "py")).collect();
    with_stack(move || {
        let compiled = files.iter().filter(|path| check_source(path)).count();
        assert!(compiled * 2 > files.len(), "only {compiled} of {} compiled", files.len());
    });
}

fn check_source(path: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(path) else { return false };
    let name = path.display().to_string();
    match compile(&text, &name, Mode::Module) {
        Ok(code) => {
            verify(&code).unwrap_or_else(|problem| panic!("{name}: {problem}"));
            assert!(!disassemble(&code).contains('?') || text.contains('?'), "{name}: unresolved operand");
            true
        }
        Err(error) => {
            assert!(!error.message.contains("internal error"), "{}", error.render(&name));
            false
        }
    }
}

#[test]
fn refusals() {
    refused("return 1", 1, "'return' outside function");
    refused("class C:\n  return", 2, "'return' outside function");
    refused("if 1:\n  break", 2, "'break' outside loop");
    refused("for i in x:\n  def f(): continue", 2, "'continue' not properly in loop");
    refused("x\ndef f(a):\n  global a", 3, "name 'a' is parameter and global");
    refused("def f():\n  print(a)\n  global a", 3, "name 'a' is used prior to global declaration");
    refused("def f():\n  a = 1\n  global a", 3, "name 'a' is assigned to before global declaration");
    refused("nonlocal x", 1, "nonlocal declaration not allowed at module level");
    refused("def f():\n  nonlocal x", 2, "no binding for nonlocal 'x' found");
    refused("def f():\n  from m import *", 2, "import * only allowed at module level");
    refused("def f(a, a): pass", 1, "duplicate argument 'a' in function definition");
    refused("yield 1", 1, "'yield' outside function");
    refused("class C:\n  yield 1", 2, "'yield' outside function");
    refused("def f():\n  return [(yield x) for x in y]", 2, "'yield' inside list comprehension");
    refused("def f():\n  return ((yield x) for x in y)", 2, "'yield' inside generator expression");
    refused("def f():\n  return {(yield x): 1 for x in y}", 2, "'yield' inside dict comprehension");
    refused("async def f():\n  yield from x", 2, "'yield from' inside async function");
    refused("async def f():\n  yield 1\n  return 2", 3, "'return' with value in async generator");
    refused("await x", 1, "'await' outside function");
    refused("def f():\n  await x", 2, "'await' outside async function");
    refused("def f():\n  async for x in y: pass", 2, "'async for' outside async function");
    refused("async with x: pass", 1, "'async with' outside async function");
    refused(
        "def f():\n  return [x async for x in y]",
        2,
        "asynchronous comprehension outside of an asynchronous function",
    );
    refused(
        "[i := 0 for i in x]",
        1,
        "assignment expression cannot rebind comprehension iteration variable 'i'",
    );
    refused(
        "[x for x in (y := z)]",
        1,
        "assignment expression cannot be used in a comprehension iterable expression",
    );
}

/// Bodies of more than 32,767 instructions: the short jumps of loops and conditions need trampolines.
#[test]
fn far_jumps() {
    let body = "        x = x + y\n".repeat(40_000);
    for head in ["while x < 3", "for x in y", "if x < y", "while x is not None and x < y"] {
        let text = format!("def f(x, y):\n    {head}:\n{body}    return x\n");
        let code = compile_text(&text).unwrap();
        verify(&code).unwrap();
        let Some(Const::Code(f)) = code.consts.iter().find(|value| matches!(value, Const::Code(_))) else {
            panic!("no function")
        };
        assert!(f.insns.len() > 40_000);
    }
    let text = format!("def f(x, y):\n    try: pass\n    except x:\n{body}    return x\n");
    verify(&compile_text(&text).unwrap()).unwrap();
}

#[test]
fn too_large_is_an_error() {
    let arguments = vec!["x"; 70_000].join(", ");
    refused(&format!("\nf({arguments})"), 1, "code is too large");
    let attributes = "x.a\n".repeat(30_000);
    refused(&attributes, 1, "code is too large");
    let names: String = (0..70_000).map(|i| format!("  a{i} = 1\n")).collect();
    refused(&format!("\ndef f():\n{names}"), 3, "code is too large");
    let mut nested = String::new();
    for depth in 0..20 {
        let pad = " ".repeat(depth);
        nested.push_str(&format!("{pad}try: pass\n{pad}finally:\n"));
    }
    nested.push_str(&format!("{}f()\n", " ".repeat(20)));
    assert!(compile_text(&nested).is_err());
}

#[test]
fn deep_nesting_fits_the_stack() {
    with_stack(|| {
        let deep = 2_800;
        for text in [
            format!("x = {}1", "-".repeat(deep)),
            format!("x = {}y", "not ".repeat(deep)),
            format!("x = y{}", ".a".repeat(deep)),
            format!("x = y{}", " + y".repeat(deep)),
            format!("x = {}y", "y ** ".repeat(deep)),
            format!("x = y{}", "()".repeat(deep)),
            format!("x = {}0", "lambda: ".repeat(deep)),
            format!("x = {}y", "y if y else ".repeat(deep)),
        ] {
            if let Err(error) = compile_text(&text) {
                assert!(error.too_deep || error.message.starts_with("too many"), "{}", error.message);
            }
        }
    });
}

/// Programs with a line, a word or a character missing, doubled or swapped.
#[test]
fn mutated_programs_never_panic() {
    with_stack(|| {
        let mut texts = Vec::new();
        for path in sources(&support::root().join("tests/golden"), "mini") {
            texts.push(std::fs::read_to_string(path).unwrap());
        }
        let mut random = 0x9e37_79b9_7f4a_7c15_u64;
        for round in 0..600 {
            let text = mutate(&texts[round % texts.len()], &mut random);
            if let Err(error) = compile_text(&text) {
                assert!(!error.message.contains("internal error"), "{}\n{text}", error.message);
            }
        }
    });
}

fn next(random: &mut u64, below: usize) -> usize {
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    (*random % below.max(1) as u64) as usize
}

fn mutate(text: &str, random: &mut u64) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    for _ in 0..=next(random, 3) {
        let (at, other) = (next(random, lines.len()), next(random, lines.len()));
        match next(random, 5) {
            0 => drop(lines.remove(at)),
            1 => lines.swap(at, other),
            2 => lines.insert(at, lines[other].clone()),
            3 => {
                let mut words: Vec<&str> = lines[at].split(' ').collect();
                let (from, to) = (next(random, words.len()), next(random, words.len()));
                words.swap(from, to);
                lines[at] = words.join(" ");
            }
            _ => {
                let cut = next(random, lines[at].chars().count());
                lines[at] =
                    lines[at].chars().enumerate().filter(|&(i, _)| i != cut).map(|(_, c)| c).collect();
            }
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }
    lines.join("\n") + "\n"
}
