//! Steps for engines that carry texts.

use super::pair::{Pair, fields, unequal};
use super::{Asked, Done, HUB, Trial};
use crate::domain::data::{DataType, Intent, Runs, View};
use crate::domain::letter::Letter;
use crate::engine::host::NodeId;
use crate::engine::port::EngineError;

/// The steps, in this order.
pub(super) const STEPS: &[Trial] = &[Trial {
    name: "every letter is in its text once, where it was typed, until somebody erases it",
    advice: "'type' has a 'letter' and the letter that it comes 'after', null at the beginning; show a text as { \"text\": \"...\" }",
    asked: Asked::OfWhoCarries(DataType::Text, "it carries no texts: 'texts' is not in its answer to 'hello'"),
    does: keeps_letters,
}];

/// A user types letters: each after the one before, the first after one that is shown, or at the beginning.
fn types(pair: &mut Pair, node: NodeId, text: &str, after: Option<char>) -> Result<(), EngineError> {
    let register = fields(pair.engine).first(DataType::Text);
    let mut after = after.map(Letter::from);
    Letter::all_of(text)
        .into_iter()
        .try_for_each(|letter| pair.edit(node, register, Intent::Type { after: after.replace(letter), letter }))
}

/// What both show after they talked, if that is not this.
fn unlike(pair: &mut Pair, lost: &[usize], expected: &str) -> Result<Option<String>, EngineError> {
    let register = fields(pair.engine).first(DataType::Text);
    pair.talk(lost)?;
    let (shown, expected) =
        ([pair.view(0, register)?, pair.view(HUB, register)?], View::Text(Letter::all_of(expected)));
    let is_shown = shown.iter().all(|view| *view == expected);
    Ok(if is_shown { None } else { Some(unequal(&shown, &[expected])) })
}

fn keeps_letters(pair: &mut Pair) -> Result<Done, EngineError> {
    let register = fields(pair.engine).first(DataType::Text);
    let erase = |letter: char| Intent::Erase(letter.into());
    types(pair, 0, "ac", None)?;
    types(pair, 0, "b", Some('a'))?;
    pair.connect()?;
    if let Some(why) = unlike(pair, &[], "abc")? {
        return Ok(Done::No(why));
    }
    // Letters that are two code points, right to left, beyond 16 bits, combining, or quoted, and one with a mark.
    let others = "\u{5d0}\u{1f600}e\u{301}\"\\\nb\u{E0100}";
    types(pair, HUB, others, Some('c'))?;
    if let Some(why) = unlike(pair, &[], &format!("abc{others}"))? {
        return Ok(Done::Needs(
            format!("letters of several scripts were typed: {why}"),
            "keep and show the code points of each letter as they are: count no bytes or halves of them, and compose none",
        ));
    }
    let rest = &others[2..others.len() - "\nb\u{E0100}".len()];
    for letter in Letter::all_of("\u{5d0}\nb\u{E0100}") {
        pair.edit(0, register, Intent::Erase(letter))?;
    }
    if pair.nodes[0].backlog() == Some(0) {
        return Ok(Done::Needs(
            "an erase that no other replica has is not in its backlog".to_owned(),
            "count erases in 'backlog', too: the edits of this replica's user that no other replica has acknowledged",
        ));
    }
    if let Some(why) = unlike(pair, &[0], &format!("abc{rest}"))? {
        return Ok(Done::Needs(
            format!("letters were erased, and the first message after that was lost: {why}"),
            "have 'erase' take this one letter, with its mark, out of the text, and send it until the peer has it",
        ));
    }
    // Erased where another types after it at the same time.
    pair.disconnect()?;
    pair.edit(0, register, erase('b'))?;
    types(pair, HUB, "x", Some('b'))?;
    pair.connect()?;
    if let Some(why) = unlike(pair, &[], &format!("axc{rest}"))? {
        return Ok(Done::Needs(
            format!("'b' was erased while another user typed 'x' after it: {why}"),
            "keep the place of an erased letter: others may type beside it",
        ));
    }
    // Two runs at one place, forward, and then backward.
    pair.disconnect()?;
    types(pair, 0, "lm", Some('a'))?;
    types(pair, HUB, "pq", Some('a'))?;
    pair.connect()?;
    pair.talk(&[])?;
    pair.disconnect()?;
    for (node, letters) in [(0, ['s', 'r']), (HUB, ['v', 'u'])] {
        letters.iter().try_for_each(|&letter| types(pair, node, &letter.to_string(), None))?;
    }
    pair.connect()?;
    pair.talk(&[])?;
    let shown = [pair.view(0, register)?, pair.view(HUB, register)?];
    let text = Letter::text(shown[0].letters().unwrap_or(&[]));
    let runs = pair.engine.carries.texts.unwrap_or_default();
    let is_whole = |run: &str| text.contains(run);
    let is_declared = match runs {
        Runs::BothWays => ["lm", "pq", "rs", "uv"].into_iter().all(is_whole),
        Runs::Forward => ["lm", "pq"].into_iter().all(is_whole),
        Runs::Mixed => true,
    };
    let is_once = |letter: char| text.chars().filter(|&there| there == letter).count() == 1;
    Ok(match () {
        () if shown[0] != shown[1] => Done::Needs(
            format!("of runs at one place the client shows {}, and the hub {}", shown[0], shown[1]),
            "decide between letters at one place by what both replicas know, and not by the order in which they came",
        ),
        () if !"lmpqrsuv".chars().all(is_once) => Done::Needs(
            format!("two users typed at one place, and {} is shown", shown[0]),
            "show every letter that anybody typed, once",
        ),
        () if !is_declared => Done::Needs(
            format!("it declares that runs {}, and shows {}", runs.told(), shown[0]),
            "declare in 'texts' what becomes of runs that are typed at one place at the same time",
        ),
        () => Done::Yes(format!("typed at one place at the same time: {}", shown[0])),
    })
}
