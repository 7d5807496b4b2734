//! What can be done to a device's registers, one access after the other, and the texts of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::domain::fault::Site;
use crate::domain::hex::Hex64;

/// A register of a device, by the name that its documents give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Register {
    /// The engine's CTRL.
    Ctrl,
    /// The engine's COUNT.
    Count,
    /// The engine's ACTIVE.
    Active,
    /// The low word of the engine's SEED.
    SeedLo,
    /// The high word of the engine's SEED.
    SeedHi,
    /// The engine's CYCLES.
    Cycles,
    /// The low word of the engine's RESULT.
    ResultLo,
    /// The high word of the engine's RESULT.
    ResultHi,
    /// The engine's STATUS.
    EngineStatus,
    /// The adapter's CMD.
    Cmd,
    /// The adapter's first operand.
    Rs1,
    /// The adapter's second operand.
    Rs2,
    /// The adapter's response.
    Rd,
    /// The adapter's STATUS.
    AdapterStatus,
}

impl Register {
    /// All of them.
    pub const ALL: [Register; 14] = [
        Register::Ctrl,
        Register::Count,
        Register::Active,
        Register::SeedLo,
        Register::SeedHi,
        Register::Cycles,
        Register::ResultLo,
        Register::ResultHi,
        Register::EngineStatus,
        Register::Cmd,
        Register::Rs1,
        Register::Rs2,
        Register::Rd,
        Register::AdapterStatus,
    ];

    /// Its name in texts.
    pub fn name(self) -> &'static str {
        match self {
            Register::Ctrl => "ctrl",
            Register::Count => "count",
            Register::Active => "active",
            Register::SeedLo => "seed-lo",
            Register::SeedHi => "seed-hi",
            Register::Cycles => "cycles",
            Register::ResultLo => "result-lo",
            Register::ResultHi => "result-hi",
            Register::EngineStatus => "engine-status",
            Register::Cmd => "cmd",
            Register::Rs1 => "rs1",
            Register::Rs2 => "rs2",
            Register::Rd => "rd",
            Register::AdapterStatus => "adapter-status",
        }
    }

    /// The part of the device that it is in.
    pub fn site(self) -> Site {
        match self {
            Register::Cmd | Register::Rs1 | Register::Rs2 | Register::Rd | Register::AdapterStatus => Site::Adapter,
            _ => Site::Engine,
        }
    }
}

/// A command of the adapter; the number is its funct3 code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Command {
    /// Selects a context, latches the low word of its reference.
    Load,
    /// Latches the low word of a delta.
    Accum,
    /// Answers with the low word of the state.
    Read,
    /// Writes the state into a context, selects it, clears the accumulator.
    Swap,
    /// Writes the reference, clears the accumulator.
    LoadHi,
    /// Accumulates the delta.
    AccumHi,
    /// Answers with the high word of the state.
    ReadHi,
    /// Answers with the identity and whether the accumulator is zero.
    Status,
}

impl Command {
    /// All of them, by code.
    pub const ALL: [Command; 8] = [
        Command::Load,
        Command::Accum,
        Command::Read,
        Command::Swap,
        Command::LoadHi,
        Command::AccumHi,
        Command::ReadHi,
        Command::Status,
    ];

    /// Its funct3 code.
    pub fn code(self) -> u32 {
        self as u32
    }

    /// The command with this code.
    pub fn of(code: u32) -> Command {
        Command::ALL[(code & 7) as usize]
    }

    /// Its name in texts.
    pub fn name(self) -> &'static str {
        match self {
            Command::Load => "load",
            Command::Accum => "accum",
            Command::Read => "read",
            Command::Swap => "swap",
            Command::LoadHi => "load-hi",
            Command::AccumHi => "accum-hi",
            Command::ReadHi => "read-hi",
            Command::Status => "status",
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name().to_uppercase().replace('-', "_"))
    }
}

