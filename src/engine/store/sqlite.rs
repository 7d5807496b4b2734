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
//!
//! A database that is not a store is left as it is, and refused: only an empty file becomes one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::engine::store::{Kept, Owner, Store, StoreError, VERSION};

/// The store.
#[derive(Debug)]
pub struct Sqlite {
    connection: Connection,
    mark: PathBuf,
    /// Entries that were ever committed, those that an image stands for included.
    committed: u64,
    pending: Vec<Vec<u8>>,
    /// Whether a commit failed and nobody knows what the disk has.
    unknown: bool,
}

/// Bytes of the first page, which is there before anything is committed.
const FIRST_PAGE: u64 = 4096;

/// How long another connection that writes is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// The tables of a store, by name, and how they are made.
const TABLES: [(&str, &str); 3] = [
    ("about", "CREATE TABLE about (version INTEGER, scenario BLOB, client INTEGER)"),
    ("entry", "CREATE TABLE entry (number INTEGER PRIMARY KEY, checksum INTEGER, bytes BLOB)"),
    ("image", "CREATE TABLE image (number INTEGER, checksum INTEGER, bytes BLOB)"),
];

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
    /// Opens the store at this path, or makes an empty one of a file that is not there or empty.
    pub fn open(path: &Path, owner: Owner) -> Result<Self, StoreError> {
        let mark = path.with_extension("mark");
        let marked = marked(&mark).unwrap_or(0);
        begins(path, marked)?;
        let mut connection = Connection::open(path).map_err(unusable)?;
        connection.busy_timeout(PATIENCE).map_err(unusable)?;
        connection.set_db_config(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(unusable)?;
        // Nothing is written, not even the journal mode, before the file is known to be a store or empty.
        let is_new = match is_empty(&connection) {
            Ok(true) | Err(StoreError::Foreign) if marked > 0 => return Err(fewer(marked, 0)),
            other => other?,
        };
        if !is_new {
            let sound: String = connection.query_row("PRAGMA quick_check", [], |row| row.get(0)).map_err(unusable)?;
            if sound != "ok" {
                return Err(StoreError::Damaged(sound));
            }
            identify(&connection, owner)?;
        }
        connection.pragma_update(None, "journal_mode", "WAL").map_err(unusable)?;
        connection.pragma_update(None, "synchronous", "FULL").map_err(unusable)?;
        if is_new {
            make(&mut connection, owner)?;
        }
        let mut store = Sqlite { connection, mark, committed: 0, pending: Vec::new(), unknown: false };
        store.committed = store.last_number()?;
        if marked > store.committed {
            return Err(fewer(marked, store.committed));
        }
        store.load()?;
        store.connection.set_db_config(SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(unusable)?;
        Ok(store)
    }

    fn last_number(&self) -> Result<u64, StoreError> {
        let last = "SELECT max((SELECT ifnull(max(number), 0) FROM entry), (SELECT ifnull(max(number), 0) FROM image))";
        self.connection.query_row(last, [], |row| row.get(0)).map_err(unusable)
    }

    /// What was committed stays committed where the mark cannot be written: it lags until the next commit.
    fn set_mark(&self) {
        let number = self.committed.to_le_bytes();
        let mut bytes = number.to_vec();
        bytes.extend(crc32fast::hash(&number).to_le_bytes());
        let written = fs::File::options().create(true).write(true).truncate(false).open(&self.mark);
        // One write of twelve bytes: it is there as a whole or, torn, says nothing.
        let _ = written.and_then(|mut file| file.write_all(&bytes));
    }

    /// Writes in one transaction. [`StoreError::Refused`] if nothing of it was written; after any other error nobody knows,
    /// and the store must be opened again.
    fn transact(&mut self, write: impl FnOnce(&Transaction) -> rusqlite::Result<()>) -> Result<(), StoreError> {
        self.is_known()?;
        let refused = |error: rusqlite::Error| match unusable(error) {
            StoreError::Unusable(why) => StoreError::Refused { entries: 0, why },
            damaged => damaged,
        };
        // The lock is taken first: who cannot have it has written nothing.
        let begun = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = begun.map_err(refused)?;
        if let Err(error) = write(&transaction) {
            let undone = transaction.rollback();
            self.unknown = undone.is_err();
            return Err(if self.unknown { unusable(error) } else { refused(error) });
        }
        let committed = transaction.commit();
        self.unknown = committed.is_err();
        committed.map_err(unusable)
    }

    fn is_known(&self) -> Result<(), StoreError> {
        if self.unknown { Err(StoreError::Unknown) } else { Ok(()) }
    }
}

/// Whether there is nothing in the file, so that a store can be made of it.
fn is_empty(connection: &Connection) -> Result<bool, StoreError> {
    let mut query = connection.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").map_err(unusable)?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(unusable)?;
    let found: Vec<(String, Option<String>)> = rows.collect::<Result<_, _>>().map_err(unusable)?;
    if found.is_empty() {
        let of_others =
            "SELECT (SELECT * FROM pragma_application_id()) != 0 OR (SELECT * FROM pragma_user_version()) != 0";
        let of_others: bool = connection.query_row(of_others, [], |row| row.get(0)).map_err(unusable)?;
        return if of_others { Err(StoreError::Foreign) } else { Ok(true) };
    }
    // Versions to come may have other columns; a store has these tables and no others.
    let names = found.iter().map(|(name, _)| name.as_str());
    if names.eq(TABLES.map(|(name, _)| name)) { Ok(false) } else { Err(StoreError::Foreign) }
}

/// Makes a store, with its owner, in one step.
fn make(connection: &mut Connection, owner: Owner) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unusable)?;
    // Another process may have made it in the meantime.
    if is_empty(&transaction)? {
        TABLES.iter().try_for_each(|(_, made)| transaction.execute(made, []).map(drop)).map_err(unusable)?;
        let about = params![VERSION, owner.scenario.to_be_bytes().to_vec(), owner.client];
        transaction.execute("INSERT INTO about VALUES (?, ?, ?)", about).map_err(unusable)?;
    } else {
        identify(&transaction, owner)?;
    }
    transaction.commit().map_err(unusable)
}

