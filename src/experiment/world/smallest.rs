//! The smallest world in which an engine goes wrong, or the same world again: clients edit one register while they are
//! away, and then connect, one after the other, over sound links.

use crate::domain::case::Case;
use crate::domain::count::counted;
use crate::domain::data::{Element, Intent, View};
use crate::domain::evidence::Evidence;
use crate::domain::execution::Execution;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::history::{Fate, UserEdit};
use crate::domain::offline::{OfflineTrial, Presence, Tags};
use crate::domain::oracle::OracleId;
use crate::domain::subject::SubjectError;
use crate::domain::watch::Unwatched;
use crate::engine::Registration;
use crate::experiment::world::faultless::faultless_trial;
use crate::lab::{World, settings};
use crate::scenario::offline::SECOND;

/// The start of the register: 5, +1, +1 is the example that the field tells.
const START: i64 = 5;

/// The most edits that are tried, all clients together.
const MOST_EDITS: usize = 4;

/// What a counter should be, and what the first replica that is wrong shows, or else the hub.
pub fn shown(engine: &Registration, start: i64, clients: &[Vec<i64>]) -> Result<(u64, u64), SubjectError> {
    let trial = faultless_trial(clients.len() as u32, 1, start);
    let intents = |amounts: &Vec<i64>| amounts.iter().map(|&amount| Intent::Increase(amount)).collect();
    let expected = clients.iter().flatten().fold(start, |sum, &amount| sum.wrapping_add(amount)) as u64;
    let word = |view: &View| view.number().map(|number| number as u64);
    Ok((expected, first_other(engine, &trial, clients.iter().map(intents), expected, word)?))
}

/// The elements that a tags register should show, and those that the first replica shows that is wrong, or else the hub: a
/// bit for each.
pub fn shown_tags(engine: &Registration, clients: &[Vec<Element>]) -> Result<(u64, u64), SubjectError> {
    let tags = Tags { registers: 1, elements: u64::BITS, ..Tags::default() };
    let trial = OfflineTrial { tags, ..faultless_trial(clients.len() as u32, 0, 0) };
    let intents = |elements: &Vec<Element>| elements.iter().map(|&element| Intent::Insert(element)).collect();
    let bits = |elements: &mut dyn Iterator<Item = &Element>| elements.fold(0, |word, element| word | 1u64 << element);
    let expected = bits(&mut clients.iter().flatten());
    let word = |view: &View| view.tags().map(|tags| bits(&mut tags.iter()));
    Ok((expected, first_other(engine, &trial, clients.iter().map(intents), expected, word)?))
}

/// What the first replica shows that does not show this word; the word if there is none.
fn first_other(
    engine: &Registration,
    trial: &OfflineTrial,
    clients: impl Iterator<Item = Vec<Intent>>,
    expected: u64,
    word: impl Fn(&View) -> Option<u64>,
) -> Result<u64, SubjectError> {
    let trial = OfflineTrial { presence: Presence { lasts_s: 10, ..trial.presence.clone() }, ..trial.clone() };
    let user = |(place, intents): (u64, Vec<Intent>)| {
        let edit = |intent| UserEdit { at: SECOND + place * 1000, register: 0, intent, fate: Fate::Binding };
        intents.into_iter().map(edit).collect()
    };
    let users = (0..).zip(clients).map(user).collect();
    let world = World::new(&trial, engine, &settings(&trial, None));
    let outcome = world.and_then(|world| world.with_users(users).run(&mut Unwatched));
    let outcome = outcome.map_err(|error| SubjectError::Unavailable(error.to_string()))?;
    let words = outcome.history.ends.iter().filter_map(|end| word(&end.registers[0]));
    Ok(words.into_iter().find(|&word| word != expected).unwrap_or(expected))
}

/// All ways to share this many edits among clients, most first.
fn shares(edits: usize, most: usize) -> Vec<Vec<usize>> {
    if edits == 0 {
        return vec![Vec::new()];
    }
    let with = |first: usize| {
        let rest = shares(edits - first, first).into_iter();
        rest.map(move |rest| [vec![first], rest].concat())
    };
    (1..=edits.min(most)).flat_map(with).collect()
}

