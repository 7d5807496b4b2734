//! Worlds of clients as text: the table of engines, what they send, and who caught which mutant.

use std::collections::BTreeSet;

use crate::domain::count::counted;
use crate::domain::traffic::Traffic;
use crate::domain::verdict::{Verdict, Warrant};
use crate::report::columns::{Column, wrapped};
use crate::report::offline_record::{
    EngineRecord, EverywhereRecord, Moment, MutantRecord, OfflineRecord, PlantedInRecord, WalkedRecord,
};
use crate::report::record::Latencies;
use crate::report::text::{Text, styled};

impl Text {
    pub(super) fn offline(&mut self, offline: &OfflineRecord) {
        let OfflineRecord { evidence, clients, registers, edits, .. } = offline;
        self.heading(&format!(
            "engines: {}, {}, {} (evidence {evidence})",
            counted(clients, "client"),
            counted(registers, "register"),
            counted(edits, "edit")
        ));
        self.engine_table(offline);
        self.paragraph(
            "",
            2,
            "Wrong: registers, at the replica that has most of them. Full state: bytes both ways, as a share of the bytes that \
             the engine full-state sends in this world. Stale: virtual time from an edit until another client has it; where an engine sends no \
             ids, until it took a message from a state that the edit went into, whatever the merge made of it. Never: \
             edits times other clients that never had them, which are in no percentile.",
        );
        if !offline.hub {
            self.paragraph(
                "",
                2,
                "There is no hub: what clients send to each other is all there is, and counts once, as bytes up.",
            );
        }
        for (name, reason) in &offline.left_out {
            self.paragraph("", 2, &format!("Left out: {name}, {reason}."));
        }
        self.convergence(offline);
        self.traffic(offline);
        self.judges(offline);
        self.faults(offline);
        self.refused_stores(offline);
        if !offline.merges.is_empty() {
            self.heading("the hub's merges on accumulators, compared byte for byte");
            for merge in &offline.merges {
                let (engine, backend, evidence) = (&merge.engine, &merge.backend, merge.evidence);
                let by_starts = match merge.by_starts {
                    0 => String::new(),
                    some => format!(" ({some} of them as the hub sent them when it started again)"),
                };
                let text = format!(
                    "{engine} on {backend} (evidence {evidence}): {} merges{by_starts}, {} bytes compared, {} differ",
                    merge.merges, merge.compared, merge.different
                );
                self.paragraph("  - ", 4, &text);
            }
        }
        if let Some(reason) = &offline.merges_left_out {
            self.paragraph("", 2, &format!("The hub's merges are not made again on accumulators: {reason}."));
        }
        self.replicas(offline);
        self.mutants(&offline.mutants, None);
    }

    /// What nodes say of themselves, where they do.
    fn replicas(&mut self, offline: &OfflineRecord) {
        let shown = offline.engines.iter().filter(|engine| !engine.replicas.is_empty());
        for engine in shown {
            self.heading(&format!("registers by status, as some replicas of {} have them", engine.name));
            let heads = ["local", "syncing", "synced", "modified", "failed", "backlog", "replays"];
            let rows = engine.replicas.iter().map(|replica| {
                let when = match replica.when {
                    Moment::FaultsOver => "faults over",
                    Moment::Settled => "in the end",
                };
                let statuses =
                    heads[..5].iter().map(|&status| replica.statuses.get(status).copied().unwrap_or(0).to_string());
                let replays = if replica.replays { "yes" } else { "no" };
                let first = [replica.node.clone(), when.to_owned()];
                let counts = statuses.chain([replica.backlog.to_string()]);
                first.into_iter().chain(counts).chain([replays.to_owned()]).collect()
            });
            let rows: Vec<Vec<String>> = rows.collect();
            self.wrapped_table(&["node", "when"], &heads, &rows);
            for replica in &engine.replicas {
                for trouble in replica.unmergeable.iter().chain(&replica.refusals) {
                    self.paragraph("  - ", 4, &format!("{}: {trouble}", replica.node));
                }
            }
            self.paragraph(
                "",
                2,
                "Local: edited there and never sent. Backlog: edits that no other has acknowledged. Replays: its journal, \
                 played again, leads to what it shows. The audit of one register is in the record.",
            );
        }
    }

