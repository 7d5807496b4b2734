//! Whether no more units were taken out of a stock than were supplied, at any instant, and whether nobody was refused what the
//! engine's own rule allows.
//!
//! Overspending is wrong for every engine. An engine that spends by rights declares nothing of a device whose store was set
//! back or damaged: the device may hold rights again that it had spent, and nothing tells it so. What is overspent after that,
//! of a stock that the device had changed, is counted, and leaves the judge without a verdict.

use crate::domain::count::counted;
use crate::domain::data::Spending as Rule;
use crate::domain::history::History;
use crate::domain::over_time::{Overspent, RefusedUnits, Spending};
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;

/// Names the first take of what was not there; nothing in a world without stocks.
pub fn judge(history: &History) -> Option<Judgement> {
    let spent = history.over_time.spending.as_ref()?;
    let rule = history.carries.stocks.unwrap_or_default();
    if let Some(Overspent { node, register, at, units, left }) = &spent.first {
        let refused_wrongly = wrongly_refused(spent, rule);
        let too_many = format!(
            "{} of {} taken were not there: first {node} took {units} of register {register} after {} s, and {left} {} left",
            spent.overspent,
            counted(spent.taken, "unit"),
            at / 1_000_000,
            if *left == 1 { "was" } else { "were" },
        );
        let is_undeclared = rule == Rule::Rights && spent.all_after_set_back;
        if is_undeclared && refused_wrongly.is_none() {
            let why =
                "a store had been set back or damaged, and this engine does not declare to spend safely after that";
            return Some(Judgement { verdict: Verdict::Inconclusive, sentence: format!("{too_many}; {why}") });
        }
        let all = [too_many].into_iter().chain(refused_wrongly).collect::<Vec<_>>().join("; ");
        return Some(Judgement::of(false, all));
    }
    if let Some(wrongly) = wrongly_refused(spent, rule) {
        return Some(Judgement::of(false, wrongly));
    }
    if spent.takes == 0 && spent.refused == 0 {
        let sentence = "nobody took anything out of a stock".to_owned();
        return Some(Judgement { verdict: Verdict::Inconclusive, sentence });
    }
    Some(Judgement::of(true, format!("no unit was taken that was not there: {}{}", taken(spent), refused(spent))))
}

/// The first refusal that the rule does not cover.
fn wrongly_refused(spent: &Spending, rule: Rule) -> Option<String> {
    let ((wrongly, first), had) = match rule {
        Rule::Rights => (&spent.refused_held, "held rights to"),
        Rule::Shown => (&spent.refused_shown, "showed"),
    };
    let RefusedUnits { node, register, at, units, had: of } = first.as_ref()?;
    Some(format!(
        "{wrongly} of {} were wrong: first {node} was refused {units} of register {register} after {} s, and {had} {of}",
        counted(spent.refused, "refusal"),
        at / 1_000_000,
    ))
}

fn taken(spent: &Spending) -> String {
    format!("{} of {} in {}", spent.taken, counted(spent.supplied, "unit"), counted(spent.takes, "take"))
}

/// What the engine's rule costs its users.
fn refused(spent: &Spending) -> String {
    let refused = match (spent.refused, spent.left_when_refused) {
        (0, _) => String::new(),
        (refused, left) => {
            format!("; {}, {left} of them though enough units were left somewhere", counted(refused, "refusal"))
        }
    };
    match spent.frozen {
        0 => refused,
        frozen => format!("{refused}; rights to {} or more were lost with their stores", counted(frozen, "unit")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Carries;

    fn said(rule: Rule, spent: Spending) -> Judgement {
        let mut history = History { carries: Carries::COUNTERS.and_stocks(rule), ..History::default() };
        history.over_time.spending = Some(spent);
        judge(&history).expect("there is a stock")
    }

    fn sound() -> Spending {
        Spending { supplied: 9, takes: 2, taken: 5, refused: 3, left_when_refused: 1, ..Spending::default() }
    }

    fn refusal() -> (u64, Option<RefusedUnits<String>>) {
        (1, Some(RefusedUnits { node: "client 1".to_owned(), register: 2, at: 7_000_000, units: 3, had: 4 }))
    }

    #[test]
    fn units_that_were_not_there_are_counted_against_every_rule() {
        let first = Some(Overspent { node: "client 1".to_owned(), register: 2, at: 7_000_000, units: 3, left: 1 });
        let spent = Spending { overspent: 2, first, ..sound() };
        for rule in [Rule::Rights, Rule::Shown] {
            let said = said(rule, spent.clone());
            assert_eq!(said.verdict, Verdict::Falsified);
            assert_eq!(
                said.sentence,
                "2 of 5 units taken were not there: first client 1 took 3 of register 2 after 7 s, and 1 was left"
            );
        }
        // Rights that came back with an old store are beyond what rights can do, and no excuse for who asks for none.
        let came_back = Spending { all_after_set_back: true, ..spent };
        assert_eq!(said(Rule::Rights, came_back.clone()).verdict, Verdict::Inconclusive);
        assert_eq!(said(Rule::Shown, came_back.clone()).verdict, Verdict::Falsified);
        // No set-back explains a refusal.
        let refused = Spending { refused_held: refusal(), ..came_back };
        assert_eq!(said(Rule::Rights, refused).verdict, Verdict::Falsified);
    }

    #[test]
    fn a_refusal_is_judged_by_the_rule_of_its_engine() {
        let own = Spending { refused_held: refusal(), ..sound() };
        assert_eq!(said(Rule::Rights, own.clone()).verdict, Verdict::Falsified);
        assert_eq!(said(Rule::Shown, own).verdict, Verdict::Holds);
        let shown = Spending { refused_shown: refusal(), ..sound() };
        assert_eq!(said(Rule::Rights, shown.clone()).verdict, Verdict::Holds);
        let wrong = said(Rule::Shown, shown);
        assert_eq!(
            (wrong.verdict, wrong.sentence.as_str()),
            (
                Verdict::Falsified,
                "1 of 3 refusals were wrong: first client 1 was refused 3 of register 2 after 7 s, and showed 4"
            )
        );
    }

    #[test]
    fn a_world_in_which_nobody_took_anything_proves_nothing() {
        assert_eq!(said(Rule::Rights, Spending::default()).verdict, Verdict::Inconclusive);
        let holds = said(Rule::Rights, Spending { frozen: 1, ..sound() });
        assert_eq!(holds.verdict, Verdict::Holds);
        assert_eq!(
            holds.sentence,
            "no unit was taken that was not there: 5 of 9 units in 2 takes; 3 refusals, 1 of them though enough units were \
             left somewhere; rights to 1 unit or more were lost with their stores"
        );
        assert_eq!(judge(&History::default()), None);
    }
}
