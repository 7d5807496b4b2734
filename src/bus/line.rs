//! Questions and answers over a stream of bytes whose answers carry no number.
//!
//! Knows: what was sent since the last answer, and which answers may still come. Must not: know what the bytes mean.

use std::io;
use std::time::{Duration, Instant};

use crate::bus::MARGIN;
use crate::bus::stream::{ByteStream, SILENCE};
use crate::domain::link_events::LinkEvents;

/// Why a question got no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// Fewer bytes than expected came in time, and then silence: what is asked again may be answered.
    Short {
        /// How many came.
        got: usize,
        /// How long they were waited for.
        waited: Duration,
    },
    /// Bytes came after the deadline, or a line that should be silent is not: nothing that comes can be trusted to be
    /// the answer to what is asked next.
    OutOfStep(String),
    /// The link is broken.
    Broken(io::Error),
}

impl From<io::Error> for NoAnswer {
    fn from(error: io::Error) -> Self {
        NoAnswer::Broken(error)
    }
}

/// A stream of bytes on which some of what is sent is answered, in order, and the rest is not acknowledged.
pub struct Line {
    stream: Box<dyn ByteStream>,
    /// Bytes sent since the last answer: they are on the line before the next question is.
    unanswered: usize,
    /// When the question was asked whose answer was given up, if none came since.
    given_up: Option<Instant>,
    /// Until when a second answer to a question that was asked again may still come.
    twin_until: Option<Instant>,
    events: LinkEvents,
}

impl Line {
    /// A line on which nothing was said yet.
    pub fn over(stream: Box<dyn ByteStream>) -> Self {
        Line { stream, unanswered: 0, given_up: None, twin_until: None, events: LinkEvents::default() }
    }

    /// How the far end is reached.
    pub fn link(&self) -> &str {
        self.stream.link()
    }

    /// What came that nobody had asked for.
    pub fn events(&self) -> &LinkEvents {
        &self.events
    }

    /// How long so many bytes take on it.
    pub fn line_time(&self, bytes: usize) -> Duration {
        self.stream.line_time(bytes)
    }

    /// Sends what is not answered.
    pub fn tell(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.unanswered = self.unanswered.saturating_add(bytes.len());
        self.stream.send(bytes)
    }

    /// Sends a question and waits for an answer of exactly this many bytes; what is left of an earlier answer is thrown
    /// away first. After an answer that fell short, the line has been quiet for long enough that the far end has
    /// forgotten a half question.
    pub fn ask(&mut self, question: &[u8], answer: &mut [u8]) -> Result<(), NoAnswer> {
        self.let_twin_pass()?;
        let mut unasked = [0; 64];
        let some = self.stream.receive(&mut unasked, Duration::ZERO)?;
        if some > 0 {
            self.events.unasked(&unasked[..some]);
            self.fall_silent()?;
        }
        self.tell(question)?;
        let patience = self.stream.line_time(self.unanswered.saturating_add(answer.len())) + MARGIN;
        let (asked, wanted) = (self.stream.now(), answer.len());
        let mut got = 0;
        while got < wanted {
            let left = patience.saturating_sub(self.since(asked));
            if left.is_zero() {
                // As long again: an answer that comes now would be taken for that to the next question.
                let late = self.stream.receive(&mut [0; 64], patience)?;
                if late > 0 {
                    let after = self.since(asked);
                    return Err(NoAnswer::OutOfStep(format!(
                        "the answer came late: {got} of {wanted} bytes within {patience:.1?}, and more after {after:.1?}"
                    )));
                }
                self.given_up.get_or_insert(asked);
                // In so long a silence the line has carried all that was sent.
                self.unanswered = 0;
                return Err(NoAnswer::Short { got, waited: patience });
            }
            got += self.stream.receive(&mut answer[got..], left)?;
        }
        self.unanswered = 0;
        if let Some(first) = self.given_up.take() {
            // This may have been the answer to the first asking. A far end that is always so late answers the second one
            // as long after it as the second was asked after the first.
            let apart = asked.saturating_duration_since(first);
            self.twin_until = Some(self.stream.now() + apart + patience);
        }
        Ok(())
    }

    fn since(&self, start: Instant) -> Duration {
        self.stream.now().saturating_duration_since(start)
    }

    /// Waits for as long as a second answer to the last question may still come, and throws it away.
    fn let_twin_pass(&mut self) -> Result<(), NoAnswer> {
        let Some(until) = self.twin_until.take() else { return Ok(()) };
        loop {
            let left = until.saturating_duration_since(self.stream.now());
            if left.is_zero() {
                return Ok(());
            }
            if self.stream.receive(&mut [0; 64], left)? > 0 {
                return self.fall_silent();
            }
        }
    }

