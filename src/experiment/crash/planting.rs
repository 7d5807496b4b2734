//! Mutants planted in a crash walk: first in its smaller world, in which most are soon found, then in its own.

use std::num::NonZeroUsize;

use crate::domain::offline::CrashEverywhereTrial;
use crate::domain::subject::SubjectError;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::experiment::crash::walking::walked;
use crate::experiment::crash::{smaller, tried};
use crate::experiment::planting::{self, Control};
use crate::report::qualification::mutants::Cell;

/// What judges say of the engine as it is, in both worlds.
pub fn control(
    trial: &CrashEverywhereTrial,
    engine: &'static Registration,
    watch: &mut dyn Watch,
) -> Result<Control, SubjectError> {
    let one = NonZeroUsize::MIN;
    let small = walked(&smaller(trial), engine, None, one, watch)?;
    let own = walked(trial, engine, None, one, watch)?;
    Ok(Control::of([small.1.as_ref(), own.1.as_ref()]))
}

/// What becomes of a mutant in these worlds.
pub fn plant(
    trial: &CrashEverywhereTrial,
    (engine, mutant): (&'static Registration, &'static str),
    control: &Control,
    watch: &mut dyn Watch,
) -> Result<Cell, SubjectError> {
    let watch = std::cell::RefCell::new(watch);
    let runs = [smaller(trial), trial.clone()].map(|world| {
        let watch = &watch;
        let place = format!("{}: ", tried(&world));
        let run = move || {
            let (walk, against) = walked(&world, engine, Some(mutant), NonZeroUsize::MIN, &mut **watch.borrow_mut())?;
            let unshown = match walk.complete {
                true => "no way through this world shows it".to_owned(),
                false => format!("no way shows it among the first {} states", world.most_states),
            };
            Ok(against.ok_or(unshown))
        };
        (place, run)
    });
    planting::plant(control, runs)
}
