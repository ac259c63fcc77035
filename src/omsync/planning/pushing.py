"""From a plan to what goes over the wire: rows in the order of danger, cut into batches."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from omsync.exchange import QuantityChange, SinkCapabilities
from omsync.planning.plan import SyncPlan

__all__ = ["batches", "changes_of"]


def changes_of(
    plan: SyncPlan, capabilities: SinkCapabilities, *, run_id: str, approved: bool = False
) -> tuple[QuantityChange, ...]:
    """Give the rows to push, in the order of danger, in the meaning that the cart wants.

    Args:
        plan: What to push.
        capabilities: Decides whether allocated units are added.
        run_id: Goes into every row's idempotency key.
        approved: Whether held lines go out too.
    """
    lines = [*plan.changes, *(plan.held if approved else ())]
    on_hand = capabilities.quantity_meaning == "on_hand"
    by_location = capabilities.grouping == "by_location"
    rows: list[QuantityChange] = []
    for line in sorted(
        lines, key=lambda line: (line.danger, (line.location_id or "") if by_location else "")
    ):
        more = (line.allocated or 0) if on_hand else 0
        rows.append(
            QuantityChange(
                listing_sku=line.listing_sku,
                location_id=line.location_id,
                quantity=max(0, line.quantity + more),
                available=line.quantity,
                shown=None if line.shown is None else line.shown + more,
                version=line.version,
                key=f"{run_id}:{line.listing_sku}:{line.location_id or ''}",
            )
        )
    return tuple(rows)


def batches(
    changes: Sequence[QuantityChange], capabilities: SinkCapabilities
) -> tuple[tuple[QuantityChange, ...], ...]:
    """Cut rows into pushes within the cart's limits on rows, bytes and locations, keeping their order."""
    size = capabilities.rows_per_push or max(1, len(changes))
    runs = [tuple(changes)]
    if capabilities.grouping == "by_location":
        runs = [tuple(rows) for _, rows in groupby(changes, key=lambda row: row.location_id)]
    return tuple(run[start : start + size] for run in runs for start in range(0, len(run), size))
