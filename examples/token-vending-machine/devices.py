"""What the token vending machine remembers: devices, users, spent signatures, and which session it gave to whom. SQLite, so that
it holds over restarts and the operator's command works beside the machine.

Keys must be there as they are, since signatures are made with them: the file is the machine's alone.
"""

import collections
import contextlib
import os
import sqlite3

SCHEMA = """
CREATE TABLE IF NOT EXISTS devices (uid TEXT PRIMARY KEY, key TEXT NOT NULL, owner TEXT, revoked INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS users (username TEXT PRIMARY KEY, hash TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS spent (mark TEXT PRIMARY KEY, until REAL NOT NULL);
CREATE TABLE IF NOT EXISTS issued (access_key_id TEXT PRIMARY KEY, uid TEXT NOT NULL, issuer TEXT NOT NULL, until REAL NOT NULL);
CREATE INDEX IF NOT EXISTS issued_to ON issued (uid);
CREATE TABLE IF NOT EXISTS reserved (place TEXT PRIMARY KEY, uid TEXT NOT NULL, until REAL NOT NULL);
"""
# Anybody may register: what nobody pays for must have an end.
DEVICES_MAX = 100_000
USERS_MAX = 100_000
# And a device may have so many sessions at once: the log of sessions of daypass, by which a lost one's are found, has an end too.
SESSIONS_MAX = 10
# How long daypass may take to give one. A place is given back before, unless the machine was killed.
RESERVED_SECONDS = 600

Device = collections.namedtuple("Device", "key owner revoked")
Issued = collections.namedtuple("Issued", "access_key_id issuer")


class Full(Exception):
    """No more devices or users fit in."""


class Devices:
    """One file. Every call has a connection of its own: the machine answers in many threads."""

    def __init__(self, path):
        self.path = path
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with self._change() as base:
            for statement in SCHEMA.split(";"):
                base.execute(statement)

    @contextlib.contextmanager
    def _change(self):
        """A transaction that nobody else writes in."""
        base = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            base.execute("BEGIN IMMEDIATE")
            yield base
            base.execute("COMMIT")
        finally:
            base.close()

    def _read(self, query, *values):
        with contextlib.closing(sqlite3.connect(self.path, timeout=30)) as base:
            return base.execute(query, values).fetchall()

    def device(self, uid):
        """The device, revoked or not, or None."""
        rows = self._read("SELECT key, owner, revoked FROM devices WHERE uid = ?", uid)
        return Device(*rows[0]) if rows else None

    def hash_of(self, username):
        """The salted hash of the user's password, or None."""
        rows = self._read("SELECT hash FROM users WHERE username = ?", username)
        return rows[0][0] if rows else None

    def add_device(self, uid, key):
        """A device of nobody in particular; False if the uid is taken."""
        with self._change() as base:
            room(base, "devices", DEVICES_MAX)
            return base.execute("INSERT OR IGNORE INTO devices (uid, key) VALUES (?, ?)", (uid, key)).rowcount == 1

    def add_user(self, username, salted):
        """False if the name is taken."""
        with self._change() as base:
            room(base, "users", USERS_MAX)
            return base.execute("INSERT OR IGNORE INTO users VALUES (?, ?)", (username, salted)).rowcount == 1

    def log_in(self, uid, owner, key):
        """Gives the user's device a new key; False if it is another's, nobody's, or revoked."""
        with self._change() as base:
            mine = "uid = ? AND owner = ? AND NOT revoked"
            if base.execute(f"UPDATE devices SET key = ? WHERE {mine}", (key, uid, owner)).rowcount:
                return True
            room(base, "devices", DEVICES_MAX)
            new = "INSERT OR IGNORE INTO devices (uid, key, owner) VALUES (?, ?, ?)"
            return base.execute(new, (uid, key, owner)).rowcount == 1

    def spend(self, mark, until, now):
        """Whether this is the first time; it is remembered until its time is over."""
        with self._change() as base:
            forget(base, now)
            return base.execute("INSERT OR IGNORE INTO spent VALUES (?, ?)", (mark, until)).rowcount == 1

    def reserve(self, uid, now):
        """A place for one more session of the device, or None if all are taken. It is taken before daypass is asked: requests
        come side by side."""
        with self._change() as base:
            forget(base, now)
            taken = 0
            for table in ("issued", "reserved"):
                taken += base.execute(f"SELECT count(*) FROM {table} WHERE uid = ?", (uid,)).fetchone()[0]
            if taken >= SESSIONS_MAX:
                return None
            place = os.urandom(16).hex()
            base.execute("INSERT INTO reserved VALUES (?, ?, ?)", (place, uid, now + RESERVED_SECONDS))
            return place

    def release(self, place):
        """Nothing came of it."""
        with self._change() as base:
            base.execute("DELETE FROM reserved WHERE place = ?", (place,))

    def issue(self, uid, device, place, issued, until, now):
        """Remembers a session at its place, before it is handed out; False if the device is not what it was, and it must not be.

        INVARIANT: whoever revokes a device finds all its sessions here, or comes first and this is False."""
        with self._change() as base:
            base.execute("DELETE FROM reserved WHERE place = ?", (place,))
            still = "SELECT 1 FROM devices WHERE uid = ? AND key = ? AND NOT revoked"
            if not base.execute(still, (uid, device.key)).fetchall():
                return False
            base.execute("INSERT INTO issued VALUES (?, ?, ?, ?)", (issued.access_key_id, uid, issued.issuer, until))
            return True

    def revoke(self, uid, now):
        """The device gets nothing more, and its uid stays taken. The sessions it has, or None if there is no such device."""
        with self._change() as base:
            if not base.execute("UPDATE devices SET revoked = 1 WHERE uid = ?", (uid,)).rowcount:
                return None
            rows = base.execute("SELECT access_key_id, issuer FROM issued WHERE uid = ? AND until > ?", (uid, now)).fetchall()
        return [Issued(*row) for row in rows]


def forget(base, now):
    """What is over."""
    for table in ("spent", "issued", "reserved"):
        base.execute(f"DELETE FROM {table} WHERE until < ?", (now,))


def room(base, table, most):
    if base.execute(f"SELECT count(*) FROM {table}").fetchone()[0] >= most:
        raise Full(table)
