"""Leases in the ledger's file: each method is one transaction, so no other process can come between."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from omsync.exchange import Lease
from omsync.ledgers._file import LedgerFile
from omsync.ledgers._liveness import process_is_gone, this_host
from omsync.ledgers._rows import time_text

__all__ = ["Leases", "kept", "lease_from_row", "lease_row", "taken"]

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
            stands = taken(standing, lease, now=self.now(), is_gone=is_gone)
            if stands is not standing:
                self._keep(connection, merchant, cart, stands)
            return stands

    def renew(self, merchant: str, cart: str | None, lease: Lease) -> Lease | None:
        """Put off the end of the lease if it is still this run's; give the one that stands."""
        with self.file.writing() as connection:
            standing, _ = self._standing(connection, merchant, cart)
            if standing is None or standing.run_id != lease.run_id:
                return standing
            renewed = kept(lease, since=standing.since, now=self.now())
            self._keep(connection, merchant, cart, renewed)
            return renewed

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
        return (None, False) if row is None else lease_from_row(row)

    @staticmethod
    def _keep(connection: sqlite3.Connection, merchant: str, cart: str | None, lease: Lease) -> None:
        connection.execute(
            "REPLACE INTO leases VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (merchant, cart or "", *lease_row(lease)),
        )


def taken(standing: Lease | None, lease: Lease, *, now: datetime, is_gone: bool) -> Lease:
    """Give the lease that stands after a run asked for it; the very one that stood if it may not have it.

    Args:
        standing: The lease that stood; None where it was free.
        lease: What is asked for.
        now: The ledger's time.
        is_gone: Whether the holder's process is surely gone.
    """
    if standing is None:
        return kept(lease, since=now, now=now)
    if standing.run_id == lease.run_id:
        return kept(lease, since=standing.since, now=now)
    return kept(lease, since=now, now=now) if is_gone or now >= standing.until else standing


def kept(lease: Lease, *, since: datetime, now: datetime) -> Lease:
    """Give a lease with the ledger's own times."""
    # A clock that was put back must not make the lease end before it began.
    until = max(now, since) + lease.span
    return Lease(run_id=lease.run_id, holder=lease.holder, since=since, until=until)


def lease_row(lease: Lease) -> tuple[str, str, str, str, int, str]:
    """Write a lease of this process as a row, from ``run_id`` on."""
    return (
        *(lease.run_id, lease.holder, time_text(lease.since), time_text(lease.until)),
        *(os.getpid(), this_host()),
    )


def lease_from_row(row: Sequence[Any]) -> tuple[Lease, bool]:
    """Read a lease, and whether its holder's process is surely gone."""
    run_id, holder, since, until, pid, host = row
    times = {"since": datetime.fromisoformat(since), "until": datetime.fromisoformat(until)}
    is_gone = host == this_host() and process_is_gone(pid)
    return Lease(run_id=run_id, holder=holder, **times), is_gone
