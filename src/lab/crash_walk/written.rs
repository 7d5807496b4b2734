//! A way through the small world, written down, and followed again.

use super::{Act, Moment, SmallWorld, Step};
use crate::domain::way::{WayAct, WayCrash, WayStep};
use crate::engine::host::NodeId;
use crate::engine::store::disk::Loss;
use crate::explore::every_step::System;

/// Possible steps that a refusal names.
const NAMED: usize = 12;

/// A step that cannot happen where the way has it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("step {place}, {step}, cannot happen there; {possible}")]
pub struct Impossible {
    place: usize,
    step: WayStep,
    possible: String,
}

impl SmallWorld<'_> {
    /// A way from the start, written down.
    ///
    /// # Panics
    /// If it is no way through this world.
    pub fn written(&mut self, way: &[Step]) -> Vec<WayStep> {
        let mut moment = self.start();
        let one = |step: &Step| {
            let written = self.written_step(&moment, step);
            let next = self.steps(&moment).into_iter().find(|(possible, _)| possible == step);
            moment = next.expect("the walk came this way").1;
            written
        };
        way.iter().map(one).collect()
    }

    /// Follows a way from the start: where it leads, and what happens on it, in words.
    ///
    /// # Errors
    /// If a step cannot happen where the way has it.
    pub fn follow(&mut self, way: &[WayStep]) -> Result<(Moment, Vec<String>), Impossible> {
        let (mut moment, mut told) = (self.start(), Vec::with_capacity(way.len()));
        for (place, wanted) in way.iter().enumerate() {
            let possible = self.steps(&moment);
            let written: Vec<WayStep> = possible.iter().map(|(step, _)| self.written_step(&moment, step)).collect();
            let Some(chosen) = written.iter().position(|step| step == wanted) else {
                return Err(Impossible { place: place + 1, step: *wanted, possible: named(&written) });
            };
            let (step, next) = &possible[chosen];
            told.push(self.told(step));
            moment = *next;
        }
        Ok((moment, told))
    }

    fn written_step(&self, moment: &Moment, step: &Step) -> WayStep {
        match *step {
            Step::Act(node, act) => WayStep::Act(self.written_act(moment, node, act), None),
            Step::Crash(node, act, after, loss) => {
                let kept = match loss {
                    Loss::All => Some(0),
                    Loss::After(bytes) => Some(bytes),
                    Loss::Nothing => None,
                };
                WayStep::Act(self.written_act(moment, node, act), Some(WayCrash { after, kept }))
            }
            Step::Lose(number) => WayStep::Lose(self.place(moment, number)),
            Step::Repeat(_, number) => WayStep::Repeat(self.place(moment, number)),
        }
    }

    fn written_act(&self, moment: &Moment, node: NodeId, act: Act) -> WayAct {
        match act {
            Act::Edit => WayAct::Edit(node),
            Act::Connect => WayAct::Connect(node),
            Act::Receive(number) => WayAct::Receive(self.place(moment, number)),
            Act::Retry => WayAct::Retry(node),
            Act::Restart => WayAct::Start(node),
        }
    }

    /// How many different messages on their way come before this one, by what they are: their numbers depend on which was met
    /// first.
    fn place(&self, moment: &Moment, number: u32) -> u32 {
        let content = |number: u32| self.states.envelopes.value(number);
        self.different(*moment).filter(|&other| content(other) < content(number)).count() as u32
    }
}

fn named(possible: &[WayStep]) -> String {
    let shown: Vec<String> = possible.iter().take(NAMED).map(WayStep::to_string).collect();
    match possible.len() {
        0 => "the way is over before".to_owned(),
        all if all > NAMED => format!("what can: {} and {} more", shown.join(", "), all - NAMED),
        _ => format!("what can: {}", shown.join(", ")),
    }
}
