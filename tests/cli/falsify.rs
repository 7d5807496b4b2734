//! Published claims on trial, through the binary.

use std::fs;

use abench::report::document::Detail;
use abench::report::format::text::{self, Table};
use abench::report::ledger::{ClaimVerdict, Ledger};
use serde_json::Value;

use crate::common::{UnderWay, short_answer, unwrapped};

/// Claims that rest on scenarios which take no time.
const QUICK: [&str; 3] = ["160-bytes", "banks-identical", "order-proven"];

fn ledger(args: &[&str]) -> (i32, Ledger) {
    let answer = short_answer(&[&["falsify", "--record", "-"], args].concat());
    (answer.exit, serde_json::from_str(&answer.output).expect("a ledger"))
}

fn verdict(ledger: &Ledger, id: &str) -> ClaimVerdict {
    ledger.claims.iter().find(|claim| claim.id == id).expect("a claim").trial.verdict
}

/// A file of one claim, with these rules and this expected verdict.
fn own(rules: &str, expected: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("own.toml");
    let text = format!(
        "version = 1\n[[claims]]\nid = 'mine'\nsays = 'it is so'\nsource = 'a leaflet'\ntried_by = ['tick']\n\
         refuted_if = 'it is not'\nexpected = '{expected}'\nrules = [\n  {rules},\n]\n"
    );
    fs::write(&path, text).expect("it can be written");
    let path = path.to_str().expect("a path of text").to_owned();
    (folder, path)
}

#[test]
fn claims_by_name_end_with_the_ledger_and_exit_0_where_all_are_as_expected() {
    let answer = short_answer(&[&["falsify"][..], &QUICK].concat());
    assert_eq!((answer.exit, answer.talk.as_str()), (0, ""));
    let lines: Vec<&str> = answer.output.lines().collect();
    assert_eq!(lines.last(), Some(&"verdict falsified, as expected of 3 claims (exit 0)"));
    let has = |id: &str, words: &[&str]| {
        let line = lines.iter().find(|line| line.trim_start().starts_with(id)).expect("a line of its own");
        words.iter().for_each(|word| assert!(line.contains(word), "{line}"));
    };
    has("160-bytes", &["falsified", "holds", "201 B, not at most 160 B"]);
    has("banks-identical", &["holds"]);
    has("order-proven", &["inconclusive", "holds"]);
    assert!(answer.output.contains("abench run tick\n"), "{}", answer.output);
}

#[test]
fn more_detail_gives_sources_bounds_warrants_and_weaker_claims() {
    let all = unwrapped(&short_answer(&[&["falsify", "-vv"][..], &QUICK].concat()).output);
    for words in [
        "160 B moved vs 2,048 B of full state source: Local-First / Mobile: Offline-first client sync",
        "refuted if: a receiver needs more than 160 B to decode the published tick",
        "found: bytes of the message: 201 B, not at most 160 B evidence: software",
        "found: information bound of the message: 172.2 B (allowed: at least 160.1 B) evidence: software",
        "proved: all 479001600 schedules",
        "falsified every-order",
    ] {
        assert!(all.contains(words), "{words}\n{all}");
    }
    let lines = |detail: &str| short_answer(&["falsify", "160-bytes", detail]).output.lines().count();
    let counts = [lines("-q"), lines("--progress=never"), lines("-v"), lines("-vv")];
    assert!(counts[0] == 1 && counts.is_sorted() && counts[1] < counts[2] && counts[2] < counts[3], "{counts:?}");
}

#[test]
fn a_planted_dead_bank_falsifies_that_banks_are_identical_and_the_ledger_names_it() {
    let (exit, sound) = ledger(&["banks-identical"]);
    assert_eq!((exit, verdict(&sound, "banks-identical")), (0, ClaimVerdict::Holds));
    let (exit, broken) = ledger(&["banks-identical", "--plant", "dead-bank:3"]);
    assert_eq!((exit, verdict(&broken, "banks-identical")), (1, ClaimVerdict::Falsified));
    assert_eq!(broken.planted, ["dead-bank:3"]);
    let found = broken.claims[0].trial.counterexample().expect("a counterexample");
    let case = found.command.strip_prefix("abench replay ").expect("a case");
    assert_eq!(short_answer(&["replay", case]).exit, 1, "{case}");
    let screen = short_answer(&["falsify", "banks-identical", "--plant", "dead-bank:3"]);
    let last = screen.output.lines().last();
    assert_eq!(last, Some("verdict falsified, and not as expected: banks-identical (exit 1)"), "{}", screen.output);
}

#[test]
fn a_lost_high_word_falsifies_that_round_trips_are_exact() {
    let (exit, broken) = ledger(&["exact-64-bit", "160-bytes", "--plant", "lost-high-word"]);
    assert_eq!((exit, verdict(&broken, "exact-64-bit")), (1, ClaimVerdict::Falsified));
    assert_eq!(verdict(&broken, "160-bytes"), ClaimVerdict::Falsified, "which is expected of it");
}

