//! Runs code: frames, the eval loop, calls, attribute access, unwinding. Must not know modules of the standard library.

pub mod abstract_classes;
pub mod annotations;
pub mod attr;
mod attr_errors;
pub mod awaitable;
pub mod bases;
pub mod bind;
pub mod boot;
pub mod call;
pub mod class_change;
pub mod classes;
pub mod compare_containers;
pub mod container_ops;
pub mod container_repr;
pub mod coroutine;
pub mod exc_fields;
pub mod fields;
pub mod frame;
pub mod frame_locals;
pub mod frame_object;
pub mod generic;
pub mod groups;
pub mod hashing;
pub mod hooks;
pub mod import;
pub mod iter;
pub mod iter_combine;
pub mod iter_object;
pub mod iter_tools;
pub mod link;
pub mod lookup;
pub mod native;
pub mod ops;
pub mod poll;

pub mod roots;
pub mod run;
pub mod set_class;
pub mod set_fields;
pub mod set_ops;
pub mod shape_cache;
pub mod signals;
pub(crate) mod site;
pub mod slicing;
pub mod slot_names;
pub mod sort;
pub mod stack;
pub mod suggest;
pub mod text;
pub mod thread;
pub mod traceback;
pub mod type_tables;
pub mod unwind;
pub mod weak;

#[cfg(test)]
mod tests;
