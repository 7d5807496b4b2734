//! Etherbone on a UDP port, a packet a datagram, as LiteEth 2024.12 answers.
//!
//! `tests/gateware.rs` compares what is told here of LiteEth's buffer with its gateware in simulation.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use crate::bus::BusError;
use crate::bus::etherbone::codec::Packet;
use crate::emulator::disturbance::DisturbedLink;
use crate::emulator::endpoint::{Endpoint, Looked, address};
use crate::emulator::held_back::{Held, HeldBack};
use crate::emulator::session::answer_packet;
use crate::emulator::soc::SharedSoc;

/// Which port of a client replies go to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplyTo {
    /// The port that the questions come in at, whatever port they come from: LiteEth does so.
    #[default]
    OwnPort,
    /// The port that the question came from.
    Source,
}

/// How often a reply without end is sent: it would be sent until a reset, and an emulator must come to an end.
pub const ENDLESS: u32 = 1000;

/// How far apart such replies are.
const ENDLESS_INTERVAL: Duration = Duration::from_millis(1);

/// What LiteEth's buffer makes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffered {
    /// It is carried out.
    Whole,
    /// It is carried out again and again, and nothing after it is.
    Endless,
    /// Neither it nor anything after it is carried out.
    Stalled,
}

/// What becomes of a record with so many writes and reads in a LiteEth whose buffer is so deep. The record fills a word for
/// each of them and one for the base address of either list; the buffer's output register holds one word more. A record that
/// both writes and reads leaves a real LiteEth out of step (it takes the reply's base for the first address); no client here
/// sends one, and the emulator serves it as it is meant.
pub fn buffered(depth: u32, writes: usize, reads: usize) -> Buffered {
    let words: usize = [writes, reads].into_iter().filter(|number| *number > 0).map(|number| number + 1).sum();
    match words.cmp(&(depth as usize + 2)) {
        std::cmp::Ordering::Less => Buffered::Whole,
        std::cmp::Ordering::Equal => Buffered::Endless,
        std::cmp::Ordering::Greater => Buffered::Stalled,
    }
}

/// A LiteEth that answers without end gives the last word but one twice, in place of the last.
fn repeat_last_but_one(reply: &mut [u8], words: usize) {
    if words > 1 {
        let last = reply.len() - 4;
        reply.copy_within(last - 4..last, last);
    }
}

/// A reply that is sent without end.
struct Repeated {
    reply: Vec<u8>,
    client: SocketAddr,
    left: u32,
    due: Instant,
}

/// Etherbone, a packet a datagram.
pub struct UdpEndpoint {
    socket: UdpSocket,
    own: SocketAddr,
    reply_to: ReplyTo,
    soc: SharedSoc,
    link: DisturbedLink,
    held: HeldBack<SocketAddr>,
    /// Whether LiteEth's buffer was asked for more than it holds: nothing is carried out any more.
    stuck: bool,
    repeated: Option<Repeated>,
    /// The first client that cannot be answered.
    unanswered: Option<SocketAddr>,
    /// Whether that was told.
    told: bool,
}

impl UdpEndpoint {
    /// On a UDP port.
    ///
    /// # Errors
    /// If the port cannot be bound; and if replies are to go to the own port of an IPv6 address: LiteEth speaks IPv4 alone.
    pub fn on(at: SocketAddr, soc: SharedSoc, reply_to: ReplyTo, link: DisturbedLink) -> io::Result<Self> {
        if at.is_ipv6() && reply_to == ReplyTo::OwnPort {
            let reason = "LiteEth speaks IPv4 alone; --reply-to-source serves clients over IPv6";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let socket = UdpSocket::bind(at)?;
        socket.set_nonblocking(true)?;
        let own = socket.local_addr()?;
        let held = HeldBack::new();
        Ok(UdpEndpoint {
            socket,
            own,
            reply_to,
            soc,
            link,
            held,
            stuck: false,
            repeated: None,
            unanswered: None,
            told: false,
        })
    }

    /// Where a reply to a question from there goes; nothing where the emulator itself would get it.
    fn destination(&mut self, source: SocketAddr) -> Option<SocketAddr> {
        if self.reply_to == ReplyTo::Source {
            return Some(source);
        }
        let destination = SocketAddr::new(source.ip(), self.own.port());
        // Also where it listens at every address: the kernel would hand the reply to the emulator.
        let itself = destination == self.own || (self.own.ip().is_unspecified() && source.ip().is_loopback());
        if !itself {
            return Some(destination);
        }
        self.unanswered.get_or_insert(source);
        None
    }
}

impl Endpoint for UdpEndpoint {
    fn watched(&self) -> Option<BorrowedFd<'_>> {
        (!self.held.is_full()).then(|| self.socket.as_fd())
    }

