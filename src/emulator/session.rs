//! The protocols as the far end speaks them: bytes in, answers out.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::bus::etherbone::codec as etherbone;
use crate::bus::uartbone::codec::{self as uartbone, Access, COMMAND_TIME};
use crate::bus::{Bus, BusError};
use crate::device::driver::Driver;
use crate::device::mark;
use crate::device::serial::codec as serial;
use crate::emulator::soc::SharedSoc;

/// Bytes that came over a line, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// When the first one was complete.
    pub at: Instant,
    /// How long each takes on the line; zero where the line has no rate.
    pub byte_time: Duration,
}

impl Arrival<'_> {
    /// Each byte, and when it was complete.
    fn each(&self) -> impl Iterator<Item = (u8, Instant)> {
        let (at, byte_time) = (self.at, self.byte_time);
        self.bytes.iter().zip(0..).map(move |(&byte, place)| (byte, at + byte_time * place))
    }
}

/// What is sent back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// When the line has carried the last one.
    pub at: Instant,
}

/// One side of a conversation over a stream of bytes.
pub trait Session {
    /// What a client that connects to this address is sent at once.
    fn greeting(&self, _address: SocketAddr) -> Option<String> {
        None
    }

    /// Takes bytes and gives the answers to the questions that they complete.
    fn take(&mut self, arrival: Arrival<'_>) -> Result<Vec<Answer>, BusError>;

    /// Forgets a half question, when another client comes; and after silence, where the protocol has such a rule.
    fn forget(&mut self);

    /// Whether a console may use the line, too.
    fn shares_with_console(&self) -> bool {
        false
    }

    /// Whether silence ends a half question.
    fn ends_with_silence(&self) -> bool {
        false
    }
}

/// UARTBone, as LiteX 2024.12 speaks it: see [`uartbone::Decoder`]. It hears nothing while it answers, and an answer ends
/// with the time of its command.
pub struct UartBone {
    decoder: uartbone::Decoder,
    soc: SharedSoc,
    /// What the decoder's times count from.
    epoch: Instant,
    /// Until when it answers.
    answering: Instant,
}

impl UartBone {
    /// With this SoC behind it.
    pub fn new(soc: SharedSoc) -> Self {
        let now = Instant::now();
        UartBone { decoder: uartbone::Decoder::default(), soc, epoch: now, answering: now }
    }

    fn answer(&mut self, access: Access, begun: Instant, at: Instant, byte_time: Duration) -> Result<Answer, BusError> {
        let end = begun + COMMAND_TIME;
        let mut answer = Answer { bytes: Vec::new(), at };
        for address in access.addresses() {
            if answer.at >= end {
                break;
            }
            for byte in self.soc.read(address)?.to_be_bytes() {
                // A byte that was begun is sent to its end.
                if answer.at < end {
                    answer.bytes.push(byte);
                    answer.at += byte_time;
                }
            }
        }
        self.answering = answer.at.min(end.max(at));
        Ok(answer)
    }
}

impl Session for UartBone {
    fn take(&mut self, arrival: Arrival<'_>) -> Result<Vec<Answer>, BusError> {
        let mut answers = Vec::new();
        for (byte, at) in arrival.each() {
            if at < self.answering {
                continue;
            }
            let now = at.saturating_duration_since(self.epoch);
            let begun = self.decoder.begun().map_or(at, |begun| self.epoch + begun);
            match self.decoder.push(byte, now) {
                None => {}
                Some(Access::Write { address, word }) => self.soc.write(address, word)?,
                Some(read @ Access::Read { .. }) => answers.push(self.answer(read, begun, at, arrival.byte_time)?),
            }
        }
        Ok(answers)
    }

    fn shares_with_console(&self) -> bool {
        true
    }

