//! Etherbone straight to the SoC, a packet a datagram.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant};

use crate::bus::etherbone::codec::Packet;
use crate::bus::etherbone::{Etherbone, Exchange, other_number};
use crate::bus::{BusError, MARGIN, ask_again};

/// How often a read is sent: datagrams are lost, and a read may be asked again.
const TRIES: u32 = 4;

/// How long a reply to one datagram is waited for before the read is sent again.
const PATIENCE: Duration = MARGIN.checked_div(TRIES).expect("a read is tried at least once");

/// Room for any reply.
const LARGEST_DATAGRAM: usize = 1500;

/// A socket that talks to one SoC.
pub struct Udp {
    socket: UdpSocket,
    peer: SocketAddr,
    link: String,
    asked_again: u32,
}

/// The bus of the SoC that answers at this host and port. LiteEth sends its replies to the port that it listens on,
/// whatever port the question came from, so that this port is bound here too; on the loopback no SoC is, and any port
/// will do.
pub fn open(host: &str, port: u16) -> Result<Etherbone<Udp>, BusError> {
    let link = format!("etherbone over UDP to {host}:{port}");
    let failed = |reason: String| BusError::on(&link, reason);
    let peer = (host, port)
        .to_socket_addrs()
        .map_err(|error| failed(format!("'{host}' has no address: {error}")))?
        .next()
        .ok_or_else(|| failed(format!("'{host}' has no address")))?;
    let any: IpAddr = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let local = if peer.ip().is_loopback() { 0 } else { port };
    let socket = UdpSocket::bind((any, local))
        .and_then(|socket| socket.connect(peer).map(|()| socket))
        .map_err(|error| failed(format!("cannot use local port {local}, which the SoC replies to: {error}")))?;
    Ok(Etherbone::over(Udp { socket, peer, link, asked_again: 0 }))
}

impl Udp {
    /// Waits for the reply with this number; others are late replies to earlier questions, and are thrown away.
    fn reply(&mut self, number: u32, patience: Duration) -> Result<Option<Packet>, String> {
        let start = Instant::now();
        let mut datagram = [0; LARGEST_DATAGRAM];
        loop {
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            self.socket.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
            match self.socket.recv(&mut datagram) {
                Ok(length) => match Packet::decode(&datagram[..length]) {
                    Ok((packet, _)) if packet.base == number && !packet.writes.is_empty() => return Ok(Some(packet)),
                    Ok(_) => {}
                    Err(error) => return Err(format!("what came is no reply: {error}")),
                },
                // A signal ends the wait early; whether the run goes on is asked elsewhere.
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                }
                Err(error) => return Err(self.told(&error)),
            }
        }
    }

    fn told(&self, error: &io::Error) -> String {
        match error.kind() {
            ErrorKind::ConnectionRefused => format!("{error}: nothing listens at {}", self.peer),
            _ => error.to_string(),
        }
    }
}

impl Exchange for Udp {
    fn send(&mut self, packet: &Packet) -> Result<(), String> {
        let datagram = packet.encode();
        loop {
            match self.socket.send(&datagram) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(self.told(&error)),
            }
        }
    }

    fn ask(&mut self, packet: &Packet) -> Result<Vec<u32>, String> {
        for _ in 0..TRIES {
            self.send(packet)?;
            match self.reply(packet.return_base, PATIENCE)? {
                Some(reply) if reply.writes.len() == packet.reads.len() => return Ok(reply.writes),
                Some(reply) => return Err(other_number(packet.reads.len(), &reply)),
                None => ask_again(&mut self.asked_again)?,
            }
        }
        let wanted = packet.reads.len();
        Err(format!("expected a reply of {wanted} words within {MARGIN:.1?}, got none, asked {TRIES} times"))
    }

    fn link(&self) -> &str {
        &self.link
    }
}
