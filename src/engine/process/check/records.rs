//! Steps for engines that carry records.

use super::pair::{Pair, fields, unequal};
use super::{Asked, Done, HUB, Trial};
use crate::domain::data::{DataType, Deleted, Intent, Record, View};
use crate::engine::port::EngineError;

/// The steps, in this order.
pub(super) const STEPS: &[Trial] = &[Trial {
    name: "a record is there as a whole, or not at all",
    advice: "'create' gives a record's labels a value and those that follow it; show a record as { \"record\": { \"labels\": [[...]], \"tags\": [...] } }, and { \"record\": null } where there is none",
    asked: Asked::OfWhoCarries(DataType::Record, "it carries no records: 'records' is not in its answer to 'hello'"),
    does: is_whole_or_not_there,
}];

fn is_whole_or_not_there(pair: &mut Pair) -> Result<Done, EngineError> {
    let at = fields(pair.engine).first(DataType::Record);
    let record = |labels: [&[u64]; 2], tags: &[u32]| {
        let labels = labels.map(|values| values.iter().copied().collect()).to_vec();
        View::Record(Some(Box::new(Record { labels, tags: tags.iter().copied().collect() })))
    };
    let both_show = |pair: &mut Pair, expected: View| {
        pair.talk(&[])?;
        let shown = [pair.view(0, at)?, pair.view(HUB, at)?];
        let is_shown = shown.iter().all(|view| *view == expected);
        Ok::<_, EngineError>(if is_shown { None } else { Some(unequal(&shown, &[expected])) })
    };
    pair.edit(0, at, Intent::Create(10))?;
    pair.connect()?;
    if let Some(why) = both_show(pair, record([&[10], &[11]], &[]))? {
        return Ok(Done::No(why));
    }
    // Each field merges by its own type.
    pair.disconnect()?;
    pair.edit(0, at, Intent::Set { field: 0, value: 20 })?;
    pair.edit(0, at, Intent::Tag(1))?;
    pair.edit(HUB, at, Intent::Set { field: 1, value: 30 })?;
    pair.edit(HUB, at, Intent::Tag(2))?;
    pair.connect()?;
    if let Some(why) = both_show(pair, record([&[20], &[30]], &[1, 2]))? {
        return Ok(Done::Needs(
            format!("two fields were changed at the same time: {why}"),
            "merge each label and the tags of a record by themselves, and send each change until the peer has it",
        ));
    }
    pair.edit(0, at, Intent::Untag(2))?;
    if let Some(why) = both_show(pair, record([&[20], &[30]], &[1]))? {
        return Ok(Done::Needs(
            format!("a tag was removed: {why}"),
            "have 'untag' take an element that is shown out of the tags, and send it until the peer has it",
        ));
    }
    // Deleted, and created anew under the same key. The first message is lost.
    pair.edit(HUB, at, Intent::Delete)?;
    if pair.nodes[HUB as usize].backlog() == Some(0) {
        return Ok(Done::Needs(
            "a delete that no other replica has is not in its backlog".to_owned(),
            "count deletes in 'backlog', too: the edits of this replica's user that no other replica has acknowledged",
        ));
    }
    pair.talk(&[0])?;
    if let Some(why) = both_show(pair, View::Record(None))? {
        return Ok(Done::Needs(
            format!("it was deleted, and the first message after that was lost: {why}"),
            "have 'delete' take the record with all that its replica shows of it, and send it until the peer has it",
        ));
    }
    // Who shows no record changes none, and who shows one creates none.
    for intent in [Intent::Delete, Intent::Set { field: 0, value: 35 }, Intent::Tag(3), Intent::Untag(1)] {
        pair.edit(0, at, intent)?;
    }
    if let Some(why) = both_show(pair, View::Record(None))? {
        return Ok(Done::Needs(
            format!("no record was there, and a user changed it, which means nothing: {why}"),
            "have 'set', 'tag', 'untag' and 'delete' do nothing where the replica shows no record",
        ));
    }
    pair.edit(0, at, Intent::Create(40))?;
    if let Some(why) = both_show(pair, record([&[40], &[41]], &[]))? {
        return Ok(Done::Needs(
            format!("it was deleted and created again: {why}"),
            "have a 'create' after a 'delete' begin anew: no label and no tag of before comes back",
        ));
    }
    pair.edit(HUB, at, Intent::Create(45))?;
    if let Some(why) = both_show(pair, record([&[40], &[41]], &[]))? {
        return Ok(Done::Needs(
            format!("a record was there, and a user created it, which means nothing: {why}"),
            "have 'create' do nothing where the replica shows the record",
        ));
    }
    pair.disconnect()?;
    pair.edit(0, at, Intent::Delete)?;
    pair.edit(HUB, at, Intent::Set { field: 0, value: 50 })?;
    pair.connect()?;
    pair.talk(&[])?;
    let shown = [pair.view(0, at)?, pair.view(HUB, at)?];
    let (stays, goes) = (record([&[50], &[41]], &[]), View::Record(None));
    let deleted = pair.engine.carries.records.unwrap_or_default();
    let is_declared = match deleted {
        Deleted::EditWins => shown[0] == stays,
        Deleted::DeleteWins => shown[0] == goes,
        Deleted::Either => shown[0] == stays || shown[0] == goes,
    };
    if shown[0] != shown[1] {
        return Ok(Done::Needs(
            format!(
                "it was deleted and changed at the same time: the client shows {}, and the hub {}",
                shown[0], shown[1]
            ),
            "decide between a delete and a change at the same time by what both replicas know, and not by the order in which \
             they came; and send each until the peer has it",
        ));
    }
    if !is_declared {
        return Ok(Done::Needs(
            format!(
                "it declares that a record that is deleted and changed at the same time {}, and shows {}",
                deleted.told(),
                shown[0]
            ),
            "declare in 'records' what becomes of a record that is deleted and changed at the same time",
        ));
    }
    let seen = Done::Yes(format!("deleted and changed at the same time: {}", shown[0]));
    if deleted != Deleted::EditWins {
        return Ok(seen);
    }
    // A change belongs to the key, and not to what a create began and a delete ended.
    pair.disconnect()?;
    pair.edit(0, at, Intent::Delete)?;
    pair.edit(0, at, Intent::Create(60))?;
    pair.edit(HUB, at, Intent::Tag(3))?;
    pair.connect()?;
    Ok(match both_show(pair, record([&[60], &[61]], &[3]))? {
        None => seen,
        Some(why) => Done::Needs(
            format!("it was deleted and created again, and at the same time somebody added tag 3: {why}"),
            "keep a change that no delete had seen, though its record was deleted and created again meanwhile",
        ),
    })
}
