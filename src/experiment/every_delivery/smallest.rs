//! The smallest world in which an engine fails: fewer clients, edits, retries and odd messages are tried first.

use std::num::NonZeroUsize;

use crate::domain::every_delivery::Bounds;
use crate::domain::subject::SubjectError;
use crate::domain::watch::Watch;
use crate::engine::Registration;
use crate::experiment::small_world::{Against, Most, walked};

/// A world in which an engine fails.
pub(super) struct Smallest {
    /// What may happen in it.
    pub(super) bounds: Bounds,
    /// The end that a judge has something against.
    pub(super) against: Against,
}

/// Worlds within these bounds, those with less first. The world itself is not among them.
fn smaller(bounds: Bounds) -> Vec<Bounds> {
    let mut all = Vec::new();
    for clients in 1..=bounds.clients {
        for edits in 1..=bounds.edits {
            for retries in 0..=bounds.retries {
                for losses in 0..=bounds.losses {
                    for repeats in 0..=bounds.repeats {
                        // Edits before a connection leave fewer ways, and shorter ones.
                        for edits_before in (bounds.edits_before.min(edits)..=edits).rev() {
                            all.push(Bounds { clients, edits, edits_before, retries, losses, repeats, ..bounds });
                        }
                    }
                }
            }
        }
    }
    let size = |of: &Bounds| {
        let odd = of.retries + of.losses + of.repeats;
        (of.clients * of.edits + odd, odd, of.clients, of.edits - of.edits_before)
    };
    all.sort_by_key(size);
    all.retain(|of| *of != bounds);
    all
}

/// The first of the smaller worlds in which the engine fails, if it does in one.
pub(super) fn of(
    bounds: Bounds,
    most: Most,
    engine: &'static Registration,
    watch: &mut dyn Watch,
) -> Result<Option<Smallest>, SubjectError> {
    // All of them together take no more actions than the world itself may.
    let mut left = most.actions;
    for bounds in smaller(bounds) {
        let most = Most { actions: left, ..most };
        let came = walked((bounds, most), engine, None, NonZeroUsize::MIN, watch)?;
        left = left.map(|left| left.saturating_sub(came.actions));
        if let Some(against) = came.against {
            return Ok(Some(Smallest { bounds, against }));
        }
        if left == Some(0) {
            break;
        }
    }
    Ok(None)
}
