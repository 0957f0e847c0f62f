//! The servers of examples/ with real clients: the bytes are right under load, and slow clients, half-closed and aborted
//! connections, a thousand of them at once, and a lack of descriptors are survived. How long anything takes decides nothing.

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::{finish, loudly, mini_command, root, run};

const LIMIT: Duration = Duration::from_secs(120);
const ECHO: [&str; 4] = ["echo_fork", "echo_threads", "echo_mixed", "echo_loop"];
const HTTP: [&str; 4] = ["http_fork", "http_threads", "http_mixed", "http_loop"];
/// With and without the lock: they are written for both.
const POLICIES: [&str; 2] = ["time:5ms", "off"];

/// A server that runs; it is ended by `stop`.
struct Server {
    child: Child,
    port: u16,
    /// What it has said on stderr so far.
    said: Arc<Mutex<String>>,
}

/// Starts an example; `descriptors`: it may have so many.
fn start(name: &str, gil: &str, descriptors: Option<u32>) -> Server {
    let plain = mini_command(Some(gil));
    let mut command = match descriptors {
        None => plain,
        Some(most) => {
            let mut limited = Command::new("sh");
            limited.args(["-c", &format!("ulimit -n {most}; exec \"$@\""), "sh"]);
            limited.arg(plain.get_program()).args(plain.get_args());
            limited
        }
    };
    command.arg(root().join(format!("examples/{name}.mini")));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let said = Arc::new(Mutex::new(String::new()));
    let (into, stderr) = (said.clone(), child.stderr.take().unwrap());
    std::thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            into.lock().unwrap().push_str(&(line + "\n"));
        }
    });
    let port = line.trim_end().rsplit(' ').next().and_then(|port| port.parse().ok());
    Server { child, port: port.unwrap_or_else(|| panic!("{name}: {line:?}")), said }
}

impl Server {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Asks it to end, as a service manager would; it has said nothing that was not expected.
    fn stop(self, expected: &str) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(told.success());
        let done = finish(self.child, LIMIT);
        let said = self.said.lock().unwrap().clone();
        assert_eq!(done.code(), 0, "{said}");
        let strange: Vec<&str> =
            said.lines().filter(|line| expected.is_empty() || !line.contains(expected)).collect();
        assert!(strange.is_empty(), "{said}");
    }
}

/// So many bytes that depend on `seed`.
fn bytes(len: usize, seed: usize) -> Vec<u8> {
    (0..len).map(|i| ((i * 31 + seed * 7) ^ (i >> 8)) as u8).collect()
}

/// Sends and receives at the same time, ends its own half, and reads until the other end has ended too.
fn echoed(stream: &TcpStream, data: &[u8]) -> Vec<u8> {
    let mut writer = stream.try_clone().unwrap();
    let mut received = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            writer.write_all(data).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut reader = stream;
        reader.read_to_end(&mut received).unwrap();
    });
    received
}

/// Waits for the echo of a few bytes.
fn says_back(stream: &mut TcpStream, data: &[u8]) -> bool {
    let mut back = vec![0; data.len()];
    stream.write_all(data).is_ok() && stream.read_exact(&mut back).is_ok() && back == data
}

#[test]
fn echoes_are_right_under_load_and_half_closed() {
    for (name, gil) in ECHO.iter().flat_map(|name| POLICIES.map(|gil| (*name, gil))) {
        let server = start(name, gil, None);
        std::thread::scope(|scope| {
            for client in 0..20 {
                let server = &server;
                scope.spawn(move || {
                    let mut stream = server.connect();
                    for turn in 0..30 {
                        let data = bytes(1 + turn * 97 % 3000, client + turn);
                        assert!(says_back(&mut stream, &data), "{name} {gil}: {client} {turn}");
                    }
                    let data = bytes(500_000 + client, client);
                    assert!(echoed(&stream, &data) == data, "{name} {gil}: {client}");
                });
            }
        });
        server.stop("");
    }
}

/// Closes while what was echoed has not been read: the server's end is reset.
fn abort(server: &Server, data: &[u8]) {
    let mut stream = server.connect();
    let _ = stream.write_all(data);
    // Something has come back by now, which nobody reads.
    let _ = stream.peek(&mut [0]);
}

#[test]
fn aborted_connections_harm_nobody_else() {
    for (name, gil) in ECHO.iter().chain(&HTTP).flat_map(|name| POLICIES.map(|gil| (*name, gil))) {
        let server = start(name, gil, None);
        let request = b"GET /bytes/3000000 HTTP/1.1\r\n\r\n";
        for turn in 0..30 {
            match name.starts_with("echo") {
                true => abort(&server, &bytes(60_000, turn)),
                false => abort(&server, request),
            }
            // And one that says nothing at all.
            drop(server.connect());
        }
        serves(&server, name);
        server.stop("");
    }
}

