//! What the tests of links share: programs that serve a device, ended with the test, and runs that must end in time.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use crate::common::{Answer, abench, in_full};

/// No run over a link lasts as long as this on the slowest machine that tests it.
const DEADLINE: Duration = Duration::from_secs(180);

/// A program in the background, ended by its process id.
pub struct Background(pub Child);

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// An emulator that runs.
pub struct Emulator {
    /// Ended with it.
    _process: Background,
    backends: Vec<String>,
}

impl Emulator {
    /// Serves these links; ready once it has said where.
    pub fn serving(links: &[&str], options: &[&str]) -> Self {
        let mut child = abench()
            .arg("emulate")
            .args(links)
            .args(["--idle", "120"])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let backends = links.iter().map(|link| {
            let line = output.next().unwrap_or_else(|| panic!("{link} is served")).expect("text");
            line.strip_prefix("listening ").expect("where it listens").to_owned()
        });
        let backends = backends.collect();
        Emulator { _process: Background(child), backends }
    }

    /// The first link, as `--backend` takes it.
    pub fn backend(&self) -> &str {
        &self.backends[0]
    }

    /// All links.
    pub fn backends(&self) -> &[String] {
        &self.backends
    }
}

/// What the binary answers to these arguments, which must be in time.
pub fn answer_in_time(args: &[&str]) -> Answer {
    let mut command = abench();
    command.args(in_full(args));
    ended_in_time(command)
}

/// What a program answers, which must be in time.
pub fn ended_in_time(mut command: Command) -> Answer {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    let (number, (sender, receiver)) = (child.id(), mpsc::channel());
    let waiting = std::thread::spawn(move || sender.send(child.wait_with_output()));
    let ended = receiver.recv_timeout(DEADLINE).unwrap_or_else(|_| {
        let _ = Command::new("sh").args(["-c", &format!("kill -KILL {number}")]).status();
        panic!("it hangs: {command:?}")
    });
    let _ = waiting.join();
    Answer::of(ended.expect("it ends"))
}
