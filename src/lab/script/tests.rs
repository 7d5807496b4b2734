//! Worlds that are written down.

use std::collections::BTreeSet;

use super::*;
use crate::domain::history::{Fate, History};
use crate::domain::offline::{FaultKind, Labels, Link, Presence, Tags, Workload};
use crate::domain::script::Step;
use crate::domain::script::text::steps;
use crate::domain::verdict::Verdict;
use crate::domain::watch::Unwatched;
use crate::engine;
use crate::lab::Outcome;
use crate::lab::tests::trial;
use crate::oracle::offline::truth;
use proptest::prelude::*;

/// A world of four clients and a hub, with these steps.
fn written(script: &str) -> OfflineTrial {
    let (workload, presence) = (Workload::absent(), Presence::absent());
    OfflineTrial { workload, presence, steps: steps(script).expect("steps"), ..trial(1) }
}

fn outcome(trial: &OfflineTrial, name: &str) -> Outcome {
    assert_eq!(trial.impossible(), None);
    let engine = engine::find(name).expect("an engine");
    let world = World::new(trial, engine, &settings(trial, None)).expect("a world");
    world.run(&mut Unwatched).expect("it ends")
}

fn shown(outcome: &Outcome, register: usize) -> Vec<i64> {
    outcome.history.ends.iter().filter_map(|end| end.registers[register].number()).collect()
}

#[test]
fn users_edit_and_devices_connect_when_their_steps_say_so() {
    let script = "edit:client_0:register:3:by:7+connect:client_0:after_s:10\
                  +until:in_sync:node:client_0:with:hub:within_s:60+edit:client_1:register:3:by:-2:after_s:5";
    let outcome = outcome(&written(script), "delta-state");
    assert_eq!(outcome.unmet, []);
    assert_eq!(shown(&outcome, 3), [10; 5]);
    let edits: Vec<(u64, i64)> = outcome.history.ledger.edits().map(|edit| (edit.at, edit.amount())).collect();
    assert_eq!((edits[0], edits[1].1), ((0, 7), -2));
    // The wait takes what it takes; what comes before it and after it is as it is written.
    assert!((15_000_000..30_000_000).contains(&edits[1].0), "{edits:?}");
}

#[test]
fn a_step_waits_for_messages_and_says_so_when_they_never_come() {
    let sound = "edit:client_0:register:3:by:7+connect:client_0+until:taken:from:client_0:to:hub:messages:2:within_s:9";
    assert_eq!(outcome(&written(sound), "delta-state").unmet, []);
    let vain = "connect:client_0+until:quiescent:within_s:60+until:sent:from:client_0:to:hub:within_s:9+edit:client_1:register:0:by:1";
    let outcome = outcome(&written(vain), "delta-state");
    let told = outcome.unmet.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    assert_eq!(told, "steps[2].until: it did not come true within 9 s");
    assert_eq!(outcome.history.unmet, [told]);
    assert_eq!(shown(&outcome, 0), [6; 5], "the script goes on");
}

#[test]
fn an_edit_by_a_device_that_is_off_is_not_made() {
    let outcome = outcome(
        &written("crash:client_0:for_s:9+edit:client_0:register:0:by:1+edit:client_1:register:0:by:5"),
        "delta-state",
    );
    assert_eq!(outcome.unmet[0].to_string(), "steps[1].edit: client 0 is off: it starts again later");
    assert_eq!(shown(&outcome, 0), [10; 5]);
}

