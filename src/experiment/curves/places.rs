//! A client that lost its place: neither side knows what the other has. What it takes to find out by set reconciliation.

use std::collections::{BTreeMap, BTreeSet};

use crate::codec::sketch::{Difference, Sketch, reconcile};
use crate::domain::evidence::Evidence;
use crate::domain::fault::FaultClass;
use crate::domain::judge::Judge;
use crate::domain::oracle::OracleId;
use crate::domain::seed::Seed;
use crate::domain::verdict::Verdict;
use crate::report::curves_record::PlaceRecord;
use crate::report::record::{Check, Part};

/// The check's name.
pub(super) const NAME: &str = "set reconciliation";

/// Ids of a side, and differences, of which each side lacks half.
const PLACES: [(u64, u32); 6] = [(1_000, 2), (1_000, 20), (1_000, 200), (100_000, 20), (1_000_000, 2), (1_000_000, 20)];

/// Bytes of an id that is sent without a sketch.
const ID: u64 = 6;

/// All of them.
pub(super) fn all(seed: Seed) -> Vec<PlaceRecord> {
    let stream = seed.stream("places");
    (0..)
        .zip(PLACES)
        .map(|(number, (ids, differences))| {
            let mut random = stream.member(number);
            let half = u64::from(differences) / 2;
            let mut draw = |count: u64| (0..count).map(|_| random.word()).collect::<Vec<u64>>();
            let (both, one, other) = (draw(ids - half), draw(half), draw(half));
            let salt = draw(1)[0];
            place((&both, &one, &other), salt)
        })
        .collect()
}

fn place((both, one, other): (&[u64], &[u64], &[u64]), salt: u64) -> PlaceRecord {
    let (ours, theirs) = ([both, one].concat(), [both, other].concat());
    let (mut sender, mut receiver) = (Sketch::of(&ours, salt), Sketch::of(&theirs, salt));
    let differences = (one.len() + other.len()) as u32;
    let (sketch, parts, wrong) = match reconcile(&mut sender, &mut receiver) {
        None => (0, 0, differences),
        Some((taken, found)) => {
            let hashes: Vec<u64> = found
                .iter()
                .filter_map(|of| if let Difference::Theirs(hash) = of { Some(*hash) } else { None })
                .collect();
            let named = sender.named(&hashes).into_iter();
            let own = found.iter().filter_map(|of| if let Difference::Ours(id) = of { Some(*id) } else { None });
            let found: BTreeSet<u64> = own.chain(named).collect();
            let due: BTreeSet<u64> = one.iter().chain(other).copied().collect();
            (taken.bytes, taken.parts, found.symmetric_difference(&due).count() as u32)
        }
    };
    let ids = ours.len() as u64;
    PlaceRecord {
        ids,
        differences,
        sketch,
        parts,
        all_ids: ID * ids,
        bound_tenths: bound_tenths(ids, differences),
        wrong,
    }
}

/// Which of the ids of both sides differ: the logarithm of the number of choices.
fn bound_tenths(ids: u64, differences: u32) -> u64 {
    let all = (ids + u64::from(differences) / 2) as f64;
    let bits: f64 = (0..differences).map(|place| libm::log2((all - f64::from(place)) / f64::from(place + 1))).sum();
    (bits * 10.0 / 8.0).round() as u64
}

/// Whether all differences were found, and no others, in no fewer bytes than the bound.
fn verdict(places: &[PlaceRecord]) -> Verdict {
    let is_right = |place: &PlaceRecord| place.wrong == 0 && 10 * place.sketch >= place.bound_tenths;
    if places.iter().all(is_right) { Verdict::Holds } else { Verdict::Falsified }
}

/// The check of all.
pub(super) fn check(places: &[PlaceRecord]) -> Check {
    let verdict = verdict(places);
    let wrong = places.iter().find(|place| place.wrong > 0 || 10 * place.sketch < place.bound_tenths);
    let summary = match wrong {
        Some(PlaceRecord { ids, differences, wrong, sketch, .. }) => {
            format!("of {differences} differences of {ids} ids {wrong} were not found, or are none, in {sketch} B")
        }
        None => {
            let told =
                places.iter().map(|place| format!("{} of {} ids in {} B", place.differences, place.ids, place.sketch));
            format!("all differences were found: {}", told.collect::<Vec<_>>().join(", "))
        }
    };
    Check {
        name: NAME.to_owned(),
        part: Part::Message,
        judge: Judge::Curves,
        subjects: BTreeMap::from([("sketch".to_owned(), Evidence::Software)]),
        verdict,
        oracles: BTreeMap::from([(OracleId::Truth, verdict)]),
        summary,
        warrant: None,
        orders: None,
        tries: vec![FaultClass::WrongMessage],
        findings: Vec::new(),
    }
}

/// A control: a difference that was not found.
pub(super) fn planted() -> Verdict {
    let place = PlaceRecord { ids: 9, differences: 2, sketch: 30, parts: 1, all_ids: 54, bound_tenths: 60, wrong: 1 };
    verdict(&[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_differences_of_a_million_ids_are_found_in_at_most_300_bytes() {
        let all = all(Seed::new(5));
        assert_eq!(verdict(&all), Verdict::Holds, "{all:?}");
        let of_a_million =
            all.iter().find(|place| (place.ids, place.differences) == (1_000_000, 20)).expect("it is there");
        assert!(of_a_million.sketch <= 300, "{of_a_million:?}");
    }
}
