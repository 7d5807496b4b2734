//! Registers that are overwritten one by one: what the last-writer and first-writer engines share.
//!
//! What is written is the whole view of a register, tags included: an insert replaces the set as its writer showed it. Where
//! writes carry stamps, they go by client and time, so that neither is told twice:
//!
//! | field | kind |
//! |---|---|
//! | number of clients | framing |
//! | each: client | id |
//! | number of its times | framing |
//! | each: milliseconds since the time before it in the message, signed; the first since 0 | id |
//! | number of registers written then | addressing |
//! | each: gap to the register before | addressing |
//! | view (`engine/views.rs`) | payload |
//! | which of several at that time, if the clock counts | id |
//!
//! Without stamps it is a number of registers, and of each the gap and the view.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::data;
use crate::domain::data::{Intent, View};
use crate::domain::traffic::Kind;
use crate::engine::host::{NodeId, Round};
use crate::engine::reliable_channel::content::{About, Content, Peers};
use crate::engine::reliable_channel::pending::PendingChanges;
use crate::engine::views;
use crate::engine::wire::{Malformed, Reader, Writer};

/// When a register was written, by whatever the policy calls time, and by whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, Hash)]
pub struct Stamp {
    /// Time, in milliseconds: no user writes a register twice in one.
    pub time: i64,
    /// Which of several at that time.
    pub count: u32,
    /// Whose it is.
    pub client: u32,
}

/// Which of two writes stays.
pub trait Policy:
    Clone + Default + std::fmt::Debug + Eq + std::hash::Hash + Send + Sync + Serialize + DeserializeOwned
{
    /// Whether writes carry stamps.
    const STAMPED: bool;

    /// Whether stamps count writes at one time.
    const COUNTED: bool = false;

    /// The stamp of a write that is made now.
    fn stamp(&mut self, about: &About) -> Stamp;

    /// A stamp came in.
    fn heard(&mut self, _about: &About, _stamp: Stamp) {}

    /// Whether a write takes the place of another; `None` is the start.
    fn wins(new: Stamp, old: Option<Stamp>) -> bool;
}

/// Registers with the stamps of their last writes.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq, Hash)]
pub struct RegisterMap<P> {
    policy: P,
    registers: Vec<(View, Option<Stamp>)>,
}

/// One write as it travels.
struct Write {
    stamp: Stamp,
    register: u32,
    value: View,
}

/// About what a stamp takes where registers are written at many times.
const STAMP: usize = 6;

impl<P: Policy> RegisterMap<P> {
    fn write_of(&self, register: u32) -> Write {
        let (value, stamp) = self.registers[register as usize].clone();
        Write { stamp: stamp.unwrap_or_default(), register, value }
    }
}

impl<P: Policy> Content for RegisterMap<P> {
    /// Registers that a neighbour does not have as they are.
    type Peer = PendingChanges<u32>;

    fn begin(&mut self, about: &About) {
        self.registers = about.fields.starts().into_iter().map(|start| (start, None)).collect();
    }

    fn meet(&self, _about: &About, _before: Option<PendingChanges<u32>>, _blank: bool) -> PendingChanges<u32> {
        let written = self.registers.iter().enumerate().filter(|(_, (_, stamp))| stamp.is_some());
        PendingChanges::of(written.map(|(register, _)| register as u32))
    }

    fn edit(&mut self, about: &About, peers: &mut Peers<PendingChanges<u32>>, register: u32, intent: Intent) {
        // Nobody removes what is not there: an edit that means nothing is none.
        if !data::is_meant(&self.registers[register as usize].0, intent) {
            return;
        }
        let stamp = self.policy.stamp(about);
        let (value, last) = &mut self.registers[register as usize];
        if P::wins(stamp, *last) {
            data::apply(&about.fields, value, intent);
            *last = Some(stamp);
            peers.values_mut().for_each(|changes| changes.insert(register));
        }
    }

    fn offer(&mut self, about: &About, changes: &mut PendingChanges<u32>, writer: &mut Writer) -> Option<Round> {
        let stamp = if P::STAMPED { STAMP } else { 0 };
        let round = changes.take_off(about.fragment, |&register| {
            stamp + 1 + views::weighs(&about.fields, &self.registers[register as usize].0)
        })?;
        let mut writes: Vec<Write> = changes.flying().iter().map(|&register| self.write_of(register)).collect();
        if !P::STAMPED {
            write_registers(about, writer, &writes, false);
            return Some(round);
        }
        writes.sort_unstable_by_key(|write| (write.stamp.client, write.stamp.time, write.register));
        let clients = writes.chunk_by(|one, next| one.stamp.client == next.stamp.client);
        writer.of(Kind::Framing).number(clients.clone().count() as u64);
        let mut before = 0;
        for of_client in clients {
            let times = of_client.chunk_by(|one, next| one.stamp.time == next.stamp.time);
            writer.of(Kind::Ids).number(of_client[0].stamp.client.into());
            writer.of(Kind::Framing).number(times.clone().count() as u64);
            for at_once in times {
                let time = at_once[0].stamp.time;
                writer.of(Kind::Ids).signed(time.wrapping_sub(before));
                write_registers(about, writer, at_once, P::COUNTED);
                before = time;
            }
        }
        Some(round)
    }

    fn arrived(&mut self, changes: &mut PendingChanges<u32>) {
        changes.arrived();
    }

