//! The main job, through the binary: the published runs, as a newcomer and as a dashboard see them.

use crate::common::{PUBLISHED, Reading, abench, answer, unwrapped, without_rtl};

/// As recorded on the board on 2026-05-30 and 2026-06-21.
const RECORDED_65537: &str = "\
ATOMiK parallel-bench  v2  N_BANKS=8
count=65537  seed=0xdeadbeef0badf00d

banks  hw_cycles   speedup  result              ok
1      65537       1.00     0x17e9fe29b5dc0aad  OK
2      32769       1.99     0x17e9fe29b5dc0aad  OK
4      16385       3.99     0x17e9fe29b5dc0aad  OK
8      8193        7.99     0x17e9fe29b5dc0aad  OK

software reference = 0x17e9fe29b5dc0aad
VERIFY: ALL MATCH
";

#[test]
fn the_published_run_begins_with_the_recorded_table_and_holds() {
    let answer = answer(&PUBLISHED);
    assert_eq!(answer.exit, 0);
    let as_recorded = answer.output.replacen("N_BANKS=8  evidence=model", "N_BANKS=8", 1);
    assert!(as_recorded.starts_with(RECORDED_65537), "{as_recorded}");
    assert!(answer.output.contains("verdict holds"));
    assert_eq!(answer.talk, "");
}

#[test]
fn without_arguments_the_published_run_is_made() {
    assert_eq!(answer(&[]).output, answer(&PUBLISHED).output);
}

#[test]
fn the_second_recorded_run_shows_its_recorded_rows_and_holds() {
    let answer = answer(&["1000003", "0xA70A1CBA12345678"]);
    assert_eq!(answer.exit, 0);
    let result = Some(0x2dd5_70fa_93fb_0cd3);
    let rows = vec![(1, 1_000_003, result), (2, 500_002, result), (4, 250_001, result), (8, 125_001, result)];
    assert_eq!(Reading::of(&answer.output), Reading { banks: vec![8], rows, all_match: true });
}

#[test]
fn a_seed_reads_the_same_with_and_without_its_prefix_and_by_flag() {
    let shown = answer(&["77", "0xBEEF"]).output;
    assert_eq!(answer(&["77", "beef"]).output, shown);
    assert_eq!(answer(&["77", "--seed", "BEEF"]).output, shown);
}

#[test]
fn the_whole_report_of_the_published_run() {
    insta::assert_snapshot!(answer(&PUBLISHED).output);
}

#[test]
fn the_whole_report_of_a_run_small_enough_to_be_proved() {
    let answer = answer(&["4", "0xDEADBEEF0BADF00D"]);
    assert_eq!(answer.exit, 0);
    insta::assert_snapshot!(answer.output);
}

#[test]
fn a_run_whose_right_answer_is_always_zero_has_an_inconclusive_bank_sweep_and_holds_by_the_short_one() {
    let answer = answer(&["65536", "0xDEADBEEF0BADF00D"]);
    assert_eq!(answer.exit, 0);
    assert!(answer.output.contains("inconclusive  bank sweep"), "{}", answer.output);
    assert!(
        unwrapped(&answer.output).contains("the right answer of COUNT 65536 is 0 for every seed"),
        "{}",
        answer.output
    );
    assert!(unwrapped(&answer.output).contains("an engine that does nothing would pass"));
    // The run holds by its other checks, and the table, which is the bank sweep's, is no green light.
    assert!(answer.output.contains("VERIFY: INCONCLUSIVE") && !Reading::of(&answer.output).all_match);
    let shown = unwrapped(&crate::common::answer(&["65536", "0xDEADBEEF0BADF00D", "-v"]).output);
    assert!(shown.contains(" passed, and bank sweep can tell nothing."), "{shown}");
}

#[test]
fn a_device_takes_orders_of_up_to_256_deltas_and_the_report_says_when_it_took_none() {
    let none = "Arrival orders on model: none";
    assert!(!answer(&["256", "1"]).output.contains(none));
    assert!(answer(&["257", "1"]).output.contains(none));
}

#[test]
fn no_complete_order_within_the_budget_is_inconclusive_and_shows_no_green() {
    let answer = answer(&["65537", "--budget", "65536"]);
    assert_eq!(answer.exit, 3);
    assert!(
        unwrapped(&answer.output).contains("no complete order of 65537 deltas fits the budget of 65536 deliveries")
    );
    assert!(answer.output.contains("VERIFY: INCONCLUSIVE"));
    assert!(!Reading::of(&answer.output).all_match);
}

