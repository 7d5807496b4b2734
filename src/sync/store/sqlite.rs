//! A store on SQLite: one transaction a step, write-ahead log, full synchronisation.
//!
//! SQLite takes a write-ahead log that lost its end for one that was never longer. A mark beside the database says how many
//! entries were committed; it is written after each commit and never ahead of it, so that a store with fewer entries than
//! its mark has lost what was acknowledged, and is refused. What is refused is left as it is, byte for byte: its log is not
//! merged into the database when it is closed.
//!
//! What cannot be told from an older store, and opens: one that was set back as a whole, mark included; one that lost the end
//! of its log and its mark, too; and, where the power failed just after a commit, one whose mark had not reached the disk and
//! whose log then lost its end. Such a device goes on in a new incarnation, so that no id is given twice, and its peers give
//! it what they have; edits that only it had are lost.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
use rusqlite::{Connection, OptionalExtension, params};

use crate::sync::store::{Kept, Owner, Store, StoreError, VERSION};

/// The store.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    mark: PathBuf,
    /// Entries that were ever committed, those that an image stands for included.
    committed: u64,
    pending: Vec<Vec<u8>>,
}

/// Bytes of the first page, which is there before anything is committed.
const FIRST_PAGE: u64 = 4096;

/// Tables of a store.
const TABLES: u64 = 3;

fn unusable(error: rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match error.sqlite_error_code() {
        Some(DatabaseCorrupt | NotADatabase) => StoreError::Damaged(error.to_string()),
        _ => StoreError::Unusable(error.to_string()),
    }
}

/// The number of entries that a mark tells, with its CRC-32; one that is torn or damaged says nothing.
fn marked(mark: &Path) -> Option<u64> {
    let bytes = fs::read(mark).ok()?;
    let (number, checksum) = bytes.split_first_chunk::<8>()?;
    (crc32fast::hash(number).to_le_bytes() == checksum).then(|| u64::from_le_bytes(*number))
}

/// SQLite takes a database without a first page for a new one, and removes a log that is beside it: it must not see that.
fn begins(path: &Path, marked: u64) -> Result<(), StoreError> {
    let length = |path: &Path| fs::metadata(path).map_or(0, |about| about.len());
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if length(path) < FIRST_PAGE && (marked > 0 || length(Path::new(&log)) > 0) {
        return Err(StoreError::Damaged(
            "the database has lost its beginning, though entries were committed".to_owned(),
        ));
    }
    Ok(())
}

fn fewer(marked: u64, left: u64) -> StoreError {
    StoreError::Damaged(format!("{marked} entries were committed, and {left} are left"))
}

