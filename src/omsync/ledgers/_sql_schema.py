"""The tables' version: how they are made, recognised and brought forward, by one program at a time."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, insert, inspect, select, update
from sqlalchemy.schema import CreateSchema

from omsync.errors import LedgerError
from omsync.ledgers._schema import APPLICATION_ID
from omsync.ledgers._sql_database import Database
from omsync.ledgers._sql_tables import Tables

__all__ = ["prepare"]

_FORWARD: tuple[Callable[[Connection, Tables], None], ...] = ()
"""What leads from each version to the next. A new database gets the newest tables at once; a step that was
ever released is never changed."""


def prepare(database: Database, tables: Tables) -> None:
    """Make the tables where there are none, and bring older ones forward, in one transaction.

    Raises:
        LedgerError: A newer omsync made them, or the database cannot keep every letter.
    """
    newest = 1 + len(_FORWARD)

    def look(connection: Connection) -> int:
        if database.dialect == "postgresql":
            _refuse_few_letters(connection, database)
        return _version(connection, database, tables, newest)

    def make(connection: Connection) -> None:
        if database.dialect == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({APPLICATION_ID})")
        # Two programs may come here at once; so one looks again when it is alone.
        version = _version(connection, database, tables, newest)
        if version == 0:
            schema = tables.every.schema
            if schema is not None and not inspect(connection).has_schema(schema):
                connection.execute(CreateSchema(schema))
            tables.every.create_all(connection, checkfirst=False)
            connection.execute(insert(tables.meta).values(version=newest))
            return
        for step in _FORWARD[version - 1 :]:
            step(connection, tables)
        connection.execute(update(tables.meta).values(version=newest))

    if database.reading(look) != newest:
        database.writing(make, repeatable=False)


def _version(connection: Connection, database: Database, tables: Tables, newest: int) -> int:
    """Tell the version of the tables; 0 where there are none."""
    if not inspect(connection).has_table(tables.meta.name, schema=tables.every.schema):
        return 0
    version = connection.execute(select(tables.meta.c.version)).scalar_one()
    if version > newest:
        raise LedgerError(
            f"The ledger {database.name!r} was written by a newer omsync (tables of version {version}; "
            f"this one knows {newest})",
            code="newer_ledger",
            remedy="Upgrade omsync here, or give another database or schema.",
        )
    return int(version)


def _refuse_few_letters(connection: Connection, database: Database) -> None:
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise LedgerError(
            f"The database {database.name!r} keeps text as {encoding}, which lacks letters that codes have",
            code="unknown_database",
            remedy="Make a database with ENCODING 'UTF8'.",
        )