#[test]
fn a_single_order_cannot_disagree_with_another_and_is_inconclusive() {
    let answer = answer(&["1000", "--budget", "1999"]);
    assert_eq!(answer.exit, 3);
    assert!(
        unwrapped(&answer.output)
            .contains("give --budget 4000: one complete order of 1000 deltas fits the budget of 1999 deliveries")
    );
    let three = crate::common::answer(&["1000", "--budget", "3999"]);
    assert_eq!(three.exit, 3);
    assert!(unwrapped(&three.output).contains("3 drawn orders of 1000 deltas say nothing about the others"));
    assert_eq!(crate::common::answer(&["1000", "--budget", "4000"]).exit, 0);
}

#[test]
fn a_budget_takes_as_many_complete_orders_as_fit() {
    let answer = answer(&["1000", "--budget", "12500"]);
    assert_eq!(answer.exit, 0);
    assert!(unwrapped(&answer.output).contains("orders: adversarial (6), seeded (6)"), "{}", answer.output);
}

#[test]
fn software_alone_shows_no_table_and_still_judges() {
    let answer = answer(&["--backend", "software"]);
    assert_eq!(answer.exit, 0);
    assert_eq!(Reading::of(&answer.output), Reading::default());
    assert!(unwrapped(&answer.output).contains("nothing here is about hardware"));
}

#[test]
fn the_sweeps_follow_the_banks_that_the_device_reports() {
    let answer = answer(&["1001", "7", "--backend", "model:6"]);
    assert_eq!(answer.exit, 0);
    assert!(answer.output.contains("N_BANKS=6"));
    assert!(unwrapped(&answer.output).contains("COUNT 1001 at ACTIVE 1, 2, 4, 6"), "{}", answer.output);
    assert!(
        unwrapped(&answer.output).contains("72 runs, COUNT 1 to 12 at every ACTIVE from 1 to 6"),
        "{}",
        answer.output
    );
}

#[test]
fn two_devices_show_one_table() {
    let answer = answer(&["9", "--backend", "model,model:4"]);
    assert_eq!(answer.exit, 0);
    assert_eq!(Reading::of(&answer.output).banks, [8]);
}

#[test]
fn dashboards_read_the_table_and_nothing_else_whatever_the_run() {
    for args in [&PUBLISHED[..], &["8", "1"], &["1", "0"], &["12345", "ffff", "--plant", "dead-bank:2"], &["65536"]] {
        let answer = answer(args);
        let reading = Reading::of(&answer.output);
        let banks: Vec<u32> = reading.rows.iter().map(|row| row.0).collect();
        assert_eq!((reading.banks, banks), (vec![8], vec![1, 2, 4, 8]), "{args:?}");
        // The table shows the bank sweep, which tells nothing where its right answer is 0 for every seed.
        let is_blind = ["8", "65536"].contains(&args[0]);
        assert_eq!(reading.all_match, answer.exit == 0 && !is_blind, "{args:?}");
    }
}

#[test]
fn a_shipped_scenario_runs_by_its_name_and_by_its_file() {
    for name in ["tick", "laws", "recorded-65537", "recorded-1000003"] {
        let by_name = answer(&["run", name]);
        assert_eq!(by_name.exit, 0, "{}", by_name.output);
        assert!(by_name.output.contains("Every expectation of the scenario is met."));
        assert_eq!(answer(&["run", &format!("scenarios/{name}.toml")]).output, by_name.output);
    }
}

#[test]
fn the_report_of_the_tick() {
    insta::assert_snapshot!(answer(&["run", "tick"]).output);
}

#[test]
fn the_report_of_the_laws_is_a_table_of_claims_and_verdicts_with_witnesses() {
    let answer = answer(&["run", "laws"]);
    assert_eq!(answer.exit, 0);
    assert_eq!(Reading::of(&answer.output), Reading::default());
    insta::assert_snapshot!(answer.output);
}

#[test]
fn a_claim_whose_verdict_is_not_the_expected_one_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mistaken.toml");
    let claims = "{ 'f64-sum associative' = 'holds', 'xor grounded' = 'holds', 'xor inverse' = 'holds' }";
    std::fs::write(&path, format!("version = 2\n[laws]\nseed = '7'\ntries = 9\n[expect]\nclaims = {claims}\n"))
        .expect("a file");
    let answer = answer(&["run", path.to_str().expect("a path")]);
    assert_eq!(answer.exit, 1);
    assert!(answer.output.contains("claim f64-sum associative: expected holds, got falsified"), "{}", answer.output);
    assert!(answer.output.contains("claim xor grounded: expected holds, got nothing"), "{}", answer.output);
    assert!(!answer.output.contains("claim xor inverse:"), "{}", answer.output);
}

