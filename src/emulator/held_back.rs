//! Answers that are late on purpose, until their time has come.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::emulator::disturbance::Fate;

/// Once so many answers are held back on a link, nothing more is taken from it: what is asked then waits on the line.
pub const MOST_HELD: usize = 64;

/// What is to be done when its time has come, to a client that is told as `C` is.
pub enum Held<C> {
    /// These bytes are sent to this client.
    Send(Vec<u8>, C),
    /// The link is closed.
    Close,
}

/// Answers that are held back, the earliest first: all are equally late, and none overtakes another.
pub struct HeldBack<C>(VecDeque<(Instant, Held<C>)>);

impl<C> HeldBack<C> {
    /// None yet.
    pub fn new() -> Self {
        HeldBack(VecDeque::new())
    }

    /// Takes in what becomes of an answer to this client, which the line takes so long to carry.
    pub fn take(&mut self, fate: Fate, line: Duration, client: C) {
        // What ends the link comes after what was answered before it.
        let last = self.0.back().map_or_else(Instant::now, |(due, _)| *due);
        match fate {
            Fate::Sent(bytes, delay) => self.0.push_back((Instant::now() + line + delay, Held::Send(bytes, client))),
            Fate::Swallowed => {}
            Fate::Closed => self.0.push_back((last, Held::Close)),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no more are taken.
    pub fn is_full(&self) -> bool {
        self.len() >= MOST_HELD
    }

    /// When the time of the first has come.
    pub fn due(&self) -> Option<Instant> {
        self.0.front().map(|(due, _)| *due)
    }

    /// What is to be done now.
    pub fn next_due(&mut self, now: Instant) -> Option<Held<C>> {
        if self.due()? > now {
            return None;
        }
        self.0.pop_front().map(|(_, held)| held)
    }
}
