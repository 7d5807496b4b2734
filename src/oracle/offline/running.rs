//! Whether an engine that others made keeps running. A panic, an end of its own, a wrong answer or none in time is a
//! finding about the engine, and no error of the harness.

use crate::domain::history::History;
use crate::oracle::offline::Judgement;

/// Names the failure; nothing for an engine that abench itself made, whose failure is one of abench.
pub fn judge(history: &History) -> Option<Judgement> {
    let running = history.over_time.running.as_ref()?;
    Some(match &running.failed {
        None => Judgement::of(true, "the engine kept running, and answered everything".to_owned()),
        Some(failed) => {
            let at = failed.at as f64 / 1e6;
            Judgement::of(false, format!("{} failed at {at:.3} s: {}", failed.node, failed.why))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::over_time::{Failed, Running};
    use crate::domain::verdict::Verdict;

    #[test]
    fn an_engine_that_failed_is_falsified_and_one_of_our_own_is_not_asked() {
        let mut history = History::default();
        assert_eq!(judge(&history), None);
        history.over_time.running = Some(Running::default());
        assert_eq!(judge(&history).map(|said| said.verdict), Some(Verdict::Holds));
        let failed = Failed { node: "client 1".to_owned(), at: 1_500_000, why: "it ended by itself".to_owned() };
        history.over_time.running = Some(Running { failed: Some(failed) });
        let said = judge(&history).expect("it is asked");
        assert_eq!(
            (said.verdict, said.sentence.as_str()),
            (Verdict::Falsified, "client 1 failed at 1.500 s: it ended by itself")
        );
    }
}
