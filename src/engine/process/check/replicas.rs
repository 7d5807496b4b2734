//! Steps that every engine is asked for: edits of counters that come to a neighbour once, over a line that loses, repeats and
//! ends.

use super::pair::{Pair, capabilities, fields, unequal};
use super::{Asked, Done, HUB, Trial};
use crate::domain::data::Intent;
use crate::engine::port::EngineError;

/// Messages at most after which those of the hub come late.
const MOST_LATE: usize = 10;

/// Edits in a row.
const MANY: i64 = 40;

/// The steps, in this order.
pub(super) const STEPS: &[Trial] = &[
    Trial {
        name: "a new replica shows the registers' start",
        advice: "answer 'views' with one entry a register: counters as decimal text, then stocks as objects with \"left\", tags as arrays of numbers, labels as objects with \"values\", records as objects with \"record\", texts as objects with \"text\", claims as objects with \"claim\", cases as objects with \"case\"",
        asked: Asked::Always,
        does: starts,
    },
    Trial {
        name: "an edit is accepted and shown",
        advice: "answer 'edit' with the effect {\"accept\": true} once the edit would survive a crash, and show it in 'views'",
        asked: Asked::Always,
        does: accepts,
    },
    Trial {
        name: "an edit comes to the other replica, and both fall silent",
        advice: "answer 'connected' with messages to the peer, or ask to be woken by 'wake_at'; stop once the peer has everything",
        asked: Asked::Always,
        does: falls_silent,
    },
    Trial {
        name: "what was sent has been acknowledged",
        advice: "lower 'backlog' to 0 once another replica has said that it has the edits",
        asked: Asked::Always,
        does: acknowledges,
    },
    Trial {
        name: "edits of both replicas are added up",
        advice: "a counter that the last writer overwrites loses edits: keep each replica's share, or the edits",
        asked: Asked::Always,
        does: adds_up,
    },
    Trial {
        name: "many edits in a row are all kept and sent",
        advice: "keep each edit that is accepted, and send all that the peer lacks, however many there are",
        asked: Asked::Always,
        does: keeps_many,
    },
    Trial {
        name: "a message that comes twice counts once",
        advice: "recognise what was taken before, by an id or a version; the worlds repeat messages",
        asked: Asked::Always,
        does: counts_once,
    },
    Trial {
        name: "a message that is lost is sent again",
        advice: "ask to be woken by 'wake_at' while an answer is missing, and send again; the worlds lose messages",
        asked: Asked::Always,
        does: sends_again,
    },
    Trial {
        name: "a connection that ends in the middle is no loss",
        advice: "forget what is on its way when 'disconnected' comes, and begin anew when 'connected' comes",
        asked: Asked::Always,
        does: survives_the_end_of_a_connection,
    },
    Trial {
        name: "a message of an earlier connection does no harm",
        advice: "take of a message what continues what is here, and nothing behind a gap; or know a message's connection, and answer {\"message\": \"stale\"}",
        asked: Asked::Always,
        does: ignores_an_earlier_connection,
    },
    Trial {
        name: "bytes that are no message do no harm",
        advice: "check what you decode, and answer {\"message\": \"damaged\"}; a message of an earlier connection is \"stale\"",
        asked: Asked::Always,
        does: ignores_junk,
    },
    Trial {
        name: "numbers at the ends of its range are kept exactly",
        advice: "declare in 'counters' the numbers that are kept exactly: languages with 64-bit floats lose whole numbers from 2^53 on",
        asked: Asked::Always,
        does: keeps_the_ends_of_its_range,
    },
];

fn starts(pair: &mut Pair) -> Result<Done, EngineError> {
    let start = fields(pair.engine).starts();
    let shown = pair.shows(0)?;
    Ok(if shown == start { Done::Yes(String::new()) } else { Done::No(unequal(&shown, &start)) })
}

fn accepts(pair: &mut Pair) -> Result<Done, EngineError> {
    pair.edit(0, 1, Intent::Increase(7))?;
    let accepted = pair.accepted;
    let shown = pair.counter(0, 1)?;
    let backlog = pair.nodes[0].backlog().unwrap_or(0);
    Ok(match (accepted, shown, backlog) {
        (0, ..) => Done::No("the edit was not accepted".to_owned()),
        (_, 12, 1) => Done::Yes(String::new()),
        (_, 12, _) => Done::Needs(
            format!("'backlog' is {backlog} after one edit that no other replica has"),
            "give in 'backlog' the number of edits of this replica's user that no other replica has acknowledged",
        ),
        (_, other, _) => Done::No(format!("the register started at 5, 7 was added, and it shows {other}")),
    })
}

fn falls_silent(pair: &mut Pair) -> Result<Done, EngineError> {
    pair.edit(0, 1, Intent::Increase(7))?;
    pair.connect()?;
    let messages = pair.talk(&[])?;
    match pair.both(1, 12, messages)? {
        Done::Yes(_) => {}
        other => return Ok(other),
    }
    pair.edit(HUB, 1, Intent::Increase(3))?;
    let more = pair.talk(&[])?;
    Ok(match pair.both(1, 15, more)? {
        Done::Yes(_) => Done::Yes(format!("{messages} messages, and {more} for an edit while they were connected")),
        Done::No(why) => Done::Needs(
            format!("of an edit of the hub while the two were connected: {why}"),
            "send an edit that is made while a peer is connected: in the answer to 'edit', or ask to be woken by 'wake_at'",
        ),
        other => other,
    })
}

