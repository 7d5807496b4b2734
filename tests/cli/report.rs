//! `abench report`: records as a page, as Markdown and as text.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common::{Answer, Reading, short_answer, unwrapped};

const FORMATS: [&str; 3] = ["html", "markdown", "text"];

/// The bytes of a comment on a pull request, at most.
const MOST_BYTES: usize = 65_536;

fn recorded(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results").join(format!("{name}.json")).display().to_string()
}

fn all_recorded() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let entries = fs::read_dir(folder).expect("the folder of results").map(|entry| entry.expect("an entry").path());
    let mut records: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
    records.sort();
    records.iter().map(|path| path.display().to_string()).collect()
}

fn report(format: &str, records: &[&str]) -> Answer {
    short_answer(&[&["report", "--format", format], records].concat())
}

fn made(format: &str, records: &[&str]) -> String {
    let answer = report(format, records);
    assert_eq!((answer.exit, answer.talk.as_str()), (0, ""), "{format} of {records:?}");
    answer.output
}

/// The record of this name, changed, in a file.
fn changed(folder: &Path, name: &str, change: impl Fn(&mut Value)) -> String {
    let text = fs::read_to_string(recorded(name)).expect("a record");
    let mut record: Value = serde_json::from_str(&text).expect("JSON");
    change(&mut record);
    let file = folder.join("changed.json");
    fs::write(&file, record.to_string()).expect("a file");
    file.display().to_string()
}

/// The words of a page, without its tags.
fn words_of(page: &str) -> String {
    let body = page.split_once("</style>").expect("a style").1;
    let mut words = String::new();
    for (place, part) in body.split('<').enumerate() {
        let (tag, text) = if place == 0 { ("", part) } else { part.split_once('>').expect("a tag ends") };
        // A number is one word, whatever groups its digits are shown in.
        let is_within_number = tag.starts_with("span class=\"g\"") || tag == "/span";
        words += if is_within_number { "" } else { " " };
        words += text;
    }
    let words = words.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    unwrapped(&words)
}

#[test]
fn a_page_needs_nothing_but_itself() {
    for record in all_recorded() {
        let page = made("html", &[&record]);
        let lower = page.to_lowercase();
        for forbidden in
            ["http:", "https:", "//", "src=", "<script", "<link", "<iframe", "@import", "url(", "javascript:"]
        {
            let found = lower.find(forbidden).map(|place| &lower[place.saturating_sub(80)..place + 20]);
            assert_eq!(found, None, "{forbidden} in the page of {record}");
        }
        let links = lower.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
        for link in links {
            let target = link.strip_prefix('#').unwrap_or_else(|| panic!("{link} leads out of the page of {record}"));
            assert!(lower.contains(&format!("id=\"{target}\"")), "{link} leads nowhere in the page of {record}");
        }
        assert!(page.contains("default-src 'none'"), "a browser would load something");
    }
}

#[test]
fn a_page_is_read_by_programs_that_read_aloud() {
    let page = made("html", &[&recorded("field-tally")]);
    for expected in [
        "<html lang=\"en\">",
        "<main id=\"main\">",
        "<header>",
        "<footer>",
        "<nav aria-label",
        "scope=\"col\"",
        "scope=\"row\"",
    ] {
        assert!(page.contains(expected), "{expected}");
    }
    assert_eq!(page.matches("<h1>").count(), 1);
    assert_eq!(page.matches("<table").count(), page.matches("<caption>").count(), "a table without a caption");
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id is there twice");
    for name in page.split("labelledby=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(ids.binary_search(&name).is_ok(), "{name} labels something and is not there");
    }
}

#[test]
fn every_table_and_every_command_has_a_box_of_its_own_that_scrolls_on_a_narrow_screen() {
    for record in ["field-tally", "recorded-65537", "laws", "tick", "rtl-mutation", "crash-everywhere", "every-order"] {
        let page = made("html", &[&recorded(record)]);
        assert!(page.contains("content=\"width=device-width, initial-scale=1\""));
        let boxed = page.matches("<div class=\"scroll\" role=\"region\"").count();
        assert_eq!(page.matches("<table").count(), boxed, "a table of {record} would make the page scroll");
        assert!(page.contains(".scroll { overflow-x: auto; max-width: 100%;"));
        assert!(page.contains("pre.command { white-space: pre-wrap; overflow-wrap: anywhere;"));
    }
}

