//! The information bound: how many bytes anybody needs to tell, in each sync, which records changed and by how much.
//!
//! What came to the hub since a client's last sync is taken from the times at which users of the world edited and synced. What
//! these edits come to is uncertain to the receiver by Shannon's entropy; no code is shorter on average. Ids, framing,
//! acknowledgements and handshakes take nothing here. Every step that is not exact makes the bound smaller.

use std::collections::BTreeMap;
use std::f64::consts::{E, PI};

use crate::domain::bandwidth::{BandwidthTrial, Values};
use crate::domain::history::UserEdit;
use crate::domain::offline::Tags;
use crate::domain::watch::Watch;
use crate::engine::host::Time;
use crate::experiment::bandwidth::size::Size;
use crate::lab::events::service::Visit;

/// Numbers that are summed at most. What more ticks come to is bounded by what fewer do.
const MOST_SUMMED: f64 = 5e7;

/// What one sync has to tell: ticks of the client itself, and those of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToTell {
    /// Ticks of the client since its last sync.
    pub up: u64,
    /// Ticks that others brought to the hub since.
    pub down: u64,
}

/// What each sync has to tell of those from `from` on and before `until`. A tick has `of_tick` edits.
pub fn to_tell(visits: &[Visit], edits: &[Vec<UserEdit>], of_tick: u32, (from, until): (Time, Time)) -> Vec<ToTell> {
    /// What a client has brought to the hub and taken from there, in edits.
    #[derive(Clone, Default)]
    struct Client {
        brought: u64,
        taken: u64,
    }
    let mut clients = vec![Client::default(); edits.len()];
    let (mut at_hub, mut all) = (0, Vec::new());
    let ticks = |edits: u64| edits / u64::from(of_tick);
    for &Visit { at, client: number, .. } in visits {
        let (client, made) = (&mut clients[number as usize], &edits[number as usize]);
        let others = at_hub - client.brought;
        let own = made.partition_point(|edit| edit.at <= at) as u64 - client.brought;
        let owed = ToTell { up: ticks(own), down: ticks(others - client.taken) };
        (client.taken, client.brought) = (others, client.brought + own);
        at_hub += own;
        if (from..until).contains(&at) {
            all.push(owed);
        }
    }
    all
}

/// The fewest bits that all of these syncs take together, with the customer's records; nothing where the user asked to stop.
pub fn bits(trial: &BandwidthTrial, asked: &Size, syncs: &[ToTell], watch: &dyn Watch) -> Option<f64> {
    let mut times: BTreeMap<u64, u64> = BTreeMap::new();
    for ticks in syncs.iter().flat_map(|sync| [sync.up, sync.down]) {
        *times.entry(ticks).or_default() += 1;
    }
    let of_ticks: Vec<f64> = match trial.values {
        Values::Counters => of_counters(asked, trial.amount, &times.keys().copied().collect::<Vec<_>>(), watch)?,
        Values::Tags => times.keys().map(|&ticks| of_tags(asked, trial.elements(), ticks)).collect(),
    };
    Some(times.values().zip(of_ticks).map(|(&times, bits)| times as f64 * bits).sum())
}

/// The entropy of a number that is one of two with this probability.
fn of_two(probability: f64) -> f64 {
    let part = |p: f64| if p > 0.0 { -p * libm::log2(p) } else { 0.0 };
    part(probability) + part(1.0 - probability)
}

/// No less than the entropy of how many of independent things happened, from its variance.
fn of_count(variance: f64) -> f64 {
    if variance <= 0.0 {
        return 0.0;
    }
    (0.5 * libm::log2(2.0 * PI * E * (variance + 1.0 / 12.0))).max(0.0)
}

/// For ascending numbers of ticks: the entropy of what they do to all counters. Each counter's sum is taken as independent of
/// the others', and what that overstates is taken off: that a tick changes so many records, and no others, says at most the
/// entropy of their number.
fn of_counters(size: &Size, amount: u32, ticks: &[u64], watch: &dyn Watch) -> Option<Vec<f64>> {
    let (records, amount) = (f64::from(size.records), amount as usize);
    let share = f64::from(size.changed) / records;
    let known = of_count(records * share * (1.0 - share));
    // By amount, from the lowest: how likely a counter changed by it.
    let (mut likely, mut made, mut summed) = (vec![1.0], 0u64, 0.0);
    let mut entropy = 0.0;
    let mut of = Vec::with_capacity(ticks.len());
    for &ticks in ticks {
        let before = made;
        while made < ticks && summed < MOST_SUMMED {
            if watch.stop_requested() {
                return None;
            }
            likely = after_a_tick(&likely, share, amount);
            (made, summed) = (made + 1, summed + likely.len() as f64);
        }
        if made > before {
            entropy = likely.iter().filter(|&&p| p > 0.0).map(|&p| -p * libm::log2(p)).sum();
        }
        let all = records * entropy - made as f64 * known;
        of.push(all.max(of.last().copied().unwrap_or(0.0)));
    }
    Some(of)
}