/// The fewest increments of 1, by the fewest clients, that an engine gets wrong with no fault at all; all smaller worlds
/// were tried.
pub fn finding(engine: &Registration) -> Result<Option<Finding>, SubjectError> {
    first_wrong(engine, "increments of 1", |shape| {
        let clients: Vec<Vec<i64>> = shape.iter().map(|&edits| vec![1; edits]).collect();
        let said = clients.iter().flatten().map(|amount| format!("{amount:+}")).collect();
        let answer = shown(engine, START, &clients)?;
        Ok((answer, format!("{START}"), said, Execution::Edits { start: START, clients }))
    })
}

/// The fewest inserts of different elements, by the fewest clients, that an engine gets wrong with no fault at all; all
/// smaller worlds were tried.
pub fn finding_of_tags(engine: &Registration) -> Result<Option<Finding>, SubjectError> {
    first_wrong(engine, "inserts of different elements", |shape| {
        let mut elements = 0..;
        let clients: Vec<Vec<Element>> = shape.iter().map(|&edits| elements.by_ref().take(edits).collect()).collect();
        let said = clients.iter().flatten().map(|element| format!("insert {element}")).collect();
        Ok((shown_tags(engine, &clients)?, "no tags".to_owned(), said, Execution::Tags { clients }))
    })
}

/// What an engine should show and shows, what there was at the start, what clients do, and the same as a case.
type Tried = ((u64, u64), String, Vec<String>, Execution);

fn first_wrong(
    engine: &Registration,
    what: &str,
    tried: impl Fn(&[usize]) -> Result<Tried, SubjectError>,
) -> Result<Option<Finding>, SubjectError> {
    for edits in 1..=MOST_EDITS {
        let mut shapes = shares(edits, edits);
        shapes.sort_by_key(Vec::len);
        for shape in shapes {
            let ((expected, got), start, said, execution) = tried(&shape)?;
            if expected != got {
                let (by, were) = (counted(shape.len(), "client"), if shape.len() == 1 { "was" } else { "were" });
                let case = Case { subject: engine.name.to_owned(), execution, faults: Vec::new() };
                return Ok(Some(Finding {
                    subject: engine.name.to_owned(),
                    evidence: Evidence::Software,
                    during: format!("{start}, {} by {by} that {were} away, then connected", said.join(", ")),
                    quantity: Quantity::State,
                    expected: Hex64(expected),
                    got: Hex64(got),
                    reproducible: true,
                    oracle: OracleId::Truth,
                    case: case.to_string(),
                    size: format!("{edits} {what}; with fewer, or by fewer clients, it is right"),
                }));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine;

    #[test]
    fn edits_are_shared_in_every_way() {
        assert_eq!(shares(3, 3), [vec![1, 1, 1], vec![2, 1], vec![3]]);
    }

    #[test]
    fn two_increments_of_five_come_to_five_by_xor_and_to_six_by_the_last_writer() {
        let come_to = |name: &str| shown(engine::find(name).expect("an engine"), 5, &[vec![1], vec![1]]);
        assert_eq!(come_to("xor-delta"), Ok((7, 5)));
        assert_eq!(come_to("lww-arrival"), Ok((7, 6)));
        for right in ["delta-summary", "pn-counter", "operation-log", "reconciliation"] {
            assert_eq!(come_to(right), Ok((7, 7)), "{right}");
        }
    }

    #[test]
    fn of_two_elements_that_two_clients_insert_the_last_writer_keeps_one() {
        let come_to = |name: &str| shown_tags(engine::find(name).expect("an engine"), &[vec![0], vec![1]]);
        for right in ["delta-state", "operation-log"] {
            assert_eq!(come_to(right), Ok((3, 3)), "{right}");
        }
        let found = finding_of_tags(engine::find("lww-wall-clock").expect("an engine")).expect("it runs").expect("one");
        assert_eq!(found.case, "case1,lww-wall-clock,tags,clients=0+1");
        assert_eq!(found.during, "no tags, insert 0, insert 1 by 2 clients that were away, then connected");
    }
}
