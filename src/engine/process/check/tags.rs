//! Steps for engines that carry tags.

use super::pair::{Pair, fields};
use super::{Asked, Done, HUB, Trial};
use crate::domain::data::{Concurrent, DataType, Intent, View};
use crate::engine::port::EngineError;

/// The steps, in this order.
pub(super) const STEPS: &[Trial] = &[
    Trial {
        name: "tags are added and removed, and a remove takes only what was seen",
        advice: "'insert' and 'remove' name an element of a tags register; show the elements in ascending order",
        asked: Asked::OfWhoCarries(DataType::Tags, "it carries no tags: 'tags' is not in its answer to 'hello'"),
        does: adds_and_removes,
    },
    Trial {
        name: "a remove takes nothing that its user did not see",
        advice: "accept a 'remove' of an element that this replica does not show, and keep and send nothing: an insert may be on its way",
        asked: Asked::OfWhoCarries(DataType::Tags, "it carries no tags: 'tags' is not in its answer to 'hello'"),
        does: removes_what_was_seen_alone,
    },
];

fn adds_and_removes(pair: &mut Pair) -> Result<Done, EngineError> {
    let tags = fields(pair.engine).first(DataType::Tags);
    pair.edit(0, tags, Intent::Insert(1))?;
    pair.edit(0, tags, Intent::Insert(2))?;
    pair.connect()?;
    pair.talk(&[])?;
    pair.disconnect()?;
    pair.edit(0, tags, Intent::Remove(1))?;
    pair.edit(HUB, tags, Intent::Insert(1))?;
    pair.connect()?;
    pair.talk(&[])?;
    let shown = [pair.view(0, tags)?, pair.view(HUB, tags)?];
    let stays = View::Tags([1, 2].into());
    let goes = View::Tags([2].into());
    Ok(match pair.engine.carries.tags.unwrap_or_default() {
        _ if shown[0] != shown[1] => Done::Needs(
            format!("after both fell silent the client shows {}, and the hub {}", shown[0], shown[1]),
            "decide between an insert and a remove at the same time by what both replicas know, and not by the order in which \
             they came; and send each until the peer has it",
        ),
        Concurrent::InsertWins if shown[0] != stays => Done::Needs(
            format!("it declares that an insert wins over a remove at the same time, and shows {}", shown[0]),
            "have a 'remove' take the inserts that its replica shows, and no other of the same element; or declare \
             \"tags\": \"either\"",
        ),
        _ if shown[0] != stays && shown[0] != goes => Done::No(format!(
            "elements 1 and 2 were inserted, then 1 removed and inserted at the same time: it shows {}",
            shown[0]
        )),
        _ => Done::Yes(format!("an insert and a remove at the same time: {}", shown[0])),
    })
}

fn removes_what_was_seen_alone(pair: &mut Pair) -> Result<Done, EngineError> {
    let tags = fields(pair.engine).first(DataType::Tags);
    // Whoever's id is greater: each of the two is once the one that removes.
    for (inserts, removes, element) in [(0, HUB, 1), (HUB, 0, 2)] {
        pair.edit(inserts, tags, Intent::Insert(element))?;
        pair.edit(removes, tags, Intent::Remove(element))?;
    }
    pair.connect()?;
    pair.talk(&[])?;
    let shown = [pair.view(0, tags)?, pair.view(HUB, tags)?];
    let both = View::Tags([1, 2].into());
    let why = || {
        format!(
            "elements 1 and 2 were inserted, and nobody who saw them removed them: it shows {}, {}",
            shown[0], shown[1]
        )
    };
    Ok(if shown.iter().all(|view| *view == both) { Done::Yes(String::new()) } else { Done::No(why()) })
}
