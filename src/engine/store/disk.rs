//! A store in memory, on a simulated disk that loses what was not synced.

use std::collections::BTreeMap;

use crate::engine::mutant;
use crate::engine::store::{Kept, Owner, Store, StoreError, VERSION};

/// What a crash makes of the bytes that were written and not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Loss {
    /// None of them reached the disk.
    All,
    /// So many did: an entry may be torn.
    After(u64),
    /// All did.
    Nothing,
}

/// A folder with a journal, which is a file of records that only grows, and an image beside it.
///
/// A record is its length, the length inverted, the CRC-32 of its bytes (4 bytes each, little-endian) and its bytes. A
/// file that ends within a record was torn by a crash, and the rest of that record was never synced; a record that does
/// not fit its own length or checksum is damage.
///
/// An image takes the place of the old one as files do it: it is written under a name of its own, made durable, and takes
/// the old one's name, which lasts once the folder is synced; then the journal is emptied. Both say which generation they
/// are of, so that a journal that a crash left beside a newer image is known for one that the image stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Disk {
    owner: Owner,
    version: u32,
    belongs_to: Owner,
    image: Option<Image>,
    journal: Journal,
    replacing: Option<Box<Replacing>>,
    /// Files that its engine writes by itself, beside the journal and the image.
    files: Option<Box<Files>>,
    /// Whether it refuses writes: there is no room.
    full: bool,
    mutant: Option<Mutant>,
}

/// Files that an engine writes by itself: their paths within its folder, and their bytes.
pub type Files = BTreeMap<String, Vec<u8>>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Image {
    bytes: Vec<u8>,
    checksum: u32,
    generation: u32,
    synced: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Journal {
    bytes: Vec<u8>,
    synced: usize,
    generation: u32,
}

/// What a crash finds while an image is being replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Replacing {
    /// The new image, under its own name.
    staged: Option<Image>,
    /// The image whose name was taken, while the folder is not synced.
    image_before: Option<Option<Image>>,
    /// The journal that was emptied, while that is not durable.
    journal_before: Option<Journal>,
}

/// Mistakes of a store, to be planted one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mutant {
    /// The journal is emptied before the image that stands for it is durable.
    ClearBeforeImage,
    /// After a crash between an image and the end of its journal, entries that the image stands for are played again.
    ReplayOverImage,
}

impl Mutant {
    /// All of them, with the name and what it is in a line.
    pub const ALL: &[(Mutant, &str, &str)] = &[
        (Mutant::ClearBeforeImage, "clear-before-image", "the journal is emptied before its image is durable"),
        (Mutant::ReplayOverImage, "replay-over-image", "entries that the image stands for are played again"),
    ];

    /// All of them, as mutants of an engine.
    pub fn all() -> Vec<mutant::Mutant> {
        mutant::Mutant::of_table(Mutant::ALL, &[])
    }
}

/// A step of replacing an image.
#[derive(Clone, Copy, Debug)]
enum Step {
    Write,
    Sync,
    Rename,
    SyncFolder,
    Clear,
    SyncJournal,
}

const STEPS: [Step; 6] = [Step::Write, Step::Sync, Step::Rename, Step::SyncFolder, Step::Clear, Step::SyncJournal];

/// The same in the wrong order: a mistake, to be planted.
const CLEAR_FIRST: [Step; 6] =
    [Step::Clear, Step::SyncJournal, Step::Write, Step::Sync, Step::Rename, Step::SyncFolder];

/// Bytes before a record's own.
const HEAD: usize = 12;

/// Bytes by which a file grows at least.
const PAGE: usize = 4096;

impl Disk {
    /// An empty disk.
    pub fn new(owner: Owner) -> Self {
        Disk {
            owner,
            version: VERSION,
            belongs_to: owner,
            image: None,
            journal: Journal::default(),
            replacing: None,
            files: None,
            full: false,
            mutant: None,
        }
    }

    /// The same disk under a store with this mutant, if it is one of a store's.
    pub fn with_mutant(mut self, name: Option<&str>) -> Self {
        self.mutant = Mutant::ALL.iter().find(|(_, of, _)| Some(*of) == name).map(|&(mutant, ..)| mutant);
        self
    }

