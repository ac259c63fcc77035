"""The page of a component view."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from omsync.checks import counted
from omsync.views.page import Branch, Chart, Column, Fact, Page, Part, Series, Table, Tree
from omsync.views.wording import at_place

if TYPE_CHECKING:  # the view lays itself out with this module
    from omsync.views.components import ComponentRow, ComponentView

__all__ = ["page_of_components"]

_DRAWN = 20
_NAMED = 50
"""The listings that a row opens; the data has all."""

_NORMAL = (
    "Promised is what is taken when every listing sells all that it shows. Parts that several listings share "
    "are promised by each of them, so more than is held is normal: the next sync lowers the others as one of "
    "them sells. The higher the ratio, the more a safety stock is worth."
)


def page_of_components(view: ComponentView) -> Page:
    """Lay out what is promised against what is held, and the most promised drawn."""
    over = [row for row in view if row.is_over]
    several = len(view.carts) > 1
    return Page(
        title=f"Components of {view.merchant} / {', '.join(view.carts)}",
        summary=f"{counted(len(over), 'product')} of {len(view):,} promised more often than held.",
        facts=[
            Fact(name="Promised more often than held", value=f"{len(over):,}"),
            Fact(name="Carts", value=", ".join(view.carts)),
        ],
        parts=[_table(view, several=several), *_chart(view)],
        notes=[_NORMAL],
        at=datetime.fromisoformat(view.taken_at).astimezone(UTC),
    )


def _table(view: ComponentView, *, several: bool) -> Table:
    return Table(
        title="Promised against held",
        columns=[
            Column(title="product", kind="code", is_key=True),
            Column(title="name", is_key=True),
            Column(title="held", kind="number", hint="units that may be sold at the counted locations"),
            Column(title="promised", kind="number", hint="units, if every listing sells all that it shows"),
            Column(title="times over", kind="number", hint="promised by held; ? where nothing is held"),
            Column(title="listings", kind="number", hint="that promise it, directly or in bundles"),
        ],
        rows=[
            (
                row.master_sku,
                row.name,
                row.held,
                row.promised,
                None if row.ratio is None else round(row.ratio, 2),
                len(row.uses),
            )
            for row in view
        ],
        tones=[_tone(row) for row in view],
        details=[_tree(row, several=several) for row in view],
        empty="Nothing is promised or held.",
    )


def _tone(row: ComponentRow) -> str:
    if row.promised and row.ratio is None:
        return "bad"
    return "warning" if row.is_over else ""


def _tree(row: ComponentRow, *, several: bool) -> Tree | None:
    if not row.uses:
        return None
    branches = [
        Branch(
            label=at_place(one.listing_sku, one.location_id) + (f" in {one.cart}" if several else ""),
            figure=one.units,
            detail=f"{counted(one.quantity, 'piece')} of {one.each:,}",
        )
        for one in row.uses[:_NAMED]
    ]
    if len(row.uses) > _NAMED:
        branches.append(Branch(label=f"and {len(row.uses) - _NAMED:,} more", tone="quiet"))
    held = "not reported" if row.held is None else f"{row.held:,} held"
    return Tree(
        title=f"Who promises {row.master_sku}",
        root=Branch(label=row.master_sku, figure=row.promised, detail=held, branches=branches),
        note="Each listing's units are as if all its bundles were built; their shelf units, which go first, "
        "make the sum smaller.",
    )


def _chart(view: ComponentView) -> Iterator[Part]:
    drawn = [row for row in view if row.is_over][:_DRAWN]
    if drawn:
        yield Chart(
            title="The most promised",
            labels=[row.master_sku for row in drawn],
            series=[
                Series(name="held", figures=[row.held for row in drawn]),
                Series(name="promised", figures=[row.promised for row in drawn]),
            ],
            unit="units",
        )
