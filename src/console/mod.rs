//! The terminal: where data and talk go, how wide it is, whether it takes colour.
//!
//! Standard output is data, standard error is talk. A reader that closes the pipe is not an error.

pub mod progress;

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};

use crate::report::format::text::DEFAULT_WIDTH;

/// When to do something that suits a terminal and not a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum When {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Where a run's text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output: data.
    Output,
    /// Standard error: talk.
    Error,
}

/// The two streams, and how they take colour.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    colour: When,
}

impl Console {
    /// A console with colour as asked; `auto` also heeds `NO_COLOR` and its kin.
    pub fn new(colour: When) -> Self {
        Console { colour }
    }

    /// Writes text to a stream. A closed pipe ends the writing and is no error.
    pub fn write(&self, stream: Stream, text: &str) -> io::Result<()> {
        let choice = match self.colour {
            When::Auto => None,
            When::Always => Some(ColorChoice::Always),
            When::Never => Some(ColorChoice::Never),
        };
        let written = match stream {
            Stream::Output => {
                let output = io::stdout();
                let choice = choice.unwrap_or_else(|| AutoStream::choice(&output));
                put(AutoStream::new(output, choice), text)
            }
            Stream::Error => {
                let error = io::stderr();
                let choice = choice.unwrap_or_else(|| AutoStream::choice(&error));
                put(AutoStream::new(error, choice), text)
            }
        };
        match written {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Says a line on standard error. If nobody can hear it, nobody does.
    pub fn say(&self, line: &str) {
        let _ = self.write(Stream::Error, &format!("{line}\n"));
    }

    /// Columns of a stream's terminal, or those of a report where it is none.
    pub fn width(&self, stream: Stream) -> usize {
        let size = match stream {
            Stream::Output if io::stdout().is_terminal() => terminal_size::terminal_size_of(io::stdout()),
            Stream::Error if io::stderr().is_terminal() => terminal_size::terminal_size_of(io::stderr()),
            _ => None,
        };
        size.map_or(DEFAULT_WIDTH, |(width, _)| usize::from(width.0).min(DEFAULT_WIDTH + 20))
    }
}

fn put(mut stream: impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}
