"""What was sent, as rows of the ledger's file; and what of the file is old enough to be dropped."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from omsync.exchange import HistoryEntry
from omsync.ledgers._rows import time_text

__all__ = ["HISTORY", "PRUNED_AT_ONCE", "RECORD", "entry_from_row", "entry_row", "prune"]

PRUNED_AT_ONCE = 10_000
"""Old rows of a kind that the end of a run drops at most, besides twice as many as were added since."""

RECORD = """
INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (merchant, cart, listing_sku, location_id, run_id) DO UPDATE SET
    sent_at = excluded.sent_at, quantity = excluded.quantity, shown = excluded.shown,
    status = excluded.status, echo = excluded.echo, reason = excluded.reason, message = excluded.message,
    settings_digest = excluded.settings_digest, plan_digest = excluded.plan_digest,
    approved_by = excluded.approved_by, summary = excluded.summary, explanation = excluded.explanation
"""
HISTORY = """
SELECT
    listing_sku, nullif(location_id, ''), run_id, sent_at, quantity, shown, status, echo, reason, message,
    settings_digest, plan_digest, approved_by, summary, explanation
FROM history
WHERE merchant = ?1 AND cart = ?2 AND (?3 IS NULL OR listing_sku = ?3) AND (?4 IS NULL OR sent_at >= ?4)
ORDER BY sent_at, rowid
"""
# The newest run of each cart stays, or a cart that was left alone for long would count as never run.
_OLD_RUNS = """
DELETE FROM runs WHERE rowid IN (
    SELECT rowid FROM runs AS old
    WHERE started_at < ?1 AND EXISTS (
        SELECT 1 FROM runs AS newer
        WHERE newer.merchant = old.merchant AND newer.cart IS old.cart AND newer.started_at > old.started_at
    )
    ORDER BY started_at LIMIT ?2
)
"""
_OLD_HISTORY = """
DELETE FROM history WHERE rowid IN (
    SELECT rowid FROM history WHERE sent_at < ?1 ORDER BY sent_at LIMIT ?2
)
"""
# An empty text stands for a job that is settled: it could be replaced there, not taken out.
_OLD_JOBS = """
DELETE FROM source_memory WHERE rowid IN (
    SELECT rowid FROM source_memory WHERE value = '' AND kept_at < ?1 ORDER BY kept_at LIMIT ?2
)
"""


def entry_row(merchant: str, cart: str, entry: HistoryEntry) -> tuple[Any, ...]:
    """Write an entry as a row for ``RECORD``."""
    return (
        *(merchant, cart, entry.listing_sku, entry.location_id or "", entry.run_id),
        *(time_text(entry.sent_at), entry.quantity, entry.shown, entry.status, entry.echo),
        *(entry.reason, entry.message, entry.settings_digest, entry.plan_digest, entry.approved_by),
        *(entry.summary, zlib.compress(entry.explanation.encode(errors="surrogatepass"), level=6)),
    )


def entry_from_row(row: Sequence[Any]) -> HistoryEntry:
    """Read an entry as ``HISTORY`` gives it."""
    listing_sku, location_id, run_id, sent_at, quantity, shown, *rest = row
    status, echo, reason, message, settings_digest, plan_digest, approved_by, summary, explanation = rest
    return HistoryEntry(
        listing_sku=listing_sku,
        location_id=location_id,
        run_id=run_id,
        sent_at=datetime.fromisoformat(sent_at),
        quantity=quantity,
        shown=shown,
        status=status,
        echo=echo,
        reason=reason,
        message=message,
        settings_digest=settings_digest,
        plan_digest=plan_digest,
        approved_by=approved_by,
        summary=summary,
        explanation=zlib.decompress(explanation).decode(errors="surrogatepass"),
    )


def prune(connection: sqlite3.Connection, *, before: datetime, most: int) -> None:
    """Drop runs, history and settled jobs from before a moment; of each at most so many rows."""
    for statement in (_OLD_RUNS, _OLD_HISTORY, _OLD_JOBS):
        connection.execute(statement, (time_text(before), most))
