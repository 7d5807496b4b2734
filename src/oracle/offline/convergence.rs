//! Whether all replicas show the same bytes. That they do says nothing about whether they are right.

use crate::domain::count::counted;
use crate::domain::data::View;
use crate::domain::history::{History, NodeEnd};
use crate::oracle::offline::Judgement;

/// Compares every replica with the first.
pub fn judge(history: &History) -> Judgement {
    let Some(first) = history.ends.first() else { return Judgement::of(false, "nobody is left".to_owned()) };
    let bytes = |end: &NodeEnd| end.registers.iter().map(View::bytes).collect::<Vec<Vec<u8>>>();
    let expected = bytes(first);
    let other = history.ends.iter().find(|end| bytes(end) != expected);
    match other {
        None => Judgement::of(true, format!("{} replicas show the same bytes", history.ends.len())),
        Some(other) => {
            let differ = first.registers.iter().zip(&other.registers).filter(|(a, b)| a != b).count();
            Judgement::of(false, format!("{} and {} differ in {}", first.name, other.name, counted(differ, "register")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::verdict::Verdict;

    #[test]
    fn replicas_that_differ_in_one_register_do_not_converge() {
        let end = |name: &str, registers| NodeEnd::of_counters(name.to_owned(), registers);
        let history = History { ends: vec![end("a", vec![1, 2]), end("b", vec![1, 3])], ..History::default() };
        assert_eq!(judge(&history).sentence, "a and b differ in 1 register");
        let history = History { ends: vec![end("a", vec![1]), end("b", vec![1])], ..History::default() };
        assert_eq!(judge(&history).verdict, Verdict::Holds);
        assert_eq!(judge(&History::default()).verdict, Verdict::Falsified);
    }
}
