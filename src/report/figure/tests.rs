use std::path::Path;

use roxmltree::Document;

use super::*;
use crate::domain::traffic::Traffic;
use crate::report::offline_record::{EngineRecord, PartRecord};
use crate::report::record::DensityRecord;

/// A record that the repository keeps.
pub(crate) fn kept(name: &str) -> Record {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("results").join(name).with_extension("json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All records that the repository keeps, by name; not those of qualifications.
pub(crate) fn shipped() -> Vec<(String, Record)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("results");
    let paths = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let records = paths.filter_map(|path| {
        let text = std::fs::read_to_string(&path).ok()?;
        let name = path.file_stem()?.to_string_lossy().into_owned();
        text.contains("\"abench-record\"").then(|| (name.clone(), kept(&name)))
    });
    let mut records: Vec<(String, Record)> = records.collect();
    records.sort_by(|one, other| one.0.cmp(&other.0));
    records
}

/// A record with all that figures can show.
fn whole() -> Record {
    let mut record = kept("edge-outage");
    for (place, engine) in (1..).zip(&mut record.offline.as_mut().expect("a world").engines) {
        engine.bound_bytes = Some(4321);
        let part =
            |part: u64| PartRecord { bytes: 900 * place + 10 * part, metadata_bytes: 70 * part, edits: 10 + part };
        engine.over_time = (0..8).map(part).collect();
    }
    record.ticks = kept("tick").ticks;
    record.ticks[0].by_density = [1, 26, 256]
        .map(|changed| DensityRecord {
            changed,
            message_bytes: 23 + 9 * u64::from(changed),
            bound_tenths: 81 * u64::from(changed),
        })
        .to_vec();
    record.bank_sweeps = kept("bank-sweep").bank_sweeps;
    record.checks.extend(kept("hub-set-back").checks);
    record
}

fn titled<'a>(figures: &'a [Figure], start: &str) -> &'a Figure {
    figures.iter().find(|figure| figure.title.starts_with(start)).unwrap_or_else(|| panic!("no figure {start}"))
}

/// The cells of the column with this head.
fn column<'a>(figure: &'a Figure, head: &str) -> Vec<&'a str> {
    let place = figure
        .table
        .columns
        .iter()
        .position(|column| column.head == head)
        .unwrap_or_else(|| panic!("no column {head}"));
    figure.table.rows.iter().map(|row| row[place].text.as_str()).collect()
}

/// A text of a drawing, and about where it begins and ends, in units.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) y: f64,
    pub(crate) words: String,
}

/// The level texts of a drawing.
pub(crate) fn texts(svg: &str) -> Vec<Text> {
    let document = Document::parse(svg).expect("well-formed");
    let is_level = |node: &roxmltree::Node| node.has_tag_name("text") && node.attribute("transform").is_none();
    let text = |node: roxmltree::Node| {
        let place = |name: &str| node.attribute(name).and_then(|place| place.parse().ok()).expect("a number");
        let words = node.text().unwrap_or_default().to_owned();
        let (x, wide): (f64, f64) = (place("x"), f64::from(svg::width(&words)) / 10.0);
        let left = match node.attribute("text-anchor") {
            Some("end") => x - wide,
            Some("middle") => x - wide / 2.0,
            _ => x,
        };
        Text { left, right: left + wide, y: place("y"), words }
    };
    document.descendants().filter(is_level).map(text).collect()
}

/// The svg is one well-formed element of the parts that drawings are made of, with its role, its title and its text alternative.
fn is_drawn(figure: &Figure) {
    let document = Document::parse(&figure.svg).unwrap_or_else(|error| panic!("{}: {error}", figure.title));
    let root = document.root_element();
    assert_eq!((root.tag_name().name(), root.attribute("role")), ("svg", Some("img")));
    let said = |name: &str| {
        root.children().find(|node| node.has_tag_name(name)).and_then(|node| node.text().map(str::to_owned))
    };
    assert!(said("title").is_some_and(|title| !title.is_empty()) && said("desc").is_some_and(|alt| !alt.is_empty()));
    let view: Vec<f64> =
        root.attribute("viewBox").expect("a box").split(' ').map(|number| number.parse().expect("a number")).collect();
    let allowed = ["svg", "title", "desc", "text", "polyline", "polygon", "circle"];
    for node in document.descendants().filter(|node| node.is_element()) {
        assert!(allowed.contains(&node.tag_name().name()), "{}: {node:?}", figure.title);
        let (x, y) = (node.attribute("x").or(node.attribute("cx")), node.attribute("y").or(node.attribute("cy")));
        for (place, most) in [(x, view[2]), (y, view[3])] {
            let place: f64 = place.map_or(0.0, |place| place.parse().expect("a number"));
            assert!((0.0..=most).contains(&place), "{}: {node:?} outside of {view:?}", figure.title);
        }
    }
    let texts = texts(&figure.svg);
    for (place, text) in texts.iter().enumerate() {
        assert!(text.left >= 0.0 && text.right <= view[2], "{}: {text:?} is cut off by {view:?}", figure.title);
        let on = |other: &&Text| (text.y - other.y).abs() < 8.0 && text.left < other.right && other.left < text.right;
        let other = texts[..place].iter().find(on);
        assert!(other.is_none(), "{}: {text:?} stands on {other:?}", figure.title);
    }
    for number in ["#000", "#fff", "black", "white", "NaN", "inf"] {
        assert!(!figure.svg.contains(&format!("'{number}")), "{}: {number}", figure.title);
    }
    assert!(figure.table.rows.iter().all(|row| row.len() == figure.table.columns.len()), "{}", figure.title);
    assert!(!figure.table.rows.is_empty() && !figure.alt.is_empty());
}

