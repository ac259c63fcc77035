"""The ledger's tables in a database that other programs use too, and how rows are put into them."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from sqlalchemy import (
    BigInteger,
    Column,
    Dialect,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    case,
    func,
)
from sqlalchemy.dialects import postgresql, sqlite

from omsync.ledgers._rows import FIGURES, LASTING, STATE_COLUMNS

__all__ = ["PREFIX", "Tables", "Upsert", "merging_states", "tables_in", "upsert"]

PREFIX = "omsync_"
"""What the names of all our tables begin with, so that they can stand beside another program's."""

Upsert = postgresql.Insert | sqlite.Insert


class _Words(TypeDecorator[str]):
    """What somebody else said, to be read and not compared: PostgreSQL keeps any letter but NUL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002  the base's
        return None if value is None else value.replace("\0", "\ufffd")


@frozen(kw_only=True)
class Tables:
    """The tables, all of one schema."""

    every: MetaData
    meta: Table
    runs: Table
    snapshots: Table
    states: Table
    memory: Table
    leases: Table
    history: Table


def tables_in(schema: str | None) -> Tables:
    """Describe the tables of version 1 and all that came after it.

    Times are ISO 8601 text in UTC, all of one length, and text is compared letter by letter whatever the
    database's own order is. A listing without a location, and the lease of reading, have ''.
    """
    every = MetaData(schema=schema)
    text = Text(collation="C").with_variant(Text(), "sqlite")
    words = _Words()

    def table(name: str, *parts: Any) -> Table:
        return Table(PREFIX + name, every, *parts)

    def number() -> Column[int]:
        return Column("number", BigInteger().with_variant(Integer(), "sqlite"), Identity(), primary_key=True)

    def key(*names: str) -> list[Column[str]]:
        return [Column(name, text, primary_key=True) for name in names]

    def needed(*names: str, kind: Any = text) -> list[Column[Any]]:
        return [Column(name, kind, nullable=False) for name in names]

    def state(name: str) -> Column[Any]:
        return Column(name, BigInteger() if name in FIGURES else text)

    runs = table(
        "runs",
        number(),
        *(*needed("run_id", "merchant"), Column("cart", text), *needed("status", "started_at")),
        *(Column("finished_at", text), *needed("last_seen_at", "counts")),
        *(*needed("message", kind=words), *needed("code"), *needed("pid", kind=BigInteger())),
        *needed("host", "alive_at"),
        UniqueConstraint("run_id", name=f"{PREFIX}runs_id"),
    )
    Index(f"{PREFIX}runs_newest", runs.c.merchant, runs.c.cart, runs.c.started_at)
    Index(f"{PREFIX}runs_oldest", runs.c.started_at)
    memory = table(
        "memory",
        number(),
        *needed("merchant", "namespace", "key", "value", "kept_at"),
        UniqueConstraint("merchant", "namespace", "key", name=f"{PREFIX}memory_key"),
    )
    settled = memory.c.value == ""
    Index(f"{PREFIX}memory_settled", memory.c.kept_at, postgresql_where=settled, sqlite_where=settled)
    history_key = ("merchant", "cart", "listing_sku", "location_id", "run_id")
    history = table(
        "history",
        number(),
        *(*needed(*history_key, "sent_at"), *needed("quantity", kind=BigInteger())),
        *(Column("shown", BigInteger()), *needed("status"), Column("echo", BigInteger())),
        *(*needed("reason", "message", kind=words), *needed("settings_digest", "plan_digest")),
        *(*needed("approved_by", "summary", kind=words), *needed("explanation", kind=LargeBinary())),
        UniqueConstraint(*history_key, name=f"{PREFIX}history_key"),
    )
    Index(f"{PREFIX}history_oldest", history.c.sent_at)
    return Tables(
        every=every,
        meta=table("meta", Column("version", Integer(), nullable=False)),
        runs=runs,
        snapshots=table(
            "snapshots",
            *(*key("merchant"), *needed("taken_at", "saved_at")),
            *(*needed("products", "stock_records", kind=BigInteger()),),
            *needed("content", kind=LargeBinary()),
        ),
        states=table(
            "states",
            *key("merchant", "cart", *STATE_COLUMNS[:2]),
            *(state(name) for name in STATE_COLUMNS[2:]),
        ),
        memory=memory,
        leases=table(
            "leases",
            *(*key("merchant", "cart"), *needed("run_id"), *needed("holder", kind=words)),
            *(*needed("since", "until"), *needed("pid", kind=BigInteger()), *needed("host")),
        ),
        history=history,
    )


def upsert(dialect: str, table: Table) -> Upsert:
    """Begin an INSERT that may say what happens where the row is there."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def merging_states(dialect: str, table: Table) -> Upsert:
    """Merge a row of figures into what is known: the law of ``_sheets.merged`` in SQL.

    A figure brings its time and its run along, so that a new figure is never dated by an old time.
    """
    insert = upsert(dialect, table)
    new, old = insert.excluded, table.c
    merged: dict[str, Any] = {}
    for figure in FIGURES:
        merged[figure] = func.coalesce(new[figure], old[figure])
        for name in (f"{figure}_at", f"{figure}_run"):
            merged[name] = case((new[figure].is_(None), old[name]), else_=new[name])
    for figure in LASTING:
        since, at = f"{figure}_since", f"{figure}_at"
        merged[since] = case(
            (new[figure].is_(None), old[since]),
            (new[figure] == old[figure], func.coalesce(old[since], new[at])),
            else_=new[at],
        )
    return insert.on_conflict_do_update(index_elements=list(table.primary_key), set_=merged)
