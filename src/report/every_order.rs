//! Walks over every order, as text: what they covered, and the two ways that disagree side by side.

use std::collections::BTreeSet;

use crate::domain::evidence::Evidence;
use crate::domain::hex::Hex64;
use crate::report::record::{WalkRecord, WayRecord};
use crate::report::text::Text;

impl Text {
    pub(super) fn walks(&mut self, walks: &[WalkRecord]) {
        if walks.is_empty() {
            return;
        }
        let evidence: BTreeSet<Evidence> = walks.iter().map(|walk| walk.evidence).collect();
        let alike = evidence.len() == 1;
        let of = |evidence: Evidence| format!(" (evidence {evidence})");
        let of_all = walks.first().filter(|_| alike).map_or(String::new(), |walk| of(walk.evidence));
        self.heading(&format!("coverage, exactly{of_all}"));
        for walk in walks {
            let WalkRecord { check, evidence, proved, of: all, merges, sets, .. } = walk;
            let of_walk = if alike { String::new() } else { of(*evidence) };
            let covered =
                format!("{check}{of_walk}: {proved} of {all} schedules proved; {merges} deliveries, {sets} sets");
            self.paragraph("  - ", 4, &covered);
        }
        for walk in walks {
            if let [first, second] = &walk.ways[..] {
                self.heading(&format!("two ways that disagree: {}", walk.check));
                self.ways(first, second);
            }
        }
    }

    fn ways(&mut self, first: &WayRecord, second: &WayRecord) {
        let cell = |way: &WayRecord, place: usize| {
            way.deltas.get(place).map_or(String::new(), |(index, value)| format!("delta {index} {value}"))
        };
        self.pair("delivered", "one way", "another");
        for place in 0..first.deltas.len().max(second.deltas.len()) {
            self.pair(&format!("#{}", place + 1), &cell(first, place), &cell(second, place));
        }
        self.pair("state", &first.state.to_string(), &second.state.to_string());
        let difference = first.state.0 ^ second.state.0;
        let bytes: Vec<String> =
            (0..8).filter(|byte| difference >> (8 * byte) & 0xFF != 0).map(|byte: u32| byte.to_string()).collect();
        self.line(&format!("  {:<10} {}", "difference", Hex64(difference)));
        self.paragraph("", 2, &format!("differing bytes, of which 0 is the lowest: {}", bytes.join(", ")));
    }
}
