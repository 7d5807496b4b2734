//! Schedules: which arrival orders to try, what each position of an order delivers, how a failing execution is made
//! smaller, and the walk that covers every order at once.
//!
//! A new explorer is one file here and one entry in [`EXPLORERS`]. Knows: `domain`. Must not: know any subject by name,
//! or what an order's outcome should be.

pub mod adversarial;
pub mod all_orders;
pub mod choice;
pub mod covering;
pub mod every_step;
pub mod exhaustive;
pub mod feistel;
pub mod minimise;
pub mod permutation;
pub mod replay;
pub mod search;
pub mod seeded;

use crate::domain::explorer::{AUTO, ExplorerSpec, STANDARD};
use crate::domain::factorial;
use crate::domain::nearest::meant_form;
use crate::domain::schedule::ScheduleError;
use crate::domain::seed::Seed;
use crate::domain::trial::MOST_WALKED;

use adversarial::Adversarial;
use all_orders::AllOrders;
use choice::{Choice, EverySetCost, SAMPLED};
use covering::{Covering, CoveringError};
use exhaustive::Refused;
use replay::Replay;
use seeded::Seeded;

/// The workload that orders are chosen for, who takes them, and the bounds.
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
    /// Bytes that may be used.
    pub memory: u64,
    /// Whether software accumulators are among the subjects: their states can be put back.
    pub software: bool,
    /// Whether devices are.
    pub devices: bool,
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

/// Makes a choice from what follows the name.
type Open = fn(&str, &Setting) -> Result<Choice, PlanError>;

/// All explorers.
pub const EXPLORERS: &[Registration] = &[
    Registration {
        name: AUTO,
        argument: "",
        about: "the strongest that fits: exhaustive, all, covering (T above 3 where it is quick to choose), sample",
        open: |_, setting| {
            Choice::strongest(setting).ok_or_else(|| PlanError::NothingFits(choice::instead(setting, None)))
        },
    },
    Registration {
        name: STANDARD,
        argument: "",
        about: "the standard campaign's: all if there are at most 64, else adversarial and 64 drawn",
        open: |_, setting| Ok(Choice::standard(setting)),
    },
    Registration {
        name: EXHAUSTIVE,
        argument: "",
        about: "every delivered set in every way: a proof for software, a search on devices; and whole orders",
        open: |_, setting| Choice::exhaustive(setting),
    },
    Registration {
        name: all_orders::NAME,
        argument: "",
        about: "every order, delivered whole: a proof",
        open: |_, setting| Ok(Choice::of(Box::new(AllOrders), setting.deltas)),
    },
    Registration {
        name: covering::NAME,
        argument: "T",
        about: "a family in which every ordered tuple of T deliveries occurs, counted; T from 2 to 6",
        open: |strength, setting| {
            let strength = strength.parse().map_err(|_| PlanError::Argument("T is a whole number from 2 to 6"))?;
            covering::fits(setting.deltas, strength)?;
            let bytes = covering::bytes_to_count(setting.deltas.saturating_pow(strength));
            if bytes > setting.memory {
                let (deltas, memory) = (setting.deltas, setting.memory);
                let instead = choice::instead(setting, Choice::strongest(setting));
                return Err(PlanError::TuplesOverMemory { strength, deltas, bytes, memory, instead });
            }
            Ok(Choice::of(Box::new(Covering { strength, seed: setting.seed }), setting.deltas))
        },
    },
    Registration {
        name: seeded::ASKED_FOR,
        argument: "K",
        about: "K permutations drawn from the seed, recorded as seeded; p < 3/K at 95 %, from K = 4 on",
        open: |orders, setting| match orders.parse() {
            Ok(orders) if orders > 0 => Ok(Choice::of(Box::new(Seeded { orders }), setting.deltas)),
            _ => Err(PlanError::Argument("K is a whole number of at least 1")),
        },
    },
    Registration {
        name: adversarial::NAME,
        argument: "",
        about: "reversed, rotated, halves swapped, interleaved by bank",
        open: |_, setting| Ok(Choice::of(Box::new(Adversarial { banks: setting.banks }), setting.deltas)),
    },
    Registration {
        name: replay::NAME,
        argument: "SCHEDULE",
        about: "one order, from the text of its schedule",
        open: |schedule, setting| Ok(Choice::of(Box::new(Replay::of(schedule.parse()?, setting)?), setting.deltas)),
    },
];

/// What asks for every delivered set.
const EXHAUSTIVE: &str = "exhaustive";

