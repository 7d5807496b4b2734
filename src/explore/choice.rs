//! What is tried of a workload's orders: whole orders by one explorer after the other, and every delivered set besides
//! where that fits.
//!
//! Knows: the explorers, and what they cost. Must not: deliver anything.

use std::num::NonZeroUsize;

use crate::domain::explorer::{Claim, Explorer};
use crate::domain::replica::Merging;
use crate::domain::trial::MOST_WALKED;
use crate::domain::verdict::FEWEST_SAMPLES;
use crate::explore::adversarial::Adversarial;
use crate::explore::all_orders::{self, AllOrders};
use crate::explore::covering::{self, Covering};
use crate::explore::exhaustive::{Comparison, Plan};
use crate::explore::seeded::{self, Seeded};
use crate::explore::{EXHAUSTIVE, PlanError, Setting, search};

/// Permutations that are drawn where nothing stronger fits, and beside what is weaker than they are; and the most orders
/// of which the standard campaign tries all.
pub const SAMPLED: u64 = 64;

/// Bytes for each whole order: its identity, by which two are told apart, in a search tree.
const IDENTITY_BYTES: u64 = 40;

/// An explorer, and how many of its orders are planned.
pub struct Chooser {
    /// The explorer.
    pub explorer: Box<dyn Explorer>,
    /// So many of its orders, from the first on.
    pub planned: u64,
}

impl Chooser {
    /// An explorer with all of its orders; `None` if a 64-bit number does not count them.
    fn with_all(explorer: impl Explorer + 'static, deltas: u64) -> Option<Self> {
        let planned = explorer.number(deltas)?;
        Some(Chooser { explorer: Box::new(explorer), planned })
    }
}

/// What is tried.
pub struct Choice {
    /// Who chooses whole orders, one after the other.
    pub explorers: Vec<Chooser>,
    /// Whether every delivered set is walked over, or searched, besides.
    pub every_set: bool,
    /// Whether the user chose, rather than the campaign.
    pub asked: bool,
}

impl Choice {
    /// All orders of one explorer.
    pub(super) fn of(explorer: Box<dyn Explorer>, deltas: u64) -> Self {
        // What cannot be counted fits no budget.
        let planned = explorer.number(deltas).unwrap_or(u64::MAX);
        Choice { explorers: vec![Chooser { explorer, planned }], every_set: false, asked: true }
    }

    /// The standard campaign's own: all orders where there are at most 64; else the adversarial ones and up to 64 drawn
    /// ones, as many as fit.
    pub fn standard(setting: &Setting) -> Self {
        let Setting { deltas, banks, budget, .. } = *setting;
        let fitting = budget / deltas;
        let all = AllOrders::within(deltas, SAMPLED).filter(|&orders| orders <= fitting);
        let explorers = match all {
            Some(planned) => vec![Chooser { explorer: Box::new(AllOrders), planned }],
            None => {
                let adversarial = Adversarial { banks };
                // Where not all fit, half of them are drawn, and as many as a warrant takes: only those carry one.
                let beside = (fitting / 2).min(fitting.saturating_sub(FEWEST_SAMPLES));
                let by_hand = adversarial.number(deltas).unwrap_or(0).min(beside);
                let drawn = SAMPLED.min(fitting - by_hand);
                vec![
                    Chooser { explorer: Box::new(adversarial), planned: by_hand },
                    Chooser { explorer: Box::new(Seeded { orders: drawn }), planned: drawn },
                ]
            }
        };
        Choice { explorers, every_set: false, asked: false }
    }

    /// How many orders the standard campaign's own plan has where the budget allows them.
    pub fn most_of_standard(setting: &Setting) -> u64 {
        let Setting { deltas, banks, .. } = *setting;
        let by_hand = || Adversarial { banks }.number(deltas).unwrap_or(0);
        AllOrders::within(deltas, SAMPLED).unwrap_or_else(|| SAMPLED + by_hand())
    }

