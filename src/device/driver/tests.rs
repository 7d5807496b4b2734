use super::*;
use crate::bus::{BusError, MARGIN};
use crate::device::mark;
use crate::device::model::{Model, PUBLISHED_BANKS, Plants};
use crate::domain::evidence::Evidence;
use crate::domain::fault::Fault;
use crate::domain::seed::Seed;
use crate::domain::watch::Unwatched;
use std::cell::RefCell;
use std::rc::Rc;

/// A bus whose every word reads the same and whose time passes with each access.
struct Constant {
    word: u32,
    clock: Duration,
}

impl Bus for Constant {
    fn read(&mut self, _address: u32) -> Result<u32, BusError> {
        self.clock += Duration::from_millis(1);
        Ok(self.word)
    }
    fn write(&mut self, _address: u32, _word: u32) -> Result<(), BusError> {
        self.clock += Duration::from_millis(1);
        Ok(())
    }
    fn elapsed(&self) -> Duration {
        self.clock
    }
    fn pause(&mut self, duration: Duration) {
        self.clock += duration;
    }
    fn link(&self) -> &str {
        "constant"
    }
}

fn open_constant(word: u32) -> DriverError {
    match Driver::open(Box::new(Constant { word, clock: Duration::ZERO })) {
        Ok(_) => panic!("a bus that always reads {word:#x} is no device"),
        Err(error) => error,
    }
}

#[test]
fn a_device_that_came_back_as_another_one_is_not_used_on() {
    struct Exchanged(Model, Model, bool);
    impl Bus for Exchanged {
        fn read(&mut self, address: u32) -> Result<u32, BusError> {
            if self.2 { self.1.read(address) } else { self.0.read(address) }
        }
        fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
            // The first thing that is cleared is the last thing that the first device does.
            self.2 |= address == engine::BASE + engine::CTRL;
            self.0.write(address, word).and_then(|()| self.1.write(address, word))
        }
        fn elapsed(&self) -> Duration {
            self.0.elapsed()
        }
        fn pause(&mut self, duration: Duration) {
            self.0.pause(duration);
        }
        fn link(&self) -> &str {
            "exchanged"
        }
    }
    let model = |banks| Model::new(banks, &Plants::default());
    let mut driver = Driver::open(Box::new(Exchanged(model(8), model(4), false))).expect("a device");
    assert_eq!(driver.restart(), Ok(()));
    assert!(matches!(driver.restart(), Err(DriverError::Exchanged { version: 2, banks: 4, .. })));
}

/// A bus whose engine's status reads these words, one after the other and the last one for ever.
struct Statuses(Vec<u32>);

impl Bus for Statuses {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        let looks = address == engine::BASE + engine::STATUS && self.0.len() > 1;
        // What the engine's other registers read is how many looks are left.
        let left = self.0.len() as u32;
        Ok(if looks {
            self.0.remove(0)
        } else if address == engine::BASE + engine::STATUS {
            self.0[0]
        } else {
            left
        })
    }
    fn write(&mut self, _address: u32, _word: u32) -> Result<(), BusError> {
        Ok(())
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
    fn pause(&mut self, _duration: Duration) {}
    fn link(&self) -> &str {
        "statuses"
    }
}

#[test]
fn an_identity_is_taken_once_it_was_told_twice() {
    let told = |words: &[u32]| identify(&mut Statuses(words.to_vec())).map(|(identity, _)| identity.banks).ok();
    assert_eq!(told(&[0, 0x0204_0000, 0x0210_0000, 0x0208_0000]), Some(8));
    let never: Vec<u32> = (1..=TRIES).map(|banks| 0x0200_0000 | banks << 16).collect();
    assert_eq!(told(&never), None);
}

#[test]
fn an_engine_that_says_done_and_busy_is_not_done() {
    let both = engine::DONE | engine::BUSY;
    let mut driver = Driver::of(Box::new(Statuses(vec![both, both, engine::DONE])));
    let run = EngineRun { count: 1, active: 1, seed: Seed::new(1) };
    let outcome = driver.run(run, &mut Unwatched).expect("it is done");
    assert_eq!(outcome.cycles, 1, "no look is left");
}

/// A bus whose adapter's STATUS reads these words, one after the other and the last one for ever; RD reads how many are
/// left.
struct AdapterStatuses(Vec<u32>);

