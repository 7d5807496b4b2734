//! Manual pages, made from the flags.

use crate::common::{Answer, short_answer};

/// The verbs that the help lists.
fn verbs() -> Vec<String> {
    let help = short_answer(&["--help"]).output;
    let listed = help.split_once("Verbs:\n").expect("a list").1;
    let lines = listed.lines().take_while(|line| !line.is_empty());
    // What a verb does may go on in further lines, which stand further to the right.
    let first_lines = lines.filter_map(|line| line.strip_prefix("  ").filter(|line| !line.starts_with(' ')));
    let verbs = first_lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    verbs.filter(|verb| verb != "help").collect()
}

#[test]
fn a_folder_gets_a_page_for_abench_and_for_every_verb_with_its_flags_and_examples() {
    let folder = tempfile::tempdir().expect("a folder");
    let pages = folder.path().join("share/man1");
    let Answer { exit, output, talk } = short_answer(&["man", "--dir", pages.to_str().expect("a path")]);
    assert_eq!((exit, output.as_str(), talk.as_str()), (0, "", ""));
    let mut files: Vec<String> = std::fs::read_dir(&pages)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("text"))
        .collect();
    files.sort();
    let mut expected: Vec<String> = verbs().iter().map(|verb| format!("abench-{verb}.1")).collect();
    expected.push("abench.1".to_owned());
    expected.sort();
    assert_eq!(files, expected);
    assert!(files.len() > 8, "{files:?}");
    for file in files {
        let page = std::fs::read_to_string(pages.join(&file)).expect("a page");
        let name = file.strip_suffix(".1").expect("a page");
        assert!(page.contains(&format!(".TH {name} 1")), "{file}: {page}");
        assert!(page.contains("Examples:"), "{file}: {page}");
    }
    let run = std::fs::read_to_string(pages.join("abench-run.1")).expect("a page");
    assert!(run.contains("histogram\\-log"), "{run}");
}

#[test]
fn a_page_is_printed_and_a_verb_that_is_not_there_is_refused_with_the_nearest() {
    assert!(short_answer(&["man"]).output.contains(".TH abench 1"));
    assert!(short_answer(&["man", "replay"]).output.contains(".TH abench-replay 1"));
    let Answer { exit, output, talk } = short_answer(&["man", "replai"]);
    assert_eq!((exit, output.as_str()), (2, ""));
    assert!(talk.contains("did you mean replay?"), "{talk}");
}

#[test]
fn a_folder_that_cannot_be_made_is_refused_by_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "").expect("a file");
    let Answer { exit, talk, .. } = short_answer(&["man", "--dir", file.join("in").to_str().expect("a path")]);
    assert_eq!(exit, 2);
    assert!(talk.contains("cannot make the folder"), "{talk}");
}