    /// Every delivered set, and the strongest whole orders that fit beside.
    pub(super) fn exhaustive(setting: &Setting) -> Result<Self, PlanError> {
        let Setting { deltas, budget, memory, .. } = *setting;
        let instead = || instead(setting, whole_orders(setting));
        let cost = EverySetCost::of(setting).ok_or_else(|| PlanError::TooManySets { deltas, instead: instead() })?;
        let fits = cost.deliveries <= budget && cost.bytes <= memory;
        let beside = fits
            .then(|| {
                whole_orders(&Setting {
                    budget: budget - cost.of_sets(deltas),
                    memory: memory - cost.bytes,
                    ..*setting
                })
            })
            .flatten();
        beside.map(|beside| Choice { every_set: true, ..beside }).ok_or_else(|| PlanError::EverySet {
            deltas,
            cost,
            budget,
            memory,
            instead: instead(),
        })
    }

    /// The strongest that fits. All orders, delivered whole, are a proof that takes nothing for granted: every delivered
    /// set goes before them only where they fit beside it.
    pub(super) fn strongest(setting: &Setting) -> Option<Self> {
        let whole = whole_orders(setting)?;
        let exhaustive = Choice::exhaustive(setting).ok();
        let exhaustive = exhaustive.filter(|exhaustive| !whole.has_all() || exhaustive.has_all());
        Some(exhaustive.unwrap_or(whole))
    }

    fn has_all(&self) -> bool {
        self.explorers.iter().any(|chooser| chooser.explorer.name() == all_orders::NAME)
    }

    /// Whole orders that are planned.
    pub fn planned(&self) -> u64 {
        self.explorers.iter().map(|chooser| chooser.planned).sum()
    }

    /// Deliveries and bytes of the whole orders; `None` where no 64-bit number tells.
    pub(super) fn cost(&self, deltas: u64) -> Option<(u64, u64)> {
        let mut sum = (0u64, 0u64);
        for Chooser { explorer, planned } in &self.explorers {
            // Where all orders are planned, each has a bit, which the explorer counts.
            let kept = if explorer.name() == all_orders::NAME { 0 } else { planned.checked_mul(IDENTITY_BYTES)? };
            sum.0 = sum.0.checked_add(planned.checked_mul(deltas)?)?;
            sum.1 = sum.1.checked_add(explorer.bytes(deltas).checked_add(kept)?)?;
        }
        Some(sum)
    }

    pub(super) fn fits(&self, setting: &Setting) -> bool {
        let cost = self.cost(setting.deltas);
        cost.is_some_and(|(deliveries, bytes)| deliveries <= setting.budget && bytes <= setting.memory)
    }

    /// What `--orders` takes for it.
    pub(super) fn asked_for(&self, deltas: u64) -> String {
        if self.every_set {
            return EXHAUSTIVE.to_owned();
        }
        let first = self.explorers.first().expect("a choice has an explorer");
        match first.explorer.claim(deltas) {
            Claim::EveryTuple { strength } => format!("{}:{strength}", covering::NAME),
            Claim::Drawn { .. } => format!("{}:{}", seeded::ASKED_FOR, first.planned),
            Claim::EveryOrder | Claim::Chosen => first.explorer.name().to_owned(),
        }
    }
}

/// What it costs to reach every set of a workload's deltas in every way, and to try [`SAMPLED`] whole orders besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EverySetCost {
    /// Deliveries to each subject, those that recompute a state included.
    pub deliveries: u64,
    /// Bytes.
    pub bytes: u64,
}

