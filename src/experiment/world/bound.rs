//! The information bound of a world: the bytes that it takes to say once what must be said, where all choices are alike.
//!
//! Every client must get what the others changed, and with a hub, the hub what each client changed. To say it takes
//! which of the registers were changed, the receiver knowing how many, and of each at least what one edit's amount takes:
//! a sum of several amounts takes no less. Only edits of counters that must count are counted. That replicas get more than
//! once, as users come and go, is left out, so what is sent by a protocol that syncs more than once is well above the bound.

use crate::domain::history::{Fate, Ledger, UserEdit};
use crate::domain::offline::OfflineTrial;

/// The bound in bytes, both ways; nothing for a world that is written down, whose edits are no choices, or for one with labels,
/// stocks or records, of which nobody knows what must be said.
pub(super) fn bytes(trial: &OfflineTrial, ledger: &Ledger) -> Option<u64> {
    if trial.is_scripted()
        || ledger.is_empty()
        || trial.labels.registers + trial.stocks.registers + trial.records.registers > 0
    {
        return None;
    }
    // The lists of clients come first.
    let by_client = ledger.by_device.get(..trial.clients as usize)?;
    let registers = trial.registers;
    let changed = |edits: &Vec<UserEdit>| distinct(edits.iter(), registers);
    let by_client: Vec<Vec<u32>> = by_client.iter().map(changed).collect();
    let mut changed_by = vec![0u32; registers as usize];
    by_client.iter().flatten().for_each(|&register| changed_by[register as usize] += 1);
    let changed_at_all = changed_by.iter().filter(|&&clients| clients > 0).count() as u64;
    let bits = |changed: u64| bits(trial, changed);
    let of_client = |registers: &Vec<u32>| {
        let alone = registers.iter().filter(|&&register| changed_by[register as usize] == 1).count() as u64;
        let up = if trial.hub { bits(registers.len() as u64) } else { 0.0 };
        up + bits(changed_at_all - alone)
    };
    let all: f64 = by_client.iter().map(of_client).sum();
    // What the logarithms are off by must not cost a byte.
    Some(libm::ceil(all / 8.0 - 1e-6) as u64)
}

/// The counters that edits which must count change.
fn distinct<'a>(edits: impl Iterator<Item = &'a UserEdit>, registers: u32) -> Vec<u32> {
    let counts = edits.filter(|edit| edit.fate == Fate::Binding && edit.amount() != 0 && edit.register < registers);
    let mut changed: Vec<u32> = counts.map(|edit| edit.register).collect();
    changed.sort_unstable();
    changed.dedup();
    changed
}

/// Bits that say which of the registers were changed, and by how much.
fn bits(trial: &OfflineTrial, changed: u64) -> f64 {
    let amounts = f64::from(trial.workload.most.max(1)) * if trial.workload.decrements { 2.0 } else { 1.0 };
    // Where some registers are changed more often than others, it takes less to name them.
    let places = match trial.workload.zipf_hundredths {
        Some(_) => 0.0,
        None => choices(u64::from(trial.registers), changed),
    };
    places + changed as f64 * libm::log2(amounts)
}

/// The logarithm to base 2 of the number of ways to choose so many of these.
fn choices(of: u64, chosen: u64) -> f64 {
    // libm's logarithm gives the same bits on every machine, which the platform's own need not.
    let ln_factorial = |n: u64| libm::lgamma(n as f64 + 1.0);
    ((ln_factorial(of) - ln_factorial(chosen) - ln_factorial(of - chosen)) / std::f64::consts::LN_2).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Intent;
    use crate::domain::offline::Workload;
    use crate::domain::seed::Seed;

    fn edits(registers: &[u32]) -> Vec<UserEdit> {
        let edit = |&register| UserEdit { at: 0, register, intent: Intent::Increase(1), fate: Fate::Binding };
        registers.iter().map(edit).collect()
    }

    fn trial(hub: bool, most: u32) -> OfflineTrial {
        let workload = Workload { ticks: 1, changed: 1, most, decrements: true, zipf_hundredths: None };
        OfflineTrial { registers: 16, hub, workload, ..OfflineTrial::of(Seed::new(1), 2) }
    }

    #[test]
    fn one_of_16_registers_and_one_of_256_amounts_take_12_bits_to_the_hub_and_12_to_the_other_client() {
        let ledger = Ledger::of_counters(16, 0, vec![edits(&[3, 3, 3]), Vec::new()]);
        assert_eq!(bytes(&trial(true, 128), &ledger), Some(3));
        assert_eq!(bytes(&trial(false, 128), &ledger), Some(2), "12 bits, without a hub");
    }

    #[test]
    fn what_both_changed_is_told_to_both() {
        let ledger = Ledger::of_counters(16, 0, vec![edits(&[3]), edits(&[3])]);
        assert_eq!(bytes(&trial(true, 128), &ledger), Some(6));
    }

    #[test]
    fn edits_that_may_be_missing_and_worlds_that_are_written_down_have_no_bound() {
        let mut lost = edits(&[3]);
        lost[0].fate = Fate::Unshared;
        assert_eq!(bytes(&trial(true, 128), &Ledger::of_counters(16, 0, vec![lost, Vec::new()])), Some(0));
        let step = crate::domain::script::Step { after: 1, action: crate::domain::script::Action::Pass };
        let scripted = OfflineTrial { steps: vec![step], ..trial(true, 128) };
        assert_eq!(bytes(&scripted, &Ledger::of_counters(16, 0, vec![edits(&[3]), Vec::new()])), None);
    }

    #[test]
    fn choices_are_counted_and_not_only_near() {
        assert!((choices(256, 20) - 97.82).abs() < 0.02, "{}", choices(256, 20));
        assert_eq!([choices(7, 0), choices(7, 7)], [0.0, 0.0]);
    }
}
