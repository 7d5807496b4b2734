//! Steps about stores: what is accepted is in one, where the engine says that it is, and an empty one is a new beginning.

use super::pair::{Pair, capabilities};
use super::{Asked, Done, HUB, Trial};
use crate::domain::data::Intent;
use crate::engine::port::EngineError;
use crate::engine::process::protocol::Storage;

/// The most effects of one edit after each of which the power fails.
const MOST_EFFECTS: u32 = 64;

/// The steps, in this order.
pub(super) const STEPS: &[Trial] = &[
    Trial {
        name: "an edit survives a power failure as soon as it is accepted",
        advice: "write before you accept: {\"append\": …}, {\"sync\": true}, then {\"accept\": true}, in this order; or sync your own files before you answer",
        asked: Asked::Always,
        does: survives_once_accepted,
    },
    Trial {
        name: "an accepted edit survives a power failure, and so does what came from others",
        advice: "write what a message brought before you answer it, as you write an edit before you accept it: {\"append\": …}, {\"sync\": true}, then the message that acknowledges it; or sync your own files; and load all of it at 'start'",
        asked: Asked::Always,
        does: survives_a_power_failure,
    },
    Trial {
        name: "what it keeps is where it says",
        advice: "declare the 'store' that you use: 'journal' for 'append', 'sync' and 'replace'; 'memory' for an image by 'replace' alone, before each 'accept'; 'files' for what you write into 'folder' of 'start', which is also the current folder",
        asked: Asked::Always,
        does: keeps_where_it_says,
    },
    Trial {
        name: "a replica that lost its store is not taken for its former self",
        advice: "take the id of a replica from 'fresh' of 'start', or make one and keep it in the store; an id from 'node' comes again with other edits",
        asked: Asked::Always,
        does: begins_anew_without_its_store,
    },
];

/// The power fails after the first effect, the second, and so on, up to the one that accepts the edit.
fn survives_once_accepted(pair: &mut Pair) -> Result<Done, EngineError> {
    for effects in 1..=MOST_EFFECTS {
        pair.fails_after(0, effects);
        pair.edit(0, 1, Intent::Increase(7))?;
        let is_accepted = pair.accepted > 0;
        pair.power_fails(0)?;
        if is_accepted {
            let shown = pair.counter(0, 1)?;
            let why = format!(
                "its power failed after effect {effects} of its answer, 'accept': it shows {shown} rather than 12 after it \
                 started again"
            );
            return Ok(if shown == 12 { Done::Yes(String::new()) } else { Done::No(why) });
        }
        pair.loses_its_store(0)?;
    }
    Ok(Done::No(format!("the edit was not accepted within {MOST_EFFECTS} effects")))
}

fn survives_a_power_failure(pair: &mut Pair) -> Result<Done, EngineError> {
    pair.edit(0, 1, Intent::Increase(7))?;
    pair.connect()?;
    pair.talk(&[])?;
    pair.disconnect()?;
    pair.edit(0, 0, Intent::Increase(1))?;
    for node in [0, HUB] {
        pair.power_fails(node)?;
    }
    let shown = [pair.counter(0, 1)?, pair.counter(HUB, 1)?, pair.counter(0, 0)?];
    let why = format!(
        "after both started again the client shows {} of its 12 and {} of its 6, and the hub {} of the client's 12",
        shown[0], shown[2], shown[1]
    );
    if shown != [12, 12, 6] {
        return Ok(Done::No(why));
    }
    pair.connect()?;
    let messages = pair.talk(&[])?;
    pair.both(0, 6, messages)
}

fn keeps_where_it_says(pair: &mut Pair) -> Result<Done, EngineError> {
    pair.edit(0, 1, Intent::Increase(7))?;
    let stored = pair.stored(0)?;
    let (image, entries) = (stored.image.map_or(0, |image| image.len()), stored.entries.len());
    let seen = format!("an image of {image} B, {entries} entries");
    let unlike = |store| Done::No(format!("it declares the store '{store}', and after an accepted edit has {seen}"));
    Ok(match capabilities(pair.engine).store {
        Storage::Journal if image + entries == 0 => unlike("journal"),
        Storage::Journal => Done::Yes(seen),
        Storage::Memory if image == 0 || entries > 0 => unlike("memory"),
        Storage::Memory => Done::Yes(seen),
        Storage::Files if image + entries > 0 => unlike("files"),
        Storage::Files => {
            let files = pair.nodes[0].files()?.unwrap_or_default();
            match files.values().map(Vec::len).sum::<usize>() {
                0 => Done::No(
                    "it declares the store 'files', and after an accepted edit its folder holds nothing".to_owned(),
                ),
                bytes => Done::Yes(format!("{} files, {bytes} B", files.len())),
            }
        }
    })
}

fn begins_anew_without_its_store(pair: &mut Pair) -> Result<Done, EngineError> {
    pair.edit(0, 1, Intent::Increase(7))?;
    pair.connect()?;
    pair.talk(&[])?;
    pair.disconnect()?;
    pair.loses_its_store(0)?;
    pair.edit(0, 1, Intent::Increase(6))?;
    pair.connect()?;
    let messages = pair.talk(&[])?;
    Ok(match pair.both(1, 18, messages)? {
        Done::No(why) => Done::No(format!("the client added 7, lost its store, and added 6: {why}")),
        other => other,
    })
}
