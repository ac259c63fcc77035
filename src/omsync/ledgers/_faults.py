"""What SQLite's complaints mean for a person, and what to do about each."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from omsync.errors import LedgerError, OmsyncError

__all__ = ["Meaning", "as_written", "broken_text", "explained", "meaning_of"]

Meaning = tuple[str, str, str]
"""An error's code, words that follow the ledger's name, and the remedy."""

_MEANINGS = {
    "SQLITE_BUSY": (
        "ledger_busy",
        "is held by another program",
        "End the program that holds it, and keep the file on a disk of this machine, not on a network share.",
    ),
    "SQLITE_CANTOPEN": (
        "ledger_not_writable",
        "cannot be opened",
        "Give the path of a file that this user may read and write.",
    ),
    "SQLITE_READONLY": (
        "ledger_not_writable",
        "may not be written to",
        "Let this user write to the file and to its directory, or give another path.",
    ),
    "SQLITE_FULL": ("ledger_disk_full", "has no room to grow", "Make room on its disk."),
    "SQLITE_NOTADB": (
        "not_a_ledger",
        "is not a database",
        "Give the ledger a file of its own; omsync makes it.",
    ),
    "SQLITE_CORRUPT": (
        "ledger_damaged",
        "is damaged",
        "Move the file away, or put a copy in its place; a new one begins without history.",
    ),
}
_OTHERWISE = ("ledger_failed", "could not be used", "Look at the file, its disk and its permissions.")


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Turn what SQLite complains about into a ``LedgerError`` that names the file and the remedy."""
    try:
        yield
    except sqlite3.Error as error:
        code, words, remedy = meaning_of(error)
        raise LedgerError(f"The ledger {path!r} {words} ({error})", code=code, remedy=remedy) from error
    except UnicodeEncodeError as error:
        raise broken_text(path, error) from error


def meaning_of(error: BaseException) -> Meaning:
    """Tell what a complaint of SQLite means."""
    name = getattr(error, "sqlite_errorname", "")  # Misuse that Python notices has no name.
    return next((meaning for prefix, meaning in _MEANINGS.items() if name.startswith(prefix)), _OTHERWISE)


def broken_text(ledger: str, error: UnicodeEncodeError) -> LedgerError:
    """Say which text no ledger can keep."""
    return LedgerError(
        f"The ledger {ledger!r} cannot keep a text that is broken: {error.object!r} ({error.reason})",
        code="broken_text",
        remedy="Correct the code or name where it comes from; half of a character got lost in it.",
    )


@contextmanager
def as_written(ledger: str) -> Iterator[None]:
    """Turn a complaint about what was not read as it was written into a ``LedgerError``."""
    try:
        yield
    except (ValueError, TypeError, LookupError, OmsyncError) as error:
        raise LedgerError(
            f"What the ledger {ledger!r} keeps of listings is not as it was written: {error}",
            code="states_unreadable",
            remedy="Somebody edited its tables listing_parts or listing_deltas; put a backup in its place.",
        ) from error
