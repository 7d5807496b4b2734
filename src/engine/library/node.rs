//! A document of a library behind the port of engines.
//!
//! An edit, or what a neighbour said, goes into the document; what the library gives as its changes is appended to the
//! journal and synced, and only then is the edit shown as accepted, or the message acknowledged, and told to others. When the
//! journal has grown, the library's save of the whole document takes its place.
//!
//! A store that refuses a write leaves a document that is ahead of the store: it is loaded from the store again. A library
//! that panicked is not called again.
//!
//! Knows: the port. Must not: know a library.

use std::any::Any;
use std::collections::BTreeMap;
use std::hash::Hasher;

use crate::domain::data::{DataType, Fields, Intent, View};
use crate::engine::host::{Host, Later, NodeId, OpId, Time};
use crate::engine::library::document::{Document, Heard};
use crate::engine::library::guard::guarded;
use crate::engine::library::line::{self, Line, SESSIONS, Told};
use crate::engine::port::{Engine, EngineError, InMemory, Position, Reception, Relation, Settings};
use crate::engine::store::disk::Disk;
use crate::engine::store::{Kept, Store, StoreError};
use crate::engine::vector::Actor;

/// How a mapping uses its library, beside its registers.
#[derive(Clone, Copy, Debug)]
pub(super) struct How {
    /// Whether a replica keeps its id when it starts again. Otherwise it takes a new one, as a store may have been copied or
    /// set back.
    pub(super) keeps_id: bool,
    /// Whether messages are sent again until they are acknowledged.
    pub(super) resends: bool,
}

/// As the documentation of libraries advises.
pub(super) const ADVISED: How = How { keeps_id: false, resends: true };

/// Each half of an id is drawn from so many.
const HALF_AN_ID: u64 = 1 << 62;

/// Bytes that a journal may have however small the image is.
const SMALL_JOURNAL: u64 = 1 << 16;

/// So many times the image a journal may be long: to save a whole document costs far more than to append to one.
const LONG_JOURNAL: u64 = 4;

/// Kinds of entries of the journal.
const ID: u8 = 0;
const CHANGES: u8 = 1;

/// A document whose calls are guarded; nothing once one of them panicked.
struct Guarded<D> {
    document: Option<D>,
    panic: String,
}

impl<D> Guarded<D> {
    fn call<T>(&mut self, call: impl FnOnce(&mut D) -> T) -> Result<T, EngineError> {
        let Some(document) = &mut self.document else { return Err(EngineError::Failed(self.panic.clone())) };
        guarded(|| call(document)).map_err(|panic| {
            // What is left of it may panic once more.
            let left = self.document.take();
            let _ = guarded(|| drop(left));
            self.panic.clone_from(&panic);
            EngineError::Failed(panic)
        })
    }
}

/// A replica.
pub(super) struct LibraryNode<D: Document> {
    settings: Settings,
    how: How,
    id: u128,
    library: Guarded<D>,
    shown: Vec<View>,
    /// How often what it shows may have become another.
    changes: u64,
    /// Edits of its user since it started, and one more for all before; and how many of these a neighbour has.
    made: u64,
    given: u64,
    lines: BTreeMap<NodeId, Line<D::Session>>,
    /// Entries of the journal, their bytes, and bytes of the image.
    sizes: (u64, u64, u64),
}

/// The document of a store.
struct Loaded<D> {
    library: Guarded<D>,
    shown: Vec<View>,
    sizes: (u64, u64, u64),
    is_blank: bool,
}

fn id_of(bytes: &[u8]) -> Option<(u128, &[u8])> {
    bytes.split_first_chunk().map(|(id, rest)| (u128::from_le_bytes(*id), rest))
}

/// The id that a store keeps.
fn kept_id(kept: &Kept) -> Option<u128> {
    let image = kept.image.as_deref();
    let entry = || kept.entries.iter().find_map(|entry| entry.strip_prefix(&[ID]));
    image.or_else(entry).and_then(id_of).map(|(id, _)| id)
}

