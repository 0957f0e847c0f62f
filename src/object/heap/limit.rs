//! How much memory the heap may take when nobody says: what the machine, and the group of processes it runs in, has; and
//! whether natives find room beside it.

/// From this size on, it is asked whether there is room.
const LARGE: usize = 16 << 20;
/// How often a native may have to copy what a large object holds, outside the heap: `repr` makes a text of it, an
/// exception a message of that, a traceback a line of that. Rust ends the process where such a copy finds no room.
const COPIES: usize = 4;

/// Whether natives could copy an object of so many bytes: where the process may only have so much address space, large
/// objects that leave no room for that are refused while a script can still be told so.
pub fn leaves_room(bytes: usize) -> bool {
    bytes < LARGE || bytes.checked_mul(COPIES).is_some_and(could_be_mapped)
}

/// Whether the system would hand out so many addresses now.
pub fn could_be_mapped(bytes: usize) -> bool {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: a fresh mapping at an address of the kernel's choice, that nothing can have been put into, is taken back.
    unsafe {
        let at = libc::mmap(std::ptr::null_mut(), bytes, libc::PROT_NONE, flags, -1, 0);
        at != libc::MAP_FAILED && libc::munmap(at, bytes) == 0
    }
}

/// Three quarters of the memory there is.
pub fn default_limit() -> usize {
    let groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limits =
        groups.iter().filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<usize>().ok());
    let memory = limits.chain(physical_memory()).min().unwrap_or(1 << 30);
    memory / 4 * 3
}

fn physical_memory() -> Option<usize> {
    // SAFETY: sysconf reads no memory of ours.
    let (pages, size) = unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGESIZE)) };
    usize::try_from(pages).ok()?.checked_mul(usize::try_from(size).ok()?)
}
