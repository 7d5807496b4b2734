//! Every fault that can be planted: what it does, which ones a qualification plants, and why one may do nothing.

use crate::domain::fault::{Fault, Site, WrongOperator};
use crate::domain::seed::Seed;

/// A kind of fault.
pub struct Entry {
    /// As `--plant` takes it.
    pub form: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// The members of the kind that a qualification plants, each a set of faults that are planted together.
    mutants: fn(Shape) -> Vec<Vec<Fault>>,
}

/// What a catalogue of faults is made for.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Banks of the engine.
    pub banks: u32,
    /// Deltas of the longest engine run; 0 if the engine is not run.
    pub longest_run: u32,
}

/// Faults to plant together, and the kind that they are of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mutant {
    /// The form of their catalogue entry.
    pub kind: &'static str,
    /// What is planted.
    pub faults: Vec<Fault>,
}

/// Above so many banks, not all sets of them are planted, but all single ones and pairs.
const ALL_SETS_UP_TO: u32 = 8;

/// All kinds, in the order in which they are listed.
pub const CATALOGUE: &[Entry] = &[
    Entry {
        form: "dead-bank:K",
        about: "bank K of the engine accumulates nothing; a qualification plants every set of dead banks",
        mutants: |shape| dead_sets(shape.banks),
    },
    Entry {
        form: "stuck-bank:K",
        about: "bank K of the engine reads as all ones when the banks are merged",
        mutants: |shape| (0..shape.banks).map(|bank| vec![Fault::StuckBank(bank)]).collect(),
    },
    Entry {
        form: "swap-banks:J:K",
        about: "the deltas of banks J and K of the engine go to each other",
        mutants: |shape| (1..shape.banks).map(|bank| vec![Fault::SwapBanks(bank - 1, bank)]).collect(),
    },
    Entry {
        form: "drop:I",
        about: "the engine leaves out the delta of index I",
        mutants: |shape| of_indices(shape, Fault::Drop),
    },
    Entry {
        form: "duplicate:I",
        about: "the engine applies the delta of index I twice: under XOR the same as drop:I",
        mutants: |shape| of_indices(shape, Fault::Duplicate),
    },
    Entry {
        form: "reorder:I",
        about: "the engine takes the deltas of indices I and I + 1 in each other's place",
        mutants: |shape| {
            // The last index has no neighbour after it.
            of_indices(Shape { longest_run: shape.longest_run.saturating_sub(1), ..shape }, Fault::Reorder)
        },
    },
    Entry {
        form: "torn:I",
        about: "the engine takes the low half alone of the delta of index I",
        mutants: |shape| of_indices(shape, Fault::Torn),
    },
    Entry {
        form: "misaddress:I",
        about: "the delta of index I goes to the next bank of the engine",
        // One bank is its own next one.
        mutants: |shape| if shape.banks > 1 { of_indices(shape, Fault::Misaddress) } else { Vec::new() },
    },
    Entry {
        form: "bank-operator:OP",
        about: "the engine's banks take deltas by or, add or overwrite in place of XOR",
        mutants: |_| WrongOperator::ALL.map(|operator| vec![Fault::BankOperator(operator)]).to_vec(),
    },
    Entry {
        form: "short-count",
        about: "the engine takes one delta fewer than COUNT",
        mutants: |_| vec![vec![Fault::ShortCount]],
    },
    Entry {
        form: "long-count",
        about: "the engine takes one delta more than COUNT",
        mutants: |_| vec![vec![Fault::LongCount]],
    },
    Entry {
        form: "partial-cycle-dropped",
        about: "the engine accumulates nothing in a last clock that not all active banks take part in",
        // One bank takes part in every clock.
        mutants: |shape| if shape.banks > 1 { vec![vec![Fault::PartialCycleDropped]] } else { Vec::new() },
    },
    Entry {
        form: "index-wraps:B",
        about: "the engine's index has B bits and wraps",
        mutants: |_| [3, 8, 16, 20, 24, 31].map(|bits| vec![Fault::IndexWraps(bits)]).to_vec(),
    },
    Entry {
        form: "early-done",
        about: "the engine raises done, and takes its result, before the last clock",
        mutants: |_| vec![vec![Fault::EarlyDone]],
    },
    Entry {
        form: "extra-cycle",
        about: "the engine's cycle counter is one too high",
        mutants: |_| vec![vec![Fault::ExtraCycle]],
    },
    Entry {
        form: "flip-bit:B",
        about: "bit B of the engine's merged result is inverted",
        mutants: |_| [0, 31, 32, 63].map(|bit| vec![Fault::FlipBit(bit)]).to_vec(),
    },
    Entry {
        form: "start-keeps-banks",
        about: "START does not clear the banks of the engine: a run goes on from the run before it",
        mutants: |_| vec![vec![Fault::StartKeepsBanks]],
    },
    Entry {
        form: "done-stays",
        about: "the done bit of the engine does not fall at START",
        mutants: |_| vec![vec![Fault::DoneStays]],
    },
    Entry {
        form: "count-wraps:B",
        about: "the engine's COUNT register keeps its low B bits alone",
        mutants: |_| [16, 20, 24].map(|bits| vec![Fault::CountWraps(bits)]).to_vec(),
    },
    Entry {
        form: "cycles-wrap:B",
        about: "the engine's CYCLES counter has B bits and wraps",
        mutants: |_| [16, 20, 24].map(|bits| vec![Fault::CyclesWrap(bits)]).to_vec(),
    },
    Entry {
        form: "active-not-clamped",
        about: "the engine's ACTIVE register takes more banks than there are",
        mutants: |_| vec![vec![Fault::ActiveNotClamped]],
    },
    Entry {
        form: "stuck-seed-bit:B",
        about: "bit B of the engine's SEED is always 0",
        mutants: |_| (0..u64::BITS).map(|bit| vec![Fault::StuckSeedBit(bit)]).collect(),
    },
    Entry {
        form: "seed-not-reset",
        about: "a reset does not set the engine's SEED: it is 0 then",
        mutants: |_| vec![vec![Fault::SeedNotReset]],
    },
    Entry {
        form: "short-lane:K",
        about: "lane K of the engine takes no index above 255",
        mutants: |shape| (0..shape.banks).map(|lane| vec![Fault::ShortLane(lane)]).collect(),
    },
    Entry {
        form: "engine-selects-ignored",
        about: "the engine takes all four bytes of a write, whichever are selected",
        mutants: |_| vec![vec![Fault::EngineSelectsIgnored]],
    },
    Entry {
        form: "stale-read",
        about: "a READ of the adapter answers with the state before the last ACCUM",
        mutants: |_| vec![vec![Fault::StaleRead]],
    },
    Entry {
        form: "early-read",
        about: "a READ of the adapter answers before it is done: with the response of the command before it",
        mutants: |_| vec![vec![Fault::EarlyRead]],
    },
    Entry {
        form: "lost-high-word",
        about: "the adapter does not take the high half of an ACCUM",
        mutants: |_| vec![vec![Fault::LostHighWord]],
    },
    Entry {
        form: "accum-drop:N",
        about: "the adapter leaves out every N-th ACCUM",
        mutants: |_| [1, 7].map(|every| vec![Fault::AccumDrop(every)]).to_vec(),
    },
    Entry {
        form: "accum-repeat:N",
        about: "the adapter carries out every N-th ACCUM twice",
        mutants: |_| [1, 7].map(|every| vec![Fault::AccumRepeat(every)]).to_vec(),
    },
    Entry {
        form: "pipeline-hazard",
        about: "an ACCUM of the adapter right after another starts from the accumulator before that one",
        mutants: |_| vec![vec![Fault::PipelineHazard]],
    },
    Entry {
        form: "accum-operator:OP",
        about: "the adapter takes deltas by or, add or overwrite in place of XOR",
        mutants: |_| WrongOperator::ALL.map(|operator| vec![Fault::AccumOperator(operator)]).to_vec(),
    },
    Entry {
        form: "load-keeps-accumulator",
        about: "a LOAD of the adapter does not clear the accumulator",
        mutants: |_| vec![vec![Fault::LoadKeepsAccumulator]],
    },
    Entry {
        form: "load-wrong-context",
        about: "a LOAD of the adapter writes the context after the one that it names",
        mutants: |_| vec![vec![Fault::LoadWrongContext]],
    },
    Entry {
        form: "swap-wrong-context",
        about: "a SWAP of the adapter writes the context after the one that it names",
        mutants: |_| vec![vec![Fault::SwapWrongContext]],
    },
    Entry {
        form: "swap-keeps-bit-7",
        about: "a SWAP of the adapter, while a context from 128 is selected, writes one from 128, whichever it names",
        mutants: |_| vec![vec![Fault::SwapKeepsBit7]],
    },
    Entry {
        form: "load-wrong-response",
        about: "a LOAD of the adapter answers with the high half of the state",
        mutants: |_| vec![vec![Fault::LoadWrongResponse]],
    },
    Entry {
        form: "zero-bit-low-half",
        about: "the adapter's STATUS command looks at the low half of the accumulator alone",
        mutants: |_| vec![vec![Fault::ZeroBitLowHalf]],
    },
    Entry {
        form: "adapter-selects-ignored",
        about: "the adapter takes all four bytes of a write, whichever are selected",
        mutants: |_| vec![vec![Fault::AdapterSelectsIgnored]],
    },
];

