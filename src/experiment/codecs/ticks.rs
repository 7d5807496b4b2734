//! The ticks that codecs are measured in, each from its own part of the seed.

use crate::codec::Replica;
use crate::domain::codecs::CodecsTrial;
use crate::domain::seed::Stream;

/// Ticks of a history.
pub const TICKS: usize = 3;

/// Clients, and sequence numbers of ticks, are drawn from so many: their bytes are those of a replica in a large fleet.
const CLIENTS: u64 = 10_000;

/// Incarnations are drawn from so many, as engines draw them.
const INCARNATIONS: u64 = 1 << 28;

/// What the registers of a narrow tick are below at the start.
const START: u64 = 1_000_000;

/// The kinds of ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// Amounts of a few thousand.
    Narrow,
    /// Amounts of 64 bits, on registers of 64 bits.
    Wide,
}

/// A replica's ticks, one after the other, and another's at the time of the first.
#[derive(Clone, Debug)]
pub struct History {
    /// Who makes the ticks.
    pub from: Replica,
    /// The number of the first tick.
    pub sequence: u64,
    /// The registers before the first tick, and after each.
    pub states: Vec<Vec<i64>>,
    /// Who makes the other tick.
    pub other: Replica,
    /// The registers after the other tick, which begins where the first tick does.
    pub of_other: Vec<i64>,
}

impl History {
    /// The history of this number.
    pub fn drawn(trial: &CodecsTrial, width: Width, number: u64) -> Self {
        let name = if width == Width::Narrow { "narrow-ticks" } else { "wide-ticks" };
        let mut stream = trial.seed.stream(name).member(number);
        let mut replica =
            || Replica { client: stream.below(CLIENTS) as u32, incarnation: stream.below(INCARNATIONS) as u32 };
        let [from, mut other] = [replica(), replica()];
        other.client += u32::from(other.client == from.client);
        let sequence = 1 + stream.below(CLIENTS);
        let start = |stream: &mut Stream| match width {
            Width::Narrow => stream.below(START) as i64,
            Width::Wide => stream.word() as i64,
        };
        let mut states = vec![(0..trial.registers).map(|_| start(&mut stream)).collect::<Vec<i64>>()];
        let changed = trial.changed as usize;
        let mut first = Vec::new();
        for tick in 0..TICKS {
            let mut registers: Vec<usize> = (0..trial.registers as usize).collect();
            stream.shuffle(&mut registers);
            let mut state = states[tick].clone();
            registers[..changed].iter().for_each(|&register| add(trial, width, &mut stream, &mut state[register]));
            if tick == 0 {
                first = registers;
            }
            states.push(state);
        }
        // Half of what the other changes, the first tick changes too.
        let mut of_other = states[0].clone();
        let theirs = first.iter().skip(changed / 2).take(changed);
        theirs.for_each(|&register| add(trial, width, &mut stream, &mut of_other[register]));
        History { from, sequence, states, other, of_other }
    }
}

/// Adds an amount that is not 0.
fn add(trial: &CodecsTrial, width: Width, stream: &mut Stream, register: &mut i64) {
    let amount = match width {
        Width::Narrow => {
            let most = i64::from(trial.most);
            let drawn = stream.below(2 * u64::from(trial.most)) as i64 - most;
            drawn + i64::from(drawn >= 0)
        }
        Width::Wide => stream.word().max(1) as i64,
    };
    *register = register.wrapping_add(amount);
}

/// The fewest bytes, on average, that tell which registers a tick changes and by what, if the receiver knows how many and
/// within which bounds: in tenths of a byte, rounded.
pub fn bound_tenths(trial: &CodecsTrial, width: Width) -> u64 {
    // libm's logarithm gives the same bits on every machine, which the platform's own need not.
    let share = |place: u32| f64::from(trial.registers - place) / f64::from(place + 1);
    let places: f64 = (0..trial.changed).map(|place| libm::log2(share(place))).sum();
    let amount = match width {
        Width::Narrow => libm::log2(2.0 * f64::from(trial.most)),
        Width::Wide => 64.0,
    };
    ((places + f64::from(trial.changed) * amount) * 10.0 / 8.0).round() as u64
}
