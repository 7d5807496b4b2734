//! Streams of bytes to a device and back: a tty, or a TCP connection.
//!
//! Knows: bytes, deadlines, what a line's rate makes of a number of bytes. Must not: know what the bytes mean.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use serial2::SerialPort;

use crate::bus::tty_lock::{self, LockError, TtyLock};
use crate::bus::{BusError, MARGIN};

/// What a line is opened at if nothing else is asked for: LiteX's UARTBone and the serial protocol use it.
pub const DEFAULT_BAUD: u32 = 115_200;

/// Bits on the line for each byte: a start bit, eight data bits, a stop bit (8N1).
const BITS_PER_BYTE: u32 = 10;

/// A far end forgets a half command after 100 ms of silence; quiet for longer than that, both ends start afresh.
pub const SILENCE: Duration = Duration::from_millis(120);

/// A stream of bytes to a device and back.
pub trait ByteStream {
    /// Sends all of these bytes.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits at most so long for bytes and gives how many came: 0 if none did. That the far end is gone is an error.
    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<usize>;

    /// How long so many bytes take on the line.
    fn line_time(&self, bytes: usize) -> Duration;

    /// The time by which waits on it are measured.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// How the device is reached, for messages and records.
    fn link(&self) -> &str;
}

/// A serial line.
struct Tty {
    /// Given up before the port is closed.
    _lock: TtyLock,
    port: SerialPort,
    baud: u32,
    link: String,
}

/// A TCP connection.
struct Tcp {
    stream: TcpStream,
    link: String,
}

/// Opens the tty at this path, which no other program uses, raw, at so many bits per second, 8N1. `protocol` is what is spoken over it, for
/// messages.
pub fn open_tty(protocol: &str, path: &Path, baud: u32) -> Result<Box<dyn ByteStream>, BusError> {
    let link = format!("{protocol} on {} at {baud} baud", path.display());
    let cannot = |error| BusError::on(&link, format!("cannot open {}: {}", path.display(), explained(&error)));
    let lock = TtyLock::of(path, Path::new(tty_lock::FOLDER)).map_err(|error| match error {
        LockError::Open(error) => cannot(error),
        LockError::InUse(reason) => BusError::on(&link, reason),
    })?;
    let port = SerialPort::open(path, baud).and_then(|mut port| {
        port.set_write_timeout(MARGIN)?;
        port.discard_buffers()?;
        Ok(port)
    });
    let port = port.map_err(cannot)?;
    Ok(Box::new(Tty { _lock: lock, port, baud, link }))
}

/// What an error of opening a tty means, and what to do about it.
fn explained(error: &io::Error) -> String {
    let advice = match Errno::from_io_error(error) {
        Some(Errno::NOENT) => "is the board plugged in, and is this its name?",
        Some(Errno::ACCESS) => "a user must be in the group that owns it, or be root (see docs/links-and-boards.md)",
        Some(Errno::PERM) => "a container must be given the device: to be root is not enough there",
        Some(Errno::ISDIR | Errno::NOTTY) => "expected a serial device",
        _ => return error.to_string(),
    };
    format!("{error}; {advice}")
}

/// Connects to this host and port. `protocol` is what is spoken over it, for messages.
pub fn connect(protocol: &str, host: &str, port: u16) -> Result<Box<dyn ByteStream>, BusError> {
    let link = format!("{protocol} over TCP to {host}:{port}");
    match connected(host, port) {
        Ok(stream) => Ok(Box::new(Tcp { stream, link })),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            Err(BusError::on(&link, format!("{error}: nothing listens there; is the server running?")))
        }
        Err(error) => Err(BusError::on(&link, format!("cannot connect: {error}"))),
    }
}

/// The addresses of a host. The system's resolver knows no deadline, so that it is asked on a thread of its own, which is
/// left behind if it takes too long.
pub(super) fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    const PATIENCE: Duration = Duration::from_secs(5);
    let (sender, receiver) = mpsc::channel();
    let asked = host.to_owned();
    thread::Builder::new().spawn(move || {
        let found = (asked.as_str(), port).to_socket_addrs().map(Vec::from_iter);
        // Nobody listens any more if it took too long.
        let _ = sender.send(found);
    })?;
    let found = receiver.recv_timeout(PATIENCE).map_err(|_| {
        io::Error::new(ErrorKind::TimedOut, format!("no address for '{host}' was found within {PATIENCE:?}"))
    })??;
    if found.is_empty() {
        return Err(io::Error::new(ErrorKind::NotFound, format!("'{host}' has no address")));
    }
    Ok(found)
}

