//! Worlds that cannot be: every key of a scenario has its bounds, and what goes beyond them is named with its key.
//!
//! The bounds leave room: no time in microseconds, and no sum of them, comes near the end of 64 bits.

use std::collections::BTreeSet;

use crate::domain::count::counted;
use crate::domain::explorer::ExplorerSpec;
use crate::domain::fault_keys::NOBODY_IS_LEFT;
use crate::domain::offline::{
    CENTURY_S, Clocks, CrashEverywhereTrial, DAY_MS, Edge, FaultKind, Journal, LONGEST_NAME, Labels, Link, MOST_CASES,
    MOST_CLAIMS, MOST_CLIENTS, MOST_ELEMENTS, MOST_KEYSTROKES, MOST_LABELS, MOST_LOAD, MOST_NAMES, MOST_RECORD_LABELS,
    MOST_RECORDS, MOST_REGISTERS, MOST_RUNS, MOST_STOCKS, MOST_TAGS, MOST_TEXTS, MOST_WATCHED, NodeFault, OfflineTrial,
    Presence, Tags, Workload,
};
use crate::domain::script::CLIENTS;
use crate::domain::seed::Seed;
use crate::domain::trial::{
    EveryOrderTrial, Keys, LawsTrial, MOST_REPEATS, MOST_WALKED, StandardCheck, StandardTrial, TickTrial, Trial,
};

/// What the time of a message and its answer is made of.
pub(super) const SLOWEST: &str =
    "twice latency_ms + jitter_ms, and what reordered_per_mille or repeated_per_mille let a message be late";

impl Trial {
    /// Why it cannot be, and which key says so: the table of that key, and a sentence.
    pub fn impossible(&self) -> Option<(&'static str, String)> {
        self.keys().impossible().map(|reason| (self.table(), reason))
    }
}

/// Keys that have nothing but a seed in common with the others.
macro_rules! seeded {
    ($($keys:ty $({ $($rest:item)* })?)*) => {
        $(impl Keys for $keys {
            fn seed(&self) -> Seed {
                self.seed
            }

            fn set_seed(&mut self, seed: Seed) {
                self.seed = seed;
            }

            $($($rest)*)?
        })*
    };
}

seeded! {
    TickTrial
    LawsTrial
    StandardTrial {
        fn title(&self) -> String {
            format!("standard campaign, COUNT {}, seed {}", self.count, self.seed)
        }

        fn command(&self) -> Option<String> {
            let plain = StandardTrial { count: self.count, seed: self.seed, ..StandardTrial::published() };
            (plain == *self).then(|| format!("abench {} {}", self.count, self.seed))
        }

        fn impossible(&self) -> Option<String> {
            StandardTrial::impossible(self)
        }

        fn as_in_a_file(&mut self) {
            if self.makes(StandardCheck::ArrivalOrders) {
                self.orders.get_or_insert_with(ExplorerSpec::auto);
            }
        }
    }
    EveryOrderTrial {
        fn impossible(&self) -> Option<String> {
            EveryOrderTrial::impossible(self)
        }
    }
    OfflineTrial {
        fn engines(&self) -> Vec<&str> {
            self.engines.iter().map(String::as_str).collect()
        }

        fn world(&self) -> Option<&OfflineTrial> {
            Some(self)
        }

        fn impossible(&self) -> Option<String> {
            OfflineTrial::impossible(self)
        }
    }
    CrashEverywhereTrial {
        fn engines(&self) -> Vec<&str> {
            self.engine.as_deref().into_iter().collect()
        }

        fn impossible(&self) -> Option<String> {
            CrashEverywhereTrial::impossible(self)
        }
    }
}

impl StandardTrial {
    fn impossible(&self) -> Option<String> {
        (self.orders.is_some() && !self.makes(StandardCheck::ArrivalOrders))
            .then(|| "orders is about the check arrival-orders, which checks leaves out".to_owned())
    }
}

