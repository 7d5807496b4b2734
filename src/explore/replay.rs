//! One order, pasted as the text of its schedule.

use crate::domain::explorer::{Claim, Explorer};
use crate::domain::order::Order;
use crate::domain::schedule::Schedule;
use crate::explore::permutation::{Permutation, deliverable};
use crate::explore::{PlanError, Setting};

/// What it is called.
pub const NAME: &str = "replay";

/// The order of a schedule that belongs to the workload.
#[derive(Clone, Debug)]
pub struct Replay {
    order: Order,
}

impl Replay {
    /// The order of this schedule, if it is one of the setting's workload and delivers each of its deltas once.
    pub fn of(schedule: Schedule, setting: &Setting) -> Result<Self, PlanError> {
        let Schedule { scenario, count, seed, length, order } = schedule;
        let refused = |reason: String| Err(PlanError::Schedule(reason));
        if let Some(name) = scenario.filter(|name| setting.scenario != Some(name)) {
            let this = setting.scenario.map_or("a run without a scenario".to_owned(), |this| format!("'{this}'"));
            return refused(format!("it is of scenario '{name}', and this is {this}"));
        }
        if u64::from(count.get()) != setting.deltas {
            return refused(format!("it is of COUNT {count}, and this workload has COUNT {}", setting.deltas));
        }
        if seed != setting.seed {
            return refused(format!("it is of SEED {seed}, and this workload has SEED {}", setting.seed));
        }
        deliverable(&order, setting.deltas, setting.seed).map_err(|error| PlanError::Schedule(error.to_string()))?;
        let delivered = Permutation::prepare(&order, setting.deltas, setting.seed).len();
        if delivered != length {
            return refused(format!("its length is {length}, and its order makes {delivered} deliveries"));
        }
        if let Order::Exactly(indices) = &order {
            let mut sorted = indices.clone();
            sorted.sort_unstable();
            if let Some(last) = sorted.last().filter(|&&last| u64::from(last) >= setting.deltas) {
                return refused(format!("it delivers delta {last}, and the last one is {}", setting.deltas - 1));
            }
            if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
                return refused(format!("it delivers delta {} twice; each is delivered once", pair[0]));
            }
            if length < setting.deltas {
                return refused(format!(
                    "it makes {length} deliveries, and the workload has {} deltas",
                    setting.deltas
                ));
            }
        }
        Ok(Replay { order })
    }
}

impl Explorer for Replay {
    fn name(&self) -> &'static str {
        NAME
    }

    fn number(&self, _deltas: u64) -> Option<u64> {
        Some(1)
    }

    fn orders(&self, _deltas: u64, limit: u64) -> Box<dyn Iterator<Item = Order>> {
        Box::new((limit > 0).then(|| self.order.clone()).into_iter())
    }

    fn claim(&self, _deltas: u64) -> Claim {
        Claim::Chosen
    }
}