impl Bus for AdapterStatuses {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        if address != adapter::BASE + adapter::STATUS {
            return Ok(self.0.len() as u32);
        }
        Ok(if self.0.len() > 1 { self.0.remove(0) } else { self.0[0] })
    }
    fn write(&mut self, _address: u32, _word: u32) -> Result<(), BusError> {
        Ok(())
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
    fn pause(&mut self, _duration: Duration) {}
    fn link(&self) -> &str {
        "adapter statuses"
    }
}

#[test]
fn a_command_is_done_once_the_adapter_says_that_its_response_is_right_and_that_it_is_idle() {
    for unfinished in [0, adapter::BUSY, adapter::BUSY | adapter::RESPONSE_OK] {
        let statuses = vec![unfinished, unfinished, adapter::RESPONSE_OK];
        let mut driver = Driver::of(Box::new(AdapterStatuses(statuses)));
        assert_eq!(driver.read(), Ok(1 << 32 | 1), "{unfinished}: no status is left when RD is believed");
    }
}

/// What is asked for its mark: what its seed registers give back of what was written, by how often they were read, and all
/// addresses that were read.
struct Asked {
    seed: [u32; 2],
    gives_back: fn(u32, usize) -> u32,
    read: Rc<RefCell<Vec<u32>>>,
}

impl Bus for Asked {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        self.read.borrow_mut().push(address);
        let half = SEED_REGISTERS.iter().position(|register| *register == address).expect("a register that exists");
        Ok((self.gives_back)(self.seed[half], self.read.borrow().len()))
    }
    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        let half = SEED_REGISTERS.iter().position(|register| *register == address).expect("a register that exists");
        self.seed[half] = word;
        Ok(())
    }
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }
    fn pause(&mut self, _duration: Duration) {}
    fn link(&self) -> &str {
        "asked"
    }
}

/// The mark of a device whose seed registers give this back, and how often it was asked for.
fn marked(gives_back: fn(u32, usize) -> u32) -> (Result<Option<Evidence>, DriverError>, usize) {
    let read = Rc::new(RefCell::new(Vec::new()));
    let mut driver = Driver::of(Box::new(Asked { seed: [0; 2], gives_back, read: Rc::clone(&read) }));
    let mark = driver.mark();
    let asked = read.borrow().len() / 2;
    (mark, asked)
}

#[test]
fn the_mark_is_asked_for_once_in_registers_that_every_device_has() {
    // A device gives back what was written.
    assert_eq!(marked(|word, _| word), (Ok(None), 1));
    assert_eq!(marked(|_, _| mark::word(Evidence::RtlSimulation)), (Ok(Some(Evidence::RtlSimulation)), 1));
    // A bit that is stuck is always the same, and no mark; what is never the same comes to an end, too.
    assert_eq!(marked(|word, _| word & !1), (Ok(None), ECHOES as usize));
    assert_eq!(marked(|_, reads| reads as u32), (Ok(None), TRIES as usize));
}

#[test]
fn a_mark_of_which_a_word_is_damaged_is_asked_for_again() {
    let late = |_, reads| if reads > 3 { mark::word(Evidence::Model) } else { reads as u32 };
    assert_eq!(marked(late), (Ok(Some(Evidence::Model)), 3));
    let never_whole = |_, reads| if reads % 2 == 0 { mark::word(Evidence::Model) } else { reads as u32 };
    assert_eq!(marked(never_whole), (Ok(Some(Evidence::Model)), TRIES as usize), "it is not taken for a device");
}

#[test]
fn a_mark_that_is_always_the_same_half_is_unavailable_with_what_was_asked_and_what_came() {
    let halves: [fn(u32, usize) -> u32; 2] = [
        |_, reads| if reads % 2 == 0 { mark::word(Evidence::Model) } else { 0 },
        |word, reads| if reads % 2 == 1 { mark::word(Evidence::Model) } else { word },
    ];
    for gives_back in halves {
        let (mark, asked) = marked(gives_back);
        let told = mark.expect_err("half a mark").to_string();
        assert!(told.contains("0x656d756c6174653f") && told.contains("454d554d"), "{told}");
        assert_eq!(asked, ECHOES as usize);
    }
}

/// A model behind a link that does this to words on their way back, and loses the writes of these numbers.
struct Link<Back> {
    model: Model,
    back: Back,
    lost: Vec<u32>,
    written: u32,
}

