//! Starts processes that the kernel kills when abench ends, however abench ends. Knows: how a process begins. Must not: know what
//! it is for, or wait for it.
//!
//! The kernel has to be told between fork and exec, and what runs there is unsafe to choose: this file is the one that does.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

/// Starts a command that the kernel kills when abench ends, however abench ends.
///
/// That happens when the thread ends that started it: so all are started by one that lives as long as abench.
#[allow(unsafe_code)]
pub(super) fn spawned(mut command: Command) -> io::Result<Child> {
    type Asked = (Command, Sender<io::Result<Child>>);
    static STARTER: OnceLock<Sender<Asked>> = OnceLock::new();
    let abench = getpid();
    let with_abench = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // abench can have ended before the kernel was told.
        if getppid() == Some(abench) { Ok(()) } else { Err(io::Error::from(io::ErrorKind::Interrupted)) }
    };
    // SAFETY: what runs between fork and exec makes two system calls, and takes neither a lock nor memory.
    unsafe { command.pre_exec(with_abench) };
    let starter = STARTER.get_or_init(|| {
        let (starter, asked) = channel::<Asked>();
        thread::spawn(move || {
            for (mut command, answer) in asked {
                let _ = answer.send(command.spawn());
            }
        });
        starter
    });
    let (answer, started) = channel();
    let gone = "the thread that starts processes is gone";
    starter.send((command, answer)).map_err(|_| io::Error::other(gone))?;
    started.recv().map_err(|_| io::Error::other(gone))?
}
