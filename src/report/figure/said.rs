//! The steps of a script as sentences.

use std::fmt;

use crate::domain::count::counted;
use crate::domain::data::Intent;
use crate::domain::offline::{FaultKind, NodeFault};
use crate::domain::script::{Action, Condition, MessageFate, Progress, Words};

/// A time in microseconds, as people read it: exact, in the largest unit that gives a whole number, else in seconds or,
/// below a second, in milliseconds.
pub(super) struct After(pub(super) u64);

/// Microseconds of a second.
const SECOND: u64 = 1_000_000;

/// The units of times, the largest first, in microseconds.
const UNITS: [(u64, &str); 6] =
    [(86_400 * SECOND, "d"), (3600 * SECOND, "h"), (60 * SECOND, "min"), (SECOND, "s"), (1000, "ms"), (1, "µs")];

impl After {
    /// A time for a drawing, which has no room for many digits: exact where that is short, else cut off after a tenth of
    /// its largest unit.
    pub(super) fn short(&self) -> String {
        /// Characters of a short time.
        const SHORT: usize = 6;
        let exact = self.to_string();
        let largest = UNITS.into_iter().find(|(unit, _)| *unit <= self.0);
        match largest {
            Some((unit, name)) if exact.chars().count() > SHORT => {
                let (whole, tenth) = (self.0 / unit, self.0 % unit * 10 / unit);
                if tenth == 0 { format!("{whole} {name}") } else { format!("{whole}.{tenth} {name}") }
            }
            _ => exact,
        }
    }
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0;
        // From a second on, a time that is no whole number of seconds is a fraction of them.
        let least = if micros < SECOND { 1000 } else { SECOND };
        let mut units = UNITS.into_iter().filter(|(unit, _)| *unit >= least);
        match units.find(|(unit, _)| micros > 0 && micros.is_multiple_of(*unit)) {
            Some((unit, name)) => write!(f, "{} {name}", micros / unit),
            None if micros == 0 => write!(f, "0 s"),
            None if micros < 1000 => write!(f, "{micros} µs"),
            None => {
                let (name, digits) = if micros < SECOND { ("ms", 3) } else { ("s", 6) };
                let parts = format!("{:0digits$}", micros % least);
                write!(f, "{}.{} {name}", micros / least, parts.trim_end_matches('0'))
            }
        }
    }
}

