//! Progress on standard error, and the user's wish to stop.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console::{Console, When};
use crate::domain::watch::Watch;

/// What takes less long than this shows no progress.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often progress is told in lines, where there is no terminal to draw on.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// Set once the user has asked to stop.
#[derive(Clone, Default)]
pub struct StopRequest(Arc<AtomicBool>);

impl StopRequest {
    /// Listens for the keys and signals that end a program. The first asks to stop; the second ends it at once.
    pub fn listen() -> Self {
        let request = StopRequest::default();
        let flag = Arc::clone(&request.0);
        // Without a handler the signal ends the program at once, which is what is left to do.
        let _ = ctrlc::set_handler(move || {
            if flag.swap(true, Ordering::Relaxed) {
                std::process::exit(crate::domain::verdict::exit::INTERRUPTED.into());
            }
        });
        request
    }
}

impl StopRequest {
    /// Whether the user has asked to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Shows how far a run is once it lasts.
pub struct ProgressWatch {
    console: Console,
    manner: Manner,
    stop: StopRequest,
    started: Instant,
    stage: String,
    total: u64,
    done: u64,
    /// Thousandths of further units.
    within: u64,
    bar: Option<ProgressBar>,
    last_line: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Bars,
    Lines,
    Silent,
}

impl ProgressWatch {
    /// A watch that draws bars on a terminal, tells lines where `when` is always and there is none, or is silent.
    pub fn new(console: Console, when: When, stop: StopRequest) -> Self {
        let manner = match (when, io::stderr().is_terminal()) {
            (When::Never, _) | (When::Auto, false) => Manner::Silent,
            (_, true) => Manner::Bars,
            (When::Always, false) => Manner::Lines,
        };
        let now = Instant::now();
        let stage = String::new();
        let (total, done, within) = (0, 0, 0);
        ProgressWatch { console, manner, stop, started: now, stage, total, done, within, bar: None, last_line: now }
    }

    /// What is done, and all that there is to do, in thousandths of a unit.
    fn thousandths(&self) -> (u64, u64) {
        let of = |units: u64| units.saturating_mul(1000);
        ((of(self.done) + self.within).min(of(self.total)), of(self.total))
    }

    fn show(&mut self) {
        if self.manner == Manner::Silent || self.started.elapsed() < PATIENCE {
            return;
        }
        let (done, total) = self.thousandths();
        match (self.manner, &self.bar) {
            (Manner::Bars, Some(bar)) => bar.set_position(done),
            (Manner::Bars, None) if self.total > 0 => {
                let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
                let style = ProgressStyle::with_template("{msg:<20} [{bar:24}] {percent:>3} %, {eta} left");
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> "));
                bar.set_message(self.stage.clone());
                bar.set_position(done);
                self.bar = Some(bar);
            }
            (Manner::Lines, _) if self.last_line.elapsed() >= LINE_EVERY && self.total > 0 => {
                self.last_line = Instant::now();
                let percent = u128::from(done) * 100 / u128::from(total);
                self.console.say(&format!("{}: {percent} %", self.stage));
            }
            _ => {}
        }
    }
}

impl Watch for ProgressWatch {
    fn begin(&mut self, stage: &str, total: u64) {
        self.end();
        (self.stage, self.total, self.done, self.within) = (stage.to_owned(), total, 0, 0);
        self.show();
    }

    fn advance(&mut self, units: u64) {
        self.done = (self.done + units).min(self.total);
        self.within = self.within.saturating_sub(units.saturating_mul(1000));
        self.show();
    }

    fn within(&mut self, thousandths: u64) {
        self.within = self.within.max(thousandths);
        self.show();
    }

    fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.total = 0;
    }

    fn stop_requested(&self) -> bool {
        self.stop.is_set()
    }
}
