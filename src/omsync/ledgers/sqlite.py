"""The ledger that needs no server: one SQLite file.

Any SQLite tool opens it; the view ``listing_states`` is made for reading. Several processes may use one file,
and several threads one ledger.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from sqlite3 import Connection
from types import TracebackType
from typing import Any, Self

from attrs import frozen

from omsync.errors import InvalidValueError, LedgerError
from omsync.ledgers._backup import copy_to
from omsync.ledgers._faults import as_written, explained
from omsync.ledgers._file import LedgerFile
from omsync.ledgers._history import HISTORY, PRUNED_AT_ONCE, RECORD, entry_from_row, entry_row, prune
from omsync.ledgers._leases import Leases
from omsync.ledgers._liveness import as_it_stands, this_host
from omsync.ledgers._parts import add_delta, fold, left_to_tell, packed_of, sheets_of
from omsync.ledgers._rows import (
    begun,
    ended,
    merchant_name,
    only_texts,
    run_exists,
    run_from_row,
    run_row,
    snapshot_from_bytes,
    snapshot_to_bytes,
    text_or_none,
    time_text,
    unknown_run,
)
from omsync.ledgers._schema import transaction
from omsync.ledgers._sheets import sheets_of_states
from omsync.ledgers._states import AcceptedQuantities, KnownStates, accepted_quantities
from omsync.model import InventorySnapshot
from omsync.ports import HistoryEntry, Lease, ListingState, RunRecord, SourceMemory
from omsync.settings import MerchantSettings

__all__ = ["SqliteLedger"]

_INSERT_RUN = """
INSERT INTO runs VALUES (
    :run_id, :merchant, :cart, :status, :started_at, :finished_at, :last_seen_at, :counts, :message, :code,
    :pid, :host
)
"""
_FINISH_RUN = (
    _INSERT_RUN
    + """
ON CONFLICT (run_id) DO UPDATE SET
    status = excluded.status,
    finished_at = excluded.finished_at,
    last_seen_at = max(last_seen_at, excluded.last_seen_at),
    counts = excluded.counts,
    message = excluded.message,
    code = excluded.code