/// How likely each sum is after one more tick, which changes a counter with this probability by 1 to `amount`, either way.
fn after_a_tick(likely: &[f64], share: f64, amount: usize) -> Vec<f64> {
    let mut sums = Vec::with_capacity(likely.len() + 1);
    sums.push(0.0);
    likely.iter().for_each(|p| sums.push(sums.last().copied().unwrap_or(0.0) + p));
    let each = share / (2.0 * amount as f64);
    let at = |place: usize| place.checked_sub(amount).and_then(|place| likely.get(place)).copied().unwrap_or(0.0);
    let of = |place: usize| {
        let (first, last) = (place.saturating_sub(2 * amount).min(likely.len()), (place + 1).min(likely.len()));
        let near = sums[last] - sums[first];
        (1.0 - share) * at(place) + each * (near - at(place)).max(0.0)
    };
    (0..likely.len() + 2 * amount).map(of).collect()
}

/// The entropy of what so many ticks do to all tags. An insert of what is there, and a remove of what is not, change nothing.
fn of_tags(size: &Size, elements: u32, ticks: u64) -> f64 {
    let cells = f64::from(size.records) * f64::from(elements);
    let edits = ticks as f64 * f64::from(size.changed);
    let touched = 1.0 - libm::pow(1.0 - 1.0 / cells, edits);
    let removes = f64::from(Tags::default().removes_percent) / 100.0;
    // In the long run a share of `1 - removes` of all is there; before that fewer are, and more changes.
    let of_cell = removes * of_two((1.0 - removes) * touched) + (1.0 - removes) * of_two(removes * touched);
    (cells * of_cell - if edits > 0.0 { of_count(edits) } else { 0.0 }).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Intent;
    use crate::domain::history::Fate;
    use crate::domain::watch::Unwatched;

    fn size(records: u32, changed: u32) -> Size {
        Size { records, changed, measured_s: 1 }
    }

    fn in_counters(size: &Size, amount: u32, ticks: &[u64]) -> Vec<f64> {
        of_counters(size, amount, ticks, &Unwatched).expect("nobody stops it")
    }

    /// Which of the records a tick changes, and by how much: the exact number of possibilities.
    fn of_one_tick(records: u32, changed: u32, amount: u32) -> f64 {
        let places: f64 = (0..changed).map(|i| libm::log2(f64::from(records - i) / f64::from(i + 1))).sum();
        places + f64::from(changed) * libm::log2(f64::from(2 * amount))
    }

    #[test]
    fn one_tick_takes_what_counting_its_possibilities_gives_and_never_more() {
        for (records, changed, amount) in [(256, 20, 1000), (5000, 100, 3), (5000, 100, 100), (100, 99, 7), (10, 10, 1)]
        {
            let (bits, exact) =
                (in_counters(&size(records, changed), amount, &[1])[0], of_one_tick(records, changed, amount));
            assert!(bits <= exact + 1e-6 && bits > 0.98 * exact, "{bits} of {exact}");
        }
        // 256 counters, 20 of them changed within ±1000: 39.6 bytes.
        let bits = in_counters(&size(256, 20), 1000, &[1])[0];
        assert!((38.8..39.7).contains(&(bits / 8.0)), "{}", bits / 8.0);
    }

    #[test]
    fn more_ticks_take_more_but_less_than_each_alone_and_none_take_nothing() {
        let of = in_counters(&size(5000, 100), 100, &[0, 1, 2, 39, 100_000]);
        assert_eq!(of[0], 0.0);
        assert!(of.windows(2).all(|two| two[0] < two[1]), "{of:?}");
        assert!(of[2] < 2.0 * of[1] && of[3] < 39.0 * of[1], "{of:?}");
        let of = [0, 1, 10].map(|ticks| of_tags(&size(100, 5), 16, ticks));
        assert!(of[0] == 0.0 && 0.0 < of[1] && of[1] < of[2] && of[2] < 10.0 * of[1], "{of:?}");
        // Five edits of 1,600 places: fewer bits than to name the place and the kind of each.
        assert!(of[1] < 5.0 * libm::log2(3200.0));
    }

    #[test]
    fn probabilities_stay_probabilities() {
        let mut likely = vec![1.0];
        for _ in 0..20 {
            likely = after_a_tick(&likely, 0.3, 5);
        }
        assert_eq!(likely.len(), 201);
        assert!((likely.iter().sum::<f64>() - 1.0).abs() < 1e-9);
        assert!((0..100).all(|place| (likely[place] - likely[200 - place]).abs() < 1e-12));
        // Two ticks that always change by one: by two, not at all, or by minus two.
        let two = after_a_tick(&after_a_tick(&[1.0], 1.0, 1), 1.0, 1);
        assert_eq!(two, [0.25, 0.0, 0.5, 0.0, 0.25]);
    }

    #[test]
    fn a_sync_tells_what_its_client_did_and_what_others_brought_since() {
        let edits = |times: &[u64]| -> Vec<UserEdit> {
            let edit = |&at| UserEdit { at, register: 0, intent: Intent::Increase(1), fate: Fate::Binding };
            times.iter().map(edit).collect()
        };
        let edits = [edits(&[1, 1, 5, 5]), edits(&[2, 2, 8, 8])];
        let visits = [(3, 0), (4, 1), (6, 0), (9, 1), (10, 0), (11, 0)];
        let visits = visits.map(|(at, client)| Visit { at, left: None, client, brought: true });
        let all = to_tell(&visits, &edits, 2, (0, 100));
        let owed: Vec<(u64, u64)> = all.iter().map(|sync| (sync.up, sync.down)).collect();
        assert_eq!(owed, [(1, 0), (1, 1), (1, 1), (1, 1), (0, 1), (0, 0)]);
        assert_eq!(to_tell(&visits, &edits, 2, (4, 9)), all[1..3]);
    }
}