    /// A table of words to the left and numbers to the right of them, all of it, in as many parts as the terminal needs.
    fn wrapped_table(&mut self, words: &[&'static str], numbers: &[&'static str], rows: &[Vec<String>]) {
        let column = |left: bool| move |&head: &&'static str| Column { head, rank: 0, left };
        let columns: Vec<Column> = words.iter().map(column(true)).chain(numbers.iter().map(column(false))).collect();
        let verdicts = [Verdict::Holds, Verdict::Inconclusive, Verdict::Falsified];
        let style = |place: usize, cell: &str| {
            let verdict =
                verdicts.iter().find(|verdict| columns[place].head == "verdict" && verdict.to_string() == cell);
            verdict.map_or(cell.to_owned(), |&verdict| styled(verdict))
        };
        wrapped(&columns, rows, self.width(), style).iter().for_each(|line| self.line(line));
    }

    fn engine_table(&mut self, offline: &OfflineRecord) {
        let row = |engine: &EngineRecord| {
            let warrant = match engine.warrant {
                None => "-",
                Some(Warrant::Worlds { drawn: 0 }) => "1 world",
                Some(_) => "sampled",
            };
            let share = engine.of_full_state_per_mille;
            let down = if offline.hub { engine.down.total().to_string() } else { "-".to_owned() };
            let [p50, p99] = percentiles(&engine.staleness_ms);
            vec![
                engine.name.clone(),
                engine.verdict.to_string(),
                warrant.to_owned(),
                engine.wrong_registers.to_string(),
                engine.up.total().to_string(),
                down,
                share.map_or("-".to_owned(), |share| format!("{} %", per_mille(share))),
                p50,
                p99,
                engine.undelivered.map_or("-".to_owned(), |never| never.to_string()),
            ]
        };
        let rows: Vec<Vec<String>> = offline.engines.iter().map(row).collect();
        let numbers = ["wrong", "bytes up", "bytes down", "full state", "stale p50", "p99", "never"];
        self.wrapped_table(&["engine", "verdict", "warrant"], &numbers, &rows);
    }

    fn convergence(&mut self, offline: &OfflineRecord) {
        self.heading("virtual time to convergence");
        let row = |engine: &EngineRecord| {
            let [p50, p99] = percentiles(&engine.convergence_ms);
            let [world_p50, world_p99] = percentiles(&engine.world_convergence_ms);
            let never = engine.unconverged.map_or("-".to_owned(), |never| never.to_string());
            vec![engine.name.clone(), p50, p99, never, world_p50, world_p99, engine.unconverged_worlds.to_string()]
        };
        let rows: Vec<Vec<String>> = offline.engines.iter().map(row).collect();
        self.wrapped_table(&["engine"], &["edits p50", "p99", "never", "worlds p50", "p99", "never"], &rows);
        self.paragraph(
            "",
            2,
            "Edits: from when a user saw one accepted until the last replica has it, edges and the hub included. Worlds: \
             from the end of all faults until all replicas show the same bytes for good, in every world that was tried. \
             Never: some replica never had the edit; the replicas of a world differed in the end, or it was not quiescent.",
        );
    }

    fn traffic(&mut self, offline: &OfflineRecord) {
        self.heading("bytes both ways, by what they are for");
        let row = |engine: &EngineRecord| {
            let mut all = engine.up;
            all += engine.down;
            let Traffic { payload, addressing, framing, ids, acks, retransmission } = all;
            let bytes = [payload, addressing, framing, ids, acks, retransmission, engine.stored];
            [engine.name.clone()].into_iter().chain(bytes.map(|bytes| bytes.to_string())).collect()
        };
        let rows: Vec<Vec<String>> = offline.engines.iter().map(row).collect();
        let heads = ["payload", "addressing", "framing", "ids", "acks", "sent again", "stored"];
        self.wrapped_table(&["engine"], &heads, &rows);
    }

    fn judges(&mut self, offline: &OfflineRecord) {
        self.heading("what the judges say");
        for engine in &offline.engines {
            let said: Vec<String> = engine.oracles.iter().map(|(name, (_, said))| format!("{name}: {said}")).collect();
            self.paragraph(&format!("  {}: ", engine.name), 6, &said.join("; "));
        }
    }

