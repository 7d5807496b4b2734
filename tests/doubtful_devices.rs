//! A device that does not give the same answer again is not falsified, and not passed either.

use std::time::Duration;

use abench::bus::{Bus, BusError};
use abench::campaign::{Plan, replay};

use abench::device::model::{Model, Plants};
use abench::device::registers::engine;
use abench::domain::access::Access;
use abench::domain::asked::Asked;
use abench::domain::evidence::Evidence;
use abench::domain::execution::{AdapterOp, EngineOutcome, EngineRun};
use abench::domain::seed::Seed;
use abench::domain::subject::{BenchDevice, Device, DeviceIdentity, Subject, SubjectError};
use abench::domain::trial::Budget;
use abench::domain::verdict::{Verdict, Warrant};
use abench::domain::watch::{Unwatched, Watch};
use abench::experiment::standard::arrival_orders::{Workload, searched};
use abench::experiment::standard::{adapter_round_trips, engine_sweeps};
use abench::oracle::equations;
use abench::report::record::Record;
use abench::subject::device::BusDevice;
use abench::subject::{Conditions, Subjects};

/// A modelled device whose answers with these numbers have one bit wrong.
struct Doubtful {
    sound: BusDevice,
    answers: u32,
    wrong: fn(u32) -> bool,
}

impl Doubtful {
    fn new(wrong: fn(u32) -> bool) -> Self {
        let sound = BusDevice::model("model", 8, &[]).expect("the model is there");
        Doubtful { sound, answers: 0, wrong }
    }

    fn disturb(&mut self, word: u64) -> u64 {
        self.answers += 1;
        word ^ u64::from((self.wrong)(self.answers))
    }
}

impl Subject for Doubtful {
    fn name(&self) -> &str {
        "doubtful"
    }
    fn evidence(&self) -> Evidence {
        Evidence::Model
    }
    fn longest_order(&self) -> u64 {
        self.sound.longest_order()
    }
    fn restart(&mut self) -> Result<(), SubjectError> {
        self.sound.restart()
    }
    fn reset(&mut self) -> Result<(), SubjectError> {
        self.sound.reset()
    }
    fn deliver(&mut self, arrivals: &[u64]) -> Result<(), SubjectError> {
        self.sound.deliver(arrivals)
    }
    fn observe(&mut self) -> Result<u64, SubjectError> {
        let word = self.sound.observe()?;
        Ok(self.disturb(word))
    }
}

impl Device for Doubtful {
    fn identity(&self) -> &DeviceIdentity {
        self.sound.identity()
    }
    fn operate(&mut self, ops: &[AdapterOp]) -> Result<Vec<u64>, SubjectError> {
        let shown = self.sound.operate(ops)?;
        Ok(shown.into_iter().map(|word| self.disturb(word)).collect())
    }
}

impl BenchDevice for Doubtful {
    fn run(&mut self, run: EngineRun, watch: &mut dyn Watch) -> Result<EngineOutcome, SubjectError> {
        let outcome = self.sound.run(run, watch)?;
        Ok(EngineOutcome { result: self.disturb(outcome.result), ..outcome })
    }

    fn access(&mut self, accesses: &[Access], watch: &mut dyn Watch) -> Result<Vec<u32>, SubjectError> {
        let shown = self.sound.access(accesses, watch)?;
        Ok(shown.into_iter().map(|word| self.disturb(word.into()) as u32).collect())
    }

    fn asked(&self) -> &Asked {
        self.sound.asked()
    }
}

const SEED: Seed = Seed::new(0xDEAD_BEEF_0BAD_F00D);

