//! Etherbone straight to the SoC, a packet a datagram.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use crate::bus::etherbone::codec::Packet;
use crate::bus::etherbone::{Etherbone, Exchange, other_number};
use crate::bus::stream::addresses;
use crate::bus::{BusError, MARGIN, ask_again};
use crate::domain::link_events::LinkEvents;

/// How often a read is sent: datagrams are lost, and a read may be asked again.
const TRIES: u32 = 4;

/// How long a reply to one datagram is waited for before the read is sent again, as long as none was late.
const PATIENCE: Duration = MARGIN.checked_div(TRIES).expect("a read is tried at least once");

/// How many clients on one machine can talk to one emulator there, each at an address of its own.
const MOST_ON_LOOPBACK: u8 = 16;

/// Room for any reply.
const LARGEST_DATAGRAM: usize = 1500;

/// A socket that talks to one SoC.
pub struct Udp {
    socket: UdpSocket,
    peer: SocketAddr,
    /// Other addresses of the host, to be tried while nothing has answered.
    others: VecDeque<SocketAddr>,
    link: String,
    asked_again: u32,
    events: LinkEvents,
    /// The number of the datagram that was sent last: each has its own, so that a reply tells which one it answers.
    number: u32,
    /// How long a reply is waited for before the read is sent again: longer once one was late.
    patience: Duration,
}

/// What came of waiting for a reply.
enum Reply {
    /// The words, in answer to the datagram with this number.
    Words(u32, Vec<u32>),
    /// None in time.
    None,
}

/// The bus of the SoC that answers at this host and port. LiteEth sends its replies to the port that it listens on,
/// whatever port the question came from, so that this port is bound here too; on the loopback, where the emulator has it, at
/// another of its addresses. Of a host with several addresses, the first one that answers is used.
pub fn open(host: &str, port: u16) -> Result<Etherbone<Udp>, BusError> {
    let link = format!("etherbone over UDP to {host}:{port}");
    let failed = |reason: String| BusError::on(&link, reason);
    let found = addresses(host, port).map_err(|error| failed(format!("'{host}' has no address: {error}")))?;
    Udp::at_one_of(found, link.clone()).map(Etherbone::over).map_err(failed)
}

/// A socket that talks to this address.
fn connected(peer: SocketAddr) -> Result<UdpSocket, String> {
    let socket = bound(peer)?;
    socket.connect(peer).map_err(|error| format!("cannot reach {peer}: {error}"))?;
    Ok(socket)
}

/// A socket at the port that this peer replies to.
fn bound(peer: SocketAddr) -> Result<UdpSocket, String> {
    if !peer.ip().is_loopback() {
        let any: IpAddr = if peer.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let port = peer.port();
        return UdpSocket::bind((any, port))
            .map_err(|error| format!("cannot use local port {port}, which the SoC replies to: {error}"));
    }
    if peer.is_ipv4() {
        let others = (1..=MOST_ON_LOOPBACK).map(|last| IpAddr::from([127, 0, 0, last]));
        for address in others.filter(|address| *address != peer.ip()) {
            if let Ok(socket) = UdpSocket::bind((address, peer.port())) {
                return Ok(socket);
            }
        }
    }
    // No LiteEth is there. Whoever answers at every address of the loopback must reply to the source port.
    let any: IpAddr = if peer.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    UdpSocket::bind((any, 0)).map_err(|error| format!("no local port is free: {error}"))
}

impl Udp {
    fn at_one_of(peers: Vec<SocketAddr>, link: String) -> Result<Self, String> {
        let mut others = VecDeque::from(peers);
        let mut failed = "the host has no address".to_owned();
        while let Some(peer) = others.pop_front() {
            match connected(peer) {
                Ok(socket) => {
                    let (events, patience) = (LinkEvents::default(), PATIENCE);
                    return Ok(Udp { socket, peer, others, link, asked_again: 0, events, number: 0, patience });
                }
                Err(reason) => failed = reason,
            }
        }
        Err(failed)
    }

