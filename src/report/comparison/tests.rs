use super::folders::{Gate, Named};
use super::*;
use crate::report::any::from_text as any_from_text;
use crate::report::bandwidth_record::BandwidthRow;
use crate::report::comparison::view;
use crate::report::document::Detail;
use crate::report::ledger::{ClaimVerdict, Ledger};
use crate::report::samples::{Sample, Yardstick};

const LIMITS: Limits = Limits { slower_than: SLOWER_THAN };

fn record(text: &str) -> Record {
    match any_from_text(text, "results").expect("a record").record {
        Any::Run(record) => *record,
        _ => panic!("it is a run"),
    }
}

fn tick() -> Record {
    record(include_str!("../../../results/tick.json"))
}

fn tally() -> Record {
    record(include_str!("../../../results/field-tally.json"))
}

fn walk() -> Record {
    record(include_str!("../../../results/crash-everywhere.json"))
}

fn of(base: &Record, new: &Record) -> Comparison {
    compare(&Any::Run(Box::new(base.clone())), &Any::Run(Box::new(new.clone())), LIMITS).expect("the same trial")
}

/// What moved when this is changed in NEW.
fn after(record: fn() -> Record, change: impl Fn(&mut Record)) -> Comparison {
    let (base, mut new) = (record(), record());
    change(&mut new);
    of(&base, &new)
}

fn worse(comparison: &Comparison) -> Vec<&str> {
    comparison.regressions().map(|moved| moved.what.as_str()).collect()
}

#[test]
fn a_record_against_itself_moves_nowhere() {
    for record in [tick, tally, walk] {
        let comparison = after(record, |_| {});
        assert!(comparison.moves.is_empty() && comparison.unmoved > 20, "{comparison:?}");
        assert_eq!(comparison.exit_code(), exit::HOLDS);
    }
}

#[test]
fn one_byte_more_in_a_message_is_a_regression_and_one_less_is_none() {
    let more = after(tick, |record| record.ticks[0].message_bytes += 1);
    assert_eq!((more.exit_code(), more.moves[0].change.as_str()), (exit::REGRESSION, "+1 B"));
    assert!(worse(&more)[0].ends_with("message"), "{more:?}");
    let less = after(tick, |record| record.ticks[0].message_bytes -= 1);
    assert_eq!((less.exit_code(), less.moves[0].direction), (exit::HOLDS, Direction::Better));
}

#[test]
fn every_number_of_bytes_of_an_engine_is_compared_both_ways_and_by_kind() {
    let up = after(tally, |record| record.offline.as_mut().expect("a world").engines[0].up.ids += 1);
    assert_eq!(worse(&up), ["delta-state: up", "delta-state: up, ids"]);
    let down = after(tally, |record| record.offline.as_mut().expect("a world").engines[1].down.retransmission += 1);
    assert_eq!(worse(&down), ["delta-summary: down", "delta-summary: down, sent again"]);
    let stored = after(tally, |record| record.offline.as_mut().expect("a world").engines[0].stored += 1);
    assert_eq!(worse(&stored), ["delta-state: stored"]);
}

#[test]
fn a_mutant_that_survives_is_a_regression_and_named() {
    let survived = after(walk, |record| record.everywhere.as_mut().expect("a walk").mutants[0].caught_by.clear());
    let mutant = &walk().everywhere.expect("a walk").mutants[0];
    assert_eq!(worse(&survived), [format!("{} of {}", mutant.mutant, mutant.engine)]);
    assert_eq!(survived.exit_code(), exit::REGRESSION);
}

#[test]
fn verdicts_come_before_warrants_and_these_before_bytes() {
    use crate::domain::verdict::{Verdict, Warrant};
    let all = after(tally, |record| {
        record.offline.as_mut().expect("a world").engines[0].up.payload += 1;
        record.checks[1].warrant = Some(Warrant::Worlds { drawn: 2 });
        record.checks[0].verdict = Verdict::Falsified;
    });
    let kinds: Vec<Kind> = all.regressions().map(|moved| moved.kind).collect();
    // A check that fails has no warrant any more, which is not reported twice.
    assert_eq!(kinds, [Kind::Verdict, Kind::Warrant, Kind::Bytes, Kind::Bytes]);
}

#[test]
fn what_is_gone_is_worse_and_what_is_new_is_not() {
    let gone = after(tally, |record| drop(record.checks.remove(0)));
    assert_eq!((gone.exit_code(), worse(&gone)), (exit::REGRESSION, vec!["delta-state"]));
    assert_eq!((gone.moves[0].new.as_deref(), gone.moves[0].change.as_str()), (None, "not in NEW"));
    let mut base = tally();
    base.checks.remove(0);
    let come = of(&base, &tally());
    assert!(!come.moves.is_empty() && come.exit_code() == exit::HOLDS, "{come:?}");
}