impl<Back: Fn(u32) -> u32> Link<Back> {
    fn to_a_model(back: Back) -> Self {
        Link { model: Model::new(PUBLISHED_BANKS, &Plants::default()), back, lost: Vec::new(), written: 0 }
    }
}

impl<Back: Fn(u32) -> u32> Bus for Link<Back> {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        self.model.read(address).map(&self.back)
    }
    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.written += 1;
        if self.lost.contains(&self.written) { Ok(()) } else { self.model.write(address, word) }
    }
    fn write_run(&mut self, address: u32, words: &[u32]) -> Result<(), BusError> {
        // In one message, which is lost as a whole.
        self.written += 1;
        if self.lost.contains(&self.written) { Ok(()) } else { self.model.write_run(address, words) }
    }
    fn elapsed(&self) -> Duration {
        self.model.elapsed()
    }
    fn pause(&mut self, duration: Duration) {
        self.model.pause(duration);
    }
    fn link(&self) -> &str {
        "a link"
    }
}

#[test]
fn a_link_that_changes_some_bytes_is_refused_and_it_is_said_which() {
    let seven_bits = |word: u32| word & 0x7F7F_7F7F;
    let line_ends = |word: u32| u32::from_le_bytes(word.to_le_bytes().map(|byte| if byte == 13 { 10 } else { byte }));
    let escapes = |word: u32| u32::from_le_bytes(word.to_le_bytes().map(|byte| if byte == 255 { 0 } else { byte }));
    let opened = |back: fn(u32) -> u32| Driver::open(Box::new(Link::to_a_model(back))).map(|_| ());
    let told = [seven_bits, line_ends, escapes].map(|back| match opened(back) {
        Err(error @ DriverError::Altered { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    });
    insta::assert_snapshot!(told.join("\n"));
    assert_eq!(opened(|word| word), Ok(()));
}

#[test]
fn whatever_write_is_lost_the_outcome_of_another_run_is_not_taken_for_this_ones() {
    let first = EngineRun { count: 5, active: 1, seed: Seed::new(7) };
    let second = EngineRun { count: 9, active: 2, seed: Seed::new(8) };
    let outcome = |lost: Vec<u32>| {
        let mut driver = Driver::of(Box::new(Link { lost, ..Link::to_a_model(|word| word) }));
        driver.run(first, &mut Unwatched).expect("an outcome");
        driver.run(second, &mut Unwatched).expect("an outcome")
    };
    let right = outcome(Vec::new());
    // A run is cleared, set and started: three messages.
    for lost in 4..=6 {
        assert_eq!(outcome(vec![lost]), right, "message {lost} is lost");
        assert_eq!(outcome(vec![lost, lost + 1]), right, "message {lost} and the next one are lost");
    }
    // Cleared each time, and set by none of three.
    assert_eq!(outcome(vec![5, 7, 9]), right);
}

#[test]
fn an_adapter_whose_wrong_answers_come_in_turns_is_there_and_is_judged() {
    let plants = Plants::new(&[Fault::LoadKeepsAccumulator]);
    let link = Link { model: Model::new(PUBLISHED_BANKS, &plants), ..Link::to_a_model(|word| word) };
    let mut driver = Driver::open(Box::new(link)).expect("what it keeps is nothing yet");
    driver.accumulate(5).expect("it answers");
    assert_eq!(driver.restart(), Ok(()), "it answers with one of two words, neither of them right");
}

#[test]
fn registers_that_do_not_keep_what_is_set_are_judged_by_their_run() {
    // One bit of what is read back is always 0: it is no link that loses.
    struct Stuck(Link<fn(u32) -> u32>, Rc<RefCell<u32>>);
    impl Bus for Stuck {
        fn read(&mut self, address: u32) -> Result<u32, BusError> {
            let word = self.0.read(address)?;
            Ok(if address == engine::BASE + engine::SEED_LO { word & !2 } else { word })
        }
        fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
            *self.1.borrow_mut() += u32::from(address == engine::BASE + engine::CTRL && word == engine::CLEAR);
            self.0.write(address, word)
        }
        fn elapsed(&self) -> Duration {
            self.0.elapsed()
        }
        fn pause(&mut self, duration: Duration) {
            self.0.pause(duration);
        }
        fn link(&self) -> &str {
            "stuck"
        }
    }
    let tries = Rc::new(RefCell::new(0));
    let mut driver =
        Driver::open(Box::new(Stuck(Link::to_a_model(|word| word), Rc::clone(&tries)))).expect("the adapter is sound");
    let run = EngineRun { count: 5, active: 1, seed: Seed::new(7) };
    let mut sound = Driver::of(Box::new(Link::to_a_model(|word| word)));
    assert_eq!(driver.run(run, &mut Unwatched), sound.run(run, &mut Unwatched));
    assert_eq!(*tries.borrow(), ECHOES, "so often the same is enough");
}

#[test]
fn a_bus_without_a_device_is_refused_by_its_identity() {
    for word in [0, u32::MAX, 0x0221_0000, 0x0200_0000, 0x0201_3C00, 0x0208_0004] {
        assert!(matches!(open_constant(word), DriverError::Identity { .. }), "{word:#x}");
    }
}

#[test]
fn an_adapter_that_stays_busy_is_given_up_at_its_deadline() {
    let mut driver = Driver::of(Box::new(Constant { word: 0x0208_0001, clock: Duration::ZERO }));
    let error = driver.select(0).expect_err("it is never done");
    insta::assert_snapshot!(error);
}

/// A model whose engine is busy until a time of this bus, which passes with pauses alone, and what is written to it.
struct BusyUntil {
    model: Model,
    end: Duration,
    clock: Duration,
    in_process: bool,
    written: Rc<RefCell<Vec<u32>>>,
}

impl BusyUntil {
    fn seconds(seconds: u64) -> Self {
        let (model, end) = (Model::new(PUBLISHED_BANKS, &Plants::default()), Duration::from_secs(seconds));
        BusyUntil { model, end, clock: Duration::ZERO, in_process: false, written: Rc::default() }
    }
}

impl Bus for BusyUntil {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        let busy = address == engine::BASE + engine::STATUS && self.clock < self.end;
        Ok(self.model.read(address)? | if busy { engine::BUSY } else { 0 })
    }
    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.written.borrow_mut().push(word);
        // How long the engine is busy is said by this bus.
        if address == engine::BASE + engine::CTRL { Ok(()) } else { self.model.write(address, word) }
    }
    fn elapsed(&self) -> Duration {
        self.clock + self.model.elapsed()
    }
    fn pause(&mut self, duration: Duration) {
        self.clock += duration;
    }
    fn ends_with_its_driver(&self) -> bool {
        self.in_process
    }
    fn link(&self) -> &str {
        "busy"
    }
}

