//! Random legal scripts. A step that cannot be done would be refused, so that who draws them keeps which device has power, which
//! has a backup, and which left for good; and a script waits only as long as nothing goes wrong in it.

use std::collections::BTreeSet;

use abench::domain::data::DataType;

use super::{Draws, Shape};

/// A device that may lose its power at any time is not asked for anything that needs it.
const FOR_EVER: u64 = u64::MAX;

/// How long after its store takes writes again a device may start that could not start on a full one, in seconds.
const STARTS_AGAIN: u64 = 61;

/// A register: its data type, how many elements there are, and how many labels a record has.
pub struct Register {
    pub of: DataType,
    pub elements: u64,
    pub labels: u64,
}

/// A script that is being written.
pub struct Script<'a> {
    shape: &'a Shape,
    registers: &'a [Register],
    names: Vec<String>,
    steps: Vec<String>,
    /// In seconds: at least so much time is over.
    now: u64,
    /// By node, in seconds: until when it has no power, and until when its store is full.
    off_until: Vec<u64>,
    full_until: Vec<u64>,
    backed_up: BTreeSet<usize>,
    retired: BTreeSet<usize>,
    /// Whether nothing went wrong yet.
    is_calm: bool,
    values: u64,
}

impl<'a> Script<'a> {
    pub fn of(shape: &'a Shape, registers: &'a [Register], is_calm: bool) -> Self {
        let names = shape.names();
        let none = vec![0; names.len()];
        Script {
            shape,
            registers,
            steps: Vec::new(),
            now: 0,
            off_until: none.clone(),
            full_until: none,
            backed_up: BTreeSet::new(),
            retired: BTreeSet::new(),
            is_calm,
            values: 0,
            names,
        }
    }

    /// So many steps, and some more at its end so that something is edited and sent.
    pub fn drawn(mut self, draws: &mut Draws, steps: u64) -> Vec<String> {
        self.step("connect = 'clients'".to_owned(), 0);
        self.work(draws);
        for _ in 0..steps {
            self.next(draws);
        }
        self.step(String::new(), draws.between(1, 2000));
        self.steps
    }

    fn step(&mut self, keys: String, after: u64) {
        self.now += after;
        let comma = if keys.is_empty() { "" } else { ", " };
        self.steps.push(format!("{{ {keys}{comma}after_s = {after} }}"));
    }

    fn client(&self, draws: &mut Draws) -> usize {
        draws.below(self.shape.clients) as usize
    }

    fn node(&self, draws: &mut Draws) -> usize {
        draws.below(self.names.len() as u64) as usize
    }

    /// Two nodes that have a link; none where this one has no link.
    fn linked(&self, draws: &mut Draws) -> Option<(String, String)> {
        let one = self.names[self.node(draws)].clone();
        let linked = self.shape.linked_with(&one);
        (!linked.is_empty()).then(|| (one, linked[draws.below(linked.len() as u64) as usize].clone()))
    }