    fn take(
        &mut self,
        about: &About,
        peers: &mut Peers<PendingChanges<u32>>,
        from: NodeId,
        reader: &mut Reader,
    ) -> Result<bool, Malformed> {
        let mut writes = Vec::new();
        if P::STAMPED {
            let mut time = 0i64;
            for _ in 0..reader.count("a number of clients")? {
                let client = reader.small("a client")?;
                for _ in 0..reader.count("a number of times")? {
                    time = time.wrapping_add(reader.signed()?);
                    let stamp = Stamp { time, count: 0, client };
                    read_registers(about, reader, stamp, P::COUNTED, &mut writes)?;
                }
            }
        } else {
            read_registers(about, reader, Stamp::default(), false, &mut writes)?;
        }
        reader.end()?;
        let mut changes = false;
        for Write { stamp, register, value: new } in writes {
            self.policy.heard(about, stamp);
            let (value, last) = &mut self.registers[register as usize];
            if (&new, Some(stamp)) != (&*value, *last) && P::wins(stamp, *last) {
                (*value, *last) = (new, Some(stamp));
                changes = true;
                for (_, pending) in peers.iter_mut().filter(|(peer, _)| **peer != from) {
                    pending.insert(register);
                }
            }
        }
        Ok(changes)
    }

    fn shows(&self, _about: &About) -> Vec<View> {
        self.registers.iter().map(|(value, _)| value.clone()).collect()
    }

    fn waiting(&self, changes: &PendingChanges<u32>) -> u64 {
        changes.len() as u64
    }
}

/// Registers, ascending, with what they are; and which of several writes at that time each was, if it is counted.
fn write_registers(about: &About, writer: &mut Writer, writes: &[Write], counted: bool) {
    writer.of(Kind::Addressing).number(writes.len() as u64);
    let mut next = 0;
    for Write { stamp, register, value } in writes {
        writer.of(Kind::Addressing).number(u64::from(register - next));
        views::write(&about.fields, value, writer.of(Kind::Payload));
        if counted {
            writer.of(Kind::Ids).number(stamp.count.into());
        }
        next = register + 1;
    }
}

/// Reads what [`write_registers`] wrote.
fn read_registers(
    about: &About,
    reader: &mut Reader,
    stamp: Stamp,
    counted: bool,
    writes: &mut Vec<Write>,
) -> Result<(), Malformed> {
    let mut next = 0u64;
    for _ in 0..reader.count("a number of registers")? {
        let register = reader.register(&mut next, about.fields.len())?;
        let value = views::read(&about.fields, register, reader)?;
        let count = if counted { reader.small("a count")? } else { 0 };
        writes.push(Write { stamp: Stamp { count, ..stamp }, register, value });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Fields;
    use crate::engine::baseline::lww_wall_clock::WallClock;
    use crate::engine::vector::Actor;

    fn at(wall: i64) -> About {
        About {
            actor: Actor { client: 3, incarnation: 1 },
            store: 1,
            fields: Fields::counters(256, 100_000),
            wall,
            fragment: 4096,
            serves: false,
            is_root: false,
            mutant: None,
        }
    }

    /// What a day's two ticks of ten registers each are sent as, by kind, and whether a neighbour has them then.
    fn sent<P: Policy>() -> crate::domain::traffic::Traffic {
        let (mut one, mut other) = (RegisterMap::<P>::default(), RegisterMap::<P>::default());
        one.begin(&at(0));
        other.begin(&at(0));
        let mut peer = one.meet(&at(0), None, true);
        for (tick, wall) in [(0, 3_600_000_000i64), (1, 50_000_000_000)] {
            for place in 0..10 {
                let mut peers = Peers::from([(9, std::mem::take(&mut peer))]);
                one.edit(&at(wall + i64::from(place)), &mut peers, 20 * tick + place, Intent::Increase(5));
                peer = peers.remove(&9).expect("it is there");
            }
        }
        let mut writer = Writer::bare();
        assert_eq!(one.offer(&at(0), &mut peer, &mut writer), Some(Round { begins: true, ends: true }));
        let (bytes, traffic) = writer.unsealed();
        let reader = &mut Reader::bare(&bytes);
        other.take(&at(0), &mut Peers::new(), 3, reader).expect("it was written");
        assert_eq!(one.registers, other.registers);
        traffic
    }

    #[test]
    fn a_message_tells_its_writer_once_and_each_time_once() {
        let wall = sent::<crate::engine::baseline::lww_wall_clock::Wall>();
        // The client, and two times of 4 bytes; a count and a gap for each register; how many there are of what.
        assert_eq!((wall.ids, wall.payload, wall.addressing, wall.framing), (9, 20, 22, 2));
        let hybrid = sent::<crate::engine::baseline::lww_hybrid_clock::Hybrid>();
        assert_eq!((hybrid.ids, hybrid.payload, hybrid.addressing, hybrid.framing), (29, 20, 22, 2));
        let plain = sent::<crate::engine::baseline::lww_arrival::Arrival>();
        assert_eq!((plain.ids, plain.payload, plain.addressing, plain.framing), (0, 20, 21, 0));
    }

    #[test]
    fn a_time_of_any_size_comes_back() {
        for wall in [i64::MIN, -1, 0, i64::MAX] {
            let (mut one, mut other) = (WallClock::default(), WallClock::default());
            one.begin(&at(0));
            other.begin(&at(0));
            let mut peers = Peers::from([(9, one.meet(&at(0), None, true))]);
            one.edit(&at(wall), &mut peers, 1, Intent::Increase(1));
            one.edit(&at(-wall.saturating_add(1)), &mut peers, 2, Intent::Increase(1));
            let mut writer = Writer::bare();
            one.offer(&at(0), peers.get_mut(&9).expect("it is there"), &mut writer);
            other.take(&at(0), &mut Peers::new(), 3, &mut Reader::bare(&writer.into_bytes())).expect("it was written");
            assert_eq!(one.registers, other.registers);
        }
    }
}
