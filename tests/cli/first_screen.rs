//! The first screen: what people see without asking for more.

use std::path::PathBuf;

use abench::domain::verdict::Verdict;
use abench::experiment::{shown, view};
use abench::report::any::from_text;
use abench::report::document::Detail;
use abench::report::format::text::{self, Table};
use abench::report::record::Record;
use abench::scenario::shipped::SHIPPED;

use crate::common::{answer, short_answer};

/// The first screen of a record, as a terminal of this width shows it: a line that is longer takes several.
fn rows(record: &Record, width: usize) -> Vec<String> {
    let screen = text::render(&shown(record), width, Table::Shown, Detail::Screen);
    let plain = anstream::adapter::strip_str(&screen).to_string();
    plain.lines().map(str::to_owned).collect()
}

fn records() -> impl Iterator<Item = (&'static str, Record)> {
    SHIPPED.iter().map(|(name, _)| {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results").join(format!("{name}.json"));
        let text = std::fs::read_to_string(&path).expect("a record");
        (*name, serde_json::from_str(&text).expect("a record of today"))
    })
}

#[test]
fn the_first_screen_of_every_shipped_scenario_fits_24_lines_of_80_columns_with_the_prompt() {
    for (name, record) in records() {
        let rows = rows(&record, 80);
        let taken: usize = rows.iter().map(|row| row.chars().count().div_ceil(80).max(1)).sum();
        assert!(taken <= 23, "{name}: {taken} lines\n{}", rows.join("\n"));
        assert!(rows.last().is_some_and(|last| last.starts_with(&format!("verdict {}", record.verdict))), "{name}");
    }
}

#[test]
fn nothing_on_the_first_screen_is_wider_than_the_terminal_but_a_command_that_is_pasted() {
    for (name, record) in records() {
        for width in [60, 80, 100] {
            let rows = rows(&record, width);
            let pasted =
                |row: &str| ["  abench replay case1,", "  abench bandwidth "].iter().any(|of| row.starts_with(of));
            let wide = rows.iter().filter(|row| row.chars().count() > width && !pasted(row));
            // The board's table is for programs, and stays as it is.
            assert_eq!(wide.collect::<Vec<_>>(), Vec::<&String>::new(), "{name} at {width}");
        }
    }
}

#[test]
fn no_first_screen_is_without_its_evidence_its_limits_and_what_holds_rests_on() {
    let mut with_warrants = 0;
    for (name, record) in records() {
        let rows = rows(&record, 80);
        let has = |start: &str| rows.iter().any(|row| row.starts_with(start));
        assert!(rows.join(" ").contains("(evidence "), "{name}: {}", rows.join("\n"));
        assert!(record.unseen.by_run.is_empty() || has("cannot see ("), "{name}: {}", rows.join("\n"));
        let is_warranted = record.checks.iter().any(|check| check.verdict == Verdict::Holds && check.warrant.is_some());
        // On a full screen, what failed comes first, and -v tells the warrant.
        let taken: usize = rows.iter().map(|row| row.chars().count().div_ceil(80).max(1)).sum();
        let is_told = has("warrant ") || taken >= 22;
        assert!(!is_warranted || is_told, "{name}: {taken} lines\n{}", rows.join("\n"));
        with_warrants += usize::from(has("warrant "));
    }
    assert!(with_warrants > 40, "{with_warrants}");
}

#[test]
fn the_bytes_of_a_tick_stand_under_their_own_evidence_and_laws_beside_what_they_rest_on() {
    let of = |wanted: &str| records().find(|(name, _)| *name == wanted).map(|(_, record)| rows(&record, 80));
    let tick = of("tick").expect("a record").join("\n");
    assert!(
        tick.contains("tick on model (evidence model)") && tick.contains("One sync tick (evidence software)"),
        "{tick}"
    );
    let laws = of("laws").expect("a record").join("\n");
    assert!(laws.contains("at 8 bits; at 64 bits") && laws.contains("proved; sampled, k = "), "{laws}");
}