    fn next(&mut self, draws: &mut Draws) {
        let most = draws.of(&[0, 0, 0, 5, 100, 1000]);
        let after = draws.between(0, most);
        // Whether a node has power is asked of the time of the step.
        self.now += after;
        let keys = match draws.below(20) {
            0..=5 => self.edit(draws),
            6 => {
                let over = draws.of(&[0, 0, 60]);
                let over = if over > 0 { format!(", over_s = {over}") } else { String::new() };
                Some(format!("connect = '{}'{over}", self.names[self.client(draws)]))
            }
            7 => Some("connect = 'clients'".to_owned()),
            8 => Some(format!("disconnect = '{}'", self.names[self.client(draws)])),
            9 => self.is_calm.then(|| "until = 'quiescent', within_s = 86400".to_owned()),
            10 | 11 => self.message(draws),
            12 => self.linked(draws).map(|(one, other)| {
                self.is_calm = false;
                format!("cut = '{one}', with = '{other}', for_s = {}", draws.between(1, 400))
            }),
            13 => {
                let node = self.node(draws);
                self.backed_up.insert(node);
                Some(format!("back_up = '{}'", self.names[node]))
            }
            14 => {
                let (client, by) = (self.client(draws), draws.between(0, 200_000) as i64 - 100_000);
                Some(format!("clock = '{}', by_s = {by}, drift_ppm = {}", self.names[client], draws.below(1000)))
            }
            15 => {
                self.is_calm = false;
                let (node, bits) = (self.node(draws), draws.of(&[9600, 64_000, 10_000_000]));
                let mut keys = format!("link = '{}', bits_per_s = {bits}, latency_ms = 50", self.names[node]);
                for key in ["lost", "repeated", "reordered", "truncated", "corrupted"] {
                    keys += &format!(", {key}_per_mille = {}", draws.per_mille());
                }
                Some(keys)
            }
            16 => {
                self.now -= after;
                return self.work(draws);
            }
            _ => self.fault(draws),
        };
        self.now -= after;
        match keys {
            Some(keys) => self.step(keys, after),
            None => self.step(String::new(), after),
        }
    }

    fn is_on(&self, node: usize) -> bool {
        self.now > self.off_until[node] || self.off_until[node] == 0
    }

    /// A node has no power for a time.
    fn is_off_for(&mut self, node: usize, seconds: u64) {
        let back = self.now + seconds.max(1);
        // Who cannot start on a full store is started again later.
        let back =
            if self.full_until[node] >= self.now { back.max(self.full_until[node] + STARTS_AGAIN) } else { back };
        self.off_until[node] = self.off_until[node].max(back);
    }

    fn work(&mut self, draws: &mut Draws) {
        let (client, for_s) = (self.client(draws), draws.between(1, 2000));
        let counters = self.registers.iter().filter(|register| register.of == DataType::Counter).count() as u64;
        let (ticks, changed) = (draws.of(&[1, 5, 20]), draws.between(1, counters.min(5)));
        let most = draws.of(&[1, 1000, u64::from(u32::MAX)]);
        let keys = format!(
            "work = '{}', for_s = {for_s}, ticks = {ticks}, changed = {changed}, most = {most}, decrements = {}",
            self.names[client],
            draws.one_in(2)
        );
        self.step(keys, 0);
    }

    fn edit(&mut self, draws: &mut Draws) -> Option<String> {
        let client = self.client(draws);
        if !self.is_on(client) {
            return None;
        }
        // Any data type as often as any other.
        let types: BTreeSet<DataType> = self.registers.iter().map(|register| register.of).collect();
        let types: Vec<DataType> = types.into_iter().collect();
        let of = draws.of(&types);
        let numbers: Vec<usize> = (0..self.registers.len()).filter(|&number| self.registers[number].of == of).collect();
        let number = draws.of(&numbers);
        let Register { elements, labels, .. } = self.registers[number];
        // A value is written again now and then.
        self.values += u64::from(!draws.one_in(6));
        let value = self.values;
        let intent = match of {
            DataType::Counter => format!("by = {}", draws.of(&[-1000, -1, 1, 7, 1_000_000])),
            DataType::Stock => match draws.below(4) {
                0 => format!("supply = {}", draws.between(1, 20)),
                1 => format!("transfer = {}, to = 'client {}'", draws.between(1, 5), draws.below(self.shape.clients)),
                _ => format!("take = {}", draws.between(1, 5)),
            },
            DataType::Tags => format!("{} = {}", draws.of(&["insert", "insert", "remove"]), draws.below(elements)),
            DataType::Label => format!("write = {value}"),
            DataType::Claim => format!("claim = {value}"),
            DataType::Case if draws.one_in(5) => "close = true".to_owned(),
            DataType::Case => format!("do = {}", draws.below(elements)),
            DataType::Text => {
                // Letters of some scripts, and one letter twice.
                let word = draws.of(&["word", "an", "", "e\u{301}", "\u{5d0}\u{1f600}", "n"]);
                match draws.below(5) {
                    0 => format!("erase = '{word}'"),
                    1 => format!("type = '{word}'"),
                    _ => format!("type = '{word}', after = '{}'", draws.of(&["", "w", "n", "ord", "\u{1f600}", "?"])),
                }
            }
            DataType::Record => match draws.below(6) {
                0 => format!("create = {}", 1000 * value),
                1 => "delete = true".to_owned(),
                2 | 3 => format!("set = {value}, field = {}", draws.below(labels)),
                4 => format!("tag = {}", draws.below(elements)),
                _ => format!("untag = {}", draws.below(elements)),
            },
        };
        Some(format!("edit = '{}', register = {number}, {intent}", self.names[client]))
    }