"""
)
_NEWEST_RUNS = """
SELECT run_id, merchant, cart, status, started_at, finished_at, last_seen_at, counts, message, code, pid, host
FROM runs WHERE merchant = ? AND cart IS ? ORDER BY started_at DESC, rowid DESC LIMIT ?
"""
_KNOWN_CARTS = """
SELECT cart FROM runs WHERE merchant = ?1 AND cart IS NOT NULL
UNION SELECT cart FROM listing_parts WHERE merchant = ?1
UNION SELECT cart FROM listing_deltas WHERE merchant = ?1
ORDER BY cart
"""
_KNOWN_MERCHANTS = "SELECT merchant FROM runs UNION SELECT merchant FROM snapshots ORDER BY merchant"
_REMEMBER = "REPLACE INTO source_memory (merchant, namespace, key, value, kept_at) VALUES (?, ?, ?, ?, ?)"


log = logging.getLogger("omsync")


def _utc_now() -> datetime:
    return datetime.now(UTC)


class SqliteLedger:
    """Keep runs, leases, listing figures, history, the last snapshot and the sources' memory in one file.

    Args:
        path: The file; made when it is not there, private to its user. ``":memory:"`` keeps nothing.
        stale_after: An unfinished run that gave no sign of life for longer has died, wherever it ran: a
            process id alone proves little, since ids are used again. On this host a run has died as soon as
            its process is gone. A run that shows itself again is in progress again.
        keep: How long runs, history and settled jobs are kept. What is older is dropped when a run ends, a
            bounded number of rows each time; the newest run of each cart stays.
        now: Tells the time for judging that, and for leases, aware.

    Raises:
        LedgerError: The file cannot be used, here and in every method; names the file and the remedy.
            ``code="newer_ledger"``: a newer omsync wrote it.

    Threads may share a ledger. Close it, or use it as a context manager; a forked process makes its own.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        stale_after: timedelta = timedelta(minutes=15),
        keep: timedelta = timedelta(days=400),
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        if stale_after <= timedelta():
            raise InvalidValueError(f"SqliteLedger(stale_after=) must be above 0, not {stale_after}")
        if keep <= timedelta():
            raise InvalidValueError(f"SqliteLedger(keep=) must be above 0, not {keep}")
        self._stale_after = stale_after
        self._keep = keep
        self._now = now
        self._file = LedgerFile(path)
        self._leases = Leases(file=self._file, now=now)
        self._added = 0
        self._left: dict[tuple[str, str], int] = {}

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SqliteLedger({self._file.path!r})"

    def begin_run(self, run: RunRecord, /) -> None:
        """Note that a run has begun in this process: it is in progress, whatever status the record has.

        Raises:
            InvalidValueError: The run has no id.
            LedgerError: ``code="run_exists"``: there is a run of that id.
        """
        run = begun(run, self._now())
        with self._file.writing() as connection:
            if connection.execute("SELECT 1 FROM runs WHERE run_id = ?", (run.run_id,)).fetchone():
                raise run_exists(run.run_id, self._file.path)
            connection.execute(_INSERT_RUN, {**run_row(run), "pid": os.getpid(), "host": this_host()})

    def touch_run(self, run_id: str, now: datetime, /) -> None:
        """Note a sign of life of a run.

        Raises:
            LedgerError: ``code="unknown_run"``: no run of that id has begun.
        """
        with self._file.writing() as connection:
            touched = connection.execute(
                "UPDATE runs SET last_seen_at = max(last_seen_at, ?) WHERE run_id = ?",
                (time_text(now), run_id),
            )
            if not touched.rowcount:
                raise unknown_run(run_id, self._file.path)

    def finish_run(self, run: RunRecord, /) -> None:
        """Note how a run ended; a run that was never begun here is noted whole.

        Raises:
            InvalidValueError: The run has no id, or its status is not one of a run that has ended.
        """
        run = ended(run, self._now())
        with self._file.writing() as connection:
            connection.execute(_FINISH_RUN, {**run_row(run), "pid": os.getpid(), "host": this_host()})
            # More than a run adds, so that the file does not grow for ever; not all, so that no run waits.
            prune(connection, before=self._now() - self._keep, most=PRUNED_AT_ONCE + 2 * self._added)
            self._added = 0
        if run.cart is not None:
            self._fold(run.merchant, run.cart)

    def _fold(self, merchant: str, cart: str) -> None:
        """Fold what a run added; apart, so that nothing about it keeps a run from having ended."""
        try:
            with self._file.writing() as connection, as_written(self._file.path):
                fold(connection, merchant, cart)
        except LedgerError as error:
            if error.code != "ledger_busy":
                raise
            # Nothing is lost: what is not folded is read as it was written, and the next run folds it.
            log.info("The ledger %r was busy, and is folded by the next run", self._file.path)

    def runs(self, merchant: MerchantSettings | str, cart: str | None = None, /) -> tuple[RunRecord, ...]:
        """Give the runs of a cart, or with ``cart=None`` the reads of the merchant; newest first."""
        return self._newest(merchant_name(merchant), cart, limit=-1)

    def status(self, merchant: MerchantSettings | str, cart: str | None = None, /) -> RunRecord:
        """Give the newest run of a cart, or of the merchant's reads; status ``"never"`` when there is none.

        Source: the founding document, "WMS Interface status".
        """
        newest = self._newest(merchant_name(merchant), cart, limit=1)
        return newest[0] if newest else RunRecord(merchant=merchant_name(merchant), cart=cart, status="never")

    def statuses(self, merchant: MerchantSettings | str, /) -> tuple[RunRecord, ...]:
        """Give the status of the order manager's reads, then of every cart known here, by name."""
        with self._file.reading() as connection:
            carts = [cart for (cart,) in connection.execute(_KNOWN_CARTS, (merchant_name(merchant),))]
        return tuple(self.status(merchant, cart) for cart in (None, *carts))

    def merchants(self) -> tuple[str, ...]:
        """Give the name of every merchant that has a run or a reading here, sorted."""
        with self._file.reading() as connection:
            return tuple(name for (name,) in connection.execute(_KNOWN_MERCHANTS))

    def save_snapshot(self, merchant: str, snapshot: InventorySnapshot, /) -> None:
        """Keep the last complete snapshot in place of an older one, durably and as a whole.

        Where two reads overlapped, the one that began later stays, whichever ends first.
        """
        content = snapshot_to_bytes(snapshot)
        times = time_text(snapshot.taken_at), time_text(self._now())
        with self._file.writing() as connection:
            connection.execute(
                "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (merchant) DO UPDATE SET "
                "taken_at = excluded.taken_at, saved_at = excluded.saved_at, products = excluded.products, "
                "stock_records = excluded.stock_records, content = excluded.content "
                "WHERE excluded.taken_at >= snapshots.taken_at",
                (merchant, *times, len(snapshot.skus), len(snapshot.levels), content),
            )

    def last_snapshot(self, merchant: MerchantSettings | str, /) -> InventorySnapshot | None:
        """Give the last complete snapshot, or None when there is none.

        Raises:
            LedgerError: ``code="snapshot_unreadable"``: it is damaged, or of another version of omsync.
        """
        name = merchant_name(merchant)
        with self._file.reading() as connection:
            row = connection.execute("SELECT content FROM snapshots WHERE merchant = ?", (name,)).fetchone()
        if row is None:
            return None
        return snapshot_from_bytes(row[0], merchant=name, ledger=self._file.path, table="snapshots")

    def record_states(self, merchant: str, cart: str, states: Iterable[ListingState], /) -> None:
        """Merge figures into what is known of listings, all of them or none.

        A figure that is None leaves figure, time and run as they are; one that is given replaces all three.
        """
        with explained(self._file.path):
            sheets = list(sheets_of_states(states))
        with self._file.writing() as connection:
            for sheet in sheets:
                add_delta(connection, merchant, cart, sheet)
            self._fold_if_outweighed(connection, merchant, cart, sum(sheet.size for sheet in sheets))

    def states(self, merchant: str, cart: str, /) -> Sequence[ListingState]:
        """Give what is known of every listing of a cart as of now, by listing and location.

        It is kept in columns; a state is made when it is looked at, anew each time.

        Raises:
            LedgerError: ``code="states_unreadable"``: somebody edited the tables. It may come when a state
                is looked at.
        """
        path = self._file.path
        with self._file.reading() as connection, transaction(connection, "BEGIN"), as_written(path):
            return KnownStates(sheets_of(connection, merchant, cart), ledger=path)

    def accepted(self, merchant: str, cart: str, /) -> AcceptedQuantities:
        """Give what a cart last accepted of every listing as of now, as columns.

        Raises:
            LedgerError: ``code="states_unreadable"``: somebody edited the tables.
        """
        path = self._file.path
        with self._file.reading() as connection, transaction(connection, "BEGIN"), as_written(path):
            return accepted_quantities(packed_of(connection, merchant, cart), ledger=path)

    def memory(self, merchant: str, /) -> SourceMemory:
        """Give the place where a source keeps what must survive a crash."""
        return _Memory(file=self._file, merchant=merchant, now=self._now)

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
        rows = [entry_row(merchant, cart, entry) for entry in entries]
        with self._file.writing() as connection:
            connection.executemany(RECORD, rows)
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
        with self._file.reading() as connection:
            question = (merchant, cart, listing_sku, text_or_none(since))
            rows = connection.execute(HISTORY, question).fetchall()
        return tuple(map(entry_from_row, rows))

    def backup(self, path: str | os.PathLike[str], /) -> None:
        """Copy the ledger as of one moment into a file of its own, while runs go on.

        Args:
            path: The copy, private to its user; a copy that stands there is replaced in one step.

        Raises:
            InvalidValueError: The path is the ledger's own.
            LedgerError: ``code="backup_failed"``: it cannot be written. ``code="not_a_ledger"``: something
                else stands there, and is left alone.
        """
        with self._file.beside() as connection:
            copy_to(connection, self._file.path, os.fspath(path))

    def _fold_if_outweighed(self, connection: Connection, merchant: str, cart: str, told: int) -> None:
        # Looked up once, then counted here, so that a batch need not ask what all the others weigh.
        left = self._left.get((merchant, cart), told) - told
        if left <= 0:
            left = left_to_tell(connection, merchant, cart)
            if left <= 0:
                with as_written(self._file.path):
                    fold(connection, merchant, cart)
                left = left_to_tell(connection, merchant, cart)
        self._left[merchant, cart] = left

    def _newest(self, merchant: str, cart: str | None, *, limit: int) -> tuple[RunRecord, ...]:
        with self._file.reading() as connection:
            rows = connection.execute(_NEWEST_RUNS, (merchant, cart, limit)).fetchall()
        return tuple(self._as_it_stands(row) for row in rows)

    def _as_it_stands(self, row: Sequence[Any]) -> RunRecord:
        *stored, pid, host = row
        run = run_from_row(stored)
        is_silent = run.last_seen_at is not None and self._now() - run.last_seen_at > self._stale_after
        return as_it_stands(run, pid=pid, host=host, is_silent=is_silent)


@frozen(kw_only=True)
class _Memory:
    """One merchant's memory, as a source uses it."""

    file: LedgerFile
    merchant: str
    now: Callable[[], datetime]

    def recall(self, namespace: str) -> Mapping[str, str]:
        """Give everything kept in the namespace, in the order of its keys."""
        with self.file.reading() as connection:
            rows = connection.execute(
                "SELECT key, value FROM source_memory WHERE merchant = ? AND namespace = ? ORDER BY key",
                (self.merchant, namespace),
            )
            return dict(rows)

    def remember(self, namespace: str, entries: Mapping[str, str]) -> None:
        """Keep the entries, durably, before returning; a key that is there takes the new value."""
        kept_at = time_text(self.now())
        rows = [(self.merchant, namespace, key, value, kept_at) for key, value in only_texts(entries)]
        with self.file.writing() as connection:
            connection.executemany(_REMEMBER, rows)

    def forget(self, namespace: str) -> None:
        """Drop the whole namespace."""
        with self.file.writing() as connection:
            connection.execute(
                "DELETE FROM source_memory WHERE merchant = ? AND namespace = ?", (self.merchant, namespace)
            )
