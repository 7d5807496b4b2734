//! A way through a small world, written down step by step: what a walk found, as a text that can be pasted.
//!
//! A step names a message by its place among those that are on their way, in the order of sender, receiver and bytes. So a
//! way means the same wherever it is followed.

use std::fmt;
use std::str::FromStr;

use crate::domain::every_delivery::Bounds;

/// A way through a small world. It names no engine: the case does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// What may happen in the world.
    pub bounds: Bounds,
    /// The mutant that is planted in the engine.
    pub mutant: Option<String>,
    /// What happens, one after the other. Then faults are over, everyone connects, and everything is delivered.
    pub steps: Vec<WayStep>,
}

/// Something that happens in a small world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayStep {
    /// A node acts, and may crash while it does.
    Act(WayAct, Option<WayCrash>),
    /// The message at this place is lost.
    Lose(u32),
    /// The message at this place arrives, and will arrive again.
    Repeat(u32),
}

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WayAct {
    /// The user of this client edits.
    Edit(u32),
    /// This client connects with the hub.
    Connect(u32),
    /// This node sends again what was not acknowledged.
    Retry(u32),
    /// This node starts again.
    Start(u32),
    /// The message at this place arrives.
    Receive(u32),
}

/// A crash while a node acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayCrash {
    /// Steps that the node has taken on its surroundings.
    pub after: u32,
    /// How many bytes of what was not durable the disk has all the same; nothing here for all of them.
    pub kept: Option<u64>,
}

/// How steps are written.
pub const STEPS: &str = "edit:CLIENT, connect:CLIENT, retry:NODE, start:NODE and receive:MESSAGE, each with \
                         :crash:STEPS:BYTES or :crash:STEPS:all behind it or not, lose:MESSAGE and repeat:MESSAGE";

impl fmt::Display for WayStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (act, crash) = match self {
            WayStep::Lose(message) => return write!(f, "lose:{message}"),
            WayStep::Repeat(message) => return write!(f, "repeat:{message}"),
            WayStep::Act(act, crash) => (act, crash),
        };
        match act {
            WayAct::Edit(node) => write!(f, "edit:{node}"),
            WayAct::Connect(node) => write!(f, "connect:{node}"),
            WayAct::Retry(node) => write!(f, "retry:{node}"),
            WayAct::Start(node) => write!(f, "start:{node}"),
            WayAct::Receive(message) => write!(f, "receive:{message}"),
        }?;
        match crash {
            None => Ok(()),
            Some(WayCrash { after, kept: Some(bytes) }) => write!(f, ":crash:{after}:{bytes}"),
            Some(WayCrash { after, kept: None }) => write!(f, ":crash:{after}:all"),
        }
    }
}

impl FromStr for WayStep {
    /// The text is no step; [`STEPS`] says what one is.
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let parts: Vec<&str> = text.split(':').collect();
        let number = |text: &str| text.parse::<u32>().map_err(drop);
        let (what, of, crash) = match parts[..] {
            [what, of] => (what, number(of)?, None),
            [what, of, "crash", after, kept] => {
                let kept = if kept == "all" { None } else { Some(kept.parse().map_err(drop)?) };
                (what, number(of)?, Some(WayCrash { after: number(after)?, kept }))
            }
            _ => return Err(()),
        };
        Ok(match (what, crash) {
            ("lose", None) => WayStep::Lose(of),
            ("repeat", None) => WayStep::Repeat(of),
            ("edit", crash) => WayStep::Act(WayAct::Edit(of), crash),
            ("connect", crash) => WayStep::Act(WayAct::Connect(of), crash),
            ("retry", crash) => WayStep::Act(WayAct::Retry(of), crash),
            ("start", crash) => WayStep::Act(WayAct::Start(of), crash),
            ("receive", crash) => WayStep::Act(WayAct::Receive(of), crash),
            _ => return Err(()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_is_read_as_it_is_written() {
        let steps = [
            "edit:0",
            "connect:2:crash:0:0",
            "retry:1:crash:4:17",
            "start:3:crash:2:all",
            "receive:11",
            "lose:0",
            "repeat:5",
        ];
        for text in steps {
            assert_eq!(text.parse::<WayStep>().expect(text).to_string(), text);
        }
        for text in
            ["", "edit", "edit:", "edit:-1", "jump:1", "lose:1:crash:1:all", "edit:0:crash:1", "edit:0:stop:1:0"]
        {
            assert_eq!(text.parse::<WayStep>(), Err(()), "{text}");
        }
    }
}