fn load<D: Document>(settings: &Settings, kept: &Kept, id: u128) -> Result<Loaded<D>, EngineError> {
    let begun = guarded(|| D::begin(&of_document(&settings.fields), id)).map_err(EngineError::Failed)?;
    let mut library = Guarded { document: Some(begun), panic: String::new() };
    let (mut sizes, mut is_blank) = ((0, 0, 0), true);
    let mut take = |saved: &[u8], what: &str| {
        let taken = library.call(|document| document.load(saved))?;
        let damaged = |why| StoreError::Damaged(format!("the library refuses {what}: {why}"));
        taken.map_err(|why| EngineError::from(damaged(why)))
    };
    if let Some(image) = &kept.image {
        let (_, saved) = id_of(image).ok_or_else(|| StoreError::Damaged("the image is too short".to_owned()))?;
        take(saved, "the image")?;
        (sizes.2, is_blank) = (image.len() as u64, false);
    }
    for (number, entry) in kept.entries.iter().enumerate() {
        if let Some(changes) = entry.strip_prefix(&[CHANGES]) {
            take(changes, &format!("entry {number} of the journal"))?;
            is_blank = false;
        }
        sizes = (sizes.0 + 1, sizes.1 + entry.len() as u64, sizes.2);
    }
    let shown = library.call(|document| shown(document, settings))?;
    Ok(Loaded { library, shown, sizes, is_blank })
}

/// The registers as a document has them: it keeps a stock as a counter, as those do who use the library.
fn of_document(fields: &Fields) -> Fields {
    Fields { counters: fields.sums(), stocks: 0, ..*fields }
}

fn shown<D: Document>(document: &D, settings: &Settings) -> Vec<View> {
    (0..settings.fields.len()).map(|register| shown_of(document, &settings.fields, register)).collect()
}

fn shown_of<D: Document>(document: &D, fields: &Fields, register: u32) -> View {
    match (fields.of(register), document.show(register)) {
        (DataType::Stock, View::Counter(number)) => View::Stock(number.wrapping_sub(fields.start)),
        (_, view) => view,
    }
}

impl<D: Document> LibraryNode<D> {
    /// Opens a node as its store has it.
    pub(super) fn open(settings: &Settings, host: &mut Host<Disk>, how: How) -> Result<Box<dyn Engine>, EngineError> {
        let kept = host.store.load()?;
        let known = kept_id(&kept).filter(|_| how.keeps_id);
        let mut half = || u128::from(host.unlike_before(HALF_AN_ID));
        let id = known.unwrap_or_else(|| half() << 64 | half());
        let Loaded { library, shown, sizes, is_blank } = load::<D>(settings, &kept, id)?;
        let (settings, lines) = (settings.clone(), BTreeMap::new());
        let made = u64::from(!is_blank);
        let mut node = LibraryNode { settings, how, id, library, shown, changes: 0, made, given: 0, lines, sizes };
        if how.keeps_id && known.is_none() {
            node.append(host, ID, &id.to_le_bytes())?;
        }
        Ok(Box::new(node))
    }

    /// Adds an entry to the journal, durably.
    fn append(&mut self, host: &mut Host<Disk>, kind: u8, bytes: &[u8]) -> Result<(), EngineError> {
        let mut entry = Vec::with_capacity(1 + bytes.len());
        entry.push(kind);
        entry.extend_from_slice(bytes);
        host.append(&entry)?;
        host.sync()?;
        self.sizes.0 += 1;
        self.sizes.1 += entry.len() as u64;
        Ok(())
    }

    /// Makes what came into the document durable, and gives it.
    fn keep(&mut self, host: &mut Host<Disk>) -> Result<Vec<u8>, EngineError> {
        let changes = self.library.call(D::changes)?;
        if changes.is_empty() {
            return Ok(changes);
        }
        self.changes += 1;
        if let Err(error) = self.append(host, CHANGES, &changes) {
            if error.is_refusal() {
                let kept = host.store.load()?;
                Loaded { library: self.library, shown: self.shown, sizes: self.sizes, .. } =
                    load(&self.settings, &kept, self.id)?;
            }
            return Err(error);
        }
        let (entries, journal, image) = self.sizes;
        if entries >= self.settings.compact_after || journal > SMALL_JOURNAL.max(LONG_JOURNAL * image) {
            self.compact(host)?;
        }
        Ok(changes)
    }

