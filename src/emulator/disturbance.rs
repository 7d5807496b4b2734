//! What an emulator does wrong on purpose, on the link or at the registers: so that a client can be seen to notice.
//!
//! What is left to chance is drawn from the emulator's seed, so that the same questions meet the same disturbances.

use std::fmt;
use std::mem;
use std::str::FromStr;
use std::time::Duration;

use crate::domain::hex::Hex64;
use crate::domain::nearest::meant_form;
use crate::domain::seed::{Seed, Stream};

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// Every answer is sent so many milliseconds late.
    Delay(u32),
    /// Of every byte, either way, one in N is lost; over UDP, of every datagram.
    Lose(u32),
    /// Of every byte, either way, one in N has a bit inverted.
    Flip(u32),
    /// After N answers no more are sent.
    Silence(u32),
    /// After N answers the link is closed.
    Disconnect(u32),
    /// After N words every word that is read is a random one.
    Garbage(u32),
    /// Over UDP the buffer is N words deep, as LiteEth's is: what it cannot hold is answered without end, or stalls it.
    LiteEthDepth(u32),
    /// After every N answers over UARTBone a line of console text comes.
    Console(u32),
    /// The bench engine's status register reads so, and the serial protocol's reference.
    Identity(u32),
    /// The bench engine stays busy once it is started.
    EngineStaysBusy,
    /// The adapter stays busy once it was given a command.
    AdapterStaysBusy,
    /// The bench engine says done as soon as it is started, and does nothing.
    DoneAtOnce,
}

/// A kind of disturbance, for lists.
pub struct Entry {
    /// As `--disturb` takes it.
    pub form: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
}

/// All kinds.
pub const DISTURBANCES: &[Entry] = &[
    Entry { form: "delay:MS", about: "every answer is sent MS milliseconds late, 1 to 60000" },
    Entry { form: "lose:N", about: "one byte in N is lost, either way; over UDP, one datagram in N" },
    Entry { form: "flip:N", about: "one byte in N has a bit inverted, either way" },
    Entry { form: "silence:N", about: "after N answers no more are sent" },
    Entry { form: "disconnect:N", about: "after N answers the link is closed" },
    Entry { form: "garbage:N", about: "after N words every word that is read is a random one" },
    Entry {
        form: "liteeth-depth:N",
        about: "over UDP the buffer is a LiteEth's of N words (LiteX: 16, LiteEth: 4): what is longer is answered 1000 times, or stalls it",
    },
    Entry { form: "console:N", about: "after every N answers over UARTBone a line of console text comes, 1 or more" },
    Entry {
        form: "identity:WORD",
        about: "the bench engine's status register, and D over serial, read WORD, hexadecimal",
    },
    Entry { form: "engine-stays-busy", about: "the bench engine stays busy once it is started" },
    Entry { form: "adapter-stays-busy", about: "the adapter stays busy once it was given a command" },
    Entry { form: "done-at-once", about: "the bench engine says done as soon as it is started, and does nothing" },
];

/// The longest delay, in milliseconds.
const LONGEST_DELAY: u32 = 60_000;

/// What a console says.
const CONSOLE_TEXT: &[u8] = b"[   12.345678] random: crng init done\r\n";

/// Why a text is not a disturbance.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a disturbance{meant}; allowed are {forms}, MS from 1 to {LONGEST_DELAY} (0 would delay nothing), N from 0, or \
     from 1 for lose, flip and console, and from 1 to 256 for liteeth-depth",
    meant = meant_form(.0, DISTURBANCES.iter().map(|entry| entry.form)),
    forms = forms()
)]
pub struct DisturbanceError(String);

fn forms() -> String {
    DISTURBANCES.iter().map(|entry| entry.form).collect::<Vec<_>>().join(", ")
}

impl Disturbance {
    /// The link that it is about, if it is about one kind alone: one that is served there is needed.
    pub fn needs(self) -> Option<&'static str> {
        match self {
            Disturbance::LiteEthDepth(_) => Some("etherbone:udp"),
            Disturbance::Console(_) => Some("uartbone"),
            _ => None,
        }
    }

    /// Whether it is about the bench engine alone.
    pub fn is_of_engine(self) -> bool {
        matches!(self, Disturbance::EngineStaysBusy | Disturbance::DoneAtOnce)
    }
}