#[test]
fn an_engine_that_runs_something_else_is_waited_for_and_refused_if_it_goes_on() {
    assert!(Driver::open(Box::new(BusyUntil::seconds(3))).is_ok());
    let occupied = BusyUntil::seconds(3600);
    let written = Rc::clone(&occupied.written);
    let error = Driver::open(Box::new(occupied)).err().expect("it is refused");
    insta::assert_snapshot!(error, @"busy: the engine is still busy with a run that was not started here, after 5s (its status register reads 0x02080001). Is another program using the device? A run that was left behind ends by itself after 43s at the most; an engine that is busy for longer needs a reset");
    assert_eq!(*written.borrow(), [0; 0], "and nothing is written to it");
}

#[test]
fn a_device_is_restarted_once_its_engine_is_idle() {
    let mut driver = Driver::open(Box::new(BusyUntil::seconds(0))).expect("a device");
    assert_eq!(driver.restart(), Ok(()));
    let identity = driver.identity().clone();
    let mut driver = Driver::after_reset(Box::new(BusyUntil::seconds(3600)), identity);
    assert!(matches!(driver.restart(), Err(DriverError::Occupied { .. })));
}

/// What was last written by a driver that left a run of 3 s.
fn left_behind(in_process: bool) -> Option<u32> {
    let bus = BusyUntil { in_process, end: Duration::from_secs(3), ..BusyUntil::seconds(0) };
    let written = Rc::clone(&bus.written);
    let identity = DeviceIdentity { version: 2, banks: 8, link: "busy".to_owned() };
    let mut driver = Driver::after_reset(Box::new(bus), identity);
    let run = EngineRun { count: 300_000_000, active: 1, seed: Seed::new(1) };
    assert_eq!(driver.run(run, &mut Stopping), Err(DriverError::Interrupted));
    drop(driver);
    written.borrow().last().copied()
}

