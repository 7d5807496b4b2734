//! The step about what an engine says of its runs: that they repeat themselves.

use super::pair::{Pair, capabilities};
use super::{Asked, Done, Trial};
use crate::domain::data::Intent;
use crate::engine::port::EngineError;

/// The steps, in this order.
pub(super) const STEPS: &[Trial] = &[Trial {
    name: "the same talk gives the same bytes again",
    advice: "take time and random choices from requests alone ('now', 'seed', 'fresh'), or declare \"repeats\": false",
    asked: Asked::Always,
    does: repeats_itself,
}];

fn repeats_itself(pair: &mut Pair) -> Result<Done, EngineError> {
    if !capabilities(pair.engine).repeats {
        return Ok(Done::NotAsked("it declares that it does not repeat itself"));
    }
    let said = |pair: &mut Pair| {
        pair.edit(0, 1, Intent::Increase(7))?;
        pair.connect()?;
        pair.talk(&[])?;
        Ok::<_, EngineError>(std::mem::take(&mut pair.said))
    };
    let first = said(pair)?;
    let again = said(&mut Pair::of(pair.engine)?)?;
    let place = first.iter().zip(&again).position(|(one, other)| one != other);
    Ok(match place {
        None if first.len() == again.len() => {
            let bytes: usize = first.iter().map(Vec::len).sum();
            Done::Yes(format!("{} messages, {bytes} B", first.len()))
        }
        place => Done::No(format!("message {} differs", place.unwrap_or(first.len().min(again.len())))),
    })
}
