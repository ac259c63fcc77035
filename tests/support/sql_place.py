"""A database that a ledger is tried in: opened again, looked into past the ledger, and its time let pass."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, create_engine, select, update
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

from omsync.ledgers._sql_tables import Tables, tables_in
from omsync.ledgers.sql import SqlLedger
from omsync.testing import LedgerBench

__all__ = ["SqlPlace"]

_OPENING = """
from datetime import UTC, datetime, timedelta
import os, sys
from omsync import Lease, ListingState, RunRecord
from omsync.errors import LedgerError
from omsync.ledgers.sql import SqlLedger
ledger = SqlLedger({url!r}, schema={schema!r})
"""


@frozen(kw_only=True)
class SqlPlace:
    """Where one ledger's tables are.

    Args:
        url: The database's address.
        schema: The tables' schema.
    """

    url: str
    schema: str | None = None

    @property
    def tables(self) -> Tables:
        return tables_in(self.schema)

    def open(self, place: str | Engine | None = None, **more: Any) -> SqlLedger:
        """Open the ledger, or by another way to the same database."""
        return SqlLedger(self.url if place is None else place, schema=self.schema, **more)

    def engine(self) -> Engine:
        """Make an engine that keeps no connection."""
        return create_engine(self.url, poolclass=NullPool)

    @contextmanager
    def beside(self) -> Iterator[Connection]:
        """Look into the database past the ledger, or change something there."""
        with self.engine().begin() as connection:
            yield connection

    def let_pass(self, **span: float) -> None:
        """Let time pass: move back all that the ledger has written by the database's clock."""
        tables, by = self.tables, timedelta(**span)
        clocked = {
            tables.runs: ("alive_at",),
            tables.leases: ("since", "until"),
            tables.memory: ("kept_at",),
        }
        with self.beside() as connection:
            for table, names in clocked.items():
                keys = list(table.primary_key)
                for row in connection.execute(select(table)).mappings().all():
                    moved = {name: _earlier(row[name], by) for name in names if row[name]}
                    if moved:
                        mine = [key == row[key.name] for key in keys]
                        connection.execute(update(table).where(*mine).values(moved))

    @property
    def program(self) -> str:
        """Python that opens the ledger, for another process."""
        return _OPENING.format(url=self.url, schema=self.schema)

    def start(self, body: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a script that has the ledger open."""
        return subprocess.Popen(
            [sys.executable, "-c", self.program + body, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def elsewhere(self, body: str) -> str:
        """Run a script that has the ledger open, and give what it printed."""
        process = self.start(body)
        printed, _ = process.communicate(timeout=60)
        assert process.returncode == 0, printed
        return printed

    def bench(self) -> LedgerBench:
        """Put the ledger on the bench of the kit."""

        def wait(seconds: float) -> None:
            self.let_pass(seconds=seconds)

        return LedgerBench(open=self.open, close=SqlLedger.close, program=self.program, wait=wait)


def _earlier(text: str, by: timedelta) -> str:
    return (datetime.fromisoformat(text) - by).isoformat(timespec="microseconds")