#[test]
fn the_screen_of_mutants_of_the_gateware_fits_a_narrow_terminal() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results/rtl-mutation.json");
    let text = std::fs::read_to_string(&path).expect("a record");
    let record = from_text(&text, "rtl-mutation.json").expect("a record of today").record;
    for width in [60, 80] {
        let screen = record.shown(view, |shown| text::render(shown, width, Table::Left, Detail::Screen));
        let plain = anstream::adapter::strip_str(&screen).to_string();
        let wide: Vec<&str> = plain.lines().filter(|row| row.chars().count() > width).collect();
        assert_eq!(wide, Vec::<&str>::new(), "at {width}");
        assert!(plain.contains("survived") && plain.contains("63.33 %"), "{plain}");
    }
}

#[test]
fn nothing_of_a_longer_report_is_wider_than_the_terminal_but_what_is_pasted() {
    let pasted = |row: &str| {
        ["abench replay case1,", "abench bandwidth ", "--orders replay:"].iter().any(|command| row.contains(command))
    };
    let mut too_wide = Vec::new();
    for (name, record) in records() {
        for (width, detail) in
            [60, 80, 100].into_iter().flat_map(|width| [(width, Detail::Checks), (width, Detail::All)])
        {
            let report = text::render(&shown(&record), width, Table::Left, detail);
            let plain = anstream::adapter::strip_str(&report).to_string();
            let wide = plain.lines().filter(|row| row.chars().count() > width && !pasted(row));
            too_wide.extend(wide.map(|row| format!("{name} at {width}, {detail:?}: {row}")));
        }
    }
    assert!(too_wide.is_empty(), "{}", too_wide.join("\n"));
}

#[test]
fn whoever_has_a_counterexample_sees_how_to_replay_it() {
    for (name, record) in records() {
        // The smallest case of a mutant that a walk killed is shown, too.
        let mutants = record.everywhere.iter().flat_map(|everywhere| &everywhere.mutants);
        let found = record.checks.iter().any(|check| !check.findings.is_empty())
            || mutants.into_iter().any(|mutant| mutant.case.is_some());
        let told = rows(&record, 80)
            .iter()
            .any(|row| row.contains("abench replay case1,") || row.contains("its replay command is long"));
        assert_eq!(found, told, "{name}");
    }
}

#[test]
fn a_report_tells_as_much_as_is_asked_for_and_ends_with_the_verdict() {
    let verdict = "verdict falsified, as expected (exit 0)";
    let lines = |args: &[&str]| {
        let output = short_answer(args).output;
        assert_eq!(output.lines().last(), Some(verdict), "{args:?}");
        output.lines().count()
    };
    let [quiet, screen, checks, all] =
        ["-q", "--progress=never", "-v", "-vv"].map(|detail| lines(&["run", "field-tags", detail]));
    assert_eq!(quiet, 1);
    assert!(screen <= 23 && screen < checks && checks < all, "{screen} {checks} {all}");
    let both = short_answer(&["run", "tick", "-q", "-v"]);
    assert_eq!(both.exit, 2);
    assert!(both.talk.contains("cannot be used with"), "{}", both.talk);
}

#[test]
fn several_scenarios_end_with_a_line_each() {
    let several = answer(&["run", "tick", "field-tags"]);
    let lines: Vec<&str> = several.output.lines().collect();
    let summary = [
        "  tick: verdict holds (exit 0)",
        "  field-tags: verdict falsified, as expected (exit 0)",
        "2 scenarios (exit 0)",
    ];
    assert_eq!(lines[lines.len() - 3..], summary);
    let quiet = short_answer(&["run", "tick", "field-tags", "-q"]);
    assert_eq!(quiet.output.lines().collect::<Vec<_>>(), summary);
}

#[test]
fn a_record_for_each_scenario_goes_into_a_folder() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("text");
    let both = short_answer(&["run", "tick", "field-tags", "--record", path]);
    assert_eq!(both.exit, 0, "{}", both.talk);
    for name in ["tick", "field-tags"] {
        let text = std::fs::read_to_string(folder.path().join(format!("{name}.json"))).expect("a record");
        let record: Record = serde_json::from_str(&text).expect("a record");
        assert_eq!(record.asked.scenario.as_deref(), Some(name));
    }
    let twice = short_answer(&["run", "tick", "tick", "--record", path]);
    assert!(twice.exit == 2 && twice.talk.contains("two scenarios are named tick"), "{}", twice.talk);
    let file = short_answer(&["run", "tick", "laws", "--record", &format!("{path}/tick.json")]);
    assert!(file.exit == 2 && file.talk.contains("needs an existing folder"), "{}", file.talk);
}

