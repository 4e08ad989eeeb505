CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    lowest_reader INTEGER NOT NULL,
    lowest_writer INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    facts_forgotten_until INTEGER
) STRICT;
CREATE TABLE records (
    key TEXT NOT NULL PRIMARY KEY,
    revision INTEGER NOT NULL,
    value BLOB NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX records_by_revision ON records (revision, key);
CREATE TABLE spent (
    fact TEXT NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX spent_by_expiry ON spent (expires_at);