#[test]
fn messages_are_lost_repeated_late_cut_and_damaged_as_their_steps_say() {
    let damaged = |fate: &str| {
        let script = format!("{fate}:from:client_0:to:hub+edit:client_0:register:0:by:1+connect:client_0+after_s:120");
        let outcome = outcome(&written(&script), "delta-state");
        assert_eq!(shown(&outcome, 0), [6; 5], "{fate}");
        let sent_again = outcome.history.traffic.0.retransmission > 0;
        (outcome.measures.deliveries, outcome.measures.damaged, sent_again)
    };
    let (sound, _, sent_again) = damaged("lose:99");
    assert!(!sent_again);
    assert!(damaged("lose:1").2, "what was lost is sent again");
    let (repeated, ..) = damaged("repeat:1:late_s:0.5");
    assert!(repeated > sound, "{repeated} {sound}");
    assert_eq!(damaged("truncate:1:bytes:3").1, 1);
    assert_eq!(damaged("corrupt:1:bit:20").1, 1);
    let latest = |fate: &str| {
        let script = format!(
            "{fate}+edit:client_0:register:0:by:1+connect:client_0+until:in_sync:node:client_0:with:hub+edit:client_1:register:1:by:1"
        );
        outcome(&written(&script), "delta-state").history.ledger.by_device[1][0].at
    };
    let late = latest("delay:1:by_s:0.7:from:client_0:to:hub") - latest("after_s:0");
    assert!((100_000..=700_000).contains(&late), "{late}");
}

#[test]
fn one_devices_clock_link_and_work_are_its_own() {
    let by_clock = |script: &str| shown(&outcome(&written(script), "lww-wall-clock"), 0)[4];
    // The later edit by the clocks wins: client 0 edits first by true time.
    let edits = "edit:client_0:register:0:by:1+edit:client_1:register:0:by:2:after_s:60";
    assert_eq!(by_clock(edits), 7);
    assert_eq!(by_clock(&format!("clock:client_0:by_s:3600+{edits}")), 6);
    assert_eq!(by_clock(&format!("clock:client_0:by_s:3600+clock:client_0:by_s:-3600+{edits}")), 7);
    let took = |link: &str| {
        let script = format!(
            "{link}+edit:client_0:register:0:by:1+connect:client_0+until:in_sync:node:client_0:with:hub+edit:client_1:register:1:by:1"
        );
        outcome(&written(&script), "delta-state").history.ledger.by_device[1][0].at
    };
    assert_eq!(took("link:client_1:latency_ms:900"), took("after_s:0"));
    assert!(took("link:client_0:latency_ms:900") > took("after_s:0") + 1_000_000);
    assert!(took("link:client_0:bits_per_s:400") > took("after_s:0") + 1_000_000);
    let outcome = outcome(&written("work:client_2:for_s:600:ticks:9:changed:2:most:5"), "delta-state");
    let edits: Vec<usize> = outcome.history.ledger.by_device.iter().map(Vec::len).collect();
    assert_eq!(edits, [0, 0, 18, 0, 0]);
    assert!(outcome.history.ledger.edits().all(|edit| edit.at < 600_000_000));
}

#[test]
fn a_hub_that_is_set_back_lacks_what_a_reconciling_client_does_not_send_again() {
    let script = "back_up:hub+edit:client_0:register:0:by:1+connect:client_0+until:quiescent:within_s:60\
                  +disconnect:client_0+set_back:hub:for_s:60";
    let shows = |name: &str| shown(&outcome(&written(script), name), 0);
    assert_eq!(shows("delta-state"), [6; 5]);
    assert!(shows("reconciliation").contains(&5), "{:?}", shows("reconciliation"));
}

#[test]
fn devices_come_one_by_one_where_a_step_gives_them_time() {
    let first_taken = |script: &str| {
        let written = written(&format!("edit:clients:register:0:by:1+{script}"));
        let came = outcome(&written, "delta-state");
        assert_eq!((came.unmet.len(), shown(&came, 0)), (0, vec![9; 5]), "{script}");
        came.history.over_time.load.expect("there is a hub").attempts.most
    };
    assert_eq!(first_taken("connect:clients"), 4, "all in one second");
    assert_eq!(first_taken("connect:clients:over_s:6000"), 1);
    assert_eq!(first_taken("connect:clients:over_s:6000+after_s:1"), 1, "the world waits until all have come");
}

/// What a judge says of tags in a world of these steps: truth, and what it says.
fn said_of_tags(script: &str, name: &str) -> (Verdict, String) {
    let tags = Tags { registers: 1, elements: 8, ..Tags::default() };
    let outcome = outcome(&OfflineTrial { tags, ..written(script) }, name);
    assert_eq!(outcome.unmet, []);
    let told = truth::judge(&outcome.history);
    (told.verdict, told.sentence)
}

