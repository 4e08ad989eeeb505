//! The tables of a file, before anything is asked of them. What is in a file says what a question to it does: a view in
//! the place of a table may be computed without end, a trigger acts at every write.

use rusqlite::Connection;

/// The tables.
pub(super) const SCHEMA: &str = include_str!("schema.sql");
/// What `ANALYZE` adds (<https://www.sqlite.org/fileformat.html>, section 2.6), to which nobody here looks.
const STATISTICS: [&str; 2] =
    ["CREATE TABLE sqlite_stat1(tbl,idx,stat)", "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)"];

/// What a file has in it.
pub(super) struct Schema(Vec<Object>);

/// A row of `sqlite_schema`.
#[derive(Debug, PartialEq, Eq)]
struct Object {
    kind: String,
    name: String,
    table: String,
    /// Of an index that a table brings with it there is none.
    sql: Option<String>,
    /// Views, triggers and virtual tables have no page.
    has_page: bool,
}

impl Schema {
    pub(super) fn of(db: &Connection) -> rusqlite::Result<Self> {
        let mut rows = db.prepare(
            "SELECT type, name, tbl_name, sql, coalesce(rootpage, 0) > 0 FROM sqlite_schema ORDER BY type, name",
        )?;
        let objects = rows.query_map([], |row| {
            Ok(Object {
                kind: row.get(0)?,
                name: row.get(1)?,
                table: row.get(2)?,
                sql: row.get(3)?,
                has_page: row.get(4)?,
            })
        })?;
        objects.collect::<rusqlite::Result<_>>().map(Self)
    }

    /// Whether everything in it is a table or an index of one, so that whoever reads a row reads a row, if nothing is
    /// [computed](Self::computes).
    pub(super) fn is_plain(&self) -> bool {
        self.0.iter().all(|object| object.has_page && matches!(object.kind.as_str(), "table" | "index"))
    }

    /// Whether a column of this table is computed when it is read.
    pub(super) fn computes(db: &Connection, table: &str) -> rusqlite::Result<bool> {
        db.prepare("SELECT 1 FROM pragma_table_xinfo(?1) WHERE hidden <> 0")?.exists([table])
    }

    /// Whether it is what a store of ours is made with.
    pub(super) fn is_ours(&self) -> rusqlite::Result<bool> {
        let new = Connection::open_in_memory()?;
        new.execute_batch(SCHEMA)?;
        let is_statistics =
            |object: &&Object| object.sql.as_deref().is_some_and(|sql| STATISTICS.contains(&sql));
        let found = self.0.iter().filter(|object| !is_statistics(object));
        Ok(found.eq(&Self::of(&new)?.0))
    }
}