/// Compares whose store it is, and of which version, with what is expected.
fn identify(connection: &Connection, owner: Owner) -> Result<(), StoreError> {
    let rows: u64 = connection.query_row("SELECT count(*) FROM about", [], |row| row.get(0)).map_err(unusable)?;
    if rows != 1 {
        return Err(StoreError::Damaged(format!("it names {rows} owners, and a store has one")));
    }
    let version = connection.query_row("SELECT version FROM about", [], |row| row.get::<_, u32>(0));
    match version.map_err(unreadable)? {
        VERSION => {}
        found => return Err(StoreError::Version { found }),
    }
    let about = connection.query_row("SELECT scenario, client FROM about", [], |row| {
        Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, u32>(1)?))
    });
    let (scenario, client) = about.map_err(unreadable)?;
    if scenario == owner.scenario.to_be_bytes() && client == owner.client {
        return Ok(());
    }
    let scenario: String = scenario.iter().map(|byte| format!("{byte:02x}")).collect();
    let (found, wanted) = (format!("client {client} of scenario {scenario}"), owner.to_string());
    Err(StoreError::Owner { found, wanted })
}

/// A value that is not of the kind that was written.
fn unreadable(error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        None => StoreError::Damaged(format!("its owner cannot be read: {error}")),
        Some(_) => unusable(error),
    }
}

impl Store for Sqlite {
    fn load(&mut self) -> Result<Kept, StoreError> {
        self.is_known()?;
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
        self.is_known()?;
        self.pending.push(entry.to_vec());
        Ok(())
    }

    fn sync(&mut self) -> Result<(), StoreError> {
        // Whatever becomes of them, they are not tried again: a later sync must not write what was refused.
        let pending = std::mem::take(&mut self.pending);
        if pending.is_empty() {
            return self.is_known();
        }
        let first = self.committed + 1;
        let written = self.transact(|transaction| {
            let mut insert = transaction.prepare_cached("INSERT INTO entry VALUES (?, ?, ?)")?;
            (first..).zip(&pending).try_for_each(|(number, entry)| {
                insert.execute(params![number, crc32fast::hash(entry), entry]).map(drop)
            })
        });
        let entries = pending.len() as u64;
        written.map_err(|error| match error {
            StoreError::Refused { why, .. } => StoreError::Refused { entries, why },
            other => other,
        })?;
        self.committed += entries;
        self.set_mark();
        Ok(())
    }

