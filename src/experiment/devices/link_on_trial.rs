//! The link, before a device is accused over it: whether words come back as they were written.
//!
//! A wrong answer that comes twice is the device's, if what lies between does not damage words. Some links have no checksum
//! of their own (Etherbone, UARTBone), and one that damages every other message can show the same wrong answer twice. Knows:
//! the checks that were made. Must not: judge what a device computes.

use std::collections::BTreeMap;

use crate::domain::count::counted;
use crate::domain::judge::Judge;
use crate::domain::seed::Seed;
use crate::domain::subject::{Device, SubjectError};
use crate::domain::verdict::Verdict;
use crate::domain::watch::{Unwatched, Watch};
use crate::experiment::control::device::WrongDevice;
use crate::experiment::control::{Control, Show, Shown, bits};
use crate::experiment::timed;
use crate::report::record::{Check, Part, Record};
use crate::subject::Subjects;

/// Name of the check.
pub const LINK: &str = "link";

/// Words of 64 bits that are written and read back.
const WORDS: usize = 256;

/// What became of those words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Echoes {
    /// Written.
    pub words: usize,
    /// Came back otherwise, and not in the same way when they were written again: that is the link's doing.
    pub damaged: usize,
    /// Came back otherwise, twice in the same way: that is the doing of the registers.
    pub kept_otherwise: usize,
}

/// Tries the link of every device that a check accuses, and takes the accusations back where it damages words, or gives
/// out after it had lost some.
pub fn judge(subjects: &mut Subjects, record: &mut Record, watch: &mut dyn Watch) -> Result<(), SubjectError> {
    for device in subjects.all_devices_mut() {
        if !record.checks.iter().any(|check| accuses(check, device.name())) {
            continue;
        }
        let (heard, ended) = hear(device, record, watch);
        if let Some(check) = heard {
            settle(record, device.name(), check);
        }
        ended?;
    }
    Ok(())
}

/// Tries the link of a device that is accused: the check of it, unless there is no link, and why it ended early.
pub fn hear(
    device: &mut dyn Device,
    record: &mut Record,
    watch: &mut dyn Watch,
) -> (Option<Check>, Result<(), SubjectError>) {
    let heard = timed(record, LINK, |_| listen(device, watch));
    let (verdict, summary) = match &heard {
        Ok(None) => return (None, Ok(())),
        Ok(Some(echoes)) => judged(*echoes),
        Err(SubjectError::Unavailable(_)) if device.link_events().made_good > 0 => {
            let often = counted(device.link_events().made_good, "answer");
            let summary = format!(
                "the link gave out, after {often} that came only at a second try: what is wrong may be its doing. Try \
                 again over a better one"
            );
            (Verdict::Inconclusive, summary)
        }
        Err(error) => return (None, Err(error.clone())),
    };
    (Some(check(device, verdict, summary)), heard.map(drop))
}

/// Adds the check of a link, and takes back what the other checks have against the device behind it, where the link is
/// doubtful.
pub fn settle(record: &mut Record, device: &str, check: Check) {
    let verdict = check.verdict;
    record.checks.push(check);
    if verdict == Verdict::Inconclusive {
        record.checks.iter_mut().for_each(|check| take_back(check, device));
        record.causes.retain(|cause| cause.device != device);
    }
}

/// Has words come back, each of which is written once more if it is not as it was; nothing where no link lies between.
pub fn listen(device: &mut dyn Device, watch: &mut dyn Watch) -> Result<Option<Echoes>, SubjectError> {
    if device.echo(0)?.is_none() {
        return Ok(None);
    }
    let mut stream = Seed::new(0).stream(LINK);
    let mut echoes = Echoes::default();
    watch.begin(LINK, WORDS as u64);
    watch.unit("words");
    for _ in 0..WORDS {
        if watch.stop_requested() {
            return Err(SubjectError::Interrupted);
        }
        let word = stream.word();
        let came = device.echo(word)?;
        if came != Some(word) {
            let is_kept = device.echo(word)? == came;
            *(if is_kept { &mut echoes.kept_otherwise } else { &mut echoes.damaged }) += 1;
        }
        echoes.words += 1;
        watch.advance(1);
    }
    watch.end();
    Ok(Some(echoes))
}

