//! Module `_multiprocessing`: the table of what `multiprocessing` needs of the system. Must not know processes.

use super::{mp_connection, mp_lock, mp_memory, mp_queue};
use crate::vm::native::{ModuleDef, NativeDef};

pub static MODULE: ModuleDef = ModuleDef {
    name: "_multiprocessing",
    doc: "What processes share and how they talk: the native half of multiprocessing.",
    functions: &[
        mp_connection::SEND,
        mp_connection::RECV,
        mp_connection::RECV_ONLY,
        mp_connection::WAIT,
        mp_connection::PAIR,
        mp_connection::PROCESS,
        mp_connection::WAIT_FOR_END,
        mp_connection::WIDEN,
        mp_connection::RUNS,
        mp_queue::SEND,
        mp_queue::SEND_NOW,
        mp_queue::RECV,
        mp_queue::TAKE,
        NativeDef::full("memory_file", "size, /", mp_memory::memory_file, "A file in memory, of zeros."),
    ],
    types: &[
        &mp_lock::SEMAPHORE,
        &mp_lock::FLAG,
        &mp_lock::PLACES,
        &mp_memory::MEMORY,
        &mp_connection::DESCRIPTOR,
    ],
    init: None,
};
