//! What no check asked of a device: registers' bits, commands' answers, pairs of contexts, resets, long runs.

use crate::domain::access::{Command, Register};
use crate::domain::asked::{ALL_PAIRS, Asked, KEEPERS, Move, RESET_ONES};
use crate::domain::fault::{FaultClass, Site};
use crate::oracle::residue::numbered;
use crate::subject::told::Told;

/// What was asked of one device.
pub struct AskedOf {
    /// The device's name.
    pub device: String,
    banks: u32,
    in_process: bool,
    asked: Asked,
}

impl AskedOf {
    /// What was asked of this device so far; nothing if it has no bench engine.
    pub fn device(told: &Told) -> Option<AskedOf> {
        let (device, banks) = (told.name().to_owned(), told.record.banks);
        Some(AskedOf { device, banks, in_process: told.in_process, asked: told.asked.clone()? })
    }

    /// How much was tried of what a claim is about, where that is counted.
    pub fn extent(&self, class: FaultClass) -> Option<String> {
        let pairs = |by| self.asked.pairs(by);
        match class {
            FaultClass::WrongContext => Some(format!(
                "SWAP between {} and LOAD between {} of {ALL_PAIRS} pairs of contexts",
                pairs(Move::Swap),
                pairs(Move::Load)
            )),
            FaultClass::WrongCycles => Some(format!("runs of up to {} deltas", self.asked.longest_run())),
            _ => None,
        }
    }

    /// A sentence for each class of what no check looked at.
    pub fn sentences(&self) -> Vec<String> {
        let sentences = [
            self.bits(),
            self.active(),
            self.answers(),
            self.pairs(),
            self.flags(),
            self.resets(),
            self.parts_of_words(),
            self.longest_run(),
            other_addresses(),
        ];
        sentences.into_iter().flatten().collect()
    }

    fn bits(&self) -> Option<String> {
        let registers: Vec<String> = KEEPERS
            .into_iter()
            .filter_map(|register| {
                let missing = self.asked.bits_not_kept(register);
                (missing != 0).then(|| format!("{} {}", document_name(register), bits(missing)))
            })
            .collect();
        (!registers.is_empty()).then(|| {
            format!(
                "Register bits: no check wrote these both as 0 and as 1 and then read them back or ran with them: {}.",
                registers.join("; ")
            )
        })
    }

    fn active(&self) -> Option<String> {
        (!self.asked.saw_active_clamped(self.banks)).then(|| {
            format!(
                "ACTIVE: no check wrote 0 and more than {} to it; whether it is clamped was not looked at.",
                self.banks
            )
        })
    }

    fn answers(&self) -> Option<String> {
        let unseen: Vec<String> = Command::ALL
            .into_iter()
            .filter(|&command| !self.asked.saw_answer(command))
            .map(|command| command.to_string())
            .collect();
        (!unseen.is_empty()).then(|| format!("Answers: no check looked at what RD holds after {}.", unseen.join(", ")))
    }

    fn pairs(&self) -> Option<String> {
        let (swaps, loads) = (self.asked.pairs(Move::Swap), self.asked.pairs(Move::Load));
        (swaps < ALL_PAIRS || loads < ALL_PAIRS).then(|| {
            format!(
                "Pairs of contexts: of the {ALL_PAIRS}, a SWAP between {swaps} and a LOAD between {loads} were looked at; \
                 an error of others alone goes unseen."
            )
        })
    }

    fn flags(&self) -> Option<String> {
        (!self.asked.saw_flags_during_runs())
            .then(|| "Flags: no check looked at done and busy while a run went on.".to_owned())
    }

    fn resets(&self) -> Option<String> {
        let unseen: Vec<&str> = RESET_ONES
            .into_iter()
            .filter(|&register| !self.asked.saw_reset_value(register))
            .map(document_name)
            .collect();
        let why = if self.in_process { "no check looked" } else { "not asked, since no link can reset a device" };
        (!unseen.is_empty()).then(|| format!("Values after a reset: {why}: {}.", unseen.join(", ")))
    }

    fn parts_of_words(&self) -> Option<String> {
        let unseen: Vec<&str> = [(Site::Engine, "engine"), (Site::Adapter, "adapter")]
            .into_iter()
            .filter(|&(site, _)| !self.asked.wrote_parts_of_words(site))
            .map(|(_, name)| name)
            .collect();
        let why = if self.in_process { "no check wrote them" } else { "not asked, since the link writes whole words" };
        (!unseen.is_empty()).then(|| format!("Writes of some bytes of a word, {}: {why}.", unseen.join(" and ")))
    }

    fn longest_run(&self) -> Option<String> {
        let longest = self.asked.longest_run();
        match longest {
            u32::MAX => None,
            0 => Some("Runs: the engine made none that was judged.".to_owned()),
            _ => Some(format!(
                "Long runs: none had more than {longest} deltas; an index, COUNT or CYCLES that wraps above goes unseen."
            )),
        }
    }
}

/// Accesses name registers, so that no check can ask for another address.
fn other_addresses() -> Option<String> {
    Some(
        "Other addresses: no check accessed any but those of registers; a device that hangs its bus there goes unseen."
            .to_owned(),
    )
}

