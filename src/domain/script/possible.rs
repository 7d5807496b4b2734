//! Scripts that cannot be: every step is about devices, registers and links that there are, and within its bounds.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::data::{DataType, Fields, Intent};
use crate::domain::fault_keys::NOBODY_IS_LEFT;
use crate::domain::letter::Letter;
use crate::domain::offline::{FaultKind, Link, NodeFault, OfflineTrial, Presence, Workload};
use crate::domain::possible::SLOWEST;
use crate::domain::script::keys::{self, MOST};
use crate::domain::script::{Action, CLIENTS, Condition, MOST_STEPS, Step, StepError, Words};

/// Why something cannot be: the key that says so, and the reason.
type Refused = (&'static str, String);

impl OfflineTrial {
    /// The devices of a name in a step: `clients` are all clients. None if there is no such device.
    pub fn nodes_named(&self, name: &str) -> Vec<u32> {
        if name == CLIENTS { (0..self.clients).collect() } else { self.node(name).into_iter().collect() }
    }

    /// Whether there is a link between two devices.
    pub fn are_linked(&self, one: u32, other: u32) -> bool {
        let peers = !self.hub && one < self.clients && other < self.clients && one != other;
        peers && self.parent(one).is_none() && self.parent(other).is_none()
            || self.parent(one) == Some(other)
            || self.parent(other) == Some(one)
    }

    /// How many edits its users are going to make.
    pub fn edits(&self) -> u64 {
        let drawn = u64::from(self.workload.ticks) * u64::from(self.workload.changed) + u64::from(self.stocks.edits);
        let of_step = |step: &Step| {
            let users = match &step.action {
                Action::Edit { node, .. } | Action::Words { node, .. } | Action::Work { node, .. } => {
                    self.nodes_named(node).len() as u64
                }
                _ => 0,
            };
            step.action.edits().saturating_mul(users)
        };
        let written = self.steps.iter().map(of_step).fold(0, u64::saturating_add);
        written.saturating_add(drawn.saturating_mul(self.clients.into()))
    }

    /// How long it lasts until faults are over, in microseconds; a world that is written down at most so long, and at least a
    /// second.
    pub fn lasts(&self) -> u64 {
        if !self.is_scripted() {
            return self.presence.lasts_s * 1_000_000;
        }
        // A step waits for the pause before it, and for waits; what other steps begin goes on beside those after them.
        let (mut at, mut over) = (0u64, 1_000_000);
        for Step { after, action } in &self.steps {
            at = at.saturating_add(*after);
            let ends = at.saturating_add(action.lasts());
            over = over.max(ends);
            if matches!(action, Action::Until { .. }) {
                at = ends;
            }
        }
        over
    }

    /// Why there can be no such script: which step, which key, and what is allowed.
    pub fn impossible_steps(&self) -> Option<StepError> {
        if self.steps.len() > MOST_STEPS {
            let reason = format!("there are {} steps; up to {MOST_STEPS} are allowed", self.steps.len());
            return Some(StepError { step: MOST_STEPS, key: "steps".to_owned(), reason });
        }
        let bare = OfflineTrial { steps: Vec::new(), ..self.clone() };
        let (mut lasts, mut backups) = (0u64, vec![false; self.nodes() as usize]);
        let (mut retired, mut typed) = (BTreeSet::new(), BTreeMap::new());
        for (number, step) in self.steps.iter().enumerate() {
            let refused = |(key, reason): Refused| {
                let key = if key.is_empty() { step.action.verb().into_owned() } else { key.to_owned() };
                Some(StepError { step: number, key, reason })
            };
            if let Err(error) = bare.possible(&step.action) {
                return refused(error);
            }
            lasts = lasts.saturating_add(step.after).saturating_add(step.action.lasts());
            if lasts > MOST {
                return refused(("", "with this step the script lasts longer than a hundred years".to_owned()));
            }
            if let Err(error) = self.counts_letters(&step.action, &mut typed) {
                return refused(error);
            }
            match &step.action {
                Action::BackUp(node) => {
                    self.nodes_named(node).into_iter().for_each(|node| backups[node as usize] = true);
                }
                Action::Fault(NodeFault { kind: FaultKind::Retire, node, .. }) => {
                    retired.extend(self.nodes_named(node));
                    if self.leaves_nobody(&retired) {
                        return refused(("", NOBODY_IS_LEFT.to_owned()));
                    }
                }
                Action::Fault(NodeFault { kind: FaultKind::Restore, node, .. }) => {
                    let mut of = self.nodes_named(node).into_iter();
                    if let Some(node) = of.find(|&node| !std::mem::take(&mut backups[node as usize])) {
                        let reason = format!(
                            "{} has no backup here: a step back_up comes before it, and each backup is used once",
                            self.name(node)
                        );
                        return refused(("", reason));
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// A judge tells the letters of a text apart by marks, of which there are not many.
    fn counts_letters(&self, action: &Action, typed: &mut BTreeMap<(u32, char), u32>) -> Result<(), Refused> {
        let (node, register, letters) = match action {
            Action::Edit { node, register, intent: Intent::Type { letter, .. } } => (node, register, vec![*letter]),
            Action::Words { node, register, words: words @ Words::Type { .. } } => (node, register, words.letters()),
            _ => return Ok(()),
        };
        for letter in letters {
            if letter.is_mark() {
                let reason = "it has a code point of U+E0100 to U+E01EF where none can be: those are marks of letters"
                    .to_owned();
                return Err(("type", reason));
            }
            let count = typed.entry((*register, letter.code_point())).or_default();
            *count += self.nodes_named(node).len() as u32;
            if *count > Letter::MOST_COPIES {
                let (most, letter) = (Letter::MOST_COPIES, letter.code_point().escape_debug());
                return Err((
                    "type",
                    format!(
                        "with this step '{letter}' is typed {count} times into one text; up to {most} times are allowed"
                    ),
                ));
            }
        }
        Ok(())
    }

    /// `self` has no steps: it is copied for some of them.
    fn possible(&self, action: &Action) -> Result<(), Refused> {
        match action {
            Action::Pass => Ok(()),
            Action::Words { node, register, words } => {
                self.clients_of("edit", node)?;
                let fields = self.fields();
                is_there(&fields, *register)?;
                let key = if matches!(words, Words::Type { .. }) { "type" } else { "erase" };
                match (fields.of(*register), words.letters().len()) {
                    (DataType::Text, 0..=MOST_LETTERS) => Ok(()),
                    (DataType::Text, letters) => {
                        Err((key, format!("it has {letters} letters; up to {MOST_LETTERS} are allowed in a step")))
                    }
                    (data, _) => Err((key, of_others(*register, data))),
                }
            }
            Action::Edit { node, register, intent } => {
                self.clients_of("edit", node)?;
                let fields = self.fields();
                is_there(&fields, *register)?;
                match (intent, fields.of(*register)) {
                    (Intent::Increase(0), _) => Err(("by", "0 changes nothing; any other number does".to_owned())),
                    _ if fields.allow(*register, *intent) => Ok(()),
                    (_, DataType::Text) => {
                        Err((keys::of_intent(*intent), format!("register {register} is a text: type or erase letters")))
                    }
                    (Intent::Type { .. } | Intent::Erase(_), data) => {
                        Err((keys::of_intent(*intent), of_others(*register, data)))
                    }
                    (Intent::Transfer { to, .. }, DataType::Stock) if *to >= self.clients => {
                        Err(("to", format!("there is no client {to}; 0 to {} are allowed", self.clients - 1)))
                    }
                    (Intent::Supply(_) | Intent::Take(_) | Intent::Transfer { .. }, DataType::Stock) => {
                        Err((keys::of_intent(*intent), "0 units change nothing; any other number does".to_owned()))
                    }
                    (_, DataType::Stock) => Err((
                        keys::of_intent(*intent),
                        format!("register {register} is a stock: supply, take or transfer units"),
                    )),
                    (intent, DataType::Tags) if intent.of() != DataType::Tags => Err((
                        keys::of_intent(*intent),
                        format!("register {register} holds tags: insert or remove an element"),
                    )),
                    (intent, DataType::Record) if intent.of() != DataType::Record => Err((
                        keys::of_intent(*intent),
                        format!("register {register} is a record: create, delete, set, tag or untag"),
                    )),
                    (Intent::Set { .. }, DataType::Record) => {
                        let last = fields.record_labels - 1;
                        Err(("field", format!("a record has no such label; 0 to {last} are allowed")))
                    }
                    (Intent::Create(_), DataType::Record) => Err((
                        "create",
                        "this value is too large: the labels hold it and those that follow it".to_owned(),
                    )),
                    (_, DataType::Record) => {
                        let last = self.records.elements - 1;
                        Err((keys::of_intent(*intent), format!("there is no such element; 0 to {last} are allowed")))
                    }
                    (_, DataType::Label) => Err((
                        keys::of_intent(*intent),
                        format!("register {register} is a label, which takes write alone"),
                    )),
                    (_, DataType::Claim) => Err((
                        keys::of_intent(*intent),
                        format!("register {register} can be had once, and takes claim alone"),
                    )),
                    (Intent::Do(_), DataType::Case) => {
                        let last = fields.case_items - 1;
                        Err(("do", format!("there is no such item; 0 to {last} are allowed")))
                    }
                    (_, DataType::Case) => Err((
                        keys::of_intent(*intent),
                        format!("register {register} is a case: do an item, or close it"),
                    )),
                    (_, DataType::Counter) => Err((
                        keys::of_intent(*intent),
                        format!("register {register} is a counter, which takes by alone"),
                    )),
                    _ => {
                        let last = self.tags.elements - 1;
                        Err((keys::of_intent(*intent), format!("there is no such element; 0 to {last} are allowed")))
                    }
                }
            }
            Action::Connect { node, .. } => self.clients_of("connect", node),
            Action::Disconnect(node) => self.clients_of("disconnect", node),
            Action::BackUp(node) => self.some("", node),
            Action::Message { from, to, number, .. } => {
                self.linked(("from", from), ("to", to))?;
                let counted = || ("", "messages are counted from 1".to_owned());
                (*number > 0).then_some(()).ok_or_else(counted)
            }
            Action::Cut { node, with, .. } => self.linked(("cut", node), ("with", with)),
            Action::CrashDuring { node, effects } => {
                self.some("crash", node)?;
                let counted = || ("after_effects", "effects are counted from 1".to_owned());
                (*effects > 0).then_some(()).ok_or_else(counted)
            }
            Action::Fault(fault) => self.possible_fault(fault),
            Action::Clock { node, .. } => self.clients_of("clock", node),
            Action::Link { node, link } => {
                self.some("link", node)?;
                let outages = [("outages", link.outages > 0), ("outage_s", link.outage_s != Link::default().outage_s)];
                if let Some((key, _)) = outages.into_iter().find(|(_, given)| *given) {
                    return Err((key, "outages are steps of their own: cut".to_owned()));
                }
                self.within_bounds(OfflineTrial { link: *link, ..self.clone() })?;
                match self.settles_too_soon(link) {
                    None => Ok(()),
                    Some(needed) => Err((
                        "",
                        format!(
                            "a message and its answer take up to {needed} s on this link ({SLOWEST}), and settle_s = {}; \
                             set settle_s = {needed} or more",
                            self.settle_s
                        ),
                    )),
                }
            }
            Action::Work { node, workload, .. } => {
                self.clients_of("work", node)?;
                self.within_bounds(OfflineTrial { workload: workload.clone(), ..self.clone() })
            }
            Action::Until { condition, .. } => self.possible_condition(condition),
        }
    }

    /// The bounds of a drawn world's keys, for those that a step has.
    fn within_bounds(&self, drawn: OfflineTrial) -> Result<(), Refused> {
        let any = Workload { ticks: 1, changed: 1, most: 1, decrements: true, zipf_hundredths: None };
        let workload = if drawn.workload.is_absent() { any } else { drawn.workload.clone() };
        let presence = Presence { lasts_s: 1, away_s: (0, 1), here_s: (0, 1) };
        let reason = OfflineTrial { presence, workload, ..drawn }.out_of_bounds();
        reason.map_or(Ok(()), |reason| Err(("", reason.replacen("workload.", "", 1).replacen("link.", "", 1))))
    }

    /// The bounds of a drawn world's faults, for one that begins now.
    fn possible_fault(&self, fault: &NodeFault) -> Result<(), Refused> {
        self.some("", &fault.node)?;
        for node in self.nodes_named(&fault.node) {
            let mut drawn = NodeFault { node: self.name(node), ..fault.clone() };
            if fault.kind == FaultKind::Restore {
                (drawn.at_s, drawn.age_s) = (1, 1);
            }
            let presence = Presence { lasts_s: u64::MAX / 4, ..self.presence.clone() };
            let alone = OfflineTrial { faults: vec![drawn], presence, ..self.clone() };
            if let Some(reason) = alone.impossible_faults() {
                return Err(("", reason.trim_start_matches("faults[0].").to_owned()));
            }
        }
        Ok(())
    }

    fn possible_condition(&self, condition: &Condition) -> Result<(), Refused> {
        match condition {
            Condition::Quiescent => Ok(()),
            Condition::InSync { node, with } => {
                self.one("node", node)?;
                self.one("with", with)?;
                let itself = || ("with", format!("{node} is always in sync with itself; name another node"));
                (self.node(node) != self.node(with)).then_some(()).ok_or_else(itself)
            }
            Condition::Messages { from, to, number, .. } => {
                self.linked(("from", from), ("to", to))?;
                let counted = || ("messages", "messages are counted from 1".to_owned());
                (*number > 0).then_some(()).ok_or_else(counted)
            }
        }
    }

    fn some(&self, key: &'static str, name: &str) -> Result<(), Refused> {
        if name == CLIENTS { Ok(()) } else { self.one(key, name) }
    }

    fn clients_of(&self, key: &'static str, name: &str) -> Result<(), Refused> {
        let all = || self.nodes_named(name).into_iter().all(|node| node < self.clients);
        self.some(key, name)?;
        all().then_some(()).ok_or_else(|| {
            (key, format!("'{name}' is no client, and clients alone have users who edit, come and go, and set clocks"))
        })
    }

    fn one(&self, key: &'static str, name: &str) -> Result<(), Refused> {
        let unknown = || {
            let hub = if self.hub { ", hub" } else { "" };
            let edges: String = self.edges.iter().map(|edge| format!(", {}", edge.name.escape_debug())).collect();
            let last = self.clients - 1;
            (key, format!("'{}' is not there; allowed are client 0 to client {last}{hub}{edges}", name.escape_debug()))
        };
        self.node(name).map(|_| ()).ok_or_else(unknown)
    }

    fn linked(&self, one: (&'static str, &str), other: (&'static str, &str)) -> Result<(), Refused> {
        self.one(one.0, one.1)?;
        self.one(other.0, other.1)?;
        let linked = self.node(one.1).zip(self.node(other.1)).is_some_and(|(a, b)| self.are_linked(a, b));
        linked.then_some(()).ok_or_else(|| (other.0, format!("there is no link between {} and {}", one.1, other.1)))
    }
}

/// The most letters that a step types or erases.
const MOST_LETTERS: usize = 10_000;

/// Refuses a register that is not there.
fn is_there(fields: &Fields, register: u32) -> Result<(), Refused> {
    let last = fields.len() - 1;
    let refused = || ("register", format!("there is no register {register}; 0 to {last} are allowed"));
    (register <= last).then_some(()).ok_or_else(refused)
}

/// Why nobody types into a register.
fn of_others(register: u32, data: DataType) -> String {
    format!(
        "register {register} is one of the {}, and nobody types there; texts are numbered after all others",
        data.plural()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is refused of these steps in a world with a counter and a text.
    fn refused(steps: &str) -> Option<String> {
        let world = format!("seed = '1'\nclients = 2\nregisters = 1\ntexts = {{ registers = 1 }}\nsteps = [{steps}]");
        toml::from_str::<OfflineTrial>(&world).expect("a world").impossible_steps().map(|error| error.to_string())
    }

    #[test]
    fn users_type_any_text_into_texts_alone_and_one_code_point_as_often_as_there_are_marks() {
        let edit = |keys: &str| refused(&format!("{{ edit = 'clients', {keys} }}"));
        for keys in [
            "register = 1, type = ''",
            "register = 1, type = 'a', after = ''",
            "register = 1, type = 'hello', after = 'anything'",
            "register = 1, type = \"e\\u0301 \\u05d0 \\U0001f600 \\u0000\"",
            "register = 1, erase = 'hello'",
            "register = 1, type = \"l\\U000e0105\"",
        ] {
            assert_eq!(edit(keys), None, "{keys}");
        }
        for (keys, why) in [
            ("register = 0, type = 'a', after = ''", "type: register 0 is one of the counters, and nobody types there"),
            ("register = 0, type = 'ab'", "type: register 0 is one of the counters"),
            ("register = 0, erase = 'a'", "erase: register 0 is one of the counters"),
            ("register = 1, by = 5", "by: register 1 is a text: type or erase letters"),
            ("register = 2, type = 'ab'", "register: there is no register 2; 0 to 1 are allowed"),
            (
                "register = 1, type = \"\\U000e0105l\"",
                "type: it has a code point of U+E0100 to U+E01EF where none can be",
            ),
        ] {
            let said = edit(keys).unwrap_or_default();
            assert!(said.starts_with(&format!("steps[0].{why}")), "{keys}: {said}");
        }
        let many = |count: usize| format!("register = 1, type = '{}', after = ''", "l".repeat(count));
        assert_eq!(edit(&many(120)), None);
        let said = edit(&many(121)).unwrap_or_default();
        assert_eq!(
            said,
            "steps[0].type: with this step 'l' is typed 242 times into one text; up to 241 times are allowed"
        );
        let long: String =
            (0..10_001).map(|number| Letter::numbered(number).code_point()).filter(|&c| c > '\u{4e00}').collect();
        let said = edit(&format!("register = 1, type = '{long}ab{long}'")).unwrap_or_default();
        assert!(said.contains("letters; up to 10000 are allowed in a step"), "{said}");
    }
}
