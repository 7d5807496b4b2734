//! Steps and their texts.

use super::text;
use super::*;
use crate::domain::letter::Letter;
use crate::domain::offline::{FaultKind, OfflineTrial};
use proptest::prelude::*;

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("hub".to_owned()),
        Just("clients".to_owned()),
        (0..9u32).prop_map(|n| format!("client {n}")),
        ".{1,6}"
    ]
}

/// Microseconds up to a year.
fn any_time() -> impl Strategy<Value = u64> {
    prop_oneof![(0..9u64).prop_map(|seconds| seconds * 1_000_000), 0..31_622_400_000_000u64]
}

fn any_intent() -> impl Strategy<Value = Intent> {
    prop_oneof![
        any::<i64>().prop_map(Intent::Increase),
        any::<u32>().prop_map(Intent::Insert),
        any::<u32>().prop_map(Intent::Remove),
        (any::<Option<char>>(), any::<char>())
            .prop_map(|(after, letter)| Intent::Type { after: after.map(Letter::from), letter: letter.into() }),
        any::<char>().prop_map(|letter| Intent::Erase(letter.into())),
    ]
}

/// What is no single keystroke at a known place.
fn any_words() -> impl Strategy<Value = Words> {
    prop_oneof![
        (".{0,5}", Just(None)).prop_map(|(text, after)| Words::Type { text, after }),
        ("[a-z]{2,5}", proptest::option::of(".{0,3}")).prop_map(|(text, after)| Words::Type { text, after }),
        ("[a-z]{2,5}|").prop_map(Words::Erase),
    ]
}

fn any_fate() -> impl Strategy<Value = MessageFate> {
    prop_oneof![
        Just(MessageFate::Lose),
        any_time().prop_map(MessageFate::Repeat),
        any_time().prop_map(MessageFate::Delay),
        (0..9999u64).prop_map(MessageFate::Truncate),
        (0..9999u64).prop_map(MessageFate::Corrupt),
    ]
}

fn any_condition() -> impl Strategy<Value = Condition> {
    let how = prop_oneof![Just(Progress::Sent), Just(Progress::Received), Just(Progress::Taken)];
    prop_oneof![
        Just(Condition::Quiescent),
        (any_name(), any_name()).prop_map(|(node, with)| Condition::InSync { node, with }),
        (any_name(), any_name(), any::<u32>(), how).prop_map(|(from, to, number, how)| Condition::Messages {
            from,
            to,
            number,
            how
        }),
    ]
}

fn any_action() -> impl Strategy<Value = Action> {
    let kind = proptest::sample::select(FaultKind::ALL);
    let link = (1..1_000_000u64, 0..9000u64, 0..999u32).prop_map(|(bits_per_s, latency_ms, lost_per_mille)| Link {
        bits_per_s,
        latency_ms,
        lost_per_mille,
        ..Link::default()
    });
    let workload = (any::<u32>(), 1..9u32, 1..9u32, any::<bool>(), proptest::option::of(1..1000u32)).prop_map(
        |(ticks, changed, most, decrements, zipf_hundredths)| Workload {
            ticks,
            changed,
            most,
            decrements,
            zipf_hundredths,
        },
    );
    prop_oneof![
        Just(Action::Pass),
        (any_name(), any::<u32>(), any_intent()).prop_map(|(node, register, intent)| Action::Edit {
            node,
            register,
            intent
        }),
        (any_name(), any::<u32>(), any_words()).prop_map(|(node, register, words)| Action::Words {
            node,
            register,
            words
        }),
        (any_name(), prop_oneof![Just(0), any_time()]).prop_map(|(node, over)| Action::Connect { node, over }),
        any_name().prop_map(Action::Disconnect),
        (any_name(), any_name(), any::<u32>(), any_fate()).prop_map(|(from, to, number, fate)| Action::Message {
            from,
            to,
            number,
            fate
        }),
        (any_name(), any_name(), any_time()).prop_map(|(node, with, lasts)| Action::Cut { node, with, lasts }),
        (kind, any_name(), 0..9999u64)
            .prop_map(|(kind, node, for_s)| Action::Fault(NodeFault { for_s, ..NodeFault::plain(kind, &node) })),
        (any_name(), any::<u32>()).prop_map(|(node, effects)| Action::CrashDuring { node, effects }),
        any_name().prop_map(Action::BackUp),
        (any_name(), -9_999_999_999i64..9_999_999_999, any::<i32>()).prop_map(|(node, by, drift_ppm)| Action::Clock {
            node,
            by,
            drift_ppm
        }),
        (any_name(), link).prop_map(|(node, link)| Action::Link { node, link }),
        (any_name(), any_time(), workload).prop_map(|(node, lasts, workload)| Action::Work { node, lasts, workload }),
        (any_condition(), any_time()).prop_map(|(condition, within)| Action::Until { condition, within }),
    ]
}

