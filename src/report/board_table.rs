//! The board's table, as dashboards read it: byte for byte as the board's own tool prints it, but for the evidence in
//! the header line.

use std::fmt::Write;

use crate::domain::shown::ratio;
use crate::domain::verdict::Verdict;
use crate::report::record::{BankSweep, DeviceRecord};

/// The table of one device's bank sweep. The words that dashboards take for a green light are in it only if this verdict is
/// `holds`: that of the whole run, and of this sweep.
pub fn render(device: &DeviceRecord, sweep: &BankSweep, verdict: Verdict) -> String {
    let mut table = String::new();
    let mut line = |text: String| writeln!(table, "{text}").expect("a string takes every text");
    let DeviceRecord { version, banks, evidence, .. } = device;
    line(format!("ATOMiK parallel-bench  v{version}  N_BANKS={banks}  evidence={evidence}"));
    line(format!("count={}  seed={}", sweep.count, sweep.seed));
    line(String::new());
    line("banks  hw_cycles   speedup  result              ok".to_owned());
    let single = sweep.rows.first().map_or(0, |row| row.cycles);
    for row in &sweep.rows {
        let ok = if row.ok { "OK" } else { "MISMATCH!" };
        line(format!(
            "{:<7}{:<12}{:<9}{}  {ok}",
            row.banks,
            row.cycles,
            ratio(single.into(), row.cycles.into()),
            row.result
        ));
    }
    line(String::new());
    line(format!("software reference = {}", sweep.expected));
    line(match verdict {
        Verdict::Holds => "VERIFY: ALL MATCH".to_owned(),
        Verdict::Falsified => "VERIFY: FAILED".to_owned(),
        Verdict::Inconclusive => "VERIFY: INCONCLUSIVE".to_owned(),
    });
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::evidence::Evidence;
    use crate::domain::hex::Hex64;
    use crate::report::record::BankRow;

    fn recorded(count: u32, seed: u64, result: u64, cycles: [u32; 4]) -> (DeviceRecord, BankSweep) {
        let rows = [1, 2, 4, 8].into_iter().zip(cycles).map(|(banks, cycles)| BankRow {
            banks,
            cycles,
            expected_cycles: cycles,
            result: Hex64(result),
            ok: true,
        });
        let device = DeviceRecord {
            name: "model".into(),
            evidence: Evidence::Model,
            version: 2,
            banks: 8,
            link: "in-process".into(),
            link_events: Vec::new(),
            opening: Vec::new(),
        };
        let sweep = BankSweep {
            device: "model".into(),
            evidence: Evidence::Model,
            count,
            seed: Hex64(seed),
            expected: Hex64(result),
            rows: rows.collect(),
            missed_sets: 127,
            all_sets: 255,
        };
        (device, sweep)
    }

    #[test]
    fn a_row_that_does_not_match_is_marked_and_the_last_line_says_failed() {
        let (device, mut sweep) = recorded(9, 7, 5, [9, 5, 3, 2]);
        sweep.rows[2].ok = false;
        insta::assert_snapshot!(render(&device, &sweep, Verdict::Falsified));
    }

    #[test]
    fn the_green_words_need_the_verdict_and_not_the_rows() {
        let (device, sweep) = recorded(9, 7, 5, [9, 5, 3, 2]);
        let green = |verdict| render(&device, &sweep, verdict).contains("ALL MATCH");
        assert_eq!([Verdict::Holds, Verdict::Inconclusive, Verdict::Falsified].map(green), [true, false, false]);
    }
}
