//! Devices that our own driver would excuse, since it clears, reads back, asks again or starts again: each is falsified or
//! unavailable all the same, with what was asked and what came.

use std::cell::Cell;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use abench::bus::{Bus, BusError};
use abench::campaign::{self, Plan, replay};
use abench::device::model::{Model, Plants};
use abench::device::registers::{adapter, engine};
use abench::domain::evidence::Evidence;
use abench::domain::verdict::Verdict;
use abench::domain::watch::Unwatched;
use abench::report::record::Record;
use abench::subject::device::BusDevice;
use abench::subject::links::LinkConditions;
use abench::subject::{Conditions, Subjects};

const CTRL: u32 = engine::BASE + engine::CTRL;
const STATUS: u32 = engine::BASE + engine::STATUS;
const COUNT: u32 = engine::BASE + engine::COUNT;
const SEED_HI: u32 = engine::BASE + engine::SEED_HI;
const CYCLES: u32 = engine::BASE + engine::CYCLES;
const RESULT_LO: u32 = engine::BASE + engine::RESULT_LO;
const RD: u32 = adapter::BASE + adapter::RD;
const ADAPTER_STATUS: u32 = adapter::BASE + adapter::STATUS;

/// An access: the word that is written, or none where one is read.
type Access = Option<u32>;

/// A modelled device behind a link, whose every access goes by way of `does`; that gives the word that a read answers with,
/// or why there is no answer.
struct Behind<D> {
    model: Model,
    does: D,
}

impl<D: FnMut(&mut Model, u32, Access) -> Result<u32, BusError>> Bus for Behind<D> {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        (self.does)(&mut self.model, address, None)
    }
    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        (self.does)(&mut self.model, address, Some(word)).map(drop)
    }
    fn elapsed(&self) -> Duration {
        self.model.elapsed()
    }
    fn pause(&mut self, duration: Duration) {
        self.model.pause(duration);
    }
    fn link(&self) -> &str {
        "behind a link"
    }
}

/// What a sound device does.
fn passes(model: &mut Model, address: u32, access: Access) -> Result<u32, BusError> {
    match access {
        Some(word) => model.write(address, word).map(|()| 0),
        None => model.read(address),
    }
}

fn behind(does: impl FnMut(&mut Model, u32, Access) -> Result<u32, BusError> + 'static) -> Subjects {
    let bus = Behind { model: Model::new(8, &Plants::default()), does };
    let device = BusDevice::linked("uartbone:x:1", Box::new(bus), |_| Ok(Evidence::Model)).expect("a device");
    Subjects { devices: vec![device], ..Subjects::default() }
}

/// The recorded run on such a device.
fn recorded(subjects: &mut Subjects) -> Record {
    let scenario = abench::scenario::shipped::find("recorded-65537").expect("it is shipped").expect("it is sound");
    let scenario = abench::experiment::valid::Valid::of(scenario).expect("it passes");
    let conditions = Conditions { threads: NonZeroUsize::MIN, faults: Vec::new(), link: LinkConditions::default() };
    let plan = Plan { scenario, backends: Vec::new(), conditions };
    campaign::run(&plan, subjects, &mut Unwatched)
}

/// Makes a device anew, since each keeps a state of its own.
type Make = Box<dyn Fn() -> Subjects>;

