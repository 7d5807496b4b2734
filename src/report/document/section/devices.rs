//! The devices that were used.

use crate::report::document::{Block, Cell, Column, Section, Table};
use crate::report::record::{DeviceRecord, Record};

/// A row a device, and what happened on its link.
pub fn section(record: &Record) -> Option<Section> {
    if record.devices.is_empty() {
        return None;
    }
    let columns = ["device", "evidence", "what it is", "link, and opening"].map(Column::words);
    let rows = record.devices.iter().map(|device| {
        let DeviceRecord { name, evidence, version, banks, link, link_events, opening } = device;
        let events: Vec<&str> = link_events.iter().chain(opening).map(String::as_str).collect();
        let events = if events.is_empty() { "nothing to report".to_owned() } else { events.join("; ") };
        vec![Cell::text(name), Cell::text(evidence), Cell::text(identity(*version, *banks, link)), Cell::text(events)]
    });
    let table = Table::prose("Devices that were used", columns, rows);
    Section::detail("devices", "Devices", vec![Block::Table(table)])
}

/// What a device says of itself, and how it is reached.
pub fn identity(version: u32, banks: u32, link: &str) -> String {
    match banks {
        0 => format!("no bench engine, and nothing tells its version, reached {link}"),
        _ => format!("version {version}, banks {banks}, reached {link}"),
    }
}