/// Why orders cannot be chosen as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is no such explorer.
    #[error(
        "'{0}' is not an explorer of arrival orders{meant}; allowed are {allowed}",
        meant = meant_form(.0, EXPLORERS.iter().map(|entry| entry.name)),
        allowed = names()
    )]
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
    /// It takes more memory than it may.
    #[error("{orders} orders of {deltas} deltas take {bytes} bytes of memory, and may take {memory}; {instead}")]
    OverMemory {
        /// How many orders.
        orders: u64,
        /// Deltas in each.
        deltas: u64,
        /// The bytes that they take.
        bytes: u64,
        /// The bytes that they may.
        memory: u64,
        /// What would fit.
        instead: String,
    },
    /// The tuples of a family take more memory to count than there may be.
    #[error(
        "covering:{strength} of {deltas} deltas takes {bytes} bytes to count its tuples, and may take {memory}; {instead}"
    )]
    TuplesOverMemory {
        /// The strength.
        strength: u32,
        /// Number of deltas.
        deltas: u64,
        /// The bytes that they take.
        bytes: u64,
        /// The bytes that they may.
        memory: u64,
        /// What would fit.
        instead: String,
    },
    /// The deltas are too many for every delivered set.
    #[error("every delivered set is tried of up to {MOST_WALKED} deltas, and there are {deltas}; {instead}")]
    TooManySets {
        /// Number of deltas.
        deltas: u64,
        /// What would fit.
        instead: String,
    },
    /// Every delivered set takes more than it may.
    #[error(
        "every delivered set of {deltas} deltas, with {SAMPLED} whole orders besides, takes {} deliveries and {} bytes of \
         memory; the budget is {budget} deliveries and {memory} bytes; {instead}", cost.deliveries, cost.bytes
    )]
    EverySet {
        /// Number of deltas.
        deltas: u64,
        /// What they take.
        cost: EverySetCost,
        /// The deliveries that there may be.
        budget: u64,
        /// The bytes that there may be.
        memory: u64,
        /// What would fit.
        instead: String,
    },
    /// Nothing fits.
    #[error("{0}")]
    NothingFits(String),
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

/// What is asked for, if all of it fits the budget and the memory. The standard campaign's own plan is cut to fit.
pub fn choose(spec: &ExplorerSpec, setting: &Setting) -> Result<Choice, PlanError> {
    let (registration, argument) = find(spec)?;
    let choice = (registration.open)(argument, setting)?;
    if choice.every_set || !choice.asked || choice.fits(setting) {
        return Ok(choice);
    }
    let Setting { deltas, budget, memory, .. } = *setting;
    let orders = choice.explorers.first().and_then(|chooser| chooser.explorer.number(deltas));
    let instead = choice::instead(setting, Choice::strongest(setting));
    if let (Some((deliveries, bytes)), Some(orders)) = (choice.cost(deltas), orders)
        && deliveries <= budget
    {
        return Err(PlanError::OverMemory { orders, deltas, bytes, memory, instead });
    }
    let deliveries = match (orders, factorial::factorial(deltas)) {
        (Some(orders), _) => (u128::from(orders) * u128::from(deltas)).to_string(),
        (None, Some(all)) => (all * deltas).to_string(),
        (None, None) => format!("{deltas}! times {deltas}"),
    };
    let orders = orders.map_or_else(|| factorial::text(deltas), |orders| orders.to_string());
    Err(PlanError::OverBudget { orders, deltas, deliveries, budget, instead })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

    fn setting(deltas: u64, budget: u64) -> Setting<'static> {
        let (memory, software, devices) = (256 << 20, true, true);
        Setting { scenario: None, deltas, seed: SEED, banks: 8, budget, memory, software, devices }
    }

    fn chosen(spec: &str, setting: &Setting) -> Result<String, String> {
        let choice = choose(&spec.parse().expect("a spec"), setting).map_err(|refused| refused.to_string())?;
        Ok(choice.asked_for(setting.deltas))
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
        fn a_plan_that_is_taken_keeps_its_bounds_and_gives_the_orders_that_it_counts(
            deltas in 1..70u64,
            budget in 0..20_000u64,
            memory in 0..200_000u64,
            spec in "(auto|standard|exhaustive|all|covering:[23]|sample:[1-9][0-9]{0,2}|adversarial)",
            who in 1..4u8,
        ) {
            let (software, devices) = (who & 1 != 0, who & 2 != 0);
            let setting = Setting { memory, software, devices, ..setting(deltas, budget) };
            if let Ok(choice) = choose(&spec.parse().expect("a spec"), &setting) {
                let (deliveries, bytes) = choice.cost(deltas).expect("it is counted");
                prop_assert!(deliveries <= budget && (bytes <= memory || !choice.asked));
                for chooser in &choice.explorers {
                    let orders = chooser.explorer.orders(deltas, chooser.planned).count() as u64;
                    prop_assert_eq!(orders, chooser.planned);
                }
                prop_assert!(!choice.every_set || deltas <= 11);
            }
        }
    }
}