    /// Puts the library's save of the whole document in place of the journal; without room for it, later.
    fn compact(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        let saved = self.library.call(D::save)?;
        let image = [&self.id.to_le_bytes()[..], &saved].concat();
        match host.replace(&image) {
            Err(error) if !error.is_refusal() => Err(error.into()),
            Err(_) => Ok(()),
            Ok(()) => {
                self.sizes = (0, 0, image.len() as u64);
                Ok(())
            }
        }
    }

    /// All neighbours but one are told soon.
    fn note(&mut self, now: Time, changes: &[u8], but: Option<NodeId>) -> Result<(), EngineError> {
        let soon = now + self.settings.linger;
        for (_, line) in self.lines.iter_mut().filter(|(peer, line)| line.up && Some(**peer) != but) {
            self.library.call(|document| document.note(&mut line.library, changes))?;
            // What waits for an acknowledgement waits on; the library is asked after it.
            if line.outstanding.is_none() {
                line.due = Some(line.due.unwrap_or(soon).min(soon));
            }
        }
        Ok(())
    }

    /// Sends a neighbour what the library says, if nothing is on its way.
    fn speak(&mut self, host: &mut Host<Disk>, peer: NodeId) -> Result<(), EngineError> {
        let is_free = |line: &&mut Line<D::Session>| line.up && line.outstanding.is_none();
        let Some(line) = self.lines.get_mut(&peer).filter(is_free) else { return Ok(()) };
        line.due = None;
        let Some(said) = self.library.call(|document| document.say(&mut line.library))? else {
            if self.library.call(|document| document.has_all(&mut line.library))? {
                self.given = self.made;
            }
            return Ok(());
        };
        let mut message = line.message(said);
        let (frame, traffic, round) = message.send();
        host.tell(peer, frame, traffic, round);
        if self.how.resends {
            line.due = Some(host.now + self.settings.retry_after);
            line.outstanding = Some(message);
        }
        Ok(())
    }

    /// The next message of a neighbour came: it goes into the document, and is acknowledged once it is durable.
    fn take(
        &mut self,
        host: &mut Host<Disk>,
        from: NodeId,
        (session, number, said): (u32, u64, &[u8]),
    ) -> Result<Reception, EngineError> {
        let line = self.lines.entry(from).or_default();
        // A session that takes the place of another is of a neighbour that knows nothing of this end either.
        let begins_anew = number == 0 && line.of_neighbour.is_some();
        let mut fresh = D::Session::default();
        let library = if begins_anew { &mut fresh } else { &mut line.library };
        let Ok(heard) = self.library.call(|document| document.hear(library, said))? else {
            return Ok(Reception::Damaged);
        };
        if begins_anew {
            line.begin(host.random(SESSIONS) as u32);
            line.library = fresh;
        }
        (line.of_neighbour, line.heard) = (Some(session), number + 1);
        if heard == Heard::Changes {
            match self.keep(host) {
                Ok(changes) => {
                    self.shown = self.library.call(|document| shown(document, &self.settings))?;
                    self.note(host.now, &changes, Some(from))?;
                }
                Err(error) => {
                    // What the library knows of the neighbour is ahead of the document.
                    let line = self.lines.entry(from).or_default();
                    line.begin(host.random(SESSIONS) as u32);
                    line.due = Some(host.now + self.settings.retry_after);
                    return Err(error);
                }
            }
        }
        if self.how.resends {
            let (frame, traffic) = line::arrived(session, number);
            host.send(from, frame, traffic);
        }
        self.speak(host, from)?;
        Ok(Reception::Taken)
    }

    /// A message of a neighbour came again: its acknowledgement was lost.
    fn acknowledge_again(&self, host: &mut Host<Disk>, from: NodeId, session: u32, number: u64) -> Reception {
        if self.how.resends {
            let (frame, traffic) = line::arrived(session, number);
            host.send(from, frame, traffic.again());
        }
        Reception::Stale
    }
}

