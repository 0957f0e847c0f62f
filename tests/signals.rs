//! Ctrl-C interrupts the main thread whatever it is doing, under every policy; uncaught, the process dies of it.

mod support;

use std::io::Read;
use std::process::Stdio;
use std::time::Duration;
use support::{POLICIES, finish, mini_command};

const LIMIT: Duration = Duration::from_secs(30);

/// Runs `code`, sends SIGINT once it has said that it is ready; returns its exit code, 130 for death by SIGINT.
fn interrupt(gil: &str, code: &str) -> (i32, String) {
    let mut command = mini_command(Some(gil));
    command.args(["-c", &format!("print('ready', flush=True)\n{code}")]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stdin = child.stdin.take();
    let mut ready = [0; 6];
    child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    let finished = finish(child, LIMIT);
    drop(stdin);
    (finished.code(), format!("{}{}", finished.stdout, finished.last_error()))
}

#[track_caller]
fn dies_of_it(code: &str) {
    for gil in POLICIES {
        assert_eq!(interrupt(gil, code), (130, "KeyboardInterrupt".to_owned()), "--gil {gil}: {code}");
    }
}

#[test]
fn while_it_computes() {
    dies_of_it("while True: pass");
    dies_of_it("[[i for i in range(10**9)]]");
}

#[test]
fn while_a_native_goes_through_an_iteration() {
    dies_of_it("sum(range(10**15))");
    dies_of_it("from itertools import repeat\nall(zip(repeat(1)))");
    dies_of_it("from itertools import repeat\nnext(filter(None, repeat(0)))");
    dies_of_it("from itertools import count, islice\nnext(islice(count(), 10**15, None))");
    dies_of_it("from itertools import cycle\nmax(cycle([1, 2]))");
}

#[test]
fn while_it_sleeps_or_waits_for_input() {
    dies_of_it("import time\ntime.sleep(60)");
    dies_of_it("import os\nr, w = os.pipe()\nos.read(r, 1)");
    dies_of_it("input()");
}

#[test]
fn while_it_waits_for_a_socket() {
    dies_of_it("import socket\na, b = socket.socketpair()\na.recv(1)");
    dies_of_it("import socket\na, b = socket.socketpair()\na.settimeout(60)\na.recv(1)");
    dies_of_it("import socket\na, b = socket.socketpair()\na.makefile('rb').readline()");
    dies_of_it("import socket\na, b = socket.socketpair()\na.sendall(bytes(10**8))");
    dies_of_it("import socket\nsocket.create_server(('127.0.0.1', 0)).accept()");
    dies_of_it("import select\nselect.select([], [], [])");
    dies_of_it("import select\nselect.epoll().poll(60)");
}

#[test]
fn while_it_waits_for_threads() {
    dies_of_it("import threading\nlock = threading.Lock()\nlock.acquire()\nlock.acquire()");
    dies_of_it("import threading\nthreading.Event().wait()");
    dies_of_it("import queue\nqueue.Queue().get()");
    dies_of_it(
        "import threading, time\nt = threading.Thread(target=time.sleep, args=(60,), daemon=True)\nt.start()\nt.join()",
    );
}

#[test]
fn while_it_waits_for_a_program() {
    dies_of_it("import subprocess\nsubprocess.run(['sleep', '60'])");
    dies_of_it("import subprocess\nsubprocess.check_output(['sleep', '60'], timeout=60)");
    dies_of_it("import subprocess\nsubprocess.run(['sleep', '60'], capture_output=True)");
    dies_of_it("import subprocess\nsubprocess.Popen(['sleep', '2']).wait(60)");
}

#[test]
fn while_it_waits_for_another_signal() {
    dies_of_it("import signal\nsignal.pause()");
    dies_of_it("import signal\nsignal.sigwait([signal.SIGUSR1])");
    dies_of_it("import signal\nsignal.sigtimedwait([signal.SIGUSR1], 60)");
}

#[test]
fn and_it_can_be_caught() {
    for gil in POLICIES {
        let code = "import time\ntry:\n    time.sleep(60)\nexcept KeyboardInterrupt:\n    print('caught')";
        assert_eq!(interrupt(gil, code), (0, "caught\n".to_owned()), "--gil {gil}");
    }
}
