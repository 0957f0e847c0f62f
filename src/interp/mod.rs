//! The interpreter as a whole: start-up, finding and running modules, running programs.
//! Must not know the command line.

pub mod control;
pub mod dump;
mod importers;
pub mod importing;
mod picture;
pub mod program;
pub mod source;
pub mod stats;
pub mod stdlib;
pub mod threads;
mod warned;

use crate::compile;
use crate::gil::{self, PolicySpec, signal};
use crate::native;
pub use crate::native::io_std::write_at_once;
use crate::object::{R, Value, class, heap, intern, memoryview};
use crate::vm::thread::{MAIN_REGISTERS, Thread};
use crate::vm::{boot, hooks, import, link, main_stack, witness};

/// What a start-up needs to know.
pub struct Options {
    pub policy: Option<PolicySpec>,
    /// Bytes; 0: three quarters of the memory there is.
    pub max_heap: usize,
    /// `sys.argv`.
    pub argv: Vec<String>,
    /// `sys.path` before the embedded library.
    pub path: Vec<String>,
}

/// Native stack of the main thread: address space, committed as it is used.
const MAIN_STACK: usize = 256 << 20;

/// Calls `work` on a stack that is large enough for the main thread. Errors: no address space.
pub fn on_main_stack(work: impl FnOnce() -> i32) -> Result<i32, String> {
    main_stack::call_on(MAIN_STACK, work)
}

/// Starts the interpreter on the calling OS thread, which becomes the main thread.
/// Errors: no memory or address space.
pub fn start(options: &Options) -> Result<Box<Thread>, String> {
    heap::init(options.max_heap)?;
    heap::register_weak(intern::retain_interned);
    heap::register_weak(memoryview::forget_dead);
    heap::register_weak(link::drop_dead);
    heap::register_weak(class::drop_dead);
    witness::install();
    let member = gil::register("MainThread", true);
    member.bind_to_this_thread();
    signal::install(member).map_err(|e| format!("cannot catch signals: {e}"))?;
    let mut thread = Thread::new(member, MAIN_REGISTERS)?;
    thread.attach();
    if let Some(policy) = options.policy {
        thread.waiting(|member| gil::set_policy(member, policy));
    }
    let th = &mut *thread;
    match build(th, options) {
        Ok(()) => Ok(thread),
        Err(_) => Err(describe_pending(th)),
    }
}

fn describe_pending(th: &mut Thread) -> String {
    let exception = th.take_exception();
    match th.repr(exception) {
        Ok(text) => format!("start-up failed: {}", crate::object::str::as_str(text).unwrap_or("?")),
        Err(_) => "start-up failed".to_owned(),
    }
}

fn build(th: &mut Thread, options: &Options) -> R<()> {
    boot::make_classes(th, native::TYPES)?;
    native::install(th)?;
    let modules = th.m.new_dict()?;
    import::install(importing::find, modules);
    hooks::install_compiler(source::compile_kind);
    hooks::install_answer(control::answer_once);
    hooks::install_company(control::answer_from_now_on);
    import::install_ready(importers::wait_until_complete, importers::is_running);
    let builtins = importing::load_native(th, "builtins")?.unwrap_or(Value::NONE);
    link::set_builtins(builtins);
    importing::load_native(th, "sys")?;
    native::set_start_values(th, &options.argv, &options.path)
}

/// The bytecode of a script as text.
/// Errors: what `mini FILE` would print, and its exit code.
pub fn disassemble(path: &str) -> Result<String, (String, i32)> {
    let (bytes, filename) =
        importing::read_program(path).map_err(|e| (format!("mini: {}\n", e.message), e.code))?;
    let text = String::from_utf8(bytes).map_err(|_| (format!("mini: {path} is not valid UTF-8\n"), 1))?;
    let text = text.trim_start_matches('\u{feff}');
    match compile::compile_text(text, &filename, compile::Mode::Module) {
        Ok(code) => Ok(crate::bytecode::dis::disassemble(&code)),
        Err(error) => Err((error.render(&filename), 1)),
    }
}

/// Ends the process as SIGINT does by default, so that a shell knows.
pub fn die_of_interrupt() -> ! {
    // Whatever fails here, the exit code says the same.
    let _ = signal::restore_default(libc::SIGINT);
    signal::unblock_signals_in_this_thread();
    signal::raise(libc::SIGINT);
    std::process::exit(130)
}