#[test]
fn records_of_other_trials_are_refused_with_what_differs() {
    let mut other = tally();
    if let crate::domain::trial::Trial::Offline(trial) = &mut other.asked.trial {
        trial.seed = crate::domain::seed::Seed::new(9);
    }
    let refused = |base: &Record, new: &Record| {
        let [base, new] = [base, new].map(|record| Any::Run(Box::new(record.clone())));
        compare(&base, &new, LIMITS).expect_err("they differ").to_string()
    };
    let said = refused(&tally(), &other);
    assert!(said.contains("asked.trial.offline.seed is") && said.contains("0x0000000000000009"), "{said}");
    assert!(refused(&tick(), &tally()).contains("asked."));
    let mut other = tick();
    other.asked.backends.push("model:4".to_owned());
    assert!(refused(&tick(), &other).contains("asked.backends"));
}

#[test]
fn a_name_and_an_expectation_are_not_part_of_the_question() {
    let renamed = after(tally, |record| record.asked.scenario = Some("another".to_owned()));
    assert_eq!(renamed.exit_code(), exit::HOLDS);
}

#[test]
fn of_a_run_that_did_not_end_nothing_is_said() {
    let stopped = after(tally, |record| {
        record.interrupted = true;
        record.checks.clear();
    });
    assert_eq!(stopped.exit_code(), exit::INCONCLUSIVE);
    assert!(stopped.inconclusive.is_some_and(|reason| reason.contains("NEW was stopped")));
}

/// Ten samples on a quiet machine, some of them disturbed; a run takes so many milliseconds.
fn sampled(millis: f64) -> Record {
    let mut record = tally();
    let noise = [1.0, 1.02, 1.3, 1.01, 1.05, 1.0, 1.02, 1.1, 1.01, 1.03];
    record.timing.samples = noise
        .iter()
        .map(|noise| {
            let micros = (noise * millis * 1000.0) as u64;
            let yardstick = Yardstick { wall_ns: 4_000_000, processor_ns: Some(3_990_000) };
            Sample {
                total_us: micros,
                processor_us: Some(micros),
                checks_us: vec![("delta-state".to_owned(), micros / 2)],
                yardstick: [yardstick; 2],
                ..Sample::default()
            }
        })
        .collect();
    record
}

