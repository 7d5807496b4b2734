use super::*;
use crate::domain::data::DataType;
use crate::domain::offline::CrashEverywhereTrial;
use crate::engine::delta_summary::node::ReplicaNode;
use crate::engine::delta_summary::state::State;
use crate::engine::find;
use crate::explore::every_step::{Walked, walk};
use std::collections::BTreeSet;

fn trial() -> CrashEverywhereTrial {
    CrashEverywhereTrial {
        seed: crate::domain::seed::Seed::new(1),
        data: DataType::Counter,
        clients: 1,
        edits: 2,
        retries: 0,
        crashes: 0,
        losses: 0,
        edits_before: 2,
        late: false,
        engine: None,
        mutants: Vec::new(),
        most_states: 2_000_000,
    }
}

fn engine() -> &'static Registration {
    find("delta-summary").expect("an engine")
}

/// The walk, what happened at its ends, and all that ever happened.
fn walked(trial: &CrashEverywhereTrial, mutant: Option<&'static str>) -> (Walked, Vec<History>, Vec<Step>) {
    /// The world, and all that ever happened in it.
    struct Told<'a>(SmallWorld<'a>, Vec<Step>);

    impl System for Told<'_> {
        type State = Moment;
        type Step = Step;

        fn steps(&mut self, moment: &Moment) -> Vec<(Step, Moment)> {
            self.0.steps(moment)
        }

        fn counts(&mut self, step: &Step) {
            self.1.push(*step);
        }
    }

    let states = States::default();
    let mut world = Told(SmallWorld::new(trial, engine(), mutant, &states), Vec::new());
    let (start, mut histories) = (world.0.start(), Vec::new());
    let mut judge = |world: &mut Told<'_>, end: &Moment, _: &[Step]| {
        histories.push(world.0.settled(end));
        true
    };
    let walked = walk(&mut world, &start, trial.most_states, &mut judge);
    (walked, histories, world.1)
}

#[test]
fn the_ways_of_one_client_are_those_that_a_hand_counts() {
    // A handshake, its answer and the deltas come one after the other; then their acknowledgement beside a snapshot and its
    // own: three orders of three.
    let (alone, histories, _) = walked(&trial(), None);
    assert_eq!((alone.ways.to_string().as_str(), alone.ends, alone.complete), ("3", 1, true));
    assert_eq!(histories[0].ends[1].registers, [(1 + 64) + (1 + 64 * 4)]);
    // One of the first three is lost; or the acknowledgement or that of the snapshot, in three orders each; or the snapshot,
    // before or after the acknowledgement; or none.
    let (lossy, ..) = walked(&CrashEverywhereTrial { losses: 1, ..trial() }, None);
    assert_eq!(lossy.ways.to_string(), (3 + 3 + 3 + 2 + 3).to_string());
}

#[test]
fn a_crash_comes_between_any_two_actions_with_all_that_the_disk_may_have_kept() {
    let (_, _, steps) = walked(&CrashEverywhereTrial { edits: 1, edits_before: 1, crashes: 1, ..trial() }, None);
    let of_edit = |step: &Step| match *step {
        Step::Crash(0, Act::Edit, after, loss) => Some((after, loss)),
        _ => None,
    };
    let tried: BTreeSet<(u32, Loss)> = steps.iter().filter_map(of_edit).collect();
    // It is appended, synced, shown: after the first of these it is not durable, and may be torn.
    let torn = tried.iter().find(|(_, loss)| matches!(loss, Loss::After(_))).copied().expect("a torn write");
    assert_eq!(torn.0, 1);
    let expected = [(0, Loss::All), (1, Loss::All), torn, (1, Loss::Nothing), (2, Loss::All), (3, Loss::All)];
    assert_eq!(tried, expected.into());
}

#[test]
fn a_second_crash_may_come_while_a_node_starts_again() {
    let starts = |crashes| {
        let trial = CrashEverywhereTrial { edits: 1, edits_before: 1, crashes, ..trial() };
        let (_, histories, steps) = walked(&trial, None);
        assert!(histories.iter().all(|history| history.quiescent && history.forgotten + history.broken == 0));
        let of_start = |step: &&Step| matches!(step, Step::Crash(_, Act::Restart, ..));
        steps.iter().filter(of_start).count()
    };
    assert_eq!(starts(1), 0);
    assert!(starts(2) > 0);
}

