//! What the words of a policy promise: where threads switch (`poll=`), who is next (`queue=`), also by a function of the
//! script. By exact counts, or by ratios that a loaded machine does not change.

mod support;

use std::time::Duration;
use support::{Finished, mini_command, run};

/// For one program on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

fn mini(policy: &str, script: &str) -> Finished {
    let mut command = mini_command(None);
    command.args(["--gil", policy, "-c", script]);
    run(command, b"", LIMIT)
}

fn printed(policy: &str, script: &str) -> String {
    let finished = mini(policy, script);
    assert_eq!(finished.code(), 0, "{policy}: {}", finished.stderr);
    finished.stdout
}

/// Two threads add to a global in four ways; prints how many updates each way lost. They begin together, and with `ticks:1`
/// and `queue=fifo` they switch wherever they may.
const LOST: &str = "
import threading, time
x = 0
def one():
    return 1
def line():
    global x
    for i in range(300):
        x += 1
def lines():
    global x
    for i in range(300):
        y = x
        x = y + 1
def call():
    global x
    for i in range(300):
        x += one()
def native():
    global x
    for i in range(300):
        x += abs(1)
def begin(work, begun):
    begun.append(1)
    while len(begun) < 2:
        time.sleep(0)
    work()
for work in (line, lines, call, native):
    x = 0
    begun = []
    threads = [threading.Thread(target=begin, args=(work, begun)) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(work.__name__, 'loses' if x < 600 else 'keeps')
";

fn lost(poll: &str) -> String {
    printed(&format!("ticks:1,queue=fifo,poll={poll}"), LOST)
}

#[test]
fn with_poll_line_one_line_is_one_step() {
    let said = lost("line");
    assert!(said.starts_with("line keeps\nlines loses\n") && said.ends_with("native keeps\n"), "{said}");
}

#[test]
fn with_poll_call_only_calls_are_cut() {
    assert_eq!(lost("call"), "line keeps\nlines keeps\ncall loses\nnative loses\n");
}

#[test]
fn with_poll_edge_a_line_without_a_call_is_one_step() {
    let said = lost("edge");
    assert!(said.starts_with("line keeps\nlines keeps\ncall loses\n"), "{said}");
}

#[test]
fn with_poll_op_any_line_is_cut() {
    let said = lost("op");
    assert!(said.starts_with("line loses\nlines loses\ncall loses\n"), "{said}");
}

/// A loop without calls is one step under `poll=call`; a loop on one line ends all the same under `poll=line`.
#[test]
fn loops_are_switched_in_as_the_policy_says() {
    let script = "
import threading, time
turn = 0
cut = 0
begun = []
def work(me):
    global turn, cut
    begun.append(me)
    while len(begun) < 3:
        time.sleep(0)
    for _ in range(20):
        turn = me
        n = 0
        while n < 300:
            n += 1
            if turn != me:
                cut += 1
                break
threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(cut > 0)
";
    assert_eq!(printed("ticks:1,queue=fifo,poll=call", script), "False\n");
    assert_eq!(printed("ticks:1,queue=fifo,poll=line", script), "True\n");
    let waits = "
import threading
done = False
def end():
    global done
    done = True
t = threading.Thread(target=end)
t.start()
while not done: pass
print('over')
";
    for policy in ["time:1ms,poll=line", "ticks:5,poll=line", "time:1ms,queue=lottery,poll=line"] {
        assert_eq!(printed(policy, waits), "over\n", "{policy}");
    }
}

/// Threads take turns at single instructions; prints who ran when, as letters.
const TURNS: &str = "
import threading, time
order = []
begun = []
def work(name):
    begun.append(name)
    while len(begun) < 3:
        time.sleep(0)
    for i in range(40):
        order.append(name)
threads = [threading.Thread(target=work, args=(name,)) for name in 'abc']
for t in threads:
    t.start()
for t in threads:
    t.join()
";

#[test]
fn a_lottery_draws_everyone() {
    let script = format!("{TURNS}\nprint(sorted(set(order)), len(order))");
    for policy in ["ticks:1,queue=lottery", "ticks:1,queue=lottery:99,poll=call", "time:1ms,queue=lottery"] {
        assert_eq!(printed(policy, &script), "['a', 'b', 'c'] 120\n", "{policy}");
    }
}

/// A function that prefers one thread: that one is through before the others have begun.
#[test]
fn a_function_decides_who_is_next() {
    let script = "
import gil, threading, time
order = []
begun = []
asked = []
def pick(ready):
    asked.append(len(ready))
    if len(begun) == 3:
        for waiter in ready:
            if waiter.name == 'b':
                return waiter
def work():
    name = threading.current_thread().name
    begun.append(name)
    while len(begun) < 3:
        time.sleep(0)
    for i in range(200):
        order.append(name)
threads = [threading.Thread(target=work, name=name) for name in 'abc']
gil.set('ticks:1', queue=pick)
print(gil.policy())
for t in threads:
    t.start()
for t in threads:
    t.join()
first = order.index('b')
print(order[first:first + 200] == ['b'] * 200, len(order), len(asked) > 200, min(asked) > 1)
print(sorted(t.name for t in threading.enumerate()))
";
    assert_eq!(printed("time:5ms", script), "ticks:1,queue=user\nTrue 600 True True\n['MainThread']\n");
}

#[test]
fn what_a_function_is_told_of_those_who_wait() {
    let script = "
import gil, threading, time
seen = []
def pick(ready):
    for waiter in ready:
        seen.append((waiter.name, waiter.ident, waiter.waited >= 0, waiter.io))
def spin(until):
    while time.perf_counter() < until:
        pass
def block(until):
    while time.perf_counter() < until:
        time.sleep(0.002)
gil.set('time:1ms', queue=pick)
until = time.perf_counter() + 0.3
threads = [threading.Thread(target=spin, args=(until,), name='spin') for _ in range(2)]
threads.append(threading.Thread(target=block, args=(until,), name='block'))
for t in threads:
    t.start()
for t in threads:
    t.join()
idents = {t.ident for t in threads}
print(all(i in idents for n, i, w, io in seen if n in ('spin', 'block')), all(w for n, i, w, io in seen))
print(('spin', False) in {(n, io) for n, i, w, io in seen}, ('block', True) in {(n, io) for n, i, w, io in seen})
";
    assert_eq!(printed("time:5ms", script), "True True\nTrue True\n");
}

/// A function that fails is reported once, and the order is that of arrival from then on.
#[test]
fn a_function_that_fails_is_not_asked_again() {
    for (body, part) in
        [("1 / 0", "ZeroDivisionError: division by zero"), ("return 5", "must return a thread of its list")]
    {
        let script = format!(
            "
import gil
def pick(ready):
    {body}
gil.set(queue=pick)
{TURNS}
print(len(order), gil.policy())
"
        );
        let finished = mini("ticks:1", &script);
        assert_eq!(
            (finished.code(), finished.stdout.as_str()),
            (0, "120 ticks:1,queue=fifo\n"),
            "{}",
            finished.stderr
        );
        assert_eq!(finished.stderr.matches("Exception ignored in GIL policy: <function pick").count(), 1);
        assert!(finished.stderr.contains(part), "{}", finished.stderr);
    }
}

/// A function that waits, takes locks that others hold, prints, starts threads, or changes the policy holds nobody up.
#[test]
fn a_function_that_blocks_holds_nobody_up() {
    for body in [
        "time.sleep(0.001)",
        "print('.', end='')",
        "lock.acquire(); lock.release()",
        "threading.Thread(target=int).start() if len(order) < 5 else None",
        "gil.set('time:1ms,queue=fifo')",
        "gil.set('off')",
        "sys.setswitchinterval(0.001)",
    ] {
        let script = format!(
            "
import gil, sys, threading, time
def pick(ready):
    {body}
lock = threading.Lock()
gil.set(queue=pick)
{TURNS}
with lock:
    time.sleep(0.01)
print(len(order))
"
        );
        let said = printed("ticks:20", &script);
        assert!(said.ends_with("120\n"), "{body}: {said}");
    }
}

#[test]
fn a_forked_child_asks_the_function_too() {
    let script = format!(
        "
import gil, os
asked = []
def pick(ready):
    asked.append(1)
gil.set(queue=pick)
child = os.fork()
{TURNS}
print(len(order), len(asked) > 0, gil.policy(), flush=True)
if child:
    os.waitpid(child, 0)
"
    );
    let said = printed("ticks:5", &script);
    assert_eq!(said, "120 True ticks:5,queue=user\n".repeat(2));
}

#[test]
fn a_deadlock_is_found_under_a_function_too() {
    let script = "
import gil, threading
gil.set(queue=lambda ready: None)
lock = threading.Lock()
lock.acquire()
t = threading.Thread(target=lock.acquire)
t.start()
lock.acquire()
";
    let finished = mini("time:5ms", script);
    assert_eq!(finished.code(), 1, "{}", finished.stderr);
    assert!(finished.stderr.contains("deadlock"), "{}", finished.stderr);
}

#[test]
fn what_is_no_policy_is_refused() {
    for (call, said) in [
        ("gil.set()", "TypeError: gil.set() argument must be str, not NoneType"),
        ("gil.set(queue=5)", "TypeError: gil.set() queue must be str or a function"),
        ("gil.set('off', queue=print)", "ValueError: GIL policy 'off' takes no options"),
        ("gil.set(queue='lifo')", "ValueError: unknown GIL queue 'lifo'"),
        ("gil.set('time:5ms,queue=user')", "ValueError: queue=user needs a function"),
    ] {
        let finished = mini("time:5ms", &format!("import gil\n{call}"));
        assert_eq!(finished.code(), 1);
        assert!(finished.stderr.contains(said), "{call}: {}", finished.stderr);
    }
    let finished = mini("time:5ms,queue=user", "1");
    assert_eq!(finished.code(), 2);
    assert!(finished.stderr.contains("queue=user needs a function"), "{}", finished.stderr);
}

/// The longest wait is in the ledger, and under `queue=fifo` nobody waits much longer than the others' turns last.
#[test]
fn the_longest_wait_is_known() {
    let script = "
import gil, threading, time
def spin(until):
    while time.perf_counter() < until:
        pass
until = time.perf_counter() + 0.5
threads = [threading.Thread(target=spin, args=(until,)) for _ in range(3)]
for t in threads:
    t.start()
for t in threads:
    t.join()
for t in gil.stats()['threads']:
    if t['name'] != 'MainThread':
        print(0 < t['longest_wait'] <= t['waited'])
";
    assert_eq!(printed("time:5ms,queue=fifo", script), "True\nTrue\nTrue\n");
    assert_eq!(printed("time:5ms", script), "True\nTrue\nTrue\n");
}

/// `queue=io`: a thread that comes back from waiting does not wait for the interval.
#[test]
fn io_does_not_wait_for_the_interval() {
    let script = "
import gil, os, threading, time
r, w = os.pipe()
r2, w2 = os.pipe()
def spin(until):
    while time.perf_counter() < until:
        pass
def answer():
    while os.read(r, 1):
        os.write(w2, b'x')
child = os.fork()
if child == 0:
    for i in range(30):
        os.write(w, b'x')
        os.read(r2, 1)
    os._exit(0)
os.close(w)
t = threading.Thread(target=answer)
t.start()
spinner = threading.Thread(target=spin, args=(time.perf_counter() + 30,), daemon=True)
spinner.start()
t.join()
os.waitpid(child, 0)
print('answered', flush=True)
os._exit(0)
";
    // Under the interval alone, each of the 30 answers would wait for a second.
    let start = std::time::Instant::now();
    assert_eq!(printed("time:1s,queue=io", script), "answered\n");
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
