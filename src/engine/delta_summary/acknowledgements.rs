//! What a replica's message acknowledges: deltas by their ids, and how far the replica has the log of its parent.
//!
//! Knows: messages. Must not: change anything.

use super::message::{Message, unframed};
use crate::engine::acknowledged::Acknowledged;

/// Adds the acknowledgements in this message to `acknowledged`. `registers` is the number of registers of a replica.
pub fn acknowledgements(frame: &[u8], registers: u32, acknowledged: &mut Acknowledged) {
    match unframed(frame).and_then(|(_, body)| Message::read(body, registers)) {
        Ok(Message::Taken(runs)) => {
            runs.iter().for_each(|&(actor, first, last)| acknowledged.operations(actor, first, last));
        }
        Ok(Message::Reached { log, position }) => acknowledged.position(log, position),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::delta_summary::state::State;
    use crate::engine::vector::{Actor, Ranges};

    fn hear(acknowledged: &mut Acknowledged, frame: &[u8], registers: u32) {
        acknowledgements(frame, registers, acknowledged);
    }

    fn kept(acknowledged: &Acknowledged, state: &State) -> bool {
        acknowledged.is_kept_by(state.ids())
    }

    fn framed(message: &Message) -> Vec<u8> {
        message.body().framed(7).0.bytes
    }

    fn actor(client: u32) -> Actor {
        Actor { client, incarnation: 1 }
    }

    #[test]
    fn acknowledged_deltas_are_kept_by_who_has_seen_them_all() {
        let mut acknowledged = Acknowledged::default();
        let mut state = State::new(3, 1, true);
        assert!(kept(&acknowledged, &state), "nothing was acknowledged");
        hear(&mut acknowledged, &framed(&Message::Taken(vec![(actor(1), 1, 2), (actor(2), 4, 4)])), 1);
        state.seen.insert(actor(1), 1, 2);
        assert!(!kept(&acknowledged, &state));
        state.seen.insert(actor(2), 4, 4);
        assert!(kept(&acknowledged, &state));
    }

    #[test]
    fn a_position_is_kept_by_who_has_reached_it_or_does_not_follow_that_log_any_more() {
        let mut acknowledged = Acknowledged::default();
        hear(&mut acknowledged, &framed(&Message::Reached { log: actor(9), position: 3 }), 1);
        let at = |cursor| kept(&acknowledged, &State { cursor, ..State::new(1, 1, false) });
        assert!(!at(Some((actor(9), Ranges::up_to(2)))));
        assert!(at(Some((actor(9), Ranges::up_to(3)))));
        assert!(at(Some((actor(8), Ranges::up_to(0)))) && at(None));
    }

    #[test]
    fn what_says_nothing_of_what_is_here_or_is_no_message_promises_nothing() {
        let mut acknowledged = Acknowledged::default();
        hear(&mut acknowledged, &framed(&Message::Fragments { id: 1, got: Ranges::default() }), 1);
        hear(&mut acknowledged, b"noise", 1);
        assert_eq!(acknowledged, Acknowledged::default());
    }
}
