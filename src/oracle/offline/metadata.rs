//! Whether ids, acknowledgements and framing stay what they were, however long the history, where an engine claims so.
//!
//! It is judged in two ways. The same tick again and again, in one connection and in visits, takes the same bytes early and
//! late. And over a whole world, restarts and devices that came and went included, the bytes of ids and acknowledgements per
//! edit do not grow. The world's time is divided into eight parts, and an engine is accused where three things come together:
//!
//! - An edit takes much more in each of the last two parts than in any of the first two, and clearly more than half-way.
//!   Twice as much and some bytes are allowed at last: numbers become longer.
//! - Nearly every part takes more than each part before it. What grows with history goes on growing; a single event (a device
//!   that comes back after weeks, a store that is restored), a step (a device that joins), and chance do not. Of the 28
//!   pairs of parts, 24 must grow. This is the trend test of Mann and Kendall: where nothing but chance orders the parts, 285
//!   of their 40,320 orders have so many, whatever the distribution of the bytes and however few the edits are.
//! - That is clearly more than what ever more connections explain. An edit travels while its device is connected, and to the
//!   devices that are connected then: what edits take goes with the square of how many there are.

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::domain::over_time::Metadata;
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// Bytes that a tick may grow by: numbers that count ticks take a byte more with every seventh bit (LEB128), and a message
/// has a few of them.
pub const ALLOWANCE: u64 = 6;

/// The same of a tick in a visit of its own, whose handshakes both ways count what was given and taken, too.
pub const OF_A_VISIT: u64 = 10;

/// Bytes of ids and acknowledgements per edit that may come on top of twice as much.
pub const OF_AN_EDIT: u64 = 8;

/// Of what an edit takes half-way, the per cent that it must exceed at last: what grows evenly reaches 140, less where chance
/// makes one part busier than another.
const STILL_MORE: u64 = 115;

/// Of what an edit takes at first, by the square of the connections that are up, the per cent that it must exceed at last. Twice
/// as much an edit is asked for besides: a tenth more connections at last excuse nothing.
const MORE_TOGETHER: u128 = 150;

/// Pairs of parts of which the later takes more: so many, of the 28 pairs of eight parts, chance gives in 0.7 % of worlds.
const GROWING_PAIRS: usize = 24;

/// Edits that each part of a world needs at least: what fewer edits take is mostly what connections take.
const FEWEST_EDITS: u64 = 12;

/// Compares the largest of the last ticks with the largest of the first, in one connection and in visits.
pub fn judge(history: &History) -> Judgement {
    let ways = [
        (&history.ticks, "one and the same tick", ALLOWANCE),
        (&history.visits, "in a visit of its own it", OF_A_VISIT),
    ];
    let ticks = ways.iter().filter_map(|way| compare(way.0, way.1, way.2));
    let parts = &history.over_time.metadata;
    let compared: Vec<Judgement> = ticks.chain(whole_world(parts)).collect();
    if compared.is_empty() {
        return Judgement { verdict: Verdict::Inconclusive, sentence: "it claims nothing of its metadata".to_owned() };
    }
    let unique_amounts = |judgement: &&Judgement| judgement.verdict != Verdict::Inconclusive;
    let verdicts: Vec<Verdict> = compared.iter().filter(unique_amounts).map(|judgement| judgement.verdict).collect();
    // What grew, and may have grown for another reason, is not outweighed by ticks that did not.
    let cannot_tell = grew(parts) && !grew_together(parts);
    let verdict = match Verdict::of_set(verdicts.iter().copied()) {
        Verdict::Holds if cannot_tell || verdicts.is_empty() => Verdict::Inconclusive,
        verdict => verdict,
    };
    let sentences: Vec<String> = compared.into_iter().map(|judgement| judgement.sentence).collect();
    Judgement { verdict, sentence: sentences.join(", ") }
}

