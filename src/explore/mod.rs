//! Schedules: which arrival orders to try, what each position of an order delivers, how a failing execution is made
//! smaller, and the walk that covers every order at once.
//!
//! A new explorer is one file here and one entry in [`EXPLORERS`]. Knows: `domain`. Must not: know any subject by name,
//! or what an order's outcome should be.

pub mod adversarial;
pub mod all_orders;
pub mod audit;
pub mod covering;
pub mod every_step;
pub mod exhaustive;
pub mod minimise;
pub mod permutation;
pub mod replay;
pub mod seeded;

use crate::domain::explorer::{Explorer, ExplorerSpec};
use crate::domain::factorial;
use crate::domain::schedule::ScheduleError;
use crate::domain::seed::Seed;

use adversarial::Adversarial;
use all_orders::AllOrders;
use covering::{Covering, CoveringError};
use exhaustive::Refused;
use replay::Replay;
use seeded::Seeded;

/// The workload that orders are chosen for, and the bound on them.
#[derive(Clone, Copy, Debug)]
pub struct Setting<'a> {
    /// The scenario's name, where it has one.
    pub scenario: Option<&'a str>,
    /// Number of deltas.
    pub deltas: u64,
    /// What orders are drawn from.
    pub seed: Seed,
    /// Banks that the adversarial interleavings are made for.
    pub banks: u32,
    /// Deliveries that may be made to each subject.
    pub budget: u64,
}

/// An explorer's entry: what it is called, what it chooses, and how it is made.
pub struct Registration {
    /// Its name, as `--orders` takes it.
    pub name: &'static str,
    /// What follows the name and a colon; empty if nothing does.
    pub argument: &'static str,
    /// What it chooses, in a line.
    pub about: &'static str,
    open: Open,
}

/// Makes an explorer from what follows its name.
type Open = fn(&str, &Setting) -> Result<Box<dyn Explorer>, PlanError>;

/// All explorers.
pub const EXPLORERS: &[Registration] = &[
    Registration {
        name: AUTO,
        argument: "",
        about: "the strongest that fits the budget: all, covering:3, covering:2, sample",
        open: |_, setting| strongest(setting).ok_or(PlanError::NothingFits(setting.deltas, setting.budget)),
    },
    Registration {
        name: all_orders::NAME,
        argument: "",
        about: "every order: a proof",
        open: |_, _| Ok(Box::new(AllOrders)),
    },
    Registration {
        name: covering::NAME,
        argument: "T",
        about: "a family in which every ordered tuple of T deliveries occurs, counted; T from 2 to 6",
        open: |strength, setting| {
            let strength = strength.parse().map_err(|_| PlanError::Argument("T is a whole number from 2 to 6"))?;
            covering::fits(setting.deltas, strength)?;
            Ok(Box::new(Covering { strength, seed: setting.seed }))
        },
    },
    Registration {
        name: seeded::ASKED_FOR,
        argument: "K",
        about: "K permutations drawn from the seed, recorded as seeded; p < 3/K at 95 %",
        open: |orders, setting| match orders.parse() {
            Ok(orders) if orders > 0 => Ok(Box::new(Seeded { orders, seed: setting.seed })),
            _ => Err(PlanError::Argument("K is a whole number of at least 1")),
        },
    },
    Registration {
        name: adversarial::NAME,
        argument: "",
        about: "reversed, rotated, halves swapped, interleaved by bank",
        open: |_, setting| Ok(Box::new(Adversarial { banks: setting.banks })),
    },
    Registration {
        name: replay::NAME,
        argument: "SCHEDULE",
        about: "one order, from the text of its schedule",
        open: |schedule, setting| Ok(Box::new(Replay::of(schedule.parse()?, setting)?)),
    },
];

/// What asks for the strongest explorer that fits.
const AUTO: &str = "auto";

/// Permutations that `auto` draws where nothing stronger fits.
pub const SAMPLED: u64 = 64;