impl EverySetCost {
    /// Of the costlier of the subjects that there are; `None` if the deltas are too many for any.
    fn of(setting: &Setting) -> Option<Self> {
        let deltas = u32::try_from(setting.deltas).ok().filter(|deltas| *deltas <= MOST_WALKED)?;
        let (mut deliveries, mut bytes) = (0, 0);
        if setting.software {
            let replica = Merging { deltas: &[], start: 0, merge: |state: u64, _| state };
            // One thread: what is chosen must not depend on how many there are.
            let cost = Plan::every_order(deltas).cost(&replica, Comparison::Whole, NonZeroUsize::MIN);
            // Every set is then compared with the truth, a delivery each.
            deliveries = u64::try_from(cost.deliveries()).ok()?.checked_add(1 << deltas)?;
            bytes = u64::try_from(cost.memory).ok()?;
        }
        if setting.devices {
            deliveries = deliveries.max(search::deliveries(deltas));
            bytes = bytes.max(search::bytes(deltas));
        }
        Some(EverySetCost { deliveries: deliveries.checked_add(SAMPLED * setting.deltas)?, bytes })
    }
}

impl EverySetCost {
    /// The deliveries without those of the whole orders.
    fn of_sets(self, deltas: u64) -> u64 {
        self.deliveries - SAMPLED * deltas
    }
}

/// The most tuples that are counted for a family that nobody asked for by its strength, beyond triples: choosing should
/// take no longer than trying.
const TUPLES_UNASKED: u64 = 1 << 18;

/// The strongest whole orders that fit: a proof, then the longest tuples, with drawn orders where there are fewer of them;
/// then drawn orders alone.
fn whole_orders(setting: &Setting) -> Option<Choice> {
    let Setting { deltas, seed, budget, memory, .. } = *setting;
    let fitting = |explorers: Vec<Option<Chooser>>| {
        let explorers = explorers.into_iter().collect::<Option<Vec<Chooser>>>()?;
        Some(Choice { explorers, every_set: false, asked: true }).filter(|choice| choice.fits(setting))
    };
    let drawn = |most: u64| Chooser::with_all(Seeded { orders: most }, deltas);
    let covering = |strength: u32| {
        let tuples = deltas.checked_pow(strength).filter(|&tuples| strength <= 3 || tuples <= TUPLES_UNASKED)?;
        // A family has at least strength! orders; only if those fit is it made.
        let least = (1..=u64::from(strength)).product::<u64>();
        let may_fit = least.saturating_mul(deltas) <= budget && covering::bytes_to_count(tuples) <= memory;
        if covering::fits(deltas, strength).is_err() || !may_fit {
            return None;
        }
        let family = || Chooser::with_all(Covering { strength, seed }, deltas);
        let beside = SAMPLED.saturating_sub(family()?.planned);
        let with_drawn = if beside > 0 { fitting(vec![family(), drawn(beside)]) } else { None };
        with_drawn.or_else(|| fitting(vec![family()]))
    };
    let sampled = SAMPLED.min(budget / deltas);
    fitting(vec![Chooser::with_all(AllOrders, deltas)])
        .or_else(|| covering::STRENGTHS.rev().find_map(covering))
        .or_else(|| if sampled > 0 { fitting(vec![drawn(sampled)]) } else { None })
}

/// What would fit, as a sentence.
pub(super) fn instead(setting: &Setting, strongest: Option<Choice>) -> String {
    let deltas = setting.deltas;
    match strongest {
        None if setting.budget < deltas => format!("not one order fits, and --budget {deltas} takes one"),
        None => {
            let bytes = Seeded { orders: SAMPLED }.bytes(deltas) + SAMPLED * IDENTITY_BYTES;
            format!("no plan fits that memory, and --memory {} takes one", bytes.div_ceil(1 << 20))
        }
        Some(strongest) => {
            let of_sets =
                EverySetCost::of(setting).filter(|_| strongest.every_set).map_or(0, |cost| cost.of_sets(deltas));
            let deliveries = strongest.cost(deltas).map_or(0, |(deliveries, _)| deliveries) + of_sets;
            format!("auto takes {}, with {deliveries} deliveries", strongest.asked_for(deltas))
        }
    }
}