/// Whether the bytes of ids and acknowledgements that an edit takes grow, and go on growing, over the world; nothing where the
/// world has too few edits, or where nothing travelled at first.
fn whole_world(parts: &[Metadata]) -> Option<Judgement> {
    if parts.len() < 4 {
        return None;
    }
    if let Some((thin, part)) = (1..).zip(parts).find(|(_, part)| part.edits < FEWEST_EDITS) {
        let all: u64 = parts.iter().map(|part| part.edits).sum();
        // A world of few edits says nothing; one of enough, which are not where they are needed, says so.
        return (all >= FEWEST_EDITS * parts.len() as u64).then(|| Judgement {
            verdict: Verdict::Inconclusive,
            sentence: format!(
                "over the whole world it cannot be told: part {thin} of {} has {}, and {FEWEST_EDITS} are needed",
                parts.len(),
                counted(part.edits, "edit")
            ),
        });
    }
    let [early, middle, late] = per_edit(parts);
    if early == 0 {
        return None;
    }
    let sentence = format!(
        "over the whole world ids and acknowledgements take {early} B an edit at first, {middle} B half-way and {late} B at last"
    );
    Some(match (grew(parts), grew_together(parts)) {
        (false, _) => Judgement::of(true, sentence),
        (true, true) => Judgement::of(false, sentence),
        (true, false) => Judgement {
            verdict: Verdict::Inconclusive,
            sentence: format!(
                "{sentence}; that cannot be told from the connections, of which ever more were up at the same time"
            ),
        },
    })
}

/// What an edit takes at first, half-way and at last, in bytes.
fn per_edit(parts: &[Metadata]) -> [u64; 3] {
    let [first, second, .., last_but_one, last] = parts else { return [0; 3] };
    let per_edit = |part: &Metadata| part.bytes.div_ceil(part.edits.max(1));
    let half = parts.len() / 2;
    let middle = per_edit(&parts[half - 1]).max(per_edit(&parts[half]));
    [per_edit(first).max(per_edit(second)), middle, per_edit(last_but_one).min(per_edit(last))]
}

/// Whether what an edit takes grows, and goes on growing.
fn grew(parts: &[Metadata]) -> bool {
    let [early, middle, late] = per_edit(parts);
    let is_judged = early > 0 && parts.iter().all(|part| part.edits >= FEWEST_EDITS);
    let grew = late > 2 * early + OF_AN_EDIT && 100 * late > STILL_MORE * middle;
    is_judged && grew && growing_pairs(parts) >= GROWING_PAIRS
}

/// Whether an edit takes clearly more bytes in the late parts than in the early ones, by the square of the connections.
fn grew_together(parts: &[Metadata]) -> bool {
    let [first, second, .., last_but_one, last] = parts else { return false };
    let (early, late) = ([first, second], [last_but_one, last]);
    let sum =
        |parts: [&Metadata; 2], of: fn(&Metadata) -> u64| parts.iter().map(|part| u128::from(of(part))).sum::<u128>();
    let bytes = |parts| sum(parts, |part| part.bytes);
    let chances = |parts| sum(parts, |part| part.edits).saturating_mul(sum(parts, |part| part.together_ms));
    let grown = (100 * bytes(late)).saturating_mul(chances(early));
    grown > (MORE_TOGETHER * bytes(early)).saturating_mul(chances(late))
}

/// Pairs of parts of which the later takes more bytes per edit than the earlier.
fn growing_pairs(parts: &[Metadata]) -> usize {
    let takes_more = |later: &Metadata, earlier: &Metadata| {
        u128::from(later.bytes) * u128::from(earlier.edits) > u128::from(earlier.bytes) * u128::from(later.edits)
    };
    let earlier_than = |place: usize| parts[..place].iter().filter(move |earlier| takes_more(&parts[place], earlier));
    (0..parts.len()).map(|place| earlier_than(place).count()).sum()
}

