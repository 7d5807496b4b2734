//! Steps for engines that carry claims.

use super::pair::{Pair, fields};
use super::{Asked, Done, HUB, Trial};
use crate::domain::data::{Claimed, DataType, Granting, Intent, View};
use crate::engine::port::EngineError;

/// The steps, in this order.
pub(super) const STEPS: &[Trial] = &[Trial {
    name: "of two claims one is granted, and the other is refused and shown",
    advice: "'claim' names a value as decimal text; show a claim as { \"claim\": { \"holder\": \"7\", \"waiting\": [], \"refused\": [] } }, \
             with null where nobody holds it",
    asked: Asked::OfWhoCarries(DataType::Claim, "it carries no claims: 'claims' is not in its answer to 'hello'"),
    does: grants_one_and_refuses_the_other,
}];

fn grants_one_and_refuses_the_other(pair: &mut Pair) -> Result<Done, EngineError> {
    let claim = fields(pair.engine).first(DataType::Claim);
    let granting = pair.engine.carries.claims.unwrap_or_default();
    pair.edit(0, claim, Intent::Claim(1))?;
    let alone = pair.view(0, claim)?;
    pair.edit(HUB, claim, Intent::Claim(2))?;
    pair.connect()?;
    pair.talk(&[])?;
    let shown = [pair.view(0, claim)?, pair.view(HUB, claim)?];
    // Whoever claims now is shown the holder: that means nothing.
    pair.edit(0, claim, Intent::Claim(3))?;
    pair.talk(&[])?;
    let after = [pair.view(0, claim)?, pair.view(HUB, claim)?];
    let nothing = Claimed::default();
    let claimed = |view: &View| view.claimed().unwrap_or(&nothing).clone();
    let (waits, decided) = (claimed(&alone), claimed(&shown[0]));
    let is_declared = match granting {
        Granting::ByAuthority => waits.holder.is_none() && waits.waiting.contains(&1),
        Granting::Shown => waits.holder == Some(1),
    };
    let mut all: Vec<u64> = decided.all().collect();
    all.sort_unstable();
    Ok(match () {
        () if !is_declared => Done::Needs(
            format!("it declares to show a holder {}, and shows alone: {alone}", granting.told()),
            "declare in 'claims' when a holder is shown; until a hub has decided, show the claim among those that wait",
        ),
        () if shown[0] != shown[1] => Done::Needs(
            format!("of two claims the client shows {}, and the hub {}", shown[0], shown[1]),
            "decide at the hub alone, and send the decision until the peer has it",
        ),
        () if decided.holder.is_none() || !decided.waiting.is_empty() => Done::Needs(
            format!("two claims have come to the hub, and are shown as: {}", shown[0]),
            "have the hub grant the first claim that comes to it, and refuse the others",
        ),
        () if all != [1, 2] => Done::Needs(
            format!("1 and 2 were claimed, and this is shown: {}", shown[0]),
            "keep every claim, and show those that were not granted among the refused: their users must be told",
        ),
        () if after != shown => Done::Needs(
            format!("3 was claimed where {} was shown: {}", shown[0], after[0]),
            "have a 'claim' change nothing where its replica shows the holder",
        ),
        () => Done::Yes(format!("two claims: {}", shown[0])),
    })
}
