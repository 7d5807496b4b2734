//! Whether every edit counts once: where a register is wrong, which of its edits were lost, and which count twice.
//!
//! The fewest edits that explain a difference are taken for its cause; a difference that no two edits explain is told as
//! such. Truth says how many registers are wrong, this one how.

use crate::domain::history::History;
use crate::domain::verdict::Verdict;
use crate::oracle::offline::Judgement;
use crate::oracle::offline::truth;

/// What became of the edits of wrong registers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Causes {
    /// Edits that do not count.
    pub lost: u32,
    /// Edits that count twice.
    pub repeated: u32,
    /// Registers that no two edits explain.
    pub unexplained: u32,
}

/// Explains every wrong register of the worst replica.
pub fn judge(history: &History) -> Judgement {
    let causes = causes(history);
    if truth::wrong_registers(history) == 0 {
        return Judgement::of(true, "every edit counts once".to_owned());
    }
    let Causes { lost, repeated, unexplained } = causes;
    Judgement {
        verdict: Verdict::Falsified,
        sentence: format!(
            "{lost} edits are lost and {repeated} count twice; {unexplained} registers have other reasons"
        ),
    }
}

/// The causes at the first replica that is wrong.
pub fn causes(history: &History) -> Causes {
    let truth = history.ledger.truth();
    let Some(end) = history.ends.iter().find(|end| end.registers != truth) else { return Causes::default() };
    let mut causes = Causes::default();
    for (register, (got, expected)) in end.registers.iter().zip(&truth).enumerate().filter(|(_, (a, b))| a != b) {
        let of_register = history.ledger.edits().filter(|edit| edit.register as usize == register);
        let amounts: Vec<i64> = of_register.map(|edit| edit.amount).collect();
        let surplus = got.wrapping_sub(*expected);
        match explain(&amounts, surplus) {
            Some((lost, repeated)) => {
                causes.lost += lost;
                causes.repeated += repeated;
            }
            None => causes.unexplained += 1,
        }
    }
    causes
}

/// How many edits that are lost, and how many that count twice, make this surplus: at most two in all.
fn explain(amounts: &[i64], surplus: i64) -> Option<(u32, u32)> {
    let signed: Vec<(i64, (u32, u32))> =
        amounts.iter().flat_map(|&amount| [(amount.wrapping_neg(), (1, 0)), (amount, (0, 1))]).collect();
    if let Some(&(_, cause)) = signed.iter().find(|(by, _)| *by == surplus) {
        return Some(cause);
    }
    for (place, (one, (lost, repeated))) in signed.iter().enumerate() {
        // The two entries of one edit do not go together.
        let others = signed.iter().enumerate().filter(|(other, _)| other / 2 > place / 2);
        for (_, (other, (also_lost, also_repeated))) in others {
            if one.wrapping_add(*other) == surplus {
                return Some((lost + also_lost, repeated + also_repeated));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_explained_by_the_fewest_edits() {
        assert_eq!(explain(&[1, 4, 16], -4), Some((1, 0)));
        assert_eq!(explain(&[1, 4, 16], 16), Some((0, 1)));
        assert_eq!(explain(&[1, 4, 16], 12), Some((1, 1)));
        assert_eq!(explain(&[1, 4, 16], 2), None);
        assert_eq!(explain(&[5], 10), None);
    }
}