/// One ordinary conversation.
fn serves(server: &Server, name: &str) {
    let mut stream = server.connect();
    if name.starts_with("echo") {
        assert!(says_back(&mut stream, b"still there?"), "{name}");
    } else {
        stream.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(
            answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nHello from Mini\n"),
            "{answer}"
        );
    }
}

#[test]
fn slow_clients_keep_nobody_waiting() {
    for (name, gil) in ECHO.iter().chain(&HTTP).flat_map(|name| POLICIES.map(|gil| (*name, gil))) {
        let server = start(name, gil, None);
        let mut slow = server.connect();
        let said = b"GET /bytes/5 HTTP/1.1\r\nConnection: close\r\n\r\n";
        for (at, byte) in said.iter().enumerate() {
            slow.write_all(&[*byte]).unwrap();
            if at % 10 == 0 {
                serves(&server, name);
            }
        }
        slow.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        slow.read_to_end(&mut answer).unwrap();
        if name.starts_with("echo") {
            assert_eq!(answer, said, "{name}");
        } else {
            assert!(answer.ends_with(b"\r\n\r\n\x00\x01\x02\x03\x04"), "{name}: {answer:?}");
        }
        // Who asks and does not listen fills its own pipe, and nobody else's.
        let mut deaf = server.connect();
        deaf.write_all(b"GET /bytes/16000000 HTTP/1.1\r\n\r\n").unwrap();
        serves(&server, name);
        server.stop("");
    }
}

#[test]
fn a_thousand_connections_at_once() {
    if !may_have(2100) {
        loudly(
            "SKIPPED a_thousand_connections_at_once: this system does not give a process 2,100 descriptors",
        );
        return;
    }
    for name in ECHO.iter().chain(&HTTP) {
        let server = start(name, "off", None);
        let mut open: Vec<TcpStream> = (0..1000).map(|_| server.connect()).collect();
        let echo = name.starts_with("echo");
        for (at, stream) in open.iter_mut().enumerate() {
            let said =
                if echo { format!("number {at}") } else { format!("GET /bytes/{at} HTTP/1.1\r\n\r\n") };
            stream.write_all(said.as_bytes()).unwrap();
        }
        // Every one of them is served while all the others are open.
        for (at, stream) in open.iter_mut().enumerate() {
            if echo {
                let mut back = vec![0; format!("number {at}").len()];
                stream.read_exact(&mut back).unwrap();
                assert_eq!(back, format!("number {at}").as_bytes(), "{name}");
            } else {
                assert_eq!(body(stream).len(), at, "{name}");
            }
        }
        drop(open);
        server.stop("");
    }
}

/// Reads one answer; returns its body.
fn body(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
    let mut body = vec![0; length.unwrap_or_else(|| panic!("{head}")).parse().unwrap()];
    stream.read_exact(&mut body).unwrap();
    body
}

/// Whether this process, and those it starts, may have so many descriptors.
fn may_have(descriptors: u64) -> bool {
    // SAFETY: plain structs, which the calls read and write.
    unsafe {
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit);
        if limit.rlim_cur < descriptors {
            limit.rlim_cur = descriptors.min(limit.rlim_max);
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
        limit.rlim_cur >= descriptors
    }
}

#[test]
fn when_descriptors_run_out_it_is_said_and_survived() {
    for (name, gil) in ECHO.iter().chain(&HTTP).flat_map(|name| POLICIES.map(|gil| (*name, gil))) {
        let server = start(name, gil, Some(30));
        let mut open: Vec<TcpStream> = (0..150).map(|_| server.connect()).collect();
        // A parent that forks keeps no connection: it needs no descriptors for them.
        let scarce = !name.ends_with("_fork");
        let mut waited = 0;
        while scarce && !server.said.lock().unwrap().contains("cannot accept: [Errno 24] Too many open files")
        {
            std::thread::sleep(Duration::from_millis(20));
            waited += 1;
            assert!(waited < 3000, "{name} {gil}: nothing was said");
        }
        // Those that could not be accepted wait; they have their turn when others go.
        let mut last = open.pop().unwrap();
        drop(open);
        if name.starts_with("echo") {
            assert!(says_back(&mut last, b"at last"), "{name} {gil}");
        } else {
            last.write_all(b"GET /bytes/3 HTTP/1.1\r\n\r\n").unwrap();
            assert_eq!(body(&mut last), [0, 1, 2], "{name} {gil}");
        }
        serves(&server, name);
        server.stop("cannot accept: [Errno 24] Too many open files");
    }
}

/// What a program prints; `None`, and a word about it, where it is not installed.
fn client(program: &str, args: &[&str], stdin: &[u8]) -> Option<Vec<u8>> {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        loudly(&format!("SKIPPED a part of servers: {program} is not installed"));
        return None;
    };
    let mut pipe = child.stdin.take().unwrap();
    pipe.write_all(stdin).unwrap();
    drop(pipe);
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&done.stderr));
    Some(done.stdout)
}