/// What a qualification plants, one mutant after the other.
pub fn mutants(shape: Shape) -> Vec<Mutant> {
    let of_entry = |entry: &Entry| {
        let kind = entry.form;
        (entry.mutants)(shape).into_iter().map(move |faults| Mutant { kind, faults }).collect::<Vec<_>>()
    };
    CATALOGUE.iter().flat_map(of_entry).collect()
}

fn dead_sets(banks: u32) -> Vec<Vec<Fault>> {
    let dead = |set: &[u32]| set.iter().map(|&bank| Fault::DeadBank(bank)).collect::<Vec<_>>();
    if banks <= ALL_SETS_UP_TO {
        let members = |set: u32| (0..banks).filter(|bank| set >> bank & 1 == 1).collect::<Vec<u32>>();
        let mut sets: Vec<u32> = (1..1 << banks).collect();
        sets.sort_by_key(|set| (set.count_ones(), *set));
        return sets.into_iter().map(|set| dead(&members(set))).collect();
    }
    let pairs = (0..banks).flat_map(|one| (one + 1..banks).map(move |other| [one, other]));
    (0..banks).map(|bank| dead(&[bank])).chain(pairs.map(|pair| dead(&pair))).collect()
}

/// The first index, one in every bank's second row, and the last two of the longest run.
fn of_indices(shape: Shape, fault: fn(u32) -> Fault) -> Vec<Vec<Fault>> {
    let Shape { banks, longest_run } = shape;
    let mut indices = vec![0, banks, longest_run.saturating_sub(2), longest_run.saturating_sub(1)];
    indices.sort_unstable();
    indices.dedup();
    indices.into_iter().map(|index| vec![fault(index)]).collect()
}