/// Why orders cannot be chosen as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is no such explorer.
    #[error("'{0}' is not an explorer of arrival orders; allowed are {allowed}", allowed = names())]
    Unknown(String),
    /// It needs an argument, or takes none, or another one.
    #[error("{0}")]
    Argument(&'static str),
    /// There is no such family.
    #[error(transparent)]
    Covering(#[from] CoveringError),
    /// The schedule is none.
    #[error(transparent)]
    ScheduleText(#[from] ScheduleError),
    /// The schedule is not one of this workload.
    #[error("the schedule does not belong here: {0}")]
    Schedule(String),
    /// It takes more deliveries than there may be.
    #[error("{orders} orders of {deltas} deltas are {deliveries} deliveries, and the budget is {budget}; {instead}")]
    OverBudget {
        /// How many orders, as a full integer or a formula.
        orders: String,
        /// Deltas in each.
        deltas: u64,
        /// The deliveries that they take.
        deliveries: String,
        /// The deliveries that there may be.
        budget: u64,
        /// What would fit.
        instead: String,
    },
    /// Not one order fits.
    #[error("not one order of {0} deltas fits the budget of {1} deliveries; --budget {0} takes one")]
    NothingFits(u64, u64),
    /// A walk takes more than it may.
    #[error(transparent)]
    Walk(#[from] Refused),
    /// Nobody takes orders that long.
    #[error("no backend of this run takes an arrival order of {0} deltas; software does, and devices take up to 256")]
    NoTaker(u64),
}

fn names() -> String {
    let names: Vec<String> = EXPLORERS.iter().map(Registration::form).collect();
    names.join(", ")
}

impl Registration {
    /// The name with what follows it, as a person is told to write it.
    pub fn form(&self) -> String {
        if self.argument.is_empty() { self.name.to_owned() } else { format!("{}:{}", self.name, self.argument) }
    }
}

/// The explorer's entry, and its argument.
fn find(spec: &ExplorerSpec) -> Result<(&'static Registration, &str), PlanError> {
    let found = EXPLORERS.iter().find(|registration| registration.name == spec.name());
    let registration = found.ok_or_else(|| PlanError::Unknown(spec.to_string()))?;
    match (registration.argument.is_empty(), spec.argument()) {
        (true, None) => Ok((registration, "")),
        (false, Some(argument)) => Ok((registration, argument)),
        _ => Err(PlanError::Unknown(spec.to_string())),
    }
}

/// Whether there is an explorer of this name that takes what follows it. Whether it fits a workload is another question.
pub fn known(spec: &ExplorerSpec) -> Result<(), PlanError> {
    find(spec).map(|_| ())
}

/// The explorer that is asked for, if all of its orders fit the budget.
pub fn explorer(spec: &ExplorerSpec, setting: &Setting) -> Result<Box<dyn Explorer>, PlanError> {
    let (registration, argument) = find(spec)?;
    let explorer = (registration.open)(argument, setting)?;
    let Setting { deltas, budget, .. } = *setting;
    if fits(explorer.as_ref(), setting) {
        return Ok(explorer);
    }
    let number = explorer.number(deltas);
    let deliveries = match (number, factorial::factorial(deltas)) {
        (Some(number), _) => (u128::from(number) * u128::from(deltas)).to_string(),
        (None, Some(all)) => (all * deltas).to_string(),
        (None, None) => format!("{deltas}! times {deltas}"),
    };
    let instead = strongest(setting).map_or_else(
        || format!("not one fits, and --budget {deltas} takes one"),
        |strongest| {
            let orders = strongest.number(deltas).unwrap_or(0);
            let fitting = asked_for(strongest.as_ref(), deltas);
            format!("the strongest that fits is {fitting}, with {} deliveries", orders * deltas)
        },
    );
    let orders = number.map_or_else(|| factorial::text(deltas), |number| number.to_string());
    Err(PlanError::OverBudget { orders, deltas, deliveries, budget, instead })
}

/// The strongest explorer of which all orders fit the budget: a proof, then the longest tuples of up to three, then as
/// many drawn orders as fit.
fn strongest(setting: &Setting) -> Option<Box<dyn Explorer>> {
    let Setting { deltas, seed, budget, .. } = *setting;
    let covering = |strength: u32| {
        // A family has at least strength! orders; only if those fit is it made.
        let least = (1..=u64::from(strength)).product::<u64>();
        let may_fit = covering::fits(deltas, strength).is_ok() && least.saturating_mul(deltas) <= budget;
        may_fit.then(|| Box::new(Covering { strength, seed }) as Box<dyn Explorer>)
    };
    let sampled = SAMPLED.min(budget / deltas);
    let drawn = (sampled > 0).then(|| Box::new(Seeded { orders: sampled, seed }) as Box<dyn Explorer>);
    let all: Option<Box<dyn Explorer>> = Some(Box::new(AllOrders));
    [all, covering(3), covering(2), drawn].into_iter().flatten().find(|explorer| fits(explorer.as_ref(), setting))
}

fn fits(explorer: &dyn Explorer, setting: &Setting) -> bool {
    let deliveries = explorer.number(setting.deltas).and_then(|orders| orders.checked_mul(setting.deltas));
    deliveries.is_some_and(|deliveries| deliveries <= setting.budget)
}

/// What `--orders` takes for this explorer.
fn asked_for(explorer: &dyn Explorer, deltas: u64) -> String {
    use crate::domain::verdict::Warrant;
    let number = explorer.number(deltas).unwrap_or(0);
    match explorer.warrant(deltas, number) {
        Some(Warrant::Covered { strength, .. }) => format!("{}:{strength}", covering::NAME),
        Some(Warrant::Sampled { orders }) => format!("{}:{orders}", seeded::ASKED_FOR),
        _ => explorer.name().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

    fn setting(deltas: u64, budget: u64) -> Setting<'static> {
        Setting { scenario: None, deltas, seed: SEED, banks: 8, budget }
    }

    fn chosen(spec: &str, setting: &Setting) -> Result<String, String> {
        let explorer = explorer(&spec.parse().expect("a spec"), setting).map_err(|refused| refused.to_string())?;
        Ok(asked_for(explorer.as_ref(), setting.deltas))
    }

    #[test]
    fn the_strongest_plan_that_fits_is_chosen() {
        let auto = |deltas, budget| chosen("auto", &setting(deltas, budget));
        let told: Vec<String> = [
            (1, 1),
            (5, 600),
            (5, 599),
            (9, 1 << 24),
            (10, 1 << 24),
            (64, 1 << 24),
            (64, 1000),
            (64, 127),
            (64, 63),
            (256, 1 << 24),
            (257, 1 << 24),
            (4096, 1 << 24),
            (4097, 1 << 24),
            (65_537, 1 << 24),
            (u64::from(u32::MAX), 1 << 24),
            (u64::from(u32::MAX), 1 << 34),
        ]
        .iter()
        .map(|&(deltas, budget)| match auto(deltas, budget) {
            Ok(spec) => format!("{deltas} deltas, {budget} deliveries: {spec}"),
            Err(refused) => refused,
        })
        .collect();
        insta::assert_debug_snapshot!(told);
    }

    #[test]
    fn a_plan_over_its_budget_is_refused_with_its_cost_and_the_strongest_that_fits() {
        let told = [
            chosen("all", &setting(13, 1 << 24)),
            chosen("all", &setting(30, 1 << 24)),
            chosen("all", &setting(65_537, 1 << 24)),
            chosen("covering:3", &setting(64, 1000)),
            chosen("sample:100", &setting(64, 6399)),
            chosen("adversarial", &setting(64, 639)),
            chosen("sample:18446744073709551615", &setting(64, 63)),
        ];
        insta::assert_debug_snapshot!(told);
        assert!(chosen("sample:100", &setting(64, 6400)).is_ok());
        assert!(chosen("adversarial", &setting(64, 640)).is_ok());
    }

    #[test]
    fn what_asks_for_no_explorer_is_refused_with_what_does() {
        let told = ["autos", "auto:1", "covering", "covering:x", "covering:7", "sample:0", "sample:-1", "replay:x"]
            .map(|spec| chosen(spec, &setting(64, 1 << 24)).expect_err(spec));
        insta::assert_debug_snapshot!(told);
    }

    #[test]
    fn a_schedule_of_another_workload_says_which() {
        let named = Setting { scenario: Some("mine"), ..setting(5, 100) };
        let replayed = |schedule: &str| chosen(&format!("replay:{schedule}"), &named);
        let seed = "seed=0xDEADBEEF0BADF00D";
        let told = [
            format!("schedule2,count=5,{seed},length=5,order=reverse"),
            format!("schedule1,scenario=yours,count=5,{seed},length=5,order=reverse"),
            format!("schedule1,count=6,{seed},length=6,order=reverse"),
            "schedule1,count=5,seed=7,length=5,order=reverse".to_owned(),
            format!("schedule1,count=5,{seed},length=4,order=reverse"),
            format!("schedule1,count=5,{seed},length=5,order=exactly:0.1.2.3.3"),
            format!("schedule1,count=5,{seed},length=5,order=exactly:0.1.2.3.5"),
            format!("schedule1,count=5,{seed},length=4,order=exactly:0.1.2.3"),
            format!("schedule1,count=5,{seed},length=5,order=covering:3:1000"),
        ]
        .map(|schedule| replayed(&schedule).expect_err(&schedule));
        insta::assert_debug_snapshot!(told);
        for order in ["reverse", "seeded:7", "covering:3:2", "exactly:4.0.1.3.2"] {
            assert!(replayed(&format!("schedule1,scenario=mine,count=5,{seed},length=5,order={order}")).is_ok());
            assert!(replayed(&format!("schedule1,count=5,{seed},length=5,order={order}")).is_ok());
        }
    }

    proptest! {
        #[test]
        fn a_plan_that_is_taken_keeps_its_budget_and_gives_the_orders_that_it_counts(
            deltas in 1..70u64,
            budget in 0..20_000u64,
            spec in "(auto|all|covering:[23]|sample:[1-9][0-9]{0,2}|adversarial)",
        ) {
            let setting = setting(deltas, budget);
            if let Ok(explorer) = explorer(&spec.parse().expect("a spec"), &setting) {
                let number = explorer.number(deltas).expect("it is counted");
                prop_assert!(number * deltas <= budget);
                prop_assert_eq!(explorer.orders(deltas, number).count() as u64, number);
            }
        }
    }
}
