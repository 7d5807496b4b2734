//! Which orders are tried: what was asked for, or the campaign's own plan.

use crate::campaign::arrival_orders::Workload;
use crate::domain::explorer::{Audit, Explorer, ExplorerSpec};
use crate::domain::verdict::Warrant;
use crate::explore::adversarial::Adversarial;
use crate::explore::all_orders::AllOrders;
use crate::explore::seeded::Seeded;
use crate::explore::{self, PlanError, Setting};

/// Seeded permutations that are tried where the budget allows, and the most orders that are all tried.
const ORDERS: u64 = 64;

impl Workload {
    pub(super) fn setting<'a>(&self, scenario: Option<&'a str>) -> Setting<'a> {
        let Workload { count, seed, budget, banks, .. } = *self;
        Setting { scenario, deltas: count.into(), seed, banks, budget: budget.get() }
    }
}

/// The orders of a run, by the explorers that choose them.
pub struct Chosen {
    pub(super) explorers: Vec<Chooser>,
    /// Whether the user chose them, rather than the campaign.
    pub(super) asked: bool,
}

/// An explorer, and how many of its orders are planned.
pub(super) struct Chooser {
    pub(super) explorer: Box<dyn Explorer>,
    pub(super) planned: u64,
}

impl Chosen {
    /// What this text asks for, all of it or nothing.
    pub fn asked_for(spec: &ExplorerSpec, workload: &Workload, scenario: Option<&str>) -> Result<Self, PlanError> {
        let explorer = explore::explorer(spec, &workload.setting(scenario))?;
        let planned = explorer.number(workload.count.into()).unwrap_or(0);
        Ok(Chosen { explorers: vec![Chooser { explorer, planned }], asked: true })
    }

    /// All orders where there are at most 64; else the adversarial ones and up to 64 seeded ones, as many as fit.
    pub fn standard(workload: &Workload) -> Self {
        let count = u64::from(workload.count);
        let fitting = workload.budget.get() / count;
        if let Some(planned) = AllOrders::within(count, ORDERS).filter(|&orders| orders <= fitting) {
            let explorers = vec![Chooser { explorer: Box::new(AllOrders), planned }];
            return Chosen { explorers, asked: false };
        }
        let adversarial = Adversarial { banks: workload.banks };
        // Where not all fit, half of them are drawn: only those carry a warrant.
        let by_hand = adversarial.number(count).unwrap_or(0).min(fitting / 2);
        let drawn = ORDERS.min(fitting - by_hand);
        let seeded = Seeded { orders: drawn, seed: workload.seed };
        let explorers = vec![
            Chooser { explorer: Box::new(adversarial), planned: by_hand },
            Chooser { explorer: Box::new(seeded), planned: drawn },
        ];
        Chosen { explorers, asked: false }
    }

    /// How many orders the campaign's own plan has where the budget allows them.
    pub(super) fn most_of_standard(workload: &Workload) -> u64 {
        let count = u64::from(workload.count);
        let by_hand = || Adversarial { banks: workload.banks }.number(count).unwrap_or(0);
        AllOrders::within(count, ORDERS).unwrap_or_else(|| ORDERS + by_hand())
    }

    pub(super) fn planned(&self) -> u64 {
        self.explorers.iter().map(|chooser| chooser.planned).sum()
    }

    /// What the first `tried` of the orders are worth.
    pub(super) fn warrant(&self, count: u64, tried: &[u64]) -> Option<Warrant> {
        let choosers = self.explorers.iter().zip(tried);
        choosers.filter(|(_, tried)| **tried > 0).find_map(|(chooser, &tried)| chooser.explorer.warrant(count, tried))
    }

    pub(super) fn audit(&self, count: u64, tried: &[u64]) -> Option<Audit> {
        let mut choosers = self.explorers.iter().zip(tried).filter(|(_, tried)| **tried > 0);
        choosers.find_map(|(chooser, &tried)| chooser.explorer.audit(count, tried))
    }
}
