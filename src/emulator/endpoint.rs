//! Where clients reach an emulator: a pty, a TCP port, a UDP port.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serial2::SerialPort;

use crate::bus::BusError;
use crate::bus::etherbone::codec::Packet;
use crate::bus::stream::DEFAULT_BAUD;
use crate::emulator::disturbance::{DisturbedLink, Fate};
use crate::emulator::session::{Session, answer_packet};
use crate::emulator::soc::SharedSoc;

/// A half question is forgotten after so much silence.
const SILENCE: Duration = Duration::from_millis(100);

/// How long a client may take to make room for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What came of looking at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Looked {
    /// Nobody asked anything.
    Quiet,
    /// Somebody did, or came or went.
    Busy,
    /// The endpoint is closed for good.
    Gone,
}

/// Somewhere that clients reach the emulator.
pub trait Endpoint {
    /// What becomes readable when there is something to do.
    fn watched(&self) -> BorrowedFd<'_>;

    /// Does what there is to do, without waiting for a client. An answer that is late on purpose is waited for, and given
    /// up where it is asked to stop.
    fn look(&mut self, stop_requested: &dyn Fn() -> bool) -> Result<Looked, BusError>;

    /// Where it is, as a path or an address.
    fn place(&self) -> String;
}

enum Line {
    Pty {
        master: File,
        /// Kept open, so that the line outlives each of its clients.
        _own: SerialPort,
        path: String,
    },
    Tcp {
        listener: TcpListener,
        client: Option<TcpStream>,
    },
}

/// A protocol over a stream of bytes.
pub struct StreamEndpoint {
    line: Line,
    session: Box<dyn Session>,
    link: DisturbedLink,
    last: Instant,
}

impl StreamEndpoint {
    /// On a pty of its own, raw and without echo.
    pub fn on_pty(session: Box<dyn Session>, link: DisturbedLink) -> io::Result<Self> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let path = ptsname(&master, Vec::new())?.to_string_lossy().into_owned();
        let own = SerialPort::open(Path::new(&path), DEFAULT_BAUD)?;
        fcntl_setfl(&master, OFlags::RDWR | OFlags::NONBLOCK)?;
        let line = Line::Pty { master: master.into(), _own: own, path };
        Ok(StreamEndpoint { line, session, link, last: Instant::now() })
    }

    /// On a TCP port, for one client at a time.
    pub fn on_tcp(address: SocketAddr, session: Box<dyn Session>, link: DisturbedLink) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(StreamEndpoint { line: Line::Tcp { listener, client: None }, session, link, last: Instant::now() })
    }

    /// The bytes that came, `None` if the client has gone.
    fn received(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut buffer = [0; 4096];
        let (read, ends) = match &mut self.line {
            Line::Pty { master, .. } => (master.read(&mut buffer), false),
            Line::Tcp { client: Some(client), .. } => {
                acknowledge_at_once(client);
                (client.read(&mut buffer), true)
            }
            Line::Tcp { client: None, .. } => return Ok(Some(Vec::new())),
        };
        match read {
            Ok(0) if ends => Ok(None),
            Ok(got) => Ok(Some(buffer[..got].to_vec())),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                Ok(Some(Vec::new()))
            }
            Err(_) if ends => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends an answer. What a client does not take is dropped, as on a line.
    fn send(&mut self, bytes: &[u8]) {
        let sent = match &mut self.line {
            Line::Pty { master, .. } => master.write_all(bytes),
            Line::Tcp { client: Some(client), .. } => client.write_all(bytes),
            Line::Tcp { client: None, .. } => Ok(()),
        };
        if let (Err(_), Line::Tcp { client, .. }) = (sent, &mut self.line) {
            *client = None;
        }
    }

    /// Lets a client in. The stream waits for room for answers, within a bound.
    fn accept(&mut self) -> io::Result<bool> {
        let Line::Tcp { listener, client: client @ None } = &mut self.line else { return Ok(false) };
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(Duration::from_millis(1)))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                *client = Some(stream);
                self.session.forget();
                Ok(true)
            }
            // A client that has gone again before it was let in.
            Err(_) => Ok(false),
        }
    }
}

/// A client that writes a question in pieces, as pyserial's sockets do, holds the second one back until the first is
/// acknowledged, which this end would put off by 40 ms. The kernel forgets the wish, so that it is told again and again.
fn acknowledge_at_once(client: &TcpStream) {
    // Without it all is as right, and slower.
    #[cfg(target_os = "linux")]
    let _ = rustix::net::sockopt::set_tcp_quickack(client, true);
}