pub(crate) fn any_step() -> impl Strategy<Value = Step> {
    (prop_oneof![Just(0), any_time()], any_action()).prop_map(|(after, action)| Step { after, action })
}

proptest! {
    #[test]
    fn steps_are_the_same_in_a_scenario_a_record_and_a_case(steps in proptest::collection::vec(any_step(), 0..6)) {
        let json = serde_json::to_string(&steps).expect("steps are plain");
        prop_assert_eq!(&serde_json::from_str::<Vec<Step>>(&json).expect("they were written so"), &steps);
        let short = text::of_steps(&steps);
        prop_assert!(!short.contains(|c: char| !c.is_ascii_alphanumeric() && !"_:+-.%".contains(c)), "{short}");
        prop_assert_eq!(&text::steps(&short).expect("they were written so"), &steps);
    }

    #[test]
    fn a_text_in_a_step_is_the_same_in_a_scenario_and_a_terminal_shows_it_as_it_is(written in any::<String>()) {
        let line = text::toml(&written.clone().into());
        let is_shown = |c: char| c == '\'' || c == '"' || c == '\\' || c.escape_debug().len() == 1;
        prop_assert!(line.chars().all(is_shown), "{line}");
        let read: toml::Table = toml::from_str(&format!("type = {line}")).expect("it is written as TOML has it");
        prop_assert_eq!(read["type"].as_str(), Some(&*written));
    }

    #[test]
    fn any_text_is_steps_or_refused(short in "(edit|until|lose|connect)?[a-z0-9:+_%.-]{0,40}") {
        let _ = text::steps(&short);
    }
}

#[test]
fn every_fault_of_a_device_has_a_verb() {
    let listed = serde_json::from_str::<FaultKind>("\"?\"").expect_err("no fault").to_string();
    let known: Vec<&str> = listed.split('`').skip(3).step_by(2).collect();
    let verbs: Vec<String> = FaultKind::ALL.iter().map(|&kind| keys::verb_of(kind)).collect();
    assert_eq!(verbs.len(), known.len(), "{listed}");
    assert!(known.iter().all(|kind| *kind == "restore" || verbs.contains(&kind.replace('-', "_"))), "{listed}");
}

#[test]
fn what_is_wrong_with_a_step_names_its_key() {
    let refused = |json: &str| serde_json::from_str::<Step>(json).expect_err(json).to_string();
    insta::assert_snapshot!(
        [
            r#"{"jump": "client 0"}"#,
            r#"{"edit": "client 0", "connect": "client 0"}"#,
            r#"{"edit": "client 0", "register": 1}"#,
            r#"{"edit": "client 0", "register": -1, "by": 1}"#,
            r#"{"edit": 5, "register": 1, "by": 1}"#,
            r#"{"edit": "client 0", "register": 1, "by": 1, "times": 2}"#,
            r#"{"edit": "client 0", "register": 1, "type": 5}"#,
            r#"{"edit": "client 0", "register": 1, "type": "a", "after": 5}"#,
            r#"{"edit": "client 0", "register": 1, "erase": "a", "after": "b"}"#,
            r#"{"edit": "client 0", "register": 1, "type": "\ud800"}"#,
            r#"{"after_s": -1}"#,
            r#"{"after_s": 1e30}"#,
            r#"{"until": "done"}"#,
            r#"{"until": "sent", "from": "hub"}"#,
            r#"{"link": "hub", "latency": 5}"#,
            r#"{"work": "hub", "for_s": 5, "ticks": 5}"#,
            r#"{"crash": "hub", "for": 5}"#,
        ]
        .map(refused)
        .join("\n")
    );
}

#[test]
fn what_steps_begin_goes_on_beside_the_steps_after_them_and_a_wait_comes_before_them() {
    let lasts = |script: &str| {
        let steps = text::steps(script).expect("steps");
        OfflineTrial { steps, ..OfflineTrial::of(crate::domain::seed::Seed::new(1), 2) }.lasts() / 1_000_000
    };
    assert_eq!(lasts("work:client_0:for_s:900:ticks:1:changed:1+after_s:600"), 900);
    assert_eq!(
        lasts("work:client_0:for_s:900:ticks:1:changed:1+after_s:600+crash:client_1:for_s:400:after_s:10"),
        1010
    );
    assert_eq!(lasts("until:quiescent:within_s:600+work:client_0:for_s:900:ticks:1:changed:1:after_s:5"), 1505);
    assert_eq!(lasts("connect:clients:over_s:70"), 70);
    assert_eq!(lasts("connect:clients"), 1, "at least a second");
}
