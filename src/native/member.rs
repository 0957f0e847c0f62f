//! `member_descriptor`: what a class shows for a name in its `__slots__`. The attributes themselves lie where others lie, so an
//! instance never meets one of these. Must not know how attributes are stored.

use crate::object::{R, Raised, Value, class, func, str, types};
use crate::vm::native::{Args, NativeDef, TypeDef};
use crate::vm::thread::Thread;
use crate::vm::{attr, attr_delete, boot, type_tables};

/// The descriptor of a name in the slots of `owner`.
pub fn of(th: &mut Thread, owner: Value, name: Value) -> R {
    let class = match type_tables::class_of(&MEMBER) {
        Some(class) => class,
        None => boot::make_type(th, &MEMBER, "builtins")?,
    };
    func::new_pair(&mut th.m, class, class, [Some(owner), Some(name)])
}

/// The class and the name of the receiver.
fn parts(args: Args) -> (Value, Value) {
    let [owner, name] = func::pair(args.get(0));
    (owner.unwrap_or(Value::NONE), name.unwrap_or(Value::NONE))
}

/// What the receiver was called about, which must be an instance of its class.
fn subject(th: &mut Thread, args: Args) -> R<(Value, Value)> {
    let ((owner, name), object) = (parts(args), args.get(1));
    match class::is_subclass(types::class_of(object), owner) {
        true => Ok((object, name)),
        false => Err(wrong_subject(th, owner, name, object)),
    }
}

fn wrong_subject(th: &mut Thread, owner: Value, name: Value, object: Value) -> Raised {
    let (name, class) = (str::as_str(name).unwrap_or(""), class::name(owner));
    let got = th.type_name(object);
    th.type_error(format!("descriptor '{name}' for '{class}' objects doesn't apply to a '{got}' object"))
}

fn get(th: &mut Thread, args: Args) -> R {
    if args.get(1).is_none() {
        return Ok(args.get(0));
    }
    let (object, name) = subject(th, args)?;
    th.get_attr_plainly(object, name)
}

fn set(th: &mut Thread, args: Args) -> R {
    let (object, name) = subject(th, args)?;
    attr::set_plainly(th, object, name, args.get(2)).map(|()| Value::NONE)
}

fn delete(th: &mut Thread, args: Args) -> R {
    let (object, name) = subject(th, args)?;
    attr_delete::delete_plainly(th, object, name).map(|()| Value::NONE)
}

fn repr(th: &mut Thread, args: Args) -> R {
    let (owner, name) = parts(args);
    let (name, class) = (str::as_str(name).unwrap_or(""), class::name(owner));
    th.new_str(&format!("<member '{name}' of '{class}' objects>"))
}

fn eq(_: &mut Thread, args: Args) -> R {
    let same = types::class_of(args.get(0)) == types::class_of(args.get(1));
    Ok(Value::bool(same && func::pair(args.get(0)) == func::pair(args.get(1))))
}

fn hash(th: &mut Thread, args: Args) -> R {
    let (_, name) = parts(args);
    let hash = th.hash_key(name)?;
    th.m.new_int(hash)
}

fn name(_: &mut Thread, args: Args) -> R {
    Ok(parts(args).1)
}

fn owner(_: &mut Thread, args: Args) -> R {
    Ok(parts(args).0)
}

fn doc(_: &mut Thread, _: Args) -> R {
    Ok(Value::NONE)
}

static MEMBER: TypeDef = TypeDef {
    name: "member_descriptor",
    doc: "An attribute that a class names in its slots.",
    methods: &[
        NativeDef::full("__get__", "self, instance, owner=, /", get, "Read the attribute."),
        NativeDef::full("__set__", "self, instance, value, /", set, "Set the attribute."),
        NativeDef::full("__delete__", "self, instance, /", delete, "Delete the attribute."),
        NativeDef::full("__repr__", "self, /", repr, "Show class and name."),
        NativeDef::full("__eq__", "self, other, /", eq, "Of the same class, with the same name."),
        NativeDef::full("__hash__", "self, /", hash, "Agree with ==."),
    ],
    properties: &[
        NativeDef::full("__name__", "self, /", name, "The name."),
        NativeDef::full("__qualname__", "self, /", name, "The name."),
        NativeDef::full("__objclass__", "self, /", owner, "The class."),
        NativeDef::full("__doc__", "self, /", doc, "Nothing."),
    ],
    ..TypeDef::BARE
};