/// What is slower when NEW takes twice as long, after this change to NEW.
fn slower(change: impl Fn(&mut Record)) -> Vec<String> {
    let mut new = sampled(200.0);
    change(&mut new);
    let comparison = of(&sampled(100.0), &new);
    worse(&comparison).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_slow_down_of_2_is_a_regression_by_every_clock() {
    assert_eq!(slower(|_| {}), ["the whole run, processor time", "the whole run", "check delta-state"]);
    assert!(worse(&of(&sampled(100.0), &sampled(100.0))).is_empty());
    assert!(worse(&of(&sampled(100.0), &sampled(115.0))).is_empty());
    let faster = of(&sampled(200.0), &sampled(100.0));
    assert_eq!(faster.exit_code(), exit::HOLDS);
    assert!(faster.moves.iter().all(|moved| moved.direction == Direction::Better) && faster.moves.len() == 3);
}

#[test]
fn one_sample_is_never_compared_with_one() {
    let short = |record: &mut Record| record.timing.samples.truncate(4);
    assert!(slower(short).is_empty());
    let mut new = sampled(200.0);
    short(&mut new);
    let reason = of(&sampled(100.0), &new).times.not_compared.expect("a reason");
    assert_eq!(reason, "BASE has 10 and NEW has 4 samples: run both with --samples 5 or more");
}

#[test]
fn times_of_another_host_are_not_compared() {
    let changes: [fn(&mut Record); 4] = [
        |record| record.host.processor = "another".to_owned(),
        |record| record.host.build = "debug".to_owned(),
        |record| record.host.threads += 1,
        |record| record.host.arch = "another".to_owned(),
    ];
    for change in changes {
        assert!(slower(change).is_empty());
        let mut new = sampled(200.0);
        change(&mut new);
        let reason = of(&sampled(100.0), &new).times.not_compared.expect("a reason");
        assert!(reason.starts_with("they are of other hosts: "), "{reason}");
    }
}

#[test]
fn where_other_programs_had_the_processor_its_time_alone_is_judged() {
    let busy = |record: &mut Record| {
        for yardstick in record.timing.samples.iter_mut().flat_map(|sample| &mut sample.yardstick) {
            yardstick.wall_ns *= 2;
        }
    };
    assert_eq!(slower(busy), ["the whole run, processor time"]);
    let waited = |record: &mut Record| {
        busy(record);
        record.timing.samples.iter_mut().for_each(|sample| sample.processor_us = Some(100_000));
    };
    assert!(slower(waited).is_empty());
}

#[test]
fn a_machine_that_got_slower_is_no_regression() {
    let throttled = |record: &mut Record| {
        for yardstick in record.timing.samples.iter_mut().flat_map(|sample| &mut sample.yardstick) {
            yardstick.wall_ns = yardstick.wall_ns * 18 / 10;
            yardstick.processor_ns = yardstick.processor_ns.map(|ns| ns * 18 / 10);
        }
    };
    assert!(slower(throttled).is_empty());
}

#[test]
fn a_run_whose_fastest_sample_is_as_fast_as_before_is_no_regression() {
    assert!(
        slower(|record| {
            let sample = &mut record.timing.samples[4];
            (sample.total_us, sample.processor_us, sample.checks_us[0].1) = (101_000, Some(101_000), 50_500);
        })
        .is_empty()
    );
}

#[test]
fn a_time_that_is_too_short_for_its_clock_is_named_and_not_judged() {
    let times = of(&sampled(0.2), &sampled(0.4)).times;
    assert!(times.rows.is_empty(), "{:?}", times.rows);
    assert_eq!(times.too_short, ["the whole run, processor time", "the whole run", "check delta-state"]);
    let gate = Gate::of_two(&named(sampled(0.2), "base.json"), &named(sampled(0.4), "new.json"), LIMITS);
    let text = view::render(&gate, ["base.json", "new.json"], 80, Detail::Screen);
    assert!(
        text.contains("\ntimes not compared, too short to judge (less than 1 ms") && text.contains("delta-state\n"),
        "{text}"
    );
    let long = of(&sampled(100.0), &sampled(100.0)).times;
    assert!(long.rows.len() == 3 && long.too_short.is_empty());
}

#[test]
fn a_long_sentence_of_the_first_screen_is_wrapped_and_not_cut() {
    let mut new = sampled(100.0);
    new.host.processor =
        "a processor with a name that is so long that no line of a terminal takes all of it".to_owned();
    let mut gate = Gate::of_two(&named(sampled(100.0), "base.json"), &named(new, "new.json"), LIMITS);
    gate.notes = (0..9)
        .map(|number| format!("{number} is a sentence that says what to do {}", "next, and ".repeat(9)))
        .collect();
    let text = view::render(&gate, ["base.json", "new.json"], 60, Detail::Screen);
    // Where a line ends depends on the name of the processor in the base record.
    let unwrapped = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unwrapped.contains("takes all of it") && unwrapped.contains("and 8 more sentences"), "{text}");
    assert!(!text.contains('…'), "{text}");
}

fn named(record: Record, origin: &str) -> Named {
    Named { origin: origin.to_owned(), record: Any::Run(Box::new(record)) }
}

#[test]
fn records_of_folders_are_matched_by_what_was_asked() {
    let base = [named(tick(), "1"), named(tally(), "2"), named(walk(), "3")];
    let mut renamed = tally();
    renamed.asked.scenario = Some("tally".to_owned());
    let mut changed = tick();
    changed.asked.backends.push("model:4".to_owned());
    let gate = Gate::of_folders(&base, &[named(renamed, "a"), named(changed, "b")], LIMITS);
    assert_eq!((gate.pairs.len(), gate.pairs[0].of.as_str(), gate.pairs[0].moves.len()), (1, "tally", 0));
    assert_eq!(
        (gate.refused[0].of.as_str(), gate.only_base.as_slice()),
        ("tick", &["crash-everywhere".to_owned()][..])
    );
    assert_eq!(gate.exit_code(), exit::REGRESSION);
    let gate = Gate::of_folders(&base[..1], &[named(tick(), "1"), named(walk(), "2")], LIMITS);
    assert_eq!((gate.exit_code(), gate.only_new.as_slice()), (exit::HOLDS, &["crash-everywhere".to_owned()][..]));
    assert_eq!(Gate::of_folders(&[], &base, LIMITS).exit_code(), exit::INCONCLUSIVE);
}

