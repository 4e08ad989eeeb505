-- A store of format 1 with rows. Never changed: a later format gets a file of its own.
PRAGMA application_id = 1684109680;
PRAGMA journal_mode = WAL;
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
INSERT INTO meta (id, lowest_reader, lowest_writer, revision, facts_forgotten_until) VALUES (1, 1, 1, 9, 1700000000);
INSERT INTO records (key, revision, value, checksum) VALUES ('/bytes', 1, x'00ff7f', -2582614373508871395);
INSERT INTO records (key, revision, value, checksum) VALUES ('/empty', 4, x'', -3509218660924782121);
INSERT INTO records (key, revision, value, checksum) VALUES ('/111122223333/user/AIDAEXAMPLE', 9, CAST('{"name":"Jill"}' AS BLOB), 4145551397352385189);
INSERT INTO records (key, revision, value, checksum) VALUES ('/access-key/AKIAEXAMPLE', 9, CAST('AIDAEXAMPLE' AS BLOB), 2537394493568865398);
INSERT INTO spent (fact, expires_at) VALUES ('totp/AIDAEXAMPLE/58000000', 1800000100);
