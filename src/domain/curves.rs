//! Trials of curves: what a sync takes as one thing about the data or the replicas grows, and the others stay.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::seed::Seed;
use crate::domain::trial::Keys;

/// The most registers of a point.
pub const MOST_REGISTERS: u32 = 65_536;

/// The most ticks of history.
pub const MOST_HISTORY: u32 = 10_000;

/// The most syncs that a point is the median of.
pub const MOST_SAMPLES: u32 = 1_000;

/// What grows along a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// The share of registers that a tick changes, in thousandths.
    Density,
    /// How large amounts are, in bits.
    Width,
    /// Clients that all edit before they sync.
    Writers,
    /// The share of changed registers that all writers change, in hundredths, with four writers.
    Overlap,
    /// Ticks, each with a sync, before the one that is measured.
    History,
    /// Ticks that a client makes before it syncs.
    Away,
}

impl Axis {
    /// All of them.
    pub const ALL: [Axis; 6] = [Axis::Density, Axis::Width, Axis::Writers, Axis::Overlap, Axis::History, Axis::Away];

    /// What its numbers count.
    pub fn unit(self) -> &'static str {
        match self {
            Axis::Density => "‰ of registers changed",
            Axis::Width => "bits of an amount",
            Axis::Writers => "writers",
            Axis::Overlap => "% of changes shared by four writers",
            Axis::History => "ticks before",
            Axis::Away => "ticks away",
        }
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Axis::Density => "density",
            Axis::Width => "width",
            Axis::Writers => "writers",
            Axis::Overlap => "overlap",
            Axis::History => "history",
            Axis::Away => "away",
        })
    }
}

/// What a sync takes along several curves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CurvesTrial {
    /// What everything is drawn from: a text of 1 to 16 hexadecimal digits, with or without 0x. The same seed gives the same
    /// run.
    pub seed: Seed,
    /// How many registers a replica has.
    #[serde(default = "default_registers")]
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_REGISTERS)))]
    pub registers: u32,
    /// How many of the registers a tick changes, where that is not what grows: at most all.
    #[serde(default = "default_changed")]
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_REGISTERS)))]
    pub changed: u32,
    /// The largest amount either way, where that is not what grows.
    #[serde(default = "default_most")]
    #[cfg_attr(test, schemars(range(min = 1, max = i32::MAX)))]
    pub most: u32,
    /// The most ticks of history, of powers of ten.
    #[serde(default = "default_history")]
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_HISTORY)))]
    pub history: u32,
    /// How many syncs, one after the other, a point is the median of.
    #[serde(default = "default_samples")]
    #[cfg_attr(test, schemars(range(min = 1, max = MOST_SAMPLES)))]
    pub samples: u32,
    /// The curves. Without this key, all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<Axis>,
    /// The engines, by name; `all` stands for those of abench, `libraries` for libraries in this build. Without this key, it
    /// is the reference alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub engines: Vec<String>,
}

fn default_registers() -> u32 {
    256
}

fn default_changed() -> u32 {
    20
}

fn default_most() -> u32 {
    1000
}

fn default_history() -> u32 {
    1000
}

fn default_samples() -> u32 {
    5
}

/// One point of a curve: what a measured world is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// How far along its axis it is, in the axis's unit.
    pub x: u32,
    /// Registers of a replica.
    pub registers: u32,
    /// Registers that a tick changes.
    pub changed: u32,
    /// Bits of the largest amount.
    pub most: i64,
    /// Clients that edit.
    pub writers: u32,
    /// Of the registers that a writer changes, the hundredths that all writers change.
    pub overlap: u32,
    /// Ticks before.
    pub history: u32,
    /// Ticks of each writer before it syncs.
    pub away: u32,
}

impl CurvesTrial {
    /// The curves that are asked for, each with its points.
    pub fn curves(&self) -> Vec<(Axis, Vec<Point>)> {
        let asked = Axis::ALL.into_iter().filter(|axis| self.axes.is_empty() || self.axes.contains(axis));
        asked.map(|axis| (axis, self.points(axis))).collect()
    }

