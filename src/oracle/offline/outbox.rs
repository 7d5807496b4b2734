//! Whether a device tells its user that nothing waits to be sent only where that is true.

use crate::domain::count::counted;
use crate::domain::history::History;
use crate::domain::over_time::{Outbox, ToldEarly};
use crate::oracle::offline::Judgement;

/// Names the first edit that was nowhere else; nothing where no device ever told that nothing waits.
pub fn judge(history: &History) -> Option<Judgement> {
    let Outbox { told, early, first } = history.over_time.outbox.as_ref()?;
    let times = counted(*told, "time");
    Some(match first {
        None => Judgement::of(
            true,
            format!("devices told {times} that nothing waits, and each time other replicas could have everything"),
        ),
        Some(ToldEarly { node, edit, register, at }) => Judgement::of(
            false,
            format!(
                "{node} told its user at {:.3} s that nothing waits, and no other replica could have edit {edit} of that \
                 user, of register {register}; so {early} of {times}",
                *at as f64 / 1e6
            ),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn one_edit_that_was_nowhere_else_is_too_much_and_where_nothing_was_told_nothing_is_judged() {
        let mut history = History::default();
        assert_eq!(judge(&history), None);
        history.over_time.outbox = Some(Outbox { told: 1, early: 0, first: None });
        let said = judge(&history).expect("something was told");
        assert_eq!(
            (said.verdict, said.sentence.as_str()),
            (
                Verdict::Holds,
                "devices told 1 time that nothing waits, and each time other replicas could have everything"
            )
        );
        let first = Some(ToldEarly { node: "client 1".to_owned(), edit: 3, register: 7, at: 1_500_000 });
        history.over_time.outbox = Some(Outbox { told: 9, early: 2, first });
        let said = judge(&history).expect("something was told");
        assert_eq!(
            (said.verdict, said.sentence.as_str()),
            (
                Verdict::Falsified,
                "client 1 told its user at 1.500 s that nothing waits, and no other replica could have edit 3 of that \
                 user, of register 7; so 2 of 9 times"
            )
        );
    }
}
