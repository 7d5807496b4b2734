//! Etherbone through a bridge, over a stream.
//!
//! TCP loses nothing, so a question without an answer is not asked again: the bridge is stuck, or the device behind it.
//! What the bridge is is not known, so that one packet reads words that follow each other: any bridge can do that.

use std::time::{Duration, Instant};

use crate::bus::etherbone::codec::{Decoder, Packet};
use crate::bus::etherbone::{Etherbone, Exchange, other_number};
use crate::bus::stream::{ByteStream, connect};
use crate::bus::{BusError, MARGIN};

/// The most bytes of a greeting or other noise before a reply.
const MOST_NOISE: usize = 4096;

/// How long a reply may take: the bridge has a link of its own to the device, whose rate is not known here.
const PATIENCE: Duration = MARGIN.checked_mul(2).expect("two seconds");

/// Why a reply did not come.
enum NoReply {
    /// So many bytes came in time, and none of them is one.
    InTime(usize),
    /// Something else.
    Other(String),
}

/// A connection to a bridge.
pub struct Tcp {
    stream: Box<dyn ByteStream>,
    decoder: Decoder,
    /// Whether a question was sent whose reply has not come.
    owed: bool,
}

/// The bus behind the bridge at this host and port.
pub fn open(host: &str, port: u16) -> Result<Etherbone<Tcp>, BusError> {
    Ok(Etherbone::over(Tcp::over(connect("etherbone", host, port)?)))
}

impl Tcp {
    /// A connection over this stream.
    pub fn over(stream: Box<dyn ByteStream>) -> Self {
        Tcp { stream, decoder: Decoder::default(), owed: false }
    }

    fn reply(&mut self, patience: Duration) -> Result<Packet, NoReply> {
        let (start, mut came, skipped) = (Instant::now(), 0, self.decoder.skipped());
        loop {
            if let Some(packet) = self.decoder.next_packet() {
                return Ok(packet);
            }
            let noise = self.decoder.skipped() - skipped;
            if noise > MOST_NOISE {
                let what = format!("expected a packet that begins with 4e6f1044, got {noise} bytes without one");
                return Err(NoReply::Other(what));
            }
            let left = patience.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(NoReply::InTime(came));
            }
            let mut buffer = [0; 2048];
            let got = self.stream.receive(&mut buffer, left).map_err(|error| NoReply::Other(error.to_string()))?;
            came += got;
            self.decoder.push(&buffer[..got]);
        }
    }
}

impl Exchange for Tcp {
    fn send(&mut self, packet: &Packet) -> Result<(), String> {
        self.stream.send(&packet.encode()).map_err(|error| error.to_string())
    }

    fn ask(&mut self, packet: &Packet) -> Result<Vec<u32>, String> {
        self.send(packet)?;
        self.owed = true;
        let start = Instant::now();
        let reply = match self.reply(PATIENCE) {
            Ok(reply) => reply,
            Err(NoReply::Other(what)) => return Err(what),
            Err(NoReply::InTime(came)) => {
                // As long again, to tell a bridge that is late from one that is stuck.
                let late = self.reply(PATIENCE).is_ok();
                self.owed = false;
                let after = start.elapsed();
                return Err(if late {
                    format!("expected a reply within {PATIENCE:.1?}, and it came late, after {after:.1?}")
                } else {
                    format!(
                        "expected a reply within {PATIENCE:.1?}, got {came} bytes that are none; a bridge that a client left \
                         with a reply pending answers nobody until it is started again"
                    )
                });
            }
        };
        self.owed = false;
        if reply.writes.len() != packet.reads.len() {
            return Err(other_number(packet.reads.len(), &reply));
        }
        Ok(reply.writes)
    }

    fn reads_anywhere(&self) -> bool {
        false
    }

    fn link(&self) -> &str {
        self.stream.link()
    }
}

impl Drop for Tcp {
    /// A client that leaves with a reply pending kills the thread of `litex_server` that holds its lock, and every
    /// later client hangs: whatever is owed is waited for once more.
    fn drop(&mut self) {
        if self.owed {
            let _ = self.reply(PATIENCE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::Bus;
    use std::cell::RefCell;
    use std::io;
    use std::rc::Rc;

    /// What a bridge sends, one after the other: bytes, or a wait that a signal ends with an error.
    type Sent = Rc<RefCell<Vec<Option<Vec<u8>>>>>;

    struct Bridge(Sent);

    impl ByteStream for Bridge {
        fn send(&mut self, _bytes: &[u8]) -> io::Result<()> {
            Ok(())
        }

        fn receive(&mut self, buffer: &mut [u8], _patience: Duration) -> io::Result<usize> {
            let mut sent = self.0.borrow_mut();
            if sent.is_empty() {
                return Ok(0);
            }
            let Some(bytes) = sent.remove(0) else { return Err(io::Error::other("it is late")) };
            buffer[..bytes.len()].copy_from_slice(&bytes);
            Ok(bytes.len())
        }

        fn line_time(&self, _bytes: usize) -> Duration {
            Duration::ZERO
        }

        fn link(&self) -> &str {
            "bridge"
        }
    }

    fn reply(number: u32) -> Option<Vec<u8>> {
        Some(Packet { base: number, writes: vec![7], ..Packet::default() }.encode())
    }

    fn bus(sent: &Sent) -> Etherbone<Tcp> {
        Etherbone::over(Tcp::over(Box::new(Bridge(Rc::clone(sent)))))
    }

    #[test]
    fn a_client_that_leaves_takes_the_reply_first_that_it_is_owed() {
        let sent: Sent = Rc::new(RefCell::new(vec![None, reply(1)]));
        let mut owed = bus(&sent);
        assert!(owed.read(0).expect_err("nothing came").to_string().ends_with("it is late"));
        assert_eq!(sent.borrow().len(), 1);
        drop(owed);
        assert!(sent.borrow().is_empty(), "the bridge has been heard to its end");
    }

    #[test]
    fn a_reply_of_more_words_than_were_asked_for_is_none() {
        let longer = Packet { base: 1, writes: vec![7, 8], ..Packet::default() }.encode();
        let sent: Sent = Rc::new(RefCell::new(vec![Some(longer)]));
        assert!(bus(&sent).read(0).is_err());
    }

    #[test]
    fn a_bridge_that_sends_noise_alone_is_given_up_before_its_time() {
        let sent: Sent = Rc::new(RefCell::new(vec![Some(vec![0xAA; 1024]); 100]));
        let mut noisy = bus(&sent);
        let failed = noisy.read(0).expect_err("no reply").to_string();
        assert!(failed.contains("expected a packet that begins with 4e6f1044, got "), "{failed}");
        assert!(sent.borrow().len() > 90, "after some 4096 bytes of it");
    }

    #[test]
    fn a_client_that_is_owed_nothing_leaves_at_once() {
        let sent: Sent = Rc::new(RefCell::new(vec![reply(1), None]));
        let mut paid = bus(&sent);
        assert_eq!(paid.read(0), Ok(7));
        drop(paid);
        assert_eq!(sent.borrow().len(), 1);
    }
}