#[test]
fn the_numbers_of_every_format_are_those_of_the_record() {
    let text = fs::read_to_string(recorded("field-tally")).expect("a record");
    let record: Value = serde_json::from_str(&text).expect("JSON");
    let total = |way: &Value| way.as_object().expect("bytes").values().filter_map(Value::as_u64).sum::<u64>();
    let page = words_of(&made("html", &[&recorded("field-tally")]));
    let markdown = made("markdown", &[&recorded("field-tally")]);
    let plain = unwrapped(&made("text", &[&recorded("field-tally")]));
    let engines = record["offline"]["engines"].as_array().expect("engines");
    assert!(engines.len() >= 10);
    for engine in engines {
        let (up, down) = (total(&engine["up"]), total(&engine["down"]));
        let share = engine["of_full_state_per_mille"].as_u64().expect("a share");
        let cells = [
            engine["name"].as_str().expect("a name").to_owned(),
            engine["verdict"].as_str().expect("a verdict").to_owned(),
            engine["wrong_registers"].to_string(),
            up.to_string(),
            down.to_string(),
            (up + down).to_string(),
            format!("{}.{} %", share / 10, share % 10),
            engine["stored"].to_string(),
        ];
        let row = cells.join(" ");
        assert!(page.contains(&row), "the page lacks {row}");
        assert!(plain.contains(&row), "the text lacks {row}");
        let unmarked = markdown.replace("✅ ", "").replace("❌ ", "");
        assert!(unmarked.contains(&format!("| {} |", cells.join(" | "))), "the Markdown lacks {row}");
    }
}

#[test]
fn the_verdict_comes_first_with_its_warrant_and_the_way_to_repeat_it_is_told() {
    let record = recorded("field-tally");
    for format in FORMATS {
        let report = made(format, &[&record]);
        let words = if format == "html" { words_of(&report) } else { unwrapped(&report) };
        let place = |part: &str| words.find(part).unwrap_or_else(|| panic!("{format} lacks {part}: {words}"));
        let order = [
            "falsified",
            "sampled: k = 9 worlds",
            "Bytes by engine",
            "Staleness",
            "Counterexamples",
            "abench run field-tally",
        ];
        let places = order.map(place);
        assert!(places.is_sorted(), "{format}: {places:?}");
        assert!(words.contains("abench replay case1,"), "{format}");
    }
    let text = made("text", &[&record]);
    assert_eq!(text.lines().last(), Some("verdict falsified, as expected (exit 0)"));
}

#[test]
fn every_record_fits_a_comment_and_all_of_them_together_do() {
    let all = all_recorded();
    for record in &all {
        let comment = made("markdown", &[record]);
        assert!(comment.len() <= MOST_BYTES, "{record}: {}", comment.len());
        assert!(!comment.contains("Left out, to fit"), "{record} alone fits whole");
    }
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let comment = made("markdown", &all);
    assert!(comment.len() <= MOST_BYTES, "{}", comment.len());
    let last = comment.lines().last().expect("a line");
    assert!(last.starts_with("> Left out, to fit a comment (the worst records are kept): "), "{last}");
    assert!(last.contains(" records); ") && last.len() < 2048, "what is missing is counted: {last}");
    for name in all.iter().map(|path| Path::new(path).file_stem().expect("a name").to_string_lossy().into_owned()) {
        let is_run = !["claims", "rtl-mutation"].contains(&name.as_str());
        assert!(!is_run || comment.contains(&format!("| {name} | ")), "{name} has its verdict");
    }
}

#[test]
fn of_several_records_in_a_comment_the_one_that_failed_comes_first_with_all_that_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let bad = changed(folder.path(), "two-relays", |record| {
        record["exit"] = 1.into();
        record["verdict"] = "falsified".into();
        record["reason"] = "Planted.".into();
    });
    let mut records = all_recorded();
    // Mutants that survive in the gateware are a failure, too.
    records.retain(|path| !path.contains("rtl-mutation"));
    records.push(bad);
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let comment = made("markdown", &records);
    assert!(comment.len() <= MOST_BYTES, "{}", comment.len());
    let first = comment.split("\n## ").nth(1).expect("the first record");
    assert!(first.starts_with("two-relays\n") && first.contains("- Planted."), "{first}");
    assert!(first.contains("### Checks") && first.contains("### How to repeat it"), "{first}");
}

#[test]
fn a_comment_about_a_falsified_record_begins_with_the_verdict_what_failed_and_how_to_replay_it() {
    for name in ["hub-set-back", "every-order", "clock-skew"] {
        let comment = made("markdown", &[&recorded(name)]);
        let place = |part: &str| comment.find(part).unwrap_or_else(|| panic!("{name} lacks {part}"));
        let replay = place("\nabench replay case1,");
        assert!(place("**verdict falsified") < place("## What failed") && place("## What failed") < replay, "{name}");
        let before = comment[..replay].lines().count();
        assert!(before <= 45, "{name}: {before} lines come before the command");
    }
}

