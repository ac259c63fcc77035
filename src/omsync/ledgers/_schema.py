"""The tables of the ledger's file, and how a file is opened, recognised and made."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

from omsync.errors import LedgerError
from omsync.ledgers._third_step import THIRD

__all__ = ["APPLICATION_ID", "BUSY_SECONDS", "VERSION", "open_database", "transaction"]

APPLICATION_ID = 0x6F6D7379
"""Marks the file as ours ("omsy"), so that the tables never land in another program's file."""

BUSY_SECONDS = 30.0
"""How long to wait for another process that writes."""

_PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 0.05

# Times are ISO 8601 text in UTC, all of one length, so that text order is the order of time.
# A listing without a location has '' in the table's key, and NULL in the view.
_FIRST = """
CREATE TABLE runs (
    run_id       TEXT NOT NULL UNIQUE,
    merchant     TEXT NOT NULL,
    cart         TEXT,
    status       TEXT NOT NULL,
    started_at   TEXT NOT NULL,
    finished_at  TEXT,
    last_seen_at TEXT NOT NULL,
    counts       TEXT NOT NULL DEFAULT '{}',
    message      TEXT NOT NULL DEFAULT '',
    code         TEXT NOT NULL DEFAULT '',
    pid          INTEGER,
    host         TEXT
);
CREATE INDEX runs_newest ON runs (merchant, cart, started_at);
CREATE TABLE snapshots (
    merchant      TEXT NOT NULL PRIMARY KEY,
    taken_at      TEXT NOT NULL,
    saved_at      TEXT NOT NULL,
    products      INTEGER NOT NULL,
    stock_records INTEGER NOT NULL,
    content       BLOB NOT NULL
);
CREATE TABLE listing_figures (
    merchant     TEXT NOT NULL,
    cart         TEXT NOT NULL,
    listing_sku  TEXT NOT NULL,
    location_id  TEXT NOT NULL,
    desired      INTEGER,
    desired_at   TEXT,
    sent         INTEGER,
    sent_at      TEXT,
    accepted     INTEGER,
    accepted_at  TEXT,
    observed     INTEGER,
    observed_at  TEXT,
    PRIMARY KEY (merchant, cart, listing_sku, location_id)
) WITHOUT ROWID;
CREATE VIEW listing_states AS
    SELECT merchant, cart, listing_sku, nullif(location_id, '') AS location_id,
           desired, desired_at, sent, sent_at, accepted, accepted_at, observed, observed_at
    FROM listing_figures;
CREATE TABLE source_memory (
    merchant  TEXT NOT NULL,
    namespace TEXT NOT NULL,
    key       TEXT NOT NULL,
    value     TEXT NOT NULL,
    UNIQUE (merchant, namespace, key)
);
"""
# Each figure knows its run, and the two that drift is told by know since when they are what they are. The
# lease of reading the order manager has '' for a cart. What was sent is kept with its derivation, compressed.
_SECOND = """
ALTER TABLE listing_figures ADD COLUMN desired_run TEXT;
ALTER TABLE listing_figures ADD COLUMN sent_run TEXT;
ALTER TABLE listing_figures ADD COLUMN accepted_run TEXT;
ALTER TABLE listing_figures ADD COLUMN observed_run TEXT;
ALTER TABLE listing_figures ADD COLUMN desired_since TEXT;
ALTER TABLE listing_figures ADD COLUMN observed_since TEXT;
UPDATE listing_figures SET desired_since = desired_at, observed_since = observed_at;
DROP VIEW listing_states;
CREATE VIEW listing_states AS
    SELECT merchant, cart, listing_sku, nullif(location_id, '') AS location_id,
           desired, desired_at, sent, sent_at, accepted, accepted_at, observed, observed_at,
           desired_run, sent_run, accepted_run, observed_run, desired_since, observed_since
    FROM listing_figures;
CREATE INDEX runs_oldest ON runs (started_at);
ALTER TABLE source_memory ADD COLUMN kept_at TEXT;
CREATE INDEX settled_oldest ON source_memory (kept_at) WHERE value = '';
CREATE TABLE leases (
    merchant TEXT NOT NULL,
    cart     TEXT NOT NULL,
    run_id   TEXT NOT NULL,
    holder   TEXT NOT NULL,
    since    TEXT NOT NULL,
    until    TEXT NOT NULL,
    pid      INTEGER NOT NULL,
    host     TEXT NOT NULL,
    PRIMARY KEY (merchant, cart)
) WITHOUT ROWID;
CREATE TABLE history (
    merchant        TEXT NOT NULL,
    cart            TEXT NOT NULL,
    listing_sku     TEXT NOT NULL,
    location_id     TEXT NOT NULL,
    run_id          TEXT NOT NULL,
    sent_at         TEXT NOT NULL,
    quantity        INTEGER NOT NULL,
    shown           INTEGER,
    status          TEXT NOT NULL,
    echo            INTEGER,
    reason          TEXT NOT NULL,
    message         TEXT NOT NULL,
    settings_digest TEXT NOT NULL,
    plan_digest     TEXT NOT NULL,
    approved_by     TEXT NOT NULL,
    summary         TEXT NOT NULL,
    explanation     BLOB NOT NULL,
    UNIQUE (merchant, cart, listing_sku, location_id, run_id)
);
CREATE INDEX history_oldest ON history (sent_at);
"""
_STEPS = (_FIRST, _SECOND, THIRD)
"""What leads from each version to the next. A new file takes them all, so that it equals an old one that was
brought forward; a step that was ever released is never changed."""

