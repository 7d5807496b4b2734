//! The facts of engines: worlds of clients, and crash walks.

use crate::domain::traffic::Traffic;
use crate::report::comparison::facts::{Fact, Kind, Value};
use crate::report::offline_record::{
    DeliveriesRecord, EngineRecord, EverywhereRecord, MutantRecord, OfflineRecord, WalkedRecord,
};

/// The facts of a world of clients.
pub(super) fn of_world(world: &OfflineRecord) -> Vec<Fact> {
    let exact = |what: &str, value: u64| Fact::new(Kind::Result, what, Value::Exact(value.to_string()));
    let mut facts = vec![
        exact("clients", world.clients.into()),
        exact("registers", world.registers.into()),
        exact("edits", world.edits),
    ];
    facts.extend(world.engines.iter().flat_map(of_engine));
    facts.extend(world.mutants.iter().map(of_mutant));
    for merge in &world.merges {
        let what = format!("{}: bytes that differ on {}", merge.engine, merge.backend);
        facts.push(Fact::new(Kind::Result, what.clone(), Value::Amount(merge.different, "B")));
        let what = format!("{}: bytes compared on {}", merge.engine, merge.backend);
        facts.push(Fact::new(Kind::Result, what, Value::Exact(merge.compared.to_string())));
    }
    facts
}

fn of_engine(engine: &EngineRecord) -> Vec<Fact> {
    let name = &engine.name;
    let amount =
        |kind, what: &str, amount, unit| Fact::new(kind, format!("{name}: {what}"), Value::Amount(amount, unit));
    // Its verdict and its warrant are those of its check.
    let mut facts = vec![amount(Kind::Result, "wrong registers", engine.wrong_registers.into(), "")];
    facts.push(amount(Kind::Result, "refused edits", engine.refused_edits, ""));
    for (what, count) in [("edits not delivered", engine.undelivered), ("edits not converged", engine.unconverged)] {
        facts.extend(count.map(|count| amount(Kind::Result, what, count, "")));
    }
    facts.push(amount(Kind::Result, "worlds not converged", engine.unconverged_worlds, ""));
    for (way, traffic) in [("up", &engine.up), ("down", &engine.down)] {
        facts.push(amount(Kind::Bytes, way, traffic.total(), "B"));
        let parts = parts(traffic);
        facts.extend(parts.map(|(part, bytes)| amount(Kind::Bytes, &format!("{way}, {part}"), bytes, "B")));
    }
    facts.push(amount(Kind::Bytes, "stored", engine.stored, "B"));
    let bound = engine.bound_bytes.map(|bound| bound.to_string());
    facts.extend(bound.map(|bound| Fact::new(Kind::Result, format!("{name}: information bound"), Value::Exact(bound))));
    facts.extend(engine.over_time.iter().enumerate().flat_map(|(place, part)| {
        let part_of = |what: &str| format!("{what} in part {} of the world's time", place + 1);
        [
            amount(Kind::Bytes, &part_of("bytes"), part.bytes, "B"),
            amount(Kind::Bytes, &part_of("ids and acknowledgements"), part.metadata_bytes, "B"),
        ]
    }));
    let delays = [
        ("staleness p50", engine.staleness_ms.p50),
        ("staleness p99", engine.staleness_ms.p99),
        ("convergence p99", engine.convergence_ms.p99),
        ("quiescent after", engine.settled_ms),
    ];
    facts.extend(delays.map(|(what, delay)| amount(Kind::Delay, what, delay, "ms")));
    facts
}

fn parts(traffic: &Traffic) -> [(&'static str, u64); 6] {
    let Traffic { payload, addressing, framing, ids, acks, retransmission } = *traffic;
    [
        ("payload", payload),
        ("addressing", addressing),
        ("framing", framing),
        ("ids", ids),
        ("acks", acks),
        ("sent again", retransmission),
    ]
}

fn of_mutant(mutant: &MutantRecord) -> Fact {
    let is_killed = !mutant.caught_by.is_empty();
    let word = if is_killed { "killed" } else { "survived" };
    let what = format!("{} of {}", mutant.mutant, mutant.engine);
    Fact::new(Kind::Mutant, what, Value::Good(is_killed, word.to_owned()))
}

/// The facts of a walk over every crash.
pub(super) fn of_crashes(walk: &EverywhereRecord) -> Vec<Fact> {
    let planted_in = walk.planted_in.iter().flat_map(|planted| of_walk("mutants' world", &planted.sound));
    let mutants = walk.mutants.iter().map(of_mutant);
    of_walk("crash walk", &walk.sound).into_iter().chain(planted_in).chain(mutants).collect()
}

/// The facts of a walk over every delivery.
pub(super) fn of_deliveries(row: &DeliveriesRecord) -> Vec<Fact> {
    of_walk(&format!("deliveries of {}", row.engine), &row.walked)
}

fn of_walk(name: &str, walk: &WalkedRecord) -> Vec<Fact> {
    let exact = |what: &str, value: String| Fact::new(Kind::Result, format!("{name}: {what}"), Value::Exact(value));
    let word = if walk.complete { "complete" } else { "not complete" };
    vec![
        Fact::new(Kind::Warrant, name, Value::Good(walk.complete, word.to_owned())),
        exact("states", walk.states.to_string()),
        exact("crashes", walk.crashes.to_string()),
        exact("deliveries", walk.deliveries.to_string()),
        exact("ways", walk.ways.clone()),
        exact("ends", walk.ends.to_string()),
    ]
}
