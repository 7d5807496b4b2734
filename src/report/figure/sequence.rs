//! Counterexamples as sequence charts: who did what, step by step. One lifeline a node, and time goes down.

use std::collections::BTreeSet;

use super::plot::{LINE, Sample, legend};
use super::svg::{Anchor, At, CHARACTER, Dash, Ink, Mark, Svg, short, width};
use super::{Figure, table_of};
use crate::domain::case::Case;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::offline::OfflineTrial;
use crate::domain::script::{Action, CLIENTS, Step, text, world};
use crate::report::figure::said::{After, said};
use crate::report::inert::for_xml;
use crate::report::record::Record;

/// Steps that are drawn.
const SHOWN: usize = 60;

/// Lifelines that are drawn.
const LIFELINES: usize = 12;

/// Characters of a node's name above its lifeline.
const NAME: usize = 10;

/// Characters of a line of what happens.
const WORDS: usize = 28;

/// Space on the left of the times, and between these and the lifelines.
const EDGE: i32 = 40;
const GAP: i32 = 100;

/// A chart for each smallest counterexample that is a world written down.
pub(super) fn of_record(record: &Record) -> Vec<Figure> {
    let mut charts: Vec<(OfflineTrial, &Finding, Vec<&str>)> = Vec::new();
    for finding in record.checks.iter().flat_map(|check| &check.findings) {
        let case: Option<Case> = finding.case.parse().ok();
        let Some(trial) = case.and_then(|case| world::written_down(&case.execution)) else { continue };
        // Subjects that get the same steps wrong in the same way share a chart.
        let alike = |(other, shown, _): &&mut (OfflineTrial, &Finding, Vec<&str>)| {
            *other == trial && found(shown) == found(finding)
        };
        match charts.iter_mut().find(alike) {
            Some((_, _, subjects)) if subjects.contains(&finding.subject.as_str()) => {}
            Some((_, _, subjects)) => subjects.push(&finding.subject),
            None => charts.push((trial, finding, vec![&finding.subject])),
        }
    }
    charts.iter().map(|(trial, finding, subjects)| figure(trial, finding, subjects)).collect()
}

/// What was found, in a sentence without its full stop.
fn found(finding: &Finding) -> String {
    let Finding { during, quantity, expected, got, .. } = finding;
    match quantity {
        Quantity::Judges => during.clone(),
        _ => format!("{during}: {quantity} {got}, and should be {expected}"),
    }
}

fn figure(trial: &OfflineTrial, finding: &Finding, subjects: &[&str]) -> Figure {
    let Finding { oracle, evidence, .. } = finding;
    let title = format!("Counterexample: {}: {oracle} (evidence {evidence})", subjects.join(", "));
    let sentences: Vec<String> = trial.steps.iter().take(SHOWN).map(|step| said(&step.action)).collect();
    let found = found(finding);
    let alt = format!("{}; then everyone connects. Found: {found}.", sentences.join("; "));
    let mut table = table_of(["step", "after", "what happens", "in a scenario file"]);
    for (place, step) in trial.steps.iter().enumerate() {
        let after = After(step.after).to_string();
        table.row([(place + 1).to_string(), after, said(&step.action), text::line(step)]);
    }
    Figure { svg: Chart::of(trial).drawn(&title, &alt, &found), title, alt, table, is_repeated: false }
}

/// A chart of a script.
struct Chart<'a> {
    trial: &'a OfflineTrial,
    /// The names of its lifelines.
    nodes: Vec<String>,
    /// The width of the column of times: that of the longest one, with the gaps beside it.
    times: i32,
    /// How far lifelines are from each other.
    apart: i32,
    svg: Svg,
    /// What its legend must tell.
    used: Vec<Kind>,
}

/// What kind of step a mark stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Edit,
    Connect,
    Disconnect,
    Message,
    Fault,
    Backup,
    Other,
}

