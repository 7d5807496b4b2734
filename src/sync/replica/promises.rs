//! What a replica has acknowledged, and must therefore still have after any crash: deltas by their ids, and how far it has
//! the log of its parent.
//!
//! Knows: messages and states. Must not: be known by the replica itself, which is judged by it.

use super::message::{Message, unframed};
use super::state::State;
use crate::sync::vector::{Ranges, VersionVector};

/// What it has acknowledged since it was set up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Promises {
    deltas: VersionVector,
    /// Positions, by log.
    positions: VersionVector,
}

impl Promises {
    /// Adds what a message acknowledges that it sends, in a world with so many registers.
    pub fn hear(&mut self, frame: &[u8], registers: u32) {
        match unframed(frame).and_then(|(_, body)| Message::read(body, registers)) {
            Ok(Message::Taken(runs)) => {
                runs.iter().for_each(|&(actor, first, last)| self.deltas.insert(actor, first, last));
            }
            Ok(Message::Reached { log, position }) => self.positions.insert(log, 1, position),
            _ => {}
        }
    }

    /// Whether it has all of that. A position says nothing once its log is not followed any more: the parent did not know it
    /// either, and sends all that it has.
    pub fn kept_by(&self, state: &State) -> bool {
        let reached =
            |(log, positions): (_, &Ranges)| state.cursor_in(log).is_none_or(|(_, ranges)| ranges.covers(positions));
        self.positions.iter().all(reached) && state.seen.covers(&self.deltas)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sync::vector::Actor;

    fn framed(message: &Message) -> Vec<u8> {
        message.body().framed(7).0.bytes
    }

    fn actor(client: u32) -> Actor {
        Actor { client, incarnation: 1 }
    }

    #[test]
    fn acknowledged_deltas_are_kept_by_who_has_seen_them_all() {
        let mut promises = Promises::default();
        let mut state = State::new(3, 1, true);
        assert!(promises.kept_by(&state), "nothing was acknowledged");
        promises.hear(&framed(&Message::Taken(vec![(actor(1), 1, 2), (actor(2), 4, 4)])), 1);
        state.seen.insert(actor(1), 1, 2);
        assert!(!promises.kept_by(&state));
        state.seen.insert(actor(2), 4, 4);
        assert!(promises.kept_by(&state));
    }

    #[test]
    fn a_position_is_kept_by_who_has_reached_it_or_does_not_follow_that_log_any_more() {
        let mut promises = Promises::default();
        promises.hear(&framed(&Message::Reached { log: actor(9), position: 3 }), 1);
        let at = |cursor| promises.kept_by(&State { cursor, ..State::new(1, 1, false) });
        assert!(!at(Some((actor(9), Ranges::up_to(2)))));
        assert!(at(Some((actor(9), Ranges::up_to(3)))));
        assert!(at(Some((actor(8), Ranges::up_to(0)))) && at(None));
    }

    #[test]
    fn what_says_nothing_of_what_is_here_or_is_no_message_promises_nothing() {
        let mut promises = Promises::default();
        promises.hear(&framed(&Message::Pieces { id: 1, got: Ranges::default() }), 1);
        promises.hear(b"noise", 1);
        assert_eq!(promises, Promises::default());
    }
}
