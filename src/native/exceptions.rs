//! Making exceptions from scripts, and their methods. Must not know how they unwind or print.

use super::oserror::{class_for, set_names};
use super::support::type_name;
use super::text_args::argument_name;
use crate::object::{Exc, Kind, R, Value, Word, class, dict, exc, int, list, shape, str, types};
use crate::vm::native::{Args, NativeDef};
use crate::vm::thread::Thread;
use crate::vm::{attr, boot};
use smallvec::SmallVec;

static BASE_NEW: NativeDef =
    NativeDef::full("__new__", "cls, /, *args, **kwargs", construct, "Make an exception.");
static BASE_METHODS: [NativeDef; 3] = [
    NativeDef::full("__init__", "self, /, *args, **kwargs", init, "Take the arguments."),
    NativeDef::full("with_traceback", "self, tb, /", with_traceback, "Set __traceback__ and return self."),
    NativeDef::full("add_note", "self, note, /", add_note, "Add a note that is printed behind the message."),
];
static OS_NEW: NativeDef = NativeDef::full(
    "__new__",
    "cls, /, *args, **kwargs",
    construct_os_error,
    "Make the exception for an errno.",
);
static OS_INIT: [NativeDef; 1] =
    [NativeDef::full("__init__", "self, /, *args, **kwargs", init_os_error, "Take the arguments.")];
static NAMING_NEW: NativeDef =
    NativeDef::full("__new__", "cls, /, *args, **kwargs", construct_with_names, "Make an exception.");

/// Start-up: gives the exception classes their methods.
pub fn install(th: &mut Thread) -> R<()> {
    boot::add_methods(th, types::exc_class(Exc::BaseException), &BASE_METHODS)?;
    boot::add_function(th, types::exc_class(Exc::BaseException), &BASE_NEW)?;
    boot::add_methods(th, types::exc_class(Exc::OSError), &OS_INIT)?;
    boot::add_function(th, types::exc_class(Exc::OSError), &OS_NEW)?;
    for class in [Exc::ImportError, Exc::AttributeError, Exc::NameError] {
        boot::add_function(th, types::exc_class(class), &NAMING_NEW)?;
    }
    super::exception_group::install(th)
}

/// Receiver, `**kwargs`, `*args`: the order in which natives with both get them.
fn parts(args: Args) -> (Value, dict::Entries, SmallVec<[Value; 4]>) {
    (args.get(0), dict::entries(args.get(1)), args.rest(2).iter().copied().flatten().collect())
}

fn refuse_keywords(th: &mut Thread, class: Value, keywords: &[(Value, Value)]) -> R<()> {
    if keywords.is_empty() {
        return Ok(());
    }
    let name = class::name(class);
    Err(th.type_error(format!("{name}() takes no keyword arguments")))
}

fn construct(th: &mut Thread, args: Args) -> R {
    let (class, keywords, values) = parts(args);
    if !class::is_subclass(class, types::exc_class(Exc::BaseException)) {
        let got = type_name(class);
        return Err(th.type_error(format!("BaseException.__new__(X): X is not a type object ({got})")));
    }
    refuse_keywords(th, class, &keywords)?;
    check_unicode_error(th, class, &values)?;
    exc::new_exception(&mut th.m, class, &values)
}

/// The three errors about coding are made from arguments of fixed number and kind.
fn check_unicode_error(th: &mut Thread, class: Value, values: &[Value]) -> R<()> {
    use Kind::{Bytes, Int, Str};
    let is = |e| class::is_subclass(class, types::exc_class(e));
    if !is(Exc::UnicodeError) {
        return Ok(());
    }
    let wanted: &[Kind] = match (is(Exc::UnicodeDecodeError), is(Exc::UnicodeEncodeError)) {
        (true, _) => &[Str, Bytes, Int, Int, Str],
        (_, true) => &[Str, Str, Int, Int, Str],
        _ if is(Exc::UnicodeTranslateError) => &[Str, Int, Int, Str],
        _ => return Ok(()),
    };
    if values.len() != wanted.len() {
        let (n, given) = (wanted.len(), values.len());
        return Err(th.type_error(format!("function takes exactly {n} arguments ({given} given)")));
    }
    for (i, (kind, v)) in wanted.iter().zip(values).enumerate() {
        let (found, got) = (types::kind_of(*v), argument_name(*v));
        let message = match kind {
            Str if found != Str => format!("argument {} must be str, not {got}", i + 1),
            Int if !matches!(found, Int | Kind::Bool) => {
                let got = type_name(*v);
                format!("'{got}' object cannot be interpreted as an integer")
            }
            Bytes if !matches!(found, Bytes | Kind::ByteArray | Kind::MemoryView) => {
                format!("a bytes-like object is required, not '{}'", type_name(*v))
            }
            _ => continue,
        };
        return Err(th.type_error(message));
    }
    Ok(())
}