/// What a run asked of a device, as far as it decides which faults could show.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// Banks of the engine.
    pub banks: u32,
    /// Deltas of the longest engine run; 0 if the engine was not run.
    pub longest_run: u32,
    /// The seed of the engine's runs.
    pub seed: Seed,
}

/// The last index that any run has.
const LAST_INDEX: u32 = u32::MAX - 1;

/// Why no run whatever uses the part that a fault is planted in, on a device whose engine has so many banks, if that is
/// so.
pub fn why_never(fault: Fault, banks: u32) -> Option<String> {
    let no_bank = |bank: u32| Some(format!("the engine has no bank {bank}: its banks are 0 to {}", banks - 1));
    match fault {
        Fault::DeadBank(bank) | Fault::StuckBank(bank) | Fault::ShortLane(bank) if bank >= banks => no_bank(bank),
        Fault::SwapBanks(one, other) if one.max(other) >= banks => no_bank(one.max(other)),
        Fault::SwapBanks(one, other) if one == other => {
            Some(format!("bank {one} would change places with itself; J and K are two banks"))
        }
        Fault::PartialCycleDropped if banks == 1 => Some("the engine's one bank takes part in every clock".to_owned()),
        Fault::Misaddress(_) if banks == 1 => {
            Some("the engine's one bank is its own next one; it takes 2 banks or more".to_owned())
        }
        // COUNT is at most 4294967295.
        Fault::Reorder(LAST_INDEX) => Some(format!(
            "no run has an index after {LAST_INDEX}, to take its delta first; I is at most {}",
            LAST_INDEX - 1
        )),
        _ => None,
    }
}

/// Why a run did not use the part that a fault is planted in.
pub fn why_not_activated(fault: Fault, used: Option<Use>) -> String {
    let Some(Use { banks, longest_run, .. }) = used else {
        return "no backend of this run takes faults: model does, and rtl in a build with that feature".to_owned();
    };
    if let Some(never) = why_never(fault, banks) {
        return never;
    }
    let beyond =
        |index: u32| format!("no run reaches index {index}: the longest has indices 0 to {}", longest_run.max(1) - 1);
    match fault {
        Fault::AccumDrop(_) | Fault::AccumRepeat(_) => "the run has fewer ACCUM commands".to_owned(),
        Fault::PipelineHazard => "the run has no ACCUM right after another".to_owned(),
        Fault::SwapWrongContext => "the run has no SWAP".to_owned(),
        Fault::SwapKeepsBit7 => "the run has no SWAP while a context from 128 is selected".to_owned(),
        Fault::ZeroBitLowHalf => "the run does not use the adapter's STATUS command".to_owned(),
        Fault::EngineSelectsIgnored | Fault::AdapterSelectsIgnored => {
            "the run writes no word of which some bytes alone are selected".to_owned()
        }
        Fault::SeedNotReset => "the run neither reads SEED nor starts the engine before it writes SEED".to_owned(),
        Fault::ActiveNotClamped => "the run writes no ACTIVE above the number of banks".to_owned(),
        Fault::CountWraps(bits) => format!("the run writes no COUNT from {}", 1u64 << bits),
        Fault::CyclesWrap(bits) => format!("no run takes {} cycles, the first count that wraps", 1u64 << bits),
        fault if fault.site() == Site::Adapter => "the run does not use the adapter".to_owned(),
        _ if longest_run == 0 => "the run does not use the engine".to_owned(),
        Fault::Drop(index) | Fault::Duplicate(index) | Fault::Torn(index) | Fault::Misaddress(index)
            if index >= longest_run =>
        {
            beyond(index)
        }
        Fault::Reorder(index) if index >= longest_run - 1 => beyond(index + 1),
        Fault::IndexWraps(bits) => format!("no run reaches index {}, the first that wraps", 1u64 << bits),
        Fault::PartialCycleDropped => "every run ends in a clock that all active banks take part in".to_owned(),
        Fault::DeadBank(bank) => format!("no run gives bank {bank} a delta"),
        Fault::ShortLane(lane) => format!("no run gives lane {lane} an index above 255"),
        _ => "no run uses it".to_owned(),
    }
}