#[test]
fn figures_come_in_their_order_and_only_those_that_a_record_has_data_for() {
    let titles: Vec<String> = of(&whole()).into_iter().map(|figure| figure.title).collect();
    insta::assert_debug_snapshot!(titles);
    let none = Record { ticks: Vec::new(), bank_sweeps: Vec::new(), checks: Vec::new(), ..kept("tick") };
    assert_eq!(of(&none), []);
}

#[test]
fn every_figure_of_every_record_is_drawn_and_the_same_each_time() {
    let mut drawn = 0;
    for (name, record) in shipped().into_iter().chain([("whole".to_owned(), whole())]) {
        let figures = of(&record);
        figures.iter().for_each(is_drawn);
        assert_eq!(figures, of(&record), "{name}");
        drawn += figures.len();
    }
    assert!(drawn > 100, "{drawn}");
}

#[test]
fn the_table_of_bytes_has_the_numbers_of_the_record_and_the_drawing_shows_them() {
    let record = whole();
    let engines = &record.offline.as_ref().expect("a world").engines;
    let figures = of(&record);
    let figure = titled(&figures, "Bytes by engine");
    let both = |engine: &EngineRecord| engine.up.total() + engine.down.total();
    for engine in engines {
        let place = column(figure, "engine").iter().position(|name| *name == engine.name).expect("its row");
        let cell = |head: &str| column(figure, head)[place].to_owned();
        let share =
            engine.of_full_state_per_mille.map(|share| format!("{}.{}", share / 10, share % 10)).expect("a share");
        assert_eq!(
            [cell("up, B"), cell("down, B"), cell("both, B"), cell("wrong registers"), cell("stored, B")],
            [engine.up.total(), engine.down.total(), both(engine), engine.wrong_registers.into(), engine.stored]
                .map(|number| number.to_string())
        );
        assert_eq!([cell("of full state, %"), cell("verdict")], [share.clone(), engine.verdict.to_string()]);
        assert_eq!(cell("information bound, B"), "4321");
        assert!(figure.svg.contains(&format!(">{} B, {share} %<", both(engine))), "{}", engine.name);
    }
    assert!(figure.svg.contains("information bound") && figure.svg.contains("full state"));
}

#[test]
fn an_interrupted_run_shows_no_percentage() {
    let figures = of(&Record { interrupted: true, ..whole() });
    let figure = titled(&figures, "Bytes by engine");
    assert!(column(figure, "of full state, %").iter().all(|cell| *cell == "-"));
    assert!(!figure.svg.contains('%') || figure.svg.matches('%').count() == 1, "only the width of the drawing");
}

#[test]
fn the_tables_of_ticks_densities_and_history_have_the_numbers_of_the_record() {
    let record = whole();
    let figures = of(&record);
    let tick = &record.ticks[0];
    let parts = column(titled(&figures, "Bytes of the published tick"), "bytes");
    let bytes = [
        tick.value_bytes,
        tick.addressing_bytes,
        tick.framing_bytes,
        tick.id_bytes,
        tick.checksum_bytes,
        tick.message_bytes,
        tick.full_state_bytes,
    ];
    assert_eq!(parts[..7], bytes.map(|bytes| bytes.to_string()));
    assert_eq!(parts[7..], ["172.2", "169.7"]);
    let density = titled(&figures, "Bytes against change density");
    assert_eq!(column(density, "contexts that change"), ["1", "26", "256"]);
    assert_eq!(column(density, "of all, %"), ["0.391", "10.156", "100"]);
    assert_eq!(column(density, "message, B"), ["32", "257", "2327"]);
    let history = titled(&figures, "Bytes against history");
    let engines = &record.offline.as_ref().expect("a world").engines;
    let parts = engines.iter().flat_map(|engine| &engine.over_time);
    let totals: Vec<String> = parts.clone().map(|part| part.bytes.to_string()).collect();
    assert_eq!(column(history, "all bytes, B"), totals);
    assert_eq!(column(history, "edits"), parts.map(|part| part.edits.to_string()).collect::<Vec<_>>());
}