fn init(th: &mut Thread, args: Args) -> R {
    let (exception, keywords, values) = parts(args);
    refuse_keywords(th, types::class_of(exception), &keywords)?;
    set_args(th, exception, &values)?;
    Ok(Value::NONE)
}

/// ImportError, AttributeError and NameError say by keyword what was not found.
fn construct_with_names(th: &mut Thread, args: Args) -> R {
    let (class, keywords, values) = parts(args);
    let is = |e| class::is_subclass(class, types::exc_class(e));
    let known: &[&str] = match (is(Exc::ImportError), is(Exc::AttributeError)) {
        (true, _) => &["name", "path"],
        (_, true) => &["name", "obj"],
        _ => &["name"],
    };
    let made = exc::new_exception(&mut th.m, class, &values)?;
    for (key, v) in keywords {
        let name = str::as_str(key).unwrap_or("");
        if !known.contains(&name) {
            let class = class::name(class);
            return Err(th.type_error(format!("'{name}' is an invalid keyword argument for {class}()")));
        }
        shape::set(&mut th.m, made, key, v)?;
    }
    Ok(made)
}

fn set_args(th: &mut Thread, exception: Value, values: &[Value]) -> R<()> {
    let tuple = th.new_tuple(values)?;
    if let Some(e) = exc::cast(exception) {
        e.args.set(tuple);
    }
    Ok(())
}

/// The arguments of an OSError that stay in `args`, and its file names.
fn os_parts(values: &[Value]) -> (&[Value], Word, Word) {
    match values {
        [_, _, rest @ ..] if !rest.is_empty() && rest.len() <= 3 => {
            let name = |i: usize| rest.get(i).copied().filter(|v| !v.is_none());
            (&values[..2], name(0), name(2))
        }
        all => (all, None, None),
    }
}

fn construct_os_error(th: &mut Thread, args: Args) -> R {
    let (class, keywords, values) = parts(args);
    refuse_keywords(th, class, &keywords)?;
    let errno = values.first().and_then(|v| int::as_i64(*v)).filter(|_| (2..=5).contains(&values.len()));
    let class = match errno.and_then(|n| i32::try_from(n).ok()) {
        Some(errno) if class == types::exc_class(Exc::OSError) => types::exc_class(class_for(errno)),
        _ => class,
    };
    let (kept, filename, filename2) = os_parts(&values);
    let made = exc::new_exception(&mut th.m, class, kept)?;
    set_names(&mut th.m, made, filename, filename2)?;
    Ok(made)
}

fn init_os_error(th: &mut Thread, args: Args) -> R {
    let (exception, keywords, values) = parts(args);
    refuse_keywords(th, types::class_of(exception), &keywords)?;
    let (kept, filename, filename2) = os_parts(&values);
    set_args(th, exception, kept)?;
    set_names(&mut th.m, exception, filename, filename2)?;
    Ok(Value::NONE)
}

fn with_traceback(th: &mut Thread, args: Args) -> R {
    let (exception, traceback) = (args.get(0), args.get(1));
    if !traceback.is_none() && types::kind_of(traceback) != crate::object::Kind::Traceback {
        return Err(th.type_error("__traceback__ must be a traceback or None"));
    }
    let key = th.name("__traceback__")?;
    attr::set(th, exception, key, traceback)?;
    Ok(exception)
}

fn add_note(th: &mut Thread, args: Args) -> R {
    let (exception, note) = (args.get(0), args.get(1));
    if str::as_str(note).is_none() {
        let class = type_name(note);
        return Err(th.type_error(format!("note must be a str, not '{class}'")));
    }
    let key = th.name("__notes__")?;
    let notes = match th.get_attr_opt(exception, key)? {
        Some(notes) => notes,
        None => {
            let notes = th.new_list(&[])?;
            attr::set(th, exception, key, notes)?;
            notes
        }
    };
    match list::of(notes) {
        Some(l) => list::push(th, l, note).map(|()| Value::NONE),
        None => Err(th.type_error("Cannot add note: __notes__ is not a list")),
    }
}