#[test]
fn a_ledger_is_a_junit_suite_and_so_are_mutants_of_the_gateware() {
    let xml = made("junit", &[&recorded("claims"), &recorded("tick")]);
    assert!(xml.contains("<testsuite name=\"claims\"") && xml.contains("<testsuite name=\"tick\""), "{xml}");
    assert!(xml.contains("<testcase name=\"160-bytes\"") && xml.contains("<skipped "), "{xml}");
    assert!(!xml.contains("<failure") && !xml.contains("<error"), "{xml}");
    let xml = made("junit", &[&recorded("rtl-mutation")]);
    let count = |what: &str| xml.matches(what).count();
    assert_eq!(
        (count("<testcase "), count("<failure ")),
        (301, 13),
        "300 mutants of which 13 survived, and that there are some"
    );
}

#[test]
fn a_text_keeps_its_width_and_no_dashboard_reads_it() {
    for record in all_recorded() {
        let text = made("text", &[&record]);
        assert_eq!(Reading::of(&text).rows, [], "{record}");
        let code = |line: &&str| line.starts_with("    ") || line.starts_with("  abench ");
        for line in text.lines().filter(|line| !code(line)) {
            assert!(line.chars().count() <= 100, "{record}: {line}");
        }
    }
}

#[test]
fn names_that_mean_something_to_a_format_mean_nothing_in_a_report() {
    let hostile =
        "<script>alert(1)</script>\"'><img src=x onerror=y>|`x`|[a](https://b)\u{1b}[2J\u{202e}\u{7}\n# h @all";
    let folder = tempfile::tempdir().expect("a folder");
    let names_everywhere = |record: &mut Value| {
        record["asked"]["scenario"] = hostile.into();
        record["reason"] = hostile.into();
        record["abench"] = hostile.into();
        record["offline"]["engines"][0]["name"] = hostile.into();
        record["offline"]["left_out"] = serde_json::json!({ hostile: hostile });
        record["checks"][0]["name"] = hostile.into();
        record["checks"][0]["summary"] = hostile.into();
        record["checks"][5]["findings"][0]["case"] = hostile.into();
        record["unseen"]["by_run"] = serde_json::json!([hostile]);
        record["host"]["os"] = hostile.into();
        record["timing"]["checks_us"] = serde_json::json!([[hostile, 1]]);
    };
    let record = changed(folder.path(), "field-tally", names_everywhere);
    for format in FORMATS {
        let report = made(format, &[&record]);
        let seen = report.chars().find(|&c| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c));
        assert_eq!(seen, None, "{format}");
        assert!(report.contains("\\u{1b}") && report.contains("\\u{202e}"), "{format} hides what it changed");
        assert!(!report.lines().any(|line| line.starts_with("# h")), "{format}: a name began a line");
    }
    let page = made("html", &[&record]);
    assert!(!page.contains("<script") && !page.contains("<img") && page.contains("&lt;script&gt;"));
    assert!(!page.contains("=\"<") && !page.contains("\"'>"), "a name ended an attribute");
    let text = made("text", &[&record]);
    let replay = text.lines().find(|line| line.contains("abench replay '<script>")).expect("a command");
    assert!(replay.ends_with("@all'"), "a case of a record is one argument of a shell: {replay}");
    let markdown = made("markdown", &[&record]);
    let mut in_fence = false;
    for line in markdown.lines() {
        in_fence ^= line.starts_with("```");
        let is_words = !in_fence && !line.starts_with("```");
        for forbidden in ["<script", "<img", "://", "@all", "|`"].iter().filter(|_| is_words) {
            assert!(!line.contains(forbidden), "{forbidden} in {line}");
        }
    }
}

#[test]
fn records_of_several_kinds_stand_in_one_report_under_an_overview() {
    let records = [recorded("tick"), recorded("field-tally"), recorded("rtl-mutation")];
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    for format in FORMATS {
        let report = made(format, &records);
        let words = if format == "html" { words_of(&report) } else { unwrapped(&report) };
        for expected in ["3 records", "mutation of the gateware", "260 of 275 (94.55 %)", "information bound"] {
            assert!(words.contains(expected), "{format} lacks {expected}");
        }
    }
    let page = made("html", &records);
    assert_eq!(page.matches("<article").count(), 3);
}

#[test]
fn a_qualification_is_reported_with_its_matrix() {
    let folder = tempfile::tempdir().expect("a folder");
    let record = folder.path().join("qualification.json").display().to_string();
    let qualified = short_answer(&["qualify", "tick", "--record", &record]);
    let page = words_of(&made("html", &[&record]));
    assert!(page.contains(&format!("(exit {})", qualified.exit)), "{page}");
    for expected in ["qualification of tick", "Mutation matrix of the device", "abench qualify tick --backend model"] {
        assert!(page.contains(expected), "the page lacks {expected}: {page}");
    }
    let json: Value = serde_json::from_str(&fs::read_to_string(&record).expect("a record")).expect("JSON");
    let mutants = json["devices"]["mutants"].as_array().expect("mutants").len();
    assert!(mutants > 10 && page.contains(&format!("{mutants} mutants of model (evidence model)")), "{page}");
}

