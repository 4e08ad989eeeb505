//! Whoever only looks at a store that was not closed in order changes no byte of it, and what is no file of a server's is
//! not read.

use std::path::PathBuf;

use daypass_store::conformance::wait;
use daypass_store::{Commit, Holding, OpenError, SqliteStore, Store};

use crate::support::{TempDir, commit, load, tamper};

const ACCOUNTS: Holding<'_> = Holding { prefix: "/account/", known: None };

/// What a kill leaves of a store with one commit in its log, and the shared memory beside it.
fn killed() -> TempDir {
    let (dir, left) = (TempDir::new(), TempDir::new());
    let store = dir.open();
    commit(&store, Commit::new().put("/account/1", "a"));
    for name in dir.names() {
        std::fs::copy(dir.path().join(&name), left.path().join(&name)).unwrap();
    }
    left
}

/// A backup in the place of a store.
fn dir_of_backup() -> TempDir {
    let (dir, copy) = (TempDir::new(), TempDir::new());
    let store = dir.open();
    commit(&store, Commit::new().put("/account/1", "a"));
    wait(store.backup(&copy.file())).unwrap();
    copy
}

fn files(dir: &TempDir) -> Vec<(String, Vec<u8>)> {
    dir.names()
        .into_iter()
        .map(|name| (name.clone(), std::fs::read(dir.path().join(&name)).unwrap()))
        .collect()
}

fn beside(dir: &TempDir, suffix: &str) -> PathBuf {
    dir.path().join(format!("store.db{suffix}"))
}

fn examined(dir: &TempDir) -> Result<usize, OpenError> {
    SqliteStore::examine(&dir.file(), ACCOUNTS).map(|found| wait(found.load("")).unwrap().1.len())
}

#[test]
fn a_store_that_was_killed_is_read_and_left_to_the_last_byte() {
    let dir = killed();
    let before = files(&dir);
    assert!(before.len() == 3, "{:?}", dir.names());
    assert_eq!(examined(&dir).unwrap(), 1);
    assert!(files(&dir) == before);
    assert_eq!(load(&dir.open()).1.len(), 1);
}

#[test]
fn what_has_a_second_name_is_neither_opened_nor_read() {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let dir = killed();
        let elsewhere = dir.path().join("second");
        if suffix == "-journal" {
            std::fs::write(beside(&dir, suffix), "precious").unwrap();
        }
        std::fs::hard_link(beside(&dir, suffix), &elsewhere).unwrap();
        let before = files(&dir);
        let refused = SqliteStore::open(&dir.file()).unwrap_err().to_string();
        assert!(refused.contains("has a second name (a hard link)"), "{refused}");
        assert_eq!(examined(&dir).unwrap_err().to_string(), refused);
        assert!(files(&dir) == before, "{suffix}");
    }
}

