//! Progress on a terminal: what is being done, how fast, and how long it will take, where anybody can know.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::common::{UnderWay, abench};

/// A run whose standard error is a terminal.
struct OnTerminal {
    child: Child,
    terminal: File,
    shown: String,
}

impl OnTerminal {
    fn start(args: &[&str]) -> Self {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("it can be used");
        let name = ptsname(&terminal, Vec::new()).expect("it has a name").into_string().expect("text");
        let other_end = OpenOptions::new().read(true).write(true).open(name).expect("its other end");
        let child = abench().args(args).stdout(Stdio::null()).stderr(other_end).spawn().expect("the binary starts");
        OnTerminal { child, terminal: terminal.into(), shown: String::new() }
    }

    /// The first line that is drawn and has these words.
    fn first_with(&mut self, words: &str) -> String {
        loop {
            let drawn = self.shown.rsplit_once('\r').map_or("", |(drawn, _)| drawn);
            if let Some(line) = drawn.split('\r').find(|line| line.contains(words)) {
                return line.trim_end().to_owned();
            }
            let mut bytes = [0; 4096];
            let read = self.terminal.read(&mut bytes).expect("the run lasts long enough to tell how far it is");
            self.shown += &String::from_utf8_lossy(&bytes[..read]);
        }
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_terminal_shows_the_share_the_rate_and_the_time_left() {
    let mut run = OnTerminal::start(&["4294967295", "--backend", "model"]);
    let line = run.first_with("deltas/s");
    assert!(line.contains(" %, ") && line.ends_with(" left"), "{line}");
    assert!(!run.shown.contains('\u{1b}'), "{:?}", run.shown);
}

#[test]
fn a_walk_through_crashes_tells_its_states_their_rate_and_how_deep_it_is_and_no_share_that_nobody_knows() {
    let mut run = OnTerminal::start(&["run", "crash-everywhere", "--threads", "2"]);
    let line = run.first_with("states/s");
    assert!(line.starts_with("worlds: 0 of ") && line.ends_with(" so far"), "{line}");
    assert!(line.contains(" states, ") && line.contains(", depth "), "{line}");
    assert!(!run.shown.contains('%') && !run.shown.contains("left"), "{}", run.shown);
}

#[test]
fn every_verb_that_may_last_shows_what_it_does_within_half_a_second() {
    // Generous for a machine that has other things to do: without a word it would be as long as the verb lasts.
    let most = Duration::from_secs(2);
    let bandwidth = "bandwidth --records 5000 --changed 2% --clients 40 --syncs-per-day 6";
    for args in ["falsify", "qualify", bandwidth, "run crash-everywhere"] {
        let start = Instant::now();
        let mut run = OnTerminal::start(&args.split(' ').collect::<Vec<_>>());
        run.first_with(": ");
        assert!(start.elapsed() < most, "{args}: {:?}", start.elapsed());
    }
}

#[test]
fn a_qualification_tells_how_far_it_is() {
    UnderWay::start(&["qualify", "--threads", "1"]).killed();
}
