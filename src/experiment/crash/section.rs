//! Every crash in a small world: how much was walked, and the way to what is wrong.

use crate::domain::count::counted;
use crate::domain::offline::CrashEverywhereTrial;
use crate::experiment::crash;
use crate::experiment::small_world::way;
use crate::report::document::{Block, Section};
use crate::report::first_screen::Screen;
use crate::report::inert::quoted;
use crate::report::offline_record::{EverywhereRecord, MutantRecord, WalkedRecord};
use crate::report::record::Record;
use crate::report::view::View;

impl View for CrashEverywhereTrial {
    fn screen(&self, record: &Record, screen: &mut Screen<'_>) {
        // What an interrupted walk covered is a part of nothing that anybody asked for.
        let whole = record.everywhere.iter().filter(|_| !record.interrupted);
        for EverywhereRecord { sound, .. } in whole {
            let ends = if sound.complete { "all of them" } else { "not all of them" };
            screen.cut(&format!(
                "  {} and {} in {} ways: {}, {ends}",
                counted(sound.crashes, "crash"),
                counted(sound.deliveries, "delivery"),
                sound.ways,
                counted(sound.states, "state")
            ));
        }
        let everywhere = record.everywhere.iter();
        everywhere.for_each(|everywhere| self::mutants(&everywhere.mutants, record.interrupted, screen));
    }

    fn rates(&self, record: &Record) -> Vec<String> {
        let states = record.everywhere.as_ref().map_or(0, |everywhere| everywhere.sound.states);
        let rate = record.timing.rate(states, |name| name == crash::NAME);
        rate.map(|rate| format!("{rate} states/s")).into_iter().collect()
    }

    fn sections(&self, record: &Record) -> Vec<Section> {
        section(record).into_iter().collect()
    }
}

/// Mutants that were walked through: how many survived, and how the one with the shortest case is shown again.
fn mutants(mutants: &[MutantRecord], is_interrupted: bool, screen: &mut Screen<'_>) {
    let all = counted(mutants.len(), "mutant");
    if let survivors @ 1.. = mutants.iter().filter(|mutant| mutant.caught_by.is_empty()).count() {
        screen.cut(&format!("  {survivors} of {all} survived"));
    }
    let killed = mutants.iter().filter(|mutant| !mutant.caught_by.is_empty());
    let cases = killed.clone().filter_map(|of| Some((of, of.case.as_deref()?)));
    if let Some((of, case)) = cases.min_by_key(|(_, case)| case.len()).filter(|_| !is_interrupted) {
        screen.cut(&format!("  {} of {all} killed; the smallest case, of {}:", killed.count(), of.mutant));
        screen.replay(&format!("abench replay {}", quoted(case)));
    }
}

fn section(record: &Record) -> Option<Section> {
    let EverywhereRecord { evidence, sound, planted_in, .. } = record.everywhere.as_ref()?;
    let mut blocks = Vec::new();
    if !record.interrupted {
        let walked = walk(sound);
        let told = format!("Every crash and every order of deliveries: {walked} (evidence {evidence}).");
        blocks.push(Block::Paragraph(told));
    }
    blocks.extend(way_there(sound));
    if let Some(planted_in) = planted_in.as_ref().filter(|_| !record.interrupted) {
        let told = format!(
            "Mutants are planted in a smaller world: {}. Without a mutant: {}.",
            planted_in.world,
            walk(&planted_in.sound)
        );
        blocks.push(Block::Paragraph(told));
        blocks.extend(way_there(&planted_in.sound));
    }
    Section::of("walks", "Every order, exactly", blocks)
}

fn way_there(walked: &WalkedRecord) -> Option<Block> {
    way(walked, "The way to what is wrong".to_owned())
}

/// What a walk came through.
fn walk(walked: &WalkedRecord) -> String {
    let WalkedRecord { states, steps, crashes, deliveries, ways, ends, complete, way_there } = walked;
    let all = match (complete, way_there.is_empty()) {
        (true, _) => "all of them",
        (false, true) => "not all of them: a bound was reached",
        (false, false) => "not all of them: a judge had something against an end",
    };
    format!(
        "{}, {all}; {} between them, of which {} and {}; {} from the beginning to one of {}",
        counted(states, "state"),
        counted(steps, "step"),
        counted(crashes, "crash"),
        counted(deliveries, "delivery"),
        counted(ways, "way"),
        counted(ends, "end")
    )
}
