//! How much memory the heap may take when nobody says: what the machine, and the group of processes it runs in, has.

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
