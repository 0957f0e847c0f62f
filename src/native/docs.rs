//! What `__doc__` says of the exceptions. Must not know when they are raised.

use crate::object::error::EXCEPTIONS;
use crate::object::{R, Value, class, types};
use crate::vm::attr;
use crate::vm::thread::Thread;

const EXCEPTION_DOCS: &[(&str, &str)] = &[
    ("BaseException", "The base of everything that can be raised."),
    ("Exception", "The base of errors and of what programs raise themselves."),
    ("SystemExit", "Ends the program; raised by sys.exit()."),
    ("KeyboardInterrupt", "The user pressed Ctrl-C."),
    ("GeneratorExit", "A generator or coroutine is being closed."),
    ("ArithmeticError", "The base of errors of arithmetic."),
    ("FloatingPointError", "A float operation failed."),
    ("OverflowError", "A result is too large for its type."),
    ("ZeroDivisionError", "Division, or a remainder, by zero."),
    ("AssertionError", "An assert statement found its condition false."),
    ("AttributeError", "An object has no such attribute, or it cannot be set."),
    ("BufferError", "A buffer cannot be changed or given."),
    ("EOFError", "Input ended where more was needed."),
    ("ImportError", "A module, or a name in it, cannot be imported."),
    ("ModuleNotFoundError", "There is no module of this name."),
    ("LookupError", "The base of errors of indices and keys."),
    ("IndexError", "An index lies outside the sequence."),
    ("KeyError", "A mapping or set has no such key."),
    ("MemoryError", "There is no memory for an object."),
    ("NameError", "No variable has this name."),
    ("UnboundLocalError", "A local variable has no value yet."),
    ("OSError", "A call of the operating system failed; errno says why."),
    ("BlockingIOError", "An operation would have to wait on something that may not wait."),
    ("ChildProcessError", "An operation on a child process failed."),
    ("ConnectionError", "The base of errors of connections."),
    ("BrokenPipeError", "Nobody reads what is written."),
    ("ConnectionAbortedError", "The connection was given up by this side."),
    ("ConnectionRefusedError", "Nobody accepts connections there."),
    ("ConnectionResetError", "The other side ended the connection."),
    ("FileExistsError", "The file to be made is there already."),
    ("FileNotFoundError", "There is no such file or folder."),
    ("InterruptedError", "A signal interrupted a call of the system."),
    ("IsADirectoryError", "A file was wanted, but this is a folder."),
    ("NotADirectoryError", "A folder was wanted, but this is none."),
    ("PermissionError", "The system does not allow it."),
    ("ProcessLookupError", "There is no such process."),
    ("TimeoutError", "It took longer than allowed."),
    ("ReferenceError", "The object that was referred to is gone."),
    ("RuntimeError", "An error of no other kind."),
    ("NotImplementedError", "A method that a subclass has to define."),
    ("RecursionError", "Calls are nested too deeply."),
    ("StopIteration", "An iterator has no more items."),
    ("StopAsyncIteration", "An asynchronous iterator has no more items."),
    ("SyntaxError", "Source text is no program."),
    ("IndentationError", "Lines are indented wrongly."),
    ("TabError", "Tabs and spaces are mixed so that the indentation means two things."),
    ("SystemError", "The interpreter itself made a mistake."),
    ("TypeError", "An operation does not fit the types of its operands."),
    ("ValueError", "The type is right, the value is not."),
    ("UnicodeError", "Text cannot be encoded or decoded."),
    ("UnicodeDecodeError", "Bytes that are no text in this encoding."),
    ("UnicodeEncodeError", "Text that this encoding cannot express."),
    ("UnicodeTranslateError", "Text that cannot be translated."),
    ("Warning", "The base of warnings."),
    ("BytesWarning", "Bytes and text were mixed."),
    ("EncodingWarning", "An encoding was left to the surroundings."),
    ("DeprecationWarning", "Something will go away; for programmers."),
    ("FutureWarning", "Something will change; for users."),
    ("ImportWarning", "An import is probably a mistake."),
    ("PendingDeprecationWarning", "Something will go away some day."),
    ("ResourceWarning", "A resource was not released."),
    ("RuntimeWarning", "What happens is doubtful."),
    ("SyntaxWarning", "The source text is doubtful."),
    ("UnicodeWarning", "Something about text is doubtful."),
    ("UserWarning", "A warning of a program's own."),
    ("BaseExceptionGroup", "Several exceptions of any kind as one."),
    ("ExceptionGroup", "Several exceptions as one."),
];

/// Start-up: gives the classes their docstrings.
pub fn install(th: &mut Thread) -> R<()> {
    for (exc, name, _) in EXCEPTIONS {
        if let Some((_, text)) = EXCEPTION_DOCS.iter().find(|(n, _)| n == name) {
            set(th, types::exc_class(*exc), text)?;
        }
    }
    Ok(())
}

fn set(th: &mut Thread, class: Value, text: &str) -> R<()> {
    let text = th.new_str(text)?;
    let key = th.name("__doc__")?;
    attr::set_in_namespace(&mut th.m, class::cast(class).and_then(|c| c.dict.get()), key, text)
}
