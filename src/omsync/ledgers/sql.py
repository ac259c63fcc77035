"""The ledger for workers on several machines: tables in a PostgreSQL, through SQLAlchemy (extra ``sql``).

It behaves like ``SqliteLedger``. Where that goes by this machine's clock, this one goes by the database's.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from attrs import frozen

try:
    from sqlalchemy import URL, Connection, Engine, delete, select
except ImportError as error:
    raise ImportError(
        "omsync.ledgers.sql needs the library SQLAlchemy: install omsync[sql], and a driver such as "
        "psycopg[binary]"
    ) from error

from omsync.errors import InvalidValueError
from omsync.ledgers._history import PRUNED_AT_ONCE, entry_from_row, entry_row
from omsync.ledgers._rows import (
    STATE_COLUMNS,
    merchant_name,
    only_texts,
    snapshot_from_bytes,
    snapshot_to_bytes,
    state_from_row,
    state_row,
    time_text,
)
from omsync.ledgers._sql_database import Database
from omsync.ledgers._sql_leases import SqlLeases
from omsync.ledgers._sql_runs import SqlRuns
from omsync.ledgers._sql_schema import prepare
from omsync.ledgers._sql_tables import Tables, merging_states, tables_in, upsert
from omsync.model import InventorySnapshot
from omsync.ports import HistoryEntry, Lease, ListingState, RunRecord, SourceMemory
from omsync.secrets import Secret
from omsync.settings import MerchantSettings

__all__ = ["SqlLedger"]


class SqlLedger:
    """Keep runs, leases, listing figures, history, the last snapshot and the sources' memory in a database.

    Args:
        place: The database's address, such as ``"postgresql+psycopg://user:password@host/database"``, or an
            ``Engine`` of SQLAlchemy's, which stays yours to close. PostgreSQL; SQLite for trying things out.
            The tables ``omsync_*`` are made when they are not there.
        stale_after: An unfinished run that gave no sign of life for longer, by the database's clock, has
            died. On this host a run has died as soon as its process is gone.
        keep: How long runs, history and settled jobs are kept. What is older is dropped when a run ends, a
            bounded number of rows each time; the newest run of each cart stays.
        schema: The schema of the tables; made when it is not there. None: the user's own.

    Raises:
        InvalidValueError: The address cannot be understood. Its password is shown nowhere.
        LedgerError: The database cannot be used, here and in every method; names it and the remedy.
            ``code="newer_ledger"``: a newer omsync made the tables.

    Each method is one transaction. Threads and machines may share the database; a forked process makes a
    ledger of its own.
    """

    def __init__(
        self,
        place: str | Secret | URL | Engine,
        *,
        stale_after: timedelta = timedelta(minutes=15),
        keep: timedelta = timedelta(days=400),
        schema: str | None = None,
    ) -> None:
        if stale_after <= timedelta():
            raise InvalidValueError(f"SqlLedger(stale_after=) must be above 0, not {stale_after}")
        if keep <= timedelta():
            raise InvalidValueError(f"SqlLedger(keep=) must be above 0, not {keep}")
        self._database = Database(place)
        if schema is not None and (not schema or self._database.dialect != "postgresql"):
            raise InvalidValueError("SqlLedger(schema=) is the name of a schema, and PostgreSQL's only")
        self._schema = schema
        self._keep = keep
        self._tables = tables_in(schema)
        try:
            prepare(self._database, self._tables)
        except BaseException:
            self._database.close()
            raise
        self._runs = SqlRuns(database=self._database, tables=self._tables, stale_after=stale_after)
        self._leases = SqlLeases(database=self._database, tables=self._tables)
        self._merging_states = merging_states(self._database.dialect, self._tables.states)
        self._added = 0
        self._counting = threading.Lock()

    def close(self) -> None:
        """Close the connections, unless the engine was given; closing twice is harmless."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        schema = "" if self._schema is None else f", schema={self._schema!r}"
        return f"SqlLedger({self._database.name!r}{schema})"

    def begin_run(self, run: RunRecord, /) -> None:
        """Note that a run has begun in this process: it is in progress, whatever status the record has.

        Raises:
            InvalidValueError: The run has no id.
            LedgerError: ``code="run_exists"``: there is a run of that id.
        """
        self._runs.begin(run)

    def touch_run(self, run_id: str, now: datetime, /) -> None:
        """Note a sign of life of a run.

        Raises:
            LedgerError: ``code="unknown_run"``: no run of that id has begun.
        """
        self._runs.touch(run_id, now)

    def finish_run(self, run: RunRecord, /) -> None:
        """Note how a run ended; a run that was never begun here is noted whole.

        Raises:
            InvalidValueError: The run has no id, or its status is not one of a run that has ended.
        """
        with self._counting:
            added, self._added = self._added, 0
        # More than a run adds, so that the tables do not grow for ever; not all, so that no run waits.
        self._runs.finish(run, keep=self._keep, most=PRUNED_AT_ONCE + 2 * added)

    def runs(self, merchant: MerchantSettings | str, cart: str | None = None, /) -> tuple[RunRecord, ...]:
        """Give the runs of a cart, or with ``cart=None`` the reads of the merchant; newest first."""
        return self._runs.newest(merchant_name(merchant), cart, None)

    def status(self, merchant: MerchantSettings | str, cart: str | None = None, /) -> RunRecord:
        """Give the newest run of a cart, or of the merchant's reads; status ``"never"`` when there is none.

        Source: the founding document, "WMS Interface status".
        """
        name = merchant_name(merchant)
        newest = self._runs.newest(name, cart, 1)
        return newest[0] if newest else RunRecord(merchant=name, cart=cart, status="never")

    def statuses(self, merchant: MerchantSettings | str, /) -> tuple[RunRecord, ...]:
        """Give the status of the order manager's reads, then of every cart known here, by name."""
        carts = self._runs.carts(merchant_name(merchant))
        return tuple(self.status(merchant, cart) for cart in (None, *carts))

    def merchants(self) -> tuple[str, ...]:
        """Give the name of every merchant that has a run or a reading here, sorted."""
        return self._runs.merchants()

    def save_snapshot(self, merchant: str, snapshot: InventorySnapshot, /) -> None:
        """Keep the last complete snapshot in place of an older one, durably and as a whole.

        Where two reads overlapped, the one that began later stays, whichever ends first.
        """
        table = self._tables.snapshots
        row = {
            "merchant": merchant,
            "taken_at": time_text(snapshot.taken_at),
            "products": len(snapshot.skus),
            "stock_records": len(snapshot.levels),
            "content": snapshot_to_bytes(snapshot),
        }

        def change(connection: Connection) -> None:
            now = time_text(self._database.now(connection))
            insert = upsert(self._database.dialect, table).values(**row, saved_at=now)
            new = insert.excluded
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=[table.c.merchant],
                    set_={name: new[name] for name in (*row, "saved_at")},
                    where=new.taken_at >= table.c.taken_at,
                )
            )

        self._database.writing(change)

    def last_snapshot(self, merchant: MerchantSettings | str, /) -> InventorySnapshot | None:
        """Give the last complete snapshot, or None when there is none.

        Raises:
            LedgerError: ``code="snapshot_unreadable"``: it is damaged, or of another version of omsync.
        """
        table, name = self._tables.snapshots, merchant_name(merchant)
        question = select(table.c.content).where(table.c.merchant == name)
        content = self._database.reading(lambda connection: connection.scalar(question))
        if content is None:
            return None
        place = {"ledger": self._database.name, "table": table.fullname}
        return snapshot_from_bytes(content, merchant=name, **place)

    def record_states(self, merchant: str, cart: str, states: Iterable[ListingState], /) -> None:
        """Merge figures into what is known of listings, all of them or none.

        A figure that is None leaves figure, time and run as they are; one that is given replaces all three.
        """
        names = ("merchant", "cart", *STATE_COLUMNS)
        rows = [dict(zip(names, state_row(merchant, cart, state), strict=True)) for state in states]
        # In one order, so that two writers of the same listings wait for each other and never both.
        rows.sort(key=lambda row: (row["listing_sku"], row["location_id"]))
        if rows:
            self._database.writing(lambda connection: connection.execute(self._merging_states, rows))

    def states(self, merchant: str, cart: str, /) -> tuple[ListingState, ...]:
        """Give what is known of every listing of a cart, by listing and location."""
        table = self._tables.states
        question = (
            select(*(table.c[name] for name in STATE_COLUMNS))
            .where(table.c.merchant == merchant, table.c.cart == cart)
            .order_by(table.c.listing_sku, table.c.location_id)
        )
        rows = self._database.reading(lambda connection: connection.execute(question).all())
        return tuple(state_from_row((sku, place or None, *rest)) for sku, place, *rest in rows)

    def memory(self, merchant: str, /) -> SourceMemory:
        """Give the place where a source keeps what must survive a crash."""
        return _Memory(database=self._database, tables=self._tables, merchant=merchant)

    def take_lease(self, merchant: str, cart: str | None, lease: Lease, /) -> Lease:
        """Take the lease of a cart, or of reading, if nobody else holds it; give the one that stands now.

        A lease whose holder's process on this host is gone may be taken over at once.
        """
        return self._leases.take(merchant, cart, lease)

    def renew_lease(self, merchant: str, cart: str | None, lease: Lease, /) -> Lease | None:
        """Put off the end of a lease that is still this run's; give the one that stands now, or None."""
        return self._leases.renew(merchant, cart, lease)

    def release_lease(self, merchant: str, cart: str | None, lease: Lease, /) -> None:
        """Free the lease if it is this run's."""
        self._leases.release(merchant, cart, lease)

    def record_history(self, merchant: str, cart: str, entries: Iterable[HistoryEntry], /) -> None:
        """Keep what was sent, all of it or nothing; an entry of the same run and listing is replaced."""
        table = self._tables.history
        names = [column.name for column in table.columns if column.name != "number"]
        rows = [dict(zip(names, entry_row(merchant, cart, entry), strict=True)) for entry in entries]
        rows.sort(key=lambda row: (row["listing_sku"], row["location_id"]))
        key, replaced = names[:5], names[5:]
        insert = upsert(self._database.dialect, table)
        record = insert.on_conflict_do_update(
            index_elements=key, set_={name: insert.excluded[name] for name in replaced}
        )
        if rows:
            self._database.writing(lambda connection: connection.execute(record, rows))
        with self._counting:
            self._added += len(rows)

    def history(
        self,
        merchant: str,
        cart: str,
        listing_sku: str | None = None,
        since: datetime | None = None,
        /,
    ) -> tuple[HistoryEntry, ...]:
        """Give what was sent to a cart, the oldest first; of one listing, and from a moment on, if named."""
        table = self._tables.history
        columns = [column for column in table.columns if column.name not in {"number", "merchant", "cart"}]
        question = select(*columns).where(table.c.merchant == merchant, table.c.cart == cart)
        if listing_sku is not None:
            question = question.where(table.c.listing_sku == listing_sku)
        if since is not None:
            question = question.where(table.c.sent_at >= time_text(since))
        question = question.order_by(table.c.sent_at, table.c.number)
        rows = self._database.reading(lambda connection: connection.execute(question).all())
        return tuple(entry_from_row((sku, place or None, *rest)) for sku, place, *rest in rows)


