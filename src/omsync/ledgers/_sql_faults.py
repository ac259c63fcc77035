"""What a database's complaints mean for a person, and which of them may be asked again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    InterfaceError,
    OperationalError,
    TimeoutError,  # noqa: A004  the library's name
)

from omsync.errors import LedgerError
from omsync.ledgers._faults import Meaning, broken_text, meaning_of

__all__ = ["explain", "tells", "was_cut_off", "was_undone"]

_UNREACHABLE = (
    "ledger_unreachable",
    "cannot be reached",
    "See that the server runs and that host and port of the address are right; then run again.",
)
_NOT_ALLOWED = (
    "ledger_not_allowed",
    "does not let this user in, or lacks a permission",
    (
        "See that user, password and database of the address are right. The user needs SELECT, INSERT, "
        "UPDATE and DELETE on the tables omsync_*, and CREATE on their schema when they are made."
    ),
)
_BUSY = (
    "ledger_busy",
    "is held by another program for too long",
    "Run again; if it stays so, look for sessions that wait or are idle in a transaction.",
)
_UNKEPT = (
    "broken_text",
    "cannot keep a text or number as it is",
    "Correct it where it comes from; a database keeps no character NUL.",
)
# By the first letters of the standard's SQLSTATE; a longer one goes before a shorter.
_STATES = {
    "25006": (
        "ledger_not_writable",
        "may only be read there",
        "Give the address of the server that takes writes, not of its copy.",
    ),
    "42501": _NOT_ALLOWED,
    "42P07": (
        "not_a_ledger",
        "stands where tables of another program have the names of ours",
        "Give a schema of its own, with SqlLedger(schema=).",
    ),
    "53100": ("ledger_disk_full", "has no room to grow", "Make room on the server's disk."),
    "53300": _BUSY,
    "55P03": _BUSY,
    "57014": _BUSY,
    "57P": _UNREACHABLE,
    "08": _UNREACHABLE,
    "22": _UNKEPT,
    "28": _NOT_ALLOWED,
    "3D": _NOT_ALLOWED,
    "40": _BUSY,
    "54": (
        "text_too_long",
        "cannot keep a code or name that long",
        "Shorten it where it comes from; a key of the tables holds about 2,700 bytes.",
    ),
}
# A refusal to connect comes without a SQLSTATE, in the words of the server.
_REFUSALS = (
    "authentication failed",
    "pg_hba.conf",
    "no password supplied",
    "does not exist",
    "not permitted",
)
_UNDONE = ("40001", "40P01")
"""Two transactions were in each other's way, and the server has undone this one."""
_OTHERWISE = (
    "ledger_failed",
    "could not be used",
    "Look at the database's log and at the user's permissions.",
)


def was_undone(error: BaseException | None) -> bool:
    """Say whether the server has undone the whole transaction, so that it may be repeated."""
    return isinstance(error, DBAPIError) and _state_of(error).startswith(_UNDONE)


def was_cut_off(error: BaseException | None) -> bool:
    """Say whether the connection broke, so that nobody knows what came of the last words."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def explain(error: Exception, ledger: str, secrets: Iterable[str]) -> LedgerError:
    """Turn a complaint into a ``LedgerError`` that names the ledger and the remedy, and tells no secret."""
    if isinstance(error, UnicodeEncodeError):
        return broken_text(ledger, error)
    code, words, remedy = _meaning(error)
    said = " ".join(str(_cause(error)).split())
    for secret in secrets:
        said = said.replace(secret, "***")
    return LedgerError(f"The ledger {ledger!r} {words} ({said})", code=code, remedy=remedy)


def tells(error: Exception, secrets: Iterable[str]) -> bool:
    """Say whether a secret is in what an error says."""
    return any(secret in f"{error} {_cause(error)!r}" for secret in secrets)


def _meaning(error: Exception) -> Meaning:
    cause = _cause(error)
    if isinstance(cause, sqlite3.Error):
        return meaning_of(cause)
    if isinstance(error, TimeoutError):
        return _BUSY
    state = (_state_of(error) or _state_that_fits(error)) if isinstance(error, DBAPIError) else ""
    return next((meaning for known, meaning in _STATES.items() if state.startswith(known)), _OTHERWISE)


def _state_that_fits(error: DBAPIError) -> str:
    """Give the SQLSTATE that a complaint without one would have had."""
    if any(refusal in str(_cause(error)) for refusal in _REFUSALS):
        return "28000"
    if isinstance(error, OperationalError | InterfaceError):
        return "08000"
    return "22000" if isinstance(error, DataError) else ""


def _cause(error: Exception) -> BaseException:
    """Give what the driver raised."""
    return (error.orig if isinstance(error, DBAPIError) else None) or error


def _state_of(error: DBAPIError) -> str:
    """Give the SQLSTATE: as psycopg tells it, or psycopg2; empty where there is none."""
    cause = _cause(error)
    return getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None) or ""