impl Kind {
    fn of(action: &Action) -> Kind {
        match action {
            Action::Edit { .. } | Action::Words { .. } | Action::Work { .. } => Kind::Edit,
            Action::Connect { .. } => Kind::Connect,
            Action::Disconnect(_) => Kind::Disconnect,
            Action::Message { .. } | Action::Cut { .. } => Kind::Message,
            Action::Fault(_) | Action::CrashDuring { .. } => Kind::Fault,
            Action::BackUp(_) => Kind::Backup,
            Action::Pass | Action::Clock { .. } | Action::Link { .. } | Action::Until { .. } => Kind::Other,
        }
    }

    fn mark(self) -> (Mark, Ink) {
        match self {
            Kind::Edit => (Mark::Dot, Ink::First),
            Kind::Connect => (Mark::Square, Ink::Fourth),
            Kind::Disconnect => (Mark::Frame, Ink::Fourth),
            Kind::Message | Kind::Fault => (Mark::Cross, Ink::Bad),
            Kind::Backup => (Mark::Diamond, Ink::Third),
            Kind::Other => (Mark::Ring, Ink::Text),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Kind::Edit => "edit",
            Kind::Connect => "connects",
            Kind::Disconnect => "disconnects",
            Kind::Message => "trouble on the way",
            Kind::Fault => "fault",
            Kind::Backup => "backup",
            Kind::Other => "other",
        }
    }
}

impl<'a> Chart<'a> {
    fn of(trial: &'a OfflineTrial) -> Self {
        let nodes = lifelines(trial);
        let longest = nodes.iter().map(|name| width(&short(name, NAME))).max().unwrap_or(0);
        let times = trial.steps.iter().take(SHOWN).filter_map(time).map(|time| width(&time)).max().unwrap_or(0);
        let (times, apart) = (EDGE + times + GAP, (longest + 40).max(400));
        Chart { trial, nodes, times, apart, svg: Svg::default(), used: Vec::new() }
    }

    fn x(&self, lifeline: usize) -> i32 {
        self.times + lifeline as i32 * self.apart + self.apart / 2
    }

    /// The lifelines that a name in a step stands for.
    fn named(&self, name: &str) -> Vec<usize> {
        let is_client = |node: &String| self.trial.node(node).is_some_and(|number| number < self.trial.clients);
        let stands_for = |node: &&String| *node == name || name == CLIENTS && is_client(node);
        (0..).zip(&self.nodes).filter(|(_, node)| stands_for(node)).map(|(place, _)| place).collect()
    }

    fn drawn(mut self, title: &str, alt: &str, found: &str) -> String {
        let words = self.times + self.nodes.len() as i32 * self.apart + 60;
        let wide = words + WORDS as i32 * CHARACTER + 20;
        for (place, name) in self.nodes.clone().iter().enumerate() {
            self.svg.bold((self.x(place), LINE / 2), Anchor::Middle, &short(name, NAME));
        }
        let mut y = LINE + 40;
        // A client is away until it connects; everything else is there from the beginning.
        let is_client = |node: &String| self.trial.node(node).is_some_and(|number| number < self.trial.clients);
        let mut here: Vec<bool> = self.nodes.iter().map(|node| !is_client(node)).collect();
        let trial = self.trial;
        for step in trial.steps.iter().take(SHOWN) {
            let lines = wrapped(&said(&step.action));
            let down = lines.len() as i32 * LINE + 110;
            let middle = y + down / 2;
            self.lifelines(y, middle, &here);
            match &step.action {
                Action::Connect { node, .. } => self.named(node).into_iter().for_each(|place| here[place] = true),
                Action::Disconnect(node) => self.named(node).into_iter().for_each(|place| here[place] = false),
                _ => {}
            }
            self.lifelines(middle, y + down, &here);
            self.step(step, middle);
            if let Some(time) = time(step) {
                self.svg.text((self.times - GAP, middle), Anchor::End, &time);
            }
            self.words(words, middle, &lines);
            y += down;
        }
        if trial.steps.len() > SHOWN {
            let more = wrapped(&format!("and {} more steps: see the table", trial.steps.len() - SHOWN));
            let down = more.len() as i32 * LINE;
            self.words(words, y + down / 2, &more);
            y += down + 60;
        }
        let in_the_end = ["then everyone connects".to_owned()];
        self.lifelines(y, y + LINE, &vec![true; self.nodes.len()]);
        self.words(words, y + LINE / 2, &in_the_end);
        y += LINE + 80;
        // What was found stands below everything, over the whole width.
        let columns = (wide / CHARACTER).max(20) as usize;
        for line in textwrap::wrap(&format!("Found: {}", for_xml(found)), columns) {
            self.svg.text((0, y + LINE / 2), Anchor::Start, &line);
            y += LINE;
        }
        let entries: Vec<(Sample, String)> = self
            .used
            .iter()
            .map(|kind| {
                let (mark, ink) = kind.mark();
                (Sample::Mark(mark, ink), kind.word().to_owned())
            })
            .chain([
                (Sample::Line(Dash::Whole, Ink::Fourth), "connected".to_owned()),
                (Sample::Line(Dash::Points, Ink::Text), "away".to_owned()),
            ])
            .collect();
        let below = legend(&mut self.svg, y + 60, wide, &entries);
        self.svg.finish((wide, y + below + 80), title, alt)
    }