    fn due(&self) -> Option<Instant> {
        self.held.due().into_iter().chain(self.repeated.as_ref().map(|repeated| repeated.due)).min()
    }

    fn send_due(&mut self, now: Instant) -> Looked {
        let mut looked = Looked::Quiet;
        while let Some(held) = self.held.next_due(now) {
            match held {
                // A client that has gone is told nothing.
                Held::Send(bytes, client) => drop(self.socket.send_to(&bytes, client)),
                Held::Close => return Looked::Gone,
            }
            looked = Looked::Busy;
        }
        if let Some(repeated) = self.repeated.as_mut().filter(|repeated| repeated.due <= now) {
            let _ = self.socket.send_to(&repeated.reply, repeated.client);
            (repeated.left, repeated.due) = (repeated.left - 1, now + ENDLESS_INTERVAL);
            if repeated.left == 0 {
                self.repeated = None;
            }
            looked = Looked::Busy;
        }
        looked
    }

    fn look(&mut self) -> Result<Looked, BusError> {
        let mut buffer = [0; 4096];
        // That an earlier answer reached nobody is an error of this socket, and no matter.
        let Ok((length, source)) = self.socket.recv_from(&mut buffer) else { return Ok(Looked::Quiet) };
        let Some(arrived) = self.link.passed_whole(&buffer[..length]) else { return Ok(Looked::Busy) };
        let Ok((packet, _)) = Packet::decode(&arrived) else { return Ok(Looked::Busy) };
        if self.stuck {
            return Ok(Looked::Busy);
        }
        let fits = self.link.buffer_depth().map(|depth| buffered(depth, packet.writes.len(), packet.reads.len()));
        self.stuck = matches!(fits, Some(Buffered::Endless | Buffered::Stalled));
        if fits == Some(Buffered::Stalled) {
            return Ok(Looked::Busy);
        }
        if let Some(mut reply) = answer_packet(&mut self.soc, &packet)?
            && let Some(client) = self.destination(source)
        {
            if self.stuck {
                repeat_last_but_one(&mut reply, packet.reads.len());
                self.repeated = Some(Repeated { reply, client, left: ENDLESS, due: Instant::now() });
            } else {
                let fate = self.link.answered(&reply, true);
                self.held.take(fate, Duration::ZERO, client);
            }
        }
        Ok(Looked::Busy)
    }

    fn notice(&mut self) -> Option<String> {
        let source = self.unanswered.filter(|_| !std::mem::replace(&mut self.told, true))?;
        let port = self.own.port();
        Some(format!(
            "a client at {source} gets no reply: LiteEth replies to port {port} there, which is the emulator's own. Ask from \
             another address with that port, such as 127.0.0.2:{port}, or serve with --reply-to-source"
        ))
    }