#[test]
fn what_judges_are_told_differs_from_nothing_where_it_should() {
    let trial = CrashEverywhereTrial { crashes: 1, edits_before: 0, ..trial() };
    let any = |mutant, of: fn(&History) -> bool| walked(&trial, mutant).1.iter().any(of);
    assert!(any(Some("apply-before-journal"), |history| history.forgotten > 0));
    // On a disk that loses nothing nobody could tell.
    assert!(any(Some("show-before-sync"), |history| history.forgotten > 0));
    assert!(any(Some("ack-before-durable"), |history| history.broken > 0));
    assert!(any(None, |history| history.ledger.edits().any(|edit| edit.fate.is_unshared())));
    assert!(!any(None, |history| history.forgotten + history.broken + history.backlog > 0 || !history.quiescent));
    let states = States::default();
    let mut world = SmallWorld::new(&trial, engine(), None, &states);
    let start = world.start();
    let edited = world.act(start, 0, Act::Edit);
    assert_eq!(world.history(edited, true).backlog, 1, "nobody has it yet");
    assert_eq!(world.settled(&edited).backlog, 0);
}

#[test]
fn a_store_that_refuses_what_it_wrote_has_lost_what_was_shown() {
    let states = States::default();
    let mut world = SmallWorld::new(&trial(), engine(), None, &states);
    let start = world.start();
    let edited = world.act(start, 0, Act::Edit);
    let mut state = (**states.local_states.value(world.opened(edited).nodes[0])).clone();
    state.disk.journal_mut()[12] ^= 1;
    let after = state.after(engine(), &settings(&world.bounds, 0, None), Action::Restart, None, None).state;
    assert_eq!((after.refused, after.forgotten, after.node.is_none()), (true, 1, true));
}

#[test]
fn messages_outlive_a_connection_only_where_they_are_to() {
    let of = |late| {
        let (trial, states) =
            (CrashEverywhereTrial { late, crashes: 1, edits_before: 0, ..trial() }, States::default());
        let mut world = SmallWorld::new(&trial, engine(), None, &states);
        let start = world.start();
        let hears_handshake = world.act(start, 0, Act::Connect);
        let steps = world.steps(&hears_handshake);
        let crash = steps.iter().find(|(step, _)| matches!(step, Step::Crash(0, Act::Edit, ..)));
        world.different(crash.expect("the client may crash").1).count()
    };
    assert_eq!((of(false), of(true)), (0, 1));
}

#[test]
fn an_image_holds_all_of_a_state_but_fragments_of_messages() {
    let trial = CrashEverywhereTrial { clients: 2, edits: 1, edits_before: 1, crashes: 1, ..trial() };
    let states = States::default();
    let mut world = SmallWorld::new(&trial, engine(), None, &states);
    let start = world.start();
    walk(&mut world, &start, trial.most_states, &mut |world, end, _| world.settled(end).quiescent);
    let (mut given, mut settled, mut lineage) = (0, 0, 0);
    for state in states.local_states.values() {
        let Some(Node(node)) = &state.node else { continue };
        let node: &ReplicaNode = node.as_any().downcast_ref().expect("the replica");
        let state = node.state();
        let read = State::read(&state.image(), 1, state.me.client == 2).expect("it was written");
        assert_eq!((&read.given, &read.settled, &read.lineage), (&state.given, &state.settled, &state.lineage));
        assert_eq!((&read.seen, &read.log, &read.cursor), (&state.seen, &state.log, &state.cursor));
        assert_eq!((&read.pending, &read.edits, &read.sums), (&state.pending, &state.edits, &state.sums));
        given += usize::from(!state.given.is_empty());
        settled += usize::from(!state.settled.is_empty());
        lineage += usize::from(state.lineage.len() > 1);
    }
    assert!(given > 0 && settled > 0 && lineage > 0, "{given}, {settled}, {lineage}");
}

/// What judges have against some end of a world, by judge.
fn accused(
    trial: &CrashEverywhereTrial,
    engine: &'static Registration,
    mutant: Option<&'static str>,
) -> BTreeSet<String> {
    let states = States::default();
    let mut world = SmallWorld::new(trial, engine, mutant, &states);
    let (start, mut accused) = (world.start(), BTreeSet::new());
    let mut judge = |world: &mut SmallWorld<'_>, end: &Moment, _: &[Step]| {
        let history = world.settled(end);
        let against = crate::oracle::offline::judgements(&history)
            .filter(|(_, said)| said.verdict == crate::domain::verdict::Verdict::Falsified);
        accused.extend(against.map(|(name, said)| format!("{name}: {}", said.sentence)));
        accused.is_empty()
    };
    let walked = walk(&mut world, &start, trial.most_states, &mut judge);
    assert!(walked.complete || !accused.is_empty(), "{:?}: {} states are too few", trial.data, walked.states);
    accused
}