    /// Throws away what comes until nothing has come for [`SILENCE`].
    fn fall_silent(&mut self) -> Result<(), NoAnswer> {
        let (start, mut thrown, mut unasked) = (self.stream.now(), 0, [0; 256]);
        while self.since(start) < MARGIN {
            match self.stream.receive(&mut unasked, SILENCE)? {
                0 => return Ok(()),
                some => {
                    thrown += some;
                    self.events.unasked(&unasked[..some]);
                }
            }
        }
        Err(NoAnswer::OutOfStep(format!("the line does not fall silent: {thrown} bytes came that nobody asked for")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// What asks for nothing.
    const WRITE: u8 = 0;

    /// A far end that answers each byte but [`WRITE`] with itself, over a line of a pace; time passes as it is waited for.
    struct Paced {
        now: Instant,
        byte_time: Duration,
        /// How long after its question each answer comes.
        latency: Duration,
        /// When the line has carried all that was sent.
        free: Instant,
        /// When each byte of an answer comes.
        coming: VecDeque<(Instant, u8)>,
    }

    impl Paced {
        fn line(byte_time: Duration, latency: Duration) -> Line {
            let now = Instant::now();
            Line::over(Box::new(Paced { now, byte_time, latency, free: now, coming: VecDeque::new() }))
        }
    }

    impl ByteStream for Paced {
        fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
            for &byte in bytes {
                self.free = self.free.max(self.now) + self.byte_time;
                if byte != WRITE {
                    self.coming.push_back((self.free + self.latency + self.byte_time, byte));
                }
            }
            Ok(())
        }

        fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<usize> {
            let until = self.now + patience;
            match self.coming.front() {
                Some(&(at, byte)) if at <= until => {
                    self.now = self.now.max(at);
                    buffer[0] = byte;
                    self.coming.pop_front();
                    Ok(1)
                }
                _ => {
                    self.now = until;
                    Ok(0)
                }
            }
        }

        fn line_time(&self, bytes: usize) -> Duration {
            self.byte_time * bytes as u32
        }

        fn now(&self) -> Instant {
            self.now
        }

        fn link(&self) -> &str {
            "paced"
        }
    }

    fn answer(line: &mut Line, question: u8) -> Result<u8, NoAnswer> {
        let mut word = [0];
        line.ask(&[question], &mut word).map(|()| word[0])
    }

    #[test]
    fn an_answer_is_waited_for_as_long_as_the_line_needs_and_a_margin() {
        let mut line = Paced::line(Duration::from_millis(10), Duration::from_secs(3600));
        let Err(NoAnswer::Short { got, waited }) = line.ask(&[1; 6], &mut [0; 4]) else { panic!("no answer") };
        assert_eq!((got, waited), (0, MARGIN + Duration::from_millis(100)));
    }

    #[test]
    fn writes_that_are_still_on_the_line_are_waited_for_before_the_answer_is() {
        // 256 deltas of nine bytes at 9600 baud take 2.4 s; a second time, for what was answered counts no more.
        let mut line = Paced::line(Duration::from_micros(1042), Duration::ZERO);
        for question in [7, 8] {
            line.tell(&[WRITE; 2304]).expect("it is sent");
            assert_eq!(answer(&mut line, question).expect("the first asking is answered"), question);
        }
        let Err(NoAnswer::Short { waited, .. }) = line.ask(&[WRITE], &mut [0]) else { panic!("no answer") };
        assert!(waited < 2 * MARGIN, "{waited:?}");
    }

    #[test]
    fn the_second_answer_to_a_question_that_was_asked_again_is_not_taken_for_the_next_one() {
        for latency in [2050, 2500, 2950] {
            let mut line = Paced::line(Duration::ZERO, Duration::from_millis(latency));
            for question in [7, 8, 9] {
                let first = answer(&mut line, question);
                assert!(matches!(first, Err(NoAnswer::Short { .. })), "{latency}: {first:?}");
                assert_eq!(answer(&mut line, question).expect("an answer"), question, "{latency}");
            }
        }
    }

    #[test]
    fn a_line_that_had_noise_is_asked_once_it_was_quiet_for_longer_than_a_far_end_remembers() {
        // Noise with pauses of 110 ms, the last at 330 ms: a far end forgets what is half said after 100 ms.
        let (start, milliseconds) = (Instant::now(), Duration::from_millis);
        let coming = [0, 110, 220, 330].map(|at| (start + milliseconds(at), 0xAA));
        let mut line = Line::over(Box::new(Paced {
            now: start,
            byte_time: Duration::ZERO,
            latency: Duration::ZERO,
            free: start,
            coming: coming.into(),
        }));
        assert_eq!(answer(&mut line, 7).expect("an answer"), 7);
        let quiet = line.since(start) - milliseconds(330);
        assert!((milliseconds(110)..=milliseconds(200)).contains(&quiet), "{quiet:?}");
    }

    #[test]
    fn a_question_that_was_lost_is_asked_again_and_has_no_second_answer() {
        let mut line = Paced::line(Duration::ZERO, Duration::ZERO);
        assert!(matches!(line.ask(&[WRITE], &mut [0]), Err(NoAnswer::Short { .. })));
        for question in [7, 8] {
            assert_eq!(answer(&mut line, question).expect("an answer"), question);
        }
    }
}
