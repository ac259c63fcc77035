"""A plan as a table: for a terminal, and as CSV for a person who approves row by row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from omsync.allocation.reasons import words
from omsync.checks import counted, printable
from omsync.planning.spreadsheet import as_csv, harmless

if TYPE_CHECKING:  # the plan prints itself with this module
    from omsync.planning.plan import SyncPlan

__all__ = ["CSV_COLUMNS", "aligned", "csv_rows", "plan_csv", "plan_table"]

CSV_COLUMNS = (
    "plan", "listing_sku", "location_id", "master_sku", "shows", "shall_show", "action", "reason", "approve"
)  # fmt: skip
"""The columns of an exported plan; the last one is the only one to write in."""


def plan_table(plan: SyncPlan, most: int = 40) -> str:
    """Give a plan as lines of text: a sentence, then its changes and holds, then what is skipped."""
    if not plan.enabled:
        return f"Plan for {plan.merchant} / {plan.cart}: the cart is switched off; nothing is planned."
    actions = Counter(line.action for line in plan.lines)
    head = (
        f"Plan {plan.digest} for {plan.merchant} / {plan.cart} ({plan.destination}): "
        f"{actions['change']:,} to change, {actions['unchanged']:,} unchanged, {actions['hold']:,} held, "
        f"{actions['skip'] + len(plan.skipped):,} skipped"
    )
    rows = [*plan.changes, *plan.held]
    table = [("listing", "location", "shows", "shall show", "")]
    table += [
        (
            line.listing_sku,
            line.location_id or "-",
            "?" if line.shown is None else str(line.shown),
            str(line.quantity),
            f"held: {words(line.reason)}" if line.action == "hold" else "",
        )
        for line in rows[:most]
    ]
    lines = [head]
    if rows:
        lines += aligned(table)
    if len(rows) > most:
        lines.append(f"  ... and {len(rows) - most:,} more")
    reasons = Counter(line.reason for line in plan.lines if line.action == "skip")
    reasons.update(skipped.reason for skipped in plan.skipped)
    lines += [f"  skipped: {number:,} {words(reason)}" for reason, number in reasons.most_common()]
    if plan.cart_only:
        lines.append(f"  only in the cart: {len(plan.cart_only):,} ({', '.join(plan.cart_only[:5])})")
    if plan.withheld:
        lines.append(f"  rules and rounding keep back {counted(plan.withheld, 'unit')}")
    lines += [f"  note: {notice.message}" for notice in plan.notices]
    return "\n".join(map(printable, lines))


def aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Give rows of cells as lines that print, each column as wide as its widest cell."""
    cells = [list(map(printable, row)) for row in table]
    widths = [max(len(row[column]) for row in cells) for column in range(len(table[0]))]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def csv_rows(plan: SyncPlan) -> list[tuple[str, ...]]:
    """Give the cells of an exported plan, without its header: what changes, then what is held."""
    return [
        (
            plan.digest,
            harmless(line.listing_sku),
            harmless(line.location_id or ""),
            harmless(line.master_sku),
            "" if line.shown is None else str(line.shown),
            str(line.quantity),
            line.action,
            line.reason,
            "no" if line.action == "hold" else "",
        )
        for line in (*plan.changes, *plan.held)
    ]


def plan_csv(plan: SyncPlan) -> str:
    """Give a plan as CSV text."""
    return as_csv([CSV_COLUMNS, *csv_rows(plan)])
