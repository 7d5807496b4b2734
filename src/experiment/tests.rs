//! Records of runs as people are shown them.

use super::{shown, view};
use crate::report::any::AnyRecord;
use crate::report::document::{Detail, Document, Source};
use crate::report::figure::tests::shipped;
use crate::report::format::text::{Table, of_files, render};
use crate::report::format::{html, markdown};
use crate::report::junit;
use crate::report::record::Record;
use crate::report::seal::Seal;

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn source(name: &str, record: Record, seal: Seal) -> Source {
    Source { file: format!("{name}.json"), record: AnyRecord::Run(Box::new(record)), seal, again: None }
}

#[test]
fn a_text_is_no_wider_than_asked_but_for_what_is_pasted_and_begins_with_the_first_screen() {
    for (name, record) in shipped() {
        let head = plain(&render(&shown(&record), 80, Table::Left, Detail::Screen));
        let head = head.lines().next().expect("a line").to_owned();
        for width in [60, 80] {
            let text = plain(&of_files(&[source(&name, record.clone(), Seal::Intact)], width, view));
            let is_pasted = |line: &str| line.starts_with("    ") || line.starts_with("  abench ");
            let wide = text.lines().find(|line| line.chars().count() > width && !is_pasted(line));
            assert_eq!(wide, None, "{name} at {width}");
            assert!(width != 80 || text.starts_with(&head), "{name}: {head}");
            assert!(text.lines().last().is_some_and(|last| last.starts_with("verdict ")), "{name}");
        }
    }
}

#[test]
fn an_altered_record_is_told_as_such_before_its_verdict_in_every_format() {
    let (name, record) = shipped().into_iter().find(|(name, _)| name == "tick").expect("a record");
    let junit = junit::render(vec![junit::suite(Seal::ClaimsAltered, &record)]);
    let sources = [source(&name, record, Seal::ClaimsAltered)];
    let document = Document::of(&sources, view);
    for report in [of_files(&sources, 100, view), html::render(&document), markdown::render(&document), junit] {
        let report = plain(&report);
        let words = report.split("</head>").last().unwrap_or_default();
        let warning = words.find("altered").expect("a warning");
        let verdict = words.find("verdict holds").or(words.find("<strong>holds")).or(words.find("\"holds\""));
        assert!(verdict.is_some_and(|verdict| warning < verdict), "{words}");
    }
}