/// Two of these that cannot both be, and why.
pub fn contradiction(disturbances: &[Disturbance]) -> Option<(Disturbance, Disturbance, &'static str)> {
    let mut pairs = disturbances
        .iter()
        .enumerate()
        .flat_map(|(place, &later)| disturbances[..place].iter().map(move |&earlier| (earlier, later)));
    pairs.find_map(|(one, other)| why_not_both(one, other).map(|why| (one, other, why)))
}

/// Why one of them would hide the other, if it would.
fn why_not_both(one: Disturbance, other: Disturbance) -> Option<&'static str> {
    use Disturbance::{Delay, Disconnect, Silence};
    if mem::discriminant(&one) == mem::discriminant(&other) {
        return Some("give each kind once");
    }
    match (one, other) {
        _ if one.is_of_engine() && other.is_of_engine() => Some("a run is over at once, or never; give one of them"),
        (Silence(_), Disconnect(_)) | (Disconnect(_), Silence(_)) => {
            Some("whichever ends the answers first hides the other; give one of them")
        }
        (Silence(0) | Disconnect(0), Delay(_)) | (Delay(_), Silence(0) | Disconnect(0)) => {
            Some("no answer would be left that could be late; let N be 1 or more, or give one of them")
        }
        _ => None,
    }
}

impl fmt::Display for Disturbance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Disturbance::Delay(milliseconds) => write!(f, "delay:{milliseconds}"),
            Disturbance::Lose(one_in) => write!(f, "lose:{one_in}"),
            Disturbance::Flip(one_in) => write!(f, "flip:{one_in}"),
            Disturbance::Silence(answers) => write!(f, "silence:{answers}"),
            Disturbance::Disconnect(answers) => write!(f, "disconnect:{answers}"),
            Disturbance::Garbage(words) => write!(f, "garbage:{words}"),
            Disturbance::LiteEthDepth(words) => write!(f, "liteeth-depth:{words}"),
            Disturbance::Console(answers) => write!(f, "console:{answers}"),
            Disturbance::Identity(word) => write!(f, "identity:{word:#010x}"),
            Disturbance::EngineStaysBusy => f.write_str("engine-stays-busy"),
            Disturbance::AdapterStaysBusy => f.write_str("adapter-stays-busy"),
            Disturbance::DoneAtOnce => f.write_str("done-at-once"),
        }
    }
}

impl FromStr for Disturbance {
    type Err = DisturbanceError;

    fn from_str(text: &str) -> Result<Self, DisturbanceError> {
        let refused = || DisturbanceError(text.to_owned());
        let number = |digits: &str, least: u32, most: u32| {
            digits.parse::<u32>().ok().filter(|number| (least..=most).contains(number)).ok_or_else(refused)
        };
        let (name, argument) = text.split_once(':').unwrap_or((text, ""));
        match (name, argument) {
            ("delay", milliseconds) => number(milliseconds, 1, LONGEST_DELAY).map(Disturbance::Delay),
            ("lose", one_in) => number(one_in, 1, u32::MAX).map(Disturbance::Lose),
            ("flip", one_in) => number(one_in, 1, u32::MAX).map(Disturbance::Flip),
            ("silence", answers) => number(answers, 0, u32::MAX).map(Disturbance::Silence),
            ("disconnect", answers) => number(answers, 0, u32::MAX).map(Disturbance::Disconnect),
            ("garbage", words) => number(words, 0, u32::MAX).map(Disturbance::Garbage),
            ("liteeth-depth", words) => number(words, 1, 256).map(Disturbance::LiteEthDepth),
            ("console", answers) => number(answers, 1, u32::MAX).map(Disturbance::Console),
            ("identity", word) => {
                let word: Result<Hex64, _> = word.parse();
                let word = word.ok().and_then(|word| u32::try_from(word.0).ok());
                word.map(Disturbance::Identity).ok_or_else(refused)
            }
            _ => match text {
                "engine-stays-busy" => Ok(Disturbance::EngineStaysBusy),
                "adapter-stays-busy" => Ok(Disturbance::AdapterStaysBusy),
                "done-at-once" => Ok(Disturbance::DoneAtOnce),
                _ => Err(refused()),
            },
        }
    }
}

