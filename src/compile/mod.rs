//! Syntax tree in, code objects out. Must not know values, the heap or the eval loop.
//!
//! `symbols` fills the tables of `scope`; then one pass over the tree emits instructions through `unit` (registers, names)
//! and `emit` (labels, offsets). Expressions are in `expr`, `cond`, `call`, `comp`, `suspend`; statements in `stmt`, `assign`,
//! `loops`, `try_`, `match_`, `func`, `class`, `annotations`.

mod annotations;
mod assign;
mod call;
mod class;
mod comp;
mod cond;
mod display;
mod doubts;
mod emit;
mod expr;
mod fold;
mod func;
mod import;
mod loops;
mod match_;
mod origin;
mod percent;
mod pool;
mod scope;
mod stmt;
mod suspend;
mod symbols;
mod try_;
mod unit;

use crate::bytecode::code::{Code, Name};
use mini_grammar::ast::Module;
pub use mini_grammar::{Category, Warning};
pub use mini_grammar::{ErrorKind, Finder, Mode, SyntaxError as Error, set_max_decimal_digits};
use mini_grammar::{LineIndex, Span, SyntaxError};
use std::cell::RefCell;
use std::sync::Arc;

/// The error is boxed to keep the frames of the recursion small.
type Fallible<T> = Result<T, Box<SyntaxError>>;

/// The source text behind the tree: for lines and for errors.
struct Source<'s> {
    text: &'s str,
    index: LineIndex,
    filename: Name,
    ascii: bool,
    warnings: RefCell<Vec<Warning>>,
}

impl Source<'_> {
    fn error(&self, message: impl Into<String>, span: Span) -> Box<SyntaxError> {
        let error = SyntaxError::new(ErrorKind::SyntaxError, message, self.text, span);
        Box::new(SyntaxError { finder: Finder::Compiler, ..error })
    }

    fn warn(&self, message: impl Into<String>, span: Span) {
        let (category, message) = (Category::SyntaxWarning, message.into());
        self.warnings.borrow_mut().push(Warning { category, message, finder: Finder::Compiler, span });
    }

    /// Whether it is a module of the library.
    fn is_library(&self) -> bool {
        self.filename.starts_with("<frozen ")
    }

    fn line(&self, offset: u32) -> u32 {
        self.index.line(offset)
    }
}

/// Parses and compiles source text.
/// Errors: what Python calls SyntaxError, IndentationError or TabError.
pub fn compile_text(text: &str, filename: &str, mode: Mode) -> Result<Arc<Code>, SyntaxError> {
    compile_warned(text, filename, mode).map(|compiled| compiled.code)
}

/// Code, and what is to be said about its text although it is right.
pub struct Compiled {
    pub code: Arc<Code>,
    pub warnings: Vec<Warning>,
}

/// Parses and compiles source text.
/// Errors: as `compile_text`.
pub fn compile_warned(text: &str, filename: &str, mode: Mode) -> Result<Compiled, SyntaxError> {
    let (module, warnings) = mini_grammar::parse_warned(text, mode)?;
    compile_tree(&module, text, filename, warnings)
}

/// Parses and compiles what was typed at a prompt: unlike `Mode::Interactive`, it may be several statements (a paste).
/// Errors: as `compile_text`.
pub fn compile_typed(text: &str, filename: &str) -> Result<Compiled, SyntaxError> {
    let (module, warnings) = mini_grammar::parse_warned(text, Mode::Module)?;
    let module = match module {
        Module::Module { body } => Module::Interactive { body },
        other => other,
    };
    compile_tree(&module, text, filename, warnings)
}

/// Compiles a parsed module. What the code returns depends on the variant: a `Module` returns None, an `Interactive` shows
/// the value of each expression statement, an `Expression` returns its value.
pub fn compile_module(module: &Module, text: &str, filename: &str) -> Result<Arc<Code>, SyntaxError> {
    compile_tree(module, text, filename, Vec::new()).map(|compiled| compiled.code)
}

fn compile_tree(
    module: &Module,
    text: &str,
    filename: &str,
    warnings: Vec<Warning>,
) -> Result<Compiled, SyntaxError> {
    let (index, ascii) = (LineIndex::new(text), text.is_ascii());
    let warnings = RefCell::new(warnings);
    let source = Source { text, index, filename: filename.into(), ascii, warnings };
    let compiled = symbols::build(module, &source).and_then(|scopes| func::module(module, &scopes, &source));
    let code = compiled.map_err(|error| *error)?;
    if cfg!(debug_assertions) {
        check(&code, &source)?;
    }
    Ok(Compiled { code: Arc::new(code), warnings: source.warnings.into_inner() })
}

/// In debug builds, a compiler's mistake is reported instead of being run.
fn check(code: &Code, source: &Source<'_>) -> Result<(), SyntaxError> {
    let problem = crate::bytecode::verify::verify(code);
    problem.map_err(|what| *source.error(format!("internal error: bad bytecode: {what}"), Span::default()))
}