impl EveryOrderTrial {
    fn impossible(&self) -> Option<String> {
        let EveryOrderTrial { deltas, sources, repeats, .. } = *self;
        if !(1..=MOST_WALKED).contains(&deltas) {
            Some(format!("deltas = {deltas} is not allowed; 1 to {MOST_WALKED} are"))
        } else if sources.is_some_and(|sources| !(1..=deltas).contains(&sources)) {
            Some(format!("sources is not allowed to be {}; 1 to the number of deltas are", sources.unwrap_or(0)))
        } else if repeats.is_some_and(|repeats| !(1..=MOST_REPEATS).contains(&repeats)) {
            Some(format!("repeats is not allowed to be {}; 1 to {MOST_REPEATS} are", repeats.unwrap_or(0)))
        } else if sources.is_some() && repeats.is_some() {
            Some("sources and repeats do not go together: name one of them".to_owned())
        } else {
            None
        }
    }
}

impl OfflineTrial {
    /// Why there can be no such world, and which key says so.
    pub fn impossible(&self) -> Option<String> {
        self.impossible_kind()
            .or_else(|| self.impossible_links())
            .or_else(|| self.bounded().out_of_bounds())
            .or_else(|| self.impossible_lists())
            .or_else(|| self.impossible_edges())
            .or_else(|| self.impossible_faults())
            .or_else(|| self.impossible_bounds())
            .or_else(|| self.impossible_steps().map(|error| error.to_string()))
    }

    /// Bounds on what nobody measures or nobody can meet, and a reduction where there is nothing to reduce.
    fn impossible_bounds(&self) -> Option<String> {
        if self.staleness_s.is_some() && self.clients > MOST_WATCHED {
            return Some(format!(
                "staleness_s: who has which edit is followed in worlds of up to {MOST_WATCHED} clients, and this one has {}",
                self.clients
            ));
        }
        if let Some(needed) = self.settles_too_soon(&self.link) {
            return Some(format!(
                "settle_s = {} is too short: a message and its answer take up to {needed} s on the link ({SLOWEST}); \
                 {needed} and more are allowed",
                self.settle_s
            ));
        }
        if !self.reduce && self.is_scripted() {
            return Some("reduce = false goes with a world that is drawn; steps are a script already".to_owned());
        }
        let no_hub = !self.load.is_none() && !self.hub;
        no_hub.then(|| "load: the bounds are those of a hub, and there is none; leave the table out".to_owned())
    }

    /// The seconds that a message and its answer may take on such a link, if the world has less time to settle. What was sent
    /// before the world settles may come that late, and is answered then.
    pub(super) fn settles_too_soon(&self, link: &Link) -> Option<u64> {
        let needed = link.slowest_answer_ms().div_ceil(1000);
        Some(needed).filter(|needed| self.settle_s < *needed)
    }

    /// A world that is neither drawn nor written down, or both.
    fn impossible_kind(&self) -> Option<String> {
        let OfflineTrial { workload, presence, faults, crashes, clocks, link, .. } = self;
        if !self.is_scripted() {
            let missing = [("workload", workload.is_absent()), ("presence", presence.is_absent())];
            let (key, _) = missing.into_iter().find(|(_, missing)| *missing)?;
            return Some(format!(
                "{key} is missing: a world is drawn from workload and presence, or written down as steps"
            ));
        }
        let drawn = [
            ("workload", !workload.is_absent()),
            ("presence", !presence.is_absent()),
            ("faults", !faults.is_empty()),
            ("crashes", *crashes > 0),
            ("clocks", *clocks != Clocks::default()),
            ("tags.edits", self.tags.edits > 0),
            ("stocks.edits", self.stocks.edits > 0),
            ("labels.edits", self.labels.edits > 0),
            ("records.edits", self.records.edits > 0),
            ("texts.edits", self.texts.edits > 0),
            ("claims.edits", self.claims.edits > 0),
            ("cases.edits", self.cases.edits > 0),
            ("link.outages", link.outages > 0),
        ];
        let (key, _) = drawn.into_iter().find(|(_, given)| *given)?;
        Some(format!("{key} does not go together with steps: in a world that is written down, steps say all of that"))
    }

