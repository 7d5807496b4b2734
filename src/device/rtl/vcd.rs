//! The text of a VCD file (IEEE 1364-2005, 18): what the simulator does not write itself.

use std::collections::BTreeMap;

use crate::domain::waveform::FirstWrong;

/// A clock in picoseconds, the unit of the file. `simulation.h` draws with the same times.
const PERIOD: u64 = 10_000;
const RISE: u64 = 5_000;
const OUTPUTS: u64 = 6_000;

/// When the clock of this number, from 1, rises: in picoseconds since the reset.
pub fn rises_at(number: u64) -> u64 {
    PERIOD * number - RISE
}

/// A VCD file's text with what it shows at its top, and without the date, which would make every one another.
pub fn headed(text: &str, first_wrong: &FirstWrong) -> String {
    let FirstWrong { clock, nanoseconds, what, .. } = first_wrong;
    let mut vcd = format!("$comment first wrong in clock {clock}, at {nanoseconds} ns: {what} $end\n");
    let mut in_date = false;
    for line in text.lines() {
        in_date |= line.starts_with("$date");
        if !in_date {
            vcd.push_str(line);
            vcd.push('\n');
        }
        in_date &= !line.contains("$end");
    }
    vcd
}

/// References of contexts, clock by clock: the simulator draws no memory of 256 words, and a case touches few of them.
#[derive(Default)]
pub struct Contexts {
    contexts: Vec<u8>,
    /// Their references, by the time from which they are there.
    drawn: BTreeMap<u64, Vec<u64>>,
}

impl Contexts {
    /// These contexts, of which nothing is drawn yet.
    pub fn of(contexts: Vec<u8>) -> Self {
        Contexts { contexts, drawn: BTreeMap::new() }
    }

    /// Keeps the references after this many clocks.
    pub fn draw(&mut self, clocks: u64, reference: impl Fn(u8) -> u64) {
        let words = self.contexts.iter().map(|&context| reference(context)).collect();
        // The first are those that were there before the first clock that is drawn.
        let at = if self.drawn.is_empty() { PERIOD * clocks } else { PERIOD * (clocks - 1) + OUTPUTS };
        self.drawn.insert(at, words);
    }

    /// The file with the contexts in it, in a scope of their own beside the top.
    pub fn added_to(&self, text: &str) -> String {
        const END: &str = "$enddefinitions";
        let code = |context: u8| format!("context{context}");
        let mut vcd = String::with_capacity(text.len() + 64 * self.drawn.len());
        let mut shown: Vec<Option<u64>> = vec![None; self.contexts.len()];
        let mut due: Option<u64> = None;
        let mut add = |due: &mut Option<u64>, vcd: &mut String| {
            let Some(words) = due.take().and_then(|at| self.drawn.get(&at)) else { return };
            for ((&context, &word), shown) in self.contexts.iter().zip(words).zip(&mut shown) {
                if shown.replace(word) != Some(word) {
                    vcd.push_str(&format!("b{word:064b} {}\n", code(context)));
                }
            }
        };
        for line in text.lines() {
            if line.starts_with(END) && !self.contexts.is_empty() {
                vcd.push_str("$scope module contexts $end\n");
                for &context in &self.contexts {
                    vcd.push_str(&format!("$var wire 64 {} context_{context} [63:0] $end\n", code(context)));
                }
                vcd.push_str("$upscope $end\n");
            }
            if let Some(time) = line.strip_prefix('#') {
                add(&mut due, &mut vcd);
                due = time.parse().ok();
            }
            vcd.push_str(line);
            vcd.push('\n');
        }
        add(&mut due, &mut vcd);
        vcd
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_added_where_they_change_and_nowhere_else() {
        let mut contexts = Contexts::of(vec![3]);
        contexts.draw(1, |_| 5);
        contexts.draw(2, |_| 5);
        contexts.draw(3, |_| 6);
        let text = "$enddefinitions $end\n#10000\n0a\n#16000\n1a\n#26000\n0a\n";
        let told = contexts.added_to(text);
        let (five, six) = (format!("b{:064b} context3", 5), format!("b{:064b} context3", 6));
        assert!(
            told.starts_with("$scope module contexts $end\n$var wire 64 context3 context_3 [63:0] $end\n"),
            "{told}"
        );
        assert!(told.ends_with(&format!("#10000\n0a\n{five}\n#16000\n1a\n#26000\n0a\n{six}\n")), "{told}");
    }
}
