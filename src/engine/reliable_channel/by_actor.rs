//! Stores things of actors with each actor once for all that follow each other: an actor takes more bytes than most things.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::engine::vector::Actor;

/// Something that is stored under its actor.
pub trait OfActor: Sized {
    /// The rest of it.
    type Rest: Serialize + for<'de> Deserialize<'de>;

    /// Its actor, and the rest.
    fn parted(&self) -> (Actor, Self::Rest);

    /// Both together.
    fn joined(actor: Actor, rest: Self::Rest) -> Self;
}

/// Writes them in their order.
pub fn serialize<'a, S: Serializer, T: OfActor + 'a>(
    things: impl IntoIterator<Item = &'a T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let mut groups: Vec<(Actor, Vec<T::Rest>)> = Vec::new();
    for (actor, rest) in things.into_iter().map(OfActor::parted) {
        match groups.last_mut() {
            Some((last, rests)) if *last == actor => rests.push(rest),
            _ => groups.push((actor, vec![rest])),
        }
    }
    groups.serialize(serializer)
}

/// Reads them in their order.
pub fn deserialize<'de, D: Deserializer<'de>, T: OfActor, C: FromIterator<T>>(deserializer: D) -> Result<C, D::Error> {
    let groups = Vec::<(Actor, Vec<T::Rest>)>::deserialize(deserializer)?;
    let of_group = |(actor, rests): (Actor, Vec<T::Rest>)| rests.into_iter().map(move |rest| T::joined(actor, rest));
    Ok(groups.into_iter().flat_map(of_group).collect())
}