/// Whether the last of these grew out of what the first were; nothing where there are too few.
fn compare(ticks: &[u64], what: &str, allowance: u64) -> Option<Judgement> {
    let part = ticks.len() / 8;
    let most = |ticks: &[u64]| ticks.iter().copied().max();
    let (early, late) = (most(&ticks[..part])?, most(&ticks[ticks.len() - part..])?);
    if late == 0 {
        let sentence = format!("{what} takes no bytes at all after {} of them", ticks.len());
        return Some(Judgement { verdict: Verdict::Inconclusive, sentence });
    }
    let sentence = format!("{what} takes {early} B at first and {late} B after {} of them", ticks.len());
    Some(Judgement::of(late <= early + allowance, sentence))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::over_time::OverTime;

    #[test]
    fn a_tick_may_grow_by_the_bytes_of_a_counter_and_not_with_history() {
        let judge = |ticks: Vec<u64>| judge(&History { ticks, ..History::default() }).verdict;
        assert_eq!(judge((0..800).map(|tick| 70 + u64::from(tick > 127)).collect()), Verdict::Holds);
        assert_eq!(judge((0..800).map(|tick| 70 + tick).collect()), Verdict::Falsified);
        assert_eq!(judge(Vec::new()), Verdict::Inconclusive);
        assert_eq!(judge(vec![0; 800]), Verdict::Inconclusive);
    }

    fn over(parts: [(u64, u64); 8]) -> Option<Judgement> {
        whole_world(&parts.map(|(bytes, edits)| Metadata { bytes, all: bytes, edits, together_ms: 1000 }))
    }

    #[test]
    fn what_an_edit_takes_may_be_dear_once_and_must_not_grow_over_a_world() {
        let verdict = |parts| over(parts).map(|said| said.verdict);
        let steady = [(2000, 20); 8];
        assert_eq!(verdict(steady), Some(Verdict::Holds));
        let mut once_dear = steady;
        once_dear[7] = (180_000, 20);
        assert_eq!(verdict(once_dear), Some(Verdict::Holds));
        let grows: Vec<(u64, u64)> = (1..=8).map(|part| (2000 * part, 20)).collect();
        let grows: [(u64, u64); 8] = grows.try_into().expect("eight parts");
        let said = over(grows).expect("there are edits enough");
        assert_eq!(said.verdict, Verdict::Falsified);
        let told = "take 200 B an edit at first, 500 B half-way and 700 B at last";
        assert!(said.sentence.ends_with(told), "{}", said.sentence);
        let step = [10, 10, 10, 500, 500, 500, 500, 500].map(|bytes| (20 * bytes, 20));
        assert_eq!(verdict(step), Some(Verdict::Holds));
        let up_and_down = [3, 3, 0, 0, 0, 0, 15, 15].map(|bytes| (20 * bytes, 20));
        assert_eq!(verdict(up_and_down), Some(Verdict::Holds));
        // Users who seldom meet at first send little of what they edit then.
        let late_start = [6, 6, 8, 8, 8, 8, 21, 21].map(|bytes| (20 * bytes, 20));
        assert_eq!(verdict(late_start), Some(Verdict::Holds));
        let ever_faster: Vec<(u64, u64)> = (1..=8).map(|part| (500 * part * part, 20)).collect();
        assert_eq!(verdict(ever_faster.try_into().expect("eight parts")), Some(Verdict::Falsified));
        let doubles = [0, 1, 2, 3, 4, 5, 6, 7].map(|part| (500 << part, 20));
        assert_eq!(verdict(doubles), Some(Verdict::Falsified));
        let mut nothing_at_first = grows;
        (nothing_at_first[0].0, nothing_at_first[1].0) = (0, 0);
        assert_eq!(verdict(nothing_at_first), None);
        let mut too_few = grows;
        too_few[6].1 = FEWEST_EDITS - 1;
        let said = over(too_few).expect("there are edits enough elsewhere");
        assert_eq!(said.verdict, Verdict::Inconclusive);
        assert!(said.sentence.ends_with("part 7 of 8 has 11 edits, and 12 are needed"), "{}", said.sentence);
        assert_eq!(verdict([(2000, FEWEST_EDITS - 1); 8]), None, "there are few edits in all");
        assert_eq!(whole_world(&[]), None);
    }

    #[test]
    fn what_ever_more_connections_explain_accuses_nobody() {
        // The reference in ten minutes, at whose beginning nearly all were away.
        let bytes = [(63, 79), (55, 69), (366, 69), (391, 69), (516, 64), (553, 57), (824, 73), (808, 63)];
        let verdict = |connections: [u64; 8]| {
            let part =
                |((bytes, edits), up): ((u64, u64), u64)| Metadata { bytes, all: bytes, edits, together_ms: up * up };
            let parts: Vec<Metadata> = bytes.into_iter().zip(connections).map(part).collect();
            let of_all = judge(&History {
                ticks: vec![70; 16],
                over_time: OverTime { metadata: parts.clone(), ..OverTime::default() },
                ..History::default()
            });
            let said = whole_world(&parts).map(|said| said.verdict);
            assert_eq!(said, Some(of_all.verdict), "steady ticks do not outweigh it");
            said
        };
        assert_eq!(verdict([1, 1, 3, 3, 4, 4, 5, 5]), Some(Verdict::Inconclusive), "nor does it clear anybody");
        assert_eq!(verdict([4, 4, 5, 5, 5, 5, 5, 5]), Some(Verdict::Falsified), "a few more explain a little more");
        assert_eq!(verdict([5; 8]), Some(Verdict::Falsified));
    }

    /// A client of a world without a hub came and went over a line that lost two messages of five. The reference keeps
    /// nothing of that, and sent more at last by chance.
    const BY_CHANCE: [(u64, u64); 8] =
        [(60, 25), (156, 23), (176, 21), (336, 28), (121, 17), (18, 26), (473, 20), (364, 16)];

    /// What engines that do keep something of every restart or every writer came to, with all that chance added: devices that
    /// start again for months, peers, names of stores that are sent to whoever is met, new writers.
    const BY_HISTORY: [[(u64, u64); 8]; 4] = [
        [
            (24808, 156),
            (57671, 191),
            (80771, 165),
            (152577, 177),
            (141294, 202),
            (172106, 173),
            (214849, 170),
            (192766, 186),
        ],
        [(2332, 25), (3611, 21), (3700, 14), (7718, 30), (4185, 16), (8354, 13), (12148, 32), (10202, 26)],
        [(742, 31), (1074, 39), (1050, 31), (1369, 32), (1564, 41), (1869, 38), (1855, 23), (1820, 25)],
        [(526, 18), (833, 21), (909, 18), (1288, 21), (1299, 18), (1743, 21), (1988, 21), (1899, 18)],
    ];

    #[test]
    fn what_grows_by_chance_in_a_world_of_few_edits_is_told_from_what_grows_with_history() {
        let by_chance = over(BY_CHANCE).expect("there are edits enough");
        assert!(by_chance.sentence.ends_with("take 7 B an edit at first, 12 B half-way and 23 B at last"));
        assert_eq!(by_chance.verdict, Verdict::Holds);
        for parts in BY_HISTORY {
            assert_eq!(over(parts).map(|said| said.verdict), Some(Verdict::Falsified), "{parts:?}");
        }
    }

    #[test]
    fn chance_alone_orders_the_parts_as_growth_does_in_less_than_one_world_of_a_hundred() {
        fn orders(rest: &mut Vec<u64>, first: &mut Vec<u64>, each: &mut dyn FnMut(&[u64])) {
            if rest.is_empty() {
                return each(first);
            }
            for place in 0..rest.len() {
                first.push(rest.remove(place));
                orders(rest, first, each);
                rest.insert(place, first.pop().expect("it was added"));
            }
        }
        let (mut growing, mut all) = (0, 0);
        orders(&mut (1..=8).collect(), &mut Vec::new(), &mut |order| {
            let parts: Vec<Metadata> =
                order.iter().map(|&bytes| Metadata { bytes, all: bytes, edits: 20, together_ms: 1000 }).collect();
            growing += u64::from(growing_pairs(&parts) >= GROWING_PAIRS);
            all += 1;
        });
        assert_eq!((growing, all), (285, 40_320));
    }

    #[test]
    fn what_grows_in_visits_alone_grows_and_ticks_without_bytes_say_nothing_of_visits() {
        let judge = |ticks, visits| judge(&History { ticks, visits, ..History::default() }).verdict;
        let grows: Vec<u64> = (0..800).map(|tick| 70 + tick / 50).collect();
        assert_eq!(judge(vec![70; 800], grows.clone()), Verdict::Falsified);
        assert_eq!(judge(grows, vec![70; 800]), Verdict::Falsified);
        assert_eq!(judge(vec![0; 800], vec![70; 800]), Verdict::Holds);
        assert_eq!(judge(vec![70; 800], vec![0; 800]), Verdict::Holds);
        assert_eq!(judge(vec![0; 800], vec![0; 800]), Verdict::Inconclusive);
    }
}
