//! Engines in a world: bytes against the full state, wrong registers, what they are for, and what the judges say.

use std::collections::BTreeSet;

use crate::domain::count::counted;
use crate::domain::shown::percent;
use crate::domain::traffic::Traffic;
use crate::domain::verdict::Verdict;
use crate::report::document::{Block, Cell, Column, Section, Table, Tone};
use crate::report::offline_record::{EngineRecord, Moment, OfflineRecord};
use crate::report::record::Record;

/// The table of engines, with what stands against each of them.
pub fn section(record: &Record) -> Option<Section> {
    let offline = record.offline.as_ref()?;
    let mut blocks = vec![Block::Table(bytes(offline, record.interrupted))];
    blocks.push(Block::Note(
        "Wrong registers: at the replica that has most of them. Of full state: bytes both ways, as a share of what the full \
         state takes in this world."
            .to_owned(),
    ));
    if !offline.hub {
        blocks.push(Block::Note(
            "There is no hub: what clients send to each other is all there is, and counts once, as bytes up."
                .to_owned(),
        ));
    }
    let left_out: Vec<String> =
        offline.left_out.iter().map(|(name, reason)| format!("Left out: {name}, {reason}.")).collect();
    if !left_out.is_empty() {
        blocks.push(Block::List(left_out));
    }
    Section::of("engines", "Bytes by engine, against the full state", blocks)
}

/// What the bytes are for, what the judges say, and what went wrong in the world.
pub fn detail(record: &Record) -> Option<Section> {
    let offline = record.offline.as_ref()?;
    let tables = [judges(offline), Some(traffic(offline)), faults(offline), merges(offline)];
    let mut blocks: Vec<Block> = tables.into_iter().flatten().map(Block::Table).collect();
    if let Some(reason) = &offline.merges_left_out {
        blocks.push(Block::Note(format!("The hub's merges are not made again on accumulators: {reason}.")));
    }
    if offline.engines.iter().any(|engine| !engine.faults.is_empty()) {
        blocks
            .push(Block::Note("A fault that never took effect is one that the engine was not tried with.".to_owned()));
    }
    let told = |engine: &EngineRecord| {
        let runs: Vec<String> = engine.runs.iter().map(|run| run.verdict.to_string()).collect();
        let runs = (!runs.is_empty()).then(|| {
            format!(
                "{}: not deterministic; the runs of the scenario's own world gave {}.",
                engine.name,
                runs.join(", ")
            )
        });
        let refused_edits = (engine.refused_edits > 0).then(|| {
            format!("{}: {} refused, and their users told.", engine.name, counted(engine.refused_edits, "edit"))
        });
        let stores =
            engine.refused_stores.iter().map(|store| format!("{}: a store was refused: {store}.", engine.name));
        let unmet = engine.unmet.iter().map(|unmet| format!("{}: {unmet}.", engine.name));
        runs.into_iter().chain(refused_edits).chain(stores).chain(unmet).collect::<Vec<_>>()
    };
    let told: Vec<String> = offline.engines.iter().flat_map(told).collect();
    if !told.is_empty() {
        blocks.push(Block::List(told));
    }
    let replicas: Vec<Table> = offline.engines.iter().filter_map(replicas).collect();
    if !replicas.is_empty() {
        blocks.extend(replicas.into_iter().map(Block::Table));
        blocks.push(Block::Note(
            "Local: edited there and never sent. Backlog: edits that no other has acknowledged. Journal replays: its journal, \
             played again, leads to what it shows. The audit of one register is in the record."
                .to_owned(),
        ));
    }
    let troubles = offline.engines.iter().flat_map(|engine| &engine.replicas).flat_map(|replica| {
        replica.unmergeable.iter().chain(&replica.refusals).map(move |trouble| format!("{}: {trouble}.", replica.node))
    });
    let troubles: Vec<String> = troubles.collect();
    if !troubles.is_empty() {
        blocks.push(Block::List(troubles));
    }
    Section::detail("engines-detail", "What the bytes are for, and what the judges say", blocks)
}

fn bytes(offline: &OfflineRecord, interrupted: bool) -> Table {
    let columns = [
        Column::words("engine"),
        Column::words("verdict"),
        Column::number(format!("wrong of {}", offline.registers)),
        Column::of("up", "B"),
        Column::of("down", "B"),
        Column::of("both ways", "B"),
        Column::number("of full state"),
        Column::of("stored", "B"),
        Column::words("against it"),
    ];
    let row = |engine: &EngineRecord| {
        let share = engine.of_full_state_per_mille.filter(|_| !interrupted);
        let wrong = if engine.wrong_registers > 0 { Tone::Bad } else { Tone::Plain };
        vec![
            Cell::text(&engine.name),
            Cell::verdict(engine.verdict),
            Cell::toned(engine.wrong_registers, wrong),
            Cell::text(engine.up.total()),
            Cell::number(offline.hub.then(|| engine.down.total())),
            Cell::text(engine.up.total() + engine.down.total()),
            Cell::number(share.map(percent)),
            Cell::text(engine.stored),
            Cell::text(against(engine)),
        ]
    };
    let caption = format!("Engines in one world of {} edits (evidence {})", offline.edits, offline.evidence);
    Table::numbers(caption, columns, offline.engines.iter().map(row))
}