/// Every such device, by what is wrong with it.
fn excused() -> Vec<(&'static str, Make)> {
    let device = |name, make: Make| (name, make);
    vec![
        device(
            "it is right only after CTRL clear",
            Box::new(|| {
                let cleared = Rc::new(Cell::new(true));
                behind(move |model, address, access| {
                    let word = access.unwrap_or(0);
                    if address == CTRL && word & engine::CLEAR != 0 {
                        cleared.set(true);
                    } else if address == CTRL && word & engine::START != 0 && !cleared.replace(false) {
                        // What is due is one delta more.
                        let count = model.read(COUNT)?;
                        model.write(COUNT, count.wrapping_add(1))?;
                    }
                    passes(model, address, access)
                })
            }),
        ),
        device(
            "settings take effect once they are read back",
            Box::new(|| {
                let written = Rc::new(Cell::new(None));
                behind(move |model, address, access| {
                    if address == COUNT {
                        match access {
                            Some(word) => {
                                written.set(Some(word));
                                return Ok(0);
                            }
                            None => {
                                if let Some(word) = written.take() {
                                    model.write(COUNT, word)?;
                                }
                            }
                        }
                    }
                    passes(model, address, access)
                })
            }),
        ),
        device(
            "COUNT is taken when it is written for the second time",
            Box::new(|| {
                let written = Rc::new(Cell::new(None));
                behind(move |model, address, access| match access {
                    Some(word) if address == COUNT && written.replace(Some(word)) != Some(word) => Ok(0),
                    _ => passes(model, address, access),
                })
            }),
        ),
        device(
            "the first START after COUNT was set to 7 is ignored",
            Box::new(|| {
                let ignores = Rc::new(Cell::new(false));
                behind(move |model, address, access| {
                    // Of one COUNT alone: each START that is ignored is waited for.
                    if let (COUNT, Some(word)) = (address, access) {
                        ignores.set(word == 7);
                    }
                    let starts = address == CTRL && access.is_some_and(|word| word & engine::START != 0);
                    if starts && ignores.replace(false) {
                        return Ok(0);
                    }
                    passes(model, address, access)
                })
            }),
        ),
        device(
            "the first read of a result is wrong",
            Box::new(|| {
                let read = Rc::new(Cell::new(false));
                behind(move |model, address, access| {
                    if address == CTRL && access.is_some() {
                        read.set(false);
                    }
                    let first = address == RESULT_LO && access.is_none() && !read.replace(true);
                    Ok(passes(model, address, access)? ^ u32::from(first))
                })
            }),
        ),
        device(
            "CTRL says done all the time",
            Box::new(|| {
                behind(|model, address, access| {
                    let lies = if address == CTRL && access.is_none() { engine::DONE } else { 0 };
                    Ok(passes(model, address, access)? | lies)
                })
            }),
        ),
        device(
            "STATUS says done, and never busy, once a run was started",
            Box::new(|| {
                let started = Rc::new(Cell::new(false));
                behind(move |model, address, access| {
                    started.set(started.get() || address == CTRL && access.is_some_and(|word| word & 1 != 0));
                    let word = passes(model, address, access)?;
                    let lies = started.get() && address == STATUS && access.is_none();
                    Ok(if lies { word & !engine::BUSY | engine::DONE } else { word })
                })
            }),
        ),
        device(
            "a seed bit that the recorded seed does not use is stuck",
            Box::new(|| {
                behind(|model, address, access| {
                    let sticks = address == SEED_HI;
                    passes(model, address, access.map(|word| if sticks { word & !(1 << 29) } else { word }))
                })
            }),
        ),
        device(
            "CYCLES is right only if the results were read before it",
            Box::new(|| {
                let results_read = Rc::new(Cell::new(false));
                behind(move |model, address, access| {
                    if address == CTRL && access.is_some() {
                        results_read.set(false);
                    }
                    if address == RESULT_LO {
                        results_read.set(true);
                    }
                    let wrong = address == CYCLES && access.is_none() && !results_read.get();
                    Ok(passes(model, address, access)? ^ u32::from(wrong))
                })
            }),
        ),
        device(
            "a smaller COUNT than that of the run before is not taken",
            Box::new(|| {
                let kept = Rc::new(Cell::new(0));
                behind(move |model, address, access| match access {
                    // CTRL clear takes it back, which a client never writes.
                    Some(word) if address == CTRL && word & engine::CLEAR != 0 => {
                        kept.set(0);
                        passes(model, address, access)
                    }
                    Some(word) if address == COUNT && word < kept.get() => Ok(0),
                    Some(word) if address == COUNT => {
                        kept.set(word);
                        passes(model, address, access)
                    }
                    _ => passes(model, address, access),
                })
            }),
        ),
        device(
            "RD is right only if STATUS was read right before it",
            Box::new(|| {
                let status_read = Rc::new(Cell::new(false));
                behind(move |model, address, access| {
                    let wrong = address == RD && !status_read.get();
                    status_read.set(address == ADAPTER_STATUS);
                    Ok(passes(model, address, access)? ^ u32::from(wrong))
                })
            }),
        ),
    ]
}

