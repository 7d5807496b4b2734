//! Where a replica keeps what must survive: an append-only journal, and an image that stands for its beginning.
//!
//! A new store is one file here. Knows: bytes. Must not: know what an entry means.

pub mod disk;
#[cfg(feature = "sqlite")]
pub mod sqlite;

/// Whose store it is: a store of another owner is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// What tells one scenario's stores from another's.
    pub scenario: u64,
    /// The client.
    pub client: u32,
}

/// The version of the format of stores that this abench writes and reads.
pub const VERSION: u32 = 1;

/// What a store holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The image, where there is one.
    pub image: Option<Vec<u8>>,
    /// The entries after it, in order.
    pub entries: Vec<Vec<u8>>,
}

/// Why a store cannot be used. What it holds is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It was written by another version.
    #[error("the store is of version {found}; this abench reads version {VERSION}: open it with one that reads that")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It belongs to another scenario or client.
    #[error("the store belongs to {found}, and {wanted} was to be opened: name its own, or start afresh elsewhere")]
    Owner {
        /// Whose it is.
        found: String,
        /// Whose was expected.
        wanted: String,
    },
    /// It is not as it was written.
    #[error("the store is damaged: {0}; restore it, or start afresh and take what the peers have")]
    Damaged(String),
    /// It is somebody else's database.
    #[error(
        "the file is a database and no store of abench; it was left as it is. Name another file, or one that is not there"
    )]
    Foreign,
    /// The medium refuses.
    #[error("the store cannot be written or read: {0}; see to the medium, or to who may use it, and open it again")]
    Unusable(String),
    /// It wrote nothing: what was appended since the last sync is dropped, and can be tried again.
    #[error("the store wrote nothing: {why}; try again")]
    Refused {
        /// Entries that were dropped.
        entries: u64,
        /// Why.
        why: String,
    },
    /// There is no room. Nothing was written; what was written before is as it was.
    #[error("the store has no room: nothing was written, and what was written before is as it was; try again later")]
    Full,
    /// An earlier write failed, and may be there or not.
    #[error("an earlier write of the store failed, and nobody knows how much of it is there: open the store again")]
    Unknown,
}

impl StoreError {
    /// Whether the store wrote nothing and can be used on: an engine survives that, as if nothing had happened.
    pub fn is_refusal(&self) -> bool {
        matches!(self, StoreError::Full | StoreError::Refused { .. })
    }
}

impl std::fmt::Display for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "client {} of scenario {:016x}", self.client, self.scenario)
    }
}

/// A journal with an image.
pub trait Store {
    /// All that was kept. What was appended and never synced may be missing, from the end.
    fn load(&mut self) -> Result<Kept, StoreError>;

    /// Whether a write would be refused now for lack of room.
    ///
    /// # Errors
    /// [`StoreError::Full`] if it would.
    fn has_room(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Adds an entry. Until [`Store::sync`] a crash may lose it.
    ///
    /// After [`StoreError::Refused`], from here or from [`Store::sync`], nothing that was appended since the last sync is
    /// there, nor will be. After [`StoreError::Full`] the call changed nothing, and what was appended before is still there.
    /// After any other error nobody knows until the store is opened again.
    fn append(&mut self, entry: &[u8]) -> Result<(), StoreError>;

    /// Makes all entries durable.
    fn sync(&mut self) -> Result<(), StoreError>;

    /// Puts an image in place of the old one and of all entries, those included that are not synced, durably. A crash on
    /// the way leaves the old image with all entries, or the new one. After [`StoreError::Refused`] or [`StoreError::Full`]
    /// everything is as it was
    /// before.
    fn replace(&mut self, image: &[u8]) -> Result<(), StoreError>;

    /// In how many steps [`Store::replace`] is done. A crash may come between any two of them.
    fn replacing(&self) -> u32 {
        1
    }

    /// One of these steps, from 0; all of them in their order are [`Store::replace`].
    fn replace_step(&mut self, image: &[u8], _step: u32) -> Result<(), StoreError> {
        self.replace(image)
    }

    /// Bytes that it takes.
    fn bytes(&self) -> u64;
}