    fn message(&mut self, draws: &mut Draws) -> Option<String> {
        let (from, to) = self.linked(draws)?;
        self.is_calm = false;
        let number = draws.between(1, 4);
        let fate = match draws.below(5) {
            0 | 1 => format!("lose = {number}"),
            2 => format!("repeat = {number}, late_s = {}", draws.of(&[1, 60, 100_000, 500_000])),
            3 => format!("delay = {number}, by_s = {}", draws.of(&[1, 60, 100_000, 500_000])),
            _ if draws.one_in(2) => format!("truncate = {number}, bytes = {}", draws.below(40)),
            _ => format!("corrupt = {number}, bit = {}", draws.below(400)),
        };
        Some(format!("{fate}, from = '{from}', to = '{to}'"))
    }

    fn fault(&mut self, draws: &mut Draws) -> Option<String> {
        let kind = draws.of(&[
            "crash",
            "crash during",
            "outage",
            "wipe",
            "clone",
            "set_back",
            "damage",
            "full",
            "refuse",
            "read_only",
            "freeze",
            "retire",
            "start_over",
            "import",
            "drop",
            "signed_out",
        ]);
        let node = match kind {
            "set_back" => *self.backed_up.iter().nth(draws.below(self.backed_up.len().max(1) as u64) as usize)?,
            "retire" | "signed_out" => self.client(draws),
            // Another client stands after it, and its device is replaced.
            "clone" => (self.shape.clients > 1).then(|| draws.below(self.shape.clients - 1) as usize)?,
            _ => self.node(draws),
        };
        let name = self.names[node].clone();
        let linked = self.shape.linked_with(&name);
        let peer = || linked.first().cloned();
        let lasts = draws.between(1, 600);
        let others_stay = self.retired.iter().filter(|&&other| other != node).count() as u64 + 1 < self.shape.clients;
        let keys = match kind {
            "crash during" => {
                if !self.is_on(node) {
                    return None;
                }
                let effects = draws.between(1, 8);
                format!("crash = '{name}', after_effects = {effects}")
            }
            "retire" if !self.shape.hub && !others_stay => return None,
            "retire" => format!("retire = '{name}'"),
            "freeze" => format!("freeze = '{name}', for_s = {lasts}, messages = '{}'", draws.of(&["wait", "lost"])),
            "import" => format!("import = '{name}', for_s = {lasts}, from = '{}'", peer()?),
            "drop" => format!("drop = '{name}', to = '{}', nth = {}", peer()?, draws.between(1, 3)),
            _ => format!("{kind} = '{name}', for_s = {lasts}"),
        };
        self.is_calm = false;
        match kind {
            "crash during" => self.off_until[node] = FOR_EVER,
            "retire" => {
                self.off_until[node] = FOR_EVER;
                self.retired.insert(node);
            }
            "full" => {
                self.full_until[node] = self.full_until[node].max(self.now + lasts);
                if !self.is_on(node) {
                    self.is_off_for(node, 0);
                }
            }
            "clone" => self.is_off_for(node + 1, lasts),
            "outage" | "refuse" | "read_only" | "freeze" | "drop" | "signed_out" => {}
            _ => self.is_off_for(node, lasts),
        }
        if kind == "set_back" {
            self.backed_up.remove(&node);
        }
        Some(keys)
    }
}