    fn words(&mut self, x: i32, middle: i32, lines: &[String]) {
        let top = middle - (lines.len() as i32 - 1) * LINE / 2;
        for (place, line) in (0..).zip(lines) {
            self.svg.text((x, top + place * LINE), Anchor::Start, line);
        }
    }

    /// A piece of all lifelines: who is connected has a thick one.
    fn lifelines(&mut self, from: i32, to: i32, here: &[bool]) {
        for (place, &here) in here.iter().enumerate() {
            let ends = [(self.x(place), from), (self.x(place), to)];
            if here {
                self.svg.line(&ends, Ink::Fourth, Dash::Whole, 26);
            } else {
                self.svg.line(&ends, Ink::Text, Dash::Points, 12);
            }
        }
    }

    fn step(&mut self, step: &Step, y: i32) {
        let kind = Kind::of(&step.action);
        let (mark, ink) = kind.mark();
        let nodes: Vec<usize> = match &step.action {
            Action::Message { from, to, .. } | Action::Cut { node: from, with: to, .. } => {
                let is_message = matches!(step.action, Action::Message { .. });
                match (self.named(from).first(), self.named(to).first()) {
                    (Some(&from), Some(&to)) => self.between((self.x(from), y), (self.x(to), y), is_message),
                    _ => return,
                }
                Vec::new()
            }
            Action::Edit { node, .. }
            | Action::Words { node, .. }
            | Action::Connect { node, .. }
            | Action::CrashDuring { node, .. }
            | Action::Clock { node, .. }
            | Action::Link { node, .. }
            | Action::Work { node, .. }
            | Action::Disconnect(node)
            | Action::BackUp(node) => self.named(node),
            Action::Fault(fault) => self.named(&fault.node),
            Action::Pass | Action::Until { .. } => {
                let ends = [(self.times, y), (self.times + self.nodes.len() as i32 * self.apart, y)];
                self.svg.line(&ends, Ink::Text, Dash::Dashes, 10);
                return;
            }
        };
        if !self.used.contains(&kind) {
            self.used.push(kind);
        }
        nodes.into_iter().for_each(|place| self.svg.mark((self.x(place), y), mark, ink));
    }

    /// A message that meets with trouble half-way, or a link that is down.
    fn between(&mut self, from: At, to: At, is_message: bool) {
        self.svg.line(&[from, to], Ink::Text, if is_message { Dash::Whole } else { Dash::Dashes }, 14);
        if is_message {
            let back = if to.0 > from.0 { -90 } else { 90 };
            self.svg.area(&[to, (to.0 + back, to.1 - 40), (to.0 + back, to.1 + 40)], Ink::Text);
        }
        let (mark, ink) = Kind::Message.mark();
        self.svg.mark(((from.0 + to.0) / 2, from.1), mark, ink);
    }
}

/// How long after the step before it a step comes; nothing where it comes at once.
fn time(step: &Step) -> Option<String> {
    (step.after > 0).then(|| format!("+{}", After(step.after).short()))
}

