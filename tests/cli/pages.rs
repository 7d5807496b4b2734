//! The pages of the documentation: their blocks, their headings and their links.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// A page, by its path in the repository.
pub struct Page {
    path: String,
    pub text: String,
}

/// A fenced block.
pub struct Block {
    /// Its page and line.
    pub place: String,
    /// What stands after the language.
    pub needs: String,
    /// The paragraph before it.
    pub before: String,
    pub lines: Vec<String>,
}

/// A command of a block, and the lines that are shown after it.
pub struct Step {
    pub command: String,
    pub shown: Vec<String>,
}

/// The paths of all pages: the README, then `docs/` by name.
pub fn pages() -> Vec<String> {
    let folder = fs::read_dir(root().join("docs")).expect("docs");
    let names = folder.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> =
        names.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}")).collect();
    names.sort_unstable();
    names.insert(0, "README.md".to_owned());
    names
}

/// The page at this path.
pub fn page(path: &str) -> Page {
    let text = fs::read_to_string(root().join(path)).expect(path);
    Page { path: path.to_owned(), text }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Page {
    /// The fenced blocks in this language.
    pub fn blocks(&self, language: &str) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<(bool, Block)> = None;
        let mut before = String::new();
        for (number, line) in self.text.lines().enumerate() {
            match (line.trim_start().strip_prefix("```"), &mut open) {
                (Some(info), None) => {
                    let (word, needs) = info.split_once(' ').unwrap_or((info, ""));
                    let place = format!("{}, line {}", self.path, number + 1);
                    let needs = needs.to_owned();
                    let paragraph = std::mem::take(&mut before);
                    open = Some((word == language, Block { place, needs, before: paragraph, lines: Vec::new() }));
                }
                (Some(_), Some(_)) => blocks.extend(open.take().filter(|(wanted, _)| *wanted).map(|(_, block)| block)),
                (None, Some((_, block))) => block.lines.push(line.to_owned()),
                (None, None) if line.is_empty() => before += "\n\n",
                (None, None) => {
                    before =
                        before.rsplit("\n\n").next().filter(|_| !before.ends_with("\n\n")).unwrap_or("").to_owned();
                    before += " ";
                    before += line;
                }
            }
        }
        assert!(open.is_none(), "{}: a fence is not closed", self.path);
        blocks
    }

    /// The text without its fenced blocks, line by line.
    fn prose(&self) -> impl Iterator<Item = &str> {
        let mut fenced = false;
        self.text.lines().filter(move |line| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        })
    }

    /// The anchors of its headings, as GitHub makes them.
    fn anchors(&self) -> Vec<String> {
        let mut seen = BTreeMap::<String, u32>::new();
        let headings = self.prose().filter(|line| line.starts_with('#'));
        let anchor = headings.map(|line| {
            let kept = line.trim_start_matches('#').trim().chars();
            let kept = kept.filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
            kept.map(|c| if c == ' ' { '-' } else { c }).collect::<String>().to_lowercase()
        });
        anchor
            .map(|anchor| {
                let again = seen.entry(anchor.clone()).and_modify(|count| *count += 1).or_insert(0);
                if *again == 0 { anchor } else { format!("{anchor}-{again}") }
            })
            .collect()
    }

    /// The targets of its links.
    fn links(&self) -> Vec<String> {
        let targets = |line: &str| {
            line.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())).collect::<Vec<_>>()
        };
        self.prose().flat_map(targets).collect()
    }

    /// What stands between backticks.
    fn code(&self) -> Vec<String> {
        let between = |line: &str| line.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        self.prose().flat_map(between).collect()
    }
}

impl Block {
    /// Its commands. A line that ends with a backslash goes on in the next.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for line in &self.lines {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
                (None, Some(step)) if step.command.ends_with('\\') => {
                    step.command.pop();
                    step.command += line.trim_start();
                }
                (None, Some(step)) => step.shown.push(line.clone()),
                (None, None) => panic!("{}: a block begins with '$ ' and a command", self.place),
            }
        }
        assert!(!steps.is_empty(), "{}: a block without a command", self.place);
        steps
    }
}

/// Where a relative link of a page leads.
fn target(of: &Page, link: &str) -> (PathBuf, Option<String>) {
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor.to_owned())));
    let folder = Path::new(&of.path).parent().expect("a folder");
    let path = if file.is_empty() { PathBuf::from(&of.path) } else { folder.join(file) };
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => assert!(clean.pop(), "{}: {link} leaves the repository", of.path),
            other => clean.push(other),
        }
    }
    (clean, anchor)
}