    fn has(&self, mutant: Mutant) -> bool {
        mutant::reaches(self.mutant, mutant)
    }

    /// Whose it is.
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// An empty disk in its place.
    pub fn wiped(&self) -> Self {
        Disk { mutant: self.mutant, ..Disk::new(self.owner) }
    }

    /// The files that its engine writes by itself.
    pub fn files(&self) -> Option<&Files> {
        self.files.as_deref()
    }

    /// Has it hold these files, in place of those that it held.
    pub fn set_files(&mut self, files: Files) {
        self.files = Some(Box::new(files));
    }

    /// From now on there is no room for more, or there is again.
    pub fn set_full(&mut self, full: bool) {
        self.full = full;
    }

    /// The power fails.
    pub fn crash(&mut self, loss: Loss) {
        let unsynced = self.journal.bytes.len() - self.journal.synced;
        let kept = match loss {
            Loss::All => 0,
            Loss::After(bytes) => unsynced.min(usize::try_from(bytes).unwrap_or(usize::MAX)),
            Loss::Nothing => unsynced,
        };
        self.journal.bytes.truncate(self.journal.synced + kept);
        // An image under a name of its own is looked for by nobody.
        if let Some(Replacing { image_before, journal_before, .. }) = self.replacing.take().map(|replacing| *replacing)
            && loss == Loss::All
        {
            self.image = image_before.unwrap_or(self.image.take());
            self.journal = journal_before.unwrap_or(std::mem::take(&mut self.journal));
            self.journal.bytes.truncate(self.journal.synced);
        }
        self.journal.synced = self.journal.bytes.len();
        if let Some(image) = self.image.as_mut().filter(|image| !image.synced) {
            image.bytes.truncate(if loss == Loss::Nothing { image.bytes.len() } else { image.bytes.len() / 2 });
            image.synced = true;
        }
    }

    /// Bytes that were written to the journal and not synced.
    pub fn unsynced(&self) -> u64 {
        (self.journal.bytes.len() - self.journal.synced) as u64
    }

    /// What a crash may lose now, each with another outcome; a torn write is tried in its middle.
    pub fn losses(&self) -> Vec<Loss> {
        let unsynced = self.unsynced();
        let renamed = |replacing: &Replacing| replacing.image_before.is_some() || replacing.journal_before.is_some();
        if unsynced > 0 {
            vec![Loss::All, Loss::After(unsynced / 2), Loss::Nothing]
        } else if self.replacing.as_deref().is_some_and(renamed) {
            vec![Loss::All, Loss::Nothing]
        } else {
            vec![Loss::All]
        }
    }

    /// A bit of what it holds becomes another, wherever this place is in it; `false` if it holds nothing.
    pub fn damage(&mut self, place: u64) -> bool {
        let bits = (self.bytes() * 8).max(1);
        let (byte, bit) = ((place % bits / 8) as usize, place % bits % 8);
        let image = self.image.iter_mut().map(|image| &mut image.bytes);
        let files = self.files.iter_mut().flat_map(|files| files.values_mut());
        let mut left = byte;
        for bytes in image.chain([&mut self.journal.bytes]).chain(files) {
            if let Some(byte) = bytes.get_mut(left) {
                *byte ^= 1 << bit;
                return true;
            }
            left -= bytes.len();
        }
        false
    }

    /// The bytes of the journal, to be damaged by a test.
    pub fn journal_mut(&mut self) -> &mut Vec<u8> {
        &mut self.journal.bytes
    }

    /// The same bytes in the hands of another owner, or as another version would have written them.
    pub fn relabelled(mut self, owner: Owner, version: u32) -> Self {
        self.belongs_to = owner;
        self.version = version;
        self
    }

    /// The generation of the image; 0 without one.
    fn generation(&self) -> u32 {
        self.image.as_ref().map_or(0, |image| image.generation)
    }