/// A journal of one page of this store's, its first one with these versions, where that is meant.
fn journal(dir: &TempDir, page: u32, versions: [u8; 2]) -> Vec<u8> {
    let store = std::fs::read(dir.file()).unwrap();
    let pages = u32::try_from(store.len() / 4096).unwrap();
    let mut bytes = vec![0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
    for number in [1, 7, pages, 512, 4096] {
        bytes.extend(u32::to_be_bytes(number));
    }
    bytes.resize(512, 0);
    bytes.extend(page.to_be_bytes());
    let mut content = store[..4096].to_vec();
    content[18..20].copy_from_slice(&versions);
    // As every two hundredth byte counts.
    let sum = 7 + (0..20).map(|n| u32::from(content[4096 - 200 * (n + 1)])).sum::<u32>();
    bytes.extend(content);
    bytes.extend(sum.to_be_bytes());
    bytes
}

/// Neither a start nor whoever looks takes it for a server's, nor changes anything.
fn is_of_another(dir: &TempDir, text: &[u8]) {
    std::fs::write(beside(dir, "-journal"), text).unwrap();
    let before = files(dir);
    let refused = SqliteStore::open(&dir.file()).unwrap_err();
    assert!(matches!(refused, OpenError::JournalOfAnother { .. }), "{refused}");
    assert_eq!(examined(dir).unwrap_err().to_string(), refused.to_string());
    assert!(files(dir) == before);
}

#[test]
fn a_journal_that_is_no_servers_is_not_written_into_the_store() {
    // Into a backup neither, which is put here by hand.
    for make in [killed, dir_of_backup] {
        let dir = make();
        let own = journal(&dir, 1, [1, 1]);
        let mut of_another_store = own.clone();
        of_another_store[516 + 40] ^= 1;
        let mut of_two_pages = own.clone();
        of_two_pages.extend(&own[512..]);
        is_of_another(&dir, &journal(&dir, 2, [1, 1]));
        is_of_another(&dir, &journal(&dir, 1, [2, 2]));
        is_of_another(&dir, &of_another_store);
        is_of_another(&dir, &of_two_pages);
        is_of_another(&dir, &own[..600]);
        // SQLite would cut the store to so many pages, or to pages of that size.
        for pages in [0, 1, u32::try_from(std::fs::read(dir.file()).unwrap().len() / 4096).unwrap() + 1] {
            let mut of_other_length = own.clone();
            of_other_length[16..20].copy_from_slice(&pages.to_be_bytes());
            is_of_another(&dir, &of_other_length);
        }
        let mut of_smaller_pages = own[..512 + 4 + 512 + 4].to_vec();
        of_smaller_pages[24..28].copy_from_slice(&512_u32.to_be_bytes());
        is_of_another(&dir, &of_smaller_pages);
        is_of_another(&dir, b"short");
        // One that was not begun, and that of the change which a crash cut short: nothing is lost with them.
        for text in [Vec::new(), vec![0; 4096], own] {
            let dir = make();
            std::fs::write(beside(&dir, "-journal"), text).unwrap();
            assert_eq!(examined(&dir).unwrap(), 1);
            assert_eq!(load(&dir.open()).1.len(), 1);
        }
    }
}

/// SQLite may remove the journal that is named in a journal, when it has played that back.
#[test]
fn what_a_journal_names_is_not_removed() {
    let dir = dir_of_backup();
    let precious = dir.path().join("precious");
    std::fs::write(&precious, "precious").unwrap();
    let mut text = journal(&dir, 1, [1, 1]);
    let name = precious.to_str().unwrap().as_bytes();
    text.extend(u32::to_be_bytes(0x4000_0000 / 4096 + 1));
    text.extend(name);
    text.extend(u32::try_from(name.len()).unwrap().to_be_bytes());
    text.extend(name.iter().map(|byte| u32::from(*byte)).sum::<u32>().to_be_bytes());
    text.extend([0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7]);
    is_of_another(&dir, &text);
}

/// A file may say that it has more bytes than any disk.
#[test]
fn what_there_is_no_room_for_is_not_copied() {
    let dir = killed();
    let log = std::fs::File::options().write(true).open(beside(&dir, "-wal")).unwrap();
    // Not every file system has such files.
    if log.set_len(1 << 43).is_err() {
        return;
    }
    let refused = examined(&dir).unwrap_err();
    assert!(matches!(refused, OpenError::NoRoom { .. }), "{refused}");
    let OpenError::NoRoom { needed, free, .. } = &refused else { panic!("{refused}") };
    // Of what is free so much is left, whoever wants it full.
    let left = (free / 10).max(64);
    assert!((left..=left + 4).contains(&(needed - (1 << 23))), "{refused}");
    assert!(refused.to_string().contains("store.db` was not looked at: a copy of it needs "), "{refused}");
    // What is no store is not copied, however long it is.
    let file = std::fs::File::options().write(true).open(dir.file()).unwrap();
    file.set_len(0).unwrap();
    file.set_len(1 << 43).unwrap();
    let refused = examined(&dir).unwrap_err();
    assert!(matches!(refused, OpenError::Corrupt { .. }), "{refused}");
}

#[test]
fn a_value_that_is_longer_than_any_of_ours_is_not_read() {
    let dir = dir_of_backup();
    tamper(&dir.file(), "INSERT INTO records VALUES ('/account/2', 1, zeroblob(20 * 1024 * 1024), 0)");
    for refused in [examined(&dir).unwrap_err(), SqliteStore::open(&dir.file()).unwrap_err()] {
        let OpenError::Corrupt { detail, .. } = refused else { panic!("{refused}") };
        assert!(detail.contains("too big"), "{detail}");
    }
}

/// What a file has under the names of tables may be computed without end.
#[test]
fn nothing_is_asked_of_what_is_no_table_of_ours() {
    const ENDLESS: &str = "DROP TABLE meta; CREATE VIEW meta AS WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
         SELECT x AS lowest_reader, x AS lowest_writer, x AS revision FROM n WHERE x < 0";
    // One function call that takes longer than anybody waits.
    const COMPUTED: &str = "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE TABLE meta (id INTEGER PRIMARY KEY, lowest_reader AS (instr(hex(zeroblob(4000000)), hex(zeroblob(2000000)) || 1)), lowest_writer INTEGER NOT NULL, revision INTEGER NOT NULL, facts_forgotten_until INTEGER)' WHERE name = 'meta'";
    for (sql, is_refused) in [
        (ENDLESS, true),
        ("CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM records; END", true),
        ("CREATE TABLE more (x)", true),
        ("CREATE INDEX more ON records (value)", true),
        ("ALTER TABLE records ADD COLUMN more INTEGER", true),
        ("DROP INDEX spent_by_expiry", true),
        (COMPUTED, true),
        ("ANALYZE", false),
    ] {
        let dir = dir_of_backup();
        tamper(&dir.file(), sql);
        let before = files(&dir);
        match examined(&dir) {
            Err(OpenError::Corrupt { detail, .. }) if is_refused => {
                assert_eq!(detail, "its tables are not as they were made", "{sql}");
                assert!(matches!(SqliteStore::open(&dir.file()), Err(OpenError::Corrupt { .. })), "{sql}");
            }
            found => assert!(found.is_ok() && !is_refused, "{sql}: {found:?}"),
        }
        assert!(files(&dir) == before, "{sql}");
    }
}

/// Many such would be megabytes each for some bytes of the file.
#[test]
fn a_definition_that_is_longer_than_any_of_ours_is_not_read() {
    let dir = dir_of_backup();
    let long = "PRAGMA writable_schema = ON;
         INSERT INTO sqlite_schema VALUES ('index', 'sqlite_autoindex_records_1', 'records', 3, char(0) || hex(zeroblob(10000)))";
    tamper(&dir.file(), long);
    for refused in [examined(&dir).unwrap_err(), SqliteStore::open(&dir.file()).unwrap_err()] {
        let OpenError::Corrupt { detail, .. } = refused else { panic!("{refused}") };
        assert!(detail.contains("too big"), "{detail}");
    }
}

/// Pages of a file whose first page leads to one page by five hundred ways, that to the next by as many, and so on.
fn tangled(store: &[u8]) -> Vec<u8> {
    const SIZE: usize = 4096;
    let short = |at: usize| usize::from(u16::from_be_bytes(*store[at..].first_chunk().unwrap()));
    let page = |children: Vec<usize>, head: &[u8]| {
        let (mut page, at) = (head.to_vec(), head.len());
        page.resize(SIZE, 0);
        let last = *children.last().unwrap();
        page[at] = 5;
        for (n, child) in children.iter().enumerate() {
            let cell = SIZE - 5 * (n + 1);
            page[cell..cell + 4].copy_from_slice(&u32::try_from(*child).unwrap().to_be_bytes());
            page[cell + 4] = u8::try_from(n % 100).unwrap();
            let place = at + 12 + 2 * n;
            page[place..place + 2].copy_from_slice(&u16::try_from(cell).unwrap().to_be_bytes());
        }
        let count = u16::try_from(children.len()).unwrap();
        page[at + 3..at + 5].copy_from_slice(&count.to_be_bytes());
        let begin = u16::try_from(SIZE - 5 * children.len()).unwrap();
        page[at + 5..at + 7].copy_from_slice(&begin.to_be_bytes());
        page[at + 8..at + 12].copy_from_slice(&u32::try_from(last).unwrap().to_be_bytes());
        page
    };
    // The first page's rows in a page of their own, without the file's header, so that cells lie where they lay.
    let mut leaf = store[..SIZE].to_vec();
    leaf.copy_within(100..108 + 2 * short(103), 0);
    let pages = store.len() / SIZE;
    let mut text = page(vec![pages + 1, pages + 2], &store[..100]);
    text.extend(&store[SIZE..]);
    text.extend(&leaf);
    for n in 0..6 {
        let next = if n == 5 { pages + 1 } else { pages + 3 + n };
        text.extend(page(vec![next; 500], &[]));
    }
    let pages = u32::try_from(text.len() / SIZE).unwrap();
    text[28..32].copy_from_slice(&pages.to_be_bytes());
    text
}

/// SQLite reads every row of its tables' table before anything else.
#[test]
fn tables_without_end_are_not_read_to_it() {
    let dir = dir_of_backup();
    let store = std::fs::read(dir.file()).unwrap();
    std::fs::write(dir.file(), tangled(&store)).unwrap();
    for refused in [examined(&dir).unwrap_err(), SqliteStore::open(&dir.file()).unwrap_err()] {
        let OpenError::Corrupt { detail, .. } = refused else { panic!("{refused}") };
        assert_eq!(detail, "its tables are more than could be read");
    }
}
