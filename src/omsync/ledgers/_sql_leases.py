"""Leases in a database: by its clock, and with the row of the cart held, so that nobody can come between."""

from __future__ import annotations

from attrs import frozen
from sqlalchemy import Connection, and_, select, update

from omsync.exchange import Lease
from omsync.ledgers._leases import kept, lease_from_row, lease_row, taken
from omsync.ledgers._sql_database import Database
from omsync.ledgers._sql_tables import Tables, upsert

__all__ = ["SqlLeases"]

_FIELDS = ("run_id", "holder", "since", "until", "pid", "host")
_FREE = ("", "", "", "", 0, "")
"""A row stays when its lease is given back: it is what runs on several machines queue for."""


@frozen(kw_only=True)
class SqlLeases:
    """Who works on which cart."""

    database: Database
    tables: Tables

    def take(self, merchant: str, cart: str | None, lease: Lease) -> Lease:
        """Take the lease if it is free, has run out, is this run's own, or its holder's process is gone."""

        def change(connection: Connection) -> Lease:
            row = dict(zip(_FIELDS, _FREE, strict=True), merchant=merchant, cart=cart or "")
            waiting = upsert(self.database.dialect, self.tables.leases).values(row)
            connection.execute(waiting.on_conflict_do_nothing())
            standing, is_gone = self._standing(connection, merchant, cart)
            stands = taken(standing, lease, now=self.database.now(connection), is_gone=is_gone)
            if stands is not standing:
                self._put(connection, merchant, cart, lease_row(stands))
            return stands

        return self.database.writing(change)

    def renew(self, merchant: str, cart: str | None, lease: Lease) -> Lease | None:
        """Put off the end of the lease if it is still this run's; give the one that stands."""

        def change(connection: Connection) -> Lease | None:
            standing, _ = self._standing(connection, merchant, cart)
            if standing is None or standing.run_id != lease.run_id:
                return standing
            renewed = kept(lease, since=standing.since, now=self.database.now(connection))
            self._put(connection, merchant, cart, lease_row(renewed))
            return renewed

        return self.database.writing(change)

    def release(self, merchant: str, cart: str | None, lease: Lease) -> None:
        """Free the lease if it is this run's."""

        def change(connection: Connection) -> None:
            standing, _ = self._standing(connection, merchant, cart)
            if standing is not None and standing.run_id == lease.run_id:
                self._put(connection, merchant, cart, _FREE)

        self.database.writing(change)

    def _standing(self, connection: Connection, merchant: str, cart: str | None) -> tuple[Lease | None, bool]:
        """Hold the row, and give the lease that stands and whether its holder's process is surely gone."""
        table = self.tables.leases
        mine = and_(table.c.merchant == merchant, table.c.cart == (cart or ""))
        question = select(*(table.c[name] for name in _FIELDS)).where(mine).with_for_update()
        row = connection.execute(question).one_or_none()
        return (None, False) if row is None or not row.run_id else lease_from_row(row)

    def _put(
        self,
        connection: Connection,
        merchant: str,
        cart: str | None,
        row: tuple[str, str, str, str, int, str],
    ) -> None:
        table = self.tables.leases
        mine = and_(table.c.merchant == merchant, table.c.cart == (cart or ""))
        connection.execute(update(table).where(mine).values(dict(zip(_FIELDS, row, strict=True))))
