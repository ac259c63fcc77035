"""The ledger's file in use: threads take turns, a write is whole or not at all, complaints are explained."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from omsync.errors import InvalidValueError, LedgerError
from omsync.ledgers._faults import explained
from omsync.ledgers._schema import BUSY_SECONDS, open_database, transaction

__all__ = ["LedgerFile"]


class LedgerFile:
    """One connection to one file, for the threads of one process.

    Args:
        path: The file, or ``":memory:"``.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        if not self.path:
            raise InvalidValueError("The ledger's path is empty", remedy="Use ':memory:' to keep nothing.")
        self._lock = threading.RLock()
        self._process = os.getpid()
        with explained(self.path):
            self._connection = open_database(self.path)
        self._close = weakref.finalize(self, self._connection.close)

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        with self._lock:
            self._close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection to one thread."""
        if os.getpid() != self._process:
            raise LedgerError(
                f"The ledger {self.path!r} was opened before this process was forked",
                code="ledger_forked",
                remedy="Make a SqliteLedger in each process; they may share the file.",
            )
        with self._lock, explained(self.path):
            if not self._close.alive:
                raise LedgerError(
                    f"The ledger {self.path!r} was closed",
                    code="ledger_closed",
                    remedy="Make a new SqliteLedger, or close this one later.",
                )
            yield self._connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Lend the connection to one thread, for changes that are kept all together or not at all."""
        with self.reading() as connection, transaction(connection):
            yield connection

    @contextmanager
    def beside(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection of its own for long reading, so that the other threads need not wait."""
        with self.reading() as connection:
            if self.path == ":memory:":
                yield connection
                return
        with explained(self.path):
            # Not a plain path: a file that was taken away meanwhile would be made anew, and be empty.
            address = f"{Path(self.path).absolute().as_uri()}?mode=rw"
            connection = sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)
            try:
                yield connection
            finally:
                connection.close()
