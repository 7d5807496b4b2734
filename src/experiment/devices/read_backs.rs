//! What our driver read back otherwise than it had written it, when it opened a device and when it set a run.
//!
//! The driver goes on with such a device, and the wrong register may change no result of the run. So the report tells it,
//! and the device is falsified: the word came back wrong in the same way each time. Whether the link is to blame is the
//! business of [`crate::experiment::devices::link_on_trial`].

use std::collections::BTreeMap;

use crate::domain::access::Access;
use crate::domain::count::counted;
use crate::domain::execution::Execution;
use crate::domain::finding::{Finding, Quantity};
use crate::domain::hex::Hex64;
use crate::domain::judge::Judge;
use crate::domain::subject::{Device, Misread};
use crate::domain::verdict::Verdict;
use crate::experiment::case_text;
use crate::experiment::standard::conformance::ORACLE;
use crate::oracle::registers::{Known, first_wrong_word};
use crate::report::record::{Check, Part, Record};

/// Name of the check.
pub const READ_BACKS: &str = "read-backs";

/// Adds a falsified check for a device of which the driver misread a register.
pub fn judge(device: &dyn Device, record: &mut Record) {
    let findings: Vec<Finding> = device.misreads().iter().filter_map(|&misread| finding(device, misread)).collect();
    if findings.is_empty() {
        return;
    }
    record.checks.push(Check {
        name: READ_BACKS.to_owned(),
        judge: Judge::Conformance,
        part: Part::Engine,
        subjects: BTreeMap::from([(device.name().to_owned(), device.evidence())]),
        verdict: Verdict::Falsified,
        summary: format!(
            "the driver read back {} otherwise than it had written it, each several times in the same way",
            counted(findings.len() as u64, "word")
        ),
        oracles: BTreeMap::from([(ORACLE, Verdict::Falsified)]),
        warrant: None,
        orders: None,
        tries: Vec::new(),
        findings,
    });
}

/// What the documents say of a word that was read back; nothing if they allow it.
fn finding(device: &dyn Device, misread: Misread) -> Option<Finding> {
    let Misread { register, wrote, read } = misread;
    let accesses = vec![Access::Write(register, wrote), Access::See(register)];
    let wrong = first_wrong_word(Known::of(device.identity(), false, false), &accesses, &[read])?;
    Some(Finding {
        subject: device.name().to_owned(),
        evidence: device.evidence(),
        during: format!("{} written and read back by the driver", register.name()),
        quantity: Quantity::Word,
        expected: Hex64(wrong.expected.into()),
        got: Hex64(wrong.got.into()),
        reproducible: true,
        oracle: ORACLE,
        case: case_text(device, Execution::Registers(accesses)),
        size: "2 accesses; there is nothing smaller".to_owned(),
    })
}
