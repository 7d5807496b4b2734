//! A store in memory, on a simulated disk that loses what was not synced.

use crate::sync::store::{Kept, Owner, Store, StoreError, VERSION};

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

/// A file of records that only grows, and an image beside it.
///
/// A record is its length, the length inverted, the CRC-32 of its bytes (4 bytes each, little-endian) and its bytes. A
/// file that ends within a record was torn by a crash, and the rest of that record was never synced; a record that does
/// not fit its own length or checksum is damage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Disk {
    owner: Owner,
    version: u32,
    belongs_to: Owner,
    image: Option<Vec<u8>>,
    image_checksum: u32,
    journal: Vec<u8>,
    synced: usize,
}

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
            image_checksum: 0,
            journal: Vec::new(),
            synced: 0,
        }
    }

    /// Whose it is.
    pub fn owner(&self) -> Owner {
        self.owner
    }

    /// The power fails.
    pub fn crash(&mut self, loss: Loss) {
        let unsynced = self.journal.len() - self.synced;
        let kept = match loss {
            Loss::All => 0,
            Loss::After(bytes) => unsynced.min(usize::try_from(bytes).unwrap_or(usize::MAX)),
            Loss::Nothing => unsynced,
        };
        self.journal.truncate(self.synced + kept);
        self.synced = self.journal.len();
    }

    /// Bytes that were written and not synced.
    pub fn unsynced(&self) -> u64 {
        (self.journal.len() - self.synced) as u64
    }

    /// A bit of what it holds becomes another, wherever this place is in it; `false` if it holds nothing.
    pub fn damage(&mut self, place: u64) -> bool {
        let bits = (self.bytes() * 8).max(1);
        let (byte, bit) = ((place % bits / 8) as usize, place % bits % 8);
        let of_image = self.image.as_ref().map_or(0, Vec::len);
        let byte = match byte.checked_sub(of_image) {
            None => self.image.as_mut().and_then(|image| image.get_mut(byte)),
            Some(byte) => self.journal.get_mut(byte),
        };
        byte.map(|byte| *byte ^= 1 << bit).is_some()
    }

    /// The bytes of the journal, to be damaged by a test.
    pub fn journal_mut(&mut self) -> &mut Vec<u8> {
        &mut self.journal
    }

    /// The same bytes in the hands of another owner, or as another version would have written them.
    pub fn relabelled(mut self, owner: Owner, version: u32) -> Self {
        self.belongs_to = owner;
        self.version = version;
        self
    }

    fn records(&mut self) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut records = Vec::new();
        let mut at = 0;
        while let Some(head) = self.journal.get(at..at + HEAD) {
            let word = |place: usize| u32::from_le_bytes([0, 1, 2, 3].map(|byte| head[4 * place + byte]));
            let (length, inverted, checksum) = (word(0), word(1), word(2));
            let damaged = |what: &str| StoreError::Damaged(format!("the entry at byte {at} {what}"));
            if length != !inverted {
                return Err(damaged("has no length"));
            }
            let start = at + HEAD;
            let Some(bytes) = self.journal.get(start..start.saturating_add(length as usize)) else { break };
            if crc32fast::hash(bytes) != checksum {
                return Err(damaged("does not fit its checksum"));
            }
            records.push(bytes.to_vec());
            at = start + length as usize;
        }
        // What is left was torn by a crash before it was synced.
        self.journal.truncate(at);
        self.synced = at;
        Ok(records)
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
        if self.image.as_ref().is_some_and(|image| crc32fast::hash(image) != self.image_checksum) {
            return Err(StoreError::Damaged("the image does not fit its checksum".to_owned()));
        }
        Ok(Kept { image: self.image.clone(), entries: self.records()? })
    }

    fn append(&mut self, entry: &[u8]) -> Result<(), StoreError> {
        let length = u32::try_from(entry.len()).map_err(|_| StoreError::Unusable("an entry of 4 GiB".to_owned()))?;
        let (needed, written) = (HEAD + entry.len(), self.journal.len());
        if self.journal.capacity() - written < needed {
            // Ten thousand disks that grow by doubling leave more holes in the memory than they fill.
            self.journal.reserve_exact(needed.max(written / 4).max(PAGE));
        }
        self.journal.extend(length.to_le_bytes());
        self.journal.extend((!length).to_le_bytes());
        self.journal.extend(crc32fast::hash(entry).to_le_bytes());
        self.journal.extend_from_slice(entry);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        self.synced = self.journal.len();
        Ok(())
    }

    fn replace(&mut self, image: &[u8]) -> Result<(), StoreError> {
        self.image_checksum = crc32fast::hash(image);
        self.image = Some(image.to_vec());
        self.journal.clear();
        self.synced = 0;
        Ok(())
    }

    fn bytes(&self) -> u64 {
        (self.image.as_ref().map_or(0, Vec::len) + self.journal.len()) as u64
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
    fn a_store_of_a_newer_version_or_of_another_owner_is_refused() {
        let other = Owner { scenario: 9, client: 2 };
        assert_eq!(written(&[]).relabelled(OWNER, 2).load(), Err(StoreError::Version { found: 2 }));
        assert!(matches!(written(&[]).relabelled(other, VERSION).load(), Err(StoreError::Owner { .. })));
    }
}