#[test]
fn the_end_of_a_run_that_is_left_is_waited_for_as_long_as_it_should_take() {
    assert_eq!(left_behind(false), Some(engine::CLEAR));
}

#[test]
fn a_device_that_ends_with_its_driver_is_not_waited_for() {
    assert_eq!(left_behind(true), Some(engine::START));
}

#[test]
fn a_look_at_the_adapter_that_took_long_is_not_the_last_one() {
    /// A model; its next look at the adapter spends two seconds on a lost byte.
    struct LosesOne(Model, bool);
    impl Bus for LosesOne {
        fn read(&mut self, address: u32) -> Result<u32, BusError> {
            self.0.read(address)
        }
        fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
            self.0.write(address, word)
        }
        fn elapsed(&self) -> Duration {
            self.0.elapsed() + if self.1 { Duration::ZERO } else { 2 * MARGIN }
        }
        fn read_each(&mut self, addresses: &[u32], words: &mut [u32]) -> Result<(), BusError> {
            let status = self.0.read(addresses[0])?;
            assert!(status & adapter::BUSY != 0 || !self.1, "the first look sees it busy");
            self.1 = false;
            words[0] = status;
            addresses.iter().zip(words).skip(1).try_for_each(|(address, word)| {
                *word = self.0.read(*address)?;
                Ok(())
            })
        }
        fn pause(&mut self, duration: Duration) {
            self.0.pause(duration);
        }
        fn link(&self) -> &str {
            "loses one"
        }
    }
    let mut driver = Driver::of(Box::new(LosesOne(Model::new(PUBLISHED_BANKS, &Plants::default()), true)));
    assert_eq!(driver.load(0, 5), Ok(()));
    assert_eq!(driver.read(), Ok(5));
}

#[test]
fn a_start_that_the_link_loses_is_given_again_once() {
    /// A model; as many starts are lost as are left.
    struct LosesStarts(Model, u32);
    impl Bus for LosesStarts {
        fn read(&mut self, address: u32) -> Result<u32, BusError> {
            self.0.read(address)
        }
        fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
            let is_lost = address == engine::BASE + engine::CTRL && word == engine::START && self.1 > 0;
            self.1 -= u32::from(is_lost);
            if is_lost { Ok(()) } else { self.0.write(address, word) }
        }
        fn elapsed(&self) -> Duration {
            self.0.elapsed()
        }
        fn pause(&mut self, duration: Duration) {
            self.0.pause(duration);
        }
        fn link(&self) -> &str {
            "loses starts"
        }
    }
    let cycles = |lost| {
        let bus = LosesStarts(Model::new(PUBLISHED_BANKS, &Plants::default()), lost);
        let run = EngineRun { count: 5, active: 1, seed: Seed::new(1) };
        Driver::of(Box::new(bus)).run(run, &mut Unwatched).map(|outcome| outcome.cycles)
    };
    assert_eq!([cycles(0), cycles(1)], [Ok(5), Ok(5)]);
    assert!(matches!(cycles(2), Err(DriverError::Deadline { status: 0x0208_0000, .. })));
}

#[test]
fn an_engine_that_stays_busy_is_given_up_after_the_expected_time_and_a_margin() {
    let identity = DeviceIdentity { version: 2, banks: 8, link: "constant".to_owned() };
    let mut driver = Driver::after_reset(Box::new(Constant { word: 1, clock: Duration::ZERO }), identity);
    let run = EngineRun { count: 300_000_000, active: 1, seed: Seed::new(1) };
    let Err(DriverError::Deadline { waited, .. }) = driver.run(run, &mut Unwatched) else { panic!("no deadline") };
    // 3 s at 100 MHz, and the margin.
    assert!((4000..4100).contains(&waited.as_millis()), "{waited:?}");
}

/// A model whose clock has half as many cycles per second.
struct HalfClock(Model);

impl Bus for HalfClock {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        self.0.read(address)
    }
    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.0.write(address, word)
    }
    fn elapsed(&self) -> Duration {
        2 * self.0.elapsed()
    }
    fn pause(&mut self, duration: Duration) {
        self.0.pause(duration / 2);
    }
    fn link(&self) -> &str {
        "half the clock"
    }
}

