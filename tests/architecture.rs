//! The map in `lib.rs` is true: a folder uses the rows above its own, and nothing beside or below it.

use std::fs;
use std::path::{Path, PathBuf};

/// The rows of the map, read from its text: module and row.
fn rows() -> Vec<(String, u32)> {
    let map = include_str!("../src/lib.rs");
    let rows = map.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("//! | ")?.split(" | ");
        let row = cells.next()?.parse().ok()?;
        let module = cells.next()?.strip_prefix("[`")?.strip_suffix("`]")?;
        Some((module.to_owned(), row))
    });
    rows.collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}

/// The modules that a source names after `crate::`, its tests included.
fn used(source: &str) -> impl Iterator<Item = &str> {
    source.split("crate::").skip(1).map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn every_module_is_on_the_map() {
    let on_map: Vec<String> = rows().into_iter().map(|(module, _)| module).collect();
    let declared =
        include_str!("../src/lib.rs").lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    let mut declared: Vec<&str> = declared.collect();
    let mut mapped: Vec<&str> = on_map.iter().map(String::as_str).collect();
    declared.sort_unstable();
    mapped.sort_unstable();
    assert_eq!(mapped, declared);
}

#[test]
fn every_folder_uses_only_the_rows_above_its_own() {
    let rows = rows();
    let row_of = |module: &str| rows.iter().find(|(name, _)| name == module).map(|(_, row)| *row);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for path in sources(&root) {
        let inside = path.strip_prefix(&root).expect("it is below src").with_extension("");
        let module = inside.iter().next().expect("a name").to_string_lossy().into_owned();
        let Some(own) = row_of(&module) else { continue };
        let source = fs::read_to_string(&path).expect("a source");
        for name in used(&source) {
            looked_at += 1;
            match row_of(name) {
                Some(row) if row < own || name == module => {}
                _ => wrong.push(format!("{} (row {own}) uses {name}", inside.display())),
            }
        }
    }
    assert!(looked_at > 100, "the sources were read");
    assert!(wrong.is_empty(), "{wrong:#?}");
}
