//! A comparison as text: one screen, what is worse first, and the verdict as the last line.

use crate::domain::count::counted;
use crate::domain::verdict::exit;
use crate::report::comparison::folders::Gate;
use crate::report::comparison::times::{Clock, FLOORS, TimeRow, Times, ratio, shown};
use crate::report::comparison::{Direction, Move};
use crate::report::document::{Cell, Column, Detail, Table, Tone};
use crate::report::format::grid::style;
use crate::report::format::text::{Text, shortened};

/// Rows of what moved, on the first screen.
const ROWS: usize = 10;

/// Rows of times, on the first screen.
const TIMES: usize = 3;

/// Lines of sentences, on the first screen.
const NOTES: usize = 4;

/// Columns of a value.
const VALUE: usize = 18;

/// The report, in lines of at most `width` columns; `base` and `new` are what the records are called.
pub fn render(gate: &Gate, [base, new]: [&str; 2], width: usize, detail: Detail) -> String {
    let mut text = Text::new(width);
    if detail != Detail::Verdict {
        text.cut(&format!("abench {}: NEW {new} against BASE {base}", env!("CARGO_PKG_VERSION")));
        text.counts(gate);
        text.moves(gate, detail);
        text.lacking(gate, detail);
        text.times(gate, detail);
        text.notes(gate, detail);
    }
    text.line(&verdict_line(gate, text.width()));
    text.finish()
}

/// The last line of the report.
pub fn verdict_line(gate: &Gate, width: usize) -> String {
    let (word, why) = gate.verdict();
    let code = gate.exit_code();
    let style = style(match code {
        exit::HOLDS => Tone::Good,
        exit::REGRESSION => Tone::Bad,
        _ => Tone::Doubtful,
    });
    let exit = format!(" (exit {code})");
    let room = width.saturating_sub("verdict ".len() + word.len() + 2 + exit.len());
    let why = if why.is_empty() { why } else { format!(": {}", shortened(&why, room)) };
    format!("verdict {style}{word}{style:#}{why}{exit}")
}

impl Text {
    fn counts(&mut self, gate: &Gate) {
        let moves = gate.moves();
        let of = |wanted| moves.iter().filter(|(_, moved)| moved.direction == wanted).count();
        let unmoved: u64 = gate.pairs.iter().map(|pair| pair.unmoved).sum();
        let pairs =
            if gate.pairs.len() == 1 { String::new() } else { format!("{} pairs of records: ", gate.pairs.len()) };
        self.cut(&format!(
            "compared: {pairs}{} as before, {} worse, {} better, {} new",
            counted(unmoved, "value"),
            of(Direction::Worse),
            of(Direction::Better),
            of(Direction::New)
        ));
    }

    /// What moved: on the first screen without what is new.
    fn moves(&mut self, gate: &Gate, detail: Detail) {
        let in_full = detail > Detail::Screen;
        let moves: Vec<(&str, &Move)> =
            gate.moves().into_iter().filter(|(_, moved)| in_full || moved.direction != Direction::New).collect();
        if moves.is_empty() {
            return;
        }
        let shown = if in_full { moves.len() } else { moves.len().min(ROWS) };
        let value = |value: &Option<String>| shortened(value.as_deref().unwrap_or("-"), VALUE);
        let cells = |(of, moved): &(&str, &Move)| {
            let Move { kind, what, base, new, change, direction } = moved;
            let what = if gate.pairs.len() > 1 { format!("{of}: {what}") } else { what.clone() };
            // Numbers say by their sign which way they went, and a reader which way is worse.
            let change = match direction {
                Direction::Better if !change.contains("better") && !change.contains("stronger") => {
                    format!("{change}, better")
                }
                _ => change.clone(),
            };
            [kind.to_string(), what, value(base), value(new), change]
        };
        let rows: Vec<[String; 5]> = moves[..shown].iter().map(cells).collect();
        let widest = |place: usize| rows.iter().map(|row| row[place].chars().count()).max().unwrap_or(0);
        let heads = ["", "what", "BASE", "NEW", "change"];
        let others: usize = [0, 2, 3, 4].map(|place| widest(place).max(heads[place].len()) + 2).iter().sum();
        // What does not fit beside BASE gets the room of that column.
        let beside = self.width().saturating_sub(others + 2);
        let room = if beside >= widest(1).min(24) { beside } else { beside + widest(2).max(4) + 2 };
        let rows = rows.into_iter().zip(&moves).map(|([kind, what, base, new, change], (_, moved))| {
            let tone = match moved.direction {
                Direction::Worse => Tone::Bad,
                Direction::Better => Tone::Good,
                Direction::New => Tone::Plain,
            };
            [kind, shortened(&what, room), base, new, change].map(|text| Cell { text, tone }).to_vec()
        });
        let [kind, what, base, new, change] = heads;
        let columns = [
            Column::words(kind),
            Column::words(what),
            Column::number(base).ranked(1),
            Column::number(new),
            Column::words(change),
        ];
        self.fitted(&Table::numbers("", columns, rows));
        if moves.len() > shown {
            self.cut(&format!("  and {} (-v shows all)", counted(moves.len() - shown, "more value")));
        }
    }

