//! The version: with its commit where there is one.

use std::path::Path;
use std::process::Command;

#[path = "../build/commit.rs"]
mod commit;

fn git(folder: &Path, args: &[&str]) -> String {
    let identity = ["-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"];
    let output = Command::new("git").arg("-C").arg(folder).args(identity).args(args).output().expect("git starts");
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}

fn clone() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["commit", "--quiet", "--allow-empty", "--message", "one", "--date", "2026-01-02T03:04:05Z"]);
    folder
}

const PLAIN: &str = "cargo::rustc-env=ABENCH_VERSION=9.8.7";

#[test]
fn a_release_build_in_a_clone_has_the_commit_with_its_date_and_watches_for_another_one() {
    let folder = clone();
    let lines = commit::directives(folder.path(), "9.8.7", "release");
    let commit = git(folder.path(), &["log", "-1", "--abbrev=12", "--format=%h %cs"]);
    assert_eq!(lines[0], format!("{PLAIN} ({commit})"));
    assert_eq!(commit.len(), "abcdef123456 2026-01-02".len());
    let watched: Vec<&str> =
        lines[1..].iter().filter_map(|line| line.strip_prefix("cargo::rerun-if-changed=")).collect();
    assert!(!watched.is_empty() && watched.iter().all(|path| Path::new(path).is_file()), "{watched:?}");
    let contents = || watched.iter().map(|path| std::fs::read(path).expect("a file")).collect::<Vec<_>>();
    let before = contents();
    git(folder.path(), &["commit", "--quiet", "--allow-empty", "--message", "two"]);
    assert_ne!(before, contents(), "a commit changes what is watched");
}

#[test]
fn a_development_build_and_a_build_of_unpacked_sources_have_the_plain_version() {
    let folder = clone();
    assert_eq!(commit::directives(folder.path(), "9.8.7", "debug"), [PLAIN]);
    let within = folder.path().join("vendor");
    std::fs::create_dir(&within).expect("a folder");
    assert_eq!(commit::directives(&within, "9.8.7", "release"), [PLAIN]);
    let elsewhere = tempfile::tempdir().expect("a folder");
    assert_eq!(commit::directives(elsewhere.path(), "9.8.7", "release"), [PLAIN]);
    assert_eq!(commit::directives(&elsewhere.path().join("nowhere"), "9.8.7", "release"), [PLAIN]);
}

#[test]
fn the_binary_prints_its_version_and_the_commit_if_it_has_one() {
    let output = Command::new(env!("CARGO_BIN_EXE_abench")).arg("--version").output().expect("the binary starts");
    let printed = String::from_utf8(output.stdout).expect("text");
    let rest = printed.strip_prefix(concat!("abench ", env!("CARGO_PKG_VERSION"))).expect(&printed).trim_end();
    let commit = rest.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
    assert!(rest.is_empty() || commit.is_some_and(|commit| commit.len() == 23), "{printed}");
}

#[test]
fn the_changelog_has_a_heading_for_what_is_not_released_or_for_this_version() {
    let changelog = include_str!("../CHANGELOG.md");
    let headings = changelog.lines().filter_map(|line| line.strip_prefix("## "));
    let first = headings.map(|heading| heading.split(' ').next().unwrap_or_default()).next();
    assert!(first == Some("[Unreleased]") || first == Some(concat!("[", env!("CARGO_PKG_VERSION"), "]")), "{first:?}");
}