    /// The points of a curve. Points that come to the same world are left out.
    fn points(&self, axis: Axis) -> Vec<Point> {
        const OVERLAPPING: u32 = 4;
        let base = Point {
            x: 0,
            registers: self.registers,
            changed: self.changed,
            most: self.most.into(),
            writers: 1,
            overlap: 50,
            history: 1,
            away: 1,
        };
        let mut points: Vec<Point> = match axis {
            Axis::Density => [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
                .map(|x| Point { x, changed: (u64::from(self.registers) * u64::from(x)).div_ceil(1000) as u32, ..base })
                .into(),
            Axis::Width => [1, 8, 16, 32, 48, 62].map(|x| Point { x, most: (1 << x) - 1, ..base }).into(),
            Axis::Writers => [1, 2, 4, 8, 16, 32].map(|x| Point { x, writers: x, ..base }).into(),
            Axis::Overlap => [0, 25, 50, 75, 100].map(|x| Point { x, overlap: x, writers: OVERLAPPING, ..base }).into(),
            Axis::History => {
                let ticks = [1, 10, 100, 1000, 10_000].into_iter().filter(|&x| x <= self.history);
                ticks.map(|x| Point { x, history: x, ..base }).collect()
            }
            Axis::Away => [1, 3, 10, 30, 100].map(|x| Point { x, away: x, ..base }).into(),
        };
        // Two shares can round up to the same number of registers. One point is enough.
        points.dedup_by(|next, last| Point { x: last.x, ..*next } == *last);
        points
    }
}

impl Keys for CurvesTrial {
    fn seed(&self) -> Seed {
        self.seed
    }

    fn set_seed(&mut self, seed: Seed) {
        self.seed = seed;
    }

    fn title(&self) -> String {
        format!("curves around {} of {} registers, seed {}", self.changed, self.registers, self.seed)
    }

    fn engines(&self) -> Vec<&str> {
        self.engines.iter().map(String::as_str).collect()
    }

    fn impossible(&self) -> Option<String> {
        let bounds = [
            ("registers", self.registers, 1, MOST_REGISTERS),
            ("changed", self.changed, 1, self.registers),
            ("most", self.most, 1, i32::MAX as u32),
            ("history", self.history, 1, MOST_HISTORY),
            ("samples", self.samples, 1, MOST_SAMPLES),
        ];
        let beyond = bounds.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value));
        let twice = (0..self.engines.len()).find(|&place| self.engines[..place].contains(&self.engines[place]));
        let axis_twice = (0..self.axes.len()).find(|&place| self.axes[..place].contains(&self.axes[place]));
        beyond
            .map(|(key, value, least, most)| format!("{key} = {value} is not allowed; {least} to {most} are"))
            .or_else(|| twice.map(|place| format!("engines: '{}' is there twice; name it once", self.engines[place])))
            .or_else(|| axis_twice.map(|place| format!("axes: '{}' is there twice; name it once", self.axes[place])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_points_that_differ_and_is_whole_in_its_bounds() {
        let trial = CurvesTrial {
            seed: Seed::new(1),
            registers: 10,
            changed: 2,
            most: 5,
            history: 100,
            samples: 1,
            axes: Vec::new(),
            engines: Vec::new(),
        };
        let curves = trial.curves();
        assert_eq!(curves.len(), Axis::ALL.len());
        let xs = |axis: Axis| {
            let (_, points) = curves.iter().find(|(of, _)| *of == axis).expect("it is there");
            points.iter().map(|point| point.x).collect::<Vec<_>>()
        };
        // One register of ten is the least that can change, up to 100 thousandths.
        assert_eq!(xs(Axis::Density), [1, 200, 500, 1000]);
        assert_eq!(xs(Axis::History), [1, 10, 100]);
    }
}