/// What becomes of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// These bytes of it are sent, after this long.
    Sent(Vec<u8>, Duration),
    /// Nothing is sent.
    Swallowed,
    /// The link is closed.
    Closed,
}

/// The disturbances of one link.
#[derive(Clone)]
pub struct DisturbedLink {
    disturbances: Vec<Disturbance>,
    random: Stream,
    answers: u32,
}

impl DisturbedLink {
    /// Those of these that are about the link; the link with this number draws a stream of its own.
    pub fn new(disturbances: &[Disturbance], seed: Seed, number: u64) -> Self {
        DisturbedLink { disturbances: disturbances.to_vec(), random: seed.stream("link").member(number), answers: 0 }
    }

    /// What arrives of these bytes.
    pub fn passed(&mut self, bytes: &[u8]) -> Vec<u8> {
        let bytes: Vec<u8> = bytes.iter().copied().filter(|_| !self.is_lost()).collect();
        self.flipped(bytes)
    }

    /// The same for a datagram, which arrives whole or not at all.
    pub fn passed_whole(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        (!self.is_lost()).then(|| self.flipped(datagram.to_vec()))
    }

    /// What becomes of an answer that the far end sends.
    pub fn answered(&mut self, answer: &[u8], as_datagram: bool) -> Fate {
        let before = self.answers;
        self.answers = self.answers.saturating_add(1);
        let mut delay = 0;
        for &disturbance in &self.disturbances {
            match disturbance {
                Disturbance::Silence(answers) if before >= answers => return Fate::Swallowed,
                Disturbance::Disconnect(answers) if before >= answers => return Fate::Closed,
                Disturbance::Delay(milliseconds) => delay = milliseconds,
                _ => {}
            }
        }
        let passed = if as_datagram { self.passed_whole(answer) } else { Some(self.passed(answer)) };
        passed.map_or(Fate::Swallowed, |bytes| Fate::Sent(bytes, Duration::from_millis(delay.into())))
    }

    /// How many words the buffer of a LiteEth holds, where that is emulated.
    pub fn buffer_depth(&self) -> Option<u32> {
        self.disturbances.iter().find_map(|disturbance| match disturbance {
            Disturbance::LiteEthDepth(words) => Some(*words),
            _ => None,
        })
    }