fn acknowledges(pair: &mut Pair) -> Result<Done, EngineError> {
    pair.edit(0, 1, Intent::Increase(7))?;
    pair.connect()?;
    pair.talk(&[])?;
    let backlog = pair.nodes[0].backlog().unwrap_or(0);
    let why = format!("'backlog' is still {backlog} after both fell silent");
    Ok(if backlog == 0 { Done::Yes(String::new()) } else { Done::No(why) })
}

fn adds_up(pair: &mut Pair) -> Result<Done, EngineError> {
    // A counter that only grows is one, too: its range says so.
    let other = if capabilities(pair.engine).counters.min.0 < 0 { -3 } else { 3 };
    pair.edit(0, 1, Intent::Increase(7))?;
    pair.edit(HUB, 1, Intent::Increase(other))?;
    pair.connect()?;
    let messages = pair.talk(&[])?;
    pair.both(1, 12 + other, messages)
}

fn keeps_many(pair: &mut Pair) -> Result<Done, EngineError> {
    for _ in 0..MANY {
        pair.edit(0, 1, Intent::Increase(1))?;
    }
    let (accepted, shown) = (pair.accepted as i64, pair.counter(0, 1)?);
    if (accepted, shown) != (MANY, 5 + MANY) {
        return Ok(Done::No(format!(
            "of {MANY} edits that add 1, {accepted} were accepted, and their own replica shows {shown} rather than {}",
            5 + MANY
        )));
    }
    pair.connect()?;
    let messages = pair.talk(&[])?;
    pair.both(1, 5 + MANY, messages)
}

fn counts_once(pair: &mut Pair) -> Result<Done, EngineError> {
    pair.edit(0, 1, Intent::Increase(7))?;
    pair.connect()?;
    pair.times = 2;
    let messages = pair.talk(&[])?;
    pair.both(1, 12, messages)
}

fn sends_again(pair: &mut Pair) -> Result<Done, EngineError> {
    pair.edit(0, 1, Intent::Increase(7))?;
    pair.connect()?;
    let messages = pair.talk(&[0, 1, 3])?;
    pair.both(1, 12, messages)
}

fn survives_the_end_of_a_connection(pair: &mut Pair) -> Result<Done, EngineError> {
    pair.edit(0, 1, Intent::Increase(7))?;
    for messages in 0..4 {
        pair.connect()?;
        pair.deliver(messages)?;
        pair.disconnect()?;
    }
    pair.connect()?;
    let messages = pair.talk(&[])?;
    pair.both(1, 12, messages)
}

fn ignores_an_earlier_connection(pair: &mut Pair) -> Result<Done, EngineError> {
    pair.edit(HUB, 1, Intent::Increase(7))?;
    pair.connect()?;
    pair.talk(&[])?;
    pair.edit(HUB, 1, Intent::Increase(6))?;
    let mut late = Vec::new();
    pair.talk_with(MOST_LATE, |pair, message| {
        if message.from == HUB {
            late.push(message);
            return Ok(());
        }
        pair.arrives(&message).map(drop)
    })?;
    pair.disconnect()?;
    // What the hub knew of the client in that connection is so no more.
    pair.loses_its_store(0)?;
    pair.connect()?;
    for message in &late {
        pair.arrives(message)?;
    }
    let messages = pair.talk(&[])?;
    Ok(match pair.both(1, 18, messages)? {
        Done::Yes(_) => Done::Yes(format!("{} late messages", late.len())),
        Done::No(why) => {
            Done::No(format!("{} messages came late, to a client that had lost its store: {why}", late.len()))
        }
        other => other,
    })
}

fn ignores_junk(pair: &mut Pair) -> Result<Done, EngineError> {
    pair.edit(0, 1, Intent::Increase(7))?;
    pair.connect()?;
    for junk in [&b""[..], b"\0", b"{\"a\":1}", &[0xff; 64]] {
        pair.junk(junk)?;
    }
    let messages = pair.talk(&[])?;
    pair.both(1, 12, messages)
}

fn keeps_the_ends_of_its_range(pair: &mut Pair) -> Result<Done, EngineError> {
    let range = capabilities(pair.engine).counters;
    let (to_most, to_least) = (range.max.0.saturating_sub(5), range.min.0.saturating_add(5));
    // A counter that only grows is at its least at the start.
    let back = if range.min.0 < 0 { -1 } else { 0 };
    let ends = [5i64.wrapping_add(to_most) + back, 5i64.wrapping_add(to_least)];
    pair.edit(0, 0, Intent::Increase(to_most))?;
    if back != 0 {
        pair.edit(0, 0, Intent::Increase(back))?;
    }
    pair.edit(0, 1, Intent::Increase(to_least))?;
    pair.connect()?;
    let messages = pair.talk(&[])?;
    for (register, end) in (0..).zip(ends) {
        let shown = [pair.counter(0, register)?, pair.counter(HUB, register)?];
        if shown != [end; 2] {
            return Ok(Done::No(format!(
                "after {messages} messages the client shows {} and the hub {}; both should show {end}",
                shown[0], shown[1]
            )));
        }
    }
    Ok(Done::Yes(format!("from {} to {}", range.min.0, range.max.0)))
}
