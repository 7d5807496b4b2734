//! Progress on standard error, and the user's wish to stop.
//!
//! A thread draws, so that progress shows and goes on even while the work says nothing.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::console::{Console, Stream, When};
use crate::domain::verdict::exit;
use crate::domain::watch::Watch;
use crate::engine::process;

/// What takes less long than this shows no progress.
const PATIENCE: Duration = Duration::from_millis(400);

/// How often progress is drawn on a terminal.
const DRAWN_EVERY: Duration = Duration::from_millis(100);

/// How often progress is reported in lines, where there is no terminal to draw on.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// Set once the user has asked to stop.
#[derive(Clone, Default)]
pub struct StopRequest(Arc<AtomicBool>);

impl StopRequest {
    /// Listens for the keys and signals that end a program. The first asks to stop; the second ends it at once.
    pub fn listen() -> Self {
        let request = StopRequest::default();
        *ASKED.lock().unwrap_or_else(PoisonError::into_inner) = Some(request.clone());
        end_processes_with_abench();
        request
    }
}

/// Who is asked to stop by the first signal: nobody before a run begins.
static ASKED: Mutex<Option<StopRequest>> = Mutex::new(None);

/// Whether a signal ends abench, and with it the processes that abench waits for.
static ENDS: AtomicBool = AtomicBool::new(false);

/// The exit code of abench: a verb that fails because a signal has ended the processes it waits for was interrupted.
pub fn exit_code(of_verb: u8) -> u8 {
    if ENDS.load(Ordering::SeqCst) { exit::INTERRUPTED } else { of_verb }
}

/// From now on, a signal that ends abench at once ends the processes of engines, too.
pub fn end_processes_with_abench() {
    static HANDLED: Once = Once::new();
    HANDLED.call_once(|| {
        // Without a handler the signal ends the program at once, which is what is left to do.
        let _ = ctrlc::set_handler(|| {
            let asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if asked.is_none_or(|asked| asked.0.swap(true, Ordering::Relaxed)) {
                ENDS.store(true, Ordering::SeqCst);
                process::end_all();
                std::process::exit(exit::INTERRUPTED.into());
            }
            process::interrupt();
        });
    });
}

impl StopRequest {
    /// Whether the user has asked to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How progress is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// One line of a terminal, drawn again and again.
    Drawn,
    /// A line now and then.
    Lines,
}

/// A stage of the work, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stage {
    name: String,
    units: &'static str,
    /// 0 if nobody knows.
    total: u64,
    done: u64,
    /// Thousandths of further units.
    within: u64,
    /// States of walks, of which nobody knows how many there are, and how deep the last one is.
    states: u64,
    depth: u64,
}

impl Stage {
    fn of(name: &str, total: u64) -> Self {
        Stage { name: name.to_owned(), units: "", total, done: 0, within: 0, states: 0, depth: 0 }
    }

    /// What is done, in thousandths of a unit.
    fn thousandths(&self) -> u64 {
        let done = self.done.saturating_mul(1000).saturating_add(self.within);
        if self.total == 0 { done } else { done.min(self.total.saturating_mul(1000)) }
    }

    /// What is done, how fast, and how long it will take, after so much time, of which nothing advanced in the last `idle`. A share
    /// and the time left are shown only where the whole is known. What has not advanced for a while is taken to need as long
    /// again, whatever the rate before says.
    fn sentence(&self, lasted: Duration, idle: Duration) -> String {
        let units = if self.units.is_empty() { String::new() } else { format!(" {}", self.units) };
        let so_far = format!("{} so far", time(lasted));
        let done = self.thousandths();
        let rate = |thousandths: u64, what: &str| per_second(thousandths, lasted) + what + "/s";
        if self.states > 0 {
            let of_units = if self.total > 0 { format!("{} of {}, ", self.done, self.total) } else { String::new() };
            let states = self.states.saturating_mul(1000);
            let depth = if self.depth > 0 { format!("depth {}, ", self.depth) } else { String::new() };
            return format!("{of_units}{} states, {}, {depth}{so_far}", scaled(states), rate(states, " states"));
        }
        if self.total == 0 {
            return match done {
                0 => so_far,
                _ => format!("{}{units}, {}, {so_far}", scaled(done), rate(done, &units)),
            };
        }
        let all = self.total.saturating_mul(1000);
        let percent = u128::from(done) * 100 / u128::from(all);
        match done {
            0 => format!("0 of {}{units}, {so_far}", self.total),
            _ if done == all => format!("100 %, {}, {so_far}", rate(done, &units)),
            _ => {
                let left = lasted.as_millis() * u128::from(all - done) / u128::from(done);
                let left = Duration::from_millis(u64::try_from(left).unwrap_or(u64::MAX));
                format!("{percent} %, {}, {} left", rate(done, &units), time(left.max(idle)))
            }
        }
    }