impl Sqlite {
    /// Opens the store at this path, or makes an empty one.
    pub fn open(path: &Path, owner: Owner) -> Result<Self, StoreError> {
        let mark = path.with_extension("mark");
        let marked = marked(&mark).unwrap_or(0);
        begins(path, marked)?;
        let connection = Connection::open(path).map_err(unusable)?;
        connection.set_db_config(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(unusable)?;
        let tables: u64 =
            connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(unusable)?;
        if marked > 0 && tables < TABLES {
            return Err(fewer(marked, 0));
        }
        connection.pragma_update(None, "journal_mode", "WAL").map_err(unusable)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(unusable)?;
        let sound: String = connection.query_row("PRAGMA quick_check", [], |row| row.get(0)).map_err(unusable)?;
        if sound != "ok" {
            return Err(StoreError::Damaged(sound));
        }
        connection
            .execute_batch(
                "CREATE TABLE IF NOT EXISTS about (version INTEGER, scenario BLOB, client INTEGER);
                 CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY, checksum INTEGER, bytes BLOB);
                 CREATE TABLE IF NOT EXISTS image (number INTEGER, checksum INTEGER, bytes BLOB);",
            )
            .map_err(unusable)?;
        let mut store = Sqlite { connection, mark, committed: 0, pending: Vec::new() };
        store.committed = store.last_number()?;
        if marked > store.committed {
            return Err(fewer(marked, store.committed));
        }
        store.identify(owner)?;
        store.load()?;
        store.connection.set_db_config(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(unusable)?;
        Ok(store)
    }

    fn identify(&self, owner: Owner) -> Result<(), StoreError> {
        let about = self.connection.query_row("SELECT version, scenario, client FROM about", [], |row| {
            Ok((row.get::<_, u32>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, u32>(2)?))
        });
        match about.optional().map_err(unusable)? {
            None => {
                let scenario = owner.scenario.to_be_bytes().to_vec();
                let made = self
                    .connection
                    .execute("INSERT INTO about VALUES (?, ?, ?)", params![VERSION, scenario, owner.client]);
                made.map(drop).map_err(unusable)
            }
            Some((VERSION, scenario, client)) if scenario == owner.scenario.to_be_bytes() && client == owner.client => {
                Ok(())
            }
            Some((VERSION, scenario, client)) => {
                let scenario: String = scenario.iter().map(|byte| format!("{byte:02x}")).collect();
                let (found, wanted) = (format!("client {client} of scenario {scenario}"), owner.to_string());
                Err(StoreError::Owner { found, wanted })
            }
            Some((found, ..)) => Err(StoreError::Version { found }),
        }
    }

    fn last_number(&self) -> Result<u64, StoreError> {
        let last = "SELECT max((SELECT ifnull(max(number), 0) FROM entry), (SELECT ifnull(max(number), 0) FROM image))";
        self.connection.query_row(last, [], |row| row.get(0)).map_err(unusable)
    }

    fn set_mark(&self) -> Result<(), StoreError> {
        let number = self.committed.to_le_bytes();
        let mut bytes = number.to_vec();
        bytes.extend(crc32fast::hash(&number).to_le_bytes());
        let written = fs::File::options().create(true).write(true).truncate(false).open(&self.mark);
        // One write of twelve bytes: it is there as a whole or, torn, says nothing.
        written.and_then(|mut file| file.write_all(&bytes)).map_err(|error| StoreError::Unusable(error.to_string()))
    }
}

impl Store for Sqlite {
    fn load(&mut self) -> Result<Kept, StoreError> {
        let checked = |(checksum, bytes): (u32, Vec<u8>), what: &str| match crc32fast::hash(&bytes) == checksum {
            true => Ok(bytes),
            false => Err(StoreError::Damaged(format!("{what} does not fit its checksum"))),
        };
        let image = self.connection.query_row("SELECT number, checksum, bytes FROM image", [], |row| {
            Ok((row.get::<_, u64>(0)?, (row.get(1)?, row.get(2)?)))
        });
        let (mut before, image) = match image.optional().map_err(unusable)? {
            Some((number, image)) => (number, Some(checked(image, "the image")?)),
            None => (0, None),
        };
        let mut query =
            self.connection.prepare("SELECT number, checksum, bytes FROM entry ORDER BY number").map_err(unusable)?;
        let rows =
            query.query_map([], |row| Ok((row.get::<_, u64>(0)?, (row.get(1)?, row.get(2)?)))).map_err(unusable)?;
        let mut entries = Vec::new();
        for row in rows {
            let (number, entry) = row.map_err(unusable)?;
            if number != before + 1 {
                return Err(StoreError::Damaged(format!("the entry before {number} is missing")));
            }
            before = number;
            entries.push(checked(entry, &format!("entry {number}"))?);
        }
        Ok(Kept { image, entries })
    }

    fn append(&mut self, entry: &[u8]) -> Result<(), StoreError> {
        self.pending.push(entry.to_vec());
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let transaction = self.connection.transaction().map_err(unusable)?;
        {
            let mut insert = transaction.prepare_cached("INSERT INTO entry VALUES (?, ?, ?)").map_err(unusable)?;
            for (number, entry) in (self.committed + 1..).zip(&self.pending) {
                insert.execute(params![number, crc32fast::hash(entry), entry]).map_err(unusable)?;
            }
        }
        transaction.commit().map_err(unusable)?;
        self.committed += self.pending.len() as u64;
        self.pending.clear();
        self.set_mark()
    }

    fn replace(&mut self, image: &[u8]) -> Result<(), StoreError> {
        self.sync()?;
        let transaction = self.connection.transaction().map_err(unusable)?;
        transaction.execute("DELETE FROM entry", []).map_err(unusable)?;
        transaction.execute("DELETE FROM image", []).map_err(unusable)?;
        let made = params![self.committed, crc32fast::hash(image), image];
        transaction.execute("INSERT INTO image VALUES (?, ?, ?)", made).map_err(unusable)?;
        transaction.commit().map_err(unusable)
    }

    fn bytes(&self) -> u64 {
        let size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
        self.connection.query_row(size, [], |row| row.get(0)).unwrap_or(0)
    }
}
