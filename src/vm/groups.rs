//! Exception groups: making them, and splitting them by what a handler takes. Must not know `except*` or how they print.

use super::thread::Thread;
use crate::object::layout::Exception;
use crate::object::{Exc, Kind, R, Slot, Value, class, exc, list, shape, str, tuple, types};

/// Who is looked for in a group.
#[derive(Clone, Copy)]
pub enum Wanted<'a> {
    /// Instances of a class, or of one of a tuple of them.
    Class(Value),
    /// Those that a function of the script says true to.
    Function(Value),
    /// The leaves that are these very objects.
    Leaves(&'a [Value]),
}

/// Whether an object is an exception group.
pub fn is_group(v: Value) -> bool {
    class::is_subclass(types::class_of(v), types::exc_class(Exc::BaseExceptionGroup))
}

/// The exceptions directly in a group.
pub fn members(th: &mut Thread, group: Value) -> Vec<Value> {
    let Ok(key) = th.name("exceptions") else { return Vec::new() };
    let items = shape::get(group, key).map_or(&[][..], tuple::items);
    items.iter().filter_map(Slot::get).collect()
}

/// The message of a group.
pub fn message(th: &mut Thread, group: Value) -> R {
    let key = th.name("message")?;
    Ok(shape::get(group, key).unwrap_or(Value::NONE))
}

/// `str(group)`.
pub fn text(th: &mut Thread, group: Value) -> R {
    let n = members(th, group).len();
    let message = message(th, group)?;
    let (message, s) = (str::as_str(message).unwrap_or(""), if n == 1 { "" } else { "s" });
    th.m.new_str(&format!("{message} ({n} sub-exception{s})"))
}

/// `class(message, exceptions)`. A BaseExceptionGroup of Exceptions becomes an ExceptionGroup.
pub fn make(th: &mut Thread, class: Value, message: Value, given: Value) -> R {
    if str::as_str(message).is_none() {
        let got = if message.is_none() { "None".to_owned() } else { th.type_name(message) };
        return Err(th.type_error(format!("BaseExceptionGroup.__new__() argument 1 must be str, not {got}")));
    }
    let is_sequence =
        types::kind_of(given) != Kind::Dict && th.lookup_special(given, "__getitem__").is_some();
    if !is_sequence {
        return Err(th.type_error("second argument (exceptions) must be a sequence"));
    }
    let items = th.collect(given)?;
    let members = super::ops::iterate::values_of(items).to_vec();
    if members.is_empty() {
        return Err(th.value_error("second argument (exceptions) must be a non-empty sequence"));
    }
    if let Some(i) = members.iter().position(|e| exc::cast(*e).is_none()) {
        let message = format!("Item {i} of second argument (exceptions) is not an exception");
        return Err(th.value_error(message));
    }
    let (base_group, group) =
        (types::exc_class(Exc::BaseExceptionGroup), types::exc_class(Exc::ExceptionGroup));
    let ordinary = |e: &Value| class::is_subclass(types::class_of(*e), types::exc_class(Exc::Exception));
    let all_ordinary = members.iter().all(ordinary);
    if !all_ordinary && class::is_subclass(class, types::exc_class(Exc::Exception)) {
        let name = match class == group {
            true => "an ExceptionGroup".to_owned(),
            false => format!("'{}'", class::name(class)),
        };
        return Err(th.type_error(format!("Cannot nest BaseExceptions in {name}")));
    }
    let class = if class == base_group && all_ordinary { group } else { class };
    let made = exc::new_exception(&mut th.m, class, &[message, given])?;
    let members = th.m.new_tuple(&members)?;
    for (name, value) in [("message", message), ("exceptions", members)] {
        let name = th.name(name)?;
        shape::set(&mut th.m, made, name, value)?;
    }
    Ok(made)
}

/// A group without a message, of a list or tuple: for what several handlers left, and around an exception by itself.
pub fn make_plain(th: &mut Thread, members: Value) -> R {
    let message = th.m.empty_str()?;
    make(th, types::exc_class(Exc::BaseExceptionGroup), message, members)
}

/// The parts of an exception that are wanted, and that are not. EMPTY: there is no such part. The caller has rooted it.
pub fn split(th: &mut Thread, exception: Value, wanted: Wanted) -> R<(Option<Value>, Option<Value>)> {
    if is_wanted(th, exception, wanted)? {
        return Ok((Some(exception), None));
    }
    if !is_group(exception) {
        return Ok((None, Some(exception)));
    }
    let (mut yes, mut no) = (Vec::new(), Vec::new());
    for member in members(th, exception) {
        let (matching, rest) =
            th.nested(" in exceptiongroup_split_recursive", |th| split(th, member, wanted))?;
        th.m.rooted.extend(matching.iter().chain(&rest));
        yes.extend(matching);
        no.extend(rest);
    }
    Ok((subset(th, exception, &yes)?, subset(th, exception, &no)?))
}

fn is_wanted(th: &mut Thread, exception: Value, wanted: Wanted) -> R<bool> {
    match wanted {
        Wanted::Class(class) => super::ops::except::matches(th, exception, class),
        Wanted::Leaves(leaves) => Ok(!is_group(exception) && leaves.contains(&exception)),
        Wanted::Function(f) => {
            let answer = th.call(f, &[exception])?;
            th.is_true(answer)
        }
    }
}

/// A group like `group`, of these members of it; EMPTY if there are none.
fn subset(th: &mut Thread, group: Value, members: &[Value]) -> R<Option<Value>> {
    if members.is_empty() {
        return Ok(None);
    }
    let members = th.m.new_list(members)?;
    let made = th.call_method(group, "derive", &[members])?;
    if !is_group(made) {
        return Err(th.type_error("derive must return an instance of BaseExceptionGroup"));
    }
    th.root(made);
    let (Some(from), Some(to)) = (exc::cast(group), exc::cast(made)) else { return Ok(Some(made)) };
    let fields: [fn(&Exception) -> &Slot; 3] = [|e| &e.traceback, |e| &e.context, |e| &e.cause];
    fields.iter().for_each(|field| field(to).set_word(field(from).get()));
    // The cause is set, if only to None.
    to.suppress.set(Value::TRUE);
    let key = th.name("__notes__")?;
    if let Some(notes) = shape::get(group, key).filter(|n| list::of(*n).is_some()) {
        let notes = th.m.new_list(&super::ops::iterate::values_of(notes))?;
        shape::set(&mut th.m, made, key, notes)?;
    }
    Ok(Some(made))
}

/// The leaves of a group, those of nested groups included.
pub fn leaves(th: &mut Thread, group: Value, found: &mut Vec<Value>) {
    let mut open = vec![group];
    while let Some(at) = open.pop() {
        match is_group(at) {
            true => open.extend(members(th, at).into_iter().rev()),
            false => found.push(at),
        }
    }
}
