//! The slow paths of the instructions, one file per family. Each may run Mini code. Must not know the eval loop.

pub mod arith;
pub mod build;
pub mod bytearray;
pub mod compare;

pub mod except;
pub mod framed;
pub mod group;
pub mod item;
pub mod iterate;
pub mod matching;
pub mod memoryview;
pub mod names;
pub mod suspend;
pub mod test;
