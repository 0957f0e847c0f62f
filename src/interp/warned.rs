//! What the compiler found doubtful in a text, told through the module `warnings`. Must not know what is doubtful.

use super::source;
use crate::compile::{Category, Error, ErrorKind, Finder, Warning};
use crate::object::{Exc, R, Value, types};
use crate::vm::import;
use crate::vm::thread::Thread;

/// Warns; a filter may say that a warning is an error, and then it is a SyntaxError.
pub fn tell(th: &mut Thread, warnings: &[Warning], text: &str, filename: &str) -> R<()> {
    if warnings.is_empty() || nobody_asked(th, warnings)? {
        return Ok(());
    }
    let mut warnings = warnings.to_vec();
    warnings.sort_by_key(|w| (w.finder == Finder::Compiler, w.span.start));
    let module = import::import_dotted(th, "warnings")?;
    for warning in &warnings {
        let error = Error::new(ErrorKind::SyntaxError, warning.message.as_str(), text, warning.span);
        let finder = if warning.finder == Finder::Scanner { Finder::Scanner } else { Finder::Compiler };
        tell_one(th, module, warning.category, &Error { finder, ..error }, filename)?;
    }
    Ok(())
}

/// Deprecations in a text are ignored unless the program has changed the filters.
fn nobody_asked(th: &mut Thread, warnings: &[Warning]) -> R<bool> {
    let name = th.name("warnings")?;
    let untouched = import::loaded(th, name)?.is_none();
    Ok(untouched && warnings.iter().all(|w| w.category == Category::DeprecationWarning))
}

fn tell_one(th: &mut Thread, module: Value, category: Category, error: &Error, filename: &str) -> R<()> {
    let class = match category {
        Category::SyntaxWarning => Exc::SyntaxWarning,
        Category::DeprecationWarning => Exc::DeprecationWarning,
    };
    let message = th.m.new_str(&error.message)?;
    let file = th.m.new_str(filename)?;
    let line = Value::int_unchecked(error.line.into());
    let told = th.call_method(module, "warn_explicit", &[message, types::exc_class(class), file, line]);
    match told {
        Err(_) if th.pending_is(class) => {
            th.take_exception();
            Err(source::raise(th, error, filename, true))
        }
        told => told.map(drop),
    }
}
