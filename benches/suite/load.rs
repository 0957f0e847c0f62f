//! The load of the echo servers, and the server that the others are held against: both on mio, without any interpreter.
//! Must not know who serves.

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// Bytes of a request, and of its answer.
const SIZE: usize = 64;
const AT_ONCE: usize = 1024;
/// A server that says nothing for so long is broken.
const PATIENCE: Duration = Duration::from_secs(10);
const LISTENER: Token = Token(usize::MAX);

/// A connection that always has one request under way.
struct Client {
    stream: TcpStream,
    /// How much of the answer has come.
    came: usize,
}

/// The connections of a load.
pub struct Load {
    poll: Poll,
    events: Events,
    clients: Vec<Client>,
}

impl Load {
    /// Connects so often, and sends the first request on each connection.
    pub fn connect(port: u16, connections: usize) -> io::Result<Load> {
        let poll = Poll::new()?;
        let mut clients = Vec::with_capacity(connections);
        for i in 0..connections {
            let stream = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry().register(&mut stream, Token(i), Interest::READABLE)?;
            clients.push(Client { stream, came: 0 });
        }
        for client in &mut clients {
            client.ask()?;
        }
        Ok(Load { poll, events: Events::with_capacity(AT_ONCE), clients })
    }

    /// Keeps the server busy for so long; how many answers came.
    pub fn run(&mut self, span: Duration) -> io::Result<u64> {
        let end = Instant::now() + span;
        let mut answers = 0;
        while Instant::now() < end {
            self.poll.poll(&mut self.events, Some(PATIENCE))?;
            if self.events.is_empty() {
                return Err(io::Error::new(ErrorKind::TimedOut, "the server does not answer"));
            }
            for event in &self.events {
                answers += self.clients[event.token().0].take()?;
            }
        }
        Ok(answers)
    }
}

impl Client {
    fn ask(&mut self) -> io::Result<()> {
        // The answer to the last request was complete, so there is room for the next one.
        self.stream.write_all(&[b'x'; SIZE])
    }

    /// Takes what has come; if that is the end of the answer, asks again.
    fn take(&mut self) -> io::Result<u64> {
        let mut buffer = [0; SIZE];
        match self.stream.read(&mut buffer[self.came..]) {
            Ok(0) => return Err(io::Error::new(ErrorKind::UnexpectedEof, "the server hung up")),
            Ok(n) => self.came += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(error),
        }
        if self.came < SIZE {
            return Ok(0);
        }
        self.came = 0;
        self.ask()?;
        Ok(1)
    }
}

/// What the interpreters are held against: an echo server in Rust. Prints its port, and serves until it is killed.
pub fn serve() -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    println!("{}", listener.local_addr()?.port());
    let mut events = Events::with_capacity(AT_ONCE);
    let mut clients: Vec<Option<Served>> = Vec::new();
    let mut buffer = vec![0; 65536];
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == LISTENER {
                accept(&listener, &poll, &mut clients)?;
                continue;
            }
            let place = &mut clients[event.token().0];
            if place.as_mut().is_some_and(|client| client.answer(&mut buffer).is_err()) {
                *place = None;
            }
        }
    }
}

fn accept(listener: &TcpListener, poll: &Poll, clients: &mut Vec<Option<Served>>) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((mut stream, _)) => {
                stream.set_nodelay(true)?;
                let interest = Interest::READABLE | Interest::WRITABLE;
                poll.registry().register(&mut stream, Token(clients.len()), interest)?;
                clients.push(Some(Served { stream, unsent: Vec::new() }));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

/// A connection that is served.
struct Served {
    stream: TcpStream,
    /// What the socket did not take yet.
    unsent: Vec<u8>,
}

impl Served {
    /// Sends back what has come. Errors: the connection is over.
    fn answer(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        if !self.unsent.is_empty() {
            let rest = std::mem::take(&mut self.unsent);
            self.send(&rest)?;
        }
        while self.unsent.is_empty() {
            match self.stream.read(buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(n) => {
                    self.send(&buffer[..n])?;
                    // Less than there was room for: there is no more, and what comes later is an event of its own.
                    if n < buffer.len() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn send(&mut self, data: &[u8]) -> io::Result<()> {
        let mut sent = 0;
        while sent < data.len() {
            match self.stream.write(&data[sent..]) {
                Ok(n) => sent += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.unsent.extend_from_slice(&data[sent..]);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}