#[test]
fn laws_under_another_seed_come_to_the_same_verdicts_without_expectations() {
    let answer = answer(&["run", "laws", "--seed", "7"]);
    assert_eq!(answer.exit, 1);
    assert!(!answer.output.contains("xpectation of the scenario"));
}

#[test]
fn several_scenarios_show_no_table() {
    let answer = answer(&["run", "tick", "recorded-65537"]);
    assert_eq!(answer.exit, 0);
    assert_eq!(Reading::of(&answer.output), Reading::default());
    assert!(answer.output.contains("recorded-65537: verdict holds"));
}

#[test]
fn a_planted_fault_under_a_scenario_is_judged_without_its_expectations() {
    let answer = answer(&["run", "recorded-65537", "--plant", "dead-bank:7"]);
    assert_eq!(answer.exit, 1);
    assert!(!answer.output.contains("xpectation of the scenario"), "{}", answer.output);
}

#[test]
fn expectations_that_are_not_met_are_told_one_by_one_and_end_in_exit_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wrong.toml");
    let expect = "verdict = 'falsified'\nresult = '1'\ncycles = { 2 = 3, 16 = 1 }\nbank_sweep_misses = 5\n\
                  checks = { 'short sweep' = 'inconclusive', 'no such' = 'holds' }\nvalue_bytes = 1\nchanged = [1]";
    std::fs::write(&path, format!("version = 2\n[standard]\ncount = 9\nseed = '7'\n[expect]\n{expect}"))
        .expect("a file");
    let answer = answer(&["run", path.to_str().expect("a path of text")]);
    assert_eq!(answer.exit, 1);
    let unmet: Vec<&str> =
        answer.output.lines().filter(|line| line.starts_with("  - ") && line.contains("expected")).collect();
    insta::assert_snapshot!(unmet.join("\n"));
}

#[test]
fn a_run_that_is_not_as_expected_shows_no_green() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wrong.toml");
    let text = "version = 2\n[standard]\ncount = 9\nseed = '7'\n[expect]\nresult = '0x1'";
    std::fs::write(&path, text).expect("a file");
    let answer = answer(&["run", path.to_str().expect("a path of text")]);
    assert_eq!(answer.exit, 1);
    assert!(answer.output.contains("verdict holds") && answer.output.contains("VERIFY: FAILED"), "{}", answer.output);
    assert!(!Reading::of(&answer.output).all_match);
}

#[test]
fn expectations_of_a_sweep_are_not_met_by_a_run_without_one() {
    let answer = answer(&["run", "recorded-65537", "--backend", "software"]);
    assert_eq!(answer.exit, 1);
    assert!(answer.output.contains("bank sweep: expected one on a device, got nothing"), "{}", answer.output);
}

#[test]
fn a_run_in_which_nothing_could_have_been_wrong_is_inconclusive() {
    // The one delta is 0; and no context changes in the tick of that seed, which was found by searching.
    assert_eq!(answer(&["1", "0"]).exit, 3);
    let tick = answer(&["run", "tick", "--seed", "733EB00"]);
    assert_eq!(tick.exit, 3);
    assert!(tick.output.contains("a tick of no bytes"), "{}", tick.output);
}

#[test]
fn a_scenario_under_its_own_seed_keeps_its_expectations() {
    let answer = answer(&["run", "laws", "--seed", "0xDEADBEEF0BADF00D"]);
    assert_eq!(answer.exit, 0, "{}", answer.output);
}

#[test]
fn a_scenario_under_another_seed_is_another_run_without_expectations() {
    let answer = answer(&["run", "tick", "--seed", "7"]);
    assert_eq!(answer.exit, 0);
    assert!(!answer.output.contains("xpectation of the scenario"));
}

#[test]
fn there_is_a_list_of_all_that_can_be_named() {
    let answer = answer(&["list"]);
    assert_eq!(answer.exit, 0);
    insta::assert_snapshot!(without_rtl(&answer.output));
}

#[test]
fn colour_is_used_when_asked_for_and_never_in_a_pipe() {
    assert!(!answer(&["5"]).output.contains('\x1b'));
    let always = answer(&["5", "--color", "always"]).output;
    assert!(always.contains("\x1b["));
    assert!(always.starts_with("ATOMiK parallel-bench  v2  N_BANKS=8  evidence=model\n"));
    let muted = abench().args(["5", "--color", "auto"]).env("NO_COLOR", "1").output().expect("the binary starts");
    assert!(!String::from_utf8_lossy(&muted.stdout).contains('\x1b'));
}