    fn replace(&mut self, image: &[u8]) -> Result<(), StoreError> {
        // The image stands for what was appended and not synced, too. Where it is refused, that is still to be written.
        let number = self.committed + self.pending.len() as u64;
        self.transact(|transaction| {
            transaction.execute("DELETE FROM entry", [])?;
            transaction.execute("DELETE FROM image", [])?;
            let made = params![number, crc32fast::hash(image), image];
            transaction.execute("INSERT INTO image VALUES (?, ?, ?)", made).map(drop)
        })?;
        self.pending.clear();
        if number > self.committed {
            self.committed = number;
            self.set_mark();
        }
        Ok(())
    }

    fn bytes(&self) -> u64 {
        let size = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()";
        self.connection.query_row(size, [], |row| row.get(0)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::data::Fields;
    use crate::domain::seed::Seed;
    use crate::engine::delta_summary::Replica;
    use crate::engine::host::{Entropy, Host};
    use crate::engine::port::Settings;

    const OWNER: Owner = Owner { scenario: 1, client: 2 };

    fn entries(path: &Path) -> Vec<Vec<u8>> {
        Sqlite::open(path, OWNER).and_then(|mut store| store.load()).expect("a store").entries
    }

    /// Another connection that holds the write lock until it is dropped.
    fn locked(path: &Path) -> Connection {
        let other = Connection::open(path).expect("a database");
        other.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
        other
    }

    #[test]
    fn what_a_locked_database_refused_is_not_written_later() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let mut store = Sqlite::open(&path, OWNER).expect("a store");
        let lock = locked(&path);
        store.append(b"refused").expect("memory");
        assert!(matches!(store.sync(), Err(StoreError::Refused { entries: 1, .. })));
        assert!(matches!(store.replace(b"an image"), Err(StoreError::Refused { .. })));
        drop(lock);
        store.append(b"accepted").expect("memory");
        store.sync().expect("nobody else writes");
        assert_eq!(entries(&path), [b"accepted"]);
    }

    #[test]
    fn an_edit_that_a_locked_database_refused_does_not_count_with_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let settings = Settings {
            node: 2,
            client: 2,
            fields: Fields::counters(1, 0),
            serves: false,
            is_root: false,
            serves_relays: false,
            retry_after: 1,
            retry_at_most: 1,
            retries: 1,
            handshakes: 1,
            linger: 0,
            fragment: 64,
            retain: 1,
            compact_after: 100,
            mutant: None,
        };
        let entropy = || Entropy::Drawn(Box::new(Seed::new(1).stream("entropy")));
        let mut host = Host::new(Sqlite::open(&path, OWNER).expect("a store"), entropy());
        let mut replica = Replica::open(settings.clone(), &mut host).expect("a replica");
        let lock = locked(&path);
        assert!(matches!(replica.edit(&mut host, 0, 100), Err(StoreError::Refused { entries: 1, .. })));
        drop(lock);
        replica.edit(&mut host, 0, 1).expect("nobody else writes");
        assert_eq!((host.shown.len(), replica.sums()[0]), (1, 1));
        let mut host = Host::new(Sqlite::open(&path, OWNER).expect("a store"), entropy());
        assert_eq!(Replica::open(settings, &mut host).expect("a replica").sums()[0], 1);
    }

