//! The registers inside two simulations of the same RTL, one of which has faults: which of them begins to differ.

use crate::device::registers::adapter::CONTEXTS;
use crate::device::rtl::ffi::{Inside, Simulation};
use crate::domain::fault::Site;

/// A signal that began to differ.
pub struct Wrong {
    /// The bank, if it is one.
    pub bank: Option<u32>,
    /// What it holds and should hold, in words.
    pub what: String,
}

/// What a comparison after a clock found.
pub struct Found {
    /// The first signal that differs now and did not after the clock before.
    pub wrong: Option<Wrong>,
    /// Contexts that are selected or were written.
    pub touched: Vec<u8>,
}

/// What two simulations held after the clock before.
#[derive(Default)]
pub struct Signals {
    /// The signals that differed.
    differing: Vec<String>,
    /// The references of the one with faults.
    references: Vec<u64>,
}

impl Signals {
    /// Compares this part of the two after a clock.
    pub fn compare(&mut self, part: Site, got: &Simulation, right: &Simulation) -> Found {
        let (inside, sound) = (got.inside(), right.inside());
        let mut touched = Vec::new();
        let mut pairs = Vec::new();
        if inside != sound {
            let signals = of(part, &inside).into_iter().zip(of(part, &sound));
            pairs.extend(
                signals.filter(|(got, right)| got != right).map(|((name, got), (_, right))| (name, got, right)),
            );
        }
        // The contexts' memory changes in commands alone.
        if part == Site::Adapter && (inside.stage != 0 || self.references.is_empty()) {
            touched.push(inside.selected as u8);
            let references: Vec<u64> = (0..CONTEXTS).map(|context| got.reference(context as u8)).collect();
            for (context, &reference) in references.iter().enumerate() {
                let sound = right.reference(context as u8);
                let name = format!("the adapter's context {context}");
                let written = self.references.get(context).is_some_and(|&before| before != reference);
                if written || sound != reference {
                    touched.push(context as u8);
                }
                if sound != reference {
                    pairs.push((name, reference, sound));
                }
            }
            self.references = references;
        } else {
            // What differed in the memory still does.
            let kept = self.differing.iter().filter(|name| name.starts_with("the adapter's context "));
            let kept: Vec<String> = kept.cloned().collect();
            self.differing.retain(|name| !kept.contains(name));
            let wrong = self.newest(&pairs);
            self.differing = pairs.into_iter().map(|(name, ..)| name).chain(kept).collect();
            return Found { wrong, touched };
        }
        let wrong = self.newest(&pairs);
        self.differing = pairs.into_iter().map(|(name, ..)| name).collect();
        Found { wrong, touched }
    }

    /// The first of these signals that did not differ before.
    fn newest(&self, pairs: &[(String, u64, u64)]) -> Option<Wrong> {
        let (name, got, right) = pairs.iter().find(|(name, ..)| !self.differing.contains(name))?;
        let bank = name.strip_prefix("bank ").and_then(|number| number.parse().ok());
        Some(Wrong { bank, what: format!("{name} holds {got:#x} and should hold {right:#x}") })
    }
}

/// The registers of a part, in the order in which a wrong value spreads from one to the next.
fn of(part: Site, inside: &Inside) -> Vec<(String, u64)> {
    let named = |whose: &str, words: &[(&str, u64)]| -> Vec<(String, u64)> {
        words.iter().map(|(name, word)| (format!("the {whose} {name}"), *word)).collect()
    };
    match part {
        Site::Engine => {
            let mut signals = named(
                "engine's",
                &[
                    ("COUNT", inside.count.into()),
                    ("ACTIVE", inside.active.into()),
                    ("SEED", inside.seed),
                    ("next index", inside.next),
                ],
            );
            signals.extend(inside.banks.iter().enumerate().map(|(bank, &word)| (format!("bank {bank}"), word)));
            signals.extend(named(
                "engine's",
                &[
                    ("CYCLES", inside.cycles.into()),
                    ("RESULT", inside.result),
                    ("busy", inside.engine_busy.into()),
                    ("done", inside.engine_done.into()),
                    ("answer", inside.answer.into()),
                ],
            ));
            signals
        }
        Site::Adapter => named(
            "adapter's",
            &[
                ("RS1", inside.rs1.into()),
                ("RS2", inside.rs2.into()),
                ("CMD", inside.code.into()),
                ("stage", inside.stage.into()),
                ("latched low word of a LOAD", inside.load_low.into()),
                ("latched low word of an ACCUM", inside.delta_low.into()),
                ("selected context", inside.selected.into()),
                ("accumulator", inside.accumulator),
                ("response", inside.response.into()),
                ("RD", inside.rd.into()),
                ("response_ok", inside.response_ok.into()),
                ("answer", inside.answer.into()),
            ],
        ),
    }
}
