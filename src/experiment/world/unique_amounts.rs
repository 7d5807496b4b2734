//! The same world with unique amounts: large and random, so that none is a sum of others by chance. Who edits what, and
//! when, is as it was; how often each edit counts can be read off the sums.

use std::collections::BTreeMap;

use crate::domain::data::Intent;
use crate::domain::history::{History, UniqueAmounts, UserEdit};
use crate::domain::offline::OfflineTrial;
use crate::domain::over_time::Unshown;
use crate::domain::subject::SubjectError;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::experiment::world::failed;
use crate::lab::script::unique::{heaviest, unique_amount};
use crate::lab::{World, settings};
use crate::oracle::offline::exactly_once;
use crate::scenario::offline::Users;

/// How often the edits of such a world count, and what its replicas stopped showing.
pub fn run(
    trial: &OfflineTrial,
    engine: &Registration,
    mutant: Option<&'static str>,
    watch: &mut dyn Watch,
) -> Result<(UniqueAmounts, Option<Unshown>), SubjectError> {
    let world = World::new(trial, engine, &settings(trial, mutant));
    let outcome = world.and_then(|world| world.with_unique_amounts(users(trial)).run(watch)).map_err(failed)?;
    let said = counted(&outcome.history);
    Ok((said, outcome.history.over_time.unshown))
}

/// Large amounts make long messages, and those take their time: a world may come to rest with its own amounts, and not with
/// these. What is on its way then, or was given up, is not lost.
fn counted(history: &History) -> UniqueAmounts {
    let History { quiescent, backlog, .. } = *history;
    match quiescent && backlog == 0 {
        true => UniqueAmounts::Counts(exactly_once::counts(history)),
        false => UniqueAmounts::Unfinished { quiescent, backlog },
    }
}

/// What users do there. The lowest bits of an amount are its weight, as [`crate::lab::events::views`] wants it. The weights
/// of a register are so small that all of them together, each twice, leave the bits above alone: an edit that counts twice
/// does not look like one that is not shown any more.
fn users(trial: &OfflineTrial) -> Vec<Vec<UserEdit>> {
    let (users, amounts) = (Users::of(trial), trial.seed.stream("telling amounts"));
    let mut users: Vec<Vec<UserEdit>> = (0..trial.clients).map(|client| users.edits(client)).collect();
    let mut edits: BTreeMap<u32, u64> = BTreeMap::new();
    users.iter().flatten().for_each(|edit| *edits.entry(edit.register).or_default() += 1);
    let heaviest = heaviest(edits.into_values().max().unwrap_or(1));
    for (client, edits) in (0..).zip(&mut users) {
        let mut amounts = amounts.member(client);
        for edit in edits {
            if let Intent::Increase(plain) = &mut edit.intent {
                *plain = unique_amount(&mut amounts, heaviest, *plain < 0);
            }
        }
    }
    users
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::history::{Counts, Ledger, NodeEnd};
    use crate::domain::offline::Workload;
    use crate::experiment::world::faultless::faultless_trial;
    use crate::oracle::offline::truth;

    #[test]
    fn users_do_the_same_at_the_same_times_with_amounts_that_tell() {
        let mut trial = faultless_trial(3, 8, 0);
        trial.workload = Workload { ticks: 5, changed: 2, most: 3, decrements: true, zipf_hundredths: None };
        let plain: Vec<Vec<UserEdit>> = (0..3).map(|client| Users::of(&trial).edits(client)).collect();
        let said = users(&trial);
        let shape = |edits: &[Vec<UserEdit>]| {
            let of = |edit: &UserEdit| (edit.at, edit.register, edit.amount().signum());
            edits.iter().flatten().map(of).collect::<Vec<_>>()
        };
        assert_eq!(shape(&said), shape(&plain));
        let amounts: std::collections::BTreeSet<u64> =
            said.iter().flatten().map(|edit| edit.amount().unsigned_abs()).collect();
        assert!(amounts.len() == 30 && amounts.iter().all(|amount| amount.ilog2() == 44), "{amounts:?}");
    }

    #[test]
    fn only_where_such_a_world_came_to_rest_are_its_edits_counted() {
        let ledger = Ledger::of_counters(1, 0, users(&faultless_trial(1, 1, 0)));
        let ends = vec![NodeEnd::of_counters("hub", [7])];
        let of = |quiescent, backlog| {
            let (ledger, ends) = (ledger.clone(), ends.clone());
            counted(&History { ledger, ends, quiescent, backlog, ..History::default() })
        };
        assert_eq!(of(true, 0), UniqueAmounts::Counts(Counts { wrong: 1, unexplained: 1, ..Counts::default() }));
        assert_eq!(of(true, 3), UniqueAmounts::Unfinished { quiescent: true, backlog: 3 });
        assert_eq!(of(false, 0), UniqueAmounts::Unfinished { quiescent: false, backlog: 0 });
    }

    #[test]
    fn edits_that_count_twice_do_not_hide_behind_others_that_cancel_them() {
        let mut trial = faultless_trial(2, 1, 0);
        trial.workload = Workload { ticks: 4, changed: 1, most: 1, decrements: true, zipf_hundredths: None };
        let plain: Vec<Vec<UserEdit>> = (0..2).map(|client| Users::of(&trial).edits(client)).collect();
        // Everything counts, and an increment and a decrement twice.
        let doubled = |users: &[Vec<UserEdit>]| {
            let ledger = Ledger::of_counters(1, 0, users.to_vec());
            let of_sign = |sign| ledger.edits().map(UserEdit::amount).find(|amount| amount.signum() == sign);
            let twice = of_sign(1).expect("an increment") + of_sign(-1).expect("a decrement");
            let ends = vec![NodeEnd::of_counters("hub", vec![ledger.truth()[0] + twice])];
            History { ledger, ends, ..History::default() }
        };
        assert_eq!(truth::wrong_registers(&doubled(&plain)), 0);
        let said = exactly_once::counts(&doubled(&users(&trial)));
        assert_eq!(said, Counts { wrong: 1, repeated: 2, ..Counts::default() });
    }
}