/// What happens in a step.
pub(super) fn said(action: &Action) -> String {
    match action {
        Action::Pass => "time passes".to_owned(),
        Action::Edit { node, register, intent } => match intent {
            Intent::Increase(by) => format!("{node} edits register {register}: {by:+}"),
            Intent::Supply(units) => format!("{node} supplies {units} to stock {register}"),
            Intent::Take(units) => format!("{node} takes {units} from stock {register}"),
            Intent::Transfer { to, units } => {
                format!("{node} transfers rights to {units} of stock {register} to client {to}")
            }
            Intent::Insert(element) => format!("{node} adds tag {element} to register {register}"),
            Intent::Remove(element) => format!("{node} removes tag {element} from register {register}"),
            Intent::Create(value) => format!("{node} creates record {register}, with {value} in its first label"),
            Intent::Delete => format!("{node} deletes record {register}"),
            Intent::Set { field, value } => format!("{node} sets label {field} of record {register} to {value}"),
            Intent::Tag(element) => format!("{node} tags record {register} with element {element}"),
            Intent::Untag(element) => format!("{node} removes element {element} from the tags of record {register}"),
            Intent::Write(value) => format!("{node} writes {value} into register {register}"),
            Intent::Claim(value) => format!("{node} claims register {register} in the name of {value}"),
            Intent::Do(item) => format!("{node} does item {item} of case {register}"),
            Intent::Close => format!("{node} asks to close case {register}"),
            Intent::Type { after, letter } => {
                let place = after.map_or("at the beginning".to_owned(), |after| format!("after {after}"));
                format!("{node} {} {letter} into text {register}, {place}", verb(node, "types", "type"))
            }
            Intent::Erase(letter) => format!("{node} {} {letter} from text {register}", verb(node, "erases", "erase")),
        },
        Action::Words { node, register, words: Words::Type { text, after } } => {
            let place = match after.as_deref() {
                None => "at the end".to_owned(),
                Some("") => "at the beginning".to_owned(),
                Some(after) => format!("after {after:?}"),
            };
            format!("{node} {} {text:?} into text {register}, {place}", verb(node, "types", "type"))
        }
        Action::Words { node, register, words: Words::Erase(piece) } => {
            format!("{node} {} {piece:?} from text {register}", verb(node, "erases", "erase"))
        }
        Action::Connect { node, over: 0 } => format!("{node} {}", verb(node, "connects", "connect")),
        Action::Connect { node, over } => {
            format!("{node} {} within {}", verb(node, "connects", "connect"), After(*over))
        }
        Action::Disconnect(node) => format!("{node} {}", verb(node, "disconnects", "disconnect")),
        Action::Message { from, to, number, fate } => {
            let message = format!("message {number} from {from} to {to}");
            match fate {
                MessageFate::Lose => format!("{message} is lost"),
                MessageFate::Repeat(late) => format!("{message} comes again {} later", After(*late)),
                MessageFate::Delay(late) => format!("{message} comes {} late", After(*late)),
                MessageFate::Truncate(left) => format!("{message} is cut off after {left} B"),
                MessageFate::Corrupt(bit) => format!("{message} arrives with bit {bit} inverted"),
            }
        }
        Action::Cut { node, with, lasts } => format!("the link {node} to {with} is down for {}", After(*lasts)),
        Action::Fault(fault) => of_fault(fault),
        Action::CrashDuring { node, effects } => {
            format!("{node} loses power after {} of what it does next", counted(effects, "effect"))
        }
        Action::BackUp(node) => format!("a backup of {node} is taken"),
        Action::Clock { node, by, drift_ppm } => {
            let back = if *by < 0 { "back" } else { "forward" };
            let set = (*by != 0).then(|| format!("is set {back} by {}", After(by.unsigned_abs())));
            let drifts = (*drift_ppm != 0).then(|| format!("drifts by {drift_ppm:+} ppm"));
            let both: Vec<String> = set.into_iter().chain(drifts).collect();
            format!("the clock of {node} {}", if both.is_empty() { "is exact".to_owned() } else { both.join(" and ") })
        }
        Action::Link { node, .. } => format!("the links of {node} change"),
        Action::Work { node, lasts, workload } => {
            let edits = u64::from(workload.ticks) * u64::from(workload.changed);
            format!(
                "{node} {} for {}: {} drawn from the seed",
                verb(node, "works", "work"),
                After(*lasts),
                counted(edits, "edit")
            )
        }
        Action::Until { condition, .. } => match condition {
            Condition::Quiescent => "wait until all is quiescent".to_owned(),
            Condition::InSync { node, with } => format!("wait until {node} and {with} are in sync"),
            Condition::Messages { from, to, number, how } => {
                let how = match how {
                    Progress::Sent => "sent",
                    Progress::Received => "received",
                    Progress::Taken => "taken",
                };
                let are = if *number == 1 { "is" } else { "are" };
                format!("wait until {} from {from} to {to} {are} {how}", counted(number, "message"))
            }
        },
    }
}

/// The verb for one device, or for all clients.
fn verb(node: &str, one: &'static str, all: &'static str) -> &'static str {
    if node == crate::domain::script::CLIENTS { all } else { one }
}