#[test]
fn no_output_takes_the_place_of_another_or_of_the_scenario() {
    let folder = tempfile::tempdir().expect("a folder");
    let scenario = folder.path().join("mine.toml");
    let text = short_answer(&["show", "field-tags"]).output;
    std::fs::write(&scenario, &text).expect("written");
    let (scenario, other) = (scenario.to_str().expect("text"), folder.path().join("out"));
    let other = other.to_str().expect("text");
    for (args, told) in [
        (&["--record", scenario][..], "would overwrite the scenario"),
        (&["--save-script", scenario], "would overwrite the scenario"),
        (&["--record", other, "--histogram-log", other], "would overwrite what --record writes"),
        (&["--save-script", other, "--histogram-log", other], "would overwrite what --histogram-log writes"),
        (&["--histogram-log", "-"], "--histogram-log takes the name of a file"),
    ] {
        let refused = short_answer(&[&["run", scenario], args].concat());
        assert!(refused.exit == 2 && refused.talk.contains(told), "{args:?}: {}", refused.talk);
    }
    assert_eq!(std::fs::read_to_string(scenario).expect("it is still there"), text);
}

#[test]
fn a_misspelt_name_is_answered_with_the_name_that_was_meant() {
    for (args, meant) in [
        (&["run", "feild-tags"][..], "did you mean field-tags?"),
        (&["show", "tikc"], "did you mean tick?"),
        (&["tick"], "did you mean abench run tick?"),
        (&["rum"], "did you mean abench run?"),
        (&["show", "shema"], "did you mean schema?"),
        (&["help", "rnu"], "'run'"),
    ] {
        let refused = short_answer(args);
        assert!(refused.exit == 2 && refused.talk.contains(meant), "{args:?}: {}", refused.talk);
        assert!(refused.talk.len() < 600, "{}", refused.talk);
    }
}

#[test]
fn the_name_of_a_scenario_without_a_verb_is_answered_with_the_command_that_runs_it() {
    for (name, _) in SHIPPED {
        let refused = short_answer(&[name]);
        let meant = format!("did you mean abench run {name}?");
        assert!(refused.exit == 2 && refused.talk.contains(&meant), "{name}: {}", refused.talk);
    }
}

#[cfg(unix)]
#[test]
fn help_calls_abench_by_its_name_also_where_a_link_has_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let link = folder.path().join("bench");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_abench"), &link).expect("a link");
    for args in [&["--help"][..], &["help", "run"], &["run"]] {
        let done = std::process::Command::new(&link).args(args).output().expect("it starts");
        let text = [done.stdout, done.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains("Usage: abench") && !text.contains("Usage: bench"), "{args:?}: {text}");
    }
}

#[test]
fn the_schema_of_scenarios_is_shown_as_it_is_kept() {
    assert_eq!(short_answer(&["show", "schema"]).output, include_str!("../../docs/scenario.schema.json"));
}

#[test]
fn a_shipped_scenario_is_shown_as_it_is_shipped() {
    for (name, text) in SHIPPED {
        assert_eq!(short_answer(&["show", name]).output, *text);
    }
}

#[test]
fn a_plant_that_can_never_act_is_refused_before_anything_runs() {
    for (args, told) in [
        (&["--plant", "dead-bank:8"][..], "the engine has no bank 8: its banks are 0 to 7"),
        (&["--backend", "software", "--plant", "stale-read"], "no backend of this run takes faults"),
        (&["run", "tick", "--plant", "dead-bank:1"], "a tick does not use the engine"),
    ] {
        let refused = short_answer(args);
        assert_eq!((refused.exit, refused.output.as_str()), (2, ""), "{args:?}");
        assert!(refused.talk.contains(told), "{args:?}: {}", refused.talk);
    }
}