/// Client 0 inserts element 3, and all devices have it.
const INSERTED: &str = "back_up:client_0+connect:clients+edit:client_0:register:32:insert:3+until:quiescent:within_s:600+disconnect:client_0";

#[test]
fn who_was_set_back_removes_what_it_shows_and_no_insert_that_it_lost_and_others_have() {
    // Client 0 does not have its first insert any more: its remove means the second alone.
    let apart = format!(
        "{INSERTED}+set_back:client_0:for_s:60+edit:client_0:register:32:insert:3:after_s:120\
         +edit:client_0:register:32:remove:3+connect:client_0+until:quiescent:within_s:600"
    );
    for name in ["delta-state", "operation-log"] {
        let (verdict, sentence) = said_of_tags(&apart, name);
        assert_eq!(verdict, Verdict::Holds, "{name}: {sentence}");
    }
}

#[test]
fn an_element_that_comes_back_with_a_store_that_was_set_back_is_a_finding_where_its_insert_was_seen_and_removed() {
    // Client 1 has seen the insert and removes it; the store of client 0 has it again, and is older than the remove.
    let script = "edit:client_0:register:32:insert:3+connect:clients+until:quiescent:within_s:600\
                  +back_up:client_0+edit:client_1:register:32:remove:3+until:quiescent:within_s:600\
                  +disconnect:client_0+set_back:client_0:for_s:60+after_s:120+connect:client_0+until:quiescent:within_s:600";
    // Client 0 is given its insert again, and removes that.
    let given_again = format!(
        "{INSERTED}+set_back:client_0:for_s:60+after_s:120+connect:client_0+until:quiescent:within_s:600\
         +edit:client_0:register:32:remove:3+until:quiescent:within_s:600"
    );
    for name in ["delta-state", "operation-log"] {
        for script in [script, &given_again] {
            let (verdict, sentence) = said_of_tags(script, name);
            assert_eq!(verdict, Verdict::Holds, "{name}: {sentence}");
        }
    }
    for script in [script, &given_again] {
        let (verdict, sentence) = said_of_tags(script, "first-writer");
        assert_eq!(verdict, Verdict::Falsified, "{sentence}");
        assert!(sentence.contains("element 3 is back, and every insert of it was removed"), "{sentence}");
    }
}

/// The clock of client 1 is an hour ahead. Clients 1, 0 and 2 write a label in this order, and connect in this order.
const ONE_CLOCK_AHEAD: &str = "clock:client_1:by_s:3600+edit:client_1:register:0:write:2:after_s:60\
    +edit:client_0:register:0:write:1:after_s:60+edit:client_2:register:0:write:3:after_s:60\
    +connect:client_1:after_s:60+until:quiescent:within_s:600+connect:client_0+until:quiescent:within_s:600\
    +connect:client_2+until:quiescent:within_s:600+clock:client_1:by_s:-3600";

#[test]
fn a_label_that_three_wrote_is_the_last_by_arrival_or_by_a_clock_that_is_ahead_or_shows_the_conflict() {
    let labels = Labels { registers: 1, ..Labels::default() };
    let said = |name: &str, more: &str| {
        let script = format!("{ONE_CLOCK_AHEAD}{more}");
        let outcome = outcome(&OfflineTrial { labels, registers: 0, ..written(&script) }, name);
        assert_eq!(outcome.unmet, [], "{name}");
        let views = outcome.history.ends.iter().map(|end| end.registers[0].to_string());
        let mut views: Vec<String> = views.collect();
        views.dedup();
        (views, truth::judge(&outcome.history).verdict)
    };
    let shows = |view: &str, verdict| (vec![view.to_owned()], verdict);
    assert_eq!(said("lww-server-stamp", ""), shows("3", Verdict::Holds));
    for name in ["lww-wall-clock", "lww-hybrid-clock"] {
        assert_eq!(said(name, ""), shows("2", Verdict::Holds), "{name}: the clock that is ahead decides");
    }
    for name in ["delta-state", "operation-log"] {
        assert_eq!(said(name, ""), shows("1 or 2 or 3", Verdict::Holds), "{name}");
    }
    // Somebody who sees the label writes again, by a clock that is right.
    let again = "+edit:client_0:register:0:write:4:after_s:60+until:quiescent:within_s:600";
    for name in ["lww-server-stamp", "lww-hybrid-clock", "delta-state", "operation-log"] {
        assert_eq!(said(name, again), shows("4", Verdict::Holds), "{name}");
    }
    assert_eq!(said("lww-wall-clock", again), shows("2", Verdict::Falsified), "an old write wins");
}