    fn forget(&mut self) {
        self.decoder.forget();
    }
}

/// What a SoC answers to an Etherbone packet, if anything.
pub fn answer_packet(soc: &mut SharedSoc, packet: &etherbone::Packet) -> Result<Option<Vec<u8>>, BusError> {
    if packet.probe {
        return Ok(Some(etherbone::Packet { probe_reply: true, ..etherbone::Packet::default() }.encode()));
    }
    soc.write_run(packet.base, &packet.writes)?;
    if packet.reads.is_empty() {
        return Ok(None);
    }
    let mut writes = vec![0; packet.reads.len()];
    soc.read_each(&packet.reads, &mut writes)?;
    Ok(Some(etherbone::Packet { base: packet.return_base, writes, ..etherbone::Packet::default() }.encode()))
}

/// Etherbone over a stream: as a SoC speaks it, or as the bridge litex_server does.
pub struct Etherbone {
    decoder: etherbone::Decoder,
    soc: SharedSoc,
    /// Whether it is litex_server, which greets a client that connects; LiteX's own RemoteClient waits for that.
    greets: bool,
}

impl Etherbone {
    /// With this SoC behind it.
    pub fn new(soc: SharedSoc) -> Self {
        Etherbone { decoder: etherbone::Decoder::default(), soc, greets: false }
    }

    /// litex_server of LiteX 2024.12, which reaches this SoC over UARTBone.
    pub fn litex_server(soc: SharedSoc) -> Self {
        Etherbone { greets: true, ..Etherbone::new(soc) }
    }
}

impl Session for Etherbone {
    fn greeting(&self, address: SocketAddr) -> Option<String> {
        // litex_server names the class of its own link and what it was bound to, without an end of line.
        self.greets.then(|| format!("CommUART:{}:{}", address.ip(), address.port()))
    }

    fn take(&mut self, arrival: Arrival<'_>) -> Result<Vec<Answer>, BusError> {
        let mut answers = Vec::new();
        self.decoder.push(arrival.bytes);
        while let Some(mut packet) = self.decoder.next_packet() {
            if self.greets {
                // litex_server builds its reply anew and repeats no base.
                packet.return_base = 0;
            }
            let bytes = answer_packet(&mut self.soc, &packet)?;
            answers.extend(bytes.map(|bytes| Answer { bytes, at: arrival.at }));
        }
        Ok(answers)
    }

    fn forget(&mut self) {
        self.decoder.forget();
    }
}

/// The serial command protocol, whose one state is context 0 of the adapter.
pub struct Serial {
    decoder: serial::Decoder,
    driver: Driver,
    reference: u64,
    /// What it gives for its reference where its identity is disturbed: no register tells what answers.
    identity: Option<u64>,
    mark: u8,
}

impl Serial {
    /// With this SoC behind it.
    pub fn new(soc: SharedSoc) -> Self {
        let (mark, identity) = (mark::status_bits(soc.evidence()), soc.identity().map(u64::from));
        Serial { decoder: serial::Decoder::default(), driver: Driver::of(Box::new(soc)), reference: 0, identity, mark }
    }
}

impl Session for Serial {
    fn take(&mut self, arrival: Arrival<'_>) -> Result<Vec<Answer>, BusError> {
        let mut answers = Vec::new();
        for (byte, at) in arrival.each() {
            let Some(command) = self.decoder.push(byte) else { continue };
            let answer = match command {
                serial::Command::Load(reference) => {
                    self.reference = reference;
                    self.driver.load(0, reference).map(|()| None)
                }
                serial::Command::Accumulate(delta) => self.driver.accumulate(delta).map(|()| None),
                serial::Command::Read => self.driver.read().map(|state| Some(state.to_be_bytes().to_vec())),
                serial::Command::Status => self.driver.accumulator_is_zero().map(|zero| {
                    let zero = if zero { serial::ACCUMULATOR_IS_ZERO } else { 0 };
                    Some(vec![zero | self.mark])
                }),
                serial::Command::Reference => Ok(Some(self.identity.unwrap_or(self.reference).to_be_bytes().to_vec())),
            };
            // An adapter that does not come to an end has no answer, and the line stays quiet.
            answers.extend(answer.ok().flatten().map(|bytes| Answer { bytes, at }));
        }
        Ok(answers)
    }

    fn forget(&mut self) {
        self.decoder.forget();
    }

    fn ends_with_silence(&self) -> bool {
        true
    }
}