    /// The stage in one line of at most `width` columns. A long name is cut.
    fn line(&self, lasted: Duration, idle: Duration, width: usize) -> String {
        let sentence = self.sentence(lasted, idle);
        let room = width.saturating_sub(sentence.chars().count() + 2);
        let name: String = match self.name.chars().count() > room {
            true => self.name.chars().take(room.saturating_sub(1)).chain(['…']).collect(),
            false => self.name.clone(),
        };
        format!("{name}: {sentence}").chars().take(width).collect()
    }
}

/// So many thousandths, each second.
fn per_second(thousandths: u64, lasted: Duration) -> String {
    let rate = u128::from(thousandths) * 1000 / lasted.as_millis().max(1);
    scaled(u64::try_from(rate).unwrap_or(u64::MAX))
}

/// Thousandths as people read them: three digits, and k, M or G.
fn scaled(thousandths: u64) -> String {
    let of = |unit: u64, suffix: &str| match thousandths / (unit / 100) {
        hundredths @ 0..1000 => format!("{}.{:02}{suffix}", hundredths / 100, hundredths % 100),
        hundredths @ 1000..10_000 => format!("{}.{}{suffix}", hundredths / 100, hundredths % 100 / 10),
        hundredths => format!("{}{suffix}", hundredths / 100),
    };
    match thousandths {
        0..1_000_000 if thousandths.is_multiple_of(1000) => (thousandths / 1000).to_string(),
        0..1_000_000 => of(1000, ""),
        1_000_000..1_000_000_000 => of(1_000_000, " k"),
        1_000_000_000..1_000_000_000_000 => of(1_000_000_000, " M"),
        _ => of(1_000_000_000_000, " G"),
    }
}

