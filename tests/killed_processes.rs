//! Processes that are killed in the midst of something: what they shared with others is whole, or says that it is not. And a
//! signal that is sent to a process does what it does to any process.

mod support;

use std::time::Duration;
use support::{mini_command, python_stands_in, run, scratch};

const LIMIT: Duration = Duration::from_secs(120);

/// Runs a program from a file of its own with and without a GIL; it must print this and end well.
#[track_caller]
fn prints(name: &str, code: &str, expected: &str) {
    let folder = scratch(&format!("killed-{name}"));
    let file = folder.join("program.mini");
    std::fs::write(&file, code).unwrap();
    for gil in ["off", "time:5ms"] {
        let mut command = mini_command(Some(gil));
        command.arg(&file).current_dir(&folder);
        let done = run(command, b"", LIMIT);
        assert_eq!((done.code(), done.stdout.as_str()), (0, expected), "--gil {gil}: {}", done.stderr);
    }
}

/// CPython's readers leave half a message to the next one.
#[test]
fn a_reader_that_is_killed_garbles_nothing() {
    if python_stands_in() {
        return;
    }
    let code = "
import multiprocessing as mp, random, time
def read_all(get):
    while True:
        get()
def check(get, put, name):
    text = 'x' * 3000
    for i in range(25):
        reader = mp.Process(target=read_all, args=(get,))
        reader.start()
        for j in range(8):
            put((j, text))
        time.sleep(random.random() * 0.002)
        reader.kill()
        for j in range(8):
            put((j, text))
        reader.join()
        put('end')
        while (item := get()) != 'end':
            number, read = item
            assert read == text and 0 <= number < 8
    print(name, 'is whole')
queue, simple, pair, one_way = mp.Queue(), mp.SimpleQueue(), mp.Pipe(), mp.Pipe(duplex=False)
check(queue.get, queue.put, 'Queue')
check(simple.get, simple.put, 'SimpleQueue')
check(pair[0].recv, pair[1].send, 'Pipe')
check(one_way[0].recv, one_way[1].send, 'Pipe of one way')
";
    prints(
        "readers",
        code,
        "Queue is whole\nSimpleQueue is whole\nPipe is whole\nPipe of one way is whole\n",
    );
}

#[test]
fn a_reader_that_is_killed_in_a_long_message_is_noticed() {
    if python_stands_in() {
        return;
    }
    let code = "
import multiprocessing as mp, os, time
def write(queue):
    queue.put(b'x' * 10_000_000)
    queue.put('more')
    os.write(written, b'y')
    time.sleep(60)
def read(queue):
    queue.get()
seen, written = os.pipe()
queue = mp.Queue()
writer = mp.Process(target=write, args=(queue,))
writer.start()
os.read(seen, 1)
queue._reader.poll(20)
os.kill(writer.pid, 19)
reader = mp.Process(target=read, args=(queue,))
reader.start()
while queue._reader.poll(): time.sleep(0.01)
time.sleep(0.05)
reader.kill()
reader.join()
os.kill(writer.pid, 18)
for _ in range(2):
    try: queue.get(timeout=20)
    except OSError as e: print(e)
writer.kill()
";
    let line = "a process was ended while it read a message of this queue: what follows cannot be read\n";
    prints("long", code, &line.repeat(2));
}

/// Every signal whose default action ends a process, but for those that the system or the interpreter keeps: SIGINT raises
/// KeyboardInterrupt, SIGPIPE and SIGXFSZ are ignored.
#[test]
fn a_signal_ends_a_process() {
    let code = "
import os, signal, threading, time
# Whoever started this may have had them ignored, as nohup does.
for number in (1, 3): signal.signal(number, signal.SIG_DFL)
def end_of(child):
    pid = os.fork()
    if pid == 0:
        os.close(2)
        try: child()
        except KeyboardInterrupt: os._exit(77)
        time.sleep(0.3)
        os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
def kill(number): return lambda: os.kill(os.getpid(), number)
def in_thread(number):
    def child():
        thread = threading.Thread(target=kill(number))
        thread.start()
        thread.join()
    return child
numbers = [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 29, 31]
print([end_of(kill(number)) for number in numbers])
print([end_of(in_thread(number)) for number in (7, 9, 11, 15)])
pid = os.fork()
if pid == 0: time.sleep(60)
os.kill(pid, 11)
print(os.waitpid(pid, 0)[1] & 127)
";
    let ends = "[-1, 77, -3, -4, -5, -6, -7, -8, -10, -11, -12, 99, -14, -15, -24, 99, -26, -27, -29, -31]";
    prints("signals", code, &format!("{ends}\n[-7, -9, -11, -15]\n11\n"));
}

/// A child that crashes takes nobody with it, and leaves what it shared.
#[test]
fn a_crash_ends_one_process() {
    let code = "
import multiprocessing as mp, os
def crash(number, shared):
    with shared.get_lock(): shared.value += 1
    os.kill(os.getpid(), number)
def segfault(): os.kill(os.getpid(), 11)
def sibling(queue, shared):
    queue.get()
    with shared.get_lock(): shared.value += 1
    queue.put('sibling went on')
if __name__ == '__main__':
    shared, queue = mp.Value('i', 0), mp.Queue()
    going_on = mp.Process(target=sibling, args=(queue, shared))
    going_on.start()
    crashing = [mp.Process(target=crash, args=(number, shared)) for number in (11, 7, 6, 8, 4)]
    for p in crashing: p.start()
    for p in crashing: p.join()
    print([p.exitcode for p in crashing], shared.value)
    queue.put('go on')
    going_on.join()
    print(queue.get(), going_on.exitcode, shared.value)
    with mp.Pool(2) as pool:
        failed = pool.apply_async(segfault)
        try: failed.get(30)
        except mp.ProcessError as e: print(e)
        print(pool.map(abs, [-1, -2]))
";
    prints(
        "crash",
        code,
        "[-11, -7, -6, -8, -4] 5\nsibling went on 0 6\n\
         a worker process was ended by SIGSEGV while it carried out the task\n[1, 2]\n",
    );
}