fn of_fault(fault: &NodeFault) -> String {
    let NodeFault { kind, node, for_s, from, to, nth, .. } = fault;
    let lasts = if *for_s > 0 { format!(" for {}", After(for_s.saturating_mul(1_000_000))) } else { String::new() };
    match kind {
        FaultKind::Crash => format!("{node} loses power{lasts}"),
        FaultKind::Outage => format!("{node} cannot be reached{lasts}"),
        FaultKind::Wipe => format!("{node} is wiped: its store is lost"),
        FaultKind::Clone => format!("{node} is cloned: another device is set up from its store"),
        FaultKind::Restore => format!("{node} is set back to its backup{}", down(&lasts)),
        FaultKind::Damage => format!("{node} loses power, and a bit of its store changes{}", down(&lasts)),
        FaultKind::Full => format!("the store of {node} is full{lasts}"),
        FaultKind::Refuse => format!("{node} refuses connections{lasts}"),
        FaultKind::SignedOut => format!("the sign-in of {node} is not valid{lasts}"),
        FaultKind::ReadOnly => format!("{node} takes no edits{lasts}"),
        FaultKind::Freeze => format!("{node} is frozen{lasts}"),
        FaultKind::Retire => format!("{node} leaves for good"),
        FaultKind::StartOver => {
            format!("{node} loses its store and starts from nothing, with its first random numbers")
        }
        FaultKind::Import => {
            let from = from.as_deref().unwrap_or("another");
            format!("{node} loses its store and is set up from the bare values of {from}")
        }
        FaultKind::Drop => {
            let to = to.as_deref().unwrap_or("another");
            format!("message {} from {node} to {to} is dropped", nth.unwrap_or(1))
        }
    }
}

/// For how long a device is down.
fn down(lasts: &str) -> String {
    if lasts.is_empty() { String::new() } else { format!(", and is down{lasts}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::script::text::steps;

    #[test]
    fn every_kind_of_step_reads_as_a_sentence() {
        let text = "edit:client_0:register:3:by:-5+edit:client_1:register:3:insert:7+edit:client_1:register:3:remove:7\
                    +connect:clients+connect:client_0:over_s:90+disconnect:client_0+lose:1:from:client_0:to:hub\
                    +repeat:2:from:hub:to:client_0:late_s:1.5+delay:1:from:hub:to:client_0:by_s:3600\
                    +truncate:1:from:hub:to:client_0:bytes:9+corrupt:1:from:hub:to:client_0:bit:4\
                    +cut:client_0:with:hub:for_s:7200+crash:client_0:after_effects:2+back_up:hub+set_back:hub:for_s:60\
                    +wipe:client_0+clock:client_0:by_s:-3:drift_ppm:20+until:quiescent+after_s:1";
        let read = steps(text).expect("steps");
        insta::assert_debug_snapshot!(read.iter().map(|step| said(&step.action)).collect::<Vec<_>>());
    }

    #[test]
    fn every_fault_names_its_device() {
        for &kind in FaultKind::ALL {
            let sentence = of_fault(&NodeFault { kind, node: "north".to_owned(), for_s: 61, ..NodeFault::default() });
            assert!(sentence.contains("north"), "{sentence}");
        }
    }

    #[test]
    fn times_are_exact() {
        let sentence = [0, 1, 1000, 81_636, 1_500_000, 60_000_000, 7_200_000_000, 86_400_000_000, 1_000_001];
        let sentence = sentence.map(|micros| After(micros).to_string());
        assert_eq!(sentence, ["0 s", "1 µs", "1 ms", "81.636 ms", "1.5 s", "1 min", "2 h", "1 d", "1.000001 s"]);
    }

    #[test]
    fn times_of_a_drawing_are_short() {
        let told = [0, 536, 1000, 81_636, 999_999, 1_500_000, 61_000_000, 60_000_000, 90_061_000_000, 1_000_001];
        let told = told.map(|micros| After(micros).short());
        assert_eq!(told, ["0 s", "536 µs", "1 ms", "81.6 ms", "999.9 ms", "1.5 s", "61 s", "1 min", "1 d", "1 s"]);
        assert_eq!(After(u64::MAX).short(), "213503982.3 d");
    }
}
