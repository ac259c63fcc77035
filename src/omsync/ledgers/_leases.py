"""Leases in the ledger's file: each method is one transaction, so no other process can come between."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from datetime import datetime

from attrs import frozen

from omsync.exchange import Lease
from omsync.ledgers._file import LedgerFile
from omsync.ledgers._liveness import process_is_gone, this_host
from omsync.ledgers._rows import time_text

__all__ = ["Leases"]

_STANDING = "SELECT run_id, holder, since, until, pid, host FROM leases WHERE merchant = ? AND cart = ?"


@frozen(kw_only=True)
class Leases:
    """Who works on which cart, by the ledger's own clock.

    Args:
        file: The ledger's file.
        now: Tells the time.
    """

    file: LedgerFile
    now: Callable[[], datetime]

    def take(self, merchant: str, cart: str | None, lease: Lease) -> Lease:
        """Take the lease if it is free, has run out, is this run's own, or its holder's process is gone."""
        with self.file.writing() as connection:
            standing, is_gone = self._standing(connection, merchant, cart)
            now = self.now()
            if standing is not None and standing.run_id != lease.run_id:
                if not is_gone and now < standing.until:
                    return standing
                standing = None
            since = now if standing is None else standing.since
            return self._keep(connection, merchant, cart, lease, since=since, now=now)

    def renew(self, merchant: str, cart: str | None, lease: Lease) -> Lease | None:
        """Put off the end of the lease if it is still this run's; give the one that stands."""
        with self.file.writing() as connection:
            standing, _ = self._standing(connection, merchant, cart)
            if standing is None or standing.run_id != lease.run_id:
                return standing
            return self._keep(connection, merchant, cart, lease, since=standing.since, now=self.now())

    def release(self, merchant: str, cart: str | None, lease: Lease) -> None:
        """Free the lease if it is this run's."""
        with self.file.writing() as connection:
            connection.execute(
                "DELETE FROM leases WHERE merchant = ? AND cart = ? AND run_id = ?",
                (merchant, cart or "", lease.run_id),
            )

    @staticmethod
    def _standing(
        connection: sqlite3.Connection, merchant: str, cart: str | None
    ) -> tuple[Lease | None, bool]:
        """Give the lease that stands, and whether its holder's process is surely gone."""
        row = connection.execute(_STANDING, (merchant, cart or "")).fetchone()
        if row is None:
            return None, False
        run_id, holder, since, until, pid, host = row
        times = {"since": datetime.fromisoformat(since), "until": datetime.fromisoformat(until)}
        is_gone = host == this_host() and process_is_gone(pid)
        return Lease(run_id=run_id, holder=holder, **times), is_gone

    @staticmethod
    def _keep(
        connection: sqlite3.Connection,
        merchant: str,
        cart: str | None,
        lease: Lease,
        *,
        since: datetime,
        now: datetime,
    ) -> Lease:
        # A clock that was put back must not make the lease end before it began.
        until = max(now, since) + lease.span
        kept = Lease(run_id=lease.run_id, holder=lease.holder, since=since, until=until)
        connection.execute(
            "REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(merchant, cart or "", kept.run_id, kept.holder),
                *(time_text(kept.since), time_text(kept.until), os.getpid(), this_host()),
            ),
        )
        return kept