    fn lacking(&mut self, gate: &Gate, detail: Detail) {
        let lacking = gate.only_base.iter().map(|of| format!("only in BASE: {of}"));
        let refused = gate.refused.iter().map(|refused| format!("not compared: {}: {}", refused.of, refused.reason));
        let untold = gate.pairs.iter().filter_map(|pair| Some((&pair.of, pair.inconclusive.as_ref()?)));
        let untold = untold.map(|(of, reason)| format!("inconclusive: {of}: {reason}"));
        let new = gate.only_new.iter().map(|of| format!("only in NEW: {of}"));
        self.sentences(lacking.chain(refused).chain(untold).chain(new).collect(), detail);
    }

    /// The times of one pair. Of several, what moved is in the table.
    fn times(&mut self, gate: &Gate, detail: Detail) {
        if gate.pairs.len() > 1 && detail == Detail::Screen {
            return self.times_of_many(gate);
        }
        for pair in &gate.pairs {
            let Times { samples: [base, new], not_compared, rows, too_short, .. } = &pair.times;
            let of = if gate.pairs.len() > 1 { format!(" of {}", pair.of) } else { String::new() };
            if let Some(reason) = not_compared {
                self.paragraph("", 0, &format!("times{of} not compared: {reason}"));
                continue;
            }
            if !rows.is_empty() {
                self.paragraph(
                    "",
                    0,
                    &format!("times{of}: medians of {base} and {new} samples, NEW by BASE (95 % interval)"),
                );
            }
            let mut rows: Vec<&TimeRow> = rows.iter().collect();
            if detail == Detail::Screen {
                // The whole run is first by both clocks; then what moved most.
                let far = |row: &TimeRow| row.ratio.value.ln().abs();
                let first = rows.len().min(2);
                rows[first..].sort_by(|one, other| far(other).total_cmp(&far(one)));
                rows.truncate(TIMES);
            }
            self.time_rows(&rows);
            if !too_short.is_empty() {
                let named = if too_short.len() > 3 && detail == Detail::Screen {
                    format!("{} (-v names them)", counted(too_short.len(), "time"))
                } else {
                    too_short.join(", ")
                };
                self.paragraph("", 0, &format!("times{of} not compared, too short to judge ({FLOORS}): {named}"));
            }
        }
    }

    fn times_of_many(&mut self, gate: &Gate) {
        let untimed: Vec<_> = gate.pairs.iter().filter_map(|pair| pair.times.not_compared.as_ref()).collect();
        if let Some(reason) = untimed.first() {
            let (untimed, all) = (untimed.len(), gate.pairs.len());
            self.paragraph("", 0, &format!("times not compared in {untimed} of {all} pairs: {reason}"));
        }
    }

    fn time_rows(&mut self, rows: &[&TimeRow]) {
        let columns = [
            Column::words(""),
            Column::number("BASE").ranked(1),
            Column::number("NEW").ranked(1),
            Column::words("ratio"),
            Column::words("").ranked(2),
        ];
        let cells = |row: &&TimeRow| {
            let clock = if row.clock == Clock::Wall { "wall" } else { "" };
            let words = [shortened(&row.what, 34), shown(row.base_ns), shown(row.new_ns), ratio(&row.ratio)];
            words.iter().map(Cell::text).chain([Cell::text(clock)]).collect()
        };
        self.headless(&Table::numbers("", columns, rows.iter().map(cells)));
    }

    fn notes(&mut self, gate: &Gate, detail: Detail) {
        let of_pairs = gate.pairs.iter().flat_map(|pair| pair.notes.iter().chain(&pair.times.notes));
        let mut notes: Vec<String> = Vec::new();
        for note in gate.notes.iter().chain(of_pairs) {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        self.sentences(notes, detail);
    }

    fn sentences(&mut self, sentences: Vec<String>, detail: Detail) {
        if detail > Detail::Screen {
            return sentences.iter().for_each(|sentence| self.paragraph("- ", 2, sentence));
        }
        let mut shown = 0;
        let mut room = NOTES;
        for sentence in &sentences {
            let mut alone = Text::new(self.width());
            alone.paragraph("", 0, sentence);
            // A sentence is shown whole or not at all, and the last line may have to say how many are not.
            let left = if shown + 1 < sentences.len() { 1 } else { 0 };
            if shown > 0 && alone.lines() + left > room {
                break;
            }
            (shown, room) = (shown + 1, room.saturating_sub(alone.lines()));
            self.paragraph("", 0, sentence);
        }
        if sentences.len() > shown {
            self.cut(&format!("and {} (-v shows all)", counted(sentences.len() - shown, "more sentence")));
        }
    }
}
