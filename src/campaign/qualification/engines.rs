//! Mutants are planted in engines, under worlds and crash walks, and what kills them is counted.
//!
//! Every mutant of every engine is tried under every scenario that its engine can run in, beside the engine as it is. The
//! mutants are shared out among threads; each goes through the scenarios in one order, so that the results do not depend
//! on how many threads there are.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use crate::campaign::qualification::called;
use crate::domain::oracle::OracleId;
use crate::domain::seed::Seed;
use crate::domain::subject::SubjectError;

use crate::domain::watch::Watch;
use crate::engine::mutant::Mutant;
use crate::engine::{REGISTRY, Registration};
use crate::experiment::jobs::{self, Jobs, OneOf, Within};
use crate::experiment::planting::Planting;
use crate::experiment::valid::Valid;
use crate::experiment::{self, planting};
use crate::report::qualification::mutants::{
    Cell, Control, EngineQualification, Kind, MutantRow, Outcome, ScenarioRow, Score,
};
use crate::scenario::Scenario;

/// Scenarios, and how mutants are planted under them.
pub struct EnginePlan {
    /// Worlds and crash walks.
    pub scenarios: Vec<Valid<Scenario>>,
    /// Whether a mutant is tried no more once a world and a walk have killed it.
    pub until_killed: bool,
    /// A sample of this size, drawn from this seed, and not all mutants.
    pub sample: Option<(usize, Seed)>,
}

/// A scenario, and the engines in it without a mutant, each tried once it is needed.
struct Column<'a> {
    /// What a journal calls it.
    called: String,
    name: &'a str,
    place: &'a dyn Planting,
    controls: BTreeMap<&'static str, OnceLock<Result<planting::Control, SubjectError>>>,
}

/// A mutant that is to be planted.
type Planned = (&'static Registration, Mutant);

/// Plants the mutants under the scenarios. Nothing where only some of the jobs are run here.
///
/// # Errors
/// If an engine cannot run in a scenario though it has no mutant, or the journal cannot be used.
pub fn qualify(
    plan: &EnginePlan,
    jobs: &Jobs<'_>,
    watch: &mut dyn Watch,
) -> Result<Option<EngineQualification>, SubjectError> {
    let mutants = planned(plan.sample);
    let columns = columns(plan, &mutants);
    let all = mutants.len();
    let mutants: Vec<Planned> =
        mutants.into_iter().enumerate().filter(|(place, _)| jobs.takes(*place)).map(|(_, mutant)| mutant).collect();
    watch.begin("mutants under all scenarios", mutants.len() as u64);
    watch.unit("mutants");
    let rows =
        jobs::run(&mutants, jobs.threads, watch, |&mutant, watch| match row(plan, &columns, mutant, jobs, watch) {
            // What was under way when the user stopped was not tried.
            Err(SubjectError::Interrupted) => Ok(None),
            row => row.map(Some),
        });
    watch.end();
    if let Some(error) = rows.failed.as_ref().filter(|error| **error != SubjectError::Interrupted) {
        return Err(error.clone());
    }
    let whole: Vec<MutantRow> = rows.of.into_iter().flatten().collect();
    let stopped = whole.len() < mutants.len();
    if stopped && jobs.is_part() {
        return Err(SubjectError::Interrupted);
    }
    if jobs.is_part() {
        return Ok(None);
    }
    Ok(Some(finished(plan, columns, whole, all, watch.stop_requested())))
}

/// The mutants of all engines, or those of a sample, in the order of the registry.
fn planned(sample: Option<(usize, Seed)>) -> Vec<Planned> {
    let all: Vec<Planned> =
        REGISTRY.iter().flat_map(|engine| (engine.mutants)().into_iter().map(move |mutant| (engine, mutant))).collect();
    let Some((count, seed)) = sample else { return all };
    let mut places: Vec<usize> = (0..all.len()).collect();
    seed.stream("mutants").shuffle(&mut places);
    let drawn: BTreeSet<usize> = places.into_iter().take(count).collect();
    drawn.into_iter().map(|place| all[place]).collect()
}

/// The scenarios, the cheapest first, worlds before walks.
fn columns<'a>(plan: &'a EnginePlan, mutants: &[Planned]) -> Vec<Column<'a>> {
    let engines: BTreeSet<&'static str> = mutants.iter().map(|(engine, _)| engine.name).collect();
    let mut columns: Vec<Column<'_>> = plan
        .scenarios
        .iter()
        .filter_map(|scenario| {
            let place = experiment::of(&scenario.trial).planting()?;
            let controls = engines.iter().map(|&engine| (engine, OnceLock::new())).collect();
            Some(Column {
                called: called(scenario),
                name: scenario.name.as_deref().unwrap_or_default(),
                place,
                controls,
            })
        })
        .collect();
    columns.sort_by_key(|column| column.place.cost());
    columns
}