impl<D: Document> Engine for LibraryNode<D> {
    fn edit(&mut self, host: &mut Host<Disk>, register: u32, intent: Intent) -> Result<(), EngineError> {
        let refused = |why: String| EngineError::Failed(format!("it refused an edit: {why}"));
        let shown = self.shown[register as usize].number().unwrap_or(0);
        if intent.spends() > 0 && shown < i64::from(intent.spends()) {
            host.later = Some(Later::Refused);
            return Ok(());
        }
        // Nothing here knows of rights: to transfer some changes nothing, and is accepted.
        let change = match (intent.of(), intent.amount()) {
            (DataType::Stock, None | Some(0)) => None,
            (DataType::Stock, Some(amount)) => Some(Intent::Increase(amount)),
            _ => Some(intent),
        };
        if let Some(change) = change {
            self.library.call(|document| document.edit(register, change))?.map_err(refused)?;
        }
        let changes = self.keep(host)?;
        let fields = self.settings.fields;
        self.shown[register as usize] = self.library.call(|document| shown_of(document, &fields, register))?;
        self.made += 1;
        let actor = Actor { client: self.settings.client, incarnation: self.id as u32 };
        host.show(OpId { actor, sequence: self.made });
        self.note(host.now, &changes, None)
    }

    fn connected(&mut self, host: &mut Host<Disk>, peer: NodeId, _: Relation) -> Result<(), EngineError> {
        self.lines.entry(peer).or_default().begin(host.random(SESSIONS) as u32);
        self.speak(host, peer)
    }

    fn disconnected(&mut self, peer: NodeId) {
        self.lines.remove(&peer);
    }

    fn receive(&mut self, host: &mut Host<Disk>, from: NodeId, frame: &[u8]) -> Result<Reception, EngineError> {
        let Ok(told) = line::read(frame) else { return Ok(Reception::Damaged) };
        let Some(line) = self.lines.get_mut(&from).filter(|line| line.up) else { return Ok(Reception::Stale) };
        match told {
            Told::First(session, _) if line.of_neighbour == Some(session) => {
                Ok(self.acknowledge_again(host, from, session, 0))
            }
            Told::First(session, said) => self.take(host, from, (session, 0, said)),
            Told::Next(low, number, said) => match line.of_neighbour.filter(|&session| session as u8 == low) {
                Some(session) if number == line.heard || !self.how.resends && number > line.heard => {
                    self.take(host, from, (session, number, said))
                }
                Some(session) if number < line.heard => Ok(self.acknowledge_again(host, from, session, number)),
                _ => Ok(Reception::Stale),
            },
            Told::Arrived(low, number) => {
                let arrived = |message: &mut line::Outstanding| message.number == number && line.session as u8 == low;
                if line.outstanding.take_if(arrived).is_none() {
                    return Ok(Reception::Stale);
                }
                self.speak(host, from)?;
                Ok(Reception::Taken)
            }
        }
    }

    fn wakes_at(&self) -> Option<Time> {
        self.lines.values().filter_map(|line| line.due).min()
    }

    fn wake(&mut self, host: &mut Host<Disk>) -> Result<(), EngineError> {
        let is_due = |line: &Line<D::Session>| line.due.is_some_and(|at| at <= host.now);
        let due: Vec<NodeId> = self.lines.iter().filter(|(_, line)| is_due(line)).map(|(&peer, _)| peer).collect();
        for peer in due {
            let line = self.lines.get_mut(&peer).expect("it is due");
            let Some(message) = &mut line.outstanding else {
                self.speak(host, peer)?;
                continue;
            };
            let (frame, traffic, round) = message.send();
            let wait = (self.settings.retry_after << (message.sent - 1).min(20)).min(self.settings.retry_at_most);
            let gives_up = message.sent > self.settings.retries;
            line.due = (!gives_up).then(|| host.now + wait + host.random(wait / 2 + 1));
            host.tell(peer, frame, traffic, round);
        }
        Ok(())
    }

    fn shows(&self) -> Vec<View> {
        self.shown.clone()
    }

    fn position(&self) -> Option<Position> {
        Some((self.changes, 0, None))
    }

    fn backlog(&self) -> Option<u64> {
        Some(self.made - self.given)
    }
}

/// A document cannot be copied or compared as a value.
impl<D: Document> InMemory for LibraryNode<D> {
    fn copy(&self) -> Option<Box<dyn Engine>> {
        None
    }

    fn is_same(&self, _other: &dyn Engine) -> bool {
        false
    }

    fn hash_into(&self, _hasher: &mut dyn Hasher) {}

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl<D: Document> std::fmt::Debug for LibraryNode<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LibraryNode").field("id", &self.id).field("shown", &self.shown).finish_non_exhaustive()
    }
}