#[test]
fn the_tables_of_staleness_and_banks_have_the_numbers_of_the_record() {
    let record = whole();
    let figures = of(&record);
    let staleness = titled(&figures, "Staleness by engine");
    let engines = &record.offline.as_ref().expect("a world").engines;
    let p99: Vec<String> = engines.iter().map(|engine| engine.staleness_ms.p99.to_string()).collect();
    assert_eq!(column(staleness, "p99, ms"), p99);
    let longest: Vec<String> = engines.iter().map(|engine| engine.staleness_ms.max.to_string()).collect();
    assert_eq!(column(staleness, "longest, ms"), longest);
    let banks = titled(&figures, "Cycles and rate by banks");
    assert_eq!(column(banks, "cycles"), ["65537", "32769", "16385", "8193"]);
    assert_eq!(column(banks, "speed-up"), ["1.00", "1.99", "3.99", "7.99"]);
    assert_eq!(column(banks, "ok"), ["yes"; 4]);
}

#[test]
fn a_wrong_row_of_a_bank_sweep_is_another_mark_and_told() {
    let mut record = kept("bank-sweep");
    record.bank_sweeps[0].rows[2].ok = false;
    record.bank_sweeps[0].rows[2].cycles = 0;
    let figures = of(&record);
    let banks = titled(&figures, "Cycles and rate by banks");
    is_drawn(banks);
    assert!(banks.alt.contains("1 of 4 rows are wrong"), "{}", banks.alt);
    assert_eq!(column(banks, "deltas a cycle")[2], "-");
    assert!(banks.svg.contains("result or cycles wrong"));
}

#[test]
fn a_world_in_which_nothing_moved_is_drawn_too() {
    let mut record = whole();
    for engine in &mut record.offline.as_mut().expect("a world").engines {
        (engine.up, engine.down, engine.bound_bytes) = (Traffic::default(), Traffic::default(), Some(0));
        engine.staleness_ms.p50 = 0;
        engine.over_time.iter_mut().for_each(|part| part.bytes = 0);
    }
    of(&record).iter().for_each(is_drawn);
}

#[test]
fn a_counterexample_is_a_chart_of_its_steps_and_subjects_that_fail_alike_share_it() {
    let hub = of(&kept("hub-set-back"));
    let chart = titled(&hub, "Counterexample: delta-summary: monotonic");
    assert_eq!(column(chart, "what happens")[..2], ["a backup of hub is taken", "client 0 edits register 1: +1"]);
    assert_eq!(column(chart, "after")[6], "2 s");
    assert_eq!(column(chart, "in a scenario file")[5], "{ connect = \"client 1\", after_s = 1 }");
    for name in ["client 0", "client 1", "hub", "client 1 disconnects"] {
        assert!(chart.svg.contains(&format!(">{name}<")), "{name}");
    }
    let tally = of(&kept("field-tally"));
    let shared: Vec<&str> =
        tally.iter().map(|figure| figure.title.as_str()).filter(|t| t.starts_with("Counter")).collect();
    insta::assert_debug_snapshot!(shared);
}

#[test]
fn a_mutant_that_slips_through_stands_out_in_the_matrix() {
    let mut record = whole();
    let mutants = &mut record.offline.as_mut().expect("a world").mutants;
    mutants[2].caught_by.clear();
    let name = format!("{} in {}", mutants[2].mutant, mutants[2].engine);
    let figures = of(&record);
    let matrix = titled(&figures, "Mutants of engines by judge");
    assert_eq!(column(matrix, "in all").iter().filter(|cell| **cell == "survived").count(), 1);
    assert!(matrix.alt.ends_with(&format!("Not killed: {name}.")), "{}", matrix.alt);
    assert!(matrix.svg.contains(">survived<"));
    assert_eq!(column(matrix, "truth")[0], "killed");
}

#[test]
fn names_of_a_hostile_record_stay_text() {
    const HOSTILE: &str = "</text><script>alert(1)</script>\u{0}\u{202e}'\"&";
    let mut record = whole();
    let world = record.offline.as_mut().expect("a world");
    world.engines.iter_mut().for_each(|engine| engine.name = HOSTILE.to_owned());
    world.mutants.iter_mut().for_each(|mutant| mutant.mutant = HOSTILE.into());
    record.bank_sweeps[0].device = HOSTILE.to_owned();
    let findings = record.checks.iter_mut().flat_map(|check| &mut check.findings);
    findings.for_each(|finding| (finding.subject, finding.during) = (HOSTILE.into(), HOSTILE.into()));
    let figures = of(&record);
    figures.iter().for_each(is_drawn);
    assert!(figures.len() >= 8 && figures.iter().all(|figure| !figure.svg.contains("<script")));
}
