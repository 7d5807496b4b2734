//! The protocols as the far end speaks them: bytes in, answers out.

use crate::bus::etherbone::codec as etherbone;
use crate::bus::uartbone::codec as uartbone;
use crate::bus::{Bus, BusError};
use crate::device::driver::Driver;
use crate::device::mark;
use crate::device::serial::codec as serial;
use crate::emulator::soc::SharedSoc;

/// One side of a conversation over a stream of bytes.
pub trait Session {
    /// Takes bytes and gives the answers to the questions that they complete.
    fn take(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, BusError>;

    /// Forgets a half question, when another client comes; and after silence, where the protocol has such a rule.
    fn forget(&mut self);

    /// Whether silence ends a half question. A stream that loses nothing has no such rule.
    fn ends_with_silence(&self) -> bool {
        true
    }
}

/// UARTBone.
pub struct UartBone {
    decoder: uartbone::Decoder,
    soc: SharedSoc,
}

impl UartBone {
    /// With this SoC behind it.
    pub fn new(soc: SharedSoc) -> Self {
        UartBone { decoder: uartbone::Decoder::default(), soc }
    }
}

impl Session for UartBone {
    fn take(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, BusError> {
        let mut answers = Vec::new();
        for &byte in bytes {
            let Some(command) = self.decoder.push(byte) else { continue };
            if let uartbone::Command::Write { words, .. } = &command {
                for (address, word) in command.addresses().zip(words) {
                    self.soc.write(address, *word)?;
                }
                continue;
            }
            let mut answer = Vec::new();
            for address in command.addresses() {
                answer.extend(self.soc.read(address)?.to_be_bytes());
            }
            answers.push(answer);
        }
        Ok(answers)
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

/// Etherbone over a stream.
pub struct Etherbone {
    decoder: etherbone::Decoder,
    soc: SharedSoc,
}

impl Etherbone {
    /// With this SoC behind it.
    pub fn new(soc: SharedSoc) -> Self {
        Etherbone { decoder: etherbone::Decoder::default(), soc }
    }
}

impl Session for Etherbone {
    fn take(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, BusError> {
        let mut answers = Vec::new();
        self.decoder.push(bytes);
        while let Some(packet) = self.decoder.next_packet() {
            answers.extend(answer_packet(&mut self.soc, &packet)?);
        }
        Ok(answers)
    }

    fn forget(&mut self) {
        self.decoder.forget();
    }

    fn ends_with_silence(&self) -> bool {
        false
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
    fn take(&mut self, bytes: &[u8]) -> Result<Vec<Vec<u8>>, BusError> {
        let mut answers = Vec::new();
        for &byte in bytes {
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
            answers.extend(answer.ok().flatten());
        }
        Ok(answers)
    }

    fn forget(&mut self) {
        self.decoder.forget();
    }
}