/// One access to a device's registers, or what follows one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// The device is made anew: every register as after a reset. Text: `reset`.
    Reset,
    /// Writes a register. Text: `write:REGISTER:0xV`.
    Write(Register, u32),
    /// Writes those bytes of a register that the four bits select. Text: `bytes:REGISTER:B:0xV`.
    WriteBytes(Register, u8, u32),
    /// Reads a register; shows its word. Text: `see:REGISTER`.
    See(Register),
    /// Has the adapter carry out a command and waits for its end; shows RD. Text: `do:COMMAND`.
    Do(Command),
    /// Waits until the engine's run is over, or should have been long since; shows the engine's STATUS. Text: `finish`.
    Finish,
    /// Reads CTRL until `done` is up, whatever else CTRL says, or until long after the run should be over; shows CTRL.
    /// Text: `poll:done`.
    PollDone,
    /// Reads CTRL until `busy` is down, or until long after the run should be over; shows CTRL. Text: `poll:idle`.
    PollIdle,
}

impl Access {
    /// Whether it shows a word.
    pub fn shows(self) -> bool {
        matches!(self, Access::See(_) | Access::Do(_) | Access::Finish | Access::PollDone | Access::PollIdle)
    }

    /// The part of the device that it is an access to.
    pub fn part(self) -> Site {
        match self {
            Access::Write(register, _) | Access::WriteBytes(register, ..) | Access::See(register) => register.site(),
            Access::Do(_) => Site::Adapter,
            Access::Reset | Access::Finish | Access::PollDone | Access::PollIdle => Site::Engine,
        }
    }
}

/// A text that is no access.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a register access; allowed are reset, write:REGISTER:0xV, bytes:REGISTER:B:0xV (B from 0 to 15), \
     see:REGISTER, do:COMMAND, finish, poll:done and poll:idle"
)]
pub struct AccessError(String);

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Access::Reset => write!(f, "reset"),
            Access::Write(register, word) => write!(f, "write:{}:{word:#x}", register.name()),
            Access::WriteBytes(register, bytes, word) => write!(f, "bytes:{}:{bytes}:{word:#x}", register.name()),
            Access::See(register) => write!(f, "see:{}", register.name()),
            Access::Do(command) => write!(f, "do:{}", command.name()),
            Access::Finish => write!(f, "finish"),
            Access::PollDone => write!(f, "poll:done"),
            Access::PollIdle => write!(f, "poll:idle"),
        }
    }
}

impl FromStr for Access {
    type Err = AccessError;

    fn from_str(text: &str) -> Result<Self, AccessError> {
        let refused = || AccessError(text.to_owned());
        let register = |name: &str| Register::ALL.into_iter().find(|r| r.name() == name).ok_or_else(refused);
        let command = |name: &str| Command::ALL.into_iter().find(|c| c.name() == name).ok_or_else(refused);
        let word = |text: &str| {
            let word = text.parse::<Hex64>().ok().and_then(|word| u32::try_from(word.0).ok());
            word.ok_or_else(refused)
        };
        let parts: Vec<&str> = text.split(':').collect();
        match parts[..] {
            ["reset"] => Ok(Access::Reset),
            ["write", name, value] => Ok(Access::Write(register(name)?, word(value)?)),
            ["bytes", name, bytes, value] => {
                let bytes = bytes.parse::<u8>().ok().filter(|&bytes| bytes <= 0xF).ok_or_else(refused)?;
                Ok(Access::WriteBytes(register(name)?, bytes, word(value)?))
            }
            ["see", name] => Ok(Access::See(register(name)?)),
            ["do", name] => Ok(Access::Do(command(name)?)),
            ["finish"] => Ok(Access::Finish),
            ["poll", "done"] => Ok(Access::PollDone),
            ["poll", "idle"] => Ok(Access::PollIdle),
            _ => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_access_survives_its_text() {
        let registers = Register::ALL.into_iter().flat_map(|register| {
            [Access::Write(register, 0xDEAD), Access::WriteBytes(register, 5, 7), Access::See(register)]
        });
        let commands = Command::ALL.into_iter().map(Access::Do);
        for access in
            registers.chain(commands).chain([Access::Reset, Access::Finish, Access::PollDone, Access::PollIdle])
        {
            assert_eq!(access.to_string().parse(), Ok(access));
        }
    }

    #[test]
    fn what_is_no_access_is_refused_and_the_message_lists_what_is() {
        for text in
            ["", "write:count", "write:count:0x100000000", "bytes:count:16:0x1", "see:nothing", "do:9", "poll:busy"]
        {
            let error = text.parse::<Access>().expect_err(text);
            assert!(error.to_string().contains("see:REGISTER"), "{error}");
        }
    }
}
