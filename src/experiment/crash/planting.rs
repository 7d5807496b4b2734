//! Mutants planted in a crash walk: first in its smaller world, in which most are soon found, then in its own.

use std::num::NonZeroUsize;

use crate::domain::data::DataType;
use crate::domain::history::History;
use crate::domain::offline::CrashEverywhereTrial;
use crate::domain::subject::SubjectError;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::experiment::crash::{smaller, tried, walked_engine, world_of};
use crate::experiment::planting::{self, Control, Planting};
use crate::experiment::small_world::walked;
use crate::report::qualification::mutants::{Cell, Kind};

impl Planting for CrashEverywhereTrial {
    fn kind(&self) -> Kind {
        Kind::Walk
    }

    fn cost(&self) -> (bool, u64) {
        let choices = self.clients * (self.edits + 1) + self.retries + self.crashes + self.losses;
        (true, 1 << choices.min(63))
    }

    /// A walk is one of the engine that it names.
    fn suits(&self, engine: &Registration) -> bool {
        walked_engine(self).name == engine.name
    }

    fn has(&self, data: DataType) -> bool {
        self.data == data
    }

    fn control(&self, engine: &'static Registration, watch: &mut dyn Watch) -> Result<Control, SubjectError> {
        let one = NonZeroUsize::MIN;
        let worlds = worlds(self).into_iter();
        let walks = worlds.map(|world| {
            Ok(walked(world_of(&world), engine, None, one, watch)?.against.map(|against| against.history))
        });
        let against: Vec<Option<History>> = walks.collect::<Result<_, SubjectError>>()?;
        Ok(Control::of(against.iter().map(Option::as_ref)))
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

/// The worlds in which a mutant is planted: the smaller one first, where there is one.
fn worlds(trial: &CrashEverywhereTrial) -> Vec<CrashEverywhereTrial> {
    let smaller = trial.data.is_counter().then(|| smaller(trial));
    smaller.into_iter().chain([trial.clone()]).collect()
}

/// What becomes of a mutant in these worlds.
fn plant(
    trial: &CrashEverywhereTrial,
    (engine, mutant): (&'static Registration, &'static str),
    control: &Control,
    watch: &mut dyn Watch,
) -> Result<Cell, SubjectError> {
    let watch = std::cell::RefCell::new(watch);
    let runs = worlds(trial).into_iter().map(|world| {
        let watch = &watch;
        let place = format!("{}: ", tried(&world));
        let run = move || {
            let one = NonZeroUsize::MIN;
            let walk = walked(world_of(&world), engine, Some(mutant), one, &mut **watch.borrow_mut())?;
            let unshown = match walk.record.complete {
                true => "no way through this world shows it".to_owned(),
                false => format!("no way shows it among the first {} states", world.most_states),
            };
            Ok(walk.against.map(|against| against.history).ok_or(unshown))
        };
        (place, run)
    });
    planting::plant(control, runs)
}