/// Two clients who edit at any time, and a crash.
fn of_two(data: DataType, edits: u32, crashes: u32) -> CrashEverywhereTrial {
    CrashEverywhereTrial { data, clients: 2, edits, edits_before: 0, crashes, ..trial() }
}

#[test]
fn the_reference_and_the_log_hold_at_every_end_of_a_world_of_tags_and_of_labels() {
    let [reference, log] = ["delta-state", "operation-log"].map(|name| find(name).expect("an engine"));
    for data in [DataType::Tags, DataType::Label] {
        assert_eq!(accused(&of_two(data, 1, 1), reference, None), BTreeSet::new(), "{data:?}");
        assert_eq!(accused(&of_two(data, 1, 1), log, None), BTreeSet::new(), "{data:?}");
    }
    assert_eq!(accused(&of_two(DataType::Tags, 2, 0), reference, None), BTreeSet::new());
}

#[test]
fn no_end_of_a_world_of_a_stock_is_overspent_by_rights_and_some_end_is_by_what_is_shown() {
    let [rights, shown] = ["delta-state", "pn-counter"].map(|name| find(name).expect("an engine"));
    assert_eq!(accused(&of_two(DataType::Stock, 2, 0), rights, None), BTreeSet::new());
    let overspent = |said: BTreeSet<String>| said.iter().any(|said| said.starts_with("overspending: "));
    // Who has transferred the right takes the unit all the same.
    let trial = of_two(DataType::Stock, 3, 0);
    assert!(overspent(accused(&trial, shown, None)));
    for mutant in ["spend-what-is-shown", "overspend-by-one", "keep-transferred-rights"] {
        assert!(overspent(accused(&trial, rights, Some(mutant))), "{mutant}");
    }
}

#[test]
fn no_end_of_a_world_of_a_record_is_wrong_and_mistakes_with_deletes_are_found() {
    let [reference, log] = ["delta-state", "operation-log"].map(|name| find(name).expect("an engine"));
    for engine in [reference, log] {
        assert_eq!(accused(&of_two(DataType::Record, 1, 1), engine, None), BTreeSet::new(), "{}", engine.name);
        assert_eq!(accused(&of_two(DataType::Record, 2, 0), engine, None), BTreeSet::new(), "{}", engine.name);
    }
    for mutant in ["resurrect-record", "delete-unseen-change", "clear-fields-at-delete"] {
        assert_ne!(accused(&of_two(DataType::Record, 2, 0), reference, Some(mutant)), BTreeSet::new(), "{mutant}");
    }
}

#[test]
fn no_end_of_a_world_of_a_text_is_wrong_and_mistakes_with_letters_are_found() {
    let [reference, log] = ["delta-state", "operation-log"].map(|name| find(name).expect("an engine"));
    let trial = CrashEverywhereTrial { edits_before: 1, ..of_two(DataType::Text, 2, 0) };
    for engine in [reference, log] {
        assert_eq!(accused(&of_two(DataType::Text, 1, 1), engine, None), BTreeSet::new(), "{}", engine.name);
        assert_eq!(accused(&trial, engine, None), BTreeSet::new(), "{}", engine.name);
    }
    for mutant in ["mix-runs", "keep-erase-here", "show-letter-twice", "type-in-front"] {
        assert_ne!(accused(&trial, reference, Some(mutant)), BTreeSet::new(), "{mutant}");
    }
    let last = find("lww-arrival").expect("an engine");
    assert_ne!(accused(&trial, last, None), BTreeSet::new(), "whoever replaces a text loses letters");
}

#[test]
fn mistakes_with_labels_and_tags_that_are_overwritten_are_found_in_a_walk() {
    let reference = find("delta-state").expect("an engine");
    for mutant in ["drop-concurrent-value", "old-write-wins", "resolve-unseen-value"] {
        assert_ne!(accused(&of_two(DataType::Label, 2, 0), reference, Some(mutant)), BTreeSet::new(), "{mutant}");
    }
    for engine in ["full-state", "first-writer"].map(|name| find(name).expect("an engine")) {
        assert_ne!(accused(&of_two(DataType::Tags, 2, 0), engine, None), BTreeSet::new(), "{}", engine.name);
    }
}