#[test]
fn curl_gets_what_it_asks_for() {
    for name in HTTP {
        let server = start(name, "time:5ms", None);
        let curl = |args: &[&str], stdin: &[u8]| {
            client("curl", &[&["-sS", "--max-time", "60"], args].concat(), stdin)
        };
        let Some(greeting) = curl(&[&server.url("/")], b"") else { return server.stop("") };
        assert_eq!(greeting, b"Hello from Mini\n", "{name}");
        let expected: Vec<u8> = (0..1_000_000).map(|i| i as u8).collect();
        assert!(curl(&[&server.url("/bytes/1000000")], b"") == Some(expected), "{name}");
        // The second request goes by the connection of the first.
        let twice = curl(&["-w", "%{num_connects} ", &server.url("/nowhere"), &server.url("/")], b"");
        assert_eq!(twice.unwrap(), b"Not Found\n1 Hello from Mini\n0 ", "{name}");
        let sent = bytes(300_000, 1);
        assert!(curl(&["--data-binary", "@-", &server.url("/echo")], &sent) == Some(sent), "{name}");
        let code =
            |args: &[&str]| curl(&[&["-o", "/dev/null", "-w", "%{http_code}"], args].concat(), b"").unwrap();
        assert_eq!(code(&["-I", &server.url("/bytes/77")]), b"200", "{name}");
        assert_eq!(code(&["-X", "DELETE", &server.url("/")]), b"405", "{name}");
        assert_eq!(code(&["-H", &format!("X: {}", "x".repeat(20_000)), &server.url("/")]), b"431", "{name}");
        assert_eq!(code(&["-0", &server.url("/")]), b"200", "{name}");
        server.stop("");
    }
}

#[test]
fn what_is_no_request_is_refused() {
    for name in HTTP {
        let server = start(name, "time:5ms", None);
        for (said, answer) in [
            ("nonsense\r\n\r\n", "400"),
            ("GET / HTTP/3.0\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nno colon\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "400"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "400"),
            ("POST /echo HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", "413"),
            ("GET / HTTP/1.1\r\n\r\nGET /bytes/0 HTTP/1.1\r\n\r\nno more\r\n\r\n", "200"),
        ] {
            let mut stream = server.connect();
            stream.write_all(said.as_bytes()).unwrap();
            let mut received = String::new();
            stream.read_to_string(&mut received).unwrap();
            assert!(received.starts_with(&format!("HTTP/1.1 {answer} ")), "{name}: {said:?}: {received}");
        }
        server.stop("");
    }
}

#[test]
fn wrk_finds_no_errors() {
    for (name, gil) in HTTP.iter().flat_map(|name| POLICIES.map(|gil| (*name, gil))) {
        let server = start(name, gil, None);
        let found = client("wrk", &["-t2", "-c50", "-d1s", &server.url("/bytes/1000")], b"");
        if let Some(found) = found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()) {
            assert!(
                found.contains("Requests/sec:") && !found.contains(" 0 requests in"),
                "{name} {gil}: {found}"
            );
            assert!(!found.contains("Socket errors") && !found.contains("Non-2xx"), "{name} {gil}: {found}");
        }
        server.stop("");
    }
}

/// The five models of I/O end well, and say what they have cost.
#[test]
fn models_of_io_run() {
    for (name, first, last) in [
        ("io_blocking", "blocking: 4 messages in ", "A thread for each pipe would mend that"),
        ("io_nonblocking", "non-blocking: 4 messages in ", "At once, but "),
        ("io_multiplex", "multiplexing: 4 messages in ", "select and poll look at all of them, O(N); epoll"),
        ("io_signal", "signal-driven: 4 messages in ", ""),
        ("io_uring", "", ""),
    ] {
        for gil in support::POLICIES {
            let mut command = mini_command(Some(gil));
            command.arg(root().join(format!("examples/{name}.mini")));
            let done = run(command, b"", LIMIT);
            assert_eq!((done.code(), done.stderr.as_str()), (0, ""), "{name} --gil {gil}: {}", done.stdout);
            let lines: Vec<&str> = done.stdout.lines().collect();
            assert!(
                lines.first().is_some_and(|line| line.starts_with(first)),
                "{name} --gil {gil}: {lines:?}"
            );
            assert!(lines.last().is_some_and(|line| line.starts_with(last)), "{name} --gil {gil}: {lines:?}");
            if name == "io_uring" && lines.len() == 1 {
                assert!(lines[0].starts_with("io_uring: this system does not allow it ("), "{lines:?}");
            } else {
                assert!(done.stdout.contains("\n  system calls for it "), "{lines:?}");
            }
            if name == "io_multiplex" {
                let rows = lines.iter().filter(|line| line.ends_with(" us")).count();
                assert_eq!(rows, 4, "{lines:?}");
            }
        }
    }
}