/// What the link did, in words; nothing if it did nothing.
pub fn doubt(echoes: Echoes) -> Option<String> {
    let Echoes { words, damaged, .. } = echoes;
    (damaged > 0).then(|| {
        format!(
            "the link damaged {damaged} of {} that were written to registers and read back: what is wrong may be its \
             doing. Try again over a better one",
            counted(words as u64, "word")
        )
    })
}

fn judged(echoes: Echoes) -> (Verdict, String) {
    if let Some(doubt) = doubt(echoes) {
        return (Verdict::Inconclusive, doubt);
    }
    let Echoes { words, kept_otherwise, .. } = echoes;
    let came = format!("{} were written to registers and came back", counted(words as u64, "word"));
    let summary = match kept_otherwise {
        0 => format!("{came}: what is wrong is not its doing"),
        some => format!("{came}, {some} of them otherwise and twice the same, which is the doing of the registers"),
    };
    (Verdict::Holds, summary)
}

fn check(device: &dyn Device, verdict: Verdict, summary: String) -> Check {
    Check {
        name: LINK.to_owned(),
        part: Part::Link,
        judge: Judge::Link,
        subjects: BTreeMap::from([(device.name().to_owned(), device.evidence())]),
        verdict,
        summary,
        oracles: BTreeMap::new(),
        warrant: None,
        orders: None,
        tries: Vec::new(),
        findings: Vec::new(),
    }
}

/// Whether what a check found wrong is this device's, and came again.
pub fn accuses(check: &Check, device: &str) -> bool {
    let accused = check.findings.iter().any(|finding| finding.subject == device && finding.reproducible);
    check.verdict == Verdict::Falsified && accused
}

/// Takes back what a check has against this device. What it has against others stands.
fn take_back(check: &mut Check, device: &str) {
    let against_others = check.findings.iter().any(|finding| finding.subject != device && finding.reproducible);
    if accuses(check, device) && !against_others {
        check.verdict = Verdict::Inconclusive;
        let falsified = check.oracles.values_mut().filter(|verdict| **verdict == Verdict::Falsified);
        falsified.for_each(|verdict| *verdict = Verdict::Inconclusive);
    }
}

/// What is planted for the judge of links.
pub const CONTROLS: &[Control] = &[Control {
    judge: Judge::Link,
    planted: "each bit of one echoed word damaged, in each word in turn",
    show: Show::Alone(show_link),
}];

