//! The same world with telling amounts: large and random, so that none is a sum of others by chance. Who edits what, and
//! when, is as it was; how often each edit counts can be read off the sums.

use crate::campaign::offline::failed;
use crate::domain::flaw::Flaw;
use crate::domain::history::{Counts, UserEdit};
use crate::domain::offline::OfflineTrial;
use crate::domain::subject::SubjectError;
use crate::domain::watch::Watch;
use crate::oracle::offline::exactly_once;
use crate::scenario::offline::Users;
use crate::sync::strategy::Strategy;
use crate::sync::world::{World, settings};

/// Amounts have so many bits: a quarter of a million of them add up to less than a register holds.
const BITS: u32 = 45;

/// How often the edits of such a world count.
pub fn counts(
    trial: &OfflineTrial,
    strategy: &Strategy,
    flaw: Option<Flaw>,
    watch: &mut dyn Watch,
) -> Result<Counts, SubjectError> {
    let world = World::new(trial, strategy, &settings(trial, flaw));
    let outcome = world.and_then(|world| world.with_users(users(trial)).run(watch)).map_err(failed)?;
    Ok(exactly_once::counts(&outcome.history))
}

/// What users do there.
fn users(trial: &OfflineTrial) -> Vec<Vec<UserEdit>> {
    let (users, amounts) = (Users::of(trial), trial.seed.stream("telling amounts"));
    let of_client = |client: u32| {
        let mut amounts = amounts.member(client.into());
        let telling = |edit: UserEdit| {
            // The highest bit is set: amounts are of one size, and none is nearly nothing.
            let amount = (1 << (BITS - 1) | amounts.below(1 << (BITS - 1))) as i64;
            UserEdit { amount: amount * edit.amount.signum(), ..edit }
        };
        users.edits(client).into_iter().map(telling).collect()
    };
    (0..trial.clients).map(of_client).collect()
}