/// Plants a mutant under every scenario that its engine can run in.
fn row(
    plan: &EnginePlan,
    columns: &[Column<'_>],
    (engine, mutant): Planned,
    jobs: &Jobs<'_>,
    watch: &mut dyn Watch,
) -> Result<MutantRow, SubjectError> {
    let suited = columns.iter().filter(|column| column.place.suits(engine)).count();
    let mut watch = Within::of(suited as u64, watch);
    let mut cells: Vec<Option<Cell>> = Vec::with_capacity(columns.len());
    let mut killed_by = Vec::new();
    for column in columns {
        let kind = column.place.kind();
        // Where no walk can show it, it is tried in walks all the same unless time counts.
        let is_enough = killed_by.contains(&kind) || kind == Kind::Walk && mutant.not_in_walks.is_some();
        let suits = column.place.suits(engine);
        // The same of a data type that nobody edits there: its code would not be executed.
        let is_of_it = mutant.data.is_none_or(|data| column.place.has(data));
        let is_tried = suits && (is_of_it && !is_enough || !plan.until_killed);
        let cell = is_tried.then(|| cell(column, (engine, mutant.name), jobs, &mut OneOf(&mut watch))).transpose()?;
        if cell.as_ref().is_some_and(|cell| cell.outcome == Outcome::Killed) {
            killed_by.push(kind);
        }
        cells.push(cell);
        watch.advance(u64::from(suits));
    }
    let has = |outcome: Outcome| cells.iter().flatten().any(|cell| cell.outcome == outcome);
    // Over a set of scenarios, whatever shows most decides.
    let order = [Outcome::Crashed, Outcome::Killed, Outcome::Survived];
    let together = order.into_iter().find(|&outcome| has(outcome)).unwrap_or(Outcome::NotReached);
    Ok(MutantRow {
        engine: engine.name.to_owned(),
        mutant: mutant.name.to_owned(),
        about: mutant.about.to_owned(),
        not_in_walks: mutant.not_in_walks.map(str::to_owned),
        together,
        cells,
    })
}

/// A mutant under a scenario. A harness that falls over kills nothing.
fn cell(
    column: &Column<'_>,
    (engine, mutant): (&'static Registration, &'static str),
    jobs: &Jobs<'_>,
    watch: &mut dyn Watch,
) -> Result<Cell, SubjectError> {
    let of = &column.called;
    let control = column.controls[engine.name].get_or_init(|| {
        let id = format!("control of {} under {of}", engine.name);
        if let Some(kept) = jobs.kept(&id)? {
            return Ok(kept);
        }
        let control = column.place.control(engine, watch)?;
        jobs.keep(&id, &control)?;
        Ok(control)
    });
    let control = control.as_ref().map_err(Clone::clone)?;
    let id = format!("{mutant} of {} under {of}", engine.name);
    if let Some(kept) = jobs.kept(&id)? {
        return Ok(kept);
    }
    let planted = catch_unwind(AssertUnwindSafe(|| column.place.plant((engine, mutant), control, watch)));
    let cell = planted.unwrap_or_else(|_| {
        let reason = "the harness crashed, which is a fault of abench".to_owned();
        Ok(Cell { outcome: Outcome::Crashed, judges: BTreeSet::new(), reason })
    })?;
    jobs.keep(&id, &cell)?;
    Ok(cell)
}

fn finished(
    plan: &EnginePlan,
    columns: Vec<Column<'_>>,
    mutants: Vec<MutantRow>,
    planned: usize,
    interrupted: bool,
) -> EngineQualification {
    let kinds: Vec<Kind> = columns.iter().map(|column| column.place.kind()).collect();
    let scenarios: Vec<ScenarioRow> = columns
        .into_iter()
        .enumerate()
        .map(|(place, column)| {
            let outcomes = mutants.iter().filter_map(|row| row.cells[place].as_ref()).map(|cell| cell.outcome);
            let score = Score::of(outcomes);
            let controls = column.controls.into_iter().filter_map(|(engine, control)| {
                let planting::Control { verdict, reason, .. } = control.into_inner()?.ok()?;
                Some(Control { engine: engine.to_owned(), verdict, reason })
            });
            let (scenario, kind, controls) = (column.name.to_owned(), column.place.kind(), controls.collect());
            ScenarioRow { scenario, kind, controls, score }
        })
        .collect();
    let by = |kind: Kind, rows: &mut dyn Iterator<Item = &MutantRow>| {
        Score::of(rows.filter_map(|row| in_kind(row, &kinds, kind)))
    };
    let by_worlds = by(Kind::World, &mut mutants.iter());
    let by_walks = by(Kind::Walk, &mut mutants.iter().filter(|row| row.not_in_walks.is_none()));
    let unmet = if interrupted { Vec::new() } else { mutants.iter().flat_map(|row| unmet(row, &kinds)).collect() };
    let mut by_judge = BTreeMap::new();
    for row in &mutants {
        let judges: BTreeSet<OracleId> =
            row.cells.iter().flatten().flat_map(|cell| cell.judges.iter().copied()).collect();
        judges.into_iter().for_each(|judge| *by_judge.entry(judge).or_insert(0) += 1);
    }
    EngineQualification {
        interrupted,
        crashed: mutants.iter().any(|row| row.together == Outcome::Crashed),
        until_killed: plan.until_killed,
        planned: planned as u64,
        unmet,
        score: Score::of(mutants.iter().map(|row| row.together)),
        by_worlds,
        by_walks,
        by_judge,
        scenarios,
        mutants,
    }
}

/// What became of a mutant under the scenarios of a kind; nothing if it was tried under none.
fn in_kind(row: &MutantRow, kinds: &[Kind], kind: Kind) -> Option<Outcome> {
    let cells = row.cells.iter().zip(kinds).filter(|(_, of)| **of == kind).filter_map(|(cell, _)| cell.as_ref());
    let outcomes: Vec<Outcome> = cells.map(|cell| cell.outcome).collect();
    let order = [Outcome::Killed, Outcome::Crashed, Outcome::Survived, Outcome::NotReached];
    order.into_iter().find(|outcome| outcomes.contains(outcome))
}

/// What is wrong with a mutant: it escapes, or a walk kills it though none is said to.
fn unmet(row: &MutantRow, kinds: &[Kind]) -> Vec<String> {
    let MutantRow { engine, mutant, about, not_in_walks, .. } = row;
    let name = format!("{mutant} of {engine} ({about})");
    let [world, walk] = [Kind::World, Kind::Walk].map(|kind| in_kind(row, kinds, kind));
    let mut unmet = Vec::new();
    match world {
        Some(Outcome::Killed) => {}
        Some(outcome) => unmet.push(format!("{name} escapes every world: {outcome}")),
        None if walk.is_none() => unmet.push(format!("{name} was tried in no scenario: none of them suits its engine")),
        None => {}
    }
    match (walk, not_in_walks) {
        (Some(Outcome::Killed), Some(why)) => {
            unmet.push(format!("{name} is killed in a walk, though none is said to show it: {why}"));
        }
        (Some(Outcome::Killed) | None, None) | (_, Some(_)) => {}
        (Some(outcome), None) => unmet.push(format!("{name} escapes every walk: {outcome}")),
    }
    unmet
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(not_in_walks: Option<&str>, world: Option<Outcome>, walk: Option<Outcome>) -> MutantRow {
        let cell = |outcome: Option<Outcome>| {
            outcome.map(|outcome| Cell { outcome, judges: BTreeSet::new(), reason: String::new() })
        };
        MutantRow {
            engine: "an-engine".to_owned(),
            mutant: "a-mutant".to_owned(),
            about: "it is wrong".to_owned(),
            not_in_walks: not_in_walks.map(str::to_owned),
            together: Outcome::Survived,
            cells: vec![cell(world), cell(walk)],
        }
    }

    #[test]
    fn a_mutant_must_be_killed_by_a_world_and_by_a_walk_unless_no_walk_can_show_it() {
        use Outcome::*;
        let of = |why, world, walk| unmet(&row(why, world, walk), &[Kind::World, Kind::Walk]).len();
        assert_eq!(of(None, Some(Killed), Some(Killed)), 0);
        assert_eq!(of(None, Some(Survived), Some(Killed)), 1);
        assert_eq!(of(None, Some(Killed), Some(NotReached)), 1);
        assert_eq!(of(None, Some(NotReached), Some(Survived)), 2);
        assert_eq!(of(Some("no clocks"), Some(Killed), Some(Survived)), 0);
        assert_eq!(of(Some("no clocks"), Some(Killed), Some(Killed)), 1, "the exception is none");
        // Where scenarios of one kind are named alone, nothing of the other is asked for.
        assert_eq!(of(None, Some(Killed), None), 0);
        assert_eq!(of(None, None, Some(Killed)), 0);
        assert_eq!(of(None, None, None), 1);
    }

    #[test]
    fn a_sample_is_drawn_from_its_seed_and_keeps_the_order_of_the_registry() {
        let names =
            |sample| planned(sample).iter().map(|(engine, mutant)| (engine.name, mutant.name)).collect::<Vec<_>>();
        let all = names(None);
        let sample = |seed| names(Some((7, Seed::new(seed))));
        assert_eq!((sample(1).len(), sample(1)), (7, sample(1)));
        assert!((2..20).any(|seed| sample(seed) != sample(1)));
        let places: Vec<usize> =
            sample(1).iter().filter_map(|drawn| all.iter().position(|mutant| mutant == drawn)).collect();
        assert!(places.len() == 7 && places.is_sorted(), "{places:?}");
    }
}