    /// Leaves out a journal that the image stands for, and refuses one whose image is gone.
    fn match_journal(&mut self) -> Result<(), StoreError> {
        let (journal, image) = (self.journal.generation, self.generation());
        let mistaken = match self.mutant {
            // It has the journal of an image that is not there yet.
            Some(Mutant::ClearBeforeImage) => true,
            _ => journal < image && self.has(Mutant::ReplayOverImage),
        };
        if mistaken {
            return Ok(());
        }
        if journal > image {
            return Err(StoreError::Damaged(format!("the journal goes on from image {journal}, and this is {image}")));
        }
        if journal < image {
            self.journal = Journal { generation: image, ..Journal::default() };
        }
        Ok(())
    }

    fn records(&mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut records = Vec::new();
        let mut at = 0;
        let journal = &mut self.journal;
        while let Some(head) = journal.bytes.get(at..at + HEAD) {
            let word = |place: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| head[4 * place + byte]));
            let (length, inverted, checksum) = (word(0), word(1), word(2));
            let damaged = |what: &str| StoreError::Damaged(format!("the entry at byte {at} {what}"));
            if length != !inverted {
                return Err(damaged("has no length"));
            }
            let start = at + HEAD;
            let Some(bytes) = journal.bytes.get(start..start.saturating_add(length as usize)) else { break };
            if crc32fast::hash(bytes) != checksum {
                return Err(damaged("does not fit its checksum"));
            }
            records.push(bytes.to_vec());
            at = start + length as usize;
        }
        // What is left was torn by a crash before it was synced.
        journal.bytes.truncate(at);
        // What was written and not synced since is still not synced.
        journal.synced = journal.synced.min(at);
        Ok(records)
    }

    fn take_step(&mut self, image: &[u8], step: Step) {
        let generation = self.generation();
        let replacing = self.replacing.get_or_insert_default();
        match step {
            Step::Write => {
                let (bytes, checksum) = (image.to_vec(), crc32fast::hash(image));
                replacing.staged = Some(Image { bytes, checksum, generation: generation + 1, synced: false });
            }
            Step::Sync => {
                if let Some(staged) = &mut replacing.staged {
                    staged.synced = true;
                }
            }
            Step::Rename => {
                let staged = replacing.staged.take();
                replacing.image_before = Some(std::mem::replace(&mut self.image, staged));
            }
            Step::SyncFolder => replacing.image_before = None,
            Step::Clear => {
                let empty = Journal { generation, ..Journal::default() };
                replacing.journal_before = Some(std::mem::replace(&mut self.journal, empty));
            }
            Step::SyncJournal => replacing.journal_before = None,
        }
        if *replacing == Box::default() {
            self.replacing = None;
        }
    }
}

impl Store for Disk {
    fn load(&mut self) -> Result<Kept, StoreError> {
        if self.version != VERSION {
            return Err(StoreError::Version { found: self.version });
        }
        if self.belongs_to != self.owner {
            let (found, wanted) = (self.belongs_to.to_string(), self.owner.to_string());
            return Err(StoreError::Owner { found, wanted });
        }
        if self.image.as_ref().is_some_and(|image| crc32fast::hash(&image.bytes) != image.checksum) {
            return Err(StoreError::Damaged("the image does not fit its checksum".to_owned()));
        }
        self.match_journal()?;
        let image = self.image.as_ref().map(|image| image.bytes.clone());
        Ok(Kept { image, entries: self.records()? })
    }

    fn has_room(&self) -> Result<(), StoreError> {
        if self.full { Err(StoreError::Full) } else { Ok(()) }
    }

    fn append(&mut self, entry: &[u8]) -> Result<(), StoreError> {
        self.has_room()?;
        let length = u32::try_from(entry.len()).map_err(|_| StoreError::Unusable("an entry of 4 GiB".to_owned()))?;
        let journal = &mut self.journal.bytes;
        let (needed, written) = (HEAD + entry.len(), journal.len());
        if journal.capacity() - written < needed {
            // Ten thousand disks that grow by doubling leave more holes in the memory than they fill.
            journal.reserve_exact(needed.max(written / 4).max(PAGE));
        }
        journal.extend(length.to_le_bytes());
        journal.extend((!length).to_le_bytes());
        journal.extend(crc32fast::hash(entry).to_le_bytes());
        journal.extend_from_slice(entry);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        if self.unsynced() > 0 {
            self.has_room()?;
        }
        self.journal.synced = self.journal.bytes.len();
        Ok(())
    }

