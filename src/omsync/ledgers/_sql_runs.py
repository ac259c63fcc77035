"""Runs in a database, and what of it is old enough to be dropped."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen
from sqlalchemy import Connection, Row, case, delete, exists, select, union, update

from omsync.exchange import RunRecord
from omsync.ledgers._liveness import as_it_stands, this_host
from omsync.ledgers._rows import begun, ended, run_exists, run_from_row, run_row, time_text, unknown_run
from omsync.ledgers._sql_database import Database
from omsync.ledgers._sql_tables import Tables, upsert

__all__ = ["SqlRuns"]

_STORED = (
    *("run_id", "merchant", "cart", "status", "started_at", "finished_at", "last_seen_at", "counts"),
    *("message", "code"),
)


@frozen(kw_only=True)
class SqlRuns:
    """Every run; signs of life go by the database's clock, since the machines' clocks may differ."""

    database: Database
    tables: Tables
    stale_after: timedelta

    def begin(self, run: RunRecord) -> None:
        """Note that a run has begun in this process."""

        def change(connection: Connection) -> bool:
            now = self.database.now(connection)
            row = self._row(begun(run, now), now)
            insert = upsert(self.database.dialect, self.tables.runs).values(row)
            added = connection.execute(insert.on_conflict_do_nothing().returning(insert.table.c.run_id))
            return added.first() is not None

        # Not repeatable: a second time the id would be taken, by itself.
        if not self.database.writing(change, repeatable=False):
            raise run_exists(run.run_id, self.database.name)

    def touch(self, run_id: str, seen_at: datetime) -> None:
        """Note a sign of life of a run."""
        table, text = self.tables.runs, time_text(seen_at)

        def change(connection: Connection) -> bool:
            touched = connection.execute(
                update(table)
                .where(table.c.run_id == run_id)
                .values(
                    last_seen_at=_later(table.c.last_seen_at, text),
                    alive_at=time_text(self.database.now(connection)),
                )
            )
            return touched.rowcount > 0

        if not self.database.writing(change):
            raise unknown_run(run_id, self.database.name)

    def finish(self, run: RunRecord, *, keep: timedelta, most: int) -> None:
        """Note how a run ended, and drop what is older than is kept; of each kind at most so many rows."""
        table = self.tables.runs

        def change(connection: Connection) -> None:
            now = self.database.now(connection)
            insert = upsert(self.database.dialect, table).values(self._row(ended(run, now), now))
            new = insert.excluded
            told = {name: new[name] for name in ("status", "finished_at", "counts", "message", "code")}
            seen = _later(table.c.last_seen_at, new.last_seen_at)
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=[table.c.run_id], set_={**told, "last_seen_at": seen}
                )
            )
            self._prune(connection, time_text(now - keep), most)

        self.database.writing(change)

    def newest(self, merchant: str, cart: str | None, limit: int | None) -> tuple[RunRecord, ...]:
        """Give runs, the newest first, each as it stands now."""
        table = self.tables.runs
        columns = (*_STORED, "pid", "host", "alive_at")
        question = (
            select(*(table.c[name] for name in columns))
            .where(table.c.merchant == merchant, table.c.cart == cart)
            .order_by(table.c.started_at.desc(), table.c.number.desc())
            .limit(limit)
        )

        def ask(connection: Connection) -> tuple[Sequence[Row[Any]], datetime]:
            return connection.execute(question).all(), self.database.now(connection)

        rows, now = self.database.reading(ask)
        return tuple(self._run(row, now) for row in rows)

    def carts(self, merchant: str) -> list[str]:
        """Give the carts that a merchant's runs or figures are known of, by name."""
        runs, states = self.tables.runs.c, self.tables.states.c
        question = union(
            select(runs.cart).where(runs.merchant == merchant, runs.cart.is_not(None)),
            select(states.cart).where(states.merchant == merchant),
        )
        return sorted(self.database.reading(lambda connection: connection.scalars(question).all()))

    def merchants(self) -> tuple[str, ...]:
        """Give the merchants that runs or a reading are known of, by name."""
        question = union(select(self.tables.runs.c.merchant), select(self.tables.snapshots.c.merchant))
        return tuple(sorted(self.database.reading(lambda connection: connection.scalars(question).all())))

    def _run(self, row: Sequence[Any], now: datetime) -> RunRecord:
        *stored, pid, host, alive_at = row
        is_silent = now - datetime.fromisoformat(alive_at) > self.stale_after
        return as_it_stands(run_from_row(stored), pid=pid, host=host, is_silent=is_silent)

    @staticmethod
    def _row(run: RunRecord, now: datetime) -> dict[str, Any]:
        return {**run_row(run), "pid": os.getpid(), "host": this_host(), "alive_at": time_text(now)}

    def _prune(self, connection: Connection, before: str, most: int) -> None:
        runs, history, memory = self.tables.runs, self.tables.history, self.tables.memory
        old, newer = runs.alias("old"), runs.alias("newer")
        # The newest run of each cart stays, or a cart that was left alone for long would count as never run.
        is_followed = exists().where(
            newer.c.merchant == old.c.merchant,
            newer.c.cart.is_not_distinct_from(old.c.cart),
            newer.c.started_at > old.c.started_at,
        )
        # An empty text stands for a job that is settled: it could be replaced there, not taken out.
        is_settled = memory.c.value == ""
        for table, of, age, where in (
            (runs, old, old.c.started_at, is_followed),
            (history, history, history.c.sent_at, history.c.sent_at.is_not(None)),
            (memory, memory, memory.c.kept_at, is_settled),
        ):
            oldest = select(of.c.number).where(age < before, where).order_by(age).limit(most)
            # Rows that another run is about to drop or to change are left to it.
            oldest = oldest.with_for_update(of=of, skip_locked=True)
            connection.execute(delete(table).where(table.c.number.in_(oldest)))


def _later(old: Any, new: Any) -> Any:
    """Give the later of two times; databases name the greater of two values differently."""
    return case((old < new, new), else_=old)
