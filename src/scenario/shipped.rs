//! The scenarios that come with abench, embedded in the binary.

use crate::scenario::Scenario;
use crate::scenario::file::{self, ScenarioError};

/// Name and text of every shipped scenario, in the order in which they are listed.
pub const SHIPPED: &[(&str, &str)] = &[
    ("recorded-65537", include_str!("../../scenarios/recorded-65537.toml")),
    ("recorded-1000003", include_str!("../../scenarios/recorded-1000003.toml")),
    ("bank-sweep", include_str!("../../scenarios/bank-sweep.toml")),
    ("conformance", include_str!("../../scenarios/conformance.toml")),
    ("tick", include_str!("../../scenarios/tick.toml")),
    ("bandwidth-tick", include_str!("../../scenarios/bandwidth-tick.toml")),
    ("every-order", include_str!("../../scenarios/every-order.toml")),
    ("field-tags", include_str!("../../scenarios/field-tags.toml")),
    ("field-labels", include_str!("../../scenarios/field-labels.toml")),
    ("field-stock", include_str!("../../scenarios/field-stock.toml")),
    ("shop-stock", include_str!("../../scenarios/shop-stock.toml")),
    ("field-records", include_str!("../../scenarios/field-records.toml")),
    ("field-text", include_str!("../../scenarios/field-text.toml")),
    ("field-claims", include_str!("../../scenarios/field-claims.toml")),
    ("field-cases", include_str!("../../scenarios/field-cases.toml")),
    ("typed-at-one-place", include_str!("../../scenarios/typed-at-one-place.toml")),
    ("job-number-twice", include_str!("../../scenarios/job-number-twice.toml")),
    ("job-j42", include_str!("../../scenarios/job-j42.toml")),
    ("case-c19", include_str!("../../scenarios/case-c19.toml")),
    ("authority-set-back", include_str!("../../scenarios/authority-set-back.toml")),
    ("recreated-record", include_str!("../../scenarios/recreated-record.toml")),
    ("half-a-year-of-records", include_str!("../../scenarios/half-a-year-of-records.toml")),
    ("edited-after-a-month", include_str!("../../scenarios/edited-after-a-month.toml")),
    ("one-clock-ahead", include_str!("../../scenarios/one-clock-ahead.toml")),
    ("field-bandwidth", include_str!("../../scenarios/field-bandwidth.toml")),
    ("field-tally", include_str!("../../scenarios/field-tally.toml")),
    ("shop-inventory", include_str!("../../scenarios/shop-inventory.toml")),
    ("duplicate-storm", include_str!("../../scenarios/duplicate-storm.toml")),
    ("clock-skew", include_str!("../../scenarios/clock-skew.toml")),
    ("density-256", include_str!("../../scenarios/density-256.toml")),
    ("density-4096", include_str!("../../scenarios/density-4096.toml")),
    ("month-offline", include_str!("../../scenarios/month-offline.toml")),
    ("edge-outage", include_str!("../../scenarios/edge-outage.toml")),
    ("no-server", include_str!("../../scenarios/no-server.toml")),
    ("wiped-device", include_str!("../../scenarios/wiped-device.toml")),
    ("cloned-device", include_str!("../../scenarios/cloned-device.toml")),
    ("old-backup", include_str!("../../scenarios/old-backup.toml")),
    ("set-back-to-the-start", include_str!("../../scenarios/set-back-to-the-start.toml")),
    ("imaged-twice", include_str!("../../scenarios/imaged-twice.toml")),
    ("retired-devices", include_str!("../../scenarios/retired-devices.toml")),
    ("damaged-store", include_str!("../../scenarios/damaged-store.toml")),
    ("cloned-peer", include_str!("../../scenarios/cloned-peer.toml")),
    ("two-stores-lost", include_str!("../../scenarios/two-stores-lost.toml")),
    ("dead-nodes-memory", include_str!("../../scenarios/dead-nodes-memory.toml")),
    ("backup-older-than-horizon", include_str!("../../scenarios/backup-older-than-horizon.toml")),
    ("cloned-peer-backlog", include_str!("../../scenarios/cloned-peer-backlog.toml")),
    ("hub-set-back", include_str!("../../scenarios/hub-set-back.toml")),
    ("kills-31", include_str!("../../scenarios/kills-31.toml")),
    ("kills-70", include_str!("../../scenarios/kills-70.toml")),
    ("cut-off-for-ten-hours", include_str!("../../scenarios/cut-off-for-ten-hours.toml")),
    ("bad-line", include_str!("../../scenarios/bad-line.toml")),
    ("two-relays", include_str!("../../scenarios/two-relays.toml")),
    ("three-peers", include_str!("../../scenarios/three-peers.toml")),
    ("wiped-peer", include_str!("../../scenarios/wiped-peer.toml")),
    ("many-restarts", include_str!("../../scenarios/many-restarts.toml")),
    ("full-store", include_str!("../../scenarios/full-store.toml")),
    ("refused-connections", include_str!("../../scenarios/refused-connections.toml")),
    ("frozen-process", include_str!("../../scenarios/frozen-process.toml")),
    ("starts-over", include_str!("../../scenarios/starts-over.toml")),
    ("bare-values", include_str!("../../scenarios/bare-values.toml")),
    ("token-expired-offline", include_str!("../../scenarios/token-expired-offline.toml")),
    ("expired-sign-ins", include_str!("../../scenarios/expired-sign-ins.toml")),
    ("dropped-messages", include_str!("../../scenarios/dropped-messages.toml")),
    ("slow-line", include_str!("../../scenarios/slow-line.toml")),
    ("killed-while-it-pulls", include_str!("../../scenarios/killed-while-it-pulls.toml")),
    ("hub-set-back-b-a-c", include_str!("../../scenarios/hub-set-back-b-a-c.toml")),
    ("deleted-before-reinstall", include_str!("../../scenarios/deleted-before-reinstall.toml")),
    ("killed-between-two-writes", include_str!("../../scenarios/killed-between-two-writes.toml")),
    ("hub-lost-after-new-phone", include_str!("../../scenarios/hub-lost-after-new-phone.toml")),
    ("frozen-leader", include_str!("../../scenarios/frozen-leader.toml")),
    ("full-while-online", include_str!("../../scenarios/full-while-online.toml")),
    ("nothing-listens", include_str!("../../scenarios/nothing-listens.toml")),
    ("short-lived-replicas", include_str!("../../scenarios/short-lived-replicas.toml")),
    ("short-lived-writers", include_str!("../../scenarios/short-lived-writers.toml")),
    ("curves", include_str!("../../scenarios/curves.toml")),
    ("every-delivery", include_str!("../../scenarios/every-delivery.toml")),
    ("maelstrom-broadcast", include_str!("../../scenarios/maelstrom-broadcast.toml")),
    ("maelstrom-g-set", include_str!("../../scenarios/maelstrom-g-set.toml")),
    ("maelstrom-g-counter", include_str!("../../scenarios/maelstrom-g-counter.toml")),
    ("maelstrom-pn-counter", include_str!("../../scenarios/maelstrom-pn-counter.toml")),
    ("crash-everywhere", include_str!("../../scenarios/crash-everywhere.toml")),
    ("crash-summary", include_str!("../../scenarios/crash-summary.toml")),
    ("crash-while-connected", include_str!("../../scenarios/crash-while-connected.toml")),
    ("crash-tags", include_str!("../../scenarios/crash-tags.toml")),
    ("crash-labels", include_str!("../../scenarios/crash-labels.toml")),
    ("crash-stock", include_str!("../../scenarios/crash-stock.toml")),
    ("crash-text", include_str!("../../scenarios/crash-text.toml")),
    ("crash-claims", include_str!("../../scenarios/crash-claims.toml")),
    ("crash-cases", include_str!("../../scenarios/crash-cases.toml")),
    ("crash-records", include_str!("../../scenarios/crash-records.toml")),
    ("walk-labels", include_str!("../../scenarios/walk-labels.toml")),
    ("walk-claims", include_str!("../../scenarios/walk-claims.toml")),
    ("walk-cases", include_str!("../../scenarios/walk-cases.toml")),
    ("walk-stock", include_str!("../../scenarios/walk-stock.toml")),
    ("walk-text", include_str!("../../scenarios/walk-text.toml")),
    ("walk-records", include_str!("../../scenarios/walk-records.toml")),
    ("crash-and-late", include_str!("../../scenarios/crash-and-late.toml")),
    ("crash-again", include_str!("../../scenarios/crash-again.toml")),
    ("laws", include_str!("../../scenarios/laws.toml")),
];

/// What a shipped scenario is, in a sentence without its full stop: the comment that its file begins with.
pub fn headline(text: &str) -> &str {
    let first = text.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default();
    first.strip_suffix('.').unwrap_or(first)
}

/// The shipped scenario with this name, if there is one.
pub fn find(name: &str) -> Option<Result<Scenario, ScenarioError>> {
    let (name, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == name)?;
    Some(file::parse(text, name, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_in_scenarios_is_shipped_and_can_be_read() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder of scenarios")
            .map(|entry| entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned())
            // The claims on trial are beside the scenarios that try them.
            .filter(|name| name != "claims")
            .collect();
        files.sort();
        let mut shipped: Vec<&str> = SHIPPED.iter().map(|(name, _)| *name).collect();
        shipped.sort_unstable();
        assert_eq!(files, shipped);
        for name in shipped {
            let scenario = find(name).expect("it is shipped").expect("it can be read");
            assert!(scenario.expect.is_some(), "{name} expects something");
            assert!(!scenario.about.is_empty(), "{name} says what it is");
            let (_, text) = SHIPPED.iter().find(|(shipped, _)| *shipped == name).expect("it is shipped");
            assert!(!headline(text).is_empty(), "{name} begins with a comment that says what it is");
        }
    }
}
