//! Steps for engines that carry cases.

use std::collections::BTreeSet;

use super::pair::{Pair, fields};
use super::{Asked, Done, HUB, Trial};
use crate::domain::data::{Case, Closing, DataType, Intent, Stage, View};
use crate::engine::port::EngineError;

const NONE: &str = "it carries no cases: 'cases' is not in its answer to 'hello'";

const ADVICE: &str = "'item' names the item that is done by its number, and 'close' is true; show a case as { \"case\": { \"stage\": \"closed\", \"done\": [0], \
                      \"refused\": [] } }, the stage being open, close-requested or closed";

/// The steps, in this order.
pub(super) const STEPS: &[Trial] = &[
    Trial {
        name: "a case is closed as declared, and what was shown as closed stays",
        advice: ADVICE,
        asked: Asked::OfWhoCarries(DataType::Case, NONE),
        does: closes_once,
    },
    Trial {
        name: "an item that comes after the close is refused and shown",
        advice: ADVICE,
        asked: Asked::OfWhoCarries(DataType::Case, NONE),
        does: refuses_what_comes_late,
    },
];

fn case(view: &View) -> Case {
    view.case().cloned().unwrap_or_default()
}

/// What both replicas show of the case.
fn both(pair: &Pair, register: u32) -> Result<[View; 2], EngineError> {
    Ok([pair.view(0, register)?, pair.view(HUB, register)?])
}

/// What is wrong with a case that everything has come to, and that was closed.
fn not_settled(shown: &[View; 2], items: &[u32]) -> Option<Done> {
    let closed = case(&shown[0]);
    let all: BTreeSet<u32> = closed.done.union(&closed.refused).copied().collect();
    match () {
        () if shown[0] != shown[1] => Some(Done::Needs(
            format!("of one case the client shows {}, and the hub {}", shown[0], shown[1]),
            "close at the hub alone, and send what it closed until the peer has it",
        )),
        () if closed.stage != Stage::Closed => Some(Done::Needs(
            format!("a request to close has come to the hub, and is shown as: {}", shown[0]),
            "have the hub close a case as soon as somebody's request arrives; the items that the hub has at that moment are in it",
        )),
        () if !all.iter().eq(items) => Some(Done::Needs(
            format!("items {items:?} were done, and this is shown: {}", shown[0]),
            "keep every item, and show those that do not count among the refused: their users must be told",
        )),
        () => None,
    }
}

fn closes_once(pair: &mut Pair) -> Result<Done, EngineError> {
    let register = fields(pair.engine).first(DataType::Case);
    let closing = pair.engine.carries.cases.unwrap_or_default();
    pair.edit(0, register, Intent::Do(1))?;
    pair.edit(0, register, Intent::Close)?;
    let alone = pair.view(0, register)?;
    pair.edit(HUB, register, Intent::Do(2))?;
    pair.connect()?;
    pair.talk(&[])?;
    let shown = both(pair, register)?;
    // Whoever does an item now is shown the case as closed: that means nothing.
    pair.edit(0, register, Intent::Do(3))?;
    pair.talk(&[])?;
    let after = both(pair, register)?;
    let asked = case(&alone);
    let declared = match closing {
        Closing::ByAuthority => Stage::CloseRequested,
        Closing::Shown => Stage::Closed,
    };
    Ok(match not_settled(&shown, &[1, 2]) {
        _ if asked.stage != declared || !asked.done.iter().eq(&[1]) => Done::Needs(
            format!("it declares to show a case as closed {}, and shows alone: {alone}", closing.told()),
            "declare in 'cases' when a case is shown as closed; until a hub has closed it, show the close as requested",
        ),
        Some(wrong) => wrong,
        None if asked.frozen().is_some_and(|done| *done != case(&shown[0]).done) => Done::Needs(
            format!("the client showed {alone}, and then {}", shown[0]),
            "what was shown as closed stays as it is: have one node close, and show nothing as closed before that",
        ),
        None if after != shown => Done::Needs(
            format!("item 3 was done where {} was shown: {}", shown[0], after[0]),
            "have 'item' change nothing where its replica shows the case as closed",
        ),
        None => Done::Yes(format!("a case: {}", shown[0])),
    })
}

fn refuses_what_comes_late(pair: &mut Pair) -> Result<Done, EngineError> {
    let register = fields(pair.engine).first(DataType::Case);
    pair.edit(HUB, register, Intent::Do(1))?;
    pair.edit(HUB, register, Intent::Close)?;
    let closed = pair.view(HUB, register)?;
    // The client has not heard of that.
    pair.edit(0, register, Intent::Do(2))?;
    pair.connect()?;
    pair.talk(&[])?;
    let shown = both(pair, register)?;
    Ok(match not_settled(&shown, &[1, 2]) {
        _ if case(&closed).stage != Stage::Closed => Done::Needs(
            format!("the hub was asked to close a case, and shows {closed}"),
            "have the node whose 'start' says that it decides close a case as soon as its own user asks",
        ),
        Some(wrong) => wrong,
        None if case(&closed).done != case(&shown[1]).done => Done::Needs(
            format!(
                "the hub showed {closed}, and once an item had come that was done elsewhere it showed {}",
                shown[1]
            ),
            "show an item that comes after the close among the refused, and leave what is closed as it is",
        ),
        None => Done::Yes(format!("a late item: {}", shown[0])),
    })
}
