//! The smallest world in which an engine goes wrong, or the same world again: clients edit one register while they are
//! away, and then connect, one after the other, over sound links.

use crate::domain::case::Case;
use crate::domain::count::counted;
use crate::domain::data::Intent;
use crate::domain::evidence::Evidence;
use crate::domain::execution::Execution;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::history::{Fate, UserEdit};
use crate::domain::subject::SubjectError;
use crate::domain::watch::Unwatched;
use crate::engine::Registration;
use crate::experiment::world::faultless_trial;
use crate::lab::{World, settings};
use crate::oracle::offline::truth;
use crate::scenario::offline::SECOND;

/// The start of the register: 5, +1, +1 is the example that the field tells.
const START: i64 = 5;

/// The most edits that are tried, all clients together.
const MOST_EDITS: usize = 4;

/// What the register should be, and what the first replica that is wrong shows, or else the hub.
pub fn shown(engine: &Registration, start: i64, clients: &[Vec<i64>]) -> Result<(u64, u64), SubjectError> {
    let mut trial = faultless_trial(clients.len() as u32, 1, start);
    trial.presence.lasts_s = 10;
    let user = |(place, amounts): (usize, &Vec<i64>)| {
        let at = SECOND + place as u64 * 1000;
        amounts
            .iter()
            .map(|&amount| UserEdit { at, register: 0, intent: Intent::Increase(amount), fate: Fate::Binding })
            .collect()
    };
    let users = clients.iter().enumerate().map(user).collect();
    let world = World::new(&trial, engine, &settings(&trial, None));
    let outcome = world.and_then(|world| world.with_users(users).run(&mut Unwatched));
    let outcome = outcome.map_err(|error| SubjectError::Unavailable(error.to_string()))?;
    let expected = clients.iter().flatten().fold(start, |sum, &amount| sum.wrapping_add(amount));
    let wrong = truth::first_wrong(&outcome.history).map(|(_, wrong)| wrong.got);
    Ok((expected as u64, wrong.unwrap_or(expected) as u64))
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
    for edits in 1..=MOST_EDITS {
        let mut shapes = shares(edits, edits);
        shapes.sort_by_key(Vec::len);
        for shape in shapes {
            let clients: Vec<Vec<i64>> = shape.iter().map(|&edits| vec![1; edits]).collect();
            let (expected, got) = shown(engine, START, &clients)?;
            if expected != got {
                let (by, were) = (counted(clients.len(), "client"), if clients.len() == 1 { "was" } else { "were" });
                let told: Vec<String> = clients.iter().flatten().map(|amount| format!("{amount:+}")).collect();
                let execution = Execution::Edits { start: START, clients };
                let case = Case { subject: engine.name.to_owned(), execution, faults: Vec::new() };
                return Ok(Some(Finding {
                    subject: engine.name.to_owned(),
                    evidence: Evidence::Software,
                    during: format!("{START}, {} by {by} that {were} away, then connected", told.join(", ")),
                    quantity: Quantity::State,
                    expected: Hex64(expected),
                    got: Hex64(got),
                    reproducible: true,
                    oracle: "truth".to_owned(),
                    case: case.to_string(),
                    size: format!("{edits} increments of 1; with fewer, or by fewer clients, it is right"),
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
}