VERSION = len(_STEPS)
"""The version of the tables, kept in the file's ``user_version``."""


def open_database(path: str) -> sqlite3.Connection:
    """Open the ledger's file, or make it; the connection commits by itself unless told to BEGIN.

    Raises:
        LedgerError: The directory is missing, the file is another program's or of a newer omsync.
        sqlite3.Error: SQLite cannot open it; the caller explains.
    """
    if path != ":memory:":
        _make_private(path)
    # Threads are allowed, since the ledger takes turns with a lock; the async shell uses several.
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(path: str) -> None:
    # SQLite gives the files beside it (-wal, -shm) the permissions of the file itself.
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
    except FileNotFoundError as error:
        raise LedgerError(
            f"The ledger {path!r} cannot be made: its directory does not exist",
            code="no_ledger_directory",
            remedy=f"Make the directory {str(Path(path).parent)!r}, or give another path.",
        ) from error
    except OSError as error:
        raise LedgerError(
            f"The ledger {path!r} cannot be made: {error.strerror or error}",
            code="ledger_not_writable",
            remedy="Give a path that this user may write to.",
        ) from error


@contextmanager
def transaction(connection: sqlite3.Connection, begin: str = "BEGIN IMMEDIATE") -> Iterator[None]:
    """Commit everything that is done inside, or nothing of it."""
    connection.execute(begin)
    try:
        yield
        connection.commit()
    except BaseException:
        connection.rollback()
        raise


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    with transaction(connection, "BEGIN"):  # One look at one state: another program may be making the file.
        version = _version(connection, path)
    _keep_a_log(connection)
    # FULL rather than NORMAL: what a source remembers must outlive a power cut, since the order manager does
    # not say it twice. A run commits a few dozen times, so the price is a few dozen syncs of the disk.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA fullfsync = ON")
    connection.execute("PRAGMA foreign_keys = ON")
    if version == VERSION:
        return
    with transaction(connection):
        # Two programs may make the file, or bring it forward, at once; so one looks again when it is alone.
        for step in _STEPS[_version(connection, path) :]:
            for statement in step.split(";"):
                connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")


def _keep_a_log(connection: sqlite3.Connection) -> None:
    # Turning the log on needs the file alone for a moment, and SQLite does not always wait for that.
    give_up = monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or monotonic() > give_up:
                raise
            sleep(_PAUSE_SECONDS)
        else:
            return


def _version(connection: sqlite3.Connection, path: str) -> int:
    """Tell the version of the ledger's tables; 0 for a file that is empty."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not objects and not application and not version:
        return 0
    if application != APPLICATION_ID:
        raise LedgerError(
            f"{path!r} is a database of another program, not a ledger of omsync",
            code="not_a_ledger",
            remedy="Give the ledger a file of its own.",
        )
    if version > VERSION:
        raise LedgerError(
            f"The ledger {path!r} was written by a newer omsync (tables of version {version}; "
            f"this one knows {VERSION})",
            code="newer_ledger",
            remedy="Upgrade omsync here, or give another path.",
        )
    return int(version)
