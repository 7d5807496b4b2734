//! What failed: a line for each check that does not hold, and the smallest counterexample with the command that replays it.

use crate::domain::count::counted;
use crate::domain::verdict::Verdict;
use crate::report::document::section::counterexamples;
use crate::report::document::{Block, Section};
use crate::report::record::{Check, Record};

/// Checks that have a line.
const MOST_CHECKS: usize = 10;

/// Characters of a check's summary.
const MOST_WORDS: usize = 240;

/// What stands for the rest of a summary.
const REST: &str = "; and more, in the table of checks.";

/// What a reader looks for first in a run that does not hold; nothing where all checks hold.
pub fn section(record: &Record) -> Option<Section> {
    let mut failed: Vec<&Check> = record.checks.iter().filter(|check| check.verdict != Verdict::Holds).collect();
    if failed.is_empty() {
        return None;
    }
    failed.sort_by_key(|check| std::cmp::Reverse(check.verdict));
    let line = |check: &&Check| format!("{} is {}: {}", check.name, check.verdict, beginning(&check.summary));
    let mut lines: Vec<String> = failed.iter().take(MOST_CHECKS).map(line).collect();
    if failed.len() > MOST_CHECKS {
        lines.push(format!("And {}, in the table of checks.", counted(failed.len() - MOST_CHECKS, "more check")));
    }
    let mut blocks = vec![Block::List(lines)];
    let findings = failed.iter().flat_map(|check| check.findings.iter().map(move |finding| (check, finding)));
    if let Some((check, finding)) = findings.min_by_key(|(_, finding)| finding.case.len()) {
        blocks.push(Block::Paragraph(format!("Smallest counterexample, of {}: {}.", check.name, finding.size)));
        blocks.push(Block::Command(counterexamples::command(&record.asked, finding)));
    }
    Section::of("failed", "What failed", blocks)
}

/// What a summary says first, up to the end of what one judge says where that is possible, as the end of a sentence.
fn beginning(words: &str) -> String {
    if words.chars().count() <= MOST_WORDS {
        return format!("{words}.");
    }
    let cut: String = words.chars().take(MOST_WORDS).collect();
    if let Some((whole, _)) = cut.rsplit_once("; ") {
        return format!("{whole}{REST}");
    }
    let whole = cut.rsplit_once(' ').map_or(cut.as_str(), |(whole, _)| whole);
    format!("{}…{REST}", whole.trim_end_matches([',', ';', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_summary_is_cut_after_what_a_judge_says_or_after_a_whole_word() {
        assert_eq!(beginning("a register is wrong"), "a register is wrong.");
        let cut = beginning(&"word, ".repeat(60));
        assert!(cut.ends_with(&format!("word…{REST}")), "{cut}");
        assert!(cut.chars().count() <= MOST_WORDS + REST.len(), "{cut}");
        let judges = format!("truth: 3 are wrong; {}", "word ".repeat(60));
        assert_eq!(beginning(&judges), format!("truth: 3 are wrong{REST}"));
    }
}
