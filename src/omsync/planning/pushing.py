"""From a plan to what goes over the wire: rows in the order of danger, cut into batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from omsync.exchange import QuantityChange, SinkCapabilities
from omsync.planning.plan import Key, SyncPlan

__all__ = ["batches", "changes_of"]


def changes_of(
    plan: SyncPlan, capabilities: SinkCapabilities, *, run_id: str, approved: bool = False
) -> tuple[QuantityChange, ...]:
    """Give the rows to push, in the order of danger, in the meaning that the cart wants.

    A cart that is sent everything gets, after them, what it was last told of all the rest.

    Args:
        plan: What to push.
        capabilities: Decides whether allocated units are added, and whether the rest is repeated.
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
    if capabilities.contents == "full":
        told = {line.key for line in lines}
        rows += [
            QuantityChange(
                listing_sku=sku,
                location_id=location_id,
                quantity=max(0, quantity),
                available=max(0, quantity),
                shown=quantity,
                key=f"{run_id}:{sku}:{location_id or ''}",
                repeated=True,
            )
            for (sku, location_id), quantity in _as_last_told(plan)
            if (sku, location_id) not in told
        ]
    return tuple(rows)


def _as_last_told(plan: SyncPlan) -> Iterator[tuple[Key, int]]:
    yield from ((line.key, line.shown) for line in plan.lines if line.shown is not None)
    yield from (((row.listing_sku, row.location_id), row.quantity) for row in plan.known)


def batches(
    changes: Sequence[QuantityChange], capabilities: SinkCapabilities
) -> tuple[tuple[QuantityChange, ...], ...]:
    """Cut rows into pushes within the cart's limits on rows, bytes and locations, keeping their order.

    What a cart is sent as a whole is never cut.
    """
    size = capabilities.rows_per_push or max(1, len(changes))
    runs = [tuple(changes)]
    if capabilities.grouping == "by_location" and capabilities.contents != "full":
        runs = [tuple(rows) for _, rows in groupby(changes, key=lambda row: row.location_id)]
    return tuple(run[start : start + size] for run in runs for start in range(0, len(run), size))