#[test]
fn the_same_claims_give_the_same_ledger_apart_from_timing_and_host() {
    let [one, other] = ["1", "2"].map(|threads| ledger(&["order-independent", "--threads", threads]).1);
    assert_eq!(one.without_timing_and_host(), other.without_timing_and_host());
    assert_eq!(
        one.runs.iter().map(|run| run.name.as_str()).collect::<Vec<_>>(),
        ["recorded-65537", "every-order", "laws"]
    );
}

#[test]
fn a_ledger_says_what_it_is_and_is_not_replayed() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("ledger.json");
    let path = path.to_str().expect("a path of text");
    let answer = short_answer(&["falsify", "160-bytes", "--record", path]);
    assert_eq!(answer.exit, 0, "{}", answer.talk);
    let json: Value = serde_json::from_str(&fs::read_to_string(path).expect("it is there")).expect("JSON");
    assert_eq!((&json["format"], &json["version"]), (&"abench-ledger".into(), &1.into()));
    let replayed = short_answer(&["replay", path]);
    assert_eq!(replayed.exit, 2);
    assert!(replayed.talk.contains("run abench falsify again"), "{}", replayed.talk);
}

#[test]
fn a_scenario_is_run_once_however_many_claims_rest_on_it() {
    let (_, ledger) = ledger(&["160-bytes", "92-percent-less"]);
    assert_eq!(ledger.runs.len(), 1);
    assert_eq!(ledger.claims.len(), 2);
}

#[test]
fn what_only_a_board_or_an_instrument_tells_is_no_hardware_here() {
    let (exit, ledger) = ledger(&["banks-on-silicon", "clock-100-mhz"]);
    assert_eq!(exit, 0);
    for id in ["banks-on-silicon", "clock-100-mhz"] {
        assert_eq!(verdict(&ledger, id), ClaimVerdict::NoHardware);
    }
}

#[test]
fn a_claim_of_ones_own_is_tried_by_the_same_rules() {
    let (_folder, path) = own("{ by = 'number', number = 'tick-message-bytes', at_most = 201 }", "holds");
    assert_eq!(short_answer(&["falsify", "--claims", &path]).exit, 0);
    let (_folder, path) = own("{ by = 'number', number = 'tick-message-bytes', at_most = 200 }", "holds");
    let answer = short_answer(&["falsify", "--claims", &path]);
    assert_eq!(answer.exit, 1);
    assert!(answer.output.contains("unexpected: 201 B, not at most 200 B"), "{}", answer.output);
}

#[test]
fn the_shipped_claims_are_printed_to_copy_and_the_copy_can_be_put_on_trial() {
    let shown = short_answer(&["show", "claims"]);
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("copy.toml");
    fs::write(&path, &shown.output).expect("it can be written");
    let answer = short_answer(&["falsify", "160-bytes", "--claims", path.to_str().expect("a path of text")]);
    assert_eq!(answer.exit, 0, "{}", answer.talk);
}

#[test]
fn bad_input_is_refused_before_anything_runs() {
    let refused = |args: &[&str]| {
        let answer = short_answer(&[&["falsify"], args].concat());
        assert_eq!((answer.exit, answer.output.as_str()), (2, ""), "{args:?} {}", answer.talk);
        answer.talk
    };
    let said = refused(&["160-byte"]);
    assert!(
        said.contains("'160-byte' is not a claim (did you mean 160-bytes?); there are banks-identical, "),
        "{said}"
    );
    assert!(refused(&["--claims", "no/such.toml"]).contains("cannot read the claims no/such.toml"));
    let of_rule = |rule: &str| {
        let (_folder, path) = own(rule, "holds");
        let said = refused(&["--claims", &path]);
        assert!(said.contains("own.toml, line 10: "), "{said}");
        said
    };
    assert!(
        of_rule("{ by = 'check', check = 'bank sweep' }")
            .contains("check: tick makes no check 'bank sweep'; it makes ")
    );
    assert!(of_rule("{ by = 'engine', engine = 'gossip' }").contains("engine: tick is no world of clients"));
    assert!(of_rule("{ by = 'luck' }").contains("rules: unknown variant `luck`"));
    let said = refused(&["works-as-crdt", "--plant", "dead-bank:1"]);
    assert!(said.contains("--plant is about devices, and no claim that is on trial rests on one"), "{said}");
    let said = refused(&["160-bytes", "--plant", "dead-bank:1"]);
    assert!(said.contains("a tick does not use the"), "{said}");
    let (_folder, path) = own("{ by = 'number', number = 'tick-message-bytes', at_most = 201 }", "holds");
    assert!(refused(&["--claims", &path, "--record", &path]).contains("would overwrite the claims"));
}