#[test]
fn the_first_screen_fits_at_80_and_at_60_columns_with_the_verdict_last() {
    let mut new = sampled(200.0);
    let world = new.offline.as_mut().expect("a world");
    for engine in &mut world.engines {
        engine.up.payload += 100;
        engine.down.ids = engine.down.ids.saturating_sub(50);
        engine.stored += 1;
    }
    new.checks.remove(0);
    new.abench = "0.2.0".to_owned();
    let gate = Gate::of_two(&named(sampled(100.0), "base.json"), &named(new, "new.json"), LIMITS);
    for width in [80, 60, 40] {
        let text = view::render(&gate, ["base.json", "new.json"], width, Detail::Screen);
        let plain = anstream::adapter::strip_str(&text).to_string();
        assert!(plain.lines().count() <= 23, "{} lines\n{plain}", plain.lines().count());
        let last = plain.lines().last().expect("a line");
        assert!(last.starts_with("verdict regression: ") && last.ends_with("(exit 5)"), "{last}");
        if width >= 60 {
            assert!(plain.lines().all(|line| line.chars().count() <= width), "{width}\n{plain}");
            insta::assert_snapshot!(format!("first_screen_{width}"), plain);
        }
    }
}

#[test]
fn the_metrics_for_bencher_have_bounds_where_there_are_samples() {
    let metrics = bencher::metrics([&Any::Run(Box::new(sampled(100.0)))]);
    let latency = &metrics["field-tally"]["latency"];
    let number = |key: &str| latency[key].as_f64().expect("a number");
    assert!(number("lower_value") <= number("value") && number("value") <= number("upper_value"), "{latency}");
    assert!((number("value") - 102e6).abs() < 2e6, "{latency}");
    assert!(metrics["field-tally/delta-state"]["bytes-up"]["value"].as_u64() > Some(1000));
    let of_one = bencher::metrics([&Any::Run(Box::new(tick()))]);
    assert!(of_one["tick"]["latency"]["value"].is_number() && of_one["tick"]["latency"].get("lower_value").is_none());
}

#[test]
fn a_claim_that_came_out_otherwise_is_a_regression_of_the_ledger() {
    let text = include_str!("../../../results/claims.json");
    let Any::Ledger(base) = any_from_text(text, "claims.json").expect("a ledger").record else { panic!("a ledger") };
    let compared = |new: &Ledger| {
        let [base, new] = [&*base, new].map(|ledger| Any::Ledger(Box::new(ledger.clone())));
        compare(&base, &new, LIMITS).expect("the same claims")
    };
    let same = compared(&base);
    assert_eq!((same.exit_code(), same.moves.len()), (exit::HOLDS, 0));
    assert!(same.unmoved as usize > base.claims.len());
    let mut fallen = (*base).clone();
    let claim = fallen.claims.iter_mut().find(|claim| claim.expected == ClaimVerdict::Holds).expect("one holds");
    claim.trial.verdict = ClaimVerdict::Falsified;
    let id = claim.id.clone();
    let worse = compared(&fallen);
    assert_eq!(worse.exit_code(), exit::REGRESSION);
    assert_eq!(worse.regressions().next().map(|moved| moved.what.as_str()), Some(&*id));
    let stopped = compared(&Ledger { interrupted: true, ..(*base).clone() });
    assert_eq!(stopped.exit_code(), exit::INCONCLUSIVE);
}

#[test]
fn a_byte_more_and_a_wrong_record_in_a_bandwidth_report_are_regressions() {
    let text = include_str!("../../../results/field-bandwidth.json");
    let Any::Run(base) = any_from_text(text, "field-bandwidth.json").expect("a record").record else { panic!("a run") };
    let changed = |change: fn(&mut BandwidthRow)| {
        let mut new = (*base).clone();
        change(&mut new.bandwidth.as_mut().expect("a report").rows[0]);
        let [base, new] = [&*base, &new].map(|record| Any::Run(Box::new(record.clone())));
        let compared = compare(&base, &new, LIMITS).expect("the same trial");
        (compared.exit_code(), compared.regressions().map(|moved| moved.what.clone()).collect::<Vec<_>>())
    };
    let name = base.bandwidth.as_ref().expect("a report").rows[0].name.clone();
    assert_eq!(changed(|_| {}), (exit::HOLDS, Vec::new()));
    assert_eq!(changed(|row| row.up.data += 1), (exit::REGRESSION, vec![format!("{name}: data")]));
    assert_eq!(changed(|row| row.wrong_records += 1), (exit::REGRESSION, vec![format!("{name}: wrong records")]));
}
