//! Nesting is capped, and what is under the cap can be parsed, printed and dropped on a small stack.

use mini_grammar::{Mode, ast, parse};

/// What a thread of the test runner has, and less than any thread of Mini.
const STACK: usize = 2 << 20;

fn on_small_stack(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(STACK).spawn(test);
    thread.expect("a thread").join().expect("no panic");
}

/// Programs nested `n` deep, each in another way.
fn nested(n: usize) -> Vec<String> {
    vec![
        format!("{}1", "1+".repeat(n)),
        format!("{}1", "1**".repeat(n)),
        format!("{}1", "-".repeat(n)),
        format!("{}1", "not ".repeat(n)),
        format!("a{}", ".b".repeat(n)),
        format!("a{}", "()".repeat(n)),
        format!("a{}", "[0]".repeat(n)),
        format!("{}1", "lambda:".repeat(n)),
        format!("{}1{}", "lambda x=".repeat(n), ": 1".repeat(n)),
        format!("{}1", "1 if 1 else ".repeat(n)),
        format!("if a: pass\n{}", "elif a: pass\n".repeat(n)),
        format!("match x:\n case {}b: pass", "a.".repeat(n)),
        format!("del a{}", "[1]".repeat(n)),
        format!("a{} = 1", "[1]".repeat(n)),
        format!("def f(a={}1): pass", "-".repeat(n)),
        format!("try: pass\nexcept a{}: pass", ".b".repeat(n)),
        format!("f'{{{}1}}'", "-".repeat(n)),
        format!("{{{}1: 2}}", "-".repeat(n)),
        format!("[x for x in {}1]", "-".repeat(n)),
    ]
}

#[test]
fn just_under_the_cap() {
    on_small_stack(|| {
        for program in nested(usize::from(ast::MAX_DEPTH) - 10) {
            let head: String = program.chars().take(30).collect();
            if let Err(error) = parse(&program, Mode::Module) {
                panic!("{head}: {}", error.message);
            }
        }
    });
}

#[test]
fn printing_needs_no_stack() {
    on_small_stack(|| {
        let program = format!("{}1", "-".repeat(usize::from(ast::MAX_DEPTH) - 10));
        let module = parse(&program, Mode::Module).expect("valid");
        assert!(ast::dump(&module).ends_with("type_ignores=[])"));
    });
}

#[test]
fn far_over_the_cap() {
    on_small_stack(|| {
        for program in nested(20_000) {
            let head: String = program.chars().take(30).collect();
            match parse(&program, Mode::Module) {
                Ok(_) => panic!("accepted: {head}"),
                Err(error) => {
                    assert!(error.too_deep, "{head}: {}", error.message);
                    assert_eq!(error.message, "expression nested too deeply", "{head}");
                }
            }
        }
    });
}

#[test]
fn brackets_and_blocks() {
    let error = |program: String| parse(&program, Mode::Module).expect_err(&program).message;
    assert!(parse(&format!("{}1{}", "(".repeat(200), ")".repeat(200)), Mode::Module).is_ok());
    assert_eq!(error("(".repeat(201)), "too many nested parentheses");
    let blocks = |n: usize| (0..=n).map(|depth| format!("{}if 1:\n", " ".repeat(depth))).collect::<String>();
    assert!(parse(&format!("{}{}pass", blocks(98), " ".repeat(99)), Mode::Module).is_ok());
    assert_eq!(error(format!("{}{}pass", blocks(99), " ".repeat(100))), "too many levels of indentation");
}

/// A long program is not a deep one.
#[test]
fn length_has_no_cap() {
    on_small_stack(|| {
        for program in [
            "x = 1\n".repeat(20_000),
            format!("{}b", "a or ".repeat(20_000)),
            format!("{}b", "a < ".repeat(20_000)),
            format!("{}b", "a = ".repeat(20_000)),
            format!("[{}]", "1,".repeat(20_000)),
            "'a' ".repeat(20_000),
            format!("{}def f(): pass", "@a\n".repeat(20_000)),
            format!("match x:\n case {}b: pass", "1|".repeat(20_000)),
        ] {
            assert!(parse(&program, Mode::Module).is_ok());
        }
    });
}