/// A register as the device's documents name it.
fn document_name(register: Register) -> &'static str {
    match register {
        Register::Ctrl => "CTRL",
        Register::Count => "COUNT",
        Register::Active => "ACTIVE",
        Register::SeedLo => "SEED_LO",
        Register::SeedHi => "SEED_HI",
        Register::Cycles => "CYCLES",
        Register::ResultLo => "RESULT_LO",
        Register::ResultHi => "RESULT_HI",
        Register::EngineStatus => "STATUS of the engine",
        Register::Cmd => "CMD",
        Register::Rs1 => "RS1",
        Register::Rs2 => "RS2",
        Register::Rd => "RD",
        Register::AdapterStatus => "STATUS of the adapter",
    }
}

/// "bits 0 to 31", "bits 3, 7 and 9".
fn bits(mask: u32) -> String {
    let set: Vec<u32> = (0..u32::BITS).filter(|bit| mask >> bit & 1 == 1).collect();
    let mut spans: Vec<(u32, u32)> = Vec::new();
    for bit in set {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == bit => *last = bit,
            _ => spans.push((bit, bit)),
        }
    }
    match spans[..] {
        [(first, last)] if first != last => format!("bits {first} to {last}"),
        [(only, _)] => numbered("bit", &[only]),
        _ => {
            let span = |&(first, last): &(u32, u32)| match last - first {
                0 => first.to_string(),
                _ => format!("{first}-{last}"),
            };
            format!("bits {}", spans.iter().map(span).collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::trial::{Conformance, StandardCheck, StandardTrial, Trial};
    use crate::domain::watch::Unwatched;
    use crate::experiment::jobs::Jobs;
    use crate::experiment::valid::Valid;
    use crate::experiment::{self, Bench};
    use crate::report::journal::{Head, Journal};
    use crate::report::record::Record;
    use crate::scenario::Scenario;
    use crate::subject::links::LinkConditions;
    use crate::subject::{Conditions, backends, open};
    use std::num::NonZeroUsize;

    /// The sentences of a run of these checks that say what was not looked at.
    fn unseen(checks: &[StandardCheck], conformance: Conformance) -> Vec<String> {
        let trial = StandardTrial { checks: checks.to_vec(), conformance, ..StandardTrial::published() };
        let conditions = Conditions { threads: NonZeroUsize::MIN, faults: Vec::new(), link: LinkConditions::default() };
        let scenario = Valid::of(Scenario::unnamed(Trial::Standard(trial))).expect("it is sound");
        let mut subjects = open(&backends(["model"]).expect("a backend"), &conditions).expect("the model is there");
        let mut record = Record::begun(scenario.trial.clone());
        let journal = Journal::none(Head::of(record.asked.clone(), None));
        let jobs = Jobs::all(conditions.threads, &journal);
        let bench = Bench { subjects: &mut subjects, jobs, record: &mut record, watch: &mut Unwatched };
        scenario.run(bench).expect("the model answers");
        experiment::of(&scenario.trial).unseen(&record, &subjects).by_run
    }

    fn beginnings(sentences: &[String]) -> Vec<&str> {
        let classes = [
            "Register bits",
            "ACTIVE",
            "Answers",
            "Pairs of contexts",
            "Flags",
            "Values after a reset",
            "Writes of some bytes",
            "Long runs",
            "Runs",
        ];
        classes.into_iter().filter(|class| sentences.iter().any(|sentence| sentence.starts_with(class))).collect()
    }

    #[test]
    fn a_run_with_a_check_left_out_names_what_was_then_not_looked_at() {
        use StandardCheck::{Accumulation, AdapterRoundTrips, BankSweep, ShortSweep, SyncTick};
        let without = [Accumulation, BankSweep, ShortSweep, AdapterRoundTrips, SyncTick];
        let told = unseen(&without, Conformance::Quick);
        let of_registers = ["Register bits", "ACTIVE", "Answers", "Pairs of contexts", "Flags", "Values after a reset"];
        let all = [&of_registers[..], &["Writes of some bytes", "Long runs"]].concat();
        assert_eq!(beginnings(&told), all, "{told:#?}");
        let answers = told.iter().find(|sentence| sentence.starts_with("Answers")).expect("a sentence");
        assert_eq!(
            answers,
            "Answers: no check looked at what RD holds after LOAD, ACCUM, SWAP, LOAD_HI, ACCUM_HI, STATUS."
        );
        let with = unseen(&[], Conformance::Quick);
        assert_eq!(beginnings(&with), ["Pairs of contexts", "Long runs"], "{with:#?}");
        let whole = unseen(&[StandardCheck::Conformance], Conformance::Whole);
        assert_eq!(beginnings(&whole), ["Long runs"], "{whole:#?}");
        let bare = unseen(&[AdapterRoundTrips], Conformance::Quick);
        assert!(beginnings(&bare).contains(&"Runs"), "{bare:#?}");
    }

    #[test]
    fn bits_are_told_in_spans() {
        assert_eq!(bits(u32::MAX), "bits 0 to 31");
        assert_eq!(bits(1 << 29), "bit 29");
        assert_eq!(bits(0b1011), "bits 0-1, 3");
    }
}