/// The judges that do not say `holds` of an engine that does not hold.
fn against(engine: &EngineRecord) -> String {
    let judges = engine.oracles.iter().filter(|(_, (verdict, _))| *verdict == engine.verdict);
    let names: Vec<&str> = judges.map(|(id, _)| id.name()).collect();
    if engine.verdict == Verdict::Holds || names.is_empty() { "-".to_owned() } else { names.join(", ") }
}

fn judges(offline: &OfflineRecord) -> Option<Table> {
    let columns = [Column::words("engine"), Column::words("judge"), Column::words("verdict"), Column::words("it says")];
    let rows = offline.engines.iter().flat_map(|engine| {
        engine.oracles.iter().map(|(judge, (verdict, said))| {
            vec![Cell::text(&engine.name), Cell::text(judge), Cell::verdict(*verdict), Cell::text(said)]
        })
    });
    let table = Table::prose("What the judges say", columns, rows);
    (!table.rows.is_empty()).then_some(table)
}

fn traffic(offline: &OfflineRecord) -> Table {
    let columns = ["payload", "addressing", "framing", "ids", "acks", "sent again"].map(|head| Column::of(head, "B"));
    let row = |engine: &EngineRecord| {
        let mut all = engine.up;
        all += engine.down;
        let Traffic { payload, addressing, framing, ids, acks, retransmission } = all;
        let numbers = [payload, addressing, framing, ids, acks, retransmission].map(Cell::text);
        [Cell::text(&engine.name)].into_iter().chain(numbers).collect()
    };
    let caption = format!("Bytes both ways, by what they are for (evidence {})", offline.evidence);
    let columns = [Column::words("engine")].into_iter().chain(columns);
    Table::numbers(caption, columns, offline.engines.iter().map(row))
}

/// How often faults were injected, and took effect, with the engine where they took effect least.
fn faults(offline: &OfflineRecord) -> Option<Table> {
    let keys: BTreeSet<&String> = offline.engines.iter().flat_map(|engine| engine.faults.keys()).collect();
    let row = |key: &String| {
        let counts = offline.engines.iter().filter_map(|engine| Some((engine, engine.faults.get(key)?)));
        let (engine, count) = counts.min_by_key(|(_, count)| count.effective)?;
        let tone = if count.effective == 0 { Tone::Doubtful } else { Tone::Plain };
        let numbers = [Cell::text(count.injected), Cell::toned(count.effective, tone)];
        Some([Cell::text(key)].into_iter().chain(numbers).chain([Cell::text(&engine.name)]).collect())
    };
    let columns = [
        Column::words("fault"),
        Column::number("injected"),
        Column::number("took effect"),
        Column::words("least with"),
    ];
    let caption = format!("Faults in all worlds that were tried (evidence {})", offline.evidence);
    let table = Table::numbers(caption, columns, keys.into_iter().filter_map(row));
    (!table.rows.is_empty()).then_some(table)
}

fn merges(offline: &OfflineRecord) -> Option<Table> {
    let columns = [
        Column::words("engine"),
        Column::words("accumulator"),
        Column::words("evidence"),
        Column::number("merges"),
        Column::number("at starts"),
        Column::of("compared", "B"),
        Column::of("different", "B"),
    ];
    let rows = offline.merges.iter().map(|merge| {
        let tone = if merge.different > 0 { Tone::Bad } else { Tone::Plain };
        vec![
            Cell::text(&merge.engine),
            Cell::text(&merge.backend),
            Cell::text(merge.evidence),
            Cell::text(merge.merges),
            Cell::text(merge.by_starts),
            Cell::text(merge.compared),
            Cell::toned(merge.different, tone),
        ]
    });
    let table = Table::numbers("The hub's merges, made again on accumulators", columns, rows);
    (!table.rows.is_empty()).then_some(table)
}

/// What replicas say of themselves, where they do.
fn replicas(engine: &EngineRecord) -> Option<Table> {
    const STATUSES: [&str; 5] = ["local", "syncing", "synced", "modified", "failed"];
    let columns = [Column::words("node"), Column::words("when")]
        .into_iter()
        .chain(STATUSES.map(Column::number))
        .chain([Column::number("backlog"), Column::words("journal replays")]);
    let rows = engine.replicas.iter().map(|replica| {
        let when = match replica.when {
            Moment::FaultsOver => "faults over",
            Moment::Settled => "in the end",
        };
        let statuses = STATUSES.map(|status| Cell::text(replica.statuses.get(status).copied().unwrap_or(0)));
        let replays = if replica.replays { Cell::text("yes") } else { Cell::toned("no", Tone::Bad) };
        [Cell::text(&replica.node), Cell::text(when)]
            .into_iter()
            .chain(statuses)
            .chain([Cell::text(replica.backlog), replays])
            .collect()
    });
    let table =
        Table::numbers(format!("Registers by status, as some replicas of {} have them", engine.name), columns, rows);
    (!table.rows.is_empty()).then_some(table)
}
