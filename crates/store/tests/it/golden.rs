//! The format on the disk: what the first version wrote must stay readable.

use daypass_store::conformance::wait;
use daypass_store::{Commit, Guard, Revision, Spent, Store};
use rusqlite::Connection;

use crate::support::{TempDir, commit, load, tamper};

/// The first format, as text, for ever: what it holds must stay readable.
const GOLDEN: &str = include_str!("../golden/store-v1.sql");

#[test]
fn a_store_of_the_first_format_is_read() {
    let dir = TempDir::new();
    tamper(&dir.file(), GOLDEN);
    let store = dir.open();
    let (revision, records) = load(&store);
    assert_eq!(revision, Revision::new(9));
    let got: Vec<_> = records.iter().map(|r| (&*r.key, &r.value[..], r.revision.get())).collect();
    let want: [(&str, &[u8], u64); 4] = [
        ("/111122223333/user/AIDAEXAMPLE", br#"{"name":"Jill"}"#, 9),
        ("/access-key/AKIAEXAMPLE", b"AIDAEXAMPLE", 9),
        ("/bytes", &[0x00, 0xff, 0x7f], 1),
        ("/empty", b"", 4),
    ];
    assert_eq!(got, want);
    assert_eq!(
        wait(store.spend("totp/AIDAEXAMPLE/58000000", 1_800_000_100, 1_800_000_000)),
        Ok(Spent::Already)
    );
    assert_eq!(wait(store.spend("forgotten", 1_700_000_000, 1_600_000_000)), Ok(Spent::Already));
    let guarded = Commit::new().guard(Guard::unchanged("/empty", Revision::new(4))).put("/empty", "no more");
    assert_eq!(commit(&store, guarded), Revision::new(10));
}

#[test]
fn a_new_store_has_the_golden_schema() {
    let made = |dir: &TempDir| {
        let db = Connection::open(dir.file()).unwrap();
        let mut schema = db.prepare("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL").unwrap();
        let rows = schema.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let mut rows: Vec<(String, String)> = rows.map(Result::unwrap).collect();
        rows.sort();
        let id: i64 = db.pragma_query_value(None, "application_id", |row| row.get(0)).unwrap();
        (rows, id)
    };
    let (new, golden) = (TempDir::new(), TempDir::new());
    drop(new.open());
    tamper(&golden.file(), GOLDEN);
    let (new, golden) = (made(&new), made(&golden));
    assert_eq!(new, golden);
    assert_eq!(new.0.len(), 5);
}