/// A duration as people read it.
fn time(duration: Duration) -> String {
    match duration.as_secs() {
        seconds @ 0..100 => format!("{seconds} s"),
        seconds @ 100..6000 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds @ 6000..172_800 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// What the thread that draws and the work share.
struct Shown {
    stage: Stage,
    began: Instant,
    /// When the stage last advanced.
    advanced: Instant,
    /// Columns of the line that is drawn.
    drawn: usize,
    over: bool,
}

impl Shown {
    fn begin(&mut self, stage: Stage) {
        self.erase();
        let now = Instant::now();
        (self.stage, self.began, self.advanced) = (stage, now, now);
    }

    /// Takes the line off the terminal, so that something else can be said there.
    fn erase(&mut self) {
        if self.drawn > 0 {
            put(&format!("\r{:1$}\r", "", self.drawn));
            self.drawn = 0;
        }
    }

    fn show(&mut self, manner: Manner, console: Console) {
        // The last column is left free: a terminal may go to the next line after it.
        let (lasted, idle) = (self.began.elapsed(), self.advanced.elapsed());
        let line = self.stage.line(lasted, idle, console.width(Stream::Error).saturating_sub(1));
        match manner {
            Manner::Lines => console.say(&line),
            Manner::Drawn => {
                let drawn = self.drawn;
                put(&format!("\r{line:drawn$}"));
                self.drawn = line.chars().count();
            }
        }
    }
}

/// Without colour and without control characters but the carriage return, so that every terminal takes it.
fn put(text: &str) {
    let mut error = io::stderr();
    // If nobody can see it, nobody does.
    let _ = error.write_all(text.as_bytes()).and_then(|()| error.flush());
}

/// The state that is shown, and a bell that tells the thread that draws when all is over.
type Shared = Arc<(Mutex<Shown>, Condvar)>;

fn lock(shared: &Shared) -> MutexGuard<'_, Shown> {
    shared.0.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows how far a run is once it lasts.
pub struct ProgressWatch {
    stop: StopRequest,
    /// Nothing where nothing is shown.
    shown: Option<(Shared, JoinHandle<()>)>,
}

impl ProgressWatch {
    /// A watch that draws on a terminal, tells lines where `when` is always and there is none, or is silent.
    pub fn new(console: Console, when: When, stop: StopRequest) -> Self {
        let manner = match (when, io::stderr().is_terminal()) {
            (When::Never, _) | (When::Auto, false) => None,
            (_, true) => Some(Manner::Drawn),
            (When::Always, false) => Some(Manner::Lines),
        };
        ProgressWatch { stop, shown: manner.and_then(|manner| drawing(console, manner)) }
    }

    fn change(&self, change: impl FnOnce(&mut Shown)) {
        if let Some((shared, _)) = &self.shown {
            change(&mut lock(shared));
        }
    }
}

/// Starts the thread that draws; nothing where the machine has no thread left.
fn drawing(console: Console, manner: Manner) -> Option<(Shared, JoinHandle<()>)> {
    let (stage, began) = (Stage::of("preparing", 0), Instant::now());
    let shared: Shared =
        Arc::new((Mutex::new(Shown { stage, began, advanced: began, drawn: 0, over: false }), Condvar::new()));
    let of_thread = Arc::clone(&shared);
    let every = if manner == Manner::Drawn { DRAWN_EVERY } else { LINE_EVERY };
    let draw = move || {
        let (mut shown, mut wait) = (lock(&of_thread), PATIENCE);
        loop {
            let until_over = |shown: &mut Shown| !shown.over;
            let waited = of_thread.1.wait_timeout_while(shown, wait, until_over);
            shown = waited.unwrap_or_else(PoisonError::into_inner).0;
            if shown.over {
                return shown.erase();
            }
            shown.show(manner, console);
            wait = every;
        }
    };
    let thread = thread::Builder::new().name("progress".to_owned()).spawn(draw).ok()?;
    Some((shared, thread))
}

impl Drop for ProgressWatch {
    fn drop(&mut self) {
        if let Some((shared, thread)) = self.shown.take() {
            lock(&shared).over = true;
            shared.1.notify_all();
            let _ = thread.join();
        }
    }
}

impl Watch for ProgressWatch {
    fn begin(&mut self, stage: &str, total: u64) {
        self.change(|shown| shown.begin(Stage::of(stage, total)));
    }

    fn unit(&mut self, units: &'static str) {
        self.change(|shown| shown.stage.units = units);
    }

    fn advance(&mut self, units: u64) {
        self.change(|Shown { stage, advanced, .. }| {
            if units > 0 {
                *advanced = Instant::now();
            }
            let done = stage.done.saturating_add(units);
            stage.done = if stage.total == 0 { done } else { done.min(stage.total) };
            stage.within = stage.within.saturating_sub(units.saturating_mul(1000));
        });
    }

    fn within(&mut self, thousandths: u64) {
        self.change(|Shown { stage, advanced, .. }| {
            if thousandths > stage.within {
                (stage.within, *advanced) = (thousandths, Instant::now());
            }
        });
    }

    fn states(&mut self, states: u64, depth: u64) {
        self.change(|Shown { stage, .. }| {
            (stage.states, stage.depth) = (stage.states.saturating_add(states), depth);
        });
    }

    fn end(&mut self) {
        self.change(|shown| shown.begin(Stage::of("working", 0)));
    }

    fn stop_requested(&self) -> bool {
        self.stop.is_set()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_stage_tells_its_share_its_rate_and_the_time_left() {
        let deltas = Stage { units: "deltas", done: 500_000, ..Stage::of("arrival orders", 2_000_000) };
        assert_eq!(deltas.sentence(seconds(10), Duration::ZERO), "25 %, 50.0 k deltas/s, 30 s left");
        let engines = Stage { within: 500, ..Stage::of("engines", 4) };
        assert_eq!(engines.sentence(seconds(5), Duration::ZERO), "12 %, 0.10/s, 35 s left");
        assert_eq!(Stage::of("engines", 4).sentence(seconds(5), Duration::ZERO), "0 of 4, 5 s so far");
        let stalled = Stage { done: 3, within: 999, ..Stage::of("engines", 4) };
        assert_eq!(
            stalled.sentence(seconds(90), seconds(30)),
            "99 %, 0.04/s, 30 s left",
            "it is not told for 30 s that 0 s are left"
        );
        let over = Stage { done: 4, ..Stage::of("engines", 4) };
        assert_eq!(over.sentence(seconds(8), seconds(3)), "100 %, 0.50/s, 8 s so far");
        let whole = Stage { done: u64::MAX, ..Stage::of("engines", u64::MAX) };
        assert!(whole.sentence(seconds(1), Duration::ZERO).starts_with("100 %, "));
    }

    #[test]
    fn a_stage_of_which_nobody_knows_the_whole_tells_no_share_and_no_time_left() {
        let walk = Stage { states: 1_234_567, depth: 41, done: 1, ..Stage::of("worlds", 9) };
        assert_eq!(
            walk.sentence(seconds(100), Duration::ZERO),
            "1 of 9, 1.23 M states, 12.3 k states/s, depth 41, 1 min 40 s so far"
        );
        let unknown = Stage { units: "states", done: 10, ..Stage::of("states", 0) };
        assert_eq!(unknown.sentence(seconds(4), Duration::ZERO), "10 states, 2.50 states/s, 4 s so far");
        assert_eq!(Stage::of("preparing", 0).sentence(seconds(3), Duration::ZERO), "3 s so far");
    }

    #[test]
    fn a_line_is_no_wider_than_the_terminal() {
        let stage = Stage { units: "deltas", done: 1, ..Stage::of("a stage with a name that is long", 3) };
        assert_eq!(stage.line(seconds(1), Duration::ZERO, 50), "a stage with a name t…: 33 %, 1 deltas/s, 2 s left");
        for width in 0..80 {
            assert!(stage.line(seconds(1), Duration::ZERO, width).chars().count() <= width, "{width}");
        }
    }

    #[test]
    fn numbers_and_times_are_told_as_people_read_them() {
        let sentence = [0, 1000, 1500, 123_000, 123_400, 1_234_000, 45_600_000, 7_890_000_000, u64::MAX].map(scaled);
        assert_eq!(sentence, ["0", "1", "1.50", "123", "123", "1.23 k", "45.6 k", "7.89 M", "18446744 G"]);
        let sentence = [0, 99, 100, 7200, 200_000].map(|of| time(seconds(of)));
        assert_eq!(sentence, ["0 s", "99 s", "1 min 40 s", "2 h 0 min", "2 d"]);
    }

    #[test]
    fn what_units_have_begun_are_is_not_counted_twice_once_they_end() {
        let mut watch = watched();
        watch.begin("engines", 4);
        watch.within(1500);
        watch.advance(1);
        let stage = lock(&watch.shown.as_ref().expect("it is shown").0).stage.clone();
        assert_eq!(stage.thousandths(), 1500);
        watch.advance(9);
        let stage = lock(&watch.shown.as_ref().expect("it is shown").0).stage.clone();
        assert_eq!(stage.thousandths(), 4000);
    }

    /// A watch that keeps what it would show.
    fn watched() -> ProgressWatch {
        let stage = Stage::of("preparing", 0);
        let shown = Shown { stage, began: Instant::now(), advanced: Instant::now(), drawn: 0, over: false };
        let shared: Shared = Arc::new((Mutex::new(shown), Condvar::new()));
        ProgressWatch { stop: StopRequest::default(), shown: Some((shared, thread::spawn(|| {}))) }
    }
}