/// Why no run whatever could tell this fault from a sound part, if that is so. Whether a given run did is another matter.
pub fn why_equivalent(fault: Fault) -> Option<String> {
    match fault {
        Fault::SwapBanks(..) | Fault::Misaddress(_) => {
            Some("its effect is nil: the banks are merged by XOR, whichever holds a delta".to_owned())
        }
        Fault::Reorder(_) => Some("its effect is nil: XOR takes deltas in any order".to_owned()),
        _ => None,
    }
}

/// Why a fault that was in use changed no word that runs of this SEED read.
pub fn why_unchanged(fault: Fault, seed: Seed) -> String {
    match fault {
        Fault::Drop(index) | Fault::Duplicate(index) | Fault::Torn(index) if u64::from(index) == seed.value() => {
            format!("index {index} equals SEED {seed}, so its delta is 0; runs of another SEED would tell")
        }
        _ => "it was in use, and every word that was read is as a sound device shows it".to_owned(),
    }
}

/// Faults that an earlier standard campaign let pass. Tests hold that each is found, in the model and in the RTL, together with
/// two that passed as well: [`Fault::DoneStays`], and an index that is too short for the longest run.
pub const ONCE_ESCAPED: [Fault; 11] = [
    Fault::SwapKeepsBit7,
    Fault::LoadWrongResponse,
    Fault::ZeroBitLowHalf,
    Fault::ActiveNotClamped,
    Fault::StuckSeedBit(61),
    Fault::ShortLane(5),
    Fault::CyclesWrap(20),
    Fault::CountWraps(24),
    Fault::EngineSelectsIgnored,
    Fault::AdapterSelectsIgnored,
    Fault::SeedNotReset,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fault::FORMS;

    #[test]
    fn eight_banks_have_every_set_of_dead_ones_and_more_banks_every_pair() {
        assert_eq!(dead_sets(8).len(), 255);
        assert_eq!(dead_sets(10).len(), 10 + 45);
    }

    #[test]
    fn a_fault_of_a_bank_that_is_not_there_is_told_from_one_that_is() {
        assert_eq!(why_never(Fault::DeadBank(7), 8), None);
        let told = why_never(Fault::DeadBank(8), 8).expect("there is none");
        assert_eq!(told, "the engine has no bank 8: its banks are 0 to 7");
        assert!(why_never(Fault::SwapBanks(0, 8), 8).is_some_and(|told| told.contains("no bank 8")));
        assert!(why_never(Fault::SwapBanks(2, 2), 8).is_some_and(|told| told.contains("with itself")));
        assert!(why_never(Fault::StuckBank(4), 4).is_some() && why_never(Fault::PartialCycleDropped, 1).is_some());
        assert!(why_never(Fault::Misaddress(3), 1).is_some() && why_never(Fault::Misaddress(3), 2).is_none());
        let (last, before) = (Fault::Reorder(4_294_967_294), Fault::Reorder(4_294_967_293));
        assert!(why_never(last, 8).is_some_and(|told| told.contains("at most 4294967293")));
        assert_eq!(why_never(before, 8), None);
        assert_eq!((why_never(Fault::PartialCycleDropped, 2), why_never(Fault::StaleRead, 1)), (None, None));
    }

    #[test]
    fn every_kind_has_a_form_of_its_own_and_a_mutant_of_that_form() {
        let shape = Shape { banks: 8, longest_run: 65_537 };
        for (place, entry) in CATALOGUE.iter().enumerate() {
            assert!(CATALOGUE[..place].iter().all(|other| other.form != entry.form));
            let name = entry.form.split(':').next().expect("a name");
            assert!(FORMS.contains(name), "the message about what is no fault names {name}");
            let mutants = (entry.mutants)(shape);
            assert!(!mutants.is_empty(), "{name}");
            for fault in mutants.iter().flatten() {
                assert!(fault.to_string().starts_with(name), "{fault}");
            }
        }
    }
}
