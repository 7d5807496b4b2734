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

/// The names of all engines, and their modules, read from the registry's source.
fn engines() -> Vec<(String, String)> {
    let registry = include_str!("../src/engine/mod.rs");
    let entries = registry.split("..Registration::of(").skip(1).filter(|entry| entry.trim_start().starts_with('"'));
    let between = |text: &str, from: &str, to: &str| {
        let rest = text.split_once(from)?.1;
        Some(rest.split_once(to)?.0.to_owned())
    };
    let of_entry = |entry: &str| {
        let name = between(entry, "\"", "\"")?;
        Some((name.clone(), name.replace('-', "_")))
    };
    entries.filter_map(of_entry).collect()
}

/// The code of a source without its tests and its comments.
fn product(source: &str) -> String {
    let code = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Files that are compiled for tests alone: what a module says after `#[cfg(test)]`.
fn is_of_tests(path: &Path, root: &Path) -> bool {
    path.ancestors().take_while(|folder| *folder != root).any(|file| {
        let (Some(name), Some(folder)) = (file.file_stem().and_then(|name| name.to_str()), file.parent()) else {
            return false;
        };
        let parents = [folder.join("mod.rs"), folder.with_extension("rs"), folder.join("lib.rs")];
        parents.iter().filter_map(|parent| fs::read_to_string(parent).ok()).any(|parent| {
            ["mod", "pub mod", "pub(crate) mod", "pub(super) mod"]
                .iter()
                .any(|form| parent.contains(&format!("#[cfg(test)]\n{form} {name};")))
        })
    })
}

#[test]
fn no_file_outside_an_engines_own_folder_names_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let engines = engines();
    assert!(engines.len() >= 10 && engines.iter().any(|(name, _)| name == "delta-state"), "{engines:?}");
    let (mut wrong, mut looked_at) = (Vec::new(), 0);
    for path in sources(&root) {
        if path.ends_with("engine/mod.rs") || path.ends_with("baseline/mod.rs") || is_of_tests(&path, &root) {
            continue;
        }
        let code = product(&fs::read_to_string(&path).expect("a source"));
        looked_at += 1;
        for (name, module) in &engines {
            let is_own = path.components().any(|part| {
                let part = Path::new(&part).with_extension("");
                part.as_os_str() == module.as_str()
            });
            let named = code.contains(&format!("\"{name}\"")) || code.contains(&format!("{module}::"));
            // Maelstrom has a workload of this name.
            let is_workload = path.ends_with("domain/offline.rs") && name == "pn-counter";
            if named && !is_own && !is_workload {
                wrong.push(format!("{} names {name}", path.strip_prefix(&root).expect("it is below src").display()));
            }
        }
    }
    assert!(looked_at > 150, "the sources were read");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_file_asks_which_kind_of_trial_it_has() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let asks = |line: &str| {
        let Some((before, after)) = line.split_once("Trial::") else { return false };
        let kind = after.split_once(|c: char| !c.is_ascii_alphanumeric()).map_or(after, |(kind, _)| kind);
        let is_kind = [
            "Standard",
            "Tick",
            "Laws",
            "EveryOrder",
            "EveryDelivery",
            "Offline",
            "CrashEverywhere",
            "Bandwidth",
            "Codecs",
            "Curves",
        ]
        .contains(&kind);
        is_kind
            && (after.contains("=>") || before.contains("let ") && !before.contains('=') || before.contains("matches!"))
    };
    assert!(asks("    Trial::Tick(trial) => trial.seed,") && asks("matches!(trial, Trial::Laws(_))"));
    assert!(asks("if let Trial::Offline(trial) = &scenario.trial {") && !asks("Scenario::unnamed(Trial::Tick(trial))"));
    let mut wrong = Vec::new();
    for path in sources(&root) {
        let source = fs::read_to_string(&path).expect("a source");
        if !is_of_tests(&path, &root) {
            let lines = product(&source).lines().filter(|line| asks(line)).map(str::to_owned).collect::<Vec<_>>();
            wrong.extend(lines.into_iter().map(|line| format!("{}: {line}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The parts of a record that one kind of trial has alone, and what holds what they are made of.
const OF_ONE_KIND: [&str; 13] = [
    ".ticks",
    ".walks",
    ".laws",
    ".offline",
    ".everywhere",
    "record.deliveries",
    ".bandwidth",
    ".codecs",
    ".curves",
    "bandwidth_record::",
    "codecs_record::",
    "curves_record::",
    "LawsRecord",
];

/// What a source of the sections and screens that every run has reads of one kind of trial.
fn of_one_kind(code: &str) -> Vec<&'static str> {
    OF_ONE_KIND.into_iter().filter(|part| code.contains(part)).collect()
}

#[test]
fn a_section_of_one_kind_of_trial_is_in_the_folder_of_its_experiment() {
    assert_eq!(of_one_kind("let laws = record.laws.as_ref()?;"), [".laws"]);
    assert_eq!(of_one_kind("record.checks.iter(); record.timing.deliveries;"), Vec::<&str>::new());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    // Planted mutants are of worlds and of walks; the verdict says in which world it was found.
    let of_several = [
        ("document/section/mutants.rs", [".offline", ".everywhere"].as_slice()),
        ("document/section/verdict.rs", &[".offline"]),
    ];
    let common = [sources(&root.join("report/document/section")), sources(&root.join("report/first_screen"))].concat();
    let common: Vec<PathBuf> = common.into_iter().chain([root.join("report/document/run.rs")]).collect();
    assert!(common.len() > 15, "{common:?}");
    for path in &common {
        let allowed = of_several.iter().find(|(name, _)| path.ends_with(name)).map_or(&[][..], |(_, parts)| *parts);
        let code = product(&fs::read_to_string(path).expect("a source"));
        let wrong: Vec<&str> = of_one_kind(&code).into_iter().filter(|part| !allowed.contains(part)).collect();
        assert!(wrong.is_empty(), "{} reads {wrong:?}: move it to src/experiment/<kind>/section.rs", path.display());
    }
    let kinds = [
        "standard",
        "tick",
        "laws",
        "every_order",
        "every_delivery",
        "world",
        "crash",
        "bandwidth",
        "codecs",
        "curves",
    ];
    for kind in kinds {
        let folder = root.join("experiment").join(kind);
        let homes = [folder.join("section.rs"), folder.join("section/mod.rs")];
        let view = homes.iter().find_map(|home| fs::read_to_string(home).ok()).expect("a section");
        assert!(view.contains("impl View for "), "{kind}");
    }
}