    fn ask_peer(&mut self, packet: &Packet) -> Result<Vec<u32>, String> {
        let (wanted, start, before) = (packet.reads.len(), Instant::now(), self.asked_again);
        let (mut damaged, mut sent) = (None, Vec::new());
        for _ in 0..TRIES {
            self.number = self.number.wrapping_add(1);
            sent.push((self.number, Instant::now()));
            self.send(&Packet { return_base: self.number, ..packet.clone() })?;
            if let Reply::Words(number, words) = self.reply(&sent, wanted, self.patience, &mut damaged)? {
                let (tries, last) = (sent.len(), number == self.number);
                let asked = sent.iter().find(|(asked, _)| *asked == number).map_or(start, |(_, at)| *at);
                if !last {
                    // It was late, and not lost: what was asked again meanwhile is no sign of loss.
                    self.asked_again = before;
                    self.events.late(asked.elapsed());
                    self.patience = self.patience.max(2 * asked.elapsed()).min(MARGIN);
                } else if tries > 1 {
                    self.events.made_good += 1;
                }
                return Ok(words);
            }
            ask_again(&mut self.asked_again)?;
        }
        let waited = TRIES * self.patience;
        // As long again as one is waited for at the most, to tell a SoC that is late from one that is silent.
        if let Reply::Words(..) = self.reply(&sent, wanted, MARGIN, &mut damaged)? {
            let after = start.elapsed();
            return Err(format!(
                "expected a reply of {wanted} words within {waited:.1?}, and it came late, after {after:.1?}, asked {TRIES} times"
            ));
        }
        let got = damaged.map_or("got none".to_owned(), |what| format!("got what is none, the last: {what}"));
        Err(format!("expected a reply of {wanted} words within {waited:.1?}, {got}, asked {TRIES} times"))
    }

