"""The page of a plan view."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from omsync.allocation.reasons import words
from omsync.checks import counted
from omsync.planning import SyncPlan
from omsync.views.derivation import tree_of
from omsync.views.page import Chart, Column, Fact, Page, Part, Series, Table
from omsync.views.wording import aged, at_place, signed

if TYPE_CHECKING:  # the view lays itself out with this module
    from omsync.views.plans import PlanRow, PlanView

__all__ = ["page_of_plan"]

_DRAWN = 20
"""The largest changes, which are drawn."""
_TONES = {"zero": "bad", "big fall": "warning", "unknown": "warning", "none": "quiet"}


def page_of_plan(view: PlanView) -> Page:
    """Lay out changes, held lines, guardrails, what is skipped, and the largest changes drawn."""
    plan = view.plan
    who = f"{plan.merchant} / {plan.cart}"
    if not plan.enabled:
        return Page(title=f"Plan for {who}", summary="The cart is switched off; nothing is planned.")
    changed, held = counted(len(view.changes), "listing"), len(view.held)
    notes = [notice.message for notice in plan.notices]
    if view.unexplained:
        notes.append(f"{view.unexplained:,} of the less dangerous lines are not explained here")
    return Page(
        title=f"Plan for {who}",
        summary=f"{changed} would change, {held:,} held for a person.",
        facts=_facts(view),
        parts=[
            _table("What would change, danger first", view.changes, "Nothing would change."),
            _held(view),
            *_rails(view),
            _skipped(plan),
            *_chart(view),
        ],
        notes=notes,
        at=view.at,
    )


def _facts(view: PlanView) -> Iterator[Fact]:
    plan = view.plan
    yield Fact(name="Digest", value=plan.digest)
    yield Fact(name="Cart", value=plan.destination or "?")
    if plan.taken_at:
        read = datetime.fromisoformat(plan.taken_at).astimezone(UTC)
        age = "" if view.at is None else f", {aged(view.at - read)} ago"
        yield Fact(name="Read", value=f"{read:%Y-%m-%d %H:%M}Z{age}")
    kinds = Counter(row.danger for row in view.changes)
    for kind in ("zero", "big fall", "fall", "unknown", "rise"):
        if kinds[kind]:
            yield Fact(name=_heading(kind), value=f"{kinds[kind]:,}", tone=_TONES.get(kind, ""))
    moves = [row.change or 0 for row in view.changes]
    yield Fact(name="Units up", value=signed(sum(move for move in moves if move > 0)))
    yield Fact(name="Units down", value=signed(sum(move for move in moves if move < 0)))
    actions = Counter(line.action for line in plan.lines)
    yield Fact(name="Unchanged", value=f"{actions['unchanged']:,}")
    yield Fact(name="Held", value=f"{len(view.held):,}", tone="warning" if view.held else "")
    if plan.cart_only:
        yield Fact(name="Only in the cart", value=f"{len(plan.cart_only):,}")
    if plan.withheld:
        yield Fact(name="Kept back by rules and rounding", value=counted(plan.withheld, "unit"))


def _heading(kind: str) -> str:
    return {"zero": "To 0", "unknown": "Shown now: unknown"}.get(kind, f"{kind.capitalize()}s")


_COLUMNS = (
    Column(title="listing", kind="code", is_key=True),
    Column(title="location", kind="code"),
    Column(title="product", kind="code", is_key=True),
    Column(title="shows", kind="number", hint="? where nobody knows"),
    Column(title="shall show", kind="number"),
    Column(title="change", kind="number"),
    Column(title="danger", hint="zero, big fall (half or more), fall, unknown, rise"),
)


def _cells(row: PlanRow) -> tuple[str | int | None, ...]:
    line = row.line
    shown = (line.shown, line.quantity, row.change)
    return (line.listing_sku, line.location_id or "", line.master_sku, *shown, row.danger)


def _table(title: str, rows: Sequence[PlanRow], empty: str) -> Table:
    return Table(
        title=title,
        columns=[*_COLUMNS, Column(title="remark")],
        rows=[(*_cells(row), row.line.why_gone or row.line.hint) for row in rows],
        tones=[_TONES.get(row.danger, "") for row in rows],
        details=_details(rows),
        empty=empty,
    )


def _held(view: PlanView) -> Table:
    return Table(
        title="Held for a person",
        columns=[*_COLUMNS, Column(title="why"), Column(title="what to do")],
        rows=[(*_cells(row), words(row.line.reason), row.line.hint) for row in view.held],
        tones=["warning" for _ in view.held],
        details=_details(view.held),
        empty="Nothing is held.",
    )


def _details(rows: Sequence[PlanRow]) -> list[object]:
    return [None if row.explanation is None else tree_of(row.explanation) for row in rows]


def _rails(view: PlanView) -> Iterator[Table]:
    if view.plan.guardrails is None:
        return
    yield Table(
        title="Guardrails",
        columns=[
            Column(title="guardrail", is_key=True),
            Column(title="limit"),
            Column(title="this plan"),
            Column(title="verdict"),
        ],
        rows=[(words(one.name), one.limit, one.figure, one.verdict) for one in view.rails],
        tones=["warning" if one.holds or one.off or one.over else "good" for one in view.rails],
        note="Shares are of the listings that show more than 0; held lines count, what a person let through "
        "does not. A line is held by the first guardrail that it is over.",
    )


def _skipped(plan: SyncPlan) -> Table:
    reasons = Counter(line.reason for line in plan.lines if line.action == "skip")
    reasons.update(one.reason for one in plan.skipped)
    hints = {line.reason: line.hint for line in reversed(plan.lines) if line.action == "skip"}
    hints |= {one.reason: one.hint for one in reversed(plan.skipped)}
    return Table(
        title="Skipped",
        columns=[
            Column(title="why", is_key=True),
            Column(title="how many", kind="number"),
            Column(title="the first, and what to do"),
        ],
        rows=[(words(reason), number, hints[reason]) for reason, number in reasons.most_common()],
        empty="Nothing is skipped.",
    )


def _chart(view: PlanView) -> Iterator[Part]:
    known = [row for row in view if row.change]
    largest = sorted(known, key=lambda row: -abs(row.change or 0))[:_DRAWN]
    if largest:
        yield Chart(
            title="Quantities before and after: the largest changes",
            labels=[at_place(row.line.listing_sku, row.line.location_id) for row in largest],
            series=[
                Series(name="shows", figures=[row.line.shown for row in largest]),
                Series(name="shall show", figures=[row.line.quantity for row in largest]),
            ],
            unit="pieces",
            note="Held lines are among them.",
        )
