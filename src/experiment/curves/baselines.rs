//! What a point is compared with: the information bound of its messages, and the full state in them.

use crate::codec::{self, Codec, Replica, Tick};
use crate::domain::curves::Point;
use crate::domain::seed::Stream;
use crate::experiment::curves::measured::{Edits, Message, changed};

/// Of all messages of a sync together, the medians over all syncs.
pub(super) struct Baselines {
    /// In tenths of a byte, rounded.
    pub(super) bound_tenths: u64,
    pub(super) full_state: u64,
    pub(super) zstd: u64,
    pub(super) zstd_patch: u64,
}

pub(super) fn of(point: Point, samples: u32, seed: &Stream) -> Baselines {
    let mut edits = Edits::of(point, seed);
    for _ in 0..point.history {
        sync(&mut edits, 1);
    }
    let syncs: Vec<Vec<Message>> = (0..samples).map(|_| sync(&mut edits, point.away)).collect();
    let median = |of: &dyn Fn(&Message) -> u64| {
        let mut sums: Vec<u64> = syncs.iter().map(|messages| messages.iter().map(of).sum()).collect();
        sums.sort_unstable();
        sums[(sums.len() - 1) / 2]
    };
    let [full_state, zstd, zstd_patch] = codec::COMPARED.map(|codec| median(&|message| length(codec, message)));
    Baselines { bound_tenths: median(&|message| bound_tenths(point, changed(message))), full_state, zstd, zstd_patch }
}

fn sync(edits: &mut Edits, ticks: u32) -> Vec<Message> {
    let before = edits.truth.clone();
    for _ in 0..ticks {
        edits.tick();
    }
    edits.synced(&before)
}

fn length(codec: &dyn Codec, Message { old, new }: &Message) -> u64 {
    let asked = codec.asks(old);
    let tick = Tick { from: Replica { client: 1, incarnation: 1 }, sequence: 1, old, new };
    (codec.encode(&tick, &asked).len() + asked.len()) as u64
}

/// The fewest bytes, on average, that tell which registers changed and by what, if the receiver knows how many and within which
/// bounds. An amount that several edits come to has no fewer possible values than one edit has.
pub(super) fn bound_tenths(point: Point, changed: u32) -> u64 {
    // libm's logarithm gives the same bits on every machine, which the platform's own need not.
    let share = |place: u32| f64::from(point.registers - place) / f64::from(place + 1);
    let places: f64 = (0..changed).map(|place| libm::log2(share(place))).sum();
    let amount = libm::log2(2.0 * point.most as f64);
    ((places + f64::from(changed) * amount) * 10.0 / 8.0).round() as u64
}