/// Waits for so long, or until it is asked to stop.
fn hold_back(delay: Duration, stop_requested: &dyn Fn() -> bool) {
    const SLICE: Duration = Duration::from_millis(20);
    let start = Instant::now();
    while !stop_requested() {
        match delay.checked_sub(start.elapsed()) {
            Some(left) if !left.is_zero() => std::thread::sleep(left.min(SLICE)),
            _ => return,
        }
    }
}

fn told(error: &io::Error) -> BusError {
    BusError::on("the emulator's link", error.to_string())
}

impl Endpoint for StreamEndpoint {
    fn watched(&self) -> BorrowedFd<'_> {
        match &self.line {
            Line::Pty { master, .. } => master.as_fd(),
            Line::Tcp { client: Some(client), .. } => client.as_fd(),
            Line::Tcp { listener, client: None } => listener.as_fd(),
        }
    }

    fn look(&mut self, stop_requested: &dyn Fn() -> bool) -> Result<Looked, BusError> {
        if self.accept().map_err(|error| told(&error))? {
            return Ok(Looked::Busy);
        }
        let Some(bytes) = self.received().map_err(|error| told(&error))? else {
            if let Line::Tcp { client, .. } = &mut self.line {
                *client = None;
            }
            return Ok(Looked::Busy);
        };
        if bytes.is_empty() {
            return Ok(Looked::Quiet);
        }
        if self.last.elapsed() > SILENCE && self.session.ends_with_silence() {
            self.session.forget();
        }
        let arrived = self.link.passed(&bytes);
        for answer in self.session.take(&arrived)? {
            match self.link.answered(&answer, false) {
                Fate::Sent(bytes, delay) => {
                    hold_back(delay, stop_requested);
                    self.send(&bytes);
                }
                Fate::Swallowed => {}
                Fate::Closed => return Ok(Looked::Gone),
            }
        }
        self.last = Instant::now();
        Ok(Looked::Busy)
    }

    fn place(&self) -> String {
        match &self.line {
            Line::Pty { path, .. } => path.clone(),
            Line::Tcp { listener, .. } => address(listener.local_addr()),
        }
    }
}

fn address(local: io::Result<SocketAddr>) -> String {
    local.map_or_else(|error| error.to_string(), |address| address.to_string())
}

/// Etherbone, a packet a datagram.
pub struct UdpEndpoint {
    socket: UdpSocket,
    soc: SharedSoc,
    link: DisturbedLink,
}

impl UdpEndpoint {
    /// On a UDP port.
    pub fn on(address: SocketAddr, soc: SharedSoc, link: DisturbedLink) -> io::Result<Self> {
        let socket = UdpSocket::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(UdpEndpoint { socket, soc, link })
    }
}

impl Endpoint for UdpEndpoint {
    fn watched(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn look(&mut self, stop_requested: &dyn Fn() -> bool) -> Result<Looked, BusError> {
        let mut buffer = [0; 4096];
        // That an earlier answer reached nobody is an error of this socket, and no matter.
        let Ok((length, client)) = self.socket.recv_from(&mut buffer) else { return Ok(Looked::Quiet) };
        let Some(arrived) = self.link.passed_whole(&buffer[..length]) else { return Ok(Looked::Busy) };
        let Ok((packet, _)) = Packet::decode(&arrived) else { return Ok(Looked::Busy) };
        let Some(answer) = answer_packet(&mut self.soc, &packet)? else { return Ok(Looked::Busy) };
        match self.link.answered(&answer, true) {
            Fate::Sent(bytes, delay) => {
                hold_back(delay, stop_requested);
                // A client that has gone is told nothing.
                let _ = self.socket.send_to(&bytes, client);
                Ok(Looked::Busy)
            }
            Fate::Swallowed => Ok(Looked::Busy),
            Fate::Closed => Ok(Looked::Gone),
        }
    }

    fn place(&self) -> String {
        address(self.socket.local_addr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    #[test]
    fn an_answer_that_is_held_back_holds_no_end_up() {
        let looks = Cell::new(0);
        let stop = || {
            looks.set(looks.get() + 1);
            looks.get() > 2
        };
        // If it waited for all of it, this test would not end.
        hold_back(Duration::from_secs(1 << 30), &stop);
        assert_eq!(looks.get(), 3);
        let (start, delay) = (Instant::now(), Duration::from_millis(30));
        hold_back(delay, &|| false);
        assert!(start.elapsed() >= delay);
    }
}
