"""The plan view: what would change and by how much, danger first, what is held, and the guardrails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from attrs import field, frozen

from omsync import checks
from omsync.allocation import Explanation
from omsync.checks import counted
from omsync.errors import NoExplanationError
from omsync.planning import PlanLine, SyncPlan
from omsync.views.page import Page
from omsync.views.rails import RailFigure, rail_figures
from omsync.views.rendered import Rendered
from omsync.views.wording import known_zone

__all__ = ["DANGERS", "PlanRow", "PlanView", "plan_view"]

DANGERS = ("zero", "big fall", "fall", "unknown", "rise", "none")
"""How dangerous a change is, the most dangerous first: a big fall takes half of what is shown or more, of
an unknown one nobody knows what is shown, and with none the same quantity is sent again."""


@frozen(kw_only=True)
class PlanRow:
    """A line of a plan that changes something or is held.

    Args:
        line: The line.
        danger: One of ``DANGERS``.
        explanation: Why it shall show its quantity; None where that is not at hand.
    """

    line: PlanLine
    danger: str = field(validator=checks.one_of(*DANGERS))
    explanation: Explanation | None = None

    @property
    def change(self) -> int | None:
        """By how much it changes; None where nobody knows what is shown."""
        return None if self.line.shown is None else self.line.quantity - self.line.shown


@frozen(kw_only=True, repr=False)
class PlanView(Rendered):
    """A plan as a person looks at it. Iterate its rows, or print it.

    Args:
        plan: The plan.
        changes: What would be pushed, danger first.
        held: What waits for a person, danger first.
        rails: Each guardrail with its limit and what the plan does.
        unexplained: How many of these lines have no explanation here, because there are too many.
        at: When it was looked at; None where nobody said.
    """

    plan: SyncPlan
    changes: tuple[PlanRow, ...] = field(converter=checks.as_tuple)
    held: tuple[PlanRow, ...] = field(converter=checks.as_tuple)
    rails: tuple[RailFigure, ...] = field(converter=checks.as_tuple)
    unexplained: int = 0
    at: datetime | None = None

    def __iter__(self) -> Iterator[PlanRow]:
        return iter((*self.changes, *self.held))

    def __len__(self) -> int:
        return len(self.changes) + len(self.held)

    def __repr__(self) -> str:
        what = f"{counted(len(self.changes), 'change')}, {len(self.held):,} held"
        return f"<PlanView of {self.plan.merchant} / {self.plan.cart}: {what}>"

    def page(self) -> Page:
        """Lay out changes, held lines, guardrails, what is skipped, and the largest changes drawn."""
        from omsync.views.plans_page import page_of_plan

        return page_of_plan(self)


def plan_view(plan: SyncPlan, *, now: datetime | None = None, explained: int = 1000) -> PlanView:
    """Look at a plan: what would change, danger first, and why each quantity is what it is.

    Args:
        plan: From ``plan_cart``, or loaded; a loaded one has the explanations that it carried along.
        now: What the age of its reading is counted to, aware; None: its age is not said.
        explained: So many lines, the most dangerous first, carry their explanation.
    """
    at = None if now is None else known_zone(now, "plan_view")
    ordered = sorted(
        (line for line in plan.lines if line.action in {"change", "hold"}), key=_most_dangerous_first
    )
    rows = [
        PlanRow(
            line=line, danger=_danger(line), explanation=_explained(plan, line) if place < explained else None
        )
        for place, line in enumerate(ordered)
    ]
    return PlanView(
        plan=plan,
        changes=[row for row in rows if row.line.action == "change"],
        held=[row for row in rows if row.line.action == "hold"],
        rails=rail_figures(plan, now=at),
        unexplained=max(0, len(rows) - explained),
        at=at,
    )


def _danger(line: PlanLine) -> str:
    if line.quantity == line.shown:
        return "none"
    if line.quantity == 0:
        return "zero"
    if line.shown is None:
        return "unknown"
    if line.quantity > line.shown:
        return "rise"
    return "big fall" if 2 * line.quantity <= line.shown else "fall"


def _most_dangerous_first(line: PlanLine) -> tuple[int, int, str, str]:
    moved = abs(line.quantity - (line.shown or 0))
    return DANGERS.index(_danger(line)), -moved, line.listing_sku, line.location_id or ""


def _explained(plan: SyncPlan, line: PlanLine) -> Explanation | None:
    try:
        return plan.explain(line.listing_sku, line.location_id)
    except NoExplanationError:
        # What is put back, gone or not carried along has a reason of its own, which its row names.
        return None
