//! Where clients reach an emulator: a pty, a TCP port; [`crate::emulator::udp`] has the UDP port.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_setfl};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serial2::SerialPort;

use crate::bus::BusError;
use crate::bus::stream::DEFAULT_BAUD;
use crate::emulator::disturbance::{DisturbedLink, Fate};
use crate::emulator::held_back::{Held, HeldBack};
use crate::emulator::session::{Arrival, Session};

/// A half question is forgotten after so much silence.
const SILENCE: Duration = Duration::from_millis(100);

/// How long a client may take to make room for an answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What came of looking at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    /// What becomes readable when there is something to do; `None` while nothing more is taken.
    fn watched(&self) -> Option<BorrowedFd<'_>>;

    /// When the next answer that is held back is to be sent.
    fn due(&self) -> Option<Instant>;

    /// Sends the answers whose time has come. Waits for nobody.
    fn send_due(&mut self, now: Instant) -> Looked;

    /// Takes what there is to take, without waiting for a client. Answers that are late on purpose are held back.
    fn look(&mut self) -> Result<Looked, BusError>;

    /// What whoever serves should be told once.
    fn notice(&mut self) -> Option<String> {
        None
    }

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
    held: HeldBack<()>,
    last: Instant,
    /// How long a byte takes on the emulated line; zero where it has no rate.
    byte_time: Duration,
    /// When the line has carried all that came.
    carried: Instant,
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
        Ok(StreamEndpoint::on(Line::Pty { master: master.into(), _own: own, path }, session, link))
    }

    /// On a TCP port, for one client at a time.
    pub fn on_tcp(address: SocketAddr, session: Box<dyn Session>, link: DisturbedLink) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        Ok(StreamEndpoint::on(Line::Tcp { listener, client: None }, session, link))
    }

    fn on(line: Line, session: Box<dyn Session>, link: DisturbedLink) -> Self {
        let now = Instant::now();
        StreamEndpoint {
            line,
            session,
            link,
            held: HeldBack::new(),
            last: now,
            byte_time: Duration::ZERO,
            carried: now,
        }
    }

    /// The same where each byte takes so long on the line, either way.
    pub fn paced(self, byte_time: Duration) -> Self {
        StreamEndpoint { byte_time, ..self }
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
        if sent.is_err() {
            self.part();
        }
    }

    /// Lets a client go, and all that it was to be answered. A pty has no client that goes.
    fn part(&mut self) {
        if let Line::Tcp { client, .. } = &mut self.line {
            *client = None;
            self.held = HeldBack::new();
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
                let address = stream.local_addr()?;
                *client = Some(stream);
                self.session.forget();
                if let Some(greeting) = self.session.greeting(address) {
                    self.send(greeting.as_bytes());
                }
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

/// Whether a far end that was left quiet for so long has forgotten a half question.
fn is_forgotten(quiet: Duration) -> bool {
    quiet > SILENCE
}

fn told(error: &io::Error) -> BusError {
    BusError::on("the emulator's link", error.to_string())
}

impl Endpoint for StreamEndpoint {
    fn watched(&self) -> Option<BorrowedFd<'_>> {
        (!self.held.is_full()).then(|| match &self.line {
            Line::Pty { master, .. } => master.as_fd(),
            Line::Tcp { client: Some(client), .. } => client.as_fd(),
            Line::Tcp { listener, client: None } => listener.as_fd(),
        })
    }

    fn due(&self) -> Option<Instant> {
        self.held.due()
    }

    fn send_due(&mut self, now: Instant) -> Looked {
        let mut looked = Looked::Quiet;
        while let Some(held) = self.held.next_due(now) {
            match held {
                Held::Send(bytes, ()) => self.send(&bytes),
                Held::Close => return Looked::Gone,
            }
            self.last = Instant::now();
            looked = Looked::Busy;
        }
        looked
    }

    fn look(&mut self) -> Result<Looked, BusError> {
        if self.accept().map_err(|error| told(&error))? {
            return Ok(Looked::Busy);
        }
        let Some(bytes) = self.received().map_err(|error| told(&error))? else {
            self.part();
            return Ok(Looked::Busy);
        };
        if bytes.is_empty() {
            return Ok(Looked::Quiet);
        }
        if is_forgotten(self.last.elapsed()) && self.session.ends_with_silence() {
            self.session.forget();
        }
        let arrived = self.link.passed(&bytes);
        let now = Instant::now();
        let at = self.carried.max(now) + self.byte_time;
        self.carried = at + self.byte_time * arrived.len().saturating_sub(1) as u32;
        for answer in self.session.take(Arrival { bytes: &arrived, at, byte_time: self.byte_time })? {
            let mut fate = self.link.answered(&answer.bytes, false);
            if self.session.shares_with_console()
                && let (Fate::Sent(bytes, _), Some(text)) = (&mut fate, self.link.console_text())
            {
                bytes.extend(text);
            }
            self.held.take(fate, answer.at.saturating_duration_since(now), ());
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

pub(super) fn address(local: io::Result<SocketAddr>) -> String {
    local.map_or_else(|error| error.to_string(), |address| address.to_string())
}

#[cfg(test)]
mod tests;
