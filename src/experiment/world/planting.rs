//! Mutants planted in the worlds of a scenario, more worlds included.

use crate::domain::data::DataType;
use crate::domain::offline::OfflineTrial;
use crate::domain::subject::SubjectError;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::experiment::planting::{self, Control, Planting};
use crate::experiment::world::standing::other_worlds;
use crate::experiment::world::tried::outcome;
use crate::report::qualification::mutants::{Cell, Kind};

impl Planting for OfflineTrial {
    fn kind(&self) -> Kind {
        Kind::World
    }

    fn cost(&self) -> (bool, u64) {
        let edits = u64::from(self.workload.ticks) * u64::from(self.workload.changed);
        let visits = self.presence.lasts_s / (self.presence.away_s.0 + self.presence.here_s.0).max(1);
        let clients = u64::from(self.clients);
        let neighbours = if self.hub { 1 } else { clients };
        let worlds = 1 + u64::from(self.more_worlds);
        (false, clients.saturating_mul(edits + visits).saturating_mul(neighbours * worlds))
    }

    fn suits(&self, engine: &Registration) -> bool {
        engine.suits(self)
    }

    fn has(&self, data: DataType) -> bool {
        self.fields().count(data) > 0
    }

    fn control(&self, engine: &'static Registration, watch: &mut dyn Watch) -> Result<Control, SubjectError> {
        let worlds = std::iter::once(self.clone()).chain(other_worlds(self));
        let histories: Result<Vec<_>, SubjectError> =
            worlds.map(|world| Ok(outcome(&world, engine, None, watch)?.history)).collect();
        Ok(Control::of(histories?.iter().map(Some)))
    }

    fn plant(
        &self,
        mutant: (&'static Registration, &'static str),
        control: &Control,
        watch: &mut dyn Watch,
    ) -> Result<Cell, SubjectError> {
        plant(self, mutant, control, watch)
    }
}

/// What becomes of a mutant in these worlds.
fn plant(
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