    /// How often faults were injected, and took effect, with the engine where they took effect least.
    fn faults(&mut self, offline: &OfflineRecord) {
        let keys: BTreeSet<&String> = offline.engines.iter().flat_map(|engine| engine.faults.keys()).collect();
        if keys.is_empty() {
            return;
        }
        self.heading("faults: injected, and took effect");
        let rows = keys.into_iter().filter_map(|key| {
            let counts = offline.engines.iter().filter_map(|engine| Some((engine, engine.faults.get(key)?)));
            let (engine, count) = counts.min_by_key(|(_, count)| count.effective)?;
            Some(vec![key.clone(), engine.name.clone(), count.injected.to_string(), count.effective.to_string()])
        });
        let rows: Vec<Vec<String>> = rows.collect();
        self.wrapped_table(&["fault", "with"], &["injected", "took effect"], &rows);
        self.paragraph(
            "",
            2,
            "In all worlds that were tried, with the engine where the fault took effect least often. A fault that never took \
             effect is one that the engine was not tried with.",
        );
        for engine in offline.engines.iter().filter(|engine| engine.refused_edits > 0) {
            let text =
                format!("{}: {} refused, and their users told", engine.name, counted(engine.refused_edits, "edit"));
            self.paragraph("  - ", 4, &text);
        }
    }

    fn refused_stores(&mut self, offline: &OfflineRecord) {
        let refused = |engine: &&EngineRecord| !engine.refused_stores.is_empty();
        if !offline.engines.iter().any(|engine| refused(&engine)) {
            return;
        }
        self.heading("stores that were refused, and what was lost with them");
        for engine in offline.engines.iter().filter(refused) {
            self.paragraph(&format!("  {}: ", engine.name), 6, &engine.refused_stores.join("; "));
        }
    }

    /// Who caught which mutant, and where they were planted if that is another world.
    fn mutants(&mut self, mutants: &[MutantRecord], planted_in: Option<&PlantedInRecord>) {
        if mutants.is_empty() {
            return;
        }
        match planted_in {
            None => self.heading("mutants, planted one at a time"),
            Some(PlantedInRecord { world, sound }) => {
                self.heading("mutants, planted one at a time in a smaller world");
                self.paragraph(
                    "",
                    2,
                    &format!("The smaller world: {world}. The replica without a mutant, there: {}.", walk(sound)),
                );
                self.way_there(sound);
            }
        }
        for MutantRecord { engine, mutant, caught_by, sentence } in mutants {
            let by =
                if caught_by.is_empty() { "escaped".to_owned() } else { format!("caught by {}", caught_by.join(", ")) };
            self.paragraph("  - ", 4, &format!("{mutant} in {engine}: {by}: {sentence}"));
        }
    }

    pub(super) fn everywhere(&mut self, everywhere: &EverywhereRecord) {
        let EverywhereRecord { evidence, sound, planted_in, mutants } = everywhere;
        self.heading(&format!("every crash and every order of deliveries (evidence {evidence})"));
        self.paragraph("", 2, &walk(sound));
        self.way_there(sound);
        self.mutants(mutants, planted_in.as_ref());
    }

    fn way_there(&mut self, walked: &WalkedRecord) {
        if !walked.way_there.is_empty() {
            self.heading("the way to what is wrong");
            let steps = walked.way_there.iter().enumerate();
            steps.for_each(|(place, step)| self.line(&format!("  {:>3} {step}", place + 1)));
        }
    }
}

/// What a walk came through.
pub(super) fn walk(walked: &WalkedRecord) -> String {
    let WalkedRecord { states, steps, crashes, deliveries, ways, ends, complete, way_there } = walked;
    let all = match (complete, way_there.is_empty()) {
        (true, _) => "all of them",
        (false, true) => "not all of them: the bound on states was reached",
        (false, false) => "not all of them: a judge had something against an end",
    };
    format!(
        "{}, {all}; {} between them, of which {} and {}; {} from the beginning to one of {}",
        counted(states, "state"),
        counted(steps, "step"),
        if *crashes == 1 { "1 crash".to_owned() } else { format!("{crashes} crashes") },
        if *deliveries == 1 { "1 delivery".to_owned() } else { format!("{deliveries} deliveries") },
        counted(ways, "way"),
        counted(ends, "end")
    )
}

/// The median and the 99th percentile; of nothing there is none.
pub(super) fn percentiles(times: &Latencies) -> [String; 2] {
    [times.p50, times.p99].map(|ms| if times.count > 0 { time(ms) } else { "-".to_owned() })
}

/// Tenths of a per cent as per cent.
pub(super) fn per_mille(share: u64) -> String {
    format!("{}.{}", share / 10, share % 10)
}

/// Milliseconds as people read them.
pub(super) fn time(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..100_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        100_000..6_000_000 => format!("{} min", ms / 60_000),
        6_000_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} d", ms / 86_400_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_in_units_that_fit() {
        let shown = [7, 1500, 99_999, 100_000, 7_200_000, 200_000_000].map(time);
        assert_eq!(shown, ["7 ms", "1.5 s", "99.9 s", "1 min", "2 h", "2 d"]);
    }
}