#[test]
fn labels_that_were_overwritten_take_no_room_in_the_reference() {
    let stored = |name: &str, rounds: usize| {
        let round = "edit:client_0:register:0:write:3:after_s:60+edit:client_1:register:0:write:4:after_s:60";
        let steps = ["connect:clients"].into_iter().chain(std::iter::repeat_n(round, rounds)).collect::<Vec<_>>();
        let labels = Labels { registers: 1, ..Labels::default() };
        let outcome = outcome(&OfflineTrial { labels, registers: 0, ..written(&steps.join("+")) }, name);
        assert!(outcome.history.ends.iter().all(|end| end.registers[0].to_string() == "4"));
        outcome.measures.stored
    };
    assert!(stored(engine::reference().name, 400) < 2 * stored(engine::reference().name, 40));
    assert!(stored("operation-log", 400) > 5 * stored("operation-log", 40), "which keeps all that ever was");
}

#[test]
fn who_left_for_good_is_not_waited_for() {
    let script = "connect:clients+edit:client_0:register:0:by:1+until:quiescent:within_s:60+retire:client_1\
                  +edit:client_0:register:0:by:1+until:quiescent:within_s:60";
    let outcome = outcome(&written(script), "delta-state");
    assert_eq!((&outcome.unmet[..], shown(&outcome, 0)), (&[][..], vec![7; 4]));
}

#[test]
fn a_process_that_is_frozen_is_not_present_and_nobody_is_late_at_it() {
    let late = |fault: &str| {
        let script = format!(
            "connect:clients+until:quiescent:within_s:60+{fault}+edit:client_1:register:0:by:1:after_s:60+after_s:900"
        );
        let bounded = OfflineTrial { staleness_s: Some(120), ..written(&script) };
        let lateness = outcome(&bounded, "delta-state").history.over_time.lateness.expect("there is a bound");
        (lateness.judged, lateness.late)
    };
    assert_eq!(late("freeze:client_0:for_s:600"), (2, 0));
    assert_eq!(late("cut:client_0:with:hub:for_s:600"), (3, 1), "what is down between two devices excuses nobody");
}

fn any_node() -> impl Strategy<Value = String> {
    prop_oneof![(0..4u32).prop_map(|node| format!("client {node}")), Just("hub".to_owned())]
}

fn any_client() -> impl Strategy<Value = String> {
    prop_oneof![(0..4u32).prop_map(|node| format!("client {node}")), Just("clients".to_owned())]
}

