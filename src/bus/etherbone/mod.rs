//! Etherbone: the bus of a LiteX SoC over UDP, or over TCP through a bridge such as `litex_server`.

pub mod codec;
pub mod tcp;
pub mod udp;

use std::time::{Duration, Instant};

use crate::bus::{Bus, BusError};
use crate::domain::link_events::LinkEvents;

use codec::Packet;

/// The most words of one packet: LiteEth's buffer holds 4 to 16, and what it cannot hold it drops.
const WORDS_AT_ONCE: usize = 4;

/// How packets get to the far end, and replies back.
pub trait Exchange {
    /// Sends a packet that gets no reply.
    fn send(&mut self, packet: &Packet) -> Result<(), String>;

    /// Sends a packet of reads and gives the words of its reply, as many as are asked for; otherwise says what came
    /// instead.
    fn ask(&mut self, packet: &Packet) -> Result<Vec<u32>, String>;

    /// Whether one packet may read words that do not follow each other. Some bridges read the words that follow the first
    /// address, whatever the other ones are: wishbone-tool's server does.
    fn reads_anywhere(&self) -> bool;

    /// What happened on the link.
    fn events(&self) -> LinkEvents {
        LinkEvents::default()
    }

    /// How the device is reached, for messages and records.
    fn link(&self) -> &str;
}

/// A bus over packets.
pub struct Etherbone<E> {
    exchange: E,
    asked: u32,
    opened: Instant,
}

impl<E: Exchange> Etherbone<E> {
    /// The bus at the other end of this exchange.
    pub fn over(exchange: E) -> Self {
        Etherbone { exchange, asked: 0, opened: Instant::now() }
    }
}

impl<E: Exchange> Bus for Etherbone<E> {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        let mut word = [0];
        self.read_each(&[address], &mut word)?;
        Ok(word[0])
    }

    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.write_run(address, &[word])
    }

    fn read_each(&mut self, addresses: &[u32], words: &mut [u32]) -> Result<(), BusError> {
        let mut left = words;
        let anywhere = self.exchange.reads_anywhere();
        let runs = addresses.chunk_by(|one, next| anywhere || one.wrapping_add(4) == *next);
        for addresses in runs.flat_map(|run| run.chunks(WORDS_AT_ONCE)) {
            let (words, rest) = left.split_at_mut(addresses.len());
            left = rest;
            self.asked = self.asked.wrapping_add(1);
            let packet = Packet { return_base: self.asked, reads: addresses.to_vec(), ..Packet::default() };
            let answer = self.exchange.ask(&packet).map_err(|reason| {
                BusError::on(self.exchange.link(), format!("read of {:#010x}: {reason}", addresses[0]))
            })?;
            words.copy_from_slice(&answer);
        }
        Ok(())
    }

    fn write_run(&mut self, address: u32, words: &[u32]) -> Result<(), BusError> {
        for (part, words) in words.chunks(WORDS_AT_ONCE).enumerate() {
            let base = address.wrapping_add((4 * WORDS_AT_ONCE * part) as u32);
            let packet = Packet { base, writes: words.to_vec(), ..Packet::default() };
            self.exchange
                .send(&packet)
                .map_err(|reason| BusError::on(self.exchange.link(), format!("write to {base:#010x}: {reason}")))?;
        }
        Ok(())
    }

    fn events(&self) -> LinkEvents {
        self.exchange.events()
    }

    fn elapsed(&self) -> Duration {
        self.opened.elapsed()
    }

    fn pause(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }

    fn link(&self) -> &str {
        self.exchange.link()
    }
}

/// What came instead of a reply of so many words.
fn other_number(wanted: usize, reply: &Packet) -> String {
    format!("expected a reply of {wanted} words, got one of {}", reply.writes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Remembers what is sent, and answers every address with itself; reads words anywhere, or as wishbone-tool's server
    /// does those that follow the first.
    #[derive(Default)]
    struct Remembered(Vec<Packet>, bool);

    impl Exchange for Remembered {
        fn send(&mut self, packet: &Packet) -> Result<(), String> {
            self.0.push(packet.clone());
            Ok(())
        }

        fn ask(&mut self, packet: &Packet) -> Result<Vec<u32>, String> {
            self.0.push(packet.clone());
            let follow = (packet.reads[0]..).step_by(4).take(packet.reads.len());
            Ok(if self.1 { packet.reads.clone() } else { follow.collect() })
        }

        fn reads_anywhere(&self) -> bool {
            self.1
        }

        fn link(&self) -> &str {
            "remembered"
        }
    }

    #[test]
    fn a_long_write_is_cut_into_packets_that_follow_each_other() {
        let mut bus = Etherbone::over(Remembered::default());
        let words: Vec<u32> = (100..119).collect();
        bus.write_run(0xF002_0000, &words).expect("it is sent");
        let sent = bus.exchange.0;
        // The smallest buffer that LiteEth is built with holds four words.
        assert!(sent.iter().all(|packet| packet.writes.len() <= 4 && packet.reads.is_empty()), "{sent:?}");
        let written: Vec<(u32, u32)> =
            sent.iter().flat_map(|packet| (packet.base..).step_by(4).zip(packet.writes.clone())).collect();
        let expected: Vec<(u32, u32)> = (0..19).map(|place| (0xF002_0000 + 4 * place, 100 + place)).collect();
        assert_eq!(written, expected);
    }

    #[test]
    fn every_read_has_a_number_of_its_own_and_its_words_are_in_their_order() {
        let mut bus = Etherbone::over(Remembered(Vec::new(), true));
        let addresses: Vec<u32> = (0..10).rev().map(|place| 4 * place).collect();
        let mut words = vec![0; addresses.len()];
        bus.read_each(&addresses, &mut words).expect("words");
        assert_eq!(words, addresses);
        let numbers: Vec<u32> = bus.exchange.0.iter().map(|packet| packet.return_base).collect();
        assert_eq!(numbers, [1, 2, 3]);
    }

    #[test]
    fn a_bridge_that_reads_words_that_follow_each_other_alone_is_asked_for_such_words() {
        let mut bus = Etherbone::over(Remembered::default());
        let addresses = [0x10, 0xC, 4, 8, 0xC, 0x10, 0x14, 0x18, 0x20];
        let mut words = [0; 9];
        bus.read_each(&addresses, &mut words).expect("words");
        assert_eq!(words, addresses);
        let asked: Vec<usize> = bus.exchange.0.iter().map(|packet| packet.reads.len()).collect();
        assert_eq!(asked, [1, 1, 4, 2, 1]);
    }
}