    #[test]
    fn a_store_whose_commit_failed_does_nothing_any_more_until_it_is_opened_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let mut store = Sqlite::open(&path, OWNER).expect("a store");
        store.append(b"before").and_then(|()| store.sync()).expect("nothing fails yet");
        // What an entry brings with it breaks a rule that is looked at when the transaction is committed.
        let rule = "PRAGMA foreign_keys = ON; CREATE TEMP TABLE one (id INTEGER PRIMARY KEY); \
                    CREATE TEMP TABLE other (id REFERENCES one (id) DEFERRABLE INITIALLY DEFERRED); \
                    CREATE TEMP TRIGGER breaks AFTER INSERT ON main.entry BEGIN INSERT INTO other VALUES (1); END";
        store.connection.execute_batch(rule).expect("tables of its own");
        store.append(b"lost").expect("memory");
        let failed = store.sync();
        assert!(matches!(failed, Err(StoreError::Unusable(_))), "{failed:?}");
        store.connection.execute_batch("DROP TRIGGER breaks").expect("it is there");
        let said = [store.append(b"after"), store.sync(), store.replace(b"an image"), store.load().map(drop)];
        assert_eq!(said, [(); 4].map(|()| Err(StoreError::Unknown)));
        drop(store);
        let mut store = Sqlite::open(&path, OWNER).expect("it is sound");
        store.append(b"after").and_then(|()| store.sync()).expect("nothing fails any more");
        assert_eq!(store.load().expect("a store").entries, [&b"before"[..], b"after"]);
    }

    #[test]
    fn a_store_without_one_of_its_entries_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let mut store = Sqlite::open(&path, OWNER).expect("a store");
        (0..3u8).try_for_each(|entry| store.append(&[entry])).and_then(|()| store.sync()).expect("nothing fails");
        drop(store);
        Connection::open(&path)
            .and_then(|other| other.execute_batch("DELETE FROM entry WHERE number = 2"))
            .expect("a database");
        let refused = Sqlite::open(&path, OWNER).err();
        assert_eq!(refused, Some(StoreError::Damaged("the entry before 3 is missing".to_owned())));
    }

    #[test]
    fn it_writes_ahead_and_waits_for_the_disk_at_every_commit() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Sqlite::open(&folder.path().join("store.db"), OWNER).expect("a store");
        let journal: String = store.connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).expect("a mode");
        let full: u32 = store.connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).expect("a mode");
        assert_eq!((journal.as_str(), full), ("wal", 2));
    }

    #[test]
    fn what_was_committed_is_not_reported_as_failed_though_the_mark_cannot_be_written() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let mut store = Sqlite::open(&path, OWNER).expect("a store");
        fs::create_dir(&store.mark).expect("a folder in the place of the mark");
        store.append(b"one").expect("memory");
        assert_eq!(store.sync(), Ok(()));
        fs::remove_dir(&store.mark).expect("it is empty");
        store.append(b"two").expect("memory");
        assert_eq!(store.sync(), Ok(()));
        assert_eq!(fs::read(&store.mark).expect("a mark")[..8], 2u64.to_le_bytes());
        assert_eq!(entries(&path), [b"one", b"two"]);
    }

    #[test]
    fn an_image_stands_for_what_was_not_synced_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        let mut store = Sqlite::open(&path, OWNER).expect("a store");
        store.append(b"in the image").expect("memory");
        store.replace(b"an image").expect("nobody else writes");
        store.append(b"after it").expect("memory");
        store.sync().expect("nobody else writes");
        let kept = Sqlite::open(&path, OWNER).and_then(|mut store| store.load()).expect("a store");
        assert_eq!(kept, Kept { image: Some(b"an image".to_vec()), entries: vec![b"after it".to_vec()] });
    }

    #[test]
    fn a_database_that_is_no_store_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, made) in [
            ("tables.db", "CREATE TABLE invoices (total INTEGER); INSERT INTO invoices VALUES (5)"),
            (
                "more.db",
                "CREATE TABLE about (a); CREATE TABLE entry (b); CREATE TABLE image (c); CREATE TABLE more (d)",
            ),
            ("empty.db", "PRAGMA application_id = 77"),
            ("older.db", "PRAGMA user_version = 3"),
        ] {
            let path = folder.path().join(name);
            Connection::open(&path).and_then(|other| other.execute_batch(made)).expect("a database");
            let before = fs::read(&path).expect("a file");
            assert_eq!(Sqlite::open(&path, OWNER).err(), Some(StoreError::Foreign), "{name}");
            assert_eq!(fs::read(&path).expect("a file"), before, "{name}");
        }
        let files = fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(files, 4, "nothing is left beside them");
        let path = folder.path().join("new.db");
        fs::write(&path, b"").expect("a file");
        assert_eq!(Sqlite::open(&path, OWNER).map(drop), Ok(()));
    }

    #[test]
    fn a_store_that_names_no_owner_is_nobody_elses_to_take() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("store.db");
        drop(Sqlite::open(&path, OWNER).expect("a store"));
        for (damage, other) in [
            ("UPDATE about SET scenario = 'text'", Owner { scenario: 8, client: 9 }),
            ("INSERT INTO about VALUES (1, x'00', 3)", OWNER),
            ("DELETE FROM about", Owner { scenario: 8, client: 9 }),
        ] {
            Connection::open(&path).and_then(|about| about.execute_batch(damage)).expect("a database");
            assert!(matches!(Sqlite::open(&path, other), Err(StoreError::Damaged(_))), "{damage}");
        }
    }
}
