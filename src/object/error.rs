//! How an operation says that it raised: one word, so that results stay in a register.
//! Must not know how exceptions unwind.

use super::value::Value;

/// An exception has been raised and is pending in the thread (`Mutator::pending`). Carries nothing itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Raised;

/// What a fallible operation returns. `R<Value>` is one word: EMPTY means raised.
pub type R<T = Value> = Result<T, Raised>;

/// Built-in exception classes that Rust code raises, in the order of `BASES`.
macro_rules! exceptions {
    ($($name:ident : $base:ident),* $(,)?) => {
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(u8)]
        pub enum Exc { BaseException, $($name),* }
        /// Name and base of each built-in exception class, bases first.
        pub static EXCEPTIONS: &[(Exc, &str, Exc)] = &[
            (Exc::BaseException, "BaseException", Exc::BaseException),
            $((Exc::$name, stringify!($name), Exc::$base)),*
        ];
    };
}

exceptions! {
    Exception: BaseException, SystemExit: BaseException, KeyboardInterrupt: BaseException, GeneratorExit: BaseException,
    ArithmeticError: Exception, FloatingPointError: ArithmeticError, OverflowError: ArithmeticError,
    ZeroDivisionError: ArithmeticError, AssertionError: Exception, AttributeError: Exception, BufferError: Exception,
    EOFError: Exception, ImportError: Exception, ModuleNotFoundError: ImportError, LookupError: Exception,
    IndexError: LookupError, KeyError: LookupError, MemoryError: Exception, NameError: Exception,
    UnboundLocalError: NameError, OSError: Exception, BlockingIOError: OSError, ChildProcessError: OSError,
    ConnectionError: OSError, BrokenPipeError: ConnectionError, ConnectionAbortedError: ConnectionError,
    ConnectionRefusedError: ConnectionError, ConnectionResetError: ConnectionError, FileExistsError: OSError,
    FileNotFoundError: OSError, InterruptedError: OSError, IsADirectoryError: OSError, NotADirectoryError: OSError,
    PermissionError: OSError, ProcessLookupError: OSError, TimeoutError: OSError, ReferenceError: Exception,
    RuntimeError: Exception, NotImplementedError: RuntimeError, RecursionError: RuntimeError, StopIteration: Exception,
    StopAsyncIteration: Exception, SyntaxError: Exception, IndentationError: SyntaxError, TabError: IndentationError,
    SystemError: Exception, TypeError: Exception, ValueError: Exception, UnicodeError: ValueError,
    UnicodeDecodeError: UnicodeError, UnicodeEncodeError: UnicodeError, UnicodeTranslateError: UnicodeError,
    Warning: Exception, BytesWarning: Warning, DeprecationWarning: Warning, FutureWarning: Warning,
    ImportWarning: Warning, PendingDeprecationWarning: Warning, ResourceWarning: Warning, RuntimeWarning: Warning,
    SyntaxWarning: Warning, UnicodeWarning: Warning, UserWarning: Warning, EncodingWarning: Warning, BaseExceptionGroup: BaseException,
    ExceptionGroup: BaseExceptionGroup,
}

const _: () = assert!(std::mem::size_of::<R>() == 8);