/// The nodes that a chart shows: all of a small world, else those that steps name, and those above them.
fn lifelines(trial: &OfflineTrial) -> Vec<String> {
    let all = trial.nodes();
    let numbers: BTreeSet<u32> = if all as usize <= LIFELINES {
        (0..all).collect()
    } else {
        let named = trial.steps.iter().flat_map(|step| names(&step.action)).filter_map(|name| trial.node(name));
        let above = |node: u32| std::iter::successors(Some(node), |&node| trial.parent(node)).take(LIFELINES);
        let shown: BTreeSet<u32> = named.flat_map(above).collect();
        // The last are hubs and edges, which all others meet at.
        let clients = shown.iter().filter(|&&node| node < trial.clients).take(LIFELINES - 2);
        let others = shown.iter().filter(|&&node| node >= trial.clients).take(LIFELINES);
        clients.chain(others).take(LIFELINES).copied().collect()
    };
    numbers.into_iter().map(|node| trial.name(node)).collect()
}

/// The names in a step.
fn names(action: &Action) -> Vec<&str> {
    match action {
        Action::Message { from, to, .. } => vec![from, to],
        Action::Cut { node, with, .. } => vec![node, with],
        Action::Edit { node, .. }
        | Action::Words { node, .. }
        | Action::Connect { node, .. }
        | Action::CrashDuring { node, .. }
        | Action::Clock { node, .. }
        | Action::Link { node, .. }
        | Action::Work { node, .. }
        | Action::Disconnect(node)
        | Action::BackUp(node) => vec![node],
        Action::Fault(fault) => vec![&fault.node],
        Action::Pass | Action::Until { .. } => Vec::new(),
    }
}

fn wrapped(words: &str) -> Vec<String> {
    textwrap::wrap(words, WORDS).into_iter().map(|line| line.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::figure::tests::{kept, texts};

    /// The trial of the first counterexample of a record that can be drawn.
    fn drawable(name: &str) -> OfflineTrial {
        let findings = kept(name).checks.into_iter().flat_map(|check| check.findings);
        let mut cases = findings.filter_map(|finding| finding.case.parse::<Case>().ok());
        cases.find_map(|case| world::written_down(&case.execution)).expect("a script")
    }

    #[test]
    fn no_label_of_a_chart_begins_left_of_it_and_times_are_in_units_that_fit() {
        let mut trial = drawable("hub-set-back");
        for times in [[0; 4], [81_636, 60_000_000, 1, 0], [7_200_000_000, u64::MAX, 999_999, 1_000_001]] {
            for (step, after) in trial.steps.iter_mut().zip(times.into_iter().cycle()) {
                step.after = after;
            }
            let shown = texts(&Chart::of(&trial).drawn("title", "alt", "found"));
            assert!(shown.iter().all(|text| text.left >= 0.0), "{times:?}: {shown:#?}");
            let words: Vec<&str> = shown.iter().map(|text| text.words.as_str()).collect();
            for after in times.into_iter().filter(|&after| after > 0) {
                let time = format!("+{}", After(after).short());
                assert!(words.contains(&time.as_str()), "{time} is not in {words:?}");
            }
        }
    }

    #[test]
    fn a_chart_of_many_steps_has_room_for_every_text() {
        let mut trial = drawable("hub-set-back");
        let step = trial.steps[0].clone();
        trial.steps.extend(vec![step; 1000]);
        let svg = Chart::of(&trial).drawn("title", "alt", &"\u{0}\u{0}wrong ".repeat(40));
        let (_, view) = svg.split_once("viewBox='0 0 ").expect("a box");
        let wide: f64 = view.split(' ').next().and_then(|wide| wide.parse().ok()).expect("a width");
        let outside: Vec<_> = texts(&svg).into_iter().filter(|text| text.left < 0.0 || text.right > wide).collect();
        assert!(outside.is_empty() && svg.contains("more steps"), "{wide}: {outside:#?}");
    }

    #[test]
    fn a_chart_without_times_has_no_column_for_them() {
        let mut trial = drawable("hub-set-back");
        trial.steps.iter_mut().for_each(|step| step.after = 0);
        let without = Chart::of(&trial).times;
        trial.steps[0].after = 60_000_000;
        assert_eq!((without, Chart::of(&trial).times), (EDGE + GAP, EDGE + GAP + width("+1 min")));
    }
}