fn show_link() -> Shown {
    let wrong = bits().enumerate().map(|(place, mask)| (4 * place as u64 + 1, mask));
    Shown::of((0, 0), wrong, |(place, mask)| {
        let mut device = WrongDevice::in_echoes(move |echo| if echo == place { mask } else { 0 });
        let echoes = listen(&mut device, &mut Unwatched).expect("software answers").expect("it has registers");
        match judged(echoes).0 {
            // A damaged word accuses the link, which leaves the device in doubt.
            Verdict::Inconclusive => Verdict::Falsified,
            verdict => verdict,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::evidence::Evidence;
    use crate::domain::execution::AdapterOp;
    use crate::domain::finding::{Finding, Quantity};
    use crate::domain::hex::Hex64;
    use crate::domain::oracle::OracleId;
    use crate::domain::subject::{DeviceIdentity, Subject};
    use crate::domain::watch::Unwatched;

    /// A device behind a link that does this to the words that come back; it gets how many came before.
    struct Echoing {
        identity: DeviceIdentity,
        came: u64,
        back: fn(u64, u64) -> Option<u64>,
    }

    impl Subject for Echoing {
        fn name(&self) -> &str {
            "far"
        }

        fn evidence(&self) -> Evidence {
            Evidence::Model
        }

        fn longest_order(&self) -> u64 {
            0
        }

        fn reset(&mut self) -> Result<(), SubjectError> {
            Ok(())
        }

        fn deliver(&mut self, _arrivals: &[u64]) -> Result<(), SubjectError> {
            Ok(())
        }

        fn observe(&mut self) -> Result<u64, SubjectError> {
            Ok(0)
        }
    }

    impl Device for Echoing {
        fn identity(&self) -> &DeviceIdentity {
            &self.identity
        }

        fn operate(&mut self, _ops: &[AdapterOp]) -> Result<Vec<u64>, SubjectError> {
            Ok(Vec::new())
        }

        fn echo(&mut self, word: u64) -> Result<Option<u64>, SubjectError> {
            self.came += 1;
            Ok((self.back)(self.came, word))
        }
    }

    fn echoing(back: fn(u64, u64) -> Option<u64>) -> Echoing {
        Echoing { identity: DeviceIdentity { version: 2, banks: 8, link: "far".into() }, came: 0, back }
    }

    fn heard(back: fn(u64, u64) -> Option<u64>) -> Option<Echoes> {
        listen(&mut echoing(back), &mut Unwatched).expect("it answers")
    }

    #[test]
    fn a_word_that_comes_back_otherwise_once_is_damaged_and_one_that_does_so_twice_is_kept_otherwise() {
        let whole = Echoes { words: 256, damaged: 0, kept_otherwise: 0 };
        assert_eq!(heard(|_, word| Some(word)), Some(whole));
        assert_eq!(heard(|came, word| Some(word ^ u64::from(came == 100))), Some(Echoes { damaged: 1, ..whole }));
        assert_eq!(heard(|came, word| Some(word ^ came)), Some(Echoes { damaged: 256, ..whole }), "never the same");
        let stuck = heard(|_, word| Some(word | 1)).expect("there is a link");
        assert_eq!(stuck.damaged, 0);
        assert!((100..156).contains(&stuck.kept_otherwise), "half of the words have a 0 there: {stuck:?}");
        assert_eq!(heard(|_, _| None), None);
    }

    fn accusing(subject: &str) -> Check {
        let finding = Finding {
            subject: subject.to_owned(),
            evidence: Evidence::Model,
            during: "x".to_owned(),
            quantity: Quantity::Result,
            expected: Hex64(1),
            got: Hex64(2),
            reproducible: true,
            oracle: OracleId::Truth,
            case: "x".to_owned(),
            size: "x".to_owned(),
        };
        let oracles = BTreeMap::from([(OracleId::Truth, Verdict::Falsified), (OracleId::Cycles, Verdict::Holds)]);
        let sound = check(&echoing(|_, word| Some(word)), Verdict::Holds, String::new());
        Check { name: "x".into(), verdict: Verdict::Falsified, oracles, findings: vec![finding], ..sound }
    }

    #[test]
    fn what_a_check_has_against_a_device_is_taken_back_and_what_it_has_against_others_stands() {
        let mut taken = accusing("far");
        take_back(&mut taken, "far");
        assert_eq!(taken.verdict, Verdict::Inconclusive);
        assert_eq!(taken.oracles.values().copied().collect::<Vec<_>>(), [Verdict::Holds, Verdict::Inconclusive]);
        let mut both = accusing("far");
        both.findings.extend(accusing("scalar").findings);
        for (mut check, of) in [(accusing("scalar"), "far"), (both, "far")] {
            let before = check.clone();
            take_back(&mut check, of);
            assert_eq!(check, before);
        }
    }

    #[test]
    fn a_sound_link_and_registers_that_are_wrong_let_an_accusation_stand() {
        let of = |damaged, kept_otherwise| judged(Echoes { words: 256, damaged, kept_otherwise });
        insta::assert_debug_snapshot!([of(0, 0), of(0, 9), of(3, 0)]);
    }
}