/// Steps of the world of four clients and a hub.
fn any_action() -> impl Strategy<Value = Action> {
    let fates = prop_oneof![
        Just(MessageFate::Lose),
        (0..20_000_000u64).prop_map(MessageFate::Repeat),
        (0..20_000_000u64).prop_map(MessageFate::Delay),
        (0..40u64).prop_map(MessageFate::Truncate),
        (0..400u64).prop_map(MessageFate::Corrupt),
    ];
    let link = (2_000..1_000_000u64, 0..2000u64, 0..300u32).prop_map(|(bits_per_s, latency_ms, lost_per_mille)| {
        crate::domain::offline::Link { bits_per_s, latency_ms, lost_per_mille, ..Default::default() }
    });
    let conditions = prop_oneof![
        Just(Condition::Quiescent),
        (any_node(), any_node()).prop_map(|(node, with)| {
            let other = if node == "hub" { "client 0" } else { "hub" };
            let with = if with == node { other.to_owned() } else { with };
            Condition::InSync { node, with }
        }),
        (0..4u32, 1..9u32, proptest::sample::select(vec![Progress::Sent, Progress::Received, Progress::Taken]))
            .prop_map(|(client, number, how)| Condition::Messages {
                from: format!("client {client}"),
                to: "hub".to_owned(),
                number,
                how
            }),
    ];
    prop_oneof![
        4 => (any_client(), 0..32u32, 1..9i64)
            .prop_map(|(node, register, by)| Action::Edit { node, register, intent: Intent::Increase(by) }),
        4 => (any_client(), prop_oneof![Just(0), 0..99_000_000u64])
            .prop_map(|(node, over)| Action::Connect { node, over }),
        2 => any_client().prop_map(Action::Disconnect),
        2 => (0..4u32, 1..9u32, fates, any::<bool>()).prop_map(|(client, number, fate, up)| {
            let (client, hub) = (format!("client {client}"), "hub".to_owned());
            let (from, to) = if up { (client, hub) } else { (hub, client) };
            Action::Message { from, to, number, fate }
        }),
        1 => (0..4u32, 0..99_000_000u64)
            .prop_map(|(client, lasts)| Action::Cut { node: "hub".to_owned(), with: format!("client {client}"), lasts }),
        2 => (proptest::sample::select(FaultKind::ALL), 0..3u32, 0..99u64)
            .prop_map(|(kind, client, for_s)| Action::Fault(legal_fault(kind, &format!("client {client}"), for_s))),
        1 => (any_node(), 1..9u32).prop_map(|(node, effects)| Action::CrashDuring { node, effects }),
        1 => any_node().prop_map(Action::BackUp),
        1 => (any_client(), -99_000_000..99_000_000i64, -500..500i32)
            .prop_map(|(node, by, drift_ppm)| Action::Clock { node, by, drift_ppm }),
        1 => (any_node(), link).prop_map(|(node, link)| Action::Link { node, link }),
        1 => (any_client(), 0..99_000_000u64, 0..9u32).prop_map(|(node, lasts, ticks)| {
            let workload = Workload { ticks, changed: 2, most: 3, decrements: true, zipf_hundredths: None };
            Action::Work { node, lasts, workload }
        }),
        1 => (conditions, 0..99_000_000u64).prop_map(|(condition, within)| Action::Until { condition, within }),
    ]
}

/// A fault of a client with the keys that its kind needs.
fn legal_fault(kind: FaultKind, node: &str, for_s: u64) -> NodeFault {
    let plain = NodeFault::plain(kind, node);
    let hub = || Some("hub".to_owned());
    match kind {
        FaultKind::Retire => plain,
        FaultKind::Drop => NodeFault { to: hub(), nth: Some(1 + (for_s % 9) as u32), ..plain },
        FaultKind::Import => NodeFault { from: hub(), for_s, ..plain },
        _ if kind.lasts() => NodeFault { for_s: for_s.max(1), ..plain },
        _ => NodeFault { for_s, ..plain },
    }
}

