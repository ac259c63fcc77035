"""A copy of the ledger's file as of one moment, while others go on writing to it."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from pathlib import Path

from omsync.errors import InvalidValueError, LedgerError
from omsync.ledgers._schema import APPLICATION_ID

__all__ = ["copy_to"]

_MARK_AT = 68
"""Where SQLite keeps a file's application id, as four bytes, the highest first."""


def copy_to(connection: sqlite3.Connection, source: str, target: str) -> None:
    """Copy the database whole into a file of its own; a file that is there is replaced in one step.

    Args:
        connection: The database; it is read as of one moment.
        source: The ledger's path.
        target: The copy's path.

    Raises:
        LedgerError: The copy cannot be written, or something that is no ledger stands there.
        sqlite3.Error: SQLite complains; the caller explains.
    """
    place = Path(target)
    if place.exists() and source != ":memory:" and place.samefile(source):
        raise InvalidValueError(
            f"The copy of the ledger {source!r} would replace the ledger itself",
            remedy="Give the copy a path of its own.",
        )
    try:
        _refuse_other_files(place)
        handle, name = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.")  # private to its user
    except OSError as error:
        raise _not_writable(target, error) from error
    os.close(handle)
    try:
        copy = sqlite3.connect(name)
        try:
            connection.backup(copy)
            # One file, without a log beside it: it can be carried away as it is.
            copy.execute("PRAGMA journal_mode = DELETE")
        finally:
            copy.close()
        with Path(name).open("rb") as written:
            os.fsync(written.fileno())
        Path(name).replace(place)
    except OSError as error:
        raise _not_writable(target, error) from error
    finally:
        Path(name).unlink(missing_ok=True)


def _refuse_other_files(place: Path) -> None:
    if not place.exists():
        return
    with place.open("rb") as there:
        head = there.read(_MARK_AT + 4)
    if head and head[_MARK_AT:] != APPLICATION_ID.to_bytes(4, "big"):
        raise LedgerError(
            f"{str(place)!r} is something else than a copy of a ledger, and is left alone",
            code="not_a_ledger",
            remedy="Give the copy a path of its own.",
        )


def _not_writable(target: str, error: OSError) -> LedgerError:
    return LedgerError(
        f"The copy {target!r} of the ledger cannot be written: {error.strerror or error}",
        code="backup_failed",
        remedy="Give a path in a directory that exists and that this user may write to.",
    )