#[test]
fn every_link_leads_to_a_file_and_every_anchor_to_a_heading() {
    let mut followed = 0;
    for path in pages().into_iter().chain(["adapters/README.md".to_owned()]) {
        let page = page(&path);
        for link in page.links().iter().filter(|link| !link.contains("://")) {
            let (file, anchor) = target(&page, link);
            assert!(root().join(&file).exists(), "{path}: {link} leads to no file");
            if let Some(anchor) = anchor {
                let anchors = self::page(&file.to_string_lossy()).anchors();
                assert!(anchors.contains(&anchor), "{path}: {link} leads to no heading; there are {anchors:?}");
            }
            followed += 1;
        }
    }
    assert!(followed > 20, "{followed}");
}

#[test]
fn every_page_of_docs_is_linked_from_the_readme() {
    let links = page("README.md").links();
    let lost: Vec<String> = pages().into_iter().skip(1).filter(|path| !links.contains(path)).collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn every_path_that_a_page_names_is_there() {
    let folders =
        ["src/", "tests/", "docs/", "rtl/", "results/", "scenarios/", "benches/", "fuzz/", ".ci/", ".github/"];
    let mut looked_at = 0;
    for path in pages() {
        for code in page(&path).code() {
            let word = code.split_whitespace().next().unwrap_or_default();
            let is_path = folders.iter().any(|folder| word.starts_with(folder));
            if is_path
                && !word.contains(['*', '<'])
                && !word.chars().any(|c| c.is_ascii_uppercase() && word.contains("NAME"))
            {
                assert!(root().join(word).exists(), "{path} names {word}, which is not there");
                looked_at += 1;
            }
        }
    }
    assert!(looked_at > 20, "{looked_at}");
}

#[test]
fn the_readme_is_at_most_two_hundred_lines_long() {
    let lines = page("README.md").text.lines().count();
    assert!(lines <= 200, "{lines}");
}

/// The fields of records in a source, without those that are never written.
fn fields(source: &str) -> impl Iterator<Item = &str> {
    let lines = source.lines().zip([""].into_iter().chain(source.lines()));
    lines.filter_map(|(line, before)| {
        let (name, _) = line.strip_prefix("    pub ")?.split_once(": ")?;
        (line.ends_with(',') && before.trim() != "#[serde(skip)]").then_some(name)
    })
}

#[test]
fn every_field_of_the_record_is_described() {
    let sources = [
        include_str!("../../src/report/record.rs"),
        include_str!("../../src/report/record/check.rs"),
        include_str!("../../src/report/record/device.rs"),
        include_str!("../../src/report/record/laws.rs"),
        include_str!("../../src/report/record/tick.rs"),
        include_str!("../../src/report/record/timing.rs"),
        include_str!("../../src/report/record/walk.rs"),
        include_str!("../../src/report/offline_record.rs"),
        include_str!("../../src/report/qualification/devices.rs"),
        include_str!("../../src/report/qualification/mutants.rs"),
        include_str!("../../src/report/bandwidth_record.rs"),
        include_str!("../../src/report/codecs_record.rs"),
        include_str!("../../src/report/ledger.rs"),
        include_str!("../../src/report/samples.rs"),
        include_str!("../../src/domain/explorer.rs"),
        include_str!("../../src/domain/finding.rs"),
        include_str!("../../src/domain/law.rs"),
        include_str!("../../src/domain/traffic.rs"),
        include_str!("../../src/domain/fault_count.rs"),
    ];
    let described = page("docs/record.md").code();
    let fields: Vec<&str> = sources.into_iter().flat_map(fields).collect();
    assert!(fields.len() > 150, "{}", fields.len());
    let lost: Vec<&str> = fields.into_iter().filter(|field| !described.iter().any(|code| code == field)).collect();
    assert!(lost.is_empty(), "docs/record.md does not describe {lost:?}");
}

#[test]
fn headings_become_the_anchors_that_github_gives_them() {
    let text = "# One: `two` & 3\n## Again\n```\n# no heading\n```\n## Again\n".to_owned();
    let page = Page { path: "x.md".to_owned(), text };
    assert_eq!(page.anchors(), ["one-two--3", "again", "again-1"]);
}
