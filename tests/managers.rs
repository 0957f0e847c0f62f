//! Managers between machines: two network namespaces stand for them, joined by a cable of the kernel's.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use support::{finish, loudly, mini, root};

const LIMIT: Duration = Duration::from_secs(120);
const MASTER: &str = "10.213.47.1";
const WORKER: &str = "10.213.47.2";

/// Two namespaces, of which the second is the workers'.
struct Machines([String; 2]);

impl Machines {
    /// `None`: this user may not, or there is no `ip`.
    fn new() -> Option<Machines> {
        let names = ["a", "b"].map(|end| format!("mini-{end}-{}", std::process::id()));
        let made = Machines(names);
        let [a, b] = &made.0;
        // The names of the ends have to be short.
        let ends = ["a", "b"].map(|end| format!("m{end}{}", std::process::id()));
        let cable =
            ["link", "add", &ends[0], "netns", a, "type", "veth", "peer", "name", &ends[1], "netns", b];
        let ready = ip(&["netns", "add", a])
            && ip(&["netns", "add", b])
            && ip(&cable)
            && [(a, &ends[0], MASTER), (b, &ends[1], WORKER)].iter().all(|(machine, end, address)| {
                ip(&["-n", machine, "addr", "add", &format!("{address}/24"), "dev", end])
                    && ip(&["-n", machine, "link", "set", end, "up"])
            });
        ready.then_some(made)
    }

    fn run(&self, machine: usize, script: &str, args: &[&str]) -> Child {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0[machine]]).arg(mini()).args(["--gil", "off"]);
        command.arg(root().join("tests/managers").join(script)).args(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        for name in &self.0 {
            ip(&["netns", "del", name]);
        }
    }
}

fn ip(args: &[&str]) -> bool {
    Command::new("ip").args(args).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[test]
fn workers_on_another_machine_take_and_return_work() {
    let Some(machines) = Machines::new() else {
        return loudly(
            "SKIPPED managers: no network namespaces (they need root, and the Debian package iproute2)",
        );
    };
    let mut master = machines.run(0, "master.mini", &[MASTER, "50", "2"]);
    let mut port = String::new();
    BufReader::with_capacity(1, master.stdout.as_mut().unwrap()).read_line(&mut port).unwrap();
    let workers = ["one", "two"].map(|name| machines.run(1, "worker.mini", &[MASTER, port.trim(), name]));
    for worker in workers {
        let done = finish(worker, LIMIT);
        assert_eq!((done.code(), done.stderr.as_str()), (0, ""));
        assert_eq!(done.stdout, "refused: digest sent was rejected\n");
    }
    drop(master.stdin.take());
    let done = finish(master, LIMIT);
    assert_eq!((done.code(), done.stderr.as_str()), (0, ""));
    assert_eq!(done.stdout, "True\n['end of one', 'end of two']\n");
}