fn short_sweep(wrong: fn(u32) -> bool) -> (Verdict, Vec<bool>) {
    let mut device = Doubtful::new(wrong);
    let runs = engine_sweeps::short_runs(8, SEED);
    let sweep = engine_sweeps::observe(&mut device, &runs, equations::right_result, &mut Unwatched).expect("answers");
    let check = engine_sweeps::judge_short_sweep(&device, &sweep, runs.len());
    let mut ended = None;
    let findings = engine_sweeps::findings(&mut device, &sweep, &sweep, None, &mut ended, &mut Unwatched);
    assert_eq!(ended, None);
    (check.verdict, findings.iter().map(|finding| finding.reproducible).collect())
}

#[test]
fn an_engine_result_that_is_wrong_once_is_inconclusive_and_wrong_again_falsified() {
    assert_eq!(short_sweep(|_| false), (Verdict::Holds, vec![]));
    assert_eq!(short_sweep(|answer| answer == 40), (Verdict::Inconclusive, vec![false]));
    assert_eq!(short_sweep(|answer| answer == 40 || answer == 41), (Verdict::Falsified, vec![true]));
    assert_eq!(short_sweep(|_| true), (Verdict::Falsified, vec![true]));
}

fn round_trips(wrong: fn(u32) -> bool) -> (Verdict, Vec<bool>) {
    let mut device = Doubtful::new(wrong);
    let (check, _) = adapter_round_trips::check(&mut device, SEED, &mut Unwatched).expect("answers");
    (check.verdict, check.findings.iter().map(|finding| finding.reproducible).collect())
}

#[test]
fn an_adapter_state_that_is_wrong_once_is_inconclusive_and_wrong_again_falsified() {
    assert_eq!(round_trips(|_| false), (Verdict::Holds, vec![]));
    assert_eq!(round_trips(|answer| answer == 40), (Verdict::Inconclusive, vec![false]));
    // All 1792 reads are answered, and then the operations are repeated up to the 40th.
    assert_eq!(round_trips(|answer| answer == 40 || answer == 1832), (Verdict::Falsified, vec![true]));
}

fn search(wrong: fn(u32) -> bool) -> (Verdict, Vec<bool>) {
    let (seed, budget) = (SEED, Budget::default());
    let workload = Workload {
        scenario: None,
        count: 5,
        seed,
        truth: 0,
        budget,
        memory: 1 << 20,
        banks: 8,
        software: false,
        devices: true,
    };
    let found = searched::check(&mut Doubtful::new(wrong), &workload, &mut Unwatched);
    let searched = Warrant::Searched { steps: 80, sets: 32 };
    let warrant = Some(searched).filter(|_| found.check.verdict == Verdict::Holds);
    assert_eq!((found.ended, found.check.warrant), (None, warrant));
    (found.check.verdict, found.check.findings.iter().map(|finding| finding.reproducible).collect())
}

#[test]
fn a_searched_state_that_is_wrong_once_is_inconclusive_and_wrong_again_falsified() {
    assert_eq!(search(|_| false), (Verdict::Holds, vec![]));
    // The 20th answer is the end of the tenth step.
    assert_eq!(search(|answer| answer == 20), (Verdict::Inconclusive, vec![false]));
    assert_eq!(search(|answer| answer >= 20), (Verdict::Falsified, vec![true]));
}

/// A device behind a link that inverts a bit of those words that it is told to damage, by address and word.
struct Damaging<D> {
    model: Model,
    damages: D,
}

impl<D: FnMut(u32, u32) -> bool> Bus for Damaging<D> {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        self.model.read(address)
    }
    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        let damages = (self.damages)(address, word);
        self.model.write(address, word ^ u32::from(damages))
    }
    fn elapsed(&self) -> Duration {
        self.model.elapsed()
    }
    fn pause(&mut self, duration: Duration) {
        self.model.pause(duration);
    }
    fn link(&self) -> &str {
        "damaging"
    }
}

fn behind_a_link(plants: &Plants, damages: impl FnMut(u32, u32) -> bool + 'static) -> Subjects {
    let bus = Damaging { model: Model::new(8, plants), damages };
    let device = BusDevice::linked("uartbone:x:1", Box::new(bus), |_| Ok(Evidence::Model)).expect("a device");
    Subjects { devices: vec![device], ..Subjects::default() }
}