@frozen(kw_only=True)
class _Memory:
    """One merchant's memory, as a source uses it."""

    database: Database
    tables: Tables
    merchant: str

    def recall(self, namespace: str) -> Mapping[str, str]:
        """Give everything kept in the namespace, in the order of its keys."""
        table = self.tables.memory
        question = (
            select(table.c.key, table.c.value)
            .where(table.c.merchant == self.merchant, table.c.namespace == namespace)
            .order_by(table.c.key)
        )
        rows = self.database.reading(lambda connection: connection.execute(question).all())
        return {key: value for key, value in rows}  # noqa: C416  rows are tuples only in name

    def remember(self, namespace: str, entries: Mapping[str, str]) -> None:
        """Keep the entries, durably, before returning; a key that is there takes the new value."""
        kept = sorted(only_texts(entries))
        if not kept:
            return
        insert = upsert(self.database.dialect, self.tables.memory)
        remember = insert.on_conflict_do_update(
            index_elements=["merchant", "namespace", "key"],
            set_={name: insert.excluded[name] for name in ("value", "kept_at")},
        )

        def change(connection: Connection) -> None:
            now = time_text(self.database.now(connection))
            place = {"merchant": self.merchant, "namespace": namespace, "kept_at": now}
            connection.execute(remember, [{**place, "key": key, "value": value} for key, value in kept])

        self.database.writing(change)

    def forget(self, namespace: str) -> None:
        """Drop the whole namespace."""
        table = self.tables.memory
        drop = delete(table).where(table.c.merchant == self.merchant, table.c.namespace == namespace)
        self.database.writing(lambda connection: connection.execute(drop))