fn connected(host: &str, port: u16) -> io::Result<TcpStream> {
    let start = Instant::now();
    let mut last = io::Error::new(ErrorKind::TimedOut, "no address was tried in time");
    for address in addresses(host, port)? {
        let left = (2 * MARGIN).saturating_sub(start.elapsed());
        if left.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_write_timeout(Some(MARGIN))?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// How long so many bytes take on a serial line of so many bits per second.
pub fn line_time(bytes: usize, baud: u32) -> Duration {
    let bits = u64::from(BITS_PER_BYTE) * bytes as u64;
    Duration::from_nanos(bits.saturating_mul(1_000_000_000) / u64::from(baud.max(1)))
}

/// The outcome of reading from a stream, with the difference between no bytes and an end made plain.
fn came(read: io::Result<usize>) -> io::Result<usize> {
    match read {
        Ok(0) => Err(io::Error::new(ErrorKind::UnexpectedEof, "the far end closed the link")),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
            Ok(0)
        }
        other => other,
    }
}

impl ByteStream for Tty {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.port.write_all(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<usize> {
        self.port.set_read_timeout(patience)?;
        came(self.port.read(buffer))
    }

    fn line_time(&self, bytes: usize) -> Duration {
        line_time(bytes, self.baud)
    }

    fn link(&self) -> &str {
        &self.link
    }
}

impl ByteStream for Tcp {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<usize> {
        // A bridge that sends a reply in two writes, as wishbone-tool does, holds the second one back until the first is
        // acknowledged, which the kernel would put off by 40 ms. It forgets the wish, so that it is told each time; without it
        // all is as right, and slower.
        #[cfg(target_os = "linux")]
        let _ = rustix::net::sockopt::set_tcp_quickack(&self.stream, true);
        if patience.is_zero() {
            self.stream.set_nonblocking(true)?;
            let read = self.stream.read(buffer);
            self.stream.set_nonblocking(false)?;
            return came(read);
        }
        self.stream.set_read_timeout(Some(patience))?;
        came(self.stream.read(buffer))
    }

    fn line_time(&self, _bytes: usize) -> Duration {
        Duration::ZERO
    }

    fn link(&self) -> &str {
        &self.link
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fd::OwnedFd;
    use rustix::net::{AddressFamily, SocketType, bind, getsockname, listen, socket};
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use std::net::TcpListener;

    /// No wait of a link is as long as this.
    const FAR_TOO_LONG: Duration = Duration::from_secs(30);

    /// A pty: its far end, and its path.
    fn pty() -> (OwnedFd, String) {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pty");
        grantpt(&master).expect("a pty");
        unlockpt(&master).expect("a pty");
        let path = ptsname(&master, Vec::new()).expect("a name").to_string_lossy().into_owned();
        (master, path)
    }

    /// What comes of this, and how long it took: a wait without a deadline ends the test and not itself.
    fn ended<T: Send + 'static>(wait: impl FnOnce() -> T + Send + 'static) -> (T, Duration) {
        let (sender, receiver) = mpsc::channel();
        let start = Instant::now();
        thread::spawn(move || sender.send(wait()));
        let came = receiver.recv_timeout(FAR_TOO_LONG).expect("it ends");
        (came, start.elapsed())
    }

    #[test]
    fn bytes_take_ten_bits_each_on_a_serial_line_and_no_time_over_tcp() {
        let (_master, path) = pty();
        for (baud, milliseconds) in [(300, 3200), (9600, 100), (115_200, 8)] {
            let tty = open_tty("any", Path::new(&path), baud).expect("a line");
            assert_eq!(tty.line_time(96).as_millis(), milliseconds, "{baud}");
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        assert_eq!(connect("any", "127.0.0.1", port).expect("a connection").line_time(96), Duration::ZERO);
    }

    #[test]
    fn what_a_line_holds_from_before_it_was_opened_is_thrown_away() {
        let (master, path) = pty();
        let before = SerialPort::open(&path, DEFAULT_BAUD).expect("a line");
        let mut master = std::fs::File::from(master);
        master.write_all(b"stale").expect("it is sent");
        let mut arrived = [PollFd::new(&before, PollFlags::IN)];
        let patience = Timespec { tv_sec: 20, tv_nsec: 0 };
        assert_eq!(poll(&mut arrived, Some(&patience)), Ok(1), "it is there to be read");
        let mut tty = open_tty("any", Path::new(&path), DEFAULT_BAUD).expect("a line");
        master.write_all(b"x").expect("it is sent");
        let mut came = [0; 16];
        let got = tty.receive(&mut came, FAR_TOO_LONG).expect("a byte");
        assert_eq!(&came[..got], b"x");
    }

    #[test]
    fn a_far_end_that_takes_no_bytes_is_given_up_after_the_margin() {
        let (_master, path) = pty();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        type Open = Box<dyn FnOnce() -> Result<Box<dyn ByteStream>, BusError> + Send>;
        let opens: [Open; 2] = [
            Box::new(move || open_tty("any", Path::new(&path), DEFAULT_BAUD)),
            Box::new(move || connect("any", "127.0.0.1", port)),
        ];
        for open in opens {
            let (sent, after) = ended(move || {
                let mut stream = open().expect("it is there");
                // More than any buffer on the way holds.
                (0..256).try_for_each(|_| stream.send(&[0; 1 << 18])).map_err(|error| error.kind())
            });
            let kind = sent.expect_err("nobody takes it");
            assert!(matches!(kind, ErrorKind::TimedOut | ErrorKind::WouldBlock), "{kind:?}");
            assert!(after >= MARGIN && after < FAR_TOO_LONG / 2, "{after:?}");
        }
    }

    #[test]
    fn a_host_that_does_not_answer_is_given_up_after_two_margins() {
        // A listener whose queue is full lets what knocks wait.
        let listener = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
        bind(&listener, &SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        listen(&listener, 0).expect("it listens");
        let place = SocketAddr::try_from(getsockname(&listener).expect("an address")).expect("of this family");
        let knocks = Duration::from_millis(50);
        let queue: Vec<TcpStream> = std::iter::from_fn(|| TcpStream::connect_timeout(&place, knocks).ok()).collect();
        assert!(!queue.is_empty());
        let (refused, after) = ended(move || connect("any", "127.0.0.1", place.port()).err().expect("nobody answers"));
        assert!(refused.to_string().contains("cannot connect: "), "{refused}");
        assert!(after >= MARGIN && after < FAR_TOO_LONG / 2, "{after:?}");
    }
}