    fn replace(&mut self, image: &[u8]) -> Result<(), StoreError> {
        (0..self.replacing()).try_for_each(|step| self.replace_step(image, step))
    }

    fn replacing(&self) -> u32 {
        STEPS.len() as u32
    }

    fn replace_step(&mut self, image: &[u8], step: u32) -> Result<(), StoreError> {
        // What has begun has its room already.
        if step == 0 {
            self.has_room()?;
        }
        let steps = if self.has(Mutant::ClearBeforeImage) { CLEAR_FIRST } else { STEPS };
        self.take_step(image, steps[step as usize]);
        Ok(())
    }

    fn bytes(&self) -> u64 {
        let image = self.image.as_ref().map_or(0, |image| image.bytes.len());
        let files = self.files.iter().flat_map(|files| files.values()).map(Vec::len);
        (image + self.journal.bytes.len() + files.sum::<usize>()) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OWNER: Owner = Owner { scenario: 1, client: 2 };

    fn written(entries: &[Vec<u8>]) -> Disk {
        let mut disk = Disk::new(OWNER);
        entries.iter().for_each(|entry| disk.append(entry).expect("memory"));
        disk
    }

    proptest! {
        #[test]
        fn a_crash_loses_whole_entries_from_the_end_and_only_those_that_were_not_synced(
            synced in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..5),
            not in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..5),
            reached: u16,
        ) {
            let mut disk = written(&synced);
            disk.sync().expect("memory");
            not.iter().for_each(|entry| disk.append(entry).expect("memory"));
            disk.crash(Loss::After(reached.into()));
            let kept = disk.load().expect("a torn end is no damage").entries;
            prop_assert!(kept.len() >= synced.len());
            let all: Vec<Vec<u8>> = synced.into_iter().chain(not).collect();
            prop_assert_eq!(&kept[..], &all[..kept.len()]);
        }