#[test]
fn a_plant_is_refused_only_if_no_device_of_the_run_could_have_it() {
    let planted = short_answer(&["100", "7", "--backend", "model:2,model:8", "--plant", "dead-bank:4"]);
    assert_eq!(planted.exit, 1, "{}", planted.talk);
}

#[test]
fn with_planted_faults_the_first_screen_fits_24_lines_of_80_columns() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("planted.json");
    for plant in ["lost-high-word", "dead-bank:3", "extra-cycle"] {
        short_answer(&["--plant", plant, "--record", path.to_str().expect("text")]);
        let text = std::fs::read_to_string(&path).expect("a record");
        let record: Record = serde_json::from_str(&text).expect("a record");
        let rows = rows(&record, 80);
        let taken: usize = rows.iter().map(|row| row.chars().count().div_ceil(80).max(1)).sum();
        assert!(taken <= 23 && rows.iter().any(|row| row.starts_with("falsified ")), "{plant}: {}", rows.join("\n"));
    }
}

#[test]
fn an_interrupted_report_says_what_was_not_done_and_expects_nothing() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results/field-tally.json");
    let text = std::fs::read_to_string(path).expect("a record");
    let mut record: Record = serde_json::from_str(&text).expect("a record");
    record.interrupted = true;
    record.exit = record.outcome().exit_code();
    record.offline.as_mut().expect("a world").engines.truncate(2);
    for detail in [Detail::Screen, Detail::Checks] {
        let screen = text::render(&shown(&record), 80, Table::Shown, detail);
        assert!(!screen.contains('%') || detail == Detail::Checks, "{screen}");
        assert!(!screen.contains("expectation") && !screen.contains("as expected"), "{screen}");
        assert!(screen.trim_end().ends_with(": stopped by the user (exit 130)"), "{screen}");
    }
    let screen = text::render(&shown(&record), 200, Table::Shown, Detail::Screen);
    assert!(screen.contains("Tried to the end, of all engines: delta-state, delta-summary\n"), "{screen}");
}

#[test]
fn a_qualification_does_not_overwrite_its_scenario() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("q.toml");
    let text = short_answer(&["show", "field-tags"]).output;
    std::fs::write(&path, &text).expect("written");
    let path = path.to_str().expect("text");
    assert_eq!(short_answer(&["qualify", path, "--record", path]).exit, 2);
    assert_eq!(std::fs::read_to_string(path).expect("it is still there"), text);
}

#[test]
fn a_replay_ends_with_its_verdict() {
    let case = "case1,xor-delta,edits,start=0x0000000000000005,clients=1+1";
    assert_eq!(short_answer(&["replay", case, "-q"]).output, "verdict falsified (exit 1)\n");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tick.json");
    let text = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results/tick.json"));
    let altered = text.expect("a record").replace("\"message_bytes\": 201", "\"message_bytes\": 202");
    std::fs::write(&path, altered).expect("written");
    let replayed = short_answer(&["replay", path.to_str().expect("text")]);
    let last = "verdict inconclusive: the run does not repeat the record (exit 3)";
    assert_eq!((replayed.exit, replayed.output.lines().last()), (3, Some(last)));
}

#[test]
fn a_scenario_of_many_megabytes_is_refused_in_one_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("long.toml");
    std::fs::write(&path, "a".repeat(30 << 20)).expect("written");
    let refused = short_answer(&["run", path.to_str().expect("text")]);
    assert_eq!(refused.exit, 2);
    assert!(refused.talk.contains("the most that is read") && refused.talk.len() < 400, "{}", &refused.talk[..400]);
    std::fs::write(&path, "a".repeat(1 << 20)).expect("written");
    let refused = short_answer(&["run", path.to_str().expect("text")]);
    assert!(refused.exit == 2 && refused.talk.len() < 2000, "{} B", refused.talk.len());
}

#[test]
fn a_fault_is_named_with_the_part_that_has_it() {
    let planted = short_answer(&["--plant", "lost-high-word"]);
    assert_eq!(planted.exit, 1);
    let failures: Vec<&str> = planted.output.lines().filter(|line| line.starts_with("falsified ")).collect();
    assert!(failures.iter().any(|line| line.contains(" on model: ")), "{}", planted.output);
    assert!(!planted.output.contains("exact to the bit"), "{}", planted.output);
}
