//! Steps for engines that carry labels.

use super::pair::{Pair, fields, unequal};
use super::{Asked, Done, HUB, Trial};
use crate::domain::data::{DataType, Intent, Overwrites, View};
use crate::engine::port::EngineError;

/// The steps, in this order.
pub(super) const STEPS: &[Trial] = &[Trial {
    name: "a write supersedes what was seen, and nothing else",
    advice: "'write' names a value as decimal text; show a label as { \"values\": [...] }",
    asked: Asked::OfWhoCarries(DataType::Label, "it carries no labels: 'labels' is not in its answer to 'hello'"),
    does: supersedes_what_was_seen_alone,
}];

const SUPERSEDES: &str = "have a 'write' supersede all values that its replica shows, and send it until the peer has it; \
                          where replicas number their writes, go on above the highest number seen";

fn supersedes_what_was_seen_alone(pair: &mut Pair) -> Result<Done, EngineError> {
    let label = fields(pair.engine).first(DataType::Label);
    pair.edit(0, label, Intent::Write(1))?;
    pair.connect()?;
    pair.talk(&[])?;
    pair.edit(HUB, label, Intent::Write(2))?;
    pair.talk(&[])?;
    let after = [pair.view(0, label)?, pair.view(HUB, label)?];
    pair.disconnect()?;
    pair.edit(0, label, Intent::Write(3))?;
    pair.edit(HUB, label, Intent::Write(4))?;
    pair.connect()?;
    pair.talk(&[])?;
    let shown = [pair.view(0, label)?, pair.view(HUB, label)?];
    let [both, one, other] = [&[3, 4][..], &[3], &[4]].map(|values| View::Label(values.iter().copied().collect()));
    let overwrites = pair.engine.carries.labels.unwrap_or_default();
    let is_declared = match overwrites {
        Overwrites::Multi => shown[0] == both,
        Overwrites::Last(_) | Overwrites::One => shown[0] == one || shown[0] == other,
    };
    // Whoever writes now has seen what is shown: that is superseded, a conflict as well.
    pair.edit(0, label, Intent::Write(5))?;
    pair.talk(&[])?;
    let resolved = [pair.view(0, label)?, pair.view(HUB, label)?];
    let alone = |value| [(); 2].map(|()| View::Label([value].into()));
    Ok(match () {
        () if after != alone(2) => Done::Needs(
            format!("1 was written, then 2 where 1 was shown: {}", unequal(&after, &alone(2)[..1])),
            SUPERSEDES,
        ),
        () if shown[0] != shown[1] => Done::Needs(
            format!("of two writes at the same time the client shows {}, and the hub {}", shown[0], shown[1]),
            "decide between writes at the same time by what both replicas know, and not by the order in which they came; and \
             send each until the peer has it",
        ),
        () if !is_declared => Done::Needs(
            format!("it declares to show {}, and shows {}", overwrites.told(), shown[0]),
            "declare in 'labels' what is shown of values that were written at the same time",
        ),
        () if resolved != alone(5) => Done::Needs(
            format!("5 was written where {} was shown: {}", shown[0], unequal(&resolved, &alone(5)[..1])),
            SUPERSEDES,
        ),
        () => Done::Yes(format!("two writes at the same time: {}", shown[0])),
    })
}