#[test]
fn what_our_driver_does_for_safety_makes_no_wrong_device_right() {
    let mut unavailable = Vec::new();
    for (name, make) in excused() {
        let mut subjects = make();
        let record = recorded(&mut subjects);
        if let Some(told) = &record.unavailable {
            // It gave no answer in time: what was asked and what came is told, and what was made until then is kept.
            assert!(told.contains("a run ") && told.contains("status register reads"), "{name}: {told}");
            assert!(record.checks.iter().any(|check| check.name == "bank sweep"), "{name}: {:?}", record.checks);
            unavailable.push(name);
            continue;
        }
        assert_eq!(record.verdict, Verdict::Falsified, "{name}: {}, {:?}", record.reason, record.checks);
        let findings = record.checks.iter().flat_map(|check| &check.findings);
        let accusing: Vec<_> = findings.filter(|finding| finding.reproducible).collect();
        assert!(accusing.iter().all(|finding| finding.expected != finding.got), "{name}: {accusing:?}");
        // What is found is found again by its case, on the device as the run left it: a board is not made anew either.
        let replays = accusing.iter().any(|finding| {
            let case = finding.case.parse().expect("a case");
            let replayed = replay::case(&case, &mut subjects, &mut Unwatched);
            replayed.is_ok_and(|replayed| replayed.verdict == Verdict::Falsified)
        });
        // What this one takes depends on what was written last before the case.
        let depends = name == "COUNT is taken when it is written for the second time";
        assert!(replays || depends, "{name}: {accusing:?}");
    }
    // The first goes on with the COUNT of an earlier run, for longer than it is waited for.
    let expected =
        ["settings take effect once they are read back", "the first START after COUNT was set to 7 is ignored"];
    assert!(unavailable.iter().all(|name| expected.contains(name)), "{unavailable:?}");
}

#[test]
fn a_device_that_dies_leaves_the_record_of_what_was_done_until_then_wherever_it_dies() {
    let accesses = Rc::new(Cell::new(0u32));
    let counted = Rc::clone(&accesses);
    let whole = recorded(&mut behind(move |model, address, access| {
        counted.set(counted.get() + 1);
        passes(model, address, access)
    }));
    assert_eq!((whole.verdict, whole.unavailable.clone()), (Verdict::Holds, None), "{whole:?}");
    let names = |record: &Record| record.checks.iter().map(|check| check.name.clone()).collect::<Vec<_>>();
    let (all, all_names) = (accesses.get(), names(&whole));
    let mut last_made = Vec::new();
    for share in 1..40 {
        let (dies_at, made) = (all / 40 * share, Cell::new(0));
        let mut subjects = behind(move |model, address, access| {
            made.set(made.get() + 1);
            if made.get() > dies_at {
                return Err(BusError::on("behind a link", "the far end closed the link"));
            }
            passes(model, address, access)
        });
        let record = recorded(&mut subjects);
        let told = record.unavailable.clone().unwrap_or_else(|| panic!("{share}: it died"));
        assert!(told.contains("the far end closed the link"), "{share}: {told}");
        assert_eq!(record.verdict, Verdict::Inconclusive, "{share}");
        let done = names(&record);
        assert!(all_names.starts_with(&done), "{share}: {done:?} of {all_names:?}");
        last_made.push(done.len());
    }
    assert!(last_made.is_sorted() && last_made[0] < last_made[last_made.len() - 1], "{last_made:?}");
}