    fn place(&self) -> String {
        address(self.socket.local_addr())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::model::{Model, PUBLISHED_BANKS, Plants};
    use crate::domain::evidence::Evidence;
    use crate::domain::seed::Seed;
    use crate::emulator::disturbance::Disturbance;
    use crate::emulator::soc::Soc;

    const SEED: Seed = Seed::new(1);

    fn endpoint(reply_to: ReplyTo, disturbances: &[Disturbance]) -> UdpEndpoint {
        let model = Model::new(PUBLISHED_BANKS, &Plants::default());
        let soc = SharedSoc::of(Soc::new(Box::new(model), Evidence::Model, &[], SEED));
        let link = DisturbedLink::new(disturbances, SEED, 0);
        UdpEndpoint::on(SocketAddr::from(([127, 0, 0, 1], 0)), soc, reply_to, link).expect("a port")
    }

    /// A client at this address and port, which waits for nothing.
    fn client(address: [u8; 4], port: u16) -> UdpSocket {
        let client = UdpSocket::bind(SocketAddr::from((address, port))).expect("a port");
        client.set_nonblocking(true).expect("it is");
        client
    }

    /// The replies that are there once this was sent and looked at; on the loopback what is sent is there.
    fn replies(endpoint: &mut UdpEndpoint, asking: &UdpSocket, listening: &UdpSocket, packet: &Packet) -> Vec<Packet> {
        asking.send_to(&packet.encode(), endpoint.own).expect("it is sent");
        assert_eq!(endpoint.look(), Ok(Looked::Busy));
        endpoint.send_due(Instant::now());
        let mut datagram = [0; 2048];
        let came = std::iter::from_fn(|| listening.recv(&mut datagram).ok().map(|length| datagram[..length].to_vec()));
        came.map(|reply| Packet::decode(&reply).expect("a packet").0).collect()
    }

    fn read(words: usize) -> Packet {
        Packet { reads: vec![0xF002_1020; words], return_base: 3, ..Packet::default() }
    }

    #[test]
    fn datagrams_with_answers_are_flipped_and_lost_as_those_with_questions_are() {
        let probe = Packet { probe: true, ..Packet::default() }.encode();
        let right = Packet { probe_reply: true, ..Packet::default() }.encode();
        let replies = |disturbance| {
            let mut endpoint = endpoint(ReplyTo::Source, &[disturbance]);
            let client = client([127, 0, 0, 1], 0);
            let (mut questions, mut replies) = (0, Vec::new());
            while questions < 200 {
                client.send_to(&probe, endpoint.place()).expect("it is sent");
                assert_eq!(endpoint.look(), Ok(Looked::Busy));
                questions += 1;
                // On the loopback what is sent is there.
                endpoint.send_due(Instant::now());
                let mut datagram = [0; 64];
                replies.extend(client.recv(&mut datagram).ok().map(|length| datagram[..length].to_vec()));
            }
            replies
        };
        assert_eq!(replies(Disturbance::Delay(0)), vec![right.clone(); 200]);
        // Of a question that comes through three bytes decide, of the reply twelve can be damaged.
        let flipped = replies(Disturbance::Flip(12));
        assert!(flipped.iter().any(|reply| *reply != right) && flipped.iter().all(|reply| reply.len() == 12));
        // A quarter comes through where half are lost each way.
        let left = replies(Disturbance::Lose(2)).len();
        assert!((25..75).contains(&left), "{left}");
    }

    #[test]
    fn a_reply_goes_to_the_port_that_liteeth_answers_to_or_where_it_is_wanted_to_the_source_port() {
        let mut lite_eth = endpoint(ReplyTo::OwnPort, &[]);
        let (asking, listening) = (client([127, 0, 0, 2], 0), client([127, 0, 0, 2], lite_eth.own.port()));
        assert_eq!(replies(&mut lite_eth, &asking, &listening, &read(1)).len(), 1);
        assert!(asking.recv(&mut [0; 64]).is_err(), "nothing comes to the source port");
        let mut other = endpoint(ReplyTo::Source, &[]);
        assert_eq!(replies(&mut other, &asking, &asking, &read(1)).len(), 1);
    }

    #[test]
    fn a_client_whose_reply_the_emulator_itself_would_get_is_told_so_once() {
        let mut endpoint = endpoint(ReplyTo::OwnPort, &[]);
        let same = client([127, 0, 0, 1], 0);
        for _ in 0..2 {
            assert!(replies(&mut endpoint, &same, &same, &read(1)).is_empty());
        }
        assert!(endpoint.notice().is_some_and(|told| told.contains("serve with --reply-to-source")));
        assert_eq!((endpoint.notice(), endpoint.look()), (None, Ok(Looked::Quiet)));
    }

    #[test]
    fn a_buffer_as_liteeth_has_it_answers_what_it_cannot_hold_without_end_or_not_at_all() {
        for (depth, endless) in [(4, 5), (16, 17)] {
            let disturbance = [Disturbance::LiteEthDepth(depth)];
            let mut endpoint = endpoint(ReplyTo::Source, &disturbance);
            let asking = client([127, 0, 0, 1], 0);
            assert_eq!(replies(&mut endpoint, &asking, &asking, &read(endless - 1)).len(), 1);
            let mut came = replies(&mut endpoint, &asking, &asking, &read(endless)).len();
            while let Some(due) = endpoint.due() {
                assert_eq!(endpoint.send_due(due), Looked::Busy);
                came += usize::from(asking.recv(&mut [0; 2048]).is_ok());
            }
            assert_eq!(came, ENDLESS as usize, "an end that only the emulator makes");
            assert!(replies(&mut endpoint, &asking, &asking, &read(1)).is_empty(), "nothing else is answered");
            let mut stalled = super::tests::endpoint(ReplyTo::Source, &disturbance);
            for words in [64, 1] {
                assert!(replies(&mut stalled, &asking, &asking, &read(words)).is_empty());
            }
        }
    }
}
