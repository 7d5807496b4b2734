//! Mutants planted in the worlds of a scenario, more worlds included.

use crate::domain::offline::OfflineTrial;
use crate::domain::subject::SubjectError;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::experiment::planting::{self, Control};
use crate::experiment::world::standing::other_worlds;
use crate::experiment::world::tried::outcome;
use crate::report::qualification::mutants::Cell;

/// What judges say of the engine as it is, in each world.
pub fn control(
    trial: &OfflineTrial,
    engine: &'static Registration,
    watch: &mut dyn Watch,
) -> Result<Control, SubjectError> {
    let worlds = std::iter::once(trial.clone()).chain(other_worlds(trial));
    let histories: Result<Vec<_>, SubjectError> =
        worlds.map(|world| Ok(outcome(&world, engine, None, watch)?.history)).collect();
    Ok(Control::of(histories?.iter().map(Some)))
}

/// What becomes of a mutant in these worlds.
pub fn plant(
    trial: &OfflineTrial,
    (engine, mutant): (&'static Registration, &'static str),
    control: &Control,
    watch: &mut dyn Watch,
) -> Result<Cell, SubjectError> {
    let worlds = std::iter::once((String::new(), trial.clone()));
    let others = other_worlds(trial).map(|world| (format!("under seed {}: ", world.seed), world));
    let watch = std::cell::RefCell::new(watch);
    let runs = worlds.chain(others).map(|(place, world)| {
        let watch = &watch;
        let run = move || match outcome(&world, engine, Some(mutant), &mut **watch.borrow_mut()) {
            Ok(outcome) => Ok(Ok(outcome.history)),
            // A store that the mutant made unusable is no verdict of a judge.
            Err(SubjectError::Unavailable(why)) => Ok(Err(format!("the world came to no end: {why}"))),
            Err(error) => Err(error),
        };
        (place, run)
    });
    planting::plant(control, runs)
}
