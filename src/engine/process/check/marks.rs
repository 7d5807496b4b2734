//! Steps about what an engine says beside its messages and views: worlds rely on it, and measure by it.

use super::pair::{Pair, capabilities, fields};
use super::{Asked, Done, HUB, Trial};
use crate::domain::data::{DataType, Intent};
use crate::engine::host::NodeId;
use crate::engine::port::{EngineError, Reception};

/// Messages that come back at most: an engine may send again at once.
const MOST_SENT_BACK: usize = 50;

/// By replica, the counter that its user edits, and by how much.
const OWN: [(u32, i64); 2] = [(1, 7), (0, 3)];

/// The steps, in this order.
pub(super) const STEPS: &[Trial] = &[
    Trial {
        name: "'revision' changes whenever what it shows changes",
        advice: "count every change of what 'views' shows, by edits and by messages; or leave 'revision' out: 'views' is then asked after every step",
        asked: Asked::Always,
        does: revises,
    },
    Trial {
        name: "a message without edits brings none, and one that comes back is no loss",
        advice: "say \"edits\": false only of messages that carry no edits; a node that takes no changes lets these pass",
        asked: Asked::Always,
        does: says_which_messages_carry_edits,
    },
    Trial {
        name: "who took a round has all that its sender had when the round began",
        advice: "set 'begins' where what is sent covers all that you have, and 'ends' on the message that completes it; leave both out of handshakes and of parts; or leave 'rounds' out of the answer to 'hello'",
        asked: Asked::Always,
        does: marks_its_rounds,
    },
];

fn revises(pair: &mut Pair) -> Result<Done, EngineError> {
    let Some(at_start) = pair.revision(0) else {
        return Ok(Done::NotAsked("it gives no 'revision': 'views' is asked after every step"));
    };
    let carried = [
        (DataType::Counter, Intent::Increase(7)),
        (DataType::Stock, Intent::Supply(1)),
        (DataType::Tags, Intent::Insert(1)),
        (DataType::Label, Intent::Write(1)),
        (DataType::Record, Intent::Create(1)),
        (DataType::Text, Intent::Type { after: None, letter: 'a'.into() }),
    ];
    let carried = carried.into_iter().filter(|&(data, _)| pair.engine.carries.has(data));
    let mut before = (at_start, pair.shows(0)?);
    for (data, intent) in carried.collect::<Vec<_>>() {
        pair.edit(0, fields(pair.engine).first(data), intent)?;
        let after = (pair.revision(0).unwrap_or_default(), pair.shows(0)?);
        if after.0 == before.0 && after.1 != before.1 {
            let (of, revision) = (data.plural(), after.0);
            return Ok(Done::No(format!(
                "an edit of one of the {of} changed what it shows, and 'revision' is {revision} before and after it"
            )));
        }
        before = after;
    }
    pair.connect()?;
    let mut before = (pair.revision(HUB).unwrap_or_default(), pair.shows(HUB)?);
    let mut unlike = None;
    pair.talk_with(super::MOST_MESSAGES, |pair, message| {
        pair.arrives(&message)?;
        let after = (pair.revision(HUB).unwrap_or_default(), pair.shows(HUB)?);
        if after.0 == before.0 && after.1 != before.1 {
            unlike.get_or_insert(after.0);
        }
        before = after;
        Ok(())
    })?;
    Ok(match unlike {
        None => Done::Yes(String::new()),
        Some(revision) => Done::No(format!(
            "a message changed what the hub shows, and its 'revision' is {revision} before and after the message"
        )),
    })
}

fn says_which_messages_carry_edits(pair: &mut Pair) -> Result<Done, EngineError> {
    pair.edit(0, 1, Intent::Increase(7))?;
    pair.connect()?;
    let [mut taken, mut back] = [0; 2];
    pair.talk_with(MOST_SENT_BACK, |pair, message| {
        if message.has_edits() {
            back += 1;
            return pair.comes_back(&message);
        }
        taken += 1;
        pair.arrives(&message).map(drop)
    })?;
    let shown = pair.counter(HUB, 1)?;
    if shown != 5 {
        return Ok(Done::No(format!(
            "the hub took the {taken} messages that are said to carry no edits, and shows {shown} rather than 5"
        )));
    }
    pair.disconnect()?;
    pair.connect()?;
    let messages = pair.talk(&[])?;
    Ok(match pair.both(1, 12, messages)? {
        Done::Yes(_) => Done::Yes(format!("{taken} without edits, {back} came back")),
        Done::No(why) => Done::Needs(
            format!("{back} messages came back, the two were connected anew, and {why}"),
            "keep an edit until the peer has acknowledged it: 'refused' says that a message was not taken",
        ),
        other => other,
    })
}

fn marks_its_rounds(pair: &mut Pair) -> Result<Done, EngineError> {
    if !capabilities(pair.engine).rounds {
        return Ok(Done::NotAsked("it marks no rounds: 'rounds' is not in its answer to 'hello'"));
    }
    let mut rounds = 0;
    // Once before they meet, and once while they are connected.
    for edits in 1..=2 {
        for (node, (register, amount)) in (0..).zip(OWN) {
            pair.edit(node, register, Intent::Increase(amount))?;
        }
        if edits == 1 {
            pair.connect()?;
        }
        let mut wrong = None;
        let mut complete = [0; 2];
        let messages = pair.talk_with(super::MOST_MESSAGES, |pair, message| {
            let reception = pair.arrives(&message)?;
            let Some(ends_with) = message.ends_with.filter(|_| reception == Reception::Taken) else { return Ok(()) };
            rounds += 1;
            let (from, to): (NodeId, NodeId) = (message.from, HUB - message.from);
            complete[from as usize] += usize::from(ends_with == edits);
            let (register, amount) = OWN[from as usize];
            let (shown, least) = (pair.counter(to, register)?, 5 + amount * ends_with as i64);
            if shown < least {
                wrong.get_or_insert((from, shown, least));
            }
            Ok(())
        })?;
        let name = |node| if node == HUB { "hub" } else { "client" };
        if let Some((from, shown, least)) = wrong {
            return Ok(Done::No(format!(
                "the {} took all messages up to one that ends a round, and shows {shown}; the {} showed {least} when that \
                 round began",
                name(HUB - from),
                name(from)
            )));
        }
        if let Some(from) = (0..=HUB).find(|&from| complete[from as usize] == 0) {
            return Ok(Done::No(format!(
                "of {messages} messages none ended a round that the {} began after its edit: nobody can tell when the edit \
                 has come",
                name(from)
            )));
        }
    }
    Ok(Done::Yes(format!("{rounds} rounds")))
}
