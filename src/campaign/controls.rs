//! Positive controls: before a run judges anything, each of its judges is given a right answer, which it must accept, and
//! planted wrong ones, which it must refuse. A run whose judges cannot fail tells nothing, and is not made.
//!
//! A control asks the very function that judges the run, and lies in the file of that function. Knows: the judges. Must
//! not: judge by itself.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use crate::campaign::expectation;
use crate::domain::judge::Judge;
use crate::domain::trial::Trial;
use crate::experiment::control::{Control, Show, Shown};
use crate::experiment::devices::link_on_trial;
use crate::experiment::standard::{
    accumulation, adapter_round_trips, arrival_orders, as_client, conformance, engine_sweeps,
};
use crate::experiment::tick::sync_tick;
use crate::experiment::{self, bandwidth, codecs, crash, curves, every_order, laws, world};
use crate::report::record::ControlRecord;

/// The controls of a judge. A judge without one does not compile, and a check names its judge.
fn of(judge: Judge) -> &'static [Control] {
    match judge {
        Judge::Reference => accumulation::CONTROLS_OF_REFERENCE,
        Judge::Accumulation => accumulation::CONTROLS,
        Judge::BankSweep => engine_sweeps::controls::BANK_SWEEP,
        Judge::ShortSweep => engine_sweeps::controls::SHORT_SWEEP,
        Judge::BoardTable => engine_sweeps::controls::BOARD_TABLE,
        Judge::ArrivalOrders => arrival_orders::controls::WHOLE_ORDERS,
        Judge::EverySet => arrival_orders::controls::EVERY_SET,
        Judge::Search => arrival_orders::controls::SEARCH,
        Judge::RoundTrips => adapter_round_trips::CONTROLS,
        Judge::TickMessage => sync_tick::CONTROLS_OF_MESSAGE,
        Judge::TickOnDevice => sync_tick::CONTROLS_ON_DEVICE,
        Judge::Conformance => conformance::CONTROLS,
        Judge::AsAClient => as_client::CONTROLS,
        Judge::Warrant => arrival_orders::controls::WARRANT,
        Judge::Expectation => expectation::CONTROLS,
        Judge::Link => link_on_trial::CONTROLS,
        Judge::Laws => laws::CONTROLS,
        Judge::EveryOrder => every_order::CONTROLS,
        Judge::HubMerge => world::hub_merge::CONTROLS,
        Judge::World => world::controls::WORLD,
        Judge::EveryEnd => crash::CONTROLS,
        Judge::Bandwidth => bandwidth::judge::CONTROLS,
        Judge::Codecs => codecs::CONTROLS,
        Judge::Curves => curves::CONTROLS,
    }
}

/// Shows that every judge of a trial can fail. What a judge makes of planted answers depends on nothing but its code, so
/// each is shown once a process, however many runs that makes.
pub fn show(trial: &Trial, threads: NonZeroUsize) -> Vec<ControlRecord> {
    static SHOWN: Mutex<BTreeMap<Judge, Vec<ControlRecord>>> = Mutex::new(BTreeMap::new());
    let shown_once = |&judge: &Judge| {
        let mut all = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(judge).or_insert_with(|| of(judge).iter().map(|control| shown(control, threads)).collect()).clone()
    };
    experiment::of(trial).judges().iter().flat_map(shown_once).collect()
}

fn shown(control: &Control, threads: NonZeroUsize) -> ControlRecord {
    let Shown { accepts_right, wrong, refused } = match control.show {
        Show::Alone(show) => show(),
        Show::InWorlds(show) => show(threads),
    };
    ControlRecord { judge: control.judge, planted: control.planted.to_owned(), accepts_right, wrong, refused }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use crate::domain::verdict::Verdict;
    use crate::experiment::control::bits;
    use crate::scenario::shipped::SHIPPED;

    #[test]
    fn a_judge_that_never_accuses_and_one_that_always_does_are_both_broken() {
        let bit = |wrong: u64| if wrong == 0 { Verdict::Holds } else { Verdict::Falsified };
        let works = |judge: fn(u64) -> Verdict| {
            let Shown { accepts_right, wrong, refused } = Shown::of(0, bits(), judge);
            let (judge, planted) = (Judge::Link, String::new());
            ControlRecord { judge, planted, accepts_right, wrong, refused }.works()
        };
        assert!(works(bit));
        assert!(!works(|_| Verdict::Holds));
        assert!(!works(|_| Verdict::Falsified));
        assert!(!works(|_| Verdict::Inconclusive));
        // Blind for one bit.
        assert!(!works(|wrong| if wrong << 1 == 0 { Verdict::Holds } else { Verdict::Falsified }));
    }

    #[test]
    fn every_judge_of_every_kind_of_trial_refuses_all_that_is_planted_for_it() {
        for (name, scenario) in SHIPPED {
            let scenario = crate::scenario::file::parse(scenario, name, name).expect("it is sound");
            let shown = show(&scenario.trial, NonZeroUsize::MIN);
            assert!(!shown.is_empty(), "{name}");
            let dead: Vec<&ControlRecord> =
                shown.iter().filter(|control| !control.works() || control.wrong == 0).collect();
            assert!(dead.is_empty(), "{name}: {dead:#?}");
        }
    }

    #[test]
    fn the_list_of_judges_has_every_judge_of_every_kind_of_trial() {
        let of_trials = SHIPPED.iter().flat_map(|(name, text)| {
            let scenario = crate::scenario::file::parse(text, name, name).expect("it is sound");
            experiment::of(&scenario.trial).judges().iter().copied()
        });
        let listed: BTreeSet<Judge> = Judge::ALL.iter().copied().collect();
        assert_eq!(listed, of_trials.collect());
        assert_eq!(listed.len(), Judge::ALL.len(), "each once");
    }
}
