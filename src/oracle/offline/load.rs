//! Whether the hub's busiest second stays within the scenario's bounds, and whether a refused device waits for at least half
//! of its nominal backoff.

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::domain::over_time::{Load, Peak};
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// Names every bound that was exceeded; nothing where the scenario sets none and nobody was refused.
pub fn judge(history: &History) -> Option<Judgement> {
    let Load { attempts, messages, bytes, gaps, hasty, first_hasty } = history.over_time.load.as_ref()?;
    let peaks = [("attempt", attempts), ("message", messages), ("byte", bytes)];
    let bounded: Vec<(&str, &Peak, u64)> =
        peaks.into_iter().filter_map(|(what, peak)| Some((what, peak, peak.bound?))).collect();
    if bounded.is_empty() && *gaps == 0 {
        return None;
    }
    let told = |(what, peak, bound): &(&str, &Peak, u64)| {
        format!("{} until {:.3} s, and {bound} allowed", counted(peak.most, what), peak.at as f64 / 1e6)
    };
    let over: Vec<String> = bounded.iter().filter(|(_, peak, bound)| peak.most > *bound).map(told).collect();
    let busiest = (!over.is_empty()).then(|| format!("the hub's busiest second had {}", over.join(", ")));
    let too_early = first_hasty.as_ref().map(|(node, waited, nominal)| {
        let [waited, nominal] = [waited, nominal].map(|&time| time as f64 / 1e6);
        let gaps = counted(*gaps, "attempt");
        format!(
            "{hasty} of {gaps} came too early while refused: {node} waited {waited:.1} s, and its nominal backoff was \
             {nominal:.1} s"
        )
    });
    let against: Vec<String> = busiest.into_iter().chain(too_early).collect();
    if !against.is_empty() {
        return Some(Judgement::of(false, against.join("; ")));
    }
    let within: Vec<String> =
        bounded.iter().map(|(what, peak, bound)| format!("{} of {bound} allowed", counted(peak.most, what))).collect();
    let mut told = Vec::new();
    if !within.is_empty() {
        told.push(format!("in the hub's busiest second {}", within.join(", ")));
    }
    if *gaps > 0 {
        told.push(format!("{} while refused, each after half of its backoff or more", counted(*gaps, "attempt")));
    }
    Some(Judgement { verdict: Verdict::Holds, sentence: told.join("; ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(load: Load) -> Option<Judgement> {
        let mut history = History::default();
        history.over_time.load = Some(load);
        super::judge(&history)
    }

    #[test]
    fn each_bound_is_judged_and_names_its_second() {
        let at = |most| Peak { most, at: 1_500_000, bound: Some(10) };
        let verdict = |load| judge(load).map(|said| said.verdict);
        assert_eq!(
            verdict(Load { attempts: at(10), messages: at(10), bytes: at(10), ..Load::default() }),
            Some(Verdict::Holds)
        );
        let loads = [
            Load { attempts: at(11), ..Load::default() },
            Load { messages: at(11), ..Load::default() },
            Load { bytes: at(11), ..Load::default() },
        ];
        for load in loads {
            assert_eq!(verdict(load), Some(Verdict::Falsified));
        }
        let said = judge(Load { messages: at(11), ..Load::default() }).expect("there is a bound");
        assert_eq!(said.sentence, "the hub's busiest second had 11 messages until 1.500 s, and 10 allowed");
        let unbounded = Peak { most: 1 << 40, ..Peak::default() };
        assert_eq!(verdict(Load { bytes: unbounded, ..Load::default() }), None);
    }

    #[test]
    fn who_tries_again_too_early_is_named() {
        let calm = Load { gaps: 3, ..Load::default() };
        assert_eq!(judge(calm.clone()).map(|said| said.verdict), Some(Verdict::Holds));
        let first_hasty = Some(("client 2".to_owned(), 1_000_000, 4_000_000));
        let said = judge(Load { hasty: 1, first_hasty, ..calm }).expect("somebody was refused");
        assert_eq!(said.verdict, Verdict::Falsified);
        assert_eq!(
            said.sentence,
            "1 of 3 attempts came too early while refused: client 2 waited 1.0 s, and its nominal backoff was 4.0 s"
        );
    }
}