    /// The text that a console sends after the last answer, if its time has come.
    pub fn console_text(&self) -> Option<&'static [u8]> {
        let every = self.disturbances.iter().find_map(|disturbance| match disturbance {
            Disturbance::Console(every) => Some(*every),
            _ => None,
        })?;
        (self.answers > 0 && self.answers.is_multiple_of(every)).then_some(CONSOLE_TEXT)
    }

    fn is_lost(&mut self) -> bool {
        let one_in = self.disturbances.iter().find_map(|disturbance| match disturbance {
            Disturbance::Lose(one_in) => Some(*one_in),
            _ => None,
        });
        one_in.is_some_and(|one_in| self.random.below(one_in.into()) == 0)
    }

    fn flipped(&mut self, mut bytes: Vec<u8>) -> Vec<u8> {
        let one_in = self.disturbances.iter().find_map(|disturbance| match disturbance {
            Disturbance::Flip(one_in) => Some(*one_in),
            _ => None,
        });
        let Some(one_in) = one_in else { return bytes };
        for byte in &mut bytes {
            if self.random.below(one_in.into()) == 0 {
                *byte ^= 1 << self.random.below(8);
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_disturbance_survives_its_text() {
        for (entry, text) in DISTURBANCES.iter().zip([
            "delay:250",
            "lose:1",
            "flip:1000",
            "silence:0",
            "disconnect:7",
            "garbage:3",
            "liteeth-depth:16",
            "console:5",
            "identity:0x00000000",
            "engine-stays-busy",
            "adapter-stays-busy",
            "done-at-once",
        ]) {
            let disturbance: Disturbance = text.parse().expect("a disturbance");
            assert_eq!(disturbance.to_string(), text);
            assert_eq!(entry.form.split(':').next(), text.split(':').next());
        }
    }

    #[test]
    fn the_seeds_that_tests_of_one_lost_byte_use_lose_one_and_no_more() {
        // More bytes than pass in any of those tests, which stand in `tests/cli/disturbed_links.rs`.
        for (seed, lost_place) in [(0x5C, 32_481), (0xBB, 77_578)] {
            let mut link = DisturbedLink::new(&[Disturbance::Lose(1_000_000)], Seed::new(seed), 0);
            let lost: Vec<u32> = (0..1_500_000).filter(|_| link.passed(&[0]).is_empty()).collect();
            assert_eq!(lost, [lost_place], "{seed:#x}");
        }
    }

    #[test]
    fn what_is_no_disturbance_is_refused_and_the_message_lists_what_is() {
        for text in [
            "",
            "lose",
            "lose:0",
            "delay:0",
            "delay:60001",
            "identity:x",
            "identity:123456789",
            "done-at-once:1",
            "noise:2",
        ] {
            let error = text.parse::<Disturbance>().expect_err(text);
            assert!(error.to_string().contains("engine-stays-busy"), "{error}");
        }
    }

    #[test]
    fn the_same_seed_disturbs_the_same_bytes_and_another_one_others() {
        let with = |seed, disturbances: &[Disturbance]| {
            DisturbedLink::new(disturbances, Seed::new(seed), 0).passed(&[0x55; 400])
        };
        let lossy = [Disturbance::Lose(10)];
        assert_eq!(with(1, &lossy), with(1, &lossy));
        assert!((320..400).contains(&with(1, &lossy).len()));
        let flipping = [Disturbance::Flip(10)];
        assert_ne!(with(1, &flipping), with(2, &flipping));
        let wrong = with(1, &flipping).iter().filter(|&&byte| byte != 0x55).count();
        assert!((10..80).contains(&wrong), "{wrong}");
        assert_eq!(with(1, &[]), [0x55; 400]);
    }

    #[test]
    fn one_kind_is_given_once_and_no_run_both_ends_at_once_and_never() {
        let found = |texts: &[&str]| {
            let parsed: Vec<Disturbance> = texts.iter().map(|text| text.parse().expect("a disturbance")).collect();
            contradiction(&parsed).map(|(one, other, _)| format!("{one} {other}"))
        };
        assert_eq!(found(&["lose:5", "flip:5", "lose:7"]).as_deref(), Some("lose:5 lose:7"));
        assert_eq!(found(&["delay:1", "delay:1"]).as_deref(), Some("delay:1 delay:1"));
        assert_eq!(found(&["done-at-once", "engine-stays-busy"]).as_deref(), Some("done-at-once engine-stays-busy"));
        assert_eq!(found(&["disconnect:40", "silence:30"]).as_deref(), Some("disconnect:40 silence:30"));
        assert_eq!(found(&["silence:0", "delay:5"]).as_deref(), Some("silence:0 delay:5"));
        assert_eq!(found(&["delay:5", "disconnect:1", "garbage:0"]), None);
        assert_eq!(found(&["engine-stays-busy", "adapter-stays-busy", "delay:1", "lose:9", "silence:3"]), None);
    }

    #[test]
    fn an_answer_is_disturbed_as_a_question_is() {
        let answered = |disturbance, as_datagram| {
            DisturbedLink::new(&[disturbance], Seed::new(1), 0).answered(&[0x55; 40], as_datagram)
        };
        for as_datagram in [false, true] {
            let Fate::Sent(flipped, _) = answered(Disturbance::Flip(1), as_datagram) else { panic!("it is sent") };
            assert!(flipped.iter().all(|byte| (byte ^ 0x55).is_power_of_two()), "{flipped:x?}");
        }
        assert_eq!(answered(Disturbance::Lose(1), false), Fate::Sent(Vec::new(), Duration::ZERO));
        assert_eq!(answered(Disturbance::Lose(1), true), Fate::Swallowed);
    }

    #[test]
    fn answers_end_where_they_are_said_to() {
        let mut link = DisturbedLink::new(&[Disturbance::Delay(5), Disturbance::Silence(1)], Seed::new(1), 0);
        assert_eq!(link.answered(&[1], false), Fate::Sent(vec![1], Duration::from_millis(5)));
        assert_eq!(link.answered(&[1], false), Fate::Swallowed);
        let mut link = DisturbedLink::new(&[Disturbance::Disconnect(0)], Seed::new(1), 0);
        assert_eq!(link.answered(&[1], true), Fate::Closed);
    }
}
