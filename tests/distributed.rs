//! Work that a Redis server hands out: nothing is lost and nothing is counted twice, whoever dies.

mod support;

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::{Finished, finish, loudly, mini_command, root, run, scratch};

const LIMIT: Duration = Duration::from_secs(120);
const KEY: &str = "a key that only these tests know";
const TASKS: &str = "60";

/// A server of our own; what it has acknowledged survives its death.
struct Redis {
    process: Child,
    folder: PathBuf,
    port: String,
}

impl Redis {
    /// `None`: it is not installed.
    fn start(name: &str) -> Option<Redis> {
        if Command::new("redis-server").arg("--version").stdout(Stdio::null()).status().is_err() {
            loudly(&format!("SKIPPED {name}: redis-server is not installed (Debian package redis-server)"));
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let folder = scratch(name);
        let process = Redis::process(&folder, &port);
        Some(Redis { process, folder, port })
    }

    fn process(folder: &PathBuf, port: &str) -> Child {
        let mut command = Command::new("redis-server");
        command.args(["--port", port, "--bind", "127.0.0.1", "--save", "", "--daemonize", "no"]);
        command.args(["--appendonly", "yes", "--appendfsync", "always", "--dir"]).arg(folder);
        let process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(format!("127.0.0.1:{port}")).is_err() {
            assert!(Instant::now() < end, "redis-server does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
        process
    }

    fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn restart(&mut self) {
        self.kill();
        std::thread::sleep(Duration::from_millis(300));
        self.process = Redis::process(&self.folder, &self.port);
    }

    fn program(&self, gil: &str, name: &str, args: &[&str]) -> Command {
        let mut command = mini_command(Some(gil));
        command.arg(root().join("tests/distributed").join(name)).args([&self.port, KEY]).args(args);
        command
    }

    fn spawn(&self, gil: &str, name: &str, args: &[&str]) -> Child {
        let mut command = self.program(gil, name, args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits until a program has written a line.
fn wait_for_line(child: &mut Child) -> String {
    let mut line = String::new();
    BufReader::with_capacity(1, child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    line
}

#[track_caller]
fn succeeded(finished: &Finished) {
    assert_eq!((finished.code(), finished.stderr.as_str()), (0, ""), "{}", finished.stdout);
}

fn survives(gil: &str) {
    let Some(mut redis) = Redis::start(&format!("distributed-{}", gil.replace(':', "-"))) else { return };
    let mut master = redis.spawn(gil, "master.mini", &[TASKS, "2"]);
    assert_eq!(wait_for_line(&mut master), format!("put {TASKS}\n"));
    // One worker dies in the middle of a task.
    let mut stuck = redis.spawn(gil, "worker.mini", &["stuck"]);
    assert_eq!(wait_for_line(&mut stuck), "got\n");
    stuck.kill().unwrap();
    stuck.wait().unwrap();
    let mut workers =
        [redis.spawn(gil, "worker.mini", &["work"]), redis.spawn(gil, "worker.mini", &["work"])];
    for worker in &mut workers {
        assert_eq!(wait_for_line(worker), "got\n");
    }
    redis.restart();
    let finished = finish(master, LIMIT);
    succeeded(&finished);
    assert_eq!(finished.stdout, format!("{TASKS}\n0 True\n"));
    for worker in workers {
        succeeded(&finish(worker, LIMIT));
    }
}

#[test]
fn no_task_is_lost_when_a_worker_and_the_server_die() {
    survives("off");
}

#[test]
fn nor_under_a_gil() {
    survives("time:5ms");
}

#[test]
fn a_queue_keeps_its_rules() {
    let Some(redis) = Redis::start("distributed-rules") else { return };
    for gil in support::POLICIES {
        let finished = run(redis.program(gil, "rules.mini", &[]), b"", LIMIT);
        succeeded(&finished);
        assert_eq!(finished.stdout, RULES, "--gil {gil}");
    }
}

const RULES: &str = "\
Empty Empty True
2 True
{'n': [1, 2.5, 'ü']} True
TimeoutError
True False
('done', 1) ('done', 1) 1
True True
True False fast
Empty Empty Empty Empty Empty True None True False
['four', 'four', 'four']
AuthenticationError True
AuthenticationError AuthenticationError True
AuthenticationError ValueError
ERR unknown command
6 0
ConnectionError
";