#[test]
fn a_record_that_cannot_be_read_is_refused_with_its_file_and_line_and_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::write(&file, text).expect("a file");
        file.display().to_string()
    };
    let whole = fs::read_to_string(recorded("tick")).expect("a record");
    let long = "\u{1b}[2J".repeat(100_000);
    let cases = [
        (file("cut.json", &whole[..whole.len() / 2]), "cut.json: not a record: EOF while parsing"),
        (file("none.json", "nonsense"), "none.json: not a record: expected ident at line 1 column 2"),
        (file("other.json", "{\"format\": \"other\"}"), "should be \"abench-record\", \"abench-qualification\", "),
        (file("older.json", &whole.replacen("\"version\": 2", "\"version\": 1", 1)), "abench convert FILE"),
        (file("newer.json", &whole.replacen("\"version\": 2", "\"version\": 3", 1)), "use a newer abench"),
        (file("key.json", &whole.replacen("\"verdict\"", "\"verdikt\"", 1)), "unknown field `verdikt`"),
        (file("long.json", &whole.replacen("\"holds\"", &serde_json::to_string(&long).expect("JSON"), 1)), " at line "),
        (folder.path().join("absent.json").display().to_string(), "cannot read the record"),
    ];
    let output = folder.path().join("page.html").display().to_string();
    for (record, expected) in &cases {
        let refused = short_answer(&["report", "--format", "html", "--output", &output, &recorded("tick"), record]);
        assert_eq!((refused.exit, refused.output.as_str()), (2, ""), "{record}");
        assert!(refused.talk.contains(expected), "{record}: {}", refused.talk);
        assert!(refused.talk.len() < 2000 && !refused.talk.contains('\u{1b}'), "{record}");
        assert!(!Path::new(&output).exists(), "{record}");
    }
    let left: Vec<_> = fs::read_dir(folder.path()).expect("the folder").collect();
    assert_eq!(left.len(), cases.len() - 1, "no file is left behind: {left:?}");
}

#[test]
fn a_page_in_a_file_is_the_page_of_standard_output_and_no_record_is_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = folder.path().join("page.html").display().to_string();
    let record = recorded("tick");
    assert_eq!(short_answer(&["report", "--format", "html", "-o", &output, &record]).exit, 0);
    assert_eq!(fs::read_to_string(&output).expect("a page"), made("html", &[&record]));
    let copy = folder.path().join("tick.json").display().to_string();
    fs::copy(&record, &copy).expect("a copy");
    let refused = short_answer(&["report", "--format", "html", "-o", &copy, &copy]);
    assert_eq!(refused.exit, 2);
    assert!(refused.talk.contains("would overwrite the record"), "{}", refused.talk);
    assert_eq!(fs::read(&copy).expect("the copy"), fs::read(&record).expect("the record"));
    let nowhere = short_answer(&["report", "-o", "/no/such/folder/page", &record]);
    assert_eq!(nowhere.exit, 2, "{}", nowhere.talk);
}

/// A browser that runs without a window, where this machine has one.
fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

#[test]
fn in_a_browser_no_page_scrolls_sideways_at_390_pixels() {
    let Some(browser) = browser() else {
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "in CI chromium must be there");
        println!("skipped in_a_browser_no_page_scrolls_sideways_at_390_pixels: no Chromium on this machine");
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let records = ["field-tally", "recorded-65537", "rtl-mutation", "laws", "field-bandwidth", "claims"];
    let frames: String = records
        .iter()
        .map(|record| {
            let page = made("html", &[&recorded(record)]).replace('&', "&amp;").replace('"', "&quot;");
            format!("<iframe style='width:390px;height:800px;border:0' srcdoc=\"{page}\"></iframe>")
        })
        .collect();
    // What is folded is opened: it must not be wider either.
    let script = "<script>onload = () => { document.title = 'too wide by ' + \
                  [...document.querySelectorAll('iframe')].map(({ contentDocument: page }) => { \
                  page.querySelectorAll('details').forEach(part => part.open = true); \
                  return page.documentElement.scrollWidth - page.documentElement.clientWidth; }).join(' '); }</script>";
    let wrapper = folder.path().join("wrapper.html");
    fs::write(&wrapper, format!("<!doctype html><title>none</title>{frames}{script}")).expect("a file");
    let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
    let dumped = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", &profile])
        .arg(format!("file://{}", wrapper.display()))
        .output()
        .expect("the browser starts");
    let dom = String::from_utf8_lossy(&dumped.stdout);
    let title = dom.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next()).unwrap_or_default();
    assert_eq!(title, format!("too wide by{}", " 0".repeat(records.len())));
}