#[test]
fn a_replay_that_goes_wrong_once_is_inconclusive_and_wrong_again_falsified() {
    // What an engine run is set to is read back, and set again if it is not that: a few damaged words are made good.
    for (case, made_good) in [
        ("case1,uartbone:x:1,engine,count=5,active=1,seed=0x77", 3),
        ("case1,uartbone:x:1,adapter,ops=load:0:0x5+accum:0x77+read", 0),
    ] {
        let replayed = |times| {
            // The first 0x77s that are written, as many as are left.
            let mut left = times;
            let mut subjects = behind_a_link(&Plants::default(), move |_, word| {
                let damages = word == 0x77 && left > 0;
                left -= u32::from(damages);
                damages
            });
            let replayed = replay::case(&case.parse().expect("a case"), &mut subjects, &mut Unwatched);
            replayed.expect("answers")
        };
        (0..=made_good).for_each(|times| assert_eq!(replayed(times).verdict, Verdict::Holds, "{case}"));
        let once = replayed(made_good + 1);
        assert_eq!(once.verdict, Verdict::Inconclusive, "{case}");
        assert!(once.doubt.is_some_and(|doubt| doubt.contains("came otherwise when the case was repeated")), "{case}");
        assert_eq!(replayed(1000).verdict, Verdict::Falsified, "{case}");
    }
}

/// One with a dead bank, behind a link that damages every so many-th message to the engine's seed registers, if any.
fn with_a_dead_bank(every: u32) -> Subjects {
    let mut sent = 0;
    behind_a_link(&Plants::new(&["dead-bank:0".parse().expect("a fault")]), move |address, _| {
        let is_seed = address == engine::BASE + engine::SEED_LO;
        sent += u32::from(is_seed);
        is_seed && every > 0 && u32::is_multiple_of(sent, every)
    })
}

#[test]
fn a_device_is_accused_over_a_link_that_gives_words_back_and_over_no_other() {
    let scenario = abench::scenario::shipped::find("recorded-65537").expect("it is shipped").expect("it is sound");
    let scenario = abench::experiment::valid::Valid::of(scenario).expect("it passes");
    let conditions = Conditions {
        threads: std::num::NonZeroUsize::MIN,
        faults: Vec::new(),
        link: abench::subject::links::LinkConditions::default(),
    };
    let plan = Plan { scenario, backends: Vec::new(), conditions };
    let ran = |every| abench::campaign::run(&plan, &mut with_a_dead_bank(every), &mut Unwatched);
    let link = |record: &Record| {
        let check = record.checks.iter().find(|check| check.name == "link").expect("the link was on trial");
        (check.verdict, check.summary.clone())
    };
    let sound = ran(0);
    assert_eq!(sound.verdict, Verdict::Falsified);
    assert_eq!(sound.causes.len(), 1);
    assert_eq!(link(&sound).0, Verdict::Holds);
    let noisy = ran(97);
    assert_eq!((noisy.verdict, noisy.causes.len()), (Verdict::Inconclusive, 0));
    let (verdict, summary) = link(&noisy);
    assert_eq!(verdict, Verdict::Inconclusive);
    assert!(summary.starts_with("the link damaged ") && noisy.reason == summary, "{summary}, {}", noisy.reason);
    assert!(noisy.checks.iter().all(|check| check.verdict != Verdict::Falsified));
    let case = "case1,uartbone:x:1,engine,count=1,active=1,seed=0x77".parse().expect("a case");
    let replayed = |every| replay::case(&case, &mut with_a_dead_bank(every), &mut Unwatched).expect("answers");
    assert_eq!(replayed(0).verdict, Verdict::Falsified);
    let doubtful = replayed(97);
    assert_eq!(doubtful.verdict, Verdict::Inconclusive);
    assert!(doubtful.doubt.is_some_and(|doubt| doubt.starts_with("the link damaged ")));
}
