//! Counts the indirect jumps of the eval loop in the release binary. One per opcode and instantiation is what the LLVM
//! flags in .cargo/config.toml are for; without them there is one for all, and the loop is 1.3 to 1.8 times slower.

mod support;

use std::path::PathBuf;
use std::process::Command;

/// Part of the loop's demangled name.
const LOOP: &str = "vm::run";
/// `Free` and `Locked`. The `Stepped` loop counts before every instruction in one common place, and so has one jump.
const INSTANTIATIONS: usize = 2;

/// More than half of the opcodes must have a jump of their own: some arms share an end. (Without the flags there is one for all.)
fn at_least() -> usize {
    mini::bytecode::op::ALL.len() / 2
}

/// The release binary: the one under test, or what an earlier `cargo build --release` left.
fn release_binary() -> Option<PathBuf> {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_mini"));
    if !cfg!(debug_assertions) {
        return Some(built);
    }
    let target = built.parent()?.parent()?;
    Some(target.join("release/mini")).filter(|path| path.is_file())
}

#[test]
#[cfg(target_arch = "x86_64")]
fn the_eval_loop_jumps_from_every_opcode() {
    let Some(binary) = release_binary() else {
        support::loudly("SKIPPED indirect_jumps: no target/release/mini; run `cargo build --release` first");
        return;
    };
    let arguments = ["--disassemble", "--demangle", "--no-show-raw-insn"];
    let Ok(output) = Command::new("objdump").args(arguments).arg(&binary).output() else {
        support::loudly("SKIPPED indirect_jumps: objdump is not installed (Debian package binutils)");
        return;
    };
    assert!(output.status.success(), "objdump: {}", String::from_utf8_lossy(&output.stderr));
    let counts = count(&String::from_utf8_lossy(&output.stdout));
    let good = counts.iter().filter(|(_, jumps)| *jumps > at_least()).count();
    assert!(
        good >= INSTANTIATIONS,
        "{}: {good} functions of {LOOP} have more than {} indirect jumps, expected {INSTANTIATIONS}: {counts:?}",
        binary.display(),
        at_least()
    );
}

/// The functions of the loop, and the number of `jmp *…` in each.
fn count(disassembly: &str) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    let mut inside = false;
    for line in disassembly.lines() {
        if let Some((_, name)) = line.strip_suffix(">:").and_then(|head| head.split_once(" <")) {
            inside = name.contains(LOOP);
            if inside {
                counts.push((name.to_string(), 0));
            }
        } else if inside && is_indirect_jump(line) {
            counts.last_mut().unwrap().1 += 1;
        }
    }
    counts
}

fn is_indirect_jump(line: &str) -> bool {
    let instruction = line.split('\t').nth(1).unwrap_or("").trim_start_matches("notrack ");
    instruction
        .strip_prefix("jmp")
        .is_some_and(|operand| operand.trim_start_matches('q').trim_start().starts_with('*'))
}

#[test]
fn jumps_are_counted() {
    let text = "0001 <mini::vm::run::eval>:\n 1:\tjmp    *%rax\n 2:\tjmp    12 <x>\n 3:\tnotrack jmp *(%rdi,%rax,8)\n\n0002 <other>:\n 4:\tjmp    *%rax\n";
    assert_eq!(count(text), [("mini::vm::run::eval".to_string(), 2)]);
}