    /// Waits for a reply with one of these numbers and so many words. Others are late replies to earlier questions, or were
    /// damaged on the way: they are thrown away, and the last damage is told.
    fn reply(
        &mut self,
        sent: &[(u32, Instant)],
        wanted: usize,
        patience: Duration,
        damaged: &mut Option<String>,
    ) -> Result<Reply, String> {
        let start = Instant::now();
        let mut datagram = [0; LARGEST_DATAGRAM];
        loop {
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Ok(Reply::None);
            }
            self.socket.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
            match self.socket.recv(&mut datagram) {
                Ok(length) => match Packet::decode(&datagram[..length]) {
                    Ok((packet, _)) if !sent.iter().any(|(number, _)| *number == packet.base) => {}
                    Ok((packet, _)) if packet.writes.len() == wanted => {
                        return Ok(Reply::Words(packet.base, packet.writes));
                    }
                    Ok((packet, _)) => *damaged = Some(other_number(wanted, &packet)),
                    Err(error) => *damaged = Some(error.to_string()),
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
        loop {
            let answered = self.ask_peer(packet);
            if answered.is_ok() {
                self.others.clear();
            }
            let (Err(_), Some(next)) = (&answered, self.others.pop_front()) else { return answered };
            self.socket = connected(next)?;
            self.peer = next;
        }
    }

    fn reads_anywhere(&self) -> bool {
        true
    }

    fn events(&self) -> LinkEvents {
        self.events.clone()
    }

    fn link(&self) -> &str {
        &self.link
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::Bus;

    /// The datagrams that a SoC sends for a question.
    type Replies = fn(&Packet) -> Vec<Vec<u8>>;

    /// What a SoC replies whose register at any address reads as the address.
    fn right(asked: &Packet) -> Vec<u8> {
        Packet { base: asked.return_base, writes: asked.reads.clone(), ..Packet::default() }.encode()
    }

    /// A SoC on the loopback that takes so many questions.
    fn soc(replies: Replies, questions: usize) -> u16 {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
        let port = socket.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            let mut datagram = [0; LARGEST_DATAGRAM];
            for _ in 0..questions {
                let Ok((length, client)) = socket.recv_from(&mut datagram) else { return };
                let (asked, _) = Packet::decode(&datagram[..length]).expect("a packet");
                for reply in replies(&asked) {
                    socket.send_to(&reply, client).expect("it is sent");
                }
            }
        });
        port
    }

    #[test]
    fn a_reply_to_an_earlier_question_is_not_taken_for_that_to_the_last_one() {
        fn stale(asked: &Packet, off: u32) -> Vec<u8> {
            Packet { base: asked.return_base.wrapping_sub(off), writes: vec![0xBAD], ..Packet::default() }.encode()
        }
        let port = soc(|asked| vec![stale(asked, 1), stale(asked, 2), right(asked)], 3);
        let mut bus = open("127.0.0.1", port).expect("a socket");
        let read: Vec<_> = [0x10, 0x20, 0x30].into_iter().map(|address| bus.read(address)).collect();
        assert_eq!(read, [Ok(0x10), Ok(0x20), Ok(0x30)]);
    }

    /// A reply with another magic, one with another version, one that ends too early, one of two words, and noise.
    fn damaged(asked: &Packet) -> Vec<Vec<u8>> {
        let whole = right(asked);
        let with = |place: usize, byte: u8| {
            let mut datagram = whole.clone();
            datagram[place] = byte;
            datagram
        };
        let mut longer = with(10, 2);
        longer.extend([0; 4]);
        vec![with(0, 0x4F), with(2, 0x20), whole[..18].to_vec(), longer, vec![0xAA; 7], Vec::new()]
    }

    #[test]
    fn a_damaged_datagram_is_thrown_away_and_the_right_one_is_waited_for() {
        let port = soc(|asked| [damaged(asked), vec![right(asked)]].concat(), 2);
        let mut bus = open("127.0.0.1", port).expect("a socket");
        assert_eq!([bus.read(0x10), bus.read(0x20)], [Ok(0x10), Ok(0x20)]);
        assert_eq!(bus.exchange.asked_again, 0);
    }

    #[test]
    fn a_soc_whose_every_reply_is_damaged_is_given_up_in_time_and_it_is_said_what_came() {
        let port = soc(|asked| damaged(asked)[..1].to_vec(), TRIES as usize);
        let start = Instant::now();
        let failed = open("127.0.0.1", port).expect("a socket").read(0x10).expect_err("no reply").to_string();
        let told =
            ", got what is none, the last: expected a packet that begins with 4e6f1044, got 4f6f1044, asked 4 times";
        assert!(failed.contains("expected a reply of 1 words within 1.") && failed.ends_with(told), "{failed}");
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn an_answer_that_is_late_is_taken_and_told_as_late_and_waited_for_from_then_on() {
        /// A SoC that answers each question so much later.
        fn late_soc(delay: Duration, questions: usize) -> u16 {
            let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
            socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
            let port = socket.local_addr().expect("an address").port();
            std::thread::spawn(move || {
                let mut datagram = [0; LARGEST_DATAGRAM];
                for _ in 0..questions {
                    let Ok((length, client)) = socket.recv_from(&mut datagram) else { return };
                    let (asked, _) = Packet::decode(&datagram[..length]).expect("a packet");
                    let answering = socket.try_clone().expect("a socket");
                    std::thread::spawn(move || {
                        std::thread::sleep(delay);
                        let _ = answering.send_to(&right(&asked), client);
                    });
                }
            });
            port
        }
        let mut bus = open("127.0.0.1", late_soc(Duration::from_millis(300), 40)).expect("a socket");
        for address in (0..12).map(|place| 4 * place) {
            assert_eq!(bus.read(address), Ok(address));
        }
        let events = bus.events();
        assert!(events.late >= 1 && events.latest >= Duration::from_millis(300), "{events:?}");
        assert_eq!((events.made_good, bus.exchange.asked_again), (0, 0), "nothing was lost");
        // One that is later than it is waited for is late, and not silent.
        let failed = open("127.0.0.1", late_soc(Duration::from_millis(1400), 4)).expect("a socket").read(4);
        let failed = failed.expect_err("it is too late").to_string();
        assert!(failed.contains("and it came late, after 1.4") && failed.contains("asked 4 times"), "{failed}");
    }

    #[test]
    fn of_the_addresses_of_a_host_the_one_that_answers_is_used() {
        let port = soc(|asked| vec![right(asked)], 3);
        // Nothing listens at the first one.
        let peers = [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::LOCALHOST].map(|ip| SocketAddr::new(ip.into(), port));
        let udp = Udp::at_one_of(peers.to_vec(), "two addresses".to_owned()).expect("a socket");
        assert_eq!(udp.peer, peers[0]);
        let mut bus = Etherbone::over(udp);
        assert_eq!([bus.read(0x10), bus.read(0x20)], [Ok(0x10), Ok(0x20)]);
        assert_eq!((bus.exchange.peer, bus.exchange.others.len()), (peers[1], 0));
    }

    #[test]
    fn a_link_that_loses_something_again_and_again_is_given_up() {
        let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let mut bus = open("127.0.0.1", silent.local_addr().expect("an address").port()).expect("a socket");
        bus.exchange.asked_again = crate::bus::MOST_ASKED_AGAIN;
        let failed = bus.read(4).expect_err("it is given up").to_string();
        assert!(failed.contains("asked again 33 times in one run"), "{failed}");
    }

    #[test]
    fn words_are_read_in_as_many_packets_as_it_takes_and_in_their_order() {
        let port = soc(|asked| vec![right(asked)], 20);
        let mut bus = open("127.0.0.1", port).expect("a socket");
        let addresses: Vec<u32> = (0..40).rev().map(|place| 4 * place).collect();
        let mut words = vec![0; addresses.len()];
        bus.read_each(&addresses, &mut words).expect("words");
        assert_eq!(words, addresses);
    }

    #[test]
    fn the_port_that_a_soc_replies_to_is_bound_here_and_must_be_free() {
        let taken = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a port");
        let port = taken.local_addr().expect("an address").port();
        // An address that is for documentation; nothing is sent to it.
        let refused = open("192.0.2.1", port).err().expect("the port is taken").to_string();
        assert!(refused.contains(&format!("cannot use local port {port}, which the SoC replies to: ")), "{refused}");
        // On the loopback the emulator itself has the port.
        open("127.0.0.1", port).expect("another port will do");
    }
}
