//! Small worlds that are walked through in all ways: their bounds, and the trial of every order of deliveries.

use serde::{Deserialize, Serialize};

use crate::domain::data::DataType;
use crate::domain::offline::CrashEverywhereTrial;
use crate::domain::seed::Seed;
use crate::domain::trial::Keys;

/// The most clients of a small world.
pub const MOST_CLIENTS: u32 = 3;

/// The most edits of each client of a small world.
pub const MOST_EDITS: u32 = 4;

/// The most retries of a small world, by all nodes together.
pub const MOST_RETRIES: u32 = 4;

/// The most crashes of a small world, of all nodes together.
pub const MOST_CRASHES: u32 = 3;

/// The most messages of a small world that are lost, and the most that are repeated.
pub const MOST_ODD_MESSAGES: u32 = 3;

/// What may happen in a small world of clients and a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// What the one register of the world holds.
    pub data: DataType,
    /// Clients besides the hub.
    pub clients: u32,
    /// Edits that each client makes, all of one register.
    pub edits: u32,
    /// Edits that each client makes before it connects for the first time.
    pub edits_before: u32,
    /// Retries of all nodes together.
    pub retries: u32,
    /// Crashes of all nodes together.
    pub crashes: u32,
    /// Messages that are lost.
    pub losses: u32,
    /// Messages that arrive once more.
    pub repeats: u32,
    /// Whether messages outlive the connection that they were sent in.
    pub late: bool,
}

impl From<&CrashEverywhereTrial> for Bounds {
    fn from(trial: &CrashEverywhereTrial) -> Self {
        let CrashEverywhereTrial { data, clients, edits, edits_before, retries, crashes, losses, late, .. } = *trial;
        Bounds { data, clients, edits, edits_before, retries, crashes, losses, repeats: 0, late }
    }
}

impl From<&EveryDeliveryTrial> for Bounds {
    fn from(trial: &EveryDeliveryTrial) -> Self {
        let EveryDeliveryTrial { clients, edits, edits_before, retries, losses, repeats, .. } = *trial;
        Bounds {
            data: DataType::Counter,
            clients,
            edits,
            edits_before,
            retries,
            crashes: 0,
            losses,
            repeats,
            late: false,
        }
    }
}

/// Every order of edits, connections, deliveries and retries in a small world, for engines: each is walked through in all ways.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct EveryDeliveryTrial {
    /// A text of 1 to 16 hexadecimal digits, with or without 0x, for the record. Nothing is drawn from it.
    pub seed: Seed,
    /// How many clients there are besides the hub.
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_CLIENTS)))]
    pub clients: u32,
    /// How many edits each client makes, all of one register.
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_EDITS)))]
    pub edits: u32,
    /// How many edits each client makes before it connects. The others come at any time.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(max = MOST_EDITS)))]
    pub edits_before: u32,
    /// How many retries all nodes have together, before everything is delivered in the end. A retry is a timer that goes off.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(max = MOST_RETRIES)))]
    pub retries: u32,
    /// How many messages may be lost together.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(max = MOST_ODD_MESSAGES)))]
    pub losses: u32,
    /// How many messages may arrive once more, together.
    #[serde(default)]
    #[cfg_attr(test, schemars(range(max = MOST_ODD_MESSAGES)))]
    pub repeats: u32,
    /// The engines that are walked through, by name; `all` stands for those of abench, `libraries` for libraries in this build.
    /// Without this key, it is the reference alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub engines: Vec<String>,
    /// The most states that are visited for each engine.
    #[serde(default = "default_states")]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub most_states: u64,
    /// The most actions of nodes that are worked out for each engine in a process: most of them start a process anew. Without this
    /// key, 2000.
    #[serde(default = "default_actions", skip_serializing_if = "is_default_actions")]
    #[cfg_attr(test, schemars(range(min = 1)))]
    pub most_actions: u64,
}

fn default_states() -> u64 {
    1_000_000
}

fn default_actions() -> u64 {
    2_000
}

fn is_default_actions(actions: &u64) -> bool {
    *actions == default_actions()
}

impl Keys for EveryDeliveryTrial {
    fn seed(&self) -> Seed {
        self.seed
    }

    fn set_seed(&mut self, seed: Seed) {
        self.seed = seed;
    }

    fn engines(&self) -> Vec<&str> {
        self.engines.iter().map(String::as_str).collect()
    }

    fn impossible(&self) -> Option<String> {
        let bounds = [
            ("clients", self.clients, 1, MOST_CLIENTS),
            ("edits", self.edits, 1, MOST_EDITS),
            ("edits_before", self.edits_before, 0, self.edits),
            ("retries", self.retries, 0, MOST_RETRIES),
            ("losses", self.losses, 0, MOST_ODD_MESSAGES),
            ("repeats", self.repeats, 0, MOST_ODD_MESSAGES),
        ];
        let beyond = bounds.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value));
        let twice = (0..self.engines.len()).find(|&place| self.engines[..place].contains(&self.engines[place]));
        beyond
            .map(|(key, value, least, most)| format!("{key} = {value} is not allowed; {least} to {most} are"))
            .or_else(|| (self.most_states == 0).then(|| "most_states = 0 is not allowed; 1 and more are".to_owned()))
            .or_else(|| (self.most_actions == 0).then(|| "most_actions = 0 is not allowed; 1 and more are".to_owned()))
            .or_else(|| twice.map(|place| format!("engines: '{}' is there twice; name it once", self.engines[place])))
    }
}
