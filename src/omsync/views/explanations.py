"""The explanation view: why one quantity is what it is, drawn, and what would change it."""

from __future__ import annotations

from datetime import UTC, datetime

from attrs import field, frozen

from omsync import checks
from omsync.allocation import Allocation, Explanation
from omsync.allocation.explanation import steps_of
from omsync.views.derivation import tree_of
from omsync.views.levers import Lever, levers_of
from omsync.views.page import Chart, Column, Fact, Page, Series, Table
from omsync.views.rendered import Rendered
from omsync.views.supposing import WhatIf, what_if
from omsync.views.wording import at_place

__all__ = ["ExplanationView", "explanation_view"]

_NAMED = 5


@frozen(kw_only=True, repr=False)
class ExplanationView(Rendered):
    """The derivation of one quantity, and what one unit more or less of anything behind it would do.

    Args:
        explanation: The derivation.
        levers: Every stock record behind it, those that raise it with the fewest units first.
        cart_wide: For each of these, what one unit more does to all listings of the cart; empty where no
            allocation was given.
    """

    explanation: Explanation
    levers: tuple[Lever, ...] = field(converter=checks.as_tuple)
    cart_wide: tuple[WhatIf, ...] = field(default=(), converter=checks.as_tuple)

    def __repr__(self) -> str:
        return f"<ExplanationView of {self.explanation.listing_sku!r}: {self.explanation.summary}>"

    def page(self) -> Page:
        """Lay out the derivation as a tree, and the counterfactuals as a table."""
        told = self.explanation
        best = self.levers[0].sentence(told.quantity) if self.levers else "nothing recorded would change it"
        facts = [
            Fact(name="Shall show", value=f"{told.quantity:,}"),
            Fact(name="Product", value=", ".join(sorted({row.master_sku for row in told.rows})) or "?"),
            Fact(name="To raise it", value=best),
        ]
        if any(row.doubtful for row in told.rows):
            lost = "the newest answer about a figure was lost on its way; it may be too high"
            facts.append(Fact(name="In doubt", value=lost, tone="warning"))
        return Page(
            title=f"Why {at_place(told.listing_sku, told.location_id)} shall show {told.quantity:,}",
            summary=told.summary,
            facts=facts,
            parts=[tree_of(told), self._what_if(), *self._chart()],
            at=datetime.fromisoformat(told.taken_at).astimezone(UTC),
        )

    def _what_if(self) -> Table:
        columns = [
            Column(title="product", kind="code", is_key=True),
            Column(title="location"),
            Column(title="has", kind="number", hint="units that may be sold there"),
            Column(title="one more gives", kind="number", hint="what the listing would show"),
            Column(title="one less gives", kind="number", hint="what the listing would show"),
            Column(title="units to the next rise", kind="number", hint="? where 10,000 would not raise it"),
        ]
        rows: list[list[str | int | None]] = [
            [one.master_sku, one.location, one.has, one.one_more, one.one_less, one.next_rise]
            for one in self.levers
        ]
        if self.cart_wide:
            columns += [
                Column(title="listings moved", kind="number", hint="of the whole cart, by one more"),
                Column(title="which"),
            ]
            for row, one in zip(rows, self.cart_wide, strict=True):
                row += [len(one), _named(one)]
        return Table(
            title="What if",
            columns=columns,
            rows=map(tuple, rows),
            tones=["decides" if one.one_more > self.explanation.quantity else "" for one in self.levers],
            note="Each line was derived again with the unit more or less; nothing is estimated.",
            empty="No stock record that counts is behind this quantity.",
        )

    def _chart(self) -> list[Chart]:
        steps = [step for row in self.explanation.rows for step in steps_of(row)]
        if len(self.explanation.rows) != 1 or not steps:
            return []
        labels = ["in all", *(step.rule.replace("_", " ") for step in steps)]
        figures = [steps[0].before, *(step.after for step in steps)]
        return [
            Chart(
                title="From the stock to the listing, rule by rule",
                labels=labels,
                series=[Series(name="quantity", figures=figures)],
                unit="pieces",
                note="The first bar counts units of the product.",
            )
        ]


def explanation_view(explanation: Explanation, allocation: Allocation | None = None) -> ExplanationView:
    """Draw why a quantity is what it is, with what would change it.

    Args:
        explanation: From ``plan.explain(...)``, ``allocation.explain(...)`` or the history.
        allocation: The allocation that it is from; with it the view says which other listings of the cart
            one unit more would move.
    """
    levers = levers_of(explanation)
    cart_wide = (
        ()
        if allocation is None
        else [what_if(allocation, one.master_sku, location_id=one.location_id) for one in levers]
    )
    return ExplanationView(explanation=explanation, levers=levers, cart_wide=cart_wide)


def _named(one: WhatIf) -> str:
    names = [
        f"{at_place(move.listing_sku, move.location_id)} {move.before:,} -> {move.after:,}"
        for move in one.moves[:_NAMED]
    ]
    more = f" and {len(one) - _NAMED:,} more" if len(one) > _NAMED else ""
    return ", ".join(names) + more
