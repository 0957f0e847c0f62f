//! The repr of containers, and of containers that contain themselves. Must not know how other values are shown.

use super::thread::Thread;
use crate::object::iter::{self, Tag};
use crate::object::layout::{Dict, is_subclass_instance};
use crate::object::{Kind, R, Slot, Value};
use crate::object::{class, dict, func, list, range, set, slice, str as text, tuple, types};

/// `repr(v)` of a list, tuple, dict, set, frozenset, range, slice or view of a dict.
pub fn container_repr(th: &mut Thread, v: Value) -> R {
    let kind = types::kind_of(v);
    if th.printing.contains(&v) {
        let short = match kind {
            Kind::List => "[...]".to_owned(),
            Kind::Tuple => "(...)".to_owned(),
            Kind::Set | Kind::FrozenSet => format!("{}(...)", class::name(types::class_of(v))),
            Kind::Dict => "{...}".to_owned(),
            _ => "...".to_owned(),
        };
        return th.new_str(&short);
    }
    let mut out = String::new();
    th.nested(" while getting the repr of an object", |th| {
        th.printing.push(v);
        let shown = show(th, kind, v, &mut out);
        th.printing.pop();
        shown
    })?;
    th.new_str(&out)
}

fn show(th: &mut Thread, kind: Kind, v: Value, out: &mut String) -> R<()> {
    match kind {
        Kind::List => show_list(th, v, out),
        Kind::Tuple => show_tuple(th, v, out),
        Kind::Dict => match dict::of(v) {
            Some(d) => show_dict(th, d, out),
            None => Ok(()),
        },
        Kind::Set | Kind::FrozenSet => show_set(th, kind, v, out),
        Kind::Range => show_range(th, v, out),
        Kind::Slice => show_slice(th, v, out),
        Kind::DictView => show_view(th, v, out),
        Kind::MappingProxy => {
            out.push_str("mappingproxy(");
            item(th, func::proxied(v).unwrap_or(Value::NONE), out)?;
            out.push(')');
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Appends the repr of one item.
fn item(th: &mut Thread, v: Value, out: &mut String) -> R<()> {
    let shown = th.repr(v)?;
    out.push_str(text::as_str(shown).unwrap_or_default());
    Ok(())
}

fn comma(first: &mut bool, out: &mut String) {
    if !std::mem::take(first) {
        out.push_str(", ");
    }
}

fn show_list(th: &mut Thread, v: Value, out: &mut String) -> R<()> {
    let (mut first, mut i) = (true, 0);
    out.push('[');
    // Each repr may run code that changes the list.
    while let Some(x) = list::of(v).and_then(|l| list::get(l, i)) {
        comma(&mut first, out);
        item(th, x, out)?;
        i += 1;
    }
    out.push(']');
    Ok(())
}

fn show_tuple(th: &mut Thread, v: Value, out: &mut String) -> R<()> {
    let items = tuple::items(v);
    let mut first = true;
    out.push('(');
    for slot in items {
        comma(&mut first, out);
        item(th, slot.value(), out)?;
    }
    out.push_str(if items.len() == 1 { ",)" } else { ")" });
    Ok(())
}

fn show_dict(th: &mut Thread, d: &'static Dict, out: &mut String) -> R<()> {
    let (mut first, mut at) = (true, 0);
    out.push('{');
    while let Some((next, key, value)) = dict::next_entry(d, at) {
        comma(&mut first, out);
        item(th, key, out)?;
        out.push_str(": ");
        item(th, value, out)?;
        at = next;
    }
    out.push('}');
    Ok(())
}

fn show_set(th: &mut Thread, kind: Kind, v: Value, out: &mut String) -> R<()> {
    let Some(s) = set::of(v) else { return Ok(()) };
    let plain = kind == Kind::Set && types::class_of(v) == types::class_of_kind(Kind::Set);
    let name = class::name(types::class_of(v));
    if set::len(s) == 0 {
        out.push_str(&format!("{name}()"));
        return Ok(());
    }
    out.push_str(&if plain { "{".to_owned() } else { format!("{name}({{") });
    let (mut first, mut at) = (true, 0);
    while let Some((next, _, key)) = set::next_entry(s, at) {
        comma(&mut first, out);
        item(th, key, out)?;
        at = next;
    }
    out.push_str(if plain { "}" } else { "})" });
    Ok(())
}

fn show_parts(th: &mut Thread, name: &str, parts: &[Value], out: &mut String) -> R<()> {
    let mut first = true;
    out.push_str(name);
    out.push('(');
    for part in parts {
        comma(&mut first, out);
        item(th, *part, out)?;
    }
    out.push(')');
    Ok(())
}

fn show_range(th: &mut Thread, v: Value, out: &mut String) -> R<()> {
    let Some(r) = range::of(v) else { return Ok(()) };
    let parts = range::parts(r);
    let shown = if parts[2] == Value::int_unchecked(1) { 2 } else { 3 };
    show_parts(th, "range", parts.get(..shown).unwrap_or(&parts), out)
}

fn show_slice(th: &mut Thread, v: Value, out: &mut String) -> R<()> {
    let Some(s) = slice::of(v) else { return Ok(()) };
    show_parts(th, "slice", &[s.start.value(), s.stop.value(), s.step.value()], out)
}

/// Whether it is an OrderedDict of `collections`, whose views have names of their own.
fn is_ordered(th: &mut Thread, d: Value) -> bool {
    let mut mro = class::mro(types::class_of(d)).iter().filter_map(Slot::get);
    is_subclass_instance(types::hdr(d))
        && mro.any(|c| {
            class::name(c) == "OrderedDict"
                && th.qualified_name(c).is_ok_and(|name| name == "collections.OrderedDict")
        })
}

fn show_view(th: &mut Thread, v: Value, out: &mut String) -> R<()> {
    let Some(view) = iter::view_of(v) else { return Ok(()) };
    let tag = match view.what {
        0 => Tag::KeysView,
        1 => Tag::ValuesView,
        _ => Tag::ItemsView,
    };
    if is_ordered(th, view.dict.value()) {
        out.push('o');
    }
    out.push_str(tag.class_name());
    out.push('(');
    let items = th.collect(v)?;
    show_list(th, items, out)?;
    out.push(')');
    Ok(())
}