fn any_script() -> impl Strategy<Value = Vec<Step>> {
    let step =
        (prop_oneof![Just(0), 0..99_000_000u64], any_action()).prop_map(|(after, action)| Step { after, action });
    proptest::collection::vec(step, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_script_comes_to_an_end_the_same_twice_and_the_reference_is_right(script in any_script(), engine in 0..64usize) {
        let mut world = written("after_s:1");
        world.steps = script;
        // A device is set back after a backup of it was taken.
        while let Some(error) = world.impossible_steps() {
            prop_assert!(error.reason.contains("has no backup here"), "{}", error);
            world.steps.remove(error.step);
            prop_assume!(!world.steps.is_empty());
        }
        let engine = engine::REGISTRY[engine % engine::REGISTRY.len()].name;
        let come_to = |name: &str| -> (History, u64) {
            let outcome = outcome(&world, name);
            (outcome.history, outcome.measures.deliveries)
        };
        let once = come_to(engine);
        prop_assert_eq!(&once, &come_to(engine));
        let (history, _) = if engine == engine::reference().name { once } else { come_to(engine::reference().name) };
        let truth = crate::oracle::offline::truth::judge(&history);
        prop_assert!(truth.verdict != crate::domain::verdict::Verdict::Falsified, "{}", truth.sentence);
    }
}

/// A drawn world in which everything goes wrong that can.
fn drawn(seed: u64) -> OfflineTrial {
    let fault = |kind, node: &str, at_s, age_s| NodeFault {
        kind,
        node: node.to_owned(),
        at_s,
        for_s: 40,
        age_s,
        ..NodeFault::default()
    };
    let mut drawn = OfflineTrial { seed: crate::domain::seed::Seed::new(seed), crashes: 6, ..trial(1) };
    drawn.workload = Workload { ticks: 12, changed: 2, most: 9, decrements: true, zipf_hundredths: None };
    drawn.presence = Presence { lasts_s: 20_000, away_s: (100, 900), here_s: (200, 900) };
    drawn.clocks = crate::domain::offline::Clocks { skew_s: 90, drift_ppm: 80, jumps: 2, jump_s: 30 };
    drawn.link.jitter_ms = 90;
    (drawn.link.lost_per_mille, drawn.link.repeated_per_mille, drawn.link.reordered_per_mille) = (60, 60, 60);
    (drawn.link.truncated_per_mille, drawn.link.corrupted_per_mille) = (40, 40);
    (drawn.link.outages, drawn.link.outage_s) = (2, 300);
    drawn.faults = vec![
        fault(FaultKind::Crash, "client 1", 4000, 0),
        fault(FaultKind::Outage, "hub", 7000, 0),
        fault(FaultKind::Wipe, "client 2", 9000, 0),
        fault(FaultKind::Restore, "hub", 15_000, 6000),
        fault(FaultKind::Damage, "client 0", 16_000, 0),
    ];
    drawn
}

/// The same with what else can happen to a node.
fn drawn_with_lasting_faults(seed: u64) -> OfflineTrial {
    let fault =
        |kind, node: &str, at_s| NodeFault { kind, node: node.to_owned(), at_s, for_s: 900, ..NodeFault::default() };
    let drop =
        NodeFault { for_s: 0, to: Some("hub".to_owned()), nth: Some(1), ..fault(FaultKind::Drop, "client 1", 3000) };
    let faults = vec![
        drop,
        fault(FaultKind::Full, "client 2", 5000),
        fault(FaultKind::Refuse, "hub", 7000),
        fault(FaultKind::SignedOut, "client 2", 8000),
        fault(FaultKind::ReadOnly, "client 1", 9000),
        fault(FaultKind::Freeze, "client 0", 11_000),
        fault(FaultKind::StartOver, "client 1", 13_000),
        NodeFault { from: Some("client 0".to_owned()), ..fault(FaultKind::Import, "client 2", 15_000) },
        NodeFault { for_s: 0, ..fault(FaultKind::Retire, "client 3", 17_000) },
    ];
    OfflineTrial { faults, ..drawn(seed) }
}

#[test]
fn a_drawn_world_that_is_written_down_is_the_same_world_message_by_message() {
    let mut same = 0;
    let worlds = (0..6).map(drawn).chain((0..6).map(drawn_with_lasting_faults));
    for (seed, drawn) in worlds.enumerate() {
        let engine = engine::find("delta-state").expect("an engine");
        let world = World::new(&drawn, engine, &settings(&drawn, None)).expect("a world");
        let recorded = world.recorded().run(&mut Unwatched).expect("it ends");
        let link = crate::domain::offline::Link {
            bits_per_s: drawn.link.bits_per_s,
            latency_ms: drawn.link.latency_ms,
            ..Default::default()
        };
        let written = OfflineTrial {
            workload: Workload::absent(),
            presence: Presence::absent(),
            faults: Vec::new(),
            crashes: 0,
            clocks: Default::default(),
            steps: recorder::steps(&recorded.moments),
            link,
            ..drawn.clone()
        };
        let again = outcome(&written, "delta-state");
        assert_eq!(again.unmet, []);
        let edits = |history: &History| {
            let of = |edits: &Vec<UserEdit>| edits.iter().map(|edit| (edit.register, edit.intent)).collect::<Vec<_>>();
            history.ledger.by_device.iter().map(of).collect::<Vec<_>>()
        };
        assert_eq!(edits(&again.history), edits(&recorded.history), "seed {seed}");
        let is = (again.measures.deliveries, again.measures.damaged, again.history.traffic);
        let was = (recorded.measures.deliveries, recorded.measures.damaged, recorded.history.traffic);
        same += u32::from(is == was && again.history.ends == recorded.history.ends);
    }
    // Where two things happen in the same microsecond, their order may be another.
    assert!(same >= 10, "{same} of 12");
}

#[test]
fn an_edit_that_a_store_kept_though_its_node_crashed_before_it_took_the_message_is_lost_with_that_store() {
    // The author is told by the next handshake that its neighbour has the edit, and retires. Then the neighbour's store is lost.
    let trial: OfflineTrial = toml::from_str(
        "seed = '0xc06f332282979032'\nregisters = 1\nclients = 2\nhub = false\n\
         journal = { retain = 1000000000, compact_after = 2, fragment = 16777216 }\n\
         steps = [{ crash = 'client 0', after_effects = 9, after_s = 60 },\n\
         { edit = 'client 1', register = 0, by = 1, after_s = 28.719489 }, { connect = 'client 1', after_s = 24.562816 },\n\
         { connect = 'client 0', after_s = 2.020514 }, { retire = 'client 1', after_s = 60 },\n\
         { wipe = 'client 0', for_s = 1, after_s = 19 }]",
    )
    .expect("a script");
    let history = outcome(&trial, "delta-state").history;
    assert_eq!(history.ends.len(), 1);
    assert_eq!(history.ends[0].registers, [0], "the edit is gone");
    let fates: Vec<Fate> = history.ledger.edits().map(|edit| edit.fate).collect();
    assert_eq!(fates, [Fate::Undeclared { shown_by: 2 }]);
}

#[test]
fn devices_come_within_the_time_that_a_step_names_and_not_once_they_were_disconnected() {
    let trial: OfflineTrial = toml::from_str(
        "seed = '5'\nregisters = 1\nclients = 3\nsteps = [{ edit = 'client 0', register = 0, by = 4 },\n\
         { edit = 'client 1', register = 0, by = 2 }, { connect = 'clients', over_s = 600 },\n\
         { disconnect = 'client 0' }, { until = 'quiescent', within_s = 700 },\n\
         { edit = 'client 0', register = 0, by = 1 }, { until = 'in sync', node = 'client 1', with = 'client 2', within_s = 60 },\n\
         { after_s = 600 }, { until = 'in sync', node = 'client 0', with = 'hub', within_s = 1 }]",
    )
    .expect("a script");
    let outcome = outcome(&trial, "delta-state");
    let unmet: Vec<usize> = outcome.unmet.iter().map(|unmet| unmet.step).collect();
    // The last step waits in vain: the device stays away until faults are over.
    assert_eq!(unmet, [8]);
    assert!(outcome.history.ends.iter().all(|end| end.registers == [7]));
}

#[test]
fn who_takes_no_changes_takes_none_that_are_sent_again_either() {
    for name in ["delta-state", "delta-summary", "operation-log"] {
        let trial: OfflineTrial = toml::from_str(
            "seed = '6'\nregisters = 1\nclients = 1\nsteps = [{ edit = 'client 0', register = 0, by = 4 },\n\
             { read_only = 'hub', for_s = 3600 }, { connect = 'client 0' },\n\
             { until = 'in sync', node = 'client 0', with = 'hub', within_s = 3500 },\n\
             { until = 'in sync', node = 'client 0', with = 'hub', within_s = 1000 }]",
        )
        .expect("a script");
        let unmet: Vec<usize> = outcome(&trial, name).unmet.iter().map(|unmet| unmet.step).collect();
        assert_eq!(unmet, [3], "{name}: the first wait is in vain, and the second is not");
    }
}

#[test]
fn no_store_is_put_on_a_device_that_left_for_good() {
    let trial: OfflineTrial = toml::from_str(
        "seed = '7'\nhub = false\nregisters = 1\nclients = 3\nsteps = [{ retire = 'client 2' },\n\
         { edit = 'client 1', register = 0, by = 4 }, { clone = 'client 1', for_s = 1 }, { clone = 'client 0', for_s = 1 }]",
    )
    .expect("a script");
    let outcome = outcome(&trial, "delta-state");
    let fates: Vec<Fate> = outcome.history.ledger.edits().map(|edit| edit.fate).collect();
    assert_eq!(fates, [Fate::Unshared], "the retired device holds nothing");
    let idle = outcome.history.faults.values().filter_map(|fault| fault.idle.values().next());
    assert_eq!(idle.collect::<Vec<_>>(), ["client 2 had left for good"]);
}

#[test]
fn two_copies_of_one_store_are_two_stores_to_who_meets_them() {
    let trial: OfflineTrial = toml::from_str(
        "seed = '8'\nregisters = 1\nclients = 3\nsteps = [{ edit = 'client 0', register = 0, by = 4 },\n\
         { clone = 'client 1', for_s = 1, after_s = 60 }, { connect = 'client 1', after_s = 60 },\n\
         { edit = 'client 2', register = 0, by = 2, after_s = 60 }, { connect = 'client 0', after_s = 60 },\n\
         { edit = 'client 1', register = 0, by = 1, after_s = 60 }, { disconnect = 'client 1', after_s = 60 },\n\
         { connect = 'client 2', after_s = 60 }, { clone = 'client 1', for_s = 1, after_s = 60 }]",
    )
    .expect("a script");
    assert!(outcome(&trial, "delta-state").history.ends.iter().all(|end| end.registers == [7]));
}

#[test]
fn a_read_only_hub_takes_no_edit_of_any_engine_and_is_asked_ever_more_rarely() {
    let script = "connect:clients+until:quiescent:within_s:600+read_only:hub:for_s:3600\
                  +edit:client_0:register:3:by:7:after_s:60+edit:client_0:register:4:by:7:after_s:60\
                  +edit:client_0:register:5:by:9:after_s:60+until:in_sync:node:client_0:with:hub:within_s:1200\
                  +until:in_sync:node:client_0:with:hub:within_s:3600";
    let link = Link { jitter_ms: 0, repeated_per_mille: 0, reordered_per_mille: 0, ..trial(1).link };
    let trial = OfflineTrial { link, ..written(script) };
    for engine in engine::REGISTRY {
        // Where frames do not say whether they carry edits, all of them are refused.
        for tells_edits in [true, false] {
            let engine = engine::Registration { tells_edits, ..*engine };
            let world = World::new(&trial, &engine, &settings(&trial, None)).expect("a world");
            let outcome = world.run(&mut Unwatched).expect("it ends");
            let told = outcome.unmet.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            assert_eq!(told, "steps[6].until: it did not come true within 1200 s", "{}, {tells_edits}", engine.name);
            let load = outcome.history.over_time.load.expect("there is a hub");
            assert!(load.gaps >= 2 && load.hasty == 0, "{}, {tells_edits}: {load:?}", engine.name);
        }
    }
}

#[test]
fn elements_that_were_removed_take_no_room_in_the_reference() {
    let stored = |name: &str, rounds: usize| {
        let round = "edit:client_0:register:32:insert:3:after_s:60+edit:client_1:register:32:remove:3:after_s:60";
        let steps = ["connect:clients"].into_iter().chain(std::iter::repeat_n(round, rounds)).collect::<Vec<_>>();
        let tags = Tags { registers: 1, elements: 8, ..Tags::default() };
        let trial = OfflineTrial { tags, ..written(&steps.join("+")) };
        let outcome = outcome(&trial, name);
        assert!(outcome.history.ends.iter().all(|end| end.registers[32].tags().is_some_and(BTreeSet::is_empty)));
        outcome.measures.stored
    };
    assert!(stored(engine::reference().name, 400) < 2 * stored(engine::reference().name, 40));
    assert!(stored("operation-log", 400) > 5 * stored("operation-log", 40), "which keeps all that ever was");
}