    /// The same world, with sound values for what a world that is written down leaves out.
    fn bounded(&self) -> OfflineTrial {
        let mut bounded = self.clone();
        if self.is_scripted() {
            let changed = self.registers.min(1);
            bounded.steps = Vec::new();
            bounded.workload =
                Workload { ticks: changed, changed: 1, most: 1, decrements: true, zipf_hundredths: None };
            bounded.presence = Presence { lasts_s: 1, away_s: (0, 1), here_s: (0, 1) };
        }
        bounded
    }

    /// The first key whose value is out of its bounds.
    pub(super) fn out_of_bounds(&self) -> Option<String> {
        let OfflineTrial { registers, clients, crashes, more_worlds, settle_s, staleness_s, load, .. } = *self;
        let Workload { ticks, changed, most, zipf_hundredths, .. } = self.workload;
        let Presence { lasts_s, away_s, here_s } = self.presence;
        let Link { latency_ms, jitter_ms, outages, outage_s, .. } = self.link;
        let Link { lost_per_mille, repeated_per_mille, reordered_per_mille, .. } = self.link;
        let Link { truncated_per_mille, corrupted_per_mille, .. } = self.link;
        let Clocks { skew_s, drift_ppm, jumps, jump_s } = self.clocks;
        let Journal { retain, compact_after, fragment } = self.journal;
        let Tags { registers: tags, elements, edits, removes_percent } = self.tags;
        // What a user had seen is known in worlds of few clients alone.
        let most_clients = if self.fields().mean_what_is_shown() { MOST_WATCHED } else { MOST_CLIENTS };
        let Labels { registers: labels, edits: written } = self.labels;
        let (stocks, records, texts, claims, cases) = (self.stocks, self.records, self.texts, self.claims, self.cases);
        let numbers = [stocks.registers, tags, labels, records.registers, texts.registers, claims.registers];
        let others = numbers.into_iter().fold(cases.registers, u32::saturating_add);
        let small = |key, value: u32, least: u32, most: u32| (key, value.into(), u64::from(least), u64::from(most));
        let bound = |key, most: Option<u64>| (key, most.unwrap_or(1), 1, MOST_LOAD);
        // Where all of them are, nothing ever arrives whole.
        let most_lost = if ticks > 0 { 999 } else { 1000 };
        let bounds = [
            small("registers", registers, u32::from(others == 0), MOST_REGISTERS),
            small("tags.registers", tags, 0, MOST_TAGS),
            small("tags.elements", elements, 1, MOST_ELEMENTS),
            small("tags.edits", edits, 0, if tags > 0 { 1_000_000 } else { 0 }),
            small("tags.removes_percent", removes_percent, 0, 100),
            small("stocks.registers", stocks.registers, 0, MOST_STOCKS),
            small("stocks.edits", stocks.edits, 0, if stocks.registers > 0 { 1_000_000 } else { 0 }),
            small("stocks.supplies_percent", stocks.supplies_percent, 0, 100),
            small("stocks.transfers_percent", stocks.transfers_percent, 0, 100),
            small("stocks.most", stocks.most, 1, 1_000_000),
            small("labels.registers", labels, 0, MOST_LABELS),
            small("labels.edits", written, 0, if labels > 0 { 1_000_000 } else { 0 }),
            small("records.registers", records.registers, 0, MOST_RECORDS),
            small("records.labels", records.labels, 1, MOST_RECORD_LABELS),
            small("records.elements", records.elements, 1, MOST_ELEMENTS),
            small("records.edits", records.edits, 0, if records.registers > 0 { 1_000_000 } else { 0 }),
            small("records.creates_percent", records.creates_percent, 0, 100),
            small("records.deletes_percent", records.deletes_percent, 0, 100),
            small("records.tags_percent", records.tags_percent, 0, 100),
            small("texts.registers", texts.registers, 0, MOST_TEXTS),
            small("texts.edits", texts.edits, 0, if texts.registers > 0 { MOST_KEYSTROKES } else { 0 }),
            small("texts.moves_percent", texts.moves_percent, 0, 100),
            small("texts.erases_percent", texts.erases_percent, 0, 100),
            small("claims.registers", claims.registers, 0, MOST_CLAIMS),
            small("claims.edits", claims.edits, 0, if claims.registers > 0 { 10_000 } else { 0 }),
            small("cases.registers", cases.registers, 0, MOST_CASES),
            small("cases.items", cases.items, 1, MOST_ELEMENTS),
            small("cases.edits", cases.edits, 0, if cases.registers > 0 { 10_000 } else { 0 }),
            small("cases.closes_percent", cases.closes_percent, 0, 100),
            small("clients", clients, 1, most_clients),
            small("crashes", crashes, 0, 100_000),
            small("more_worlds", more_worlds, 0, 1_000_000),
            ("settle_s", settle_s, 1, CENTURY_S),
            ("staleness_s", staleness_s.unwrap_or(1), 1, CENTURY_S),
            bound("load.attempts", load.attempts),
            bound("load.messages", load.messages),
            bound("load.bytes", load.bytes),
            small("workload.ticks", ticks, 0, 1_000_000_000),
            small("workload.most", most, 1, u32::MAX),
            small("workload.zipf_hundredths", zipf_hundredths.unwrap_or(1), 1, 1000),
            ("presence.lasts_s", lasts_s, 1, CENTURY_S),
            ("presence.away_s", away_s.1, 1, CENTURY_S),
            ("presence.here_s", here_s.1, 1, CENTURY_S),
            ("link.latency_ms", latency_ms, 0, DAY_MS),
            ("link.jitter_ms", jitter_ms, 0, DAY_MS),
            small("link.lost_per_mille", lost_per_mille, 0, most_lost),
            small("link.repeated_per_mille", repeated_per_mille, 0, 1000),
            small("link.reordered_per_mille", reordered_per_mille, 0, 1000),
            small("link.truncated_per_mille", truncated_per_mille, 0, most_lost),
            small("link.corrupted_per_mille", corrupted_per_mille, 0, most_lost),
            small("link.outages", outages, 0, 100_000),
            ("link.outage_s", outage_s, 0, CENTURY_S),
            ("clocks.skew_s", skew_s, 0, CENTURY_S),
            small("clocks.drift_ppm", drift_ppm, 0, 1_000_000),
            small("clocks.jumps", jumps, 0, 1000),
            ("clocks.jump_s", jump_s, 0, CENTURY_S),
            ("journal.retain", retain, 0, 1_000_000_000),
            ("journal.compact_after", compact_after, 1, 1_000_000_000),
            small("journal.fragment", fragment, 64, 1 << 24),
            small("maelstrom.runs", self.maelstrom.runs, 1, MOST_RUNS),
        ];
        let beyond = bounds.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value));
        if let Some((key, value, least, most)) = beyond {
            return Some(format!("{key} = {value} is not allowed; {least} to {most} are"));
        }
        if registers == 0 && ticks > 0 {
            return Some(
                "workload.ticks: registers = 0 has no counter that a tick could change; set ticks = 0".to_owned(),
            );
        }
        if registers > 0 && (changed == 0 || changed > registers) {
            return Some(format!(
                "workload.changed = {changed} is not allowed: a tick changes 1 to {registers} registers, which is how many \
                 there are"
            ));
        }
        let ranges = [("away_s", away_s), ("here_s", here_s)];
        let (key, (least, most)) = ranges.into_iter().find(|(_, (least, most))| least > most)?;
        Some(format!("presence.{key} = [{least}, {most}] is no range of seconds"))
    }

    /// Traffic without a way, and events without a size.
    fn impossible_links(&self) -> Option<String> {
        let Link { bits_per_s, lost_per_mille, truncated_per_mille, corrupted_per_mille, outages, outage_s, .. } =
            self.link;
        let Clocks { jumps, jump_s, .. } = self.clocks;
        if !self.hub && self.clients == 1 {
            return Some(format!(
                "clients = 1 has nobody to sync with, as there is no hub; 2 to {MOST_CLIENTS} are allowed without one"
            ));
        }
        let edits = self.workload.ticks > 0 || self.is_scripted();
        if edits && bits_per_s == 0 {
            return Some("link.bits_per_s = 0 carries nothing, and clients have edits to send".to_owned());
        }
        let faults = [("lost", lost_per_mille), ("truncated", truncated_per_mille), ("corrupted", corrupted_per_mille)];
        if let Some((what, _)) = faults.into_iter().find(|&(_, per_mille)| edits && per_mille == 1000) {
            return Some(format!(
                "link.{what}_per_mille = 1000 has every message {what}, and clients have edits to send; 0 to 999 are \
                 allowed"
            ));
        }
        // A number of events of no size, or a size of no events: one of the two keys was forgotten.
        if outages > 0 && outage_s == 0 {
            return Some(format!(
                "link.outage_s = 0 is no outage, and there are {outages}; 1 to {CENTURY_S} are allowed"
            ));
        }
        let together = (jumps > 0) == (jump_s > 0);
        (!together).then(|| {
            format!("clocks.jumps = {jumps} and clocks.jump_s = {jump_s} do not go together: both are 0, or neither is")
        })
    }

    /// What is in a list twice.
    fn impossible_lists(&self) -> Option<String> {
        let engine = twice(&self.engines).map(|name| format!("engines: '{name}' is there twice; name it once"));
        engine
            .or_else(|| twice(&self.mutants).map(|mutant| format!("mutants: '{mutant}' is there twice; name it once")))
            .or_else(|| self.impossible_names())
    }

    /// Names of registers that do not tell each register from all others.
    fn impossible_names(&self) -> Option<String> {
        let (names, fields) = (&self.names, self.fields());
        if names.is_empty() {
            return None;
        }
        if names.len() as u64 != u64::from(fields.len()) {
            let of_type = |data| counted(fields.count(data), data.singular());
            let types: Vec<String> = fields.types().map(of_type).collect();
            return Some(format!(
                "names: {} for {} is not allowed; name each register once, in the order of their numbers ({})",
                counted(names.len(), "name"),
                counted(fields.len(), "register"),
                types.join(", ")
            ));
        }
        if names.len() > MOST_NAMES {
            return Some(format!(
                "names: there are {}; worlds of up to {MOST_NAMES} registers have names",
                names.len()
            ));
        }
        for (place, name) in names.iter().enumerate() {
            let characters = name.chars().count();
            if name.trim().is_empty() {
                return Some(format!("names[{place}] is empty; each register has a name"));
            }
            if name.chars().any(char::is_control) {
                let name = name.escape_debug();
                return Some(format!("names[{place}] = '{name}' is not allowed: it has a control character"));
            }
            if characters > LONGEST_NAME {
                return Some(format!(
                    "names[{place}] is {characters} characters long; up to {LONGEST_NAME} are allowed"
                ));
            }
        }
        twice(names).map(|name| format!("names: '{name}' is there twice; each register has a name of its own"))
    }

    fn impossible_edges(&self) -> Option<String> {
        let mut placed = vec![false; self.clients as usize];
        for (number, edge) in self.edges.iter().enumerate() {
            let Edge { name, parent, clients } = edge;
            let key = format!("edges[{number}]");
            let Some(parent) = parent else {
                let name = name.escape_debug();
                return Some(format!("{key}.parent is missing: the edge '{name}' hangs on the hub or on another edge"));
            };
            let ambiguous = match name.as_str() {
                "" => Some("an edge has a name"),
                "hub" => Some("the hub has this name"),
                CLIENTS => Some("this name stands for every client"),
                name if name.starts_with("client ") => Some("clients have such names"),
                _ => None,
            };
            if let Some(reason) = ambiguous {
                let name = name.escape_debug();
                return Some(format!("{key}.name = '{name}' is not allowed for an edge: {reason}"));
            }
            if name.chars().any(char::is_control) {
                let name = name.escape_debug();
                return Some(format!("{key}.name = '{name}' is not allowed for an edge: it has a control character"));
            }
            if self.edges[..number].iter().any(|other| other.name == *name) {
                return Some(format!("{key}.name = '{name}' is there twice"));
            }
            // An edge comes after its parent, so that there is no ring.
            let earlier = self.edges[..number].iter().any(|other| other.name == *parent);
            if !(parent == "hub" && self.hub || earlier) {
                let parent = parent.escape_debug();
                return Some(format!("{key}.parent = '{parent}' is not the hub nor an edge that is named before"));
            }
            for &client in clients {
                match placed.get_mut(client as usize) {
                    None => return Some(format!("{key}.clients: there is no client {client}")),
                    Some(placed) if *placed => {
                        return Some(format!("{key}.clients: client {client} is at another edge"));
                    }
                    Some(placed) => *placed = true,
                }
            }
        }
        None
    }

    pub(super) fn impossible_faults(&self) -> Option<String> {
        let mut retired = BTreeSet::new();
        for (number, fault) in self.faults.iter().enumerate() {
            let key = format!("faults[{number}]");
            let Some(node) = self.node(&fault.node) else {
                return Some(format!(
                    "{key}.node = '{}' is not there; allowed are client N, hub and edges",
                    fault.node.escape_debug()
                ));
            };
            if fault.at_s >= self.presence.lasts_s {
                return Some(format!("{key}.at_s = {} is after the world has settled", fault.at_s));
            }
            for (name, value) in [("for_s", fault.for_s), ("age_s", fault.age_s)] {
                if value > CENTURY_S {
                    return Some(format!("{key}.{name} = {value} is not allowed; 0 to {CENTURY_S} are"));
                }
            }
            if let Some(wrong) = self.wrong_fault_keys(number, fault) {
                return Some(wrong);
            }
            retired.extend((fault.kind == FaultKind::Retire).then_some(node));
            if self.leaves_nobody(&retired) {
                return Some(format!("{key}.kind = 'retire': {NOBODY_IS_LEFT}"));
            }
            if fault.kind == FaultKind::Clone && node + 1 >= self.clients {
                return Some(format!("{key}.node: what is cloned is a client that has another after it"));
            }
            if fault.at_s + fault.for_s > self.presence.lasts_s {
                let left = self.presence.lasts_s - fault.at_s;
                return Some(format!(
                    "{key}.for_s = {} goes on after the world has settled, when faults are over; 0 to {left} are allowed",
                    fault.for_s
                ));
            }
            if (fault.kind == FaultKind::Restore) != (fault.age_s > 0) {
                return Some(format!(
                    "{key}.age_s = {} is not allowed: what is restored has a backup of an age of 1 to {} s, and nothing \
                     else has one",
                    fault.age_s, fault.at_s
                ));
            }
            if fault.age_s > fault.at_s {
                return Some(format!("{key}.age_s = {} is before the beginning", fault.age_s));
            }
            // A device keeps one backup: it is used before the next is taken.
            let since = fault.at_s - fault.age_s;
            let overlaps = |other: &&NodeFault| {
                other.kind == FaultKind::Restore
                    && self.node(&other.node) == Some(node)
                    && since <= other.at_s
                    && other.at_s - other.age_s <= fault.at_s
            };
            if fault.kind == FaultKind::Restore && self.faults[..number].iter().any(|other| overlaps(&other)) {
                return Some(format!(
                    "{key}.age_s = {}: {} has one backup at a time, and another of its faults is between this one's backup \
                     and its restore",
                    fault.age_s, fault.node
                ));
            }
        }
        None
    }
}

impl CrashEverywhereTrial {
    /// Why it cannot be walked, and which key says so.
    pub fn impossible(&self) -> Option<String> {
        let within = |key: &str, value: u32, least: u32, most: u32| {
            (!(least..=most).contains(&value)).then(|| format!("{key} = {value} is not allowed; {least} to {most} are"))
        };
        within("clients", self.clients, 1, 3)
            .or_else(|| within("edits", self.edits, 1, 4))
            .or_else(|| within("retries", self.retries, 0, 4))
            .or_else(|| within("crashes", self.crashes, 0, 3))
            .or_else(|| within("edits_before", self.edits_before, 0, self.edits))
            .or_else(|| within("losses", self.losses, 0, 3))
            .or_else(|| (self.most_states == 0).then(|| "most_states = 0 is not allowed; 1 and more are".to_owned()))
            .or_else(|| twice(&self.mutants).map(|mutant| format!("mutants: '{mutant}' is there twice; name it once")))
    }
}

/// The first that is in a list twice.
fn twice<T: PartialEq>(list: &[T]) -> Option<&T> {
    list.iter().enumerate().find(|(place, item)| list[..*place].contains(item)).map(|(_, item)| item)
}