#[test]
fn a_slower_clock_is_waited_for_by_who_is_told_of_it() {
    // 4 s at 50 MHz.
    let run = EngineRun { count: 200_000_000, active: 1, seed: Seed::new(1) };
    let outcome = |clock_hz| {
        let bus = Box::new(HalfClock(Model::new(PUBLISHED_BANKS, &Plants::default())));
        Driver::open_at(clock_hz, bus).expect("a device").run(run, &mut Unwatched)
    };
    assert_eq!(outcome(CLOCK_HZ / 2).map(|outcome| outcome.cycles), Ok(200_000_000));
    let Err(DriverError::Deadline { waited, .. }) = outcome(CLOCK_HZ) else { panic!("no deadline") };
    assert!((3000..3100).contains(&waited.as_millis()), "{waited:?}");
}

#[test]
fn how_long_another_run_may_take_is_told_by_the_clock() {
    let bus = Box::new(BusyUntil::seconds(3600));
    let Err(error) = Driver::open_at(CLOCK_HZ / 4, bus) else { panic!("it is busy") };
    assert!(error.to_string().contains("ends by itself after 172s at the most"), "{error}");
}

/// A model whose first reads of RD, as many as are left, answer 0.
struct SlowToWake {
    model: Model,
    left: u32,
}

impl Bus for SlowToWake {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        let word = self.model.read(address)?;
        let asleep = address == adapter::BASE + adapter::RD && self.left > 0;
        self.left -= u32::from(asleep);
        Ok(if asleep { 0 } else { word })
    }
    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.model.write(address, word)
    }
    fn elapsed(&self) -> Duration {
        self.model.elapsed()
    }
    fn pause(&mut self, duration: Duration) {
        self.model.pause(duration);
    }
    fn link(&self) -> &str {
        "slow to wake"
    }
}

#[test]
fn an_adapter_whose_first_answers_are_zero_is_primed_within_a_bound() {
    let asleep_for = |left| {
        let model = Model::new(PUBLISHED_BANKS, &Plants::default());
        Driver::open(Box::new(SlowToWake { model, left })).map(|_| ())
    };
    // A priming has two answers, and the model is still busy when it is first asked for each.
    assert_eq!(asleep_for(4 * (TRIES - 1)), Ok(()));
    assert!(matches!(asleep_for(4 * TRIES), Err(DriverError::Priming { got: 0, .. })));
}

/// A model that outlives its driver.
struct Shared(Rc<RefCell<Model>>);

impl Bus for Shared {
    fn read(&mut self, address: u32) -> Result<u32, BusError> {
        self.0.borrow_mut().read(address)
    }
    fn write(&mut self, address: u32, word: u32) -> Result<(), BusError> {
        self.0.borrow_mut().write(address, word)
    }
    fn elapsed(&self) -> Duration {
        self.0.borrow().elapsed()
    }
    fn pause(&mut self, duration: Duration) {
        self.0.borrow_mut().pause(duration);
    }
    fn link(&self) -> &str {
        "shared"
    }
}

/// A user who asks to stop at once.
struct Stopping;

impl Watch for Stopping {
    fn begin(&mut self, _stage: &str, _total: u64) {}
    fn advance(&mut self, _units: u64) {}
    fn end(&mut self) {}
    fn stop_requested(&self) -> bool {
        true
    }
}

#[test]
fn a_run_that_is_stopped_leaves_the_engine_idle_and_cleared() {
    let model = Rc::new(RefCell::new(Model::new(PUBLISHED_BANKS, &Plants::default())));
    let mut driver = Driver::open(Box::new(Shared(Rc::clone(&model)))).expect("a device");
    let run = EngineRun { count: 10_000_000, active: 1, seed: Seed::new(1) };
    assert_eq!(driver.run(run, &mut Stopping), Err(DriverError::Interrupted));
    let status = || model.borrow_mut().read(engine::BASE + engine::STATUS);
    assert_eq!(status(), Ok(0x0208_0001));
    drop(driver);
    assert_eq!(status(), Ok(0x0208_0000));
}

#[test]
fn a_device_with_planted_faults_can_still_be_opened() {
    for fault in [Fault::StaleRead, Fault::LostHighWord, Fault::DeadBank(0), Fault::FlipBit(63)] {
        let model = Model::new(PUBLISHED_BANKS, &Plants::new(&[fault]));
        assert!(Driver::open(Box::new(model)).is_ok(), "{fault}");
    }
}