        #[test]
        fn a_flipped_bit_is_refused_or_shows_nothing_else(
            entries in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..20), 1..5),
            at: prop::sample::Index,
            bit in 0..8u32,
        ) {
            let mut disk = written(&entries);
            disk.sync().expect("memory");
            let length = disk.journal_mut().len();
            disk.journal_mut()[at.index(length)] ^= 1 << bit;
            prop_assert!(matches!(disk.load(), Err(StoreError::Damaged(_))));
        }
    }

    #[test]
    fn a_crash_loses_what_was_not_synced_and_may_tear_the_end_of_a_write() {
        let mut disk = written(&[b"synced".to_vec()]);
        disk.sync().expect("memory");
        let synced = disk.bytes();
        disk.append(b"not synced").expect("memory");
        let unsynced = disk.unsynced();
        assert_eq!(disk.bytes(), synced + unsynced);
        let crashed = |loss| {
            let mut disk = disk.clone();
            disk.crash(loss);
            let left = disk.bytes();
            // What a crash has left is durable.
            disk.crash(Loss::All);
            assert_eq!((disk.bytes(), disk.unsynced()), (left, 0));
            (left, disk.load().expect("a torn end is no damage").entries.len())
        };
        assert_eq!((crashed(Loss::All), crashed(Loss::Nothing)), ((synced, 1), (synced + unsynced, 2)));
        for reached in 0..unsynced {
            assert_eq!(crashed(Loss::After(reached)), (synced + reached, 1));
        }
        assert_eq!(crashed(Loss::After(unsynced)), (synced + unsynced, 2));
        // Those that are tried tear the write.
        let tried = disk.losses();
        assert_eq!(tried, [Loss::All, Loss::After(unsynced / 2), Loss::Nothing]);
        assert!((1..unsynced).contains(&(unsynced / 2)));
    }

    #[test]
    fn a_crash_while_an_image_is_replaced_may_undo_what_the_folder_or_the_journal_did_not_sync() {
        let mut disk = written(&[b"one".to_vec()]);
        disk.sync().expect("memory");
        for step in 0..6 {
            let undone = [3, 5].contains(&step);
            assert_eq!(disk.losses().contains(&Loss::Nothing), undone, "before step {step}");
            disk.replace_step(b"image", step).expect("memory");
        }
        assert_eq!(disk.losses(), [Loss::All]);
        // The journal is emptied, and that may be undone: it is of the image before, which is why nobody plays it again.
        let mut disk = written(&[b"one".to_vec()]);
        disk.sync().expect("memory");
        (0..5).try_for_each(|step| disk.replace_step(b"image", step)).expect("memory");
        let before = disk.clone();
        disk.crash(Loss::All);
        assert!(disk.bytes() > before.bytes(), "the journal is back");
    }

    /// A disk with an image and an entry after it, and then the first steps of another image, and a crash.
    fn crashed_while_replacing(mutant: Option<Mutant>, steps: u32, loss: Loss) -> Result<Kept, StoreError> {
        let mut disk = Disk { mutant, ..Disk::new(OWNER) };
        disk.append(b"one").and_then(|()| disk.sync()).and_then(|()| disk.replace(b"one")).expect("memory");
        disk.append(b"two").and_then(|()| disk.sync()).expect("memory");
        (0..steps).try_for_each(|step| disk.replace_step(b"one two", step)).expect("memory");
        disk.crash(loss);
        disk.load()
    }

    #[test]
    fn a_crash_while_an_image_is_replaced_leaves_the_old_one_with_its_journal_or_the_new_one_alone() {
        let old = Kept { image: Some(b"one".to_vec()), entries: vec![b"two".to_vec()] };
        let new = Kept { image: Some(b"one two".to_vec()), entries: Vec::new() };
        for steps in 0..=6 {
            // Before its name is taken it is the old one, after the folder is synced the new one, and between them either.
            for (loss, renamed) in [(Loss::All, 4), (Loss::After(0), 3), (Loss::Nothing, 3)] {
                let expected = if steps < renamed { &old } else { &new };
                assert_eq!(crashed_while_replacing(None, steps, loss).as_ref(), Ok(expected), "{steps}, {loss:?}");
            }
        }
    }

    #[test]
    fn a_store_that_clears_its_journal_first_loses_and_one_that_does_not_match_the_two_repeats() {
        let lost = Kept { image: Some(b"one".to_vec()), entries: Vec::new() };
        assert_eq!(crashed_while_replacing(Some(Mutant::ClearBeforeImage), 2, Loss::All), Ok(lost));
        let twice = Kept { image: Some(b"one two".to_vec()), entries: vec![b"two".to_vec()] };
        assert_eq!(crashed_while_replacing(Some(Mutant::ReplayOverImage), 4, Loss::All), Ok(twice));
    }

    #[test]
    fn an_image_that_took_its_name_before_it_was_durable_is_refused_and_so_is_a_journal_without_its_image() {
        let mut disk = written(&[b"one".to_vec()]);
        disk.sync().expect("memory");
        [Step::Write, Step::Rename, Step::SyncFolder].into_iter().for_each(|step| disk.take_step(b"image", step));
        disk.crash(Loss::All);
        assert!(matches!(disk.load(), Err(StoreError::Damaged(_))));
        let mut disk = written(&[]);
        disk.replace(b"image").expect("memory");
        disk.image = None;
        assert!(matches!(disk.load(), Err(StoreError::Damaged(_))));
    }

    #[test]
    fn a_store_of_a_newer_version_or_of_another_owner_is_refused() {
        let other = Owner { scenario: 9, client: 2 };
        assert_eq!(written(&[]).relabelled(OWNER, 2).load(), Err(StoreError::Version { found: 2 }));
        assert!(matches!(written(&[]).relabelled(other, VERSION).load(), Err(StoreError::Owner { .. })));
    }
}