#[test]
fn a_scenario_that_is_not_there_is_named_with_the_line_of_the_claim() {
    let (_folder, path) = own("{ by = 'check', check = 'bank sweep' }", "holds");
    let text = fs::read_to_string(&path).expect("it is there").replace("['tick']", "['tikc']");
    fs::write(&path, text).expect("it can be written");
    let answer = short_answer(&["falsify", "--claims", &path]);
    assert_eq!(answer.exit, 2);
    assert!(
        answer.talk.contains("own.toml, line 10: tried_by: 'tikc' is not a shipped scenario (did you mean tick?)"),
        "{}",
        answer.talk
    );
}

#[cfg(unix)]
#[test]
fn an_interrupted_trial_says_which_claims_were_not_tried() {
    let answer = UnderWay::start(&["falsify", "no-server-merge", "crash-between-steps", "160-bytes"]).interrupted();
    assert_eq!(answer.exit, 130, "{}", answer.output);
    assert!(answer.output.contains("interrupted: stopped by the user; not tried: "), "{}", answer.output);
    let last = answer.output.lines().last().expect("a line");
    assert!(last.starts_with("verdict inconclusive: stopped by the user, "), "{last}");
    assert!(last.ends_with(" of 3 claims not tried (exit 130)"), "{last}");
    assert!(!answer.output.contains("mutation score"), "{}", answer.output);
}

#[test]
fn the_first_screen_of_the_shipped_ledger_fits_24_lines_and_every_width() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("results/claims.json");
    let recorded = fs::read_to_string(path).expect("the recorded ledger");
    let recorded: Ledger = serde_json::from_str(&recorded).expect("a ledger of today");
    for width in [60, 80, 100] {
        let screen = text::render(&recorded, width, Table::Left, Detail::Screen);
        let rows: Vec<String> = anstream::adapter::strip_str(&screen).to_string().lines().map(str::to_owned).collect();
        let taken: usize = rows.iter().map(|row| row.chars().count().div_ceil(width).max(1)).sum();
        assert!(taken <= 23, "{taken} lines at {width}\n{}", rows.join("\n"));
        let wide = rows.iter().filter(|row| row.chars().count() > width && !row.starts_with("  abench replay "));
        assert_eq!(wide.collect::<Vec<_>>(), Vec::<&String>::new(), "{width}");
        assert!(rows.last().is_some_and(|last| last.starts_with("verdict falsified, as expected of ")), "{rows:?}");
        has_row(&rows);
    }
}

/// The counterexample of a screen is that of a claim which has a row above.
fn has_row(rows: &[String]) {
    let place = rows.iter().position(|row| row.starts_with("smallest counterexample, of ")).expect("a counterexample");
    let id = rows[place].split(' ').nth(3).expect("a claim").trim_end_matches(':');
    assert!(rows[..place].iter().any(|row| row.split_whitespace().next() == Some(id)), "{id} has no row: {rows:?}");
}

#[test]
fn a_stopped_trial_is_falsified_only_by_a_claim_that_fell_unexpectedly() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("results/claims.json");
    let recorded = fs::read_to_string(path).expect("the recorded ledger");
    let mut stopped: Ledger = serde_json::from_str(&recorded).expect("a ledger of today");
    stopped.interrupted = true;
    let last = stopped.claims.last_mut().expect("a claim");
    last.trial.verdict = ClaimVerdict::NotTried;
    let shown = |ledger: &Ledger| {
        anstream::adapter::strip_str(&text::render(ledger, 80, Table::Left, Detail::Verdict)).to_string()
    };
    assert_eq!(shown(&stopped), "verdict inconclusive: stopped by the user, 1 of 43 claims not tried (exit 130)\n");
    let holds = stopped.claims.iter_mut().find(|claim| claim.expected == ClaimVerdict::Holds).expect("a claim");
    holds.trial.verdict = ClaimVerdict::Falsified;
    assert!(shown(&stopped).starts_with("verdict falsified: stopped by the user, 1 of 43 "), "{}", shown(&stopped));
}

#[test]
fn what_did_not_come_out_as_expected_is_shown_first_and_its_counterexample_with_it() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("results/claims.json");
    let recorded = fs::read_to_string(path).expect("the recorded ledger");
    let mut recorded: Ledger = serde_json::from_str(&recorded).expect("a ledger of today");
    let last = recorded.claims.last_mut().expect("a claim");
    last.trial.verdict = ClaimVerdict::Falsified;
    let id = last.id.clone();
    let screen = text::render(&recorded, 80, Table::Left, Detail::Screen);
    let rows: Vec<String> = anstream::adapter::strip_str(&screen).to_string().lines().map(str::to_owned).collect();
    let head = rows.iter().position(|row| row.trim_start().starts_with("claim ")).expect("a table");
    assert!(rows[head + 1].contains(&id) && rows[head + 1].contains("unexpected:"), "{rows:?}");
    has_row(&rows);
    assert_eq!(rows.last(), Some(&format!("verdict falsified, and not as expected: {id} (exit 1)")));
}
